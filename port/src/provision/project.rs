//! What a port's project files ask for, as one list of requirements.

use std::collections::BTreeSet;
use std::path::Path;

use pep508_rs::pep440_rs::VersionSpecifiers;

use super::{locked, pyproject, requirements};

/// The longest project file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The most requirements, pinned versions included.
const REQUIREMENTS_MAX: usize = 10_000;

/// The groups of which the first that is there is taken where none is named: what tests need.
const USUAL_GROUPS: &[&str] = &["test", "tests", "testing", "dev"];

/// What a port needs installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// The files that say so, from the project's folder, in the order in which they were read.
    pub files: Vec<String>,
    /// The groups that were taken beside what the port itself needs.
    pub groups: Vec<String>,
    /// The versions of Python that it says it runs on.
    pub python: Option<VersionSpecifiers>,
    /// Lines in the form of PEP 508, each with its hashes where it has some.
    pub requirements: BTreeSet<String>,
    /// Versions that a lock or a constraints file names: `name==version`.
    pub pinned: BTreeSet<String>,
    /// Where packages are looked for, as options of pip and uv, in the order of the files.
    pub options: Vec<String>,
    /// The packages in folders of the port that those name, by name and size.
    pub local: BTreeSet<String>,
}

/// The project files ask for what cannot be had without running foreign code, or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`: {reason}")]
pub struct ProjectError {
    /// The file, from the project's folder.
    pub file: String,
    /// What is wrong.
    pub reason: String,
}

impl Project {
    /// Reads the project files of a folder: `pyproject.toml` (PEP 621, PEP 735, poetry) with `uv.lock` or
    /// `poetry.lock`, else `requirements.txt`. `groups` are taken as well; without any the first of `test`, `tests`,
    /// `testing` and `dev` that is there. A port without such files asks for nothing.
    pub fn read(folder: &Path, groups: &[String]) -> Result<Self, ProjectError> {
        let mut project = Self::default();
        let described = pyproject::Described::read(folder, &mut project)?;
        let main = requirements::named_for(folder, None);
        match (&described, &main) {
            (Some(described), _) if described.says_what_it_needs => described.take_own(&mut project)?,
            (_, Some(file)) => requirements::read(folder, file, &mut project)?,
            (Some(described), None) => described.take_own(&mut project)?,
            (None, None) => {}
        }
        if groups.is_empty() {
            let usual = USUAL_GROUPS.iter().find(|name| has(described.as_ref(), folder, name));
            if let Some(name) = usual {
                take(described.as_ref(), folder, name, &mut project)?;
            }
        }
        for name in groups {
            if !has(described.as_ref(), folder, name) {
                let known = described.as_ref().map(pyproject::Described::groups).unwrap_or_default();
                let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
                let reason = format!("there is no group `{name}` of dependencies (known: {known})");
                return Err(ProjectError { file: pyproject::NAME.to_owned(), reason });
            }
            take(described.as_ref(), folder, name, &mut project)?;
        }
        if !project.requirements.is_empty() {
            locked::pin(folder, &mut project)?;
        }
        if project.requirements.len() + project.pinned.len() > REQUIREMENTS_MAX {
            let file = project.files.first().cloned().unwrap_or_default();
            return Err(ProjectError { file, reason: format!("more than {REQUIREMENTS_MAX} requirements") });
        }
        Ok(project)
    }

    /// Whether anything has to be installed.
    pub fn needs_packages(&self) -> bool {
        !self.requirements.is_empty()
    }

    /// Everything that decides what is installed, hashed together by whoever asks.
    pub(super) fn parts(&self) -> impl Iterator<Item = String> {
        let lists = [
            self.requirements.iter().cloned().collect::<Vec<_>>(),
            self.pinned.iter().cloned().collect(),
            self.options.clone(),
            self.local.iter().cloned().collect(),
        ];
        lists.into_iter().map(|list| list.join("\n"))
    }
}

fn has(described: Option<&pyproject::Described>, folder: &Path, name: &str) -> bool {
    described.is_some_and(|described| described.has_group(name))
        || requirements::named_for(folder, Some(name)).is_some()
}

fn take(
    described: Option<&pyproject::Described>,
    folder: &Path,
    name: &str,
    project: &mut Project,
) -> Result<(), ProjectError> {
    project.groups.push(name.to_owned());
    match described.filter(|described| described.has_group(name)) {
        Some(described) => described.take_group(name, project),
        None => match requirements::named_for(folder, Some(name)) {
            Some(file) => requirements::read(folder, &file, project),
            None => Ok(()),
        },
    }
}

/// The text of a project file, where it is there: a plain file of a sane size.
pub(super) fn text_of(folder: &Path, file: &str) -> Result<Option<String>, ProjectError> {
    let wrong = |reason: String| ProjectError { file: file.to_owned(), reason };
    let path = folder.join(file);
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(format!("it cannot be read: {error}"))),
    };
    if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return Err(wrong(format!("it is no plain file of at most {} MiB", FILE_BYTES_MAX >> 20)));
    }
    std::fs::read_to_string(&path).map(Some).map_err(|error| wrong(format!("it cannot be read: {error}")))
}

/// The text of a project file as TOML, where it is there.
pub(super) fn table_of(folder: &Path, file: &str) -> Result<Option<toml::Table>, ProjectError> {
    let Some(text) = text_of(folder, file)? else { return Ok(None) };
    let parsed = text.parse::<toml::Table>();
    let wrong = |error: toml::de::Error| ProjectError {
        file: file.to_owned(),
        reason: format!("it is not TOML: {}", error.message()),
    };
    parsed.map(Some).map_err(wrong)
}

/// A name as PEP 503 compares names.
pub(super) fn normalised(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
}
