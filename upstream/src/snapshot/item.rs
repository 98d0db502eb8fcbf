//! One item of a Rust crate at one revision.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rust_type::RustType;
use crate::ids::{ContentHash, ItemPath};
use crate::words::Words;

/// What kind of item it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A free function.
    Function,
    /// A function inside an `impl` or `trait` block, with or without a receiver.
    Method,
    /// A struct.
    Struct,
    /// An enum.
    Enum,
    /// A union.
    Union,
    /// A trait.
    Trait,
    /// An `impl` block's header; its members are items of their own.
    Impl,
    /// A constant, free or associated.
    Const,
    /// A static.
    Static,
    /// A type alias, free or associated.
    TypeAlias,
    /// A `macro_rules!` definition, or an invocation of a macro where an item could stand.
    Macro,
    /// A module.
    Module,
}

/// Who may name the item, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// `pub`, or a member that inherits the visibility of its public trait.
    Public,
    /// `pub(crate)`, also as `pub(in crate)`.
    Crate,
    /// `pub(super)`, also as `pub(in super)`.
    Super,
    /// `pub(in path)` with any other path; two such paths are not told apart.
    Within,
    /// No `pub`, or `pub(self)`.
    Private,
}

/// What an item is, apart for each aspect. Formatting and comments change none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Tokens of the header: name, generics, parameters, bounds, field and variant lists, visibility left out.
    pub signature: ContentHash,
    /// Tokens of the body: a function's block, a constant's value, a macro's rules.
    pub body: ContentHash,
    /// The documentation text, that of fields, variants and whatever else stands inside included.
    pub docs: ContentHash,
    /// Tokens of the attributes other than documentation, sorted.
    pub attributes: ContentHash,
}

impl Fingerprint {
    /// Whether two items behave alike as far as their own tokens tell (signature, body and attributes).
    pub fn same_behaviour(&self, other: &Self) -> bool {
        self.signature == other.signature && self.body == other.body && self.attributes == other.attributes
    }

    /// One hash over all four aspects, for the lock.
    pub fn combined(&self) -> ContentHash {
        ContentHash::of_parts(
            [self.signature, self.body, self.docs, self.attributes].map(ContentHash::digits),
        )
    }
}

/// How a method takes its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// `self`
    Value,
    /// `&self`
    Shared,
    /// `&mut self`
    Mutable,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name, or the pattern as written.
    pub name: String,
    /// Its type.
    pub ty: RustType,
}

/// The parts of a function's header that matter to callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionSignature {
    /// Type and const parameters, without lifetimes, as written with their inline bounds.
    pub generics: Vec<String>,
    /// Predicates of the `where` clause, as written.
    pub predicates: Vec<String>,
    /// How the value is taken, for a method with `self`.
    pub receiver: Option<Receiver>,
    /// The parameters without the receiver.
    pub parameters: Vec<Parameter>,
    /// The result; `RustType::Tuple(vec![])` where none is written.
    pub output: RustType,
    /// `async fn`
    pub is_async: bool,
    /// `unsafe fn`
    pub is_unsafe: bool,
    /// `const fn`
    pub is_const: bool,
}

/// One item at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Where it stands in the module tree.
    pub path: ItemPath,
    /// What it is.
    pub kind: ItemKind,
    /// The file that holds it, from the repository's root, with `/`.
    pub file: String,
    /// Where its text stands in the file, in bytes, documentation and attributes included.
    pub span: Range<usize>,
    /// The line on which its own text begins, from 1, documentation and attributes passed over.
    pub line: u32,
    /// Who may name it, as written.
    pub visibility: Visibility,
    /// Whether it can be reached by this path from outside its crate (itself and all its modules public).
    pub exported: bool,
    /// Whether it is test code: below `#[cfg(test)]`, `#[test]`, or in a test or bench target.
    pub is_test: bool,
    /// What it is, for comparison.
    pub fingerprint: Fingerprint,
    /// The text as written, documentation and attributes included.
    pub text: String,
    /// The documentation without its markers.
    pub docs: String,
    /// Attributes other than documentation, as written, sorted.
    pub attributes: Vec<String>,
    /// The header, for functions and methods.
    pub signature: Option<FunctionSignature>,
    /// For a type alias, the type it stands for; for a constant or static, its type.
    pub aliased: Option<RustType>,
    /// For a struct, its named or numbered fields; for an enum, its variants.
    pub members: Vec<String>,
    /// Names the body and header mention, last path segments only, sorted; the raw edges of the graph.
    pub mentions: Words,
}
