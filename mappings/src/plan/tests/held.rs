//! What people decided to leave alone, and what no rule has a place for: passed over, kept, and planned again.

use super::*;
use crate::decision::{DecisionRule, Decisions, day};
use crate::lock::Disposition;

/// A port of `k::f` and `k::g` at revision 1.
fn port() -> Port {
    Port::new(
        snapshot("1", [function("k::f", "1"), function("k::g", "1")]),
        table(&[("p.f", "f"), ("p.g", "g")]),
    )
}

fn at(name: &str, bodies: &[(&str, &str)]) -> Snapshot {
    snapshot(name, bodies.iter().map(|(at, body)| function(at, body)))
}

impl Port {
    /// Sets what was decided, as `WORD KEY VALUE`.
    pub(super) fn decide(&mut self, decided: &[(&str, &str, &str)]) {
        let rules: Vec<DecisionRule> = decided
            .iter()
            .map(|(word, key, value)| {
                let text = format!(
                    "disposition = '{word}'\n{key} = '{value}'\nreason = 'why'\nowner = 'Ann'\nuntil = '2027-03-01'\n"
                );
                toml::from_str(&text).unwrap()
            })
            .collect();
        let decisions = Decisions::new(&rules).unwrap();
        let revisions = ["1", "2", "3", "4"].map(crate::testing::revision);
        self.holds = decisions.on(day("2027-01-01").unwrap(), &revisions).unwrap();
    }

    fn held(&self) -> Vec<(&str, &str, Disposition)> {
        let held = self.lock.held.values();
        held.map(|held| (held.item.as_str(), held.revision.as_str(), held.disposition)).collect()
    }
}

#[test]
fn a_declined_item_is_passed_over_and_planned_again_when_that_ends() {
    let mut port = port();
    port.decide(&[("declined", "items", "k::f")]);
    port.land_all(at("2", &[("k::f", "2"), ("k::g", "2")]));
    assert_eq!(port.held(), [("k::f", "2", Disposition::Declined)]);
    assert_eq!(port.lock.links[&path("k::f")].revision, label("1"), "the link shows what the port equals");
    assert_eq!(port.lock.links[&path("k::g")].revision, label("2"));
    assert_eq!(Lock::parse(&port.lock.render()).as_ref(), Ok(&port.lock));

    // Nothing is new about it, and so nothing is said of it.
    let third = at("3", &[("k::f", "2"), ("k::g", "3")]);
    let carried: Vec<bool> = port.plan(&third).skipped.iter().map(|skip| skip.carried).collect();
    assert_eq!(carried, [true]);
    port.land_all(third);
    assert_eq!(port.held(), [("k::f", "2", Disposition::Declined)], "since it was first passed over");

    port.decide(&[]);
    let fourth = at("4", &[("k::f", "2"), ("k::g", "3")]);
    assert_eq!(lines(&port.plan(&fourth)), ["0 Change [k::f -> p.f]"]);
    port.land_all(fourth);
    assert_eq!(port.held(), []);
    assert_eq!(port.lock.links[&path("k::f")].revision, label("4"));
}

#[test]
fn a_new_item_that_is_put_off_comes_when_its_day_has_come() {
    let mut port = port();
    port.decide(&[("deferred", "items", "k::new*")]);
    let same = [("k::f", "1"), ("k::g", "1"), ("k::new", "1")];
    port.land_all(at("2", &same));
    assert_eq!(port.held(), [("k::new", "2", Disposition::Deferred)]);
    assert_eq!(port.lock.held[&path("k::new")].symbol, Some(symbol_path("p.new")));
    assert_eq!(lines(&port.plan(&at("3", &same))).len(), 1);
    port.decide(&[]);
    assert_eq!(lines(&port.plan(&at("3", &same))), ["0 Add [k::new -> p.new]"]);
}

#[test]
fn a_declined_removal_keeps_symbol_and_link() {
    let mut port = port();
    port.decide(&[("declined", "items", "k::f")]);
    port.land_all(at("2", &[("k::g", "1")]));
    assert_eq!(port.held(), [("k::f", "2", Disposition::Declined)]);
    assert!(port.lock.links.contains_key(&path("k::f")));
    port.land_all(at("3", &[("k::g", "1")]));
    assert_eq!(port.held(), [("k::f", "2", Disposition::Declined)]);
    port.decide(&[]);
    assert_eq!(lines(&port.plan(&at("4", &[("k::g", "1")]))), ["0 Remove [k::f -> p.f]"]);
}

#[test]
fn a_declined_move_is_held_as_one() {
    for pattern in ["k::f", "k::elsewhere::f", "k::**"] {
        let mut port = port();
        port.decide(&[("declined", "items", pattern)]);
        let moved = [("k::elsewhere::f", "1"), ("k::g", "1")];
        port.land_all(at("2", &moved));
        assert_eq!(port.held(), [("k::elsewhere::f", "2", Disposition::Declined)], "{pattern}");
        port.land_all(at("3", &moved));
        assert_eq!(port.held(), [("k::elsewhere::f", "2", Disposition::Declined)], "{pattern}");
        assert!(port.lock.links.contains_key(&path("k::f")), "{pattern}");
        port.decide(&[]);
        let plan = port.plan(&at("4", &moved));
        assert_eq!(plan.units.len(), 1, "{pattern}: {:?}", lines(&plan));
        assert_eq!(plan.units[0].kind, UnitKind::Relocate);
    }
}

#[test]
fn a_declined_revision_is_recorded_as_such_and_a_later_change_comes_in() {
    let mut port = port();
    port.decide(&[("declined", "revision", "2")]);
    // Decisions about a revision look at the states around it.
    port.history.insert(label("2"), at("2", &[("k::f", "2"), ("k::g", "2")]));
    port.land_all(at("2", &[("k::f", "2"), ("k::g", "2")]));
    let last = port.lock.revisions.last().unwrap();
    assert_eq!(
        (last.disposition, last.reason.as_str()),
        (Disposition::Declined, "why (Ann, until 2027-03-01)")
    );
    assert_eq!(port.held().len(), 2);
    let third = at("3", &[("k::f", "2"), ("k::g", "3")]);
    assert_eq!(lines(&port.plan(&third))[0], "0 Change [k::g -> p.g]");
    port.land_all(third);
    assert_eq!(port.held(), [("k::f", "2", Disposition::Declined)]);
    assert_eq!(port.lock.revisions.last().unwrap().disposition, Disposition::Absorbed);
}

#[test]
fn a_parked_item_that_is_declined_waits_no_longer() {
    let mut port = port();
    port.park_all(at("2", &[("k::f", "2"), ("k::g", "1")]));
    assert!(port.lock.parked.contains_key(&path("k::f")));
    port.decide(&[("declined", "items", "k::f")]);
    port.land_all(at("3", &[("k::f", "2"), ("k::g", "1")]));
    assert_eq!(port.lock.parked, BTreeMap::new());
    assert_eq!(port.held(), [("k::f", "2", Disposition::Declined)]);
}

#[test]
fn what_no_rule_has_a_place_for_is_kept_until_one_has() {
    let mut port = port();
    let both = [("k::f", "1"), ("k::g", "1"), ("other::x", "1")];
    port.land_all(at("2", &both));
    assert_eq!(port.held(), [("other::x", "2", Disposition::NotPorted)]);
    port.land_all(at("3", &both));
    assert_eq!(port.held(), [("other::x", "2", Disposition::NotPorted)]);
    let rules = format!("{RULES}[[map]]\nitems = 'other::**'\nsymbol = 'q.{{name}}'\nfile = 'q.py'\n");
    port.mapping = Mapping::new(toml::from_str(&rules).unwrap()).unwrap();
    assert_eq!(lines(&port.plan(&at("4", &both))), ["0 Add [other::x -> q.x]"]);
    // What went upstream in the meantime is nobody's business.
    port.land_all(at("4", &[("k::f", "1"), ("k::g", "1")]));
    assert_eq!(port.held(), []);
}

#[test]
fn a_hidden_item_that_is_declined_is_not_followed_through_its_users() {
    let old = [function("k::f", "hidden"), private(function("k::hidden", "1"))];
    let mut port = Port::new(snapshot("1", old.clone()), table(&[("p.f", "f")])).standalone("p.f");
    let mut new = old;
    new[1] = private(function("k::hidden", "2"));
    let second = snapshot("2", new.clone());
    assert_eq!(port.plan(&second).units.len(), 1, "its user carries it");
    port.decide(&[("declined", "items", "k::hidden")]);
    assert_eq!(port.plan(&second).units.len(), 0);
    port.land_all(second);
    assert_eq!(port.held(), [("k::hidden", "2", Disposition::Declined)]);
    port.decide(&[]);
    let plan = port.plan(&snapshot("3", new));
    assert_eq!(plan.units.len(), 1, "{:?}", lines(&plan));
}
