//! Calls that an upstream's own tests make, recorded while these really run.

use super::*;

const LIBRARY: &str = "
/// ```
/// assert_eq!(tiny::byte_len(\"from the docs\"), 13);
/// ```
pub fn byte_len(text: &str) -> usize { text.len() }

pub fn next_byte(byte: u8) -> u8 { byte.wrapping_add(1) }

#[cfg(test)]
mod tests {
    #[test]
    fn texts() {
        for word in \"a bc def\".split(' ') { super::byte_len(word); }
        assert_eq!(super::byte_len(\"\"), 1, \"a test that fails has made its calls\");
    }
}
";

fn recorded_of(library: &str, integration: &str) -> (tempfile::TempDir, Recorded) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    for name in ["src", "tests"] {
        std::fs::create_dir_all(source.join(name)).unwrap();
    }
    let manifest = "[package]\nname = \"tiny\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    std::fs::write(source.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(source.join("src/lib.rs"), library).unwrap();
    std::fs::write(source.join("tests/own.rs"), integration).unwrap();
    let snapshot = types::read_snapshot(library);
    let recorded = with_request(folder.path(), &snapshot, |request| {
        assert_eq!(recorded_before(request), None);
        let recorded = record_calls(&tools(), request).unwrap();
        assert_eq!(recorded_before(request), Some(recorded.clone()), "it is done once");
        recorded
    });
    (folder, recorded)
}

fn with_request<Value>(
    folder: &Path,
    snapshot: &Snapshot,
    ask: impl FnOnce(&OracleRequest<'_>) -> Value,
) -> Value {
    let items = ["tiny::byte_len", "tiny::next_byte"].map(|name| ItemPath::new(name).unwrap());
    ask(&OracleRequest {
        source: &folder.join("source"),
        source_key: "recorded",
        snapshot,
        package: &package(),
        library_root: "src/lib.rs",
        items: &items,
        public_paths: &BTreeMap::new(),
        profile: &BuildProfile::default(),
        instrument: None,
        toolchain: &toolchain(),
        cache_dir: &folder.join("cache"),
    })
}

fn calls(recorded: &Recorded, item: &str) -> Vec<String> {
    let calls = recorded.calls.get(&ItemPath::new(item).unwrap()).into_iter().flatten();
    calls
        .map(|given| given.iter().map(|text| text.clone().unwrap_or_default()).collect::<Vec<_>>().join(","))
        .collect()
}

#[test]
fn unit_integration_and_documentation_tests_tell_their_calls() {
    let (folder, recorded) =
        recorded_of(LIBRARY, "#[test]\nfn own() { for at in 0..3 { tiny::next_byte(at * 100); } }\n");
    assert_eq!(recorded.notes, Vec::<String>::new());
    let texts = ["\"\"", "\"a\"", "\"bc\"", "\"def\"", "\"from the docs\""];
    assert_eq!(calls(&recorded, "tiny::byte_len"), texts);
    assert_eq!(calls(&recorded, "tiny::next_byte"), ["0", "100", "200"]);

    // They are probes: half of them of the pool that decides.
    let snapshot = types::read_snapshot(LIBRARY);
    let oracle =
        with_request(folder.path(), &snapshot, |request| Oracle::prepare(&tools(), request).unwrap());
    let Prepared::Ready(oracle) = oracle else { panic!("it does not build") };
    let pools = Pools { probes_max: 4, ..pools() };
    let from = Examples { harvested: &[], recorded: &recorded };
    let drawn = crate::contract::pools::draw(&oracle.plan().functions, &|_| true, from, &pools);
    let of = |probes: &[Probe]| probes.iter().filter(|probe| probe.origin == ProbeOrigin::Recorded).count();
    assert_eq!((of(&drawn.development), of(&drawn.deciding)), (5, 3));
    assert!(drawn.deciding.iter().all(|probe| !probe.may_be_shown));
}

#[test]
fn tests_that_do_not_build_leave_the_others_and_a_crate_that_does_not_a_note() {
    let (_folder, recorded) = recorded_of(LIBRARY, "this is no Rust");
    assert_eq!(calls(&recorded, "tiny::byte_len").len(), 5, "{recorded:?}");
    assert_eq!(calls(&recorded, "tiny::next_byte").len(), 0);
    let broken = LIBRARY.replace("text.len()", "text.length()");
    let (_folder, recorded) = recorded_of(&broken, "");
    assert!(recorded.calls.is_empty());
    assert!(recorded.notes[0].starts_with("its tests do not build: "), "{recorded:?}");
}
