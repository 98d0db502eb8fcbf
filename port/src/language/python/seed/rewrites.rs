//! Rewrites of names, conditions and expressions that mean the same.
//!
//! Only what means the same for every value is here: a comparison is turned round, never a sum, for texts and
//! floats have their own opinion about order.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::super::source::{Source, children, descendants, statements};
use super::place::{Edit, Proposal, begins_line, code, is_name, names};

/// Functions without an effect that may be reordered.
const PURE: &[&str] =
    &["len", "list", "dict", "range", "min", "max", "set", "str", "abs", "tuple", "ord", "chr"];

pub(super) fn proposals(source: &Source<'_>, symbol: Node<'_>) -> Vec<Proposal> {
    let mut all = Vec::new();
    if symbol.kind() == "function_definition" {
        renamed(source, symbol, &mut all);
        without_documentation(symbol, &mut all);
    }
    for node in code(symbol) {
        match node.kind() {
            "comparison_operator" => turned(source, node, &mut all),
            "integer" => split_integer(source, node, &mut all),
            "conditional_expression" => inverted_expression(source, node, &mut all),
            "augmented_assignment" => written_out(source, node, &mut all),
            "if_statement" | "while_statement" => condition(source, node, &mut all),
            "block" => swapped(source, node, &mut all),
            "string" => joined(source, node, &mut all),
            _ => {}
        }
    }
    all
}

/// Names that the function itself binds, parameters left out.
fn locals<'t>(source: &Source<'t>, function: Node<'_>) -> BTreeSet<&'t str> {
    let mut bound = BTreeSet::new();
    let mut outer = BTreeSet::new();
    for node in descendants(function) {
        match node.kind() {
            "assignment" | "augmented_assignment" | "for_statement" | "for_in_clause" => {
                if let Some(left) = node.child_by_field_name("left") {
                    let names =
                        descendants(left).filter(|inner| inner.kind() == "identifier" && is_name(*inner));
                    // In `a[i] = x` and `a.b = x` no name is bound.
                    let is_bound = |inner: &Node<'_>| {
                        inner
                            .parent()
                            .is_none_or(|parent| !matches!(parent.kind(), "subscript" | "attribute"))
                    };
                    bound.extend(names.filter(is_bound).map(|inner| source.of(inner)));
                }
            }
            "global_statement" | "nonlocal_statement" => outer.extend(names(source, node)),
            "function_definition" | "lambda" | "class_definition" if node != function => {
                // Parameters of inner functions may have the same names.
                outer.extend(names(source, node));
            }
            _ => {}
        }
    }
    if let Some(parameters) = function.child_by_field_name("parameters") {
        outer.extend(names(source, parameters));
    }
    bound.into_iter().filter(|name| !outer.contains(name) && *name != "_").collect()
}

fn renamed(source: &Source<'_>, function: Node<'_>, all: &mut Vec<Proposal>) {
    for local in locals(source, function) {
        let uses = descendants(function).filter(|node| is_name(*node) && source.of(*node) == local);
        let edits: Vec<_> = uses.map(|node| Edit::of(node, format!("{local}_renamed"))).collect();
        all.push(Proposal::same("local-renamed", edits));
    }
}

fn without_documentation(function: Node<'_>, all: &mut Vec<Proposal>) {
    let Some(body) = function.child_by_field_name("body") else { return };
    let first = statements(body).first().copied();
    if let Some(text) = first.filter(|node| super::place::is_documentation(*node)) {
        all.push(Proposal::same("documentation-dropped", vec![Edit::of(text, "pass")]));
    }
}

fn turned(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let parts = children(node);
    let [left, sign, right] = parts.as_slice() else { return };
    let (left, sign, right) = (source.of(*left), source.of(*sign), source.of(*right));
    let mirror = match sign {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        "==" => "==",
        "!=" => "!=",
        _ => "",
    };
    if !mirror.is_empty() && !has_effect(node, source) {
        let text = format!("(({right}) {mirror} ({left}))");
        all.push(Proposal::same("comparison-turned", vec![Edit::of(node, text)]));
    }
    let negated = match sign {
        "==" => format!("(not ({left}) != ({right}))"),
        "!=" => format!("(not ({left}) == ({right}))"),
        "in" => format!("(not ({left}) not in ({right}))"),
        "not in" => format!("(not ({left}) in ({right}))"),
        "is" => format!("(not ({left}) is not ({right}))"),
        "is not" => format!("(not ({left}) is ({right}))"),
        _ => return,
    };
    all.push(Proposal::same("comparison-negated", vec![Edit::of(node, negated)]));
}

/// Whether evaluating a node may do something beside giving a value.
fn has_effect(node: Node<'_>, source: &Source<'_>) -> bool {
    descendants(node).any(|inner| {
        let is_call = inner.kind() == "call" && !PURE.contains(&source.field(inner, "function"));
        is_call || matches!(inner.kind(), "named_expression" | "await" | "yield")
    })
}

fn split_integer(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let Ok(number) = source.of(node).parse::<i64>() else { return };
    if number >= 2 {
        let text = format!("({} + 1)", number - 1);
        all.push(Proposal::same("integer-split", vec![Edit::of(node, text)]));
    }
}

fn inverted_expression(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let mut cursor = node.walk();
    let parts: Vec<_> = node.named_children(&mut cursor).map(|part| source.of(part)).collect();
    let [body, condition, alternative] = parts.as_slice() else { return };
    let text = format!("({alternative} if not ({condition}) else {body})");
    all.push(Proposal::same("alternatives-inverted", vec![Edit::of(node, text)]));
}

/// `a += 1` as `a = a + 1`, which differs for what can be changed in place: only with a plain number or text.
fn written_out(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
    else {
        return;
    };
    let is_plain = left.kind() == "identifier" && matches!(right.kind(), "integer" | "float" | "string");
    let sign = source.field(node, "operator").trim_end_matches('=').to_owned();
    if is_plain {
        let (left, right) = (source.of(left), source.of(right));
        let text = format!("{left} = {left} {sign} {right}");
        all.push(Proposal::same("assignment-written-out", vec![Edit::of(node, text)]));
    }
}

fn condition(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let Some(condition) = node.child_by_field_name("condition") else { return };
    let text = source.of(condition);
    if descendants(condition).any(|inner| inner.kind() == "named_expression") {
        return;
    }
    let doubled = Edit::of(condition, format!("not (not ({text}))"));
    all.push(Proposal::same("condition-doubly-negated", vec![doubled]));
    if condition.kind() == "boolean_operator" {
        let (left, right) = (source.field(condition, "left"), source.field(condition, "right"));
        let other = if source.field(condition, "operator") == "and" { "or" } else { "and" };
        let edit = Edit::of(condition, format!("not (not ({left}) {other} not ({right}))"));
        all.push(Proposal::same("de-morgan", vec![edit]));
    }
}

/// Two assignments, one behind the other, of which neither needs the other.
fn swapped(source: &Source<'_>, block: Node<'_>, all: &mut Vec<Proposal>) {
    let inside = statements(block);
    for pair in inside.windows(2) {
        let [one, other] = pair else { continue };
        let parts = |statement: Node<'_>| -> Option<(BTreeSet<String>, BTreeSet<String>)> {
            let inner = statement.named_child(0).filter(|inner| inner.kind() == "assignment")?;
            let left = inner.child_by_field_name("left")?;
            let is_plain = matches!(left.kind(), "identifier" | "pattern_list");
            let right = inner.child_by_field_name("right")?;
            if !is_plain
                || has_effect(inner, source)
                || descendants(right).any(|node| node.kind() == "subscript")
            {
                return None;
            }
            let owned = |node| names(source, node).into_iter().map(str::to_owned).collect();
            Some((owned(left), owned(inner)))
        };
        let (Some((bound, used)), Some((other_bound, other_used))) = (parts(*one), parts(*other)) else {
            continue;
        };
        let is_free = bound.is_disjoint(&other_used) && other_bound.is_disjoint(&used);
        if is_free && begins_line(source, *one) && begins_line(source, *other) {
            let edits = vec![Edit::of(*one, source.of(*other)), Edit::of(*other, source.of(*one))];
            all.push(Proposal::same("statements-swapped", edits));
        }
    }
}

/// `"abc"` as two literals that Python joins; not where it is raw, formatted, over lines or documentation.
fn joined(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let text = source.of(node);
    let is_plain = text.starts_with('"') && !text.starts_with("\"\"\"") && !text.contains('\\');
    let inner = text.trim_matches('"');
    let is_joined = node.parent().is_some_and(|parent| parent.kind() == "concatenated_string");
    if is_plain && !is_joined && inner.chars().count() >= 2 {
        let first: String = inner.chars().take(1).collect();
        let rest: String = inner.chars().skip(1).collect();
        let edit = Edit::of(node, format!("(\"{first}\" \"{rest}\")"));
        all.push(Proposal::same("text-split", vec![edit]));
    }
}
