//! A scratch copy of the upstream that the driver can depend on: sources as they are, manifests without
//! what does not belong to the library.
//!
//! Main function: [`copy_package`]. It writes below the scratch folder alone and follows no links.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// The most files that are copied.
const FILES_MAX: usize = 50_000;

/// The copy could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// A file could not be read or written.
    #[error("cannot copy the upstream at `{path}`: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The source folder cannot be walked.
    #[error("cannot read the upstream's folder: {0}")]
    Walk(#[from] walkdir::Error),
    /// There are too many files.
    #[error("the upstream has more than {FILES_MAX} files")]
    TooManyFiles,
    /// A manifest cannot be read.
    #[error("`{path}` is not a manifest: {reason}")]
    Manifest {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Copies `source` into `target`, and makes the package in `folder` a plain library.
pub(super) fn copy_package(source: &Path, target: &Path, folder: &str) -> Result<(), ScratchError> {
    copy_tree(source, target)?;
    let manifest = target.join(folder).join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)
        .map_err(|source| ScratchError::Io { path: manifest.clone(), source })?;
    let stripped = library_manifest(&text)
        .map_err(|reason| ScratchError::Manifest { path: manifest.clone(), reason })?;
    std::fs::write(&manifest, stripped).map_err(|source| ScratchError::Io { path: manifest, source })
}

/// Copies a folder without what belongs to a working copy alone.
pub(super) fn copy_tree(source: &Path, target: &Path) -> Result<(), ScratchError> {
    let skipped = [".git", "target", ".cargo", "rust-toolchain", "rust-toolchain.toml"];
    let entries = WalkDir::new(source)
        .follow_links(false)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !skipped.iter().any(|name| entry.file_name() == *name));
    let mut files = 0;
    for entry in entries {
        let entry = entry?;
        let Ok(relative) = entry.path().strip_prefix(source) else { continue };
        let to = target.join(relative);
        let io = |source| ScratchError::Io { path: to.clone(), source };
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&to).map_err(io)?;
        } else if entry.file_type().is_file() {
            files += 1;
            if files > FILES_MAX {
                return Err(ScratchError::TooManyFiles);
            }
            let content = std::fs::read(entry.path()).map_err(io)?;
            std::fs::write(&to, content).map_err(io)?;
        }
    }
    Ok(())
}

/// A manifest with nothing but the library: no tests, benches, examples or programs, whose files or
/// dependencies may be missing from a published crate, and no claim on workspace members.
fn library_manifest(text: &str) -> Result<String, String> {
    let mut manifest: toml::Table =
        text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    for key in ["dev-dependencies", "dev_dependencies", "bench", "test", "example", "bin", "profile", "lints"]
    {
        manifest.remove(key);
    }
    let targets = manifest.get_mut("target").and_then(toml::Value::as_table_mut);
    for (_, target) in targets.into_iter().flatten() {
        if let Some(target) = target.as_table_mut() {
            target.remove("dev-dependencies");
        }
    }
    // Kept for what members inherit from it.
    if let Some(workspace) = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut) {
        for key in ["members", "exclude", "default-members"] {
            workspace.remove(key);
        }
    }
    if let Some(package) = manifest.get_mut("package").and_then(toml::Value::as_table_mut) {
        package.remove("default-run");
        package.remove("rust-version");
        for key in ["autobins", "autotests", "autobenches", "autoexamples"] {
            package.insert(key.to_owned(), false.into());
        }
    }
    if let Some(library) = manifest.get_mut("lib").and_then(toml::Value::as_table_mut) {
        // A driver links a Rust library, whatever else the crate is built as.
        library.remove("crate-type");
        library.remove("crate_type");
    }
    toml::to_string(&manifest).map_err(|error| error.to_string())
}

/// A manifest for building the package's programs as they are: without tests, benches and examples, and what these
/// depend on. A package that no workspace has gets one of its own.
pub(super) fn program_manifest(text: &str, has_workspace: bool) -> Result<String, String> {
    let mut manifest: toml::Table =
        text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    for key in ["dev-dependencies", "dev_dependencies", "bench", "test", "example"] {
        manifest.remove(key);
    }
    let targets = manifest.get_mut("target").and_then(toml::Value::as_table_mut);
    for (_, target) in targets.into_iter().flatten() {
        if let Some(target) = target.as_table_mut() {
            target.remove("dev-dependencies");
        }
    }
    if let Some(package) = manifest.get_mut("package").and_then(toml::Value::as_table_mut) {
        for key in ["autotests", "autobenches", "autoexamples"] {
            package.insert(key.to_owned(), false.into());
        }
    }
    if !has_workspace {
        let own = toml::Value::Table(toml::Table::new());
        manifest.entry("workspace").or_insert(own);
    }
    toml::to_string(&manifest).map_err(|error| error.to_string())
}

/// Whether the package has anything to fetch.
pub(super) fn has_dependencies(text: &str) -> bool {
    let Ok(manifest) = text.parse::<toml::Table>() else { return true };
    let any = |table: &toml::Table| {
        ["dependencies", "build-dependencies", "build_dependencies"]
            .iter()
            .any(|key| table.get(*key).and_then(toml::Value::as_table).is_some_and(|table| !table.is_empty()))
    };
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    any(&manifest)
        || targets.is_some_and(|targets| targets.values().filter_map(toml::Value::as_table).any(any))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_library_is_left_of_a_manifest() {
        let manifest = "[package]\nname = \"a\"\nversion = \"1.0.0\"\ndefault-run = \"x\"\n[dev-dependencies]\nb = \"1\"\n\
                        [[bench]]\nname = \"gone\"\nharness = false\n[target.'cfg(unix)'.dev-dependencies]\nc = \"1\"\n\
                        [lib]\ncrate-type = [\"cdylib\"]\n[workspace]\nmembers = [\"gone\"]\n[features]\nd = []\n";
        let stripped = library_manifest(manifest).unwrap();
        for gone in ["bench", "b =", "c =", "members", "cdylib", "default-run"] {
            assert!(!stripped.lines().any(|line| line.starts_with(gone)), "{gone}: {stripped}");
        }
        assert!(stripped.contains("[features]"), "{stripped}");
    }

    #[test]
    fn programs_and_their_dependencies_are_left_of_a_manifest() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n[dev-dependencies]\nc = \"1\"\n\
                        [[bin]]\nname = \"x\"\n[[bench]]\nname = \"gone\"\n";
        let alone = program_manifest(manifest, false).unwrap();
        assert!(
            alone.contains("[[bin]]") && alone.contains("b = ") && alone.contains("[workspace]"),
            "{alone}"
        );
        assert!(!alone.contains("c = ") && !alone.contains("gone"), "{alone}");
        assert!(!program_manifest(manifest, true).unwrap().contains("workspace"));
    }

    #[test]
    fn a_broken_manifest_is_an_error() {
        assert!(library_manifest("[package").is_err());
        assert!(program_manifest("[package", true).is_err());
    }

    #[test]
    fn dependencies_of_any_target_are_seen() {
        assert!(!has_dependencies("[package]\nname = \"a\"\n[dev-dependencies]\nb = \"1\"\n"));
        assert!(has_dependencies("[target.'cfg(unix)'.dependencies]\nb = \"1\"\n"));
    }
}
