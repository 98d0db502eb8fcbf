//! The whole contract against a crate of our own, through the real cargo and python3.

mod agreement;
mod divergence;
mod made;
mod oracles;
mod plans;
mod pools;
mod recorded;
mod sequences;
mod spec;
mod traced;
mod types;

use std::collections::BTreeMap;
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
pub struct Word<'a, 'b>(pub &'a str, pub &'b str);
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

pub(super) fn item(path: &str, kind: ItemKind) -> Item {
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
        mentions: upstream::Words::default(),
    }
}

pub(super) fn text() -> RustType {
    RustType::Reference { mutable: false, target: Box::new(RustType::named("str")) }
}

pub(super) fn applied(name: &str, arguments: Vec<RustType>) -> RustType {
    RustType::Named { path: vec![name.into()], arguments }
}

pub(super) fn function(path: &str, parameters: &[(&str, RustType)], output: RustType) -> Item {
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

pub(super) fn method(
    path: &str,
    receiver: Option<Receiver>,
    parameters: &[(&str, RustType)],
    output: RustType,
) -> Item {
    let mut method = function(path, parameters, output);
    method.kind = ItemKind::Method;
    if let Some(signature) = &mut method.signature {
        signature.receiver = receiver;
    }
    method
}

pub(super) fn snapshot() -> Snapshot {
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
    word.text = "#[derive(Debug)]\npub struct Word<'a, 'b>(pub &'a str, pub &'b str);".into();
    word.attributes = vec!["#[derive(Debug)]".into()];
    let mut mute = item("tiny::Mute", ItemKind::Struct);
    mute.text = "pub struct Mute;".into();
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
        build_timeout_ms: 10 * 60 * 1000,
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
         pub fn reset() { SEEN.lock().unwrap().clear(); } \
         pub fn reached() -> Vec<u32> { SEEN.lock().unwrap().clone() } }"
            .into()
    }

    fn reset(&self) -> String {
        "::$::counted::reset();".into()
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
    prepare_with(folder, source_key, names, snapshot, &CountsOne)
}

fn prepare_with(
    folder: &Path,
    source_key: &str,
    names: &[&str],
    snapshot: &Snapshot,
    instrument: &dyn Instrument,
) -> Prepared {
    let items: Vec<_> = names.iter().map(|name| ItemPath::new(*name).unwrap()).collect();
    let request = OracleRequest {
        source: &folder.join("source"),
        source_key,
        snapshot,
        package: &package(),
        library_root: "src/lib.rs",
        items: &items,
        public_paths: &BTreeMap::new(),
        profile: &BuildProfile::default(),
        instrument: Some(instrument),
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
            environment: BTreeMap::new(),
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
        recorded: &Recorded::default(),
        pools: &pools(),
        profile: &Profile::default(),
        counterexamples_max: COUNTEREXAMPLES_MAX,
        tracer: None,
    };
    check(&tools(), &request).unwrap()
}

fn evidence<'a>(report: &'a ContractReport, item: &str) -> &'a ItemEvidence {
    report.items.iter().find(|evidence| evidence.item.as_str() == item).unwrap()
}

/// `struct Glob<const STAR: char, T>` with `new` and `matches`, and whether there is `type Plain`.
fn generic_type(alias: Option<&str>) -> Snapshot {
    let mut snapshot = snapshot();
    let mut glob = item("tiny::Glob", ItemKind::Struct);
    glob.text = "#[derive(Debug)]\npub struct Glob<const STAR: char, T> { pub weight: T }".into();
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
