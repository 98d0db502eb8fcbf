//! Sequences that differ, made small as sequences, and told as a program of the port's language.

use mappings::SymbolPath;

use super::ContractError;
use super::check::Check;
use super::compare::Profile;
use super::counterexample::cut;
use super::pools::Probe;
use super::probeable::ReceiverPlan;
use super::report::{Counterexample, Stage};
use super::sequence::{Course, Ran, Session};
use super::sequence_shrink::shorter;
use super::shrink::{size, smaller};
use super::value::{Outcome, Value};

/// How many differing sequences of one way to make a value are made small.
const SHRUNK_MAX: usize = 2;
/// How many rounds of shorter sequences, and of smaller arguments, are tried.
const ROUNDS_MAX: usize = 12;
/// What the value is called in a program.
const IT: &str = "it";

impl Check<'_> {
    /// The smallest of the sequences that differ, as programs.
    pub(super) fn shrunk_sequences(
        &self,
        profile: &Profile,
        session: &Session<'_>,
        ran: &[Ran],
    ) -> Result<Vec<Counterexample>, ContractError> {
        let mut differing: Vec<&Ran> =
            ran.iter().filter(|one| matches!(one.course, Course::Differs(_))).collect();
        differing.sort_by_key(|one| (!one.probe.may_be_shown, one.probe.calls().len()));
        let (mut shown, mut probes): (Vec<Counterexample>, Vec<Probe>) = (Vec::new(), Vec::new());
        for one in differing.into_iter().take(SHRUNK_MAX.min(self.request.counterexamples_max)) {
            let small = self.smallest(profile, session, one)?;
            let Some(example) = self.told(session, &small) else { continue };
            if !shown.iter().any(|known| known.call == example.call) {
                shown.push(example);
                probes.push(small.probe);
            }
        }
        self.locate(profile, &probes, &mut shown)?;
        shown.sort_by_key(|example| (example.program.len(), example.call.len()));
        Ok(shown)
    }

    /// Drops calls until no choice of fewer differs, then makes arguments smaller, then drops calls again.
    fn smallest(&self, profile: &Profile, session: &Session<'_>, ran: &Ran) -> Result<Ran, ContractError> {
        let mut best = ended(ran);
        // A hang or a crash costs a process for each try.
        if matches!(best.port, Outcome::Timeout | Outcome::Crashed { .. }) {
            return Ok(best);
        }
        best = self.with_fewer_calls(profile, session, best)?;
        for _ in 0..ROUNDS_MAX {
            let probes = smaller(&best.probe.arguments, &session.shapes)
                .into_iter()
                .map(|arguments| Probe { arguments, ..best.probe.clone() });
            match self.first_differing(profile, session, probes.collect())? {
                Some(found) => best = found,
                None => break,
            }
        }
        self.with_fewer_calls(profile, session, best)
    }

    fn with_fewer_calls(
        &self,
        profile: &Profile,
        session: &Session<'_>,
        mut best: Ran,
    ) -> Result<Ran, ContractError> {
        for _ in 0..ROUNDS_MAX {
            let probes = shorter(best.probe.calls()).into_iter().map(|calls| best.probe.with_calls(calls));
            match self.first_differing(profile, session, probes.collect())? {
                Some(found) => best = found,
                None => break,
            }
        }
        Ok(best)
    }

    /// The smallest of these on which the sides differ.
    fn first_differing(
        &self,
        profile: &Profile,
        session: &Session<'_>,
        probes: Vec<Probe>,
    ) -> Result<Option<Ran>, ContractError> {
        if probes.is_empty() {
            return Ok(None);
        }
        let ran = self.ask_both(profile, session, probes)?;
        let differing = ran.iter().filter(|one| matches!(one.course, Course::Differs(_)));
        let ended = differing.map(ended);
        Ok(ended.min_by_key(|one| (one.probe.calls().len(), size(&one.probe.arguments))))
    }

    /// A sequence as a program, with what its last call came to.
    fn told(&self, session: &Session<'_>, ran: &Ran) -> Option<Counterexample> {
        let Course::Differs(place) = ran.course else { return None };
        let item = session.blamed(&ran.probe, place)?;
        let asked = self.request.items.iter().find(|asked| asked.item == item)?;
        let target = self.targets.get(session.at)?;
        let written = |value: &Value| Self::python(target, value);
        let given = |values: &[Value]| values.iter().map(written).collect::<Vec<_>>().join(", ");
        let (_, made_of) = ran.probe.arguments.split_last()?;
        let made = match (&session.plan.receiver, &target.constructor) {
            (ReceiverPlan::Constructed { .. }, Some(constructor)) => {
                format!("{constructor}({})", given(made_of))
            }
            (_, _) => given(made_of),
        };
        let class = self.request.links.get(&session.plan.of);
        let mut lines = vec![format!("{IT} = {made}")];
        for call in ran.probe.calls() {
            let Value::Made { arguments, .. } = call else { continue };
            let arguments = given(arguments);
            lines.push(match &session.step(call)?.symbol {
                None => IT.to_owned(),
                Some(symbol) if is_method(symbol, class) => format!("{IT}.{}({arguments})", symbol.name()),
                Some(symbol) if arguments.is_empty() => format!("{symbol}({IT})"),
                Some(symbol) => format!("{symbol}({IT}, {arguments})"),
            });
        }
        let last = |outcome: &Outcome| match (outcome, place) {
            (Outcome::Steps(steps), Some(at)) => steps.get(at).map(ToString::to_string),
            (other, _) => Some(other.to_string()),
        };
        let (upstream, port) = (last(&ran.upstream), last(&ran.port));
        let call = lines.join("; ");
        let raises = |at: usize| matches!(&ran.port, Outcome::Steps(steps) if matches!(steps.get(at), Some(Outcome::Error { .. })));
        Some(Counterexample {
            item,
            symbol: asked.symbol.clone(),
            call: cut(call),
            upstream: cut(upstream.unwrap_or_default()),
            port: cut(port.unwrap_or_else(|| "ends before that call".to_owned())),
            may_be_shown: ran.probe.may_be_shown,
            stage: Stage::Behavioural,
            program: program(&lines, &raises),
            divergence: None,
        })
    }
}

/// The lines as they are run: the last is printed, and what is meant to raise before it stops nothing.
fn program(lines: &[String], raises: &dyn Fn(usize) -> bool) -> Vec<String> {
    let Some(((last, first), made)) =
        lines.split_last().and_then(|(last, rest)| Some(((last, rest), lines.first()?)))
    else {
        return Vec::new();
    };
    if first.is_empty() {
        return vec![made.clone()];
    }
    let mut program = Vec::new();
    for (at, line) in first.iter().enumerate() {
        // The first line makes the value; the calls are counted from the second.
        match at.checked_sub(1) {
            Some(call) if raises(call) => {
                if program.iter().all(|line: &String| !line.starts_with("import")) {
                    program.insert(0, "import contextlib".to_owned());
                }
                program.push(format!("with contextlib.suppress(Exception): {line}"));
            }
            Some(_) | None => program.push(line.clone()),
        }
    }
    program.push(format!("print(repr({last}))"));
    program
}

/// Whether a symbol is called on a value of the class; where no class is linked, whatever has a class has.
fn is_method(symbol: &SymbolPath, class: Option<&SymbolPath>) -> bool {
    class.is_none_or(|class| symbol.parent().as_ref() == Some(class))
}

/// Nothing behind the call that differs says anything.
fn ended(ran: &Ran) -> Ran {
    let upto = match ran.course {
        Course::Differs(Some(at)) => at + 1,
        Course::Differs(None) => 0,
        Course::Agreed | Course::Unobserved(_) | Course::Blocked(_) => usize::MAX,
    };
    let calls = ran.probe.calls().iter().take(upto).cloned().collect();
    Ran {
        probe: ran.probe.with_calls(calls),
        upstream: ran.upstream.clone(),
        port: ran.port.clone(),
        course: ran.course.clone(),
    }
}
