//! Automation for developers of Tidelock: `cargo xtask --help`.

mod deny;
mod generate;
mod measure;
mod picture;
mod states;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Automation for developers of Tidelock")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the licences and sources of everything that is built in, against `deny.toml`.
    Deny,
    /// Write the documentation that is generated from the code.
    Generate {
        /// Change nothing, and fail where a file differs from what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Measure a number that the documentation quotes: one JSON object a line.
    Measure {
        /// Which one; `--list` names them.
        #[arg(required_unless_present = "list")]
        name: Option<String>,
        /// Name all measures with what they need.
        #[arg(long)]
        list: bool,
        /// A repository to measure on; may be repeated.
        #[arg(long, value_name = "PATH")]
        repo: Vec<PathBuf>,
        #[command(flatten)]
        choices: measure::Choices,
    },
    /// Draw parts of a recorded terminal as SVG, to standard output.
    Picture {
        /// What `script` recorded.
        recording: PathBuf,
        /// The command that is shown above.
        #[arg(long)]
        command: String,
        /// Lines from the first that holds FROM to the next that holds TO; may be repeated.
        #[arg(long, value_name = "FROM..TO", required = true)]
        part: Vec<picture::Part>,
    },
}

fn main() -> Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    match Cli::parse().command {
        Command::Deny => deny::run(&root),
        Command::Generate { check } => generate::run(&root, check),
        Command::Picture { recording, command, part } => {
            let svg = picture::picture(&recording, &command, &part)?;
            std::io::stdout().write_all(svg.as_bytes())?;
            Ok(())
        }
        Command::Measure { list: true, .. } => measure::list(),
        Command::Measure { name, repo, choices, .. } => {
            measure::run(name.as_deref().unwrap_or_default(), &repo, &choices)
        }
    }
}
