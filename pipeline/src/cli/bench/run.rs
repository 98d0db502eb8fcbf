//! `tidelock bench run`: the upstream, the port in parity mode and the port in full, side by side.

use anyhow::anyhow;
use port::bench::run::{SideBySide, Stopped};
use serde::Serialize;
use upstream::{Revision, TreeId};

use super::super::args::{BenchRun, ScheduleName};
use super::super::{CliError, Context, ExitCode, session_error, sync};
use super::chosen::{chosen, upstream_of};
use crate::config::bench::{BenchMode, BenchSchedule, BenchSettings};
use crate::driver::benching::{Benching, Pairing, Source, mode_name};
use crate::gate::words;
use crate::lease::Lease;

/// Two sides of `bench run`.
#[derive(Serialize)]
struct Measured {
    bench: String,
    reference: String,
    candidate: String,
    /// Why there are fewer pairs than were asked for; empty where there are not.
    trouble: String,
    sides: Vec<SideBySide>,
    /// The mean result on both sides, by task or bench.
    means: Vec<Mean>,
}

#[derive(Serialize)]
struct Mean {
    name: String,
    reference: f64,
    candidate: f64,
}

pub(super) fn measure(context: &Context, args: &BenchRun) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let _lease = Lease::take(&session.settings.state).map_err(|error| anyhow!(error))?;
    let schedule = args.schedule.map(|name| match name {
        ScheduleName::Change => BenchSchedule::Change,
        ScheduleName::Nightly => BenchSchedule::Nightly,
        ScheduleName::Train => BenchSchedule::Train,
    });
    let benches = chosen(&session, &args.which, schedule)?;
    let head = session.head().map_err(session_error)?.tree;
    let upstream = upstream_of(&session, &benches, None)?;
    let confinement = sync::confinement(&session.settings, &session.machine)?;
    let benching = Benching::new(&session, &*confinement);
    let mut measured = Vec::new();
    for bench in &benches {
        for (reference, mode) in against(bench, upstream.as_ref(), &head) {
            let pairing = Pairing {
                bench,
                mode,
                reference,
                candidate: Source::Port(head.clone()),
                trusted: head.clone(),
                endpoints: 1,
            };
            measured.push(one_measured(&benching, &pairing, args.pairs)?);
        }
    }
    if context.format.is_json() {
        context.json(&measured)?;
    } else {
        context.console.data(&measured_text(&measured));
    }
    let troubled = measured.iter().any(|one| !one.trouble.is_empty());
    Ok(if troubled { ExitCode::Inconclusive } else { ExitCode::Done })
}

/// What the port as it stands is set beside: the upstream in both modes, or itself, which shows the noise.
fn against(bench: &BenchSettings, upstream: Option<&Revision>, head: &TreeId) -> Vec<(Source, BenchMode)> {
    let [_, parity, extended] = &bench.environment;
    let both = bench.mode != BenchMode::Parity || !parity.is_empty() || !extended.is_empty();
    let modes = if both { vec![BenchMode::Parity, BenchMode::Extended] } else { vec![BenchMode::Parity] };
    let reference = match upstream.filter(|_| !bench.upstream_command.is_empty()) {
        Some(revision) => Source::Upstream(Box::new(revision.clone())),
        None => Source::Port(head.clone()),
    };
    modes.into_iter().map(|mode| (reference.clone(), mode)).collect()
}

fn one_measured(benching: &Benching<'_>, pairing: &Pairing<'_>, pairs: usize) -> Result<Measured, CliError> {
    let comparison = benching.measure(pairing, pairs)?;
    let trouble = match &comparison.stopped {
        Stopped::Decided | Stopped::Capped => {
            comparison.invalid().first().map(ToString::to_string).unwrap_or_default()
        }
        Stopped::Interrupted => "it was stopped; the same command goes on".to_owned(),
        Stopped::Infrastructure(reason) | Stopped::Impossible(reason) => reason.clone(),
        Stopped::StoredDiffer => "stored runs of the reference hold no longer".to_owned(),
    };
    let number = |pairs: usize| f64::from(u32::try_from(pairs.max(1)).unwrap_or(u32::MAX));
    let means = comparison.tally.by_task.iter().map(|(name, sums)| Mean {
        name: name.clone(),
        reference: sums.reference / number(sums.pairs),
        candidate: sums.candidate / number(sums.pairs),
    });
    Ok(Measured {
        bench: pairing.bench.name.clone(),
        reference: pairing.reference.words(),
        candidate: format!("{} in {} mode", pairing.candidate.words(), mode_name(pairing.mode)),
        trouble,
        means: means.collect(),
        sides: if comparison.tally.pairs() > 0 { comparison.side_by_side() } else { Vec::new() },
    })
}

fn measured_text(measured: &[Measured]) -> String {
    let mut lines = Vec::new();
    for one in measured {
        lines.push(format!("{}: {} beside {}", one.bench, one.candidate, one.reference));
        if !one.trouble.is_empty() {
            lines.push(format!("  inconclusive: {}", one.trouble));
        }
        lines.extend(one.sides.iter().map(|side| format!("  {}", words(side))));
        for Mean { name, reference, candidate } in &one.means {
            lines.push(format!("    {name}: {reference:.6} and {candidate:.6} on average"));
        }
    }
    lines.join("\n") + "\n"
}
