//! The upstream as an oracle: built once for a set of items, asked as often as one likes.
//!
//! Main type: [`Oracle`]. What it answered is kept on disk and may be deleted at any time. Foreign code is
//! built and run behind the confinement only; what comes before that is fetching, without running any.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use upstream::process::Invocation;
use upstream::{ContentHash, Item, ItemPath, Snapshot};

use super::ContractError;
use super::build::{Build, DRIVER_NAME, read_record};
use super::conversation::{Answer, Conversation, Driver, Question, Tools, converse};
use super::pools::Probe;
use super::probeable::{ProbePlan, plan_items};
use super::rust_driver::TEMPLATE;
use super::value::Outcome;
use crate::confinement::Access;

/// How many probes of each function are asked twice, to see whether it answers alike.
const ASKED_TWICE: usize = 24;
/// Part of every key: raise it where the meaning of what is kept changes.
const KEPT_VERSION: &str = "4";

/// The Rust tools to build with.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// The `cargo` program.
    pub cargo: OsString,
    /// Its environment beside `PATH`: where the toolchain and Cargo's own files are.
    pub environment: BTreeMap<OsString, OsString>,
    /// What a build may read beside the source: the toolchain, fetched crates.
    pub access: Access,
    /// What tells this toolchain from another one, such as the first line of `rustc -vV`.
    pub key: String,
}

/// How the upstream is built: part of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildProfile {
    /// Whether arithmetic that overflows panics, and debug assertions are checked.
    pub overflow_checks: bool,
    /// Features of the package to switch on.
    pub features: Vec<String>,
    /// Whether its default features are on.
    pub default_features: bool,
    /// Whether a lock file of the upstream's has to fit its manifests.
    pub locked: bool,
}

impl Default for BuildProfile {
    fn default() -> Self {
        Self { overflow_checks: true, features: Vec::new(), default_features: true, locked: true }
    }
}

/// Counts which blocks of the items' code are reached; made from the upstream crate's instrumentation.
pub trait Instrument: std::fmt::Debug {
    /// The file's text with a counter in each block of these items, the first with this id; `None` where
    /// the file cannot be instrumented.
    fn instrument(
        &self,
        source: &str,
        edition: &str,
        items: &[&Item],
        first_id: u32,
    ) -> Option<InstrumentedFile>;
    /// The module that so many counters call, as text to be put at the end of the crate's root file.
    fn runtime(&self, blocks: usize) -> String;
    /// A statement that forgets what was reached, as seen from another crate; `$` as in [`Self::reached`].
    fn reset(&self) -> String;
    /// An expression of type `Vec<u32>` with the ids reached so far, as seen from another crate, where `$`
    /// stands for the library's name: `::$::module::reached()`.
    fn reached(&self) -> String;
    /// An expression of type `String` with the calls that were made so far, as JSON, `$` as in
    /// [`Self::reached`]; `None` where calls are not traced.
    fn calls(&self) -> Option<String> {
        None
    }
}

/// A file with counters.
#[derive(Debug, Clone)]
pub struct InstrumentedFile {
    /// Its text.
    pub text: String,
    /// The counters: id and the item whose code it is in.
    pub blocks: Vec<(u32, ItemPath)>,
}

/// What an oracle is made of.
#[derive(Debug, Clone, Copy)]
pub struct OracleRequest<'a> {
    /// The upstream's tree at the revision, exported into a folder; it is read only.
    pub source: &'a Path,
    /// What tells this tree from another: the id of the git tree.
    pub source_key: &'a str,
    /// The items of that tree.
    pub snapshot: &'a Snapshot,
    /// The package that holds the items.
    pub package: &'a upstream::snapshot::Package,
    /// The library's root file from the package's folder, such as `src/lib.rs`.
    pub library_root: &'a str,
    /// The items to ask about.
    pub items: &'a [ItemPath],
    /// Paths of items that are re-exported from private modules.
    pub public_paths: &'a BTreeMap<ItemPath, String>,
    /// How to build it.
    pub profile: &'a BuildProfile,
    /// Counts what is reached, where that is wanted.
    pub instrument: Option<&'a dyn Instrument>,
    /// What to build with.
    pub toolchain: &'a Toolchain,
    /// Where to keep what can be made again.
    pub cache_dir: &'a Path,
}

/// An upstream that answers.
#[derive(Debug, Clone)]
pub struct Oracle {
    key: ContentHash,
    driver: PathBuf,
    kept: PathBuf,
    plan: ProbePlan,
    blocks: Vec<(u32, ItemPath)>,
    uncounted: Option<String>,
}

/// What preparing came to.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// It answers.
    Ready(Oracle),
    /// It does not build: nothing can be said about any port.
    SourceBlocked {
        /// The compiler's last lines.
        reason: String,
    },
}

/// What the oracle said to some probes.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    /// The outcomes in the order of the probes.
    pub outcomes: Vec<Outcome>,
    /// Ids of the blocks that each probe reached.
    pub reached: Vec<BTreeSet<u32>>,
}

impl Oracle {
    /// Builds the oracle, or takes the one that was built before from the same content.
    pub fn prepare(tools: &Tools<'_>, request: &OracleRequest<'_>) -> Result<Prepared, ContractError> {
        let plan = plan_items(request.snapshot, request.items, request.public_paths);
        let key = request.key(&plan);
        let folder = request.cache_dir.join("oracles").join(key.to_string());
        let kept = request.cache_dir.join("observations").join(key.to_string());
        let record = folder.join("oracle.json");
        if plan.functions.is_empty() {
            // Nothing to ask: there is no need to build anything.
            return Ok(Prepared::Ready(Self {
                key,
                driver: folder.join("driver"),
                kept,
                plan,
                blocks: Vec::new(),
                uncounted: None,
            }));
        }
        let built = if let Some(built) = read_record(&record) {
            built
        } else {
            let built = Build { tools, request, plan: &plan, name: format!("{DRIVER_NAME}-{}", key.short()) }
                .run(&folder)?;
            write_atomically(&record, &built.to_json())?;
            built
        };
        if let Some(reason) = built.blocked {
            return Ok(Prepared::SourceBlocked { reason });
        }
        let mut plan = plan;
        plan.exclude(&built.excluded);
        Ok(Prepared::Ready(Self {
            key,
            driver: folder.join("driver"),
            kept,
            plan,
            blocks: built.blocks,
            uncounted: built.uncounted,
        }))
    }

    /// The ways to call that it knows, and the items that cannot be probed.
    pub fn plan(&self) -> &ProbePlan {
        &self.plan
    }

    /// Why it was built without what it was to be instrumented with, where it was: it answers, and tells no more.
    pub fn uncounted(&self) -> Option<&str> {
        self.uncounted.as_deref()
    }

    /// What tells it from another oracle.
    pub fn key(&self) -> ContentHash {
        self.key
    }

    /// The blocks of an item's code.
    pub(super) fn blocks_of(&self, item: &ItemPath) -> BTreeSet<u32> {
        self.blocks.iter().filter(|(_, of)| of == item).map(|(id, _)| *id).collect()
    }

    /// The functions whose calls are traced, by number, where it was built for that.
    pub(super) fn traced(&self) -> &[(u32, ItemPath)] {
        &self.blocks
    }

    /// The calls below each of these probes.
    pub(super) fn trace(&self, tools: &Tools<'_>, probes: &[Probe]) -> Result<Vec<Json>, ContractError> {
        Ok(self.converse(tools, probes)?.traced)
    }

    /// Asks all probes, or reads what was answered to the same ones before.
    pub(super) fn observe(&self, tools: &Tools<'_>, probes: &[Probe]) -> Result<Observed, ContractError> {
        if probes.is_empty() {
            return Ok(Observed::default());
        }
        let file = self.kept_at(tools, probes);
        if let Some(observed) = read_observed(&file, probes.len()) {
            return Ok(observed);
        }
        let observed = self.ask(tools, probes)?;
        // A hang may have been the machine's: it is not remembered.
        if !observed.outcomes.contains(&Outcome::Timeout) {
            observed.write(&file)?;
        }
        Ok(observed)
    }

    /// Asks several lists of probes at once, and keeps what is answered to each. What ends a driver in one list would
    /// be told of the others as well, and what is unstable must be found in each: where any answer is not plain,
    /// nothing is kept, and a function that is in two lists is asked about in two processes.
    pub(super) fn observe_ahead(&self, tools: &Tools<'_>, lists: &[Vec<Probe>]) -> Result<(), ContractError> {
        let mut open: Vec<&[Probe]> = lists.iter().map(Vec::as_slice).collect();
        open.retain(|list| {
            !list.is_empty() && read_observed(&self.kept_at(tools, list), list.len()).is_none()
        });
        while !open.is_empty() {
            let mut seen = BTreeSet::new();
            let (now, later): (Vec<_>, Vec<_>) = open.into_iter().partition(|list| {
                let functions: BTreeSet<usize> = list.iter().map(|probe| probe.function).collect();
                let is_new = seen.is_disjoint(&functions);
                if is_new {
                    seen.extend(functions);
                }
                is_new
            });
            let mut observed = self.ask(tools, &now.concat())?;
            if observed.outcomes.iter().all(is_plain) {
                for list in now {
                    let rest = Observed {
                        outcomes: observed.outcomes.split_off(list.len()),
                        reached: observed.reached.split_off(list.len()),
                    };
                    observed.write(&self.kept_at(tools, list))?;
                    observed = rest;
                }
            }
            open = later;
        }
        Ok(())
    }

    /// Where the answers to a list of probes are kept.
    fn kept_at(&self, tools: &Tools<'_>, probes: &[Probe]) -> PathBuf {
        let parts = probes.iter().map(|probe| format!("{} {}", probe.function, arguments_json(probe)));
        let limit = format!("{} {}", KEPT_VERSION, tools.probe_timeout_ms);
        let name = ContentHash::of_parts(parts.chain([limit]));
        self.kept.join(format!("{name}.json"))
    }

    fn ask(&self, tools: &Tools<'_>, probes: &[Probe]) -> Result<Observed, ContractError> {
        let mut observed = self.ask_once(tools, probes)?;
        // Each process has hashes and addresses of its own: what depends on them answers differently.
        let mut counted: BTreeMap<usize, usize> = BTreeMap::new();
        let sample: Vec<usize> = (0..probes.len())
            .filter(|at| {
                let ended =
                    matches!(observed.outcomes.get(*at), Some(Outcome::Timeout | Outcome::Blocked { .. }));
                let count = counted
                    .entry(probes.get(*at).map(|probe| probe.function).unwrap_or_default())
                    .or_default();
                *count += 1;
                *count <= ASKED_TWICE && !ended
            })
            .collect();
        let again: Vec<_> = sample.iter().filter_map(|at| probes.get(*at).cloned()).collect();
        let again = self.ask_once(tools, &again)?;
        let unstable: BTreeSet<usize> = sample
            .iter()
            .zip(&again.outcomes)
            .filter(|(at, outcome)| observed.outcomes.get(**at) != Some(*outcome))
            .filter_map(|(at, _)| probes.get(*at).map(|probe| probe.function))
            .collect();
        for (probe, outcome) in probes.iter().zip(&mut observed.outcomes) {
            if unstable.contains(&probe.function) {
                let reason = "the upstream answers the same call differently from run to run".to_owned();
                *outcome = Outcome::Blocked { reason };
            }
        }
        Ok(observed)
    }

    fn converse(&self, tools: &Tools<'_>, probes: &[Probe]) -> Result<Conversation, ContractError> {
        let questions: Vec<_> = probes
            .iter()
            .map(|probe| Question { function: probe.function, arguments: Some(arguments_json(probe)) })
            .collect();
        let directory = self.driver.parent().unwrap_or(&self.driver).to_path_buf();
        let driver = Driver {
            name: "the upstream's driver",
            invocation: Invocation::new(&self.driver, &directory),
            access: Access { read: vec![directory], write: Vec::new() },
        };
        converse(tools, &driver, &|nonce| json!([nonce]), &questions)
    }

    fn ask_once(&self, tools: &Tools<'_>, probes: &[Probe]) -> Result<Observed, ContractError> {
        let conversation = self.converse(tools, probes)?;
        let outcome = |answer: Answer| match answer {
            Answer::Said(json) => Outcome::from_json(&json)
                .unwrap_or_else(|malformed| Outcome::Blocked { reason: malformed.to_string() }),
            Answer::Ended(outcome) => outcome,
        };
        Ok(Observed {
            outcomes: conversation.answers.into_iter().map(outcome).collect(),
            reached: conversation.reached,
        })
    }
}

/// A probe's arguments as the drivers read them.
pub(super) fn arguments_json(probe: &Probe) -> Json {
    Json::Array(probe.arguments.iter().map(super::Value::to_json).collect())
}

impl OracleRequest<'_> {
    fn key(&self, plan: &ProbePlan) -> ContentHash {
        let calls = plan.functions.iter().flat_map(|function| {
            let observed = format!("{:?}", function.observed);
            [
                function.item.to_string(),
                function.instance.clone(),
                function.call.clone(),
                function.owned.join(","),
                observed,
            ]
        });
        let settings = [
            KEPT_VERSION.to_owned(),
            self.source_key.to_owned(),
            self.package.folder.clone(),
            self.package.name.clone(),
            self.library_root.to_owned(),
            format!("{:?}", self.profile),
            self.toolchain.key.clone(),
            self.instrument.map(|instrument| instrument.runtime(0)).unwrap_or_default(),
            TEMPLATE.to_owned(),
        ];
        let counted = self.items.iter().map(ToString::to_string);
        let sequences = plan.sequences.iter().map(|sequence| {
            let steps =
                sequence.steps.iter().map(|step| format!("{} {:?} {}", step.item, step.owned, step.call));
            format!("{} {}", sequence.construction, steps.collect::<Vec<_>>().join(" "))
        });
        ContentHash::of_parts(settings.into_iter().chain(calls).chain(counted).chain(sequences))
    }
}

/// Whether the call was carried out, and nothing but the call decided what came of it.
fn is_plain(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Timeout | Outcome::Blocked { .. } | Outcome::Crashed { .. } => false,
        Outcome::Value(_)
        | Outcome::Error { .. }
        | Outcome::Steps(_)
        | Outcome::Panic { .. }
        | Outcome::Unmade { .. } => true,
    }
}

impl Observed {
    fn write(&self, file: &Path) -> Result<(), ContractError> {
        let outcomes: Vec<_> = self.outcomes.iter().map(Outcome::to_json).collect();
        write_atomically(file, &json!({ "outcomes": outcomes, "reached": self.reached }))
    }
}

fn read_observed(file: &Path, probes: usize) -> Option<Observed> {
    let json: Json = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    let outcomes = json.get("outcomes")?.as_array()?.iter().map(|json| Outcome::from_json(json).ok());
    let outcomes = outcomes.collect::<Option<Vec<_>>>().filter(|outcomes| outcomes.len() == probes)?;
    let reached: Vec<_> = serde_json::from_value(json.get("reached")?.clone()).ok()?;
    if reached.len() != probes {
        return None;
    }
    Some(Observed { outcomes, reached })
}

pub(super) fn write_atomically(file: &Path, json: &Json) -> Result<(), ContractError> {
    let io = |source| ContractError::Io { path: file.to_path_buf(), source };
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).map_err(io)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    std::io::Write::write_all(&mut temporary, json.to_string().as_bytes()).map_err(io)?;
    temporary.persist(file).map_err(|error| io(error.error))?;
    Ok(())
}
