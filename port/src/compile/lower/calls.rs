//! Calls of functions and methods, and closures.

use syn::Expr;
use upstream::{ItemKind, ItemPath};

use super::items::{callable, field_name, struct_of};
use super::{Lower, segments};
use crate::compile::ir::{Arm, Kind, Node, Pattern};
use crate::compile::program::{Leads, Placed, module_of};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty, told};

/// A closure: its parameters and what it gives.
pub(super) type Closure = (Vec<Pattern>, Node);

impl Lower<'_> {
    pub(super) fn call(&mut self, call: &syn::ExprCall) -> Made<Node> {
        let Expr::Path(callee) = &*call.func else {
            return refuse(Reason::Function, "a call of what is no name");
        };
        let names = segments(&callee.path);
        let last = names.last().map_or("", String::as_str);
        if let ([only], Some(local)) = (names.as_slice(), names.first().and_then(|name| self.lookup(name))) {
            let function = self.local(local);
            let Ty::Call(inputs, output) = self.types.bare(&function.ty) else {
                return refuse(Reason::Function, format!("a call of `{only}`"));
            };
            let arguments = self.given(&call.args, &inputs)?;
            return Ok(Node::new(*output, Kind::Call(Box::new(function), arguments)));
        }
        if let ([name], Some(only), 1) = (names.as_slice(), call.args.first(), call.args.len())
            && let Some(wrapped) = self.wrapper(name, only)?
        {
            return Ok(wrapped);
        }
        let is_value = match names.as_slice() {
            [own, name] if own == "Self" => self.own.clone().and_then(|of| self.program.member(&of, name)),
            _ => match self.resolve(&names) {
                Leads::Item(path) => Some(self.placed(&path)?),
                Leads::Outside(_) => self.member_path(&names).and_then(|path| self.program.get(&path)),
            },
        };
        match is_value {
            Some(placed) if matches!(placed.item.kind, ItemKind::Function | ItemKind::Method) => {
                self.own_call(placed, None, call.args.iter().collect())
            }
            Some(placed) if placed.item.kind == ItemKind::Struct => self.tuple_struct(placed, call),
            _ if names.len() == 1 && last == "Self" => match self.own.clone() {
                Some(path) => {
                    let placed = self.placed(&path)?;
                    self.tuple_struct(placed, call)
                }
                None => refuse(Reason::Function, "`Self`"),
            },
            _ => {
                let outside = match self.resolve(&names) {
                    Leads::Outside(path) => path,
                    Leads::Item(_) => names.clone(),
                };
                self.outside_call(&outside, call)
            }
        }
    }

    /// `Some`, `Ok`, `Err`.
    fn wrapper(&mut self, name: &str, only: &Expr) -> Made<Option<Node>> {
        if !matches!(name, "Some" | "Ok" | "Err") {
            return Ok(None);
        }
        let value = if name == "Err" { self.error_value(only)? } else { self.value(only)? };
        let other = self.types.fresh();
        Ok(Some(match name {
            "Some" => Node::new(self.option_of(value.ty.clone())?, value.kind),
            "Ok" => {
                let ty = Ty::Result(Box::new(value.ty.clone()), Box::new(other));
                Node::new(ty, Kind::Ok(Box::new(value)))
            }
            _ => {
                let ty = Ty::Result(Box::new(other), Box::new(value.ty.clone()));
                Node::new(ty, Kind::Err(Box::new(value)))
            }
        }))
    }

    /// What is put into an `Err`: a new exception, or one that was caught.
    fn error_value(&mut self, expr: &Expr) -> Made<Node> {
        let (names, arguments): (Vec<String>, Vec<(Option<String>, &Expr)>) = match expr {
            Expr::Path(path) => (segments(&path.path), Vec::new()),
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) => {
                    (segments(&path.path), call.args.iter().map(|argument| (None, argument)).collect())
                }
                _ => return self.value(expr),
            },
            Expr::Struct(made) if made.rest.is_none() => {
                let fields = made.fields.iter().map(|field| match &field.member {
                    syn::Member::Named(name) => (Some(name.to_string()), &field.expr),
                    syn::Member::Unnamed(_) => (None, &field.expr),
                });
                (segments(&made.path), fields.collect())
            }
            _ => return self.value(expr),
        };
        if names.len() == 1 && names.first().is_some_and(|name| self.lookup(name).is_some()) {
            return self.value(expr);
        }
        let full = match names.as_slice() {
            [_] => match self.resolve(&names) {
                Leads::Outside(path) if path.len() > 1 => path,
                Leads::Outside(_) | Leads::Item(_) => return self.value(expr),
            },
            _ => names,
        };
        let Some((variant, lead)) = full.split_last() else { return self.value(expr) };
        let Some(path) = self.own_type(lead)? else { return self.value(expr) };
        let placed = self.placed(&path)?;
        if placed.item.kind != ItemKind::Enum || !self.is_error(&path) {
            return self.value(expr);
        }
        let written = super::enum_of(&placed.item.text)?;
        let Some(found) = written.variants.iter().find(|one| one.ident == *variant) else {
            return refuse(Reason::Name, format!("`{variant}`"));
        };
        let fields: Vec<syn::Field> = found.fields.iter().cloned().collect();
        let class = crate::compile::class::variant_symbol(&placed.symbol, path.name(), variant)?;
        self.used.insert(path.clone());
        let callee = Node::new(Ty::Unit, Kind::Symbol(class, placed.file.clone()));
        let mut all = vec![callee];
        let mut places = Vec::new();
        for (name, argument) in arguments {
            let found = fields.iter().enumerate().find(|(at, field)| match (&name, &field.ident) {
                (Some(name), Some(ident)) => ident == name,
                (None, None) => *at == places.len(),
                _ => false,
            });
            let Some((at, field)) = found else {
                return refuse(Reason::Name, format!("a field of `{variant}`"));
            };
            let ty = self.inside(module_of(&path), |lower| lower.ty(&field.ty))?;
            let value = self.value_as(argument, Some(&ty))?;
            self.expect(&value, &ty)?;
            let place = all.len();
            places.push(match &name {
                Some(_) => format!("{}=<{place}>", field_name(field.ident.as_ref(), at, fields.len())),
                None => format!("<{place}>"),
            });
            all.push(value);
        }
        Ok(Node::atom(Ty::Own(path), format!("{{0}}({})", places.join(", ")), all))
    }

    fn tuple_struct(&mut self, placed: &Placed, call: &syn::ExprCall) -> Made<Node> {
        let written = struct_of(&placed.item.text)?;
        let path = placed.item.path.clone();
        let count = written.fields.len();
        if count != call.args.len() {
            return refuse(Reason::Function, format!("`{}`", path.name()));
        }
        let mut fields = Vec::new();
        for (at, argument) in call.args.iter().enumerate() {
            let (_, ty) = self.field_of(&path, &syn::Member::from(at))?;
            let value = self.value_as(argument, Some(&ty))?;
            self.expect(&value, &ty)?;
            fields.push((field_name(None, at, count), value));
        }
        self.made(&path, fields)
    }

    /// Arguments of these types.
    pub(super) fn given<'e>(
        &mut self,
        arguments: impl IntoIterator<Item = &'e Expr>,
        types: &[Ty],
    ) -> Made<Vec<Node>> {
        let mut nodes = Vec::new();
        for (argument, ty) in arguments.into_iter().zip(types) {
            let node = match (argument, ty) {
                (_, Ty::Call(inputs, output)) => {
                    let (patterns, body) = self.closure(argument, inputs)?;
                    self.expect(&body, output)?;
                    if body.needs_statements() || !patterns.iter().all(super::statements::is_plain) {
                        return refuse(Reason::Closure, "a closure that is more than an expression");
                    }
                    Node::new(ty.clone(), Kind::Lambda(patterns, Box::new(body)))
                }
                _ => {
                    let node = self.value_as(argument, Some(ty))?;
                    let is_bytes = |lower: &mut Self| {
                        let bare = lower.types.bare(&node.ty);
                        matches!(bare, Ty::Str) || lower.types.unify(&bare, &Ty::bytes()).is_ok()
                    };
                    match ty {
                        Ty::AsBytes if is_bytes(self) => {}
                        Ty::Param(_) => {}
                        _ => self.expect(&node, ty)?,
                    }
                    node
                }
            };
            if matches!(self.types.bare(&node.ty), Ty::Result(..)) {
                return refuse(Reason::ResultValue, "a result that is handed on");
            }
            nodes.push(node);
        }
        Ok(nodes)
    }

    /// A call of a function or method of the crate; `receiver` is what stands before the dot.
    pub(super) fn own_call(
        &mut self,
        placed: &Placed,
        receiver: Option<Node>,
        arguments: Vec<&Expr>,
    ) -> Made<Node> {
        let path = &placed.item.path;
        let function = callable(&placed.item.text)?;
        let signature = &function.signature;
        if signature.unsafety.is_some() || signature.asyncness.is_some() {
            return refuse(Reason::Qualifier, format!("`{}`", path.name()));
        }
        let owner = path.parent().filter(|_| placed.item.kind == ItemKind::Method);
        let mut inner = Lower::new(self.program, module_of(path), owner.clone(), self.is_test);
        inner.types = std::mem::take(&mut self.types);
        let read = inner.signature(signature);
        self.types = std::mem::take(&mut inner.types);
        let (parameters, output) = read?;
        let has_self = signature.receiver().is_some();
        let mut arguments = arguments;
        let receiver = match (receiver, has_self) {
            (Some(receiver), true) => Some(receiver),
            (None, true) => {
                if arguments.is_empty() {
                    return refuse(Reason::Function, format!("`{}` without its value", path.name()));
                }
                Some(self.expr(arguments.remove(0))?)
            }
            (_, false) => None,
        };
        if arguments.len() != parameters.len() {
            return refuse(Reason::Function, format!("`{}` with other arguments", path.name()));
        }
        // Two mutable references to plain values are beyond Python; containers are shared as they are.
        for ty in &parameters {
            if let Ty::Mut(of) = ty
                && !matches!(
                    self.types.bare(of),
                    Ty::List(_) | Ty::Array(_) | Ty::Map(..) | Ty::Set(_) | Ty::Own(_) | Ty::Iter(_)
                )
            {
                return refuse(Reason::Mutation, format!("`{}` changes an argument", path.name()));
            }
        }
        let given = self.given(arguments, &parameters)?;
        self.used.insert(path.clone());
        let callee = match (receiver, &owner) {
            (Some(receiver), _) => {
                Node::new(Ty::Unit, Kind::Field(Box::new(receiver), placed.symbol.name().to_owned()))
            }
            (None, Some(owner)) if placed.symbol.name() == "__init__" => {
                let class = self.placed(owner)?;
                if !matches!(&output, Ty::Own(made) if made == owner) {
                    return refuse(Reason::Function, "a `new` that makes something else");
                }
                self.symbol(class, Ty::Unit)
            }
            (None, Some(owner)) => {
                let class = self.placed(owner)?;
                let class = self.symbol(class, Ty::Unit);
                Node::new(Ty::Unit, Kind::Field(Box::new(class), placed.symbol.name().to_owned()))
            }
            (None, None) => self.symbol(placed, Ty::Unit),
        };
        Ok(Node::new(output, Kind::Call(Box::new(callee), given)))
    }

    /// Parameter types and result of a signature, in its own module.
    pub(in crate::compile) fn signature(&mut self, signature: &syn::Signature) -> Made<(Vec<Ty>, Ty)> {
        self.take_generics(&signature.generics)?;
        let mut parameters = Vec::new();
        for input in &signature.inputs {
            if let syn::FnArg::Typed(typed) = input {
                parameters.push(self.ty(&typed.ty)?);
            }
        }
        let output = match &signature.output {
            syn::ReturnType::Default => Ty::Unit,
            syn::ReturnType::Type(_, ty) => self.ty(ty)?,
        };
        Ok((parameters, output))
    }

    /// A closure, or a function that is handed over by its name, for arguments of these types.
    pub(super) fn closure(&mut self, expr: &Expr, inputs: &[Ty]) -> Made<Closure> {
        let returns = std::mem::take(&mut self.returns);
        let made = self.scoped(|lower| match expr {
            Expr::Closure(closure) => {
                if closure.inputs.len() != inputs.len() || closure.asyncness.is_some() {
                    return refuse(Reason::Closure, "a closure with other parameters");
                }
                let first = lower.locals.len();
                let mut patterns = Vec::new();
                for (pattern, ty) in closure.inputs.iter().zip(inputs) {
                    patterns.push(lower.pattern(pattern, ty)?);
                }
                let body = lower.expr(&closure.body)?;
                let mut captures_changing = false;
                body.walk(&mut |node| {
                    if let Kind::Local(local) = node.kind {
                        let outer = local < first;
                        captures_changing |=
                            outer && lower.locals.get(local).is_some_and(|binding| binding.mutable);
                    }
                });
                if closure.capture.is_some() && captures_changing {
                    return refuse(Reason::Closure, "a closure that keeps the value of what changes");
                }
                Ok((patterns, body))
            }
            Expr::Path(_) => {
                let locals: Vec<_> = inputs.iter().map(|ty| lower.bind("x", ty.clone(), false)).collect();
                let names: Vec<syn::Ident> = locals
                    .iter()
                    .enumerate()
                    .map(|(at, _)| syn::Ident::new(&format!("tidelock_{at}"), proc_macro2_span()))
                    .collect();
                for (name, local) in names.iter().zip(&locals) {
                    if let Some(scope) = lower.scopes.last_mut() {
                        scope.insert(name.to_string(), *local);
                    }
                }
                let call = syn::ExprCall {
                    attrs: Vec::new(),
                    func: Box::new(expr.clone()),
                    paren_token: syn::token::Paren::default(),
                    args: names.iter().map(|name| Expr::Path(path_of(name))).collect(),
                };
                let body = lower.call_or_method(&call, &locals)?;
                Ok((locals.into_iter().map(|local| Pattern::Bind(local, None)).collect(), body))
            }
            _ => refuse(Reason::Closure, "a closure that is made elsewhere"),
        });
        self.returns = returns;
        made
    }

    /// `char::is_numeric` called with a value is that value's method.
    fn call_or_method(&mut self, call: &syn::ExprCall, locals: &[usize]) -> Made<Node> {
        let direct = self.call(call);
        let (Expr::Path(path), Some(first)) = (&*call.func, locals.first()) else { return direct };
        match direct {
            Ok(node) => Ok(node),
            Err(refusal) => {
                let Some(name) = path.path.segments.last().map(|last| last.ident.to_string()) else {
                    return Err(refusal);
                };
                if path.path.segments.len() < 2 || locals.len() != 1 {
                    return Err(refusal);
                }
                let receiver = self.local(*first);
                self.method(receiver, &name, &[], &[], None)
            }
        }
    }

    pub(super) fn method_call(&mut self, call: &syn::ExprMethodCall, expected: Option<&Ty>) -> Made<Node> {
        let name = call.method.to_string();
        let receiver = self.expr(&call.receiver)?;
        let mut types = Vec::new();
        for argument in call.turbofish.iter().flat_map(|turbofish| &turbofish.args) {
            if let syn::GenericArgument::Type(ty) = argument {
                types.push(self.ty(ty)?);
            }
        }
        let arguments: Vec<&Expr> = call.args.iter().collect();
        self.method(receiver, &name, &arguments, &types, expected)
    }

    pub(super) fn method(
        &mut self,
        receiver: Node,
        name: &str,
        arguments: &[&Expr],
        types: &[Ty],
        expected: Option<&Ty>,
    ) -> Made<Node> {
        let head = self.types.bare(&receiver.ty);
        if arguments.is_empty() && self.is_identity(name, &head) {
            let is_copy = matches!(name, "clone" | "to_owned" | "to_vec");
            return match head {
                Ty::List(_) | Ty::Array(_) if is_copy => {
                    let ty = match head {
                        Ty::Array(of) if name == "to_vec" => Ty::List(of),
                        other => other,
                    };
                    Ok(Node::new(ty, Kind::Copy(Box::new(receiver))))
                }
                other => Ok(Node::new(other, receiver.kind)),
            };
        }
        match head {
            Ty::Str => self.text_method(receiver, name, arguments, types),
            Ty::Char => self.char_method(receiver, name, arguments),
            Ty::Int(_) | Ty::IntVar(_) => self.number_method(receiver, name, arguments),
            Ty::Float => self.float_method(receiver, name, arguments),
            Ty::Bool => self.bool_method(receiver, name, arguments),
            Ty::List(_) | Ty::Array(_) => self.list_method(receiver, name, arguments, expected),
            Ty::Iter(_) | Ty::Range(_) => self.iterator_method(receiver, name, arguments, types, expected),
            Ty::Option(of) => self.option_method(receiver, *of, name, arguments),
            Ty::Result(of, error) => self.result_method(receiver, (*of, *error), name, arguments),
            Ty::Map(key, value) => self.map_method(receiver, (*key, *value), name, arguments),
            Ty::Set(of) => self.set_method(receiver, &of, name, arguments),
            Ty::Ordering => self.ordering_method(receiver, name, arguments),
            Ty::AsBytes if name == "as_ref" => Ok(Node::helper(Ty::bytes(), "_as_bytes", vec![receiver])),
            Ty::Formatter => self.formatter_method(name, arguments),
            Ty::Param(_) if matches!(name, "eq" | "ne") => {
                let other = self.one(arguments)?;
                self.comparison(if name == "eq" { "==" } else { "!=" }, receiver, other)
            }
            Ty::Own(path) => match self.program.member(&path, name) {
                Some(placed) => self.own_call(placed, Some(receiver), arguments.to_vec()),
                None => self.own_trait_method(receiver, &path, name),
            },
            other => refuse(Reason::Method, format!("`{name}` of {}", told(&other))),
        }
    }

    fn own_trait_method(&mut self, receiver: Node, path: &ItemPath, name: &str) -> Made<Node> {
        if name == "to_string"
            && let Some(placed) = self.program.trait_member(path, "Display", "fmt")
            && placed.symbol.name() == "__str__"
        {
            return Ok(Node::atom(Ty::Str, "str(<0>)", vec![receiver]));
        }
        refuse(Reason::Method, format!("`{name}` of `{}`", path.name()))
    }

    /// Whether a method gives what it is called on, as far as Python can tell.
    fn is_identity(&self, name: &str, head: &Ty) -> bool {
        let is_text = matches!(head, Ty::Str);
        let is_list = matches!(head, Ty::List(_) | Ty::Array(_));
        match name {
            "clone" => {
                let inner = match head {
                    Ty::List(of) | Ty::Array(of) => self.types.bare(of),
                    other => other.clone(),
                };
                is_immutable(&inner) && !matches!(head, Ty::Iter(_))
            }
            "to_owned" | "to_string" | "as_str" | "into_string" | "into_boxed_str" | "as_ref" | "borrow"
            | "as_mut_str" | "into_owned"
                if is_text =>
            {
                true
            }
            "to_owned" | "to_vec" if is_list => {
                let (Ty::List(of) | Ty::Array(of)) = head else { return false };
                is_immutable(&self.types.bare(of))
            }
            "as_ref" => is_list || matches!(head, Ty::Option(_)),
            "as_slice" | "borrow" | "into_boxed_slice" | "into_vec" | "as_mut_slice" | "as_mut" => is_list,
            "copied" | "cloned" => match head {
                Ty::Option(of) | Ty::Iter(of) => is_immutable(&self.types.bare(of)),
                _ => false,
            },
            "as_deref" => matches!(head, Ty::Option(_)),
            "by_ref" | "into_iter" | "iter" | "fuse" => matches!(head, Ty::Iter(_)),
            "into" => matches!(head, Ty::Str),
            _ => false,
        }
    }

    /// The only argument.
    pub(super) fn one(&mut self, arguments: &[&Expr]) -> Made<Node> {
        match arguments {
            [only] => self.value(only),
            _ => refuse(Reason::Method, "a call with other arguments"),
        }
    }

    /// The only argument, of a type.
    pub(super) fn one_of(&mut self, arguments: &[&Expr], ty: &Ty) -> Made<Node> {
        match arguments {
            [only] => {
                let node = self.value_as(only, Some(ty))?;
                self.expect(&node, ty)?;
                Ok(node)
            }
            _ => refuse(Reason::Method, "a call with other arguments"),
        }
    }

    fn outside_call(&mut self, path: &[String], call: &syn::ExprCall) -> Made<Node> {
        let lead = match path.first().map(String::as_str) {
            Some("std" | "core" | "alloc") => path.split_first().map_or(path, |(_, rest)| rest),
            _ => path,
        };
        let names: Vec<&str> = lead.iter().map(String::as_str).collect();
        let arguments: Vec<&Expr> = call.args.iter().collect();
        let unknown = || refuse(Reason::Function, format!("`{}`", path.join("::")));
        match (names.as_slice(), arguments.as_slice()) {
            (["cmp", name @ ("min" | "max")], [one, other]) => {
                let left = self.expr(one)?;
                self.method(left, name, &[other], &[], None)
            }
            ([.., "String", "new"], []) => Ok(Node::text(Ty::Str, "\"\"")),
            ([.., "String", "with_capacity"], [size]) => {
                self.expr(size)?;
                Ok(Node::text(Ty::Str, "\"\""))
            }
            ([.., "String", "from"], [text]) => {
                let node = self.expr(text)?;
                match self.types.bare(&node.ty) {
                    Ty::Str | Ty::Char => Ok(Node::new(Ty::Str, node.kind)),
                    _ => unknown(),
                }
            }
            ([.., "Vec", "new"], []) => Ok(Node::new(Ty::list(self.types.fresh()), Kind::List(Vec::new()))),
            ([.., "Vec", "with_capacity"], [size]) => {
                self.expr(size)?;
                Ok(Node::new(Ty::list(self.types.fresh()), Kind::List(Vec::new())))
            }
            ([.., "HashMap" | "BTreeMap", "new"], []) => {
                let (key, value) = (self.types.fresh(), self.types.fresh());
                Ok(Node::text(Ty::Map(Box::new(key), Box::new(value)), "{}"))
            }
            ([.., "HashSet" | "BTreeSet", "new"], []) => {
                Ok(Node::atom(Ty::Set(Box::new(self.types.fresh())), "set()", Vec::new()))
            }
            ([.., "char", "from"], [only]) => {
                let node = self.expr(only)?;
                self.expect(&node, &Ty::Int(Int::U8))?;
                Ok(Node::atom(Ty::Char, "chr(<0>)", vec![node]))
            }
            ([.., "char", "from_u32"], [only]) => {
                let node = self.expr(only)?;
                self.expect(&node, &Ty::Int(Int::U32))?;
                Ok(Node::helper(Ty::option(Ty::Char), "_char_from", vec![node]))
            }
            ([.., "char", "from_digit"], [digit, radix]) => {
                let given = self.given([*digit, *radix], &[Ty::Int(Int::U32), Ty::Int(Int::U32)])?;
                Ok(Node::helper(Ty::option(Ty::Char), "_digit_char", given))
            }
            ([.., "mem", "swap"], [one, other]) => {
                let left = self.expr(one);
                let (Expr::Reference(one), Expr::Reference(other)) = (one, other) else {
                    left?;
                    return refuse(Reason::Mutation, "`swap` of what is behind a reference");
                };
                let (one, other) = (self.expr(&one.expr)?, self.expr(&other.expr)?);
                self.types.unify(&one.ty, &other.ty)?;
                Ok(Self::done("<0>, <1> = <1>, <0>", vec![one, other]))
            }
            ([of, "from"], [only]) if Int::named(of).is_some() => {
                let node = self.expr(only)?;
                let Some(int) = Int::named(of) else { return unknown() };
                match self.types.bare(&node.ty) {
                    Ty::Int(_) | Ty::IntVar(_) | Ty::Bool | Ty::Char => {
                        Ok(Node::new(Ty::Int(int), Kind::Cast(Box::new(node))))
                    }
                    _ => unknown(),
                }
            }
            (["f64", "from"], [only]) => {
                let node = self.expr(only)?;
                Ok(Node::new(Ty::Float, Kind::Cast(Box::new(node))))
            }
            ([of, name], [first, rest @ ..])
                if Int::named(of).is_some()
                    || matches!(*of, "char" | "str" | "f64" | "String" | "Iterator") =>
            {
                let receiver = self.expr(first)?;
                if let Some(int) = Int::named(of) {
                    self.expect(&receiver, &Ty::Int(int))?;
                }
                self.method(receiver, name, rest, &[], None)
            }
            (["iter", "repeat"], [only]) => {
                let node = self.value(only)?;
                let ty = Ty::iter(node.ty.clone());
                Ok(Node::atom(ty, "itertools.repeat(<0>)", vec![node]).needing("itertools"))
            }
            (["iter", "once"], [only]) => {
                let node = self.value(only)?;
                let ty = node.ty.clone();
                let list = Node::new(Ty::list(ty.clone()), Kind::List(vec![node]));
                Ok(Node::new(Ty::iter(ty), Kind::Seq(Box::new(list))))
            }
            _ => unknown(),
        }
    }

    /// A statement.
    pub(super) fn done(text: &str, arguments: Vec<Node>) -> Node {
        let Node { kind, .. } = Node::atom(Ty::Unit, text, arguments);
        match kind {
            Kind::Template(template) => Node::new(Ty::Unit, Kind::Do(template)),
            other => Node::new(Ty::Unit, other),
        }
    }

    /// A match with two arms that have no guards.
    pub(super) fn either(subject: Node, ty: Ty, one: (Pattern, Node), other: (Pattern, Node)) -> Node {
        let arm = |(pattern, body)| Arm { pattern, guard: None, body };
        Node::new(ty, Kind::Match(Box::new(subject), vec![arm(one), arm(other)]))
    }
}

/// Whether values of a type cannot be changed in Python, so that sharing them is copying them.
pub(in crate::compile) fn is_immutable(ty: &Ty) -> bool {
    match ty {
        Ty::Unit | Ty::Bool | Ty::Char | Ty::Str | Ty::Int(_) | Ty::IntVar(_) | Ty::Float | Ty::Ordering => {
            true
        }
        Ty::Tuple(parts) => parts.iter().all(is_immutable),
        Ty::Option(of) => is_immutable(of),
        Ty::Param(_) => true,
        _ => false,
    }
}

fn path_of(name: &syn::Ident) -> syn::ExprPath {
    syn::ExprPath { attrs: Vec::new(), qself: None, path: syn::Path::from(name.clone()) }
}

fn proc_macro2_span() -> proc_macro2::Span {
    proc_macro2::Span::call_site()
}
