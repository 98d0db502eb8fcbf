//! `tidelock diff` and `tidelock items`, on repositories without a `tidelock.toml`.

use std::os::unix::ffi::OsStrExt as _;

use serde_json::Value;

use crate::world::{Ran, World};

/// A workspace of two crates, and the revision after it: a bit of everything.
fn workspace() -> World {
    let world = World::bare();
    world.write("repo/Cargo.toml", "[workspace]\nmembers = [\"net\", \"facade\"]\nresolver = \"2\"\n");
    world.write(
        "repo/net/Cargo.toml",
        "[package]\nname = \"pool-net\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[features]\ntls = []\n\n[dependencies]\nlog = \"0.4\"\n",
    );
    world.write("repo/net/src/lib.rs", "//! Nets.\npub mod tcp;\nmod udp;\npub use udp::Datagram;\n");
    world.write("repo/net/src/tcp.rs", TCP);
    world.write("repo/net/src/udp.rs", UDP);
    world.write("repo/net/README.md", "Nets.\n");
    world.write(
        "repo/facade/Cargo.toml",
        "[package]\nname = \"pool\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    world.write("repo/facade/src/lib.rs", "pub use pool_net::*;\n");
    world.git("repo", &["init", "-q", "-b", "main"]);
    world.commit("repo", "first");
    world.git("repo", &["tag", "v0.1.0"]);
    let tcp = TCP
        .replace("port: u16) -> Stream", "port: u16, timeout_ms: Option<u64>) -> Stream")
        .replace("pub peer: String,", "pub peer: std::net::IpAddr,\n    pub open: bool,")
        .replace("/// Closes it.", "/// Closes it, twice if need be.")
        .replace("assert!(true)", "assert_eq!(1, 1)")
        .replace("    Closed,\n", "")
        .replace("const LIMIT: usize = 10", "const LIMIT: usize = 20");
    world.write("repo/net/src/tcp.rs", &tcp);
    world.git("repo", &["mv", "net/src/udp.rs", "net/src/datagram.rs"]);
    world.write("repo/net/src/datagram.rs", &UDP.replace("self.0.len()", "self.0.len() + 8"));
    world.write(
        "repo/net/src/lib.rs",
        "//! Nets.\npub mod tcp;\nmod datagram;\npub use datagram::Datagram;\n",
    );
    world.write("repo/net/README.md", "Nets, and more.\n");
    let manifest = world.read("repo/net/Cargo.toml");
    let manifest = manifest
        .replace("0.1.0", "0.2.0")
        .replace("\"0.4\"", "\"0.4.20\"")
        .replace("tls = []", "tls = [\"dep:log\"]");
    world.write("repo/net/Cargo.toml", &manifest);
    world.commit("repo", "second");
    world
}

const TCP: &str = r"//! Streams.

/// The most streams.
pub const LIMIT: usize = 10;

/// A stream.
#[derive(Debug)]
pub struct Stream {
    pub peer: String,
    state: State,
}

#[derive(Debug)]
pub enum State {
    Open { since: u64 },
    Closed,
}

impl Stream {
    /// Opens one.
    pub fn open(peer: &str, port: u16) -> Stream {
        let _ = port;
        Stream { peer: peer.to_owned(), state: State::Open { since: 0 } }
    }

    /// Closes it.
    pub fn close(self) {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn opens() {
        assert!(true);
    }
}
";

const UDP: &str = r"//! Datagrams.

/// A datagram.
#[derive(Debug, Clone)]
pub struct Datagram(Vec<u8>);

impl Datagram {
    /// Its length on the wire, with the header that every datagram has.
    pub fn wire_length(&self) -> usize {
        self.0.len()
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
";

fn shown(ran: &Ran) -> String {
    assert_eq!(ran.code(), 0, "{ran}");
    ran.stdout()
}

/// A program's schema, as it stands in the documentation.
fn schema(name: &str) -> jsonschema::Validator {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/schemas/{name}.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn assert_valid(name: &str, value: &Value) {
    let errors: Vec<String> = schema(name).iter_errors(value).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "{value:#}");
}

#[test]
fn a_diff_is_grouped_by_crate_and_module() {
    let world = workspace();
    insta::assert_snapshot!("diff", shown(&world.tidelock_in("repo", &["diff", "v0.1.0", "main"])));
    insta::assert_snapshot!(
        "diff_all",
        shown(&world.tidelock_in("repo", &["diff", "v0.1.0..main", "--all"]))
    );
    insta::assert_snapshot!("diff_stat", shown(&world.tidelock_in("repo", &["diff", "HEAD", "--stat"])));
    insta::assert_snapshot!(
        "diff_patch",
        shown(
            &world
                .tidelock_in("repo", &["diff", "HEAD^", "HEAD", "--patch", "--path", "net/src/datagram.rs"])
        )
    );
}

#[test]
fn filters_keep_crates_and_files_and_say_what_they_left_out() {
    let world = workspace();
    let facade = shown(&world.tidelock_in("repo", &["diff", "HEAD~1", "HEAD", "--crate", "pool"]));
    assert!(facade.contains("left out by the filter") && !facade.contains("Stream"), "{facade}");
    let net = shown(&world.tidelock_in("repo", &["diff", "HEAD~1", "HEAD", "--crate", "pool-net"]));
    assert!(net.contains("Stream::open") && net.contains("log"), "{net}");
}

#[test]
fn the_first_revision_is_compared_with_nothing() {
    let world = workspace();
    let text = shown(&world.tidelock_in("repo", &["diff", "v0.1.0"]));
    assert!(text.starts_with("nothing → v0.1.0"), "{text}");
    assert!(text.contains("public API added"), "{text}");
}

#[test]
fn json_and_json_lines_are_what_their_schemas_say() {
    let world = workspace();
    let arguments = ["diff", "v0.1.0", "main", "--format"];
    let document = world.tidelock_in("repo", &[&arguments[..], &["json", "--patch"]].concat()).json();
    assert_valid("diff", &document);
    assert_eq!(document["class"], "public_api_changed");
    let open = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["path"] == "pool_net::tcp::Stream::open");
    assert_eq!(
        open.unwrap()["header"]["after"],
        "pub fn open(peer: &str, port: u16, timeout_ms: Option<u64>) -> Stream"
    );
    let lines = shown(&world.tidelock_in("repo", &[&arguments[..], &["jsonl"]].concat()));
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records[0]["record"], "summary");
    assert_eq!(
        records.iter().filter(|it| it["record"] == "item").count(),
        document["items"].as_array().unwrap().len()
    );
    for record in &records {
        assert_valid("diff-line", record);
    }
    let items = world.tidelock_in("repo", &["items", "HEAD", "--parts", "--format", "json"]).json();
    assert_valid("items", &items);
    let lines = shown(&world.tidelock_in("repo", &["items", "HEAD", "--public", "--format", "jsonl"]));
    for line in lines.lines() {
        assert_valid("items-line", &serde_json::from_str(line).unwrap());
    }
    let rows = shown(&world.tidelock_in("repo", &["history", "--no-cache", "--format", "jsonl"]));
    assert_eq!(rows.lines().count(), 2);
    for line in rows.lines() {
        assert_valid("history-row", &serde_json::from_str(line).unwrap());
    }
}

#[test]
fn items_are_a_tree_and_the_public_ones_stand_where_users_find_them() {
    let world = workspace();
    insta::assert_snapshot!("items", shown(&world.tidelock_in("repo", &["items"])));
    insta::assert_snapshot!(
        "items_public",
        shown(&world.tidelock_in("repo", &["items", "HEAD", "--public", "--parts"]))
    );
    let kinds = shown(&world.tidelock_in("repo", &["items", "--kind", "struct", "--kind", "const"]));
    assert!(kinds.contains("Stream") && kinds.contains("LIMIT") && !kinds.contains("State"), "{kinds}");
}

#[test]
fn what_is_no_repository_revision_kind_or_pattern_is_refused_with_what_to_do() {
    let world = workspace();
    for (arguments, words) in [
        (&["diff", "HEAD", "--repo", "/nonexistent"][..], &["not a git repository", "--repo PATH"][..]),
        (&["diff", "v9", "HEAD"], &["no revision `v9`"]),
        (&["diff", "v0.1.0~1"], &["before the first revision"]),
        (&["diff", "HEAD~x"], &["HEAD~x"]),
        (&["diff", "v0.1.0...HEAD"], &["three dots", "FROM TO"]),
        (&["diff", "v0.1.0..HEAD", "HEAD"], &["FROM..TO"]),
        (&["diff", "HEAD", "--path", "[a"], &["--path [a", "`**`"]),
        (&["items", "HEAD", "--kind", "strcut"], &["`strcut` is no kind", "--help"]),
        (&["items", "v9"], &["no revision `v9`"]),
    ] {
        let ran = world.tidelock_in("repo", arguments);
        assert_eq!(ran.code(), 2, "{arguments:?}: {ran}");
        for word in words {
            assert!(ran.stderr().contains(word), "{arguments:?} lacks `{word}`: {ran}");
        }
    }
}

#[test]
fn odd_files_are_named_and_stop_nothing() {
    let world = workspace();
    std::fs::write(world.path("repo/net/src/tcp.rs"), b"\xff\xfe\x00binary").unwrap();
    world.write("repo/net/src/datagram.rs", "pub struct Datagram(");
    let name = std::ffi::OsStr::from_bytes(b"repo/net/odd\xff.txt");
    std::fs::write(world.root.path().join(name), "x").unwrap();
    world.commit("repo", "odd");
    let text = shown(&world.tidelock_in("repo", &["diff", "HEAD"]));
    assert!(text.contains("net/src/tcp.rs  not read: it is not UTF-8"), "{text}");
    assert!(text.contains("net/src/datagram.rs  not read: line 1"), "{text}");
    assert!(text.contains("net/odd\\xff.txt"), "{text}");
    assert!(text.contains("(not certain)"), "{text}");
    let items = shown(&world.tidelock_in("repo", &["items"]));
    assert!(items.contains("net/src/datagram.rs  not read"), "{items}");
}

#[test]
fn a_folder_inside_the_repository_will_do_and_so_does_a_bare_one() {
    let world = workspace();
    shown(&world.tidelock_in("repo/net/src", &["diff", "HEAD", "--stat"]));
    world.git("repo", &["clone", "-q", "--bare", ".", "../bare.git"]);
    let text = shown(&world.tidelock_in("repo", &["items", "--repo", "../bare.git", "--crate", "pool-net"]));
    assert!(text.contains("pub struct Stream"), "{text}");
}
