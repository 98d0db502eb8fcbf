//! An upstream and a port by path, with or without a configuration: what `map infer` and `graph` read.
//!
//! The main type is [`Side`]. It reads git objects only, never a working tree, and writes nothing.

use std::path::PathBuf;
use std::str::FromStr;

use mappings::PortOutline;
use port::language::python;
use upstream::process::{Invocation, ProcessError, ProcessRunner};
use upstream::repo::RepoError;
use upstream::snapshot::SnapshotError;
use upstream::tree::{EntryKind, SourceTree, TreeEntry, TreeError};
use upstream::{CommitId, Revision, Snapshot, UpstreamRepo, snapshot};

/// The most source text of a port that is read.
const SOURCE_BYTES_MAX: usize = 512 << 20;
/// The most text of documents beside it that is searched for records.
const DOCUMENT_BYTES_MAX: usize = 64 << 20;
/// Endings of documents that may record the correspondence.
const DOCUMENTS: &[&str] = &["md", "txt", "rst", "csv", "tsv", "toml", "yaml", "yml", "json", "jsonl"];

/// Where one side is: `PATH`, `PATH@REV`, `PATH:FOLDER` or `PATH@REV:FOLDER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The repository.
    pub path: PathBuf,
    /// The revision, in git's own words; `HEAD` where none is given.
    pub revision: String,
    /// The folder below the root that is read; empty for the root.
    pub folder: String,
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let marked =
            text.split_once('@').map(|(path, rest)| (path, rest.split_once(':').unwrap_or((rest, ""))));
        let (path, (revision, folder)) = marked.unwrap_or_else(|| {
            let (path, folder) = text.rsplit_once(':').unwrap_or((text, ""));
            (path, ("HEAD", folder))
        });
        if path.is_empty() || revision.is_empty() {
            return Err("say PATH, PATH@REV, PATH:FOLDER or PATH@REV:FOLDER".to_owned());
        }
        Ok(Self {
            path: PathBuf::from(path),
            revision: revision.to_owned(),
            folder: folder.trim_matches('/').to_owned(),
        })
    }
}

/// Why a side cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The repository, or an object in it.
    #[error(transparent)]
    Repository(#[from] RepoError),
    /// The upstream's files.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The port's files.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Git could not be asked.
    #[error("cannot ask git for `{revision}` in `{path}`: {source}")]
    Git {
        /// The revision.
        revision: String,
        /// The repository.
        path: PathBuf,
        /// Why.
        source: ProcessError,
    },
    /// Git knows no such revision.
    #[error("`{path}` has no revision `{revision}`")]
    UnknownRevision {
        /// The revision.
        revision: String,
        /// The repository.
        path: PathBuf,
    },
}

impl Side {
    /// Opens the repository and finds the revision.
    fn open(&self, runner: &dyn ProcessRunner) -> Result<(UpstreamRepo, Revision), PairError> {
        let repo = UpstreamRepo::open(&self.path)?;
        let invocation = Invocation::new("git", &self.path)
            .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
            .args([format!("{}^{{commit}}", self.revision)])
            .inherit(&["HOME"]);
        let finished = runner.run(&invocation).map_err(|source| PairError::Git {
            revision: self.revision.clone(),
            path: self.path.clone(),
            source,
        })?;
        let unknown =
            || PairError::UnknownRevision { revision: self.revision.clone(), path: self.path.clone() };
        let id = String::from_utf8_lossy(&finished.stdout).trim().to_owned();
        let commit = CommitId::new(id).map_err(|_invalid| unknown())?;
        let revision = repo.revision(&commit)?;
        Ok((repo, revision))
    }

    /// The upstream's packages, modules and items.
    pub fn snapshot(&self, runner: &dyn ProcessRunner) -> Result<Snapshot, PairError> {
        let (repo, revision) = self.open(runner)?;
        let tree = repo.tree(&revision.commit)?;
        Ok(snapshot::read(&Below { tree: &tree, folder: &self.folder }, &revision)?)
    }

    /// The port's outline. `source_root` is the folder that its packages are imported from, found out where
    /// it is not given.
    pub fn outline(
        &self,
        runner: &dyn ProcessRunner,
        source_root: Option<&str>,
    ) -> Result<PortOutline, PairError> {
        let (repo, revision) = self.open(runner)?;
        let tree = repo.tree(&revision.commit)?;
        let below = Below { tree: &tree, folder: &self.folder };
        let entries: Vec<TreeEntry> =
            below.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::File).collect();
        let (sources, mut unread) = texts(&below, &entries, &["py"], SOURCE_BYTES_MAX);
        let (documents, _) = texts(&below, &entries, DOCUMENTS, DOCUMENT_BYTES_MAX);
        let files = || sources.iter().map(|(file, text)| (file.as_str(), text.as_str()));
        let root = match source_root {
            Some(root) => root.to_owned(),
            None => python::source_root(files().map(|(file, _)| file)),
        };
        let documents = documents.iter().map(|(file, text)| (file.as_str(), text.as_str()));
        let mut outline = python::outline(files(), documents, &python::modules_by_root(&root));
        outline.symbols.unparsed.append(&mut unread);
        Ok(outline)
    }
}

type Unread = std::collections::BTreeMap<String, String>;

/// The texts of the files with these endings, and those that could not be read.
fn texts(
    tree: &dyn SourceTree,
    entries: &[TreeEntry],
    endings: &[&str],
    bytes_max: usize,
) -> (Vec<(String, String)>, Unread) {
    let (mut texts, mut unread, mut bytes) = (Vec::new(), Unread::new(), 0_usize);
    for entry in entries {
        let ending = entry.path.rsplit_once('.').map_or("", |(_, ending)| ending);
        if !endings.contains(&ending) {
            continue;
        }
        let content = match tree.read(&entry.path) {
            Ok(Some(content)) => content,
            Ok(None) => continue,
            Err(error) => {
                unread.insert(entry.path.clone(), error.reason);
                continue;
            }
        };
        bytes = bytes.saturating_add(content.len());
        if bytes > bytes_max {
            unread.insert(entry.path.clone(), format!("the files before it are {bytes_max} bytes already"));
            break;
        }
        match String::from_utf8(content) {
            Ok(text) => texts.push((entry.path.clone(), text)),
            Err(error) => {
                unread.insert(entry.path.clone(), format!("it is no UTF-8: {}", error.utf8_error()));
            }
        }
    }
    (texts, unread)
}

/// The files below a folder, counted from it.
struct Below<'a> {
    tree: &'a dyn SourceTree,
    folder: &'a str,
}

impl SourceTree for Below<'_> {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        let entries = self.tree.entries()?;
        if self.folder.is_empty() {
            return Ok(entries);
        }
        let below = entries.into_iter().filter_map(|entry| {
            let path = entry.path.strip_prefix(self.folder)?.strip_prefix('/')?.to_owned();
            Some(TreeEntry { path, ..entry })
        });
        Ok(below.collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, TreeError> {
        if self.folder.is_empty() {
            self.tree.read(path)
        } else {
            self.tree.read(&format!("{}/{path}", self.folder))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(text: &str) -> (String, String, String) {
        let side: Side = text.parse().unwrap();
        (side.path.display().to_string(), side.revision, side.folder)
    }

    #[test]
    fn a_side_is_a_path_with_a_revision_and_a_folder() {
        let of = |path: &str, revision: &str, folder: &str| {
            (path.to_owned(), revision.to_owned(), folder.to_owned())
        };
        assert_eq!(side("/a/b"), of("/a/b", "HEAD", ""));
        assert_eq!(side("/a/b@v1.0"), of("/a/b", "v1.0", ""));
        assert_eq!(side("/a/b@main:src/x/"), of("/a/b", "main", "src/x"));
        assert_eq!(side("/a/b:src"), of("/a/b", "HEAD", "src"));
        assert!("@main".parse::<Side>().is_err());
        assert!("/a@".parse::<Side>().is_err());
    }
}
