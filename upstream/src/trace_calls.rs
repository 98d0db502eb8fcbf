//! Marks in a source text that log each call of chosen functions: what it was given, and what it gave.
//!
//! Main function: [`trace_calls`]. A value is logged by its `Debug` text where the compiler finds one, else as
//! unknown. The marked text keeps every line where it was, so that a complaint of the compiler names the function
//! whose marks do not fit it; that one is then left as it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use crate::ids::ItemPath;
use crate::snapshot::syntax::{
    AstNode, SyntaxKind as K, SyntaxNode, ast, attributes, edition as edition_of, own_range, parse_file,
};

/// The module to put at the end of the crate's root. It needs the standard library, and no `unsafe`.
pub const TRACE_MODULE: &str = include_str!("trace_calls/runtime.rs");

/// The module to put there instead, where calls are to be written down as the crate's own tests make them: into the
/// folder that the variable [`RECORD_FOLDER`] names, a file for each process, a line of JSON for each different call
/// (`[function, [text or null, ...]]`), bounded in number and bytes.
pub const RECORD_MODULE: &str = include_str!("trace_calls/recording.rs");

/// The variable that names the folder of recorded calls.
pub const RECORD_FOLDER: &str = "TIDELOCK_RECORD";

/// A text with its marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// The text; the original where nothing was marked.
    pub text: String,
    /// The functions that log their calls, by number.
    pub functions: Vec<(u32, ItemPath)>,
    /// Items that do not, with the reason.
    pub untraced: Vec<(ItemPath, &'static str)>,
}

/// Marks the functions among these items, which stand at these places of the text.
pub fn trace_calls(source: &str, edition: &str, items: &[(ItemPath, Range<usize>)], first_id: u32) -> Traced {
    let none = |reason| Traced {
        text: source.to_owned(),
        functions: Vec::new(),
        untraced: items.iter().map(|(path, _)| (path.clone(), reason)).collect(),
    };
    let Ok(parsed) = parse_file(source, edition_of(edition)) else { return none("its file is not parsed") };
    if parsed.complaint.is_some() {
        return none("its file does not parse");
    }
    let functions: BTreeMap<usize, ast::Fn> = parsed
        .file
        .syntax()
        .descendants()
        .filter_map(ast::Fn::cast)
        .map(|function| (own_range(function.syntax()).start, function))
        .collect();
    let mut traced = none("");
    traced.untraced.clear();
    let mut pieces: Vec<(usize, usize, String)> = Vec::new();
    let mut id = first_id;
    for (path, range) in items {
        let marked =
            functions.get(&range.start).map_or(Err("it is no function"), |function| marks(function, id));
        match marked {
            Ok(marks) => {
                pieces.extend(marks);
                traced.functions.push((id, path.clone()));
                id += 1;
            }
            Err(reason) => traced.untraced.push((path.clone(), reason)),
        }
    }
    traced.text = replaced(source, pieces);
    traced
}

/// The pieces of text that a function's marks put in place of ranges.
fn marks(function: &ast::Fn, id: u32) -> Result<Vec<(usize, usize, String)>, &'static str> {
    if function.const_token().is_some() {
        return Err("it may be called while compiling");
    }
    if function.async_token().is_some() || function.unsafe_token().is_some() {
        return Err("it is async or unsafe");
    }
    let body = function.syntax().children().find_map(ast::BlockExpr::cast).ok_or("it has no body")?;
    let list = body.stmt_list().ok_or("it has no body")?;
    let (Some(open), Some(close)) = (list.l_curly_token(), list.r_curly_token()) else {
        return Err("it has no body");
    };
    let output = function.ret_type().and_then(|output| output.ty()).map(|ty| one_line(ty.syntax()));
    let output = output.unwrap_or_else(|| "()".to_owned());
    if output == "!" {
        return Err("it never returns");
    }
    let inner = list.syntax().children().take_while(|child| {
        ast::Attr::cast(child.clone()).is_some_and(|attribute| attribute.excl_token().is_some())
    });
    let start: usize = inner.last().map_or(open.text_range().end(), |last| last.text_range().end()).into();
    // What an opaque type stands for has no name.
    let annotation = if output.contains("impl ") { String::new() } else { format!(": {output}") };
    let given = parameters(function);
    let mut entry = format!(" let mut __tidelock_call = crate::__tidelock_trace::enter({id}, |__given| {{ ");
    for (name, _) in &given {
        let text = name.as_ref().map_or_else(|| "::core::option::Option::None".to_owned(), |name| look(name));
        append(&mut entry, format_args!("__given.push({text}); "));
    }
    append(&mut entry, format_args!("}}); let __tidelock_result{annotation} = {{"));
    // What is left in arguments is looked at where nothing of the result can borrow from them.
    let mut left = String::new();
    if is_plain(&output) {
        for (at, (name, changes)) in given.iter().enumerate() {
            if let (Some(name), true) = (name, changes) {
                append(&mut left, format_args!("__tidelock_call.kept({at}, {}); ", look(name)));
            }
        }
    }
    let leave = |value: &str| format!("__tidelock_call.left({});", look(value));
    let exit = format!("}}; {left}{} __tidelock_result }}", leave("__tidelock_result"));
    let end: usize = close.text_range().start().into();
    let mut pieces = vec![(start, start, entry), (end, end + 1, exit)];
    for (end, value) in returns(&body) {
        match value.map(|range| (range.start, range.end)) {
            Some((from, to)) => {
                let open = format!("{{ let __tidelock_result{annotation} = ");
                pieces.push((from, from, open));
                pieces.push((to, to, format!("; {} __tidelock_result }}", leave("__tidelock_result"))));
            }
            None => pieces.push((end, end, format!(" {{ {} }}", leave("()")))),
        }
    }
    Ok(pieces)
}

/// A look at a variable, as an expression.
fn look(name: &str) -> String {
    format!(
        "{{ use crate::__tidelock_trace::{{ByDebug as _, ByNothing as _}}; \
         (&crate::__tidelock_trace::Look(&{name})).__tidelock_text() }}"
    )
}

/// The parameters by name, where they have one, and whether they can be changed through.
fn parameters(function: &ast::Fn) -> Vec<(Option<String>, bool)> {
    let Some(list) = function.param_list() else { return Vec::new() };
    let receiver = list.self_param().map(|param| {
        let text = one_line(param.syntax());
        (Some("self".to_owned()), text.starts_with('&') && text.contains("mut "))
    });
    let given = list.params().map(|param| {
        let name = match param.pat() {
            Some(ast::Pat::IdentPat(pattern)) if pattern.pat().is_none() && pattern.ref_token().is_none() => {
                pattern
                    .syntax()
                    .children()
                    .find_map(ast::Name::cast)
                    .map(|name| name.syntax().text().to_string())
            }
            Some(_) | None => None,
        };
        let is_changed =
            param.ty().is_some_and(|ty| matches!(&ty, ast::Type::RefType(it) if it.mut_token().is_some()));
        (name, is_changed)
    });
    receiver.into_iter().chain(given).collect()
}

/// Where the `return`s of the function itself end, with the ranges of what they return.
fn returns(body: &ast::BlockExpr) -> Vec<(usize, Option<Range<usize>>)> {
    let mut found = Vec::new();
    let mut walk = body.syntax().preorder();
    while let Some(event) = walk.next() {
        let crate::snapshot::syntax::WalkEvent::Enter(node) = event else { continue };
        if is_elsewhere(&node, body.syntax()) {
            walk.skip_subtree();
            continue;
        }
        if node.kind() == K::RETURN_EXPR {
            let value = node.children().find(|child| ast::Expr::can_cast(child.kind()));
            found.push((own_range(&node).end, value.map(|value| own_range(&value))));
        }
    }
    found
}

/// Whether a `return` in a part of a body is none of the body's own, or cannot be seen for what it is.
fn is_elsewhere(node: &SyntaxNode, body: &SyntaxNode) -> bool {
    let kinds =
        [K::FN, K::CLOSURE_EXPR, K::MACRO_CALL, K::MACRO_RULES, K::IMPL, K::CONST, K::STATIC, K::ATTR];
    let is_async = node.kind() == K::BLOCK_EXPR
        && node != body
        && ast::BlockExpr::cast(node.clone()).is_some_and(|block| {
            block
                .modifier()
                .is_some_and(|it| matches!(it, ast::BlockModifier::Async(_) | ast::BlockModifier::Const(_)))
        });
    kinds.contains(&node.kind())
        || is_async
        || attributes(node).next().is_some() && node != body && node.kind() == K::RETURN_EXPR
}

/// Whether a result of this type holds no borrow: numbers, truth values, texts of their own, and options and
/// results of them.
fn is_plain(output: &str) -> bool {
    let plain = [
        "()", "bool", "char", "String", "Option", "Result", "Vec", "u8", "u16", "u32", "u64", "u128",
        "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64",
    ];
    let words = output.split(|char: char| "<>,() ".contains(char)).filter(|word| !word.is_empty());
    output == "()" || words.clone().count() > 0 && words.into_iter().all(|word| plain.contains(&word))
}

fn one_line(node: &SyntaxNode) -> String {
    node.text().to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string does not fail");
}

/// Puts pieces in place of ranges. Of two at one place, the one of the inner node was found later, and comes first
/// where something ends there.
fn replaced(source: &str, mut pieces: Vec<(usize, usize, String)>) -> String {
    pieces.sort_by_key(|(from, to, _)| (*from, *to));
    let mut text = String::with_capacity(source.len() + pieces.len() * 128);
    let mut done = 0;
    for (from, to, piece) in pieces {
        text.push_str(source.get(done..from).unwrap_or_default());
        text.push_str(&piece);
        done = to.max(done);
    }
    text.push_str(source.get(done..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Finished, Invocation, ProcessRunner, SystemProcessRunner};

    const SHAPES: &str = r"#![forbid(unsafe_code)]
//! Shapes of functions.

/// Nested calls.
pub fn outer(x: i32) -> i32 { inner(x, 2) + 1 }
fn inner(x: i32, by: i32) -> i32 {
    if x > 100 { return x; }
    x * by
}
/// No `Debug`.
pub struct Quiet(u8);
/// By reference.
pub fn first<'a>(text: &'a str, _q: &Quiet) -> &'a str {
    match text.split_once(' ') { Some((one, _)) => return one, None => {} }
    text
}
/// Gives up by itself.
pub fn parsed(text: &str) -> Result<u8, std::num::ParseIntError> { let n: u8 = text.parse()?; Ok(n) }
/// Generic, and opaque.
pub fn doubled<T: Clone>(items: &[T]) -> impl Iterator<Item = T> + '_ { items.iter().cloned().chain(items.iter().cloned()) }
/// Changes in place.
pub fn fill(items: &mut Vec<u8>, with: u8) { if items.is_empty() { return; } for item in items.iter_mut() { *item = with; } }
/// Constant.
pub const fn constant(x: u8) -> u8 { x }
/// With closures.
pub fn closures(x: u8) -> u8 { let f = |y: u8| { if y > 1 { return 1; } y }; f(x) }
impl Quiet {
    /// A method.
    pub fn bump(&mut self, by: u8) -> u8 { self.0 += by; self.0 }
}
";

    fn run(folder: &std::path::Path, program: &str, arguments: &[&str]) -> Finished {
        let invocation = Invocation::new(program, folder).args(arguments.iter().copied()).inherit(&[
            "HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
        ]);
        SystemProcessRunner::default().run(&invocation).unwrap()
    }

    fn traced(edition: &str) -> Traced {
        let parsed = parse_file(SHAPES, edition_of(edition)).unwrap();
        assert_eq!(parsed.complaint, None);
        let functions = parsed.file.syntax().descendants().filter_map(ast::Fn::cast);
        let named = |function: ast::Fn| {
            let name = function.syntax().children().find_map(ast::Name::cast).unwrap();
            (
                ItemPath::new(format!("shapes::{}", name.syntax().text())).unwrap(),
                own_range(function.syntax()),
            )
        };
        let items: Vec<_> = functions.map(named).collect();
        trace_calls(SHAPES, edition, &items, 1)
    }

    #[test]
    fn the_marked_text_compiles_in_every_edition_and_logs_its_calls() {
        for edition in ["2015", "2018", "2021", "2024"] {
            let traced = traced(edition);
            assert_eq!(traced.text.lines().count(), SHAPES.lines().count(), "every line stays where it is");
            let check = r#"
#[test]
fn calls_are_logged() {
    let calls = || { let text = __tidelock_trace::calls(); __tidelock_trace::reset(); text };
    assert_eq!(outer(3), 7);
    assert_eq!(calls(), "[[2,1,[\"3\",\"2\"],[],\"value\",\"6\"],[1,0,[\"3\"],[],\"value\",\"7\"]]");
    assert_eq!(outer(200), 201);
    assert!(calls().contains("\"value\",\"200\""));
    assert_eq!(first("a b", &Quiet(1)), "a");
    assert_eq!(calls(), "[[3,0,[\"\\\"a b\\\"\",null],[],\"value\",\"\\\"a\\\"\"]]");
    assert!(parsed("x").is_err());
    assert_eq!(calls(), "[[4,0,[\"\\\"x\\\"\"],[],\"left\",null]]");
    assert_eq!(doubled(&[1]).count(), 2);
    assert!(calls().contains("[5,0,[null],[],\"value\",null]"));
    let mut items = vec![1, 2];
    fill(&mut items, 7);
    assert_eq!(calls(), "[[6,0,[\"[1, 2]\",\"7\"],[[0,\"[7, 7]\"]],\"value\",\"()\"]]");
    fill(&mut Vec::new(), 7);
    assert!(calls().contains("\"value\",\"()\""));
    assert_eq!(closures(5), 1);
    let mut quiet = Quiet(250);
    assert_eq!(quiet.bump(1), 251);
    calls();
    assert!(std::panic::catch_unwind(move || quiet.bump(100)).is_err());
    assert_eq!(calls(), "[[8,0,[null,\"100\"],[],\"panic\",null]]");
    for _ in 0..100_000 { constant(1); closures(0); }
    assert!(calls().len() < 8_000_000);
}
"#;
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("lib.rs"), format!("{}{TRACE_MODULE}{check}", traced.text))
                .unwrap();
            let built =
                run(folder.path(), "rustc", &["--edition", edition, "--test", "lib.rs", "-o", "checked"]);
            assert!(built.succeeded(), "{edition}: {}\n{}", built.tail(60), traced.text);
            let ran = run(folder.path(), "./checked", &[]);
            assert!(ran.succeeded(), "{edition}: {}", String::from_utf8_lossy(&ran.stdout));
        }
    }

    #[test]
    fn calls_of_tests_are_written_down_in_every_edition() {
        let checks = r#"
#[test]
fn one() { assert_eq!(outer(3), 7); assert_eq!(outer(3), 7); first("a\n\"b", &Quiet(1)); }
#[test]
fn many() { for number in 0..200 { closures(number); } fill(&mut vec![1, 2], 7); }
"#;
        for edition in ["2015", "2018", "2021", "2024"] {
            let traced = traced(edition);
            let folder = tempfile::tempdir().unwrap();
            let text = format!("{}{RECORD_MODULE}{checks}", traced.text);
            std::fs::write(folder.path().join("lib.rs"), text).unwrap();
            let built =
                run(folder.path(), "rustc", &["--edition", edition, "--test", "lib.rs", "-o", "checked"]);
            assert!(built.succeeded(), "{edition}: {}", built.tail(60));
            // Without a folder nothing is written, and the tests run as ever.
            assert!(run(folder.path(), "./checked", &[]).succeeded());
            let records = folder.path().join("records");
            std::fs::create_dir(&records).unwrap();
            let invocation = Invocation::new("./checked", folder.path()).env(RECORD_FOLDER, &records);
            let ran = SystemProcessRunner::default().run(&invocation).unwrap();
            assert!(ran.succeeded(), "{edition}: {}", String::from_utf8_lossy(&ran.stdout));
            let files: Vec<_> = std::fs::read_dir(&records).unwrap().flatten().collect();
            let [file] = files.as_slice() else { panic!("{files:?}") };
            let text = std::fs::read_to_string(file.path()).unwrap();
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            assert_eq!(lines.len(), 4 + 64, "each different call once, and 64 of one function: {text}");
            for line in
                [r#"[1,["3"]]"#, r#"[2,["3","2"]]"#, r#"[3,["\"a\\n\\\"b\"",null]]"#, r#"[6,["[1, 2]","7"]]"#]
            {
                assert!(lines.contains(&line), "{line}: {text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_logged_is_a_reason() {
        let path = || ItemPath::new("a::f").unwrap();
        let reason = |source: &str| trace_calls(source, "2021", &[(path(), 0..source.len())], 0).untraced;
        assert_eq!(reason("const fn f() {}"), [(path(), "it may be called while compiling")]);
        assert_eq!(reason("fn f() -> ! { loop {} }"), [(path(), "it never returns")]);
        assert_eq!(reason("async fn f() {}"), [(path(), "it is async or unsafe")]);
        assert_eq!(reason("fn f( {"), [(path(), "its file does not parse")]);
        assert_eq!(reason("struct F;"), [(path(), "it is no function")]);
        let unchanged = trace_calls("fn f( {", "2021", &[(path(), 0..7)], 0);
        assert_eq!(unchanged.text, "fn f( {");
    }
}
