//! Answers that are sound, in every operation and with every liberty that the grammar leaves.

use std::collections::BTreeMap;

use super::{ADD, CLAMP, Case, Expected, FILE, HEAD, Make, NEW_FILE, Pen, indented, module, pieces, table};

pub(super) const KINDS: &[Make] = &[
    replace,
    replace_method,
    insert_after,
    insert_file,
    delete,
    rename,
    patch,
    move_to_file,
    imports,
    several,
];

fn becomes(text: String) -> Expected {
    Expected::Applied(BTreeMap::from([(FILE.to_owned(), text)]))
}

/// The file with another text in the place of one of its pieces.
fn with(at: usize, text: &str) -> String {
    let mut pieces = pieces();
    if let Some(piece) = pieces.get_mut(at) {
        text.clone_into(piece);
    }
    pieces.concat()
}

/// A text as a model may wrap it inside a block.
fn wrapped(pen: &mut Pen<'_>, text: &str) -> String {
    match pen.random.index(4) {
        0 => format!("```python\n{text}\n```"),
        1 => format!("\n{text}\n\n"),
        2 => indented(text),
        _ => text.to_owned(),
    }
}

fn replace(pen: &mut Pen<'_>) -> Case {
    let text = pen.sound_clamp();
    let body = wrapped(pen, &text);
    let talk = pen.one_of(&["", "Here it is.\n\n", "```\n@@TL other REPLACE\n```\n"]);
    let answer = format!("{talk}{}", pen.replacing_clamp(&body));
    pen.case("sound: replace", answer, becomes(with(1, &text)))
}

fn replace_method(pen: &mut Pen<'_>) -> Case {
    let number = pen.random.index(90) + 2;
    let text = format!("def add(self, n):\n    self.count += n * {number}\n    return self.count");
    let body = wrapped(pen, &text);
    let there = indented(&text);
    let sha = pen.sha(ADD);
    let answer = pen.answer(&[pen.block(&format!("REPLACE sha={sha} sym=p.m.Counter.add"), &body)]);
    pen.case("sound: replace a method", answer, becomes(with(3, there.trim_end())))
}

fn helper(pen: &mut Pen<'_>) -> (String, String) {
    let name = format!("helper_{}", pen.random.index(1000));
    let text = format!("def {name}(a):\n    return a * {}", pen.random.index(90) + 2);
    (name, text)
}

fn insert_after(pen: &mut Pen<'_>) -> Case {
    let (name, text) = helper(pen);
    let body = wrapped(pen, &text);
    let answer = pen.answer(&[pen.block(&format!("INSERT sym=p.m.{name} after=p.m.clamp"), &body)]);
    pen.case("sound: insert", answer, becomes(with(1, &format!("{CLAMP}\n\n\n{text}"))))
}

fn insert_file(pen: &mut Pen<'_>) -> Case {
    let (name, text) = helper(pen);
    let answer = pen.answer(&[pen.block(&format!("INSERT sym=p.new.{name} file={NEW_FILE}"), &text)]);
    let files = BTreeMap::from([(NEW_FILE.to_owned(), text + "\n")]);
    pen.case("sound: a new file", answer, Expected::Applied(files))
}

/// What a file is without `clamp`: the comment in front of it stays.
fn without_clamp() -> String {
    module().replacen(&format!("{CLAMP}\n"), "", 1)
}

fn delete(pen: &mut Pen<'_>) -> Case {
    let end = if pen.random.coin() { format!("@@END {}\n", pen.nonce) } else { String::new() };
    let block = pen.line(&format!("DELETE sym=p.m.clamp sha={}", pen.sha(CLAMP))) + &end;
    let answer = pen.answer(&[block]);
    pen.case("sound: delete", answer, becomes(without_clamp()))
}

fn rename(pen: &mut Pen<'_>) -> Case {
    let to = format!("clamp_{}", pen.random.index(1000));
    let answer = pen.answer(&[pen.line(&format!("RENAME sym=p.m.clamp sha={} to={to}", pen.sha(CLAMP)))]);
    pen.case("sound: rename", answer, becomes(module().replace("clamp(", &format!("{to}("))))
}

fn patch(pen: &mut Pen<'_>) -> Case {
    let row = pen.random.index(170);
    let (find, new) = (format!("    rows.append({row} * scale)"), format!("    rows.append({row} + scale)"));
    let nonce = &pen.nonce;
    let body = format!("@@FIND {nonce}\n{find}\n@@WITH {nonce}\n{new}");
    let head = format!("PATCH sym=p.m.table sha={}", pen.sha(&table()));
    let answer = pen.answer(&[pen.block(&head, &body)]);
    pen.case("sound: patch", answer, becomes(module().replacen(&find, &new, 1)))
}

fn move_to_file(pen: &mut Pen<'_>) -> Case {
    let head = format!("MOVE sym=p.m.clamp sha={} to=p.new.clamp file={NEW_FILE}", pen.sha(CLAMP));
    let answer = pen.answer(&[pen.line(&head)]);
    let files =
        BTreeMap::from([(FILE.to_owned(), without_clamp()), (NEW_FILE.to_owned(), format!("{CLAMP}\n"))]);
    pen.case("sound: move", answer, Expected::Applied(files))
}

fn imports(pen: &mut Pen<'_>) -> Case {
    let module = pen.one_of(&["math", "json", "decimal"]);
    let text = pen.sound_clamp();
    let blocks = [
        pen.replace_clamp(&text),
        pen.block(&format!("IMPORTS file={FILE}"), &format!("import {module}\nimport sys")),
    ];
    let answer = pen.answer(&blocks);
    let head = HEAD.replace("import sys\n", &format!("import sys\nimport {module}\n"));
    pen.case("sound: imports", answer, becomes(with(1, &text).replacen(HEAD, &head, 1)))
}

fn several(pen: &mut Pen<'_>) -> Case {
    let text = pen.sound_clamp();
    let (name, inserted) = helper(pen);
    let blocks =
        [pen.block(&format!("INSERT sym=p.m.{name} after=p.m.clamp"), &inserted), pen.replace_clamp(&text)];
    let answer = pen.answer(&blocks).replace('\n', pen.one_of(&["\n", "\r\n"]));
    pen.case("sound: several", answer, becomes(with(1, &format!("{text}\n\n\n{inserted}"))))
}
