//! What the mapping says about items, by configurations as a user writes them.

use upstream::snapshot::{Item, ItemKind};

use super::*;
use crate::decision::day;
use crate::symbol::{SymbolPath, SymbolTable};
use crate::testing::{an_item, function, symbol_path, table, test_function};

fn mapping(toml: &str) -> Mapping {
    Mapping::new(toml::from_str(toml).unwrap()).unwrap()
}

fn refusal(toml: &str) -> String {
    Mapping::new(toml::from_str(toml).unwrap()).unwrap_err().to_string()
}

/// `symbol @ file`, or the reason for leaving it alone.
fn place(mapping: &Mapping, item: &Item) -> String {
    match mapping.place(item) {
        Ok(Placement::Mapped { symbol, file, .. }) => format!("{symbol} @ {file}"),
        Ok(Placement::Skipped { why, reason, .. }) => format!("{why:?}: {reason}"),
        Err(error) => format!("error: {error}"),
    }
}

fn place_function(mapping: &Mapping, path: &str) -> String {
    place(mapping, &function(path, ""))
}

const CONVENTION: &str = "[convention]\npackage = 'strsim'\nroot = 'src'\n";

#[test]
fn the_convention_follows_modules_classes_and_tests() {
    let mapping = mapping(CONVENTION);
    assert_eq!(place_function(&mapping, "strsim::jaro"), "strsim.jaro @ src/strsim/__init__.py");
    assert_eq!(place_function(&mapping, "strsim::a::b::jaro"), "strsim.a.b.jaro @ src/strsim/a/b.py");
    let method = an_item("strsim::a::<Wrap as Display>::fmt", ItemKind::Method);
    assert_eq!(place(&mapping, &method), "strsim.a.Wrap.__str__ @ src/strsim/a.py");
    let inner = test_function("strsim::a::tests::works", "");
    assert_eq!(place(&mapping, &inner), "tests.test_a.test_works @ tests/test_a.py");
    let root = test_function("strsim::tests::works", "");
    assert_eq!(place(&mapping, &root), "tests.test_strsim.test_works @ tests/test_strsim.py");
    let outer = test_function("strsim[test:lib]::works", "");
    assert_eq!(place(&mapping, &outer), "tests.test_lib.test_works @ tests/test_lib.py");
}

#[test]
fn without_a_rule_and_a_convention_an_item_is_unmapped() {
    let mapping = mapping("");
    assert!(place_function(&mapping, "k::f").starts_with("Unmapped: no rule speaks of it"));
}

#[test]
fn a_member_of_a_foreign_type_is_unmapped_with_what_to_do() {
    let method = an_item("strsim::<str as Snake>::to_snake", ItemKind::Method);
    let placed = place(&mapping(CONVENTION), &method);
    assert!(placed.starts_with("Unmapped: it is implemented for `str`"), "{placed}");
}

#[test]
fn other_targets_are_unmapped_by_the_convention() {
    let placed = place_function(&mapping(CONVENTION), "strsim[bin:tool]::main");
    assert_eq!(placed, "Unmapped: the convention covers libraries and tests, not `bin:tool`");
}

#[test]
fn kinds_without_a_counterpart_need_a_rule_that_names_the_item() {
    let mapping = mapping(
        "[[map]]\nitems = 'k::**'\nsymbol = 'port.{module}.{type}.{name}'\nfile = 'port.py'\n\
         [[map]]\nitems = 'k::inner'\nsymbol = 'port.inner'\nfile = 'port.py'\n\
         [[map]]\nitems = 'k::gone::**'\nstrategy = 'ignore'\nreason = 'not in Python'\n",
    );
    for (path, kind) in [
        ("k::m", ItemKind::Module),
        ("k::<A as std::error::Error>", ItemKind::Impl),
        ("k::shout", ItemKind::Macro),
        ("k::<Type as Iterator>::Item", ItemKind::TypeAlias),
    ] {
        let placed = place(&mapping, &an_item(path, kind));
        assert!(placed.starts_with("NoCounterpart"), "{path}: {placed}");
    }
    assert_eq!(place(&mapping, &an_item("k::inner", ItemKind::Module)), "port.inner @ port.py");
    assert_eq!(place(&mapping, &an_item("k::gone", ItemKind::Module)), "Ignored: not in Python");
    assert_eq!(place(&mapping, &an_item("k::Alias", ItemKind::TypeAlias)), "port.Alias @ port.py");
}

#[test]
fn the_most_specific_rule_holds_whatever_the_order() {
    let rules = [
        "[[map]]\nitems = 'k::**'\nsymbol = 'wide.{name}'\nfile = 'wide.py'\n",
        "[[map]]\nitems = 'k::m::**'\nsymbol = 'narrow.{name}'\nfile = 'narrow.py'\n",
        "[[map]]\nitems = 'k::m::f'\nstrategy = 'bind'\nreason = 'fast enough only in Rust'\n",
        "[[link]]\nitem = 'k::m::g'\nsymbol = 'linked.g'\nfile = 'linked.py'\n",
    ];
    let forwards = mapping(&rules.concat());
    let backwards = mapping(&rules.iter().rev().copied().collect::<String>());
    for mapping in [forwards, backwards] {
        assert_eq!(place_function(&mapping, "k::x"), "wide.x @ wide.py");
        assert_eq!(place_function(&mapping, "k::m::x"), "narrow.x @ narrow.py");
        assert_eq!(place_function(&mapping, "k::m::f"), "Bound: fast enough only in Rust");
        assert_eq!(place_function(&mapping, "k::m::g"), "linked.g @ linked.py");
        assert_eq!(place_function(&mapping, "k::m::g#2"), "linked.g @ linked.py");
    }
}

#[test]
fn equally_specific_rules_that_disagree_are_both_named() {
    let mapping = mapping(
        "[[map]]\nitems = 'k::a*'\nsymbol = 'one.{name}'\nfile = 'one.py'\n\
         [[map]]\nitems = 'k::a*'\nsymbol = 'two.{name}'\nfile = 'one.py'\n",
    );
    assert_eq!(
        place_function(&mapping, "k::ab"),
        "error: [[map]] 1 (`k::a*`) and [[map]] 2 (`k::a*`) match `k::ab` equally well and disagree; \
         make one more specific, or add a `[[link]]` for the item"
    );
}

#[test]
fn equally_specific_rules_that_agree_are_no_error() {
    let rule = "[[map]]\nitems = 'k::a*'\nsymbol = 'one.{name}'\nfile = 'one.py'\n";
    assert_eq!(place_function(&mapping(&rule.repeat(2)), "k::ab"), "one.ab @ one.py");
}

#[test]
fn places_outside_the_port_are_refused() {
    for file in ["../x.py", "/x.py", "a//x.py", "a\\\\x.py", ".git/hooks", "a/./b.py", "c:x"] {
        let link = format!("[[link]]\nitem = 'k::f'\nsymbol = 'a.f'\nfile = \"{file}\"\n");
        assert!(refusal(&link).starts_with("[[link]] 1: the file"), "{file}");
    }
    let mapping = mapping("[[map]]\nitems = '**'\nsymbol = 'p.{name}'\nfile = '{crate}/{name}/../x.py'\n");
    assert!(place_function(&mapping, "k::f").starts_with("error: [[map]] 1"));
    let hostile = an_item("k::<A-B as T>::f", ItemKind::Method);
    assert!(place(&mapping, &hostile).starts_with("Unmapped"));
}

#[test]
fn strategies_demand_their_keys() {
    for (toml, message) in [
        ("[[map]]\nitems = 'k::f'\n", "[[map]] 1 (`k::f`): a rule that says `translate` needs `symbol`"),
        (
            "[[map]]\nitems = 'k::f'\nsymbol = 'p.f'\n",
            "[[map]] 1 (`k::f`): a rule that says `translate` needs `file`",
        ),
        (
            "[[map]]\nitems = 'k::f'\nstrategy = 'ignore'\n",
            "[[map]] 1 (`k::f`): a rule that says `ignore` needs `reason`",
        ),
        (
            "[[map]]\nitems = 'k::f'\nstrategy = 'manual'\nreason = ' '\n",
            "[[map]] 1 (`k::f`): a rule that says `manual` needs `reason`",
        ),
        (
            "[[map]]\nitems = 'k::f'\nstrategy = 'bind'\nreason = 'x'\nfile = 'x.py'\n",
            "[[map]] 1 (`k::f`): a rule that says `bind` writes no symbol; take `file` out",
        ),
        (
            "[[map]]\nitems = 'k::{f'\nstrategy = 'ignore'\nreason = 'x'\n",
            "[[map]] 1: the pattern `k::{f` is broken: a `{` is not closed",
        ),
        (
            "[[map]]\nitems = 'k::f'\nsymbol = '{who}'\nfile = 'x.py'\n",
            "[[map]] 1 (`k::f`): the template `{who}` is broken: \
             `{who}` is none of `{crate}`, `{module}`, `{type}`, `{name}`",
        ),
        (
            "[[link]]\nitem = 'k::f'\nsymbol = 'a b'\nfile = 'x.py'\n",
            "[[link]] 1: `a b` in `a b` is not a name",
        ),
        ("[convention]\npackage = 'a-b'\n", "[convention]: `a-b` in `a-b` is not a name"),
        (
            "[[extension]]\nsymbol = 'a..b'\n",
            "[[extension]] 1: the pattern `a..b` is broken: it has an empty segment",
        ),
    ] {
        assert_eq!(refusal(toml), message);
    }
    let link = "[[link]]\nitem = 'k::f'\nsymbol = 'a.f'\nfile = 'x.py'\n";
    assert_eq!(
        refusal(&link.repeat(2)),
        "[[link]] 2 speaks of `k::f`, and so does [[link]] 1; keep one of them"
    );
}

#[test]
fn unknown_keys_are_refused() {
    for toml in [
        "[[map]]\nitem = 'k::f'\n",
        "[[map]]\nitems = 'k'\nstrategy = 'tranlate'\n",
        "[[link]]\nitem = 'k'\nsymbol = 's'\nfile = 'f'\nwhy = 'x'\n",
        "[convention]\npackage = 'a'\nstyle = 'b'\n",
        "[[extension]]\nsymbols = 'a'\n",
        "[[maps]]\nitems = 'k'\n",
    ] {
        assert!(toml::from_str::<MappingConfig>(toml).is_err(), "{toml}");
    }
}

#[test]
fn an_extension_is_never_a_place() {
    let mapping = mapping(&format!("{CONVENTION}[[extension]]\nsymbol = 'strsim.extra.**'\n"));
    let nothing = SymbolTable::default();
    assert!(mapping.is_extension(&nothing, &SymbolPath::new("strsim.extra.A.b").unwrap()));
    assert!(!mapping.is_extension(&nothing, &SymbolPath::new("strsim.other").unwrap()));
    let placed = place_function(&mapping, "strsim::extra::f");
    assert!(placed.starts_with("Manual: its place `strsim.extra.f` is declared an extension"), "{placed}");
}

#[test]
fn an_explanation_lists_all_rules_with_the_holding_one_first() {
    let mapping = mapping(
        "[[map]]\nitems = '**'\nsymbol = 'wide.{name}'\nfile = 'wide.py'\n\
         [[map]]\nitems = 'k::*'\nsymbol = 'near.{name}'\nfile = 'near.py'\n",
    );
    let explanation = mapping.explain(&function("k::f", ""));
    let rules: Vec<String> = explanation.matched.iter().map(|matched| matched.rule.to_string()).collect();
    assert_eq!(rules, ["[[map]] 2 (`k::*`)", "[[map]] 1 (`**`)"]);
    assert_eq!(explanation.problem, None);
    assert!(matches!(
        explanation.placement,
        Some(Placement::Mapped { rule: Ground::Map { number: 2, .. }, .. })
    ));
}

#[test]
fn every_key_of_the_configuration_is_documented() {
    let schema = schemars::schema_for!(MappingConfig).as_value().to_string();
    for text in ["What is to be done.", "The naming convention for items", "The port calls the Rust code"] {
        assert!(schema.contains(text), "{text}");
    }
}

#[test]
fn more_rules_than_the_bound_are_refused() {
    let extension = ExtensionRule { symbol: Some("p.x".to_owned()), ..ExtensionRule::default() };
    let config = MappingConfig { extension: vec![extension; RULES_MAX + 1], ..MappingConfig::default() };
    let error = Mapping::new(config).unwrap_err();
    assert_eq!(error, MappingError::TooMany { table: "extension", count: RULES_MAX + 1 });
}

#[test]
fn items_that_were_merged_come_to_one_symbol_and_the_rule_says_so() {
    let mapping = mapping(
        "[[map]]\nitems = 'k::old::*'\nmerged-into = 'port.all'\nfile = 'port.py'\n\
         [[map]]\nitems = 'k::old::apart'\nsymbol = 'port.{name}'\nfile = 'port.py'\n",
    );
    for name in ["k::old::one", "k::old::two"] {
        assert_eq!(place_function(&mapping, name), "port.all @ port.py");
        assert!(matches!(mapping.place(&function(name, "")), Ok(Placement::Mapped { merged: true, .. })));
    }
    assert_eq!(place_function(&mapping, "k::old::apart"), "port.apart @ port.py");
    assert!(place(&mapping, &an_item("k::old::m", ItemKind::Macro)).starts_with("NoCounterpart"));
}

#[test]
fn a_merge_that_cannot_be_meant_is_refused() {
    let rule = |more: &str| format!("[[map]]\nitems = 'k::*'\nmerged-into = 'p.all'\n{more}");
    for (toml, message) in [
        (rule(""), "[[map]] 1 (`k::*`): a rule that says `translate` needs `file`"),
        (
            rule("symbol = 'p.x'\nfile = 'p.py'\n"),
            "[[map]] 1 (`k::*`): `merged-into`: `symbol` is given too; keep the one that is meant",
        ),
        (
            rule("file = 'p.py'\n").replace("p.all", "p.{name}"),
            "[[map]] 1 (`k::*`): `merged-into`: `{name}` in `p.{name}` is not a name; \
             write one symbol's path, without signs",
        ),
        (
            rule("strategy = 'ignore'\nreason = 'x'\n"),
            "[[map]] 1 (`k::*`): a rule that says `ignore` writes no symbol; take `merged-into` out",
        ),
        (
            rule("file = '../p.py'\n"),
            "[[map]] 1 (`k::*`): `file`: the file `../p.py` must be a plain path from the port's root, \
             with `/` and without `..`",
        ),
    ] {
        assert_eq!(refusal(&toml), message);
    }
}

const UNTIL: &str = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{name}'\nfile = 'p.py'\n\
                     [[map]]\nitems = 'k::new::**'\nstrategy = 'ignore'\nreason = 'later'\nowner = 'Ann'\n\
                     until = '2027-03-01'\n";

#[test]
fn what_is_reached_by_a_table_needs_a_symbol_although_nobody_exports_it() {
    let rule = |items: &str, more: &str| {
        format!("[[map]]\nitems = '{items}'\nsymbol = 'p.{{name}}'\nfile = 'p.py'\n{more}")
    };
    let hidden = |path: &str| Item { exported: false, ..function(path, "") };
    let needs = |toml: &str, path: &str| mapping(toml).needs_no_symbol(&hidden(path)).is_none();
    let table = rule("k::glue::*", "surface = true\n");
    assert!(needs(&table, "k::glue::add") && !needs(&table, "k::other::add"));
    assert!(!needs(&rule("k::glue::*", ""), "k::glue::add"));
    let but_one = format!("{table}{}", rule("k::glue::helper", ""));
    assert!(needs(&but_one, "k::glue::add") && !needs(&but_one, "k::glue::helper"), "the nearest rule holds");
    let ignored = "[[map]]\nitems = 'k::**'\nstrategy = 'ignore'\nreason = 'r'\nsurface = true\n";
    assert!(refusal(ignored).contains("only what is translated gets a symbol"), "{}", refusal(ignored));
}

#[test]
fn what_is_ignored_until_a_day_is_put_off_and_then_belongs_to_the_next_rule() {
    let on = |today: &str| mapping(UNTIL).on(day(today).unwrap());
    assert_eq!(place_function(&on("2027-02-28"), "k::new::f"), "Deferred: later (Ann), until 2027-03-01");
    assert_eq!(place_function(&on("2027-03-01"), "k::new::f"), "p.f @ p.py");
    assert_eq!(place_function(&mapping(UNTIL), "k::new::f"), "Deferred: later (Ann), until 2027-03-01");
    assert_eq!(on("2027-02-28").ended(), []);
    let ended = on("2027-03-02").ended();
    assert_eq!(ended[0].rule.to_string(), "[[map]] 2 (`k::new::**`)");
    let told = on("2027-03-02").explain(&function("k::new::f", ""));
    let matched: Vec<_> =
        told.matched.iter().map(|matched| (matched.rule.to_string(), matched.ended.clone())).collect();
    assert_eq!(
        matched,
        [
            ("[[map]] 1 (`k::**`)".to_owned(), None),
            ("[[map]] 2 (`k::new::**`)".to_owned(), Some("2027-03-01".to_owned())),
        ]
    );
}

#[test]
fn an_end_and_an_owner_are_checked() {
    for (from, to, message) in [
        (
            "2027-03-01",
            "soon",
            "[[map]] 2 (`k::new::**`): `until`: `soon` is no day; write a day as `2027-03-01`",
        ),
        ("2027-03-01", "2027-02-30", "[[map]] 2 (`k::new::**`): `until`: `2027-02-30` is no day"),
        ("owner = 'Ann'\n", "", "[[map]] 2 (`k::new::**`): `until`: somebody must answer for what ends"),
        ("'Ann'", "' '", "[[map]] 2 (`k::new::**`): `owner`: it is empty"),
        ("'Ann'", "\"A\\nB\"", "[[map]] 2 (`k::new::**`): `owner`: it must be one line"),
        ("'ignore'", "'manual'", "[[map]] 2 (`k::new::**`): `until`: only what is ignored can end"),
        (
            "file = 'p.py'",
            "file = 'p.py'\nowner = 'Bo'",
            "[[map]] 1 (`k::**`): `owner`: a rule that says `translate`",
        ),
    ] {
        let told = refusal(&UNTIL.replacen(from, to, 1));
        assert!(told.starts_with(message), "{told}");
    }
}

#[test]
fn a_split_item_has_several_symbols() {
    let link = "[[link]]\nitem = 'k::f'\nsymbol = 'a.f'\nfile = 'a.py'\nsplit = [{ symbol = 'b.g', file = 'b.py' }]\n";
    let Ok(Placement::Mapped { split, .. }) = mapping(link).place(&function("k::f", "")) else { panic!() };
    assert_eq!(split, [Part { symbol: symbol_path("b.g"), file: "b.py".to_owned() }]);
    for (from, to, message) in [
        ("'b.g'", "'a.f'", "[[link]] 1: `a.f` is named twice; name each symbol of a `split` once"),
        ("'b.g'", "'b g'", "[[link]] 1: `b g` in `b g` is not a name"),
        ("'b.py'", "'/b.py'", "[[link]] 1: the file `/b.py` must be a plain path"),
    ] {
        let told = refusal(&link.replacen(from, to, 1));
        assert!(told.starts_with(message), "{told}");
    }
    let many = (0..=SPLIT_MAX).map(|at| format!("{{ symbol = 'b.g{at}', file = 'b.py' }}"));
    let many = many.collect::<Vec<_>>().join(", ");
    let told = refusal(&link.replace("{ symbol = 'b.g', file = 'b.py' }", &many));
    assert_eq!(told, "[[link]] 1: `split` names 65 symbols, and 64 are the most");
    assert!(toml::from_str::<MappingConfig>(&link.replace("file = 'b.py'", "fil = 'b.py'")).is_err());
}

#[test]
fn extensions_are_known_by_path_file_and_decorator() {
    let mut symbols = table(&[("p.f", ""), ("p.m.A", ""), ("p.m.A.own", ""), ("p.extra.g", "")]);
    let decorators = &mut symbols.symbols.get_mut(&symbol_path("p.m.A")).unwrap().decorators;
    decorators.push("ours.extension".to_owned());
    let covered = |toml: &str| -> Vec<String> {
        let told = mapping(&format!("[[extension]]\n{toml}\nflag = 'EXTRA'")).extensions(&symbols);
        assert_eq!(told[0].flag.as_deref(), Some("EXTRA"));
        told[0].symbols.iter().map(ToString::to_string).collect()
    };
    assert_eq!(covered("symbol = 'p.extra.*'"), ["p.extra.g"]);
    assert_eq!(covered("path = 'p/{extra,other}.py'"), ["p.extra.g"]);
    assert_eq!(covered("path = 'p/**'"), ["p.extra.g", "p.m.A", "p.m.A.own"]);
    assert_eq!(covered("decorator = 'extension'"), ["p.m.A", "p.m.A.own"]);
    assert_eq!(covered("decorator = 'ours.extension'"), ["p.m.A", "p.m.A.own"]);
    assert_eq!(covered("decorator = 'sion'"), [""; 0]);
    assert_eq!(covered("decorator = 'extension'\nsymbol = '**.own'"), ["p.m.A.own"]);
    let by_file = mapping(&format!("{CONVENTION}[[extension]]\npath = 'src/strsim/a/**'\n"));
    assert!(
        place_function(&by_file, "strsim::a::b::jaro").starts_with("Manual: its place `strsim.a.b.jaro`")
    );
    let by_decorator = mapping(
        "[[map]]\nitems = 'k::*'\nsymbol = 'p.m.A.own'\nfile = 'p/m.py'\n[[extension]]\ndecorator = 'extension'\n",
    );
    let item = function("k::f", "");
    assert!(
        matches!(by_decorator.place(&item), Ok(Placement::Mapped { .. })),
        "nothing is known of the port"
    );
    let in_port = by_decorator.place_in(&item, &symbols).unwrap();
    assert!(matches!(in_port, Placement::Skipped { rule: Ground::Extension { number: 1, .. }, .. }));
}

#[test]
fn extensions_that_say_nothing_or_no_name_are_refused() {
    for (toml, message) in [
        (
            "reason = 'x'",
            "[[extension]] 1: it says of nothing that it is an extension; write `symbol`, `path` or `decorator`",
        ),
        ("path = 'a//b'", "[[extension]] 1: the pattern `a//b` is broken: it has an empty segment"),
        (
            "decorator = '@extension'",
            "[[extension]] 1: `decorator`: `@extension` is not a decorator's name; write it without `@` and arguments",
        ),
        ("path = 'a'\nflag = 'A B'", "[[extension]] 1: `flag`: `A B` is not the name of a variable"),
    ] {
        assert_eq!(refusal(&format!("[[extension]]\n{toml}\n")), message);
    }
}
