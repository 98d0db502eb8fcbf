//! Methods of texts. Offsets are in bytes in Rust, so whatever speaks of them goes through bytes.

use syn::Expr;

use super::Lower;
use crate::compile::ir::{Binds, Kind, Node};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty};

/// The longest that a text can be.
const LENGTH_MAX: i128 = 1 << 62;

impl Lower<'_> {
    pub(super) fn text_method(
        &mut self,
        text: Node,
        name: &str,
        arguments: &[&Expr],
        types: &[Ty],
    ) -> Made<Node> {
        let seq = |item: Ty, node: Node| Ok(Node::new(Ty::iter(item), Kind::Seq(Box::new(node))));
        match (name, arguments) {
            ("len", []) => {
                Ok(Node::atom(Ty::usize(), "len({0}.encode())", vec![text]).between(0, LENGTH_MAX))
            }
            ("is_empty", []) => Ok(Node::template(Ty::Bool, "not {n0}", vec![text], Binds::Not)),
            ("chars", []) => seq(Ty::Char, text),
            ("bytes", []) => seq(Ty::Int(Int::U8), Node::atom(Ty::bytes(), "{0}.encode()", vec![text])),
            ("as_bytes" | "into_bytes", []) => Ok(Node::atom(Ty::bytes(), "{0}.encode()", vec![text])),
            ("char_indices", []) => {
                let item = Ty::Tuple(vec![Ty::usize(), Ty::Char]);
                Ok(Node::helper(Ty::iter(item), "_char_indices", vec![text]))
            }
            ("to_lowercase", []) => Ok(Node::atom(Ty::Str, "{0}.lower()", vec![text])),
            ("to_uppercase", []) => Ok(Node::atom(Ty::Str, "{0}.upper()", vec![text])),
            ("to_ascii_lowercase", []) => Ok(Node::helper(Ty::Str, "_ascii_lower", vec![text])),
            ("to_ascii_uppercase", []) => Ok(Node::helper(Ty::Str, "_ascii_upper", vec![text])),
            ("eq_ignore_ascii_case", [_]) => {
                let other = self.one_of(arguments, &Ty::Str)?;
                let lower = |node| Node::helper(Ty::Str, "_ascii_lower", vec![node]);
                self.comparison("==", lower(text), lower(other))
            }
            ("is_ascii", []) => Ok(Node::atom(Ty::Bool, "{0}.isascii()", vec![text])),
            ("trim", []) => Ok(Node::helper(Ty::Str, "_trim", vec![text])),
            ("trim_start" | "trim_left", []) => Ok(Node::helper(Ty::Str, "_trim_start", vec![text])),
            ("trim_end" | "trim_right", []) => Ok(Node::helper(Ty::Str, "_trim_end", vec![text])),
            ("repeat", [_]) => {
                let times = self.one_of(arguments, &Ty::usize())?;
                Ok(Node::template(Ty::Str, "{p0} * {u1}", vec![text, times], Binds::Product))
            }
            ("replace", [from, to]) => {
                let from = self.text_or_char(from)?;
                let to = self.text_or_char(to)?;
                Ok(Node::atom(Ty::Str, "{0}.replace(<1>, <2>)", vec![text, from, to]))
            }
            ("push_str" | "push", [_]) => {
                let more = self.one(arguments)?;
                if !matches!(self.types.bare(&more.ty), Ty::Str | Ty::Char) {
                    return refuse(Reason::Method, "`push` of what is no text");
                }
                let all = Node::template(Ty::Str, "{s0} + {p1}", vec![text.clone(), more], Binds::Sum);
                self.store(text, all)
            }
            ("clear", []) => self.store(text, Node::text(Ty::Str, "\"\"")),
            ("reserve", [_]) => {
                self.one(arguments)?;
                Ok(Node::unit())
            }
            ("extend", [_]) => {
                let more = self.one(arguments)?;
                let more = self.iterated(more)?;
                let Ty::Iter(of) = self.types.bare(&more.ty) else {
                    return refuse(Reason::Method, "`extend` of a text");
                };
                if !matches!(self.types.bare(&of), Ty::Char | Ty::Str) {
                    return refuse(Reason::Method, "`extend` of a text");
                }
                let more = Node::new(Ty::Str, Kind::Collect(Box::new(more)));
                let all = Node::template(Ty::Str, "{s0} + {p1}", vec![text.clone(), more], Binds::Sum);
                self.store(text, all)
            }
            ("contains" | "starts_with" | "ends_with", [pattern]) => self.searched(text, name, pattern),
            ("strip_prefix" | "strip_suffix", [pattern]) => {
                let pattern = self.text_or_char(pattern)?;
                let helper = if name == "strip_prefix" { "_strip_prefix" } else { "_strip_suffix" };
                Ok(Node::helper(Ty::option(Ty::Str), helper, vec![text, pattern]))
            }
            ("trim_start_matches" | "trim_end_matches" | "trim_matches", [pattern]) => {
                let pattern = self.expr(pattern)?;
                if !matches!(self.types.bare(&pattern.ty), Ty::Char) {
                    return refuse(Reason::Method, format!("`{name}` of what is no character"));
                }
                let method = match name {
                    "trim_start_matches" => "lstrip",
                    "trim_end_matches" => "rstrip",
                    _ => "strip",
                };
                Ok(Node::atom(Ty::Str, format!("{{0}}.{method}(<1>)"), vec![text, pattern]))
            }
            ("find" | "rfind", [pattern]) => {
                let pattern = self.text_or_char(pattern)?;
                let helper = if name == "find" { "_find" } else { "_rfind" };
                Ok(Node::helper(Ty::option(Ty::usize()), helper, vec![text, pattern]))
            }
            ("split", [pattern]) => {
                let pattern = self.separator(pattern)?;
                seq(Ty::Str, Node::atom(Ty::list(Ty::Str), "{0}.split(<1>)", vec![text, pattern]))
            }
            ("splitn", [count, pattern]) => {
                let count = self.expr(count)?;
                let Kind::Int(count @ 1..) = count.kind else {
                    return refuse(Reason::Method, "`splitn` by a number that is no literal");
                };
                let pattern = self.separator(pattern)?;
                let text = Node::atom(
                    Ty::list(Ty::Str),
                    format!("{{0}}.split(<1>, {})", count - 1),
                    vec![text, pattern],
                );
                seq(Ty::Str, text)
            }
            ("split_once", [pattern]) => {
                let pattern = self.separator(pattern)?;
                let ty = Ty::option(Ty::Tuple(vec![Ty::Str, Ty::Str]));
                Ok(Node::helper(ty, "_split_once", vec![text, pattern]))
            }
            ("split_at", [_]) => {
                let at = self.one_of(arguments, &Ty::usize())?;
                Ok(Node::helper(Ty::Tuple(vec![Ty::Str, Ty::Str]), "_text_split_at", vec![text, at]))
            }
            ("split_whitespace", []) => {
                seq(Ty::Str, Node::helper(Ty::list(Ty::Str), "_split_whitespace", vec![text]))
            }
            ("lines", []) => seq(Ty::Str, Node::helper(Ty::list(Ty::Str), "_lines", vec![text])),
            ("is_char_boundary", [_]) => {
                let at = self.one_of(arguments, &Ty::usize())?;
                Ok(Node::helper(Ty::Bool, "_is_boundary", vec![text, at]))
            }
            ("get", [range]) => {
                let Expr::Range(range) = range else {
                    return refuse(Reason::Method, "`get` of a text with what is no range");
                };
                if !matches!(range.limits, syn::RangeLimits::HalfOpen(_)) {
                    return refuse(Reason::Method, "`get` of a text with a closed range");
                }
                let zero = Node::new(Ty::usize(), Kind::Int(0));
                let low = range.start.as_ref().map_or(Ok(zero), |low| self.expr(low))?;
                self.expect(&low, &Ty::usize())?;
                let mut all = vec![text, low];
                if let Some(high) = &range.end {
                    let high = self.expr(high)?;
                    self.expect(&high, &Ty::usize())?;
                    all.push(high);
                }
                Ok(Node::helper(Ty::option(Ty::Str), "_text_get", all))
            }
            ("parse", []) => {
                let Some(Ty::Int(int)) = types.first() else {
                    return refuse(Reason::Method, "`parse` to a type that is not known");
                };
                let ty = Ty::Int(*int);
                let low = Node::new(ty.clone(), Kind::Int(int.low()));
                let high = Node::new(ty.clone(), Kind::Int(int.high()));
                let error = Ty::Own(
                    upstream::ItemPath::new("std::num::ParseIntError")
                        .or_else(|fault| refuse(Reason::Type, fault.to_string()))?,
                );
                let ty = Ty::Result(Box::new(ty), Box::new(error));
                Ok(Node::helper(ty, "_parse_int", vec![text, low, high]))
            }
            ("cmp", [_]) => {
                let other = self.one_of(arguments, &Ty::Str)?;
                Ok(Node::helper(Ty::Ordering, "_compare", vec![text, other]))
            }
            ("pop", []) => refuse(Reason::Mutation, "`pop` of a text"),
            ("is_alphabetic" | "is_alphanumeric", _) => {
                refuse(Reason::CharacterTables, format!("`{name}` of a text"))
            }
            _ => refuse(Reason::Method, format!("`{name}` of a text")),
        }
    }

    fn text_or_char(&mut self, expr: &Expr) -> Made<Node> {
        let node = self.expr(expr)?;
        match self.types.bare(&node.ty) {
            Ty::Str | Ty::Char => Ok(node),
            _ => refuse(Reason::Method, "a pattern that is no text and no character"),
        }
    }

    /// What a text is split at. Python refuses an empty one, so it has to be a literal or a character.
    fn separator(&mut self, expr: &Expr) -> Made<Node> {
        let node = self.text_or_char(expr)?;
        let is_char = matches!(self.types.bare(&node.ty), Ty::Char);
        let is_literal = matches!(&node.kind, Kind::Text(text) if text != "\"\"");
        if is_char || is_literal {
            Ok(node)
        } else {
            refuse(Reason::Method, "a text that is split at what may be empty")
        }
    }

    fn searched(&mut self, text: Node, name: &str, pattern: &Expr) -> Made<Node> {
        let is_closure = matches!(pattern, Expr::Closure(_));
        let is_function = matches!(pattern, Expr::Path(path)
            if path.path.segments.last().is_some_and(|last| self.lookup(&last.ident.to_string()).is_none()
                && last.ident.to_string().starts_with(char::is_lowercase)));
        if is_closure || is_function {
            if name != "contains" {
                return refuse(Reason::Method, format!("`{name}` with a closure"));
            }
            let chars = Node::new(Ty::iter(Ty::Char), Kind::Seq(Box::new(text)));
            return self.method(chars, "any", &[pattern], &[], None);
        }
        let pattern = match pattern {
            Expr::Array(letters) => {
                let letters = self.same(letters.elems.iter(), &Ty::Char)?;
                Node::new(Ty::list(Ty::Char), Kind::Tuple(letters))
            }
            _ => self.text_or_char(pattern)?,
        };
        let is_list = matches!(pattern.ty, Ty::List(_));
        Ok(match name {
            "contains" if is_list => {
                Node::atom(Ty::Bool, "any(letter in <1> for letter in {o0})", vec![text, pattern])
            }
            "contains" => Node::template(Ty::Bool, "{c1} in {c0}", vec![text, pattern], Binds::Compare),
            "starts_with" => Node::atom(Ty::Bool, "{0}.startswith(<1>)", vec![text, pattern]),
            _ => Node::atom(Ty::Bool, "{0}.endswith(<1>)", vec![text, pattern]),
        })
    }
}
