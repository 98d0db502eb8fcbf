//! How fast the contract asks: probes a second of each side's driver, and what a gate adds to the port's own tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mappings::SymbolPath;
use port::confinement::Access;
use port::contract::{
    BuildProfile, ContractItem, ContractRequest, Examples, Oracle, OracleRequest, Pools, PortSide, Prepared,
    Profile, Recorded, check, probe_coverage, public_paths,
};
use serde_json::Value;
use upstream::process::{Invocation, SystemProcessRunner};
use upstream::{Clock, ItemPath, SystemClock, snapshot};

use super::contract::{commit, git, ran};
use super::real_upstream::{newest, toolchain, tools};
use super::{Metric, Tell};

/// The fewest probes a second.
const UPSTREAM_LEAST: f64 = 20_000.0;
const PORT_LEAST: f64 = 10_000.0;
/// The most seconds that a gate may add to the port's own tests, its upstream built.
const ADDED_MOST: f64 = 3.0;
/// Probes for each pool of each function: enough that the start of a process is nothing beside them.
const PROBES: usize = 25_000;
/// How often each is timed; the fastest counts, since other work of the machine only ever adds.
const ROUNDS: usize = 3;

/// A scalar function and one of short texts.
const UPSTREAM: &str = "pub fn turned(number: u64) -> u64 {\n    number.rotate_left(7) ^ 12\n}\n\n\
                        pub fn doubled(text: &str) -> String {\n    format!(\"{text}{text}\")\n}\n";
const PORT: &str = "def turned(number):\n    return ((number << 7 | number >> 57) & 0xFFFFFFFFFFFFFFFF) ^ 12\n\n\n\
                    def doubled(text):\n    return text + text\n";
/// Functions of the demo's port that a person changes.
const CHANGED: [&str; 3] = ["hamming", "levenshtein", "sorensen_dice"];

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `contract-speed` brings its own crate and takes no `--repo`");
    }
    drivers(tell)?;
    gate(tell)
}

/// Both drivers, one after the other: the upstream's answers are kept, so that a comparison asks the port alone.
fn drivers(tell: &mut Tell<'_>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("upstream");
    std::fs::create_dir_all(source.join("src"))?;
    std::fs::write(source.join("src/lib.rs"), UPSTREAM)?;
    let manifest = "[package]\nname = \"quick\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    std::fs::write(source.join("Cargo.toml"), manifest)?;
    git(&source, &["init", "--quiet", "--initial-branch=main"])?;
    commit(&source, "quick")?;
    let root = folder.path().join("port");
    std::fs::create_dir(&root)?;
    std::fs::write(root.join("quick.py"), PORT)?;

    let (repo, revision) = newest(&source)?;
    let snapshot = snapshot::read(&repo.tree(&revision.commit)?, &revision)?;
    let package = snapshot.packages.first().context("the crate has a package")?;
    let names = ["turned", "doubled"];
    let pairs: Vec<ContractItem> = names
        .iter()
        .map(|name| {
            let item = ItemPath::new(format!("quick::{name}"))?;
            Ok(ContractItem { item, symbol: SymbolPath::new(format!("quick.{name}"))? })
        })
        .collect::<Result<_>>()?;
    let items: Vec<ItemPath> = pairs.iter().map(|pair| pair.item.clone()).collect();
    let (runner, clock) = (SystemProcessRunner::default(), SystemClock);
    let tools = tools(&runner, &clock);
    let request = OracleRequest {
        source: &source,
        source_key: revision.commit.as_str(),
        snapshot: &snapshot,
        package,
        library_root: "src/lib.rs",
        items: &items,
        public_paths: &public_paths(&snapshot),
        profile: &BuildProfile::default(),
        instrument: None,
        toolchain: &toolchain(),
        cache_dir: &folder.path().join("cache"),
    };
    let prepared = Oracle::prepare(&tools, &request)?;
    let Prepared::Ready(oracle) = &prepared else { bail!("the crate does not build here: {prepared:?}") };
    let candidate = PortSide {
        import_roots: vec![root.clone()],
        root,
        python: "python3".into(),
        access: Access::default(),
        environment: BTreeMap::new(),
    };
    let links = pairs.iter().map(|pair| (pair.item.clone(), pair.symbol.clone())).collect();
    let recorded = Recorded::default();
    let (mut of_upstream, mut of_port): (f64, f64) = (0.0, 0.0);
    for round in 0..ROUNDS {
        let pools = Pools {
            development_seed: format!("public {round}"),
            deciding_seed: format!("secret {round}"),
            probes_max: PROBES,
        };
        let begun_ms = clock.now_ms();
        let asked = probe_coverage(&tools, oracle, Examples { harvested: &[], recorded: &recorded }, &pools)?;
        of_upstream = of_upstream.max(rate(asked.generated, clock.now_ms() - begun_ms));
        let begun_ms = clock.now_ms();
        let report = check(
            &tools,
            &ContractRequest {
                upstream: &prepared,
                snapshot: &snapshot,
                candidate: &candidate,
                old: None,
                items: &pairs,
                links: &links,
                harvested: &[],
                recorded: &recorded,
                pools: &pools,
                profile: &Profile::default(),
                counterexamples_max: 0,
                tracer: None,
            },
        )?;
        let took_ms = clock.now_ms() - begun_ms;
        let agreed: u32 = report.items.iter().map(|evidence| evidence.agreed).sum();
        if agreed as usize != asked.generated {
            bail!("{agreed} of {} probes agree: {report:?}", asked.generated);
        }
        of_port = of_port.max(rate(asked.generated, took_ms));
    }
    let name = |what: &str| format!("contract_speed.{what}");
    let unit = "probes a second, drawing and keeping them included";
    tell(Metric::at_least(name("upstream"), of_upstream, unit, UPSTREAM_LEAST))?;
    let unit = "probes a second, drawing and comparing them included";
    tell(Metric::at_least(name("port"), of_port, unit, PORT_LEAST))
}

#[expect(clippy::cast_precision_loss, reason = "some hundred thousand probes in some seconds")]
fn rate(probes: usize, took_ms: i64) -> f64 {
    probes as f64 * 1000.0 / took_ms.max(1) as f64
}

/// A person's change of three functions of the demo's port, gated again and again.
fn gate(tell: &mut Tell<'_>) -> Result<()> {
    let program = super::demo::program()?;
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("demo");
    drop(ran(Invocation::new(&program, "/").args([std::ffi::OsStr::new("demo"), root.as_os_str()]))?);
    let port = root.join("port");
    change(&port.join("strsim/__init__.py"))?;
    let clock = SystemClock;
    let mut added = f64::INFINITY;
    // The first one builds the upstream, where the demo has not done so.
    for _ in 0..=ROUNDS {
        let begun_ms = clock.now_ms();
        let written = ran(Invocation::new(&program, &port).args(["gate", "--format", "json"]))?;
        let whole_ms = clock.now_ms() - begun_ms;
        let told: Value = serde_json::from_slice(&written).context("the gate wrote no JSON")?;
        let gates = told.pointer("/gates").and_then(Value::as_array).context("the gate names no gates")?;
        let tests = gates.iter().find(|gate| gate.get("gate") == Some(&Value::from("tests")));
        let tests_ms = tests.and_then(|gate| gate.get("duration_ms")?.as_i64()).context("no tests ran")?;
        #[expect(clippy::cast_precision_loss, reason = "some seconds")]
        let beside = (whole_ms - tests_ms) as f64 / 1000.0;
        added = added.min(beside);
    }
    tell(Metric::at_most("contract_speed.gate_adds", added, "s beside the port's own tests", ADDED_MOST))
}

/// Writes a line into each of the functions that changes nothing.
fn change(file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    let mut lines: Vec<String> = Vec::new();
    let mut changed = 0;
    for line in text.lines() {
        lines.push(line.to_owned());
        if CHANGED.iter().any(|name| line.starts_with(&format!("def {name}("))) {
            lines.push("    _unused = 0".to_owned());
            changed += 1;
        }
    }
    if changed != CHANGED.len() {
        bail!("the demo's port has {changed} of the functions {}", CHANGED.join(", "));
    }
    Ok(std::fs::write(file, lines.join("\n") + "\n")?)
}
