//! A case as a line for a POSIX shell, ready to run.

use std::fmt::Write as _;

use super::declared::{Case, Session};

/// What is run, for people.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The program and its first arguments.
    pub(super) command: Vec<String>,
    /// Variables that it needs.
    pub(super) environment: Vec<(String, String)>,
}

/// The line that runs a case in a folder of its own and tells how it ended.
pub(super) fn line(shown: &Shown, session: &Session, case: &Case) -> String {
    let mut parts = vec!["cd \"$(mktemp -d)\"".to_owned()];
    for (name, content) in &case.files {
        if let Some((folder, _)) = name.rsplit_once('/') {
            parts.push(format!("mkdir -p {}", quoted(folder)));
        }
        parts.push(format!("{} > {}", printed(content), quoted(name)));
    }
    let mut words = Vec::new();
    let ours = shown.environment.iter().map(|(name, value)| (name, value));
    for (name, value) in ours.chain(&session.environment).chain(&case.environment) {
        words.push(format!("{name}={}", quoted(value)));
    }
    words.extend(shown.command.iter().chain(&case.arguments).map(|word| quoted(word)));
    let stdin = case.input.bytes();
    parts.push(format!("{} | {}", printed(&stdin), words.join(" ")));
    format!("({}; echo \"exit code $?\")", parts.join(" && "))
}

/// What prints these bytes.
fn printed(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => format!("printf '%s' {}", quoted(text)),
        Ok(_) | Err(_) => {
            let mut octal = String::new();
            for byte in bytes {
                write!(octal, "\\{byte:03o}").expect("a string takes any text");
            }
            format!("printf '{octal}'")
        }
    }
}

/// A text as one word.
fn quoted(text: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_./=:,+".contains(sign);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Input, Origin, Relation};
    use super::*;

    fn of(case: &Case) -> String {
        let session = Session {
            name: "s".to_owned(),
            package: None,
            program: "wc".to_owned(),
            extension: None,
            command: Vec::new(),
            environment: BTreeMap::from([("A".to_owned(), "b c".to_owned())]),
            relation: Relation::default(),
            timeout_ms: 1000,
            generated: 0,
            cases: Vec::new(),
        };
        let shown = Shown { command: vec!["/x/wc".to_owned()], environment: Vec::new() };
        line(&shown, &session, case)
    }

    #[test]
    fn a_case_is_one_line_that_survives_the_shell() {
        let case = Case {
            name: "c".to_owned(),
            arguments: vec!["-w".to_owned(), "it's".to_owned(), String::new()],
            input: Input::Whole(b"a\nb".to_vec()),
            files: BTreeMap::from([("sub/in.txt".to_owned(), b"x".to_vec())]),
            environment: BTreeMap::new(),
            origin: Origin::Declared,
        };
        assert_eq!(
            of(&case),
            "(cd \"$(mktemp -d)\" && mkdir -p sub && printf '%s' x > sub/in.txt && printf '%s' 'a\nb' | A='b c' \
             /x/wc -w 'it'\\''s' ''; echo \"exit code $?\")"
        );
        let bytes = Case { input: Input::Whole(vec![0, 255]), files: BTreeMap::new(), ..case.clone() };
        assert!(of(&bytes).contains("printf '\\000\\377' | "), "bytes");
        let lines = Case { input: Input::Lines(vec!["{}".to_owned(), "[]".to_owned()]), ..case };
        assert!(of(&lines).contains("printf '%s' '{}\n[]\n' | "), "lines");
    }
}
