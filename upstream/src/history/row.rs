//! What one revision did, as one row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diff::{Aspects, DependencyChange, FileChange, RevisionClass};
use crate::ids::ItemPath;
use crate::revision::Revision;
use crate::snapshot::{ItemKind, UnparsedFile};

/// One revision of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryRow {
    /// Which revision.
    #[serde(flatten)]
    pub revision: Revision,
    /// How many parents it has: none for a root, several for a merge. A merge's row holds what the merge
    /// itself changed against every parent, and against the first alone when only that line is followed.
    pub parents: usize,
    /// What it did.
    #[serde(flatten)]
    pub changes: RowChanges,
}

/// What a revision did, apart from who and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowChanges {
    /// The strongest class that applies.
    pub class: RevisionClass,
    /// How sure the class is.
    pub confidence: Confidence,
    /// The items, sorted by path.
    pub items: Vec<HistoryChange>,
    /// Changed files whose items are not told: other files, and sources that could not be read.
    pub files: Vec<FileChange>,
    /// Requirements in `Cargo.toml` and versions in `Cargo.lock`.
    pub dependencies: Vec<DependencyChange>,
    /// Files that could not be read as Rust, with the reason.
    pub unparsed: Vec<UnparsedFile>,
    /// What was not looked for, and why.
    pub not_searched: Option<String>,
}

/// How sure the class of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// What the files say leaves no other class.
    Certain,
    /// It rests on where files lie: a module may be private or test code by its declaration elsewhere.
    Likely,
    /// A file could not be read, so anything may have happened in it.
    Unknown,
}

/// What happened to one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryChange {
    /// Its path now, or for a removed item its last; the module comes from the place of the file.
    pub path: ItemPath,
    /// What it is.
    pub kind: ItemKind,
    /// What happened.
    pub change: ChangeKind,
    /// Where it stood before, when it moved or was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ItemPath>,
    /// What of it differs, for an item that was there before and is there now.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub aspects: Aspects,
    /// The file it stands in, or stood in.
    pub file: String,
    /// Whether it is test code.
    #[serde(default, skip_serializing_if = "is_false")]
    pub test: bool,
    /// Whether it is `pub` in a library, as far as its own file tells.
    #[serde(default, skip_serializing_if = "is_false")]
    pub public: bool,
    /// For an item that was there before and is there now: that it became public (`true`), or is so no
    /// longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub became_public: Option<bool>,
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It is there no longer.
    Removed,
    /// It stayed at its path and changed.
    Modified,
    /// It stands under another path and kept its name.
    Moved,
    /// It has another name.
    Renamed,
}

impl HistoryChange {
    /// A few words for people: `added`, `body`, `signature, docs`, `moved`.
    pub fn summary(&self) -> String {
        let lead = match self.change {
            ChangeKind::Added => return "added".to_owned(),
            ChangeKind::Removed => return "removed".to_owned(),
            ChangeKind::Modified => None,
            ChangeKind::Moved => Some("moved"),
            ChangeKind::Renamed => Some("renamed"),
        };
        lead.into_iter().chain(self.aspects.names()).collect::<Vec<_>>().join(", ")
    }

    /// Whether it can alter what a program does.
    pub fn touches_behaviour(&self) -> bool {
        match self.change {
            ChangeKind::Added | ChangeKind::Removed => true,
            ChangeKind::Modified | ChangeKind::Moved | ChangeKind::Renamed => {
                self.aspects.touches_behaviour()
            }
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_nothing(aspects: &Aspects) -> bool {
    *aspects == Aspects::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !*value
}
