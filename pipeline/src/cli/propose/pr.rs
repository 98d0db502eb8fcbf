//! `tidelock pr`: what is proposed at the forge.

use anyhow::anyhow;
use serde::Serialize;

use super::{Opened, next};
use crate::cli::args::{Pr, PrCommand};
use crate::cli::{CliError, Context, ExitCode};
use crate::forge::{PullRequest, PullState};
use crate::lease::Lease;
use crate::proposal::landed::Landing;
use crate::proposal::step::{Step, decide};

/// A pull request as it is listed.
#[derive(Debug, Serialize)]
struct Listed {
    number: u64,
    state: &'static str,
    title: String,
    draft: bool,
    branch: String,
    head: String,
    url: String,
}

impl From<&PullRequest> for Listed {
    fn from(pull: &PullRequest) -> Self {
        Self {
            number: pull.number,
            state: match pull.state {
                PullState::Open => "open",
                PullState::Closed { .. } => "closed",
                PullState::Merged { .. } => "merged",
            },
            title: reports::visible_line(&pull.title),
            draft: pull.is_draft,
            branch: pull.head_branch.clone(),
            head: pull.head.clone(),
            url: pull.web_url.clone(),
        }
    }
}

/// What stands at the forge.
#[derive(Debug, Serialize)]
struct Standing {
    pull_request: Option<Listed>,
    base: String,
    head: Option<String>,
    /// Whether the newest commits of the base branch are in it.
    up_to_date: Option<bool>,
    reviews: usize,
    /// `same`, `differs`, `unknown` or `absent`, where it is not open.
    landed: Option<&'static str>,
    next: String,
}

pub(in crate::cli) fn run(context: &Context, args: &Pr) -> Result<ExitCode, CliError> {
    let settings = context.settings()?;
    std::fs::create_dir_all(&settings.state).map_err(|error| anyhow!(error))?;
    let _lease = Lease::take(&settings.state).map_err(|error| anyhow!(error))?;
    let opened = Opened::open(&settings, &context.machine)?;
    match args.command {
        PrCommand::List => list(context, &opened),
        PrCommand::Status => status(context, &opened),
    }
}

fn list(context: &Context, opened: &Opened) -> Result<ExitCode, CliError> {
    let pulls = opened.forge.pulls_from(&opened.settings.policy.head_branch).map_err(anyhow::Error::from)?;
    let listed: Vec<Listed> = pulls.iter().map(Listed::from).collect();
    if context.format.is_json() {
        context.json(&listed)?;
    } else {
        for pull in &listed {
            let draft = if pull.draft { " (draft)" } else { "" };
            let line =
                format!("{:>6}  {:<6}  {}{draft}  {}\n", pull.number, pull.state, pull.title, pull.url);
            context.console.data(&line);
        }
    }
    Ok(if listed.is_empty() { ExitCode::NothingToDo } else { ExitCode::Done })
}

fn status(context: &Context, opened: &Opened) -> Result<ExitCode, CliError> {
    let bot = opened.bot(&context.machine);
    let view = bot.view()?;
    let step = decide(&view, bot.policy, None);
    let pull = view.pull.as_ref();
    let standing = Standing {
        pull_request: pull.map(|pull| Listed::from(&pull.request)),
        base: view.base.commit.to_string(),
        head: view.head.as_ref().map(|head| head.tip.commit.to_string()),
        up_to_date: view.head.as_ref().map(|head| head.holds_base),
        reviews: pull.map_or(0, |pull| pull.reviews.len()),
        landed: pull.and_then(|pull| pull.landing.as_ref()).map(|landing| match landing {
            Landing::Same { .. } => "same",
            Landing::Differs { .. } => "differs",
            Landing::Unknown => "unknown",
            Landing::Absent => "absent",
        }),
        next: next(&step),
    };
    if context.format.is_json() {
        context.json(&standing)?;
    } else {
        let mut lines = Vec::new();
        match &standing.pull_request {
            Some(pull) => {
                let draft = if pull.draft { ", a draft" } else { "" };
                lines.push(format!("pull request {}: {}{draft}: {}", pull.number, pull.state, pull.title));
                lines.push(format!("  {}", pull.url));
            }
            None => lines.push("no pull request".to_owned()),
        }
        if standing.up_to_date == Some(false) {
            lines.push("  behind the base branch".to_owned());
        }
        if let Some(landed) = standing.landed {
            lines.push(format!("  the tree that landed, against the one that was tested: {landed}"));
        }
        lines.push(format!("next: {}", standing.next));
        context.console.data(&(lines.join("\n") + "\n"));
    }
    Ok(match (&step, standing.landed) {
        (Step::Stop(_), _) => ExitCode::Parked,
        (_, Some("differs")) => ExitCode::GateFailed,
        _ => ExitCode::Done,
    })
}
