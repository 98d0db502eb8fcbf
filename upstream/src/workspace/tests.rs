//! What is told of workspaces and modules beyond what Cargo and rustc can be asked about; those comparisons are
//! in `xtask`, in the measure `workspace`.

use super::*;
use crate::snapshot::tests::revision;
use crate::tree::MemoryTree;

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    files.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
}

fn told(tree: &MemoryTree) -> Workspaces {
    let mut found = read(tree, &revision()).unwrap();
    read_modules(&mut found, tree, &revision()).unwrap();
    found
}

const PACKAGE: &str = "[package]\nname = \"one\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";

/// The modules of a library as lines.
fn modules(files: &[(&str, &str)]) -> Vec<String> {
    lines(&told(&tree(&[&[("Cargo.toml", PACKAGE)], files].concat())))
}

fn lines(found: &Workspaces) -> Vec<String> {
    let modules = &found.packages[0].targets[0].modules.as_ref().unwrap().modules;
    let line = |module: &Module| {
        let parts =
            [module.path.as_str(), &format!("{:?}", module.form), module.file.as_deref().unwrap_or("-")];
        parts.into_iter().chain(module.conditions.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    };
    modules.iter().map(line).collect()
}

fn reasons(complaints: &[Complaint]) -> Vec<String> {
    complaints.iter().map(|it| format!("{}: {}", it.file, it.reason)).collect()
}

#[test]
fn a_module_without_a_file_and_one_inside_itself_are_told() {
    let found = modules(&[
        (
            "src/lib.rs",
            "mod gone;\nmod a;\n#[path = \"lib.rs\"] mod again;\n#[path = \"/etc/hosts\"] mod out;",
        ),
        ("src/a.rs", "#[path = \"a.rs\"] mod b; #[path = \"../../../x.rs\"] mod above;"),
    ]);
    assert_eq!(
        found,
        [
            "crate Root src/lib.rs",
            "crate::gone Missing -",
            "crate::a File src/a.rs",
            "crate::a::b Cycle src/a.rs",
            "crate::a::above Missing -",
            "crate::again Cycle src/lib.rs",
            "crate::out Missing -",
        ]
    );
}

#[test]
fn modules_in_macros_and_bodies_are_told_and_what_only_looks_like_one_is_not() {
    let found = modules(&[
        (
            "src/lib.rs",
            "cfg_if::cfg_if! { if #[cfg(unix)] { mod unix; pub use unix::f; } else if #[cfg(windows)] { #[path = \"w.rs\"] pub mod windows; } else { mod none; } }
             macro_rules! make { ($name:ident) => { mod $name; mod in_rules; } }
             fn text() { let x = quote! { mod unix; }; if x { mod plain; } #[path = \"w.rs\"] mod given; }
             gate! { #[cfg_attr(feature = \"a\", path = \"w.rs\")] mod two; mod braces { pub(in crate) mod deep; } }",
        ),
        ("src/unix.rs", ""),
        ("src/w.rs", ""),
        ("src/two.rs", ""),
        ("src/in_rules.rs", ""),
        ("src/plain.rs", ""),
        ("src/braces/deep.rs", ""),
    ]);
    assert_eq!(
        found,
        [
            "crate Root src/lib.rs",
            "crate::unix File src/unix.rs unix",
            "crate::windows File src/w.rs windows",
            "crate::plain Missing -",
            "crate::given File src/w.rs",
            "crate::two File src/w.rs feature = \"a\"",
            "crate::two File src/two.rs not(feature = \"a\")",
            "crate::braces Inline src/lib.rs",
            "crate::braces::deep File src/braces/deep.rs",
        ]
    );
}

#[test]
fn inclusions_are_told_with_what_they_bring() {
    let found = modules(&[
        (
            "src/lib.rs",
            "include!(\"parts/a.rs\"); mod m { include!(concat!(env!(\"OUT_DIR\"), \"/b.rs\")); } include!(\"gone.rs\");",
        ),
        ("src/parts/a.rs", "mod inner;"),
        ("src/parts/inner.rs", ""),
    ]);
    assert_eq!(
        found,
        [
            "crate Root src/lib.rs",
            "crate::m Inline src/lib.rs",
            "crate Included src/parts/a.rs",
            "crate::inner File src/parts/inner.rs",
            "crate::m Generated -",
            "crate Missing -",
        ]
    );
}

#[test]
fn files_of_no_module_are_told_with_their_package() {
    let found = told(&tree(&[
        ("Cargo.toml", PACKAGE),
        ("src/lib.rs", ""),
        ("src/left.rs", ""),
        ("inner/Cargo.toml", "[package]\nname = \"two\"\n[workspace]\n"),
        ("inner/src/lib.rs", "mod a;"),
        ("inner/src/a.rs", ""),
        ("inner/data/b.rs", ""),
        ("inner/notes.txt", ""),
    ]));
    let orphans = found.orphans.unwrap();
    let told: Vec<_> = orphans.iter().map(|it| (it.file.as_str(), it.package.as_deref())).collect();
    assert_eq!(told, [("inner/data/b.rs", Some("inner")), ("src/left.rs", Some(""))]);
}

#[test]
fn links_are_followed_inside_the_repository_alone() {
    let tree = tree(&[
        ("Cargo.toml", PACKAGE),
        ("src/lib.rs", "mod linked; mod folder; mod dangling; mod absolute; mod circle; mod out;"),
        ("shared/linked.rs", ""),
        ("shared/folder/mod.rs", "mod inside;"),
        ("shared/folder/inside.rs", ""),
    ])
    .with_link("src/linked.rs", "../shared/linked.rs")
    .with_link("src/folder", "../shared/folder")
    .with_link("src/dangling.rs", "nowhere.rs")
    .with_link("src/absolute.rs", "/shared/linked.rs")
    .with_link("src/circle.rs", "circle.rs")
    .with_link("src/out.rs", "../../shared/linked.rs");
    assert_eq!(
        lines(&told(&tree)),
        [
            "crate Root src/lib.rs",
            "crate::linked File shared/linked.rs",
            "crate::folder File shared/folder/mod.rs",
            "crate::folder::inside File shared/folder/inside.rs",
            "crate::dangling Missing -",
            "crate::absolute Missing -",
            "crate::circle Missing -",
            "crate::out Missing -",
        ]
    );
    let snapshot = crate::snapshot::read(&tree, &revision()).unwrap();
    let modules: Vec<&str> = snapshot.items.keys().map(crate::ids::ItemPath::as_str).collect();
    assert_eq!(modules, ["one", "one::folder", "one::folder::inside", "one::linked"]);
    assert!(snapshot.unparsed[0].reason.contains("module `dangling` has no file"), "{:?}", snapshot.unparsed);
}

#[test]
fn a_snapshot_has_the_items_of_every_file_that_a_module_may_be() {
    let tree = tree(&[
        ("Cargo.toml", PACKAGE),
        (
            "src/lib.rs",
            "#[cfg_attr(unix, path = \"u.rs\")] mod sys; cfg_if! { if #[cfg(a)] { pub mod gated; } } fn f() { #[path = \"b.rs\"] mod body; }
             #[path = \"x\"] pub mod braces { pub mod last; }",
        ),
        ("src/u.rs", "fn unix() {}"),
        ("src/sys.rs", "fn other() {}"),
        ("src/gated.rs", "pub fn g() {}"),
        ("src/b.rs", "fn b() {}"),
        ("src/x/last.rs", "pub fn l() {}"),
    ]);
    let snapshot = crate::snapshot::read(&tree, &revision()).unwrap();
    assert_eq!(snapshot.unparsed, []);
    let functions = snapshot.items.values().filter(|item| item.kind == crate::snapshot::ItemKind::Function);
    let told: Vec<_> = functions.map(|item| (item.path.as_str(), item.exported)).collect();
    assert_eq!(
        told,
        [
            ("one::body::b", false),
            ("one::braces::last::l", true),
            ("one::f", false),
            ("one::gated::g", true),
            ("one::sys::other", false),
            ("one::sys::unix", false),
        ]
    );
}

#[test]
fn what_cargo_would_refuse_is_told_and_the_rest_is_read() {
    let found = told(&tree(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"a\", \"gone\", \"../out\", \"b[\", \"empty/*\", \"broken\"]\ndefault-members = [\"nobody\"]\n",
        ),
        (
            "a/Cargo.toml",
            "[package]\nname = \"a\"\nversion = 1\nedition.workspace = true\n[dependencies]\nlost = { path = \"../lost\" }\nunknown.workspace = true\n",
        ),
        ("a/src/lib.rs", ""),
        ("empty/no-manifest/x.txt", ""),
        ("broken/Cargo.toml", "[package]\nname = \"two words\"\n"),
        ("bytes/Cargo.toml", "\u{0}"),
    ]));
    assert_eq!(
        reasons(&found.problems),
        [
            "Cargo.toml: `../out` leads out of the repository",
            "Cargo.toml: `b[` is no pattern: Pattern syntax error near position 1: invalid range pattern",
            "Cargo.toml: the dependency `lost` of `a` at `lost` has no manifest that can be read",
            "Cargo.toml: workspace member `gone` has no manifest that can be read",
            "Cargo.toml: workspace member `empty/no-manifest` has no manifest that can be read",
            "Cargo.toml: the default member `nobody` is no member",
        ]
    );
    let unread: Vec<&str> = found.unread.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(unread, ["broken/Cargo.toml", "bytes/Cargo.toml"]);
    let a = found.package_at("a").unwrap();
    assert_eq!((a.version.as_ref(), a.edition.value.as_str()), (None, "2015"));
    assert_eq!(a.dependencies.len(), 1, "what no workspace lends is no dependency: {:?}", a.dependencies);
}

#[test]
fn a_package_of_two_workspaces_belongs_to_the_nearer() {
    let found = told(&tree(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"inner/p\"]\n[workspace.package]\nversion = \"1.0.0\"\n"),
        ("inner/Cargo.toml", "[workspace]\nmembers = [\"p\"]\n[workspace.package]\nversion = \"2.0.0\"\n"),
        ("inner/p/Cargo.toml", "[package]\nname = \"p\"\nversion.workspace = true\n"),
    ]));
    let package = found.package_at("inner/p").unwrap();
    assert_eq!(package.workspace.as_deref(), Some("inner"));
    assert_eq!(package.version.as_ref().unwrap().value, "2.0.0");
}

proptest::proptest! {
    #[test]
    fn no_manifest_stops_a_reading(text in "(\\[(workspace|package|lib|\\[bin\\]|features|dependencies|target\\.x\\.dependencies)\\]\n|(name|path|members|version|workspace|features|a) = (\"[a-z./*\\[]{0,4}\"|\\[\"[a-z.*/]{0,4}\"\\]|true|1|\\{ path = \"\\.\\.\" \\}|\\{ workspace = true \\})\n){0,12}") {
        told(&tree(&[("Cargo.toml", &text), ("a/Cargo.toml", &text), ("src/lib.rs", "mod a;")]));
    }

    #[test]
    fn no_text_stops_a_reading_of_modules(text in "(mod|a|r#|;|\\{|\\}|\\(|\\)|#\\[|\\]|path|cfg|cfg_attr|include|!|=|,|\"a.rs\"|pub|macro_rules| |\n){0,40}") {
        told(&tree(&[("Cargo.toml", PACKAGE), ("src/lib.rs", &text), ("src/a.rs", &text)]));
    }
}
