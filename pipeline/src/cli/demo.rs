//! `tidelock demo`: a small port of a real crate, synced release by release.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use port::repo::PortRepo;
use reports::RunOutcome;
use upstream::process::Invocation;

use super::args::{Demo, Rendering, Sync};
use super::{CliError, Context, ExitCode, init, report, sync};
use crate::config;
use crate::session::{LOCK_NAME, Session};

/// The release that the shipped port equals.
const BASELINE: &str = "0.8.0";

/// Marks a folder as one that a demo made, and may remove.
const MARK: &str = ".tidelock-demo";

/// The shipped port, file by file.
const FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

pub(super) fn run(context: &Context, args: &Demo) -> Result<ExitCode, CliError> {
    let folder = match &args.folder {
        Some(folder) => std::path::absolute(folder).context("no such folder")?,
        None => default_folder(context),
    };
    if args.fresh {
        remove(&folder)?;
    }
    let port = folder.join("port");
    let console = &context.console;
    console.say(
        "This follows the crate `strsim` from 0.8.0 to its newest release in a small Python port of it.",
    );
    if port.join(".git").is_dir() && port_is_adopted(&port) {
        console.say(&format!("Going on with the port in {} (`--fresh` begins again).", port.display()));
    } else {
        console.say(&format!("The port is made in {}.", port.display()));
        make(context, &folder, &port)?;
    }
    let mut settings = config::load(&port).map_err(|error| anyhow!(error))?;
    sync::choose_translators(&mut settings, &args.who)?;
    let session = context.session(settings)?;
    let record = sync::sync(
        &session,
        &Sync { to: None, limit: None, retry: false, dry_run: false, accept: None, who: args.who.clone() },
    )?;
    let page = folder.join("report.html");
    // A run that had nothing to do has nothing to show; the page of the one that had is kept.
    if record.outcome != RunOutcome::NothingToDo || !page.exists() {
        std::fs::write(&page, report::rendered(&record, Rendering::Html)?)
            .with_context(|| format!("cannot write `{}`", page.display()))?;
    }
    console.say("");
    console.data(&report::rendered(&record, Rendering::Text)?);
    let tree = session.head().map_err(super::session_error)?.tree;
    console.data(&farewell(&session, &page, tree.as_str()));
    // What is parked here is meant to be: the demo shows it.
    Ok(match ExitCode::of(record.outcome) {
        ExitCode::Parked | ExitCode::NothingToDo | ExitCode::Done => ExitCode::Done,
        code @ (ExitCode::Internal
        | ExitCode::Usage
        | ExitCode::GateFailed
        | ExitCode::Inconclusive
        | ExitCode::Lag) => code,
    })
}

/// Below the build folder when run from one, so that it goes with it; else below the current folder.
fn default_folder(context: &Context) -> PathBuf {
    let target = context.machine.program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(|| context.directory.join("tidelock-demo"), |target| target.join("tidelock-demo"))
}

/// Removes what an earlier demo made, and nothing else.
fn remove(folder: &Path) -> Result<(), CliError> {
    if !folder.exists() {
        return Ok(());
    }
    if !folder.join(MARK).is_file() {
        let error = anyhow!("`{}` was not made by a demo, so it is not removed", folder.display());
        return Err(CliError::usage(error).hint("name another folder"));
    }
    std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
    Ok(())
}

/// Whether the making of the port got as far as its lock; a demo that was killed before makes it again.
fn port_is_adopted(port: &Path) -> bool {
    let adopted = || -> Option<bool> {
        let repo = PortRepo::open(port).ok()?;
        let head = repo.head("main").ok()?;
        Some(repo.read(&head.tree, LOCK_NAME).ok()?.is_some())
    };
    adopted().unwrap_or(false)
}

/// Writes the shipped port, makes it a repository, proves that it equals its release, and locks that.
fn make(context: &Context, folder: &Path, port: &Path) -> Result<(), CliError> {
    if port.exists() {
        if !folder.join(MARK).is_file() {
            let error = anyhow!("`{}` is there and was not made by a demo", port.display());
            return Err(CliError::usage(error).hint("name another folder"));
        }
        std::fs::remove_dir_all(port).with_context(|| format!("cannot remove `{}`", port.display()))?;
    }
    write(&folder.join(MARK), "made by `tidelock demo`\n")?;
    for (path, text) in FILES {
        write(&port.join(path), text)?;
    }
    git(context, port, &["init", "--quiet", "--initial-branch=main"])?;
    commit(context, port, "A port of strsim 0.8.0")?;
    let session: Session = context.session(config::load(port).map_err(|error| anyhow!(error))?)?;
    init::adopt_revision(context, &session, BASELINE, false)?;
    commit(context, port, "Lock the port to strsim 0.8.0")
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let parent = path.parent().context("a file without a folder")?;
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(())
}

fn commit(context: &Context, port: &Path, message: &str) -> Result<(), CliError> {
    git(context, port, &["add", "--all"])?;
    git(context, port, &["commit", "--quiet", "--no-gpg-sign", "--message", message])
}

/// Runs git as nobody in particular, whatever the user's own configuration says.
fn git(context: &Context, port: &Path, arguments: &[&str]) -> Result<(), CliError> {
    let invocation = Invocation::new("git", port)
        .args(["-c", "user.name=Tidelock demo", "-c", "user.email=demo@localhost"])
        .args(arguments.iter().copied())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let finished = context.machine.runner.run(&invocation).context("the demo needs git")?;
    if finished.succeeded() {
        return Ok(());
    }
    Err(anyhow!("`git {}` failed: {}", arguments.join(" "), finished.tail(5)).into())
}

fn farewell(session: &Session, page: &Path, tree: &str) -> String {
    let port = session.settings.root.display();
    format!(
        "\n\
         repository  {port}  (tree {tree})\n\
         report      {page}\n\
         database    {database}\n\n\
         Try next, in the repository:\n  \
         git log                      each release is one commit, with its evidence in the trailers\n  \
         tidelock status              how the port stands\n  \
         tidelock verify --contract   prove again that it equals the crate\n  \
         change a line of strsim/__init__.py, commit it, and run `tidelock status` and `tidelock verify --contract`\n  \
         git reset --hard HEAD~3 && tidelock sync   follow the last releases again\n",
        page = page.display(),
        database = session.settings.state.join("state.db").display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_port_is_whole_and_its_configuration_is_right() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in FILES {
            write(&folder.path().join(path), text).unwrap();
        }
        let settings = config::load(folder.path()).unwrap();
        assert_eq!(settings.source.to_string(), "registry:strsim");
        assert!(FILES.iter().any(|(path, _)| *path == "tests/test_strsim.py"));
    }

    #[test]
    fn a_folder_that_no_demo_made_is_never_removed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("precious"), "x").unwrap();
        assert!(remove(folder.path()).is_err());
        assert!(folder.path().join("precious").exists());
    }
}
