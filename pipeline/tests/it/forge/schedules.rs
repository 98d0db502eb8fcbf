//! Random schedules of people, forges and machines against the bot, with the promises as assertions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::forge::gitlab::GitLab;
use pipeline::forge::hub::{Access, Flavour, Hub};
use pipeline::forge::remote::{Credentials, Remote};
use pipeline::forge::{Forge, MergeMethod};
use pipeline::progress::Silent;
use pipeline::proposal::marker::{Said, Says};
use pipeline::proposal::step::Rest;
use pipeline::proposal::{Bot, DraftWhen, Marker, Outcome, Policy, ProposalObstacle, RebaseWhen};
use port::repo::{Author, PortRepo};
use secrecy::SecretString;
use tempfile::TempDir;
use upstream::clock::ManualClock;
use upstream::process::{Invocation, ProcessRunner as _, SystemProcessRunner};

use super::maker::{HEAD, Journal, TestMaker};
use super::server::{FakeForge, Fault};
use super::state::{ANN, BASE, BOT, BOT_EMAIL, EVE, Fate, How, Kind, State};

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

/// A fake forge, a clone of its repository, and a bot.
pub(crate) struct Scene {
    pub(crate) forge: FakeForge,
    pub(crate) maker: TestMaker,
    pub(crate) policy: Policy,
    pub(crate) clock: Arc<ManualClock>,
    kind: Kind,
    root: TempDir,
    clones: usize,
    /// The revisions that a person declined and nobody took back.
    pub(crate) declined: BTreeSet<u32>,
    /// How often each thing happened.
    pub(crate) told: BTreeMap<String, usize>,
}

fn git(folder: &Path, arguments: &[&str]) {
    let invocation = Invocation::new("git", folder)
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@localhost", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let finished = SystemProcessRunner::default().run(&invocation).unwrap();
    assert!(finished.succeeded(), "git {arguments:?}: {}", finished.tail(10));
}

impl Scene {
    pub(crate) fn new(kind: Kind) -> Self {
        // Another test of this process may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let root = tempfile::tempdir().unwrap();
        let bare = root.path().join("port.git");
        std::fs::create_dir(&bare).unwrap();
        git(&bare, &["init", "--quiet", "--bare"]);
        let first = root.path().join("first");
        std::fs::create_dir(&first).unwrap();
        git(&first, &["init", "--quiet"]);
        std::fs::write(first.join("tidelock.lock"), "0\n").unwrap();
        std::fs::write(first.join("src"), "begin\n").unwrap();
        std::fs::write(first.join("notes"), "notes\n").unwrap();
        git(&first, &["add", "."]);
        git(&first, &["commit", "--quiet", "-m", "begin"]);
        git(&first, &["push", "--quiet", bare.to_str().unwrap(), "HEAD:refs/heads/main"]);
        let forge = FakeForge::start(State::new(kind, bare));
        let policy = Policy {
            base_branch: BASE.to_owned(),
            head_branch: HEAD.to_owned(),
            branch_prefix: "tidelock/".to_owned(),
            author_email: BOT_EMAIL.to_owned(),
            labels: vec!["tidelock".to_owned()],
            reviewers: vec![ANN.to_owned()],
            draft: DraftWhen::Parked,
            pr_concurrent_limit: 3,
            rebase_when: RebaseWhen::BehindBaseBranch,
            required_approvals: 0,
            automerge_strategy: MergeMethod::Merge,
            status_context: "tidelock".to_owned(),
        };
        let journal = Arc::new(Mutex::new(Journal::default()));
        let maker = TestMaker::new(PathBuf::new(), journal);
        let clock = Arc::new(ManualClock::at(1_800_000_000_000));
        let (declined, told) = (BTreeSet::new(), BTreeMap::new());
        let mut scene = Self { forge, maker, policy, clock, kind, root, clones: 0, declined, told };
        scene.forget();
        scene
    }

    /// Another machine, which knows nothing but what is at the forge.
    pub(crate) fn forget(&mut self) {
        self.clones += 1;
        let folder = self.root.path().join(format!("clone-{}", self.clones));
        std::fs::create_dir(&folder).unwrap();
        git(&folder, &["init", "--quiet", "-b", "elsewhere"]);
        self.maker.port = folder;
        self.maker.remembered.clear();
    }

    pub(crate) fn state_folder(&self) -> PathBuf {
        self.root.path().join("state")
    }

    fn tell(&mut self, what: &str) {
        *self.told.entry(what.to_owned()).or_default() += 1;
    }

    /// One sync of the bot.
    pub(crate) fn sync(&mut self) -> anyhow::Result<Outcome> {
        let token = SecretString::from(self.forge.state().token.clone());
        let (api, git_url) = (self.forge.api(), self.forge.git_url());
        let repository = "team/port";
        let access = Access {
            api: &api,
            repository,
            token: &token,
            username: None,
            timeout: Duration::from_secs(20),
            clock: Arc::clone(&self.clock) as _,
        };
        let (speaker, user): (Box<dyn Forge>, &str) = match self.kind {
            Kind::GitHub => (Box::new(Hub::new(Flavour::GitHub, &access)?), "x-access-token"),
            Kind::Gitea => (Box::new(Hub::new(Flavour::Gitea, &access)?), "oauth2"),
            Kind::GitLab => (Box::new(GitLab::new(&access)?), "oauth2"),
        };
        let credentials = Credentials { user: user.to_owned(), token };
        let runner = Arc::new(SystemProcessRunner::default());
        let state = self.state_folder();
        let remote = Remote::new(&git_url, &self.maker.port, &state, Some(&credentials), runner)?;
        let port = PortRepo::open(&self.maker.port)?;
        let author = Author { name: "Tidelock".to_owned(), email: BOT_EMAIL.to_owned() };
        let bot = Bot {
            forge: &*speaker,
            remote: &remote,
            port: &port,
            policy: &self.policy,
            author: &author,
            clock: Arc::clone(&self.clock) as _,
            listener: &Silent,
        };
        let result = bot.sync(&mut self.maker);
        drop(remote);
        result
    }

    /// The revisions whose work is in a tree.
    fn revisions(state: &State, commit: &str) -> BTreeSet<u32> {
        let text = state.repo().read(&state.tree(commit), "src").unwrap().unwrap_or_default();
        let text = String::from_utf8(text).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("revision ")?.parse().ok()).collect()
    }

    /// What an open pull request proposes beyond the base branch.
    fn proposed(state: &State, number: u64) -> BTreeSet<u32> {
        let base = state.tip(BASE).unwrap();
        let pull = state.pulls.iter().find(|pull| pull.number == number).unwrap();
        let there = Self::revisions(state, base.as_str());
        Self::revisions(state, &pull.head).difference(&there).copied().collect()
    }

    /// A person closes an open pull request, which declines what is in it.
    pub(crate) fn close(&mut self, number: u64) {
        let proposed = {
            let mut state = self.forge.state();
            let proposed = Self::proposed(&state, number);
            state.now_s += 10;
            let now = state.now_s;
            let pull = state.pull(number).unwrap();
            pull.fate = Fate::Closed(ANN.to_owned());
            pull.updated = now;
            proposed
        };
        self.declined.extend(proposed);
    }

    /// The promises, as far as they can be seen after a sync.
    pub(crate) fn check(&self) -> Vec<String> {
        let state = self.forge.state();
        let mut wrong = state.violations.clone();
        let passed = self.maker.journal.lock().unwrap();
        let open: Vec<_> = state.pulls.iter().filter(|pull| pull.is_open()).collect();
        if open.len() > 1 {
            wrong.push(format!("{} pull requests are open", open.len()));
        }
        for pull in &open {
            let author = state
                .repo()
                .series(&state.tip(BASE).unwrap(), &upstream::CommitId::new(pull.head.as_str()).unwrap());
            let ours = author.unwrap().last().is_some_and(|commit| commit.author_email == BOT_EMAIL);
            if ours && !passed.passed.contains(state.tree(&pull.head).as_str()) {
                wrong.push(format!("pull request {} shows a tree that no gate passed", pull.number));
            }
            let again: Vec<u32> =
                Self::proposed(&state, pull.number).intersection(&self.declined).copied().collect();
            if ours && !again.is_empty() {
                wrong.push(format!("pull request {} proposes what was declined: {again:?}", pull.number));
            }
        }
        for pull in &state.pulls {
            let mut keys = BTreeSet::new();
            for comment in pull.comments.iter().filter(|comment| comment.author == BOT) {
                let key = Says::of(&comment.body).map(|says| says.key).unwrap_or_default();
                if !keys.insert(key.clone()) {
                    wrong.push(format!("`{key}` was said twice in {}", pull.number));
                }
            }
            let by_bot = pull.fate == Fate::Closed(BOT.to_owned());
            let asked = pull.comments.iter().any(|comment| {
                comment.author == ANN && (comment.body.contains("decline") || comment.body.contains("defer"))
            });
            let obsolete =
                pull.comments.iter().any(|comment| comment.body.contains("nothing left to propose"));
            if by_bot && !asked && !obsolete {
                wrong.push(format!("the bot closed {} by itself", pull.number));
            }
        }
        for (commit, rows) in &state.statuses {
            let success = rows.iter().any(|(_, _, word, _)| word == "success");
            if success && !passed.passed.contains(state.tree(commit).as_str()) {
                wrong.push(format!("{commit} is called tested and was not"));
            }
        }
        wrong
    }
}

/// What one schedule came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) violations: Vec<String>,
    pub(crate) told: BTreeMap<String, usize>,
    pub(crate) requests: usize,
}

/// Plays one schedule.
pub(crate) fn play(seed: u64) -> Report {
    let mut dice = Dice::new(seed);
    for _ in 0..8 {
        dice.below(2);
    }
    let kind = Kind::ALL[dice.below(3)];
    let mut scene = Scene::new(kind);
    scene.policy.rebase_when =
        [RebaseWhen::BehindBaseBranch, RebaseWhen::BehindBaseBranch, RebaseWhen::Conflicted][dice.below(3)];
    scene.policy.automerge_strategy = [MergeMethod::Merge, MergeMethod::Squash][dice.below(2)];
    scene.policy.required_approvals = u32::from(dice.one_in(2));
    scene.maker.may_automerge = dice.one_in(4);
    scene.forge.state().approvals_needed = scene.policy.required_approvals as usize;
    let mut violations = Vec::new();
    for _ in 0..12 {
        happen(&mut scene, &mut dice);
        if dice.one_in(3) {
            trouble(&mut scene, &mut dice);
        }
        match scene.sync() {
            Ok(outcome) => {
                for step in outcome.steps {
                    scene.tell(step);
                }
            }
            Err(error) => {
                let word = match error.downcast_ref::<ProposalObstacle>() {
                    Some(ProposalObstacle::ForeignCommit { .. }) => "stopped: foreign commit",
                    Some(ProposalObstacle::Conflict { .. }) => "stopped: conflict",
                    Some(_) => "stopped",
                    None => "broke off",
                };
                scene.tell(word);
            }
        }
        scene.forge.plan().clear();
        by_word(&mut scene);
        violations.extend(scene.check());
        if !violations.is_empty() {
            break;
        }
    }
    if violations.is_empty() {
        violations = settle(&mut scene);
    }
    let requests = scene.forge.state().requests;
    Report { violations, told: scene.told.clone(), requests }
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
    scene.clock.advance(Duration::from_hours(1));
    let newest = {
        let state = scene.forge.state();
        state.newest().map(|pull| (pull.number, pull.is_open(), pull.head.clone()))
    };
    if dice.one_in(2) {
        scene.maker.newest += 1;
        scene.tell("upstream moved");
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
            if let Some(pull) = state.pull(number) {
                "A person's own words.".clone_into(&mut pull.body);
            }
            drop(state);
            scene.tell("text replaced");
        }
        9 => {
            scene.forget();
            scene.tell("another machine");
        }
        10 if is_open => {
            // By hand: the very commits, or what they say with something more.
            let mut state = scene.forge.state();
            let base = state.repo().head(BASE).unwrap();
            let tip = upstream::CommitId::new(head.as_str()).unwrap();
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
    const FAULTS: [Fault; 8] = [
        Fault::Before,
        Fault::After,
        Fault::Silence,
        Fault::Half,
        Fault::Limit,
        Fault::SecondaryLimit,
        Fault::Conflict,
        Fault::Stop,
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
                if state.tip(HEAD).is_some() && state.newest().is_some_and(super::state::Pull::is_open) {
                    state.commit(HEAD, &[("notes", "raced\n")], "a person's commit");
                }
            });
            scene.forge.plan().ambushes.push((at, race));
            scene.tell("race: foreign commit");
        }
        _ => {
            let fault = FAULTS[dice.below(FAULTS.len())];
            scene.forge.plan().faults.push((at, fault));
            scene.tell(&format!("fault: {fault:?}"));
        }
    }
}

/// With the world at rest, the bot comes to rest: everything that nobody declined is in the base branch or proposed.
fn settle(scene: &mut Scene) -> Vec<String> {
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
                Some(_) | None => return vec![format!("it does not come to rest: {error:#}")],
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
            return vec!["the text of the open pull request is not up to date".to_owned()];
        }
        if !pull.labels.contains(&"tidelock".to_owned()) {
            return vec!["the open pull request has no label".to_owned()];
        }
        if !state.statuses.contains_key(&pull.head) {
            return vec!["the open pull request's commit has no status".to_owned()];
        }
    }
    let lost: Vec<u32> =
        (1..=scene.maker.newest).filter(|n| !there.contains(n) && !scene.declined.contains(n)).collect();
    let silent = matches!(rest, Some(Rest::Declined));
    if !lost.is_empty() && !silent {
        return vec![format!("revisions were lost: {lost:?} ({rest:?}; declined {:?})", scene.declined)];
    }
    Vec::new()
}
