//! The headers of blocks that are no items: inherent implementations and `extern` blocks.
//!
//! Their contents are items under the type or the module. What the header adds to those (bounds, `cfg`, the
//! ABI, what is linked) stands here alone. Trait implementations are items.

use super::annotations::{attribute_marks, is_test};
use super::fingerprint::tokens;
use super::header::{lined, visibility_of};
use super::syntax::{AstNode, HasModuleItem, SyntaxNode, ast, edition, parse_file};
use super::types::rust_type;

/// What kind of block it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BlockKind {
    Inherent,
    Extern,
}

/// One block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Block {
    /// What it is.
    pub(crate) kind: BlockKind,
    /// The name of its type; empty for `extern`.
    pub(crate) subject: String,
    /// Its header on one line.
    pub(crate) header: String,
    /// Its attributes, each derived trait by itself.
    pub(crate) attributes: Vec<String>,
}

/// The blocks of a file outside tests, those of its inline modules included. None where it does not parse.
pub(crate) fn blocks(text: &str, edition_name: &str) -> Vec<Block> {
    let parsed = parse_file(text, edition(edition_name)).ok().filter(|it| it.complaint.is_none());
    let Some(parsed) = parsed else { return Vec::new() };
    let mut found = Vec::new();
    let mut open: Vec<ast::Item> = parsed.file.items().collect();
    while let Some(item) = open.pop() {
        if is_test(item.syntax()) {
            continue;
        }
        if let ast::Item::Module(module) = &item {
            open.extend(module.item_list().into_iter().flat_map(|list| list.items()));
        } else if let Some(block) = block(&item) {
            found.push(block);
        }
    }
    found
}

fn block(item: &ast::Item) -> Option<Block> {
    let node = item.syntax();
    let (kind, subject, contents): (BlockKind, String, Option<SyntaxNode>) = if let ast::Item::Impl(it) = item
    {
        if it.trait_().is_some() {
            return None;
        }
        let subject = it.self_ty().map(|ty| rust_type(&ty))?;
        let name = subject.last_name().map_or_else(|| subject.to_string(), str::to_owned);
        (BlockKind::Inherent, name, it.assoc_item_list().map(|list| list.syntax().clone()))
    } else if let ast::Item::ExternBlock(it) = item {
        (BlockKind::Extern, String::new(), it.extern_item_list().map(|list| list.syntax().clone()))
    } else {
        return None;
    };
    Some(Block {
        kind,
        subject,
        header: lined(&visibility_of(node), &tokens(node, contents.as_ref())),
        attributes: attribute_marks(node),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_inherent_and_extern_blocks_are_found_and_trait_implementations_are_not() {
        let text =
            "impl<T: Clone> a::S<T> where T: Copy { fn f() {} } impl Clone for S {} #[cfg(test)] impl S {}
            mod m { #[link(name = \"z\")] unsafe extern \"C\" { fn g(); } }";
        let mut found = blocks(text, "2024");
        found.sort();
        let told: Vec<String> = found
            .iter()
            .map(|it| format!("{:?} {} | {} {}", it.kind, it.subject, it.header, it.attributes.join(" ")))
            .collect();
        assert_eq!(
            told,
            [
                "Inherent S | impl<T: Clone> a::S<T> where T: Copy ",
                "Extern  | unsafe extern \"C\" #[link(name = \"z\")]",
            ]
        );
        assert_eq!(blocks("impl S {", "2024"), [], "a file that does not parse tells nothing");
    }
}
