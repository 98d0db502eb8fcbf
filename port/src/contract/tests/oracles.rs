//! What the upstream itself can and cannot answer.

use super::*;

#[test]
fn an_unsteady_upstream_and_its_crashes_block_and_refuse_nobody() {
    let port = TestPort::of(
        "def weather():\n    return 4\ndef deep(steps):\n    total = 0\n    for _ in range(min(steps, 10**6)):\n        total = 1 + total % 7\n    return total\n",
    );
    let items = [contract_item("tiny::weather", "port.weather"), contract_item("tiny::deep", "port.deep")];
    let report = checked(&port, &items);
    let weather = evidence(&report, "tiny::weather");
    assert!(weather.not_probed.as_ref().unwrap().contains("differently"), "{weather:?}");
    let deep = evidence(&report, "tiny::deep");
    assert!(deep.blocked > 0 && deep.disagreed == 0, "{deep:?}");
}

#[test]
fn an_upstream_that_does_not_build_is_blocked_with_the_compilers_words() {
    let built = Built::of("pub fn halve(number: i32) -> i32 { number / }", &["tiny::halve"]);
    let report = checked_with(&built, &TestPort::with("", ""), &items()[1..2], None);
    assert!(report.source_blocked.as_ref().unwrap().contains("expected expression"), "{report:?}");
    assert_eq!(report.items, []);
}

#[test]
fn changes_of_both_sides_are_counted_and_an_oracle_is_built_once() {
    let before = Built::of(&UPSTREAM.replace("number / 2", "number / 3"), &["tiny::halve", "tiny::mean"]);
    let again = prepare(
        before.folder.path(),
        &UPSTREAM.replace("number / 2", "number / 3"),
        &["tiny::halve", "tiny::mean"],
    );
    let Prepared::Ready(again) = again else { panic!("it was built before") };
    assert_eq!(again.key(), before.ready().key());

    let items = &items()[1..3];
    let kept = TestPort::with("halve", "def halve(number):\n    return int(number / 3)\n");
    let port_before = kept.side();
    let old = OldRevision { oracle: before.ready(), port: &port_before };
    let report = checked_with(built(), &TestPort::with("", ""), items, Some(old));
    let halve = evidence(&report, "tiny::halve");
    assert!(halve.changed_upstream.unwrap() > 50, "{halve:?}");
    assert_eq!(halve.changed_upstream, halve.changed_port);
    assert_eq!(halve.changed_alike, Some(halve.agreed));
    assert_eq!(evidence(&report, "tiny::mean").changed_upstream, Some(0));

    let stale = checked_with(built(), &kept, items, Some(old));
    assert_eq!(evidence(&stale, "tiny::halve").changed_port, Some(0));
    assert!(evidence(&stale, "tiny::halve").changed_alike < evidence(&stale, "tiny::halve").changed_upstream);
}

#[test]
fn a_member_of_a_workspace_with_a_dependency_and_wrapping_arithmetic_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    let write = |path: &str, text: &str| {
        let path = source.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nversion = \"2.0.0\"\n");
    write("crates/below/Cargo.toml", "[package]\nname = \"below\"\nversion.workspace = true\n");
    write("crates/below/src/lib.rs", "pub fn one() -> u8 { 1 }\n");
    let manifest = "[package]\nname = \"tiny\"\nversion.workspace = true\n[dependencies]\nbelow = { path = \"../below\" }\n";
    write("crates/tiny/Cargo.toml", manifest);
    write(
        "crates/tiny/src/lib.rs",
        "extern crate below;\npub fn next_byte(byte: u8) -> u8 { byte + ::below::one() }\n",
    );
    let package = Package { folder: "crates/tiny".into(), edition: "2015".into(), ..package() };
    let items = [contract_item("tiny::next_byte", "port.next_byte")];
    let request = OracleRequest {
        source: &source,
        source_key: "wrapping",
        snapshot: &snapshot(),
        package: &package,
        library_root: "src/lib.rs",
        items: &[items[0].item.clone()],
        public_paths: &BTreeMap::new(),
        profile: &BuildProfile { overflow_checks: false, ..BuildProfile::default() },
        instrument: None,
        toolchain: &toolchain(),
        cache_dir: &folder.path().join("cache"),
    };
    let oracle = Oracle::prepare(&tools(), &request).unwrap();
    let built = Built { folder, oracle };
    let right = TestPort::of("def next_byte(byte):\n    return (byte + 1) % 256\n");
    let report = checked_with(&built, &right, &items, None);
    assert!(report.items[0].disagreed == 0 && report.items[0].agreed > 100, "{report:?}");
    let report = checked_with(&built, &TestPort::with("", ""), &items, None);
    assert_eq!(report.counterexamples[0].call, "port.next_byte(255)", "{report:?}");
    assert_eq!(report.counterexamples[0].upstream, "0");
}

#[test]
fn what_was_asked_beforehand_is_not_asked_again_and_what_is_not_plain_is_not_kept() {
    let ahead = Built::of(UPSTREAM, &["tiny::halve", "tiny::mean", "tiny::weather"]);
    let foreseen = |item: &ContractItem| Foreseen { items: vec![item.clone()], pools: pools() };
    let recorded = Recorded::default();
    let examples = Examples { harvested: &[], recorded: &recorded };
    let ask =
        |checks: &[Foreseen]| ask_ahead(&tools(), ahead.ready(), examples, &BTreeMap::new(), checks).unwrap();
    let key = ahead.ready().key().to_string();
    let kept =
        || std::fs::read_dir(ahead.folder.path().join("cache/observations").join(&key)).unwrap().count();
    let (halve, mean) = (&items()[1], &items()[2]);
    // Two checks that ask the same are asked for once.
    ask(&[foreseen(halve), foreseen(mean), foreseen(halve)]);
    assert_eq!(kept(), 4);
    ask(&[foreseen(&contract_item("tiny::weather", "port.weather"))]);
    assert_eq!(kept(), 4, "what an unsteady upstream says is left to the check");

    std::fs::remove_file(ahead.folder.path().join("cache/oracles").join(&key).join("driver")).unwrap();
    let port = TestPort::with("", "");
    for item in [halve, mean] {
        let report = checked_with(&ahead, &port, std::slice::from_ref(item), None);
        assert_eq!(report.items, checked(&port, std::slice::from_ref(item)).items);
    }
}

/// Counters whose runtime is no Rust.
#[derive(Debug)]
struct BrokenCounters;

impl Instrument for BrokenCounters {
    fn instrument(&self, source: &str, _: &str, items: &[&Item], first_id: u32) -> Option<InstrumentedFile> {
        let item = items.first()?.path.clone();
        Some(InstrumentedFile { text: source.to_owned(), blocks: vec![(first_id, item)] })
    }

    fn runtime(&self, _: usize) -> String {
        "this is no Rust".to_owned()
    }

    fn reset(&self) -> String {
        String::new()
    }

    fn reached(&self) -> String {
        "Vec::new()".to_owned()
    }
}

/// The one function, prepared from this body and manifest.
fn one_function(
    body: &str,
    features: &str,
    profile: &BuildProfile,
    instrument: Option<&dyn Instrument>,
) -> Built {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::create_dir_all(source.join("src")).unwrap();
    let manifest = format!("[package]\nname = \"tiny\"\nversion = \"1.0.0\"\nedition = \"2021\"\n{features}");
    std::fs::write(source.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(source.join("src/lib.rs"), format!("pub fn next_byte(byte: u8) -> u8 {{ {body} }}\n"))
        .unwrap();
    let request = OracleRequest {
        source: &source,
        source_key: body,
        snapshot: &snapshot(),
        package: &package(),
        library_root: "src/lib.rs",
        items: &[ItemPath::new("tiny::next_byte").unwrap()],
        public_paths: &BTreeMap::new(),
        profile,
        instrument,
        toolchain: &toolchain(),
        cache_dir: &folder.path().join("cache"),
    };
    let oracle = Oracle::prepare(&tools(), &request).unwrap();
    Built { folder, oracle }
}

const WRAPS: &str = "byte.wrapping_add(1)";
const NEXT: &str = "def next_byte(byte):\n    return (byte + 1) % 256\n";

#[test]
fn an_upstream_whose_counters_do_not_build_answers_and_it_is_told() {
    let built = one_function(WRAPS, "", &BuildProfile::default(), Some(&BrokenCounters));
    let items = [contract_item("tiny::next_byte", "port.next_byte")];
    let report = checked_with(&built, &TestPort::of(NEXT), &items, None);
    assert!(report.items[0].agreed > 100 && report.items[0].blocks_total == 0, "{report:?}");
    let told = "what probes reach was not counted, as the counters do not build: ";
    assert!(report.notes[0].starts_with(told) && report.notes[0].contains("error"), "{:?}", report.notes);
    let counted = one_function(WRAPS, "", &BuildProfile::default(), None);
    assert!(checked_with(&counted, &TestPort::of(NEXT), &items, None).notes.is_empty());
}

#[test]
fn features_are_those_of_the_profile() {
    let body =
        "byte.wrapping_add(1 + u8::from(cfg!(feature = \"far\")) + 2 * u8::from(cfg!(feature = \"near\")))";
    let features = "[features]\ndefault = [\"near\"]\nnear = []\nfar = []\n";
    let items = [contract_item("tiny::next_byte", "port.next_byte")];
    for (far, near, step) in [(false, true, 3), (true, true, 4), (true, false, 2), (false, false, 1)] {
        let names = if far { vec!["far".to_owned()] } else { Vec::new() };
        let profile = BuildProfile { features: names, default_features: near, ..BuildProfile::default() };
        let built = one_function(body, features, &profile, None);
        let port = TestPort::of(&format!("def next_byte(byte):\n    return (byte + {step}) % 256\n"));
        let report = checked_with(&built, &port, &items, None);
        assert!(report.items[0].disagreed == 0 && report.items[0].agreed > 100, "{step}: {report:?}");
    }
}
