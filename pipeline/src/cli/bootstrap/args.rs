//! The arguments of `tidelock bootstrap`.

use std::path::PathBuf;

use clap::Args;

use super::super::args::Who;

/// The help below the arguments.
pub(in crate::cli) const HELP: &str = "Examples:
  tidelock bootstrap --upstream strsim --into strsim-py                 by rule alone, with no key
  tidelock bootstrap --upstream strsim --into strsim-py --translator \"command:my-agent --headless\"
  tidelock -C strsim-py bootstrap                                       go on with it

It ends with 0 when all of it is in the port, with 5 when a part waits, and with 6 when the upstream
cannot be asked what it does. Stopped at any time, the same command goes on where it was.";

/// `tidelock bootstrap`
#[derive(Debug, Args)]
pub(in crate::cli) struct Bootstrap {
    /// What to port: a crate of the registry by its name, or a git repository by its path or address; also
    /// `git:ADDRESS#tags=v*`. Left out, the port that was begun here goes on.
    #[arg(long, value_name = "SOURCE")]
    pub(super) upstream: Option<String>,
    /// The folder that the port is made in. Default: this one. It must be empty.
    #[arg(long, value_name = "FOLDER")]
    pub(super) into: Option<PathBuf>,
    /// The revision to port. Default: the newest.
    #[arg(long, value_name = "REV")]
    pub(super) at: Option<String>,
    /// The name of the port's package. Default: the crate's, made one that Python does not have itself.
    #[arg(long, value_name = "NAME")]
    pub(super) package: Option<String>,
    /// Which crate of a workspace to port.
    #[arg(long = "crate", value_name = "NAME")]
    pub(super) krate: Option<String>,
    /// The language of the port: `python`.
    #[arg(long, value_name = "NAME", default_value = "python")]
    pub(super) language: String,
    /// Leave these items out of the port, and say why: `krate::ffi::**=there is no C here`. May be repeated.
    #[arg(long = "ignore", value_name = "PATTERN=REASON")]
    pub(super) ignore: Vec<String>,
    /// Put modules with fewer lines of code than this into the module above them. Default: one file a module.
    #[arg(long, value_name = "LINES", default_value_t = 0)]
    pub(super) merge_below: usize,
    /// Give no symbols to what the upstream does not export: what uses it does without.
    #[arg(long)]
    pub(super) public_only: bool,
    /// Leave the upstream's tests out; pytest is not needed then.
    #[arg(long)]
    pub(super) without_tests: bool,
    /// How many units are gated and landed together, at most.
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub(super) at_a_time: usize,
    /// Take up again what was asked for and refused.
    #[arg(long)]
    pub(super) retry: bool,
    #[command(flatten)]
    pub(super) who: Who,
}

impl Bootstrap {
    /// The first argument that only counts where a port is begun, if any is given.
    pub(super) fn only_to_begin(&self) -> Option<&'static str> {
        [
            ("--at", self.at.is_some()),
            ("--package", self.package.is_some()),
            ("--crate", self.krate.is_some()),
            ("--ignore", !self.ignore.is_empty()),
            ("--merge-below", self.merge_below > 0),
            ("--public-only", self.public_only),
            ("--without-tests", self.without_tests),
        ]
        .into_iter()
        .find_map(|(name, is_given)| is_given.then_some(name))
    }
}
