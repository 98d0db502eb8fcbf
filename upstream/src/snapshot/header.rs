//! The header of an item on one line, as people write it.

use super::alone::alone;
use super::fingerprint::tokens;
use super::item::{Item, ItemKind};
use super::outline::body;
use super::syntax::{AstNode, SyntaxNode, ast};

/// The longest value that is shown behind a constant's header, in characters.
const VALUE_MAX: usize = 60;

/// The header: `pub fn parse(text: &str) -> u8`, `pub struct Point<T>`, `impl<T: Clone> From<T> for Point<T>`.
///
/// Fields and variants are left out (they are parts), a short value of a constant is not. An item that
/// cannot be read alone has its name for a header.
pub fn header(item: &Item) -> String {
    if item.kind == ItemKind::Module {
        return module_header(item);
    }
    let Some(alone) = alone(item) else { return item.path.name().to_owned() };
    let node = alone.node;
    let is_value = item.kind == ItemKind::Const || item.kind == ItemKind::Static;
    let value = body(&node);
    let list = node.children().find(is_list);
    let whole = lined(&visibility_of(&node), &tokens(&node, None));
    let is_short = value.as_ref().is_some_and(|value| value.text().to_string().chars().count() <= VALUE_MAX);
    if is_value && is_short {
        return whole.trim_end_matches(';').to_owned();
    }
    let header = lined(&visibility_of(&node), &tokens(&node, value.as_ref().or(list.as_ref())));
    header.trim_end_matches([';', ' ', '=']).to_owned()
}

/// The `pub` of a node as written, with its space, or nothing.
pub(super) fn visibility_of(node: &SyntaxNode) -> String {
    let written = node.children().find_map(ast::Visibility::cast);
    written.map_or_else(String::new, |it| {
        let text: String = it.syntax().text().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{text} ")
    })
}

/// Token texts behind a lead as a line, spaced as `rustfmt` would where that is simple.
pub(super) fn lined(lead: &str, tokens: &[String]) -> String {
    let is_word =
        |text: &str| text.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"' || c == '\'');
    let spaced =
        |text: &str| matches!(text, "=" | "->" | "+" | "=>" | "as" | "where" | "for" | "==" | "<<" | "{");
    let mut line = lead.to_owned();
    let mut before = "";
    for token in tokens {
        let words = is_word(before) && is_word(token);
        let after_group = matches!(before, ")" | ">" | "]" | "}") && (is_word(token) || token == "&");
        let after_sign = matches!(before, "," | ":" | ";" | "dyn" | "impl" | "mut" | "in") || spaced(before);
        let quantifier = before == "for" && token == "<";
        let generics = before == "impl" && token == "<";
        let inside = before == "{" || token == "}";
        let after_lifetime = before.starts_with('\'') && matches!(token.as_str(), "[" | "(" | "&" | "*");
        let definition = before == "!" && line == "macro_rules!";
        let ends = matches!(token.as_str(), ")" | "]" | ">" | "," | ";" | ":");
        let signs = (after_sign || after_lifetime || definition) && !ends;
        let apart = words || after_group || signs || spaced(token) || inside;
        if !before.is_empty() && apart && !quantifier && !generics {
            line.push(' ');
        }
        line.push_str(token);
        before = token;
    }
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What holds parts, or items of their own.
fn is_list(node: &SyntaxNode) -> bool {
    let kind = node.kind();
    ast::AssocItemList::can_cast(kind)
        || ast::VariantList::can_cast(kind)
        || ast::RecordFieldList::can_cast(kind)
        || ast::TupleFieldList::can_cast(kind)
}

fn module_header(item: &Item) -> String {
    use super::item::Visibility;
    let visibility = match item.visibility {
        Visibility::Public => "pub ",
        Visibility::Crate => "pub(crate) ",
        Visibility::Super => "pub(super) ",
        Visibility::Within => "pub(in …) ",
        Visibility::Private => "",
    };
    let name = item.path.name();
    if item.path.parent().is_none() { format!("crate {name}") } else { format!("{visibility}mod {name}") }
}
