//! What the upstream hides: skipped where the port has no symbol for it, and followed through its users.

use super::*;
use crate::SymbolKind;
use crate::lock::Link;
use crate::testing::revision;

/// `k::f` is linked and calls `k::a`, which calls `k::b`; the port has a symbol for the first one only.
fn upstream(name: &str, f: &str, b: &str) -> Snapshot {
    snapshot(
        name,
        [
            function("k::outer", "f"),
            function("k::f", f),
            private(function("k::a", "b")),
            private(function("k::b", b)),
            test_function("k::a_test", "f b"),
        ],
    )
}

fn port() -> Port {
    let symbols = table(&[("p.outer", "o"), ("p.f", "f"), ("p.test_a_test", "t")]);
    let port = Port::new(upstream("1", "a", "1"), symbols);
    assert_eq!(port.lock.links.len(), 3);
    port
}

const HIDDEN: &str = "it is not exported and the port has no symbol for it; what uses it is compared instead";
const CARRIER: &str = "0 Change [k::f -> p.f]";

#[test]
fn a_private_item_without_a_symbol_is_skipped_whether_new_or_changed() {
    let old = snapshot("1", [private(function("k::old", "1"))]);
    let port = Port::new(old, symbols());
    let new = snapshot("2", [private(function("k::old", "2")), private(function("k::new", "1"))]);
    let expected = ["k::new", "k::old"].map(|item| format!("NoCounterpart {item}: {HIDDEN}"));
    assert_eq!(lines(&port.plan(&new)), expected);
}

#[test]
fn a_private_item_whose_symbol_is_there_is_followed() {
    let port = Port::new(snapshot("1", []), table(&[("p._new", "def _new")]));
    let plan = port.plan(&snapshot("2", [private(function("k::new", "1"))]));
    assert_eq!(lines(&plan), ["0 Change [k::new -> p._new]"]);
}

#[test]
fn a_private_item_that_a_link_names_is_written() {
    let rules = format!("{RULES}[[link]]\nitem = 'k::new'\nsymbol = 'p.inner'\nfile = 'p.py'\n");
    let port = Port::with_rules(&rules, snapshot("1", []), symbols());
    let new = [private(function("k::new", "1")), private(function("k::new#2", "2"))];
    let expected = "0 Add [k::new -> p.inner, k::new#2 -> p.inner]";
    assert_eq!(lines(&port.plan(&snapshot("2", new))), [expected]);
}

#[test]
fn a_helper_of_tests_without_a_symbol_is_skipped_and_a_test_is_not() {
    let port = Port::new(snapshot("1", []), symbols());
    let test = |name: &str, attribute: &str| with_attributes(test_helper(name, "1"), &[attribute]);
    let new = [
        test_helper("k::helper", "1"),
        test("k::ignored_one", "#[allow(test)]"),
        test("k::plain", "#[test]"),
        test("k::slow", "#[tokio::test(flavor = \"multi_thread\")]"),
        test("k::speed", "#[bench]"),
        test("k::web", "#[wasm_bindgen_test]"),
    ];
    let reason = "it helps upstream tests and is none itself, and the port has no symbol for it";
    assert_eq!(
        lines(&port.plan(&snapshot("2", new.clone()))),
        [
            "0 Test [k::plain -> p.test_plain]".to_owned(),
            "0 Test [k::slow -> p.test_slow]".to_owned(),
            "0 Test [k::speed -> p.speed]".to_owned(),
            "0 Test [k::web -> p.test_web]".to_owned(),
            format!("NoCounterpart k::helper: {reason}"),
            format!("NoCounterpart k::ignored_one: {reason}"),
        ]
    );
    let rules = format!("{RULES}[[link]]\nitem = 'k::helper'\nsymbol = 'p.helper'\nfile = 'p.py'\n");
    let port = Port::with_rules(&rules, snapshot("1", []), symbols());
    let plan = port.plan(&snapshot("2", new.into_iter().take(1)));
    assert_eq!(lines(&plan), ["0 Test [k::helper -> p.helper]"]);
}

#[test]
fn a_hidden_change_is_followed_by_its_nearest_linked_user_alone() {
    let plan = port().plan(&upstream("2", "a", "2"));
    assert_eq!(lines(&plan), [CARRIER.to_owned(), format!("NoCounterpart k::b: {HIDDEN}")]);
    let unit = &plan.units[0];
    assert_eq!(unit.reason, "it uses `k::b`, which changed and has no symbol of its own");
    let impacted: Vec<_> = unit.impacted.iter().map(|one| (&one.item, &one.through)).collect();
    assert_eq!(impacted, [(&path("k::outer"), &path("k::f"))]);
    let member = &unit.members[0];
    assert_eq!(member.change.summary(), "");
    assert_eq!(member.change.before(), member.change.after());
    assert!(!member.edited_by_hand);
}

#[test]
fn a_carrier_that_was_edited_by_hand_is_marked() {
    let mut port = port();
    port.symbols = table(&[("p.outer", "o"), ("p.f", "mine")]);
    assert!(port.plan(&upstream("2", "a", "2")).units[0].members[0].edited_by_hand);
}

#[test]
fn what_two_hidden_changes_reach_is_planned_once() {
    let port = port();
    let mut target = upstream("2", "a b", "2");
    target.items.insert(path("k::a"), private(function("k::a", "b and more")));
    let plan = port.plan(&target);
    assert_eq!(plan.units.len(), 1);
    assert_eq!(plan.units[0].reason, "the item changed: body");
    target.items.insert(path("k::f"), function("k::f", "a"));
    let plan = port.plan(&target);
    assert_eq!(plan.units.len(), 1);
    assert_eq!(plan.units[0].reason, "it uses `k::a`, which changed and has no symbol of its own");
}

#[test]
fn a_carrier_whose_documentation_changed_is_in_its_unit_and_not_skipped() {
    let mut target = upstream("2", "a", "2");
    target.items.insert(path("k::f"), with_docs(function("k::f", "a"), "words"));
    let plan = port().plan(&target);
    assert_eq!(lines(&plan), [CARRIER.to_owned(), format!("NoCounterpart k::b: {HIDDEN}")]);
    assert_eq!(plan.units[0].members[0].change.summary(), "docs");
}

#[test]
fn a_carrier_that_moved_while_its_symbol_stays_is_found_by_its_old_link() {
    let rules = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{name}'\nfile = 'p.py'\n";
    let items = |at: &str, b: &str| [function(at, "b"), private(function("k::b", b))];
    let symbols = table(&[("p.f", "f")]);
    let mut port = Port::with_rules(rules, snapshot("1", items("k::f", "1")), symbols);
    let expected = ["0 Change [k::m::f -> p.f]".to_owned(), format!("NoCounterpart k::b: {HIDDEN}")];
    let target = snapshot("2", items("k::m::f", "2"));
    assert_eq!(lines(&port.plan(&target)), expected);
    // It waits under each of its paths.
    port.park_all(target);
    let again = port.plan(&snapshot("3", items("k::m::f", "2")));
    assert_eq!(lines(&again), ["0 Change [k::m::f -> p.f]"]);
    let moved_again = port.plan(&snapshot("3", items("k::n::f", "2")));
    assert_eq!(lines(&moved_again)[0], "0 Change [k::n::f -> p.f]");
}

#[test]
fn a_hidden_change_without_behaviour_has_no_carrier() {
    let mut target = upstream("2", "a", "1");
    let attributed = with_attributes(private(function("k::b", "1")), &["#[inline]"]);
    target.items.insert(path("k::b"), attributed);
    assert_eq!(lines(&port().plan(&target)), [format!("NoCounterpart k::b: {HIDDEN}")]);
}

#[test]
fn an_unmapped_change_has_a_carrier_and_an_ignored_one_has_none() {
    let items = |body: &str| [function("k::f", "lone"), function("k::lone", body)];
    let mut port = Port::new(snapshot("1", items("1")), table(&[("p.f", "f")]));
    assert_eq!(lines(&port.plan(&snapshot("2", items("2"))))[0], CARRIER);
    let rules = format!("{RULES}[[map]]\nitems = 'k::lone'\nstrategy = 'ignore'\nreason = 'x'\n");
    port.mapping = Mapping::new(toml::from_str(&rules).unwrap()).unwrap();
    assert_eq!(lines(&port.plan(&snapshot("2", items("2")))), ["Ignored k::lone: x"]);
}

#[test]
fn a_user_that_is_left_to_a_person_is_reported_and_not_planned() {
    let mut port = port();
    let rules = format!("{RULES}[[map]]\nitems = 'k::f'\nstrategy = 'manual'\nreason = 'delicate'\n");
    port.mapping = Mapping::new(toml::from_str(&rules).unwrap()).unwrap();
    let plan = port.plan(&upstream("2", "a", "2"));
    let expected = "Manual k::f: it uses `k::b`, which changed and has no symbol of its own; delicate";
    assert_eq!(lines(&plan), [format!("NoCounterpart k::b: {HIDDEN}"), expected.to_owned()]);
    assert_eq!(plan.skipped[1].change, "unchanged itself");
}

#[test]
fn a_carrier_whose_symbol_is_gone_is_written_again() {
    let mut port = port();
    port.symbols.symbols.remove(&symbol_path("p.f"));
    let plan = port.plan(&upstream("2", "a", "2"));
    assert_eq!(lines(&plan)[0], "0 Add [k::f -> p.f]");
    assert!(plan.units[0].reason.starts_with("`p.f` is gone from the port, and it uses `k::b`"));
    port.symbols.unparsed.insert("p/.py".to_owned(), "x".to_owned());
    port.symbols.unparsed.insert("p/__init__.py".to_owned(), "x".to_owned());
    let refused = port.try_plan(&upstream("2", "a", "2"));
    assert!(matches!(refused, Err(PlanError::PortFileUnparsed { .. })), "{refused:?}");
}

#[test]
fn a_parked_carrier_is_tried_again_until_its_cause_is_taken_back() {
    let mut port = port();
    port.park_all(upstream("2", "a", "2"));
    assert_eq!(port.lock.parked.keys().collect::<Vec<_>>(), [&path("k::f")]);
    let plan = port.plan(&upstream("3", "a", "2"));
    assert_eq!(lines(&plan), [CARRIER]);
    assert_eq!(plan.units[0].reason, "it uses `k::b`, which changed and has no symbol of its own");
    port.park_all(upstream("3", "a", "2"));
    assert_eq!(port.lock.parked[&path("k::f")].revision, label("2"));
    assert_eq!(lines(&port.plan(&upstream("4", "a", "2"))), [CARRIER]);
    let reverted = upstream("4", "a", "1");
    assert_eq!(port.plan(&reverted).units, [], "the port equals this state still");
    port.land_all(reverted);
    assert_eq!(port.lock.parked, BTreeMap::new());
    assert_eq!(lines(&port.plan(&upstream("5", "a", "1"))), Vec::<String>::new());
}

#[test]
fn a_carrier_waits_on_when_only_its_own_change_is_taken_back() {
    let mut port = port();
    port.park_all(upstream("2", "a, and more", "2"));
    let plan = port.plan(&upstream("3", "a", "2"));
    assert_eq!(lines(&plan), [CARRIER]);
    assert_eq!(plan.units[0].members[0].change.summary(), "");
    assert_eq!(plan.skipped, []);
}

#[test]
fn a_landed_carrier_keeps_its_fingerprint_and_moves_its_revision_and_proof() {
    let mut port = port();
    let old = port.lock.links[&path("k::f")].clone();
    port.land_all(upstream("2", "a", "2"));
    let link = &port.lock.links[&path("k::f")];
    let expected = Link { revision: revision("2").label, proof: Proof::Proved, ..old };
    assert_eq!(*link, expected);
    assert_eq!(lines(&port.plan(&upstream("3", "a", "2"))), Vec::<String>::new());
}

/// What tests share is written out in the port's tests: these change with it, and nothing else does.
#[test]
fn a_change_of_what_helps_tests_is_followed_by_the_tests_that_use_it() {
    let upstream = |name: &str, f: &str, rows: &str| {
        let tests = [
            test_helper("k::rows", rows),
            test_helper("k::check", "rows"),
            test_function("k::a", "check f"),
            test_function("k::b", "f"),
        ];
        snapshot(name, tests.into_iter().chain([function("k::f", f)]))
    };
    let symbols = table(&[("p.f", "f"), ("p.test_a", "a"), ("p.test_b", "b")]);
    let mut port = Port::new(upstream("1", "1", "1"), symbols);
    assert_eq!(port.lock.links.len(), 3);
    let skipped = "NoCounterpart k::rows: it helps upstream tests and is none itself, and the port has no symbol for it";
    let plan = port.plan(&upstream("2", "1", "2"));
    assert_eq!(lines(&plan), ["0 Test [k::a -> p.test_a]", skipped]);
    assert_eq!(plan.units[0].reason, "it uses `k::rows`, which changed and has no symbol of its own");
    // Code that changes is followed by its tests no more than before.
    assert_eq!(lines(&port.plan(&upstream("2", "2", "1"))), ["0 Change [k::f -> p.f]"]);
    // What is parked is planned again, until the rows are what they were.
    port.park_all(upstream("2", "1", "2"));
    assert_eq!(lines(&port.plan(&upstream("3", "1", "2"))), ["0 Test [k::a -> p.test_a]"]);
    assert!(port.plan(&upstream("3", "1", "1")).units.is_empty());
}

#[test]
fn a_parked_carrier_keeps_its_link() {
    let mut port = port();
    let links = port.lock.links.clone();
    port.park_all(upstream("2", "a", "2"));
    assert_eq!(port.lock.links, links);
}

#[test]
fn a_new_test_goes_into_the_class_that_holds_the_tests() {
    let plan = |port: SymbolTable| {
        let port = Port::with_rules("[convention]\npackage = 'k'\n", snapshot("1", []), port);
        lines(&port.plan(&snapshot("2", [test_function("k::tests::adds", "1")])))
    };
    let file = "tests/test_k.py";
    let held_by = |classes: &[&str]| {
        let mut port = table(&[]);
        for class in classes {
            let test = format!("{class}.test_old");
            let symbols = table(&[(class, "class"), (&test, "old")]).symbols;
            port.symbols.extend(symbols.into_iter().map(|(path, mut symbol)| {
                symbol.file = file.to_owned();
                symbol.kind = if path.as_str() == *class { SymbolKind::Class } else { SymbolKind::Method };
                (path, symbol)
            }));
        }
        port
    };
    let module = plan(table(&[]));
    assert_eq!(
        plan(held_by(&["tests.test_k.KTest"])),
        ["0 Test [k::tests::adds -> tests.test_k.KTest.test_adds]"]
    );
    assert_eq!(plan(held_by(&["tests.test_k.KTest", "tests.test_k.MoreTest"])), module);
    assert_eq!(module, ["0 Test [k::tests::adds -> tests.test_k.test_adds]"]);
}

#[test]
fn what_waits_for_the_sake_of_a_change_that_is_taken_back_waits_no_longer() {
    let mut port = port();
    port.park_all(upstream("2", "a", "2"));
    assert_eq!(port.lock.parked.keys().collect::<Vec<_>>(), [&path("k::f")]);
    let back = port.plan(&upstream("3", "a", "1"));
    assert_eq!(back.units, [], "nothing differs from what the port equals");
    port.park_all(upstream("3", "a", "1"));
    assert_eq!(port.lock.parked, BTreeMap::new());
    // What landed in between follows it back.
    let mut port = self::port();
    port.land_all(upstream("2", "a", "2"));
    assert_eq!(lines(&port.plan(&upstream("3", "a", "1")))[0], CARRIER);
}
