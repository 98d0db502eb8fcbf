//! A running llama.cpp server with a tiny random model, and what it counts itself.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::super::python::{Environment, run};
use super::super::served::Served;
use super::http;
use super::packages::Program;

/// The key that it takes.
pub(super) const KEY: &str = "sk-llama-on-loopback";
/// The name that its model has.
pub(super) const MODEL: &str = "tiny";
/// The most tokens that a prompt and its answer may have together.
pub(super) const CONTEXT: usize = 12_288;
/// The script that writes the model.
const SCRIPT: &str = include_str!("model.py");

/// What servers are started with.
pub(super) struct Setup {
    pub(super) program: Program,
    folder: PathBuf,
    model: PathBuf,
}

impl Setup {
    /// The program and the model in this folder, made where they are not there yet.
    pub(super) fn at(folder: &Path) -> Result<Self> {
        let program = Program::at(&folder.join("llama.cpp"))?;
        let python = Environment::at(folder.join("gguf"), &["gguf"])?;
        let models = folder.join("models");
        std::fs::create_dir_all(&models)?;
        let model = models.join(format!("{MODEL}.gguf"));
        let file = model.to_string_lossy();
        run(&python.program("python"), folder, &["-c", SCRIPT, &file], &[])
            .context("cannot write the model")?;
        Ok(Self { program, folder: folder.to_owned(), model })
    }

    /// A server with the model. The same prompt gets the same noise.
    pub(super) fn serve(&self, more: &[&str]) -> Result<Server> {
        let (model, context) = (self.model.to_string_lossy(), CONTEXT.to_string());
        let sampling = ["--seed", "7", "--temp", "1", "--top-k", "0", "--top-p", "1", "--min-p", "0"];
        let one =
            ["--model", &model, "--alias", MODEL, "--ctx-size", &context, "--parallel", "1", "--metrics"];
        self.start("llama-server", &[&one[..], &sampling, more].concat())
    }

    /// A server that is to load whichever model of the folder it is asked for.
    pub(super) fn route(&self) -> Result<Server> {
        let models = self.model.parent().context("the model is in a folder")?.to_string_lossy();
        self.start("llama-router", &["--models-dir", &models])
    }

    fn start(&self, name: &'static str, arguments: &[&str]) -> Result<Server> {
        let command = |port: u16| {
            let mut command = self.program.command();
            command.env("HOME", &self.folder);
            command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--api-key", KEY, "--no-ui"]);
            command.args(["--offline", "--threads", "1"]).args(arguments);
            command
        };
        let is_ready = |port: u16| http::get(port, "/health", KEY).is_ok_and(|(status, _)| status == 200);
        Ok(Server { served: Served::start(name, &self.folder, command, is_ready)? })
    }
}

/// One server.
pub(super) struct Server {
    pub(super) served: Served,
}

/// What a server has counted since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// Tokens of prompts, those from its cache included.
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) output: u64,
}

impl Counted {
    pub(super) fn since(self, before: Self) -> Self {
        let Self { input, cached, output } = before;
        Self { input: self.input - input, cached: self.cached - cached, output: self.output - output }
    }
}

impl Server {
    /// Its own counters, which no protocol has to do with.
    pub(super) fn counted(&self) -> Result<Counted> {
        let (_, text) = http::get(self.served.port, "/metrics", KEY)?;
        let read = |name: &str| -> Result<u64> {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("llamacpp:")?.strip_prefix(name)?.strip_prefix(' '));
            let number = line.with_context(|| format!("the server does not count `{name}`: {text}"))?;
            number.trim().parse().with_context(|| format!("`{name}` is {number}"))
        };
        let cached = read("prompt_tokens_cached_total")?;
        Ok(Counted {
            input: read("prompt_tokens_total")? + cached,
            cached,
            output: read("tokens_predicted_total")?,
        })
    }
}
