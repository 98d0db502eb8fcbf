//! Wrong statements: branches and statements that are lost, errors that change, state that outlives a call.

use tree_sitter::Node;

use super::super::source::Source;
use super::place::{Edit, Proposal, body_of, code};
use super::{Row, Surroundings};

pub(super) fn proposals(source: &Source<'_>, symbol: Node<'_>, around: &Surroundings<'_>) -> Vec<Proposal> {
    let mut all = Vec::new();
    for node in code(symbol) {
        match node.kind() {
            "if_statement" => branch(source, node, &mut all),
            "elif_clause" => all.push(Proposal::wrong("branch-dropped", Row::Branch, node, "")),
            "else_clause" => all.push(Proposal::wrong("branch-dropped", Row::Branch, node, "")),
            "while_statement" => {
                if let Some(condition) = node.child_by_field_name("condition") {
                    all.push(Proposal::wrong("loop-dropped", Row::Branch, condition, "False"));
                }
            }
            "break_statement" | "continue_statement" => {
                all.push(Proposal::wrong("jump-dropped", Row::Branch, node, "pass"));
            }
            "raise_statement" => raised(source, node, around, &mut all),
            "return_statement" => returned(source, node, &mut all),
            "expression_statement" => statement(node, &mut all),
            _ => {}
        }
    }
    if symbol.kind() == "function_definition" {
        kept_between_calls(source, symbol, &mut all);
        neighbour_bodies(source, symbol, around, &mut all);
    }
    all
}

fn branch(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let Some(condition) = node.child_by_field_name("condition") else { return };
    for truth in ["True", "False"] {
        all.push(Proposal::wrong("condition-forced", Row::Branch, condition, truth));
    }
    if condition.kind() == "not_operator" {
        let inner = source.field(condition, "argument");
        all.push(Proposal::wrong("falsy-as-none", Row::Option, condition, format!("{inner} is None")));
    }
    if condition.kind() == "identifier" {
        let text = format!("{} is not None", source.of(condition));
        all.push(Proposal::wrong("falsy-as-none", Row::Option, condition, text));
    }
}

/// Statements that do something: assignments of local names are left alone, for what uses them would fail.
fn statement(node: Node<'_>, all: &mut Vec<Proposal>) {
    let Some(inner) = node.named_child(0) else { return };
    let does = match inner.kind() {
        "call" | "augmented_assignment" => true,
        "assignment" => inner
            .child_by_field_name("left")
            .is_some_and(|left| matches!(left.kind(), "subscript" | "attribute")),
        _ => false,
    };
    if does {
        all.push(Proposal::wrong("statement-dropped", Row::Branch, node, "pass"));
    }
    // The second assignment of a name, which something else uses before.
    let is_plain = inner.kind() == "assignment"
        && inner.child_by_field_name("left").is_some_and(|left| left.kind() == "identifier");
    let is_nested = node
        .parent()
        .and_then(|block| block.parent())
        .is_some_and(|outer| !matches!(outer.kind(), "function_definition" | "module" | "class_definition"));
    if is_plain && is_nested {
        all.push(Proposal::wrong("statement-dropped", Row::Branch, node, "pass"));
    }
}

fn raised(source: &Source<'_>, node: Node<'_>, around: &Surroundings<'_>, all: &mut Vec<Proposal>) {
    all.push(Proposal::wrong("error-as-none", Row::Error, node, "return None"));
    let Some(error) = node.named_child(0) else { return };
    let class = if error.kind() == "call" { source.field(error, "function") } else { source.of(error) };
    let known = around.exceptions.iter().map(String::as_str);
    for other in known.chain(["ValueError", "TypeError"]).filter(|other| *other != class).take(3) {
        all.push(Proposal::wrong("other-class", Row::Error, node, format!("raise {other}(\"wrong\")")));
    }
}

fn returned(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let Some(value) = node.named_child(0) else { return };
    let text = source.of(value);
    if value.kind() == "none" {
        for other in ["0", "\"\"", "[]"] {
            all.push(Proposal::wrong("empty-for-none", Row::Option, value, other));
        }
        return;
    }
    all.push(Proposal::wrong("none-returned", Row::Option, value, "None"));
    // What is never empty or zero would stay as it is.
    let may_be_falsy = !matches!(value.kind(), "string" | "float" | "tuple" | "concatenated_string");
    if may_be_falsy {
        all.push(Proposal::wrong("falsy-to-none", Row::Option, value, format!("({text}) or None")));
    }
}

/// A local list or dictionary as a default argument: made once, and shared by all calls.
fn kept_between_calls(source: &Source<'_>, function: Node<'_>, all: &mut Vec<Proposal>) {
    let Some(parameters) = function.child_by_field_name("parameters") else { return };
    let text = source.of(parameters);
    if text.contains('*') {
        return;
    }
    for statement in body_of(function) {
        let Some(assignment) = statement.named_child(0).filter(|inner| inner.kind() == "assignment") else {
            continue;
        };
        let (Some(name), Some(value)) =
            (assignment.child_by_field_name("left"), assignment.child_by_field_name("right"))
        else {
            continue;
        };
        let is_empty =
            matches!(source.of(value), "[]" | "{}" | "set()" | "bytearray()" | "list()" | "dict()");
        if name.kind() != "identifier" || !is_empty {
            continue;
        }
        let open = text.trim_end_matches(')').trim_end().trim_end_matches(',');
        let comma = if open == "(" { "" } else { ", " };
        let default = format!("{open}{comma}{}={})", source.of(name), source.of(value));
        let edits = vec![Edit::of(parameters, default), Edit::of(statement, "pass")];
        all.push(Proposal { operator: "default-kept", row: Some(Row::Aliasing), edits });
    }
}

/// The whole function as a call of a neighbour with as many parameters.
fn neighbour_bodies(
    source: &Source<'_>,
    function: Node<'_>,
    around: &Surroundings<'_>,
    all: &mut Vec<Proposal>,
) {
    let own = source.field(function, "name");
    let Some((_, arity)) = around.functions.iter().find(|(name, _)| name == own) else { return };
    let Some(parameters) = function.child_by_field_name("parameters") else { return };
    let mut cursor = parameters.walk();
    let names: Option<Vec<&str>> = parameters
        .named_children(&mut cursor)
        .map(|parameter| match parameter.kind() {
            "identifier" => Some(source.of(parameter)),
            "typed_parameter" => parameter.named_child(0).map(|name| source.of(name)),
            _ => None,
        })
        .collect();
    let (Some(names), Some(first)) = (names, body_of(function).first().copied()) else { return };
    let others = around.functions.iter().filter(|(name, count)| name != own && count == arity);
    for (other, _) in others.take(4) {
        let text = format!("return {other}({})", names.join(", "));
        // What stands behind the new return is never run.
        let indent = super::place::indent_of(source, first);
        let edit = Edit { at: first.start_byte()..first.start_byte(), text: format!("{text}\n{indent}") };
        all.push(Proposal { operator: "neighbour-body", row: Some(Row::Substitution), edits: vec![edit] });
    }
}
