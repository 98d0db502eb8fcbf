//! A command with mounts of its own: a disk that is too small, files that nobody may write to.
//!
//! File modes do not bind root, whom tests often run as, but a read-only mount does. Who is not root is so in a
//! namespace of users, where the machine allows one.

use std::path::{Path, PathBuf};

use upstream::process::Invocation;

/// The same command behind some lines of shell that mount what it is to see: as root, seen by it alone.
pub(crate) fn with_mounts(command: &Invocation, before: &str) -> Invocation {
    let words = [&command.program].into_iter().chain(&command.arguments);
    let line: Vec<String> = words.map(|word| quoted(word.as_ref())).collect();
    let script = format!("set -e\n{before}\ncd {}\nexec {}", quoted(&command.directory), line.join(" "));
    alone(command, &script)
}

/// A script in the environment of a command, with mounts that are seen by it alone.
pub(crate) fn alone(command: &Invocation, script: &str) -> Invocation {
    let user: &[&str] = if is_root() { &[] } else { &["--user", "--map-root-user"] };
    let mut alone = Invocation::new("unshare", "/")
        .args(user)
        .args(["--mount", "--propagation", "private", "sh", "-c", script])
        .limits(command.limits);
    alone.environment.clone_from(&command.environment);
    alone
}

/// The lines that make files and folders read-only.
pub(crate) fn read_only(paths: &[PathBuf]) -> String {
    let one = |path: &PathBuf| {
        let path = quoted(path);
        format!("mount --bind {path} {path}\nmount -o remount,bind,ro {path}\n")
    };
    paths.iter().map(one).collect()
}

/// A path or a word, for a shell.
pub(crate) fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
