use proptest::prelude::*;
use upstream::diff::Aspects;
use upstream::{ItemChange, ItemKind};

use super::*;
use crate::translate::Excerpt;
use crate::translate::testing::{body_change, context, item, request};

/// What the rules answer, in a line or more.
fn answer(request: &TranslationRequest) -> String {
    match RuleTranslator::default().translate(request).unwrap() {
        Translation::Answered { answer: Answer::Edits { edits }, origin, .. } => {
            let edits: Vec<String> = edits.iter().map(shown).collect();
            format!("{origin}: {}", edits.join("\n"))
        }
        Translation::Answered { answer: Answer::NoChange { reason }, origin, .. } => {
            format!("{origin}: no change, {reason}")
        }
        Translation::Declined { reason } => format!("declined: {reason}"),
        other @ (Translation::Answered { .. }
        | Translation::Malformed { .. }
        | Translation::Waiting { .. }) => panic!("{other:?}"),
    }
}

fn shown(edit: &Edit) -> String {
    match edit {
        Edit::Replace { text, .. } => text.clone(),
        Edit::Insert { place: InsertPlace::After(after), text, .. } => format!("after {after}\n{text}"),
        Edit::Insert { place: InsertPlace::InFile(file), text, .. } => format!("in {file}\n{text}"),
        Edit::Insert { place: InsertPlace::InClass(class), text, .. } => format!("in {class}\n{text}"),
        Edit::Patch { symbol, .. } => format!("patch {symbol}"),
        Edit::Move { symbol, to, .. } => format!("move {symbol} to {to}"),
        Edit::Delete { symbol, .. } => format!("delete {symbol}"),
        Edit::Rename { symbol, to, .. } => format!("rename {symbol} to {to}"),
        Edit::Imports { file, text } => format!("imports {file} {text}"),
    }
}

fn function(before: &str, after: &str, python: &str) -> String {
    let change = body_change("krate::f", ItemKind::Function, before, after);
    answer(&request(change, vec![context("pkg.f", "pkg.py", python)]))
}

fn constant(before: &str, after: &str, python: &str) -> String {
    let change = body_change("krate::LIMIT", ItemKind::Const, before, after);
    answer(&request(change, vec![context("pkg.LIMIT", "pkg.py", python)]))
}

#[track_caller]
fn declined(answer: &str, because: &str) {
    assert!(answer.starts_with("declined") && answer.contains(because), "{answer}");
}

// Literals.

#[test]
fn a_changed_number_changes_where_it_is_found() {
    let rust = "fn f(x: i64) -> i64 { x.min(1_000_i64) + 2 }";
    assert_eq!(
        function(
            rust,
            &rust.replace("1_000_i64", "2_500i64"),
            "def f(x):\n    # 1000\n    return min(x, 1000) + 2"
        ),
        "literal: def f(x):\n    # 1000\n    return min(x, 2_500) + 2"
    );
}

#[test]
fn texts_characters_and_truth_values_are_written_in_the_ports_quotes() {
    assert_eq!(
        function(
            "fn f() { g(\"it's\", 'x', true, 0.5) }",
            "fn f() { g(\"say \\\"hi\\\"\\n\", '\\'', false, 1e-3) }",
            "def f():\n    g('it\\'s', \"x\", True, .5)",
        ),
        "literal: def f():\n    g('say \"hi\"\\n', \"'\", False, 1e-3)"
    );
}

#[test]
fn a_literal_that_is_not_unique_is_not_guessed_at() {
    let rust = "fn f(x: i64) -> i64 { x + 3 }";
    let new = rust.replace('3', "4");
    declined(&function(rust, &new, "def f(x):\n    return x + 3 - 3 + 3"), "more than once in the symbol");
    declined(&function(rust, &new, "def f(x):\n    return x + THREE"), "does not occur");
    declined(&function(rust, &new, "def f(x):\n    return x + 3.0"), "does not occur");
    let twice = "fn f(x: i64) -> i64 { x + 3 * 3 }";
    declined(
        &function(twice, "fn f(x: i64) -> i64 { x + 3 * 4 }", "def f(x):\n    return x + 3"),
        "in the item",
    );
}

#[test]
fn a_literal_in_a_docstring_comment_or_formatted_text_is_not_the_one() {
    let rust = "fn f() { g(\"abc\") }";
    let new = "fn f() { g(\"xyz\") }";
    declined(&function(rust, new, "def f():\n    \"abc\"\n    g(f'abc')  # 'abc'"), "does not occur");
    declined(&function(rust, new, "def f():\n    g('abc' 'def')"), "longer text");
}

#[test]
fn more_than_literals_is_declined() {
    let python = "def f(x):\n    return x + 3";
    declined(&function("fn f(x: i64) { x + 3 }", "fn f(x: i64) { x - 3 }", python), "became");
    declined(&function("fn f(x: i64) { x + 3 }", "fn f(x: i64) { x + 3 + 1 }", python), "more than literals");
    declined(&function("fn f(x: i64) { x + 3 }", "fn f(x: i64) { x + 3.0 }", python), "became");
    declined(&function("fn f() { g(\"{}\") }", "fn f() { g(\"{:?}\") }", "def f():\n    g('{}')"), "format");
    declined(&function("fn f() { g(b\"a\") }", "fn f() { g(b\"b\") }", "def f():\n    g(b'a')"), "byte");
    declined(&function("fn f() { g(\"a) }", "fn f() { g(\"b\") }", "def f():\n    g('a')"), "does not end");
}

#[test]
fn documentation_that_changed_beside_a_literal_follows_too_or_nothing_does() {
    let mut before = item("krate::f", ItemKind::Function, "fn f() { 1 }");
    let mut after = item("krate::f", ItemKind::Function, "fn f() { 2 }");
    (before.docs, after.docs) = ("Gives one.".to_owned(), "Gives two.".to_owned());
    let aspects = Aspects { body: true, docs: true, ..Aspects::default() };
    let change = ItemChange::Modified { before, after, aspects };
    let answered = |python: &str| answer(&request(change.clone(), vec![context("pkg.f", "pkg.py", python)]));
    assert_eq!(
        answered("def f():\n    \"\"\"Gives one.\"\"\"\n    return 1"),
        "literal: def f():\n    \"\"\"Gives two.\"\"\"\n    return 2"
    );
    assert_eq!(answered("def f():\n    return 1"), "literal: def f():\n    return 2");
    declined(&answered("def f():\n    \"\"\"My words.\"\"\"\n    return 1"), "not the old documentation");
}

// Constants.

#[test]
fn a_constants_value_follows_with_its_sign() {
    assert_eq!(
        constant("pub const LIMIT: i32 = 10;", "pub const LIMIT: i32 = -20;", "LIMIT: Final = 10  # most\n"),
        "constant: LIMIT: Final = -20  # most\n"
    );
    assert_eq!(
        constant("const LIMIT: &str = r\"\\d\";", "const LIMIT: &str = \"\\\\w\";", "LIMIT = r'\\d'"),
        "constant: LIMIT = '\\\\w'"
    );
}

#[test]
fn a_constant_that_is_no_plain_literal_or_not_the_old_one_is_declined() {
    let (old, new) = ("const LIMIT: i32 = 10;", "const LIMIT: i32 = 20;");
    declined(&constant(old, new, "LIMIT = 11"), "not the old constant's");
    declined(&constant(old, new, "LIMIT = -10 + x"), "no plain literal");
    declined(
        &constant("const LIMIT: f32 = 0.1;", "const LIMIT: f32 = -0.2;", "LIMIT = 0.1"),
        "single-precision",
    );
    declined(&constant("const LIMIT: i32 = 10;", "const LIMIT: i32 = 10 * 2;", "LIMIT = 10"), "declined");
}

#[test]
fn a_constant_that_is_so_already_needs_no_edit() {
    let (old, new) = ("const LIMIT: i32 = 10;", "const LIMIT: i32 = -1_2;");
    let so_already = "constant: no change, the port's value is the new one already";
    assert_eq!(constant(old, new, "LIMIT: Final = -12  # most"), so_already);
    declined(&constant(old, new, "LIMIT = 12"), "not the old constant's");
    declined(&constant(old, new, "LIMIT = -12 + x"), "no plain literal");
    let change = ItemChange::Added { after: item("krate::MOST", ItemKind::Const, "pub const MOST: u8 = 7;") };
    let with = |text: &str| answer(&request(change.clone(), vec![context("pkg.MOST", "pkg.py", text)]));
    assert_eq!(with("MOST = 7"), "new constant: no change, the port's value is the new one already");
    declined(&with("MOST = 8"), "is there already");
}

#[test]
fn a_new_constant_goes_behind_the_last_one_or_to_the_end_of_the_file() {
    let change = ItemChange::Added {
        after: item("krate::MOST", ItemKind::Const, "pub const MOST: usize = 0x1F_usize;"),
    };
    let mut request = request(change, vec![context("pkg.MOST", "pkg.py", "")]);
    assert_eq!(answer(&request), "new constant: in pkg.py\nMOST = 0x1F");
    request.neighbours.push(context("pkg.LEAST", "pkg.py", "LEAST = 1"));
    request.neighbours.push(context("pkg.f", "pkg.py", "def f(x=1):\n    return x"));
    assert_eq!(answer(&request), "new constant: after pkg.LEAST\nMOST = 0x1F");
}

#[test]
fn a_new_constant_of_a_type_or_of_an_expression_is_declined() {
    for (path, text, because) in [
        ("krate::Type::MOST", "const MOST: u8 = 1;", "belongs to a type"),
        ("krate::MOST", "const MOST: u8 = u8::MAX;", "no plain literal"),
        ("krate::MOST", "const MOST: &[u8] = &[1];", "no plain literal"),
        ("krate::MOST", "const MOST: f32 = 0.1;", "single-precision"),
        ("krate::MOST", "static mut MOST: u8 = 1;", "may change"),
    ] {
        let change = ItemChange::Added { after: item(path, ItemKind::Const, text) };
        declined(&answer(&request(change, vec![context("pkg.MOST", "pkg.py", "")])), because);
    }
}

// Renames and removals.

fn relocated(before: (&str, &str), after: (&str, &str)) -> ItemChange {
    ItemChange::Relocated {
        before: item(before.0, ItemKind::Function, before.1),
        after: item(after.0, ItemKind::Function, after.1),
        aspects: Aspects { signature: true, ..Aspects::default() },
    }
}

#[test]
fn a_rename_follows_from_the_old_or_the_new_symbol() {
    let change = || {
        relocated(
            ("krate::old", "fn old(n: u8) -> u8 { old(n) }"),
            ("krate::new", "/// Doc.\nfn new(n: u8) -> u8 { new(n) }"),
        )
    };
    let text = "def old(n):\n    return old(n)";
    assert_eq!(
        answer(&request(change(), vec![context("pkg.old", "pkg.py", text)])),
        "rename: rename pkg.old to new"
    );
    let private = vec![context("pkg._old", "pkg.py", text)];
    assert_eq!(answer(&request(change(), private)), "rename: rename pkg._old to _new");
    let target = vec![context("pkg.new", "pkg.py", ""), context("pkg.old", "pkg.py", text)];
    assert_eq!(answer(&request(change(), target)), "rename: rename pkg.old to new");
}

#[test]
fn a_rename_that_is_more_is_declined() {
    let before = ("krate::old", "fn old() { 1 }");
    let symbols = || vec![context("pkg.old", "pkg.py", "def old():\n    return 1")];
    let cases = [
        (("krate::new", "fn new() { 2 }"), "more than its name"),
        (("krate::other::new", "fn new() { 1 }"), "moved"),
        (("krate::other::old", "fn old() { 1 }"), "moved"),
        (("krate::lambda", "fn lambda() { 1 }"), "no name in Python"),
    ];
    for (after, because) in cases {
        declined(&answer(&request(relocated(before, after), symbols())), because);
    }
    let mut taken = request(relocated(before, ("krate::new", "fn new() { 1 }")), symbols());
    taken.neighbours.push(context("pkg.new", "pkg.py", "def new():\n    pass"));
    declined(&answer(&taken), "there already");
    let other_name = vec![context("pkg.ancient", "pkg.py", "def ancient():\n    return 1")];
    declined(
        &answer(&request(relocated(before, ("krate::new", "fn new() { 1 }")), other_name)),
        "does not follow",
    );
}

#[test]
fn a_removed_item_takes_its_symbol_along_unless_it_is_named() {
    let change = || ItemChange::Removed { before: item("krate::f", ItemKind::Function, "fn f() {}") };
    let mut request = request(change(), vec![context("pkg.f", "pkg.py", "def f():\n    return 1")]);
    request.neighbours.push(context("pkg.g", "pkg.py", "def g():\n    return 'f'  # f"));
    assert_eq!(answer(&request), "removal: delete pkg.f");
    request.neighbours.push(context("pkg.h", "pkg.py", "def h():\n    return f()"));
    declined(&answer(&request), "`pkg.h` still names it");
    request.neighbours.clear();
    let line = |text: &str| Excerpt {
        symbol: SymbolPath::new("pkg.far.user").unwrap(),
        file: "pkg/far.py".to_owned(),
        text: text.to_owned(),
    };
    request.uses = vec![line("    return self.f() + 1")];
    declined(&answer(&request), "`pkg.far.user` still names it");
    request.uses = vec![line("    return self.g('f')")];
    assert_eq!(answer(&request), "removal: delete pkg.f");
    request.unit.members[0].edited_by_hand = true;
    declined(&answer(&request), "a person edited");
}

// Documentation.

fn docs(old: &str, new: &str, python: &str) -> String {
    let mut before = item("krate::f", ItemKind::Function, "fn f() {}");
    let mut after = before.clone();
    (before.docs, after.docs) = (old.to_owned(), new.to_owned());
    let change =
        ItemChange::Modified { before, after, aspects: Aspects { docs: true, ..Aspects::default() } };
    answer(&request(change, vec![context("pkg.f", "pkg.py", python)]))
}

#[test]
fn a_docstring_that_mirrors_the_documentation_follows_it() {
    assert_eq!(
        docs(
            "Does it.",
            "Does it well.\n\n- once\n  - twice",
            "def f():\n    \"\"\"Does it.\"\"\"\n    return 1"
        ),
        "docs: def f():\n    \"\"\"Does it well.\n\n    - once\n      - twice\n    \"\"\"\n    return 1"
    );
    assert_eq!(
        docs("A.\n\nB.", "C.", "def f():\n    \"\"\"\n    A.\n\n    B.\n    \"\"\"\n"),
        "docs: def f():\n    \"\"\"C.\"\"\"\n"
    );
}

#[test]
fn a_docstring_of_the_ports_own_is_kept() {
    declined(
        &docs("Does it.", "Does more.", "def f():\n    \"\"\"My words.\"\"\""),
        "not the old documentation",
    );
    declined(&docs("Does it.", "Does more.", "def f():\n    return 1"), "no docstring");
    declined(&docs("Does it.", "A \\ B", "def f():\n    \"\"\"Does it.\"\"\""), "escaped");
    declined(&docs("Does it.", "", "def f():\n    \"\"\"Does it.\"\"\""), "went");
}

// Tests.

fn rust_test(body: &str) -> String {
    format!("#[test]\nfn works() {{ {body} }}")
}

fn changed_test(before: &str, after: &str, python: &str) -> String {
    let change =
        body_change("krate::tests::works", ItemKind::Function, &rust_test(before), &rust_test(after));
    answer(&request(change, vec![context("tests.test_a.test_works", "tests/test_a.py", python)]))
}

#[test]
fn a_changed_test_follows_and_keeps_what_did_not_change() {
    assert_eq!(
        changed_test(
            "assert_eq!(3, distance(\"a\", \"b\")); assert!(same(\"x\", \"x\")); assert_ne!(f(-1), 2);",
            "assert_eq!(3, distance(\"a\", \"b\")); assert_eq!(4, distance(\"a\\\"\", &\"ß\")); assert!(!same('x', \"y\"));",
            "def test_works():\n    assert distance('a',\n        'b') == 3\n    assert same('x', 'x')\n    assert 2 != f(-1)\n",
        ),
        "test: def test_works():\n    assert distance('a',\n        'b') == 3\n    assert distance('a\"', 'ß') == 4\n    assert not same('x', 'y')\n"
    );
}

#[test]
fn a_unittest_method_is_followed_in_its_own_style() {
    assert_eq!(
        changed_test(
            "assert_eq!(3, distance(\"a\", \"b\")); assert!((0.5 - ratio(\"a\", \"b\")).abs() < 0.001);",
            "assert_eq!(3, distance(\"a\", \"b\")); assert!((0.75 - ratio(\"a\", \"b\")).abs() < 0.001);",
            "def test_works(self):\n        \"\"\"Doc.\"\"\"\n        self.assertEqual(3, m.distance(\"a\", \"b\"))\n        self.assertLess(abs(0.5 - m.ratio(\"a\", \"b\")), 0.001)",
        ),
        "test: def test_works(self):\n        \"\"\"Doc.\"\"\"\n        self.assertEqual(3, m.distance(\"a\", \"b\"))\n        self.assertLess(abs(0.75 - m.ratio(\"a\", \"b\")), 0.001)"
    );
}

#[test]
fn a_test_that_is_not_the_old_ones_translation_is_left_to_others() {
    let (old, new) = ("assert_eq!(3, d(1));", "assert_eq!(4, d(1));");
    for (python, because) in [
        ("def test_works():\n    assert d(1) == 5", "is not the old one"),
        ("def test_works():\n    assert d(1) == 3\n    assert d(2) == 3", "other statements"),
        ("def test_works():\n    # why\n    assert d(1) == 3", "comments"),
        ("def test_works():\n    x = d(1)\n    assert x == 3", "more than assertions"),
        ("def test_works(fixture):\n    assert d(1) == 3", "parameters"),
        ("@slow\ndef test_works():\n    assert d(1) == 3", "no plain function"),
        ("def test_works(): assert d(1) == 3", "lines of its own"),
    ] {
        let change = body_change("krate::tests::works", ItemKind::Function, &rust_test(old), &rust_test(new));
        let request = request(change, vec![context("tests.test_works", "tests.py", python)]);
        let view = MemberView { member: &request.unit.members[0], request: &request };
        let refusal = test_function::TestFunction.edits(view).unwrap_err().to_string();
        assert!(refusal.contains(because), "{python}: {refusal}");
    }
}

#[test]
fn a_test_with_one_changed_literal_keeps_its_comments() {
    assert_eq!(
        changed_test(
            "assert_eq!(3, d(1));",
            "assert_eq!(4, d(1));",
            "def test_works():\n    # why\n    assert d(1) == 3"
        ),
        "literal: def test_works():\n    # why\n    assert d(1) == 4"
    );
}

#[test]
fn rust_tests_with_anything_else_are_declined() {
    let python = "def test_works():\n    assert d(1) == 3";
    for new in [
        "let x = 1; assert_eq!(x, d(1));",
        "assert_eq!(Ok(3), d(1));",
        "assert_eq!(3, d(e(1)));",
        "assert_eq!(3, d(1), \"message\");",
        "assert_eq!(3, d(&[1, 2]));",
        "assert_eq!(3, T::d(1));",
        "assert_eq!(3, d::<u8>(1));",
        "assert_eq!(3, d(1).unwrap());",
        "assert!(d(1) > 3);",
        "assert!(true);",
        "for _ in 0..3 { assert_eq!(3, d(1)); }",
        "assert_eq!(3, unheard_of(1));",
        "",
    ] {
        declined(&changed_test("assert_eq!(3, d(1));", new, python), "test:");
    }
}

#[test]
fn a_new_test_is_written_like_the_one_beside_it() {
    let text = rust_test("assert_eq!(0, distance(\"\", \"\")); assert_eq!(1, other::level(\"a\"));");
    let change = ItemChange::Added { after: item("krate::tests::works", ItemKind::Function, &text) };
    let file = "tests/test_a.py";
    let mut request = request(change, vec![context("tests.test_a.TestA.test_works", file, "")]);
    declined(&answer(&request), "no test beside it");
    let beside = "def test_old(self):\n        self.assertEqual(pkg.distance(\"a\", \"b\"), 1)";
    request.neighbours.push(context("tests.test_a.TestA.test_old", file, beside));
    declined(&answer(&request), "nothing shows how `level` is called");
    request.neighbours.push(context("pkg.level", "pkg.py", "def level(x):\n    return 1"));
    request.imports.push((file.to_owned(), "import unittest\nfrom pkg import distance, level\n".to_owned()));
    assert_eq!(
        answer(&request),
        "test: after tests.test_a.TestA.test_old\ndef test_works(self):\n    self.assertEqual(0, pkg.distance(\"\", \"\"))\n    self.assertEqual(1, level(\"a\"))"
    );
}

// The translator.

#[test]
fn a_unit_is_followed_whole_or_not_at_all() {
    let mut unit = request(
        body_change("krate::A", ItemKind::Const, "const A: u8 = 1;", "const A: u8 = 2;"),
        vec![context("pkg.A", "pkg.py", "A = 1"), context("pkg.f", "pkg.py", "def f():\n    return 1")],
    );
    let mut second = unit.unit.members[0].clone();
    second.symbol = unit.symbols[1].symbol.clone();
    second.change = body_change("krate::f", ItemKind::Function, "fn f() { 1 }", "fn f() { 2 }");
    unit.unit.members.push(second.clone());
    assert_eq!(answer(&unit), "constant, literal: A = 2\ndef f():\n    return 2");
    second.change = body_change("krate::f", ItemKind::Function, "fn f() { 1 }", "fn f() { g() }");
    unit.unit.members[1] = second;
    declined(&answer(&unit), "krate::f");
}

#[test]
fn a_rule_is_asked_once() {
    let mut request = crate::translate::testing::limit_request();
    assert!(answer(&request).starts_with("literal:"));
    request.attempt = 2;
    declined(&answer(&request), "same again");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_literal_changed_and_changed_back_is_the_text_it_was(
        old in "[a-z\\\\\"' ]{1,8}", new in "[A-Z\\\\\"'\n]{1,8}",
    ) {
        prop_assume!(old != new);
        let rust = |text: &str| format!("fn f() {{ g({}) }}", value::python_text(text, '"'));
        let python = format!("def f():\n    return g({})", value::python_text(&old, '\''));
        let there = function(&rust(&old), &rust(&new), &python);
        let there = there.strip_prefix("literal: ").unwrap_or(&there);
        let back = function(&rust(&new), &rust(&old), there);
        prop_assert_eq!(back, format!("literal: {python}"));
    }

    #[test]
    fn whatever_the_texts_are_the_rules_answer_or_decline(
        before in "(fn f|#\\[test\\]|assert_eq!|\\(|\\)|\\{|\\}|;|,| |\"|'|1|-|x|const|=|:|//|\n|é){0,30}",
        after in "(fn f|assert!|\\(|\\)|\\{|\\}|;|,| |\"|r#|2|x|const|=|:|/\\*|é){0,30}",
        python in "(def |f|\\(|\\)|:|\n|    |assert |self|=|1|\"|'''|#|é|\\\\){0,30}",
    ) {
        for kind in [ItemKind::Function, ItemKind::Const] {
            let mut change = body_change("krate::f", kind, &before, &after);
            if let ItemChange::Modified { before, after, .. } = &mut change {
                before.is_test = true;
                after.is_test = true;
            }
            let line = answer(&request(change, vec![context("pkg.f", "pkg.py", &python)]));
            prop_assert!(!line.is_empty());
        }
    }
}

// Whole items.

/// What `items` answers for a member of a crate, in a port with no other symbols.
fn item_answer(source: &str, change: impl Fn(&upstream::Snapshot) -> ItemChange, text: &str) -> String {
    item_answer_beside("", source, change, text)
}

/// What `items` answers for a member of a crate, in a port with this in its file.
fn item_answer_beside(
    file: &str,
    source: &str,
    change: impl Fn(&upstream::Snapshot) -> ItemChange,
    text: &str,
) -> String {
    let (snapshot, program) = crate::compile::tests::program(source);
    let mut request = request(change(&snapshot), vec![context("p.f", "p/__init__.py", text)]);
    let symbols = crate::language::symbol_table(
        [("src/p/__init__.py", file)],
        &crate::language::python::tests::python(),
    );
    let symbols = std::sync::Arc::new(symbols);
    request.surroundings =
        Some(crate::compile::Surroundings { program: std::sync::Arc::new(program), symbols });
    match RuleTranslator::items().translate(&request).unwrap() {
        Translation::Answered { answer: Answer::Edits { edits }, .. } => {
            edits.iter().map(shown).collect::<Vec<_>>().join("\n")
        }
        Translation::Answered { answer: Answer::NoChange { .. }, .. } => "no change".to_owned(),
        Translation::Declined { reason } => format!("declined: {reason}"),
        other @ (Translation::Answered { .. }
        | Translation::Malformed { .. }
        | Translation::Waiting { .. }) => panic!("{other:?}"),
    }
}

fn found(snapshot: &upstream::Snapshot) -> Item {
    snapshot.items[&upstream::ItemPath::new("k::f").unwrap()].clone()
}

#[test]
fn a_new_item_comes_with_what_it_needs() {
    let added = |snapshot: &upstream::Snapshot| ItemChange::Added { after: found(snapshot) };
    let answer = item_answer("pub fn f(a: u8) -> u8 { a + 1 }", added, "");
    assert!(answer.contains("in p/__init__.py\ndef f(a: int) -> int:\n    return _u8(a + 1)"), "{answer}");
    assert!(answer.contains("def _u8(") && answer.contains("def _fit("), "{answer}");
}

#[test]
fn an_item_is_declined_where_what_it_calls_is_not_there_yet() {
    let added = |snapshot: &upstream::Snapshot| ItemChange::Added { after: found(snapshot) };
    let source = "pub fn f() -> u8 { g() } pub fn g() -> u8 { 1 }";
    declined(&item_answer(source, added, ""), "the port has no `p.g` yet");
    declined(&item_answer("pub fn f() { unsafe {} }", added, ""), "qualifier: `unsafe`");
    declined(&item_answer("pub fn f() {}", added, "def f():\n    pass"), "is there already");
    let change = ItemChange::Added { after: item("k::f", ItemKind::Function, "pub fn f() {}") };
    let alone = request(change, vec![context("p.f", "p/__init__.py", "")]);
    let answer = RuleTranslator::items().translate(&alone).unwrap();
    let Translation::Declined { reason } = answer else { panic!("{answer:?}") };
    assert!(reason.contains("nothing is known of the crate"), "{reason}");
}

#[test]
fn an_item_is_declined_where_the_port_has_the_error_in_other_words() {
    let added = |snapshot: &upstream::Snapshot| ItemChange::Added { after: found(snapshot) };
    let source = "pub enum E { Odd, Even(u8) } pub fn f(a: u8) -> Result<u8, E> { Err(E::Even(a)) }";
    let other = "class E(Exception):\n    pass\n\nclass Odd(E):\n    pass\n\nclass Even(E):\n    pass\n";
    declined(&item_answer_beside(other, source, added, ""), "the port has no `p.OddError`");
    let own = other.replace("Odd", "OddError").replace("Even", "EvenError");
    let answer = item_answer_beside(&own, source, added, "");
    assert!(answer.contains("raise EvenError(a)"), "{answer}");
}

#[test]
fn a_changed_item_is_replaced_only_where_it_is_as_the_rule_wrote_it() {
    let changed = |snapshot: &upstream::Snapshot| {
        let after = found(snapshot);
        let before = Item { text: after.text.replace('2', "1"), ..after.clone() };
        ItemChange::Modified { before, after, aspects: Aspects { body: true, ..Aspects::default() } }
    };
    let source = "pub fn f(a: bool) -> u8 { if a { 2 } else { 0 } }";
    let own = "def f(a: bool) -> int:\n    if a:\n        return 1\n    return 0";
    assert_eq!(item_answer(source, changed, own), own.replace('1', "2"));
    let foreign = "def f(a):\n    return 1 if a else 0";
    declined(&item_answer(source, changed, foreign), "not what this rule would have written");
}
