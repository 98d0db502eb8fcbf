//! Macros of the standard library.

use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use super::formats::Arguments;
use super::{Lower, segments};
use crate::compile::ir::{Binds, Kind, Node, Pattern};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::Ty;

/// What a test asserts.
pub(in crate::compile) enum Assertion {
    /// A condition.
    True(Expr),
    /// Two expressions that are equal, or not.
    Compared(Box<(Expr, Expr)>, bool),
}

/// `value` or `value; count` or `values, …`
enum VecArguments {
    Repeat(Box<(Expr, Expr)>),
    List(Vec<Expr>),
}

impl Parse for VecArguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(Self::List(Vec::new()));
        }
        let first: Expr = input.parse()?;
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            return Ok(Self::Repeat(Box::new((first, input.parse()?))));
        }
        let mut all = vec![first];
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
            all.extend(Punctuated::<Expr, Token![,]>::parse_terminated(input)?);
        }
        Ok(Self::List(all))
    }
}

impl Assertion {
    /// The assertion that a macro makes; `None` for other macros.
    pub(in crate::compile) fn of(called: &syn::Macro) -> Made<Option<Self>> {
        let name = segments(&called.path).pop().unwrap_or_default();
        let kinds =
            ["assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne"];
        if !kinds.contains(&name.as_str()) {
            return Ok(None);
        }
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(called.tokens.clone());
        let mut arguments = match arguments {
            Ok(arguments) => arguments.into_iter(),
            Err(fault) => return refuse(Reason::Syntax, fault.to_string()),
        };
        let missing = || refuse(Reason::Syntax, format!("`{name}!` without arguments"));
        let Some(first) = arguments.next() else { return missing() };
        if name.ends_with("assert") {
            return Ok(Some(Self::True(first)));
        }
        let Some(second) = arguments.next() else { return missing() };
        Ok(Some(Self::Compared(Box::new((first, second)), name.ends_with("_eq"))))
    }
}

impl Lower<'_> {
    pub(super) fn called_macro(&mut self, called: &syn::Macro) -> Made<Node> {
        let names = segments(&called.path);
        let name = names.last().map_or("", String::as_str);
        if let crate::compile::program::Leads::Item(_) = self.resolve(&names) {
            return refuse(Reason::Macro, format!("`{name}!` of the crate"));
        }
        if let Some(assertion) = Assertion::of(called)? {
            return self.asserted(assertion);
        }
        match name {
            "vec" => self.vec_macro(called),
            "format" => {
                let arguments = self.format_arguments(called)?;
                self.formatted(&arguments)
            }
            "panic" | "unreachable" | "todo" | "unimplemented" => {
                let text = if called.tokens.is_empty() {
                    Node::text(Ty::Str, format!("\"{name}\""))
                } else {
                    let arguments = self.format_arguments(called)?;
                    self.formatted(&arguments)?
                };
                let error = Node::atom(Ty::Unit, "RuntimeError(<0>)", vec![text]);
                Ok(Node::new(Ty::Never, Kind::Panic(Box::new(error))))
            }
            "matches" => self.matches_macro(called),
            "write" | "writeln" => self.write_macro(called, name),
            _ => refuse(Reason::Macro, format!("`{name}!`")),
        }
    }

    /// A panic unless the condition holds.
    fn asserted(&mut self, assertion: Assertion) -> Made<Node> {
        let condition = match assertion {
            Assertion::True(condition) => self.condition(&condition)?,
            Assertion::Compared(pair, equal) => {
                let (left, right) = (self.expr(&pair.0)?, self.expr(&pair.1)?);
                self.comparison(if equal { "==" } else { "!=" }, left, right)?
            }
        };
        if self.is_test {
            return Ok(Self::done("assert <0>", vec![condition]));
        }
        let error = Node::atom(Ty::Unit, "AssertionError", Vec::new());
        let panic = Node::new(Ty::Never, Kind::Panic(Box::new(error)));
        let wrong = Node::new(Ty::Bool, Kind::Not(Box::new(condition)));
        let then = Node::new(Ty::Unit, Kind::Block(vec![crate::compile::ir::Statement::Do(panic)], None));
        Ok(Node::new(Ty::Unit, Kind::If(Box::new(wrong), Box::new(then), None)))
    }

    fn vec_macro(&mut self, called: &syn::Macro) -> Made<Node> {
        let arguments = match syn::parse2::<VecArguments>(called.tokens.clone()) {
            Ok(arguments) => arguments,
            Err(fault) => return refuse(Reason::Syntax, fault.to_string()),
        };
        match arguments {
            VecArguments::List(parts) => {
                let element = self.types.fresh();
                let parts = self.same(parts.iter(), &element)?;
                for part in &parts {
                    self.kept(part)?;
                }
                Ok(Node::new(Ty::list(element), Kind::List(parts)))
            }
            VecArguments::Repeat(pair) => {
                let value = self.value(&pair.0)?;
                let count = self.expr(&pair.1)?;
                self.expect(&count, &Ty::usize())?;
                let ty = Ty::list(value.ty.clone());
                Ok(Node::new(ty, Kind::Repeat(Box::new(value), Box::new(count))))
            }
        }
    }

    fn format_arguments(&mut self, called: &syn::Macro) -> Made<Arguments> {
        syn::parse2(called.tokens.clone())
            .or_else(|fault: syn::Error| refuse(Reason::Format, fault.to_string()))
    }

    fn matches_macro(&mut self, called: &syn::Macro) -> Made<Node> {
        let parse = |input: ParseStream<'_>| {
            let subject: Expr = input.parse()?;
            input.parse::<Token![,]>()?;
            let pattern = syn::Pat::parse_multi_with_leading_vert(input)?;
            let guard = if input.peek(Token![if]) {
                input.parse::<Token![if]>()?;
                Some(input.parse::<Expr>()?)
            } else {
                None
            };
            input.parse::<Option<Token![,]>>()?;
            Ok((subject, pattern, guard))
        };
        let (subject, pattern, guard) = match parse.parse2(called.tokens.clone()) {
            Ok(parsed) => parsed,
            Err(fault) => return refuse(Reason::Syntax, fault.to_string()),
        };
        if guard.is_some() {
            return refuse(Reason::Pattern, "`matches!` with a guard");
        }
        let subject = self.expr(&subject)?;
        let pattern = self.scoped(|lower| lower.pattern(&pattern, &subject.ty))?;
        let subject = match asked(subject, &pattern) {
            Ok(condition) => return Ok(condition),
            Err(subject) => *subject,
        };
        let yes = (pattern, Node::text(Ty::Bool, "True"));
        let no = (Pattern::Any, Node::text(Ty::Bool, "False"));
        Ok(Self::either(subject, Ty::Bool, yes, no))
    }

    fn write_macro(&mut self, called: &syn::Macro, name: &str) -> Made<Node> {
        let parse = |input: ParseStream<'_>| {
            let target: Expr = input.parse()?;
            if input.is_empty() {
                return Ok((target, None));
            }
            input.parse::<Token![,]>()?;
            Ok((target, Some(input.parse::<Arguments>()?)))
        };
        let (target, arguments) = match parse.parse2(called.tokens.clone()) {
            Ok(parsed) => parsed,
            Err(fault) => return refuse(Reason::Format, fault.to_string()),
        };
        let target = self.expr(&target)?;
        if !matches!(self.types.bare(&target.ty), Ty::Formatter) {
            return refuse(Reason::Macro, "`write!` to something else than a formatter");
        }
        if name == "writeln" {
            return refuse(Reason::Macro, "`writeln!`");
        }
        let text = match arguments {
            Some(arguments) => self.formatted(&arguments)?,
            None => Node::text(Ty::Str, "\"\""),
        };
        let ty = Ty::Result(Box::new(Ty::Unit), Box::new(Ty::Formatter));
        Ok(Node::new(ty, Kind::Write(Box::new(text))))
    }
}

/// A pattern that binds nothing as one condition, or the subject again.
fn asked(subject: Node, pattern: &Pattern) -> Result<Node, Box<Node>> {
    let compare = |text: String, nodes: Vec<Node>| Ok(Node::template(Ty::Bool, text, nodes, Binds::Compare));
    match pattern {
        Pattern::Is(value) if subject.ty != Ty::Bool => {
            compare("{c0} == {c1}".to_owned(), vec![subject, (**value).clone()])
        }
        Pattern::Variant(value) => compare("{c0} is {c1}".to_owned(), vec![subject, (**value).clone()]),
        Pattern::Between(Some(low), Some(high), closed) => {
            let sign = if *closed { "<=" } else { "<" };
            compare(
                format!("{{c0}} <= {{c1}} {sign} {{c2}}"),
                vec![(**low).clone(), subject, (**high).clone()],
            )
        }
        Pattern::Some(inner) if matches!(**inner, Pattern::Any) => {
            compare("{c0} is not None".to_owned(), vec![subject])
        }
        Pattern::None => compare("{c0} is None".to_owned(), vec![subject]),
        Pattern::Either(cases) => {
            let mut nodes = vec![subject];
            for case in cases {
                match case {
                    Pattern::Is(value) | Pattern::Variant(value) => nodes.push((**value).clone()),
                    _ => return Err(Box::new(nodes.swap_remove(0))),
                }
            }
            let places: Vec<String> = (1..nodes.len()).map(|at| format!("<{at}>")).collect();
            compare(format!("{{c0}} in ({})", places.join(", ")), nodes)
        }
        _ => Err(Box::new(subject)),
    }
}
