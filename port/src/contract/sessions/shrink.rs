//! A smaller case that shows the same: what a person has to read and to run.

use super::super::ContractError;
use super::declared::{Case, Input};

/// How many smaller cases are tried for one; each is a run of both sides.
const TRIES_MAX: usize = 24;

/// The smallest case found for which `shows` holds, as it does for this one: arguments, files, variables and parts of what is
/// read are left out, the larger parts first.
pub(super) fn smallest(
    case: &Case,
    mut shows: impl FnMut(&Case) -> Result<bool, ContractError>,
) -> Result<Case, ContractError> {
    let mut best = case.clone();
    let mut failed: Vec<Case> = Vec::new();
    let mut left = TRIES_MAX;
    'smaller: loop {
        for candidate in smaller(&best) {
            if failed.contains(&candidate) {
                continue;
            }
            if left == 0 {
                return Ok(best);
            }
            left -= 1;
            if shows(&candidate)? {
                best = candidate;
                continue 'smaller;
            }
            failed.push(candidate);
        }
        return Ok(best);
    }
}

/// The cases that lack one part of this one.
fn smaller(case: &Case) -> Vec<Case> {
    let mut found = Vec::new();
    for arguments in without_parts(&case.arguments) {
        found.push(Case { arguments, ..case.clone() });
    }
    for name in case.files.keys() {
        let mut files = case.files.clone();
        files.remove(name);
        found.push(Case { files, ..case.clone() });
    }
    for name in case.environment.keys() {
        let mut environment = case.environment.clone();
        environment.remove(name);
        found.push(Case { environment, ..case.clone() });
    }
    let inputs: Vec<Input> = match &case.input {
        Input::Whole(bytes) => shorter(bytes).into_iter().map(Input::Whole).collect(),
        Input::Lines(lines) => without_parts(lines).into_iter().map(Input::Lines).collect(),
    };
    found.extend(inputs.into_iter().map(|input| Case { input, ..case.clone() }));
    for (name, content) in &case.files {
        for content in shorter(content) {
            let mut files = case.files.clone();
            files.insert(name.clone(), content);
            found.push(Case { files, ..case.clone() });
        }
    }
    found
}

/// A text without some of its lines, or of its one line's characters; other bytes without some of them.
fn shorter(content: &[u8]) -> Vec<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(content) else { return without_parts(content) };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.len() > 1 {
        return without_parts(&lines).into_iter().map(|lines| lines.concat().into_bytes()).collect();
    }
    let signs: Vec<char> = text.chars().collect();
    without_parts(&signs).into_iter().map(|signs| signs.iter().collect::<String>().into_bytes()).collect()
}

/// The list without all, without each half, each quarter and so on down to each one.
fn without_parts<T: Clone>(list: &[T]) -> Vec<Vec<T>> {
    let mut found = Vec::new();
    let mut size = list.len();
    while size > 0 {
        for at in (0..list.len()).step_by(size) {
            let kept = list.iter().take(at).chain(list.iter().skip(at + size));
            found.push(kept.cloned().collect());
        }
        size /= 2;
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::declared::Origin;
    use super::*;

    fn case(arguments: &[&str], input: Input) -> Case {
        Case {
            name: "c".to_owned(),
            arguments: arguments.iter().copied().map(str::to_owned).collect(),
            input,
            files: BTreeMap::from([("a.txt".to_owned(), b"one\ntwo\n".to_vec())]),
            environment: BTreeMap::from([("LANG".to_owned(), "C".to_owned())]),
            origin: Origin::Generated,
        }
    }

    fn text(case: &Case) -> String {
        String::from_utf8(case.input.bytes()).unwrap()
    }

    #[test]
    fn what_does_not_matter_is_left_out() {
        let long: String =
            (0..30).flat_map(|number| ["line ".to_owned(), number.to_string(), "\n".to_owned()]).collect();
        let whole = case(&["-a", "-l", "-z"], Input::Whole(long.into_bytes()));
        let shows = |case: &Case| {
            let is_asked = case.arguments.iter().any(|word| word == "-l");
            Ok(is_asked && text(case).contains('7') && case.files.contains_key("a.txt"))
        };
        let small = smallest(&whole, shows).unwrap();
        assert_eq!(small.arguments, ["-l"]);
        assert!(small.environment.is_empty());
        assert!(text(&small).contains('7') && text(&small).len() < 40, "{}", text(&small));
        assert_eq!((small.name.as_str(), small.origin), ("c", Origin::Generated));
    }

    #[test]
    fn requests_are_left_out_whole() {
        let lines = ["{\"add\":1}", "{\"add\":2}", "{\"add\":null}"].map(str::to_owned).to_vec();
        let shows = |case: &Case| Ok(text(case).contains("null"));
        let small = smallest(&case(&[], Input::Lines(lines)), shows).unwrap();
        assert_eq!(small.input, Input::Lines(vec!["{\"add\":null}".to_owned()]));
        assert!(small.files.is_empty());
    }

    #[test]
    fn where_nothing_smaller_shows_it_the_case_stays_and_the_tries_are_bounded() {
        let words: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let whole = case(&words, Input::Whole(vec![0xff; 64]));
        let mut asked = 0;
        let small = smallest(&whole, |_| {
            asked += 1;
            Ok(false)
        });
        assert_eq!((small.unwrap(), asked), (whole.clone(), TRIES_MAX));
        let always = smallest(&whole, |_| Ok(true)).unwrap();
        assert!(always.arguments.is_empty() && always.files.is_empty() && text(&always).is_empty());
    }

    #[test]
    fn a_fault_of_the_machine_is_handed_on() {
        let whole = case(&["x"], Input::Whole(Vec::new()));
        let broken = || ContractError::Io { path: "gone".into(), source: std::io::Error::other("gone") };
        assert!(smallest(&whole, |_| Err(broken())).is_err());
    }
}
