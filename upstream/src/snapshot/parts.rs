//! What an item is made of: fields, variants, macro arms, imports.
//!
//! Main function: [`parts`]. Parts are read from the text of an item when they are asked for, so that whoever
//! only needs items pays nothing for them. Members of traits and implementations are items of their own.

use std::ops::Range;

use super::alone::alone;
use super::annotations::{Side, attribute_marks, docs, docs_hash, other_attributes};
use super::fingerprint::{hash, tokens};
use super::header::{lined, visibility_of};
use super::item::{Fingerprint, Item, ItemKind, Visibility};
use super::syntax::{
    AstNode, Edition, HasModuleItem, Lines, NodeOrToken, SyntaxNode, ast, own_range, parse_file,
};
use super::uses::{Import, imports};
use super::visibility::visibility;

/// The most characters of a macro arm's pattern that serve as its name.
const ARM_NAME_MAX: usize = 60;

/// What kind of part it is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// A field of a struct or union: `x`, or `0` in a tuple.
    Field,
    /// A variant of an enum.
    Variant,
    /// A field of a variant: `Variant.x`, `Variant.0`.
    VariantField,
    /// A rule of a `macro_rules!`, named by its pattern.
    MacroArm,
    /// A name that a `use` brings in, or with `pub` hands on.
    Import,
    /// An `extern crate`.
    ExternCrate,
    /// The header of an inherent `impl` of the type; only diffs have it.
    ImplBlock,
    /// The header of an `extern` block of the module; only diffs have it.
    ExternBlock,
}

impl PartKind {
    /// The kind in the words of a Rust programmer.
    pub fn word(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Variant => "variant",
            Self::VariantField => "field",
            Self::MacroArm => "arm",
            Self::Import => "use",
            Self::ExternCrate => "extern crate",
            Self::ImplBlock => "impl",
            Self::ExternBlock => "extern",
        }
    }
}

/// A part of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// What it is called within the item.
    pub name: String,
    /// Who may name it, as written; a variant and its fields are as public as their enum.
    pub visibility: Visibility,
    /// The part on one line: `pub x: u8`, `Red = 1`, `pub use a::b`.
    pub text: String,
    /// The documentation without its markers.
    pub docs: String,
    /// Other attributes as written, sorted.
    pub attributes: Vec<String>,
    /// For comparison: type, fields or pattern as the signature, a macro arm's right side as the body.
    pub fingerprint: Fingerprint,
    /// The line on which it begins, from 1; for an import that of its module.
    pub line: u32,
}

/// The parts of an item, in the order of the text.
pub fn parts(item: &Item) -> Vec<Part> {
    match item.kind {
        ItemKind::Module => module_parts(item),
        ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Macro => own_parts(item),
        ItemKind::Function
        | ItemKind::Method
        | ItemKind::Trait
        | ItemKind::Impl
        | ItemKind::Const
        | ItemKind::Static
        | ItemKind::TypeAlias => Vec::new(),
    }
}

/// What a module imports, as far as its own text has it.
pub(crate) fn module_imports(item: &Item) -> Vec<Import> {
    declarations(item)
        .iter()
        .filter_map(|node| ast::Use::cast(node.clone()))
        .flat_map(|it| imports(&it))
        .collect()
}

/// The `use` and `extern crate` declarations in a module's text, which is no whole file.
fn declarations(item: &Item) -> Vec<SyntaxNode> {
    // Heads of modules and inner attributes stand before them; the parser reads on behind those.
    let Ok(parsed) = parse_file(&item.text, Edition::Edition2021) else { return Vec::new() };
    let is_import = |node: &ast::Item| matches!(node, ast::Item::Use(_) | ast::Item::ExternCrate(_));
    parsed.file.items().filter(is_import).map(|item| item.syntax().clone()).collect()
}

fn module_parts(item: &Item) -> Vec<Part> {
    let mut found = Vec::new();
    for node in declarations(item) {
        let part = |kind, name: String, lead: &str, attributes: Vec<String>| Part {
            kind,
            text: format!("{lead}{} {name}", kind.word()),
            visibility: visibility(&node),
            docs: String::new(),
            fingerprint: Fingerprint {
                signature: hash(&[kind.word().to_owned(), name.clone()]),
                body: hash(&[]),
                docs: docs_hash(""),
                attributes: hash(&attributes),
            },
            attributes,
            name,
            line: item.line,
        };
        if let Some(declaration) = ast::Use::cast(node.clone()) {
            found.extend(imports(&declaration).into_iter().map(|import| {
                part(PartKind::Import, import.target(), &import.visibility, import.attributes)
            }));
        } else {
            let line = lined("", &tokens(&node, None));
            let name = line.trim_start_matches("extern crate ").trim_end_matches(';').to_owned();
            found.push(part(PartKind::ExternCrate, name, &visibility_of(&node), other_attributes(&node)));
        }
    }
    found
}

fn own_parts(item: &Item) -> Vec<Part> {
    let Some(alone) = alone(item) else { return Vec::new() };
    let lines = Lines::of(&item.text);
    // The item's own text begins behind its documentation and attributes.
    let own_start = alone
        .node
        .children_with_tokens()
        .find(|it| !it.kind().is_trivia() && !ast::Attr::can_cast(it.kind()))
        .map_or(0, |it| usize::from(it.text_range().start()).saturating_sub(alone.offset));
    let own_line = lines.line(own_start);
    let line = |range: Range<usize>| {
        let at = lines.line(range.start.saturating_sub(alone.offset));
        item.line.saturating_add(at).saturating_sub(own_line)
    };
    let mut reader = Reader { found: Vec::new(), line: &line };
    let node = &alone.node;
    if let Some(variants) = node.children().find_map(ast::VariantList::cast) {
        for variant in variants.variants() {
            reader.variant(&variant, item.visibility);
        }
    } else if ast::MacroRules::can_cast(node.kind()) {
        reader.arms(node);
    } else {
        reader.fields(node, PartKind::Field, "", None);
    }
    reader.found
}

struct Reader<'a> {
    found: Vec<Part>,
    line: &'a dyn Fn(Range<usize>) -> u32,
}

impl Reader<'_> {
    fn variant(&mut self, variant: &ast::Variant, visibility: Visibility) {
        let node = variant.syntax();
        let Some(name) = node.children().find_map(ast::Name::cast) else { return };
        let name = name.syntax().text().to_string();
        let list = node.children().find(is_fields);
        let shape = list
            .as_ref()
            .map_or("", |list| if ast::TupleFieldList::can_cast(list.kind()) { "(…)" } else { " { … }" });
        // Its fields are parts of their own; whether it has a list, and of which form, is its signature.
        let mut own = tokens(node, list.as_ref());
        own.push(shape.to_owned());
        let text = lined("", &tokens(node, None));
        self.push(node, PartKind::Variant, name.clone(), visibility, &text, &own);
        self.fields(node, PartKind::VariantField, &format!("{name}."), Some(visibility));
    }

    fn fields(&mut self, owner: &SyntaxNode, kind: PartKind, prefix: &str, inherits: Option<Visibility>) {
        let Some(list) = owner.children().find(is_fields) else { return };
        let fields = list.children().filter(|child| {
            ast::RecordField::can_cast(child.kind()) || ast::TupleField::can_cast(child.kind())
        });
        for (at, field) in fields.enumerate() {
            let name = field.children().find_map(ast::Name::cast);
            let name = name.map_or_else(|| at.to_string(), |name| name.syntax().text().to_string());
            let lead = visibility_of(&field);
            let visibility = inherits.unwrap_or_else(|| visibility(&field));
            let own = tokens(&field, None);
            self.push(&field, kind, format!("{prefix}{name}"), visibility, &lined(&lead, &own), &own);
        }
    }

    /// The rules of a `macro_rules!`: a pattern and what it becomes, in turn.
    fn arms(&mut self, node: &SyntaxNode) {
        let Some(rules) = node.children().find_map(ast::TokenTree::cast) else { return };
        let groups: Vec<SyntaxNode> = rules.syntax().children().collect();
        for pair in groups.chunks(2) {
            let [pattern, right] = pair else { continue };
            let (left, body) = (raw_tokens(pattern), raw_tokens(right));
            let text = lined("", &left).replace(", *", ",*").replace(", +", ",+");
            let cut: String = text.chars().take(ARM_NAME_MAX).collect();
            let name = if cut.len() < text.len() { format!("{cut}…") } else { cut };
            self.push(pattern, PartKind::MacroArm, name, Visibility::Private, &text, &left);
            if let Some(part) = self.found.last_mut() {
                part.fingerprint.body = hash(&body);
            }
        }
    }

    fn push(
        &mut self,
        node: &SyntaxNode,
        kind: PartKind,
        name: String,
        visibility: Visibility,
        text: &str,
        own: &[String],
    ) {
        let docs = docs(node, Side::Outer);
        self.found.push(Part {
            kind,
            name,
            visibility,
            text: text.trim_end_matches(',').to_owned(),
            fingerprint: Fingerprint {
                signature: hash(own),
                body: hash(&[]),
                docs: docs_hash(&docs),
                attributes: hash(&attribute_marks(node)),
            },
            docs,
            attributes: other_attributes(node),
            line: (self.line)(own_range(node)),
        });
    }
}

fn is_fields(node: &SyntaxNode) -> bool {
    ast::RecordFieldList::can_cast(node.kind()) || ast::TupleFieldList::can_cast(node.kind())
}

/// Every token but space and comments: in a macro each may mean something.
fn raw_tokens(node: &SyntaxNode) -> Vec<String> {
    node.descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .filter(|token| !token.kind().is_trivia())
        .map(|token| token.text().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::tests::{item, package};
    use super::*;
    use crate::snapshot::header;

    /// The parts of an item as lines: kind, name, text, visibility, attributes.
    fn told(text: &str, path: &str) -> String {
        let snapshot = package(&[("src/lib.rs", text)]);
        assert_eq!(snapshot.unparsed, []);
        let mut lines = String::new();
        for part in parts(item(&snapshot, path)) {
            let marks = part.attributes.join(" ");
            writeln!(
                lines,
                "{:?} {} | {} | {:?} {marks}:{}",
                part.kind, part.name, part.text, part.visibility, part.line
            )
            .unwrap();
        }
        lines
    }

    #[test]
    fn fields_have_their_own_type_visibility_and_attributes() {
        insta::assert_snapshot!(
            told(
                "\n/// Doc.\n#[derive(Clone)]\npub struct S<'a> {\n    #[serde(default)]\n    pub a: &'a [u8],\n    /// B.\n    pub(crate) b: Vec<(u8,)>,\n    c: u8,\n}",
                "my_crate::S"
            ),
            @"
        Field a | pub a: &'a [u8] | Public #[serde(default)]:5
        Field b | pub(crate) b: Vec<(u8,)> | Crate :7
        Field c | c: u8 | Private :9
        "
        );
        insta::assert_snapshot!(told("pub struct T(pub u8, f32);", "my_crate::T"), @"
        Field 0 | pub u8 | Public :1
        Field 1 | f32 | Private :1
        ");
    }

    #[test]
    fn variants_have_fields_and_discriminants() {
        insta::assert_snapshot!(
            told("pub enum E { A = 1, #[default] B(u8, i8), C { x: u8 } }", "my_crate::E"),
            @"
        Variant A | A = 1 | Public :1
        Variant B | B(u8, i8) | Public #[default]:1
        VariantField B.0 | u8 | Public :1
        VariantField B.1 | i8 | Public :1
        Variant C | C { x: u8 } | Public :1
        VariantField C.x | x: u8 | Public :1
        "
        );
    }

    #[test]
    fn a_macro_has_an_arm_for_each_rule_and_an_invocation_has_none() {
        insta::assert_snapshot!(
            told("macro_rules! m { () => { 0 }; ($($x:expr),*) => { [$($x),*] } }", "my_crate::m"),
            @"
        MacroArm () | () | Private :1
        MacroArm ($($x: expr),*) | ($($x: expr),*) | Private :1
        "
        );
        assert_eq!(told("thread_local! { static A: u8 = 1; }", "my_crate::thread_local!"), "");
    }

    #[test]
    fn a_module_has_each_imported_name() {
        let text = "//! Doc.\n#![allow(x)]\nextern crate alloc as a;\npub use b::{c, d::*, e as f};\n#[cfg(g)] use h;\npub mod m { pub(crate) use super::z; }";
        insta::assert_snapshot!(told(text, "my_crate"), @"
        ExternCrate alloc as a | extern crate alloc as a | Private :1
        Import b::e as f | pub use b::e as f | Public :1
        Import b::d::* | pub use b::d::* | Public :1
        Import b::c | pub use b::c | Public :1
        Import h | use h | Private #[cfg(g)]:1
        ");
        insta::assert_snapshot!(told(text, "my_crate::m"), @"Import super::z | pub(crate) use super::z | Crate :6");
    }

    #[test]
    fn only_the_part_that_changed_has_another_fingerprint() {
        let of = |text: &str| {
            let snapshot = package(&[("src/lib.rs", text)]);
            parts(item(&snapshot, "my_crate::E")).into_iter().map(|part| part.fingerprint).collect::<Vec<_>>()
        };
        let (before, after) = (of("enum E { A(u8), B }"), of("enum E { A(u16), B }"));
        let differs: Vec<bool> = before.iter().zip(&after).map(|(one, other)| one != other).collect();
        assert_eq!(differs, [false, true, false], "the field, not its variant");
        assert_eq!(before, of("enum E {\n    // x\n    A(u8,),\n    B,\n}"), "layout is no change");
    }

    #[test]
    fn headers_read_as_they_are_written() {
        let text = "pub(crate) unsafe extern \"C\" fn f<'a, T: Clone + ?Sized>(mut a: &'a mut T, b: [u8; 4]) -> Result<(), E> where T: for<'b> Fn(&'b u8) -> u8 { g() }
pub struct S<T>(pub T) where T: Copy;
impl<T: Copy> From<T> for S<T> { fn from(t: T) -> Self { S(t) } }
pub const LIMIT: usize = 1 << 4;
pub static LONG: &str = \"a text that is much longer than what anybody would like to read in a header line\";
pub type Alias<T> = Vec<S<T>>;
macro_rules! m { () => {} }
pub trait Tr: Clone { const N: u8; fn go(&self) -> Box<dyn Fn() -> u8 + Send>; }
mod inner {}";
        let snapshot = package(&[("src/lib.rs", text)]);
        assert_eq!(snapshot.unparsed, []);
        let lines: Vec<String> = snapshot.items.values().map(header).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        crate my_crate
        impl<T: Copy> From<T> for S<T>
        fn from(t: T) -> Self
        pub type Alias<T> = Vec<S<T>>
        pub const LIMIT: usize = 1 << 4
        pub static LONG: &str
        pub struct S<T> where T: Copy
        pub trait Tr: Clone
        const N: u8
        fn go(&self) -> Box<dyn Fn() -> u8 + Send>
        pub(crate) unsafe extern "C" fn f<'a, T: Clone + ?Sized>(mut a: &'a mut T, b: [u8; 4]) -> Result<(), E> where T: for<'b> Fn(&'b u8) -> u8
        mod inner
        macro_rules! m
        "#);
    }

    #[test]
    fn an_item_that_cannot_be_read_alone_has_no_parts_and_its_name_for_a_header() {
        let snapshot = package(&[("src/lib.rs", "struct S { a: u8 }")]);
        let mut broken = item(&snapshot, "my_crate::S").clone();
        broken.text = "struct S { a: ".to_owned();
        assert_eq!(parts(&broken), []);
        assert_eq!(header(&broken), "S");
    }
}
