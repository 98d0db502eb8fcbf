//! Histories of small repositories that real git wrote.

mod packs;
mod standing;

use std::collections::BTreeSet;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::diff::{RevisionClass, compare};
use crate::ids::CommitId;
use crate::process::{Invocation, ProcessRunner, SystemProcessRunner};
use crate::snapshot;

const MANIFEST: &str = "[package]\nname = \"pool\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";

/// A repository under the author's hands.
struct Work {
    folder: TempDir,
    commits: u32,
}

impl Work {
    /// A package with one file.
    fn new() -> Self {
        let work = Self { folder: TempDir::new().unwrap(), commits: 0 };
        work.git(&["init", "--quiet", "--initial-branch=main"]);
        work.write("Cargo.toml", MANIFEST);
        work
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let date = format!("{} +0000", 1_700_000_000 + 60 * self.commits);
        let invocation = Invocation::new("git", self.folder.path())
            .args(["-c", "user.name=author", "-c", "user.email=author@invalid", "-c", "gc.auto=0"])
            .args(arguments.iter().copied())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date);
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        assert!(finished.succeeded(), "git {arguments:?}: {}", finished.tail(20));
        String::from_utf8(finished.stdout).unwrap().trim().to_owned()
    }

    fn commit(&mut self, message: &str) -> CommitId {
        self.commits += 1;
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        CommitId::new(self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    fn repo(&self) -> UpstreamRepo {
        UpstreamRepo::open(self.folder.path()).unwrap()
    }

    fn range(&self, line: Line) -> HistoryRange {
        HistoryRange { to: self.repo().head().unwrap(), from: None, last: None, line }
    }

    fn rows(&self, line: Line) -> Vec<HistoryRow> {
        rows(&self.repo(), &self.range(line), None)
    }

    /// The newest row.
    fn newest(&self) -> HistoryRow {
        self.rows(Line::FirstParent).remove(0)
    }
}

fn rows(repo: &UpstreamRepo, range: &HistoryRange, cache: Option<&HistoryCache>) -> Vec<HistoryRow> {
    let mut rows = Vec::new();
    let mut each = |row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    history(repo, range, cache, &mut each).unwrap();
    rows
}

/// The items of a row, a line each.
fn told(row: &HistoryRow) -> Vec<String> {
    row.changes.items.iter().map(|item| format!("{} {}", item.path, item.summary())).collect()
}

#[test]
fn a_root_an_empty_commit_and_a_change_each_have_a_row_newest_first() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub fn f() -> u8 { 1 }\n");
    work.commit("begin");
    work.commit("nothing");
    work.write("src/lib.rs", "pub fn f() -> u8 { 2 }\n");
    work.commit("change");
    let rows = work.rows(Line::All);
    let summaries: Vec<_> = rows.iter().map(|row| row.revision.summary.as_str()).collect();
    assert_eq!(summaries, ["change", "nothing", "begin"]);
    assert_eq!(told(&rows[0]), ["pool::f body"]);
    assert_eq!(rows[0].changes.class, RevisionClass::InternalBehaviour);
    assert_eq!(told(&rows[1]), Vec::<String>::new());
    assert_eq!(rows[1].changes.class, RevisionClass::NoBehaviourChange);
    assert_eq!(told(&rows[2]), ["pool added", "pool::f added"]);
    assert_eq!(rows[2].changes.class, RevisionClass::PublicApiAdded);
    assert_eq!(rows[2].changes.confidence, Confidence::Certain);
}

#[test]
fn formatting_and_comments_are_no_behaviour() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub fn f(a:u8)->u8{match a{1=>{2},_=>3}}\n");
    work.commit("begin");
    work.write(
        "src/lib.rs",
        "// Why.\npub fn f(a: u8) -> u8 {\n    match a {\n        1 => 2,\n        _ => 3,\n    }\n}\n",
    );
    work.commit("format");
    assert_eq!(told(&work.newest()), Vec::<String>::new());
    assert_eq!(work.newest().changes.class, RevisionClass::NoBehaviourChange);
}

#[test]
fn a_merge_tells_what_it_changed_itself_and_with_one_line_all_it_brought() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub fn f() {}\n");
    work.commit("begin");
    work.git(&["checkout", "--quiet", "-b", "side"]);
    work.write("src/side.rs", "pub fn s() {}\n");
    work.commit("side");
    work.git(&["checkout", "--quiet", "main"]);
    work.write("src/main_line.rs", "pub fn m() {}\n");
    work.commit("main");
    work.commits += 1;
    work.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    let all = work.rows(Line::All);
    assert_eq!((all.len(), all[0].parents), (4, 2));
    assert_eq!(told(&all[0]), Vec::<String>::new());
    let first = work.rows(Line::FirstParent);
    assert_eq!(first.len(), 3);
    assert_eq!(told(&first[0]), ["pool::side added", "pool::side::s added"]);
}

#[test]
fn a_file_that_moves_unchanged_is_a_move_and_nothing_else() {
    let mut work = Work::new();
    let text = "//! A tide pool.\nuse std::fmt;\npub fn f() -> u8 { 1 }\npub struct S(fmt::Error);\n";
    work.write("src/lib.rs", "pub mod old;\n");
    work.write("src/old.rs", text);
    work.commit("begin");
    std::fs::remove_file(work.path("src/old.rs")).unwrap();
    work.write("src/new.rs", text);
    work.commit("move");
    let row = work.newest();
    assert_eq!(told(&row), ["pool::new renamed", "pool::new::S moved", "pool::new::f moved"]);
    assert_eq!(row.changes.items[2].from.as_ref().unwrap().as_str(), "pool::old::f");
}

#[test]
fn a_function_and_a_module_of_one_name_are_two() {
    let mut work = Work::new();
    work.write("src/lib.rs", "mod cpu;\nfn cpu() {}\n");
    work.write("src/cpu.rs", "fn f() {}\n");
    work.commit("begin");
    work.write("src/lib.rs", "mod cpu;\n");
    work.write("src/cpu.rs", "use std::fmt;\nfn f() {}\n");
    work.commit("change");
    assert_eq!(told(&work.newest()), ["pool::cpu body", "pool::cpu removed"]);
    work.write("src/lib.rs", "pub mod cpu;\nfn cpu() {}\n");
    work.write("src/cpu.rs", "fn f() {}\n");
    work.commit("back");
    assert_eq!(told(&work.newest()), ["pool::cpu body, visibility", "pool::cpu added"]);
}

#[test]
fn look_alikes_in_a_file_that_moves_are_each_found_again() {
    let mut work = Work::new();
    let twins = "pub struct A;\npub struct B;
impl Default for A { fn default() -> Self { Self } }\nimpl Default for B { fn default() -> Self { Self } }
mod one { fn f() { g() } mod two { fn f() { g() } } }\n";
    work.write("src/lib.rs", "mod here;\n");
    work.write("src/here.rs", twins);
    work.commit("begin");
    work.git(&["mv", "src/here.rs", "src/there.rs"]);
    work.write("src/lib.rs", "mod there;\n");
    work.commit("move");
    let strays: Vec<String> = told(&work.newest())
        .into_iter()
        .filter(|line| !line.ends_with(" moved") && line != "pool::there renamed")
        .collect();
    assert_eq!(strays, Vec::<String>::new());
    assert_eq!(work.newest().changes.items.len(), 11);
}

#[test]
fn an_item_under_another_name_is_renamed_and_two_that_look_alike_are_not_guessed() {
    let mut work = Work::new();
    work.write("src/lib.rs", "fn one() -> u8 { 1 }\nfn a() {}\nfn b() {}\n");
    work.commit("begin");
    work.write("src/lib.rs", "fn uno() -> u8 { 1 }\nfn c() {}\nfn d() {}\n");
    work.commit("rename");
    assert_eq!(
        told(&work.newest()),
        ["pool::a removed", "pool::b removed", "pool::c added", "pool::d added", "pool::uno renamed"]
    );
}

#[test]
fn a_file_that_cannot_be_read_costs_itself_alone_and_is_named() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub fn f() {}\n");
    work.write("src/broken.rs", "fn f() {}\n");
    work.write("src/latin.rs", "fn f() {}\n");
    work.commit("begin");
    work.write("src/lib.rs", "pub fn f() { g() }\n");
    work.write("src/broken.rs", "<<<<<<< ours\nfn f() {\n");
    work.write("src/latin.rs", b"// \xe9\nfn f() {}\n");
    work.commit("break");
    let row = work.newest();
    assert_eq!(told(&row), ["pool::f body"]);
    assert_eq!(row.changes.confidence, Confidence::Unknown);
    let unparsed: Vec<_> =
        row.changes.unparsed.iter().map(|it| format!("{}: {}", it.file, it.reason)).collect();
    assert_eq!(unparsed, ["src/broken.rs: line 1: no item begins here", "src/latin.rs: it is not UTF-8"]);
}

#[test]
fn a_missing_object_is_named_and_the_history_goes_on() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub fn f() {}\n");
    work.write("src/lost.rs", "fn lost() {}\n");
    work.commit("begin");
    let lost = work.git(&["rev-parse", "HEAD:src/lost.rs"]);
    work.write("src/lost.rs", "fn lost() { g() }\n");
    work.write("src/lib.rs", "pub fn f() { h() }\n");
    work.commit("change");
    let (folder, file) = lost.split_at(2);
    std::fs::remove_file(work.path(&format!(".git/objects/{folder}/{file}"))).unwrap();
    let row = work.newest();
    assert_eq!(told(&row), ["pool::f body"]);
    assert!(row.changes.unparsed[0].reason.starts_with(&format!("object {lost} is missing")), "{row:?}");
}

#[test]
fn links_submodules_modes_and_test_data_are_files_and_no_items() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub fn f() {}\n");
    work.commit("begin");
    std::os::unix::fs::symlink("lib.rs", work.path("src/link.rs")).unwrap();
    work.write("test_data/odd.rs", "fn not_ours(");
    work.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        "160000,1111111111111111111111111111111111111111,vendor",
    ]);
    work.git(&["update-index", "--chmod=+x", "src/lib.rs"]);
    work.git(&["add", "src/link.rs", "test_data"]);
    work.commits += 1;
    work.git(&["commit", "--quiet", "-m", "odd"]);
    let row = work.newest();
    assert_eq!(told(&row), Vec::<String>::new());
    let files: Vec<_> = row.changes.files.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["src/link.rs", "test_data/odd.rs", "vendor"]);
    assert_eq!(row.changes.unparsed, []);
}

#[test]
fn requirements_and_locked_versions_are_told() {
    let mut work = Work::new();
    work.write("src/lib.rs", "");
    work.commit("begin");
    work.write("Cargo.toml", format!("{MANIFEST}[dependencies]\nlog = \"0.4\"\n"));
    work.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"log\"\nversion = \"0.4.20\"\n");
    work.commit("depend");
    let row = work.newest();
    let told: Vec<_> = row
        .changes
        .dependencies
        .iter()
        .map(|it| format!("{} {} {}", it.package, it.dependency, it.after.as_deref().unwrap_or("none")))
        .collect();
    assert_eq!(told, ["Cargo.lock log 0.4.20", "pool log 0.4"]);
    assert_eq!(row.changes.class, RevisionClass::Dependencies);
}

#[test]
fn rows_from_the_cache_equal_those_computed_and_a_damaged_cache_is_begun_anew() {
    let mut work = Work::new();
    for number in 0..4 {
        work.write("src/lib.rs", format!("pub fn f() -> u8 {{ {number} }}\n"));
        work.commit(&format!("change {number}"));
    }
    let (repo, range) = (work.repo(), work.range(Line::All));
    let fresh = rows(&repo, &range, None);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("rows").join("history.sqlite");
    let cache = HistoryCache::open(&file).unwrap();
    assert_eq!(rows(&repo, &range, Some(&cache)), fresh);
    let end = history(&repo, &range, Some(&cache), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((end.rows, end.from_cache), (4, 4));
    assert_eq!(rows(&repo, &range, Some(&HistoryCache::open(&file).unwrap())), fresh);
    drop(cache);
    for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
        std::fs::write(entry.unwrap().path(), "no database").unwrap();
    }
    let cache = HistoryCache::open(&file).unwrap();
    assert_eq!(rows(&repo, &range, Some(&cache)), fresh);
}

#[test]
fn a_row_that_rests_on_a_missing_object_is_not_kept() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub fn f() {}\n");
    work.commit("begin");
    let lost = work.git(&["rev-parse", "HEAD:src/lib.rs"]);
    let (folder, file) = lost.split_at(2);
    let object = work.path(&format!(".git/objects/{folder}/{file}"));
    let bytes = std::fs::read(&object).unwrap();
    std::fs::remove_file(&object).unwrap();
    let state = TempDir::new().unwrap();
    let cache = HistoryCache::open(&state.path().join("history.sqlite")).unwrap();
    let range = work.range(Line::All);
    assert_eq!(told(&rows(&work.repo(), &range, Some(&cache))[0]), Vec::<String>::new());
    std::fs::write(&object, bytes).unwrap();
    assert_eq!(told(&rows(&work.repo(), &range, Some(&cache))[0]), ["pool added", "pool::f added"]);
}

#[test]
fn a_range_ends_before_its_older_revision_and_stops_where_it_is_told() {
    let mut work = Work::new();
    let commits: Vec<CommitId> = (0..5).map(|number| work.commit(&format!("{number}"))).collect();
    let range = HistoryRange { from: Some(commits[1].clone()), ..work.range(Line::All) };
    assert_eq!(rows(&work.repo(), &range, None).len(), 3);
    let range = HistoryRange { last: Some(2), ..work.range(Line::All) };
    assert_eq!(rows(&work.repo(), &range, None).len(), 2);
    let mut seen = 0;
    let mut each = |_| {
        seen += 1;
        ControlFlow::Break(())
    };
    let end = history(&work.repo(), &work.range(Line::All), None, &mut each).unwrap();
    assert!(end.stopped);
    assert_eq!(seen, 1);
}

#[test]
fn a_row_says_what_the_full_diff_says() {
    let mut work = Work::new();
    work.write("src/lib.rs", "pub mod net;\n/// Old.\npub fn f(a: u8) -> u8 { a }\nstruct Gone;\n#[cfg(test)] mod tests { #[test] fn t() {} }\n");
    work.write("src/net.rs", "pub struct Net { pub a: u8 }\nimpl Net { pub fn new() -> Self { Self { a: 1 } } }\nimpl Clone for Net { fn clone(&self) -> Self { Self { a: self.a } } }\n");
    let before = work.commit("begin");
    work.write("src/lib.rs", "use std::fmt;\npub mod net;\n/// New.\npub fn f(a: u16) -> u8 { a as u8 }\npub trait Tide { fn high(&self) -> u8; }\n#[cfg(test)] mod tests { #[test] fn t() { f(1); } }\n");
    work.write("src/net.rs", "pub struct Net { pub a: u16 }\nimpl Net { pub(crate) fn new() -> Self { Self { a: 1 } } }\nimpl Clone for Net { fn clone(&self) -> Self { Self { a: self.a + 0 } } }\n");
    let after = work.commit("change");
    let repo = work.repo();
    let snapshot = |commit: &CommitId| {
        snapshot::read(&repo.tree(commit).unwrap(), &repo.revision(commit).unwrap()).unwrap()
    };
    let full = compare(&snapshot(&before), &snapshot(&after));
    let full_told: BTreeSet<String> =
        full.items.iter().map(|change| format!("{} {}", change.path(), change.summary())).collect();
    let row = work.newest();
    assert_eq!(told(&row).into_iter().collect::<BTreeSet<_>>(), full_told);
    assert_eq!(row.changes.class, full.class);
}
