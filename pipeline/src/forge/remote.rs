//! The port's repository at its forge, through the `git` command: what branches are there, fetching, pushing.
//!
//! libgit2 is built without TLS and gix does not push, so git does it, as everybody's own pushes do. The token is in a
//! configuration file that nobody else may read, in a folder of its own that goes with this value. It is in no address
//! and no argument, where every process of the machine would see it, and in no environment, which hooks and helpers
//! inherit. The header is bound to the address of the repository, redirects are refused, and hooks do not run.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use upstream::CommitId;
use upstream::process::{Finished, Invocation, Limits, ProcessRunner};

/// Where what was fetched is kept, out of the way of what people have.
pub const FETCHED: &str = "refs/tidelock/forge/";
/// The longest that git may take, in milliseconds.
const TIMEOUT_MS: u64 = 10 * 60 * 1000;
/// The most that git may say, in bytes.
const OUTPUT_BYTES_MAX: usize = 16 << 20;
/// What git may see of our environment: where it looks for programs, proxies, certificates, and keys for `ssh`.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "SSH_AUTH_SOCK",
    "GIT_SSH_COMMAND",
    "SSL_CERT_FILE",
    "GIT_SSL_CAINFO",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// Why git did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The branch is not where it was thought to be. Nothing was pushed.
    #[error("the branch `{branch}` moved at the forge in the meantime: nothing was pushed")]
    Moved {
        /// The branch.
        branch: String,
    },
    /// The forge refused it: a protected branch, a hook, a missing right.
    #[error("the forge refuses `{branch}`: {said}")]
    Refused {
        /// The branch.
        branch: String,
        /// What it says.
        said: String,
    },
    /// git failed: no network, a wrong token, no such repository.
    #[error("git cannot {what}: {said}")]
    Failed {
        /// What it was to do.
        what: &'static str,
        /// What it says.
        said: String,
    },
    /// The file with the token cannot be written.
    #[error("cannot write the forge's credentials to `{path}`: {reason}")]
    Credentials {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The right to push.
#[derive(Debug)]
pub struct Credentials {
    /// The name that goes with the token.
    pub user: String,
    /// The token.
    pub token: SecretString,
}

/// The repository at its forge.
#[derive(Debug)]
pub struct Remote {
    url: String,
    port: PathBuf,
    runner: Arc<dyn ProcessRunner>,
    /// Holds the configuration that git reads in place of the user's; gone when this is dropped.
    folder: TempDir,
}

impl Remote {
    /// The repository at `url`, seen from the port at `port`. Without credentials git asks as the user would, with the
    /// user's own configuration: by keys of `ssh`, as a rule.
    pub fn new(
        url: &str,
        port: &Path,
        state: &Path,
        credentials: Option<&Credentials>,
        runner: Arc<dyn ProcessRunner>,
    ) -> Result<Self, RemoteError> {
        let failed = |path: &Path, error: &dyn std::fmt::Display| RemoteError::Credentials {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        // What a killed process left is of no use to anybody. The caller holds the lease of the port.
        let parent = state.join("credentials");
        drop(std::fs::remove_dir_all(&parent));
        std::fs::create_dir_all(&parent).map_err(|error| failed(&parent, &error))?;
        let folder = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(|error| failed(&parent, &error))?;
        let path = folder.path().join("config");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&path).map_err(|error| failed(&path, &error))?;
        let text = config(url, credentials);
        file.write_all(text.as_bytes()).map_err(|error| failed(&path, &error))?;
        Ok(Self { url: url.to_owned(), port: port.to_owned(), runner, folder })
    }

    /// Where branches stand at the forge, by their names: those that are named, and those that begin like `prefix`.
    pub fn branches(&self, named: &[&str]) -> Result<BTreeMap<String, CommitId>, RemoteError> {
        let patterns = named.iter().map(|name| format!("refs/heads/{name}"));
        let arguments = ["ls-remote".to_owned(), "--".to_owned(), self.url.clone()];
        let said = self.git("ask what is at the forge", arguments.into_iter().chain(patterns))?;
        let mut found = BTreeMap::new();
        for line in said.lines() {
            let Some((id, name)) = line.split_once('\t') else { continue };
            if let (Ok(id), Some(name)) = (CommitId::new(id), name.strip_prefix("refs/heads/")) {
                found.insert(name.to_owned(), id);
            }
        }
        // A pattern also finds `refs/heads/x/refs/heads/NAME`.
        found.retain(|name, _| named.contains(&name.as_str()));
        Ok(found)
    }

    /// Brings branches here, below [`FETCHED`].
    pub fn fetch(&self, branches: &[&str]) -> Result<(), RemoteError> {
        if branches.is_empty() {
            return Ok(());
        }
        let flags = ["fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--quiet", "--"];
        let specs = branches.iter().map(|name| format!("+refs/heads/{name}:{FETCHED}{name}"));
        let arguments = flags.map(str::to_owned).into_iter().chain([self.url.clone()]).chain(specs);
        self.git("fetch from the forge", arguments).map(drop)
    }

    /// Puts a branch of the forge to a commit, if it is where we saw it (`None`: if there is none).
    pub fn push(&self, branch: &str, expected: Option<&CommitId>, to: &CommitId) -> Result<(), RemoteError> {
        let lease = expected.map_or("", CommitId::as_str);
        let arguments = [
            "push".to_owned(),
            "--porcelain".to_owned(),
            "--no-verify".to_owned(),
            format!("--force-with-lease=refs/heads/{branch}:{lease}"),
            "--".to_owned(),
            self.url.clone(),
            format!("{to}:refs/heads/{branch}"),
        ];
        let finished = self.run("push to the forge", arguments)?;
        if finished.succeeded() {
            return Ok(());
        }
        // `!\tFROM:TO\t[rejected] (stale info)`, the form that `--porcelain` fixes.
        let stdout = String::from_utf8_lossy(&finished.stdout);
        let Some(line) = stdout.lines().find(|line| line.starts_with('!')) else {
            return Err(RemoteError::Failed { what: "push to the forge", said: said(&finished) });
        };
        let branch = branch.to_owned();
        let moved =
            ["stale info", "fetch first", "failed to update ref", "cannot lock ref", "incorrect old value"];
        if moved.iter().any(|words| line.contains(words)) {
            return Err(RemoteError::Moved { branch });
        }
        let summary = line.rsplit('\t').next().unwrap_or_default();
        Err(RemoteError::Refused { branch, said: format!("{summary}; {}", said(&finished)) })
    }

    fn git(
        &self,
        what: &'static str,
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<String, RemoteError> {
        let finished = self.run(what, arguments)?;
        if finished.succeeded() {
            return Ok(String::from_utf8_lossy(&finished.stdout).into_owned());
        }
        Err(RemoteError::Failed { what, said: said(&finished) })
    }

    fn run(
        &self,
        what: &'static str,
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<Finished, RemoteError> {
        let invocation = Invocation::new("git", &self.port)
            .inherit(INHERITED)
            .env("GIT_CONFIG_GLOBAL", self.folder.path().join("config"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .args(["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .args(arguments)
            .limits(Limits { timeout_ms: TIMEOUT_MS, silence_ms: None, output_bytes_max: OUTPUT_BYTES_MAX });
        self.runner.run(&invocation).map_err(|error| RemoteError::Failed { what, said: error.to_string() })
    }
}

/// What git says is wrong, in a line.
fn said(finished: &Finished) -> String {
    reports::visible_line(&masked(&finished.tail(4)))
}

/// The configuration that git reads in place of the user's.
fn config(url: &str, credentials: Option<&Credentials>) -> String {
    let mut text = "[http]\n\tfollowRedirects = false\n".to_owned();
    if let Some(credentials) = credentials.filter(|_| url.starts_with("http")) {
        let basic = STANDARD.encode(format!("{}:{}", credentials.user, credentials.token.expose_secret()));
        // No helper may keep what was given for one push.
        text.push_str("[credential]\n\thelper =\n");
        for line in [
            format!("[http \"{}\"]\n", quoted(url)),
            format!("\textraHeader = \"Authorization: Basic {basic}\"\n"),
        ] {
            text.push_str(&line);
        }
    }
    text
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Without users and passwords of addresses, which git repeats in what it says.
fn masked(text: &str) -> String {
    let mut shown = String::new();
    for (at, piece) in text.split("://").enumerate() {
        if at == 0 {
            shown.push_str(piece);
            continue;
        }
        let end = piece.find(['/', ' ', '\'', '\n']).unwrap_or(piece.len());
        let (authority, rest) = piece.split_at(end);
        shown.push_str("://");
        shown.push_str(authority.rsplit_once('@').map_or(authority, |(_user, host)| host));
        shown.push_str(rest);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_of_an_address_is_shown() {
        let said = "fatal: unable to access 'https://bo:geheim@forge.example/a/b.git/': 403";
        assert_eq!(masked(said), "fatal: unable to access 'https://forge.example/a/b.git/': 403");
    }

    #[test]
    fn the_header_is_bound_to_the_address_and_needs_one() {
        let credentials = Credentials { user: "x".to_owned(), token: SecretString::from("geheim") };
        let text = config("https://forge.example/a/b.git", Some(&credentials));
        assert!(text.contains("[http \"https://forge.example/a/b.git\"]"), "{text}");
        assert!(!format!("{credentials:?}").contains("geheim"));
        assert!(!config("git@forge.example:a/b.git", Some(&credentials)).contains("Authorization"));
    }
}
