//! Any command that reads a prompt on standard input and writes an answer on standard output: a coding
//! agent's headless mode, a script, a local model's own client.
//!
//! The command gets `PATH` and the variables that the configuration names, and nothing else of our
//! environment. What it writes is as untrusted as any model's answer.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use upstream::process::{Ending, Finished, Invocation, Limits, ProcessRunner};

use super::Usage;
use super::model::{Completion, Finish, Model, ModelError};
use super::price::estimate_tokens;
use super::prompt::Prompt;

/// How many lines of a failed command's output go into the error.
const TAIL_LINES: usize = 5;

/// How many characters of them.
const TAIL_CHARS_MAX: usize = 2000;

/// Values shorter than this are not looked for in output: they would blank out ordinary text.
const SECRET_LENGTH_MIN: usize = 6;

/// What to run.
#[derive(Debug, Clone)]
pub struct CommandSetup {
    /// The name in reports and in the configuration.
    pub name: String,
    /// The program, by name or path.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The folder it runs in.
    pub directory: PathBuf,
    /// Our own binary, which ends the program when we end, however we do; where there is none, it goes on.
    pub leash: Option<Leash>,
    /// The variables of our own environment that it gets besides `PATH`, such as the one with its key.
    pub pass_environment: Vec<String>,
    /// Its bounds.
    pub limits: Limits,
}

/// How to start a program that is to end with us.
#[derive(Debug, Clone)]
pub struct Leash {
    /// Our own binary.
    pub binary: PathBuf,
    /// The words that lead it to [`upstream::process::leashed`], before the program and its arguments.
    pub words: Vec<OsString>,
}

/// A command as a model.
#[derive(Debug)]
pub struct CommandModel {
    setup: CommandSetup,
    runner: Arc<dyn ProcessRunner>,
}

impl CommandModel {
    /// A model that runs this command.
    pub fn new(setup: CommandSetup, runner: Arc<dyn ProcessRunner>) -> Self {
        Self { setup, runner }
    }

    fn invocation(&self, prompt: &Prompt) -> Invocation {
        let names: Vec<&str> = self.setup.pass_environment.iter().map(String::as_str).collect();
        let started = match &self.setup.leash {
            Some(leash) => Invocation::new(&leash.binary, &self.setup.directory)
                .args(&leash.words)
                .args([&self.setup.program]),
            None => Invocation::new(&self.setup.program, &self.setup.directory),
        };
        started.args(&self.setup.arguments).inherit(&names).stdin(prompt.text()).limits(self.setup.limits)
    }

    /// The variable with a secret whose value an answer holds: such an answer would be recorded and committed.
    fn leaked(&self, invocation: &Invocation, answer: &str) -> Option<&str> {
        let is_secret = |name: &&String| {
            let name = name.to_ascii_uppercase();
            ["KEY", "TOKEN", "SECRET", "PASSWORD"].iter().any(|word| name.contains(word))
        };
        let holds = |name: &&String| {
            let value = invocation.environment.get(&OsString::from(name)).and_then(|value| value.to_str());
            value.is_some_and(|value| value.len() >= SECRET_LENGTH_MIN && answer.contains(value))
        };
        self.setup.pass_environment.iter().filter(is_secret).find(holds).map(String::as_str)
    }

    /// The end of what the command wrote, without the values of the variables that it was given.
    fn tail(&self, invocation: &Invocation, finished: &Finished) -> String {
        let mut tail = finished.tail(TAIL_LINES);
        for name in &self.setup.pass_environment {
            let value = invocation.environment.get(&OsString::from(name));
            let Some(value) = value.and_then(|value| value.to_str()) else { continue };
            if value.len() >= SECRET_LENGTH_MIN {
                tail = tail.replace(value, "[redacted]");
            }
        }
        let surplus = tail.chars().count().saturating_sub(TAIL_CHARS_MAX);
        tail.chars().skip(surplus).collect()
    }
}

impl Model for CommandModel {
    fn name(&self) -> String {
        self.setup.name.clone()
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        let invocation = self.invocation(prompt);
        let failed = |reason: String| ModelError::Command { reason };
        let finished = self.runner.run(&invocation).map_err(|error| failed(error.to_string()))?;
        let limits = self.setup.limits;
        let complaint = match finished.ending {
            Ending::Exited(0) => None,
            Ending::Exited(code) => Some(format!("it exited with code {code}")),
            Ending::Signalled(signal) => Some(format!("it was ended by signal {signal}")),
            Ending::TimedOut => Some(format!("it ran longer than {} ms", limits.timeout_ms)),
            Ending::Silent => {
                Some(format!("it wrote nothing for {} ms", limits.silence_ms.unwrap_or_default()))
            }
            Ending::TooMuchOutput => Some(format!("it wrote more than {} bytes", limits.output_bytes_max)),
            Ending::TooMuchDisk | Ending::DiskFull => Some("it filled the disk".to_owned()),
            Ending::Interrupted => Some("it was stopped because we were told to stop".to_owned()),
        };
        if let Some(complaint) = complaint {
            let tail = self.tail(&invocation, &finished);
            return Err(failed(if tail.is_empty() { complaint } else { format!("{complaint}: {tail}") }));
        }
        let text = String::from_utf8(finished.stdout).map_err(|error| ModelError::Unreadable {
            reason: format!("the command's output is not UTF-8: {}", error.utf8_error()),
        })?;
        if let Some(name) = self.leaked(&invocation, &text) {
            return Err(failed(format!("its answer holds the value of {name}, and is thrown away")));
        }
        let usage = Usage {
            input_tokens: estimate_tokens(&prompt.text()),
            output_tokens: estimate_tokens(&text),
            ..Usage::default()
        };
        Ok(Completion { text, usage, finish: Finish::Complete })
    }
}

#[cfg(test)]
mod tests {
    use upstream::process::SystemProcessRunner;

    use super::*;

    fn shell(script: &str, limits: Limits) -> Result<Completion, ModelError> {
        let setup = CommandSetup {
            name: "script".to_owned(),
            program: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
            directory: "/".into(),
            leash: None,
            pass_environment: vec!["CARGO_MANIFEST_DIR".to_owned(), "NOT_SET_ANYWHERE".to_owned()],
            limits,
        };
        let prompt = Prompt {
            system: "rules".to_owned(),
            stable: "style".to_owned(),
            payload: "task".to_owned(),
            nonce: "0".to_owned(),
            prompt_version: "1".to_owned(),
            left_out: Vec::new(),
            blocks: Vec::new(),
        };
        CommandModel::new(setup, Arc::new(SystemProcessRunner::default())).complete(&prompt)
    }

    fn error_of(script: &str, limits: Limits) -> String {
        shell(script, limits).unwrap_err().to_string()
    }

    #[test]
    fn the_prompt_goes_in_and_the_answer_comes_out() {
        let completion = shell("cat", Limits::default()).unwrap();
        assert_eq!(completion.text, "rules\n\nstyle\n\ntask\n");
        assert_eq!(completion.finish, Finish::Complete);
        assert_eq!(completion.usage.output_tokens, 5);
    }

    #[test]
    fn an_answer_beside_a_failing_exit_code_is_not_taken() {
        let error = error_of("echo answer; echo broken >&2; exit 9", Limits::default());
        assert_eq!(error, "the command failed: it exited with code 9: broken");
    }

    #[test]
    fn a_command_that_hangs_is_stopped_at_its_time() {
        let error = error_of("sleep 600", Limits { timeout_ms: 100, ..Limits::default() });
        assert_eq!(error, "the command failed: it ran longer than 100 ms");
    }

    #[test]
    fn a_command_that_floods_is_stopped_at_its_size() {
        let error = error_of("yes", Limits { output_bytes_max: 1000, ..Limits::default() });
        assert!(error.contains("more than 1000 bytes"), "{error}");
        assert!(error.len() < 5000, "{}", error.len());
    }

    #[test]
    fn a_command_that_crashes_names_its_signal() {
        let error = error_of("kill -SEGV $$", Limits::default());
        assert!(error.contains("signal 11"), "{error}");
    }

    #[test]
    fn output_that_is_not_text_is_unreadable() {
        let error = shell("printf '\\377\\376'", Limits::default()).unwrap_err();
        assert!(matches!(error, ModelError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn only_named_variables_reach_the_command_and_their_values_stay_out_of_errors() {
        let environment = shell("env", Limits::default()).unwrap().text;
        assert!(environment.contains("CARGO_MANIFEST_DIR="), "{environment}");
        assert!(!environment.contains("HOME="), "{environment}");
        let error = error_of("echo \"key $CARGO_MANIFEST_DIR is bad\" >&2; exit 1", Limits::default());
        assert!(error.ends_with("key [redacted] is bad"), "{error}");
    }

    #[test]
    fn an_answer_that_holds_a_secret_is_thrown_away() {
        let setup = CommandSetup {
            name: "script".to_owned(),
            program: "sh".into(),
            arguments: Vec::new(),
            directory: "/".into(),
            leash: None,
            pass_environment: vec!["HOME".to_owned(), "MY_KEY".to_owned()],
            limits: Limits::default(),
        };
        let model = CommandModel::new(setup, Arc::new(SystemProcessRunner::default()));
        let invocation =
            Invocation::new("sh", "/").env("MY_KEY", "s3cret-value").env("HOME", "/home/someone");
        assert_eq!(model.leaked(&invocation, "text with s3cret-value in it"), Some("MY_KEY"));
        assert_eq!(model.leaked(&invocation, "a path below /home/someone"), None);
    }

    #[test]
    fn a_missing_program_is_named() {
        let setup = CommandSetup {
            name: "none".to_owned(),
            program: "no-such-program-here".into(),
            arguments: Vec::new(),
            directory: "/".into(),
            leash: None,
            pass_environment: Vec::new(),
            limits: Limits::default(),
        };
        let model = CommandModel::new(setup, Arc::new(SystemProcessRunner::default()));
        let error = model
            .complete(&Prompt {
                system: String::new(),
                stable: String::new(),
                payload: String::new(),
                nonce: String::new(),
                prompt_version: String::new(),
                left_out: Vec::new(),
                blocks: Vec::new(),
            })
            .unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"), "{error}");
    }
}
