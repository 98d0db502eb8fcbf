//! A snapshot: the packages, modules and items of the upstream at one revision, read from git objects alone.

mod alone;
mod annotations;
mod blocks;
mod cache;
pub(crate) mod declared;
mod depth;
mod file_items;
pub(crate) mod fingerprint;
mod focus;
mod header;
mod item;
mod manifest;
mod mentions;
pub(crate) mod module_files;
mod outline;
mod parts;
mod reachable;
mod read;
mod rust_type;
pub(crate) mod sources;
mod surface;
pub(crate) mod syntax;
pub(crate) mod types;
mod uses;
mod visibility;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use alone::items_alone;
pub(crate) use alone::{fingerprint_of, implementation_of};
pub(crate) use annotations::{is_test_attribute, laid_out};
pub(crate) use blocks::{Block, BlockKind, blocks};
pub use cache::OutlineCache;
pub use file_items::FileItems;
pub(crate) use fingerprint::tokens_without_name;
pub(crate) use focus::is_source;
pub use focus::{Changed, WithoutBodies, read_both, read_changed};
pub use header::header;
pub use item::{Fingerprint, FunctionSignature, Item, ItemKind, Parameter, Receiver, Visibility};
pub use parts::{Part, PartKind, parts};
pub(crate) use read::spoken_files;
pub use read::{SnapshotError, SnapshotReader, read};
pub use rust_type::RustType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub(crate) use surface::plain;
pub use surface::{Surface, surface};
pub(crate) use uses::Import;

use crate::ids::ItemPath;
use crate::revision::Revision;

/// One Cargo package of the upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name in `Cargo.toml`.
    pub name: String,
    /// Its version as written, where it has one.
    pub version: Option<String>,
    /// The folder of its manifest, from the repository's root, with `/`; empty for the root.
    pub folder: String,
    /// The edition, `2015` where none is written.
    pub edition: String,
    /// The crate name of its library (dashes are underscores), where it has one.
    pub library: Option<String>,
    /// Direct dependencies as `name` to the requirement as written, dev and build dependencies apart.
    pub dependencies: BTreeMap<String, String>,
}

/// A file that could not be parsed: reported, compared as text, and never the end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnparsedFile {
    /// The file from the repository's root.
    pub file: String,
    /// The first complaint, with its line.
    pub reason: String,
}

/// Everything Tidelock knows about the upstream at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which revision.
    pub revision: Revision,
    /// The packages, sorted by folder.
    pub packages: Vec<Package>,
    /// The items by path. Of several definitions under one path (`cfg` variants), each after the first
    /// has `#2`, `#3` and so on behind its path.
    pub items: BTreeMap<ItemPath, Item>,
    /// What could not be parsed.
    pub unparsed: Vec<UnparsedFile>,
    /// Every file of the tree with the id of its content.
    pub files: BTreeMap<String, String>,
}
