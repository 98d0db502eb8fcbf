//! The only place that prints. Standard output is data; standard error is for people.
//!
//! On a terminal the line at work is live; elsewhere every event is a plain line.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reports::Verdict;

use super::shown::shown;
use crate::config::env;
use crate::progress::{AttemptNews, Listener, Progress};

/// Upstream changes shown for one revision; the report has them all.
const CHANGES_SHOWN: usize = 12;

/// What is printed, and how.
#[derive(Debug)]
pub struct Console {
    colour: bool,
    data_colour: bool,
    live: bool,
    spinner: Mutex<Option<ProgressBar>>,
    /// Tests in a row that needed no edit: they are told together.
    quiet_tests: Mutex<usize>,
}

/// How a piece of text is set.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ink {
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
    Cyan,
}

impl Console {
    /// A console for this process's standard streams.
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            data_colour: std::io::stdout().is_terminal() && env::text("NO_COLOR").is_none(),
            colour: terminal && env::text("NO_COLOR").is_none(),
            live: terminal,
            spinner: Mutex::new(None),
            quiet_tests: Mutex::new(0),
        }
    }

    /// Prints data for people. What would deceive them is shown as an escape, wherever it came from.
    pub fn data(&self, text: &str) {
        self.exact(&shown(text, self.data_colour));
    }

    /// Prints data exactly: what programs read, and prompts.
    pub fn exact(&self, text: &str) {
        // A reader that went away (`| head`) wants no more, and needs no complaint.
        let mut out = std::io::stdout().lock();
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// Prints a line for people.
    pub fn say(&self, line: &str) {
        self.rest();
        let mut err = std::io::stderr().lock();
        drop(writeln!(err, "{}", shown(line, self.colour)));
    }

    /// Takes the live line away.
    fn rest(&self) {
        let mut spinner = self.spinner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(bar) = spinner.take() {
            bar.finish_and_clear();
        }
    }

    fn step(&self, what: &str) {
        self.rest();
        if !self.live {
            return;
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("      {spinner} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        *self.spinner.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(bar);
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        Self::inked(ink, text)
    }

    fn inked(ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Green => "32",
            Ink::Red => "31",
            Ink::Yellow => "33",
            Ink::Cyan => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Sets a piece of data in colour where standard output is a terminal.
    pub(super) fn data_ink(&self, ink: Ink, text: &str) -> String {
        if self.data_colour { Self::inked(ink, text) } else { text.to_owned() }
    }

    fn tests_so_far(&self) {
        let mut quiet = self.quiet_tests.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = std::mem::take(&mut *quiet);
        drop(quiet);
        if count > 0 {
            let mark = self.ink(Ink::Green, "=");
            let tests = reports::count(count as u64, "changed upstream test");
            self.say(&format!("    {mark} {tests}  no edit needed: the port's tests pass as they stand"));
        }
    }

    fn planned(&self, class: &str, changes: &[(String, String)], units: usize, skipped: usize) {
        self.say(&format!(
            "    {} changed upstream ({}): {} to do, {} left alone",
            reports::count(changes.len() as u64, "item"),
            reports::plain(class),
            reports::count(units as u64, "unit"),
            reports::count(skipped as u64, "item"),
        ));
        for (item, change) in changes.iter().take(CHANGES_SHOWN) {
            self.say(&format!("      {}", self.ink(Ink::Dim, &format!("{item}  {change}"))));
        }
        if changes.len() > CHANGES_SHOWN {
            let more = format!("and {} more, all in the report", changes.len() - CHANGES_SHOWN);
            self.say(&format!("      {}", self.ink(Ink::Dim, &more)));
        }
    }

    fn busy(&self, what: &str) {
        if !self.live {
            self.say(&format!("      … {what}"));
        }
        self.step(what);
    }

    fn attempt(&self, unit: &str, is_test: bool, translator: &str, news: &AttemptNews) {
        if is_test && matches!(news, AttemptNews::Absorbed { .. }) {
            *self.quiet_tests.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
            return;
        }
        let line = match news {
            // The next link of the chain is asked; only the last answer matters to a reader.
            AttemptNews::Declined { .. } => return self.rest(),
            AttemptNews::Absorbed { evidence } => {
                format!("{} {unit}  no edit needed: {evidence}", self.ink(Ink::Green, "="))
            }
            AttemptNews::Passed { origin, evidence } => {
                let by = if origin == translator { String::new() } else { format!(" ({origin})") };
                format!("{} {unit}  {translator}{by}: {evidence}", self.ink(Ink::Green, "✓"))
            }
            AttemptNews::Unchecked { origin } => {
                let by = if origin == translator { String::new() } else { format!(" ({origin})") };
                let mark = self.ink(Ink::Yellow, "○");
                format!("{mark} {unit}  {translator}{by}: taken, with nothing to compare it by")
            }
            AttemptNews::Refused { reason } => {
                format!("{} {unit}  {translator} refused: {reason}", self.ink(Ink::Red, "✗"))
            }
            AttemptNews::Waiting { reason } => {
                format!("{} {unit}  {translator}: {reason}", self.ink(Ink::Yellow, "…"))
            }
            AttemptNews::Unavailable { reason } => {
                format!("{} {unit}  {translator} cannot tell: {reason}", self.ink(Ink::Yellow, "?"))
            }
        };
        self.say(&format!("    {line}"));
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Listener for Console {
    fn tell(&self, progress: Progress) {
        if !matches!(progress, Progress::Attempt { .. } | Progress::Step { .. } | Progress::Busy { .. }) {
            self.tests_so_far();
        }
        match progress {
            Progress::Step { what } => self.step(&what),
            Progress::Busy { what } => self.busy(&what),
            Progress::Continued { run, events } => {
                self.say(&format!("going on with run {run}, which was stopped after {events} events"));
            }
            Progress::Notice { code: _, text } => {
                self.say(&format!("{} {text}", self.ink(Ink::Yellow, "note:")));
            }
            Progress::Revision { label, number, of } => {
                self.say(&format!("\n{}", self.ink(Ink::Bold, &format!("[{number}/{of}] {label}"))));
            }
            Progress::Planned { class, changes, units, skipped } => {
                self.planned(&class, &changes, units, skipped);
            }
            Progress::Attempt { unit, is_test, translator, result } => {
                self.attempt(&unit, is_test, &translator, &result);
            }
            Progress::Gate { gate, verdict, reason } => {
                let word = match verdict {
                    Verdict::Pass => self.ink(Ink::Green, "pass"),
                    Verdict::Fail => self.ink(Ink::Red, "FAIL"),
                    Verdict::Inconclusive => self.ink(Ink::Yellow, "inconclusive"),
                };
                self.say(&format!("    gate {gate}: {word}  {reason}"));
            }
            Progress::Landed { label, commit, disposition } => {
                self.say(&format!("    {} {label} {disposition} as {commit}", self.ink(Ink::Green, "⚓")));
            }
        }
    }
}
