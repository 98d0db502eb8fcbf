//! The module held against Rust itself: every function, for every width, at its limits. Rust computes what is expected
//! here, in this process, and Python runs the module.

use std::fmt::Write as _;

use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};

use super::PYTHON;

/// How the module is asked: one line a case, the call and what Rust gives.
const SCRIPT: &str = r#"
import math, struct, sys
space = {}
exec(open("module.py").read(), space)
def double(bits): return struct.unpack("<d", struct.pack("<Q", bits))[0]
def shown(value):
    if isinstance(value, float):
        if math.isnan(value): return "nan"
        return "bits %d" % struct.unpack("<Q", struct.pack("<d", value))[0]
    return repr(value)
space.update(double=double, F=lambda bits: double(bits))
count = 0
for line in open("cases.txt"):
    call, _, wanted = line.rstrip("\n").partition(" -> ")
    try:
        found = shown(eval(call, space))
    except space["Panic"]:
        found = "panic"
    count += 1
    if found != wanted:
        print(f"{call}: Rust gives {wanted}, the module {found}")
print(count)
"#;

/// Runs all cases, and fails with those that differ.
fn agree(cases: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("module.py"), PYTHON).unwrap();
    std::fs::write(folder.path().join("cases.txt"), cases).unwrap();
    let invocation = Invocation::new("python3", folder.path()).args(["-I", "-c", SCRIPT]);
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "{}", finished.tail(20));
    let told = String::from_utf8(finished.stdout).unwrap();
    let differ: Vec<&str> = told.lines().take(20).collect();
    assert_eq!(differ, [cases.lines().count().to_string()]);
}

fn option<Value: ToString>(value: Option<Value>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| value.to_string())
}

fn or_panic<Value: ToString>(value: Option<Value>) -> String {
    value.map_or_else(|| "panic".to_owned(), |value| value.to_string())
}

fn pair<Value: ToString>((value, over): (Value, bool)) -> String {
    format!("({}, {})", value.to_string(), if over { "True" } else { "False" })
}

fn float(value: f64) -> String {
    if value.is_nan() { "nan".to_owned() } else { format!("bits {}", value.to_bits()) }
}

/// How a float is handed over.
fn given(value: f64) -> String {
    format!("F({})", value.to_bits())
}

/// Numbers at and beside the limits of a type, and some between.
macro_rules! limits {
    ($ty:ident) => {{
        let half = $ty::MAX / 2;
        let mut all =
            vec![$ty::MIN, $ty::MIN + 1, $ty::MIN / 2, half - 1, half, half + 1, $ty::MAX - 1, $ty::MAX];
        all.extend([0, 1, 2, 3, 5, 7, 10, 100]);
        all.extend([0 as $ty, 1, 2, 3, 7].map(|small| small.wrapping_neg()));
        all.extend([$ty::MAX / 3, $ty::MAX / 7, $ty::MIN / 3]);
        all.sort_unstable();
        all.dedup();
        all
    }};
}

macro_rules! integer_cases {
    ($cases:ident; $($ty:ident $name:literal),*) => {$(
        let mut case = |call: String, wanted: String| writeln!($cases, "{call} -> {wanted}").unwrap();
        for a in limits!($ty) {
            for b in limits!($ty) {
                let of = |function: &str| format!("{function}({a}, {b}, {})", $name);
                case(format!("fit({a} + {b}, {})", $name), or_panic(a.checked_add(b)));
                case(format!("fit({a} - {b}, {})", $name), or_panic(a.checked_sub(b)));
                case(format!("fit({a} * {b}, {})", $name), or_panic(a.checked_mul(b)));
                case(of("div"), or_panic(a.checked_div(b)));
                case(of("rem"), or_panic(a.checked_rem(b)));
                case(of("div_euclid"), or_panic(a.checked_div_euclid(b)));
                case(of("rem_euclid"), or_panic(a.checked_rem_euclid(b)));
                case(of("wrapping_add"), a.wrapping_add(b).to_string());
                case(of("wrapping_sub"), a.wrapping_sub(b).to_string());
                case(of("wrapping_mul"), a.wrapping_mul(b).to_string());
                case(of("wrapping_div"), or_panic((b != 0).then(|| a.wrapping_div(b))));
                case(of("wrapping_rem"), or_panic((b != 0).then(|| a.wrapping_rem(b))));
                case(of("checked_add"), option(a.checked_add(b)));
                case(of("checked_sub"), option(a.checked_sub(b)));
                case(of("checked_mul"), option(a.checked_mul(b)));
                case(of("checked_div"), option(a.checked_div(b)));
                case(of("checked_rem"), option(a.checked_rem(b)));
                case(of("saturating_add"), a.saturating_add(b).to_string());
                case(of("saturating_sub"), a.saturating_sub(b).to_string());
                case(of("saturating_mul"), a.saturating_mul(b).to_string());
                case(of("overflowing_add"), pair(a.overflowing_add(b)));
                case(of("overflowing_sub"), pair(a.overflowing_sub(b)));
                case(of("overflowing_mul"), pair(a.overflowing_mul(b)));
            }
            for n in [0_u32, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, u32::MAX] {
                let of = |function: &str| format!("{function}({a}, {n}, {})", $name);
                case(of("shl"), or_panic(a.checked_shl(n)));
                case(of("shr"), or_panic(a.checked_shr(n)));
                case(of("checked_shl"), option(a.checked_shl(n)));
                case(of("checked_shr"), option(a.checked_shr(n)));
                case(of("wrapping_shl"), a.wrapping_shl(n).to_string());
                case(of("wrapping_shr"), a.wrapping_shr(n).to_string());
                case(of("power"), or_panic(a.checked_pow(n)));
                case(of("checked_pow"), option(a.checked_pow(n)));
                case(of("wrapping_pow"), a.wrapping_pow(n).to_string());
                case(of("saturating_pow"), a.saturating_pow(n).to_string());
                case(of("rotate_left"), a.rotate_left(n).to_string());
                case(of("rotate_right"), a.rotate_right(n).to_string());
            }
            let of = |function: &str| format!("{function}({a}, {})", $name);
            case(of("bit_not"), (!a).to_string());
            case(of("wrapping_neg"), a.wrapping_neg().to_string());
            case(of("checked_neg"), option(a.checked_neg()));
            case(of("overflowing_neg"), pair(a.overflowing_neg()));
            case(of("count_ones"), a.count_ones().to_string());
            case(of("count_zeros"), a.count_zeros().to_string());
            case(of("leading_zeros"), a.leading_zeros().to_string());
            case(of("leading_ones"), a.leading_ones().to_string());
            case(of("trailing_zeros"), a.trailing_zeros().to_string());
            case(of("trailing_ones"), a.trailing_ones().to_string());
            case(of("swap_bytes"), a.swap_bytes().to_string());
            case(of("reverse_bits"), a.reverse_bits().to_string());
            case(format!("int_as_f32({a})"), float(f64::from(a as f32)));
            case(format!("float({a})"), float(a as f64));
            casts!(case, a; i8 "I8", i16 "I16", i32 "I32", i64 "I64", i128 "I128", isize "ISIZE",
                u8 "U8", u16 "U16", u32 "U32", u64 "U64", u128 "U128", usize "USIZE");
        }
        for value in floats() {
            case(format!("float_as_int({}, {})", given(value), $name), (value as $ty).to_string());
        }
    )*};
}

macro_rules! casts {
    ($case:ident, $a:ident; $($to:ident $name:literal),*) => {$(
        $case(format!("wrap({}, {})", $a, $name), ($a as $to).to_string());
        $case(format!("try_fit({}, {})", $a, $name), option($to::try_from($a).ok()));
        let nearest = $to::try_from($a).unwrap_or(if $a < 1 { $to::MIN } else { $to::MAX });
        $case(format!("saturate({}, {})", $a, $name), nearest.to_string());
    )*};
}

macro_rules! signed_cases {
    ($cases:ident; $($ty:ident $name:literal),*) => {$(
        for a in limits!($ty) {
            let name: &str = $name;
            writeln!($cases, "wrapping_abs({a}, {name}) -> {}", a.wrapping_abs()).unwrap();
            writeln!($cases, "checked_abs({a}, {name}) -> {}", option(a.checked_abs())).unwrap();
        }
    )*};
}

/// Floats at the limits of everything that they are turned into.
fn floats() -> Vec<f64> {
    let mut all =
        vec![0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 3.5, 0.1, 1e-7, 1e10, 1e15 + 0.3, 1e20, 1e38, 1e40, 1e300];
    for bits in [7, 8, 15, 16, 23, 24, 25, 31, 32, 52, 53, 63, 64, 127, 128] {
        let power = 2.0_f64.powi(bits);
        all.extend([
            power - 1.0,
            power - 0.5,
            power,
            power + 0.5,
            power + 1.0,
            power * 1.000_000_059_604_644_8,
        ]);
    }
    all.extend([f64::MAX, f64::MIN_POSITIVE, f64::EPSILON, f64::from_bits(1), f64::INFINITY, f64::NAN]);
    all.extend(
        [f32::MAX, f32::MIN_POSITIVE, f32::EPSILON, f32::from_bits(1), f32::from_bits(3)].map(f64::from),
    );
    all.extend([
        f64::from(f32::MAX) * 1.000_000_03,
        f64::from(f32::from_bits(1)) / 2.0,
        0.499_999_999_999_999_94,
    ]);
    let negative: Vec<f64> = all.iter().map(|value| -value).collect();
    all.extend(negative);
    all
}

#[test]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_lossless,
    reason = "what these casts do is what is asked"
)]
fn integers_of_every_width_do_as_they_do_in_rust() {
    let mut cases = String::new();
    integer_cases!(cases; i8 "I8", i16 "I16", i32 "I32", i64 "I64", i128 "I128", isize "ISIZE",
        u8 "U8", u16 "U16", u32 "U32", u64 "U64", u128 "U128", usize "USIZE");
    signed_cases!(cases; i8 "I8", i16 "I16", i32 "I32", i64 "I64", i128 "I128", isize "ISIZE");
    assert!(cases.lines().count() > 100_000, "{}", cases.lines().count());
    agree(&cases);
}

#[test]
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is asked")]
fn floats_do_as_they_do_in_rust() {
    let mut cases = String::new();
    let mut case = |call: String, wanted: f64| writeln!(cases, "{call} -> {}", float(wanted)).unwrap();
    for a in floats() {
        let one = given(a);
        case(format!("f32({one})"), f64::from(a as f32));
        case(format!("float_round({one})"), a.round());
        case(format!("float_sqrt({one})"), a.sqrt());
        for b in floats().into_iter().step_by(7) {
            let both = format!("{one}, {}", given(b));
            case(format!("float_div({both})"), a / b);
            case(format!("float_rem({both})"), a % b);
            // Of two zeros Rust may give either.
            if a != 0.0 || b != 0.0 {
                case(format!("float_min({both})"), a.min(b));
                case(format!("float_max({both})"), a.max(b));
            }
            let (x, y) = (a as f32, b as f32);
            let narrow = |sign: &str| format!("f32(f32({one}) {sign} f32({}))", given(b));
            case(narrow("+"), f64::from(x + y));
            case(narrow("-"), f64::from(x - y));
            case(narrow("*"), f64::from(x * y));
            case(format!("f32(float_div(f32({one}), f32({})))", given(b)), f64::from(x / y));
        }
        case(format!("f32(float_sqrt(f32({one})))"), f64::from((a as f32).sqrt()));
    }
    agree(&cases);
}

#[test]
fn characters_options_and_panics_do_as_they_do_in_rust() {
    let mut cases = String::new();
    for code in
        [0, 9, 65, 0xD7FF, 0xD800, 0xDBFF, 0xDFFF, 0xE000, 0xFFFF, 0x1_0000, 0x10_FFFF, 0x11_0000, u32::MAX]
    {
        let wanted = option(char::from_u32(code).map(u32::from));
        let call = format!("(lambda found: found if found is None else ord(found))(char_from_u32({code}))");
        writeln!(cases, "{call} -> {wanted}").unwrap();
    }
    cases.push_str(
        "unwrap(0) -> 0\nunwrap('', 'no') -> ''\nunwrap(None) -> panic\nunwrap(None, 'no') -> panic\n",
    );
    cases.push_str("issubclass(Panic, Exception) -> False\nstr(Panic('why')) -> 'why'\n");
    agree(&cases);
}

#[test]
fn a_wrong_module_is_found_out() {
    let told = std::panic::catch_unwind(|| agree("wrapping_add(255, 1, U8) -> 1\n")).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(told.contains("Rust gives 1, the module 0"), "{told}");
}
