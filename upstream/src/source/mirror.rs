//! The local bare mirror of an upstream: polled where there is a network, read where there is none.
//!
//! The main type is [`Mirror`]. Its folder is a bare git repository with one small file beside it. The mirror
//! owns that folder: it refuses one that it did not make, and writes to no other.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::address::{holds_secret, without_userinfo};
use super::state::{MirrorState, Seen};
use super::{
    Follow, Glance, Poll, RegistryEnvironment, SourceError, SourceProgress, SourceSpec, git, refs, registry,
};
use crate::clock::{Clock, SystemClock};
use crate::ids::{CommitId, RevisionLabel};
use crate::process::{ProcessRunner, SystemProcessRunner};
use crate::repo::{UpstreamRepo, begins_with, whole_message};
use crate::revision::Revision;

const LOCK_FILE_NAME: &str = "tidelock-source.lock";
/// How often a mirror that another process polls is looked at.
const LOCK_LOOK_EVERY: Duration = Duration::from_millis(50);

/// The longest that things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLimits {
    /// To list a remote's references, in milliseconds.
    pub listing_ms: u64,
    /// To fetch, in milliseconds.
    pub fetch_ms: u64,
    /// That a server may be silent, in milliseconds.
    pub silence_ms: u64,
    /// That another process which polls the same mirror is waited for, in milliseconds.
    pub lock_ms: u64,
}

impl Default for SourceLimits {
    fn default() -> Self {
        let minute = 60 * 1000;
        Self { listing_ms: 2 * minute, fetch_ms: 60 * minute, silence_ms: minute, lock_ms: 10 * minute }
    }
}

/// What a mirror needs of the machine.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Runs the `git` command where gix does not speak a URL's protocol.
    pub processes: Arc<dyn ProcessRunner>,
    /// Where Cargo's configuration is. Relative paths of git sources start from its working directory.
    pub registry: RegistryEnvironment,
}

impl Surroundings {
    /// The real machine, seen from a folder.
    pub fn system(working_directory: impl Into<PathBuf>) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            processes: Arc::new(SystemProcessRunner::default()),
            registry: RegistryEnvironment { cargo_home: None, working_directory: working_directory.into() },
        }
    }
}

/// The local bare mirror of an upstream.
#[derive(Debug)]
pub struct Mirror {
    source: SourceSpec,
    directory: PathBuf,
    surroundings: Surroundings,
    limits: SourceLimits,
    repo: UpstreamRepo,
}

impl Mirror {
    /// Opens the mirror in a folder, or makes one in a new or empty folder.
    pub fn open(
        source: SourceSpec,
        directory: &Path,
        surroundings: Surroundings,
    ) -> Result<Self, SourceError> {
        if let SourceSpec::Git { url, .. } = &source
            && holds_secret(url)
        {
            return Err(SourceError::CredentialsInAddress { source_name: without_userinfo(url) });
        }
        let failed = |source| SourceError::Io { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        let directory = fs::canonicalize(directory).map_err(failed)?;
        if MirrorState::read(&directory, &source)?.is_none() {
            if fs::read_dir(&directory).map_err(failed)?.next().is_some() {
                return Err(SourceError::NotThisMirror {
                    path: directory,
                    expected: source.to_string(),
                    reason: "it holds files that no mirror made".to_owned(),
                });
            }
            // The state comes first: a folder with a repository but without it is never taken for ours.
            MirrorState::new(source.clone()).write(&directory)?;
        }
        let broken = |reason| SourceError::BrokenMirror { path: directory.clone(), reason };
        if !directory.join("HEAD").exists() {
            create_bare(&directory)?;
        }
        let repo = UpstreamRepo::open_mirror(&directory).map_err(|error| broken(error.to_string()))?;
        Ok(Self { source, directory, surroundings, limits: SourceLimits::default(), repo })
    }

    /// The same mirror with other bounds.
    #[must_use]
    pub fn with_limits(self, limits: SourceLimits) -> Self {
        Self { limits, ..self }
    }

    /// Asks whether there is anything new, and nothing more: costs what `git ls-remote` costs.
    ///
    /// Nothing is fetched and nothing is written, so it needs no lock.
    pub fn look(&self, progress: &dyn SourceProgress, interrupt: &AtomicBool) -> Result<Glance, SourceError> {
        let state = self.state()?;
        let changed = match &self.source {
            SourceSpec::Git { url, follow, history } => {
                let asked = git::Asked { url, follow, history: *history, progress, interrupt };
                let listing = git::look(self, &state, &asked)?;
                state.seen.as_ref().is_none_or(|seen| seen.listing != listing)
            }
            SourceSpec::Registry { krate, pre_releases } => {
                let asked =
                    registry::Asked { krate, pre_releases: *pre_releases, since: None, progress, interrupt };
                registry::look(self, &state, &asked)? || state.seen.is_none()
            }
        };
        let (newest, notices) = state.seen.map(|seen| (seen.newest, seen.notices)).unwrap_or_default();
        Ok(Glance { changed, newest, notices })
    }

    /// Brings what is new, and says what that is.
    ///
    /// `since` is the revision that the port equals. Of a registry, releases before it are known by name
    /// only until somebody asks for them with [`ensure`](Self::ensure).
    pub fn poll(
        &self,
        since: Option<&RevisionLabel>,
        progress: &dyn SourceProgress,
        interrupt: &AtomicBool,
    ) -> Result<Poll, SourceError> {
        let _lock = self.lock(progress, interrupt)?;
        let mut state = self.state()?;
        stop_if(interrupt)?;
        let (notices, listing) = match &self.source {
            SourceSpec::Git { url, follow, history } => {
                let asked = git::Asked { url, follow, history: *history, progress, interrupt };
                let polled = git::poll(self, &mut state, &asked)?;
                (polled.notices, polled.listing)
            }
            SourceSpec::Registry { krate, pre_releases } => {
                let asked =
                    registry::Asked { krate, pre_releases: *pre_releases, since, progress, interrupt };
                (registry::poll(self, &mut state, &asked)?, String::new())
            }
        };
        let revisions = self.known(&state)?;
        let newest = revisions.iter().rfind(|revision| !revision.withdrawn);
        state.seen = Some(Seen {
            listing,
            newest: newest.map(|revision| (revision.label.clone(), revision.commit.clone())),
            notices: notices.iter().map(ToString::to_string).collect(),
        });
        state.last_poll_s = Some(self.surroundings.clock.now_ms().div_euclid(1000));
        state.write(&self.directory)?;

        let first = match since {
            Some(since) => self.position(&revisions, &state, since)?,
            None => 0,
        };
        let is_since = |revision: &Revision| since.is_some_and(|since| is_named(revision, since));
        let from_since = revisions.into_iter().skip(first);
        let (withdrawn, current): (Vec<_>, Vec<_>) = from_since.partition(|revision| revision.withdrawn);
        Ok(Poll { new: current.into_iter().filter(|at| !is_since(at)).collect(), withdrawn, notices })
    }

    /// All revisions that the mirror holds, oldest first, withdrawn ones among them. Needs no network.
    pub fn revisions(&self) -> Result<Vec<Revision>, SourceError> {
        self.known(&self.state()?)
    }

    /// The releases that are known by name but were not downloaded, oldest first; none of a git repository.
    pub fn not_downloaded(&self) -> Result<Vec<RevisionLabel>, SourceError> {
        match &self.source {
            SourceSpec::Registry { .. } => registry::not_downloaded(self, &self.state()?),
            SourceSpec::Git { .. } => Ok(Vec::new()),
        }
    }

    /// Makes sure that the mirror holds a revision, and downloads it where it must.
    pub fn ensure(
        &self,
        label: &RevisionLabel,
        progress: &dyn SourceProgress,
        interrupt: &AtomicBool,
    ) -> Result<Revision, SourceError> {
        match &self.source {
            SourceSpec::Registry { krate, .. } => {
                let _lock = self.lock(progress, interrupt)?;
                let asked =
                    registry::Asked { krate, pre_releases: true, since: Some(label), progress, interrupt };
                registry::ensure(self, &self.state()?, label, &asked)
            }
            SourceSpec::Git { .. } => {
                let mut revision = self.repo.resolve(label.as_str())?;
                revision.withdrawn =
                    self.state()?.deleted_tags.iter().any(|tag| tag == revision.label.as_str());
                Ok(revision)
            }
        }
    }

    /// Lets the mirror follow a branch that was rewritten upstream to the commit that the last poll saw there.
    ///
    /// This is a person's decision: the revisions that the upstream threw away leave the history. Their
    /// objects stay readable.
    pub fn accept_rewrite(&self, has: &CommitId) -> Result<(), SourceError> {
        let _lock = self.lock(&(), &AtomicBool::new(false))?;
        match &self.source {
            SourceSpec::Git { follow: Follow::Branch(_) | Follow::DefaultBranch, .. } => {
                let mut state = self.state()?;
                git::accept_rewrite(self, &state, has)?;
                state.seen = None;
                state.write(&self.directory)
            }
            SourceSpec::Git { follow: Follow::Tags { .. }, .. } | SourceSpec::Registry { .. } => {
                Err(SourceError::NothingToAccept { commit: has.to_string() })
            }
        }
    }

    /// Lets the mirror follow another default branch from where the former one is.
    ///
    /// This is a person's decision. Where the branch does not continue that history, the next poll says that
    /// it was rewritten, and follows it no further until that is accepted too.
    pub fn accept_default_branch(&self, branch: &str) -> Result<(), SourceError> {
        let _lock = self.lock(&(), &AtomicBool::new(false))?;
        match &self.source {
            SourceSpec::Git { follow: Follow::DefaultBranch, .. } => {
                let mut state = self.state()?;
                git::accept_default_branch(self, &mut state, branch)?;
                state.seen = None;
                state.write(&self.directory)
            }
            SourceSpec::Git { follow: Follow::Branch(_) | Follow::Tags { .. }, .. }
            | SourceSpec::Registry { .. } => Err(SourceError::NothingToAccept { commit: branch.to_owned() }),
        }
    }

    /// The history and the files.
    pub fn repo(&self) -> &UpstreamRepo {
        &self.repo
    }

    /// What is mirrored.
    pub fn source(&self) -> &SourceSpec {
        &self.source
    }

    /// The mirror's folder.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// When the source last answered, in seconds since the Unix epoch.
    pub fn last_poll_s(&self) -> Result<Option<i64>, SourceError> {
        Ok(self.state()?.last_poll_s)
    }

    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    pub(super) fn limits(&self) -> SourceLimits {
        self.limits
    }

    pub(super) fn unknown_revision(&self, label: &RevisionLabel) -> SourceError {
        SourceError::UnknownRevision { source_name: self.source.to_string(), label: label.to_string() }
    }

    fn state(&self) -> Result<MirrorState, SourceError> {
        MirrorState::read(&self.directory, &self.source)?.ok_or_else(|| SourceError::BrokenMirror {
            path: self.directory.clone(),
            reason: "its state file is gone".to_owned(),
        })
    }

    /// Keeps other processes from polling until it is dropped. One that polls already is waited for.
    fn lock(&self, progress: &dyn SourceProgress, interrupt: &AtomicBool) -> Result<PollLock, SourceError> {
        let path = self.directory.join(LOCK_FILE_NAME);
        let failed = |source| SourceError::Io { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        let clock = &self.surroundings.clock;
        let until_ms = clock.now_ms().saturating_add_unsigned(self.limits.lock_ms);
        let mut is_told = false;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    let lock = PollLock(file);
                    refs::remove_stale_locks(&self.directory)?;
                    return Ok(lock);
                }
                Err(TryLockError::WouldBlock) if clock.now_ms() < until_ms => {
                    if !is_told {
                        progress.waiting(&self.source.to_string());
                    }
                    is_told = true;
                    stop_if(interrupt)?;
                    clock.sleep(LOCK_LOOK_EVERY);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(SourceError::Busy { path: self.directory.clone() });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    fn known(&self, state: &MirrorState) -> Result<Vec<Revision>, SourceError> {
        match &self.source {
            SourceSpec::Git { follow, history, .. } => git::revisions(self, state, follow, *history),
            SourceSpec::Registry { krate: _, pre_releases } => {
                registry::revisions(self, state, *pre_releases)
            }
        }
    }

    /// The place of `since` among the revisions, or of the first revision behind it.
    fn position(
        &self,
        revisions: &[Revision],
        state: &MirrorState,
        since: &RevisionLabel,
    ) -> Result<usize, SourceError> {
        if let SourceSpec::Registry { .. } = &self.source {
            return registry::position(state, revisions, since).ok_or_else(|| self.unknown_revision(since));
        }
        if let Some(at) = revisions.iter().position(|revision| is_named(revision, since)) {
            return Ok(at);
        }
        git::position_of_lost(self, revisions, since)?.ok_or_else(|| self.unknown_revision(since))
    }
}

/// Whether a label means a revision: a commit gets another label when it is tagged later.
fn is_named(revision: &Revision, label: &RevisionLabel) -> bool {
    &revision.label == label || begins_with(&revision.commit, label.as_str())
}

/// The right to write to a mirror.
struct PollLock(File);

impl Drop for PollLock {
    fn drop(&mut self) {
        // Closing alone is not enough: a child that another thread is just starting has the file open too.
        drop(self.0.unlock());
    }
}

/// Makes the bare repository in a folder that holds the state file already.
///
/// gix makes one only in an empty folder, so it is made beside and moved in. `HEAD` comes last: a folder
/// without it is begun again after a crash.
fn create_bare(directory: &Path) -> Result<(), SourceError> {
    let failed = |source| SourceError::Io { path: directory.to_owned(), source };
    let beside = tempfile::tempdir_in(directory).map_err(failed)?;
    gix::create::into(beside.path(), gix::create::Kind::Bare, gix::create::Options::default()).map_err(
        |error| SourceError::BrokenMirror { path: directory.to_owned(), reason: whole_message(&error) },
    )?;
    let mut names = Vec::new();
    for entry in fs::read_dir(beside.path()).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name());
    }
    names.sort_by_key(|name| name == "HEAD");
    for name in names {
        let target = directory.join(&name);
        if !target.exists() {
            fs::rename(beside.path().join(&name), target).map_err(failed)?;
        }
    }
    Ok(())
}

/// Ends what goes on where we were told to stop.
pub(super) fn stop_if(interrupt: &AtomicBool) -> Result<(), SourceError> {
    if interrupt.load(Ordering::Relaxed) { Err(SourceError::Interrupted) } else { Ok(()) }
}
