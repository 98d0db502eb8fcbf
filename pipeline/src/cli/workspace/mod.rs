//! `tidelock workspace`: the workspaces, packages and modules of a repository at a revision.

mod view;

use anyhow::{Context as _, anyhow};
use schemars::JsonSchema;
use serde::Serialize;
use upstream::Revision;
use upstream::workspace::{self, Complaint, Orphan, Package, Workspaces};

use super::args::{Format, Workspace as Args};
use super::repository::{open, revision, unreadable, unreadable_tree};
use super::{CliError, Context, ExitCode};

/// The document of `tidelock workspace --format json`.
#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    /// The revision.
    revision: Told<'a>,
    #[serde(flatten)]
    found: &'a Workspaces,
}

/// The revision that was read.
#[derive(Debug, Serialize, JsonSchema)]
struct Told<'a> {
    /// Its commit.
    commit: &'a str,
    /// A tag, or the first digits of the commit.
    label: &'a str,
    /// The first line of its message.
    summary: &'a str,
    /// When it was made, in seconds since the Unix epoch.
    published_s: Option<i64>,
}

/// One line of `tidelock workspace --format jsonl`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "row", rename_all = "snake_case")]
enum Line<'a> {
    /// The revision; the first line.
    Revision(&'a Told<'a>),
    /// A workspace.
    Workspace(&'a workspace::Workspace),
    /// A package.
    Package(&'a Package),
    /// A file that could not be read.
    Unread(&'a Complaint),
    /// What a manifest says and the revision does not bear out.
    Problem(&'a Complaint),
    /// A Rust file that belongs to no module.
    Orphan(&'a Orphan),
}

/// The schemas of what is printed: the name of the file, and its text.
pub fn schemas() -> [(&'static str, String); 2] {
    let text = |schema: schemars::Schema| format!("{:#}\n", schema.as_value());
    [
        ("docs/schemas/workspace.json", text(schemars::schema_for!(Document<'_>))),
        ("docs/schemas/workspace-line.json", text(schemars::schema_for!(Line<'_>))),
    ]
}

/// Shows the workspaces of a revision.
pub(super) fn run(context: &Context, args: &Args) -> Result<ExitCode, CliError> {
    let repo = open(context, args.repo.as_deref())?;
    let revision = revision(&repo, args.revision.as_deref())?;
    let tree = repo.tree(&revision.commit).map_err(unreadable)?;
    let mut found = workspace::read(&tree, &revision).map_err(unreadable_tree)?;
    let users = view::Users::of(&found);
    if let Some(name) = &args.package {
        keep(&mut found, name)?;
    }
    if args.show.modules {
        workspace::read_modules(&mut found, &tree, &revision).map_err(unreadable_tree)?;
        if args.package.is_some() {
            // Of one package alone the files of all others would be told.
            found.orphans = found.orphans.map(|orphans| within(&found.packages, orphans));
        }
    }
    match context.format {
        Format::Text => {
            let view = view::View { context, args, found: &found, users: &users };
            context.console.data(&view.text(&revision));
        }
        Format::Json => context.json(&Document { revision: told(&revision), found: &found })?,
        Format::Jsonl => lines(context, &revision, &found)?,
    }
    Ok(ExitCode::Done)
}

fn told(revision: &Revision) -> Told<'_> {
    Told {
        commit: revision.commit.as_str(),
        label: revision.label.as_str(),
        summary: &revision.summary,
        published_s: revision.published_s,
    }
}

/// Leaves the packages of one name.
fn keep(found: &mut Workspaces, name: &str) -> Result<(), CliError> {
    let names: Vec<String> = found.packages.iter().map(|package| package.name.clone()).collect();
    found.packages.retain(|package| package.name == name);
    if !found.packages.is_empty() {
        return Ok(());
    }
    let error = CliError::usage(anyhow!("there is no package `{name}` at this revision"));
    let near: Vec<String> = names
        .into_iter()
        .filter(|known| known.contains(name) || name.contains(known.as_str()))
        .take(5)
        .collect();
    Err(match near.as_slice() {
        [] => error.hint("`tidelock workspace` without `--package` lists all"),
        _ => error.hint(format!("there is: {}", near.join(", "))),
    })
}

/// The orphans in the folders of these packages.
fn within(packages: &[Package], orphans: Vec<Orphan>) -> Vec<Orphan> {
    let is_in = |orphan: &Orphan| packages.iter().any(|it| orphan.package.as_ref() == Some(&it.folder));
    orphans.into_iter().filter(is_in).collect()
}

fn lines(context: &Context, revision: &Revision, found: &Workspaces) -> Result<(), CliError> {
    let told = told(revision);
    let head = std::iter::once(Line::Revision(&told));
    let all = head
        .chain(found.workspaces.iter().map(Line::Workspace))
        .chain(found.packages.iter().map(Line::Package))
        .chain(found.unread.iter().map(Line::Unread))
        .chain(found.problems.iter().map(Line::Problem))
        .chain(found.orphans.iter().flatten().map(Line::Orphan));
    for line in all {
        let text = serde_json::to_string(&line).context("cannot write JSON")?;
        context.console.exact(&(text + "\n"));
    }
    Ok(())
}
