//! What the page shows, as plain values for the template: visible texts, signs, anchors, drawn figures.

use serde::Serialize;

use crate::attention::{Place, attention, next_step};
use crate::diff::DiffBounds;
use crate::record::{ChangeRow, Landed, RevisionRecord, RunRecord, Verdict};
use crate::render::board::ByHand;
use crate::render::facts::{facts, headline, probe_mix, source_words, upstream_name};
use crate::summary::{ProbeCounts, Summary, UnitCounts, standing_evidence};
use crate::visible;
use crate::words::{self, Sign, thousands};

use super::bounds::{
    Bounded, REVISIONS_MAX, ROWS_MAX, UNIT_ROWS_MAX, UNITS_MAX, UNITS_OPEN_MAX, bounded, code_share,
};
use super::evidence::{CounterexampleView, GateView, counterexample, gates};
use super::unit::{CodePlaces, UnitContext, UnitView, unit};

#[derive(Debug, Serialize)]
pub(crate) struct Page {
    port: String,
    language: String,
    upstream: String,
    source: String,
    sign: Sign,
    headline: String,
    next: &'static str,
    facts: Vec<FactView>,
    mix: Vec<Share>,
    attention: Bounded<AttentionView>,
    notices: Bounded<NoticeView>,
    revisions: Bounded<RevisionView>,
    items: Bounded<ItemView>,
    run: String,
    tidelock: String,
    branch: String,
    head_before: String,
    head_after: String,
    tree_after: String,
    translators: String,
    confinement: String,
}

#[derive(Debug, Serialize)]
struct FactView {
    label: &'static str,
    value: String,
}

/// One part of a bar.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Share {
    number: String,
    /// The number as the bar's weight.
    pub(crate) weight: u64,
    word: &'static str,
    class: &'static str,
}

#[derive(Debug, Serialize)]
struct AttentionView {
    sign: Sign,
    anchor: String,
    revision: String,
    since: String,
    subject: String,
    reason: String,
    tried: Bounded<TriedView>,
    needs: String,
    example: Option<CounterexampleView>,
}

/// One attempt at what is parked, in short.
#[derive(Debug, Serialize)]
struct TriedView {
    who: String,
    what: String,
}

#[derive(Debug, Serialize)]
struct NoticeView {
    code: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct RevisionView {
    anchor: String,
    label: String,
    summary: String,
    commit: String,
    published: String,
    class: String,
    sign: Sign,
    reason: String,
    took: String,
    mix: Vec<Share>,
    probes: String,
    changes: Bounded<ChangeView>,
    tests: Bounded<ChangeView>,
    dependencies: Bounded<String>,
    files: Bounded<String>,
    skipped: Bounded<SkippedView>,
    units: Vec<UnitView>,
    units_more: usize,
    gates: Bounded<GateView>,
    gates_trouble: bool,
    landed: Option<LandedView>,
}

#[derive(Debug, Serialize)]
struct ChangeView {
    item: String,
    kind: String,
    change: String,
}

#[derive(Debug, Serialize)]
struct SkippedView {
    item: String,
    change: String,
    why: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct LandedView {
    commit: String,
    tree: String,
    files: Bounded<String>,
}

#[derive(Debug, Serialize)]
struct ItemView {
    item: String,
    symbol: String,
    proof: Sign,
    harvested: String,
    generated: String,
    agreed: String,
    disagreed: String,
    blocked: String,
}

/// Everything that the template places.
pub(crate) fn page(record: &RunRecord) -> Page {
    page_with(record, code_share(record), None)
}

/// The same without any code, for a page that links to a page for each unit.
pub(crate) fn outline(record: &RunRecord, by_hand: Option<&dyn ByHand>) -> Page {
    page_with(record, DiffBounds { lines_read: 0, rows: 0, bytes: 0 }, by_hand)
}

fn page_with(record: &RunRecord, share: DiffBounds, by_hand: Option<&dyn ByHand>) -> Page {
    let summary = Summary::of(record);
    let revisions = revisions(record, share, by_hand);
    Page {
        port: visible::line(&record.port.name),
        language: visible::line(&record.port.language),
        upstream: upstream_name(record),
        source: source_words(&record.upstream.source),
        sign: words::outcome(record.outcome),
        headline: headline(record, &summary),
        next: next_step(record.outcome),
        facts: facts(record, &summary)
            .into_iter()
            .map(|fact| FactView { label: fact.label, value: fact.value })
            .collect(),
        mix: shares(&summary.units),
        attention: attention_views(record, &revisions),
        notices: bounded(&record.notices, ROWS_MAX, |notice| NoticeView {
            code: words::plain(&notice.code),
            text: visible::line(&notice.text),
        }),
        revisions,
        items: items(&summary),
        run: visible::line(&record.run),
        tidelock: visible::line(&record.tidelock),
        branch: visible::line(&record.port.branch),
        head_before: words::short(&record.port.head_before),
        head_after: words::short(&record.port.head_after),
        tree_after: words::short(&record.port.tree_after),
        translators: record.translators.iter().map(|name| visible::line(name)).collect::<Vec<_>>().join(", "),
        confinement: visible::line(&record.confinement),
    }
}

pub(crate) fn shares(units: &UnitCounts) -> Vec<Share> {
    let parts = [
        (units.absorbed_proved, "no edit needed (proved)", "m-absorbed"),
        (units.absorbed_tested, "no edit needed (tested)", "m-tested"),
        (units.absorbed_unchecked, "no edit, not compared", "m-open"),
        (units.rule, "by rule", "m-rule"),
        (units.memory, "from memory", "m-memory"),
        (units.model, "by model", "m-model"),
        (units.other, "otherwise", "m-open"),
        (units.parked, "parked", "m-parked"),
        (units.open, "open", "m-open"),
    ];
    let parts = parts.into_iter().filter(|(weight, ..)| *weight > 0);
    parts.map(|(weight, word, class)| Share { number: thousands(weight), weight, word, class }).collect()
}

/// Things that need a person, each with a link to where the page shows it, if it does.
fn attention_views(record: &RunRecord, shown: &Bounded<RevisionView>) -> Bounded<AttentionView> {
    bounded(&attention(record), ROWS_MAX, |item| {
        let revision = item.place.and_then(|place| record.revisions.get(place.revision));
        AttentionView {
            sign: item.sign.clone(),
            anchor: item.place.map(|place| anchor(place, shown)).unwrap_or_default(),
            revision: revision.map(|revision| visible::line(&revision.label)).unwrap_or_default(),
            since: item.since.as_deref().map(visible::line).unwrap_or_default(),
            subject: visible::line(&item.subject),
            reason: visible::line(&item.reason),
            tried: bounded(&item.tried, UNIT_ROWS_MAX, |tried| TriedView {
                who: tried.who.clone(),
                what: visible::line(&tried.what),
            }),
            needs: visible::line(&item.needs),
            example: item.example.as_ref().map(|example| counterexample(example, None)),
        }
    })
}

fn anchor(place: Place, shown: &Bounded<RevisionView>) -> String {
    match (shown.rows.get(place.revision), place.unit) {
        (None, _) => String::new(),
        (Some(revision), None) => format!("{}-gates", revision.anchor),
        (Some(revision), Some(unit)) => match revision.units.get(unit) {
            Some(unit) => unit.anchor.clone(),
            None => revision.anchor.clone(),
        },
    }
}

fn revision_anchor(revision: usize) -> String {
    format!("r{}", revision + 1)
}

pub(crate) fn unit_anchor(revision: usize, unit: usize) -> String {
    format!("r{}-u{}", revision + 1, unit + 1)
}

fn revisions(record: &RunRecord, share: DiffBounds, by_hand: Option<&dyn ByHand>) -> Bounded<RevisionView> {
    let units_total: usize = record.revisions.iter().map(|revision| revision.units.len()).sum();
    let mut units_left = UNITS_MAX;
    let mut at = 0;
    bounded(&record.revisions, REVISIONS_MAX, |revision| {
        at += 1;
        let shown = revision.units.len().min(units_left);
        units_left -= shown;
        let context = UnitContext {
            share,
            places: CodePlaces {
                upstream: words::short(&revision.commit),
                port: revision.landed.as_ref().map(|landed| words::short(&landed.commit)).unwrap_or_default(),
            },
            few_units: units_total <= UNITS_OPEN_MAX,
            by_hand,
        };
        self::revision(revision, at - 1, shown, &context)
    })
}

fn revision(
    revision: &RevisionRecord,
    at: usize,
    units_shown: usize,
    context: &UnitContext<'_>,
) -> RevisionView {
    let (tests, changes): (Vec<_>, Vec<_>) = revision.changes.iter().partition(|change| change.is_test);
    let lines = |list: &[String]| bounded(list, ROWS_MAX, |line| visible::line(line));
    let units = revision.units.iter().take(units_shown).enumerate();
    RevisionView {
        anchor: revision_anchor(at),
        label: visible::line(&revision.label),
        summary: visible::line(&revision.summary),
        commit: words::short(&revision.commit),
        published: revision.published_s.and_then(words::date).unwrap_or_default(),
        class: words::plain(&revision.class),
        sign: words::revision(revision),
        reason: visible::block(&revision.reason),
        took: words::duration(revision.duration_ms),
        mix: shares(&UnitCounts::of(&revision.units)),
        probes: probe_mix(&ProbeCounts::of(standing_evidence(revision))).unwrap_or_default(),
        changes: bounded(&changes, ROWS_MAX, |change| change_view(change)),
        tests: bounded(&tests, ROWS_MAX, |change| change_view(change)),
        dependencies: lines(&revision.dependencies),
        files: lines(&revision.files),
        skipped: bounded(&revision.skipped, ROWS_MAX, |skipped| SkippedView {
            item: visible::line(&skipped.item),
            change: visible::line(&skipped.change),
            why: words::plain(&skipped.why),
            reason: visible::line(&skipped.reason),
        }),
        units: units.map(|(unit_at, record)| unit(record, unit_anchor(at, unit_at), context)).collect(),
        units_more: revision.units.len() - units_shown,
        gates: gates(&revision.gates, context.by_hand),
        gates_trouble: revision.gates.iter().any(|gate| gate.verdict != Verdict::Pass),
        landed: revision.landed.as_ref().map(landed),
    }
}

fn change_view(change: &ChangeRow) -> ChangeView {
    ChangeView {
        item: visible::line(&change.item),
        kind: words::plain(&change.kind),
        change: visible::line(&change.change),
    }
}

fn landed(landed: &Landed) -> LandedView {
    LandedView {
        commit: visible::line(&landed.commit),
        tree: visible::line(&landed.tree),
        files: bounded(&landed.files, ROWS_MAX, |file| visible::line(file)),
    }
}

fn items(summary: &Summary) -> Bounded<ItemView> {
    bounded(&summary.probes_by_item, ROWS_MAX, |item| ItemView {
        item: visible::line(&item.item),
        symbol: visible::line(&item.symbol),
        proof: words::proof(item.proof),
        harvested: thousands(item.probes.harvested),
        generated: thousands(item.probes.generated),
        agreed: thousands(item.probes.agreed),
        disagreed: thousands(item.probes.disagreed),
        blocked: thousands(item.probes.blocked),
    })
}
