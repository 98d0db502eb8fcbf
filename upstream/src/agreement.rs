//! Both ways of finding items side by side, for the property tests and the fuzzer.
//!
//! The scanner behind histories and the parser behind plans share no code that finds items; where both read a
//! text they must find the same. Main function: [`disagreement`]. Built for tests, and under the feature
//! `fuzzing` for the programs in `fuzz/`.

use crate::diff::DependencyChange;
use crate::history;
use crate::ids::{CommitId, RevisionLabel};
use crate::revision::Revision;
use crate::scan::compare::{Sides, Version, compare};
use crate::scan::scan;
use crate::snapshot::{self, ItemKind, Snapshot};
use crate::tree::MemoryTree;

/// Dependencies that changed, where they can be told.
pub type Told = Option<Vec<DependencyChange>>;

/// Path inside the file, kind, whether it is test code.
pub type Named = (String, ItemKind, bool);

/// The items that the scanner finds, sorted; modules in other files left out, as the parser does.
pub fn scanned(text: &str) -> Result<Vec<Named>, String> {
    let scan = scan(text.as_bytes());
    if let Some(trouble) = scan.trouble {
        return Err(trouble);
    }
    let here = scan.items.iter().filter(|item| item.kind != ItemKind::Module || item.contents.is_some());
    // The first is the file itself.
    let named = here.skip(1).map(|item| (scan.path(text.as_bytes(), item), item.kind, item.is_test));
    let mut found: Vec<Named> = named.collect();
    found.sort();
    Ok(found)
}

/// The items that the parser finds, sorted.
pub fn parsed(text: &str) -> Result<Vec<Named>, String> {
    let mut found = snapshot::items_alone(text)?;
    found.sort();
    Ok(found)
}

/// How the two differ on a text that both can read; `None` where they agree or one of them cannot.
pub fn disagreement(text: &str) -> Option<String> {
    let (scanned, parsed) = (scanned(text).ok()?, parsed(text).ok()?);
    let only = |these: &[Named], those: &[Named]| -> Vec<String> {
        let these = these.iter().filter(|item| !those.contains(item));
        these.map(|item| format!("{item:?}")).collect()
    };
    (scanned != parsed).then(|| {
        let (by_scanner, by_parser) = (only(&scanned, &parsed), only(&parsed, &scanned));
        format!("only the scanner: {by_scanner:?}; only the parser: {by_parser:?}")
    })
}

/// What the scanner says happened between two texts: path and kind of items that are gone (`-`) or new (`+`),
/// path and aspects of those that are different (`~`).
pub fn changes(before: &str, after: &str) -> Result<Vec<String>, String> {
    let (old, new) = (scan(before.as_bytes()), scan(after.as_bytes()));
    if let Some(trouble) = old.trouble.as_ref().or(new.trouble.as_ref()) {
        return Err(trouble.clone());
    }
    let found = compare(
        Some(Version { text: before.as_bytes(), scan: &old }),
        Some(Version { text: after.as_bytes(), scan: &new }),
    );
    let mut lines: Vec<String> = found
        .into_iter()
        .map(|change| match change.sides {
            Sides::Before(_) => format!("- {} {:?}", change.path, change.kind),
            Sides::After(_) => format!("+ {} {:?}", change.path, change.kind),
            Sides::Both(aspects) => {
                let aspects: Vec<&str> = aspects.names().collect();
                // Another kind is another signature; which of the two it is depends on the direction.
                format!("~ {} {}", change.path, aspects.join(","))
            }
        })
        .collect();
    lines.sort();
    Ok(lines)
}

/// The line that the opposite change has.
pub fn mirrored(line: &str) -> String {
    match line.split_at_checked(1) {
        Some(("-", rest)) => format!("+{rest}"),
        Some(("+", rest)) => format!("-{rest}"),
        Some(_) | None => line.to_owned(),
    }
}

/// The snapshot of a repository with these manifests and a few sources beside each; whatever the bytes are.
pub fn repository(manifests: &[(&str, &[u8])]) -> Snapshot {
    let sources = manifests.iter().flat_map(|(folder, manifest)| {
        let at = |file: &str| format!("{folder}{file}");
        let empty =
            ["src/lib.rs", "src/main.rs", "src/bin/a.rs", "tests/a/main.rs", "benches/a.rs", "build.rs"];
        let sources = empty.map(|file| (at(file), b"pub fn f() {}\n".to_vec()));
        sources.into_iter().chain([(at("Cargo.toml"), manifest.to_vec())]).collect::<Vec<_>>()
    });
    let tree: MemoryTree = sources.collect();
    let revision = Revision {
        label: RevisionLabel::new("1.0.0").expect("a plain label"),
        commit: CommitId::new("0123456789abcdef0123456789abcdef01234567").expect("forty digits"),
        summary: String::new(),
        published_s: None,
        withdrawn: false,
    };
    snapshot::read(&tree, &revision).expect("a tree in memory can be read")
}

/// What a history says of two versions of a manifest, by reading only what it must, and by reading all of it;
/// `None` where one of them is no TOML that it can read.
pub fn requirements(before: &[u8], after: &[u8]) -> (Told, Told) {
    history::requirements(before, after)
}

/// What a history says of two versions of a lock file, in the same two ways; `None` where one of them is not laid out
/// as Cargo writes it.
pub fn versions(before: &[u8], after: &[u8]) -> Option<(Vec<DependencyChange>, Vec<DependencyChange>)> {
    history::versions(before, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts on which the two once differed, or that mislead.
    const SEEDS: [&str; 4] = [
        include_str!("../../fuzz/seeds/items/hard.rs"),
        include_str!("../../fuzz/seeds/items/headers.rs"),
        include_str!("../../fuzz/seeds/items/text.rs"),
        include_str!("../../fuzz/seeds/items/versions.rs"),
    ];

    #[test]
    fn the_seeds_of_the_fuzzer_are_read_alike() {
        for text in SEEDS {
            for version in text.split("\n//////\n") {
                assert_eq!((scanned(version).err(), parsed(version).err()), (None, None), "{version}");
                assert_eq!(disagreement(version), None);
            }
        }
    }

    /// What the fuzzer found.
    #[test]
    fn what_once_misled_one_of_the_two_misleads_neither() {
        for text in [
            "const A: &str = \"a\r\nb\"; const B: &[u8] = br#\"\r\n\"#; /** a\r\nb */ fn f() {}\r\n",
            "impl A<u: > for B {}",
            "impl ::a::B for ::c::D<::e::F> { fn f() {} }",
            "#![cfg(test)]\nmod a { #![cfg(test)] fn f() {} }",
        ] {
            assert_eq!((scanned(text).err(), parsed(text).err()), (None, None), "{text}");
            assert_eq!(disagreement(text), None, "{text}");
        }
    }

    #[test]
    fn the_kind_of_line_break_is_no_change() {
        let text = "/// A.\n/// B.\nconst A: &str = \"a\nb\";\n/** C\n * D */\nfn f() { g(\"\n\") }\n";
        assert_eq!(changes(text, &text.replace('\n', "\r\n")).unwrap(), Vec::<String>::new());
        // A comma that only the parser can judge, beside a string that goes on in the next line.
        let (before, after) =
            ("const A: &[&str] = &[\"a\\\r\n  b\",];", "const A: &[&str] = &[\"a\\\n  b\"];");
        assert_eq!(changes(before, after).unwrap(), Vec::<String>::new());
    }
}
