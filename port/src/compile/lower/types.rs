//! Written types to types.

use upstream::ItemKind;

use super::{Lower, segments};
use crate::compile::program::Leads;
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::{Int, Ty};

impl Lower<'_> {
    pub(in crate::compile) fn ty(&mut self, written: &syn::Type) -> Made<Ty> {
        match written {
            syn::Type::Path(path) if path.qself.is_none() => self.named(&path.path),
            syn::Type::Reference(reference) => {
                let inner = self.ty(&reference.elem)?;
                Ok(if reference.mutability.is_some() { Ty::Mut(Box::new(inner)) } else { inner })
            }
            syn::Type::Slice(slice) => Ok(Ty::list(self.ty(&slice.elem)?)),
            syn::Type::Array(array) => Ok(Ty::Array(Box::new(self.ty(&array.elem)?))),
            syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Ok(Ty::Unit),
            syn::Type::Tuple(tuple) => {
                Ok(Ty::Tuple(tuple.elems.iter().map(|part| self.ty(part)).collect::<Made<_>>()?))
            }
            syn::Type::Paren(inner) => self.ty(&inner.elem),
            syn::Type::Group(inner) => self.ty(&inner.elem),
            syn::Type::Never(_) => Ok(Ty::Never),
            syn::Type::Infer(_) => Ok(self.types.fresh()),
            syn::Type::ImplTrait(of) => self.bounded(&of.bounds),
            _ => refuse(Reason::Type, "a type that is written in a way that is not known"),
        }
    }

    fn named(&mut self, path: &syn::Path) -> Made<Ty> {
        let names = segments(path);
        let arguments = self.arguments(path)?;
        if let [only] = names.as_slice() {
            if let Some(ty) = self.generics.get(only) {
                return Ok(ty.clone());
            }
            if only == "Self" {
                return match &self.own {
                    Some(own) => Ok(Ty::Own(own.clone())),
                    None => refuse(Reason::Type, "`Self` of a type that the port has no class for"),
                };
            }
        }
        match self.resolve(&names) {
            Leads::Item(item) => {
                let placed = self.placed(&item)?;
                match placed.item.kind {
                    ItemKind::Struct | ItemKind::Enum if arguments.is_empty() => Ok(Ty::Own(item)),
                    ItemKind::TypeAlias if arguments.is_empty() => {
                        let Ok(alias) = syn::parse_str::<syn::ItemType>(&placed.item.text) else {
                            return refuse(Reason::Type, format!("`{item}`"));
                        };
                        if alias.generics.type_params().next().is_some() {
                            return refuse(Reason::Type, format!("`{item}` has parameters"));
                        }
                        self.ty(&alias.ty)
                    }
                    _ => refuse(Reason::Type, format!("`{}`", item.name())),
                }
            }
            Leads::Outside(path) => self.outside(&path, arguments),
        }
    }

    fn outside(&mut self, path: &[String], arguments: Vec<Ty>) -> Made<Ty> {
        let name = path.last().map_or("", String::as_str);
        let mut of = arguments.into_iter();
        let unknown = || refuse(Reason::Type, format!("`{}`", path.join("::")));
        let lead = path.split_last().map_or([].as_slice(), |(_, lead)| lead);
        if lead
            .first()
            .is_some_and(|krate| !matches!(krate.as_str(), "std" | "core" | "alloc" | "fmt" | "cmp"))
        {
            return unknown();
        }
        if let Some(int) = Int::named(name) {
            return Ok(Ty::Int(int));
        }
        Ok(match (name, of.next(), of.next()) {
            ("bool", None, None) => Ty::Bool,
            ("char", None, None) => Ty::Char,
            ("str" | "String", None, None) => Ty::Str,
            ("f64", None, None) => Ty::Float,
            ("Vec", Some(element), None) => Ty::list(element),
            ("Box" | "Cow", Some(inner), None) => inner,
            ("Option", Some(inner), None) => self.option_of(inner)?,
            ("Result", Some(value), Some(error)) => Ty::Result(Box::new(value), Box::new(error)),
            ("Result", None, None) if path.iter().any(|segment| segment == "fmt") => {
                Ty::Result(Box::new(Ty::Unit), Box::new(Ty::Formatter))
            }
            ("Formatter", None, None) => Ty::Formatter,
            ("Ordering", None, None) => Ty::Ordering,
            ("HashMap" | "BTreeMap", Some(key), Some(value)) => Ty::Map(Box::new(key), Box::new(value)),
            ("HashSet" | "BTreeSet", Some(element), None) => Ty::Set(Box::new(element)),
            ("Chars", None, None) => Ty::iter(Ty::Char),
            ("f32" | "u128" | "i128", _, _) => return refuse(Reason::Width, format!("`{name}`")),
            _ => return unknown(),
        })
    }

    /// An option of this; `None` has to be told apart from what is inside.
    pub(in crate::compile) fn option_of(&mut self, inner: Ty) -> Made<Ty> {
        if matches!(self.types.bare(&inner), Ty::Option(_) | Ty::Unit | Ty::Result(..) | Ty::Param(_)) {
            return refuse(Reason::NestedOption, "an option of what may be `None` itself");
        }
        Ok(Ty::option(inner))
    }

    fn arguments(&mut self, path: &syn::Path) -> Made<Vec<Ty>> {
        let Some(last) = path.segments.last() else { return Ok(Vec::new()) };
        let syn::PathArguments::AngleBracketed(written) = &last.arguments else {
            return match &last.arguments {
                syn::PathArguments::None => Ok(Vec::new()),
                _ => refuse(Reason::Type, "a type with arguments in parentheses"),
            };
        };
        let mut types = Vec::new();
        for argument in &written.args {
            match argument {
                syn::GenericArgument::Type(ty) => types.push(self.ty(ty)?),
                syn::GenericArgument::Lifetime(_) => {}
                _ => return refuse(Reason::Type, "a type argument that is no type"),
            }
        }
        Ok(types)
    }

    /// What stands for a type parameter with these bounds.
    pub(in crate::compile) fn bounded<'b>(
        &mut self,
        bounds: impl IntoIterator<Item = &'b syn::TypeParamBound>,
    ) -> Made<Ty> {
        let mut found = None;
        for bound in bounds {
            let bound = match bound {
                syn::TypeParamBound::Trait(bound) => bound,
                syn::TypeParamBound::Lifetime(_) => continue,
                _ => return refuse(Reason::Trait, "a bound that is not known"),
            };
            let Some(last) = bound.path.segments.last() else { continue };
            let name = last.ident.to_string();
            let next = match (name.as_str(), &last.arguments) {
                (
                    "Copy" | "Clone" | "Debug" | "PartialEq" | "Eq" | "PartialOrd" | "Ord" | "Hash" | "Sized"
                    | "Send" | "Sync" | "ExactSizeIterator",
                    _,
                ) => continue,
                ("AsRef" | "Into" | "Borrow", syn::PathArguments::AngleBracketed(of)) => {
                    let Some(syn::GenericArgument::Type(of)) = of.args.first() else {
                        return refuse(Reason::Trait, format!("`{name}`"));
                    };
                    match self.ty(of)? {
                        Ty::Str => Ty::Str,
                        bytes if bytes == Ty::bytes() && name == "AsRef" => Ty::AsBytes,
                        _ => return refuse(Reason::Trait, format!("`{name}` of a type that is not known")),
                    }
                }
                ("ToString", _) => return refuse(Reason::Trait, "`ToString`"),
                (
                    "Iterator" | "IntoIterator" | "DoubleEndedIterator",
                    syn::PathArguments::AngleBracketed(of),
                ) => {
                    let mut item = None;
                    for argument in &of.args {
                        if let syn::GenericArgument::AssocType(bound) = argument
                            && bound.ident == "Item"
                        {
                            item = Some(self.ty(&bound.ty)?);
                        }
                    }
                    let Some(item) = item else { return refuse(Reason::Trait, format!("`{name}`")) };
                    if name == "IntoIterator" { Ty::list(item) } else { Ty::iter(item) }
                }
                ("DoubleEndedIterator", _) => continue,
                ("Fn" | "FnMut" | "FnOnce", syn::PathArguments::Parenthesized(of)) => {
                    let inputs = of.inputs.iter().map(|ty| self.ty(ty)).collect::<Made<Vec<_>>>()?;
                    let output = match &of.output {
                        syn::ReturnType::Default => Ty::Unit,
                        syn::ReturnType::Type(_, ty) => self.ty(ty)?,
                    };
                    Ty::Call(inputs, Box::new(output))
                }
                _ => return refuse(Reason::Trait, format!("`{name}`")),
            };
            found = Some(next);
        }
        found.map_or_else(|| Ok(Ty::Param(String::new())), Ok)
    }

    /// Takes over the type parameters of a function or `impl`.
    pub(in crate::compile) fn take_generics(&mut self, generics: &syn::Generics) -> Made<()> {
        let names: Vec<String> = generics.type_params().map(|one| one.ident.to_string()).collect();
        // Bounds may speak of parameters that come later: what is only compared is known first.
        for name in &names {
            self.generics.insert(name.clone(), Ty::Param(name.clone()));
        }
        if generics.const_params().next().is_some() {
            return refuse(Reason::Trait, "a constant parameter");
        }
        for round in 0..2 {
            for parameter in generics.type_params() {
                let name = parameter.ident.to_string();
                let mut bounds: Vec<&syn::TypeParamBound> = parameter.bounds.iter().collect();
                for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
                    let syn::WherePredicate::Type(predicate) = predicate else { continue };
                    let of = match &predicate.bounded_ty {
                        syn::Type::Reference(reference) => &reference.elem,
                        other => other,
                    };
                    if let syn::Type::Path(path) = of
                        && path.path.is_ident(&parameter.ident)
                    {
                        bounds.extend(&predicate.bounds);
                    }
                }
                match self.bounded(bounds)? {
                    Ty::Param(_) => {}
                    known => {
                        self.generics.insert(name, known);
                    }
                }
            }
            let _ = round;
        }
        let of_known = |predicate: &syn::WherePredicate| match predicate {
            syn::WherePredicate::Type(predicate) => {
                let of = match &predicate.bounded_ty {
                    syn::Type::Reference(reference) => &*reference.elem,
                    other => other,
                };
                matches!(of, syn::Type::Path(path) if names.iter().any(|name| path.path.is_ident(name)))
            }
            _ => true,
        };
        let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        match clause.into_iter().find(|predicate| !of_known(predicate)) {
            Some(_) => refuse(Reason::Trait, "a bound on something else than a type parameter"),
            None => Ok(()),
        }
    }
}
