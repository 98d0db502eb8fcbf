//! A real Gitea or Forgejo on loopback: set up without anybody's help, and gone with this value.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use upstream::clock::{Clock, SystemClock};
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

/// The longest that one of its commands may take, in milliseconds.
const COMMAND_MS: u64 = 120_000;
/// How long it may take until it answers, in milliseconds.
const START_MS: i64 = 120_000;
/// How often it is looked at meanwhile.
const NAP: Duration = Duration::from_millis(200);
/// What everybody there is let in with: it is reached from this machine alone, and lives for minutes.
const PASSWORD: &str = "correct-horse-1";

/// A running server.
pub(super) struct Server {
    program: PathBuf,
    folder: PathBuf,
    /// Its name and version, as it says them.
    pub(super) version: String,
    /// Its address.
    pub(super) url: String,
    child: Option<Child>,
}

impl Server {
    /// Checks the program, without starting anything.
    pub(super) fn of(program: &Path, folder: &Path) -> Result<Self> {
        if !program.is_file() {
            bail!("there is no program `{}`: give the path of a Gitea or Forgejo binary", program.display());
        }
        let program = program.canonicalize()?;
        let mut server = Self {
            program,
            folder: folder.to_owned(),
            version: String::new(),
            url: String::new(),
            child: None,
        };
        let said = server.command(&["--version"])?;
        let line = said.lines().next().unwrap_or_default();
        let lower = line.to_lowercase();
        if !lower.contains("gitea") && !lower.contains("forgejo") {
            bail!("`{}` says that it is `{line}`, and not Gitea or Forgejo", server.program.display());
        }
        line.split(" built").next().unwrap_or_default().clone_into(&mut server.version);
        Ok(server)
    }

    /// Sets it up and starts it.
    pub(super) fn start(&mut self) -> Result<()> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        self.url = format!("http://127.0.0.1:{port}");
        std::fs::create_dir_all(self.folder.join("log"))?;
        std::fs::write(self.folder.join("app.ini"), settings(&self.folder, &self.url, port))?;
        self.command(&["migrate"])?;
        let log = File::create(self.folder.join("web.log"))?;
        let mut command = self.bare();
        command.arg("web").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child =
            Some(command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?);
        self.wait(port)
    }

    #[expect(clippy::disallowed_methods, reason = "a process that is to run on cannot be an `Invocation`")]
    fn bare(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.folder.join("app.ini")).current_dir(&self.folder);
        command.env_clear().env("HOME", &self.folder).env("USER", user()).env("GITEA_WORK_DIR", &self.folder);
        command.env("FORGEJO_WORK_DIR", &self.folder).env("GIT_CONFIG_NOSYSTEM", "1");
        if let Some(path) = upstream::process::inherited("PATH") {
            command.env("PATH", path);
        }
        command
    }

    fn wait(&mut self, port: u16) -> Result<()> {
        let end_ms = SystemClock.now_ms() + START_MS;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("the server ended ({status}) before it answered: {}", self.tail());
            }
            if SystemClock.now_ms() > end_ms {
                bail!("the server does not answer: {}", self.tail());
            }
            SystemClock.sleep(NAP);
        }
        Ok(())
    }

    /// Makes a user, and gives their token.
    pub(super) fn user(&self, name: &str, more: &[&str]) -> Result<String> {
        let email = format!("{name}@localhost.localdomain");
        let create =
            ["admin", "user", "create", "--username", name, "--password", PASSWORD, "--email", &email];
        self.command(&[&create[..], &["--must-change-password=false"], more].concat())?;
        let token =
            ["admin", "user", "generate-access-token", "--username", name, "--token-name", "tidelock"];
        let said = self.command(&[&token[..], &["--scopes", "all", "--raw"]].concat())?;
        let token = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        if token.len() < 40 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            bail!("the server gave no token for `{name}`: {said}");
        }
        Ok(token.to_owned())
    }

    /// Runs one of its commands to the end.
    fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut invocation = Invocation::new(self.program.as_os_str(), &self.folder)
            .env("HOME", self.folder.as_os_str())
            .env("USER", user())
            .env("GITEA_WORK_DIR", self.folder.as_os_str())
            .env("FORGEJO_WORK_DIR", self.folder.as_os_str())
            .limits(Limits { timeout_ms: COMMAND_MS, ..Limits::default() });
        if arguments != ["--version"] {
            invocation = invocation.args(["--config".into(), self.folder.join("app.ini").into_os_string()]);
        }
        let invocation = invocation.args(arguments.iter().copied());
        let finished = SystemProcessRunner::default().run(&invocation)?;
        if !finished.succeeded() {
            let what = arguments.iter().take(3).copied().collect::<Vec<_>>().join(" ");
            bail!(
                "`{} {what}` failed ({:?}): {}",
                self.program.display(),
                finished.ending,
                finished.tail(10)
            );
        }
        Ok(String::from_utf8_lossy(&finished.stdout).into_owned())
    }

    fn tail(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("web.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(10)).copied().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn user() -> &'static str {
    if rustix::process::geteuid().is_root() { "root" } else { "git" }
}

/// Its configuration: `SQLite`, no mail, no ssh, nobody but this machine.
fn settings(folder: &Path, url: &str, port: u16) -> String {
    let folder = folder.display();
    // Where measures run as root, it has to as well.
    let root =
        if rustix::process::geteuid().is_root() { "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\n" } else { "" };
    format!(
        "RUN_MODE = prod\nWORK_PATH = {folder}\n{root}\
         [server]\nPROTOCOL = http\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\nROOT_URL = {url}/\nDISABLE_SSH = true\n\
         OFFLINE_MODE = true\nLFS_START_SERVER = false\n\
         [database]\nDB_TYPE = sqlite3\nPATH = {folder}/gitea.db\n\
         [repository]\nROOT = {folder}/repositories\nDEFAULT_BRANCH = main\n\
         [security]\nINSTALL_LOCK = true\nSECRET_KEY = a-measure-on-loopback\n\
         [service]\nDISABLE_REGISTRATION = true\n\
         [session]\nPROVIDER = memory\n\
         [log]\nMODE = file\nLEVEL = warn\nROOT_PATH = {folder}/log\n\
         [actions]\nENABLED = false\n\
         [cron.update_checker]\nENABLED = false\n"
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn refused(script: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("gitea");
        if let Some(script) = script {
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let state = folder.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let begun = Server::of(&program, &state).and_then(|mut server| {
            server.start()?;
            server.user("ann", &[])
        });
        format!("{:#}", begun.unwrap_err())
    }

    #[test]
    fn a_program_that_is_none_or_another_is_refused() {
        assert!(refused(None).contains("give the path of a Gitea or Forgejo binary"));
        assert!(refused(Some("exit 3")).contains("--version` failed"));
        assert!(refused(Some("echo git version 2.39")).contains("and not Gitea or Forgejo"));
    }

    #[test]
    fn a_server_that_cannot_be_set_up_or_does_not_run_is_told_with_what_it_says() {
        let version = "case \"$1\" in --version) echo Gitea version 1.22.0 built with go; exit 0;; esac";
        let said = refused(Some(&format!("{version}\necho no such database >&2; exit 1")));
        assert!(said.contains("migrate` failed") && said.contains("no such database"), "{said}");
        let said = refused(Some(&format!("{version}\ncase \"$3\" in web) echo out of luck; exit 1;; esac")));
        assert!(said.contains("ended") && said.contains("out of luck"), "{said}");
    }
}
