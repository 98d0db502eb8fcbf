//! The text of the upstream's driver: the template with this upstream's calls.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::probeable::FunctionPlan;

/// Reads probes, writes outcomes; knows nothing of an upstream.
pub(super) const TEMPLATE: &str = include_str!("drivers/rust_driver.rs");

/// A driver's `main.rs`, and the lines from 1 on which a piece begins that stands for some functions.
pub(super) struct DriverSource {
    pub text: String,
    pub lines: Vec<(usize, Vec<usize>)>,
}

/// How the driver speaks to the upstream's coverage counters.
pub(super) struct Counted {
    /// An expression: the blocks that were reached.
    pub reached: String,
    /// A statement that forgets them.
    pub reset: String,
}

/// The driver for these functions. `excluded` ones are known not to compile and answer so.
pub(super) fn source(
    functions: &[FunctionPlan],
    excluded: &BTreeSet<usize>,
    counted: Option<&Counted>,
) -> DriverSource {
    let mut text = TEMPLATE.to_owned();
    let included = || functions.iter().enumerate().filter(|(at, _)| !excluded.contains(at));

    let reached = counted.map_or("Vec::<u32>::new()", |counted| &counted.reached);
    let reset = counted.map_or("", |counted| &counted.reset);
    line(&mut text, format_args!("fn reset() {{ {reset} }}"));
    line(&mut text, format_args!("fn reached() -> Vec<u32> {{ {reached} }}"));

    let mut arms = String::new();
    for (at, _) in included() {
        line(&mut arms, format_args!("        {at} => call_{at}(arguments),"));
    }
    line(
        &mut text,
        format_args!("fn dispatch(function: u64, arguments: &Json) -> Result<String, String> {{"),
    );
    line(
        &mut text,
        format_args!(
            "    match function {{\n{arms}        _ => Err(\"no such function\".to_owned()),\n    }}\n}}"
        ),
    );

    let mut lines = Vec::new();
    let observed: BTreeSet<&String> = included().flat_map(|(_, function)| &function.observed).collect();
    for path in observed {
        let bare = path.split('<').next().unwrap_or_default();
        let class = bare.rsplit("::").next().unwrap_or_default();
        let observers = included().filter(|(_, function)| function.observed.contains(path)).map(|(at, _)| at);
        lines.push((text.lines().count() + 1, observers.collect()));
        // Written out rather than by a macro: the compiler's complaints must point here.
        let write = format!(
            "fn write(&self, out: &mut String) {{ write_opaque(\"{class}\", &format!(\"{{self:?}}\"), out); }}"
        );
        line(&mut text, format_args!("impl ToValue for {path} {{ {write} }}"));
    }
    for (at, function) in included() {
        lines.push((text.lines().count() + 1, vec![at]));
        line(&mut text, format_args!("fn call_{at}(arguments: &Json) -> Result<String, String> {{"));
        for (position, owned) in function.owned.iter().enumerate() {
            line(
                &mut text,
                format_args!("    let a{position} = &argument::<{owned}>(arguments, {position})?;"),
            );
        }
        line(&mut text, format_args!("    Ok({})\n}}", function.call));
    }
    DriverSource { text, lines }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a string does not fail");
}
