#!/usr/bin/env tide
//! Everything here is meant to mislead a scanner. "{" '"' r#"
#![allow(dead_code)]

use std::{collections::{BTreeMap, BTreeSet as Set}, fmt::{self, Display}};
pub use self::inner::Deep;
extern crate core as kernel;

/* a /* nested } comment */ still { */
pub const OPEN: char = '{';
const QUOTE: char = '\'';
const BYTES: &[u8] = b"\"}\\";
static RAW: &str = r##"ends "# here: } "##;
pub static mut COUNT: [u8; { 1 + 2 }] = [0; 3];
const _: () = { struct Hidden; };
const CLOSURE: fn(u8) -> bool = |it| it < 3;

/// Documentation with a brace {
#[derive(Clone, Debug)]
pub(crate) struct Wrapper<'a, T: ?Sized, const N: usize = { 3 * 2 }>(&'a T, [u8; N]) where T: 'a;

pub struct Named<T> where T: Into<[u8; { 4 }]> {
    /// '{' in a field's documentation
    pub field: Option<Box<dyn Fn(T) -> Vec<T>>>,
    r#type: u8,
}

pub enum Shape { Circle { radius: f64 }, Square(f64), Unit = 3 }
union Bits { int: u32, float: f32 }

impl<'a, T, const N: usize> Wrapper<'a, T, N> where T: 'a {
    pub const LIMIT: usize = if N > 3 { 1 } else { 2 };
    pub fn lifetime<'b>(&'b self, other: &'b str) -> Option<&'b str> where 'a: 'b { let c = 'b'; Some(other) }
    pub(in crate::inner) async unsafe extern "C" fn odd(self: Box<Self>) {}
    fn array() -> [u8; { N }] { [0; { N }] }
}

impl<T> fmt::Display for Named<T> where T: Into<[u8; 4]> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "}}{{") }
}

impl<T: Fn() -> u8> From<T> for Shape { fn from(_: T) -> Self { Self::Unit } }
impl From<fn(u8) -> u8> for Shape { fn from(_: fn(u8) -> u8) -> Self { Self::Unit } }
unsafe impl<T: ?Sized> Send for Wrapper<'_, T, 3> {}
impl<'a> IntoIterator for &'a Named<u8> { type Item = u8; type IntoIter = std::iter::Empty<u8>; fn into_iter(self) -> Self::IntoIter { std::iter::empty() } }
impl dyn Tide { fn inherent(&self) {} }
impl !Sync for Bits {}

pub trait Tide: for<'x> Fn(&'x str) -> u8 {
    type Level<'l>: Default where Self: 'l;
    const HIGH: u8 = 3;
    fn required(&self) -> u8;
    fn provided(&self) -> u8 { self.required() << 1 }
}
unsafe auto trait Automatic {}

mod inner {
    //! Inner documentation
    pub struct Deep;
    pub mod deeper { pub fn bottom() -> &'static str { "}" } }
    #[cfg(test)]
    mod tests { #[test] fn works() { assert!('}' != '{'); } }
}
mod elsewhere;

#[cfg(unix)]
fn twice() -> u8 { 1 }
#[cfg(not(unix))]
fn twice() -> u8 { 2 }

macro_rules! shout { ($($it:tt)*) => { { $($it)* } }; () => { "}" } }
shout! { fn not_an_item() {} }
std::thread_local!(static LOCAL: u8 = 3;);
shout!["{"];

extern "C" {
    pub fn strlen(text: *const u8) -> usize;
    static environ: *const u8;
}

pub fn shifts<T: Into<Vec<Vec<u8>>>>(value: T) -> bool { let a = 1 << 2 >> 1; a < 3 && a > 1 }
pub fn closures() -> impl Fn(u8) -> u8 { |it| match it { b'{' => 1, b'\'' => 2, _ => 3 } }
const fn generic<const N: usize>() -> [u8; N] where [(); { N + 1 }]: { [0; N] }
type Alias<T> = std::result::Result<T, Box<dyn std::error::Error + Send>>;
pub async fn waits() { let label = 'outer: loop { break 'outer 3 }; }
#[tokio::test(flavor = "multi_thread")] async fn waits_in_a_test() {}
