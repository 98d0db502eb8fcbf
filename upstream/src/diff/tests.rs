//! What the diff says of small pairs, one for each kind of change, and its laws.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::snapshot::Snapshot;
use crate::snapshot::tests::{package, repository};

fn library(text: &str) -> Snapshot {
    package(&[("src/lib.rs", text)])
}

/// The diff as text: the class, then items, files and dependencies.
fn told(diff: &SemanticDiff) -> String {
    let mut text = format!("{:?}\n", diff.class);
    for change in &diff.items {
        let from = match change {
            ItemChange::Relocated { before, .. } => format!(" from {}", before.path),
            ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Modified { .. } => {
                String::new()
            }
        };
        writeln!(text, "{}: {}{from}", change.path(), change.summary()).unwrap();
    }
    for change in &diff.files {
        writeln!(text, "{:?} {}", change.kind, change.file).unwrap();
    }
    for change in &diff.dependencies {
        writeln!(
            text,
            "{} -> {}: {:?} to {:?}",
            change.package, change.dependency, change.before, change.after
        )
        .unwrap();
    }
    text
}

#[track_caller]
fn check(before: &str, after: &str, expected: &str) {
    let diff = compare(&library(before), &library(after));
    assert_eq!(told(&diff).trim_end(), expected, "{before}\n{after}");
}

#[test]
fn an_added_private_function_is_internal_behaviour() {
    check("", "fn f() {}", "InternalBehaviour\nmy_crate::f: added");
}

#[test]
fn a_removed_public_function_changes_the_public_surface() {
    check("pub fn f() {}", "", "PublicApiRemoved\nmy_crate::f: removed");
}

#[test]
fn a_changed_body_is_internal_behaviour() {
    check("pub fn f() -> u8 { 1 }", "pub fn f() -> u8 { 2 }", "InternalBehaviour\nmy_crate::f: body");
}

#[test]
fn a_changed_header_changes_the_public_surface() {
    check("pub fn f(a: u8) {}", "pub fn f(a: u16) {}", "PublicApiChanged\nmy_crate::f: signature");
}

#[test]
fn changed_documentation_changes_no_behaviour() {
    check("/// A.\npub fn f() {}", "/// B.\npub fn f() {}", "NoBehaviourChange\nmy_crate::f: docs");
}

#[test]
fn a_changed_attribute_can_change_behaviour() {
    check(
        "#[derive(Clone)] pub struct S;",
        "#[derive(Clone, Debug)] pub struct S;",
        "PublicApiChanged\nmy_crate::S: attributes",
    );
    check("fn f() {}", "#[inline] fn f() {}", "InternalBehaviour\nmy_crate::f: attributes");
}

#[test]
fn changed_visibility_of_what_can_be_reached_changes_the_public_surface() {
    check("fn f() {}", "pub fn f() {}", "PublicApiAdded\nmy_crate::f: visibility");
    check("fn f() {}", "pub(crate) fn f() {}", "NoBehaviourChange\nmy_crate::f: visibility");
    check("pub(crate) fn f() {}", "pub(super) fn f() {}", "NoBehaviourChange\nmy_crate::f: visibility");
    check("pub(self) fn f() {}", "pub(in self) fn f() {}", "NoBehaviourChange");
}

#[test]
fn added_fields_and_variants_are_part_of_the_header() {
    check("pub enum E { A }", "pub enum E { A, B }", "PublicApiChanged\nmy_crate::E: signature");
    check("struct S { a: u8 }", "struct S { a: u8, b: u8 }", "InternalBehaviour\nmy_crate::S: signature");
}

#[test]
fn a_moved_function_is_one_change() {
    check(
        "mod a { pub fn f() -> u8 { 40 + 2 } } mod b {}",
        "mod a {} mod b { pub fn f() -> u8 { 40 + 2 } }",
        "InternalBehaviour\nmy_crate::b::f: moved from my_crate::a::f"
            .replace("InternalBehaviour", "NoBehaviourChange")
            .as_str(),
    );
}

#[test]
fn a_renamed_function_is_one_change_though_it_calls_itself() {
    check(
        "pub fn old(n: u8) -> u8 { if n == 0 { 7 } else { old(n - 1) } }",
        "/// New.\npub fn new(n: u8) -> u8 { if n == 0 { 7 } else { new(n - 1) } }",
        "PublicApiRemoved\nmy_crate::new: renamed, docs from my_crate::old",
    );
}

#[test]
fn methods_that_move_with_their_type_are_each_moved() {
    check(
        "mod a { pub struct S; impl S { fn m(&self) -> u8 { 9 } } impl Clone for S { fn clone(&self) -> S { S } } } mod b {}",
        "mod a {} mod b { pub struct S; impl S { fn m(&self) -> u8 { 9 } } impl Clone for S { fn clone(&self) -> S { S } } }",
        "NoBehaviourChange
my_crate::b::<S as Clone>: moved from my_crate::a::<S as Clone>
my_crate::b::<S as Clone>::clone: moved from my_crate::a::<S as Clone>::clone
my_crate::b::S: moved from my_crate::a::S
my_crate::b::S::m: moved from my_crate::a::S::m",
    );
}

#[test]
fn look_alikes_stay_removed_and_added() {
    check(
        "fn a() { g() } fn b() { g() }",
        "fn c() { g() } fn d() { g() }",
        "InternalBehaviour\nmy_crate::a: removed\nmy_crate::b: removed\nmy_crate::c: added\nmy_crate::d: added",
    );
}

#[test]
fn of_look_alikes_each_keeps_its_name() {
    check(
        "mod x { fn a() { g() } fn b() { g() } } mod y {}",
        "mod x {} mod y { fn a() { g() } fn b() { g() } }",
        "NoBehaviourChange\nmy_crate::y::a: moved from my_crate::x::a\nmy_crate::y::b: moved from my_crate::x::b",
    );
}

#[test]
fn tests_alone_change_no_behaviour() {
    check(
        "#[cfg(test)] mod tests { #[test] fn t() { a() } }",
        "#[cfg(test)] mod tests { #[test] fn t() { b() } fn more() {} }",
        "NoBehaviourChange\nmy_crate::tests::more: added\nmy_crate::tests::t: body",
    );
}

#[test]
fn position_comments_and_layout_are_no_change() {
    check(
        "fn a() {}\nfn b() { g(1, 2) }",
        "// A comment.\nfn b() {\n    g(\n        1,\n        2,\n    )\n}\n\nfn a() {}",
        "NoBehaviourChange",
    );
}

#[test]
fn another_definition_under_one_path_shifts_no_other() {
    check(
        "#[cfg(a)] fn f() { 1 } #[cfg(b)] fn f() { 2 }",
        "#[cfg(c)] fn f() { 3 } #[cfg(a)] fn f() { 1 } #[cfg(b)] fn f() { 2 }",
        "InternalBehaviour\nmy_crate::f: added",
    );
}

#[test]
fn another_kind_under_one_name_is_another_header() {
    check("pub const A: u8 = 1;", "pub static A: u8 = 1;", "PublicApiChanged\nmy_crate::A: signature");
}

#[test]
fn files_that_no_item_speaks_for_have_a_class_of_their_own() {
    let with = |path: &str, text: &str| package(&[("src/lib.rs", "pub fn f() {}"), (path, text)]);
    for (path, class) in [
        ("README.md", RevisionClass::NoBehaviourChange),
        ("LICENSE", RevisionClass::NoBehaviourChange),
        ("tests/data/input.json", RevisionClass::NoBehaviourChange),
        (".github/workflows/ci.yml", RevisionClass::BuildOnly),
        ("build.rs", RevisionClass::BuildOnly),
        ("src/table.bin", RevisionClass::InternalBehaviour),
        ("src/not_a_module.rs", RevisionClass::InternalBehaviour),
    ] {
        let diff = compare(&with(path, "a"), &with(path, "b"));
        assert_eq!(diff.class, class, "{path}");
        assert_eq!(diff.files, [FileChange { file: path.to_owned(), kind: FileChangeKind::Modified }]);
    }
}

#[test]
fn dependencies_are_told_one_by_one() {
    let with = |dependencies: &str| {
        let manifest = format!("[package]\nname = \"p\"\n[dependencies]\n{dependencies}");
        repository(&[("Cargo.toml", &manifest), ("src/lib.rs", "")])
    };
    let diff = compare(&with("a = \"1\"\nb = \"1\""), &with("b = \"2\"\nc = \"1\""));
    assert_eq!(
        told(&diff).trim_end(),
        "Dependencies\nModified Cargo.toml\np -> a: Some(\"1\") to None\np -> b: Some(\"1\") to Some(\"2\")\np -> c: None to Some(\"1\")"
    );
}

#[test]
fn a_file_that_no_longer_parses_is_a_changed_file_and_removes_nothing() {
    let whole = package(&[("src/lib.rs", "mod a;"), ("src/a.rs", "pub fn f() {}")]);
    let broken = package(&[("src/lib.rs", "mod a;"), ("src/a.rs", "pub fn f( {}")]);
    let diff = compare(&whole, &broken);
    assert_eq!(told(&diff).trim_end(), "InternalBehaviour\nModified src/a.rs");
    assert_eq!(diff.unparsed.len(), 1);
    assert_eq!(told(&compare(&broken, &whole)).trim_end(), "InternalBehaviour\nModified src/a.rs");
}

#[test]
fn an_unreadable_root_hides_its_modules_and_removes_none() {
    let whole = package(&[("src/lib.rs", "mod a;"), ("src/a.rs", "pub fn f() {}")]);
    let deep = "(".repeat(1_000);
    let broken = package(&[("src/lib.rs", &deep), ("src/a.rs", "pub fn f() {}")]);
    assert_eq!(told(&compare(&whole, &broken)).trim_end(), "InternalBehaviour\nModified src/lib.rs");
}

#[test]
fn one_item_against_nothing_is_added_or_removed() {
    let snapshot = library("fn f() {}");
    let item = crate::snapshot::tests::item(&snapshot, "my_crate::f");
    assert_eq!(item_change(None, None), None);
    assert_eq!(item_change(Some(item), Some(item)), None);
    assert_eq!(item_change(None, Some(item)).unwrap().summary(), "added");
    assert_eq!(item_change(Some(item), None).unwrap().summary(), "removed");
}

/// Some items, whose text depends on a few choices.
fn library_text() -> impl Strategy<Value = String> {
    let item = (0..4_u8, 0..6_u8, 0..3_u8, any::<bool>()).prop_map(|(kind, name, body, public)| {
        let public = if public { "pub " } else { "" };
        match kind {
            0 => format!("{public}fn f{name}() -> u8 {{ {body} }}"),
            1 => format!("{public}struct S{name} {{ a: [u8; {body}] }}"),
            2 => format!("impl S{name} {{ {public}fn m(&self) {{ g({body}) }} }}"),
            _ => format!("{public}mod m{name} {{ /// {body}\npub fn inner() {{}} }}"),
        }
    });
    prop::collection::vec(item, 0..12).prop_map(|items| items.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn equal_snapshots_have_an_empty_diff(text in library_text()) {
        let snapshot = library(&text);
        let diff = compare(&snapshot, &snapshot);
        prop_assert_eq!(told(&diff), "NoBehaviourChange\n");
    }

    #[test]
    fn the_mirrored_diff_swaps_added_and_removed(before in library_text(), after in library_text()) {
        let (before, after) = (library(&before), library(&after));
        let count = |diff: &SemanticDiff| {
            let mut counts = [0; 4];
            for change in &diff.items {
                counts[match change {
                    ItemChange::Added { .. } => 0,
                    ItemChange::Removed { .. } => 1,
                    ItemChange::Modified { .. } => 2,
                    ItemChange::Relocated { .. } => 3,
                }] += 1;
            }
            counts
        };
        let (there, back) = (compare(&before, &after), compare(&after, &before));
        let [added, removed, modified, relocated] = count(&there);
        prop_assert_eq!(count(&back), [removed, added, modified, relocated]);
        prop_assert_eq!(there.class.is_public(), back.class.is_public());
        if !there.class.is_public() {
            prop_assert_eq!(there.class, back.class);
        }
        prop_assert_eq!(there.files, back.files);
    }

    #[test]
    fn every_item_is_told_once(before in library_text(), after in library_text()) {
        let (before, after) = (library(&before), library(&after));
        let diff = compare(&before, &after);
        let mut old: Vec<_> = diff.items.iter().filter_map(|change| change.before().map(|item| &item.path)).collect();
        let mut new: Vec<_> = diff.items.iter().filter_map(|change| change.after().map(|item| &item.path)).collect();
        let (all_old, all_new) = (old.len(), new.len());
        old.sort();
        old.dedup();
        new.sort();
        new.dedup();
        prop_assert_eq!((old.len(), new.len()), (all_old, all_new));
        let gone = before.items.keys().filter(|path| !after.items.contains_key(*path));
        for path in gone.filter(|path| !path.as_str().contains('#')) {
            prop_assert!(old.contains(&path), "{} is not told", path);
        }
    }
}

#[test]
fn code_that_becomes_test_code_where_it_stands_changed() {
    check(
        "mod m { fn f() {} }",
        "#[cfg(test)] mod m { fn f() {} }",
        "InternalBehaviour\nmy_crate::m: attributes\nmy_crate::m::f: attributes",
    );
}

/// What the thorough search says, and what it left out.
fn thoroughly(before: &str, after: &str) -> String {
    let (diff, not_searched) = compare_thoroughly(&library(before), &library(after));
    format!("{}{}", told(&diff), not_searched.join("\n"))
}

const LONG: &str = "{ let mut total = 0; for (at, part) in text.split(',').enumerate() { total += part.len() * at; } if total > 10 { total -= 1; } total }";

#[test]
fn what_moved_and_changed_is_one_change_in_the_thorough_search() {
    let changed = LONG.replace("10", "20");
    assert_eq!(
        thoroughly(
            &format!("mod a {{ pub fn weigh(text: &str) -> usize {LONG} }} mod b {{}}"),
            &format!("mod a {{}} mod b {{ pub fn weigh(text: &str, _more: u8) -> usize {changed} }}"),
        ),
        "InternalBehaviour\nmy_crate::b::weigh: moved, signature, body from my_crate::a::weigh\n"
    );
    assert_eq!(
        thoroughly(
            &format!("fn weigh(text: &str) -> usize {LONG}"),
            &format!("fn measure(text: &str) -> usize {changed}")
        ),
        "InternalBehaviour\nmy_crate::measure: renamed, body from my_crate::weigh\n"
    );
}

#[test]
fn a_renamed_module_is_known_by_what_it_holds_and_its_contents_follow() {
    assert_eq!(
        thoroughly(
            "mod old { use x; pub struct S { a: u8 } impl S { fn go(&self) -> u8 { self.a } } pub fn f() { g() } }",
            "mod new { use y; pub struct S { a: u8, b: u8 } impl S { fn go(&self) -> u8 { self.a + self.b } } pub fn f() { g() } }",
        ),
        "InternalBehaviour
my_crate::new: renamed, body from my_crate::old
my_crate::new::S: moved, signature from my_crate::old::S
my_crate::new::S::go: moved, body from my_crate::old::S::go
my_crate::new::f: moved from my_crate::old::f
"
    );
}

#[test]
fn short_look_alikes_and_equal_candidates_are_left_alone() {
    assert_eq!(
        thoroughly("fn a() -> u8 { 1 }", "fn b() -> u8 { 2 }"),
        "InternalBehaviour\nmy_crate::a: removed\nmy_crate::b: added\n"
    );
    let (one, two) = (LONG.replace("10", "20"), LONG.replace("10", "30"));
    assert_eq!(
        thoroughly(
            &format!("fn weigh(text: &str) -> usize {LONG}"),
            &format!("fn one(text: &str) -> usize {one} fn two(text: &str) -> usize {two}"),
        ),
        "InternalBehaviour\nmy_crate::one: added\nmy_crate::two: added\nmy_crate::weigh: removed\n"
    );
}

#[test]
fn a_search_among_too_many_says_that_it_was_not_made() {
    let many =
        |name: &str| (0..3_100).map(|n| format!("fn {name}{n}() {{ {n} }}\n")).collect::<Vec<_>>().concat();
    let (diff, not_searched) = compare_thoroughly(&library(&many("a")), &library(&many("b")));
    assert_eq!(not_searched.len(), 0, "equal bodies were found by the exact search: {not_searched:?}");
    assert_eq!(diff.items.len(), 3_100);
    let other = |name: &str| {
        (0..3_100).map(|n| format!("fn {name}{n}() {{ {n} + 1_000_000 }}\n")).collect::<Vec<_>>().concat()
    };
    let (diff, not_searched) = compare_thoroughly(&library(&many("a")), &library(&other("b")));
    assert_eq!(diff.items.len(), 6_200);
    assert!(not_searched[0].contains("6200 added and removed"), "{not_searched:?}");
}
