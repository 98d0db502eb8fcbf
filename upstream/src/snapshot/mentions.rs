//! The names that an item's header and body mention: the raw edges of the dependency graph.

use super::syntax::{AstNode, NodeOrToken, SyntaxKind, SyntaxNode, ast};
use super::types::segment_name;
use crate::words::Words;

/// Last path segments, names of called methods and of macros, and every name inside the tokens of a macro,
/// sorted, each once. Members of traits and implementations are items of their own and left out.
pub(super) fn mentions(node: &SyntaxNode) -> Words {
    let mut names = Vec::new();
    let mut walk = node.preorder_with_tokens();
    while let Some(event) = walk.next() {
        let ra_event = match event {
            super::syntax::WalkEvent::Enter(element) => element,
            super::syntax::WalkEvent::Leave(_) => continue,
        };
        match ra_event {
            NodeOrToken::Node(child) => {
                let skipped = [SyntaxKind::ATTR, SyntaxKind::ASSOC_ITEM_LIST, SyntaxKind::VISIBILITY];
                if skipped.contains(&child.kind()) {
                    walk.skip_subtree();
                } else if let Some(path) = ast::Path::cast(child.clone()) {
                    let is_outermost =
                        child.parent().is_none_or(|parent| !ast::Path::can_cast(parent.kind()));
                    let last = path.segment().filter(|_| is_outermost);
                    names.extend(last.as_ref().and_then(segment_name));
                } else if let Some(call) = ast::MethodCallExpr::cast(child) {
                    names.extend(call.name_ref().map(|name| name.text().to_owned()));
                }
            }
            NodeOrToken::Token(token) => {
                let in_macro = token.parent().is_some_and(|it| it.kind() == SyntaxKind::TOKEN_TREE);
                if in_macro && token.kind() == SyntaxKind::IDENT {
                    names.push(token.text().to_owned());
                }
            }
        }
    }
    names.into_iter().collect()
}
