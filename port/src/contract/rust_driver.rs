//! The text of the upstream's driver: the template with this upstream's calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::observed_type::ObservedType;
use super::probeable::ProbePlan;
use super::sequence_plan::SequencePlan;
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
    /// An expression: the calls that were traced, as JSON.
    pub traced: Option<String>,
}

/// The driver for these calls. `excluded` ones are known not to compile and answer so.
pub(super) fn source(
    plan: &ProbePlan,
    excluded: &BTreeSet<usize>,
    counted: Option<&Counted>,
) -> DriverSource {
    let mut text = TEMPLATE.to_owned();
    let functions = &plan.functions;
    let included = || functions.iter().enumerate().filter(|(at, _)| !excluded.contains(at));
    let numbered = || (functions.len()..).zip(&plan.sequences).filter(|(at, _)| !excluded.contains(at));

    let reached = counted.map_or("Vec::<u32>::new()", |counted| &counted.reached);
    let reset = counted.map_or("", |counted| &counted.reset);
    line(&mut text, format_args!("fn reset() {{ {reset} }}"));
    line(&mut text, format_args!("fn reached() -> Vec<u32> {{ {reached} }}"));
    let traced = counted.and_then(|counted| counted.traced.as_deref()).unwrap_or("\"null\".to_owned()");
    line(&mut text, format_args!("fn traced() -> String {{ {traced} }}"));

    let mut arms = String::new();
    for at in included().map(|(at, _)| at).chain(numbered().map(|(at, _)| at)) {
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
    for (path, (of, observers)) in observed(plan, excluded) {
        lines.push((text.lines().count() + 1, observers));
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
    let mut first_step = functions.len() + plan.sequences.len();
    for (at, sequence) in (functions.len()..).zip(&plan.sequences) {
        if !excluded.contains(&at) {
            write_sequence(&mut text, &mut lines, (at, first_step), sequence, excluded);
        }
        first_step += sequence.steps.len();
    }
    DriverSource { text, lines }
}

/// The types of the crate that results hold, with the numbers of what looks at them.
fn observed<'p>(
    plan: &'p ProbePlan,
    excluded: &BTreeSet<usize>,
) -> BTreeMap<&'p String, (&'p ObservedType, Vec<usize>)> {
    let mut all: BTreeMap<&String, (&ObservedType, Vec<usize>)> = BTreeMap::new();
    let mut add = |at: usize, types: &'p BTreeMap<String, ObservedType>| {
        for (path, of) in types {
            all.entry(path).or_insert_with(|| (of, Vec::new())).1.push(at);
        }
    };
    let functions = plan.functions.iter().enumerate();
    functions.filter(|(at, _)| !excluded.contains(at)).for_each(|(at, function)| add(at, &function.observed));
    let mut step_at = plan.functions.len() + plan.sequences.len();
    for (at, sequence) in (plan.functions.len()..).zip(&plan.sequences) {
        for step in &sequence.steps {
            if !excluded.contains(&at) && !excluded.contains(&step_at) {
                add(step_at, &step.observed);
            }
            step_at += 1;
        }
    }
    all
}

/// The function that makes a value and calls one method after another on it. Each method stands on a line of its
/// own, so that one that does not compile can be left out.
fn write_sequence(
    text: &mut String,
    lines: &mut Vec<(usize, Vec<usize>)>,
    (at, first_step): (usize, usize),
    sequence: &SequencePlan,
    excluded: &BTreeSet<usize>,
) {
    let made_with = sequence.owned.len();
    lines.push((text.lines().count() + 1, vec![at]));
    line(text, format_args!("fn call_{at}(arguments: &Json) -> Result<String, String> {{"));
    for (position, owned) in sequence.owned.iter().enumerate() {
        line(text, format_args!("    let a{position} = &argument::<{owned}>(arguments, {position})?;"));
    }
    line(text, format_args!("    let mut receiver = {};", sequence.construction));
    line(text, format_args!("    let mut said: Vec<String> = Vec::new();"));
    line(text, format_args!("    for call in calls_at(arguments, {made_with}) {{"));
    line(text, format_args!("        let name = call.at(2).and_then(Json::text).unwrap_or_default();"));
    line(text, format_args!("        let (outcome, goes_on) = outcome_of(|| Ok(match name {{"));
    for (step_at, step) in (first_step..).zip(&sequence.steps) {
        if excluded.contains(&step_at) {
            continue;
        }
        let mut arguments = String::new();
        for (position, owned) in step.owned.iter().enumerate() {
            let number = made_with + position;
            append(&mut arguments, format_args!("let a{number} = kept::<{owned}>(call, {position})?; "));
        }
        lines.push((text.lines().count() + 1, vec![step_at]));
        line(text, format_args!("            \"{}\" => {{ {arguments}{} }}", step.item, step.call));
    }
    lines.push((text.lines().count() + 1, vec![at]));
    line(text, format_args!("            _ => return Err(\"no such method\".to_owned()),"));
    line(text, format_args!("        }}));"));
    line(text, format_args!("        said.push(outcome);"));
    // What a panic leaves behind, nobody promises.
    line(text, format_args!("        if !goes_on {{ break; }}"));
    line(text, format_args!("    }}"));
    line(text, format_args!("    Ok(format!(\"[\\\"steps\\\",[{{}}]]\", said.join(\",\")))\n}}"));
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
