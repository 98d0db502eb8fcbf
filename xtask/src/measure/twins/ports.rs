//! Ports to check: the Python of a commit with a session that asks it and Rust the same, and the program `tidelock` over them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use upstream::process::{Ending, Invocation, Limits, ProcessRunner, SystemProcessRunner};
use upstream::{Revision, UpstreamRepo};

use super::super::contract::{commit, copy, git, ran};
use super::asking::{SURFACE, exports, request};
use super::counting::{Asked, Values};
use super::set::Set;

/// The session's name.
const SESSION: &str = "surface";
/// The most requests of one case: what a process writes is bounded.
const REQUESTS_MAX: usize = 16;
/// The longest that one answer may take, in seconds, and one check, in milliseconds.
const ANSWER_S: f64 = 120.0;
const CHECK_MS: u64 = 60 * 60 * 1000;
/// How `tidelock contract check` ends where it came to a verdict.
const VERDICT_CODES: [i32; 3] = [0, 4, 6];

/// What `tidelock contract check` says of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    Pass,
    Fail,
    Inconclusive,
}

/// What of its answer counts here.
#[derive(Debug, Deserialize)]
struct Checked {
    verdict: Said,
    reason: String,
    #[serde(default)]
    programs: Vec<Built>,
}

#[derive(Debug, Deserialize)]
struct Built {
    imports: Option<PathBuf>,
}

/// Makes ports of one commit below a folder.
#[derive(Debug)]
pub(super) struct Ports<'a> {
    pub(super) set: &'a Set,
    pub(super) program: &'a Path,
    /// The state of all ports: what is built is kept there by content.
    pub(super) state: &'a Path,
    /// The commit's own folder.
    pub(super) folder: &'a Path,
}

impl Ports<'_> {
    /// The Python of a revision alone, in a folder of its own, as a port without a lock.
    pub(super) fn write(&self, name: &str, revision: &Revision) -> Result<PathBuf> {
        let root = self.folder.join(name);
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        let exported = tempfile::tempdir()?;
        let tree = exported.path().join("tree");
        let repo = UpstreamRepo::open(&self.set.repository)?;
        repo.export(&revision.commit, &tree)
            .with_context(|| format!("cannot write out {}", revision.label))?;
        let python = tree.join(&self.set.pysrc);
        if !python.is_dir() {
            bail!("{} has no folder `{}` (`pysrc`)", revision.label, self.set.pysrc);
        }
        copy(&python, &root.join(&self.set.pysrc))?;
        std::fs::write(root.join("surface.py"), SURFACE)?;
        Ok(root)
    }

    /// What the port's configuration asks: these members on these values, without what is left out.
    pub(super) fn ask(
        &self,
        root: &Path,
        values: Option<&Values>,
        members: &[Asked],
        left_out: &BTreeMap<Asked, Vec<String>>,
    ) -> Result<()> {
        std::fs::write(root.join("pool.json"), self.set.asked_with(values)?)?;
        let cases = cases(members, left_out);
        let library = self.set.extension.rsplit('.').next().unwrap_or_default();
        let config = json!({
            "version": 1,
            "upstream": {
                "git": self.set.repository,
                "branch": self.set.branch,
                "build": { "toolchain": "host", "overflow-checks": false },
            },
            "port": {
                "source-root": self.set.pysrc,
                "environment": { "provision": false, "interpreter": self.set.python },
            },
            "convention": { "package": self.set.package, "root": self.set.pysrc },
            "gate": { "record-calls": false, "timing": { "enabled": false } },
            "map": [{
                "items": format!("{library}::**"),
                "strategy": "ignore",
                "reason": "it is asked through Python alone",
                "owner": "xtask",
            }],
            "session": [{
                "name": SESSION,
                "extension": self.set.extension,
                "extension-sources": self.set.pysrc,
                "command": ["python3", "surface.py", "pool.json"],
                "environment": { "PYTHONHASHSEED": "0" },
                "stderr": "ignore",
                "files": false,
                "generated": 0,
                "timeout-s": ANSWER_S,
                "case": cases,
            }],
        });
        let config = toml::Table::try_from(config).context("the configuration cannot be written")?;
        Ok(std::fs::write(root.join("tidelock.toml"), toml::to_string(&config)?)?)
    }

    /// Locks a port to the upstream at a revision.
    pub(super) fn adopt(&self, root: &Path, revision: &Revision) -> Result<()> {
        git(root, &["init", "--quiet", "--initial-branch=main"])?;
        commit(root, "A twin")?;
        ran(self.tidelock(root).args(["init", "--adopt", revision.commit.as_str()]))?;
        commit(root, "Lock it")
    }

    /// The folder with the library in Rust as Tidelock builds it for a session, and the Python files around it.
    pub(super) fn built(&self, root: &Path) -> Result<PathBuf> {
        self.ask(root, None, &[exports()], &BTreeMap::new())?;
        let checked = self.check(root)?;
        let imports = checked.programs.into_iter().find_map(|built| built.imports);
        imports.with_context(|| format!("the library was not built: {}", checked.reason))
    }

    /// What `tidelock contract check` says of a port, with its reason.
    pub(super) fn verdict(&self, root: &Path) -> Result<(Said, String)> {
        let checked = self.check(root)?;
        Ok((checked.verdict, checked.reason))
    }

    fn check(&self, root: &Path) -> Result<Checked> {
        let invocation = self
            .tidelock(root)
            .args(["contract", "check", SESSION, "--format", "json"])
            .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"])
            .limits(Limits { timeout_ms: CHECK_MS, ..Limits::default() });
        let finished = SystemProcessRunner::default().run(&invocation)?;
        let has_verdict = matches!(finished.ending, Ending::Exited(code) if VERDICT_CODES.contains(&code));
        if !has_verdict {
            bail!("`tidelock contract check` ended with {:?}:\n{}", finished.ending, finished.tail(20));
        }
        serde_json::from_slice(&finished.stdout)
            .context("`tidelock contract check` did not write its verdict")
    }

    fn tidelock(&self, root: &Path) -> Invocation {
        Invocation::new(self.program, root).env("TIDELOCK_STATE", self.state)
    }
}

/// Locks a port as another is locked.
pub(super) fn adopt_as(root: &Path, other: &Path) -> Result<()> {
    std::fs::copy(other.join("tidelock.lock"), root.join("tidelock.lock"))?;
    git(root, &["init", "--quiet", "--initial-branch=main"])?;
    commit(root, "A twin")
}

/// The cases of the session: requests of one class each.
fn cases(members: &[Asked], left_out: &BTreeMap<Asked, Vec<String>>) -> Vec<Value> {
    let mut of_classes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for asked in members {
        let skip = left_out.get(asked).map_or(&[][..], Vec::as_slice);
        of_classes.entry(&asked.0).or_default().push(request(asked, skip));
    }
    let mut cases = Vec::new();
    for (class, requests) in of_classes {
        let class = if class.is_empty() { "exports" } else { class };
        for (at, lines) in requests.chunks(REQUESTS_MAX).enumerate() {
            cases.push(json!({
                "name": format!("{class} {}", at + 1),
                "files-from": { "surface.py": "surface.py", "pool.json": "pool.json" },
                "lines": lines,
            }));
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_requests_of_one_class_with_what_is_left_out_of_each() {
        let asked = |class: &str, member: String| (class.to_owned(), member);
        let many = (0..=REQUESTS_MAX).map(|at| asked("Box", format!("m{at}")));
        let members: Vec<Asked> = many.chain([exports()]).collect();
        let left_out = BTreeMap::from([(asked("Box", "m1".to_owned()), vec!["(1)".to_owned()])]);
        let cases = cases(&members, &left_out);
        let names: Vec<_> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["exports 1", "Box 1", "Box 2"]);
        assert_eq!(cases[1]["lines"].as_array().unwrap().len(), REQUESTS_MAX);
        assert_eq!(cases[1]["lines"][0], r#"{"member":"m0","of":"Box"}"#);
        assert_eq!(cases[1]["lines"][1], r#"{"member":"m1","of":"Box","skip":["(1)"]}"#);
    }
}
