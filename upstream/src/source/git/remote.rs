//! Speaks to a git repository: gix for paths and http, the `git` command for ssh and everything else.
//!
//! The command brings the user's ssh configuration, and gix has no ssh of its own. Neither is ever
//! asked to write to the remote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use gix::bstr::{BStr, BString, ByteSlice};
use gix::protocol::handshake::Ref;
use gix::remote::{Direction, fetch};
use gix::url::Scheme;

use crate::process::{Ending, Finished, Invocation, Limits};
use crate::repo::whole_message;
use crate::source::mirror::Mirror;
use crate::source::refs::broken;
use crate::source::{SourceError, registry};

/// The longest that one `git` command may run, in milliseconds.
const COMMAND_TIMEOUT_MS: u64 = 60 * 60 * 1000;
/// The lines of git's complaint that an error shows.
const COMPLAINT_LINES: usize = 5;
/// What `git` needs of our environment to reach a remote as the user would.
const INHERITED: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "XDG_CONFIG_HOME",
    "SSH_AUTH_SOCK",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// The references of a remote.
#[derive(Debug, Default)]
pub(super) struct RemoteRefs {
    /// The branch that it calls its default.
    pub(super) default_branch: Option<String>,
    /// The branches and their tips.
    pub(super) branches: BTreeMap<String, gix::ObjectId>,
    /// The tags, and what they point at in the end.
    pub(super) tags: BTreeMap<String, gix::ObjectId>,
}

/// A git repository that can be asked and fetched from.
pub(super) struct Remote<'mirror> {
    mirror: &'mirror Mirror,
    name: String,
    url: BString,
    speaks: Speaks,
    last_poll_s: Option<i64>,
}

enum Speaks {
    Gix,
    Command,
}

impl<'mirror> Remote<'mirror> {
    pub(super) fn of(
        mirror: &'mirror Mirror,
        name: &str,
        last_poll_s: Option<i64>,
    ) -> Result<Self, SourceError> {
        let not_a_repository = |reason: String| SourceError::NotARepository { url: name.to_owned(), reason };
        let url = gix::url::parse(name).map_err(|error| not_a_repository(whole_message(&error)))?;
        let (url, speaks) = match url.scheme {
            Scheme::File => {
                let path = local_path(&url.path, &mirror.surroundings().registry.working_directory)
                    .map_err(|error| not_a_repository(whole_message(&error)))?;
                // Asked here, because the answer of an upload that failed to start tells nothing.
                gix::open(&path).map_err(|error| not_a_repository(whole_message(&error)))?;
                (
                    gix::path::into_bstr(path)
                        .map_err(|error| not_a_repository(error.to_string()))?
                        .into_owned(),
                    Speaks::Gix,
                )
            }
            Scheme::Http | Scheme::Https => {
                // Even for plain http: the client is made ready for a redirect to https.
                registry::demand_tls_provider()?;
                (name.into(), Speaks::Gix)
            }
            Scheme::Ext => {
                return Err(not_a_repository("such a URL runs a command, which a source may not".to_owned()));
            }
            Scheme::Ssh | Scheme::Git | Scheme::Helper(_) | Scheme::HelperUrl(_) => {
                (name.into(), Speaks::Command)
            }
        };
        Ok(Self { mirror, name: name.to_owned(), url, speaks, last_poll_s })
    }

    /// Asks what references there are. Costs what `git ls-remote` costs.
    pub(super) fn list(&self, interrupt: &AtomicBool) -> Result<RemoteRefs, SourceError> {
        match self.speaks {
            Speaks::Gix => self.list_by_gix(interrupt),
            Speaks::Command => {
                let listed = self.command(&["ls-remote", "--symref", "--"], &[], interrupt)?;
                Ok(RemoteRefs::of_listing(&listed.stdout.to_str_lossy()))
            }
        }
    }

    /// Fetches what the refspecs name. References move only after all objects are there.
    pub(super) fn fetch(&self, specs: &[String], interrupt: &AtomicBool) -> Result<(), SourceError> {
        match self.speaks {
            Speaks::Gix => self.fetch_by_gix(specs, interrupt),
            Speaks::Command => {
                let options =
                    ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--"];
                self.command(&options, specs, interrupt).map(|_finished| ())
            }
        }
    }

    fn list_by_gix(&self, interrupt: &AtomicBool) -> Result<RemoteRefs, SourceError> {
        let repo = self.mirror.repo().local();
        // The specs let the server leave out what we never look at, such as pull requests.
        let specs = ["HEAD", "+refs/heads/*:refs/incoming/heads/*", "+refs/tags/*:refs/incoming/tags/*"];
        let remote = self.gix_remote(&repo, &specs.map(str::to_owned))?;
        let connection =
            remote.connect(Direction::Fetch).map_err(|error| self.unreachable(&error, interrupt))?;
        let (map, _handshake) = connection
            .ref_map(gix::progress::Discard, gix::remote::ref_map::Options::default())
            .map_err(|error| self.unreachable(&error, interrupt))?;
        Ok(RemoteRefs::of_refs(map.remote_refs))
    }

    fn fetch_by_gix(&self, specs: &[String], interrupt: &AtomicBool) -> Result<(), SourceError> {
        let repo = self.mirror.repo().local();
        let remote = self.gix_remote(&repo, specs)?;
        let connection =
            remote.connect(Direction::Fetch).map_err(|error| self.unreachable(&error, interrupt))?;
        connection
            .prepare_fetch(gix::progress::Discard, gix::remote::ref_map::Options::default())
            .map_err(|error| self.unreachable(&error, interrupt))?
            .receive(gix::progress::Discard, interrupt)
            .map_err(|error| self.unreachable(&error, interrupt))?;
        Ok(())
    }

    fn gix_remote<'repo>(
        &self,
        repo: &'repo gix::Repository,
        specs: &[String],
    ) -> Result<gix::Remote<'repo>, SourceError> {
        let remote = repo.remote_at(self.url.as_bstr()).map_err(|error| broken(repo, &error))?;
        remote
            .with_fetch_tags(fetch::Tags::None)
            .with_refspecs(specs.iter().map(|spec| BStr::new(spec.as_bytes())), Direction::Fetch)
            .map_err(|error| broken(repo, &error))
    }

    fn command(
        &self,
        options: &[&str],
        specs: &[String],
        interrupt: &AtomicBool,
    ) -> Result<Finished, SourceError> {
        let directory = self.mirror.directory();
        let invocation = Invocation::new("git", directory)
            .args(["-c", "core.logAllRefUpdates=false"])
            .args(options)
            .args([self.name.as_str()])
            .args(specs)
            .inherit(INHERITED)
            .env("GIT_DIR", directory)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .limits(Limits { timeout_ms: COMMAND_TIMEOUT_MS, ..Limits::default() });
        let finished = self
            .mirror
            .surroundings()
            .processes
            .run(&invocation)
            .map_err(|error| self.unreachable(&error, interrupt))?;
        match finished.ending {
            Ending::Exited(0) => Ok(finished),
            Ending::Interrupted => Err(SourceError::Interrupted),
            Ending::Exited(_) | Ending::Signalled(_) => {
                Err(self.unreachable_because(finished.tail(COMPLAINT_LINES).replace('\n', " ")))
            }
            Ending::TimedOut | Ending::Silent => {
                Err(self.unreachable_because("git did not finish in time".to_owned()))
            }
            Ending::TooMuchOutput => {
                Err(self.unreachable_because("git listed more references than are read".to_owned()))
            }
        }
    }

    fn unreachable(&self, error: &dyn std::error::Error, interrupt: &AtomicBool) -> SourceError {
        if interrupt.load(Ordering::Relaxed) {
            return SourceError::Interrupted;
        }
        self.unreachable_because(whole_message(error))
    }

    fn unreachable_because(&self, reason: String) -> SourceError {
        SourceError::Unreachable { source_name: self.name.clone(), reason, last_poll_s: self.last_poll_s }
    }
}

impl RemoteRefs {
    fn of_refs(listed: Vec<Ref>) -> Self {
        let mut refs = Self::default();
        for listed in listed {
            match listed {
                Ref::Peeled { full_ref_name, object, .. } | Ref::Direct { full_ref_name, object } => {
                    refs.take(&full_ref_name.to_str_lossy(), object);
                }
                Ref::Symbolic { full_ref_name, target, object, .. } => {
                    if full_ref_name == "HEAD" {
                        refs.take_head(&target.to_str_lossy());
                    } else {
                        refs.take(&full_ref_name.to_str_lossy(), object);
                    }
                }
                Ref::Unborn { full_ref_name, target } => {
                    if full_ref_name == "HEAD" {
                        refs.take_head(&target.to_str_lossy());
                    }
                }
            }
        }
        refs
    }

    /// Reads what `git ls-remote --symref` prints.
    fn of_listing(text: &str) -> Self {
        let mut refs = Self::default();
        for line in text.lines() {
            let Some((left, name)) = line.split_once('\t') else { continue };
            if let Some(target) = left.strip_prefix("ref: ") {
                if name == "HEAD" {
                    refs.take_head(target);
                }
            } else if let Ok(id) = gix::ObjectId::from_hex(left.as_bytes()) {
                // What an annotated tag points at follows the tag itself, and replaces it.
                refs.take(name.strip_suffix("^{}").unwrap_or(name), id);
            }
        }
        refs
    }

    fn take_head(&mut self, target: &str) {
        self.default_branch = target.strip_prefix("refs/heads/").map(str::to_owned);
    }

    /// Takes a branch or a tag. Names that git would not take are left: they come from a stranger.
    fn take(&mut self, name: &str, id: gix::ObjectId) {
        if gix::refs::FullName::try_from(name).is_err() {
            return;
        }
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            self.branches.insert(branch.to_owned(), id);
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            self.tags.insert(tag.to_owned(), id);
        }
    }
}

fn local_path(path: &BString, working_directory: &Path) -> gix::Result<PathBuf> {
    Ok(working_directory.join(gix::path::from_bstr(path.as_bstr())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_gives_default_branch_tips_and_peeled_tags() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let text = format!(
            "ref: refs/heads/trunk\tHEAD\n{one}\tHEAD\n{one}\trefs/heads/trunk\n{one}\trefs/tags/v1\n{two}\trefs/tags/v1^{{}}\n{one}\trefs/heads/a..b\n"
        );
        let refs = RemoteRefs::of_listing(&text);
        assert_eq!(refs.default_branch.as_deref(), Some("trunk"));
        assert_eq!(refs.branches.keys().collect::<Vec<_>>(), ["trunk"]);
        assert_eq!(refs.tags.get("v1").map(|id| id.to_hex().to_string()), Some(two));
    }
}
