//! What the bot sees of the forge and of both branches before each step.

use anyhow::{Context as _, Result};
use port::repo::{Merged, SeriesCommit};
use upstream::{CommitId, TreeId};

use super::Policy;
use super::bot::{Bot, Known, SEAL, is_ours};
use super::command;
use super::landed;
use super::marker::{Marker, Says, declined_in};
use super::obstacle::ProposalObstacle;
use super::seen::facts;
use super::view::{Asked, Pull, RemoteHead, Tip, View};
use crate::forge::remote::FETCHED;
use crate::forge::{Comment, ForgeError, Permission, PullRequest, PullState};

/// Milliseconds in an hour.
const HOUR_MS: i64 = 60 * 60 * 1000;
/// How many commits of a branch are searched for the last of ours.
const SEALS_MAX: usize = 200;

impl Bot<'_> {
    /// Sees everything that a step is decided from.
    pub fn view(&self) -> Result<View> {
        self.look(&Known::default())
    }

    pub(super) fn look(&self, known: &Known) -> Result<View> {
        let me = self.me(known)?;
        let (mut base, mut head) = self.fetched()?;
        let pulls = self.forge.pulls_from(&self.policy.head_branch)?;
        let seen = facts(&pulls);
        // An open one before a newer closed one: it is what people look at.
        let newest =
            pulls.iter().find(|pull| pull.state == PullState::Open).or_else(|| pulls.first()).cloned();
        // What was merged between the two looks is in a base branch that is newer than the one that was fetched.
        if let Some(PullState::Merged { commit: Some(commit) }) = newest.as_ref().map(|pull| &pull.state)
            && !self.holds(&base, commit)?
        {
            (base, head) = self.fetched()?;
        }
        let is_open = newest.as_ref().is_some_and(|pull| pull.state == PullState::Open);
        let Policy { branch_prefix, pr_concurrent_limit, pr_hourly_limit, .. } = self.policy;
        let open_pulls =
            if is_open || *pr_concurrent_limit == 0 { 0 } else { self.forge.open_pulls(branch_prefix)? };
        let now_ms = self.clock.now_ms();
        let opened_lately = if is_open || *pr_hourly_limit == 0 {
            0
        } else {
            self.forge.opened_since(branch_prefix, now_ms - HOUR_MS)?
        };
        let pull = newest.map(|request| self.pull(request, &me, known, &base)).transpose()?;
        Ok(View { me, base, head, pull, open_pulls, opened_lately, seen, now_ms })
    }

    pub(super) fn me(&self, known: &Known) -> Result<String> {
        if let Some(me) = &*known.me.borrow() {
            return Ok(me.clone());
        }
        let me = self.forge.whoami()?;
        *known.me.borrow_mut() = Some(me.clone());
        Ok(me)
    }

    /// The base branch and the bot's, as they are at the forge.
    fn fetched(&self) -> Result<(Tip, Option<RemoteHead>)> {
        let Policy { base_branch, head_branch, .. } = self.policy;
        let there = self.remote.branches(&[base_branch, head_branch])?;
        if !there.contains_key(base_branch) {
            return Err(ProposalObstacle::NoBase { branch: base_branch.clone() }.into());
        }
        let here = |name: &str| self.port.reference(&format!("{FETCHED}{name}"));
        let mut missing = Vec::new();
        for (name, commit) in &there {
            if here(name)?.as_ref() != Some(commit) {
                missing.push(name.as_str());
            }
        }
        self.remote.fetch(&missing)?;
        let tip = |commit: CommitId| -> Result<Tip> {
            let tree = self.port.commit_info(&commit)?.tree;
            Ok(Tip { commit, tree })
        };
        let base = tip(here(base_branch)?.context("the base branch was fetched and is not here")?)?;
        let is_there = there.contains_key(head_branch);
        let head = if is_there { here(head_branch)?.map(tip).transpose()? } else { None };
        let head = head.map(|head| self.remote_head(&base, head)).transpose()?;
        Ok((base, head))
    }

    /// Whether a commit is in the base branch, as it was fetched.
    fn holds(&self, base: &Tip, commit: &str) -> Result<bool> {
        let Ok(commit) = CommitId::new(commit) else { return Ok(true) };
        Ok(self.port.has_commit(&commit) && self.port.descends(&base.commit, &commit)?)
    }

    fn remote_head(&self, base: &Tip, tip: Tip) -> Result<RemoteHead> {
        let foreign = self.foreign(&base.commit, &tip.commit)?;
        let descends = self.port.descends(&tip.commit, &base.commit)?;
        let (holds_base, conflicts) = if descends {
            (true, Vec::new())
        } else {
            match self.port.merge_trees(&tip.commit, &base.commit)? {
                Merged::Tree(tree) => (tree == tip.tree, Vec::new()),
                Merged::Conflicts(files) => (false, files),
            }
        };
        Ok(RemoteHead { tip, foreign, holds_base, conflicts })
    }

    /// The first commit behind `from` that is not ours.
    pub(super) fn foreign(&self, from: &CommitId, to: &CommitId) -> Result<Option<CommitId>> {
        let series = self.port.series(from, to)?;
        Ok(series
            .into_iter()
            .find(|commit| !is_ours(commit, &self.policy.author_email))
            .map(|commit| commit.id))
    }

    fn pull(&self, request: PullRequest, me: &str, known: &Known, base: &Tip) -> Result<Pull> {
        let comments = self.forge.comments(&request)?;
        let said: Vec<Says> = comments
            .iter()
            .filter(|comment| comment.author == me)
            .filter_map(|one| Says::of(&one.body))
            .collect();
        let mut asked = Vec::new();
        for comment in comments.iter().filter(|comment| comment.author != me) {
            let key = format!("answer:{}", comment.id);
            let answered = said.iter().any(|says| says.key == key);
            if let Some(command) = command::parse(&comment.body).filter(|_| !answered) {
                let is_allowed = self.permission(comment, known)? >= Permission::Write;
                asked.push(Asked { comment: comment.id, by: comment.author.clone(), command, is_allowed });
            }
        }
        let is_open = request.state == PullState::Open;
        let reviews = if is_open { self.forge.reviews(&request)? } else { Vec::new() };
        let reviews = reviews.into_iter().filter(|review| review.author != me).collect();
        let head = CommitId::new(request.head.as_str()).ok();
        let status = match &head {
            Some(head) if is_open => self.forge.status(head, &self.policy.status_context)?,
            Some(_) | None => None,
        };
        let marker = self.marker(&request, head.as_ref(), base);
        let landing = match &request.state {
            PullState::Open => None,
            PullState::Closed { .. } | PullState::Merged { .. } => {
                Some(self.landing(&request, marker.as_ref(), head.as_ref(), base)?)
            }
        };
        Ok(Pull { request, marker, said, asked, reviews, status, landing })
    }

    fn permission(&self, of: &Comment, known: &Known) -> Result<Permission, ForgeError> {
        if let Some(permission) = known.permissions.borrow().get(&of.author) {
            return Ok(*permission);
        }
        let permission = self.forge.permission(of)?;
        known.permissions.borrow_mut().insert(of.author.clone(), permission);
        Ok(permission)
    }

    /// What a pull request says about itself, or its commits where somebody wrote another text. One that was closed
    /// between a push and the text about it is closed with what was pushed.
    fn marker(&self, request: &PullRequest, head: Option<&CommitId>, base: &Tip) -> Option<Marker> {
        let Some(written) = Marker::of(&request.body) else { return self.marker_of_commits(head, base) };
        let is_closed = matches!(request.state, PullState::Closed { .. });
        if !is_closed || written.head == request.head {
            return Some(written);
        }
        let to = self.marker_of_commits(head, base).map(|pushed| pushed.to);
        Some(Marker { to: to.unwrap_or_else(|| written.to.clone()), ..written })
    }

    /// Where somebody wrote another text, what the commits say.
    fn marker_of_commits(&self, head: Option<&CommitId>, base: &Tip) -> Option<Marker> {
        let ours = self.ours(head, base);
        let last = ours.last()?;
        let revision = |commit: &SeriesCommit| {
            commit
                .message
                .lines()
                .find_map(|line| line.strip_prefix("Tidelock-Revision: "))
                .map(str::to_owned)
        };
        Some(Marker {
            head: last.id.to_string(),
            tree: last.tree.to_string(),
            from: String::new(),
            to: ours.iter().rev().find_map(revision)?,
            declined: ours.iter().flat_map(|commit| declined_in(&commit.message)).collect(),
            digest: String::new(),
            dressed: true,
        })
    }

    /// Our commits behind the base branch, oldest first.
    fn ours(&self, head: Option<&CommitId>, base: &Tip) -> Vec<SeriesCommit> {
        let mut series = head.and_then(|head| self.port.series(&base.commit, head).ok()).unwrap_or_default();
        series.retain(|one| is_ours(one, &self.policy.author_email));
        series
    }

    fn landing(
        &self,
        request: &PullRequest,
        marker: Option<&Marker>,
        head: Option<&CommitId>,
        base: &Tip,
    ) -> Result<landed::Landing> {
        // What was pushed last is newer than what the text says, after a process that ended in between; it may lie below
        // people's commits. Without a text of ours, our last commit in what was merged tells.
        let tested = self
            .sealed_tree(head, 1)
            .or_else(|| self.ours(head, base).pop().map(|last| last.tree))
            .or_else(|| TreeId::new(marker?.tree.as_str()).ok())
            .or_else(|| self.sealed_tree(head, SEALS_MAX));
        let (merged, is_merged) = match &request.state {
            PullState::Merged { commit } => (commit.as_deref(), true),
            PullState::Open | PullState::Closed { .. } => (None, false),
        };
        Ok(landed::compare(self.port, tested.as_ref(), &base.commit, merged, is_merged)?)
    }

    /// The tree of the newest commit that names its own tree, among so many first parents.
    fn sealed_tree(&self, head: Option<&CommitId>, commits_max: usize) -> Option<TreeId> {
        let mut at = head.cloned();
        for _ in 0..commits_max {
            let info = self.port.commit_info(&at.take()?).ok()?;
            let sealed = info.message.lines().rev().find_map(|line| line.strip_prefix(SEAL));
            if sealed == Some(info.tree.as_str()) {
                return Some(info.tree);
            }
            at = info.parents.into_iter().next();
        }
        None
    }
}
