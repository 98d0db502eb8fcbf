//! What the `git` command says of a repository: which files each revision changed, and their contents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use upstream::process::{Invocation, Limits, ProcessRunner as _, SystemProcessRunner};

/// The most that one run of `git` may print, in bytes.
const OUTPUT_BYTES_MAX: usize = 2 << 30;

/// A repository, read by the `git` command.
#[derive(Debug)]
pub(super) struct Git {
    folder: PathBuf,
}

/// A Rust file that a revision changed: the ids of its contents, where there are any.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) file: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl Git {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn run(&self, arguments: &[&str], stdin: Vec<u8>) -> Result<Vec<u8>> {
        let invocation = Invocation::new("git", &self.folder)
            .args(arguments.iter().copied())
            .inherit(&["HOME"])
            .stdin(stdin)
            .limits(Limits { output_bytes_max: OUTPUT_BYTES_MAX, ..Limits::default() });
        let finished = SystemProcessRunner::default().run(&invocation)?;
        if !finished.succeeded() {
            bail!("git {arguments:?} in {}: {}", self.folder.display(), finished.tail(3));
        }
        Ok(finished.stdout)
    }

    /// All commits that `HEAD` reaches with their parents, newest first.
    pub(super) fn commits(&self) -> Result<Vec<String>> {
        let out = String::from_utf8(self.run(&["rev-list", "HEAD"], Vec::new())?)?;
        Ok(out.lines().map(str::to_owned).collect())
    }

    /// The commits of the first-parent line, newest first.
    pub(super) fn first_parents(&self) -> Result<Vec<String>> {
        let out = String::from_utf8(self.run(&["rev-list", "--first-parent", "HEAD"], Vec::new())?)?;
        Ok(out.lines().map(str::to_owned).collect())
    }

    /// The parents of each of these commits.
    pub(super) fn parents(&self, commits: &[String]) -> Result<BTreeMap<String, Vec<String>>> {
        let stdin = commits.join("\n").into_bytes();
        let out = self.run(&["rev-list", "--no-walk=unsorted", "--parents", "--stdin"], stdin)?;
        let out = String::from_utf8(out)?;
        let words = out.lines().map(|line| line.split(' ').map(str::to_owned));
        Ok(words.filter_map(|mut words| Some((words.next()?, words.collect()))).collect())
    }

    /// The Rust files that differ between each commit and one parent of it, or nothing for a root.
    pub(super) fn changed(&self, pairs: &[(String, Option<String>)]) -> Result<Vec<Vec<Changed>>> {
        let line = |(commit, parent): &(String, Option<String>)| match parent {
            Some(parent) => format!("{commit} {parent}\n"),
            None => format!("{commit}\n"),
        };
        let stdin: String = pairs.iter().map(line).collect();
        let arguments =
            ["diff-tree", "--stdin", "--root", "-r", "-z", "--raw", "--no-renames", "--full-index"];
        let out = self.run(&arguments, stdin.into_bytes())?;
        let mut lists: Vec<Vec<Changed>> = vec![Vec::new(); pairs.len()];
        let mut at = 0;
        let mut fields =
            out.split(|byte| *byte == 0).map(|field| String::from_utf8_lossy(field).into_owned());
        while let Some(field) = fields.next() {
            if field.is_empty() {
                continue;
            }
            let Some(raw) = field.strip_prefix(':') else {
                // Commits without a change are not mentioned.
                let commit = field.trim();
                while pairs.get(at).is_some_and(|(known, _)| known != commit) {
                    at += 1;
                }
                at += 1;
                continue;
            };
            let file = fields.next().context("git names no file")?;
            let words: Vec<&str> = raw.split(' ').collect();
            let [old_mode, new_mode, old, new, _status] = words.as_slice() else { bail!("not raw: {raw}") };
            let list = at.checked_sub(1).and_then(|at| lists.get_mut(at)).context("a file of no commit")?;
            let is_file = |mode: &str| matches!(mode, "100644" | "100755" | "100664");
            let odd = [*old_mode, *new_mode].iter().any(|mode| *mode != "000000" && !is_file(mode));
            let side = |mode: &str, id: &str| is_file(mode).then(|| id.to_owned());
            let is_rust = Path::new(&file).extension().is_some_and(|end| end == "rs");
            if is_rust && !odd && old != new {
                list.push(Changed { file, before: side(old_mode, old), after: side(new_mode, new) });
            }
        }
        Ok(lists)
    }

    /// Contents by id; what the repository lacks is left out.
    pub(super) fn contents(&self, ids: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<u8>>> {
        let stdin = ids.iter().flat_map(|id| [id.as_str(), "\n"]).collect::<String>().into_bytes();
        let out = self.run(&["cat-file", "--batch"], stdin)?;
        let mut contents = BTreeMap::new();
        let mut rest = out.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (header, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            let header = String::from_utf8_lossy(header).into_owned();
            let words: Vec<&str> = header.split(' ').collect();
            let [id, "blob", size] = words.as_slice() else { continue };
            let size: usize = size.parse()?;
            let content = rest.get(..size).context("git printed less than it said")?;
            contents.insert((*id).to_owned(), content.to_vec());
            rest = rest.get(size + 1..).unwrap_or_default();
        }
        Ok(contents)
    }

    /// Which of these `revision:path` exist.
    pub(super) fn existing(&self, objects: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let all: Vec<&String> = objects.iter().collect();
        let stdin = all.iter().flat_map(|it| [it.as_str(), "\n"]).collect::<String>().into_bytes();
        let out = String::from_utf8(self.run(&["cat-file", "--batch-check"], stdin)?)?;
        let found = all.into_iter().zip(out.lines()).filter(|(_, line)| line.contains(" blob "));
        Ok(found.map(|(object, _)| object.clone()).collect())
    }

    /// What `#[path = "…"]`, and `path` of the targets of manifests, name at a revision, each without the `..` that
    /// it begins with.
    pub(super) fn paths_by_attribute(&self, commit: &str) -> Result<Vec<String>> {
        let pattern = r#"path *= *"[^"]*\.rs""#;
        let invocation = Invocation::new("git", &self.folder)
            .args(["grep", "-h", "-o", "-I", "-E", pattern, commit, "--", "*.rs", "*Cargo.toml"])
            .inherit(&["HOME"]);
        // It ends with 1 where it finds nothing.
        let out = SystemProcessRunner::default().run(&invocation)?.stdout;
        let out = String::from_utf8_lossy(&out).into_owned();
        let named = out.lines().filter_map(|line| line.split('"').nth(1));
        Ok(named
            .map(|name| format!("/{}", name.trim_start_matches("../").trim_start_matches("./")))
            .collect())
    }
}
