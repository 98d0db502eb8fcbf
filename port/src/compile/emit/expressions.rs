//! Expressions that are expressions in Python too.

use super::{Emit, Goes, Py};
use crate::compile::ir::{Arm, Binds, Kind, Node, Pattern, Template, option_arms};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty};

impl Emit<'_, '_> {
    /// An expression; what needs statements is written before it, into a variable.
    pub(in crate::compile) fn expr(&mut self, node: &Node) -> Made<Py> {
        if node.needs_statements() {
            if self.lazy > 0 {
                return refuse(Reason::Closure, "steps where Python has an expression only");
            }
            if matches!(self.ty(node), Ty::Unit | Ty::Never) {
                self.put(node, &Goes::Nowhere)?;
                return Ok(Py::atom("None"));
            }
            let name = self.temporary("value");
            self.put(node, &Goes::To(name.clone()))?;
            return Ok(Py::atom(name));
        }
        match &node.kind {
            Kind::Text(text) => Ok(Py::atom(text.clone())),
            Kind::Int(value) if *value < 0 => Ok(Py::new(value.to_string(), Binds::Unary)),
            Kind::Int(value) => Ok(Py::atom(number(*value))),
            Kind::Local(local) => {
                let name = self.name(*local);
                // What stands for a variable may be an expression.
                let is_name = name.chars().all(|letter| letter == '_' || letter.is_alphanumeric());
                let is_element = name.ends_with(']') || name.contains('.');
                Ok(Py::new(name, if is_name || is_element { Binds::Atom } else { Binds::Generator }))
            }
            Kind::Symbol(symbol, file) => Ok(Py::atom(self.symbol(symbol, file)?)),
            Kind::Template(template) => self.template(template),
            Kind::Arith(operator, left, right) => self.arithmetic(node, *operator, left, right),
            Kind::Negate(of) => self.negated(node, of),
            Kind::Invert(of) => self.inverted(node, of),
            Kind::Compare(operator, left, right) => {
                let [left, right] = self.pair(left, right)?;
                let least = Binds::BitOr;
                Ok(Py::new(format!("{} {operator} {}", left.at(least), right.at(least)), Binds::Compare))
            }
            Kind::And(left, right) => self.both(left, "and", right, Binds::And),
            Kind::Or(left, right) => self.both(left, "or", right, Binds::Or),
            Kind::Not(of) => self.not(of),
            Kind::Cast(of) => self.cast(node, of),
            Kind::Field(base, name) => {
                let base = self.expr(base)?;
                Ok(Py::atom(format!("{}.{name}", base.at(Binds::Atom))))
            }
            Kind::Index(base, at) => {
                let [base, at] = self.pair(base, at)?;
                Ok(Py::atom(format!("{}[{}]", base.at(Binds::Atom), at.text)))
            }
            Kind::Tuple(parts) => {
                let parts = self.all(parts)?;
                let texts: Vec<String> = parts.iter().map(|part| part.at(Binds::Lambda)).collect();
                let comma = if texts.len() == 1 { "," } else { "" };
                Ok(Py::atom(format!("({}{comma})", texts.join(", "))))
            }
            Kind::List(parts) => self.list(node, parts),
            Kind::Repeat(value, count) => self.repeated(node, value, count),
            Kind::Each { .. } | Kind::Collect(_) | Kind::Seq(_) | Kind::Range { .. } | Kind::Copy(_) => {
                self.iteration(node)
            }
            Kind::Lambda(patterns, body) => {
                let names = patterns.iter().map(|pattern| self.target(pattern)).collect::<Made<Vec<_>>>()?;
                self.lazy += 1;
                let body = self.expr(body);
                self.lazy -= 1;
                let lead = if names.is_empty() {
                    "lambda".to_owned()
                } else {
                    format!("lambda {}", names.join(", "))
                };
                Ok(Py::new(format!("{lead}: {}", body?.at(Binds::Lambda)), Binds::Lambda))
            }
            Kind::Call(callee, arguments) => {
                let all: Vec<&Node> = std::iter::once(&**callee).chain(arguments).collect();
                let all = self.each_of(&all)?;
                let (callee, arguments) =
                    all.split_first().map_or((None, [].as_slice()), |(one, rest)| (Some(one), rest));
                let callee = callee.map(|callee| callee.at(Binds::Atom)).unwrap_or_default();
                let texts: Vec<String> =
                    arguments.iter().map(|argument| argument.at(Binds::Lambda)).collect();
                Ok(Py::atom(format!("{callee}({})", texts.join(", "))))
            }
            Kind::Block(_, Some(tail)) => self.expr(tail),
            Kind::If(condition, then, Some(otherwise)) => {
                let condition = self.expr(condition)?;
                self.lazy += 1;
                let ways = self.expr(then).and_then(|then| Ok((then, self.expr(otherwise)?)));
                self.lazy -= 1;
                let (then, otherwise) = ways?;
                Ok(conditional(&condition, &then, &otherwise))
            }
            Kind::Match(subject, arms) => self.optional(subject, arms),
            // An exception leaves by itself.
            Kind::Try(inner) | Kind::Ok(inner) => self.expr(inner),
            _ => refuse(Reason::Expression, "a construct that has no place in an expression"),
        }
    }

    /// A match on an option that is a plain variable.
    fn optional(&mut self, subject: &Node, arms: &[Arm]) -> Made<Py> {
        let Some((some, none)) = option_arms(arms) else {
            return refuse(Reason::Expression, "a match where Python has an expression only");
        };
        let subject = self.expr(subject)?;
        if let Pattern::Some(inner) = &some.pattern
            && let Pattern::Bind(local, None) = **inner
        {
            self.names.insert(local, subject.text.clone());
        }
        self.lazy += 1;
        let ways = self.expr(&some.body).and_then(|some| Ok((some, self.expr(&none.body)?)));
        self.lazy -= 1;
        let (some, none) = ways?;
        let condition = Py::new(format!("{} is not None", subject.at(Binds::BitOr)), Binds::Compare);
        Ok(conditional(&condition, &some, &none))
    }

    fn both(&mut self, left: &Node, word: &str, right: &Node, binds: Binds) -> Made<Py> {
        let left = self.expr(left)?;
        self.lazy += 1;
        let right = self.expr(right);
        self.lazy -= 1;
        let right = right?;
        Ok(Py::new(format!("{} {word} {}", left.at(binds), right.at(binds)), binds))
    }

    fn not(&mut self, of: &Node) -> Made<Py> {
        if let Kind::Not(inner) = &of.kind {
            return self.expr(inner);
        }
        let py = self.expr(of)?;
        let opposite = |operator: &str| match operator {
            "==" => Some("!="),
            "!=" => Some("=="),
            _ => None,
        };
        if let Kind::Compare(operator, left, right) = &of.kind
            && let Some(opposite) = opposite(operator)
        {
            let [left, right] = self.pair(left, right)?;
            let least = Binds::BitOr;
            return Ok(Py::new(format!("{} {opposite} {}", left.at(least), right.at(least)), Binds::Compare));
        }
        if let Kind::Template(template) = &of.kind
            && template.text == "not {n0}"
        {
            // `not s.is_empty()`: a container that is not empty is true, but it is no truth value.
            return match template.arguments.as_slice() {
                [inner] => {
                    let inner = self.expr(inner)?;
                    Ok(Py::atom(format!("bool({})", inner.text)))
                }
                _ => Ok(Py::new(format!("not {}", py.at(Binds::Not)), Binds::Not)),
            };
        }
        Ok(Py::new(format!("not {}", py.at(Binds::Not)), Binds::Not))
    }

    pub(super) fn pair(&mut self, left: &Node, right: &Node) -> Made<[Py; 2]> {
        let mut both = self.each_of(&[left, right])?.into_iter();
        match (both.next(), both.next()) {
            (Some(left), Some(right)) => Ok([left, right]),
            _ => refuse(Reason::Expression, "an operator without its sides"),
        }
    }

    pub(super) fn all(&mut self, nodes: &[Node]) -> Made<Vec<Py>> {
        let nodes: Vec<&Node> = nodes.iter().collect();
        self.each_of(&nodes)
    }

    /// Several expressions in their order: where a later one needs statements or changes something, the earlier
    /// ones are kept in variables.
    pub(super) fn each_of(&mut self, nodes: &[&Node]) -> Made<Vec<Py>> {
        let last = nodes.iter().rposition(|node| node.needs_statements());
        let mut out = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            if matches!(self.ty(node), Ty::Result(..)) && !matches!(node.kind, Kind::Ok(_)) {
                return refuse(Reason::ResultValue, "a result that is neither returned nor taken apart");
            }
            let py = self.expr(node)?;
            let must_keep = last.is_some_and(|last| at < last)
                && !matches!(node.kind, Kind::Text(_) | Kind::Int(_) | Kind::Symbol(..))
                && !self.is_constant(node)
                && !matches!(self.ty(node), Ty::Unit);
            if must_keep {
                let name = self.temporary("value");
                self.line(format!("{name} = {}", py.text));
                out.push(Py::atom(name));
            } else {
                out.push(py);
            }
        }
        Ok(out)
    }

    /// A variable that never changes.
    fn is_constant(&self, node: &Node) -> bool {
        match &node.kind {
            Kind::Local(local) => self.lower.locals.get(*local).is_some_and(|binding| !binding.mutable),
            Kind::Field(base, _) => matches!(base.kind, Kind::Symbol(..)),
            _ => false,
        }
    }

    pub(super) fn template(&mut self, template: &Template) -> Made<Py> {
        self.needs.helpers.extend(template.helpers.iter().copied());
        self.needs.runtime.extend(template.runtime.iter().cloned());
        self.needs.modules.extend(template.modules.iter().copied());
        let mut arguments = self.all(&template.arguments)?;
        let is_format = template.text.starts_with("f\"");
        for (at, argument) in arguments.iter_mut().enumerate() {
            let places = template.text.matches(&format!("{at}}}")).count()
                + template.text.matches(&format!("<{at}>")).count();
            let in_format =
                is_format && (argument.text.contains(['"', '\\', '{', '!']) || argument.text.contains(':'));
            let twice = places > 1 && !argument.is_simple() && !is_format;
            if in_format || twice {
                if self.lazy > 0 {
                    return refuse(
                        Reason::Closure,
                        "a value that is used twice where Python has an expression only",
                    );
                }
                let name = self.temporary("value");
                self.line(format!("{name} = {}", argument.text));
                *argument = Py::atom(name);
            }
        }
        let text = if is_format {
            format_text(&template.text, &arguments)
        } else {
            filled(&template.text, &arguments)
        };
        Ok(Py::new(text, template.binds))
    }

    fn list(&mut self, node: &Node, parts: &[Node]) -> Made<Py> {
        let texts: Vec<String> = self.all(parts)?.iter().map(|part| part.at(Binds::Lambda)).collect();
        if is_bytes(&self.ty(node)) {
            if texts.is_empty() {
                return Ok(Py::atom("b\"\""));
            }
            return Ok(Py::atom(format!("bytes([{}])", texts.join(", "))));
        }
        Ok(Py::atom(format!("[{}]", texts.join(", "))))
    }

    fn repeated(&mut self, node: &Node, value: &Node, count: &Node) -> Made<Py> {
        let is_zero = matches!(value.kind, Kind::Int(0));
        let immutable = crate::compile::lower::is_immutable(&self.ty(value));
        if !immutable {
            // Each element is a list of its own.
            let count = self.expr(count)?;
            self.lazy += 1;
            let value = self.expr(value);
            self.lazy -= 1;
            return Ok(Py::atom(format!("[{} for _ in range({})]", value?.text, count.text)));
        }
        let [value, count] = self.pair(value, count)?;
        if is_bytes(&self.ty(node)) {
            if is_zero {
                return Ok(Py::atom(format!("bytes({})", count.text)));
            }
            return Ok(Py::new(
                format!("bytes([{}]) * {}", value.text, count.at(Binds::Unary)),
                Binds::Product,
            ));
        }
        Ok(Py::new(format!("[{}] * {}", value.at(Binds::Lambda), count.at(Binds::Unary)), Binds::Product))
    }
}

/// A list of bytes, which Python has a type for.
pub(in crate::compile) fn is_bytes(ty: &Ty) -> bool {
    match ty {
        Ty::List(of) | Ty::Array(of) => **of == Ty::Int(Int::U8),
        _ => false,
    }
}

fn conditional(condition: &Py, then: &Py, otherwise: &Py) -> Py {
    let text = format!(
        "{} if {} else {}",
        then.at(Binds::Or),
        condition.at(Binds::Or),
        otherwise.at(Binds::Conditional)
    );
    Py::new(text, Binds::Conditional)
}

/// A number; large ones as people write them.
fn number(value: i128) -> String {
    let is_mask = value > 0xFFFF && (value + 1).count_ones() == 1;
    if is_mask { format!("0x{value:X}") } else { value.to_string() }
}

/// `{0}` and `<0>` filled in.
fn filled(text: &str, arguments: &[Py]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '<']) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let Some((place, length)) = place(from, before, arguments) else {
            let mut letters = from.chars();
            out.extend(letters.next());
            rest = letters.as_str();
            continue;
        };
        out.push_str(&place);
        rest = from.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The text for a place at the beginning, and how long the place is.
fn place(from: &str, before: &str, arguments: &[Py]) -> Option<(String, usize)> {
    let is_open = from.starts_with('<');
    let end = from.find(if is_open { '>' } else { '}' })?;
    let inner = from.get(1..end)?;
    let (binds, digits) = match inner.chars().next()? {
        letter if letter.is_ascii_digit() => (if is_open { Binds::Lambda } else { Binds::Atom }, inner),
        letter if !is_open => {
            let binds = match letter {
                's' => Binds::Sum,
                'p' => Binds::Product,
                'u' => Binds::Unary,
                'c' => Binds::BitOr,
                'a' => Binds::BitAnd,
                'n' => Binds::Not,
                'o' => Binds::Or,
                _ => return None,
            };
            (binds, inner.get(1..)?)
        }
        _ => return None,
    };
    let argument = arguments.get(digits.parse::<usize>().ok()?)?;
    // The only argument of a call may be a generator as it is.
    let alone =
        is_open && before.ends_with('(') && from.get(end + 1..).is_some_and(|rest| rest.starts_with(')'));
    let text = if alone { argument.text.clone() } else { argument.at(binds) };
    Some((text, end + 1))
}

/// A formatted text with its values.
fn format_text(text: &str, arguments: &[Py]) -> String {
    let mut out = text.to_owned();
    for (at, argument) in arguments.iter().enumerate() {
        out = out.replace(&format!("{{[{at}]"), &format!("{{{}", argument.text));
    }
    out
}
