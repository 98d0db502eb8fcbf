//! Attempts to escape from each sandbox that this machine can offer, and real work done inside.
//!
//! The executable has a main function of its own, so that it can be the inner half of the sandbox, as the
//! `tidelock` binary is.

use std::error::Error;
use std::ffi::OsString;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use port::confinement::{Access, Confinement};
use port::sandbox::{
    CONFINED_FAILED_EXIT, CONFINED_SUBCOMMAND, DISK_BYTES_MAX, Mechanism, ResourceLimits, Sandbox,
    SandboxPolicy, confined_exec,
};
use port::suite::{SuiteRequest, run_suite};
use port::timing::statistics::TimingRule;
use port::timing::{TimedCall, TimingRequest, driver_invocation, measure};
use upstream::process::{
    Ending, Finished, Invocation, Limits, ProcessRunner, SystemProcessRunner, inherited,
};
use upstream::{Clock, SystemClock};

#[path = "sandbox/ordinary_user.rs"]
mod ordinary_user;

type Outcome = Result<(), Box<dyn Error>>;
type Attempt = fn(&Cell) -> Outcome;

const ATTEMPTS: &[(&str, Attempt)] = &[
    ("work_in_the_checkout_is_possible", work_in_the_checkout_is_possible),
    ("files_outside_cannot_be_read", files_outside_cannot_be_read),
    ("files_outside_cannot_be_changed", files_outside_cannot_be_changed),
    ("readable_files_cannot_be_changed", readable_files_cannot_be_changed),
    (
        "readable_files_inside_the_checkout_cannot_be_changed",
        readable_files_inside_the_checkout_cannot_be_changed,
    ),
    ("a_link_in_the_checkout_leads_nowhere", a_link_in_the_checkout_leads_nowhere),
    ("device_files_cannot_be_made", device_files_cannot_be_made),
    ("loopback_cannot_be_reached", loopback_cannot_be_reached),
    ("sockets_of_others_cannot_be_reached", sockets_of_others_cannot_be_reached),
    ("other_processes_are_out_of_reach", other_processes_are_out_of_reach),
    ("no_capability_is_left", no_capability_is_left),
    ("a_fork_bomb_is_bounded", a_fork_bomb_is_bounded),
    ("a_memory_hog_is_bounded", a_memory_hog_is_bounded),
    ("a_long_file_is_bounded", a_long_file_is_bounded),
    ("many_files_are_bounded", many_files_are_bounded),
    ("what_is_no_folder_of_its_own_cannot_be_filled", what_is_no_folder_of_its_own_cannot_be_filled),
    ("endless_output_is_bounded", endless_output_is_bounded),
    ("endless_computing_is_bounded", endless_computing_is_bounded),
    ("a_child_in_the_background_is_killed", a_child_in_the_background_is_killed),
    ("a_sandbox_ends_with_whoever_started_it", a_sandbox_ends_with_whoever_started_it),
    ("the_confining_program_is_not_chosen_by_path", the_confining_program_is_not_chosen_by_path),
    ("the_environment_is_what_was_given", the_environment_is_what_was_given),
    ("exit_codes_and_input_come_through", exit_codes_and_input_come_through),
    ("a_missing_program_is_told_from_a_failing_one", a_missing_program_is_told_from_a_failing_one),
    ("python_runs_inside", python_runs_inside),
    ("a_test_suite_is_run_and_read", a_test_suite_is_run_and_read),
    ("calls_are_timed", calls_are_timed),
    ("a_shared_folder_that_is_given_is_the_real_one", a_shared_folder_that_is_given_is_the_real_one),
    ("cargo_builds_offline_inside", cargo_builds_offline_inside),
    ("cargo_builds_through_rustup_inside", cargo_builds_through_rustup_inside),
];

const MECHANISMS: [(&str, Mechanism); 3] = [
    ("landlock", Mechanism::Landlock),
    ("landlock_alone", Mechanism::LandlockAlone),
    ("bubblewrap", Mechanism::Bubblewrap),
];

/// What makes this program sleep in a sandbox until somebody kills it.
const HOLD: &str = "__hold";

fn hold(mut arguments: impl Iterator<Item = String>) -> Result<ExitCode, Box<dyn Error>> {
    let name = arguments.next().ok_or("no mechanism is named")?;
    let seconds = arguments.next().ok_or("no time is named")?;
    let (_, mechanism) = MECHANISMS.into_iter().find(|(known, _)| *known == name).ok_or("no mechanism")?;
    Cell::new(mechanism)?.run("sleep", [seconds])?;
    Ok(ExitCode::SUCCESS)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == CONFINED_SUBCOMMAND) {
        let Err(error) = confined_exec(arguments.skip(1));
        writeln!(std::io::stderr(), "{error}")?;
        return Ok(ExitCode::from(u8::try_from(CONFINED_FAILED_EXIT)?));
    }
    if arguments.peek().is_some_and(|first| first == HOLD) {
        return hold(arguments.skip(1).map(|word| word.to_string_lossy().into_owned()));
    }
    let mut trials = vec![Trial::test("no_mechanism_is_an_error_that_says_what_to_do", || {
        no_mechanism_is_an_error_that_says_what_to_do().map_err(Failed::from)
    })];
    for (name, mechanism) in MECHANISMS {
        let missing = not_here(mechanism);
        for &(attempt_name, attempt) in ATTEMPTS {
            let trial = Trial::test(format!("{name}::{attempt_name}"), move || {
                Cell::new(mechanism).and_then(|cell| attempt(&cell)).map_err(Failed::from)
            });
            trials.push(not_tried(trial, missing.as_deref()));
        }
    }
    trials.extend(ordinary_user::trials());
    Ok(libtest_mimic::run(&Arguments::from_args(), trials).exit_code())
}

/// A trial that is shown as ignored, with the reason beside its name, where there is one.
fn not_tried(trial: Trial, reason: Option<&str>) -> Trial {
    match reason {
        Some(reason) => trial.with_kind(format!("not tried: {reason}")).with_ignored_flag(true),
        None => trial,
    }
}

/// Why a mechanism cannot be tried here, if it cannot. Bubblewrap need not be installed, nor namespaces be allowed;
/// Landlock alone must work, and so must each that `TIDELOCK_TEST_SANDBOXES` names.
fn not_here(mechanism: Mechanism) -> Option<String> {
    let (name, _) = MECHANISMS.into_iter().find(|(_, known)| *known == mechanism)?;
    let demanded = inherited("TIDELOCK_TEST_SANDBOXES").unwrap_or_default();
    let demanded = demanded.to_string_lossy().split(',').any(|word| word == name);
    if demanded || mechanism == Mechanism::LandlockAlone {
        return None;
    }
    detect(mechanism, ResourceLimits::default()).err().map(|error| {
        let error = error.to_string();
        let reasons =
            error.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(reasons, _)| reasons);
        reasons.unwrap_or(&error).to_owned()
    })
}

fn detect(mechanism: Mechanism, limits: ResourceLimits) -> Result<Arc<dyn Confinement>, Box<dyn Error>> {
    detect_with_disk(mechanism, limits, DISK_BYTES_MAX)
}

fn detect_with_disk(
    mechanism: Mechanism,
    limits: ResourceLimits,
    disk_bytes_max: u64,
) -> Result<Arc<dyn Confinement>, Box<dyn Error>> {
    let policy =
        SandboxPolicy { mechanisms: vec![mechanism], limits, disk_bytes_max, ..SandboxPolicy::default() };
    let binary = std::env::current_exe()?;
    Ok(Sandbox::detect(&policy, &binary, &SystemProcessRunner::default())?.into())
}

/// A sandbox with a checkout to work in, a folder to read, and one that is out of bounds.
struct Cell {
    mechanism: Mechanism,
    root: tempfile::TempDir,
    readable: Vec<PathBuf>,
    resources: ResourceLimits,
    disk_bytes_max: u64,
    limits: Limits,
    environment: Vec<(&'static str, OsString)>,
    input: &'static str,
}

impl Cell {
    fn new(mechanism: Mechanism) -> Result<Self, Box<dyn Error>> {
        let root = tempfile::tempdir()?;
        for folder in ["checkout", "readable", "outside"] {
            std::fs::create_dir(root.path().join(folder))?;
            std::fs::write(root.path().join(folder).join("file"), format!("text in {folder}"))?;
        }
        Ok(Self {
            mechanism,
            readable: vec![root.path().join("readable")],
            root,
            resources: ResourceLimits { memory_bytes_max: 8 << 30, processes_max: 256, ..Default::default() },
            disk_bytes_max: DISK_BYTES_MAX,
            limits: Limits { timeout_ms: 60_000, ..Limits::default() },
            environment: vec![("PATH", "/usr/bin:/bin".into())],
            input: "",
        })
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    fn run<Argument: Into<OsString>>(
        &self,
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = Argument>,
    ) -> Result<Finished, Box<dyn Error>> {
        let confinement = detect_with_disk(self.mechanism, self.resources, self.disk_bytes_max)?;
        let mut invocation = Invocation::new(program, self.path("checkout")).args(arguments);
        invocation.environment =
            self.environment.iter().map(|(name, value)| (name.into(), value.clone())).collect();
        let invocation = invocation.limits(self.limits).stdin(self.input);
        let access = Access { read: self.readable.clone(), write: vec![self.path("checkout")] };
        let confined = confinement.confine(invocation, &access)?;
        Ok(SystemProcessRunner::default().run(&confined)?)
    }

    fn shell(&self, script: &str) -> Result<Finished, Box<dyn Error>> {
        self.run("bash", ["-c", script])
    }

    fn level(&self) -> Result<String, Box<dyn Error>> {
        Ok(detect(self.mechanism, self.resources)?.level())
    }
}

fn text(finished: &Finished) -> String {
    let [stdout, stderr] = [&finished.stdout, &finished.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{:?}\n{stdout}\n{stderr}", finished.ending)
}

fn no_mechanism_is_an_error_that_says_what_to_do() -> Outcome {
    let runner = SystemProcessRunner::default();
    let binary = Path::new("/no/such/binary");
    let required = SandboxPolicy::default();
    let error = Sandbox::detect(&required, binary, &runner).err().ok_or("a missing binary confines")?;
    for part in ["apt-get install bubblewrap", "require = false", "[sandbox]", "Landlock: "] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let optional = SandboxPolicy { require: false, ..required };
    assert_eq!(Sandbox::detect(&optional, binary, &runner)?.level(), "none");
    Ok(())
}

fn work_in_the_checkout_is_possible(cell: &Cell) -> Outcome {
    let script = "cat file && cat ../readable/file && mkdir a && echo new > a/b && mv a/b c && ln -s c d \
                  && rm file && t=$(mktemp) && echo temporary > $t && cat $t && echo x > /dev/null";
    let finished = cell.shell(script)?;
    assert!(finished.succeeded(), "{}", text(&finished));
    assert_eq!(String::from_utf8_lossy(&finished.stdout), "text in checkouttext in readabletemporary\n");
    assert_eq!(std::fs::read_to_string(cell.path("checkout/c"))?, "new\n");
    Ok(())
}

fn files_outside_cannot_be_read(cell: &Cell) -> Outcome {
    let home = inherited("HOME").ok_or("HOME is not set")?;
    let home = home.to_string_lossy();
    for path in [&cell.path("outside/file").to_string_lossy(), &home, "/etc/shadow", "/var/lib/dpkg/status"] {
        let finished = cell.shell(&format!("cat '{path}' || ls -l '{path}'/"))?;
        assert!(!finished.succeeded(), "{path}: {}", text(&finished));
        assert!(finished.stdout.is_empty(), "{path}: {}", text(&finished));
    }
    Ok(())
}

fn files_outside_cannot_be_changed(cell: &Cell) -> Outcome {
    let outside = cell.path("outside");
    let place = outside.display();
    for script in [
        "echo x > PLACE/new",
        "echo x >> PLACE/file",
        "truncate -s 0 PLACE/file",
        "rm PLACE/file",
        "mv PLACE/file .",
        "ln PLACE/file .",
        "chmod 777 PLACE/file && stat PLACE/file | grep 777",
    ] {
        let finished = cell.shell(&script.replace("PLACE", &place.to_string()))?;
        // Landlock does not guard permission bits; what they guard is out of reach all the same.
        if !script.starts_with("chmod") {
            assert!(!finished.succeeded(), "{script}: {}", text(&finished));
        }
        assert_eq!(std::fs::read_to_string(outside.join("file"))?, "text in outside", "{script}");
        assert!(!outside.join("new").exists(), "{script}");
    }
    Ok(())
}

fn readable_files_cannot_be_changed(cell: &Cell) -> Outcome {
    for script in ["echo x > ../readable/file", "rm ../readable/file", "touch ../readable/new"] {
        let finished = cell.shell(script)?;
        assert!(!finished.succeeded(), "{script}: {}", text(&finished));
    }
    assert_eq!(std::fs::read_to_string(cell.path("readable/file"))?, "text in readable");
    Ok(())
}

fn readable_files_inside_the_checkout_cannot_be_changed(cell: &Cell) -> Outcome {
    if cell.mechanism == Mechanism::LandlockAlone {
        return Ok(()); // It has no mounts to do so with, which its documentation says.
    }
    let mut cell = Cell::new(cell.mechanism)?;
    std::fs::create_dir(cell.path("checkout/oracle"))?;
    std::fs::write(cell.path("checkout/oracle/test"), "test")?;
    cell.readable = ["oracle", "file"].map(|name| cell.path("checkout").join(name)).to_vec();
    let finished = cell.shell(
        "cat oracle/test; echo x > oracle/test; echo x > file; rm oracle/test; mv oracle other; echo new > new",
    )?;
    assert_eq!(finished.stdout, b"test", "{}", text(&finished));
    assert_eq!(std::fs::read_to_string(cell.path("checkout/oracle/test"))?, "test");
    assert_eq!(std::fs::read_to_string(cell.path("checkout/file"))?, "text in checkout");
    assert_eq!(std::fs::read_to_string(cell.path("checkout/new"))?, "new\n", "{}", text(&finished));
    Ok(())
}

fn a_link_in_the_checkout_leads_nowhere(cell: &Cell) -> Outcome {
    std::os::unix::fs::symlink(cell.path("outside"), cell.path("checkout/link"))?;
    let finished = cell.shell("cat link/file; echo x > link/new")?;
    assert!(finished.stdout.is_empty(), "{}", text(&finished));
    assert!(!cell.path("outside/new").exists());
    Ok(())
}

fn device_files_cannot_be_made(cell: &Cell) -> Outcome {
    let finished = cell.shell("mknod disk b 254 0 || mknod memory c 1 1")?;
    assert!(!finished.succeeded(), "{}", text(&finished));
    Ok(())
}

fn loopback_cannot_be_reached(cell: &Cell) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let finished = cell.shell(&format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached"))?;
    assert!(finished.stdout.is_empty(), "{}", text(&finished));
    assert!(listener.accept().is_err(), "a connection came in");

    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0")?;
    datagrams.set_nonblocking(true)?;
    let port = datagrams.local_addr()?.port();
    cell.shell(&format!("echo out > /dev/udp/127.0.0.1/{port}"))?;
    let arrived = datagrams.recv(&mut [0; 16]).is_ok();
    assert!(!arrived || cell.level()?.contains("but UDP"), "a datagram came out of `{}`", cell.level()?);
    Ok(())
}

fn sockets_of_others_cannot_be_reached(cell: &Cell) -> Outcome {
    let path = cell.path("outside/socket");
    let listener = std::os::unix::net::UnixListener::bind(&path)?;
    listener.set_nonblocking(true)?;
    let (python, prefix) = python()?;
    let cell = Cell { readable: vec![prefix], ..Cell::new(cell.mechanism)? };
    let script = format!("import socket; socket.socket(socket.AF_UNIX).connect('{}')", path.display());
    let finished = cell.run(python, ["-c", &script])?;
    let reached = finished.succeeded() || listener.accept().is_ok();
    assert!(!reached || cell.level()?.contains("but UDP and sockets"), "reached: {}", text(&finished));
    Ok(())
}

fn other_processes_are_out_of_reach(cell: &Cell) -> Outcome {
    let pid = std::process::id();
    let finished = cell.shell(&format!("cat /proc/{pid}/environ; cat /proc/{pid}/cmdline; kill -0 {pid}"))?;
    assert!(!finished.succeeded() && finished.stdout.is_empty(), "{}", text(&finished));
    Ok(())
}

fn no_capability_is_left(cell: &Cell) -> Outcome {
    let finished = cell.shell("unshare --net true || mount -t tmpfs none . || chroot . true")?;
    assert!(!finished.succeeded(), "{}", text(&finished));
    let finished = cell.shell("grep -E '^Cap(Prm|Eff)|^NoNewPrivs' /proc/self/status")?;
    let status = String::from_utf8_lossy(&finished.stdout).into_owned();
    // Where `/proc` tells nothing, the attempts above are all there is.
    assert!(status.is_empty() || status.contains("CapEff:\t0000000000000000"), "{status}");
    assert!(status.is_empty() || status.contains("NoNewPrivs:\t1"), "{status}");
    Ok(())
}

fn a_fork_bomb_is_bounded(cell: &Cell) -> Outcome {
    let resources = ResourceLimits { processes_max: 40, ..cell.resources };
    let cell = Cell { resources, ..Cell::new(cell.mechanism)? };
    if !cell.level()?.ends_with("processes bounded") {
        return Ok(());
    }
    // More than four sandboxes may hold together; far fewer than would hurt the machine.
    let finished =
        cell.run("sh", ["-c", "i=0; while [ $i -lt 500 ]; do sleep 60 & i=$((i+1)); done; echo all"])?;
    assert!(!finished.succeeded(), "{}", text(&finished));
    assert!(finished.tail(3).contains("Cannot fork"), "{}", text(&finished));
    Ok(())
}

fn a_memory_hog_is_bounded(cell: &Cell) -> Outcome {
    let resources = ResourceLimits { memory_bytes_max: 256 << 20, ..cell.resources };
    let cell = Cell { resources, ..Cell::new(cell.mechanism)? };
    let finished = cell.shell("set -o pipefail; head -c 600M /dev/zero | tail -c 500M | wc -c")?;
    assert!(!finished.succeeded(), "{}", text(&finished));
    assert!(!finished.stdout.starts_with(b"524288000"), "{}", text(&finished));
    Ok(())
}

fn a_long_file_is_bounded(cell: &Cell) -> Outcome {
    let resources = ResourceLimits { file_bytes_max: 1 << 20, ..cell.resources };
    let cell = Cell { resources, ..Cell::new(cell.mechanism)? };
    let finished = cell.shell("head -c 4M /dev/zero > long; true")?;
    assert_eq!(std::fs::metadata(cell.path("checkout/long"))?.len(), 1 << 20, "{}", text(&finished));
    Ok(())
}

fn many_files_are_bounded(cell: &Cell) -> Outcome {
    let cell = Cell { disk_bytes_max: 16 << 20, ..Cell::new(cell.mechanism)? };
    let finished = cell
        .shell("i=0; while :; do head -c 1M /dev/zero > f$i; i=$((i+1)); [ $i -lt 200 ] || sleep 60; done")?;
    assert_eq!(finished.ending, Ending::TooMuchDisk, "{}", text(&finished));
    Ok(())
}

fn what_is_no_folder_of_its_own_cannot_be_filled(cell: &Cell) -> Outcome {
    let finished =
        cell.shell("for place in / /dev /etc /usr; do echo x > $place/new-file && echo $place; done; true")?;
    assert_eq!(finished.stdout, b"", "{}", text(&finished));
    Ok(())
}

fn endless_output_is_bounded(cell: &Cell) -> Outcome {
    let limits = Limits { output_bytes_max: 100_000, ..cell.limits };
    let finished = Cell { limits, ..Cell::new(cell.mechanism)? }.run("yes", [] as [&str; 0])?;
    assert_eq!(finished.ending, Ending::TooMuchOutput, "{}", finished.tail(2));
    assert_eq!(finished.stdout.len(), 100_000);
    Ok(())
}

fn endless_computing_is_bounded(cell: &Cell) -> Outcome {
    let resources = ResourceLimits { cpu_s_max: 1, ..cell.resources };
    let finished = Cell { resources, ..Cell::new(cell.mechanism)? }.shell("while :; do :; done")?;
    assert!(matches!(finished.ending, Ending::Exited(128..) | Ending::Signalled(_)), "{}", text(&finished));
    Ok(())
}

fn a_child_in_the_background_is_killed(cell: &Cell) -> Outcome {
    if !cell.level()?.contains("no other processes") {
        return Ok(());
    }
    // A number that no other process has among its arguments.
    let seconds = format!("7{}.{}", std::process::id(), cell.mechanism as u8);
    let finished =
        cell.shell(&format!("setsid sleep {seconds} </dev/null >/dev/null 2>&1 & sleep 0.1; echo done"))?;
    assert_eq!(finished.stdout, b"done\n", "{}", text(&finished));
    for _ in 0..200 {
        if !is_running(&seconds)? {
            return Ok(());
        }
        SystemClock.sleep(Duration::from_millis(20));
    }
    Err("it still runs".into())
}

fn a_sandbox_ends_with_whoever_started_it(cell: &Cell) -> Outcome {
    let seconds = format!("8{}.{}", std::process::id(), cell.mechanism as u8);
    let (name, _) = MECHANISMS.into_iter().find(|(_, known)| *known == cell.mechanism).ok_or("no name")?;
    let runner = SystemProcessRunner::default();
    let stop = Arc::clone(&runner.interrupt);
    let holding = Invocation::new(std::env::current_exe()?, cell.path("checkout"))
        .args([HOLD, name, &seconds])
        .inherit(&["HOME"])
        .limits(Limits { timeout_ms: 60_000, ..Limits::default() });
    let thread = std::thread::spawn(move || runner.run(&holding).map(|finished| text(&finished)));
    let becomes = |wanted: bool| -> std::io::Result<bool> {
        for _ in 0..1000 {
            if sleeps(&seconds)? == wanted {
                return Ok(true);
            }
            SystemClock.sleep(Duration::from_millis(20));
        }
        Ok(false)
    };
    let began = becomes(true)?;
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let said = thread.join().map_err(|_panic| "it could not be run")??;
    assert!(began, "it did not begin: {said}");
    assert!(becomes(false)?, "it goes on without us");
    Ok(())
}

/// Whether the program itself runs, and not only what leads to it.
fn sleeps(seconds: &str) -> std::io::Result<bool> {
    for process in std::fs::read_dir("/proc")? {
        let command = std::fs::read(process?.path().join("cmdline")).unwrap_or_default();
        if command == format!("sleep\0{seconds}\0").as_bytes() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_running(argument: &str) -> std::io::Result<bool> {
    for process in std::fs::read_dir("/proc")? {
        let command = std::fs::read(process?.path().join("cmdline")).unwrap_or_default();
        if command.split(|&byte| byte == 0).any(|word| word == argument.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn the_confining_program_is_not_chosen_by_path(cell: &Cell) -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let mut cell = Cell::new(cell.mechanism)?;
    for name in ["bwrap", "unshare", "sh"] {
        let planted = cell.path("checkout").join(name);
        std::fs::write(
            &planted,
            format!("#!/bin/bash\necho planted > {}", cell.path("outside/new").display()),
        )?;
        std::fs::set_permissions(&planted, PermissionsExt::from_mode(0o755))?;
    }
    cell.environment = vec![("PATH", format!("{}:/usr/bin:/bin", cell.path("checkout").display()).into())];
    let finished = cell.run("true", [] as [&str; 0])?;
    assert!(finished.succeeded(), "{}", text(&finished));
    assert!(!cell.path("outside/new").exists());
    Ok(())
}

fn the_environment_is_what_was_given(cell: &Cell) -> Outcome {
    let mut cell = Cell::new(cell.mechanism)?;
    cell.environment.push(("GIVEN", "yes".into()));
    let finished = cell.run("env", [] as [&str; 0])?;
    let stdout = String::from_utf8_lossy(&finished.stdout).into_owned();
    let mut names: Vec<&str> = stdout.lines().filter_map(|line| line.split('=').next()).collect();
    // What the sandbox itself says: where to work, and where temporary files go.
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "TMPDIR"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["GIVEN", "PATH"], "{}", text(&finished));
    Ok(())
}

fn exit_codes_and_input_come_through(cell: &Cell) -> Outcome {
    let cell = Cell { input: "hello", ..Cell::new(cell.mechanism)? };
    let finished = cell.shell("cat; echo err >&2; exit 7")?;
    assert_eq!(finished.ending, Ending::Exited(7), "{}", text(&finished));
    assert_eq!((finished.stdout.as_slice(), finished.stderr.as_slice()), (&b"hello"[..], &b"err\n"[..]));
    Ok(())
}

fn a_missing_program_is_told_from_a_failing_one(cell: &Cell) -> Outcome {
    let finished = cell.run("no-such-program-here", [] as [&str; 0])?;
    assert_eq!(finished.ending, Ending::Exited(CONFINED_FAILED_EXIT), "{}", text(&finished));
    assert!(finished.tail(1).contains("cannot start `no-such-program-here`"), "{}", text(&finished));
    Ok(())
}

/// The interpreter and the folder that it lives in, wherever that is.
fn python() -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let script = "import sys; print(sys.executable); print(sys.base_prefix)";
    let asked = Invocation::new("python3", "/").args(["-c", script]).inherit(&["HOME"]);
    let finished = SystemProcessRunner::default().run(&asked)?;
    let stdout = String::from_utf8(finished.stdout)?;
    let mut lines = stdout.lines().map(PathBuf::from);
    lines.next().zip(lines.next()).ok_or_else(|| "python3 says nothing".into())
}

fn python_runs_inside(cell: &Cell) -> Outcome {
    let (python, prefix) = python()?;
    let cell = Cell { readable: vec![prefix], ..Cell::new(cell.mechanism)? };
    std::fs::write(
        cell.path("checkout/test_inside.py"),
        "import json, ssl, subprocess, tempfile, threading, unittest\n\n\
         class Inside(unittest.TestCase):\n    def test_temporary_file(self):\n        \
         with tempfile.TemporaryFile() as file:\n            self.assertEqual(file.write(b'x'), 1)\n\n    \
         def test_child(self):\n        \
         self.assertEqual(subprocess.check_output(['echo', 'child']), b'child\\n')\n",
    )?;
    let finished = cell.run(python, ["-m", "unittest", "-v"])?;
    assert!(finished.succeeded(), "{}", text(&finished));
    assert!(finished.tail(9).contains("Ran 2 tests"), "{}", text(&finished));
    Ok(())
}

fn a_test_suite_is_run_and_read(cell: &Cell) -> Outcome {
    let (python, prefix) = python()?;
    let file = "import unittest\nclass T(unittest.TestCase):\n def test_good(self): pass\n \
                def test_bad(self): open('/etc/shadow')\n";
    std::fs::write(cell.path("checkout/test_inside.py"), file)?;
    // Stands in for pytest: found by its name, it writes its results where it is told to.
    let pytest = "import sys\npath = sys.argv[1].split('=')[1]\nopen(path, 'w').write('<testsuites>\\\n\
                  <testsuite name=\"s\" tests=\"1\" errors=\"0\" failures=\"0\"><testcase classname=\"c\" name=\"t\"/>\\\n\
                  </testsuite></testsuites>')\n";
    std::fs::write(cell.path("checkout/pytest"), pytest)?;
    let confinement = detect(cell.mechanism, cell.resources)?;
    let run = |arguments: &[&str]| {
        let request = SuiteRequest {
            command: [python.to_str().unwrap_or_default()]
                .iter()
                .chain(arguments)
                .map(|&word| word.into())
                .collect(),
            directory: cell.path("checkout"),
            environment: [("PATH".into(), "/usr/bin:/bin".into())].into(),
            limits: cell.limits,
            access: Access { read: vec![prefix.clone()], write: vec![] },
        };
        run_suite(&request, confinement.as_ref(), &SystemProcessRunner::default())
    };
    let report = run(&["-m", "unittest"])?;
    assert_eq!(report.trouble, None, "{}", report.tail);
    assert_eq!(report.failing().collect::<Vec<_>>(), ["test_inside.T.test_bad"]);
    let report = run(&["pytest"])?;
    assert_eq!(report.trouble, None, "{}", report.tail);
    assert_eq!(report.tests.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), ["c.t"]);
    Ok(())
}

fn calls_are_timed(cell: &Cell) -> Outcome {
    let (python, prefix) = python()?;
    let checkout = cell.path("checkout");
    std::fs::write(checkout.join("mod.py"), "def f(text):\n    return sorted(text)\n")?;
    let call = TimedCall {
        name: "f".to_owned(),
        module: "mod".to_owned(),
        function: "f".to_owned(),
        args: vec!["some text".into()],
    };
    let access = Access { read: vec![prefix, checkout.clone()], write: vec![] };
    let confinement = detect(cell.mechanism, cell.resources)?;
    let before = confinement.confine(driver_invocation(&python, &checkout, &[call])?, &access)?;
    // One look: what is measured matters elsewhere, here only that it can be.
    let rule = TimingRule { pairs_min: 2, pairs_max: 2, ..TimingRule::default() };
    let request = TimingRequest { after: before.clone(), before, seed: 1, rule, calibration: None };
    let report = measure(&request, &SystemProcessRunner::default())?;
    assert_eq!((report.pairs, report.benches.len()), (2, 1));
    assert!(report.benches.iter().all(|bench| bench.name == "f" && bench.ratio > 0.0));
    Ok(())
}

fn a_shared_folder_that_is_given_is_the_real_one(cell: &Cell) -> Outcome {
    let Ok(folder) = tempfile::tempdir_in("/var/tmp") else {
        return Ok(()); // A machine without it has nothing to show here.
    };
    let mut cell = Cell::new(cell.mechanism)?;
    std::fs::write(folder.path().join("file"), "shared")?;
    cell.readable.push("/var/tmp".into());
    let finished = cell.shell(&format!("cat {}/file && mktemp", folder.path().display()))?;
    assert!(finished.succeeded() && finished.stdout.starts_with(b"shared"), "{}", text(&finished));
    Ok(())
}

fn crate_in(checkout: &Path) -> std::io::Result<()> {
    let manifest = "[package]\nname = \"inside\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    std::fs::write(checkout.join("Cargo.toml"), manifest)?;
    std::fs::create_dir(checkout.join("src"))?;
    std::fs::write(checkout.join("build.rs"), "fn main() { println!(\"cargo:rustc-env=BUILT=yes\"); }")?;
    std::fs::write(checkout.join("src/main.rs"), "fn main() { println!(\"built {}\", env!(\"BUILT\")); }")
}

fn assert_cargo_runs(cell: &Cell) -> Outcome {
    crate_in(&cell.path("checkout"))?;
    let finished = cell.run("cargo", ["run", "--offline"])?;
    assert!(finished.succeeded(), "{}", text(&finished));
    assert_eq!(finished.stdout, b"built yes\n");
    Ok(())
}

/// Where the Rust of this machine is.
fn sysroot() -> Result<PathBuf, Box<dyn Error>> {
    let asked = Invocation::new("rustc", "/").args(["--print", "sysroot"]).inherit(&[
        "HOME",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
    ]);
    let finished = SystemProcessRunner::default().run(&asked)?;
    assert!(finished.succeeded(), "rustc: {}", finished.tail(5));
    Ok(PathBuf::from(String::from_utf8(finished.stdout)?.trim()))
}

fn cargo_builds_offline_inside(cell: &Cell) -> Outcome {
    let sysroot = sysroot()?;
    let mut cell = Cell::new(cell.mechanism)?;
    let mut path = sysroot.join("bin").into_os_string();
    path.push(":/usr/bin:/bin");
    let cargo_home = cell.path("checkout/.cargo-home").into_os_string();
    cell.environment = vec![("PATH", path), ("CARGO_HOME", cargo_home)];
    cell.readable = vec![sysroot];
    assert_cargo_runs(&cell)
}

fn cargo_builds_through_rustup_inside(cell: &Cell) -> Outcome {
    let path = inherited("PATH").ok_or("PATH is not set")?;
    let proxies = std::env::split_paths(&path).find(|folder| folder.join("rustup").is_file());
    let usual = inherited("HOME").map(|home| PathBuf::from(home).join(".rustup"));
    let rustup_home = inherited("RUSTUP_HOME").map(PathBuf::from).or(usual);
    let rustup_home = rustup_home.filter(|home| home.join("toolchains").is_dir());
    let (Some(proxies), Some(rustup_home)) = (proxies, rustup_home) else {
        return Ok(()); // Rust came from elsewhere, which the other test covers.
    };
    let mut cell = Cell::new(cell.mechanism)?;
    let mut path = proxies.clone().into_os_string();
    path.push(":/usr/bin:/bin");
    let cargo_home = cell.path("checkout/.cargo-home").into_os_string();
    cell.environment = vec![
        ("PATH", path),
        ("CARGO_HOME", cargo_home),
        ("RUSTUP_HOME", rustup_home.clone().into_os_string()),
    ];
    cell.readable = vec![proxies, rustup_home];
    assert_cargo_runs(&cell)
}
