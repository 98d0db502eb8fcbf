use mappings::SymbolPath;
use proptest::prelude::*;

use crate::edit::parse::is_same_target;
use crate::edit::{
    ANSWER_BYTES_MAX, Answer, BLOCKS_MAX, BODY_BYTES_MAX, Edit, Hunk, InsertPlace, parse_answer,
    render_answer,
};

const NONCE: &str = "k7f3";

fn path(text: &str) -> SymbolPath {
    SymbolPath::new(text).unwrap()
}

fn code(text: &str) -> &'static str {
    parse_answer(text, NONCE).unwrap_err().code()
}

fn blocks(blocks: &str, count: usize) -> String {
    format!("{blocks}\n@@DONE {NONCE} n={count}\n")
}

const REPLACE: &str = "@@TL k7f3 REPLACE sym=p.m.f sha=ab12cd34\ndef f():\n    return 1\n@@END k7f3";

#[test]
fn talk_outside_blocks_is_not_read_and_a_fence_around_a_body_is_taken_off() {
    let text = "Sure! I will replace `f`:\n```\n@@TL k7f3 REPLACE sha=ab12cd34 sym=p.m.f\n\n```python\ndef f():\n    return '@@END x'\n```\n@@END k7f3\n```\n\n@@TL k7f3 DELETE sym=p.m.g sha=00112233\n@@TL k7f3 INSERT sym=p.m.h after=p.m.f\ndef h(): return 1\n@@END k7f3\nThat is all.\n@@DONE k7f3 n=3\nGoodbye.";
    let answer = parse_answer(text, NONCE).unwrap();
    let edits = vec![
        Edit::Replace {
            symbol: path("p.m.f"),
            expected: "ab12cd34".to_owned(),
            text: "def f():\n    return '@@END x'".to_owned(),
        },
        Edit::Delete { symbol: path("p.m.g"), expected: "00112233".to_owned() },
        Edit::Insert {
            symbol: path("p.m.h"),
            place: InsertPlace::After(path("p.m.f")),
            text: "def h(): return 1".to_owned(),
        },
    ];
    assert_eq!(answer, Answer::Edits { edits });
}

#[test]
fn answers_without_edits_are_read() {
    let answer = |text: &str| parse_answer(&blocks(text, 1), NONCE).unwrap();
    assert_eq!(
        answer("@@TL k7f3 NOCHANGE reason=the port has sym=x already"),
        Answer::NoChange { reason: "the port has sym=x already".to_owned() }
    );
    assert_eq!(
        answer("@@TL k7f3 UNPORTABLE reason=threads\n@@END k7f3"),
        Answer::Unportable { reason: "threads".to_owned() }
    );
    let needs = blocks("@@TL k7f3 NEED sym=p.a\n@@TL k7f3 NEED sym=p.b", 2);
    assert_eq!(
        parse_answer(&needs, NONCE).unwrap(),
        Answer::Need { symbols: vec![path("p.a"), path("p.b")] }
    );
}

#[test]
fn every_defect_has_its_code() {
    let one = |text: &str| code(&blocks(text, 1));
    let two = |first: &str, second: &str| code(&blocks(&format!("{first}\n{second}"), 2));
    assert_eq!(code(""), "empty");
    assert_eq!(code("I cannot do that."), "empty");
    assert_eq!(code("@@DONE k7f3 n=0"), "empty");
    assert_eq!(code(REPLACE), "no-done");
    assert_eq!(code(&blocks(REPLACE, 2)), "count-mismatch");
    assert_eq!(code(&blocks(REPLACE, 1).replace("k7f3", "zzzz")), "wrong-nonce");
    assert_eq!(code(&blocks(&REPLACE.replace("@@END k7f3", "@@END zzzz"), 1)), "unterminated-block");
    assert_eq!(code(REPLACE.trim_end_matches("@@END k7f3")), "unterminated-block");
    assert_eq!(two(REPLACE.trim_end_matches("@@END k7f3"), REPLACE), "unterminated-block");
    assert_eq!(one("@@END k7f3"), "stray-end");
    assert_eq!(one("@@TL k7f3 DELETE sym=a.b sha=00112233\ntalk\n@@END k7f3"), "stray-end");
    assert_eq!(code(&format!("{}{REPLACE}", blocks(REPLACE, 1))), "after-done");
    assert_eq!(one("@@TL k7f3 OVERWRITE sym=p.f"), "unknown-op");
    assert_eq!(one("@@TL k7f3 PATCH sym=p.f sha=ab12cd34\nx\n@@END k7f3"), "bad-piece");
    assert_eq!(one("@@TL k7f3"), "unknown-op");
    assert_eq!(one("@@TL k7f3 DELETE sym=p.f"), "missing-key");
    assert_eq!(one("@@TL k7f3 DELETE sha=00112233 sym="), "missing-key");
    assert_eq!(one("@@TL k7f3 NOCHANGE"), "missing-key");
    assert_eq!(one("@@TL k7f3 INSERT sym=p.f\nx = 1\n@@END k7f3"), "missing-key");
    assert_eq!(one("@@TL k7f3 INSERT sym=p.f in=p after=p.g\nx = 1\n@@END k7f3"), "duplicate-key");
    assert_eq!(one("@@TL k7f3 NEED sym=p.f sym=p.g"), "duplicate-key");
    assert_eq!(one("@@TL k7f3 NEED symbol=p.f"), "unknown-key");
    assert_eq!(one("@@TL k7f3 NEED p.f"), "bad-value");
    assert_eq!(one("@@TL k7f3 DELETE sym=p.f sha=xyz"), "bad-value");
    assert_eq!(one("@@TL k7f3 RENAME sym=p.f sha=00112233 to=q.g"), "bad-value");
    assert_eq!(code(&format!("{REPLACE}\n@@DONE k7f3 blocks=1")), "bad-value");
    assert_eq!(two(REPLACE, "@@TL k7f3 DELETE sym=p.m.f sha=00112233"), "duplicate-symbol");
    assert_eq!(two("@@TL k7f3 NEED sym=p.f", "@@TL k7f3 NEED sym=p.f"), "duplicate-symbol");
    assert_eq!(two(REPLACE, "@@TL k7f3 NOCHANGE reason=x"), "mixed-answer");
    assert_eq!(two("@@TL k7f3 NOCHANGE reason=x", "@@TL k7f3 NOCHANGE reason=y"), "mixed-answer");
    assert_eq!(two("@@TL k7f3 NEED sym=p.f", "@@TL k7f3 UNPORTABLE reason=x"), "mixed-answer");
    assert_eq!(one("@@TL k7f3 REPLACE sym=p.f sha=00112233\n\n@@END k7f3"), "empty-body");
    assert_eq!(one("@@TL k7f3 REPLACE sym=p.f sha=00112233\n```python\n```\n@@END k7f3"), "empty-body");
}

#[test]
fn imports_of_one_file_in_several_blocks_are_wanted_together() {
    let block = |file: &str, text: &str| format!("@@TL k7f3 IMPORTS file={file}\n{text}\n@@END k7f3");
    let text = blocks(
        &[block("a.py", "import re"), block("b.py", "import os"), block("a.py", "from m import x")]
            .join("\n"),
        3,
    );
    let Answer::Edits { edits } = parse_answer(&text, "k7f3").unwrap() else { panic!("no edits: {text}") };
    let imports = |file: &str, text: &str| Edit::Imports { file: file.to_owned(), text: text.to_owned() };
    assert_eq!(edits, [imports("a.py", "import re\nfrom m import x"), imports("b.py", "import os")]);
    // A block that is wrong by itself stays so.
    let broken = blocks(&[block("a.py", "import re"), block("a.py", "")].join("\n"), 2);
    assert_eq!(code(&broken), "empty-body");
}

#[test]
fn bounds_end_in_their_codes() {
    assert_eq!(code(&"x".repeat(ANSWER_BYTES_MAX + 1)), "too-large");
    let long = REPLACE.replace("return 1", &"x\n".repeat(BODY_BYTES_MAX));
    assert_eq!(code(&blocks(&long, 1)), "too-large");
    let many: Vec<String> = (0..=BLOCKS_MAX).map(|at| format!("@@TL k7f3 NEED sym=p.f{at}")).collect();
    assert_eq!(code(&blocks(&many.join("\n"), BLOCKS_MAX + 1)), "too-many-blocks");
}

#[test]
fn an_error_names_its_line() {
    let error = parse_answer("talk\n@@TL k7f3 OVERWRITE sym=p.f\n@@DONE k7f3 n=1", NONCE).unwrap_err();
    assert_eq!(error.to_string(), "unknown-op, line 2: there is no operation `OVERWRITE`");
}

fn symbol() -> impl Strategy<Value = SymbolPath> {
    "[a-z]{1,4}(\\.[a-zA-Z_]{1,6}){1,3}(#2)?".prop_map(|text| path(&text))
}

fn text() -> impl Strategy<Value = String> {
    // Lines as code has them: no white space at their ends, the first and last not blank.
    proptest::collection::vec("( {0,8}[a-z@#'\"()=]{1,12})?", 1..8).prop_map(|lines| {
        format!(
            "x
{}
y",
            lines.join(
                "
"
            )
        )
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = prop_oneof![
        symbol().prop_map(InsertPlace::After),
        symbol().prop_map(InsertPlace::InClass),
        "[a-z]{1,5}/[a-z]{1,5}\\.py".prop_map(InsertPlace::InFile),
    ];
    prop_oneof![
        (symbol(), "[0-9a-f]{8,32}", text()).prop_map(|(symbol, expected, text)| Edit::Replace {
            symbol,
            expected,
            text
        }),
        (symbol(), "[0-9a-f]{8,32}", text(), text()).prop_map(|(symbol, expected, find, with)| Edit::Patch {
            symbol,
            expected,
            hunks: vec![Hunk { find, with: String::new() }, Hunk { find: with.clone(), with }],
        }),
        (symbol(), "[0-9a-f]{8,32}", symbol(), place.clone())
            .prop_map(|(symbol, expected, to, place)| { Edit::Move { symbol, expected, to, place } }),
        (symbol(), place, text()).prop_map(|(symbol, place, text)| Edit::Insert { symbol, place, text }),
        (symbol(), "[0-9a-f]{8,32}").prop_map(|(symbol, expected)| Edit::Delete { symbol, expected }),
        (symbol(), "[0-9a-f]{8,32}", "[a-z_]{1,8}").prop_map(|(symbol, expected, to)| Edit::Rename {
            symbol,
            expected,
            to
        }),
        ("[a-z]{1,8}\\.py", text()).prop_map(|(file, text)| Edit::Imports { file, text }),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let reason = "[a-z=@#]{1,8}( [a-z=]{1,8}){0,4}";
    prop_oneof![
        4 => proptest::collection::vec(edit(), 1..6).prop_map(|edits| {
            let mut kept: Vec<Edit> = Vec::new();
            for edit in edits {
                if !kept.iter().any(|earlier| is_same_target(earlier, &edit)) {
                    kept.push(edit);
                }
            }
            Answer::Edits { edits: kept }
        }),
        1 => reason.prop_map(|reason| Answer::NoChange { reason }),
        1 => reason.prop_map(|reason| Answer::Unportable { reason }),
        1 => proptest::collection::btree_set(symbol(), 1..4)
            .prop_map(|symbols| Answer::Need { symbols: symbols.into_iter().collect() }),
    ]
}

proptest! {
    #[test]
    fn what_is_rendered_is_read_back(answer in answer(), nonce in "[a-z0-9]{6,12}") {
        let text = render_answer(&answer, &nonce);
        prop_assert_eq!(parse_answer(&text, &nonce), Ok(answer));
    }

    #[test]
    fn a_cut_answer_is_never_taken(answer in answer(), cut in 0.0..1.0_f64) {
        let text = render_answer(&answer, NONCE);
        let whole = text.trim_end().chars().count();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a fraction of a small number")]
        let kept = (whole as f64 * cut) as usize;
        let cut: String = text.chars().take(kept).collect();
        prop_assert!(parse_answer(&cut, NONCE).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(@@(TL|END|DONE) k7f3 ?[A-Z]{0,8}[a-z=. 0-9]{0,20}\n|.{0,20}\n){0,12}") {
        drop(parse_answer(&text, NONCE));
    }
}
