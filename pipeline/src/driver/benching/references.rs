//! Runs of a reference that did not change, kept by task and used again: conditions, sentinels, and what
//! happens where they do not hold. The rules are in `port::bench::decide::cache`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use port::bench::decide::cache::{CacheKey, Unusable, sentinel_p_value, sentinels_agree, usable};
use port::bench::decide::{Evidence, StoredReference, StoredScore, TaskPairs};
use port::bench::run::{
    CompareRequest, Comparison, Fingerprint, Header, Journal, Kind, PairRow, StopRule, Tally,
};
use serde::{Deserialize, Serialize};

use super::records::Records;
use super::{Benching, Pairing, mode_name};
use crate::config::bench::{BenchKind, BenchRole};
use crate::progress::Progress;

/// The most runs of a task that are kept: more hardly make its mean any surer.
const RUNS_MAX: usize = 20;

/// Runs of the reference in one pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredRow {
    /// What they were made with.
    pub(super) key: CacheKey,
    /// The comparison and the pair, so that none is stored twice.
    pub(super) journal: String,
    pub(super) pair: usize,
    /// When they ended, in milliseconds since the Unix epoch.
    pub(super) at_ms: i64,
    pub(super) what: What,
}

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// Scores by task.
    Runs(BTreeMap<String, f64>),
    /// Scores by task of runs beside stored ones, each with the stored mean. They only watch: means that
    /// took them up would follow a world that moves.
    Sentinels(BTreeMap<String, (f64, f64)>),
    /// Everything before serves no longer.
    Dropped,
}

impl Records {
    fn reference_name(pairing: &Pairing<'_>) -> String {
        let short = pairing.reference.name().get(..12).unwrap_or_default();
        format!("references/{}-{}-{short}", pairing.bench.name, mode_name(pairing.mode))
    }
}

/// What stored rows come to for a comparison; nothing, with the reason, where they do not serve.
fn stored_reference(
    rows: &[StoredRow],
    wanted: &CacheKey,
    journal: &str,
    now_ms: i64,
) -> (StoredReference, Option<Unusable>) {
    let mut unusable = None;
    let mut runs: BTreeMap<&str, (Vec<f64>, i64)> = BTreeMap::new();
    let mut sentinels = TaskPairs::default();
    for row in rows {
        if let Err(reason) = usable(&row.key, row.at_ms, wanted, now_ms) {
            unusable = Some(reason);
            continue;
        }
        match &row.what {
            What::Runs(scores) => {
                for (task, score) in scores {
                    let (all, oldest_ms) = runs.entry(task).or_insert((Vec::new(), row.at_ms));
                    all.push(*score);
                    *oldest_ms = row.at_ms.min(*oldest_ms);
                }
            }
            What::Sentinels(scores) if row.journal != journal => {
                for (fresh, stored) in scores.values() {
                    sentinels.add(*fresh, *stored);
                }
            }
            // Its own are told by the comparison itself.
            What::Sentinels(_) => {}
            What::Dropped => {
                runs.clear();
                sentinels = TaskPairs::default();
            }
        }
    }
    let scores: BTreeMap<String, StoredScore> = runs
        .into_iter()
        .filter_map(|(task, (all, oldest_ms))| Some((task.to_owned(), StoredScore::of(&all, oldest_ms)?)))
        .collect();
    let unusable = unusable.filter(|_| scores.is_empty());
    (StoredReference { scores, sentinels }, unusable)
}

/// The rows of a journal that are worth keeping and are not kept yet.
fn new_rows(known: &[StoredRow], key: &CacheKey, journal: &str, pairs: &[PairRow]) -> Vec<StoredRow> {
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kept: BTreeSet<usize> = BTreeSet::new();
    for row in known {
        if row.journal == journal {
            kept.insert(row.pair);
        }
        match &row.what {
            What::Runs(scores) if row.key == *key => {
                for task in scores.keys() {
                    *held.entry(task).or_default() += 1;
                }
            }
            What::Dropped => held.clear(),
            What::Runs(_) | What::Sentinels(_) => {}
        }
    }
    let mut new = Vec::new();
    for pair in pairs.iter().filter(|pair| pair.dropped.is_none() && !kept.contains(&pair.pair)) {
        let what = if pair.stored.is_empty() {
            let scarce = |task: &String| held.get(task.as_str()).is_none_or(|runs| *runs < RUNS_MAX);
            if !pair.reference.keys().any(scarce) {
                continue;
            }
            for task in pair.reference.keys() {
                *held.entry(task).or_default() += 1;
            }
            What::Runs(pair.reference.clone())
        } else {
            let beside =
                |(task, fresh): (&String, &f64)| Some((task.clone(), (*fresh, pair.stored.get(task)?.mean)));
            What::Sentinels(pair.sentinel.iter().filter_map(beside).collect())
        };
        if what != What::Sentinels(BTreeMap::new()) {
            let journal = journal.to_owned();
            new.push(StoredRow { key: key.clone(), journal, pair: pair.pair, at_ms: pair.at_ms, what });
        }
    }
    new
}

/// What a comparison against stored runs leaves to fresh pairs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Disputed {
    /// The sentinels say that the world moved.
    BySentinels(TaskPairs),
    /// They do not let it be accepted, and nothing else is decided on stored runs.
    NotAccepted,
}

impl Disputed {
    fn of(tally: &Tally) -> Option<Self> {
        let sentinels = tally.all_sentinels();
        let ended = tally.evidence != Evidence::Open || tally.pairs() >= tally.kind.pairs_max();
        if tally.stored_pairs > 0 && !sentinels_agree(&sentinels) {
            Some(Self::BySentinels(sentinels))
        } else if tally.stored_pairs > 0 && ended && tally.evidence != Evidence::NotWorse {
            Some(Self::NotAccepted)
        } else {
            None
        }
    }

    /// For whoever asks how it was reckoned.
    pub(super) fn words(&self, bench: &str) -> String {
        match self {
            Self::BySentinels(sentinels) => format!(
                "{bench}: stored runs of the reference were dropped: {} fresh ones beside them differ by {:+.1} points \
                 (p = {:.4}); every pair here is fresh",
                sentinels.pairs,
                100.0 * sentinels.mean(),
                sentinel_p_value(sentinels)
            ),
            Self::NotAccepted => format!(
                "{bench}: with stored runs of the reference it was not accepted, and nothing else is decided on those; \
                 every pair here is fresh"
            ),
        }
    }
}

/// What became of stored runs.
pub(super) enum AgainstStored {
    /// They served.
    Served(Box<Comparison>),
    /// Fresh pairs are to run, and why, where there is something to tell.
    Fresh(Option<Disputed>),
}

impl Benching<'_> {
    fn key(pairing: &Pairing<'_>, harness: &str) -> CacheKey {
        CacheKey {
            tree: pairing.reference.name().to_owned(),
            harness: harness.to_owned(),
            model: pairing.bench.model.clone().unwrap_or_default(),
            machine: Fingerprint::of_this_machine().short(),
        }
    }

    /// Whether stored runs may serve at all. Audits are always fresh: the error of a stored mean would
    /// stand in the ledger as a gap.
    fn may_reuse(&self, pairing: &Pairing<'_>) -> bool {
        self.reuse
            && pairing.bench.reuse_reference
            && pairing.bench.kind == BenchKind::Tasks
            && pairing.bench.role != BenchRole::Audit
    }

    /// What a journal holds of a comparison, without running anything.
    fn journalled(path: &Path, header: &Header, kind: &Kind) -> Result<Tally> {
        let mut tally = Tally::new(kind.clone(), &header.harness);
        Journal::read(path, header)?.iter().for_each(|row| tally.add(row));
        Ok(tally)
    }

    /// The journal of a comparison against stored runs.
    fn stored_journal(&self, pairing: &Pairing<'_>) -> std::path::PathBuf {
        let mut path = self.journal_path(pairing);
        path.set_extension("stored.jsonl");
        path
    }

    /// Whether a comparison against stored runs was made and stands: asking for a fresh one is another try.
    pub(super) fn stands_on_stored(
        &self,
        pairing: &Pairing<'_>,
        header: &Header,
        kind: &Kind,
    ) -> Result<bool> {
        let tally = Self::journalled(&self.stored_journal(pairing), header, kind)?;
        Ok(tally.stored_pairs > 0 && Disputed::of(&tally).is_none())
    }

    /// Compares against stored runs where they may serve.
    pub(super) fn against_stored(
        &self,
        pairing: &Pairing<'_>,
        request: &CompareRequest,
        harness: &str,
    ) -> Result<AgainstStored> {
        let path = self.stored_journal(pairing);
        let tally = Self::journalled(&path, &request.header, &request.kind)?;
        let disputed = Disputed::of(&tally);
        let fresh_began = Self::journalled(&self.journal_path(pairing), &request.header, &request.kind)?;
        let decided_afresh = fresh_began.pairs() > 0 && tally.pairs() == 0;
        if disputed.is_some()
            || decided_afresh
            || !self.may_reuse(pairing)
            || request.stop == StopRule::AtTheEnd
        {
            return Ok(AgainstStored::Fresh(disputed));
        }
        let (stored, unusable) = self.stored(pairing, harness)?;
        if stored.scores.is_empty() && tally.pairs() == 0 {
            if let Some(reason) = unusable {
                let what = format!("{}: {reason}; every pair is run afresh", pairing.bench.name);
                self.session.machine.listener.tell(Progress::Step { what });
            }
            return Ok(AgainstStored::Fresh(None));
        }
        let request = CompareRequest { stored, ..request.clone() };
        let comparison = self.run(pairing, &request, &path)?;
        self.store(pairing, &request.header, harness, &path)?;
        match Disputed::of(&comparison.tally) {
            Some(disputed) => {
                if matches!(disputed, Disputed::BySentinels(_)) {
                    self.drop_stored(pairing, harness, &path)?;
                }
                Ok(AgainstStored::Fresh(Some(disputed)))
            }
            None => Ok(AgainstStored::Served(Box::new(comparison))),
        }
    }

    fn stored(&self, pairing: &Pairing<'_>, harness: &str) -> Result<(StoredReference, Option<Unusable>)> {
        let rows: Vec<StoredRow> = self.records.rows(&Records::reference_name(pairing))?;
        let journal = name_of(&self.stored_journal(pairing));
        let now_ms = self.session.machine.clock.now_ms();
        Ok(stored_reference(&rows, &Self::key(pairing, harness), &journal, now_ms))
    }

    /// Keeps what a comparison ran of the reference, whether or not it came to an end.
    pub(super) fn store(
        &self,
        pairing: &Pairing<'_>,
        header: &Header,
        harness: &str,
        path: &Path,
    ) -> Result<()> {
        if pairing.bench.kind != BenchKind::Tasks || !pairing.bench.reuse_reference {
            return Ok(());
        }
        let name = Records::reference_name(pairing);
        let known: Vec<StoredRow> = self.records.rows(&name)?;
        let pairs = Journal::read(path, header)?;
        let new = new_rows(&known, &Self::key(pairing, harness), &name_of(path), &pairs);
        self.records.add_all(&name, &new)
    }

    fn drop_stored(&self, pairing: &Pairing<'_>, harness: &str, path: &Path) -> Result<()> {
        let row = StoredRow {
            key: Self::key(pairing, harness),
            journal: name_of(path),
            pair: usize::MAX,
            at_ms: self.session.machine.clock.now_ms(),
            what: What::Dropped,
        };
        self.records.add_all(&Records::reference_name(pairing), &[row])
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use port::bench::run::Arm;

    fn key() -> CacheKey {
        let text = |text: &str| text.to_owned();
        CacheKey { tree: text("t"), harness: text("h"), model: text("m"), machine: text("x") }
    }

    fn pair(number: usize, score: f64) -> PairRow {
        PairRow {
            pair: number,
            first: Arm::Reference,
            task: Some("a".to_owned()),
            machine: String::new(),
            at_ms: 100,
            reference: [("a".to_owned(), score)].into(),
            candidate: [("a".to_owned(), 1.0)].into(),
            dropped: None,
            stored: BTreeMap::new(),
            sentinel: BTreeMap::new(),
            earlier_sentinels: None,
        }
    }

    fn six() -> Vec<StoredRow> {
        let pairs: Vec<PairRow> =
            (0..6).map(|number| pair(number, f64::from(u8::from(number < 3)))).collect();
        new_rows(&[], &key(), "j", &pairs)
    }

    #[test]
    fn runs_are_stored_once_and_serve_under_the_same_conditions_only() {
        let rows = six();
        assert_eq!(new_rows(&rows, &key(), "j", &[pair(2, 1.0)]), []);
        let (stored, unusable) = stored_reference(&rows, &key(), "other", 200);
        let score = stored.scores["a"];
        assert_eq!((score.mean, score.runs, score.oldest_ms, unusable), (0.5, 6, 100, None));
        let other = CacheKey { model: "n".to_owned(), ..key() };
        let (stored, unusable) = stored_reference(&rows, &other, "other", 200);
        assert_eq!((stored, unusable), (StoredReference::default(), Some(Unusable::Other("model"))));
        let (stored, unusable) = stored_reference(&rows, &key(), "other", 8 * 24 * 3_600_000);
        assert_eq!((stored, unusable), (StoredReference::default(), Some(Unusable::TooOld)));
    }

    #[test]
    fn what_was_dropped_serves_no_more_and_sentinels_only_watch() {
        let mut rows = six();
        let score = StoredScore { mean: 0.5, variance: 0.0, runs: 6, oldest_ms: 100 };
        let beside = PairRow {
            stored: [("a".to_owned(), score)].into(),
            sentinel: [("a".to_owned(), 1.0)].into(),
            ..pair(0, 0.5)
        };
        rows.extend(new_rows(&rows, &key(), "k", &[beside]));
        let (stored, _) = stored_reference(&rows, &key(), "other", 200);
        assert_eq!((stored.scores["a"].runs, stored.sentinels.pairs), (6, 1));
        assert_eq!(
            stored_reference(&rows, &key(), "k", 200).0.sentinels.pairs,
            0,
            "its own are not counted twice"
        );
        let dropped = StoredRow { what: What::Dropped, ..rows[0].clone() };
        rows.push(dropped);
        assert_eq!(stored_reference(&rows, &key(), "other", 200).0, StoredReference::default());
        rows.extend(new_rows(&rows, &key(), "l", &(0..4).map(|n| pair(n, 1.0)).collect::<Vec<_>>()));
        let after = StoredScore { mean: 1.0, variance: 0.0, runs: 4, oldest_ms: 100 };
        assert_eq!(stored_reference(&rows, &key(), "other", 200).0.scores["a"], after);
    }

    #[test]
    fn no_more_runs_are_kept_than_make_a_mean_surer() {
        let pairs: Vec<PairRow> = (0..50).map(|number| pair(number, 1.0)).collect();
        assert_eq!(new_rows(&[], &key(), "j", &pairs).len(), RUNS_MAX);
    }
}
