//! `[[bench]]`: a benchmark as it is written, and checked.

mod objective;

use std::collections::{BTreeMap, BTreeSet};

use port::bench::read::Format;
use port::bench::run::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use objective::resolve as objective;
pub use objective::{BenchMeasure, ObjectiveSection, ObjectiveSettings};

/// The most benchmarks of one port.
const BENCHES_MAX: usize = 100;

/// The most environment variables of one.
const VARIABLES_MAX: usize = 100;

/// `[[bench]]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BenchSection {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The program and its arguments, run at the root of the port, one process for each measurement. `{output}`
    /// stands for a folder that it may write its results to, `{task}` for the task to run.
    pub command: Vec<String>,
    /// The same measurement in the upstream, run at the root of its sources. Without it the port is compared
    /// with itself before the change.
    #[serde(default)]
    pub upstream_command: Vec<String>,
    /// What builds the upstream first, without network; its dependencies are fetched before.
    #[serde(default)]
    pub upstream_build: Vec<String>,
    /// The format of the results.
    pub format: Format,
    /// The file or folder of the results, below `{output}`. Default: standard output.
    pub output: Option<String>,
    /// Whether it has tasks or measured values. Default: what its format usually has.
    pub kind: Option<BenchKind>,
    /// The tasks, where the command has `{task}`.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// For values: which way is better. Default: `lower`.
    pub direction: Option<BenchDirection>,
    /// The loss to be ruled out, as a share: 0.05 means 5 points of score, or 5 % of a value. A margin below
    /// what the pairs can detect is refused with the number. Default: 0.05 for tasks, 0.02 from 400 tasks on;
    /// for values 0.03, or what this machine can detect if that is more.
    pub margin: Option<f64>,
    /// For values: proof that a single bench lost more than this share refuses. Default: 0.05.
    pub harm_margin: Option<f64>,
    /// The most pairs; then it cannot be told. Default: 12 rounds of the tasks (8 from 400 tasks on), 40 pairs
    /// of processes for values.
    pub pairs_max: Option<u32>,
    /// Variables that are set for it.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Variables that switch the port's extensions off: parity mode.
    #[serde(default)]
    pub parity_environment: BTreeMap<String, String>,
    /// Variables that switch them on: extended mode.
    #[serde(default)]
    pub extended_environment: BTreeMap<String, String>,
    /// In which mode it is decided. Default: `parity`.
    pub mode: Option<BenchMode>,
    /// Files and folders of the benchmark itself, in the port: they are taken from the trusted tree on both sides.
    #[serde(default)]
    pub harness: Vec<String>,
    /// The model that the tasks run on, with its snapshot, as in `agent-model-2026-10-01`; `none` for tasks that
    /// use none. Stored runs of the reference serve only beside the same model, and only where it is named.
    pub model: Option<String>,
    /// For tasks: whether runs of a reference that did not change serve again, for a week, on the same machine,
    /// beside the same model and the same files. Default: whether `model` is named.
    pub reuse_reference: Option<bool>,
    /// For values: what they are to the objective that ranks candidates. Default: `time`.
    pub measures: Option<BenchMeasure>,
    /// When it runs by itself. Default: `change`.
    pub schedule: Option<BenchSchedule>,
    /// What it may decide. Default: `guardrail`.
    pub role: Option<BenchRole>,
    /// The longest one measurement may take, in seconds. Default: 600.
    pub timeout_s: Option<u64>,
}

/// What a benchmark has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BenchKind {
    /// Tasks that pass or fail, or earn a score from 0 to 1.
    Tasks,
    /// Times, sizes or rates.
    Values,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BenchDirection {
    /// Lower, as of times and sizes.
    Lower,
    /// Higher, as of rates.
    Higher,
}

/// Whether the port's extensions are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BenchMode {
    /// Off.
    Parity,
    /// On.
    Extended,
    /// Once with each; both must pass.
    Both,
}

/// When a benchmark runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BenchSchedule {
    /// In the gate of every change.
    Change,
    /// With `tidelock bench run --nightly`.
    Nightly,
    /// With `tidelock bench train`, for several revisions together.
    Train,
}

/// What a benchmark may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BenchRole {
    /// A loss by the margin must be ruled out. At most three.
    Endpoint,
    /// Proof of harm refuses.
    Guardrail,
    /// It feeds the drift ledger, and decides nothing by itself.
    Audit,
}

/// A benchmark, checked and complete.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchSettings {
    /// Its name.
    pub name: String,
    /// The port's command.
    pub command: Vec<String>,
    /// The upstream's; empty where it cannot run it.
    pub upstream_command: Vec<String>,
    /// What builds the upstream; empty where nothing need be built.
    pub upstream_build: Vec<String>,
    /// The format of the results.
    pub format: Format,
    /// Where they are; on standard output where it is `None`.
    pub output: Option<String>,
    /// What it has.
    pub kind: BenchKind,
    /// The tasks that are run one a process.
    pub tasks: Vec<String>,
    /// Which way is better.
    pub direction: Direction,
    /// The loss to be ruled out, where it is given.
    pub margin: Option<f64>,
    /// The loss of a single bench of which proof refuses.
    pub harm_margin: f64,
    /// The most pairs, where it is given.
    pub pairs_max: Option<usize>,
    /// Variables by mode: those of the benchmark, of parity mode and of extended mode.
    pub environment: [BTreeMap<String, String>; 3],
    /// In which mode it is decided.
    pub mode: BenchMode,
    /// Files and folders of the benchmark itself.
    pub harness: Vec<String>,
    /// The model that the tasks run on, where it is named.
    pub model: Option<String>,
    /// Whether runs of an unchanged reference serve again.
    pub reuse_reference: bool,
    /// What it is to the objective.
    pub measures: BenchMeasure,
    /// When it runs by itself.
    pub schedule: BenchSchedule,
    /// What it may decide.
    pub role: BenchRole,
    /// The longest one measurement may take, in seconds.
    pub timeout_s: u64,
}

/// What is wrong with an entry: its number, the key, the words, and what to write instead.
pub(super) type Wrong = (usize, &'static str, String, String);

/// Checks all entries.
pub(super) fn resolve(sections: &[BenchSection]) -> Result<Vec<BenchSettings>, Wrong> {
    let mut names = BTreeSet::new();
    let mut resolved = Vec::new();
    for (at, section) in sections.iter().enumerate() {
        let wrong = |key, message: String, help: &str| (at, key, message, help.to_owned());
        if at >= BENCHES_MAX {
            return Err(wrong("name", format!("more than {BENCHES_MAX} benchmarks"), "take some out"));
        }
        if !names.insert(section.name.as_str()) {
            let message = format!("two benchmarks are named `{}`", section.name);
            return Err(wrong("name", message, "name each one apart"));
        }
        check(section).map_err(|(key, message, help)| wrong(key, message, help))?;
        resolved.push(complete(section));
    }
    let endpoint = |bench: &BenchSettings| bench.role == BenchRole::Endpoint;
    let most = port::bench::decide::ENDPOINTS_MAX;
    if let Some((at, _)) = resolved.iter().enumerate().filter(|(_, bench)| endpoint(bench)).nth(most) {
        let message =
            format!("more than {most} endpoints: each one that must be proved makes accepting harder");
        return Err((at, "role", message, "write `role = \"guardrail\"`".to_owned()));
    }
    Ok(resolved)
}

fn check(section: &BenchSection) -> Result<(), (&'static str, String, &'static str)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if section.name.is_empty() || section.name.starts_with('.') || !section.name.chars().all(plain) {
        let message = format!("`{}` is no name of a benchmark", section.name);
        return Err(("name", message, "use letters, digits, `-`, `_` and `.`"));
    }
    if section.command.is_empty() {
        return Err(("command", "the command is empty".to_owned(), "write `command = [\"PROGRAM\", …]`"));
    }
    let has_task = section.command.iter().any(|word| word.contains("{task}"));
    if has_task == section.tasks.is_empty() {
        let message = "`{task}` in the command and the list `tasks` need each other".to_owned();
        return Err(("tasks", message, "write `tasks = [\"NAME\", …]` and put `{task}` into the command"));
    }
    if section.output.is_some() && !section.command.iter().any(|word| word.contains("{output}")) {
        let message = "the results are to be below `{output}`, and the command does not name it".to_owned();
        return Err(("output", message, "put `{output}` into the command, or take `output` out"));
    }
    if section.output.as_deref().is_some_and(|path| path.starts_with('/') || path.contains("..")) {
        let message = "the results must be below `{output}`".to_owned();
        return Err(("output", message, "write a relative path without `..`"));
    }
    for (key, margin) in [("margin", section.margin), ("harm-margin", section.harm_margin)] {
        if margin.is_some_and(|margin| !(margin > 0.0 && margin < 1.0)) {
            return Err((key, "a margin is a share between 0 and 1".to_owned(), "write 0.05 for 5 %"));
        }
    }
    if section.pairs_max.is_some_and(|pairs| pairs < 6) {
        return Err(("pairs-max", "fewer than 6 pairs prove nothing".to_owned(), "write 40"));
    }
    if section.environment.len() > VARIABLES_MAX {
        return Err(("environment", format!("more than {VARIABLES_MAX} variables"), "set fewer"));
    }
    if section.role == Some(BenchRole::Audit) && kind_of(section) == BenchKind::Values {
        let message = "an audit feeds the drift ledger, which counts points of task suites".to_owned();
        return Err(("role", message, "write `role = \"guardrail\"`, or `kind = \"tasks\"`"));
    }
    if section
        .measures
        .is_some_and(|measures| (measures == BenchMeasure::Tasks) != (kind_of(section) == BenchKind::Tasks))
    {
        let message = "tasks and values are different things to the objective".to_owned();
        return Err(("measures", message, "write `time` or `cost` for values, and nothing for tasks"));
    }
    if section.model.as_deref().is_some_and(|model| model.trim().is_empty()) {
        return Err((
            "model",
            "the model has no name".to_owned(),
            "write `model = \"none\"` for tasks without one",
        ));
    }
    if section.reuse_reference == Some(true) {
        if section.model.is_none() {
            let message = "stored runs serve only beside the same model, and none is named".to_owned();
            return Err(("reuse-reference", message, "name the `model`, or write `model = \"none\"`"));
        }
        if kind_of(section) == BenchKind::Values {
            let message =
                "measured values are never used again: machines change from hour to hour".to_owned();
            return Err(("reuse-reference", message, "take the line out"));
        }
    }
    Ok(())
}

fn kind_of(section: &BenchSection) -> BenchKind {
    section.kind.unwrap_or(match section.format {
        Format::Swebench
        | Format::TerminalBench
        | Format::Harbor
        | Format::Junit
        | Format::Libtest
        | Format::Tap => BenchKind::Tasks,
        Format::Plain
        | Format::Criterion
        | Format::CargoCriterion
        | Format::PytestBenchmark
        | Format::Hyperfine
        | Format::Asv
        | Format::Bencher
        | Format::GithubActionBenchmark => BenchKind::Values,
    })
}

fn complete(section: &BenchSection) -> BenchSettings {
    BenchSettings {
        name: section.name.clone(),
        command: section.command.clone(),
        upstream_command: section.upstream_command.clone(),
        upstream_build: section.upstream_build.clone(),
        format: section.format,
        output: section.output.clone(),
        kind: kind_of(section),
        tasks: section.tasks.clone(),
        direction: match section.direction {
            None | Some(BenchDirection::Lower) => Direction::Lower,
            Some(BenchDirection::Higher) => Direction::Higher,
        },
        margin: section.margin,
        harm_margin: section.harm_margin.unwrap_or(0.05),
        pairs_max: section.pairs_max.and_then(|pairs| usize::try_from(pairs).ok()),
        environment: [
            section.environment.clone(),
            section.parity_environment.clone(),
            section.extended_environment.clone(),
        ],
        mode: section.mode.unwrap_or(BenchMode::Parity),
        harness: section.harness.clone(),
        model: section.model.clone(),
        reuse_reference: section.reuse_reference.unwrap_or(section.model.is_some()),
        measures: section.measures.unwrap_or(match kind_of(section) {
            BenchKind::Tasks => BenchMeasure::Tasks,
            BenchKind::Values => BenchMeasure::Time,
        }),
        schedule: section.schedule.unwrap_or(BenchSchedule::Change),
        role: section.role.unwrap_or(BenchRole::Guardrail),
        timeout_s: section.timeout_s.unwrap_or(600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<Vec<BenchSettings>, Wrong> {
        #[derive(Deserialize)]
        struct File {
            bench: Vec<BenchSection>,
        }
        let file: File = toml::from_str(text).unwrap();
        resolve(&file.bench)
    }

    const GOOD: &str = "[[bench]]\nname = \"b\"\ncommand = [\"run\"]\nformat = \"plain\"\n";

    #[test]
    fn an_entry_is_complete_with_defaults() {
        let benches = resolved(GOOD).unwrap();
        assert_eq!(benches[0].kind, BenchKind::Values);
        assert_eq!(benches[0].role, BenchRole::Guardrail);
        assert_eq!((benches[0].margin, benches[0].pairs_max), (None, None));
        assert_eq!(resolved(&GOOD.replace("plain", "junit")).unwrap()[0].kind, BenchKind::Tasks);
    }

    #[test]
    fn each_wrong_entry_is_named_by_its_key() {
        for (change, key) in [
            ("name = \"../b\"\ncommand = [\"run\"]\nformat = \"plain\"", "name"),
            ("name = \"c\"\ncommand = []\nformat = \"plain\"", "command"),
            ("name = \"c\"\ncommand = [\"{task}\"]\nformat = \"plain\"", "tasks"),
            ("name = \"c\"\ncommand = [\"run\"]\ntasks = [\"t\"]\nformat = \"plain\"", "tasks"),
            ("name = \"c\"\ncommand = [\"run\"]\noutput = \"r\"\nformat = \"plain\"", "output"),
            ("name = \"c\"\ncommand = [\"{output}\"]\noutput = \"../r\"\nformat = \"plain\"", "output"),
            ("name = \"c\"\ncommand = [\"run\"]\nmargin = 5.0\nformat = \"plain\"", "margin"),
            ("name = \"c\"\ncommand = [\"run\"]\npairs-max = 2\nformat = \"plain\"", "pairs-max"),
            ("name = \"c\"\ncommand = [\"run\"]\nrole = \"audit\"\nformat = \"plain\"", "role"),
            ("name = \"c\"\ncommand = [\"run\"]\nmodel = \" \"\nformat = \"junit\"", "model"),
            (
                "name = \"c\"\ncommand = [\"run\"]\nreuse-reference = true\nformat = \"junit\"",
                "reuse-reference",
            ),
            (
                "name = \"c\"\ncommand = [\"run\"]\nmodel = \"m\"\nreuse-reference = true\nformat = \"plain\"",
                "reuse-reference",
            ),
            ("name = \"c\"\ncommand = [\"run\"]\nmeasures = \"cost\"\nformat = \"junit\"", "measures"),
            ("name = \"b\"\ncommand = [\"run\"]\nformat = \"plain\"", "name"),
        ] {
            let (at, found, message, help) = resolved(&format!("{GOOD}[[bench]]\n{change}\n")).unwrap_err();
            assert_eq!((at, found), (1, key), "{message}");
            assert!(!help.is_empty());
        }
    }

    #[test]
    fn at_most_three_endpoints_decide() {
        let entry = |name| GOOD.replace("\"b\"", name).replace("[\"run\"]", "[\"run\"]\nrole = \"endpoint\"");
        let three = ["\"a\"", "\"b\"", "\"c\""].map(entry).concat();
        assert!(resolved(&three).is_ok());
        assert_eq!(resolved(&format!("{three}{}", entry("\"d\""))).unwrap_err().1, "role");
    }
}
