//! Items that were split into several symbols, and rules that end on a day.

use super::*;
use crate::lock::Disposition;

fn split_port() -> Port {
    let rules = "[[link]]\nitem = 'k::f'\nsymbol = 'p.f'\nfile = 'p.py'\n\
                 split = [{ symbol = 'p.g', file = 'p.py' }, { symbol = 'q.h', file = 'q.py' }]\n";
    let symbols = table(&[("p.f", "f"), ("p.g", "g"), ("q.h", "h")]);
    Port::with_rules(rules, snapshot("1", [function("k::f", "1")]), symbols)
}

#[test]
fn a_change_of_an_item_that_was_split_is_one_of_all_its_symbols() {
    let mut port = split_port();
    let parts: Vec<&str> =
        port.lock.links[&path("k::f")].parts.iter().map(|part| part.symbol.as_str()).collect();
    assert_eq!(parts, ["p.g", "q.h"]);
    let changed = snapshot("2", [function("k::f", "2")]);
    assert_eq!(lines(&port.plan(&changed)), ["0 Change [k::f -> p.f, k::f -> p.g, k::f -> q.h]"]);
    let edited = |port: &Port| -> Vec<bool> {
        port.plan(&changed).units[0].members.iter().map(|member| member.edited_by_hand).collect()
    };
    assert_eq!(edited(&port), [false, false, false]);
    port.symbols.symbols.get_mut(&symbol_path("q.h")).unwrap().hash = upstream::ContentHash::of("mine");
    assert_eq!(edited(&port), [false, false, true], "what a person did to one of them is seen");
    port.symbols.symbols.remove(&symbol_path("q.h"));
    assert_eq!(edited(&port), [false, false, true], "one that is gone is written anew");
    let went = port.plan(&snapshot("2", []));
    assert_eq!(lines(&went), ["0 Remove [k::f -> p.f, k::f -> p.g]"]);
    port.symbols.unparsed.insert("q.py".to_owned(), "line 1: odd".to_owned());
    assert!(matches!(port.try_plan(&changed), Err(PlanError::PortFileUnparsed { .. })));
}

#[test]
fn a_split_item_waits_and_is_tried_again_as_a_whole() {
    let mut port = split_port();
    port.park_all(snapshot("2", [function("k::f", "2")]));
    assert_eq!(port.lock.parked[&path("k::f")].symbol, symbol_path("p.f"));
    assert_eq!(port.lock.links[&path("k::f")].parts.len(), 2);
    let plan = port.plan(&snapshot("3", [function("k::f", "2")]));
    assert_eq!(lines(&plan), ["0 Change [k::f -> p.f, k::f -> p.g, k::f -> q.h]"]);
}

#[test]
fn what_a_rule_ignores_until_a_day_is_kept_and_planned_on_that_day() {
    let rules = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{name}'\nfile = 'p.py'\n\
                 [[map]]\nitems = 'k::f'\nstrategy = 'ignore'\nreason = 'later'\nowner = 'Ann'\nuntil = '2027-03-01'\n";
    let on = |today: &str| {
        Mapping::new(toml::from_str(rules).unwrap()).unwrap().on(crate::decision::day(today).unwrap())
    };
    let mut port = Port::new(snapshot("1", [function("k::f", "1"), function("k::g", "g")]), symbols());
    port.mapping = on("2027-02-01");
    let changed = [function("k::f", "2"), function("k::g", "g")];
    let plan = port.plan(&snapshot("2", changed.clone()));
    assert_eq!(lines(&plan), ["Deferred k::f: later (Ann), until 2027-03-01"]);
    port.park_all(snapshot("2", changed.clone()));
    let held = &port.lock.held[&path("k::f")];
    assert_eq!((held.disposition, held.revision.as_str()), (Disposition::Deferred, "2"));
    let again = port.plan(&snapshot("3", changed.clone()));
    assert!(again.units.is_empty() && again.skipped.iter().all(|skip| skip.carried), "{:?}", lines(&again));
    port.park_all(snapshot("3", changed.clone()));
    assert_eq!(port.lock.held[&path("k::f")].revision.as_str(), "2");
    port.mapping = on("2027-03-01");
    let due = port.plan(&snapshot("4", changed));
    assert_eq!(lines(&due), ["0 Change [k::f -> p.f]"]);
    assert_eq!(due.units[0].members[0].change.before(), Some(&function("k::f", "1")));
}
