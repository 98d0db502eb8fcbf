//! Token texts that stay the same however the code is laid out, and hashes over them.
//!
//! The main function is [`tokens`]. What `rustfmt` adds or takes away without changing the meaning (trailing
//! commas, braces around one expression, a semicolon after `return`) must not show here; nothing else may be
//! lost.

use super::alone::alone;
use super::item::Item;
use super::syntax::{
    AstNode, NodeOrToken, SyntaxKind as K, SyntaxNode, SyntaxToken, WalkEvent, ast, attribute_name,
    next_significant, previous_significant,
};
use super::uses::flattened;
use crate::ids::ContentHash;

/// The significant tokens of a node, without its own attributes, documentation and visibility, and without
/// the child `except`.
pub(crate) fn tokens(node: &SyntaxNode, except: Option<&SyntaxNode>) -> Vec<String> {
    let keep_commas = node.kind() == K::MACRO_RULES || node.kind() == K::MACRO_DEF;
    let (mut texts, mut imports) = (Vec::new(), Vec::new());
    let mut walk = node.preorder_with_tokens();
    while let Some(event) = walk.next() {
        match event {
            WalkEvent::Enter(NodeOrToken::Node(child)) => {
                let own = child.parent().as_ref() == Some(node);
                let head = own && (child.kind() == K::ATTR || child.kind() == K::VISIBILITY);
                if (head && &child != node) || Some(&child) == except || is_silent(&child) {
                    walk.skip_subtree();
                }
                if let Some(declaration) = ast::Use::cast(child.clone()) {
                    // Inside a body as well, `rustfmt` sorts them.
                    imports.extend(flattened(&declaration));
                    walk.skip_subtree();
                }
                if child.kind() == K::ABI && child.children_with_tokens().count() == 1 {
                    texts.extend(["extern".to_owned(), "\"C\"".to_owned()]);
                    walk.skip_subtree();
                }
            }
            WalkEvent::Enter(NodeOrToken::Token(token)) => {
                let is_comma = token.kind() == K::COMMA;
                let silent = token.kind().is_trivia()
                    || (is_comma && !keep_commas && is_formatting_comma(&token))
                    || (!is_comma && is_formatting_token(&token));
                if !silent {
                    // In a string over several lines the kind of line break means nothing: Rust reads each as `\n`.
                    texts.push(token.text().replace("\r\n", "\n"));
                }
            }
            WalkEvent::Leave(_) => {}
        }
    }
    imports.sort();
    texts.extend(imports);
    texts
}

/// The hash of token texts.
pub(crate) fn hash(tokens: &[String]) -> ContentHash {
    ContentHash::of_parts(tokens)
}

/// Token texts as one line for people: a space only where two words would run together or habit has one.
pub(crate) fn one_line(tokens: &[String]) -> String {
    let is_word =
        |text: &str| text.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"' || c == '\'');
    let spaced = |text: &str| matches!(text, "=" | "->" | "+" | "=>" | "as");
    let mut line = String::new();
    let mut before = "";
    for token in tokens {
        let words = is_word(before) && is_word(token);
        let after_sign = matches!(before, "," | ":" | ";" | "dyn" | "impl" | "mut") || spaced(before);
        if !before.is_empty() && (words || after_sign || spaced(token)) {
            line.push(' ');
        }
        line.push_str(token);
        before = token;
    }
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A whole part that `rustfmt` may add or take away, or that is documentation.
fn is_silent(node: &SyntaxNode) -> bool {
    if node.kind() == K::ATTR {
        return ast::Attr::cast(node.clone()).and_then(|it| attribute_name(&it)).as_deref() == Some("doc");
    }
    if node.kind() == K::RET_TYPE {
        let ty = node.children().find_map(ast::Type::cast);
        return ty.is_some_and(|ty| match ty {
            ast::Type::TupleType(tuple) => tuple.fields().next().is_none(),
            ast::Type::ArrayType(_)
            | ast::Type::DynTraitType(_)
            | ast::Type::FnPtrType(_)
            | ast::Type::ForType(_)
            | ast::Type::ImplTraitType(_)
            | ast::Type::InferType(_)
            | ast::Type::MacroType(_)
            | ast::Type::NeverType(_)
            | ast::Type::ParenType(_)
            | ast::Type::PathType(_)
            | ast::Type::PatternType(_)
            | ast::Type::PtrType(_)
            | ast::Type::RefType(_)
            | ast::Type::SliceType(_) => false,
        });
    }
    matches!(node.kind(), K::GENERIC_PARAM_LIST | K::WHERE_CLAUSE) && node.children().next().is_none()
}

/// A trailing comma; the comma that makes a tuple of one is none.
fn is_formatting_comma(comma: &SyntaxToken) -> bool {
    let Some(parent) = comma.parent() else { return false };
    if parent.kind() == K::MATCH_ARM {
        return true;
    }
    let Some(next) = next_significant(comma) else { return false };
    if parent.kind() == K::WHERE_CLAUSE {
        return next.parent().is_none_or(|it| !it.ancestors().any(|up| up == parent));
    }
    let closes = [K::R_PAREN, K::R_BRACK, K::R_CURLY, K::R_ANGLE].contains(&next.kind())
        || (next.kind() == K::PIPE && parent.kind() == K::PARAM_LIST);
    if !closes {
        return false;
    }
    let is_alone = parent.children_with_tokens().filter(|element| element.kind() == K::COMMA).count() == 1;
    if [K::TUPLE_EXPR, K::TUPLE_TYPE, K::TUPLE_PAT].contains(&parent.kind()) {
        return !is_alone;
    }
    if parent.kind() == K::TOKEN_TREE {
        return !(is_alone && next.kind() == K::R_PAREN && may_be_tuple(&parent));
    }
    true
}

/// Whether a group of unparsed tokens in parentheses can be a tuple: after a name it is an argument list.
fn may_be_tuple(group: &SyntaxNode) -> bool {
    let before = group.first_token().and_then(|open| previous_significant(&open));
    before.is_none_or(|token| ![K::IDENT, K::BANG, K::R_PAREN, K::R_ANGLE].contains(&token.kind()))
}

/// Other tokens that `rustfmt` may add or take away.
fn is_formatting_token(token: &SyntaxToken) -> bool {
    let Some(parent) = token.parent() else { return false };
    let kind = token.kind();
    if kind == K::SEMICOLON {
        return is_jump(&parent) || is_valueless_block(&parent) || parent.kind() == K::STMT_LIST;
    }
    if kind == K::L_CURLY || kind == K::R_CURLY {
        return parent.kind() == K::STMT_LIST && wraps_one_expression(&parent);
    }
    if kind == K::L_PAREN || kind == K::R_PAREN {
        return parent.kind() == K::PAREN_EXPR
            && parent.parent().is_some_and(|outer| outer.kind() == K::PAREN_EXPR);
    }
    kind == K::PIPE && is_leading_pipe(token, &parent)
}

fn is_leading_pipe(pipe: &SyntaxToken, parent: &SyntaxNode) -> bool {
    (parent.kind() == K::OR_PAT || parent.kind() == K::MATCH_ARM)
        && parent
            .children()
            .find_map(ast::Pat::cast)
            .is_some_and(|first| pipe.text_range().start() <= first.syntax().text_range().start())
}

/// Whether a statement is a jump and its semicolon, which says nothing.
fn is_jump(statement: &SyntaxNode) -> bool {
    let jump = [K::RETURN_EXPR, K::BREAK_EXPR, K::CONTINUE_EXPR];
    statement.kind() == K::EXPR_STMT && statement.children().any(|child| jump.contains(&child.kind()))
}

/// Whether a statement is a loop, or an `if` without `else`, and the semicolon behind it: those have no value that
/// it could take away.
fn is_valueless_block(statement: &SyntaxNode) -> bool {
    let has_else = |child: &SyntaxNode| child.children_with_tokens().any(|it| it.kind() == K::ELSE_KW);
    let valueless = |child: SyntaxNode| {
        [K::FOR_EXPR, K::LOOP_EXPR, K::WHILE_EXPR].contains(&child.kind())
            || (child.kind() == K::IF_EXPR && !has_else(&child))
    };
    statement.kind() == K::EXPR_STMT && statement.children().any(valueless)
}

/// Whether a block is the braces around the one expression of a match arm or a closure.
fn wraps_one_expression(statements: &SyntaxNode) -> bool {
    let Some(block) = statements.parent() else { return false };
    let Some(owner) = block.parent() else { return false };
    let plain = block.children_with_tokens().filter(|it| !it.kind().is_trivia()).count() == 1;
    let mut parts = statements.children();
    let single = parts.next().is_some_and(|first| ast::Expr::can_cast(first.kind()) || is_jump(&first))
        && parts.next().is_none();
    let braces_optional = owner.kind() == K::MATCH_ARM
        || (owner.kind() == K::CLOSURE_EXPR && !owner.children().any(|child| child.kind() == K::RET_TYPE));
    plain && single && braces_optional
}

/// The tokens of an item's header and body with every mention of its own name replaced, so that an item and
/// its renamed self are equal. Items that cannot be read alone give their whole text.
pub(crate) fn tokens_without_name(item: &Item) -> Vec<String> {
    let name = item.path.name().split('#').next().unwrap_or_default();
    let node = alone(item).map(|alone| alone.node);
    let Some(node) = node else { return vec![item.text.clone()] };
    let members = node.children().find(|child| ast::AssocItemList::can_cast(child.kind()));
    let mut tokens = tokens(&node, members.as_ref());
    for token in &mut tokens {
        if token == name {
            "_".clone_into(token);
        }
    }
    tokens
}
