//! A corpus of answers, sound ones and ones that are cut off, forged, hostile or a near miss, with what must
//! come of each. For the tests, and for `cargo xtask measure edits`.
//!
//! What a sound answer makes of the file is put together from the file's pieces, not by the code under test.

mod broken;
mod hostile;
mod sound;

use std::collections::BTreeMap;

use mappings::SymbolPath;

use super::{Answer, Scope, apply, leaks, parse_answer, validate};
use crate::bench::random::Random;
use crate::language::Language;
use crate::runtime::{Importable, Offer};

/// The file that most answers edit.
const FILE: &str = "p/m.py";
/// A file that an answer may make.
const NEW_FILE: &str = "p/new.py";
/// What was shown of a counterexample, so that an answer can leak it.
const OBSERVED: &str = r#"clamp("kitten sat", 8675309) is 0.123456 upstream and 77777 here"#;

const HEAD: &str = "\"\"\"Docs.\"\"\"\n\nimport sys\n\nLIMIT = 3\n\n\n# About clamp.\n";
const CLAMP: &str = "@traced\ndef clamp(value, low=0):\n    \"\"\"Clamps.\"\"\"\n    if value < low:\n        return low\n    return min(value, LIMIT)";
const CLASS: &str =
    "\n\n\nclass Counter:\n    step = 1\n\n    def __init__(self):\n        self.count = 0\n\n";
const ADD: &str = "    def add(self, n):\n        self.count += n * self.step\n        return self.count";
const BETWEEN: &str =
    "\n\n    def secret(self):\n        return sys.maxsize  # stays\n\n\ndef hidden(a):\n    return a\n\n\n";
const TAIL: &str = "\n\n\ndef other(n):\n    return clamp(n) + 1\n\n\nprint(other(2))\n";

/// What must come of an answer.
#[derive(Debug, Clone)]
pub enum Expected {
    /// It is refused, and the first code is one of these.
    Refused(&'static [&'static str]),
    /// It is applied, and exactly these files have these texts.
    Applied(BTreeMap<String, String>),
    /// It may be refused with any code; if it is applied, then nothing but one symbol is different.
    Confined,
}

/// An answer with what must come of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What kind of answer it is.
    pub kind: &'static str,
    /// The word that it must carry.
    pub nonce: String,
    /// The answer.
    pub answer: String,
    /// What must come of it.
    pub expected: Expected,
}

/// What came of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was refused, with these codes.
    Refused(Vec<String>),
    /// It was applied: the files that changed.
    Applied(BTreeMap<String, String>),
}

/// This many answers, the same for the same seed: every kind in turn.
pub fn corpus(seed: u64, count: usize, language: &dyn Language) -> Vec<Case> {
    let mut random = Random::seeded(seed);
    let kinds: Vec<Make> = [sound::KINDS, broken::KINDS, hostile::KINDS].concat();
    kinds
        .iter()
        .cycle()
        .take(count)
        .map(|make| {
            let nonce = format!("{:012x}", random.next() >> 16);
            make(&mut Pen { nonce, random: &mut random, language })
        })
        .collect()
}

/// Reads, checks and applies an answer as a sync does.
pub fn outcome(case: &Case, language: &dyn Language) -> Outcome {
    let edits = match parse_answer(&case.answer, &case.nonce) {
        Err(error) => return Outcome::Refused(vec![error.code().to_owned()]),
        Ok(Answer::Edits { edits }) => edits,
        Ok(Answer::NoChange { .. } | Answer::Need { .. } | Answer::Unportable { .. }) => {
            return Outcome::Applied(BTreeMap::new());
        }
    };
    let files = |file: &str| (file == FILE).then(module);
    let scope = scope();
    let mut findings = validate(&files, &edits, language, &scope);
    findings.extend(leaks(&edits, [OBSERVED], [CLAMP, ADD]));
    if !findings.is_empty() {
        return Outcome::Refused(findings.iter().map(|finding| finding.code.as_str().to_owned()).collect());
    }
    match apply(&files, &edits, language, &scope) {
        Err(error) => Outcome::Refused(vec![format!("cannot-apply: {error}")]),
        Ok(changed) => {
            Outcome::Applied(changed.into_iter().filter_map(|(file, text)| Some((file, text?))).collect())
        }
    }
}

/// What is wrong with what came of an answer, in words; `None` where it is as it must be.
pub fn complaint(case: &Case, outcome: &Outcome) -> Option<String> {
    match (&case.expected, outcome) {
        (Expected::Refused(_) | Expected::Confined, Outcome::Refused(codes)) if codes.is_empty() => {
            Some("refused without a code".to_owned())
        }
        (Expected::Confined, Outcome::Refused(_)) => None,
        (Expected::Refused(expected), Outcome::Refused(codes)) => {
            let known = codes.first().is_some_and(|code| expected.contains(&code.as_str()));
            (!known).then(|| format!("refused as {codes:?}, and not as one of {expected:?}"))
        }
        (Expected::Refused(expected), Outcome::Applied(_)) => {
            Some(format!("applied, and not refused as one of {expected:?}"))
        }
        (Expected::Applied(_), Outcome::Refused(codes)) => Some(format!("sound, and refused as {codes:?}")),
        (Expected::Applied(expected), Outcome::Applied(found)) => {
            (expected != found).then(|| format!("applied as {found:#?}, and not as {expected:#?}"))
        }
        (Expected::Confined, Outcome::Applied(files)) => {
            let confined = files.iter().all(|(file, text)| file == FILE && is_confined(text));
            (!confined).then(|| format!("applied beyond one symbol: {files:#?}"))
        }
    }
}

/// Whether a text is the file with at most one of its editable symbols different.
fn is_confined(text: &str) -> bool {
    let pieces = pieces();
    (0..pieces.len()).filter(|at| at % 2 == 1).any(|at| {
        let before = pieces.get(..at).unwrap_or_default().concat();
        let after = pieces.get(at + 1..).unwrap_or_default().concat();
        text.len() >= before.len() + after.len() && text.starts_with(&before) && text.ends_with(&after)
    })
}

/// The file in pieces; those at odd places are symbols that may be edited.
fn pieces() -> [String; 7] {
    [HEAD, CLAMP, CLASS, ADD, BETWEEN, &table(), TAIL].map(str::to_owned)
}

fn module() -> String {
    pieces().concat()
}

/// A function large enough to be edited in pieces.
fn table() -> String {
    let rows: Vec<String> = (0..170).map(|row| format!("    rows.append({row} * scale)")).collect();
    format!("def table(scale):\n    rows = []\n{}\n    return rows\n    return rows", rows.join("\n"))
}

/// A text one level deeper.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

fn path(text: &str) -> SymbolPath {
    SymbolPath::new(text).expect("written in this folder")
}

fn scope() -> Scope {
    Scope {
        editable: ["p.m.clamp", "p.m.Counter.add", "p.m.table"].map(path).to_vec(),
        insertable: ["p.m", "p.new"].map(path).to_vec(),
        files: [FILE, NEW_FILE].map(str::to_owned).to_vec(),
        references: Vec::new(),
        runtime: Offer::Names(Importable {
            module: path("p._tl_rt"),
            names: ["wrap", "U8"].map(str::to_owned).into(),
        }),
    }
}

type Make = fn(&mut Pen<'_>) -> Case;

/// What an answer is written with.
struct Pen<'a> {
    nonce: String,
    random: &'a mut Random,
    language: &'a dyn Language,
}

impl Pen<'_> {
    fn case(&self, kind: &'static str, answer: String, expected: Expected) -> Case {
        Case { kind, nonce: self.nonce.clone(), answer, expected }
    }

    fn refused(&self, kind: &'static str, answer: String, codes: &'static [&'static str]) -> Case {
        self.case(kind, answer, Expected::Refused(codes))
    }

    fn one_of<Element: Copy>(&mut self, list: &[Element]) -> Element {
        let at = self.random.index(list.len());
        *list.get(at).expect("an index of the list")
    }

    /// The digits by which an answer names a text.
    fn sha(&self, text: &str) -> String {
        self.language.hash(text).short()
    }

    fn block(&self, head: &str, body: &str) -> String {
        let nonce = &self.nonce;
        format!("@@TL {nonce} {head}\n{body}\n@@END {nonce}\n")
    }

    fn line(&self, head: &str) -> String {
        format!("@@TL {} {head}\n", self.nonce)
    }

    fn answer(&self, blocks: &[String]) -> String {
        format!("{}@@DONE {} n={}\n", blocks.concat(), self.nonce, blocks.len())
    }

    fn replace_clamp(&self, text: &str) -> String {
        self.block(&format!("REPLACE sym=p.m.clamp sha={}", self.sha(CLAMP)), text)
    }

    fn replacing_clamp(&self, text: &str) -> String {
        self.answer(&[self.replace_clamp(text)])
    }

    /// A new text of `clamp` that is sound, with numbers of its own.
    fn sound_clamp(&mut self) -> String {
        let number = self.random.index(90) + 10;
        let guard = self.one_of(&["value < low", "value <= low", "not value >= low"]);
        let decorator = self.one_of(&["@traced\n", "", "@traced\n@cached\n"]);
        format!(
            "{decorator}def clamp(value, low=0):\n    if {guard}:\n        return low\n    return min(value, LIMIT, {number})"
        )
    }

    /// A new text of `clamp` with these lines in its body.
    fn clamp_with(&mut self, lines: &str) -> String {
        let inner: Vec<String> = lines.lines().map(|line| format!("    {line}")).collect();
        let number = self.random.index(90) + 10;
        format!("def clamp(value, low=0):\n{}\n    return min(value, {number})", inner.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::python::tests::python;

    #[test]
    fn every_answer_of_the_corpus_comes_to_what_it_must() {
        let python = python();
        let complaints: Vec<String> = corpus(5, 300, &python)
            .iter()
            .filter_map(|case| {
                let complaint = complaint(case, &outcome(case, &python))?;
                Some(format!("{}: {complaint}\n{}", case.kind, case.answer))
            })
            .collect();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn a_wrong_outcome_is_complained_about() {
        let python = python();
        let mut random = Random::seeded(1);
        let mut pen = Pen { nonce: "n0n0".to_owned(), random: &mut random, language: &python };
        let text = pen.sound_clamp();
        let answer = pen.replacing_clamp(&text);
        let applied = |text: String| Outcome::Applied(BTreeMap::from([(FILE.to_owned(), text)]));
        let refused = |code: &str| Outcome::Refused(vec![code.to_owned()]);
        let confined = pen.case("x", answer.clone(), Expected::Confined);
        assert_eq!(complaint(&confined, &applied(module().replace("return low", "return 1"))), None);
        assert!(complaint(&confined, &applied(module().replace("# stays", ""))).is_some());
        assert!(complaint(&confined, &Outcome::Refused(Vec::new())).is_some());
        let bad = pen.refused("x", answer.clone(), &["stub"]);
        assert!(complaint(&bad, &refused("escape-eval")).is_some());
        assert!(complaint(&bad, &applied(module())).is_some());
        assert_eq!(complaint(&bad, &refused("stub")), None);
        let good = pen.case("x", answer, Expected::Applied(BTreeMap::new()));
        assert!(complaint(&good, &refused("stub")).is_some());
        assert!(complaint(&good, &applied(module())).is_some());
    }
}
