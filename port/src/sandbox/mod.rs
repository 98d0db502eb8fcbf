//! The confinements there are, strongest first, and the choice between them.
//!
//! [`Sandbox::detect`] probes once what this machine allows: bubblewrap, else Landlock with what
//! namespaces can be had, else a refusal. [`confined_exec`] is the inner half, which the binary's hidden
//! subcommand runs: it gives up every right for good and becomes the foreign program.
//!
//! Nothing here may quietly grant less confinement than [`crate::confinement::Confinement::level`] says.

mod access;
mod bubblewrap;
mod command;
mod confined;
mod detect;
mod landlocked;
mod limits;
mod process_group;
mod rights;

pub use command::CONFINED_SUBCOMMAND;
pub use confined::{CONFINED_FAILED_EXIT, ConfinedError, confined_exec};
pub use detect::{DISK_BYTES_MAX, Mechanism, Sandbox, SandboxError, SandboxPolicy, Unconfined};
pub use limits::{InvalidLimits, ResourceLimits};
