//! The items of one revision as rows.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::between::{Gentle, ListingError};
use super::row::is_false;
use super::rows::{attributes, module_of};
use crate::harvest::doc_tests;
use crate::ids::{CommitId, ItemPath};
use crate::repo::UpstreamRepo;
use crate::revision::Revision;
use crate::snapshot::{
    Item, ItemKind, PartKind, Snapshot, SnapshotReader, Surface, UnparsedFile, Visibility, WithoutBodies,
    header, parts, surface,
};
use crate::tree::SourceTree;

/// The items of a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemListing {
    /// Which revision.
    pub revision: Revision,
    /// The items, sorted by path.
    pub items: Vec<ItemEntry>,
    /// Public paths of what is not an item of the repository: things of other crates, and variants.
    pub handed_on: Vec<HandedOn>,
    /// Files that could not be read as Rust or TOML, with the reason.
    pub unparsed: Vec<UnparsedFile>,
}

/// One line of the items as JSON lines; the revision comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum ItemRecord {
    /// The revision.
    Revision(Revision),
    /// An item.
    Item(Box<ItemEntry>),
    /// A public path of what is not an item of the repository.
    HandedOn(HandedOn),
    /// A file that could not be read.
    Unparsed(UnparsedFile),
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemEntry {
    /// Where it stands in the module tree.
    pub path: ItemPath,
    /// What it is.
    pub kind: ItemKind,
    /// The crate, or `package[kind:target]` for other targets than a library.
    #[serde(rename = "crate")]
    pub krate: String,
    /// The path of the module that it stands in; a module's own.
    pub module: String,
    /// Who may name it, as written.
    pub visibility: Visibility,
    /// Whether users of the crate can name or use it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub public: bool,
    /// The paths by which users name it, its own crate's first, then the shortest; none for implementations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
    /// Whether it is test code.
    #[serde(default, skip_serializing_if = "is_false")]
    pub test: bool,
    /// Its header on one line.
    pub header: String,
    /// The file it stands in.
    pub file: String,
    /// Its line in that file, from 1, documentation and attributes passed over.
    pub line: u32,
    /// Its attributes without brackets, each derived trait by itself.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub attributes: BTreeSet<String>,
    /// Whether it is documented.
    #[serde(default, skip_serializing_if = "is_false")]
    pub documented: bool,
    /// How many examples its documentation has that are tested.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub doc_tests: usize,
    /// Its fields, variants, macro arms or imports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartEntry>,
}

/// A field, variant, macro arm or import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartEntry {
    /// What it is.
    pub kind: PartKind,
    /// Its name within the item.
    pub name: String,
    /// Who may name it, as written.
    pub visibility: Visibility,
    /// The part on one line.
    pub text: String,
    /// Its line in the file of its item, from 1; for an import that of its module.
    pub line: u32,
}

/// A public path of what is not an item of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandedOn {
    /// The path by which users name it.
    pub path: String,
    /// What it stands for; a path that ends in `*` is a glob of another crate.
    pub target: String,
}

/// Lists the items of a commit.
pub fn items(repo: &UpstreamRepo, commit: &CommitId) -> Result<ItemListing, ListingError> {
    items_of(&repo.tree(commit)?, &repo.revision(commit)?)
}

/// Lists the items of a tree. Bodies are not read: nothing here asks about them.
pub(super) fn items_of(tree: &dyn SourceTree, revision: &Revision) -> Result<ItemListing, ListingError> {
    let gentle = Gentle::new(tree);
    let mut snapshot = SnapshotReader::default().read(&WithoutBodies(&gentle), revision)?;
    gentle.explain(&mut snapshot.unparsed);
    let surface = surface(&snapshot);
    let items = snapshot.items.values().map(|item| entry(item, &snapshot, &surface)).collect();
    let handed_on = surface.handed_on.into_iter().map(|(path, target)| HandedOn { path, target }).collect();
    Ok(ItemListing { revision: revision.clone(), items, handed_on, unparsed: snapshot.unparsed })
}

fn entry(item: &Item, snapshot: &Snapshot, surface: &Surface) -> ItemEntry {
    let named = surface.of(&item.path).to_vec();
    let part = |part: crate::snapshot::Part| PartEntry {
        kind: part.kind,
        name: part.name,
        visibility: part.visibility,
        text: part.text,
        line: part.line,
    };
    ItemEntry {
        path: item.path.clone(),
        kind: item.kind,
        krate: item.path.krate().to_owned(),
        module: module_of(item, snapshot),
        visibility: item.visibility,
        public: !named.is_empty() || item.exported,
        named,
        test: item.is_test,
        header: header(item),
        file: item.file.clone(),
        line: item.line,
        attributes: attributes(item),
        documented: !item.docs.trim().is_empty(),
        doc_tests: doc_tests(&item.docs).len(),
        parts: parts(item).into_iter().map(part).collect(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

impl ItemListing {
    /// The listing line by line.
    pub fn records(self) -> impl Iterator<Item = ItemRecord> {
        std::iter::once(ItemRecord::Revision(self.revision))
            .chain(self.items.into_iter().map(|entry| ItemRecord::Item(Box::new(entry))))
            .chain(self.handed_on.into_iter().map(ItemRecord::HandedOn))
            .chain(self.unparsed.into_iter().map(ItemRecord::Unparsed))
    }
}
