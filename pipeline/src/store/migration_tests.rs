//! Filled databases of each format that there ever was, opened by today's code.

use super::schema::MIGRATIONS;
use super::*;
use crate::engine::{Effect, Event, RunState, effect, record};

/// Databases of the formats from 1 on, as each was written.
const FORMATS: &[&str] = &[include_str!("formats/1.sql")];

/// A database as an older program left it.
fn written(folder: &tempfile::TempDir, sql: &str) -> PathBuf {
    let path = folder.path().join("state.db");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(sql).unwrap();
    path
}

fn format(path: &Path) -> usize {
    let number = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    let found = Connection::open(path).unwrap().query_row("PRAGMA user_version", [], number).unwrap();
    usize::try_from(found).unwrap()
}

fn dump(path: &Path) -> Vec<(String, i64, String)> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT run, seq, event FROM events ORDER BY run, seq").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn there_is_a_filled_database_of_every_format() {
    assert_eq!(FORMATS.len(), MIGRATIONS.len(), "add `formats/{}.sql`, filled by a run", MIGRATIONS.len());
}

#[test]
fn a_filled_database_of_every_format_is_read_in_full_and_its_open_run_goes_on() {
    for (at, sql) in FORMATS.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, sql);
        let before = dump(&path);
        let mut store = Store::open(&path).unwrap();
        let rows = store.runs().unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.run.as_str(), row.status)).collect();
        assert_eq!(
            told,
            [
                ("20261121-100958-70a6", RunStatus::Open),
                ("20261121-100954-9a7e", RunStatus::Over),
                ("20261121-090000-0a1b", RunStatus::Abandoned),
            ],
            "format {}",
            at + 1
        );
        for row in &rows {
            let events = store.events(&row.run).unwrap();
            // What is read is all that was written: writing it again gives the same.
            let written = before.iter().filter(|(run, ..)| *run == row.run);
            for (event, (_, seq, text)) in events.iter().zip(written) {
                let was: serde_json::Value = serde_json::from_str(text).unwrap();
                assert_eq!(serde_json::to_value(event).unwrap(), was, "event {seq} of {}", row.run);
            }
            let (told, state) = record(&events).unwrap();
            assert_eq!(told.unwrap().run, row.run);
            assert_eq!(effect(&state).is_none(), row.status == RunStatus::Over, "{}", row.run);
        }
        let open = &rows[0].run;
        let events = store.events(open).unwrap();
        let (_, state) = record(&events).unwrap();
        let Some(Effect::Advance { to, .. }) = effect(&state) else { panic!("{state:?}") };
        assert_eq!(to.as_str(), "6f7fdcb76ba596398e1bbf9b9508078bac9ec318");
        let RunState::Working(work) = state else { unreachable!() };
        store.append(open, events.len(), &Event::BranchMoved { head: work.head }).unwrap();
        assert_eq!(store.events(open).unwrap().len(), events.len() + 1);
        assert_eq!(format(&path), MIGRATIONS.len());
    }
}

#[test]
fn a_database_whose_making_was_broken_off_is_made() {
    let folder = tempfile::tempdir().unwrap();
    // The file is there, and even in use, but of format 0.
    let path = written(&folder, "");
    assert_eq!(Store::open(&path).unwrap().runs().unwrap(), []);
    assert_eq!(format(&path), MIGRATIONS.len());
}

/// What a later format could ask for: a column that is filled from what is there.
const LATER: &str = "ALTER TABLE runs ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
    UPDATE runs SET events = (SELECT count(*) FROM events WHERE events.run = runs.run);";

#[test]
fn a_later_format_keeps_every_row_and_is_refused_by_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, FORMATS[FORMATS.len() - 1]);
    let before = dump(&path);
    let store = Store::open(&path).unwrap();
    let later: Vec<&str> = MIGRATIONS.iter().copied().chain([LATER]).collect();
    store.migrate(&later).unwrap();
    assert_eq!(format(&path), later.len());
    let counted: i64 =
        store.connection.query_row("SELECT sum(events) FROM runs", [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(counted), Ok(before.len()));
    assert_eq!(dump(&path), before);
    drop(store);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("update Tidelock"), "{error}");
    assert!(matches!(Store::open_to_read(&path), Err(StoreError::Newer { .. })), "nor is it read");
    assert_eq!(dump(&path), before, "it is left as it was");
}

#[test]
fn a_migration_that_fails_leaves_the_database_in_its_format_with_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, FORMATS[0]);
    let before = dump(&path);
    let store = Store::open(&path).unwrap();
    let broken = "ALTER TABLE runs ADD COLUMN half TEXT; INSERT INTO no_such_table VALUES (1);";
    let later: Vec<&str> = MIGRATIONS.iter().copied().chain([broken]).collect();
    assert!(store.migrate(&later).is_err());
    drop(store);
    assert_eq!(format(&path), MIGRATIONS.len());
    assert_eq!(dump(&path), before);
    let again = Store::open(&path).unwrap();
    assert_eq!(again.runs().unwrap().len(), 3);
    assert!(again.connection.prepare("SELECT half FROM runs").is_err(), "nothing of it stays");
}

#[test]
fn two_processes_that_open_it_at_once_bring_it_to_the_format_once() {
    for sql in ["", FORMATS[0]] {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, sql);
        let later: Vec<&str> = MIGRATIONS.iter().copied().chain([LATER]).collect();
        std::thread::scope(|scope| {
            let open = || {
                // Opened by hand: `Store::open` knows no later format.
                let connection = Connection::open(&path).unwrap();
                connection.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
                let store = Store { connection, path: path.clone(), _copy: None };
                store.migrate(&later)
            };
            let all: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            for one in all {
                one.join().unwrap().unwrap();
            }
        });
        assert_eq!(format(&path), later.len());
    }
}
