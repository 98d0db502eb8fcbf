//! A diff as a text for people: by crate, module and item.

use std::collections::BTreeMap;

use upstream::history::ChangeKind;
use upstream::listing::{DiffListing, ItemRow};
use upstream::snapshot::ItemKind;

use super::super::console::Ink;
use super::head::head;
use super::item::{lines, short_name};
use super::others::others;

/// Longer texts in one line are cut.
const TEXT_MAX: usize = 110;
/// Names are aligned up to this width.
const NAME_MAX: usize = 36;

/// How a diff is shown.
pub(super) struct Look<'a> {
    /// Sets a text in colour.
    pub(super) ink: &'a dyn Fn(Ink, &str) -> String,
    /// Everything that is otherwise counted.
    pub(super) all: bool,
    /// One line for each module.
    pub(super) stat: bool,
    /// How many items a filter left out.
    pub(super) left_out: usize,
}

impl Look<'_> {
    pub(super) fn ink(&self, ink: Ink, text: &str) -> String {
        if text.is_empty() { String::new() } else { (self.ink)(ink, text) }
    }
}

/// A text with its end cut off where it is long.
pub(in super::super) fn cut(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_MAX - 1).chain(['…']).collect()
}

/// The whole view.
pub(super) fn text(listing: &DiffListing, look: &Look<'_>) -> String {
    let mut text = head(&listing.summary, look);
    let modules = modules(&listing.items);
    if look.stat {
        text.push_str(&stat(&modules, look));
    } else {
        let along = along(&listing.items);
        let mut krate = "";
        for module in &modules {
            if module.krate != krate {
                krate = module.krate;
                let line = format!("\n{}\n", look.ink(Ink::Bold, krate));
                text.push_str(&line);
            }
            text.push_str(&module_text(module, &along, look));
        }
    }
    text.push_str(&others(listing, look));
    if look.left_out > 0 {
        let note = format!("\n{} other changed items are left out by the filter\n", look.left_out);
        text.push_str(&look.ink(Ink::Dim, &note));
    }
    text
}

/// The changes of one module.
struct Module<'a> {
    krate: &'a str,
    path: &'a str,
    rows: Vec<&'a ItemRow>,
}

/// The rows by module; they are sorted.
fn modules(rows: &[ItemRow]) -> Vec<Module<'_>> {
    let mut modules: Vec<Module<'_>> = Vec::new();
    for row in rows {
        match modules.last_mut() {
            Some(last) if last.path == row.module && last.krate == row.krate => last.rows.push(row),
            Some(_) | None => {
                modules.push(Module { krate: &row.krate, path: &row.module, rows: vec![row] });
            }
        }
    }
    modules
}

/// How many items moved with each, directly or inside of what did.
fn along(rows: &[ItemRow]) -> BTreeMap<&str, usize> {
    let above: BTreeMap<&str, &str> =
        rows.iter().filter_map(|row| Some((row.path.as_str(), row.moved_with.as_ref()?.as_str()))).collect();
    let mut counts = BTreeMap::new();
    for row in rows.iter().filter(|row| row.moved_with.is_some()) {
        let mut top = row.path.as_str();
        while let Some(next) = above.get(top) {
            top = next;
        }
        *counts.entry(top).or_default() += 1;
    }
    counts
}

fn module_text(module: &Module<'_>, along: &BTreeMap<&str, usize>, look: &Look<'_>) -> String {
    let shown: Vec<&&ItemRow> = module.rows.iter().filter(|row| look.all || is_shown(row)).collect();
    let folded = if look.all { String::new() } else { folded(module) };
    if shown.is_empty() && folded.is_empty() {
        return String::new();
    }
    let mut files: Vec<&str> = module.rows.iter().map(|row| row.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let place =
        if let [file] = files.as_slice() { (*file).to_owned() } else { format!("{} files", files.len()) };
    let head = if module.path == module.krate { "(root)" } else { module.path };
    let mut text = format!(" {}  {}\n", look.ink(Ink::Cyan, head), look.ink(Ink::Dim, &place));
    let width = shown.iter().map(|row| short_name(row).chars().count()).filter(|it| *it <= NAME_MAX).max();
    for row in &shown {
        let with = along.get(row.path.as_str()).copied().unwrap_or_default();
        text.push_str(&lines(row, width.unwrap_or_default(), with, look));
    }
    if !folded.is_empty() {
        let line = format!("  {}\n", look.ink(Ink::Dim, &folded));
        text.push_str(&line);
    }
    text
}

/// Whether an item has lines of its own: neither test code, nor documentation alone, nor moved along.
fn is_shown(row: &ItemRow) -> bool {
    !row.test && !row.is_docs_only() && row.moved_with.is_none()
}

/// What has none, in numbers.
fn folded(module: &Module<'_>) -> String {
    let tests = |kinds: &[ChangeKind]| {
        let is_test = |row: &&&ItemRow| row.test && row.kind != ItemKind::Module && row.moved_with.is_none();
        module.rows.iter().filter(is_test).filter(|row| kinds.contains(&row.change)).count()
    };
    let numbers = [
        (tests(&[ChangeKind::Added]), "added"),
        (tests(&[ChangeKind::Removed]), "removed"),
        (tests(&[ChangeKind::Modified]), "changed"),
        (tests(&[ChangeKind::Moved, ChangeKind::Renamed]), "moved"),
    ];
    let tests: Vec<String> =
        numbers.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let docs: Vec<String> = module
        .rows
        .iter()
        .filter(|row| !row.test && row.is_docs_only() && row.moved_with.is_none())
        .map(|row| short_name(row))
        .collect();
    let tests = (!tests.is_empty()).then(|| format!("test code: {}", tests.join(", ")));
    let docs = match docs.as_slice() {
        [] => None,
        [name] => Some(format!("docs: {name}")),
        names => Some(format!("docs: {} items", names.len())),
    };
    [docs, tests].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// One line for each module.
fn stat(modules: &[Module<'_>], look: &Look<'_>) -> String {
    let width = modules.iter().map(|module| module.path.chars().count()).max().unwrap_or_default();
    let mut text = String::from("\n");
    for module in modules {
        let count = |kinds: &[ChangeKind]| {
            module.rows.iter().filter(|row| is_shown(row) && kinds.contains(&row.change)).count()
        };
        let cell = |sign: char, count: usize, ink| {
            let text = if count == 0 { String::new() } else { format!("{sign}{count}") };
            look.ink(ink, &format!("{text:>6}"))
        };
        let line = [
            cell('+', count(&[ChangeKind::Added]), Ink::Green),
            cell('-', count(&[ChangeKind::Removed]), Ink::Red),
            cell('~', count(&[ChangeKind::Modified]), Ink::Yellow),
            cell('>', count(&[ChangeKind::Moved, ChangeKind::Renamed]), Ink::Cyan),
        ]
        .concat();
        let rest = folded(module);
        let rest = if rest.is_empty() { rest } else { format!("  {rest}") };
        text.push_str(format!("{:<width$}{line}{}", module.path, look.ink(Ink::Dim, &rest)).trim_end());
        text.push('\n');
    }
    text
}
