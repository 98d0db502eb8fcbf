//! What of the runtime module a prompt tells: those functions that answer what the changed Rust does, and no others.

use std::collections::BTreeSet;

/// Functions with what is said of them, and the tokens of Rust that they answer.
struct Row {
    /// How they are told; the names in it are before the parentheses.
    told: &'static str,
    names: &'static [&'static str],
    /// Tokens that announce them: any of these in what changed.
    triggers: &'static [&'static str],
    /// And any of these in the items, where there are some.
    with: &'static [&'static str],
}

/// Methods that are functions of the same name, `name(value, …, ty)`, begin like this.
const FAMILIES: [&str; 4] = ["wrapping_", "checked_", "saturating_", "overflowing_"];

const SIGNED: &[&str] = &["i8", "i16", "i32", "i64", "i128", "isize"];
const FLOATS: &[&str] = &["f32", "f64"];

const ROWS: &[Row] = &[
    Row {
        told: "fit(value, ty): the value, Panic where the type cannot hold it",
        names: &["fit"],
        triggers: &["-", "-="],
        with: &["u8", "u16", "u32", "u64", "u128", "usize"],
    },
    Row {
        told: "div(left, right, ty), rem(left, right, ty): towards zero",
        names: &["div", "rem"],
        triggers: &["/", "%", "/=", "%="],
        with: SIGNED,
    },
    Row {
        told: "div_euclid(left, right, ty), rem_euclid(left, right, ty)",
        names: &["div_euclid", "rem_euclid"],
        triggers: &["div_euclid", "rem_euclid"],
        with: &[],
    },
    Row { told: "wrap(value, ty): `as` between integers", names: &["wrap"], triggers: &["as"], with: &[] },
    Row {
        told: "float_as_int(value, ty): `as` from a float",
        names: &["float_as_int"],
        triggers: &["as"],
        with: FLOATS,
    },
    Row {
        told: "try_fit(value, ty): the value or None",
        names: &["try_fit"],
        triggers: &["try_from", "try_into"],
        with: &[],
    },
    Row {
        told: "shl(value, count, ty), shr(value, count, ty): by width",
        names: &["shl", "shr"],
        triggers: &["<<", "<<=", ">>="],
        with: &[],
    },
    Row {
        told: "power(base, exponent, ty): Panic where it overflows",
        names: &["power"],
        triggers: &["pow"],
        with: &[],
    },
    Row {
        told: "float_div(left, right): also by zero",
        names: &["float_div"],
        triggers: &["/", "/="],
        with: FLOATS,
    },
    Row { told: "float_rem(left, right)", names: &["float_rem"], triggers: &["%", "%="], with: FLOATS },
    Row {
        told: "float_min(left, right), float_max(left, right): the other one where one is NaN",
        names: &["float_min", "float_max"],
        triggers: &["min", "max"],
        with: FLOATS,
    },
    Row {
        told: "float_round(value): halves away from zero",
        names: &["float_round"],
        triggers: &["round"],
        with: &[],
    },
    Row { told: "float_sqrt(value)", names: &["float_sqrt"], triggers: &["sqrt"], with: &[] },
    Row {
        told: "f32(value): rounded to single precision, after each operation; int_as_f32(value)",
        names: &["f32", "int_as_f32"],
        triggers: &["f32"],
        with: &[],
    },
    Row {
        told: "char_from_u32(code): None where it is no character",
        names: &["char_from_u32"],
        triggers: &["from_u32"],
        with: &[],
    },
    Row {
        told: "unwrap(value, message): Panic for None",
        names: &["unwrap"],
        triggers: &["unwrap", "expect"],
        with: &[],
    },
    Row {
        told: "Panic(message), to be raised: no `except Exception` catches it",
        names: &["Panic"],
        triggers: &["panic", "unreachable", "todo", "unimplemented"],
        with: &[],
    },
];

/// Methods about bits, which are functions of the same name with the type behind the arguments.
const BITS: [&str; 10] = [
    "count_ones",
    "count_zeros",
    "leading_zeros",
    "leading_ones",
    "trailing_zeros",
    "trailing_ones",
    "rotate_left",
    "rotate_right",
    "swap_bytes",
    "reverse_bits",
];

/// What is told of the functions that answer these tokens; empty where none does. `changed` are the tokens of what
/// changed, `whole` those of the whole items, `names` what the module has.
pub fn offered(
    changed: &BTreeSet<String>,
    whole: &BTreeSet<String>,
    names: &BTreeSet<String>,
) -> Vec<String> {
    let has = |tokens: &BTreeSet<String>, any: &[&str]| any.iter().any(|token| tokens.contains(*token));
    let is_method = |name: &&String| {
        FAMILIES.iter().any(|family| name.starts_with(family)) || BITS.contains(&name.as_str())
    };
    let methods = changed.iter().filter(is_method).filter(|name| names.contains(*name));
    let mut told: Vec<String> = methods.map(|name| format!("{name}(…, ty)")).collect();
    let answers = |row: &&Row| {
        has(changed, row.triggers)
            && (row.with.is_empty() || has(whole, row.with))
            && row.names.iter().all(|name| names.contains(*name))
    };
    told.extend(ROWS.iter().filter(answers).map(|row| row.told.to_owned()));
    if told.iter().any(|row| row.contains("ty)")) {
        told.push("`ty` is one of I8, I16, I32, I64, I128, ISIZE, U8, U16, U32, U64, U128, USIZE".to_owned());
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::python::tests::python;
    use crate::runtime::Runtime;

    fn names() -> BTreeSet<String> {
        let python = python();
        let offer = Runtime::new("p/_tl_rt.py", &python).unwrap().offer(None, &python);
        offer.importable().unwrap().names.clone()
    }

    fn told(changed: &[&str], whole: &[&str]) -> Vec<String> {
        let set = |tokens: &[&str]| tokens.iter().map(|token| (*token).to_owned()).collect();
        offered(&set(changed), &set(whole), &names())
    }

    #[test]
    fn only_what_answers_the_change_is_told() {
        assert_eq!(told(&["fn", "x", "+", "len"], &["u32"]), [""; 0]);
        assert_eq!(told(&["/"], &["u32"]), [""; 0], "what has no sign is divided alike");
        let [division, types] = &told(&["/"], &["i32"])[..] else { panic!("two lines") };
        assert!(division.starts_with("div(") && types.contains("I32"));
        assert_eq!(told(&["wrapping_add"], &[])[0], "wrapping_add(…, ty)");
        assert_eq!(told(&["round"], &["f64"]), ["float_round(value): halves away from zero"]);
        assert_eq!(told(&["wrapping_frobnicate"], &[]), [""; 0]);
    }

    #[test]
    fn every_name_that_is_told_is_there_and_every_name_is_told() {
        let names = names();
        let mut told: BTreeSet<&str> = ROWS.iter().flat_map(|row| row.names).copied().collect();
        for row in ROWS {
            assert!(row.names.iter().all(|name| row.told.contains(&format!("{name}("))), "{}", row.told);
        }
        told.extend(BITS);
        for name in &told {
            assert!(names.contains(*name), "{name}");
        }
        let method = |name: &str| FAMILIES.iter().any(|family| name.starts_with(family));
        let ty = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let untold: Vec<&String> =
            names.iter().filter(|name| !told.contains(name.as_str()) && !method(name) && !ty(name)).collect();
        // What these say is written shorter: `~x`, `x ^ 0xFF`, `max(0, min(x, 255))`, and the class of the types.
        assert_eq!(untold, ["IntType", "bit_not", "saturate"]);
    }
}
