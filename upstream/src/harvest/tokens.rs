//! Expressions inside the arguments of macros, which the parser leaves as plain tokens.

use crate::snapshot::syntax::{
    AstNode, Edition, NodeOrToken, SyntaxKind, SyntaxNode, ast, parse_expression, parse_file,
};

/// How deep macros within macros are followed.
pub(super) const MACRO_DEPTH_MAX: usize = 8;

/// A piece of a macro's arguments that reads as code by itself.
pub(super) struct Piece {
    /// The expression, or the block of statements, as a tree of its own.
    pub(super) code: SyntaxNode,
    /// How many lines below the macro's first token it begins.
    pub(super) lines_below: u32,
}

/// Parses one expression.
pub(super) fn expression(text: &str) -> Option<ast::Expr> {
    parse_expression(text, Edition::Edition2021).or_else(|| parse_expression(text, Edition::Edition2015))
}

/// The pieces of a group of tokens: what stands between commas, semicolons and arrows, and where such a piece is
/// no expression, the groups inside it.
pub(super) fn pieces(group: &SyntaxNode) -> Vec<Piece> {
    let whole = group.text().to_string();
    let origin = usize::from(group.text_range().start());
    let lines_below = |start: usize| {
        let above = whole.get(..start.saturating_sub(origin)).unwrap_or_default();
        u32::try_from(above.matches('\n').count()).unwrap_or(u32::MAX)
    };
    let mut found = Vec::new();
    let mut open = vec![group.clone()];
    while let Some(group) = open.pop() {
        if let Some(code) = statements(&group) {
            found.push(Piece { code, lines_below: lines_below(group.text_range().start().into()) });
            continue;
        }
        for part in split(&group) {
            let text: String = part.iter().map(ToString::to_string).collect();
            let first = part.iter().find(|element| !element.kind().is_trivia());
            let Some(start) = first.map(|element| element.text_range().start()) else { continue };
            match expression(text.trim()) {
                Some(code) => {
                    let code = code.syntax().clone();
                    found.push(Piece { code, lines_below: lines_below(start.into()) });
                }
                None => open.extend(part.into_iter().filter_map(NodeOrToken::into_node)),
            }
        }
    }
    found
}

/// The contents of braces as statements, where they are such.
fn statements(group: &SyntaxNode) -> Option<SyntaxNode> {
    let text = group.text().to_string();
    if !text.starts_with('{') {
        return None;
    }
    let parsed = parse_file(&format!("fn f() {text}"), Edition::Edition2021).ok()?;
    parsed.complaint.is_none().then(|| parsed.file.syntax().clone())
}

type Part = Vec<NodeOrToken<SyntaxNode, crate::snapshot::syntax::SyntaxToken>>;

/// The elements between the outermost separators, without the group's own brackets.
fn split(group: &SyntaxNode) -> Vec<Part> {
    let separators = [SyntaxKind::COMMA, SyntaxKind::SEMICOLON, SyntaxKind::FAT_ARROW];
    let (first, last) = (group.first_token(), group.last_token());
    let mut parts: Vec<Part> = vec![Vec::new()];
    for element in group.children_with_tokens() {
        let token = element.as_token();
        if token.is_some() && (token == first.as_ref() || token == last.as_ref()) {
            continue;
        }
        if separators.contains(&element.kind()) {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(element);
        }
    }
    parts
}
