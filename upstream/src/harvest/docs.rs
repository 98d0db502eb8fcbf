//! Examples in documentation.

use super::Harvest;
use super::walk::Walk;
use crate::snapshot::Item;
use crate::snapshot::syntax::{AstNode, ast, edition, parse_file};

/// The most examples of one item.
const EXAMPLES_MAX: usize = 200;

/// Adds the calls of an item's examples.
pub(super) fn calls(item: &Item, harvest: &mut Harvest) {
    let mut examples = examples(&item.docs);
    harvest.left_out += examples.len().saturating_sub(EXAMPLES_MAX);
    examples.truncate(EXAMPLES_MAX);
    let first_line =
        item.line.saturating_sub(u32::try_from(item.docs.lines().count()).unwrap_or_default()).max(1);
    for example in examples {
        let has_main = example.code.contains("fn main(");
        // The wrapper stands on the example's own first line, so that lines agree.
        let text = if has_main { example.code } else { format!("fn main() {{ {}\n}}", example.code) };
        let Ok(parsed) = parse_file(&text, edition("2021")) else { continue };
        if parsed.complaint.is_some() {
            continue;
        }
        let mut walk =
            Walk::new(&item.file, &text, parsed.file.syntax(), harvest).below(first_line + example.line - 1);
        for function in parsed.file.syntax().children().filter(|node| ast::Fn::can_cast(node.kind())) {
            walk.item(&function);
        }
    }
}

/// The code of every example in documentation that is Rust and meant to work.
pub(crate) fn doc_tests(docs: &str) -> Vec<String> {
    examples(docs).into_iter().map(|example| example.code).collect()
}

struct Example {
    code: String,
    /// The line of its first line of code in the documentation, from 0.
    line: u32,
}

/// Fenced blocks that are Rust and meant to work.
fn examples(docs: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut open: Option<(&str, bool, Example)> = None;
    for (number, line) in docs.lines().enumerate() {
        let trimmed = line.trim();
        if let Some((fence, wanted, mut example)) = open.take() {
            if trimmed.starts_with(fence) && trimmed.trim_start_matches(['`', '~']).is_empty() {
                found.extend(wanted.then_some(example));
                continue;
            }
            example.code.push_str(shown_or_hidden(line));
            example.code.push('\n');
            open = Some((fence, wanted, example));
        } else if let Some(fence) = ["```", "~~~"].into_iter().find(|fence| trimmed.starts_with(fence)) {
            let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
            let info = trimmed.trim_start_matches(['`', '~']);
            open = Some((fence, is_rust(info), Example { code: String::new(), line }));
        }
    }
    found
}

/// Lines that rustdoc hides begin with `# `; they are code all the same.
fn shown_or_hidden(line: &str) -> &str {
    let code = line.trim_start();
    match code.strip_prefix("# ") {
        Some(hidden) => hidden,
        None if code == "#" => "",
        None => code.strip_prefix("##").map_or(line, |_| code.get(1..).unwrap_or_default()),
    }
}

fn is_rust(info: &str) -> bool {
    let words =
        ["rust", "should_panic", "no_run", "edition2015", "edition2018", "edition2021", "edition2024"];
    info.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()).all(|word| words.contains(&word))
}
