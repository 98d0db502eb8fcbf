//! A git repository as a source: asks what it has, fetches what is new, and accepts only what continues the
//! history that the mirror already holds.

mod http;
mod order;
mod remote;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use gix::glob::{wildmatch, wildmatch::Mode};
use remote::{Hearing, Remote, RemoteRefs};

use super::address::without_userinfo;
use super::mirror::{Mirror, stop_if};
use super::state::MirrorState;
use super::{Follow, History, Notice, SourceError, SourceProgress, SourceSpec, TagOrder, refs};
use crate::ids::{CommitId, RevisionLabel};
use crate::repo::{RepoError, commit_id};
use crate::revision::Revision;

/// The most tags that are asked for one by one; beyond that, all tags are.
const TAGS_ASKED_SINGLY_MAX: usize = 50;

/// What a poll of a git repository is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'asked> {
    pub(super) url: &'asked str,
    pub(super) follow: &'asked Follow,
    pub(super) history: History,
    pub(super) progress: &'asked dyn SourceProgress,
    pub(super) interrupt: &'asked AtomicBool,
}

/// What a poll of a git repository found.
pub(super) struct Polled {
    /// What the upstream did to its own past.
    pub(super) notices: Vec<Notice>,
    /// The digest of the references that count.
    pub(super) listing: String,
}

/// Brings what is new.
pub(super) fn poll(
    mirror: &Mirror,
    state: &mut MirrorState,
    asked: &Asked<'_>,
) -> Result<Polled, SourceError> {
    let remote = Remote::of(mirror, asked.url, state.last_poll_s)?;
    let has = listed(&remote, state, asked)?;
    let listing = has.digest();
    if state.seen.as_ref().is_some_and(|seen| seen.listing == listing && seen.notices.is_empty()) {
        return Ok(Polled { notices: Vec::new(), listing });
    }
    stop_if(asked.interrupt)?;
    let poll = GitPoll { mirror, repo: mirror.repo().local(), remote, has, asked };
    let notices = match asked.follow {
        Follow::Branch(branch) => poll.branch(branch),
        Follow::DefaultBranch => poll.default_branch(state),
        Follow::Tags { pattern, .. } => poll.tags(pattern, state),
    }?;
    Ok(Polled { notices, listing })
}

/// The digest of the references that count, as the remote has them now. Nothing is fetched or written.
pub(super) fn look(mirror: &Mirror, state: &MirrorState, asked: &Asked<'_>) -> Result<String, SourceError> {
    let remote = Remote::of(mirror, asked.url, state.last_poll_s)?;
    Ok(listed(&remote, state, asked)?.digest())
}

/// The references that count; the server is asked to leave out the others.
fn listed(remote: &Remote<'_>, state: &MirrorState, asked: &Asked<'_>) -> Result<RemoteRefs, SourceError> {
    asked.progress.asking(&without_userinfo(asked.url));
    let branch = |name: &str| format!("+refs/heads/{name}:{}", incoming_branch(name));
    let all_tags = || "+refs/tags/*:refs/incoming/tags/*".to_owned();
    let specs = match asked.follow {
        Follow::Branch(name) => vec![branch(name), all_tags()],
        Follow::DefaultBranch => {
            let name = state.default_branch.as_deref().unwrap_or("*");
            vec!["HEAD".to_owned(), branch(name), all_tags()]
        }
        Follow::Tags { pattern, .. } => {
            let plain: String =
                pattern.chars().take_while(|character| !"*?[\\".contains(*character)).collect();
            vec![format!("+refs/tags/{plain}*:refs/incoming/tags/{plain}*")]
        }
    };
    let mut has = remote.list(&specs, hearing(asked))?;
    match asked.follow {
        Follow::Branch(name) => {
            has.default_branch = None;
            has.branches.retain(|branch, _| branch == name);
        }
        Follow::DefaultBranch => {
            let followed = state.default_branch.clone().or_else(|| has.default_branch.clone());
            has.branches.retain(|branch, _| Some(branch) == followed.as_ref());
        }
        Follow::Tags { .. } => {
            has.default_branch = None;
            has.branches.clear();
            has.tags.retain(|tag, _| counts(asked.follow, tag));
        }
    }
    Ok(has)
}

fn hearing<'asked>(asked: &Asked<'asked>) -> Hearing<'asked> {
    Hearing { progress: asked.progress, interrupt: asked.interrupt }
}

/// Whether a tag is a revision.
fn counts(follow: &Follow, tag: &str) -> bool {
    match follow {
        Follow::Tags { pattern, pre_releases, .. } => {
            let is_pre_release = || order::version_in(tag).is_some_and(|version| !version.pre.is_empty());
            wildmatch(pattern.as_str().into(), tag.into(), Mode::empty())
                && (*pre_releases || !is_pre_release())
        }
        Follow::Branch(_) | Follow::DefaultBranch => false,
    }
}

/// All revisions in the mirror, oldest first.
pub(super) fn revisions(
    mirror: &Mirror,
    state: &MirrorState,
    follow: &Follow,
    history: History,
) -> Result<Vec<Revision>, SourceError> {
    let repo = mirror.repo();
    if let Follow::Tags { order, .. } = follow {
        let mut tags = repo.tags()?;
        tags.retain(|tag, _| counts(follow, tag));
        let mut revisions = repo.revisions(tags.values())?;
        for (revision, tag) in revisions.iter_mut().zip(tags.keys()) {
            // A commit may have several tags, and each is a revision here.
            revision.label =
                RevisionLabel::new(tag.as_str()).expect("git takes no control characters in names");
            revision.withdrawn = state.deleted_tags.contains(tag);
        }
        return Ok(match order {
            TagOrder::Version => order::in_version_order(revisions),
            TagOrder::Date => order::in_date_order(revisions),
        });
    }
    match accepted_tip(mirror, state, follow)? {
        Some((_, tip)) => Ok(history_up_to(mirror, history, &tip)?),
        None => Ok(Vec::new()),
    }
}

fn history_up_to(mirror: &Mirror, history: History, tip: &CommitId) -> Result<Vec<Revision>, RepoError> {
    match history {
        History::FirstParent => mirror.repo().first_parent_history(None, tip),
        History::Full => mirror.repo().full_history(tip),
    }
}

/// How many of the revisions a port has that equals a revision which is not among them: the upstream threw
/// it away, and somebody accepted that. What it still has in common with them is what counts.
pub(super) fn position_of_lost(
    mirror: &Mirror,
    revisions: &[Revision],
    since: &RevisionLabel,
) -> Result<Option<usize>, SourceError> {
    let lost = match mirror.repo().resolve(since.as_str()) {
        Ok(lost) => lost,
        Err(RepoError::UnknownRevision { .. } | RepoError::AmbiguousRevision { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let places: BTreeMap<&CommitId, usize> =
        revisions.iter().enumerate().map(|(at, revision)| (&revision.commit, at)).collect();
    let before = mirror.repo().first_parent_history(None, &lost.commit)?;
    Ok(before.iter().rev().find_map(|revision| places.get(&revision.commit)).map(|at| at + 1))
}

/// Moves the followed branch to the rewritten history that the last poll saw.
pub(super) fn accept_rewrite(
    mirror: &Mirror,
    state: &MirrorState,
    commit: &CommitId,
) -> Result<(), SourceError> {
    let nothing = || SourceError::NothingToAccept { commit: commit.to_string() };
    let SourceSpec::Git { follow, .. } = mirror.source() else { return Err(nothing()) };
    let (branch, _) = accepted_tip(mirror, state, follow)?.ok_or_else(nothing)?;
    let repo = mirror.repo().local();
    if refs::get(&repo, &incoming_branch(&branch))?.as_ref() != Some(commit) {
        return Err(nothing());
    }
    refs::set(&repo, &accepted_branch(&branch), commit)
}

/// Follows another branch from now on, from where the former one is: what comes next must continue that.
pub(super) fn accept_default_branch(
    mirror: &Mirror,
    state: &mut MirrorState,
    branch: &str,
) -> Result<(), SourceError> {
    let nothing = || SourceError::NothingToAccept { commit: branch.to_owned() };
    let name = accepted_branch(branch);
    if gix::refs::FullName::try_from(name.as_str()).is_err() {
        return Err(nothing());
    }
    let (had, tip) = accepted_tip(mirror, state, &Follow::DefaultBranch)?.ok_or_else(nothing)?;
    if had == branch {
        return Err(nothing());
    }
    refs::set(&mirror.repo().local(), &name, &tip)?;
    state.default_branch = Some(branch.to_owned());
    Ok(())
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
        let no_default = || SourceError::NoDefaultBranch { url: without_userinfo(self.asked.url) };
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
                None => Err(self.unknown_branch(branch)?),
            };
        };
        let incoming = incoming_branch(branch);
        let is_held = had.as_ref() == Some(&has) || refs::get(&self.repo, &incoming)?.as_ref() == Some(&has);
        if !is_held || self.remote.is_shallow()? {
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
        if self.has.tags.is_empty() && known.is_empty() {
            let all =
                self.remote.list(&["+refs/tags/*:refs/incoming/tags/*".to_owned()], hearing(self.asked))?;
            return Err(SourceError::NoMatchingTag {
                url: without_userinfo(self.asked.url),
                pattern: pattern.to_owned(),
                tags: all.tags.len(),
            });
        }
        let new: Vec<&String> = self.has.tags.keys().filter(|tag| !known.contains_key(*tag)).collect();
        let spec = |tag: &str| format!("+refs/tags/{tag}:refs/incoming/tags/{tag}");
        if new.len() > TAGS_ASKED_SINGLY_MAX {
            self.fetch(&[spec("*")])?;
        } else if !new.is_empty() {
            self.fetch(&new.iter().map(|tag| spec(tag)).collect::<Vec<_>>())?;
        }
        let mut notices = self.take_tags()?;
        state.deleted_tags.clear();
        for (tag, had) in known {
            if counts(self.asked.follow, &tag) && !self.has.tags.contains_key(&tag) {
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
        let is_version = |notice: &Notice| match notice {
            Notice::TagMoved { tag, .. } => order::version_in(tag).is_some(),
            Notice::BranchRewritten { .. }
            | Notice::BranchDeleted { .. }
            | Notice::DefaultBranchChanged { .. }
            | Notice::TagDeleted { .. }
            | Notice::ReleaseReplaced { .. }
            | Notice::ReleaseDeleted { .. }
            | Notice::WithdrawnReleaseUnavailable { .. } => true,
        };
        Ok(self.take_tags()?.into_iter().filter(is_version).collect())
    }

    /// Takes the tags of commits that the mirror holds; says which point elsewhere than the mirror's.
    fn take_tags(&self) -> Result<Vec<Notice>, SourceError> {
        let known = refs::tags(&self.repo)?;
        let (mut notices, mut new) = (Vec::new(), Vec::new());
        for (tag, id) in &self.has.tags {
            match known.get(tag) {
                Some(had) if had == id => {}
                Some(had) => notices.push(Notice::TagMoved {
                    tag: tag.clone(),
                    had: commit_id(*had),
                    has: id.to_hex().to_string(),
                }),
                // Tags of trees and blobs name no revision.
                None if self.repo.find_commit(*id).is_ok() => {
                    new.push((format!("refs/tags/{tag}"), commit_id(*id)));
                }
                None => {}
            }
        }
        refs::set_all(&self.repo, &new)?;
        Ok(notices)
    }

    /// The error for a branch that the remote does not have; it names those that are there.
    fn unknown_branch(&self, branch: &str) -> Result<SourceError, SourceError> {
        let all =
            self.remote.list(&["+refs/heads/*:refs/incoming/heads/*".to_owned()], hearing(self.asked))?;
        let (url, branches) = (without_userinfo(self.asked.url), all.branches.into_keys().collect());
        Ok(SourceError::UnknownBranch { url, branch: branch.to_owned(), branches })
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
        if self.asked.history == History::Full
            && repo.full_history(has)?.iter().any(|revision| &revision.commit == had)
        {
            return Ok(None);
        }
        let kept: BTreeSet<CommitId> =
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
        self.asked.progress.fetching(&without_userinfo(self.asked.url));
        self.remote.fetch(specs, hearing(self.asked))
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
