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
    /// Commits that are not in the history and were fetched all the same.
    fetched: Vec<CommitId>,
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
    let (baseline, adopted, fetched) = (Some(same), baseline, Vec::new());
    Case { lock, revisions, adopted, baseline, symbols, mapping, holds, fetched }
}

fn findings(case: &Case) -> Vec<String> {
    let item_at = |revision: &RevisionLabel, item: &ItemPath| {
        (revision.as_str() == "1" && item.as_str() == "k::f")
            .then(|| function("k::f", "1"))
            .or_else(|| (revision.as_str() == "1" && item.as_str() == "k::g").then(|| function("k::g", "2")))
    };
    let was_there = |commit: &CommitId| case.fetched.contains(commit);
    let input = CheckInput {
        lock: &case.lock,
        revisions: &case.revisions,
        baseline: case.baseline.as_ref(),
        adopted: Some(&case.adopted),
        item_at: &item_at,
        stood: &|asked| vec![false; asked.len()],
        was_there: &was_there,
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
    assert_eq!(findings(&case), ["revision `2` is older than the baseline, and nothing is recorded of it"]);
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
    assert!(found[0].starts_with("revision `1` (commit "), "followed further since: {found:?}");
    assert!(found[1].starts_with("revision `2` was recorded as commit"));
    assert_eq!(found[2], "revision `3` was withdrawn by its authors (after it was synced)");
}

#[test]
fn what_left_a_rewritten_history_is_known_by_what_came_after_it_or_by_its_objects() {
    // The history was rewritten behind 1, and nothing was followed since: 2 and 3 are gone.
    let mut case = case();
    case.revisions.retain(|revision| !["2", "3"].contains(&revision.label.as_str()));
    let unknown = |label: &str| format!("revision `{label}` of the recorded revisions is unknown");
    assert_eq!(findings(&case), [unknown("2"), unknown("3")], "it may as well have been made up");
    case.fetched = vec![revision("2").commit, revision("3").commit];
    let told = findings(&case);
    assert!(told.len() == 2 && told.iter().all(|told| told.contains("history no more")), "{told:?}");
    // Followed since, on a machine that never saw what was thrown away.
    case.fetched.clear();
    case.revisions.extend(["5", "6"].map(revision));
    for name in ["4", "5"] {
        let revision = revision(name);
        let (label, commit, reason) = (revision.label.clone(), revision.commit.clone(), String::new());
        let disposition = Disposition::Landed;
        case.lock.revisions.push(RecordedRevision { revision: label, commit, disposition, reason });
        (case.lock.baseline, case.lock.commit) = (revision.label, revision.commit);
    }
    let told = findings(&case);
    assert!(told.len() == 2 && told.iter().all(|told| told.contains("history no more")), "{told:?}");
    // One that came in between is lost all the same, be the first record gone as well.
    case.revisions.retain(|revision| revision.label.as_str() != "1");
    case.lock.revisions.retain(|recorded| recorded.revision.as_str() != "4");
    case.lock
        .revisions
        .insert(1, RecordedRevision { revision: label("0"), ..case.lock.revisions[0].clone() });
    let told = findings(&case);
    assert!(
        told.contains(&"revision `4` is older than the baseline, and nothing is recorded of it".to_owned()),
        "{told:?}"
    );
}

#[test]
fn links_to_what_left_the_history_are_held_against_the_baseline() {
    let mut case = case();
    case.revisions.retain(|revision| revision.label.as_str() != "2");
    for link in case.lock.links.values_mut() {
        link.revision = label("2");
    }
    let told = findings(&case);
    assert!(
        told.len() == 1 && told[0].starts_with("revision `2` (commit "),
        "they equal the baseline: {told:?}"
    );
    case.lock.links.get_mut(&path("k::f")).unwrap().upstream = ContentHash::of("edited");
    assert!(findings(&case).contains(&"`k::f` was not there at `2`, which its link names".to_owned()));
    parked(&mut case, "k::f");
    assert_eq!(findings(&case).len(), 1, "it waits, and nothing is claimed of it");
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
    let parked = ParkedItem { item: item.clone(), symbol, revision: label("2"), reason: "hard".to_owned() };
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
