//! The check by itself: it must see changes, and must not take formatting for one.

use std::collections::BTreeSet;

use super::against::{Claim, disagreements};
use super::differ::{Event, Side, events};
use super::{Sampling, read, sampled, windows};

fn happened(before: &str, after: &str) -> Vec<Event> {
    let (old, new) = (read::items(before).unwrap(), read::items(after).unwrap());
    events("a/src/net.rs", Some(&old), Some(&new))
}

fn told(before: &str, after: &str) -> Vec<String> {
    let line = |event: Event| {
        // Formatting.
        if event.side == Side::Modified && event.aspects.is_empty() {
            return None;
        }
        let aspects: Vec<&str> = event.aspects.into_iter().collect();
        let told = format!("{:?} {} {} {}", event.side, event.kind, event.path, aspects.join(","))
            .trim_end()
            .to_owned();
        Some(told)
    };
    happened(before, after).into_iter().filter_map(line).collect()
}

#[test]
fn the_check_sees_each_aspect() {
    let before = "/// Old.\n#[inline]\npub fn f(a: u8) -> u8 { a }";
    for (after, aspect) in [
        ("/// New.\n#[inline]\npub fn f(a: u8) -> u8 { a }", "docs"),
        ("/// Old.\n#[cold]\npub fn f(a: u8) -> u8 { a }", "attributes"),
        ("/// Old.\n#[inline]\nfn f(a: u8) -> u8 { a }", "visibility"),
        ("/// Old.\n#[inline]\npub fn f(a: u16) -> u8 { a }", "signature"),
        ("/// Old.\n#[inline]\npub fn f(a: u8) -> u8 { a + 1 }", "body"),
    ] {
        assert_eq!(told(before, after), [format!("Modified function f {aspect}")]);
    }
    assert_eq!(told("enum E { A }", "enum E { /// A.\n A }"), ["Modified enum E docs"]);
}

#[test]
fn the_check_takes_no_formatting_for_a_change() {
    let before = "use a::{c, b};\nfn f(x:u8)->u8{match x{1=>{g(1,2,)},|2=>{return 3;}_=>h!(1,)}}\n#[derive(A,B)] struct T{a:u8,}";
    let after = "use a::b;\nuse a::c;\nfn f(x: u8) -> u8 {\n  // why\n  match x { 1 => g(1, 2), 2 => return 3, _ => h!(1) }\n}\n#[derive(A)]\n#[derive(B)]\nstruct T { a: u8 }";
    assert_eq!(told(before, after), Vec::<String>::new());
    assert_eq!(told("const A: X = (1);", "const A: X = (1,);"), ["Modified const A body"]);
}

#[test]
fn names_are_those_of_the_product() {
    let text = "impl<'a, T> From<&'a [T]> for B<'a, T> { fn from() {} } impl (C) { fn g() {} } impl !Send for dyn D {}";
    let names: Vec<String> = read::items(text).unwrap().into_iter().map(|found| found.path).collect();
    assert_eq!(names, ["", "<B<T>asFrom<&[T]>>", "<B<T>asFrom<&[T]>>::from", "C::g", "<dynDas!Send>"]);
}

#[test]
fn a_file_that_is_no_rust_is_named_with_its_reason() {
    assert!(read::items("fn f( {").is_err());
}

fn claim(side: Side, path: &str) -> Claim {
    Claim {
        side,
        file: Some("a/src/net.rs".to_owned()),
        path: path.to_owned(),
        kind: "function".to_owned(),
        aspects: BTreeSet::new(),
    }
}

#[test]
fn what_only_one_of_the_two_says_is_a_disagreement() {
    let events = || happened("fn gone() {}", "fn come() {}");
    let right = || vec![claim(Side::Added, "a::net::come"), claim(Side::Removed, "a::net::gone")];
    assert!(disagreements(right(), events(), &[]).disagreements.is_empty());
    assert_eq!(disagreements(right(), Vec::new(), &[]).disagreements.len(), 2);
    assert_eq!(disagreements(Vec::new(), events(), &[]).disagreements.len(), 2);
    let wrong_module = vec![claim(Side::Added, "a::other::come"), claim(Side::Removed, "a::net::gone")];
    assert_eq!(disagreements(wrong_module.clone(), events(), &[]).disagreements.len(), 2);
    // Unless an attribute gives the file that name.
    let named = ["/src/net.rs".to_owned()];
    assert!(disagreements(wrong_module, events(), &named).disagreements.is_empty());
}

#[test]
fn an_item_that_moved_was_removed_there_and_added_here() {
    let (old, new) = (read::items("fn f() {}").unwrap(), read::items("").unwrap());
    let mut events_of_both = events("a/src/old.rs", Some(&old), Some(&new));
    events_of_both.extend(happened("", "fn f() {}"));
    // A row names the new file alone.
    let from = Claim { file: None, ..claim(Side::Removed, "a::old::f") };
    let verdict = disagreements(vec![from, claim(Side::Added, "a::net::f")], events_of_both, &[]);
    assert_eq!((verdict.agreed, verdict.disagreements.len()), (2, 0));
}

#[test]
fn a_module_that_becomes_a_file_leaves_its_items_where_they_were() {
    let whole = |inside: &str| {
        let (inline, outside) = (format!("mod net {{ {inside} }}"), read::items("mod net;").unwrap());
        let inline = read::items(&inline).unwrap();
        events("a/src/lib.rs", Some(&inline), Some(&outside))
    };
    let became = |text: &str| {
        let mut events_of_both = whole("fn f() {}");
        events_of_both.extend(events("a/src/net.rs", None, Some(&read::items(text).unwrap())));
        events_of_both
    };
    assert!(disagreements(Vec::new(), became("fn f() {}"), &[]).disagreements.is_empty());
    let changed = became("fn f() { g() }");
    assert_eq!(disagreements(Vec::new(), changed.clone(), &[]).disagreements.len(), 2);
    let told = vec![claim(Side::Modified, "a::net::f")];
    assert!(disagreements(told, changed, &[]).disagreements.is_empty());
}

#[test]
fn what_is_formatting_to_the_check_alone_is_told_as_that() {
    let events = happened("fn f() { if a { b += 1 } }", "fn f() { if a { b += 1; } }");
    let verdict = disagreements(vec![claim(Side::Modified, "a::net::f")], events, &[]);
    assert_eq!(verdict.disagreements.len(), 1);
    assert_eq!(verdict.disagreements[0].class, "formatting_to_the_check");
}

#[test]
fn windows_are_spread_and_lie_inside_the_history() {
    let starts = windows(10_000, 500, 25, 7);
    assert_eq!(starts.len(), 20);
    assert!(starts.windows(2).all(|pair| pair[1] >= pair[0] + 25), "{starts:?}");
    assert!(starts.iter().all(|start| start + 25 <= 10_000));
    assert_ne!(starts, windows(10_000, 500, 25, 8));
    assert_eq!(windows(10, 500, 25, 7), [0]);
}

#[test]
fn a_measure_without_repositories_or_revisions_says_what_it_needs() {
    let mut tell = |_| Ok(());
    let error = sampled(&[], &Sampling::default(), &mut tell).unwrap_err().to_string();
    assert!(error.contains("--repo PATH"), "{error}");
    let none = Sampling { revisions: 0, ..Sampling::default() };
    let error = sampled(&["/nowhere".into()], &none, &mut tell).unwrap_err().to_string();
    assert!(error.contains("--revisions"), "{error}");
}
