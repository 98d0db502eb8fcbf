//! A Rust type as written in a signature, in the shape that drivers and comparisons work on.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A type expression. Lifetimes are left out: no behaviour depends on them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "is", content = "of", rename_all = "snake_case")]
pub enum RustType {
    /// A named type with its arguments: `usize`, `Vec<T>`, `std::string::String`.
    Named {
        /// The segments of the path as written.
        path: Vec<String>,
        /// The type arguments of the last segment.
        arguments: Vec<RustType>,
    },
    /// `&T` or `&mut T`.
    Reference {
        /// Whether it may change what it points at.
        mutable: bool,
        /// What it points at.
        target: Box<RustType>,
    },
    /// `[T]`
    Slice(Box<RustType>),
    /// `[T; N]`, with the length as written.
    Array {
        /// The element type.
        element: Box<RustType>,
        /// The length expression.
        length: String,
    },
    /// `(A, B)`; the unit type is the empty tuple.
    Tuple(Vec<RustType>),
    /// `!`
    Never,
    /// Anything else (`impl Trait`, `dyn Trait`, function pointers), as written.
    Other(String),
}

/// The same in compact forms: content behind a tag takes one that describes itself.
#[derive(Serialize, Deserialize)]
#[serde(remote = "RustType")]
enum Compact {
    Named { path: Vec<String>, arguments: Vec<RustType> },
    Reference { mutable: bool, target: Box<RustType> },
    Slice(Box<RustType>),
    Array { element: Box<RustType>, length: String },
    Tuple(Vec<RustType>),
    Never,
    Other(String),
}

impl Serialize for RustType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            Self::serialize(self, serializer)
        } else {
            Compact::serialize(self, serializer)
        }
    }
}

impl<'de> Deserialize<'de> for RustType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Self::deserialize(deserializer)
        } else {
            Compact::deserialize(deserializer)
        }
    }
}

impl RustType {
    /// A named type without arguments.
    pub fn named(name: &str) -> Self {
        Self::Named { path: vec![name.to_owned()], arguments: Vec::new() }
    }

    /// The unit type.
    pub fn unit() -> Self {
        Self::Tuple(Vec::new())
    }

    /// The last segment of a named type's path: `String` for `std::string::String`.
    pub fn last_name(&self) -> Option<&str> {
        match self {
            Self::Named { path, .. } => path.last().map(String::as_str),
            Self::Reference { .. }
            | Self::Slice(_)
            | Self::Array { .. }
            | Self::Tuple(_)
            | Self::Never
            | Self::Other(_) => None,
        }
    }
}

impl std::fmt::Display for RustType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn list(f: &mut std::fmt::Formatter<'_>, types: &[RustType]) -> std::fmt::Result {
            for (at, ty) in types.iter().enumerate() {
                if at > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{ty}")?;
            }
            Ok(())
        }
        match self {
            Self::Named { path, arguments } => {
                f.write_str(&path.join("::"))?;
                if arguments.is_empty() {
                    return Ok(());
                }
                f.write_str("<")?;
                list(f, arguments)?;
                f.write_str(">")
            }
            Self::Reference { mutable, target } => {
                f.write_str(if *mutable { "&mut " } else { "&" })?;
                write!(f, "{target}")
            }
            Self::Slice(element) => write!(f, "[{element}]"),
            Self::Array { element, length } => write!(f, "[{element}; {length}]"),
            Self::Tuple(parts) => {
                f.write_str("(")?;
                list(f, parts)?;
                f.write_str(if parts.len() == 1 { ",)" } else { ")" })
            }
            Self::Never => f.write_str("!"),
            Self::Other(text) => f.write_str(text),
        }
    }
}
