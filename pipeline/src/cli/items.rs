//! `tidelock items`: the items of a revision, as a tree or as rows.

use std::collections::BTreeSet;

use anyhow::anyhow;
use upstream::listing::{ItemEntry, ItemListing, items};
use upstream::snapshot::ItemKind;

use super::args::{Format, Items};
use super::console::Ink;
use super::diff::kind_word;
use super::repository::{Filter, open, resolve, unlisted};
use super::{CliError, Context, ExitCode};

/// Lists the items.
pub(super) fn run(context: &Context, args: &Items) -> Result<ExitCode, CliError> {
    let repo = open(context, args.repo.as_deref())?;
    let commit = resolve(&repo, &args.revision)?;
    let filter = Filter::of(&args.only)?;
    let kinds = kinds(&args.kinds)?;
    let mut listing = items(&repo, &commit).map_err(unlisted)?;
    listing.items.retain(|item| {
        filter.shows(&item.krate, &item.file)
            && (kinds.is_empty() || kinds.contains(&item.kind))
            && (!args.public || item.public)
    });
    let all_kinds = args.public && kinds.is_empty() && args.only.paths.is_empty();
    listing
        .handed_on
        .retain(|it| all_kinds && filter.shows_crate(it.path.split("::").next().unwrap_or_default()));
    if !args.parts {
        for item in &mut listing.items {
            item.parts.clear();
        }
    }
    match context.format {
        Format::Text => context.console.data(&text(context, &listing, args.public)),
        Format::Json => context.json(&listing)?,
        Format::Jsonl => {
            for record in listing.records() {
                context.json_line(&record)?;
            }
        }
    }
    Ok(ExitCode::Done)
}

fn kinds(texts: &[String]) -> Result<BTreeSet<ItemKind>, CliError> {
    let read = |text: &String| {
        let value = serde_json::Value::String(text.replace('-', "_"));
        serde_json::from_value(value).map_err(|_unknown| {
            CliError::usage(anyhow!("`{text}` is no kind of item"))
                .hint("`tidelock items --help` names the kinds")
        })
    };
    texts.iter().map(read).collect()
}

/// One line as it is sorted and shown.
struct Line<'a> {
    /// The module or type that it stands below.
    group: String,
    name: String,
    item: Option<&'a ItemEntry>,
    /// What a name of something foreign stands for.
    target: &'a str,
}

fn text(context: &Context, listing: &ItemListing, public: bool) -> String {
    let ink = |ink, text: &str| context.console.data_ink(ink, text);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for item in &listing.items {
        let names: Vec<&str> = match item.named.as_slice() {
            names if public && !names.is_empty() => names.iter().map(String::as_str).collect(),
            _ => vec![item.path.as_str()],
        };
        // A type that has several public paths is shown below the shortest; the others are named there.
        for name in names.iter().take(1) {
            let (group, name) = split(name, item);
            lines.push(Line { group, name, item: Some(item), target: "" });
        }
    }
    for it in &listing.handed_on {
        let (group, name) = it.path.rsplit_once("::").unwrap_or(("", &it.path));
        lines.push(Line { group: group.to_owned(), name: name.to_owned(), item: None, target: &it.target });
    }
    lines.sort_by(|one, other| {
        let key = |line: &Line<'_>| {
            (line.group.clone(), line.item.map_or(ItemKind::Module, |it| it.kind) as u8, line.name.clone())
        };
        key(one).cmp(&key(other))
    });
    let mut text = String::new();
    let label = listing.revision.label.as_str();
    text.push_str(&format!("{}  {}\n", ink(Ink::Bold, label), listing.revision.summary));
    text.push_str(&ink(Ink::Dim, &counts(listing)));
    text.push('\n');
    let mut group = String::new();
    for line in &lines {
        if line.group != group {
            group.clone_from(&line.group);
            text.push_str(&format!("\n{}\n", ink(Ink::Cyan, &group)));
        }
        text.push_str(&line_text(line, public, &ink));
    }
    if !listing.unparsed.is_empty() {
        text.push('\n');
    }
    for it in &listing.unparsed {
        text.push_str(&ink(Ink::Red, &format!("? {}  not read: {}", it.file, it.reason)));
        text.push('\n');
    }
    text
}

/// The module (or crate) that a path stands in, and the rest of it.
fn split(path: &str, item: &ItemEntry) -> (String, String) {
    if item.kind == ItemKind::Module {
        return (path.to_owned(), String::new());
    }
    // As many segments stand behind the module as in the item's own path.
    let own = item.path.as_str().strip_prefix(item.module.as_str()).unwrap_or_default();
    let depth = upstream::ItemPath::new(format!("x{own}")).map_or(1, |path| path.segments().len() - 1);
    let segments = upstream::ItemPath::new(path)
        .map(|path| path.segments().into_iter().map(str::to_owned).collect::<Vec<_>>())
        .unwrap_or_default();
    let (group, name) = segments.split_at(segments.len().saturating_sub(depth));
    (group.join("::"), name.join("::"))
}

fn line_text(line: &Line<'_>, public: bool, ink: &dyn Fn(Ink, &str) -> String) -> String {
    let Some(item) = line.item else {
        return format!("  {:<6} {}  {}\n", "use", line.name, ink(Ink::Dim, &format!("= {}", line.target)));
    };
    let place = ink(Ink::Dim, &format!("{}:{}", item.file, item.line));
    let api = if item.public && !public { "api " } else { "" };
    let test = if item.test { "test " } else { "" };
    let marks = ink(Ink::Green, api) + &ink(Ink::Dim, test);
    let mut text = if item.kind == ItemKind::Module {
        format!("  {marks}{}  {place}\n", item.header)
    } else {
        format!(
            "  {marks}{:<6} {}  {}  {place}\n",
            kind_word(item.kind),
            ink(Ink::Bold, &line.name),
            item.header
        )
    };
    for name in item.named.iter().skip(1).filter(|_| public) {
        text.push_str(&ink(Ink::Dim, &format!("         also {name}")));
        text.push('\n');
    }
    for attribute in item.attributes.iter().filter(|it| shows(it)) {
        text.push_str(&ink(Ink::Yellow, &format!("         #[{attribute}]")));
        text.push('\n');
    }
    for part in &item.parts {
        let lead = match part.kind {
            upstream::snapshot::PartKind::Variant | upstream::snapshot::PartKind::MacroArm => "",
            upstream::snapshot::PartKind::VariantField => continue,
            upstream::snapshot::PartKind::Field
            | upstream::snapshot::PartKind::Import
            | upstream::snapshot::PartKind::ExternCrate => "",
        };
        text.push_str(&format!("         {lead}{}\n", part.text));
    }
    text
}

/// Attributes that users of an item should know of.
fn shows(attribute: &str) -> bool {
    ["cfg", "deprecated", "must_use", "non_exhaustive", "macro_export"].iter().any(|name| {
        attribute.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    })
}

fn counts(listing: &ItemListing) -> String {
    let crates: BTreeSet<&str> = listing.items.iter().map(|item| item.krate.as_str()).collect();
    let public = listing.items.iter().filter(|item| item.public).count();
    let tests = listing.items.iter().filter(|item| item.test).count();
    let doc_tests: usize = listing.items.iter().map(|item| item.doc_tests).sum();
    let count = |number: usize, one: &str| reports::count(number as u64, one);
    format!(
        "{} in {}: {public} public, {tests} of test code, {}",
        count(listing.items.len(), "item"),
        count(crates.len(), "crate"),
        count(doc_tests, "doc test")
    )
}
