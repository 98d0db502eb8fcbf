//! `tidelock items`: the items of a revision, as a tree or as rows.

mod tree;

use std::collections::BTreeSet;

use anyhow::anyhow;
use upstream::listing::{ItemListing, PartEntry, items};
use upstream::snapshot::{ItemKind, Visibility};

use super::args::{Format, Items};
use super::console::Ink;
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
            && (!args.public || (item.public && !is_given_by_its_trait(&item.path)))
    });
    let all_kinds = args.public && kinds.is_empty() && args.only.paths.is_empty();
    listing
        .handed_on
        .retain(|it| all_kinds && filter.shows_crate(it.path.split("::").next().unwrap_or_default()));
    for item in &mut listing.items {
        // What a module hands on is among the public paths already.
        let is_shown = |part: &PartEntry| {
            !args.public || (part.visibility == Visibility::Public && item.kind != ItemKind::Module)
        };
        item.parts.retain(|part| args.parts && is_shown(part));
    }
    match context.format {
        Format::Text => {
            let ink = |ink, text: &str| context.console.data_ink(ink, text);
            let label = listing.revision.label.as_str();
            let head = format!("{}  {}\n", ink(Ink::Bold, label), listing.revision.summary);
            let counts = ink(Ink::Dim, &counts(&listing));
            let tree = tree::text(&listing, args.public, &ink);
            context.console.data(&format!("{head}{counts}\n{tree}"));
        }
        Format::Json => context.json(&listing)?,
        Format::Jsonl => {
            for record in listing.records() {
                context.json_line(&record)?;
            }
        }
    }
    Ok(ExitCode::Done)
}

/// Whether it is a member of a trait's implementation: that users can call it is said by the implementation.
fn is_given_by_its_trait(path: &upstream::ItemPath) -> bool {
    path.parent().is_some_and(|parent| parent.name().starts_with('<'))
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
