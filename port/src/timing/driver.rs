//! A process that times calls of a Python port, for [`super::measure()`].

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use upstream::process::Invocation;

/// What the process runs.
const DRIVER: &str = include_str!("driver.py");

/// How deep lists of an argument may be nested.
const DEPTH_MAX: usize = 16;

/// A call to time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedCall {
    /// The name in the result.
    pub name: String,
    /// The module that holds the function.
    pub module: String,
    /// The function, or `Class.method` of a static one.
    pub function: String,
    /// Its arguments: texts, numbers, truth values and lists of these.
    pub args: Vec<Value>,
}

/// Calls that cannot be timed.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// An argument is of another type.
    #[error("the timing `{name}` has an argument that is no text, number or list of these: {argument}")]
    Argument {
        /// Which call.
        name: String,
        /// The argument.
        argument: Value,
    },
    /// Two calls would be told apart by nothing.
    #[error("two timings are named `{name}`")]
    TwiceNamed {
        /// That name.
        name: String,
    },
}

/// The process that times these calls in the port at `root`, not confined yet.
pub fn driver_invocation(python: &Path, root: &Path, calls: &[TimedCall]) -> Result<Invocation, DriverError> {
    for (index, call) in calls.iter().enumerate() {
        if calls.iter().take(index).any(|earlier| earlier.name == call.name) {
            return Err(DriverError::TwiceNamed { name: call.name.clone() });
        }
        if let Some(argument) = call.args.iter().find(|argument| !is_plain(argument, DEPTH_MAX)) {
            return Err(DriverError::Argument { name: call.name.clone(), argument: argument.clone() });
        }
    }
    let request = serde_json::json!({ "root": root, "calls": calls });
    Ok(Invocation::new(python, root)
        .args(["-s", "-B", "-c", DRIVER])
        // One order of sets and dictionaries for both sides.
        .env("PYTHONHASHSEED", "0")
        .stdin(request.to_string()))
}

fn is_plain(value: &Value, depth_left: usize) -> bool {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Array(elements) => {
            depth_left > 0 && elements.iter().all(|value| is_plain(value, depth_left - 1))
        }
        Value::Null | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;
    use upstream::process::{ProcessRunner, SystemProcessRunner};

    fn call(name: &str, function: &str, args: Value) -> TimedCall {
        let Value::Array(args) = args else { panic!("arguments are a list") };
        TimedCall { name: name.to_owned(), module: "pkg.mod".to_owned(), function: function.to_owned(), args }
    }

    #[test]
    fn a_real_port_is_timed_whatever_it_prints_or_changes() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("pkg")).unwrap();
        let text = "import time\nprint('{\"forged\": 1}')\n\
                    def slow(seconds):\n    time.sleep(seconds)\n\
                    class Class:\n    @staticmethod\n    def take(items):\n        \
                    print('noise')\n        assert items.pop() == 'é'\n";
        std::fs::write(root.path().join("pkg/mod.py"), text).unwrap();
        let calls = [call("slow", "slow", json!([0.03])), call("take", "Class.take", json!([["a", "é"]]))];
        let invocation =
            driver_invocation(Path::new("python3"), root.path(), &calls).unwrap().inherit(&["HOME"]);
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        assert!(finished.succeeded(), "{}", finished.tail(5));
        let times: BTreeMap<String, f64> = serde_json::from_slice(&finished.stdout).unwrap();
        assert_eq!(times.keys().collect::<Vec<_>>(), ["slow", "take"]);
        assert!(times["slow"] >= 0.03 && times["take"] < times["slow"], "{times:?}");
        assert!(!root.path().join("pkg/__pycache__").exists());
    }

    #[test]
    fn calls_that_cannot_be_timed_are_refused() {
        let refuse = |calls: &[TimedCall]| {
            driver_invocation(Path::new("python3"), Path::new("/"), calls).unwrap_err().to_string()
        };
        let message = refuse(&[call("object", "f", json!([[{ "key": 1 }]]))]);
        assert!(message.contains("`object`") && message.contains("key"), "{message}");
        let twice = call("same", "f", json!([1]));
        assert_eq!(refuse(&[twice.clone(), twice]), "two timings are named `same`");
    }
}
