//! The scanner against the parser, on sources made to mislead it, and its laws.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::compare::{LocalChange, Sides, Version, compare};
use super::{Scan, scan};
use crate::snapshot::tests::package;
use crate::snapshot::{Item, ItemKind};

const HARD: &str = include_str!("fixtures/hard.rs");

/// Path, kind and whether it is test code, as the parser has them.
fn parsed(source: &str) -> BTreeSet<(String, ItemKind, bool)> {
    let snapshot = package(&[("src/lib.rs", source), ("src/elsewhere.rs", "")]);
    assert_eq!(snapshot.unparsed, []);
    let entry = |item: &Item| {
        let path = item.path.as_str().split('#').next().unwrap_or_default();
        let inside = path.strip_prefix("my_crate").unwrap_or(path).trim_start_matches("::").to_owned();
        (inside, item.kind, item.is_test)
    };
    snapshot.items.values().filter(|item| item.file == "src/lib.rs").map(entry).collect()
}

fn scanned(source: &str) -> BTreeSet<(String, ItemKind, bool)> {
    let scan = scan(source.as_bytes());
    assert_eq!(scan.trouble, None);
    // A module in another file has its place there.
    let here = scan.items.iter().filter(|item| item.kind != ItemKind::Module || item.contents.is_some());
    here.map(|item| (scan.path(source.as_bytes(), item), item.kind, item.is_test)).collect()
}

#[test]
fn the_scanner_finds_what_the_parser_finds_in_a_file_made_to_mislead_it() {
    assert_eq!(scanned(HARD), parsed(HARD));
}

fn changes(before: &str, after: &str) -> Vec<LocalChange> {
    let (old, new) = (scan(before.as_bytes()), scan(after.as_bytes()));
    assert_eq!((&old.trouble, &new.trouble), (&None, &None));
    let version = |text, scan| Some(Version { text, scan });
    compare(version(before.as_bytes(), &old), version(after.as_bytes(), &new))
}

fn told(before: &str, after: &str) -> Vec<String> {
    let line = |change: LocalChange| match change.sides {
        Sides::Before(_) => format!("- {}", change.path),
        Sides::After(_) => format!("+ {}", change.path),
        Sides::Both(aspects) => {
            format!("~ {} {}", change.path, aspects.names().collect::<Vec<_>>().join(","))
        }
    };
    changes(before, after).into_iter().map(line).collect()
}

#[test]
fn each_aspect_of_an_item_is_told_apart() {
    let before = "/// Old.\n#[inline]\npub fn f(a: u8) -> u8 { a }";
    for (after, expected) in [
        ("/// New.\n#[inline]\npub fn f(a: u8) -> u8 { a }", "docs"),
        ("/// Old.\n#[cold]\npub fn f(a: u8) -> u8 { a }", "attributes"),
        ("/// Old.\n#[inline]\nfn f(a: u8) -> u8 { a }", "visibility"),
        ("/// Old.\n#[inline]\npub fn f(a: u16) -> u8 { a }", "signature"),
        ("/// Old.\n#[inline]\npub fn f(a: u8) -> u8 { a + 1 }", "body"),
    ] {
        assert_eq!(told(before, after), [format!("~ f {expected}")]);
    }
}

#[test]
fn what_rustfmt_does_is_no_change() {
    let before = "use a::{c, b};\nfn f(x:u8)->u8{match x{1=>{g(1,2,)},_=>3}}\nstruct S{a:u8,b:u8,}\n#[derive(A,B)] struct T;";
    let after = "use a::b;\nuse a::c;\n\nfn f(x: u8) -> u8 {\n    match x {\n        1 => g(1, 2), // why\n        _ => 3,\n    }\n}\nstruct S {\n    a: u8,\n    b: u8\n}\n#[derive(A)]\n#[derive(B)]\nstruct T;";
    assert_eq!(told(before, after), Vec::<String>::new());
    assert_eq!(told("use a::{self as b, c};", "use a as b;\nuse a::c;"), Vec::<String>::new());
}

#[test]
fn documentation_inside_an_item_is_its_own() {
    for (before, after, expected) in [
        ("enum E { A }", "enum E { /// One.\n A }", "~ E docs"),
        ("struct S { /// One.\n a: u8 }", "struct S { /// Two.\n a: u8 }", "~ S docs"),
        ("m! { /// One.\n a }", "m! { /// Two.\n a }", "~ m! docs"),
    ] {
        assert_eq!(told(before, after), [expected]);
        let docs = |text: &str| {
            package(&[("src/lib.rs", text)]).items.into_values().last().map(|item| item.fingerprint.docs)
        };
        assert_ne!(docs(before), docs(after), "{after}");
    }
    assert_eq!(told("struct S { a: u8 }", "struct S { // why\n a: u8 }"), Vec::<String>::new());
}

#[test]
fn braces_around_a_jump_are_formatting() {
    let before = "fn f() { loop { match x { 1 => continue, 2 => return 3, _ => break } } }";
    let after = "fn f() { loop { match x { 1 => { continue; } 2 => { return 3; } _ => { break } } } }";
    assert_eq!(told(before, after), Vec::<String>::new());
}

#[test]
fn a_semicolon_behind_a_block_without_value_is_formatting_and_behind_another_is_none() {
    let before = "fn f() { if a { b() }; while c {}; for d in e {}; loop {}; g() }";
    assert_eq!(told(before, &before.replace("};", "}")), Vec::<String>::new());
    assert_eq!(
        told("fn f() -> u8 { if a { b } else { c } }", "fn f() -> u8 { if a { b } else { c }; }"),
        ["~ f body"]
    );
}

#[test]
fn an_empty_where_and_a_comma_behind_bounds_are_formatting() {
    for (before, after) in [
        ("impl<T: A> B for C<T> where {}", "impl<T: A> B for C<T> {}"),
        ("impl<T> B for T\nwhere\n    T: A + 'static,\n{\n}", "impl<T> B for T where T: A + 'static {}"),
        ("fn f<T>() where T: A, {}", "fn f<T>() where T: A {}"),
    ] {
        assert_eq!(told(before, after), Vec::<String>::new());
        let signatures = |text: &str| -> Vec<_> {
            package(&[("src/lib.rs", text)])
                .items
                .into_values()
                .map(|item| item.fingerprint.signature)
                .collect()
        };
        assert_eq!(signatures(before), signatures(after), "{after}");
    }
}

#[test]
fn of_several_items_under_one_path_those_belong_together_that_differ_in_nothing() {
    let before = "m! { a }\nm! { b }\nfn x() {}";
    let after = "m! { c }\nm! { a /* why */ }\nm! { b /* why */ }\nmod x {}\nfn x() { 1 }";
    assert_eq!(told(before, after), ["+ m!", "~ x body", "+ x"]);
}

#[test]
fn a_comma_that_makes_a_tuple_is_a_change() {
    assert_eq!(told("const A: X = (1);", "const A: X = (1,);"), ["~ A body"]);
}

#[test]
fn a_declared_module_that_becomes_public_is_told() {
    assert_eq!(told("mod a;\nfn f() {}", "pub mod a;\nfn f() {}"), ["~ a visibility"]);
}

#[test]
fn what_an_enclosing_module_makes_of_unchanged_text_is_told() {
    assert_eq!(
        told("pub mod m { pub fn f() {} }", "mod m { pub fn f() {} }"),
        ["~ m visibility", "~ m::f visibility"]
    );
    assert_eq!(
        told("mod m { fn f() {} }\nfn g() {}", "#[cfg(test)] mod m { fn f() {} }\nfn g() {}"),
        ["~ m attributes", "~ m::f attributes"]
    );
    assert_eq!(told("impl A { fn f() {} }", "impl B { fn f() {} }"), ["- A::f", "+ B::f"]);
}

#[test]
fn of_two_items_under_one_path_the_unchanged_one_is_found_by_its_text() {
    let before = "#[cfg(a)] fn f() { 1 }\n#[cfg(b)] fn f() { 2 }";
    let after = "#[cfg(c)] fn f() { 3 }\n#[cfg(a)] fn f() { 1 }\n#[cfg(b)] fn f() { 2 }";
    assert_eq!(told(before, after), ["+ f"]);
}

#[test]
fn a_file_whose_brackets_do_not_add_up_is_trouble() {
    for source in [
        "fn f() {",
        "fn f() } {",
        "mod m { fn f() {}",
        "<<<<<<< HEAD\nfn f() {}",
        "#broken",
        "struct",
        "impl X",
    ] {
        assert!(scan(source.as_bytes()).trouble.is_some(), "{source}");
    }
}

#[test]
fn nesting_without_end_is_trouble_and_no_overflow() {
    let deep = "mod a {".repeat(100_000);
    assert!(scan(deep.as_bytes()).trouble.is_some());
    assert!(scan("((((".repeat(100_000).as_bytes()).trouble.is_some());
}

/// Every place in the text is inside it, and in order.
fn is_sound(scan: &Scan, length: usize) -> bool {
    scan.items.iter().all(|item| {
        item.lead.start <= item.lead.end
            && item.head.start <= item.head.end
            && item.body.start <= item.body.end
            && item.end.max(item.body.end) <= length
    })
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(is_sound(&scan(&bytes), bytes.len()));
    }

    #[test]
    fn any_cut_and_any_splice_of_a_source_is_survived(
        start in 0..HARD.len(), length in 0..400_usize, to in 0..HARD.len(),
    ) {
        let bytes = HARD.as_bytes();
        let piece = &bytes[start..(start + length).min(bytes.len())];
        let mut spliced = bytes[..to].to_vec();
        spliced.extend_from_slice(piece);
        spliced.extend_from_slice(&bytes[to..]);
        let scans = [scan(&bytes[..to]), scan(&spliced)];
        prop_assert!(is_sound(&scans[0], to) && is_sound(&scans[1], spliced.len()));
        let version = |text, scan| Some(Version { text, scan });
        compare(version(&bytes[..to], &scans[0]), version(&spliced, &scans[1]));
    }

    #[test]
    fn a_source_against_itself_has_no_change_and_a_mirrored_diff_is_the_mirror(
        drop in 0..100_usize,
    ) {
        let kept = HARD.lines().enumerate().filter(|(at, _)| *at != drop).map(|(_, line)| line);
        let other = kept.collect::<Vec<_>>().join("\n") + "\n";
        prop_assert_eq!(changes(HARD, HARD), vec![]);
        let (old, new) = (scan(HARD.as_bytes()), scan(other.as_bytes()));
        prop_assume!(new.trouble.is_none());
        let version = |text, scan| Some(Version { text, scan });
        let forth = compare(version(HARD.as_bytes(), &old), version(other.as_bytes(), &new));
        let back = compare(version(other.as_bytes(), &new), version(HARD.as_bytes(), &old));
        let mirrored = |changes: Vec<LocalChange>| -> BTreeSet<String> {
            changes.into_iter().map(|change| match change.sides {
                Sides::Before(_) => format!("- {}", change.path),
                Sides::After(_) => format!("+ {}", change.path),
                Sides::Both(aspects) => format!("~ {} {aspects:?}", change.path),
            }).collect()
        };
        let swapped = mirrored(back).into_iter().map(|line| match line.as_bytes().first() {
            Some(b'-') => line.replacen('-', "+", 1),
            Some(b'+') => line.replacen('+', "-", 1),
            _ => line,
        }).collect::<BTreeSet<_>>();
        prop_assert_eq!(mirrored(forth), swapped);
    }
}
