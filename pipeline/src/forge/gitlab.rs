//! GitLab, whose pull requests are merge requests.
//!
//! After the REST interface of GitLab (version 4).

use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use upstream::CommitId;

use super::hub::Access;
use super::web::{PAGE, Scheme, Web, escaped};
use super::{
    Change, Comment, Forge, ForgeError, Issue, MergeMethod, NewPull, Permission, PullRequest, PullState,
    Review, ReviewWord, Status, StatusState, is_since,
};

/// What a draft's title begins with.
const DRAFT_MARK: &str = "Draft: ";
/// From this level on somebody may push: `Developer`.
const DEVELOPER: u64 = 30;
/// From this level on somebody may read: `Guest`.
const GUEST: u64 = 10;
/// Characters of a commit status's description that are sent.
const DESCRIPTION_CHARS_MAX: usize = 255;

/// One project of a GitLab.
#[derive(Debug)]
pub struct GitLab {
    web: Web,
    /// `/projects/PATH`
    project: String,
    username: Option<String>,
}

#[derive(Debug, Deserialize)]
struct User {
    id: u64,
    username: String,
}

#[derive(Debug, Deserialize)]
struct MergeRequest {
    iid: u64,
    #[serde(default)]
    web_url: String,
    title: String,
    description: Option<String>,
    state: String,
    #[serde(default)]
    draft: bool,
    author: Option<User>,
    source_branch: String,
    target_branch: String,
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
    sha: Option<String>,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    closed_by: Option<User>,
    #[serde(default)]
    labels: Vec<String>,
}

impl From<MergeRequest> for PullRequest {
    fn from(from: MergeRequest) -> Self {
        let head = from.sha.clone().unwrap_or_default();
        let state = match from.state.as_str() {
            // Merged fast-forward, it is there as its own commit.
            "merged" => {
                PullState::Merged { commit: from.merge_commit_sha.or(from.squash_commit_sha).or(from.sha) }
            }
            // `locked` is between the two: it is being merged.
            "opened" | "locked" => PullState::Open,
            _closed => PullState::Closed { by: from.closed_by.map(|user| user.username) },
        };
        Self {
            number: from.iid,
            web_url: from.web_url,
            node: String::new(),
            title: from.title.strip_prefix(DRAFT_MARK).unwrap_or(&from.title).to_owned(),
            body: from.description.unwrap_or_default(),
            author: from.author.map(|user| user.username).unwrap_or_default(),
            head_branch: from.source_branch,
            head,
            is_local: from.source_project_id.is_some() && from.source_project_id == from.target_project_id,
            base_branch: from.target_branch,
            is_draft: from.draft || from.title.starts_with(DRAFT_MARK),
            labels: from.labels,
            state,
            updated: from.updated_at.unwrap_or_default(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct AnsweredIssue {
    iid: u64,
    state: String,
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Note {
    id: u64,
    body: String,
    author: Option<User>,
    /// What GitLab itself writes into the conversation.
    #[serde(default)]
    system: bool,
    /// `DiffNote` where it is about a line.
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Approvals {
    #[serde(default)]
    approved_by: Vec<Approval>,
}

#[derive(Debug, Deserialize)]
struct Approval {
    user: User,
    approved_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Version {
    head_commit_sha: String,
    created_at: String,
}

#[derive(Debug, Deserialize)]
struct Member {
    access_level: u64,
}

#[derive(Debug, Deserialize)]
struct CommitStatus {
    #[serde(default)]
    id: u64,
    name: String,
    status: String,
    description: Option<String>,
}

impl GitLab {
    /// The project that `access` names.
    pub fn new(access: &Access<'_>) -> anyhow::Result<Self> {
        let clock = Arc::clone(&access.clock);
        Ok(Self {
            web: Web::new(access.api, access.token, Scheme::PrivateToken, access.timeout, clock)?,
            project: format!("/projects/{}", escaped(access.repository)),
            username: access.username.map(str::to_owned),
        })
    }

    fn of(&self, pull: &PullRequest) -> String {
        format!("{}/merge_requests/{}", self.project, pull.number)
    }

    fn notes(&self, pull: &PullRequest) -> Result<Vec<Note>, ForgeError> {
        let path = format!("{}/notes?sort=asc&order_by=created_at&per_page={PAGE}", self.of(pull));
        let mut notes: Vec<Note> = self.web.list(&path)?;
        notes.retain(|note| !note.system);
        Ok(notes)
    }

    /// GitLab ties an approval to no commit. It is bound here to the commit that was the newest when it was given, by the
    /// times that GitLab itself noted; where one is missing the approval is bound to nothing.
    fn approved_commit(versions: &[Version], approval: &Approval) -> Option<String> {
        let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
        let at = time(approval.approved_at.as_deref()?)?;
        // A version of the same second may be the later one: then the approval does not count.
        let before = versions.iter().filter_map(|version| Some((time(&version.created_at)?, version)));
        let seen = before.filter(|(created, _)| *created < at).max_by_key(|(created, _)| *created);
        seen.map(|(_, version)| version.head_commit_sha.clone())
    }
}

fn titled(title: &str, is_draft: bool) -> String {
    format!("{}{title}", if is_draft { DRAFT_MARK } else { "" })
}

impl Forge for GitLab {
    fn whoami(&self) -> Result<String, ForgeError> {
        match &self.username {
            Some(name) => Ok(name.clone()),
            None => Ok(self.web.get::<User>("/user")?.username),
        }
    }

    fn pulls_from(&self, branch: &str) -> Result<Vec<PullRequest>, ForgeError> {
        let path = format!(
            "{}/merge_requests?source_branch={}&state=all&order_by=created_at&sort=desc&per_page={PAGE}",
            self.project,
            escaped(branch)
        );
        let answered: Vec<MergeRequest> = self.web.list(&path)?;
        let mut pulls: Vec<PullRequest> = answered.into_iter().map(PullRequest::from).collect();
        pulls.retain(|pull| pull.head_branch == branch && pull.is_local);
        pulls.sort_by_key(|pull| std::cmp::Reverse(pull.number));
        Ok(pulls)
    }

    fn open_pulls(&self, branch_prefix: &str) -> Result<usize, ForgeError> {
        let path = format!("{}/merge_requests?state=opened&per_page={PAGE}", self.project);
        let pulls: Vec<MergeRequest> = self.web.list(&path)?;
        Ok(pulls.iter().filter(|pull| pull.source_branch.starts_with(branch_prefix)).count())
    }

    fn opened_since(&self, branch_prefix: &str, since_ms: i64) -> Result<usize, ForgeError> {
        let path = format!(
            "{}/merge_requests?state=all&order_by=created_at&sort=desc&per_page={PAGE}",
            self.project
        );
        let pulls: Vec<MergeRequest> = self.web.get(&path)?;
        let ours = pulls.iter().filter(|pull| pull.source_branch.starts_with(branch_prefix));
        Ok(ours.filter(|pull| is_since(pull.created_at.as_deref(), since_ms)).count())
    }

    fn open(&self, new: &NewPull<'_>) -> Result<(), ForgeError> {
        let body = json!({
            "source_branch": new.head,
            "target_branch": new.base,
            "title": titled(new.title, new.is_draft),
            "description": new.body,
        });
        self.web.send(&Method::POST, &format!("{}/merge_requests", self.project), &body).map(drop)
    }

    fn change(&self, pull: &PullRequest, change: &Change<'_>) -> Result<(), ForgeError> {
        let mut body = json!({});
        let is_draft = change.is_draft.unwrap_or(pull.is_draft);
        if change.title.is_some() || is_draft != pull.is_draft {
            body["title"] = json!(titled(change.title.unwrap_or(&pull.title), is_draft));
        }
        if let Some(text) = change.body {
            body["description"] = json!(text);
        }
        self.web.send(&Method::PUT, &self.of(pull), &body).map(drop)
    }

    fn close(&self, pull: &PullRequest) -> Result<(), ForgeError> {
        self.web.send(&Method::PUT, &self.of(pull), &json!({ "state_event": "close" })).map(drop)
    }

    fn add_labels(&self, pull: &PullRequest, labels: &[String]) -> Result<(), ForgeError> {
        let body = json!({ "add_labels": labels });
        self.web.send(&Method::PUT, &self.of(pull), &body).map(drop)
    }

    fn ask_reviewers(&self, pull: &PullRequest, reviewers: &[String]) -> Result<(), ForgeError> {
        let mut ids = Vec::new();
        for name in reviewers {
            let found: Vec<User> = self.web.get(&format!("/users?username={}", escaped(name)))?;
            let user = found.into_iter().find(|user| user.username == *name).ok_or_else(|| {
                ForgeError::NotFound { what: "GET /users".to_owned(), said: format!("no user `{name}`") }
            })?;
            ids.push(user.id);
        }
        self.web.send(&Method::PUT, &self.of(pull), &json!({ "reviewer_ids": ids })).map(drop)
    }

    fn comments(&self, pull: &PullRequest) -> Result<Vec<Comment>, ForgeError> {
        let mut comments: Vec<Comment> = self
            .notes(pull)?
            .into_iter()
            .map(|note| {
                let (author, author_id) =
                    note.author.map(|user| (user.username, user.id)).unwrap_or_default();
                Comment { id: note.id, author, author_id, body: note.body }
            })
            .collect();
        comments.sort_by_key(|comment| comment.id);
        Ok(comments)
    }

    fn comment(&self, pull: &PullRequest, body: &str) -> Result<(), ForgeError> {
        let path = format!("{}/notes", self.of(pull));
        self.web.send(&Method::POST, &path, &json!({ "body": body })).map(drop)
    }

    fn reviews(&self, pull: &PullRequest) -> Result<Vec<Review>, ForgeError> {
        let approvals: Approvals = self.web.get(&format!("{}/approvals", self.of(pull)))?;
        let remarks = self.notes(pull)?.into_iter().filter(|note| note.kind.as_deref() == Some("DiffNote"));
        let mut reviews: Vec<Review> = remarks
            .map(|note| Review {
                author: note.author.map(|user| user.username).unwrap_or_default(),
                word: ReviewWord::Commented,
                commit: None,
            })
            .collect();
        if !approvals.approved_by.is_empty() {
            let versions: Vec<Version> =
                self.web.list(&format!("{}/versions?per_page={PAGE}", self.of(pull)))?;
            reviews.extend(approvals.approved_by.iter().map(|approval| Review {
                author: approval.user.username.clone(),
                word: ReviewWord::Approved,
                commit: Self::approved_commit(&versions, approval),
            }));
        }
        Ok(reviews)
    }

    fn permission(&self, of: &Comment) -> Result<Permission, ForgeError> {
        match self.web.get::<Member>(&format!("{}/members/all/{}", self.project, of.author_id)) {
            Ok(member) if member.access_level >= DEVELOPER => Ok(Permission::Write),
            Ok(member) if member.access_level >= GUEST => Ok(Permission::Read),
            Ok(_minimal) => Ok(Permission::None),
            Err(ForgeError::NotFound { .. }) => Ok(Permission::None),
            Err(error) => Err(error),
        }
    }

    fn status(&self, commit: &CommitId, context: &str) -> Result<Option<Status>, ForgeError> {
        let name = escaped(context);
        let path =
            format!("{}/repository/commits/{commit}/statuses?name={name}&per_page={PAGE}", self.project);
        let statuses: Vec<CommitStatus> = self.web.list(&path)?;
        let newest = statuses.into_iter().filter(|one| one.name == context).max_by_key(|one| one.id);
        Ok(newest.map(|one| Status {
            context: one.name,
            state: match one.status.as_str() {
                "success" => StatusState::Success,
                "failed" => StatusState::Failure,
                _canceled => StatusState::Inconclusive,
            },
            description: one.description.unwrap_or_default(),
        }))
    }

    fn set_status(&self, commit: &CommitId, status: &Status) -> Result<(), ForgeError> {
        let state = match status.state {
            StatusState::Success => "success",
            StatusState::Failure => "failed",
            // The only end that says neither.
            StatusState::Inconclusive => "canceled",
        };
        let description: String = status.description.chars().take(DESCRIPTION_CHARS_MAX).collect();
        let body = json!({ "state": state, "name": status.context, "description": description });
        let path = format!("{}/statuses/{commit}", self.project);
        self.web.send(&Method::POST, &path, &body).map(drop)
    }

    fn merge(&self, pull: &PullRequest, head: &CommitId, method: MergeMethod) -> Result<(), ForgeError> {
        let mut body = json!({ "sha": head });
        match method {
            MergeMethod::Squash => body["squash"] = Value::Bool(true),
            // Whether it is merged or rebased is the project's own setting.
            MergeMethod::Merge | MergeMethod::Rebase => {}
        }
        self.web.send(&Method::PUT, &format!("{}/merge", self.of(pull)), &body).map(drop)
    }

    fn issues_by(&self, author: &str) -> Result<Vec<Issue>, ForgeError> {
        let path =
            format!("{}/issues?author_username={}&scope=all&per_page={PAGE}", self.project, escaped(author));
        let mut issues: Vec<Issue> = self
            .web
            .list::<AnsweredIssue>(&path)?
            .into_iter()
            .map(|issue| Issue {
                number: issue.iid,
                is_open: issue.state == "opened",
                body: issue.description.unwrap_or_default(),
            })
            .collect();
        issues.sort_by_key(|issue| std::cmp::Reverse(issue.number));
        Ok(issues)
    }

    fn open_issue(&self, title: &str, body: &str) -> Result<(), ForgeError> {
        let body = json!({ "title": title, "description": body });
        self.web.send(&Method::POST, &format!("{}/issues", self.project), &body).map(drop)
    }

    fn change_issue(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        let body = json!({ "description": body });
        self.web.send(&Method::PUT, &format!("{}/issues/{number}", self.project), &body).map(drop)
    }

    fn body_chars_max(&self) -> usize {
        1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(at: Option<&str>) -> Approval {
        let user = User { id: 1, username: "ann".to_owned() };
        Approval { user, approved_at: at.map(str::to_owned) }
    }

    #[test]
    fn an_approval_belongs_to_the_commit_that_was_there_when_it_was_given() {
        let version = |sha: &str, at: &str| Version { head_commit_sha: sha.into(), created_at: at.into() };
        let versions = [version("b", "2026-11-21T12:00:00.500Z"), version("a", "2026-11-21T10:00:00Z")];
        let bound = |at| GitLab::approved_commit(&versions, &approval(at));
        assert_eq!(bound(Some("2026-11-21T11:00:00Z")).as_deref(), Some("a"));
        assert_eq!(bound(Some("2026-11-21T13:00:00+00:00")).as_deref(), Some("b"));
        assert_eq!(bound(Some("2026-11-21T12:00:00.500Z")).as_deref(), Some("a"), "not the later one");
        assert_eq!(bound(Some("2026-11-21T09:00:00Z")), None);
        assert_eq!(bound(Some("yesterday")), None);
        assert_eq!(bound(None), None);
    }
}
