//! Carries the steps out, one at a time, and looks again after each.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use port::repo::{AdvanceError, Author, Merged, NewCommit, PortRepo, SeriesCommit};
use upstream::{Clock, CommitId, ContentHash, TreeId};

use super::Policy;
use super::dashboard::{self, Keep};
use super::landed;
use super::maker::{Made, Maker};
use super::marker::{Marker, Says, declined_in};
use super::obstacle::ProposalObstacle;
use super::step::{Order, Rest, Start, Step, Text, decide};
use super::view::{Pull, View};
use crate::forge::remote::{FETCHED, Remote, RemoteError};
use crate::forge::{Change, Forge, ForgeError, NewPull, Permission, PullRequest, PullState};
use crate::progress::{Listener, Progress};
use crate::stops;

/// The most steps of one sync.
const STEPS_MAX: usize = 100;
/// The most steps of one sync that did not come off and are seen again.
const FAILURES_MAX: usize = 6;
/// How often the upstream is followed in one sync, because what it was followed for moved meanwhile.
const MAKES_MAX: usize = 4;
/// The longest that a forge is waited for before the sync gives up until the next, in seconds.
const WAIT_S_MAX: u64 = 120;
/// The trailer that ties a commit of ours to its tree.
pub(super) const SEAL: &str = "Tidelock-Tree: ";

/// A commit's message with its tree in it. A commit that somebody amended holds another tree than it says.
pub fn sealed(message: &str, tree: &TreeId) -> String {
    let message = message.trim_end();
    let last = message.lines().next_back().unwrap_or_default();
    let gap = if last.starts_with("Tidelock-") { "\n" } else { "\n\n" };
    format!("{message}{gap}{SEAL}{tree}\n")
}

/// Whether a commit is ours as we made it.
pub fn is_ours(commit: &SeriesCommit, email: &str) -> bool {
    let sealed = commit.message.lines().rev().find_map(|line| line.strip_prefix(SEAL));
    sealed == Some(commit.tree.as_str()) && commit.author_email == email && commit.committer_email == email
}

/// How a sync of the bot ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Why nothing more is to be done.
    pub rest: Rest,
    /// The newest pull request, as it is now.
    pub pull: Option<PullRequest>,
    /// What the last look saw of our proposals: where a poll sees something else, somebody did or said something since.
    pub seen: ContentHash,
    /// The steps that were carried out, by name.
    pub steps: Vec<&'static str>,
    /// Whether it was found now that a tree landed which is not the one that was tested.
    pub alarm: bool,
}

/// The bot of one port.
#[derive(Debug)]
pub struct Bot<'a> {
    /// The forge.
    pub forge: &'a dyn Forge,
    /// The repository there.
    pub remote: &'a Remote,
    /// The repository here.
    pub port: &'a PortRepo,
    /// How it behaves.
    pub policy: &'a Policy,
    /// Who commits.
    pub author: &'a Author,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Hears what happens.
    pub listener: &'a dyn Listener,
}

/// What was made, and for what.
struct Work {
    made: Made,
    base: CommitId,
    pull: Option<(u64, PullState)>,
    head: Option<CommitId>,
}

impl Work {
    /// Whether it still is what is asked for. What we pushed ourselves does not count as a change.
    fn still_fits(&self, view: &View) -> bool {
        let head = view.head.as_ref().map(|head| &head.tip.commit);
        let pushed = view.head.as_ref().is_some_and(|head| head.tip.tree == self.made.tree);
        self.base == view.base.commit && self.pull == state_of(view) && (pushed || head == self.head.as_ref())
    }
}

fn state_of(view: &View) -> Option<(u64, PullState)> {
    view.pull.as_ref().map(|pull| (pull.request.number, pull.request.state.clone()))
}

/// Remembered for one sync, so that nothing is asked twice.
#[derive(Default)]
pub(super) struct Known {
    pub(super) me: RefCell<Option<String>>,
    pub(super) permissions: RefCell<BTreeMap<String, Permission>>,
    alarm: Cell<bool>,
}

impl Bot<'_> {
    /// Brings forge and upstream together, once.
    pub fn sync(&self, maker: &mut dyn Maker) -> Result<Outcome> {
        let known = Known::default();
        let (mut work, mut makes, mut failures): (Option<Work>, usize, usize) = (None, 0, 0);
        let mut steps = Vec::new();
        for _ in 0..STEPS_MAX {
            let result = self.one_step(&known, maker, &mut work, &mut makes, &mut steps);
            match result {
                Ok(Some((rest, View { pull, seen, .. }))) => {
                    let pull = pull.map(|pull| pull.request);
                    return Ok(Outcome { rest, pull, seen, steps, alarm: known.alarm.get() });
                }
                Ok(None) => {}
                Err(error) => {
                    failures += 1;
                    match wait_s(&error) {
                        Some(wait_s) if failures <= FAILURES_MAX => {
                            tracing::info!(error = format!("{error:#}"), "looking again");
                            self.clock.sleep(Duration::from_secs(wait_s));
                        }
                        Some(_) | None => return Err(error),
                    }
                }
            }
        }
        bail!("the proposal did not come to rest in {STEPS_MAX} steps; run the same command again")
    }

    /// Looks, decides, and does what was decided. Ends with why there is nothing to do.
    fn one_step(
        &self,
        known: &Known,
        maker: &mut dyn Maker,
        work: &mut Option<Work>,
        makes: &mut usize,
        steps: &mut Vec<&'static str>,
    ) -> Result<Option<(Rest, View)>> {
        let view = self.look(known)?;
        if work.as_ref().is_some_and(|work| !work.still_fits(&view)) {
            *work = None;
        }
        let step = decide(&view, self.policy, work.as_ref().map(|work| &work.made));
        stops::pass(&format!("propose {}: before", step.name()));
        if matches!(step, Step::Rest(_) | Step::Stop(_))
            && self.keep_dashboard(known, &view, work.as_ref().map(|work| &work.made), &step)?
        {
            steps.push("dashboard");
        }
        match &step {
            Step::Rest(rest) => return Ok(Some((rest.clone(), view))),
            Step::Stop(obstacle) => return Err(obstacle.clone().into()),
            Step::Make(order) => {
                *makes += 1;
                if *makes > MAKES_MAX {
                    bail!(
                        "the forge changed {MAKES_MAX} times while the upstream was followed; run it again later"
                    );
                }
                let made = self.make(order, &view, maker)?;
                let head = view.head.as_ref().map(|head| head.tip.commit.clone());
                *work = Some(Work { made, base: view.base.commit.clone(), pull: state_of(&view), head });
            }
            Step::Push { expected, to } => {
                let work = work.as_ref().context("nothing was made that could be pushed")?;
                self.push(&view, &work.made, expected.as_ref(), to)?;
            }
            Step::Merge { head } => {
                self.act(&step, &view, known, Some(head))?;
                *work = None;
            }
            Step::Open(_) | Step::Close => {
                self.act(&step, &view, known, None)?;
                // Its own doing: what was made for it still holds, unless somebody was there in between.
                if let Some(work) = work {
                    let after = self.look(known)?;
                    if after.pull.as_ref().is_some_and(Pull::is_open) == matches!(step, Step::Open(_)) {
                        work.pull = state_of(&after);
                    }
                }
            }
            Step::Say { .. } | Step::Change(_) | Step::Dress(_) | Step::SetStatus { .. } => {
                self.act(&step, &view, known, None)?;
            }
        }
        stops::pass(&format!("propose {}: carried out", step.name()));
        steps.push(step.name());
        Ok(None)
    }

    fn make(&self, order: &Order, view: &View, maker: &mut dyn Maker) -> Result<Made> {
        let base = &view.base.commit;
        let start = match &order.start {
            Start::Base => maker.record_declined(base, &order.declined)?,
            Start::Head(head) => head.clone(),
            Start::Merge(head) => self.merged(head, view, maker)?,
        };
        self.stand_at(&start, base, view, maker)?;
        let mut made = maker.make(base, order.retry)?;
        // What was gated as a merge and had nothing added needs no second proof.
        if made.pass.is_none()
            && let (Start::Merge(_), true) = (&order.start, made.tip == start)
        {
            made.pass = maker.gate(&made.tree, base)?.ok();
        }
        Ok(made)
    }

    /// The bot's branch with the base branch merged into it, if the gate passes that.
    fn merged(&self, head: &CommitId, view: &View, maker: &mut dyn Maker) -> Result<CommitId> {
        let number = view.pull.as_ref().map(|pull| pull.request.number).unwrap_or_default();
        let base = self.policy.base_branch.clone();
        let tree = match self.port.merge_trees(head, &view.base.commit)? {
            Merged::Tree(tree) => tree,
            Merged::Conflicts(files) => return Err(ProposalObstacle::Conflict { number, base, files }.into()),
        };
        let pass = match maker.gate(&tree, &view.base.commit)? {
            Ok(pass) => pass,
            Err(reason) => return Err(ProposalObstacle::MergeRefused { number, base, reason }.into()),
        };
        let message = sealed(&format!("Merge {base} into {}", self.policy.head_branch), pass.tree());
        // The same commits make the same merge, whenever it is made.
        let time_s = 0;
        Ok(self.port.commit_object(&NewCommit {
            parents: &[head.clone(), view.base.commit.clone()],
            tree: pass.tree(),
            message: &message,
            author: self.author,
            time_s,
        })?)
    }

    /// Puts the local branch to where work is to begin. What a killed process made upon it is kept.
    fn stand_at(&self, start: &CommitId, base: &CommitId, view: &View, maker: &mut dyn Maker) -> Result<()> {
        let branch = &self.policy.head_branch;
        let here = self.port.reference(&format!("refs/heads/{branch}"))?;
        if let Some(here) = &here {
            if here == start {
                return Ok(());
            }
            let is_at_forge = view.head.as_ref().is_some_and(|head| head.tip.commit == *here);
            if self.is_ours_upon(here, start)? && !is_at_forge && maker.knows(here)? {
                return Ok(());
            }
            let fetched = self.port.reference(&format!("{FETCHED}{branch}"))?.as_ref() == Some(here);
            if !is_at_forge
                && !fetched
                && let Some(commit) = self.foreign(base, here)?
            {
                return Err(ProposalObstacle::ForeignCommit { branch: branch.clone(), commit }.into());
            }
        }
        match self.port.reset_branch(branch, here.as_ref(), start) {
            Ok(()) => Ok(()),
            Err(AdvanceError::CheckedOut { branch }) => Err(ProposalObstacle::CheckedOut { branch }.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a branch goes on from where work is to begin, with commits of ours alone. What was declined is recorded where
    /// work begins: a branch that records it behind that was made before somebody took it back.
    fn is_ours_upon(&self, branch: &CommitId, start: &CommitId) -> Result<bool> {
        if !self.port.descends(branch, start)? {
            return Ok(false);
        }
        let series = self.port.series(start, branch)?;
        let fits = |commit: &SeriesCommit| {
            is_ours(commit, &self.policy.author_email) && declined_in(&commit.message).is_empty()
        };
        Ok(series.iter().all(fits))
    }

    fn push(&self, view: &View, made: &Made, expected: Option<&CommitId>, to: &CommitId) -> Result<()> {
        // Promise 1: what people see as tested was tested.
        let tree = self.port.commit_info(to)?.tree;
        if made.pass.as_ref().is_none_or(|pass| *pass.tree() != tree) {
            bail!("the commit {to} holds a tree that no gate passed: it is not pushed");
        }
        let reviewed = view.pull.as_ref().is_some_and(|pull| pull.is_open() && !pull.reviews.is_empty());
        if let Some(expected) = expected.filter(|_| reviewed)
            && !self.port.descends(to, expected)?
        {
            bail!(
                "the pull request was reviewed, and {to} does not come after what was reviewed: it is not pushed"
            );
        }
        self.remote.push(&self.policy.head_branch, expected, to)?;
        Ok(())
    }

    /// What only asks the forge for something.
    fn act(&self, step: &Step, view: &View, known: &Known, head: Option<&CommitId>) -> Result<()> {
        let pull = || view.pull.as_ref().map(|pull| &pull.request).context("there is no pull request");
        match step {
            Step::Say { key, text, verdict } => {
                if key == "landed" {
                    self.tell_landed(view, text, known);
                }
                let says = Says { key: key.clone(), verdict: verdict.clone() };
                self.forge.comment(pull()?, &says.on(text))?;
            }
            Step::Close => self.forge.close(pull()?)?,
            Step::Open(Text { title, body, is_draft }) => {
                let Policy { base_branch, head_branch, .. } = self.policy;
                let body = self.within(body)?;
                self.forge.open(&NewPull {
                    head: head_branch,
                    base: base_branch,
                    title,
                    body: &body,
                    is_draft: *is_draft,
                })?;
            }
            Step::Change(text) => self.change(pull()?, text)?,
            Step::Dress(text) => {
                let missing: Vec<String> = self
                    .policy
                    .labels
                    .iter()
                    .filter(|label| {
                        view.pull.as_ref().is_none_or(|pull| !pull.request.labels.contains(label))
                    })
                    .cloned()
                    .collect();
                if !missing.is_empty() {
                    self.forge.add_labels(pull()?, &missing)?;
                }
                if !self.policy.reviewers.is_empty() {
                    self.ask_reviewers(pull()?)?;
                }
                self.change(pull()?, text)?;
            }
            Step::SetStatus { commit, status } => self.forge.set_status(commit, status)?,
            Step::Merge { .. } => {
                let head = head.context("no commit to merge")?;
                self.forge.merge(pull()?, head, self.policy.automerge_strategy)?;
            }
            Step::Stop(_) | Step::Make(_) | Step::Push { .. } | Step::Rest(_) => {
                bail!("`{}` asks nothing of the forge", step.name())
            }
        }
        Ok(())
    }

    /// Brings the dashboard issue to what the bot came to rest with; whether anything was to be done.
    fn keep_dashboard(&self, known: &Known, view: &View, made: Option<&Made>, step: &Step) -> Result<bool> {
        let Some(title) = &self.policy.dashboard else { return Ok(false) };
        let issues = self.forge.issues_by(&self.me(known)?)?;
        match dashboard::keep(&issues, &self.policy.head_branch, &dashboard::text(view, made, step)) {
            Keep::Nothing => return Ok(false),
            Keep::Open(body) => self.forge.open_issue(title, &body)?,
            Keep::Change(number, body) => self.forge.change_issue(number, &body)?,
        }
        Ok(true)
    }

    /// Somebody who cannot review does not hold up the rest.
    fn ask_reviewers(&self, pull: &PullRequest) -> Result<()> {
        match self.forge.ask_reviewers(pull, &self.policy.reviewers) {
            Ok(()) => Ok(()),
            Err(error @ (ForgeError::Conflict { .. } | ForgeError::NotFound { .. })) => {
                let text = format!("reviewers were not asked: {error}");
                self.listener.tell(Progress::Notice { code: "reviewers-refused", text });
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn change(&self, pull: &PullRequest, text: &Text) -> Result<()> {
        let body = self.within(&text.body)?;
        let change = Change {
            title: (pull.title != text.title).then_some(text.title.as_str()),
            body: Some(&body),
            is_draft: (pull.is_draft != text.is_draft).then_some(text.is_draft),
        };
        Ok(self.forge.change(pull, &change)?)
    }

    /// A text that is longer than the forge takes is replaced by one that says so, with the marker that it had.
    fn within(&self, body: &str) -> Result<String> {
        if body.chars().count() <= self.forge.body_chars_max() {
            return Ok(body.to_owned());
        }
        let marker = Marker::of(body).context("a text without a marker")?;
        Ok(marker.on("The report is longer than this forge takes: `tidelock report` shows it whole."))
    }

    fn tell_landed(&self, view: &View, text: &str, known: &Known) {
        let landing = view.pull.as_ref().and_then(|pull| pull.landing.as_ref());
        if let Some(landed::Landing::Differs { .. } | landed::Landing::Unknown) = landing {
            known.alarm.set(matches!(landing, Some(landed::Landing::Differs { .. })));
            self.listener.tell(Progress::Notice { code: "landed-tree-differs", text: text.to_owned() });
        }
    }
}

/// How long to wait before looking again, in seconds, where that may help.
fn wait_s(error: &anyhow::Error) -> Option<u64> {
    if let Some(RemoteError::Moved { .. }) = error.downcast_ref::<RemoteError>() {
        return Some(0);
    }
    let error = error.downcast_ref::<ForgeError>()?;
    match error {
        ForgeError::Limited { after_s, .. } => (*after_s <= WAIT_S_MAX).then_some((*after_s).max(1)),
        _ if error.is_passing() => Some(2),
        ForgeError::Denied { .. }
        | ForgeError::NotFound { .. }
        | ForgeError::Conflict { .. }
        | ForgeError::Unavailable { .. }
        | ForgeError::Unreadable { .. }
        | ForgeError::TooMany { .. } => None,
    }
}
