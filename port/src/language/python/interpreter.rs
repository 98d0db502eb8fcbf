//! The Python interpreter that judges syntax. It is given text to compile and never runs it.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use upstream::process::{Ending, Finished, Invocation, Limits, ProcessError, ProcessRunner};

use crate::language::SyntaxFault;

/// The oldest Python that a port may run on.
pub const VERSION_MIN: PythonVersion = PythonVersion { major: 3, minor: 10, patch: 0 };

const LIMITS: Limits = Limits { timeout_ms: 30_000, silence_ms: None, output_bytes_max: 64 << 10 };

/// Signals by which a compiler that ran out of stack or gave up ends.
const CRASHES: [i32; 4] = [4, 6, 7, 11];

/// Asks for the version, for the program itself behind shims and links, and for the folders it lives in.
const FACTS_SCRIPT: &str = "
import json, os, sys
folders = {sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))}
# Of a virtual environment the interpreter knows nothing before `site` is loaded.
environment = os.path.dirname(os.path.dirname(sys.executable))
if os.path.exists(os.path.join(environment, 'pyvenv.cfg')):
    folders.add(environment)
print(json.dumps({
    'version': '%d.%d.%d' % sys.version_info[:3],
    'program': sys.executable,
    'folders': sorted(folders),
}))
";

const SYNTAX_SCRIPT: &str = "
import json, sys, warnings
warnings.simplefilter('ignore')
fault = None
try:
    compile(sys.stdin.buffer.read(), '<port>', 'exec', dont_inherit=True)
except SyntaxError as error:
    fault = {'line': error.lineno or 1, 'message': error.msg or 'invalid syntax'}
except (ValueError, OverflowError, RecursionError, MemoryError) as error:
    fault = {'line': 1, 'message': '%s: %s' % (type(error).__name__, error)}
print(json.dumps(fault))
";

/// A version of Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonVersion {
    /// As in 3.
    pub major: u32,
    /// As in 10.
    pub minor: u32,
    /// As in 0.
    pub patch: u32,
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for PythonVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Option<Vec<u32>> = text.trim().split('.').map(|part| part.parse().ok()).collect();
        match parts.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self { major, minor, patch }),
            Some(_) | None => Err(text.to_owned()),
        }
    }
}

/// Why no interpreter could be used.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    /// No program of these names is there.
    #[error("no Python interpreter found (tried {}): install Python {VERSION_MIN} or newer, or name it", tried.join(", "))]
    NotFound {
        /// What was tried.
        tried: Vec<String>,
    },
    /// The interpreter is too old.
    #[error("`{program}` is Python {found}, and {VERSION_MIN} or newer is needed")]
    TooOld {
        /// The program.
        program: String,
        /// Its version.
        found: PythonVersion,
    },
    /// It was started and did not answer as a Python interpreter does.
    #[error("`{program}` did not answer as a Python interpreter does ({ending:?}): {said}")]
    Unusable {
        /// The program.
        program: String,
        /// How it ended.
        ending: Ending,
        /// The end of what it wrote.
        said: String,
    },
    /// It could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// A Python interpreter of a sufficient version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    program: OsString,
    version: PythonVersion,
    folders: Vec<PathBuf>,
}

/// An interpreter that is looked for when it is first needed.
///
/// Who only looks at a port needs none, and where shims stand in front of one, it takes a while to answer.
#[derive(Debug, Clone)]
pub struct Sought {
    named: Option<String>,
    found: Arc<OnceLock<Interpreter>>,
}

impl Sought {
    /// The named one, or else the first of the usual names that is there.
    pub fn new(named: Option<&str>) -> Self {
        Self { named: named.map(str::to_owned), found: Arc::default() }
    }

    /// The interpreter, looked for now or found earlier.
    pub fn get(&self, runner: &dyn ProcessRunner) -> Result<&Interpreter, InterpreterError> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let found = Interpreter::locate(runner, self.named.as_deref())?;
        Ok(self.found.get_or_init(|| found))
    }
}

impl From<Interpreter> for Sought {
    fn from(found: Interpreter) -> Self {
        Self { named: None, found: Arc::new(OnceLock::from(found)) }
    }
}

impl Interpreter {
    /// Finds an interpreter: the named one, or else the first of the usual names that is there.
    pub fn locate(runner: &dyn ProcessRunner, named: Option<&str>) -> Result<Self, InterpreterError> {
        let names = named.map_or_else(|| vec!["python3", "python"], |name| vec![name]);
        for name in &names {
            match runner.run(&invocation(&OsString::from(name), FACTS_SCRIPT)) {
                Ok(finished) => return Self::from_answer(name, &finished),
                Err(ProcessError::Spawn { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(InterpreterError::NotFound { tried: names.into_iter().map(str::to_owned).collect() })
    }

    fn from_answer(name: &str, finished: &Finished) -> Result<Self, InterpreterError> {
        #[derive(Deserialize)]
        struct Facts {
            version: String,
            program: String,
            folders: Vec<PathBuf>,
        }
        let facts: Result<Facts, _> = serde_json::from_slice(&finished.stdout);
        let Ok(facts) = facts else { return Err(unusable(name, finished)) };
        match facts.version.parse::<PythonVersion>() {
            Ok(version) if finished.succeeded() && version >= VERSION_MIN => {
                // Some embedded interpreters do not know their own place.
                let program = if facts.program.is_empty() { name.into() } else { facts.program.into() };
                Ok(Self { program, version, folders: facts.folders })
            }
            Ok(found) if finished.succeeded() => {
                Err(InterpreterError::TooOld { program: name.to_owned(), found })
            }
            Ok(_) | Err(_) => Err(unusable(name, finished)),
        }
    }

    /// The interpreter of a virtual environment in a folder that was made with this one.
    #[must_use]
    pub fn in_environment(&self, folder: &Path) -> Self {
        let mut folders = self.folders.clone();
        folders.push(folder.to_owned());
        Self { program: folder.join("bin").join("python").into(), version: self.version, folders }
    }

    /// The folders that it and its standard library live in, and those of its virtual environment.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The program itself, behind shims and links on the search path.
    pub fn program(&self) -> &OsString {
        &self.program
    }

    /// Its version.
    pub fn version(&self) -> PythonVersion {
        self.version
    }

    /// What is wrong with a text as a source file, if anything is. A text that the compiler crashes on is
    /// at fault itself.
    pub fn check_syntax(
        &self,
        runner: &dyn ProcessRunner,
        text: &str,
    ) -> Result<Option<SyntaxFault>, InterpreterError> {
        #[derive(Deserialize)]
        struct Answer {
            line: usize,
            message: String,
        }
        let finished = runner.run(&invocation(&self.program, SYNTAX_SCRIPT).stdin(text))?;
        if let Ending::Signalled(signal) = finished.ending
            && CRASHES.contains(&signal)
        {
            let message = format!("the compiler crashed on it (signal {signal})");
            return Ok(Some(SyntaxFault { line: 1, message }));
        }
        let answer: Result<Option<Answer>, _> = serde_json::from_slice(&finished.stdout);
        match answer {
            Ok(answer) if finished.succeeded() => {
                Ok(answer.map(|Answer { line, message }| SyntaxFault { line, message }))
            }
            Ok(_) | Err(_) => Err(unusable(&self.program.to_string_lossy(), &finished)),
        }
    }
}

fn invocation(program: &OsString, script: &str) -> Invocation {
    Invocation::new(program.clone(), "/").args(["-I", "-S", "-c", script]).limits(LIMITS)
}

fn unusable(program: &str, finished: &Finished) -> InterpreterError {
    InterpreterError::Unusable {
        program: program.to_owned(),
        ending: finished.ending,
        said: finished.tail(3),
    }
}
