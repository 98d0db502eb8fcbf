//! Locks after revisions, by outcomes as a pipeline reports them.

use std::sync::LazyLock;

use super::*;
use crate::lock::{Adoption, adopt};
use crate::plan::{PlanInput, plan};
use crate::testing::{function, label, path, private, revision, snapshot, symbol_path, table, with_docs};
use crate::unit::UnitKind;

const RULES: &str = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{module}.{name}'\nfile = 'p/{module}.py'\n\
                     [[map]]\nitems = 'k::manual*'\nstrategy = 'manual'\nreason = 'delicate'\n\
                     [[map]]\nitems = 'k::ignored*'\nstrategy = 'ignore'\nreason = 'not wanted'\n";

struct Case {
    mapping: Mapping,
    lock: Lock,
    target: Snapshot,
    plan: Plan,
    before: SymbolTable,
}

fn case(old: &[Item], new: &[Item], before: &[(&str, &str)]) -> Case {
    let mapping = Mapping::new(toml::from_str(RULES).unwrap()).unwrap();
    let (baseline, target) = (snapshot("1", old.to_vec()), snapshot("2", new.to_vec()));
    let before = table(before);
    let adoption = Adoption { source: "x", baseline: &baseline, mapping: &mapping, symbols: &before };
    let lock = adopt(&adoption).unwrap().lock;
    let plan = plan(&PlanInput {
        target: &target,
        baseline: &baseline,
        lock: &lock,
        item_at: &|_, _| None,
        mapping: &mapping,
        symbols: &before,
        uses: &crate::PortUses::default(),
        holds: &Holds::default(),
    })
    .unwrap();
    Case { mapping, lock, target, plan, before }
}

impl Case {
    fn settlement<'a>(
        &'a self,
        outcomes: &'a BTreeMap<UnitId, UnitOutcome>,
        after: &'a SymbolTable,
        passed_by: &'a [Revision],
    ) -> Settlement<'a> {
        static HOLDS: LazyLock<Holds> = LazyLock::new(Holds::default);
        static RESTING: BTreeMap<ItemPath, ItemPath> = BTreeMap::new();
        Settlement {
            lock: &self.lock,
            plan: &self.plan,
            target: &self.target,
            mapping: &self.mapping,
            before: &self.before,
            after,
            outcomes,
            passed_by,
            holds: &HOLDS,
            resting: &RESTING,
        }
    }

    fn settle_with(
        &self,
        outcomes: &BTreeMap<UnitId, UnitOutcome>,
        after: &[(&str, &str)],
        passed_by: &[Revision],
    ) -> Result<Lock, SettleError> {
        settle(&self.settlement(outcomes, &table(after), passed_by))
    }

    fn settle(&self, outcome: &UnitOutcome, after: &[(&str, &str)]) -> Lock {
        let outcomes = self.plan.units.iter().map(|unit| (unit.id.clone(), outcome.clone())).collect();
        let lock = self.settle_with(&outcomes, after, &[]).unwrap();
        assert_eq!(Lock::parse(&lock.render()).as_ref(), Ok(&lock));
        lock
    }
}

fn landed(proofs: &[(&str, Proof)]) -> UnitOutcome {
    UnitOutcome::Landed { proofs: proofs.iter().map(|(item, proof)| (path(item), *proof)).collect() }
}

fn parked() -> UnitOutcome {
    UnitOutcome::Parked { reason: "too hard".to_owned() }
}

#[test]
fn a_landed_change_moves_link_and_baseline() {
    let case = case(&[function("k::f", "1")], &[function("k::f", "2")], &[("p.f", "old")]);
    let lock = case.settle(&landed(&[("k::f", Proof::Proved)]), &[("p.f", "new")]);
    let link = &lock.links[&path("k::f")];
    assert_eq!(link.upstream, function("k::f", "2").fingerprint.combined());
    assert_eq!(link.written, upstream::ContentHash::of("new"));
    assert_eq!((link.revision.as_str(), link.proof), ("2", Proof::Proved));
    assert_eq!((lock.baseline, &lock.commit), (label("2"), &revision("2").commit));
    assert_eq!(lock.revisions.last().unwrap().disposition, Disposition::Landed);
}

#[test]
fn an_item_without_a_named_proof_is_mapped_only() {
    let case = case(&[function("k::f", "1")], &[function("k::f", "2")], &[("p.f", "old")]);
    let lock = case.settle(&landed(&[]), &[("p.f", "new")]);
    assert_eq!(lock.links[&path("k::f")].proof, Proof::MappedOnly);
}

#[test]
fn an_absorbed_change_is_recorded_as_such() {
    let case = case(&[function("k::f", "1")], &[function("k::f", "2")], &[("p.f", "old")]);
    let proofs = BTreeMap::from([(path("k::f"), Proof::Tested)]);
    let lock = case.settle(&UnitOutcome::Absorbed { proofs }, &[("p.f", "old")]);
    assert_eq!(lock.revisions.last().unwrap().disposition, Disposition::Absorbed);
    assert_eq!(lock.links[&path("k::f")].proof, Proof::Tested);
}

#[test]
fn a_parked_item_keeps_its_link_and_since_when_it_waits() {
    let mut case = case(&[function("k::f", "1")], &[function("k::f", "2")], &[("p.f", "old")]);
    let lock = case.settle(&parked(), &[("p.f", "old")]);
    assert_eq!(lock.links, case.lock.links);
    let waiting = &lock.parked[&path("k::f")];
    assert_eq!((waiting.revision.as_str(), waiting.reason.as_str()), ("2", "too hard"));
    let last = lock.revisions.last().unwrap();
    assert_eq!((last.disposition, last.reason.as_str()), (Disposition::Parked, "1 item waits for a person"));

    case.lock.parked.clone_from(&lock.parked);
    case.lock.parked.get_mut(&path("k::f")).unwrap().revision = label("0");
    let lock = case.settle(&parked(), &[("p.f", "old")]);
    assert_eq!(lock.parked[&path("k::f")].revision, label("0"));
    let lock = case.settle(&landed(&[]), &[("p.f", "new")]);
    assert_eq!(lock.parked, BTreeMap::new());
}

#[test]
fn what_rests_on_a_parked_item_waits_with_it_and_is_counted_from_its_link() {
    let old = [function("k::f", "1"), function("k::g", "1"), function("k::h", "1")];
    let mut new = [function("k::f", "2"), function("k::g", "1"), function("k::h", "1")];
    new[1].fingerprint.docs = upstream::ContentHash::of("other words");
    let port = [("p.f", "f"), ("p.g", "g"), ("p.h", "h")];
    let case = case(&old, &new, &port);
    let outcomes = case.plan.units.iter().map(|unit| (unit.id.clone(), parked())).collect();
    let resting = BTreeMap::from([(path("k::g"), path("k::f")), (path("k::nobody"), path("k::f"))]);
    let lock =
        settle(&Settlement { resting: &resting, ..case.settlement(&outcomes, &table(&port), &[]) }).unwrap();
    let waiting: Vec<_> =
        lock.parked.values().map(|parked| (parked.item.as_str(), parked.reason.as_str())).collect();
    assert_eq!(waiting, [("k::f", "too hard"), ("k::g", "it rests on `k::f`, which waits")]);
    assert_eq!(lock.links, case.lock.links, "its own documentation is not followed before it is compared");
    assert_eq!(lock.revisions.last().unwrap().reason, "2 items wait for a person");
}

#[test]
fn removed_items_lose_their_links_and_new_ones_gain_them() {
    let old = [function("k::gone", "1")];
    let case = case(&old, &[function("k::fresh", "2")], &[("p.gone", "old")]);
    let lock = case.settle(&landed(&[]), &[("p.fresh", "new")]);
    assert_eq!(lock.links.keys().collect::<Vec<_>>(), [&path("k::fresh")]);
    assert_eq!(lock.links[&path("k::fresh")].symbol, symbol_path("p.fresh"));
}

#[test]
fn a_renamed_item_is_linked_to_its_renamed_symbol() {
    let case = case(&[function("k::f", "body")], &[function("k::better", "body")], &[("p.f", "old")]);
    assert_eq!(case.plan.units[0].kind, UnitKind::Relocate);
    let lock = case.settle(&landed(&[]), &[("p.better", "new")]);
    let link = &lock.links[&path("k::better")];
    assert_eq!((lock.links.len(), &link.symbol), (1, &symbol_path("p.better")));
    // A port that keeps the old name answers under it.
    let lock = case.settle(&landed(&[]), &[("p.f", "new")]);
    assert_eq!(lock.links[&path("k::better")].symbol, symbol_path("p.f"));
}

#[test]
fn a_renamed_private_symbol_keeps_its_underscore() {
    let (old, new) = (private(function("k::f", "body")), private(function("k::better", "body")));
    let case = case(&[old], &[new], &[("p._f", "old")]);
    assert_eq!(case.plan.units[0].reason, "the item has another name: `p._f` becomes `p._better`");
    let lock = case.settle(&landed(&[]), &[("p._better", "new")]);
    assert_eq!(lock.links[&path("k::better")].symbol, symbol_path("p._better"));
}

#[test]
fn an_item_that_moved_between_files_is_linked_at_its_new_place() {
    let case = case(&[function("k::f", "body")], &[function("k::m::f", "body")], &[("p.f", "old")]);
    let lock = case.settle(&landed(&[]), &[("p.m.f", "new")]);
    assert_eq!(lock.links.keys().collect::<Vec<_>>(), [&path("k::m::f")]);
    let lock = case.settle(&parked(), &[("p.f", "old")]);
    assert_eq!(lock.links, case.lock.links);
    assert_eq!(lock.parked.len(), 2);
}

#[test]
fn a_change_without_behaviour_moves_the_link_and_keeps_the_proof() {
    let new = with_docs(function("k::f", "1"), "words");
    let mut case = case(&[function("k::f", "1")], std::slice::from_ref(&new), &[("p.f", "old")]);
    case.lock.links.get_mut(&path("k::f")).unwrap().proof = Proof::Proved;
    let lock = case.settle(&parked(), &[("p.f", "old")]);
    let link = &lock.links[&path("k::f")];
    assert_eq!((link.upstream, link.revision.as_str()), (new.fingerprint.combined(), "2"));
    assert_eq!(link.proof, Proof::Proved);
    let last = lock.revisions.last().unwrap();
    assert_eq!(last.disposition, Disposition::NotPorted);
    assert_eq!(last.reason, "nothing for the port to follow: 1 without a change of behaviour");
}

#[test]
fn what_is_left_to_a_person_keeps_its_link_and_what_is_ignored_and_gone_loses_it() {
    let old = [function("k::manual_one", "1"), function("k::ignored_one", "1")];
    let mut case =
        case(&old, &[function("k::manual_one", "2")], &[("p.manual_one", "x"), ("p.ignored_one", "y")]);
    for item in &old {
        let symbol = symbol_path(&format!("p.{}", item.path.name()));
        let link = Link {
            item: item.path.clone(),
            upstream: item.fingerprint.combined(),
            written: case.before.get(&symbol).unwrap().hash,
            revision: label("1"),
            proof: Proof::MappedOnly,
            symbol,
            parts: Vec::new(),
        };
        case.lock.links.insert(item.path.clone(), link);
    }
    let lock = case.settle(&parked(), &[("p.manual_one", "x"), ("p.ignored_one", "y")]);
    assert_eq!(lock.links.keys().collect::<Vec<_>>(), [&path("k::manual_one")]);
    assert_eq!(lock.links[&path("k::manual_one")].revision, label("1"));
}

#[test]
fn symbols_that_an_edit_touched_besides_are_followed_and_hand_edits_stay_marked() {
    let old = [function("k::f", "1"), function("k::caller", "f"), function("k::mine", "f")];
    let mut new = old.clone();
    new[0] = function("k::f", "2");
    let before = [("p.f", "f"), ("p.caller", "calls f"), ("p.mine", "calls f")];
    let mut case = case(&old, &new, &before);
    case.before = table(&[("p.f", "f"), ("p.caller", "calls f"), ("p.mine", "edited by a person")]);
    let after = [("p.f", "g"), ("p.caller", "calls g"), ("p.mine", "edited, calls g")];
    let lock = case.settle(&landed(&[]), &after);
    assert_eq!(lock.links[&path("k::caller")].written, upstream::ContentHash::of("calls g"));
    assert_eq!(lock.links[&path("k::mine")].written, upstream::ContentHash::of("calls f"));
}

#[test]
fn withdrawn_revisions_are_recorded_before_the_target() {
    let case = case(&[], &[], &[]);
    let mut passed = revision("1.5");
    passed.withdrawn = true;
    let lock = case.settle_with(&BTreeMap::new(), &[], &[passed.clone()]).unwrap();
    let recorded: Vec<_> =
        lock.revisions.iter().map(|one| (one.revision.as_str(), one.disposition)).collect();
    assert_eq!(
        recorded,
        [("1", Disposition::Adopted), ("1.5", Disposition::Withdrawn), ("2", Disposition::NotPorted)]
    );
    assert_eq!(lock.revisions[2].reason, "no item changed");
    passed.withdrawn = false;
    let refused = case.settle_with(&BTreeMap::new(), &[], &[passed]);
    assert_eq!(refused, Err(SettleError::NotWithdrawn { revision: label("1.5") }));
}

#[test]
fn outcomes_that_do_not_fit_are_refused() {
    let mut case = case(&[function("k::f", "1")], &[function("k::f", "2")], &[("p.f", "old")]);
    let unit = case.plan.units[0].id.clone();
    let none = BTreeMap::new();
    assert!(matches!(case.settle_with(&none, &[("p.f", "x")], &[]), Err(SettleError::NoOutcome { .. })));
    let outcomes = BTreeMap::from([(unit, landed(&[]))]);
    let missing = SettleError::SymbolMissing { item: path("k::f"), symbol: symbol_path("p.f") };
    assert_eq!(case.settle_with(&outcomes, &[], &[]), Err(missing));
    let mut unknown = outcomes.clone();
    unknown.insert(UnitId::new("k::other").unwrap(), parked());
    assert!(matches!(case.settle_with(&unknown, &[], &[]), Err(SettleError::UnknownUnit { .. })));
    case.lock.revisions.push(RecordedRevision {
        revision: label("2"),
        commit: revision("2").commit,
        disposition: Disposition::Landed,
        reason: String::new(),
    });
    assert!(matches!(case.settle_with(&outcomes, &[], &[]), Err(SettleError::RecordedAlready { .. })));
    case.target = snapshot("3", []);
    assert!(matches!(case.settle_with(&outcomes, &[], &[]), Err(SettleError::WrongTarget { .. })));
}
