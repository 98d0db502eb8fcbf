//! `pyproject.toml`: the tables of PEP 621 and PEP 735, and poetry's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use pep508_rs::pep440_rs::VersionSpecifiers;
use toml::{Table, Value};

use super::poetry;
use super::project::{Project, ProjectError, normalised, table_of};
use super::requirements::{extras_of, name_of, read, requirement};

/// The file.
pub(super) const NAME: &str = "pyproject.toml";

/// How deep groups may include each other.
const DEPTH_MAX: usize = 16;

/// What a group asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// A requirement.
    Line(String),
    /// All of another group.
    Group(String),
}

/// The file, read.
#[derive(Debug)]
pub(super) struct Described {
    /// The port's own name, normalised.
    name: Option<String>,
    /// Whether it has a table that tells what the port needs.
    pub says_what_it_needs: bool,
    /// What the port itself needs.
    own: Vec<Wanted>,
    /// Files that hold it, where the file says so in place of a list.
    own_files: Vec<String>,
    /// Why its own needs cannot be told.
    unknown: Option<String>,
    /// By normalised name.
    groups: BTreeMap<String, Vec<Wanted>>,
    folder: std::path::PathBuf,
}

fn wrong(reason: impl Into<String>) -> ProjectError {
    ProjectError { file: NAME.to_owned(), reason: reason.into() }
}

impl Described {
    /// Reads it, where it is there; tells the project which Python it wants.
    pub(super) fn read(folder: &Path, project: &mut Project) -> Result<Option<Self>, ProjectError> {
        let Some(table) = table_of(folder, NAME)? else { return Ok(None) };
        project.files.push(NAME.to_owned());
        let mut described = Self {
            name: None,
            says_what_it_needs: false,
            own: Vec::new(),
            own_files: Vec::new(),
            unknown: None,
            groups: BTreeMap::new(),
            folder: folder.to_owned(),
        };
        if let Some(own) = table.get("project").and_then(Value::as_table) {
            described.standard(own, below(&table, &["tool", "setuptools", "dynamic"]), project)?;
        }
        if let Some(groups) = table.get("dependency-groups").and_then(Value::as_table) {
            for (name, list) in groups {
                let wanted = wanted(list, &format!("[dependency-groups] {name}"))?;
                described.groups.entry(normalised(name)).or_default().extend(wanted);
            }
        }
        if let Some(own) = below(&table, &["tool", "poetry"]) {
            described.poetry(own, project)?;
        }
        Ok(Some(described))
    }

    fn standard(
        &mut self,
        own: &Table,
        dynamic: Option<&Table>,
        project: &mut Project,
    ) -> Result<(), ProjectError> {
        self.says_what_it_needs = true;
        self.name = own.get("name").and_then(Value::as_str).map(normalised);
        if let Some(text) = own.get("requires-python").and_then(Value::as_str) {
            let parsed = VersionSpecifiers::from_str(text)
                .map_err(|error| wrong(format!("`requires-python = \"{text}\"`: {error}")))?;
            project.python = Some(parsed);
        }
        if let Some(list) = own.get("dependencies") {
            self.own.extend(wanted(list, "[project] dependencies")?);
        }
        let is_dynamic = |key: &str| {
            let list = own.get("dynamic").and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|name| name.as_str() == Some(key)))
        };
        if is_dynamic("dependencies") {
            let files = dynamic.and_then(|dynamic| dynamic.get("dependencies")).and_then(files_of);
            if let Some(files) = files {
                self.own_files = files;
            } else {
                self.says_what_it_needs = false;
                self.unknown = Some(
                    "its build backend makes the dependencies, and that is not run: list them, or keep them in \
                     `requirements.txt`"
                        .to_owned(),
                );
            }
        }
        if let Some(groups) = own.get("optional-dependencies").and_then(Value::as_table) {
            for (name, list) in groups {
                let wanted = wanted(list, &format!("[project.optional-dependencies] {name}"))?;
                self.groups.entry(normalised(name)).or_default().extend(wanted);
            }
        }
        Ok(())
    }

    fn poetry(&mut self, own: &Table, project: &mut Project) -> Result<(), ProjectError> {
        let has_list = self.says_what_it_needs && !self.own.is_empty();
        self.name = self.name.take().or_else(|| own.get("name").and_then(Value::as_str).map(normalised));
        if let Some(dependencies) = own.get("dependencies").and_then(Value::as_table) {
            self.says_what_it_needs = true;
            if let Some(python) = dependencies.get("python").and_then(Value::as_str)
                && project.python.is_none()
            {
                project.python = poetry::specifiers(python).and_then(|text| text.parse().ok());
            }
            // Beside a list of PEP 621 it only says where these come from.
            if !has_list {
                self.own.extend(poetry_lines(dependencies)?);
            }
        }
        let mut groups: Vec<(&str, &Table)> = Vec::new();
        groups.extend(own.get("dev-dependencies").and_then(Value::as_table).map(|table| ("dev", table)));
        if let Some(named) = own.get("group").and_then(Value::as_table) {
            groups.extend(named.iter().filter_map(|(name, table)| {
                Some((name.as_str(), below(table.as_table()?, &["dependencies"])?))
            }));
        }
        for (name, table) in groups {
            self.groups.entry(normalised(name)).or_default().extend(poetry_lines(table)?);
        }
        Ok(())
    }

    /// Adds what the port itself needs.
    pub(super) fn take_own(&self, project: &mut Project) -> Result<(), ProjectError> {
        if let Some(reason) = &self.unknown {
            return Err(wrong(reason.clone()));
        }
        for file in &self.own_files {
            read(&self.folder, file, project)?;
        }
        self.take(&self.own, 0, &mut BTreeSet::new(), project)
    }

    /// Adds what a group needs.
    pub(super) fn take_group(&self, name: &str, project: &mut Project) -> Result<(), ProjectError> {
        self.take(&[Wanted::Group(name.to_owned())], 0, &mut BTreeSet::new(), project)
    }

    fn take(
        &self,
        list: &[Wanted],
        depth: usize,
        seen: &mut BTreeSet<String>,
        project: &mut Project,
    ) -> Result<(), ProjectError> {
        if depth > DEPTH_MAX {
            return Err(wrong(format!("groups include each other more than {DEPTH_MAX} deep")));
        }
        for wanted in list {
            match wanted {
                // `myport[extra]`: a group of the port's own, by its name.
                Wanted::Line(line) if self.name.as_deref() == Some(&normalised(name_of(line))) => {
                    for extra in extras_of(line) {
                        self.take(&[Wanted::Group(extra.to_owned())], depth + 1, seen, project)?;
                    }
                }
                Wanted::Line(line) => drop(project.requirements.insert(line.clone())),
                Wanted::Group(name) => {
                    let name = normalised(name);
                    let group = self.groups.get(&name);
                    let group =
                        group.ok_or_else(|| wrong(format!("there is no group `{name}` of dependencies")))?;
                    if seen.insert(name) {
                        self.take(group, depth + 1, seen, project)?;
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn has_group(&self, name: &str) -> bool {
        self.groups.contains_key(&normalised(name))
    }

    /// The groups there are, sorted.
    pub(super) fn groups(&self) -> Vec<String> {
        self.groups.keys().cloned().collect()
    }
}

fn below<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Table> {
    keys.iter().try_fold(table, |table, key| table.get(*key)?.as_table())
}

/// `{ file = "a" }` or `{ file = ["a", "b"] }`.
fn files_of(value: &Value) -> Option<Vec<String>> {
    match value.as_table()?.get("file")? {
        Value::String(file) => Some(vec![file.clone()]),
        Value::Array(files) => files.iter().map(|file| file.as_str().map(str::to_owned)).collect(),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Table(_) => {
            None
        }
    }
}

fn wanted(list: &Value, place: &str) -> Result<Vec<Wanted>, ProjectError> {
    let list = list.as_array().ok_or_else(|| wrong(format!("{place} is no list")))?;
    let one = |entry: &Value| match entry {
        Value::String(line) => {
            Ok(Wanted::Line(requirement(line).map_err(|reason| wrong(format!("{place}: {reason}")))?))
        }
        Value::Table(table) => match table.get("include-group").and_then(Value::as_str) {
            Some(name) if table.len() == 1 => Ok(Wanted::Group(name.to_owned())),
            Some(_) | None => Err(wrong(format!("{place}: a table that is no `include-group`"))),
        },
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => {
            Err(wrong(format!("{place}: an entry that is no requirement")))
        }
    };
    list.iter().map(one).collect()
}

fn poetry_lines(table: &Table) -> Result<Vec<Wanted>, ProjectError> {
    let lines = poetry::lines(table).map_err(wrong)?;
    let checked = |line: String| Ok(Wanted::Line(requirement(&line).map_err(wrong)?));
    lines.into_iter().map(checked).collect()
}
