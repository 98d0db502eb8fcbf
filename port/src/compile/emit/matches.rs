//! Matches and branches as statements.

use super::{Emit, Goes, Py};
use crate::compile::ir::{Arm, Binds, Kind, Node, Pattern};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::Ty;

impl Emit<'_, '_> {
    pub(super) fn branch(
        &mut self,
        condition: &Node,
        then: &Node,
        otherwise: Option<&Node>,
        goes: &Goes,
        word: &str,
    ) -> Made<()> {
        if condition.binds() {
            return self.binding_branch(condition, then, otherwise, goes);
        }
        let py = self.condition(condition)?;
        self.line(format!("{word} {}:", py.text));
        self.indented(|emit| emit.put(then, goes))?;
        let Some(otherwise) = otherwise else { return Ok(()) };
        self.otherwise(otherwise, goes)
    }

    /// What happens elsewise: at the same level where the first way has returned.
    fn otherwise(&mut self, otherwise: &Node, goes: &Goes) -> Made<()> {
        if matches!(goes, Goes::Back) {
            return self.put(otherwise, goes);
        }
        if is_empty(otherwise) {
            return Ok(());
        }
        let inner = match &otherwise.kind {
            Kind::Block(statements, Some(tail)) if statements.is_empty() => tail,
            _ => otherwise,
        };
        if let Kind::If(condition, then, rest) = &inner.kind
            && !condition.binds()
            && !condition.needs_statements()
            && self.is_plain(condition)
        {
            return self.branch(condition, then, rest.as_deref(), goes, "elif");
        }
        self.line("else:");
        self.indented(|emit| emit.put(otherwise, goes))
    }

    /// Whether a condition can be written without a line before it.
    fn is_plain(&mut self, condition: &Node) -> bool {
        let before = self.lines.len();
        let plain = self.expr(condition).is_ok() && self.lines.len() == before;
        self.lines.truncate(before);
        plain
    }

    pub(super) fn condition(&mut self, condition: &Node) -> Made<Py> {
        // `not s.is_empty()` as a condition is `s` itself.
        if let Kind::Not(of) = &condition.kind
            && let Kind::Template(template) = &of.kind
            && template.text == "not {n0}"
            && let [inner] = template.arguments.as_slice()
        {
            return self.expr(inner);
        }
        self.expr(condition)
    }

    /// `if let`, with or without further conditions.
    fn binding_branch(
        &mut self,
        condition: &Node,
        then: &Node,
        otherwise: Option<&Node>,
        goes: &Goes,
    ) -> Made<()> {
        let mut parts = Vec::new();
        flatten(condition, &mut parts);
        if let [Node { kind: Kind::Let(pattern, value), .. }] = parts.as_slice()
            && matches!(self.ty(value), Ty::Result(..))
        {
            let unit = Node::new(Ty::Unit, Kind::Block(Vec::new(), None));
            let other = otherwise.unwrap_or(&unit);
            let rest = Arm { pattern: Pattern::Any, guard: None, body: other.clone() };
            let arms = [Arm { pattern: pattern.clone(), guard: None, body: then.clone() }, rest];
            return self.choice(value, &arms, goes);
        }
        let needs_join =
            otherwise.is_some_and(|otherwise| !is_empty(otherwise)) && !matches!(goes, Goes::Back);
        if needs_join && parts.len() > 1 {
            return refuse(Reason::Flow, "several conditions with `let` and an `else`");
        }
        self.nested(&parts, then, goes)?;
        match otherwise {
            Some(otherwise) => self.otherwise(otherwise, goes),
            None => Ok(()),
        }
    }

    fn nested(&mut self, parts: &[&Node], then: &Node, goes: &Goes) -> Made<()> {
        let Some((first, rest)) = parts.split_first() else { return self.put(then, goes) };
        let (condition, bound) = match &first.kind {
            Kind::Let(pattern, value) => {
                let subject = self.subject(value)?;
                let tested = self.tested(pattern, &subject)?;
                (tested.condition(), tested.bound)
            }
            _ => (Some(self.condition(first)?), Vec::new()),
        };
        let Some(condition) = condition else {
            self.bind_all(&bound);
            return self.nested(rest, then, goes);
        };
        self.line(format!("if {}:", condition.text));
        self.indented(|emit| {
            emit.bind_all(&bound);
            emit.nested(rest, then, goes)
        })
    }

    pub(super) fn choice(&mut self, subject: &Node, arms: &[Arm], goes: &Goes) -> Made<()> {
        if matches!(self.ty(subject), Ty::Result(..)) {
            return self.caught(subject, arms, goes);
        }
        let subject = self.subject(subject)?;
        let mut word = "if";
        for (at, arm) in arms.iter().enumerate() {
            let is_last = at + 1 == arms.len();
            let tested = self.tested(&arm.pattern, &subject)?;
            let mut condition = tested.condition();
            if let Some(guard) = &arm.guard {
                let kept = self.names.clone();
                for (local, text) in &tested.bound {
                    self.names.insert(*local, text.clone());
                }
                self.lazy += 1;
                let guard = self.expr(guard);
                self.lazy -= 1;
                self.names = kept;
                let guard = guard?;
                condition = Some(match condition {
                    Some(condition) => {
                        let text = format!("{} and {}", condition.at(Binds::And), guard.at(Binds::And));
                        Py::new(text, Binds::And)
                    }
                    None => guard,
                });
            }
            // The last arm takes what is left: Rust has checked that nothing else is.
            let condition = condition.filter(|_| !is_last || arm.guard.is_some());
            let body = |emit: &mut Self| {
                emit.bind_all(&tested.bound);
                emit.put(&arm.body, goes)
            };
            match condition {
                Some(condition) => {
                    self.line(format!("{word} {}:", condition.text));
                    self.indented(body)?;
                    word = if matches!(goes, Goes::Back) { "if" } else { "elif" };
                }
                None if at == 0 || matches!(goes, Goes::Back) => return body(self),
                None => {
                    if is_empty(&arm.body) && tested.bound.is_empty() {
                        return Ok(());
                    }
                    self.line("else:");
                    return self.indented(body);
                }
            }
        }
        Ok(())
    }

    /// A match on a result: what the port raises is caught.
    fn caught(&mut self, subject: &Node, arms: &[Arm], goes: &Goes) -> Made<()> {
        let Ty::Result(of, error) = self.ty(subject) else {
            return refuse(Reason::ResultValue, "no result");
        };
        let class = match &*error {
            Ty::Own(path) => match self.lower.program.get(path) {
                Some(placed) => self.symbol(&placed.symbol.clone(), &placed.file.clone())?,
                None if path.as_str() == "std::num::ParseIntError" => "ValueError".to_owned(),
                None => return refuse(Reason::ErrorType, format!("`{path}`")),
            },
            _ => return refuse(Reason::ErrorType, "an error that is caught without a class of its own"),
        };
        let mut fine: Option<(Pattern, &Node)> = None;
        let mut wrong: Option<(Pattern, &Node)> = None;
        for arm in arms {
            if arm.guard.is_some() {
                return refuse(Reason::Pattern, "a guard beside a result");
            }
            match &arm.pattern {
                Pattern::Ok(inner) if fine.is_none() => fine = Some(((**inner).clone(), &arm.body)),
                Pattern::Err(inner) if wrong.is_none() => wrong = Some(((**inner).clone(), &arm.body)),
                Pattern::Any => {
                    fine = fine.or(Some((Pattern::Any, &arm.body)));
                    wrong = wrong.or(Some((Pattern::Any, &arm.body)));
                }
                _ => return refuse(Reason::Pattern, "a pattern inside a result"),
            }
        }
        let (Some((good, good_body)), Some((bad, bad_body))) = (fine, wrong) else {
            return refuse(Reason::Pattern, "a result of which one side is not looked at");
        };
        let value = match (&good, &*of) {
            (_, Ty::Unit) | (Pattern::Any, _) => None,
            (Pattern::Bind(local, None), _) => Some(self.name(*local)),
            _ => return refuse(Reason::Pattern, "a pattern inside a result"),
        };
        let caught = match &bad {
            Pattern::Any => None,
            Pattern::Bind(local, None) => Some(self.name(*local)),
            _ => return refuse(Reason::Pattern, "a pattern inside an error"),
        };
        self.line("try:");
        self.indented(|emit| match &value {
            Some(name) => emit.put(subject, &Goes::To(name.clone())),
            None => emit.put(subject, &Goes::Nowhere),
        })?;
        match &caught {
            Some(name) => self.line(format!("except {class} as {name}:")),
            None => self.line(format!("except {class}:")),
        }
        self.indented(|emit| emit.put(bad_body, goes))?;
        let is_value = |node: &Node| match (&node.kind, &value) {
            (Kind::Local(local), Some(name)) => self.name(*local) == *name,
            _ => false,
        };
        let same_place = matches!(goes, Goes::To(to) if Some(to) == value.as_ref());
        if is_empty(good_body) || (same_place && is_value(good_body)) {
            return Ok(());
        }
        if matches!(goes, Goes::Back) {
            return self.put(good_body, goes);
        }
        self.line("else:");
        self.indented(|emit| emit.put(good_body, goes))
    }
}

/// `a && let … && b` as a list.
fn flatten<'node>(condition: &'node Node, parts: &mut Vec<&'node Node>) {
    match &condition.kind {
        Kind::And(left, right) => {
            flatten(left, parts);
            flatten(right, parts);
        }
        _ => parts.push(condition),
    }
}

/// Whether nothing happens.
pub(super) fn is_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Block(statements, None) => statements.is_empty(),
        Kind::Block(statements, Some(tail)) => statements.is_empty() && is_empty(tail),
        Kind::Text(text) => text == "None" && node.ty == Ty::Unit,
        _ => false,
    }
}
