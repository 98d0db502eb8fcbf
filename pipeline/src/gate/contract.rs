//! The contract's stages to verdicts.

use reports::record::GateRecord;
use reports::{Verdict, count};
use upstream::ItemPath;

use super::evidence::Evidence;
use super::record;
use super::unprobed::why_not_compared;

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
        return GateRecord { findings: evidence.findings(), ..gate };
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
                "{disagreed} of {} differ from the upstream{waiting}",
                count((agreed + disagreed).into(), "probe")
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
        counterexamples: evidence.counterexamples(),
        findings: if disagreed > 0 { evidence.findings() } else { Vec::new() },
        ..record("numeric", verdict, reason)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default()
}
