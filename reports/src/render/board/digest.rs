//! What lists and charts need of a run: small enough that those of ten thousand runs are kept in memory.

use serde::Serialize;

use crate::attention::attention;
use crate::record::{RunOutcome, RunRecord};
use crate::render::facts::headline;
use crate::render::html::view::unit_anchor;
use crate::summary::{ProofCounts, Summary, UnitCounts, VerdictCounts, standing_evidence};
use crate::words::{self, Sign};

/// Characters that a digest keeps of one text. The page of the run has all of it.
const TEXT_CHARS_MAX: usize = 300;

/// Revisions, and things that wait, that a digest keeps of one run, the last ones.
const ROWS_MAX: usize = 200;

/// A run in short.
#[derive(Debug, Clone, Serialize)]
pub struct RunDigest {
    /// The run's name.
    pub run: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// When it ended; `None` while it has not.
    pub finished_ms: Option<i64>,
    /// How it ended, as the record says.
    pub outcome: RunOutcome,
    /// Whether it was given up, so that it never ends.
    pub abandoned: bool,
    /// The same as people read it.
    pub(crate) sign: Sign,
    /// The run in one sentence.
    pub(crate) headline: String,
    /// The upstream as configured.
    pub source: String,
    /// The port's language.
    pub language: String,
    /// The baseline after the run.
    pub baseline: String,
    /// The newest revision that the run saw.
    pub newest: String,
    /// Revisions behind after the run.
    pub lag: u32,
    /// Its units, by how they ended.
    pub(crate) units: UnitCounts,
    /// Its gates, by verdict.
    pub(crate) gates: VerdictCounts,
    /// Its revisions, oldest first.
    pub revisions: Vec<RevisionDigest>,
    /// What it left for a person.
    pub(crate) waiting: Vec<WaitingDigest>,
    /// What was spent on models.
    pub(crate) spend: Vec<Spend>,
    /// Whether it has benchmarks.
    pub has_benches: bool,
}

/// A revision in short.
#[derive(Debug, Clone, Serialize)]
pub struct RevisionDigest {
    /// What people call it.
    pub label: String,
    /// Its place in the record, as pages link to it.
    pub(crate) anchor: String,
    pub(crate) sign: Sign,
    pub(crate) class: String,
    /// When it was published, in seconds since the Unix epoch.
    pub(crate) published_s: Option<i64>,
    pub(crate) units: UnitCounts,
    pub(crate) proof: ProofCounts,
    /// The commit that landed it, in short.
    pub(crate) landed: String,
    pub(crate) took_ms: u64,
}

/// Something that a run left for a person.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WaitingDigest {
    pub(crate) sign: Sign,
    pub(crate) subject: String,
    /// The items of the unit, where it is one.
    pub(crate) items: Vec<String>,
    /// The unit's page, or the revision's place on the run's page where it is no unit.
    pub(crate) unit: Option<String>,
    pub(crate) revision: String,
    pub(crate) reason: String,
    pub(crate) needs: String,
}

/// What was spent on one model in one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Spend {
    pub(crate) model: String,
    pub(crate) requests: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// Dollars, of the requests that have a price.
    pub(crate) cost_usd: Option<f64>,
    /// Requests without a price.
    pub(crate) unpriced: u64,
}

impl RunDigest {
    /// Reads a record. `abandoned` says whether the journal gave the run up.
    pub fn of(record: &RunRecord, abandoned: bool) -> Self {
        let summary = Summary::of(record);
        let skipped = record.revisions.len().saturating_sub(ROWS_MAX);
        let revisions = record.revisions.iter().enumerate().skip(skipped);
        let sign = if abandoned {
            Sign { glyph: "–", word: "given up".to_owned(), tone: "calm" }
        } else {
            words::outcome(record.outcome)
        };
        Self {
            run: record.run.clone(),
            started_ms: record.started_ms,
            finished_ms: record.finished_ms,
            outcome: record.outcome,
            abandoned,
            sign,
            headline: cut(&headline(record, &summary)),
            source: cut(&record.upstream.source),
            language: cut(&record.port.language),
            baseline: cut(&record.upstream.baseline_after),
            newest: cut(&record.upstream.newest),
            lag: record.upstream.lag_after,
            units: summary.units,
            gates: summary.gates,
            revisions: revisions.map(|(at, revision)| self::revision(at, revision)).collect(),
            waiting: waiting(record),
            spend: spend(record),
            has_benches: record.revisions.iter().flat_map(|revision| &revision.gates).any(has_benches),
        }
    }
}

fn has_benches(gate: &crate::record::GateRecord) -> bool {
    !gate.benches.is_empty()
}

fn revision(at: usize, revision: &crate::record::RevisionRecord) -> RevisionDigest {
    let mut proof = ProofCounts::default();
    for row in standing_evidence(revision) {
        use crate::record::ProofLevel as P;
        let slot = match row.proof {
            P::Proved => &mut proof.proved,
            P::Tested => &mut proof.tested,
            P::MappedOnly => &mut proof.mapped_only,
            P::Unknown => &mut proof.unknown,
        };
        *slot += 1;
    }
    RevisionDigest {
        label: cut(&revision.label),
        anchor: format!("r{}", at + 1),
        sign: words::revision(revision),
        class: words::plain(&cut(&revision.class)),
        published_s: revision.published_s,
        units: UnitCounts::of(&revision.units),
        proof,
        landed: revision.landed.as_ref().map(|landed| words::short(&landed.commit)).unwrap_or_default(),
        took_ms: revision.duration_ms,
    }
}

fn waiting(record: &RunRecord) -> Vec<WaitingDigest> {
    let digest = |item: crate::attention::Attention| {
        let revision = item.place.and_then(|place| record.revisions.get(place.revision));
        let unit = item.place.and_then(|place| place.unit.map(|unit| unit_anchor(place.revision, unit)));
        let planned = item.place.and_then(|place| revision?.units.get(place.unit?));
        let items = planned.map(|unit| unit.members.iter().take(ROWS_MAX));
        WaitingDigest {
            sign: item.sign,
            subject: cut(&item.subject),
            items: items.into_iter().flatten().map(|member| member.item.clone()).collect(),
            unit,
            revision: cut(item.since.as_deref().or(revision.map(|of| of.label.as_str())).unwrap_or_default()),
            reason: cut(&item.reason),
            needs: cut(&item.needs),
        }
    };
    attention(record).into_iter().take(ROWS_MAX).map(digest).collect()
}

/// By model, in the order in which they were first asked. What used no tokens was no model.
fn spend(record: &RunRecord) -> Vec<Spend> {
    let mut all: Vec<Spend> = Vec::new();
    let attempts =
        record.revisions.iter().flat_map(|revision| &revision.units).flat_map(|unit| &unit.attempts);
    for attempt in attempts.filter(|attempt| attempt.input_tokens > 0 || attempt.output_tokens > 0) {
        let model = cut(&attempt.origin);
        if !all.iter().any(|known| known.model == model) {
            let (requests, input_tokens, output_tokens, unpriced) = (0, 0, 0, 0);
            let model = model.clone();
            all.push(Spend { model, requests, input_tokens, output_tokens, cost_usd: None, unpriced });
        }
        let Some(of) = all.iter_mut().find(|known| known.model == model) else { continue };
        of.requests += 1;
        of.input_tokens = of.input_tokens.saturating_add(attempt.input_tokens);
        of.output_tokens = of.output_tokens.saturating_add(attempt.output_tokens);
        match attempt.cost_usd {
            Some(cost) => of.cost_usd = Some(of.cost_usd.unwrap_or(0.0) + cost),
            None => of.unpriced += 1,
        }
    }
    all
}

fn cut(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(TEXT_CHARS_MAX).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_digest_keeps_what_waits_with_its_place_and_what_models_took() {
        let digest = RunDigest::of(&sample::parked(), false);
        assert_eq!(digest.waiting[0].unit.as_deref(), Some("r4-u1"));
        assert!(digest.waiting[0].items.contains(&"tinytext::wrap".to_owned()), "{:?}", digest.waiting);
        assert_eq!(digest.revisions.len(), 5);
        let summary = Summary::of(&sample::parked());
        let tokens: u64 = digest.spend.iter().map(|spend| spend.input_tokens).sum();
        assert_eq!(tokens, summary.input_tokens);
        assert!(tokens > 0);
    }

    #[test]
    fn long_foreign_texts_are_cut() {
        let mut record = sample::done();
        record.upstream.source = "x".repeat(100_000);
        assert_eq!(RunDigest::of(&record, false).source.chars().count(), TEXT_CHARS_MAX + 1);
    }
}
