//! Expressions.

use syn::{BinOp, Expr, Lit, UnOp};
use upstream::ItemKind;

use super::{Lower, segments};
use crate::compile::ir::{Arith, Binds, Kind, Node};
use crate::compile::program::Leads;
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty, told};
use crate::translate::rules::value::python_text;

impl Lower<'_> {
    pub(in crate::compile) fn expr(&mut self, expr: &Expr) -> Made<Node> {
        self.expr_as(expr, None)
    }

    /// An expression, with what is expected of it where that is known.
    pub(in crate::compile) fn expr_as(&mut self, expr: &Expr, expected: Option<&Ty>) -> Made<Node> {
        self.deeper(|lower| lower.expr_inside(expr, expected))
    }

    fn expr_inside(&mut self, expr: &Expr, expected: Option<&Ty>) -> Made<Node> {
        if attributes_of(expr).iter().any(|attribute| !is_harmless(attribute)) {
            return refuse(Reason::Attribute, "an attribute inside a body");
        }
        match expr {
            Expr::Lit(literal) => self.literal(&literal.lit),
            Expr::Paren(inner) => self.expr_as(&inner.expr, expected),
            Expr::Group(inner) => self.expr_as(&inner.expr, expected),
            Expr::Path(path) if path.qself.is_none() => self.path(&path.path),
            Expr::Reference(reference) => self.reference(reference, expected),
            Expr::Unary(unary) => self.unary(unary),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Cast(cast) => {
                let value = self.expr(&cast.expr)?;
                let ty = self.ty(&cast.ty)?;
                if matches!(self.types.head(&value.ty), Ty::Var(_)) {
                    self.types.unify(&value.ty, &ty)?;
                }
                Ok(Node::new(ty, Kind::Cast(Box::new(value))))
            }
            Expr::Tuple(tuple) if tuple.elems.is_empty() => Ok(Node::unit()),
            Expr::Tuple(tuple) => {
                let parts = tuple.elems.iter().map(|part| self.value(part)).collect::<Made<Vec<_>>>()?;
                let ty = Ty::Tuple(parts.iter().map(|part| part.ty.clone()).collect());
                Ok(Node::new(ty, Kind::Tuple(parts)))
            }
            Expr::Array(array) => {
                let element = self.types.fresh();
                let parts = self.same(array.elems.iter(), &element)?;
                Ok(Node::new(Ty::Array(Box::new(element)), Kind::List(parts)))
            }
            Expr::Repeat(repeat) => {
                let value = self.value(&repeat.expr)?;
                let count = self.expr(&repeat.len)?;
                self.expect(&count, &Ty::usize())?;
                let ty = Ty::Array(Box::new(value.ty.clone()));
                Ok(Node::new(ty, Kind::Repeat(Box::new(value), Box::new(count))))
            }
            Expr::Block(block) if block.label.is_none() => self.block(&block.block, expected),
            Expr::If(branch) => self.branch(branch, expected),
            Expr::Match(choice) => self.choice(choice, expected),
            Expr::Let(condition) => {
                let value = self.expr(&condition.expr)?;
                let pattern = self.pattern(&condition.pat, &value.ty)?;
                Ok(Node::new(Ty::Bool, Kind::Let(pattern, Box::new(value))))
            }
            Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_) => self.looping(expr),
            Expr::Break(stop) if stop.label.is_none() && stop.expr.is_none() => {
                Ok(Node::new(Ty::Never, Kind::Break))
            }
            Expr::Continue(next) if next.label.is_none() => Ok(Node::new(Ty::Never, Kind::Continue)),
            Expr::Break(_) | Expr::Continue(_) => {
                refuse(Reason::Flow, "a loop that is left by its label or with a value")
            }
            Expr::Return(back) => self.leave(back),
            Expr::Assign(assign) => self.assign(assign),
            Expr::Field(field) => self.field(field),
            Expr::Index(index) => self.index(index),
            Expr::Range(range) => self.range(range),
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method_call(call, expected),
            Expr::Macro(called) => self.called_macro(&called.mac),
            Expr::Struct(made) => self.struct_literal(made),
            Expr::Try(inner) => self.question(inner),
            Expr::Closure(_) => refuse(Reason::Closure, "a closure that is kept as a value"),
            Expr::Unsafe(_) => refuse(Reason::Qualifier, "`unsafe`"),
            Expr::Await(_) | Expr::Async(_) => refuse(Reason::Qualifier, "`async`"),
            _ => refuse(Reason::Expression, "an expression that is not known"),
        }
    }

    /// Expressions of one type.
    pub(super) fn same<'e>(&mut self, parts: impl IntoIterator<Item = &'e Expr>, ty: &Ty) -> Made<Vec<Node>> {
        let mut nodes = Vec::new();
        for part in parts {
            let node = self.value_as(part, Some(ty))?;
            self.expect(&node, ty)?;
            nodes.push(node);
        }
        Ok(nodes)
    }

    /// An expression whose value is kept: an array that has a name is copied, as in Rust.
    pub(super) fn value(&mut self, expr: &Expr) -> Made<Node> {
        self.value_as(expr, None)
    }

    pub(super) fn value_as(&mut self, expr: &Expr, expected: Option<&Ty>) -> Made<Node> {
        let node = self.expr_as(expr, expected)?;
        let is_place = matches!(expr, Expr::Path(_) | Expr::Field(_) | Expr::Index(_));
        let is_target = matches!(expr, Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)));
        if (is_place || is_target) && matches!(self.types.bare(&node.ty), Ty::Array(_)) {
            return Ok(Node::new(node.ty.clone(), Kind::Copy(Box::new(node))));
        }
        Ok(node)
    }

    fn literal(&mut self, literal: &Lit) -> Made<Node> {
        Ok(match literal {
            Lit::Int(int) => {
                let Ok(value) = int.base10_parse::<u64>() else {
                    return refuse(Reason::Width, "a number beyond 64 bits");
                };
                let ty = match int.suffix() {
                    "" => self.types.fresh_int(),
                    "f64" => return Ok(Node::text(Ty::Float, format!("{value}.0"))),
                    name => match Int::named(name) {
                        Some(int) => Ty::Int(int),
                        None => return refuse(Reason::Width, format!("`{name}`")),
                    },
                };
                Node::new(ty, Kind::Int(i128::from(value)))
            }
            Lit::Float(float) if float.suffix() != "f32" => {
                let digits = float.base10_digits().to_owned();
                let digits = if digits.ends_with('.') { format!("{digits}0") } else { digits };
                let plain = digits.contains(['.', 'e', 'E']);
                Node::text(Ty::Float, if plain { digits } else { format!("{digits}.0") })
            }
            Lit::Bool(value) => Node::text(Ty::Bool, if value.value { "True" } else { "False" }),
            Lit::Char(value) => Node::text(Ty::Char, python_text(&value.value().to_string(), '"')),
            Lit::Str(text) => Node::text(Ty::Str, python_text(&text.value(), '"')),
            Lit::Byte(byte) => Node::new(Ty::Int(Int::U8), Kind::Int(i128::from(byte.value()))),
            Lit::ByteStr(bytes) => Node::text(Ty::bytes(), python_bytes(&bytes.value())),
            _ => return refuse(Reason::Expression, "a literal that is not known"),
        })
    }

    fn path(&mut self, path: &syn::Path) -> Made<Node> {
        let names = segments(path);
        if let [only] = names.as_slice() {
            if let Some(local) = self.lookup(only) {
                return Ok(self.local(local));
            }
            if only == "None" {
                let inner = self.types.fresh();
                return Ok(Node::text(Ty::option(inner), "None"));
            }
        }
        if let Some(limit) = self.limit(&names) {
            return limit;
        }
        match self.constant_or_variant(&names)? {
            Some(node) => Ok(node),
            None => refuse(Reason::Name, format!("`{}`", names.join("::"))),
        }
    }

    /// `u8::MAX`, `f64::EPSILON` and their like.
    fn limit(&mut self, names: &[String]) -> Option<Made<Node>> {
        let (last, lead) = names.split_last()?;
        let of = lead.last()?;
        if lead.len() > 1 && !matches!(lead.first().map(String::as_str), Some("std" | "core")) {
            return None;
        }
        if let Some(int) = Int::named(of) {
            let value = match last.as_str() {
                "MAX" => int.high(),
                "MIN" => int.low(),
                "BITS" => return Some(Ok(Node::new(Ty::Int(Int::U32), Kind::Int(i128::from(int.bits))))),
                _ => return None,
            };
            return Some(Ok(Node::new(Ty::Int(int), Kind::Int(value))));
        }
        let float = match (of.as_str(), last.as_str()) {
            ("f64", "INFINITY") => "math.inf",
            ("f64", "NEG_INFINITY") => "-math.inf",
            ("f64", "NAN") => "math.nan",
            ("char", "MAX") => return Some(Ok(Node::text(Ty::Char, "\"\\U0010ffff\""))),
            ("Ordering", "Less") => return Some(Ok(Node::text(Ty::Ordering, "-1"))),
            ("Ordering", "Equal") => return Some(Ok(Node::text(Ty::Ordering, "0"))),
            ("Ordering", "Greater") => return Some(Ok(Node::text(Ty::Ordering, "1"))),
            _ => return None,
        };
        Some(Ok(Node::atom(Ty::Float, float, Vec::new()).needing("math")))
    }

    /// A constant of the crate, or a variant without fields.
    pub(super) fn constant_or_variant(&mut self, names: &[String]) -> Made<Option<Node>> {
        if let Some(variant) = self.variant(names)? {
            return Ok(Some(variant));
        }
        let found = match names {
            [own, name] if own == "Self" => {
                let own = self.own.clone();
                own.and_then(|own| self.program.member(&own, name).map(|placed| placed.item.path.clone()))
            }
            _ => match self.resolve(names) {
                Leads::Item(item) => Some(item),
                Leads::Outside(_) => self.member_path(names),
            },
        };
        let Some(found) = found else { return Ok(None) };
        let placed = self.placed(&found)?;
        match placed.item.kind {
            ItemKind::Const | ItemKind::Static => {
                let text = &placed.item.text;
                let ty = if let Ok(constant) = syn::parse_str::<syn::ItemConst>(text) {
                    *constant.ty
                } else if let Ok(fixed) = syn::parse_str::<syn::ItemStatic>(text) {
                    if !matches!(fixed.mutability, syn::StaticMutability::None) {
                        return refuse(Reason::Mutation, format!("`{found}` may change"));
                    }
                    *fixed.ty
                } else {
                    return refuse(Reason::Name, format!("`{found}`"));
                };
                let module = crate::compile::program::module_of(&found);
                let ty = self.inside(module, |lower| lower.ty(&ty))?;
                Ok(Some(self.symbol(placed, ty)))
            }
            _ => Ok(None),
        }
    }

    /// Looks names up in another module for a while.
    pub(super) fn inside<Value>(
        &mut self,
        module: Vec<String>,
        look: impl FnOnce(&mut Self) -> Made<Value>,
    ) -> Made<Value> {
        let here = std::mem::replace(&mut self.module, module);
        let made = look(self);
        self.module = here;
        made
    }

    fn reference(&mut self, reference: &syn::ExprReference, expected: Option<&Ty>) -> Made<Node> {
        if reference.mutability.is_none() {
            return self.expr_as(&reference.expr, expected);
        }
        let node = self.expr(&reference.expr)?;
        match self.types.bare(&node.ty) {
            Ty::List(_)
            | Ty::Array(_)
            | Ty::Map(..)
            | Ty::Set(_)
            | Ty::Iter(_)
            | Ty::Own(_)
            | Ty::Formatter => {
                if matches!(*reference.expr, Expr::Index(ref index) if matches!(*index.index, Expr::Range(_)))
                {
                    return refuse(Reason::Mutation, "a mutable slice of a list");
                }
                Ok(Node::new(Ty::Mut(Box::new(node.ty.clone())), node.kind))
            }
            other => refuse(Reason::Mutation, format!("a mutable reference to {}", told(&other))),
        }
    }

    fn unary(&mut self, unary: &syn::ExprUnary) -> Made<Node> {
        match unary.op {
            UnOp::Deref(_) => {
                let node = self.expr(&unary.expr)?;
                if let Kind::Local(local) = node.kind
                    && self.locals.get(local).is_some_and(|binding| binding.through)
                {
                    return refuse(Reason::Mutation, "a value behind a mutable reference");
                }
                let ty = self.types.bare(&node.ty);
                Ok(Node::new(ty, node.kind))
            }
            UnOp::Not(_) => {
                let node = self.expr(&unary.expr)?;
                Ok(match self.types.bare(&node.ty) {
                    Ty::Bool => Node::new(Ty::Bool, Kind::Not(Box::new(node))),
                    Ty::Int(_) | Ty::IntVar(_) => Node::new(node.ty.clone(), Kind::Invert(Box::new(node))),
                    other => return refuse(Reason::Function, format!("`!` of {}", told(&other))),
                })
            }
            UnOp::Neg(_) => {
                let node = self.expr(&unary.expr)?;
                match (&node.kind, self.types.bare(&node.ty)) {
                    (Kind::Int(value), _) => Ok(Node::new(node.ty.clone(), Kind::Int(-value))),
                    (_, Ty::Int(_) | Ty::IntVar(_) | Ty::Float) => {
                        Ok(Node::new(node.ty.clone(), Kind::Negate(Box::new(node))))
                    }
                    (_, other) => refuse(Reason::Function, format!("`-` of {}", told(&other))),
                }
            }
            _ => refuse(Reason::Expression, "an operator that is not known"),
        }
    }

    fn binary(&mut self, binary: &syn::ExprBinary) -> Made<Node> {
        let pair = |left, right| (Box::new(left), Box::new(right));
        match binary.op {
            BinOp::And(_) => {
                // What the left side binds is known on the right.
                let (left, right) = pair(self.condition(&binary.left)?, self.condition(&binary.right)?);
                return Ok(Node::new(Ty::Bool, Kind::And(left, right)));
            }
            BinOp::Or(_) => {
                let (left, right) = pair(self.condition(&binary.left)?, self.condition(&binary.right)?);
                if left.binds() || right.binds() {
                    return refuse(Reason::Flow, "a `let` beside `||`");
                }
                return Ok(Node::new(Ty::Bool, Kind::Or(left, right)));
            }
            _ => {}
        }
        if let Some(compared) = compared(&binary.op) {
            let (left, right) = pair(self.expr(&binary.left)?, self.expr(&binary.right)?);
            return self.comparison(compared, *left, *right);
        }
        let Some((operator, assigns)) = operator(&binary.op) else {
            return refuse(Reason::Expression, "an operator that is not known");
        };
        let left = if assigns { self.place(&binary.left)? } else { self.expr(&binary.left)? };
        let right = self.expr(&binary.right)?;
        let value = self.arithmetic(operator, left.clone(), right)?;
        if assigns { self.store(left, value) } else { Ok(value) }
    }

    pub(super) fn condition(&mut self, expr: &Expr) -> Made<Node> {
        let node = self.expr(expr)?;
        self.expect(&node, &Ty::Bool)?;
        Ok(node)
    }

    pub(super) fn comparison(&mut self, operator: &'static str, left: Node, right: Node) -> Made<Node> {
        let (one, other) = (self.types.bare(&left.ty), self.types.bare(&right.ty));
        if !matches!((&one, &other), (Ty::Param(_), _) | (_, Ty::Param(_))) {
            self.types.unify(&left.ty, &right.ty)?;
        }
        self.comparable(operator, &one)?;
        Ok(Node::new(Ty::Bool, Kind::Compare(operator, Box::new(left), Box::new(right))))
    }

    /// Whether Python compares values of this type as Rust does.
    pub(in crate::compile) fn comparable(&mut self, operator: &str, ty: &Ty) -> Made<()> {
        let is_equality = matches!(operator, "==" | "!=");
        match self.types.bare(ty) {
            Ty::Int(_)
            | Ty::IntVar(_)
            | Ty::Bool
            | Ty::Char
            | Ty::Str
            | Ty::Float
            | Ty::Param(_)
            | Ty::Ordering => Ok(()),
            Ty::List(of) | Ty::Array(of) => self.contained(operator, &of),
            Ty::Set(of) if is_equality => self.contained(operator, &of),
            Ty::Map(_, of) if is_equality => self.contained(operator, &of),
            Ty::Option(of) if is_equality => self.contained(operator, &of),
            Ty::Tuple(parts) => parts.iter().try_for_each(|part| self.contained(operator, part)),
            Ty::Own(path) => self.own_comparable(operator, &path),
            Ty::Var(_) | Ty::Unit if is_equality => Ok(()),
            other => refuse(Reason::Function, format!("`{operator}` of {}", told(&other))),
        }
    }

    /// Python takes two values in containers for equal where they are one object: not so with `NaN`.
    fn contained(&mut self, operator: &str, ty: &Ty) -> Made<()> {
        match self.types.bare(ty) {
            Ty::Float | Ty::Param(_) => {
                refuse(Reason::Function, format!("`{operator}` of what holds floating-point numbers"))
            }
            _ => self.comparable(operator, ty),
        }
    }

    pub(super) fn arithmetic(&mut self, operator: Arith, left: Node, right: Node) -> Made<Node> {
        let is_shift = matches!(operator, Arith::Shl | Arith::Shr);
        let head = self.types.bare(&left.ty);
        match (&head, operator) {
            (Ty::Str, Arith::Add) => {
                self.expect(&right, &Ty::Str)?;
                return Ok(Node::template(Ty::Str, "{s0} + {s1}", vec![left, right], Binds::Sum));
            }
            (Ty::Bool, Arith::And | Arith::Or | Arith::Xor) => {
                self.expect(&right, &Ty::Bool)?;
                return Ok(Node::new(Ty::Bool, Kind::Arith(operator, Box::new(left), Box::new(right))));
            }
            (Ty::Float, Arith::Add | Arith::Sub | Arith::Mul | Arith::Div | Arith::Rem) => {}
            (Ty::Int(_) | Ty::IntVar(_) | Ty::Var(_), _) => {}
            _ => return refuse(Reason::Function, format!("arithmetic on {}", told(&head))),
        }
        if is_shift {
            let by = self.types.bare(&right.ty);
            if !matches!(by, Ty::Int(_) | Ty::IntVar(_)) {
                return refuse(Reason::Function, format!("a shift by {}", told(&by)));
            }
        } else {
            self.types.unify(&left.ty, &right.ty)?;
        }
        let ty = self.types.bare(&left.ty);
        Ok(Node::new(ty, Kind::Arith(operator, Box::new(left), Box::new(right))))
    }

    fn range(&mut self, range: &syn::ExprRange) -> Made<Node> {
        let (Some(low), Some(high)) = (&range.start, &range.end) else {
            return refuse(Reason::Expression, "a range without an end");
        };
        let (low, high) = (self.expr(low)?, self.expr(high)?);
        self.types.unify(&low.ty, &high.ty)?;
        let closed = matches!(range.limits, syn::RangeLimits::Closed(_));
        let ty = match self.types.bare(&low.ty) {
            Ty::Char => return refuse(Reason::Expression, "a range of characters"),
            _ => Ty::Range(Box::new(low.ty.clone())),
        };
        Ok(Node::new(ty, Kind::Range { low: Box::new(low), high: Box::new(high), closed }))
    }
}

fn compared(operator: &BinOp) -> Option<&'static str> {
    Some(match operator {
        BinOp::Eq(_) => "==",
        BinOp::Ne(_) => "!=",
        BinOp::Lt(_) => "<",
        BinOp::Le(_) => "<=",
        BinOp::Gt(_) => ">",
        BinOp::Ge(_) => ">=",
        _ => return None,
    })
}

fn operator(operator: &BinOp) -> Option<(Arith, bool)> {
    Some(match operator {
        BinOp::Add(_) => (Arith::Add, false),
        BinOp::Sub(_) => (Arith::Sub, false),
        BinOp::Mul(_) => (Arith::Mul, false),
        BinOp::Div(_) => (Arith::Div, false),
        BinOp::Rem(_) => (Arith::Rem, false),
        BinOp::BitAnd(_) => (Arith::And, false),
        BinOp::BitOr(_) => (Arith::Or, false),
        BinOp::BitXor(_) => (Arith::Xor, false),
        BinOp::Shl(_) => (Arith::Shl, false),
        BinOp::Shr(_) => (Arith::Shr, false),
        BinOp::AddAssign(_) => (Arith::Add, true),
        BinOp::SubAssign(_) => (Arith::Sub, true),
        BinOp::MulAssign(_) => (Arith::Mul, true),
        BinOp::DivAssign(_) => (Arith::Div, true),
        BinOp::RemAssign(_) => (Arith::Rem, true),
        BinOp::BitAndAssign(_) => (Arith::And, true),
        BinOp::BitOrAssign(_) => (Arith::Or, true),
        BinOp::BitXorAssign(_) => (Arith::Xor, true),
        BinOp::ShlAssign(_) => (Arith::Shl, true),
        BinOp::ShrAssign(_) => (Arith::Shr, true),
        _ => return None,
    })
}

fn python_bytes(bytes: &[u8]) -> String {
    let letters = bytes.iter().map(|byte| match byte {
        b'"' => "\\\"".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\x{other:02x}"),
    });
    format!("b\"{}\"", letters.collect::<String>())
}

fn attributes_of(expr: &Expr) -> &[syn::Attribute] {
    match expr {
        Expr::Block(inner) => &inner.attrs,
        Expr::If(inner) => &inner.attrs,
        Expr::Match(inner) => &inner.attrs,
        Expr::Macro(inner) => &inner.attrs,
        Expr::Call(inner) => &inner.attrs,
        Expr::MethodCall(inner) => &inner.attrs,
        Expr::ForLoop(inner) => &inner.attrs,
        Expr::While(inner) => &inner.attrs,
        Expr::Loop(inner) => &inner.attrs,
        Expr::Return(inner) => &inner.attrs,
        Expr::Assign(inner) => &inner.attrs,
        Expr::Binary(inner) => &inner.attrs,
        _ => &[],
    }
}

/// Attributes that only speak to tools.
pub(in crate::compile) fn is_harmless(attribute: &syn::Attribute) -> bool {
    let names = segments(attribute.path());
    match names.first().map(String::as_str) {
        Some(
            "doc" | "allow" | "expect" | "warn" | "deny" | "inline" | "must_use" | "cold" | "track_caller"
            | "derive" | "rustfmt" | "clippy" | "test" | "deprecated" | "non_exhaustive" | "should_panic"
            | "default" | "repr",
        ) => true,
        Some("cfg") => {
            let text = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
            matches!(text.as_str(), "test" | "feature = \"std\"" | "feature = \"alloc\"")
        }
        Some("cfg_attr") => {
            let text = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
            ["doc", "inline", "must_use", "docsrs", "allow"].iter().any(|word| text.contains(word))
                && !text.contains("path")
        }
        Some(_) | None => false,
    }
}
