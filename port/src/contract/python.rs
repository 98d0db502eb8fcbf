//! The port's side: its symbols described and called by the Python driver.
//!
//! The port's code runs behind the confinement and may read its own folders alone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use upstream::process::Invocation;

use super::ContractError;
use super::conversation::{Answer, Driver, Question, Tools, converse};
use super::oracle::arguments_json;
use super::pools::Probe;
use super::value::Outcome;
use crate::confinement::Access;

const DRIVER: &str = include_str!("drivers/python_driver.py");

/// A tree of the port, as it is called.
#[derive(Debug, Clone)]
pub struct PortSide {
    /// The tree's root: the driver works in it.
    pub root: PathBuf,
    /// The folders that imports begin at, such as `root` or `root/src`.
    pub import_roots: Vec<PathBuf>,
    /// The `python3` program, 3.10 or newer.
    pub python: OsString,
    /// Files and folders beside the tree that the interpreter needs, such as a virtual environment.
    pub access: Access,
    /// Variables that it is to see, such as those that switch the port's extensions off.
    pub environment: BTreeMap<OsString, OsString>,
}

/// What a function index means on this side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub symbol: String,
    pub constructor: Option<String>,
    pub constructed_with: usize,
    /// How many arguments of the call are made like the receiver.
    pub others: usize,
    /// What makes the arguments that are of the upstream's own types, by how probes name it.
    pub makers: BTreeMap<String, PortMaker>,
    /// Which arguments the upstream changes in place.
    pub changed: Vec<usize>,
    /// The methods of a sequence, by how probes name them; `None` where one call is made.
    pub steps: Option<BTreeMap<String, PortStep>>,
}

/// A method that is called among others on one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortStep {
    /// The symbol; `None` for a look at the value itself.
    pub symbol: Option<String>,
    /// Which of its arguments the upstream changes in place.
    pub changed: Vec<usize>,
    /// The fields that a look at the value shows.
    pub fields: Vec<String>,
}

/// What makes a value on this side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortMaker {
    pub symbol: String,
    /// The variant of the symbol that is meant, by its name in the upstream.
    pub variant: Option<String>,
}

/// A parameter as Python tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortParameter {
    pub name: String,
    pub kind: String,
    pub has_default: bool,
}

/// A symbol as the running port has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Description {
    /// It is not there.
    Missing { code: String, text: String },
    /// It is there; the parameters are not known for some built-in callables.
    Symbol { is_callable: bool, parameters: Option<Vec<PortParameter>>, class: Option<PortClass> },
}

/// A class as Python tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortClass {
    /// Module and name, where it really stands.
    pub path: String,
    /// Whether its values can be raised.
    pub is_exception: bool,
}

/// What the port said.
#[derive(Debug, Clone, Default)]
pub(super) struct PortObserved {
    pub descriptions: Vec<Description>,
    pub outcomes: Vec<Outcome>,
    /// What was traced of each call; nothing where nothing was to be.
    pub traced: Vec<Json>,
}

/// Describes the targets in `described` and calls the port on all probes, in one process.
pub(super) fn observe(
    tools: &Tools<'_>,
    side: &PortSide,
    targets: &[Target],
    described: Range<usize>,
    probes: &[Probe],
) -> Result<PortObserved, ContractError> {
    observe_traced(tools, side, targets, described, (probes, &[]))
}

/// The same, where the calls of these symbols are traced.
pub(super) fn observe_traced(
    tools: &Tools<'_>,
    side: &PortSide,
    targets: &[Target],
    described: Range<usize>,
    (probes, traced): (&[Probe], &[String]),
) -> Result<PortObserved, ContractError> {
    let count = described.len();
    let descriptions = described.map(|function| Question { function, arguments: None });
    let calls = probes
        .iter()
        .map(|probe| Question { function: probe.function, arguments: Some(arguments_json(probe)) });
    let questions: Vec<_> = descriptions.chain(calls).collect();
    let mut access = side.access.clone();
    access.read.extend(side.import_roots.iter().cloned());
    access.read.push(side.root.clone());
    let mut invocation = Invocation::new(&side.python, &side.root).args(["-I", "-B", "-c", DRIVER]);
    invocation.environment.extend(side.environment.clone());
    let driver = Driver { name: "the port's driver", invocation, access };
    let header = |nonce: &str| {
        let targets: Vec<_> = targets
            .iter()
            .map(|target| {
                json!({
                    "symbol": target.symbol,
                    "constructor": target.constructor,
                    "constructed_with": target.constructed_with,
                    "others": target.others,
                    "changed": target.changed,
                    "makers": target.makers.iter().map(maker_json).collect::<serde_json::Map<_, _>>(),
                    "steps": target.steps.as_ref().map(steps_json),
                })
            })
            .collect();
        json!({ "nonce": nonce, "roots": side.import_roots, "targets": targets, "traced": traced })
    };
    let conversation = converse(tools, &driver, &header, &questions)?;
    let (mut answers, mut traced) = (conversation.answers, conversation.traced);
    let calls = answers.split_off(count.min(answers.len()));
    Ok(PortObserved {
        descriptions: answers.into_iter().map(|answer| description(answer, &side.root)).collect(),
        outcomes: calls.into_iter().map(outcome).collect(),
        traced: traced.split_off(count.min(traced.len())),
    })
}

fn maker_json((name, maker): (&String, &PortMaker)) -> (String, Json) {
    (name.clone(), json!({ "symbol": maker.symbol, "variant": maker.variant }))
}

fn steps_json(steps: &BTreeMap<String, PortStep>) -> Json {
    let one = |(name, step): (&String, &PortStep)| {
        (name.clone(), json!({ "symbol": step.symbol, "changed": step.changed, "fields": step.fields }))
    };
    Json::Object(steps.iter().map(one).collect())
}

fn outcome(answer: Answer) -> Outcome {
    match answer {
        Answer::Said(json) => Outcome::from_json(&json)
            .unwrap_or_else(|malformed| Outcome::Crashed { how: malformed.to_string() }),
        Answer::Ended(outcome) => outcome,
    }
}

fn description(answer: Answer, root: &Path) -> Description {
    // An import error names files where they were checked out: it is shown to models, and recorded.
    let here = format!("{}/", root.display());
    let missing = |code: &str, text: String| Description::Missing {
        code: code.to_owned(),
        text: text.replace(&here, ""),
    };
    let json = match answer {
        Answer::Said(json) => json,
        Answer::Ended(outcome) => return missing("import-error", format!("importing it {outcome}")),
    };
    let parts = json.as_array().map(Vec::as_slice).unwrap_or_default();
    match parts {
        [Json::String(word), Json::String(code), Json::String(text)] if word == "missing" => {
            missing(code, text.clone())
        }
        [Json::String(word), Json::Bool(is_callable), parameters, class] if word == "symbol" => {
            Description::Symbol {
                is_callable: *is_callable,
                parameters: parameters.as_array().map(|all| all.iter().filter_map(parameter).collect()),
                class: port_class(class),
            }
        }
        _ => missing("import-error", "its driver gave no description".to_owned()),
    }
}

fn port_class(json: &Json) -> Option<PortClass> {
    match json.as_array()?.as_slice() {
        [Json::String(kind), Json::String(path)] => {
            Some(PortClass { path: path.clone(), is_exception: kind == "exception" })
        }
        _ => None,
    }
}

fn parameter(json: &Json) -> Option<PortParameter> {
    match json.as_array()?.as_slice() {
        [Json::String(name), Json::String(kind), Json::Bool(has_default)] => {
            Some(PortParameter { name: name.clone(), kind: kind.clone(), has_default: *has_default })
        }
        _ => None,
    }
}
