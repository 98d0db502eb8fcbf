//! Blocks, branches, loops, assignments.

use syn::{Expr, Stmt};

use super::Lower;
use super::expressions::is_harmless;
use crate::compile::ir::{Arm, Kind, Node, Pattern, Statement};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Ty, told};

impl Lower<'_> {
    pub(super) fn block(&mut self, block: &syn::Block, expected: Option<&Ty>) -> Made<Node> {
        self.scoped(|lower| {
            let mut statements = Vec::new();
            let mut ends = false;
            let (last, before) = match block.stmts.split_last() {
                Some((Stmt::Expr(last, None), before)) => (Some(last), before),
                Some(_) | None => (None, block.stmts.as_slice()),
            };
            for statement in before {
                let made = lower.statement(statement)?;
                ends |= matches!(&made, Statement::Do(node) if matches!(node.ty, Ty::Never));
                statements.push(made);
            }
            let Some(last) = last else {
                let ty = if ends { Ty::Never } else { Ty::Unit };
                return Ok(Node::new(ty, Kind::Block(statements, None)));
            };
            let tail = lower.value_as(last, expected)?;
            let ty = tail.ty.clone();
            Ok(Node::new(ty, Kind::Block(statements, Some(Box::new(tail)))))
        })
    }

    fn statement(&mut self, statement: &Stmt) -> Made<Statement> {
        match statement {
            Stmt::Local(local) => self.binding(local),
            Stmt::Expr(expr, _) => Ok(Statement::Do(self.expr(expr)?)),
            Stmt::Macro(called) => Ok(Statement::Do(self.called_macro(&called.mac)?)),
            Stmt::Item(syn::Item::Use(_)) => refuse(Reason::Name, "`use` inside a body"),
            Stmt::Item(_) => refuse(Reason::Kind, "an item inside a body"),
        }
    }

    fn binding(&mut self, local: &syn::Local) -> Made<Statement> {
        if !local.attrs.iter().all(is_harmless) {
            return refuse(Reason::Attribute, "an attribute inside a body");
        }
        let (pattern, written) = match &local.pat {
            syn::Pat::Type(typed) => (&*typed.pat, Some(self.ty(&typed.ty)?)),
            other => (other, None),
        };
        let Some(init) = &local.init else {
            let ty = written.unwrap_or_else(|| self.types.fresh());
            let pattern = self.pattern(pattern, &ty)?;
            return Ok(Statement::Let { pattern, value: None, otherwise: None });
        };
        let value = self.value_as(&init.expr, written.as_ref())?;
        if let Some(ty) = &written {
            self.expect(&value, ty)?;
        }
        if matches!(self.types.bare(&value.ty), Ty::Result(..)) {
            return refuse(Reason::ResultValue, "a result that is kept in a variable");
        }
        let is_plain = matches!(pattern, syn::Pat::Ident(_) | syn::Pat::Wild(_));
        if matches!(self.types.bare(&value.ty), Ty::Iter(_)) && !is_plain {
            return refuse(Reason::Pattern, "an iterator that is taken apart");
        }
        let otherwise = match &init.diverge {
            Some((_, expr)) => Some(self.expr(expr)?),
            None => None,
        };
        let pattern = self.pattern(pattern, &written.unwrap_or_else(|| value.ty.clone()))?;
        Ok(Statement::Let { pattern, value: Some(value), otherwise })
    }

    pub(super) fn branch(&mut self, branch: &syn::ExprIf, expected: Option<&Ty>) -> Made<Node> {
        let (condition, then) = self.scoped(|lower| {
            let condition = lower.condition(&branch.cond)?;
            Ok((condition, lower.block(&branch.then_branch, expected)?))
        })?;
        let otherwise = match &branch.else_branch {
            Some((_, otherwise)) => Some(self.expr_as(otherwise, expected)?),
            None => None,
        };
        let ty = match &otherwise {
            Some(otherwise) => self.joined(&then.ty, &otherwise.ty)?,
            None => Ty::Unit,
        };
        Ok(Node::new(ty, Kind::If(Box::new(condition), Box::new(then), otherwise.map(Box::new))))
    }

    /// The type of two ways that come together: one that ends says nothing.
    fn joined(&mut self, one: &Ty, other: &Ty) -> Made<Ty> {
        self.types.unify(one, other)?;
        Ok(if matches!(self.types.head(one), Ty::Never) { other.clone() } else { one.clone() })
    }

    pub(super) fn choice(&mut self, choice: &syn::ExprMatch, expected: Option<&Ty>) -> Made<Node> {
        let subject = self.expr(&choice.expr)?;
        let mut ty = Ty::Never;
        let mut arms = Vec::new();
        for arm in &choice.arms {
            if !arm.attrs.iter().all(is_harmless) {
                return refuse(Reason::Attribute, "an attribute inside a body");
            }
            let made = self.scoped(|lower| {
                let pattern = lower.pattern(&arm.pat, &subject.ty)?;
                let guard = match &arm.guard {
                    Some((_, guard)) => Some(lower.condition(guard)?),
                    None => None,
                };
                Ok(Arm { pattern, guard, body: lower.value_as(&arm.body, expected)? })
            })?;
            ty = self.joined(&ty, &made.body.ty)?;
            arms.push(made);
        }
        if arms.is_empty() {
            return refuse(Reason::Pattern, "a match without arms");
        }
        Ok(Node::new(ty, Kind::Match(Box::new(subject), arms)))
    }

    pub(super) fn looping(&mut self, expr: &Expr) -> Made<Node> {
        let labelled = || refuse(Reason::Flow, "a loop with a label");
        match expr {
            Expr::While(repeat) => {
                if repeat.label.is_some() {
                    return labelled();
                }
                self.scoped(|lower| {
                    let condition = lower.condition(&repeat.cond)?;
                    let body = lower.block(&repeat.body, None)?;
                    Ok(Node::new(Ty::Unit, Kind::While(Box::new(condition), Box::new(body))))
                })
            }
            Expr::Loop(repeat) => {
                if repeat.label.is_some() {
                    return labelled();
                }
                let body = self.block(&repeat.body, None)?;
                let mut leaves = false;
                leaves_loop(&body, &mut leaves);
                let ty = if leaves { Ty::Unit } else { Ty::Never };
                Ok(Node::new(ty, Kind::Loop(Box::new(body))))
            }
            Expr::ForLoop(repeat) => {
                if repeat.label.is_some() {
                    return labelled();
                }
                self.scoped(|lower| {
                    let source = lower.expr(&repeat.expr)?;
                    let changes = matches!(lower.types.head(&source.ty), Ty::Mut(_))
                        && !matches!(lower.types.bare(&source.ty), Ty::Iter(_));
                    if changes {
                        return refuse(Reason::Mutation, "a loop over what it may change");
                    }
                    let source = lower.iterated(source)?;
                    let Ty::Iter(item) = lower.types.bare(&source.ty) else {
                        return refuse(Reason::Type, "a loop over what is no iterator");
                    };
                    let pattern = lower.pattern(&repeat.pat, &item)?;
                    if !is_plain(&pattern) {
                        return refuse(Reason::Pattern, "a loop that takes its values apart");
                    }
                    let body = lower.block(&repeat.body, None)?;
                    Ok(Node::new(Ty::Unit, Kind::For(pattern, Box::new(source), Box::new(body))))
                })
            }
            _ => refuse(Reason::Flow, "a loop that is not known"),
        }
    }

    pub(super) fn leave(&mut self, back: &syn::ExprReturn) -> Made<Node> {
        let Some(returns) = self.returns.last().cloned() else {
            return refuse(Reason::Flow, "`return` inside a closure");
        };
        let value = match &back.expr {
            Some(expr) => {
                let value = self.value_as(expr, Some(&returns))?;
                self.expect(&value, &returns)?;
                Some(Box::new(value))
            }
            None => None,
        };
        Ok(Node::new(Ty::Never, Kind::Return(value)))
    }

    pub(super) fn question(&mut self, inner: &syn::ExprTry) -> Made<Node> {
        let value = self.expr(&inner.expr)?;
        let Some(returns) = self.returns.last().cloned() else {
            return refuse(Reason::Flow, "`?` inside a closure");
        };
        match (self.types.bare(&value.ty), self.types.bare(&returns)) {
            (Ty::Option(of), Ty::Option(_)) => Ok(Node::new(*of, Kind::Try(Box::new(value)))),
            (Ty::Result(of, error), Ty::Result(_, raised)) => {
                if self.types.unify(&error, &raised).is_err() {
                    return refuse(Reason::ErrorType, "`?` that turns one error into another");
                }
                Ok(Node::new(*of, Kind::Try(Box::new(value))))
            }
            _ => refuse(Reason::Flow, "`?` of what the function does not return"),
        }
    }

    pub(super) fn assign(&mut self, assign: &syn::ExprAssign) -> Made<Node> {
        if matches!(&*assign.left, Expr::Infer(_)) {
            return self.expr(&assign.right);
        }
        let place = self.place(&assign.left)?;
        let value = self.value_as(&assign.right, Some(&place.ty))?;
        self.expect(&value, &place.ty)?;
        if matches!(self.types.bare(&value.ty), Ty::Result(..)) {
            return refuse(Reason::ResultValue, "a result that is kept in a variable");
        }
        self.store(place, value)
    }

    /// What is assigned to. A plain value behind a reference is beyond Python.
    pub(super) fn place(&mut self, expr: &Expr) -> Made<Node> {
        match expr {
            Expr::Paren(inner) => self.place(&inner.expr),
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Deref(_)) => {
                refuse(Reason::Mutation, "a value behind a reference")
            }
            _ => self.expr(expr),
        }
    }

    /// Puts a value into a variable, field or element.
    pub(super) fn store(&mut self, place: Node, value: Node) -> Made<Node> {
        match &place.kind {
            Kind::Local(local) => {
                let Some(binding) = self.locals.get(*local) else {
                    return refuse(Reason::Mutation, "a variable that is not known");
                };
                if binding.through || matches!(self.types.head(&binding.ty), Ty::Mut(_)) {
                    return refuse(Reason::Mutation, "a value behind a mutable reference");
                }
            }
            Kind::Field(..) | Kind::Index(..) => {}
            _ => return refuse(Reason::Mutation, "a place that is not known"),
        }
        Ok(Node::new(Ty::Unit, Kind::Assign(Box::new(place), Box::new(value))))
    }

    pub(super) fn field(&mut self, field: &syn::ExprField) -> Made<Node> {
        let base = self.expr(&field.base)?;
        match (self.types.bare(&base.ty), &field.member) {
            (Ty::Tuple(parts), syn::Member::Unnamed(at)) => {
                let position = at.index as usize;
                let Some(ty) = parts.get(position).cloned() else {
                    return refuse(Reason::Type, "a tuple that has fewer parts");
                };
                let index = Node::new(Ty::usize(), Kind::Int(i128::from(at.index)));
                Ok(Node::new(ty, Kind::Index(Box::new(base), Box::new(index))))
            }
            (Ty::Own(path), member) => {
                let (name, ty) = self.field_of(&path, member)?;
                Ok(Node::new(ty, Kind::Field(Box::new(base), name)))
            }
            (other, _) => refuse(Reason::Type, format!("a field of {}", told(&other))),
        }
    }

    pub(super) fn index(&mut self, index: &syn::ExprIndex) -> Made<Node> {
        let base = self.expr(&index.expr)?;
        let head = self.types.bare(&base.ty);
        if let Expr::Range(range) = &*index.index {
            return self.slice(base, range);
        }
        let at = self.expr(&index.index)?;
        match head {
            Ty::List(of) | Ty::Array(of) => {
                if matches!(self.types.bare(&at.ty), Ty::Range(_)) {
                    return refuse(Reason::Expression, "an index that is a range");
                }
                self.expect(&at, &Ty::usize())?;
                Ok(Node::new(*of, Kind::Index(Box::new(base), Box::new(at))))
            }
            Ty::Map(key, value) => {
                self.expect(&at, &key)?;
                Ok(Node::new(*value, Kind::Index(Box::new(base), Box::new(at))))
            }
            other => refuse(Reason::Type, format!("an index into {}", told(&other))),
        }
    }

    fn slice(&mut self, base: Node, range: &syn::ExprRange) -> Made<Node> {
        let mut end = |expr: &Option<Box<Expr>>| -> Made<Option<Node>> {
            let Some(expr) = expr else { return Ok(None) };
            let node = self.expr(expr)?;
            self.expect(&node, &Ty::usize())?;
            Ok(Some(node))
        };
        let (low, high) = (end(&range.start)?, end(&range.end)?);
        let closed = matches!(range.limits, syn::RangeLimits::Closed(_));
        if closed && high.is_some() {
            return refuse(Reason::Expression, "a slice with a closed end");
        }
        let head = self.types.bare(&base.ty);
        let (ty, helper) = match head {
            Ty::Str => (Ty::Str, "_text_slice"),
            Ty::List(of) | Ty::Array(of) => (Ty::List(of), "_slice"),
            other => return refuse(Reason::Type, format!("a slice of {}", told(&other))),
        };
        if low.is_none() && high.is_none() {
            return Ok(Node::new(ty, base.kind));
        }
        let low = low.unwrap_or_else(|| Node::new(Ty::usize(), Kind::Int(0)));
        let arguments: Vec<Node> = [Some(base), Some(low), high].into_iter().flatten().collect();
        Ok(Node::helper(ty, helper, arguments))
    }
}

/// Whether a `break` leaves this loop's body, and not one inside.
fn leaves_loop(node: &Node, leaves: &mut bool) {
    match &node.kind {
        Kind::Break => *leaves = true,
        Kind::While(..) | Kind::Loop(_) | Kind::For(..) | Kind::Lambda(..) => {}
        _ => node.children().into_iter().for_each(|child| leaves_loop(child, leaves)),
    }
}

/// Whether a pattern is names and tuples of names alone, which Python has in loops.
pub(super) fn is_plain(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Any | Pattern::Bind(_, None) => true,
        Pattern::Tuple(parts) => parts.iter().all(is_plain),
        _ => false,
    }
}
