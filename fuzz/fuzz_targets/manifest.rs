//! Any bytes as manifests: reading them may not fail, and shortcuts say what the whole says.
//!
//! A text with the line `######` is two manifests: of a workspace and its member, and two versions of one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use upstream::{agreement, diff};

/// What parts two manifests.
const BREAK: &[u8] = b"\n######\n";

fuzz_target!(init: quiet(), |bytes: &[u8]| {
    let at = bytes.windows(BREAK.len()).position(|window| window == BREAK);
    let (one, other) = at.map_or((bytes, bytes), |at| (&bytes[..at], &bytes[at + BREAK.len()..]));
    let snapshot = agreement::repository(&[("", one), ("a/", other), ("b/c/", other)]);
    let itself = diff::compare(&snapshot, &snapshot);
    assert!(itself.items.is_empty() && itself.files.is_empty() && itself.dependencies.is_empty());
    let (short, whole) = agreement::requirements(one, other);
    // What is no TOML is only noticed where it is read.
    assert!(whole.is_none() || short == whole, "by lines: {short:?}; by tables: {whole:?}");
    if let Some((short, whole)) = agreement::versions(one, other) {
        assert_eq!(short, whole, "by the part that differs, and by the whole");
    }
});

/// Panics that a reader catches are no finding; one that reaches the fuzzer still ends it.
fn quiet() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}
