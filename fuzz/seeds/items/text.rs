#![cfg(test)]
//! Inner
/*! inner */
/** outer */
/* plain /* nested */ */
#[doc = "x"] #[cfg_attr(a, path = "b.rs")] mod a { #![allow(b)] use super::*; #[test] fn t() { 'a: loop { break 'a } } }
mod b;
fn c() -> char { let _ = ("\"", '"', b"\\", c"x", br#"""#, 1..2, 1.0e-3, r#type, 'a'); '\u{1F}' }
