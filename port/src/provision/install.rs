//! Makes a virtual environment and installs packages into it: by uv where it is there, else by `venv` and pip.
//!
//! They are given built packages only. Nothing of these runs here: installing copies files, and compiling them to
//! byte code only parses them.

use std::ffi::OsString;
use std::path::Path;

use upstream::process::{DiskBound, Ending, Finished, Invocation, Limits, ProcessError};

use super::environments::{EnvironmentError, EnvironmentRequest};
use super::requirements::option_in;
use crate::held::HeldFolder;

/// The longest that one step may take, in milliseconds.
const TIMEOUT_MS: u64 = 15 * 60 * 1000;
/// The longest that a look at a tool may take, in milliseconds.
const LOOK_TIMEOUT_MS: u64 = 60 * 1000;
/// The most that a tool may print, in bytes.
const OUTPUT_BYTES_MAX: usize = 4 << 20;
/// How many of a tool's lines are told where it fails.
const TOLD_LINES: usize = 8;
/// The first pip that can install for another interpreter.
const PIP_MIN: (u32, u32) = (22, 3);

/// What the tools may see of our environment: where they keep things, which index they ask, and by what certificates.
const HANDED_ON: &[&str] = &[
    "HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "PIP_CONFIG_FILE",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_NO_INDEX",
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_DEFAULT_TIMEOUT",
    "UV_CACHE_DIR",
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_OFFLINE",
    "UV_NATIVE_TLS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// What tools say when nobody answers.
const UNREACHABLE: &[&str] = &[
    "temporary failure in name resolution",
    "failed to resolve",
    "name or service not known",
    "dns error",
    "network is unreachable",
    "failed to establish a new connection",
    "connection refused",
    "could not connect",
    "error sending request",
    "network connectivity is disabled",
];

/// What makes environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Installer {
    /// `uv`, with its version.
    Uv(String),
    /// The interpreter's own pip, which installs into an environment without one.
    Pip(String),
    /// The pip that `venv` brings with it.
    Ensured,
}

impl Installer {
    /// The first that is there.
    pub(super) fn find(request: &EnvironmentRequest<'_>) -> Result<Self, EnvironmentError> {
        let uv = Invocation::new("uv", "/").args(["--version"]).inherit(HANDED_ON).limits(looking());
        match request.runner.run(&uv) {
            Ok(finished) if finished.succeeded() => return Ok(Self::Uv(word(&finished, 1))),
            Ok(_) => {}
            Err(ProcessError::Spawn { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let python = |arguments: &[&str]| {
            let invocation = Invocation::new(request.base.program(), "/").args(arguments.iter().copied());
            request.runner.run(&invocation.inherit(HANDED_ON).limits(looking()))
        };
        let pip = python(&["-I", "-m", "pip", "--version"])?;
        if pip.succeeded() && is_new_enough(&word(&pip, 1)) {
            return Ok(Self::Pip(word(&pip, 1)));
        }
        let ensured = python(&["-I", "-m", "ensurepip", "--version"])?;
        if ensured.succeeded() {
            return Ok(Self::Ensured);
        }
        let program = request.base.program().to_string_lossy().into_owned();
        Err(EnvironmentError::NoInstaller {
            program,
            reason: format!("{}; {}", pip.tail(1), ensured.tail(1)),
        })
    }

    /// For people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Uv(version) => format!("uv {version}"),
            Self::Pip(version) => format!("pip {version}"),
            Self::Ensured => "the pip of venv".to_owned(),
        }
    }
}

/// Makes the environment in a folder that is not there yet.
pub(super) fn install(
    request: &EnvironmentRequest<'_>,
    installer: &Installer,
    folder: &Path,
) -> Result<(), EnvironmentError> {
    let io = |source| EnvironmentError::Io { path: folder.to_owned(), source };
    let lists = HeldFolder::make("requirements").map_err(io)?;
    let (wanted, pinned) = (lists.path().join("requirements.txt"), lists.path().join("constraints.txt"));
    let project = request.project;
    let options = project.options.iter().map(|option| option_in(option, request.folder));
    let lines: Vec<String> = options.chain(project.requirements.iter().cloned()).collect();
    let constraints: Vec<&str> = project.pinned.iter().map(String::as_str).collect();
    std::fs::write(&wanted, lines.join("\n") + "\n").map_err(io)?;
    std::fs::write(&pinned, constraints.join("\n") + "\n").map_err(io)?;

    let base = request.base.program();
    let own = folder.join("bin").join("python");
    let run = |program: OsString, arguments: Vec<OsString>| -> Result<(), EnvironmentError> {
        let mut invocation = Invocation::new(program, lists.path())
            .args(arguments)
            .inherit(HANDED_ON)
            .limits(Limits { timeout_ms: TIMEOUT_MS, silence_ms: None, output_bytes_max: OUTPUT_BYTES_MAX });
        invocation.disk =
            Some(DiskBound { folders: vec![folder.to_owned()], bytes_max: request.disk_bytes_max });
        let finished = request.runner.run(&invocation)?;
        judged(request, installer, &finished)
    };
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    std::fs::create_dir_all(folder).map_err(io)?;
    let made = match installer {
        Installer::Uv(_) => {
            let mut arguments =
                words(&["venv", "--quiet", "--no-project", "--no-python-downloads", "--python"]);
            // The folder is there already, and empty.
            arguments.extend([base.clone(), "--allow-existing".into(), folder.into()]);
            run("uv".into(), arguments)
        }
        Installer::Pip(_) | Installer::Ensured => {
            let mut arguments = words(&["-I", "-m", "venv"]);
            arguments.extend(matches!(installer, Installer::Pip(_)).then(|| "--without-pip".into()));
            arguments.push(folder.into());
            run(base.clone(), arguments)
        }
    };
    made?;
    let from: [OsString; 4] = ["--requirement".into(), wanted.into(), "--constraint".into(), pinned.into()];
    let (program, mut arguments) = match installer {
        Installer::Uv(_) => {
            let mut arguments = words(&["pip", "install", "--quiet", "--compile-bytecode", "--python"]);
            arguments.push(own.into());
            ("uv".into(), arguments)
        }
        Installer::Pip(_) => {
            let mut arguments = words(&["-I", "-m", "pip", "--python"]);
            arguments.push(own.into());
            arguments.extend(words(PIP_INSTALL));
            (base.clone(), arguments)
        }
        Installer::Ensured => {
            let mut arguments = words(&["-I", "-m", "pip"]);
            arguments.extend(words(PIP_INSTALL));
            (own.into(), arguments)
        }
    };
    // Building a package runs its code, with the network and our files in reach.
    arguments.extend(words(&["--only-binary", ":all:"]));
    arguments.extend(from);
    run(program, arguments)
}

const PIP_INSTALL: &[&str] = &[
    "install",
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
    "--no-warn-script-location",
    "--progress-bar",
    "off",
    "--retries",
    "2",
];

fn judged(
    request: &EnvironmentRequest<'_>,
    installer: &Installer,
    finished: &Finished,
) -> Result<(), EnvironmentError> {
    let ended = match finished.ending {
        Ending::Exited(0) => return Ok(()),
        Ending::Interrupted => return Err(EnvironmentError::Interrupted),
        Ending::Exited(_) => None,
        Ending::Signalled(signal) => Some(format!("signal {signal} ended it")),
        Ending::TimedOut | Ending::Silent => Some(format!("it ran longer than {} s", TIMEOUT_MS / 1000)),
        Ending::TooMuchOutput => Some("it printed without end".to_owned()),
        Ending::TooMuchDisk => {
            Some("it wrote more to the disk than it may (`disk-mib` in `[sandbox]`)".to_owned())
        }
        Ending::DiskFull => Some("no space left on device".to_owned()),
    };
    let said = complaint(finished);
    let lower = said.to_lowercase();
    let reason = ended.unwrap_or(said);
    let name = installer.name();
    if UNREACHABLE.iter().any(|words| lower.contains(words)) {
        return Err(EnvironmentError::NoNetwork { installer: name, reason });
    }
    Err(EnvironmentError::Install { installer: name, files: request.project.files.join(", "), reason })
}

/// What a tool complains of: the lines of pip that say `ERROR`, with the first warning behind which the cause stands;
/// all that uv says.
fn complaint(finished: &Finished) -> String {
    let text = String::from_utf8_lossy(&finished.stderr);
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("ERROR")).collect();
    if errors.is_empty() {
        return finished.tail(TOLD_LINES);
    }
    let warning = text.lines().find(|line| line.starts_with("WARNING: Retrying"));
    warning.into_iter().chain(errors).take(TOLD_LINES).collect::<Vec<_>>().join("\n")
}

fn looking() -> Limits {
    Limits { timeout_ms: LOOK_TIMEOUT_MS, silence_ms: None, output_bytes_max: OUTPUT_BYTES_MAX }
}

/// A word of the first line of an answer.
fn word(finished: &Finished, at: usize) -> String {
    let text = String::from_utf8_lossy(&finished.stdout);
    text.lines().next().and_then(|line| line.split_whitespace().nth(at)).unwrap_or_default().to_owned()
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    numbers.next().is_some_and(|major| (major, numbers.next().unwrap_or_default()) >= PIP_MIN)
}
