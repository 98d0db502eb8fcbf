//! The upstream's history and files, read from the objects of its mirror.
//!
//! The main type is [`UpstreamRepo`]. It never writes to a repository, never reaches the network, and
//! never looks at a working tree: whatever it says about a commit is the same on every machine.

mod delta;
mod export;
mod objects;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub use export::{ExportError, Exported};
pub(crate) use export::{ancestors, is_safe_path, link_stays_inside};
use gix::bstr::ByteSlice;
pub(crate) use objects::{ObjectReader, Packs};
pub use tree::RevisionTree;
pub(crate) use tree::shown_name;

use crate::ids::{CommitId, RevisionLabel};
use crate::revision::Revision;

/// The digits of an abbreviated commit id that serves as a label.
pub const ABBREVIATED_DIGITS: usize = 10;
/// The fewest digits of a commit id that are taken for one.
const ABBREVIATED_DIGITS_MIN: usize = 4;
/// The longest first-parent history that is walked.
pub const HISTORY_COMMITS_MAX: usize = 2_000_000;
/// The most characters of a commit's first line that are kept.
const SUMMARY_CHARACTERS_MAX: usize = 500;
/// What gix may keep of decoded objects per thread; measured to halve the time of tree walks.
const OBJECT_CACHE_BYTES: usize = 32 << 20;

/// Why the upstream's history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// There is no repository at this path.
    #[error("`{path}` is not a git repository: {reason}")]
    NotARepository {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The repository names its objects by SHA-256.
    #[error(
        "`{path}` names its objects by SHA-256, which cannot be read yet; `git fast-export --all | git fast-import` makes a copy that can, in a repository from `git init --object-format=sha1`"
    )]
    UnsupportedObjects {
        /// The path.
        path: String,
    },
    /// The repository keeps its references in a form that gix does not know.
    #[error(
        "`{path}` keeps its references as `{format}`, which cannot be read yet; give a clone from `git clone --bare --ref-format=files`"
    )]
    UnsupportedReferences {
        /// The path.
        path: String,
        /// The form.
        format: String,
    },
    /// No tag, branch or commit answers to this text.
    #[error(
        "the upstream has no revision `{text}`; give a release, a tag, a branch or at least {ABBREVIATED_DIGITS_MIN} digits of a commit id"
    )]
    UnknownRevision {
        /// The text.
        text: String,
    },
    /// Several commits begin with these digits.
    #[error("`{text}` is the beginning of several commit ids; give more digits")]
    AmbiguousRevision {
        /// The text.
        text: String,
    },
    /// An object that should be there could not be read.
    #[error("cannot read object {id} of the upstream's mirror: {reason}")]
    MissingObject {
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// The references of the mirror could not be read.
    #[error("cannot read the references of the upstream's mirror: {0}")]
    References(String),
    /// The older commit is not on the first-parent line of the newer one.
    #[error("{from} is not on the first-parent history of {to}; was the upstream's history rewritten?")]
    NotAnAncestor {
        /// The older commit.
        from: CommitId,
        /// The newer commit.
        to: CommitId,
    },
    /// The history is longer than what is walked.
    #[error("the history of {to} is longer than {HISTORY_COMMITS_MAX} commits")]
    HistoryTooLong {
        /// The newer commit.
        to: CommitId,
    },
}

/// The upstream's repository, for reading.
#[derive(Clone)]
pub struct UpstreamRepo {
    repo: gix::ThreadSafeRepository,
}

impl std::fmt::Debug for UpstreamRepo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("UpstreamRepo").field(&self.repo.refs.git_dir()).finish()
    }
}

impl UpstreamRepo {
    /// Opens the repository at a path, bare or not.
    pub fn open(path: &Path) -> Result<Self, RepoError> {
        let repo = gix::ThreadSafeRepository::open(path).map_err(|error| cannot_open(path, &error))?;
        // Gix would find no reference at all, and not say why.
        let config = repo.to_thread_local();
        let format = config.config_snapshot().string("extensions.refStorage").map(|it| it.to_string());
        match format.filter(|format| format != "files") {
            Some(format) => {
                Err(RepoError::UnsupportedReferences { path: path.display().to_string(), format })
            }
            None => Ok(Self { repo }),
        }
    }

    /// Opens a mirror, which is written to by its owner: without reference logs, and without questions
    /// for a password on the terminal.
    pub(crate) fn open_mirror(path: &Path) -> Result<Self, RepoError> {
        let repo = gix::open::Options::default()
            .open_path_as_is(true)
            .config_overrides(["core.logAllRefUpdates=false", "gitoxide.credentials.terminalPrompt=false"])
            .open(path)
            .map_err(|error| cannot_open(path, &error))?;
        Ok(Self { repo })
    }

    /// The revision that people mean by a tag, a branch, or the beginning of a commit id.
    ///
    /// Git's own revision expressions (`HEAD~3`, `:/text`) are not read: the text may come from a file
    /// that somebody else wrote.
    pub fn resolve(&self, text: &str) -> Result<Revision, RepoError> {
        let repo = self.local();
        let labels = self.tag_labels()?;
        for folder in ["refs/tags/", "refs/heads/"] {
            // A text that is no reference name names no reference.
            let Ok(name) = gix::refs::FullName::try_from(format!("{folder}{text}")) else { continue };
            let found = repo
                .try_find_reference(name.as_ref())
                .map_err(|error| RepoError::References(whole_message(&error)))?;
            let Some(mut reference) = found else { continue };
            let commit =
                reference.peel_to_commit().map_err(|error| missing(format!("{folder}{text}"), &error))?;
            let mut revision = revision_of(&commit, &labels);
            if folder == "refs/tags/"
                && let Ok(label) = RevisionLabel::new(text)
            {
                revision.label = label;
            }
            return Ok(revision);
        }
        let commit = repo
            .find_commit(commit_beginning_with(&repo, text)?)
            .map_err(|_not_a_commit| RepoError::UnknownRevision { text: text.to_owned() })?;
        Ok(revision_of(&commit, &labels))
    }

    /// What the repository has checked out, or for a bare one its default branch.
    pub fn head(&self) -> Result<CommitId, RepoError> {
        let unborn = |_nothing| RepoError::UnknownRevision { text: "HEAD".to_owned() };
        self.local().head_id().map(|id| commit_id(id.detach())).map_err(unborn)
    }

    /// The first parent of a commit; `None` for a root.
    pub fn first_parent(&self, commit: &CommitId) -> Result<Option<CommitId>, RepoError> {
        let repo = self.local();
        let commit = find_commit(&repo, commit)?;
        Ok(commit.parent_ids().next().map(|id| commit_id(id.detach())))
    }

    /// What is known of a commit.
    pub fn revision(&self, commit: &CommitId) -> Result<Revision, RepoError> {
        let repo = self.local();
        Ok(revision_of(&find_commit(&repo, commit)?, &self.tag_labels()?))
    }

    /// What is known of several commits, in their order.
    pub(crate) fn revisions<'ids>(
        &self,
        commits: impl IntoIterator<Item = &'ids CommitId>,
    ) -> Result<Vec<Revision>, RepoError> {
        let (repo, labels) = (self.local(), self.tag_labels()?);
        commits.into_iter().map(|commit| Ok(revision_of(&find_commit(&repo, commit)?, &labels))).collect()
    }

    /// The files of a commit.
    pub fn tree(&self, commit: &CommitId) -> Result<RevisionTree, RepoError> {
        let repo = self.local();
        let root = find_commit(&repo, commit)?
            .tree_id()
            .map_err(|error| missing(commit.to_string(), &error))?
            .detach();
        Ok(RevisionTree::new(repo, root))
    }

    /// Writes the files of a commit into an empty folder, so that they can be built there.
    ///
    /// Submodules and links that leave the folder are left out and named in the answer.
    pub fn export(&self, commit: &CommitId, into: &Path) -> Result<Exported, ExportError> {
        export::export(&self.tree(commit)?, into)
    }

    /// The first-parent history up to `to`, oldest first; behind `from` (without it) where that is given.
    pub fn first_parent_history(
        &self,
        from: Option<&CommitId>,
        to: &CommitId,
    ) -> Result<Vec<Revision>, RepoError> {
        let repo = self.local();
        let labels = self.tag_labels()?;
        let shallow = repo.shallow_commits().map_err(|error| RepoError::References(whole_message(&error)))?;
        let mut history = Vec::new();
        let mut next = Some(to.clone());
        while let Some(at) = next {
            if Some(&at) == from {
                history.reverse();
                return Ok(history);
            }
            if history.len() == HISTORY_COMMITS_MAX {
                return Err(RepoError::HistoryTooLong { to: to.clone() });
            }
            let commit = find_commit(&repo, &at)?;
            history.push(revision_of(&commit, &labels));
            // A shallow repository names the commits whose parents it does not have.
            let is_root = shallow.as_ref().is_some_and(|shallow| shallow.contains(&commit.id));
            next = commit.parent_ids().next().filter(|_| !is_root).map(|id| commit_id(id.detach()));
        }
        if let Some(from) = from {
            return Err(RepoError::NotAnAncestor { from: from.clone(), to: to.clone() });
        }
        history.reverse();
        Ok(history)
    }

    /// All commits up to `to`, oldest first. What a merge brought stands right before it, so whatever comes
    /// later is added at the end.
    pub(crate) fn full_history(&self, to: &CommitId) -> Result<Vec<Revision>, RepoError> {
        let repo = self.local();
        let labels = self.tag_labels()?;
        let shallow = repo.shallow_commits().map_err(|error| RepoError::References(whole_message(&error)))?;
        let mut history = Vec::new();
        let mut met = BTreeSet::from([to.clone()]);
        // Each commit on the way down, with those of its parents that were not gone to yet, the first one last.
        let mut way: Vec<(Revision, Vec<CommitId>)> = Vec::new();
        let mut next = Some(to.clone());
        loop {
            if let Some(at) = next.take() {
                if met.len() > HISTORY_COMMITS_MAX {
                    return Err(RepoError::HistoryTooLong { to: to.clone() });
                }
                let commit = find_commit(&repo, &at)?;
                let is_root = shallow.as_ref().is_some_and(|shallow| shallow.contains(&commit.id));
                let mut parents: Vec<CommitId> =
                    commit.parent_ids().filter(|_| !is_root).map(|id| commit_id(id.detach())).collect();
                parents.reverse();
                way.push((revision_of(&commit, &labels), parents));
            }
            let Some((_, parents)) = way.last_mut() else { return Ok(history) };
            while next.is_none()
                && let Some(parent) = parents.pop()
            {
                next = met.insert(parent.clone()).then_some(parent);
            }
            if next.is_none() {
                history.extend(way.pop().map(|(revision, _)| revision));
            }
        }
    }

    /// The tags that point at commits, by name.
    pub fn tags(&self) -> Result<BTreeMap<String, CommitId>, RepoError> {
        let repo = self.local();
        let unreadable = |error: gix::Error| RepoError::References(whole_message(&error));
        let mut tags = BTreeMap::new();
        for reference in repo.references().map_err(unreadable)?.tags().map_err(unreadable)? {
            let mut reference = reference.map_err(|error| RepoError::References(error.to_string()))?;
            // Tags may point at trees and blobs too; such a tag names no revision.
            let Ok(commit) = reference.peel_to_commit().map(|commit| commit.id) else { continue };
            let name = reference.name().as_bstr().to_str_lossy().into_owned();
            if let Some(short) = name.strip_prefix("refs/tags/") {
                tags.insert(short.to_owned(), commit_id(commit));
            }
        }
        Ok(tags)
    }

    /// A handle for this thread.
    pub(crate) fn local(&self) -> gix::Repository {
        let mut repo = self.repo.to_thread_local();
        repo.object_cache_size_if_unset(OBJECT_CACHE_BYTES);
        repo
    }

    /// [`Self::tag_labels`] for these commits alone. Of many tags, those whose commit is written beside them
    /// (packed references, and tags without a message) are not looked up when they point elsewhere.
    pub(crate) fn labels_among(
        &self,
        wanted: &BTreeSet<gix::ObjectId>,
    ) -> Result<BTreeMap<CommitId, RevisionLabel>, RepoError> {
        let repo = self.local();
        let unreadable = |error: gix::Error| RepoError::References(whole_message(&error));
        let mut tags = Vec::new();
        for reference in repo.references().map_err(unreadable)?.tags().map_err(unreadable)? {
            let mut reference = reference.map_err(|error| RepoError::References(error.to_string()))?;
            let written = reference.inner.peeled;
            if written.is_some_and(|commit| !wanted.contains(&commit)) {
                continue;
            }
            let Ok(commit) = reference.peel_to_commit().map(|commit| commit.id) else { continue };
            let name = reference.name().shorten().to_str_lossy().into_owned();
            if wanted.contains(&commit) {
                tags.push((name, commit_id(commit)));
            }
        }
        Ok(labels(tags))
    }

    /// One tag for each tagged commit, so that everybody sees the same: those with a digit, which are
    /// releases more often than not, before others; and of several the last in name order.
    pub(crate) fn tag_labels(&self) -> Result<BTreeMap<CommitId, RevisionLabel>, RepoError> {
        Ok(labels(self.tags()?.into_iter().collect()))
    }
}

fn cannot_open(path: &Path, error: &dyn std::error::Error) -> RepoError {
    let (path, reason) = (path.display().to_string(), whole_message(error));
    // What gix says of an extension that it was built without; a test holds it to that.
    if reason.contains("Object format is not enabled") {
        return RepoError::UnsupportedObjects { path };
    }
    RepoError::NotARepository { path, reason }
}

/// The label of each commit that has tags.
fn labels(mut tags: Vec<(String, CommitId)>) -> BTreeMap<CommitId, RevisionLabel> {
    tags.sort();
    tags.sort_by_key(|(name, _)| name.contains(|character: char| character.is_ascii_digit()));
    // Later entries replace earlier ones.
    let labelled = |(name, commit): (String, CommitId)| Some((commit, RevisionLabel::new(name).ok()?));
    tags.into_iter().filter_map(labelled).collect()
}

/// Whether a text is the beginning of a commit id, and long enough to be a label.
pub(crate) fn begins_with(commit: &CommitId, text: &str) -> bool {
    text.len() >= ABBREVIATED_DIGITS && commit.as_str().starts_with(text)
}

/// The label of a commit that no tag names.
pub(crate) fn abbreviated(commit: &CommitId) -> RevisionLabel {
    let digits: String = commit.as_str().chars().take(ABBREVIATED_DIGITS).collect();
    RevisionLabel::new(digits).expect("the beginning of a commit id is one line")
}

/// Our id for one of gix.
pub(crate) fn commit_id(id: gix::ObjectId) -> CommitId {
    CommitId::new(id.to_hex().to_string()).expect("git prints object ids as lower-case hexadecimal digits")
}

/// An error with all its causes, on one line.
pub(crate) fn whole_message(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn commit_beginning_with(repo: &gix::Repository, text: &str) -> Result<gix::ObjectId, RepoError> {
    let unknown = || RepoError::UnknownRevision { text: text.to_owned() };
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || text.len() < ABBREVIATED_DIGITS_MIN {
        return Err(unknown());
    }
    let prefix = gix::hash::Prefix::from_hex(text).map_err(|_not_hex| unknown())?;
    let mut candidates = std::collections::HashSet::new();
    let found = repo
        .objects
        .lookup_prefix(prefix, Some(&mut candidates))
        .map_err(|error| RepoError::References(error.to_string()))?;
    match found {
        None => Err(unknown()),
        Some(Ok(id)) => Ok(id),
        Some(Err(())) => {
            // Of several objects with this beginning, only commits were meant.
            let mut commits: Vec<_> =
                candidates.into_iter().filter(|id| repo.find_commit(*id).is_ok()).collect();
            match (commits.pop(), commits.is_empty()) {
                (Some(commit), true) => Ok(commit),
                (Some(_), false) => Err(RepoError::AmbiguousRevision { text: text.to_owned() }),
                (None, _) => Err(unknown()),
            }
        }
    }
}

fn find_commit<'repo>(
    repo: &'repo gix::Repository,
    commit: &CommitId,
) -> Result<gix::Commit<'repo>, RepoError> {
    let id = gix::ObjectId::from_hex(commit.as_str().as_bytes())
        .map_err(|error| missing(commit.to_string(), &error))?;
    repo.find_commit(id).map_err(|error| missing(commit.to_string(), &error))
}

fn missing(id: String, error: &dyn std::error::Error) -> RepoError {
    RepoError::MissingObject { id, reason: whole_message(error) }
}

pub(crate) fn revision_of(commit: &gix::Commit<'_>, labels: &BTreeMap<CommitId, RevisionLabel>) -> Revision {
    let id = commit_id(commit.id);
    let message = commit.message_raw_sloppy().to_str_lossy().into_owned();
    let first_line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    Revision {
        label: labels.get(&id).cloned().unwrap_or_else(|| abbreviated(&id)),
        commit: id,
        summary: first_line
            .chars()
            .filter(|character| !character.is_control())
            .take(SUMMARY_CHARACTERS_MAX)
            .collect(),
        // Commits that the mirror makes of releases carry no date: see `source::release_commit`.
        published_s: commit.time().ok().map(|time| time.seconds).filter(|seconds| *seconds != 0),
        withdrawn: false,
    }
}

#[cfg(test)]
mod tests;
