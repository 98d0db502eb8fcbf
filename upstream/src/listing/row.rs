//! One changed item as a row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diff::Aspects;
use crate::history::ChangeKind;
use crate::ids::ItemPath;
use crate::snapshot::{ItemKind, PartKind, Visibility};

/// What happened to one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemRow {
    /// Its path now, or for a removed item its last.
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
    /// The crate, or `package[kind:target]` for other targets than a library.
    #[serde(rename = "crate")]
    pub krate: String,
    /// The path of the module that it stands in.
    pub module: String,
    /// The file it stands in, or stood in.
    pub file: String,
    /// Its line in that file, from 1, documentation and attributes passed over.
    pub line: u32,
    /// The file it stood in, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_file: Option<String>,
    /// Who may name it, as written.
    pub visibility: Visibility,
    /// Whether it is test code, on every side it has.
    #[serde(default, skip_serializing_if = "is_false")]
    pub test: bool,
    /// Whether users of the crate can name it, on one side at least.
    #[serde(default, skip_serializing_if = "is_false")]
    pub public: bool,
    /// For an item that was there before and is there now: that it became public (`true`), or is so no
    /// longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub became_public: Option<bool>,
    /// The paths by which users name it now (before, for a removed one), where `path` is not the only one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
    /// Its header before and now.
    pub header: Both<String>,
    /// Its fields, variants, arms or imports that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartRow>,
    /// Whether its parts are the same in another order.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reordered: bool,
    /// Its attributes that came or went; each derived trait by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeChange>,
    /// The examples in its documentation, where their number or text changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_tests: Option<DocTests>,
    /// For an item that moved only because what it stands in did: the new path of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_with: Option<ItemPath>,
    /// The difference of its text as a unified diff, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
}

/// Something before and now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Both<T> {
    /// Before; missing for what is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<T>,
    /// Now; missing for what is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<T>,
}

/// What happened to a field, variant, macro arm or import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartRow {
    /// What it is.
    pub kind: PartKind,
    /// Its name within the item: `x`, `0`, `Variant`, `Variant.x`, a macro arm's pattern, `a::b as c`.
    pub name: String,
    /// `added`, `removed` or `modified`.
    pub change: ChangeKind,
    /// What of it differs: `signature` is its type, fields, discriminant or pattern.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub aspects: Aspects,
    /// The part on one line, before and now.
    pub text: Both<String>,
}

impl PartRow {
    /// A few words for people: `added`, `type`, `visibility, docs`.
    pub fn summary(&self) -> String {
        match self.change {
            ChangeKind::Added => "added".to_owned(),
            ChangeKind::Removed => "removed".to_owned(),
            ChangeKind::Modified | ChangeKind::Moved | ChangeKind::Renamed => {
                let word = |name: &'static str| match (name, self.kind) {
                    ("signature", PartKind::Field | PartKind::VariantField) => "type",
                    ("signature", PartKind::Variant) => "form",
                    ("signature", PartKind::MacroArm) => "pattern",
                    _ => name,
                };
                self.aspects.names().map(word).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// An attribute that came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttributeChange {
    /// The attribute without its brackets: `cfg(unix)`, `derive(Debug)`, `must_use`.
    pub attribute: String,
    /// `added` or `removed`.
    pub change: ChangeKind,
}

/// How many examples documentation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocTests {
    /// Before.
    pub before: usize,
    /// Now.
    pub after: usize,
}

impl ItemRow {
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

    /// Whether nothing but its documentation differs.
    pub fn is_docs_only(&self) -> bool {
        self.change == ChangeKind::Modified && self.aspects == Aspects { docs: true, ..Aspects::default() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(super) fn is_nothing(aspects: &Aspects) -> bool {
    *aspects == Aspects::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}
