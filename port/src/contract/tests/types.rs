//! Structs, enums and errors of the upstream, and their form in a port.

use upstream::tree::MemoryTree;

use super::*;

const SOURCE: &str = r"
#[derive(Debug, Clone, PartialEq)]
pub struct Point { pub at: i32, pub label: Option<String>, pub inner: Step }
#[derive(Debug, Clone, PartialEq)]
pub struct Step(pub u8, pub u8);
#[derive(Debug, Clone, PartialEq)]
pub enum Shape { Dot, Line { length: u8 }, Pair(Step, bool) }
pub struct Half { pub seen: u8, hidden: u8 }
pub struct Secret { hidden: u8 }
#[derive(Debug)]
pub enum ReadError { Empty, TooLong(usize) }

pub fn point(at: i32) -> Point {
    Point { at, label: (at > 0).then(|| at.to_string()), inner: Step((at & 7) as u8, 1) }
}
pub fn shape(length: u8) -> Vec<Shape> {
    match length { 0 => vec![], 1 => vec![Shape::Dot], 2 => vec![Shape::Pair(Step(2, 3), true)], _ => vec![Shape::Line { length }] }
}
pub fn half(seen: u8) -> Half { Half { seen, hidden: 1 } }
pub fn secret(hidden: u8) -> Secret { Secret { hidden } }
pub fn maybe(hidden: u8) -> Option<Secret> { (hidden > 9).then_some(Secret { hidden }) }
pub fn read(text: &str) -> Result<char, ReadError> {
    if text.len() > 4 { return Err(ReadError::TooLong(text.len())); }
    text.chars().next().ok_or(ReadError::Empty)
}
impl Secret {
    pub fn new(hidden: u8) -> Self { Secret { hidden } }
    pub fn more(&self) -> u16 { u16::from(self.hidden) + 1 }
}
pub struct Steps { left: u8 }
impl Iterator for Steps {
    type Item = u8;
    fn next(&mut self) -> Option<u8> { self.left = self.left.checked_sub(1)?; Some(self.left) }
}
pub fn steps(from: u8) -> Steps { Steps { left: from } }
pub struct Switch { level: u8, is_on: bool }
impl Switch {
    pub fn new(level: u8) -> Self { Switch { level, is_on: false } }
    pub fn switched_on(level: u8) -> Self { Switch { level, is_on: true } }
    pub fn read(&self) -> u8 { if self.is_on { self.level } else { 0 } }
}
";

const PORT: &str = "\
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Optional

class Step(NamedTuple):
    first: int
    second: int

@dataclass
class Point:
    at: int
    label: Optional[str]
    inner: Step

class Shape:
    pass

class Dot(Shape):
    pass

@dataclass
class Line(Shape):
    length: int

@dataclass
class Pair(Shape):
    step: Step
    flag: bool

class Half:
    def __init__(self, seen):
        self.seen = seen

class Secret:
    def __init__(self, hidden):
        self._hidden = hidden

    def more(self):
        return self._hidden + 1

class Switch:
    def __init__(self, level):
        self.level = level
        self.is_on = False

    @classmethod
    def switched_on(cls, level):
        made = cls(level)
        made.is_on = True
        return made

    def read(self):
        return self.level if self.is_on else 0

class Steps:
    def __init__(self, left):
        self.left = left

    def __iter__(self):
        return iter(range(self.left - 1, -1, -1))

def steps(left):
    return Steps(left)

class ReadError(ValueError):
    pass

class TooLong(ReadError):
    pass

class Empty(ReadError):
    pass

def point(at):
    return Point(at, str(at) if at > 0 else None, Step(at & 7, 1))

def shape(length):
    if length > 2:
        return [Line(length)]
    return [[], [Dot()], [Pair(Step(2, 3), True)]][length]

def half(seen):
    return Half(seen)

def secret(hidden):
    return Secret(hidden)

def maybe(hidden):
    return Secret(hidden) if hidden > 9 else None

def read(text):
    if len(text.encode()) > 4:
        raise TooLong(text)
    if not text:
        raise Empty
    return text[0]
";

/// The items with their symbols, the types among them.
const LINKS: &[(&str, &str)] = &[
    ("tiny::Point", "port.Point"),
    ("tiny::Step", "port.Step"),
    ("tiny::Shape", "port.Shape"),
    ("tiny::Half", "port.Half"),
    ("tiny::Secret", "port.Secret"),
    ("tiny::ReadError", "port.ReadError"),
    ("tiny::point", "port.point"),
    ("tiny::shape", "port.shape"),
    ("tiny::half", "port.half"),
    ("tiny::secret", "port.secret"),
    ("tiny::maybe", "port.maybe"),
    ("tiny::read", "port.read"),
    ("tiny::Secret::new", "port.Secret.__init__"),
    ("tiny::Secret::more", "port.Secret.more"),
    ("tiny::Steps", "port.Steps"),
    ("tiny::steps", "port.steps"),
    ("tiny::Switch::new", "port.Switch.__init__"),
    ("tiny::Switch::switched_on", "port.Switch.switched_on"),
    ("tiny::Switch::read", "port.Switch.read"),
];

struct Typed {
    snapshot: Snapshot,
    oracle: Prepared,
    _folder: tempfile::TempDir,
}

fn typed() -> &'static Typed {
    static TYPED: OnceLock<Typed> = OnceLock::new();
    TYPED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        write_crate(&folder.path().join("source"), SOURCE);
        let snapshot = read_snapshot(SOURCE);
        let names: Vec<_> = LINKS.iter().map(|(item, _)| *item).collect();
        let oracle = prepare_from(folder.path(), SOURCE, &names, &snapshot);
        Typed { snapshot, oracle, _folder: folder }
    })
}

pub(super) fn read_snapshot(source: &str) -> Snapshot {
    let manifest = "[package]\nname = \"tiny\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    let tree = MemoryTree::from_iter([("Cargo.toml", manifest), ("src/lib.rs", source)]);
    upstream::snapshot::read(&tree, &snapshot().revision).unwrap()
}

/// Checks a port in which `this` is replaced by `that`, with all types linked.
fn compared(this: &str, that: &str) -> ContractReport {
    compared_with(this, that, LINKS)
}

fn compared_with(this: &str, that: &str, links: &[(&str, &str)]) -> ContractReport {
    compared_alone(this, that, LINKS, links)
}

/// Checks some items alone.
fn compared_alone(this: &str, that: &str, asked: &[(&str, &str)], links: &[(&str, &str)]) -> ContractReport {
    assert!(PORT.contains(this), "{this}");
    let port = TestPort::of(&PORT.replace(this, that));
    let links: BTreeMap<_, _> =
        links.iter().map(|(item, symbol)| (item.parse().unwrap(), symbol.parse().unwrap())).collect();
    let items: Vec<_> = asked.iter().map(|(item, symbol)| contract_item(item, symbol)).collect();
    let request = ContractRequest {
        upstream: &typed().oracle,
        snapshot: &typed().snapshot,
        candidate: &port.side(),
        old: None,
        items: &items,
        links: &links,
        harvested: &[],
        recorded: &Recorded::default(),
        pools: &pools(),
        profile: &Profile::default(),
        counterexamples_max: COUNTEREXAMPLES_MAX,
        tracer: None,
    };
    check(&tools(), &request).unwrap()
}

fn disagreeing(report: &ContractReport) -> Vec<&str> {
    let items = report.items.iter().filter(|evidence| evidence.disagreed > 0);
    items.map(|evidence| evidence.item.as_str()).collect()
}

#[test]
fn a_right_port_of_structs_and_enums_agrees() {
    let report = compared("pass", "pass");
    assert_eq!(disagreeing(&report), Vec::<&str>::new(), "{report:?}");
    assert_eq!(report.items.iter().map(|evidence| evidence.blocked).sum::<u32>(), 0, "{report:?}");
    for item in ["tiny::steps", "tiny::point", "tiny::shape", "tiny::read", "tiny::Secret::more"] {
        let evidence = evidence(&report, item);
        assert!(evidence.agreed > 50 && evidence.unobserved == 0, "{evidence:?}");
    }
}

#[test]
fn a_wrong_field_or_variant_is_refused() {
    for (this, that, item) in [
        ("Step(at & 7, 1)", "Step(at & 7, 2)", "tiny::point"),
        ("str(at) if at > 0", "str(at) if at >= 0", "tiny::point"),
        ("[Line(length)]", "[Line(length - 1)]", "tiny::shape"),
        ("[Dot()]", "[Line(1)]", "tiny::shape"),
        ("Pair(Step(2, 3), True)", "Pair(Step(2, 3), False)", "tiny::shape"),
        ("return Half(seen)", "return Half(seen // 2)", "tiny::half"),
        ("if hidden > 9", "if hidden > 10", "tiny::maybe"),
        ("range(self.left - 1, -1, -1)", "range(self.left - 1, 0, -1)", "tiny::steps"),
        ("return Steps(left)", "return None", "tiny::steps"),
        ("return [Line(length)]", "return [None]", "tiny::shape"),
    ] {
        let report = compared(this, that);
        assert_eq!(disagreeing(&report), [item], "{this}: {report:?}");
    }
}

#[test]
fn a_method_is_asked_of_values_of_every_linked_constructor() {
    let report = compared("return self.level if self.is_on else 0", "return 0");
    assert_eq!(disagreeing(&report), ["tiny::Switch::read"], "{report:?}");
    assert!(report.counterexamples[0].call.starts_with("port.Switch.switched_on("), "{report:?}");
    // Nothing says how the port makes such values: none is made.
    let unlinked: Vec<_> = LINKS.iter().copied().filter(|(item, _)| !item.ends_with("switched_on")).collect();
    let report = compared_with("made.is_on = True", "made.is_on = False", &unlinked);
    assert_eq!(disagreeing(&report), Vec::<&str>::new(), "{report:?}");
}

#[test]
fn a_constructor_whose_value_keeps_to_itself_is_told_of_by_methods() {
    let constructor = ("tiny::Switch::switched_on", "port.Switch.switched_on");
    let alone = |that: &str| compared_alone("made.is_on = True", that, &[constructor], LINKS);
    let right = alone("made.is_on = True");
    let of_it = evidence(&right, constructor.0);
    assert!(of_it.agreed > 50 && of_it.not_probed.is_none() && right.items.len() == 1, "{right:?}");
    let wrong = alone("made.is_on = False");
    assert_eq!(disagreeing(&wrong), [constructor.0], "{wrong:?}");
    let example = &wrong.counterexamples[0];
    assert_eq!((example.item.as_str(), example.symbol.as_str()), constructor);
    assert!(example.call.contains("switched_on(") && example.call.contains(").read("), "{example:?}");
    // Where a method is asked about, its probes are its own.
    let both = [constructor, ("tiny::Switch::read", "port.Switch.read")];
    let report = compared_alone("made.is_on = True", "made.is_on = False", &both, LINKS);
    assert_eq!(disagreeing(&report), ["tiny::Switch::read"], "{report:?}");
}

#[test]
fn what_is_hidden_is_neither_proved_nor_blocked() {
    let report = compared("pass", "pass");
    for item in ["tiny::secret", "tiny::Secret::new"] {
        let evidence = evidence(&report, item);
        assert_eq!((evidence.agreed, evidence.blocked), (0, 0), "{evidence:?}");
        assert!(evidence.not_probed.as_ref().unwrap().contains("keeps its fields to itself"), "{evidence:?}");
    }
    let half = evidence(&report, "tiny::half");
    assert!(half.agreed == 0 && half.unobserved > 50 && half.blocked == 0, "{half:?}");
    let maybe = evidence(&report, "tiny::maybe");
    assert!(maybe.agreed >= 10 && maybe.unobserved > 50, "{maybe:?}");
    assert!(maybe.not_probed.as_ref().unwrap().contains("could not be compared"), "{maybe:?}");
}

#[test]
fn code_is_checked_by_calls_that_run_through_it_and_whose_results_agree() {
    // `maybe` comes to `Secret`s that nobody can look at, and to `None`.
    let snapshot = &typed().snapshot;
    let blocks = |report: &ContractReport, item: &str| evidence(report, item).blocks_reached;
    let folder = tempfile::tempdir().unwrap();
    write_crate(&folder.path().join("source"), SOURCE);
    let items: Vec<_> = LINKS.iter().map(|(item, symbol)| contract_item(item, symbol)).collect();
    let names: Vec<_> = items.iter().map(|item| item.item.clone()).collect();
    let request = OracleRequest {
        source: &folder.path().join("source"),
        source_key: "counted",
        snapshot,
        package: &package(),
        library_root: "src/lib.rs",
        items: &names,
        public_paths: &BTreeMap::new(),
        profile: &BuildProfile::default(),
        instrument: Some(&CountsSecrets),
        toolchain: &toolchain(),
        cache_dir: &folder.path().join("cache"),
    };
    let oracle = Oracle::prepare(&tools(), &request).unwrap();
    let port = TestPort::of(PORT);
    let report = |items: &[ContractItem]| {
        let request = ContractRequest {
            upstream: &oracle,
            snapshot,
            candidate: &port.side(),
            old: None,
            items,
            links: &BTreeMap::new(),
            harvested: &[],
            recorded: &Recorded::default(),
            pools: &pools(),
            profile: &Profile::default(),
            counterexamples_max: COUNTEREXAMPLES_MAX,
            tracer: None,
        };
        check(&tools(), &request).unwrap()
    };
    // Calls of `more` run through `new`, and their results agree.
    assert_eq!(blocks(&report(&items), "tiny::Secret::new"), 1);
    let alone: Vec<_> = items.iter().filter(|item| item.item.name() != "more").cloned().collect();
    assert_eq!(blocks(&report(&alone), "tiny::Secret::new"), 0);
    let half: Vec<_> = items.iter().filter(|item| item.item.name() == "half").cloned().collect();
    let report = report(&half);
    let half = evidence(&report, "tiny::half");
    assert!(half.unobserved > 0 && half.blocks_reached == 0, "{half:?}");
}

/// Counts the bodies of `Secret::new` and `half`.
#[derive(Debug)]
struct CountsSecrets;

impl Instrument for CountsSecrets {
    fn instrument(&self, source: &str, _: &str, items: &[&Item], first_id: u32) -> Option<InstrumentedFile> {
        let of =
            |path: &str| items.iter().find(|item| item.path.as_str() == path).map(|item| item.path.clone());
        let count = |id: u32| format!("{{ crate::counted::count({id}); ");
        let text = source
            .replace(
                "pub fn new(hidden: u8) -> Self {",
                &format!("pub fn new(hidden: u8) -> Self {}", count(first_id)),
            )
            .replace(
                "pub fn half(seen: u8) -> Half {",
                &format!("pub fn half(seen: u8) -> Half {}", count(first_id + 1)),
            );
        let blocks = vec![(first_id, of("tiny::Secret::new")?), (first_id + 1, of("tiny::half")?)];
        Some(InstrumentedFile { text, blocks })
    }

    fn runtime(&self, blocks: usize) -> String {
        CountsOne.runtime(blocks)
    }

    fn reset(&self) -> String {
        CountsOne.reset()
    }

    fn reached(&self) -> String {
        CountsOne.reached()
    }
}

#[test]
fn texts_and_comparisons_of_a_type_are_asked_of_values_that_its_constructor_makes() {
    let source = "use std::fmt;\n#[derive(Debug, Clone)]\npub struct Mark { level: u8 }\n\
        impl Mark { pub fn new(level: u8) -> Self { Mark { level } } }\n\
        impl fmt::Display for Mark { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, \"<{}>\", self.level) } }\n\
        impl PartialEq for Mark { fn eq(&self, other: &Self) -> bool { self.level / 2 == other.level / 2 } }\n\
        impl PartialOrd for Mark { fn partial_cmp(&self, other: &Mark) -> Option<std::cmp::Ordering> { (self.level / 2).partial_cmp(&(other.level / 2)) } }\n\
        pub trait Doubled { fn doubled(&self) -> Self; }\n\
        macro_rules! all { ($($t:ty)*) => { $(impl Doubled for $t { fn doubled(&self) -> $t { *self * 2 } })* } }\n\
        all! { i64 u8 }\n";
    let right = "class Mark:\n    def __init__(self, level):\n        self._level = level\n    \
        def __str__(self):\n        return f'<{self._level}>'\n    \
        def __eq__(self, other):\n        return self._level // 2 == other._level // 2\n    \
        def __lt__(self, other):\n        return self._level // 2 < other._level // 2\n\
        def doubled(number):\n    return number * 2\n";
    let names = [
        ("tiny::<Mark as fmt::Display>::fmt", "port.Mark.__str__"),
        ("tiny::<Mark as PartialEq>::eq", "port.Mark.__eq__"),
        ("tiny::<Mark as PartialOrd>::partial_cmp", "port.Mark.__lt__"),
        ("tiny::Doubled::doubled", "port.doubled"),
    ];
    let folder = tempfile::tempdir().unwrap();
    write_crate(&folder.path().join("source"), source);
    let snapshot = read_snapshot(source);
    let paths: Vec<_> = names.iter().map(|(item, _)| *item).collect();
    let oracle = prepare_from(folder.path(), source, &paths, &snapshot);
    let items: Vec<_> = names.iter().map(|(item, symbol)| contract_item(item, symbol)).collect();
    let report = |port: &str| {
        let port = TestPort::of(port);
        let request = ContractRequest {
            upstream: &oracle,
            snapshot: &snapshot,
            candidate: &port.side(),
            old: None,
            items: &items,
            links: &BTreeMap::new(),
            harvested: &[],
            recorded: &Recorded::default(),
            pools: &pools(),
            profile: &Profile::default(),
            counterexamples_max: COUNTEREXAMPLES_MAX,
            tracer: None,
        };
        check(&tools(), &request).unwrap()
    };
    let found = report(right);
    for evidence in &found.items {
        assert!(evidence.agreed > 30 && evidence.disagreed == 0, "{evidence:?} {:?}", found.counterexamples);
    }
    let doubled = evidence(&found, "tiny::Doubled::doubled");
    assert!(doubled.unobserved > 0, "numbers of the port do not overflow: {doubled:?}");
    for (this, that, item, call) in [
        ("f'<{", "f'{", names[0].0, "port.Mark(0).__str__()"),
        ("_level // 2 ==", "_level ==", names[1].0, "port.Mark("),
        ("_level // 2 <", "_level // 2 <=", names[2].0, "port.Mark(0).__lt__(port.Mark(0))"),
        ("number * 2", "number + 2", names[3].0, "port.doubled("),
    ] {
        let found = report(&right.replace(this, that));
        assert_eq!(disagreeing(&found), [item], "{found:?}");
        assert!(found.counterexamples[0].call.starts_with(call), "{:?}", found.counterexamples);
    }
}

#[test]
fn an_error_type_that_is_linked_demands_its_class_and_its_variants_classes() {
    let policy = |report: &ContractReport| evidence(report, "tiny::read").error_policy;
    assert_eq!(policy(&compared("pass", "pass")), Some(ErrorPolicy::LinkedClass));
    for (this, that) in [
        ("raise TooLong(text)", "raise ValueError(text)"),
        ("raise TooLong(text)", "raise Empty(text)"),
        ("    if not text:\n        raise Empty\n", ""),
    ] {
        assert_eq!(disagreeing(&compared(this, that)), ["tiny::read"], "{that}");
    }
    let untyped: Vec<_> = LINKS.iter().copied().filter(|(item, _)| *item != "tiny::ReadError").collect();
    let report = compared_with("raise TooLong(text)", "raise ValueError(text)", &untyped);
    assert_eq!(disagreeing(&report), Vec::<&str>::new(), "{report:?}");
    assert_eq!(policy(&report), Some(ErrorPolicy::AnyDeliberate));
    // An index that is out of range is nobody's error, linked or not.
    let report = compared_with("    if not text:\n        raise Empty\n", "", &untyped);
    assert_eq!(disagreeing(&report), ["tiny::read"], "{report:?}");
    let raised = compared_with("raise Empty\n", "raise IndexError\n", &untyped);
    assert_eq!(disagreeing(&raised), Vec::<&str>::new(), "{raised:?}");
}
