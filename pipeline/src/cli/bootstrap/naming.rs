//! The name of the port's package, and what Python and its tools are here.

use std::collections::BTreeSet;

use anyhow::{Context as _, anyhow};
use port::language::Language as _;
use port::language::Python;
use port::language::python::Interpreter;
use serde::Deserialize;
use upstream::process::{Invocation, ProcessRunner};

use super::super::CliError;

/// What stands behind a crate's name that Python has itself.
const SUFFIX: &str = "_port";

const FACTS: &str = "
import importlib.util, json, sys
print(json.dumps({
    'taken': sorted(sys.stdlib_module_names),
    'pytest': importlib.util.find_spec('pytest') is not None,
}))
";

/// What an interpreter has.
#[derive(Debug, Deserialize)]
pub(super) struct Facts {
    /// The names of its own modules.
    taken: BTreeSet<String>,
    /// Whether it can run pytest.
    pub(super) pytest: bool,
}

/// Asks the interpreter.
pub(super) fn facts(runner: &dyn ProcessRunner, interpreter: &Interpreter) -> Result<Facts, CliError> {
    let invocation = Invocation::new(interpreter.program().clone(), "/").args(["-c", FACTS]);
    let finished = runner.run(&invocation).context("the Python interpreter cannot be asked")?;
    let facts = serde_json::from_slice(&finished.stdout);
    Ok(facts.with_context(|| format!("the Python interpreter does not answer: {}", finished.tail(3)))?)
}

/// The package's name: the one that was asked for, or the crate's.
pub(super) fn package(
    asked: Option<&str>,
    library: &str,
    facts: &Facts,
    language: &Python,
) -> Result<String, CliError> {
    if let Some(name) = asked {
        if !name.split('.').all(|part| language.is_name(part)) {
            let error = anyhow!("`{name}` is not the name of a Python package");
            return Err(
                CliError::usage(error).hint("letters, digits and `_`, no digit first, and no keyword")
            );
        }
        if facts.taken.contains(name) {
            let error = anyhow!("Python has a module `{name}` itself, which the port would hide");
            return Err(
                CliError::usage(error).hint(format!("another name, such as `--package {name}{SUFFIX}`"))
            );
        }
        return Ok(name.to_owned());
    }
    let is_free = |name: &str| language.is_name(name) && !facts.taken.contains(name) && name != "tests";
    if is_free(library) { Ok(library.to_owned()) } else { Ok(format!("{library}{SUFFIX}")) }
}

#[cfg(test)]
mod tests {
    use upstream::process::SystemProcessRunner;

    use super::*;

    #[test]
    fn the_package_never_hides_a_module_of_python() {
        let runner = SystemProcessRunner::default();
        let interpreter = Interpreter::locate(&runner, None).unwrap();
        let facts = facts(&runner, &interpreter).unwrap();
        let language = Python::new("", interpreter);
        let name = |asked, library| package(asked, library, &facts, &language);
        assert_eq!(name(None, "strsim").unwrap(), "strsim");
        assert_eq!(name(None, "textwrap").unwrap(), "textwrap_port");
        assert_eq!(name(None, "lambda").unwrap(), "lambda_port");
        assert_eq!(name(Some("mine.own"), "strsim").unwrap(), "mine.own");
        for (wrong, says) in [("3d", "Python package"), ("a-b", "Python package"), ("json", "itself")] {
            let error = name(Some(wrong), "strsim").unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("hint"), "{wrong}: {error}");
        }
    }
}
