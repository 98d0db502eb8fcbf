//! Arguments of the upstream's own types.

use super::*;

const MAKING: &str = r#"
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Side { Left, RightHand, Other(u8) }
#[derive(Debug, Clone)]
pub struct Options { width: usize, side: Side }
impl Options { pub fn new(width: u8, side: Side) -> Self { Options { width: width as usize, side } } }
pub struct Pair { pub low: i32, pub high: i32 }
#[derive(Debug, PartialEq)]
pub struct Odd;
#[derive(Debug, Clone)]
pub struct Even(u32);
impl Even {
    pub fn checked(number: u32) -> Result<Self, Odd> { if number % 2 == 0 { Ok(Even(number)) } else { Err(Odd) } }
}
pub fn pad(text: &str, options: &Options) -> String {
    let dots = ".".repeat(options.width % 7);
    if options.side == Side::Left { format!("{dots}{text}") } else { format!("{text}{dots}") }
}
pub fn width<O: Into<Options>>(options: O) -> usize { options.into().width }
pub fn span(pairs: &[Pair]) -> i64 { pairs.iter().map(|pair| i64::from(pair.high) - i64::from(pair.low)).sum() }
pub fn halve(even: Even) -> u32 { even.0 / 2 }
pub fn repeats<'a, I, E>(items: &'a I) -> usize where I: ?Sized, &'a I: IntoIterator<Item = E>, E: PartialEq {
    let items: Vec<E> = items.into_iter().collect();
    items.windows(2).filter(|pair| pair[0] == pair[1]).count()
}
pub fn backwards<T: std::iter::FromIterator<char>>(text: &str) -> T { text.chars().rev().collect() }
pub fn shout(text: &mut String) { text.make_ascii_uppercase(); }
pub fn fill(bytes: &mut [u8], with: u8) -> usize { bytes.fill(with); bytes.len() }
pub fn tidy(items: &mut Vec<i32>) -> Result<(), Odd> {
    if items.len() % 2 == 1 { return Err(Odd) }
    items.sort();
    Ok(())
}
impl Side { pub fn label(&self, loud: bool) -> &'static str { if loud { "SIDE" } else if *self == Side::Left { "left" } else { "right" } } }
impl std::fmt::Display for Side { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.label(false)) } }
pub struct Countdown(u8);
impl Countdown { pub fn new(from: u8) -> Self { Countdown(from) } }
impl Iterator for Countdown {
    type Item = u8;
    fn next(&mut self) -> Option<u8> { self.0 = self.0.checked_sub(3)?; Some(self.0) }
}
#[derive(Debug, PartialEq)]
pub struct Wide { pub width: usize }
impl From<Pair> for Wide { fn from(pair: Pair) -> Self { Wide { width: (pair.high / 4).max(0) as usize } } }
"#;

const RIGHT: &str = "
import enum
class Side(enum.Enum):
    LEFT = 1
    RIGHT_HAND = 2
class Options:
    def __init__(self, width, side):
        self.width, self.side = width, side
class Pair:
    def __init__(self, low, high):
        self.low, self.high = low, high
class Odd(Exception):
    pass
class Even:
    def __init__(self, number):
        self.number = number
    @staticmethod
    def checked(number):
        if number % 2:
            raise Odd
        return Even(number)
def pad(text, options):
    dots = '.' * (options.width % 7)
    return dots + text if options.side is Side.LEFT else text + dots
def width(options):
    return options.width
def span(pairs):
    return sum(pair.high - pair.low for pair in pairs)
def halve(even):
    return even.number // 2
def repeats(items):
    return sum(one == other for one, other in zip(items, items[1:]))
def backwards(text):
    return text[::-1]
def shout(text):
    return ''.join(c.upper() if c.isascii() else c for c in text)
def fill(data, byte):
    for at in range(len(data)):
        data[at] = byte
    return len(data)
def tidy(items):
    if len(items) % 2:
        raise Odd
    items.sort()
def label(self, loud):
    return 'SIDE' if loud else 'left' if self is Side.LEFT else 'right'
Side.label = label
Side.__str__ = lambda self: self.label(False)
class Countdown:
    def __init__(self, start):
        self.left = start
    def __iter__(self):
        return self
    def __next__(self):
        self.left -= 3
        if self.left < 0:
            raise StopIteration
        return self.left
class Wide:
    def __init__(self, width):
        self.width = width
    @classmethod
    def of(cls, pair):
        return cls(max(int(pair.high / 4), 0))
";

const LINKS: &[(&str, &str)] = &[
    ("tiny::Side", "port.Side"),
    ("tiny::Options", "port.Options"),
    ("tiny::Options::new", "port.Options.__init__"),
    ("tiny::Pair", "port.Pair"),
    ("tiny::Odd", "port.Odd"),
    ("tiny::Even::checked", "port.Even.checked"),
    ("tiny::Wide", "port.Wide"),
];

const ASKED: &[(&str, &str)] = &[
    ("tiny::pad", "port.pad"),
    ("tiny::width", "port.width"),
    ("tiny::span", "port.span"),
    ("tiny::halve", "port.halve"),
    ("tiny::Side::label", "port.Side.label"),
    ("tiny::<Side as std::fmt::Display>::fmt", "port.Side.__str__"),
    ("tiny::<Countdown as Iterator>::next", "port.Countdown.__next__"),
    ("tiny::<Wide as From<Pair>>::from", "port.Wide.of"),
    ("tiny::repeats", "port.repeats"),
    ("tiny::backwards", "port.backwards"),
    ("tiny::shout", "port.shout"),
    ("tiny::fill", "port.fill"),
    ("tiny::tidy", "port.tidy"),
];

struct Making {
    snapshot: Snapshot,
    oracle: Prepared,
    _folder: tempfile::TempDir,
}

fn making() -> &'static Making {
    static MADE: OnceLock<Making> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        write_crate(&folder.path().join("source"), MAKING);
        let snapshot = types::read_snapshot(MAKING);
        let paths: Vec<_> = ASKED.iter().map(|(item, _)| *item).collect();
        let oracle = prepare_from(folder.path(), MAKING, &paths, &snapshot);
        Making { snapshot, oracle, _folder: folder }
    })
}

fn asked(port: &str, links: &[(&str, &str)]) -> ContractReport {
    let items: Vec<_> = ASKED.iter().map(|(item, symbol)| contract_item(item, symbol)).collect();
    let links: BTreeMap<_, _> = links
        .iter()
        .map(|(item, symbol)| (ItemPath::new(*item).unwrap(), SymbolPath::new(*symbol).unwrap()))
        .collect();
    let port = TestPort::of(port);
    let request = ContractRequest {
        upstream: &making().oracle,
        snapshot: &making().snapshot,
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
    report.items.iter().filter(|one| one.disagreed > 0).map(|one| one.item.as_str()).collect()
}

#[test]
fn constructors_fields_and_variants_make_the_arguments_on_both_sides() {
    let report = asked(RIGHT, LINKS);
    for one in &report.items {
        // A side without fields can be two things.
        let enough = if one.item.as_str().contains("Side") { 2 } else { 50 };
        assert!(one.agreed >= enough && one.disagreed == 0 && one.not_probed.is_none(), "{one:?} {report:?}");
    }
}

#[test]
fn a_difference_is_shown_as_a_call_that_can_be_run() {
    for (this, that, item, call) in [
        (
            "options.width % 7",
            "options.width % 8",
            "tiny::pad",
            "port.pad('', port.Options(7, port.Side.Left))",
        ),
        ("options.side is Side", "options.side is not Side", "tiny::pad", "port.pad("),
        ("pair.high - pair.low", "abs(pair.high - pair.low)", "tiny::span", "port.span([port.Pair("),
        ("even.number // 2", "even.number // 2 + 1", "tiny::halve", "port.halve(port.Even.checked(0))"),
        ("'SIDE' if loud", "'Side' if loud", "tiny::Side::label", "port.Side.label(port.Side."),
        (
            "if self.left < 0",
            "if self.left <= 0",
            "tiny::<Countdown as Iterator>::next",
            "port.Countdown(3).__next__()",
        ),
        (
            "max(int(pair.high / 4), 0)",
            "int(pair.high / 4)",
            "tiny::<Wide as From<Pair>>::from",
            "port.Wide.of(port.Pair(",
        ),
        // What is left in arguments that the upstream changes belongs to the result.
        ("if c.isascii() else c", "", "tiny::shout", "port.shout("),
        ("data[at] = byte", "pass", "tiny::fill", "port.fill("),
        ("    items.sort()\n", "", "tiny::tidy", "port.tidy("),
        // The error of what makes an argument is the outcome of the call.
        (
            "        if number % 2:\n            raise Odd\n",
            "",
            "tiny::halve",
            "port.halve(port.Even.checked(1))",
        ),
    ] {
        assert!(RIGHT.contains(this), "{this}");
        let report = asked(&RIGHT.replace(this, that), LINKS);
        assert_eq!(disagreeing(&report), [item], "{report:?}");
        let shown = &report.counterexamples[0].call;
        assert!(shown.starts_with(call), "{shown}");
    }
}

#[test]
fn a_port_that_makes_its_values_otherwise_is_not_compared_and_not_refused() {
    for (this, that, said) in [
        (
            "def __init__(self, width, side):",
            "def __init__(self, width, side, fill):",
            "takes other arguments",
        ),
        ("    LEFT = 1\n", "    LEFTMOST = 1\n", "nothing named like the variant `Left`"),
    ] {
        assert!(RIGHT.contains(this), "{this}");
        let report = asked(&RIGHT.replace(this, that).replace("Side.LEFT else", "Side(1) else"), LINKS);
        let pad = evidence(&report, "tiny::pad");
        assert_eq!(pad.disagreed, 0, "{report:?}");
        assert!(
            pad.unobserved > 0 && pad.not_probed.as_ref().is_some_and(|why| why.contains(said)),
            "{pad:?}"
        );
    }
}

#[test]
fn an_argument_that_is_linked_to_nothing_is_a_reason() {
    let links: Vec<_> = LINKS.iter().copied().filter(|(item, _)| *item != "tiny::Pair").collect();
    let report = asked(RIGHT, &links);
    let span = evidence(&report, "tiny::span");
    assert_eq!(
        span.not_probed.as_deref(),
        Some("its argument is made by `tiny::Pair`, which is linked to no symbol")
    );
    assert_eq!((span.agreed, span.disagreed), (0, 0));
}

#[test]
fn what_the_upstream_leaves_in_an_argument_may_be_returned() {
    let returned = RIGHT
        .replace(
            "        data[at] = byte\n    return len(data)",
            "        pass\n    return len(data), bytes([byte]) * len(data)",
        )
        .replace("    items.sort()\n", "    return sorted(items)\n");
    let report = asked(&returned, LINKS);
    assert_eq!(disagreeing(&report), Vec::<&str>::new(), "{report:?}");
    let half = returned.replace("return len(data), bytes", "return bytes");
    assert_eq!(disagreeing(&asked(&half, LINKS)), ["tiny::fill"]);
}
