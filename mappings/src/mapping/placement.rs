//! What a mapping says of an item, and on what it rests.

use serde::Serialize;
use upstream::ItemPath;

use crate::symbol::SymbolPath;
use crate::unit::SkipReason;

/// What a placement rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Ground {
    /// A `[[link]]`, counted from 1.
    Link {
        /// Which one.
        number: usize,
    },
    /// A `[[map]]` rule, counted from 1.
    Map {
        /// Which one.
        number: usize,
        /// Its pattern.
        items: String,
    },
    /// An `[[extension]]`, counted from 1.
    Extension {
        /// Which one.
        number: usize,
        /// What it says, such as `strsim.extra.**` or `@extension`.
        symbol: String,
    },
    /// The convention.
    Convention,
    /// What the item is: its kind has no counterpart.
    Kind,
    /// Nothing speaks of it.
    Nothing,
}

impl std::fmt::Display for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link { number } => write!(f, "[[link]] {number}"),
            Self::Map { number, items } => write!(f, "[[map]] {number} (`{items}`)"),
            Self::Extension { number, symbol } => write!(f, "[[extension]] {number} (`{symbol}`)"),
            Self::Convention => f.write_str("the convention"),
            Self::Kind => f.write_str("the item's kind"),
            Self::Nothing => f.write_str("no rule"),
        }
    }
}

/// Where an item belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "placement", rename_all = "snake_case")]
pub enum Placement {
    /// Its symbol follows it.
    Mapped {
        /// The symbol.
        symbol: SymbolPath,
        /// The file that a new symbol goes to.
        file: String,
        /// Further symbols, where the item was split into several.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        split: Vec<Part>,
        /// Whether a rule says that several items were merged into the symbol.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        merged: bool,
        /// Who says so.
        rule: Ground,
    },
    /// It is left alone.
    Skipped {
        /// Why.
        why: SkipReason,
        /// Why, in words: the configuration's own where it gives one.
        reason: String,
        /// Who says so.
        rule: Ground,
    },
}

/// One more symbol of an item that was split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The symbol.
    pub symbol: SymbolPath,
    /// The file that a new symbol goes to.
    pub file: String,
}

/// One rule that matches an item, for explanations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchedRule {
    /// The rule.
    pub rule: Ground,
    /// How many wildcards it matches with; the fewest hold.
    pub wildcards: usize,
    /// For a rule that holds no longer, the day on which it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// Why an item has the place it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The item.
    pub item: ItemPath,
    /// All rules that match, the most specific first.
    pub matched: Vec<MatchedRule>,
    /// The place, if there is one.
    pub placement: Option<Placement>,
    /// What stands in the way, otherwise.
    pub problem: Option<String>,
}
