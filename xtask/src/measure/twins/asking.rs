//! One side asked by the probing program: what there is to ask, and what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use upstream::ContentHash;
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::counting::{Answers, Asked, Values};
use super::set::Set;

/// The program that asks; it is part of every key.
pub(super) const SURFACE: &str = include_str!("surface.py");
/// What can be asked of every class besides its members.
const BESIDES: [&str; 3] = ["names", "new", "operators"];
/// The longest that all answers of a side may take, and the most that they may be.
const TIMEOUT_MS: u64 = 20 * 60 * 1000;
const OUTPUT_BYTES_MAX: usize = 1 << 30;

/// Asks sides, and keeps what they said by what they were asked.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) set: &'a Set,
    /// Where answers are kept.
    pub(super) kept: PathBuf,
}

/// What Python imports as the package.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// The folder.
    pub(super) imports: PathBuf,
    /// What tells it from other sides.
    pub(super) key: String,
}

impl Asking<'_> {
    /// What the package exports, the members of each class, and the values that can be made of it.
    pub(super) fn listed(&self, side: &Side) -> Result<Answers> {
        let classes = self.set.classes.iter();
        let of_classes =
            classes.flat_map(|class| ["names", "values"].map(|asked| (class.clone(), asked.to_owned())));
        let asked: Vec<Asked> = std::iter::once(exports()).chain(of_classes).collect();
        self.answers(side, &self.set.asked_with(None)?, &asked)
    }

    /// Every call of these members.
    pub(super) fn asked(&self, side: &Side, values: &Values, members: &[Asked]) -> Result<Answers> {
        self.answers(side, &self.set.asked_with(Some(values))?, members)
    }

    fn answers(&self, side: &Side, pool: &str, asked: &[Asked]) -> Result<Answers> {
        let requests: Vec<String> = asked.iter().map(|asked| request(asked, &[])).collect();
        let python = self.set.python.to_string_lossy();
        let parts = [SURFACE, &python, &side.key, pool];
        let key = ContentHash::of_parts(parts.into_iter().chain(requests.iter().map(String::as_str)));
        let file = self.kept.join(format!("{key}.json"));
        if let Ok(kept) = std::fs::read(&file) {
            let kept: Vec<_> = serde_json::from_slice(&kept)
                .with_context(|| format!("`{}` is broken: remove it", file.display()))?;
            return Ok(asked.iter().cloned().zip(kept).collect());
        }
        let said = self.said(side, pool, &requests)?;
        std::fs::create_dir_all(&self.kept)?;
        let new = file.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(&said)?)?;
        std::fs::rename(&new, &file)?;
        Ok(asked.iter().cloned().zip(said).collect())
    }

    fn said(&self, side: &Side, pool: &str, requests: &[String]) -> Result<Vec<BTreeMap<String, String>>> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("surface.py"), SURFACE)?;
        std::fs::write(folder.path().join("pool.json"), pool)?;
        let mut lines = requests.join("\n");
        lines.push('\n');
        let invocation = Invocation::new(&self.set.python, folder.path())
            .args(["surface.py", "pool.json"])
            .env("PYTHONPATH", &side.imports)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONHASHSEED", "0")
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            .stdin(lines.into_bytes())
            .limits(Limits {
                timeout_ms: TIMEOUT_MS,
                output_bytes_max: OUTPUT_BYTES_MAX,
                ..Limits::default()
            });
        let finished = SystemProcessRunner::default().run(&invocation)?;
        let of = side.imports.display();
        ensure!(
            finished.succeeded(),
            "asking `{of}` ended with {:?}:\n{}",
            finished.ending,
            finished.tail(5)
        );
        let said: Vec<_> = finished
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .with_context(|| {
                format!("what `{of}` was asked was answered by something else than the program")
            })?;
        ensure!(
            said.len() == requests.len(),
            "`{of}` answered {} of {} requests",
            said.len(),
            requests.len()
        );
        Ok(said)
    }
}

/// What the package exports.
pub(super) fn exports() -> Asked {
    (String::new(), "names".to_owned())
}

/// A line for the program.
pub(super) fn request((class, member): &Asked, skip: &[String]) -> String {
    if skip.is_empty() {
        return json!({ "of": class, "member": member }).to_string();
    }
    json!({ "of": class, "member": member, "skip": skip }).to_string()
}

/// Everything that is to be asked: each member that a side has of each class, but what tells the clock.
pub(super) fn members(set: &Set, listed: &[&Answers]) -> Vec<Asked> {
    let mut all = vec![exports()];
    for class in &set.classes {
        let names: BTreeSet<&String> = listed
            .iter()
            .filter_map(|side| side.get(&(class.clone(), "names".to_owned())))
            .flat_map(|names| names.keys())
            .filter(|name| !set.tells_clock(name))
            .collect();
        if !names.is_empty() {
            let besides = BESIDES.iter().map(|asked| (*asked).to_owned());
            all.extend(besides.chain(names.into_iter().cloned()).map(|member| (class.clone(), member)));
        }
    }
    all
}
