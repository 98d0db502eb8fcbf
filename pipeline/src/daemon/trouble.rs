//! What kept a port from being looked at or synced, by kind: for logs, metrics and notifications.

use upstream::source::SourceError;

use crate::config::{ConfigError, LoadError};
use crate::driver::{Obstacle, Stopped};
use crate::lease::LeaseError;
use crate::session::SessionError;
use crate::store::StoreError;

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TroubleKind {
    /// The upstream does not answer, or is no longer there.
    UpstreamGone,
    /// It is there and refuses us.
    UpstreamDenied,
    /// The branch, the tags or the baseline are no longer there.
    RevisionsGone,
    /// What it holds cannot be used.
    UpstreamUnusable,
    /// The port holds work in progress, or its branch is gone.
    PortInTheWay,
    /// The port cannot be used.
    PortUnusable,
    /// One of the sides cannot be built or run here.
    Blocked,
    /// The configuration is not right.
    Configuration,
    /// Another process is at work on the port.
    Busy,
    /// A disk is full.
    NoRoom,
    /// The daemon was told to stop.
    Stopped,
    /// Anything else.
    Internal,
}

impl TroubleKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::UpstreamGone,
        Self::UpstreamDenied,
        Self::RevisionsGone,
        Self::UpstreamUnusable,
        Self::PortInTheWay,
        Self::PortUnusable,
        Self::Blocked,
        Self::Configuration,
        Self::Busy,
        Self::NoRoom,
        Self::Stopped,
        Self::Internal,
    ];

    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::UpstreamGone => "upstream-gone",
            Self::UpstreamDenied => "upstream-denied",
            Self::RevisionsGone => "revisions-gone",
            Self::UpstreamUnusable => "upstream-unusable",
            Self::PortInTheWay => "port-in-the-way",
            Self::PortUnusable => "port-unusable",
            Self::Blocked => "blocked",
            Self::Configuration => "configuration",
            Self::Busy => "busy",
            Self::NoRoom => "no-room",
            Self::Stopped => "stopped",
            Self::Internal => "internal",
        }
    }

    /// Whether it counts as a failure of the port. Somebody else's sync does not, nor does a stop.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Busy | Self::Stopped)
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What kind it is.
    pub kind: TroubleKind,
    /// What it is, for people.
    pub text: String,
}

impl Trouble {
    /// What an error is, by what caused it.
    pub fn of(error: &anyhow::Error) -> Self {
        let kind = error.chain().find_map(kind_of).unwrap_or(TroubleKind::Internal);
        Self { kind, text: one_line(&format!("{error:#}")) }
    }
}

/// Log lines and messages are lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind_of(cause: &(dyn std::error::Error + 'static)) -> Option<TroubleKind> {
    if cause.is::<Stopped>() {
        return Some(TroubleKind::Stopped);
    }
    if cause.is::<ConfigError>() || cause.is::<LoadError>() {
        return Some(TroubleKind::Configuration);
    }
    if let Some(error) = cause.downcast_ref::<LeaseError>() {
        return Some(match error {
            LeaseError::Taken { .. } => TroubleKind::Busy,
            LeaseError::Io { .. } => TroubleKind::Internal,
        });
    }
    if let Some(obstacle) = cause.downcast_ref::<Obstacle>() {
        return Some(match obstacle {
            Obstacle::NoRoom { .. } => TroubleKind::NoRoom,
            Obstacle::Blocked { .. } => TroubleKind::Blocked,
            Obstacle::Uncommitted { .. }
            | Obstacle::Busy { .. }
            | Obstacle::InTheWay { .. }
            | Obstacle::NoBranch { .. } => TroubleKind::PortInTheWay,
        });
    }
    if let Some(StoreError::Full { .. }) = cause.downcast_ref::<StoreError>() {
        return Some(TroubleKind::NoRoom);
    }
    if let Some(error) = cause.downcast_ref::<SessionError>() {
        return Some(of_session(error));
    }
    cause.downcast_ref::<SourceError>().map(of_source)
}

fn of_session(error: &SessionError) -> TroubleKind {
    match error {
        SessionError::Source(source) => of_source(source),
        SessionError::UnknownRevision { .. } => TroubleKind::RevisionsGone,
        SessionError::Decision(_) => TroubleKind::Configuration,
        SessionError::Unreadable { .. } => TroubleKind::UpstreamUnusable,
        SessionError::Port(_)
        | SessionError::NoBranch
        | SessionError::NoLock { .. }
        | SessionError::Lock(_)
        | SessionError::OtherSource { .. } => TroubleKind::PortUnusable,
        SessionError::Interpreter(_) | SessionError::State { .. } => TroubleKind::Internal,
    }
}

fn of_source(error: &SourceError) -> TroubleKind {
    match error {
        SourceError::NotARepository { .. }
        | SourceError::Unreachable { .. }
        | SourceError::TimedOut { .. }
        | SourceError::NoRepositoryThere { .. }
        | SourceError::NotGit { .. }
        | SourceError::Moved { .. } => TroubleKind::UpstreamGone,
        SourceError::AccessDenied { .. }
        | SourceError::OwnedByAnother { .. }
        | SourceError::CredentialsInAddress { .. } => TroubleKind::UpstreamDenied,
        SourceError::UnknownBranch { .. }
        | SourceError::NoDefaultBranch { .. }
        | SourceError::NoMatchingTag { .. }
        | SourceError::UnknownCrate { .. }
        | SourceError::UnknownRevision { .. } => TroubleKind::RevisionsGone,
        SourceError::MissingObject { .. }
        | SourceError::UnsupportedObjects { .. }
        | SourceError::Shallow { .. }
        | SourceError::ChecksumMismatch { .. }
        | SourceError::BadArchive { .. }
        | SourceError::BadIndex { .. } => TroubleKind::UpstreamUnusable,
        SourceError::Configuration { .. } => TroubleKind::Configuration,
        SourceError::Busy { .. } => TroubleKind::Busy,
        SourceError::Interrupted => TroubleKind::Stopped,
        SourceError::NoTlsProvider
        | SourceError::NoHttpClient { .. }
        | SourceError::NotThisMirror { .. }
        | SourceError::NothingToAccept { .. }
        | SourceError::Io { .. }
        | SourceError::BrokenMirror { .. }
        | SourceError::Repo(_) => TroubleKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn an_error_is_told_by_what_caused_it_however_deep() {
        let unreachable = SourceError::Unreachable {
            source_name: "x".to_owned(),
            reason: "y\nz".to_owned(),
            last_poll_s: None,
        };
        let error = Err::<(), _>(SessionError::Source(unreachable)).context("asking").unwrap_err();
        let trouble = Trouble::of(&error);
        assert_eq!(trouble.kind, TroubleKind::UpstreamGone);
        assert!(trouble.text.starts_with("asking: cannot reach `x`: y z;"), "{}", trouble.text);
        let check = |error: anyhow::Error, kind| assert_eq!(Trouble::of(&error).kind, kind);
        check(LeaseError::Taken { path: "lease".into() }.into(), TroubleKind::Busy);
        check(Obstacle::NoRoom { said: String::new() }.into(), TroubleKind::NoRoom);
        check(Obstacle::Uncommitted { files: Vec::new() }.into(), TroubleKind::PortInTheWay);
        check(Obstacle::blocked("x", "no network", "").into(), TroubleKind::Blocked);
        check(Obstacle::blocked("x", "No space left on device", "").into(), TroubleKind::NoRoom);
        check(SessionError::NoBranch.into(), TroubleKind::PortUnusable);
        check(anyhow!("anything"), TroubleKind::Internal);
    }

    #[test]
    fn every_kind_has_a_code_of_its_own() {
        let codes: std::collections::BTreeSet<_> = TroubleKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), TroubleKind::ALL.len());
    }
}
