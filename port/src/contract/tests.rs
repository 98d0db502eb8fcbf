//! The whole contract against a crate of our own, through the real cargo and python3.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use mappings::SymbolPath;
use upstream::harvest::{HarvestedCall, Literal};
use upstream::process::SystemProcessRunner;
use upstream::snapshot::{FunctionSignature, Package, Parameter, Receiver, Visibility};
use upstream::{
    CommitId, ContentHash, Fingerprint, Item, ItemKind, ItemPath, Revision, RevisionLabel, RustType,
    Snapshot, SystemClock,
};

use super::*;
use crate::confinement::Access;
use crate::sandbox::Unconfined;

const UPSTREAM: &str = r#"
use std::hash::{BuildHasher, Hasher};

#[derive(Debug, PartialEq)]
pub enum PairError { NoComma, NoNumber }
pub type PairResult = Result<(i64, i64), PairError>;

pub fn byte_len(text: &str) -> usize { println!("noise"); text.len() }
pub fn halve(number: i32) -> i32 { number / 2 }
pub fn mean(a: f64, b: f64) -> f64 { (a + b) / 2.0 }
pub fn longest_run<T: PartialEq>(items: &[T]) -> usize {
    let (mut best, mut run) = (0, 0);
    for at in 0..items.len() {
        run = if at > 0 && items[at] == items[at - 1] { run + 1 } else { 1 };
        best = best.max(run);
    }
    best
}
pub fn pair(text: &str) -> PairResult {
    let (a, b) = text.split_once(',').ok_or(PairError::NoComma)?;
    let number = |text: &str| text.parse().map_err(|_| PairError::NoNumber);
    Ok((number(a)?, number(b)?))
}
pub fn index_of(text: &str, wanted: char) -> Option<usize> { text.chars().position(|char| char == wanted) }
pub fn deep(steps: u32) -> u32 { if steps == 0 { 0 } else { 1 + deep(std::hint::black_box(steps) - 1) % 7 } }
pub fn weather() -> u64 { std::collections::hash_map::RandomState::new().build_hasher().finish() }
pub fn misread(text: &str) -> usize { text.len() }
#[derive(Debug)]
pub struct Word<'a, 'b>(&'a str, &'b str);
pub fn word(text: &str) -> Word<'_, '_> { Word(text, "") }
pub struct Mute;
pub fn mute(text: &str) -> Mute { let _ = text; Mute }
pub fn next_byte(byte: u8) -> u8 { byte + 1 }

pub trait Shout { fn shout(&self) -> String; }
impl Shout for str { fn shout(&self) -> String { format!("{}!", self.to_uppercase()) } }

pub struct Counter { total: u8 }
impl Counter {
    pub fn new(start: u8) -> Option<Self> { if start == 13 { None } else { Some(Self { total: start }) } }
    pub fn add(&mut self, more: u8) -> u8 { self.total += more; self.total }
}
"#;

/// Text of the port: each piece can be replaced by a wrong one.
const PORT: &[(&str, &str)] = &[
    ("head", "class PairError(ValueError):\n    pass\n"),
    ("byte_len", "def byte_len(text):\n    return len(text.encode())\n"),
    ("halve", "def halve(number):\n    return int(number / 2)\n"),
    ("mean", "def mean(a, b):\n    return (a + b) / 2.0\n"),
    (
        "longest_run",
        "def longest_run(items):\n    best = run = 0\n    for at, item in enumerate(items):\n        \
         run = run + 1 if at and items[at - 1] == item else 1\n        best = max(best, run)\n    return best\n",
    ),
    (
        "pair",
        "import re\ndef pair(text):\n    a, comma, b = text.partition(',')\n    if not comma:\n        raise PairError('no comma')\n    \
         numbers = []\n    for part in (a, b):\n        if not re.fullmatch('[+-]?[0-9]+', part) or not -2**63 <= int(part) < 2**63:\n            \
         raise PairError('no number')\n        numbers.append(int(part))\n    return tuple(numbers)\n",
    ),
    (
        "index_of",
        "def index_of(text, wanted):\n    at = text.find(wanted)\n    return None if at < 0 else at\n",
    ),
    (
        "next_byte",
        "def next_byte(byte):\n    if byte == 255:\n        raise OverflowError\n    return byte + 1\n",
    ),
    ("shout", "def shout(text):\n    return text.upper() + '!'\n"),
    (
        "Counter",
        "class Counter:\n    def __new__(cls, start):\n        if start == 13:\n            return None\n        return super().__new__(cls)\n    \
         def __init__(self, start):\n        self.total = start\n    def add(self, more):\n        \
         if self.total + more > 255:\n            raise OverflowError\n        self.total += more\n        return self.total\n",
    ),
];

fn item(path: &str, kind: ItemKind) -> Item {
    let hash = ContentHash::of(path);
    Item {
        path: ItemPath::new(path).unwrap(),
        kind,
        file: "src/lib.rs".into(),
        span: 0..0,
        line: 1,
        visibility: Visibility::Public,
        exported: true,
        is_test: false,
        fingerprint: Fingerprint { signature: hash, body: hash, docs: hash, attributes: hash },
        text: String::new(),
        docs: String::new(),
        attributes: Vec::new(),
        signature: None,
        aliased: None,
        members: Vec::new(),
        mentions: Vec::new(),
    }
}

fn text() -> RustType {
    RustType::Reference { mutable: false, target: Box::new(RustType::named("str")) }
}

fn applied(name: &str, arguments: Vec<RustType>) -> RustType {
    RustType::Named { path: vec![name.into()], arguments }
}

fn function(path: &str, parameters: &[(&str, RustType)], output: RustType) -> Item {
    let parameters =
        parameters.iter().map(|(name, ty)| Parameter { name: (*name).into(), ty: ty.clone() }).collect();
    let signature = FunctionSignature {
        generics: Vec::new(),
        predicates: Vec::new(),
        receiver: None,
        parameters,
        output,
        is_async: false,
        is_unsafe: false,
        is_const: false,
    };
    Item { signature: Some(signature), ..item(path, ItemKind::Function) }
}

fn method(path: &str, receiver: Option<Receiver>, parameters: &[(&str, RustType)], output: RustType) -> Item {
    let mut method = function(path, parameters, output);
    method.kind = ItemKind::Method;
    if let Some(signature) = &mut method.signature {
        signature.receiver = receiver;
    }
    method
}

fn snapshot() -> Snapshot {
    let named = RustType::named;
    let mut error = item("tiny::PairError", ItemKind::Enum);
    error.attributes = vec!["#[derive(Debug, PartialEq)]".into()];
    let mut alias = item("tiny::PairResult", ItemKind::TypeAlias);
    alias.text = "pub type PairResult = Result<(i64, i64), PairError>;".into();
    let pair = RustType::Tuple(vec![named("i64"), named("i64")]);
    alias.aliased = Some(applied("Result", vec![pair, named("PairError")]));
    let slice =
        RustType::Reference { mutable: false, target: Box::new(RustType::Slice(Box::new(named("T")))) };
    let mut run = function("tiny::longest_run", &[("items", slice)], named("usize"));
    if let Some(signature) = &mut run.signature {
        signature.generics = vec!["T: PartialEq".into()];
    }
    let mut word = item("tiny::Word", ItemKind::Struct);
    word.text = "#[derive(Debug)]\npub struct Word<'a, 'b>(&'a str, &'b str);".into();
    word.attributes = vec!["#[derive(Debug)]".into()];
    // The snapshot claims a trait that the type does not have.
    let mut mute = item("tiny::Mute", ItemKind::Struct);
    mute.attributes = vec!["#[derive(Debug)]".into()];
    let closure = RustType::Other("impl Fn(u8) -> u8".into());
    let items = [
        error,
        alias,
        run,
        function("tiny::byte_len", &[("text", text())], named("usize")),
        function("tiny::halve", &[("number", named("i32"))], named("i32")),
        function("tiny::mean", &[("a", named("f64")), ("b", named("f64"))], named("f64")),
        function("tiny::pair", &[("text", text())], named("PairResult")),
        function(
            "tiny::index_of",
            &[("text", text()), ("wanted", named("char"))],
            applied("Option", vec![named("usize")]),
        ),
        function("tiny::deep", &[("steps", named("u32"))], named("u32")),
        function("tiny::weather", &[], named("u64")),
        // The snapshot claims what the compiler knows better.
        function("tiny::misread", &[("text", named("u64"))], named("usize")),
        function("tiny::next_byte", &[("byte", named("u8"))], named("u8")),
        word,
        mute,
        function("tiny::word", &[("text", text())], RustType::named("Word")),
        function("tiny::mute", &[("text", text())], RustType::named("Mute")),
        function("tiny::mapped", &[("with", closure)], named("u8")),
        item("tiny::Shout", ItemKind::Trait),
        method("tiny::<str as Shout>::shout", Some(Receiver::Shared), &[], named("String")),
        item("tiny::Counter", ItemKind::Struct),
        method("tiny::Counter::new", None, &[("start", named("u8"))], applied("Option", vec![named("Self")])),
        method("tiny::Counter::add", Some(Receiver::Mutable), &[("more", named("u8"))], named("u8")),
    ];
    Snapshot {
        revision: Revision {
            label: RevisionLabel::new("1.0.0").unwrap(),
            commit: CommitId::new("0".repeat(40)).unwrap(),
            summary: "tiny 1.0.0".into(),
            published_s: None,
            withdrawn: false,
        },
        packages: vec![package()],
        items: items.into_iter().map(|item| (item.path.clone(), item)).collect(),
        unparsed: Vec::new(),
        files: BTreeMap::new(),
    }
}

fn package() -> Package {
    Package {
        name: "tiny".into(),
        version: Some("1.0.0".into()),
        folder: String::new(),
        edition: "2021".into(),
        library: Some("tiny".into()),
        dependencies: BTreeMap::new(),
    }
}

/// The items that are checked, with their symbols.
fn items() -> Vec<ContractItem> {
    let pairs = [
        ("tiny::byte_len", "port.byte_len"),
        ("tiny::halve", "port.halve"),
        ("tiny::mean", "port.mean"),
        ("tiny::longest_run", "port.longest_run"),
        ("tiny::pair", "port.pair"),
        ("tiny::index_of", "port.index_of"),
        ("tiny::next_byte", "port.next_byte"),
        ("tiny::<str as Shout>::shout", "port.shout"),
        ("tiny::Counter::add", "port.Counter.add"),
    ];
    pairs.iter().map(|(item, symbol)| contract_item(item, symbol)).collect()
}

fn contract_item(item: &str, symbol: &str) -> ContractItem {
    ContractItem { item: ItemPath::new(item).unwrap(), symbol: SymbolPath::new(symbol).unwrap() }
}

static RUNNER: OnceLock<SystemProcessRunner> = OnceLock::new();

fn tools() -> Tools<'static> {
    Tools {
        runner: RUNNER.get_or_init(SystemProcessRunner::default),
        confinement: &Unconfined,
        clock: &SystemClock,
        probe_timeout_ms: 3000,
    }
}

fn toolchain() -> Toolchain {
    let names = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let inherited = |name: &str| upstream::process::inherited(name).map(|value| (name.into(), value));
    Toolchain {
        cargo: "cargo".into(),
        environment: names.iter().copied().filter_map(inherited).collect(),
        access: Access::default(),
        key: "test".into(),
    }
}

/// Counts one block: the body of `byte_len`.
#[derive(Debug)]
struct CountsOne;

impl Instrument for CountsOne {
    fn instrument(&self, source: &str, _: &str, items: &[&Item], first_id: u32) -> Option<InstrumentedFile> {
        let item = items.iter().find(|item| item.path.name() == "byte_len")?;
        let counted = format!("println!(\"noise\"); crate::counted::count({first_id});");
        let text = source.replace("println!(\"noise\");", &counted);
        Some(InstrumentedFile {
            text,
            blocks: vec![(first_id, item.path.clone()), (first_id + 1, item.path.clone())],
        })
    }

    fn runtime(&self, _: usize) -> String {
        "pub mod counted { use std::sync::Mutex; static SEEN: Mutex<Vec<u32>> = Mutex::new(Vec::new()); \
         pub fn count(id: u32) { let mut seen = SEEN.lock().unwrap(); if !seen.contains(&id) { seen.push(id); } } \
         pub fn reached() -> Vec<u32> { SEEN.lock().unwrap().clone() } }"
            .into()
    }

    fn reached(&self) -> String {
        "::$::counted::reached()".into()
    }
}

fn write_crate(folder: &Path, source: &str) {
    let manifest = "[package]\nname = \"tiny\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\n[dev-dependencies]\n\
                    no-such-crate-anywhere = \"1\"\n\n[[bench]]\nname = \"gone\"\nharness = false\n\n[workspace]\nmembers = [\"gone\"]\n";
    std::fs::create_dir_all(folder.join("src")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.join("src/lib.rs"), source).unwrap();
}

struct Built {
    folder: tempfile::TempDir,
    oracle: Prepared,
}

impl Built {
    fn of(source: &str, names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_crate(&folder.path().join("source"), source);
        let oracle = prepare(folder.path(), source, names);
        Self { folder, oracle }
    }

    fn ready(&self) -> &Oracle {
        match &self.oracle {
            Prepared::Ready(oracle) => oracle,
            Prepared::SourceBlocked { reason } => panic!("{reason}"),
        }
    }
}

fn prepare(folder: &Path, source_key: &str, names: &[&str]) -> Prepared {
    prepare_from(folder, source_key, names, &snapshot())
}

fn prepare_from(folder: &Path, source_key: &str, names: &[&str], snapshot: &Snapshot) -> Prepared {
    let items: Vec<_> = names.iter().map(|name| ItemPath::new(*name).unwrap()).collect();
    let request = OracleRequest {
        source: &folder.join("source"),
        source_key,
        snapshot,
        package: &package(),
        library_root: "src/lib.rs",
        items: &items,
        public_paths: &BTreeMap::new(),
        overflow_checks: true,
        instrument: Some(&CountsOne),
        toolchain: &toolchain(),
        cache_dir: &folder.join("cache"),
    };
    Oracle::prepare(&tools(), &request).unwrap()
}

const OTHERS: &[&str] = &[
    "tiny::deep",
    "tiny::weather",
    "tiny::misread",
    "tiny::mapped",
    "tiny::word",
    "tiny::mute",
    "tiny::PairError",
    "tiny::gone",
];

/// The one oracle of most tests.
fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        let items = items();
        let names: Vec<_> =
            items.iter().map(|item| item.item.as_str()).chain(OTHERS.iter().copied()).collect();
        Built::of(UPSTREAM, &names)
    })
}

struct TestPort {
    folder: tempfile::TempDir,
}

impl TestPort {
    /// The right port, with one piece replaced.
    fn with(piece: &str, text: &str) -> Self {
        let pieces: Vec<_> =
            PORT.iter().map(|(name, right)| if *name == piece { text } else { right }).collect();
        Self::of(&pieces.join("\n"))
    }

    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("port.py"), text).unwrap();
        Self { folder }
    }

    fn side(&self) -> PortSide {
        let root: PathBuf = self.folder.path().into();
        PortSide {
            import_roots: vec![root.clone()],
            root,
            python: "python3".into(),
            access: Access::default(),
        }
    }
}

fn pools() -> Pools {
    Pools { development_seed: "public".into(), deciding_seed: "secret".into(), probes_max: 100 }
}

fn checked(port: &TestPort, items: &[ContractItem]) -> ContractReport {
    checked_with(built(), port, items, None)
}

fn checked_with(
    built: &Built,
    port: &TestPort,
    items: &[ContractItem],
    old: Option<OldRevision<'_>>,
) -> ContractReport {
    let harvested = [HarvestedCall {
        callee: "pair".into(),
        callee_path: vec!["pair".into()],
        receiver: None,
        constructor: None,
        arguments: vec![Literal::Str("1,2".into())],
        file: "src/lib.rs".into(),
        line: 1,
    }];
    let request = ContractRequest {
        upstream: &built.oracle,
        snapshot: &snapshot(),
        candidate: &port.side(),
        old,
        items,
        links: &BTreeMap::new(),
        harvested: &harvested,
        pools: &pools(),
        profile: &Profile::default(),
    };
    check(&tools(), &request).unwrap()
}

fn evidence<'a>(report: &'a ContractReport, item: &str) -> &'a ItemEvidence {
    report.items.iter().find(|evidence| evidence.item.as_str() == item).unwrap()
}

/// Checks a port with one wrong piece: that item disagrees, and no other does.
fn refused(piece: &str, text: &str, item: &str) -> ContractReport {
    let report = checked(&TestPort::with(piece, text), &items());
    assert_eq!(report.spec, []);
    for evidence in &report.items {
        assert_eq!(
            evidence.disagreed > 0,
            evidence.item.as_str() == item,
            "{evidence:?}\n{:?}",
            report.counterexamples
        );
    }
    let examples: Vec<_> =
        report.counterexamples.iter().filter(|example| example.item.as_str() == item).collect();
    assert!(!examples.is_empty() && examples.len() <= 3, "{examples:?}");
    assert!(examples.iter().any(|example| example.may_be_shown), "{examples:?}");
    report
}

#[test]
fn a_right_port_agrees_everywhere() {
    let report = checked(&TestPort::with("", ""), &items());
    assert_eq!((&report.source_blocked, report.spec.len()), (&None, 0), "{report:?}");
    assert_eq!(report.counterexamples, []);
    for evidence in &report.items {
        assert!(evidence.disagreed == 0 && evidence.agreed > 50, "{evidence:?}");
        assert_eq!(evidence.blocked, 0, "{evidence:?}");
        assert_eq!(evidence.agreed, evidence.harvested + evidence.generated, "{evidence:?}");
    }
    assert_eq!(evidence(&report, "tiny::pair").harvested, 1);
    let counted = evidence(&report, "tiny::byte_len");
    assert_eq!((counted.blocks_reached, counted.blocks_total), (1, 2));
}

#[test]
fn length_in_characters_is_refused_with_the_smallest_text() {
    let report = refused("byte_len", "def byte_len(text):\n    return len(text)\n", "tiny::byte_len");
    let first = &report.counterexamples[0];
    assert!(first.call.chars().count() <= "port.byte_len('\\U0001f600')".len(), "{first:?}");
    assert_eq!(first.port, "1", "{first:?}");
}

#[test]
fn floor_division_is_refused() {
    let report = refused("halve", "def halve(number):\n    return number // 2\n", "tiny::halve");
    assert_eq!(report.counterexamples[0].call, "port.halve(-1)", "{report:?}");
    assert_eq!(
        (report.counterexamples[0].upstream.as_str(), report.counterexamples[0].port.as_str()),
        ("0", "-1")
    );
}

#[test]
fn a_run_that_is_one_too_long_is_refused() {
    let wrong = PORT
        .iter()
        .find(|(name, _)| *name == "longest_run")
        .unwrap()
        .1
        .replace("best = run = 0", "best = run = 1");
    refused("longest_run", &wrong, "tiny::longest_run");
}

#[test]
fn a_hang_is_a_disagreement_and_the_others_are_still_checked() {
    let wrong = "def index_of(text, wanted):\n    at = text.find(wanted)\n    while text == 'a':\n        pass\n    return None if at < 0 else at\n";
    let report = refused("index_of", wrong, "tiny::index_of");
    assert!(report.counterexamples.iter().any(|example| example.port.contains("in time")), "{report:?}");
}

#[test]
fn a_crash_of_the_interpreter_is_a_disagreement() {
    let wrong =
        "import os\ndef mean(a, b):\n    if a == 1.0:\n        os.abort()\n    return (a + b) / 2.0\n";
    let report = refused("mean", wrong, "tiny::mean");
    assert!(report.counterexamples.iter().any(|example| example.port.contains("signal 6")), "{report:?}");
}

#[test]
fn leaving_quietly_is_a_disagreement() {
    let wrong =
        "import os\ndef next_byte(byte):\n    if byte == 255:\n        os._exit(0)\n    return byte + 1\n";
    refused("next_byte", wrong, "tiny::next_byte");
}

#[test]
fn broken_code_is_no_error_of_the_upstreams() {
    let wrong =
        "def next_byte(byte):\n    if byte == 255:\n        return undefined_name\n    return byte + 1\n";
    let report = refused("next_byte", wrong, "tiny::next_byte");
    assert!(report.counterexamples[0].port.contains("NameError"), "{report:?}");
}

#[test]
fn a_stub_is_no_error_of_the_upstreams() {
    refused(
        "next_byte",
        "def next_byte(byte):\n    if byte == 255:\n        raise NotImplementedError\n    return byte + 1\n",
        "tiny::next_byte",
    );
}

#[test]
fn an_integer_is_no_float() {
    refused("mean", "def mean(a, b):\n    m = (a + b) / 2.0\n    return 0 if m == 0 else m\n", "tiny::mean");
}

#[test]
fn swallowing_the_panic_of_a_method_is_refused() {
    let wrong = "class Counter:\n    def __new__(cls, start):\n        return None if start == 13 else super().__new__(cls)\n    \
                 def __init__(self, start):\n        self.total = start\n    def add(self, more):\n        \
                 self.total = (self.total + more) % 256\n        return self.total\n";
    let report = refused("Counter", wrong, "tiny::Counter::add");
    assert!(report.counterexamples[0].call.starts_with("port.Counter("), "{report:?}");
    assert!(report.counterexamples[0].upstream.starts_with("panics"), "{report:?}");
}

#[test]
fn what_a_port_prints_and_reads_disturbs_nothing() {
    let noisy = "import sys, os\nprint('[0, [\"value\", [\"u\"]]]')\ndef shout(text):\n    print('noise'); os.write(1, b'noise\\n[1]')\n    \
                 sys.stderr.write('noise'); sys.stdin.read()\n    return text.upper() + '!'\n";
    let report = checked(&TestPort::with("shout", noisy), &items());
    assert!(
        report.items.iter().all(|evidence| evidence.disagreed == 0 && evidence.blocked == 0),
        "{report:?}"
    );
}

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
fn what_cannot_be_probed_has_a_reason() {
    let plan = built().ready().plan();
    let reason = |item: &str| plan.not_probed.get(&ItemPath::new(item).unwrap()).cloned().unwrap_or_default();
    assert!(reason("tiny::misread").contains("does not compile"), "{plan:?}");
    assert!(reason("tiny::mute").contains("does not compile"), "{plan:?}");
    assert_eq!(reason("tiny::word"), "");
    assert!(reason("tiny::mapped").contains("cannot be generated"), "{plan:?}");
    assert!(reason("tiny::PairError").contains("not a function"), "{plan:?}");
    assert!(reason("tiny::gone").contains("no such item"), "{plan:?}");
}

#[test]
fn an_unsteady_upstream_and_its_crashes_block_and_refuse_nobody() {
    let port = TestPort::of(
        "def weather():\n    return 4\ndef deep(steps):\n    total = 0\n    for _ in range(min(steps, 10**6)):\n        total = 1 + total % 7\n    return total\n",
    );
    let items = [contract_item("tiny::weather", "port.weather"), contract_item("tiny::deep", "port.deep")];
    let report = checked(&port, &items);
    let weather = evidence(&report, "tiny::weather");
    assert!(weather.not_probed.as_ref().unwrap().contains("differently"), "{weather:?}");
    let deep = evidence(&report, "tiny::deep");
    assert!(deep.blocked > 0 && deep.disagreed == 0, "{deep:?}");
}

#[test]
fn an_upstream_that_does_not_build_is_blocked_with_the_compilers_words() {
    let built = Built::of("pub fn halve(number: i32) -> i32 { number / }", &["tiny::halve"]);
    let report = checked_with(&built, &TestPort::with("", ""), &items()[1..2], None);
    assert!(report.source_blocked.as_ref().unwrap().contains("expected expression"), "{report:?}");
    assert_eq!(report.items, []);
}

#[test]
fn changes_of_both_sides_are_counted_and_an_oracle_is_built_once() {
    let before = Built::of(&UPSTREAM.replace("number / 2", "number / 3"), &["tiny::halve", "tiny::mean"]);
    let again = prepare(
        before.folder.path(),
        &UPSTREAM.replace("number / 2", "number / 3"),
        &["tiny::halve", "tiny::mean"],
    );
    let Prepared::Ready(again) = again else { panic!("it was built before") };
    assert_eq!(again.key(), before.ready().key());

    let items = &items()[1..3];
    let kept = TestPort::with("halve", "def halve(number):\n    return int(number / 3)\n");
    let port_before = kept.side();
    let old = OldRevision { oracle: before.ready(), port: &port_before };
    let report = checked_with(built(), &TestPort::with("", ""), items, Some(old));
    let halve = evidence(&report, "tiny::halve");
    assert!(halve.changed_upstream.unwrap() > 50, "{halve:?}");
    assert_eq!(halve.changed_upstream, halve.changed_port);
    assert_eq!(halve.changed_alike, Some(halve.agreed));
    assert_eq!(evidence(&report, "tiny::mean").changed_upstream, Some(0));

    let stale = checked_with(built(), &kept, items, Some(old));
    assert_eq!(evidence(&stale, "tiny::halve").changed_port, Some(0));
    assert!(evidence(&stale, "tiny::halve").changed_alike < evidence(&stale, "tiny::halve").changed_upstream);
}

#[test]
fn the_deciding_pool_changes_with_its_seed_alone() {
    let plan = &built().ready().plan().functions;
    let other = Pools { deciding_seed: "other".into(), ..pools() };
    let ((development, deciding), (same, different)) =
        (pools::draw(plan, &[], &pools()), pools::draw(plan, &[], &other));
    assert_eq!(development, same);
    assert_ne!(deciding, different);
    assert!(deciding.iter().all(|probe| {
        !probe.may_be_shown
            && !development
                .iter()
                .any(|known| known.function == probe.function && known.arguments == probe.arguments)
    }));
}

fn signature(item: &mut Item) -> &mut FunctionSignature {
    item.signature.as_mut().unwrap()
}

fn reason(item: Item) -> String {
    let mut snapshot = snapshot();
    let path = item.path.clone();
    snapshot.items.insert(path.clone(), item);
    plan_items(&snapshot, std::slice::from_ref(&path), &BTreeMap::new())
        .not_probed
        .remove(&path)
        .unwrap_or_default()
}

#[test]
fn each_kind_of_item_that_cannot_be_called_has_a_reason_of_its_own() {
    let with = |change: fn(&mut Item)| {
        let mut item = function("tiny::other", &[("text", text())], RustType::named("usize"));
        change(&mut item);
        reason(item)
    };
    assert_eq!(with(|_| {}), "");
    assert_eq!(with(|item| signature(item).is_async = true), "it is async");
    assert_eq!(with(|item| signature(item).is_unsafe = true), "it is unsafe");
    assert_eq!(with(|item| item.is_test = true), "it is test code");
    assert!(with(|item| item.exported = false).contains("cannot be named"));
    assert!(
        with(|item| signature(item).generics = vec!["const N: usize".into()]).contains("const parameter")
    );
    assert!(with(|item| signature(item).generics = vec!["W: std::io::Write".into()]).contains("`W`"));
    assert!(with(|item| signature(item).output = RustType::named("Counter")).contains("no `Debug`"));
    assert!(
        with(|item| signature(item).output = RustType::named("Elsewhere")).contains("cannot be observed")
    );
    let in_place =
        RustType::Reference { mutable: true, target: Box::new(applied("Vec", vec![RustType::named("u8")])) };
    let changes = function("tiny::other", &[("bytes", in_place)], RustType::unit());
    assert!(reason(changes).contains("in place"));
    let private = Item {
        visibility: Visibility::Private,
        ..method("tiny::Counter::peek", Some(Receiver::Shared), &[], RustType::named("u8"))
    };
    assert!(reason(private).contains("cannot be named"));
}

/// `struct Glob<const STAR: char, T>` with `new` and `matches`, and whether there is `type Plain`.
fn generic_type(alias: Option<&str>) -> Snapshot {
    let mut snapshot = snapshot();
    let mut glob = item("tiny::Glob", ItemKind::Struct);
    glob.text = "#[derive(Debug)]\npub struct Glob<const STAR: char, T> { weight: T }".into();
    glob.attributes = vec!["#[derive(Debug)]".into()];
    let own = applied("Glob", vec![RustType::named("STAR"), RustType::named("T")]);
    let mut items = vec![
        glob,
        method("tiny::Glob::new", None, &[("weight", RustType::named("T"))], own),
        method(
            "tiny::Glob::matches",
            Some(Receiver::Shared),
            &[("input", text())],
            applied("Option", vec![RustType::named("T")]),
        ),
    ];
    items.extend(alias.map(|argument| {
        let mut alias = item("tiny::Plain", ItemKind::TypeAlias);
        alias.text = format!("pub type Plain = Glob<'*', {argument}>;");
        let star = RustType::Other("'*'".into());
        alias.aliased = Some(applied("Glob", vec![star, RustType::named(argument)]));
        alias
    }));
    snapshot.items.extend(items.into_iter().map(|item| (item.path.clone(), item)));
    snapshot
}

#[test]
fn a_generic_type_is_called_as_the_alias_by_which_its_crate_makes_it_concrete() {
    let paths = ["tiny::Glob::new", "tiny::Glob::matches"].map(|path| path.parse().unwrap());
    let plan = plan_items(&generic_type(Some("u8")), &paths, &BTreeMap::new());
    assert_eq!(plan.not_probed, BTreeMap::new());
    let [matches, new] = plan.functions.as_slice() else { panic!("{:?}", plan.functions) };
    assert_eq!(new.call, "written(&(::tiny::Plain::new(a0.clone())))");
    assert_eq!(new.observed, BTreeSet::from(["::tiny::Plain".to_owned()]));
    assert_eq!(matches.owned, ["u8", "String"]);
    assert!(matches.call.contains("::tiny::Plain::matches(&receiver, a1.as_str())"), "{}", matches.call);
}

#[test]
fn the_init_of_a_class_is_called_as_its_class() {
    let folder = tempfile::tempdir().unwrap();
    let source = "#[derive(Debug)]\npub struct Glob<const STAR: char, T> { weight: T }\n\
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
fn a_generic_type_that_no_alias_makes_concrete_has_a_reason() {
    let path: ItemPath = "tiny::Glob::matches".parse().unwrap();
    let plan = plan_items(&generic_type(None), std::slice::from_ref(&path), &BTreeMap::new());
    assert_eq!(plan.not_probed[&path], "its type `Glob` is generic, and no public alias makes it concrete");
}

#[test]
fn a_re_exported_function_is_called_by_its_public_path() {
    let mut snapshot = snapshot();
    let hidden = Item {
        exported: false,
        ..function("tiny::inner::twice", &[("text", text())], RustType::named("usize"))
    };
    let path = hidden.path.clone();
    snapshot.items.insert(path.clone(), hidden);
    let public_paths = BTreeMap::from([(path.clone(), "tiny::twice".to_owned())]);
    let plan = plan_items(&snapshot, &[path], &public_paths);
    assert_eq!(plan.functions[0].call, "written(&(::tiny::twice(a0.as_str())))");
}

#[test]
fn a_member_of_a_workspace_with_a_dependency_and_wrapping_arithmetic_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    let write = |path: &str, text: &str| {
        let path = source.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nversion = \"2.0.0\"\n");
    write("crates/below/Cargo.toml", "[package]\nname = \"below\"\nversion.workspace = true\n");
    write("crates/below/src/lib.rs", "pub fn one() -> u8 { 1 }\n");
    let manifest = "[package]\nname = \"tiny\"\nversion.workspace = true\n[dependencies]\nbelow = { path = \"../below\" }\n";
    write("crates/tiny/Cargo.toml", manifest);
    write(
        "crates/tiny/src/lib.rs",
        "extern crate below;\npub fn next_byte(byte: u8) -> u8 { byte + ::below::one() }\n",
    );
    let package = Package { folder: "crates/tiny".into(), edition: "2015".into(), ..package() };
    let items = [contract_item("tiny::next_byte", "port.next_byte")];
    let request = OracleRequest {
        source: &source,
        source_key: "wrapping",
        snapshot: &snapshot(),
        package: &package,
        library_root: "src/lib.rs",
        items: &[items[0].item.clone()],
        public_paths: &BTreeMap::new(),
        overflow_checks: false,
        instrument: None,
        toolchain: &toolchain(),
        cache_dir: &folder.path().join("cache"),
    };
    let oracle = Oracle::prepare(&tools(), &request).unwrap();
    let built = Built { folder, oracle };
    let right = TestPort::of("def next_byte(byte):\n    return (byte + 1) % 256\n");
    let report = checked_with(&built, &right, &items, None);
    assert!(report.items[0].disagreed == 0 && report.items[0].agreed > 100, "{report:?}");
    let report = checked_with(&built, &TestPort::with("", ""), &items, None);
    assert_eq!(report.counterexamples[0].call, "port.next_byte(255)", "{report:?}");
    assert_eq!(report.counterexamples[0].upstream, "0");
}
