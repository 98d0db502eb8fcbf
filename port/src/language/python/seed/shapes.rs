//! Rewrites of statements that mean the same: loops, branches, returns in another shape.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::super::source::{Source, descendants, statements};
use super::place::{Edit, Proposal, begins_line, code, deeper, indent_of, names};

/// The indentation of one level more.
const MORE: &str = "    ";

pub(super) fn proposals(source: &Source<'_>, symbol: Node<'_>) -> Vec<Proposal> {
    let mut all = Vec::new();
    for node in code(symbol).into_iter().filter(|node| begins_line(source, *node)) {
        let made = match node.kind() {
            "if_statement" => {
                all.extend(else_behind_return(source, node));
                inverted(source, node)
            }
            "for_statement" => stepped(source, node),
            "while_statement" => endless(source, node),
            "return_statement" => {
                all.extend(collected(source, node, node.named_child(0), "result_ = ", "return result_"));
                extracted(source, node)
            }
            "expression_statement" => assigned_list(source, node),
            _ => None,
        };
        all.extend(made);
    }
    all
}

fn same(operator: &'static str, node: Node<'_>, text: String) -> Proposal {
    Proposal::same(operator, vec![Edit::of(node, text)])
}

/// `if a: X else: Y` as `if not (a): Y else: X`.
fn inverted(source: &Source<'_>, node: Node<'_>) -> Option<Proposal> {
    let mut cursor = node.walk();
    let alternatives: Vec<_> = node.children_by_field_name("alternative", &mut cursor).collect();
    let [alternative] = alternatives.as_slice() else { return None };
    let otherwise =
        alternative.child_by_field_name("body").filter(|_| alternative.kind() == "else_clause")?;
    let then = node.child_by_field_name("consequence")?;
    let condition = node.child_by_field_name("condition")?;
    let on_lines =
        |block: Node<'_>| statements(block).first().is_some_and(|first| begins_line(source, *first));
    if !on_lines(then) || !on_lines(otherwise) {
        return None;
    }
    let edits = vec![
        Edit::of(condition, format!("not ({})", source.of(condition))),
        Edit::of(then, source.of(otherwise)),
        Edit::of(otherwise, source.of(then)),
    ];
    Some(Proposal::same("branches-inverted", edits))
}

/// What stands behind an `if` that leaves, as its `else`.
fn else_behind_return(source: &Source<'_>, node: Node<'_>) -> Option<Proposal> {
    let mut cursor = node.walk();
    if node.children_by_field_name("alternative", &mut cursor).next().is_some() {
        return None;
    }
    let then = node.child_by_field_name("consequence")?;
    let last = statements(then).last().copied()?;
    let leaves = matches!(
        last.kind(),
        "return_statement" | "raise_statement" | "continue_statement" | "break_statement"
    );
    let block = node.parent().filter(|_| leaves)?;
    let behind: Vec<_> =
        statements(block).into_iter().filter(|other| other.start_byte() >= node.end_byte()).collect();
    let (first, end) = (behind.first()?, behind.last()?.end_byte());
    if block.kind() != "block" || !begins_line(source, *first) {
        return None;
    }
    let has_long_text = behind.iter().any(|statement| deeper(source, *statement, MORE).is_none());
    if has_long_text {
        return None;
    }
    let indent = indent_of(source, node);
    let text = source.text.get(first.start_byte()..end)?.replace('\n', &format!("\n{MORE}"));
    let edit = Edit { at: first.start_byte()..end, text: format!("else:\n{indent}{MORE}{text}") };
    Some(Proposal::same("else-added", vec![edit]))
}

/// `for x in e:` as a loop over an iterator that is asked by hand.
fn stepped(source: &Source<'_>, node: Node<'_>) -> Option<Proposal> {
    if node.child_by_field_name("alternative").is_some() || source.of(node).starts_with("async") {
        return None;
    }
    let (left, right) = (source.field(node, "left"), source.field(node, "right"));
    let body = node.child_by_field_name("body")?;
    let body = statements(body).first().is_some_and(|first| begins_line(source, *first)).then_some(body)?;
    let indent = indent_of(source, node);
    // Loops inside loops need iterators of their own.
    let name = format!("steps_{}", node.start_byte());
    let text = format!(
        "{name} = iter(({right}))\n{indent}while True:\n{indent}{MORE}try:\n{indent}{MORE}{MORE}{left} = next({name})\n\
         {indent}{MORE}except StopIteration:\n{indent}{MORE}{MORE}break\n{indent}{MORE}{}",
        source.of(body)
    );
    Some(same("for-as-while", node, text))
}

/// `while c:` as `while True:` with a way out.
fn endless(source: &Source<'_>, node: Node<'_>) -> Option<Proposal> {
    if node.child_by_field_name("alternative").is_some() {
        return None;
    }
    let condition = source.field(node, "condition");
    let body = node.child_by_field_name("body")?;
    let first = statements(body).first().copied()?;
    if !begins_line(source, first) {
        return None;
    }
    let inner = indent_of(source, first);
    let text =
        format!("while True:\n{inner}if not ({condition}):\n{inner}{MORE}break\n{inner}{}", source.of(body));
    Some(same("while-true", node, text))
}

fn extracted(source: &Source<'_>, node: Node<'_>) -> Option<Proposal> {
    let value = node.named_child(0)?;
    if matches!(value.kind(), "identifier" | "none" | "integer" | "true" | "false") {
        return None;
    }
    let indent = indent_of(source, node);
    let text = format!("result_ = ({})\n{indent}return result_", source.of(value));
    Some(same("temporary-extracted", node, text))
}

/// `x = [e for v in i if c]` as a loop.
fn assigned_list(source: &Source<'_>, node: Node<'_>) -> Option<Proposal> {
    let assignment = node.named_child(0).filter(|inner| inner.kind() == "assignment")?;
    let left = assignment.child_by_field_name("left").filter(|left| left.kind() == "identifier")?;
    let behind = format!("{} = result_", source.of(left));
    collected(source, node, assignment.child_by_field_name("right"), "result_ = ", &behind)
}

/// A list comprehension with one loop as that loop. Its names must mean nothing else in the function.
fn collected(
    source: &Source<'_>,
    node: Node<'_>,
    value: Option<Node<'_>>,
    before: &str,
    behind: &str,
) -> Option<Proposal> {
    let list = value.filter(|value| value.kind() == "list_comprehension")?;
    let mut cursor = list.walk();
    let clauses: Vec<_> = list.named_children(&mut cursor).skip(1).collect();
    let (loops, conditions): (Vec<Node<'_>>, Vec<Node<'_>>) =
        clauses.into_iter().partition(|clause| clause.kind() == "for_in_clause");
    let [only] = loops.as_slice() else { return None };
    let variable = only.child_by_field_name("left")?;
    let inside: BTreeSet<&str> = names(source, variable).into_iter().collect();
    let function = std::iter::successors(Some(node), Node::parent)
        .find(|outer| outer.kind() == "function_definition")?;
    let is_used_outside = descendants(function).any(|other| {
        let is_inside = list.start_byte() <= other.start_byte() && other.end_byte() <= list.end_byte();
        other.kind() == "identifier" && !is_inside && inside.contains(source.of(other))
    });
    let body = source.field(list, "body");
    if is_used_outside || body.contains('\n') {
        return None;
    }
    let indent = indent_of(source, node);
    let mut level = format!("{indent}{MORE}");
    let mut text =
        format!("{before}[]\n{indent}for {} in {}:", source.of(variable), source.field(*only, "right"));
    for condition in &conditions {
        let condition = condition.named_child(0).map(|inner| source.of(inner))?;
        text.extend(["\n", &level, "if ", condition, ":"]);
        level.push_str(MORE);
    }
    text.extend(["\n", &level, "result_.append(", body, ")\n", indent, behind]);
    Some(same("comprehension-as-loop", node, text))
}
