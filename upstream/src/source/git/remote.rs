//! Speaks to a git repository: gix for paths and http, the `git` command for ssh and everything else.
//!
//! The command brings the user's ssh configuration, and gix has no ssh of its own. Neither is ever
//! asked to write to the remote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gix::bstr::{BStr, BString, ByteSlice};
use gix::protocol::handshake::Ref;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::remote::{Connection, Direction, fetch};
use gix::url::Scheme;
use sha2::{Digest, Sha256};

use super::http::{HttpFailure, Watch, WatchedHttp, with_silence};
use crate::process::{Ending, Finished, Invocation, Limits};
use crate::repo::whole_message;
use crate::source::address::{redacted, without_userinfo};
use crate::source::mirror::Mirror;
use crate::source::refs::broken;
use crate::source::{SourceError, SourceProgress, registry};

/// How long an object's name by SHA-256 is.
const SHA_256_DIGITS: usize = 64;
/// What gix says of a server whose objects are named by SHA-256; a test holds it to that.
const SHA_256_COMPLAINTS: [&str; 2] = ["sized 64 hexadecimal", "unsupported: sha256"];
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
    "GIT_PROXY_COMMAND",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
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
    /// As the source names it; shown without what could be a secret.
    name: String,
    url: BString,
    speaks: Speaks,
    last_poll_s: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// A path: gix starts git's own program for serving it.
    Path,
    /// http or https.
    Http,
    /// Anything else: the `git` command.
    Command,
}

/// Who hears of a question to a remote, and may stop it.
#[derive(Clone, Copy)]
pub(super) struct Hearing<'a> {
    pub(super) progress: &'a dyn SourceProgress,
    pub(super) interrupt: &'a AtomicBool,
}

impl<'mirror> Remote<'mirror> {
    pub(super) fn of(
        mirror: &'mirror Mirror,
        name: &str,
        last_poll_s: Option<i64>,
    ) -> Result<Self, SourceError> {
        let not_a_repository =
            |reason: String| SourceError::NotARepository { url: without_userinfo(name), reason };
        let url = gix::url::parse(name).map_err(|error| not_a_repository(whole_message(&error)))?;
        let (url, speaks) = match url.scheme {
            Scheme::File => {
                let path = local_path(&url.path, &mirror.surroundings().registry.working_directory)
                    .map_err(|error| not_a_repository(whole_message(&error)))?;
                let path = gix::path::into_bstr(path).map_err(|error| not_a_repository(error.to_string()))?;
                (path.into_owned(), Speaks::Path)
            }
            Scheme::Http | Scheme::Https => {
                // Even for plain http: the client is made ready for a redirect to https.
                registry::demand_tls_provider()?;
                (name.into(), Speaks::Http)
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

    /// Asks what references there are, of those that the refspecs name. Costs what `git ls-remote` costs.
    pub(super) fn list(&self, specs: &[String], hearing: Hearing<'_>) -> Result<RemoteRefs, SourceError> {
        match self.speaks {
            Speaks::Path | Speaks::Http => Ok(RemoteRefs::of_refs(self.list_by_gix(specs, hearing)?)),
            Speaks::Command => {
                let limits = Limits { timeout_ms: self.mirror.limits().listing_ms, ..Limits::default() };
                let listed = self.command(&["ls-remote", "--symref", "--"], &[], limits, hearing)?;
                let listed = listed.stdout.to_str_lossy();
                if listed.lines().any(|line| line.find('\t') == Some(SHA_256_DIGITS)) {
                    return Err(SourceError::UnsupportedObjects { source_name: self.shown() });
                }
                Ok(RemoteRefs::of_listing(&listed))
            }
        }
    }

    /// Fetches what the refspecs name. References move only after all objects are there.
    pub(super) fn fetch(&self, specs: &[String], hearing: Hearing<'_>) -> Result<(), SourceError> {
        match self.speaks {
            Speaks::Path | Speaks::Http => self.fetch_by_gix(specs, hearing)?,
            Speaks::Command => {
                let mut options =
                    vec!["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-gc"];
                if self.is_shallow()? {
                    options.push("--unshallow");
                }
                options.push("--");
                let limits = self.mirror.limits();
                // Git tells its progress, so that its silence means something.
                let limits = Limits {
                    timeout_ms: limits.fetch_ms,
                    silence_ms: Some(limits.silence_ms),
                    ..Limits::default()
                };
                self.command(&options, specs, limits, hearing)?;
            }
        }
        if self.is_shallow()? {
            return Err(SourceError::Shallow { source_name: without_userinfo(&self.name) });
        }
        Ok(())
    }

    /// Whether the mirror holds commits whose parents it does not have.
    pub(super) fn is_shallow(&self) -> Result<bool, SourceError> {
        let repo = self.mirror.repo().local();
        repo.is_shallow().map_err(|error| broken(&repo, &error))
    }

    fn list_by_gix(&self, specs: &[String], hearing: Hearing<'_>) -> Result<Vec<Ref>, SourceError> {
        let repo = self.mirror.repo().local();
        let remote = self.gix_remote(&repo, specs)?;
        if self.speaks == Speaks::Http {
            let received = |_bytes| ();
            let watch = self.watch(self.mirror.limits().listing_ms, hearing, &received);
            let connection = self.watched(&repo, &remote, &watch)?;
            return references(connection).map_err(|error| self.failed(&error, &watch));
        }
        references(self.local(&remote)?).map_err(|error| self.path_failed(&error, hearing))
    }

    fn fetch_by_gix(&self, specs: &[String], hearing: Hearing<'_>) -> Result<(), SourceError> {
        let repo = self.mirror.repo().local();
        let remote = self.gix_remote(&repo, specs)?;
        let shallow = if self.is_shallow()? { fetch::Shallow::undo() } else { fetch::Shallow::NoChange };
        if self.speaks == Speaks::Http {
            let received = |bytes| hearing.progress.received(&self.shown(), bytes);
            let watch = self.watch(self.mirror.limits().fetch_ms, hearing, &received);
            let connection = self.watched(&repo, &remote, &watch)?;
            return receive(connection, shallow, hearing).map_err(|error| self.failed(&error, &watch));
        }
        receive(self.local(&remote)?, shallow, hearing).map_err(|error| match self.missing_object() {
            Some(object) if !hearing.interrupt.load(Ordering::Relaxed) => {
                SourceError::MissingObject { source_name: self.shown(), object }
            }
            Some(_) | None => self.path_failed(&error, hearing),
        })
    }

    /// An object that the repository at a path should have and does not: git's server program breaks off
    /// there without a word. Looked for only after a fetch has failed.
    fn missing_object(&self) -> Option<String> {
        let path = gix::path::from_bstr(self.url.as_bstr()).ok()?.into_owned();
        let invocation = Invocation::new("git", path)
            .args(["rev-list", "--objects", "--missing=print", "--branches", "--tags"])
            .inherit(INHERITED)
            .env("LC_ALL", "C")
            .limits(Limits { timeout_ms: self.mirror.limits().listing_ms, ..Limits::default() });
        let listed = self.mirror.surroundings().processes.run(&invocation).ok()?;
        listed.stdout.lines().find_map(|line| Some(line.strip_prefix(b"?")?.to_str_lossy().into_owned()))
    }

    fn local<'remote, 'repo>(
        &self,
        remote: &'remote gix::Remote<'repo>,
    ) -> Result<Connection<'remote, 'static, 'repo, Box<dyn Transport + Send>>, SourceError> {
        remote
            .connect(Direction::Fetch)
            .map_err(|error| SourceError::NotARepository { url: self.shown(), reason: whole_message(&error) })
    }

    fn watch<'a>(
        &'a self,
        most_ms: u64,
        hearing: Hearing<'a>,
        received: &'a (dyn Fn(u64) + Sync),
    ) -> Watch<'a> {
        Watch::new(&*self.mirror.surroundings().clock, most_ms, hearing.interrupt, received)
    }

    fn watched<'remote, 'repo, 'a>(
        &self,
        repo: &gix::Repository,
        remote: &'remote gix::Remote<'repo>,
        watch: &'a Watch<'a>,
    ) -> Result<Connection<'remote, 'static, 'repo, http::Transport<WatchedHttp<'a>>>, SourceError> {
        let unusable = |error: &dyn std::error::Error| self.unreachable_because(&whole_message(error));
        let (url, version) =
            remote.sanitized_url_and_version(Direction::Fetch).map_err(|error| unusable(&error))?;
        let configured = repo
            .transport_options(url.to_bstring().as_bstr(), None)
            .map_err(|error| unusable(&error))?
            .and_then(|options| options.downcast::<http::Options>().ok());
        let options = configured.map(|options| *options).unwrap_or_default();
        let transport = http::Transport::new_http(WatchedHttp::new(watch), url, version, false);
        let silence = Duration::from_millis(self.mirror.limits().silence_ms);
        Ok(remote
            .to_connection_with_transport(transport)
            .with_transport_options(Box::new(with_silence(options, silence))))
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
        limits: Limits,
        hearing: Hearing<'_>,
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
            .limits(limits);
        let finished = self
            .mirror
            .surroundings()
            .processes
            .run(&invocation)
            .map_err(|error| self.unreachable(&error, hearing.interrupt))?;
        match finished.ending {
            Ending::Exited(0) => Ok(finished),
            Ending::Interrupted => Err(SourceError::Interrupted),
            Ending::Exited(_) | Ending::Signalled(_) => {
                let complaint = finished.tail(COMPLAINT_LINES).replace(['\n', '\r'], " ");
                Err(self.unreachable_because(&complaint))
            }
            Ending::TimedOut => Err(self.timed_out("it was not done in time", limits.timeout_ms)),
            Ending::Silent => {
                Err(self.timed_out("nothing came", limits.silence_ms.unwrap_or(limits.timeout_ms)))
            }
            Ending::TooMuchDisk | Ending::DiskFull => {
                Err(self.unreachable_because("no space left on device: git filled the disk"))
            }
            Ending::TooMuchOutput => {
                Err(self.unreachable_because("git listed more references than are read"))
            }
        }
    }

    /// The error of a question over http.
    fn failed(&self, error: &dyn std::error::Error, watch: &Watch<'_>) -> SourceError {
        let (limits, source_name) = (self.mirror.limits(), self.shown());
        match watch.failure() {
            None => self.unreachable(error, watch.interrupt),
            Some(HttpFailure::Interrupted) => SourceError::Interrupted,
            Some(HttpFailure::Silent) => self.timed_out("nothing came", limits.silence_ms),
            Some(HttpFailure::TooLong) => self.timed_out("it was not done in time", watch.most_ms),
            Some(HttpFailure::Status(status @ (401 | 403))) => {
                SourceError::AccessDenied { source_name, reason: format!("HTTP status {status}") }
            }
            Some(HttpFailure::Status(status @ (404 | 410))) => {
                SourceError::NoRepositoryThere { source_name, status }
            }
            Some(HttpFailure::Status(status)) => {
                self.unreachable_because(&format!("it answers with HTTP status {status}"))
            }
            Some(HttpFailure::Redirected(to)) => {
                SourceError::Moved { source_name, to: without_userinfo(&to) }
            }
            Some(HttpFailure::NotGit(kind)) => SourceError::NotGit { source_name, kind },
        }
    }

    /// The error of a question to a path. What git's own program complained about is not in gix's error,
    /// so it is asked once more.
    fn path_failed(&self, error: &dyn std::error::Error, hearing: Hearing<'_>) -> SourceError {
        if hearing.interrupt.load(Ordering::Relaxed) {
            return SourceError::Interrupted;
        }
        let limits = Limits { timeout_ms: self.mirror.limits().listing_ms, ..Limits::default() };
        let path = gix::path::from_bstr(self.url.as_bstr()).map(std::borrow::Cow::into_owned);
        let invocation = Invocation::new("git", self.mirror.directory())
            .args(["upload-pack", "--advertise-refs", "--"])
            .args(path.ok())
            .inherit(INHERITED)
            .env("LC_ALL", "C")
            .limits(limits);
        let complaint = match self.mirror.surroundings().processes.run(&invocation) {
            Ok(finished) if !finished.succeeded() => finished.tail(COMPLAINT_LINES).replace('\n', " "),
            Ok(_) | Err(_) => String::new(),
        };
        if complaint.contains("dubious ownership") {
            return SourceError::OwnedByAnother { path: self.shown() };
        }
        let message = whole_message(error);
        let reason = if complaint.is_empty() { message } else { format!("{complaint} ({message})") };
        self.unreachable_because(&reason)
    }

    fn unreachable(&self, error: &dyn std::error::Error, interrupt: &AtomicBool) -> SourceError {
        if interrupt.load(Ordering::Relaxed) {
            return SourceError::Interrupted;
        }
        self.unreachable_because(&whole_message(error))
    }

    fn unreachable_because(&self, reason: &str) -> SourceError {
        // A server that names its objects otherwise is only known by what gix says of it.
        if SHA_256_COMPLAINTS.iter().any(|complaint| reason.contains(complaint)) {
            return SourceError::UnsupportedObjects { source_name: self.shown() };
        }
        // Git and gix repeat addresses in what they say, and a server's redirect can hold a secret.
        let reason = redacted(reason);
        SourceError::Unreachable { source_name: self.shown(), reason, last_poll_s: self.last_poll_s }
    }

    fn timed_out(&self, what: &'static str, limit_ms: u64) -> SourceError {
        let last_poll_s = self.last_poll_s;
        SourceError::TimedOut { source_name: self.shown(), what, limit_s: limit_ms / 1000, last_poll_s }
    }

    fn shown(&self) -> String {
        without_userinfo(&self.name)
    }
}

fn references<T: Transport>(connection: Connection<'_, '_, '_, T>) -> gix::Result<Vec<Ref>> {
    let (map, _handshake) =
        connection.ref_map(gix::progress::Discard, gix::remote::ref_map::Options::default())?;
    Ok(map.remote_refs)
}

fn receive<T: Transport>(
    connection: Connection<'_, '_, '_, T>,
    shallow: fetch::Shallow,
    hearing: Hearing<'_>,
) -> gix::Result<()> {
    connection
        .prepare_fetch(gix::progress::Discard, gix::remote::ref_map::Options::default())?
        .with_shallow(shallow)
        .receive(gix::progress::Discard, hearing.interrupt)?;
    Ok(())
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

    /// The SHA-256 of all that is listed.
    pub(super) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.default_branch.as_deref().unwrap_or_default());
        for (kind, refs) in [("\nheads ", &self.branches), ("\ntags ", &self.tags)] {
            for (name, id) in refs {
                // Git takes no line break into a name, so nothing can be read in two ways.
                hash.update(kind);
                hash.update(name);
                hash.update(" ");
                hash.update(id.as_slice());
            }
        }
        hex::encode(hash.finalize())
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
