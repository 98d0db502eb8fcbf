//! Whether a history's cost grows with the code that does not change: the newest commits of a repository, once as
//! they are and once in a repository with ten times the lines.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use upstream::process::{Invocation, ProcessRunner, SystemProcessRunner};

/// How many commits are told.
pub(super) const COMMITS: usize = 100;
/// How many copies of everything stand beside the code that changes.
const COPIES: usize = 9;

/// A repository with two branches of the same changes.
pub(super) struct Scaled {
    /// The changes in the code as it is.
    pub(super) plain: String,
    /// The changes with nine copies of the oldest tree beside them.
    pub(super) ten_times: String,
}

/// Writes both branches into a bare repository that borrows its objects from another one.
pub(super) fn build(repository: &Path, scratch: &Path) -> Result<Scaled> {
    let from = repository.display().to_string();
    let into = scratch.display().to_string();
    git(scratch.parent().unwrap_or(scratch), &["clone", "--quiet", "--bare", "--shared", &from, &into], "")?;
    let count = (COMMITS + 1).to_string();
    let listed = git(scratch, &["log", "--first-parent", "--reverse", "--format=%T", "-n", &count], "")?;
    let trees: Vec<&str> = listed.lines().collect();
    let Some(oldest) = trees.first().filter(|_| trees.len() == COMMITS + 1) else {
        bail!("{from} has fewer than {} commits on its main line", COMMITS + 1)
    };
    let copies: Vec<String> =
        (1..=COPIES).map(|number| format!("040000 tree {oldest}\tzz_copy_{number}")).collect();
    let copies = copies.join("\n");
    let (mut plain, mut ten_times) = (None, None);
    for tree in &trees {
        let entries = git(scratch, &["ls-tree", tree], "")?;
        let wide = git(scratch, &["mktree", "--missing"], &format!("{entries}\n{copies}\n"))?;
        plain = Some(commit(scratch, tree, plain.as_deref())?);
        ten_times = Some(commit(scratch, &wide, ten_times.as_deref())?);
    }
    let branch = |name: &str, tip: Option<String>| -> Result<String> {
        let tip = tip.context("there is at least one commit")?;
        git(scratch, &["update-ref", &format!("refs/heads/{name}"), &tip], "")?;
        Ok(name.to_owned())
    };
    Ok(Scaled { plain: branch("plain", plain)?, ten_times: branch("ten-times", ten_times)? })
}

fn commit(repository: &Path, tree: &str, parent: Option<&str>) -> Result<String> {
    let mut words = vec!["commit-tree", tree, "-m", "the same change"];
    words.extend(parent.into_iter().flat_map(|parent| ["-p", parent]));
    git(repository, &words, "")
}

fn git(folder: &Path, arguments: &[&str], input: &str) -> Result<String> {
    let invocation = Invocation::new("git", folder)
        .args(["-c", "user.name=measure", "-c", "user.email=measure@invalid", "-c", "core.quotePath=true"])
        .args(arguments.iter().copied())
        .inherit(&["HOME"])
        .stdin(input.as_bytes().to_vec());
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("git {}: {}", arguments.join(" "), finished.tail(5));
    }
    Ok(String::from_utf8_lossy(&finished.stdout).trim_end().to_owned())
}
