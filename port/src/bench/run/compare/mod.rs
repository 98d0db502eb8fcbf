//! The loop: pair by pair, until it is decided, capped or stopped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use upstream::Clock;

use super::journal::{Header, Journal, JournalError, PairRow};
use super::measure::{Arm, Fault, Measure, Slot};
use super::order;
use super::tally::{Kind, Tally};
use crate::bench::decide::cache::sentinels_agree;
use crate::bench::decide::{Evidence, StoredReference, StoredScore};

/// How often a pair may be dropped, beside the share that validity allows, before it is given up.
const DROPPED_MAX: usize = 20;

/// How often the same pair is run again.
const RETRIES_MAX: usize = 2;

/// What to compare.
#[derive(Debug, Clone)]
pub struct CompareRequest {
    /// What all pairs have in common.
    pub header: Header,
    /// What is measured.
    pub kind: Kind,
    /// The tasks, where a process runs one of them; empty where it runs all.
    pub tasks: Vec<String>,
    /// Whether to stop when it is decided. Audits do not: pairs that were stopped at a decision are the
    /// lucky ones.
    pub stop: StopRule,
    /// Runs of the reference that serve again, for task suites; empty where it is run in every pair.
    pub stored: StoredReference,
}

/// When a comparison ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRule {
    /// As soon as the evidence suffices.
    WhenDecided,
    /// After all pairs.
    AtTheEnd,
}

/// Why a comparison ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stopped", content = "reason", rename_all = "snake_case")]
pub enum Stopped {
    /// The evidence sufficed.
    Decided,
    /// All pairs were run.
    Capped,
    /// We were told to stop; it can go on.
    Interrupted,
    /// Too much failed around the code.
    Infrastructure(String),
    /// One side cannot be measured at all.
    Impossible(String),
    /// Fresh runs of the reference differ from the stored ones: they serve no longer, and nothing was decided.
    StoredDiffer,
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What all pairs have in common.
    pub header: Header,
    /// Why it ended.
    pub stopped: Stopped,
    /// Its pairs.
    pub tally: Tally,
}

/// Nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What the loop needs of the world.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it holds borrowed functions only")]
pub struct Surroundings<'a> {
    /// Takes measurements.
    pub bench: &'a dyn Measure,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Set from outside to stop.
    pub interrupt: &'a AtomicBool,
    /// Hears of each pair.
    pub heard: &'a dyn Fn(&Tally),
}

/// Compares both sides; pairs that the journal holds already are not run again.
pub fn compare(
    request: &CompareRequest,
    around: Surroundings<'_>,
    journal: &mut Journal,
) -> Result<Comparison, RunError> {
    let mut tally = Tally::new(request.kind.clone(), &request.header.harness);
    let (mut next, mut dropped) = (0, 0);
    for row in std::mem::take(&mut journal.kept) {
        tally.add(&row);
        dropped += usize::from(row.dropped.is_some());
        next = next.max(row.pair + usize::from(row.dropped.is_none()));
    }
    let stopped = loop {
        if !stored_hold(&tally) {
            break Stopped::StoredDiffer;
        }
        if let Some(stopped) = ended(request, &tally) {
            break stopped;
        }
        if around.interrupt.load(Ordering::Relaxed) {
            break Stopped::Interrupted;
        }
        match pair(request, around, next) {
            Ok(rows) => {
                dropped += rows.len() - 1;
                for row in &rows {
                    journal.add(row)?;
                    tally.add(row);
                }
                next += 1;
            }
            Err(Lost::Dropped(rows)) => {
                dropped += rows.len();
                let reason = rows.last().and_then(|row| row.dropped.clone());
                for row in &rows {
                    journal.add(row)?;
                    tally.add(row);
                }
                next += 1;
                if dropped > DROPPED_MAX || tally.pairs() == 0 && dropped > RETRIES_MAX {
                    let (arm, reason) = reason.unwrap_or((Arm::Candidate, String::new()));
                    break Stopped::Infrastructure(format!("{} of the {}", reason, name(arm)));
                }
            }
            Err(Lost::Interrupted) => break Stopped::Interrupted,
            Err(Lost::Impossible(reason)) => break Stopped::Impossible(reason),
        }
        (around.heard)(&tally);
    };
    Ok(Comparison { header: request.header.clone(), stopped, tally })
}

/// Whether the sentinels bear out the stored runs, where any served.
fn stored_hold(tally: &Tally) -> bool {
    tally.stored_pairs == 0 || sentinels_agree(&tally.all_sentinels())
}

fn name(arm: Arm) -> &'static str {
    match arm {
        Arm::Reference => "reference",
        Arm::Candidate => "candidate",
    }
}

fn ended(request: &CompareRequest, tally: &Tally) -> Option<Stopped> {
    if request.stop == StopRule::WhenDecided && tally.evidence != Evidence::Open {
        Some(Stopped::Decided)
    } else if tally.pairs() >= request.kind.pairs_max() {
        Some(Stopped::Capped)
    } else {
        // Values whose benches differ never become pairs.
        let unequal = tally.reference.tasks != tally.candidate.tasks && request.tasks.is_empty();
        let worthless = matches!(request.kind, Kind::Values(_)) && unequal;
        (worthless || !tally.candidate.contradictions.is_empty()).then_some(Stopped::Capped)
    }
}

/// A pair that gave nothing.
enum Lost {
    Dropped(Vec<PairRow>),
    Interrupted,
    Impossible(String),
}

/// Runs a pair; where a side fails for a cause outside the code, both are run again together. Gives the
/// pair, last, after those that were dropped.
fn pair(request: &CompareRequest, around: Surroundings<'_>, pair: usize) -> Result<Vec<PairRow>, Lost> {
    let seed = request.header.seed;
    let order = order::sides(seed, pair);
    let task = order::task(seed, pair, &request.tasks);
    let stored = stored_for(&request.stored, task);
    // Where everything is stored, the reference is run now and then all the same.
    let runs_reference = stored.is_empty() || order::is_sentinel(seed, pair, task.is_none());
    let mut lost = Vec::new();
    for _ in 0..=RETRIES_MAX {
        let mut row = PairRow {
            pair,
            first: order[0],
            task: task.map(str::to_owned),
            machine: request.header.machine.short(),
            at_ms: 0,
            reference: BTreeMap::new(),
            candidate: BTreeMap::new(),
            dropped: None,
            stored: stored.clone(),
            sentinel: BTreeMap::new(),
            earlier_sentinels: None,
        };
        for arm in order {
            if arm == Arm::Reference && !runs_reference {
                continue;
            }
            match around.bench.measure(Slot { arm, task }) {
                Ok(results) => match arm {
                    Arm::Reference => row.reference = results,
                    Arm::Candidate => row.candidate = results,
                },
                Err(Fault::Interrupted) => return Err(Lost::Interrupted),
                Err(Fault::Impossible(reason)) => return Err(Lost::Impossible(reason)),
                Err(Fault::Infrastructure(reason)) => {
                    row.dropped = Some((arm, reason));
                    break;
                }
            }
        }
        row.at_ms = around.clock.now_ms();
        if !stored.is_empty() {
            let means = stored.iter().map(|(task, score)| (task.clone(), score.mean)).collect();
            row.sentinel = std::mem::replace(&mut row.reference, means);
            row.earlier_sentinels = runs_reference.then_some(request.stored.sentinels);
        }
        let done = row.dropped.is_none();
        lost.push(row);
        if done {
            return Ok(lost);
        }
    }
    Err(Lost::Dropped(lost))
}

/// The stored scores that serve in a pair of one task, or of all tasks.
fn stored_for(stored: &StoredReference, task: Option<&str>) -> BTreeMap<String, StoredScore> {
    match task {
        None => stored.scores.clone(),
        Some(task) => stored.scores.get(task).map(|score| (task.to_owned(), *score)).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
