//! `tidelock.toml` as it is written: every key with its meaning and its default.
//!
//! `docs/configuration.md` is generated from these types. They are resolved once into
//! [`super::Settings`]; nothing else reads them.

use std::collections::BTreeMap;

use mappings::decision::DecisionRule;
use mappings::mapping::{ConventionConfig, ExtensionRule, LinkRule, MapRule};
use schemars::JsonSchema;
use serde::Deserialize;

use super::alert::AlertSection;
use super::bench::{BenchSection, ObjectiveSection};
use super::building::{BuildSection, EnvironmentSection};
use super::forge::ForgeSection;
use super::parity::ParitySection;
use super::runtime::RuntimeSection;
use super::session::SessionSection;
use super::watch::WatchSection;

/// The whole file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConfigFile {
    /// The version of this format: 1.
    pub version: u32,
    /// The Rust repository or crate that the port follows.
    pub upstream: UpstreamSection,
    /// The port: this repository.
    pub port: PortSection,
    /// Where items belong that no `[[map]]` entry names.
    pub convention: Option<ConventionConfig>,
    /// Which items belong to which files and symbols. The most specific entry wins.
    #[serde(default)]
    pub map: Vec<MapRule>,
    /// Single items that belong to single symbols, against every other rule.
    #[serde(default)]
    pub link: Vec<LinkRule>,
    /// What the port has more than the upstream: never drift, never edited.
    #[serde(default)]
    pub extension: Vec<ExtensionRule>,
    /// How those are switched off while the port is compared with the upstream.
    #[serde(default)]
    pub parity: ParitySection,
    /// What people decided about upstream changes. `tidelock decline`, `defer` and `pin` write these entries.
    #[serde(default)]
    pub decision: Vec<DecisionRule>,
    /// Who translates.
    #[serde(default)]
    pub translate: TranslateSection,
    /// What a candidate must pass.
    #[serde(default)]
    pub gate: GateSection,
    /// Programs of the upstream and what answers to them in the port, run on the same cases.
    #[serde(default)]
    pub session: Vec<SessionSection>,
    /// Benchmarks.
    #[serde(default)]
    pub bench: Vec<BenchSection>,
    /// How several candidates that passed are ranked.
    #[serde(default)]
    pub bench_objective: ObjectiveSection,
    /// How work lands.
    #[serde(default)]
    pub land: LandSection,
    /// Where the port lives, and how work is proposed there.
    pub forge: Option<ForgeSection>,
    /// How foreign code is confined.
    #[serde(default)]
    pub sandbox: SandboxSection,
    /// When `tidelock watch` looks at the upstream.
    #[serde(default)]
    pub watch: WatchSection,
    /// What counts as too far behind or as failing, and who is told.
    #[serde(default)]
    pub alert: AlertSection,
}

/// `[upstream]`: exactly one of `registry` and `git`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UpstreamSection {
    /// A crate in the Cargo registry that your Cargo configuration names: each release is a revision.
    pub registry: Option<String>,
    /// Whether pre-releases are revisions too. Default: false for a crate, true for tags.
    pub pre_releases: Option<bool>,
    /// A git repository: an address or a path.
    pub git: Option<String>,
    /// The branch to follow, commit by commit. Default: the repository's own default branch.
    pub branch: Option<String>,
    /// Follow tags that match this pattern, such as `v*`, in place of a branch.
    pub tags: Option<String>,
    /// The order of tags: `version`, by the versions in their names, or `date`. Default: `version`.
    pub tag_order: Option<TagOrderChoice>,
    /// Which commits of a branch are revisions: `first-parent`, those that the branch itself was at, or
    /// `full`, also each commit that a merge brought. Default: `first-parent`.
    pub history: Option<HistoryChoice>,
    /// How it is built to be asked what it does.
    #[serde(default)]
    pub build: BuildSection,
}

/// The order of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TagOrderChoice {
    /// By the versions in their names.
    Version,
    /// By the dates of their commits.
    Date,
}

/// Which commits of a branch are revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryChoice {
    /// Those that the branch itself was at.
    FirstParent,
    /// All.
    Full,
}

/// `[port]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PortSection {
    /// The port's name in reports. Default: the name of its folder.
    pub name: Option<String>,
    /// The port's language: `python`.
    #[serde(default = "python")]
    pub language: String,
    /// The folder that Python imports from, such as `src`. Default: `root` of `[convention]`, and the root
    /// of the repository where that is not given either.
    pub source_root: Option<String>,
    /// The branch that work lands on. Default: the branch that is checked out.
    pub branch: Option<String>,
    /// A file with the port's conventions, shown to models. Default: `STYLE.md` where it is there.
    pub style: Option<String>,
    /// The file of the runtime module, which Tidelock writes when a translation first imports from it (`docs/runtime.md`);
    /// `false` where the port is to have none. Default: `_tl_rt.py` in the package that `[convention]` names, where that
    /// is a folder; else none.
    pub runtime: Option<RuntimeSection>,
    /// What its code runs with.
    #[serde(default)]
    pub environment: EnvironmentSection,
}

fn python() -> String {
    "python".to_owned()
}

/// `[translate]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TranslateSection {
    /// The translators, cheapest first: `verify-first`, `rules`, `memory`, `items`, and names of
    /// `[[translate.model]]`. `items` translates whole items by rule (`docs/rules.md`).
    /// Default: `verify-first`, `rules`, `memory`, then every model in the order of this file.
    pub chain: Option<Vec<String>>,
    /// Folders of translation memory, from the root of the repository. Default: `memory` where it is there.
    pub memory: Option<Vec<String>>,
    /// The most requests under way with all models together. Units that do not depend on each other are asked for at
    /// the same time. Default: 8.
    pub at_once_max: Option<usize>,
    /// Language models and commands.
    #[serde(default)]
    pub model: Vec<ModelSection>,
    /// What models may cost.
    #[serde(default)]
    pub budget: BudgetSection,
    /// Several candidates for risky units.
    #[serde(default)]
    pub best_of: BestOfSection,
}

/// Several answers to the first question of a model about a risky unit, asked for at the same time. Each is checked, and
/// of those that pass, the one with the smallest change is taken.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BestOfSection {
    /// How many, from 1 to 4. Default: 1.
    pub candidates: Option<u32>,
    /// From how many signs on a unit is risky: unsafe code, arithmetic at its limits, serialisation, regular
    /// expressions, three symbols or more, parked before. Default: 2.
    pub risks_min: Option<u32>,
}

/// What models may cost: tokens sent and received, and United States dollars by the models' prices. A bound is
/// looked at before each answer, so it is passed by one answer at the most; then units are parked.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BudgetSection {
    /// For one work unit.
    pub unit_tokens: Option<u64>,
    /// For one work unit.
    pub unit_usd: Option<f64>,
    /// For one upstream revision.
    pub revision_tokens: Option<u64>,
    /// For one upstream revision.
    pub revision_usd: Option<f64>,
    /// For one run.
    pub run_tokens: Option<u64>,
    /// For one run.
    pub run_usd: Option<f64>,
    /// For the runs that begin on one day, by UTC.
    pub day_tokens: Option<u64>,
    /// For the runs that begin on one day, by UTC.
    pub day_usd: Option<f64>,
    /// For the runs that begin in one month, by UTC.
    pub month_tokens: Option<u64>,
    /// For the runs that begin in one month, by UTC.
    pub month_usd: Option<f64>,
}

/// What speaks for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// A command that reads the prompt on standard input and writes the answer on standard output.
    Command,
    /// A server that speaks the `OpenAI` Chat Completions protocol.
    Chat,
    /// A server that speaks the `OpenAI` Responses protocol.
    Responses,
    /// A server that speaks the Anthropic Messages protocol.
    Anthropic,
    /// A folder in which prompts wait as files for people, or anything else, to answer them.
    Inbox,
    /// A folder of recorded answers.
    Replay,
}

/// `[[translate.model]]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelSection {
    /// Its name in `chain` and in reports.
    pub name: String,
    /// What speaks for it.
    pub kind: ModelKind,
    /// For `command`: the program and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// For `command`: environment variables that it may see, by name.
    #[serde(default)]
    pub environment: Vec<String>,
    /// For `chat`, `responses` and `anthropic`: the server's address, with the version path, such as
    /// `http://localhost:11434/v1`.
    pub base_url: Option<String>,
    /// For `chat`, `responses` and `anthropic`: the model's name at the provider.
    pub model: Option<String>,
    /// For `chat`, `responses` and `anthropic`: the environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// For `replay`: the folder of recorded answers. For `inbox`: where prompts and answers go; default: `inbox` in
    /// the state folder.
    pub folder: Option<String>,
    /// The most it may answer, in tokens. Default: 8192.
    pub output_tokens_max: Option<u32>,
    /// The longest it may take, in seconds. Default: 300.
    pub timeout_s: Option<u64>,
    /// Attempts at one unit, repairs included. Default: 3.
    pub attempts_max: Option<u32>,
    /// For servers: whether answers come as a stream, so that a dead connection is noticed. Default: true.
    pub stream: Option<bool>,
    /// For servers and commands: the most requests under way at a time; 0 for any number. The first model of an
    /// address says it for all of them. Default: 4.
    pub at_once_max: Option<usize>,
    /// For servers and commands: the most requests begun in any minute, likewise; 0 for any number. Default: 0.
    pub per_minute_max: Option<usize>,
    /// For `chat`, `responses` and `anthropic`: whether prompts are sent together, by the provider's interface for
    /// batches, and answered with a later sync: `true`, or a table with `price-share`, what a request of a batch costs
    /// as a share of `price` (default: 0.5). Default: false.
    #[serde(default)]
    pub batch: BatchSection,
    /// Prices in United States dollars for a million tokens: `input`, `cached-input`, `written-input` (what is
    /// written to the provider's cache), `output`; or a list of such tables, each with `from`, the day from which on it
    /// is asked. The day on which a run begins counts.
    #[serde(default)]
    pub price: PriceSection,
}

/// Whether a model is asked by batches.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "write `batch = true`, or a table such as `{ price-share = 0.5 }`")]
pub enum BatchSection {
    /// Whether it is, at the usual share of the price.
    Switch(bool),
    /// It is.
    Terms(BatchTerms),
}

/// On which terms a model is asked by batches.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BatchTerms {
    /// What a request of a batch costs, as a share of its price by itself. Default: 0.5.
    pub price_share: Option<f64>,
}

impl Default for BatchSection {
    fn default() -> Self {
        Self::Switch(false)
    }
}

/// What a model costs.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a price is a table such as `{ input = 2.0, output = 10.0 }`, or a list of such tables, each with `from = \"YYYY-MM-DD\"`"
)]
pub enum PriceSection {
    /// One price at all times.
    One(BTreeMap<String, f64>),
    /// Prices by the day.
    Dated(Vec<DatedPriceSection>),
}

impl Default for PriceSection {
    fn default() -> Self {
        Self::One(BTreeMap::new())
    }
}

/// A price from a day on.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct DatedPriceSection {
    /// The day, as `YYYY-MM-DD`.
    pub from: String,
    /// `input`, `cached-input`, `written-input`, `output`.
    #[serde(flatten)]
    pub rates: BTreeMap<String, f64>,
}

impl PriceSection {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::One(rates) => rates.is_empty(),
            Self::Dated(dated) => dated.is_empty(),
        }
    }
}

/// `[gate]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GateSection {
    /// Probes generated for each function, beside those taken from the upstream's tests. Default: 300.
    pub probes: Option<u32>,
    /// Whether the upstream's own tests are run, once for the same sources, to take the calls that they make as probes.
    /// Default: true.
    pub record_calls: Option<bool>,
    /// The port's own tests.
    #[serde(default)]
    pub tests: TestsSection,
    /// The port's speed, before and after.
    #[serde(default)]
    pub timing: TimingSection,
}

/// `[gate.tests]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TestsSection {
    /// The command, run at the root of the repository. Default: `python3 -m unittest discover -v -s tests -t .`
    /// where there is a folder `tests`. An empty list means that there are none.
    pub command: Option<Vec<String>>,
    /// The longest they may take, in seconds. Default: 600.
    pub timeout_s: Option<u64>,
}

/// `[gate.timing]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TimingSection {
    /// Whether the candidate is timed against the port before it. Default: true.
    pub enabled: Option<bool>,
    /// Proof of being slower by more than this share refuses a candidate: 0.25 means 25 %. Default: 0.25.
    pub harm_margin: Option<f64>,
    /// The most interleaved pairs to run. Default: 20.
    pub pairs_max: Option<u32>,
}

/// Where work lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LandChoice {
    /// On the local branch.
    Branch,
    /// On the local branch, which is pushed.
    Push,
    /// Where a pull request is merged.
    PullRequest,
}

/// `[land]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LandSection {
    /// Where work lands: on the `branch` of `[port]` here, by a `push` of it to the forge as well, or by a
    /// `pull-request`. The last two need `[forge]`. Default: `branch`.
    pub mode: Option<LandChoice>,
    /// Who the commits are by, as `Name <address>`. Default: `Tidelock <tidelock@localhost>`.
    pub author: Option<String>,
}

/// `[sandbox]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SandboxSection {
    /// Whether to refuse to run foreign code where it cannot be confined. Default: true.
    pub require: Option<bool>,
    /// The longest a build of the upstream may take, in seconds. Default: 900.
    pub build_timeout_s: Option<u64>,
    /// The most that one build, test run or benchmark may write to the disk, in MiB; and never more than nine tenths of
    /// what is free. Default: 16384.
    pub disk_mib: Option<u64>,
}
