//! The dashboard over ten thousand runs: how long each page takes, and what a real Chromium and axe say of it; and the
//! report of a sync of 500 units.

mod journal;
mod world;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reports::sample;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use upstream::clock::{Clock, SystemClock};
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::{Metric, Tell};

/// Runs in the journal.
const RUNS: usize = 10_000;
/// How often each page is asked for.
const TIMES: usize = 40;
/// The longest that a page may take, in milliseconds, for 19 of 20.
const PAGE_MS_MAX: f64 = 50.0;
/// Units of the large report, and its bounds.
const UNITS: usize = 500;
const REPORT_MS_MAX: f64 = 1000.0;
const REPORT_BYTES_MAX: f64 = 5_000_000.0;
/// What times are told in, with the build: one for development is several times slower, and bounds are meant for the
/// other.
const PAGE: &str = if cfg!(debug_assertions) { "ms, a build for development" } else { "ms, a release build" };
const RENDERING: &str = if cfg!(debug_assertions) {
    "ms, the slowest of five, a build for development"
} else {
    "ms, the slowest of five, a release build"
};
/// Links that are followed.
const LINKS: usize = 120;
/// How long the first reading of all runs may take, in milliseconds.
const READING_MS_MAX: i64 = 900_000;
/// How long the browser may take over all pages, in milliseconds.
const BROWSER_MS: u64 = 900_000;
/// What drives the browser, from the npm registry. The browser itself is the system's.
const PACKAGES: [&str; 2] = ["playwright-core@1.56.1", "axe-core@4.11.0"];

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `dashboard` takes no repository: it makes its own upstream, port and journal");
    }
    let here = std::env::current_exe()?;
    let program = here.with_file_name("tidelock");
    if !program.is_file() {
        bail!("there is no `{}`: build `tidelock` beside this program first", program.display());
    }
    let chromium = chromium()?;
    let work = here.ancestors().nth(2).context("a target folder")?.join("dashboard");
    let shots = work.join("shots");
    std::fs::create_dir_all(&shots)?;
    let folder = tempfile::tempdir()?;
    world::make(&program, folder.path())?;
    let file = folder.path().join("port/.tidelock/state.db");
    let runs = journal::fill(&file, RUNS, SystemClock.now_ms() - 3_600_000)?;
    let report = folder.path().join("report.html");
    measure_report(&report, tell)?;

    let served = Served::start(&program, &folder.path().join("port"))?;
    let began_ms = SystemClock.now_ms();
    served.wait_for_all_runs()?;
    tell(Metric::told(
        "dashboard.first_reading",
        seconds(SystemClock.now_ms() - began_ms),
        "s for 10,000 runs",
    ))?;
    let pages = pages(&runs)?;
    for (name, path) in &pages {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let began_ms = SystemClock.now_ms();
            let answer = served.get(path)?;
            times.push(seconds(SystemClock.now_ms() - began_ms) * 1000.0);
            if !answer.starts_with("HTTP/1.1 200") {
                bail!("`{path}` answers {}", answer.lines().next().unwrap_or_default());
            }
        }
        times.sort_by(f64::total_cmp);
        let p95 = times.get(TIMES * 19 / 20 - 1).copied().context("a time")?;
        tell(Metric::at_most(format!("dashboard.page.{name}.p95"), p95, PAGE, PAGE_MS_MAX))?;
    }
    let given = json!({
        "modules": work, "chromium": chromium, "origin": served.origin, "pages": pages, "shots": shots,
        "links": LINKS, "journal": file, "report": report,
    });
    let found = browse(&work, &given)?;
    let list = |found: &Value| found.as_array().map_or(usize::MAX, Vec::len);
    let none = |name: &str, found: &Value, unit: &'static str| Metric {
        name: format!("dashboard.{name}"),
        value: found.clone(),
        unit,
        target: "none".to_owned(),
        ok: list(found) == 0,
    };
    tell(Metric::told(
        "dashboard.looks",
        found["looks"].as_f64().unwrap_or(0.0),
        "pages, themes and widths",
    ))?;
    tell(none("axe_violations", &found["violations"], "violations"))?;
    tell(none("foreign_requests", &found["foreign"], "requests"))?;
    tell(none("complaints", &found["complaints"], "lines on the browser's console"))?;
    tell(none("overflow", &found["overflow"], "pages wider than the screen"))?;
    tell(none("unlike_without_javascript", &found["unlike"], "pages"))?;
    tell(none("dead_links", &found["dead"], "links"))?;
    let yes = |name: &str, found: &Value| {
        let value = f64::from(u8::from(found.as_bool() == Some(true)));
        Metric::at_least(format!("dashboard.{name}"), value, "of 1", 1.0)
    };
    tell(yes("change_comes_through", &found["live"]))?;
    tell(yes("command_is_copied", &found["copied"]))?;
    tell(none("report_foreign_requests", &found["report"]["foreign"], "requests"))?;
    tell(none("report_complaints", &found["report"]["complaints"], "lines on the browser's console"))?;
    let headings = found["report"]["headings"].as_f64().unwrap_or(0.0);
    tell(Metric::at_least("dashboard.report_units_shown", headings, "units", 500.0))
}

/// The pages that are measured, by name.
fn pages(runs: &[String]) -> Result<BTreeMap<&'static str, String>> {
    let newest = runs.first().context("a run")?;
    let port = "/port/tinytext-py";
    Ok(BTreeMap::from([
        ("overview", "/".to_owned()),
        ("port", port.to_owned()),
        ("port_last_page", format!("{port}?page=500")),
        ("run", format!("{port}/run/{newest}")),
        ("run_opened", format!("{port}/run/{newest}?")),
        ("unit", format!("{port}/run/{newest}/unit/r2-u1")),
        ("unit_parked_opened", format!("{port}/run/{newest}/unit/r4-u1")),
        ("modules", format!("{port}/modules")),
        ("graph", format!("{port}/graph?revision=0%2E3%2E1")),
        ("graph_symbols", format!("{port}/graph/symbols?revision=0%2E3%2E1")),
        ("benchmarks", format!("{port}/benchmarks")),
        ("costs", format!("{port}/costs")),
    ]))
}

/// The report of a sync of 500 units: time and size.
fn measure_report(path: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let record = sample::large(UNITS);
    let mut times = Vec::new();
    let mut page = String::new();
    for _ in 0..5 {
        let began_ms = SystemClock.now_ms();
        page = reports::render::html(&record)?;
        times.push(seconds(SystemClock.now_ms() - began_ms) * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let worst = times.last().copied().context("a time")?;
    tell(Metric::at_most("dashboard.report.rendering", worst, RENDERING, REPORT_MS_MAX))?;
    #[expect(clippy::cast_precision_loss, reason = "megabytes")]
    let bytes = page.len() as f64;
    tell(Metric::at_most("dashboard.report.size", bytes, "bytes", REPORT_BYTES_MAX))?;
    Ok(std::fs::write(path, page)?)
}

/// A running `tidelock dashboard`.
struct Served {
    child: Child,
    origin: String,
}

impl Served {
    #[expect(clippy::disallowed_methods, reason = "a process that is to run on cannot be an `Invocation`")]
    fn start(program: &Path, port: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["dashboard", "--listen", "127.0.0.1:0"]).current_dir(port);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("its output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let origin = line.trim().trim_end_matches('/').to_owned();
        if !origin.starts_with("http://127.0.0.1:") {
            drop(child.kill());
            bail!("`tidelock dashboard` said `{}`", line.trim());
        }
        Ok(Self { child, origin })
    }

    fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.origin.trim_start_matches("http://"))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Waits until every run was read and the port itself was.
    fn wait_for_all_runs(&self) -> Result<()> {
        let end_ms = SystemClock.now_ms() + READING_MS_MAX;
        loop {
            let (port, modules) = (self.get("/port/tinytext-py")?, self.get("/port/tinytext-py/modules")?);
            if !port.contains("runs were read so far") && modules.contains("class=\"tile") {
                return Ok(());
            }
            if SystemClock.now_ms() > end_ms {
                bail!("the runs were not all read in time, or the port was not");
            }
            SystemClock.sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if kill_process(Pid::from_child(&self.child), Signal::TERM).is_ok() {
            drop(self.child.wait());
        }
    }
}

/// The system's Chromium.
fn chromium() -> Result<PathBuf> {
    let places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let found = places.into_iter().map(PathBuf::from).find(|place| place.exists());
    found.context("there is no Chromium: install your system's package `chromium`")
}

/// Installs what drives the browser, and has it look at all pages.
fn browse(work: &Path, given: &Value) -> Result<Value> {
    let mut install =
        vec!["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefix", "."];
    install.extend(PACKAGES);
    call("npm", work, &install)?;
    let input = work.join("given.json");
    std::fs::write(&input, given.to_string())?;
    let script = work.join("browser.mjs");
    std::fs::write(&script, include_str!("browser.mjs"))?;
    let (script, input) = (script.display().to_string(), input.display().to_string());
    let said = call("node", work, &[&script, &input])?;
    serde_json::from_str(&said).context("the browser's findings are no JSON")
}

fn call(program: &str, folder: &Path, arguments: &[&str]) -> Result<String> {
    let limits = Limits { timeout_ms: BROWSER_MS, ..Limits::default() };
    let invocation = Invocation::new(program, folder).args(arguments.iter().copied()).limits(limits);
    let invocation = invocation.inherit(&[
        "PATH",
        "HOME",
        "TMPDIR",
        "npm_config_registry",
        "NPM_CONFIG_USERCONFIG",
        "HTTPS_PROXY",
        "https_proxy",
    ]);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("`{program}` failed: {}", finished.tail(20));
    }
    Ok(String::from_utf8(finished.stdout)?)
}

fn seconds(ms: i64) -> f64 {
    f64::from(i32::try_from(ms).unwrap_or(i32::MAX)) / 1000.0
}
