//! What a diff tells besides items: dependencies, features, manifests, files.

use upstream::diff::{FileChangeKind, FileMoveKind};
use upstream::listing::DiffListing;

use super::super::console::Ink;
use super::view::{Look, cut};

/// Lines of one section that are shown; the rest is counted.
const LINES_SHOWN: usize = 20;

pub(super) fn others(listing: &DiffListing, look: &Look<'_>) -> String {
    let mut text = String::new();
    text.push_str(&section("dependencies", &dependencies(listing, look), look));
    text.push_str(&section("features", &features(listing, look), look));
    text.push_str(&section("manifests", &settings(listing, look), look));
    text.push_str(&section("files", &files(listing, look), look));
    text
}

fn section(name: &str, lines: &[String], look: &Look<'_>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let shown = if look.all { lines.len() } else { LINES_SHOWN.min(lines.len()) };
    let mut text = format!("\n{}\n", look.ink(Ink::Bold, name));
    for line in lines.iter().take(shown) {
        let line = format!("  {line}\n");
        text.push_str(&line);
    }
    if shown < lines.len() {
        let more = format!("… and {} more (--all)", lines.len() - shown);
        let line = format!("  {}\n", look.ink(Ink::Dim, &more));
        text.push_str(&line);
    }
    text
}

fn dependencies(listing: &DiffListing, look: &Look<'_>) -> Vec<String> {
    let (locked, asked): (Vec<_>, Vec<_>) =
        listing.dependencies.iter().partition(|change| change.package == "Cargo.lock");
    let width = asked.iter().map(|it| it.package.chars().count()).max().unwrap_or_default();
    let mut lines: Vec<String> = asked
        .iter()
        .map(|it| {
            let change = sides(it.before.as_deref(), it.after.as_deref(), look);
            format!("{:<width$}  {}  {change}", it.package, it.dependency)
        })
        .collect();
    if look.all {
        lines.extend(locked.iter().map(|it| {
            let change = sides(it.before.as_deref(), it.after.as_deref(), look);
            format!("{:<width$}  {}  {change}", "locked", it.dependency)
        }));
    } else if !locked.is_empty() {
        let count = |came: bool, went: bool| {
            locked.iter().filter(|it| it.before.is_some() == went && it.after.is_some() == came).count()
        };
        let numbers =
            [(count(true, false), "added"), (count(false, true), "removed"), (count(true, true), "changed")];
        let told: Vec<String> =
            numbers.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        lines.push(look.ink(Ink::Dim, &format!("Cargo.lock: {} (--all)", told.join(", "))));
    }
    lines
}

fn features(listing: &DiffListing, look: &Look<'_>) -> Vec<String> {
    let list = |names: &Vec<String>| format!("[{}]", names.join(", "));
    let line = |it: &upstream::listing::FeatureChange| {
        let (before, after) = (it.before.as_ref().map(list), it.after.as_ref().map(list));
        format!("{}/{}  {}", it.package, it.feature, sides(before.as_deref(), after.as_deref(), look))
    };
    listing.features.iter().map(line).collect()
}

fn settings(listing: &DiffListing, look: &Look<'_>) -> Vec<String> {
    let line = |it: &upstream::listing::SettingChange| {
        format!("{}  {}  {}", it.package, it.key, sides(it.before.as_deref(), it.after.as_deref(), look))
    };
    listing.settings.iter().map(line).collect()
}

/// `1.0 → 1.1`, `+ 1.0`, `- 1.0`.
fn sides(before: Option<&str>, after: Option<&str>, look: &Look<'_>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => {
            let (before, after) =
                if look.all { (before.to_owned(), after.to_owned()) } else { narrowed(before, after) };
            format!("{} → {}", cut(&before), look.ink(Ink::Yellow, &cut(&after)))
        }
        (Some(before), None) => look.ink(Ink::Red, &format!("- {}", cut(before))),
        (None, Some(after)) => look.ink(Ink::Green, &format!("+ {}", cut(after))),
        (None, None) => String::new(),
    }
}

/// The entries of two lists in which they differ; both whole where one would be left empty.
fn narrowed(before: &str, after: &str) -> (String, String) {
    let (old, new) = (entries(before), entries(after));
    let only = |one: &[&str], other: &[&str]| -> String {
        let own: Vec<&str> = one.iter().filter(|entry| !other.contains(entry)).copied().collect();
        own.join(", ")
    };
    let (gone, come) = (only(&old, &new), only(&new, &old));
    if gone.is_empty() || come.is_empty() { (before.to_owned(), after.to_owned()) } else { (gone, come) }
}

/// A text at its commas outside brackets.
fn entries(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = text.split(|sign: char| {
        match sign {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        sign == ',' && depth == 0
    });
    parts.map(str::trim).collect()
}

fn files(listing: &DiffListing, look: &Look<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for it in &listing.moves {
        let word = match it.kind {
            FileMoveKind::Moved => "moved",
            FileMoveKind::Split => "split",
            FileMoveKind::Merged => "merged",
        };
        let items = match (it.items, it.modified) {
            (0, false) => String::new(),
            (0, true) => "  and changed".to_owned(),
            (items, false) => format!("  {items} items"),
            (items, true) => format!("  {items} items, and changed"),
        };
        let way = format!("{} → {}", it.from.join(" + "), it.to.join(" + "));
        lines.push(format!(
            "{} {way}{}",
            look.ink(Ink::Cyan, &format!("> {word}")),
            look.ink(Ink::Dim, &items)
        ));
    }
    let reason = |file: &str| listing.unparsed.iter().find(|it| it.file == file);
    for it in &listing.files {
        let name = it.file.rsplit('/').next().unwrap_or_default();
        let manifest = name == "Cargo.toml" || name == "Cargo.lock";
        // What a manifest changed stands above.
        if manifest && it.kind == FileChangeKind::Modified && reason(&it.file).is_none() && !look.all {
            continue;
        }
        let (sign, ink) = match it.kind {
            FileChangeKind::Added => ('+', Ink::Green),
            FileChangeKind::Removed => ('-', Ink::Red),
            FileChangeKind::Modified => ('~', Ink::Yellow),
        };
        let why = reason(&it.file).map_or_else(String::new, |it| format!("  not read: {}", it.reason));
        lines.push(format!("{}{}", look.ink(ink, &format!("{sign} {}", it.file)), look.ink(Ink::Red, &why)));
    }
    let told = |file: &str| listing.files.iter().any(|it| it.file == file);
    for it in listing.unparsed.iter().filter(|it| !told(&it.file)) {
        lines.push(look.ink(Ink::Red, &format!("? {}  not read: {}", it.file, it.reason)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_lists_only_the_entries_that_differ_are_shown() {
        let told = |before: &str, after: &str| narrowed(before, after);
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(
            told("features = [\"a\", \"b\"], version = \"1\"", "features = [\"a\", \"b\"], version = \"2\""),
            pair("version = \"1\"", "version = \"2\"")
        );
        assert_eq!(told("1.0", "1.1"), pair("1.0", "1.1"));
        assert_eq!(told("a = 1", "a = 1, b = 2"), pair("a = 1", "a = 1, b = 2"));
    }
}
