//! Methods of iterators.

use syn::Expr;

use super::Lower;
use super::statements::is_plain;
use crate::compile::ir::{Binds, Kind, Node, Pattern};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Ty, told};

/// The longest that an iterator can be.
const LENGTH_MAX: i128 = 1 << 62;

impl Lower<'_> {
    /// What a `for` loop or an adapter goes through.
    pub(super) fn iterated(&mut self, node: Node) -> Made<Node> {
        match self.types.bare(&node.ty) {
            Ty::Iter(_) => Ok(node),
            Ty::List(of) | Ty::Array(of) => Ok(Node::new(Ty::iter(*of), Kind::Seq(Box::new(node)))),
            Ty::Range(of) => Ok(Node::new(Ty::iter(*of), Kind::Seq(Box::new(node)))),
            other => refuse(Reason::Type, format!("an iteration over {}", told(&other))),
        }
    }

    pub(super) fn iterator_method(
        &mut self,
        receiver: Node,
        name: &str,
        arguments: &[&Expr],
        types: &[Ty],
        expected: Option<&Ty>,
    ) -> Made<Node> {
        if let (Ty::Range(of), "contains", [_]) = (self.types.bare(&receiver.ty), name, arguments) {
            return self.range_contains(receiver, &of, arguments);
        }
        let items = self.iterated(receiver)?;
        let Ty::Iter(item) = self.types.bare(&items.ty) else {
            return refuse(Reason::Method, format!("`{name}`"));
        };
        let item = *item;
        let items_or_not = self.types.bare(&item);
        if matches!(items_or_not, Ty::Result(..)) && name != "collect" {
            return refuse(Reason::ResultValue, "an iterator over results");
        }
        match (name, arguments) {
            ("map", [closure]) => {
                let (pattern, body) = self.each(closure, &item)?;
                let ty = Ty::iter(body.ty.clone());
                let each =
                    Kind::Each { source: Box::new(items), pattern, filter: None, body: Some(Box::new(body)) };
                Ok(Node::new(ty, each))
            }
            ("filter", [closure]) => {
                let (pattern, body) = self.each(closure, &item)?;
                self.expect(&body, &Ty::Bool)?;
                let each =
                    Kind::Each { source: Box::new(items), pattern, filter: Some(Box::new(body)), body: None };
                Ok(Node::new(Ty::iter(item), each))
            }
            ("enumerate", []) => {
                let ty = Ty::iter(Ty::Tuple(vec![Ty::usize(), item]));
                Ok(Node::atom(ty, "enumerate(<0>)", vec![items]))
            }
            ("zip", [_]) => {
                let other = self.one(arguments)?;
                let other = self.iterated(other)?;
                // A `zip` over something that goes on afterwards takes one element more from one of its sides.
                if [&items, &other].iter().any(|node| matches!(node.kind, Kind::Local(_))) {
                    return refuse(Reason::Mutation, "`zip` of an iterator that is kept");
                }
                let Ty::Iter(second) = self.types.bare(&other.ty) else {
                    return refuse(Reason::Type, "`zip` with what is no iterator");
                };
                let ty = Ty::iter(Ty::Tuple(vec![item, *second]));
                Ok(Node::atom(ty, "zip(<0>, <1>)", vec![items, other]))
            }
            ("rev", []) => {
                let ty = Ty::iter(item);
                Ok(match &items.kind {
                    Kind::Seq(_) => Node::atom(ty, "reversed(<0>)", vec![items]),
                    _ => Node::atom(ty, "reversed(list(<0>))", vec![items]),
                })
            }
            ("chain", [_]) => {
                let other = self.one(arguments)?;
                let other = self.iterated(other)?;
                self.types.unify(&items.ty, &other.ty)?;
                let ty = Ty::iter(item);
                Ok(Node::atom(ty, "itertools.chain(<0>, <1>)", vec![items, other]).needing("itertools"))
            }
            ("skip" | "take" | "step_by", [_]) => {
                let count = self.one_of(arguments, &Ty::usize())?;
                let is_kept = matches!(items.kind, Kind::Local(_));
                if is_kept && name != "take" {
                    return refuse(Reason::Mutation, format!("`{name}` of an iterator that is kept"));
                }
                // Python takes no more than the length of a sequence can be.
                let count = match count.kind {
                    Kind::Int(_) => count,
                    _ => Node::atom(Ty::usize(), "min(<0>, 2**63 - 1)", vec![count]),
                };
                let text = match name {
                    "skip" => "itertools.islice(<0>, <1>, None)",
                    "take" => "itertools.islice(<0>, <1>)",
                    _ => "itertools.islice(<0>, None, None, <1>)",
                };
                Ok(Node::atom(Ty::iter(item), text, vec![items, count]).needing("itertools"))
            }
            ("take_while" | "skip_while", [closure]) => {
                if matches!(items.kind, Kind::Local(_)) {
                    return refuse(Reason::Mutation, format!("`{name}` of an iterator that is kept"));
                }
                let (pattern, body) = self.each(closure, &item)?;
                self.expect(&body, &Ty::Bool)?;
                if !matches!(pattern, Pattern::Bind(..)) {
                    return refuse(Reason::Closure, "a closure that takes its value apart");
                }
                let lambda = Node::new(Ty::Bool, Kind::Lambda(vec![pattern], Box::new(body)));
                let function = if name == "take_while" { "takewhile" } else { "dropwhile" };
                let text = format!("itertools.{function}(<0>, <1>)");
                Ok(Node::atom(Ty::iter(item), text, vec![lambda, items]).needing("itertools"))
            }
            ("filter_map", [closure]) => self.filter_map(items, closure, &item),
            ("flat_map", [closure]) => {
                let (pattern, body) = self.each(closure, &item)?;
                let body = self.iterated(body)?;
                let Ty::Iter(inner) = self.types.bare(&body.ty) else {
                    return refuse(Reason::Type, "`flat_map` to what is no iterator");
                };
                let each =
                    Kind::Each { source: Box::new(items), pattern, filter: None, body: Some(Box::new(body)) };
                let lists = Node::new(Ty::iter(Ty::Unit), each);
                let ty = Ty::Iter(inner);
                Ok(Node::atom(ty, "itertools.chain.from_iterable(<0>)", vec![lists]).needing("itertools"))
            }
            ("any" | "all", [closure]) => {
                let is_kept = matches!(items.kind, Kind::Local(_));
                let (pattern, body) = self.each(closure, &item)?;
                self.expect(&body, &Ty::Bool)?;
                let each =
                    Kind::Each { source: Box::new(items), pattern, filter: None, body: Some(Box::new(body)) };
                let each = Node::new(Ty::iter(Ty::Bool), each);
                let found = Node::atom(Ty::Bool, format!("{name}(<0>)"), vec![each]);
                Ok(if is_kept { found.effectful() } else { found })
            }
            ("position", [closure]) => {
                let index = self.bind_new("index", Ty::usize());
                let (pattern, body) = self.each(closure, &item)?;
                self.expect(&body, &Ty::Bool)?;
                let pair = Ty::iter(Ty::Tuple(vec![Ty::usize(), item]));
                let source = Node::atom(pair, "enumerate(<0>)", vec![items]);
                let pattern = Pattern::Tuple(vec![Pattern::Bind(index, None), pattern]);
                let each = Kind::Each {
                    source: Box::new(source),
                    pattern,
                    filter: Some(Box::new(body)),
                    body: Some(Box::new(self.local(index))),
                };
                let each = Node::new(Ty::iter(Ty::usize()), each);
                Ok(Node::atom(Ty::option(Ty::usize()), "next(<0>, None)", vec![each]))
            }
            ("find", [closure]) => {
                let (pattern, body) = self.each(closure, &item)?;
                self.expect(&body, &Ty::Bool)?;
                let ty = self.option_of(item.clone())?;
                let is_kept = matches!(items.kind, Kind::Local(_));
                let each =
                    Kind::Each { source: Box::new(items), pattern, filter: Some(Box::new(body)), body: None };
                let each = Node::new(Ty::iter(item), each);
                let found = Node::atom(ty, "next(<0>, None)", vec![each]);
                Ok(if is_kept { found.effectful() } else { found })
            }
            ("next", []) => {
                let ty = self.option_of(item)?;
                match items.kind {
                    Kind::Local(_) | Kind::Field(..) => {
                        Ok(Node::atom(ty, "next(<0>, None)", vec![items]).effectful())
                    }
                    _ => Ok(Node::atom(ty, "next(iter(<0>), None)", vec![items])),
                }
            }
            ("last", []) => {
                let ty = self.option_of(item.clone())?;
                let list = Node::new(Ty::list(item), Kind::Collect(Box::new(items)));
                Ok(Node::helper(ty, "_last", vec![list]))
            }
            ("nth", [_]) => {
                let at = self.one_of(arguments, &Ty::usize())?;
                if matches!(items.kind, Kind::Local(_)) {
                    return refuse(Reason::Mutation, "`nth` of an iterator that is kept");
                }
                let ty = self.option_of(item)?;
                let text = "next(itertools.islice(<0>, <1>, None), None)";
                Ok(Node::atom(ty, text, vec![items, at]).needing("itertools"))
            }
            ("count", []) => Ok(match items.kind {
                Kind::Seq(inner) => Node::atom(Ty::usize(), "len(<0>)", vec![*inner]),
                _ => Node::atom(Ty::usize(), "sum(1 for _ in {o0})", vec![items]),
            }
            .between(0, LENGTH_MAX)),
            ("len", []) => match items.kind {
                Kind::Seq(inner) => {
                    Ok(Node::atom(Ty::usize(), "len(<0>)", vec![*inner]).between(0, LENGTH_MAX))
                }
                _ => refuse(Reason::Method, "`len` of an iterator"),
            },
            ("sum", []) => self.sum(items, &item, types, expected),
            ("min" | "max", []) => {
                let ty = self.option_of(item.clone())?;
                match self.types.bare(&item) {
                    Ty::Int(_) | Ty::IntVar(_) | Ty::Char | Ty::Str => {
                        Ok(Node::atom(ty, format!("{name}(<0>, default=None)"), vec![items]))
                    }
                    other => refuse(Reason::Method, format!("`{name}` of an iterator over {}", told(&other))),
                }
            }
            ("collect", []) => self.collect(items, &item, types, expected),
            ("eq" | "ne", [_]) => {
                let other = self.one(arguments)?;
                let other = self.iterated(other)?;
                self.types.unify(&items.ty, &other.ty)?;
                let list = |node| Node::new(Ty::list(item.clone()), Kind::Collect(Box::new(node)));
                let operator = if name == "eq" { "==" } else { "!=" };
                self.comparison(operator, list(items), list(other))
            }
            ("fold", [start, closure]) => self.fold(items, &item, start, closure),
            ("for_each", _) => refuse(Reason::Method, "`for_each`"),
            _ => refuse(Reason::Method, format!("`{name}` of an iterator")),
        }
    }

    fn range_contains(&mut self, range: Node, of: &Ty, arguments: &[&Expr]) -> Made<Node> {
        let value = self.one_of(arguments, of)?;
        let Kind::Range { low, high, closed } = range.kind else {
            return refuse(Reason::Method, "`contains` of a range that is kept");
        };
        let text = if closed { "{c0} <= {c1} <= {c2}" } else { "{c0} <= {c1} < {c2}" };
        Ok(Node::template(Ty::Bool, text, vec![*low, value, *high], Binds::Compare))
    }

    /// A closure for each element, as Python has it in comprehensions.
    fn each(&mut self, closure: &Expr, item: &Ty) -> Made<(Pattern, Node)> {
        let (mut patterns, body) = self.closure(closure, std::slice::from_ref(item))?;
        let pattern = patterns.pop().unwrap_or(Pattern::Any);
        if !is_plain(&pattern) {
            return refuse(Reason::Closure, "a closure that takes its value apart");
        }
        if body.needs_statements() {
            return refuse(Reason::Closure, "a closure that is more than an expression");
        }
        Ok((pattern, body))
    }

    fn filter_map(&mut self, items: Node, closure: &Expr, item: &Ty) -> Made<Node> {
        let (pattern, body) = self.each(closure, item)?;
        let inner = self.types.fresh();
        self.types.unify(&body.ty, &Ty::option(inner.clone()))?;
        let found = self.bind_new("found", inner.clone());
        let each =
            Kind::Each { source: Box::new(items), pattern, filter: None, body: Some(Box::new(body.clone())) };
        let options = Node::new(Ty::iter(body.ty), each);
        let some = Node::template(Ty::Bool, "{c0} is not None", vec![self.local(found)], Binds::Compare);
        let each = Kind::Each {
            source: Box::new(options),
            pattern: Pattern::Bind(found, None),
            filter: Some(Box::new(some)),
            body: None,
        };
        Ok(Node::new(Ty::iter(inner), each))
    }

    fn sum(&mut self, items: Node, item: &Ty, types: &[Ty], expected: Option<&Ty>) -> Made<Node> {
        if let Some(ty) = types.first().or(expected) {
            self.types.unify(item, ty)?;
        }
        match self.types.bare(item) {
            Ty::Int(int) if !int.signed => {
                let sum = Node::atom(item.clone(), "sum(<0>)", vec![items]);
                Ok(super::numbers::held(int, sum))
            }
            Ty::Float => refuse(Reason::Method, "`sum` of floating-point numbers"),
            other => refuse(Reason::Method, format!("`sum` of an iterator over {}", told(&other))),
        }
    }

    fn collect(&mut self, items: Node, item: &Ty, types: &[Ty], expected: Option<&Ty>) -> Made<Node> {
        let target = match types.first().or(expected) {
            Some(ty) => ty.clone(),
            None => self.types.fresh(),
        };
        match self.types.bare(&target) {
            Ty::List(of) | Ty::Array(of) | Ty::Set(of) => self.types.unify(&of, item)?,
            Ty::Result(of, error) => {
                let (value, raised) = (self.types.fresh(), self.types.fresh());
                self.types.unify(item, &Ty::Result(Box::new(value.clone()), Box::new(raised.clone())))?;
                self.types.unify(&error, &raised)?;
                match self.types.bare(&of) {
                    Ty::List(inner) => self.types.unify(&inner, &value)?,
                    Ty::Var(_) => self.types.unify(&of, &Ty::list(value))?,
                    Ty::Str if matches!(self.types.bare(&value), Ty::Str | Ty::Char) => {}
                    other => return refuse(Reason::Type, format!("results collected to {}", told(&other))),
                }
            }
            Ty::Map(key, value) => self.types.unify(item, &Ty::Tuple(vec![*key, *value]))?,
            Ty::Str | Ty::Var(_) => {}
            other => return refuse(Reason::Type, format!("`collect` to {}", told(&other))),
        }
        Ok(Node::new(target, Kind::Collect(Box::new(items))))
    }

    fn fold(&mut self, items: Node, item: &Ty, start: &Expr, closure: &Expr) -> Made<Node> {
        let start = self.value(start)?;
        let ty = start.ty.clone();
        let (patterns, body) = self.closure(closure, &[ty.clone(), item.clone()])?;
        self.types.unify(&body.ty, &ty)?;
        let [Pattern::Bind(total, None), pattern] = patterns.as_slice() else {
            return refuse(Reason::Closure, "a closure that takes its value apart");
        };
        if !is_plain(pattern) || body.needs_statements() {
            return refuse(Reason::Closure, "a closure that is more than an expression");
        }
        if let Some(binding) = self.locals.get_mut(*total) {
            binding.mutable = true;
        }
        let total = *total;
        let step = Node::new(Ty::Unit, Kind::Assign(Box::new(self.local(total)), Box::new(body)));
        let repeat = Node::new(Ty::Unit, Kind::For(pattern.clone(), Box::new(items), Box::new(step)));
        let first = crate::compile::ir::Statement::Let {
            pattern: Pattern::Bind(total, None),
            value: Some(start),
            otherwise: None,
        };
        let statements = vec![first, crate::compile::ir::Statement::Do(repeat)];
        Ok(Node::new(ty, Kind::Block(statements, Some(Box::new(self.local(total))))))
    }
}
