//! The modules that one file declares, wherever in it they stand, and the files that it includes.
//!
//! Main function: [`contents`]. Rust lets a module be declared at the top, in another module, in the body of a
//! function and in the arguments of a macro (`cfg_if!`); what a macro makes of its own is not known here.

use serde::{Deserialize, Serialize};

use super::annotations::attribute_line;
use super::syntax::{
    AstNode, Lines, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken, ast, attribute_name, attribute_value,
    attributes, string_value,
};

/// A module with its contents in braces around a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inline {
    /// Its name, without `r#`.
    pub(crate) name: String,
    /// The value of its `#[path]`.
    pub(crate) path: Option<String>,
}

/// A `#[path]`, or one that holds under a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PathAttribute {
    /// Its value.
    pub(crate) path: String,
    /// The condition of the `cfg_attr` around it.
    pub(crate) condition: Option<String>,
}

/// What a declaration stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stands {
    /// A file or a module.
    Item,
    /// The body of a function: only a `#[path]` can name its file.
    Body,
    /// The arguments of a macro.
    Macro,
}

/// `mod name;` or `mod name { … }`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Declared {
    /// Its name as written.
    pub(crate) name: String,
    /// The modules with braces around it, the outermost first.
    pub(crate) inline: Vec<Inline>,
    /// What its attributes say of its place.
    pub(crate) paths: Vec<PathAttribute>,
    /// The conditions of its `#[cfg]`, and of the macro's branch that it stands in.
    pub(crate) conditions: Vec<String>,
    /// What it stands in.
    pub(crate) stands: Stands,
    /// Whether its contents follow in braces.
    pub(crate) is_inline: bool,
    /// Whether it says `pub` without restriction.
    pub(crate) is_public: bool,
    /// The line of its name.
    pub(crate) line: u32,
}

/// `include!(…)`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Include {
    /// The file, where it is written as one text; others are made while building.
    pub(crate) path: Option<String>,
    /// The modules with braces around it.
    pub(crate) inline: Vec<Inline>,
    /// Its line.
    pub(crate) line: u32,
}

/// What a file leads to.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The modules, in the order of the text.
    pub(crate) modules: Vec<Declared>,
    /// The inclusions.
    pub(crate) includes: Vec<Include>,
}

/// Reads what a file declares.
pub(crate) fn contents(text: &str, file: &SyntaxNode) -> Contents {
    let lines = Lines::of(text);
    let mut found = Contents::default();
    for node in file.descendants() {
        if let Some(module) = ast::Module::cast(node.clone()) {
            found.modules.extend(declared(&module, &lines));
        } else if let Some(call) = ast::MacroCall::cast(node) {
            macro_call(&call, &lines, &mut found);
        }
    }
    found
}

/// Reads one declaration.
pub(super) fn declared(module: &ast::Module, lines: &Lines) -> Option<Declared> {
    let node = module.syntax();
    let name = node.children().find_map(ast::Name::cast)?;
    let public = node.children().find_map(ast::Visibility::cast);
    Some(Declared {
        name: name.syntax().text().to_string(),
        inline: around(node),
        paths: path_attributes(node),
        conditions: conditions(node),
        stands: if is_in_body(node) { Stands::Body } else { Stands::Item },
        is_inline: module.item_list().is_some(),
        is_public: public.is_some_and(|written| written.visibility_inner().is_none()),
        line: lines.line(name.syntax().text_range().start().into()),
    })
}

/// The modules with braces around a node, the outermost first.
fn around(node: &SyntaxNode) -> Vec<Inline> {
    let modules = node.ancestors().skip(1).filter_map(ast::Module::cast);
    let inline = |module: ast::Module| inline(module.syntax());
    let mut around: Vec<Inline> = modules.filter_map(inline).collect();
    around.reverse();
    around
}

/// A module with braces as a step of the way to those inside.
fn inline(node: &SyntaxNode) -> Option<Inline> {
    let name = node.children().find_map(ast::Name::cast)?.syntax().text().to_string();
    let path = path_attributes(node).into_iter().find(|it| it.condition.is_none()).map(|it| it.path);
    Some(Inline { name: bare(&name).to_owned(), path })
}

/// A name without `r#`: so is its file called.
pub(crate) fn bare(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

fn is_in_body(node: &SyntaxNode) -> bool {
    node.ancestors().skip(1).any(|above| ast::BlockExpr::can_cast(above.kind()))
}

/// The conditions of a node's `#[cfg]` attributes.
fn conditions(node: &SyntaxNode) -> Vec<String> {
    attributes(node).filter_map(|attribute| condition(&attribute_line(&attribute))).collect()
}

fn condition(line: &str) -> Option<String> {
    line.strip_prefix("#[cfg(")?.strip_suffix(")]").map(str::to_owned)
}

/// What the attributes of a module say of the place of its file.
fn path_attributes(node: &SyntaxNode) -> Vec<PathAttribute> {
    let mut found = Vec::new();
    for attribute in attributes(node) {
        match attribute_name(&attribute).as_deref() {
            Some("path") => {
                found.extend(attribute_value(&attribute).map(|path| PathAttribute { path, condition: None }));
            }
            Some("cfg_attr") => found.extend(conditional(&significant(attribute.syntax()))),
            Some(_) | None => {}
        }
    }
    found
}

/// The tokens below a node that are neither space nor comment.
fn significant(node: &SyntaxNode) -> Vec<SyntaxToken> {
    let tokens = node.descendants_with_tokens().filter_map(NodeOrToken::into_token);
    tokens.filter(|token| !token.kind().is_trivia()).collect()
}

/// The path in `#[cfg_attr(condition, path = "…")]`.
fn conditional(tokens: &[SyntaxToken]) -> Option<PathAttribute> {
    let begin = tokens.iter().position(|token| token.text() == "cfg_attr")? + 2;
    let inside = tokens.get(begin..)?;
    let mut depth = 0_usize;
    let end = inside.iter().position(|token| {
        match token.text() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.text() == ","
    })?;
    let condition: Vec<&str> = inside.get(..end)?.iter().map(SyntaxToken::text).collect();
    let behind = inside.get(end..)?;
    let path = behind.windows(4).find_map(|four| match four {
        [comma, name, equals, value]
            if comma.text() == "," && name.text() == "path" && equals.text() == "=" =>
        {
            string_value(value)
        }
        _ => None,
    })?;
    Some(PathAttribute { path, condition: Some(spaced(&condition)) })
}

/// Tokens of a condition as one writes them.
fn spaced(tokens: &[&str]) -> String {
    let mut text = String::new();
    for token in tokens {
        match *token {
            "," => text.push_str(", "),
            "=" => text.push_str(" = "),
            other => text.push_str(other),
        }
    }
    text
}

fn macro_call(call: &ast::MacroCall, lines: &Lines, found: &mut Contents) {
    let name = call.path().and_then(|path| path.segment()).map(|last| last.syntax().text().to_string());
    let Some(tree) = call.token_tree() else { return };
    let tokens = significant(tree.syntax());
    let line = lines.line(call.syntax().text_range().start().into());
    if name.as_deref() == Some("include") {
        let path = match tokens.as_slice() {
            [_, text, _] | [_, text, _, _] => string_value(text),
            _ => None,
        };
        found.includes.push(Include { path, inline: around(call.syntax()), line });
        return;
    }
    // In an expression `mod` is no module: `quote! { mod a; }` is a text.
    let parent = call.syntax().parent().map(|parent| parent.kind());
    let is_item = matches!(parent, Some(SyntaxKind::SOURCE_FILE | SyntaxKind::ITEM_LIST));
    if is_item {
        let outer = around(call.syntax());
        found.modules.extend(Arguments { tokens: &tokens, lines, outer }.modules());
    }
}

/// The arguments of a macro that may hold modules.
struct Arguments<'a> {
    tokens: &'a [SyntaxToken],
    lines: &'a Lines,
    outer: Vec<Inline>,
}

/// What a brace in the arguments of a macro opens.
enum Braces {
    Module(Inline),
    Branch(Vec<String>),
}

impl Arguments<'_> {
    fn modules(&self) -> Vec<Declared> {
        let mut found = Vec::new();
        let mut open: Vec<Braces> = Vec::new();
        let mut marks = Marks::default();
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            let text = token.text();
            let next = |by: usize| self.tokens.get(at + by);
            let ends = next(2).map(SyntaxToken::text);
            if text == "#" {
                at = self.attribute(at, &mut marks);
            } else if text == "pub" {
                marks.is_public = next(1).is_none_or(|next| next.text() != "(");
                at += 1;
            } else if text == "mod"
                && let (Some(name), Some(end @ (";" | "{"))) = (next(1), ends)
                && name.kind() == SyntaxKind::IDENT
            {
                let marks = std::mem::take(&mut marks);
                let is_inline = end == "{";
                let around = self.declared(name, marks, is_inline, &open);
                if is_inline {
                    let path = around.paths.iter().find(|it| it.condition.is_none());
                    let path = path.map(|it| it.path.clone());
                    open.push(Braces::Module(Inline { name: bare(&around.name).to_owned(), path }));
                }
                found.push(around);
                at += 3;
            } else {
                match text {
                    "{" => open.push(Braces::Branch(std::mem::take(&mut marks).conditions)),
                    "}" => drop(open.pop()),
                    // The restriction of a visibility stands between it and the name.
                    "(" | ")" | "crate" | "super" | "in" | "self" => {}
                    _ => marks = Marks::default(),
                }
                at += 1;
            }
        }
        found
    }

    fn declared(&self, name: &SyntaxToken, marks: Marks, is_inline: bool, open: &[Braces]) -> Declared {
        let mut inline = self.outer.clone();
        let mut conditions = Vec::new();
        for braces in open {
            match braces {
                Braces::Module(module) => inline.push(module.clone()),
                Braces::Branch(branch) => conditions.extend(branch.iter().cloned()),
            }
        }
        conditions.extend(marks.conditions);
        Declared {
            name: name.text().to_owned(),
            inline,
            paths: marks.paths,
            conditions,
            stands: Stands::Macro,
            is_inline,
            is_public: marks.is_public,
            line: self.lines.line(name.text_range().start().into()),
        }
    }

    /// Reads an attribute and says where it ends.
    fn attribute(&self, at: usize, marks: &mut Marks) -> usize {
        let mut depth = 0_usize;
        let rest = self.tokens.get(at + 1..).unwrap_or_default();
        let closing = rest.iter().position(|token| {
            match token.text() {
                "[" => depth += 1,
                "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let Some(closing) = closing else { return at + 1 };
        let attribute = rest.get(1..closing).unwrap_or_default();
        let texts: Vec<&str> = attribute.iter().map(SyntaxToken::text).collect();
        match (texts.as_slice(), attribute.get(2)) {
            (["path", "=", ..], Some(value)) => {
                marks.paths.extend(string_value(value).map(|path| PathAttribute { path, condition: None }));
            }
            (["cfg_attr", ..], _) => marks.paths.extend(conditional(attribute)),
            (["cfg", "(", condition @ .., ")"], _) => marks.conditions.push(spaced(condition)),
            _ => {}
        }
        at + 1 + closing + 1
    }
}

/// What stands before a module in the arguments of a macro.
#[derive(Default)]
struct Marks {
    paths: Vec<PathAttribute>,
    conditions: Vec<String>,
    is_public: bool,
}
