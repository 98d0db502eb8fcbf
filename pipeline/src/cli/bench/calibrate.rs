//! `tidelock bench calibrate`: the port against itself, for what this machine's noise lets one see.

use anyhow::anyhow;
use serde::Serialize;

use super::super::args::BenchNames;
use super::super::{CliError, Context, ExitCode, session_error, sync};
use super::chosen::chosen;
use crate::config::bench::BenchKind;
use crate::driver::benching::{Benching, CALIBRATION_PAIRS, mode_name, modes};
use crate::lease::Lease;

#[derive(Serialize)]
struct Calibrated {
    bench: String,
    /// The deviation of the logarithm of a ratio of two equal measurements.
    noise: f64,
    /// The smallest loss that the pairs of a comparison detect nine times in ten.
    detectable: f64,
    pairs: usize,
}

pub(super) fn calibrate(context: &Context, args: &BenchNames) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    let benches = chosen(&session, args, None)?;
    let head = session.head().map_err(session_error)?.tree;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let benching = Benching::new(&session, &*confinement);
    let mut rows = Vec::new();
    for bench in benches.iter().filter(|bench| bench.kind == BenchKind::Values) {
        for mode in modes(bench.mode) {
            let found = benching.calibrate(bench, mode, &head)?;
            let pairs = bench.pairs_max.unwrap_or(CALIBRATION_PAIRS);
            rows.push(Calibrated {
                bench: format!("{} ({})", bench.name, mode_name(mode)),
                noise: found.overall.sqrt(),
                detectable: port::timing::statistics::detectable_slowdown(found.overall, pairs),
                pairs,
            });
        }
    }
    if rows.is_empty() {
        context.console.say("no benchmark measures values: task suites need no calibration");
        return Ok(ExitCode::NothingToDo);
    }
    if context.format.is_json() {
        context.json(&rows)?;
    } else {
        let line = |row: &Calibrated| {
            format!(
                "{}: equal code differs by {:.1} % from pair to pair; {} pairs detect a loss of {:.1} %\n",
                row.bench,
                row.noise * 100.0,
                row.pairs,
                row.detectable * 100.0
            )
        };
        context.console.data(&rows.iter().map(line).collect::<String>());
    }
    Ok(ExitCode::Done)
}
