//! Why a unit is likely to be translated wrong at the first attempt: what several candidates are worth asking for.
//!
//! The signs are those that published ports name where they had to try again: unsafe code, arithmetic whose limits
//! differ, serialisation, regular expressions, three symbols or more, and that it was parked before.

use std::collections::BTreeSet;

use mappings::WorkUnit;

use super::rules::tokens::scan;

/// So many symbols are many.
const SYMBOLS_MANY: usize = 3;

/// Words of a kind, and the beginnings of words.
struct Sign {
    why: &'static str,
    words: &'static [&'static str],
    beginnings: &'static [&'static str],
}

const SIGNS: &[Sign] = &[
    Sign { why: "unsafe code", words: &["unsafe", "transmute", "MaybeUninit"], beginnings: &[] },
    Sign {
        why: "arithmetic at its limits",
        words: &[
            "%",
            "<<",
            ">>",
            "abs",
            "pow",
            "rem_euclid",
            "div_euclid",
            "leading_zeros",
            "trailing_zeros",
        ],
        beginnings: &["wrapping_", "saturating_", "checked_", "overflowing_"],
    },
    Sign {
        why: "serialisation",
        words: &["serde", "Serialize", "Deserialize", "serde_json"],
        beginnings: &["serialize_", "deserialize_"],
    },
    Sign { why: "regular expressions", words: &["Regex", "RegexSet", "regex"], beginnings: &[] },
];

/// The reasons to think that a unit is risky, in a fixed order; `parked` says whether it waited for a person before.
pub fn risks(unit: &WorkUnit, parked: bool) -> Vec<&'static str> {
    let items = unit.members.iter().filter_map(|member| member.change.after());
    // A text that cannot be read has no sign in it.
    let words: BTreeSet<String> =
        items.flat_map(|item| scan(&item.text).unwrap_or_default()).map(|token| token.text).collect();
    let shows = |sign: &&Sign| {
        words.iter().any(|word| {
            sign.words.contains(&word.as_str()) || sign.beginnings.iter().any(|begin| word.starts_with(begin))
        })
    };
    let mut risks: Vec<&'static str> = SIGNS.iter().filter(shows).map(|sign| sign.why).collect();
    let symbols: BTreeSet<_> = unit.members.iter().map(|member| &member.symbol).collect();
    if symbols.len() >= SYMBOLS_MANY {
        risks.push("three symbols or more");
    }
    if parked {
        risks.push("parked before");
    }
    risks
}

#[cfg(test)]
mod tests {
    use upstream::ItemKind;

    use super::*;
    use crate::translate::testing::{body_change, context, limit_request, request};

    fn unit(after: &str) -> WorkUnit {
        let change = body_change("krate::f", ItemKind::Function, "fn f() {}", after);
        request(change, vec![context("pkg.f", "pkg.py", "def f(): pass")]).unit
    }

    #[test]
    fn each_sign_is_told_once_and_by_whole_words() {
        assert_eq!(risks(&limit_request().unit, false), Vec::<&str>::new());
        let told = risks(&unit("fn f(a: u8) { unsafe { a.wrapping_add(a % 3) >> 1 } }"), false);
        assert_eq!(told, ["unsafe code", "arithmetic at its limits"]);
        assert_eq!(
            risks(&unit("fn f() { Regex::new(\"unsafe\") }"), true),
            ["regular expressions", "parked before"]
        );
        assert_eq!(risks(&unit("fn f() { not_unsafe(); // unsafe % \n }"), false), Vec::<&str>::new());
        assert_eq!(
            risks(&unit("fn f( { \" "), false),
            Vec::<&str>::new(),
            "what cannot be read shows nothing"
        );
    }

    #[test]
    fn many_symbols_are_a_risk_and_one_that_was_split_counts_each() {
        let mut many = unit("fn f() {}");
        for name in ["g", "h"] {
            let mut member = many.members[0].clone();
            member.symbol = mappings::SymbolPath::new(format!("pkg.{name}")).unwrap();
            many.members.push(member);
        }
        assert_eq!(risks(&many, false), ["three symbols or more"]);
    }
}
