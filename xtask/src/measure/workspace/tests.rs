//! Workspaces written for the purpose, each as Cargo and rustc read it.

use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};

use super::*;

/// A git repository with one commit of these files; the content of a link begins with `link:`.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content.strip_prefix("link:") {
            Some(target) => std::os::unix::fs::symlink(target, path).unwrap(),
            None => std::fs::write(path, content).unwrap(),
        }
    }
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@invalid",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "one",
        ],
    ] {
        let invocation = Invocation::new("git", folder.path())
            .args(arguments.iter().copied())
            .env("HOME", folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1");
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        assert!(finished.succeeded(), "{}", finished.tail(5));
    }
    folder
}

/// What is told of these files; nothing may differ from what Cargo and rustc tell.
fn agreed(files: &[(&str, &str)], packages: u32, refused: usize) -> Workspaces {
    let repository = repository(files);
    let git_folder = repository.path().join(".git");
    let checkout = Checkout::of(&git_folder, "HEAD", true).unwrap();
    let repo = UpstreamRepo::open(repository.path()).unwrap();
    let revision = repo.revision(&repo.head().unwrap()).unwrap();
    let tree = repo.tree(&revision.commit).unwrap();
    let mut found = read(&tree, &revision).unwrap();
    let mut sums = Sums::default();
    let (differences, compared) = super::packages(&checkout, &found, &mut sums).unwrap();
    assert_eq!(differences, Vec::<String>::new());
    assert_eq!((compared, sums.refused.len()), (packages, refused), "Cargo refuses {:#?}", sums.refused);
    read_modules(&mut found, &tree, &revision).unwrap();
    let differences = modules(&checkout.root().unwrap(), &found.packages, &mut sums).unwrap();
    assert_eq!(differences, Vec::<String>::new());
    assert_eq!(sums.untold, 0, "rustc told nothing of a target");
    found
}

const ROOT: &str = r#"
[workspace]
resolver = "2"
members = ["crates/*", "tools/[ab]?", "deep/**/leaf"]
exclude = ["crates/old", "crates/kept"]
default-members = ["crates/core", "tools/*"]
[workspace.package]
version = "1.2.3"
edition = "2021"
rust-version = "1.70"
publish = ["inner"]
[workspace.dependencies]
core = { path = "crates/core", default-features = false }
log = { version = "0.4", features = ["std"], default-features = false }
plain = "1"
renamed = { package = "serde", version = "1.0" }
[package]
name = "root-package"
version.workspace = true
[dependencies]
joined = { path = "elsewhere/joined" }
"#;

const CORE: &str = r#"
[package]
name = "core-crate"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
publish.workspace = true
[lib]
name = "core_lib"
crate-type = ["rlib", "cdylib"]
[features]
default = ["fast"]
fast = ["dep:hidden", "log/kv", "maybe?/std"]
[dependencies]
log = { workspace = true, features = ["kv"], default-features = true }
plain.workspace = true
renamed = { workspace = true, optional = true }
hidden = { version = "2", optional = true }
maybe = { version = "=3.1.0", optional = true, default-features = false }
source = { git = "https://example.com/source.git", branch = "a/b" }
tagged = { git = "https://example.com/source", tag = "v1" }
pinned = { git = "https://example.com/source", rev = "abc" }
headed = { git = "https://example.com/source", package = "other-name" }
[dev-dependencies]
log = "0.4"
proptest = { version = ">=1, <3", features = ["std"] }
[build-dependencies]
cc = "*"
[target.'cfg(unix)'.dependencies]
libc = { version = "0.2.3", optional = true }
[target.x86_64-unknown-linux-gnu.dev-dependencies]
only = "1"
"#;

const TARGETS: &str = r#"
[package]
name = "tool-a"
version = "0.1.0"
edition = "2018"
publish = false
autobenches = false
autoexamples = false
build = "scripts/make.rs"
[[bin]]
name = "given"
path = "src/main.rs"
required-features = ["x"]
[[bin]]
name = "second"
[[example]]
name = "dynamic"
crate-type = ["cdylib"]
[[test]]
name = "odd"
path = "tests/./deep/../odd_place.rs"
edition = "2021"
[[bench]]
name = "named"
path = "benches/named.rs"
harness = false
[features]
x = []
"#;

#[test]
fn a_workspace_with_everything_is_read_as_cargo_reads_it() {
    let found = agreed(
        &[
            ("Cargo.toml", ROOT),
            ("src/lib.rs", ""),
            (
                "elsewhere/joined/Cargo.toml",
                "[package]\nname = \"joined\"\nversion = \"0.0.1\"\n[dependencies]\nfurther = { path = \"../further\" }\n",
            ),
            ("elsewhere/joined/src/lib.rs", ""),
            ("elsewhere/further/Cargo.toml", "[package]\nname = \"further\"\nedition = \"2024\"\n"),
            ("elsewhere/further/src/lib.rs", ""),
            ("crates/core/Cargo.toml", CORE),
            ("crates/core/src/lib.rs", ""),
            ("crates/core/build.rs", "fn main() {}"),
            (
                "crates/macros/Cargo.toml",
                "[package]\nname = \"macros\"\nversion = \"0.1.0\"\nbuild = false\n[lib]\nproc-macro = true\npath = \"entry.rs\"\n",
            ),
            ("crates/macros/entry.rs", ""),
            ("crates/macros/build.rs", "fn main() {}"),
            ("crates/old/Cargo.toml", "[package]\nname = \"old\"\nversion = \"0.1.0\"\n"),
            ("crates/old/src/main.rs", "fn main() {}"),
            ("tools/a1/Cargo.toml", TARGETS),
            ("tools/a1/scripts/make.rs", "fn main() {}"),
            ("tools/a1/src/main.rs", "fn main() {}"),
            ("tools/a1/src/bin/second.rs", "fn main() {}"),
            ("tools/a1/src/bin/third/main.rs", "fn main() {}"),
            ("tools/a1/src/bin/third/helper.rs", ""),
            ("tools/a1/src/bin/.hidden.rs", ""),
            ("tools/a1/examples/dynamic.rs", ""),
            ("tools/a1/examples/not_found.rs", ""),
            ("tools/a1/benches/named.rs", "fn main() {}"),
            ("tools/a1/benches/not_found.rs", ""),
            ("tools/a1/tests/it.rs", ""),
            ("tools/a1/tests/group/main.rs", ""),
            ("tools/a1/tests/common/mod.rs", ""),
            ("tools/a1/tests/odd_place.rs", ""),
            (
                "tools/b2/Cargo.toml",
                "[project]\nname = \"tool-b\"\nversion = \"0.1.0\"\n[dependencies]\ncore-crate = { path = \"../../crates/core\" }\n",
            ),
            ("tools/b2/src/main.rs", "fn main() {}"),
            ("deep/er/leaf/Cargo.toml", "[package]\nname = \"leaf\"\nversion = \"0.1.0\"\nautolib = false\n"),
            ("deep/er/leaf/src/lib.rs", ""),
            ("deep/er/leaf/src/main.rs", "fn main() {}"),
        ],
        9,
        0,
    );
    let [workspace] = found.workspaces.as_slice() else { panic!("{:?}", found.workspaces) };
    assert_eq!(workspace.default_members, ["crates/core", "tools/a1", "tools/b2"]);
    assert_eq!(workspace.shared_dependencies["core"], "path crates/core");
    let core = found.package_at("crates/core").unwrap();
    assert!(core.edition.inherited && core.version.as_ref().unwrap().inherited);
    let inherited: Vec<&str> =
        core.dependencies.iter().filter(|it| it.inherited).map(|it| it.name.as_str()).collect();
    assert_eq!(inherited, ["log", "plain", "renamed"]);
    let implicit: Vec<&str> =
        core.features.iter().filter(|(_, it)| it.implicit).map(|(name, _)| name.as_str()).collect();
    assert_eq!(implicit, ["libc", "maybe", "renamed"]);
    let tool = found.package_at("tools/b2").unwrap();
    let inner: Vec<&str> =
        tool.inner_dependencies(&found).map(|(_, package)| package.name.as_str()).collect();
    assert_eq!(inner, ["core-crate"]);
    assert_eq!(found.package_at("crates/old").unwrap().standing, Standing::Alone);
}

#[test]
fn the_oldest_edition_finds_targets_by_its_own_rules() {
    let found = agreed(
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"old-style\"\nversion = \"0.1.0\"\n[lib]\nname = \"style\"\n[[bin]]\nname = \"tool\"\n[[bench]]\nname = \"bench\"\n[[test]]\nname = \"one\"\n[dependencies]\nlog = { version = \"1\", default_features = false }\n[dev_dependencies]\nold = \"0.1\"\n",
            ),
            ("src/style.rs", ""),
            ("src/main.rs", "fn main() {}"),
            ("src/bin/unlisted.rs", "fn main() {}"),
            ("src/bench.rs", ""),
            ("tests/one.rs", ""),
            ("tests/unlisted.rs", ""),
            ("examples/found.rs", "fn main() {}"),
        ],
        1,
        0,
    );
    let roots: Vec<&str> = found.packages[0].targets.iter().map(|target| target.root.as_str()).collect();
    assert_eq!(roots, ["src/style.rs", "src/main.rs", "examples/found.rs", "tests/one.rs", "src/bench.rs"]);
}

#[test]
fn several_workspaces_and_packages_outside_of_any_stand_side_by_side() {
    let package = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{more}")
    };
    let found = agreed(
        &[
            ("README.md", "No manifest at the root."),
            (
                "rust/Cargo.toml",
                "[workspace]\nmembers = [\"one\", \"../aside\"]\nexclude = [\"one/inner\", \"fuzz\"]\n",
            ),
            (
                "rust/one/Cargo.toml",
                &package(
                    "one",
                    "[dependencies]\naside = { path = \"../../aside\" }\nstranger = { path = \"../../stranger\" }\n",
                ),
            ),
            ("rust/one/src/lib.rs", ""),
            // Below a folder that `members` names, so the exclude does not hold.
            ("rust/one/inner/Cargo.toml", &package("inner", "")),
            ("rust/one/inner/src/lib.rs", ""),
            (
                "rust/fuzz/Cargo.toml",
                &package("fuzz", "[workspace]\n[dependencies]\none = { path = \"../one\" }\n"),
            ),
            ("rust/fuzz/src/main.rs", "fn main() {}"),
            ("rust/stray/Cargo.toml", &package("stray", "")),
            ("rust/stray/src/lib.rs", ""),
            ("aside/Cargo.toml", &package("aside", "workspace = \"../rust\"\n")),
            ("aside/src/lib.rs", ""),
            ("stranger/Cargo.toml", &package("stranger", "")),
            ("stranger/src/lib.rs", ""),
            ("linked/Cargo.toml", &package("linked", "")),
            ("linked/src/lib.rs", "link:../../stranger/src/lib.rs"),
            ("linked/tests", "link:../stranger/checks"),
            ("stranger/checks/a.rs", ""),
            ("broken/Cargo.toml", "[package\nname = 1"),
        ],
        5,
        // The broken one, the stray one, and the one that the exclude fails to exclude.
        3,
    );
    let folders: Vec<(&str, usize)> =
        found.workspaces.iter().map(|it| (it.folder.as_str(), it.members.len())).collect();
    assert_eq!(folders, [("rust", 2), ("rust/fuzz", 1)]);
    let stray = found.package_at("rust/stray").unwrap();
    assert_eq!((stray.standing, stray.workspace.as_deref()), (Standing::Unclaimed, None));
    assert_eq!(found.package_at("stranger").unwrap().standing, Standing::Alone);
    assert_eq!(found.unread.iter().map(|it| it.file.as_str()).collect::<Vec<_>>(), ["broken/Cargo.toml"]);
}

#[test]
fn a_repository_without_a_manifest_has_no_packages() {
    let found = agreed(&[("src/lib.rs", "fn alone() {}")], 0, 0);
    assert_eq!((found.packages.len(), found.workspaces.len()), (0, 0));
    assert_eq!(found.orphans.unwrap()[0].file, "src/lib.rs");
}

#[test]
fn modules_are_where_rustc_looks_for_them() {
    let found = agreed(
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"tree\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[features]\nextra = []\n",
            ),
            (
                "src/lib.rs",
                r#"
mod flat;
mod nested;
#[path = "odd/place.rs"] mod elsewhere;
mod inline { mod deep; #[path = "named.rs"] mod other; }
#[path = "renamed"] mod folder { mod inside; mod more { mod last; } }
mod r#type;
#[cfg(unix)] #[path = "sys_unix.rs"] mod sys;
#[cfg(not(unix))] #[path = "sys_other.rs"] mod sys;
#[cfg_attr(unix, path = "attr_unix.rs")] #[cfg_attr(not(unix), path = "attr_other.rs")] mod attr;
#[cfg_attr(feature = "extra", path = "with_extra.rs")] mod usual;
#[cfg(feature = "extra")] mod extra;
#[cfg(test)] mod tests;
fn body() { #[path = "in_body.rs"] mod hidden; }
include!("included.rs");
#[doc = include_str!("shown.rs")] pub fn documented() {}
macro_rules! pass { ($($item:item)*) => { $($item)* }; }
pass! { mod passed; pub(crate) mod outer { mod inner; } #[path = "odd/passed.rs"] mod third; }
mod linked;
"#,
            ),
            (
                "src/flat.rs",
                "mod child; mod braces { mod below; #[path = \"given.rs\"] mod given; } #[path = \"beside_flat.rs\"] mod beside;",
            ),
            ("src/flat/child.rs", ""),
            ("src/flat/braces/below.rs", ""),
            ("src/flat/braces/given.rs", ""),
            ("src/beside_flat.rs", "mod own;"),
            ("src/own.rs", ""),
            ("src/nested/mod.rs", "mod child;"),
            ("src/nested/child.rs", "mod grand;"),
            ("src/nested/child/grand.rs", ""),
            ("src/odd/place.rs", "mod beside;"),
            ("src/odd/beside.rs", ""),
            ("src/odd/passed.rs", ""),
            ("src/inline/deep.rs", ""),
            ("src/inline/named.rs", ""),
            ("src/renamed/inside.rs", ""),
            ("src/renamed/more/last.rs", ""),
            ("src/type.rs", ""),
            ("src/sys_unix.rs", ""),
            ("src/sys_other.rs", ""),
            ("src/attr_unix.rs", ""),
            ("src/attr_other.rs", ""),
            ("src/with_extra.rs", ""),
            ("src/usual.rs", ""),
            ("src/extra.rs", ""),
            ("src/tests.rs", "#[path = \"../shared/case.rs\"] mod case;"),
            ("shared/case.rs", ""),
            ("src/in_body.rs", ""),
            ("src/included.rs", "mod from_included;"),
            ("src/from_included.rs", ""),
            ("src/passed.rs", ""),
            ("src/outer/inner.rs", ""),
            ("src/linked", "link:../shared/folder"),
            ("shared/folder/mod.rs", "mod behind;"),
            ("shared/folder/behind.rs", ""),
            ("src/nobody.rs", ""),
            ("src/shown.rs", "not Rust"),
        ],
        1,
        0,
    );
    let tree = found.packages[0].targets[0].modules.as_ref().unwrap();
    let told = |path: &str| -> Vec<(&str, String)> {
        let of = tree.modules.iter().filter(|module| module.path == path);
        of.map(|it| (it.file.as_deref().unwrap_or("-"), it.conditions.join(" and "))).collect()
    };
    assert_eq!(
        told("crate::sys"),
        [("src/sys_unix.rs", "unix".to_owned()), ("src/sys_other.rs", "not(unix)".to_owned())]
    );
    assert_eq!(told("crate::attr").len(), 2, "{:?}", told("crate::attr"));
    assert_eq!(told("crate::usual")[0], ("src/with_extra.rs", "feature = \"extra\"".to_owned()));
    assert_eq!(told("crate::type"), [("src/type.rs", String::new())]);
    let orphans: Vec<&str> = found.orphans.iter().flatten().map(|it| it.file.as_str()).collect();
    assert_eq!(orphans, ["src/nobody.rs", "src/shown.rs"]);
}

#[test]
fn a_difference_is_seen() {
    let files = [
        (
            "Cargo.toml",
            "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[features]\na = []\n[dependencies]\nlog = \"1\"\n",
        ),
        ("src/lib.rs", "mod a;"),
        ("src/a.rs", ""),
        ("tests/it.rs", ""),
    ];
    let repository = repository(&files);
    let checkout = Checkout::of(&repository.path().join(".git"), "HEAD", true).unwrap();
    let whole = agreed(&files, 1, 0);
    let wrong: [fn(&mut Workspaces); 6] = [
        |found| found.packages[0].edition.value = "2018".to_owned(),
        |found| found.packages[0].targets.truncate(1),
        |found| found.packages[0].features.clear(),
        |found| found.packages[0].dependencies[0].optional = true,
        |found| found.packages[0].standing = Standing::Unclaimed,
        |found| found.packages.clear(),
    ];
    for change in wrong {
        let mut found = whole.clone();
        change(&mut found);
        let (differences, _) = packages(&checkout, &found, &mut Sums::default()).unwrap();
        assert_ne!(differences, Vec::<String>::new());
    }
    let mut found = whole;
    found.packages[0].targets[0].modules.as_mut().unwrap().modules.truncate(1);
    let differences = modules(&checkout.root().unwrap(), &found.packages, &mut Sums::default()).unwrap();
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].contains("src/a.rs"), "{differences:?}");
}
