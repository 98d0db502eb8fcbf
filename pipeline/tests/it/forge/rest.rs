//! What the fake forge answers, in the words of each kind.

use serde_json::{Value, json};
use upstream::CommitId;

use super::promise::Promise;
use super::server::Asked;
use super::state::{ANN, BASE, BOT, Comment, EVE, Fate, How, Issue, Kind, Pull, Runs, State};

/// The number of a user.
fn user_id(name: &str) -> u64 {
    [BOT, ANN, EVE, "ghost"].iter().position(|known| *known == name).map_or(99, |at| at as u64 + 1)
}

fn user(kind: Kind, name: &str) -> Value {
    match kind {
        Kind::GitHub | Kind::Gitea => json!({ "id": user_id(name), "login": name }),
        Kind::GitLab => json!({ "id": user_id(name), "username": name }),
    }
}

/// A time as forges write it.
fn time(at_s: i64) -> String {
    jiff::Timestamp::from_second(at_s).unwrap().to_string()
}

fn shown(kind: Kind, pull: &Pull) -> Value {
    let url = format!("https://forge.example/port/{}", pull.number);
    let (closed_by, merged) = match &pull.fate {
        Fate::Open => (None, None),
        Fate::Closed(by) => (Some(by.as_str()), None),
        Fate::Merged(commit) => (None, Some(commit.as_str())),
    };
    match kind {
        Kind::GitHub | Kind::Gitea => {
            let title = if kind == Kind::Gitea && pull.draft {
                format!("WIP: {}", pull.title)
            } else {
                pull.title.clone()
            };
            let mut value = json!({
                "number": pull.number,
                "html_url": url,
                "node_id": format!("PR_{}", pull.number),
                "title": title,
                "body": pull.body,
                "state": if pull.is_open() { "open" } else { "closed" },
                "draft": pull.draft,
                "merged_at": merged.map(|_| time(pull.updated)),
                "merge_commit_sha": merged,
                "created_at": time(created(pull)),
                "updated_at": time(pull.updated),
                "user": user(kind, &pull.author),
                "head": { "ref": pull.branch, "sha": pull.head, "repo": { "id": 1 } },
                "base": { "ref": BASE, "sha": pull.head, "repo": { "id": 1 } },
                "labels": pull.labels.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
            });
            if kind == Kind::Gitea {
                value["merged"] = json!(merged.is_some());
                if pull.labels.is_empty() {
                    value["labels"] = Value::Null;
                }
            }
            value
        }
        Kind::GitLab => json!({
            "iid": pull.number,
            "web_url": url,
            "title": if pull.draft { format!("Draft: {}", pull.title) } else { pull.title.clone() },
            "description": pull.body,
            "state": match pull.fate { Fate::Open => "opened", Fate::Closed(_) => "closed", Fate::Merged(_) => "merged" },
            "draft": pull.draft,
            "author": user(kind, &pull.author),
            "source_branch": pull.branch,
            "target_branch": BASE,
            "source_project_id": 1,
            "target_project_id": 1,
            "sha": pull.head,
            "merge_commit_sha": merged,
            "squash_commit_sha": Value::Null,
            "created_at": time(created(pull)),
            "updated_at": time(pull.updated),
            "closed_by": closed_by.map(|by| user(kind, by)),
            "labels": pull.labels,
        }),
    }
}

fn created(pull: &Pull) -> i64 {
    pull.versions.first().map_or(0, |(_, at)| *at)
}

fn said(kind: Kind, comment: &Comment) -> Value {
    let author = user(kind, &comment.author);
    match kind {
        Kind::GitHub | Kind::Gitea => json!({ "id": comment.id, "user": author, "body": comment.body }),
        Kind::GitLab => {
            json!({ "id": comment.id, "author": author, "body": comment.body, "system": false, "type": null })
        }
    }
}

fn not_found() -> (u16, Value) {
    (404, json!({ "message": "Not Found" }))
}

/// One page of a list.
fn page(asked: &Asked, all: Vec<Value>) -> (u16, Value) {
    let number = |name: &str| asked.query(name).and_then(|value| value.parse::<usize>().ok());
    let size = number("per_page").or_else(|| number("limit")).unwrap_or(30).min(50);
    let first = (number("page").unwrap_or(1).max(1) - 1) * size;
    (200, Value::Array(all.into_iter().skip(first).take(size).collect()))
}

/// Answers an operation.
pub(super) fn answered(
    state: &mut State,
    operation: &str,
    values: &[String],
    asked: &Asked,
    body: &Value,
) -> (u16, Value) {
    let kind = state.kind;
    let (method, template) = operation.split_once(' ').unwrap();
    let tail: Vec<&str> = template.split('/').skip(1).collect();
    let last = *tail.last().unwrap();
    let number =
        values.get(if kind == Kind::GitLab { 1 } else { 2 }).and_then(|text| text.parse::<u64>().ok());
    match (method, last) {
        ("GET" | "POST", "check-runs") => runs(state, values, asked, body),
        ("GET" | "POST", "issues") => issues(state, asked, body),
        ("PATCH" | "PUT", _) if tail.contains(&"issues") => {
            let found = state.issues.iter_mut().find(|issue| Some(issue.number) == number);
            let Some(issue) = found else { return not_found() };
            let text = body["body"].as_str().or_else(|| body["description"].as_str());
            text.unwrap_or_default().clone_into(&mut issue.body);
            (200, json!({}))
        }
        ("GET", "user") => (200, user(kind, BOT)),
        ("GET", "users") => {
            let name = asked.query("username").unwrap_or_default();
            (200, if user_id(name) < 90 { json!([user(kind, name)]) } else { json!([]) })
        }
        ("GET", "pulls" | "merge_requests") => {
            let branch = match kind {
                Kind::GitHub => {
                    asked.query("head").and_then(|head| head.split_once(':')).map(|(_, name)| name)
                }
                Kind::GitLab => asked.query("source_branch"),
                Kind::Gitea => None,
            };
            let open = matches!(asked.query("state"), Some("open" | "opened"));
            let wanted = state.pulls.iter().rev().filter(|pull| {
                branch.is_none_or(|branch| pull.branch == branch) && (!open || pull.is_open())
            });
            page(asked, wanted.map(|pull| shown(kind, pull)).collect())
        }
        ("POST", "pulls" | "merge_requests") => open(state, body),
        ("PATCH", _) | ("PUT", "{merge_request_iid}") => change(state, number, body),
        ("GET", "{issue_number}") => match number.and_then(|number| state.pull(number)) {
            Some(pull) => {
                let by = match &pull.fate {
                    Fate::Closed(by) => Some(user(kind, by)),
                    Fate::Open | Fate::Merged(_) => None,
                };
                (200, json!({ "closed_by": by }))
            }
            None => not_found(),
        },
        ("GET", "comments" | "notes") => match number.and_then(|number| state.pull(number)) {
            Some(pull) => {
                let mut all: Vec<Value> = pull.comments.iter().map(|comment| said(kind, comment)).collect();
                if kind == Kind::GitLab {
                    // There a review that approves nothing is remarks about lines.
                    let remarks =
                        pull.reviews.iter().enumerate().filter(|(_, review)| review.word != "APPROVED");
                    all.extend(remarks.map(|(at, review)| {
                        let (id, author) = (1_000_000 + at, user(kind, &review.author));
                        json!({ "id": id, "author": author, "body": "a remark", "system": false, "type": "DiffNote" })
                    }));
                }
                if kind == Kind::Gitea { (200, Value::Array(all)) } else { page(asked, all) }
            }
            None => not_found(),
        },
        ("POST", "comments" | "notes") => {
            let Some(number) = number.filter(|number| state.pull(*number).is_some()) else {
                return not_found();
            };
            let text = body["body"].as_str().unwrap_or_default().to_owned();
            let id = state.comment(number, BOT, &text);
            (201, json!({ "id": id }))
        }
        ("POST", "labels") => {
            let names = body["labels"].as_array().cloned().unwrap_or_default();
            let Some(pull) = number.and_then(|number| state.pull(number)) else { return not_found() };
            label(pull, names.iter().filter_map(Value::as_str));
            (200, json!([]))
        }
        ("POST", "requested_reviewers") => {
            let Some(pull) = number.and_then(|number| state.pull(number)) else { return not_found() };
            pull.reviewers += 1;
            (201, json!({}))
        }
        ("GET", "reviews" | "approvals" | "versions") => reviewed(state, last, number, asked),
        ("GET", "permission") => {
            let word = if values.get(2).is_some_and(|name| name == ANN) { "write" } else { "read" };
            (200, json!({ "permission": word }))
        }
        ("GET", "{user_id}") => {
            let level = if values.get(1) == Some(&user_id(ANN).to_string()) { 30 } else { 20 };
            (200, json!({ "access_level": level }))
        }
        ("GET", "statuses") => {
            let commit = values.last().unwrap();
            let told = if state.runs == Runs::App { None } else { state.statuses.get(commit).cloned() };
            let all = told.unwrap_or_default();
            let all = all.into_iter().rev().map(|(id, name, word, description)| {
                let (key, named) = match kind {
                    Kind::GitHub => ("state", "context"),
                    Kind::Gitea => ("status", "context"),
                    Kind::GitLab => ("status", "name"),
                };
                json!({ "id": id, named: name, key: word, "description": description })
            });
            page(asked, all.collect())
        }
        ("POST", "{sha}") => {
            let commit = values.last().unwrap().clone();
            let id = state.id();
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            let name = text(if kind == Kind::GitLab { "name" } else { "context" });
            let row = (id, name, text("state"), text("description"));
            state.statuses.entry(commit).or_default().push(row);
            (201, json!({ "id": id }))
        }
        ("PUT" | "POST", "merge") => merge(state, number, body),
        ("POST", "graphql") => {
            let id = body["variables"]["id"].as_str().and_then(|id| id.strip_prefix("PR_")?.parse().ok());
            let draft =
                body["query"].as_str().is_some_and(|query| query.contains("convertPullRequestToDraft"));
            match id.and_then(|id| state.pull(id)) {
                Some(pull) => {
                    pull.draft = draft;
                    (200, json!({ "data": {} }))
                }
                None => (200, json!({ "errors": [{ "message": "no such node" }] })),
            }
        }
        _ => panic!("the fake does not play `{operation}`"),
    }
}

/// Check runs, which stand beside statuses.
fn runs(state: &mut State, values: &[String], asked: &Asked, body: &Value) -> (u16, Value) {
    match state.runs {
        Runs::None => state.broken(Promise::RequestsInForm, "check runs were asked for by no app"),
        Runs::Refused => return (403, json!({ "message": "Resource not accessible by integration" })),
        Runs::App => {}
    }
    if asked.method == "POST" {
        let commit = body["head_sha"].as_str().unwrap_or_default().to_owned();
        let id = state.id();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let row = (id, text(&body["name"]), text(&body["conclusion"]), text(&body["output"]["title"]));
        state.statuses.entry(commit).or_default().push(row);
        return (201, json!({ "id": id }));
    }
    let all = state.statuses.get(values.last().unwrap()).cloned().unwrap_or_default();
    let wanted =
        all.into_iter().filter(|(_, name, _, _)| asked.query("check_name").is_none_or(|one| one == name));
    let shown: Vec<Value> = wanted
        .map(|(id, name, conclusion, title)| {
            json!({ "id": id, "name": name, "status": "completed", "conclusion": conclusion, "output": { "title": title } })
        })
        .collect();
    (200, json!({ "total_count": shown.len(), "check_runs": shown }))
}

/// Issues; at GitHub pull requests are among them.
fn issues(state: &mut State, asked: &Asked, body: &Value) -> (u16, Value) {
    let kind = state.kind;
    if asked.method == "POST" {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let words = if kind == Kind::GitLab { text("description") } else { text("body") };
        let number = state.id();
        state.issues.push(Issue { number, title: text("title"), body: words, is_open: true });
        return (201, json!({ "number": number, "iid": number }));
    }
    let shown = |issue: &Issue| match kind {
        Kind::GitHub | Kind::Gitea => json!({
            "number": issue.number,
            "title": issue.title,
            "body": issue.body,
            "state": if issue.is_open { "open" } else { "closed" },
            "user": user(kind, BOT),
        }),
        Kind::GitLab => json!({
            "iid": issue.number,
            "title": issue.title,
            "description": issue.body,
            "state": if issue.is_open { "opened" } else { "closed" },
            "author": user(kind, BOT),
        }),
    };
    let mut all: Vec<Value> = state.issues.iter().rev().map(shown).collect();
    if kind == Kind::GitHub {
        let pulls = state
            .pulls
            .iter()
            .map(|pull| json!({ "number": pull.number, "state": "open", "pull_request": {} }));
        all.extend(pulls);
    }
    page(asked, all)
}

fn label<'a>(pull: &mut Pull, names: impl Iterator<Item = &'a str>) {
    for name in names.filter(|name| !name.is_empty()) {
        if pull.labels.iter().any(|known| known == name) {
            continue;
        }
        pull.labels.push(name.to_owned());
    }
}

/// A title without the mark of a draft, and whether it had one.
fn unmarked(kind: Kind, title: &str) -> (String, Option<bool>) {
    let mark = match kind {
        Kind::GitHub => return (title.to_owned(), None),
        Kind::GitLab => "Draft: ",
        Kind::Gitea => "WIP: ",
    };
    let rest = title.strip_prefix(mark);
    (rest.unwrap_or(title).to_owned(), Some(rest.is_some()))
}

fn open(state: &mut State, body: &Value) -> (u16, Value) {
    let (head, text) = match state.kind {
        Kind::GitHub | Kind::Gitea => ("head", "body"),
        Kind::GitLab => ("source_branch", "description"),
    };
    let branch = body[head].as_str().unwrap_or_default().to_owned();
    let exists = if state.kind == Kind::GitHub { 422 } else { 409 };
    if state.pulls.iter().any(|pull| pull.is_open() && pull.branch == branch) {
        return (exists, json!({ "message": "a pull request already exists" }));
    }
    let Some(tip) = state.tip(&branch) else { return (422, json!({ "message": "no such branch" })) };
    if state.tip(BASE).is_some_and(|base| state.repo().descends(&base, &tip).unwrap()) {
        return (422, json!({ "message": "no commits between the branches" }));
    }
    let (title, marked) = unmarked(state.kind, body["title"].as_str().unwrap_or_default());
    let number = state.id();
    let now = state.now_s;
    let body_text = body[text].as_str().unwrap_or_default().to_owned();
    if state.kind == Kind::GitHub && body_text.chars().count() > 65_536 {
        return (422, json!({ "message": "body is too long" }));
    }
    let pull = Pull {
        number,
        title,
        body: body_text,
        author: BOT.to_owned(),
        branch,
        head: tip.to_string(),
        draft: marked.unwrap_or_else(|| body["draft"].as_bool().unwrap_or_default()),
        fate: Fate::Open,
        labels: Vec::new(),
        reviewers: 0,
        comments: Vec::new(),
        reviews: Vec::new(),
        versions: vec![(tip.to_string(), now)],
        updated: now,
    };
    let answer = shown(state.kind, &pull);
    state.pulls.push(pull);
    (201, answer)
}

fn change(state: &mut State, number: Option<u64>, body: &Value) -> (u16, Value) {
    let kind = state.kind;
    state.now_s += 10;
    let now = state.now_s;
    let Some(pull) = number.and_then(|number| state.pull(number)) else { return not_found() };
    if let Some(title) = body["title"].as_str() {
        let (title, marked) = unmarked(kind, title);
        pull.title = title;
        pull.draft = marked.unwrap_or(pull.draft);
    }
    if let Some(text) = body["body"].as_str().or_else(|| body["description"].as_str()) {
        text.clone_into(&mut pull.body);
    }
    if let Some(names) = body["add_labels"].as_array() {
        label(pull, names.iter().filter_map(Value::as_str));
    }
    if body["reviewer_ids"].is_array() {
        pull.reviewers += 1;
    }
    let closes = body["state"] == "closed" || body["state_event"] == "close";
    if closes && pull.is_open() {
        pull.fate = Fate::Closed(BOT.to_owned());
    }
    pull.updated = now;
    let answer = shown(kind, pull);
    if body["state"] == "open" || body["state_event"] == "reopen" {
        state.broken(Promise::NothingReopened, "the bot asked for a pull request to be reopened");
    }
    (200, answer)
}

fn reviewed(state: &mut State, what: &str, number: Option<u64>, asked: &Asked) -> (u16, Value) {
    let kind = state.kind;
    let Some(pull) = number.and_then(|number| state.pull(number)) else { return not_found() };
    match what {
        "reviews" => {
            let word = |word: &str| match (kind, word) {
                (Kind::Gitea, "CHANGES_REQUESTED") => "REQUEST_CHANGES".to_owned(),
                (Kind::Gitea, "COMMENTED") => "COMMENT".to_owned(),
                _ => word.to_owned(),
            };
            let all = pull.reviews.iter().map(|review| {
                json!({ "user": user(kind, &review.author), "state": word(review.word), "commit_id": review.commit })
            });
            page(asked, all.collect())
        }
        "approvals" => {
            let last = pull.reviews.iter().rfind(|review| review.word == "APPROVED");
            let by: Vec<Value> = last
                .map(|review| json!({ "user": user(kind, &review.author), "approved_at": time(review.at) }))
                .into_iter()
                .collect();
            (200, json!({ "approved_by": by }))
        }
        _ => {
            let all = pull.versions.iter().rev();
            let all = all.map(|(sha, at)| json!({ "head_commit_sha": sha, "created_at": time(*at) }));
            page(asked, all.collect())
        }
    }
}

/// A merge that the bot asks for: promises about it are looked at here.
fn merge(state: &mut State, number: Option<u64>, body: &Value) -> (u16, Value) {
    let Some(pull) = number.and_then(|number| state.pull(number)).cloned() else { return not_found() };
    let sha = body["sha"].as_str().or_else(|| body["head_commit_id"].as_str()).unwrap_or_default().to_owned();
    if sha.is_empty() {
        state.broken(Promise::ApprovalsBound, "a merge that names no commit");
    }
    if !pull.is_open() || pull.draft {
        return (405, json!({ "message": "not mergeable" }));
    }
    if pull.head != sha {
        return (409, json!({ "message": "head branch was modified" }));
    }
    let approved = pull.reviews.iter().rfind(|review| review.word != "COMMENTED");
    let here = approved.is_some_and(|review| review.word == "APPROVED" && review.commit == sha);
    if state.approvals_needed > 0 && !here {
        state.broken(Promise::ApprovalsBound, "a merge that nobody approved at its commit");
    }
    let how = match body["Do"].as_str().or_else(|| body["merge_method"].as_str()) {
        Some("squash") => How::Squash,
        Some("rebase") => How::Rebase,
        _ if body["squash"] == true => How::Squash,
        _ => How::Merge,
    };
    let tested = state.tree(&sha);
    let base = state.tip(BASE).unwrap();
    let behind = !state.repo().descends(&CommitId::new(sha.as_str()).unwrap(), &base).unwrap();
    if !state.merge(pull.number, how) {
        return (405, json!({ "message": "conflicts" }));
    }
    let landed = state.tip(BASE).unwrap();
    state.merged.push(sha);
    if !behind && state.tree(landed.as_str()) != tested {
        state.broken(Promise::NothingUngated, "a merge landed another tree than its commit has");
    }
    (200, json!({ "merged": true, "sha": landed }))
}
