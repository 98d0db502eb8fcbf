//! The readers on files that the real tools wrote here, whole and damaged: none may be misread.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use port::bench::random::Random;
use port::bench::read::{Format, Reading, read, read_text};
use serde_json::Value;
use upstream::process::{Finished, Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::criterion_suite::{cargo, write};
use super::{Metric, Tell};

/// Damaged copies of each file and kind of damage, at most.
const COPIES: usize = 150;

const TESTS: &str = "import time\nimport pytest\n\nSEEN = []\n\ndef test_good():\n    pass\n\n\
    def test_bad():\n    assert 1 == 2\n\n@pytest.mark.skip(reason='why')\ndef test_skipped():\n    pass\n\n\
    @pytest.mark.xfail\ndef test_expected():\n    assert False\n\n@pytest.mark.flaky(reruns=2)\n\
    def test_flaky():\n    SEEN.append(1)\n    assert len(SEEN) > 1\n";

const BENCHES: &str = "def test_sum(benchmark):\n    benchmark(sum, range(100))\n\n\
    def test_sort(benchmark):\n    benchmark(sorted, list(range(100)))\n";

const ASV: &str = "class Suite:\n    params = [[10, 100], ['a', 'b']]\n    param_names = ['size', 'kind']\n\n    \
    def setup(self, size, kind):\n        if kind == 'b' and size == 100:\n            raise NotImplementedError()\n\n    \
    def time_sum(self, size, kind):\n        sum(range(size))\n\n\ndef time_broken():\n    raise ValueError()\n";

/// What a tool wrote.
struct Written {
    tool: &'static str,
    format: Format,
    path: PathBuf,
    /// What must be in it: tasks with a score or value, and how many of these are above zero.
    results: usize,
    good: usize,
}

pub(super) fn run(tools: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut written = python(folder.path())?;
    written.extend(rust(folder.path())?);
    for tool in tools {
        written.push(hyperfine(tool, folder.path())?);
    }
    for file in &written {
        let reading = read(file.format, &file.path).with_context(|| file.tool)?;
        let found = numbers(&reading);
        let good = found.values().filter(|number| **number > 0.0).count();
        let ok = (found.len(), good) == (file.results, file.good);
        tell(Metric {
            name: format!("readers.{}.results", file.tool),
            value: serde_json::json!([found.len(), good]),
            unit: "results, and those above zero",
            target: format!("{} and {}", file.results, file.good),
            ok,
        })?;
        if file.path.is_file() {
            damaged(file, &reading, tell)?;
        }
    }
    Ok(())
}

/// The score or the value of each task; they are never both.
fn numbers(reading: &Reading) -> BTreeMap<String, f64> {
    reading.scores().into_iter().map(|(task, number)| (task.to_owned(), number)).collect()
}

fn damaged(file: &Written, whole: &Reading, tell: &mut Tell<'_>) -> Result<()> {
    let text = std::fs::read_to_string(&file.path)?;
    let known = numbers(whole);
    let (mut copies, mut misread) = (0, 0);
    let mut judge = |damaged: &str, may_lack: bool| {
        copies += 1;
        if let Ok(reading) = read_text(file.format, damaged) {
            let found = numbers(&reading);
            let same = |(task, number): (&String, &f64)| known.get(task) == Some(number);
            let wrong = !found.iter().all(same) || !may_lack && found.len() != known.len();
            misread += usize::from(wrong);
        }
    };
    let mut random = Random::seeded(1);
    for _ in 0..COPIES {
        if let Some(cut) = text.get(..random.index(text.len())) {
            judge(cut, false);
        }
    }
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        let mut places = Vec::new();
        walk(&value, &mut String::new(), &mut places);
        random.shuffle(&mut places);
        for place in places.iter().take(COPIES) {
            for damage in [Damage::Remove, Damage::Twice, Damage::Text, Damage::Null] {
                let mut copy = value.clone();
                if damage.apply(&mut copy, place) {
                    // What is gone may be missing from the results, and never another number.
                    judge(&copy.to_string(), matches!(damage, Damage::Remove | Damage::Null));
                }
            }
            if value.pointer(place).is_some_and(Value::is_number) {
                let mut copy = value.clone();
                if let Some(slot) = copy.pointer_mut(place) {
                    *slot = Value::from("@NaN@");
                }
                judge(&copy.to_string().replace("\"@NaN@\"", "NaN"), true);
            }
        }
    } else {
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len().min(COPIES) {
            let mut twice = lines.clone();
            twice.insert(at, lines.get(at).copied().unwrap_or_default());
            judge(&(twice.join("\n") + "\n"), false);
            let mut less = lines.clone();
            less.remove(at);
            judge(&(less.join("\n") + "\n"), false);
        }
    }
    let name = |what: &str| format!("readers.{}.{what}", file.tool);
    tell(Metric {
        name: name("damaged_copies"),
        value: copies.into(),
        unit: "copies",
        target: String::new(),
        ok: true,
    })?;
    tell(Metric {
        name: name("misread"),
        value: misread.into(),
        unit: "copies",
        target: "0".to_owned(),
        ok: misread == 0,
    })
}

#[derive(Clone, Copy)]
enum Damage {
    Remove,
    Twice,
    Text,
    Null,
}

impl Damage {
    /// Does it at a place; false where it cannot be done there.
    fn apply(self, value: &mut Value, place: &str) -> bool {
        let Some((parent, key)) = place.rsplit_once('/') else { return false };
        match self {
            Self::Remove => match value.pointer_mut(parent) {
                Some(Value::Object(map)) => map.remove(&key.replace("~1", "/").replace("~0", "~")).is_some(),
                _ => false,
            },
            Self::Twice => match value.pointer_mut(parent) {
                Some(Value::Array(list)) => {
                    let Some(element) = key.parse::<usize>().ok().and_then(|at| list.get(at).cloned()) else {
                        return false;
                    };
                    // Only results stand for themselves; one more sample is a sample.
                    let is_result = element.is_object();
                    if is_result {
                        list.push(element);
                    }
                    is_result
                }
                _ => false,
            },
            Self::Text | Self::Null => {
                let Some(slot) = value.pointer_mut(place).filter(|slot| slot.is_number()) else {
                    return false;
                };
                *slot = if matches!(self, Self::Text) { Value::from("fast") } else { Value::Null };
                true
            }
        }
    }
}

/// The places of all values, as JSON pointers.
fn walk(value: &Value, at: &mut String, places: &mut Vec<String>) {
    let mut into = |key: String, inner: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        places.push(at.clone());
        walk(inner, at, places);
        at.truncate(length);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| into(key.clone(), inner)),
        Value::Array(list) => list.iter().enumerate().for_each(|(at, inner)| into(at.to_string(), inner)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn process(program: &Path, folder: &Path, arguments: &[&str]) -> Result<Finished> {
    let invocation = Invocation::new(program, folder)
        .args(arguments.iter().copied())
        .inherit(&["HOME", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
        .limits(Limits::default());
    Ok(SystemProcessRunner::default().run(&invocation)?)
}

/// pytest, its reruns and its benchmarks, and asv, installed for this.
fn python(folder: &Path) -> Result<Vec<Written>> {
    let venv = folder.join("venv");
    let made = process(Path::new("python3"), folder, &["-m", "venv", &venv.to_string_lossy()])?;
    ensure!(made.succeeded(), "no virtual environment: {}", made.tail(5));
    let program = |name: &str| venv.join("bin").join(name);
    let packages = ["pytest", "pytest-rerunfailures", "pytest-benchmark", "asv", "virtualenv"];
    let install: Vec<&str> = ["-q", "install"].into_iter().chain(packages).collect();
    let installed = process(&program("pip"), folder, &install)?;
    ensure!(installed.succeeded(), "cannot install the tools: {}", installed.tail(5));
    std::fs::write(folder.join("test_suite.py"), TESTS)?;
    std::fs::write(folder.join("test_speed.py"), BENCHES)?;
    let pytest = program("pytest");
    process(&pytest, folder, &["-q", "--junitxml=junit.xml", "test_suite.py"])?;
    process(
        &pytest,
        folder,
        &["-q", "--benchmark-max-time=0.001", "--benchmark-json=speed.json", "test_speed.py"],
    )?;
    let asv = folder.join("asv");
    std::fs::create_dir_all(asv.join("benchmarks"))?;
    std::fs::write(asv.join("benchmarks/__init__.py"), "")?;
    std::fs::write(asv.join("benchmarks/suite.py"), ASV)?;
    let python = program("python").to_string_lossy().into_owned();
    std::fs::write(
        asv.join("asv.conf.json"),
        format!(
            "{{\"version\": 1, \"project\": \"p\", \"repo\": \".\", \"branches\": [\"HEAD\"], \"benchmark_dir\": \"benchmarks\", \
         \"environment_type\": \"existing:{python}\"}}"
        ),
    )?;
    for arguments in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "one"],
    ] {
        process(Path::new("git"), &asv, arguments)?;
    }
    process(&program("asv"), &asv, &["machine", "--yes"])?;
    let commit = process(Path::new("git"), &asv, &["rev-parse", "HEAD"])?;
    let commit = String::from_utf8_lossy(&commit.stdout).trim().to_owned();
    let existing = format!("--environment=existing:{python}");
    let commit = format!("--set-commit-hash={commit}");
    process(&program("asv"), &asv, &["run", "--quick", &existing, &commit])?;
    let one = |tool, format, path: PathBuf, results, good| Written { tool, format, path, results, good };
    Ok(vec![
        one("pytest", Format::Junit, folder.join("junit.xml"), 4, 2),
        one("pytest_benchmark", Format::PytestBenchmark, folder.join("speed.json"), 2, 2),
        one("asv", Format::Asv, asv_result(&asv.join("results"))?, 4, 3),
    ])
}

/// The one result file of asv: not the machine's, and not the list of benchmarks.
fn asv_result(folder: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(folder).context("asv wrote no results")? {
        let machine = entry?.path();
        for file in std::fs::read_dir(&machine).into_iter().flatten() {
            let path = file?.path();
            if path.file_name().is_some_and(|name| name != "machine.json") {
                return Ok(path);
            }
        }
    }
    bail!("asv wrote no results")
}

/// The test runners of Rust, and the criterion library.
fn rust(folder: &Path) -> Result<Vec<Written>> {
    let package = write(folder)?;
    let text = cargo(&package, &["test", "--lib", "--no-fail-fast"])?;
    let people = folder.join("libtest.txt");
    std::fs::write(&people, text)?;
    std::fs::create_dir_all(package.join(".config"))?;
    let retries = "[profile.default]\nretries = 1\n[profile.default.junit]\npath = \"junit.xml\"\n";
    std::fs::write(package.join(".config/nextest.toml"), retries)?;
    cargo(&package, &["nextest", "run", "--lib", "--no-fail-fast"])?;
    let quick = ["bench", "--", "--noplot", "--sample-size", "10", "--warm-up-time", "0.02"];
    cargo(&package, &[&quick[..], &["--measurement-time", "0.05"]].concat())?;
    let one = |tool, format, path: PathBuf, results, good| Written { tool, format, path, results, good };
    let target = package.join("target");
    Ok(vec![
        one("libtest", Format::Libtest, people, 2, 1),
        one("nextest", Format::Junit, target.join("nextest/default/junit.xml"), 2, 1),
        one("criterion", Format::Criterion, target.join("criterion"), 3, 3),
    ])
}

/// A hyperfine that is named with `--repo`.
fn hyperfine(program: &Path, folder: &Path) -> Result<Written> {
    let path = folder.join("hyperfine.json");
    let export = path.to_string_lossy().into_owned();
    let run = process(program, folder, &["-N", "-r", "5", "--export-json", &export, "true", "sleep 0.01"])?;
    ensure!(run.succeeded(), "hyperfine failed: {}", run.tail(5));
    Ok(Written { tool: "hyperfine", format: Format::Hyperfine, path, results: 2, good: 2 })
}
