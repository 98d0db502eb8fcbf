//! Methods of numbers and truth values.

use syn::Expr;

use super::Lower;
use crate::compile::ir::{Binds, Kind, Node};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty};

impl Lower<'_> {
    pub(super) fn number_method(&mut self, number: Node, name: &str, arguments: &[&Expr]) -> Made<Node> {
        let ty = self.types.bare(&number.ty);
        let known = match ty {
            Ty::Int(int) => Some(int),
            _ => None,
        };
        let unknown = || refuse(Reason::Method, format!("`{name}` of an integer"));
        match (name, arguments) {
            ("min" | "max", [_]) => {
                let other = self.one_of(arguments, &ty)?;
                Ok(Node::atom(ty, format!("{name}(<0>, <1>)"), vec![number, other]))
            }
            ("clamp", [low, high]) => {
                let bounds = self.given([*low, *high], &[ty.clone(), ty.clone()])?;
                let all = std::iter::once(number).chain(bounds).collect();
                Ok(Node::helper(ty, "_clamp", all))
            }
            ("cmp", [_]) => {
                let other = self.one_of(arguments, &ty)?;
                Ok(Node::helper(Ty::Ordering, "_compare", vec![number, other]))
            }
            ("to_string", []) => Ok(Node::atom(Ty::Str, "str(<0>)", vec![number])),
            ("is_positive", []) => Ok(Node::template(Ty::Bool, "{c0} > 0", vec![number], Binds::Compare)),
            ("is_negative", []) => Ok(Node::template(Ty::Bool, "{c0} < 0", vec![number], Binds::Compare)),
            ("eq", [_]) => {
                let other = self.one_of(arguments, &ty)?;
                self.comparison("==", number, other)
            }
            ("abs_diff", [_]) => {
                let other = self.one_of(arguments, &ty)?;
                let Some(int) = known else { return unknown() };
                Ok(Node::atom(Ty::Int(Int { signed: false, ..int }), "abs({s0} - {p1})", vec![number, other]))
            }
            ("rem_euclid", [_]) if known.is_some_and(|int| !int.signed) => {
                let other = self.one_of(arguments, &ty)?;
                self.arithmetic(crate::compile::ir::Arith::Rem, number, other)
            }
            _ => match known {
                Some(int) => self.wide_method(number, int, name, arguments),
                None => refuse(Reason::Method, format!("`{name}` of an integer of unknown width")),
            },
        }
    }

    /// Methods that depend on the width.
    fn wide_method(&mut self, number: Node, int: Int, name: &str, arguments: &[&Expr]) -> Made<Node> {
        let ty = Ty::Int(int);
        let limits =
            || [Node::new(ty.clone(), Kind::Int(int.low())), Node::new(ty.clone(), Kind::Int(int.high()))];
        if let Some((lead, operation)) = name.split_once('_')
            && matches!(lead, "wrapping" | "checked" | "saturating")
        {
            let symbol = match operation {
                "add" => "+",
                "sub" => "-",
                "mul" => "*",
                _ => return self.special_operation(number, int, name, arguments),
            };
            let other = self.one_of(arguments, &ty)?;
            let plain = |number, other| match symbol {
                "*" => Node::template(ty.clone(), "{p0} * {u1}", vec![number, other], Binds::Product),
                "+" => Node::template(ty.clone(), "{s0} + {p1}", vec![number, other], Binds::Sum),
                _ => Node::template(ty.clone(), "{s0} - {p1}", vec![number, other], Binds::Sum),
            };
            let result = plain(number, other);
            let [low, high] = limits();
            return Ok(match (lead, symbol, int.signed) {
                ("wrapping", _, false) => {
                    let mask = Node::text(ty.clone(), mask(int));
                    Node::template(ty, "{a0} & <1>", vec![result, mask], Binds::BitAnd)
                }
                ("wrapping", _, true) => {
                    let bits = Node::new(ty.clone(), Kind::Int(i128::from(int.bits)));
                    Node::helper(ty, "_wrap_signed", vec![result, bits])
                }
                ("saturating", "-", false) => Node::atom(ty, "max(<0>, 0)", vec![result]),
                ("saturating", _, false) => {
                    Node::atom(ty.clone(), "min(<0>, <1>)", vec![result, Node::text(ty, mask(int))])
                }
                ("saturating", _, true) => Node::helper(ty, "_clamp", vec![result, low, high]),
                _ => {
                    let high = Node::text(ty.clone(), limit(int));
                    Node::helper(Ty::option(ty), "_checked", vec![result, low, high])
                }
            });
        }
        match (name, arguments) {
            ("pow", [exponent]) => {
                let exponent = self.expr(exponent)?;
                self.expect(&exponent, &Ty::Int(Int::U32))?;
                Ok(held(int, Node::helper(ty, "_pow", vec![number, exponent])))
            }
            ("abs", []) if int.signed => Ok(held(int, Node::atom(ty, "abs(<0>)", vec![number]))),
            ("signum", []) if int.signed => {
                let zero = Node::new(ty.clone(), Kind::Int(0));
                Ok(Node::helper(ty, "_compare", vec![number, zero]))
            }
            ("count_ones", []) if !int.signed => {
                Ok(Node::atom(Ty::Int(Int::U32), "{0}.bit_count()", vec![number]).between(0, 64))
            }
            ("leading_zeros", []) if !int.signed => {
                let text = format!("{} - {{0}}.bit_length()", int.bits);
                Ok(Node::template(Ty::Int(Int::U32), text, vec![number], Binds::Sum).between(0, 64))
            }
            ("trailing_zeros", []) => {
                let bits = Node::new(ty, Kind::Int(i128::from(int.bits)));
                Ok(Node::helper(Ty::Int(Int::U32), "_trailing_zeros", vec![number, bits]).between(0, 64))
            }
            ("is_power_of_two", []) if !int.signed => {
                Ok(Node::template(Ty::Bool, "{0}.bit_count() == 1", vec![number], Binds::Compare))
            }
            ("rotate_left" | "rotate_right", [by]) if !int.signed => {
                let by = self.expr(by)?;
                self.expect(&by, &Ty::Int(Int::U32))?;
                let by = if name == "rotate_right" {
                    Node::template(Ty::Int(Int::U32), "-{u0}", vec![by], Binds::Unary)
                } else {
                    by
                };
                let bits = Node::new(ty.clone(), Kind::Int(i128::from(int.bits)));
                Ok(Node::helper(ty, "_rotate_left", vec![number, by, bits]))
            }
            (
                "is_ascii_digit"
                | "is_ascii_alphabetic"
                | "is_ascii_alphanumeric"
                | "is_ascii_uppercase"
                | "is_ascii_lowercase"
                | "is_ascii_hexdigit"
                | "is_ascii"
                | "is_ascii_whitespace"
                | "is_ascii_punctuation"
                | "to_ascii_lowercase"
                | "to_ascii_uppercase"
                | "eq_ignore_ascii_case",
                _,
            ) if int == Int::U8 => self.byte_method(number, name, arguments),
            _ => self.runtime_method(number, int, name, arguments),
        }
    }

    fn byte_method(&mut self, byte: Node, name: &str, arguments: &[&Expr]) -> Made<Node> {
        let test = |text: &str, byte: Node| {
            Ok(Node::template(Ty::Bool, text.to_owned(), vec![byte], Binds::Compare))
        };
        if !arguments.is_empty() {
            return refuse(Reason::Method, format!("`{name}` of a byte"));
        }
        match name {
            "is_ascii" => test("{c0} < 0x80", byte),
            "is_ascii_digit" => test("0x30 <= {c0} <= 0x39", byte),
            "is_ascii_uppercase" => test("0x41 <= {c0} <= 0x5A", byte),
            "is_ascii_lowercase" => test("0x61 <= {c0} <= 0x7A", byte),
            "is_ascii_whitespace" => test("{c0} in b\" \\t\\n\\x0c\\r\"", byte),
            "is_ascii_hexdigit" => test("{c0} in b\"0123456789abcdefABCDEF\"", byte),
            "is_ascii_alphabetic" | "is_ascii_alphanumeric" | "is_ascii_punctuation" => {
                let method = match name {
                    "is_ascii_alphabetic" => "isalpha",
                    "is_ascii_alphanumeric" => "isalnum",
                    _ => return refuse(Reason::Method, format!("`{name}` of a byte")),
                };
                Ok(Node::atom(Ty::Bool, format!("bytes((<0>,)).{method}()"), vec![byte]))
            }
            _ => {
                let method = if name == "to_ascii_lowercase" { "lower" } else { "upper" };
                Ok(Node::atom(Ty::Int(Int::U8), format!("bytes((<0>,)).{method}()[0]"), vec![byte]))
            }
        }
    }

    fn special_operation(&mut self, number: Node, int: Int, name: &str, arguments: &[&Expr]) -> Made<Node> {
        let ty = Ty::Int(int);
        match (name, int.signed) {
            ("checked_div" | "checked_rem", false) => {
                let other = self.one_of(arguments, &ty)?;
                let helper = if name == "checked_div" { "_checked_div" } else { "_checked_rem" };
                Ok(Node::helper(Ty::option(ty), helper, vec![number, other]))
            }
            ("wrapping_neg", false) => {
                let mask = Node::text(ty.clone(), mask(int));
                Ok(Node::template(ty, "-{u0} & <1>", vec![number, mask], Binds::BitAnd))
            }
            _ => self.runtime_method(number, int, name, arguments),
        }
    }

    pub(super) fn float_method(&mut self, number: Node, name: &str, arguments: &[&Expr]) -> Made<Node> {
        match (name, arguments) {
            ("abs", []) => Ok(Node::atom(Ty::Float, "abs(<0>)", vec![number])),
            ("is_nan", []) => Ok(Node::atom(Ty::Bool, "math.isnan(<0>)", vec![number]).needing("math")),
            ("is_finite", []) => Ok(Node::atom(Ty::Bool, "math.isfinite(<0>)", vec![number]).needing("math")),
            ("is_infinite", []) => Ok(Node::atom(Ty::Bool, "math.isinf(<0>)", vec![number]).needing("math")),
            ("min" | "max", [_]) => {
                let other = self.one_of(arguments, &Ty::Float)?;
                let helper = if name == "min" { "_float_min" } else { "_float_max" };
                Ok(Node::helper(Ty::Float, helper, vec![number, other]))
            }
            _ => refuse(Reason::Method, format!("`{name}` of `f64`")),
        }
    }

    pub(super) fn bool_method(&mut self, value: Node, name: &str, arguments: &[&Expr]) -> Made<Node> {
        match (name, arguments) {
            ("to_string", []) => Ok(Node::atom(Ty::Str, "str(<0>).lower()", vec![value])),
            ("then_some", [_]) => {
                let inner = self.one(arguments)?;
                let ty = self.option_of(inner.ty.clone())?;
                Ok(Node::template(ty, "{o1} if {o0} else None", vec![value, inner], Binds::Conditional))
            }
            ("then", [closure]) => {
                let (_, inner) = self.closure(closure, &[])?;
                let ty = self.option_of(inner.ty.clone())?;
                let none = Node::text(ty.clone(), "None");
                Ok(Node::new(ty, Kind::If(Box::new(value), Box::new(inner), Some(Box::new(none)))))
            }
            _ => refuse(Reason::Method, format!("`{name}` of `bool`")),
        }
    }

    pub(super) fn ordering_method(&mut self, order: Node, name: &str, arguments: &[&Expr]) -> Made<Node> {
        let test = |text: &str, order: Node| Ok(Node::template(Ty::Bool, text, vec![order], Binds::Compare));
        match (name, arguments) {
            ("is_eq", []) => test("{c0} == 0", order),
            ("is_ne", []) => test("{c0} != 0", order),
            ("is_lt", []) => test("{c0} < 0", order),
            ("is_le", []) => test("{c0} <= 0", order),
            ("is_gt", []) => test("{c0} > 0", order),
            ("is_ge", []) => test("{c0} >= 0", order),
            ("reverse", []) => Ok(Node::template(Ty::Ordering, "-{u0}", vec![order], Binds::Unary)),
            ("then", [_]) => {
                let other = self.one_of(arguments, &Ty::Ordering)?;
                Ok(Node::template(Ty::Ordering, "{o0} or {o1}", vec![order, other], Binds::Or))
            }
            ("then_with", [closure]) => {
                let (_, other) = self.closure(closure, &[])?;
                self.expect(&other, &Ty::Ordering)?;
                if other.needs_statements() {
                    return refuse(Reason::Closure, "a closure that is more than an expression");
                }
                Ok(Node::template(Ty::Ordering, "{o0} or {o1}", vec![order, other], Binds::Or))
            }
            _ => refuse(Reason::Method, format!("`{name}` of an ordering")),
        }
    }
}

/// The value, which raises where the type cannot hold it.
pub(in crate::compile) fn held(int: Int, value: Node) -> Node {
    Node::helper(Ty::Int(int), holder(int), vec![value])
}

/// The helper that holds a number to its type.
pub(in crate::compile) fn holder(int: Int) -> &'static str {
    match (int.signed, int.bits, int.size) {
        (false, _, true) => "_usize",
        (true, _, true) => "_isize",
        (false, 8, _) => "_u8",
        (false, 16, _) => "_u16",
        (false, 32, _) => "_u32",
        (false, _, _) => "_u64",
        (true, 8, _) => "_i8",
        (true, 16, _) => "_i16",
        (true, 32, _) => "_i32",
        (true, _, _) => "_i64",
    }
}

/// All bits of an unsigned type.
pub(in crate::compile) fn mask(int: Int) -> String {
    let high = (1_u128 << int.bits) - 1;
    format!("0x{high:X}")
}

/// The greatest value, in the form that is read most easily.
fn limit(int: Int) -> String {
    if int.signed { int.high().to_string() } else { mask(int) }
}
