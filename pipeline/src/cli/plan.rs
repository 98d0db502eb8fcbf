//! `tidelock plan`: what a sync would do, without doing it.

use anyhow::anyhow;
use reports::record::{ChangeRow, SkippedRow};
use reports::{count, visible_line};
use serde::Serialize;
use upstream::{Revision, RevisionClass, TreeId};

use super::args::Plan;
use super::{CliError, Context, ExitCode, session_error, status, sync};
use crate::chain;
use crate::decided;
use crate::driver::{Current, class_name, first_request};
use crate::engine::{Head, PlannedRevision};
use crate::session::Session;

/// What is printed as JSON.
#[derive(Serialize)]
struct Planned {
    baseline: String,
    revision: String,
    revisions: Vec<String>,
    tokens_estimate: u64,
    class: String,
    changes: Vec<ChangeRow>,
    dependencies: Vec<String>,
    files: Vec<String>,
    skipped: Vec<SkippedRow>,
    units: Vec<PlannedUnit>,
}

#[derive(Serialize)]
struct PlannedUnit {
    id: String,
    kind: String,
    symbols: Vec<String>,
    reason: String,
    impacted: Vec<String>,
    after: Vec<String>,
    wave: u32,
    tokens_estimate: u64,
}

pub(super) fn run(context: &Context, args: &Plan) -> Result<ExitCode, CliError> {
    let session = context.session_to_look(context.settings()?)?;
    let head = session.head().map_err(session_error)?;
    session.read_symbols_ahead(&head.tree);
    let lock = session.lock(&head.tree).map_err(session_error)?;
    if !args.offline {
        session.poll(Some(&lock.baseline)).map_err(session_error)?;
    }
    let known = session.revisions().map_err(session_error)?;
    if args.offline && known.is_empty() {
        return Err(status::nothing_seen());
    }
    let behind: Vec<_> = known
        .iter()
        .skip_while(|revision| revision.label != lock.baseline)
        .skip(1)
        .filter(|revision| !revision.withdrawn)
        .cloned()
        .collect();
    let at_ms = session.machine.clock.now_ms();
    let holds = session.holds(at_ms).map_err(session_error)?;
    let mut allowed: Vec<Revision> = behind.clone();
    let held_back = decided::hold_back(&mut allowed, &holds, &known);
    for notice in decided::notices(&session, &holds, held_back, at_ms) {
        context.console.say(&notice.text);
    }
    let target = match &args.to {
        Some(to) => {
            let wanted = session.revision(to).map_err(session_error)?;
            let is_among = |revisions: &[Revision]| revisions.iter().any(|one| one.label == wanted.label);
            if let Some(pin) = holds.pin().filter(|_| is_among(&behind) && !is_among(&allowed)) {
                return Err(sync::beyond(to, pin));
            }
            wanted
        }
        None => {
            if let Some(newest) = allowed.last() {
                newest.clone()
            } else if decided::is_unsettled(&session, &lock, &head.tree, &holds)? {
                session.revision(lock.baseline.as_str()).map_err(session_error)?
            } else {
                let but = match lock.parked.len() as u64 {
                    0 => String::new(),
                    parked => format!(", but for {} parked for a person", count(parked, "item")),
                };
                context.console.say(&format!("nothing to do: the port equals {}{but}", lock.baseline));
                if context.format.is_json() {
                    context.json(&nothing(lock.baseline.as_str()))?;
                }
                return Ok(ExitCode::NothingToDo);
            }
        }
    };
    let head = Head { commit: head.commit, tree: head.tree };
    if let Some(unit) = &args.prompt {
        let current = Current::make(&session, &target, &head, at_ms)?;
        return prompt(context, &session, &current, unit, &head.tree);
    }
    let current = Current::look(&session, &target, &head, at_ms)?;
    let PlannedRevision { class, changes, dependencies, files, skipped, units: _, decided: _ } =
        current.planned();
    let units: Vec<PlannedUnit> = current.plan.units.iter().map(planned_unit).collect();
    let planned = Planned {
        baseline: lock.baseline.to_string(),
        revision: target.label.to_string(),
        revisions: behind.iter().map(|revision| revision.label.to_string()).collect(),
        tokens_estimate: units.iter().map(|unit| unit.tokens_estimate).sum(),
        class,
        changes,
        dependencies,
        files,
        skipped,
        units,
    };
    if context.format.is_json() {
        context.json(&planned)?;
    } else {
        context.console.data(&text(&planned));
    }
    // The process ends behind this. To give what was read back piece by piece would take a tenth of its time.
    std::mem::forget((lock, current, session));
    Ok(ExitCode::Done)
}

/// The prompt of one unit, as the models of the chain are given it.
fn prompt(
    context: &Context,
    session: &Session,
    current: &Current,
    wanted: &str,
    tree: &TreeId,
) -> Result<ExitCode, CliError> {
    let Some(unit) = current.plan.units.iter().find(|unit| unit.id.as_str() == wanted) else {
        let error = anyhow!("the plan has no unit `{wanted}`");
        return Err(CliError::usage(error).hint("`tidelock plan` names them"));
    };
    let request = first_request(session, current, unit, tree)?;
    let prompt = chain::prompts(&session.settings)?.build(&request).map_err(|error| anyhow!(error))?;
    if context.format.is_json() {
        context.json(&prompt)?;
    } else {
        context.console.exact(&prompt.text());
        for note in prompt.blocks.iter().filter(|note| !note.left_out.is_empty()) {
            let (what, why, names) = (note.block.word(), &note.why, note.left_out.join(", "));
            let of = note.shown + note.left_out.len();
            context
                .console
                .say(&format!("{what}: {} of {of} shown, because {why}; left out: {names}", note.shown));
        }
    }
    Ok(ExitCode::Done)
}

/// The plan of a port that equals the newest revision.
fn nothing(baseline: &str) -> Planned {
    Planned {
        baseline: baseline.to_owned(),
        revision: baseline.to_owned(),
        revisions: Vec::new(),
        tokens_estimate: 0,
        class: class_name(RevisionClass::NoBehaviourChange).to_owned(),
        changes: Vec::new(),
        dependencies: Vec::new(),
        files: Vec::new(),
        skipped: Vec::new(),
        units: Vec::new(),
    }
}

fn planned_unit(unit: &mappings::WorkUnit) -> PlannedUnit {
    PlannedUnit {
        id: unit.id.to_string(),
        kind: crate::driver::unit_kind_name(unit.kind).to_owned(),
        symbols: unit.members.iter().map(|member| member.symbol.to_string()).collect(),
        reason: unit.reason.clone(),
        impacted: unit.impacted.iter().map(|impacted| impacted.symbol.to_string()).collect(),
        after: unit.after.iter().map(ToString::to_string).collect(),
        wave: unit.wave,
        tokens_estimate: unit.tokens_estimate,
    }
}

fn text(planned: &Planned) -> String {
    let mut lines = vec![
        format!("{} -> {}  ({})", planned.baseline, planned.revision, reports::plain(&planned.class)),
        format!("{} changed upstream", count(planned.changes.len() as u64, "item")),
    ];
    lines.extend(planned.dependencies.iter().map(|line| format!("  dependency {}", visible_line(line))));
    lines.extend(planned.files.iter().map(|line| format!("  file {}", visible_line(line))));
    lines.push(format!(
        "\n{} to do, in this order; about {} if a model had to do all of it",
        count(planned.units.len() as u64, "unit"),
        count(planned.tokens_estimate, "token")
    ));
    for unit in &planned.units {
        lines.push(format!("  {:<9} {}  -> {}", unit.kind, unit.id, unit.symbols.join(", ")));
        lines.push(format!("            {}", visible_line(&unit.reason)));
        if !unit.impacted.is_empty() {
            lines.push(format!("            also proved: {}", unit.impacted.join(", ")));
        }
    }
    lines.push(format!("\n{} left alone", count(planned.skipped.len() as u64, "changed item")));
    for skipped in &planned.skipped {
        lines.push(format!("  {}  ({}): {}", skipped.item, skipped.change, visible_line(&skipped.reason)));
    }
    lines.push(
        "\nNothing was changed. `tidelock sync` does it; `--dry-run` does all of it but land.".to_owned(),
    );
    lines.join("\n") + "\n"
}
