//! One conversation with a driver: all questions go in, an answer comes out for each.
//!
//! Main function: [`converse`]. A driver that dies or hangs is started again behind the question that did
//! it, a bounded number of times. Nothing here knows which side it talks to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use upstream::ContentHash;
use upstream::process::{Ending, Finished, Invocation, Limits, ProcessRunner};

use super::ContractError;
use super::value::Outcome;
use crate::confinement::{Access, Confinement};

/// How often one function may end its driver before its other probes are given up.
const RESTARTS_OF_ONE: u32 = 3;
/// How often the driver is started again in one conversation.
const RESTARTS_MAX: u32 = 24;
/// How many times as long is waited for the second answer of a function that once gave none in time.
const SECOND_PATIENCE: u64 = 3;
/// How many times as long as for a probe is waited at most for a driver to begin.
const PATIENCE_MAX: u64 = 16;
/// The longest one run of a driver may take, in milliseconds.
const RUN_TIMEOUT_MS: u64 = 10 * 60 * 1000;
/// The most a driver may write.
const OUTPUT_BYTES_MAX: usize = 256 << 20;

/// What runs foreign code, and how it is held.
#[derive(Debug, Clone, Copy)]
pub struct Tools<'a> {
    /// Runs processes.
    pub runner: &'a dyn ProcessRunner,
    /// Confines them.
    pub confinement: &'a dyn Confinement,
    /// Tells the time.
    pub clock: &'a dyn upstream::Clock,
    /// The longest a single probe may take, in milliseconds.
    pub probe_timeout_ms: u64,
    /// The longest a build may take, in milliseconds.
    pub build_timeout_ms: u64,
}

/// A driver that can be started.
#[derive(Debug)]
pub(super) struct Driver {
    /// Who it speaks for, in messages.
    pub name: &'static str,
    /// How it is started, standard input and limits left out.
    pub invocation: Invocation,
    /// What it may touch.
    pub access: Access,
}

/// One question.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Which function it is about.
    pub function: usize,
    /// The arguments; none where the symbol is to be described.
    pub arguments: Option<Json>,
}

/// What came of one question.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// What the driver wrote.
    Said(Json),
    /// The driver ended over it, or was not asked.
    Ended(Outcome),
}

/// The answers in the order of the questions, and what the upstream's coverage counters saw over each.
#[derive(Debug, Clone, Default)]
pub(super) struct Conversation {
    pub answers: Vec<Answer>,
    pub reached: Vec<BTreeSet<u32>>,
    /// The calls below each, where these are traced.
    pub traced: Vec<Json>,
}

/// Asks all questions. `header` gets the nonce of the run and is the first line.
pub(super) fn converse(
    tools: &Tools<'_>,
    driver: &Driver,
    header: &dyn Fn(&str) -> Json,
    questions: &[Question],
) -> Result<Conversation, ContractError> {
    let mut answers: Vec<Option<Answer>> = vec![None; questions.len()];
    let mut reached = vec![BTreeSet::new(); questions.len()];
    let mut traced = vec![Json::Null; questions.len()];
    let mut ended: BTreeMap<usize, u32> = BTreeMap::new();
    let mut patience = 1;
    // A machine that is busy makes anything late: a function hangs that is silent a second time, waited for longer.
    let mut late: BTreeSet<usize> = BTreeSet::new();
    let mut asked_again = None;
    for restart in 0..=RESTARTS_MAX {
        let open: Vec<usize> =
            answers.iter().enumerate().filter(|(_, answer)| answer.is_none()).map(|(at, _)| at).collect();
        let Some(first) = open.first().copied() else { break };
        let nonce = nonce(questions.len(), restart);
        let longer = if asked_again == Some(first) { SECOND_PATIENCE } else { 1 };
        let run = run(tools, driver, header, &nonce, (questions, &open), patience * longer)?;
        for said in run.said {
            if let (Some(slot), Some(reached), Some(traced)) =
                (answers.get_mut(said.at), reached.get_mut(said.at), traced.get_mut(said.at))
            {
                *slot = Some(Answer::Said(said.answer));
                *reached = said.reached;
                *traced = said.traced;
            }
        }
        if !run.is_ready && run.ending == Outcome::Timeout && patience < PATIENCE_MAX {
            // Nobody was asked yet: the machine is busy, and the driver slow to begin.
            patience *= 4;
            continue;
        }
        if !run.is_ready {
            return Err(ContractError::Driver { driver: driver.name, reason: run.complaint });
        }
        if run.is_done {
            break;
        }
        // The first that has no answer is the one that ended the driver.
        let culprit =
            open.iter().copied().find(|at| answers.get(*at).is_some_and(Option::is_none)).unwrap_or(first);
        let function = questions.get(culprit).map(|question| question.function).unwrap_or_default();
        if run.ending == Outcome::Timeout && late.insert(function) {
            asked_again = Some(culprit);
            continue;
        }
        if let Some(slot) = answers.get_mut(culprit) {
            slot.get_or_insert(Answer::Ended(run.ending));
        }
        let times = ended.entry(function).or_default();
        *times += 1;
        if *times >= RESTARTS_OF_ONE {
            give_up(&mut answers, questions, function);
        }
    }
    let unasked =
        || Answer::Ended(Outcome::Blocked { reason: "its driver ended too often to go on".to_owned() });
    Ok(Conversation {
        answers: answers.into_iter().map(|answer| answer.unwrap_or_else(unasked)).collect(),
        reached,
        traced,
    })
}

fn give_up(answers: &mut [Option<Answer>], questions: &[Question], function: usize) {
    let reason = format!("its driver ended {RESTARTS_OF_ONE} times over this function");
    for (answer, question) in answers.iter_mut().zip(questions) {
        if answer.is_none() && question.function == function {
            *answer = Some(Answer::Ended(Outcome::Blocked { reason: reason.clone() }));
        }
    }
}

/// Marks our lines among whatever foreign code prints. It guards against noise, not against malice: what
/// it must hold out against runs in the same process.
fn nonce(questions: usize, restart: u32) -> String {
    ContentHash::of_parts([format!("{questions}"), format!("{restart}"), format!("{}", std::process::id())])
        .to_string()
}

/// An answer, with what was seen while it was looked for.
struct Said {
    at: usize,
    answer: Json,
    reached: BTreeSet<u32>,
    traced: Json,
}

struct Run {
    said: Vec<Said>,
    is_ready: bool,
    is_done: bool,
    ending: Outcome,
    complaint: String,
}

fn run(
    tools: &Tools<'_>,
    driver: &Driver,
    header: &dyn Fn(&str) -> Json,
    nonce: &str,
    (questions, open): (&[Question], &[usize]),
    patience: u64,
) -> Result<Run, ContractError> {
    let mut input = header(nonce).to_string();
    for at in open {
        let Some(question) = questions.get(*at) else { continue };
        let arguments = question.arguments.as_ref().unwrap_or(&Json::Null);
        input.push('\n');
        input.push_str(&serde_json::json!([at, question.function, arguments]).to_string());
    }
    input.push('\n');
    let limits = Limits {
        timeout_ms: RUN_TIMEOUT_MS,
        silence_ms: Some(tools.probe_timeout_ms.saturating_mul(patience)),
        output_bytes_max: OUTPUT_BYTES_MAX,
    };
    let invocation = driver.invocation.clone().stdin(input).limits(limits);
    let invocation = tools.confinement.confine(invocation, &driver.access)?;
    let finished = tools.runner.run(&invocation)?;
    if finished.ending == Ending::Interrupted {
        return Err(ContractError::Interrupted);
    }
    Ok(read(&finished, nonce))
}

fn read(finished: &Finished, nonce: &str) -> Run {
    let mut run = Run {
        said: Vec::new(),
        is_ready: false,
        is_done: false,
        ending: ending(finished),
        complaint: finished.tail(5),
    };
    let text = String::from_utf8_lossy(&finished.stdout);
    for line in text.split('\n') {
        let Some(line) = line.strip_prefix(nonce) else { continue };
        // A line that is cut off belongs to the question that ended the driver.
        let Ok(Json::Array(parts)) = serde_json::from_str(line) else { continue };
        match parts.as_slice() {
            [Json::Number(at), answer, rest @ ..] => {
                let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
                let blocks = rest.first().and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
                let reached = blocks.iter().filter_map(|id| u32::try_from(id.as_u64()?).ok()).collect();
                let traced = rest.get(1).cloned().unwrap_or_default();
                run.said.extend(at.map(|at| Said { at, answer: answer.clone(), reached, traced }));
            }
            [Json::String(word)] if word == "ready" => run.is_ready = true,
            [Json::String(word)] if word == "done" => run.is_done = true,
            _ => {}
        }
    }
    run
}

fn ending(finished: &Finished) -> Outcome {
    let crashed = |how: String| Outcome::Crashed { how };
    match finished.ending {
        Ending::TimedOut | Ending::Silent => Outcome::Timeout,
        Ending::Exited(code) => crashed(format!("the process exited with code {code}")),
        Ending::Signalled(signal) => crashed(format!("signal {signal} ended the process")),
        Ending::TooMuchOutput => crashed("it printed without end".to_owned()),
        Ending::TooMuchDisk => crashed("it filled the disk".to_owned()),
        Ending::DiskFull => Outcome::Blocked { reason: "no space left on device".to_owned() },
        Ending::Interrupted => Outcome::Blocked { reason: "interrupted".to_owned() },
    }
}
