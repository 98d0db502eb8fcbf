//! Laws that both ways of finding changes obey, tried on our own sources and on what random edits make of them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::agreement::{changes, mirrored, scanned};
use crate::diff::{ItemChange, SemanticDiff, compare};
use crate::process::{Invocation, ProcessRunner as _, SystemProcessRunner};
use crate::scan::lexer::Tokens;
use crate::snapshot::syntax::{AstNode as _, Edition, HasModuleItem as _, own_range, parse_file};
use crate::snapshot::tests::repository;
use crate::snapshot::{ItemKind, Snapshot};

/// The longest source that takes part, in bytes: the parser is slow in a debug build.
const SOURCE_BYTES_MAX: usize = 9_000;

/// Our own sources, sorted by path; those that declare modules in other files left out.
static SOURCES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    let alone = |text: &String| {
        text.len() <= SOURCE_BYTES_MAX
            && !text.lines().any(|line| line.contains("mod ") && line.ends_with(';'))
    };
    let texts: Vec<String> = texts.filter(alone).collect();
    assert!(texts.len() > 30, "too few sources take part: {}", texts.len());
    texts
});

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn source() -> impl Strategy<Value = &'static str> {
    any::<proptest::sample::Index>().prop_map(|at| SOURCES[at.index(SOURCES.len())].as_str())
}

const MANIFEST: &str = "[package]\nname = \"my-crate\"\nedition = \"2024\"\n";

fn library(text: &str) -> Snapshot {
    repository(&[("Cargo.toml", MANIFEST), ("src/lib.rs", text)])
}

/// The full diff in the words of [`changes`]; `None` where the parser complains.
fn parsed_changes(before: &Snapshot, after: &Snapshot) -> Option<Vec<String>> {
    (before.unparsed.is_empty() && after.unparsed.is_empty()).then(|| lines(&compare(before, after)))
}

fn lines(diff: &SemanticDiff) -> Vec<String> {
    let inside = |item: &crate::Item| {
        let path = item.path.as_str().split('#').next().unwrap_or_default();
        path.strip_prefix("my_crate").unwrap_or(path).trim_start_matches("::").to_owned()
    };
    let line = |sign: &str, item: &crate::Item| format!("{sign} {} {:?}", inside(item), item.kind);
    let mut lines: Vec<String> = diff
        .items
        .iter()
        .flat_map(|change| match change {
            ItemChange::Added { after } => vec![line("+", after)],
            ItemChange::Removed { before } => vec![line("-", before)],
            ItemChange::Relocated { before, after, .. } => vec![line("-", before), line("+", after)],
            ItemChange::Modified { after, aspects, .. } => {
                let names: Vec<&str> = aspects.names().collect();
                vec![format!("~ {} {}", inside(after), names.join(","))]
            }
        })
        .collect();
    lines.sort();
    lines
}

/// A place in a text, as a share of it, and what is done there.
#[derive(Debug, Clone)]
enum Edit {
    Byte(usize, u8),
    DropToken(usize),
    SwapTokens(usize),
    Token(usize, &'static str),
    DropLine(usize),
    DoubleLine(usize),
    SwapLines(usize),
}

const WORDS: [&str; 16] = [
    "pub",
    "fn",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "'",
    "\"",
    "/*",
    "//",
    "#[cfg(test)]",
    "mod m",
    "impl X",
    ",",
];

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0..10_000_usize;
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        at.clone().prop_map(Edit::DropToken),
        at.clone().prop_map(Edit::SwapTokens),
        (at.clone(), 0..WORDS.len()).prop_map(|(at, word)| Edit::Token(at, WORDS[word])),
        at.clone().prop_map(Edit::DropLine),
        at.clone().prop_map(Edit::DoubleLine),
        at.prop_map(Edit::SwapLines),
    ]
}

fn edited(text: &str, edit: &Edit) -> String {
    let place = |share: usize, length: usize| share * length.saturating_sub(1) / 10_000;
    let tokens: Vec<(usize, usize)> =
        Tokens::of(text.as_bytes(), 0..text.len()).map(|token| (token.start, token.end)).collect();
    let spliced = |start: usize, end: usize, piece: &str| {
        let (head, tail) = (&text.as_bytes()[..start], &text.as_bytes()[end..]);
        String::from_utf8_lossy(&[head, piece.as_bytes(), tail].concat()).into_owned()
    };
    let mut lines: Vec<&str> = text.lines().collect();
    match *edit {
        Edit::Byte(at, byte) => {
            let mut bytes = text.as_bytes().to_vec();
            let at = place(at, bytes.len());
            bytes[at] = byte;
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        Edit::DropToken(at) => {
            let (start, end) = tokens[place(at, tokens.len())];
            return spliced(start, end, "");
        }
        Edit::SwapTokens(at) => {
            let at = place(at, tokens.len() - 1);
            let ((first, second), (third, fourth)) = (tokens[at], tokens[at + 1]);
            let swapped = format!("{} {}", piece(text, third..fourth), piece(text, first..second));
            return spliced(first, fourth, &swapped);
        }
        Edit::Token(at, word) => {
            let (start, _) = tokens[place(at, tokens.len())];
            return spliced(start, start, &format!(" {word} "));
        }
        Edit::DropLine(at) => {
            lines.remove(place(at, lines.len()));
        }
        Edit::DoubleLine(at) => {
            let at = place(at, lines.len());
            lines.insert(at, lines[at]);
        }
        Edit::SwapLines(at) => {
            let at = place(at, lines.len() - 1);
            lines.swap(at, at + 1);
        }
    }
    lines.join("\n") + "\n"
}

/// What stands between two places where something begins or ends.
fn piece(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap()
}

/// The text with its white space and plain comments laid out anew between tokens.
fn laid_out_anew(text: &str, choices: &[u8]) -> String {
    const SPACES: [&str; 6] =
        ["\n", " ", "\n\n\n", "\t /* a { comment */ ", "\n    // \"another\n", " /* /* } */ */\n"];
    let mut fresh = String::new();
    let (mut last, mut choice) = (0, choices.iter().cycle());
    for token in Tokens::of(text.as_bytes(), 0..text.len()) {
        let between = piece(text, last..token.start);
        // Documentation, and words that stand together, stay as they are.
        if between.contains("//") || between.contains("/*") || between.is_empty() {
            fresh.push_str(between);
        } else {
            fresh.push_str(SPACES[usize::from(*choice.next().unwrap()) % SPACES.len()]);
        }
        fresh.push_str(piece(text, token.start..token.end));
        last = token.end;
    }
    fresh + "\n"
}

/// The text with its items in another order; what stands at the head of the file stays there.
fn reordered(text: &str, keys: &[u8]) -> String {
    let parsed = parse_file(text, Edition::Edition2024).unwrap();
    let items: Vec<_> = parsed.file.items().map(|item| own_range(item.syntax())).collect();
    let head = items.first().map_or(text.len(), |first| first.start);
    let mut pieces: Vec<(u8, &str)> =
        items.into_iter().zip(keys.iter().cycle()).map(|(range, key)| (*key, piece(text, range))).collect();
    pieces.sort_by_key(|(key, _)| *key);
    let pieces: Vec<&str> = pieces.into_iter().map(|(_, piece)| piece).collect();
    format!("{}\n{}\n", piece(text, 0..head), pieces.join("\n"))
}

/// The same edits each time: the fuzzer is there to look further (`CONTRIBUTING.md`).
fn cases() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::with_cases(48)
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn random_edits_are_survived_and_both_ways_tell_the_same(
        text in source(), edits in proptest::collection::vec(edit(), 1..4),
    ) {
        let after = edits.iter().fold(text.to_owned(), |text, edit| edited(&text, edit));
        let (old, new) = (library(text), library(&after));
        let Ok(by_scanner) = changes(text, &after) else { return Ok(()) };
        let back: BTreeSet<String> = changes(&after, text).unwrap().into_iter().collect();
        prop_assert_eq!(by_scanner.iter().map(|line| mirrored(line)).collect::<BTreeSet<_>>(), back);
        let Some(by_parser) = parsed_changes(&old, &new) else { return Ok(()) };
        let back: BTreeSet<String> = lines(&compare(&new, &old)).into_iter().collect();
        prop_assert_eq!(by_parser.iter().map(|line| mirrored(line)).collect::<BTreeSet<_>>(), back);
        prop_assert_eq!(by_scanner, by_parser);
    }

    #[test]
    fn white_space_and_comments_are_no_change(text in source(), choices in proptest::collection::vec(any::<u8>(), 1..50)) {
        let after = laid_out_anew(text, &choices);
        prop_assert_eq!(changes(text, &after).unwrap(), Vec::<String>::new());
        prop_assert_eq!(parsed_changes(&library(text), &library(&after)).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_order_of_items_is_no_change(text in source(), keys in proptest::collection::vec(any::<u8>(), 1..50)) {
        let after = reordered(text, &keys);
        prop_assert_eq!(changes(text, &after).unwrap(), Vec::<String>::new());
        prop_assert_eq!(parsed_changes(&library(text), &library(&after)).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn both_ways_find_the_same_items_in_our_sources(text in source()) {
        prop_assert_eq!(crate::agreement::disagreement(text), None);
        prop_assert_eq!(changes(text, text).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn documentation_that_moves_from_a_field_to_its_struct_is_a_change() {
    let (text, after) = ("/// A.\nstruct S {\n/// B.\na: u8 }\n", "/// A.\n/// B.\nstruct S {\na: u8 }\n");
    assert_eq!(changes(text, after).unwrap(), ["~ S docs"]);
    assert_eq!(parsed_changes(&library(text), &library(after)).unwrap(), ["~ S docs"]);
}

#[test]
fn rustfmt_over_our_sources_in_two_manners_changes_nothing() {
    let narrow = "max_width=50,use_small_heuristics=Off,tab_spaces=2,match_arm_leading_pipes=Always,\
                  fn_params_layout=Vertical,remove_nested_parens=false,reorder_imports=false,merge_derives=false,\
                  hard_tabs=true,newline_style=Windows,force_explicit_abi=false";
    let wide = "max_width=200,use_small_heuristics=Max,match_arm_leading_pipes=Never,fn_params_layout=Compressed,\
                match_block_trailing_comma=true,style_edition=2024";
    let (before, after) = (formatted(narrow), formatted(wide));
    assert!(before.iter().zip(&after).filter(|(one, other)| one != other).count() > 30);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(changes(before, after).unwrap(), Vec::<String>::new());
        assert_eq!(scanned(before).unwrap().len(), scanned(after).unwrap().len());
        assert_eq!(parsed_changes(&library(before), &library(after)).unwrap(), Vec::<String>::new());
    }
}

/// Our sources as `rustfmt` writes them with these settings.
fn formatted(settings: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..SOURCES.len()).map(|at| folder.path().join(format!("{at}.rs"))).collect();
    for (file, text) in files.iter().zip(SOURCES.iter()) {
        std::fs::write(file, text).unwrap();
    }
    let invocation = Invocation::new("rustfmt", folder.path())
        .args(["--edition", "2024", "--config", settings])
        .args(&files)
        .inherit(&["HOME", "PATH", "RUSTUP_HOME", "CARGO_HOME"]);
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "{}", finished.tail(20));
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn a_file_that_moves_unchanged_is_a_move_and_nothing_else() {
    // Look-alikes in one file.
    let twins = "struct A; struct B;
        impl Default for A { fn default() -> Self { Self } } impl Default for B { fn default() -> Self { Self } }
        mod one { fn f() { g() } mod two { fn f() { g() } } }
        #[cfg(x)] fn f() { 1 } #[cfg(y)] fn f() { 2 }"
        .to_owned();
    for text in SOURCES.iter().chain([&twins]) {
        let at = |name: &str| {
            let (root, file) = (format!("mod {name};\n"), format!("src/{name}.rs"));
            repository(&[("Cargo.toml", MANIFEST), ("src/lib.rs", &root), (&file, text)])
        };
        let diff = compare(&at("here"), &at("there"));
        let strays = diff.items.iter().filter(|change| match change {
            ItemChange::Relocated { aspects, .. } => *aspects != crate::diff::Aspects::default(),
            ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Modified { .. } => true,
        });
        let strays: Vec<String> =
            strays.map(|change| format!("{} {}", change.path(), change.summary())).collect();
        assert_eq!(strays, Vec::<String>::new());
        let module = diff.items.iter().find(|change| change.path().as_str() == "my_crate::there");
        assert_eq!(module.and_then(ItemChange::after).map(|item| item.kind), Some(ItemKind::Module));
    }
}
