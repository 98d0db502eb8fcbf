//! The dashboard issue: what is proposed, what waits and for what, in one issue of the port's repository.

use serde::{Deserialize, Serialize};
use upstream::ContentHash;

use super::maker::Made;
use super::marker::{self, Declined};
use super::step::{Rest, Step, declined};
use super::view::View;
use crate::forge::Issue;

/// The most declined ranges that are listed.
const DECLINED_SHOWN: usize = 20;

/// What the issue says about itself, unseen by readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// The branch whose proposals it tells of: a repository may hold several ports.
    pub branch: String,
    /// A hash of what it shows.
    pub digest: String,
}

/// What is to be done about the issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// It says what there is to say, or a person closed it, and it is left alone.
    Nothing,
    /// It is to be opened with this text.
    Open(String),
    /// This one is to have this text.
    Change(u64, String),
}

/// Decides, from our own issues.
pub fn keep(issues: &[Issue], branch: &str, text: &str) -> Keep {
    let board = Board { branch: branch.to_owned(), digest: ContentHash::of(text).short() };
    let whole = || marker::board(text, &board);
    let ours: Vec<_> = issues
        .iter()
        .filter_map(|issue| Some((issue, marker::board_of(&issue.body)?)))
        .filter(|(_, known)| known.branch == branch)
        .collect();
    // One that is open before a newer one that is closed.
    match ours.iter().find(|(issue, _)| issue.is_open).or_else(|| ours.first()) {
        None => Keep::Open(whole()),
        Some((issue, known)) if issue.is_open && *known != board => Keep::Change(issue.number, whole()),
        Some(_) => Keep::Nothing,
    }
}

/// What it says, as Markdown. `step` is what the bot came to rest with.
pub fn text(view: &View, made: Option<&Made>, step: &Step) -> String {
    let intro = "What Tidelock proposes here and what waits. Every sync brings it up to date; closed, it is left alone.";
    let mut parts = vec![intro.to_owned()];
    let open = view.pull.as_ref().filter(|pull| pull.is_open());
    if let Some(pull) = open {
        let draft = if pull.request.is_draft { ", a draft" } else { "" };
        let title = reports::visible_line(&pull.request.title).replace(['[', ']', '<', '>', '@', '`'], "");
        parts.push(section("Open", &[format!("[{title}]({}){draft}", pull.request.web_url)]));
    }
    let mut waits = Vec::new();
    if let Step::Stop(obstacle) = step {
        waits.push(format!("{}: {}", code(&obstacle.to_string()), obstacle.hint()));
    }
    if let Some(made) = made.filter(|made| made.parked > 0) {
        waits.push(format!(
            "{} parked: `/tidelock explain` says why",
            reports::count(made.parked as u64, "item")
        ));
    }
    if !waits.is_empty() {
        parts.push(section("Waits for a person", &waits));
    }
    if let Step::Rest(rest) = step {
        let one = |title: &str, line: &str| Some(section(title, &[line.to_owned()]));
        parts.extend(match rest {
            Rest::OffSchedule => {
                one("Awaiting schedule", "What is new is proposed at the times of `schedule`.")
            }
            Rest::Limited { .. } => {
                one("Rate-limited", "As many pull requests are open as `pr-concurrent-limit` allows.")
            }
            Rest::LimitedByHour { .. } => one(
                "Rate-limited",
                "As many pull requests were opened within an hour as `pr-hourly-limit` allows.",
            ),
            Rest::Nothing if open.is_none() => Some("The port is up to date.".to_owned()),
            Rest::Nothing | Rest::Declined | Rest::Proposed => None,
        });
    }
    let declined = declined(view);
    if !declined.is_empty() {
        let told = |range: &Declined| {
            let until = range.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            let from =
                if range.from.is_empty() { String::new() } else { format!("{} to ", code(&range.from)) };
            format!("{from}{}{until}: {} ({})", code(&range.to), code(&range.reason), code(&range.owner))
        };
        let lines: Vec<String> = declined.iter().rev().take(DECLINED_SHOWN).map(told).collect();
        parts.push(section("Declined", &lines));
        parts.push("To take the last one back, comment `/tidelock retry` on its pull request.".to_owned());
    }
    parts.join("\n\n") + "\n"
}

fn section(title: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("- {line}")).collect();
    format!("## {title}\n\n{}", lines.join("\n"))
}

/// Words of others as code that nothing can leave.
fn code(words: &str) -> String {
    format!("`{}`", reports::visible_line(words).replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(number: u64, is_open: bool, body: String) -> Issue {
        Issue { number, is_open, body }
    }

    fn body(branch: &str, text: &str) -> String {
        let board = Board { branch: branch.to_owned(), digest: ContentHash::of(text).short() };
        marker::board(text, &board)
    }

    #[test]
    fn one_issue_is_kept_for_each_branch_and_a_closed_one_is_left_alone() {
        let other = issue(1, true, body("tidelock/other", "a"));
        let stranger = issue(2, true, "a person's".to_owned());
        assert!(matches!(keep(&[other.clone(), stranger], "tidelock/sync", "a"), Keep::Open(_)));
        let known = issue(3, true, body("tidelock/sync", "a"));
        assert_eq!(keep(&[known.clone(), other], "tidelock/sync", "a"), Keep::Nothing);
        assert!(matches!(keep(&[known], "tidelock/sync", "b"), Keep::Change(3, _)));
        let closed = issue(4, false, body("tidelock/sync", "a"));
        assert_eq!(keep(&[closed], "tidelock/sync", "b"), Keep::Nothing);
    }
}
