//! Random schedules of people, forges and machines against the bot, with the promises as assertions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::tz::TimeZone;
use pipeline::forge::MergeMethod;
use pipeline::proposal::marker::{Said, Says};
use pipeline::proposal::step::Rest;
use pipeline::proposal::{Marker, OpenTimes, ProposalObstacle, RebaseWhen};
use upstream::{CommitId, ContentHash};

use super::hooks::{Happened, Hooks};
use super::maker::HEAD;
use super::promise::{Broken, Promise};
use super::scene::Scene;
use super::server::Fault;
use super::state::{ANN, BASE, BOT, BOT_EMAIL, EVE, Fate, How, Kind, Pull, Runs, Sent, State};
use super::template::git;

/// Rounds of one schedule, each with something that happens and at most one sync.
const ROUNDS: usize = 12;

/// A small generator of numbers, the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What one schedule came to.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) kind: Kind,
    pub(crate) violations: Vec<Broken>,
    pub(crate) told: BTreeMap<String, usize>,
    pub(crate) requests: usize,
    /// The requests as they were sent, where they were to be kept.
    pub(crate) sent: Vec<Sent>,
}

/// Plays one schedule. The same seed is the same schedule.
pub(crate) fn play(seed: u64, keeps_requests: bool) -> Report {
    let mut dice = Dice::new(seed);
    for _ in 0..8 {
        dice.below(2);
    }
    let kind = Kind::ALL[dice.below(3)];
    let mut scene = Scene::new(kind);
    if !dice.one_in(10) {
        scene.without_http();
    }
    scene.policy.rebase_when =
        [RebaseWhen::BehindBaseBranch, RebaseWhen::BehindBaseBranch, RebaseWhen::Conflicted][dice.below(3)];
    scene.policy.automerge_strategy =
        [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase][dice.below(3)];
    scene.policy.required_approvals = u32::from(dice.one_in(2));
    scene.maker.may_automerge = dice.one_in(4);
    scene.policy.pr_hourly_limit = u32::try_from(dice.below(3)).unwrap();
    scene.policy.dashboard = dice.one_in(2).then(|| "Tidelock dashboard".to_owned());
    if dice.one_in(4) {
        let times = ["* 8-19 * * *".to_owned()];
        scene.policy.schedule = OpenTimes::new(&times, TimeZone::UTC).unwrap();
    }
    if kind == Kind::GitHub && dice.one_in(2) {
        scene.as_app(if dice.one_in(4) { Runs::Refused } else { Runs::App });
    }
    {
        let mut state = scene.forge.state();
        state.approvals_needed = scene.policy.required_approvals as usize;
        state.keeps_requests = keeps_requests;
    }
    let mut violations = rounds(&mut scene, &mut dice);
    if violations.is_empty() {
        violations = settle(&mut scene);
    }
    let mut state = scene.forge.state();
    let (requests, sent) = (state.requests, std::mem::take(&mut state.sent));
    Report { kind, violations, told: scene.told.clone(), requests, sent }
}

fn rounds(scene: &mut Scene, dice: &mut Dice) -> Vec<Broken> {
    let mut hooks = Hooks::new(scene.forge.state().kind);
    // What the last sync saw last; `None` where that broke off, and is tried again in any case.
    let mut after_sync = None;
    for _ in 0..ROUNDS {
        let news = scene.maker.newest;
        let during_sync = std::mem::take(&mut scene.forge.state().happened);
        happen(scene, dice);
        let happened = std::mem::take(&mut scene.forge.state().happened);
        let delivered = if dice.one_in(3) {
            scene.tell("webhooks: none came");
            None
        } else {
            Some(hooks.deliver(&[during_sync, happened.clone()].concat(), dice))
        };
        let now = scene.polled().ok();
        let mut woken = false;
        if let Some(delivered) = delivered {
            for (what, times) in
                [("lost", delivered.lost), ("repeated", delivered.repeated), ("forged", delivered.forged)]
            {
                *scene.told.entry(format!("webhooks: {what}")).or_default() += times;
            }
            if !delivered.broken.is_empty() {
                return delivered.broken;
            }
            woken = delivered.woken;
        }
        let is_about_us = |one: &Happened| !matches!(one, Happened::Push { branch, .. } if branch == BASE);
        if after_sync.is_some() && after_sync == now && happened.iter().any(is_about_us) {
            return vec![(Promise::WakeUpsOnly, format!("polling does not find {happened:?}"))];
        }
        let polled = after_sync.is_none() || after_sync != now || news != scene.maker.newest;
        if !woken && !polled {
            scene.tell("nothing to wake for");
            continue;
        }
        scene.tell(if woken { "woken by a webhook" } else { "found by polling" });
        if dice.one_in(3) {
            trouble(scene, dice);
        }
        after_sync = synced(scene);
        scene.forge.plan().clear();
        scene.patience = Duration::from_secs(20);
        by_word(scene);
        let broken = scene.check();
        if !broken.is_empty() {
            return broken;
        }
    }
    Vec::new()
}

/// One sync, and what it saw last where it came to its end.
fn synced(scene: &mut Scene) -> Option<ContentHash> {
    match scene.sync() {
        Ok(outcome) => {
            for step in outcome.steps {
                scene.tell(step);
            }
            Some(outcome.seen)
        }
        Err(error) => {
            let word = match error.downcast_ref::<ProposalObstacle>() {
                Some(ProposalObstacle::ForeignCommit { .. }) => "stopped: foreign commit",
                Some(ProposalObstacle::Conflict { .. }) => "stopped: conflict",
                Some(_) => "stopped",
                None => "broke off",
            };
            scene.tell(word);
            None
        }
    }
}

/// What is declined now: the last word about each closed pull request counts, and without one its being closed.
fn by_word(scene: &mut Scene) {
    let mut declined = BTreeSet::new();
    {
        let state = scene.forge.state();
        for pull in state.pulls.iter().filter(|pull| matches!(pull.fate, Fate::Closed(_))) {
            let proposed = Scene::proposed(&state, pull.number);
            let mut ours = pull.comments.iter().rev().filter(|comment| comment.author == BOT);
            let last = ours.find_map(|comment| Says::of(&comment.body)?.verdict);
            match last {
                Some(Said::Undone | Said::Obsolete) => {
                    declined.retain(|revision| !proposed.contains(revision));
                }
                Some(Said::Declined { .. } | Said::Deferred { .. }) | None => declined.extend(proposed),
            }
        }
    }
    scene.declined = declined;
}

/// Something that people or the upstream do.
fn happen(scene: &mut Scene, dice: &mut Dice) {
    scene.pass(Duration::from_mins(1 + dice.below(120) as u64));
    let newest = {
        let state = scene.forge.state();
        state.newest().map(|pull| (pull.number, pull.is_open(), pull.head.clone()))
    };
    if dice.one_in(2) {
        scene.maker.newest += 1;
        scene.tell("upstream moved");
    }
    if dice.one_in(6) {
        scene.maker.parked = 1 - scene.maker.parked.min(1);
        scene.tell(if scene.maker.parked > 0 { "something is parked" } else { "nothing is parked" });
    }
    let Some((number, is_open, head)) = newest else { return };
    match dice.below(16) {
        0 | 1 if is_open => {
            let how = [How::Merge, How::Squash, How::Rebase][dice.below(3)];
            let merged = scene.forge.state().merge(number, how);
            scene.tell(if merged { "a person merged" } else { "a merge conflicted" });
        }
        2 if is_open => {
            scene.close(number);
            scene.tell("a person closed");
        }
        3 => {
            let text = format!("notes {}\n", dice.below(1000));
            scene.forge.state().commit(BASE, &[("notes", &text)], "notes");
            scene.tell("base moved");
        }
        4 => {
            let mut state = scene.forge.state();
            let base = state.tip(BASE).unwrap();
            let text = state.repo().read(&state.tree(base.as_str()), "src").unwrap().unwrap();
            let text = String::from_utf8(text).unwrap() + "a person's line\n";
            state.commit(BASE, &[("src", &text)], "mine");
            drop(state);
            scene.tell("base moved in the way");
        }
        5 if is_open && scene.forge.state().tip(HEAD).is_some() => {
            let text = format!("mine {}\n", dice.below(1000));
            scene.forge.state().commit(HEAD, &[("notes", &text)], "a person's commit");
            scene.tell("foreign commit");
        }
        6 | 7 if is_open => {
            let word = ["APPROVED", "APPROVED", "CHANGES_REQUESTED", "COMMENTED"][dice.below(4)];
            scene.forge.state().review(number, word, &head);
            scene.tell("review");
        }
        8 => {
            let mut state = scene.forge.state();
            let now = state.now_s + 1;
            state.now_s = now;
            if let Some(pull) = state.pull(number) {
                "A person's own words.".clone_into(&mut pull.body);
                pull.updated = now;
            }
            state.happened.push(Happened::Pull { number, action: "edited" });
            drop(state);
            scene.tell("text replaced");
        }
        9 if dice.one_in(3) && !scene.forge.state().issues.is_empty() => {
            for issue in &mut scene.forge.state().issues {
                issue.is_open = false;
            }
            scene.tell("dashboard closed");
        }
        9 => {
            scene.forget();
            scene.tell("another machine");
        }
        10 if is_open => {
            // By hand: the very commits, or what they say with something more.
            let mut state = scene.forge.state();
            let base = state.repo().head(BASE).unwrap();
            let tip = CommitId::new(head.as_str()).unwrap();
            if state.repo().descends(&tip, &base.commit).unwrap() {
                let repo = state.repo();
                if dice.one_in(2) {
                    repo.advance(BASE, &base.commit, &tip).unwrap();
                } else {
                    let tree = state.tree(&head);
                    let landed =
                        state.object(std::slice::from_ref(&base.commit), &tree, "by hand", "ann@localhost");
                    repo.advance(BASE, &base.commit, &landed).unwrap();
                }
                let commit = state.tip(BASE).unwrap().to_string();
                state.happened.push(Happened::Push { branch: BASE.to_owned(), commit });
                state.follow();
            }
            drop(state);
            scene.tell("landed by hand");
        }
        _ => {
            let who = if dice.one_in(4) { EVE } else { ANN };
            let words = [
                "/tidelock retry",
                "/tidelock explain",
                "/tidelock land",
                "/tidelock decline not for us -->",
                "/tidelock defer 2031-01-01 later",
                "/tidelock dance",
                "just talking",
            ];
            let word = words[dice.below(words.len())];
            scene.forge.state().comment(number, who, word);
            scene.tell(&format!("{} said {}", who, word.split(' ').take(2).collect::<Vec<_>>().join(" ")));
        }
    }
}

/// Something that goes wrong during the next sync.
fn trouble(scene: &mut Scene, dice: &mut Dice) {
    const FAULTS: [Fault; 10] = [
        Fault::Before,
        Fault::After,
        Fault::Silence,
        Fault::Half,
        Fault::Limit,
        Fault::SecondaryLimit,
        Fault::Conflict,
        Fault::Stop,
        Fault::Page,
        Fault::Hang,
    ];
    let at = 1 + dice.below(25);
    match dice.below(10) {
        0 => {
            let text = format!("race {}\n", dice.below(1000));
            let race = Box::new(move |state: &mut State| {
                state.commit(BASE, &[("notes", &text)], "race");
            });
            scene.forge.plan().ambushes.push((at, race));
            scene.tell("race: base moved");
        }
        1 => {
            let how = [How::Merge, How::Squash, How::Rebase][dice.below(3)];
            let race = Box::new(move |state: &mut State| {
                if let Some(number) = state.newest().filter(|pull| pull.is_open()).map(|pull| pull.number) {
                    state.merge(number, how);
                }
            });
            scene.forge.plan().ambushes.push((at, race));
            scene.tell("race: merged");
        }
        2 => {
            let race = Box::new(move |state: &mut State| {
                if state.tip(HEAD).is_some() && state.newest().is_some_and(Pull::is_open) {
                    state.commit(HEAD, &[("notes", "raced\n")], "a person's commit");
                }
            });
            scene.forge.plan().ambushes.push((at, race));
            scene.tell("race: foreign commit");
        }
        3 if !scene.goes_by_http() => {
            let fault = [Fault::Before, Fault::After][dice.below(2)];
            scene.forge.plan().git_faults.push((1 + dice.below(8), fault));
            scene.tell(&format!("fault of git: {fault:?}"));
        }
        4 => {
            let race = Box::new(move |state: &mut State| {
                if let Some(number) = state.newest().filter(|pull| pull.is_open()).map(|pull| pull.number) {
                    state.close(number);
                }
            });
            scene.forge.plan().ambushes.push((at, race));
            scene.tell("race: closed");
        }
        _ => {
            let fault = FAULTS[dice.below(FAULTS.len())];
            if fault == Fault::Hang {
                scene.patience = Duration::from_secs(1);
            }
            scene.forge.plan().faults.push((at, fault));
            scene.tell(&format!("fault: {fault:?}"));
        }
    }
}

/// With the world at rest, the bot comes to rest: everything that nobody declined is in the base branch or proposed.
fn settle(scene: &mut Scene) -> Vec<Broken> {
    let lost = |how: String| vec![(Promise::NothingLost, how)];
    {
        // A person takes their commits off, by closing and deleting.
        let mut state = scene.forge.state();
        let base = state.tip(BASE).unwrap();
        if let Some(tip) = state.tip(HEAD) {
            let foreign =
                state.repo().series(&base, &tip).unwrap().iter().any(|one| one.author_email != BOT_EMAIL);
            if foreign {
                let bare = state.bare.clone();
                git(&bare, &["update-ref", "-d", &format!("refs/heads/{HEAD}")]);
                if let Some(pull) = state.pulls.last_mut().filter(|pull| pull.is_open()) {
                    pull.fate = Fate::Closed("ghost".to_owned());
                }
            }
        }
    }
    scene.maker.newest += 1;
    // Its time has come.
    (scene.policy.schedule, scene.policy.pr_hourly_limit) = (OpenTimes::always(), 0);
    let mut rest = None;
    for _ in 0..4 {
        let result = scene.sync();
        by_word(scene);
        let wrong = scene.check();
        if !wrong.is_empty() {
            return wrong;
        }
        match result {
            Ok(outcome) => {
                let quiet = outcome.steps.iter().all(|step| *step == "make");
                rest = Some(outcome.rest);
                if quiet {
                    break;
                }
            }
            Err(error) => match error.downcast_ref::<ProposalObstacle>() {
                // A reviewed pull request in conflict waits for a person, whatever else.
                Some(ProposalObstacle::Conflict { .. }) => return Vec::new(),
                Some(_) | None => return lost(format!("it does not come to rest: {error:#}")),
            },
        }
    }
    let state = scene.forge.state();
    let base = state.tip(BASE).unwrap();
    let mut there = Scene::revisions(&state, base.as_str());
    if let Some(pull) = state.newest().filter(|pull| pull.is_open()) {
        there.extend(Scene::revisions(&state, &pull.head));
        let marker = Marker::of(&pull.body);
        if marker.is_none_or(|marker| marker.head != pull.head || !marker.dressed) {
            return lost("the text of the open pull request is not up to date".to_owned());
        }
        if !pull.labels.contains(&"tidelock".to_owned()) {
            return lost("the open pull request has no label".to_owned());
        }
        if !state.statuses.contains_key(&pull.head) {
            return lost("the open pull request's commit has no status".to_owned());
        }
    }
    let missing: Vec<u32> =
        (1..=scene.maker.newest).filter(|n| !there.contains(n) && !scene.declined.contains(n)).collect();
    let silent = matches!(rest, Some(Rest::Declined));
    if !missing.is_empty() && !silent {
        return lost(format!("revisions were lost: {missing:?} ({rest:?}; declined {:?})", scene.declined));
    }
    uncompared(&state)
}

/// Everything that was merged was held against what was tested, once it came to rest.
fn uncompared(state: &State) -> Vec<Broken> {
    let merged = state.pulls.iter().filter(|pull| matches!(pull.fate, Fate::Merged(_)));
    let silent = merged.filter(|pull| {
        let says = |key: &str| {
            pull.comments.iter().any(|one| Says::of(&one.body).is_some_and(|says| says.key == key))
        };
        !says("landed")
    });
    silent
        .map(|pull| (Promise::LandedCompared, format!("nothing is said of {}, which landed", pull.number)))
        .collect()
}
