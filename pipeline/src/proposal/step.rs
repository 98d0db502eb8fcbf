//! What is to be done next about a proposal: pure, from what is seen and what was made.

use mappings::decision;
use upstream::CommitId;

use super::command::Command;
use super::landed::Landing;
use super::maker::{Made, Words};
use super::marker::{DECLINED_MAX, Declined, Marker, Said, digest};
use super::obstacle::ProposalObstacle;
use super::view::{Asked, Pull, RemoteHead, View};
use super::{DraftWhen, Policy, RebaseWhen};
use crate::forge::{PullState, ReviewWord, Status, StatusState};

/// One step. Each is found done by what the next look sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A person has to do something first.
    Stop(ProposalObstacle),
    /// Say something in the pull request, once under its key.
    Say {
        /// Names it.
        key: String,
        /// What is said, as Markdown.
        text: String,
        /// The decision that it records.
        verdict: Option<Said>,
    },
    /// Close the pull request.
    Close,
    /// Follow the upstream.
    Make(Order),
    /// Push the work.
    Push {
        /// Where the branch is at the forge.
        expected: Option<CommitId>,
        /// Where it is to be.
        to: CommitId,
    },
    /// Open a pull request.
    Open(Text),
    /// Write its text anew.
    Change(Text),
    /// Give it its labels and reviewers, and note that.
    Dress(Text),
    /// Set the status of its commit.
    SetStatus {
        /// The commit.
        commit: CommitId,
        /// The status.
        status: Status,
    },
    /// Merge it.
    Merge {
        /// The commit that was tested and approved.
        head: CommitId,
    },
    /// Nothing is to be done now.
    Rest(Rest),
}

impl Step {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stop(_) => "stop",
            Self::Say { .. } => "say",
            Self::Close => "close",
            Self::Make(_) => "make",
            Self::Push { .. } => "push",
            Self::Open(_) => "open",
            Self::Change(_) => "change",
            Self::Dress(_) => "dress",
            Self::SetStatus { .. } => "status",
            Self::Merge { .. } => "merge",
            Self::Rest(_) => "rest",
        }
    }
}

/// Where the work begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the base branch.
    Base,
    /// At the bot's branch.
    Head(CommitId),
    /// At the bot's branch with the base branch merged into it.
    Merge(CommitId),
}

/// What is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// From where.
    pub start: Start,
    /// What closed pull requests declined.
    pub declined: Vec<Declined>,
    /// Whether what is parked is tried again.
    pub retry: bool,
}

/// A pull request's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its title.
    pub title: String,
    /// Its body, with its marker.
    pub body: String,
    /// Whether it is a draft.
    pub is_draft: bool,
}

/// Why nothing is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// There is nothing to propose.
    Nothing,
    /// What there was to propose was declined.
    Declined,
    /// A pull request is open and says what there is to say.
    Proposed,
    /// There is something to propose, and as many are open as may be.
    Limited {
        /// How many are open.
        open: usize,
    },
    /// There is something to propose, and as many were opened within an hour as may be.
    LimitedByHour {
        /// How many were.
        opened: usize,
    },
    /// Nothing new is proposed at this time.
    OffSchedule,
}

/// Decides.
pub fn decide(view: &View, policy: &Policy, made: Option<&Made>) -> Step {
    if let Some(step) = obstacle(view, policy).or_else(|| landed(view)).or_else(|| ending(view)) {
        return step;
    }
    match made {
        // Nothing is made that could not be shown to anybody.
        None if open(view).is_none() && !policy.schedule.holds(view.now_ms) => Step::Rest(Rest::OffSchedule),
        None => order(view, policy),
        Some(made) => publish(view, policy, made),
    }
}

fn open(view: &View) -> Option<&Pull> {
    view.pull.as_ref().filter(|pull| pull.is_open())
}

fn is_merged(pull: &Pull) -> bool {
    matches!(pull.request.state, PullState::Merged { .. })
}

/// What other people did to the bot's branch is theirs.
fn obstacle(view: &View, policy: &Policy) -> Option<Step> {
    let branch = policy.head_branch.clone();
    if let Some(pull) = open(view)
        && pull.marker.is_none()
        && pull.request.author != view.me
    {
        let (number, author) = (pull.request.number, pull.request.author.clone());
        return Some(Step::Stop(ProposalObstacle::ForeignPull { branch, number, author }));
    }
    let head = view.head.as_ref()?;
    let commit = head.foreign.clone()?;
    // What was merged has come where it was to come.
    let is_spent = view
        .pull
        .as_ref()
        .is_some_and(|pull| is_merged(pull) && pull.request.head == head.tip.commit.as_str());
    if is_spent {
        return None;
    }
    // What people say, and what landed, is answered all the same.
    if let Some(step) = landed(view).or_else(|| ending(view)) {
        return Some(step);
    }
    let key = format!("foreign:{commit}");
    if open(view).is_some_and(|pull| !pull.has_said(&key)) {
        let text = format!(
            "Commit {commit} on this branch is not Tidelock's, and is left alone. From here on the branch is \
             yours: Tidelock pushes nothing to it until the pull request is merged, or is closed and the branch \
             deleted, or the commit is taken off."
        );
        return Some(Step::Say { key, text, verdict: None });
    }
    Some(Step::Stop(ProposalObstacle::ForeignCommit { branch, commit }))
}

/// Once something is in the base branch, whether it is what was tested is said.
fn landed(view: &View) -> Option<Step> {
    let pull = view.pull.as_ref().filter(|pull| !pull.is_open() && !pull.has_said("landed"))?;
    let text = match pull.landing.as_ref()? {
        Landing::Absent => return None,
        Landing::Same { commit } => {
            format!("Landed as {commit}: the tree is the one that passed the gate.")
        }
        Landing::Unknown => {
            "Landed. Which tree was tested can no longer be told: `tidelock gate` on the base \
                             branch tests the one that is there."
                .to_owned()
        }
        Landing::Differs { commit, files, count } => {
            let names: Vec<String> = files.iter().map(|file| code(file)).collect();
            let more = if *count > files.len() {
                format!(" and {} more", count - files.len())
            } else {
                String::new()
            };
            format!(
                "**The tree that landed as {commit} is not the one that passed the gate.** They differ in {}{more}. \
                 `tidelock gate` on the base branch tests the one that is there.",
                names.join(", ")
            )
        }
    };
    Some(Step::Say { key: "landed".to_owned(), text, verdict: None })
}

/// A file's name as code that nothing can leave.
fn code(text: &str) -> String {
    format!("`{}`", reports::visible_line(text).replace('`', "'"))
}

/// Words of people that need no work of ours.
fn ending(view: &View) -> Option<Step> {
    let pull = view.pull.as_ref()?;
    let is_open = pull.is_open();
    pull.asked.iter().find_map(|asked| {
        let say = |text: String, verdict| Some(answer(asked, text, verdict));
        let who = code(&asked.by);
        if !asked.is_allowed {
            return say(format!("{who} may not push to this repository, and so may not say that."), None);
        }
        if is_merged(pull) && !matches!(asked.command, Command::Wrong(_)) {
            return say("This is merged.".to_owned(), None);
        }
        let why = |reason: &String| {
            if reason.is_empty() { format!("pull request {} was closed", pull.request.number) } else { reason.clone() }
        };
        match &asked.command {
            Command::Wrong(wrong) => say(
                format!(
                    "{wrong}. Commands: `/tidelock retry`, `explain`, `decline [why]`, `defer YYYY-MM-DD [why]`, \
                     `land`."
                ),
                None,
            ),
            Command::Decline { .. } | Command::Defer { .. } if is_open => Some(Step::Close),
            Command::Decline { reason } => {
                let verdict = Said::Declined { reason: why(reason), owner: asked.by.clone() };
                say("Declined. To take that back, comment `/tidelock retry` here.".to_owned(), Some(verdict))
            }
            Command::Defer { until, reason } => {
                let verdict = Said::Deferred {
                    reason: why(reason),
                    owner: asked.by.clone(),
                    until: until.clone(),
                };
                let text = format!("Deferred until {until}. To take that back, comment `/tidelock retry` here.");
                say(text, Some(verdict))
            }
            Command::Retry if !is_open => {
                let text = "Taken back: the next sync proposes it again, as a new pull request.".to_owned();
                say(text, Some(Said::Undone))
            }
            Command::Explain | Command::Land if !is_open => {
                say("This is closed. `/tidelock retry` proposes it again.".to_owned(), None)
            }
            Command::Retry | Command::Explain | Command::Land => None,
        }
    })
}

fn answer(asked: &Asked, text: String, verdict: Option<Said>) -> Step {
    Step::Say { key: format!("answer:{}", asked.comment), text, verdict }
}

/// From where to work, and past what.
fn order(view: &View, policy: &Policy) -> Step {
    let declined = declined(view);
    if declined.len() > DECLINED_MAX {
        return Step::Rest(Rest::Declined);
    }
    let (Some(pull), Some(head)) = (open(view), &view.head) else {
        return Step::Make(Order { start: Start::Base, declined, retry: false });
    };
    let asks = |asked: &Asked| asked.is_allowed && asked.command == Command::Retry;
    let retry = pull.asked.iter().any(asks);
    let stays = head.holds_base
        || match policy.rebase_when {
            RebaseWhen::Never => true,
            RebaseWhen::Conflicted => head.conflicts.is_empty(),
            RebaseWhen::BehindBaseBranch => false,
        };
    let commit = head.tip.commit.clone();
    let start = if stays {
        Start::Head(commit)
    } else if pull.reviews.is_empty() {
        Start::Base
    } else if head.conflicts.is_empty() {
        // What a person has reviewed is not written anew under their eyes.
        Start::Merge(commit)
    } else {
        let (base, files) = (policy.base_branch.clone(), head.conflicts.clone());
        return Step::Stop(ProposalObstacle::Conflict { number: pull.request.number, base, files });
    };
    Step::Make(Order { start, declined, retry })
}

/// What closed pull requests declined and the base branch does not record, oldest first.
pub fn declined(view: &View) -> Vec<Declined> {
    let Some(pull) = &view.pull else { return Vec::new() };
    let Some(marker) = &pull.marker else { return Vec::new() };
    let mut declined = marker.declined.clone();
    declined.retain(|range| range.until.as_deref().is_none_or(|until| !has_come(until, view.now_ms)));
    let PullState::Closed { by } = &pull.request.state else {
        return if pull.is_open() { declined } else { Vec::new() };
    };
    if matches!(pull.landing, Some(Landing::Same { .. })) {
        return Vec::new();
    }
    let closed = format!("pull request {} was closed", pull.request.number);
    let (reason, owner, until) = match pull.last_word() {
        Some(Said::Undone | Said::Obsolete) => return declined,
        Some(Said::Declined { reason, owner }) => (reason.clone(), owner.clone(), None),
        Some(Said::Deferred { until, .. }) if has_come(until, view.now_ms) => return declined,
        Some(Said::Deferred { reason, owner, until }) => (reason.clone(), owner.clone(), Some(until.clone())),
        None => (closed.clone(), by.clone().unwrap_or(closed), None),
    };
    declined.push(Declined { from: marker.from.clone(), to: marker.to.clone(), reason, owner, until });
    declined
}

/// Whether a day has begun, in UTC.
fn has_come(day: &str, now_ms: i64) -> bool {
    decision::day(day).is_ok_and(|day| day <= decision::day_at(now_ms))
}

/// Brings the forge to what was made.
fn publish(view: &View, policy: &Policy, made: &Made) -> Step {
    if made.tree == view.base.tree {
        return nothing_to_propose(view);
    }
    let pushed = view.head.as_ref().filter(|head| head.tip.tree == made.tree);
    let limited = limited(view, policy).filter(|_| open(view).is_none());
    let Some(head) = pushed else {
        if let Some(rest) = limited {
            return Step::Rest(rest);
        }
        let expected = view.head.as_ref().map(|head| head.tip.commit.clone());
        return Step::Push { expected, to: made.tip.clone() };
    };
    let words = made.words.clone().unwrap_or_else(|| plain_words(made));
    let is_draft = match policy.draft {
        DraftWhen::Parked => made.parked > 0,
        DraftWhen::Always => true,
        DraftWhen::Never => false,
    };
    let marker = |dressed| Marker {
        head: head.tip.commit.to_string(),
        tree: head.tip.tree.to_string(),
        from: made.from.clone(),
        to: made.to.clone(),
        declined: declined_of_branch(view),
        digest: digest(&words.title, &words.body, is_draft),
        dressed,
    };
    let text = |dressed| Text { title: words.title.clone(), body: marker(dressed).on(&words.body), is_draft };
    let Some(pull) = open(view) else {
        if let Some(rest) = limited {
            return Step::Rest(rest);
        }
        return Step::Open(text(policy.labels.is_empty() && policy.reviewers.is_empty()));
    };
    let known = pull.marker.as_ref();
    let dressed = known.is_some_and(|known| known.dressed);
    let wanted = marker(dressed);
    let differs = known.is_none_or(|known| {
        let says_else = made.words.is_some() && known.digest != wanted.digest;
        known.head != wanted.head || known.to != wanted.to || says_else
    });
    if differs {
        return Step::Change(text(dressed));
    }
    if !dressed {
        return Step::Dress(text(true));
    }
    if let Some(step) = status(pull, head, policy, made, &words) {
        return step;
    }
    if let Some(step) = answers(view, pull, head, policy, made, &words) {
        return step;
    }
    if made.may_automerge && mergeable(pull, head, policy, made).is_ok() {
        return Step::Merge { head: head.tip.commit.clone() };
    }
    Step::Rest(Rest::Proposed)
}

/// Why no further one may be opened now.
fn limited(view: &View, policy: &Policy) -> Option<Rest> {
    let is_full = |count: usize, limit: u32| limit > 0 && u32::try_from(count).unwrap_or(u32::MAX) >= limit;
    if is_full(view.open_pulls, policy.pr_concurrent_limit) {
        Some(Rest::Limited { open: view.open_pulls })
    } else if is_full(view.opened_lately, policy.pr_hourly_limit) {
        Some(Rest::LimitedByHour { opened: view.opened_lately })
    } else {
        None
    }
}

/// What an open pull request carries on, or what a new one is to record.
fn declined_of_branch(view: &View) -> Vec<Declined> {
    declined(view)
}

fn nothing_to_propose(view: &View) -> Step {
    let Some(pull) = open(view) else {
        let is_declined = view.pull.is_some() && !declined(view).is_empty();
        return Step::Rest(if is_declined { Rest::Declined } else { Rest::Nothing });
    };
    let key = format!("obsolete:{}", pull.request.head);
    if pull.has_said(&key) {
        return Step::Close;
    }
    let text = "The base branch holds all of this: there is nothing left to propose.".to_owned();
    Step::Say { key, text, verdict: Some(Said::Obsolete) }
}

fn plain_words(made: &Made) -> Words {
    let body = format!(
        "Sync to {}. The runs that made these commits are not recorded on this machine; each commit says what it \
         holds.",
        code(&made.to)
    );
    Words {
        title: format!("Sync to {}", reports::visible_line(&made.to)),
        explanation: body.clone(),
        body,
        verdict: "every gate passed this tree".to_owned(),
    }
}

/// What is pushed has passed every gate, or it would not be there.
fn status(pull: &Pull, head: &RemoteHead, policy: &Policy, made: &Made, words: &Words) -> Option<Step> {
    let wanted = Status {
        context: policy.status_context.clone(),
        state: StatusState::Success,
        description: words.verdict.clone(),
    };
    let same = pull.status.as_ref().is_some_and(|status| {
        // Forges cut descriptions.
        let says_same = wanted.description.starts_with(&status.description) && !status.description.is_empty();
        status.state == wanted.state && (made.words.is_none() || says_same || wanted.description.is_empty())
    });
    (!same).then(|| Step::SetStatus { commit: head.tip.commit.clone(), status: wanted })
}

/// Words of people that need what was made.
fn answers(
    view: &View,
    pull: &Pull,
    head: &RemoteHead,
    policy: &Policy,
    made: &Made,
    words: &Words,
) -> Option<Step> {
    let asked = pull.asked.iter().find(|asked| asked.is_allowed)?;
    match &asked.command {
        Command::Retry => {
            let parked = reports::count(made.parked as u64, "item");
            Some(answer(asked, format!("Tried again: {parked} still waiting for a person."), None))
        }
        Command::Explain => Some(answer(asked, words.explanation.clone(), None)),
        Command::Land => match mergeable(pull, head, policy, made) {
            Ok(()) => Some(Step::Merge { head: head.tip.commit.clone() }),
            Err(why) => Some(answer(asked, format!("Not landed: {why}."), None)),
        },
        Command::Decline { .. } | Command::Defer { .. } | Command::Wrong(_) => {
            debug_assert!(false, "answered before: {view:?}");
            None
        }
    }
}

/// Whether it may be merged by us now, and why not.
pub fn mergeable(pull: &Pull, head: &RemoteHead, policy: &Policy, made: &Made) -> Result<(), String> {
    let commit = head.tip.commit.as_str();
    if pull.request.is_draft {
        return Err("it is a draft".to_owned());
    }
    if made.parked > 0 {
        return Err(format!("{} in it for a person", plural_waits(made.parked)));
    }
    if !head.holds_base {
        return Err("it is behind the base branch: what would land was not tested".to_owned());
    }
    if pull.request.head != commit {
        return Err("the forge has not seen its newest commit yet".to_owned());
    }
    let mut last: std::collections::BTreeMap<&str, (ReviewWord, bool)> = std::collections::BTreeMap::new();
    for review in &pull.reviews {
        // A remark takes back no approval.
        if review.word == ReviewWord::Commented && last.contains_key(review.author.as_str()) {
            continue;
        }
        last.insert(&review.author, (review.word, review.commit.as_deref() == Some(commit)));
    }
    if let Some((who, _)) = last.iter().find(|(_, (word, _))| *word == ReviewWord::ChangesRequested) {
        return Err(format!("{} asks for changes", code(who)));
    }
    let approved = last.values().filter(|(word, here)| *word == ReviewWord::Approved && *here).count();
    if approved < policy.required_approvals as usize {
        let wanted = reports::count(u64::from(policy.required_approvals), "approval");
        return Err(format!("{wanted} of {} needed, and there are {approved}", code(commit)));
    }
    Ok(())
}

fn plural_waits(count: usize) -> String {
    format!("{} {}", reports::count(count as u64, "item"), if count == 1 { "waits" } else { "wait" })
}
