//! Comparisons of measured values outside a port: two commands, the product's own runner and rules.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use port::bench::decide::StoredReference;
use port::bench::run::{
    CompareRequest, Comparison, Direction, Header, Journal, Kind, ProcessBench, StopRule, Surroundings,
    ValueRule, compare,
};
use port::timing::statistics::TimingRule;
use port::timing::{Calibration, Judgement};
use upstream::SystemClock;

/// Two commands that are held against each other, and where the journals go.
pub(super) struct ValueRuns<'a> {
    pub(super) bench: &'a ProcessBench<'a>,
    pub(super) folder: &'a Path,
}

impl ValueRuns<'_> {
    /// One comparison; runs of the same name and seed are one, and go on where they stopped.
    pub(super) fn run(
        &self,
        name: &str,
        seed: u64,
        rule: TimingRule,
        calibration: Option<Calibration>,
        stop: StopRule,
    ) -> Result<Comparison> {
        let interrupt = AtomicBool::new(false);
        let heard = |_: &port::bench::run::Tally| {};
        let around =
            Surroundings { bench: self.bench, clock: &SystemClock, interrupt: &interrupt, heard: &heard };
        let judgement = Judgement { rule, calibration, seed };
        let kind =
            Kind::Values(ValueRule { judgement, harm_margin: rule.margin, direction: Direction::Lower });
        let header = Header::new("suite", "reference", "candidate", name, seed);
        let stored = StoredReference::default();
        let request = CompareRequest { header, kind, tasks: Vec::new(), stop, stored };
        let mut journal = Journal::open(&self.folder.join(format!("{name}.jsonl")), &request.header)?;
        Ok(compare(&request, around, &mut journal)?)
    }

    /// What these pairs say of the noise of this machine.
    pub(super) fn calibration(&self, name: &str, pairs: usize) -> Result<Calibration> {
        let rule = TimingRule { pairs_max: pairs, ..TimingRule::default() };
        Ok(self.run(name, 0, rule, None, StopRule::AtTheEnd)?.tally.timing_pairs.calibration())
    }
}
