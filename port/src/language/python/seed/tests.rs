use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};

use super::*;

/// Something of everything that is changed.
const MODULE: &str = r#"
import re


class OddError(ValueError):
    """Odd."""


def other(text: str, limit: int):
    return text[:limit]


def total(text: str, limit: int):
    """Count letters."""
    seen = []
    number = 0
    last = None
    for at, c in enumerate(text):
        if c == "-" and at > 0 or c in " \t":
            continue
        elif c.isupper():
            number += 2
        else:
            number = number + len(text[at:]) % 7
        if number > limit * 3:
            break
        seen.append(c.lower())
        last = c
    if last is None:
        return None
    if number == 13:
        raise OddError("thirteen")
    while number > 50:
        number -= 9
    pairs = [x + y for x, y in zip(seen, seen[1:]) if x != y]
    table = [[0] * 2 for _ in range(len(seen))]
    if table:
        table[0][1] = number // 2
    else:
        number = -1
    name = "even" if number % 2 == 0 else "odd"
    short = other(text, 3)
    count = len(text)
    return [number, name, sorted(pairs)[:4], sum(row[1] for row in table), short, max(count, 3)]
"#;

fn span() -> Range<usize> {
    let start = MODULE.find("def total").unwrap();
    start..MODULE.trim_end().len()
}

fn all_wrong() -> Vec<Seeded> {
    let functions = [("other".to_owned(), 2), ("total".to_owned(), 2)];
    let exceptions = ["OddError".to_owned()];
    wrong(MODULE, &span(), &Surroundings { functions: &functions, exceptions: &exceptions })
}

/// What `total` gives for many arguments in each of these modules.
fn answers(modules: &[String]) -> Vec<serde_json::Value> {
    const SCRIPT: &str = r"
import json, sys, itertools
texts = [''.join(p) for n in range(4) for p in itertools.product('aB- \t', repeat=n)]
texts += ['AAAAAAAAAB', 'a' * 30, 'abcABCabc-x', 'A' * 40, 'xyXYxy  ab']
for text in json.load(sys.stdin):
    space = {}
    exec(text, space)
    found = []
    for argument in texts:
        for limit in (0, 2, 100):
            try:
                found.append(space['total'](argument, limit))
            except Exception as error:
                found.append(type(error).__name__)
    print(json.dumps(found))
";
    let input = serde_json::to_string(modules).unwrap();
    let invocation = Invocation::new("python3", "/").args(["-I", "-c", SCRIPT]).stdin(input);
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "{}", finished.tail(20));
    let text = String::from_utf8(finished.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_rewrite_means_the_same_and_is_another_text() {
    let all = rewrites(MODULE, &span());
    let operators: BTreeSet<_> = all.iter().map(|seeded| seeded.operator).collect();
    let expected = [
        "alternatives-inverted",
        "assignment-written-out",
        "branches-inverted",
        "comparison-negated",
        "comparison-turned",
        "comprehension-as-loop",
        "condition-doubly-negated",
        "de-morgan",
        "documentation-dropped",
        "else-added",
        "for-as-while",
        "integer-split",
        "local-renamed",
        "statements-swapped",
        "temporary-extracted",
        "text-split",
        "while-true",
    ];
    for operator in expected {
        assert!(operators.contains(operator), "{operator} is missing: {operators:?}");
    }
    assert!(all.iter().all(|seeded| seeded.row.is_none() && seeded.text != MODULE));
    let texts: Vec<String> =
        std::iter::once(MODULE.to_owned()).chain(all.iter().map(|seeded| seeded.text.clone())).collect();
    let answers = answers(&texts);
    let right = answers.first().unwrap();
    assert!(right.as_array().unwrap().len() > 400);
    for (seeded, found) in all.iter().zip(answers.iter().skip(1)) {
        assert_eq!(found, right, "{} in line {}:\n{}", seeded.operator, seeded.line, seeded.text);
    }
}

#[test]
fn wrong_translations_are_of_every_row_that_the_text_has_and_most_differ() {
    let all = all_wrong();
    let rows: BTreeSet<_> = all.iter().filter_map(|seeded| seeded.row).collect();
    for row in Row::ALL.iter().filter(|row| **row != Row::Number) {
        assert!(rows.contains(row), "{}", row.name());
    }
    // Loops that never end are no matter here.
    let safe: Vec<&Seeded> = all
        .iter()
        .filter(|seeded| !seeded.text.contains("while True") && seeded.operator != "statement-dropped")
        .filter(|seeded| {
            !matches!(seeded.operator, "other-operator" | "condition-forced" | "other-comparison")
        })
        .filter(|seeded| !matches!(seeded.operator, "one-less" | "one-more"))
        .collect();
    let texts: Vec<String> =
        std::iter::once(MODULE.to_owned()).chain(safe.iter().map(|seeded| seeded.text.clone())).collect();
    let answers = answers(&texts);
    let right = answers.first().unwrap();
    let alike = answers.iter().skip(1).filter(|found| *found == right).count();
    assert!(alike * 4 < safe.len(), "{alike} of {} mean the same", safe.len());
}

#[test]
fn nothing_outside_the_symbol_is_touched() {
    let before = MODULE.get(..span().start).unwrap();
    for seeded in all_wrong().iter().chain(&rewrites(MODULE, &span())) {
        assert!(seeded.text.starts_with(before), "{}:\n{}", seeded.operator, seeded.text);
    }
}

#[test]
fn what_is_no_python_gives_nothing() {
    assert_eq!(rewrites("def f(:\n", &(0..8)), []);
    assert_eq!(wrong("def f(:\n", &(0..8), &Surroundings::default()), []);
}

#[test]
fn a_poisoned_function_fails_whatever_it_is_given() {
    let poisoned = poisoned(MODULE, &span()).unwrap();
    let answers = answers(&[poisoned]);
    let all = answers.first().unwrap().as_array().unwrap();
    assert!(all.iter().all(|answer| *answer == "SystemError"), "{all:?}");
}
