//! What commands for any repository share: opening it, reading revisions as people write them, filters.

use std::path::Path;

use anyhow::anyhow;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use upstream::listing::ListingError;
use upstream::repo::RepoError;
use upstream::snapshot::SnapshotError;
use upstream::{CommitId, Revision, UpstreamRepo};

use super::args::Only;
use super::{CliError, Context};

/// The most steps of `REV~N`.
const STEPS_MAX: usize = 100_000;

/// Opens the repository at a path, or the one that the command runs in, as git finds it: from any of its folders.
pub(super) fn open(context: &Context, repo: Option<&Path>) -> Result<UpstreamRepo, CliError> {
    let around = || context.directory.ancestors().find(|folder| folder.join(".git").exists());
    let path = repo.or_else(around).unwrap_or(&context.directory);
    UpstreamRepo::open(path).map_err(unreadable)
}

/// The commit that a text means: what [`UpstreamRepo::resolve`] reads and `HEAD`, with any `^` and `~N`.
pub(super) fn resolve(repo: &UpstreamRepo, text: &str) -> Result<CommitId, CliError> {
    let (name, steps) = with_steps(text).ok_or_else(|| {
        CliError::usage(anyhow!("`{text}` is no revision: behind `~` stands a number up to {STEPS_MAX}"))
    })?;
    let mut at = match name {
        "HEAD" | "@" => repo.head().map_err(unreadable)?,
        name => repo.resolve(name).map(|revision| revision.commit).map_err(unreadable)?,
    };
    for _ in 0..steps {
        at = repo.first_parent(&at).map_err(unreadable)?.ok_or_else(|| {
            CliError::usage(anyhow!("`{text}` is before the first revision")).hint("give fewer steps back")
        })?;
    }
    Ok(at)
}

/// The revision that a text means, or what is checked out.
pub(super) fn revision(repo: &UpstreamRepo, text: Option<&str>) -> Result<Revision, CliError> {
    let commit = resolve(repo, text.unwrap_or("HEAD"))?;
    repo.revision(&commit).map_err(unreadable)
}

/// The name in front of `^` and `~N`, and how many steps those are.
fn with_steps(text: &str) -> Option<(&str, usize)> {
    let name = text.trim_end_matches(|c: char| c == '^' || c == '~' || c.is_ascii_digit());
    let behind = text.strip_prefix(name)?;
    // A name such as `v1` or `deadbeef12` ends in digits: steps begin at a sign.
    let (digits, signs) = behind.split_at(behind.find(['^', '~']).unwrap_or(behind.len()));
    let name = text.split_at_checked(name.len() + digits.len())?.0;
    let mut steps = 0_usize;
    let mut rest = signs;
    while let Some(sign) = rest.chars().next() {
        rest = rest.strip_prefix(sign)?;
        let digits = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())).0;
        rest = rest.strip_prefix(digits)?;
        steps += match (sign, digits) {
            ('~', "") | ('^', "" | "1") => 1,
            ('~', digits) => digits.parse().ok()?,
            // Other parents than the first are not gone to.
            _ => return None,
        };
    }
    (steps <= STEPS_MAX && !name.is_empty()).then_some((name, steps))
}

/// An error of a repository, and what to do about it.
pub(super) fn unreadable(error: RepoError) -> CliError {
    match error {
        RepoError::NotARepository { .. } => {
            CliError::usage(anyhow!(error)).hint("give a git repository with `--repo PATH`")
        }
        RepoError::UnknownRevision { .. }
        | RepoError::AmbiguousRevision { .. }
        | RepoError::UnsupportedObjects { .. }
        | RepoError::UnsupportedReferences { .. } => CliError::usage(anyhow!(error)),
        RepoError::MissingObject { .. }
        | RepoError::References(_)
        | RepoError::NotAnAncestor { .. }
        | RepoError::HistoryTooLong { .. } => CliError::from(anyhow!(error)),
    }
}

/// The same where the files of one revision cannot be read.
pub(super) fn unreadable_tree(error: SnapshotError) -> CliError {
    CliError::from(anyhow!(error)).hint(
        "where the clone was made without some of its objects (`--filter`, `--depth`), bring them: \
         `git fetch --refetch --no-filter` or `git fetch --unshallow`",
    )
}

/// An error of a listing.
pub(super) fn unlisted(error: ListingError) -> CliError {
    match error {
        ListingError::Repo(error) => unreadable(error),
        ListingError::Snapshot(error) => unreadable_tree(error),
        ListingError::Tree(_) => CliError::from(anyhow!(error)),
    }
}

/// Which crates and files are shown.
pub(super) struct Filter {
    crates: Vec<String>,
    paths: Option<GlobSet>,
}

impl Filter {
    /// Reads the options.
    pub(super) fn of(only: &Only) -> Result<Self, CliError> {
        let mut paths = GlobSetBuilder::new();
        for text in &only.paths {
            let glob = GlobBuilder::new(text).literal_separator(true).build();
            paths.add(glob.map_err(|error| {
                CliError::usage(anyhow!("`--path {text}` is no pattern: {}", error.kind()))
                    .hint("`*` stands for a part of a name, `**` for any folders, `{a,b}` for one of several")
            })?);
        }
        let paths = paths.build().map_err(|error| CliError::usage(anyhow!(error)))?;
        Ok(Self { crates: only.crates.clone(), paths: (!only.paths.is_empty()).then_some(paths) })
    }

    /// Whether anything is left out.
    pub(super) fn is_open(&self) -> bool {
        self.crates.is_empty() && self.paths.is_none()
    }

    /// Whether an item of this crate in this file is shown.
    pub(super) fn shows(&self, krate: &str, file: &str) -> bool {
        self.shows_crate(krate) && self.shows_file(file)
    }

    /// Whether a crate is shown: by its name, or by the package of another target.
    pub(super) fn shows_crate(&self, krate: &str) -> bool {
        let package = krate.split('[').next().unwrap_or(krate);
        let same = |name: &String| name == krate || name.replace('-', "_") == package.replace('-', "_");
        self.crates.is_empty() || self.crates.iter().any(same)
    }

    /// Whether a file is shown.
    pub(super) fn shows_file(&self, file: &str) -> bool {
        self.paths.as_ref().is_none_or(|paths| paths.is_match(file))
    }

    /// Whether only crates are asked for, so that what belongs to none is not shown.
    pub(super) fn names_crates(&self) -> bool {
        !self.crates.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_back_are_read_behind_any_name() {
        for (text, expected) in [
            ("HEAD", Some(("HEAD", 0))),
            ("HEAD^", Some(("HEAD", 1))),
            ("HEAD^^~3", Some(("HEAD", 5))),
            ("v1.0.12~2", Some(("v1.0.12", 2))),
            ("v1.0.12", Some(("v1.0.12", 0))),
            ("a1b2c3d4", Some(("a1b2c3d4", 0))),
            ("feature~1/x", Some(("feature~1/x", 0))),
            ("HEAD~99999999999999999999999", None),
            ("HEAD^2", None),
            ("~3", None),
            ("^", None),
        ] {
            assert_eq!(with_steps(text), expected, "{text}");
        }
    }

    #[test]
    fn crates_are_found_by_either_spelling_and_files_by_globs() {
        let filter = |crates: &[&str], paths: &[&str]| {
            let owned = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
            Filter::of(&Only { crates: owned(crates), paths: owned(paths) })
        };
        let by_crate = filter(&["tide-pool"], &[]).unwrap();
        assert!(by_crate.shows("tide_pool", "a") && by_crate.shows("tide-pool[bin:x]", "a"));
        assert!(!by_crate.shows("tide", "a"));
        let by_path = filter(&[], &["src/*.rs"]).unwrap();
        assert!(by_path.shows("x", "src/a.rs") && !by_path.shows("x", "src/a/b.rs"));
        assert!(filter(&[], &["src/**"]).unwrap().shows("x", "src/a/b.rs"));
        assert!(filter(&[], &["[a"]).is_err());
    }
}
