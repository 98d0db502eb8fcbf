//! The configuration, checked and complete: what the rest of the program reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mappings::mapping::MappingConfig;
use mappings::{Decisions, Mapping};
use port::contract::sessions::Session;
use port::sandbox::DISK_BYTES_MAX;
use port::translate::limits::GatewayLimits;
use port::translate::price::BATCH_PRICE_SHARE;
use upstream::ContentHash;
use upstream::clock::Clock as _;
use upstream::source::{Follow, History, InvalidSource, SourceSpec, TagOrder};

use super::alert;
use super::bench::{self, BenchSettings, ObjectiveSettings};
use super::budget;
use super::building::{self, BuildSettings, EnvironmentSettings};
use super::diagnostic::ConfigError;
use super::file::{
    BatchSection, BatchTerms, ConfigFile, HistoryChoice, LandChoice, ModelKind, ModelSection, TagOrderChoice,
};
use super::forge::{self, ForgeSettings};
use super::parity;
use super::price::Prices;
use super::runtime::{self, RuntimeSettings};
use super::session;
use super::span::span_of;
use super::watch;
use crate::budget::Budget;
use crate::daemon::Rhythm;
use crate::daemon::notify::AlertPlan;

/// The format of `tidelock.toml` that this program reads.
pub const CONFIG_VERSION: u32 = 1;

/// The most requests under way where nothing is configured.
const AT_ONCE_DEFAULT: usize = 8;

/// The most that can be configured: each takes a thread.
const AT_ONCE_MAX: usize = 64;

/// The most candidates for one unit: there are so many ways to look at a task in the prompts.
const CANDIDATES_MAX: u32 = 4;

/// From how many signs on a unit is risky where nothing is configured.
const RISKS_MIN_DEFAULT: u32 = 2;

/// Several candidates for risky units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BestOf {
    /// How many.
    pub candidates: u32,
    /// From how many signs on a unit is risky.
    pub risks_min: u32,
}

impl BestOf {
    /// How many candidates a unit with these signs is worth.
    pub fn candidates_for(self, risks: &[&str]) -> u32 {
        let is_risky = u32::try_from(risks.len()).unwrap_or(u32::MAX) >= self.risks_min;
        if is_risky { self.candidates } else { 1 }
    }
}

/// A translator of the chain, by what it is.
#[derive(Debug, Clone, PartialEq)]
pub enum ChainEntry {
    /// The new contract against the old port.
    VerifyFirst,
    /// The deterministic rules.
    Rules,
    /// The translation memory.
    Memory,
    /// Whole items translated by rule.
    Items,
    /// A model.
    Model(Box<ModelSettings>),
}

/// A model, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSettings {
    /// Its name in reports.
    pub name: String,
    /// How it is reached.
    pub access: ModelAccess,
    /// The most it may answer, in tokens.
    pub output_tokens_max: u32,
    /// The longest it may take, in seconds.
    pub timeout_s: u64,
    /// Attempts at one unit, repairs included.
    pub attempts_max: u32,
    /// Whether answers come as a stream.
    pub stream: bool,
    /// The most requests under way with its provider; 0 for any number.
    pub at_once_max: usize,
    /// The most requests in a minute; 0 for any number.
    pub per_minute_max: usize,
    /// What its tokens cost, and from when on.
    pub price: Prices,
    /// Whether it is asked by batches.
    pub batch: Option<BatchSettings>,
}

/// How a model is asked by batches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchSettings {
    /// What a request costs, as a share of its price by itself.
    pub price_share: f64,
}

/// How a model is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelAccess {
    /// A command.
    Command {
        /// The program and its arguments.
        command: Vec<String>,
        /// Environment variables that it may see.
        environment: Vec<String>,
    },
    /// A server that speaks `OpenAI` Chat Completions.
    Chat {
        /// Its address.
        base_url: String,
        /// The model's name.
        model: String,
        /// The variable that holds the key, where one is needed.
        api_key_env: Option<String>,
    },
    /// A server that speaks `OpenAI` Responses.
    Responses {
        /// Its address.
        base_url: String,
        /// The model's name.
        model: String,
        /// The variable that holds the key, where one is needed.
        api_key_env: Option<String>,
    },
    /// A server that speaks Anthropic Messages.
    Anthropic {
        /// Its address, if it is not the provider's own.
        base_url: Option<String>,
        /// The model's name.
        model: String,
        /// The variable that holds the key.
        api_key_env: String,
    },
    /// A folder in which prompts wait for their answers.
    Inbox {
        /// The folder; by default one in the state folder.
        folder: Option<PathBuf>,
    },
    /// A folder of recorded answers.
    Replay {
        /// The folder.
        folder: PathBuf,
    },
}

/// The configuration of one port.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of `tidelock.toml`: the root of the port's repository.
    pub root: PathBuf,
    /// The folder of the local state.
    pub state: PathBuf,
    /// A hash of everything that was configured.
    pub digest: ContentHash,
    /// The upstream.
    pub source: SourceSpec,
    /// The port's name.
    pub port: String,
    /// The port's language.
    pub language: String,
    /// The folder that the language imports from, below the root; empty for the root.
    pub source_root: String,
    /// The branch that work lands on; the one that is checked out where it is `None`.
    pub branch: Option<String>,
    /// How the upstream is built.
    pub build: BuildSettings,
    /// What the port's code runs with.
    pub environment: EnvironmentSettings,
    /// The style guide's text.
    pub style: String,
    /// Where the runtime module stands.
    pub runtime: RuntimeSettings,
    /// The folder of the port's own templates of prompts, which need not be there.
    pub prompts: PathBuf,
    /// What belongs to what.
    pub mapping: Mapping,
    /// Variables that switch the port's extensions off while it is compared.
    pub parity: BTreeMap<String, String>,
    /// What people decided about upstream changes.
    pub decisions: Decisions,
    /// The translators, in order.
    pub chain: Vec<ChainEntry>,
    /// The most requests under way with all models together.
    pub at_once_max: usize,
    /// Several candidates for risky units.
    pub best_of: BestOf,
    /// What models may cost.
    pub budget: Budget,
    /// The folders of translation memory.
    pub memory: Vec<PathBuf>,
    /// Whether the upstream's tests are run to record what they call.
    pub record_calls: bool,
    /// Probes generated for each function.
    pub probes: u32,
    /// The port's own tests; empty where there are none.
    pub tests: Vec<String>,
    /// The longest the tests may take, in seconds.
    pub tests_timeout_s: u64,
    /// The timing of the candidate, where it is wanted.
    pub timing: Option<TimingSettings>,
    /// Programs that are run on both sides.
    pub sessions: Vec<Session>,
    /// The benchmarks.
    pub benches: Vec<BenchSettings>,
    /// How candidates that passed them are ranked.
    pub objective: ObjectiveSettings,
    /// Who the commits are by.
    pub author: Author,
    /// Where work lands.
    pub land: LandMode,
    /// The forge, where there is one.
    pub forge: Option<ForgeSettings>,
    /// Whether to refuse to run foreign code where it cannot be confined.
    pub sandbox_required: bool,
    /// The longest a build of the upstream may take, in seconds.
    pub build_timeout_s: u64,
    /// The most that a confined process may write to the disk, in bytes.
    pub disk_bytes_max: u64,
    /// When `watch` looks.
    pub rhythm: Rhythm,
    /// What is told about the port, and to whom.
    pub alert: Arc<AlertPlan>,
}

/// Where work lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LandMode {
    /// On the local branch.
    Branch,
    /// On the local branch, which is pushed.
    Push,
    /// Where a pull request is merged.
    PullRequest,
}

/// How a candidate is timed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimingSettings {
    /// Proof of being slower by more than this share refuses.
    pub harm_margin: f64,
    /// The most interleaved pairs to run.
    pub pairs_max: u32,
}

/// Who a commit is by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// Checks a parsed file; `text` is what it was parsed from.
pub(super) fn resolve(
    path: &Path,
    text: &str,
    file: &ConfigFile,
    state: Option<PathBuf>,
) -> Result<Settings, ConfigError> {
    let check = Check { path, text, root: path.parent().unwrap_or(Path::new(".")) };
    check.version(file)?;
    let root = check.root.to_owned();
    let folder_name = root.file_name().map(|name| name.to_string_lossy().into_owned());
    let convention_root = file.convention.as_ref().map(|convention| convention.root.clone());
    let tests = &file.gate.tests;
    let timing = &file.gate.timing;
    let state = state.unwrap_or_else(|| root.join(".tidelock"));
    Ok(Settings {
        alert: Arc::new(check.alert(file, &state)?),
        state,
        digest: ContentHash::of(text),
        source: check.source(file)?,
        port: file.port.name.clone().or(folder_name).unwrap_or_else(|| "port".to_owned()),
        language: check.language(file)?,
        source_root: file.port.source_root.clone().or(convention_root).unwrap_or_default(),
        branch: file.port.branch.clone(),
        build: building::build(&file.upstream.build)
            .map_err(|(key, message, help)| check.error(&["upstream", "build", key], message, help))?,
        environment: building::environment(&file.port.environment, check.root)
            .map_err(|(key, message, help)| check.error(&["port", "environment", key], message, help))?,
        style: check.style(file)?,
        runtime: runtime::resolve(file.port.runtime.as_ref(), file.convention.as_ref(), check.root)
            .map_err(|(message, help)| check.error(&["port", "runtime"], message, help))?,
        prompts: root.join("prompts"),
        mapping: check.mapping(file)?,
        parity: check.parity(file)?,
        decisions: check.decisions(file)?,
        chain: check.chain(file)?,
        at_once_max: check.at_once_max(file)?,
        best_of: check.best_of(file)?,
        budget: check.budget(file)?,
        memory: check.memory(file)?,
        record_calls: file.gate.record_calls.unwrap_or(true),
        probes: file.gate.probes.unwrap_or(300),
        tests: tests.command.clone().unwrap_or_else(|| default_tests(&root)),
        tests_timeout_s: tests.timeout_s.unwrap_or(600),
        timing: timing.enabled.unwrap_or(true).then(|| TimingSettings {
            harm_margin: timing.harm_margin.unwrap_or(0.25),
            pairs_max: timing.pairs_max.unwrap_or(20),
        }),
        sessions: session::resolve(&file.session, check.root)
            .map_err(|wrong| check.below("session", wrong))?,
        benches: check.benches(file)?,
        objective: check.objective(file)?,
        land: check.land(file)?,
        forge: check.forge(file)?,
        author: check.author(file)?,
        sandbox_required: file.sandbox.require.unwrap_or(true),
        build_timeout_s: file.sandbox.build_timeout_s.unwrap_or(900),
        disk_bytes_max: file.sandbox.disk_mib.map_or(DISK_BYTES_MAX, |mib| mib.saturating_mul(1 << 20)),
        rhythm: check.rhythm(file)?,
        root,
    })
}

fn default_tests(root: &Path) -> Vec<String> {
    if !root.join("tests").is_dir() {
        return Vec::new();
    }
    ["python3", "-m", "unittest", "discover", "-v", "-s", "tests", "-t", "."].map(str::to_owned).to_vec()
}

/// The file under check, so that every complaint can show its place.
pub(super) struct Check<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    /// What paths in the file begin at.
    pub(super) root: &'a Path,
}

impl Check<'_> {
    pub(super) fn error(
        &self,
        keys: &[&str],
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> ConfigError {
        ConfigError::at(self.path, self.text, span_of(self.text, keys), message, help)
    }

    fn version(&self, file: &ConfigFile) -> Result<(), ConfigError> {
        if file.version == CONFIG_VERSION {
            return Ok(());
        }
        let message =
            format!("this file has format {}, and this program reads {CONFIG_VERSION}", file.version);
        Err(self.error(
            &["version"],
            message,
            format!("write `version = {CONFIG_VERSION}`, or update Tidelock"),
        ))
    }

    fn source(&self, file: &ConfigFile) -> Result<SourceSpec, ConfigError> {
        let section = &file.upstream;
        match (&section.registry, &section.git) {
            (Some(krate), None) => Ok(SourceSpec::Registry {
                krate: krate.clone(),
                pre_releases: section.pre_releases.unwrap_or(false),
            }),
            (None, Some(url)) => {
                let follow = match (&section.branch, &section.tags) {
                    (None, None) => Follow::DefaultBranch,
                    (Some(branch), None) => Follow::Branch(branch.clone()),
                    (None, Some(pattern)) => Follow::Tags {
                        pattern: pattern.clone(),
                        order: match section.tag_order {
                            Some(TagOrderChoice::Date) => TagOrder::Date,
                            Some(TagOrderChoice::Version) | None => TagOrder::Version,
                        },
                        pre_releases: section.pre_releases.unwrap_or(true),
                    },
                    (Some(_), Some(_)) => {
                        let message = "`branch` and `tags` are both given";
                        return Err(self.error(&["upstream", "tags"], message, "follow one of them"));
                    }
                };
                let history = match section.history {
                    Some(HistoryChoice::Full) => History::Full,
                    Some(HistoryChoice::FirstParent) | None => History::FirstParent,
                };
                let source = SourceSpec::Git { url: url.clone(), follow, history };
                // Read back, so that what the lock could not hold is refused here.
                source.to_string().parse().map_err(|error: InvalidSource| {
                    self.error(
                        &["upstream", "git"],
                        error.reason,
                        "write an address or a path that `git clone` takes",
                    )
                })
            }
            (Some(_), Some(_)) => Err(self.error(
                &["upstream", "git"],
                "`registry` and `git` are both given",
                "follow one of them",
            )),
            (None, None) => Err(self.error(
                &["upstream"],
                "nothing to follow",
                "write `registry = \"CRATE\"` or `git = \"ADDRESS OR PATH\"`",
            )),
        }
    }

    fn language(&self, file: &ConfigFile) -> Result<String, ConfigError> {
        if file.port.language == "python" {
            return Ok(file.port.language.clone());
        }
        let message = format!("`{}` is not a language that Tidelock can write", file.port.language);
        Err(self.error(&["port", "language"], message, "write `language = \"python\"`"))
    }

    fn style(&self, file: &ConfigFile) -> Result<String, ConfigError> {
        let named = file.port.style.as_deref();
        let path = self.root.join(named.unwrap_or("STYLE.md"));
        match (std::fs::read_to_string(&path), named) {
            (Ok(text), _) => Ok(text),
            (Err(_absent), None) => Ok(String::new()),
            (Err(error), Some(name)) => Err(self.error(
                &["port", "style"],
                format!("cannot read the style guide `{name}`: {error}"),
                "name a text file of the repository, or take this line out",
            )),
        }
    }

    fn mapping(&self, file: &ConfigFile) -> Result<Mapping, ConfigError> {
        let config = MappingConfig {
            convention: file.convention.clone(),
            map: file.map.clone(),
            link: file.link.clone(),
            extension: file.extension.clone(),
        };
        for (at, link) in file.link.iter().enumerate() {
            self.mapped_file(&["link", &at.to_string(), "file"], &link.file)?;
        }
        for (at, rule) in file.map.iter().enumerate() {
            if let Some(mapped) = rule.file.as_deref().filter(|mapped| !mapped.contains('{')) {
                self.mapped_file(&["map", &at.to_string(), "file"], mapped)?;
            }
        }
        Mapping::new(config).map_err(|error| {
            let (table, number) = place_of(&error.to_string());
            self.error(&[table, &number], error.to_string(), "see docs/configuration.md for what it may say")
        })
    }

    /// The variables of parity mode, which must switch every flag of an extension.
    fn parity(&self, file: &ConfigFile) -> Result<BTreeMap<String, String>, ConfigError> {
        parity::check(&file.parity)
            .map_err(|(message, help)| self.error(&["parity", "environment"], message, help))?;
        let environment = file.parity.environment.clone();
        for (at, extension) in file.extension.iter().enumerate() {
            if let Some(flag) = extension.flag.as_ref().filter(|flag| !environment.contains_key(*flag)) {
                let message = format!("parity mode does not switch `{flag}`");
                let help = format!("write `environment = {{ {flag} = \"…\" }}` in `[parity]`");
                return Err(self.error(&["extension", &at.to_string(), "flag"], message, help));
            }
        }
        Ok(environment)
    }

    fn decisions(&self, file: &ConfigFile) -> Result<Decisions, ConfigError> {
        Decisions::new(&file.decision).map_err(|error| {
            let at = error.number.saturating_sub(1).to_string();
            self.error(&["decision", &at, error.key], error.to_string(), error.help)
        })
    }

    /// A file that a rule names outright must be there; one made from a template may be new.
    fn mapped_file(&self, keys: &[&str], mapped: &str) -> Result<(), ConfigError> {
        if self.root.join(mapped).is_file() {
            return Ok(());
        }
        let message = format!("there is no file `{mapped}` in the port");
        Err(self.error(keys, message, "name a file of the port, or create it (an empty one will do)"))
    }

    pub(super) fn chain(&self, file: &ConfigFile) -> Result<Vec<ChainEntry>, ConfigError> {
        let models = file
            .translate
            .model
            .iter()
            .enumerate()
            .map(|(at, section)| self.model(at, section))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(names) = &file.translate.chain else {
            let fixed = [ChainEntry::VerifyFirst, ChainEntry::Rules, ChainEntry::Memory];
            return Ok(fixed.into_iter().chain(models.into_iter().map(boxed)).collect());
        };
        names
            .iter()
            .enumerate()
            .map(|(at, name)| match name.as_str() {
                "verify-first" => Ok(ChainEntry::VerifyFirst),
                "rules" => Ok(ChainEntry::Rules),
                "memory" => Ok(ChainEntry::Memory),
                "items" => Ok(ChainEntry::Items),
                other => {
                    models.iter().find(|model| model.name == other).cloned().map(boxed).ok_or_else(|| {
                        self.error(
                            &["translate", "chain", &at.to_string()],
                            format!("there is no translator `{other}`"),
                            "write `verify-first`, `rules`, `memory`, `items` or the name of a `[[translate.model]]`",
                        )
                    })
                }
            })
            .collect()
    }

    pub(super) fn at_once_max(&self, file: &ConfigFile) -> Result<usize, ConfigError> {
        match file.translate.at_once_max {
            None => Ok(AT_ONCE_DEFAULT),
            Some(most @ 1..=AT_ONCE_MAX) => Ok(most),
            Some(other) => Err(self.error(
                &["translate", "at-once-max"],
                format!("{other} requests at once cannot be"),
                format!("write a number from 1 to {AT_ONCE_MAX}"),
            )),
        }
    }

    pub(super) fn best_of(&self, file: &ConfigFile) -> Result<BestOf, ConfigError> {
        let section = file.translate.best_of;
        match section.candidates.unwrap_or(1) {
            candidates @ 1..=CANDIDATES_MAX => {
                Ok(BestOf { candidates, risks_min: section.risks_min.unwrap_or(RISKS_MIN_DEFAULT) })
            }
            other => Err(self.error(
                &["translate", "best-of", "candidates"],
                format!("{other} candidates cannot be"),
                format!("write a number from 1 to {CANDIDATES_MAX}"),
            )),
        }
    }

    pub(super) fn budget(&self, file: &ConfigFile) -> Result<Budget, ConfigError> {
        budget::budget(&file.translate)
            .map_err(|fault| self.error(&["translate", "budget", &fault.key], fault.message, fault.help))
    }

    fn model(&self, at: usize, section: &ModelSection) -> Result<ModelSettings, ConfigError> {
        let at = at.to_string();
        let keys = ["translate", "model", at.as_str()];
        let missing = |key: &str| {
            let message = format!("the model `{}` needs `{key}`", section.name);
            self.error(&keys, message, format!("add `{key} = …`"))
        };
        let price = Prices::of(&section.price).map_err(|message| {
            let keys = ["translate", "model", at.as_str(), "price"];
            self.error(
                &keys,
                format!("`{}`: {message}", section.name),
                "write `price = { input = 2.0, output = 10.0 }`, or a list of such tables, each with `from`",
            )
        })?;
        let model = || section.model.clone().ok_or_else(|| missing("model"));
        let access = match section.kind {
            ModelKind::Command if section.command.is_empty() => return Err(missing("command")),
            ModelKind::Command => ModelAccess::Command {
                command: section.command.clone(),
                environment: section.environment.clone(),
            },
            ModelKind::Chat => ModelAccess::Chat {
                base_url: section.base_url.clone().ok_or_else(|| missing("base-url"))?,
                model: model()?,
                api_key_env: section.api_key_env.clone(),
            },
            ModelKind::Responses => ModelAccess::Responses {
                base_url: section.base_url.clone().ok_or_else(|| missing("base-url"))?,
                model: model()?,
                api_key_env: section.api_key_env.clone(),
            },
            ModelKind::Anthropic => ModelAccess::Anthropic {
                base_url: section.base_url.clone(),
                model: model()?,
                api_key_env: section.api_key_env.clone().ok_or_else(|| missing("api-key-env"))?,
            },
            ModelKind::Inbox => {
                ModelAccess::Inbox { folder: section.folder.as_deref().map(|folder| self.root.join(folder)) }
            }
            ModelKind::Replay => {
                let folder = section.folder.as_deref().ok_or_else(|| missing("folder"))?;
                ModelAccess::Replay { folder: self.root.join(folder) }
            }
        };
        let batch = batch(section).map_err(|(message, help)| {
            self.error(&["translate", "model", at.as_str(), "batch"], message, help)
        })?;
        Ok(ModelSettings {
            batch,
            name: section.name.clone(),
            access,
            output_tokens_max: section.output_tokens_max.unwrap_or(8192),
            timeout_s: section.timeout_s.unwrap_or(300),
            attempts_max: section.attempts_max.unwrap_or(3),
            stream: section.stream.unwrap_or(true),
            at_once_max: section.at_once_max.unwrap_or(GatewayLimits::default().at_once_max),
            per_minute_max: section.per_minute_max.unwrap_or(0),
            price,
        })
    }

    pub(super) fn memory(&self, file: &ConfigFile) -> Result<Vec<PathBuf>, ConfigError> {
        let Some(folders) = &file.translate.memory else {
            let usual = self.root.join("memory");
            return Ok(usual.is_dir().then_some(usual).into_iter().collect());
        };
        folders
            .iter()
            .enumerate()
            .map(|(at, folder)| {
                let path = self.root.join(folder);
                let keys = ["translate", "memory", &at.to_string()];
                if path.is_dir() {
                    Ok(path)
                } else {
                    let message = format!("there is no folder `{folder}` in the port");
                    Err(self.error(&keys, message, "create it, or take this entry out"))
                }
            })
            .collect()
    }

    fn benches(&self, file: &ConfigFile) -> Result<Vec<BenchSettings>, ConfigError> {
        let mut benches = bench::resolve(&file.bench).map_err(|(at, key, message, help)| {
            self.error(&["bench", &at.to_string(), key], message, help)
        })?;
        for bench in &mut benches {
            // What a benchmark says itself wins.
            let [_, own, _] = &mut bench.environment;
            let all = file.parity.environment.clone().into_iter().chain(std::mem::take(own));
            *own = all.collect();
        }
        Ok(benches)
    }

    fn objective(&self, file: &ConfigFile) -> Result<ObjectiveSettings, ConfigError> {
        bench::objective(&file.bench_objective)
            .map_err(|(key, message, help)| self.error(&["bench-objective", key], message, help))
    }

    fn alert(&self, file: &ConfigFile, state: &Path) -> Result<AlertPlan, ConfigError> {
        let (thresholds, channels) =
            alert::resolve(&file.alert).map_err(|wrong| self.below("alert", wrong))?;
        Ok(AlertPlan { thresholds, channels, root: self.root.to_owned(), state: state.to_owned() })
    }

    fn below(&self, section: &str, (keys, message, help): watch::Wrong) -> ConfigError {
        let keys: Vec<&str> = [section].into_iter().chain(keys.iter().map(String::as_str)).collect();
        self.error(&keys, message, help)
    }

    fn land(&self, file: &ConfigFile) -> Result<LandMode, ConfigError> {
        let mode = match file.land.mode {
            Some(LandChoice::Branch) | None => return Ok(LandMode::Branch),
            Some(LandChoice::Push) => LandMode::Push,
            Some(LandChoice::PullRequest) => LandMode::PullRequest,
        };
        let missing = match &file.forge {
            None => Some("there is no `[forge]`"),
            Some(forge) if mode == LandMode::PullRequest && forge.kind.is_none() => {
                Some("`[forge]` does not say what `kind` it is")
            }
            Some(_) => None,
        };
        match missing {
            None => Ok(mode),
            Some(missing) => Err(self.error(
                &["land", "mode"],
                format!("work is to land at a forge, and {missing}"),
                "docs/pull-requests.md shows the section for each forge",
            )),
        }
    }

    fn forge(&self, file: &ConfigFile) -> Result<Option<ForgeSettings>, ConfigError> {
        let Some(section) = &file.forge else { return Ok(None) };
        let email = self.author(file)?.email;
        let settings = forge::resolve(section, file.port.branch.as_deref(), &email);
        settings.map(Some).map_err(|wrong| self.below("forge", wrong))
    }

    fn rhythm(&self, file: &ConfigFile) -> Result<Rhythm, ConfigError> {
        // Whether a schedule ever comes does not depend on the second at which that is asked.
        let now_ms = upstream::clock::SystemClock.now_ms();
        watch::resolve(&file.watch, now_ms).map_err(|wrong| self.below("watch", wrong))
    }

    fn author(&self, file: &ConfigFile) -> Result<Author, ConfigError> {
        let text = file.land.author.as_deref().unwrap_or("Tidelock <tidelock@localhost>");
        let parsed = text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<'));
        match parsed.map(|(name, email)| (name.trim(), email.trim())) {
            Some((name, email)) if !name.is_empty() && !email.is_empty() => {
                Ok(Author { name: name.to_owned(), email: email.to_owned() })
            }
            Some(_) | None => Err(self.error(
                &["land", "author"],
                format!("`{text}` is not an author"),
                "write `author = \"Name <address>\"`",
            )),
        }
    }
}

/// Whether a model is asked by batches; else what is wrong, and what to write.
fn batch(section: &ModelSection) -> Result<Option<BatchSettings>, (String, &'static str)> {
    let share = match section.batch {
        BatchSection::Switch(false) => return Ok(None),
        BatchSection::Switch(true) => None,
        BatchSection::Terms(BatchTerms { price_share }) => price_share,
    };
    match section.kind {
        ModelKind::Chat | ModelKind::Responses | ModelKind::Anthropic => {}
        ModelKind::Command | ModelKind::Inbox | ModelKind::Replay => {
            let message = format!("`{}` has no interface for batches", section.name);
            return Err((message, "take `batch` out: it is for `chat`, `responses` and `anthropic`"));
        }
    }
    let price_share = share.unwrap_or(BATCH_PRICE_SHARE);
    if price_share.is_finite() && (0.0..=1.0).contains(&price_share) {
        return Ok(Some(BatchSettings { price_share }));
    }
    Err((format!("{price_share} is no share of a price"), "write a number from 0 to 1, such as 0.5"))
}

fn boxed(model: ModelSettings) -> ChainEntry {
    ChainEntry::Model(Box::new(model))
}

/// The table and the index, from 0, of the entry that a mapping error begins with: `[[map]] 2: …`.
fn place_of(message: &str) -> (&'static str, String) {
    let table =
        ["map", "link", "extension"].into_iter().find(|table| message.starts_with(&format!("[[{table}]]")));
    let number = message
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.trim_end_matches(':').parse::<usize>().ok())
        .unwrap_or(1);
    (table.unwrap_or("convention"), number.saturating_sub(1).to_string())
}
