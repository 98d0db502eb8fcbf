//! The one door to the Rust parser: what the rest of the crate may know of `ra_ap_syntax`.
//!
//! The parser is published weekly with changes to its interface, so its version is pinned and only this file
//! names it. Nothing here must trust a text: its size and nesting are bounded before the parser, which
//! recurses, sees it.

use std::borrow::Cow;

pub(crate) use ra_ap_syntax::ast::{
    self, HasArgList, HasGenericArgs, HasGenericParams, HasModuleItem, HasName,
};
pub(crate) use ra_ap_syntax::{
    AstNode, AstToken, Edition, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken, WalkEvent,
};

/// The longest text that is parsed, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 4 << 20;
/// A parsed text, with the first complaint of the parser.
pub(crate) struct Parsed {
    /// The whole text as a file.
    pub(crate) file: ast::SourceFile,
    /// The first thing that is wrong with it.
    pub(crate) complaint: Option<String>,
}

/// Parses a file, or says why it is not even tried.
pub(crate) fn parse_file(text: &str, edition: Edition) -> Result<Parsed, String> {
    check_bounds(text)?;
    // The parser is made for an editor and asserts a good deal; what it stumbles over is one file, not a run.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| parse_checked(text, edition)))
        .unwrap_or_else(|_panic| Err("the parser failed on it".to_owned()))
}

fn parse_checked(text: &str, edition: Edition) -> Result<Parsed, String> {
    let parse = ast::SourceFile::parse(text, edition);
    let mut errors = parse.errors();
    // The parser takes `\r\n` in a string for an error; the compiler reads every `\r\n` as `\n`. The tree keeps its
    // offsets, and lines are the same in both.
    let read = if !errors.is_empty() && text.contains("\r\n") {
        let read = text.replace("\r\n", "\n");
        errors = ast::SourceFile::parse(&read, edition).errors();
        Cow::Owned(read)
    } else {
        Cow::Borrowed(text)
    };
    let first = errors.into_iter().min_by_key(|error| error.range().start());
    let line = |offset: usize| Lines::of(&read).line(offset);
    let complaint = first.map(|error| format!("line {}: {error}", line(error.range().start().into())));
    let file = ast::SourceFile::cast(parse.syntax_node())
        .ok_or_else(|| "the parser gave no file back".to_owned())?;
    Ok(Parsed { file, complaint })
}

/// Parses one expression; `None` where the text is anything else.
///
/// The parser's own entry for expressions panics on texts that are several, so a function is put around it.
pub(crate) fn parse_expression(text: &str, edition: Edition) -> Option<ast::Expr> {
    let parsed = parse_file(&format!("fn f() {{ (\n{text}\n) }}"), edition).ok()?;
    let mut items = parsed.file.items();
    let (Some(ast::Item::Fn(function)), None, None) = (items.next(), items.next(), parsed.complaint) else {
        return None;
    };
    let body = function.syntax().children().find_map(ast::BlockExpr::cast)?;
    let ast::Expr::ParenExpr(paren) = body.tail_expr()? else { return None };
    let is_alone = body.statements().next().is_none();
    paren.expr().filter(|_| is_alone)
}

/// The edition by its number, the oldest where it is unknown: so does Cargo where none is written.
pub(crate) fn edition(text: &str) -> Edition {
    match text {
        "2018" => Edition::Edition2018,
        "2021" => Edition::Edition2021,
        "2024" => Edition::Edition2024,
        _ => Edition::Edition2015,
    }
}

/// Refuses what is too long or too deep.
fn check_bounds(text: &str) -> Result<(), String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("it is longer than {TEXT_BYTES_MAX} bytes"));
    }
    super::depth::check(text)
}

/// What a token says that is a text in quotes.
pub(crate) fn string_value(token: &SyntaxToken) -> Option<String> {
    ast::String::cast(token.clone())?.value().ok().map(Cow::into_owned)
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// The lines of this text.
    pub(crate) fn of(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after).collect() }
    }

    /// The line of this offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

/// The range of a node in bytes, plain comments before it left out: the parser counts them to the node.
pub(crate) fn own_range(node: &SyntaxNode) -> std::ops::Range<usize> {
    let whole = node.text_range();
    let start = node
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .find(|token| !token.kind().is_trivia() || is_doc_comment(token))
        .map_or(whole.start(), |token| token.text_range().start());
    start.into()..whole.end().into()
}

/// Whether this token is documentation.
pub(crate) fn is_doc_comment(token: &SyntaxToken) -> bool {
    ast::Comment::cast(token.clone()).is_some_and(|comment| comment.is_doc())
}

/// The next token that is neither space nor comment.
pub(crate) fn next_significant(token: &SyntaxToken) -> Option<SyntaxToken> {
    std::iter::successors(token.next_token(), SyntaxToken::next_token).find(|next| !next.kind().is_trivia())
}

/// The last token before this one that is neither space nor comment.
pub(crate) fn previous_significant(token: &SyntaxToken) -> Option<SyntaxToken> {
    std::iter::successors(token.prev_token(), SyntaxToken::prev_token).find(|next| !next.kind().is_trivia())
}

/// The attributes that stand directly on a node.
pub(crate) fn attributes(node: &SyntaxNode) -> impl Iterator<Item = ast::Attr> {
    node.children().filter_map(ast::Attr::cast)
}

/// The last segment of an attribute's path: `test` for `#[tokio::test]`.
pub(crate) fn attribute_name(attribute: &ast::Attr) -> Option<String> {
    let text = attribute.meta()?.syntax().text().to_string();
    let path = text.split(['(', '=', '[', '{']).next()?;
    path.rsplit("::").next().map(|name| name.trim().to_owned())
}

/// The value of an attribute such as `#[path = "other.rs"]`.
pub(crate) fn attribute_value(attribute: &ast::Attr) -> Option<String> {
    let mut tokens = attribute.syntax().descendants_with_tokens().filter_map(NodeOrToken::into_token);
    tokens.find_map(|token| string_value(&token))
}
