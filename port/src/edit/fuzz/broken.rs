//! Answers that are no answers: cut off, forged, miscounted, in another format, or damaged at random.

use super::super::{ANSWER_BYTES_MAX, BLOCKS_MAX, BODY_BYTES_MAX};
use super::{CLAMP, Case, Expected, Make, Pen};

pub(super) const KINDS: &[Make] = &[
    cut,
    foreign,
    half_foreign,
    miscounted,
    behind_the_end,
    operation,
    keys,
    hash,
    twice,
    mixed,
    no_text,
    unended,
    stray,
    too_large,
    too_many,
    other_format,
    pieces,
    damaged,
    damaged,
    damaged,
    damaged,
];

fn sound(pen: &mut Pen<'_>) -> String {
    let text = pen.sound_clamp();
    pen.replacing_clamp(&text)
}

fn cut(pen: &mut Pen<'_>) -> Case {
    let whole = sound(pen);
    let chars: Vec<char> = whole.trim_end().chars().collect();
    let kept = pen.random.index(chars.len());
    let answer: String = chars.into_iter().take(kept).collect();
    pen.refused(
        "cut off",
        answer,
        &[
            "empty",
            "no-done",
            "unterminated-block",
            "count-mismatch",
            "bad-value",
            "missing-key",
            "wrong-nonce",
        ],
    )
}

fn foreign(pen: &mut Pen<'_>) -> Case {
    let whole = sound(pen);
    let other = match pen.random.index(3) {
        0 => pen.nonce.to_uppercase() + "0",
        1 => pen.nonce.chars().rev().collect::<String>() + "x",
        _ => format!("{:012x}", pen.random.next() >> 17),
    };
    let answer = whole.replace(&pen.nonce, &other);
    pen.refused("another nonce", answer, &["wrong-nonce"])
}

fn half_foreign(pen: &mut Pen<'_>) -> Case {
    let first = sound(pen);
    let second = format!("@@TL other DELETE sym=p.m.table sha={}\n@@END other\n", pen.sha(CLAMP));
    let answer = first.replace("n=1", "n=2").replacen("@@DONE", &format!("{second}@@DONE"), 1);
    pen.refused("a block of another nonce", answer, &["wrong-nonce"])
}

fn miscounted(pen: &mut Pen<'_>) -> Case {
    let count = pen.one_of(&["0", "2", "7", "-1", "1.0", "x", "", "99999999999999999999999"]);
    let answer = sound(pen).replace("n=1\n", &format!("n={count}\n"));
    pen.refused("miscounted", answer, &["count-mismatch", "bad-value"])
}

fn behind_the_end(pen: &mut Pen<'_>) -> Case {
    let whole = sound(pen);
    let more = match pen.random.index(3) {
        0 => whole.clone(),
        1 => pen.line(&format!("DELETE sym=p.m.clamp sha={}", pen.sha(CLAMP))),
        _ => format!("@@END {}\n", pen.nonce),
    };
    pen.refused("behind the end", whole + &more, &["after-done"])
}

fn operation(pen: &mut Pen<'_>) -> Case {
    let word = pen.one_of(&["replace", "REPLACE_ALL", "OVERWRITE", "EXEC", "WRITE", "APPLY", "Delete", "*"]);
    let answer = pen.answer(&[pen.line(&format!("{word} sym=p.m.clamp sha={}", pen.sha(CLAMP)))]);
    pen.refused("unknown operation", answer, &["unknown-op"])
}

fn keys(pen: &mut Pen<'_>) -> Case {
    let sha = pen.sha(CLAMP);
    let heads = [
        format!("DELETE sym=p.m.clamp sym=p.m.table sha={sha}"),
        format!("DELETE sym=p.m.clamp sha={sha} force=yes"),
        format!("DELETE sha={sha}"),
        "DELETE sym=p.m.clamp".to_owned(),
        format!("DELETE p.m.clamp sha={sha}"),
        format!("RENAME sym=p.m.clamp sha={sha}"),
        format!("RENAME sym=p.m.clamp sha={sha} to=p.m.other"),
        format!("MOVE sym=p.m.clamp sha={sha} to=p.new.clamp"),
        format!("MOVE sym=p.m.clamp sha={sha} file=p/new.py"),
        format!("MOVE sym=p.m.clamp sha={sha} to=p.new.clamp file=p/new.py after=p.m.table"),
        "NEED sym=".to_owned(),
        "NEED sym=p.m.x file=p/m.py".to_owned(),
        "NOCHANGE".to_owned(),
        "NOCHANGE reason=".to_owned(),
        "UNPORTABLE because it is".to_owned(),
    ];
    let at = pen.random.index(heads.len());
    let answer = pen.answer(&[pen.line(heads.get(at).map_or("", String::as_str))]);
    pen.refused("keys", answer, &["duplicate-key", "unknown-key", "missing-key", "bad-value"])
}

fn hash(pen: &mut Pen<'_>) -> Case {
    let text = pen.sound_clamp();
    let sha = pen.sha(CLAMP);
    let wrong = match pen.random.index(6) {
        0 => sha.chars().take(7).collect(),
        1 => sha.to_uppercase() + "A",
        2 => "0".repeat(33),
        3 => "zzzzzzzz".to_owned(),
        4 => sha.chars().rev().collect(),
        _ => format!("{:08x}", pen.random.next() >> 33),
    };
    let answer = pen.answer(&[pen.block(&format!("REPLACE sym=p.m.clamp sha={wrong}"), &text)]);
    pen.refused("another hash", answer, &["bad-value", "stale-hash"])
}

fn twice(pen: &mut Pen<'_>) -> Case {
    let (one, other) = (pen.sound_clamp(), pen.sound_clamp());
    let mut blocks = vec![pen.replace_clamp(&one), pen.replace_clamp(&other)];
    match pen.random.index(3) {
        0 => blocks = vec![pen.line("NEED sym=p.m.x"), pen.line("NEED sym=p.m.x")],
        1 => {
            let head = format!("MOVE sym=p.m.clamp sha={} to=p.new.clamp file=p/new.py", pen.sha(CLAMP));
            blocks = vec![pen.line(&head), pen.block("INSERT sym=p.new.clamp file=p/new.py", &one)];
        }
        _ => {}
    }
    let answer = pen.answer(&blocks);
    pen.refused("two blocks for one thing", answer, &["duplicate-symbol"])
}

fn mixed(pen: &mut Pen<'_>) -> Case {
    let text = pen.sound_clamp();
    let edit = pen.replace_clamp(&text);
    let alone = pen.one_of(&["NOCHANGE reason=equal", "UNPORTABLE reason=no", "NEED sym=p.m.x"]);
    let mut blocks = [edit, pen.line(alone)];
    if pen.random.coin() {
        blocks.reverse();
    }
    let answer = pen.answer(&blocks);
    pen.refused("blocks that exclude each other", answer, &["mixed-answer"])
}

fn no_text(pen: &mut Pen<'_>) -> Case {
    let body = pen.one_of(&["", "\n\n", "```python\n```", "   \n\t"]);
    let answer = pen.replacing_clamp(body);
    pen.refused("no text", answer, &["empty-body"])
}

fn unended(pen: &mut Pen<'_>) -> Case {
    let answer =
        sound(pen).replace(&format!("@@END {}\n", pen.nonce), pen.one_of(&["", "@@END\n", "@@ END\n"]));
    pen.refused("no end of a text", answer, &["unterminated-block"])
}

fn stray(pen: &mut Pen<'_>) -> Case {
    let end = format!("@@END {}\n", pen.nonce);
    let answer = match pen.random.index(3) {
        0 => format!("{end}{}", sound(pen)),
        1 => sound(pen).replace(&end, &format!("{end}{end}")),
        _ => pen.answer(&[pen.block(&format!("DELETE sym=p.m.clamp sha={}", pen.sha(CLAMP)), "def f(): 1")]),
    };
    pen.refused("an end of nothing", answer, &["stray-end"])
}

fn too_large(pen: &mut Pen<'_>) -> Case {
    let answer = if pen.random.coin() {
        let comment = format!("def clamp(value):\n    # {}\n    return 1", "x".repeat(BODY_BYTES_MAX));
        pen.replacing_clamp(&comment)
    } else {
        format!("{}{}", "x".repeat(ANSWER_BYTES_MAX), sound(pen))
    };
    pen.refused("too large", answer, &["too-large"])
}

fn too_many(pen: &mut Pen<'_>) -> Case {
    let blocks: Vec<String> = (0..=BLOCKS_MAX).map(|at| pen.line(&format!("NEED sym=p.m.x{at}"))).collect();
    let answer = pen.answer(&blocks);
    pen.refused("too many blocks", answer, &["too-many-blocks"])
}

fn other_format(pen: &mut Pen<'_>) -> Case {
    let answer = pen.one_of(&[
        "",
        "I cannot help with that.",
        "```python\ndef clamp(value, low=0):\n    return 1\n```\n",
        "--- a/p/m.py\n+++ b/p/m.py\n@@ -9,3 +9,3 @@\n-    return low\n+    return 1\n",
        "{\"edits\": [{\"sym\": \"p.m.clamp\", \"text\": \"def clamp(): return 1\"}]}",
        "<<<<<<< SEARCH\n    return low\n=======\n    return 1\n>>>>>>> REPLACE\n",
        "@@TL\n@@END\n@@DONE n=1\n",
        "\u{0}\u{0}\u{0}",
        "   \n\t\n",
    ]);
    pen.refused("another format", answer.to_owned(), &["empty", "wrong-nonce"])
}

fn pieces(pen: &mut Pen<'_>) -> Case {
    let (find, with) = (format!("@@FIND {}", pen.nonce), format!("@@WITH {}", pen.nonce));
    let bodies = [
        "    rows = []".to_owned(),
        format!("{find}\n    rows = []"),
        format!("{find}\n{with}\n    rows = [1]"),
        format!("{find}\n    rows = []\n{with}\n    a\n{with}\n    b"),
        format!("{with}\n    rows = []\n{find}\n    rows = [1]"),
        format!("text\n{find}\n    rows = []\n{with}\n    rows = [1]"),
        format!("{find}\n    rows = []\n{find}\n    rows = [1]"),
    ];
    let at = pen.random.index(bodies.len());
    let head = format!("PATCH sym=p.m.table sha={}", pen.sha(CLAMP));
    let answer = pen.answer(&[pen.block(&head, bodies.get(at).map_or("", String::as_str))]);
    pen.refused("pieces that are none", answer, &["bad-piece"])
}

/// A sound answer with a few characters or lines changed, lost, doubled or swapped.
fn damaged(pen: &mut Pen<'_>) -> Case {
    let mut answer = sound(pen);
    for _ in 0..=pen.random.index(3) {
        answer = if pen.random.coin() { damage_chars(pen, &answer) } else { damage_lines(pen, &answer) };
    }
    pen.case("damaged at random", answer, Expected::Confined)
}

fn damage_chars(pen: &mut Pen<'_>, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = pen.random.index(chars.len());
    match pen.random.index(3) {
        0 if !chars.is_empty() => {
            chars.remove(at);
        }
        1 => chars
            .insert(at, pen.one_of(&['@', ' ', '\n', '"', '(', ':', '\u{430}', '\u{200b}', '\0', '=', '.'])),
        _ => {
            let other = pen.random.index(chars.len());
            chars.swap(at, other);
        }
    }
    chars.into_iter().collect()
}

fn damage_lines(pen: &mut Pen<'_>, text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let at = pen.random.index(lines.len());
    match pen.random.index(3) {
        0 if !lines.is_empty() => {
            lines.remove(at);
        }
        1 => {
            let line = lines.get(at).copied().unwrap_or_default();
            let to = pen.random.index(lines.len());
            lines.insert(to, line);
        }
        _ => {
            let other = pen.random.index(lines.len());
            lines.swap(at, other);
        }
    }
    lines.join("\n") + "\n"
}
