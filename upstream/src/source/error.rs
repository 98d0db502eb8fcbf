//! Why a source could not be read, and what to do about it.

use std::path::PathBuf;

use crate::ids::RevisionLabel;
use crate::repo::RepoError;

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The path is not a git repository.
    #[error(
        "`{url}` is not a git repository: {reason}; give the folder that holds `.git`, or a bare repository"
    )]
    NotARepository {
        /// The path.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The repository has no such branch.
    #[error("`{url}` has no branch `{branch}`; it has {}", listed(branches))]
    UnknownBranch {
        /// The repository.
        url: String,
        /// The branch.
        branch: String,
        /// Those it has.
        branches: Vec<String>,
    },
    /// The repository names no default branch.
    #[error("`{url}` names no default branch (is it empty?); write `#branch=NAME`")]
    NoDefaultBranch {
        /// The repository.
        url: String,
    },
    /// No tag matches.
    #[error("no tag of `{url}` matches `{pattern}`; it has {} tags", tags)]
    NoMatchingTag {
        /// The repository.
        url: String,
        /// The pattern.
        pattern: String,
        /// How many tags it has.
        tags: usize,
    },
    /// The registry has no such crate.
    #[error("the registry has no crate `{krate}`; check the name, and the registry in Cargo's configuration")]
    UnknownCrate {
        /// The crate.
        krate: String,
    },
    /// The source has no such revision.
    #[error("`{source_name}` has no revision `{label}`; poll it first if the revision is new")]
    UnknownRevision {
        /// The source.
        source_name: String,
        /// The revision.
        label: String,
    },
    /// The source did not answer. The mirror is as usable as before.
    #[error("cannot reach `{source_name}`: {reason}; the mirror is as of {}", shown_time(*last_poll_s))]
    Unreachable {
        /// The source.
        source_name: String,
        /// Why.
        reason: String,
        /// When it was last polled, in seconds since the Unix epoch.
        last_poll_s: Option<i64>,
    },
    /// The source took too long. The mirror is as usable as before.
    #[error("`{source_name}` takes too long: {what} within {limit_s} seconds; the mirror is as of {}, try again", shown_time(*last_poll_s))]
    TimedOut {
        /// The source.
        source_name: String,
        /// What did not happen.
        what: &'static str,
        /// The bound, in seconds.
        limit_s: u64,
        /// When it was last polled, in seconds since the Unix epoch.
        last_poll_s: Option<i64>,
    },
    /// The server is there, and has no repository at this address.
    #[error(
        "there is no repository at `{source_name}` (HTTP status {status}), or it is hidden from whoever has no access; check the address, and the credential helper that git is configured with"
    )]
    NoRepositoryThere {
        /// The source.
        source_name: String,
        /// The status.
        status: u16,
    },
    /// The server answers with something that is not git.
    #[error(
        "`{source_name}` answers with `{kind}`, which is not git's protocol; give the address that `git clone` takes, not that of a web page"
    )]
    NotGit {
        /// The source.
        source_name: String,
        /// The type of the answer.
        kind: String,
    },
    /// The server sends us elsewhere.
    #[error(
        "`{source_name}` has moved to `{to}`, which is not followed; write the new address if you trust it"
    )]
    Moved {
        /// The source.
        source_name: String,
        /// The address that it names.
        to: String,
    },
    /// The repository belongs to another user, and git serves none such.
    #[error(
        "`{path}` belongs to another user, so git refuses to read it; if you trust it, run `git config --global --add safe.directory {path}`"
    )]
    OwnedByAnother {
        /// The repository.
        path: String,
    },
    /// The repository lacks an object that its history names.
    #[error(
        "`{source_name}` lacks object {object}, which its history names (is it a partial clone, or damaged?); run `git fetch --refetch --no-filter` in it, or give the repository that it was cloned from"
    )]
    MissingObject {
        /// The source.
        source_name: String,
        /// The first object that is missing.
        object: String,
    },
    /// The repository names its objects by SHA-256.
    #[error(
        "`{source_name}` names its objects by SHA-256, and only SHA-1 is supported; follow a SHA-1 copy of it, or its releases in a registry"
    )]
    UnsupportedObjects {
        /// The source.
        source_name: String,
    },
    /// The repository holds only the newest part of its history.
    #[error(
        "`{source_name}` is a shallow clone: the beginning of its history is not there; run `git fetch --unshallow` in it, or give the repository that it was cloned from"
    )]
    Shallow {
        /// The source.
        source_name: String,
    },
    /// The address holds what could be a secret.
    #[error(
        "the address `{source_name}` holds a user's name or a password; leave it out, and let git's `credential.username` and a credential helper supply it"
    )]
    CredentialsInAddress {
        /// The address, without them.
        source_name: String,
    },
    /// The source wants us to prove who we are.
    #[error(
        "`{source_name}` refuses access ({reason}); for git configure a credential helper, for a registry `cargo login`"
    )]
    AccessDenied {
        /// The source.
        source_name: String,
        /// What it said.
        reason: String,
    },
    /// A release is not what the index says it is. Nothing of it was written.
    #[error(
        "release {label} has checksum {actual}, but the index says {expected}; nothing of it was kept. Try again; if it stays so, ask the registry's operators"
    )]
    ChecksumMismatch {
        /// The release.
        label: RevisionLabel,
        /// The SHA-256 in the index.
        expected: String,
        /// The SHA-256 of what came.
        actual: String,
    },
    /// The archive of a release holds something that none may hold. Nothing of it was written.
    #[error("the archive of release {label} is refused: {reason}")]
    BadArchive {
        /// The release.
        label: RevisionLabel,
        /// What it holds.
        reason: String,
    },
    /// The index, or its configuration, cannot be understood.
    #[error("the registry's index cannot be read: {reason}")]
    BadIndex {
        /// What is wrong.
        reason: String,
    },
    /// Cargo's configuration names a registry that cannot be used.
    #[error("Cargo's configuration cannot be used: {reason}")]
    Configuration {
        /// What is wrong, and what to write.
        reason: String,
    },
    /// No TLS provider was installed in this process.
    #[error(
        "no TLS provider is installed in this process; install rustls' ring provider before the first poll"
    )]
    NoTlsProvider,
    /// No HTTP client could be made, as a rule because no certificates were found.
    #[error(
        "no HTTP client can be made: {reason}; `SSL_CERT_FILE` can name the file with this machine's certificates"
    )]
    NoHttpClient {
        /// Why.
        reason: String,
    },
    /// The folder holds something else.
    #[error("`{}` is not a mirror of `{expected}`: {reason}; give another folder", path.display())]
    NotThisMirror {
        /// The folder.
        path: PathBuf,
        /// The source.
        expected: String,
        /// What it holds.
        reason: String,
    },
    /// Somebody else polls this mirror at this moment.
    #[error("the mirror in `{}` is being polled by another process; try again when that is done", path.display())]
    Busy {
        /// The mirror.
        path: PathBuf,
    },
    /// The rewritten history that was to be accepted is not what the last poll saw.
    #[error("the last poll did not see a rewritten branch at {commit}; poll again and accept what that says")]
    NothingToAccept {
        /// The commit.
        commit: String,
    },
    /// A file of the mirror could not be read or written.
    #[error("cannot read or write `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The mirror's own objects or references could not be read or written.
    #[error("the mirror in `{}` cannot be used: {reason}; if that stays so, delete the folder and poll again", path.display())]
    BrokenMirror {
        /// The mirror.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The mirror's history could not be read.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// We were told to stop. What was complete is kept; the next poll goes on from there.
    #[error("interrupted; the next poll goes on from here")]
    Interrupted,
}

/// The most names that a message lists.
const NAMES_LISTED_MAX: usize = 10;

fn listed(names: &[String]) -> String {
    let first: Vec<String> = names.iter().take(NAMES_LISTED_MAX).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(NAMES_LISTED_MAX) {
        0 if names.is_empty() => "none".to_owned(),
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn shown_time(seconds: Option<i64>) -> String {
    match seconds.map(jiff::Timestamp::from_second) {
        Some(Ok(time)) => time.to_string(),
        Some(Err(_)) | None => "never: it was not polled yet".to_owned(),
    }
}
