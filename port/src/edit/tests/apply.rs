use std::collections::BTreeMap;

use mappings::SymbolPath;
use proptest::prelude::*;

use crate::edit::{ApplyError, Edit, InsertPlace, Scope, apply};
use crate::language::python::tests::python;
use crate::language::{Language, SpliceError};
use crate::runtime::Offer;

const MODULE: &str = "\
\"\"\"Docs.\"\"\"

LIMIT = 3


# About f.
def f(a):
    return a + LIMIT


class C:
    def m(self):
        return f(1)

    def n(self):
        return 2


print(f(2))
";

const USER: &str = "from p.m import f\n\n\ndef g():\n    return f(3)\n";

fn path(text: &str) -> SymbolPath {
    SymbolPath::new(text).unwrap()
}

fn files(file: &str) -> Option<String> {
    match file {
        "p/m.py" => Some(MODULE.to_owned()),
        "p/u.py" => Some(USER.to_owned()),
        _ => None,
    }
}

fn scope() -> Scope {
    Scope {
        editable: ["p.m.f", "p.m.C", "p.m.LIMIT"].map(path).to_vec(),
        insertable: vec![path("p.m"), path("p.new")],
        files: ["p/m.py", "p/new.py"].map(str::to_owned).to_vec(),
        references: vec!["p/u.py".to_owned()],
        runtime: Offer::default(),
    }
}

fn hash(symbol: &str) -> String {
    python().symbols("p/m.py", MODULE).get(&path(symbol)).unwrap().symbol.hash.short()
}

fn run(edits: &[Edit]) -> Result<BTreeMap<String, Option<String>>, ApplyError> {
    apply(&files, edits, &python(), &scope())
}

fn replace(symbol: &str, text: &str) -> Edit {
    Edit::Replace { symbol: path(symbol), expected: hash(symbol), text: text.to_owned() }
}

fn delete(symbol: &str) -> Edit {
    Edit::Delete { symbol: path(symbol), expected: hash(symbol) }
}

fn insert(symbol: &str, place: InsertPlace, text: &str) -> Edit {
    Edit::Insert { symbol: path(symbol), place, text: text.to_owned() }
}

fn text(changes: &BTreeMap<String, Option<String>>, file: &str) -> String {
    changes[file].clone().unwrap()
}

#[test]
fn edits_of_one_unit_go_in_together() {
    let edits = [
        Edit::Imports { file: "p/m.py".to_owned(), text: "import math".to_owned() },
        delete("p.m.LIMIT"),
        insert("p.m.MOST", InsertPlace::After(path("p.m.LIMIT")), "MOST = 4"),
        replace("p.m.f", "def f(a):\n    return math.floor(a) + MOST"),
        replace("p.m.C.m", "def m(self):\n    return f(7)"),
        insert("p.m.C.o", InsertPlace::InClass(path("p.m.C")), "def o(self):\n    return 3"),
    ];
    let changes = run(&edits).unwrap();
    assert_eq!(changes.keys().collect::<Vec<_>>(), ["p/m.py"]);
    let wanted = "\
\"\"\"Docs.\"\"\"

import math

MOST = 4


# About f.
def f(a):
    return math.floor(a) + MOST


class C:
    def m(self):
        return f(7)

    def n(self):
        return 2

    def o(self):
        return 3


print(f(2))
";
    assert_eq!(text(&changes, "p/m.py"), wanted);
}

#[test]
fn a_new_file_is_made_with_its_imports_on_top() {
    let edits = [
        insert("p.new.h", InsertPlace::InFile("p/new.py".to_owned()), "def h(x):\n    return math.sqrt(x)"),
        Edit::Imports { file: "p/new.py".to_owned(), text: "import math".to_owned() },
    ];
    let changes = run(&edits).unwrap();
    assert_eq!(text(&changes, "p/new.py"), "import math\n\n\ndef h(x):\n    return math.sqrt(x)\n");
}

#[test]
fn a_rename_follows_references_and_goes_with_other_edits() {
    let rename = Edit::Rename { symbol: path("p.m.f"), expected: hash("p.m.f"), to: "added".to_owned() };
    let edits = [replace("p.m.C.m", "def m(self):\n    return added(9)"), rename];
    let changes = run(&edits).unwrap();
    assert!(text(&changes, "p/m.py").contains("def added(a):"));
    assert!(text(&changes, "p/m.py").contains("return added(9)"));
    assert!(text(&changes, "p/m.py").contains("print(added(2))"));
    assert_eq!(text(&changes, "p/u.py"), "from p.m import added\n\n\ndef g():\n    return added(3)\n");
}

#[test]
fn bad_edits_are_refused_whole() {
    let good = replace("p.m.f", "def f(a):\n    return 0");
    let with = |edit: Edit| run(&[good.clone(), edit]).unwrap_err();
    let stale = Edit::Delete { symbol: path("p.m.LIMIT"), expected: "00000000".to_owned() };
    assert!(matches!(with(stale), ApplyError::Stale { .. }));
    let unknown = Edit::Delete { symbol: path("p.m.C.none"), expected: "00000000".to_owned() };
    assert!(matches!(with(unknown), ApplyError::UnknownSymbol { .. }));
    assert!(matches!(with(good.clone()), ApplyError::Overlap { .. }));
    let outside = insert("p.u.z", InsertPlace::InFile("p/u.py".to_owned()), "z = 1");
    assert!(matches!(with(outside), ApplyError::OutsideScope { .. }));
    let foreign = Edit::Imports { file: "../x.py".to_owned(), text: "import re".to_owned() };
    assert!(matches!(with(foreign), ApplyError::OutsideScope { .. }));
    let broken = insert("p.m.z", InsertPlace::After(path("p.m.C")), "def z(:");
    assert!(matches!(with(broken), ApplyError::Splice(SpliceError::Body { .. })));
    let nowhere = insert("p.m.z", InsertPlace::After(path("p.m.none")), "z = 1");
    assert!(matches!(with(nowhere), ApplyError::UnknownSymbol { .. }));
}

#[test]
fn texts_that_do_more_than_they_declare_are_refused() {
    let two = replace("p.m.f", "def f(a):\n    return 1\n\ndef extra():\n    return 2");
    assert!(matches!(run(&[two]), Err(ApplyError::Undeclared { about }) if about == "p.m.extra"));
    let statement = replace("p.m.f", "def f(a):\n    return 1\nprint('out')");
    assert!(matches!(run(&[statement]), Err(ApplyError::Undeclared { about }) if about == "p/m.py"));
    let in_class = replace("p.m.C.m", "def m(self):\n    return 1\nprint('out')");
    assert!(matches!(run(&[in_class]), Err(ApplyError::Undeclared { about }) if about == "p.m.C"));
    let other = replace("p.m.f", "def g(a):\n    return 1");
    assert!(matches!(run(&[other]), Err(ApplyError::Undeclared { .. } | ApplyError::NoEffect { .. })));
    let same = replace("p.m.f", "def f(a):\n    return a + LIMIT");
    assert!(matches!(run(&[same]), Err(ApplyError::NoEffect { .. })));
    let numbered = insert("p.m.z", InsertPlace::After(path("p.m.f")), "def f():\n    return 1");
    assert!(matches!(run(&[numbered]), Err(ApplyError::Undeclared { .. })));
}

#[test]
fn a_string_that_is_left_open_does_not_swallow_what_follows() {
    let open = replace("p.m.f", "def f(a):\n    return '''");
    assert!(run(&[open]).is_err());
    let continued = replace("p.m.f", "def f(a):\n    return 1 \\");
    let outcome = run(&[continued]);
    // Whatever the parser makes of the line's end, what follows is as it was.
    if let Ok(changes) = outcome {
        assert!(text(&changes, "p/m.py").contains("\n\n\nclass C:\n    def m(self):"));
    }
}

#[test]
fn a_file_that_does_not_parse_is_not_edited() {
    let broken = |file: &str| (file == "p/m.py").then(|| "def f(:\n".to_owned());
    let edit = insert("p.m.z", InsertPlace::InFile("p/m.py".to_owned()), "z = 1");
    let outcome = apply(&broken, &[edit], &python(), &scope());
    assert!(matches!(outcome, Err(ApplyError::Splice(SpliceError::Unparsed { .. }))), "{outcome:?}");
}

fn module() -> impl Strategy<Value = String> {
    let function = (0..4_usize, "[a-z]{1,3}", 1..4_usize).prop_map(|(blank, value, lines)| {
        let body: Vec<String> = (0..lines).map(|at| format!("    v{at} = '{value}'\n")).collect();
        format!("{}def NAME(a):\n{}    return a\n", "\n".repeat(blank), body.concat())
    });
    proptest::collection::vec(function, 2..6).prop_map(|functions| {
        let named = functions.iter().enumerate().map(|(at, text)| text.replace("NAME", &format!("f{at}")));
        named.collect::<String>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn putting_a_text_in_and_the_old_one_back_gives_the_old_file(text in module(), at in 0..2_usize) {
        let symbol = path(&format!("p.m.f{at}"));
        let scope = Scope { editable: vec![symbol.clone()], files: vec!["p/m.py".to_owned()], ..Scope::default() };
        let python = python();
        let put = |file: &str, text: String| {
            let old = python.symbols("p/m.py", file).get(&symbol).unwrap().symbol.clone();
            let edit = Edit::Replace { symbol: symbol.clone(), expected: old.hash.to_string(), text };
            let changes = apply(&|_| Some(file.to_owned()), &[edit], &python, &scope).unwrap();
            (changes["p/m.py"].clone().unwrap(), old.text)
        };
        let (new, old_text) = put(&text, format!("def f{at}(z):\n    return '{at}'"));
        let (back, _) = put(&new, old_text);
        prop_assert_eq!(back, text);
    }
}
