//! The readers on files that the real tools wrote here, whole and damaged: none may be misread.
//!
//! Two tools are in no registry: `--repo` names their repositories, and those not named are told.

mod damage;
mod docker;
mod sources;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use port::bench::random::Random;
use port::bench::read::{Format, Reading, read, read_text};
use serde_json::Value;

use super::{Metric, Tell};
use damage::{Damage, walk};

/// Damaged copies of each file and kind of damage, at most.
const COPIES: usize = 150;

/// What a tool wrote.
struct Written {
    tool: &'static str,
    format: Format,
    path: PathBuf,
    /// What must be in it: tasks with a score or value, and how many of these are above zero.
    results: usize,
    good: usize,
}

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let python = tools::Python::install(folder.path())?;
    let mut written = tools::python(&python, folder.path())?;
    written.extend(docker::report_code(&python, folder.path())?);
    written.push(tools::perl(folder.path())?);
    written.extend(tools::rust(folder.path())?);
    written.extend(tools::hyperfine(folder.path())?);
    let mut left_out: BTreeSet<&str> = sources::TOOLS.iter().map(|(tool, _)| *tool).collect();
    for repository in repositories {
        let repository = repository.canonicalize()?;
        let Some((tool, files)) = sources::written(&repository, folder.path())? else {
            bail!("{} is of no tool whose format is read here", repository.display());
        };
        left_out.remove(tool);
        written.extend(files);
    }
    tell(Metric {
        name: "readers.tools_left_out".to_owned(),
        value: serde_json::json!(left_out),
        unit: "tools",
        target: "none: name their repositories with `--repo PATH`".to_owned(),
        ok: left_out.is_empty(),
    })?;
    for file in &written {
        let reading = read(file.format, &file.path).with_context(|| file.tool)?;
        let found = numbers(&reading);
        let good = found.values().filter(|number| **number > 0.0).count();
        let ok = (found.len(), good) == (file.results, file.good);
        tell(Metric {
            name: format!("readers.{}.results", file.tool),
            value: serde_json::json!([found.len(), good]),
            unit: "results, and those above zero",
            target: format!("{} and {}", file.results, file.good),
            ok,
        })?;
        if file.path.is_file() {
            damaged(file, &reading, tell)?;
        }
    }
    Ok(())
}

/// The score or the value of each task; they are never both.
fn numbers(reading: &Reading) -> BTreeMap<String, f64> {
    reading.scores().into_iter().map(|(task, number)| (task.to_owned(), number)).collect()
}

fn damaged(file: &Written, whole: &Reading, tell: &mut Tell<'_>) -> Result<()> {
    let text = std::fs::read_to_string(&file.path)?;
    let known = numbers(whole);
    let (mut copies, mut misread) = (0, 0);
    let mut judge = |damaged: &str, may_lack: bool| {
        copies += 1;
        if let Ok(reading) = read_text(file.format, damaged) {
            let found = numbers(&reading);
            let same = |(task, number): (&String, &f64)| known.get(task) == Some(number);
            let wrong = !found.iter().all(same) || !may_lack && found.len() != known.len();
            misread += usize::from(wrong);
        }
    };
    let mut random = Random::seeded(1);
    for _ in 0..COPIES {
        if let Some(cut) = text.get(..random.index(text.len())) {
            judge(cut, false);
        }
    }
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        let mut places = Vec::new();
        walk(&value, &mut String::new(), &mut places);
        random.shuffle(&mut places);
        for place in places.iter().take(COPIES) {
            for damage in [Damage::Remove, Damage::Twice, Damage::Text, Damage::Null] {
                let mut copy = value.clone();
                if damage.apply(&mut copy, place) {
                    // What is gone may be missing from the results, and never another number.
                    judge(&copy.to_string(), matches!(damage, Damage::Remove | Damage::Null));
                }
            }
            if value.pointer(place).is_some_and(Value::is_number) {
                let mut copy = value.clone();
                if let Some(slot) = copy.pointer_mut(place) {
                    *slot = Value::from("@NaN@");
                }
                judge(&copy.to_string().replace("\"@NaN@\"", "NaN"), true);
            }
        }
    } else {
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len().min(COPIES) {
            let mut twice = lines.clone();
            twice.insert(at, lines.get(at).copied().unwrap_or_default());
            judge(&(twice.join("\n") + "\n"), false);
            let mut less = lines.clone();
            less.remove(at);
            judge(&(less.join("\n") + "\n"), false);
        }
    }
    let name = |what: &str| format!("readers.{}.{what}", file.tool);
    tell(Metric {
        name: name("damaged_copies"),
        value: copies.into(),
        unit: "copies",
        target: String::new(),
        ok: true,
    })?;
    tell(Metric {
        name: name("misread"),
        value: misread.into(),
        unit: "copies",
        target: "0".to_owned(),
        ok: misread == 0,
    })
}
