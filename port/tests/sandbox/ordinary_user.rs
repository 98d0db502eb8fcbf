//! The same attempts as an ordinary user: what holds root holds by other means than what holds anybody else.
//!
//! Root can become anybody, and nobody can become root: as root the whole suite runs again.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use upstream::process::{Finished, Invocation, Limits, ProcessRunner, SystemProcessRunner, inherited};

use super::{not_tried, sysroot, text};

/// The user and group of nobody.
const NOBODY: &str = "65534";

/// The longest that the whole suite may take, in milliseconds.
const SUITE_TIMEOUT_MS: u64 = 30 * 60 * 1000;

/// The suite as an ordinary user, and what of it cannot be tried.
pub(super) fn trials() -> Vec<Trial> {
    if !rustix::process::geteuid().is_root() {
        let as_root = Trial::test("as_root::all", || Err(Failed::from("only root can try this")));
        return vec![not_tried(as_root, Some("this is an ordinary user; run it as root as well"))];
    }
    let rust = may_run_rust();
    let cargo_builds = Trial::test("as_an_ordinary_user::cargo_builds", || Ok(()));
    let mut trials = vec![Trial::test("as_an_ordinary_user::all", move || all(rust).map_err(Failed::from))];
    if !rust {
        trials.push(not_tried(cargo_builds, Some("Rust is in a folder that only root may read")));
    }
    trials
}

/// Whether an ordinary user may run the Rust that is here.
fn may_run_rust() -> bool {
    let Ok(sysroot) = sysroot() else { return false };
    let compiler = sysroot.join("bin").join("rustc");
    run(&as_nobody(&compiler).args(["-vV"])).is_ok_and(|finished| finished.succeeded())
}

fn all(rust: bool) -> Result<(), Box<dyn Error>> {
    // A copy where anybody may run it.
    let folder = tempfile::tempdir_in("/var/tmp")?;
    let copy = folder.path().join("sandbox");
    std::fs::copy(std::env::current_exe()?, &copy)?;
    let mut path = vec![folder.path().to_owned()];
    if let Some(bubblewrap) = installed("bwrap") {
        std::fs::copy(bubblewrap, folder.path().join("bwrap"))?;
    }
    path.extend(std::env::split_paths(&inherited("PATH").unwrap_or_default()));
    let entries = std::fs::read_dir(folder.path())?.map(|entry| Ok(entry?.path()));
    let entries: Vec<PathBuf> = entries.collect::<std::io::Result<_>>()?;
    for open in entries.iter().map(PathBuf::as_path).chain([folder.path()]) {
        std::fs::set_permissions(open, std::fs::Permissions::from_mode(0o755))?;
    }
    let skipped: &[&str] = if rust { &[] } else { &["--skip", "cargo_builds"] };
    let finished =
        run(&as_nobody(&copy).args(skipped.iter().copied()).inherit(&["TIDELOCK_TEST_SANDBOXES"]))?;
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    if !finished.succeeded() {
        return Err(text(&finished).into());
    }
    // What could not be tried is told once for each reason.
    let reason = |line: &str| Some(line.strip_prefix("test [")?.split_once(']')?.0.to_owned());
    let result = said.lines().filter(|line| line.starts_with("test result:")).map(str::to_owned);
    let told: BTreeSet<String> = said.lines().filter_map(reason).chain(result).collect();
    let told: String = told.iter().map(|line| "as an ordinary user: ".to_owned() + line + "\n").collect();
    write!(std::io::stderr(), "{told}")?;
    let passed = said.lines().filter(|line| line.starts_with("test ") && line.ends_with(" ok")).count();
    if passed < super::ATTEMPTS.len() - 2 {
        return Err(format!("only {passed} attempts were made as an ordinary user: {said}").into());
    }
    Ok(())
}

/// A program as nobody, whose home holds nothing.
fn as_nobody(program: &Path) -> Invocation {
    Invocation::new("setpriv", "/")
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .args([program.as_os_str()])
        .env("HOME", "/nonexistent")
        .limits(Limits { timeout_ms: SUITE_TIMEOUT_MS, ..Limits::default() })
}

fn run(invocation: &Invocation) -> Result<Finished, Box<dyn Error>> {
    let finished = SystemProcessRunner::default().run(invocation);
    Ok(finished.map_err(|error| format!("{error}: install util-linux, which has `setpriv`"))?)
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = inherited("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}
