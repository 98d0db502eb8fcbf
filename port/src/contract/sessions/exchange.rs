//! A case on several sides: one run each, or, where it is a conversation by lines, as many as its requests end.
//!
//! A request that ends a server on any side is asked on all sides, and left out of the runs that ask what stands behind
//! it: so it costs nobody but itself, and every side has the same past.

use std::collections::BTreeMap;

use super::super::ContractError;
use super::declared::{Case, Input, Session};
use super::mask::Mask;
use super::observation::{Ended, Observation, Seen, Step, answers, files_in};
use super::running::{Ground, Ran, Side};

/// How many requests of one case may end a server before the others are not asked.
const ENDED_MAX: usize = 8;

/// What each side did, in the order of the sides; the reason where that cannot be told.
pub(super) type Observed = Vec<Result<Observation, String>>;

/// Runs a case on all sides.
pub(super) fn observe(
    ground: &Ground<'_>,
    sides: &[&Side],
    session: &Session,
    case: &Case,
) -> Result<Observed, ContractError> {
    match &case.input {
        Input::Whole(_) => {
            sides.iter().map(|side| Ok(run(ground, side, session, case)?.map(|talk| talk.seen))).collect()
        }
        Input::Lines(lines) => converse(ground, sides, session, (case, lines)),
    }
}

/// One run, and the answers in it.
struct Talk {
    seen: Observation,
    answers: Vec<Step>,
}

fn run(
    ground: &Ground<'_>,
    side: &Side,
    session: &Session,
    case: &Case,
) -> Result<Result<Talk, String>, ContractError> {
    let ran = match ground.run(side, session, case)? {
        Ok(ran) => ran,
        Err(reason) => return Ok(Err(reason)),
    };
    let talk = read(session, case, &ran);
    Ground::forget(&ran);
    Ok(talk)
}

fn read(session: &Session, case: &Case, ran: &Ran) -> Result<Talk, String> {
    let Some(ended) = Ended::of(&ran.finished) else {
        return Err("it was ended by the machine".to_owned());
    };
    let masks: Vec<Mask> = ran.masks.iter().chain(&session.relation.masks).cloned().collect();
    let relation = super::Relation { masks, ..session.relation.clone() };
    // What was cut off by a bound is as long as the machine was fast.
    let whole = !matches!(ended, Ended::TimedOut | Ended::Flooded);
    let seen = |bytes: &[u8]| Seen::of(if whole { bytes } else { &[] }, &relation.masks);
    let answers = match case.input {
        Input::Whole(_) => Vec::new(),
        Input::Lines(_) => answers(&ran.finished.stdout, &relation.masks),
    };
    let files = if whole { files_in(&ran.folder, &relation)? } else { BTreeMap::new() };
    let (stdout, stderr) = (seen(&ran.finished.stdout), seen(&ran.finished.stderr));
    Ok(Talk { seen: Observation { ended, stdout, stderr, files, steps: BTreeMap::new() }, answers })
}

fn converse(
    ground: &Ground<'_>,
    sides: &[&Side],
    session: &Session,
    (case, lines): (&Case, &[String]),
) -> Result<Observed, ContractError> {
    let mut open: Vec<usize> = (0..lines.len()).collect();
    let mut told: Vec<BTreeMap<usize, Step>> = vec![BTreeMap::new(); sides.len()];
    for _ in 0..=ENDED_MAX {
        let asked = open.iter().filter_map(|at| lines.get(*at).cloned()).collect();
        let case = Case { input: Input::Lines(asked), ..case.clone() };
        let mut talks = Vec::with_capacity(sides.len());
        for side in sides {
            talks.push(run(ground, side, session, &case)?);
        }
        if talks.iter().any(Result::is_err) {
            return Ok(talks.into_iter().map(|talk| talk.map(|talk| talk.seen)).collect());
        }
        let talks: Vec<Talk> = talks.into_iter().flatten().collect();
        // The first request that a side did not answer is the one that it ended at.
        let shortest = talks.iter().map(|talk| talk.answers.len()).min().unwrap_or_default();
        let last = shortest.min(open.len().saturating_sub(1));
        for (talk, told) in talks.iter().zip(&mut told) {
            for (place, at) in open.iter().enumerate().take(last + 1) {
                let ended = || Step::Ended(talk.seen.ended.clone());
                let step = talk.answers.get(place).cloned().unwrap_or_else(ended);
                told.entry(*at).or_insert(step);
            }
        }
        if shortest >= open.len() {
            return Ok(talks
                .into_iter()
                .zip(told)
                .map(|(talk, told)| Ok(finish(talk, told, &open, lines)))
                .collect());
        }
        open.remove(last);
    }
    let reason = format!("its requests ended a server more than {ENDED_MAX} times");
    Ok(vec![Err(reason); sides.len()])
}

/// The observation of a conversation: what stands behind the last answer is an answer that nobody asked for.
fn finish(talk: Talk, mut told: BTreeMap<usize, Step>, open: &[usize], lines: &[String]) -> Observation {
    let more = talk.answers.into_iter().skip(open.len());
    told.extend(more.enumerate().map(|(at, step)| (lines.len() + at, step)));
    Observation { steps: told, ..talk.seen }
}
