//! Calls one after another on one value.

use super::*;

const STATEFUL: &str = r"
#[derive(Debug)]
pub struct Full;
pub struct Tally { total: u8 }
impl Tally {
    pub fn new(start: u8) -> Self { Self { total: start } }
    pub fn add(&mut self, more: u8) -> u8 { self.total += more; self.total }
    pub fn total(&self) -> u8 { self.total }
}
pub struct Ring { items: Vec<i32>, room: usize }
impl Ring {
    pub fn with_room(room: u8) -> Self { Ring { items: Vec::new(), room: room as usize } }
    pub fn push(&mut self, item: i32) -> Result<(), Full> {
        if self.items.len() >= self.room { return Err(Full) }
        self.items.push(item);
        Ok(())
    }
    pub fn pop(&mut self) -> Option<i32> { if self.items.is_empty() { None } else { Some(self.items.remove(0)) } }
    pub fn len(&self) -> usize { self.items.len() }
}
pub struct Words<'a> { pub at: usize, text: &'a str }
impl<'a> Words<'a> {
    pub fn new(text: &'a str) -> Self { Words { at: 0, text } }
    pub fn restart(&mut self, text: &'a str) { self.at = 0; self.text = text; }
}
impl<'a> Iterator for Words<'a> {
    type Item = &'a str;
    fn next(&mut self) -> Option<&'a str> {
        let word = self.text.split(' ').nth(self.at)?;
        self.at += 1;
        Some(word)
    }
}
pub struct Job { done: u32 }
impl Job {
    pub fn new() -> Self { Job { done: 0 } }
    pub fn run(&mut self, with: fn(u32) -> u32) -> u32 { self.done = with(self.done); self.done }
}
";

const RIGHT: &str = "
class Full(Exception):
    pass
class Tally:
    def __init__(self, start):
        self._total = start
    def add(self, more):
        if self._total + more > 255:
            raise OverflowError
        self._total += more
        return self._total
    def total(self):
        return self._total
class Ring:
    def __init__(self, room):
        self._items, self._room = [], room
    def push(self, item):
        if len(self._items) >= self._room:
            raise Full
        self._items.append(item)
    def pop(self):
        return self._items.pop(0) if self._items else None
    def __len__(self):
        return len(self._items)
class Words:
    def __init__(self, text):
        self.at, self._text = 0, text
    def restart(self, text):
        self.at, self._text = 0, text
    def __next__(self):
        words = self._text.split(' ')
        if self.at >= len(words):
            raise StopIteration
        self.at += 1
        return words[self.at - 1]
class Job:
    def __init__(self):
        self.done = 0
    def run(self, by):
        self.done = by(self.done)
        return self.done
";

const LINKS: &[(&str, &str)] = &[
    ("tiny::Full", "port.Full"),
    ("tiny::Tally", "port.Tally"),
    ("tiny::Ring", "port.Ring"),
    ("tiny::Ring::with_room", "port.Ring.__init__"),
    ("tiny::Words", "port.Words"),
];

const ASKED: &[(&str, &str)] = &[
    ("tiny::Tally::add", "port.Tally.add"),
    ("tiny::Tally::total", "port.Tally.total"),
    ("tiny::Ring::push", "port.Ring.push"),
    ("tiny::Ring::pop", "port.Ring.pop"),
    ("tiny::Ring::len", "port.Ring.__len__"),
    ("tiny::Words::restart", "port.Words.restart"),
    ("tiny::<Words as Iterator>::next", "port.Words.__next__"),
    ("tiny::Job::run", "port.Job.run"),
];

struct Stateful {
    snapshot: Snapshot,
    oracle: Prepared,
    _folder: tempfile::TempDir,
}

fn stateful() -> &'static Stateful {
    static STATEFUL_ONE: OnceLock<Stateful> = OnceLock::new();
    STATEFUL_ONE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        write_crate(&folder.path().join("source"), STATEFUL);
        let snapshot = types::read_snapshot(STATEFUL);
        let paths: Vec<_> = ASKED.iter().map(|(item, _)| *item).collect();
        let oracle = prepare_from(folder.path(), STATEFUL, &paths, &snapshot);
        Stateful { snapshot, oracle, _folder: folder }
    })
}

fn asked(port: &str, asked: &[(&str, &str)]) -> ContractReport {
    let items: Vec<_> = asked.iter().map(|(item, symbol)| contract_item(item, symbol)).collect();
    let links: BTreeMap<_, _> = LINKS
        .iter()
        .chain(ASKED)
        .map(|(item, symbol)| (ItemPath::new(*item).unwrap(), SymbolPath::new(*symbol).unwrap()))
        .collect();
    let port = TestPort::of(port);
    let request = ContractRequest {
        upstream: &stateful().oracle,
        snapshot: &stateful().snapshot,
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

/// The right port with one piece of it replaced.
fn changed(this: &str, that: &str) -> String {
    assert!(RIGHT.contains(this), "{this}");
    RIGHT.replace(this, that)
}

fn of<'a>(report: &'a ContractReport, ty: &str) -> &'a SequenceEvidence {
    report.sequences.iter().find(|one| one.of.as_str() == ty).unwrap_or_else(|| panic!("{report:?}"))
}

#[test]
fn a_right_port_agrees_on_every_sequence() {
    let report = asked(RIGHT, ASKED);
    assert!(report.items.iter().all(|one| one.disagreed == 0), "{report:?}");
    for (ty, methods) in [("tiny::Tally", 2), ("tiny::Ring", 3), ("tiny::Words", 2)] {
        let evidence = of(&report, ty);
        assert_eq!((evidence.disagreed, evidence.blocked), (0, 0), "{evidence:?}");
        assert!(evidence.agreed > 100 && evidence.calls > 800, "{evidence:?}");
        assert_eq!((evidence.methods.len(), &evidence.not_sequenced), (methods, &None), "{evidence:?}");
    }
    assert!(report.counterexamples.is_empty(), "{report:?}");
}

#[test]
fn what_no_single_call_shows_is_refused_with_the_shortest_sequence() {
    for (this, that, ty, program) in [
        (
            // It answers rightly once, and forgets.
            "        self._total += more\n        return self._total\n",
            "        return self._total + more\n",
            "tiny::Tally",
            &["it = port.Tally(0)", "it.add(1)", "print(repr(it.total()))"] as &[&str],
        ),
        (
            "self._items.pop(0)",
            "self._items.pop()",
            "tiny::Ring",
            &["it = port.Ring(2)", "it.push(0)", "it.push(1)", "print(repr(it.pop()))"],
        ),
        (
            // The error is raised, and the item kept all the same.
            "            raise Full\n        self._items.append(item)",
            "            self._items.append(item)\n            raise Full\n        self._items.append(item)",
            "tiny::Ring",
            &[
                "import contextlib",
                "it = port.Ring(0)",
                "with contextlib.suppress(Exception): it.push(0)",
                "print(repr(it.__len__()))",
            ],
        ),
        (
            // Seen in a public field alone.
            "    def restart(self, text):\n        self.at, self._text = 0, text",
            "    def restart(self, text):\n        self._text = text",
            "tiny::Words",
            &["it = port.Words('')", "it.__next__()", "it.restart('')", "print(repr(it))"],
        ),
    ] {
        let report = asked(&changed(this, that), ASKED);
        assert!(report.items.iter().all(|one| one.disagreed == 0), "{report:?}");
        let differing: Vec<_> =
            report.sequences.iter().filter(|one| one.disagreed > 0).map(|one| one.of.as_str()).collect();
        assert_eq!(differing, [ty], "{report:?}");
        let shown = report.counterexamples.iter().find(|one| one.program.len() == program.len());
        let shown = shown.unwrap_or_else(|| panic!("{report:?}"));
        assert_eq!(shown.stage, Stage::Behavioural);
        if ty != "tiny::Words" {
            assert_eq!(shown.program, program, "{shown:?}");
        }
        assert!(shown.call.starts_with("it = port.") && shown.upstream != shown.port, "{shown:?}");
        let shortest = report.counterexamples.iter().map(|one| one.program.len()).min();
        assert_eq!(shortest, Some(program.len()), "{report:?}");
    }
}

#[test]
fn a_symbol_that_failed_alone_makes_its_type_wait() {
    let report = asked(&changed("return self._items.pop(0) if", "return self._items.pop(0) if not"), ASKED);
    assert!(evidence(&report, "tiny::Ring::pop").disagreed > 0, "{report:?}");
    let ring = of(&report, "tiny::Ring");
    assert_eq!((ring.agreed, ring.disagreed), (0, 0), "{ring:?}");
    assert_eq!(
        ring.not_sequenced.as_deref(),
        Some("`tiny::Ring::pop` did not pass an earlier stage"),
        "{ring:?}"
    );
    assert!(of(&report, "tiny::Tally").agreed > 100, "other types do not wait: {report:?}");
    assert!(report.counterexamples.iter().all(|one| one.stage == Stage::Numeric), "{report:?}");
}

#[test]
fn a_fault_of_a_method_that_nobody_asked_about_is_not_laid_on_another() {
    let port = changed("self._items.pop(0)", "self._items.pop()");
    let only = |name: &str| -> Vec<(&str, &str)> {
        ASKED.iter().copied().filter(|(item, _)| item.ends_with(name)).collect()
    };
    let report = asked(&port, &only("::len"));
    let ring = of(&report, "tiny::Ring");
    assert!(ring.disagreed == 0 && ring.unobserved > 0, "{ring:?}");
    assert!(report.counterexamples.is_empty(), "{report:?}");
    let report = asked(&port, &only("::pop"));
    let ring = of(&report, "tiny::Ring");
    assert_eq!(ring.blamed.keys().map(ItemPath::name).collect::<Vec<_>>(), ["pop"], "{ring:?}");
}

#[test]
fn what_cannot_be_called_in_sequence_is_a_reason() {
    let report = asked(RIGHT, ASKED);
    let job = of(&report, "tiny::Job");
    assert_eq!((job.agreed, job.calls), (0, 0));
    let [(item, reason)] = job.left_out.as_slice() else { panic!("{job:?}") };
    assert!(item.name() == "run" && reason.contains("cannot be generated"), "{job:?}");
    assert_eq!(job.not_sequenced.as_ref(), Some(reason));
}
