//! Symbols that line up with their items, and those that do not.

use super::*;

#[test]
fn a_missing_symbol_and_a_wrong_count_are_spec_findings() {
    let port = TestPort::with("halve", "def mean_of(a):\n    return a\n");
    let mut items = items();
    items.push(contract_item("tiny::next_byte", "port.mean_of"));
    items.push(contract_item("tiny::deep", "port.nowhere.deep"));
    let report = checked(&port, &items[1..]);
    let found: Vec<_> =
        report.spec.iter().map(|finding| (finding.symbol.as_str(), finding.code.as_str())).collect();
    assert_eq!(found, [("port.halve", "missing-symbol"), ("port.nowhere.deep", "missing-symbol")]);
    let halve = evidence(&report, "tiny::halve");
    assert_eq!((halve.agreed, halve.disagreed), (0, 0));
    assert!(halve.not_probed.as_ref().unwrap().contains("Spec"), "{halve:?}");

    let port = TestPort::with("mean", "def mean(a):\n    return a\n");
    let report = checked(&port, &self::items());
    assert_eq!(report.spec[0].code, "parameter-count", "{report:?}");
    let port = TestPort::with("mean", "mean = 3\n");
    assert_eq!(checked(&port, &self::items()).spec[0].code, "not-callable");
    let port = TestPort::with("mean", "def mean(a, *, other):\n    return (a + other) / 2.0\n");
    assert_eq!(checked(&port, &self::items()).spec[0].code, "parameter-names");
    let port = TestPort::with("mean", "def mean(a, *, b):\n    return (a + b) / 2.0\n");
    let report = checked(&port, &self::items());
    assert_eq!((report.spec.len(), report.counterexamples.len()), (0, 0), "{report:?}");
}

#[test]
fn a_port_that_cannot_be_imported_is_a_spec_finding_for_each_symbol() {
    for text in ["import no_such_module_here", "def halve(:", "import os; os._exit(3)", "raise SystemExit"] {
        let report = checked(&TestPort::of(text), &items()[..2]);
        let codes: Vec<_> = report.spec.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["import-error", "import-error"], "{text}: {report:?}");
    }
}

#[test]
fn an_import_error_names_files_as_they_stand_in_the_port() {
    let report = checked(&TestPort::of("from port import gone\n"), &items()[..1]);
    let text = &report.spec[0].text;
    let folder = std::env::temp_dir();
    assert!(text.contains("gone") && text.contains(".py"), "{text}");
    assert!(!text.contains(folder.to_str().unwrap()), "{text}");
}

#[test]
fn the_init_of_a_class_is_called_as_its_class() {
    let folder = tempfile::tempdir().unwrap();
    let source = "#[derive(Debug)]\npub struct Glob<const STAR: char, T> { pub weight: T }\n\
        pub type Plain = Glob<'*', u8>;\n\
        impl<const STAR: char, T: Copy> Glob<STAR, T> {\n\
        pub fn new(weight: T) -> Glob<STAR, T> { Self { weight } }\n\
        pub fn matches(&self, input: &str) -> Option<T> { input.contains(STAR).then_some(self.weight) }\n}\n";
    write_crate(&folder.path().join("source"), source);
    let names = ["tiny::Glob::new", "tiny::Glob::matches"];
    let oracle = prepare_from(folder.path(), source, &names, &generic_type(Some("u8")));
    let built = Built { folder, oracle };
    let items = [contract_item(names[0], "port.Glob.__init__"), contract_item(names[1], "port.Glob.matches")];
    let class = "class Glob:\n    def __init__(self, weight):\n        self.weight = weight\n    \
                 def matches(self, text):\n        return self.weight if '*' in text else None\n";
    let report = checked_with(&built, &TestPort::of(class), &items, None);
    assert!(report.items.iter().all(|evidence| evidence.disagreed == 0), "{report:?}");
    assert!(evidence(&report, names[1]).agreed > 50, "{report:?}");

    let wrong = class.replace("self.weight = weight", "self.weight = 1 // weight");
    let report = checked_with(&built, &TestPort::of(&wrong), &items[..1], None);
    assert!(report.counterexamples[0].call.starts_with("port.Glob("), "{report:?}");
}

#[test]
fn what_a_crate_keeps_to_itself_may_take_other_parameters_and_has_to_be_there() {
    use crate::contract::probeable::ReceiverPlan;
    use crate::contract::python::{Description, PortParameter};
    let parameter = |name: &str| PortParameter {
        name: name.to_owned(),
        kind: "POSITIONAL_OR_KEYWORD".to_owned(),
        has_default: false,
    };
    let described = |is_callable, parameters: &[&str]| Description::Symbol {
        is_callable,
        parameters: Some(parameters.iter().map(|name| parameter(name)).collect()),
        class: None,
    };
    let missing =
        Description::Missing { code: "missing-symbol".to_owned(), text: "there is no `days`".to_owned() };
    let codes = |exported, description: &Description| -> Vec<String> {
        let item = Item { exported, ..function("tiny::days", &[("cls", text())], text()) };
        let symbol = "port.Date.days".parse().unwrap();
        let found =
            super::super::spec::findings(&item.path, Some(&item), &symbol, description, &ReceiverPlan::None);
        found.into_iter().map(|finding| finding.code).collect()
    };
    let three = described(true, &["self", "year", "month"]);
    assert!(codes(false, &three).is_empty());
    assert!(codes(false, &described(false, &[])).is_empty());
    assert_eq!(codes(false, &missing), ["missing-symbol"]);
    assert_eq!(codes(true, &three), ["parameter-count"]);
    assert_eq!(codes(true, &described(false, &[])), ["not-callable"]);
}

#[test]
fn a_method_of_a_trait_takes_a_value_of_anothers_type_as_self_or_first() {
    use crate::contract::probeable::ReceiverPlan;
    use crate::contract::python::{Description, PortParameter};
    let parameter = PortParameter {
        name: "data".to_owned(),
        kind: "POSITIONAL_OR_KEYWORD".to_owned(),
        has_default: false,
    };
    let codes = |symbol: &str, parameters: usize| -> Vec<String> {
        let mut item = function("tiny::Hex::encode", &[], text());
        item.signature.as_mut().unwrap().receiver = Some(Receiver::Shared);
        let description = Description::Symbol {
            is_callable: true,
            parameters: Some(vec![parameter.clone(); parameters]),
            class: None,
        };
        let symbol = symbol.parse().unwrap();
        let receiver = ReceiverPlan::Argument;
        let found = super::super::spec::findings(&item.path, Some(&item), &symbol, &description, &receiver);
        found.into_iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes("port.Hex.encode", 0), Vec::<String>::new());
    assert_eq!(codes("port.Hex.encode", 1), Vec::<String>::new());
    assert_eq!(codes("port.Hex.encode", 2), ["parameter-count"]);
    assert_eq!(codes("port.encode", 0), ["parameter-count"]);
    assert_eq!(codes("port.encode", 1), Vec::<String>::new());
}
