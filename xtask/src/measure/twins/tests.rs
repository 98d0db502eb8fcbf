//! The probing program on a small class of Python's, and the tally.

use upstream::process::ProcessRunner as _;

use super::asking::request;
use super::counting::{Answers, Values};
use super::*;

/// A class whose members are of every kind, one of which ends the interpreter.
const TINY: &str = r#"
import os
import warnings

__all__ = ["Box", "Odd"]
_count = 0


class Odd(Exception):
    pass


class Box:
    def __init__(self, n=0):
        if n < 0:
            raise Odd(n)
        self.n = n

    def __repr__(self):
        return f"Box({self.n})"

    def __eq__(self, other):
        return type(other) is Box and other.n == self.n

    @classmethod
    def parse(cls, text):
        return cls(int(text))

    @staticmethod
    def die(n=0):
        if n == 7:
            os.abort()
        return object()

    def grow(self, by=1):
        warnings.warn("it grows", DeprecationWarning)
        return Box(self.n + by)

    @property
    def half(self):
        return self.n / 2

    def now(self):
        return os.times()


Box.ZERO = Box()
"#;

fn tiny(folder: &Path) -> (Set, Side) {
    std::fs::write(folder.join("tiny.py"), TINY).unwrap();
    let set = serde_json::json!({
        "name": "tiny", "repository": ".", "pysrc": ".", "package": "tiny", "extension": "tiny._core",
        "python": "python3", "classes": ["Box", "Absent"], "clock": ["now"], "commits": [],
        "pool": {
            "imports": { "dt": "datetime" }, "texts": ["4", "x"], "parsers": ["parse"], "making": ["3", "-1", "n=9"],
            "arguments": ["7", "dt.date(2024, 1, 2)"], "keywords": ["by=2"], "flags": ["loud=True"],
        },
    });
    (serde_json::from_value(set).unwrap(), Side { imports: folder.to_owned(), key: "tiny".to_owned() })
}

fn said<'a>(answers: &'a Answers, member: &str, call: &str) -> &'a str {
    let calls = &answers[&("Box".to_owned(), member.to_owned())];
    calls.get(call).unwrap_or_else(|| panic!("no `{call}` in {calls:#?}"))
}

#[test]
fn every_kind_of_member_is_asked_and_a_call_that_kills_costs_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (set, side) = tiny(folder.path());
    let asking = Asking { set: &set, kept: folder.path().join("kept") };
    let listed = asking.listed(&side).unwrap();
    let exported: Vec<_> = listed[&asking::exports()].keys().collect();
    assert_eq!(exported, ["Box", "Odd"]);
    let made: Vec<_> = listed[&("Box".to_owned(), "values".to_owned())].iter().collect();
    let made: Vec<_> = made.iter().map(|(how, text)| format!("{how} is {text}")).collect();
    assert_eq!(made, ["(3) is Box(3)", "(n=9) is Box(9)", "ZERO is Box(0)", "parse('4') is Box(4)"]);

    let asked = members(&set, &[&listed]);
    assert!(asked.iter().all(|(class, member)| class != "Absent" && member != "now"), "{asked:?}");
    let values = Values::from([("Box".to_owned(), vec!["(3)".to_owned(), "gone".to_owned()])]);
    let answers = asking.asked(&side, &values, &asked).unwrap();
    for (member, call, outcome) in [
        ("new", "(-1)", "!Odd"),
        ("new", "('x')", "!"),
        ("new", "(n=9)", "Box Box(9)"),
        ("parse", "('4')", "Box Box(4)"),
        ("die", "(7)", "died"),
        ("die", "()", "object <object object>"),
        ("die", "(3)", "object <object object>"),
        ("grow", "[(3)](by=2)", "Box Box(5) ~DeprecationWarning"),
        ("grow", "[(3)](by=2, loud=True)", "!"),
        ("half", "[(3)]", "float 1.5"),
        ("ZERO", "class", "Box Box(0)"),
        ("operators", "pickle [(3)]", "(bool True, (Box, object, NoneType None))"),
        ("operators", "[(3)] eq Box (3)", "bool True"),
        ("operators", "7 add [(3)]", "!"),
    ] {
        assert_eq!(said(&answers, member, call), outcome, "{member}: {call}");
    }
    // A second time nobody is asked.
    std::fs::remove_file(folder.path().join("tiny.py")).unwrap();
    assert_eq!(asking.asked(&side, &values, &asked).unwrap(), answers);
}

#[test]
fn what_is_left_out_is_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (set, side) = tiny(folder.path());
    std::fs::write(folder.path().join("surface.py"), SURFACE).unwrap();
    std::fs::write(folder.path().join("pool.json"), set.asked_with(None).unwrap()).unwrap();
    let asked = ("Box".to_owned(), "die".to_owned());
    let line = request(&asked, &["(7)".to_owned(), "()".to_owned()]) + "\n";
    let invocation = Invocation::new("python3", folder.path())
        .args(["surface.py", "pool.json"])
        .env("PYTHONPATH", &side.imports)
        .stdin(line.into_bytes());
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "{}", finished.tail(5));
    let calls: BTreeMap<String, String> = serde_json::from_slice(&finished.stdout).unwrap();
    assert!(
        calls.contains_key("(3)") && !calls.contains_key("(7)") && !calls.contains_key("()"),
        "{calls:?}"
    );
}

#[test]
fn an_expression_that_python_cannot_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (mut set, side) = tiny(folder.path());
    set.pool.keywords = vec!["by=".to_owned()];
    let asking = Asking { set: &set, kept: folder.path().join("kept") };
    let refused = format!("{:#}", asking.listed(&side).unwrap_err());
    assert!(refused.contains("`by=` in `keywords` of the pool: SyntaxError"), "{refused}");
}

#[test]
fn a_side_counts_where_it_was_judged_and_what_nobody_explains_is_named() {
    let twin = |unreachable: Option<&str>, author_differs: Option<&str>| Twin {
        commit: "0123456789abcdef".to_owned(),
        about: "all".to_owned(),
        left_out: None,
        unreachable: unreachable.map(str::to_owned),
        author_differs: author_differs.map(str::to_owned),
    };
    let outcome = |parent, author| Outcome {
        counts: Counts::default(),
        parent: (parent, String::new()),
        author: (author, String::new()),
    };
    let mut tally = Tally::default();
    tally.take(&twin(None, None), &outcome(Said::Fail, Said::Pass));
    tally.take(&twin(Some("the clock"), None), &outcome(Said::Pass, Said::Pass));
    tally.take(&twin(None, Some("its fault")), &outcome(Said::Fail, Said::Fail));
    assert_eq!((tally.commits, tally.reachable), (3, 2));
    assert_eq!((tally.parents_refused, tally.authors_accepted), (2, 2));
    assert!(tally.unexplained.is_empty());
    tally.take(&twin(None, None), &outcome(Said::Pass, Said::Inconclusive));
    tally.take(&twin(Some("the clock"), None), &outcome(Said::Fail, Said::Pass));
    assert_eq!(tally.unexplained, ["0123456789 parent", "0123456789 author", "0123456789 parent"]);
    assert_eq!((tally.parents_refused, tally.reachable), (2, 3), "no number hides them");
    tally.untold(&twin(None, None));
    assert_eq!((tally.commits, tally.reachable, tally.authors_accepted), (6, 4, 3), "nor what was not asked");
    assert_eq!(tally.unexplained.len(), 5);
}
