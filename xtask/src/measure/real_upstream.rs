//! A real upstream given by its repository: its newest revision, and what builds it here.

use std::path::Path;

use anyhow::{Context as _, Result};
use port::confinement::Access;
use port::contract::{Toolchain, Tools};
use port::sandbox::Unconfined;
use upstream::process::ProcessRunner;
use upstream::{Clock, Revision, UpstreamRepo};

/// The names that the branch to be read may have.
const BRANCHES: &[&str] = &["main", "master", "trunk"];

/// How long one build may take, and one probe.
const BUILD_MS: u64 = 20 * 60 * 1000;
const PROBE_MS: u64 = 5000;

/// The repository, and the newest revision of its branch.
pub(super) fn newest(repository: &Path) -> Result<(UpstreamRepo, Revision)> {
    let repo = UpstreamRepo::open(repository)?;
    let revision = BRANCHES
        .iter()
        .find_map(|branch| repo.resolve(branch).ok())
        .with_context(|| format!("`{}` has no branch named {}", repository.display(), BRANCHES.join(", ")))?;
    Ok((repo, revision))
}

/// The default toolchain of this machine.
pub(super) fn toolchain() -> Toolchain {
    let names = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let inherited = |name: &str| upstream::process::inherited(name).map(|value| (name.into(), value));
    Toolchain {
        cargo: "cargo".into(),
        environment: names.iter().copied().filter_map(inherited).collect(),
        access: Access::default(),
        key: "measure".to_owned(),
    }
}

/// What runs it, unconfined: a measure is run by who trusts what it measures.
pub(super) fn tools<'a>(runner: &'a dyn ProcessRunner, clock: &'a dyn Clock) -> Tools<'a> {
    Tools { runner, confinement: &Unconfined, clock, probe_timeout_ms: PROBE_MS, build_timeout_ms: BUILD_MS }
}
