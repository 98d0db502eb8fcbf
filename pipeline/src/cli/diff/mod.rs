//! `tidelock diff`: what changed between two revisions, for people and for programs.

mod head;
mod item;
mod others;
mod view;

use anyhow::anyhow;
use upstream::listing::{DiffListing, Options, between};
use upstream::{CommitId, UpstreamRepo};

pub(super) use item::kind_word;
pub(super) use view::cut;

use super::args::{Diff, Format};
use super::repository::{Filter, open, resolve, unlisted, unreadable};
use super::{CliError, Context, ExitCode};

/// Shows a diff.
pub(super) fn run(context: &Context, args: &Diff) -> Result<ExitCode, CliError> {
    let repo = open(context, args.repo.as_deref())?;
    let (from, to) = revisions(&repo, &args.revisions)?;
    let filter = Filter::of(&args.only)?;
    let options = Options { patches: args.patch };
    let mut listing = between(&repo, from.as_ref(), &to, options).map_err(unlisted)?;
    let whole = listing.items.len();
    keep(&mut listing, &filter);
    match context.format {
        Format::Text => {
            let look = view::Look {
                ink: &|ink, text| context.console.data_ink(ink, text),
                all: args.all,
                stat: args.stat,
                left_out: whole - listing.items.len(),
            };
            context.console.data(&view::text(&listing, &look));
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

/// The commits that are meant; no older one for a revision without parents.
fn revisions(repo: &UpstreamRepo, texts: &[String]) -> Result<(Option<CommitId>, CommitId), CliError> {
    match texts {
        [from, to] if !from.contains("..") && !to.contains("..") => {
            Ok((Some(resolve(repo, from)?), resolve(repo, to)?))
        }
        [range] if range.contains("...") => {
            let error = anyhow!("`{range}`: three dots, which begin at a common ancestor, are not read");
            Err(CliError::usage(error).hint("give the two revisions: `tidelock diff FROM TO`"))
        }
        [range] => {
            if let Some((from, to)) = range.split_once("..") {
                let or_head = |text: &str| resolve(repo, if text.is_empty() { "HEAD" } else { text });
                return Ok((Some(or_head(from)?), or_head(to)?));
            }
            let to = resolve(repo, range)?;
            Ok((repo.first_parent(&to).map_err(unreadable)?, to))
        }
        _ => {
            let error = anyhow!("two revisions were expected and `..` was found besides");
            Err(CliError::usage(error).hint("give `FROM TO`, `FROM..TO`, or one revision"))
        }
    }
}

/// Leaves out what the filter does not show. The head goes on to tell of everything.
fn keep(listing: &mut DiffListing, filter: &Filter) {
    if filter.is_open() {
        return;
    }
    listing.items.retain(|row| {
        let was_in = |file: &Option<String>| file.as_ref().is_some_and(|file| filter.shows_file(file));
        filter.shows_crate(&row.krate) && (filter.shows_file(&row.file) || was_in(&row.from_file))
    });
    let files_too = !filter.names_crates();
    let shows = |file: &str| files_too && filter.shows_file(file);
    listing.dependencies.retain(|it| filter.names_crates() && filter.shows_crate(&it.package));
    listing.features.retain(|it| filter.names_crates() && filter.shows_crate(&it.package));
    listing
        .settings
        .retain(|it| shows(&it.file) || (filter.names_crates() && filter.shows_crate(&it.package)));
    listing.moves.retain(|it| it.from.iter().chain(&it.to).any(|file| shows(file)));
    listing.files.retain(|it| shows(&it.file));
    listing.unparsed.retain(|it| shows(&it.file));
}
