//! Mirrors of git repositories.

use super::git_fixture::GitUpstream;
use super::*;
use crate::process::{Finished, Invocation, ProcessError, ProcessRunner};

fn notice(mirror: &Mirror) -> Notice {
    let mut notices = poll(mirror, None).unwrap().notices;
    assert_eq!(notices.len(), 1, "{notices:?}");
    notices.remove(0)
}

#[test]
fn the_first_poll_brings_the_first_parent_history_oldest_first() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    upstream.git(&["checkout", "--quiet", "-b", "side"]);
    upstream.commit("on the side");
    upstream.git(&["checkout", "--quiet", "main"]);
    upstream.git(&["merge", "--quiet", "--no-ff", "-m", "merge side", "side"]);
    let two = upstream.commit("two\n\nwith a body");
    upstream.git(&["tag", "-a", "-m", "release", "v2"]);

    let mirror = upstream.mirror("#branch=main");
    let polled = poll(&mirror, None).unwrap();
    assert_eq!(summaries(&polled.new), ["one", "merge side", "two"]);
    assert_eq!(polled.new.last().unwrap().label, label("v2"));
    assert_eq!(polled.new.last().unwrap().commit, two);
    assert_eq!(polled.new.last().unwrap().published_s, Some(1_700_000_180));
    let first = polled.new.first().unwrap();
    assert!(first.commit.as_str().starts_with(first.label.as_str()) && first.label.as_str().len() == 10);
    assert_eq!((polled.notices, polled.withdrawn), (Vec::new(), Vec::new()));
    assert_eq!(mirror.revisions().unwrap(), polled.new);
    assert_eq!(mirror.last_poll_s().unwrap(), Some(NOW_S));
}

#[test]
fn a_later_poll_brings_what_is_behind_the_given_revision() {
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    let mirror = upstream.mirror("");
    poll(&mirror, None).unwrap();
    upstream.commit("two");
    upstream.commit("three");
    let since = one.as_str().get(..10).unwrap();
    assert_eq!(summaries(&poll(&mirror, Some(since)).unwrap().new), ["two", "three"]);
    // The answer does not depend on what was asked before.
    assert_eq!(summaries(&poll(&mirror, Some(since)).unwrap().new), ["two", "three"]);
    // A commit keeps answering to its digits when it is tagged later.
    upstream.git(&["tag", "v1", one.as_str()]);
    assert_eq!(summaries(&poll(&mirror, Some(since)).unwrap().new), ["two", "three"]);
    assert_eq!(summaries(&poll(&mirror, Some("v1")).unwrap().new), ["two", "three"]);
}

#[test]
fn a_poll_with_nothing_new_fetches_nothing() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("");
    let heard = Heard::default();
    mirror.poll(None, &heard, &AtomicBool::new(false)).unwrap();
    mirror.poll(None, &heard, &AtomicBool::new(false)).unwrap();
    assert_eq!(heard.lines(), ["fetching"]);
}

#[test]
fn the_upstream_repository_is_never_written() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    upstream.git(&["tag", "v1"]);
    let before = upstream.all_files();
    let mirror = upstream.mirror("");
    poll(&mirror, None).unwrap();
    poll(&mirror, None).unwrap();
    assert_eq!(upstream.all_files(), before);
}

#[test]
fn a_forced_push_is_noticed_and_not_followed_until_somebody_accepts_it() {
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    upstream.commit("two");
    let three = upstream.commit("three");
    let mirror = upstream.mirror("#branch=main");
    poll(&mirror, None).unwrap();
    upstream.git(&["reset", "--quiet", "--hard", one.as_str()]);
    let other = upstream.commit("other two");

    let rewritten = Notice::BranchRewritten {
        branch: "main".to_owned(),
        had: three,
        has: other.clone(),
        common_ancestor: Some(one.clone()),
        lost: 2,
    };
    assert_eq!(notice(&mirror), rewritten);
    assert_eq!(notice(&mirror), rewritten, "it is said until somebody decides");
    assert_eq!(summaries(&mirror.revisions().unwrap()), ["one", "two", "three"]);

    assert!(matches!(mirror.accept_rewrite(&one), Err(SourceError::NothingToAccept { .. })));
    mirror.accept_rewrite(&other).unwrap();
    assert_eq!(summaries(&mirror.revisions().unwrap()), ["one", "other two"]);
    assert_eq!(poll(&mirror, None).unwrap().notices, []);
    // What was thrown away is still readable.
    assert_eq!(summaries(&[mirror.repo().resolve("main").unwrap()]), ["other two"]);
}

#[test]
fn a_history_replaced_as_a_whole_has_no_common_ancestor() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("#branch=main");
    poll(&mirror, None).unwrap();
    upstream.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    upstream.commit("another beginning");
    upstream.git(&["branch", "-M", "fresh", "main"]);
    assert!(matches!(notice(&mirror), Notice::BranchRewritten { common_ancestor: None, lost: 1, .. }));
}

#[test]
fn a_deleted_branch_is_noticed_and_stays_readable() {
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    upstream.git(&["branch", "next"]);
    let mirror = upstream.mirror("#branch=next");
    poll(&mirror, None).unwrap();
    upstream.git(&["branch", "-D", "next"]);
    assert_eq!(notice(&mirror), Notice::BranchDeleted { branch: "next".to_owned(), had: one });
    assert_eq!(summaries(&mirror.revisions().unwrap()), ["one"]);
}

#[test]
fn another_default_branch_is_noticed_and_not_followed() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("");
    poll(&mirror, None).unwrap();
    upstream.git(&["checkout", "--quiet", "-b", "trunk"]);
    upstream.commit("two");
    let changed = Notice::DefaultBranchChanged { had: "main".to_owned(), has: "trunk".to_owned() };
    assert_eq!(notice(&mirror), changed);
    assert_eq!(summaries(&mirror.revisions().unwrap()), ["one"]);
}

#[test]
fn an_unknown_branch_is_an_error_that_lists_those_there_are() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    upstream.git(&["branch", "next"]);
    let error = poll(&upstream.mirror("#branch=mian"), None).unwrap_err();
    assert!(matches!(error, SourceError::UnknownBranch { .. }));
    assert!(error.to_string().ends_with("has no branch `mian`; it has `main`, `next`"), "{error}");
}

#[test]
fn an_empty_repository_names_no_revision() {
    let upstream = GitUpstream::new();
    let error = poll(&upstream.mirror(""), None).unwrap_err();
    assert!(
        matches!(error, SourceError::UnknownBranch { .. } | SourceError::NoDefaultBranch { .. }),
        "{error:?}"
    );
    let error = poll(&GitUpstream::new().mirror("#tags=*"), None).unwrap_err();
    assert!(matches!(error, SourceError::NoMatchingTag { tags: 0, .. }), "{error:?}");
}

#[test]
fn tags_that_match_are_revisions_in_version_order() {
    let upstream = GitUpstream::new();
    upstream.commit("ten");
    upstream.git(&["tag", "v1.10.0"]);
    upstream.git(&["tag", "other"]);
    let nine = upstream.commit("nine");
    upstream.git(&["tag", "-a", "-m", "x", "v1.9.0"]);
    upstream.git(&["tag", "-m", "a file", "v-blob", "HEAD:file.txt"]);
    let mirror = upstream.mirror("#tags=v*");
    let polled = poll(&mirror, None).unwrap();
    assert_eq!(labels(&polled.new), ["v1.9.0", "v1.10.0"]);
    assert_eq!(polled.new.first().unwrap().commit, nine);

    upstream.commit("eleven");
    upstream.git(&["tag", "v1.11.0"]);
    assert_eq!(labels(&poll(&mirror, Some("v1.9.0")).unwrap().new), ["v1.10.0", "v1.11.0"]);
}

#[test]
fn many_tags_come_in_one_fetch() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    for patch in 0..60 {
        upstream.git(&["tag", &format!("v0.0.{patch}")]);
    }
    let polled = poll(&upstream.mirror("#tags=v*"), None).unwrap();
    assert_eq!(polled.new.len(), 60);
    assert_eq!(polled.new.last().unwrap().label, label("v0.0.59"));
}

#[test]
fn a_moved_tag_is_noticed_and_not_followed() {
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    upstream.git(&["tag", "v1"]);
    let mirror = upstream.mirror("#tags=v*");
    poll(&mirror, None).unwrap();
    let two = upstream.commit("two");
    upstream.git(&["tag", "--force", "v1"]);
    let moved = Notice::TagMoved { tag: "v1".to_owned(), had: one, has: two.to_string() };
    assert_eq!(notice(&mirror), moved);
    assert_eq!(summaries(&mirror.revisions().unwrap()), ["one"]);
}

#[test]
fn a_moved_tag_on_a_branch_is_noticed_where_it_is_a_version() {
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    upstream.git(&["tag", "v1.0.0"]);
    upstream.git(&["tag", "nightly"]);
    let mirror = upstream.mirror("#branch=main");
    poll(&mirror, None).unwrap();
    let two = upstream.commit("two");
    upstream.git(&["tag", "--force", "nightly"]);
    assert_eq!(poll(&mirror, None).unwrap().notices, []);
    upstream.git(&["tag", "--force", "v1.0.0"]);
    let moved = Notice::TagMoved { tag: "v1.0.0".to_owned(), had: one, has: two.to_string() };
    assert_eq!(notice(&mirror), moved);
    assert_eq!(labels(&poll(&mirror, None).unwrap().new).first(), Some(&"v1.0.0"));
}

#[test]
fn a_deleted_tag_counts_as_withdrawn_until_it_is_back() {
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    upstream.git(&["tag", "v1"]);
    upstream.git(&["tag", "v2"]);
    let mirror = upstream.mirror("#tags=v*");
    poll(&mirror, None).unwrap();
    upstream.git(&["tag", "-d", "v1"]);
    let polled = poll(&mirror, Some("v1")).unwrap();
    assert_eq!((labels(&polled.withdrawn), labels(&polled.new)), (vec!["v1"], vec!["v2"]));
    assert_eq!(polled.notices, [Notice::TagDeleted { tag: "v1".to_owned(), had: one }]);
    let ensured = mirror.ensure(&label("v1"), &(), &AtomicBool::new(false)).unwrap();
    assert!(ensured.withdrawn);
    upstream.git(&["tag", "v1"]);
    assert_eq!(labels(&poll(&mirror, None).unwrap().new), ["v1", "v2"]);
}

#[test]
fn file_urls_and_relative_paths_are_read_as_paths() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    for (folder, source) in [
        ("by-url", format!("git:file://{}", upstream.path().display())),
        ("by-path", "git:upstream".to_owned()),
    ] {
        let surroundings = surroundings(upstream.path().parent().unwrap(), None);
        let mirror = Mirror::open(source.parse().unwrap(), &upstream.beside(folder), surroundings).unwrap();
        assert_eq!(summaries(&poll(&mirror, None).unwrap().new), ["one"]);
    }
}

#[test]
fn a_path_without_a_repository_is_named() {
    let upstream = GitUpstream::new();
    std::fs::create_dir(upstream.beside("empty")).unwrap();
    for (at, path) in ["empty", "missing"].into_iter().enumerate() {
        let surroundings = surroundings(upstream.path().parent().unwrap(), None);
        let source = format!("git:{path}").parse().unwrap();
        let mirror = Mirror::open(source, &upstream.beside(&format!("m{at}")), surroundings).unwrap();
        let error = poll(&mirror, None).unwrap_err();
        assert!(matches!(error, SourceError::NotARepository { .. }), "{error:?}");
        assert!(error.to_string().contains(path), "{error}");
    }
}

#[test]
fn a_server_that_does_not_answer_leaves_the_mirror_usable() {
    install_tls_provider();
    let upstream = GitUpstream::new();
    // Nobody listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mirror = upstream.open(format!("git:http://127.0.0.1:{port}/up").parse().unwrap()).unwrap();
    let error = poll(&mirror, None).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { last_poll_s: None, .. }), "{error:?}");
    assert!(error.to_string().contains("it was not polled yet"), "{error}");
    assert_eq!(mirror.revisions().unwrap(), []);
}

#[test]
fn a_url_that_runs_a_command_is_refused() {
    let upstream = GitUpstream::new();
    let ran = upstream.beside("ran");
    let mirror = upstream.open(format!("git:ext::touch {}", ran.display()).parse().unwrap()).unwrap();
    let error = poll(&mirror, None).unwrap_err();
    assert!(error.to_string().contains("runs a command"), "{error}");
    assert!(!ran.exists());
}

#[test]
fn an_upstream_that_vanishes_is_an_error_and_its_mirror_still_reads() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("");
    poll(&mirror, None).unwrap();
    std::fs::rename(upstream.path(), upstream.beside("gone")).unwrap();
    assert!(matches!(poll(&mirror, None), Err(SourceError::NotARepository { .. })));
    assert_eq!(summaries(&mirror.revisions().unwrap()), ["one"]);
}

#[test]
fn an_interrupted_poll_leaves_a_usable_mirror() {
    /// Interrupts as soon as the fetch begins.
    struct StopAtFetch(Arc<AtomicBool>);
    impl SourceProgress for StopAtFetch {
        fn fetching(&self, _source: &str) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let upstream = GitUpstream::new();
    for number in 0..50 {
        upstream.commit(&format!("commit {number}"));
    }
    let mirror = upstream.mirror("");
    let interrupt = Arc::new(AtomicBool::new(false));
    let error = mirror.poll(None, &StopAtFetch(Arc::clone(&interrupt)), &interrupt).unwrap_err();
    assert!(matches!(error, SourceError::Interrupted), "{error:?}");
    assert_eq!(mirror.revisions().unwrap(), []);
    assert_eq!(poll(&mirror, None).unwrap().new.len(), 50);
}

#[test]
fn locks_of_a_killed_poll_do_not_stop_the_next_one() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("");
    poll(&mirror, None).unwrap();
    for lock in ["packed-refs.lock", "refs/heads/main.lock", "refs/incoming/heads/main.lock"] {
        std::fs::write(mirror.directory().join(lock), "").unwrap();
    }
    upstream.commit("two");
    assert_eq!(poll(&mirror, None).unwrap().new.len(), 2);
}

#[test]
fn two_polls_at_once_are_refused() {
    struct PollAgain<'mirror>(&'mirror Mirror, Mutex<Option<SourceError>>);
    impl SourceProgress for PollAgain<'_> {
        fn asking(&self, _source: &str) {
            *self.1.lock().unwrap() = poll(self.0, None).err();
        }
    }
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("");
    let again = PollAgain(&mirror, Mutex::new(None));
    mirror.poll(None, &again, &AtomicBool::new(false)).unwrap();
    assert!(matches!(*again.1.lock().unwrap(), Some(SourceError::Busy { .. })));
}

#[test]
fn folders_that_no_mirror_made_are_refused() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let open = |source: SourceSpec, folder: &Path| {
        Mirror::open(source, folder, surroundings(upstream.path().parent().unwrap(), None)).map(|_| ())
    };
    let before = upstream.all_files();
    let error = open(upstream.source(""), &upstream.path()).unwrap_err();
    assert!(error.to_string().contains("holds files that no mirror made"), "{error}");
    assert_eq!(upstream.all_files(), before);

    let mirror = upstream.mirror("");
    let error = open(upstream.source("#branch=main"), mirror.directory()).unwrap_err();
    assert!(error.to_string().contains("it mirrors `git:"), "{error}");

    let state = mirror.directory().join("tidelock-source.json");
    let text = std::fs::read_to_string(&state).unwrap().replace("\"format\": 1", "\"format\": 2");
    std::fs::write(&state, text).unwrap();
    let error = open(upstream.source(""), mirror.directory()).unwrap_err();
    assert!(error.to_string().contains("has format 2, not 1"), "{error}");
}

#[test]
fn a_mirror_whose_making_was_cut_short_is_completed() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let directory = upstream.mirror("").directory().to_owned();
    std::fs::remove_file(directory.join("HEAD")).unwrap();
    std::fs::remove_dir_all(directory.join("refs")).unwrap();
    assert_eq!(summaries(&poll(&upstream.mirror(""), None).unwrap().new), ["one"]);
}

#[test]
fn a_mirror_can_be_shared_between_threads() {
    fn shared<Value: Send + Sync>(value: &Value) -> &Value {
        value
    }
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let mirror = upstream.mirror("");
    poll(shared(&mirror), None).unwrap();
    let read = || mirror.revisions().unwrap().len();
    let lengths: Vec<usize> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    assert_eq!(lengths, [1; 4]);
}

#[test]
fn an_unknown_since_is_an_error() {
    let upstream = GitUpstream::new();
    upstream.commit("one");
    let error = poll(&upstream.mirror(""), Some("v9")).unwrap_err();
    assert!(matches!(error, SourceError::UnknownRevision { .. }), "{error:?}");
}

/// Runs `git` with a program in place of `ssh` that ignores the host.
#[derive(Debug)]
struct WithLocalSsh(std::path::PathBuf);

impl ProcessRunner for WithLocalSsh {
    fn run(&self, invocation: &Invocation) -> Result<Finished, ProcessError> {
        let invocation = invocation.clone().env("GIT_SSH_COMMAND", &self.0).env("GIT_SSH_VARIANT", "simple");
        SystemProcessRunner::default().run(&invocation)
    }
}

#[test]
fn ssh_goes_through_the_git_command() {
    use std::os::unix::fs::PermissionsExt;
    let upstream = GitUpstream::new();
    let one = upstream.commit("one");
    upstream.git(&["tag", "-a", "-m", "x", "v1"]);
    let ssh = upstream.beside("ssh");
    std::fs::write(&ssh, "#!/bin/sh\nshift\nexec sh -c \"$*\"\n").unwrap();
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755)).unwrap();

    let mut surroundings = surroundings(upstream.path().parent().unwrap(), None);
    surroundings.processes = Arc::new(WithLocalSsh(ssh));
    let source = format!("git:ssh://host{}", upstream.path().display()).parse().unwrap();
    let mirror = Mirror::open(source, &upstream.beside("mirror"), surroundings).unwrap();
    assert_eq!(labels(&poll(&mirror, None).unwrap().new), ["v1"]);
    upstream.git(&["checkout", "--quiet", "-b", "side"]);
    upstream.git(&["checkout", "--quiet", "main"]);
    upstream.commit("two");
    upstream.git(&["reset", "--quiet", "--hard", one.as_str()]);
    upstream.commit("three");
    assert_eq!(summaries(&poll(&mirror, Some("v1")).unwrap().new), ["three"]);

    std::fs::rename(upstream.path(), upstream.beside("gone")).unwrap();
    let error = poll(&mirror, None).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { last_poll_s: Some(NOW_S), .. }), "{error:?}");
    assert!(error.to_string().contains("as of 2026-01-01T00:00:00Z"), "{error}");
}
