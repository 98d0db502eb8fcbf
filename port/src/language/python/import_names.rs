//! Names put into a `from … import` statement that a file has already, where the file's own style is one statement for a
//! module.

use std::collections::BTreeSet;
use std::ops::Range;

use tree_sitter::Node;

use super::imports::leading;
use super::source::{Source, children, descendants};
use super::symbols::{line_after, line_before};

/// The longest line that names are put into; a longer one becomes one name a line.
const COLUMNS_MAX: usize = 88;

/// A statement that only says plain names of one module.
struct Plain<'t> {
    module: &'t str,
    names: Vec<&'t str>,
    span: Range<usize>,
}

/// The text with more names in the statement of a module; `None` where it has no such statement, or where the file
/// gives each name a statement of its own.
pub(super) fn put_in(text: &str, source: &Source<'_>, module: &str, more: &[String]) -> Option<String> {
    let plain: Vec<Plain<'_>> = leading(source).into_iter().filter_map(|node| plain(source, node)).collect();
    let modules: BTreeSet<&str> = plain.iter().map(|statement| statement.module).collect();
    if modules.len() < plain.len() {
        return None;
    }
    let there = plain.into_iter().find(|statement| statement.module == module)?;
    let statement = text.get(there.span.clone())?;
    let names = with(&there.names, more);
    let line = format!("from {module} import {}", names.join(", "));
    let eol = super::splice::eol(text);
    let new = if statement.contains('\n') || line.chars().count() > COLUMNS_MAX {
        let lines: String = names.iter().flat_map(|name| ["    ", name.as_str(), ",", eol]).collect();
        format!("from {module} import ({eol}{lines})")
    } else {
        line
    };
    let (head, tail) = (text.get(..there.span.start)?, text.get(there.span.end..)?);
    Some(format!("{head}{new}{tail}"))
}

/// A statement alone on its lines, without aliases, a star or comments: anything else is left as a person wrote it.
fn plain<'t>(source: &Source<'t>, statement: Node<'_>) -> Option<Plain<'t>> {
    let span = statement.byte_range();
    let around = [line_before(source.text, span.start), line_after(source.text, span.end)];
    let has_more =
        children(statement).iter().any(|child| matches!(child.kind(), "aliased_import" | "wildcard_import"))
            || descendants(statement).any(|node| node.kind() == "comment");
    if statement.kind() != "import_from_statement"
        || has_more
        || around.iter().any(|more| !more.trim().is_empty())
    {
        return None;
    }
    let mut cursor = statement.walk();
    let names = statement.children_by_field_name("name", &mut cursor).map(|name| source.of(name)).collect();
    Some(Plain { module: source.field(statement, "module_name"), names, span })
}

/// What names of an import may be sorted by.
type Order = fn(&String) -> (u8, String);

/// All names, in the order that those that are there have; behind them where they have none.
fn with(there: &[&str], more: &[String]) -> Vec<String> {
    let mut names: Vec<String> = there.iter().map(|name| (*name).to_owned()).collect();
    let orders: [Order; 3] =
        [|name| (kind(name), name.clone()), |name| (0, name.clone()), |name| (0, name.to_lowercase())];
    let order = orders.into_iter().find(|order| names.is_sorted_by_key(order));
    names.extend(more.iter().cloned());
    if let Some(order) = order {
        names.sort_by_key(order);
    }
    names
}

/// Constants before classes before the rest, as formatters of imports sort by default.
fn kind(name: &str) -> u8 {
    let is_upper = |c: char| c.is_uppercase();
    if name.chars().count() > 1 && !name.chars().any(char::is_lowercase) && name.contains(is_upper) {
        0
    } else if name.starts_with(is_upper) {
        1
    } else {
        2
    }
}
