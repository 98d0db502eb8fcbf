//! Methods of lists, maps, sets, options and results.

use syn::Expr;

use super::Lower;
use super::calls::is_immutable;
use crate::compile::ir::{Binds, Kind, Node, Pattern};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::Ty;

/// The longest that a list can be.
const LENGTH_MAX: i128 = 1 << 62;

impl Lower<'_> {
    pub(super) fn list_method(
        &mut self,
        list: Node,
        name: &str,
        arguments: &[&Expr],
        expected: Option<&Ty>,
    ) -> Made<Node> {
        let (Ty::List(of) | Ty::Array(of)) = self.types.bare(&list.ty) else {
            return refuse(Reason::Method, format!("`{name}`"));
        };
        let of = *of;
        let at = |lower: &mut Self| lower.one_of(arguments, &Ty::usize());
        match (name, arguments) {
            ("len", []) => Ok(Node::atom(Ty::usize(), "len(<0>)", vec![list]).between(0, LENGTH_MAX)),
            ("is_empty", []) => Ok(Node::template(Ty::Bool, "not {n0}", vec![list], Binds::Not)),
            ("iter" | "into_iter", []) => Ok(Node::new(Ty::iter(of), Kind::Seq(Box::new(list)))),
            ("push", [_]) => {
                let value = self.one_of(arguments, &of)?;
                self.kept(&value)?;
                Ok(Self::done("{0}.append(<1>)", vec![list, value]))
            }
            ("pop", []) => {
                let ty = self.option_of(of)?;
                Ok(Node::helper(ty, "_pop", vec![list]).effectful())
            }
            ("extend_from_slice" | "extend" | "append", [_]) => {
                let more = self.one(arguments)?;
                if name == "append" {
                    return refuse(Reason::Method, "`append` of a list");
                }
                let more = if matches!(self.types.bare(&more.ty), Ty::List(_) | Ty::Array(_)) {
                    self.types.unify(&more.ty, &Ty::list(of))?;
                    more
                } else {
                    let more = self.iterated(more)?;
                    self.types.unify(&more.ty, &Ty::iter(of))?;
                    more
                };
                Ok(Self::done("{0}.extend(<1>)", vec![list, more]))
            }
            ("clear", []) => Ok(Self::done("{0}.clear()", vec![list])),
            ("reserve", [_]) => {
                self.one(arguments)?;
                Ok(Node::unit())
            }
            ("truncate", [_]) => {
                let at = at(self)?;
                Ok(Self::done("del {0}[<1>:]", vec![list, at]))
            }
            ("reverse", []) => Ok(Self::done("{0}.reverse()", vec![list])),
            ("sort" | "sort_unstable", []) => {
                self.comparable("<", &of)?;
                match self.types.bare(&of) {
                    Ty::Int(_) | Ty::IntVar(_) | Ty::Str | Ty::Char
                        if self.types.bare(&of) != Ty::Int(crate::compile::ty::Int::U8) =>
                    {
                        Ok(Self::done("{0}.sort()", vec![list]))
                    }
                    _ => refuse(Reason::Method, "`sort` of what is neither numbers nor texts"),
                }
            }
            ("swap", [one, other]) => {
                let given = self.given([*one, *other], &[Ty::usize(), Ty::usize()])?;
                if !given.iter().all(|node| matches!(node.kind, Kind::Local(_) | Kind::Int(_))) {
                    let all = std::iter::once(list).chain(given).collect();
                    return Ok(Node::helper(Ty::Unit, "_swap", all).effectful());
                }
                let all = std::iter::once(list).chain(given).collect();
                Ok(Self::done("{0}[<1>], {0}[<2>] = {0}[<2>], {0}[<1>]", all))
            }
            ("insert", [place, value]) => {
                let given = self.given([*place, *value], &[Ty::usize(), of])?;
                let all = std::iter::once(list).chain(given).collect();
                Ok(Node::helper(Ty::Unit, "_insert", all).effectful())
            }
            ("remove", [_]) => {
                let at = at(self)?;
                Ok(Node::atom(of, "{0}.pop(<1>)", vec![list, at]).effectful())
            }
            ("first" | "last", []) => {
                let ty = self.option_of(of)?;
                let helper = if name == "first" { "_first" } else { "_last" };
                Ok(Node::helper(ty, helper, vec![list]))
            }
            ("get", [index]) if !matches!(index, Expr::Range(_)) => {
                let at = at(self)?;
                let ty = self.option_of(of)?;
                Ok(Node::helper(ty, "_get", vec![list, at]))
            }
            ("contains", [_]) => {
                let value = self.one_of(arguments, &of)?;
                self.comparable("==", &of)?;
                if matches!(self.types.bare(&of), Ty::Float | Ty::Param(_)) {
                    return refuse(Reason::Method, "`contains` of floating-point numbers");
                }
                Ok(Node::template(Ty::Bool, "{c1} in {c0}", vec![list, value], Binds::Compare))
            }
            ("starts_with" | "ends_with", [_]) => {
                let other = self.one_of(arguments, &Ty::list(of.clone()))?;
                self.comparable("==", &Ty::list(of))?;
                let helper = if name == "starts_with" { "_starts_with" } else { "_ends_with" };
                Ok(Node::helper(Ty::Bool, helper, vec![list, other]))
            }
            ("fill", [_]) => {
                let value = self.one_of(arguments, &of)?;
                Ok(Self::done("{0}[:] = [<1>] * len({0})", vec![list, value]))
            }
            ("concat", []) if matches!(self.types.bare(&of), Ty::Str) => {
                Ok(Node::atom(Ty::Str, "\"\".join(<0>)", vec![list]))
            }
            ("join", [_]) if matches!(self.types.bare(&of), Ty::Str) => {
                let between = self.one_of(arguments, &Ty::Str)?;
                Ok(Node::atom(Ty::Str, "{1}.join(<0>)", vec![list, between]))
            }
            ("windows" | "chunks" | "chunks_exact", [_]) => {
                let size = at(self)?;
                let helper = match name {
                    "windows" => "_windows",
                    "chunks" => "_chunks",
                    _ => "_chunks_exact",
                };
                let list_of = Ty::list(Ty::list(of.clone()));
                let node = Node::helper(list_of, helper, vec![list, size]);
                Ok(Node::new(Ty::iter(Ty::list(of)), Kind::Seq(Box::new(node))))
            }
            ("split_at", [_]) => {
                let at = at(self)?;
                let half = Ty::list(of);
                Ok(Node::helper(Ty::Tuple(vec![half.clone(), half]), "_split_at", vec![list, at]))
            }
            (
                "iter_mut" | "as_mut_ptr" | "get_mut" | "last_mut" | "first_mut" | "split_at_mut"
                | "chunks_mut",
                _,
            ) => refuse(Reason::Mutation, format!("`{name}` of a list")),
            ("any" | "map", _) => self.iterator_method(list, name, arguments, &[], expected),
            _ => refuse(Reason::Method, format!("`{name}` of a list")),
        }
    }

    /// A value that a container keeps: what is kept twice must not change.
    pub(super) fn kept(&mut self, value: &Node) -> Made<()> {
        match self.types.bare(&value.ty) {
            Ty::Result(..) => refuse(Reason::ResultValue, "a result in a list"),
            Ty::Iter(_) | Ty::Call(..) => refuse(Reason::Type, "an iterator or closure in a list"),
            _ => Ok(()),
        }
    }

    pub(super) fn map_method(
        &mut self,
        map: Node,
        (key, value): (Ty, Ty),
        name: &str,
        arguments: &[&Expr],
    ) -> Made<Node> {
        match (name, arguments) {
            ("len", []) => Ok(Node::atom(Ty::usize(), "len(<0>)", vec![map]).between(0, LENGTH_MAX)),
            ("is_empty", []) => Ok(Node::template(Ty::Bool, "not {n0}", vec![map], Binds::Not)),
            ("contains_key", [_]) => {
                let key = self.one_of(arguments, &key)?;
                Ok(Node::template(Ty::Bool, "{c1} in {c0}", vec![map, key], Binds::Compare))
            }
            ("get", [_]) => {
                let key = self.one_of(arguments, &key)?;
                let ty = self.option_of(value)?;
                Ok(Node::atom(ty, "{0}.get(<1>)", vec![map, key]))
            }
            ("insert", [one, other]) => {
                let ty = self.option_of(value.clone())?;
                let given = self.given([*one, *other], &[key.clone(), value])?;
                if !is_immutable(&self.types.full(&key)) && !matches!(self.types.bare(&key), Ty::Var(_)) {
                    return refuse(Reason::Type, "a map by keys that may change");
                }
                let all = std::iter::once(map).chain(given).collect();
                Ok(Node::helper(ty, "_map_insert", all).effectful())
            }
            ("remove", [_]) => {
                let key = self.one_of(arguments, &key)?;
                let ty = self.option_of(value)?;
                Ok(Node::atom(ty, "{0}.pop(<1>, None)", vec![map, key]).effectful())
            }
            _ => refuse(Reason::Method, format!("`{name}` of a map")),
        }
    }

    pub(super) fn set_method(&mut self, set: Node, of: &Ty, name: &str, arguments: &[&Expr]) -> Made<Node> {
        match (name, arguments) {
            ("len", []) => Ok(Node::atom(Ty::usize(), "len(<0>)", vec![set]).between(0, LENGTH_MAX)),
            ("is_empty", []) => Ok(Node::template(Ty::Bool, "not {n0}", vec![set], Binds::Not)),
            ("contains", [_]) => {
                let value = self.one_of(arguments, of)?;
                Ok(Node::template(Ty::Bool, "{c1} in {c0}", vec![set, value], Binds::Compare))
            }
            ("insert", [_]) => {
                let value = self.one_of(arguments, of)?;
                Ok(Node::helper(Ty::Bool, "_set_insert", vec![set, value]).effectful())
            }
            _ => refuse(Reason::Method, format!("`{name}` of a set")),
        }
    }

    pub(super) fn option_method(
        &mut self,
        option: Node,
        of: Ty,
        name: &str,
        arguments: &[&Expr],
    ) -> Made<Node> {
        let none = |ty: Ty| (Pattern::None, Node::text(ty, "None"));
        match (name, arguments) {
            ("is_some", []) => Ok(Node::template(Ty::Bool, "{c0} is not None", vec![option], Binds::Compare)),
            ("is_none", []) => Ok(Node::template(Ty::Bool, "{c0} is None", vec![option], Binds::Compare)),
            ("unwrap", []) | ("expect", [_]) => Ok(Node::helper(of, "_unwrap", vec![option])),
            ("unwrap_or", [_]) => {
                let other = self.one_of(arguments, &of)?;
                if other.has_effects() {
                    return refuse(Reason::Flow, "`unwrap_or` of what does something");
                }
                let value = self.bind_new("value", of.clone());
                let some = (Pattern::Some(Box::new(Pattern::Bind(value, None))), self.local(value));
                Ok(Self::either(option, of, some, (Pattern::None, other)))
            }
            ("unwrap_or_default", []) => {
                let default = self.default_of(&of)?;
                let value = self.bind_new("value", of.clone());
                let some = (Pattern::Some(Box::new(Pattern::Bind(value, None))), self.local(value));
                Ok(Self::either(option, of, some, (Pattern::None, default)))
            }
            ("unwrap_or_else", [closure]) => {
                let (_, other) = self.closure(closure, &[])?;
                self.types.unify(&other.ty, &of)?;
                let value = self.bind_new("value", of.clone());
                let some = (Pattern::Some(Box::new(Pattern::Bind(value, None))), self.local(value));
                Ok(Self::either(option, of, some, (Pattern::None, other)))
            }
            ("map" | "and_then", [closure]) => {
                let (mut patterns, body) = self.closure(closure, std::slice::from_ref(&of))?;
                let pattern = patterns.pop().unwrap_or(Pattern::Any);
                let ty = if name == "map" {
                    self.option_of(body.ty.clone())?
                } else {
                    let inner = self.types.fresh();
                    self.types.unify(&body.ty, &Ty::option(inner))?;
                    body.ty.clone()
                };
                let some = (Pattern::Some(Box::new(pattern)), body);
                Ok(Self::either(option, ty.clone(), some, none(ty)))
            }
            ("map_or", [default, closure]) => {
                let (mut patterns, body) = self.closure(closure, std::slice::from_ref(&of))?;
                let pattern = patterns.pop().unwrap_or(Pattern::Any);
                let default = self.value_as(default, Some(&body.ty))?;
                self.types.unify(&default.ty, &body.ty)?;
                if default.has_effects() {
                    return refuse(Reason::Flow, "`map_or` of what does something");
                }
                let ty = body.ty.clone();
                Ok(Self::either(
                    option,
                    ty,
                    (Pattern::Some(Box::new(pattern)), body),
                    (Pattern::None, default),
                ))
            }
            ("is_some_and", [closure]) => {
                let (mut patterns, body) = self.closure(closure, std::slice::from_ref(&of))?;
                let pattern = patterns.pop().unwrap_or(Pattern::Any);
                let no = (Pattern::None, Node::text(Ty::Bool, "False"));
                Ok(Self::either(option, Ty::Bool, (Pattern::Some(Box::new(pattern)), body), no))
            }
            ("or", [_]) => {
                let other = self.one_of(arguments, &Ty::option(of.clone()))?;
                if other.has_effects() {
                    return refuse(Reason::Flow, "`or` of what does something");
                }
                let value = self.bind_new("value", of.clone());
                let some = (Pattern::Some(Box::new(Pattern::Bind(value, None))), self.local(value));
                Ok(Self::either(option, Ty::option(of), some, (Pattern::None, other)))
            }
            ("ok_or" | "ok_or_else", [error]) => {
                let error = if name == "ok_or" { self.value(error)? } else { self.closure(error, &[])?.1 };
                let ty = Ty::Result(Box::new(of.clone()), Box::new(error.ty.clone()));
                let value = self.bind_new("value", of);
                let fine = Node::new(ty.clone(), Kind::Ok(Box::new(self.local(value))));
                let wrong = Node::new(ty.clone(), Kind::Err(Box::new(error)));
                let some = (Pattern::Some(Box::new(Pattern::Bind(value, None))), fine);
                Ok(Self::either(option, ty, some, (Pattern::None, wrong)))
            }
            ("iter" | "into_iter", []) => refuse(Reason::Method, "an option as an iterator"),
            _ => refuse(Reason::Method, format!("`{name}` of an option")),
        }
    }

    fn default_of(&mut self, ty: &Ty) -> Made<Node> {
        Ok(match self.types.bare(ty) {
            Ty::Int(_) | Ty::IntVar(_) => Node::new(ty.clone(), Kind::Int(0)),
            Ty::Str => Node::text(Ty::Str, "\"\""),
            Ty::Bool => Node::text(Ty::Bool, "False"),
            Ty::Float => Node::text(Ty::Float, "0.0"),
            Ty::List(_) => Node::new(ty.clone(), Kind::List(Vec::new())),
            _ => return refuse(Reason::Type, "the default of a type that is not known"),
        })
    }

    pub(super) fn result_method(
        &mut self,
        result: Node,
        (of, error): (Ty, Ty),
        name: &str,
        arguments: &[&Expr],
    ) -> Made<Node> {
        let fine = |pattern| Pattern::Ok(Box::new(pattern));
        let wrong = |pattern| Pattern::Err(Box::new(pattern));
        match (name, arguments) {
            ("unwrap", []) | ("expect", [_]) if self.is_test => {
                Ok(Node::new(of, Kind::Try(Box::new(result))))
            }
            ("map", [closure]) => {
                let (mut patterns, body) = self.closure(closure, std::slice::from_ref(&of))?;
                let pattern = patterns.pop().unwrap_or(Pattern::Any);
                let ty = Ty::Result(Box::new(body.ty.clone()), Box::new(error));
                let value = Node::new(of, Kind::Try(Box::new(result)));
                let body = Node::new(ty.clone(), Kind::Ok(Box::new(body)));
                let statement =
                    crate::compile::ir::Statement::Let { pattern, value: Some(value), otherwise: None };
                Ok(Node::new(ty, Kind::Block(vec![statement], Some(Box::new(body)))))
            }
            ("map_err", [closure]) => {
                let (mut patterns, body) = self.closure(closure, std::slice::from_ref(&error))?;
                let pattern = patterns.pop().unwrap_or(Pattern::Any);
                let ty = Ty::Result(Box::new(of.clone()), Box::new(body.ty.clone()));
                let value = self.bind_new("value", of);
                let kept = Node::new(ty.clone(), Kind::Ok(Box::new(self.local(value))));
                let raised = Node::new(ty.clone(), Kind::Err(Box::new(body)));
                let one = (fine(Pattern::Bind(value, None)), kept);
                Ok(Self::either(result, ty, one, (wrong(pattern), raised)))
            }
            ("ok", []) => {
                let ty = self.option_of(of.clone())?;
                let value = self.bind_new("value", of);
                let some = Node::new(ty.clone(), self.local(value).kind);
                let one = (fine(Pattern::Bind(value, None)), some);
                Ok(Self::either(result, ty.clone(), one, (wrong(Pattern::Any), Node::text(ty, "None"))))
            }
            ("is_ok" | "is_err", []) => {
                let (yes, no) = if name == "is_ok" { ("True", "False") } else { ("False", "True") };
                let one = (fine(Pattern::Any), Node::text(Ty::Bool, yes));
                Ok(Self::either(result, Ty::Bool, one, (wrong(Pattern::Any), Node::text(Ty::Bool, no))))
            }
            ("unwrap_or", [_]) => {
                let other = self.one_of(arguments, &of)?;
                let value = self.bind_new("value", of.clone());
                let one = (fine(Pattern::Bind(value, None)), self.local(value));
                Ok(Self::either(result, of, one, (wrong(Pattern::Any), other)))
            }
            _ => refuse(Reason::ResultValue, format!("`{name}` of a result")),
        }
    }
}
