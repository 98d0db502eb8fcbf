//! Plans over a part of what waits, in a port that was begun with nothing.

use super::*;
use crate::bootstrap::{First, NOT_YET, first_lock};

/// A port with nothing in it, of a type with a method and a function that uses a hidden one.
struct Begun {
    baseline: Snapshot,
    mapping: Mapping,
    lock: Lock,
}

impl Begun {
    fn new() -> Self {
        let items = [
            an_item("k::T", upstream::ItemKind::Struct),
            method("k::T::go", "inner"),
            private(function("k::inner", "")),
            function("k::f", "inner"),
            test_function("k::tests::t", "f"),
        ];
        let baseline = snapshot("1.0.0", items);
        let mapping = Mapping::new(toml::from_str(RULES).unwrap()).unwrap();
        let symbols = SymbolTable::default();
        let adoption = Adoption { source: "x", baseline: &baseline, mapping: &mapping, symbols: &symbols };
        let First { lock, .. } = first_lock(&adoption, true).unwrap();
        Self { baseline, mapping, lock }
    }

    fn plan(&self, portion: Option<&[&str]>) -> Plan {
        let portion: Option<BTreeSet<ItemPath>> =
            portion.map(|items| items.iter().map(|item| path(item)).collect());
        let input = PlanInput {
            target: &self.baseline,
            baseline: &self.baseline,
            lock: &self.lock,
            item_at: &|_, item| self.baseline.items.get(item).cloned(),
            mapping: &self.mapping,
            symbols: &SymbolTable::default(),
            uses: &PortUses::default(),
            holds: &Holds::default(),
        };
        plan_portion(&input, portion.as_ref()).unwrap()
    }

    fn settled(&self, plan: &Plan, after: &SymbolTable, outcome: &UnitOutcome) -> Lock {
        settle(&Settlement {
            lock: &self.lock,
            plan,
            target: &self.baseline,
            mapping: &self.mapping,
            before: &SymbolTable::default(),
            after,
            outcomes: &plan.units.iter().map(|unit| (unit.id.clone(), outcome.clone())).collect(),
            passed_by: &[],
            holds: &Holds::default(),
            resting: &BTreeMap::new(),
        })
        .unwrap()
    }
}

#[test]
fn everything_that_waits_is_planned_callees_first_and_what_is_hidden_as_well() {
    assert_eq!(
        lines(&Begun::new().plan(None)),
        [
            "0 Add [k::inner -> p.inner]",
            "1 Add [k::T -> p.T, k::T::go -> p.T.go]",
            "1 Add [k::f -> p.f]",
            "2 Test [k::tests::t -> p.test_t]",
        ]
    );
}

#[test]
fn a_portion_is_planned_alone_and_the_rest_waits_on_as_it_did() {
    let begun = Begun::new();
    let plan = begun.plan(Some(&["k::T", "k::inner"]));
    assert_eq!(lines(&plan), ["0 Add [k::T -> p.T]", "0 Add [k::inner -> p.inner]"]);
    let later: Vec<_> = plan.later.iter().map(|later| later.item.as_str()).collect();
    assert_eq!(later, ["k::T::go", "k::f", "k::tests::t"]);

    let symbols = table(&[("p.T", "class T"), ("p.inner", "def inner")]);
    let landed = begun.settled(&plan, &symbols, &UnitOutcome::Landed { proofs: BTreeMap::new() });
    assert_eq!(landed.links.keys().collect::<Vec<_>>(), [&path("k::T"), &path("k::inner")]);
    assert!(landed.parked.values().all(|parked| parked.reason == NOT_YET));
    assert_eq!(landed.parked.len(), 3);
    assert_eq!(landed.revisions, begun.lock.revisions, "it is the same revision, begun once");

    let parked = begun.settled(&plan, &symbols, &UnitOutcome::Parked { reason: "too hard".to_owned() });
    let reason = |item: &str| parked.parked[&path(item)].reason.as_str();
    assert_eq!((reason("k::T"), reason("k::f")), ("too hard", NOT_YET));
}
