//! Answers that are sound, broken, hostile or a near miss: none may be applied wrongly, none may crash.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::{Result, bail};
use port::edit::fuzz::{Case, Expected, Outcome, complaint, corpus, outcome};
use port::language::Python;
use port::language::python::Interpreter;
use upstream::process::SystemProcessRunner;

use super::{Metric, Tell};

/// Answers in all; the issue asks for 2,000 that are not sound.
const ANSWERS: usize = 6000;
/// Another seed than that of the test.
const SEED: u64 = 20_261_121;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `edits` takes no repository: it makes its answers itself");
    }
    let python = Python::new("", Interpreter::locate(&SystemProcessRunner::default(), None)?);
    let mut wrong: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut sound, mut unsound, mut applied, mut crashed) = (0_u32, 0_u32, 0_u32, 0_u32);
    let (mut kinds, mut codes) = (BTreeSet::new(), BTreeSet::new());
    for case in corpus(SEED, ANSWERS, &python) {
        match case.expected {
            Expected::Applied(_) => sound += 1,
            Expected::Refused(_) | Expected::Confined => unsound += 1,
        }
        kinds.insert(case.kind);
        let Ok(found) = catch_unwind(AssertUnwindSafe(|| outcome(&case, &python))) else {
            crashed += 1;
            continue;
        };
        match &found {
            Outcome::Refused(found) => codes.extend(found.iter().cloned()),
            Outcome::Applied(_) => applied += 1,
        }
        if let Some(complaint) = complaint(&case, &found) {
            *wrong.entry(kind_of_wrong(&case, &found)).or_default() += 1;
            explain(&case, &complaint)?;
        }
    }
    let count =
        |what: &str| f64::from(u32::try_from(wrong.get(what).copied().unwrap_or(0)).unwrap_or(u32::MAX));
    tell(Metric::at_least("edits.unsound_answers", unsound.into(), "answers", 2000.0))?;
    tell(Metric::told("edits.sound_answers", sound.into(), "answers"))?;
    tell(Metric::told("edits.kinds", bounded(kinds.len()), "kinds of answers"))?;
    tell(Metric::told("edits.codes", bounded(codes.len()), "different codes met"))?;
    tell(Metric::told("edits.applied", applied.into(), "answers"))?;
    tell(Metric::at_most("edits.crashed", crashed.into(), "answers", 0.0))?;
    tell(Metric::at_most("edits.applied_wrongly", count("applied wrongly"), "answers", 0.0))?;
    tell(Metric::at_most("edits.sound_and_refused", count("sound and refused"), "answers", 0.0))?;
    tell(Metric::at_most("edits.another_code", count("another code"), "answers", 0.0))
}

fn kind_of_wrong(case: &Case, found: &Outcome) -> &'static str {
    match (&case.expected, found) {
        (_, Outcome::Applied(_)) => "applied wrongly",
        (Expected::Applied(_), Outcome::Refused(_)) => "sound and refused",
        (Expected::Refused(_) | Expected::Confined, Outcome::Refused(_)) => "another code",
    }
}

fn bounded(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// What is wrong, for whoever has to mend it.
fn explain(case: &Case, complaint: &str) -> Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stderr().lock(), "{}: {complaint}\n{}", case.kind, case.answer)?;
    Ok(())
}
