pub(in crate::a) const unsafe extern "C" fn f<const N: usize>(x: impl Fn(u8) -> [u8; N]) -> impl Sized + 'static where [(); N]:, { loop {} }
unsafe impl !Send for dyn Tr + 'static {}
impl<T> <T as A>::B { }
impl<F: Fn() -> u8> Tr for for<'a> fn(&'a u8) -> F {}
extern "C" { static mut A: u8; fn g(...); type O; }
extern crate a as b;
macro_rules! m { ($($x:tt)*) => { $($x)* }; }
m! { a } m!(b); m![c];
pub macro n($a:ident) { $a }
static mut X: u8 = b'\''; const _: &str = r##"a"#"##;
auto trait T {} trait A = B; union U { a: u8 }
type A<T: ?Sized> where T: B = u8;
const fn h() {} async fn i() {} enum E { A = 1 << 2, B { x: u8 }, C(u8) }
