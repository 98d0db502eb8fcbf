//! git without HTTP and without processes: the clone has the forge's objects, so that fetching and pushing are moves of
//! references, with the lease that was asked for and the same looks at what was pushed.
//!
//! Most random schedules go this way, which takes a fraction of the time; the others go by `git http-backend`.

use std::path::Path;
use std::sync::Arc;

use pipeline::forge::remote::FETCHED;
use upstream::process::{Ending, Finished, Invocation, ProcessError, ProcessRunner};

use super::server::{Fault, Shared, heads, inspect};
use super::state::BASE;

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
        let spec = |start: &str| arguments.iter().find_map(|argument| argument.strip_prefix(start));
        let finished = match verb {
            "fetch" => {
                for name in arguments.iter().filter_map(|one| one.strip_prefix("+refs/heads/")) {
                    let (name, into) = name.split_once(':').unwrap();
                    assert_eq!(
                        into,
                        format!("{FETCHED}{name}"),
                        "what is fetched is kept out of people's way"
                    );
                    if let Some(tip) = state.tip(name) {
                        point(&invocation.directory.join(".git").join(into), tip.as_str());
                    }
                }
                ended(0, String::new(), "")
            }
            "push" => {
                let (branch, lease) =
                    spec("--force-with-lease=refs/heads/").unwrap().split_once(':').unwrap();
                let (to, name) = arguments.last().unwrap().split_once(":refs/heads/").unwrap();
                assert_eq!(name, branch, "the lease is for what is pushed");
                let before = heads(&state);
                let stands = state.tip(branch).map(|tip| tip.to_string()).unwrap_or_default();
                if stands == lease {
                    point(&state.bare.join("refs/heads").join(branch), to);
                    inspect(&mut state, &before);
                    state.follow();
                    ended(0, String::new(), "")
                } else {
                    let line = format!("!\t{to}:refs/heads/{branch}\t[rejected] (stale info)\n");
                    ended(1, line, "error: failed to push some refs")
                }
            }
            _listing => {
                state.base_shown = state.tip(BASE);
                let names = arguments.iter().filter_map(|argument| argument.strip_prefix("refs/heads/"));
                let rows =
                    names.filter_map(|name| Some(format!("{}\trefs/heads/{name}\n", state.tip(name)?)));
                ended(0, rows.collect(), "")
            }
        };
        drop(state);
        if fault == Some(Fault::After) {
            return Ok(ended(128, String::new(), "fatal: the remote end hung up unexpectedly"));
        }
        Ok(finished)
    }
}

/// Has the clone in a folder use the objects of the forge's repository.
pub(super) fn share_objects(bare: &Path, clone: &Path) {
    let objects = clone.join(".git/objects");
    std::fs::remove_dir_all(&objects).unwrap();
    std::os::unix::fs::symlink(bare.join("objects"), &objects).unwrap();
}

/// Puts a reference to a commit.
fn point(reference: &Path, commit: &str) {
    std::fs::create_dir_all(reference.parent().unwrap()).unwrap();
    std::fs::write(reference, format!("{commit}\n")).unwrap();
}
