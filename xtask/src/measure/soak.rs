//! A daemon over an upstream that commits, rewrites and deletes its branch and goes away, at random, with an event
//! every second: in the end nothing may be behind, lost or leaked.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use upstream::clock::{Clock, SystemClock};

use super::crash::world::World;
use super::daemon::child::{Daemon, wake};
use super::{Metric, Tell};

/// How long it is disturbed by default, in minutes.
const MINUTES: u64 = 30;
/// What the disturbances come from.
const SEED: u64 = 20_261_121;
/// Seconds between two disturbances.
const EVERY_S: u64 = 7;
/// How long the daemon may take to catch up in the end, in milliseconds.
const CATCH_UP_MS: i64 = 10 * 60_000;
/// How much more memory it may hold in the last third than in the second, in MiB.
const GROWTH_MIB_MAX: f64 = 20.0;
/// How often what a person does is tried while the daemon is at work.
const PATIENCE: u32 = 600;

/// What the upstream has gone through.
#[derive(Debug, Default)]
struct Counts {
    commits: u32,
    rewrites: u32,
    deletions: u32,
    absences: u32,
}

/// What the upstream is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upstream {
    There,
    /// Its branch is deleted.
    Branchless,
    /// Its folder is gone.
    Away,
    /// It was rewritten, and nobody accepted that yet.
    Rewritten,
}

struct Soak {
    world: World,
    state: Upstream,
    random: u64,
    number: u32,
    counts: Counts,
}

pub(super) fn run(minutes: Option<u64>, repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `soak` takes no repository: it makes its own upstream and port");
    }
    let seconds = minutes.unwrap_or(MINUTES).max(1) * 60;
    let program = std::env::current_exe()?.with_file_name("tidelock");
    if !program.is_file() {
        bail!("there is no `{}`: build `tidelock` beside this program first", program.display());
    }
    let mut soak = Soak {
        world: World::new(),
        state: Upstream::There,
        random: SEED,
        number: 10,
        counts: Counts::default(),
    };
    let config = soak.world.read("port/tidelock.toml");
    let watch = "\n[watch]\nevery-s = 60\nretry-s = 2\nretry-max-s = 20\n";
    soak.world.write("port/tidelock.toml", &format!("{config}{watch}"));
    soak.world.commit("port", "watch");
    let file = "version = 1\nlisten = \"127.0.0.1:0\"\n[webhook]\ngitlab-secret-env = \"WEBHOOK_SECRET\"\n\
                [[port]]\nfolder = \"port\"\n";
    soak.world.write("daemon.toml", file);
    let mut daemon = Daemon::start(&program, soak.world.root.path())?;
    daemon.wait("the first sync", 300_000, |daemon| {
        Ok(daemon.metric("tidelock_syncs_total")?.is_some_and(|syncs| syncs >= 1.0))
    })?;

    let (mut memory, mut behind_max) = (Vec::new(), 0.0_f64);
    let end_ms = SystemClock.now_ms() + i64::try_from(seconds * 1000)?;
    let waker = Waker::start(daemon.address().to_owned());
    let mut second = 0_u64;
    while SystemClock.now_ms() < end_ms {
        second += 1;
        if !daemon.is_running()? {
            bail!("the daemon ended in second {second}");
        }
        if second.is_multiple_of(EVERY_S) {
            soak.disturb()?;
        }
        if second.is_multiple_of(5) {
            memory.push(daemon.rss_mib()?);
            behind_max = behind_max.max(daemon.metric("tidelock_lag_revisions")?.unwrap_or_default());
        }
        SystemClock.sleep(Duration::from_secs(1));
    }
    let (events, refused) = waker.end();
    soak.calm()?;
    let tip = soak.world.git("upstream", &["rev-parse", "main"]);
    let started_ms = SystemClock.now_ms();
    // From here on there is no event: polling alone finds what is left.
    daemon.wait("that the port has caught up", CATCH_UP_MS, |daemon| {
        let lag = daemon.metric("tidelock_lag_revisions")?;
        Ok(lag == Some(0.0) && soak.world.read("port/tidelock.lock").contains(tip.trim()))
    })?;
    #[expect(clippy::cast_precision_loss, reason = "minutes in milliseconds")]
    let caught_up_s = (SystemClock.now_ms() - started_ms) as f64 / 1000.0;
    let syncs = daemon.metric("tidelock_syncs_total")?.unwrap_or_default();
    let looks = daemon.metric("tidelock_looks_total")?.unwrap_or_default();
    let ended_well = daemon.stop()?;

    let counts = &soak.counts;
    for (name, value) in [
        ("commits", counts.commits),
        ("rewrites", counts.rewrites),
        ("deletions", counts.deletions),
        ("absences", counts.absences),
    ] {
        tell(Metric::at_least(format!("soak.{name}"), f64::from(value), "times", 1.0))?;
    }
    tell(Metric::told("soak.events", f64::from(events), "webhooks"))?;
    tell(Metric::at_most("soak.events_refused", f64::from(refused), "webhooks", 0.0))?;
    tell(Metric::told("soak.looks", looks, "looks"))?;
    tell(Metric::told("soak.syncs", syncs, "syncs"))?;
    tell(Metric::told("soak.behind_at_most", behind_max, "revisions"))?;
    tell(Metric::told("soak.caught_up_after", caught_up_s, "s"))?;
    let (middle, last) = thirds(&memory);
    tell(Metric::told("soak.rss_last_third", last, "MiB"))?;
    tell(Metric::at_most("soak.rss_growth", last - middle, "MiB", GROWTH_MIB_MAX))?;
    tell(Metric::at_most("soak.disagreements", soak.disagreements()?, "findings", 0.0))?;
    let number = format!("LIMIT = {}\n", soak.number);
    let holds = soak.world.read("port/tally/__init__.py").contains(&number);
    tell(Metric::at_least("soak.port_equals_upstream", f64::from(u8::from(holds)), "of 1", 1.0))?;
    let clean = soak.world.git("port", &["status", "--porcelain"]).is_empty();
    tell(Metric::at_least("soak.worktree_clean", f64::from(u8::from(clean)), "of 1", 1.0))?;
    tell(Metric::at_least("soak.ended_well", f64::from(u8::from(ended_well)), "of 1", 1.0))
}

/// Sends an event every second, whatever else goes on.
struct Waker {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(u32, u32)>,
}

impl Waker {
    fn start(address: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut sent, mut refused) = (0, 0);
            while !stopped.load(Ordering::Relaxed) {
                sent += 1;
                let status = wake(&address, "tally-py", u64::from(sent));
                refused += u32::from(!matches!(status, Ok(202)));
                SystemClock.sleep(Duration::from_secs(1));
            }
            (sent, refused)
        });
        Self { stop, thread }
    }

    /// How many were sent, and how many were not taken.
    fn end(self) -> (u32, u32) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or((0, u32::MAX))
    }
}

/// The medians of the second and of the last third.
fn thirds(memory: &[f64]) -> (f64, f64) {
    let median = |part: &[f64]| {
        let mut sorted = part.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    };
    let (_, rest) = memory.split_at(memory.len() / 3);
    let (middle, last) = rest.split_at(rest.len() / 2);
    (median(middle), median(last))
}

impl Soak {
    /// How much `tidelock verify` finds wrong.
    fn disagreements(&self) -> Result<f64> {
        let verified = self.world.tidelock(&["--format", "json", "verify"]).json();
        let wrong = verified["wrong"].as_array().context("no list of what is wrong")?;
        Ok(f64::from(u32::try_from(wrong.len())?))
    }

    /// The next random number below a bound (splitmix64).
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Does one thing to the upstream, or undoes what was done.
    fn disturb(&mut self) -> Result<()> {
        match self.state {
            Upstream::There => match self.below(10) {
                0..=5 => self.commit(),
                6 | 7 => self.rewrite(),
                8 => {
                    self.world.git("upstream", &["checkout", "-q", "--detach"]);
                    self.world.git("upstream", &["branch", "-q", "-D", "main"]);
                    self.state = Upstream::Branchless;
                    self.counts.deletions += 1;
                }
                _ => {
                    std::fs::rename(self.world.path("upstream"), self.world.path("away"))?;
                    self.state = Upstream::Away;
                    self.counts.absences += 1;
                }
            },
            Upstream::Branchless | Upstream::Away => self.restore()?,
            Upstream::Rewritten => self.accept()?,
        }
        Ok(())
    }

    fn commit(&mut self) {
        self.number += 1;
        let text = self.world.read("upstream/src/lib.rs");
        let from =
            text.lines().find(|line| line.starts_with("pub const LIMIT")).unwrap_or_default().to_owned();
        let to = format!("pub const LIMIT: u32 = {};", self.number);
        self.world.upstream_changes(&from, &to, &format!("limit {}", self.number));
        self.counts.commits += 1;
    }

    /// Takes the last commit back, and makes another one in its place.
    fn rewrite(&mut self) {
        let count = self.world.git("upstream", &["rev-list", "--count", "main"]);
        if count.trim().parse().unwrap_or(0) < 2 {
            return self.commit();
        }
        self.world.git("upstream", &["reset", "-q", "--hard", "HEAD~1"]);
        self.commit();
        self.state = Upstream::Rewritten;
        self.counts.rewrites += 1;
    }

    fn restore(&mut self) -> Result<()> {
        match self.state {
            Upstream::Branchless => drop(self.world.git("upstream", &["checkout", "-q", "-b", "main"])),
            Upstream::Away => std::fs::rename(self.world.path("away"), self.world.path("upstream"))?,
            Upstream::There | Upstream::Rewritten => {}
        }
        self.state = Upstream::There;
        Ok(())
    }

    /// Does what a person does who is told of a rewritten branch. The daemon may be at work at that moment, or may
    /// never have seen what was rewritten: then there is nothing to accept, and nothing to do.
    fn accept(&mut self) -> Result<()> {
        let tip = self.world.git("upstream", &["rev-parse", "main"]);
        for _ in 0..PATIENCE {
            let ran = self.world.tidelock(&["sync", "--accept", tip.trim()]);
            let said = ran.stderr();
            if !said.contains("another `tidelock` is at work") {
                let unseen = said.contains("did not see a rewritten branch");
                if !unseen && ![0, 3].contains(&ran.code()) {
                    bail!("a rewritten branch could not be accepted: {ran}");
                }
                self.state = Upstream::There;
                return Ok(());
            }
            SystemClock.sleep(Duration::from_millis(500));
        }
        Err(anyhow::anyhow!("the daemon never lets go of the port")).context("accepting a rewritten branch")
    }

    /// Undoes what is done, and changes one thing more.
    fn calm(&mut self) -> Result<()> {
        if matches!(self.state, Upstream::Branchless | Upstream::Away) {
            self.restore()?;
        }
        if self.state == Upstream::Rewritten {
            self.accept()?;
        }
        self.commit();
        Ok(())
    }
}
