//! What is wrong with a mapping, and with what to write instead.

use upstream::ItemPath;

use super::placement::Ground;

/// How many rules, links or extensions a mapping may have, each.
pub const RULES_MAX: usize = 10_000;

/// How many further symbols one item may have been split into.
pub const SPLIT_MAX: usize = 64;

/// What the configuration says cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// A pattern cannot be read.
    #[error("{rule}: the pattern `{pattern}` is broken: {reason}")]
    Pattern {
        /// Which rule.
        rule: String,
        /// The pattern as written.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// A template cannot be read.
    #[error("{rule}: the template `{template}` is broken: {reason}")]
    Template {
        /// Which rule.
        rule: String,
        /// The template as written.
        template: String,
        /// What is wrong.
        reason: String,
    },
    /// A strategy demands a key that is not there.
    #[error("{rule}: a rule that says `{strategy}` needs `{key}`")]
    Missing {
        /// Which rule.
        rule: String,
        /// Its strategy.
        strategy: &'static str,
        /// The key that it needs.
        key: &'static str,
    },
    /// A key that means nothing under this strategy.
    #[error("{rule}: a rule that says `{strategy}` writes no symbol; take `{key}` out")]
    Superfluous {
        /// Which rule.
        rule: String,
        /// Its strategy.
        strategy: &'static str,
        /// The key that is too much.
        key: &'static str,
    },
    /// A path in a link or in the convention is not one.
    #[error("{rule}: {reason}")]
    Path {
        /// Which rule.
        rule: String,
        /// What is wrong.
        reason: String,
    },
    /// The value of a key cannot be used.
    #[error("{rule}: `{key}`: {reason}")]
    Value {
        /// Which rule.
        rule: String,
        /// The key.
        key: &'static str,
        /// What is wrong, with what to write.
        reason: String,
    },
    /// An extension that says of nothing that it is one.
    #[error("{rule}: it says of nothing that it is an extension; write `symbol`, `path` or `decorator`")]
    EmptyExtension {
        /// Which rule.
        rule: String,
    },
    /// One item has two links.
    #[error("{second} speaks of `{item}`, and so does {first}; keep one of them")]
    TwoLinks {
        /// The item.
        item: ItemPath,
        /// The earlier link.
        first: String,
        /// The later link.
        second: String,
    },
    /// Too many rules.
    #[error("there are {count} `[[{table}]]` entries, and {RULES_MAX} are the most")]
    TooMany {
        /// Which table.
        table: &'static str,
        /// How many there are.
        count: usize,
    },
}

/// An item cannot be given a place, and the configuration must be changed first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Two rules fit equally well and say different things.
    #[error(
        "{first} and {second} match `{item}` equally well and disagree; \
         make one more specific, or add a `[[link]]` for the item"
    )]
    Ambiguous {
        /// The item.
        item: ItemPath,
        /// One rule.
        first: Ground,
        /// The other.
        second: Ground,
    },
    /// A rule's templates give something that cannot be a symbol or a file of the port.
    #[error("{ground} gives `{item}` the place `{place}`: {reason}")]
    Invalid {
        /// The item.
        item: ItemPath,
        /// The rule.
        ground: Ground,
        /// What came out.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}
