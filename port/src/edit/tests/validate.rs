use mappings::SymbolPath;

use crate::edit::{Edit, Finding, InsertPlace, Scope, validate, without_repeated};
use crate::language::Language;
use crate::language::python::tests::python;
use crate::runtime::Offer;

const FILE: &str = "\
import os

def f(a):
    return a


class C:
    def m(self):
        return os.environ


def other():
    return 1
";

fn path(text: &str) -> SymbolPath {
    SymbolPath::new(text).unwrap()
}

fn scope() -> Scope {
    Scope {
        editable: vec![path("p.m.f"), path("p.m.C"), path("p.m.new")],
        insertable: vec![path("p.m")],
        files: vec!["p/m.py".to_owned(), "p/n.py".to_owned()],
        references: Vec::new(),
        runtime: Offer::default(),
    }
}

fn hash(symbol: &str) -> String {
    let read = python().symbols("p/m.py", FILE);
    read.get(&path(symbol)).unwrap().symbol.hash.short()
}

fn findings(edits: &[Edit]) -> Vec<Finding> {
    validate(&|file| (file == "p/m.py").then(|| FILE.to_owned()), edits, &python(), &scope())
}

fn codes(edits: &[Edit]) -> Vec<&'static str> {
    findings(edits).iter().map(|finding| finding.code.as_str()).collect()
}

fn replace(symbol: &str, text: &str) -> Edit {
    Edit::Replace { symbol: path(symbol), expected: hash(symbol), text: text.to_owned() }
}

fn insert(symbol: &str, place: InsertPlace, text: &str) -> Edit {
    Edit::Insert { symbol: path(symbol), place, text: text.to_owned() }
}

fn in_file(file: &str) -> InsertPlace {
    InsertPlace::InFile(file.to_owned())
}

#[test]
fn sound_edits_have_no_findings() {
    let edits = [
        replace("p.m.f", "def f(a, b):\n    return b"),
        replace("p.m.C.m", "    def m(self):\n        return 1, os.environ\n"),
        insert("p.m.g", InsertPlace::After(path("p.m.f")), "def g():\n    return 1"),
        insert("p.m.h", InsertPlace::After(path("p.m.g")), "# New.\n@cache\ndef h():\n    return 1"),
        insert("p.m.new", in_file("p/m.py"), "new = 1"),
        Edit::Imports {
            file: "p/m.py".to_owned(),
            text: "import re\nfrom functools import cache".to_owned(),
        },
    ];
    assert_eq!(findings(&edits), []);
}

#[test]
fn targets_are_checked() {
    assert_eq!(codes(&[replace("p.m.other", "def other():\n    return 2")]), ["outside-scope"]);
    let stale = Edit::Delete { symbol: path("p.m.f"), expected: "00000000".to_owned() };
    assert_eq!(codes(&[stale]), ["stale-hash"]);
    let short = Edit::Delete { symbol: path("p.m.f"), expected: hash("p.m.f").chars().take(4).collect() };
    assert_eq!(codes(&[short]), ["stale-hash"]);
    let unknown = Edit::Delete { symbol: path("p.m.new"), expected: "00000000".to_owned() };
    assert_eq!(codes(&[unknown]), ["unknown-symbol"]);
    let overlapping = [
        replace("p.m.C.m", "def m(self):\n    return 2"),
        Edit::Delete { symbol: path("p.m.C"), expected: hash("p.m.C") },
    ];
    assert_eq!(codes(&overlapping), ["overlapping-edits"]);
}

#[test]
fn an_insertion_of_what_is_there_is_none() {
    let files = |file: &str| (file == "p/m.py").then(|| FILE.to_owned());
    let edits = [
        insert("p.m.other", in_file("p/m.py"), "def other():\n    return 1\n"),
        insert("p.m.other2", in_file("p/m.py"), "def other2():\n    return 1\n"),
        insert("p.m.f", in_file("p/m.py"), "def f(a):\n    return 2\n"),
    ];
    let left = without_repeated(&files, &edits, &python(), &scope());
    assert_eq!(left, edits[1..]);
}

#[test]
fn insertions_are_checked() {
    let text = "def f(a):\n    return 2";
    assert_eq!(codes(&[insert("p.m.f", in_file("p/m.py"), text)]), ["already-there"]);
    let found = findings(&[insert("p.m.f", in_file("p/m.py"), text)]);
    assert!(found[0].text.contains(&format!("replace it by its hash, {}", hash("p.m.f"))), "{found:?}");
    assert!(found[0].text.ends_with("def f(a):\n    return a"), "what is there is shown: {found:?}");
    let found = findings(&[insert("p.m.other", in_file("p/m.py"), "def other():\n    return 2")]);
    assert!(found[0].text.contains("use it as it is"), "it is not to be edited here: {found:?}");
    let text = "def z():\n    return 2";
    assert_eq!(codes(&[insert("p.m.z", in_file("p/n.py"), text)]), ["place-mismatch"]);
    assert_eq!(codes(&[insert("p.n.z", in_file("p/n.py"), text)]), ["outside-scope"]);
    assert_eq!(codes(&[insert("p.m.z", InsertPlace::After(path("p.m.none")), text)]), ["unknown-symbol"]);
    assert_eq!(codes(&[insert("p.m.C.z", InsertPlace::InClass(path("p.m.C")), text)]), Vec::<&str>::new());
}

#[test]
fn tricks_with_paths_are_found() {
    for file in ["../p/m.py", "/etc/x.py", ".git/hooks/x.py", "p/../../x.py", "p/m.txt", "p/m .py"] {
        let imports = Edit::Imports { file: file.to_owned(), text: "import re".to_owned() };
        assert_eq!(codes(&[imports]), ["bad-path", "outside-scope"], "{file}");
    }
    let elsewhere = Edit::Imports { file: "tests/t.py".to_owned(), text: "import re".to_owned() };
    assert_eq!(codes(&[elsewhere]), ["outside-scope"]);
}

#[test]
fn texts_define_their_symbol_and_nothing_else() {
    let of = |text: &str| codes(&[replace("p.m.f", text)]);
    assert_eq!(of("def f(a:\n    return 1"), ["does-not-parse"]);
    assert_eq!(of("def g(a):\n    return 1"), ["wrong-definition"]);
    assert_eq!(of("def f(a):\n    return 1\ndef g():\n    return 2"), ["more-than-one"]);
    assert_eq!(of("import re\ndef f(a):\n    return 1"), ["more-than-one"]);
    assert_eq!(of("# nothing"), ["wrong-definition"]);
    assert_eq!(of("def f(a):   \n    return a\n"), ["no-effect"]);
    assert_eq!(of("def f(a):\n    pass"), ["stub"]);
    assert_eq!(of("def f(a):\n    return eval(a)"), ["escape-eval"]);
    let statement = Edit::Imports { file: "p/m.py".to_owned(), text: "import re\nre.x = 1".to_owned() };
    assert_eq!(codes(&[statement]), ["not-an-import"]);
    let escape = Edit::Imports { file: "p/m.py".to_owned(), text: "import subprocess".to_owned() };
    assert_eq!(codes(&[escape]), ["escape-process"]);
}

#[test]
fn what_was_there_may_stay_but_not_multiply() {
    let once = "def m(self):\n    return dict(os.environ)";
    assert_eq!(codes(&[replace("p.m.C.m", once)]), Vec::<&str>::new());
    let twice = "def m(self):\n    return os.environ, os.environ";
    assert_eq!(codes(&[replace("p.m.C.m", twice)]), ["escape-environment"]);
}

#[test]
fn new_names_are_checked() {
    let rename = |to: &str| {
        codes(&[Edit::Rename { symbol: path("p.m.f"), expected: hash("p.m.f"), to: to.to_owned() }])
    };
    assert_eq!(rename("g"), Vec::<&str>::new());
    assert_eq!(rename("other"), ["already-there"]);
    assert_eq!(rename("class"), ["bad-name"]);
    assert_eq!(rename("a-b"), ["bad-name"]);
    assert_eq!(rename("f"), ["no-effect"]);
}

#[test]
fn findings_read_as_sentences() {
    let stale = Edit::Delete { symbol: path("p.m.f"), expected: "00000000".to_owned() };
    let expected = format!(
        "stale-hash `p.m.f`: the text has the hash {}, the edit was made for 00000000",
        hash("p.m.f")
    );
    assert_eq!(findings(&[stale])[0].to_string(), expected);
}

#[test]
fn tests_may_use_what_tests_use_and_no_more() {
    let scope = Scope { files: vec!["tests/test_m.py".to_owned(), "p/m.py".to_owned()], ..Scope::default() };
    let codes = |file: &str, text: &str| {
        let edit = Edit::Imports { file: file.to_owned(), text: text.to_owned() };
        let findings = validate(&|_| None, &[edit], &python(), &scope);
        findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(codes("tests/test_m.py", "import pytest"), Vec::<&str>::new());
    assert_eq!(codes("tests/test_m.py", "import subprocess"), ["escape-process"]);
    assert_eq!(codes("p/m.py", "import pytest"), ["escape-tests"]);
}
