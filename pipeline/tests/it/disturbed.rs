//! A small sync with everything in it, disturbed, and what must be the same afterwards.
//!
//! `cargo xtask measure crash` uses this file as well.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tempfile::TempDir;
use upstream::process::{Ending, Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::mounts::{is_root, read_only, with_mounts};
use super::world::{Ran, World};

/// More points than a sync of this size can have.
const POINTS_MAX: usize = 1000;

/// The most restarts that a disturbed sync may take behind its last disturbance.
const RESTARTS_MAX: usize = 2;

/// Wrong, and mended by the translator when it is told so.
const BUMP_WRONG: &str = "def bump(n: int) -> int:\n    \"\"\"Add one.\"\"\"\n    return n + 1";
/// Wrong for good.
const WIDTH_WRONG: &str =
    "def width(text: str) -> int:\n    \"\"\"Return the length of a text.\"\"\"\n    return 2 * len(text)";

/// What the command does besides answering: it keeps accounts, mends its answer when it is told that it was
/// wrong, and fails where a provider would. What it fails at costs nothing.
const SPOIL: &str = r#"
if "sym=tally.clamp" in prompt and blocks == []:
    sys.exit("the provider is out of order")
if "Your earlier answer was refused" in prompt:
    answer = answer.replace("    return n + 1\n", "    return (n + 1) % 256\n")
with open(PURCHASES, "a") as accounts:
    accounts.write(nonce + "\n")
"#;

/// Deletes the state folder of the sync that asks, the first time it is asked.
const DELETE_STATE: &str = r#"
import os, shutil
if not os.path.exists(PURCHASES + "-deleted"):
    open(PURCHASES + "-deleted", "w")
    shutil.rmtree(".tidelock")
"#;

/// What the upstream does, a revision each: what becomes of it, the text before and after.
const CHANGES: &[(&str, &str, &str)] = &[
    ("a rule lands it", "LIMIT: u32 = 10", "LIMIT: u32 = 12"),
    ("refused, then landed", "n.saturating_add(1)", "n.wrapping_add(1)"),
    ("absorbed", "Small sums.", "Small sums!"),
    ("parked", "    text.len()", "    text.chars().count()"),
    ("the provider fails", "if n > LIMIT { LIMIT } else { n }", "if n > 2 { n % 3 } else { n }"),
];

/// How much there is to sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// One of each that can become of a revision.
    Whole,
    /// One that is refused before it lands, and one that is parked because the provider fails.
    Small,
}

/// An upstream that moved on, and a port that has not followed yet.
pub(crate) fn scenario(size: Size) -> World {
    let world = World::new();
    for (what, before, after) in CHANGES {
        if size == Size::Whole || ["refused, then landed", "the provider fails"].contains(what) {
            world.upstream_changes(before, after, what);
        }
    }
    world
}

/// A copy of a world in which the sync has not begun, with a translator of its own.
pub(crate) struct Disturbed {
    pub(crate) world: World,
    /// Where the translator keeps accounts: not on the disk that may be full.
    accounts: TempDir,
    translator: String,
    /// How often a prompt stood without an answer when the process was killed, by nonce.
    excused: BTreeMap<String, usize>,
}

/// Something that happens to the database between two runs.
pub(crate) struct DatabaseDamage {
    pub(crate) name: &'static str,
    /// What does it, in Python; `DATABASE` stands for the file.
    script: &'static str,
    /// Part of what the next run says; empty where it goes on by itself.
    pub(crate) says: &'static str,
}

pub(crate) const DATABASE_DAMAGES: &[DatabaseDamage] = &[
    DatabaseDamage {
        name: "deleted",
        script: "import glob, os\nfor file in glob.glob('DATABASE*'): os.remove(file)",
        says: "",
    },
    DatabaseDamage {
        // With it go the mirror, what was built, and what was bought.
        name: "deleted_with_all_state",
        script: "import shutil\nshutil.rmtree('DATABASE'.removesuffix('/state.db'))",
        says: "",
    },
    DatabaseDamage {
        // Begun by an older Tidelock, whose events this one cannot read.
        name: "of_another_version",
        script: r#"import sqlite3
with sqlite3.connect('DATABASE') as found:
    found.execute('''UPDATE events SET event = replace(event, '"tidelock":"0.0.0"', '"tidelock":"older"') WHERE seq = 0''')
    found.execute('''UPDATE events SET event = '{"event":"pondered"}' WHERE seq = 1''')"#,
        says: "",
    },
    DatabaseDamage {
        // What had not been moved into the database itself is lost: the journal ends earlier than the port.
        name: "without_its_newest_events",
        script: "import glob, os\nfor file in glob.glob('DATABASE-*'): os.remove(file)",
        says: "",
    },
    DatabaseDamage {
        name: "emptied",
        script: "import glob, os\nfor file in glob.glob('DATABASE-*'): os.remove(file)\nopen('DATABASE', 'w')",
        says: "",
    },
    DatabaseDamage {
        name: "truncated",
        script: "import sqlite3, os\nsqlite3.connect('DATABASE').execute('PRAGMA wal_checkpoint(TRUNCATE)')\n\
                 os.truncate('DATABASE', os.path.getsize('DATABASE') // 2 // 4096 * 4096 + 100)",
        says: "move it away, only history is lost",
    },
    DatabaseDamage {
        name: "overwritten",
        script: "import glob, os\nfor file in glob.glob('DATABASE-*'): os.remove(file)\nopen('DATABASE', 'w').write('no database ' * 1000)",
        says: "move it away, only history is lost",
    },
    DatabaseDamage {
        name: "newer",
        script: "import sqlite3\nsqlite3.connect('DATABASE').execute('PRAGMA user_version = 99')",
        says: "update Tidelock, or move the file away",
    },
    DatabaseDamage {
        // Root may write to a file that is read-only, so the test cannot make one everywhere.
        name: "not_a_file",
        script: "import glob, os\nfor file in glob.glob('DATABASE*'): os.remove(file)\nos.mkdir('DATABASE')",
        says: "cannot use the database",
    },
];

/// What of a port may not be written any more.
pub(crate) struct ReadOnly {
    pub(crate) name: &'static str,
    /// Files and folders of the port, those that there are.
    paths: &'static [&'static str],
    /// Part of what the next run says.
    pub(crate) says: &'static str,
}

pub(crate) const READ_ONLY: &[ReadOnly] = &[
    ReadOnly {
        name: "database",
        paths: &[".tidelock/state.db", ".tidelock/state.db-wal", ".tidelock/state.db-shm"],
        says: "make it and its folder writable for this user",
    },
    ReadOnly { name: "state", paths: &[".tidelock"], says: "must be writable for this user" },
];

/// What must be the same however the sync was disturbed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The port's tree, the lock included.
    pub(crate) tree: String,
    /// Subject, body and trailers of each commit, oldest last, without the run's name.
    pub(crate) log: String,
    /// Each revision of the only run that did anything: its units, their attempts and outcomes.
    pub(crate) record: Value,
    /// What is not committed in the working tree.
    pub(crate) status: String,
    /// What is left of checkouts.
    pub(crate) leftovers: usize,
}

impl Disturbed {
    pub(crate) fn new(template: &World) -> Self {
        Self::with_translator(template, "")
    }

    /// A world whose translator deletes the state folder below the sync that asks it.
    pub(crate) fn losing_its_state(template: &World) -> Self {
        Self::with_translator(template, DELETE_STATE)
    }

    fn with_translator(template: &World, more: &str) -> Self {
        let world = template.copied();
        let accounts = tempfile::tempdir().unwrap();
        let purchases = accounts.path().join("purchases");
        std::fs::write(&purchases, "").unwrap();
        let purchases = format!("PURCHASES = {:?}{SPOIL}{more}", purchases.to_string_lossy());
        world.answering(&[("tally.bump", BUMP_WRONG), ("tally.width", WIDTH_WRONG)], &purchases);
        // Named from the port, so that what the lock says of it is the same in every world.
        let translator = "command:python3 ../answer.py".to_owned();
        Self { world, accounts, translator, excused: BTreeMap::new() }
    }

    pub(crate) fn invocation(&self) -> Invocation {
        self.world.invocation("port", &["sync", "--translator", &self.translator]).env("TIDELOCK_LOG", "warn")
    }

    /// Runs the sync, kills it after that many milliseconds, and says whether it was.
    pub(crate) fn killed_after(&mut self, timeout_ms: u64) -> bool {
        let limits = Limits { timeout_ms, ..Limits::default() };
        let finished = SystemProcessRunner::default().run(&self.invocation().limits(limits)).unwrap();
        let killed = finished.ending == Ending::TimedOut;
        if killed {
            self.excuse();
        } else {
            assert_done(&Ran { finished });
        }
        killed
    }

    /// Runs the sync up to a point, by name or number, at which it kills itself, and gives the point's name; `None`
    /// where it is done before.
    fn killed_at(&mut self, point: &str) -> Option<String> {
        let invocation = self.invocation().env("TIDELOCK_TEST_STOP_AT", point);
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        if finished.ending != Ending::Signalled(9) {
            assert_done(&Ran { finished });
            return None;
        }
        self.excuse();
        let said = String::from_utf8_lossy(&finished.stderr).into_owned();
        let name = said.split_once("point=\"").and_then(|(_, rest)| rest.split_once('"'));
        Some(name.unwrap_or_else(|| panic!("it does not say where it died:\n{said}")).0.to_owned())
    }

    /// Kills the sync before each effect, behind it, at the points within it and when its event is stored:
    /// each restart gets one point further. Gives the names of the points.
    pub(crate) fn killed_everywhere(&mut self) -> Vec<String> {
        let (mut passed, mut point): (Vec<String>, u64) = (Vec::new(), 1);
        while passed.last().is_none_or(|name| name != "finish: stored") {
            let name = self.killed_at(&point.to_string()).expect("it ends at a point");
            // A restart begins with the effect that is not stored yet, so behind a stored one counting begins
            // anew.
            point = if name.ends_with(": stored") { 1 } else { point + 1 };
            passed.push(name);
            assert!(passed.len() < POINTS_MAX, "it makes no progress: {passed:?}");
        }
        passed
    }

    /// Kills the sync where it first comes to a point.
    fn killed_first_at(&mut self, point: &str) {
        assert_eq!(self.killed_at(point).as_deref(), Some(point), "it comes there");
    }

    /// Kills the sync at random instants, and gives how often. Later ones come later, so that it gets through.
    pub(crate) fn killed_at_random(&mut self, random: &mut Random) -> usize {
        let mut longest_ms = 400;
        let mut kills = 0;
        while self.killed_after(random.below(longest_ms)) {
            kills += 1;
            longest_ms += longest_ms / 8;
        }
        kills
    }

    /// Kills the sync, does something to the database, sees what the next run says, and does what it was told.
    pub(crate) fn damaged(&mut self, damage: &DatabaseDamage) -> Result<String, String> {
        // Where it is to go on by itself, the journal knows less than the port.
        let goes_on = damage.says.is_empty();
        self.killed_first_at(if goes_on {
            "advance: the branch moved"
        } else {
            "attempt: the answer is recorded"
        });
        let state = self.world.path("port/.tidelock");
        let script = damage.script.replace("DATABASE", &state.join("state.db").to_string_lossy());
        let run = |program: &str, arguments: &[&str]| {
            let finished = SystemProcessRunner::default()
                .run(&Invocation::new(program, &state).args(arguments))
                .map_err(|error| error.to_string())?;
            if finished.succeeded() { Ok(()) } else { Err(finished.tail(5)) }
        };
        run("python3", &["-c", &script])?;
        let head = self.world.git("port", &["rev-parse", "HEAD"]);
        let ran = Ran {
            finished: SystemProcessRunner::default()
                .run(&self.invocation())
                .map_err(|error| error.to_string())?,
        };
        if damage.says.is_empty() {
            assert_done(&ran);
            return Ok(String::new());
        }
        if ran.code() != 1 || self.world.git("port", &["rev-parse", "HEAD"]) != head {
            return Err(format!("it went on without a database: {ran}"));
        }
        for file in ["state.db", "state.db-wal", "state.db-shm"] {
            let path = state.join(file);
            if path.is_dir() {
                std::fs::remove_dir(&path).map_err(|error| error.to_string())?;
            } else if path.exists() {
                std::fs::remove_file(&path).map_err(|error| error.to_string())?;
            }
        }
        Ok(ran.stderr().lines().last().unwrap_or_default().to_owned())
    }

    /// Runs the sync once, however it ends, but for a panic.
    pub(crate) fn run_once(&self) -> Result<Ran, String> {
        let ran = Ran { finished: SystemProcessRunner::default().run(&self.invocation()).unwrap() };
        if ran.stderr().contains("panicked") || !matches!(ran.code(), 0..=6) {
            Err(format!("{ran}"))
        } else {
            Ok(ran)
        }
    }

    /// Kills the sync, takes away the right to write to something, and sees what the next run says. With the right
    /// given back it goes on.
    pub(crate) fn refused_to_write(&mut self, what: &ReadOnly) -> Result<String, String> {
        self.killed_first_at("attempt: the answer is recorded");
        let head = self.world.git("port", &["rev-parse", "HEAD"]);
        let ran = self.read_only(what, &self.invocation());
        let report = self.read_only(what, &self.world.invocation("port", &["report", "--list"]));
        if ran.code() != 1 || self.world.git("port", &["rev-parse", "HEAD"]) != head {
            return Err(format!("it went on without a database: {ran}"));
        }
        if report.code() != 0 || !report.stdout().ends_with("  open\n") {
            return Err(format!("what may not be written may still be read: {report}"));
        }
        Ok(ran.stderr().lines().last().unwrap_or_default().to_owned())
    }

    /// Runs a command that may not write to something. Modes of files bind ordinary users, and mounts bind root.
    fn read_only(&self, what: &ReadOnly, command: &Invocation) -> Ran {
        let paths = what.paths.iter().map(|path| self.world.path("port").join(path));
        let paths: Vec<_> = paths.filter(|path| path.exists()).collect();
        let run =
            |command: &Invocation| Ran { finished: SystemProcessRunner::default().run(command).unwrap() };
        if is_root() {
            return run(&with_mounts(command, &read_only(&paths)));
        }
        let change = |mode: &str| {
            let modes = Invocation::new("chmod", "/").args(["-R", mode]).args(&paths);
            assert_eq!(run(&modes).code(), 0);
        };
        change("a-w");
        let ran = run(command);
        change("u+w");
        ran
    }

    /// Runs the sync until nothing is left to do.
    pub(crate) fn finish(&self) {
        for _ in 0..RESTARTS_MAX {
            let ran = Ran { finished: SystemProcessRunner::default().run(&self.invocation()).unwrap() };
            assert_done(&ran);
            if ran.code() == 3 {
                return;
            }
        }
        panic!("it does not end");
    }

    /// A prompt that was sent and whose answer was not on the disk yet has to be sent again: nobody can tell
    /// whether it was answered.
    fn excuse(&mut self) {
        for nonce in self.unanswered() {
            *self.excused.entry(nonce).or_default() += 1;
        }
    }

    fn unanswered(&self) -> Vec<String> {
        let Ok(runs) = std::fs::read_dir(self.world.path("port/.tidelock/exchanges")) else {
            return Vec::new();
        };
        let files = runs.flat_map(|run| std::fs::read_dir(run.unwrap().path()).unwrap());
        let prompts = files.map(|file| file.unwrap().path()).filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".prompt.json")
                && !std::path::Path::new(&name.replace(".prompt.json", ".answer.json")).exists()
        });
        let nonce = |path: std::path::PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            let (_, rest) = text.split_once("NONCE: ").unwrap();
            rest.chars().take_while(char::is_ascii_alphanumeric).collect()
        };
        prompts.map(nonce).collect()
    }

    /// How often each answer was bought.
    pub(crate) fn purchases(&self) -> BTreeMap<String, usize> {
        let mut bought = BTreeMap::new();
        let text = std::fs::read_to_string(self.accounts.path().join("purchases")).unwrap();
        for nonce in text.lines() {
            *bought.entry(nonce.to_owned()).or_default() += 1;
        }
        bought
    }

    /// Answers that were bought more often than in an undisturbed run: how many of them a kill in flight
    /// excuses, and how many nothing does. What a translator is told of a refusal comes from probes that each
    /// process seeds anew, so the prompts are counted and not compared.
    pub(crate) fn doubled(&self, undisturbed: &Self) -> (usize, usize) {
        let (expected, found) = (undisturbed.purchases(), self.purchases());
        let mut doubled = found.len().abs_diff(expected.len());
        let mut excused = 0;
        for (nonce, bought) in found {
            let more = bought - 1;
            let covered = more.min(self.excused.get(&nonce).copied().unwrap_or_default());
            excused += covered;
            doubled += more - covered;
        }
        (excused, doubled)
    }

    pub(crate) fn facts(&self) -> Facts {
        let world = &self.world;
        let log = world.git("port", &["log", "--format=%s%n%b"]);
        Facts {
            tree: world.git("port", &["rev-parse", "HEAD^{tree}"]),
            log: log.lines().filter(|line| !line.starts_with("Tidelock-Run")).collect::<Vec<_>>().join("\n"),
            record: self.record(),
            status: world.git("port", &["status", "--porcelain"]),
            leftovers: std::fs::read_dir(world.path("port/.tidelock/checkouts")).map_or(0, Iterator::count),
        }
    }

    /// What became of each revision of each run, in order: without times, commits (which hold a date) and
    /// counts of probes (which are seeded anew in each process).
    fn record(&self) -> Value {
        let runs = self.world.tidelock(&["report", "--list", "--format", "json"]).json();
        let mut names: Vec<&str> =
            runs.as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
        names.sort_unstable();
        let mut revisions = Vec::new();
        for name in names {
            let ran = self.world.tidelock(&["report", name, "--render", "json"]);
            if ran.stderr().contains("was written by Tidelock older") {
                continue;
            }
            let record = ran.json();
            revisions.extend(record["revisions"].as_array().unwrap().iter().map(revision));
        }
        revisions.into()
    }
}

fn revision(record: &Value) -> Value {
    let units: Vec<Value> = record["units"].as_array().unwrap().iter().map(unit).collect();
    let gates: Vec<Value> = record["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| json!([gate["gate"], gate["verdict"]]))
        .collect();
    json!({
        "label": record["label"], "disposition": record["disposition"], "units": units, "gates": gates,
        "landed": record["landed"].is_object() || record["landed"].is_string(),
    })
}

fn unit(record: &Value) -> Value {
    let attempts: Vec<Value> = record["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| {
            let findings = attempt["findings"].as_array().unwrap();
            let codes: Vec<&Value> = findings.iter().map(|finding| &finding["code"]).collect();
            json!([attempt["route"], attempt["verdict"], attempt["refused_at"], codes, attempt["diff"]])
        })
        .collect();
    json!({"unit": record["id"], "outcome": record["outcome"]["outcome"], "attempts": attempts})
}

/// It did its work (0), parked something (5), or found nothing to do (3).
fn assert_done(ran: &Ran) {
    assert!(matches!(ran.code(), 0 | 3 | 5), "{ran}");
}

/// Where two worlds differ, in words; empty where they are alike.
pub(crate) fn difference(expected: &Facts, found: &Facts) -> String {
    let show = |facts: &Facts| {
        format!(
            "tree {}status {:?}\nleftovers {}\n{}\n{:#}",
            facts.tree, facts.status, facts.leftovers, facts.log, facts.record
        )
    };
    if expected == found {
        return String::new();
    }
    let (expected, found) = (show(expected), show(found));
    let only = |one: &str, other: &str, mark: &str| {
        let lines: Vec<&str> = other.lines().collect();
        let differing: Vec<&str> = one.lines().filter(|line| !lines.contains(line)).take(12).collect();
        differing.iter().flat_map(|line| [mark, line, "\n"]).collect::<String>()
    };
    only(&expected, &found, "- ") + &only(&found, &expected, "+ ")
}

/// Numbers that look random and are the same for the same seed (`SplitMix64`).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
