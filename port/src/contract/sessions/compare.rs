//! Two observations side by side: in what they differ.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::declared::{ExitRelation, Relation, StderrRelation, StdoutRelation};
use super::evidence::Difference;
use super::observation::{Ended, Observation, Seen, Step};

/// What a difference in an answer begins with, before its number.
pub(super) const ANSWER: &str = "answer ";
/// The longest that one side of a difference is shown, in characters.
const SHOWN_CHARS_MAX: usize = 300;
/// How many differences of one run are told.
const DIFFERENCES_MAX: usize = 20;

/// In what the port differs from the upstream; nothing where nothing does.
pub(super) fn differences(
    relation: &Relation,
    upstream: &Observation,
    port: &Observation,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut differ = |what: String, upstream: String, port: String| {
        if found.len() < DIFFERENCES_MAX {
            found.push(Difference { what, upstream: cut(&upstream), port: cut(&port) });
        }
    };
    if !ended_alike(relation.exit, &upstream.ended, &port.ended) {
        differ("exit code".to_owned(), upstream.ended.words(), port.ended.words());
    }
    let steps: BTreeSet<usize> = upstream.steps.keys().chain(port.steps.keys()).copied().collect();
    for at in &steps {
        let (here, there) = (upstream.steps.get(at), port.steps.get(at));
        if !step_alike(relation, here, there) {
            differ(format!("{ANSWER}{}", at + 1), step_words(here), step_words(there));
        }
    }
    // What a server wrote is its answers.
    if steps.is_empty() && !stdout_alike(relation, &upstream.stdout, &port.stdout) {
        let (here, there) = apart(&upstream.stdout, &port.stdout);
        differ("standard output".to_owned(), here, there);
    }
    // The texts of panics and of exceptions are never compared.
    let crashed = upstream.ended == Ended::Crashed && port.ended == Ended::Crashed;
    if !crashed && !stderr_alike(relation.stderr, &upstream.stderr, &port.stderr) {
        let (here, there) = apart(&upstream.stderr, &port.stderr);
        differ("standard error".to_owned(), here, there);
    }
    let names: BTreeSet<&String> = upstream.files.keys().chain(port.files.keys()).collect();
    for name in names {
        match (upstream.files.get(name), port.files.get(name)) {
            (Some(here), Some(there)) if here == there => {}
            (Some(here), Some(there)) => {
                let (here, there) = apart(here, there);
                differ(format!("file {name}"), here, there);
            }
            (here, there) => {
                let words = |seen: Option<&Seen>| seen.map_or("it is not there".to_owned(), whole);
                differ(format!("file {name}"), words(here), words(there));
            }
        }
    }
    found
}

fn ended_alike(relation: ExitRelation, upstream: &Ended, port: &Ended) -> bool {
    let failed = |ended: &Ended| match ended {
        Ended::Exit(code) => Some(*code != 0),
        Ended::Crashed => Some(true),
        Ended::TimedOut | Ended::Flooded => None,
    };
    match relation {
        ExitRelation::Exact => upstream == port,
        ExitRelation::Class => match (failed(upstream), failed(port)) {
            (Some(here), Some(there)) => here == there,
            (Some(_) | None, None) | (None, Some(_)) => upstream == port,
        },
        // Whoever never comes back has no exit code to pass over.
        ExitRelation::Ignore => (failed(upstream).is_some() && failed(port).is_some()) || upstream == port,
    }
}

fn step_alike(relation: &Relation, upstream: Option<&Step>, port: Option<&Step>) -> bool {
    match (upstream, port) {
        (Some(Step::Answer(here)), Some(Step::Answer(there))) => json_alike(relation, here, there),
        (Some(Step::Text(here)), Some(Step::Text(there))) => here == there,
        (Some(Step::Ended(here)), Some(Step::Ended(there))) => ended_alike(relation.exit, here, there),
        (None, None) => true,
        (Some(_) | None, Some(_) | None) => false,
    }
}

fn step_words(step: Option<&Step>) -> String {
    match step {
        Some(Step::Answer(value)) => value.to_string(),
        Some(Step::Text(text)) => format!("no JSON: {text:?}"),
        Some(Step::Ended(ended)) => format!("{} in place of an answer", ended.words()),
        None => "no answer".to_owned(),
    }
}

fn stdout_alike(relation: &Relation, upstream: &Seen, port: &Seen) -> bool {
    match relation.stdout {
        StdoutRelation::Ignore => true,
        StdoutRelation::Exact => upstream == port,
        StdoutRelation::Json => match (read_json(upstream), read_json(port)) {
            (Some(here), Some(there)) => json_alike(relation, &here, &there),
            // Where a side has none, such as in an error, what it says is held as it is.
            (Some(_) | None, Some(_) | None) => upstream == port,
        },
    }
}

fn read_json(seen: &Seen) -> Option<Json> {
    match seen {
        Seen::Text(text) => serde_json::from_str(text).ok(),
        Seen::Bytes(_) | Seen::Long { .. } | Seen::Special(_) => None,
    }
}

fn stderr_alike(relation: StderrRelation, upstream: &Seen, port: &Seen) -> bool {
    match relation {
        StderrRelation::Ignore => true,
        StderrRelation::Exact => upstream == port,
        StderrRelation::Class => upstream.is_nothing() == port.is_nothing(),
    }
}

fn json_alike(relation: &Relation, upstream: &Json, port: &Json) -> bool {
    let plain = |value: &Json| {
        let mut value = value.clone();
        for pointer in &relation.ignored {
            if let Some(ignored) = value.pointer_mut(pointer) {
                *ignored = Json::Null;
            }
        }
        for pointer in &relation.unordered {
            if let Some(Json::Array(values)) = value.pointer_mut(pointer) {
                values.sort_by_cached_key(ToString::to_string);
            }
        }
        value
    };
    same(&plain(upstream), &plain(port))
}

/// Equal as values: a number is what it is worth, however it is written.
fn same(upstream: &Json, port: &Json) -> bool {
    match (upstream, port) {
        (Json::Number(here), Json::Number(there)) => here == there || here.as_f64() == there.as_f64(),
        (Json::Array(here), Json::Array(there)) => {
            here.len() == there.len() && here.iter().zip(there).all(|(here, there)| same(here, there))
        }
        (Json::Object(here), Json::Object(there)) => {
            here.len() == there.len()
                && here.iter().all(|(name, here)| there.get(name).is_some_and(|there| same(here, there)))
        }
        (here, there) => here == there,
    }
}

/// Two outputs that differ, in words: the first line in which they do.
fn apart(upstream: &Seen, port: &Seen) -> (String, String) {
    let (Seen::Text(here), Seen::Text(there)) = (upstream, port) else {
        return (whole(upstream), whole(port));
    };
    let (mut left, mut right) = (here.split_inclusive('\n'), there.split_inclusive('\n'));
    let mut number = 0;
    loop {
        number += 1;
        let (here, there) = (left.next(), right.next());
        if here == there && here.is_some() {
            continue;
        }
        let words = |line: Option<&str>| match line {
            Some(line) => format!("line {number}: {line:?}"),
            None if number == 1 => "nothing".to_owned(),
            None => format!("its end behind line {}", number - 1),
        };
        return (words(here), words(there));
    }
}

fn whole(seen: &Seen) -> String {
    match seen {
        Seen::Text(text) if text.is_empty() => "nothing".to_owned(),
        Seen::Text(text) => format!("{text:?}"),
        Seen::Bytes(digits) => format!("the bytes {digits}"),
        Seen::Long { bytes, hash } => format!("{bytes} bytes of the hash {}", hash.short()),
        Seen::Special(what) => what.clone(),
    }
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn said(stdout: &str) -> Observation {
        Observation {
            ended: Ended::Exit(0),
            stdout: Seen::Text(stdout.to_owned()),
            stderr: Seen::Text(String::new()),
            files: BTreeMap::new(),
            steps: BTreeMap::new(),
        }
    }

    /// The differences as `what: upstream | port`.
    fn told(relation: &Relation, upstream: &Observation, port: &Observation) -> Vec<String> {
        let told = |one: &Difference| format!("{}: {} | {}", one.what, one.upstream, one.port);
        differences(relation, upstream, port).iter().map(told).collect()
    }

    #[test]
    fn each_thing_that_differs_is_named_with_the_line() {
        let free = Relation::default();
        assert!(told(&free, &said("a\n"), &said("a\n")).is_empty());
        assert_eq!(
            told(&free, &said("a\nb\n"), &said("a\nc\n")),
            ["standard output: line 2: \"b\\n\" | line 2: \"c\\n\""]
        );
        assert_eq!(told(&free, &said("a"), &said("")), ["standard output: line 1: \"a\" | nothing"]);
        assert_eq!(
            told(&free, &said("a\n"), &said("a\nb")),
            ["standard output: its end behind line 1 | line 2: \"b\""]
        );
        let mut other = said("a");
        other.ended = Ended::Exit(2);
        other.stderr = Seen::Text("oh".to_owned());
        other.files.insert("out".to_owned(), Seen::Text("x".to_owned()));
        assert_eq!(
            told(&free, &said("a"), &other),
            [
                "exit code: exit code 0 | exit code 2",
                "standard error: nothing | line 1: \"oh\"",
                "file out: it is not there | \"x\"",
            ]
        );
        let long = said(&"x".repeat(1000));
        assert!(told(&free, &long, &said("")).concat().chars().count() < 400, "what is shown is bounded");
    }

    #[test]
    fn relations_pass_over_what_they_are_to() {
        let loose = Relation {
            stdout: StdoutRelation::Ignore,
            stderr: StderrRelation::Ignore,
            exit: ExitRelation::Class,
            ..Relation::default()
        };
        let ended = |code| Observation { ended: Ended::Exit(code), ..said(&code.to_string()) };
        assert!(told(&loose, &ended(1), &ended(2)).is_empty());
        assert_eq!(told(&loose, &ended(0), &ended(2)), ["exit code: exit code 0 | exit code 2"]);
        let hangs = Observation { ended: Ended::TimedOut, ..said("") };
        let any = Relation { exit: ExitRelation::Ignore, ..loose };
        assert!(told(&any, &ended(0), &ended(2)).is_empty());
        assert_eq!(told(&any, &ended(0), &hangs), ["exit code: exit code 0 | no end in time"]);
        let crash = |text: &str| Observation {
            ended: Ended::Crashed,
            stderr: Seen::Text(text.to_owned()),
            ..said("")
        };
        let exact = Relation { stderr: StderrRelation::Exact, ..Relation::default() };
        assert!(told(&exact, &crash("panicked at"), &crash("Traceback")).is_empty());
    }

    #[test]
    fn answers_are_compared_as_values_but_for_what_is_left_out() {
        let of = |value: Json| Observation {
            steps: BTreeMap::from([(0, Step::Answer(value))]),
            ..said("not looked at")
        };
        let free = Relation::default();
        let here = of(json!({ "n": 1, "tags": ["b", "a"], "at": 5 }));
        assert!(told(&free, &here, &of(json!({ "tags": ["b", "a"], "at": 5, "n": 1.0 }))).is_empty());
        let other = of(json!({ "n": 1, "tags": ["a", "b"], "at": 6 }));
        assert_eq!(told(&free, &here, &other).len(), 1);
        let masked = Relation {
            ignored: vec!["/at".to_owned(), "/no/such".to_owned()],
            unordered: vec!["/tags".to_owned()],
            ..Relation::default()
        };
        assert!(told(&masked, &here, &other).is_empty());
        assert_eq!(
            told(&masked, &here, &of(json!({ "n": 1, "tags": ["a", "b"] }))).len(),
            1,
            "it has to be there"
        );
        let silent = Observation { steps: BTreeMap::from([(0, Step::Ended(Ended::Crashed))]), ..said("") };
        assert_eq!(told(&masked, &of(json!(1)), &silent), ["answer 1: 1 | a crash in place of an answer"]);
    }

    #[test]
    fn output_that_is_json_is_compared_as_such() {
        let relation =
            Relation { stdout: StdoutRelation::Json, ignored: vec!["/t".to_owned()], ..Relation::default() };
        assert!(told(&relation, &said("{\"a\":1,\"t\":2}\n"), &said("{\"t\": 3, \"a\": 1}")).is_empty());
        assert_eq!(told(&relation, &said("{\"a\":1}"), &said("{\"a\":2}")).len(), 1);
        assert_eq!(told(&relation, &said("none"), &said("no")).len(), 1);
    }
}
