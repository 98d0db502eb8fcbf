use std::fs;

use proptest::prelude::*;
use upstream::{ItemKind, ItemPath, RevisionLabel};

use super::*;
use crate::edit::Answer;
use crate::translate::testing::{CODEC, body_change, context, limit_request, request};

fn entry(key: ContentHash, answer: &str) -> MemoryEntry {
    MemoryEntry {
        key,
        origin: "a person".to_owned(),
        item: ItemPath::new("krate::clamp").unwrap(),
        revision: RevisionLabel::new("1.1.0").unwrap(),
        answer: answer.to_owned(),
        note: String::new(),
        corrected: false,
    }
}

fn unportable(reason: &str) -> String {
    (CODEC.render)(&Answer::Unportable { reason: reason.to_owned() }, MEMORY_NONCE)
}

fn request_of(before: &str, after: &str, symbol: &str) -> TranslationRequest {
    let change = body_change("krate::f", ItemKind::Function, before, after);
    request(change, vec![context("pkg.f", "pkg.py", symbol)])
}

#[test]
fn the_key_is_the_same_on_every_machine_and_from_now_on() {
    let request = request_of("fn f() { 1 }", "fn f() { 2 }", "def f():\n    return 1");
    assert_eq!(memory_key(&request).to_string(), "85891e4a3525f947a6a6fdc182176bc6");
}

#[test]
fn the_key_does_not_depend_on_layout_comments_or_attempts() {
    let one = request_of("fn f() { 1 }", "fn f() { 2 }", "def f():\n    return 1\n");
    let mut other = request_of("fn f() {\n  // one\n  1\n}", "fn f()\n{ 2 }", "def f():  \n    return 1");
    other.attempt = 7;
    other.revision.label = RevisionLabel::new("9.9.9").unwrap();
    assert_eq!(memory_key(&one), memory_key(&other));
}

#[test]
fn the_key_depends_on_what_changed_behind_the_item() {
    let base = request_of("fn f() { g() }", "fn f() { g() }", "def f():\n    return 1");
    let behind = |after: &str| {
        let mut request = base.clone();
        request.hidden = vec![body_change("krate::g", ItemKind::Function, "fn g() { 1 }", after)];
        memory_key(&request)
    };
    assert_ne!(memory_key(&base), behind("fn g() { 2 }"));
    assert_ne!(behind("fn g() { 2 }"), behind("fn g() { 3 }"));
    assert_eq!(behind("fn g() { 2 }"), behind("fn g() {\n    2\n}"));
}

#[test]
fn the_key_depends_on_every_text_and_on_the_style() {
    let base = request_of("fn f() { 1 }", "fn f() { 2 }", "def f(): return 1");
    let mut styled = base.clone();
    styled.style = "short".to_owned();
    let mut documented = base.clone();
    if let upstream::ItemChange::Modified { after, .. } = &mut documented.unit.members[0].change {
        after.docs = "New words.".to_owned();
    }
    let keys: std::collections::BTreeSet<String> = [
        base,
        styled,
        documented,
        request_of("fn f() { 0 }", "fn f() { 2 }", "def f(): return 1"),
        request_of("fn f() { 1 }", "fn f() { 3 }", "def f(): return 1"),
        request_of("fn f() { 1 }", "fn f() { 2 }", "def f(): return 2"),
        request_of("fn f() { 1 }", "fn f() { 2 }", ""),
    ]
    .iter()
    .map(|request| memory_key(request).to_string())
    .collect();
    assert_eq!(keys.len(), 7);
}

#[test]
fn each_attempt_takes_the_next_entry_in_the_order_of_file_names() {
    let folder = tempfile::tempdir().unwrap();
    let key = memory_key(&limit_request());
    for (name, reason) in [("b", "second"), ("a", "first")] {
        let text = entry(key, &unportable(reason)).to_toml().unwrap();
        fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
    }
    let store = Arc::new(MemoryFolder::open(folder.path()).unwrap());
    let translator = MemoryTranslator::new(store, CODEC);
    assert_eq!(translator.attempts_max(), 2);
    let answer = |attempt| {
        let mut request = limit_request();
        request.attempt = attempt;
        translator.translate(&request).unwrap()
    };
    for (attempt, expected) in [(1, "first"), (2, "second")] {
        let Translation::Answered { answer, origin, .. } = answer(attempt) else { panic!("{attempt}") };
        assert_eq!(answer, Answer::Unportable { reason: expected.to_owned() });
        assert_eq!(origin, "a person");
    }
    assert!(matches!(answer(3), Translation::Declined { .. }));
}

#[test]
fn only_an_exact_hit_answers() {
    let store: MemoryTable = [entry(memory_key(&limit_request()), &unportable("x"))].into_iter().collect();
    let translator = MemoryTranslator::new(Arc::new(store), CODEC);
    let mut other = limit_request();
    other.symbols[0] = context("pkg.clamp", "pkg.py", "def clamp(x):\n    return min(10, x)");
    assert!(matches!(translator.translate(&other), Ok(Translation::Declined { .. })));
}

#[test]
fn an_entry_with_a_broken_answer_is_malformed_and_not_silent() {
    let store: MemoryTable = [entry(memory_key(&limit_request()), "junk")].into_iter().collect();
    let translation = MemoryTranslator::new(Arc::new(store), CODEC).translate(&limit_request()).unwrap();
    assert!(matches!(translation, Translation::Malformed { .. }), "{translation:?}");
}

#[test]
fn answers_are_written_as_they_read() {
    let text = entry(ContentHash::of("k"), "@@ line one\n    \"quoted\" \\n\n").to_toml().unwrap();
    insta::assert_snapshot!(text, @r#"
    format = 1
    key = "95d6b7920c5acf9a9b3032984a47488c"
    origin = "a person"
    item = "krate::clamp"
    revision = "1.1.0"
    answer = '''
    @@ line one
        "quoted" \n
    '''
    "#);
}

#[test]
fn added_entries_line_up_behind_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = MemoryFolder::open(&folder.path().join("memory")).unwrap();
    let key = ContentHash::of("k");
    let first = memory.add(&entry(key, "one")).unwrap();
    let second = memory.add(&entry(key, "two")).unwrap();
    assert!(first < second);
    let answers: Vec<String> = memory.lookup(&key).into_iter().map(|entry| entry.answer).collect();
    assert_eq!(answers, ["one", "two"]);
}

#[test]
fn what_a_person_corrected_is_tried_before_all_else_and_the_latest_first() {
    let folder = tempfile::tempdir().unwrap();
    let key = ContentHash::of("k");
    let corrected = |answer| MemoryEntry { corrected: true, ..entry(key, answer) };
    let mut shipped = MemoryFolder::open(&folder.path().join("shipped")).unwrap();
    shipped.add(&entry(key, "shipped")).unwrap();
    let mut learned = MemoryFolder::open(&folder.path().join("learned")).unwrap();
    for one in [entry(key, "ours"), corrected("theirs"), corrected("theirs again")] {
        learned.add(&one).unwrap();
    }
    let all = vec![shipped, MemoryFolder::open(&folder.path().join("learned")).unwrap()];
    let answers: Vec<String> = all.lookup(&key).into_iter().map(|entry| entry.answer).collect();
    assert_eq!(answers.first().map(String::as_str), Some("theirs again"));
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("theirs")).count(), 2);
    assert_eq!(answers.get(2..), Some(["shipped".to_owned(), "ours".to_owned()].as_slice()));
}

#[test]
fn a_bad_file_is_named_with_its_line() {
    let good = entry(ContentHash::of("k"), "a\nb\n").to_toml().unwrap();
    let cases = [
        (good.replace("origin = \"a person\"", "origin = 3"), ":3: "),
        (good.replace("note", "nte").replace("origin", "orign"), ":3: "),
        (good.replace("format = 1", "format = 2"), "format 2"),
        (good.replace("format = 1", "format = 1\ncorrected = \"yes\""), ":2: "),
        (good.replace("key = \"", "key = \"x"), ":2: "),
        (String::new(), "format"),
        ("= 1".to_owned(), ":1: "),
    ];
    for (text, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("e.toml"), &text).unwrap();
        let error = MemoryFolder::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("e.toml") && error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_file_that_is_too_long_or_no_text_is_refused() {
    let too_long = vec![b'#'; usize::try_from(MEMORY_ENTRY_BYTES_MAX).unwrap() + 1];
    for bytes in [too_long, vec![0xff, 0xfe]] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("e.toml"), bytes).unwrap();
        assert!(matches!(MemoryFolder::open(folder.path()), Err(MemoryError::Entry { .. })));
    }
}

proptest! {
    #[test]
    fn any_answer_comes_back_from_its_file_as_it_was(answer in "(\\PC|[\\n\\r\\t'\"\\\\]|'''){0,40}") {
        let entry = MemoryEntry { note: answer.clone(), ..entry(ContentHash::of("k"), &answer) };
        let read = MemoryEntry::parse(&entry.to_toml().unwrap());
        prop_assert_eq!(read.ok(), Some(entry));
    }
}
