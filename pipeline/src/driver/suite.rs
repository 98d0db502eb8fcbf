//! The port's own tests over trees of the port, each tree once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use mappings::SymbolPath;
use port::confinement::Confinement;
use port::language::python::Interpreter;
use port::suite::{Rerun, SuiteReport, SuiteRequest, TestStatus, rerun_failed, run_suite};
use upstream::TreeId;
use upstream::process::Limits;

use super::checkouts;
use crate::progress::Progress;
use crate::provisioned::interpreter_access;
use crate::session::Session;

/// The most that the tests may write, in bytes.
const OUTPUT_BYTES_MAX: usize = 64 << 20;

/// How often a suite with failures is run again, to tell flaky tests from failing ones.
const RERUNS: u32 = 2;

/// Runs the port's tests.
#[derive(Debug)]
pub(crate) struct Suites<'a> {
    session: &'a Session,
    confinement: &'a dyn Confinement,
    known: BTreeMap<TreeId, Rc<SuiteReport>>,
}

impl<'a> Suites<'a> {
    pub(crate) fn new(session: &'a Session, confinement: &'a dyn Confinement) -> Self {
        Self { session, confinement, known: BTreeMap::new() }
    }

    /// Whether the port has tests at all.
    pub(crate) fn are_there(&self) -> bool {
        !self.session.settings.tests.is_empty()
    }

    /// What the tests say of a tree.
    pub(crate) fn of(&mut self, tree: &TreeId) -> Result<Rc<SuiteReport>> {
        if let Some(known) = self.known.get(tree) {
            return Ok(Rc::clone(known));
        }
        self.session.machine.listener.tell(Progress::Step { what: "running the port's tests".to_owned() });
        let report = Rc::new(self.with_checkout(tree, |request| {
            Ok(run_suite(request, self.confinement, &*self.session.machine.runner)?)
        })?);
        self.known.insert(tree.clone(), Rc::clone(&report));
        Ok(report)
    }

    /// What failing tests do when they are run again.
    pub(crate) fn again(&self, tree: &TreeId, first: &SuiteReport) -> Result<Vec<Rerun>> {
        self.with_checkout(tree, |request| {
            Ok(rerun_failed(request, first, RERUNS, self.confinement, &*self.session.machine.runner)?)
        })
    }

    fn with_checkout<Value>(
        &self,
        tree: &TreeId,
        run: impl FnOnce(&SuiteRequest) -> Result<Value>,
    ) -> Result<Value> {
        let checkout = self.session.port.checkout(tree, &checkouts(self.session))?;
        let python = self.session.python_for(checkout.path())?;
        run(&SuiteRequest {
            command: self.session.settings.tests.clone(),
            directory: checkout.path().to_owned(),
            environment: self.environment(&python),
            limits: Limits {
                timeout_ms: self.session.settings.tests_timeout_s.saturating_mul(1000),
                silence_ms: None,
                output_bytes_max: OUTPUT_BYTES_MAX,
            },
            access: interpreter_access(&python),
        })
    }

    /// `python3` in the command is the interpreter that everything else uses.
    fn environment(&self, python: &Interpreter) -> BTreeMap<OsString, OsString> {
        let mut environment = BTreeMap::new();
        let program = Path::new(python.program());
        let mut folders: Vec<PathBuf> = program.parent().map(Path::to_owned).into_iter().collect();
        if let Some(path) = upstream::process::inherited("PATH") {
            folders.extend(std::env::split_paths(&path));
        }
        if let Ok(path) = std::env::join_paths(folders) {
            environment.insert("PATH".into(), path);
        }
        let root = &self.session.settings.source_root;
        if !root.is_empty() {
            environment.insert("PYTHONPATH".into(), root.into());
        }
        let parity = &self.session.settings.parity;
        environment.extend(parity.iter().map(|(name, value)| (name.into(), value.into())));
        environment
    }
}

/// How the test that a symbol is ended, where it ran.
pub(super) fn status_of(report: &SuiteReport, symbol: &SymbolPath) -> Option<TestStatus> {
    report.tests.iter().find(|test| is_test(&test.name, symbol)).map(|test| test.status)
}

/// What the test that a symbol is said.
pub(super) fn message_of<'r>(report: &'r SuiteReport, symbol: &SymbolPath) -> Option<&'r str> {
    report.tests.iter().find(|test| is_test(&test.name, symbol)).map(|test| test.message.as_str())
}

/// Whether a test's name is that of a symbol. Runners leave out leading folders, or name a class apart from
/// its module, so the shorter of both must be the end of the other.
pub(super) fn is_test(name: &str, symbol: &SymbolPath) -> bool {
    let (name, symbol) = (name.replace("::", ".").replace('/', "."), symbol.as_str());
    let name = name.split('[').next().unwrap_or_default();
    let ends = |long: &str, short: &str| long == short || long.ends_with(&format!(".{short}"));
    ends(name, symbol) || ends(symbol, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_their_symbols_whatever_the_runner_calls_them() {
        let symbol = SymbolPath::new("tests.test_x.XTest.test_a").unwrap();
        assert!(is_test("tests.test_x.XTest.test_a", &symbol));
        assert!(is_test("test_x.XTest.test_a", &symbol));
        assert!(is_test("test_x.XTest::test_a[1-2]", &symbol));
        assert!(!is_test("tests.test_x.XTest.test_ab", &symbol));
        assert!(!is_test("tests.test_x.YTest.test_a", &symbol));
    }
}
