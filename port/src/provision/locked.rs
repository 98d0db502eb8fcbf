//! Lock files: the versions that a resolver chose once, so that it is the same ones everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use pep508_rs::pep440_rs::Version;
use toml::Value;

use super::project::{Project, ProjectError, normalised, table_of};

/// The lock files that are read; of several the first counts.
const LOCKS: &[&str] = &["uv.lock", "poetry.lock"];

/// Adds the versions of the lock file, where there is one. A package that is locked to several versions for several
/// platforms is left to the resolver.
pub(super) fn pin(folder: &Path, project: &mut Project) -> Result<(), ProjectError> {
    for name in LOCKS {
        let Some(table) = table_of(folder, name)? else { continue };
        project.files.push((*name).to_owned());
        let wrong = |reason: String| ProjectError { file: (*name).to_owned(), reason };
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let packages = table.get("package").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for package in packages.iter().filter_map(Value::as_table) {
            let text = |key: &str| package.get(key).and_then(Value::as_str);
            let source = package.get("source").and_then(Value::as_table);
            // The project itself, and its neighbours in a workspace.
            let is_local = |key: &&str| source.is_some_and(|source| source.contains_key(*key));
            if ["editable", "virtual", "directory", "path"].iter().any(is_local) {
                continue;
            }
            let (Some(package), Some(version)) = (text("name"), text("version")) else {
                return Err(wrong("a package without a name or a version".to_owned()));
            };
            let checked = Version::from_str(version)
                .map_err(|error| wrong(format!("`{package}` at `{version}`: {error}")))?;
            let is_name = |sign: char| sign.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&sign);
            if package.is_empty() || !package.chars().all(is_name) {
                return Err(wrong(format!("`{package}` is no name of a package")));
            }
            versions.entry(normalised(package)).or_default().insert(checked.to_string());
        }
        for (package, versions) in versions {
            if let (Some(version), 1) = (versions.first(), versions.len()) {
                project.pinned.insert(format!("{package}=={version}"));
            }
        }
        return Ok(());
    }
    Ok(())
}
