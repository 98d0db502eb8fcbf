//! The faults of `cargo xtask measure first-divergence`, by the contract alone.

use serde::Deserialize;

use super::traced::Traced;
use super::*;

/// Every how manieth fault is tried here; the measure tries all.
const EVERY: usize = 6;

#[derive(Deserialize)]
struct Faults {
    fault: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    probed: String,
    faulty: String,
    changes: Vec<[String; 2]>,
}

const MODULES: [&str; 4] = ["numbers", "texts", "shapes", "state"];

fn read(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xtask/divergence");
    std::fs::read_to_string(folder.join(path)).unwrap()
}

struct Chains {
    folder: tempfile::TempDir,
    snapshot: Snapshot,
    oracle: Prepared,
    traced: Traced,
    links: BTreeMap<ItemPath, SymbolPath>,
}

impl Chains {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        write_crate(&source, &read("upstream/lib.rs"));
        let mut files = vec![
            (
                "Cargo.toml".to_owned(),
                "[package]\nname = \"tiny\"\nversion = \"1.0.0\"\nedition = \"2021\"\n".into(),
            ),
            ("src/lib.rs".to_owned(), read("upstream/lib.rs")),
        ];
        for module in MODULES {
            let text = read(&format!("upstream/{module}.rs"));
            std::fs::write(source.join(format!("src/{module}.rs")), &text).unwrap();
            files.push((format!("src/{module}.rs"), text));
        }
        let tree: upstream::tree::MemoryTree =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let snapshot = upstream::snapshot::read(&tree, &snapshot().revision).unwrap();
        let called = snapshot.items.values().filter(|item| item.signature.is_some());
        let names: Vec<&str> = called.map(|item| item.path.as_str()).collect();
        let oracle = prepare_from(folder.path(), "chains", &names, &snapshot);
        let Prepared::Ready(traced) = prepare_with(folder.path(), "chains", &names, &snapshot, &CallLog)
        else {
            panic!("the marked crate does not build")
        };
        let links = snapshot.items.keys().filter(|path| path.segments().len() > 2).map(|path| {
            let symbol =
                path.as_str().replacen("tiny", "chains", 1).replace("::new", "::__init__").replace("::", ".");
            (path.clone(), SymbolPath::new(symbol).unwrap())
        });
        let links = links.collect();
        Self { snapshot, oracle, traced: Traced(traced), links, folder }
    }

    /// The symbol that is named for what is asked about, empty where none is; `None` where the contract sees nothing.
    fn named(&self, probed: &str) -> Option<String> {
        let root = self.folder.path().join("port");
        let side = PortSide {
            import_roots: vec![root.clone()],
            root,
            python: "python3".into(),
            access: Access::default(),
            environment: BTreeMap::new(),
        };
        let item = format!("tiny::{}", probed.replace('.', "::"));
        let request = ContractRequest {
            upstream: &self.oracle,
            snapshot: &self.snapshot,
            candidate: &side,
            old: None,
            items: &[contract_item(&item, &format!("chains.{probed}"))],
            links: &self.links,
            harvested: &[],
            recorded: &Recorded::default(),
            pools: &pools(),
            profile: &Profile::default(),
            counterexamples_max: 1,
            tracer: Some(&self.traced),
        };
        let report = check(&tools(), &request).unwrap();
        let first = report.counterexamples.first()?;
        Some(first.divergence.as_ref().map(|found| found.symbol.to_string()).unwrap_or_default())
    }
}

#[test]
fn nine_of_ten_faults_deep_below_the_probed_function_are_named() {
    let chains = Chains::new();
    let port = chains.folder.path().join("port/chains");
    std::fs::create_dir_all(&port).unwrap();
    for module in MODULES.iter().chain(&["__init__"]) {
        std::fs::write(port.join(format!("{module}.py")), read(&format!("port/chains/{module}.py"))).unwrap();
    }
    let faults: Faults = toml::from_str(&read("faults.toml")).unwrap();
    let changes =
        faults.fault.iter().flat_map(|fault| fault.changes.iter().map(move |change| (fault, change)));
    let (mut named, mut seen) = (0, 0);
    let mut others = Vec::new();
    for (fault, [this, that]) in changes.step_by(EVERY) {
        let file = port.join(format!("{}.py", fault.faulty.split('.').next().unwrap()));
        let right = std::fs::read_to_string(&file).unwrap();
        assert_eq!(right.matches(this.as_str()).count(), 1, "{this}");
        std::fs::write(&file, right.replace(this, that)).unwrap();
        let found = chains.named(&fault.probed);
        std::fs::write(&file, &right).unwrap();
        seen += usize::from(found.is_some());
        match found {
            Some(symbol) if symbol == format!("chains.{}", fault.faulty) => named += 1,
            other => others.push(format!("{} -> {}: {other:?}", fault.faulty, that)),
        }
    }
    eprintln!("first divergence: {named} of {seen} named; {others:#?}");
    assert!(seen >= 8 && named * 10 >= seen * 9, "{named} of {seen}: {others:#?}");
}
