//! Wrong operators, literals, bounds and indices.

use tree_sitter::Node;

use super::super::source::{Source, children};
use super::Row;
use super::place::{Proposal, code};

pub(super) fn proposals(source: &Source<'_>, symbol: Node<'_>) -> Vec<Proposal> {
    let mut all = Vec::new();
    for node in code(symbol) {
        match node.kind() {
            "binary_operator" => binary(source, node, &mut all),
            "augmented_assignment" => augmented(source, node, &mut all),
            "comparison_operator" => comparison(source, node, &mut all),
            "boolean_operator" => boolean(source, node, &mut all),
            "not_operator" => {
                let inner = source.field(node, "argument");
                all.push(Proposal::wrong("negation-dropped", Row::Branch, node, format!("({inner})")));
            }
            "unary_operator" if source.field(node, "operator") == "-" => {
                let inner = source.field(node, "argument");
                all.push(Proposal::wrong("sign-dropped", Row::Arithmetic, node, inner));
            }
            "unary_operator" if source.field(node, "operator") == "~" => {
                let inner = source.field(node, "argument");
                all.push(Proposal::wrong("complement-dropped", Row::Arithmetic, node, inner));
            }
            "conditional_expression" => conditional(source, node, &mut all),
            "integer" => integer(source, node, &mut all),
            "float" => {
                let text = format!("({} + 0.001)", source.of(node));
                all.push(Proposal::wrong("other-float", Row::Constant, node, text));
            }
            "true" => all.push(Proposal::wrong("truth-turned", Row::Constant, node, "False")),
            "false" => all.push(Proposal::wrong("truth-turned", Row::Constant, node, "True")),
            "string" => string(source, node, &mut all),
            "subscript" => subscript(source, node, &mut all),
            "list_comprehension" => shared_rows(source, node, &mut all),
            _ => {}
        }
    }
    all
}

/// Both operands.
fn sides<'t>(source: &Source<'t>, node: Node<'_>) -> (&'t str, &'t str) {
    (source.field(node, "left"), source.field(node, "right"))
}

fn binary(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let (left, right) = sides(source, node);
    let Some(operator) = node.child_by_field_name("operator") else { return };
    let sign = source.of(operator);
    let is_text = |field: &str| {
        node.child_by_field_name(field)
            .is_some_and(|side| matches!(side.kind(), "string" | "concatenated_string" | "list"))
    };
    let of_texts = is_text("left") || is_text("right");
    let mut swap = |to: &str| {
        all.push(Proposal::wrong("other-operator", Row::Arithmetic, operator, to));
    };
    match sign {
        "+" if of_texts => {
            all.push(Proposal::wrong("operands-swapped", Row::Argument, node, format!("({right} + {left})")));
        }
        "+" => swap("-"),
        "-" => swap("+"),
        "*" if of_texts => {}
        "*" => swap("+"),
        "<<" => swap(">>"),
        ">>" => swap("<<"),
        "&" => swap("|"),
        "|" => swap("&"),
        "^" => swap("|"),
        "**" => swap("*"),
        _ => {}
    }
    let mut add = |operator, row, text: String| all.push(Proposal::wrong(operator, row, node, text));
    match sign {
        "//" => {
            add("truncation-for-floor", Row::Arithmetic, format!("int(({left}) / ({right}))"));
            add("true-division", Row::Number, format!("(({left}) / ({right}))"));
        }
        "/" => add("floor-for-true-division", Row::Number, format!("(({left}) // ({right}))")),
        "%" => {
            let text = format!("(abs({left}) % abs({right}) * (-1 if ({left}) < 0 else 1))");
            add("truncating-remainder", Row::Arithmetic, text);
            add("remainder-for-quotient", Row::Arithmetic, format!("(({left}) // ({right}))"));
            add("wrap-dropped", Row::Arithmetic, format!("({left})"));
        }
        "&" => add("mask-dropped", Row::Arithmetic, format!("({left})")),
        _ => {}
    }
    if matches!(sign, "-" | "/" | "//" | "%" | "<<" | ">>" | "**") {
        add("operands-swapped", Row::Argument, format!("(({right}) {sign} ({left}))"));
    }
}

fn augmented(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let Some(operator) = node.child_by_field_name("operator") else { return };
    let of_text = node
        .child_by_field_name("right")
        .is_some_and(|right| matches!(right.kind(), "string" | "concatenated_string" | "list" | "tuple"));
    let other = match source.of(operator) {
        "+=" if of_text => return,
        "+=" => "-=",
        "-=" | "*=" => "+=",
        "//=" => "/=",
        "/=" => "//=",
        "%=" => "//=",
        "<<=" => ">>=",
        ">>=" => "<<=",
        "|=" => "&=",
        "&=" | "^=" => "|=",
        _ => return,
    };
    all.push(Proposal::wrong("other-operator", Row::Arithmetic, operator, other));
}

fn comparison(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let parts = children(node);
    for (at, part) in parts.iter().enumerate() {
        let others: &[&str] = match source.of(*part) {
            "<" => &["<=", ">"],
            "<=" => &["<", ">="],
            ">" => &[">=", "<"],
            ">=" => &[">", "<="],
            "==" => &["!="],
            "!=" => &["=="],
            "in" => &["not in"],
            "not in" => &["in"],
            "is" => &["is not"],
            "is not" => &["is"],
            _ => continue,
        };
        if at % 2 == 1 {
            let proposal = |other: &&str| Proposal::wrong("other-comparison", Row::Comparison, *part, *other);
            all.extend(others.iter().map(proposal));
        }
    }
    if let [left, sign, right] = parts.as_slice()
        && right.kind() == "none"
    {
        let left = source.of(*left);
        let falsy = if source.of(*sign) == "is" { format!("(not {left})") } else { format!("({left})") };
        all.push(Proposal::wrong("none-as-falsy", Row::Option, node, falsy));
    }
}

fn boolean(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let (left, right) = sides(source, node);
    if let Some(operator) = node.child_by_field_name("operator") {
        let other = if source.of(operator) == "and" { "or" } else { "and" };
        all.push(Proposal::wrong("and-or", Row::Branch, operator, other));
    }
    for kept in [left, right] {
        all.push(Proposal::wrong("condition-dropped", Row::Branch, node, format!("({kept})")));
    }
}

fn conditional(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let mut cursor = node.walk();
    let parts: Vec<_> = node.named_children(&mut cursor).collect();
    let [body, condition, alternative] = parts.as_slice() else { return };
    for kept in [body, alternative] {
        let text = format!("({})", source.of(*kept));
        all.push(Proposal::wrong("alternative-dropped", Row::Branch, node, text));
    }
    // `x if x is not None else y`, as many write it.
    if source.of(*condition).contains("is not None") {
        let text = format!("({} or {})", source.of(*body), source.of(*alternative));
        all.push(Proposal::wrong("or-for-none", Row::Option, node, text));
    }
}

fn integer(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let text = source.of(node);
    all.push(Proposal::wrong("one-more", Row::OffByOne, node, format!("({text} + 1)")));
    all.push(Proposal::wrong("one-less", Row::OffByOne, node, format!("({text} - 1)")));
}

fn string(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let text = source.of(node);
    let is_plain = text.starts_with(['"', '\'']) && !text.starts_with("\"\"\"");
    let is_raw = text.starts_with('r');
    if !is_plain && !is_raw {
        return;
    }
    let quote = if text.ends_with('"') { '"' } else { '\'' };
    let inner = text.trim_start_matches('r').trim_matches(quote);
    let other = if inner.is_empty() { "\"x\"".to_owned() } else { "\"\"".to_owned() };
    all.push(Proposal::wrong("other-text", Row::Constant, node, other));
    if inner.contains('\\') && is_plain {
        return;
    }
    let again = |inner: String| format!("{}{quote}{inner}{quote}", if is_raw { "r" } else { "" });
    let mut shorter = inner.to_owned();
    if inner.chars().count() > 1 && shorter.pop().is_some() && !is_raw {
        all.push(Proposal::wrong("shorter-text", Row::Constant, node, again(shorter)));
    }
    let turned: String = inner
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    if !is_raw {
        all.push(Proposal::wrong("other-case", Row::TextRule, node, again(turned)));
    }
    if inner.contains("[0-9]") {
        all.push(Proposal::wrong(
            "unicode-digits",
            Row::TextRule,
            node,
            format!("r{quote}{}{quote}", inner.replace("[0-9]", r"\d")),
        ));
    }
    if inner.ends_with(r"\Z") {
        let loose = inner.replace(r"\Z", "$");
        all.push(Proposal::wrong("dollar-for-end", Row::TextRule, node, format!("r{quote}{loose}{quote}")));
    }
}

fn subscript(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let Some(index) = node.child_by_field_name("subscript") else { return };
    let value = source.field(node, "value");
    if index.kind() == "slice" {
        slice(source, node, index, value, all);
        return;
    }
    if index.kind() == "string" {
        return;
    }
    let text = source.of(index);
    if index.kind() != "integer" {
        all.push(Proposal::wrong("next-index", Row::OffByOne, index, format!("({text}) + 1")));
        all.push(Proposal::wrong("last-index", Row::OffByOne, index, format!("({text}) - 1")));
    }
}

fn slice(source: &Source<'_>, node: Node<'_>, index: Node<'_>, value: &str, all: &mut Vec<Proposal>) {
    let mut bounds: Vec<String> = vec![String::new()];
    for part in children(index) {
        if part.kind() == ":" {
            bounds.push(String::new());
        } else if let Some(bound) = bounds.last_mut() {
            bound.push_str(source.of(part));
        }
    }
    if bounds.iter().all(String::is_empty) {
        all.push(Proposal::wrong("copy-dropped", Row::Aliasing, node, value));
        return;
    }
    let mut add = |operator, row, bounds: &[String]| {
        all.push(Proposal::wrong(operator, row, index, bounds.join(":")));
    };
    for at in 0..bounds.len() {
        let Some(bound) = bounds.get(at).cloned() else { continue };
        let mut with = |text: String, operator, row| {
            let mut changed = bounds.clone();
            if let Some(slot) = changed.get_mut(at) {
                *slot = text;
            }
            add(operator, row, &changed);
        };
        if bound.is_empty() {
            if at == 0 {
                with("1".to_owned(), "bound-added", Row::Slice);
            } else if at == 1 {
                with("-1".to_owned(), "bound-added", Row::Slice);
            }
        } else {
            with(String::new(), "bound-dropped", Row::Slice);
            if at < 2 {
                with(format!("({bound}) + 1"), "bound-moved", Row::Slice);
                with(format!("({bound}) - 1"), "bound-moved", Row::Slice);
            }
        }
    }
}

/// `[[0] * n for _ in range(m)]` as `[[0] * n] * m`: all rows are one.
fn shared_rows(source: &Source<'_>, node: Node<'_>, all: &mut Vec<Proposal>) {
    let body = node.child_by_field_name("body");
    let is_row = body.is_some_and(|body| matches!(body.kind(), "binary_operator" | "list"));
    let mut cursor = node.walk();
    let clause = node.named_children(&mut cursor).find(|child| child.kind() == "for_in_clause");
    let (Some(body), Some(clause)) = (body.filter(|_| is_row), clause) else { return };
    let length = clause
        .child_by_field_name("right")
        .filter(|right| right.kind() == "call" && source.field(*right, "function") == "range");
    let is_unused = source.field(clause, "left") == "_";
    if let Some(length) = length.filter(|_| is_unused) {
        let text = format!("[{}] * len({})", source.of(body), source.of(length));
        all.push(Proposal::wrong("rows-shared", Row::Aliasing, node, text));
    }
}
