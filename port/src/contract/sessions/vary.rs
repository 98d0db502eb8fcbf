//! Cases made from those that people declared: small changes of what is read and of the arguments, drawn from a secret.

use serde_json::Value as Json;

use super::super::generate::Generator;
use super::super::landmarks::Landmarks;
use super::declared::{Case, Input, Origin, Session};

/// Pieces that turn programs which read text.
const PIECES: [&str; 12] = ["\n", "\n\n", " ", "\t", "\r\n", "é", "日", "0", "-1", "\"", ",", "\u{2003}"];
/// How often a change is drawn until it is one.
const TRIES: usize = 16;

/// So many new cases of a session as it asks for, the same ones for the same seed.
pub(super) fn generated(session: &Session, seed: &str) -> Vec<Case> {
    let mut dice = Generator::new(["sessions", seed, &session.name], &Landmarks::default());
    let mut made: Vec<Case> = Vec::new();
    let wanted = usize::try_from(session.generated).unwrap_or(usize::MAX);
    for number in 0..wanted {
        let Some(from) = dice.pick(&session.cases) else { break };
        let is_new =
            |case: &Case, made: &[Case]| !session.cases.iter().chain(made).any(|known| is_alike(known, case));
        let found = (0..TRIES).map(|_| varied(&mut dice, &from)).find(|case| is_new(case, &made));
        made.extend(found.map(|case| Case {
            name: format!("{} ~{}", from.name, number + 1),
            origin: Origin::Generated,
            ..case
        }));
    }
    made
}

fn is_alike(one: &Case, other: &Case) -> bool {
    (&one.arguments, &one.input, &one.files, &one.environment)
        == (&other.arguments, &other.input, &other.files, &other.environment)
}

fn varied(dice: &mut Generator, case: &Case) -> Case {
    let mut case = case.clone();
    // Arguments are few words that say much: most changes of them are errors alike. What is read varies more.
    if !case.arguments.is_empty() && dice.one_in(4) {
        vary_arguments(dice, &mut case.arguments);
        return case;
    }
    let files: Vec<String> = case.files.keys().cloned().collect();
    if let Some(name) = dice.pick(&files).filter(|_| dice.one_in(2))
        && let Some(content) = case.files.get_mut(&name)
    {
        *content = vary_bytes(dice, content);
        return case;
    }
    match &mut case.input {
        Input::Whole(bytes) => *bytes = vary_bytes(dice, bytes),
        Input::Lines(lines) => vary_requests(dice, lines),
    }
    case
}

fn vary_arguments(dice: &mut Generator, arguments: &mut Vec<String>) {
    let at = place(dice, arguments.len());
    match dice.below(4) {
        0 => {
            arguments.remove(at);
        }
        1 => {
            let again = arguments.get(at).cloned().unwrap_or_default();
            arguments.insert(at, again);
        }
        2 => {
            let other = place(dice, arguments.len());
            arguments.swap(at, other);
        }
        _ => {
            if let Some(argument) = arguments.get_mut(at) {
                *argument = vary_number(dice, argument).unwrap_or_else(|| format!("{argument}x"));
            }
        }
    }
}

/// A number beside the one that a text is, if it is one.
fn vary_number(dice: &mut Generator, text: &str) -> Option<String> {
    let number: i64 = text.parse().ok()?;
    let others = [number.saturating_add(1), number.saturating_sub(1), 0, -1, number.saturating_mul(1000)];
    dice.pick(&others).map(|other| other.to_string())
}

/// Text stays text; other bytes lose some.
fn vary_bytes(dice: &mut Generator, bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => vary_text(dice, text).into_bytes(),
        Err(_binary) => {
            let end = place(dice, bytes.len());
            bytes.get(..end).unwrap_or_default().to_vec()
        }
    }
}

fn vary_text(dice: &mut Generator, text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = place(dice, lines.len());
    match dice.below(6) {
        0 => String::new(),
        1 => text.strip_suffix('\n').map_or_else(|| format!("{text}\n"), str::to_owned),
        2 if !lines.is_empty() => {
            lines.remove(at);
            lines.concat()
        }
        3 if !lines.is_empty() => {
            let again = lines.get(at).copied().unwrap_or_default();
            lines.insert(at, again);
            lines.concat()
        }
        _ => {
            let mut chars: Vec<char> = text.chars().collect();
            let at = place(dice, chars.len() + 1);
            let piece = dice.pick(&PIECES).unwrap_or_default();
            let width = usize::from(dice.one_in(2) && at < chars.len());
            chars.splice(at..at + width, piece.chars());
            chars.into_iter().collect()
        }
    }
}

fn vary_requests(dice: &mut Generator, lines: &mut Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let at = place(dice, lines.len());
    match dice.below(6) {
        0 if lines.len() > 1 => {
            lines.remove(at);
        }
        1 => {
            let again = lines.get(at).cloned().unwrap_or_default();
            lines.insert(at, again);
        }
        2 => {
            let other = place(dice, lines.len());
            lines.swap(at, other);
        }
        _ => {
            if let Some(line) = lines.get_mut(at)
                && let Ok(mut value) = serde_json::from_str::<Json>(line)
            {
                vary_leaf(dice, &mut value);
                *line = value.to_string();
            }
        }
    }
}

/// Changes one of a value's leaves: the protocol around it stays.
fn vary_leaf(dice: &mut Generator, value: &mut Json) {
    match value {
        Json::Array(values) if !values.is_empty() => {
            let at = place(dice, values.len());
            if let Some(inner) = values.get_mut(at) {
                vary_leaf(dice, inner);
            }
        }
        Json::Object(members) if !members.is_empty() => {
            let at = place(dice, members.len());
            if let Some((_, inner)) = members.iter_mut().nth(at) {
                vary_leaf(dice, inner);
            }
        }
        Json::String(text) => *text = vary_text(dice, text).replace(['\n', '\r'], " "),
        Json::Number(number) => {
            let varied = vary_number(dice, &number.to_string()).and_then(|text| text.parse::<i64>().ok());
            *value = Json::from(varied.unwrap_or_default());
        }
        Json::Bool(flag) => *flag = !*flag,
        Json::Null | Json::Array(_) | Json::Object(_) => *value = Json::Bool(true),
    }
}

fn place(dice: &mut Generator, among: usize) -> usize {
    usize::try_from(dice.below(among as u64)).unwrap_or_default()
}
