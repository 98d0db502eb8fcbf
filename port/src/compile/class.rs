//! Structs, enums, errors and constants.

use mappings::SymbolPath;
use upstream::ItemKind;

use super::emit::{Emit, Needs, Shape};
use super::function::docstring;
use super::ir::{Kind, Node, Statement};
use super::lower::{Lower, derives, enum_of, field_name, is_error, is_harmless, struct_of, variant_name};
use super::program::{Placed, Program, module_of};
use super::refusal::{Made, Reason, refuse};
use super::ty::Ty;
use super::{Compiled, Piece};

/// The class of a variant of an error.
pub(super) fn variant_symbol(error: &SymbolPath, name: &str, variant: &str) -> Made<SymbolPath> {
    let parent = error.parent().map_or_else(String::new, |parent| format!("{parent}."));
    let bare = variant.strip_suffix("Error").unwrap_or(variant);
    let _ = name;
    SymbolPath::new(format!("{parent}{bare}Error")).or_else(|fault| refuse(Reason::Name, fault.to_string()))
}

/// The classes of the variants of an error, as what is written by this module names them; nothing of another item.
pub(super) fn error_variants(program: &Program, placed: &Placed) -> Made<Vec<SymbolPath>> {
    if placed.item.kind != ItemKind::Enum || !is_error(program, &placed.item.path) {
        return Ok(Vec::new());
    }
    let variants = enum_of(&placed.item.text)?.variants;
    let class = |variant: &syn::Variant| {
        variant_symbol(&placed.symbol, placed.item.path.name(), &variant.ident.to_string())
    };
    variants.iter().map(class).collect()
}

/// The class of a struct.
pub(super) fn struct_class(program: &Program, placed: &Placed) -> Made<Compiled> {
    let written = struct_of(&placed.item.text)?;
    check(&written.attrs, &written.generics, placed)?;
    let path = &placed.item.path;
    let mut lower = Lower::new(program, module_of(path), Some(path.clone()), placed.item.is_test);
    let derived = derives(&written.attrs);
    let has = |name: &str| derived.iter().any(|own| own == name);
    let count = written.fields.len();
    let mut lines = Vec::new();
    let mut needs = Needs::default();
    if lower.is_error(path) {
        lines.push(format!("class {}(Exception):", placed.symbol.name()));
        lines.extend(docstring(&placed.item.docs, 1));
        if count == 0 {
            if lines.len() == 1 {
                lines.push("    pass".to_owned());
            }
        } else {
            return refuse(Reason::ErrorType, "an error struct with fields");
        }
        return Ok(Compiled::one(lines.join("\n"), needs));
    }
    needs.imports.entry("dataclasses".to_owned()).or_default().insert("dataclass".to_owned());
    let mut options = Vec::new();
    // A frozen class cannot set its own fields either. What is copied is changed nowhere: that is refused.
    let has_init = program.member(path, "new").is_some_and(|new| new.symbol.name() == "__init__");
    let is_frozen = has("Copy") && !has_init;
    if is_frozen {
        options.push("frozen=True");
    }
    if !has("PartialEq") {
        options.push("eq=False");
    } else if has("PartialOrd") {
        options.push("order=True");
    }
    if has("Hash") && has("PartialEq") && !is_frozen {
        options.push("unsafe_hash=True");
    }
    let options = if options.is_empty() { String::new() } else { format!("({})", options.join(", ")) };
    lines.push(format!("@dataclass{options}"));
    lines.push(format!("class {}:", placed.symbol.name()));
    lines.extend(docstring(&placed.item.docs, 1));
    let mut fields = Vec::new();
    for (at, field) in written.fields.iter().enumerate() {
        if !field.attrs.iter().all(is_harmless) {
            return refuse(Reason::Attribute, "an attribute of a field");
        }
        let ty = lower.ty(&field.ty)?;
        if matches!(ty, Ty::Iter(_) | Ty::Call(..) | Ty::Mut(_) | Ty::Param(_) | Ty::AsBytes) {
            return refuse(Reason::Type, "a field that is an iterator, a closure or a reference");
        }
        if has("PartialEq") {
            lower.comparable("==", &ty)?;
            if matches!(ty, Ty::Float) {
                return refuse(Reason::Type, "a field of floating point in a struct that is compared");
            }
        }
        let name = field_name(field.ident.as_ref(), at, count);
        fields.push(format!("    {name}: {}", annotation(&ty, &lower)));
    }
    if !fields.is_empty() && lines.len() > 2 {
        lines.push(String::new());
    }
    if fields.is_empty() && lines.len() == 2 {
        lines.push("    pass".to_owned());
    }
    lines.extend(fields);
    Ok(Compiled::one(lines.join("\n"), needs))
}

/// The class of an enum without fields, or of an error with its variants.
pub(super) fn enum_class(program: &Program, placed: &Placed) -> Made<Compiled> {
    let written = enum_of(&placed.item.text)?;
    check(&written.attrs, &written.generics, placed)?;
    let path = &placed.item.path;
    let mut lower = Lower::new(program, module_of(path), Some(path.clone()), placed.item.is_test);
    if written.variants.iter().any(|variant| !variant.attrs.iter().all(is_harmless)) {
        return refuse(Reason::Attribute, "an attribute of a variant");
    }
    if lower.is_error(path) {
        return error_class(&mut lower, placed, &written);
    }
    if written.variants.is_empty() {
        return refuse(Reason::Type, "an enum without variants");
    }
    if written.variants.iter().any(|variant| !matches!(variant.fields, syn::Fields::Unit)) {
        return refuse(Reason::Type, "an enum whose variants hold values");
    }
    let mut needs = Needs::default();
    needs.imports.entry("enum".to_owned()).or_default().extend(["Enum".to_owned(), "auto".to_owned()]);
    let mut lines = vec![format!("class {}(Enum):", placed.symbol.name())];
    lines.extend(docstring(&placed.item.docs, 1));
    if lines.len() > 1 {
        lines.push(String::new());
    }
    for variant in &written.variants {
        lines.push(format!("    {} = auto()", variant_name(&variant.ident.to_string())));
    }
    Ok(Compiled::one(lines.join("\n"), needs))
}

/// An exception, and one below it for each variant.
fn error_class(lower: &mut Lower<'_>, placed: &Placed, written: &syn::ItemEnum) -> Made<Compiled> {
    let mut lines = vec![format!("class {}(Exception):", placed.symbol.name())];
    lines.extend(docstring(&placed.item.docs, 1));
    if lines.len() == 1 {
        lines.push("    \"\"\"An error.\"\"\"".to_owned());
    }
    let mut pieces = Vec::new();
    for variant in &written.variants {
        let name = variant.ident.to_string();
        let symbol = variant_symbol(&placed.symbol, placed.item.path.name(), &name)?;
        if symbol == placed.symbol {
            return refuse(Reason::Name, format!("`{name}` has the name of its error"));
        }
        let mut text = vec![format!("class {}({}):", symbol.name(), placed.symbol.name())];
        let docs = documented(&variant.attrs);
        text.extend(docstring(&docs, 1));
        if text.len() == 1 {
            text.push(format!("    \"\"\"`{name}`.\"\"\""));
        }
        let count = variant.fields.len();
        let mut fields = Vec::new();
        for (at, field) in variant.fields.iter().enumerate() {
            let ty = lower.ty(&field.ty)?;
            let name = field_name(field.ident.as_ref(), at, count);
            fields.push((name, annotation(&ty, lower)));
        }
        if !fields.is_empty() {
            let parameters: Vec<String> = fields.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
            let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            text.push(String::new());
            text.push(format!("    def __init__(self, {}) -> None:", parameters.join(", ")));
            text.push(format!("        super().__init__({})", names.join(", ")));
            text.extend(names.iter().map(|name| format!("        self.{name} = {name}")));
        }
        pieces.push(Piece { symbol, text: text.join("\n") });
    }
    let mut compiled = Compiled::one(lines.join("\n"), Needs::default());
    compiled.beside = pieces;
    Ok(compiled)
}

/// A constant.
pub(super) fn constant(program: &Program, placed: &Placed) -> Made<Compiled> {
    let text = &placed.item.text;
    let (attributes, ty, value) = if let Ok(constant) = syn::parse_str::<syn::ItemConst>(text) {
        (constant.attrs, *constant.ty, *constant.expr)
    } else if let Ok(fixed) = syn::parse_str::<syn::ItemStatic>(text) {
        if !matches!(fixed.mutability, syn::StaticMutability::None) {
            return refuse(Reason::Mutation, "a static that may change");
        }
        (fixed.attrs, *fixed.ty, *fixed.expr)
    } else {
        return refuse(Reason::Syntax, "the constant cannot be read");
    };
    if !attributes.iter().all(is_harmless) {
        return refuse(Reason::Attribute, "an attribute that is not known");
    }
    if placed.item.path.parent().is_some_and(|parent| parent.name().starts_with(char::is_uppercase)) {
        return refuse(Reason::Kind, "a constant of a type");
    }
    let mut lower = Lower::new(program, module_of(&placed.item.path), None, false);
    let ty = lower.ty(&ty)?;
    let value = lower.expr_as(&value, Some(&ty))?;
    lower.expect(&value, &ty)?;
    if value.needs_statements() {
        return refuse(Reason::Expression, "a constant that takes steps to compute");
    }
    let value = match (&ty, &value.kind) {
        // What never changes is a tuple in Python.
        (Ty::List(_) | Ty::Array(_), Kind::List(parts)) if lower.types.full(&ty) != Ty::bytes() => {
            let is_byte =
                matches!(lower.types.full(&ty), Ty::Array(of) if *of == Ty::Int(super::ty::Int::U8));
            if is_byte { value } else { Node::new(ty, Kind::Tuple(parts.clone())) }
        }
        _ => value,
    };
    let body = Node::new(Ty::Unit, Kind::Block(vec![Statement::Do(value.clone())], None));
    let mut emit = Emit::new(&lower, &placed.file, Shape::Function);
    emit.learn(&body);
    let py = emit.expr(&value)?;
    if !emit.late.is_empty() {
        return refuse(Reason::Name, "a constant that needs another file which needs this one");
    }
    // Helpers stand behind what uses them, and a constant is computed at once.
    if !emit.needs.helpers.is_empty() {
        return refuse(Reason::Expression, "a constant that takes a function to compute");
    }
    let needs = std::mem::take(&mut emit.needs);
    let uses = std::mem::take(&mut lower.used);
    Ok(Compiled::one(format!("{} = {}", placed.symbol.name(), py.text), needs).using(uses))
}

fn check(attributes: &[syn::Attribute], generics: &syn::Generics, placed: &Placed) -> Made<()> {
    if !attributes.iter().all(is_harmless) {
        return refuse(Reason::Attribute, "an attribute that is not known");
    }
    if generics.type_params().next().is_some() || generics.const_params().next().is_some() {
        return refuse(Reason::Type, format!("`{}` has parameters", placed.item.path.name()));
    }
    if placed.item.kind == ItemKind::Union {
        return refuse(Reason::Kind, "a union");
    }
    Ok(())
}

/// The documentation of a variant.
fn documented(attributes: &[syn::Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
            match &attribute.meta {
                syn::Meta::NameValue(syn::MetaNameValue {
                    value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }),
                    ..
                }) => Some(text.value().trim().to_owned()),
                _ => None,
            }
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// A type as Python annotates it.
pub(super) fn annotation(ty: &Ty, lower: &Lower<'_>) -> String {
    let of = |ty: &Ty| annotation(ty, lower);
    match lower.types.full(ty) {
        Ty::Unit | Ty::Never => "None".to_owned(),
        Ty::Bool => "bool".to_owned(),
        Ty::Char | Ty::Str => "str".to_owned(),
        Ty::Int(_) | Ty::IntVar(_) | Ty::Ordering => "int".to_owned(),
        Ty::Float => "float".to_owned(),
        ty if super::emit::is_bytes(&ty) => "bytes".to_owned(),
        Ty::List(inner) | Ty::Array(inner) => held("list", &[of(&inner)]),
        Ty::Tuple(parts) => held("tuple", &parts.iter().map(of).collect::<Vec<_>>()),
        Ty::Option(inner) => match of(&inner) {
            inner if inner.is_empty() => inner,
            inner => format!("\"{} | None\"", inner.replace('"', "")),
        },
        Ty::Result(inner, _) => of(&inner),
        Ty::Map(key, value) => held("dict", &[of(&key), of(&value)]),
        Ty::Set(inner) => held("set", &[of(&inner)]),
        Ty::Own(path) => match lower.program.get(&path) {
            Some(placed) => format!("\"{}\"", placed.symbol.name()),
            None => String::new(),
        },
        Ty::Mut(inner) if super::emit::is_bytes(&inner) => "bytearray".to_owned(),
        Ty::Mut(inner) => of(&inner),
        Ty::Iter(_)
        | Ty::Range(_)
        | Ty::Call(..)
        | Ty::Param(_)
        | Ty::AsBytes
        | Ty::Formatter
        | Ty::Var(_) => String::new(),
    }
}

/// A container with what is in it, where that can be said; within one pair of quotes where there are some inside.
fn held(container: &str, inside: &[String]) -> String {
    if inside.iter().any(String::is_empty) {
        return container.to_owned();
    }
    let text = format!("{container}[{}]", inside.join(", "));
    if text.contains('"') { format!("\"{}\"", text.replace('"', "")) } else { text }
}
