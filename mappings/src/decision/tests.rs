//! Decisions as people write them, right and wrong.

use super::*;
use crate::testing::{function, label, path, revision};

fn decisions(toml: &str) -> Result<Decisions, DecisionError> {
    #[derive(serde::Deserialize)]
    struct File {
        decision: Vec<DecisionRule>,
    }
    Decisions::new(&toml::from_str::<File>(toml).unwrap().decision)
}

fn one(lines: &str) -> Result<Decisions, DecisionError> {
    decisions(&format!("[[decision]]\nreason = 'why'\nowner = 'Ann'\n{lines}"))
}

#[test]
fn broken_decisions_are_refused_with_the_key() {
    let words = |text: &str| format!("[[decision]]\ndisposition = 'declined'\nitems = 'k::f'\n{text}");
    for (toml, key, what) in [
        (words("reason = ''\nowner = 'Ann'"), "reason", "is empty"),
        (words("reason = 'why'\nowner = '  '"), "owner", "is empty"),
        (words("reason = \"two\\nlines\"\nowner = 'Ann'"), "reason", "must be one line"),
        (words(&format!("reason = '{}'\nowner = 'Ann'", "x".repeat(1_001))), "reason", "too long"),
    ] {
        let error = decisions(&toml).unwrap_err();
        assert_eq!((error.number, error.key), (1, key), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    for (lines, key, what) in [
        ("disposition = 'declined'", "disposition", "of nothing"),
        ("disposition = 'declined'\nitems = 'k::f'\nrevision = '1'", "revision", "both given"),
        ("disposition = 'declined'\nitems = 'k::{f'", "items", "not closed"),
        ("disposition = 'declined'\nrevision = ''", "revision", "revision"),
        ("disposition = 'pinned'\nitems = 'k::f'", "items", "not at items"),
        ("disposition = 'deferred'\nitems = 'k::f'", "disposition", "needs `until`"),
        ("disposition = 'declined'\nitems = 'k::f'\nuntil = 'soon'", "until", "`soon` is no day"),
        ("disposition = 'declined'\nitems = 'k::f'\nuntil = '2027-02-30'", "until", "is no day"),
        ("disposition = 'declined'\nitems = 'k::f'\nuntil = '2027-3-1'", "until", "is no day"),
        ("disposition = 'declined'\nitems = 'k::f'\nuntil = '2027-03-01T00:00:00'", "until", "is no day"),
    ] {
        let error = one(lines).unwrap_err();
        assert_eq!(error.key, key, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_decision_holds_until_its_day_and_not_on_it() {
    let decisions = one("disposition = 'deferred'\nitems = 'k::*'\nuntil = '2027-03-01'").unwrap();
    let holds = |today| decisions.on(day(today).unwrap(), &[]).unwrap();
    let held = holds("2027-02-28");
    let hold = held.of_path(&path("k::f")).unwrap();
    assert_eq!(hold.reason, "why (Ann, until 2027-03-01)");
    assert!(held.of_path(&path("other::f")).is_none());
    assert!(holds("2027-03-01").of_path(&path("k::f")).is_none());
    assert_eq!(decisions.expired(day("2027-02-28").unwrap()).count(), 0);
    assert_eq!(decisions.expired(day("2027-03-01").unwrap()).count(), 1);
}

#[test]
fn the_oldest_pin_holds_and_an_unknown_revision_is_named() {
    let revisions = ["1", "2", "3"].map(revision);
    let today = day("2027-01-01").unwrap();
    let two = "[[decision]]\ndisposition = 'pinned'\nrevision = '3'\nreason = 'a'\nowner = 'b'\n\
               [[decision]]\ndisposition = 'pinned'\nrevision = '2'\nreason = 'a'\nowner = 'b'\n";
    let holds = decisions(two).unwrap().on(today, &revisions).unwrap();
    assert_eq!(holds.pin().unwrap().revision, label("2"));
    let unknown = one("disposition = 'declined'\nrevision = '9'").unwrap();
    let error = unknown.on(today, &revisions).unwrap_err().to_string();
    assert!(error.starts_with("[[decision]] 1 (declined `9`) names a revision"), "{error}");
    // What has expired is not looked up.
    let expired = one("disposition = 'declined'\nrevision = '9'\nuntil = '2026-01-01'").unwrap();
    assert!(expired.on(today, &revisions).is_ok());
    let by_commit: String = revisions[1].commit.as_str().chars().take(7).collect();
    let named = one(&format!("disposition = 'pinned'\nrevision = '{by_commit}'")).unwrap();
    assert_eq!(named.on(today, &revisions).unwrap().pin().unwrap().revision, label("2"));
}

#[test]
fn a_declined_revision_holds_what_it_changed_until_a_later_one_changes_it_again() {
    let revisions = ["1", "2", "3"].map(revision);
    let decisions = one("disposition = 'declined'\nrevision = '2'").unwrap();
    let holds = decisions.on(day("2027-01-01").unwrap(), &revisions).unwrap();
    let item_at = |label: &RevisionLabel, item: &upstream::ItemPath| match (label.as_str(), item.as_str()) {
        ("1", "k::f") => Some(function("k::f", "1")),
        ("2", "k::f") => Some(function("k::f", "2")),
        (_, "k::same") => Some(function("k::same", "1")),
        ("1", "k::gone") => Some(function("k::gone", "1")),
        _ => None,
    };
    let held = |at: &str, body: &str| holds.of_item(&path(at), Some(&function(at, body)), &item_at).is_some();
    assert!(held("k::f", "2"));
    assert!(!held("k::f", "3"), "changed again");
    assert!(!held("k::f", "1"), "taken back");
    assert!(!held("k::same", "1"));
    assert!(!held("k::new", "1"), "it came later");
    assert!(holds.of_item(&path("k::gone"), None, &item_at).is_some());
    assert!(holds.of_revision(&label("2")).is_some() && holds.of_revision(&label("3")).is_none());
}
