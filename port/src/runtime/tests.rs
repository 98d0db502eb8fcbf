//! Where the runtime module stands, and what is made of what stands there.

use super::*;
use crate::language::python::tests::python;

fn runtime() -> Runtime {
    Runtime::new("src/p/_tl_rt.py", &python()).unwrap()
}

/// The module as some version wrote it.
fn of_version(version: u32, body: &str) -> String {
    format!("{MARK}{version}{CONTENT}{}\n{body}", ContentHash::of(body))
}

#[test]
fn what_stands_there_is_known_by_its_first_line_and_its_hash() {
    let state = |text: &str| State::of(Some(text), &python());
    let own = written(&python());
    assert_eq!(State::of(None, &python()), State::Absent);
    assert_eq!(state(&own), State::Current);
    assert_eq!(state(&own.replace('\n', "\r\n")), State::Current, "another line end is no edit");
    assert_eq!(state(&own.replace("return ~value", "return -value")), State::Edited);
    assert_eq!(state(&(own.clone() + "\nX = 1\n")), State::Edited);
    assert_eq!(state(&of_version(0, "old = 1\n")), State::Older(0));
    assert_eq!(state(&of_version(VERSION + 1, "new = 1\n")), State::Newer(VERSION + 1));
    assert_eq!(state(&of_version(VERSION, "other = 1\n")), State::Edited, "the hash was written anew");
    for foreign in ["", "import os\n", "# tidelock-runtime: version x, content y\n", &own.replace(MARK, "# ")]
    {
        assert_eq!(state(foreign), State::Foreign, "{foreign:?}");
    }
}

#[test]
fn it_is_written_where_it_is_used_and_never_over_what_others_wrote() {
    let python = python();
    let uses = ("src/p/m.py", "from ._tl_rt import wrap, U8\n");
    let not = ("src/p/n.py", "from .m import wrap\n");
    let to_be_written =
        |before: Option<&str>, others: &[(&str, &str)]| runtime().to_be_written(before, others, &python);
    assert_eq!(to_be_written(None, &[not]), None);
    assert_eq!(to_be_written(None, &[not, uses]), Some(written(&python)));
    assert_eq!(to_be_written(Some(&of_version(0, "old = 1\n")), &[uses]), Some(written(&python)));
    assert_eq!(to_be_written(Some(&of_version(0, "old = 1\n")), &[not]), None);
    for there in [
        written(&python),
        of_version(0, "old = 1\n") + "mine = 2\n",
        of_version(VERSION + 1, "new = 1\n"),
        "mine = 1\n".to_owned(),
    ] {
        assert_eq!(to_be_written(Some(&there), &[uses]), None, "{there}");
    }
}

#[test]
fn what_may_be_imported_is_what_the_file_will_have() {
    let python = python();
    let names = |text: Option<&str>| match runtime().offer(text, &python) {
        Offer::Names(Importable { module, names }) => {
            assert_eq!(module.as_str(), "p._tl_rt");
            names
        }
        Offer::No { why, .. } => BTreeSet::from([why]),
    };
    let own = names(None);
    assert!(own.contains("wrapping_add") && own.contains("Panic") && own.contains("USIZE"), "{own:?}");
    assert!(own.iter().all(|name| !name.starts_with('_')), "{own:?}");
    assert_eq!(names(Some(&of_version(0, "old = 1\n"))), own, "it is brought up to date");
    let edited = of_version(0, "def wrap(a, b):\n    return a\n") + "mine = 2\n";
    assert_eq!(names(Some(&edited)), BTreeSet::from(["wrap".to_owned(), "mine".to_owned()]));
    let why = names(Some("mine = 1\n"));
    assert!(why.first().unwrap().contains("`src/p/_tl_rt.py` is not Tidelock's"), "{why:?}");
}

#[test]
fn another_text_is_another_version() {
    // A text that changes without its version would never reach the ports that have it.
    let known = [(1, "ee65734e34ec248461a5271968512031")];
    let hash = ContentHash::of(body(&python())).to_string();
    assert!(known.contains(&(VERSION, hash.as_str())), "raise VERSION, and add ({VERSION}, \"{hash}\")");
}

#[test]
fn it_is_python_that_passes_our_own_checks() {
    use upstream::process::SystemProcessRunner;

    let python = python();
    let text = written(&python);
    assert_eq!(python.check_syntax(&SystemProcessRunner::default(), &text).unwrap(), None);
    assert_eq!(python.constructs(&text), [], "what no translation may have, this has not either");
    assert!(text.lines().all(|line| line.chars().count() <= 88));
}
