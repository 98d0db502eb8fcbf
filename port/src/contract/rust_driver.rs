//! The text of the upstream's driver: the template with this upstream's calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::observed_type::ObservedType;
use super::probeable::FunctionPlan;
use super::type_form::{FieldForm, TypeForm};

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
    let observed: BTreeMap<&String, &ObservedType> =
        included().flat_map(|(_, function)| &function.observed).collect();
    for (path, of) in observed {
        let observers =
            included().filter(|(_, function)| function.observed.contains_key(path)).map(|(at, _)| at);
        lines.push((text.lines().count() + 1, observers.collect()));
        // Written out rather than by a macro: the compiler's complaints must point here.
        let body = written_by(path, of);
        line(
            &mut text,
            format_args!("impl ToValue for {path} {{ fn write(&self, out: &mut String) {{ {body} }} }}"),
        );
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

/// The code that writes a value of a type of the crate, on one line.
fn written_by(path: &str, of: &ObservedType) -> String {
    let bare = path.split('<').next().unwrap_or_default();
    let class = &of.class;
    let by_text = format!(
        "write_opaque(\"{class}\", &{}, out)",
        if of.has_text { "format!(\"{self:?}\")" } else { "String::new()" }
    );
    let record = |variant: &str, fields: &FieldForm, value: &dyn Fn(usize, &str) -> String| {
        let mut written: Vec<_> = fields
            .public
            .iter()
            .enumerate()
            .map(|(at, (name, _))| {
                let plain = name.trim_start_matches("r#");
                format!("(\"{plain}\", (&&Look(&{})).look())", value(at, name))
            })
            .collect();
        if fields.is_partly_hidden {
            written.push("(\"\", written(&()))".to_owned());
        }
        let form = if fields.is_positional { "positional" } else { "named" };
        format!("write_record(\"{class}\", {variant}, &[{}], \"{form}\", out)", written.join(", "))
    };
    match &of.form {
        TypeForm::Hidden => by_text,
        TypeForm::Struct(fields) => record("None", fields, &|_, name| format!("self.{name}")),
        TypeForm::Enum(variants) => {
            let mut arms = String::new();
            for (name, fields) in variants {
                let bound: Vec<_> = fields
                    .public
                    .iter()
                    .enumerate()
                    .map(|(at, (field, _))| format!("{field}: f{at}"))
                    .collect();
                let plain = name.trim_start_matches("r#");
                let write = record(&format!("Some(\"{plain}\")"), fields, &|at, _| format!("f{at}"));
                // Fields of tuples have numbers for names, and so one pattern fits all variants.
                append(&mut arms, format_args!("{bare}::{name} {{ {}, .. }} => {write}, ", bound.join(", ")));
            }
            let arms = arms.replace("{ , .. }", "{ .. }");
            format!("match self {{ {arms}_ => {by_text} }}")
        }
    }
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string does not fail");
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a string does not fail");
}
