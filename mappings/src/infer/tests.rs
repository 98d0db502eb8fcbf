//! Inference on small ports written for these tests.

use super::*;
use crate::symbol::{Symbol, SymbolKind};
use crate::testing::{an_item, function, path, snapshot, symbol_path, table};

/// An outline of functions and methods by path and text; what begins with a capital is a class.
fn outline(symbols: &[(&str, &str)]) -> PortOutline {
    let mut outline = PortOutline { symbols: table(symbols), ..PortOutline::default() };
    let classes: Vec<SymbolPath> = outline
        .symbols
        .symbols
        .keys()
        .filter_map(SymbolPath::parent)
        .filter(|parent| parent.name().starts_with(char::is_uppercase))
        .collect();
    for class in classes {
        let file = format!("{}.py", class.parent().unwrap().as_str().replace('.', "/"));
        for symbol in outline.symbols.symbols.values_mut() {
            if symbol.path.parent().as_ref() == Some(&class) {
                symbol.kind = SymbolKind::Method;
                symbol.file.clone_from(&file);
            }
        }
        let like = table(&[(class.as_str(), "")]).symbols[&class].clone();
        outline.symbols.symbols.insert(class, Symbol { kind: SymbolKind::Class, file, ..like });
    }
    for symbol in outline.symbols.symbols.values() {
        outline.files.insert(symbol.file.clone(), FileFacts::default());
        outline.facts.insert(symbol.path.clone(), SymbolFacts::default());
    }
    outline
}

fn inferred(items: impl IntoIterator<Item = upstream::Item>, outline: &PortOutline) -> Proposal {
    let accepted = BTreeMap::new();
    let snapshot = snapshot("1", items);
    infer(&InferInput { snapshot: &snapshot, outline, accepted: &accepted, records: Records::Used })
}

fn symbol_of(proposal: &Proposal, item: &str) -> Option<String> {
    let link = proposal.links.iter().find(|link| link.item == path(item))?;
    Some(link.symbol.to_string())
}

fn method(at: &str) -> upstream::Item {
    an_item(at, upstream::ItemKind::Method)
}

#[test]
fn special_methods_and_getters_find_their_names() {
    let outline = outline(&[
        ("p.a.Best.__init__", ""),
        ("p.a.Best.__lt__", ""),
        ("p.a.Best.best", ""),
        ("p.a.Best.percent_chaos", ""),
    ]);
    let items = [
        "k::a::Best::new",
        "k::a::<Best as PartialOrd>::partial_cmp",
        "k::a::Best::get_best",
        "k::a::Best::chaos_percents",
    ];
    let proposal = inferred(items.map(method), &outline);
    let found: Vec<_> = items.iter().map(|item| symbol_of(&proposal, item).unwrap_or_default()).collect();
    assert_eq!(found, ["p.a.Best.__init__", "p.a.Best.__lt__", "p.a.Best.best", "p.a.Best.percent_chaos"]);
}

#[test]
fn of_namesakes_the_one_in_the_right_file_is_meant() {
    let outline =
        outline(&[("p.left.run", ""), ("p.right.run", ""), ("p.left.other", ""), ("p.right.more", "")]);
    let items = ["k::left::run", "k::right::run", "k::left::other", "k::right::more"].map(|at| {
        let mut item = function(at, "");
        item.file = format!("src/{}.rs", at.split("::").nth(1).unwrap());
        item
    });
    let proposal = inferred(items, &outline);
    assert_eq!(symbol_of(&proposal, "k::left::run").as_deref(), Some("p.left.run"));
    assert_eq!(symbol_of(&proposal, "k::right::run").as_deref(), Some("p.right.run"));
    let origins: Vec<(&str, &str)> =
        proposal.modules.iter().map(|link| (link.port.as_str(), link.upstream.as_str())).collect();
    assert_eq!(origins, [("p/left.py", "src/left.rs"), ("p/right.py", "src/right.rs")]);
}

#[test]
fn a_module_of_functions_may_be_a_class() {
    let symbols =
        ["p.all.Date", "p.all.Date.add", "p.all.Time", "p.all.Time.add", "p.all.Zone", "p.all.Zone.add"];
    let outline = outline(&symbols.map(|at| (at, "")));
    let items = ["k::date::add", "k::time::add", "k::zone::add"].map(|at| function(at, ""));
    let proposal = inferred(items, &outline);
    for (item, symbol) in [
        ("k::date::add", "p.all.Date.add"),
        ("k::time::add", "p.all.Time.add"),
        ("k::zone::add", "p.all.Zone.add"),
    ] {
        assert_eq!(symbol_of(&proposal, item).as_deref(), Some(symbol));
    }
}

#[test]
fn a_crate_as_a_whole_is_the_file_of_the_package() {
    let mut outline = outline(&[("p.amend.append", ""), ("p.rule.check", "")]);
    outline.files.insert("p/__init__.py".to_owned(), FileFacts::default());
    let stands_in = |file: &str, item: upstream::Item| upstream::Item { file: file.to_owned(), ..item };
    let module = |at: &str, file: &str| stands_in(file, an_item(at, upstream::ItemKind::Module));
    let mut items = vec![module("p", "p/src/lib.rs")];
    for (name, own) in [("amend", "append"), ("rule", "check")] {
        let file = format!("p/src/{name}.rs");
        items.push(module(&format!("p::{name}"), &file));
        items.push(stands_in(&file, function(&format!("p::{name}::{own}"), "")));
    }
    let proposal = inferred(items, &outline);
    let origins: BTreeMap<&str, &str> =
        proposal.modules.iter().map(|link| (link.port.as_str(), link.upstream.as_str())).collect();
    assert_eq!(origins.get("p/__init__.py"), Some(&"p/src/lib.rs"));
    assert_eq!(origins.get("p/amend.py"), Some(&"p/src/amend.rs"));
}

#[test]
fn what_was_accepted_is_never_changed() {
    let outline = outline(&[("p.a.run", ""), ("p.a.odd", "")]);
    let snapshot = snapshot("1", [function("k::a::run", ""), function("k::a::odd", "")]);
    let accepted = BTreeMap::from([(path("k::a::run"), symbol_path("p.a.odd"))]);
    let proposal = infer(&InferInput {
        snapshot: &snapshot,
        outline: &outline,
        accepted: &accepted,
        records: Records::Used,
    });
    let link = proposal.links.iter().find(|link| link.item == path("k::a::run")).unwrap();
    assert_eq!((link.role, link.symbol.clone()), (Role::Accepted, symbol_path("p.a.odd")));
    let other = proposal.links.iter().find(|link| link.item == path("k::a::odd"));
    assert!(other.is_none_or(|link| link.role == Role::MergedInto || link.symbol == symbol_path("p.a.run")));
}

#[test]
fn a_header_that_names_its_source_counts_unless_it_is_masked() {
    let mut outline = outline(&[("p.strange.thing", "")]);
    outline.files.get_mut("p/strange.py").unwrap().header = "Port of `src/unlike.rs`.".to_owned();
    let mut item = function("k::unlike::something", "");
    "src/unlike.rs".clone_into(&mut item.file);
    let snapshot = snapshot("1", [item]);
    let accepted = BTreeMap::new();
    let origin = |records| {
        let input = InferInput { snapshot: &snapshot, outline: &outline, accepted: &accepted, records };
        infer(&input).modules.first().map(|link| link.confidence)
    };
    assert!(origin(Records::Used).unwrap() > 0.5);
    assert!(origin(Records::Masked).is_none_or(|confidence| confidence < 0.5));
}

#[test]
fn linked_callers_help_to_tell_twins_apart() {
    let outline =
        outline(&[("p.a.alpha", "first"), ("p.a.first", ""), ("p.a.beta", "second"), ("p.a.second", "")]);
    let items = [
        function("k::a::alpha", "uno"),
        function("k::a::uno", ""),
        function("k::a::beta", "due"),
        function("k::a::due", ""),
    ];
    let calls = |proposal: &Proposal, item: &str| {
        let link = proposal.links.iter().find(|link| link.item == path(item)).unwrap();
        link.evidence.iter().any(|evidence| evidence.what == "calls")
    };
    let renamed = inferred(items, &outline);
    assert_eq!(symbol_of(&renamed, "k::a::alpha").as_deref(), Some("p.a.alpha"));
    assert!(!calls(&renamed, "k::a::alpha"));
    let same = [function("k::a::alpha", "first"), function("k::a::first", "")];
    assert!(calls(&inferred(same, &outline), "k::a::alpha"));
}

#[test]
fn nothing_is_proposed_for_what_shares_nothing() {
    let outline = outline(&[("p.a.zebra", "")]);
    let proposal = inferred([function("k::b::quagga", "")], &outline);
    assert_eq!(proposal.links, []);
    assert_eq!((proposal.items_without, proposal.symbols_without), (1, 1));
}

#[test]
fn empty_sides_give_an_empty_proposal() {
    let proposal = inferred([], &PortOutline::default());
    assert!(proposal.links.is_empty() && proposal.modules.is_empty());
}
