//! One assertion of a Rust test, read in full or refused, and written as an assertion in Python.

use super::python::{PythonKind, scan};
use super::tokens::{Token, TokenKind, closing};
use super::value::RustLiteral;
use super::{MemberView, Refusal};

/// The most assertions that one test may have.
const ASSERTIONS_MAX: usize = 500;

/// What an assertion speaks about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// A literal with its sign.
    Literal { negative: bool, literal: RustLiteral },
    /// A call of a function with literal arguments.
    Call { function: String, arguments: Vec<Operand> },
}

/// One assertion.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Assertion {
    /// `assert_eq!(left, right)`
    Equal(Operand, Operand),
    /// `assert_ne!(left, right)`
    Different(Operand, Operand),
    /// `assert!(call)`
    True(Operand),
    /// `assert!(!call)`
    False(Operand),
    /// `assert!((left - right).abs() < bound)`
    Near { left: Operand, right: Operand, bound: RustLiteral },
}

/// How assertions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// By which library.
    pub(super) kind: StyleKind,
    /// Whether the right side comes first.
    pub(super) flipped: bool,
}

/// By which library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StyleKind {
    /// Methods of a test case.
    Unittest,
    /// Plain `assert`.
    Pytest,
}

/// The assertions of a body.
pub(super) fn assertions(body: &[Token]) -> Result<Vec<Assertion>, Refusal> {
    let mut rest = body;
    let mut found = Vec::new();
    while let [name, bang, open, ..] = rest {
        if !bang.is("!") || !open.is("(") {
            break;
        }
        let end = closing(rest, 2).ok_or_else(|| Refusal::new("an assertion does not end"))?;
        if !rest.get(end + 1).is_some_and(|token| token.is(";")) {
            return Refusal::because("an assertion is part of an expression");
        }
        found.push(assertion(&name.text, rest.get(3..end).unwrap_or_default())?);
        if found.len() > ASSERTIONS_MAX {
            return Refusal::because(format!("the test has more than {ASSERTIONS_MAX} assertions"));
        }
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    match (rest.first(), found.is_empty()) {
        (Some(token), _) => {
            Refusal::because(format!("the statement at `{}` is no plain assertion", token.text))
        }
        (None, true) => Refusal::because("the test asserts nothing"),
        (None, false) => Ok(found),
    }
}

fn assertion(macro_name: &str, inside: &[Token]) -> Result<Assertion, Refusal> {
    let arguments = split_arguments(inside);
    match (macro_name, arguments.as_slice()) {
        ("assert_eq", [left, right]) => Ok(Assertion::Equal(operand(left)?, operand(right)?)),
        ("assert_ne", [left, right]) => Ok(Assertion::Different(operand(left)?, operand(right)?)),
        ("assert", [[bang, rest @ ..]]) if bang.is("!") => Ok(Assertion::False(call(rest)?)),
        ("assert", [condition]) => match near(condition)? {
            Some(near) => Ok(near),
            None => Ok(Assertion::True(call(condition)?)),
        },
        _ => {
            Refusal::because(format!("`{macro_name}!` with {} arguments is not understood", arguments.len()))
        }
    }
}

/// `(left - right).abs() < bound`
fn near(condition: &[Token]) -> Result<Option<Assertion>, Refusal> {
    let Some(end) = condition.first().filter(|token| token.is("(")).and_then(|_| closing(condition, 0))
    else {
        return Ok(None);
    };
    let behind = condition.get(end + 1..).unwrap_or_default();
    let [dot, abs, open, close, less, bound] = behind else { return Ok(None) };
    let shape = [(dot, "."), (abs, "abs"), (open, "("), (close, ")"), (less, "<")];
    if !shape.iter().all(|(token, text)| token.is(text)) {
        return Ok(None);
    }
    let inner = condition.get(1..end).unwrap_or_default();
    let mut depth = 0_usize;
    for (at, token) in inner.iter().enumerate() {
        if token.is("(") || token.is("[") {
            depth += 1;
        } else if token.is(")") || token.is("]") {
            depth = depth.saturating_sub(1);
        } else if token.is("-") && depth == 0 && at > 0 {
            let left = operand(inner.get(..at).unwrap_or_default())?;
            let right = operand(inner.get(at + 1..).unwrap_or_default())?;
            let bound = RustLiteral::of(bound)?;
            return Ok(Some(Assertion::Near { left, right, bound }));
        }
    }
    Refusal::because("the difference of the tolerance is not understood")
}

fn call(tokens: &[Token]) -> Result<Operand, Refusal> {
    match operand(tokens)? {
        call @ Operand::Call { .. } => Ok(call),
        Operand::Literal { .. } => Refusal::because("a literal is asserted"),
    }
}

fn operand(tokens: &[Token]) -> Result<Operand, Refusal> {
    let not_understood = || {
        let text: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        Refusal::new(format!("`{}` is neither a literal nor a plain call", text.join(" ")))
    };
    match tokens {
        [reference, rest @ ..] if reference.is("&") && !rest.is_empty() => operand(rest),
        [minus, literal]
            if minus.is("-") && matches!(literal.kind, TokenKind::Integer | TokenKind::Float) =>
        {
            Ok(Operand::Literal { negative: true, literal: RustLiteral::of(literal)? })
        }
        [literal] if literal.is_value() => {
            Ok(Operand::Literal { negative: false, literal: RustLiteral::of(literal)? })
        }
        [text, dot, method, open, close]
            if text.kind == TokenKind::Text
                && dot.is(".")
                && (method.is("to_string") || method.is("to_owned"))
                && open.is("(")
                && close.is(")") =>
        {
            operand(std::slice::from_ref(text))
        }
        [ty, colons, from, open, text, close]
            if ty.is("String")
                && colons.is("::")
                && from.is("from")
                && open.is("(")
                && text.kind == TokenKind::Text
                && close.is(")") =>
        {
            operand(std::slice::from_ref(text))
        }
        [.., _] => plain_call(tokens).unwrap_or_else(|| Err(not_understood())),
        [] => Refusal::because("an argument is missing"),
    }
}

/// `path::to::function(arguments)`
fn plain_call(tokens: &[Token]) -> Option<Result<Operand, Refusal>> {
    let open = tokens.iter().position(|token| token.is("("))?;
    if closing(tokens, open)? + 1 != tokens.len() {
        return None;
    }
    let path = tokens.get(..open)?;
    let alternates = path
        .iter()
        .enumerate()
        .all(|(at, token)| if at % 2 == 0 { token.kind == TokenKind::Identifier } else { token.is("::") });
    let function = path.last().filter(|last| last.kind == TokenKind::Identifier)?;
    // A capital letter begins a variant or a tuple struct (`Some`, `Ok`), or the type of a method.
    if !alternates || path.iter().any(|token| token.text.starts_with(char::is_uppercase)) {
        return None;
    }
    let inside = tokens.get(open + 1..tokens.len() - 1)?;
    let arguments: Result<Vec<Operand>, Refusal> = split_arguments(inside)
        .into_iter()
        .map(|argument| match operand(argument)? {
            literal @ Operand::Literal { .. } => Ok(literal),
            Operand::Call { .. } => Refusal::because("a call is an argument of a call"),
        })
        .collect();
    Some(arguments.map(|arguments| Operand::Call { function: function.text.clone(), arguments }))
}

/// The parts between commas that no bracket encloses; a comma at the end closes nothing.
fn split_arguments(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        if ["(", "[", "{"].iter().any(|open| token.is(open)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|close| token.is(close)) {
            depth = depth.saturating_sub(1);
        } else if token.is(",") && depth == 0 {
            parts.extend(tokens.get(start..at));
            start = at + 1;
        }
    }
    parts.extend(tokens.get(start..).filter(|last| !last.is_empty()));
    parts
}

impl Assertion {
    /// The statement in Python.
    pub(super) fn python(&self, style: Style, calls: &Calls<'_>) -> Result<String, Refusal> {
        let pair = |left: &Operand, right: &Operand| -> Result<(String, String), Refusal> {
            let (left, right) = (left.python(calls)?, right.python(calls)?);
            Ok(if style.flipped { (right, left) } else { (left, right) })
        };
        let unittest = style.kind == StyleKind::Unittest;
        Ok(match self {
            Self::Equal(left, right) => {
                let (left, right) = pair(left, right)?;
                if unittest {
                    format!("self.assertEqual({left}, {right})")
                } else {
                    format!("assert {left} == {right}")
                }
            }
            Self::Different(left, right) => {
                let (left, right) = pair(left, right)?;
                if unittest {
                    format!("self.assertNotEqual({left}, {right})")
                } else {
                    format!("assert {left} != {right}")
                }
            }
            Self::True(call) => {
                let call = call.python(calls)?;
                if unittest { format!("self.assertTrue({call})") } else { format!("assert {call}") }
            }
            Self::False(call) => {
                let call = call.python(calls)?;
                if unittest { format!("self.assertFalse({call})") } else { format!("assert not {call}") }
            }
            Self::Near { left, right, bound } => {
                let (left, right) = pair(left, right)?;
                let bound = bound.python('"');
                if unittest {
                    format!("self.assertLess(abs({left} - {right}), {bound})")
                } else {
                    format!("assert abs({left} - {right}) < {bound}")
                }
            }
        })
    }
}

impl Operand {
    fn python(&self, calls: &Calls<'_>) -> Result<String, Refusal> {
        match self {
            Self::Literal { negative, literal } => {
                let sign = if *negative { "-" } else { "" };
                Ok(format!("{sign}{}", literal.python(calls.quote)))
            }
            Self::Call { function, arguments } => {
                let arguments: Result<Vec<String>, Refusal> =
                    arguments.iter().map(|argument| argument.python(calls)).collect();
                Ok(format!("{}({})", calls.form(function)?, arguments?.join(", ")))
            }
        }
    }
}

/// How the tests of a file call functions.
pub(super) struct Calls<'request> {
    view: MemberView<'request>,
    /// The kind of quotes that the file's tests prefer.
    quote: char,
}

impl<'request> Calls<'request> {
    /// What the request shows of the member's file.
    pub(super) fn of(view: MemberView<'request>) -> Result<Self, Refusal> {
        let mut single = 0_usize;
        let mut double = 0_usize;
        let calls = Self { view, quote: '"' };
        for text in calls.texts() {
            for token in scan(text)?.iter().filter(|token| token.kind == PythonKind::Text) {
                if token.quote() == '\'' { single += 1 } else { double += 1 }
            }
        }
        Ok(Self { view, quote: if single > double { '\'' } else { '"' } })
    }

    /// The texts of the member's file that the request shows.
    fn texts(&self) -> impl Iterator<Item = &'request str> {
        let request = self.view.request;
        let file = &self.view.member.file;
        let symbols = request.symbols.iter().chain(&request.neighbours);
        symbols.filter(move |symbol| symbol.file == *file).filter_map(|symbol| symbol.text.as_deref())
    }

    /// How a function is written where it is called: as other tests of the file write it, or as the file's
    /// imports make it known.
    fn form(&self, function: &str) -> Result<String, Refusal> {
        let mut forms: Vec<String> = Vec::new();
        for text in self.texts() {
            forms.extend(called_forms(text, function)?);
        }
        if forms.is_empty() {
            forms.extend(self.imported_forms(function)?);
        }
        forms.sort();
        forms.dedup();
        match forms.as_slice() {
            [form] if !form.starts_with("self.") => Ok(form.clone()),
            [] => Refusal::because(format!("nothing shows how `{function}` is called here")),
            _ => Refusal::because(format!("`{function}` is called in several ways here")),
        }
    }

    fn imported_forms(&self, function: &str) -> Result<Vec<String>, Refusal> {
        let request = self.view.request;
        let known: Vec<_> = request
            .symbols
            .iter()
            .chain(&request.neighbours)
            .filter(|symbol| symbol.symbol.name() == function)
            .collect();
        let mut forms = Vec::new();
        let imports = request.imports.iter().filter(|(file, _)| *file == self.view.member.file);
        for line in imports.flat_map(|(_, text)| text.lines()) {
            let words: Vec<String> = scan(line)?.into_iter().map(|token| token.text).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if let Some(names) = words.iter().position(|word| *word == "import") {
                let (from, names) = (words.get(..names), words.get(names + 1..).unwrap_or_default());
                let is_from = from.is_some_and(|from| from.first() == Some(&"from"));
                let imported = names.split(|word| *word == ",").any(|name| {
                    let name: Vec<&str> =
                        name.iter().copied().filter(|word| !matches!(*word, "(" | ")")).collect();
                    name == [function]
                });
                if is_from && imported && !known.is_empty() {
                    forms.push(function.to_owned());
                }
                let module = names.concat();
                if !is_from
                    && known.iter().any(|symbol| symbol.symbol.as_str() == format!("{module}.{function}"))
                {
                    forms.push(format!("{module}.{function}"));
                }
            }
        }
        Ok(forms)
    }
}

/// The dotted names, ending in this function, that a text calls.
fn called_forms(text: &str, function: &str) -> Result<Vec<String>, Refusal> {
    let tokens = scan(text)?;
    let mut forms = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let called = tokens.get(at + 1).is_some_and(|next| next.is("("));
        let defined = at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|before| before.is("def"));
        if token.kind != PythonKind::Name || token.text != function || !called || defined {
            continue;
        }
        let mut form = token.text.clone();
        let mut first = at;
        while let (Some(dot), Some(name)) = (
            first.checked_sub(1).and_then(|at| tokens.get(at)).filter(|dot| dot.is(".")),
            first.checked_sub(2).and_then(|at| tokens.get(at)),
        ) {
            form = format!("{}{}{form}", name.text, dot.text);
            first -= 2;
        }
        forms.push(form);
    }
    Ok(forms)
}
