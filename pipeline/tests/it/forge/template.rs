//! Repositories as `git init` makes them, made once and copied: a thousand schedules need thousands.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use upstream::process::{Invocation, ProcessRunner as _, SystemProcessRunner};

/// A folder by its files, and its empty folders as files that are none.
type Folder = Vec<(PathBuf, Option<Vec<u8>>)>;

struct Templates {
    hosted: Folder,
    clone: Folder,
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let invocation = Invocation::new("git", folder)
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@localhost", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "git {arguments:?}: {}", finished.tail(10));
}

/// Puts the repository that a forge hosts into an empty folder: one commit on `main`.
pub(super) fn hosted(into: &Path) {
    write(&templates().hosted, into);
}

/// Puts an empty repository into an empty folder, with nothing checked out.
pub(super) fn clone(into: &Path) {
    write(&templates().clone, into);
}

fn templates() -> &'static Templates {
    static TEMPLATES: OnceLock<Templates> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        let root = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = root.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            folder
        };
        let (bare, first, clone) = (folder("port.git"), folder("first"), folder("clone"));
        git(&bare, &["init", "--quiet", "--bare", "--template="]);
        git(&first, &["init", "--quiet", "--template="]);
        for (name, text) in [("tidelock.lock", "0\n"), ("src", "begin\n"), ("notes", "notes\n")] {
            std::fs::write(first.join(name), text).unwrap();
        }
        git(&first, &["add", "."]);
        git(&first, &["commit", "--quiet", "-m", "begin"]);
        git(&first, &["push", "--quiet", bare.to_str().unwrap(), "HEAD:refs/heads/main"]);
        git(&clone, &["init", "--quiet", "--template=", "-b", "elsewhere"]);
        Templates { hosted: read(&bare), clone: read(&clone) }
    })
}

fn read(folder: &Path) -> Folder {
    let (mut found, mut left) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if path.is_dir() {
                found.push((name, None));
                left.push(path);
            } else {
                found.push((name, Some(std::fs::read(&path).unwrap())));
            }
        }
    }
    found
}

fn write(folder: &Folder, into: &Path) {
    for (name, bytes) in folder {
        let path = into.join(name);
        match bytes {
            None => std::fs::create_dir_all(&path).unwrap(),
            Some(bytes) => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, bytes).unwrap();
            }
        }
    }
}
