//! A sparse Cargo registry on the loopback device, and archives of every kind for it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};
use tempfile::TempDir;

use super::*;

/// What the server answers, and what it was asked.
#[derive(Default)]
struct Served {
    answers: BTreeMap<String, (u16, Vec<u8>)>,
    /// Answered before anything else, each once.
    first: Vec<u16>,
    requests: Vec<String>,
}

/// A registry with one crate, `demo`, and the folders of one machine that uses it.
pub(super) struct Registry {
    folder: TempDir,
    address: String,
    served: Arc<Mutex<Served>>,
    stop: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
    index: Mutex<Vec<Published>>,
}

/// A line of the index.
#[derive(Clone)]
pub(super) struct Published {
    pub(super) version: String,
    pub(super) checksum: String,
    pub(super) yanked: bool,
    pub(super) pubtime: Option<String>,
}

impl Registry {
    pub(super) fn new() -> Self {
        install_tls_provider();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (served, stop) = (Arc::new(Mutex::new(Served::default())), Arc::new(AtomicBool::new(false)));
        let server = std::thread::spawn({
            let (served, stop) = (Arc::clone(&served), Arc::clone(&stop));
            move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    // A client that went away is no concern of the server.
                    drop(stream.and_then(|stream| answer(&stream, &served)));
                }
            }
        });
        let folder = TempDir::new().unwrap();
        let registry =
            Self { folder, address, served, stop, server: Some(server), index: Mutex::new(Vec::new()) };
        let config = format!("{{\"dl\":\"http://{}/dl/{{crate}}-{{version}}.crate\"}}", registry.address);
        registry.serve("/index/config.json", 200, config.into_bytes());
        registry
    }

    /// Publishes a release that holds a manifest and a library.
    pub(super) fn publish(&self, version: &str) {
        let manifest = format!("[package]\nname = \"demo\"\nversion = \"{version}\"\n");
        let mut archive = ArchiveBuilder::new();
        archive.file(&format!("demo-{version}/Cargo.toml"), 0o644, manifest.as_bytes());
        archive.file(&format!("demo-{version}/src/lib.rs"), 0o644, b"pub fn demo() {}\n");
        archive.file(&format!("demo-{version}/run.sh"), 0o755, b"#!/bin/sh\n");
        self.publish_archive(version, archive.finish());
    }

    pub(super) fn publish_archive(&self, version: &str, archive: Vec<u8>) {
        self.index.lock().unwrap().push(Published {
            version: version.to_owned(),
            checksum: hex::encode(Sha256::digest(&archive)),
            yanked: false,
            pubtime: None,
        });
        self.serve(&format!("/dl/demo-{version}.crate"), 200, archive);
        self.change(|_| ());
    }

    /// Changes the index, and serves it so.
    pub(super) fn change(&self, change: impl FnOnce(&mut Vec<Published>)) {
        let mut index = self.index.lock().unwrap();
        change(&mut index);
        let line = |published: &Published| {
            let mut line = serde_json::json!({
                "name": "demo", "vers": published.version, "deps": [], "cksum": published.checksum,
                "features": {}, "yanked": published.yanked,
            });
            if let Some(pubtime) = &published.pubtime {
                line["pubtime"] = serde_json::json!(pubtime);
            }
            format!("{line}\n")
        };
        let text: String = index.iter().map(line).collect();
        self.serve("/index/de/mo/demo", 200, text.into_bytes());
    }

    pub(super) fn yank(&self, version: &str) {
        self.change(|index| {
            for published in index.iter_mut().filter(|published| published.version == version) {
                published.yanked = true;
            }
        });
    }

    pub(super) fn serve(&self, path: &str, status: u16, body: Vec<u8>) {
        self.served.lock().unwrap().answers.insert(path.to_owned(), (status, body));
    }

    /// Answers the next requests with these statuses.
    pub(super) fn answer_first(&self, statuses: &[u16]) {
        self.served.lock().unwrap().first = statuses.to_vec();
    }

    /// The paths that were asked for since this was last called.
    pub(super) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.served.lock().unwrap().requests)
    }

    /// Stops answering.
    pub(super) fn shut_down(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(server) = self.server.take() {
            // Wakes the server, so that it sees that it shall stop.
            drop(TcpStream::connect(&self.address));
            server.join().unwrap();
        }
    }

    /// A mirror on a machine whose Cargo configuration replaces the default registry by this one.
    pub(super) fn mirror(&self, source: &str) -> Mirror {
        self.mirror_in(source, "mirror")
    }

    pub(super) fn mirror_in(&self, source: &str, folder: &str) -> Mirror {
        let replacement = format!(
            "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\nregistry = \"sparse+http://{}/index/\"\n",
            self.address
        );
        self.mirror_with_config(source, folder, &replacement)
    }

    pub(super) fn mirror_with_config(&self, source: &str, folder: &str, config: &str) -> Mirror {
        let cargo_home = self.path("cargo-home");
        std::fs::create_dir_all(&cargo_home).unwrap();
        std::fs::write(cargo_home.join("config.toml"), config).unwrap();
        let surroundings = surroundings(self.folder.path(), Some(&cargo_home));
        Mirror::open(source.parse().unwrap(), &self.path(folder), surroundings).unwrap()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Answers one request; the version tag of an answer is the hash of its body.
fn answer(mut stream: &TcpStream, served: &Mutex<Served>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut known = None;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("if-none-match")
        {
            known = Some(value.trim().to_owned());
        }
    }
    let (mut status, mut body) = {
        let mut served = served.lock().unwrap();
        served.requests.push(path.clone());
        if served.first.is_empty() {
            served.answers.get(&path).cloned().unwrap_or((404, Vec::new()))
        } else {
            (served.first.remove(0), Vec::new())
        }
    };
    let etag = format!("\"{}\"", hex::encode(Sha256::digest(&body)));
    if status == 200 && known.as_ref() == Some(&etag) {
        (status, body) = (304, Vec::new());
    }
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nETag: {etag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// Builds archives, also such as no honest tool would.
pub(super) struct ArchiveBuilder(tar::Builder<GzEncoder<Vec<u8>>>);

impl ArchiveBuilder {
    pub(super) fn new() -> Self {
        Self(tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast())))
    }

    pub(super) fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        let mut header = raw_header(path, EntryType::Regular);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
    }

    /// A file that claims another size than it has.
    pub(super) fn file_that_claims(&mut self, path: &str, size: u64) {
        let mut header = raw_header(path, EntryType::Regular);
        header.set_size(size);
        header.set_cksum();
        self.0.append(&header, &b""[..]).unwrap();
    }

    pub(super) fn special(&mut self, path: &str, kind: EntryType, target: &str) {
        let mut header = raw_header(path, kind);
        header.set_link_name_literal(target).unwrap();
        header.set_size(0);
        header.set_cksum();
        self.0.append(&header, &b""[..]).unwrap();
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap().finish().unwrap()
    }
}

/// The library refuses to write unsafe paths, so the bytes are put there directly.
fn raw_header(path: &str, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    for (to, from) in header.as_old_mut().name.iter_mut().zip(path.as_bytes()) {
        *to = *from;
    }
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(0);
    header
}
