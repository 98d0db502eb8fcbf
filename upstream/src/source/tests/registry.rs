//! Mirrors of crates in a registry.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use tar::EntryType;

use super::registry_fixture::{ArchiveBuilder, Registry};
use super::*;
use crate::tree::{EntryKind, SourceTree};

fn ensure(mirror: &Mirror, text: &str) -> Result<Revision, SourceError> {
    mirror.ensure(&label(text), &(), &AtomicBool::new(false))
}

fn published(versions: &[&str]) -> Registry {
    let registry = Registry::new();
    for version in versions {
        registry.publish(version);
    }
    registry
}

#[test]
fn releases_become_revisions_in_version_order() {
    let registry = published(&["0.10.0", "0.9.0", "0.9.1"]);
    registry.change(|index| {
        for published in index.iter_mut().filter(|published| published.version == "0.9.1") {
            published.pubtime = Some("2026-01-01T00:00:05Z".to_owned());
        }
    });
    let mirror = registry.mirror("registry:demo");
    let polled = poll(&mirror, None).unwrap();
    assert_eq!(labels(&polled.new), ["0.9.0", "0.9.1", "0.10.0"]);
    assert_eq!(summaries(&polled.new), ["demo 0.9.0", "demo 0.9.1", "demo 0.10.0"]);
    let times: Vec<_> = polled.new.iter().map(|revision| revision.published_s).collect();
    assert_eq!(times, [None, Some(NOW_S + 5), None]);
    assert_eq!(mirror.revisions().unwrap(), polled.new);

    let tree = mirror.repo().tree(&polled.new.last().unwrap().commit).unwrap();
    let entries = tree.entries().unwrap();
    let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["Cargo.toml", "run.sh", "src/lib.rs"]);
    assert_eq!(tree.read("src/lib.rs").unwrap().unwrap(), b"pub fn demo() {}\n");
}

#[test]
fn a_release_is_the_same_commit_on_every_machine() {
    let registry = published(&["1.0.0", "1.1.0"]);
    let one = registry.mirror_in("registry:demo", "one");
    poll(&one, None).unwrap();
    // The other machine asks later, in another order, of a registry that tells when it was published.
    registry.change(|index| {
        for published in index.iter_mut() {
            published.pubtime = Some("2020-01-01T00:00:00Z".to_owned());
        }
    });
    let other = registry.mirror_in("registry:demo#pre-releases", "other");
    poll(&other, Some("1.1.0")).unwrap();
    ensure(&other, "1.0.0").unwrap();
    let commits = |mirror: &Mirror| -> Vec<_> {
        mirror.revisions().unwrap().into_iter().map(|revision| revision.commit).collect()
    };
    assert_eq!(commits(&one), commits(&other));
    assert_eq!(commits(&one).len(), 2);
}

#[test]
fn only_releases_from_since_on_are_downloaded_and_older_ones_when_asked_for() {
    let registry = published(&["1.0.0", "1.1.0", "1.2.0"]);
    let mirror = registry.mirror("registry:demo");
    let heard = Heard::default();
    let polled = mirror.poll(Some(&label("1.1.0")), &heard, &AtomicBool::new(false)).unwrap();
    assert_eq!(heard.lines(), ["1.1.0 1/2", "1.2.0 2/2"]);
    assert_eq!(labels(&polled.new), ["1.2.0"]);
    assert_eq!(labels(&mirror.revisions().unwrap()), ["1.1.0", "1.2.0"]);
    assert_eq!(mirror.not_downloaded().unwrap(), [label("1.0.0")]);

    assert_eq!(ensure(&mirror, "1.0.0").unwrap().summary, "demo 1.0.0");
    assert_eq!(labels(&mirror.revisions().unwrap()), ["1.0.0", "1.1.0", "1.2.0"]);
    assert_eq!(mirror.not_downloaded().unwrap(), []);
    assert!(matches!(ensure(&mirror, "9.9.9"), Err(SourceError::UnknownRevision { .. })));
    assert!(matches!(poll(&mirror, Some("9.9.9")), Err(SourceError::UnknownRevision { .. })));
}

#[test]
fn a_poll_with_nothing_new_costs_one_request() {
    let registry = published(&["1.0.0"]);
    let mirror = registry.mirror("registry:demo");
    poll(&mirror, None).unwrap();
    assert_eq!(registry.requests(), ["/index/de/mo/demo", "/index/config.json", "/dl/demo-1.0.0.crate"]);
    assert_eq!(poll(&mirror, Some("1.0.0")).unwrap(), Poll::default());
    assert_eq!(registry.requests(), ["/index/de/mo/demo"]);
}

#[test]
fn yanked_releases_are_kept_and_marked() {
    let registry = published(&["1.0.0", "1.1.0", "1.2.0"]);
    registry.yank("1.1.0");
    let mirror = registry.mirror("registry:demo");
    let polled = poll(&mirror, Some("1.0.0")).unwrap();
    assert_eq!((labels(&polled.new), labels(&polled.withdrawn)), (vec!["1.2.0"], vec!["1.1.0"]));
    let marks: Vec<_> = mirror.revisions().unwrap().iter().map(|revision| revision.withdrawn).collect();
    assert_eq!(marks, [false, true, false]);

    // What the port equals can be yanked too.
    registry.yank("1.0.0");
    assert_eq!(labels(&poll(&mirror, Some("1.0.0")).unwrap().withdrawn), ["1.0.0", "1.1.0"]);
    assert!(ensure(&mirror, "1.0.0").unwrap().withdrawn);
}

#[test]
fn a_yanked_release_that_is_gone_does_not_stop_the_others() {
    let registry = published(&["1.0.0", "1.1.0"]);
    registry.yank("1.0.0");
    registry.serve("/dl/demo-1.0.0.crate", 404, Vec::new());
    let polled = poll(&registry.mirror("registry:demo"), None).unwrap();
    assert_eq!(labels(&polled.new), ["1.1.0"]);
    assert!(matches!(polled.notices.as_slice(), [Notice::WithdrawnReleaseUnavailable { .. }]));
}

#[test]
fn pre_releases_count_only_where_asked_for() {
    let registry = published(&["1.0.0-rc.1", "1.0.0", "1.1.0-beta"]);
    let without = registry.mirror_in("registry:demo", "without");
    assert_eq!(labels(&poll(&without, None).unwrap().new), ["1.0.0"]);
    // Even so a port can equal a pre-release.
    assert_eq!(labels(&poll(&without, Some("1.0.0-rc.1")).unwrap().new), ["1.0.0"]);
    let with = registry.mirror_in("registry:demo#pre-releases", "with");
    assert_eq!(labels(&poll(&with, None).unwrap().new), ["1.0.0-rc.1", "1.0.0", "1.1.0-beta"]);
}

#[test]
fn a_checksum_that_does_not_match_is_an_error_and_nothing_is_kept() {
    let registry = published(&["1.0.0", "1.1.0"]);
    registry.serve("/dl/demo-1.1.0.crate", 200, b"something else".to_vec());
    let mirror = registry.mirror("registry:demo");
    let error = poll(&mirror, None).unwrap_err();
    assert!(matches!(error, SourceError::ChecksumMismatch { .. }), "{error:?}");
    assert!(error.to_string().contains("release 1.1.0"), "{error}");
    assert_eq!(labels(&mirror.revisions().unwrap()), ["1.0.0"]);
    // The next poll goes on from there.
    registry.change(Vec::clear);
    registry.publish("1.0.0");
    registry.publish("1.1.0");
    registry.requests();
    assert_eq!(labels(&poll(&mirror, None).unwrap().new), ["1.0.0", "1.1.0"]);
    assert!(!registry.requests().contains(&"/dl/demo-1.0.0.crate".to_owned()));
}

#[test]
fn a_release_that_changes_its_checksum_is_noticed_and_not_taken() {
    let registry = published(&["1.0.0"]);
    let mirror = registry.mirror("registry:demo");
    let before = poll(&mirror, None).unwrap().new;
    registry.change(|index| index.iter_mut().for_each(|published| published.checksum = "0".repeat(64)));
    for _ in 0..2 {
        let polled = poll(&mirror, None).unwrap();
        assert!(matches!(polled.notices.as_slice(), [Notice::ReleaseReplaced { .. }]), "{polled:?}");
        assert_eq!(polled.new, before);
    }
}

#[test]
fn a_release_that_leaves_the_index_counts_as_withdrawn() {
    let registry = published(&["1.0.0", "1.1.0"]);
    let mirror = registry.mirror("registry:demo");
    poll(&mirror, None).unwrap();
    registry.change(|index| index.retain(|published| published.version != "1.1.0"));
    let polled = poll(&mirror, None).unwrap();
    assert_eq!((labels(&polled.new), labels(&polled.withdrawn)), (vec!["1.0.0"], vec!["1.1.0"]));
    assert_eq!(polled.notices, [Notice::ReleaseDeleted { label: label("1.1.0") }]);
}

#[test]
fn a_missing_crate_is_an_error_that_names_it() {
    let registry = Registry::new();
    let error = poll(&registry.mirror("registry:demo"), None).unwrap_err();
    assert!(matches!(error, SourceError::UnknownCrate { .. }), "{error:?}");
    assert!(error.to_string().contains("no crate `demo`"), "{error}");
}

#[test]
fn without_a_network_the_mirror_reads_and_says_how_old_it_is() {
    let mut registry = published(&["1.0.0"]);
    let mirror = registry.mirror("registry:demo");
    poll(&mirror, None).unwrap();
    registry.shut_down();
    let error = poll(&mirror, None).unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { last_poll_s: Some(NOW_S), .. }), "{error:?}");
    assert!(error.to_string().contains("the mirror is as of 2026-01-01T00:00:00Z"), "{error}");
    assert_eq!(labels(&mirror.revisions().unwrap()), ["1.0.0"]);
    assert_eq!(ensure(&mirror, "1.0.0").unwrap().label, label("1.0.0"));
}

#[test]
fn a_registry_that_is_overloaded_for_a_moment_is_asked_again() {
    let registry = published(&["1.0.0"]);
    let mirror = registry.mirror("registry:demo");
    registry.answer_first(&[503, 429]);
    assert_eq!(labels(&poll(&mirror, None).unwrap().new), ["1.0.0"]);
    registry.answer_first(&[500, 500, 500]);
    assert!(matches!(poll(&mirror, None), Err(SourceError::Unreachable { .. })));
}

#[test]
fn a_registry_that_wants_a_token_is_told_apart_from_one_that_is_down() {
    let registry = published(&["1.0.0"]);
    registry.serve("/index/de/mo/demo", 401, Vec::new());
    let error = poll(&registry.mirror("registry:demo"), None).unwrap_err();
    assert!(matches!(error, SourceError::AccessDenied { .. }), "{error:?}");
}

#[test]
fn an_index_that_is_not_one_is_refused() {
    let registry = Registry::new();
    let line = |name: &str, version: &str| {
        let checksum = "0".repeat(64);
        format!(
            "{{\"name\":\"{name}\",\"vers\":\"{version}\",\"deps\":[],\"cksum\":\"{checksum}\",\"features\":{{}},\"yanked\":false}}\n"
        )
    };
    let indices = [
        "<html>".to_owned(),
        String::new(),
        line("other", "1.0.0"),
        line("demo", "../1"),
        line("demo", "{version}"),
    ];
    for (at, text) in indices.into_iter().enumerate() {
        registry.serve("/index/de/mo/demo", 200, text.clone().into_bytes());
        let error = poll(&registry.mirror_in("registry:demo", &format!("m{at}")), None).unwrap_err();
        assert!(matches!(error, SourceError::BadIndex { .. }), "{text}: {error:?}");
    }
}

#[test]
fn an_interrupted_poll_keeps_what_is_complete_and_the_next_goes_on() {
    struct StopAt(&'static str, AtomicBool);
    impl SourceProgress for StopAt {
        fn downloading(&self, at: &RevisionLabel, _nth: usize, _of: usize) {
            if at.as_str() == self.0 {
                self.1.store(true, Ordering::Relaxed);
            }
        }
    }
    let versions = ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"];
    let registry = published(&versions);
    let mirror = registry.mirror("registry:demo");
    let stop = StopAt("1.4.0", AtomicBool::new(false));
    assert!(matches!(mirror.poll(None, &stop, &stop.1), Err(SourceError::Interrupted)));
    assert_eq!(labels(&mirror.revisions().unwrap()), ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]);
    let heard = Heard::default();
    mirror.poll(None, &heard, &AtomicBool::new(false)).unwrap();
    assert_eq!(heard.lines(), ["1.4.0 1/2", "1.5.0 2/2"]);
    assert_eq!(labels(&mirror.revisions().unwrap()), versions);
}

#[test]
fn a_registry_that_is_not_sparse_is_refused_with_what_to_write() {
    let registry = Registry::new();
    let config =
        "[source.crates-io]\nreplace-with = \"x\"\n[source.x]\nregistry = \"http://127.0.0.1/index.git\"\n";
    let error = poll(&registry.mirror_with_config("registry:demo", "mirror", config), None).unwrap_err();
    assert!(error.to_string().contains("begins with `sparse+`"), "{error}");
    let error = poll(&registry.mirror_with_config("registry:demo", "mirror", "[source"), None).unwrap_err();
    assert!(matches!(error, SourceError::Configuration { .. }), "{error:?}");
}

#[test]
fn a_replacement_that_cannot_be_asked_is_refused_and_not_overlooked() {
    let registry = Registry::new();
    let default = "[source.crates-io]\nreplace-with = \"x\"\n";
    let replacements = [
        "",
        "[source.x]\ndirectory = \"vendor\"\n",
        "[source.x]\nreplace-with = \"y\"\n",
        "[registries.x]\nindex = \"sparse+http://127.0.0.1/\"\n",
    ];
    for replacement in replacements {
        let mirror =
            registry.mirror_with_config("registry:demo", "mirror", &format!("{default}{replacement}"));
        let error = poll(&mirror, None).unwrap_err();
        assert!(matches!(error, SourceError::Configuration { .. }), "{replacement}: {error:?}");
        assert!(error.to_string().contains("[source.x]"), "{error}");
    }
}

#[test]
fn a_configuration_above_the_working_directory_comes_before_the_one_at_home() {
    let registry = published(&["1.0.0"]);
    let mirror = registry.mirror("registry:demo");
    let here = registry.path(".cargo");
    std::fs::create_dir(&here).unwrap();
    let config = registry.path("cargo-home").join("config.toml");
    std::fs::rename(&config, here.join("config.toml")).unwrap();
    std::fs::write(&config, "").unwrap();
    assert_eq!(labels(&poll(&mirror, None).unwrap().new), ["1.0.0"]);
}

/// Publishes one archive as 1.0.0 and gives the reason for which it is refused.
fn refusal(build: impl FnOnce(&mut ArchiveBuilder)) -> String {
    let mut archive = ArchiveBuilder::new();
    build(&mut archive);
    refusal_of(archive.finish())
}

fn refusal_of(archive: Vec<u8>) -> String {
    let registry = Registry::new();
    registry.publish_archive("1.0.0", archive);
    let mirror = registry.mirror("registry:demo");
    match poll(&mirror, None) {
        Err(SourceError::BadArchive { label, reason }) => {
            assert_eq!(label.as_str(), "1.0.0");
            assert_eq!(mirror.revisions().unwrap(), [], "nothing of it is kept");
            assert!(!registry.path("escaped").exists());
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn archives_with_unsafe_paths_are_refused() {
    let paths = [
        "/etc/passwd",
        "../escaped",
        "demo-1.0.0/../../escaped",
        "demo-1.0.0/a/./b",
        "demo-1.0.0/a//b",
        "demo-1.0.0/.git/config",
        "demo-1.0.0/a/.GIT/hooks/x",
        "demo-1.0.0/a\nb",
        "other-1.0.0/a",
        "Cargo.toml",
    ];
    for path in paths {
        let reason = refusal(|archive| archive.file(path, 0o644, b"x"));
        assert!(reason.contains("unsafe"), "{path}: {reason}");
    }
    let reason = refusal(|archive| archive.special("demo-1.0.0/../escaped", EntryType::Directory, ""));
    assert!(reason.contains("unsafe"), "{reason}");
}

#[test]
fn archives_with_links_that_leave_are_refused() {
    for target in ["/etc/passwd", "../x", "b/../../x", ""] {
        let reason = refusal(|archive| archive.special("demo-1.0.0/link", EntryType::Symlink, target));
        assert!(reason.contains("leads out"), "{target}: {reason}");
    }
}

#[test]
fn archives_with_anything_else_than_files_are_refused() {
    for kind in [EntryType::Link, EntryType::Fifo, EntryType::Char, EntryType::Block, EntryType::GNUSparse] {
        let reason = refusal(|archive| archive.special("demo-1.0.0/x", kind, "demo-1.0.0/y"));
        assert!(
            reason.contains("neither a file") || reason.contains("cannot be unpacked"),
            "{kind:?}: {reason}"
        );
    }
}

#[test]
fn archives_that_are_ambiguous_too_large_broken_or_empty_are_refused() {
    let twice = refusal(|archive| {
        archive.file("demo-1.0.0/a", 0o644, b"x");
        archive.file("demo-1.0.0/a", 0o644, b"y");
    });
    assert!(twice.contains("twice"), "{twice}");
    let both = refusal(|archive| {
        archive.special("demo-1.0.0/a", EntryType::Symlink, "b");
        archive.file("demo-1.0.0/a/c", 0o644, b"y");
    });
    assert!(both.contains("a file and a folder"), "{both}");
    let large = refusal(|archive| archive.file_that_claims("demo-1.0.0/a", 1 << 40));
    assert!(large.contains("more than"), "{large}");
    assert!(refusal(|_| ()).contains("no files"));
    assert!(refusal_of(b"not an archive".to_vec()).contains("cannot be unpacked"));
}

#[test]
fn links_that_stay_inside_are_kept_as_links() {
    let registry = Registry::new();
    let mut archive = ArchiveBuilder::new();
    archive.special("demo-1.0.0/", EntryType::Directory, "");
    archive.special("demo-1.0.0/docs", EntryType::Directory, "");
    archive.file("demo-1.0.0/README", 0o644, b"read me");
    archive.special("demo-1.0.0/docs/README", EntryType::Symlink, "../README");
    registry.publish_archive("1.0.0", archive.finish());
    let mirror = registry.mirror("registry:demo");
    let commit = poll(&mirror, None).unwrap().new.remove(0).commit;
    let entries = mirror.repo().tree(&commit).unwrap().entries().unwrap();
    let kinds: Vec<_> = entries.iter().map(|entry| (entry.path.as_str(), entry.kind)).collect();
    assert_eq!(kinds, [("README", EntryKind::File), ("docs/README", EntryKind::Link)]);
}

#[test]
fn without_a_configuration_file_nothing_but_the_default_registry_is_named() {
    // Only that no address stands in our own code can be told without a network.
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src/source/registry");
    for entry in std::fs::read_dir(sources).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("https://"), "an address stands in the code");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_unpacking_panic_or_yield_unsafe_paths(bytes in proptest::collection::vec(any::<u8>(), 0..600), paths in proptest::collection::vec("(demo-1.0.0/)?[a./\\\\g\u{e9}-]{0,12}", 0..5)) {
        let version = label("1.0.0");
        drop(crate::source::registry::unpack_for_test(&bytes, "demo", &version));
        let mut archive = ArchiveBuilder::new();
        for path in &paths {
            archive.file(path, 0o644, b"x");
        }
        if let Ok(paths) = crate::source::registry::unpack_for_test(&archive.finish(), "demo", &version) {
            for path in paths {
                prop_assert!(!path.starts_with('/') && !path.split('/').any(|part| matches!(part, ".." | "." | "")));
            }
        }
    }
}
