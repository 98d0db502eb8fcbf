//! A journal of ten thousand runs: each of them the events that lead to one of the sample records, under a name and a
//! time of its own, as the engine takes them.

use std::collections::VecDeque;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use pipeline::engine::{Event, record};
use pipeline::store::Store;
use reports::record::{AttemptRecord, GateRecord, RevisionRecord, UnitRecord};
use reports::{RunOutcome, RunRecord, Verdict, sample};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

/// A tree and commits that nobody looks up.
const TREE: &str = "7d0f2a9be3c14f5d8a6b7c8d9e0f1a2b3c4d5e6f";
const COMMIT: &str = "c93b11f20f3f4e41b8a4fb7c9e3a5b9c2d4e6f80";
/// The time between two runs, in milliseconds: ten thousand of them are half a year.
const BETWEEN_MS: i64 = 1_580_000;

/// Fills a journal with so many runs, the last of which began at `last_ms`; returns the names, newest first.
pub(super) fn fill(path: &Path, runs: usize, last_ms: i64) -> Result<Vec<String>> {
    // The tables are those of the program itself.
    drop(Store::open(path)?);
    let kinds = [sample::done(), sample::parked(), sample::nothing_to_do(), sample::gate_failed()];
    let kinds: Vec<Vec<Value>> = kinds.iter().map(events).collect::<Result<_>>()?;
    let mut connection = Connection::open(path)?;
    let transaction = connection.transaction()?;
    let mut names = Vec::new();
    for at in 0..runs {
        let back = i64::try_from(runs - 1 - at)?;
        let started_ms = last_ms - back * BETWEEN_MS;
        let name = format!("2026-run-{at:05}");
        // The newest of all has something for a person, and most have nothing to do, as it is with real ports.
        let kind = match (at + 1 == runs, at % 10) {
            (true, _) => 1,
            (false, 0..=2) => 0,
            (false, 3) => 1,
            (false, 4) => 3,
            (false, _) => 2,
        };
        let of_kind = kinds.get(kind).context("a kind of run")?;
        transaction.execute("INSERT INTO runs VALUES (?1, ?2, 'over')", params![name, started_ms])?;
        for (seq, event) in of_kind.iter().enumerate() {
            let mut event = event.clone();
            if let Some(header) = event.get_mut("header") {
                header["run"] = json!(name);
                header["started_ms"] = json!(started_ms);
            }
            if event["event"] == "finished" {
                event["at_ms"] = json!(started_ms + 245_300);
            }
            let insert = "INSERT INTO events VALUES (?1, ?2, ?3)";
            transaction.execute(insert, params![name, i64::try_from(seq)?, event.to_string()])?;
        }
        names.push(name);
    }
    transaction.commit()?;
    names.reverse();
    Ok(names)
}

/// The events that lead to a record, in order. They are folded once, to see that the engine takes them.
fn events(record: &RunRecord) -> Result<Vec<Value>> {
    let followed: Vec<&RevisionRecord> = record
        .revisions
        .iter()
        .filter(|revision| !revision.gates.is_empty() && !revision.units.is_empty())
        .collect();
    let attempts = followed.iter().flat_map(|revision| &revision.units).map(|unit| unit.attempts.len());
    let links = attempts.max().unwrap_or(1).max(1);
    let mut all = vec![started(record, &followed, links)];
    for revision in &followed {
        all.push(planned(revision));
        let units = revision.units.iter().map(|unit| attempted(unit, links).into()).collect();
        take_turns(&mut all, units)?;
        let verdict =
            if revision.gates.iter().any(|gate| gate.verdict == Verdict::Fail) { "fail" } else { "pass" };
        all.push(
            json!({ "event": "gated", "tree": TREE, "verdict": verdict, "gates": gates(revision, verdict) }),
        );
        if verdict == "fail" {
            break;
        }
        all.push(json!({ "event": "prepared", "commit": COMMIT }));
        let files = revision.landed.as_ref().map(|landed| landed.files.clone()).unwrap_or_default();
        let head = json!({ "commit": COMMIT, "tree": TREE });
        all.push(
            json!({ "event": "landed", "head": head, "files": files, "duration_ms": revision.duration_ms }),
        );
    }
    all.push(json!({ "event": "finished", "at_ms": 0 }));
    let (folded, _) = record_of(&typed(&all)?)?;
    if folded == RunOutcome::Unfinished {
        bail!("the events of a sample run do not lead to its end");
    }
    Ok(all)
}

fn typed(events: &[Value]) -> Result<Vec<Event>> {
    let events = events.iter().map(|event| serde_json::from_value(event.clone()));
    events.collect::<Result<_, _>>().context("an event")
}

/// Attempts at units that do not wait for each other take turns, in the order that the engine asks for.
fn take_turns(all: &mut Vec<Value>, mut units: Vec<VecDeque<Value>>) -> Result<()> {
    while units.iter().any(|unit| !unit.is_empty()) {
        let mut before = typed(all)?;
        let mut is_due = |unit: &VecDeque<Value>| -> Result<bool> {
            let Some(next) = unit.front() else { return Ok(false) };
            before.extend(typed(std::slice::from_ref(next))?);
            let is_due = record(&before).is_ok();
            before.pop();
            Ok(is_due)
        };
        let due: Vec<bool> = units.iter().map(&mut is_due).collect::<Result<_>>()?;
        let at = due.iter().position(|due| *due).context("the engine takes no attempt of a sample run")?;
        all.extend(units.get_mut(at).and_then(VecDeque::pop_front));
    }
    Ok(())
}

fn record_of(events: &[Event]) -> Result<(RunOutcome, usize)> {
    let (record, _) = record(events)?;
    let record = record.context("a run without a beginning")?;
    Ok((record.outcome, record.revisions.len()))
}

fn started(record: &RunRecord, followed: &[&RevisionRecord], links: usize) -> Value {
    let targets: Vec<Value> = followed
        .iter()
        .map(|revision| {
            json!({ "label": revision.label, "commit": COMMIT, "summary": revision.summary,
                    "published_s": revision.published_s, "withdrawn": false })
        })
        .collect();
    let chain: Vec<Value> = (0..links)
        .map(|at| {
            let name = record.translators.get(at).cloned().unwrap_or_else(|| format!("model-{at}"));
            json!({ "name": name, "route": if at == 0 { "verify_first" } else { "model" }, "attempts_max": 1 })
        })
        .collect();
    json!({ "event": "started", "header": {
        "run": record.run, "started_ms": record.started_ms, "tidelock": record.tidelock,
        "config_digest": "e8170fee944a706a8dfac5f35095f359", "port": record.port.name,
        "language": record.port.language, "branch": record.port.branch,
        "head": { "commit": COMMIT, "tree": TREE }, "source": record.upstream.source,
        "baseline": record.upstream.baseline_before, "targets": targets, "newest": record.upstream.newest,
        "lag": record.upstream.lag_before, "chain": chain, "confinement": record.confinement,
        "dry_run": false, "notices": record.notices,
    }})
}

fn planned(revision: &RevisionRecord) -> Value {
    let unit = |unit: &UnitRecord| {
        let mut record = json!(unit);
        record["attempts"] = json!([]);
        record["outcome"] = json!({ "outcome": "open" });
        json!({ "id": unit.id, "record": record })
    };
    let units: Vec<Value> = revision.units.iter().map(unit).collect();
    json!({ "event": "planned", "revision": revision.label, "at_ms": 1, "plan": {
        "class": revision.class, "changes": revision.changes, "dependencies": revision.dependencies,
        "files": revision.files, "skipped": revision.skipped, "units": units,
    }})
}

/// The attempts of a unit. What is parked was tried by every link of the chain.
fn attempted(unit: &UnitRecord, links: usize) -> Vec<Value> {
    let is_parked = matches!(unit.outcome, reports::record::UnitOutcome::Parked { .. });
    let is_edited = matches!(unit.outcome, reports::record::UnitOutcome::Translated { .. });
    let texts: Vec<&String> = unit.members.iter().map(|member| &member.port_after).collect();
    let event = |attempt: &AttemptRecord, result: Value, texts: &[&String]| json!({ "event": "attempted", "unit": unit.id, "record": attempt, "result": result, "port_after": texts });
    let last = unit.attempts.len().saturating_sub(1);
    let mut all: Vec<Value> = unit
        .attempts
        .iter()
        .enumerate()
        .map(|(at, attempt)| {
            if at == last && !is_parked {
                let answer = if is_edited { json!({ "answer": "edits", "edits": [] }) } else { Value::Null };
                let result = json!({ "result": "accepted", "tree": TREE, "answer": answer, "proofs": [], "lesson": null });
                event(attempt, result, &texts)
            } else {
                event(attempt, json!({ "result": "declined" }), &[])
            }
        })
        .collect();
    if is_parked && let Some(attempt) = unit.attempts.last() {
        while all.len() < links {
            all.push(event(attempt, json!({ "result": "declined" }), &[]));
        }
    }
    all
}

/// The gates of a revision, and those without which nothing passes.
fn gates(revision: &RevisionRecord, verdict: &str) -> Vec<GateRecord> {
    let mut gates = revision.gates.clone();
    if verdict == "pass" {
        for gate in &mut gates {
            gate.verdict = Verdict::Pass;
        }
        for needed in ["validity", "spec", "numeric"] {
            if !gates.iter().any(|gate| gate.gate == needed)
                && let Some(first) = revision.gates.first()
            {
                let evidence = Vec::new();
                gates.push(GateRecord {
                    gate: needed.to_owned(),
                    verdict: Verdict::Pass,
                    evidence,
                    ..first.clone()
                });
            }
        }
    }
    gates
}
