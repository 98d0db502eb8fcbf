//! Who may name an item, from what is written: the same for the parser's nodes and the scanner's words.

use super::item::Visibility;
use super::syntax::{AstNode, NodeOrToken, SyntaxNode, ast};

impl Visibility {
    /// What `pub(…)` says, from its words with neither space nor comments; signs between them are passed over.
    pub(crate) fn restricted<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let is_part = |word: &&[u8]| !matches!(*word, b"(" | b")" | b":" | b"::" | b"in");
        let mut path = words.into_iter().filter(is_part);
        match (path.next(), path.next()) {
            (Some(b"crate"), None) => Self::Crate,
            (Some(b"super"), None) => Self::Super,
            (Some(b"self"), None) => Self::Private,
            _ => Self::Within,
        }
    }
}

/// The visibility that a node is written with.
pub(super) fn visibility(node: &SyntaxNode) -> Visibility {
    let Some(written) = node.children().find_map(ast::Visibility::cast) else { return Visibility::Private };
    let Some(inner) = written.visibility_inner() else { return Visibility::Public };
    let tokens = inner.syntax().descendants_with_tokens().filter_map(NodeOrToken::into_token);
    let words: Vec<_> = tokens.filter(|token| !token.kind().is_trivia()).collect();
    Visibility::restricted(words.iter().map(|token| token.text().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::syntax::{Edition, parse_file};

    fn of(written: &str) -> Visibility {
        let parsed = parse_file(&format!("{written} fn f() {{}}"), Edition::Edition2021).unwrap();
        visibility(&parsed.file.syntax().first_child().unwrap())
    }

    #[test]
    fn a_restriction_is_read_by_its_path_however_it_is_spaced() {
        assert_eq!(of(""), Visibility::Private);
        assert_eq!(of("pub"), Visibility::Public);
        assert_eq!(of("pub(crate)"), Visibility::Crate);
        assert_eq!(of("pub ( in /* of */ crate )"), Visibility::Crate);
        assert_eq!(of("pub(super)"), Visibility::Super);
        assert_eq!(of("pub(self)"), Visibility::Private);
        assert_eq!(of("pub(in super::super)"), Visibility::Within);
        assert_eq!(of("pub(in crate::a)"), Visibility::Within);
    }
}
