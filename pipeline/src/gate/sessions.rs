//! Sessions to the part of the Behavioural stage that is about whole programs.

use port::contract::sessions::{Change, Origin, SessionEvidence, SessionOutcome};
use reports::record::{CounterexampleRecord, Finding, GateRecord, SessionRow};
use reports::{Verdict, count};

use super::evidence::Evidence;
use super::record;

/// Whether a case differs for nothing but what waits for a person: the port did not change where it differs, or the
/// upstream changed something that the port could not follow as a whole.
pub fn waits_with_parked(found: &SessionEvidence) -> bool {
    let may_wait = match found.change {
        Some(Change::None | Change::Missed | Change::Otherwise) => true,
        // Nothing of this is what the parked units would have changed.
        Some(Change::PortOnly | Change::Alike | Change::Absorbed) | None => false,
    };
    may_wait && !found.differences().is_empty()
}

/// Behavioural, as far as whole programs are concerned; `None` where none was run.
pub(super) fn sessions(evidence: &Evidence) -> Option<GateRecord> {
    let all = &evidence.report.sessions;
    if all.is_empty() {
        return None;
    }
    let waits = |one: &&SessionEvidence| evidence.waiting.contains(&one.name());
    let differing: Vec<_> = all.iter().filter(|one| !one.differences().is_empty() && !waits(one)).collect();
    let blocked: Vec<_> = all.iter().filter_map(|one| Some((one, reason_blocked(one)?))).collect();
    let agreed = all.iter().filter(|one| one.outcome == SessionOutcome::Agreed).count();
    let waiting = match all.iter().filter(waits).count() {
        0 => String::new(),
        1 => "; 1 case waits with what is parked".to_owned(),
        waiting => format!("; {waiting} cases wait with what is parked"),
    };
    let (verdict, reason) = if !differing.is_empty() {
        let told = count((agreed + differing.len()) as u64, "case");
        (
            Verdict::Fail,
            format!("{} of {told} of programs differ from the upstream{waiting}", differing.len()),
        )
    } else if let Some((first, why)) = blocked.first() {
        let told = count(blocked.len() as u64, "case");
        (
            Verdict::Inconclusive,
            format!("{told} of programs could not be told, such as {}: {why}", first.name()),
        )
    } else {
        let made = all.iter().filter(|one| one.origin == Origin::Generated).count();
        let told = count(agreed as u64, "case");
        (Verdict::Pass, format!("{told} of programs agree, {made} of them made from others{waiting}"))
    };
    Some(GateRecord {
        sessions: all.iter().map(|one| row(one, evidence.waiting.contains(&one.name()))).collect(),
        counterexamples: differing.iter().filter_map(|one| counterexample(one)).collect(),
        findings: differing.iter().flat_map(|one| findings(one)).collect(),
        ..record("behavioural", verdict, reason)
    })
}

/// Two parts of one stage as one record.
pub(super) fn joined(one: Option<GateRecord>, other: Option<GateRecord>) -> Option<GateRecord> {
    let (mut one, mut other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.or(other),
    };
    let rank = |gate: &GateRecord| match gate.verdict {
        Verdict::Fail => 0,
        Verdict::Inconclusive => 1,
        Verdict::Pass => 2,
    };
    if rank(&other) < rank(&one) {
        // What decides is told first.
        std::mem::swap(&mut one, &mut other);
    }
    one.reason = format!("{}; {}", one.reason, other.reason);
    one.findings.append(&mut other.findings);
    one.counterexamples.append(&mut other.counterexamples);
    one.sessions.append(&mut other.sessions);
    Some(one)
}

pub(super) fn reason_blocked(one: &SessionEvidence) -> Option<&str> {
    match &one.outcome {
        SessionOutcome::Blocked(reason) => Some(reason),
        SessionOutcome::Agreed | SessionOutcome::Differed(_) => None,
    }
}

/// In what a case differs, a finding each.
pub(super) fn findings(one: &SessionEvidence) -> Vec<Finding> {
    let rest: Vec<_> = [one.change.map_or("", Change::words), one.note.as_str()]
        .into_iter()
        .filter(|words| !words.is_empty())
        .map(|words| format!("; {words}"))
        .collect();
    let told = one.differences().iter().map(|it| Finding {
        code: "session-disagreement".to_owned(),
        text: format!(
            "{}: {}: upstream {}, port {}{}",
            one.name(),
            it.what,
            it.upstream,
            it.port,
            rest.concat()
        ),
    });
    told.collect()
}

/// The most cases that a translator is told of, and the most differences of each.
const CASES_TOLD_MAX: usize = 3;
const DIFFERENCES_TOLD_MAX: usize = 3;

/// What a translator may be told of cases that differ: of those alone that people wrote down. Generated ones decide.
pub(super) fn told<'e>(differing: impl Iterator<Item = &'e SessionEvidence>) -> Vec<String> {
    let mut declared = differing.filter(|one| one.origin == Origin::Declared);
    let mut told: Vec<String> = declared.by_ref().take(CASES_TOLD_MAX).map(case_told).collect();
    match declared.count() {
        0 => {}
        more => told.push(format!("{} of programs differ besides", count(more as u64, "case"))),
    }
    told
}

fn case_told(one: &SessionEvidence) -> String {
    let differences = one.differences();
    let shown: Vec<String> = differences
        .iter()
        .take(DIFFERENCES_TOLD_MAX)
        .map(|it| format!("{}: Rust gave {}, the port gave {}", it.what, it.upstream, it.port))
        .collect();
    let more = match differences.len().saturating_sub(DIFFERENCES_TOLD_MAX) {
        0 => String::new(),
        more => format!("; {more} more"),
    };
    format!("the program {}: {}: {}{more}", one.name(), one.ran, shown.join("; "))
}

/// The first difference of a case, with lines that show both sides.
pub(super) fn counterexample(one: &SessionEvidence) -> Option<CounterexampleRecord> {
    let first = one.differences().first()?;
    Some(CounterexampleRecord {
        symbol: one.name(),
        call: format!("{}: {}", one.name(), first.what),
        upstream: first.upstream.clone(),
        port: first.port.clone(),
        program: Vec::new(),
        divergence: None,
        commands: one.commands.clone(),
    })
}

pub(super) fn row(one: &SessionEvidence, waits: bool) -> SessionRow {
    let differing: Vec<_> = one
        .differences()
        .iter()
        .map(|it| format!("{}: upstream {}, port {}", it.what, it.upstream, it.port))
        .collect();
    let differing = differing.join("; ");
    let (verdict, reason) = match &one.outcome {
        SessionOutcome::Agreed => (Verdict::Pass, String::new()),
        SessionOutcome::Differed(_) if waits => {
            (Verdict::Inconclusive, format!("it waits with what is parked: {differing}"))
        }
        SessionOutcome::Differed(_) => (Verdict::Fail, differing),
        SessionOutcome::Blocked(reason) => (Verdict::Inconclusive, reason.clone()),
    };
    SessionRow {
        name: one.name(),
        generated: one.origin == Origin::Generated,
        verdict,
        reason,
        change: one.change.map_or("", Change::words).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use port::contract::sessions::Difference;
    use port::contract::{ContractReport, ItemEvidence};

    use super::super::{NotCompared, behavioural, numeric};
    use super::*;

    fn case(name: &str, outcome: SessionOutcome, change: Option<Change>) -> SessionEvidence {
        SessionEvidence {
            session: "wc".to_owned(),
            case: name.to_owned(),
            origin: Origin::Declared,
            outcome,
            change,
            note: String::new(),
            ran: "`wc -l`".to_owned(),
            commands: vec!["(upstream)".to_owned(), "(port)".to_owned()],
        }
    }

    fn differs() -> SessionOutcome {
        SessionOutcome::Differed(vec![Difference {
            what: "exit code".to_owned(),
            upstream: "exit code 2".to_owned(),
            port: "exit code 3".to_owned(),
        }])
    }

    fn of(sessions: Vec<SessionEvidence>) -> Evidence {
        Evidence::of(ContractReport { sessions, ..ContractReport::default() })
    }

    #[test]
    fn a_case_that_differs_fails_and_one_that_cannot_be_told_is_neither() {
        let right = case("a", SessionOutcome::Agreed, None);
        let wrong = case("b", differs(), Some(Change::Missed));
        let unknown = case("c", SessionOutcome::Blocked("it is random".to_owned()), None);
        let passed = behavioural(&of(vec![right.clone()])).unwrap();
        assert_eq!(
            (passed.verdict, passed.reason.as_str()),
            (Verdict::Pass, "1 case of programs agree, 0 of them made from others")
        );
        let failed = behavioural(&of(vec![right.clone(), wrong, unknown.clone()])).unwrap();
        assert_eq!(
            (failed.verdict, failed.reason.as_str()),
            (Verdict::Fail, "1 of 2 cases of programs differ from the upstream")
        );
        assert_eq!(
            failed.findings[0].text,
            "wc/b: exit code: upstream exit code 2, port exit code 3; the upstream changed, and the port did not"
        );
        assert_eq!(failed.counterexamples[0].commands, ["(upstream)", "(port)"]);
        let verdicts: Vec<_> = failed.sessions.iter().map(|row| row.verdict).collect();
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive]);
        let unknown = behavioural(&of(vec![right, unknown])).unwrap();
        assert_eq!(unknown.verdict, Verdict::Inconclusive);
        assert!(unknown.reason.contains("such as wc/c: it is random"), "{}", unknown.reason);
    }

    #[test]
    fn a_translator_is_told_of_declared_cases_alone_and_of_a_few() {
        let generated = SessionEvidence {
            origin: Origin::Generated,
            ..case("secret argument", differs(), Some(Change::Missed))
        };
        let found = of(vec![generated.clone()]);
        assert!(found.disagrees() && !found.findings().is_empty());
        assert_eq!(found.may_be_told(), [""; 0]);
        let declared = |name: &str| case(name, differs(), Some(Change::Missed));
        let mut found = of(vec![generated, declared("a"), declared("waits")]);
        found.waiting.insert("wc/waits".to_owned());
        assert_eq!(
            found.may_be_told(),
            ["the program wc/a: `wc -l`: exit code: Rust gave exit code 2, the port gave exit code 3"]
        );
        let many = of(["a", "b", "c", "d", "e"].map(declared).to_vec());
        assert_eq!(many.may_be_told().len(), CASES_TOLD_MAX + 1);
        assert_eq!(many.may_be_told().last().unwrap(), "2 cases of programs differ besides");
    }

    #[test]
    fn what_differs_only_because_something_is_parked_waits() {
        let missed = case("a", differs(), Some(Change::Missed));
        assert!(waits_with_parked(&missed));
        assert!(!waits_with_parked(&case("a", differs(), Some(Change::PortOnly))));
        assert!(!waits_with_parked(&case("a", differs(), None)));
        assert!(!waits_with_parked(&case("a", SessionOutcome::Agreed, Some(Change::None))));
        let mut evidence = of(vec![missed, case("b", SessionOutcome::Agreed, None)]);
        evidence.waiting.insert("wc/a".to_owned());
        let passed = behavioural(&evidence).unwrap();
        assert_eq!(passed.verdict, Verdict::Pass);
        assert!(passed.reason.ends_with("1 case waits with what is parked"), "{}", passed.reason);
        assert_eq!(passed.sessions[0].verdict, Verdict::Inconclusive);
        assert!(passed.findings.is_empty());
    }

    #[test]
    fn an_upstream_that_is_only_a_program_is_proved_by_its_sessions() {
        let item = ItemEvidence {
            not_probed: Some("its target is no library".to_owned()),
            ..ItemEvidence::none("k::main".parse().unwrap(), "p.main".parse().unwrap())
        };
        let judged = |sessions| {
            let report = ContractReport { items: vec![item.clone()], sessions, ..ContractReport::default() };
            numeric(&Evidence::of(report), &NotCompared::default())
        };
        assert_eq!(judged(Vec::new()).verdict, Verdict::Inconclusive);
        assert_eq!(judged(vec![case("a", differs(), None)]).verdict, Verdict::Inconclusive);
        let proved = judged(vec![case("a", SessionOutcome::Agreed, None)]);
        assert_eq!(proved.verdict, Verdict::Pass, "{}", proved.reason);
        assert!(proved.reason.contains("its target is no library"), "{}", proved.reason);
    }
}
