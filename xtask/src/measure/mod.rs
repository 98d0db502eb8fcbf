//! `cargo xtask measure`: every number that the documentation quotes, one JSON object a line.

mod big_port;
mod bootstrap;
mod contract;
mod contract_speed;
mod crash;
mod criterion_suite;
mod daemon;
mod dashboard;
mod demo;
mod diff_accuracy;
mod edits;
mod first_divergence;
mod forge;
mod forge_server;
mod gate_drift;
mod gate_null;
mod gate_reversed;
mod gate_suites;
mod gate_timings;
mod history;
mod history_scale;
mod impact;
mod makespan;
mod mapping;
mod poll;
mod probeable;
mod probes;
mod provider_faults;
mod providers;
mod readers;
mod real_upstream;
mod rules;
mod sandbox;
mod soak;
mod tokens;
mod twins;
mod value_runs;
mod verify;
mod webhooks;
mod workspace;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;

/// One number.
#[derive(Debug, Serialize)]
pub(crate) struct Metric {
    /// What was measured.
    #[serde(rename = "metric")]
    pub(crate) name: String,
    /// The value.
    pub(crate) value: serde_json::Value,
    /// The value's unit.
    pub(crate) unit: &'static str,
    /// What it should be; empty where it is only told.
    pub(crate) target: String,
    /// Whether it is so.
    pub(crate) ok: bool,
}

impl Metric {
    /// A number that must not exceed a bound.
    pub(crate) fn at_most(name: impl Into<String>, value: f64, unit: &'static str, most: f64) -> Self {
        let target = format!("at most {most}");
        Self { name: name.into(), value: value.into(), unit, target, ok: value <= most }
    }

    /// A number that must reach a bound.
    pub(crate) fn at_least(name: impl Into<String>, value: f64, unit: &'static str, least: f64) -> Self {
        let target = format!("at least {least}");
        Self { name: name.into(), value: value.into(), unit, target, ok: value >= least }
    }

    /// A number that is only told.
    pub(crate) fn told(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value: value.into(), unit, target: String::new(), ok: true }
    }
}

/// What some measures let one choose.
#[derive(Debug, clap::Args)]
pub(crate) struct Choices {
    #[command(flatten)]
    sampling: diff_accuracy::Sampling,
    /// `crash`: how often it kills at random. Default: 200.
    #[arg(long, value_name = "N")]
    kills: Option<usize>,
    /// `daemon` and `soak`: how long. Default: 5 and 30.
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// `forge`: how many random schedules. Default: 1000.
    #[arg(long, value_name = "N")]
    schedules: Option<usize>,
    /// `forge`: `OpenAPI` or Swagger descriptions that forges publish, as JSON or YAML, to check each request with: a
    /// file, or a folder of them.
    #[arg(long, value_name = "PATH")]
    schemas: Vec<PathBuf>,
    /// `bootstrap`: who translates what rules do not, as for `tidelock bootstrap`. Default: nobody.
    #[arg(long, value_name = "WHO")]
    translator: Vec<String>,
    /// `diff-accuracy`: where in its part of the history each window begins depends on this number; default: 1. `forge`:
    /// the first schedule; default: 1000000.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// `forge-server`: the program of a Gitea or Forgejo server.
    #[arg(long, value_name = "PATH")]
    gitea: Option<PathBuf>,
    /// `twins`: where it keeps what it builds and asks, so that a stopped run goes on. Default: `work` below the set.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// Takes each number as soon as it is known.
pub(crate) type Tell<'a> = dyn FnMut(Metric) -> Result<()> + 'a;

/// A measure by name.
struct Measure {
    name: &'static str,
    about: &'static str,
    needs: &'static str,
    run: fn(&[PathBuf], &mut Tell<'_>) -> Result<()>,
}

const MEASURES: &[Measure] = &[
    Measure {
        name: "crash",
        about: "a sync killed at every effect boundary and at random instants, on full disks, its database lost or read-only",
        needs: "git, Cargo, Python 3.10, root or user namespaces for small disks; takes no `--repo`, but `--kills`; \
                half an hour",
        run: |repositories, tell| crash::run(None, repositories, tell),
    },
    Measure {
        name: "forge",
        about: "the pull-request bot against a fake GitHub, GitLab and Gitea: random schedules with failures and races",
        needs: "git; takes no `--repo`, but `--schedules`, `--seed`, and `--schemas` with what forges publish; minutes",
        run: |repositories, tell| {
            forge::run(&forge::Chosen { schedules: None, seed: None, published: &[] }, repositories, tell)
        },
    },
    Measure {
        name: "forge-server",
        about: "the pull-request bot against a real Gitea or Forgejo on loopback: proposing, words, each way to merge, declining",
        needs: "`--gitea` with the path of a server's program; git, Cargo, Python 3.10, a build of `tidelock` beside this \
                program; takes no `--repo`; five minutes",
        run: |repositories, tell| forge_server::run(None, repositories, tell),
    },
    Measure {
        name: "webhooks",
        about: "ten thousand webhooks in a burst at a daemon, a third of them forged, repeated or malformed",
        needs: "git, Cargo, Python 3.10, a build of `tidelock` beside this program; takes no `--repo`; minutes",
        run: webhooks::run,
    },
    Measure {
        name: "sandbox",
        about: "what confinement costs at the start of a command, and the attempts to escape it, by user",
        needs: "nothing; bubblewrap, if it is to be among them; as root to try an ordinary user as well; five minutes",
        run: sandbox::run,
    },
    Measure {
        name: "daemon",
        about: "twenty ports polled every minute with nothing new: share of a core and memory of `tidelock watch`",
        needs: "git, and a build of `tidelock` beside this program; takes no `--repo`, but `--minutes`; seven minutes",
        run: |repositories, tell| daemon::run(None, repositories, tell),
    },
    Measure {
        name: "dashboard",
        about: "every page over ten thousand recorded runs: time, and what a real Chromium and axe say; a report of 500 units",
        needs: "git, Cargo, Python 3.10, Chromium, Node.js with npm and its registry, a build of `tidelock` beside this \
                program; takes no `--repo`; ten minutes",
        run: dashboard::run,
    },
    Measure {
        name: "soak",
        about: "a daemon over an upstream that commits, rewrites, deletes its branch and goes away, woken every second",
        needs: "git, Cargo, Python 3.10, a build of `tidelock` beside this program; takes no `--repo`, but \
                `--minutes`; 35 minutes",
        run: |repositories, tell| soak::run(None, repositories, tell),
    },
    Measure {
        name: "demo",
        about: "`tidelock demo` twice from nothing, and five times killed and continued: time, end state, counts",
        needs: "the Cargo registry, git, Python 3.10; takes no `--repo`; about ten minutes",
        run: demo::run,
    },
    Measure {
        name: "poll",
        about: "a poll with nothing new (`tidelock status --poll`) beside `git ls-remote`, over file:// and http://",
        needs: "`--repo` for each upstream; git; a release build of `tidelock` and of this program; a minute each",
        run: poll::run,
    },
    Measure {
        name: "history",
        about: "`tidelock history` of a thousand revisions beside `git log -p` and `git log --raw`: time and memory",
        needs: "`--repo` for each upstream, and release builds of `tidelock` and `xtask`; a minute each",
        run: history::run,
    },
    Measure {
        name: "verify",
        about: "`tidelock verify` over ten thousand revisions, with a link for every item of every library",
        needs: "`--repo` for each upstream; git, Python 3.10; release builds of `tidelock` and `xtask`; minutes each",
        run: verify::verify,
    },
    Measure {
        name: "plan",
        about: "`tidelock plan` of the newest revision of a large workspace, with a link for every item, warm",
        needs: "`--repo` for each upstream; git, Python 3.10; release builds of `tidelock` and `xtask`; minutes each",
        run: verify::plan,
    },
    Measure {
        name: "workspace",
        about: "`tidelock workspace` beside `cargo metadata` and beside the files that rustc reads: agreement",
        needs: "`--repo` for each upstream; git, Cargo and rustc; minutes each",
        run: workspace::run,
    },
    Measure {
        name: "diff-accuracy",
        about: "changed items as rows and full diffs have them against an independent check: revisions that agree",
        needs: "`--repo` for each upstream, at least five; git; `--revisions`, `--window`, `--full`, `--seed` choose \
                the sample; minutes for each",
        run: diff_accuracy::run,
    },
    Measure {
        name: "probeable",
        about: "the share of public functions that the contract can plan probes for, and the reasons for the rest",
        needs: "`--repo` for each upstream; seconds",
        run: probeable::run,
    },
    Measure {
        name: "probes",
        about: "what the calls that upstreams' own tests make add to the probes, and to the code that these run through",
        needs: "`--repo` for each upstream; Cargo and rustc; minutes for each",
        run: probes::run,
    },
    Measure {
        name: "contract",
        about: "how often the contract accepts seeded wrong translations and refuses rewrites, over eleven ports",
        needs: "the Cargo registry, git, Python 3.10, a build of `tidelock`; `--repo` with the name of a port \
                measures it alone; about an hour",
        run: contract::run,
    },
    Measure {
        name: "gate_suites",
        about: "how often the decision about task suites is wrong, and what it costs, over simulated agents",
        needs: "nothing; takes no `--repo`; a minute",
        run: gate_suites::run,
    },
    Measure {
        name: "contract-speed",
        about: "probes a second of both drivers, and what a gate adds to the port's own tests",
        needs: "the Cargo registry, git, Python 3.10, a release build of `tidelock` and `xtask`; takes no `--repo`; minutes",
        run: contract_speed::run,
    },
    Measure {
        name: "first-divergence",
        about: "faults two or more calls below the probed function: how often the faulty function is named",
        needs: "git, Python, `cargo build` before it; takes no `--repo`; some ten minutes",
        run: first_divergence::run,
    },
    Measure {
        name: "gate_timings",
        about: "how often the decision about timings is wrong on simulated machines of 2, 5 and 10 % noise",
        needs: "nothing; takes no `--repo`; a minute",
        run: gate_timings::run,
    },
    Measure {
        name: "gate_drift",
        about: "what many small losses come to over simulated histories of a hundred syncs",
        needs: "nothing; takes no `--repo`; a minute",
        run: gate_drift::run,
    },
    Measure {
        name: "gate_null",
        about: "how often unchanged code is called slower: in published histories, or on this machine now",
        needs: "`--repo` a clone of benchmark-action/github-action-benchmark with its branch gh-pages; without \
                `--repo` the Cargo registry and ten minutes",
        run: gate_null::run,
    },
    Measure {
        name: "gate_reversed",
        about: "commits that made small crates faster, taken back: whether the gate notices",
        needs: "`--repo` clones of strsim, textwrap, wildmatch, num-integer, hex or semver; the Cargo registry; a \
                minute for each of some 16 commits",
        run: gate_reversed::run,
    },
    Measure {
        name: "readers",
        about: "files that real benchmark tools write here, whole and damaged: none may be misread",
        needs: "PyPI, the Cargo registry, cargo-nextest, perl; takes no `--repo`; builds hyperfine and cargo-criterion, \
                some ten minutes",
        run: readers::run,
    },
    Measure {
        name: "edits",
        about: "six thousand answers, sound, broken, hostile and near misses: what is applied, refused, and by which code",
        needs: "Python 3.10; takes no `--repo`; a minute",
        run: edits::run,
    },
    Measure {
        name: "provider-faults",
        about: "ten thousand exchanges over HTTP with a provider that fails in every known way: lost, bought twice, over budget",
        needs: "nothing but the loopback device; takes no `--repo`; minutes",
        run: provider_faults::run,
    },
    Measure {
        name: "providers",
        about: "every protocol against the LiteLLM proxy and a llama.cpp server, and what is written and faked against the \
                providers' SDKs",
        needs: "PyPI, Python 3.10, Debian's `apt-get` and archive, the loopback device; `--repo` with a folder keeps what is \
                fetched there; minutes",
        run: providers::run,
    },
    Measure {
        name: "tokens",
        about: "the prompts of real revisions, against sending the changed files and `git diff -W`; what a cache can hold; cut items",
        needs: "`--repo` with Rust repositories, small crates and a large workspace; git, Python 3.10; tens of minutes",
        run: tokens::run,
    },
    Measure {
        name: "makespan",
        about: "how long a sync of 60 units in 6 waves takes, against what a model that takes 2.5 to 10 seconds allows",
        needs: "git, Cargo, Python 3.10, the loopback device; takes no `--repo`; five minutes",
        run: makespan::run,
    },
    Measure {
        name: "impact",
        about: "the plans of real revisions against what their maintainers changed in the port: recall and size",
        needs: "`--repo` with folders that hold an `impact.json`, as `docs/mapping.md` describes them; git",
        run: impact::run,
    },
    Measure {
        name: "rules",
        about: "whole crates translated with no model: the share of items and tests, why not the rest, and whether a \
                port of what was translated agrees with the upstream",
        needs: "`--repo` for each upstream; the Cargo registry, git, Python 3.10, a build of `tidelock`; a minute each",
        run: rules::run,
    },
    Measure {
        name: "bootstrap",
        about: "whole ports from nothing: the share of items proved and of tests translated and passing, tokens a line",
        needs: "`--repo` for each crate: its name, or a repository; `--translator` for who answers; the Cargo registry, \
                git, Python 3.10 with pytest, a build of `tidelock`; minutes each",
        run: |crates, tell| bootstrap::run(&[], crates, tell),
    },
    Measure {
        name: "mapping",
        about: "`tidelock map infer` against correspondences that real ports recorded: precision and recall by kind",
        needs: "`--repo` with evaluation sets, as `docs/mapping.md` describes them; git",
        run: mapping::run,
    },
    Measure {
        name: "twins",
        about: "commits that change a library in Rust and its twin in Python: whether the parent's Python is refused and the \
                author's accepted",
        needs: "`--repo` with sets, as `docs/contract.md` describes them; git, Cargo, Python 3.10, a build of `tidelock` beside \
                this program; `--out`; two minutes for each commit",
        run: |sets, tell| twins::run(None, sets, tell),
    },
];

/// Names all measures.
pub(crate) fn list() -> Result<()> {
    let mut out = std::io::stdout().lock();
    for Measure { name, about, needs, .. } in MEASURES {
        writeln!(out, "{name}\n  {about}\n  needs: {needs}")?;
    }
    Ok(())
}

/// Runs one; fails when a target is missed.
pub(crate) fn run(name: &str, repositories: &[PathBuf], choices: &Choices) -> Result<()> {
    let Some(measure) = MEASURES.iter().find(|measure| measure.name == name) else {
        bail!("there is no measure `{name}`; `cargo xtask measure --list` names them");
    };
    let mut missed = Vec::new();
    let mut tell = |metric: Metric| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&metric)?)?;
        if !metric.ok {
            missed.push(metric.name);
        }
        Ok(())
    };
    match measure.name {
        "diff-accuracy" => {
            let sampling = choices.sampling.seeded(choices.seed);
            diff_accuracy::sampled(repositories, &sampling, &mut tell)?;
        }
        "crash" => crash::run(choices.kills, repositories, &mut tell)?,
        "daemon" => daemon::run(choices.minutes, repositories, &mut tell)?,
        "soak" => soak::run(choices.minutes, repositories, &mut tell)?,
        "forge" => {
            let Choices { schedules, seed, schemas, .. } = choices;
            forge::run(
                &forge::Chosen { schedules: *schedules, seed: *seed, published: schemas },
                repositories,
                &mut tell,
            )?;
        }
        "forge-server" => forge_server::run(choices.gitea.as_ref(), repositories, &mut tell)?,
        "twins" => twins::run(choices.out.as_deref(), repositories, &mut tell)?,
        _ if choices.out.is_some() => bail!("`--out` belongs to the measure `twins`"),
        _ if choices.gitea.is_some() => bail!("`--gitea` belongs to the measure `forge-server`"),
        _ if choices.schedules.is_some() || !choices.schemas.is_empty() => {
            bail!("`--schedules` and `--schemas` belong to the measure `forge`")
        }
        "bootstrap" => bootstrap::run(&choices.translator, repositories, &mut tell)?,
        _ if !choices.translator.is_empty() => bail!("`--translator` belongs to the measure `bootstrap`"),
        _ if choices.seed.is_some() => bail!("`--seed` belongs to the measures `diff-accuracy` and `forge`"),
        _ if choices.minutes.is_some() => bail!("`--minutes` belongs to the measures `daemon` and `soak`"),
        _ if choices.kills.is_some() => bail!("`--kills` belongs to the measure `crash`"),
        _ => (measure.run)(repositories, &mut tell)?,
    }
    if !missed.is_empty() {
        bail!("targets missed: {}", missed.join(", "));
    }
    Ok(())
}
