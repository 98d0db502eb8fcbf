//! The promises, as far as they can be seen from the forge's side after a sync.

use std::collections::BTreeSet;

use pipeline::proposal::marker::Says;
use upstream::CommitId;

use super::promise::{Broken, Promise};
use super::scene::Scene;
use super::state::{ANN, BASE, BOT, BOT_EMAIL, Fate, Pull, State};

/// The longest that a sync takes by the forge's clock, in seconds.
const SYNC_S: i64 = 30 * 60;

impl Scene {
    /// The revisions whose work is in a tree.
    pub(crate) fn revisions(state: &State, commit: &str) -> BTreeSet<u32> {
        let text = state.repo().read(&state.tree(commit), "src").unwrap().unwrap_or_default();
        let text = String::from_utf8(text).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("revision ")?.parse().ok()).collect()
    }

    /// What a pull request proposes beyond the base branch.
    pub(crate) fn proposed(state: &State, number: u64) -> BTreeSet<u32> {
        let base = state.tip(BASE).unwrap();
        let pull = state.pulls.iter().find(|pull| pull.number == number).unwrap();
        let there = Self::revisions(state, base.as_str());
        Self::revisions(state, &pull.head).difference(&there).copied().collect()
    }

    /// The promises that are broken now.
    pub(crate) fn check(&self) -> Vec<Broken> {
        let state = self.forge.state();
        let mut broken = state.violations.clone();
        self.check_open(&state, &mut broken);
        self.check_gated(&state, &mut broken);
        self.check_limits(&state, &mut broken);
        check_issues(&state, &mut broken);
        for pull in &state.pulls {
            check_words(pull, &mut broken);
            check_landed(&state, pull, &mut broken);
        }
        broken
    }

    fn check_open(&self, state: &State, broken: &mut Vec<Broken>) {
        let open: Vec<_> = state.pulls.iter().filter(|pull| pull.is_open()).collect();
        if open.len() > 1 {
            broken.push((Promise::NoTwin, format!("{} pull requests are open", open.len())));
        }
        let journal = self.maker.journal.lock().unwrap();
        for pull in &open {
            let head = CommitId::new(pull.head.as_str()).unwrap();
            let series = state.repo().series(&state.tip(BASE).unwrap(), &head).unwrap();
            if series.last().is_none_or(|commit| commit.author_email != BOT_EMAIL) {
                continue;
            }
            if !journal.passed.contains(state.tree(&pull.head).as_str()) {
                let how = format!("pull request {} shows a tree that no gate passed", pull.number);
                broken.push((Promise::NothingUngated, how));
            }
            let proposed = Self::proposed(state, pull.number);
            let again: Vec<&u32> = proposed.intersection(&self.declined).collect();
            if !again.is_empty() {
                let how = format!("pull request {} proposes what was declined: {again:?}", pull.number);
                broken.push((Promise::NothingReopened, how));
            }
        }
    }

    /// Limits and schedules, by when each was opened.
    fn check_limits(&self, state: &State, broken: &mut Vec<Broken>) {
        let opened = |pull: &Pull| pull.versions.first().map_or(0, |(_, at)| *at);
        for pull in &state.pulls {
            let at = opened(pull);
            let within = state.pulls.iter().filter(|other| (at - 3600..=at).contains(&opened(other))).count();
            let limit = self.policy.pr_hourly_limit as usize;
            if limit > 0 && within > limit {
                let how = format!("{within} were opened within an hour, and {limit} may be");
                broken.push((Promise::LimitsKept, how));
            }
            // The forge's clock runs ahead of the bot's by what happens in a sync.
            let times = &self.policy.schedule;
            if !times.holds(at * 1000) && !times.holds((at - SYNC_S) * 1000) {
                broken.push((Promise::LimitsKept, format!("{} was opened off its schedule", pull.number)));
            }
        }
    }

    fn check_gated(&self, state: &State, broken: &mut Vec<Broken>) {
        let journal = self.maker.journal.lock().unwrap();
        let mut said = BTreeSet::new();
        for (commit, rows) in &state.statuses {
            if rows.iter().any(|(_, _, word, _)| word == "success") {
                said.insert((commit, "called tested"));
            }
        }
        said.extend(state.pushed.iter().map(|commit| (commit, "pushed")));
        said.extend(state.merged.iter().map(|commit| (commit, "merged")));
        for (commit, what) in said {
            if !journal.passed.contains(state.tree(commit).as_str()) {
                broken.push((Promise::NothingUngated, format!("{commit} was {what} and passed no gate")));
            }
        }
    }
}

/// The dashboard issue: one, and left alone once a person closed it.
fn check_issues(state: &State, broken: &mut Vec<Broken>) {
    if state.issues.len() > 1 {
        let is_closed = state.issues.iter().any(|issue| !issue.is_open);
        let promise = if is_closed { Promise::NothingReopened } else { Promise::NoTwin };
        broken.push((promise, format!("there are {} dashboard issues", state.issues.len())));
    }
}

/// What the bot said in a pull request, and what it did to it by itself.
fn check_words(pull: &Pull, broken: &mut Vec<Broken>) {
    let mut keys = BTreeSet::new();
    for comment in pull.comments.iter().filter(|comment| comment.author == BOT) {
        let key = Says::of(&comment.body).map(|says| says.key).unwrap_or_default();
        if !keys.insert(key.clone()) {
            broken.push((Promise::NoTwin, format!("`{key}` was said twice in {}", pull.number)));
        }
    }
    let by_bot = pull.fate == Fate::Closed(BOT.to_owned());
    let asked = pull.comments.iter().any(|comment| {
        comment.author == ANN && (comment.body.contains("decline") || comment.body.contains("defer"))
    });
    let obsolete = pull.comments.iter().any(|comment| comment.body.contains("nothing left to propose"));
    if by_bot && !asked && !obsolete {
        broken.push((Promise::NothingLost, format!("the bot closed {} by itself", pull.number)));
    }
}

/// What the bot says of what landed, against what did.
fn check_landed(state: &State, pull: &Pull, broken: &mut Vec<Broken>) {
    let said = pull.comments.iter().filter(|comment| comment.author == BOT).find_map(|comment| {
        let is_about = Says::of(&comment.body).is_some_and(|says| says.key == "landed");
        is_about.then_some(comment.body.as_str())
    });
    let Some(said) = said else { return };
    let Some(tested) = tested_tree(state, &pull.head) else { return };
    let landed = match &pull.fate {
        Fate::Merged(commit) => CommitId::new(commit.as_str()).unwrap(),
        Fate::Open | Fate::Closed(_) => state.tip(BASE).unwrap(),
    };
    let held = |from: &CommitId| {
        let (repo, mut at) = (state.repo(), Some(from.clone()));
        std::iter::from_fn(move || {
            let info = repo.commit_info(&at.take()?).unwrap();
            at = info.parents.first().cloned();
            Some(info.tree.to_string())
        })
        .any(|tree| tree == tested)
    };
    let (now, then) = (held(&state.tip(BASE).unwrap()), held(&landed));
    let is_true = if said.contains("the tree is the one that passed") {
        now
    } else if said.contains("is not the one that passed") {
        !then
    } else {
        // It can no longer be told where nothing of the bot's is left.
        false
    };
    if !is_true {
        let how = format!("of {} it is said: {said}", pull.number);
        broken.push((Promise::LandedCompared, how));
    }
}

/// The tree of the bot's last commit in a pull request, as the commit itself names it.
fn tested_tree(state: &State, head: &str) -> Option<String> {
    let (repo, mut at) = (state.repo(), Some(CommitId::new(head).unwrap()));
    while let Some(commit) = at {
        let info = repo.commit_info(&commit).ok()?;
        let sealed = info.message.lines().rev().find_map(|line| line.strip_prefix("Tidelock-Tree: "));
        if let Some(sealed) = sealed.filter(|sealed| *sealed == info.tree.as_str()) {
            return Some(sealed.to_owned());
        }
        at = info.parents.into_iter().next();
    }
    None
}
