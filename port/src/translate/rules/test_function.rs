//! A unit test that consists of plain assertions about calls with literal arguments.
//!
//! A changed test is followed only where the port's test is, statement by statement, what this rule would
//! have written for the old one: then nothing of a person's is lost. A new one is written in the style of a
//! test beside it.

use upstream::{Item, ItemChange, ItemKind};

use super::python::{PythonKind, PythonToken, docstring, scan};
use super::test_assertion::{Assertion, Calls, Style, StyleKind, assertions};
use super::value::Value;
use super::{MemberView, Refusal, Rule, code_tokens, spliced};
use crate::edit::{Edit, InsertPlace};
use crate::translate::SymbolContext;

/// Follows a unit test.
#[derive(Debug)]
pub(super) struct TestFunction;

impl Rule for TestFunction {
    fn name(&self) -> &'static str {
        "test"
    }

    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal> {
        match &view.member.change {
            ItemChange::Added { after } => added(view, after),
            ItemChange::Modified { before, after, .. } => modified(view, before, after),
            ItemChange::Removed { .. } | ItemChange::Relocated { .. } => {
                Refusal::because("the test is neither new nor changed in place")
            }
        }
    }
}

fn added(view: MemberView<'_>, after: &Item) -> Result<Vec<Edit>, Refusal> {
    view.absent()?;
    let symbol = view.member.symbol.clone();
    let statements = test_statements(after)?;
    let fits = |other: &&SymbolContext| {
        other.file == view.member.file && other.symbol.parent() == symbol.parent() && other.text.is_some()
    };
    let beside = view.others().filter(fits).filter_map(|other| {
        let text = other.text.as_deref()?;
        let test = PythonTest::of(text).ok()?;
        Some((other, test.style))
    });
    let Some((beside, style)) = beside.last() else {
        return Refusal::because("no test beside it shows the style");
    };
    if !symbol.name().starts_with("test") {
        return Refusal::because("the symbol's name is not that of a test");
    }
    let calls = Calls::of(view)?;
    let receiver = match style.kind {
        StyleKind::Unittest => "self",
        StyleKind::Pytest => "",
    };
    let mut lines = vec![format!("def {}({receiver}):", symbol.name())];
    for statement in &statements {
        lines.push(format!("    {}", statement.python(style, &calls)?));
    }
    let place = InsertPlace::After(beside.symbol.clone());
    Ok(vec![Edit::Insert { symbol, place, text: lines.join("\n") }])
}

fn modified(view: MemberView<'_>, before: &Item, after: &Item) -> Result<Vec<Edit>, Refusal> {
    let (symbol, text) = view.written()?;
    let (old, new) = (test_statements(before)?, test_statements(after)?);
    let test = PythonTest::of(text)?;
    let calls = Calls::of(view)?;
    let style = test.style_of_old(&old, &calls)?;
    let mut lines = Vec::new();
    for statement in &new {
        // A statement that stays keeps the port's own layout.
        let kept = old.iter().position(|old| old == statement);
        let line = kept.and_then(|at| test.statements.get(at)).and_then(|line| text.get(line.span.clone()));
        lines.push(match line {
            Some(line) => line.to_owned(),
            None => statement.python(style, &calls)?,
        });
    }
    if lines.is_empty() {
        return Refusal::because("nothing would be left of the test");
    }
    let body = lines.join(&format!("\n{}", test.indent));
    let text = spliced(text, vec![(test.body_span(), body)])?;
    Ok(vec![Edit::Replace { symbol: symbol.symbol.clone(), expected: symbol.hash.clone(), text }])
}

/// The assertions of a Rust test that has no parameters, no result and no attribute but `#[test]`.
fn test_statements(item: &Item) -> Result<Vec<Assertion>, Refusal> {
    if !item.is_test || item.kind != ItemKind::Function {
        return Refusal::because("the item is no test function");
    }
    let plain = |attribute: &String| {
        let inner = attribute.trim_start_matches("#[").trim_end_matches(']').trim();
        inner == "test"
    };
    if item.attributes.is_empty() || !item.attributes.iter().all(plain) {
        return Refusal::because("the item has other attributes than `#[test]`");
    }
    let tokens = code_tokens(item)?;
    let [keyword, _name, open, close, begin, body @ .., end] = tokens.as_slice() else {
        return Refusal::because("the test is no plain function");
    };
    let shape = [(keyword, "fn"), (open, "("), (close, ")"), (begin, "{"), (end, "}")];
    if !shape.iter().all(|(token, text)| token.is(text)) {
        return Refusal::because("the test has parameters, a result or qualifiers");
    }
    assertions(body)
}

/// A test of the port, taken apart.
struct PythonTest {
    style: Style,
    indent: String,
    statements: Vec<Statement>,
}

/// One statement of its body.
struct Statement {
    span: std::ops::Range<usize>,
    tokens: Vec<Canonical>,
}

/// A token by what it means, so that quotes and line breaks do not matter.
#[derive(Debug, Clone, PartialEq)]
enum Canonical {
    Value(Value),
    Text(String),
}

impl PythonTest {
    fn of(text: &str) -> Result<Self, Refusal> {
        let tokens = scan(text)?;
        if tokens.iter().any(|token| token.kind == PythonKind::Comment) {
            return Refusal::because("the test has comments, which would be lost");
        }
        let body = body_start(&tokens)?;
        let header = tokens.get(..body).unwrap_or_default();
        let kind = match header.iter().position(|token| token.is("(")).map(|open| header.get(open + 1..)) {
            Some(Some([close, ..])) if close.is(")") => StyleKind::Pytest,
            Some(Some([receiver, close, ..])) if receiver.is("self") && close.is(")") => StyleKind::Unittest,
            _ => return Refusal::because("the test takes parameters"),
        };
        let begin = docstring(&tokens).map_or(body, |docs| docs + 2);
        let mut statements = Vec::new();
        for line in tokens.get(begin..).unwrap_or_default().split(|token| token.kind == PythonKind::LineEnd) {
            if let [first, ..] = line {
                let end = line.last().map_or(first.span.end, |last| last.span.end);
                statements.push(Statement { span: first.span.start..end, tokens: canonical(line) });
            }
        }
        let Some(first) = statements.first() else { return Refusal::because("the test is empty") };
        let line = text.get(..first.span.start).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
        if line.is_empty() || !line.trim().is_empty() {
            return Refusal::because("the test's body is not on lines of its own");
        }
        let is_assertion = |statement: &Statement| match (kind, statement.tokens.as_slice()) {
            (StyleKind::Pytest, [Canonical::Text(first), ..]) => first == "assert",
            (
                StyleKind::Unittest,
                [Canonical::Text(first), Canonical::Text(dot), Canonical::Text(name), ..],
            ) => first == "self" && dot == "." && name.starts_with("assert"),
            _ => false,
        };
        if !statements.iter().all(is_assertion) {
            return Refusal::because("the port's test is more than assertions");
        }
        let indent = line.to_owned();
        Ok(Self { style: Style { kind, flipped: false }, indent, statements })
    }

    /// The style in which the body is the translation of the old statements, one for one.
    fn style_of_old(&self, old: &[Assertion], calls: &Calls<'_>) -> Result<Style, Refusal> {
        if old.len() != self.statements.len() {
            return Refusal::because("the port's test has other statements than the old one");
        }
        let mut style = self.style;
        for (at, (assertion, statement)) in old.iter().zip(&self.statements).enumerate() {
            let as_written = |flipped| -> Result<bool, Refusal> {
                let line = assertion.python(Style { flipped, ..self.style }, calls)?;
                Ok(canonical(&scan(&line)?) == statement.tokens)
            };
            let flipped = if as_written(false)? {
                false
            } else if as_written(true)? {
                true
            } else {
                return Refusal::because(format!(
                    "statement {} of the port's test is not the old one",
                    at + 1
                ));
            };
            if at == 0 {
                style.flipped = flipped;
            }
        }
        Ok(style)
    }

    fn body_span(&self) -> std::ops::Range<usize> {
        let start = self.statements.first().map_or(0, |statement| statement.span.start);
        let end = self.statements.last().map_or(start, |statement| statement.span.end);
        start..end
    }
}

/// Where the body of the one function begins among the tokens.
fn body_start(tokens: &[PythonToken]) -> Result<usize, Refusal> {
    if !tokens.first().is_some_and(|token| token.is("def")) {
        return Refusal::because("the port's test is no plain function");
    }
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is("(") || token.is("[") {
            depth += 1;
        } else if token.is(")") || token.is("]") {
            depth = depth.saturating_sub(1);
        } else if token.is(":") && depth == 0 {
            return Ok(at + 1);
        }
    }
    Refusal::because("the port's test has no body")
}

/// What a line means. A comma before a closing bracket means nothing.
fn canonical(tokens: &[PythonToken]) -> Vec<Canonical> {
    let mut out: Vec<Canonical> = Vec::new();
    for token in tokens {
        if token.kind == PythonKind::LineEnd {
            continue;
        }
        let comma = Canonical::Text(",".to_owned());
        if token.is(")") && out.last() == Some(&comma) {
            out.pop();
        }
        out.push(match &token.value {
            Some(value) => Canonical::Value(value.clone()),
            None => Canonical::Text(token.text.clone()),
        });
    }
    out
}
