//! A git repository as a source: asks what it has, fetches what is new, and accepts only what continues the
//! history that the mirror already holds.

mod order;
mod remote;

use std::sync::atomic::AtomicBool;

use gix::glob::{wildmatch, wildmatch::Mode};
use remote::{Remote, RemoteRefs};

use super::mirror::{Mirror, stop_if};
use super::state::MirrorState;
use super::{Follow, Notice, SourceError, SourceProgress, refs};
use crate::ids::{CommitId, RevisionLabel};
use crate::repo::{RepoError, commit_id};
use crate::revision::Revision;

/// The most tags that are asked for one by one; beyond that, all tags are.
const TAGS_ASKED_SINGLY_MAX: usize = 50;

/// What a poll of a git repository is asked for.
pub(super) struct Asked<'asked> {
    pub(super) url: &'asked str,
    pub(super) follow: &'asked Follow,
    pub(super) progress: &'asked dyn SourceProgress,
    pub(super) interrupt: &'asked AtomicBool,
}

/// Brings what is new; the answer is what the upstream did to its own past.
pub(super) fn poll(
    mirror: &Mirror,
    state: &mut MirrorState,
    asked: &Asked<'_>,
) -> Result<Vec<Notice>, SourceError> {
    let remote = Remote::of(mirror, asked.url, state.last_poll_s)?;
    asked.progress.asking(asked.url);
    let has = remote.list(asked.interrupt)?;
    stop_if(asked.interrupt)?;
    let poll = GitPoll { mirror, repo: mirror.repo().local(), remote, has, asked };
    match asked.follow {
        Follow::Branch(branch) => poll.branch(branch),
        Follow::DefaultBranch => poll.default_branch(state),
        Follow::Tags { pattern } => poll.tags(pattern, state),
    }
}

/// All revisions in the mirror, oldest first.
pub(super) fn revisions(
    mirror: &Mirror,
    state: &MirrorState,
    follow: &Follow,
) -> Result<Vec<Revision>, SourceError> {
    let repo = mirror.repo();
    if let Follow::Tags { .. } = follow {
        let tags = repo.tags()?;
        let mut revisions = repo.revisions(tags.values())?;
        for (revision, tag) in revisions.iter_mut().zip(tags.keys()) {
            // A commit may have several tags, and each is a revision here.
            revision.label =
                RevisionLabel::new(tag.as_str()).expect("git takes no control characters in names");
            revision.withdrawn = state.deleted_tags.contains(tag);
        }
        return Ok(order::in_version_order(revisions));
    }
    match accepted_tip(mirror, state, follow)? {
        Some((_, tip)) => Ok(repo.first_parent_history(None, &tip)?),
        None => Ok(Vec::new()),
    }
}

/// Moves the followed branch to the rewritten history that the last poll saw.
pub(super) fn accept_rewrite(
    mirror: &Mirror,
    state: &MirrorState,
    commit: &CommitId,
) -> Result<(), SourceError> {
    let nothing = || SourceError::NothingToAccept { commit: commit.to_string() };
    let super::SourceSpec::Git { follow, .. } = mirror.source() else { return Err(nothing()) };
    let (branch, _) = accepted_tip(mirror, state, follow)?.ok_or_else(nothing)?;
    let repo = mirror.repo().local();
    if refs::get(&repo, &incoming_branch(&branch))?.as_ref() != Some(commit) {
        return Err(nothing());
    }
    refs::set(&repo, &accepted_branch(&branch), commit)
}

/// One poll in progress.
struct GitPoll<'poll> {
    mirror: &'poll Mirror,
    repo: gix::Repository,
    remote: Remote<'poll>,
    has: RemoteRefs,
    asked: &'poll Asked<'poll>,
}

impl GitPoll<'_> {
    fn default_branch(&self, state: &mut MirrorState) -> Result<Vec<Notice>, SourceError> {
        let no_default = || SourceError::NoDefaultBranch { url: self.asked.url.to_owned() };
        let named = self.has.default_branch.clone();
        let followed = match &state.default_branch {
            Some(followed) => followed.clone(),
            None => named.clone().ok_or_else(no_default)?,
        };
        let mut notices = self.branch(&followed)?;
        // Only a branch that was found is followed from now on.
        state.default_branch = Some(followed.clone());
        if let Some(named) = named.filter(|named| *named != followed) {
            notices.push(Notice::DefaultBranchChanged { had: followed, has: named });
        }
        Ok(notices)
    }

    fn branch(&self, branch: &str) -> Result<Vec<Notice>, SourceError> {
        let accepted = accepted_branch(branch);
        let had = refs::get(&self.repo, &accepted)?;
        let Some(has) = self.has.branches.get(branch).copied().map(commit_id) else {
            return match had {
                Some(had) => Ok(vec![Notice::BranchDeleted { branch: branch.to_owned(), had }]),
                None => Err(SourceError::UnknownBranch {
                    url: self.asked.url.to_owned(),
                    branch: branch.to_owned(),
                    branches: self.has.branches.keys().cloned().collect(),
                }),
            };
        };
        let incoming = incoming_branch(branch);
        if had.as_ref() != Some(&has) && refs::get(&self.repo, &incoming)?.as_ref() != Some(&has) {
            self.fetch(&[format!("+refs/heads/{branch}:{incoming}")])?;
        }
        let mut notices = self.take_tags_of_known_commits()?;
        match had {
            Some(had) => match self.rewrite_between(branch, &had, &has)? {
                Some(rewritten) => notices.push(rewritten),
                None if had == has => {}
                None => refs::set(&self.repo, &accepted, &has)?,
            },
            None => refs::set(&self.repo, &accepted, &has)?,
        }
        Ok(notices)
    }

    fn tags(&self, pattern: &str, state: &mut MirrorState) -> Result<Vec<Notice>, SourceError> {
        let known = self.mirror.repo().tags()?;
        let matching: Vec<_> = self.has.tags.iter().filter(|(tag, _)| matches(pattern, tag)).collect();
        if matching.is_empty() && known.is_empty() {
            return Err(SourceError::NoMatchingTag {
                url: self.asked.url.to_owned(),
                pattern: pattern.to_owned(),
                tags: self.has.tags.len(),
            });
        }
        let new: Vec<&String> =
            matching.iter().map(|(tag, _)| *tag).filter(|tag| !known.contains_key(*tag)).collect();
        let spec = |tag: &str| format!("+refs/tags/{tag}:refs/incoming/tags/{tag}");
        if new.len() > TAGS_ASKED_SINGLY_MAX {
            self.fetch(&[spec("*")])?;
        } else if !new.is_empty() {
            self.fetch(&new.iter().map(|tag| spec(tag)).collect::<Vec<_>>())?;
        }
        let mut notices = Vec::new();
        for (tag, id) in matching {
            notices.extend(self.take_tag(tag, *id)?);
        }
        state.deleted_tags.clear();
        for (tag, had) in known {
            if !self.has.tags.contains_key(&tag) {
                state.deleted_tags.push(tag.clone());
                notices.push(Notice::TagDeleted { tag, had });
            }
        }
        Ok(notices)
    }

    /// Tags name the commits of a branch, so those of commits that the mirror holds are taken along.
    ///
    /// Tags such as `nightly` are there to be moved, and nothing hangs on them here; so only of those that
    /// hold a version it is said that they were.
    fn take_tags_of_known_commits(&self) -> Result<Vec<Notice>, SourceError> {
        let mut notices = Vec::new();
        for (tag, id) in &self.has.tags {
            let moved = self.take_tag(tag, *id)?;
            notices.extend(moved.filter(|_| order::version_in(tag).is_some()));
        }
        Ok(notices)
    }

    fn take_tag(&self, tag: &str, id: gix::ObjectId) -> Result<Option<Notice>, SourceError> {
        let name = format!("refs/tags/{tag}");
        match refs::get(&self.repo, &name)? {
            Some(had) if id.to_hex() == had.as_str() => Ok(None),
            Some(had) => {
                Ok(Some(Notice::TagMoved { tag: tag.to_owned(), had, has: id.to_hex().to_string() }))
            }
            // Tags of trees and blobs name no revision.
            None if self.repo.find_commit(id).is_ok() => {
                refs::set(&self.repo, &name, &commit_id(id))?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// The forced push between two tips of a branch, if that is what happened.
    fn rewrite_between(
        &self,
        branch: &str,
        had: &CommitId,
        has: &CommitId,
    ) -> Result<Option<Notice>, SourceError> {
        let repo = self.mirror.repo();
        match repo.first_parent_history(Some(had), has) {
            Ok(_) => return Ok(None),
            Err(RepoError::NotAnAncestor { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let kept: std::collections::BTreeSet<CommitId> =
            repo.first_parent_history(None, has)?.into_iter().map(|revision| revision.commit).collect();
        let old = repo.first_parent_history(None, had)?;
        let lost = old.iter().rev().take_while(|revision| !kept.contains(&revision.commit)).count();
        let common_ancestor =
            old.len().checked_sub(lost + 1).and_then(|at| old.get(at)).map(|at| at.commit.clone());
        Ok(Some(Notice::BranchRewritten {
            branch: branch.to_owned(),
            had: had.clone(),
            has: has.clone(),
            common_ancestor,
            lost,
        }))
    }

    fn fetch(&self, specs: &[String]) -> Result<(), SourceError> {
        self.asked.progress.fetching(self.asked.url);
        self.remote.fetch(specs, self.asked.interrupt)
    }
}

/// The followed branch and its tip in the mirror, once there is one.
fn accepted_tip(
    mirror: &Mirror,
    state: &MirrorState,
    follow: &Follow,
) -> Result<Option<(String, CommitId)>, SourceError> {
    let branch = match follow {
        Follow::Branch(branch) => Some(branch.clone()),
        Follow::DefaultBranch => state.default_branch.clone(),
        Follow::Tags { .. } => None,
    };
    let Some(branch) = branch else { return Ok(None) };
    let tip = refs::get(&mirror.repo().local(), &accepted_branch(&branch))?;
    Ok(tip.map(|tip| (branch, tip)))
}

fn accepted_branch(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

fn incoming_branch(branch: &str) -> String {
    format!("refs/incoming/heads/{branch}")
}

fn matches(pattern: &str, tag: &str) -> bool {
    wildmatch(pattern.into(), tag.into(), Mode::empty())
}
