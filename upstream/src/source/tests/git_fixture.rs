//! A git repository that tests change with the `git` command, as an upstream's authors would.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::ids::CommitId;
use crate::process::{Invocation, ProcessRunner};

pub(super) struct GitUpstream {
    folder: TempDir,
    commits: std::cell::Cell<u32>,
}

impl GitUpstream {
    pub(super) fn new() -> Self {
        let upstream = Self { folder: TempDir::new().unwrap(), commits: std::cell::Cell::new(0) };
        std::fs::create_dir(upstream.path()).unwrap();
        upstream.git(&["init", "--quiet", "--initial-branch=main"]);
        upstream
    }

    /// The repository.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("upstream")
    }

    /// A folder beside it.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        // Each commit is a minute younger than the one before.
        let date = format!("{} +0000", 1_700_000_000 + 60 * self.commits.get());
        let invocation = Invocation::new("git", self.path())
            .args(["-c", "user.name=author", "-c", "user.email=author@invalid"])
            .args(arguments.iter().copied())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date);
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        assert!(finished.succeeded(), "git {arguments:?}: {}", finished.tail(20));
        String::from_utf8(finished.stdout).unwrap().trim().to_owned()
    }

    /// Commits a file that holds the message.
    pub(super) fn commit(&self, message: &str) -> CommitId {
        self.commits.set(self.commits.get() + 1);
        std::fs::write(self.path().join("file.txt"), message).unwrap();
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", message]);
        self.head()
    }

    pub(super) fn head(&self) -> CommitId {
        CommitId::new(self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    pub(super) fn source(&self, fragment: &str) -> SourceSpec {
        format!("git:{}{fragment}", self.path().display()).parse().unwrap()
    }

    /// A mirror of what the fragment says to follow.
    pub(super) fn mirror(&self, fragment: &str) -> Mirror {
        self.open(self.source(fragment)).unwrap()
    }

    pub(super) fn open(&self, source: SourceSpec) -> Result<Mirror, SourceError> {
        Mirror::open(source, &self.beside("mirror"), surroundings(self.folder.path(), None))
    }

    /// Every file of the repository with its content.
    pub(super) fn all_files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(), &mut files);
        files
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
}
