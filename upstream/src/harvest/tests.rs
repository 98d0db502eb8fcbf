//! What is harvested from small tests written for the purpose.

use super::*;
use crate::snapshot::read;
use crate::snapshot::tests::revision;
use crate::tree::MemoryTree;

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    let manifest = ("Cargo.toml", "[package]\nname = \"c\"\nedition = \"2021\"\n");
    [&[manifest], files].concat().into_iter().collect()
}

fn harvest(files: &[(&str, &str)]) -> Harvest {
    let tree = tree(files);
    let snapshot = read(&tree, &revision()).unwrap();
    assert_eq!(snapshot.unparsed, []);
    calls(&tree, &snapshot).unwrap()
}

/// The calls in a test with this body, as `line: path(arguments)`.
fn of_test(body: &str) -> Vec<String> {
    told(&harvest(&[("src/lib.rs", &format!("#[test]\nfn t() {{\n{body}\n}}"))]))
}

fn told(harvest: &Harvest) -> Vec<String> {
    harvest.calls.iter().map(|call| format!("{}: {}", call.line, shown(call))).collect()
}

fn shown(call: &HarvestedCall) -> String {
    let arguments: Vec<String> = call.arguments.iter().map(value).collect();
    let receiver = call.receiver.as_ref().map(|it| format!("{}.", value(it)));
    let constructor = call.constructor.as_ref().map(|it| format!("{}.", shown(it)));
    let on = receiver.or(constructor).unwrap_or_default();
    format!("{on}{}({})", call.callee_path.join("::"), arguments.join(", "))
}

fn value(value: &Literal) -> String {
    serde_json::to_string(value).unwrap().replace("\"is\":", "").replace("\"of\":", "").replace('"', "'")
}

#[test]
fn arguments_are_taken_through_references_conversions_and_names() {
    assert_eq!(
        of_test(
            "const K: &str = \"k\"; let n = -3i32; let v = vec![1u8, 2];
             f(&\"a\".to_string(), String::from(\"b\"), (b\"c\"), \"d\".as_bytes(), K, n);
             g(&v, &[0.5, -1.5e3][..], 'x', true, (), None::<u8>, Some((1, 'y')));
             h(\"ab\".chars(), unknown);
             h(\"ab\".chars(), [7; 2], None);"
        ),
        [
            "4: f({'str','a'}, {'str','b'}, {'bytes',[99]}, {'bytes',[100]}, {'str','k'}, {'int',{'value':-3,'suffix':'i32'}})",
            "7: h({'list',[{'char','a'},{'char','b'}]}, {'list',[{'int',{'value':7,'suffix':null}},{'int',{'value':7,'suffix':null}}]}, {'none'})",
        ]
    );
}

#[test]
fn calls_inside_macros_and_operators_are_found_with_their_line() {
    assert_eq!(
        of_test(
            "assert_eq!(Ok(3), a::hamming(\"x\", \"y\"));
             assert!((0.39 - jaro(\"a\", \"b\")).abs() < 0.1, \"message {}\", 1);
             assert!(matches!(
                 parse(\"1\"),
                 Err(Kind::Bad { .. })
             ));"
        ),
        [
            "3: a::hamming({'str','x'}, {'str','y'})",
            "4: jaro({'str','a'}, {'str','b'})",
            "6: parse({'str','1'})"
        ]
    );
}

#[test]
fn macro_arguments_that_are_no_expressions_are_passed_over() {
    assert_eq!(
        of_test("m!(a b c, // d\n, ; { let x = \"y\"; f(x) } => g(\"z\") h, /* e */);"),
        ["4: f({'str','y'})"]
    );
}

#[test]
fn loops_over_tables_helpers_and_cases_are_followed() {
    let text = "
fn check(a: &str, n: usize) { assert_eq!(f(a), n); }
#[test]
fn t() {
    check(\"direct\", 1);
    for (a, n) in [(\"row 1\", 1), (\"row 2\", 2)] { check(a, n); }
}
#[test_case(\"case\", 4; \"name\")]
fn c(a: &str, n: usize) { g(a, n); }
";
    let found = harvest(&[("src/lib.rs", "#[cfg(test)] mod tests;"), ("src/tests.rs", text)]);
    let of = |name: &str| -> Vec<String> {
        found
            .calls
            .iter()
            .filter(|call| call.callee == name)
            .map(|call| format!("{}: {}", call.line, shown(call)))
            .collect()
    };
    assert_eq!(of("f"), ["5: f({'str','direct'})", "6: f({'str','row 1'})", "6: f({'str','row 2'})"]);
    assert_eq!(of("g"), ["8: g({'str','case'}, {'int',{'value':4,'suffix':null}})"]);
}

#[test]
fn methods_are_called_on_literals_or_on_what_a_call_made() {
    assert_eq!(
        of_test(
            "\"abc\".hex(true); let m = Wild::new(\"a*\").unwrap(); m.matches(\"ab\"); other.matches(\"x\");"
        ),
        [
            "3: {'str','abc'}.hex({'bool',true})",
            "3: Wild::new({'str','a*'}).matches({'str','ab'})",
            "3: Wild::new({'str','a*'})",
        ]
    );
}

#[test]
fn examples_in_documentation_are_tests() {
    let text = "/// Adds.\n///\n/// ```\n/// # use c::add;\n/// assert_eq!(add(1, 2), 3);\n/// ```\n///\n/// ```text\n/// add(9, 9)\n/// ```\npub fn add(a: u8, b: u8) -> u8 { a + b }";
    let found = harvest(&[("src/lib.rs", text)]);
    let int = |value: u8| format!("{{'int',{{'value':{value},'suffix':null}}}}");
    assert_eq!(told(&found), [format!("5: add({}, {})", int(1), int(2))]);
}

#[test]
fn production_code_is_not_harvested() {
    let found = harvest(&[
        ("src/lib.rs", "pub fn f() { g(1); }"),
        ("tests/it.rs", "#[test] fn t() { h(\"from a test\"); }"),
        ("examples/e.rs", "fn main() { h(\"from an example\"); }"),
    ]);
    let files: Vec<&str> = found.calls.iter().map(|call| call.file.as_str()).collect();
    assert_eq!(files, ["examples/e.rs", "tests/it.rs"]);
}

#[test]
fn endless_tables_are_cut_and_counted() {
    let rows = "1, ".repeat(3_000);
    let found = harvest(&[("src/lib.rs", &format!("#[test] fn t() {{ for x in [{rows}] {{ f(x, x); }} }}"))]);
    assert_eq!(found.left_out, 1_000);
    assert_eq!(found.calls.len(), 1, "equal calls at one place are one");
}

#[test]
fn literals_are_collected_by_test() {
    let tree =
        tree(&[("src/lib.rs", "#[test] fn t() { assert!(f(\"a\", 1.5) == 7, \"a\"); } fn g() { \"no\"; }")]);
    let found = literals(&read(&tree, &revision()).unwrap());
    let values: Vec<(&str, Vec<String>)> =
        found.iter().map(|(path, values)| (path.as_str(), values.iter().map(value).collect())).collect();
    let expected = ["{'str','a'}", "{'float','1.5'}", "{'int',{'value':7,'suffix':null}}"].map(str::to_owned);
    assert_eq!(values, [("c::t", expected.to_vec())]);
}

#[test]
fn a_literal_survives_its_durable_form() {
    let all = Literal::Tuple(vec![
        Literal::Int { value: i128::MIN, suffix: None },
        Literal::Some(Box::new(Literal::Bytes(vec![1]))),
        Literal::Unit,
        Literal::None,
    ]);
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Literal>(&text).unwrap(), all);
}
