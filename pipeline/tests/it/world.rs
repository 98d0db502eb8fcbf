//! A small world: an upstream in git, a port of its first revision, and the program.
//!
//! Everything runs as a user would run it: the real binary, real git, Cargo and Python, an environment that
//! holds nothing but what is named here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use upstream::process::{Ending, Finished, Invocation, Limits, ProcessRunner, SystemProcessRunner};

/// The first revision of the upstream.
const TALLY: &str = r#"//! Small sums.

/// The largest amount.
pub const LIMIT: u32 = 10;

/// Adds one, and stops at the top.
pub fn bump(n: u8) -> u8 {
    n.saturating_add(1)
}

/// The length of a text in bytes.
pub fn width(text: &str) -> usize {
    text.len()
}

/// Cuts an amount to the limit.
pub fn clamp(n: u32) -> u32 {
    if n > LIMIT { LIMIT } else { n }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bump_counts() {
        assert_eq!(3, bump(2));
    }

    #[test]
    fn width_counts_bytes() {
        assert_eq!(2, width("é"));
    }
}
"#;

/// The port of it.
const PORT: &str = r#""""Small sums."""

LIMIT = 10


def bump(n: int) -> int:
    """Add one, and stop at the top."""
    return min(n + 1, 255)


def width(text: str) -> int:
    """Return the length of a text in bytes."""
    return len(text.encode())


def clamp(n: int) -> int:
    """Cut an amount to the limit."""
    # By the limit of the module.
    return LIMIT if n > LIMIT else n
"#;

const PORT_TESTS: &str = r#"import unittest

from tally import bump, width


class TallyTest(unittest.TestCase):
    def test_bump_counts(self):
        self.assertEqual(3, bump(2))

    def test_width_counts_bytes(self):
        self.assertEqual(2, width("é"))
"#;

const CONFIG: &str = r#"version = 1

[upstream]
git = "../upstream"
branch = "main"

[port]
name = "tally-py"

[convention]
package = "tally"

[[map]]
items = "tally::tests::*"
symbol = "tests.test_tally.TallyTest.{name}"
file = "tests/test_tally.py"

[gate]
probes = 300
record-calls = false

[gate.timing]
enabled = false
"#;

/// An upstream, a port and a folder for the program's own things.
pub(crate) struct World {
    pub(crate) root: TempDir,
}

impl World {
    /// A folder with nothing in it.
    pub(crate) fn bare() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    /// The upstream at its first revision, and a port that equals it, adopted.
    pub(crate) fn new() -> Self {
        let world = Self { root: tempfile::tempdir().unwrap() };
        world.write(
            "upstream/Cargo.toml",
            "[package]\nname = \"tally\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        );
        world.write("upstream/src/lib.rs", TALLY);
        world.git("upstream", &["init", "-q", "-b", "main"]);
        world.commit("upstream", "first");
        world.write("port/tally/__init__.py", PORT);
        world.write("port/tests/__init__.py", "");
        world.write("port/tests/test_tally.py", PORT_TESTS);
        world.write("port/tidelock.toml", CONFIG);
        world.write("port/.gitignore", "/.tidelock\n__pycache__\n");
        world.git("port", &["init", "-q", "-b", "main"]);
        world.commit("port", "port of the first revision");
        let first = world.git("upstream", &["rev-parse", "HEAD"]);
        let adopted = world.tidelock(&["init", "--adopt", first.trim()]);
        assert_eq!(adopted.code(), 0, "{adopted}");
        world.commit("port", "adopt");
        world
    }

    /// A world of its own that is as this one is now.
    pub(crate) fn copied(&self) -> Self {
        let world = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["upstream", "port"] {
            copy(&self.path(folder), &world.path(folder));
        }
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Changes the upstream's library and commits that.
    pub(crate) fn upstream_changes(&self, from: &str, to: &str, message: &str) {
        let text = self.read("upstream/src/lib.rs");
        assert!(text.contains(from), "the upstream has no `{from}`");
        self.write("upstream/src/lib.rs", &text.replace(from, to));
        self.commit("upstream", message);
    }

    pub(crate) fn commit(&self, folder: &str, message: &str) {
        self.git(folder, &["add", "-A"]);
        self.git(folder, &["commit", "-q", "-m", message]);
    }

    pub(crate) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@localhost"];
        let invocation = Invocation::new("git", self.path(folder))
            .args(identity)
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            // The same commits in every world, so that end states can be compared.
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
        let finished = SystemProcessRunner::default().run(&invocation).unwrap();
        assert!(finished.succeeded(), "git {arguments:?}: {}", finished.tail(20));
        String::from_utf8(finished.stdout).unwrap()
    }

    /// Whether git succeeds in the port at something that may fail.
    pub(crate) fn git_may(&self, arguments: &[&str]) -> bool {
        let identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@localhost"];
        let invocation = Invocation::new("git", self.path("port"))
            .args(identity)
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        SystemProcessRunner::default().run(&invocation).unwrap().succeeded()
    }

    /// Runs the program in the port.
    pub(crate) fn tidelock(&self, arguments: &[&str]) -> Ran {
        self.tidelock_in("port", arguments)
    }

    pub(crate) fn tidelock_in(&self, folder: &str, arguments: &[&str]) -> Ran {
        Ran { finished: SystemProcessRunner::default().run(&self.invocation(folder, arguments)).unwrap() }
    }

    pub(crate) fn invocation(&self, folder: &str, arguments: &[&str]) -> Invocation {
        Invocation::new(super::program(), self.path(folder))
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .inherit(&["HOME", "CARGO_HOME", "RUSTUP_HOME"])
            .limits(Limits { timeout_ms: 600_000, ..Limits::default() })
    }

    /// A translator that answers from a list of symbols with the text that each is to have, and a way to
    /// spoil its answers. It reads the prompt as a model would, and says what it needs to from that alone.
    pub(crate) fn answering(&self, answers: &[(&str, &str)], spoil: &str) -> String {
        let mut table = String::new();
        for (symbol, text) in answers {
            writeln!(table, "ANSWERS[{symbol:?}] = {text:?}").unwrap();
        }
        self.write("answer.py", &ANSWERING.replace("# ANSWERS", &table).replace("# SPOIL", spoil));
        format!("command:python3 {}", self.path("answer.py").display())
    }
}

/// How the answering command reads a prompt: `answer` is what it would say, `nonce` the prompt's word.
const ANSWERING: &str = r#"import re, sys

ANSWERS = {}
# ANSWERS
prompt = sys.stdin.read()
nonce = re.search(r"(?m)^NONCE: (\S+)", prompt)[1]
blocks = []
for match in re.finditer(r"^## Port: sym=(\S+) (?:sha=(\S+)|to be written) file=(\S+)$", prompt, re.M):
    symbol, sha, file = match.groups()
    if symbol not in ANSWERS:
        continue
    head = f"REPLACE sym={symbol} sha={sha}" if sha else f"INSERT sym={symbol} file={file}"
    blocks.append(f"@@TL {nonce} {head}\n{ANSWERS[symbol]}\n@@END {nonce}\n")
answer = "".join(blocks) + f"@@DONE {nonce} n={len(blocks)}\n"
if not blocks:
    answer = f"@@TL {nonce} UNPORTABLE reason=\"nobody told me\"\n@@END {nonce}\n@@DONE {nonce} n=1\n"
# SPOIL
sys.stdout.write(answer)
"#;

/// A copy of a folder with everything in it, links as links.
pub(crate) fn copy(from: &Path, to: &Path) {
    let invocation = Invocation::new("cp", "/").args(["-a".as_ref(), from.as_os_str(), to.as_os_str()]);
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "cp: {}", finished.tail(5));
}

/// A run of the program that ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) finished: Finished,
}

impl Ran {
    pub(crate) fn code(&self) -> i32 {
        match self.finished.ending {
            Ending::Exited(code) => code,
            Ending::Signalled(_)
            | Ending::TimedOut
            | Ending::Silent
            | Ending::TooMuchOutput
            | Ending::TooMuchDisk
            | Ending::DiskFull
            | Ending::Interrupted => panic!("it did not exit\n{self}"),
        }
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.finished.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.finished.stderr).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.finished.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}\n--- stdout\n{}\n--- stderr\n{}", self.finished.ending, self.stdout(), self.stderr())
    }
}

/// The files of a folder with their contents, without git's own and the state: to see that nothing changed.
pub(crate) fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if [".git", ".tidelock", "__pycache__"].contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
