//! Measurements by confined processes, one for each.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use upstream::process::{Ending, Finished, Invocation, Limits, ProcessRunner};

use super::measure::{Arm, Fault, Measure, Slot};
use crate::bench::read::{Format, Outcome, ReadError, Reading, read, read_text};
use crate::confinement::{Access, Confinement};
use crate::held::HeldFolder;

/// Stands for the folder that a command may write its results to.
const OUTPUT: &str = "{output}";
/// Stands for the task that it is to run.
const TASK: &str = "{task}";

/// Where a command leaves its results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// On its standard output.
    Stdout,
    /// In a file or folder below the one that `{output}` stands for.
    Below(String),
}

/// One side's command.
#[derive(Debug, Clone)]
pub struct BenchProcess {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The folder it runs in.
    pub directory: PathBuf,
    /// Its whole environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// What it may touch beside its output folder.
    pub access: Access,
    /// Its bounds.
    pub limits: Limits,
}

/// A benchmark as two commands.
#[derive(Clone, Copy, Debug)]
pub struct ProcessBench<'a> {
    /// What is compared against.
    pub reference: &'a BenchProcess,
    /// What is to be decided about.
    pub candidate: &'a BenchProcess,
    /// The form of the results.
    pub format: Format,
    /// Where they are.
    pub output: &'a Output,
    /// Whether scores of tasks are wanted, or measured values.
    pub wanted: Wanted,
    /// Confines the commands.
    pub confinement: &'a dyn Confinement,
    /// Runs them.
    pub runner: &'a dyn ProcessRunner,
}

/// Which numbers of a reading are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Scores of tasks.
    Scores,
    /// Measured values.
    Values,
}

impl Measure for ProcessBench<'_> {
    fn measure(&self, slot: Slot<'_>) -> Result<BTreeMap<String, f64>, Fault> {
        let side = match slot.arm {
            Arm::Reference => self.reference,
            Arm::Candidate => self.candidate,
        };
        let reading = self.reading(side, slot.task)?;
        let numbers = match self.wanted {
            Wanted::Scores => reading.scores(),
            Wanted::Values => reading.values(),
        };
        if numbers.is_empty() {
            let fault = reading.faults().next().map(|(task, reason)| format!("`{task}`: {reason}"));
            return Err(Fault::Infrastructure(fault.unwrap_or_else(|| ReadError::Nothing.to_string())));
        }
        if let Some(task) = slot.task {
            // Whatever the tool calls it, it is this task; and it must be one result.
            let mut values = numbers.values();
            if let (Some(&value), None) = (values.next(), values.next()) {
                return Ok([(task.to_owned(), value)].into());
            }
            let many = numbers.len();
            return Err(Fault::Impossible(format!("the task `{task}` gave {many} results, and not one")));
        }
        Ok(numbers.into_iter().map(|(task, number)| (task.to_owned(), number)).collect())
    }
}

impl ProcessBench<'_> {
    /// Runs one side once, for whoever wants more than its numbers.
    pub fn reading(&self, side: &BenchProcess, task: Option<&str>) -> Result<Reading, Fault> {
        let scratch = HeldFolder::make("bench")
            .map_err(|error| Fault::Impossible(format!("no folder for the results: {error}")))?;
        let invocation = invocation(side, scratch.path(), task)?;
        let mut access = side.access.clone();
        access.write.push(scratch.path().to_owned());
        let confined = self
            .confinement
            .confine(invocation, &access)
            .map_err(|error| Fault::Impossible(error.to_string()))?;
        let finished = self.runner.run(&confined).map_err(|error| Fault::Impossible(error.to_string()))?;
        let code = match finished.ending {
            Ending::Exited(code) => code,
            Ending::Interrupted => return Err(Fault::Interrupted),
            Ending::TimedOut => return Err(told(&finished, "it ran too long")),
            Ending::Silent => return Err(told(&finished, "it was silent too long")),
            Ending::TooMuchOutput => return Err(told(&finished, "it wrote too much")),
            Ending::TooMuchDisk => return Err(told(&finished, "it wrote too much to the disk")),
            Ending::DiskFull => return Err(told(&finished, "no space left on device, which it filled")),
            Ending::Signalled(signal) => {
                return Err(told(&finished, &format!("signal {signal} ended it")));
            }
        };
        let read = match self.output {
            Output::Stdout => read_text(self.format, &String::from_utf8_lossy(&finished.stdout)),
            Output::Below(path) => read(self.format, &scratch.path().join(path)),
        };
        let reading = read.map_err(|error| told(&finished, &format!("exit code {code}, {error}")))?;
        if !agrees(self.format, code, &reading) {
            let reason = format!("its exit code {code} contradicts its results");
            return Err(told(&finished, &reason));
        }
        Ok(reading)
    }
}

/// A fault with the last words of the process.
fn told(finished: &Finished, reason: &str) -> Fault {
    let last = finished.tail(1);
    let last = last.trim();
    let words = if last.is_empty() { String::new() } else { format!(" ({last})") };
    Fault::Infrastructure(format!("{reason}{words}"))
}

fn invocation(side: &BenchProcess, output: &Path, task: Option<&str>) -> Result<Invocation, Fault> {
    let output = output.to_string_lossy();
    let filled =
        |argument: &String| argument.replace(OUTPUT, &output).replace(TASK, task.unwrap_or_default());
    let mut words = side.command.iter().map(filled);
    let program = words.next().ok_or_else(|| Fault::Impossible("its command is empty".to_owned()))?;
    let mut invocation = Invocation::new(program, &side.directory).args(words).limits(side.limits);
    invocation.environment.clone_from(&side.environment);
    Ok(invocation)
}

/// Whether the exit code says what the results say. Test runners fail with their tests; every other tool
/// succeeds when it has measured.
fn agrees(format: Format, code: i32, reading: &Reading) -> bool {
    match format {
        Format::Junit | Format::Libtest | Format::Tap => {
            let failed = |row: &crate::bench::read::Row| row.outcome == Outcome::Fail;
            // A test that failed and passed again leaves the choice to the runner.
            let retried = reading.rows.iter().any(|row| row.attempt > 1);
            retried || reading.rows.iter().any(failed) != (code == 0)
        }
        Format::Plain
        | Format::Swebench
        | Format::TerminalBench
        | Format::Harbor
        | Format::Criterion
        | Format::CargoCriterion
        | Format::PytestBenchmark
        | Format::Hyperfine
        | Format::Asv
        | Format::Bencher
        | Format::GithubActionBenchmark => code == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Unconfined;
    use upstream::process::SystemProcessRunner;

    fn measured(script: &str, format: Format, output: &Output) -> Result<BTreeMap<String, f64>, Fault> {
        let command = ["sh", "-c", script, "sh", "{output}", "{task}"].map(str::to_owned).to_vec();
        let side = BenchProcess {
            command,
            directory: "/".into(),
            environment: Invocation::new("true", "/").environment,
            access: Access::default(),
            limits: Limits { timeout_ms: 20_000, ..Limits::default() },
        };
        let runner = SystemProcessRunner::default();
        let bench = ProcessBench {
            reference: &side,
            candidate: &side,
            format,
            output,
            wanted: if format == Format::Tap { Wanted::Scores } else { Wanted::Values },
            confinement: &Unconfined,
            runner: &runner,
        };
        let task = (format == Format::Tap).then_some("the-task");
        bench.measure(Slot { arm: Arm::Candidate, task })
    }

    #[test]
    fn results_are_read_from_where_they_are() {
        let found = measured("echo noise; echo '{\"a\": 2}'", Format::Plain, &Output::Stdout);
        assert_eq!(found, Ok([("a".to_owned(), 2.0)].into()));
        let output = Output::Below("r.json".to_owned());
        let found = measured("echo '{\"a\": 3}' > $1/r.json", Format::Plain, &output);
        assert_eq!(found, Ok([("a".to_owned(), 3.0)].into()));
        let found = measured("printf '1..1\\nok 1 - whatever %s\\n' $2", Format::Tap, &Output::Stdout);
        assert_eq!(found, Ok([("the-task".to_owned(), 1.0)].into()));
    }

    #[test]
    fn whatever_goes_wrong_around_the_code_is_a_fault_and_no_loss() {
        for (script, expected) in [
            ("echo '{\"a\": 2}'; exit 3", "exit code 3 contradicts its results"),
            ("exit 0", "incomplete"),
            ("kill -9 $$", "signal 9 ended it"),
            ("echo '{}'", "nothing was measured"),
            ("echo why >&2; exit 1", "(why)"),
        ] {
            let Err(Fault::Infrastructure(reason)) = measured(script, Format::Plain, &Output::Stdout) else {
                panic!("{script} was taken");
            };
            assert!(reason.contains(expected), "{script}: {reason}");
        }
        let failing = "printf '1..1\\nnot ok 1\\n'";
        let Err(Fault::Infrastructure(reason)) = measured(failing, Format::Tap, &Output::Stdout) else {
            panic!("a failure with exit code 0 was taken");
        };
        assert!(reason.contains("contradicts"), "{reason}");
        let failing = measured("printf '1..1\\nnot ok 1\\n'; exit 1", Format::Tap, &Output::Stdout);
        assert_eq!(failing, Ok([("the-task".to_owned(), 0.0)].into()));
    }
}
