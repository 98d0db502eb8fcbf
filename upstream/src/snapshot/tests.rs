//! What a snapshot says of small repositories written for the purpose.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::syntax::{AstNode, NodeOrToken, edition, parse_file};
use super::*;
use crate::ids::{CommitId, RevisionLabel};
use crate::tree::MemoryTree;

/// A revision to give to snapshots of tests.
pub(crate) fn revision() -> Revision {
    Revision {
        label: RevisionLabel::new("1.0.0").unwrap(),
        commit: CommitId::new("0123456789abcdef0123456789abcdef01234567").unwrap(),
        summary: "A revision".to_owned(),
        published_s: None,
        withdrawn: false,
    }
}

const MANIFEST: &str = "[package]\nname = \"my-crate\"\nversion = \"1.2.3\"\nedition = \"2021\"\n";

/// The snapshot of a package with these files besides its manifest.
pub(crate) fn package(files: &[(&str, &str)]) -> Snapshot {
    repository(&[&[("Cargo.toml", MANIFEST)], files].concat())
}

/// The snapshot of a repository.
pub(crate) fn repository(files: &[(&str, &str)]) -> Snapshot {
    let tree: MemoryTree = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    read(&tree, &revision()).unwrap()
}

/// The item with this path.
pub(crate) fn item<'a>(snapshot: &'a Snapshot, path: &str) -> &'a Item {
    let all = || snapshot.items.keys().map(ItemPath::as_str).collect::<Vec<_>>().join("\n");
    snapshot.items.get(&ItemPath::new(path).unwrap()).unwrap_or_else(|| panic!("no {path} in\n{}", all()))
}

fn library(text: &str) -> Snapshot {
    let snapshot = package(&[("src/lib.rs", text)]);
    assert_eq!(snapshot.unparsed, []);
    snapshot
}

fn listing(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for item in snapshot.items.values() {
        let marks = [(item.exported, "exported"), (item.is_test, "test")];
        let marks: Vec<&str> = marks.iter().filter_map(|(set, name)| set.then_some(*name)).collect();
        writeln!(text, "{} {:?} {}:{} {}", item.path, item.kind, item.file, item.line, marks.join(" "))
            .unwrap();
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_kind_of_item_has_its_path() {
    let snapshot = library(
        "//! Root.
pub fn free() {}
pub struct Point { pub x: i32, y: i32 }
impl Point {
    pub const ORIGIN: u8 = 0;
    pub fn new() -> Self { todo!() }
}
impl<'a> From<&'a str> for Point {
    fn from(_: &'a str) -> Self { todo!() }
}
pub enum Shape { Dot, Line(u8) }
pub trait Area { type Unit; fn area(&self) -> f64 { 0.0 } }
pub union Bits { a: u8, b: i8 }
const _: () = ();
static GREETING: &str = \"hi\";
pub type Alias = Vec<Point>;
macro_rules! square { ($x:expr) => { $x * $x }; }
thread_local! { static CELL: u8 = 1; }
mod inner { pub fn hidden() {} }
extern \"C\" { fn external(); }
#[cfg(unix)]
fn twice() {}
#[cfg(not(unix))]
fn twice() { }
#[cfg(test)]
mod tests { #[test] fn works() {} }
",
    );
    assert_eq!(
        listing(&snapshot),
        "\
my_crate Module src/lib.rs:1 exported
my_crate::<Point as From<&str>> Impl src/lib.rs:8 exported
my_crate::<Point as From<&str>>::from Method src/lib.rs:9 exported
my_crate::Alias TypeAlias src/lib.rs:16 exported
my_crate::Area Trait src/lib.rs:12 exported
my_crate::Area::Unit TypeAlias src/lib.rs:12 exported
my_crate::Area::area Method src/lib.rs:12 exported
my_crate::Bits Union src/lib.rs:13 exported
my_crate::GREETING Static src/lib.rs:15
my_crate::Point Struct src/lib.rs:3 exported
my_crate::Point::ORIGIN Const src/lib.rs:5 exported
my_crate::Point::new Method src/lib.rs:6 exported
my_crate::Shape Enum src/lib.rs:11 exported
my_crate::_ Const src/lib.rs:14
my_crate::external Function src/lib.rs:20
my_crate::free Function src/lib.rs:2 exported
my_crate::inner Module src/lib.rs:19
my_crate::inner::hidden Function src/lib.rs:19
my_crate::square Macro src/lib.rs:17
my_crate::tests Module src/lib.rs:26 test
my_crate::tests::works Function src/lib.rs:26 test
my_crate::thread_local! Macro src/lib.rs:18
my_crate::twice Function src/lib.rs:22
my_crate::twice#2 Function src/lib.rs:24"
    );
    assert_eq!(item(&snapshot, "my_crate::Point").members, ["x", "y"]);
    assert_eq!(item(&snapshot, "my_crate::Shape").members, ["Dot", "Line"]);
    assert_eq!(item(&snapshot, "my_crate::Alias").aliased.as_ref().unwrap().to_string(), "Vec<Point>");
    assert_eq!(item(&snapshot, "my_crate").docs, "Root.");
}

#[test]
fn a_signature_has_its_parts() {
    let snapshot = library(
        "pub struct S;
impl S {
    pub async unsafe fn f<'a, T: Clone + 'a, const N: usize>(&mut self, (a, b): (u8, [T; N]), c: &'a mut dyn Fn(u8) -> u8)
        -> Result<Option<&'a str>, std::io::Error> where T: Send, { todo!() }
    pub const fn g(self: &Self) -> ! { loop {} }
}",
    );
    let signature = item(&snapshot, "my_crate::S::f").signature.clone().unwrap();
    assert_eq!(signature.generics, ["T: Clone + 'a", "const N: usize"]);
    assert_eq!(signature.predicates, ["T: Send"]);
    assert_eq!(signature.receiver, Some(Receiver::Mutable));
    let parameters: Vec<String> =
        signature.parameters.iter().map(|it| format!("{}: {}", it.name, it.ty)).collect();
    assert_eq!(parameters, ["(a, b): (u8, [T; N])", "c: &mut dyn Fn(u8) -> u8"]);
    assert_eq!(signature.output.to_string(), "Result<Option<&str>, std::io::Error>");
    assert!(signature.is_async && signature.is_unsafe && !signature.is_const);
    let signature = item(&snapshot, "my_crate::S::g").signature.clone().unwrap();
    assert_eq!((signature.receiver, signature.output), (Some(Receiver::Shared), RustType::Never));
    assert!(signature.is_const);
}

#[test]
fn modules_are_found_in_both_file_styles_and_by_path_attributes() {
    let snapshot = package(&[
        (
            "src/lib.rs",
            "pub mod flat; mod nested; #[path = \"odd/place.rs\"] pub mod elsewhere; pub mod inline { pub mod deep; }",
        ),
        ("src/flat.rs", "//! Flat.\npub mod child;"),
        ("src/flat/child.rs", "pub fn a() {}"),
        ("src/nested/mod.rs", "mod child;"),
        ("src/nested/child.rs", "pub fn b() {}"),
        ("src/odd/place.rs", "mod beside;"),
        ("src/odd/beside.rs", "fn c() {}"),
        ("src/inline/deep.rs", "pub fn d() {}"),
    ]);
    assert_eq!(snapshot.unparsed, []);
    for (path, file, exported) in [
        ("my_crate::flat::child::a", "src/flat/child.rs", true),
        ("my_crate::nested::child::b", "src/nested/child.rs", false),
        ("my_crate::elsewhere::beside::c", "src/odd/beside.rs", false),
        ("my_crate::inline::deep::d", "src/inline/deep.rs", true),
    ] {
        assert_eq!(
            (item(&snapshot, path).file.as_str(), item(&snapshot, path).exported),
            (file, exported),
            "{path}"
        );
    }
    assert_eq!(item(&snapshot, "my_crate::flat").docs, "Flat.");
}

#[test]
fn what_a_pub_use_hands_on_is_exported() {
    let snapshot = library(
        "mod imp { pub struct Named; impl Named { pub fn method(&self) {} fn own(&self) {} } pub struct Other;
           impl Clone for Other { fn clone(&self) -> Self { Other } } impl Clone for Named { fn clone(&self) -> Self { Named } } }
         mod glob { pub fn all() {} fn none() {} pub mod deeper { pub fn too() {} } }
         pub use self::imp::Named; pub use glob::*; pub(crate) use imp::Other;",
    );
    let exported: Vec<&str> =
        snapshot.items.values().filter(|item| item.exported).map(|item| item.path.as_str()).collect();
    assert_eq!(
        exported,
        [
            "my_crate",
            "my_crate::glob::all",
            "my_crate::glob::deeper",
            "my_crate::glob::deeper::too",
            "my_crate::imp::<Named as Clone>",
            "my_crate::imp::<Named as Clone>::clone",
            "my_crate::imp::Named",
            "my_crate::imp::Named::method",
        ]
    );
}

fn exported(snapshot: &Snapshot, below: &str) -> Vec<String> {
    let names = snapshot.items.values().filter(|item| item.exported).map(|item| item.path.to_string());
    names.filter_map(|path| path.strip_prefix(below).map(str::to_owned)).collect()
}

#[test]
fn members_of_a_public_type_are_exported_wherever_they_stand() {
    let snapshot = library(
        "pub mod shape { pub struct Point; struct Hidden; mod deep { pub struct Named; } pub use deep::Named; }
         mod imp { use super::shape::{Point, Named, Hidden};
           impl Point { pub fn open(&self) {} fn own(&self) {} }
           impl Named { pub fn handed_on(&self) {} }
           impl Hidden { pub fn unreachable(&self) {} }
           impl Clone for super::shape::Point { fn clone(&self) -> Self { Point } }
           impl Drop for Hidden { fn drop(&mut self) {} } }",
    );
    assert_eq!(
        exported(&snapshot, "my_crate::imp::"),
        [
            "<super::shape::Point as Clone>",
            "<super::shape::Point as Clone>::clone",
            "Named::handed_on",
            "Point::open"
        ]
    );
}

#[test]
fn an_implementation_for_a_foreign_type_is_as_reachable_as_the_crates_trait() {
    let snapshot = library(
        "pub trait Area { fn area(&self); } mod imp { trait Own { fn own(&self); }
           impl super::Area for u8 { fn area(&self) {} } impl Own for u8 { fn own(&self) {} }
           impl Default for Foreign { fn default() -> Self { todo!() } } }",
    );
    assert_eq!(exported(&snapshot, "my_crate::imp::"), ["<u8 as super::Area>", "<u8 as super::Area>::area"]);
}

#[test]
fn of_types_with_one_name_the_nearest_is_meant_and_nothing_is_guessed() {
    let snapshot = library(
        "pub mod a { pub struct Job; } mod b { pub struct Job; impl Job { pub fn of_b(&self) {} } }
         mod imp { use crate::a::Job; impl Job { pub fn of_either(&self) {} }
           impl Clone for crate::a::Job { fn clone(&self) -> Self { Job } } }
         #[cfg(test)] mod tests { impl crate::a::Job { pub fn of_tests(&self) {} } }",
    );
    let members = exported(&snapshot, "my_crate::");
    let cloned = "imp::<crate::a::Job as Clone>";
    assert_eq!(members, ["a", "a::Job", cloned, &format!("{cloned}::clone")]);
}

#[test]
fn what_only_test_builds_hold_is_test_code_wherever_the_condition_stands() {
    let snapshot = library(
        "#[cfg(all(feature = \"bench\", test))] mod bench { const DATA: u8 = 1; }
         #[cfg(all(test, unix))] fn of_tests() {}
         #[cfg(all(unix, all(not(windows), test)))] fn deep() {}
         #[cfg(any(feature = \"bench\", test))] fn of_both() {}
         #[cfg(all(unix, not(test)))] fn of_users() {}
         #[cfg(all(unix, any(test, windows)))] fn of_some() {}",
    );
    let of_tests = snapshot.items.values().filter(|item| item.is_test).map(|item| item.path.name());
    assert_eq!(of_tests.collect::<Vec<_>>(), ["bench", "DATA", "deep", "of_tests"]);
}

#[test]
fn a_workspace_lends_its_values_to_its_members() {
    let snapshot = repository(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\", \"tool\"]\nexclude = [\"crates/old\"]\n[workspace.package]\nversion = \"2.0.0\"\nedition = \"2024\"\n[workspace.dependencies]\nserde = { version = \"1.1\" }\n",
        ),
        (
            "crates/a-b/Cargo.toml",
            "[package]\nname = \"a-b\"\nversion.workspace = true\nedition.workspace = true\n[dependencies]\nserde.workspace = true\nlocal = { path = \"../x\" }\n[dev-dependencies]\nproptest = \"1\"\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n",
        ),
        ("crates/a-b/src/lib.rs", "fn a() {}"),
        ("crates/old/Cargo.toml", "[package]\nname = \"old\"\n"),
        (
            "tool/Cargo.toml",
            "[package]\nname = \"tool\"\n[[bin]]\nname = \"t\"\npath = \"main.rs\"\n[lib]\nname = \"other\"\npath = \"l.rs\"\n",
        ),
        ("tool/main.rs", "fn main() {}"),
        ("tool/l.rs", "fn l() {}"),
    ]);
    assert_eq!(snapshot.unparsed, []);
    let [first, second] = snapshot.packages.as_slice() else { panic!("{:?}", snapshot.packages) };
    assert_eq!((first.version.as_deref(), first.edition.as_str()), (Some("2.0.0"), "2024"));
    assert_eq!(first.library.as_deref(), Some("a_b"));
    let dependencies: Vec<(&str, &str)> =
        first.dependencies.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(dependencies, [("libc", "0.2"), ("local", "path ../x"), ("serde", "1.1")]);
    assert_eq!((second.folder.as_str(), second.edition.as_str()), ("tool", "2015"));
    item(&snapshot, "a_b::a");
    item(&snapshot, "other::l");
    item(&snapshot, "tool[bin:t]::main");
}

#[test]
fn other_targets_are_crates_of_their_own() {
    let snapshot = package(&[
        ("src/main.rs", "fn main() {}"),
        ("src/bin/extra.rs", "fn main() {}"),
        ("tests/it/main.rs", "mod common;"),
        ("tests/it/common.rs", "pub fn set_up() {}"),
        ("benches/speed.rs", "fn b() {}"),
        ("examples/show.rs", "fn main() {}"),
        ("build.rs", "fn main() {}"),
    ]);
    let paths: Vec<(&str, bool)> = snapshot
        .items
        .values()
        .filter(|item| item.kind == ItemKind::Function)
        .map(|item| (item.path.as_str(), item.is_test))
        .collect();
    assert_eq!(
        paths,
        [
            ("my-crate[bench:speed]::b", true),
            ("my-crate[bin:extra]::main", false),
            ("my-crate[bin:my-crate]::main", false),
            ("my-crate[example:show]::main", false),
            ("my-crate[test:it]::common::set_up", true),
        ]
    );
    assert!(snapshot.items.values().all(|item| !item.exported));
}

#[test]
fn a_target_with_a_name_of_its_own_is_read_once() {
    let manifest = format!("{MANIFEST}[[bin]]\nname = \"given\"\npath = \"src/main.rs\"\n");
    let snapshot = repository(&[("Cargo.toml", &manifest), ("src/main.rs", "fn main() {}")]);
    let paths: Vec<&str> = snapshot.items.keys().map(ItemPath::as_str).collect();
    assert_eq!(paths, ["my-crate[bin:given]", "my-crate[bin:given]::main"]);
}

fn complaints(snapshot: &Snapshot) -> Vec<(&str, &str)> {
    snapshot.unparsed.iter().map(|it| (it.file.as_str(), it.reason.as_str())).collect()
}

#[test]
fn a_broken_file_is_reported_and_its_modules_are_still_read() {
    let snapshot =
        package(&[("src/lib.rs", "mod fine;\nfn broken( {\n"), ("src/fine.rs", "pub fn kept() {}")]);
    assert_eq!(snapshot.unparsed.len(), 1);
    assert!(snapshot.unparsed[0].reason.starts_with("line 2: "), "{:?}", snapshot.unparsed);
    item(&snapshot, "my_crate::fine::kept");
    assert!(!snapshot.items.contains_key(&ItemPath::new("my_crate::broken").unwrap()));
}

#[test]
fn a_file_that_is_not_utf_8_is_reported() {
    let tree: MemoryTree = [("Cargo.toml", MANIFEST.as_bytes()), ("src/lib.rs", b"fn a() {}\xff".as_slice())]
        .into_iter()
        .collect();
    let snapshot = read(&tree, &revision()).unwrap();
    assert_eq!(complaints(&snapshot), [("src/lib.rs", "it is not UTF-8 from byte 9 on")]);
}

#[test]
fn a_missing_module_is_reported_where_it_is_declared() {
    let snapshot = package(&[("src/lib.rs", "fn a() {}\nmod gone;")]);
    assert_eq!(complaints(&snapshot), [("src/lib.rs", "line 2: module `gone` has no file in this revision")]);
    item(&snapshot, "my_crate::a");
}

#[test]
fn a_module_that_contains_itself_ends() {
    let snapshot = package(&[
        ("src/lib.rs", "mod a;"),
        ("src/a.rs", "#[path = \"a.rs\"] mod again; #[path = \"lib.rs\"] mod root;"),
    ]);
    let files: Vec<&str> = complaints(&snapshot).into_iter().map(|(file, _)| file).collect();
    assert_eq!(files, ["src/a.rs", "src/lib.rs"]);
}

#[test]
fn a_module_path_cannot_leave_the_repository() {
    let snapshot = package(&[(
        "src/lib.rs",
        "#[path = \"../../../etc/passwd\"] mod a; #[path = \"/etc/passwd\"] mod b;",
    )]);
    assert_eq!(snapshot.unparsed.len(), 1, "one reason for one file: {:?}", snapshot.unparsed);
    assert!(complaints(&snapshot)[0].1.contains("has no file"));
}

#[test]
fn a_broken_manifest_is_reported_and_the_others_are_read() {
    let snapshot = repository(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\", \"c\"]\n"),
        ("a/Cargo.toml", "[package\nname"),
        ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
        ("c/Cargo.toml", "[package]\nname = \"evil]::path\"\n"),
        ("b/src/lib.rs", "fn kept() {}"),
    ]);
    let files: Vec<&str> = complaints(&snapshot).into_iter().map(|(file, _)| file).collect();
    assert_eq!(files, ["a/Cargo.toml", "c/Cargo.toml"]);
    item(&snapshot, "b::kept");
}

#[test]
fn texts_too_deep_for_the_parser_are_refused() {
    let deep = [
        format!("fn f() {{ {}1{}; }}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("fn f() {{ {}1; }}", "!".repeat(100_000)),
        format!("fn f() {{ {}1; }}", "-".repeat(100_000)),
        format!("fn f() {{ 1{}; }}", "+1".repeat(100_000)),
        format!("fn f() {{ 1{}; }}", " as u8".repeat(100_000)),
        format!("fn f() {{ 1{}; }}", "-1".repeat(100_000)),
        format!("fn f() {{ 1{}; }}", "/1".repeat(100_000)),
        format!("fn f() {{ a{}; }}", ".b()".repeat(100_000)),
        format!("fn f() {{ a{}; }}", "()".repeat(100_000)),
        format!("fn f() {{ a{}; }}", "[0]".repeat(100_000)),
        format!("fn f() {{ {}1; }}", "return ".repeat(100_000)),
        format!("fn f() {{ {} x; }}", "|a| ".repeat(100_000)),
        format!("fn f() {{ if a {{}} {} }}", "else if a {} ".repeat(100_000)),
        format!("type T = {}u8{};", "A<".repeat(100_000), ">".repeat(100_000)),
        format!("type T = {}u8;", "&".repeat(100_000)),
        format!("type T = {}u8;", "*const ".repeat(100_000)),
        format!("type T = {}u8;", "fn() -> ".repeat(100_000)),
        format!("type T = a{};", "::a".repeat(100_000)),
        format!("fn f({}a: u8) {{}}", "&".repeat(100_000)),
        format!("use {}a{};", "{".repeat(100_000), "}".repeat(100_000)),
        format!("fn f() {{ {} x; }}", "|a, b| !".repeat(100_000)),
        format!("type T = {}u8{};", "A<u8, ".repeat(100_000), ">".repeat(100_000)),
        format!("fn f() {{ a{}; }}", ".b(1, 2)".repeat(100_000)),
        format!("fn f() {{ a = {}1; }}", "{1} + ".repeat(100_000)),
    ];
    for text in deep {
        let snapshot = package(&[("src/lib.rs", &text)]);
        assert_eq!(snapshot.unparsed.len(), 1, "{text:.60}");
    }
}

/// The parser, the tree and our own walks must bear what the bounds let through, on the stack of a thread.
#[test]
fn texts_just_inside_the_bounds_are_read() {
    for text in [
        format!("fn f() {{ {}1{}; }}", "(".repeat(140), ")".repeat(140)),
        format!("fn f() {{ {}; }}", "{(".repeat(70) + &")}".repeat(70)),
        format!("fn f() {{ {}1; }}", "!".repeat(990)),
        format!("fn f() {{ 1{}; }}", "+1".repeat(490)),
        format!("fn f() {{ a{}; }}", ".b()".repeat(240)),
        format!("fn f() {{ {}1; }}", "return ".repeat(145)),
        format!("fn f() {{ {} x; }}", "|a| ".repeat(240)),
        format!("fn f() {{ if a {{}} {} }}", "else if a {} ".repeat(145)),
        format!("type T = {}u8{};", "A<".repeat(190), ">".repeat(190)),
        format!("type T = {}u8;", "&".repeat(990)),
        format!("type T = {}u8;", "fn() -> ".repeat(145)),
    ] {
        let test = format!("#[test] {text}");
        let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", test.as_str())];
        let tree: MemoryTree = files.into_iter().collect();
        let snapshot = read(&tree, &revision()).unwrap();
        assert_eq!(snapshot.unparsed, [], "{text:.60}");
        crate::harvest::calls(&tree, &snapshot).unwrap();
    }
}

#[test]
fn mentions_are_the_last_names_of_paths_methods_and_macros() {
    let snapshot =
        library("fn f(x: &a::Thing) -> u8 { x.go(b::c::call::<u8>()); assert_eq!(other(1), x.field()); 1 }");
    assert_eq!(
        item(&snapshot, "my_crate::f").mentions.iter().collect::<Vec<_>>(),
        ["Thing", "assert_eq", "call", "field", "go", "other", "u8", "x"]
    );
}

#[test]
fn documentation_is_the_same_in_every_notation() {
    let written = [
        "/// One.\n/// Two.\nfn f() {}",
        "#[doc = \" One.\"] #[doc = \" Two.\"] fn f() {}",
        "/** One.\n Two. */fn f() {}",
    ];
    let fingerprints: Vec<Fingerprint> =
        written.iter().map(|text| item(&library(text), "my_crate::f").fingerprint).collect();
    assert_eq!(item(&library(written[0]), "my_crate::f").docs, "One.\nTwo.");
    assert_eq!(fingerprints[0], fingerprints[1]);
    assert_eq!(fingerprints[0], fingerprints[2]);
}

/// Pairs that `rustfmt` makes of each other.
#[test]
fn what_rustfmt_changes_changes_no_fingerprint() {
    for (before, after) in [
        ("fn f(a: u8, b: u8,) -> () { g(a, b,) }", "fn f(a: u8, b: u8) { g(a, b) }"),
        ("fn f() { match x { | 1 => { 2 } 3 => 4, }; }", "fn f() { match x { 1 => 2, 3 => 4 }; }"),
        ("fn f() { a.map(|x| { x + 1 }) }", "fn f() { a.map(|x| x + 1) }"),
        ("fn f() -> u8 { return 1 }", "fn f() -> u8 { return 1; }"),
        ("fn f<T>() where T: A, { }", "fn f<T>()\nwhere\n    T: A\n{}"),
        ("fn f<>(x: ((A))) { ((1)); }", "fn f(x: ((A))) { (1); }"),
        ("fn f() { use b::{d, c}; use a; g() }", "fn f() { use a; use b::{c, d}; g() }"),
        ("extern fn f() {}", "extern \"C\" fn f() {}"),
        ("#[derive(A)] #[derive(B)] struct f { a: u8, }", "#[derive(A, B)]\nstruct f { a: u8 }"),
        ("fn f() { assert_eq!(g(1,), vec![1, 2,],); }", "fn f() { assert_eq!(g(1), vec![1, 2]); }"),
    ] {
        let [one, other] = [before, after].map(|text| item(&library(text), "my_crate::f").fingerprint);
        assert_eq!(one, other, "{before}\n{after}");
    }
}

#[test]
fn what_means_something_else_changes_a_fingerprint() {
    for (before, after) in [
        ("fn f() { g((1,)) }", "fn f() { g((1)) }"),
        ("fn f() { assert_eq!(x, (1,)) }", "fn f() { assert_eq!(x, (1)) }"),
        ("fn f() { let x: (u8,) = y; }", "fn f() { let x: (u8) = y; }"),
        ("fn f() { a }", "fn f() { a; }"),
        ("fn f() { \"a b\" }", "fn f() { \"a  b\" }"),
        ("fn f() { match x { 1 => { g(); 2 } } }", "fn f() { match x { 1 => { g(); 3 } } }"),
        ("fn f() { a - b }", "fn f() { b - a }"),
        ("struct f { a: u8, b: u8 }", "struct f { b: u8, a: u8 }"),
        ("struct f { a: u8 }", "struct f { pub a: u8 }"),
    ] {
        let [one, other] = [before, after].map(|text| item(&library(text), "my_crate::f").fingerprint);
        assert_ne!(one, other, "{before}\n{after}");
    }
}

#[test]
fn imports_are_the_body_of_their_module_in_any_order_and_grouping() {
    let body = |text: &str| item(&library(text), "my_crate").fingerprint.body;
    assert_eq!(body("use a::{b, c as d};\nuse e::*;"), body("use e::*;\nuse a::c as d;\nuse a::b;"));
    assert_ne!(body("use a::b;"), body("pub use a::b;"));
    assert_ne!(body("use a::b;"), body("use a::b as c;"));
    assert_ne!(body("extern crate a;"), body("#[cfg(unix)] extern crate a;"));
}

#[test]
fn a_reader_that_saw_a_revision_gives_the_same_snapshot_again() {
    let tree: MemoryTree = [
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "mod a; mod b; pub fn f() {}"),
        ("src/a.rs", "fn same() {}"),
        ("src/b.rs", "fn same() {}"),
    ]
    .into_iter()
    .collect();
    let mut reader = SnapshotReader::default();
    let first = reader.read(&tree, &revision()).unwrap();
    assert_eq!(reader.read(&tree, &revision()).unwrap(), first);
    assert_eq!(read(&tree, &revision()).unwrap(), first);
    assert_eq!(item(&first, "my_crate::b::same").file, "src/b.rs");
}

#[test]
fn a_repository_without_a_manifest_has_no_items() {
    let snapshot = repository(&[("README.md", "hello")]);
    assert_eq!((snapshot.items.len(), snapshot.packages.len(), snapshot.files.len()), (0, 0, 1));
}

#[test]
fn packages_of_the_last_revision_are_taken_only_where_nothing_about_them_changed() {
    let manifest = |name: &str| format!("[package]\nname = \"{name}\"\nedition = \"2021\"\n");
    let (one, other) = (manifest("one"), manifest("other"));
    let base = [("a.toml", one.as_str()), ("b.toml", &other), ("p/src/lib.rs", "pub fn f() {}")];
    let tree = |files: &[(&str, &str)], to: &str| {
        let files = base.iter().chain(files).map(|(path, text)| (*path, text.as_bytes().to_vec()));
        files.collect::<MemoryTree>().with_link("Cargo.toml", to).with_link("src", "p/src")
    };
    let trees = [
        tree(&[], "a.toml"),
        tree(&[("p/src/lib.rs", "pub fn g() {}")], "a.toml"),
        tree(&[("a.toml", &manifest("third"))], "a.toml"),
        tree(&[], "b.toml"),
        tree(&[("p/src/bin/x.rs", "fn main() {}")], "b.toml"),
        tree(&[], "b.toml").with_link("src", "nowhere"),
    ];
    let mut reader = SnapshotReader::default();
    for (at, tree) in trees.iter().chain(&trees).enumerate() {
        assert_eq!(reader.read(tree, &revision()).unwrap(), read(tree, &revision()).unwrap(), "tree {at}");
    }
    let names = trees.map(|tree| read(&tree, &revision()).unwrap().packages[0].name.clone());
    assert_eq!(
        names,
        ["one", "one", "third", "other", "other", "other"],
        "each tree differs from the one before"
    );
}

const SAMPLE: &str = r#"
/// Doc.
#[derive(Debug, Clone)]
pub struct Thing<'a, T: Clone = u8> where T: Copy { /** A. */ pub name: &'a str, t: (T,), }
impl<'a, T: Clone + Copy> Thing<'a, T> {
    #[inline]
    pub fn run(&self, mut n: usize) -> Result<Vec<u8>, String> {
        let v = vec![1, 2, (3)]; let c = |x: u8| { x + 1 };
        while n >= 2 && n != 7 { n >>= 1; if n == 3 { return Err(format!("{}-{:?}", n, "a b")) } }
        match n { 0 | 1 => Ok(v), 2..=5 if n > 3 => { Ok(vec![]) } _ => Err("x".into()), }
    }
}
macro_rules! m { ($($x:expr),* $(,)?) => { [$($x),*] }; }
pub const LIMIT: f64 = -1.5e3;
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Space and comments between any two tokens change no fingerprint, whatever they are.
    #[test]
    fn space_and_comments_between_tokens_change_no_fingerprint(
        fillers in prop::collection::vec(prop::sample::select(vec![" ", "\n", "\t", " /* c */ ", " // d\n", "\n\n", " /* {( */ "]), 1..40)
    ) {
        let parsed = parse_file(SAMPLE, edition("2021")).unwrap();
        let mut spaced = String::new();
        let tokens = parsed.file.syntax().descendants_with_tokens().filter_map(NodeOrToken::into_token);
        for (token, filler) in tokens.zip(fillers.iter().cycle()) {
            spaced.push_str(token.text());
            // A lexer token of several characters in the tree, such as `>>`, is one token here as well.
            if !token.text().starts_with("//") {
                spaced.push_str(filler);
            }
        }
        let fingerprints = |text: &str| -> Vec<(ItemPath, Fingerprint)> {
            library(text).items.values().map(|item| (item.path.clone(), item.fingerprint)).collect()
        };
        prop_assert_eq!(fingerprints(SAMPLE), fingerprints(&spaced), "{}", spaced);
    }

    /// No text whatever stops a snapshot.
    #[test]
    fn no_text_stops_a_snapshot(text in "(fn|mod|use|impl|[a-z]|[{}()<>;:,'\"#!/*=|&\\[\\]]| |\n|é){0,80}") {
        let snapshot = package(&[("src/lib.rs", &text)]);
        prop_assert_eq!(snapshot.packages.len(), 1);
    }
}
