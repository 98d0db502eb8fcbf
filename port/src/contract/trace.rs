//! The first call that is given the same on both sides and gives something else.
//!
//! Main function: [`first_divergence`]. Both sides' calls are aligned through the links. The call that ends first is
//! named: whoever called it only passes the difference on.

use std::collections::BTreeMap;

use mappings::SymbolPath;
use serde_json::Value as Json;
use upstream::{ItemPath, RustType, Snapshot};

use super::compare::{Agreement, Profile, compare, compare_values};
use super::counterexample::cut;
use super::debug_text::read;
use super::report::Divergence;
use super::value::{Outcome, Value};

/// How near floats of a trace must be: a `Debug` text of a 32-bit float is no 64-bit one.
const TRACED_DISTANCE: f64 = 1e-6;
/// How many calls of one side are aligned at most.
const CALLS_MAX: usize = 4000;

/// One call of either side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// The item, or the symbol.
    pub of: String,
    /// What it was given.
    pub given: Vec<Value>,
    /// What it came to; `None` where nothing can be said of that.
    pub outcome: Option<Outcome>,
    /// What is left in arguments, by position.
    pub left: Vec<(usize, Value)>,
}

/// The upstream's calls, in the order in which they ended: each is `[function, begun, [text, ...],
/// [[position, text], ...], ending, text]`.
pub(super) fn upstream_calls(json: &Json, functions: &[(u32, ItemPath)], snapshot: &Snapshot) -> Vec<Call> {
    let named: BTreeMap<u64, &ItemPath> = functions.iter().map(|(id, item)| (u64::from(*id), item)).collect();
    let call = |json: &Json| {
        let [id, _, given, left, ending, result] = json.as_array()?.as_slice() else { return None };
        let item = *named.get(&id.as_u64()?)?;
        let signature = snapshot.items.get(item)?.signature.as_ref()?;
        Some(Call {
            of: item.to_string(),
            given: given.as_array()?.iter().map(seen).collect(),
            outcome: ended(ending.as_str()?, result, &signature.output),
            left: left.as_array()?.iter().filter_map(|pair| placed(pair, &seen)).collect(),
        })
    };
    listed(json).iter().filter_map(call).collect()
}

/// The port's calls, in the same order: each is `[symbol, [value, ...], outcome, [[position, value], ...]]`.
pub(super) fn port_calls(json: &Json) -> Vec<Call> {
    let value = |json: &Json| Value::from_json(json).unwrap_or_else(|_malformed| unseen());
    let call = |json: &Json| {
        let [symbol, given, outcome, left] = json.as_array()?.as_slice() else { return None };
        Some(Call {
            of: symbol.as_str()?.to_owned(),
            given: given.as_array()?.iter().map(value).collect(),
            outcome: Outcome::from_json(outcome).ok(),
            left: left.as_array()?.iter().filter_map(|pair| placed(pair, &value)).collect(),
        })
    };
    listed(json).iter().filter_map(call).collect()
}

fn listed(json: &Json) -> &[Json] {
    let all = json.as_array().map(Vec::as_slice).unwrap_or_default();
    all.get(..CALLS_MAX).unwrap_or(all)
}

fn placed(pair: &Json, value: &dyn Fn(&Json) -> Value) -> Option<(usize, Value)> {
    Some((usize::try_from(pair.get(0)?.as_u64()?).ok()?, value(pair.get(1)?)))
}

fn seen(json: &Json) -> Value {
    json.as_str().map_or_else(unseen, read)
}

fn unseen() -> Value {
    Value::Opaque { class: String::new(), text: String::new() }
}

/// What a call of the upstream's came to. One that was left by `?` gave what its type gives then.
fn ended(ending: &str, result: &Json, output: &RustType) -> Option<Outcome> {
    match ending {
        "value" => Some(Outcome::Value(read(result.as_str()?))),
        "panic" => Some(Outcome::Panic { text: String::new() }),
        _ => match output.last_name() {
            Some("Option") => Some(Outcome::Value(Value::Nothing)),
            Some(name) if name.ends_with("Result") => Some(Outcome::Value(Value::Err(Box::new(unseen())))),
            Some(_) | None => None,
        },
    }
}

/// The first of the upstream's calls to end for which a call of the linked symbol was given the same and gave
/// something else.
pub(super) fn first_divergence(
    profile: &Profile,
    links: &BTreeMap<ItemPath, SymbolPath>,
    upstream: &[Call],
    port: &[Call],
) -> Option<Divergence> {
    let profile = Profile { distance_max: profile.distance_max.max(TRACED_DISTANCE), ..profile.clone() };
    let mut times: BTreeMap<(&str, &[Value]), usize> = BTreeMap::new();
    for call in upstream {
        let item = ItemPath::new(call.of.clone()).ok()?;
        let Some(symbol) = links.get(&item) else { continue };
        let time = times.entry((&call.of, &call.given)).or_default();
        let counterparts: Vec<&Call> = port
            .iter()
            .filter(|other| other.of == symbol.as_str() && are_given_alike(&profile, call, other))
            .collect();
        let counterpart = counterparts.get(*time).or(counterparts.last());
        *time += 1;
        let (Some(counterpart), Some(expected)) = (counterpart, &call.outcome) else { continue };
        let Some(found) = &counterpart.outcome else { continue };
        if agreement(&profile, (call, expected), (counterpart, found)) == Agreement::Different {
            let texts: Vec<_> = call.given.iter().map(Value::to_python).collect();
            return Some(Divergence {
                item,
                symbol: symbol.clone(),
                arguments: cut(texts.join(", ")),
                upstream: cut(told(call, expected)),
                port: cut(told(counterpart, found)),
            });
        }
    }
    None
}

fn are_given_alike(profile: &Profile, call: &Call, other: &Call) -> bool {
    let alike = |(one, other)| compare_values(profile, one, other) != Agreement::Different;
    call.given.len() == other.given.len() && call.given.iter().zip(&other.given).all(alike)
}

/// Results first, then what is left in the arguments that the upstream changes. A port may return that instead.
fn agreement(
    profile: &Profile,
    (call, expected): (&Call, &Outcome),
    (other, found): (&Call, &Outcome),
) -> Agreement {
    let (Outcome::Value(result), Outcome::Value(returned), false) = (expected, found, call.left.is_empty())
    else {
        return compare(profile, expected, found);
    };
    if matches!(result, Value::Err(_)) {
        return compare(profile, expected, found);
    }
    let there =
        |at: usize| other.left.iter().find(|(position, _)| *position == at).map(|(_, value)| value.clone());
    let expected = Value::Changed {
        result: Box::new(result.clone()),
        left: call.left.iter().map(|(_, value)| value.clone()).collect(),
    };
    let found = Value::Changed {
        result: Box::new(returned.clone()),
        left: call.left.iter().map(|(at, _)| there(*at).unwrap_or_else(unseen)).collect(),
    };
    compare_values(profile, &expected, &found)
}

fn told(call: &Call, outcome: &Outcome) -> String {
    let left: Vec<_> = call.left.iter().map(|(_, value)| value.to_python()).collect();
    match left.as_slice() {
        [] => outcome.to_string(),
        _ => format!("{outcome}, leaving {}", left.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(of: &str, given: &[i32], result: i32) -> Call {
        Call {
            of: of.to_owned(),
            given: given.iter().copied().map(Value::int).collect(),
            outcome: Some(Outcome::Value(Value::int(result))),
            left: Vec::new(),
        }
    }

    fn links(names: &[&str]) -> BTreeMap<ItemPath, SymbolPath> {
        let pair = |name: &&str| {
            (ItemPath::new(format!("k::{name}")).unwrap(), SymbolPath::new(format!("p.{name}")).unwrap())
        };
        names.iter().map(pair).collect()
    }

    fn named(upstream: &[Call], port: &[Call]) -> Option<String> {
        let found = first_divergence(&Profile::default(), &links(&["f", "g", "h"]), upstream, port);
        found.map(|divergence| divergence.item.name().to_owned())
    }

    #[test]
    fn the_innermost_call_is_named_and_not_its_callers() {
        let upstream = [call("k::h", &[3], 9), call("k::g", &[3], 10), call("k::f", &[1], 11)];
        let port = [call("p.h", &[3], 8), call("p.g", &[3], 9), call("p.f", &[1], 10)];
        assert_eq!(named(&upstream, &port).as_deref(), Some("h"));
        // The port has no call of `h`: it may have written it out.
        assert_eq!(named(&upstream, &port[1..]).as_deref(), Some("g"));
    }

    #[test]
    fn a_call_that_is_given_something_else_is_no_cause() {
        // `f` passes the wrong number on: what `g` makes of it is right.
        let upstream = [call("k::g", &[3], 9), call("k::f", &[1], 10)];
        let port = [call("p.g", &[4], 16), call("p.f", &[1], 17)];
        assert_eq!(named(&upstream, &port).as_deref(), Some("f"));
        assert_eq!(named(&upstream, &[]), None);
    }

    #[test]
    fn what_is_left_in_an_argument_belongs_to_the_result() {
        let left = |of: &str, number: i32| Call {
            left: vec![(0, Value::List(vec![Value::int(number)]))],
            outcome: Some(Outcome::Value(Value::Unit)),
            ..call(of, &[3], 0)
        };
        assert_eq!(named(&[left("k::g", 1)], &[left("p.g", 1)]), None);
        assert_eq!(named(&[left("k::g", 1)], &[left("p.g", 2)]).as_deref(), Some("g"));
    }

    #[test]
    fn malformed_traces_are_no_calls() {
        for text in
            ["null", "3", "[[1]]", "[[1,0,[],[],\"value\"]]", "[[\"p.f\",[],[\"value\"]]]", "[[[],[],[],[]]]"]
        {
            let json = serde_json::from_str(text).unwrap();
            assert!(port_calls(&json).is_empty(), "{text}");
        }
        let broken = serde_json::json!([["p.f", [["q"]], ["what"], [[0]]]]);
        let [only] = port_calls(&broken).try_into().unwrap();
        assert!(only.outcome.is_none() && only.left.is_empty(), "{only:?}");
    }
}
