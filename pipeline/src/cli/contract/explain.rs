//! `tidelock contract explain`: everything about the contract of one item, with a counterexample to run by hand.

use mappings::SymbolPath;
use reports::record::CounterexampleRecord;
use serde::Serialize;

use crate::by_hand;

use super::super::{CliError, Context, ExitCode, session_error};
use super::args::ContractItem;
use super::asked::{Asked, Opened};
use super::check::{self, Checked, checked, exit_code};
use super::derive::{Row, rows};

/// What is printed as JSON.
#[derive(Serialize)]
struct Explained {
    derived: Vec<Row>,
    checked: Checked,
    /// A command for each counterexample, to be run in the port's folder.
    commands: Vec<String>,
}

/// Literals that are shown; the rest is counted.
const LITERALS_SHOWN: usize = 24;

pub(super) fn run(context: &Context, args: &ContractItem) -> Result<ExitCode, CliError> {
    let opened = Opened::new(context)?;
    let names = [args.item.clone()];
    let derived = rows(&opened, &opened.items(&names)?)?;
    let asked = Asked { items: opened.items(&names)?, sessions: Vec::new() };
    let checked = checked(context, &opened, asked)?;
    let root = &opened.session.settings.source_root;
    let table = opened.session.symbols(&opened.tree).map_err(session_error)?;
    let is_symbol = |path: &str| SymbolPath::new(path).is_ok_and(|path| table.get(&path).is_some());
    let command = |example: &CounterexampleRecord| {
        by_hand::counterexample(root, &by_hand::module_of(&example.symbol, is_symbol), example)
    };
    let commands = checked.counterexamples.iter().filter_map(command).collect();
    let explained = Explained { derived, checked, commands };
    if context.format.is_json() {
        context.json(&explained)?;
    } else {
        context.console.data(&text(&explained));
    }
    Ok(exit_code(explained.checked.verdict))
}

fn text(explained: &Explained) -> String {
    let mut lines = Vec::new();
    for row in &explained.derived {
        lines.push(format!("{} = {}", row.item, row.symbol));
        if !row.signature.is_empty() {
            lines.push(format!("  signature   {}", row.signature));
        }
        if !row.not_probed.is_empty() {
            lines.push(format!("  not probed  {}", row.not_probed));
        }
        for call in &row.calls {
            let instance =
                if call.instance.is_empty() { String::new() } else { format!(" with {}", call.instance) };
            lines.push(format!("  arguments   ({}){instance}", call.arguments.join(", ")));
            if !call.receiver.is_empty() {
                lines.push(format!("  receiver    {}", call.receiver));
            }
            lines.push(format!(
                "  probes      {} harvested from tests, documentation and examples; {} recorded while tests ran; \
                 {} from types and literals; {} that decide, new in each run; {} boundary values left out",
                call.harvested, call.recorded, call.generated, call.deciding, call.boundaries_left_out
            ));
            lines.push(format!("  relation    {}", call.relation));
            let shown: Vec<&str> = call.literals.iter().take(LITERALS_SHOWN).map(String::as_str).collect();
            let rest = call.literals.len() - shown.len();
            let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            if !shown.is_empty() {
                lines.push(format!("  literals    {}{more}", shown.join(" ")));
            }
        }
    }
    lines.push(String::new());
    let mut text = lines.join("\n") + "\n" + &check::text(&explained.checked);
    for command in &explained.commands {
        text.extend(["run it in the port's folder:\n  ", command, "\n"]);
    }
    text
}
