//! Mirrors of real git repositories and of a real registry on the loopback device.

mod git;
mod git_fixture;
mod git_hostile;
mod git_http;
mod git_kinds;
mod registry;
mod registry_fixture;
mod spec;

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::clock::ManualClock;
use crate::ids::RevisionLabel;
use crate::process::SystemProcessRunner;
use crate::revision::Revision;

/// When the tests' clock starts: 2026-01-01T00:00:00Z.
const NOW_S: i64 = 1_767_225_600;

fn surroundings(working_directory: &Path, cargo_home: Option<&Path>) -> Surroundings {
    Surroundings {
        clock: Arc::new(ManualClock::at(NOW_S * 1000)),
        processes: Arc::new(SystemProcessRunner::default()),
        registry: RegistryEnvironment {
            cargo_home: cargo_home.map(Path::to_owned),
            working_directory: working_directory.to_owned(),
        },
    }
}

/// The binary does this once; here the first test does.
fn install_tls_provider() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn label(text: &str) -> RevisionLabel {
    RevisionLabel::new(text).unwrap()
}

fn labels(revisions: &[Revision]) -> Vec<&str> {
    revisions.iter().map(|revision| revision.label.as_str()).collect()
}

fn summaries(revisions: &[Revision]) -> Vec<&str> {
    revisions.iter().map(|revision| revision.summary.as_str()).collect()
}

fn poll(mirror: &Mirror, since: Option<&str>) -> Result<Poll, SourceError> {
    mirror.poll(since.map(label).as_ref(), &(), &AtomicBool::new(false))
}

/// Writes down what a poll does.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl SourceProgress for Heard {
    fn fetching(&self, _source: &str) {
        self.0.lock().unwrap().push("fetching".to_owned());
    }
    fn downloading(&self, label: &RevisionLabel, nth: usize, of: usize) {
        self.0.lock().unwrap().push(format!("{label} {nth}/{of}"));
    }
}
