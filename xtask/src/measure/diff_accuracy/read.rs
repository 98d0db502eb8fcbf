//! A Rust file to its items by `syn`: the second opinion. Nothing of the product is used here.
//!
//! Main function: [`items`]. An item is known by the path of what stands around it in the file, its kind and its
//! name; its parts are token streams, so white space and plain comments are gone from the beginning.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    AttrStyle, Attribute, Expr, ForeignItem, GenericArgument, ImplItem, Item, PathArguments, TraitItem, Type,
    UseTree, Visibility,
};

/// What an item is, in the words of a row.
pub(super) type Kind = &'static str;

/// One item of one version of a file.
#[derive(Debug)]
pub(super) struct Found {
    /// The path inside the file, `::` between segments, no spaces; empty for the file itself as a module.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// `mod name;`
    pub(super) is_declaration: bool,
    /// `pub`, `pub(…)` or nothing.
    pub(super) visibility: &'static str,
    /// Whether it and all inline modules around it are `pub`.
    pub(super) is_open: bool,
    /// Whether it is test code by its own attributes or those around it.
    pub(super) is_test: bool,
    /// All documentation inside it, members of blocks left out.
    pub(super) docs: String,
    /// Each attribute; derived traits one by one; sorted.
    pub(super) attributes: Vec<String>,
    pub(super) head: Part,
    pub(super) body: Part,
    /// Over all of it: equal digests mean that nothing differs.
    pub(super) digest: u64,
    /// The same without what stands around it.
    pub(super) content: u64,
    /// Of the file itself: how often `...` stands in it.
    pub(super) old_ranges: usize,
}

/// A header or a body.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Its tokens, documentation left out.
    pub(super) tokens: TokenStream,
    /// What stands before and behind it to make it a whole file; nothing where it is tokens and no syntax.
    pub(super) around: Option<(&'static str, &'static str)>,
}

/// The items of a file, or why it cannot be read.
pub(super) fn items(text: &str) -> Result<Vec<Found>, String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let mut reader = Reader { found: Vec::new(), odd: None };
    let place = Place { path: String::new(), is_open: true, is_test: is_test(&file.attrs) };
    let mut own = Found::new("module", &place, String::new());
    own.visibility = "pub";
    own.old_ranges = text.matches("...").count();
    own.annotate(&file.attrs);
    own.body.tokens = imports(&file.items);
    reader.found.push(own);
    reader.items(file.items, &place);
    if let Some(what) = reader.odd {
        return Err(format!("syntax unknown to the check: {what}"));
    }
    reader.found.iter_mut().for_each(Found::seal);
    Ok(reader.found)
}

/// What stands around an item.
#[derive(Clone)]
struct Place {
    path: String,
    is_open: bool,
    is_test: bool,
}

impl Place {
    fn inside(&self, name: &str) -> Self {
        Self { path: joined(&self.path, name), ..self.clone() }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") }
}

impl Found {
    fn new(kind: Kind, place: &Place, path: String) -> Self {
        Self {
            path,
            kind,
            is_declaration: false,
            visibility: "",
            is_open: place.is_open,
            is_test: place.is_test,
            docs: String::new(),
            attributes: Vec::new(),
            head: Part::default(),
            body: Part::default(),
            digest: 0,
            content: 0,
            old_ranges: 0,
        }
    }

    fn seal(&mut self) {
        let mut hasher = DefaultHasher::new();
        (self.kind, self.is_declaration, self.visibility, &self.docs, &self.attributes).hash(&mut hasher);
        (self.head.tokens.to_string(), self.body.tokens.to_string()).hash(&mut hasher);
        self.content = hasher.finish();
        (self.is_open, self.is_test).hash(&mut hasher);
        self.digest = hasher.finish();
    }

    fn annotate(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            let tokens = attribute.to_token_stream();
            let (plain, docs) = without_docs(tokens);
            self.docs.push_str(&docs);
            if plain.is_empty() {
                continue;
            }
            if attribute.path().is_ident("derive")
                && let syn::Meta::List(list) = &attribute.meta
            {
                let text = list.tokens.to_string();
                self.attributes.extend(text.split(',').map(squeezed).filter(|name| !name.is_empty()));
            } else {
                let inner = if matches!(attribute.style, AttrStyle::Inner(_)) { "!" } else { "" };
                let tokens = super::normal::without_trailing_commas(attribute.meta.to_token_stream());
                self.attributes.push(format!("{inner}{tokens}"));
            }
        }
        self.attributes.sort();
    }
}

struct Reader {
    found: Vec<Found>,
    odd: Option<String>,
}

/// What is put around a part to make it a file.
const AS_ITEM: (&str, &str) = ("", "");
const AS_HEADER: (&str, &str) = ("", "{}");
const AS_FOREIGN: (&str, &str) = ("extern \"C\" {", ";}");
const AS_METHOD: (&str, &str) = ("impl X {", "{} }");
const AS_REQUIRED: (&str, &str) = ("trait X {", "; }");
const AS_MEMBER: (&str, &str) = ("impl X {", "}");
const AS_TRAIT_MEMBER: (&str, &str) = ("trait X {", "}");
const AS_BLOCK: (&str, &str) = ("fn f()", "");
const AS_VALUE: (&str, &str) = ("const A: A = ", ";");

impl Reader {
    fn items(&mut self, items: Vec<Item>, place: &Place) {
        for item in items {
            self.item(item, place);
        }
    }

    fn item(&mut self, item: Item, place: &Place) {
        match item {
            Item::Const(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                let body = std::mem::replace(&mut *it.expr, zero());
                let head = Part::new(it.to_token_stream(), AS_ITEM);
                self.push("const", &it.ident.to_string(), &attrs, &vis, head, Part::value(&body), place);
            }
            Item::Static(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                let body = std::mem::replace(&mut *it.expr, zero());
                let head = Part::new(it.to_token_stream(), AS_ITEM);
                self.push("static", &it.ident.to_string(), &attrs, &vis, head, Part::value(&body), place);
            }
            Item::Enum(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                self.leaf("enum", &it.ident.to_string(), &attrs, &vis, it.to_token_stream(), place);
            }
            Item::Struct(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                self.leaf("struct", &it.ident.to_string(), &attrs, &vis, it.to_token_stream(), place);
            }
            Item::Union(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                self.leaf("union", &it.ident.to_string(), &attrs, &vis, it.to_token_stream(), place);
            }
            Item::Type(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                self.leaf("type_alias", &it.ident.to_string(), &attrs, &vis, it.to_token_stream(), place);
            }
            Item::TraitAlias(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                self.leaf("trait", &it.ident.to_string(), &attrs, &vis, it.to_token_stream(), place);
            }
            Item::Fn(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                let body = Part::new(it.block.to_token_stream(), AS_BLOCK);
                let head = without_last_group(it.to_token_stream());
                let head = Part::new(head, AS_HEADER);
                self.push("function", &it.sig.ident.to_string(), &attrs, &vis, head, body, place);
            }
            Item::ExternCrate(_) | Item::Use(_) => {}
            Item::ForeignMod(it) => {
                let place = Place { is_test: place.is_test || is_test(&it.attrs), ..place.clone() };
                for item in it.items {
                    self.foreign(item, &place);
                }
            }
            Item::Macro(it) => {
                let own = it.mac.path.segments.last().map_or(String::new(), |last| last.ident.to_string());
                let (name, head) = match &it.ident {
                    Some(ident) => (ident.to_string(), quote!(macro_rules #ident)),
                    None => (format!("{own}!"), it.mac.path.to_token_stream()),
                };
                let body = Part { tokens: group_of(&it.mac), around: None };
                let head = Part { tokens: head, around: None };
                self.push("macro", &name, &it.attrs, &Visibility::Inherited, head, body, place);
            }
            Item::Mod(it) => self.module(it, place),
            Item::Trait(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                let members = std::mem::take(&mut it.items);
                let name = it.ident.to_string();
                let head = Part::new(without_last_group(it.to_token_stream()), AS_HEADER);
                self.push("trait", &name, &attrs, &vis, head, Part::default(), place);
                let inside = Place { is_test: place.is_test || is_test(&attrs), ..place.inside(&name) };
                for member in members {
                    self.trait_member(member, &vis, &inside);
                }
            }
            Item::Impl(mut it) => {
                let attrs = std::mem::take(&mut it.attrs);
                let members = std::mem::take(&mut it.items);
                let inherited = it.trait_.as_ref().map(|_| public());
                let name = implementation(&it);
                if let Some(vis) = &inherited {
                    let head = Part::new(without_last_group(it.to_token_stream()), AS_HEADER);
                    self.push("impl", &name, &attrs, vis, head, Part::default(), place);
                }
                let inside = Place { is_test: place.is_test || is_test(&attrs), ..place.inside(&name) };
                for member in members {
                    self.member(member, inherited.as_ref(), &inside);
                }
            }
            Item::Verbatim(tokens) => self.odd(&tokens),
            other => self.odd(&other.to_token_stream()),
        }
    }

    fn odd(&mut self, tokens: &TokenStream) {
        let text: String = tokens.to_string().chars().take(80).collect();
        self.odd.get_or_insert(text);
    }

    fn module(&mut self, it: syn::ItemMod, place: &Place) {
        let name = it.ident.to_string();
        let mut found = Found::new("module", place, joined(&place.path, &name));
        found.is_test |= is_test(&it.attrs);
        found.is_open &= matches!(it.vis, Visibility::Public(_));
        found.visibility = shown(&it.vis);
        found.annotate(&it.attrs);
        found.is_declaration = it.content.is_none();
        let inside = Place { is_open: found.is_open, is_test: found.is_test, path: found.path.clone() };
        let contents = it.content.map(|(_, contents)| contents);
        found.body.tokens = contents.as_deref().map(imports).unwrap_or_default();
        self.found.push(found);
        self.items(contents.unwrap_or_default(), &inside);
    }

    fn foreign(&mut self, item: ForeignItem, place: &Place) {
        let (kind, name, attrs, vis, tokens, body) = match item {
            ForeignItem::Fn(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                ("function", it.sig.ident.to_string(), attrs, vis, it.to_token_stream(), Part::default())
            }
            ForeignItem::Static(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                ("static", it.ident.to_string(), attrs, vis, it.to_token_stream(), Part::default())
            }
            ForeignItem::Type(mut it) => {
                let (attrs, vis) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                ("type_alias", it.ident.to_string(), attrs, vis, it.to_token_stream(), Part::default())
            }
            ForeignItem::Macro(it) => return self.macro_call(&it.mac, &it.attrs, None, place),
            ForeignItem::Verbatim(tokens) => return self.odd(&tokens),
            other => return self.odd(&other.to_token_stream()),
        };
        let head = Part::new(without_semicolon(tokens), AS_FOREIGN);
        self.push(kind, &name, &attrs, &vis, head, body, place);
    }

    fn macro_call(&mut self, mac: &syn::Macro, attrs: &[Attribute], vis: Option<&Visibility>, place: &Place) {
        let own = mac.path.segments.last().map_or(String::new(), |last| last.ident.to_string());
        let head = Part { tokens: mac.path.to_token_stream(), around: None };
        let body = Part { tokens: group_of(mac), around: None };
        let vis = vis.cloned().unwrap_or(Visibility::Inherited);
        self.push("macro", &format!("{own}!"), attrs, &vis, head, body, place);
    }

    fn member(&mut self, item: ImplItem, inherited: Option<&Visibility>, place: &Place) {
        match item {
            ImplItem::Const(mut it) => {
                let (attrs, own) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                let body = Part::value(&std::mem::replace(&mut it.expr, zero()));
                let head = Part::new(it.to_token_stream(), AS_MEMBER);
                let vis = inherited.unwrap_or(&own);
                self.push("const", &it.ident.to_string(), &attrs, vis, head, body, place);
            }
            ImplItem::Fn(mut it) => {
                let (attrs, own) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                let body = Part::new(it.block.to_token_stream(), AS_BLOCK);
                let head = Part::new(without_last_group(it.to_token_stream()), AS_METHOD);
                let vis = inherited.unwrap_or(&own);
                self.push("method", &it.sig.ident.to_string(), &attrs, vis, head, body, place);
            }
            ImplItem::Type(mut it) => {
                let (attrs, own) = (std::mem::take(&mut it.attrs), take(&mut it.vis));
                let head = Part::new(it.to_token_stream(), AS_MEMBER);
                let vis = inherited.unwrap_or(&own);
                let name = it.ident.to_string();
                self.push("type_alias", &name, &attrs, vis, head, Part::default(), place);
            }
            ImplItem::Macro(it) => self.macro_call(&it.mac, &it.attrs, inherited, place),
            ImplItem::Verbatim(tokens) => self.odd(&tokens),
            other => self.odd(&other.to_token_stream()),
        }
    }

    fn trait_member(&mut self, item: TraitItem, vis: &Visibility, place: &Place) {
        match item {
            TraitItem::Const(mut it) => {
                let attrs = std::mem::take(&mut it.attrs);
                let body = it.default.take().map_or_else(Part::default, |(_, value)| Part::value(&value));
                let head = Part::new(it.to_token_stream(), AS_TRAIT_MEMBER);
                self.push("const", &it.ident.to_string(), &attrs, vis, head, body, place);
            }
            TraitItem::Fn(mut it) => {
                let attrs = std::mem::take(&mut it.attrs);
                let body = it.default.take();
                let body = body.map_or_else(Part::default, |it| Part::new(it.to_token_stream(), AS_BLOCK));
                let head = Part::new(it.sig.to_token_stream(), AS_REQUIRED);
                self.push("method", &it.sig.ident.to_string(), &attrs, vis, head, body, place);
            }
            TraitItem::Type(mut it) => {
                let attrs = std::mem::take(&mut it.attrs);
                let head = Part::new(it.to_token_stream(), AS_TRAIT_MEMBER);
                let name = it.ident.to_string();
                self.push("type_alias", &name, &attrs, vis, head, Part::default(), place);
            }
            TraitItem::Macro(it) => self.macro_call(&it.mac, &it.attrs, Some(vis), place),
            TraitItem::Verbatim(tokens) => self.odd(&tokens),
            other => self.odd(&other.to_token_stream()),
        }
    }

    fn leaf(
        &mut self,
        kind: Kind,
        name: &str,
        attrs: &[Attribute],
        vis: &Visibility,
        all: TokenStream,
        place: &Place,
    ) {
        self.push(kind, name, attrs, vis, Part::new(all, AS_ITEM), Part::default(), place);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of an item, each of another type")]
    fn push(
        &mut self,
        kind: Kind,
        name: &str,
        attrs: &[Attribute],
        vis: &Visibility,
        head: Part,
        body: Part,
        place: &Place,
    ) {
        let mut found = Found::new(kind, place, joined(&place.path, name));
        let exported = attrs.iter().any(|attribute| last_name(attribute) == "macro_export");
        found.is_test |= is_test(attrs);
        found.is_open = (place.is_open && matches!(vis, Visibility::Public(_))) || exported;
        found.visibility = shown(vis);
        found.annotate(attrs);
        let (head_tokens, head_docs) = without_docs(head.tokens);
        let (body_tokens, body_docs) = without_docs(body.tokens);
        found.docs.push_str(&head_docs);
        found.docs.push_str(&body_docs);
        found.head = Part { tokens: head_tokens, ..head };
        found.body = Part { tokens: body_tokens, ..body };
        self.found.push(found);
    }
}

impl Part {
    fn new(tokens: TokenStream, around: (&'static str, &'static str)) -> Self {
        Self { tokens, around: Some(around) }
    }

    fn value(value: &Expr) -> Self {
        Self::new(value.to_token_stream(), AS_VALUE)
    }
}

fn take(visibility: &mut Visibility) -> Visibility {
    std::mem::replace(visibility, Visibility::Inherited)
}

fn public() -> Visibility {
    Visibility::Public(syn::token::Pub::default())
}

fn shown(visibility: &Visibility) -> &'static str {
    match visibility {
        Visibility::Public(_) => "pub",
        Visibility::Restricted(to) if to.path.is_ident("crate") => "pub(crate)",
        Visibility::Restricted(to) if to.path.is_ident("super") => "pub(super)",
        Visibility::Restricted(to) if !to.path.is_ident("self") => "pub(in …)",
        Visibility::Restricted(_) | Visibility::Inherited => "",
    }
}

fn zero() -> Expr {
    Expr::Lit(syn::ExprLit { attrs: Vec::new(), lit: syn::Lit::new(proc_macro2::Literal::u8_unsuffixed(0)) })
}

fn without_last_group(tokens: TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    if matches!(trees.last(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace) {
        trees.pop();
    }
    trees.into_iter().collect()
}

fn without_semicolon(tokens: TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    if matches!(trees.last(), Some(TokenTree::Punct(sign)) if sign.as_char() == ';') {
        trees.pop();
    }
    trees.into_iter().collect()
}

/// What a macro is called with, brackets included.
fn group_of(mac: &syn::Macro) -> TokenStream {
    let delimiter = match mac.delimiter {
        syn::MacroDelimiter::Paren(_) => Delimiter::Parenthesis,
        syn::MacroDelimiter::Brace(_) => Delimiter::Brace,
        syn::MacroDelimiter::Bracket(_) => Delimiter::Bracket,
    };
    TokenTree::Group(Group::new(delimiter, mac.tokens.clone())).into()
}

/// Tokens without `#[doc = "…"]`, which is also what a documentation comment becomes, and those texts.
fn without_docs(tokens: TokenStream) -> (TokenStream, String) {
    let mut docs = String::new();
    let plain = take_docs(tokens, &mut docs);
    (plain, docs)
}

fn take_docs(tokens: TokenStream, docs: &mut String) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        let is_sign = |at: usize, sign: char| matches!(trees.get(at), Some(TokenTree::Punct(it)) if it.as_char() == sign);
        if is_sign(at, '#') {
            let behind = at + 1 + usize::from(is_sign(at + 1, '!'));
            if let Some(TokenTree::Group(group)) = trees.get(behind)
                && let Some(text) = documentation(group)
            {
                docs.push_str(&text);
                at = behind + 1;
                continue;
            }
        }
        kept.push(match tree {
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), take_docs(group.stream(), docs));
                inside.set_span(group.span());
                TokenTree::Group(inside)
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => tree.clone(),
        });
        at += 1;
    }
    kept.into_iter().collect()
}

/// The text of `[doc = "…"]`, each line without the space behind the marks.
fn documentation(group: &Group) -> Option<String> {
    let mut trees = group.stream().into_iter();
    let (name, equals, value, end) = (trees.next()?, trees.next()?, trees.next()?, trees.next());
    let is_doc = group.delimiter() == Delimiter::Bracket
        && name.to_string() == "doc"
        && matches!(&equals, TokenTree::Punct(sign) if sign.as_char() == '=')
        && end.is_none();
    let literal: syn::LitStr = syn::parse2(value.into()).ok().filter(|_| is_doc)?;
    let value = literal.value();
    let plain = |line: &str| format!("{}\n", line.strip_prefix(' ').unwrap_or(line).trim_end());
    Some(if value.is_empty() { "\n".to_owned() } else { value.lines().map(plain).collect() })
}

fn last_name(attribute: &Attribute) -> String {
    attribute.path().segments.last().map_or_else(String::new, |last| last.ident.to_string())
}

/// `#[test]` and its kin, and `#[cfg(test)]`.
fn is_test(attributes: &[Attribute]) -> bool {
    const KIN: [&str; 8] =
        ["bench", "case", "proptest", "quickcheck", "rstest", "test", "test_case", "wasm_bindgen_test"];
    attributes.iter().any(|attribute| {
        let name = last_name(attribute);
        let condition = || squeezed(&attribute.meta.to_token_stream().to_string());
        KIN.contains(&name.as_str())
            || (name == "cfg" && (condition() == "cfg(test)" || condition().starts_with("cfg(all(test,")))
    })
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Each imported name, sorted, as tokens.
pub(super) fn imports(items: &[Item]) -> TokenStream {
    let mut lines = Vec::new();
    for item in items {
        if let Item::Use(it) = item {
            lines.extend(imported(it));
        } else if let Item::ExternCrate(it) = item {
            lines.push(it.to_token_stream().to_string());
        }
    }
    lines.sort();
    lines.iter().map(|line| TokenTree::Literal(proc_macro2::Literal::string(line))).collect()
}

/// Each name that one declaration imports.
pub(super) fn imported(it: &syn::ItemUse) -> Vec<String> {
    let attributes: TokenStream = it.attrs.iter().map(ToTokens::to_token_stream).collect();
    let (attributes, _) = without_docs(attributes);
    let lead = format!("{attributes} {} use ", it.vis.to_token_stream());
    let mut lines = Vec::new();
    leaves(&it.tree, if it.leading_colon.is_some() { "::" } else { "" }, &lead, &mut lines);
    lines
}

fn leaves(tree: &UseTree, prefix: &str, lead: &str, lines: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &format!("{prefix}{}::", path.ident), lead, lines),
        UseTree::Name(name) => {
            let whole = format!("{prefix}{}", name.ident);
            lines.push(format!("{lead}{}", whole.strip_suffix("::self").unwrap_or(&whole)));
        }
        UseTree::Rename(name) => {
            let whole = format!("{prefix}{}", name.ident);
            let path = whole.strip_suffix("::self").unwrap_or(&whole);
            lines.push(format!("{lead}{path} as {}", name.rename));
        }
        UseTree::Glob(_) => lines.push(format!("{lead}{prefix}*")),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, prefix, lead, lines)),
    }
}

/// `Type` for an inherent block, `<Type as Trait>` for others, no spaces.
fn implementation(block: &syn::ItemImpl) -> String {
    let own = type_name(&block.self_ty);
    if let Some((not, implemented, _)) = &block.trait_ {
        let not = if not.is_some() { "!" } else { "" };
        let name = path_name(implemented).unwrap_or_else(|| tokens_name(implemented));
        return format!("<{own}as{not}{name}>");
    }
    let last = |path: &syn::TypePath| {
        let is_named = path.qself.is_none() && path_name(&path.path).is_some();
        path.path.segments.last().filter(|_| is_named).map(|last| last.ident.to_string())
    };
    let named = if let Type::Path(path) = plain(&block.self_ty) { last(path) } else { None };
    named.unwrap_or_else(|| format!("<{own}>"))
}

/// A type without the parentheses around it.
fn plain(ty: &Type) -> &Type {
    if let Type::Paren(syn::TypeParen { elem, .. }) | Type::Group(syn::TypeGroup { elem, .. }) = ty {
        plain(elem)
    } else {
        ty
    }
}

fn tokens_name(tokens: &impl ToTokens) -> String {
    squeezed(&super::normal::without_trailing_commas(tokens.to_token_stream()).to_string())
}

/// A type without lifetimes and spaces.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`syn` may know more types than these; all others are their tokens"
)]
fn type_name(ty: &Type) -> String {
    match plain(ty) {
        Type::Path(path) if path.qself.is_none() => {
            path_name(&path.path).unwrap_or_else(|| tokens_name(&path.path))
        }
        Type::Reference(it) => {
            format!("&{}{}", if it.mutability.is_some() { "mut" } else { "" }, type_name(&it.elem))
        }
        Type::Slice(it) => format!("[{}]", type_name(&it.elem)),
        Type::Array(it) => format!("[{};{}]", type_name(&it.elem), tokens_name(&it.len)),
        Type::Tuple(it) => {
            let parts: Vec<String> = it.elems.iter().map(type_name).collect();
            format!("({}{})", parts.join(","), if parts.len() == 1 { "," } else { "" })
        }
        other => tokens_name(other),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`syn` may know more arguments than these; all others are their tokens"
)]
/// A path with the arguments of its last segment; `None` for one that is called like a function.
fn path_name(path: &syn::Path) -> Option<String> {
    let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let calls = |it: &syn::PathSegment| matches!(it.arguments, PathArguments::Parenthesized(_));
    if path.segments.iter().any(calls) {
        return None;
    }
    let arguments = match &path.segments.last()?.arguments {
        PathArguments::AngleBracketed(it) => {
            let named = it.args.iter().filter_map(|argument| match argument {
                GenericArgument::Lifetime(_) => None,
                GenericArgument::Type(ty) => Some(type_name(ty)),
                other => Some(tokens_name(other)),
            });
            named.collect()
        }
        PathArguments::None | PathArguments::Parenthesized(_) => Vec::new(),
    };
    let arguments: Vec<String> = arguments;
    let shown = if arguments.is_empty() { String::new() } else { format!("<{}>", arguments.join(",")) };
    Some(format!("{}{shown}", segments.join("::")))
}
