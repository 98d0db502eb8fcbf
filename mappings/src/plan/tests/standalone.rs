//! Symbols of the port that do without the symbols of what their items use.

use super::*;

/// `k::outer` calls `k::mid`, which calls `k::base`; the port has them all, and a helper of its own.
fn upstream(name: &str, base: &str) -> Snapshot {
    let items = [function("k::outer", "mid"), function("k::mid", "base"), function("k::base", base)];
    snapshot(name, items)
}

fn port(mid_text: &str) -> Port {
    let symbols = [("p.outer", "o"), ("p.mid", mid_text), ("p.base", "b"), ("p.helper", "base")];
    Port::new(upstream("1", "1"), table(&symbols))
}

fn impacted(plan: &Plan) -> Vec<(&str, &str)> {
    let all = plan.units.iter().flat_map(|unit| &unit.impacted);
    all.map(|one| (one.item.as_str(), one.through.as_str())).collect()
}

const BASE: &str = "0 Change [k::base -> p.base]";
const MID: &str = "1 Change [k::mid -> p.mid]";
const OUTER: &str = "2 Change [k::outer -> p.outer]";

#[test]
fn a_standalone_symbol_of_a_user_is_a_carrier_and_its_callers_that_use_it_are_impacted() {
    let plan = port("m").standalone("p.mid").plan(&upstream("2", "2"));
    assert_eq!(lines(&plan), [BASE, MID]);
    assert_eq!(plan.units[1].reason, "it uses `k::base`, which changed, and its symbol does not");
    assert_eq!(plan.units[1].after, [plan.units[0].id.clone()]);
    assert_eq!(impacted(&plan), [("k::outer", "k::mid")]);
}

#[test]
fn a_symbol_that_uses_the_changed_one_through_a_helper_of_the_port_is_impacted() {
    let plan = port("helper").standalone("p.mid").plan(&upstream("2", "2"));
    assert_eq!(lines(&plan), [BASE]);
    assert_eq!(impacted(&plan), [("k::mid", "k::base")]);
}

#[test]
fn a_carriers_caller_that_does_not_use_it_is_a_carrier_too() {
    let plan = port("m").standalone("p.mid").standalone("p.outer").plan(&upstream("2", "2"));
    assert_eq!(lines(&plan), [BASE, MID, OUTER]);
    assert_eq!(plan.units[2].reason, "it uses `k::mid`, which follows a change, and its symbol does not");
    // `k::mid` is merely impacted; its caller, which does without it, is not.
    let plan = port("m").standalone("p.outer").plan(&upstream("2", "2"));
    assert_eq!(lines(&plan), [BASE, "0 Change [k::outer -> p.outer]"]);
    assert_eq!(plan.units[1].reason, "it uses `k::base`, which changed, and its symbol does not");
}

#[test]
fn carriers_that_call_each_other_are_found_once() {
    let items =
        |base: &str| [function("k::even", "odd base"), function("k::odd", "even"), function("k::base", base)];
    let symbols = table(&[("p.even", "e"), ("p.odd", "o"), ("p.base", "b")]);
    let port = Port::new(snapshot("1", items("1")), symbols).standalone("p.even").standalone("p.odd");
    let plan = port.plan(&snapshot("2", items("2")));
    assert_eq!(lines(&plan), [BASE, "1 Change [k::even -> p.even, k::odd -> p.odd]"]);
}

#[test]
fn parked_carriers_are_planned_again_until_their_links_catch_up() {
    let mut port = port("m").standalone("p.mid").standalone("p.outer");
    // The change itself lands; those that carry it are parked.
    port.settle_all(upstream("2", "2"), |unit| match unit.id.as_str() {
        "k::base" => UnitOutcome::Absorbed { proofs: BTreeMap::new() },
        _ => UnitOutcome::Parked { reason: "too hard".to_owned() },
    });
    let waits = ["0 Change [k::mid -> p.mid]", "1 Change [k::outer -> p.outer]"];
    assert_eq!(lines(&port.plan(&upstream("3", "2"))), waits);
    // Of two that wait, the one that landed does not make the other forget.
    port.settle_all(upstream("3", "2"), |unit| match unit.id.as_str() {
        "k::mid" => UnitOutcome::Absorbed { proofs: BTreeMap::new() },
        _ => UnitOutcome::Parked { reason: "too hard".to_owned() },
    });
    assert_eq!(port.lock.parked.keys().collect::<Vec<_>>(), [&path("k::outer")]);
    assert_eq!(lines(&port.plan(&upstream("4", "2"))), ["0 Change [k::outer -> p.outer]"]);
    port.land_all(upstream("4", "2"));
    assert_eq!(port.lock.parked, BTreeMap::new());
    assert_eq!(lines(&port.plan(&upstream("5", "2"))), Vec::<String>::new());
}

#[test]
fn a_parked_carrier_waits_until_its_cause_is_taken_back() {
    let mut port = port("m").standalone("p.mid");
    port.park_all(upstream("2", "2"));
    assert_eq!(lines(&port.plan(&upstream("3", "2"))), [BASE, MID]);
    port.park_all(upstream("3", "1"));
    assert_eq!(port.lock.parked, BTreeMap::new());
    assert_eq!(lines(&port.plan(&upstream("4", "1"))), Vec::<String>::new());
}

#[test]
fn a_new_item_has_carriers_only_where_it_takes_the_place_of_another_of_its_name() {
    let symbols = || table(&[("p.f", "f"), ("p.a.get", "g")]);
    let user = || function("k::f", "get");
    let port = Port::new(snapshot("1", [user()]), symbols());
    let target = || snapshot("2", [user(), function("k::b::get", "new")]);
    assert_eq!(lines(&port.plan(&target())), ["0 Add [k::b::get -> p.b.get]"]);
    let port = Port::new(snapshot("1", [user(), function("k::a::get", "old")]), symbols());
    let plan = port.plan(&target());
    assert!(lines(&plan).contains(&"1 Change [k::f -> p.f]".to_owned()), "{:?}", lines(&plan));
}

#[test]
fn an_item_that_only_moves_to_another_file_has_no_carriers() {
    let items = |at: &str| [function("k::f", "get"), function(at, "its own body")];
    let port = Port::new(snapshot("1", items("k::a::get")), table(&[("p.f", "f"), ("p.a.get", "g")]));
    let plan = port.plan(&snapshot("2", items("k::b::get")));
    assert_eq!(lines(&plan), ["0 Relocate [k::a::get -> p.a.get, k::b::get -> p.b.get]"]);
}

#[test]
fn of_three_thousand_symbols_the_one_that_stands_alone_is_a_carrier() {
    // Half of them changed. Each of the others uses eight, and so, directly or not, all that stand before it.
    let name = |at: usize| format!("k::i{at}");
    let body = |at: usize| {
        let used = (1..=8).filter_map(|back| Some(format!("i{}", at.checked_sub(back)?)));
        used.collect::<Vec<_>>().join(" ")
    };
    let items = |changed: &str| {
        let one = |at| function(&name(at), &if at < 1_500 { format!("{changed}{at}") } else { body(at) });
        (0..3_000).map(one).collect::<Vec<_>>()
    };
    let names: Vec<String> = (0..3_000).map(|at| format!("p.i{at}")).collect();
    let symbols: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "text")).collect();
    let port = Port::new(snapshot("1", items("old")), table(&symbols)).standalone("p.i2999");
    let plan = port.plan(&snapshot("2", items("new")));
    assert_eq!(plan.units.len(), 1_501);
}
