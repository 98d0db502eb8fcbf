//! What came of a port's beginning: what is proved, tested, mapped only and missing, and what it cost.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::anyhow;
use mappings::bootstrap::NOT_YET;
use mappings::{Lock, Placement, Proof, SkipReason, is_bench_function};
use port::repo::BranchHead;
use reports::record::{AttemptRecord, UnitRecord};
use reports::{RunRecord, count, visible_line};
use serde::Serialize;
use upstream::{Item, ItemKind, ItemPath, Snapshot};

use super::super::{CliError, Context, ExitCode, session_error};
use super::choice;
use super::portions::Ran;
use crate::session::Session;

/// How many waiting items are named as text.
const NAMED_MAX: usize = 20;

/// How far a set of items is ported. Each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Share {
    /// All of them, those aside that a rule leaves out.
    of: usize,
    /// Compared on probes, and they agreed.
    proved: usize,
    /// Reached by tests or by probes of callers only.
    tested: usize,
    /// In the port, and not checked.
    mapped_only: usize,
    /// Waiting, or without a place.
    missing: usize,
}

impl Share {
    fn add(&mut self, proof: Option<Proof>) {
        self.of += 1;
        *(match proof {
            Some(Proof::Proved) => &mut self.proved,
            Some(Proof::Tested) => &mut self.tested,
            Some(Proof::MappedOnly | Proof::Unknown) => &mut self.mapped_only,
            None => &mut self.missing,
        }) += 1;
    }
}

/// What a port's beginning cost so far, over all commands.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Cost {
    /// Runs, one for each portion.
    runs: usize,
    /// Answers of models.
    model_answers: usize,
    /// Tokens that models were sent.
    input_tokens: u64,
    /// Tokens that models wrote.
    output_tokens: u64,
    /// United States dollars, where the models have a price.
    usd: f64,
    /// How long the runs took, in milliseconds.
    duration_ms: u64,
}

/// An item that is not in the port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    /// The item.
    item: String,
    /// Why.
    reason: String,
}

/// What `tidelock bootstrap --format json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    /// The folder of the port.
    folder: String,
    /// The upstream as the configuration has it.
    source: String,
    /// The revision that is ported.
    revision: String,
    /// All code of the crate.
    items: Share,
    /// Of it, what users of the crate can call or name.
    public: Share,
    /// The upstream's own tests; `tested` are those that are in the port and pass there.
    tests: Share,
    /// Items that rules leave out with a reason.
    left_out: usize,
    /// Lines of the port's package that hold anything.
    lines: usize,
    /// Tokens of models, sent and written, for each line of the package.
    tokens_per_line: f64,
    /// How many units each kind of translator wrote: `rule`, `memory`, `model`.
    translated: BTreeMap<String, usize>,
    /// What it cost.
    cost: Cost,
    /// The budget that ended it, where one did.
    budget: Option<String>,
    /// What is not in the port, by item.
    missing: Vec<Missing>,
}

/// Tells it, and says how the command ends.
pub(super) fn tell(context: &Context, session: &Session, ran: &Ran) -> Result<ExitCode, CliError> {
    let head = session.head().map_err(session_error)?;
    let lock = session.lock(&head.tree).map_err(session_error)?;
    let revision = session.revision(lock.baseline.as_str()).map_err(session_error)?;
    let snapshot = session.snapshot(&revision).map_err(session_error)?;
    let told = told(session, &head, &lock, &snapshot, ran)?;
    if context.format.is_json() {
        context.json(&told)?;
    } else {
        context.console.say("");
        context.console.data(&text(&told));
    }
    let is_whole = lock.parked.is_empty();
    Ok(match (is_whole, ran.portions) {
        (true, 0) => ExitCode::NothingToDo,
        (true, _) => ExitCode::Done,
        (false, _) => ExitCode::Parked,
    })
}

fn told(
    session: &Session,
    head: &BranchHead,
    lock: &Lock,
    snapshot: &Snapshot,
    ran: &Ran,
) -> Result<Told, CliError> {
    // What was refused says more than that a rule has no answer.
    let mut reasons = choice::reasons(session, &snapshot.revision)?;
    reasons.extend(self::reasons(&ran.records));
    let (mut items, mut public, mut tests, mut left_out) = <(Share, Share, Share, usize)>::default();
    let mut missing = Vec::new();
    for (path, item) in &snapshot.items {
        let proof = lock.links.get(path).map(|link| link.proof);
        let placement = session.settings.mapping.place(item).map_err(CliError::usage)?;
        let why = match (&placement, proof) {
            (_, Some(_)) => None,
            (Placement::Mapped { .. }, None) if lock.parked.contains_key(path) => {
                Some(waiting(lock, path, &reasons))
            }
            // What helps tests, and what the upstream hides where that was asked for.
            (Placement::Mapped { .. }, None) => continue,
            (Placement::Skipped { why: SkipReason::Unmapped, reason, .. }, None) => {
                // Benchmarks are no tests: nobody asks whether they pass.
                if session.settings.mapping.needs_no_symbol(item).is_some() || is_bench_function(item) {
                    continue;
                }
                Some(reason.clone())
            }
            (Placement::Skipped { why: SkipReason::NoCounterpart, .. }, None) => continue,
            (Placement::Skipped { .. }, None) => {
                left_out += 1;
                continue;
            }
        };
        let share = if item.is_test { &mut tests } else { &mut items };
        share.add(proof);
        if is_public(item) {
            public.add(proof);
        }
        missing.extend(why.map(|reason| Missing { item: path.to_string(), reason }));
    }
    let cost = cost(&ran.records);
    let lines = lines(session, head)?;
    let tokens = cost.input_tokens.saturating_add(cost.output_tokens);
    Ok(Told {
        folder: session.settings.root.display().to_string(),
        source: lock.source.clone(),
        revision: lock.baseline.to_string(),
        items,
        public,
        tests,
        left_out,
        lines,
        tokens_per_line: ratio(tokens, lines),
        translated: translated(&ran.records),
        cost,
        budget: ran.budget.clone(),
        missing,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people; no port has 2^52 lines")]
fn ratio(tokens: u64, lines: usize) -> f64 {
    if lines == 0 { 0.0 } else { tokens as f64 / lines as f64 }
}

/// What users of the crate can call, make or name: not what traits ask for, which is reached through them.
fn is_public(item: &Item) -> bool {
    let is_named = match item.kind {
        ItemKind::Function
        | ItemKind::Method
        | ItemKind::Struct
        | ItemKind::Enum
        | ItemKind::Union
        | ItemKind::Trait
        | ItemKind::Const
        | ItemKind::Static
        | ItemKind::TypeAlias => true,
        ItemKind::Impl | ItemKind::Macro | ItemKind::Module => false,
    };
    item.exported && !item.is_test && is_named
}

/// Why an item waits: the last word of those who were asked, where it is known on this machine.
fn waiting(lock: &Lock, path: &ItemPath, reasons: &BTreeMap<String, String>) -> String {
    let kept = lock.parked.get(path).map(|parked| parked.reason.clone()).unwrap_or_default();
    match reasons.get(path.as_str()) {
        Some(reason) => reason.clone(),
        None if kept == NOT_YET => format!("{NOT_YET}: nobody was asked, or what it uses waits"),
        None => kept,
    }
}

fn units(records: &[RunRecord]) -> impl Iterator<Item = &UnitRecord> {
    records.iter().flat_map(|record| &record.revisions).flat_map(|revision| &revision.units)
}

/// The last reason against each item.
fn reasons(records: &[RunRecord]) -> BTreeMap<String, String> {
    let mut reasons = BTreeMap::new();
    for unit in units(records) {
        let said = unit.attempts.iter().rev().find_map(said);
        let Some(said) = said else { continue };
        for member in &unit.members {
            reasons.insert(member.item.clone(), said.clone());
        }
    }
    // A portion that the gate refused as a whole says more than its units do.
    for record in records {
        for revision in &record.revisions {
            let failed = revision.gates.iter().find(|gate| gate.verdict != reports::Verdict::Pass);
            if let (Some(gate), [unit]) = (failed, revision.units.as_slice()) {
                let reason = format!("the gate `{}` refused it: {}", gate.gate, gate.reason);
                for member in &unit.members {
                    reasons.insert(member.item.clone(), reason.clone());
                }
            }
        }
    }
    reasons
}

fn said(attempt: &AttemptRecord) -> Option<String> {
    let found = attempt.findings.first().map(|finding| finding.text.clone());
    // What the memory has not says nothing about the item.
    let declined = attempt.declined.clone().filter(|_| attempt.route == "model");
    found.or(declined)
}

fn translated(records: &[RunRecord]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        for revision in record.revisions.iter().filter(|revision| revision.landed.is_some()) {
            for unit in &revision.units {
                if let reports::record::UnitOutcome::Translated { route, .. } = &unit.outcome {
                    *counts.entry(route.clone()).or_default() += 1;
                }
            }
        }
    }
    counts
}

fn cost(records: &[RunRecord]) -> Cost {
    let mut cost = Cost { runs: records.len(), ..Cost::default() };
    for record in records {
        let took = record.finished_ms.map_or(0, |end| end - record.started_ms);
        cost.duration_ms = cost.duration_ms.saturating_add(u64::try_from(took).unwrap_or_default());
    }
    for attempt in units(records).flat_map(|unit| &unit.attempts) {
        let asked = attempt.input_tokens + attempt.output_tokens > 0;
        cost.model_answers += usize::from(attempt.route == "model" && (asked || attempt.verdict.is_some()));
        cost.input_tokens = cost.input_tokens.saturating_add(attempt.input_tokens);
        cost.output_tokens = cost.output_tokens.saturating_add(attempt.output_tokens);
        cost.usd += attempt.cost_usd.unwrap_or_default();
    }
    cost
}

/// The lines of the package that hold anything.
fn lines(session: &Session, head: &BranchHead) -> Result<usize, CliError> {
    let files = session.port.files(&head.tree).map_err(|error| anyhow!(error))?;
    let symbols = session.symbols(&head.tree).map_err(session_error)?;
    let code: std::collections::BTreeSet<&str> = symbols
        .symbols
        .values()
        .filter(|symbol| !symbol.is_test)
        .map(|symbol| symbol.file.as_str())
        .collect();
    let texts = files.iter().filter(|file| code.contains(file.path.as_str()));
    let held = texts.filter_map(|file| session.port_text(&head.tree, &file.path));
    Ok(held.map(|text| text.lines().filter(|line| !line.trim().is_empty()).count()).sum())
}

fn text(told: &Told) -> String {
    let mut text = format!("{} at {} in {}\n\n", told.source, told.revision, told.folder);
    let share = |share: &Share| {
        format!(
            "{:>5}   {:>6} {:>6} {:>6} {:>7}",
            share.of, share.proved, share.tested, share.mapped_only, share.missing
        )
    };
    writeln!(text, "               all   proved tested mapped missing").expect("a text takes anything");
    for (name, of) in [("items", &told.items), ("public items", &told.public), ("tests", &told.tests)] {
        writeln!(text, "{name:<12} {}", share(of)).expect("a text takes anything");
    }
    let seconds = told.cost.duration_ms / 1000;
    write!(
        text,
        "\n{} of code; {}, {seconds} s; {}: {} tokens sent, {} received, {:.2} USD, {:.1} tokens a line\n",
        count(told.lines as u64, "line"),
        count(told.cost.runs as u64, "run"),
        count(told.cost.model_answers as u64, "model answer"),
        told.cost.input_tokens,
        told.cost.output_tokens,
        told.cost.usd,
        told.tokens_per_line,
    )
    .expect("a text takes anything");
    if told.left_out > 0 {
        writeln!(text, "left out by rules: {}", count(told.left_out as u64, "item"))
            .expect("a text takes anything");
    }
    if let Some(budget) = &told.budget {
        writeln!(text, "stopped: {budget}; the same command goes on when there is money again")
            .expect("a text takes anything");
    }
    if !told.missing.is_empty() {
        text.push_str("\nnot in the port:\n");
    }
    for missing in told.missing.iter().take(NAMED_MAX) {
        writeln!(text, "  {}: {}", missing.item, visible_line(&missing.reason))
            .expect("a text takes anything");
    }
    if told.missing.len() > NAMED_MAX {
        writeln!(text, "  and {} more: `--format json` names all", told.missing.len() - NAMED_MAX)
            .expect("a text takes anything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_counted_apart_and_once() {
        let mut share = Share::default();
        for proof in [Some(Proof::Proved), Some(Proof::Tested), Some(Proof::MappedOnly), None, None] {
            share.add(proof);
        }
        assert_eq!(share, Share { of: 5, proved: 1, tested: 1, mapped_only: 1, missing: 2 });
        assert!(ratio(100, 0).abs() < f64::EPSILON && (ratio(100, 50) - 2.0).abs() < f64::EPSILON);
    }
}
