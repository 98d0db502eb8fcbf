//! The releases of a crate in a Cargo registry on the loopback device, through Cargo's own configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use upstream::process::{ProcessRunner, SystemProcessRunner};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::world::{Ran, World};

const BUMP: &str = "def bump(n: int) -> int:\n    \"\"\"Add one, and begin again at the top.\"\"\"\n    return (n + 1) % 256";

/// A registry with one crate, `tally`, made of the states of a world's upstream.
struct Registry {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
    releases: BTreeMap<String, Release>,
}

struct Release {
    archive: Vec<u8>,
    checksum: String,
    yanked: bool,
}

impl Registry {
    /// An empty registry, and a Cargo home below the world that leads every crate to it.
    fn new(world: &World) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(MockServer::start());
        let uri = server.uri();
        world.write(
            "cargo/config.toml",
            &format!(
                "[source.crates-io]\nreplace-with = \"loopback\"\n[source.loopback]\nregistry = \"sparse+{uri}/index/\"\n"
            ),
        );
        Self { runtime, server, releases: BTreeMap::new() }
    }

    /// Publishes what the world's upstream holds now.
    fn publish(&mut self, world: &World, version: &str) {
        let manifest = format!("[package]\nname = \"tally\"\nversion = \"{version}\"\nedition = \"2021\"\n");
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, text) in [("Cargo.toml", manifest), ("src/lib.rs", world.read("upstream/src/lib.rs"))] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append_data(&mut header, format!("tally-{version}/{name}"), text.as_bytes()).unwrap();
        }
        let archive = archive.into_inner().unwrap().finish().unwrap();
        let checksum = hex::encode(Sha256::digest(&archive));
        self.releases.insert(version.to_owned(), Release { archive, checksum, yanked: false });
        self.serve();
    }

    fn release(&mut self, version: &str) -> &mut Release {
        self.releases.get_mut(version).unwrap()
    }

    /// Serves everything as it is now.
    fn serve(&self) {
        let uri = self.server.uri();
        let line = |(version, release): (&String, &Release)| {
            serde_json::json!({
                "name": "tally", "vers": version, "deps": [], "features": {},
                "cksum": release.checksum, "yanked": release.yanked,
            })
            .to_string()
        };
        let index: Vec<String> = self.releases.iter().map(line).collect();
        let mut pages = vec![
            (
                "/index/config.json".to_owned(),
                format!("{{\"dl\":\"{uri}/dl/{{crate}}-{{version}}\"}}").into_bytes(),
            ),
            ("/index/ta/ll/tally".to_owned(), index.join("\n").into_bytes()),
        ];
        for (version, release) in &self.releases {
            pages.push((format!("/dl/tally-{version}"), release.archive.clone()));
        }
        self.runtime.block_on(async {
            self.server.reset().await;
            for (page, body) in pages {
                let answer = ResponseTemplate::new(200).set_body_bytes(body);
                Mock::given(method("GET")).and(path(page)).respond_with(answer).mount(&self.server).await;
            }
        });
    }
}

/// A world whose port equals the first of two releases of a registry, and has not seen the second.
fn released() -> (World, Registry) {
    let world = World::new();
    let mut registry = Registry::new(&world);
    registry.publish(&world, "0.1.0");
    let git = "git = \"../upstream\"\nbranch = \"main\"";
    let config = world.read("port/tidelock.toml").replace(git, "registry = \"tally\"");
    world.write("port/tidelock.toml", &config);
    std::fs::remove_file(world.path("port/tidelock.lock")).unwrap();
    world.commit("port", "begin anew");
    std::fs::remove_dir_all(world.path("port/.tidelock")).unwrap();
    let adopted = tidelock(&world, &["init", "--adopt", "0.1.0"]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    world.commit("port", "adopt a release");
    world.upstream_changes("n.saturating_add(1)", "n.wrapping_add(1)", "bump wraps");
    registry.publish(&world, "0.2.0");
    (world, registry)
}

fn tidelock(world: &World, arguments: &[&str]) -> Ran {
    let home: PathBuf = world.path("cargo");
    let invocation = world.invocation("port", arguments).env("CARGO_HOME", home);
    Ran { finished: SystemProcessRunner::default().run(&invocation).unwrap() }
}

fn sync(world: &World) -> Ran {
    let who = world.answering(&[("tally.bump", BUMP)], "");
    tidelock(world, &["sync", "--translator", &who])
}

#[test]
fn releases_are_followed_and_a_withdrawn_one_is_passed_by() {
    let (world, mut registry) = released();
    world.upstream_changes("LIMIT: u32 = 10", "LIMIT: u32 = 11", "a mistake");
    registry.publish(&world, "0.3.0");
    registry.release("0.3.0").yanked = true;
    world.upstream_changes("LIMIT: u32 = 11", "LIMIT: u32 = 12", "a larger limit");
    registry.publish(&world, "0.3.1");
    let ran = sync(&world);
    assert_eq!(ran.code(), 0, "{ran}");
    let port = world.read("port/tally/__init__.py");
    assert!(port.contains("% 256") && port.contains("LIMIT = 12"), "{port}");
    let log = world.git("port", &["log", "--format=%(trailers:key=Tidelock-Revision,valueonly)", "-n", "2"]);
    assert!(log.contains("0.2.0") && log.contains("0.3.1") && !log.contains("0.3.0"), "{log}");
    let record = tidelock(&world, &["report", "--render", "json"]).json();
    assert_eq!(record["outcome"], "done", "{record:#}");
    assert!(record.to_string().contains("0.3.0"), "the report names the withdrawn release");
    let verified = tidelock(&world, &["verify"]);
    assert_eq!(verified.code(), 0, "{verified}");
    let refused = tidelock(&world, &["sync", "--to", "0.3.0"]);
    assert_eq!(refused.code(), 2, "{refused}");
    assert!(refused.stderr().contains("withdrawn"), "{refused}");
}

/// A sync that cannot go on: it says why, and nothing is lost or half done.
fn stands_still(world: &World, registry: &Registry, says: &str) {
    let before = world.git("port", &["rev-parse", "HEAD"]);
    let ran = sync(world);
    assert!(![0, 3].contains(&ran.code()), "{ran}");
    assert!(ran.stderr().contains(says), "it should say `{says}`: {ran}");
    assert_eq!(world.git("port", &["rev-parse", "HEAD"]), before);
    assert_eq!(world.git("port", &["status", "--porcelain"]), "");
    registry.serve();
}

#[test]
fn a_registry_that_is_wrong_or_away_stops_a_sync_and_the_next_one_goes_on() {
    let (world, mut registry) = released();
    let honest = std::mem::take(&mut registry.release("0.2.0").archive);

    registry.release("0.2.0").archive = honest.iter().copied().take(honest.len() / 2).collect();
    registry.serve();
    stands_still(&world, &registry, "checksum");

    registry.release("0.2.0").archive = b"<html>Not found</html>".to_vec();
    registry.serve();
    stands_still(&world, &registry, "checksum");

    registry.runtime.block_on(registry.server.reset());
    stands_still(&world, &registry, "tally");

    registry.release("0.2.0").archive = honest;
    registry.serve();
    let ran = sync(&world);
    assert_eq!(ran.code(), 0, "{ran}");
    assert!(world.read("port/tally/__init__.py").contains("% 256"));
}
