//! Repositories of every kind, and what else speaks git than a path and http.

use super::git_fixture::GitUpstream;
use super::*;
use crate::process::{Finished, Invocation, ProcessError, ProcessRunner};

fn merged() -> GitUpstream {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    for side in ["left", "right"] {
        upstream.git(&["checkout", "--quiet", "-b", side, "main"]);
        upstream.git(&["commit", "--quiet", "--allow-empty", "-m", side]);
    }
    upstream.git(&["checkout", "--quiet", "main"]);
    upstream.commit("two");
    upstream.git(&["merge", "--quiet", "-m", "octopus", "left", "right"]);
    upstream.git(&["checkout", "--quiet", "--orphan", "unrelated"]);
    upstream.commit("another root");
    upstream.git(&["checkout", "--quiet", "main"]);
    upstream.git(&[
        "merge",
        "--quiet",
        "--allow-unrelated-histories",
        "-s",
        "ours",
        "-m",
        "joined",
        "unrelated",
    ]);
    upstream
}

#[test]
fn the_first_parent_history_leaves_out_what_merges_brought() {
    let mirror = merged().mirror("#branch=main").revisions_after_poll();
    assert_eq!(mirror, ["one", "two", "octopus", "joined"]);
}

#[test]
fn the_full_history_has_what_a_merge_brought_right_before_it() {
    let mirror = merged().mirror("#full-history&branch=main").revisions_after_poll();
    assert_eq!(mirror, ["one", "two", "left", "right", "octopus", "another root", "joined"]);
}

trait AfterPoll {
    fn revisions_after_poll(&self) -> Vec<String>;
}

impl AfterPoll for Mirror {
    fn revisions_after_poll(&self) -> Vec<String> {
        poll(self, None).unwrap().new.into_iter().map(|revision| revision.summary).collect()
    }
}

#[test]
fn tags_can_be_followed_by_date_and_without_pre_releases() {
    let upstream = GitUpstream::new();
    for tag in ["v2.0.0", "v1.0.0", "v3.0.0-rc.1"] {
        upstream.commit(tag);
        upstream.git(&["tag", tag]);
    }
    let polled = |fragment: &str, folder: &str| {
        let surroundings = surroundings(upstream.path().parent().unwrap(), None);
        let mirror = Mirror::open(upstream.source(fragment), &upstream.beside(folder), surroundings).unwrap();
        let new = poll(&mirror, None).unwrap().new;
        labels(&new).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(polled("#tags=v*", "a"), ["v1.0.0", "v2.0.0", "v3.0.0-rc.1"]);
    assert_eq!(polled("#by-date&tags=v*", "b"), ["v2.0.0", "v1.0.0", "v3.0.0-rc.1"]);
    assert_eq!(polled("#no-pre-releases&tags=v*", "c"), ["v1.0.0", "v2.0.0"]);
}

#[test]
fn a_look_says_whether_anything_changed_and_brings_nothing() {
    for fragment in ["", "#branch=main", "#tags=v*"] {
        let upstream = GitUpstream::new();
        upstream.commit("one");
        upstream.git(&["tag", "v1.0.0"]);
        let mirror = upstream.mirror(fragment);
        let look = || mirror.look(&(), &AtomicBool::new(false)).unwrap();
        assert!(look().changed, "nothing was seen yet");
        poll(&mirror, None).unwrap();
        assert!(look().is_up_to_date(&label("v1.0.0")), "{:?}", look());
        assert!(!look().is_up_to_date(&label("v0.9.0")));
        upstream.commit("two");
        upstream.git(&["tag", "v1.1.0"]);
        assert!(look().changed, "{fragment}");
        assert_eq!(mirror.revisions().unwrap().len(), 1, "nothing was fetched");
        poll(&mirror, None).unwrap();
        assert!(look().is_up_to_date(&label("v1.1.0")));
        // What does not count changes nothing.
        upstream.git(&["branch", "other", "HEAD~1"]);
        assert!(!look().changed);
    }
}

#[test]
fn a_renamed_default_branch_is_followed_once_it_is_accepted() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("");
    poll(&mirror, None).unwrap();
    upstream.git(&["branch", "-m", "main", "trunk"]);
    upstream.commit("two");
    let notices = poll(&mirror, None).unwrap().notices;
    assert!(matches!(notices.first(), Some(Notice::BranchDeleted { .. })), "{notices:?}");
    assert!(matches!(notices.get(1), Some(Notice::DefaultBranchChanged { .. })), "{notices:?}");
    assert!(matches!(mirror.accept_default_branch("main"), Err(SourceError::NothingToAccept { .. })));
    mirror.accept_default_branch("trunk").unwrap();
    let polled = poll(&mirror, None).unwrap();
    assert_eq!((summaries(&polled.new), polled.notices), (vec!["one", "two"], Vec::new()));
}

#[test]
fn after_an_accepted_rewrite_a_lost_baseline_counts_from_what_is_left_of_it() {
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    let lost = upstream.commit("two");
    let mirror = upstream.mirror("#branch=main");
    poll(&mirror, None).unwrap();
    upstream.git(&["reset", "--quiet", "--hard", one.as_str()]);
    let other = upstream.commit("other two");
    poll(&mirror, None).unwrap();
    mirror.accept_rewrite(&other).unwrap();
    let baseline = lost.as_str().get(..10).unwrap();
    assert_eq!(summaries(&poll(&mirror, Some(baseline)).unwrap().new), ["other two"]);
    assert!(matches!(poll(&mirror, Some("v9")), Err(SourceError::UnknownRevision { .. })));
}

#[test]
fn a_shallow_upstream_is_refused_until_it_is_whole() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    upstream.commit("two");
    let (from, shallow) = (format!("file://{}", upstream.path().display()), upstream.beside("shallow"));
    upstream.git(&["clone", "--quiet", "--depth", "1", &from, shallow.to_str().unwrap()]);
    let mirror = upstream.open(format!("git:{}", shallow.display()).parse().unwrap()).unwrap();
    let error = poll(&mirror, None).unwrap_err();
    assert!(matches!(error, SourceError::Shallow { .. }), "{error:?}");
    assert_eq!(mirror.revisions().unwrap(), []);
    upstream.git(&["-C", shallow.to_str().unwrap(), "fetch", "--quiet", "--unshallow"]);
    assert_eq!(summaries(&poll(&mirror, None).unwrap().new), ["one", "two"]);
}

#[test]
fn reftable_packed_alternates_worktrees_and_detached_heads_are_read_alike() {
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    upstream.git(&["gc", "--quiet"]);
    let path = |name: &str| upstream.beside(name).to_str().unwrap().to_owned();
    let from = upstream.path().to_str().unwrap().to_owned();
    upstream.git(&["clone", "--quiet", "--bare", "--ref-format=reftable", &from, &path("reftable")]);
    upstream.git(&["clone", "--quiet", "--bare", "--shared", &from, &path("alternates")]);
    upstream.git(&["worktree", "add", "--quiet", &path("worktree"), "-b", "next"]);
    upstream.git(&["clone", "--quiet", &from, &path("detached")]);
    upstream.git(&["-C", &path("detached"), "checkout", "--quiet", "--detach"]);
    for kind in ["reftable", "alternates", "worktree", "detached", "upstream"] {
        let surroundings = surroundings(upstream.path().parent().unwrap(), None);
        let source = format!("git:{}#branch=main", path(kind)).parse().unwrap();
        let mirror = Mirror::open(source, &upstream.beside(&format!("mirror-{kind}")), surroundings).unwrap();
        let polled = poll(&mirror, None).unwrap_or_else(|error| panic!("{kind}: {error:?}"));
        assert_eq!(polled.new.first().map(|revision| &revision.commit), Some(&one), "{kind}");
    }
}

#[test]
fn an_object_that_the_upstream_lacks_is_named() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let blob = upstream.git(&["rev-parse", "HEAD:file.txt"]);
    let (folder, file) = blob.split_at(2);
    std::fs::remove_file(upstream.path().join(".git/objects").join(folder).join(file)).unwrap();
    let mirror = upstream.mirror("#branch=main");
    let error = poll(&mirror, None).unwrap_err();
    assert!(matches!(&error, SourceError::MissingObject { object, .. } if *object == blob), "{error:?}");
    assert_eq!(mirror.revisions().unwrap(), []);
}

#[test]
fn a_repository_with_sha_256_is_refused_and_says_so() {
    let upstream = GitUpstream::new();
    let path = upstream.beside("sha256");
    upstream.git(&["init", "--quiet", "--object-format=sha256", path.to_str().unwrap()]);
    upstream.git(&["-C", path.to_str().unwrap(), "commit", "--quiet", "--allow-empty", "-m", "one"]);
    let mirror = upstream.open(format!("git:{}#branch=main", path.display()).parse().unwrap()).unwrap();
    let error = poll(&mirror, None).unwrap_err();
    assert!(matches!(error, SourceError::UnsupportedObjects { .. }), "{error:?}");
}

#[test]
fn two_polls_of_one_mirror_at_once_are_both_right() {
    let upstream = GitUpstream::new();
    for number in 0..20 {
        upstream.commit(&format!("commit {number}"));
    }
    let open = || {
        let mut surroundings = surroundings(upstream.path().parent().unwrap(), None);
        surroundings.clock = Arc::new(crate::clock::SystemClock);
        Mirror::open(upstream.source("#branch=main"), &upstream.beside("mirror"), surroundings).unwrap()
    };
    let mirrors = [open(), open(), open()];
    std::thread::scope(|scope| {
        let polls: Vec<_> =
            mirrors.iter().map(|mirror| scope.spawn(|| poll(mirror, None).unwrap().new.len())).collect();
        for polled in polls {
            assert_eq!(polled.join().unwrap(), 20);
        }
    });
}

/// Runs everything with one more variable, as a user's shell would have it.
#[derive(Debug)]
struct WithVariable(&'static str, String);

impl ProcessRunner for WithVariable {
    fn run(&self, invocation: &Invocation) -> Result<Finished, ProcessError> {
        SystemProcessRunner::default().run(&invocation.clone().env(self.0, &self.1))
    }
}

#[test]
fn ssh_addresses_of_both_forms_are_read_through_the_users_own_ssh() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    // Stands in for ssh: drops its options and the host, and runs what is left.
    let ssh = upstream.beside("ssh");
    std::fs::write(&ssh, "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n").unwrap();
    let command = format!("sh {}", ssh.display());
    let path = upstream.path().display().to_string();
    for (at, source) in [format!("git:ssh://git@host{path}"), format!("git:host:{path}")].iter().enumerate() {
        let mut surroundings = surroundings(upstream.path().parent().unwrap(), None);
        surroundings.processes = Arc::new(WithVariable("GIT_SSH_COMMAND", command.clone()));
        let folder = upstream.beside(&format!("mirror-{at}"));
        let mirror = Mirror::open(source.parse().unwrap(), &folder, surroundings).unwrap();
        assert_eq!(summaries(&poll(&mirror, None).unwrap().new), ["one"], "{source}");
        upstream.commit("two");
        upstream.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}

#[test]
fn locks_that_a_killed_process_left_are_removed() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("#branch=main");
    poll(&mirror, None).unwrap();
    upstream.commit("two");
    for lock in ["refs/heads/main.lock", "packed-refs.lock", "HEAD.lock"] {
        std::fs::write(mirror.directory().join(lock), "").unwrap();
    }
    assert_eq!(summaries(&poll(&mirror, None).unwrap().new), ["one", "two"]);
}
