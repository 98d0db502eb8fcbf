//! Methods of integers that are functions of the runtime module.

use syn::Expr;

use super::Lower;
use crate::compile::ir::Node;
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty};

/// What a method takes beside the number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// Another number of the type.
    Same,
    /// A `u32`.
    Count,
}

/// What a method gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    Number,
    /// A number of the type, or none.
    Option,
    /// A number of the type, and whether it overflowed.
    Pair,
    /// How many bits, as a `u32`.
    Bits,
}

/// The methods, which have the same names in the module.
const METHODS: &[(&str, Takes, Gives)] = &[
    ("div_euclid", Takes::Same, Gives::Number),
    ("rem_euclid", Takes::Same, Gives::Number),
    ("wrapping_div", Takes::Same, Gives::Number),
    ("wrapping_rem", Takes::Same, Gives::Number),
    ("wrapping_neg", Takes::Nothing, Gives::Number),
    ("wrapping_abs", Takes::Nothing, Gives::Number),
    ("wrapping_pow", Takes::Count, Gives::Number),
    ("wrapping_shl", Takes::Count, Gives::Number),
    ("wrapping_shr", Takes::Count, Gives::Number),
    ("checked_div", Takes::Same, Gives::Option),
    ("checked_rem", Takes::Same, Gives::Option),
    ("checked_neg", Takes::Nothing, Gives::Option),
    ("checked_abs", Takes::Nothing, Gives::Option),
    ("checked_pow", Takes::Count, Gives::Option),
    ("checked_shl", Takes::Count, Gives::Option),
    ("checked_shr", Takes::Count, Gives::Option),
    ("saturating_pow", Takes::Count, Gives::Number),
    ("overflowing_add", Takes::Same, Gives::Pair),
    ("overflowing_sub", Takes::Same, Gives::Pair),
    ("overflowing_mul", Takes::Same, Gives::Pair),
    ("overflowing_neg", Takes::Nothing, Gives::Pair),
    ("count_ones", Takes::Nothing, Gives::Bits),
    ("count_zeros", Takes::Nothing, Gives::Bits),
    ("leading_zeros", Takes::Nothing, Gives::Bits),
    ("leading_ones", Takes::Nothing, Gives::Bits),
    ("trailing_ones", Takes::Nothing, Gives::Bits),
    ("rotate_left", Takes::Count, Gives::Number),
    ("rotate_right", Takes::Count, Gives::Number),
    ("swap_bytes", Takes::Nothing, Gives::Number),
    ("reverse_bits", Takes::Nothing, Gives::Number),
];

impl Lower<'_> {
    /// A method that the port's language has no short form of.
    pub(super) fn runtime_method(
        &mut self,
        number: Node,
        int: Int,
        name: &str,
        arguments: &[&Expr],
    ) -> Made<Node> {
        let unknown = || refuse(Reason::Method, format!("`{name}` of `{}`", int.name()));
        let Some(runtime) = self.program.runtime() else { return unknown() };
        let Some((_, takes, gives)) = METHODS.iter().find(|(method, ..)| *method == name) else {
            return unknown();
        };
        let of = int.name().to_uppercase();
        if !runtime.names.contains(name) || !runtime.names.contains(&of) {
            return unknown();
        }
        let ty = Ty::Int(int);
        let mut all = vec![number];
        match (takes, arguments) {
            (Takes::Nothing, []) => {}
            (Takes::Same, [_]) => all.push(self.one_of(arguments, &ty)?),
            (Takes::Count, [count]) => {
                let count = self.expr(count)?;
                self.expect(&count, &Ty::Int(Int::U32))?;
                all.push(count);
            }
            (Takes::Nothing | Takes::Same | Takes::Count, _) => return unknown(),
        }
        Ok(match gives {
            Gives::Number => Node::runtime(ty, name, all, &of),
            Gives::Option => Node::runtime(Ty::option(ty), name, all, &of),
            Gives::Pair => Node::runtime(Ty::Tuple(vec![ty, Ty::Bool]), name, all, &of),
            Gives::Bits => Node::runtime(Ty::Int(Int::U32), name, all, &of).between(0, 64),
        })
    }
}
