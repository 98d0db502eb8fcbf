//! Forges: where a port's repository lives, and where people review what Tidelock proposes.
//!
//! [`Forge`] is what the bot needs of one; [`hub`] speaks to GitHub and to Gitea and Forgejo, whose interfaces are
//! alike, [`gitlab`] to GitLab. [`remote`] fetches and pushes. A forge is asked and told here; what is to be asked
//! and told is decided in [`crate::proposal`].

mod error;
pub mod gitlab;
pub mod hub;
pub mod remote;
pub mod web;

use upstream::CommitId;

pub use error::ForgeError;

/// A forge's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GitHub, or GitHub Enterprise Server.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea or Forgejo.
    Gitea,
}

/// A pull request; GitLab calls it a merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the repository.
    pub number: u64,
    /// Its address for people.
    pub web_url: String,
    /// How the forge names it where a number does not do; empty where a number does.
    pub node: String,
    /// Its title, without what the forge marks a draft with.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Who opened it.
    pub author: String,
    /// Its branch.
    pub head_branch: String,
    /// The commit that the forge saw last on it.
    pub head: String,
    /// Whether its branch is in the repository itself and not in somebody's copy of it.
    pub is_local: bool,
    /// The branch that it is for.
    pub base_branch: String,
    /// Whether it is not to be merged yet.
    pub is_draft: bool,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// What became of it.
    pub state: PullState,
    /// When something about it changed last, as the forge writes it.
    pub updated: String,
}

/// What became of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullState {
    /// It is open.
    Open,
    /// It was closed and is not in the base branch, as far as the forge knows.
    Closed {
        /// Who closed it, where the forge tells.
        by: Option<String>,
    },
    /// It was merged.
    Merged {
        /// The commit that the forge says it is in the base branch as.
        commit: Option<String>,
    },
}

/// A pull request to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull<'a> {
    /// The branch with the work.
    pub head: &'a str,
    /// The branch that it is for.
    pub base: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its text.
    pub body: &'a str,
    /// Whether it is not to be merged yet.
    pub is_draft: bool,
}

/// What is to be changed about a pull request. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change<'a> {
    /// Its title.
    pub title: Option<&'a str>,
    /// Its text.
    pub body: Option<&'a str>,
    /// Whether it is not to be merged yet.
    pub is_draft: Option<bool>,
}

/// A comment in the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// How the forge names the author where a name does not do.
    pub author_id: u64,
    /// What it says.
    pub body: String,
}

/// What a reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewWord {
    /// It may be merged.
    Approved,
    /// It may not.
    ChangesRequested,
    /// Neither.
    Commented,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who reviewed.
    pub author: String,
    /// What they say.
    pub word: ReviewWord,
    /// The commit that they looked at; `None` where the forge cannot tell.
    pub commit: Option<String>,
}

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number in the repository.
    pub number: u64,
    /// Whether it is open.
    pub is_open: bool,
    /// Its text.
    pub body: String,
}

/// What somebody may do in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing that others may not.
    None,
    /// Read it.
    Read,
    /// Push to it.
    Write,
}

/// What a commit status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// Every gate passed this tree.
    Success,
    /// A gate refused it.
    Failure,
    /// It could not be told.
    Inconclusive,
}

/// As what the verdict is shown on a commit. Only GitHub has both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StatusKind {
    /// As a check run where the token is an app's, else as a commit status.
    #[default]
    Auto,
    /// As a check run, which only apps may make.
    CheckRun,
    /// As a commit status.
    CommitStatus,
}

/// A status of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose status it is.
    pub context: String,
    /// What it says.
    pub state: StatusState,
    /// Why, in a line.
    pub description: String,
}

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMethod {
    /// By a commit with two parents.
    Merge,
    /// By one commit that holds all changes.
    Squash,
    /// By each commit written anew upon the base branch.
    Rebase,
}

/// What the bot needs of a forge. Each call is one request or a bounded number of pages of one.
pub trait Forge: Send + Sync + std::fmt::Debug {
    /// Who we are to it.
    fn whoami(&self) -> Result<String, ForgeError>;
    /// The pull requests from a branch of the repository, the newest first.
    fn pulls_from(&self, branch: &str) -> Result<Vec<PullRequest>, ForgeError>;
    /// How many pull requests from branches that begin like this are open.
    fn open_pulls(&self, branch_prefix: &str) -> Result<usize, ForgeError>;
    /// How many pull requests from such branches were opened since a time, in milliseconds since the Unix epoch,
    /// whatever became of them; of the newest only.
    fn opened_since(&self, branch_prefix: &str, since_ms: i64) -> Result<usize, ForgeError>;
    /// Opens one.
    fn open(&self, new: &NewPull<'_>) -> Result<(), ForgeError>;
    /// Changes one.
    fn change(&self, pull: &PullRequest, change: &Change<'_>) -> Result<(), ForgeError>;
    /// Closes one without merging it.
    fn close(&self, pull: &PullRequest) -> Result<(), ForgeError>;
    /// Puts labels on one, beside those that are there.
    fn add_labels(&self, pull: &PullRequest, labels: &[String]) -> Result<(), ForgeError>;
    /// Asks people to review one.
    fn ask_reviewers(&self, pull: &PullRequest, reviewers: &[String]) -> Result<(), ForgeError>;
    /// Its conversation, oldest first.
    fn comments(&self, pull: &PullRequest) -> Result<Vec<Comment>, ForgeError>;
    /// Says something in it.
    fn comment(&self, pull: &PullRequest, body: &str) -> Result<(), ForgeError>;
    /// Its reviews, oldest first.
    fn reviews(&self, pull: &PullRequest) -> Result<Vec<Review>, ForgeError>;
    /// What the author of a comment may do in the repository.
    fn permission(&self, of: &Comment) -> Result<Permission, ForgeError>;
    /// The status of a commit that stands under this name.
    fn status(&self, commit: &CommitId, context: &str) -> Result<Option<Status>, ForgeError>;
    /// Sets it.
    fn set_status(&self, commit: &CommitId, status: &Status) -> Result<(), ForgeError>;
    /// Merges one, if its branch stands at this commit.
    fn merge(&self, pull: &PullRequest, head: &CommitId, method: MergeMethod) -> Result<(), ForgeError>;
    /// The issues that somebody opened, the newest first.
    fn issues_by(&self, author: &str) -> Result<Vec<Issue>, ForgeError>;
    /// Opens one.
    fn open_issue(&self, title: &str, body: &str) -> Result<(), ForgeError>;
    /// Gives one another text.
    fn change_issue(&self, number: u64, body: &str) -> Result<(), ForgeError>;
    /// The most characters that a text may have.
    fn body_chars_max(&self) -> usize;
}

/// Whether something was made at or after a time, by what the forge says; what it does not say was long ago.
fn is_since(made: Option<&str>, since_ms: i64) -> bool {
    let made = made.and_then(|made| made.parse::<jiff::Timestamp>().ok());
    made.is_some_and(|made| made.as_millisecond() >= since_ms)
}
