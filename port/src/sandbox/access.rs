//! Which files a confined process sees: the system's own, and what its caller names.

use std::path::{Path, PathBuf};

use upstream::process::Invocation;

use crate::confinement::{Access, ConfinementError};

/// Folders of programs and libraries. Neither `/home`, `/root`, `/opt`, `/srv` nor `/var` is among them.
pub(super) const SYSTEM_FOLDERS: &[&str] =
    &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"];

/// What programs read of `/etc`. The rest may hold secrets that root can read, and we may be root.
pub(super) const SYSTEM_SETTINGS: &[&str] = &[
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/timezone",
];

/// An access whose paths exist, with the real path beside each symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolvedAccess {
    /// As named, and as they really are, sorted; parents come before what they hold.
    pub(super) read: Vec<PathBuf>,
    /// As named, and as they really are, sorted.
    pub(super) write: Vec<PathBuf>,
}

impl ResolvedAccess {
    /// Resolves what an invocation may touch, and checks that its own folder is among it.
    pub(super) fn of(invocation: &Invocation, access: &Access) -> Result<Self, ConfinementError> {
        let refuse =
            |reason| ConfinementError { program: invocation.program.to_string_lossy().into_owned(), reason };
        let resolved = Self {
            read: resolve_all(&access.read).map_err(refuse)?,
            write: resolve_all(&access.write).map_err(refuse)?,
        };
        let folder = resolve(&invocation.directory).map_err(refuse)?;
        let system = SYSTEM_FOLDERS.iter().map(Path::new);
        let seen = resolved.read.iter().chain(&resolved.write).map(PathBuf::as_path).chain(system);
        let root = Path::new("/");
        if folder == root || seen.into_iter().any(|path| folder.starts_with(path)) {
            return Ok(resolved);
        }
        Err(refuse(format!("it is to run in {}, which it may not read", invocation.directory.display())))
    }
}

fn resolve_all(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut all = Vec::with_capacity(paths.len());
    for path in paths {
        let real = resolve(path)?;
        if real == Path::new("/") {
            return Err("the whole file system cannot be given to it".to_owned());
        }
        if real != *path {
            all.push(path.clone());
        }
        all.push(real);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

fn resolve(path: &Path) -> Result<PathBuf, String> {
    if !path.is_absolute() {
        return Err(format!("{} is not an absolute path", path.display()));
    }
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve_for(directory: &Path, access: &Access) -> Result<ResolvedAccess, String> {
        let invocation = Invocation::new("true", directory);
        ResolvedAccess::of(&invocation, access).map_err(|error| error.to_string())
    }

    #[test]
    fn a_link_is_kept_with_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        std::fs::create_dir(real.join("target")).unwrap();
        std::os::unix::fs::symlink(real.join("target"), real.join("link")).unwrap();
        let access = Access { read: vec![real.join("link")], write: vec![] };
        let resolved = resolve_for(&real.join("link"), &access).unwrap();
        assert_eq!(resolved.read, [real.join("link"), real.join("target")]);
    }

    #[test]
    fn paths_that_cannot_be_confined_to_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let read = |path: &str| Access { read: vec![path.into()], write: vec![] };
        for (access, expected) in [
            (read("/"), "cannot confine `true`: the whole file system cannot be given to it"),
            (read("relative"), "cannot confine `true`: relative is not an absolute path"),
            (read("/no/such"), "cannot confine `true`: /no/such: No such file or directory (os error 2)"),
        ] {
            assert_eq!(resolve_for(Path::new("/usr"), &access).unwrap_err(), expected);
        }
        let error = resolve_for(folder.path(), &Access::default()).unwrap_err();
        assert!(error.contains("which it may not read"), "{error}");
    }
}
