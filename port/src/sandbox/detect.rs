//! Finds the strongest confinement that works on this machine, once.

use std::path::{Path, PathBuf};

use upstream::process::{Ending, Invocation, Limits, ProcessRunner};

use super::bubblewrap::{Bubblewrap, BubblewrapParts};
use super::landlocked::{Landlocked, LandlockedParts, Namespaces};
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
    /// The kernel's Landlock in namespaces, which util-linux' `unshare` command makes.
    Landlock,
    /// The kernel's Landlock without namespaces: other processes stay visible, and so do sockets.
    LandlockAlone,
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
    /// The most that a process and what it starts may write to the disk, in bytes.
    pub disk_bytes_max: u64,
}

/// What a process may write to the disk where nobody says otherwise.
pub const DISK_BYTES_MAX: u64 = 16 << 30;

impl Default for SandboxPolicy {
    fn default() -> Self {
        Self {
            require: true,
            mechanisms: vec![Mechanism::Bubblewrap, Mechanism::Landlock, Mechanism::LandlockAlone],
            limits: ResourceLimits::default(),
            disk_bytes_max: DISK_BYTES_MAX,
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
        for &mechanism in &policy.mechanisms {
            let found = match mechanism {
                Mechanism::Bubblewrap => bubblewrap(policy, binary, runner),
                Mechanism::Landlock => landlock(policy, binary, Namespaces::All, runner).or_else(|first| {
                    landlock(policy, binary, Namespaces::AllButUsers, runner)
                        .map_err(|second| format!("{first}, and without users: {second}"))
                }),
                Mechanism::LandlockAlone => landlock(policy, binary, Namespaces::None, runner),
            };
            match found {
                Ok(confinement) => return Ok(confinement),
                Err(reason) => reasons.push(format!("{mechanism:?}: {reason}")),
            }
        }
        if policy.require {
            return Err(SandboxError::Unavailable { reasons: reasons.join("; ") });
        }
        Ok(Box::new(Unconfined))
    }
}

type Found = Result<Box<dyn Confinement>, String>;

fn bubblewrap(policy: &SandboxPolicy, binary: &Path, runner: &dyn ProcessRunner) -> Found {
    let bubblewrap = installed("bwrap")?;
    let parts = |sized| BubblewrapParts {
        program: bubblewrap.clone(),
        binary: binary.to_owned(),
        limits: policy.limits,
        disk_bytes_max: policy.disk_bytes_max,
        sized,
    };
    // Before 0.7 it could not bound its temporary folders.
    probe(Bubblewrap::new(parts(true)), runner).or_else(|_old| probe(Bubblewrap::new(parts(false)), runner))
}

fn landlock(
    policy: &SandboxPolicy,
    binary: &Path,
    namespaces: Namespaces,
    runner: &dyn ProcessRunner,
) -> Found {
    let version = LandlockVersion::best().ok_or("the kernel lacks it, or its ABI is below 3")?;
    if namespaces == Namespaces::None && !version.denies_tcp() {
        return Err("its ABI is below 4, so that alone it leaves the network open".to_owned());
    }
    let parts = LandlockedParts {
        binary: binary.to_owned(),
        unshare: if namespaces == Namespaces::None { None } else { Some(installed("unshare")?) },
        version,
        namespaces,
        limits: policy.limits,
        disk_bytes_max: policy.disk_bytes_max,
    };
    probe(Landlocked::new(parts).map_err(|error| error.to_string())?, runner)
}

/// The full path of a program. The `PATH` of an invocation must not choose what confines it: it may lead
/// into a checkout.
fn installed(program: &str) -> Result<PathBuf, String> {
    let path = upstream::process::inherited("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| format!("`{program}` is not installed"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use upstream::process::{Finished, ProcessError};

    /// A machine on which whatever starts with one of these programs fails.
    #[derive(Debug)]
    struct Machine {
        broken: &'static [&'static str],
    }

    impl ProcessRunner for Machine {
        fn run(&self, invocation: &Invocation) -> Result<Finished, ProcessError> {
            // Our own binary leads to what makes the sandbox.
            let words = [&invocation.program].into_iter().chain(&invocation.arguments);
            let mut names = words.filter_map(|word| Path::new(word).file_name());
            let broken = names.any(|name| self.broken.iter().any(|broken| name == *broken));
            let ending = Ending::Exited(i32::from(broken));
            let stderr = if broken { b"Operation not permitted".to_vec() } else { Vec::new() };
            Ok(Finished { ending, stdout: Vec::new(), stderr, duration_ms: 1 })
        }
    }

    fn detect(policy: &SandboxPolicy, broken: &'static [&'static str]) -> Result<String, String> {
        let found = Sandbox::detect(policy, Path::new("/usr/bin/tidelock"), &Machine { broken });
        found.map(|confinement| confinement.level()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_next_mechanism_is_taken_where_one_does_not_work() {
        let level = detect(&SandboxPolicy::default(), &["bwrap", "unshare"]).unwrap();
        assert!(level.starts_with("landlock ABI") && level.contains("no TCP"), "{level}");
    }

    #[test]
    fn where_nothing_works_it_is_refused_with_every_reason() {
        let error = detect(&SandboxPolicy::default(), &["bwrap", "unshare", "tidelock"]).unwrap_err();
        assert!(error.contains("LandlockAlone: Exited(1): Operation not permitted"), "{error}");
        assert!(error.contains("Bubblewrap: "), "{error}");
    }

    #[test]
    fn only_what_the_policy_names_is_tried() {
        let policy = SandboxPolicy { mechanisms: Vec::new(), ..SandboxPolicy::default() };
        assert!(detect(&policy, &[]).is_err());
        let unconfined = SandboxPolicy { require: false, ..policy };
        assert_eq!(detect(&unconfined, &[]).unwrap(), "none");
    }
}
