//! The names under which a port may have an item, each with how usual it is.

use upstream::snapshot::{Item, ItemKind};

use super::words::fold;
use crate::convention::{self, Owner};

/// Trait methods with the names that the port's language has for them.
const OF_TRAITS: &[(&str, &str, &[&str])] = &[
    ("Display", "fmt", &["__str__", "to_string", "render", "format"]),
    ("Debug", "fmt", &["__repr__"]),
    ("PartialEq", "eq", &["__eq__"]),
    ("PartialEq", "ne", &["__ne__"]),
    ("PartialOrd", "partial_cmp", &["__lt__", "__le__", "__gt__", "compare"]),
    ("PartialOrd", "lt", &["__lt__"]),
    ("Ord", "cmp", &["__lt__", "compare", "__le__"]),
    ("Hash", "hash", &["__hash__"]),
    ("Add", "add", &["__add__"]),
    ("Sub", "sub", &["__sub__"]),
    ("Mul", "mul", &["__mul__"]),
    ("Div", "div", &["__truediv__", "__floordiv__"]),
    ("Rem", "rem", &["__mod__"]),
    ("Neg", "neg", &["__neg__"]),
    ("Not", "not", &["__invert__", "__bool__"]),
    ("BitAnd", "bitand", &["__and__"]),
    ("BitOr", "bitor", &["__or__"]),
    ("BitXor", "bitxor", &["__xor__"]),
    ("Shl", "shl", &["__lshift__"]),
    ("Shr", "shr", &["__rshift__"]),
    ("AddAssign", "add_assign", &["__iadd__"]),
    ("SubAssign", "sub_assign", &["__isub__"]),
    ("MulAssign", "mul_assign", &["__imul__"]),
    ("BitOrAssign", "bitor_assign", &["__ior__"]),
    ("Index", "index", &["__getitem__"]),
    ("IndexMut", "index_mut", &["__setitem__"]),
    ("Iterator", "next", &["__next__", "__anext__"]),
    ("Stream", "poll_next", &["__anext__"]),
    ("IntoIterator", "into_iter", &["__iter__"]),
    ("Drop", "drop", &["close", "__del__", "__exit__", "__aexit__"]),
    ("Default", "default", &["__init__", "default"]),
    ("From", "from", &["from_", "__init__"]),
    ("FromStr", "from_str", &["parse", "from_string", "from_str", "__init__"]),
    ("TryFrom", "try_from", &["try_from", "from_", "parse"]),
    ("Serialize", "serialize", &["to_dict", "to_json", "to_mapping"]),
    ("Deserialize", "deserialize", &["from_dict", "from_json", "from_mapping"]),
    ("Clone", "clone", &["__copy__", "copy"]),
    ("Deref", "deref", &["__getattr__"]),
    ("Error", "description", &["__str__"]),
];

/// Methods of a type that the port's language has special names for, whatever the trait.
const OF_TYPES: &[(&str, &[&str])] = &[
    ("new", &["__init__", "__new__", "create"]),
    ("len", &["__len__"]),
    ("contains", &["__contains__"]),
    ("contains_key", &["__contains__"]),
    ("iter", &["__iter__"]),
    ("into_iter", &["__iter__"]),
    ("next", &["__next__"]),
    ("get", &["__getitem__"]),
    ("insert", &["__setitem__", "add"]),
    ("remove", &["__delitem__", "pop"]),
    ("push", &["append"]),
    ("extend", &["update"]),
    ("is_empty", &["__bool__"]),
    ("to_string", &["__str__"]),
    ("as_str", &["__str__", "value"]),
    ("eq", &["__eq__"]),
    ("cmp", &["__lt__"]),
    ("call", &["__call__"]),
    ("close", &["__exit__", "__aexit__"]),
    ("open", &["__enter__"]),
    ("from_str", &["parse", "from_string"]),
    ("main", &["__main__"]),
];

/// Beginnings that one language writes and the other leaves out.
const PREFIXES: &[&str] = &[
    "get_",
    "set_",
    "with_",
    "is_",
    "has_",
    "to_",
    "into_",
    "as_",
    "from_",
    "try_",
    "visit_",
    "do_",
    "handle_",
    "make_",
    "build_",
    "calculate_",
    "compute_",
    "parse_",
    "create_",
    "on_",
    "run_",
    "new_",
];
/// Ends that one language writes and the other leaves out.
const SUFFIXES: &[&str] = &[
    "_mut",
    "_async",
    "_impl",
    "_inner",
    "_ref",
    "_unchecked",
    "_owned",
    "_opt",
    "_fn",
    "_sync",
    "_internal",
];

/// How usual a name by a language's own table is.
const SPECIAL: f64 = 0.92;
/// How usual it is that a beginning or an end is left out.
const TRIMMED: f64 = 0.7;
/// How usual it is that a method became a function with its type's name in front.
const FLATTENED: f64 = 0.85;

/// The folded names of an item with how usual each is; the best of each name only.
pub(super) fn of_item(item: &Item) -> Vec<(String, f64)> {
    let names = convention::port_names(item);
    let own = own_name(item);
    let mut forms = vec![(fold(&own), 1.0), (fold(&names.name), 0.97)];
    let owner = match &names.owner {
        Owner::Class(name) => Some(name.clone()),
        Owner::None | Owner::Foreign(_) => None,
    };
    if item.kind == ItemKind::Method {
        special(item, &own, &mut forms);
        if let Some(owner) = &owner {
            forms.push((fold(&format!("{owner}{own}")), FLATTENED));
            forms.push((fold(&format!("{own}{owner}")), FLATTENED * 0.9));
            if own == "new" || own == "default" {
                forms.push((fold(&format!("make{owner}")), TRIMMED));
                forms.push((fold(&format!("create{owner}")), TRIMMED));
            }
        }
    }
    forms.extend(trimmed(&own).into_iter().map(|name| (fold(&name), TRIMMED)));
    if item.is_test {
        forms.extend(own.strip_prefix("test_").map(|bare| (fold(bare), 1.0)));
    }
    best(forms)
}

/// The folded names of a symbol, in the same way.
pub(super) fn of_symbol(name: &str, is_test: bool) -> Vec<(String, f64)> {
    let name = name.split_once('#').map_or(name, |(name, _)| name);
    let bare = if name.starts_with("__") { name } else { name.trim_matches('_') };
    let mut forms = vec![(fold(bare), 1.0)];
    if is_test {
        forms.extend(bare.strip_prefix("test_").map(|bare| (fold(bare), 1.0)));
    }
    if !bare.starts_with("__") {
        forms.extend(trimmed(bare).into_iter().map(|name| (fold(&name), TRIMMED)));
    }
    best(forms)
}

/// The item's own name without the marks of variants and raw identifiers.
pub(super) fn own_name(item: &Item) -> String {
    crate::mapping::without_variant(item.path.name()).trim_start_matches("r#").to_owned()
}

fn special(item: &Item, own: &str, forms: &mut Vec<(String, f64)>) {
    let segments = item.path.segments();
    let holder = segments.len().checked_sub(2).and_then(|at| segments.get(at)).copied().unwrap_or_default();
    let of_trait = holder.rsplit_once(" as ").map(|(_, of_trait)| {
        let of_trait = of_trait.trim_end_matches('>').split('<').next().unwrap_or_default();
        of_trait.rsplit("::").next().unwrap_or_default()
    });
    let usual = |names: &[&str]| {
        let ranked = names.iter().zip(0_u32..);
        ranked.map(|(name, rank)| (fold(name), SPECIAL - 0.04 * f64::from(rank))).collect::<Vec<_>>()
    };
    for (name, method, python) in OF_TRAITS {
        if of_trait == Some(*name) && *method == own {
            forms.extend(usual(python));
        }
    }
    for (method, python) in OF_TYPES {
        if *method == own {
            forms.extend(usual(python));
        }
    }
}

fn trimmed(name: &str) -> Vec<String> {
    let prefixes = PREFIXES.iter().filter_map(|prefix| name.strip_prefix(prefix));
    let suffixes = SUFFIXES.iter().filter_map(|suffix| name.strip_suffix(suffix));
    prefixes.chain(suffixes).filter(|rest| rest.len() > 1).map(str::to_owned).collect()
}

fn best(mut forms: Vec<(String, f64)>) -> Vec<(String, f64)> {
    forms.retain(|(name, _)| !name.is_empty());
    forms.sort_by(|one, other| one.0.cmp(&other.0).then(other.1.total_cmp(&one.1)));
    forms.dedup_by(|later, first| later.0 == first.0);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{an_item, test_function};

    fn has(forms: &[(String, f64)], name: &str) -> bool {
        forms.iter().any(|(form, _)| form == name)
    }

    #[test]
    fn trait_methods_have_their_special_names() {
        let forms = |path| of_item(&an_item(path, ItemKind::Method));
        assert!(has(&forms("k::<Match as PartialOrd<Match>>::partial_cmp"), "__lt__"));
        assert!(has(&forms("k::<Match as std::fmt::Display>::fmt"), "__str__"));
        assert!(has(&forms("k::Match::new"), "__init__"));
        assert!(has(&forms("k::Match::get_best"), "best"));
        assert!(has(&forms("k::Match::best"), "matchbest"));
    }

    #[test]
    fn tests_meet_with_and_without_their_prefix() {
        assert!(has(&of_item(&test_function("k::tests::works_well", "")), "workswell"));
        assert!(has(&of_symbol("test_works_well", true), "workswell"));
        assert!(has(&of_symbol("_get_name", false), "name"));
    }
}
