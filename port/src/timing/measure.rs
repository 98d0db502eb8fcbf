//! Collects pairs of measurements until the sequential test has its evidence.
//!
//! Both sides run in turn, in blocks `before after after before` or the reverse, so that a machine that
//! warms up or slows down favours neither. Each measurement is a process of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use upstream::process::{Invocation, ProcessError, ProcessRunner};

use super::report::{BenchTiming, TimingOutcome, TimingReport};
use super::statistics::{TimingRule, harm_p_value, ratio_of_medians, robust_variance, sequential_test};
use crate::bench::decide::{Evidence, holm};
use crate::bench::random::Random;

/// The most pairs that may fail in one comparison.
const FAILED_PAIRS_MAX: usize = 2;

/// The most benches that one process may report.
const BENCHES_MAX: usize = 1000;

/// The name under which the mean over all benches is reported.
const OVERALL: &str = "geometric mean";

/// What to compare.
#[derive(Debug, Clone)]
pub struct TimingRequest {
    /// Measures the code before the change: prints, as its last line, one JSON object of bench names and
    /// seconds. To be confined already.
    pub before: Invocation,
    /// The same for the code after it.
    pub after: Invocation,
    /// The order of the measurements and the resamples come from it.
    pub seed: u64,
    /// How to decide. Its known variance is used where `calibration` has none.
    pub rule: TimingRule,
    /// What the same code showed against itself on this machine, if that was measured.
    pub calibration: Option<Calibration>,
}

impl TimingRequest {
    fn judgement(&self) -> Judgement {
        Judgement { rule: self.rule, calibration: self.calibration.clone(), seed: self.seed }
    }
}

/// How pairs are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// How to decide. Its known variance is used where `calibration` has none.
    pub rule: TimingRule,
    /// What the same code showed against itself on this machine, if that was measured.
    pub calibration: Option<Calibration>,
    /// The resamples come from it.
    pub seed: u64,
}

impl Judgement {
    /// The rule for one bench, which scatters more than the mean over all of them.
    fn rule_of(&self, bench: &str) -> TimingRule {
        let known = self.calibration.as_ref().and_then(|calibration| calibration.benches.get(bench));
        TimingRule { variance_known: known.copied().unwrap_or(self.rule.variance_known), ..self.rule }
    }

    /// The rule for the mean over all benches.
    pub fn overall_rule(&self) -> TimingRule {
        let known = self.calibration.as_ref().map(|calibration| calibration.overall);
        TimingRule { variance_known: known.unwrap_or(self.rule.variance_known), ..self.rule }
    }
}

/// Variances of log ratios of the same code against itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Of the mean over all benches.
    pub overall: f64,
    /// Of each bench.
    pub benches: BTreeMap<String, f64>,
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The code before the change.
    Before,
    /// The code after it.
    After,
}

/// Nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum TimingError {
    /// A side does not give measurements.
    #[error("the timing of the port {} the change fails: {reason}", match side { Side::Before => "before", Side::After => "after" })]
    Measurement {
        /// Which one.
        side: Side,
        /// Why.
        reason: String,
    },
    /// The sides do not measure the same.
    #[error("`{bench}` is measured at one side only")]
    DifferentBenches {
        /// What only one of them has.
        bench: String,
    },
    /// A process could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// Seconds by bench, of one process.
pub type Measurement = BTreeMap<String, f64>;

/// Compares both sides.
pub fn measure(request: &TimingRequest, runner: &dyn ProcessRunner) -> Result<TimingReport, TimingError> {
    let (mut random, judgement) = (Random::seeded(request.seed), request.judgement());
    let mut pairs = TimingPairs::default();
    while pairs.measured.len() < request.rule.pairs_max {
        pairs.block(request, &mut random, runner)?;
        if pairs.evidence(&judgement) != Evidence::Open {
            break;
        }
    }
    Ok(pairs.report(&judgement))
}

/// Measures the same code against itself, for later comparisons on this machine. Forty pairs and more
/// make a good calibration; two are the least.
pub fn calibrate(
    invocation: &Invocation,
    pairs_wanted: usize,
    seed: u64,
    runner: &dyn ProcessRunner,
) -> Result<Calibration, TimingError> {
    let same = TimingRequest {
        before: invocation.clone(),
        after: invocation.clone(),
        seed,
        rule: TimingRule::default(),
        calibration: None,
    };
    let mut random = Random::seeded(seed);
    let mut pairs = TimingPairs::default();
    while pairs.measured.len() < pairs_wanted.max(2) {
        pairs.block(&same, &mut random, runner)?;
    }
    Ok(pairs.calibration())
}

/// Pairs of measurements of the same benches, before and after.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TimingPairs {
    measured: Vec<(Measurement, Measurement)>,
    failed: usize,
}

impl TimingPairs {
    /// Adds a pair; it must be of the same benches as those before it, with times above zero.
    pub fn add(&mut self, before: Measurement, after: Measurement) -> Result<(), TimingError> {
        for (side, measurement) in [(Side::Before, &before), (Side::After, &after)] {
            check_seconds(measurement).map_err(|reason| TimingError::Measurement { side, reason })?;
        }
        let pair = (before, after);
        self.check_benches(&pair)?;
        self.measured.push(pair);
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.measured.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.measured.is_empty()
    }

    /// What the mean over all benches says so far.
    pub fn evidence(&self, judgement: &Judgement) -> Evidence {
        sequential_test(&self.mean_log_ratios(), &judgement.overall_rule())
    }

    /// The variances that they show, where both sides were the same code.
    pub fn calibration(&self) -> Calibration {
        let variance = |log_ratios: &[f64]| robust_variance(log_ratios).unwrap_or_default();
        let of_bench = |name: &String| (name.clone(), variance(&log_ratios_of(&self.of_bench(name))));
        Calibration {
            overall: variance(&self.mean_log_ratios()),
            benches: self.names().map(of_bench).collect(),
        }
    }

    /// Two pairs in one of the two orders that cancel a drift.
    fn block(
        &mut self,
        request: &TimingRequest,
        random: &mut Random,
        runner: &dyn ProcessRunner,
    ) -> Result<(), TimingError> {
        let order = if random.coin() { [Side::Before, Side::After] } else { [Side::After, Side::Before] };
        let [first, second] = order;
        for order in [order, [second, first]] {
            self.pair(request, order, runner)?;
        }
        Ok(())
    }

    /// A pair in which a side fails is measured again as a whole, a few times.
    fn pair(
        &mut self,
        request: &TimingRequest,
        order: [Side; 2],
        runner: &dyn ProcessRunner,
    ) -> Result<(), TimingError> {
        loop {
            match one_pair(request, order, runner) {
                Ok((before, after)) => return self.add(before, after),
                Err(TimingError::Measurement { .. }) if self.failed < FAILED_PAIRS_MAX => self.failed += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// All measurements must be of the same benches, or a mean would compare different things.
    fn check_benches(&self, (before, after): &(Measurement, Measurement)) -> Result<(), TimingError> {
        let known = self.measured.first().map_or(before, |(known, _after)| known);
        for measurement in [before, after] {
            let extra = measurement.keys().find(|name| !known.contains_key(*name));
            let lacking = known.keys().find(|name| !measurement.contains_key(*name));
            if let Some(bench) = extra.or(lacking) {
                return Err(TimingError::DifferentBenches { bench: bench.clone() });
            }
        }
        Ok(())
    }

    /// For each pair the mean over the benches.
    pub fn mean_log_ratios(&self) -> Vec<f64> {
        let mean = |(before, after): &(Measurement, Measurement)| {
            let log_ratios: Vec<f64> =
                before.values().zip(after.values()).map(|(before, after)| (after / before).ln()).collect();
            log_ratios.iter().sum::<f64>()
                / f64::from(u32::try_from(log_ratios.len().max(1)).unwrap_or(u32::MAX))
        };
        self.measured.iter().map(mean).collect()
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.measured.first().into_iter().flat_map(|(before, _after)| before.keys())
    }

    /// The seconds of one bench before and after.
    fn of_bench(&self, name: &str) -> Vec<(f64, f64)> {
        let seconds = |measurement: &Measurement| measurement.get(name).copied();
        self.measured.iter().filter_map(|(before, after)| seconds(before).zip(seconds(after))).collect()
    }

    /// What all pairs say.
    pub fn report(&self, request: &Judgement) -> TimingReport {
        let bench =
            |name: &String| bench_of(name, &self.of_bench(name), &request.rule_of(name), request.seed);
        let mut benches: Vec<BenchTiming> = self.names().map(bench).collect();
        // One bench among many is slow by chance now and then: harm is what is proved for all together.
        let p_values: Vec<f64> = benches.iter().map(|bench| bench.harm_p_value).collect();
        for (bench, harmed) in benches.iter_mut().zip(holm(&p_values, request.rule.rates.alpha)) {
            if harmed {
                bench.outcome = TimingOutcome::Harmed;
            }
        }
        let rule = request.overall_rule();
        let log_ratios = self.mean_log_ratios();
        let pairs: Vec<(f64, f64)> = log_ratios.iter().map(|log_ratio| (1.0, log_ratio.exp())).collect();
        let mut overall = bench_of(OVERALL, &pairs, &rule, request.seed);
        if sequential_test(&log_ratios, &rule) == Evidence::Worse {
            overall.outcome = TimingOutcome::Harmed;
        }
        TimingReport {
            overall,
            benches,
            pairs: self.measured.len(),
            pairs_failed: self.failed,
            margin: rule.margin,
        }
    }
}

/// One bench by itself, which is not enough to call it harmed.
fn bench_of(name: &str, pairs: &[(f64, f64)], rule: &TimingRule, seed: u64) -> BenchTiming {
    let log_ratios = log_ratios_of(pairs);
    let interval = ratio_of_medians(pairs, seed);
    let enough = pairs.len() >= rule.pairs_min;
    let outcome = match (sequential_test(&log_ratios, rule), interval) {
        (Evidence::NotWorse, Some(interval)) if interval.high < 1.0 => TimingOutcome::Improved,
        (Evidence::NotWorse, _) => TimingOutcome::Unchanged,
        (Evidence::Open, Some(interval)) if enough && interval.high < 1.0 => TimingOutcome::Improved,
        (Evidence::Worse | Evidence::Open, _) => TimingOutcome::CannotTell,
    };
    let (ratio, ratio_low, ratio_high) =
        interval.map_or((1.0, 0.0, f64::MAX), |interval| (interval.ratio, interval.low, interval.high));
    let harm_p_value = harm_p_value(&log_ratios, rule);
    BenchTiming { name: name.to_owned(), outcome, ratio, ratio_low, ratio_high, harm_p_value }
}

fn log_ratios_of(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(before, after)| (after / before).ln()).collect()
}

fn one_pair(
    request: &TimingRequest,
    order: [Side; 2],
    runner: &dyn ProcessRunner,
) -> Result<(Measurement, Measurement), TimingError> {
    let run = |side| {
        let invocation = match side {
            Side::Before => &request.before,
            Side::After => &request.after,
        };
        let finished = runner.run(invocation)?;
        let measured = if finished.succeeded() {
            parse(&String::from_utf8_lossy(&finished.stdout))
        } else {
            Err(format!("{:?}: {}", finished.ending, finished.tail(5)))
        };
        measured.map_err(|reason| TimingError::Measurement { side, reason })
    };
    let [first, second] = order;
    let (first_measured, second_measured) = (run(first)?, run(second)?);
    Ok(match first {
        Side::Before => (first_measured, second_measured),
        Side::After => (second_measured, first_measured),
    })
}

/// The last line; before it the port may print what it likes.
fn parse(stdout: &str) -> Result<Measurement, String> {
    let line = stdout.lines().last().ok_or("it printed nothing")?;
    let measured: Measurement = serde_json::from_str(line)
        .map_err(|error| format!("its last line is no JSON object of seconds: {error}"))?;
    check_seconds(&measured)?;
    Ok(measured)
}

fn check_seconds(measured: &Measurement) -> Result<(), String> {
    if measured.is_empty() || measured.len() > BENCHES_MAX {
        return Err(format!("it reports {} benches, not 1 to {BENCHES_MAX}", measured.len()));
    }
    match measured.iter().find(|(_name, seconds)| !(seconds.is_finite() && **seconds > 0.0)) {
        Some((name, seconds)) => Err(format!("`{name}` took {seconds} seconds")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use upstream::process::{Ending, Finished};

    /// Plays a machine: answers each run by the program's name and the number of runs so far.
    #[derive(Debug)]
    struct PlayedMachine {
        answer: fn(&str, usize) -> (i32, String),
        runs: Mutex<Vec<String>>,
    }

    impl PlayedMachine {
        fn new(answer: fn(&str, usize) -> (i32, String)) -> Self {
            Self { answer, runs: Mutex::default() }
        }
    }

    impl ProcessRunner for PlayedMachine {
        fn run(&self, invocation: &Invocation) -> Result<Finished, ProcessError> {
            let side = invocation.program.to_string_lossy().into_owned();
            let mut runs = self.runs.lock().unwrap();
            let (code, stdout) = (self.answer)(&side, runs.len());
            runs.push(side);
            Ok(Finished {
                ending: Ending::Exited(code),
                stdout: stdout.into_bytes(),
                stderr: Vec::new(),
                duration_ms: 1,
            })
        }
    }

    fn request() -> TimingRequest {
        TimingRequest {
            before: Invocation::new("before", "/"),
            after: Invocation::new("after", "/"),
            seed: 3,
            rule: TimingRule { variance_known: 0.0002, ..TimingRule::default() },
            calibration: None,
        }
    }

    /// Noise of about one percent that repeats.
    fn noise(run: usize) -> f64 {
        1.0 + [0.004, -0.006, 0.009, -0.003, 0.0, 0.007, -0.01][run % 7]
    }

    fn outcomes(answer: fn(&str, usize) -> (i32, String)) -> (TimingReport, Vec<String>) {
        let machine = PlayedMachine::new(answer);
        let report = measure(&request(), &machine).unwrap();
        (report, machine.runs.into_inner().unwrap())
    }

    #[test]
    fn equal_sides_are_unchanged_after_few_pairs_in_balanced_order() {
        let (report, runs) = outcomes(|_side, run| (0, format!("noise\n{{\"a\": {}}}\n", noise(run))));
        assert_eq!(report.overall.outcome, TimingOutcome::Unchanged);
        assert!(report.pairs <= 10, "{}", report.pairs);
        for block in runs.chunks(4) {
            assert_eq!(block[0], block[3]);
            assert_eq!(block[1], block[2]);
            assert_ne!(block[0], block[1]);
        }
    }

    #[test]
    fn a_drifting_machine_blames_neither_side() {
        let (report, _) = outcomes(|_side, run| {
            let slower = 1.0 + 0.01 * f64::from(u32::try_from(run).unwrap());
            (0, format!("{{\"a\": {}}}", slower * noise(run)))
        });
        assert_eq!(report.overall.outcome, TimingOutcome::Unchanged);
    }

    #[test]
    fn a_slower_side_is_harmed_and_a_faster_one_improved() {
        let (report, _) = outcomes(|side, run| {
            let factor = if side == "after" { 1.3 } else { 1.0 };
            (0, format!("{{\"a\": {}}}", factor * noise(run)))
        });
        assert_eq!(report.overall.outcome, TimingOutcome::Harmed);
        assert_eq!(report.benches[0].outcome, TimingOutcome::Harmed);
        assert!((report.overall.ratio - 1.3).abs() < 0.03, "{}", report.overall.ratio);
        let (report, _) = outcomes(|side, run| {
            let factor = if side == "after" { 0.8 } else { 1.0 };
            (0, format!("{{\"a\": {}}}", factor * noise(run)))
        });
        assert_eq!(report.overall.outcome, TimingOutcome::Improved);
    }

    #[test]
    fn one_harmed_bench_among_good_ones_is_named() {
        let (report, _) = outcomes(|side, run| {
            let factor = if side == "after" { 1.25 } else { 1.0 };
            let text: Vec<String> =
                (0..9).map(|bench| format!("\"b{bench}\": {}", noise(run + bench))).collect();
            (0, format!("{{{}, \"slow\": {}}}", text.join(", "), factor * noise(run)))
        });
        let harmed = report.benches.iter().filter(|bench| bench.outcome == TimingOutcome::Harmed);
        assert_eq!(harmed.map(|bench| bench.name.as_str()).collect::<Vec<_>>(), ["slow"]);
    }

    #[test]
    fn noise_beyond_the_bound_cannot_tell() {
        let (report, _) = outcomes(|_side, run| {
            let wild = [1.0, 3.0, 0.5, 2.0, 0.7, 1.4, 0.9, 2.5, 1.1][run * 5 % 9];
            (0, format!("{{\"a\": {wild}}}"))
        });
        assert_eq!(report.overall.outcome, TimingOutcome::CannotTell);
        assert_eq!(report.pairs, TimingRule::default().pairs_max);
    }

    #[test]
    fn a_pair_that_fails_once_is_measured_again() {
        let (report, _) = outcomes(|_side, run| (i32::from(run == 1), format!("{{\"a\": {}}}", noise(run))));
        assert_eq!(report.pairs_failed, 1);
        assert_eq!(report.overall.outcome, TimingOutcome::Unchanged);
    }

    #[test]
    fn a_bench_that_is_known_to_scatter_is_not_blamed_for_it() {
        let calibration = Calibration { overall: 0.0002, benches: [("a".to_owned(), 0.3)].into() };
        let request = TimingRequest { calibration: Some(calibration), ..request() };
        let machine = PlayedMachine::new(|side, run| {
            let factor = if side == "after" { 1.2 } else { 1.0 };
            (0, format!("{{\"a\": {}}}", factor * noise(run)))
        });
        let report = measure(&request, &machine).unwrap();
        assert_eq!(report.benches[0].outcome, TimingOutcome::CannotTell);
        assert_eq!(report.overall.outcome, TimingOutcome::Harmed);
    }

    fn error(answer: fn(&str, usize) -> (i32, String)) -> String {
        measure(&request(), &PlayedMachine::new(answer)).unwrap_err().to_string()
    }

    #[test]
    fn a_side_that_gives_no_measurements_is_named() {
        let failing = error(|side, _| (i32::from(side == "after"), "{\"a\": 1}".to_owned()));
        assert!(failing.starts_with("the timing of the port after the change fails: Exited(1)"), "{failing}");
        for (answer, expected) in [
            ("", "it printed nothing"),
            ("[1]", "no JSON object of seconds"),
            ("{}", "it reports 0 benches"),
            ("{\"a\": 0}", "`a` took 0 seconds"),
            ("{\"a\": -1}", "`a` took -1 seconds"),
            ("{\"a\": \"fast\"}", "no JSON object of seconds"),
        ] {
            let message = parse(answer).unwrap_err();
            assert!(message.contains(expected), "{answer}: {message}");
        }
    }

    #[test]
    fn sides_that_measure_different_things_are_not_compared() {
        let message = error(|side, _| (0, format!("{{\"{side}\": 1}}")));
        assert!(message.ends_with("is measured at one side only"), "{message}");
    }

    #[test]
    fn the_same_seed_gives_the_same_report() {
        let answer = |_: &str, run: usize| (0, format!("{{\"a\": {}}}", noise(run)));
        assert_eq!(outcomes(answer), outcomes(answer));
    }

    #[test]
    fn calibration_finds_the_variance_of_the_noise() {
        let machine = PlayedMachine::new(|_side, run| (0, format!("{{\"a\": {}}}", noise(run))));
        let calibration = calibrate(&request().before, 40, 1, &machine).unwrap();
        assert!((1e-5..1e-3).contains(&calibration.overall), "{calibration:?}");
        assert!((1e-5..1e-3).contains(&calibration.benches["a"]), "{calibration:?}");
        assert_eq!(machine.runs.into_inner().unwrap().len(), 80);
    }
}
