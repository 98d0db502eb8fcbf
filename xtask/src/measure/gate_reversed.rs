//! Real commits that made real crates faster, taken back: does the gate for values notice?
//!
//! The reference is the crate after such a commit, the candidate the crate before it. What this machine can detect
//! is reckoned from the reference against itself and printed first; how much the commit brought is measured apart
//! from the decision, because pairs that led to a decision are the lucky ones.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use port::bench::decide::Decided;
use port::bench::read::Format;
use port::bench::run::{BenchProcess, Output, ProcessBench, StopRule, Wanted};
use port::confinement::Access;
use port::sandbox::Unconfined;
use port::timing::statistics::{TimingRule, detectable_slowdown};
use serde_json::json;
use upstream::UpstreamRepo;
use upstream::process::{Invocation, Limits, SystemProcessRunner};

use super::criterion_suite::cargo;
use super::value_runs::ValueRuns;
use super::{Metric, Tell};

/// A commit that says that it makes something faster, and a call of ours that tells.
struct Improvement {
    package: &'static str,
    commit: &'static str,
    /// Statements that come first.
    setup: &'static str,
    /// The expression that is timed.
    call: &'static str,
}

const TEXTS: &str = "let (a, b) = (\"ACAAGATGCCATTGTCCCCCGGCCTCCTGCTGCTGCTGCTCTCCGGGGCCACGG\", \
                     \"ACATGATGCCATTGTCCCCAGGCCTCCTGCTGCTGATGCTCTCCGGGGCAACGG\");";
const PARAGRAPH: &str = "let text = \"the tide comes in and the tide goes out again\\n\".repeat(40);";
const NAMES: &str = "let names: Vec<String> = (0..40).map(|n| format!(\"cat{n}alog of div{n}ine puzzles\")).collect(); \
                     let pattern = wildmatch::WildMatch::new(\"cat*log*div?ine*les\");";
const BYTES: &str = "let bytes: Vec<u8> = (0..2048_u32).map(|n| (n * 37 % 251) as u8).collect();";
const NUMBERS: &str = "use num_integer::Integer; \
                       let numbers: Vec<u64> = (1..200_u64).map(|n| n * 0x9E37_79B9_7F4A_7C15 >> 20).collect();";
const VERSION: &str = "let a = semver::Version::parse(\"1.2.3-alpha.11.beta+build.1848.more\").unwrap(); \
                       let b = a.clone();";

const IMPROVEMENTS: &[Improvement] = &[
    Improvement {
        package: "strsim",
        commit: "1c3741874ad5545ddc0c8573050c5bcab176f745",
        setup: TEXTS,
        call: "strsim::hamming(black_box(a), black_box(b))",
    },
    Improvement {
        package: "strsim",
        commit: "6ca79b06ee9a8cada1a608d76b65f89cff2498a4",
        setup: TEXTS,
        call: "strsim::levenshtein(black_box(a), black_box(b))",
    },
    Improvement {
        package: "strsim",
        commit: "d6717dbac880e9f311b9931525285b5b279663ee",
        setup: TEXTS,
        call: "strsim::damerau_levenshtein(black_box(a), black_box(b))",
    },
    Improvement {
        package: "strsim",
        commit: "dfba1315621950cecfc076892245de25820acb0d",
        setup: TEXTS,
        call: "strsim::damerau_levenshtein(black_box(a), black_box(b))",
    },
    Improvement {
        package: "strsim",
        commit: "9d0a95021d0c80d3a86e2b18810cdb6605809136",
        setup: TEXTS,
        call: "strsim::damerau_levenshtein(black_box(a), black_box(b))",
    },
    Improvement {
        package: "strsim",
        commit: "66822fe5a002827ebb08cd2cdaec8746725a829f",
        setup: TEXTS,
        call: "strsim::osa_distance(black_box(a), black_box(b))",
    },
    Improvement {
        package: "textwrap",
        commit: "5feeda4ad92b2385524f6dba7bdd22417474c7f6",
        setup: "",
        call: "textwrap::wrap(black_box(\"a short line of words\"), 80)",
    },
    Improvement {
        package: "textwrap",
        commit: "c5d1636dbb480ed383328a92305d9bd0b712d42e",
        setup: "",
        call: "textwrap::fill(black_box(\"a short line of words\"), 80)",
    },
    Improvement {
        package: "textwrap",
        commit: "19bb2eff3ad67d263bef387d5ea5a602d0219976",
        setup: PARAGRAPH,
        call: "textwrap::indent(black_box(&text), \"    \")",
    },
    Improvement {
        package: "wildmatch",
        commit: "1b91421b28ad8b1f7adcfdf07ab6e2613f977057",
        setup: NAMES,
        call: "names.iter().filter(|name| pattern.is_match(black_box(name))).count()",
    },
    Improvement {
        package: "wildmatch",
        commit: "fc069dea84d7d0ad89099ddaff43e1521222336a",
        setup: NAMES,
        call: "names.iter().filter(|name| pattern.is_match(black_box(name))).count()",
    },
    Improvement {
        package: "wildmatch",
        commit: "6e7c0ea5617cef09ceea5b6b485392836abad9b0",
        setup: NAMES,
        call: "names.iter().filter(|name| pattern.is_match(black_box(name))).count()",
    },
    Improvement {
        package: "num-integer",
        commit: "4c7fc096329105caae855d8e3654f6a3b30c5daa",
        setup: NUMBERS,
        call: "numbers.windows(2).map(|pair| black_box(pair[0]).gcd(&pair[1])).max()",
    },
    Improvement {
        package: "hex",
        commit: "8b9307bbb477b3b7af5ec7681c5a14528cda8f5a",
        setup: BYTES,
        call: "hex::encode_upper(black_box(&bytes))",
    },
    Improvement {
        package: "hex",
        commit: "5cb1fe814c6432cd9efa96292e64933f81de603f",
        setup: BYTES,
        call: "hex::encode(black_box(&bytes))",
    },
    Improvement {
        package: "semver",
        commit: "75856ef55b34f0201392b196bf4ad12e04610790",
        setup: VERSION,
        call: "black_box(&a).cmp(black_box(&b))",
    },
];

/// Pairs that calibrate, that tell how much a commit brought, and the most of a decision.
const PAIRS: [usize; 3] = [40, 16, 20];
/// The share of improvements above what is detectable whose loss must be noticed.
const DETECTED_MIN: f64 = 0.9;

/// Times a call: the median of batches of a few milliseconds each, a call.
const PROGRAM: &str = "use std::hint::black_box;\nuse std::time::Instant;\nfn main() {\n    SETUP\n    \
    let time = |calls: u32| {\n        let start = Instant::now();\n        for _ in 0..calls {\n            \
    let _ = black_box(CALL);\n        }\n        start.elapsed().as_secs_f64()\n    };\n    \
    let mut calls = 1;\n    while time(calls) < 0.003 {\n        calls *= 2;\n    }\n    \
    let mut times: Vec<f64> = (0..15).map(|_| time(calls) / f64::from(calls)).collect();\n    \
    times.sort_by(f64::total_cmp);\n    println!(\"{{\\\"call\\\": {:e}}}\", times[7]);\n}\n";

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `gate_reversed` reads repositories of known crates: name them with `--repo PATH`");
    }
    let (mut detectable, mut detected, mut met) = (0_u32, 0_u32, 0_u32);
    for repository in repositories {
        let repo = UpstreamRepo::open(repository)?;
        for improvement in IMPROVEMENTS {
            let Ok(after) = repo.resolve(improvement.commit) else { continue };
            met += 1;
            let shown =
                format!("{}.{}", improvement.package, after.commit.as_str().get(..7).unwrap_or_default());
            let found = match one(&repo, improvement, &shown, tell) {
                Ok(found) => found,
                Err(error) => {
                    // Old releases may no longer build; that is said, and no number is made of it.
                    let value = json!(format!("{error:#}"));
                    let name = format!("gate_reversed.{shown}.not_measured");
                    tell(Metric { name, value, unit: "", target: String::new(), ok: true })?;
                    continue;
                }
            };
            detectable += u32::from(found.above_detectable);
            detected += u32::from(found.above_detectable && found.rejected);
        }
    }
    ensure!(met > 0, "none of these repositories has one of the commits that are known here");
    tell(Metric::told("gate_reversed.above_detectable", f64::from(detectable), "commits"))?;
    ensure!(detectable > 0, "no improvement was above what this machine detects");
    let share = f64::from(detected) / f64::from(detectable);
    tell(Metric::at_least("gate_reversed.noticed", share, "share", DETECTED_MIN))
}

struct Found {
    above_detectable: bool,
    rejected: bool,
}

fn one(repo: &UpstreamRepo, improvement: &Improvement, shown: &str, tell: &mut Tell<'_>) -> Result<Found> {
    let folder = tempfile::tempdir()?;
    let after = repo.resolve(improvement.commit)?;
    let history = repo.first_parent_history(None, &after.commit)?;
    let before = history.iter().rev().nth(1).context("the commit has no parent")?;
    let reference =
        side(folder.path(), &build(repo, improvement, &after.commit, &folder.path().join("after"))?);
    let candidate =
        side(folder.path(), &build(repo, improvement, &before.commit, &folder.path().join("before"))?);
    let runner = SystemProcessRunner::default();
    let bench = |reference, candidate| ProcessBench {
        reference,
        candidate,
        format: Format::Plain,
        output: &Output::Stdout,
        wanted: Wanted::Values,
        confinement: &Unconfined,
        runner: &runner,
    };
    let (same, both) = (bench(&reference, &reference), bench(&reference, &candidate));
    let [calibrating, telling, deciding] = PAIRS;
    let calibration =
        ValueRuns { bench: &same, folder: folder.path() }.calibration("calibration", calibrating)?;
    let detectable = detectable_slowdown(calibration.overall, deciding);
    tell(Metric::told(format!("gate_reversed.{shown}.detectable"), detectable, "share"))?;
    let runs = ValueRuns { bench: &both, folder: folder.path() };
    let margin = detectable.max(TimingRule::default().margin);
    let rule = TimingRule { pairs_max: deciding, margin, ..TimingRule::default() };
    let decision = runs.run("decision", 1, rule, Some(calibration.clone()), StopRule::WhenDecided)?;
    let rejected = decision.verdict().decided == Decided::Reject;
    let rule = TimingRule { pairs_max: telling, ..rule };
    let told = runs.run("told", 2, rule, Some(calibration), StopRule::AtTheEnd)?;
    let logs = told.tally.timing_pairs.mean_log_ratios();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let slower = (logs.iter().sum::<f64>() / logs.len() as f64).exp_m1();
    tell(Metric::told(format!("gate_reversed.{shown}.slower"), slower, "share"))?;
    tell(Metric::told(
        format!("gate_reversed.{shown}.rejected"),
        f64::from(u8::from(rejected)),
        "1 for yes",
    ))?;
    Ok(Found { above_detectable: slower > margin, rejected })
}

/// Builds the call against the crate at a commit; gives the program.
fn build(
    repo: &UpstreamRepo,
    improvement: &Improvement,
    commit: &upstream::CommitId,
    folder: &Path,
) -> Result<PathBuf> {
    let sources = folder.join("crate");
    repo.export(commit, &sources)?;
    let package = improvement.package;
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(
        folder.join("Cargo.toml"),
        format!(
            "[package]\nname = \"timed\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[dependencies]\n\
             {package} = {{ path = \"crate\" }}\n\n[workspace]\nexclude = [\"crate\"]\n"
        ),
    )?;
    let program = PROGRAM.replace("SETUP", improvement.setup).replace("CALL", improvement.call);
    std::fs::write(folder.join("src/main.rs"), program)?;
    cargo(folder, &["build", "--release", "--quiet"])?;
    let program = folder.join("target/release/timed");
    ensure!(program.is_file(), "`{package}` at {commit} does not build with today's compiler");
    Ok(program)
}

fn side(folder: &Path, program: &Path) -> BenchProcess {
    BenchProcess {
        command: vec![program.to_string_lossy().into_owned()],
        directory: folder.to_owned(),
        environment: Invocation::new("true", "/").environment,
        access: Access::default(),
        limits: Limits { timeout_ms: 60_000, ..Limits::default() },
    }
}
