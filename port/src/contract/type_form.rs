//! What of a type's values can be looked at from outside its crate: its public fields, its variants.
//!
//! Main type: [`TypeForm`]. It is read from the item's text; a text that is no plain declaration is hidden.

use syn::{
    Data, DeriveInput, Fields, GenericArgument, PathArguments, Type, TypeGroup, TypeParen, TypePath,
    Visibility,
};
use upstream::{Item, RustType};

/// Declarations longer than this, or nested deeper, are not read: the parser calls itself for each level.
const TEXT_BYTES_MAX: usize = 200_000;
const DEPTH_MAX: usize = 60;
const PREFIXES_MAX: usize = 200;

/// What can be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeForm {
    /// Nothing but its `Debug` text.
    Hidden,
    /// A struct.
    Struct(FieldForm),
    /// An enum, by the names of its variants. Other variants may be added by its crate.
    Enum(Vec<(String, FieldForm)>),
}

/// The fields of a struct or variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldForm {
    /// The names of public fields, or their numbers, each with its type.
    pub public: Vec<(String, RustType)>,
    /// Whether there are fields that are not public.
    pub is_partly_hidden: bool,
    /// Whether fields are numbered.
    pub is_positional: bool,
}

impl TypeForm {
    /// The form of a struct, enum or union.
    pub(super) fn of(item: &Item) -> Self {
        if !is_readable(item) {
            return Self::Hidden;
        }
        let Ok(declared) = syn::parse_str::<DeriveInput>(&item.text) else { return Self::Hidden };
        match &declared.data {
            Data::Struct(data) => {
                let fields = FieldForm::of(&data.fields, Owner::Struct);
                if fields.public.is_empty() && fields.is_partly_hidden {
                    Self::Hidden
                } else {
                    Self::Struct(fields)
                }
            }
            Data::Enum(data) => {
                let variants = data.variants.iter();
                let open = variants.filter(|variant| !has_condition(&variant.attrs));
                Self::Enum(
                    open.map(|variant| {
                        (variant.ident.to_string(), FieldForm::of(&variant.fields, Owner::Variant))
                    })
                    .collect(),
                )
            }
            Data::Union(_) => Self::Hidden,
        }
    }
}

/// Whose fields they are: a variant's are as public as its enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Struct,
    Variant,
}

impl FieldForm {
    fn of(fields: &Fields, owner: Owner) -> Self {
        let is_open = |field: &syn::Field| {
            (owner == Owner::Variant || matches!(field.vis, Visibility::Public(_)))
                && !has_condition(&field.attrs)
        };
        let named = fields.iter().enumerate().filter(|(_, field)| is_open(field)).map(|(at, field)| {
            let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
            (name, rust_type(&field.ty))
        });
        let public: Vec<_> = named.collect();
        let is_partly_hidden = public.len() < fields.len();
        Self { public, is_partly_hidden, is_positional: matches!(fields, Fields::Unnamed(_)) }
    }
}

/// Whether it depends on features or targets whether a field or variant is there.
fn has_condition(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

/// A type as the snapshot has it. What it has no form for cannot be generated anyway.
fn rust_type(ty: &Type) -> RustType {
    if let Type::Group(TypeGroup { elem, .. }) | Type::Paren(TypeParen { elem, .. }) = ty {
        rust_type(elem)
    } else if let Type::Reference(reference) = ty {
        let target = Box::new(rust_type(&reference.elem));
        RustType::Reference { mutable: reference.mutability.is_some(), target }
    } else if let Type::Slice(slice) = ty {
        RustType::Slice(Box::new(rust_type(&slice.elem)))
    } else if let Type::Tuple(tuple) = ty {
        RustType::Tuple(tuple.elems.iter().map(rust_type).collect())
    } else if let Type::Path(TypePath { qself: None, path }) = ty {
        RustType::Named {
            path: path.segments.iter().map(|segment| segment.ident.to_string()).collect(),
            arguments: path.segments.last().map(arguments).unwrap_or_default(),
        }
    } else {
        RustType::Other("a type of another kind".to_owned())
    }
}

fn arguments(segment: &syn::PathSegment) -> Vec<RustType> {
    let PathArguments::AngleBracketed(given) = &segment.arguments else { return Vec::new() };
    let types = given.args.iter().filter_map(|argument| {
        if let GenericArgument::Type(ty) = argument { Some(rust_type(ty)) } else { None }
    });
    types.collect()
}

/// Whether a declaration is small and flat enough to be read.
pub(super) fn is_readable(item: &Item) -> bool {
    item.text.len() <= TEXT_BYTES_MAX && !is_too_deep(&item.text)
}

/// Whether a text nests too deeply for a parser that calls itself for each level.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut deepest, mut prefixes) = (0_usize, 0, 0);
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for char in line.chars() {
            match char {
                '(' | '[' | '{' | '<' => depth += 1,
                ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
                '&' | '*' | '!' | '-' => prefixes += 1,
                _ => {}
            }
            deepest = deepest.max(depth);
        }
    }
    deepest > DEPTH_MAX || prefixes > PREFIXES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::tests::{applied, item};

    fn form(text: &str) -> TypeForm {
        let mut declared = item("tiny::T", upstream::ItemKind::Struct);
        declared.text = text.to_owned();
        TypeForm::of(&declared)
    }

    fn fields(of: &[(&str, RustType)], is_partly_hidden: bool, is_positional: bool) -> FieldForm {
        let public = of.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
        FieldForm { public, is_partly_hidden, is_positional }
    }

    #[test]
    fn public_fields_and_variants_can_be_looked_at() {
        let (byte, list) = (RustType::named("u8"), applied("Vec", vec![RustType::named("u8")]));
        assert_eq!(
            form(
                "/// Docs.\n#[derive(Debug)]\npub struct T<'a> { pub a: u8, pub(crate) b: &'a str, pub c: Vec<u8> }"
            ),
            TypeForm::Struct(fields(&[("a", byte.clone()), ("c", list)], true, false))
        );
        assert_eq!(
            form("pub struct T(pub u8);"),
            TypeForm::Struct(fields(&[("0", byte.clone())], false, true))
        );
        assert_eq!(form("pub struct T;"), TypeForm::Struct(fields(&[], false, false)));
        assert_eq!(
            form("pub enum T { A, B(u8), #[cfg(unix)] C }"),
            TypeForm::Enum(vec![
                ("A".into(), fields(&[], false, false)),
                ("B".into(), fields(&[("0", byte)], false, true)),
            ])
        );
    }

    #[test]
    fn what_is_no_plain_declaration_is_hidden() {
        let deep = format!("pub struct T(pub {}u8{});", "Vec<".repeat(5000), ">".repeat(5000));
        let many = format!("pub struct T<'a>(pub {}u8);", "&'a ".repeat(5000));
        for text in
            ["", "pub struct T { a: u8 }", "pub struct T {", "pub union T { pub a: u8 }", &deep, &many]
        {
            assert_eq!(form(text), TypeForm::Hidden, "{}", text.len());
        }
    }
}
