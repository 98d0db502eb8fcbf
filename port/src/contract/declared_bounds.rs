//! The bounds that a type or an implementation declares for its type parameters.
//!
//! Main function: [`declared_bounds`]. It reads the item's text; a text that is no plain declaration has none.

use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, DeriveInput, GenericParam, Generics, Token, Type, WherePredicate};
use upstream::{Item, ItemKind};

use super::generics::Bounds;
use super::type_form::is_readable;

/// The bounds by parameter, those of the `where` clause included. None for const parameters, which stand for
/// no type, and for what cannot be read.
pub(super) fn declared_bounds(item: &Item) -> Option<Bounds> {
    if !is_readable(item) {
        return None;
    }
    if item.kind == ItemKind::Impl {
        // The text of an implementation is its header, with or without the brace that opens it.
        return bounds(&header.parse_str(item.text.trim_end().trim_end_matches('{')).ok()?);
    }
    bounds(&syn::parse_str::<DeriveInput>(&item.text).ok()?.generics)
}

/// The parameters of `impl<…> … where …`; whatever else stands in it is passed over.
fn header(input: ParseStream<'_>) -> syn::Result<Generics> {
    Attribute::parse_outer(input)?;
    input.parse::<Option<Token![unsafe]>>()?;
    input.parse::<Token![impl]>()?;
    let mut generics: Generics = input.parse()?;
    while !input.is_empty() && !input.peek(Token![where]) && !input.peek(syn::token::Brace) {
        input.step(|cursor| cursor.token_tree().map_or(Ok(((), *cursor)), |(_, rest)| Ok(((), rest))))?;
    }
    generics.where_clause = input.parse()?;
    input.step(|cursor| {
        let mut rest = *cursor;
        while let Some((_, behind)) = rest.token_tree() {
            rest = behind;
        }
        Ok(((), rest))
    })?;
    Ok(generics)
}

fn bounds(generics: &Generics) -> Option<Bounds> {
    let mut found = Bounds::new();
    for parameter in &generics.params {
        match parameter {
            GenericParam::Type(parameter) => {
                let of = parameter.bounds.iter().map(text).collect();
                found.insert(parameter.ident.to_string(), of);
            }
            GenericParam::Lifetime(_) => {}
            GenericParam::Const(_) => return None,
        }
    }
    for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
        let WherePredicate::Type(predicate) = predicate else { continue };
        let Type::Path(of) = &predicate.bounded_ty else { continue };
        let known = of.path.get_ident().and_then(|name| found.get_mut(&name.to_string()));
        if let Some(known) = known {
            known.extend(predicate.bounds.iter().map(text));
        }
    }
    Some(found)
}

/// A bound as signatures have it: without spaces but those between words.
fn text(bound: &impl ToTokens) -> String {
    let spaced = bound.to_token_stream().to_string();
    let mut text = String::new();
    for word in spaced.split(' ') {
        let is_word = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
        if is_word(text.chars().last()) && is_word(word.chars().next()) {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::tests::item;

    fn of(kind: ItemKind, text: &str) -> Option<Vec<(String, Vec<String>)>> {
        let mut declared = item("tiny::T", kind);
        declared.text = text.to_owned();
        declared_bounds(&declared).map(|bounds| bounds.into_iter().collect())
    }

    #[test]
    fn bounds_stand_in_the_header_and_behind_where() {
        let found = of(
            ItemKind::Struct,
            "/// Docs.\npub struct Shown<'a, T: AsRef<str>, U>(pub T, &'a U) where U: Into<Cow<'a, str>>;",
        );
        let expected = [
            ("T".to_owned(), vec!["AsRef<str>".to_owned()]),
            ("U".to_owned(), vec!["Into<Cow<'a,str>>".to_owned()]),
        ];
        assert_eq!(found.unwrap(), expected);
        let found = of(ItemKind::Impl, "impl<T: ?Sized + Snake> Snek for T {").unwrap();
        assert_eq!(found, [("T".to_owned(), vec!["?Sized".to_owned(), "Snake".to_owned()])]);
    }

    #[test]
    fn what_cannot_be_read_has_no_bounds() {
        assert_eq!(of(ItemKind::Struct, "pub struct S<const N: usize>;"), None);
        assert_eq!(of(ItemKind::Struct, "pub struct S<"), None);
        assert_eq!(of(ItemKind::Impl, ""), None);
        let deep = format!("pub struct S<T: A<{}u8{}>>(T);", "V<".repeat(5000), ">".repeat(5000));
        assert_eq!(of(ItemKind::Struct, &deep), None);
    }
}
