//! One changed item as lines.

use similar::{ChangeTag, TextDiff};
use upstream::history::ChangeKind;
use upstream::listing::{Both, ItemRow, PartRow};
use upstream::snapshot::{ItemKind, PartKind};

use super::super::console::Ink;
use super::view::{Look, cut};

/// Longer headers are shown one parameter a line.
const HEADER_MAX: usize = 100;
/// Changed parts shown of one item; the rest is counted.
const PARTS_SHOWN: usize = 12;
/// What stands before the lines below an item.
const INDENT: &str = "             ";

/// The kind in the words of a Rust programmer, short.
pub(in super::super) fn kind_word(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Function | ItemKind::Method => "fn",
        ItemKind::Struct => "struct",
        ItemKind::Enum => "enum",
        ItemKind::Union => "union",
        ItemKind::Trait => "trait",
        ItemKind::Impl => "impl",
        ItemKind::Const => "const",
        ItemKind::Static => "static",
        ItemKind::TypeAlias => "type",
        ItemKind::Macro => "macro",
        ItemKind::Module => "mod",
    }
}

pub(super) fn mark(change: ChangeKind) -> (char, Ink) {
    match change {
        ChangeKind::Added => ('+', Ink::Green),
        ChangeKind::Removed => ('-', Ink::Red),
        ChangeKind::Modified => ('~', Ink::Yellow),
        ChangeKind::Moved | ChangeKind::Renamed => ('>', Ink::Cyan),
    }
}

/// The name of an item inside its module.
pub(super) fn short_name(row: &ItemRow) -> String {
    let path = row.path.as_str();
    if row.kind == ItemKind::Module {
        return row.path.name().to_owned();
    }
    path.strip_prefix(&row.module).and_then(|rest| rest.strip_prefix("::")).unwrap_or(path).to_owned()
}

/// The lines of an item; `width` is that of the names around it, `along` how many moved with it.
pub(super) fn lines(row: &ItemRow, width: usize, along: usize, look: &Look<'_>) -> String {
    let (sign, ink) = mark(row.change);
    let name = short_name(row);
    let padding = " ".repeat(width.saturating_sub(name.chars().count()));
    let api = if row.public { look.ink(Ink::Bold, "api") } else { "   ".to_owned() };
    let test = if row.test { look.ink(Ink::Dim, "  (test)") } else { String::new() };
    let what = what(row, along, look);
    let behind = if what.is_empty() { String::new() } else { format!("{padding}  {what}") };
    let mut text = format!(
        "  {} {api} {:<6} {}{behind}{test}\n",
        look.ink(ink, &sign.to_string()),
        kind_word(row.kind),
        look.ink(ink, &name),
    );
    let mut below = |line: &str| {
        text.push_str(INDENT);
        text.push_str(line);
        text.push('\n');
    };
    if row.aspects.signature || row.aspects.visibility {
        for line in header_lines(&row.header, look) {
            below(&line);
        }
    }
    for part in row.parts.iter().take(if look.all { usize::MAX } else { PARTS_SHOWN }) {
        for line in part_lines(part, look) {
            below(&line);
        }
    }
    if row.parts.len() > PARTS_SHOWN && !look.all {
        below(&look.ink(Ink::Dim, &format!("… and {} more (--all)", row.parts.len() - PARTS_SHOWN)));
    }
    for attribute in &row.attributes {
        let (sign, ink) = mark(attribute.change);
        below(&look.ink(ink, &format!("{sign} #[{}]", cut(&attribute.attribute))));
    }
    if let Some(patch) = &row.patch {
        for line in patch.lines() {
            let ink = match line.chars().next() {
                Some('+') => Some(Ink::Green),
                Some('-') => Some(Ink::Red),
                Some('@') => Some(Ink::Cyan),
                Some(_) | None => None,
            };
            below(&ink.map_or_else(|| line.to_owned(), |ink| look.ink(ink, line)));
        }
    }
    text
}

/// What happened, in words; for what is new or gone, its header.
fn what(row: &ItemRow, along: usize, look: &Look<'_>) -> String {
    let header = |side: &Option<String>| look.ink(Ink::Dim, &cut(side.as_deref().unwrap_or_default()));
    let mut words: Vec<String> = Vec::new();
    match row.change {
        ChangeKind::Added => words.push(header(&row.header.after)),
        ChangeKind::Removed => words.push(header(&row.header.before)),
        ChangeKind::Modified => {}
        ChangeKind::Moved | ChangeKind::Renamed => {
            let from = row.from.as_ref().map_or("", |from| from.as_str());
            let lead = if row.change == ChangeKind::Moved { "from" } else { "was" };
            words.push(format!("{lead} {}", look.ink(Ink::Dim, from)));
        }
    }
    let aspects = row.aspects.names().filter(|name| {
        // What stands below says it better.
        let told_below = match *name {
            "signature" => row.header.before != row.header.after || !row.parts.is_empty(),
            "body" => row.kind == ItemKind::Module && !row.parts.is_empty(),
            "attributes" => !row.attributes.is_empty(),
            _ => false,
        };
        !told_below
    });
    let word = |name: &'static str| match (name, row.kind) {
        ("body", ItemKind::Module) => "imports",
        ("body", ItemKind::Const | ItemKind::Static) => "value",
        _ => name,
    };
    words.extend(aspects.map(|name| word(name).to_owned()));
    if row.reordered {
        words.push("order".to_owned());
    }
    words.extend(row.doc_tests.map(|tests| match (row.change, tests.before == tests.after) {
        (ChangeKind::Added | ChangeKind::Removed, _) => {
            format!("{} doc tests", tests.before.max(tests.after))
        }
        (_, true) => "doc tests".to_owned(),
        (_, false) => format!("doc tests {} → {}", tests.before, tests.after),
    }));
    if let Some(became) = row.became_public {
        words.push(if became { "now public" } else { "no longer public" }.to_owned());
    }
    if along > 0 {
        words.push(format!("with {along} inside"));
    }
    if let [name] = row.named.as_slice() {
        words.push(look.ink(Ink::Dim, &format!("as {name}")));
    }
    words.join(", ")
}

fn part_lines(part: &PartRow, look: &Look<'_>) -> Vec<String> {
    let (sign, ink) = mark(part.change);
    let lead = match part.kind {
        PartKind::Field
        | PartKind::Import
        | PartKind::ExternCrate
        | PartKind::ImplBlock
        | PartKind::ExternBlock => String::new(),
        PartKind::VariantField => {
            format!("{}: ", part.name.split_once('.').map_or("", |(variant, _)| variant))
        }
        PartKind::Variant | PartKind::MacroArm => format!("{} ", part.kind.word()),
    };
    let (before, after) = (part.text.before.as_deref(), part.text.after.as_deref());
    match (before, after) {
        (Some(before), Some(after)) if before != after => vec![
            look.ink(Ink::Red, &format!("- {lead}{}", cut(before))),
            look.ink(Ink::Green, &format!("+ {lead}{}", cut(after))),
        ],
        (Some(_), Some(after)) => {
            vec![format!("{} {lead}{}  {}", look.ink(ink, &sign.to_string()), cut(after), part.summary())]
        }
        (one, other) => {
            vec![look.ink(ink, &format!("{sign} {lead}{}", cut(other.or(one).unwrap_or_default())))]
        }
    }
}

/// The header before and now, as lines that came and went.
fn header_lines(header: &Both<String>, look: &Look<'_>) -> Vec<String> {
    let (Some(before), Some(after)) = (&header.before, &header.after) else { return Vec::new() };
    if before == after {
        return Vec::new();
    }
    let (old, new) = if before.chars().count().max(after.chars().count()) <= HEADER_MAX {
        (before.clone() + "\n", after.clone() + "\n")
    } else {
        (laid_out(before), laid_out(after))
    };
    let diff = TextDiff::from_lines(old.as_str(), new.as_str());
    let changes: Vec<_> = diff.iter_all_changes().collect();
    let mut lines = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let line = change.value().trim_end();
        match change.tag() {
            ChangeTag::Delete => lines.push(look.ink(Ink::Red, &format!("- {line}"))),
            ChangeTag::Insert => lines.push(look.ink(Ink::Green, &format!("+ {line}"))),
            // The first line says what it is.
            ChangeTag::Equal if at == 0 => lines.push(format!("  {line}")),
            ChangeTag::Equal => {}
        }
    }
    lines
}

/// A header with one parameter a line.
fn laid_out(header: &str) -> String {
    let (mut text, mut depth, mut opened) = (String::new(), 0_usize, false);
    let mut before = ' ';
    let mut signs = header.chars().peekable();
    while let Some(sign) = signs.next() {
        text.push(sign);
        match sign {
            '(' => {
                depth += 1;
                if depth == 1 && !opened {
                    opened = true;
                    text.push_str("\n    ");
                }
            }
            '<' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '>' if before != '-' && before != '=' => depth = depth.saturating_sub(1),
            ',' if opened && depth == 1 => {
                text.push_str("\n   ");
            }
            _ => {}
        }
        before = sign;
        if opened && depth == 1 && signs.peek() == Some(&')') {
            text.push('\n');
        }
    }
    text.push('\n');
    text
}
