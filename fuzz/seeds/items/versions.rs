use a::{b, c as d};
#[derive(A, B)]
pub struct S<'a, T: Tr<{ 1 }> = u8> where T: 'a { pub(crate) x: &'a T, y: [u8; { 2 }] }
impl<'a, T> Tr<u8> for S<'a, T> { type O = (u8,); const C: u8 = 1; fn f(&self) -> u8 { match 1 { 1 => { 2 } _ => 3, } } }
//////
use a::b;
use a::c as d;
#[derive(A)]
#[derive(B)]
pub struct S<'a, T: Tr<{ 1 }> = u8,> where T: 'a, { pub(crate) x: &'a T, y: [u8; { 2 }], }
impl<'a, T> Tr<u8> for S<'a, T> { type O = (u8,); const C: u8 = 1; fn f(&self) -> u8 { match 1 { 1 => 2, _ => 3 } } }
