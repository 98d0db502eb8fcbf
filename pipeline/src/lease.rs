//! One process at a time works on a port: a lock on a file of the state, gone with the process.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// The lease could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another process has it.
    #[error("another `tidelock` is at work on this port (it holds `{path}`): wait for it, or stop it")]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made or locked.
    #[error("cannot lock `{path}` ({source}): the state folder must be writable for this user")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The right to work on a port, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lease {
    _locked: File,
}

impl Lease {
    /// Takes the lease of the port whose state is in this folder.
    pub fn take(state: &Path) -> Result<Self, LeaseError> {
        let path = state.join("lease");
        let io = |source| LeaseError::Io { path: path.clone(), source };
        let file = File::options().create(true).append(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _locked: file }),
            Err(TryLockError::WouldBlock) => Err(LeaseError::Taken { path }),
            Err(TryLockError::Error(source)) => Err(LeaseError::Io { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lease_is_had_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lease::take(folder.path()).unwrap();
        assert!(matches!(Lease::take(folder.path()), Err(LeaseError::Taken { .. })));
        drop(first);
        assert!(Lease::take(folder.path()).is_ok());
    }
}
