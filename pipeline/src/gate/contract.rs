//! The contract's stages to verdicts.

use reports::Verdict;
use reports::record::GateRecord;
use upstream::ItemPath;

use super::evidence::Evidence;
use super::record;

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
        let gate = record("spec", Verdict::Fail, format!("{found} symbols do not line up with their items"));
        return GateRecord { findings: evidence.findings(), ..gate };
    }
    record("spec", Verdict::Pass, format!("{} symbols line up with their items", evidence.report.items.len()))
}

/// What the comparison could not look at.
#[derive(Debug, Clone, Default)]
pub struct NotCompared {
    /// Items that wait for a person.
    pub parked: usize,
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
    let waiting = if parked == 0 { String::new() } else { format!("; {parked} parked and not compared") };
    let caveats = match evidence.caveats() {
        caveats if caveats.is_empty() => caveats,
        caveats => format!(" ({caveats})"),
    };
    let (verdict, reason) = if let Some(reason) = &evidence.report.source_blocked {
        (Verdict::Inconclusive, format!("the upstream cannot be asked: {}", first_line(reason)))
    } else if disagreed > 0 {
        (
            Verdict::Fail,
            format!("{disagreed} of {} probes differ from the upstream{waiting}", agreed + disagreed),
        )
    } else if let Some(first) = not_compared.unreadable.first() {
        let count = not_compared.unreadable.len();
        (
            Verdict::Inconclusive,
            format!("{count} linked items cannot be read at this revision, such as {first}"),
        )
    } else if blocked > 0 {
        (Verdict::Inconclusive, format!("{blocked} probes could not be answered{waiting}"))
    } else if agreed == 0 && !items.is_empty() {
        (
            Verdict::Inconclusive,
            format!("nothing could be compared: none of {} items can be probed", items.len()),
        )
    } else {
        let rest = items.len() - probed;
        (
            Verdict::Pass,
            format!(
                "{agreed} probes on {probed} functions agree; {rest} items could not be probed{waiting}{caveats}"
            ),
        )
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
