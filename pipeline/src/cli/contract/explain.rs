//! `tidelock contract explain`: everything about the contract of one item, with a counterexample to run by hand.

use mappings::{SymbolPath, SymbolTable};
use reports::record::CounterexampleRecord;
use serde::Serialize;

use super::super::{CliError, Context, ExitCode, session_error};
use super::args::ContractItem;
use super::asked::Opened;
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
    let checked = checked(context, &opened, &names)?;
    let root = &opened.session.settings.source_root;
    let table = opened.session.symbols(&opened.tree).map_err(session_error)?;
    let examples = checked.counterexamples.iter();
    let commands =
        examples.map(|example| command(root, &module_of(&table, &example.symbol), example)).collect();
    let explained = Explained { derived, checked, commands };
    if context.format.is_json() {
        context.json(&explained)?;
    } else {
        context.console.data(&text(&explained));
    }
    Ok(exit_code(explained.checked.verdict))
}

/// A call, or a sequence of calls, as a command for a shell.
fn command(source_root: &str, module: &str, example: &CounterexampleRecord) -> String {
    let path = if source_root.is_empty() { "." } else { source_root };
    let code = if example.program.is_empty() {
        format!("import {module}; print(repr({}))", example.call)
    } else {
        format!("import {module}\n{}", example.program.join("\n"))
    };
    format!("PYTHONPATH={} python3 -c {}", quoted(path), quoted(&code))
}

/// The module that a symbol stands in: what contains it and is no symbol itself.
fn module_of(table: &SymbolTable, symbol: &str) -> String {
    let Ok(mut at) = SymbolPath::new(symbol) else { return symbol.to_owned() };
    while let Some(parent) = at.parent() {
        let is_symbol = table.get(&parent).is_some();
        at = parent;
        if !is_symbol {
            break;
        }
    }
    at.to_string()
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_the_shell() {
        assert_eq!(quoted("a'b"), "'a'\\''b'");
        let mut example = CounterexampleRecord {
            symbol: "p.m.f".to_owned(),
            call: "p.m.f('x')".to_owned(),
            upstream: "1".to_owned(),
            port: "2".to_owned(),
            program: Vec::new(),
            divergence: None,
        };
        assert_eq!(
            command("src", "p.m", &example),
            "PYTHONPATH='src' python3 -c 'import p.m; print(repr(p.m.f('\\''x'\\'')))'"
        );
        example.program = ["it = p.m.T('x')", "print(repr(it.f()))"].map(str::to_owned).to_vec();
        assert_eq!(
            command("", "p.m", &example),
            "PYTHONPATH='.' python3 -c 'import p.m\nit = p.m.T('\\''x'\\'')\nprint(repr(it.f()))'"
        );
        assert_eq!(module_of(&SymbolTable::default(), "p.m.f"), "p.m");
    }
}
