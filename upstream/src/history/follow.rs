//! Files followed through a window of revisions, and what each revision did put together again.
//!
//! Main function: [`rows`]. Three steps: the trees of all revisions are compared; each changed file is followed
//! from its newest version to its oldest; the findings are gathered by revision.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use gix::objs::tree::EntryKind;

use super::class::{Classed, class_of};
use super::dependencies::{self, Manifest};
use super::in_parallel;
use super::place::{Names, Place, Target, place};
use super::relocate::{Open, join};
use super::row::{ChangeKind, HistoryChange, RowChanges};
use super::tree_diff::{FileDelta, Side, TreeDiff, compare as compare_trees};
use super::walk::Step;
use crate::diff::{Aspects, DependencyChange, FileChange, FileChangeKind};
use crate::ids::ItemPath;
use crate::repo::{ObjectReader, Packs, RepoError, UpstreamRepo, whole_message};
use crate::scan::compare::{LocalChange, Sides, Version, compare};
use crate::scan::{Scan, scan};
use crate::snapshot::{ItemKind, UnparsedFile};

/// The largest file that is read as Rust.
const SOURCE_BYTES_MAX: usize = 4 << 20;
/// Revisions whose trees one thread compares before it asks for more.
const TREES_AT_ONCE: usize = 16;

/// What each of these revisions did, in their order.
pub(super) fn rows(
    repo: &UpstreamRepo,
    steps: &[&Step],
    workers: usize,
) -> Result<Vec<RowChanges>, RepoError> {
    let packs = Packs::open(repo);
    let mut deltas = tree_diffs(repo, &packs, steps, workers)?;
    let mut files: BTreeMap<String, Vec<(usize, FileDelta)>> = BTreeMap::new();
    for (at, diff) in deltas.iter_mut().enumerate() {
        for delta in std::mem::take(&mut diff.files) {
            files.entry(delta.path.clone()).or_default().push((at, delta));
        }
    }
    let mut gathered: Vec<Gathered> = deltas.into_iter().map(Gathered::begin).collect();
    for (at, finding) in follow_all(repo, &packs, files.into_values().collect(), workers) {
        if let Some(gathered) = gathered.get_mut(at) {
            gathered.add(finding);
        }
    }
    Ok(gathered.into_iter().map(Gathered::row).collect())
}

fn tree_diffs(
    repo: &UpstreamRepo,
    packs: &Packs,
    steps: &[&Step],
    workers: usize,
) -> Result<Vec<TreeDiff>, RepoError> {
    let numbered: Vec<(usize, &&Step)> = steps.iter().enumerate().collect();
    let found = in_parallel((repo, packs), workers, (&numbered, TREES_AT_ONCE), |objects, (at, step)| {
        vec![(*at, tree_diff(objects, step))]
    });
    BTreeMap::from_iter(found).into_values().collect()
}

/// The files that a revision changed: against its parent, or, of a merge, against every parent.
fn tree_diff(objects: &mut ObjectReader, step: &Step) -> Result<TreeDiff, RepoError> {
    let tree = |objects: &ObjectReader, id: gix::ObjectId| {
        let missing = |error: &dyn std::error::Error| RepoError::MissingObject {
            id: id.to_string(),
            reason: whole_message(error),
        };
        let commit = objects.repo().find_commit(id).map_err(|error| missing(&error))?;
        commit.tree_id().map(gix::Id::detach).map_err(|error| missing(&error))
    };
    let after = tree(objects, step.id)?;
    let Some((first, others)) = step.parents.split_first() else {
        return Ok(compare_trees(objects, None, after));
    };
    let before = tree(objects, *first)?;
    let mut diff = compare_trees(objects, Some(before), after);
    for other in others {
        if diff.files.is_empty() {
            break;
        }
        let before = tree(objects, *other)?;
        let against = compare_trees(objects, Some(before), after).files;
        diff.files.retain(|file| against.binary_search_by(|it| it.path.cmp(&file.path)).is_ok());
    }
    Ok(diff)
}

/// What was found about one file in one revision.
#[derive(Default)]
struct Finding {
    items: Vec<(Open, bool)>,
    file: Option<(FileChange, bool)>,
    dependencies: Vec<DependencyChange>,
    unparsed: Option<UnparsedFile>,
}

/// Follows every file; the findings come with the number of their revision, in no order.
fn follow_all(
    repo: &UpstreamRepo,
    packs: &Packs,
    mut files: Vec<Vec<(usize, FileDelta)>>,
    workers: usize,
) -> Vec<(usize, Finding)> {
    // The longest first, so that no thread is left with one at the end.
    files.sort_by_key(|versions| std::cmp::Reverse(versions.len()));
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut reader = Reader::new(ObjectReader::new(repo, packs));
                let mut own = Vec::new();
                while let Some(versions) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    reader.follow(versions, &mut own);
                }
                lock(&found).append(&mut own);
            });
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A version of a source file, or why it cannot be read.
type Loaded = Result<(Rc<Vec<u8>>, Scan), String>;

/// What was read last, under the id of its content.
type Kept<T> = Option<(gix::ObjectId, Rc<T>)>;

/// A content, or why it cannot be read.
type Bytes = Result<Rc<Vec<u8>>, String>;
/// Dependencies that changed, or why they cannot be told.
type Told = Result<Vec<DependencyChange>, String>;

/// The version of a file that was read last: the next older one is compared with it.
#[derive(Default)]
struct Last {
    source: Kept<Loaded>,
    manifest: Kept<Result<Manifest, String>>,
    lock: Kept<Bytes>,
}

/// Reads contents for one thread.
struct Reader {
    objects: ObjectReader,
    names: HashMap<gix::ObjectId, Names>,
}

impl Reader {
    fn new(objects: ObjectReader) -> Self {
        Self { objects, names: HashMap::new() }
    }

    /// Follows one file, newest version first.
    fn follow(&mut self, versions: &[(usize, FileDelta)], found: &mut Vec<(usize, Finding)>) {
        let mut last = Last::default();
        for (at, delta) in versions {
            let finding = if is_source(delta) {
                self.source(delta, &mut last.source)
            } else {
                self.other(delta, &mut last)
            };
            found.push((*at, finding));
        }
    }

    fn source(&mut self, delta: &FileDelta, last: &mut Kept<Loaded>) -> Finding {
        let names = delta.package.as_ref().map(|package| package.manifest).map(|id| self.names(id));
        let names = names.unwrap_or_default();
        let Some(place) = place(&delta.path, delta.package.as_deref(), &names) else {
            return Finding { file: Some((file_change(delta), false)), ..Finding::default() };
        };
        let after = delta.after.map(|side| self.load(side.id, last));
        let before = delta.before.map(|side| self.load(side.id, last));
        let trouble =
            [&before, &after].into_iter().flatten().find_map(|loaded| loaded.as_ref().as_ref().err());
        if let Some(reason) = trouble {
            return Finding {
                file: Some((file_change(delta), !place.is_test && place.target != Target::Example)),
                unparsed: Some(UnparsedFile { file: delta.path.clone(), reason: reason.clone() }),
                ..Finding::default()
            };
        }
        let changes = compare(as_version(before.as_deref()), as_version(after.as_deref()));
        let items = changes.into_iter().filter_map(|change| placed(change, &place, &delta.path)).collect();
        Finding { items, ..Finding::default() }
    }

    /// A content with its items; the one that was read last is at hand.
    fn load(&mut self, id: gix::ObjectId, last: &mut Kept<Loaded>) -> Rc<Loaded> {
        at_hand(id, last, || self.objects.read(id).and_then(scanned))
    }

    fn names(&mut self, manifest: gix::ObjectId) -> Names {
        if let Some(names) = self.names.get(&manifest) {
            return names.clone();
        }
        let names = self.objects.read(manifest).map(|bytes| Names::read(&bytes)).unwrap_or_default();
        self.names.insert(manifest, names.clone());
        names
    }

    /// A file that holds no Rust.
    fn other(&mut self, delta: &FileDelta, last: &mut Last) -> Finding {
        let (folder, name) = delta.path.rsplit_once('/').unwrap_or(("", &delta.path));
        let in_sources = delta.package.as_ref().is_some_and(|package| {
            let inside = delta.path.strip_prefix(package.folder.as_str()).unwrap_or_default();
            inside.trim_start_matches('/').starts_with("src/")
        });
        let are_files = [delta.before, delta.after].into_iter().flatten().all(|side| is_blob(side.kind));
        let told = match name {
            "Cargo.toml" if are_files => self.manifests(delta, folder, &mut last.manifest),
            "Cargo.lock" if are_files => self.locks(delta, &mut last.lock),
            _ => Ok(Vec::new()),
        };
        let (dependencies, unparsed) = match told {
            Ok(dependencies) => (dependencies, None),
            Err(reason) => (Vec::new(), Some(UnparsedFile { file: delta.path.clone(), reason })),
        };
        Finding { items: Vec::new(), file: Some((file_change(delta), in_sources)), dependencies, unparsed }
    }

    fn manifests(
        &mut self,
        delta: &FileDelta,
        folder: &str,
        last: &mut Kept<Result<Manifest, String>>,
    ) -> Told {
        let invalid = || "it is not a valid manifest".to_owned();
        let mut read = |side: Option<Side>| {
            let mut read = |id| Manifest::new(&self.objects.read(id)?, folder).ok_or_else(invalid);
            side.map(|side| at_hand(side.id, last, || read(side.id)))
        };
        let (after, before) = (read(delta.after), read(delta.before));
        dependencies::of_manifests(readable(before.as_deref())?, readable(after.as_deref())?)
            .ok_or_else(invalid)
    }

    fn locks(&mut self, delta: &FileDelta, last: &mut Kept<Bytes>) -> Told {
        let (after, before) = (self.bytes(delta.after, last), self.bytes(delta.before, last));
        let (before, after) = (readable(before.as_deref())?, readable(after.as_deref())?);
        Ok(dependencies::of_locks(before.map(|it| it.as_slice()), after.map(|it| it.as_slice())))
    }

    fn bytes(&mut self, side: Option<Side>, last: &mut Kept<Bytes>) -> Option<Rc<Bytes>> {
        side.map(|side| at_hand(side.id, last, || self.objects.read(side.id)))
    }
}

/// What was read last, where it is this content; what `read` gives otherwise, which is then the last.
fn at_hand<T>(id: gix::ObjectId, last: &mut Kept<T>, read: impl FnOnce() -> T) -> Rc<T> {
    if let Some((known, value)) = last
        && *known == id
    {
        return Rc::clone(value);
    }
    let value = Rc::new(read());
    *last = Some((id, Rc::clone(&value)));
    value
}

/// One side of a file: absent, read, or the reason why it cannot be.
fn readable<T>(loaded: Option<&Result<T, String>>) -> Result<Option<&T>, String> {
    loaded.map(|loaded| loaded.as_ref().map_err(String::clone)).transpose()
}

fn as_version(loaded: Option<&Loaded>) -> Option<Version<'_>> {
    let (text, scan) = loaded?.as_ref().ok()?;
    Some(Version { text, scan })
}

fn scanned(text: Rc<Vec<u8>>) -> Loaded {
    if text.len() > SOURCE_BYTES_MAX {
        return Err(format!("it has {} bytes, more than {SOURCE_BYTES_MAX}", text.len()));
    }
    if std::str::from_utf8(&text).is_err() {
        return Err("it is not UTF-8".to_owned());
    }
    let mut scan = scan(&text);
    match scan.trouble.take() {
        Some(trouble) => Err(trouble),
        None => Ok((text, scan)),
    }
}

fn is_blob(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable)
}

fn is_source(delta: &FileDelta) -> bool {
    let is_rust = delta.path.rsplit_once('.').is_some_and(|(_, end)| end == "rs");
    is_rust && [delta.before, delta.after].into_iter().flatten().all(|side| is_blob(side.kind))
}

fn file_change(delta: &FileDelta) -> FileChange {
    let kind = match (delta.before, delta.after) {
        (None, _) => FileChangeKind::Added,
        (Some(_), None) => FileChangeKind::Removed,
        (Some(_), Some(_)) => FileChangeKind::Modified,
    };
    FileChange { file: delta.path.clone(), kind }
}

/// A change inside a file as one inside the repository.
fn placed(change: LocalChange, place: &Place, file: &str) -> Option<(Open, bool)> {
    let path = if change.path.is_empty() {
        place.module.clone()
    } else {
        format!("{}::{}", place.module, change.path)
    };
    let (kind, aspects) = match &change.sides {
        Sides::Before(_) => (ChangeKind::Removed, Aspects::default()),
        Sides::After(_) => (ChangeKind::Added, Aspects::default()),
        Sides::Both(aspects) => (ChangeKind::Modified, *aspects),
    };
    let public = place.target == Target::Library && change.is_open && !place.is_test && !change.is_test;
    let change_here = HistoryChange {
        path: ItemPath::new(path).ok()?,
        kind: change.kind,
        change: kind,
        from: None,
        aspects,
        file: file.to_owned(),
        test: place.is_test || change.is_test,
        public,
        became_public: change.opened.filter(|_| public),
    };
    let by_place = !place.is_root && !change.is_test;
    let is_file = change.path.is_empty();
    Some((Open { change: change_here, sides: change.sides, is_file }, by_place))
}

/// Everything about one revision.
struct Gathered {
    items: Vec<(Open, bool)>,
    files: Vec<(FileChange, bool)>,
    dependencies: Vec<DependencyChange>,
    unparsed: Vec<UnparsedFile>,
    not_searched: Option<String>,
}

impl Gathered {
    fn begin(diff: TreeDiff) -> Self {
        let unread = diff.unread.into_iter().map(|(file, reason)| UnparsedFile { file, reason });
        let not_searched = diff.truncated.then(|| "more changed files than are listed".to_owned());
        Self {
            items: Vec::new(),
            files: Vec::new(),
            dependencies: Vec::new(),
            unparsed: unread.collect(),
            not_searched,
        }
    }

    fn add(&mut self, finding: Finding) {
        self.items.extend(finding.items);
        self.files.extend(finding.file);
        self.dependencies.extend(finding.dependencies);
        self.unparsed.extend(finding.unparsed);
    }

    fn row(mut self) -> RowChanges {
        let certain: std::collections::BTreeSet<(ItemPath, String)> = self
            .items
            .iter()
            .filter(|(_, by_place)| !by_place)
            .map(|(open, _)| (open.change.path.clone(), open.change.file.clone()))
            .collect();
        // Threads find in any order; what they found has one.
        self.items.sort_by(|(one, _), (other, _)| order(&one.change).cmp(&order(&other.change)));
        let open = declared_once(self.items.into_iter().map(|(open, _)| open).collect());
        let (mut items, not_searched) = join(open);
        items.sort_by(|one, other| order(one).cmp(&order(other)));
        self.files.sort_by(|one, other| one.0.file.cmp(&other.0.file));
        self.unparsed.sort_by(|one, other| one.file.cmp(&other.file));
        self.dependencies
            .sort_by(|one, other| (&one.package, &one.dependency).cmp(&(&other.package, &other.dependency)));
        let classed = items.iter().map(|change| Classed {
            change,
            by_place: !certain.contains(&(change.path.clone(), change.file.clone())),
        });
        let (class, confidence) =
            class_of(classed, &self.files, &self.dependencies, !self.unparsed.is_empty());
        RowChanges {
            class,
            confidence,
            items,
            files: self.files.into_iter().map(|(file, _)| file).collect(),
            dependencies: self.dependencies,
            unparsed: self.unparsed,
            not_searched: self.not_searched.or(not_searched),
        }
    }
}

/// A module in a file of its own is told by its declaration and by its file: here the two become one. The
/// changes are sorted by path.
fn declared_once(open: Vec<Open>) -> Vec<Open> {
    let mut once: Vec<Open> = Vec::new();
    for next in open {
        // Something else of the same name may stand between the two.
        let other_half = |last: &Open| last.change.kind == ItemKind::Module && last.is_file != next.is_file;
        let same_path = once.iter().rev().take_while(|last| last.change.path == next.change.path).count();
        let at = (once.len() - same_path..once.len())
            .find(|at| next.change.kind == ItemKind::Module && once.get(*at).is_some_and(other_half));
        match at {
            Some(at) => {
                let last = once.remove(at);
                let (file, declaration) = if next.is_file { (next, last) } else { (last, next) };
                once.push(as_one(file, declaration));
            }
            None => once.push(next),
        }
    }
    once
}

fn as_one(mut file: Open, mut declaration: Open) -> Open {
    let public = file.change.public && declaration.change.public;
    if let (Sides::Both(in_file), Sides::Both(before_it)) = (&file.sides, &declaration.sides) {
        let both = Aspects {
            signature: in_file.signature || before_it.signature,
            body: in_file.body || before_it.body,
            docs: in_file.docs || before_it.docs,
            attributes: in_file.attributes || before_it.attributes,
            visibility: in_file.visibility || before_it.visibility,
        };
        file.change.aspects = both;
        file.change.public |= declaration.change.public;
        file.change.became_public = declaration.change.became_public.or(file.change.became_public);
        file.sides = Sides::Both(both);
        return file;
    }
    // A file that was there and is now declared, or no longer, enters or leaves the crate.
    if matches!(file.sides, Sides::Both(_)) {
        declaration.change.public = public;
        return declaration;
    }
    file.change.public = public;
    file
}

fn order(change: &HistoryChange) -> (&ItemPath, &str, ItemKind, ChangeKind) {
    (&change.path, &change.file, change.kind, change.change)
}
