//! The repository on real temporary git repositories.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;
use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};
use upstream::tree::EntryKind;

use super::*;
use crate::language::python::tests::python;

/// A port with a working tree on the branch `main`, and one commit.
struct Port {
    folder: TempDir,
    repo: PortRepo,
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let invocation = Invocation::new("git", folder)
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
        .args(arguments.iter().copied())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", folder.as_os_str());
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "git {arguments:?}: {}", finished.tail(5));
    String::from_utf8(finished.stdout).unwrap().trim().to_owned()
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

impl Port {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        git(folder.path(), &["init", "-q", "-b", "main"]);
        write(folder.path(), "pkg/__init__.py", "def f():\n    return 1\n");
        write(folder.path(), "pkg/deep/x.py", "X = 1\n");
        write(folder.path(), "run.sh", "#!/bin/sh\n");
        write(folder.path(), ".gitignore", "*.log\nlocal.py\n");
        fs::set_permissions(folder.path().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-q", "-m", "first"]);
        let repo = PortRepo::open(folder.path()).unwrap();
        Self { folder, repo }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn head(&self) -> BranchHead {
        self.repo.head("main").unwrap()
    }

    /// A commit on top of `main`, which no branch names.
    fn commit(&self, changes: &[(&str, Option<&str>)]) -> (CommitId, TreeId) {
        let head = self.head();
        let tree = self.repo.write_tree(&head.tree, &changes_of(changes)).unwrap();
        let author = Author { name: "Tidelock".to_owned(), email: "t@example.org".to_owned() };
        let new = NewCommit {
            parents: &[head.commit],
            tree: &tree,
            message: "port: follow\n",
            author: &author,
            time_s: 1_700_000_000,
        };
        (self.repo.commit_object(&new).unwrap(), tree)
    }

    fn state(&self) -> WorktreeState {
        self.repo.worktree_state("main").unwrap()
    }

    fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.path().join(file)).ok()
    }
}

fn changes_of(changes: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<Vec<u8>>> {
    let owned = |text: &str| text.as_bytes().to_vec();
    changes.iter().map(|(path, text)| ((*path).to_owned(), text.map(owned))).collect()
}

#[test]
fn only_a_repository_is_opened_and_never_one_above() {
    let port = Port::new();
    for folder in [port.path().join("pkg"), port.path().join("none")] {
        let error = PortRepo::open(&folder).unwrap_err();
        assert!(matches!(error, RepoError::NotARepository { .. }), "{error}");
    }
    let bare = TempDir::new().unwrap();
    git(port.path(), &["clone", "-q", "--bare", ".", bare.path().join("b.git").to_str().unwrap()]);
    let bare = PortRepo::open(&bare.path().join("b.git")).unwrap();
    assert_eq!(bare.head("main").unwrap(), port.head());
    assert_eq!(bare.worktree_state("main").unwrap(), WorktreeState::NotCheckedOut);
    let tree = port.head().tree;
    assert!(matches!(bare.refresh_worktree("main", &tree, &tree), Err(RefreshError::Bare)));
}

#[test]
fn branches_that_cannot_be_read_are_named() {
    let port = Port::new();
    let error = port.repo.head("develop").unwrap_err();
    assert_eq!(error.to_string(), "there is no branch `develop`; there are: main");
    for name in ["", "a..b", "-x", "a b", "x~1"] {
        assert!(matches!(port.repo.head(name), Err(RepoError::BadBranchName { .. })), "{name}");
    }
    let empty = TempDir::new().unwrap();
    git(empty.path(), &["init", "-q", "-b", "main"]);
    let empty = PortRepo::open(empty.path()).unwrap();
    assert!(matches!(empty.head("main"), Err(RepoError::UnbornBranch { .. })));
    assert!(matches!(empty.head("other"), Err(RepoError::UnknownBranch { .. })));
}

#[test]
fn trees_and_commits_are_read() {
    let port = Port::new();
    let head = port.head();
    assert_eq!(port.repo.read(&head.tree, "pkg/deep/x.py").unwrap().unwrap(), b"X = 1\n");
    assert_eq!(port.repo.read(&head.tree, "pkg/none.py").unwrap(), None);
    assert!(matches!(port.repo.read(&head.tree, "pkg"), Err(RepoError::NotAFile { .. })));
    let files = port.repo.files(&head.tree).unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [".gitignore", "pkg/__init__.py", "pkg/deep/x.py", "run.sh"]);
    assert!(files.iter().all(|file| file.kind == EntryKind::File));
    let info = port.repo.commit_info(&head.commit).unwrap();
    assert_eq!((info.parents.len(), info.tree, info.message.as_str()), (0, head.tree, "first\n"));
    let nothing = CommitId::new("0".repeat(40)).unwrap();
    assert!(matches!(port.repo.commit_info(&nothing), Err(RepoError::MissingObject { .. })));
    let nothing = TreeId::new("0".repeat(40)).unwrap();
    assert!(matches!(port.repo.files(&nothing), Err(RepoError::MissingObject { .. })));
}

#[test]
fn symbols_come_from_a_tree_and_odd_files_are_reported() {
    let port = Port::new();
    let mut changes = changes_of(&[("pkg/bad.py", Some("def f(:\n")), ("skip/z.py", Some("z = 1\n"))]);
    changes.insert("pkg/latin.py".to_owned(), Some(b"x = '\xe9'\n".to_vec()));
    let tree = port.repo.write_tree(&port.head().tree, &changes).unwrap();
    let takes = |file: &str| !file.starts_with("skip/");
    let table = port.repo.symbol_table(&tree, &python(), &takes).unwrap();
    let paths: Vec<String> = table.symbols.keys().map(ToString::to_string).collect();
    assert_eq!(paths, ["pkg.deep.x.X", "pkg.f"]);
    let odd: Vec<&str> = table.unparsed.keys().map(String::as_str).collect();
    assert_eq!(odd, ["pkg/bad.py", "pkg/latin.py"]);

    // From a cache the same comes, whatever became of it.
    let whole = port.repo.symbol_table(&tree, &python(), &|_| true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("symbols.sqlite");
    for round in 0..3 {
        let cache = SymbolCache::open(&path).unwrap();
        let cached = port.repo.symbol_table_cached(&tree, &python(), &cache).unwrap();
        assert_eq!(cached, whole, "round {round}");
        let connection = rusqlite::Connection::open(&path).unwrap();
        let count: i64 = connection.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 4, "every text is kept");
        let last: i64 =
            connection.query_row("SELECT max(number) FROM entries", [], |row| row.get(0)).unwrap();
        assert_eq!(last, if round < 2 { 4 } else { 8 }, "and again where it cannot be read");
        if round == 1 {
            connection.execute_batch("UPDATE entries SET value = '{'").unwrap();
        }
    }
}

#[test]
fn a_tree_is_written_with_nested_paths_and_bits_kept() {
    let port = Port::new();
    let head = port.head();
    let changes = [("a/b/c.py", Some("c")), ("run.sh", Some("#!/bin/sh\nexit 1\n")), ("pkg/deep/x.py", None)];
    let tree = port.repo.write_tree(&head.tree, &changes_of(&changes)).unwrap();
    let listed = git(port.path(), &["ls-tree", "-r", "--format=%(objectmode) %(path)", tree.as_str()]);
    assert_eq!(listed, "100644 .gitignore\n100644 a/b/c.py\n100644 pkg/__init__.py\n100755 run.sh");
    assert_eq!(port.repo.write_tree(&head.tree, &BTreeMap::new()).unwrap(), head.tree);
    git(port.path(), &["fsck", "--strict"]);
}

#[test]
fn a_tree_without_files_is_the_empty_tree() {
    let port = Port::new();
    let all = [".gitignore", "pkg/__init__.py", "pkg/deep/x.py", "run.sh"].map(|file| (file, None));
    let tree = port.repo.write_tree(&port.head().tree, &changes_of(&all)).unwrap();
    assert_eq!(tree.as_str(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

#[test]
fn paths_that_lead_elsewhere_are_not_written() {
    let port = Port::new();
    symlink("/etc", port.path().join("link")).unwrap();
    git(port.path(), &["add", "link"]);
    git(port.path(), &["commit", "-q", "-m", "a link"]);
    let refused = |changes: &[(&str, Option<&str>)]| {
        port.repo.write_tree(&port.head().tree, &changes_of(changes)).unwrap_err()
    };
    for path in ["../x", "/x", ".git/hooks/post-commit", "a/../../x", "pkg/.GIT/x", ""] {
        assert!(matches!(refused(&[(path, Some("x"))]), RepoError::BadPath(_)), "{path}");
    }
    for path in ["link", "link/passwd", "pkg", "run.sh/x"] {
        assert!(matches!(refused(&[(path, Some("x"))]), RepoError::PathConflict { .. }), "{path}");
    }
    assert!(matches!(refused(&[("a", Some("x")), ("a/b", Some("x"))]), RepoError::PathConflict { .. }));
    assert!(matches!(refused(&[("none.py", None)]), RepoError::NotThere { .. }));
}

#[test]
fn equal_commits_have_equal_ids_and_move_no_branch() {
    let port = Port::new();
    let before = port.head();
    let (one, tree) = port.commit(&[("new.py", Some("n = 1\n"))]);
    let (two, _) = port.commit(&[("new.py", Some("n = 1\n"))]);
    assert_eq!(one, two);
    assert_eq!(port.head(), before);
    let info = port.repo.commit_info(&one).unwrap();
    assert_eq!((info.parents, info.tree), (vec![before.commit], tree));
    assert_eq!(
        git(port.path(), &["log", "-1", "--format=%an %ae %at %ct", one.as_str()]),
        "Tidelock t@example.org 1700000000 1700000000"
    );
}

#[test]
fn a_branch_moves_only_from_where_it_is_known_to_be() {
    let port = Port::new();
    let first = port.head().commit;
    let (one, _) = port.commit(&[("one.py", Some("1"))]);
    let (two, _) = port.commit(&[("two.py", Some("2"))]);
    port.repo.advance("main", &first, &one).unwrap();
    assert_eq!(port.head().commit, one);
    let error = port.repo.advance("main", &first, &two).unwrap_err();
    assert!(matches!(error, AdvanceError::Moved { found: Some(found), .. } if found == one));
    assert_eq!(port.head().commit, one);
    let error = port.repo.advance("main", &one, &two).unwrap_err();
    assert!(matches!(error, AdvanceError::NotADescendant { .. }), "{error}");
    let error = port.repo.advance("gone", &first, &one).unwrap_err();
    assert!(matches!(error, AdvanceError::Moved { found: None, .. }), "{error}");
}

#[test]
fn a_branch_that_was_renamed_is_not_made_anew() {
    let port = Port::new();
    let first = port.head().commit;
    let (one, _) = port.commit(&[("one.py", Some("1"))]);
    git(port.path(), &["branch", "-m", "main", "trunk"]);
    let error = port.repo.advance("main", &first, &one).unwrap_err();
    assert!(matches!(error, AdvanceError::Moved { found: None, .. }), "{error}");
    assert_eq!(git(port.path(), &["branch", "--format=%(refname:short)"]), "trunk");
    port.repo.advance("trunk", &first, &one).unwrap();
}

#[test]
fn a_branch_is_moved_by_one_of_many_at_once() {
    let port = Port::new();
    let first = port.head().commit;
    let commits: Vec<CommitId> =
        (0..8).map(|at| port.commit(&[("n.py", Some(&format!("n = {at}\n")))]).0).collect();
    let moved: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = commits
            .iter()
            .map(|to| {
                let (path, from) = (port.path(), &first);
                scope.spawn(move || PortRepo::open(path).unwrap().advance("main", from, to).is_ok())
            })
            .collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(moved, 1);
    assert!(commits.contains(&port.head().commit));
}

#[test]
fn a_locked_branch_is_busy_and_not_moved() {
    let port = Port::new();
    let first = port.head().commit;
    let (one, _) = port.commit(&[("one.py", Some("1"))]);
    fs::write(port.path().join(".git/refs/heads/main.lock"), "").unwrap();
    let error = port.repo.advance("main", &first, &one).unwrap_err();
    assert!(matches!(error, AdvanceError::Locked { .. }), "{error:?}");
}

#[test]
fn a_branch_is_made_once() {
    let port = Port::new();
    let first = port.head().commit;
    let (one, _) = port.commit(&[("one.py", Some("1"))]);
    port.repo.create_branch("tidelock/sync", &one).unwrap();
    port.repo.create_branch("tidelock/sync", &one).unwrap();
    assert_eq!(port.repo.head("tidelock/sync").unwrap().commit, one);
    let error = port.repo.create_branch("tidelock/sync", &first).unwrap_err();
    assert!(matches!(error, AdvanceError::Moved { found: Some(found), .. } if found == one));
    assert!(port.repo.descends(&one, &first).unwrap());
    assert!(!port.repo.descends(&first, &one).unwrap());
}

#[test]
fn a_checkout_is_a_plain_folder_that_goes_with_its_value() {
    let port = Port::new();
    symlink("../run.sh", port.path().join("pkg/inside")).unwrap();
    symlink("../../outside", port.path().join("pkg/outside")).unwrap();
    git(port.path(), &["add", "-A"]);
    git(port.path(), &["commit", "-q", "-m", "links"]);
    let into = TempDir::new().unwrap();
    let checkout = port.repo.checkout(&port.head().tree, into.path()).unwrap();
    let folder = checkout.path().to_owned();
    assert_eq!(fs::read_to_string(folder.join("pkg/deep/x.py")).unwrap(), "X = 1\n");
    let mode = |file: &str| fs::metadata(folder.join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("run.sh"), mode("pkg/deep/x.py")), (0o755, 0o644));
    assert!(!folder.join(".git").exists());
    assert_eq!(fs::read_link(folder.join("pkg/inside")).unwrap(), Path::new("../run.sh"));
    assert_eq!(checkout.left_out(), ["pkg/outside"]);
    // Code that ran in it may have taken permissions away.
    fs::create_dir(folder.join("shut")).unwrap();
    fs::write(folder.join("shut/x"), "x").unwrap();
    fs::set_permissions(folder.join("shut"), fs::Permissions::from_mode(0o000)).unwrap();
    drop(checkout);
    assert_eq!(fs::read_dir(into.path()).unwrap().count(), 0);
}

#[test]
fn a_sweep_takes_what_dead_runs_left_and_nothing_else() {
    let port = Port::new();
    let into = TempDir::new().unwrap();
    let alive = port.repo.checkout(&port.head().tree, into.path()).unwrap();
    write(into.path(), "checkout-dead.lock", "");
    write(into.path(), "checkout-dead/pkg/x.py", "X = 1\n");
    write(into.path(), "other/file", "mine");
    write(into.path(), "checkout-mine/file", "mine");
    assert_eq!(sweep_checkouts(into.path()).unwrap(), 1);
    assert!(!into.path().join("checkout-dead").exists());
    assert!(alive.path().join("run.sh").exists());
    assert!(into.path().join("other/file").exists());
    assert!(into.path().join("checkout-mine/file").exists());
    assert_eq!(sweep_checkouts(&into.path().join("none")).unwrap(), 0);
}

#[test]
fn a_landing_is_half_moved_until_the_files_follow() {
    let port = Port::new();
    assert_eq!(port.state(), WorktreeState::Clean);
    let old = port.head();
    let changes = [
        ("pkg/__init__.py", Some("def f():\n    return 2\n")),
        ("pkg/new/n.py", Some("n = 1\n")),
        ("pkg/deep/x.py", None),
    ];
    let (to, new) = port.commit(&changes);
    port.repo.advance("main", &old.commit, &to).unwrap();
    assert_eq!(port.state(), WorktreeState::HalfMoved { from: old.commit.clone(), to: to.clone() });
    // Killed again after the first file.
    write(port.path(), "pkg/__init__.py", "def f():\n    return 2\n");
    assert_eq!(port.state(), WorktreeState::HalfMoved { from: old.commit, to });
    port.repo.refresh_worktree("main", &old.tree, &new).unwrap();
    assert_eq!(port.state(), WorktreeState::Clean);
    assert_eq!(port.text("pkg/__init__.py").unwrap(), "def f():\n    return 2\n");
    assert_eq!(port.text("pkg/new/n.py").unwrap(), "n = 1\n");
    assert!(!port.path().join("pkg/deep").exists());
    assert_eq!(git(port.path(), &["status", "--porcelain"]), "");
    port.repo.refresh_worktree("main", &old.tree, &new).unwrap();
}

#[test]
fn changes_of_a_person_make_the_tree_dirty_and_stay() {
    let port = Port::new();
    let old = port.head();
    let (to, new) = port.commit(&[("pkg/__init__.py", Some("new\n")), ("local.py", Some("ours\n"))]);
    write(port.path(), "pkg/__init__.py", "mine\n");
    write(port.path(), "untracked.py", "mine\n");
    assert_eq!(port.state(), WorktreeState::Dirty { files: vec!["pkg/__init__.py".to_owned()] });
    port.repo.advance("main", &old.commit, &to).unwrap();
    assert!(matches!(port.state(), WorktreeState::Dirty { .. }));
    // An ignored file stands where a new one is to be.
    write(port.path(), "local.py", "mine\n");
    let error = port.repo.refresh_worktree("main", &old.tree, &new).unwrap_err();
    assert!(
        matches!(&error, RefreshError::LocalChanges { files } if files == &["local.py", "pkg/__init__.py"]),
        "{error}"
    );
    for file in ["pkg/__init__.py", "local.py", "untracked.py"] {
        assert_eq!(port.text(file).unwrap(), "mine\n");
    }
}

#[test]
fn a_change_of_another_file_does_not_hinder_a_refresh() {
    let port = Port::new();
    let old = port.head();
    let (to, new) = port.commit(&[("pkg/__init__.py", Some("new\n"))]);
    write(port.path(), "run.sh", "mine\n");
    port.repo.advance("main", &old.commit, &to).unwrap();
    assert_eq!(
        port.state(),
        WorktreeState::Dirty { files: vec!["pkg/__init__.py".to_owned(), "run.sh".to_owned()] }
    );
    port.repo.refresh_worktree("main", &old.tree, &new).unwrap();
    assert_eq!(port.text("run.sh").unwrap(), "mine\n");
    assert_eq!(port.text("pkg/__init__.py").unwrap(), "new\n");
    assert_eq!(port.state(), WorktreeState::Dirty { files: vec!["run.sh".to_owned()] });
}

#[test]
fn staged_changes_count_as_a_persons() {
    let port = Port::new();
    let old = port.head();
    let (to, new) = port.commit(&[("pkg/__init__.py", Some("new\n"))]);
    write(port.path(), "pkg/__init__.py", "mine\n");
    git(port.path(), &["add", "-A"]);
    write(port.path(), "pkg/__init__.py", "def f():\n    return 1\n");
    port.repo.advance("main", &old.commit, &to).unwrap();
    assert!(matches!(port.state(), WorktreeState::Dirty { .. }));
    assert!(matches!(
        port.repo.refresh_worktree("main", &old.tree, &new),
        Err(RefreshError::LocalChanges { .. })
    ));
}

#[test]
fn a_folder_may_become_a_file_unless_a_person_keeps_something_in_it() {
    let port = Port::new();
    let old = port.head();
    let (emptied, _) = port.commit(&[("pkg/deep/x.py", None)]);
    port.repo.advance("main", &old.commit, &emptied).unwrap();
    let (to, new) = port.commit(&[("pkg/deep", Some("a file\n"))]);
    port.repo.advance("main", &emptied, &to).unwrap();
    write(port.path(), "pkg/deep/mine.log", "mine\n");
    assert!(matches!(
        port.repo.refresh_worktree("main", &old.tree, &new),
        Err(RefreshError::LocalChanges { .. })
    ));
    assert!(port.path().join("pkg/deep/x.py").exists());
    fs::remove_file(port.path().join("pkg/deep/mine.log")).unwrap();
    port.repo.refresh_worktree("main", &old.tree, &new).unwrap();
    assert_eq!(port.text("pkg/deep").unwrap(), "a file\n");
}

#[test]
fn a_branch_that_is_not_checked_out_concerns_no_file() {
    let port = Port::new();
    git(port.path(), &["switch", "-q", "-c", "mine"]);
    write(port.path(), "run.sh", "mine\n");
    assert_eq!(port.state(), WorktreeState::NotCheckedOut);
    git(port.path(), &["switch", "-q", "--detach"]);
    assert_eq!(port.state(), WorktreeState::NotCheckedOut);
}

#[test]
fn a_locked_index_is_busy() {
    let port = Port::new();
    let old = port.head();
    let (to, new) = port.commit(&[("pkg/__init__.py", Some("new\n"))]);
    port.repo.advance("main", &old.commit, &to).unwrap();
    fs::write(port.path().join(".git/index.lock"), "").unwrap();
    let error = port.repo.refresh_worktree("main", &old.tree, &new).unwrap_err();
    assert!(matches!(error, RefreshError::Locked), "{error:?}");
    fs::remove_file(port.path().join(".git/index.lock")).unwrap();
    port.repo.refresh_worktree("main", &old.tree, &new).unwrap();
    assert_eq!(port.state(), WorktreeState::Clean);
}

#[test]
fn differences_are_text_of_the_named_files_and_never_cut() {
    let port = Port::new();
    let old = port.head().tree;
    let changes = [("pkg/__init__.py", Some("def f():\n    return 2\n")), ("new.py", Some("n = 1\n"))];
    let new = port.repo.write_tree(&old, &changes_of(&changes)).unwrap();
    let text = port.repo.diff_text(&old, &new, &["pkg/__init__.py"]).unwrap();
    assert!(text.ends_with("@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n"), "{text}");
    assert!(port.repo.diff_text(&old, &new, &[]).unwrap().contains("+n = 1"));
    assert_eq!(port.repo.diff_text(&old, &old, &[]).unwrap(), "");
    let huge = "x\n".repeat(DIFF_BYTES_MAX);
    let huge = port.repo.write_tree(&old, &changes_of(&[("huge.txt", Some(&huge))])).unwrap();
    assert!(matches!(port.repo.diff_text(&old, &huge, &[]), Err(RepoError::DiffTooLarge { .. })));
}
