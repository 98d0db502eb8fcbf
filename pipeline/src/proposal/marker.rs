//! What the bot writes into its own pull requests and comments for itself, unseen by readers.
//!
//! It is JSON in an HTML comment. What could end the comment is written as an escape, so that no text of people or of an
//! upstream can.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use upstream::ContentHash;

use super::dashboard::Board;

/// Begins the marker of a pull request.
const PULL: &str = "<!-- tidelock:";
/// Begins the marker of a comment.
const SAYS: &str = "<!-- tidelock-says:";
/// Begins the marker of the dashboard issue.
const BOARD: &str = "<!-- tidelock-dashboard:";
const END: &str = " -->";
/// The most declined ranges that a marker carries.
pub const DECLINED_MAX: usize = 50;

/// Revisions that were declined by closing a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Declined {
    /// The revision behind which they begin.
    pub from: String,
    /// The last of them.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub owner: String,
    /// The day from which they are planned again, where they were deferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What a pull request of ours says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Marker {
    /// The commit that was the head when this was written.
    pub head: String,
    /// Its tree, which passed the gate.
    pub tree: String,
    /// The revision behind which it begins.
    pub from: String,
    /// The revision that the port equals with it.
    pub to: String,
    /// What was declined before it and is recorded by it.
    #[serde(default)]
    pub declined: Vec<Declined>,
    /// A hash of what it shows to people.
    pub digest: String,
    /// Whether it has its labels and reviewers.
    #[serde(default)]
    pub dressed: bool,
}

impl Marker {
    /// The marker of a pull request's text.
    pub fn of(body: &str) -> Option<Self> {
        read(body, PULL)
    }

    /// A text with this marker at its end.
    pub fn on(&self, text: &str) -> String {
        format!("{text}\n\n{}", written(self, PULL))
    }
}

/// A hash of what a pull request shows.
pub fn digest(title: &str, text: &str, is_draft: bool) -> String {
    ContentHash::of_parts([title, text, if is_draft { "draft" } else { "ready" }]).short()
}

/// What a comment of ours was said for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Says {
    /// Names it: said once, it is not said again.
    pub key: String,
    /// The decision that it records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Said>,
}

/// A decision about a closed pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "kebab-case")]
pub enum Said {
    /// It is not wanted.
    Declined {
        /// Why.
        reason: String,
        /// Who says so.
        owner: String,
    },
    /// It is wanted later.
    Deferred {
        /// Why.
        reason: String,
        /// Who says so.
        owner: String,
        /// From which day on.
        until: String,
    },
    /// What was declined is wanted after all.
    Undone,
    /// There is nothing left in it.
    Obsolete,
}

impl Says {
    /// What a comment was said for.
    pub fn of(body: &str) -> Option<Self> {
        read(body, SAYS)
    }

    /// A text with this at its end.
    pub fn on(&self, text: &str) -> String {
        format!("{text}\n\n{}", written(self, SAYS))
    }
}

/// The text of the dashboard issue with its marker at its end.
pub fn board(text: &str, board: &Board) -> String {
    format!("{text}\n{}", written(board, BOARD))
}

/// What the dashboard issue says about itself.
pub fn board_of(body: &str) -> Option<Board> {
    read(body, BOARD)
}

/// Begins the trailer of a commit that records what was declined.
const DECLINED: &str = "Tidelock-Declined: ";

/// The trailer of a commit that records what was declined, for where the pull request no longer tells.
pub fn declined_trailer(declined: &[Declined]) -> String {
    let json = serde_json::to_string(declined).expect("plain data has a form in JSON");
    format!("{DECLINED}{json}")
}

/// What such a commit's message says.
pub fn declined_in(message: &str) -> Vec<Declined> {
    let line = message.lines().rev().find_map(|line| line.strip_prefix(DECLINED));
    line.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

fn written(value: &impl Serialize, begin: &str) -> String {
    let json = serde_json::to_string(value).expect("plain data has a form in JSON");
    let safe = json
        .replace('-', "\\u002d")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('@', "\\u0040")
        .replace('#', "\\u0023");
    // Keys are written by us and hold hyphens, which JSON takes escaped as well.
    format!("{begin}{safe}{END}")
}

/// The last one counts: ours is at the end, and what stands above it may quote another.
fn read<T: DeserializeOwned>(body: &str, begin: &str) -> Option<T> {
    let (_, rest) = body.rsplit_once(begin)?;
    let (json, _) = rest.split_once(END)?;
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(reason: &str) -> Marker {
        Marker {
            head: "a".repeat(40),
            tree: "b".repeat(40),
            from: "1.0.0".to_owned(),
            to: "1.1.0-rc.1".to_owned(),
            declined: vec![Declined {
                from: "0.9.0".to_owned(),
                to: "1.0.0".to_owned(),
                reason: reason.to_owned(),
                owner: "ann".to_owned(),
                until: None,
            }],
            digest: digest("t", "b", false),
            dressed: true,
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_can_end_or_imitate_a_marker(reason in "[-<>!&@# a\"\\\\]{0,40}", before in "[-<>!a\n]{0,40}") {
            let marker = marker(&reason);
            let body = marker.on(&before);
            proptest::prop_assert_eq!(Marker::of(&body), Some(marker));
            proptest::prop_assert_eq!(body.matches(END).count(), before.matches(END).count() + 1);
        }
    }

    #[test]
    fn a_text_without_a_whole_marker_has_none() {
        for body in
            ["", "hello", "<!-- tidelock:{} -->", "<!-- tidelock:{\"head\"", "<!-- tidelock:nonsense -->"]
        {
            assert_eq!(Marker::of(body), None, "{body}");
        }
    }
}
