//! Benchmarks of trees of the port and of revisions of the upstream: prepared, run, kept.
//!
//! [`Benching`] is what both the command line and the gate use. It decides nothing: the rules are in
//! `port::bench::decide`, and what a decision means for a candidate is said in `gate`.

mod deciding;
mod objective;
mod recorded;
mod records;
mod references;
mod rules;
mod sides;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use port::bench::decide::{Ledger, LedgerRule, StoredReference};
use port::bench::run::{
    CompareRequest, Comparison, Header, Journal, Kind, ProcessBench, StopRule, Stopped, Surroundings, Tally,
    Wanted, compare,
};
use port::confinement::Confinement;
use port::timing::Calibration;
use upstream::{ContentHash, Revision, TreeId};

use crate::config::bench::{BenchKind, BenchMode, BenchRole, BenchSettings};
use crate::progress::Progress;
use crate::session::Session;
pub(crate) use deciding::{Decision, Question};
pub(crate) use objective::{TermOf, terms};
pub(crate) use records::{AuditRow, HistoryRow, Records};
use references::AgainstStored;
pub(crate) use rules::Margin;
use sides::{Prepared, Sides};

/// The order of the pairs; any other would do.
const SEED: u64 = 1;

/// Pairs of a calibration.
pub(crate) const CALIBRATION_PAIRS: usize = 40;

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// A tree of the port.
    Port(TreeId),
    /// A revision of the upstream.
    Upstream(Box<Revision>),
}

impl Source {
    /// A name that differs where the sources do.
    fn name(&self) -> &str {
        match self {
            Self::Port(tree) => tree.as_str(),
            Self::Upstream(revision) => revision.commit.as_str(),
        }
    }

    /// What people call it.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Port(tree) => format!("port {}", tree.as_str().get(..8).unwrap_or_default()),
            Self::Upstream(revision) => format!("upstream {}", revision.label),
        }
    }
}

/// What is compared with what.
#[derive(Debug, Clone)]
pub(crate) struct Pairing<'a> {
    /// The benchmark.
    pub(crate) bench: &'a BenchSettings,
    /// Off or on, never both.
    pub(crate) mode: BenchMode,
    /// What is compared against.
    pub(crate) reference: Source,
    /// What is to be decided about.
    pub(crate) candidate: Source,
    /// The tree whose harness both sides of the port are given.
    pub(crate) trusted: TreeId,
    /// How many endpoints must all be proved.
    pub(crate) endpoints: usize,
}

/// A comparison, and the margin that it was held against.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) comparison: Comparison,
    pub(crate) margin: Margin,
    pub(crate) calibrated: bool,
    /// What else there is to tell of how it was reckoned.
    pub(crate) notes: Vec<String>,
}

/// Runs benchmarks.
pub(crate) struct Benching<'a> {
    session: &'a Session,
    sides: Sides<'a>,
    /// Whether stored runs of a reference may serve.
    reuse: bool,
    /// What is kept between runs.
    pub(crate) records: Records,
}

impl<'a> Benching<'a> {
    /// For one port.
    pub(crate) fn new(session: &'a Session, confinement: &'a dyn Confinement) -> Self {
        let records = Records::below(&session.settings.state);
        Self { session, sides: Sides::new(session, confinement), reuse: true, records }
    }

    /// With every pair run afresh, whatever is stored of the reference.
    #[must_use]
    pub(crate) fn afresh(self, afresh: bool) -> Self {
        Self { reuse: self.reuse && !afresh, ..self }
    }

    /// The drift ledger of this port.
    pub(crate) fn ledger(&self) -> Result<Ledger> {
        let audits = self.records.audits()?;
        Ok(Ledger::of(audits.iter().map(|audit| &audit.pairs), &LedgerRule::default()))
    }

    /// Compares both sides until it is decided, capped or stopped; it goes on where it was stopped.
    pub(crate) fn compare(&self, pairing: &Pairing<'_>) -> Result<Compared> {
        let bench = pairing.bench;
        let harness = self.sides.harness(pairing)?;
        let calibration = self.records.calibration(&bench.name, pairing.mode)?;
        let gap = match (&pairing.reference, bench.role) {
            (Source::Upstream(_), BenchRole::Endpoint | BenchRole::Guardrail) => {
                self.ledger()?.gap().min(0.0)
            }
            (Source::Upstream(_), BenchRole::Audit) | (Source::Port(_), _) => 0.0,
        };
        let posed = |candidate: &str| -> Result<(CompareRequest, Margin)> {
            let submission = self.records.submission(&bench.name, pairing.reference.name(), candidate)?;
            let posed = rules::posed(bench, calibration.clone(), pairing.endpoints, submission, gap);
            let model = bench.model.as_deref().unwrap_or_default();
            let told = ContentHash::of(format!("{harness}\n{model}\n{:?}", posed.kind)).short();
            let (reference, candidate) = (pairing.reference.name(), pairing.candidate.name());
            let request = CompareRequest {
                header: Header::new(&bench.name, reference, candidate, &told, SEED),
                kind: posed.kind,
                tasks: bench.tasks.clone(),
                stop: if bench.role == BenchRole::Audit { StopRule::AtTheEnd } else { StopRule::WhenDecided },
                stored: StoredReference::default(),
            };
            Ok((request, posed.margin))
        };
        let (mut request, mut margin) = posed(pairing.candidate.name())?;
        let path = self.journal_path(pairing);
        let mut afresh = !self.reuse;
        if (afresh || path.exists()) && self.stands_on_stored(pairing, &request.header, &request.kind)? {
            // What was decided on stored runs and is decided once more is another try.
            (request, margin) = posed(&format!("{} afresh", pairing.candidate.name()))?;
            afresh = true;
        }
        let calibrated = calibration.is_some();
        if margin.refused() {
            // Nothing is run that could not be decided.
            let tally = Tally::new(request.kind.clone(), &request.header.harness);
            let stopped = Stopped::Impossible(margin.to_string());
            let comparison = Comparison { header: request.header, stopped, tally };
            return Ok(Compared { comparison, margin, calibrated, notes: Vec::new() });
        }
        let against = if afresh {
            AgainstStored::Fresh(None)
        } else {
            self.against_stored(pairing, &request, &harness)?
        };
        let (comparison, notes) = match against {
            AgainstStored::Served(comparison) => (*comparison, Vec::new()),
            AgainstStored::Fresh(disputed) => {
                let comparison = self.run(pairing, &request, &path)?;
                self.store(pairing, &request.header, &harness, &path)?;
                (comparison, disputed.iter().map(|why| why.words(&bench.name)).collect())
            }
        };
        Ok(Compared { comparison, margin, calibrated, notes })
    }

    /// Measures both sides so many times, whatever they show.
    pub(crate) fn measure(&self, pairing: &Pairing<'_>, pairs: usize) -> Result<Comparison> {
        let posed = rules::posed(pairing.bench, None, 1, 1, 0.0);
        let harness = self.sides.harness(pairing)?;
        let (reference, candidate) = (pairing.reference.name(), pairing.candidate.name());
        let tasks = if pairing.bench.kind == BenchKind::Tasks { pairing.bench.tasks.len().max(1) } else { 1 };
        let request = CompareRequest {
            header: Header::new(&pairing.bench.name, reference, candidate, &harness, SEED),
            kind: posed.kind.capped(pairs.saturating_mul(tasks)),
            tasks: pairing.bench.tasks.clone(),
            stop: StopRule::AtTheEnd,
            stored: StoredReference::default(),
        };
        self.run(pairing, &request, &self.records.fresh_journal(&pairing.bench.name)?)
    }

    /// Measures one side against itself, and keeps what that says of this machine.
    pub(crate) fn calibrate(
        &self,
        bench: &BenchSettings,
        mode: BenchMode,
        tree: &TreeId,
    ) -> Result<Calibration> {
        let pairing = Pairing {
            bench,
            mode,
            reference: Source::Port(tree.clone()),
            candidate: Source::Port(tree.clone()),
            trusted: tree.clone(),
            endpoints: 1,
        };
        let posed = rules::posed(bench, None, 1, 1, 0.0);
        let Kind::Values(mut rule) = posed.kind else {
            anyhow::bail!("`{}` has tasks, and only measured values are calibrated", bench.name);
        };
        rule.judgement.rule.pairs_max = CALIBRATION_PAIRS;
        let kind = Kind::Values(rule);
        let harness = self.sides.harness(&pairing)?;
        let header = Header::new(&bench.name, tree.as_str(), tree.as_str(), &harness, SEED);
        let request = CompareRequest {
            header,
            kind,
            tasks: Vec::new(),
            stop: StopRule::AtTheEnd,
            stored: StoredReference::default(),
        };
        let compared = self.run(&pairing, &request, &self.records.fresh_journal(&bench.name)?)?;
        match compared.stopped {
            Stopped::Decided | Stopped::Capped => {}
            Stopped::Interrupted | Stopped::StoredDiffer => anyhow::bail!("the calibration was stopped"),
            Stopped::Infrastructure(reason) | Stopped::Impossible(reason) => {
                anyhow::bail!("`{}` cannot be calibrated: {reason}", bench.name);
            }
        }
        let calibration = compared.tally.timing_pairs.calibration();
        self.records.keep_calibration(&bench.name, mode, &calibration)?;
        Ok(calibration)
    }

    fn run(
        &self,
        pairing: &Pairing<'_>,
        request: &CompareRequest,
        journal: &std::path::Path,
    ) -> Result<Comparison> {
        let reference: Prepared = self.sides.prepare(pairing, &pairing.reference)?;
        let candidate: Prepared = self.sides.prepare(pairing, &pairing.candidate)?;
        let output = sides::output(pairing.bench);
        let bench = ProcessBench {
            reference: &reference.process,
            candidate: &candidate.process,
            format: pairing.bench.format,
            output: &output,
            wanted: match pairing.bench.kind {
                BenchKind::Tasks => Wanted::Scores,
                BenchKind::Values => Wanted::Values,
            },
            confinement: self.sides.confinement,
            runner: &*self.session.machine.runner,
        };
        let name = pairing.bench.name.clone();
        let most = request.kind.pairs_max();
        let heard = |tally: &Tally| {
            let what = format!("{name}: {} of at most {most} pairs", tally.pairs());
            self.session.machine.listener.tell(Progress::Step { what });
        };
        heard(&Tally::new(request.kind.clone(), ""));
        let around = Surroundings {
            bench: &bench,
            clock: &*self.session.machine.clock,
            interrupt: &self.session.machine.interrupt,
            heard: &heard,
        };
        let mut journal = Journal::open(journal, &request.header)?;
        compare(request, around, &mut journal)
            .with_context(|| format!("cannot run the benchmark `{}`", pairing.bench.name))
    }

    fn journal_path(&self, pairing: &Pairing<'_>) -> PathBuf {
        let mode = mode_name(pairing.mode);
        let short = |source: &Source| source.name().get(..12).unwrap_or_default().to_owned();
        let (reference, candidate) = (short(&pairing.reference), short(&pairing.candidate));
        self.records.journal(&format!("{}-{mode}-{reference}-{candidate}", pairing.bench.name))
    }
}

/// The modes in which a benchmark is decided.
pub(crate) fn modes(mode: BenchMode) -> Vec<BenchMode> {
    match mode {
        BenchMode::Parity => vec![BenchMode::Parity],
        BenchMode::Extended => vec![BenchMode::Extended],
        BenchMode::Both => vec![BenchMode::Parity, BenchMode::Extended],
    }
}

/// A mode's word.
pub(crate) fn mode_name(mode: BenchMode) -> &'static str {
    match mode {
        BenchMode::Parity => "parity",
        BenchMode::Extended => "extended",
        BenchMode::Both => "both",
    }
}
