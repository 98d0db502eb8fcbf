//! Statements.

use super::expressions::is_bytes;
use super::{Emit, Goes, Shape};
use crate::compile::ir::{Arith, Binds, Kind, Local, Node, Pattern, Statement};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::Ty;

impl Emit<'_, '_> {
    /// Writes an expression as statements, with its value where it goes.
    pub(super) fn put(&mut self, node: &Node, goes: &Goes) -> Made<()> {
        match &node.kind {
            Kind::Block(statements, tail) => {
                for statement in statements {
                    match statement {
                        Statement::Let { pattern, value, otherwise } => {
                            self.binding(pattern, value.as_ref(), otherwise.as_ref())?;
                        }
                        Statement::Do(node) => self.put(node, &Goes::Nowhere)?,
                    }
                }
                match tail {
                    Some(tail) => self.put(tail, goes),
                    None => Ok(()),
                }
            }
            Kind::If(condition, then, otherwise)
                if node.needs_statements() || !matches!(goes, Goes::To(_)) =>
            {
                self.branch(condition, then, otherwise.as_deref(), goes, "if")
            }
            Kind::Match(subject, arms) if node.needs_statements() || !matches!(goes, Goes::To(_)) => {
                self.choice(subject, arms, goes)
            }
            Kind::While(condition, body) => self.repeat(condition, body),
            Kind::Loop(body) => {
                self.line("while True:");
                self.indented(|emit| emit.put(body, &Goes::Nowhere))
            }
            Kind::For(pattern, source, body) => {
                let source = self.expr(source)?;
                let target = self.target(pattern)?;
                self.line(format!("for {target} in {}:", source.at(Binds::Lambda)));
                self.indented(|emit| emit.put(body, &Goes::Nowhere))
            }
            Kind::Break => {
                self.line("break");
                Ok(())
            }
            Kind::Continue => {
                self.line("continue");
                Ok(())
            }
            Kind::Return(value) => self.back(value.as_deref()),
            Kind::Assign(place, value) => self.assign(place, value),
            Kind::Err(error) => {
                let ty = self.ty(error);
                let py = self.expr(error)?;
                match ty {
                    Ty::Own(_) => {
                        self.line(format!("raise {}", py.text.strip_suffix("()").unwrap_or(&py.text)));
                    }
                    Ty::Str => self.line(format!("raise ValueError({})", py.text)),
                    _ => return refuse(Reason::ErrorType, "an error that is neither a class nor a text"),
                }
                Ok(())
            }
            Kind::Panic(error) => {
                let py = self.expr(error)?;
                self.line(format!("raise {}", py.text));
                Ok(())
            }
            Kind::Do(template) => {
                let py = self.template(template)?;
                self.line(py.text);
                Ok(())
            }
            Kind::Write(text) => {
                let py = self.expr(text)?;
                self.line(format!("text += {}", py.text));
                self.done(goes)
            }
            Kind::Try(inner) if matches!(self.ty(inner), Ty::Option(_)) => {
                let py = self.expr(inner)?;
                let name = if py.is_simple() {
                    py.text
                } else {
                    let name = match goes {
                        Goes::To(name) => name.clone(),
                        Goes::Back | Goes::Nowhere => self.temporary("value"),
                    };
                    self.line(format!("{name} = {}", py.text));
                    name
                };
                self.line(format!("if {name} is None:"));
                self.indented(|emit| {
                    emit.line("return None");
                    Ok(())
                })?;
                match goes {
                    Goes::Back => self.line(format!("return {name}")),
                    Goes::To(to) if *to != name => self.line(format!("{to} = {name}")),
                    Goes::To(_) | Goes::Nowhere => {}
                }
                Ok(())
            }
            Kind::Ok(inner) | Kind::Try(inner) => self.put(inner, goes),
            _ => self.plain(node, goes),
        }
    }

    /// Nothing more is to be said in a function that returns nothing.
    fn done(&mut self, goes: &Goes) -> Made<()> {
        match goes {
            Goes::Nowhere => Ok(()),
            Goes::Back | Goes::To(_) => refuse(Reason::Flow, "the value of what only writes"),
        }
    }

    fn plain(&mut self, node: &Node, goes: &Goes) -> Made<()> {
        let initialises = self.shape == Shape::Init && matches!(goes, Goes::Back);
        if initialises {
            return self.initialised(node);
        }
        match goes {
            Goes::Back => {
                let py = self.expr(node)?;
                let changes = matches!(node.kind, Kind::Local(local) if self.is_changing(local));
                if is_bytes(&self.ty(node)) && changes {
                    self.line(format!("return bytes({})", py.text));
                } else if py.binds == Binds::Generator {
                    self.line(format!("return ({})", py.text));
                } else {
                    self.line(format!("return {}", py.text));
                }
            }
            Goes::To(name) => {
                let py = self.expr(node)?;
                self.line(format!("{name} = {}", py.at(Binds::Lambda)));
            }
            Goes::Nowhere => {
                if node.has_effects() {
                    let py = self.expr(node)?;
                    self.line(py.text);
                } else if !super::matches::is_empty(node) {
                    // What has no effect may still fail.
                    let py = self.expr(node)?;
                    if !py.is_simple() {
                        self.line(py.text);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a list of bytes is one that can be changed.
    fn is_changing(&self, local: Local) -> bool {
        self.lower.locals.get(local).is_some_and(|binding| binding.mutable)
    }

    /// The fields of the value that `new` makes.
    fn initialised(&mut self, node: &Node) -> Made<()> {
        let Kind::Template(template) = &node.kind else {
            return refuse(Reason::Expression, "a `new` that does not end with its struct");
        };
        let Some(places) = template.text.strip_prefix("{0}(").and_then(|rest| rest.strip_suffix(')')) else {
            return refuse(Reason::Expression, "a `new` that does not end with its struct");
        };
        let names: Vec<String> =
            places.split(", ").filter_map(|place| place.split('=').next()).map(str::to_owned).collect();
        let values = template.arguments.get(1..).unwrap_or_default();
        let values = self.all(values)?;
        for (name, value) in names.iter().filter(|name| !name.is_empty()).zip(values) {
            self.line(format!("self.{name} = {}", value.at(Binds::Lambda)));
        }
        Ok(())
    }

    fn back(&mut self, value: Option<&Node>) -> Made<()> {
        match (self.shape, value) {
            (Shape::Function, Some(value)) => self.put(value, &Goes::Back),
            (Shape::Procedure, value) => {
                if let Some(value) = value {
                    self.put(value, &Goes::Nowhere)?;
                }
                if self.lines.last().is_none_or(|line| !line.trim_start().starts_with("raise ")) {
                    self.line("return");
                }
                Ok(())
            }
            (Shape::Text, Some(value)) => {
                self.put(value, &Goes::Nowhere)?;
                self.line("return text");
                Ok(())
            }
            _ => refuse(Reason::Flow, "a `return` that is not known"),
        }
    }

    fn binding(&mut self, pattern: &Pattern, value: Option<&Node>, otherwise: Option<&Node>) -> Made<()> {
        let Some(value) = value else { return Ok(()) };
        if let Some(otherwise) = otherwise {
            let subject = self.subject(value)?;
            let tested = self.tested(pattern, &subject)?;
            if let Some(condition) = tested.condition() {
                let negated = match condition.text.strip_suffix(" is not None") {
                    Some(name) if tested.conditions.len() == 1 => format!("{name} is None"),
                    Some(_) | None => format!("not {}", condition.at(Binds::Not)),
                };
                self.line(format!("if {negated}:"));
                self.indented(|emit| emit.put(otherwise, &Goes::Nowhere))?;
            }
            self.bind_all(&tested.bound);
            return Ok(());
        }
        match pattern {
            Pattern::Any => self.put(value, &Goes::Nowhere),
            Pattern::Bind(local, None) => self.let_name(*local, value),
            Pattern::Tuple(parts)
                if parts.iter().all(|part| matches!(part, Pattern::Any | Pattern::Bind(_, None))) =>
            {
                if let Kind::Tuple(values) = &value.kind
                    && values.len() == parts.len()
                {
                    for (part, value) in parts.iter().zip(values) {
                        self.binding(part, Some(value), None)?;
                    }
                    return Ok(());
                }
                let target = self.target(pattern)?;
                let py = self.expr(value)?;
                self.line(format!("{target} = {}", py.at(Binds::Lambda)));
                Ok(())
            }
            _ => {
                let subject = self.subject(value)?;
                let tested = self.tested(pattern, &subject)?;
                self.bind_all(&tested.bound);
                Ok(())
            }
        }
    }

    fn let_name(&mut self, local: Local, value: &Node) -> Made<()> {
        let name = self.name(local);
        let ty = self.ty(value);
        let changes = self.is_changing(local);
        if changes && is_bytes(&ty) && !matches!(self.lower.types.full(&value.ty), Ty::Mut(_)) {
            let inner = match &value.kind {
                Kind::Copy(inner) => self.expr(inner)?,
                _ => self.expr(value)?,
            };
            let inner = if inner.text == "b\"\"" { String::new() } else { inner.text };
            self.line(format!("{name} = bytearray({inner})"));
            return Ok(());
        }
        if changes && matches!(ty, Ty::Iter(_) | Ty::Range(_)) {
            let py = self.expr(value)?;
            self.line(format!("{name} = iter({})", py.text));
            return Ok(());
        }
        self.put(value, &Goes::To(name))
    }

    fn repeat(&mut self, condition: &Node, body: &Node) -> Made<()> {
        // `while let Some(x) = it.next()` goes on with the iterator where it stands.
        if let Kind::Let(Pattern::Some(pattern), value) = &condition.kind
            && let Kind::Template(template) = &value.kind
            && template.text == "next(<0>, None)"
            && let [items] = template.arguments.as_slice()
            && matches!(items.kind, Kind::Local(_))
            && matches!(**pattern, Pattern::Any | Pattern::Bind(_, None) | Pattern::Tuple(_))
            && let Ok(target) = self.target(pattern)
        {
            let items = self.expr(items)?;
            self.line(format!("for {target} in {}:", items.text));
            return self.indented(|emit| emit.put(body, &Goes::Nowhere));
        }
        let is_plain = !condition.binds() && {
            let before = self.lines.len();
            let plain =
                !condition.needs_statements() && self.expr(condition).is_ok() && self.lines.len() == before;
            self.lines.truncate(before);
            plain
        };
        if is_plain {
            let py = self.condition(condition)?;
            self.line(format!("while {}:", py.text));
            return self.indented(|emit| emit.put(body, &Goes::Nowhere));
        }
        self.line("while True:");
        self.indented(|emit| {
            if let Kind::Let(pattern, value) = &condition.kind {
                let subject = emit.subject(value)?;
                let tested = emit.tested(pattern, &subject)?;
                if let Some(condition) = tested.condition() {
                    let negated = match condition.text.strip_suffix(" is not None") {
                        Some(name) if tested.conditions.len() == 1 => format!("{name} is None"),
                        Some(_) | None => format!("not {}", condition.at(Binds::Not)),
                    };
                    emit.line(format!("if {negated}:"));
                    emit.indented(|emit| {
                        emit.line("break");
                        Ok(())
                    })?;
                }
                emit.bind_all(&tested.bound);
            } else if condition.binds() {
                return refuse(Reason::Flow, "`while` with several conditions that bind names");
            } else {
                let py = emit.expr(condition)?;
                emit.line(format!("if not {}:", py.at(Binds::Not)));
                emit.indented(|emit| {
                    emit.line("break");
                    Ok(())
                })?;
            }
            emit.put(body, &Goes::Nowhere)
        })
    }

    fn assign(&mut self, place: &Node, value: &Node) -> Made<()> {
        if let Kind::Local(local) = place.kind {
            let name = self.name(local);
            if let Some(text) = self.augmented(place, value)? {
                self.line(text);
                return Ok(());
            }
            if self.is_changing(local) && is_bytes(&self.ty(place)) {
                return self.let_name(local, value);
            }
            return self.put(value, &Goes::To(name));
        }
        // Rust evaluates the value first.
        if value.needs_statements() {
            let name = self.temporary("value");
            self.put(value, &Goes::To(name.clone()))?;
            let place = self.expr(place)?;
            self.line(format!("{} = {name}", place.text));
            return Ok(());
        }
        if let Some(text) = self.augmented(place, value)? {
            self.line(text);
            return Ok(());
        }
        let place_py = self.expr(place)?;
        let value = self.expr(value)?;
        self.line(format!("{} = {}", place_py.text, value.at(Binds::Lambda)));
        Ok(())
    }

    /// `x += 1` for `x = x + 1`, where the sum is not held to its type.
    fn augmented(&mut self, place: &Node, value: &Node) -> Made<Option<String>> {
        if value.needs_statements() {
            return Ok(None);
        }
        let (left, sign) = match &value.kind {
            Kind::Arith(operator, left, _) => {
                let sign = match operator {
                    Arith::Add => "+",
                    Arith::Sub => "-",
                    Arith::Mul => "*",
                    Arith::And => "&",
                    Arith::Or => "|",
                    Arith::Xor => "^",
                    _ => return Ok(None),
                };
                (&**left, sign)
            }
            Kind::Template(template) if template.text == "{s0} + {p1}" || template.text == "{s0} + {s1}" => {
                match template.arguments.first() {
                    Some(left) if matches!(self.ty(value), Ty::Str) => (left, "+"),
                    Some(_) | None => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        let before = self.lines.len();
        let place = self.expr(place)?;
        let left = self.expr(left)?;
        if place.text != left.text || self.lines.len() > before || place.text.contains('(') {
            self.lines.truncate(before);
            return Ok(None);
        }
        let whole = self.expr(value)?;
        let lead = format!("{} {sign} ", place.text);
        Ok(whole.text.strip_prefix(&lead).filter(|_| self.lines.len() == before).map(|rest| {
            let rest = rest
                .strip_prefix('(')
                .and_then(|inner| inner.strip_suffix(')'))
                .filter(|inner| balanced(inner));
            let rest = rest.unwrap_or_else(|| whole.text.strip_prefix(&lead).unwrap_or_default());
            format!("{} {sign}= {rest}", place.text)
        }))
    }
}

/// Whether every bracket that opens closes, and none closes first.
fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}
