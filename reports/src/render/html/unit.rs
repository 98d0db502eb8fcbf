//! One work unit as the page shows it: why, what was tried, and both diffs.

use minijinja::Value;
use serde::Serialize;

use crate::diff::{DiffBounds, LineDiff, line_diff, unchanged, unified};
use crate::record::{AttemptRecord, MemberRecord, UnitOutcome, UnitRecord};
use crate::render::board::ByHand;
use crate::summary::checked;
use crate::visible;
use crate::words::{self, Sign, thousands};

use super::bounds::{Bounded, UNIT_ROWS_MAX, bounded};
use super::evidence::{
    CounterexampleView, EvidenceView, FindingView, counterexamples, evidence, evidence_line, findings,
};
use super::markup::{Numbers, code_table};

/// Where a page may send a reader for code that it does not show.
#[derive(Debug, Clone)]
pub(crate) struct CodePlaces {
    /// The revision's commit in the mirror.
    pub(crate) upstream: String,
    /// The commit that landed it; empty where none did.
    pub(crate) port: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct UnitView {
    pub(crate) anchor: String,
    pub(crate) id: String,
    kind: String,
    reason: String,
    pub(crate) sign: Sign,
    /// How far its items are known to behave alike, where it is settled.
    known: Option<Sign>,
    /// Who made what passed.
    origin: String,
    parked: Option<Parked>,
    members: Bounded<MemberView>,
    impacted: Bounded<String>,
    attempts: Bounded<AttemptView>,
    open: bool,
}

#[derive(Debug, Serialize)]
struct Parked {
    reason: String,
    needs: String,
}

#[derive(Debug, Serialize)]
struct MemberView {
    item: String,
    symbol: String,
    file: String,
    change: String,
    upstream: Pane,
    port: Pane,
    /// `+12 −3 upstream, +9 −4 port`, for the folded line.
    size: String,
}

#[derive(Debug, Serialize)]
struct Pane {
    code: Option<Value>,
    added: usize,
    removed: usize,
    /// What the pane says in place of, or about, a diff.
    note: String,
    /// How many lines are not shown and where they are; empty where all are.
    not_shown: String,
}

#[derive(Debug, Serialize)]
struct AttemptView {
    sign: Sign,
    route: String,
    origin: String,
    declined: String,
    effort: String,
    findings: Bounded<FindingView>,
    counterexamples: Bounded<CounterexampleView>,
    evidence: Bounded<EvidenceView>,
    evidence_line: String,
    diff: Option<Pane>,
}

/// What the page shows of a unit.
pub(crate) fn unit(unit: &UnitRecord, anchor: String, context: &UnitContext<'_>) -> UnitView {
    let (parked, origin) = match &unit.outcome {
        UnitOutcome::Parked { reason, needs } => {
            (Some(Parked { reason: visible::line(reason), needs: visible::line(needs) }), String::new())
        }
        UnitOutcome::Translated { origin, .. } => (None, visible::line(origin)),
        UnitOutcome::Open | UnitOutcome::Absorbed => (None, String::new()),
    };
    UnitView {
        anchor,
        id: visible::line(&unit.id),
        kind: words::plain(&unit.kind),
        reason: visible::line(&unit.reason),
        sign: words::unit(unit),
        known: match &unit.outcome {
            UnitOutcome::Absorbed | UnitOutcome::Translated { .. } => Some(words::proof(checked(unit))),
            UnitOutcome::Open | UnitOutcome::Parked { .. } => None,
        },
        origin,
        open: parked.is_some() || (context.few_units && unit.outcome != UnitOutcome::Absorbed),
        parked,
        members: bounded(&unit.members, UNIT_ROWS_MAX, |member| self::member(member, context)),
        impacted: bounded(&unit.impacted, UNIT_ROWS_MAX, |symbol| visible::line(symbol)),
        attempts: bounded(&unit.attempts, UNIT_ROWS_MAX, |attempt| self::attempt(attempt, context)),
    }
}

/// What units of one revision share.
#[derive(Debug)]
pub(crate) struct UnitContext<'a> {
    /// How much of each piece of code is shown.
    pub(crate) share: DiffBounds,
    /// Where the rest is.
    pub(crate) places: CodePlaces,
    /// Whether the page is short enough for open diffs.
    pub(crate) few_units: bool,
    /// What a person may run by hand, where the page can say.
    pub(crate) by_hand: Option<&'a dyn ByHand>,
}

fn member(member: &MemberRecord, context: &UnitContext<'_>) -> MemberView {
    let item = visible::line(&member.item);
    let symbol = visible::line(&member.symbol);
    let file = visible::line(&member.file);
    let places = &context.places;
    let port_place = match places.port.as_str() {
        "" => "in the JSON record".to_owned(),
        commit => format!("in {file} at {commit}"),
    };
    let upstream = pane(&Texts {
        before: &member.upstream_before,
        after: &member.upstream_after,
        title: format!("Upstream change of {item}"),
        same: "The item's own text did not change.",
        place: format!("at upstream commit {}", places.upstream),
        share: context.share,
    });
    let port = pane(&Texts {
        before: &member.port_before,
        after: &member.port_after,
        title: format!("Port change of {symbol}"),
        same: "No edit: the symbol stands as it was.",
        place: port_place,
        share: context.share,
    });
    let size =
        format!("+{} −{} upstream, +{} −{} port", upstream.added, upstream.removed, port.added, port.removed);
    MemberView { change: visible::line(&member.change), item, symbol, file, upstream, port, size }
}

struct Texts<'a> {
    before: &'a str,
    after: &'a str,
    title: String,
    same: &'static str,
    place: String,
    share: DiffBounds,
}

fn pane(texts: &Texts<'_>) -> Pane {
    let (before, after) = (texts.before, texts.after);
    let note = match (before.is_empty(), after.is_empty()) {
        (true, true) => "No text is recorded.",
        (false, false) if before == after => texts.same,
        (_, _) => "",
    };
    let diff =
        if before == after { unchanged(after, texts.share) } else { line_diff(before, after, texts.share) };
    shown(&diff, &texts.title, Numbers::BeforeAndAfter, (note, &texts.place))
}

fn shown(diff: &LineDiff, title: &str, numbers: Numbers, (note, place): (&str, &str)) -> Pane {
    let not_shown = match diff.not_shown {
        0 => String::new(),
        1 => format!("1 more line is not shown here; it is {place}."),
        lines => format!("{} more lines are not shown here; they are {place}.", thousands(lines as u64)),
    };
    Pane {
        code: (!diff.rows.is_empty()).then(|| code_table(diff, title, numbers)),
        added: diff.added,
        removed: diff.removed,
        note: note.to_owned(),
        not_shown,
    }
}

fn attempt(attempt: &AttemptRecord, context: &UnitContext<'_>) -> AttemptView {
    let diff = (!attempt.diff.is_empty()).then(|| {
        let diff = unified(&attempt.diff, context.share);
        shown(&diff, "The candidate's change to the port", Numbers::None, ("", "in the JSON record"))
    });
    AttemptView {
        sign: words::attempt(attempt),
        route: words::plain(&attempt.route),
        origin: visible::line(&attempt.origin),
        declined: attempt.declined.as_deref().map(visible::line).unwrap_or_default(),
        effort: effort(attempt),
        findings: findings(&attempt.findings),
        counterexamples: counterexamples(&attempt.counterexamples, context.by_hand),
        evidence: evidence(&attempt.evidence),
        evidence_line: evidence_line(&attempt.evidence),
        diff,
    }
}

fn effort(attempt: &AttemptRecord) -> String {
    let mut parts = vec![words::duration(attempt.duration_ms)];
    if attempt.input_tokens > 0 || attempt.output_tokens > 0 {
        parts.push(format!(
            "{} tokens sent, {} received",
            thousands(attempt.input_tokens),
            thousands(attempt.output_tokens)
        ));
        parts.push(attempt.cost_usd.map_or_else(|| "no price".to_owned(), words::cost));
    }
    parts.join(" · ")
}
