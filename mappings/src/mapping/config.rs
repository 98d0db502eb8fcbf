//! The mapping as it is written in `tidelock.toml`. The documentation of these fields is the user's reference.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which symbols answer to which items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingConfig {
    /// Where an item belongs that no rule speaks of. Without it such items are unmapped.
    pub convention: Option<ConventionConfig>,
    /// Rules over many items. The most specific one that matches an item holds: fewer wildcards first, then
    /// the longer beginning without one. Two that are equally specific and disagree are an error.
    #[serde(default)]
    pub map: Vec<MapRule>,
    /// Single items with their symbols; they hold before every rule.
    #[serde(default)]
    pub link: Vec<LinkRule>,
    /// What the port has beyond the upstream.
    #[serde(default)]
    pub extension: Vec<ExtensionRule>,
}

/// The naming convention for items that no rule speaks of: `krate::a::b::name` becomes `package.a.b.name`
/// in `package/a/b.py`, and items at the crate's root stand in `package/__init__.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConventionConfig {
    /// The port's package, such as `strsim` or `company.strsim`.
    pub package: String,
    /// The folder that holds the package, such as `src`; the port's root where it is left out.
    #[serde(default)]
    pub root: String,
    /// The folder of the port's tests.
    #[serde(default = "default_tests")]
    pub tests: String,
    /// Modules, such as `a::b`, that are packages of the port, because others stand below them: `a::b::name` goes to
    /// `package/a/b/__init__.py`.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Modules whose items stand in another module of the port: `"a::b" = "a"`, or `""` for the crate's root.
    #[serde(default)]
    pub merge: BTreeMap<String, String>,
}

fn default_tests() -> String {
    "tests".to_owned()
}

/// What is to be done with the items that a rule matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Their symbols follow them.
    #[default]
    Translate,
    /// The port calls the Rust code; there is nothing to translate.
    Bind,
    /// A person ports them; changes are reported and not translated.
    Manual,
    /// The port does not have them.
    Ignore,
}

/// A rule over many items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapRule {
    /// A pattern over item paths: `*` is any text within a segment, `**` any number of segments, `{a,b}`
    /// one of several texts. `<Type as Trait>` is one segment. Square brackets are plain text.
    pub items: String,
    /// The symbol, for `translate`. `{crate}` is the crate, `{module}` the modules below it joined by dots,
    /// `{type}` the class of a method (nothing for other items), `{name}` the name as the port's language
    /// writes it. Without `{type}` a method's `{name}` has its class before it.
    pub symbol: Option<String>,
    /// The file of the symbol, from the port's root, for `translate`. The same signs; `{module}` is joined
    /// by slashes, and is `__init__` at the crate's root.
    pub file: Option<String>,
    /// In place of `symbol`: the one symbol that all these items were merged into. It is not told as shared, and
    /// stays where one of them goes.
    #[serde(rename = "merged-into")]
    pub merged_into: Option<String>,
    /// For `translate`: whether these items are reached from outside although the crate does not export them, by a table of
    /// functions for another language or by the name of their symbol. New ones then get a symbol, too.
    #[serde(default)]
    pub surface: bool,
    /// What is to be done.
    #[serde(default)]
    pub strategy: Strategy,
    /// Why; `bind`, `manual` and `ignore` demand it.
    pub reason: Option<String>,
    /// Who answers for `bind`, `manual` and `ignore`. `until` demands it.
    pub owner: Option<String>,
    /// For `ignore`: the day, as `2027-03-01`, from which the rule holds no longer (in UTC). What changed in the
    /// meantime is kept in the lock, and planned then.
    pub until: Option<String>,
}

/// A single item with its symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRule {
    /// The item's path, such as `strsim::StringWrapper::new`.
    pub item: String,
    /// The symbol's path, such as `strsim.StringWrapper.__init__`.
    pub symbol: String,
    /// The file of the symbol, from the port's root.
    pub file: String,
    /// Further symbols, where the item was split into several: a change of it is a change of all of them.
    #[serde(default)]
    pub split: Vec<SplitRule>,
}

/// One more symbol of an item that was split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitRule {
    /// The symbol's path.
    pub symbol: String,
    /// The file of the symbol, from the port's root.
    pub file: String,
}

impl LinkRule {
    /// A link of one item to one symbol.
    pub fn new(item: impl Into<String>, symbol: impl Into<String>, file: impl Into<String>) -> Self {
        Self { item: item.into(), symbol: symbol.into(), file: file.into(), split: Vec::new() }
    }

    /// Whether a mapping would take it: both paths are well formed, and the file is below the port's root.
    pub fn is_valid(&self) -> bool {
        upstream::ItemPath::new(self.item.as_str()).is_ok()
            && super::rule::checked_symbol(&self.symbol).is_ok()
            && super::rule::checked_file(&self.file).is_ok()
    }
}

/// What the port has beyond the upstream: never taken for drift, never edited by a sync. It is declared by
/// `symbol`, `path` or `decorator`; of several given in one entry all must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionRule {
    /// A pattern over symbol paths, with the signs of `items`.
    pub symbol: Option<String>,
    /// A pattern over files, from the port's root, with the signs of `items` and `/` between segments.
    pub path: Option<String>,
    /// A decorator, without `@` and arguments: `extension` is also `package.extension`. What stands in a decorated
    /// class is an extension too.
    pub decorator: Option<String>,
    /// The variable that switches it on or off; `[parity]` must set it.
    pub flag: Option<String>,
    /// What it is for, for people.
    pub reason: Option<String>,
}
