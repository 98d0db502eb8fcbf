//! Whether the lock still tells the truth: about the upstream, about the port, about the revisions.
//!
//! It only finds; what a finding means for a run is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use upstream::snapshot::{Item, Snapshot};
use upstream::{CommitId, ContentHash, ItemPath, Revision, RevisionLabel};

use super::passed::{check_passed, check_waiting};
use super::{Disposition, Link, Lock};
use crate::decision::Holds;
use crate::mapping::Mapping;
use crate::symbol::{SymbolPath, SymbolTable};

/// What the lock is compared with.
#[derive(Clone, Copy)]
pub struct CheckInput<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// All revisions of the upstream, oldest first.
    pub revisions: &'a [Revision],
    /// The upstream at the baseline, where it can be read.
    pub baseline: Option<&'a Snapshot>,
    /// The upstream at the revision of the adoption, where it can be read.
    pub adopted: Option<&'a Snapshot>,
    /// An item as it was at a revision.
    pub item_at: &'a dyn Fn(&RevisionLabel, &ItemPath) -> Option<Item>,
    /// Whether it is plain, without reading the whole revision, that an item stood there as it is given.
    pub stood_at: &'a dyn Fn(&RevisionLabel, &Item) -> bool,
    /// The port as it stands.
    pub symbols: &'a SymbolTable,
    /// Where items belong, and which symbols are extensions: those are never taken for drift.
    pub mapping: &'a Mapping,
    /// What people decided to leave alone.
    pub holds: &'a Holds,
}

impl std::fmt::Debug for CheckInput<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckInput").field("baseline", &self.lock.baseline).finish_non_exhaustive()
    }
}

/// Something in the lock that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum LockFinding {
    /// The lock names a revision that the upstream does not have, or that the lock does not record.
    #[error("revision `{revision}` of {place} is unknown")]
    UnknownRevision {
        /// The label.
        revision: RevisionLabel,
        /// Where the lock names it, such as ``the link of `k::f` ``.
        place: String,
    },
    /// The upstream's revision is another commit than the lock recorded: a moved tag, a forced push.
    #[error("revision `{revision}` was recorded as commit {recorded} and is {actual} now")]
    CommitDiffers {
        /// The revision.
        revision: RevisionLabel,
        /// As the lock has it.
        recorded: CommitId,
        /// As the upstream has it.
        actual: CommitId,
    },
    /// Recorded after a revision that is newer.
    #[error("revision `{revision}` is recorded after `{newer}`, which is newer")]
    OutOfOrder {
        /// The revision.
        revision: RevisionLabel,
        /// The one recorded before it.
        newer: RevisionLabel,
    },
    /// A revision up to the baseline has no disposition.
    #[error("revision `{revision}` is older than the baseline, and nothing is recorded of it")]
    Lost {
        /// The revision.
        revision: RevisionLabel,
    },
    /// A revision was taken back by its authors after it was dealt with, or without a record of that.
    #[error("revision `{revision}` was withdrawn by its authors ({})", recorded_words(*.recorded))]
    Withdrawn {
        /// The revision.
        revision: RevisionLabel,
        /// What the lock says of it.
        recorded: Option<Disposition>,
    },
    /// The item was not there at the revision that its link names.
    #[error("`{item}` was not there at `{revision}`, which its link names")]
    ItemMissing {
        /// The item.
        item: ItemPath,
        /// The revision.
        revision: RevisionLabel,
    },
    /// The item was another at the revision that its link names: the lock was edited or restored.
    #[error("`{item}` had the fingerprint {actual} at `{revision}`, and its link says {recorded}")]
    ItemDiffers {
        /// The item.
        item: ItemPath,
        /// The revision.
        revision: RevisionLabel,
        /// As the lock has it.
        recorded: ContentHash,
        /// As the upstream has it.
        actual: ContentHash,
    },
    /// Recorded as withdrawn, and its authors have not taken it back, or not any more.
    #[error("revision `{revision}` is recorded as withdrawn, and is not: its changes came with the next one")]
    NotWithdrawn {
        /// The revision.
        revision: RevisionLabel,
    },
    /// The baseline holds a change of behaviour that the port does not have, and nothing says why.
    #[error(
        "the baseline passes over `{item}` ({change} since `{since}`), and nothing is recorded of it: \
         port it, or `tidelock decline` it"
    )]
    PassedOver {
        /// The item.
        item: ItemPath,
        /// The revision that the port equals in it, or at which it was adopted.
        since: RevisionLabel,
        /// What changed.
        change: String,
    },
    /// Parked or held, and the port equals the baseline in it: the next landing takes the entry out.
    #[error("`{item}` is said to wait, and the port equals the baseline in it")]
    WaitsNoLonger {
        /// The item.
        item: ItemPath,
    },
    /// It cannot be told where an item belongs, and so not whether it was passed over.
    #[error("{problem}")]
    NoPlace {
        /// What is wrong with the configuration.
        problem: String,
    },
    /// The symbol of a link is not in the port.
    #[error("`{symbol}`, which answers to `{item}`, is not in the port")]
    SymbolMissing {
        /// The item.
        item: ItemPath,
        /// The symbol.
        symbol: SymbolPath,
    },
    /// A person edited the symbol after Tidelock last saw or wrote it.
    #[error("`{symbol}`, which answers to `{item}`, was edited by hand")]
    EditedByHand {
        /// The item.
        item: ItemPath,
        /// The symbol.
        symbol: SymbolPath,
    },
}

fn recorded_words(recorded: Option<Disposition>) -> &'static str {
    match recorded {
        None => "and nothing is recorded of it",
        Some(Disposition::Adopted) => "after it was adopted",
        Some(Disposition::Landed | Disposition::Absorbed | Disposition::Parked) => "after it was synced",
        Some(Disposition::NotPorted | Disposition::Declined | Disposition::Deferred) => {
            "after it was recorded as not in the port"
        }
        Some(Disposition::Withdrawn) => "as recorded",
    }
}

/// Lists what does not fit, revisions first, then links by item.
pub fn check(input: &CheckInput<'_>) -> Vec<LockFinding> {
    let mut findings = Vec::new();
    check_records(input, &mut findings);
    check_lost(input, &mut findings);
    let recorded: BTreeSet<&RevisionLabel> =
        input.lock.revisions.iter().map(|recorded| &recorded.revision).collect();
    for link in input.lock.links.values() {
        if recorded.contains(&link.revision) {
            findings.extend(check_item(input, link));
        } else {
            let place = format!("the link of `{}`", link.item);
            findings.push(LockFinding::UnknownRevision { revision: link.revision.clone(), place });
        }
        findings.extend(check_symbols(input, link));
    }
    for parked in input.lock.parked.values().filter(|parked| !recorded.contains(&parked.revision)) {
        let place = format!("the parked `{}`", parked.item);
        findings.push(LockFinding::UnknownRevision { revision: parked.revision.clone(), place });
    }
    for held in input.lock.held.values().filter(|held| !recorded.contains(&held.revision)) {
        let place = format!("the held `{}`", held.item);
        findings.push(LockFinding::UnknownRevision { revision: held.revision.clone(), place });
    }
    check_passed(input, &mut findings);
    check_waiting(input, &mut findings);
    findings
}

/// The recorded revisions are the upstream's, at the same commits and in the same order.
fn check_records(input: &CheckInput<'_>, findings: &mut Vec<LockFinding>) {
    let known: BTreeMap<&RevisionLabel, (usize, &Revision)> =
        input.revisions.iter().enumerate().map(|(at, revision)| (&revision.label, (at, revision))).collect();
    let mut newest: Option<(usize, &RevisionLabel)> = None;
    for recorded in &input.lock.revisions {
        let label = &recorded.revision;
        let Some((at, revision)) = known.get(label) else {
            let place = "the recorded revisions".to_owned();
            findings.push(LockFinding::UnknownRevision { revision: label.clone(), place });
            continue;
        };
        if revision.commit != recorded.commit {
            findings.push(LockFinding::CommitDiffers {
                revision: label.clone(),
                recorded: recorded.commit.clone(),
                actual: revision.commit.clone(),
            });
        }
        match newest {
            Some((newer_at, newer)) if newer_at > *at => {
                findings.push(LockFinding::OutOfOrder { revision: label.clone(), newer: newer.clone() });
            }
            Some(_) | None => newest = Some((*at, label)),
        }
        if revision.withdrawn && recorded.disposition != Disposition::Withdrawn {
            let recorded = Some(recorded.disposition);
            findings.push(LockFinding::Withdrawn { revision: label.clone(), recorded });
        }
        if !revision.withdrawn && recorded.disposition == Disposition::Withdrawn {
            findings.push(LockFinding::NotWithdrawn { revision: label.clone() });
        }
    }
}

/// Every revision from the first recorded one to the baseline has a disposition.
fn check_lost(input: &CheckInput<'_>, findings: &mut Vec<LockFinding>) {
    let place = |label: &RevisionLabel| input.revisions.iter().position(|known| known.label == *label);
    let recorded: BTreeSet<&RevisionLabel> =
        input.lock.revisions.iter().map(|recorded| &recorded.revision).collect();
    let first = input.lock.revisions.first().and_then(|recorded| place(&recorded.revision));
    let (Some(first), Some(last)) = (first, place(&input.lock.baseline)) else { return };
    let span = input.revisions.get(first..=last).unwrap_or_default();
    for revision in span.iter().filter(|revision| !recorded.contains(&revision.label)) {
        let revision_label = revision.label.clone();
        findings.push(if revision.withdrawn {
            LockFinding::Withdrawn { revision: revision_label, recorded: None }
        } else {
            LockFinding::Lost { revision: revision_label }
        });
    }
}

fn check_item(input: &CheckInput<'_>, link: &Link) -> Option<LockFinding> {
    let (item, revision) = (link.item.clone(), link.revision.clone());
    let at_baseline = input.baseline.and_then(|baseline| baseline.items.get(&item));
    let equal = at_baseline.filter(|item| item.fingerprint.combined() == link.upstream);
    if equal.is_some_and(|item| revision == input.lock.baseline || (input.stood_at)(&revision, item)) {
        return None;
    }
    let Some(found) = (input.item_at)(&link.revision, &link.item) else {
        return Some(LockFinding::ItemMissing { item, revision });
    };
    let actual = found.fingerprint.combined();
    let recorded = link.upstream;
    (actual != recorded).then_some(LockFinding::ItemDiffers { item, revision, recorded, actual })
}

fn check_symbols(input: &CheckInput<'_>, link: &Link) -> Vec<LockFinding> {
    let of_symbol = |(symbol, written): (&SymbolPath, ContentHash)| {
        if input.mapping.is_extension(input.symbols, symbol) {
            return None;
        }
        let (item, found) = (link.item.clone(), input.symbols.get(symbol));
        let symbol = symbol.clone();
        match found {
            None => Some(LockFinding::SymbolMissing { item, symbol }),
            Some(found) if found.hash != written => Some(LockFinding::EditedByHand { item, symbol }),
            Some(_) => None,
        }
    };
    link.symbols().filter_map(of_symbol).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{DecisionRule, DecisionWord, Decisions, day};
    use crate::lock::{Adoption, ParkedItem, RecordedRevision, adopt};
    use crate::testing::{function, label, path, private, revision, snapshot, symbol_path, table, with_docs};

    struct Case {
        lock: Lock,
        revisions: Vec<Revision>,
        adopted: Snapshot,
        baseline: Option<Snapshot>,
        symbols: SymbolTable,
        mapping: Mapping,
        holds: Holds,
    }

    fn case() -> Case {
        let baseline = snapshot("1", [function("k::f", "1"), function("k::g", "2")]);
        let rules = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{name}'\nfile = 'p.py'\n";
        let mapping = Mapping::new(toml::from_str(rules).unwrap()).unwrap();
        let symbols = table(&[("p.f", "def f"), ("p.g", "def g")]);
        let adoption = Adoption { source: "x", baseline: &baseline, mapping: &mapping, symbols: &symbols };
        let mut lock = adopt(&adoption).unwrap().lock;
        for name in ["2", "3"] {
            let revision = revision(name);
            lock.revisions.push(RecordedRevision {
                revision: revision.label.clone(),
                commit: revision.commit.clone(),
                disposition: Disposition::Landed,
                reason: String::new(),
            });
            (lock.baseline, lock.commit) = (revision.label, revision.commit);
        }
        let same = snapshot("3", [function("k::f", "1"), function("k::g", "2")]);
        let revisions = ["0", "1", "2", "3", "4"].map(revision).to_vec();
        let holds = Holds::default();
        Case { lock, revisions, adopted: baseline, baseline: Some(same), symbols, mapping, holds }
    }

    fn findings(case: &Case) -> Vec<String> {
        let item_at = |revision: &RevisionLabel, item: &ItemPath| {
            (revision.as_str() == "1" && item.as_str() == "k::f").then(|| function("k::f", "1")).or_else(
                || (revision.as_str() == "1" && item.as_str() == "k::g").then(|| function("k::g", "2")),
            )
        };
        let input = CheckInput {
            lock: &case.lock,
            revisions: &case.revisions,
            baseline: case.baseline.as_ref(),
            adopted: Some(&case.adopted),
            item_at: &item_at,
            stood_at: &|_, _| false,
            symbols: &case.symbols,
            mapping: &case.mapping,
            holds: &case.holds,
        };
        check(&input).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_true_lock_has_no_findings() {
        assert_eq!(findings(&case()), Vec::<String>::new());
    }

    #[test]
    fn edited_fingerprints_and_revisions_of_links_are_found() {
        let mut case = case();
        case.lock.links.get_mut(&path("k::f")).unwrap().upstream = ContentHash::of("edited");
        case.lock.links.get_mut(&path("k::g")).unwrap().revision = label("2");
        let found = findings(&case);
        assert!(found[0].starts_with("`k::f` had the fingerprint"), "{found:?}");
        assert_eq!(found[1], "`k::g` was not there at `2`, which its link names");
        case.lock.links.get_mut(&path("k::g")).unwrap().revision = label("9");
        assert_eq!(findings(&case)[1], "revision `9` of the link of `k::g` is unknown");
    }

    #[test]
    fn missing_and_edited_symbols_are_found() {
        let mut case = case();
        case.symbols = table(&[("p.f", "def f: mine")]);
        assert_eq!(
            findings(&case),
            [
                "`p.f`, which answers to `k::f`, was edited by hand",
                "`p.g`, which answers to `k::g`, is not in the port"
            ]
        );
    }

    #[test]
    fn lost_withdrawn_unknown_and_moved_revisions_are_found() {
        let mut case = case();
        case.lock.revisions.remove(1);
        assert_eq!(
            findings(&case),
            ["revision `2` is older than the baseline, and nothing is recorded of it"]
        );
        case.revisions[2].withdrawn = true;
        assert_eq!(
            findings(&case),
            ["revision `2` was withdrawn by its authors (and nothing is recorded of it)"]
        );
        let mut case = self::case();
        case.revisions[3].withdrawn = true;
        case.revisions[2].commit = revision("moved").commit;
        case.revisions.remove(1);
        let found = findings(&case);
        assert_eq!(found[0], "revision `1` of the recorded revisions is unknown");
        assert!(found[1].starts_with("revision `2` was recorded as commit"));
        assert_eq!(found[2], "revision `3` was withdrawn by its authors (after it was synced)");
    }

    /// The findings where the baseline is this.
    fn at_baseline(change: impl FnOnce(&mut Case, &mut Snapshot)) -> Vec<String> {
        let mut case = case();
        let mut baseline = case.baseline.take().unwrap();
        change(&mut case, &mut baseline);
        case.baseline = Some(baseline);
        findings(&case)
    }

    fn put(snapshot: &mut Snapshot, item: Item) {
        snapshot.items.insert(item.path.clone(), item);
    }

    fn parked(case: &mut Case, item: &str) {
        let (item, symbol) = (path(item), symbol_path("p.x"));
        let parked =
            ParkedItem { item: item.clone(), symbol, revision: label("2"), reason: "hard".to_owned() };
        case.lock.parked.insert(item, parked);
    }

    #[test]
    fn what_the_baseline_passes_over_is_named() {
        let changed = |_: &mut Case, baseline: &mut Snapshot| put(baseline, function("k::f", "other"));
        let told = "the baseline passes over `k::f` (body since `1`), and nothing is recorded of it: \
                    port it, or `tidelock decline` it";
        assert_eq!(at_baseline(changed), [told]);
        let came = at_baseline(|_, baseline| put(baseline, function("k::new", "1")));
        assert!(came[0].starts_with("the baseline passes over `k::new` (added since `1`)"), "{came:?}");
        let went = at_baseline(|_, baseline| drop(baseline.items.remove(&path("k::g"))));
        assert!(went[0].starts_with("the baseline passes over `k::g` (removed since `1`)"), "{went:?}");
        let unmapped = at_baseline(|_, baseline| put(baseline, function("other::x", "1")));
        assert!(unmapped[0].starts_with("the baseline passes over `other::x`"), "{unmapped:?}");
    }

    #[test]
    fn what_has_a_disposition_is_not_passed_over() {
        let none = Vec::<String>::new();
        assert_eq!(
            at_baseline(|case, baseline| {
                put(baseline, function("k::f", "other"));
                put(baseline, function("k::new", "1"));
                baseline.items.remove(&path("k::g"));
                for item in ["k::f", "k::new", "k::g"] {
                    parked(case, item);
                }
            }),
            none
        );
        let rule = DecisionRule {
            disposition: DecisionWord::Declined,
            items: Some("k::*".to_owned()),
            revision: None,
            reason: "x".to_owned(),
            owner: "y".to_owned(),
            until: Some("2027-01-01".to_owned()),
        };
        let decisions = Decisions::new(&[rule]).unwrap();
        let on = |today: &str| decisions.on(day(today).unwrap(), &[]).unwrap();
        let changed = |today: &str| {
            at_baseline(|case, baseline| {
                put(baseline, function("k::f", "other"));
                case.holds = on(today);
            })
        };
        assert_eq!(changed("2026-12-31"), none);
        assert_eq!(changed("2027-01-01").len(), 1, "what has ended excuses nothing");
        let private = at_baseline(|_, baseline| put(baseline, private(function("k::hidden", "1"))));
        assert_eq!(private, none);
        let words = at_baseline(|_, baseline| put(baseline, with_docs(function("k::f", "1"), "words")));
        assert_eq!(words, none, "no behaviour");
        let ignored = at_baseline(|case, baseline| {
            put(baseline, function("k::f", "other"));
            let rules = "[[map]]\nitems = 'k::**'\nstrategy = 'ignore'\nreason = 'x'\n";
            case.mapping = Mapping::new(toml::from_str(rules).unwrap()).unwrap();
        });
        assert_eq!(ignored, none);
        let unreadable = at_baseline(|_, baseline| {
            let item = baseline.items.remove(&path("k::g")).unwrap();
            let file = upstream::snapshot::UnparsedFile { file: item.file, reason: "x".to_owned() };
            baseline.unparsed.push(file);
        });
        assert_eq!(unreadable, none, "nobody knows what became of it");
    }

    #[test]
    fn what_was_parked_on_one_branch_and_landed_on_another_waits_no_longer() {
        let told = ["`k::f` is said to wait, and the port equals the baseline in it"];
        let waits = |revision: &'static str| {
            at_baseline(|case, _| {
                parked(case, "k::f");
                case.lock.parked.get_mut(&path("k::f")).unwrap().revision = label(revision);
            })
        };
        assert_eq!(waits("1"), told);
        // Parked after the link: it waits for what it uses.
        assert_eq!(waits("2"), Vec::<String>::new());
    }

    #[test]
    fn rules_that_tie_are_told_and_not_taken_for_a_reason() {
        let tie = at_baseline(|case, baseline| {
            put(baseline, function("k::f", "other"));
            let rules = "[[map]]\nitems = 'k::*'\nsymbol = 'p.{name}'\nfile = 'p.py'\n\
                         [[map]]\nitems = 'k::*'\nstrategy = 'ignore'\nreason = 'x'\n";
            case.mapping = Mapping::new(toml::from_str(rules).unwrap()).unwrap();
        });
        assert!(tie[0].contains("match `k::f` equally well and disagree"), "{tie:?}");
    }

    #[test]
    fn a_revision_that_is_no_longer_withdrawn_is_told() {
        let mut case = case();
        case.lock.revisions[1].disposition = Disposition::Withdrawn;
        let told = "revision `2` is recorded as withdrawn, and is not: its changes came with the next one";
        assert_eq!(findings(&case), [told]);
    }

    #[test]
    fn records_out_of_order_are_found() {
        let mut case = case();
        case.lock.revisions.swap(0, 1);
        assert!(findings(&case).contains(&"revision `1` is recorded after `2`, which is newer".to_owned()));
    }
}
