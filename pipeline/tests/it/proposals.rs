//! The pull-request bot against the fake forge: stories, and a small number of random schedules.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use pipeline::proposal::step::Rest;
use pipeline::proposal::{OpenTimes, ProposalObstacle};
use upstream::CommitId;

use crate::forge::maker::HEAD;
use crate::forge::operations;
use crate::forge::promise::Promise;
use crate::forge::scene::Scene;
use crate::forge::schedules::play;
use crate::forge::server::Fault;
use crate::forge::state::{ANN, BASE, BOT, BOT_EMAIL, EVE, Fate, How, Kind, Runs, Sent, State};
use crate::forge::template::git;

/// How many random schedules an ordinary test plays; `cargo xtask measure forge` plays a thousand.
const SCHEDULES: u64 = 12;

/// A scene with one pull request open.
fn opened(kind: Kind) -> (Scene, u64) {
    let mut scene = Scene::new(kind);
    scene.maker.newest = 2;
    scene.sync().unwrap();
    let number = scene.forge.state().newest().unwrap().number;
    (scene, number)
}

fn bodies(scene: &Scene) -> Vec<String> {
    let state = scene.forge.state();
    let said = state.pulls.iter().flat_map(|pull| &pull.comments);
    said.filter(|comment| comment.author == BOT).map(|comment| comment.body.clone()).collect()
}

fn checked(scene: &Scene) {
    assert_eq!(scene.check(), Vec::new());
}

#[test]
fn each_forge_gets_one_pull_request_with_everything_on_it_and_then_nothing_more() {
    for kind in Kind::ALL {
        let (mut scene, number) = opened(kind);
        {
            let state = scene.forge.state();
            let pull = state.newest().unwrap();
            assert_eq!(
                (pull.title.as_str(), pull.labels.len(), pull.draft),
                ("Sync to 2", 1, false),
                "{kind:?}"
            );
            assert!(pull.reviewers > 0 && state.statuses.contains_key(&pull.head), "{kind:?}");
        }
        let again = scene.sync().unwrap();
        assert_eq!((again.rest, again.steps), (Rest::Proposed, vec!["make"]), "{kind:?}");
        scene.forget();
        let elsewhere = scene.sync().unwrap();
        assert_eq!(elsewhere.steps, vec!["make"], "{kind:?}: another machine changes nothing");
        scene.maker.newest = 3;
        scene.sync().unwrap();
        let state = scene.forge.state();
        assert_eq!((state.pulls.len(), state.newest().unwrap().number), (1, number), "{kind:?}: no twin");
        assert_eq!(state.newest().unwrap().title, "Sync to 3");
        drop(state);
        checked(&scene);
    }
}

#[test]
fn what_was_reviewed_is_appended_to_and_follows_its_base_by_a_merge() {
    for kind in Kind::ALL {
        let (mut scene, number) = opened(kind);
        let before = scene.forge.state().newest().unwrap().head.clone();
        scene.forge.state().review(number, "COMMENTED", &before);
        if kind == Kind::GitLab {
            scene.forge.state().review(number, "APPROVED", &before);
        }
        scene.forge.state().commit(BASE, &[("notes", "other\n")], "notes");
        scene.maker.newest = 3;
        scene.sync().unwrap();
        let state = scene.forge.state();
        let after = CommitId::new(state.newest().unwrap().head.as_str()).unwrap();
        let before = CommitId::new(before).unwrap();
        assert!(state.repo().descends(&after, &before).unwrap(), "{kind:?}");
        assert!(state.repo().descends(&after, &state.tip(BASE).unwrap()).unwrap(), "{kind:?}");
        drop(state);
        checked(&scene);
    }
}

#[test]
fn a_persons_commit_stops_it_and_is_told_once() {
    let (mut scene, _) = opened(Kind::GitHub);
    let foreign = scene.forge.state().commit("tidelock/sync", &[("notes", "mine\n")], "mine");
    scene.maker.newest = 5;
    for _ in 0..2 {
        let error = scene.sync().unwrap_err();
        let found = error.downcast_ref::<ProposalObstacle>();
        assert!(
            matches!(found, Some(ProposalObstacle::ForeignCommit { commit, .. }) if *commit == foreign),
            "{error}"
        );
    }
    assert_eq!(scene.forge.state().tip("tidelock/sync"), Some(foreign));
    assert_eq!(bodies(&scene).iter().filter(|body| body.contains("left alone")).count(), 1);
    checked(&scene);
}

#[test]
fn a_closed_pull_request_is_a_decline_until_it_is_taken_back() {
    for kind in Kind::ALL {
        let (mut scene, number) = opened(kind);
        scene.close(number);
        let rest = scene.sync().unwrap();
        assert_eq!((rest.rest, scene.forge.state().pulls.len()), (Rest::Declined, 1), "{kind:?}");
        // A later revision is proposed without what was declined, and records that.
        scene.maker.newest = 3;
        scene.sync().unwrap();
        let recorded = {
            let state = scene.forge.state();
            let tree = state.tree(&state.newest().unwrap().head);
            String::from_utf8(state.repo().read(&tree, "declined").unwrap().unwrap()).unwrap()
        };
        assert_eq!((scene.forge.state().pulls.len(), recorded.as_str()), (2, "1\n2\n"), "{kind:?}");
        checked(&scene);
        // Taken back on the newest closed one, that one's own work comes again.
        let number = scene.forge.state().newest().unwrap().number;
        scene.close(number);
        scene.forge.state().comment(number, ANN, "/tidelock retry");
        scene.sync().unwrap();
        let state = scene.forge.state();
        assert_eq!(state.pulls.len(), 3, "{kind:?}");
        assert!(state.newest().unwrap().is_open(), "{kind:?}");
    }
}

#[test]
fn closed_at_any_moment_it_stays_closed() {
    // Most of all between its opening and the next look, when the bot takes what it sees for its own doing.
    for at in 4..20 {
        let mut scene = Scene::new(Kind::ALL[at % 3]);
        scene.without_http();
        scene.maker.newest = 1;
        let close = Box::new(|state: &mut State| {
            if let Some(number) = state.newest().map(|pull| pull.number) {
                state.close(number);
            }
        });
        scene.forge.plan().ambushes.push((at, close));
        scene.sync().or_else(|_broken_off| scene.sync()).unwrap();
        scene.sync().unwrap();
        let state = scene.forge.state();
        let fates: Vec<&Fate> = state.pulls.iter().map(|pull| &pull.fate).collect();
        assert!(matches!(fates[..], [Fate::Open | Fate::Closed(_)]), "{at}: {fates:?}");
    }
}

#[test]
fn what_was_taken_back_while_a_limit_held_it_is_proposed() {
    for kind in Kind::ALL {
        let (mut scene, number) = opened(kind);
        scene.policy.pr_hourly_limit = 1;
        scene.close(number);
        scene.maker.newest = 3;
        assert_eq!(scene.sync().unwrap().rest, Rest::LimitedByHour { opened: 1 }, "{kind:?}");
        scene.forge.state().comment(number, ANN, "/tidelock retry");
        scene.pass(Duration::from_mins(61));
        assert_eq!(scene.sync().unwrap().rest, Rest::Proposed, "{kind:?}");
        let state = scene.forge.state();
        let head = state.newest().unwrap().head.clone();
        assert_eq!(Scene::revisions(&state, &head), BTreeSet::from([1, 2, 3]), "{kind:?}");
    }
}

#[test]
fn commands_need_the_right_to_push_and_are_answered_once() {
    for kind in Kind::ALL {
        let (mut scene, number) = opened(kind);
        for word in ["/tidelock land", "/tidelock decline no", "/tidelock defer 2031-01-01"] {
            scene.forge.state().comment(number, EVE, word);
        }
        scene.sync().unwrap();
        scene.sync().unwrap();
        assert!(scene.forge.state().newest().unwrap().is_open(), "{kind:?}");
        assert_eq!(bodies(&scene).iter().filter(|body| body.contains("may not push")).count(), 3, "{kind:?}");
        scene.forge.state().comment(number, ANN, "/tidelock explain");
        scene.forge.state().comment(number, ANN, "/tidelock defer 2031-01-01 after the release");
        let outcome = scene.sync().unwrap();
        assert_eq!(outcome.rest, Rest::Declined, "{kind:?}");
        assert_eq!(scene.forge.state().newest().unwrap().fate, Fate::Closed(BOT.to_owned()), "{kind:?}");
        assert!(bodies(&scene).iter().any(|body| body.contains("Deferred until 2031-01-01")), "{kind:?}");
    }
}

#[test]
fn it_lands_by_a_word_only_where_the_newest_commit_was_approved() {
    for kind in Kind::ALL {
        let (mut scene, number) = opened(kind);
        scene.policy.required_approvals = 1;
        scene.forge.state().approvals_needed = 1;
        let old = scene.forge.state().newest().unwrap().head.clone();
        scene.forge.state().review(number, "APPROVED", &old);
        scene.maker.newest = 3;
        scene.forge.state().comment(number, ANN, "/tidelock land");
        scene.sync().unwrap();
        assert!(scene.forge.state().newest().unwrap().is_open(), "{kind:?}: approved at an old commit");
        assert!(bodies(&scene).iter().any(|body| body.contains("Not landed: 1 approval")), "{kind:?}");
        let new = scene.forge.state().newest().unwrap().head.clone();
        scene.forge.state().review(number, "APPROVED", &new);
        scene.forge.state().comment(number, ANN, "/tidelock land");
        scene.sync().unwrap();
        assert!(matches!(scene.forge.state().newest().unwrap().fate, Fate::Merged(_)), "{kind:?}");
        assert!(
            bodies(&scene).iter().any(|body| body.contains("the tree is the one that passed")),
            "{kind:?}"
        );
        checked(&scene);
    }
}

#[test]
fn a_tree_that_landed_untested_is_an_alarm_told_once() {
    for how in [How::Merge, How::Squash, How::Rebase] {
        let (mut scene, number) = opened(Kind::GitHub);
        scene.forge.state().commit(BASE, &[("notes", "other\n")], "notes");
        assert!(scene.forge.state().merge(number, how));
        let outcome = scene.sync().unwrap();
        assert!(outcome.alarm, "{how:?}");
        assert!(!scene.sync().unwrap().alarm, "{how:?}: once");
        let told = bodies(&scene);
        assert!(
            told.iter().any(|body| body.contains("is not the one") && body.contains("`notes`")),
            "{told:?}"
        );
    }
}

#[test]
fn each_way_to_merge_lands_the_tested_tree_and_is_told_so() {
    for how in [How::Merge, How::Squash, How::Rebase] {
        let (mut scene, number) = opened(Kind::Gitea);
        assert!(scene.forge.state().merge(number, how));
        let outcome = scene.sync().unwrap();
        assert_eq!((outcome.alarm, outcome.rest), (false, Rest::Nothing), "{how:?}");
        assert!(
            bodies(&scene).iter().any(|body| body.contains("the tree is the one that passed")),
            "{how:?}"
        );
        scene.maker.newest = 3;
        scene.sync().unwrap();
        assert_eq!(scene.forge.state().pulls.len(), 2, "{how:?}: the next one is another");
        checked(&scene);
    }
}

#[test]
fn broken_off_after_any_request_it_goes_on_as_if_nothing_had_been() {
    let faults =
        [Fault::After, Fault::Silence, Fault::Half, Fault::Stop, Fault::Before, Fault::SecondaryLimit];
    let each = (1..24).flat_map(|at| faults.map(|fault| (at, fault)));
    // Every request meets two of the six, and every fault eight requests; `measure forge` mixes all of them.
    let chosen = each.enumerate().filter(|(number, (at, _))| (number + at) % 3 == 0).map(|(_, case)| case);
    for (at, fault) in chosen {
        let mut scene = Scene::new(Kind::ALL[at % 3]);
        scene.maker.newest = 1;
        scene.forge.plan().faults.push((at, fault));
        if at % 2 == 0 && scene.sync().is_err() {
            scene.forget();
        }
        scene.sync().or_else(|_broken_off| scene.sync()).unwrap();
        scene.sync().unwrap();
        let state = scene.forge.state();
        assert_eq!((state.pulls.len(), state.newest().unwrap().labels.len()), (1, 1), "{at} {fault:?}");
        drop(state);
        checked(&scene);
    }
}

#[test]
fn the_token_is_left_nowhere() {
    let (scene, _) = opened(Kind::GitHub);
    let token = scene.forge.state().token.clone();
    let left = std::fs::read_dir(scene.state_folder().join("credentials")).unwrap().count();
    assert_eq!(left, 0, "the file with the token goes with the sync");
    for (path, bytes) in crate::world::contents(&scene.maker.port) {
        assert!(!String::from_utf8_lossy(&bytes).contains(&token), "{}", path.display());
    }
}

#[test]
fn what_was_deferred_is_proposed_again_when_its_day_has_come() {
    for kind in Kind::ALL {
        let (mut scene, number) = opened(kind);
        scene.forge.state().comment(number, ANN, "/tidelock defer 2027-01-17 after the release");
        assert_eq!(scene.sync().unwrap().rest, Rest::Declined, "{kind:?}");
        scene.pass(Duration::from_hours(24));
        assert_eq!(scene.sync().unwrap().rest, Rest::Declined, "{kind:?}: it is the 16th");
        scene.pass(Duration::from_hours(24));
        assert_eq!(scene.sync().unwrap().rest, Rest::Proposed, "{kind:?}");
        let state = scene.forge.state();
        assert_eq!((state.pulls.len(), state.newest().unwrap().is_open()), (2, true), "{kind:?}: a new one");
    }
}

#[test]
fn below_a_persons_commit_and_text_the_tested_tree_is_still_known() {
    let (mut scene, number) = opened(Kind::GitHub);
    scene.forge.state().commit("tidelock/sync", &[("notes", "mine\n")], "mine");
    "A person's own words.".clone_into(&mut scene.forge.state().pull(number).unwrap().body);
    assert!(scene.forge.state().merge(number, How::Merge));
    let outcome = scene.sync().unwrap();
    assert!(outcome.alarm, "{:?}", bodies(&scene));
    assert!(bodies(&scene).iter().any(|body| body.contains("is not the one") && body.contains("`notes`")));
    checked(&scene);
}

#[test]
fn what_was_pushed_behind_what_landed_did_not_land() {
    let (mut scene, number) = opened(Kind::GitHub);
    {
        let mut state = scene.forge.state();
        let head = state.newest().unwrap().head.clone();
        // By hand: what the pull request says it holds.
        let (base, tree) = (state.repo().head(BASE).unwrap(), state.tree(&head));
        let by_hand = state.object(std::slice::from_ref(&base.commit), &tree, "by hand", "ann@localhost");
        state.repo().advance(BASE, &base.commit, &by_hand).unwrap();
        // The bot pushed one more, and ended before it said so; then a person came.
        let more = state.commit(HEAD, &[("src", "revision 1\nrevision 2\nrevision 3\n")], "sync");
        let tree = state.tree(more.as_str());
        let message = format!("Sync to 3\n\nTidelock-Revision: 3\nTidelock-Tree: {tree}\n");
        let parent = CommitId::new(head.as_str()).unwrap();
        let pushed = state.object(&[parent], &tree, &message, BOT_EMAIL);
        git(&state.bare, &["update-ref", &format!("refs/heads/{HEAD}"), pushed.as_str()]);
        state.commit(HEAD, &[("notes", "mine\n")], "a person's commit");
        state.close(number);
    }
    drop(scene.sync());
    assert!(!bodies(&scene).iter().any(|body| body.contains("Landed as")), "{:?}", bodies(&scene));
    checked(&scene);
}

#[test]
fn what_is_merged_while_the_bot_looks_is_compared_with_the_newest_base_branch() {
    for kind in Kind::ALL {
        for how in [How::Merge, How::Squash, How::Rebase] {
            let (mut scene, number) = opened(kind);
            // Its branches were fetched, and its pull requests are about to be listed.
            let merge = Box::new(move |state: &mut State| assert!(state.merge(number, how)));
            scene.forge.plan().clear();
            scene.forge.plan().ambushes.push((2, merge));
            let outcome = scene.sync().unwrap();
            assert!(!outcome.alarm, "{kind:?} {how:?}: {:?}", bodies(&scene));
            assert!(
                bodies(&scene).iter().any(|body| body.contains("the tree is the one that passed")),
                "{kind:?} {how:?}"
            );
            checked(&scene);
        }
    }
}

#[test]
fn a_limit_on_open_pull_requests_is_kept() {
    let mut scene = Scene::new(Kind::GitHub);
    scene.maker.newest = 1;
    scene.policy.pr_concurrent_limit = 1;
    let pull = {
        let (other, _) = opened(Kind::GitHub);
        other.forge.state().newest().unwrap().clone()
    };
    scene.forge.state().commit(BASE, &[("notes", "n\n")], "notes");
    let head = scene.forge.state().tip(BASE).unwrap().to_string();
    let mut bare = pull;
    bare.branch = "tidelock/other".to_owned();
    bare.head = head;
    scene.forge.state().pulls.push(bare);
    let repo = scene.forge.state().repo();
    let base = scene.forge.state().tip(BASE).unwrap();
    repo.create_branch("tidelock/other", &base).unwrap();
    scene.forge.state().commit("tidelock/other", &[("notes", "o\n")], "other");
    assert_eq!(scene.sync().unwrap().rest, Rest::Limited { open: 1 });
    assert_eq!(scene.forge.state().tip("tidelock/sync"), None, "not even the branch is pushed");
}

#[test]
fn an_app_makes_check_runs_and_without_the_right_commit_statuses() {
    for runs in [Runs::App, Runs::Refused] {
        let mut scene = Scene::new(Kind::GitHub);
        scene.as_app(runs);
        scene.maker.newest = 1;
        scene.sync().unwrap();
        scene.sync().unwrap();
        scene.forget();
        assert_eq!(scene.sync().unwrap().steps, vec!["make"], "{runs:?}: another machine finds it said");
        let state = scene.forge.state();
        let rows = &state.statuses[&state.newest().unwrap().head];
        let told: Vec<(&str, &str)> =
            rows.iter().map(|(_, name, word, _)| (name.as_str(), word.as_str())).collect();
        assert_eq!(told, [("tidelock", "success")], "{runs:?}");
        drop(state);
        checked(&scene);
    }
}

#[test]
fn off_its_schedule_nothing_new_is_made_or_opened_and_what_is_open_goes_on() {
    let mut scene = Scene::new(Kind::Gitea);
    scene.maker.newest = 1;
    // It begins at eight in the morning.
    scene.policy.schedule = OpenTimes::new(&["* 10 * * *".to_owned()], TimeZone::UTC).unwrap();
    let outcome = scene.sync().unwrap();
    assert_eq!((outcome.rest, outcome.steps.len()), (Rest::OffSchedule, 0), "no run was begun");
    scene.pass(Duration::from_mins(150));
    assert_eq!(scene.sync().unwrap().rest, Rest::Proposed);
    scene.pass(Duration::from_hours(3));
    scene.maker.newest = 2;
    assert_eq!(scene.sync().unwrap().rest, Rest::Proposed);
    assert_eq!(scene.forge.state().newest().unwrap().title, "Sync to 2");
    checked(&scene);
}

#[test]
fn no_more_are_opened_within_an_hour_than_may_be() {
    for kind in Kind::ALL {
        let (mut scene, number) = opened(kind);
        scene.policy.pr_hourly_limit = 1;
        assert!(scene.forge.state().merge(number, How::Merge));
        scene.maker.newest = 3;
        assert_eq!(scene.sync().unwrap().rest, Rest::LimitedByHour { opened: 1 }, "{kind:?}");
        assert_eq!(scene.forge.state().pulls.len(), 1, "{kind:?}");
        scene.pass(Duration::from_mins(61));
        assert_eq!(scene.sync().unwrap().rest, Rest::Proposed, "{kind:?}");
        checked(&scene);
    }
}

#[test]
fn the_dashboard_is_one_issue_that_tells_what_waits_and_a_closed_one_is_left() {
    for kind in Kind::ALL {
        let mut scene = Scene::new(kind);
        scene.policy.dashboard = Some("Tidelock dashboard".to_owned());
        scene.maker.newest = 1;
        scene.maker.parked = 2;
        scene.sync().unwrap();
        scene.forget();
        scene.sync().unwrap();
        let shown = |scene: &Scene| {
            let state = scene.forge.state();
            assert_eq!(state.issues.len(), 1, "{kind:?}");
            (state.issues[0].title.clone(), state.issues[0].body.clone())
        };
        let (title, body) = shown(&scene);
        assert_eq!(title, "Tidelock dashboard");
        assert!(
            body.contains("## Open") && body.contains("Sync to 1") && body.contains("2 items parked"),
            "{body}"
        );
        let number = scene.forge.state().newest().unwrap().number;
        scene.forge.state().comment(number, ANN, "/tidelock decline not `for` us <!-- -->");
        scene.sync().unwrap();
        let (_, body) = shown(&scene);
        assert!(body.contains("## Declined") && body.contains("not 'for' us"), "{kind:?}: {body}");
        assert!(!body.contains("## Open"), "{kind:?}: {body}");
        scene.forge.state().issues[0].is_open = false;
        scene.maker.newest = 2;
        scene.sync().unwrap();
        let (_, after) = shown(&scene);
        assert_eq!(after, body, "{kind:?}: a closed one is left alone");
        checked(&scene);
    }
}

#[test]
fn random_schedules_keep_the_promises() {
    for seed in 0..SCHEDULES {
        let report = play(seed, true);
        assert_eq!(report.violations, Vec::new(), "seed {seed}: {:?}", report.told);
        assert!(report.requests > 0 && !report.sent.is_empty(), "seed {seed}: the forge was asked");
        let known = operations::of(report.kind);
        for Sent { method, path, query, body } in &report.sent {
            let (name, _) = operations::find(known, method, path).unwrap();
            assert_eq!(operations::violations(&known[&name], query, body), Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn each_promise_is_counted_under_a_name_of_its_own() {
    let names: BTreeSet<&str> = Promise::ALL.iter().map(|promise| promise.name()).collect();
    assert_eq!(names.len(), Promise::ALL.len());
}
