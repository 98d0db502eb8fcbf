//! What GitHub and Gitea answer, as far as it is read.

use serde::Deserialize;

use crate::forge::{Comment, Review, ReviewWord};

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredUser {
    #[serde(default)]
    pub(super) id: u64,
    pub(super) login: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredRepository {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredLabel {
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredEnd {
    #[serde(rename = "ref")]
    pub(super) branch: String,
    pub(super) sha: String,
    pub(super) repo: Option<AnsweredRepository>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredPull {
    pub(super) number: u64,
    #[serde(default)]
    pub(super) html_url: String,
    #[serde(default)]
    pub(super) node_id: String,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) state: String,
    #[serde(default)]
    pub(super) draft: bool,
    /// GitHub tells it of a single one alone, Gitea always.
    #[serde(default)]
    pub(super) merged: bool,
    pub(super) merged_at: Option<String>,
    pub(super) merge_commit_sha: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
    pub(super) user: Option<AnsweredUser>,
    pub(super) head: AnsweredEnd,
    pub(super) base: AnsweredEnd,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) labels: Vec<AnsweredLabel>,
}

/// Gitea writes `null` for an empty list.
fn or_nothing<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<AnsweredLabel>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredIssue {
    #[serde(default)]
    pub(super) number: u64,
    #[serde(default)]
    pub(super) state: String,
    pub(super) body: Option<String>,
    pub(super) closed_by: Option<AnsweredUser>,
    /// Where it is a pull request.
    pub(super) pull_request: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredComment {
    id: u64,
    user: Option<AnsweredUser>,
    body: Option<String>,
}

impl From<AnsweredComment> for Comment {
    fn from(from: AnsweredComment) -> Self {
        let (author, author_id) = from.user.map(|user| (user.login, user.id)).unwrap_or_default();
        Self { id: from.id, author, author_id, body: from.body.unwrap_or_default() }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredReview {
    user: Option<AnsweredUser>,
    state: String,
    commit_id: Option<String>,
    /// Gitea: taken back by its author or by an owner.
    #[serde(default)]
    dismissed: bool,
}

impl AnsweredReview {
    /// What it says. One that is not yet sent, was taken back or only asks for a review says nothing.
    pub(super) fn review(self) -> Option<Review> {
        let word = match self.state.as_str() {
            "APPROVED" => ReviewWord::Approved,
            "CHANGES_REQUESTED" | "REQUEST_CHANGES" => ReviewWord::ChangesRequested,
            "COMMENTED" | "COMMENT" | "DISMISSED" => ReviewWord::Commented,
            _pending_or_requested => return None,
        };
        let word = if self.dismissed { ReviewWord::Commented } else { word };
        Some(Review {
            author: self.user.map(|user| user.login).unwrap_or_default(),
            word,
            commit: self.commit_id.filter(|commit| !commit.is_empty()),
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredPermission {
    pub(super) permission: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnsweredStatus {
    #[serde(default)]
    pub(super) id: u64,
    #[serde(default)]
    pub(super) context: String,
    /// GitHub's name of it.
    pub(super) state: Option<String>,
    /// Gitea's.
    pub(super) status: Option<String>,
    pub(super) description: Option<String>,
}
