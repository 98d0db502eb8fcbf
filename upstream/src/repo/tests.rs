//! Reading real repositories, honest and hostile.

use gix::objs::Write;
use gix::objs::tree::{Entry, EntryKind as Mode};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::tree::{EntryKind, SourceTree};

/// A bare repository that is written object by object, as no honest tool would.
struct Fixture {
    folder: TempDir,
    repo: gix::Repository,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let repo = gix::init_bare(folder.path().join("repo")).unwrap();
        Self { folder, repo }
    }

    fn blob(&self, content: &str) -> gix::ObjectId {
        self.repo.write_blob(content).unwrap().detach()
    }

    /// Entries are written in this order, whatever their names.
    fn tree(&self, entries: &[(&[u8], Mode, gix::ObjectId)]) -> gix::ObjectId {
        let entry = |(name, mode, oid): &(&[u8], Mode, gix::ObjectId)| Entry {
            mode: (*mode).into(),
            filename: name.to_vec().into(),
            oid: *oid,
        };
        // The library sorts and checks trees; hostile ones are written as bytes.
        let mut bytes = Vec::new();
        for entry in entries.iter().map(entry) {
            bytes.extend(entry.mode.as_bytes(&mut [0; 6]).to_vec());
            bytes.push(b' ');
            bytes.extend(entry.filename.to_vec());
            bytes.push(0);
            bytes.extend(entry.oid.as_slice());
        }
        self.repo.objects.write_buf(gix::objs::Kind::Tree, &bytes).unwrap()
    }

    fn commit(&self, tree: gix::ObjectId, message: &str, parents: &[&CommitId]) -> CommitId {
        let author = gix::actor::Signature {
            name: "author".into(),
            email: "author@invalid".into(),
            time: gix::date::Time::new(1_700_000_000, 0),
        };
        let id = |commit: &&CommitId| gix::ObjectId::from_hex(commit.as_str().as_bytes()).unwrap();
        let commit = gix::objs::Commit {
            tree,
            parents: parents.iter().map(id).collect(),
            author: author.clone(),
            committer: author,
            encoding: None,
            message: message.into(),
            extra_headers: Vec::new(),
        };
        commit_id(self.repo.write_object(&commit).unwrap().detach())
    }

    fn files(&self, entries: &[(&[u8], Mode, gix::ObjectId)]) -> CommitId {
        self.commit(self.tree(entries), "files", &[])
    }

    fn upstream(&self) -> UpstreamRepo {
        UpstreamRepo::open(self.repo.git_dir()).unwrap()
    }

    fn export(&self, commit: &CommitId) -> Result<(Exported, std::path::PathBuf), ExportError> {
        let into = self.folder.path().join("export");
        Ok((self.upstream().export(commit, &into)?, into))
    }

    fn forget(&self, id: gix::ObjectId) {
        let hex = id.to_hex().to_string();
        let (folder, file) = hex.split_at(2);
        std::fs::remove_file(self.repo.git_dir().join("objects").join(folder).join(file)).unwrap();
    }
}

fn paths(tree: &RevisionTree) -> Vec<(String, EntryKind)> {
    tree.entries().unwrap().into_iter().map(|entry| (entry.path, entry.kind)).collect()
}

#[test]
fn a_tree_lists_files_links_and_submodules_sorted_by_path() {
    let fixture = Fixture::new();
    let inner = fixture.tree(&[(b"lib.rs", Mode::Blob, fixture.blob("inner"))]);
    let module = gix::ObjectId::from_hex(&[b'1'; 40]).unwrap();
    let commit = fixture.files(&[
        (b"link", Mode::Link, fixture.blob("src/lib.rs")),
        (b"module", Mode::Commit, module),
        (b"run", Mode::BlobExecutable, fixture.blob("run")),
        (b"src", Mode::Tree, inner),
        (b"src-more", Mode::Blob, fixture.blob("more")),
    ]);
    let tree = fixture.upstream().tree(&commit).unwrap();
    let expected = [
        ("link", EntryKind::Link),
        ("module", EntryKind::Submodule),
        ("run", EntryKind::File),
        ("src-more", EntryKind::File),
        ("src/lib.rs", EntryKind::File),
    ];
    assert_eq!(paths(&tree), expected.map(|(path, kind)| (path.to_owned(), kind)));
    assert_eq!(tree.read("src/lib.rs").unwrap().unwrap(), b"inner");
    assert_eq!(tree.read("link").unwrap().unwrap(), b"src/lib.rs");
    for nothing in ["", "src", "module", "src/none.rs", "src/lib.rs/deeper", "/run", "../run", "link/lib.rs"]
    {
        assert_eq!(tree.read(nothing).unwrap(), None, "{nothing}");
    }
}

#[test]
fn packages_behind_submodules_and_links_that_leave_are_told_and_not_followed() {
    let fixture = Fixture::new();
    let manifest = |name: &str| fixture.blob(&format!("[package]\nname = \"{name}\"\n"));
    let module = gix::ObjectId::from_hex(&[b'1'; 40]).unwrap();
    let source = fixture.tree(&[(b"lib.rs", Mode::Blob, fixture.blob("mod beside;"))]);
    let inner = fixture.tree(&[(b"Cargo.toml", Mode::Blob, manifest("inner")), (b"src", Mode::Tree, source)]);
    let workspace = fixture.blob("[workspace]\nmembers = [\"crates/*\"]\n");
    let crates = fixture.tree(&[
        (b"circle", Mode::Link, fixture.blob("circle")),
        (b"linked", Mode::Link, fixture.blob("../inner")),
        (b"module", Mode::Commit, module),
        (b"outside", Mode::Link, fixture.blob("/usr/src")),
    ]);
    let commit = fixture.files(&[
        (b"Cargo.toml", Mode::BlobExecutable, workspace),
        (b"crates", Mode::Tree, crates),
        (b"inner", Mode::Tree, inner),
    ]);
    let (tree, revision) =
        (fixture.upstream().tree(&commit).unwrap(), fixture.upstream().revision(&commit).unwrap());
    let found = crate::workspace::read(&tree, &revision).unwrap();
    assert_eq!(found.workspaces[0].members, ["crates/linked"], "a link to a folder is that folder");
    let told: Vec<&str> = found.problems.iter().map(|problem| problem.reason.as_str()).collect();
    assert_eq!(told, ["workspace member `crates/module` has no manifest that can be read"]);

    let lost = fixture.files(&[(b"Cargo.toml", Mode::Blob, module)]);
    let error = crate::workspace::read(&fixture.upstream().tree(&lost).unwrap(), &revision).unwrap_err();
    assert_eq!(error.source.path, "Cargo.toml");
    assert!(error.source.reason.contains(&"1".repeat(40)), "{error}");
}

#[test]
fn a_missing_object_is_an_error_that_names_the_path() {
    let fixture = Fixture::new();
    let lost = fixture.blob("lost");
    let inner = fixture.tree(&[(b"lib.rs", Mode::Blob, lost)]);
    let commit = fixture.files(&[(b"src", Mode::Tree, inner)]);
    fixture.forget(lost);
    let tree = fixture.upstream().tree(&commit).unwrap();
    assert_eq!(tree.entries().unwrap().len(), 1, "names are known without contents");
    let error = tree.read("src/lib.rs").unwrap_err();
    assert_eq!(error.path, "src/lib.rs");
    assert!(error.reason.contains(&lost.to_hex().to_string()), "{error}");

    fixture.forget(inner);
    let error = fixture.upstream().tree(&commit).unwrap().entries().unwrap_err();
    assert_eq!(error.path, "src");
    let nowhere = CommitId::new("1".repeat(40)).unwrap();
    assert!(matches!(fixture.upstream().tree(&nowhere), Err(RepoError::MissingObject { .. })));
}

#[test]
fn a_name_that_is_not_text_is_shown_escaped_and_can_be_read() {
    let fixture = Fixture::new();
    let commit = fixture.files(&[
        (b"a\\x41", Mode::Blob, fixture.blob("plain backslash")),
        (b"caf\xe9.rs", Mode::Blob, fixture.blob("latin")),
    ]);
    let tree = fixture.upstream().tree(&commit).unwrap();
    let shown: Vec<_> = paths(&tree).into_iter().map(|(path, _)| path).collect();
    assert_eq!(shown, ["a\\x41", "caf\\xe9.rs"]);
    assert_eq!(tree.read("caf\\xe9.rs").unwrap().unwrap(), b"latin");
    assert_eq!(tree.read("a\\x41").unwrap().unwrap(), b"plain backslash");
}

#[test]
fn a_tree_nested_without_end_is_refused() {
    let fixture = Fixture::new();
    let mut tree = fixture.tree(&[(b"file", Mode::Blob, fixture.blob("deep"))]);
    for _ in 0..300 {
        tree = fixture.tree(&[(b"a", Mode::Tree, tree)]);
    }
    let commit = fixture.commit(tree, "deep", &[]);
    let error = fixture.upstream().tree(&commit).unwrap().entries().unwrap_err();
    assert!(error.reason.contains("deeper than 256"), "{error}");
}

#[test]
fn an_export_writes_files_and_inner_links_and_names_what_it_leaves_out() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let module = gix::ObjectId::from_hex(&[b'1'; 40]).unwrap();
    let link = |target: &str| fixture.blob(target);
    // `up` leads to the root, so `out` leaves it although its text alone does not tell.
    let inner =
        fixture.tree(&[(b"lib.rs", Mode::Blob, fixture.blob("inner")), (b"up", Mode::Link, link(".."))]);
    let commit = fixture.files(&[
        (b"absolute", Mode::Link, link("/etc/passwd")),
        (b"dangling", Mode::Link, link("nowhere")),
        (b"good", Mode::Link, link("src/lib.rs")),
        (b"module", Mode::Commit, module),
        (b"out", Mode::Link, link("src/up/../secret")),
        (b"parent", Mode::Link, link("../secret")),
        (b"run", Mode::BlobExecutable, fixture.blob("#!/bin/sh\n")),
        (b"src", Mode::Tree, inner),
    ]);
    std::fs::write(fixture.folder.path().join("secret"), "secret").unwrap();
    let (exported, into) = fixture.export(&commit).unwrap();
    assert_eq!(exported.left_out, ["absolute", "dangling", "module", "out", "parent"]);
    assert_eq!((exported.files, exported.bytes), (4, 15));
    assert_eq!(std::fs::read_to_string(into.join("good")).unwrap(), "inner");
    assert_eq!(std::fs::metadata(into.join("run")).unwrap().permissions().mode() & 0o111, 0o111);
    assert!(std::fs::symlink_metadata(into.join("out")).is_err());
    assert!(matches!(fixture.export(&commit), Err(ExportError::NotEmpty { .. })));
}

#[test]
fn an_export_refuses_paths_that_no_file_may_have() {
    let fixture = Fixture::new();
    let escaped = fixture.tree(&[(b"escaped", Mode::Blob, fixture.blob("x"))]);
    let cases: [&[(&[u8], Mode, gix::ObjectId)]; 5] = [
        &[(b"..", Mode::Tree, escaped)],
        &[(b"../escaped", Mode::Blob, fixture.blob("x"))],
        &[(b".git", Mode::Tree, escaped)],
        &[(b".GIT", Mode::Blob, fixture.blob("x"))],
        // A link and a folder of the same name: the file would be written through the link.
        &[(b"a", Mode::Link, fixture.blob(".")), (b"a", Mode::Tree, escaped)],
    ];
    for entries in cases {
        let commit = fixture.files(entries);
        let error = fixture.export(&commit).unwrap_err();
        assert!(matches!(error, ExportError::UnsafePath { .. }), "{error:?}");
        assert!(!fixture.folder.path().join("escaped").exists());
        std::fs::remove_dir_all(fixture.folder.path().join("export")).unwrap();
    }
}

#[test]
fn revisions_answer_to_tags_branches_and_digits() {
    let fixture = Fixture::new();
    let empty = fixture.tree(&[]);
    let one = fixture.commit(empty, "one\n\nbody", &[]);
    let two = fixture.commit(empty, "\u{1b}[31mtwo", &[&one]);
    let reference = |name: &str, commit: &CommitId| {
        let id = gix::ObjectId::from_hex(commit.as_str().as_bytes()).unwrap();
        let path = fixture.repo.git_dir().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{id}\n")).unwrap();
    };
    reference("refs/tags/v1", &one);
    reference("refs/tags/v1.0", &one);
    reference("refs/tags/zero", &one);
    reference("refs/heads/main", &two);
    let upstream = fixture.upstream();

    let tagged = upstream.resolve("v1").unwrap();
    assert_eq!((tagged.label.as_str(), tagged.summary.as_str()), ("v1", "one"));
    assert_eq!(
        upstream.revision(&one).unwrap().label.as_str(),
        "v1.0",
        "one of several tags, always the same"
    );
    let tip = upstream.resolve("main").unwrap();
    assert_eq!((&tip.commit, tip.summary.as_str()), (&two, "[31mtwo"), "control characters are left out");
    let digits = two.as_str().get(..7).unwrap();
    assert_eq!(upstream.resolve(digits).unwrap(), tip);
    for unknown in ["", "v9", "..", "HEAD~1", ":/one", "zzzz", "abc", &"f".repeat(40), &"f".repeat(200)] {
        let error = upstream.resolve(unknown).unwrap_err();
        assert!(matches!(error, RepoError::UnknownRevision { .. }), "{unknown}: {error:?}");
    }
    let tree_digits = empty.to_hex().to_string();
    assert!(matches!(upstream.resolve(&tree_digits), Err(RepoError::UnknownRevision { .. })));
}

#[test]
fn the_first_parent_history_leaves_merged_commits_out() {
    let fixture = Fixture::new();
    let empty = fixture.tree(&[]);
    let one = fixture.commit(empty, "one", &[]);
    let side = fixture.commit(empty, "side", &[&one]);
    let merge = fixture.commit(empty, "merge", &[&one, &side]);
    let last = fixture.commit(empty, "last", &[&merge]);
    let history = |from| {
        let history = fixture.upstream().first_parent_history(from, &last)?;
        Ok::<_, RepoError>(history.into_iter().map(|revision| revision.summary).collect::<Vec<_>>())
    };
    assert_eq!(history(None).unwrap(), ["one", "merge", "last"]);
    assert_eq!(history(Some(&one)).unwrap(), ["merge", "last"]);
    assert_eq!(history(Some(&last)).unwrap(), Vec::<String>::new());
    assert!(matches!(history(Some(&side)), Err(RepoError::NotAnAncestor { .. })));
}

#[test]
fn a_folder_without_a_repository_is_named() {
    let folder = TempDir::new().unwrap();
    let error = UpstreamRepo::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
}

proptest! {
    #[test]
    fn a_link_that_is_said_to_stay_never_climbs_above_the_root(path in "[ab]{1,2}(/[ab]{1,2}){0,3}", target in "(\\.\\.|\\.|[ab]|/){0,8}(/(\\.\\.|[ab])){0,4}") {
        if link_stays_inside(&path, &target) {
            let mut at: Vec<&str> = path.split('/').collect();
            at.pop();
            for part in target.split('/') {
                match part {
                    "" | "." => {}
                    ".." => prop_assert!(at.pop().is_some(), "{} -> {}", path, target),
                    name => at.push(name),
                }
            }
        }
    }
}
