//! The contract's stages to verdicts.

use port::contract::Stage;
use reports::record::GateRecord;
use reports::{Verdict, count};
use upstream::ItemPath;

use super::evidence::Evidence;
use super::unprobed::why_not_compared;
use super::{record, sessions};

/// Spec: the public surface lines up.
pub fn spec(evidence: &Evidence) -> GateRecord {
    if let Some(reason) = &evidence.report.source_blocked {
        return record(
            "spec",
            Verdict::Inconclusive,
            format!("the upstream cannot be asked: {}", first_line(reason)),
        );
    }
    let found = evidence.report.spec.len();
    if found > 0 {
        let gate = record(
            "spec",
            Verdict::Fail,
            format!("out of line with the upstream's items: {}", count(found as u64, "symbol")),
        );
        return GateRecord { findings: evidence.findings_in_single_calls(), ..gate };
    }
    let symbols = count(evidence.report.items.len() as u64, "symbol");
    record("spec", Verdict::Pass, format!("in line with the upstream's items: {symbols}"))
}

/// What the comparison could not look at.
#[derive(Debug, Clone, Default)]
pub struct NotCompared {
    /// Items that wait for a person.
    pub parked: usize,
    /// Linked items whose changes people declined or put off.
    pub held: usize,
    /// Linked items that the upstream cannot be read for at this revision.
    pub unreadable: Vec<ItemPath>,
}

/// Numeric: the same calls give the same results.
pub fn numeric(evidence: &Evidence, not_compared: &NotCompared) -> GateRecord {
    let parked = not_compared.parked;
    let items = &evidence.report.items;
    let sum = |count: fn(&port::contract::ItemEvidence) -> u32| items.iter().map(count).sum::<u32>();
    let (agreed, disagreed, blocked) =
        (sum(|item| item.agreed), sum(|item| item.disagreed), sum(|item| item.blocked));
    let probed = items.iter().filter(|item| item.agreed + item.disagreed > 0).count();
    let left_out = |count: usize, why: &str| match count {
        0 => String::new(),
        count => format!("; {count} {why} and not compared"),
    };
    let waiting = left_out(parked, "parked") + &left_out(not_compared.held, "held by a decision");
    let caveats = match evidence.caveats() {
        caveats if caveats.is_empty() => caveats,
        caveats => format!(" ({caveats})"),
    };
    let (verdict, reason) = if let Some(reason) = &evidence.report.source_blocked {
        (Verdict::Inconclusive, format!("the upstream cannot be asked: {}", first_line(reason)))
    } else if disagreed > 0 {
        (
            Verdict::Fail,
            format!(
                "{disagreed} of {} differ from the upstream{waiting}{}",
                count((agreed + disagreed).into(), "probe"),
                evidence.report.notes.iter().map(|note| format!("; {note}")).collect::<Vec<_>>().concat()
            ),
        )
    } else if let Some(first) = not_compared.unreadable.first() {
        let unreadable = not_compared.unreadable.len();
        (
            Verdict::Inconclusive,
            format!(
                "{} cannot be read at this revision, such as {first}",
                count(unreadable as u64, "linked item")
            ),
        )
    } else if blocked > 0 {
        (Verdict::Inconclusive, format!("{} could not be answered{waiting}", count(blocked.into(), "probe")))
    } else if agreed == 0 && !items.is_empty() && evidence.sessions_agree() {
        let items = count(items.len() as u64, "item");
        let why = why_not_compared(evidence);
        (
            Verdict::Pass,
            format!("none of {items} can be called ({why}); whole programs are compared{waiting}"),
        )
    } else if agreed == 0 && !items.is_empty() {
        (
            Verdict::Inconclusive,
            format!(
                "nothing could be compared: none of {} can be probed ({})",
                count(items.len() as u64, "item"),
                why_not_compared(evidence)
            ),
        )
    } else {
        let (probes, functions) = (count(agreed.into(), "probe"), count(probed as u64, "function"));
        let rest = match items.len() - probed {
            0 => String::new(),
            rest => format!("; {} could not be probed", count(rest as u64, "item")),
        };
        (Verdict::Pass, format!("{probes} on {functions} agree{rest}{waiting}{caveats}"))
    };
    GateRecord {
        evidence: evidence.rows(),
        counterexamples: evidence.counterexamples_of(Stage::Numeric),
        findings: if disagreed > 0 { evidence.findings_in_single_calls() } else { Vec::new() },
        ..record("numeric", verdict, reason)
    }
}

/// Reasons that a line names; the rest is counted.
const REASONS_MAX: usize = 3;

/// Behavioural: the same calls one after another on one value, and the same cases of whole programs. `None` where neither
/// was tried; where something should have been called in sequence, Numeric says so.
pub fn behavioural(evidence: &Evidence) -> Option<GateRecord> {
    sessions::joined(sequences(evidence), sessions::sessions(evidence))
}

fn sequences(evidence: &Evidence) -> Option<GateRecord> {
    let types = &evidence.report.sequences;
    if types.is_empty() || evidence.report.source_blocked.is_some() {
        return None;
    }
    let (agreed, disagreed, blocked, calls) = (
        evidence.in_sequence(|of_type| of_type.agreed),
        evidence.in_sequence(|of_type| of_type.disagreed),
        evidence.in_sequence(|of_type| of_type.blocked),
        evidence.in_sequence(|of_type| of_type.calls),
    );
    if agreed + disagreed + blocked == 0 {
        return None;
    }
    let reasons = evidence.not_sequenced();
    let mut rest: Vec<_> =
        reasons.iter().take(REASONS_MAX).map(|reason| format!("; not in sequence {reason}")).collect();
    if reasons.len() > REASONS_MAX {
        rest.push(format!("; and {}", count((reasons.len() - REASONS_MAX) as u64, "more reason")));
    }
    let rest = rest.concat();
    let (verdict, reason) = if disagreed > 0 {
        let all = count((agreed + disagreed).into(), "sequence");
        (Verdict::Fail, format!("{disagreed} of {all} of calls differ from the upstream"))
    } else if blocked > 0 {
        let why = types.iter().find_map(|of_type| of_type.blocked_by.clone()).unwrap_or_default();
        let sequences = count(blocked.into(), "sequence");
        (Verdict::Inconclusive, format!("{sequences} of calls could not be answered: {why}"))
    } else {
        let called = types.iter().filter(|of_type| of_type.agreed > 0).count();
        let (sequences, calls) = (count(agreed.into(), "sequence"), count(calls.into(), "call"));
        let types = count(called as u64, "type");
        // What could not be called in sequence was called alone: that stage has its own verdict.
        (Verdict::Pass, format!("{sequences} of {calls} on values of {types} agree{rest}"))
    };
    Some(GateRecord {
        counterexamples: evidence.counterexamples_of(Stage::Behavioural),
        findings: evidence.findings_in_sequences(),
        ..record("behavioural", verdict, reason)
    })
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use port::contract::{ContractReport, SequenceEvidence};

    use super::*;

    fn judged(change: impl FnOnce(&mut SequenceEvidence)) -> Option<GateRecord> {
        let mut of_type = SequenceEvidence::of("k::Queue".parse().unwrap());
        change(&mut of_type);
        let report = ContractReport { sequences: vec![of_type], ..ContractReport::default() };
        behavioural(&Evidence::of(report))
    }

    #[test]
    fn sequences_are_judged_by_themselves() {
        let right = judged(|one| (one.agreed, one.calls) = (9, 40)).unwrap();
        assert_eq!(
            (right.verdict, right.reason.as_str()),
            (Verdict::Pass, "9 sequences of 40 calls on values of 1 type agree")
        );
        let wrong = judged(|one| {
            (one.agreed, one.disagreed) = (9, 3);
            one.blamed.insert("k::Queue::pop".parse().unwrap(), 3);
        });
        let wrong = wrong.unwrap();
        assert_eq!((wrong.verdict, wrong.gate.as_str()), (Verdict::Fail, "behavioural"));
        assert_eq!(wrong.findings[0].code, "sequence-disagreement");
        assert!(wrong.findings[0].text.starts_with("k::Queue::pop: 3 of 12 "), "{wrong:?}");
        let blocked = judged(|one| (one.blocked, one.blocked_by) = (2, Some("no memory".to_owned())));
        assert_eq!(blocked.unwrap().verdict, Verdict::Inconclusive);
    }

    #[test]
    fn what_cannot_be_called_in_sequence_is_told_and_refuses_nobody() {
        assert!(judged(|one| one.not_sequenced = Some("a callback".to_owned())).is_none());
        assert!(behavioural(&Evidence::of(ContractReport::default())).is_none());
        let some = judged(|one| {
            one.agreed = 1;
            one.left_out.push(("k::Queue::each".parse().unwrap(), "a callback".to_owned()));
        });
        let some = some.unwrap();
        assert_eq!(some.verdict, Verdict::Pass);
        assert!(some.reason.ends_with("; not in sequence `each`: a callback"), "{some:?}");
    }
}
