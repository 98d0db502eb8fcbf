//! What is known of integers, so that only what may leave its type is held to it.
//!
//! A counter of 64 bits that only grows by small steps cannot reach the end of its type: no execution has 2^42
//! steps. That, and lengths, is what most code needs.

use std::collections::{BTreeMap, BTreeSet};

use super::Emit;
use crate::compile::ir::{Arith, Kind, Local, Node, Pattern, Statement};
use crate::compile::ty::Ty;

/// What counters are taken to stay below.
const COUNTED: i128 = 1 << 62;
/// What they begin below.
const BEGIN: i128 = 1 << 61;
/// The most that one step adds.
const STEP: i128 = 1 << 20;

type Between = (i128, i128);

impl Emit<'_, '_> {
    /// Looks through a body.
    pub(in crate::compile) fn learn(&mut self, body: &Node) {
        let mut stores: BTreeMap<Local, Vec<&Node>> = BTreeMap::new();
        let mut opaque: BTreeSet<Local> = BTreeSet::new();
        body.walk(&mut |node| match &node.kind {
            Kind::Block(statements, _) => {
                for statement in statements {
                    if let Statement::Let {
                        pattern: Pattern::Bind(local, None), value: Some(value), ..
                    } = statement
                    {
                        stores.entry(*local).or_default().push(value);
                    }
                }
            }
            Kind::Assign(place, value) => {
                if let Kind::Local(local) = place.kind {
                    stores.entry(local).or_default().push(value);
                }
            }
            // What is changed in any other way is not followed.
            Kind::Do(template) => {
                for argument in &template.arguments {
                    if let Kind::Local(local) = argument.kind {
                        opaque.insert(local);
                    }
                }
            }
            _ => {}
        });
        let counters: Vec<Local> = stores.keys().copied().filter(|local| !opaque.contains(local)).collect();
        for local in &counters {
            let ty = self.lower.locals.get(*local).map(|binding| self.lower.types.full(&binding.ty));
            match ty {
                Some(Ty::Int(int)) if int.bits == 64 => {
                    self.facts.insert(*local, (if int.signed { -COUNTED } else { 0 }, COUNTED));
                }
                Some(_) | None => {}
            }
        }
        self.loops(body);
        loop {
            let wrong = counters.iter().copied().find(|local| {
                self.facts.contains_key(local)
                    && stores.get(local).into_iter().flatten().any(|value| !self.stays(value))
            });
            match wrong {
                Some(local) => {
                    self.facts.remove(&local);
                    self.loops(body);
                }
                None => break,
            }
        }
        // What is stored once is as narrow as its value.
        for local in counters {
            let once = stores.get(&local).filter(|values| values.len() == 1);
            if let Some([value]) = once.map(Vec::as_slice)
                && let Some(between) = self.between(value)
            {
                self.facts.insert(local, between);
            }
        }
    }

    /// Whether a stored value grows by a small step at the most.
    fn stays(&self, value: &Node) -> bool {
        match self.between(value) {
            Some((low, high)) => {
                let signed = matches!(self.ty(value), Ty::Int(int) if int.signed);
                let least = if signed { -COUNTED - STEP } else { 0 };
                let most = if grows(value) { COUNTED + STEP } else { BEGIN.max(COUNTED) };
                low >= least && high <= most
            }
            None => false,
        }
    }

    /// What loop variables run over.
    fn loops(&mut self, body: &Node) {
        let mut found: Vec<(Local, Between)> = Vec::new();
        body.walk(&mut |node| {
            let (Kind::For(pattern, source, _) | Kind::Each { pattern, source, .. }) = &node.kind else {
                return;
            };
            self.run_over(pattern, source, &mut found);
        });
        self.facts.extend(found);
    }

    fn run_over(&self, pattern: &Pattern, source: &Node, found: &mut Vec<(Local, Between)>) {
        match (pattern, &source.kind) {
            (_, Kind::Seq(inner)) => self.run_over(pattern, inner, found),
            (Pattern::Bind(local, None), Kind::Range { low, high, .. }) => {
                if let (Some((low, _)), Some((_, high))) = (self.between(low), self.between(high)) {
                    found.push((*local, (low, high.max(low))));
                }
            }
            (Pattern::Tuple(parts), Kind::Template(template)) if template.text == "enumerate(<0>)" => {
                if let (Some(Pattern::Bind(local, None)), Some(second)) = (parts.first(), parts.get(1)) {
                    found.push((*local, (0, COUNTED)));
                    if let Some(inner) = template.arguments.first() {
                        self.run_over(second, inner, found);
                    }
                }
            }
            (_, Kind::Template(template)) if template.text.starts_with("reversed(") => {
                if let Some(inner) = template.arguments.first() {
                    self.run_over(pattern, inner, found);
                }
            }
            (Pattern::Tuple(parts), Kind::Template(template)) if template.text == "zip(<0>, <1>)" => {
                for (part, inner) in parts.iter().zip(&template.arguments) {
                    self.run_over(part, inner, found);
                }
            }
            _ => {}
        }
    }

    /// The least and the greatest value that an integer can have.
    pub(super) fn between(&self, node: &Node) -> Option<Between> {
        let of_type = match self.ty(node) {
            Ty::Int(int) => Some((int.low(), int.high())),
            _ => None,
        };
        let known = self.known(node);
        match (known, of_type) {
            // Once evaluated, a value lies in its type: whatever left it has raised.
            (Some((low, high)), Some((least, most))) => Some((low.max(least), high.min(most))),
            (known, of_type) => known.or(of_type),
        }
    }

    fn known(&self, node: &Node) -> Option<Between> {
        match &node.kind {
            Kind::Int(value) => Some((*value, *value)),
            Kind::Local(local) => self.facts.get(local).copied(),
            Kind::Template(template)
                if template.text == "min(<0>, <1>)" || template.text == "max(<0>, <1>)" =>
            {
                let [one, other] = template.arguments.as_slice() else { return None };
                let ((a, b), (c, d)) = (self.between(one)?, self.between(other)?);
                Some(if template.text.starts_with("min") {
                    (a.min(c), b.min(d))
                } else {
                    (a.max(c), b.max(d))
                })
            }
            Kind::Template(template) => template.between,
            Kind::Arith(operator, left, right) => {
                self.raw(*operator, self.between(left)?, self.between(right)?)
            }
            Kind::Cast(of) => match self.ty(of) {
                Ty::Bool => Some((0, 1)),
                Ty::Char => Some((0, 0x10_FFFF)),
                Ty::Int(_) => {
                    let (low, high) = self.between(of)?;
                    let Ty::Int(int) = self.ty(node) else { return None };
                    (low >= int.low() && high <= int.high()).then_some((low, high))
                }
                _ => None,
            },
            Kind::If(_, then, Some(otherwise)) => {
                let ((a, b), (c, d)) = (self.between(then)?, self.between(otherwise)?);
                Some((a.min(c), b.max(d)))
            }
            Kind::Block(_, Some(tail)) => self.between(tail),
            _ => None,
        }
    }

    /// What an operation gives before it is held to its type.
    pub(super) fn raw(&self, operator: Arith, (a, b): Between, (c, d): Between) -> Option<Between> {
        let corners = |of: fn(i128, i128) -> Option<i128>| {
            let all = [of(a, c), of(a, d), of(b, c), of(b, d)].into_iter().collect::<Option<Vec<_>>>()?;
            Some((all.iter().copied().min()?, all.iter().copied().max()?))
        };
        match operator {
            Arith::Add => Some((a.checked_add(c)?, b.checked_add(d)?)),
            Arith::Sub => Some((a.checked_sub(d)?, b.checked_sub(c)?)),
            Arith::Mul => corners(i128::checked_mul),
            Arith::Div if a >= 0 && c >= 0 => Some((0, b / c.max(1))),
            Arith::Rem if a >= 0 && c >= 0 => Some((0, b.min(d.max(1) - 1))),
            Arith::And if a >= 0 && c >= 0 => Some((0, b.min(d))),
            Arith::And if c >= 0 => Some((0, d)),
            Arith::And if a >= 0 => Some((0, b)),
            Arith::Or | Arith::Xor if a >= 0 && c >= 0 => {
                let bits = 128 - b.max(d).leading_zeros();
                Some((0, 1_i128.checked_shl(bits)?.checked_sub(1)?))
            }
            Arith::Shr if a >= 0 && c >= 0 => Some((0, b.checked_shr(u32::try_from(c).ok()?)?)),
            Arith::Shl if a >= 0 && c >= 0 && d < 64 && b < 1 << 62 => {
                Some((0, b.checked_shl(u32::try_from(d).ok()?)?))
            }
            _ => None,
        }
    }
}

/// Whether a value is another one with something small added.
fn grows(value: &Node) -> bool {
    match &value.kind {
        Kind::Arith(Arith::Add, left, right) => {
            matches!(right.kind, Kind::Int(0..=STEP))
                || matches!(left.kind, Kind::Int(0..=STEP))
                || is_bit(right)
                || is_bit(left)
        }
        Kind::Arith(Arith::Sub, ..) => true,
        Kind::Template(template) => {
            matches!(template.text.as_str(), "min(<0>, <1>)" | "max(<0>, <1>)")
                && template.arguments.iter().all(|argument| grows(argument) || is_bound(argument))
        }
        _ => false,
    }
}

fn is_bit(node: &Node) -> bool {
    matches!(node.kind, Kind::Cast(_))
}

fn is_bound(node: &Node) -> bool {
    matches!(node.kind, Kind::Local(_) | Kind::Int(_) | Kind::Index(..) | Kind::Template(_))
}
