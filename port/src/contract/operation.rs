//! Traits of the standard library whose methods can be asked, and how.

/// What values of a type can do by traits of the standard library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `Display`: the text.
    Show,
    /// `PartialEq`, `PartialOrd`, `Ord`: with another value of the type, or with what the trait names.
    Compare,
    /// `Iterator::next`: what it gives to its end, for one step says little.
    Iterate,
}

/// A trait of the standard library as it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StdTrait {
    /// Its path, with what it is applied to.
    pub path: String,
    /// How its method is asked, where that is not a plain call.
    pub operation: Option<Operation>,
}

/// The trait that stands in an implementation's header under this name, where this method of it can be asked.
pub(super) fn std_trait(name: &str, method: &str) -> Option<StdTrait> {
    let (bare, arguments) = name.split_at(name.find('<').unwrap_or(name.len()));
    let last = bare.rsplit("::").next().unwrap_or_default();
    let (module, operation) = match last {
        "FromStr" => ("str", None),
        "Default" => ("default", None),
        "Display" => ("fmt", Some(Operation::Show)),
        "PartialEq" | "PartialOrd" | "Ord" => ("cmp", Some(Operation::Compare)),
        "Iterator" if method == "next" => ("iter", Some(Operation::Iterate)),
        "FromIterator" => ("iter", None),
        "From" | "TryFrom" | "AsRef" => ("convert", None),
        "Deref" | "Neg" | "Not" | "Add" | "Sub" | "Mul" | "Div" | "Rem" => ("ops", None),
        "BitAnd" | "BitOr" | "BitXor" | "Shl" | "Shr" => ("ops", None),
        _ => return None,
    };
    let applied = match arguments {
        "" | "<Self>" => "",
        "<&str>" | "<str>" | "<String>" | "<[u8]>" => arguments,
        // Whatever it is applied to is a parameter's type, and so the compiler knows it.
        _ if last != "AsRef" => "<_>",
        _ => return None,
    };
    Some(StdTrait { path: format!("::std::{module}::{last}{applied}"), operation })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str, method: &str) -> Option<String> {
        std_trait(name, method).map(|found| found.path)
    }

    #[test]
    fn what_a_trait_is_applied_to_is_inferred_unless_it_is_plain() {
        assert_eq!(path("fmt::Display", "fmt").as_deref(), Some("::std::fmt::Display"));
        assert_eq!(path("From<bytes::Quoter>", "from").as_deref(), Some("::std::convert::From<_>"));
        assert_eq!(path("PartialEq<str>", "eq").as_deref(), Some("::std::cmp::PartialEq<str>"));
        assert_eq!(path("AsRef<Path>", "as_ref"), None);
        assert_eq!(path("Iterator", "next").as_deref(), Some("::std::iter::Iterator"));
        assert_eq!(path("Iterator", "size_hint"), None);
        assert_eq!(path("serde::Serialize", "serialize"), None);
    }
}
