//! Sources as text.

use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> String {
    text.parse::<SourceSpec>().unwrap_err().to_string()
}

#[test]
fn every_form_reads_as_it_is_documented() {
    let git =
        |url: &str, follow| SourceSpec::Git { url: url.to_owned(), follow, history: History::FirstParent };
    let full = |url: &str, follow| SourceSpec::Git { url: url.to_owned(), follow, history: History::Full };
    let tags = |order, pre_releases| Follow::Tags { pattern: "v*".to_owned(), order, pre_releases };
    let cases = [
        ("registry:strsim", SourceSpec::Registry { krate: "strsim".to_owned(), pre_releases: false }),
        ("registry:a-b#pre-releases", SourceSpec::Registry { krate: "a-b".to_owned(), pre_releases: true }),
        ("git:../up", git("../up", Follow::DefaultBranch)),
        ("git:ssh://host/up#branch=main", git("ssh://host/up", Follow::Branch("main".to_owned()))),
        ("git:/up#tags=v*", git("/up", tags(TagOrder::Version, true))),
        ("git:/up#by-date&tags=v*", git("/up", tags(TagOrder::Date, true))),
        ("git:/up#by-date&no-pre-releases&tags=v*", git("/up", tags(TagOrder::Date, false))),
        ("git:/up#full-history", full("/up", Follow::DefaultBranch)),
        ("git:/up#full-history&branch=a&b", full("/up", Follow::Branch("a&b".to_owned()))),
        ("git:/odd#name#default-branch", git("/odd#name", Follow::DefaultBranch)),
    ];
    for (text, expected) in cases {
        let spec: SourceSpec = text.parse().unwrap();
        assert_eq!(spec, expected);
        assert_eq!(spec.to_string(), text);
        assert_eq!(serde_json::from_value::<SourceSpec>(serde_json::json!(text)).unwrap(), expected);
    }
}

#[test]
fn what_is_no_source_is_refused_with_what_to_write() {
    assert!(refused("strsim").contains("registry:CRATE"));
    assert!(refused("registry:../x").contains("not the name of a crate"));
    assert!(refused("registry:x#yanked").contains("pre-releases"));
    assert!(refused("git:/up#brunch=main").contains("branch=NAME"));
    assert!(refused("git:/up#branch=a..b").contains("not the name of a branch"));
    assert!(refused("git:/up#tags=").contains("pattern"));
    assert!(refused("git:/up#full-history&tags=*").contains("about a branch"));
    assert!(refused("git:/up#by-date&branch=main").contains("about tags"));
    assert!(refused("git:/up#no-pre-releases").contains("about tags"));
    assert!(refused("git:--upload-pack=x").contains("URL or the path"));
    assert!(refused("git:").contains("URL or the path"));
}

#[test]
fn a_password_is_refused_and_not_repeated() {
    for source in [
        "git:https://me:secret@host/up",
        "git:https://secret@host/up#branch=main",
        "git:ssh://me:secret@host/up",
    ] {
        let message = refused(source);
        assert!(message.contains("credential helper"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    assert!("git:ssh://git@host/up".parse::<SourceSpec>().is_ok());
}

proptest! {
    #[test]
    fn what_parses_prints_as_itself(text in "(registry|git):[a-z/.#=*-]{0,20}(#((full-history|by-date|no-pre-releases)&){0,2}(branch|tags)=[a-z*./&-]{0,8}|#pre-releases|#default-branch|#full-history)?") {
        if let Ok(spec) = text.parse::<SourceSpec>() {
            prop_assert_eq!(spec.to_string().parse::<SourceSpec>().unwrap(), spec);
        }
    }
}
