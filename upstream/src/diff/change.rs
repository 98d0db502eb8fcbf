//! What can happen to an item, a file and a dependency between two revisions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ItemPath;
use crate::revision::Revision;
use crate::snapshot::{Item, UnparsedFile};

/// Which aspects of a surviving item changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "five independent aspects, each changed or not")]
pub struct Aspects {
    /// The header.
    pub signature: bool,
    /// The body.
    pub body: bool,
    /// The documentation.
    pub docs: bool,
    /// The attributes, or whether those around it make it test code.
    pub attributes: bool,
    /// The visibility.
    pub visibility: bool,
}

impl Aspects {
    /// Whether the change can alter what a program does.
    pub fn touches_behaviour(self) -> bool {
        self.signature || self.body || self.attributes
    }

    /// The names of those that changed.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let parts = [
            (self.signature, "signature"),
            (self.body, "body"),
            (self.docs, "docs"),
            (self.attributes, "attributes"),
            (self.visibility, "visibility"),
        ];
        parts.into_iter().filter_map(|(changed, name)| changed.then_some(name))
    }
}

/// What happened to one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ItemChange {
    /// It was not there before.
    Added {
        /// The item as it is now.
        after: Item,
    },
    /// It is there no longer.
    Removed {
        /// The item as it was.
        before: Item,
    },
    /// It stayed at its path and changed.
    Modified {
        /// The item as it was.
        before: Item,
        /// The item as it is now.
        after: Item,
        /// What changed.
        aspects: Aspects,
    },
    /// It stands under another path: moved when the last segment is the same, renamed otherwise.
    Relocated {
        /// The item as it was.
        before: Item,
        /// The item as it is now.
        after: Item,
        /// What changed besides the path.
        aspects: Aspects,
    },
}

impl ItemChange {
    /// The item as it was, if it was.
    pub fn before(&self) -> Option<&Item> {
        match self {
            Self::Added { .. } => None,
            Self::Removed { before } | Self::Modified { before, .. } | Self::Relocated { before, .. } => {
                Some(before)
            }
        }
    }

    /// The item as it is now, if it is.
    pub fn after(&self) -> Option<&Item> {
        match self {
            Self::Removed { .. } => None,
            Self::Added { after } | Self::Modified { after, .. } | Self::Relocated { after, .. } => {
                Some(after)
            }
        }
    }

    /// The path by which to speak of it: the new one where there is one.
    pub fn path(&self) -> &ItemPath {
        match self {
            Self::Removed { before } => &before.path,
            Self::Added { after } | Self::Modified { after, .. } | Self::Relocated { after, .. } => {
                &after.path
            }
        }
    }

    /// Whether only test code is concerned.
    pub fn is_test(&self) -> bool {
        self.before().is_none_or(|item| item.is_test) && self.after().is_none_or(|item| item.is_test)
    }

    /// Whether it can alter what a program does.
    pub fn touches_behaviour(&self) -> bool {
        match self {
            Self::Added { .. } | Self::Removed { .. } => true,
            Self::Modified { aspects, .. } | Self::Relocated { aspects, .. } => aspects.touches_behaviour(),
        }
    }

    /// A few words for people: `added`, `removed`, `body`, `signature, docs`, `moved`, `renamed, body`.
    pub fn summary(&self) -> String {
        let (aspects, lead) = match self {
            Self::Added { .. } => return "added".to_owned(),
            Self::Removed { .. } => return "removed".to_owned(),
            Self::Modified { aspects, .. } => (aspects, None),
            Self::Relocated { before, after, aspects } => {
                (aspects, Some(if before.path.name() == after.path.name() { "moved" } else { "renamed" }))
            }
        };
        lead.into_iter().chain(aspects.names()).collect::<Vec<_>>().join(", ")
    }
}

/// What a revision does as a whole, the strongest class that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevisionClass {
    /// Documentation, comments, tests, formatting: nothing that runs is different.
    NoBehaviourChange,
    /// Build files, continuous integration, tooling only.
    BuildOnly,
    /// Dependencies changed and nothing stronger.
    Dependencies,
    /// Behaviour may differ behind an unchanged public surface.
    InternalBehaviour,
    /// The public surface has more than before, and all that it had.
    PublicApiAdded,
    /// Something public is different: whoever uses it may have to follow.
    PublicApiChanged,
    /// Something public is gone from its path.
    PublicApiRemoved,
}

impl RevisionClass {
    /// The class in plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoBehaviourChange => "no behaviour change",
            Self::BuildOnly => "build only",
            Self::Dependencies => "dependencies",
            Self::InternalBehaviour => "internal behaviour",
            Self::PublicApiAdded => "public API added",
            Self::PublicApiChanged => "public API changed",
            Self::PublicApiRemoved => "public API removed",
        }
    }

    /// Whether the public surface is different.
    pub fn is_public(self) -> bool {
        self >= Self::PublicApiAdded
    }
}

/// A file that changed and that no item speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// The file from the repository's root.
    pub file: String,
    /// `added`, `removed` or `modified`.
    pub kind: FileChangeKind,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    /// It was not there before.
    Added,
    /// It is there no longer.
    Removed,
    /// Its content or mode is different.
    Modified,
}

/// A dependency whose requirement changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DependencyChange {
    /// The package that depends.
    pub package: String,
    /// The package depended on.
    pub dependency: String,
    /// The requirement before, if any.
    pub before: Option<String>,
    /// The requirement now, if any.
    pub after: Option<String>,
}

/// Everything that changed between two revisions, item by item, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SemanticDiff {
    /// The older revision.
    pub from: Revision,
    /// The newer revision.
    pub to: Revision,
    /// The strongest class that applies.
    pub class: RevisionClass,
    /// The items.
    pub items: Vec<ItemChange>,
    /// Files outside the module tree, and files that do not parse.
    pub files: Vec<FileChange>,
    /// The dependencies.
    pub dependencies: Vec<DependencyChange>,
    /// Files of the newer revision that could not be parsed.
    pub unparsed: Vec<UnparsedFile>,
}
