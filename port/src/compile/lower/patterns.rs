//! Patterns.

use syn::Pat;

use super::{Lower, segments};
use crate::compile::ir::{Kind, Node, Pattern, Rest};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Ty, told};

impl Lower<'_> {
    /// A pattern against a type; its names are bound in the scope at hand.
    pub(super) fn pattern(&mut self, pattern: &Pat, ty: &Ty) -> Made<Pattern> {
        match pattern {
            Pat::Wild(_) => Ok(Pattern::Any),
            Pat::Rest(_) => refuse(Reason::Pattern, "`..` outside a list"),
            Pat::Paren(inner) => self.pattern(&inner.pat, ty),
            Pat::Reference(inner) => self.pattern(&inner.pat, ty),
            Pat::Type(typed) => {
                let written = self.ty(&typed.ty)?;
                self.types.unify(&written, ty)?;
                self.pattern(&typed.pat, ty)
            }
            Pat::Ident(name) => self.name_pattern(name, ty),
            Pat::Lit(literal) => {
                Ok(Pattern::Is(Box::new(self.literal_pattern(&syn::Expr::Lit(literal.clone()), ty)?)))
            }
            Pat::Range(range) => {
                let mut end = |expr: &Option<Box<syn::Expr>>| -> Made<Option<Box<Node>>> {
                    expr.as_ref().map(|expr| self.literal_pattern(expr, ty).map(Box::new)).transpose()
                };
                let (low, high) = (end(&range.start)?, end(&range.end)?);
                Ok(Pattern::Between(low, high, matches!(range.limits, syn::RangeLimits::Closed(_))))
            }
            Pat::Tuple(tuple) => {
                let types: Vec<Ty> = match self.types.bare(ty) {
                    Ty::Tuple(types) => types,
                    Ty::Var(_) => {
                        let types: Vec<Ty> = tuple.elems.iter().map(|_| self.types.fresh()).collect();
                        self.types.unify(ty, &Ty::Tuple(types.clone()))?;
                        types
                    }
                    Ty::Unit if tuple.elems.is_empty() => return Ok(Pattern::Any),
                    other => return refuse(Reason::Pattern, format!("a tuple for {}", told(&other))),
                };
                if types.len() != tuple.elems.len() {
                    return refuse(Reason::Pattern, "a tuple with `..`");
                }
                let parts = tuple.elems.iter().zip(&types).map(|(part, ty)| self.pattern(part, ty));
                Ok(Pattern::Tuple(parts.collect::<Made<_>>()?))
            }
            Pat::TupleStruct(made) => self.made_pattern(made, ty),
            Pat::Path(path) if path.qself.is_none() => self.path_pattern(&path.path, ty),
            Pat::Or(either) => {
                let before = self.locals.len();
                let cases =
                    either.cases.iter().map(|case| self.pattern(case, ty)).collect::<Made<Vec<_>>>()?;
                if self.locals.len() > before {
                    return refuse(Reason::Pattern, "alternatives that bind names");
                }
                Ok(Pattern::Either(cases))
            }
            Pat::Slice(slice) => self.list_pattern(slice, ty),
            Pat::Struct(made) => self.struct_pattern(made, ty),
            _ => refuse(Reason::Pattern, "a pattern that is not known"),
        }
    }

    fn name_pattern(&mut self, name: &syn::PatIdent, ty: &Ty) -> Made<Pattern> {
        let text = name.ident.to_string();
        if text == "None" && name.subpat.is_none() {
            return self.none_pattern(ty);
        }
        let is_capital = text.starts_with(char::is_uppercase);
        if is_capital && name.by_ref.is_none() && name.mutability.is_none() {
            return self.path_pattern(&syn::Path::from(name.ident.clone()), ty);
        }
        if name.by_ref.is_some() && name.mutability.is_some() {
            return refuse(Reason::Mutation, "`ref mut`");
        }
        let inner = match &name.subpat {
            Some((_, inner)) => Some(Box::new(self.pattern(inner, ty)?)),
            None => None,
        };
        let local = self.bind(&text, ty.clone(), name.mutability.is_some());
        Ok(Pattern::Bind(local, inner))
    }

    fn none_pattern(&mut self, ty: &Ty) -> Made<Pattern> {
        let inner = self.types.fresh();
        self.types.unify(ty, &Ty::option(inner))?;
        Ok(Pattern::None)
    }

    fn literal_pattern(&mut self, expr: &syn::Expr, ty: &Ty) -> Made<Node> {
        let node = self.expr(expr)?;
        self.types.unify(&node.ty, ty)?;
        match node.kind {
            Kind::Text(_) | Kind::Int(_) | Kind::Symbol(..) => Ok(node),
            _ => refuse(Reason::Pattern, "a value that is no literal"),
        }
    }

    fn made_pattern(&mut self, made: &syn::PatTupleStruct, ty: &Ty) -> Made<Pattern> {
        let names = segments(&made.path);
        let last = names.last().map_or("", String::as_str);
        let ("Some" | "Ok" | "Err", Some(only), 1) = (last, made.elems.first(), made.elems.len()) else {
            {
                let members: Vec<(syn::Member, &Pat)> = (0_u32..)
                    .zip(&made.elems)
                    .map(|(at, pat)| (syn::Member::from(at as usize), pat))
                    .collect();
                return self.own_struct_pattern(&names, members, ty);
            }
        };
        let (value, error) = (self.types.fresh(), self.types.fresh());
        if last == "Some" {
            self.types.unify(ty, &Ty::option(value.clone()))?;
            return Ok(Pattern::Some(Box::new(self.pattern(only, &value)?)));
        }
        self.types.unify(ty, &Ty::Result(Box::new(value.clone()), Box::new(error.clone())))?;
        if last == "Ok" {
            return Ok(Pattern::Ok(Box::new(self.pattern(only, &value)?)));
        }
        Ok(Pattern::Err(Box::new(self.pattern(only, &error)?)))
    }

    fn path_pattern(&mut self, path: &syn::Path, ty: &Ty) -> Made<Pattern> {
        let names = segments(path);
        if let Some(variant) = self.variant(&names)? {
            self.types.unify(&variant.ty, ty)?;
            return Ok(Pattern::Variant(Box::new(variant)));
        }
        let expr = syn::Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: path.clone() });
        Ok(Pattern::Is(Box::new(self.literal_pattern(&expr, ty)?)))
    }

    fn list_pattern(&mut self, slice: &syn::PatSlice, ty: &Ty) -> Made<Pattern> {
        let element = self.types.fresh();
        self.types.unify(ty, &Ty::list(element.clone()))?;
        let (mut lead, mut rest, mut end) = (Vec::new(), None, Vec::new());
        for part in &slice.elems {
            let found = match part {
                Pat::Rest(_) => Some(Rest { name: None }),
                Pat::Ident(name) if matches!(&name.subpat, Some((_, inner)) if matches!(**inner, Pat::Rest(_))) =>
                {
                    let local = self.bind(&name.ident.to_string(), Ty::list(element.clone()), false);
                    Some(Rest { name: Some(local) })
                }
                _ => None,
            };
            match (found, &rest) {
                (Some(found), _) => rest = Some(found),
                (None, None) => lead.push(self.pattern(part, &element)?),
                (None, Some(_)) => end.push(self.pattern(part, &element)?),
            }
        }
        Ok(Pattern::List(lead, rest, end))
    }

    fn struct_pattern(&mut self, made: &syn::PatStruct, ty: &Ty) -> Made<Pattern> {
        let names = segments(&made.path);
        let members = made.fields.iter().map(|field| (field.member.clone(), &*field.pat)).collect();
        self.own_struct_pattern(&names, members, ty)
    }

    fn own_struct_pattern(
        &mut self,
        names: &[String],
        members: Vec<(syn::Member, &Pat)>,
        ty: &Ty,
    ) -> Made<Pattern> {
        let Some(path) = self.own_type(names)? else {
            return refuse(Reason::Pattern, format!("`{}`", names.join("::")));
        };
        self.types.unify(ty, &Ty::Own(path.clone()))?;
        let mut fields = Vec::new();
        for (member, pattern) in members {
            let (name, ty) = self.field_of(&path, &member)?;
            fields.push((name, self.pattern(pattern, &ty)?));
        }
        Ok(Pattern::Fields(fields))
    }
}
