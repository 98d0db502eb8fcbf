//! One file to its outline: the items it holds, the modules it declares, the names it hands on.
//!
//! An outline depends on the text and the edition alone, never on where the file stands, so that it can be
//! kept under the id of the content. Main function: [`outline`]. It must never stop on a text: what cannot be
//! read is said in [`Outline::complaint`], and the modules that could still be made out are kept.

use serde::{Deserialize, Serialize};

use super::annotations::{Side, attribute_marks, docs, docs_hash, inner_docs, is_test, other_attributes};
use super::declared::{Declared, Stands, contents, declared};
use super::fingerprint::{hash, tokens};
use super::item::{Fingerprint, Item, ItemKind, Visibility};
use super::mentions::mentions;
use super::syntax::{
    AstNode, Edition, HasModuleItem, Lines, SyntaxNode, ast, attribute_name, attributes, own_range,
    parse_file,
};
use super::types::{rust_type, signature};
use super::uses::{ReExport, extern_crate, flattened};
use super::visibility::visibility;
use crate::ids::{ContentHash, ItemPath};
use crate::words::Words;

/// The deepest nesting of inline modules that is followed.
const INLINE_MODULES_MAX: usize = 64;

/// What one file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Outline {
    /// What the file itself says as a module.
    pub(super) own: ModuleFacts,
    /// Whether all of it is test code by its own `#![cfg(test)]`.
    pub(super) is_test: bool,
    /// Its items, the inline modules among them, in the order of the text.
    pub(super) items: Vec<OutlineItem>,
    /// The modules it declares that stand in other files.
    pub(super) declarations: Vec<Declaration>,
    /// Its `pub use` declarations.
    pub(super) exports: Vec<ReExport>,
    /// How long the file is.
    pub(super) bytes: usize,
    /// Why the file contributes no items.
    pub(super) complaint: Option<String>,
}

/// An item with its path inside the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutlineItem {
    /// The inline modules around it.
    pub(super) modules: Vec<String>,
    /// Its own name, behind that of its type or trait for a member.
    pub(super) names: Vec<String>,
    /// Whether it and all inline modules around it are `pub`.
    pub(super) is_open: bool,
    /// The item; `path`, `file`, `exported` and `is_test` are completed where the file's place is known.
    pub(super) item: Item,
}

/// `mod name;`
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Declaration {
    /// The inline modules around it.
    pub(super) modules: Vec<String>,
    /// What says where its file is.
    pub(super) declared: Declared,
    /// Whether it and all inline modules around it are `pub`.
    pub(super) is_open: bool,
    /// Its visibility, as written.
    pub(super) visibility: Visibility,
    /// Whether it stands below `#[cfg(test)]`.
    pub(super) is_test: bool,
    /// What the declaration says of the module.
    pub(super) facts: ModuleFacts,
}

impl Declaration {
    /// One in the body of a function or the arguments of a macro.
    fn hidden(declared: Declared) -> Self {
        Self {
            modules: declared.inline.iter().map(|module| module.name.clone()).collect(),
            is_open: declared.is_public && declared.inline.is_empty() && declared.stands == Stands::Macro,
            visibility: if declared.is_public { Visibility::Public } else { Visibility::Private },
            is_test: declared.conditions.iter().any(|condition| condition == "test"),
            facts: ModuleFacts { text: vec![format!("mod {}", declared.name)], ..ModuleFacts::default() },
            declared,
        }
    }
}

/// What a module says of itself, whether before `mod`, inside the braces, or at the head of its file.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct ModuleFacts {
    /// Documentation.
    pub(super) docs: String,
    /// Other attributes, as written.
    pub(super) attributes: Vec<String>,
    /// The names it imports, one by one.
    pub(super) uses: Vec<String>,
    /// Declarations and imports as written, one to a line.
    pub(super) text: Vec<String>,
}

impl ModuleFacts {
    /// The facts of the declaration and those of the contents as one.
    pub(super) fn with(mut self, contents: &Self) -> Self {
        let separator = if self.docs.is_empty() || contents.docs.is_empty() { "" } else { "\n" };
        self.docs = format!("{}{separator}{}", self.docs, contents.docs);
        self.attributes.extend(contents.attributes.iter().cloned());
        self.attributes.sort();
        self.uses.extend(contents.uses.iter().cloned());
        self.uses.sort();
        self.text.extend(contents.text.iter().cloned());
        self
    }

    /// The fingerprint of a module of this name.
    pub(super) fn fingerprint(&self, name: &str) -> Fingerprint {
        Fingerprint {
            signature: ContentHash::of_parts(["mod", name]),
            body: hash(&self.uses),
            docs: docs_hash(&self.docs),
            attributes: hash(&self.attributes),
        }
    }
}

/// Reads a file.
pub(super) fn outline(text: &str, edition: Edition) -> Outline {
    let parsed = match parse_file(text, edition) {
        Ok(parsed) => parsed,
        Err(reason) => return Outline { complaint: Some(reason), ..Outline::default() },
    };
    let mut reader = Reader { text, lines: Lines::of(text), outline: Outline::default() };
    let is_test = is_test(parsed.file.syntax());
    let place = Place { modules: Vec::new(), is_open: true, is_test };
    reader.outline.is_test = is_test;
    reader.outline.own = reader.facts_inside(parsed.file.syntax());
    reader.outline.own.docs = docs(parsed.file.syntax(), Side::Inner);
    reader.items(parsed.file.items(), &place);
    let all = contents(text, parsed.file.syntax()).modules.into_iter();
    let hidden = all.filter(|declared| !declared.is_inline && declared.stands != Stands::Item);
    reader.outline.declarations.extend(hidden.map(Declaration::hidden));
    let mut outline = Outline { bytes: text.len(), ..reader.outline };
    if parsed.complaint.is_some() {
        outline.items.clear();
        outline.exports.clear();
        outline.complaint = parsed.complaint;
    }
    outline
}

/// Where in the file an item stands.
#[derive(Clone)]
struct Place {
    modules: Vec<String>,
    is_open: bool,
    is_test: bool,
}

/// The type or trait that a member belongs to.
struct Owner {
    name: String,
    /// `pub` does not stand on members of traits and their implementations.
    inherits: Option<Visibility>,
}

struct Reader<'text> {
    text: &'text str,
    lines: Lines,
    outline: Outline,
}

impl Reader<'_> {
    fn items(&mut self, items: impl Iterator<Item = ast::Item>, place: &Place) {
        for item in items {
            self.item(item, place);
        }
    }

    fn item(&mut self, item: ast::Item, place: &Place) {
        let place = &Place { is_test: place.is_test || is_test(item.syntax()), ..place.clone() };
        match item {
            ast::Item::Module(module) => self.module(&module, place),
            ast::Item::Impl(block) => self.implementation(&block, place),
            ast::Item::Trait(block) => {
                let Some(name) = self.push(block.syntax(), ItemKind::Trait, None, place) else { return };
                let inherits = Some(visibility(block.syntax()));
                let members = block.assoc_item_list();
                self.members(members.as_ref(), &Owner { name, inherits }, place);
            }
            ast::Item::ExternBlock(block) => {
                for child in block.extern_item_list().iter().flat_map(|list| list.syntax().children()) {
                    if let Some(item) = ast::Item::cast(child) {
                        self.item(item, place);
                    }
                }
            }
            ast::Item::Use(declaration) => {
                self.outline.exports.extend(super::uses::exports(
                    &declaration,
                    &place.modules,
                    place.is_open,
                ));
            }
            ast::Item::ExternCrate(_) => {}
            ast::Item::Const(_) => self.leaf(item.syntax(), ItemKind::Const, place),
            ast::Item::Enum(_) => self.leaf(item.syntax(), ItemKind::Enum, place),
            ast::Item::Fn(_) => self.leaf(item.syntax(), ItemKind::Function, place),
            ast::Item::Static(_) => self.leaf(item.syntax(), ItemKind::Static, place),
            ast::Item::Struct(_) => self.leaf(item.syntax(), ItemKind::Struct, place),
            ast::Item::TypeAlias(_) => self.leaf(item.syntax(), ItemKind::TypeAlias, place),
            ast::Item::Union(_) => self.leaf(item.syntax(), ItemKind::Union, place),
            ast::Item::AsmExpr(_)
            | ast::Item::MacroCall(_)
            | ast::Item::MacroDef(_)
            | ast::Item::MacroRules(_) => {
                self.leaf(item.syntax(), ItemKind::Macro, place);
            }
        }
    }

    fn leaf(&mut self, node: &SyntaxNode, kind: ItemKind, place: &Place) {
        self.push(node, kind, None, place);
    }

    fn module(&mut self, module: &ast::Module, place: &Place) {
        let node = module.syntax();
        let Some(name) = name(node) else { return };
        let is_open = place.is_open && visibility(node) == Visibility::Public;
        let facts = ModuleFacts {
            docs: docs(node, Side::Outer),
            attributes: other_attributes(node),
            uses: Vec::new(),
            text: vec![self.head(node, module.item_list().as_ref().map(AstNode::syntax))],
        };
        let Some(list) = module.item_list() else {
            let Some(declared) = declared(module, &self.lines) else { return };
            self.outline.declarations.push(Declaration {
                modules: place.modules.clone(),
                declared,
                is_open,
                visibility: visibility(node),
                is_test: place.is_test,
                facts,
            });
            return;
        };
        let mut inside = self.facts_inside(list.syntax());
        inside.docs = docs(list.syntax(), Side::Inner);
        let facts = facts.with(&inside);
        let item = module_item(&name, &facts, (own_range(node), self.line(node)), visibility(node));
        let place = &Place { is_test: place.is_test || is_test(list.syntax()), ..place.clone() };
        let item = Item { is_test: place.is_test, ..item };
        let names = vec![name.clone()];
        self.outline.items.push(OutlineItem { modules: place.modules.clone(), names, is_open, item });
        if place.modules.len() >= INLINE_MODULES_MAX {
            let reason =
                format!("line {}: inline modules nest deeper than {INLINE_MODULES_MAX}", self.line(node));
            self.outline.complaint.get_or_insert(reason);
            return;
        }
        let mut inner = Place { is_open, ..place.clone() };
        inner.modules.push(name);
        self.items(list.items(), &inner);
    }

    fn implementation(&mut self, block: &ast::Impl, place: &Place) {
        let Some(self_type) = block.self_ty() else { return };
        let self_type = rust_type(&self_type);
        if let Some(implemented) = block.trait_() {
            let not = if block.excl_token().is_some() { "!" } else { "" };
            let name = format!("<{self_type} as {not}{}>", rust_type(&implemented));
            let inherits = Some(Visibility::Public);
            self.push(block.syntax(), ItemKind::Impl, Some((vec![name.clone()], inherits)), place);
            self.members(block.assoc_item_list().as_ref(), &Owner { name, inherits }, place);
        } else {
            let name = self_type.last_name().map_or_else(|| format!("<{self_type}>"), str::to_owned);
            self.members(block.assoc_item_list().as_ref(), &Owner { name, inherits: None }, place);
        }
    }

    fn members(&mut self, list: Option<&ast::AssocItemList>, owner: &Owner, place: &Place) {
        for member in list.into_iter().flat_map(ast::AssocItemList::assoc_items) {
            let kind = match member {
                ast::AssocItem::Const(_) => ItemKind::Const,
                ast::AssocItem::Fn(_) => ItemKind::Method,
                ast::AssocItem::MacroCall(_) => ItemKind::Macro,
                ast::AssocItem::TypeAlias(_) => ItemKind::TypeAlias,
            };
            let Some(own) = item_name(member.syntax()) else { continue };
            let place = Place { is_test: place.is_test || is_test(member.syntax()), ..place.clone() };
            self.push(member.syntax(), kind, Some((vec![owner.name.clone(), own], owner.inherits)), &place);
        }
    }

    /// Adds an item under its own name, or under the names and visibility that its owner gives it.
    fn push(
        &mut self,
        node: &SyntaxNode,
        kind: ItemKind,
        member: Option<(Vec<String>, Option<Visibility>)>,
        place: &Place,
    ) -> Option<String> {
        let (names, inherited) = match member {
            Some((names, inherited)) => (names, inherited),
            None => (vec![item_name(node)?], None),
        };
        let body = body(node);
        let members = node.children().find(|child| ast::AssocItemList::can_cast(child.kind()));
        let header = tokens(node, body.as_ref().or(members.as_ref()));
        let range = own_range(node);
        let visibility = inherited.unwrap_or_else(|| visibility(node));
        let docs = docs(node, Side::Outer);
        let inner_docs = inner_docs(node, members.as_ref());
        let function = ast::Fn::cast(node.clone());
        let own_name = names.last().cloned();
        let item = Item {
            path: relative_path(&place.modules, &names)?,
            kind,
            file: String::new(),
            line: self.line(node),
            visibility,
            exported: false,
            is_test: place.is_test,
            fingerprint: Fingerprint {
                signature: hash(&header),
                body: body.as_ref().map_or_else(|| hash(&[]), |body| hash(&tokens(body, None))),
                // Kept apart: a line that moves from a field to its struct is a change.
                docs: docs_hash(&match inner_docs.as_str() {
                    "" => docs.clone(),
                    inner => format!("{docs}\0{inner}"),
                }),
                attributes: hash(&attribute_marks(node)),
            },
            text: self.text.get(range.clone()).unwrap_or_default().to_owned(),
            span: range,
            docs,
            attributes: other_attributes(node),
            signature: function.as_ref().map(signature),
            aliased: aliased(node),
            members: fields_or_variants(node),
            mentions: mentions(node),
        };
        let macro_export =
            attributes(node).filter_map(|it| attribute_name(&it)).any(|it| it == "macro_export");
        let is_open = (place.is_open && visibility == Visibility::Public) || macro_export;
        self.outline.items.push(OutlineItem { modules: place.modules.clone(), names, is_open, item });
        own_name
    }

    /// Inner attributes and imports of a file or of the contents of an inline module.
    fn facts_inside(&self, contents: &SyntaxNode) -> ModuleFacts {
        let mut facts = ModuleFacts { attributes: other_attributes(contents), ..ModuleFacts::default() };
        facts.text.extend(facts.attributes.iter().cloned());
        for child in contents.children() {
            if let Some(declaration) = ast::Use::cast(child.clone()) {
                facts.uses.extend(flattened(&declaration));
            } else if ast::ExternCrate::can_cast(child.kind()) {
                facts.uses.push(extern_crate(&child));
            } else {
                continue;
            }
            facts.text.push(self.text.get(own_range(&child)).unwrap_or_default().to_owned());
        }
        facts.uses.sort();
        facts
    }

    /// The text of a node up to its contents.
    fn head(&self, node: &SyntaxNode, contents: Option<&SyntaxNode>) -> String {
        let range = own_range(node);
        let end = contents.map_or(range.end, |contents| contents.text_range().start().into());
        self.text.get(range.start..end).unwrap_or_default().trim_end().to_owned()
    }

    /// The line of a node's first token behind documentation and attributes.
    fn line(&self, node: &SyntaxNode) -> u32 {
        let own = node
            .children_with_tokens()
            .find(|element| !element.kind().is_trivia() && !ast::Attr::can_cast(element.kind()))
            .map_or_else(|| node.text_range().start(), |element| element.text_range().start());
        self.lines.line(own.into())
    }
}

/// A module as an item.
pub(super) fn module_item(
    name: &str,
    facts: &ModuleFacts,
    (span, line): (std::ops::Range<usize>, u32),
    visibility: Visibility,
) -> Item {
    let path = ItemPath::new(name).unwrap_or_else(|_invalid| nameless());
    Item {
        path,
        kind: ItemKind::Module,
        file: String::new(),
        span,
        line,
        visibility,
        exported: false,
        is_test: false,
        fingerprint: facts.fingerprint(name),
        text: facts.text.join("\n"),
        docs: facts.docs.clone(),
        attributes: facts.attributes.clone(),
        signature: None,
        aliased: None,
        members: Vec::new(),
        mentions: Words::default(),
    }
}

/// The path of an item that has yet to be given one.
pub(super) fn nameless() -> ItemPath {
    ItemPath::new("_").expect("an underscore is one line")
}

fn relative_path(modules: &[String], names: &[String]) -> Option<ItemPath> {
    let segments: Vec<&str> = modules.iter().chain(names).map(String::as_str).collect();
    ItemPath::new(segments.join("::")).ok()
}

/// What stands for the body: a block, a value, a macro's tokens. Members are items of their own.
pub(super) fn body(node: &SyntaxNode) -> Option<SyntaxNode> {
    let is_body = |child: &SyntaxNode| {
        let kind = child.kind();
        let value = ast::Const::can_cast(node.kind()) || ast::Static::can_cast(node.kind());
        ast::BlockExpr::can_cast(kind)
            || ast::TokenTree::can_cast(kind)
            || (value && (ast::Expr::can_cast(kind) || ast::ConstArg::can_cast(kind)))
    };
    node.children().find(is_body)
}

/// The name under which an item stands; a macro's invocation is called like the macro, with its `!`.
fn item_name(node: &SyntaxNode) -> Option<String> {
    if let Some(call) = ast::MacroCall::cast(node.clone()) {
        return Some(format!("{}!", call.path()?.segment()?.syntax().text()));
    }
    if ast::AsmExpr::can_cast(node.kind()) {
        return Some("global_asm!".to_owned());
    }
    let unnamed = ast::Const::can_cast(node.kind()).then(|| "_".to_owned());
    name(node).or(unnamed)
}

fn name(node: &SyntaxNode) -> Option<String> {
    let name = node.children().find_map(ast::Name::cast)?.syntax().text().to_string();
    (!name.is_empty()).then_some(name)
}

/// The type an alias stands for, or the type of a constant or static.
fn aliased(node: &SyntaxNode) -> Option<super::rust_type::RustType> {
    let typed = ast::TypeAlias::can_cast(node.kind())
        || ast::Const::can_cast(node.kind())
        || ast::Static::can_cast(node.kind());
    node.children().filter(|_| typed).find_map(ast::Type::cast).map(|ty| rust_type(&ty))
}

fn fields_or_variants(node: &SyntaxNode) -> Vec<String> {
    let named = |child: SyntaxNode| name(&child);
    if let Some(variants) = node.children().find_map(ast::VariantList::cast) {
        return variants.syntax().children().filter_map(named).collect();
    }
    if let Some(fields) = node.children().find_map(ast::RecordFieldList::cast) {
        return fields.syntax().children().filter_map(named).collect();
    }
    let fields = node.children().find_map(ast::TupleFieldList::cast);
    let count = fields.map_or(0, |fields| fields.fields().count());
    (0..count).map(|at| at.to_string()).collect()
}
