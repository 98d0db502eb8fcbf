//! git without HTTP: what the bot has git do is done on the bare repository itself, with the same looks at its pushes.
//!
//! Most random schedules go this way, which takes a tenth of the time; the others go by `git http-backend`.

use std::ffi::OsString;
use std::sync::Arc;

use upstream::process::{Ending, Finished, Invocation, ProcessError, ProcessRunner, SystemProcessRunner};

use super::server::{Fault, Shared, heads, inspect};

/// Runs git for the bot.
pub(super) struct DirectGit {
    pub(super) shared: Arc<Shared>,
    pub(super) url: String,
}

impl std::fmt::Debug for DirectGit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirectGit").field("url", &self.url).finish_non_exhaustive()
    }
}

fn ended(code: i32, stdout: String, stderr: &str) -> Finished {
    let (stdout, stderr) = (stdout.into_bytes(), stderr.as_bytes().to_vec());
    Finished { ending: Ending::Exited(code), stdout, stderr, duration_ms: 0 }
}

impl ProcessRunner for DirectGit {
    fn run(&self, invocation: &Invocation) -> Result<Finished, ProcessError> {
        let arguments: Vec<String> =
            invocation.arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let verb =
            ["ls-remote", "fetch", "push"].into_iter().find(|verb| arguments.iter().any(|it| it == verb));
        let Some(verb) = verb else {
            panic!("the bot has git do what the fake does not know: {arguments:?}")
        };
        let fault = self.shared.strike();
        if fault.is_some_and(|fault| fault != Fault::After) {
            let said =
                format!("fatal: unable to access '{}': The requested URL returned error: 502", self.url);
            return Ok(ended(128, String::new(), &said));
        }
        let mut state = self.shared.state();
        let finished = if verb == "ls-remote" {
            let names = arguments.iter().filter_map(|argument| argument.strip_prefix("refs/heads/"));
            let rows = names.filter_map(|name| Some(format!("{}\trefs/heads/{name}\n", state.tip(name)?)));
            ended(0, rows.collect(), "")
        } else {
            let before = heads(&state);
            let bare = state.bare.clone();
            let here = |argument: &OsString| {
                if argument.to_string_lossy() == self.url {
                    bare.clone().into_os_string()
                } else {
                    argument.clone()
                }
            };
            let mut direct = invocation.clone();
            direct.arguments = invocation.arguments.iter().map(here).collect();
            let finished = SystemProcessRunner::default().run(&direct)?;
            if verb == "push" {
                inspect(&mut state, &before);
                state.follow();
            }
            finished
        };
        if fault == Some(Fault::After) {
            return Ok(ended(128, String::new(), "fatal: the remote end hung up unexpectedly"));
        }
        Ok(finished)
    }
}
