//! A fake forge, a clone of its repository, and a bot.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::forge::gitlab::GitLab;
use pipeline::forge::hub::{Access, Flavour, Hub};
use pipeline::forge::remote::{Credentials, Remote};
use pipeline::forge::{Forge, MergeMethod, StatusKind};
use pipeline::progress::Silent;
use pipeline::proposal::{Bot, DraftWhen, Outcome, Policy, RebaseWhen, seen};
use port::repo::{Author, PortRepo};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use upstream::ContentHash;
use upstream::clock::ManualClock;
use upstream::process::{ProcessRunner, SystemProcessRunner};

use super::direct::share_objects;
use super::maker::{HEAD, Journal, TestMaker};
use super::server::FakeForge;
use super::state::{ANN, BASE, BOT_EMAIL, Kind, Runs, State};
use super::template;

/// When everything begins, in milliseconds since the Unix epoch.
const BEGIN_MS: i64 = 1_800_000_000_000;

/// Who speaks to the forge, with the token and the patience that it was made with.
type Kept = ((String, Duration), Arc<dyn Forge>);

/// A fake forge, a clone of its repository, and a bot.
pub(crate) struct Scene {
    pub(crate) forge: FakeForge,
    pub(crate) maker: TestMaker,
    pub(crate) policy: Policy,
    pub(crate) clock: Arc<ManualClock>,
    /// Whether git goes by HTTP, as it does to real forges.
    by_http: bool,
    /// The longest that the bot waits for an answer.
    pub(crate) patience: Duration,
    kind: Kind,
    root: TempDir,
    clones: usize,
    speaker: RefCell<Option<Kept>>,
    /// The revisions that a person declined and nobody took back.
    pub(crate) declined: BTreeSet<u32>,
    /// How often each thing happened.
    pub(crate) told: BTreeMap<String, usize>,
}

impl Scene {
    pub(crate) fn new(kind: Kind) -> Self {
        // Another test of this process may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let root = tempfile::tempdir().unwrap();
        let bare = root.path().join("port.git");
        std::fs::create_dir(&bare).unwrap();
        template::hosted(&bare);
        let forge = FakeForge::start(State::new(kind, bare));
        let policy = Policy {
            labels: vec!["tidelock".to_owned()],
            reviewers: vec![ANN.to_owned()],
            pr_concurrent_limit: 3,
            pr_hourly_limit: 0,
            draft: DraftWhen::Parked,
            rebase_when: RebaseWhen::BehindBaseBranch,
            automerge_strategy: MergeMethod::Merge,
            ..Policy::new(BASE, HEAD, "tidelock/", BOT_EMAIL)
        };
        let journal = Arc::new(Mutex::new(Journal::default()));
        let maker = TestMaker::new(PathBuf::new(), journal);
        let clock = Arc::new(ManualClock::at(BEGIN_MS));
        let (declined, told) = (BTreeSet::new(), BTreeMap::new());
        let patience = Duration::from_secs(20);
        let mut scene = Self {
            forge,
            maker,
            policy,
            clock,
            by_http: true,
            patience,
            kind,
            root,
            clones: 0,
            speaker: RefCell::default(),
            declined,
            told,
        };
        scene.forget();
        scene
    }

    /// Another machine, which knows nothing but what is at the forge.
    pub(crate) fn forget(&mut self) {
        self.clones += 1;
        let folder = self.root.path().join(format!("clone-{}", self.clones));
        std::fs::create_dir(&folder).unwrap();
        template::clone(&folder);
        if !self.by_http {
            share_objects(&self.forge.state().bare, &folder);
        }
        self.maker.port = folder;
        self.maker.remembered.clear();
        self.speaker.take();
    }

    pub(crate) fn state_folder(&self) -> PathBuf {
        self.root.path().join("state")
    }

    pub(crate) fn tell(&mut self, what: &str) {
        *self.told.entry(what.to_owned()).or_default() += 1;
    }

    /// From now on git goes to the bare repository itself.
    pub(crate) fn without_http(&mut self) {
        self.by_http = false;
        self.forget();
    }

    /// Whether git goes by HTTP.
    pub(crate) fn goes_by_http(&self) -> bool {
        self.by_http
    }

    /// The bot's token is an app's.
    pub(crate) fn as_app(&mut self, runs: Runs) {
        let mut state = self.forge.state();
        state.runs = runs;
        "ghs_0123456789abcdef".clone_into(&mut state.token);
    }

    /// Lets time pass, at the forge as well.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
        let now_s = upstream::Clock::now_ms(&*self.clock) / 1000;
        let mut state = self.forge.state();
        // The forge's own clock moves with each thing that happens, and the bot's keeps up with it.
        let ahead_s = u64::try_from(state.now_s - now_s).unwrap_or_default();
        self.clock.advance(Duration::from_secs(ahead_s));
        state.now_s = state.now_s.max(now_s);
    }

    /// Who speaks to the forge: one for as long as nothing about it changes, because making one reads the certificates
    /// of the machine.
    fn speaker(&self, token: &SecretString) -> anyhow::Result<Arc<dyn Forge>> {
        let wanted = (token.expose_secret().to_owned(), self.patience);
        let mut kept = self.speaker.borrow_mut();
        if let Some((_, speaker)) = kept.as_ref().filter(|(known, _)| *known == wanted) {
            return Ok(Arc::clone(speaker));
        }
        let api = self.forge.api();
        let access = Access {
            api: &api,
            repository: "team/port",
            token,
            username: None,
            status_kind: StatusKind::Auto,
            timeout: self.patience,
            clock: Arc::clone(&self.clock) as _,
        };
        let speaker: Arc<dyn Forge> = match self.kind {
            Kind::GitHub => Arc::new(Hub::new(Flavour::GitHub, &access)?),
            Kind::Gitea => Arc::new(Hub::new(Flavour::Gitea, &access)?),
            Kind::GitLab => Arc::new(GitLab::new(&access)?),
        };
        *kept = Some((wanted, Arc::clone(&speaker)));
        Ok(speaker)
    }

    /// What a poll of the forge sees.
    pub(crate) fn polled(&self) -> anyhow::Result<ContentHash> {
        let token = SecretString::from(self.forge.state().token.clone());
        Ok(seen(&*self.speaker(&token)?, &self.policy)?)
    }

    /// One sync of the bot.
    pub(crate) fn sync(&mut self) -> anyhow::Result<Outcome> {
        let token = SecretString::from(self.forge.state().token.clone());
        let speaker = self.speaker(&token)?;
        let user = match self.kind {
            Kind::GitHub => "x-access-token",
            Kind::GitLab | Kind::Gitea => "oauth2",
        };
        let credentials = Credentials { user: user.to_owned(), token };
        let runner: Arc<dyn ProcessRunner> =
            if self.by_http { Arc::new(SystemProcessRunner::default()) } else { self.forge.direct_git() };
        let (state, git_url) = (self.state_folder(), self.forge.git_url());
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

    /// A person closes an open pull request, which declines what is in it.
    pub(crate) fn close(&mut self, number: u64) {
        let proposed = {
            let mut state = self.forge.state();
            let proposed = Self::proposed(&state, number);
            state.close(number);
            proposed
        };
        self.declined.extend(proposed);
    }
}
