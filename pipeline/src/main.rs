//! tidelock
fn main() {}
