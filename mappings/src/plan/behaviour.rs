//! Changes after which a port behaves as before: documentation, visibility, attributes for the compiler.

use upstream::diff::{Aspects, ItemChange};
use upstream::snapshot::Item;

/// Attributes that say something to the Rust compiler or its users, and nothing to a port in a language
/// without a compiler. `cfg` is not among them: what it leaves out, the port must leave out too.
const WITHOUT_EFFECT: &[&str] = &[
    "allow",
    "automatically_derived",
    "cold",
    "deny",
    "derive",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "rustfmt",
    "track_caller",
    "warn",
];

/// Why nothing that runs is different, if that is so.
pub(crate) fn without_behaviour(change: &ItemChange) -> Option<String> {
    let (before, after, aspects) = match change {
        ItemChange::Added { .. } | ItemChange::Removed { .. } => return None,
        ItemChange::Modified { before, after, aspects }
        | ItemChange::Relocated { before, after, aspects } => (before, after, *aspects),
    };
    // A renamed item's header differs by its name, and the name is dealt with as such.
    let renamed = before.path.name() != after.path.name();
    let Aspects { signature, body, docs, attributes, visibility } = aspects;
    if body || (signature && !(renamed && same_header_but_for_name(before, after))) {
        return None;
    }
    // What becomes test code runs no longer, or elsewhere.
    if before.is_test != after.is_test {
        return None;
    }
    if attributes && effective(before) != effective(after) {
        return None;
    }
    let parts =
        [(docs, "documentation"), (attributes, "attributes without effect"), (visibility, "visibility")];
    let parts: Vec<&str> = parts.iter().filter_map(|(changed, name)| changed.then_some(*name)).collect();
    Some(match parts.as_slice() {
        [] => "its path alone changed".to_owned(),
        _ => format!("only {} changed", parts.join(" and ")),
    })
}

/// Whether parsed parts of the header agree. Only functions have them; anything else may differ.
fn same_header_but_for_name(before: &Item, after: &Item) -> bool {
    before.signature.is_some() && before.signature == after.signature
}

fn effective(item: &Item) -> Vec<&str> {
    item.attributes.iter().map(String::as_str).filter(|attribute| has_effect(attribute)).collect()
}

fn has_effect(attribute: &str) -> bool {
    let inner = attribute.trim().trim_start_matches(['#', '!']).trim_start();
    let inner = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(inner).trim();
    let name = inner.split(['(', '=', ' ', ':']).next().unwrap_or_default();
    if name == "cfg_attr" {
        let arguments = inner.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        return arguments
            .is_none_or(|arguments| top_level(arguments).iter().skip(1).any(|one| has_effect(one)));
    }
    !name.is_empty() && !WITHOUT_EFFECT.contains(&name)
}

/// Splits at commas outside brackets and strings.
fn top_level(text: &str) -> Vec<&str> {
    let (mut depth, mut in_text, mut start, mut parts) = (0_usize, false, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => in_text = !in_text,
            b'(' | b'[' | b'{' if !in_text => depth += 1,
            b')' | b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            b',' if depth == 0 && !in_text => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{function, with_attributes, with_docs};
    use upstream::diff::item_change;

    fn reason(before: &Item, after: &Item) -> Option<String> {
        without_behaviour(&item_change(Some(before), Some(after)).unwrap())
    }

    #[test]
    fn documentation_alone_is_no_behaviour() {
        let plain = function("k::f", "1");
        let reason = reason(&plain, &with_docs(plain.clone(), "words")).unwrap();
        assert_eq!(reason, "only documentation changed");
    }

    #[test]
    fn attributes_for_the_compiler_are_no_behaviour_and_cfg_is() {
        let plain = function("k::f", "1");
        for attribute in [
            "#[inline]",
            "#[inline(always)]",
            "#[must_use = \"it is pure\"]",
            "#[derive(Debug, Clone)]",
            "#[allow(clippy::all)]",
            "#[rustfmt::skip]",
            "#[cfg_attr(docsrs, doc(cfg(feature = \"std\")))]",
            "#[cfg_attr(feature = \"a,b\", derive(Hash), inline)]",
            "inline",
        ] {
            let after = with_attributes(plain.clone(), &[attribute]);
            assert_eq!(
                reason(&plain, &after).as_deref(),
                Some("only attributes without effect changed"),
                "{attribute}"
            );
        }
        for attribute in [
            "#[cfg(feature = \"std\")]",
            "#[cfg_attr(windows, path = \"x.rs\")]",
            "#[cfg_attr(windows, inline, no_mangle)]",
            "#[deprecated]",
            "#[test]",
        ] {
            let after = with_attributes(plain.clone(), &[attribute]);
            assert_eq!(reason(&plain, &after), None, "{attribute}");
        }
    }

    #[test]
    fn a_body_is_behaviour_whatever_else_changed() {
        let plain = function("k::f", "1");
        assert_eq!(reason(&plain, &with_docs(function("k::f", "2"), "words")), None);
    }
}
