//! A revision's files to a [`Snapshot`]: walks each target's modules and gives every item its path.
//!
//! Main function: [`read`]. [`SnapshotReader`] does the same for one revision after another and parses no
//! content twice. A file that cannot be read is reported in the snapshot and never ends the walk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cache::OutlineCache;
use super::declared::{Stands, bare};
use super::manifest::{CrateKind, CrateRoot, Packages, grounds, packages};
use super::module_files::{FilePlace, files_of};
use super::outline::{Declaration, ModuleFacts, Outline, OutlineItem, module_item, outline};
use super::reachable::{Exports, mark_exported};
use super::sources::Sources;
use super::syntax;
use super::{Item, Snapshot, UnparsedFile, Visibility};
use crate::ids::{ContentHash, ItemPath};
use crate::revision::Revision;
use crate::tree::{SourceTree, TreeError};

/// The deepest nesting of module files.
const MODULE_DEPTH_MAX: usize = 64;
/// The most module files of one revision; a file that several targets hold counts for each.
const MODULES_MAX: usize = 100_000;
/// The most items of one revision.
const ITEMS_MAX: usize = 2_000_000;

/// The files of a revision could not be listed or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot take a snapshot of `{revision}`: {source}")]
pub struct SnapshotError {
    /// The label of the revision.
    pub revision: String,
    /// What could not be read.
    #[source]
    pub source: TreeError,
}

/// Takes a snapshot of one revision.
pub fn read(tree: &dyn SourceTree, revision: &Revision) -> Result<Snapshot, SnapshotError> {
    SnapshotReader::default().read(tree, revision)
}

/// Takes snapshots of one revision after another. What the last one parsed is kept, by the id of the content, and its
/// packages, by what they follow from.
#[derive(Debug, Default)]
pub struct SnapshotReader {
    outlines: BTreeMap<(String, String), Arc<Outline>>,
    packages: Option<(ContentHash, Packages)>,
    cache: Option<OutlineCache>,
}

impl SnapshotReader {
    /// A reader that also takes what earlier runs parsed from a cache, and keeps there what it parses itself.
    pub fn with_cache(cache: OutlineCache) -> Self {
        Self { cache: Some(cache), ..Self::default() }
    }

    /// Takes a snapshot; contents that were in the last one are not parsed again.
    pub fn read(&mut self, tree: &dyn SourceTree, revision: &Revision) -> Result<Snapshot, SnapshotError> {
        self.walk(tree, revision)
            .map_err(|source| SnapshotError { revision: revision.label.to_string(), source })
    }

    fn walk(&mut self, tree: &dyn SourceTree, revision: &Revision) -> Result<Snapshot, TreeError> {
        let sources = Sources::list(tree)?;
        let found = self.packages(&sources)?;
        self.walk_targets(&sources, found, revision, &|_every_target| true)
    }

    /// The packages of a revision; mostly they are those of the last one.
    pub(super) fn packages(&mut self, sources: &Sources<'_>) -> Result<Packages, TreeError> {
        let grounds = grounds(sources);
        if let Some((_, known)) = self.packages.as_ref().filter(|(of, _)| *of == grounds) {
            return Ok(known.clone());
        }
        let found = packages(sources)?;
        self.packages = Some((grounds, found.clone()));
        Ok(found)
    }

    /// Walks those targets that are wanted, of packages that were found in these sources.
    pub(super) fn walk_targets(
        &mut self,
        sources: &Sources<'_>,
        found: Packages,
        revision: &Revision,
        is_wanted: &dyn Fn(&CrateRoot) -> bool,
    ) -> Result<Snapshot, TreeError> {
        let mut walk = Walk {
            sources,
            known: std::mem::take(&mut self.outlines),
            used: BTreeMap::new(),
            cache: self.cache.as_ref(),
            fresh: Vec::new(),
            items: BTreeMap::new(),
            numbers: BTreeMap::new(),
            unparsed: BTreeMap::new(),
            exports: Exports::default(),
            modules: 0,
        };
        for UnparsedFile { file, reason } in found.unparsed {
            walk.unparsed.entry(file).or_insert(reason);
        }
        for target in found.targets.iter().filter(|target| is_wanted(target)) {
            walk.target(target)?;
        }
        if let Some(cache) = walk.cache {
            cache.keep(&walk.fresh);
        }
        mark_exported(&mut walk.items, &walk.exports);
        self.outlines = walk.used;
        let unparsed = walk.unparsed.into_iter().map(|(file, reason)| UnparsedFile { file, reason });
        Ok(Snapshot {
            revision: revision.clone(),
            packages: found.all,
            items: walk.items,
            unparsed: unparsed.collect(),
            files: sources.ids(),
        })
    }
}

struct Walk<'sources, 'tree> {
    sources: &'sources Sources<'tree>,
    known: BTreeMap<(String, String), Arc<Outline>>,
    used: BTreeMap<(String, String), Arc<Outline>>,
    cache: Option<&'sources OutlineCache>,
    /// What was parsed and is to be kept.
    fresh: Vec<((String, String), Arc<Outline>)>,
    items: BTreeMap<ItemPath, Item>,
    /// How often each path was taken.
    numbers: BTreeMap<String, u32>,
    unparsed: BTreeMap<String, String>,
    exports: Exports,
    modules: usize,
}

/// One module file that is to be read.
struct ModuleFile {
    file: String,
    /// From where its own `mod` declarations look.
    place: FilePlace,
    /// Its path as an item.
    path: Vec<String>,
    is_open: bool,
    is_test: bool,
    visibility: Visibility,
    /// What its declaration said.
    facts: ModuleFacts,
    /// The files that led here, to notice circles.
    ancestors: Vec<String>,
}

impl Walk<'_, '_> {
    fn target(&mut self, target: &CrateRoot) -> Result<(), TreeError> {
        let mut open = vec![ModuleFile {
            file: target.file.clone(),
            place: FilePlace::beside(&target.root),
            path: vec![target.krate.clone()],
            is_open: target.kind == CrateKind::Library,
            is_test: matches!(target.kind, CrateKind::Test | CrateKind::Bench),
            visibility: Visibility::Public,
            facts: ModuleFacts::default(),
            ancestors: Vec::new(),
        }];
        while let Some(module) = open.pop() {
            self.modules += 1;
            if self.modules > MODULES_MAX {
                self.report(
                    &module.file,
                    format!("more than {MODULES_MAX} module files: this one is not read"),
                );
                continue;
            }
            open.extend(self.module(&module, &target.edition)?);
        }
        Ok(())
    }

    /// Adds the items of one file and returns the module files that it declares.
    fn module(&mut self, module: &ModuleFile, edition: &str) -> Result<Vec<ModuleFile>, TreeError> {
        let outline = self.outline(&module.file, edition)?;
        if let Some(reason) = &outline.complaint {
            self.report(&module.file, reason.clone());
        } else {
            self.add_module_itself(module, &outline);
        }
        for entry in &outline.items {
            self.add_entry(module, entry);
        }
        for export in &outline.exports {
            let inside: Vec<String> = module.path.iter().chain(&export.modules).cloned().collect();
            if module.is_open && export.is_open {
                self.exports.add(&inside, export);
            }
        }
        let declarations = outline.declarations.iter();
        Ok(declarations.flat_map(|declaration| self.resolve(module, declaration)).collect())
    }

    fn outline(&mut self, file: &str, edition: &str) -> Result<Arc<Outline>, TreeError> {
        let key = (self.sources.id(file).unwrap_or_default().to_owned(), edition.to_owned());
        if let Some(known) = self.used.get(&key).or_else(|| self.known.get(&key)).cloned() {
            self.used.insert(key, Arc::clone(&known));
            return Ok(known);
        }
        if let Some(kept) = self.cache.filter(|_| !key.0.is_empty()).and_then(|cache| cache.get(&key)) {
            let kept = Arc::new(kept);
            self.used.insert(key, Arc::clone(&kept));
            return Ok(kept);
        }
        let read = match self.sources.text(file)? {
            Ok(text) => {
                let read = Arc::new(outline(&text, syntax::edition(edition)));
                if self.cache.is_some() && !key.0.is_empty() {
                    self.fresh.push((key.clone(), Arc::clone(&read)));
                }
                read
            }
            // An object that is missing now may come.
            Err(reason) => Arc::new(Outline { complaint: Some(reason), ..Outline::default() }),
        };
        self.used.insert(key, Arc::clone(&read));
        Ok(read)
    }

    fn add_module_itself(&mut self, module: &ModuleFile, outline: &Outline) {
        let facts = module.facts.clone().with(&outline.own);
        let name = module.path.last().map_or("", String::as_str);
        let item = module_item(name, &facts, (0..outline.bytes, 1), module.visibility);
        let is_test = module.is_test || outline.is_test;
        let exported = module.is_open && !is_test;
        self.add(&module.path, Item { exported, is_test, file: module.file.clone(), ..item });
    }

    fn add_entry(&mut self, module: &ModuleFile, entry: &OutlineItem) {
        let path: Vec<String> =
            module.path.iter().chain(&entry.modules).chain(&entry.names).cloned().collect();
        let is_test = module.is_test || entry.item.is_test;
        let exported = module.is_open && entry.is_open && !is_test;
        let item = Item { exported, is_test, file: module.file.clone(), ..entry.item.clone() };
        self.add(&path, item);
    }

    /// Adds an item under its path, with a number behind it where the path is taken.
    fn add(&mut self, segments: &[String], item: Item) {
        if self.items.len() >= ITEMS_MAX {
            self.report(&item.file, format!("more than {ITEMS_MAX} items: the rest is not read"));
            return;
        }
        let plain = segments.join("::");
        let number = self.numbers.entry(plain.clone()).or_insert(0);
        *number += 1;
        let path = if *number == 1 { plain } else { format!("{plain}#{number}") };
        match ItemPath::new(path) {
            Ok(path) => {
                self.items.insert(path.clone(), Item { path, ..item });
            }
            Err(_invalid) => self.report(&item.file, "an item's name holds a control character".to_owned()),
        }
    }

    /// Finds the file of a declared module, or the files where conditions decide.
    fn resolve(&mut self, module: &ModuleFile, declaration: &Declaration) -> Vec<ModuleFile> {
        let declared = &declaration.declared;
        let files = files_of(self.sources, &module.place, declared);
        // What looks like a module in the arguments of a macro may be anything.
        if files.is_empty() && declared.stands != Stands::Macro {
            let (line, name) = (declared.line, bare(&declared.name));
            self.report(&module.file, format!("line {line}: module `{name}` has no file in this revision"));
        }
        let ancestors: Vec<String> = module.ancestors.iter().chain([&module.file]).cloned().collect();
        let mut found = Vec::new();
        for at in files {
            if ancestors.contains(&at.file) {
                self.report(&at.file, format!("it contains itself as module `{}`", bare(&declared.name)));
                continue;
            }
            if ancestors.len() >= MODULE_DEPTH_MAX {
                let reason = format!("modules nest deeper than {MODULE_DEPTH_MAX}: this one is not read");
                self.report(&at.file, reason);
                continue;
            }
            let own_name = std::slice::from_ref(&declared.name);
            found.push(ModuleFile {
                file: at.file,
                place: at.place,
                path: module.path.iter().chain(&declaration.modules).chain(own_name).cloned().collect(),
                is_open: module.is_open && declaration.is_open,
                is_test: module.is_test || declaration.is_test,
                visibility: declaration.visibility,
                facts: declaration.facts.clone(),
                ancestors: ancestors.clone(),
            });
        }
        found
    }

    /// Keeps the first complaint about a file.
    fn report(&mut self, file: &str, reason: String) {
        self.unparsed.entry(file.to_owned()).or_insert(reason);
    }
}

/// The files that at least one item stands in.
pub(crate) fn spoken_files(snapshot: &Snapshot) -> BTreeSet<&str> {
    snapshot.items.values().map(|item| item.file.as_str()).collect()
}
