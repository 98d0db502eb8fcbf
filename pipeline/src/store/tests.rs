//! The database, filled, broken and reopened.

use super::*;
use crate::engine::Event;

fn store(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("state.db")).unwrap()
}

fn started(run: &str) -> Event {
    let json = serde_json::json!({
        "event": "started",
        "header": {
            "run": run, "started_ms": 7, "tidelock": "0.0.0", "config_digest": "00".repeat(16),
            "port": "p", "language": "python", "branch": "main",
            "head": {"commit": "1".repeat(40), "tree": "2".repeat(40)},
            "source": "registry:x", "baseline": "0.1.0", "targets": [], "newest": "0.1.0", "lag": 0,
            "chain": [], "confinement": "none", "dry_run": false, "notices": []
        }
    });
    serde_json::from_value(json).unwrap()
}

#[test]
fn events_come_back_in_order_from_another_opening() {
    let folder = tempfile::tempdir().unwrap();
    let events = [started("r"), Event::Finished { at_ms: 9 }];
    let mut first = store(&folder);
    for (seq, event) in events.iter().enumerate() {
        first.append("r", seq, event).unwrap();
    }
    drop(first);
    let again = store(&folder);
    assert_eq!(again.events("r").unwrap(), events);
    assert_eq!(again.runs().unwrap()[0].status, RunStatus::Over);
}

#[test]
fn an_event_is_never_stored_twice_in_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(&folder);
    store.append("r", 0, &started("r")).unwrap();
    store.append("r", 1, &Event::Finished { at_ms: 1 }).unwrap();
    assert!(store.append("r", 1, &Event::Finished { at_ms: 2 }).is_err());
    assert_eq!(store.events("r").unwrap().len(), 2);
}

#[test]
fn a_gap_in_the_journal_is_damage_and_not_a_shorter_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(&folder);
    store.append("r", 0, &started("r")).unwrap();
    store.append("r", 2, &Event::Finished { at_ms: 1 }).unwrap();
    assert!(matches!(store.events("r"), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_newer_database_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    drop(store(&folder));
    let path = folder.path().join("state.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(&path, "not a database, and long enough to be looked at as one".repeat(40)).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("state.db"));
}

#[test]
fn a_full_disk_is_told_apart_and_loses_nothing_that_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(&folder);
    store.append("r", 0, &started("r")).unwrap();
    let pages: i64 = store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let Event::Started { header } = started("s") else { unreachable!() };
    let big = Event::Started { header: crate::engine::RunHeader { port: "x".repeat(1 << 20), ..header } };
    let error = store.append("s", 0, &big).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert_eq!(store.events("r").unwrap().len(), 1);
    assert_eq!(store.runs().unwrap().len(), 1, "the run that did not fit is not half there");
}

#[test]
fn what_may_not_be_written_is_read_from_a_copy_with_its_newest_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(&folder);
    store.append("r", 0, &started("r")).unwrap();
    let path = folder.path().join("state.db");
    let newest = std::fs::metadata(folder.path().join("state.db-wal")).unwrap().len();
    assert!(newest > 0, "the event is not in the database itself yet");
    let copy = Store::open_copy(&path).unwrap();
    assert_eq!(copy.events("r").unwrap(), [started("r")]);
    assert_eq!(copy.path(), path, "messages name the original");
    drop(copy);
    store.append("r", 1, &Event::Finished { at_ms: 1 }).unwrap();
    assert_eq!(Store::open_shared(&path).unwrap().events("r").unwrap().len(), 2);
}

#[test]
fn a_folder_in_the_place_of_the_database_is_no_matter_of_rights() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("state.db")).unwrap();
    let error = Store::open(&folder.path().join("state.db")).unwrap_err();
    assert!(matches!(error, StoreError::Database { .. }), "{error}");
}

#[test]
fn a_reader_makes_no_database_and_brings_none_to_a_newer_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    assert!(Store::open_read_only(&path).is_err());
    assert!(!path.exists());
    // One whose making was broken off.
    Connection::open(&path).unwrap().execute_batch("VACUUM").unwrap();
    let before = std::fs::read(&path).unwrap();
    // It is read in a copy, which is brought to today's format instead.
    assert_eq!(Store::open_read_only(&path).unwrap().runs().unwrap(), []);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    drop(Store::open(&path).unwrap());
    assert_eq!(Store::open_read_only(&path).unwrap().runs().unwrap(), []);
}
