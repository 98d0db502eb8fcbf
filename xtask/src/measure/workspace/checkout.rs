//! A revision in a scratch folder, written by git alone: what Cargo and rustc are to read there.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

/// The most that git may print of one revision, in bytes.
const OUTPUT_BYTES_MAX: usize = 1 << 30;

/// Runs git on a repository.
pub(super) fn git(repository: &Path, arguments: &[&str], stdin: &str) -> Result<Vec<u8>> {
    let limits = Limits { output_bytes_max: OUTPUT_BYTES_MAX, ..Limits::default() };
    let invocation = Invocation::new("git", repository)
        .args(["-c", "safe.directory=*"])
        .args(arguments.iter().copied())
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(stdin)
        .limits(limits);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("git {}: {}", arguments.join(" "), finished.tail(3));
    }
    Ok(finished.stdout)
}

/// The tree of one revision on the disk.
pub(super) struct Checkout {
    folder: TempDir,
    /// The folders with a manifest.
    pub(super) manifests: Vec<String>,
    /// Files whose contents the repository lacks.
    pub(super) missing: Vec<String>,
}

/// One file as git lists it.
struct Entry {
    mode: String,
    id: String,
    path: String,
}

impl Checkout {
    /// Writes a revision: manifests, and Rust files, which are empty unless their contents are wanted. Cargo looks
    /// whether they are there, and no more; of what else there is only the folders are made.
    pub(super) fn of(repository: &Path, revision: &str, with_rust: bool) -> Result<Self> {
        let listed = git(repository, &["ls-tree", "-r", "-z", "--full-tree", revision], "")?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let entries: Vec<Entry> = listed.split('\0').filter_map(entry).collect();
        let is_wanted = |entry: &&Entry| {
            let is_text = is_read(&entry.path) && (with_rust || !is_rust(&entry.path));
            entry.mode == "120000" || is_text
        };
        let mut made = BTreeSet::new();
        let ids: Vec<&str> = entries.iter().filter(is_wanted).map(|entry| entry.id.as_str()).collect();
        let contents = contents(repository, &ids)?;
        let folder = tempfile::tempdir()?;
        let root = folder.path().canonicalize()?;
        let mut checkout = Self { folder, manifests: Vec::new(), missing: Vec::new() };
        for entry in &entries {
            let content = contents.get(&entry.id);
            if content.is_none() && is_wanted(&entry) {
                checkout.missing.push(entry.path.clone());
            }
            let path = root.join(&entry.path);
            if is_read(&entry.path) || entry.mode != "100644" {
                write(&path, &entry.mode, content.map_or(&[][..], Vec::as_slice))?;
            } else if let Some(folder) = path.parent()
                && made.insert(folder.to_owned())
            {
                std::fs::create_dir_all(folder)?;
            }
            if entry.path == "Cargo.toml" {
                checkout.manifests.push(String::new());
            }
            checkout.manifests.extend(entry.path.strip_suffix("/Cargo.toml").map(str::to_owned));
        }
        // Those near the root first.
        checkout.manifests.sort_by_key(|folder| {
            let depth = if folder.is_empty() { 0 } else { folder.split('/').count() };
            (depth, folder.clone())
        });
        Ok(checkout)
    }

    /// The folder.
    pub(super) fn root(&self) -> Result<PathBuf> {
        Ok(self.folder.path().canonicalize()?)
    }
}

/// Whether Cargo or rustc may read a file.
fn is_read(path: &str) -> bool {
    is_rust(path) || path.rsplit('/').next() == Some("Cargo.toml")
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

fn entry(line: &str) -> Option<Entry> {
    let (head, path) = line.split_once('\t')?;
    let mut words = head.split(' ');
    let mode = words.next()?.to_owned();
    let id = words.nth(1)?.to_owned();
    Some(Entry { mode, id, path: path.to_owned() })
}

fn write(path: &Path, mode: &str, content: &[u8]) -> Result<()> {
    std::fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
    match mode {
        "160000" => std::fs::create_dir_all(path)?,
        "120000" => symlink(String::from_utf8_lossy(content).as_ref(), path)?,
        _ => std::fs::write(path, content)?,
    }
    Ok(())
}

/// The contents of objects; those that the repository lacks are left out.
fn contents(repository: &Path, ids: &[&str]) -> Result<BTreeMap<String, Vec<u8>>> {
    let printed = git(repository, &["cat-file", "--batch"], &(ids.join("\n") + "\n"))?;
    let mut rest = printed.as_slice();
    let mut found = BTreeMap::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        let words: Vec<&str> = head.split(' ').collect();
        let [id, "blob", size] = words.as_slice() else { continue };
        let size: usize = size.parse()?;
        found.insert((*id).to_owned(), rest.get(..size).context("git printed less than it said")?.to_vec());
        rest = rest.get(size + 1..).unwrap_or_default();
    }
    Ok(found)
}
