//! Finds the strongest confinement that works on this machine, once.

use std::path::Path;

use upstream::process::{Ending, Invocation, Limits, ProcessRunner};

use super::bubblewrap::Bubblewrap;
use super::landlocked::{Landlocked, Namespaces};
use super::limits::ResourceLimits;
use super::rights::LandlockVersion;
use crate::confinement::{Access, Confinement, ConfinementError};

/// The longest that a probe may run.
const PROBE_TIMEOUT_MS: u64 = 10_000;

/// A means of confinement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The `bwrap` command.
    Bubblewrap,
    /// The kernel's Landlock, with namespaces where they can be had.
    Landlock,
}

/// What the operator demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxPolicy {
    /// Whether to refuse where there is no confinement; else foreign code then runs as we do.
    pub require: bool,
    /// What to try, in this order.
    pub mechanisms: Vec<Mechanism>,
    /// The bounds of each process.
    pub limits: ResourceLimits,
}

impl Default for SandboxPolicy {
    fn default() -> Self {
        Self {
            require: true,
            mechanisms: vec![Mechanism::Bubblewrap, Mechanism::Landlock],
            limits: ResourceLimits::default(),
        }
    }
}

/// Foreign code cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Nothing that was tried confines here.
    #[error(
        "no sandbox works on this machine ({reasons}): install one with `apt-get install bubblewrap`, or \
         accept that upstream and port code runs unconfined, with `require = false` under `[sandbox]`"
    )]
    Unavailable {
        /// Why, for each mechanism.
        reasons: String,
    },
}

/// The choice of a confinement.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Probes what the policy names, and takes the first that confines. `binary` is our own program, which
    /// leads [`super::CONFINED_SUBCOMMAND`] to [`super::confined_exec`].
    pub fn detect(
        policy: &SandboxPolicy,
        binary: &Path,
        runner: &dyn ProcessRunner,
    ) -> Result<Box<dyn Confinement>, SandboxError> {
        let mut reasons = Vec::new();
        for mechanism in &policy.mechanisms {
            let found = match mechanism {
                Mechanism::Bubblewrap => {
                    probe(Bubblewrap::new(binary, policy.limits), runner).map_err(|why| format!("bwrap: {why}"))
                }
                Mechanism::Landlock => landlock(policy, binary, runner),
            };
            match found {
                Ok(confinement) => return Ok(confinement),
                Err(reason) => reasons.push(reason),
            }
        }
        if policy.require {
            return Err(SandboxError::Unavailable { reasons: reasons.join("; ") });
        }
        Ok(Box::new(Unconfined))
    }
}

fn landlock(
    policy: &SandboxPolicy,
    binary: &Path,
    runner: &dyn ProcessRunner,
) -> Result<Box<dyn Confinement>, String> {
    let version = LandlockVersion::best().ok_or("landlock: the kernel lacks it, or its ABI is below 3")?;
    let mut reasons = Vec::new();
    for namespaces in Namespaces::ALL {
        if namespaces == Namespaces::None && !version.denies_tcp() {
            reasons.push("its ABI is below 4, so that it alone leaves the network open".to_owned());
            continue;
        }
        let landlocked = Landlocked::new(binary, version, namespaces, policy.limits);
        match landlocked.map_err(|error| error.to_string()).and_then(|tried| probe(tried, runner)) {
            Ok(confinement) => return Ok(confinement),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(format!("landlock: {}", reasons.join(", ")))
}

/// Runs a program that does nothing, confined.
fn probe(
    confinement: impl Confinement + 'static,
    runner: &dyn ProcessRunner,
) -> Result<Box<dyn Confinement>, String> {
    let limits = Limits { timeout_ms: PROBE_TIMEOUT_MS, ..Limits::default() };
    let nothing = Invocation::new("true", "/").limits(limits);
    let confined = confinement.confine(nothing, &Access::default()).map_err(|error| error.to_string())?;
    let finished = runner.run(&confined).map_err(|error| error.to_string())?;
    if finished.ending == Ending::Exited(0) {
        return Ok(Box::new(confinement));
    }
    Err(format!("{:?}: {}", finished.ending, finished.tail(1)))
}

/// No confinement at all, for operators who accept that.
#[derive(Debug, Clone, Copy)]
pub struct Unconfined;

impl Confinement for Unconfined {
    fn confine(&self, invocation: Invocation, _access: &Access) -> Result<Invocation, ConfinementError> {
        Ok(invocation)
    }

    fn level(&self) -> String {
        "none".to_owned()
    }
}
