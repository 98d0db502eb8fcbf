//! The Spec stage: the symbol is there, can be called, and takes what the item takes.

use mappings::SymbolPath;
use upstream::{Item, ItemPath};

use super::probeable::ReceiverPlan;
use super::python::{Description, PortParameter};
use super::report::SpecFinding;

/// What does not line up between an item and its symbol as the running port describes it. A method of a
/// type that the port has no class for takes its value as a parameter. What parameters an item takes that its crate
/// keeps to itself is nobody's business outside: glue between two languages takes others than its twin, and what it does
/// is seen through its callers.
pub(super) fn findings(
    path: &ItemPath,
    item: Option<&Item>,
    symbol: &SymbolPath,
    description: &Description,
    receiver: &ReceiverPlan,
) -> Vec<SpecFinding> {
    let finding = |code: &str, text: String| SpecFinding {
        item: path.clone(),
        symbol: symbol.clone(),
        code: code.to_owned(),
        text,
    };
    let (is_callable, parameters) = match description {
        Description::Missing { code, text } => return vec![finding(code, text.clone())],
        Description::Symbol { is_callable, parameters, .. } => (*is_callable, parameters),
    };
    let Some(signature) = item.and_then(|item| item.signature.as_ref()) else { return Vec::new() };
    if !is_callable {
        // What is hidden may be an attribute or a property as well.
        if item.is_some_and(is_hidden) {
            return Vec::new();
        }
        return vec![finding(
            "not-callable",
            format!("`{symbol}` cannot be called, and `{path}` is a function"),
        )];
    }
    let Some(parameters) = parameters else { return Vec::new() };
    if item.is_some_and(is_hidden) || is_protocol_method(symbol) {
        return Vec::new();
    }
    let (least, most) = counts(parameters);
    let fits = |wanted: usize| least <= wanted && most.is_none_or(|most| wanted <= most);
    let wanted = signature.parameters.len() + usize::from(*receiver == ReceiverPlan::Argument);
    let may_take_value = signature.receiver.is_some() && *receiver != ReceiverPlan::Argument;
    // `ToHex.encode_hex(value)` hands the value to `self`, which is none of the parameters that are told.
    let takes_it_as_self = *receiver == ReceiverPlan::Argument && stands_in_class(symbol);
    if !(fits(wanted)
        || may_take_value && fits(wanted + 1)
        || takes_it_as_self && fits(signature.parameters.len()))
    {
        let takes = match most {
            Some(most) if most == least => format!("{least}"),
            Some(most) => format!("{least} to {most}"),
            None => format!("{least} or more"),
        };
        return vec![finding(
            "parameter-count",
            format!("`{path}` takes {wanted} arguments, `{symbol}` takes {takes}"),
        )];
    }
    // Positional parameters may be named as the port likes; keyword-only ones are part of each call.
    let names: Vec<_> = signature.parameters.iter().map(|parameter| plain(&parameter.name)).collect();
    let foreign: Vec<_> = parameters
        .iter()
        .filter(|parameter| {
            parameter.kind == "KEYWORD_ONLY"
                && !parameter.has_default
                && !names.contains(&plain(&parameter.name))
        })
        .map(|parameter| parameter.name.clone())
        .collect();
    if foreign.is_empty() {
        return Vec::new();
    }
    vec![finding(
        "parameter-names",
        format!("`{symbol}` takes `{}` by name, which `{path}` does not have", foreign.join("`, `")),
    )]
}

/// Whether other crates cannot name it. A method of a trait says nothing of its own visibility.
fn is_hidden(item: &Item) -> bool {
    !item.exported
}

/// Methods such as `__str__`: what they take is the port's language's own, not the Rust trait's.
fn is_protocol_method(symbol: &SymbolPath) -> bool {
    let name = symbol.name();
    name.starts_with("__") && name.ends_with("__") && !matches!(name, "__init__" | "__new__" | "__call__")
}

fn stands_in_class(symbol: &SymbolPath) -> bool {
    let holder = symbol.parent();
    holder.is_some_and(|holder| holder.name().trim_start_matches('_').starts_with(char::is_uppercase))
}

fn counts(parameters: &[PortParameter]) -> (usize, Option<usize>) {
    let is_variadic = |parameter: &&PortParameter| parameter.kind.starts_with("VAR_");
    let fixed: Vec<_> = parameters.iter().filter(|parameter| !is_variadic(parameter)).collect();
    let least = fixed.iter().filter(|parameter| !parameter.has_default).count();
    let is_open = parameters.iter().any(|parameter| parameter.kind == "VAR_POSITIONAL");
    (least, (!is_open).then_some(fixed.len()))
}

fn plain(name: &str) -> String {
    name.trim_start_matches("mut ").trim_matches('_').to_lowercase()
}
