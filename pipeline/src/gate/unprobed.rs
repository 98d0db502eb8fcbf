//! Why items were not compared, in words: the commonest reasons first, with how many items each is about.

use std::collections::BTreeMap;

use port::contract::ItemEvidence;
use reports::count;

use super::evidence::Evidence;

/// Reasons that a line names; the rest is counted.
const REASONS_MAX: usize = 3;

/// Why no call of an item was compared; `None` where one was.
pub fn not_compared(evidence: &ItemEvidence) -> Option<String> {
    if evidence.agreed + evidence.disagreed > 0 {
        return None;
    }
    Some(match &evidence.not_probed {
        Some(reason) => reason.clone(),
        None if evidence.blocked > 0 => {
            format!("{} could not be answered", count(evidence.blocked.into(), "probe"))
        }
        None => "nothing of it can be called".to_owned(),
    })
}

/// The commonest reasons in one line, such as `12 items: a struct with fields; 2 items: not public`; empty where
/// everything was compared.
pub fn why_not_compared(evidence: &Evidence) -> String {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for reason in evidence.report.items.iter().filter_map(not_compared) {
        *reasons.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, items)| std::cmp::Reverse(*items));
    let named = reasons.iter().take(REASONS_MAX);
    let mut words: Vec<_> =
        named.map(|(reason, items)| format!("{}: {reason}", count(*items, "item"))).collect();
    let rest = reasons.len().saturating_sub(REASONS_MAX);
    if rest > 0 {
        words.push(format!("and {}", count(rest as u64, "more reason")));
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use mappings::SymbolPath;
    use port::contract::ContractReport;
    use upstream::ItemPath;

    use super::*;

    fn row(name: &str, not_probed: Option<&str>, agreed: u32, blocked: u32) -> ItemEvidence {
        let item = ItemPath::new(format!("krate::{name}")).unwrap();
        let symbol = SymbolPath::new(format!("krate.{name}")).unwrap();
        let not_probed = not_probed.map(str::to_owned);
        ItemEvidence { not_probed, agreed, blocked, ..ItemEvidence::none(item, symbol) }
    }

    #[test]
    fn the_commonest_reason_comes_first_and_the_rest_is_counted() {
        let mut items = vec![row("a", None, 3, 0), row("b", None, 0, 2), row("c", Some("private"), 0, 0)];
        items.extend(["d", "e"].map(|name| row(name, Some("a struct with fields"), 0, 0)));
        let mut evidence = Evidence::of(ContractReport { items, ..ContractReport::default() });
        assert_eq!(
            why_not_compared(&evidence),
            "2 items: a struct with fields; 1 item: 2 probes could not be answered; 1 item: private"
        );
        evidence.report.items.push(row("f", Some("unsafe"), 0, 0));
        assert!(why_not_compared(&evidence).ends_with("; and 1 more reason"));
        evidence.report.items.truncate(1);
        assert_eq!(why_not_compared(&evidence), "");
    }
}
