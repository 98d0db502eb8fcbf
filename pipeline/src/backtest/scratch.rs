//! A copy of the port as it was, in which a case is replayed: a repository with that one commit and nothing that came
//! after it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mappings::lock::{Adopted, Adoption, adopt};
use port::confinement::Confinement;
use upstream::ContentHash;
use upstream::process::Invocation;

use super::case::Case;
use crate::config::{self, CONFIG_NAME, ChainSettings, LandMode, Settings};
use crate::driver::prove;
use crate::session::{LOCK_NAME, Machine, Session};

/// The branch of the copy.
const BRANCH: &str = "backtest";

/// The port that is replayed, as all its cases see it.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Its repository.
    pub(crate) root: PathBuf,
    /// Its state folder, whose mirrors are read.
    pub(crate) state: PathBuf,
    /// Its configuration today, for commits that have none.
    pub(crate) config: String,
}

/// The scratch copy of one case with one chain.
pub(crate) struct Scratch<'a> {
    pub(crate) folder: PathBuf,
    pub(crate) origin: &'a Origin,
    pub(crate) machine: &'a Machine,
}

impl Scratch<'_> {
    fn port(&self) -> PathBuf {
        self.folder.join("port")
    }

    /// The state folder of the copy.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Makes the copy, or finds the one that an earlier invocation made. What was built for other cases is lent to it
    /// from `cache`: a cache that two use at a time would be written by both.
    pub(crate) fn prepare(
        &self,
        case: &Case,
        confinement: &dyn Confinement,
        chain: &Applied<'_>,
        cache: &Path,
    ) -> Result<Session> {
        let port = self.port();
        let is_made = port.exists();
        if !is_made {
            self.clear()?;
        }
        lend(cache, &self.cache());
        if is_made {
            // What a killed process left half-way; nobody works here but the engine.
            self.git(&port, &["reset", "--quiet", "--hard"])?;
        } else {
            self.make(case, confinement, chain)?;
        }
        self.open(&port, chain)
    }

    /// Gives back what was lent, with what was built since.
    pub(crate) fn give_back(&self, cache: &Path) {
        lend(&self.cache(), cache);
    }

    fn cache(&self) -> PathBuf {
        self.state().join("cache")
    }

    /// Removes what an invocation left that was killed while it made the copy.
    fn clear(&self) -> Result<()> {
        for left in [self.making(), self.state()] {
            if left.exists() {
                std::fs::remove_dir_all(&left)
                    .with_context(|| format!("cannot remove `{}`", left.display()))?;
            }
        }
        std::fs::create_dir_all(self.state()).context("cannot make a state folder")?;
        Ok(())
    }

    fn making(&self) -> PathBuf {
        self.folder.join("making")
    }

    fn make(&self, case: &Case, confinement: &dyn Confinement, chain: &Applied<'_>) -> Result<()> {
        let making = self.making();
        std::fs::create_dir_all(&making).with_context(|| format!("cannot make `{}`", making.display()))?;
        // Read, and fetched into under the mirror's own lock.
        let mirrors = self.origin.state.join("mirrors");
        std::os::unix::fs::symlink(&mirrors, self.state().join("mirrors"))?;
        self.git(&making, &["init", "--quiet", "--template=", &format!("--initial-branch={BRANCH}")])?;
        self.fetch(&making, &case.port)?;
        // A commit of its own without a past: what a translator can find in the repository is this tree.
        let tree = format!("{}^{{tree}}", case.port);
        let commit = self.git(&making, &["commit-tree", &tree, "-m", "The port as it was"])?;
        self.git(&making, &["reset", "--quiet", "--hard", commit.trim()])?;
        for trace in ["shallow", "FETCH_HEAD", "ORIG_HEAD"] {
            let path = making.join(".git").join(trace);
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        if !making.join(CONFIG_NAME).exists() {
            std::fs::write(making.join(CONFIG_NAME), &self.origin.config)?;
        }
        if !making.join(LOCK_NAME).exists() {
            self.adopt(&making, case, confinement, chain)?;
        }
        self.git(&making, &["add", "--force", CONFIG_NAME, LOCK_NAME])?;
        self.git(&making, &["commit", "--quiet", "--allow-empty", "--no-verify", "-m", "What it equals"])?;
        std::fs::rename(&making, self.port())?;
        Ok(())
    }

    /// Locks a port that had no lock to what it is said to equal, and proves that.
    fn adopt(
        &self,
        at: &Path,
        case: &Case,
        confinement: &dyn Confinement,
        chain: &Applied<'_>,
    ) -> Result<()> {
        self.git(at, &["add", "--force", CONFIG_NAME])?;
        self.git(at, &["commit", "--quiet", "--allow-empty", "--no-verify", "-m", "Configured"])?;
        let session = self.open(at, chain)?;
        let head = session.head()?;
        let baseline = session.snapshot(&session.revision(&case.before)?)?;
        let symbols = session.symbols(&head.tree)?;
        let Adopted { mut lock, unlinked: _ } = adopt(&Adoption {
            source: &session.settings.source.to_string(),
            baseline: &baseline,
            mapping: &session.settings.mapping,
            symbols: &symbols,
        })?;
        let evidence = prove(&session, confinement, &lock, &head.tree, &baseline)?;
        if evidence.disagrees() {
            bail!("the port does not equal {}: {}", case.before, evidence.may_be_told().join("; "));
        }
        for (item, proof) in &evidence.proofs {
            if let Some(link) = lock.links.get_mut(item) {
                link.proof = *proof;
            }
        }
        std::fs::write(at.join(LOCK_NAME), lock.render())?;
        Ok(())
    }

    /// Brings one commit of the port, and nothing that it leads to.
    pub(crate) fn fetch(&self, into: &Path, commit: &str) -> Result<()> {
        let from = OsString::from(&self.origin.root);
        let arguments =
            ["fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head"].map(OsString::from);
        self.git_with(into, arguments.into_iter().chain([from, commit.into()])).map(drop)
    }

    /// Brings the real answer into a copy whose run is over.
    pub(crate) fn fetch_answer(&self, commit: &str) -> Result<()> {
        self.fetch(&self.port(), commit)
    }

    fn open(&self, at: &Path, chain: &Applied<'_>) -> Result<Session> {
        let path = at.join(CONFIG_NAME);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let mut settings = config::read(&path, &text, Some(self.state()))?;
        chain.apply(&mut settings);
        Ok(Session::open(settings, self.machine.clone())?)
    }

    fn git(&self, at: &Path, arguments: &[&str]) -> Result<String> {
        self.git_with(at, arguments.iter().map(OsString::from))
    }

    /// Runs git as nobody in particular, at no particular time.
    fn git_with(&self, at: &Path, arguments: impl Iterator<Item = OsString>) -> Result<String> {
        let configured = [
            "user.name=Tidelock",
            "user.email=tidelock@localhost",
            "commit.gpgSign=false",
            "core.autocrlf=false",
            "core.hooksPath=/dev/null",
            "protocol.version=2",
            "gc.auto=0",
            "advice.detachedHead=false",
        ];
        let configured = configured.iter().flat_map(|value| ["-c".into(), OsString::from(value)]);
        let invocation = Invocation::new("git", at)
            .args(configured.chain(arguments))
            .inherit(&["HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"])
            .env("GIT_AUTHOR_DATE", "2000-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2000-01-01T00:00:00Z");
        let finished = self.machine.runner.run(&invocation).context("a backtest needs git")?;
        if finished.succeeded() {
            return Ok(String::from_utf8_lossy(&finished.stdout).into_owned());
        }
        bail!("git failed in `{}`: {}", at.display(), finished.tail(5))
    }
}

/// Moves what is cached to where nothing is. What cannot be moved is made again: that costs time alone.
fn lend(from: &Path, to: &Path) {
    if !from.is_dir() || to.exists() {
        return;
    }
    let moved = to.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::rename(from, to));
    if let Err(error) = moved {
        tracing::debug!(%error, from = %from.display(), to = %to.display(), "a cache stays where it is");
    }
}

/// A chain as it is put into the configuration of a past commit.
pub(crate) struct Applied<'a> {
    pub(crate) chain: &'a ChainSettings,
    /// Whether the memory that the port had then is used where the chain names none.
    pub(crate) with_memory: bool,
    /// What tells the run from others: one that was begun for something else is not continued.
    pub(crate) digest: ContentHash,
}

impl Applied<'_> {
    fn apply(&self, settings: &mut Settings) {
        let ChainSettings { chain, at_once_max, best_of, budget, memory, style, prompts } = self.chain;
        settings.chain.clone_from(chain);
        settings.at_once_max = *at_once_max;
        settings.best_of = *best_of;
        settings.budget.clone_from(budget);
        settings.style.clone_from(style);
        settings.prompts.clone_from(prompts);
        match memory {
            Some(folders) => settings.memory.clone_from(folders),
            None if self.with_memory => {}
            // What landed then may be in it.
            None => settings.memory.clear(),
        }
        settings.branch = Some(BRANCH.to_owned());
        settings.land = LandMode::Branch;
        settings.forge = None;
        settings.digest = self.digest;
    }
}
