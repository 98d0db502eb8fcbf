//! Comprehensions, ranges, and what is made of them.

use super::expressions::is_bytes;
use super::{Emit, Py};
use crate::compile::ir::{Binds, Kind, Node, Pattern};
use crate::compile::lower::is_immutable;
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Ty, told};

/// A comprehension without its brackets.
struct Each {
    body: String,
    clauses: String,
}

impl Emit<'_, '_> {
    pub(super) fn iteration(&mut self, node: &Node) -> Made<Py> {
        match &node.kind {
            Kind::Each { .. } => {
                let each = self.comprehension(node)?;
                Ok(Py::new(format!("{}{}", each.body, each.clauses), Binds::Generator))
            }
            Kind::Seq(inner) => self.expr(inner),
            Kind::Range { low, high, closed } => {
                let is_zero = matches!(low.kind, Kind::Int(0));
                let past = *closed;
                let literal = match high.kind {
                    Kind::Int(value) if past => Some((value + 1).to_string()),
                    _ => None,
                };
                let [low, high] = self.pair(low, high)?;
                let end = match literal {
                    Some(end) => end,
                    None if past => format!("{} + 1", high.at(Binds::Sum)),
                    None => high.text,
                };
                Ok(Py::atom(if is_zero {
                    format!("range({end})")
                } else {
                    format!("range({}, {end})", low.text)
                }))
            }
            Kind::Copy(of) => self.copied(of),
            Kind::Collect(of) => self.collected(&self.ty(node), of),
            _ => refuse(Reason::Expression, "an iteration that is not known"),
        }
    }

    fn comprehension(&mut self, node: &Node) -> Made<Each> {
        let Kind::Each { source, pattern, filter, body } = &node.kind else {
            return refuse(Reason::Expression, "no comprehension");
        };
        // `map` behind `filter` is one comprehension.
        if let (Kind::Each { pattern: inner, body: None, .. }, None, Pattern::Bind(outer, None)) =
            (&source.kind, filter, pattern)
            && let Pattern::Bind(local, None) = inner
            && let Some(body) = body
        {
            let name = self.name(*local);
            self.names.insert(*outer, name);
            let inner = self.comprehension(source)?;
            let body = self.lazily(body)?;
            return Ok(Each { body: body.at(Binds::Lambda), clauses: inner.clauses });
        }
        // The source of the first loop is evaluated at once, in Python as in Rust.
        let from = self.expr(source)?;
        let target = self.target(pattern)?;
        let filter = match filter {
            Some(filter) => format!(" if {}", self.lazily(filter)?.at(Binds::Or)),
            None => String::new(),
        };
        let body = match body {
            Some(body) => self.lazily(body)?.at(Binds::Lambda),
            None if target.contains(',') && !target.starts_with('(') => format!("({target})"),
            None => target.clone(),
        };
        Ok(Each { body, clauses: format!(" for {target} in {}{filter}", from.at(Binds::Or)) })
    }

    fn lazily(&mut self, node: &Node) -> Made<Py> {
        self.lazy += 1;
        let py = self.expr(node);
        self.lazy -= 1;
        py
    }

    /// Names to loop over: `i`, `(i, c)`.
    pub(super) fn target(&mut self, pattern: &Pattern) -> Made<String> {
        Ok(match pattern {
            Pattern::Any => "_".to_owned(),
            Pattern::Bind(local, None) => self.name(*local),
            Pattern::Tuple(parts) => {
                let mut names = Vec::new();
                for part in parts {
                    let name = self.target(part)?;
                    names.push(if matches!(part, Pattern::Tuple(_)) { format!("({name})") } else { name });
                }
                names.join(", ")
            }
            _ => return refuse(Reason::Pattern, "a pattern where Python has names only"),
        })
    }

    fn copied(&mut self, of: &Node) -> Made<Py> {
        let ty = self.ty(of);
        let py = self.expr(of)?;
        let (Ty::List(inner) | Ty::Array(inner)) = &ty else {
            return refuse(Reason::Type, format!("a copy of {}", told(&ty)));
        };
        if is_bytes(&ty) {
            return Ok(Py::atom(format!("bytes({})", py.text)));
        }
        if is_immutable(inner) {
            return Ok(Py::atom(format!("list({})", py.text)));
        }
        match &**inner {
            Ty::List(nested) | Ty::Array(nested) if is_immutable(nested) && !is_bytes(inner) => {
                Ok(Py::atom(format!("[list(row) for row in {}]", py.at(Binds::Or))))
            }
            other => refuse(Reason::Mutation, format!("a copy of a list of {}", told(other))),
        }
    }

    fn collected(&mut self, to: &Ty, of: &Node) -> Made<Py> {
        let inner = match &of.kind {
            Kind::Seq(inner) => Some((self.ty(inner), self.expr(inner)?)),
            _ => None,
        };
        let is_each = matches!(of.kind, Kind::Each { .. });
        let source = match &inner {
            Some((_, py)) => py.clone(),
            None => self.expr(of)?,
        };
        Ok(match to {
            Ty::Result(to, _) => return self.collected(to, of),
            ty if is_bytes(ty) => Py::atom(format!("bytes({})", source.text)),
            Ty::List(_) | Ty::Array(_) if is_each => Py::atom(format!("[{}]", source.text)),
            Ty::List(_) | Ty::Array(_) => Py::atom(format!("list({})", source.text)),
            Ty::Set(_) => Py::atom(format!("set({})", source.text)),
            Ty::Map(..) => Py::atom(format!("dict({})", source.text)),
            Ty::Str => match inner {
                Some((Ty::Str, py)) => py,
                _ => {
                    let item = match self.ty(of) {
                        Ty::Iter(item) => *item,
                        other => other,
                    };
                    let item = match item {
                        Ty::Result(value, _) => *value,
                        other => other,
                    };
                    if !matches!(item, Ty::Char | Ty::Str) {
                        return refuse(Reason::Type, format!("a text of {}", told(&item)));
                    }
                    Py::atom(format!("\"\".join({})", source.text))
                }
            },
            other => return refuse(Reason::Type, format!("`collect` to {}", told(other))),
        })
    }
}
