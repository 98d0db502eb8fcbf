//! Everything that is opened to work on one port: its repository, its upstream's mirror, its language.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use mappings::decision::{Day, day_at};
use mappings::{Holds, Lock, PortUses, SymbolTable};
use port::language::Python;
use port::language::python::{Interpreter, InterpreterError, Sought};
use port::repo::{BranchHead, LockCache, PortRepo, RepoError, SymbolCache, UsesCache};
use upstream::history::{Stood, standing};
use upstream::process::ProcessRunner;
use upstream::snapshot::{Changed, OutlineCache, SnapshotReader, read_changed};
use upstream::source::{
    Glance, Mirror, Notice, Poll, RegistryEnvironment, SourceError, SourceProgress, SourceSpec, Surroundings,
};
use upstream::tree::{SourceTree, TreeEntry};
use upstream::{Clock, CommitId, ContentHash, Item, ItemPath, Revision, RevisionLabel, Snapshot, TreeId};

use crate::config::{Settings, env};
use crate::labels::Labels;
use crate::progress::{Listener, Progress};
use crate::provisioned::Provisioned;

/// The name of the lock in the port.
pub const LOCK_NAME: &str = "tidelock.lock";

/// How many symbol tables are kept: a candidate, the port before it, and some way back.
const SYMBOL_TABLES_MAX: usize = 8;

/// How many snapshots are kept: the baseline, the revision at work, and some that links lag at.
const SNAPSHOTS_MAX: usize = 8;

/// The machine, as the program sees it.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Runs processes.
    pub runner: Arc<dyn ProcessRunner>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Set from outside to stop what is running.
    pub interrupt: Arc<AtomicBool>,
    /// Set from outside to end a run once the current effect is carried out.
    pub stop: Arc<AtomicBool>,
    /// Hears what happens.
    pub listener: Arc<dyn Listener>,
    /// This program itself, which confines others.
    pub program: PathBuf,
}

/// What keeps a port from being worked on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The port's repository.
    #[error(transparent)]
    Port(#[from] RepoError),
    /// The port's interpreter.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// The upstream.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The state folder.
    #[error("cannot use the state folder `{path}`: {source}")]
    State {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing is checked out and no branch is configured.
    #[error("no branch is checked out in the port, and `branch` in `[port]` names none")]
    NoBranch,
    /// The port has no lock.
    #[error("there is no `{LOCK_NAME}` on the branch `{branch}`")]
    NoLock {
        /// The branch.
        branch: String,
    },
    /// The lock cannot be read.
    #[error("`{LOCK_NAME}`: {0}")]
    Lock(#[from] mappings::lock::LockError),
    /// The lock is of another upstream.
    #[error("`{LOCK_NAME}` is of `{locked}`, and the configuration follows `{configured}`")]
    OtherSource {
        /// The lock's.
        locked: String,
        /// The configuration's.
        configured: String,
    },
    /// There is no such revision.
    #[error("the upstream has no revision `{label}`")]
    UnknownRevision {
        /// What was asked for.
        label: String,
    },
    /// A decision names a revision that there is not.
    #[error(transparent)]
    Decision(#[from] mappings::decision::UnknownRevision),
    /// The revision cannot be read.
    #[error("cannot read the upstream at `{label}`: {reason}")]
    Unreadable {
        /// Which revision.
        label: RevisionLabel,
        /// Why.
        reason: String,
    },
}

/// One port, opened.
#[derive(Debug)]
pub struct Session {
    /// How it is configured.
    pub settings: Settings,
    /// The machine.
    pub machine: Machine,
    /// The upstream's mirror.
    pub mirror: Mirror,
    /// The port's repository.
    pub port: PortRepo,
    /// The branch that work lands on.
    pub branch: String,
    /// The port's language.
    pub language: Python,
    interpreter: Sought,
    /// What was installed for it.
    pub(crate) provisioned: Provisioned,
    snapshots: Mutex<Snapshots>,
    /// What earlier runs read of the port's files, where that can be kept.
    symbol_cache: Mutex<Option<SymbolCache>>,
    /// A lock that stands in for the one in a tree.
    stand_in: Mutex<Option<(TreeId, Arc<Lock>)>>,
    /// The lock that was asked for last; revisions are called as it does.
    last_lock: Mutex<Option<(TreeId, Arc<Lock>)>>,
    /// The labels of the lock that was read last.
    labels: Mutex<Labels>,
    /// All revisions as of the last poll, under those labels.
    known: Mutex<Option<Arc<Vec<Revision>>>>,
    /// The upstream's file that was read last, by commit and path.
    last_file: Mutex<Option<LastFile>>,
    /// The trees of the port that were looked at last, oldest first.
    ported: Mutex<VecDeque<(TreeId, Ported)>>,
    /// One that another thread reads.
    ahead: Mutex<Option<(TreeId, mpsc::Receiver<Ported>)>>,
}

/// The symbols of a tree of the port, and who uses whom among them.
#[derive(Debug, Clone)]
struct Ported {
    symbols: Arc<SymbolTable>,
    uses: Arc<PortUses>,
}

#[derive(Debug)]
struct LastFile {
    commit: CommitId,
    path: String,
    text: Arc<str>,
}

#[derive(Debug)]
struct Snapshots {
    reader: SnapshotReader,
    /// Those that were asked for last, the last one at the end.
    known: VecDeque<Arc<Snapshot>>,
}

impl Snapshots {
    /// With what earlier runs parsed. Without a cache, which a full disk or another user's file may keep away,
    /// everything is parsed again.
    fn in_state(state: &Path) -> Self {
        let cache = OutlineCache::open(&state.join("cache").join("outlines.sqlite")).ok();
        let reader = cache.map_or_else(SnapshotReader::default, SnapshotReader::with_cache);
        Self { reader, known: VecDeque::new() }
    }
}

impl Session {
    /// Opens the port that the settings describe, to work on it.
    pub fn open(settings: Settings, machine: Machine) -> Result<Self, SessionError> {
        let session = Self::open_to_look(settings, machine)?;
        session.interpreter()?;
        Ok(session)
    }

    /// Opens it for who only looks, and may not need its interpreter.
    pub fn open_to_look(settings: Settings, machine: Machine) -> Result<Self, SessionError> {
        let port = PortRepo::open(&settings.root)?;
        let branch = branch_of(&settings, &port)?;
        let interpreter = Sought::new(settings.environment.interpreter.as_deref());
        let mirror = open_mirror(&settings, &machine)?;
        let settings = on_day(settings, day_at(machine.clock.now_ms()));
        Ok(Self {
            language: Python::new(&settings.source_root, interpreter.clone()),
            snapshots: Mutex::new(Snapshots::in_state(&settings.state)),
            symbol_cache: Mutex::new(symbol_cache(&settings)),
            settings,
            machine,
            mirror,
            port,
            branch,
            interpreter,
            provisioned: Provisioned::default(),
            stand_in: Mutex::default(),
            last_lock: Mutex::default(),
            labels: Mutex::default(),
            known: Mutex::default(),
            last_file: Mutex::default(),
            ported: Mutex::default(),
            ahead: Mutex::default(),
        })
    }

    /// The port's interpreter, without what it needs installed.
    pub fn interpreter(&self) -> Result<&Interpreter, InterpreterError> {
        self.interpreter.get(&*self.machine.runner)
    }

    /// Where the port's branch stands.
    pub fn head(&self) -> Result<BranchHead, SessionError> {
        Ok(self.port.head(&self.branch)?)
    }

    /// The lock in a tree of the port.
    pub fn lock(&self, tree: &TreeId) -> Result<Arc<Lock>, SessionError> {
        let mut last = self.last_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, lock)) = last.as_ref().filter(|(of, _)| of == tree) {
            return Ok(Arc::clone(lock));
        }
        let stand_in = self.stand_in.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lock = match stand_in {
            Some((of, lock)) if of == *tree => lock,
            Some(_) | None => Arc::new(lock_in(&self.settings, &self.port, &self.branch, tree)?),
        };
        *last = Some((tree.clone(), Arc::clone(&lock)));
        *self.labels.lock().unwrap_or_else(PoisonError::into_inner) = Labels::of(&lock);
        self.forget_revisions();
        Ok(lock)
    }

    /// Lets a lock of the port's history stand in for the one in a tree.
    pub fn take_up(&self, tree: &TreeId, lock: Lock) {
        *self.stand_in.lock().unwrap_or_else(PoisonError::into_inner) = Some((tree.clone(), Arc::new(lock)));
        *self.last_lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All revisions that the mirror holds, oldest first, under the labels of the lock that was read last.
    pub fn revisions(&self) -> Result<Arc<Vec<Revision>>, SessionError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }
        let labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        let revisions = Arc::new(labels.applied(self.mirror.revisions()?));
        *known = Some(Arc::clone(&revisions));
        Ok(revisions)
    }

    fn forget_revisions(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The symbols of a tree of the port, without those of the runtime module.
    pub fn symbols(&self, tree: &TreeId) -> Result<Arc<SymbolTable>, SessionError> {
        Ok(self.ported(tree)?.symbols)
    }

    /// Who uses whom among the symbols of a tree of the port.
    pub fn uses(&self, tree: &TreeId) -> Result<Arc<PortUses>, SessionError> {
        Ok(self.ported(tree)?.uses)
    }

    fn ported(&self, tree: &TreeId) -> Result<Ported, SessionError> {
        let mut known = self.ported.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, ported)) = known.iter().find(|(of, _)| of == tree) {
            return Ok(ported.clone());
        }
        let ported = if let Some(ported) = self.read_ahead(tree) {
            ported
        } else {
            let cache = self.symbol_cache.lock().unwrap_or_else(PoisonError::into_inner);
            let own = self.own_runtime_file(tree);
            read_symbols(&self.port, &self.language, cache.as_ref(), tree, own.as_deref())?
        };
        if known.len() >= SYMBOL_TABLES_MAX {
            known.pop_front();
        }
        known.push_back((tree.clone(), ported.clone()));
        Ok(ported)
    }

    /// Begins to read the symbols of a tree on another thread, and to find out who uses whom, for whoever asks for them
    /// soon. What goes wrong with that is told to them.
    pub fn read_symbols_ahead(&self, tree: &TreeId) {
        let (sender, receiver) = mpsc::channel();
        let (settings, language, wanted) = (self.settings.clone(), self.language.clone(), tree.clone());
        let own = self.own_runtime_file(tree);
        std::thread::spawn(move || {
            let Ok(port) = PortRepo::open(&settings.root) else { return };
            let cache = symbol_cache(&settings);
            let ported = read_symbols(&port, &language, cache.as_ref(), &wanted, own.as_deref());
            if let Ok(ported) = ported
                && sender.send(ported.clone()).is_ok()
            {
                let key = UsesCache::key(&language, &settings.source_root, &wanted, own.as_deref());
                find_uses(&settings, &ported, &key);
            }
        });
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some((tree.clone(), receiver));
    }

    fn read_ahead(&self, tree: &TreeId) -> Option<Ported> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, ported) = ahead.take_if(|(of, _)| of == tree)?;
        ported.recv().ok()
    }

    /// The runtime module is Tidelock's: it answers to no item, and is nobody's extension.
    fn own_runtime_file(&self, tree: &TreeId) -> Option<String> {
        self.runtime_state(tree).filter(|(_, state)| state.is_own()).map(|(file, _)| file)
    }

    /// A file of a tree of the port, where it is text.
    pub fn port_text(&self, tree: &TreeId, file: &str) -> Option<String> {
        self.port.read(tree, file).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok())
    }

    /// Asks the upstream what is new behind a revision.
    pub fn poll(&self, since: Option<&RevisionLabel>) -> Result<Poll, SessionError> {
        let hearing = Hearing { listener: &*self.machine.listener };
        // A label that the lock recorded may mean nothing to the upstream any more; its commit does.
        let commit = since.and_then(|since| self.recorded_commit(since));
        let since = commit.as_ref().or(since);
        let poll = self.mirror.poll(since, &hearing, &self.machine.interrupt)?;
        self.forget_revisions();
        for notice in &poll.notices {
            self.machine.listener.tell(Progress::Notice { code: notice.code(), text: told(notice) });
        }
        Ok(poll)
    }

    /// A revision by what people call it: a label, or the beginning of a commit id.
    pub fn revision(&self, text: &str) -> Result<Revision, SessionError> {
        let known = self.revisions()?;
        let by_label = known.iter().find(|revision| revision.label.as_str() == text);
        let by_commit = || {
            let mut found =
                known.iter().filter(|revision| text.len() >= 4 && revision.commit.as_str().starts_with(text));
            found.next().filter(|_only| found.next().is_none())
        };
        if let Some(revision) = by_label.or_else(by_commit) {
            return Ok(revision.clone());
        }
        // A release that is known by name may not have been downloaded yet.
        let unknown = || SessionError::UnknownRevision { label: text.to_owned() };
        let label = RevisionLabel::new(text).map_err(|_invalid| unknown())?;
        let hearing = Hearing { listener: &*self.machine.listener };
        // What the lock recorded may have left the upstream's history, and its objects are here still.
        if let Some(commit) = self.recorded_commit(&label) {
            let revision = self.mirror.ensure(&commit, &hearing, &self.machine.interrupt)?;
            return Ok(Revision { label, ..revision });
        }
        Ok(self.mirror.ensure(&label, &hearing, &self.machine.interrupt)?)
    }

    /// The commit that the lock recorded under a label, where the upstream is one that knows commits.
    fn recorded_commit(&self, label: &RevisionLabel) -> Option<RevisionLabel> {
        let SourceSpec::Git { .. } = &self.settings.source else { return None };
        let labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        labels.commit(label.as_str()).and_then(|commit| RevisionLabel::new(commit.as_str()).ok())
    }

    /// What people decided to leave alone, at a time in milliseconds since the Unix epoch.
    pub fn holds(&self, at_ms: i64) -> Result<Holds, SessionError> {
        Ok(self.settings.decisions.on(day_at(at_ms), &self.revisions()?)?)
    }

    /// The upstream at a revision.
    pub fn snapshot(&self, revision: &Revision) -> Result<Arc<Snapshot>, SessionError> {
        let mut snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |known: &Arc<Snapshot>| known.revision == *revision;
        if let Some(at) = snapshots.known.iter().position(is_it)
            && let Some(known) = snapshots.known.remove(at)
        {
            snapshots.known.push_back(Arc::clone(&known));
            return Ok(known);
        }
        let unreadable = |reason: String| SessionError::Unreadable { label: revision.label.clone(), reason };
        let tree =
            self.mirror.repo().tree(&revision.commit).map_err(|error| unreadable(error.to_string()))?;
        let read = snapshots.reader.read(&tree, revision).map_err(|error| unreadable(error.to_string()))?;
        let snapshot = Arc::new(read);
        if snapshots.known.len() >= SNAPSHOTS_MAX {
            snapshots.known.pop_front();
        }
        snapshots.known.push_back(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// The upstream at two revisions, as far as they may differ, and the crates that are asked for besides; `None` where
    /// nothing less than the whole will do. `reached` is as for [`upstream::snapshot::read_changed`].
    pub fn changed(
        &self,
        before: &Revision,
        after: &Revision,
        also: &BTreeSet<String>,
        reached: &BTreeMap<String, BTreeSet<String>>,
    ) -> Result<Option<Changed>, SessionError> {
        let mut snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let unreadable = |revision: &Revision| {
            let label = revision.label.clone();
            move |reason: String| SessionError::Unreadable { label, reason }
        };
        let tree = |revision: &Revision| {
            let tree = self.mirror.repo().tree(&revision.commit);
            tree.map_err(|error| unreadable(revision)(error.to_string()))
        };
        let (old, new) = (tree(before)?, tree(after)?);
        read_changed(&mut snapshots.reader, (&old, before), (&new, after), also, reached)
            .map_err(|error| unreadable(after)(error.to_string()))
    }

    /// For each: whether it is plain that an item stood at a revision as it is given, in the same file. That is told from
    /// the files alone: `false` says nothing.
    pub fn stood(&self, asked: &[(&RevisionLabel, &Item)]) -> Vec<bool> {
        let known = self.revisions().unwrap_or_default();
        let commits: BTreeMap<&RevisionLabel, &CommitId> =
            known.iter().map(|revision| (&revision.label, &revision.commit)).collect();
        let questions = asked.iter().map(|(label, item)| Some(Stood { commit: commits.get(label)?, item }));
        let questions: Vec<Option<Stood<'_>>> = questions.collect();
        let known: Vec<Stood<'_>> = questions.iter().flatten().copied().collect();
        let mut answers = standing(self.mirror.repo(), &known).into_iter();
        questions.iter().map(|question| question.is_some() && answers.next().unwrap_or_default()).collect()
    }

    /// A file of the upstream at a revision. The last one is kept: files are asked for again and again.
    pub(crate) fn file_at(&self, label: &RevisionLabel, file: &str) -> Option<Arc<str>> {
        let revision = self.revision(label.as_str()).ok()?;
        let mut last = self.last_file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && known.commit == revision.commit
            && known.path == file
        {
            return Some(Arc::clone(&known.text));
        }
        let bytes = self.mirror.repo().tree(&revision.commit).ok()?.read(file).ok()??;
        let text: Arc<str> = String::from_utf8(bytes).ok()?.into();
        *last = Some(LastFile { commit: revision.commit, path: file.to_owned(), text: Arc::clone(&text) });
        Some(text)
    }

    /// An item as it was at a revision, where both are there.
    pub fn item_at(&self, label: &RevisionLabel, item: &ItemPath) -> Option<Item> {
        let revision = self.revision(label.as_str()).ok()?;
        self.snapshot(&revision).ok()?.items.get(item).cloned()
    }

    /// Whether the mirror holds a commit, be it in the history that is followed or no longer.
    pub fn was_fetched(&self, commit: &CommitId) -> bool {
        self.mirror.repo().tree(commit).is_ok()
    }

    /// The files that differ between two trees of the port.
    pub fn changed_files(&self, before: &TreeId, after: &TreeId) -> Result<Vec<String>, SessionError> {
        let by_path = |files: Vec<TreeEntry>| -> BTreeMap<String, String> {
            files.into_iter().map(|entry| (entry.path, entry.id)).collect()
        };
        let (before, after) = (by_path(self.port.files(before)?), by_path(self.port.files(after)?));
        let mut changed: Vec<String> = before
            .keys()
            .chain(after.keys())
            .filter(|path| before.get(*path) != after.get(*path))
            .cloned()
            .collect();
        changed.sort();
        changed.dedup();
        Ok(changed)
    }
}

/// The settings as they hold on a day. A rule that ended makes them other settings: what was begun with the rule is not
/// continued without it.
fn on_day(mut settings: Settings, today: Day) -> Settings {
    settings.mapping = settings.mapping.on(today);
    let ended = settings.mapping.ended();
    if !ended.is_empty() {
        let rules = ended.iter().map(|ended| ended.rule.to_string());
        settings.digest = ContentHash::of_parts([settings.digest.to_string()].into_iter().chain(rules));
    }
    settings
}

/// Opens the upstream's mirror alone, which is all that a look at the upstream needs.
pub fn open_mirror(settings: &Settings, machine: &Machine) -> Result<Mirror, SessionError> {
    prepare_state(&settings.state)?;
    Ok(Mirror::open(
        settings.source.clone(),
        &settings.state.join("mirrors").join(ContentHash::of(settings.source.to_string()).short()),
        Surroundings {
            clock: Arc::clone(&machine.clock),
            processes: Arc::clone(&machine.runner),
            registry: RegistryEnvironment {
                cargo_home: env::folder("CARGO_HOME"),
                working_directory: settings.root.clone(),
            },
        },
    )?)
}

/// What a look without fetching found: where the port stands, and what the upstream has.
#[derive(Debug)]
pub struct Looked {
    /// The port's branch.
    pub head: BranchHead,
    /// Its lock.
    pub lock: Lock,
    /// The upstream.
    pub glance: Glance,
}

/// Asks only whether there is anything new: nothing is fetched, and of the port its lock alone is read.
pub fn look(settings: &Settings, machine: &Machine) -> Result<Looked, SessionError> {
    let port = PortRepo::open(&settings.root)?;
    let branch = branch_of(settings, &port)?;
    let head = port.head(&branch)?;
    let lock = lock_in(settings, &port, &branch, &head.tree)?;
    let mirror = open_mirror(settings, machine)?;
    let glance = mirror.look(&(), &machine.interrupt)?;
    Ok(Looked { head, lock, glance })
}

/// What earlier runs read of locks, where that can be kept.
fn lock_cache(settings: &Settings) -> Option<LockCache> {
    LockCache::open(&settings.state.join("cache/locks.sqlite")).ok()
}

/// What earlier runs read of the port's files, where that can be kept.
fn symbol_cache(settings: &Settings) -> Option<SymbolCache> {
    SymbolCache::open(&settings.state.join("cache/symbols.sqlite")).ok()
}

fn read_symbols(
    port: &PortRepo,
    language: &Python,
    cache: Option<&SymbolCache>,
    tree: &TreeId,
    left_out: Option<&str>,
) -> Result<Ported, RepoError> {
    let mut table = match cache {
        Some(cache) => port.symbol_table_cached(tree, language, cache)?,
        None => port.symbol_table(tree, language, &|_every_source_file| true)?,
    };
    if let Some(file) = left_out {
        table.symbols.retain(|_, symbol| symbol.file != file);
    }
    Ok(Ported { symbols: Arc::new(table), uses: Arc::default() })
}

/// From how many symbols on it is kept who uses whom among them.
const USES_KEPT_MIN_SYMBOLS: usize = 5_000;

/// Finds out who uses whom, or takes it from an earlier run. In a small port it is found out sooner than a database is
/// opened.
fn find_uses(settings: &Settings, ported: &Ported, key: &str) {
    let Ported { symbols, uses } = ported;
    let is_large = symbols.symbols.len() >= USES_KEPT_MIN_SYMBOLS;
    let cache = is_large.then(|| UsesCache::open(&settings.state.join("cache/uses.sqlite")).ok()).flatten();
    let known = cache.as_ref().and_then(|cache| cache.get(key));
    let is_known = known.is_some();
    let found = uses.among_known(symbols, known);
    if let Some(cache) = cache.filter(|_| !is_known) {
        cache.keep(key, &found.places());
    }
}

/// From how many bytes on a lock is kept as it was read.
const LOCK_KEPT_MIN_BYTES: usize = 1 << 20;

/// The branch of the port that work lands on.
pub fn branch_of(settings: &Settings, port: &PortRepo) -> Result<String, SessionError> {
    match &settings.branch {
        Some(branch) => Ok(branch.clone()),
        None => port.checked_out_branch()?.ok_or(SessionError::NoBranch),
    }
}

/// The lock on a branch of the port, where it is of the upstream that the settings follow.
pub fn lock_in(
    settings: &Settings,
    port: &PortRepo,
    branch: &str,
    tree: &TreeId,
) -> Result<Lock, SessionError> {
    let none = || SessionError::NoLock { branch: branch.to_owned() };
    let read = || -> Result<Lock, SessionError> {
        let bytes = port.read(tree, LOCK_NAME)?.ok_or_else(none)?;
        Ok(Lock::parse(&String::from_utf8_lossy(&bytes))?)
    };
    let (id, bytes) = port.content_size(tree, LOCK_NAME)?.ok_or_else(none)?;
    // A short lock is read sooner than a database is opened, and who only looks leaves no trace of it.
    let lock = if bytes < LOCK_KEPT_MIN_BYTES {
        read()?
    } else {
        let cache = prepare_state(&settings.state).ok().and_then(|()| lock_cache(settings));
        if let Some(known) = cache.as_ref().and_then(|cache| cache.get(&id)) {
            known
        } else {
            let read = read()?;
            if let Some(cache) = cache {
                cache.keep(&id, &read);
            }
            read
        }
    };
    let configured = settings.source.to_string();
    if lock.source != configured {
        return Err(SessionError::OtherSource { locked: lock.source, configured });
    }
    Ok(lock)
}

/// A notice, with what to write to go on.
fn told(notice: &Notice) -> String {
    match notice {
        Notice::BranchRewritten { has, .. } => {
            format!("{notice}. To follow it: `tidelock sync --accept {has}`")
        }
        Notice::DefaultBranchChanged { has, .. } => {
            format!("{notice}. To follow it: `tidelock sync --accept {has}`")
        }
        Notice::BranchDeleted { .. } => {
            format!(
                "{notice}. To follow another: write its name as `branch` in `[upstream]`, and the new `source` into `tidelock.lock`"
            )
        }
        Notice::TagMoved { .. }
        | Notice::TagDeleted { .. }
        | Notice::ReleaseReplaced { .. }
        | Notice::ReleaseDeleted { .. }
        | Notice::WithdrawnReleaseUnavailable { .. } => notice.to_string(),
    }
}

fn prepare_state(state: &Path) -> Result<(), SessionError> {
    let failed = |source| SessionError::State { path: state.to_owned(), source };
    std::fs::create_dir_all(state).map_err(failed)?;
    let ignore = state.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(&ignore, "*\n").map_err(failed)?;
    }
    Ok(())
}

/// Hands what a poll is at on to the listener.
struct Hearing<'a> {
    listener: &'a dyn Listener,
}

impl SourceProgress for Hearing<'_> {
    fn asking(&self, source: &str) {
        self.listener.tell(Progress::Busy { what: format!("asking {source} what is new") });
    }

    fn fetching(&self, source: &str) {
        self.listener.tell(Progress::Busy { what: format!("fetching from {source}") });
    }

    fn received(&self, source: &str, bytes: u64) {
        self.listener.tell(Progress::Step { what: format!("{} MiB from {source}", bytes >> 20) });
    }

    fn waiting(&self, _source: &str) {
        self.listener
            .tell(Progress::Busy { what: "waiting for another process that asks the upstream".to_owned() });
    }

    fn downloading(&self, label: &RevisionLabel, nth: usize, of: usize) {
        self.listener.tell(Progress::Busy { what: format!("downloading {label} ({nth} of {of})") });
    }
}
