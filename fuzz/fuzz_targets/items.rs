//! Any bytes as a Rust file: neither way of reading it may fail, and where both can, they find the same items.
//!
//! A text with the line `//////` is two versions of a file: what became of its items is asked as well.

#![no_main]

use libfuzzer_sys::fuzz_target;
use upstream::agreement;

/// What parts two versions.
const BREAK: &str = "\n//////\n";

fuzz_target!(init: quiet(), |bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (before, after) = text.split_once(BREAK).unwrap_or((&text, &text));
    for version in [before, after] {
        if let Some(difference) = agreement::disagreement(version) {
            panic!("{difference}");
        }
    }
    let Ok(changes) = agreement::changes(before, after) else { return };
    assert!(before != after || changes.is_empty(), "a text differs from itself: {changes:?}");
    let back = agreement::changes(after, before).expect("both were read a moment ago");
    let mut mirrored: Vec<String> = changes.iter().map(|line| agreement::mirrored(line)).collect();
    mirrored.sort();
    assert_eq!(mirrored, back, "back and forth differ");
});

/// Panics that a reader catches are no finding; one that reaches the fuzzer still ends it.
fn quiet() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}
