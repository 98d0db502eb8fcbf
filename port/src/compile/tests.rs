//! Each construct is translated and run by the real interpreter.

use mappings::{Mapping, MappingConfig};
use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};
use upstream::tree::MemoryTree;
use upstream::{CommitId, Item, Revision, RevisionLabel, Snapshot};

use super::*;

/// A crate `k` with one file, in a port `p`.
pub(crate) fn program(source: &str) -> (Snapshot, Program) {
    let manifest = "[package]\nname = \"k\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    let tree = MemoryTree::from_iter([("Cargo.toml", manifest), ("src/lib.rs", source)]);
    let revision = Revision {
        label: RevisionLabel::new("1.0.0").unwrap(),
        commit: CommitId::new("0123456789abcdef0123456789abcdef01234567").unwrap(),
        summary: String::new(),
        published_s: None,
        withdrawn: false,
    };
    let snapshot = upstream::snapshot::read(&tree, &revision).unwrap();
    let config: MappingConfig = toml::from_str("[convention]\npackage = \"p\"\n").unwrap();
    let mapping = Mapping::new(config).unwrap();
    let unlinked = |_: &Item| None;
    let text = |file: &str| (file == "src/lib.rs").then(|| source.to_owned());
    let program = Program::read(&snapshot, "k", &mapping, &unlinked, &text);
    (snapshot, program)
}

/// The Python of a whole crate; everything in it has to be translated.
fn python(source: &str) -> String {
    let (_, program) = program(source);
    let whole = whole(&program);
    let refused: Vec<String> = whole.refused.iter().map(|(path, why)| format!("{path}: {why}")).collect();
    assert!(refused.is_empty(), "{source}\n{}", refused.join("\n"));
    whole.files.values().cloned().collect::<Vec<_>>().join("\n")
}

/// Runs a text, and then each expression: its `repr`, or the name of what it raises.
fn run(module: &str, expressions: &[&str]) -> Vec<String> {
    let mut script = format!("{module}\n\ndef tidelock_show(make):\n    try:\n        print(repr(make()))\n");
    script.push_str("    except Exception as error:\n        print('raises', type(error).__name__)\n\n");
    for expression in expressions {
        script.extend(["tidelock_show(lambda: ", expression, ")\n"]);
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("case.py"), &script).unwrap();
    let invocation = Invocation::new("python3", folder.path()).args(["-I", "case.py"]);
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    let errors = String::from_utf8_lossy(&finished.stderr).into_owned();
    assert!(errors.is_empty(), "{errors}\n{script}");
    String::from_utf8(finished.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Translates a crate and compares what its functions give.
#[track_caller]
fn gives(source: &str, cases: &[(&str, &str)]) {
    let module = python(source);
    let expressions: Vec<&str> = cases.iter().map(|(expression, _)| *expression).collect();
    let found = run(&module, &expressions);
    let wanted: Vec<&str> = cases.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(found, wanted, "{module}");
}

/// The reason for which the item `f` of a crate is refused.
#[track_caller]
fn refused(source: &str, reason: Reason) {
    let (_, program) = program(source);
    let whole = whole(&program);
    let f = ItemPath::new("k::f").unwrap();
    match whole.refused.get(&f) {
        Some(refusal) => assert_eq!(refusal.reason, reason, "{refusal}"),
        None => panic!("it was translated:\n{:?}", whole.files),
    }
}

#[test]
fn integers_are_held_to_their_types() {
    gives(
        "pub fn add(a: u8, b: u8) -> u8 { a + b }
         pub fn sub(a: usize, b: usize) -> usize { a - b }
         pub fn mul(a: i32, b: i32) -> i32 { a * b }
         pub fn neg(a: i8) -> i8 { -a }
         pub fn absolute(a: i32) -> i32 { a.abs() }
         pub fn power(a: u32, b: u32) -> u32 { a.pow(b) }
         pub fn total(v: &[u8]) -> u8 { v.iter().sum() }",
        &[
            ("add(200, 55)", "255"),
            ("add(200, 56)", "raises OverflowError"),
            ("sub(3, 3)", "0"),
            ("sub(3, 4)", "raises OverflowError"),
            ("mul(-46341, 46341)", "raises OverflowError"),
            ("mul(-46340, 46340)", "-2147395600"),
            ("neg(-128)", "raises OverflowError"),
            ("neg(-127)", "127"),
            ("absolute(-2147483648)", "raises OverflowError"),
            ("power(2, 31)", "2147483648"),
            ("power(2, 32)", "raises OverflowError"),
            ("power(1, 4294967295)", "1"),
            ("power(0, 4294967295)", "0"),
            ("power(0, 0)", "1"),
            ("power(3, 4294967295)", "raises OverflowError"),
            ("total(b'\\x80\\x7f')", "255"),
            ("total(b'\\x80\\x80')", "raises OverflowError"),
        ],
    );
}

#[test]
fn what_cannot_leave_its_type_is_not_checked() {
    let text = python(
        "pub fn count(s: &str) -> usize { let mut n = 0; for c in s.chars() { if c == 'a' { n += 1; } } n + 1 }
         pub fn mean(a: u8, b: u8) -> u32 { (a as u32 + b as u32) / 2 }",
    );
    assert!(text.contains("n += 1") && text.contains("return n + 1"), "{text}");
    assert!(text.contains("return (a + b) // 2"), "{text}");
}

#[test]
fn a_counter_that_is_set_from_outside_is_checked() {
    gives(
        "pub fn onward(n: usize) -> usize { let mut m = n; m += 1; m }",
        &[("onward(1)", "2"), ("onward(2 ** 64 - 1)", "raises OverflowError")],
    );
}

#[test]
fn division_rounds_towards_zero() {
    gives(
        "pub fn div(a: i32, b: i32) -> i32 { a / b }
         pub fn rem(a: i32, b: i32) -> i32 { a % b }
         pub fn half(a: u32) -> u32 { a / 2 }
         pub fn euclid(a: u32, b: u32) -> u32 { a.rem_euclid(b) }
         pub fn quotient(a: f64, b: f64) -> f64 { a / b }",
        &[
            ("div(-7, 2)", "-3"),
            ("div(7, -2)", "-3"),
            ("div(-2147483648, -1)", "raises OverflowError"),
            ("div(1, 0)", "raises ZeroDivisionError"),
            ("rem(-7, 2)", "-1"),
            ("rem(7, -2)", "1"),
            ("rem(-2147483648, -1)", "raises OverflowError"),
            ("half(7)", "3"),
            ("euclid(7, 4)", "3"),
            ("quotient(1.0, 0.0)", "inf"),
            ("quotient(-1.0, 0.0)", "-inf"),
            ("quotient(0.0, 0.0)", "nan"),
            ("quotient(1.0, 4.0)", "0.25"),
        ],
    );
}

#[test]
fn bits_have_a_width() {
    gives(
        "pub fn inverted(a: u8) -> u8 { !a }
         pub fn signed(a: i8) -> i8 { !a }
         pub fn left(a: u8, n: u32) -> u8 { a << n }
         pub fn right(a: i32, n: u32) -> i32 { a >> n }
         pub fn nibble(a: u8) -> u8 { (a >> 4) | (a << 4) }
         pub fn zeros(a: u16) -> u32 { a.leading_zeros() }
         pub fn rotated(a: u32) -> u32 { a.rotate_left(8) ^ 0xFF }
         pub fn narrow(a: u32) -> u8 { a as u8 }
         pub fn wide(a: i8) -> u32 { a as u32 }
         pub fn back(a: u8) -> i8 { a as i8 }
         pub fn wrapped(a: u8, b: u8) -> u8 { a.wrapping_add(b).wrapping_mul(3) }
         pub fn under(a: u8, b: u8) -> u8 { a.saturating_sub(b) }
         pub fn maybe(a: u8, b: u8) -> Option<u8> { a.checked_sub(b) }
         pub fn cut(a: f64) -> u8 { a as u8 }",
        &[
            ("inverted(0)", "255"),
            ("signed(0)", "-1"),
            ("left(0x81, 1)", "2"),
            ("left(1, 8)", "raises OverflowError"),
            ("right(-5, 1)", "-3"),
            ("nibble(0xAB)", "186"),
            ("zeros(1)", "15"),
            ("rotated(0x01000000)", "254"),
            ("narrow(300)", "44"),
            ("wide(-1)", "4294967295"),
            ("back(255)", "-1"),
            ("wrapped(255, 2)", "3"),
            ("under(3, 5)", "0"),
            ("maybe(3, 5)", "None"),
            ("cut(1e20)", "255"),
            ("cut(float('nan'))", "0"),
            ("cut(-1.5)", "0"),
        ],
    );
}

#[test]
fn texts_are_bytes_where_rust_counts_bytes() {
    gives(
        "pub fn length(s: &str) -> usize { s.len() }
         pub fn letters(s: &str) -> usize { s.chars().count() }
         pub fn part(s: &str, a: usize, b: usize) -> &str { &s[a..b] }
         pub fn place(s: &str, c: char) -> Option<usize> { s.find(c) }
         pub fn offsets(s: &str) -> Vec<usize> { s.char_indices().map(|(i, _)| i).collect() }
         pub fn trimmed(s: &str) -> &str { s.trim() }
         pub fn words(s: &str) -> Vec<&str> { s.split_whitespace().collect() }
         pub fn rows(s: &str) -> Vec<&str> { s.lines().collect() }
         pub fn backwards(s: &str) -> String { s.chars().rev().collect() }
         pub fn rest(s: &str) -> Option<&str> { s.strip_prefix(\"ab\") }
         pub fn ends(s: &str) -> &str { s.trim_start_matches('a') }
         pub fn loud(s: &str) -> String { s.to_ascii_uppercase() }
         pub fn full(s: &str) -> bool { !s.is_empty() }
         pub fn vowels(s: &str) -> bool { s.chars().any(|c| matches!(c, 'a' | 'e')) }",
        &[
            ("length('é')", "2"),
            ("letters('é')", "1"),
            ("part('aéb', 1, 3)", "'é'"),
            ("part('aéb', 1, 2)", "raises UnicodeDecodeError"),
            ("part('ab', 1, 3)", "raises IndexError"),
            ("part('ab', 2, 1)", "raises IndexError"),
            ("place('é😀x', 'x')", "6"),
            ("place('abc', 'x')", "None"),
            ("offsets('é😀x')", "[0, 2, 6]"),
            ("trimmed('\\x1c a\\x85')", "'\\x1c a'"),
            ("words(' a \\x1cb\\u2003c ')", "['a', '\\x1cb', 'c']"),
            ("rows('a\\r\\nb\\x0bc\\n\\nd\\r')", "['a', 'b\\x0bc', '', 'd\\r']"),
            ("rows('')", "[]"),
            ("backwards('añb')", "'bña'"),
            ("rest('ababc')", "'abc'"),
            ("rest('x')", "None"),
            ("ends('aab')", "'b'"),
            ("loud('straße')", "'STRAßE'"),
            ("full('')", "False"),
            ("full('a')", "True"),
            ("vowels('xyz')", "False"),
        ],
    );
}

#[test]
fn options_are_none_and_nothing_else() {
    gives(
        "pub fn fallback(o: Option<u32>) -> u32 { o.unwrap_or(7) }
         pub fn twice(o: Option<u8>) -> Option<u8> { o.map(|x| x / 2) }
         pub fn first(s: &str) -> Option<char> { let c = s.chars().next()?; Some(c) }
         pub fn told(o: Option<&str>) -> String {
             match o { Some(s) if s.len() > 2 => format!(\"long {}\", s), Some(\"\") => \"empty\".to_string(),
                       Some(s) => s.to_string(), None => String::from(\"none\") }
         }
         pub fn must(o: Option<u8>) -> u8 { o.expect(\"there\") }",
        &[
            ("fallback(None)", "7"),
            ("fallback(0)", "0"),
            ("twice(0)", "0"),
            ("twice(None)", "None"),
            ("first('')", "None"),
            ("first('xy')", "'x'"),
            ("told('abc')", "'long abc'"),
            ("told('')", "'empty'"),
            ("told('ab')", "'ab'"),
            ("told(None)", "'none'"),
            ("must(None)", "raises ValueError"),
            ("must(0)", "0"),
        ],
    );
}

#[test]
fn errors_are_raised_and_caught() {
    gives(
        "#[derive(Debug, PartialEq)] pub enum BadError { Empty, Letter { at: usize, c: char } }
         pub fn check(s: &str) -> Result<usize, BadError> {
             if s.is_empty() { return Err(BadError::Empty); }
             for (at, c) in s.char_indices() { if c == 'x' { return Err(BadError::Letter { at, c }); } }
             Ok(s.len())
         }
         pub fn double(s: &str) -> Result<usize, BadError> { let n = check(s)?; Ok(n * 2) }
         pub fn lenient(s: &str) -> usize { match check(s) { Ok(n) => n, Err(_) => 0 } }
         pub fn fine(s: &str) -> bool { check(s).is_ok() }
         pub fn each(v: &[&str]) -> Result<Vec<usize>, BadError> { v.iter().map(|s| check(s)).collect() }",
        &[
            ("check('')", "raises EmptyError"),
            ("check('ax')", "raises LetterError"),
            ("check('ab')", "2"),
            ("double('abc')", "6"),
            ("double('x')", "raises LetterError"),
            ("lenient('x')", "0"),
            ("lenient('abc')", "3"),
            ("fine('')", "False"),
            ("each(['a', 'bc'])", "[1, 2]"),
            ("each(['a', ''])", "raises EmptyError"),
            ("issubclass(LetterError, BadError)", "True"),
        ],
    );
}

#[test]
fn loops_and_lists_go_as_in_rust() {
    gives(
        "pub fn sieve(n: usize) -> Vec<usize> {
             let mut marks = vec![true; n + 1]; let mut out = Vec::new();
             for i in 2..=n { if marks[i] { out.push(i); let mut j = i * i; while j <= n { marks[j] = false; j += i; } } }
             out
         }
         pub fn down() -> Vec<u32> { (1..4).rev().collect() }
         pub fn steps() -> Vec<u32> { (1..=7).step_by(3).collect() }
         pub fn empty() -> Vec<i32> { (5..2).collect() }
         pub fn grid(n: usize) -> Vec<Vec<u8>> { let mut g = vec![vec![0u16; 2]; n]; g[0][1] = 5; g.iter().map(|r| r.iter().map(|x| *x as u8).collect()).collect() }
         pub fn pairs(a: &[u32], b: &[u32]) -> usize { a.iter().zip(b.iter()).filter(|(x, y)| x != y).count() }
         pub fn at(v: &[i64], i: usize) -> i64 { v[i] }
         pub fn tail(v: &[i64]) -> &[i64] { &v[1..] }
         pub fn copied(v: [u8; 3]) -> Vec<u8> { let mut w = v; w[0] = 9; let mut out = v.to_vec(); out.extend_from_slice(&w); out }
         pub fn changed(s: &str) -> Vec<u8> { let mut out = Vec::new(); for b in s.bytes() { out.push(b ^ 1); } out }
         pub fn folded(v: &[u32]) -> u32 { v.iter().fold(1, |acc, x| acc * 2 + x) }
         pub fn last(v: &[u8]) -> Option<u8> { v.last().copied() }
         pub fn spot(v: &[u32], x: u32) -> Option<usize> { v.iter().position(|y| *y == x) }
         pub fn halves(s: &str) -> String { let mut it = s.chars(); let mut out = String::new();
             while let Some(c) = it.next() { out.push(c); it.next(); } out }",
        &[
            ("sieve(12)", "[2, 3, 5, 7, 11]"),
            ("down()", "[3, 2, 1]"),
            ("steps()", "[1, 4, 7]"),
            ("empty()", "[]"),
            ("grid(2)", "[b'\\x00\\x05', b'\\x00\\x00']"),
            ("pairs([1, 2], [1, 3, 4])", "1"),
            ("at([4, 5], 1)", "5"),
            ("at([4, 5], 2)", "raises IndexError"),
            ("tail([])", "raises IndexError"),
            ("tail([1, 2])", "[2]"),
            ("copied(b'abc')", "b'abc\\tbc'"),
            ("changed('ab')", "b'`c'"),
            ("folded([1, 2])", "8"),
            ("folded([4294967295])", "raises OverflowError"),
            ("last(b'')", "None"),
            ("last(b'\\x00')", "0"),
            ("spot([3, 4], 4)", "1"),
            ("halves('abcde')", "'ace'"),
        ],
    );
}

#[test]
fn structs_and_enums_are_classes() {
    gives(
        "#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)] pub struct Point { pub x: i32, y: i32 }
         impl Point {
             pub fn new(x: i32, y: i32) -> Self { let y = y + 1; Point { x, y } }
             pub fn shift(&mut self, by: i32) { self.x += by; }
             pub fn total(&self) -> i32 { self.x + self.y }
             pub fn origin() -> Point { Point::new(0, 0) }
         }
         #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub enum Kind { Plain, VeryLoud }
         impl Kind { pub fn mark(&self) -> char { match self { Kind::Plain => '.', Self::VeryLoud => '!' } } }
         impl std::fmt::Display for Kind { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
             write!(f, \"{}{}\", self.mark(), 1)?; f.write_str(\"?\") } }
         pub fn pick(loud: bool) -> Kind { if loud { Kind::VeryLoud } else { Kind::Plain } }
         pub fn shown(k: Kind) -> String { format!(\"<{}>\", k) }
         pub struct Wrapped(pub u8);
         pub fn wrap(a: u8) -> Wrapped { Wrapped(a) }",
        &[
            ("Point(1, 2).total()", "4"),
            ("(lambda p: (p.shift(5), p.x))(Point(1, 2))", "(None, 6)"),
            ("Point.origin() < Point(0, 1)", "True"),
            ("Point.origin() == Point(0, 0)", "True"),
            ("pick(True).name", "'VERY_LOUD'"),
            ("shown(Kind.PLAIN)", "'<.1?>'"),
            ("wrap(3).value", "3"),
        ],
    );
}

#[test]
fn constants_and_formats_are_written_as_python_has_them() {
    gives(
        "pub const LIMIT: u32 = 1 << 4; pub const NAMES: [&str; 2] = [ZZ, \"b\"]; const ZZ: &str = \"a\"; const TABLE: &[u8] = b\"xyz\";
         pub fn f(i: usize) -> String { format!(\"{:02x}-{}-{{{}}}-{:>3}\", TABLE[i], NAMES[0], LIMIT, 'c') }
         pub fn yes(b: bool) -> String { format!(\"{b}\") }",
        &[("f(0)", "'78-a-{16}-  c'"), ("f(3)", "raises IndexError"), ("yes(True)", "'true'")],
    );
}

#[test]
fn generic_functions_take_what_their_bounds_say() {
    gives(
        "pub fn encoded<T: AsRef<[u8]>>(data: T) -> String { data.as_ref().iter().map(|b| format!(\"{:02x}\", b)).collect() }
         pub fn same<T: PartialEq>(a: &[T], b: &[T]) -> usize { a.iter().zip(b).filter(|(x, y)| x == y).count() }
         pub fn named(name: impl Into<String>) -> String { let mut s: String = name.into(); s.push('!'); s }
         pub fn kept<F: Fn(char) -> bool>(s: &str, f: F) -> String { s.chars().filter(|c| f(*c)).collect() }
         pub fn digits(s: &str) -> String { kept(s, |c| c.is_ascii_digit()) }",
        &[
            ("encoded('é')", "'c3a9'"),
            ("encoded(b'\\xff')", "'ff'"),
            ("same([1, 2], [1, 3])", "1"),
            ("named('a')", "'a!'"),
            ("digits('a1b2')", "'12'"),
        ],
    );
}

#[test]
fn tests_become_plain_test_functions() {
    let text = python(
        "pub fn double(a: u32) -> u32 { a * 2 }
         #[cfg(test)] mod tests { use super::*;
             #[test] fn doubles() { assert_eq!(double(2), 4); let x = double(1); assert!(x == 2, \"two\"); assert_ne!(x, 3); }
             #[test] #[should_panic] fn overflows() { double(u32::MAX); }
         }",
    );
    assert!(text.contains("def test_doubles():") && text.contains("assert double(2) == 4"), "{text}");
    assert!(
        text.contains("with pytest.raises(Exception):\n        double(4294967295)")
            || text.contains("double(0xFFFFFFFF)"),
        "{text}"
    );
}

#[test]
fn what_is_copied_may_have_a_new_of_its_own() {
    gives(
        "#[derive(Clone, Copy, PartialEq, Eq, Hash)]
         pub struct Pair { a: u8, b: u8 }
         impl Pair {
             pub fn new(a: u8) -> Pair { Pair { a, b: a } }
             pub fn total(&self) -> u8 { self.a + self.b }
         }
         pub fn f(a: u8) -> u8 { Pair::new(a).total() }",
        &[("f(3)", "6"), ("len({Pair(1), Pair(1)})", "1"), ("f(200)", "raises OverflowError")],
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    for (source, reason) in [
        ("pub fn f(o: Option<Option<u8>>) -> bool { o.is_some() }", Reason::NestedOption),
        ("pub unsafe fn f() {}", Reason::Qualifier),
        ("pub async fn f() {}", Reason::Qualifier),
        ("pub fn f(x: u128) -> u128 { x }", Reason::Width),
        ("pub fn f(x: f32) -> f32 { x }", Reason::Width),
        ("pub fn f(c: char) -> bool { c.is_alphabetic() }", Reason::CharacterTables),
        ("pub fn f(x: &mut u32) { *x += 1; }", Reason::Mutation),
        ("pub fn f(v: &mut [u32]) { for x in v.iter_mut() { *x = 1; } }", Reason::Mutation),
        ("pub fn f(v: &mut [u8], w: &[u8]) { for (x, y) in w.iter().zip(v) { *y = *x; } }", Reason::Mutation),
        ("pub fn f(v: &mut Vec<u32>) { g(&mut v[1..]) } fn g(_: &mut [u32]) {}", Reason::Mutation),
        ("pub fn f(v: Vec<f64>, w: Vec<f64>) -> bool { v == w }", Reason::Function),
        ("pub fn f(v: Vec<f64>) -> f64 { v.iter().sum() }", Reason::Method),
        ("pub fn f(s: &str) -> &str { s.frobnicate() }", Reason::Method),
        ("pub fn f() { frobnicate!() }", Reason::Macro),
        ("pub fn f() -> u8 { frobnicate() }", Reason::Function),
        ("pub fn f(x: std::rc::Weak<u8>) {}", Reason::Type),
        ("pub fn f<T: std::io::Read>(t: T) {}", Reason::Trait),
        ("pub fn f(x: f64) -> String { format!(\"{}\", x) }", Reason::Format),
        ("pub fn f(x: f64) -> String { format!(\"{:?}\", 1) }", Reason::Format),
        ("pub fn f(n: u8) -> u8 { 'a: loop { break 'a; } n }", Reason::Flow),
        ("pub fn f() -> u8 { #[cfg(windows)] { return 1; } 2 }", Reason::Attribute),
        ("#[cfg(windows)] pub fn f() {}", Reason::Attribute),
        (
            "pub fn f(r: Result<u8, u8>) -> u8 { let x = g(); 1 } fn g() -> Result<u8, String> { Ok(1) }",
            Reason::ResultValue,
        ),
        ("pub fn f(s: &str) -> Result<u8, u8> { Err(3) }", Reason::ErrorType),
        ("pub trait T { fn f(&self); } pub fn f(t: &dyn T) {}", Reason::Type),
        ("pub fn f(x: i32) -> i32 { x.abs() } pub fn abs() {}", Reason::Name),
        ("pub fn f() { g() } fn g() { unsafe { } }", Reason::Unlinked),
    ] {
        refused(source, reason);
    }
}

#[test]
fn broken_text_is_refused_and_nothing_panics() {
    for text in
        ["", "fn", "fn f(", "fn f() { ((((", "pub fn f() -> ! {", "const X: = ;", "struct S {", "\u{0}"]
    {
        assert!(lower::callable(text).is_err(), "{text}");
        assert!(lower::struct_of(text).is_err(), "{text}");
        assert!(lower::enum_of(text).is_err(), "{text}");
    }
    let missing = ItemPath::new("k::nobody").unwrap();
    let (_, program) = program("pub fn f() {}");
    assert_eq!(compile(&program, &missing, None).unwrap_err().reason, Reason::Unlinked);
}

/// The same crate for a port that may have the runtime module, and the script that has both.
fn with_runtime(source: &str) -> (Whole, String) {
    use crate::language::python::tests::python;
    use crate::runtime::{Runtime, written};

    let (_, program) = program(source);
    let python = python();
    let offer = Runtime::new("p/_tl_rt.py", &python).unwrap().offer(None, &python);
    let program = program.with_runtime(offer.importable().cloned());
    let whole = whole(&program);
    let files: Vec<&str> = whole.files.values().map(String::as_str).collect();
    let script = format!("{}\n{}", written(&python), files.join("\n"));
    // One script holds both, so that nothing is to be imported.
    let alone: Vec<&str> = script.lines().filter(|line| !line.starts_with("from p._tl_rt import ")).collect();
    (whole, alone.join("\n"))
}

#[test]
fn what_only_the_runtime_module_has_is_imported_from_it() {
    let source = "
        pub fn f(a: i32, b: i32) -> Option<i32> { a.checked_div(b) }
        pub fn g(a: i32) -> (i32, bool) { a.overflowing_mul(2) }
        pub fn h(a: i8, n: u32) -> i8 { a.rotate_left(n) }
        pub fn k(a: i64, b: i64) -> i64 { a.rem_euclid(b) }
        pub fn l(a: u16) -> u32 { a.leading_ones() + a.count_zeros() }
        pub fn m(a: u8) -> u8 { a.wrapping_add(1) }
    ";
    refused(source, Reason::Method);
    let (whole, script) = with_runtime(source);
    assert!(whole.refused.is_empty(), "{:?}", whole.refused);
    let text = &whole.files["p/__init__.py"];
    assert!(text.contains("from p._tl_rt import I32, checked_div\n"), "{text}");
    assert!(text.contains("return a + 1 & 0xFF"), "what was written plainly before stays plain: {text}");
    let cases = [
        ("f(-7, 2)", "-3"),
        ("f(-2147483648, -1)", "None"),
        ("f(1, 0)", "None"),
        ("g(2147483647)", "(-2, True)"),
        ("h(-128, 1)", "1"),
        ("k(-7, 3)", "2"),
        ("l(0xFF00)", "16"),
        ("m(255)", "0"),
    ];
    let expressions: Vec<&str> = cases.iter().map(|(expression, _)| *expression).collect();
    let wanted: Vec<&str> = cases.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(run(&script, &expressions), wanted);
}

#[test]
fn a_name_of_the_runtime_module_that_means_something_else_already_is_refused() {
    for source in [
        "pub fn f(a: i32) -> i32 { a.swap_bytes() } pub fn swap_bytes(a: i32) -> i32 { a }",
        "pub fn f(swap_bytes: i32) -> i32 { swap_bytes.swap_bytes() }",
    ] {
        let (whole, _) = with_runtime(source);
        let refusal =
            whole.refused.iter().find(|(path, _)| path.as_str() == "k::f").map(|(_, refusal)| refusal);
        assert_eq!(refusal.map(|refusal| refusal.reason), Some(Reason::Name), "{source}: {:?}", whole.files);
    }
}
