//! Counterexamples that name the first call at which the sides part.

use super::*;

const DEEP: &str = r#"
#[derive(Debug)]
pub struct Spot { x: i64, seen: Vec<String> }
impl Spot {
    pub fn moved(&mut self, by: i64) { self.x += halved(by); self.seen.push(format!("{by}")); }
}
pub struct Mute(i64);
pub fn top(number: i64) -> i64 { middle(number % 1000) * 2 }
pub fn middle(number: i64) -> i64 {
    let mut spot = Spot { x: 1, seen: Vec::new() };
    if number == 7 { return 0; }
    spot.moved(number);
    spot.x + muted(&Mute(number))
}
pub fn halved(number: i64) -> i64 { if number < 0 { panic!("no") } number / 2 }
pub fn muted(mute: &Mute) -> i64 { mute.0 + 1 }
// The marks cannot be put here: what is left in `items` is moved.
pub fn eaten(items: &mut Vec<i64>) -> i64 { let all = items; all.clear(); let more = all; drop(more); 1 }
"#;

const RIGHT: &str = "
class Spot:
    def __init__(self, x):
        self.x, self.seen = x, []
    def moved(self, by):
        self.x += halved(by)
        self.seen.append(str(by))
class Mute:
    def __init__(self, number):
        self._number = number
def top(number):
    return middle(number % 1000 if number >= 0 else -(-number % 1000)) * 2
def middle(number):
    spot = Spot(1)
    if number == 7:
        return 0
    spot.moved(number)
    return spot.x + muted(Mute(number))
def halved(number):
    if number < 0:
        raise ValueError
    return number // 2
def muted(mute):
    return mute._number + 1
";

const NAMES: &[&str] =
    &["tiny::top", "tiny::middle", "tiny::Spot::moved", "tiny::halved", "tiny::muted", "tiny::eaten"];

#[derive(Debug)]
pub(super) struct Traced(pub(super) Oracle);

impl Tracer for Traced {
    fn traced(&self) -> Result<Prepared, ContractError> {
        Ok(Prepared::Ready(self.0.clone()))
    }
}

/// There is nothing that could be asked.
#[derive(Debug)]
struct Broken;

impl Tracer for Broken {
    fn traced(&self) -> Result<Prepared, ContractError> {
        Err(ContractError::Provisioning { reason: "no".to_owned() })
    }
}

struct Deep {
    snapshot: Snapshot,
    oracle: Prepared,
    traced: Traced,
    _folder: tempfile::TempDir,
}

fn deep() -> &'static Deep {
    static DEEP_ONE: OnceLock<Deep> = OnceLock::new();
    DEEP_ONE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        write_crate(&folder.path().join("source"), DEEP);
        let snapshot = types::read_snapshot(DEEP);
        let oracle = prepare_from(folder.path(), DEEP, NAMES, &snapshot);
        let Prepared::Ready(traced) = prepare_with(folder.path(), DEEP, NAMES, &snapshot, &CallLog) else {
            panic!("the marked crate does not build")
        };
        Deep { snapshot, oracle, traced: Traced(traced), _folder: folder }
    })
}

fn asked(port: &str, tracer: &dyn Tracer) -> ContractReport {
    let links: BTreeMap<_, _> = NAMES
        .iter()
        .filter(|name| !name.ends_with("eaten"))
        .map(|name| {
            let symbol = name.replace("tiny::", "port.").replace("::", ".");
            (ItemPath::new(*name).unwrap(), SymbolPath::new(symbol).unwrap())
        })
        .collect();
    let port = TestPort::of(port);
    let request = ContractRequest {
        upstream: &deep().oracle,
        snapshot: &deep().snapshot,
        candidate: &port.side(),
        old: None,
        items: &[contract_item("tiny::top", "port.top")],
        links: &links,
        harvested: &[],
        recorded: &Recorded::default(),
        pools: &pools(),
        profile: &Profile::default(),
        counterexamples_max: COUNTEREXAMPLES_MAX,
        tracer: Some(tracer),
    };
    check(&tools(), &request).unwrap()
}

fn named(report: &ContractReport) -> Option<&str> {
    report.counterexamples.first()?.divergence.as_ref().map(|found| found.symbol.as_str())
}

#[test]
fn the_wrong_function_is_named_however_deep_it_stands() {
    for (this, that, symbol) in [
        ("return number // 2", "return number // 3", "port.halved"),
        ("self.x += halved(by)", "self.x = halved(by)", "port.Spot.moved"),
        ("self.x += halved(by)", "self.x += halved(by + 1)", "port.Spot.moved"),
        ("if number == 7:", "if number == 8:", "port.middle"),
        ("mute._number + 1", "mute._number", "port.muted"),
        ("        raise ValueError\n", "        return 0\n", "port.halved"),
        ("* 2\ndef middle", "* 3\ndef middle", "port.top"),
    ] {
        assert!(RIGHT.contains(this), "{this}");
        let report = asked(&RIGHT.replace(this, that), &deep().traced);
        assert_eq!(named(&report), Some(symbol), "{this}: {report:?}");
    }
    assert!(asked(RIGHT, &deep().traced).counterexamples.is_empty());
}

#[test]
fn a_function_whose_marks_do_not_compile_is_left_as_it_is() {
    let traced: Vec<&str> = deep().traced.0.traced().iter().map(|(_, item)| item.name()).collect();
    assert_eq!(traced, ["moved", "halved", "middle", "muted", "top"]);
}

#[test]
fn a_counterexample_stands_where_its_cause_cannot_be_looked_for() {
    let report = asked(&RIGHT.replace("number // 2", "number // 3"), &Broken);
    assert!(!report.counterexamples.is_empty());
    assert_eq!(named(&report), None);
    assert_eq!(
        report.notes,
        ["counterexamples were not traced: cannot prepare the upstream's build: no"],
        "it is told"
    );
    assert!(asked(RIGHT, &deep().traced).notes.is_empty());
}
