//! A case in words, for who is to repair a port: what was run with what, without a path of this machine.

use std::fmt::Write as _;

use super::declared::{Case, Input, Session};

/// The longest that one text of a case is told, in characters.
const TEXT_CHARS_MAX: usize = 400;
/// How many files, variables and requests are told.
const PARTS_MAX: usize = 6;

/// What a case runs.
pub(super) fn words(session: &Session, case: &Case) -> String {
    let command: Vec<String> =
        session.command.iter().chain(&case.arguments).map(|word| shown(word)).collect();
    let mut told = format!("`{}`", command.join(" "));
    let variables: Vec<String> =
        case.environment.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
    add(&mut told, "with ", &variables);
    let files: Vec<String> = case
        .files
        .iter()
        .map(|(name, content)| format!("the file {name} of {}", shown(&String::from_utf8_lossy(content))))
        .collect();
    add(&mut told, "", &files);
    match &case.input {
        Input::Whole(bytes) if bytes.is_empty() => {}
        Input::Whole(bytes) => {
            add(&mut told, "reading ", &[shown(&String::from_utf8_lossy(bytes))]);
        }
        Input::Lines(lines) => {
            let lines: Vec<String> = lines.iter().map(|line| cut(line)).collect();
            add(&mut told, "asked ", &lines);
        }
    }
    told
}

fn add(told: &mut String, begin: &str, parts: &[String]) {
    if parts.is_empty() {
        return;
    }
    let shown: Vec<&str> = parts.iter().take(PARTS_MAX).map(String::as_str).collect();
    let more = match parts.len().saturating_sub(PARTS_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    write!(told, ", {begin}{}{more}", shown.join(", ")).expect("a string takes any text");
}

/// A text as it is where it is one plain word, else between quotes.
fn shown(text: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_./=:,+{}".contains(sign);
    if !text.is_empty() && text.chars().all(is_plain) { cut(text) } else { format!("{:?}", cut(text)) }
}

fn cut(text: &str) -> String {
    let count = text.chars().count();
    if count <= TEXT_CHARS_MAX {
        return text.to_owned();
    }
    let begin: String = text.chars().take(TEXT_CHARS_MAX).collect();
    format!("{begin}… (of {count} characters)")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Origin, Relation};
    use super::*;

    fn session() -> Session {
        Session {
            name: "s".to_owned(),
            package: None,
            program: "wc".to_owned(),
            extension: None,
            command: vec!["{port}/bin/wc".to_owned()],
            environment: BTreeMap::new(),
            relation: Relation::default(),
            timeout_ms: 1000,
            generated: 0,
            cases: Vec::new(),
        }
    }

    fn case(input: Input) -> Case {
        Case {
            name: "c".to_owned(),
            arguments: vec!["-l".to_owned(), "a b".to_owned()],
            input,
            files: BTreeMap::from([("in.txt".to_owned(), b"one\n".to_vec())]),
            environment: BTreeMap::from([("LOCALE".to_owned(), "C".to_owned())]),
            origin: Origin::Declared,
        }
    }

    #[test]
    fn everything_that_a_case_gives_is_told_without_a_path_of_this_machine() {
        assert_eq!(
            words(&session(), &case(Input::Whole(b"x\ty".to_vec()))),
            "`{port}/bin/wc -l \"a b\"`, with LOCALE=C, the file in.txt of \"one\\n\", reading \"x\\ty\""
        );
        let bare = Case { arguments: Vec::new(), files: BTreeMap::new(), ..case(Input::Whole(Vec::new())) };
        assert_eq!(
            words(&session(), &Case { environment: BTreeMap::new(), ..bare.clone() }),
            "`{port}/bin/wc`"
        );
        let asked = Case { input: Input::Lines(vec!["{\"n\": 1}".to_owned()]), ..bare };
        assert!(words(&session(), &asked).ends_with(", asked {\"n\": 1}"), "{}", words(&session(), &asked));
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let long = words(&session(), &case(Input::Whole("é".repeat(5000).into_bytes())));
        assert!(long.ends_with("… (of 5000 characters)\""), "{long}");
        let many = Input::Lines((0..50).map(|at| "q".repeat(at * 100)).collect());
        let many = words(&session(), &case(many));
        assert!(many.ends_with(" and 44 more") && many.chars().count() < 4000, "{many}");
    }
}
