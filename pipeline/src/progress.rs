//! What a run tells while it works. The engine's driver speaks; the command line listens.

use reports::Verdict;

/// Something worth telling at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Something that may take a while begins; the next event ends it.
    Busy {
        /// What is being done, such as `building strsim 0.9.0`.
        what: String,
    },
    /// Something short begins: worth a live line, not a line of its own.
    Step {
        /// What is being done, such as `strsim::jaro: memory`.
        what: String,
    },
    /// A run that was stopped goes on.
    Continued {
        /// Its name.
        run: String,
        /// How many of its events are kept.
        events: usize,
    },
    /// Something a person should know.
    Notice {
        /// A stable code, such as `branch-rewritten`.
        code: &'static str,
        /// What it is.
        text: String,
    },
    /// A revision begins.
    Revision {
        /// What people call it.
        label: String,
        /// Its place among the targets, from 1.
        number: usize,
        /// How many targets there are.
        of: usize,
    },
    /// A revision was planned.
    Planned {
        /// Its class.
        class: String,
        /// Each upstream change: the item, what happened.
        changes: Vec<(String, String)>,
        /// How many units there are.
        units: usize,
        /// How many changed items are left alone.
        skipped: usize,
    },
    /// A translator was asked for a unit and its answer was checked.
    Attempt {
        /// The unit.
        unit: String,
        /// Whether it is about a test.
        is_test: bool,
        /// Who was asked.
        translator: String,
        /// How it ended, for people.
        result: AttemptNews,
    },
    /// A gate said something.
    Gate {
        /// Which one.
        gate: String,
        /// What it says.
        verdict: Verdict,
        /// Why, in one line.
        reason: String,
    },
    /// A revision landed.
    Landed {
        /// The revision.
        label: String,
        /// The commit, abbreviated.
        commit: String,
        /// What became of it.
        disposition: String,
    },
}

/// How an attempt ended, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptNews {
    /// No edit is needed.
    Absorbed {
        /// The evidence in a few words.
        evidence: String,
    },
    /// The edit passed.
    Passed {
        /// Who made it.
        origin: String,
        /// The evidence in a few words.
        evidence: String,
    },
    /// The edit was taken, though nothing could be compared and no test speaks for it.
    Unchecked {
        /// Who made it.
        origin: String,
    },
    /// The answer was found wrong.
    Refused {
        /// Why, with a counterexample where there is one.
        reason: String,
    },
    /// The translator has nothing for it.
    Declined {
        /// Why.
        reason: String,
    },
    /// It is asked, and the answer comes with a later run.
    Waiting {
        /// What is waited for.
        reason: String,
    },
    /// It could not be told.
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// Listens to a run.
pub trait Listener: Send + Sync + std::fmt::Debug {
    /// Is told what happens.
    fn tell(&self, progress: Progress);
}

/// Hears nothing: for tests and for callers that only want the record.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Listener for Silent {
    fn tell(&self, _progress: Progress) {}
}
