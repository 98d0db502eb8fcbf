//! Why an item is not translated: a stable code and what it was about.

/// What kind of thing was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The item is of a kind that has no translation here.
    Kind,
    /// The text could not be read as Rust.
    Syntax,
    /// An attribute that decides whether or how the code is built.
    Attribute,
    /// `unsafe`, `async`, `extern`.
    Qualifier,
    /// A type that is not known here.
    Type,
    /// A name that leads nowhere, or out of the crate to something unknown.
    Name,
    /// What it uses is not part of the port.
    Unlinked,
    /// A method that is not known for its receiver.
    Method,
    /// A function or operator of the standard library that is not known.
    Function,
    /// A macro that is not known.
    Macro,
    /// A trait, or a bound that is not known.
    Trait,
    /// A pattern that is not known.
    Pattern,
    /// A closure that needs statements where the port has expressions only.
    Closure,
    /// Changing a value through a reference that the port cannot follow.
    Mutation,
    /// An option in an option, which `None` cannot tell apart.
    NestedOption,
    /// A result where the port, which raises errors, has none.
    ResultValue,
    /// An error type for which the port has no exception.
    ErrorType,
    /// A format string or argument that is not known.
    Format,
    /// Control flow that is not known.
    Flow,
    /// Properties of characters by tables that both languages have in different versions.
    CharacterTables,
    /// Integers of 128 bits or floats of 32.
    Width,
    /// A construct that none of these names.
    Expression,
}

impl Reason {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Syntax => "syntax",
            Self::Attribute => "attribute",
            Self::Qualifier => "qualifier",
            Self::Type => "type",
            Self::Name => "name",
            Self::Unlinked => "unlinked",
            Self::Method => "method",
            Self::Function => "function",
            Self::Macro => "macro",
            Self::Trait => "trait",
            Self::Pattern => "pattern",
            Self::Closure => "closure",
            Self::Mutation => "mutation",
            Self::NestedOption => "nested-option",
            Self::ResultValue => "result-value",
            Self::ErrorType => "error-type",
            Self::Format => "format",
            Self::Flow => "flow",
            Self::CharacterTables => "character-tables",
            Self::Width => "width",
            Self::Expression => "expression",
        }
    }
}

/// An item was not translated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", reason.code())]
pub struct Refusal {
    /// Which kind of reason.
    pub reason: Reason,
    /// What it was about, for people.
    pub what: String,
}

/// What a step of the translation gives.
pub(super) type Made<Value> = Result<Value, Refusal>;

/// Refuses.
pub(super) fn refuse<Value>(reason: Reason, what: impl Into<String>) -> Made<Value> {
    Err(Refusal { reason, what: what.into() })
}
