//! The pull-request bot against a real Gitea or Forgejo on loopback: proposing, words of people, each way to merge.

mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use pipeline::forge::web::{Method, Scheme, Web};
use secrecy::SecretString;
use serde_json::{Value, json};
use upstream::clock::{Clock, SystemClock};
use upstream::process::{Ending, ProcessRunner as _, SystemProcessRunner};

use super::crash::world::World;
use super::{Metric, Tell};
use server::Server;

/// The longest that the server may take for an answer.
const ANSWER_TIME: Duration = Duration::from_mins(1);
/// How long a look at what the server does by itself is repeated, in milliseconds.
const PATIENCE_MS: i64 = 60_000;
/// The repository, with its owner.
const REPOSITORY: &str = "/repos/ann/port";
/// What each round changes upstream, and how its pull request is merged.
const ROUNDS: [(&str, &str, &str); 3] = [
    ("LIMIT: u32 = 10", "LIMIT: u32 = 11", "merge"),
    ("LIMIT: u32 = 11", "LIMIT: u32 = 12", "squash"),
    ("LIMIT: u32 = 12", "LIMIT: u32 = 13", "rebase"),
];

pub(super) fn run(program: Option<&PathBuf>, repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `forge-server` takes no repository: it makes its own upstream and port");
    }
    let Some(program) = program else {
        bail!("the measure `forge-server` needs `--gitea PATH`, the path of a Gitea or Forgejo binary");
    };
    let folder = tempfile::tempdir()?;
    let mut server = Server::of(program, folder.path())?;
    super::crash::needs_program()?;
    drop(rustls::crypto::ring::default_provider().install_default());
    server.start()?;
    tell(Metric {
        name: "forge_server.version".to_owned(),
        value: json!(server.version),
        unit: "",
        target: String::new(),
        ok: true,
    })?;
    let mut flow = Flow::begin(&server)?;
    flow.play()?;
    for (name, ok) in flow.found {
        tell(Metric {
            name: format!("forge_server.{name}"),
            value: json!(ok),
            unit: "",
            target: "true".to_owned(),
            ok,
        })?;
    }
    Ok(())
}

/// The port at the server, and the people there.
struct Flow {
    world: World,
    token: String,
    ann: Web,
    eve: Web,
    /// What was looked at, and whether it was so.
    found: Vec<(String, bool)>,
}

impl Flow {
    fn begin(server: &Server) -> Result<Self> {
        let speaker = |token: &str| {
            let api = format!("{}/api/v1", server.url);
            Web::new(&api, &SecretString::from(token), Scheme::Token, ANSWER_TIME, Arc::new(SystemClock))
        };
        let ann = speaker(&server.user("ann", &["--admin"])?)?;
        let eve = speaker(&server.user("eve", &[])?)?;
        let token = server.user("tidelock-bot", &[])?;
        ann.send(&Method::POST, "/user/repos", &json!({ "name": "port", "default_branch": "main" }))?;
        let right = json!({ "permission": "admin" });
        ann.send(&Method::PUT, &format!("{REPOSITORY}/collaborators/tidelock-bot"), &right)?;
        let label = json!({ "name": "tidelock", "color": "#336699" });
        ann.send(&Method::POST, &format!("{REPOSITORY}/labels"), &label)?;

        let world = World::new();
        let section = format!(
            "\n[land]\nmode = \"pull-request\"\n\n[forge]\nkind = \"gitea\"\nurl = \"{}\"\nrepository = \"ann/port\"\n\
             labels = [\"tidelock\"]\nreviewers = [\"ann\"]\npr-hourly-limit = 0\ndependency-dashboard = true\n",
            server.url
        );
        world.write("port/tidelock.toml", &(world.read("port/tidelock.toml") + &section));
        world.commit("port", "the forge");
        let address = server.url.replacen("://", &format!("://oauth2:{token}@"), 1);
        world.git("port", &["push", "-q", &format!("{address}/ann/port.git"), "main"]);
        Ok(Self { world, token, ann, eve, found: Vec::new() })
    }

    fn play(&mut self) -> Result<()> {
        for (from, to, how) in ROUNDS {
            self.world.upstream_changes(from, to, "a larger limit");
            self.is(&format!("{how}.proposed"), self.sync()? == 0);
            let pull = self.newest()?;
            let number = pull["number"].as_u64().context("a pull request without a number")?;
            self.is(&format!("{how}.labelled"), pull["labels"][0]["name"] == "tidelock");
            self.is(&format!("{how}.nothing_more"), self.sync()? == 3);
            let head = pull["head"]["sha"].as_str().unwrap_or_default().to_owned();
            let statuses: Value = self.ann.get(&format!("{REPOSITORY}/commits/{head}/statuses"))?;
            self.is(&format!("{how}.status"), statuses[0]["status"] == "success");
            self.words(how, number)?;
            self.merge(how, number)?;
            self.is(&format!("{how}.landed"), self.sync()? == 0);
            self.is(&format!("{how}.compared"), self.said(number, "the tree is the one that passed")?);
        }
        let all: Value = self.ann.get(&format!("{REPOSITORY}/pulls?state=all"))?;
        self.is("no_twin", all.as_array().map(Vec::len) == Some(ROUNDS.len()));
        self.decline()?;
        let issues: Value = self.ann.get(&format!("{REPOSITORY}/issues?state=all&type=issues"))?;
        self.is("one_dashboard", issues.as_array().map(Vec::len) == Some(1));
        Ok(())
    }

    /// A stranger is told that they may not, and the owner is answered.
    fn words(&mut self, how: &str, number: u64) -> Result<()> {
        let path = format!("{REPOSITORY}/issues/{number}/comments");
        self.eve.send(&Method::POST, &path, &json!({ "body": "/tidelock decline" }))?;
        self.ann.send(&Method::POST, &path, &json!({ "body": "/tidelock explain" }))?;
        self.is(&format!("{how}.answered"), self.sync()? == 0);
        self.is(&format!("{how}.stranger_refused"), self.said(number, "may not push to this repository")?);
        self.is(&format!("{how}.explained"), self.said(number, "tally")?);
        let pull: Value = self.ann.get(&format!("{REPOSITORY}/pulls/{number}"))?;
        self.is(&format!("{how}.still_open"), pull["state"] == "open");
        Ok(())
    }

    /// The server looks whether it can be merged by itself, and refuses meanwhile.
    fn merge(&self, how: &str, number: u64) -> Result<()> {
        let path = format!("{REPOSITORY}/pulls/{number}/merge");
        let end_ms = SystemClock.now_ms() + PATIENCE_MS;
        loop {
            match self.ann.send(&Method::POST, &path, &json!({ "Do": how })) {
                Ok(_) => return Ok(()),
                Err(error) if SystemClock.now_ms() > end_ms => {
                    return Err(error).with_context(|| format!("the server does not {how}"));
                }
                Err(_not_yet) => SystemClock.sleep(Duration::from_secs(1)),
            }
        }
    }

    /// What a person closes stays closed, until they take that back.
    fn decline(&mut self) -> Result<()> {
        self.world.upstream_changes("Small sums.", "Small sums!", "words");
        self.is("decline.proposed", self.sync()? == 0);
        let number = self.newest()?["number"].as_u64().context("a pull request without a number")?;
        let path = format!("{REPOSITORY}/pulls/{number}");
        self.ann.send(&Method::PATCH, &path, &json!({ "state": "closed" }))?;
        self.sync()?;
        let open: Value = self.ann.get(&format!("{REPOSITORY}/pulls?state=open"))?;
        self.is("decline.stays_closed", open.as_array().is_some_and(Vec::is_empty));
        let path = format!("{REPOSITORY}/issues/{number}/comments");
        self.ann.send(&Method::POST, &path, &json!({ "body": "/tidelock retry" }))?;
        self.sync()?;
        let again = self.newest()?;
        self.is("decline.taken_back", again["state"] == "open" && again["number"] != number);
        Ok(())
    }

    fn is(&mut self, name: &str, so: bool) {
        self.found.push((name.to_owned(), so));
    }

    fn newest(&self) -> Result<Value> {
        let all: Value = self.ann.get(&format!("{REPOSITORY}/pulls?state=all"))?;
        let all = all.as_array().cloned().unwrap_or_default();
        let newest = all.into_iter().max_by_key(|pull| pull["number"].as_u64());
        newest.context("there is no pull request")
    }

    fn said(&self, number: u64, words: &str) -> Result<bool> {
        let comments: Value = self.ann.get(&format!("{REPOSITORY}/issues/{number}/comments"))?;
        let mut comments = comments.as_array().into_iter().flatten();
        Ok(comments.any(|one| {
            one["user"]["login"] == "tidelock-bot"
                && one["body"].as_str().is_some_and(|body| body.contains(words))
        }))
    }

    /// The exit code of `tidelock sync`.
    fn sync(&self) -> Result<i32> {
        let invocation = self.world.invocation("port", &["sync"]).env("TIDELOCK_FORGE_TOKEN", &self.token);
        let finished = SystemProcessRunner::default().run(&invocation)?;
        if let Ending::Exited(code @ (0 | 3)) = finished.ending {
            return Ok(code);
        }
        bail!("`tidelock sync` ended with {:?}: {}", finished.ending, finished.tail(20));
    }
}
