//! The seam behind which foreign code is confined.
use std::path::PathBuf;
use upstream::process::Invocation;

/// What a confined process may touch beside the system's own read-only files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Files and folders it may read.
    pub read: Vec<PathBuf>,
    /// Folders it may read and write.
    pub write: Vec<PathBuf>,
}

/// No confinement could be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot confine `{program}`: {reason}")]
pub struct ConfinementError {
    /// The program that was to run.
    pub program: String,
    /// Why it may not.
    pub reason: String,
}

/// Turns an invocation into one that runs confined: no network, no home folder, no secrets.
pub trait Confinement: Send + Sync + std::fmt::Debug {
    /// The invocation to run instead.
    fn confine(&self, invocation: Invocation, access: &Access) -> Result<Invocation, ConfinementError>;
    /// What is achieved, in words, for reports.
    fn level(&self) -> String;
}
