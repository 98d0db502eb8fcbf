//! `twins.json`: which repository, which commits of it, and what its packages are asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use upstream::{Revision, UpstreamRepo};

/// A set of twins: one repository with a library in Rust and its twin in Python, and commits that change both.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    /// Its name in metrics.
    pub(super) name: String,
    /// The git repository; relative paths are below the set.
    pub(super) repository: PathBuf,
    /// The branch that all commits are on.
    #[serde(default = "usual_branch")]
    pub(super) branch: String,
    /// The folder that Python imports from, on both sides.
    pub(super) pysrc: String,
    /// The package that is asked.
    pub(super) package: String,
    /// The module that the library in Rust is, such as `whenever._whenever`.
    pub(super) extension: String,
    /// An interpreter that has what the package depends on.
    pub(super) python: PathBuf,
    /// The classes that are asked; those that a commit does not have are passed over.
    pub(super) classes: Vec<String>,
    /// Members whose name has one of these tell the clock, and are not asked.
    #[serde(default)]
    pub(super) clock: Vec<String>,
    /// What is asked with.
    pub(super) pool: Pool,
    /// The commits.
    pub(super) commits: Vec<Twin>,
}

/// Arguments, as they stand between the parentheses of a call in Python.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pool {
    /// What the expressions may name: modules by name.
    #[serde(default)]
    pub(super) imports: BTreeMap<String, String>,
    /// Texts: arguments, and what the parsers read.
    #[serde(default)]
    pub(super) texts: Vec<String>,
    /// Members of classes that make a value of a text.
    #[serde(default)]
    pub(super) parsers: Vec<String>,
    /// Arguments of constructors.
    #[serde(default)]
    pub(super) making: Vec<String>,
    /// Single arguments.
    #[serde(default)]
    pub(super) arguments: Vec<String>,
    /// Keyword arguments, each with each of `flags`.
    #[serde(default)]
    pub(super) keywords: Vec<String>,
    /// Keyword arguments that stand behind others.
    #[serde(default)]
    pub(super) flags: Vec<String>,
}

/// A commit that changes both sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Twin {
    /// The commit.
    pub(super) commit: String,
    /// What it does, in a few words.
    pub(super) about: String,
    /// Why nothing can be asked at it.
    #[serde(default)]
    pub(super) left_out: Option<String>,
    /// Why its parent cannot be refused: no call that has one answer tells them apart.
    #[serde(default)]
    pub(super) unreachable: Option<String>,
    /// Why its author's Python is not accepted, looked into by a person.
    #[serde(default)]
    pub(super) author_differs: Option<String>,
}

fn usual_branch() -> String {
    "main".to_owned()
}

impl Set {
    /// Reads a set and checks what can be checked without asking.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let file = folder.join("twins.json");
        let text = std::fs::read_to_string(&file).with_context(|| {
            format!("cannot read `{}`: `docs/contract.md` says what stands in it", file.display())
        })?;
        let mut set: Self = serde_json::from_str(&text)
            .with_context(|| format!("`{}` is no set of twins", file.display()))?;
        set.repository = folder.join(&set.repository);
        set.python = folder.join(&set.python);
        set.check().with_context(|| format!("`{}`", file.display()))?;
        Ok(set)
    }

    fn check(&self) -> Result<()> {
        let is_plain = |name: &str| {
            !name.is_empty() && name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_".contains(sign))
        };
        ensure!(is_plain(&self.name), "`name` is `{}`: write letters, digits, `-` and `_`", self.name);
        let Some((package, _)) = self.extension.split_once('.') else {
            bail!(
                "`extension` is `{}`: write the module with its package, such as `pkg._core`",
                self.extension
            );
        };
        ensure!(
            self.package.split('.').next() == Some(package),
            "`extension` is in `{package}`, and `package` is `{}`",
            self.package
        );
        ensure!(
            self.python.is_file(),
            "`python` is `{}`, and there is no such interpreter",
            self.python.display()
        );
        ensure!(!self.classes.is_empty(), "`classes` names none");
        ensure!(!self.commits.is_empty(), "`commits` names none");
        let mut seen = BTreeSet::new();
        for twin in &self.commits {
            ensure!(seen.insert(&twin.commit), "`commits` has `{}` twice", twin.commit);
        }
        Ok(())
    }

    /// The commits that are asked, each with its own revision and its first parent's.
    pub(super) fn revisions(&self) -> Result<Vec<(&Twin, Revision, Revision)>> {
        let repo = UpstreamRepo::open(&self.repository)
            .with_context(|| format!("`repository` is `{}`", self.repository.display()))?;
        let asked = self.commits.iter().filter(|twin| twin.left_out.is_none());
        let found = asked.map(|twin| -> Result<_> {
            let author = repo
                .resolve(&twin.commit)
                .with_context(|| format!("`commits`: the repository has no `{}`", twin.commit))?;
            let parent = repo
                .first_parent(&author.commit)?
                .with_context(|| format!("`commits`: `{}` has no parent", twin.commit))?;
            Ok((twin, author, repo.revision(&parent)?))
        });
        found.collect()
    }

    /// Whether a member is left out because its answer is the clock's.
    pub(super) fn tells_clock(&self, member: &str) -> bool {
        self.clock.iter().any(|word| member.contains(word.as_str()))
    }

    /// What the probing program reads; `values` says how the values are made that members are asked on.
    pub(super) fn asked_with(&self, values: Option<&BTreeMap<String, Vec<String>>>) -> Result<String> {
        let mut pool = serde_json::to_value(&self.pool)?;
        if let Some(pool) = pool.as_object_mut() {
            pool.insert("package".to_owned(), serde_json::to_value(&self.package)?);
            pool.insert("classes".to_owned(), serde_json::to_value(&self.classes)?);
            if let Some(values) = values {
                pool.insert("values".to_owned(), serde_json::to_value(values)?);
            }
        }
        Ok(serde_json::to_string(&pool)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn good() -> Value {
        json!({
            "name": "tiny", "repository": ".", "pysrc": "python", "package": "tiny", "extension": "tiny._core",
            "python": "python3", "classes": ["Box"], "pool": {}, "commits": [{ "commit": "0123", "about": "all" }],
        })
    }

    /// What is said of a set that differs from a good one in this.
    fn refused(key: &str, value: Value) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("python3"), "").unwrap();
        let mut set = good();
        set[key] = value;
        std::fs::write(folder.path().join("twins.json"), set.to_string()).unwrap();
        match Set::read(folder.path()).and_then(|set| set.revisions().map(drop)) {
            Ok(()) => panic!("`{key}` is taken"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn what_is_wrong_with_a_set_is_named() {
        for (key, value, told) in [
            ("name", json!("a b"), "`name` is `a b`"),
            ("extension", json!("core"), "such as `pkg._core`"),
            ("package", json!("other"), "`extension` is in `tiny`, and `package` is `other`"),
            ("python", json!("no/such"), "there is no such interpreter"),
            ("classes", json!([]), "`classes` names none"),
            ("commits", json!([]), "`commits` names none"),
            ("pool", json!({ "argumnets": [] }), "unknown field `argumnets`"),
            ("repository", json!("nowhere"), "`repository` is `"),
        ] {
            let said = refused(key, value);
            assert!(said.contains(told), "{key}: {said}");
        }
        let twice = json!([{ "commit": "0123", "about": "" }, { "commit": "0123", "about": "" }]);
        assert!(refused("commits", twice).contains("has `0123` twice"));
        let folder = tempfile::tempdir().unwrap();
        let absent = format!("{:#}", Set::read(folder.path()).unwrap_err());
        assert!(absent.contains("docs/contract.md"), "{absent}");
    }
}
