//! The arguments of `tidelock decline`, `defer` and `pin`.

use clap::Args;

pub(super) const DECLINE_HELP: &str = "Examples:
  tidelock decline 'parser::simd::**' --reason 'speed only' --owner Ann
  tidelock decline 1.2.0 --reason 'taken back in 1.2.1'
  tidelock decline 1.2.0 --undo

It is written into `tidelock.toml`, and counts from the next plan or sync on. Once it is taken
back or has ended, what it held is planned again.";

pub(super) const DEFER_HELP: &str = "Example:
  tidelock defer parser::Cursor --until 2027-03-01 --reason 'our cursor is being rewritten'
  tidelock defer parser::Cursor --undo

From that day on (in UTC) what it held is planned again.";

pub(super) const PIN_HELP: &str = "Example:
  tidelock pin 1.2.0 --reason 'our release 4 is made from it' --until 2027-03-01
  tidelock pin 1.2.0 --undo";

/// `tidelock decline` and `tidelock defer`
#[derive(Debug, Args)]
pub(super) struct Decide {
    /// An item's path or a pattern over such paths (`krate::module::**`), or a revision.
    #[arg(value_name = "ITEMS|REV")]
    pub(super) what: String,
    #[command(flatten)]
    pub(super) why: Why,
}

/// `tidelock pin`
#[derive(Debug, Args)]
pub(super) struct Pin {
    /// The revision: the lock's baseline or a later one.
    #[arg(value_name = "REV")]
    pub(super) revision: String,
    #[command(flatten)]
    pub(super) why: Why,
}

/// What a decision rests on.
#[derive(Debug, Args)]
pub(super) struct Why {
    /// Why, in one line.
    #[arg(long, value_name = "TEXT", required_unless_present = "undo")]
    pub(super) reason: Option<String>,
    /// Who answers for it. Default: the name under which you commit.
    #[arg(long, value_name = "NAME")]
    pub(super) owner: Option<String>,
    /// The day, as 2027-03-01, from which it holds no longer.
    #[arg(long, value_name = "DAY")]
    pub(super) until: Option<String>,
    /// Take the decision back.
    #[arg(long, conflicts_with_all = ["reason", "owner", "until"])]
    pub(super) undo: bool,
}
