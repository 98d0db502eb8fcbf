//! Structs, enums and functions of the crate, as their users see them.

use upstream::{ItemKind, ItemPath};

use super::{Lower, segments};
use crate::compile::ir::{Kind, Node};
use crate::compile::program::{Leads, Placed, module_of};
use crate::compile::refusal::{Made, Reason, refuse};
use crate::compile::ty::Ty;

/// A function of the crate.
pub(in crate::compile) struct Callable {
    pub(in crate::compile) signature: syn::Signature,
    pub(in crate::compile) attributes: Vec<syn::Attribute>,
    pub(in crate::compile) body: Option<syn::Block>,
}

/// Reads the text of a function or method.
pub(in crate::compile) fn callable(text: &str) -> Made<Callable> {
    if let Ok(function) = syn::parse_str::<syn::ImplItemFn>(text) {
        let body = Some(function.block);
        return Ok(Callable { signature: function.sig, attributes: function.attrs, body });
    }
    match syn::parse_str::<syn::TraitItemFn>(text) {
        Ok(function) => {
            Ok(Callable { signature: function.sig, attributes: function.attrs, body: function.default })
        }
        Err(fault) => refuse(Reason::Syntax, fault.to_string()),
    }
}

/// The struct of an item's text.
pub(in crate::compile) fn struct_of(text: &str) -> Made<syn::ItemStruct> {
    syn::parse_str(text).or_else(|fault: syn::Error| refuse(Reason::Syntax, fault.to_string()))
}

/// The enum of an item's text.
pub(in crate::compile) fn enum_of(text: &str) -> Made<syn::ItemEnum> {
    syn::parse_str(text).or_else(|fault: syn::Error| refuse(Reason::Syntax, fault.to_string()))
}

/// The names that a struct's fields have in the port.
pub(in crate::compile) fn field_name(name: Option<&syn::Ident>, at: usize, count: usize) -> String {
    match name {
        Some(name) => {
            let name = name.to_string();
            let plain = name.trim_start_matches("r#");
            if super::TAKEN.iter().take(38).any(|taken| *taken == plain) {
                format!("{plain}_")
            } else {
                plain.to_owned()
            }
        }
        None if count == 1 => "value".to_owned(),
        None => format!("item_{at}"),
    }
}

/// What an item derives.
pub(in crate::compile) fn derives(attributes: &[syn::Attribute]) -> Vec<String> {
    let mut names = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        let read = attribute.parse_nested_meta(|meta| {
            names.extend(meta.path.segments.last().map(|last| last.ident.to_string()));
            Ok(())
        });
        if read.is_err() {
            names.clear();
        }
    }
    names
}

impl Lower<'_> {
    /// The type of the crate that a path leads to.
    pub(super) fn own_type(&mut self, names: &[String]) -> Made<Option<ItemPath>> {
        if let [own] = names
            && own == "Self"
        {
            return Ok(self.own.clone());
        }
        let Leads::Item(path) = self.resolve(names) else { return Ok(None) };
        let placed = self.placed(&path)?;
        match placed.item.kind {
            ItemKind::Struct | ItemKind::Enum => Ok(Some(path)),
            ItemKind::TypeAlias => {
                let Ok(alias) = syn::parse_str::<syn::ItemType>(&placed.item.text) else { return Ok(None) };
                let module = module_of(&path);
                match self.inside(module, |lower| lower.ty(&alias.ty))? {
                    Ty::Own(path) => Ok(Some(path)),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// A variant of a plain enum, by its path.
    pub(super) fn variant(&mut self, names: &[String]) -> Made<Option<Node>> {
        let Some((name, lead)) = names.split_last() else { return Ok(None) };
        let found = if lead.is_empty() {
            match self.resolve(names) {
                // `use Enum::*` and `use Enum::Variant` lead outside the items.
                Leads::Outside(path) if path.len() > 1 => return self.variant_of(&path),
                Leads::Outside(_) | Leads::Item(_) => return Ok(None),
            }
        } else {
            self.own_type(lead)?
        };
        self.variant_in(found, name)
    }

    fn variant_of(&mut self, path: &[String]) -> Made<Option<Node>> {
        let Some((name, lead)) = path.split_last() else { return Ok(None) };
        let found = self.own_type(lead)?;
        self.variant_in(found, name)
    }

    fn variant_in(&mut self, found: Option<ItemPath>, name: &str) -> Made<Option<Node>> {
        let Some(path) = found else { return Ok(None) };
        let placed = self.placed(&path)?;
        if placed.item.kind != ItemKind::Enum {
            return Ok(None);
        }
        let written = enum_of(&placed.item.text)?;
        let Some(variant) = written.variants.iter().find(|variant| variant.ident == name) else {
            return Ok(None);
        };
        if !matches!(variant.fields, syn::Fields::Unit) {
            return refuse(Reason::Type, format!("the variant `{name}` of `{}` holds values", path.name()));
        }
        if self.is_error(&path) {
            return refuse(Reason::ErrorType, format!("`{name}` of an error as a value"));
        }
        let base = self.symbol(placed, Ty::Own(path.clone()));
        let member = variant_name(&variant.ident.to_string());
        Ok(Some(Node::new(Ty::Own(path), Kind::Field(Box::new(base), member))))
    }

    /// Whether a type of the crate is an error: functions return it as such.
    pub(in crate::compile) fn is_error(&self, path: &ItemPath) -> bool {
        is_error(self.program, path)
    }

    /// A field of a struct of the crate, with its name in the port.
    pub(super) fn field_of(&mut self, path: &ItemPath, member: &syn::Member) -> Made<(String, Ty)> {
        let placed = self.placed(path)?;
        if placed.item.kind != ItemKind::Struct {
            return refuse(Reason::Type, format!("a field of the enum `{}`", path.name()));
        }
        let written = struct_of(&placed.item.text)?;
        if written.generics.type_params().next().is_some() {
            return refuse(Reason::Type, format!("`{}` has parameters", path.name()));
        }
        let count = written.fields.len();
        let found = written.fields.iter().enumerate().find(|(at, field)| match member {
            syn::Member::Named(name) => field.ident.as_ref() == Some(name),
            syn::Member::Unnamed(index) => field.ident.is_none() && index.index as usize == *at,
        });
        let Some((at, field)) = found else {
            return refuse(Reason::Name, format!("a field of `{}`", path.name()));
        };
        let ty = self.inside(module_of(path), |lower| lower.ty(&field.ty))?;
        self.used.insert(path.clone());
        Ok((field_name(field.ident.as_ref(), at, count), ty))
    }

    pub(super) fn struct_literal(&mut self, made: &syn::ExprStruct) -> Made<Node> {
        let names = segments(&made.path);
        if made.rest.is_some() {
            return refuse(Reason::Expression, "a struct made from another one");
        }
        let Some(path) = self.own_type(&names)? else {
            return refuse(Reason::Type, format!("`{}`", names.join("::")));
        };
        let mut fields = Vec::new();
        for field in &made.fields {
            let (name, ty) = self.field_of(&path, &field.member)?;
            let value = self.value_as(&field.expr, Some(&ty))?;
            self.expect(&value, &ty)?;
            fields.push((name, value));
        }
        self.made(&path, fields)
    }

    /// A value of a struct, by its fields.
    pub(super) fn made(&mut self, path: &ItemPath, fields: Vec<(String, Node)>) -> Made<Node> {
        let placed = self.placed(path)?;
        let has_new = self.program.member(path, "new").is_some_and(|new| new.symbol.name() == "__init__");
        if has_new && !(self.initialises && self.own.as_ref() == Some(path)) {
            return refuse(Reason::Expression, format!("`{}` made without its `new`", path.name()));
        }
        let callee = self.symbol(placed, Ty::Unit);
        let places: Vec<String> =
            fields.iter().zip(1..).map(|((name, _), at)| format!("{name}=<{at}>")).collect();
        let arguments = std::iter::once(callee).chain(fields.into_iter().map(|(_, value)| value)).collect();
        Ok(Node::atom(Ty::Own(path.clone()), format!("{{0}}({})", places.join(", ")), arguments))
    }

    pub(super) fn own_comparable(&mut self, operator: &str, path: &ItemPath) -> Made<()> {
        let placed = self.placed(path)?;
        let wanted = if matches!(operator, "==" | "!=") { "PartialEq" } else { "PartialOrd" };
        let (attributes, has_order) = match placed.item.kind {
            ItemKind::Struct => (struct_of(&placed.item.text)?.attrs, true),
            ItemKind::Enum => (enum_of(&placed.item.text)?.attrs, false),
            _ => return refuse(Reason::Trait, format!("`{operator}` of `{}`", path.name())),
        };
        let fits = derives(&attributes).iter().any(|derived| derived == wanted);
        if fits && (has_order || wanted == "PartialEq") {
            Ok(())
        } else {
            refuse(Reason::Trait, format!("`{operator}` of `{}`", path.name()))
        }
    }

    /// `Type::name` of the crate.
    pub(super) fn member_path(&self, names: &[String]) -> Option<ItemPath> {
        let (name, lead) = names.split_last()?;
        let of = match lead {
            [own] if own == "Self" => self.own.clone()?,
            _ => match self.resolve(lead) {
                Leads::Item(path) => path,
                Leads::Outside(_) => return None,
            },
        };
        self.program.member(&of, name).map(|placed: &Placed| placed.item.path.clone())
    }
}

/// Whether functions return this type as their error.
pub(in crate::compile) fn is_error(program: &crate::compile::Program, path: &ItemPath) -> bool {
    program.trait_member(path, "Error", "description").is_some()
        || program.returned_errors().contains(path.name())
}

/// A variant's name as constants are written.
pub(in crate::compile) fn variant_name(name: &str) -> String {
    let mut out = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let after_small =
            at.checked_sub(1).and_then(|before| letters.get(before)).is_some_and(|c| !c.is_uppercase());
        let before_small = letters.get(at + 1).is_some_and(|c| c.is_lowercase());
        if at > 0 && letter.is_uppercase() && (after_small || before_small) {
            out.push('_');
        }
        out.extend(letter.to_uppercase());
    }
    out
}
