//! Makes sure that a replacement of the default registry is obeyed or refused, and never overlooked.
//!
//! The index library follows a replacement that names a registry's address. One that it does not know
//! (a vendored folder, a name under `[registries]`, a chain) it takes for none, and would go to the public
//! registry that its owner wanted to keep out.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::RegistryEnvironment;
use crate::source::SourceError;

/// The most folders that are looked through upwards.
const FOLDERS_MAX: usize = 256;

/// Fails where Cargo's configuration replaces the default registry. Call it where the library found none.
pub(super) fn refuse_overlooked(environment: &RegistryEnvironment) -> Result<(), SourceError> {
    for path in configuration_files(environment)? {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(SourceError::Io { path, source: error }),
        };
        let table: toml::Table = text.parse().map_err(|error| SourceError::Configuration {
            reason: format!("`{}`: {error}", path.display()),
        })?;
        let replacement = table
            .get("source")
            .and_then(|sources| sources.get("crates-io"))
            .and_then(|default| default.get("replace-with"))
            .and_then(toml::Value::as_str);
        if let Some(replacement) = replacement {
            return Err(SourceError::Configuration {
                reason: format!(
                    "`{}` replaces the default registry with `{replacement}`, which names no registry that can be asked; write `registry = \"sparse+ADDRESS\"` under `[source.{replacement}]` in the same file",
                    path.display()
                ),
            });
        }
    }
    Ok(())
}

/// In the order in which Cargo believes them.
fn configuration_files(environment: &RegistryEnvironment) -> Result<Vec<PathBuf>, SourceError> {
    let above = environment.working_directory.ancestors().take(FOLDERS_MAX);
    let mut files: Vec<PathBuf> = above.map(|folder| folder.join(".cargo/config.toml")).collect();
    let home = match &environment.cargo_home {
        Some(home) => home.clone(),
        None => tame_index::utils::cargo_home()
            .map_err(|error| SourceError::Configuration { reason: error.to_string() })?
            .into_std_path_buf(),
    };
    files.push(home.join("config.toml"));
    Ok(files)
}
