//! The one state of the fake forge: pull requests, conversations, statuses, and a real bare repository.

use std::collections::BTreeMap;
use std::path::PathBuf;

use port::repo::{Author, Merged, NewCommit, PortRepo};
use serde_json::Value;
use upstream::{CommitId, TreeId};

use super::hooks::Happened;
use super::promise::{Broken, Promise};

/// Which forge is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    GitHub,
    GitLab,
    Gitea,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::GitHub, Self::GitLab, Self::Gitea];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
        }
    }
}

/// The bot's name at the forge.
pub(crate) const BOT: &str = "tidelock-bot";
/// Somebody who may push.
pub(crate) const ANN: &str = "ann";
/// Somebody who may not.
pub(crate) const EVE: &str = "eve";
/// The bot's address in commits.
pub(crate) const BOT_EMAIL: &str = "tidelock@localhost";
/// The base branch.
pub(crate) const BASE: &str = "main";

/// What became of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Open,
    Closed(String),
    Merged(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) author: String,
    /// `APPROVED`, `CHANGES_REQUESTED` or `COMMENTED`.
    pub(crate) word: &'static str,
    pub(crate) commit: String,
    pub(crate) at: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) author: String,
    pub(crate) branch: String,
    pub(crate) head: String,
    pub(crate) draft: bool,
    pub(crate) fate: Fate,
    pub(crate) labels: Vec<String>,
    pub(crate) reviewers: usize,
    pub(crate) comments: Vec<Comment>,
    pub(crate) reviews: Vec<Review>,
    /// The heads that it had, with their times.
    pub(crate) versions: Vec<(String, i64)>,
    pub(crate) updated: i64,
}

impl Pull {
    pub(crate) fn is_open(&self) -> bool {
        self.fate == Fate::Open
    }
}

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    /// Below the address of the interface.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
}

/// An issue of the bot's.
#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) is_open: bool,
}

/// What check runs are to the bot's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runs {
    /// It is no app's, and must not ask for them.
    None,
    /// It makes them.
    App,
    /// It is an app's and lacks the right.
    Refused,
}

/// How a merge is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Merge,
    Squash,
    Rebase,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) kind: Kind,
    pub(crate) bare: PathBuf,
    pub(crate) token: String,
    pub(crate) pulls: Vec<Pull>,
    pub(crate) issues: Vec<Issue>,
    pub(crate) runs: Runs,
    /// By commit: context, state as the forge writes it, description.
    pub(crate) statuses: BTreeMap<String, Vec<(u64, String, String, String)>>,
    pub(crate) next_id: u64,
    /// Moves with each thing that happens, in seconds.
    pub(crate) now_s: i64,
    pub(crate) approvals_needed: usize,
    /// What the bot did that it must not.
    pub(crate) violations: Vec<Broken>,
    pub(crate) requests: usize,
    /// Whether requests are kept as they were sent.
    pub(crate) keeps_requests: bool,
    pub(crate) sent: Vec<Sent>,
    /// Where the base branch stood when the bot last asked.
    pub(crate) base_shown: Option<CommitId>,
    /// The commits that the bot pushed, and those that it merged.
    pub(crate) pushed: Vec<String>,
    pub(crate) merged: Vec<String>,
    /// What a webhook is sent about.
    pub(crate) happened: Vec<Happened>,
}

impl State {
    pub(crate) fn new(kind: Kind, bare: PathBuf) -> Self {
        Self {
            kind,
            bare,
            token: "geheim-0123456789abcdef".to_owned(),
            pulls: Vec::new(),
            issues: Vec::new(),
            runs: Runs::None,
            statuses: BTreeMap::new(),
            next_id: 1,
            now_s: 1_800_000_000,
            approvals_needed: 0,
            violations: Vec::new(),
            requests: 0,
            keeps_requests: false,
            sent: Vec::new(),
            base_shown: None,
            pushed: Vec::new(),
            merged: Vec::new(),
            happened: Vec::new(),
        }
    }

    /// Notes that a promise was broken.
    pub(crate) fn broken(&mut self, promise: Promise, how: impl Into<String>) {
        self.violations.push((promise, how.into()));
    }

    pub(crate) fn repo(&self) -> PortRepo {
        PortRepo::open(&self.bare).unwrap()
    }

    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.now_s += 10;
        self.next_id
    }

    pub(crate) fn tip(&self, branch: &str) -> Option<CommitId> {
        self.repo().reference(&format!("refs/heads/{branch}")).unwrap()
    }

    pub(crate) fn tree(&self, commit: &str) -> TreeId {
        self.repo().commit_info(&CommitId::new(commit).unwrap()).unwrap().tree
    }

    pub(crate) fn pull(&mut self, number: u64) -> Option<&mut Pull> {
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }

    /// The newest from a branch.
    pub(crate) fn newest(&self) -> Option<&Pull> {
        self.pulls.last()
    }

    /// Brings open pull requests to where their branches are, as a forge does after each push. One whose branch is
    /// deleted is closed; one whose commits are in the base branch is merged.
    pub(crate) fn follow(&mut self) {
        let repo = self.repo();
        let base = self.tip(BASE).unwrap();
        let now = self.now_s + 1;
        for pull in self.pulls.iter_mut().filter(|pull| pull.is_open()) {
            let Some(tip) = repo.reference(&format!("refs/heads/{}", pull.branch)).unwrap() else {
                pull.fate = Fate::Closed("ghost".to_owned());
                pull.updated = now;
                continue;
            };
            if pull.head != tip.as_str() {
                pull.head = tip.to_string();
                pull.versions.push((tip.to_string(), now));
                pull.updated = now;
                self.now_s = now + 1;
            }
            if repo.descends(&base, &tip).unwrap() {
                pull.fate = Fate::Merged(tip.to_string());
                pull.updated = now;
            }
        }
    }

    /// A commit by a person upon a branch, which it moves.
    pub(crate) fn commit(&mut self, branch: &str, files: &[(&str, &str)], message: &str) -> CommitId {
        self.now_s += 10;
        let repo = self.repo();
        let head = repo.head(branch).unwrap();
        let changes = files.iter().map(|(path, text)| ((*path).to_owned(), Some(text.as_bytes().to_vec())));
        let tree = repo.write_tree(&head.tree, &changes.collect()).unwrap();
        let new = self.object(std::slice::from_ref(&head.commit), &tree, message, "ann@localhost");
        repo.advance(branch, &head.commit, &new).unwrap();
        self.happened.push(Happened::Push { branch: branch.to_owned(), commit: new.to_string() });
        self.follow();
        new
    }

    pub(crate) fn object(&self, parents: &[CommitId], tree: &TreeId, message: &str, email: &str) -> CommitId {
        let author = Author { name: "Somebody".to_owned(), email: email.to_owned() };
        let time_s = self.now_s;
        self.repo().commit_object(&NewCommit { parents, tree, message, author: &author, time_s }).unwrap()
    }

    /// Merges an open pull request, as the forge's button does. `false` where it conflicts.
    pub(crate) fn merge(&mut self, number: u64, how: How) -> bool {
        self.follow();
        let repo = self.repo();
        let Some(pull) = self.pulls.iter().find(|pull| pull.number == number && pull.is_open()) else {
            return false;
        };
        let head = CommitId::new(pull.head.as_str()).unwrap();
        let base = repo.head(BASE).unwrap();
        let Merged::Tree(tree) = repo.merge_trees(&base.commit, &head).unwrap() else { return false };
        let landed = match how {
            How::Merge => self.object(&[base.commit.clone(), head], &tree, "Merge", "forge@localhost"),
            How::Squash => {
                self.object(std::slice::from_ref(&base.commit), &tree, "Squashed", "forge@localhost")
            }
            How::Rebase => {
                let mut at = base.commit.clone();
                for commit in repo.series(&base.commit, &head).unwrap() {
                    if repo.commit_info(&commit.id).unwrap().parents.len() > 1 {
                        continue;
                    }
                    // From where the branch began, so that each commit brings what it brought there.
                    let Merged::Tree(tree) = repo.merge_trees(&base.commit, &commit.id).unwrap() else {
                        return false;
                    };
                    at = self.object(std::slice::from_ref(&at), &tree, &commit.message, "forge@localhost");
                }
                at
            }
        };
        repo.advance(BASE, &base.commit, &landed).unwrap();
        self.now_s += 10;
        let now = self.now_s;
        let pull = self.pull(number).unwrap();
        pull.fate = Fate::Merged(landed.to_string());
        pull.updated = now;
        self.happened.push(Happened::Pull { number, action: "merged" });
        self.follow();
        true
    }

    /// A person closes a pull request.
    pub(crate) fn close(&mut self, number: u64) {
        self.now_s += 10;
        let now = self.now_s;
        let pull = self.pull(number).unwrap();
        pull.fate = Fate::Closed(ANN.to_owned());
        pull.updated = now;
        self.happened.push(Happened::Pull { number, action: "closed" });
    }

    pub(crate) fn comment(&mut self, number: u64, author: &str, body: &str) -> u64 {
        let id = self.id();
        let now = self.now_s;
        let pull = self.pull(number).unwrap();
        pull.comments.push(Comment { id, author: author.to_owned(), body: body.to_owned() });
        pull.updated = now;
        self.happened.push(Happened::Comment { number, id, body: body.to_owned() });
        id
    }

    pub(crate) fn review(&mut self, number: u64, word: &'static str, commit: &str) {
        self.now_s += 10;
        let at = self.now_s;
        let pull = self.pull(number).unwrap();
        let (author, commit) = (ANN.to_owned(), commit.to_owned());
        pull.reviews.push(Review { author, word, commit, at });
        pull.updated = at;
        self.happened.push(Happened::Review { number, word, at });
    }
}
