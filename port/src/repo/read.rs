//! Reading trees and commits.

use std::path::Path;

use git2::{ErrorCode, Oid};
use mappings::SymbolTable;
use upstream::tree::{EntryKind, TreeEntry};
use upstream::{CommitId, TreeId};

use super::error::{RepoError, git};
use super::symbol_cache::{Kept, SymbolCache};
use super::{ENTRIES_MAX, Mode, PortRepo, commit_id, mode_of, oid, tree_id};
use crate::language::{Language, add_file};

/// The most files that a port may have.
pub const FILES_MAX: usize = 200_000;
/// The most source text that is read for one symbol table.
pub const SOURCE_BYTES_MAX: usize = 512 << 20;

/// What a commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its parents, in order.
    pub parents: Vec<CommitId>,
    /// Its tree.
    pub tree: TreeId,
    /// Its message. Bytes that are no UTF-8 are replaced.
    pub message: String,
    /// When it was committed, in seconds since the Unix epoch.
    pub time_s: i64,
}

/// Takes the path, kind and id of one entry.
type Visitor<'v> = &'v mut dyn FnMut(&[u8], Mode, Oid) -> Result<(), RepoError>;

impl PortRepo {
    /// What a commit says.
    pub fn commit_info(&self, id: &CommitId) -> Result<CommitInfo, RepoError> {
        let commit = self.commit(id)?;
        Ok(CommitInfo {
            parents: commit.parent_ids().map(commit_id).collect::<Result<_, _>>()?,
            tree: tree_id(commit.tree_id())?,
            message: String::from_utf8_lossy(commit.message_raw_bytes()).into_owned(),
            time_s: commit.time().seconds(),
        })
    }

    /// The content of a file, or `None` where there is none at this path.
    pub fn read(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, RepoError> {
        self.file(tree, path)?.map(|id| self.blob(id)).transpose()
    }

    /// The id and the size in bytes of the content of a file, without reading it; `None` where there is none at this
    /// path.
    pub fn content_size(&self, tree: &TreeId, path: &str) -> Result<Option<(String, usize)>, RepoError> {
        let Some(id) = self.file(tree, path)? else { return Ok(None) };
        let header = self.git.odb().and_then(|objects| objects.read_header(id));
        let (bytes, _) = header.map_err(git("read the size of a file"))?;
        Ok(Some((id.to_string(), bytes)))
    }

    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Oid>, RepoError> {
        let tree = self.tree(tree)?;
        let entry = match tree.get_path(Path::new(path)) {
            Ok(entry) => entry,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(source) => return Err(RepoError::Git { action: "read a tree", source }),
        };
        let what = match mode_of(&entry) {
            Mode::File { .. } => return Ok(Some(entry.id())),
            Mode::Folder => "a folder",
            Mode::Link => "a symbolic link",
            Mode::Submodule => "a submodule",
        };
        Err(RepoError::NotAFile { path: path.to_owned(), what })
    }

    /// All files, links and submodules of a tree, sorted by path. In a name that is no UTF-8 the odd bytes
    /// are replaced, so that it is seen and can be named by nobody.
    pub fn files(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, RepoError> {
        let mut files = Vec::new();
        self.visit(tree, &mut |path, mode, id| {
            let kind = match mode {
                Mode::File { .. } => EntryKind::File,
                Mode::Link => EntryKind::Link,
                Mode::Submodule => EntryKind::Submodule,
                Mode::Folder => return Ok(()),
            };
            if files.len() >= FILES_MAX {
                return Err(RepoError::TooManyEntries { max: FILES_MAX });
            }
            let path = String::from_utf8_lossy(path).into_owned();
            files.push(TreeEntry { path, kind, id: id.to_string() });
            Ok(())
        })?;
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// The symbols of those source files of a tree that the filter takes.
    pub fn symbol_table(
        &self,
        tree: &TreeId,
        language: &dyn Language,
        takes: &dyn Fn(&str) -> bool,
    ) -> Result<SymbolTable, RepoError> {
        self.symbols_of(tree, language, takes, None)
    }

    /// All symbols of a tree; files that a cache knows are not read.
    pub fn symbol_table_cached(
        &self,
        tree: &TreeId,
        language: &dyn Language,
        cache: &SymbolCache,
    ) -> Result<SymbolTable, RepoError> {
        self.symbols_of(tree, language, &|_every_source_file| true, Some(cache))
    }

    fn symbols_of(
        &self,
        tree: &TreeId,
        language: &dyn Language,
        takes: &dyn Fn(&str) -> bool,
        cache: Option<&SymbolCache>,
    ) -> Result<SymbolTable, RepoError> {
        let is_source = |file: &TreeEntry| {
            let extension = Path::new(&file.path).extension().and_then(|extension| extension.to_str());
            file.kind == EntryKind::File
                && extension.is_some_and(|extension| language.extensions().contains(&extension))
                && takes(&file.path)
        };
        let (mut table, mut bytes) = (SymbolTable::default(), 0_usize);
        let mut unreadable = Vec::new();
        let mut fresh = Vec::new();
        for file in self.files(tree)?.into_iter().filter(is_source) {
            let key = SymbolCache::key(language, &file.path, &file.id);
            if let Some(Kept { symbols, fault }) = cache.and_then(|cache| cache.get(&key)) {
                add_file(&mut table, &file.path, symbols, fault);
                continue;
            }
            let content = self.blob(oid(&file.id, "file")?)?;
            bytes += content.len();
            if bytes > SOURCE_BYTES_MAX {
                let reason = format!("the sources before it are {SOURCE_BYTES_MAX} bytes already");
                unreadable.push((file.path, reason));
                continue;
            }
            match String::from_utf8(content) {
                Ok(text) => {
                    let read = language.symbols(&file.path, &text);
                    let symbols: Vec<_> = read.symbols.into_iter().map(|located| located.symbol).collect();
                    let fault = read.fault.map(|fault| fault.to_string());
                    if cache.is_some() {
                        fresh.push((key, Kept { symbols: symbols.clone(), fault: fault.clone() }));
                    }
                    add_file(&mut table, &file.path, symbols, fault);
                }
                Err(error) => unreadable.push((file.path, format!("it is no UTF-8: {}", error.utf8_error()))),
            }
        }
        if let Some(cache) = cache {
            cache.keep(&fresh);
        }
        table.unparsed.extend(unreadable);
        Ok(table)
    }

    pub(super) fn blob(&self, id: Oid) -> Result<Vec<u8>, RepoError> {
        Ok(self.git.find_blob(id).map_err(git("read a file's content"))?.content().to_vec())
    }

    /// Visits everything below a tree, each folder before what it holds.
    pub(super) fn visit(&self, tree: &TreeId, visitor: Visitor<'_>) -> Result<(), RepoError> {
        let mut waiting = vec![(Vec::new(), self.tree(tree)?.id())];
        let mut seen = 0_usize;
        while let Some((folder, id)) = waiting.pop() {
            let tree = self.git.find_tree(id).map_err(git("read a tree"))?;
            for entry in &tree {
                seen += 1;
                if seen > ENTRIES_MAX {
                    return Err(RepoError::TooManyEntries { max: ENTRIES_MAX });
                }
                let mut path: Vec<u8> = folder.clone();
                path.extend_from_slice(entry.name_bytes());
                let mode = mode_of(&entry);
                visitor(&path, mode, entry.id())?;
                if mode == Mode::Folder {
                    path.push(b'/');
                    waiting.push((path, entry.id()));
                }
            }
        }
        Ok(())
    }
}
