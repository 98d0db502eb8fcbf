//! What listings say of small repositories; every listing is held against its schema.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::between::between_trees;
use super::items::items_of;
use super::*;
use crate::diff::{RevisionClass, compare_thoroughly};
use crate::history::Confidence;
use crate::schemas::assert_valid;
use crate::snapshot::read;
use crate::snapshot::tests::revision;
use crate::tree::{MemoryTree, SourceTree, TreeEntry, TreeError};

const MANIFEST: &str = "[package]\nname = \"pool\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";

type Files<'a> = &'a [(&'a str, &'a str)];

fn tree(files: Files<'_>) -> MemoryTree {
    files.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
}

fn listed(before: &dyn SourceTree, after: &dyn SourceTree) -> DiffListing {
    let revision = revision();
    let listing =
        between_trees((before, Some(&revision)), (after, &revision), Options { patches: true }).unwrap();
    assert_valid(&listing);
    for record in listing.clone().records() {
        assert_valid(&record);
    }
    listing
}

fn diff(before: Files<'_>, after: Files<'_>) -> DiffListing {
    listed(&tree(before), &tree(after))
}

/// The diff of a library of one file.
fn library(before: &str, after: &str) -> DiffListing {
    diff(
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", before)],
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", after)],
    )
}

/// A listing as lines: the class, items with parts, everything else.
fn told(listing: &DiffListing) -> String {
    let mut text = format!("{:?} {:?}\n", listing.summary.class, listing.summary.confidence);
    for row in &listing.items {
        let from = row.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
        let with = row.moved_with.as_ref().map_or_else(String::new, |with| format!(" with {with}"));
        writeln!(text, "{} {}{from}{with}", row.path, row.summary()).unwrap();
        for part in &row.parts {
            let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
            let (before, after) = (side(&part.text.before), side(&part.text.after));
            writeln!(text, "  {} {}: {before} -> {after}", part.kind.word(), part.summary()).unwrap();
        }
        for attribute in &row.attributes {
            writeln!(text, "  {:?} {}", attribute.change, attribute.attribute).unwrap();
        }
    }
    for it in &listing.dependencies {
        writeln!(text, "dependency {} {}: {:?} -> {:?}", it.package, it.dependency, it.before, it.after)
            .unwrap();
    }
    for it in &listing.features {
        writeln!(text, "feature {}/{}: {:?} -> {:?}", it.package, it.feature, it.before, it.after).unwrap();
    }
    for it in &listing.settings {
        writeln!(text, "setting {} {}: {:?} -> {:?}", it.package, it.key, it.before, it.after).unwrap();
    }
    for it in &listing.moves {
        writeln!(text, "{:?} {:?} -> {:?} {} {}", it.kind, it.from, it.to, it.items, it.modified).unwrap();
    }
    for it in &listing.files {
        writeln!(text, "file {:?} {}", it.kind, it.file).unwrap();
    }
    for it in &listing.unparsed {
        writeln!(text, "unparsed {}: {}", it.file, it.reason).unwrap();
    }
    for it in &listing.summary.not_searched {
        writeln!(text, "not searched: {it}").unwrap();
    }
    text
}

#[track_caller]
fn check(before: &str, after: &str, expected: &str) {
    assert_eq!(told(&library(before, after)).trim_end(), expected, "{before}\n{after}");
}

#[test]
fn fields_and_variants_are_told_one_by_one() {
    check(
        "pub struct S { pub a: u8, b: u8, c: u8 }",
        "pub struct S { a: u8, b: u16, pub d: u8 }",
        "PublicApiChanged Certain
pool::S signature
  field visibility: pub a: u8 -> a: u8
  field type: b: u8 -> b: u16
  field removed: c: u8 -> nothing
  field added: nothing -> pub d: u8",
    );
    check(
        "#[derive(Clone, Debug)] pub enum E { A, B { x: u8 }, C(u8), D = 4 }",
        "#[derive(Clone)] #[must_use] pub enum E { A, B { x: u16 }, C { y: u8 }, D = 5, F(u8) }",
        "PublicApiChanged Certain
pool::E signature, attributes
  field type: x: u8 -> x: u16
  variant form: C(u8) -> C { y: u8 }
  field removed: u8 -> nothing
  variant form: D = 4 -> D = 5
  field added: nothing -> y: u8
  variant added: nothing -> F(u8)
  Removed derive(Debug)
  Added must_use",
    );
}

#[test]
fn the_order_of_parts_can_be_all_that_changed() {
    let listing = library("#[repr(C)] struct S { a: u8, b: u8 }", "#[repr(C)] struct S { b: u8, a: u8 }");
    assert!(listing.items[0].reordered && listing.items[0].parts.is_empty(), "{}", told(&listing));
}

#[test]
fn arms_of_a_macro_are_told_by_pattern_and_right_side() {
    check(
        "macro_rules! m { () => { 1 }; ($a:expr) => { 2 }; }",
        "macro_rules! m { () => { 3 }; ($a:ident) => { 2 }; }",
        "InternalBehaviour Certain
pool::m body
  arm body: () -> ()
  arm pattern: ($a: expr) -> ($a: ident)",
    );
}

#[test]
fn what_a_module_hands_on_is_part_of_the_public_surface() {
    check(
        "mod a { pub struct S; } pub use a::S; use std::fmt;",
        "mod a { pub struct S; } pub use a::S; pub use std::io; extern crate alloc;",
        "PublicApiAdded Certain
pool body
  use removed: use std::fmt -> nothing
  use added: nothing -> pub use std::io
  extern crate added: nothing -> extern crate alloc",
    );
    let listing = library("pub mod a { pub fn f() {} } pub use a::f;", "pub mod a { pub fn f() {} }");
    assert_eq!(listing.summary.class, RevisionClass::PublicApiRemoved, "{}", told(&listing));
    assert_eq!(listing.summary.counts.public_removed, 1);
}

#[test]
fn what_moves_behind_a_re_export_is_named_as_before() {
    check(
        "mod a { pub fn f() -> u8 { 40 + 2 } } mod b {} pub use a::f;",
        "mod a {} mod b { pub fn f() -> u8 { 40 + 2 } } pub use b::f;",
        "InternalBehaviour Certain
pool body
  use removed: pub use a::f -> nothing
  use added: nothing -> pub use b::f
pool::b::f moved from pool::a::f",
    );
}

#[test]
fn headers_of_blocks_are_told_with_their_type_or_module() {
    check(
        "pub struct S<T>(T); impl<T> S<T> { pub fn f(&self) {} } extern \"C\" { fn g(); }",
        "pub struct S<T>(T); impl<T: Clone> S<T> { pub fn f(&self) {} } extern \"system\" { fn g(); }",
        "PublicApiChanged Certain
pool signature
  extern signature: extern \"C\" -> extern \"system\"
pool::S signature
  impl signature: impl<T> S<T> -> impl<T: Clone> S<T>",
    );
    // Another block of the same form, and the order of blocks, are nothing.
    check(
        "struct S; impl S { fn f() {} fn g() {} }",
        "struct S; impl S { fn g() {} } impl S { fn f() {} }",
        "NoBehaviourChange Certain",
    );
}

#[test]
fn twins_and_implementations_are_told_apart() {
    check(
        "#[cfg(unix)] pub fn f() { 1 } #[cfg(windows)] pub fn f() { 2 } pub struct S; impl From<u8> for S { fn from(_: u8) -> S { S } }",
        "#[cfg(unix)] pub fn f() { 1 } #[cfg(windows)] pub fn f() { 3 } pub struct S; impl From<u8> for S { fn from(_: u8) -> S { S } } impl<T: Clone> Tr for T {}",
        "PublicApiAdded Certain
pool::<T as Tr> added
pool::f#2 body",
    );
}

#[test]
fn tests_and_documentation_are_told_apart() {
    let listing = library("/// A.\npub fn f() {}", "/// B.\n/// ```\n/// pool::f();\n/// ```\npub fn f() {}");
    assert_eq!(listing.summary.touched, BTreeSet::from([Touched::Docs]));
    assert_eq!(listing.items[0].doc_tests, Some(DocTests { before: 0, after: 1 }));
    let listing = library("#[test] fn t() { 1 }", "#[test] fn t() { 2 }");
    assert_eq!(listing.summary.touched, BTreeSet::from([Touched::Tests]));
    assert_eq!(listing.summary.class, RevisionClass::NoBehaviourChange);
    check(
        "struct S {\n /// Old.\n a: u8 }",
        "struct S {\n /// New.\n a: u8 }",
        "NoBehaviourChange Certain\npool::S docs\n  field docs: a: u8 -> a: u8",
    );
}

#[test]
fn a_file_that_moves_unchanged_is_a_move_and_nothing_else() {
    let text = "pub fn f() { g(1, 2) } pub struct S { a: u8 }";
    let listing = diff(
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod a;"), ("src/a.rs", text), ("notes/x.md", "x")],
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod a;"), ("src/a/mod.rs", text), ("docs/x.md", "x")],
    );
    assert_eq!(
        told(&listing),
        "NoBehaviourChange Certain
Moved [\"notes/x.md\"] -> [\"docs/x.md\"] 0 false
Moved [\"src/a.rs\"] -> [\"src/a/mod.rs\"] 2 false
"
    );
    assert_eq!(listing.summary.touched, BTreeSet::from([Touched::Moves]));
}

const ONE: &str = "pub fn one(text: &str) -> usize { text.split(',').map(str::len).sum::<usize>() + 1 }\n";
const TWO: &str = "pub fn two(text: &str) -> usize { text.split(';').map(str::len).max().unwrap_or(7) }\n";

#[test]
fn files_that_are_split_and_merged_are_told_as_such() {
    let both = format!("{ONE}{TWO}");
    let apart: Files<'_> = &[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "mod one; mod two;"),
        ("src/one.rs", ONE),
        ("src/two.rs", TWO),
    ];
    let whole: Files<'_> =
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod both;"), ("src/both.rs", both.as_str())];
    let there = diff(whole, apart);
    assert!(
        told(&there).contains("Split [\"src/both.rs\"] -> [\"src/one.rs\", \"src/two.rs\"] 2 true"),
        "{}",
        told(&there)
    );
    let back = diff(apart, whole);
    assert!(
        told(&back).contains("Merged [\"src/one.rs\", \"src/two.rs\"] -> [\"src/both.rs\"] 2 true"),
        "{}",
        told(&back)
    );
}

#[test]
fn a_file_that_moved_and_changed_is_told_as_such() {
    let changed = ONE.replace("+ 1", "+ 2");
    let listing = diff(
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod a;"), ("src/a.rs", ONE)],
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod b;"), ("src/b.rs", &changed)],
    );
    assert_eq!(
        told(&listing),
        "InternalBehaviour Certain
pool::b renamed from pool::a
pool::b::one moved, body from pool::a::one
Moved [\"src/a.rs\"] -> [\"src/b.rs\"] 1 true
"
    );
}

#[test]
fn manifests_are_told_key_by_key() {
    let manifest = |rest: &str| format!("{MANIFEST}{rest}");
    let lock =
        |version: &str| format!("version = 4\n\n[[package]]\nname = \"log\"\nversion = \"{version}\"\n");
    let (old, new) = (
        manifest("[features]\na = []\nb = [\"a\"]\n[dependencies]\nlog = \"0.4\"\n"),
        manifest("[features]\nb = [\"a\", \"log\"]\n[dependencies]\nlog = \"0.5\"\n[dev-dependencies]\nx = \"1\"\n")
            .replace("1.0.0", "1.1.0"),
    );
    let (old_lock, new_lock) = (lock("0.4.1"), lock("0.5.0"));
    let listing = diff(
        &[("Cargo.toml", &old), ("Cargo.lock", &old_lock), ("src/lib.rs", "")],
        &[("Cargo.toml", &new), ("Cargo.lock", &new_lock), ("src/lib.rs", "")],
    );
    assert_eq!(
        told(&listing),
        "Dependencies Certain
dependency pool log: Some(\"0.4\") -> Some(\"0.5\")
dependency pool x (dev): None -> Some(\"1\")
dependency Cargo.lock log: Some(\"0.4.1\") -> Some(\"0.5.0\")
feature pool/a: Some([]) -> None
feature pool/b: Some([\"a\"]) -> Some([\"a\", \"log\"])
setting pool package.version: Some(\"\\\"1.0.0\\\"\") -> Some(\"\\\"1.1.0\\\"\")
file Modified Cargo.lock
file Modified Cargo.toml
"
    );
}

#[test]
fn what_cannot_be_read_is_named_and_leaves_the_class_open() {
    let listing = diff(
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod a; pub fn f() {}"), ("src/a.rs", "fn g() {}")],
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod a; pub fn f() { 1 }"), ("src/a.rs", "fn g( {}")],
    );
    assert_eq!(listing.summary.confidence, Confidence::Unknown);
    assert!(told(&listing).contains("unparsed src/a.rs: line 1"), "{}", told(&listing));
    assert!(told(&listing).contains("pool::f body"));
    let listing = diff(
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", "")],
        &[("Cargo.toml", "[package\n"), ("src/lib.rs", "")],
    );
    assert!(told(&listing).contains("unparsed Cargo.toml"), "{}", told(&listing));
}

/// A tree that lacks the content of one file.
struct Lacking(MemoryTree, &'static str);

impl SourceTree for Lacking {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        self.0.entries()
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError> {
        if path == self.1 {
            return Err(TreeError { path: path.to_owned(), reason: "object 0123 is not there".to_owned() });
        }
        self.0.read(path)
    }
}

#[test]
fn a_missing_object_costs_its_file_and_is_named() {
    let before =
        tree(&[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod a; fn f() {}"), ("src/a.rs", "fn g() {}")]);
    let after =
        tree(&[("Cargo.toml", MANIFEST), ("src/lib.rs", "mod a; fn f() { 1 }"), ("src/a.rs", "fn h() {}")]);
    let listing = listed(&before, &Lacking(after.clone(), "src/a.rs"));
    assert!(told(&listing).contains("unparsed src/a.rs: object 0123 is not there"), "{}", told(&listing));
    assert!(told(&listing).contains("pool::f body"));
    let items = items_of(&Lacking(after, "src/a.rs"), &revision()).unwrap();
    assert_eq!(items.unparsed[0].reason, "object 0123 is not there");
    assert_eq!(items.items.len(), 2);
}

#[test]
fn binary_sources_and_repositories_without_a_manifest_are_told_by_their_files() {
    let before: MemoryTree = [("src/lib.rs", b"fn f() {}".as_slice())].into_iter().collect();
    let after: MemoryTree = [("src/lib.rs", b"\xff\x00\xfe".as_slice())].into_iter().collect();
    let listing = listed(&before, &after);
    assert!(told(&listing).contains("file Modified src/lib.rs"), "{}", told(&listing));
    assert!(told(&listing).contains("not searched: items: there is no Cargo.toml"), "{}", told(&listing));
    let manifest = ("Cargo.toml", MANIFEST.as_bytes());
    let before: MemoryTree = [manifest, ("src/lib.rs", b"fn f() {}".as_slice())].into_iter().collect();
    let after: MemoryTree = [manifest, ("src/lib.rs", b"\xff\x00\xfe".as_slice())].into_iter().collect();
    let listing = listed(&before, &after);
    assert!(told(&listing).contains("unparsed src/lib.rs: it is not UTF-8"), "{}", told(&listing));
}

#[test]
fn against_the_empty_tree_everything_is_new() {
    let files = tree(&[("Cargo.toml", MANIFEST), ("src/lib.rs", "pub fn f() {}")]);
    let listing =
        between_trees((&MemoryTree::default(), None), (&files, &revision()), Options::default()).unwrap();
    assert_valid(&listing);
    assert_eq!(listing.summary.from, None);
    assert!(
        told(&listing).starts_with("PublicApiAdded Certain\npool added\npool::f added\n"),
        "{}",
        told(&listing)
    );
}

/// Two packages, of which changes touch one or both, or only what one can see of a file that stays.
const PAIRS: &[(Files<'_>, Files<'_>)] = &[
    (&[("a/src/lib.rs", "pub fn f() { 1 }")], &[("a/src/lib.rs", "pub fn f() { 2 }")]),
    (
        &[("a/src/lib.rs", "pub mod m;"), ("a/src/m.rs", ONE)],
        &[("a/src/lib.rs", "mod m;"), ("a/src/m.rs", ONE)],
    ),
    (
        &[("a/src/lib.rs", "mod m;"), ("a/src/m.rs", ONE)],
        &[("a/src/lib.rs", "#[cfg(test)] mod m;"), ("a/src/m.rs", ONE)],
    ),
    (
        &[("a/src/lib.rs", "mod m;"), ("a/src/m.rs", ONE)],
        &[("a/src/lib.rs", "mod n; #[path = \"m.rs\"] mod k;"), ("a/src/m.rs", ONE), ("a/src/n.rs", ONE)],
    ),
    (
        &[("a/src/lib.rs", "mod m;"), ("a/src/m.rs", ONE), ("b/src/lib.rs", "")],
        &[("a/src/lib.rs", ""), ("b/src/lib.rs", "mod m;"), ("b/src/m.rs", ONE)],
    ),
    (
        &[
            ("a/src/lib.rs", "mod m; pub use m::S;"),
            ("a/src/m.rs", "pub struct S; impl S { pub fn f() { 1 } }"),
        ],
        &[("a/src/lib.rs", "mod m;"), ("a/src/m.rs", "pub struct S; impl S { pub fn f() { 1 } }")],
    ),
];

#[test]
fn reading_only_what_differs_tells_what_whole_snapshots_tell() {
    let common: Files<'_> = &[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\nedition = \"2021\"\n"),
        ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
        ("b/src/main.rs", "fn main() { a::f() }"),
    ];
    for (before, after) in PAIRS {
        let (before, after) = (tree(&[common, before].concat()), tree(&[common, after].concat()));
        let whole = |tree: &MemoryTree| read(tree, &revision()).unwrap();
        let (full, _) = compare_thoroughly(&whole(&before), &whole(&after));
        let expected: BTreeSet<String> =
            full.items.iter().map(|change| format!("{} {}", change.path(), change.summary())).collect();
        let listing = listed(&before, &after);
        let found: BTreeSet<String> =
            listing.items.iter().map(|row| format!("{} {}", row.path, row.summary())).collect();
        assert_eq!(found, expected);
        assert!(!expected.is_empty());
    }
}

#[test]
fn a_patch_is_the_difference_of_the_item_alone() {
    let listing = library("fn a() {}\nfn f() {\n    1\n}\n", "fn a() {}\nfn f() {\n    2\n}\n");
    assert_eq!(listing.items[0].patch.as_deref(), Some("@@ -1,3 +1,3 @@\n fn f() {\n-    1\n+    2\n }\n"));
}

#[test]
fn items_have_headers_places_and_the_names_that_users_write() {
    let files = tree(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "mod inner;\npub use inner::Thing as Other;\npub use std::io::Error;\n"),
        (
            "src/inner.rs",
            "/// Doc.\n/// ```\n/// f();\n/// ```\n#[must_use]\npub struct Thing { pub a: u8 }\n\nimpl Thing {\n    pub fn go(&self) {\n        let x = 1;\n    }\n    pub fn stop(self) {}\n}\n",
        ),
    ]);
    let listing = items_of(&files, &revision()).unwrap();
    assert_valid(&listing);
    for record in listing.clone().records() {
        assert_valid(&record);
    }
    let stop = listing.items.iter().find(|item| item.path.name() == "stop").unwrap();
    assert_eq!(
        (stop.line, stop.file.as_str()),
        (12, "src/inner.rs"),
        "lines stay though bodies are left out"
    );
    assert_eq!(stop.named, ["pool::Other::stop"]);
    let thing = listing.items.iter().find(|item| item.path.name() == "Thing").unwrap();
    assert_eq!((thing.doc_tests, thing.documented, thing.parts.len()), (1, true, 1));
    assert_eq!(thing.attributes, BTreeSet::from(["must_use".to_owned()]));
    assert_eq!(
        listing.handed_on,
        [HandedOn { path: "pool::Error".to_owned(), target: "std::io::Error".to_owned() }]
    );
}
