//! The Python side: environments with packages of `PyPI`, the `LiteLLM` proxy in one, the published SDKs in another.
//!
//! They are two because the proxy wants older SDKs than the newest.

use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use upstream::process::{Invocation, Limits, ProcessRunner as _, SystemProcessRunner};

use super::origin::{ANSWERS, FAULTS};
use super::served::{Served, bare};

/// The longest that an installation, or all questions to the SDKs together, may take.
const COMMAND_MS: u64 = 1_800_000;
/// The script that asks the SDKs.
const SCRIPT: &str = include_str!("sdk.py");
/// What it may need to reach `PyPI`.
const INHERITED: [&str; 7] = [
    "HOME",
    "PIP_INDEX_URL",
    "PIP_CERT",
    "PIP_FIND_LINKS",
    "PIP_DEFAULT_TIMEOUT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
];

/// A virtual environment.
pub(super) struct Environment {
    root: PathBuf,
}

impl Environment {
    /// The environment in this folder with these packages; one that is there already is used as it is.
    pub(super) fn at(root: PathBuf, packages: &[&str]) -> Result<Self> {
        let environment = Self { root };
        // Made last, so that an installation that was broken off is made again.
        let mark = environment.root.join("tidelock-installed");
        if mark.is_file() {
            return Ok(environment);
        }
        let folder = environment.root.to_string_lossy().into_owned();
        run(Path::new("python3"), Path::new("."), &["-m", "venv", "--clear", &folder], &[])?;
        let install = [&["-q", "install"], packages].concat();
        run(&environment.program("pip"), Path::new("."), &install, &[])
            .with_context(|| format!("cannot install {}", packages.join(" ")))?;
        std::fs::write(mark, packages.join("\n"))?;
        Ok(environment)
    }

    /// A program of it.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }

    /// The version of an installed package.
    pub(super) fn version(&self, package: &str) -> Result<String> {
        let code = format!("import importlib.metadata as m; print(m.version({package:?}))");
        let said = run(&self.program("python"), &self.root, &["-c", &code], &[])?;
        Ok(said.trim().to_owned())
    }

    /// What the SDKs answer to these questions, in their order.
    pub(super) fn ask(&self, questions: &[Value]) -> Result<Vec<Value>> {
        let lines: Vec<String> = questions.iter().map(ToString::to_string).collect();
        let said = run(&self.program("python"), &self.root, &["-c", SCRIPT], lines.join("\n").as_bytes())?;
        let answers: Result<Vec<Value>, _> = said.lines().map(serde_json::from_str).collect();
        let answers = answers.context("the SDKs answer no JSON")?;
        ensure!(answers.len() == questions.len(), "{} answers to {}", answers.len(), questions.len());
        Ok(answers)
    }
}

/// Runs a program to its end, and gives what it printed.
pub(super) fn run(program: &Path, folder: &Path, arguments: &[&str], stdin: &[u8]) -> Result<String> {
    let limits = Limits { timeout_ms: COMMAND_MS, ..Limits::default() };
    let invocation = Invocation::new(program, folder)
        .args(arguments.iter().copied())
        .inherit(&INHERITED)
        .env("NO_PROXY", "127.0.0.1")
        .stdin(stdin)
        .limits(limits);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    ensure!(
        finished.succeeded(),
        "`{}` failed ({:?}): {}",
        program.display(),
        finished.ending,
        finished.tail(10)
    );
    Ok(String::from_utf8_lossy(&finished.stdout).into_owned())
}

/// Starts the `LiteLLM` proxy before a provider at this port.
pub(super) fn proxy(environment: &Environment, folder: &Path, origin: u16, key: &str) -> Result<Served> {
    let settings = folder.join("config.yaml");
    // JSON is YAML.
    std::fs::write(&settings, configuration(origin, key).to_string())?;
    let command = |port: u16| {
        let mut command = bare(&environment.program("litellm"));
        command.env("HOME", folder).env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
        command.env("NO_PROXY", "127.0.0.1").env("LITELLM_MODE", "PRODUCTION");
        command.arg("--config").arg(&settings).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command
    };
    Served::start("litellm", folder, command, |port| TcpStream::connect(("127.0.0.1", port)).is_ok())
}

/// The models that the proxy itself answers for, with what it says.
pub(super) const MOCKS: [(&str, &str); 5] = [
    ("mock", "an answer\nof the proxy's own é\u{1F600}"),
    ("mock-limited", "litellm.RateLimitError"),
    ("mock-broken", "litellm.InternalServerError"),
    ("mock-long", "litellm.ContextWindowExceededError"),
    ("mock-midway", "Exception: mock_streaming_error"),
];

/// The providers that the proxy speaks to by other interfaces than those it is asked by.
pub(super) const ROUTES: [&str; 3] = ["anthropic", "openai", "hosted_vllm"];

fn configuration(origin: u16, key: &str) -> Value {
    let mut models = Vec::new();
    for (name, says) in MOCKS {
        let setup = json!({ "model": "openai/mock", "api_key": key, "mock_response": says });
        models.push(json!({ "model_name": name, "litellm_params": setup }));
    }
    for route in ROUTES {
        let path = if route == "anthropic" { "" } else { "/v1" };
        let base = format!("http://127.0.0.1:{origin}{path}");
        let names = ANSWERS.iter().map(|(name, _)| *name).chain(FAULTS.iter().map(|(name, ..)| *name));
        for name in names {
            let setup = json!({ "model": format!("{route}/{name}"), "api_key": key, "api_base": base });
            models.push(json!({ "model_name": format!("{route}-{name}"), "litellm_params": setup }));
        }
    }
    json!({
        "model_list": models,
        "general_settings": { "master_key": key },
        "litellm_settings": { "drop_params": true, "telemetry": false, "num_retries": 0 },
        // What fails is to be told, not asked again or rested from.
        "router_settings": { "num_retries": 0, "disable_cooldowns": true },
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// An environment in which these programs are shell scripts.
    fn environment(folder: &Path, programs: &[(&str, &str)]) -> Environment {
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        for (name, script) in programs {
            let program = folder.join("bin").join(name);
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::fs::write(folder.join("tidelock-installed"), "").unwrap();
        Environment::at(folder.to_owned(), &["nothing-that-is-at-pypi"]).unwrap()
    }

    #[test]
    fn sdks_that_say_nothing_useful_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |script: &str| {
            let environment = environment(folder.path(), &[("python", script)]);
            format!("{:#}", environment.ask(&[json!({ "do": "check" })]).unwrap_err())
        };
        assert!(refused("cat > /dev/null; echo gone >&2; exit 3").contains("gone"));
        assert!(refused("cat > /dev/null; echo hello").contains("no JSON"));
        assert!(refused("cat > /dev/null; echo '{}'; echo '{}'").contains("2 answers to 1"));
        let sound = environment(folder.path(), &[("python", "cat > /dev/null; echo '{\"faults\": []}'")]);
        assert_eq!(sound.ask(&[json!({ "do": "check" })]).unwrap(), [json!({ "faults": [] })]);
    }

    #[test]
    fn a_proxy_that_does_not_start_is_told_with_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path(), &[("litellm", "echo out of luck; exit 1")]);
        let refused = proxy(&environment, folder.path(), 1, "sk-test").err().unwrap();
        let said = format!("{refused:#}");
        assert!(said.contains("ended") && said.contains("out of luck"), "{said}");
    }

    #[test]
    fn each_model_of_the_proxy_leads_to_the_provider_behind_it() {
        let settings = configuration(4711, "sk-test");
        let models = settings["model_list"].as_array().unwrap();
        assert_eq!(models.len(), MOCKS.len() + ROUTES.len() * (ANSWERS.len() + FAULTS.len()));
        for model in models {
            let setup = &model["litellm_params"];
            let is_behind = setup["api_base"].as_str().is_some_and(|base| base.contains("127.0.0.1:4711"));
            assert!(is_behind || setup["mock_response"].is_string(), "{model}");
        }
    }
}
