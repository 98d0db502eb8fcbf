//! Patterns as conditions and names.

use super::{Emit, Py};
use crate::compile::ir::{Binds, Kind, Local, Node, Pattern};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::Ty;

/// What a pattern is held against.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    /// Python that can be written several times.
    Text(String),
    /// The parts of a tuple that is never made.
    Parts(Vec<Subject>),
}

/// What a pattern asks and binds.
#[derive(Debug, Default)]
pub(super) struct Tested {
    pub(super) conditions: Vec<Py>,
    pub(super) bound: Vec<(Local, String)>,
}

impl Tested {
    /// All conditions as one; `None` where there is none.
    pub(super) fn condition(&self) -> Option<Py> {
        match self.conditions.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            several => {
                let texts: Vec<String> = several.iter().map(|one| one.at(Binds::Not)).collect();
                Some(Py::new(texts.join(" and "), Binds::And))
            }
        }
    }
}

impl Emit<'_, '_> {
    /// Makes a subject that can be looked at again and again.
    pub(super) fn subject(&mut self, node: &Node) -> Made<Subject> {
        if let Kind::Tuple(parts) = &node.kind {
            let mut subjects = Vec::new();
            let pys = self.all(parts)?;
            for (part, py) in parts.iter().zip(pys) {
                subjects.push(Subject::Text(self.named(part, py)));
            }
            return Ok(Subject::Parts(subjects));
        }
        let py = self.expr(node)?;
        Ok(Subject::Text(self.named(node, py)))
    }

    fn named(&mut self, node: &Node, py: Py) -> String {
        let is_field = matches!(&node.kind, Kind::Field(base, _) if matches!(base.kind, Kind::Local(_)));
        if py.is_simple() || is_field {
            return py.text;
        }
        let name = self.temporary("subject");
        self.line(format!("{name} = {}", py.text));
        name
    }

    pub(super) fn tested(&mut self, pattern: &Pattern, subject: &Subject) -> Made<Tested> {
        let mut tested = Tested::default();
        self.test(pattern, subject, &mut tested)?;
        Ok(tested)
    }

    fn test(&mut self, pattern: &Pattern, subject: &Subject, tested: &mut Tested) -> Made<()> {
        if let (Pattern::Tuple(patterns), Subject::Parts(parts)) = (pattern, subject) {
            return patterns
                .iter()
                .zip(parts)
                .try_for_each(|(pattern, part)| self.test(pattern, part, tested));
        }
        if let (Pattern::Either(cases), Subject::Parts(_)) = (pattern, subject) {
            return self.either(cases, subject, tested);
        }
        let Subject::Text(text) = subject else {
            return match pattern {
                Pattern::Any => Ok(()),
                _ => refuse(Reason::Pattern, "a name for a tuple that is taken apart elsewhere"),
            };
        };
        let compare = |text: String| Py::new(text, Binds::Compare);
        match pattern {
            Pattern::Any => {}
            Pattern::Bind(local, inner) => {
                tested.bound.push((*local, text.clone()));
                if let Some(inner) = inner {
                    self.test(inner, subject, tested)?;
                }
            }
            Pattern::Is(value) => {
                let py = self.expr(value)?;
                tested.conditions.push(match (&self.ty(value), py.text.as_str()) {
                    (Ty::Bool, "True") => Py::atom(text.clone()),
                    (Ty::Bool, "False") => Py::new(format!("not {text}"), Binds::Not),
                    _ => compare(format!("{text} == {}", py.at(Binds::BitOr))),
                });
            }
            Pattern::Between(low, high, closed) => {
                let mut asked = text.clone();
                if let Some(low) = low {
                    asked = format!("{} <= {asked}", self.expr(low)?.at(Binds::BitOr));
                }
                if let Some(high) = high {
                    let sign = if *closed { "<=" } else { "<" };
                    asked = format!("{asked} {sign} {}", self.expr(high)?.at(Binds::BitOr));
                }
                tested.conditions.push(compare(asked));
            }
            Pattern::Tuple(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    self.test(part, &Subject::Text(format!("{text}[{at}]")), tested)?;
                }
            }
            Pattern::Some(inner) => {
                // Equality with a value tells `None` apart by itself; nothing else does.
                if !matches!(**inner, Pattern::Is(ref value) if !matches!(self.ty(value), Ty::Bool)) {
                    tested.conditions.push(compare(format!("{text} is not None")));
                }
                self.test(inner, subject, tested)?;
            }
            Pattern::None => tested.conditions.push(compare(format!("{text} is None"))),
            Pattern::Fields(fields) => {
                for (name, part) in fields {
                    self.test(part, &Subject::Text(format!("{text}.{name}")), tested)?;
                }
            }
            Pattern::Variant(variant) => {
                let variant = self.expr(variant)?;
                tested.conditions.push(compare(format!("{text} is {}", variant.text)));
            }
            Pattern::Either(cases) => self.either(cases, subject, tested)?,
            Pattern::List(lead, rest, end) => {
                let count = lead.len() + end.len();
                let sign = if rest.is_some() { ">=" } else { "==" };
                if rest.is_none() || count > 0 {
                    tested.conditions.push(compare(format!("len({text}) {sign} {count}")));
                }
                for (at, part) in lead.iter().enumerate() {
                    self.test(part, &Subject::Text(format!("{text}[{at}]")), tested)?;
                }
                for (at, part) in end.iter().rev().enumerate() {
                    self.test(part, &Subject::Text(format!("{text}[-{}]", at + 1)), tested)?;
                }
                if let Some(local) = rest.and_then(|rest| rest.name) {
                    let from = if lead.is_empty() { String::new() } else { lead.len().to_string() };
                    let to = if end.is_empty() { String::new() } else { format!("-{}", end.len()) };
                    tested.bound.push((local, format!("{text}[{from}:{to}]")));
                }
            }
            Pattern::Ok(_) | Pattern::Err(_) => {
                return refuse(Reason::ResultValue, "a result inside another pattern");
            }
        }
        Ok(())
    }

    /// Whether a variable may go by the name of what it was made from.
    fn never_changes(&self, local: Local, text: &str) -> bool {
        let is_fixed = |binding: &crate::compile::lower::Binding| !binding.mutable;
        let own = self.lower.locals.get(local).is_some_and(is_fixed);
        own && self.lower.locals.iter().any(|binding| binding.name == text && is_fixed(binding))
    }

    fn either(&mut self, cases: &[Pattern], subject: &Subject, tested: &mut Tested) -> Made<()> {
        let mut values = Vec::new();
        let mut ways = Vec::new();
        for case in cases {
            if let (Pattern::Is(value), Subject::Text(_)) = (case, subject) {
                values.push(self.expr(value)?.at(Binds::Lambda));
                continue;
            }
            match self.tested(case, subject)?.condition() {
                Some(condition) => ways.push(condition),
                // One that always fits makes the others idle.
                None => return Ok(()),
            }
        }
        if let (Subject::Text(text), false) = (subject, values.is_empty()) {
            let one = match values.as_slice() {
                [only] => format!("{text} == {only}"),
                several => format!("{text} in ({})", several.join(", ")),
            };
            ways.insert(0, Py::new(one, Binds::Compare));
        }
        tested.conditions.push(match ways.as_slice() {
            [only] => only.clone(),
            several => {
                let texts: Vec<String> = several.iter().map(|way| way.at(Binds::And)).collect();
                Py::new(texts.join(" or "), Binds::Or)
            }
        });
        Ok(())
    }

    /// Gives names to what a pattern found.
    pub(super) fn bind_all(&mut self, bound: &[(Local, String)]) {
        for (local, text) in bound {
            let name = self.name(*local);
            if self.never_changes(*local, text) {
                self.names.insert(*local, text.clone());
            } else if name != *text {
                self.line(format!("{name} = {text}"));
            }
        }
    }
}
