//! The command lines of `tidelock diff` and `tidelock items` as they are typed.

use std::path::PathBuf;

use clap::Args;

/// `tidelock diff`
#[derive(Debug, Args)]
#[command(after_help = DIFF_HELP)]
pub(super) struct Diff {
    /// The two revisions, as `FROM TO` or `FROM..TO`; or one, to see what it did against its first parent.
    #[arg(value_name = "REV", required = true, num_args = 1..=2)]
    pub(super) revisions: Vec<String>,
    /// The git repository, bare or not; it needs no `tidelock.toml`. Default: the one around the current folder.
    #[arg(long, value_name = "PATH")]
    pub(super) repo: Option<PathBuf>,
    #[command(flatten)]
    pub(super) only: Only,
    /// One line for each module, and no items.
    #[arg(long, conflicts_with_all = ["all", "patch"])]
    pub(super) stat: bool,
    /// Also show what is only counted: tests, documentation, locked versions, what moved with something else.
    #[arg(long)]
    pub(super) all: bool,
    /// Show the text of each changed item as a unified diff.
    #[arg(long)]
    pub(super) patch: bool,
}

/// Which items are shown.
#[derive(Debug, Default, Args)]
pub(super) struct Only {
    /// Only this crate, or `package[kind:target]` for another target than a library. May be repeated.
    #[arg(long = "crate", value_name = "NAME")]
    pub(super) crates: Vec<String>,
    /// Only files that match this pattern, from the repository's root: `src/net/**`. May be repeated.
    #[arg(long = "path", value_name = "GLOB")]
    pub(super) paths: Vec<String>,
}

const DIFF_HELP: &str = "\
Marks: + added, - removed, ~ changed, > moved or renamed. `api` stands before what users of the crate can name.
A revision is a tag, a branch, a commit id or HEAD, with `^` or `~N` behind it for its first parents.

Example: tidelock diff v1.0.0 v1.1.0 --repo ../serde
         tidelock diff HEAD --patch";

/// `tidelock items`
#[derive(Debug, Args)]
#[command(after_help = ITEMS_HELP)]
pub(super) struct Items {
    /// The revision: a tag, a branch, a commit id or HEAD, with `^` or `~N` behind it for its first parents.
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub(super) revision: String,
    /// The git repository, bare or not; it needs no `tidelock.toml`. Default: the one around the current folder.
    #[arg(long, value_name = "PATH")]
    pub(super) repo: Option<PathBuf>,
    #[command(flatten)]
    pub(super) only: Only,
    /// Only what users of the libraries can name, by the paths they write; re-exports and globs are followed.
    #[arg(long)]
    pub(super) public: bool,
    /// Only items of this kind: `function`, `method`, `struct`, `enum`, `union`, `trait`, `impl`, `const`,
    /// `static`, `type_alias`, `macro`, `module`. May be repeated.
    #[arg(long = "kind", value_name = "KIND")]
    pub(super) kinds: Vec<String>,
    /// Also show fields, variants, macro arms and imports.
    #[arg(long)]
    pub(super) parts: bool,
}

const ITEMS_HELP: &str = "\
Example: tidelock items v1.1.0 --repo ../serde --public
         tidelock items HEAD --kind trait --path 'src/de/**'";
