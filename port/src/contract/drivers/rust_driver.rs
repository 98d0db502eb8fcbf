//! The upstream's driver: reads probes, calls the upstream, writes outcomes. Standard library only.
//!
//! Filled in and compiled by the oracle; the lines are described in `docs/driver-protocol.md`.
#![allow(warnings)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::io::{Read, Write};
use std::sync::Mutex;

/// The longest outcome that is written, in bytes.
const OUTCOME_BYTES_MAX: usize = 1 << 20;

static PANIC_TEXT: Mutex<String> = Mutex::new(String::new());

fn main() {
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        *PANIC_TEXT.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = text;
    }));
    // All is read before anything is called: the upstream finds its standard input at its end.
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).expect("the probes are UTF-8");
    let mut lines = input.lines();
    let header = parse(lines.next().unwrap_or_default()).expect("a header");
    let nonce = header.at(0).and_then(Json::text).unwrap_or_default().to_owned();
    say(&nonce, "[\"ready\"]");
    for line in lines {
        reset();
        let answer = answer(line);
        say(&nonce, &answer);
    }
    say(&nonce, "[\"done\"]");
}

/// A line of ours begins with the nonce on a line of its own: what the upstream prints is no answer.
fn say(nonce: &str, json: &str) {
    let mut out = std::io::stdout().lock();
    let written = write!(out, "\n{nonce} {json}\n").and_then(|()| out.flush());
    if written.is_err() {
        std::process::exit(1);
    }
}

fn answer(line: &str) -> String {
    let Some(call) = parse(line) else { return "[-1,[\"crashed\",\"not a probe\"]]".to_owned() };
    let number = |at: usize| call.at(at).and_then(Json::number).unwrap_or(u64::MAX);
    let empty = Json::List(Vec::new());
    let arguments = call.at(2).unwrap_or(&empty);
    let (outcome, _) = outcome_of(|| dispatch(number(1), arguments));
    let reached: Vec<String> = reached().into_iter().map(|id| id.to_string()).collect();
    format!("[{},{outcome},[{}],{}]", number(0), reached.join(","), traced())
}

/// What a call came to, and whether it came back at all.
fn outcome_of(call: impl FnOnce() -> Result<String, String>) -> (String, bool) {
    let outcome = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        Ok(Ok(value)) if value.len() > OUTCOME_BYTES_MAX => crashed("the result is too large"),
        // What a sequence came to is an outcome already.
        Ok(Ok(value)) if value.starts_with("[\"steps\"") => value,
        Ok(Ok(value)) => format!("[\"value\",{value}]"),
        Ok(Err(reason)) => crashed(&reason),
        Err(payload) if payload.is::<Early>() => match payload.downcast::<Early>() {
            Ok(early) => format!("[\"value\",{}]", early.0),
            Err(_) => crashed("it ended early"),
        },
        Err(_) => {
            let text = PANIC_TEXT.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
            return (format!("[\"panic\",{}]", quoted(&text)), false);
        }
    };
    (outcome, true)
}

/// The calls of a sequence, which stand behind what its value is made of: each names its method.
fn calls_at(arguments: &Json, at: usize) -> &[Json] {
    arguments.at(at).and_then(|calls| calls.at(1)).map_or(&[], Json::items)
}

/// An argument of one of these calls. The value may keep it, so it stays to the end of the program.
fn kept<T: FromValue + 'static>(call: &Json, at: usize) -> Result<&'static T, String> {
    let argument = call.at(1).and_then(|arguments| arguments.at(at)).and_then(T::read);
    argument.map(|argument| &*Box::leak(Box::new(argument))).ok_or_else(|| format!("argument {at} does not fit"))
}

/// A result with what is left in the arguments that the call changed.
fn left_in(result: &str, left: &[String]) -> String {
    format!("[\"w\",{result},[{}]]", left.join(","))
}

/// An argument could not be made: what its maker said instead is the outcome of the call.
struct Early(String);

/// Ends the call with this outcome. No panic: the hook is not asked.
fn early<T>(outcome: String) -> T {
    std::panic::resume_unwind(Box::new(Early(outcome)))
}

/// Which way a value without arguments is made.
struct Maker(String);
impl FromValue for Maker {
    fn read(json: &Json) -> Option<Self> { Some(Self(json.at(2)?.text()?.to_owned())) }
}

/// The probe asks for a way that there is not.
fn unfit<T>() -> T {
    panic!("no such way to make a value")
}

fn crashed(how: &str) -> String {
    format!("[\"crashed\",{}]", quoted(how))
}

/// A value as its JSON text.
fn written<T: ToValue + ?Sized>(value: &T) -> String {
    let mut out = String::new();
    value.write(&mut out);
    out
}

// ---- JSON, as much of it as probes need -------------------------------------------------------------

enum Json {
    Null,
    Bool(bool),
    Number(u64),
    Text(String),
    List(Vec<Json>),
}

impl Json {
    fn at(&self, at: usize) -> Option<&Json> {
        match self {
            Json::List(items) => items.get(at),
            _ => None,
        }
    }
    fn items(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            _ => &[],
        }
    }
    fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
    fn number(&self) -> Option<u64> {
        match self {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }
    fn tag(&self) -> &str {
        self.at(0).and_then(Json::text).unwrap_or_default()
    }
}

fn parse(text: &str) -> Option<Json> {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    parse_at(&chars, &mut at)
}

fn parse_at(chars: &[char], at: &mut usize) -> Option<Json> {
    while chars.get(*at)?.is_whitespace() {
        *at += 1;
    }
    match chars.get(*at)? {
        '[' => {
            *at += 1;
            let mut items = Vec::new();
            loop {
                match chars.get(*at)? {
                    ']' => {
                        *at += 1;
                        return Some(Json::List(items));
                    }
                    ',' | ' ' => *at += 1,
                    _ => items.push(parse_at(chars, at)?),
                }
            }
        }
        '"' => parse_text(chars, at).map(Json::Text),
        't' => { *at += 4; Some(Json::Bool(true)) }
        'f' => { *at += 5; Some(Json::Bool(false)) }
        'n' => { *at += 4; Some(Json::Null) }
        _ => {
            let mut digits = String::new();
            while let Some(digit) = chars.get(*at).filter(|char| char.is_ascii_digit()) {
                digits.push(*digit);
                *at += 1;
            }
            digits.parse().ok().map(Json::Number)
        }
    }
}

fn parse_text(chars: &[char], at: &mut usize) -> Option<String> {
    let mut text = String::new();
    *at += 1;
    loop {
        let char = *chars.get(*at)?;
        *at += 1;
        match char {
            '"' => return Some(text),
            '\\' => {
                let escaped = *chars.get(*at)?;
                *at += 1;
                match escaped {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'u' => {
                        let mut code = parse_hex(chars, at)?;
                        if (0xd800..0xdc00).contains(&code) {
                            *at += 2;
                            code = 0x10000 + ((code - 0xd800) << 10) + parse_hex(chars, at)?.checked_sub(0xdc00)?;
                        }
                        text.push(char::from_u32(code)?);
                    }
                    other => text.push(other),
                }
            }
            other => text.push(other),
        }
    }
}

fn parse_hex(chars: &[char], at: &mut usize) -> Option<u32> {
    let digits: String = chars.get(*at..*at + 4)?.iter().collect();
    *at += 4;
    u32::from_str_radix(&digits, 16).ok()
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' || ('\u{7f}'..='\u{9f}').contains(&control) || control == '\u{2028}' || control == '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", control as u32));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

// ---- reading arguments --------------------------------------------------------------------------------

trait FromValue: Sized {
    fn read(json: &Json) -> Option<Self>;
    fn read_list(json: &Json) -> Option<Vec<Self>> {
        json.at(1)?.items().iter().map(Self::read).collect()
    }
}

fn argument<T: FromValue>(arguments: &Json, at: usize) -> Result<T, String> {
    arguments.at(at).and_then(T::read).ok_or_else(|| format!("argument {at} does not fit"))
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl FromValue for $int {
            fn read(json: &Json) -> Option<Self> { json.at(1)?.text()?.parse().ok() }
        }
        impl ToValue for $int {
            fn write(&self, out: &mut String) { out.push_str(&format!("[\"i\",\"{self}\"]")); }
        }
    )*};
}
integers!(i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize);

impl FromValue for u8 {
    fn read(json: &Json) -> Option<Self> { json.at(1)?.text()?.parse().ok() }
    fn read_list(json: &Json) -> Option<Vec<Self>> {
        let digits = json.at(1)?.text()?.as_bytes();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    }
}
impl FromValue for f64 {
    fn read(json: &Json) -> Option<Self> { u64::from_str_radix(json.at(1)?.text()?, 16).ok().map(f64::from_bits) }
}
impl FromValue for f32 {
    fn read(json: &Json) -> Option<Self> { u32::from_str_radix(json.at(1)?.text()?, 16).ok().map(f32::from_bits) }
}
impl FromValue for bool {
    fn read(json: &Json) -> Option<Self> { match json.at(1)? { Json::Bool(truth) => Some(*truth), _ => None } }
}
impl FromValue for char {
    fn read(json: &Json) -> Option<Self> { json.at(1)?.text()?.chars().next() }
}
impl FromValue for String {
    fn read(json: &Json) -> Option<Self> { json.at(1)?.text().map(str::to_owned) }
}
impl FromValue for () {
    fn read(json: &Json) -> Option<Self> { Some(()) }
}
impl<T: FromValue> FromValue for Option<T> {
    fn read(json: &Json) -> Option<Self> {
        if json.tag() == "n" { Some(None) } else { T::read(json.at(1)?).map(Some) }
    }
}
impl<T: FromValue, E: FromValue> FromValue for Result<T, E> {
    fn read(json: &Json) -> Option<Self> {
        if json.tag() == "k" { T::read(json.at(1)?).map(Ok) } else { E::read(json.at(1)?).map(Err) }
    }
}
impl<T: FromValue> FromValue for Vec<T> {
    fn read(json: &Json) -> Option<Self> { T::read_list(json) }
}
impl<T: FromValue, const N: usize> FromValue for [T; N] {
    fn read(json: &Json) -> Option<Self> {
        let items: Option<Vec<T>> = json.at(1)?.items().iter().map(T::read).collect();
        items?.try_into().ok()
    }
}
impl<K: FromValue + std::hash::Hash + Eq, V: FromValue> FromValue for HashMap<K, V> {
    fn read(json: &Json) -> Option<Self> {
        json.at(1)?.items().iter().map(|entry| Some((K::read(entry.at(0)?)?, V::read(entry.at(1)?)?))).collect()
    }
}
impl<K: FromValue + Ord, V: FromValue> FromValue for BTreeMap<K, V> {
    fn read(json: &Json) -> Option<Self> {
        json.at(1)?.items().iter().map(|entry| Some((K::read(entry.at(0)?)?, V::read(entry.at(1)?)?))).collect()
    }
}
impl<T: FromValue + std::hash::Hash + Eq> FromValue for HashSet<T> {
    fn read(json: &Json) -> Option<Self> { json.at(1)?.items().iter().map(T::read).collect() }
}
impl<T: FromValue + Ord> FromValue for BTreeSet<T> {
    fn read(json: &Json) -> Option<Self> { json.at(1)?.items().iter().map(T::read).collect() }
}

// ---- writing results ------------------------------------------------------------------------------------

trait ToValue {
    fn write(&self, out: &mut String);
    fn write_list(items: &[Self], out: &mut String) where Self: Sized {
        write_all("l", items.iter().map(|item| written(item)), out);
    }
}

fn write_all(tag: &str, items: impl Iterator<Item = String>, out: &mut String) {
    out.push_str(&format!("[\"{tag}\",["));
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&item);
    }
    out.push_str("]]");
}

fn write_unordered(tag: &str, items: impl Iterator<Item = String>, out: &mut String) {
    let mut items: Vec<String> = items.collect();
    items.sort();
    write_all(tag, items.into_iter(), out);
}

fn write_opaque(class: &str, text: &str, out: &mut String) {
    out.push_str(&format!("[\"d\",{},{}]", quoted(class), quoted(text)));
}

/// A struct, or a variant of an enum: its fields by name, those of a tuple by number.
fn write_record(class: &str, variant: Option<&str>, fields: &[(&str, String)], form: &str, out: &mut String) {
    let variant = variant.map_or_else(|| "null".to_owned(), quoted);
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("[{},{value}]", quoted(name))).collect();
    out.push_str(&format!("[\"r\",{},[],{variant},[{}],\"{form}\"]", quoted(class), fields.join(",")));
}

/// A field of whatever type: `(&&Look(&field)).look()` is its value where it has one, else what it writes
/// for programmers, else nothing.
struct Look<'a, T: ?Sized>(&'a T);
trait ByValue { fn look(&self) -> String; }
impl<T: ToValue + ?Sized> ByValue for &Look<'_, T> {
    fn look(&self) -> String { written(self.0) }
}
trait ByText { fn look(&self) -> String; }
impl<T: std::fmt::Debug + ?Sized> ByText for &&Look<'_, T> {
    fn look(&self) -> String {
        let mut out = String::new();
        write_opaque(std::any::type_name::<T>(), &format!("{:?}", self.0), &mut out);
        out
    }
}
trait ByNothing { fn look(&self) -> String; }
impl<T: ?Sized> ByNothing for Look<'_, T> {
    fn look(&self) -> String {
        let mut out = String::new();
        write_opaque(std::any::type_name::<T>(), "", &mut out);
        out
    }
}

/// What is written already.
struct Raw(String);
impl ToValue for Raw {
    fn write(&self, out: &mut String) { out.push_str(&self.0); }
}

impl ToValue for u8 {
    fn write(&self, out: &mut String) { out.push_str(&format!("[\"i\",\"{self}\"]")); }
    fn write_list(items: &[Self], out: &mut String) {
        out.push_str("[\"y\",\"");
        for byte in items {
            out.push_str(&format!("{byte:02x}"));
        }
        out.push_str("\"]");
    }
}
impl ToValue for f64 {
    fn write(&self, out: &mut String) { out.push_str(&format!("[\"f\",\"{:016x}\",\"{self}\"]", self.to_bits())); }
}
impl ToValue for f32 {
    fn write(&self, out: &mut String) { out.push_str(&format!("[\"g\",\"{:08x}\",\"{self}\"]", self.to_bits())); }
}
impl ToValue for bool {
    fn write(&self, out: &mut String) { out.push_str(&format!("[\"b\",{self}]")); }
}
impl ToValue for char {
    fn write(&self, out: &mut String) { out.push_str(&format!("[\"c\",{}]", quoted(&self.to_string()))); }
}
impl ToValue for str {
    fn write(&self, out: &mut String) { out.push_str(&format!("[\"s\",{}]", quoted(self))); }
}
impl ToValue for String {
    fn write(&self, out: &mut String) { self.as_str().write(out); }
}
impl ToValue for () {
    fn write(&self, out: &mut String) { out.push_str("[\"u\"]"); }
}
impl<T: ToValue + ?Sized> ToValue for &T {
    fn write(&self, out: &mut String) { (**self).write(out); }
}
impl<T: ToValue + ?Sized> ToValue for &mut T {
    fn write(&self, out: &mut String) { (**self).write(out); }
}
impl<T: ToValue + ?Sized> ToValue for Box<T> {
    fn write(&self, out: &mut String) { (**self).write(out); }
}
impl<T: ToValue + ?Sized> ToValue for std::rc::Rc<T> {
    fn write(&self, out: &mut String) { (**self).write(out); }
}
impl<T: ToValue + ?Sized> ToValue for std::sync::Arc<T> {
    fn write(&self, out: &mut String) { (**self).write(out); }
}
impl<T: ToValue + ToOwned + ?Sized> ToValue for std::borrow::Cow<'_, T> {
    fn write(&self, out: &mut String) { (**self).write(out); }
}
impl<T: ToValue> ToValue for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => out.push_str(&format!("[\"o\",{}]", written(value))),
            None => out.push_str("[\"n\"]"),
        }
    }
}
impl<T: ToValue, E: ToValue> ToValue for Result<T, E> {
    fn write(&self, out: &mut String) {
        match self {
            Ok(value) => out.push_str(&format!("[\"k\",{}]", written(value))),
            Err(error) => out.push_str(&format!("[\"e\",{}]", written(error))),
        }
    }
}
impl<T: ToValue> ToValue for [T] {
    fn write(&self, out: &mut String) { T::write_list(self, out); }
}
impl<T: ToValue> ToValue for Vec<T> {
    fn write(&self, out: &mut String) { T::write_list(self, out); }
}
impl<T: ToValue> ToValue for VecDeque<T> {
    fn write(&self, out: &mut String) { write_all("l", self.iter().map(|item| written(item)), out); }
}
impl<T: ToValue, const N: usize> ToValue for [T; N] {
    fn write(&self, out: &mut String) { T::write_list(self, out); }
}
impl<K: ToValue, V: ToValue> ToValue for HashMap<K, V> {
    fn write(&self, out: &mut String) {
        write_unordered("m", self.iter().map(|(key, value)| format!("[{},{}]", written(key), written(value))), out);
    }
}
impl<K: ToValue, V: ToValue> ToValue for BTreeMap<K, V> {
    fn write(&self, out: &mut String) {
        write_unordered("m", self.iter().map(|(key, value)| format!("[{},{}]", written(key), written(value))), out);
    }
}
impl<T: ToValue> ToValue for HashSet<T> {
    fn write(&self, out: &mut String) { write_unordered("z", self.iter().map(|item| written(item)), out); }
}
impl<T: ToValue> ToValue for BTreeSet<T> {
    fn write(&self, out: &mut String) { write_unordered("z", self.iter().map(|item| written(item)), out); }
}
/// An order is the number that a comparison function of the port returns.
impl ToValue for std::cmp::Ordering {
    fn write(&self, out: &mut String) { (*self as i8).write(out); }
}
/// A duration is its nanoseconds.
impl ToValue for std::time::Duration {
    fn write(&self, out: &mut String) { self.as_nanos().write(out); }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: FromValue),+> FromValue for ($($name,)+) {
            fn read(json: &Json) -> Option<Self> {
                let mut items = json.at(1)?.items().iter();
                Some(($($name::read(items.next()?)?,)+))
            }
        }
        impl<$($name: ToValue),+> ToValue for ($($name,)+) {
            fn write(&self, out: &mut String) {
                let ($($name,)+) = self;
                write_all("t", [$(written($name)),+].into_iter(), out);
            }
        }
    )*};
}
tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; }

macro_rules! opaque {
    ($($class:literal $ty:ty;)*) => {$(
        impl ToValue for $ty {
            fn write(&self, out: &mut String) { write_opaque($class, &format!("{self:?}"), out); }
        }
    )*};
}
opaque! {
    "ParseIntError" std::num::ParseIntError;
    "ParseFloatError" std::num::ParseFloatError;
    "ParseBoolError" std::str::ParseBoolError;
    "ParseCharError" std::char::ParseCharError;
    "CharTryFromError" std::char::CharTryFromError;
    "TryFromIntError" std::num::TryFromIntError;
    "Utf8Error" std::str::Utf8Error;
    "FromUtf8Error" std::string::FromUtf8Error;
    "Infallible" std::convert::Infallible;
    "Error" std::fmt::Error;
    "Error" std::io::Error;
    "Error" dyn std::error::Error;
    "Error" dyn std::error::Error + Send;
    "Error" dyn std::error::Error + Send + Sync;
}

// ---- of this upstream -------------------------------------------------------------------------------------

