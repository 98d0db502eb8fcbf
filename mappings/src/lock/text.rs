//! The lock as text: one entry a line, sorted, so that two branches merge line by line.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use upstream::{CommitId, ItemPath, RevisionLabel};

use super::{Disposition, HeldItem, LOCK_VERSION, Link, Lock, ParkedItem, Proof, RecordedRevision};

/// The oldest format that this program reads.
pub(super) const LOCK_VERSION_MIN: u32 = 1;

/// How large a lock may be, in bytes: room for some hundred thousand links.
const LOCK_BYTES_MAX: usize = 64 * 1024 * 1024;

const HEAD: &str = "\
# tidelock.lock: what this port equals, item by item. Written by `tidelock`, committed with the work.
# After a merge conflict keep the entries of both sides where they differ in their item, take the newer
# side's `baseline` and `commit`, and run `tidelock verify`.
";

/// A lock that cannot be used. Each says where it is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// A merge was not finished.
    #[error(
        "tidelock.lock:{line}: a conflict marker of an unfinished merge; \
         resolve the conflict, then run `tidelock verify`"
    )]
    Conflict {
        /// The line, from 1.
        line: usize,
    },
    /// A newer Tidelock wrote it.
    #[error("tidelock.lock has version {found}, and this tidelock reads up to {known}; use a newer tidelock")]
    Newer {
        /// The version of the lock.
        found: u32,
        /// The newest that can be read.
        known: u32,
    },
    /// It is not TOML, or not a lock.
    #[error("tidelock.lock:{line}:{column}: {reason}; restore it from the port's history")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1, in characters.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// Something that may stand there once stands there twice.
    #[error("tidelock.lock:{line}:{column}: a second {table} entry for `{name}`; keep the newer one")]
    Duplicate {
        /// The line, from 1.
        line: usize,
        /// The column, from 1, in characters.
        column: usize,
        /// `links`, `parked`, `held` or `revisions`.
        table: &'static str,
        /// What is there twice.
        name: String,
    },
    /// The baseline and the recorded revisions contradict each other.
    #[error(
        "tidelock.lock:{line}:{column}: the baseline `{baseline}` ({commit}) is not the last recorded \
         revision that was not withdrawn, which is {last}; restore the lock from the port's history"
    )]
    Baseline {
        /// The line, from 1.
        line: usize,
        /// The column, from 1, in characters.
        column: usize,
        /// The baseline as written.
        baseline: RevisionLabel,
        /// Its commit as written.
        commit: CommitId,
        /// What the records end with, in words.
        last: String,
    },
    /// It is larger than any lock can be.
    #[error("tidelock.lock is {bytes} bytes long, and {LOCK_BYTES_MAX} are the most")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

#[derive(Deserialize)]
struct Version {
    version: Spanned<i64>,
}

/// What a port equals, item by item. The text is TOML; docs/lock.md tells what must hold beyond its shape.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Lock")]
struct RawLock {
    /// The version of the format.
    #[serde(rename = "version")]
    #[schemars(range(min = 1, max = 3))]
    _version: u32,
    /// The upstream as its source is written in the configuration, such as `registry:strsim`.
    source: String,
    /// The revision that the port equals, apart from what is parked.
    #[schemars(with = "RevisionLabel")]
    baseline: Spanned<RevisionLabel>,
    /// Its commit in the mirror.
    commit: CommitId,
    /// The revisions from adoption to the baseline, oldest first.
    #[serde(default)]
    #[schemars(with = "Vec<RecordedRevision>")]
    revisions: Vec<Spanned<RecordedRevision>>,
    /// The links by item.
    #[serde(default)]
    #[schemars(with = "Vec<Link>")]
    links: Vec<Spanned<Link>>,
    /// What waits for a person, by item.
    #[serde(default)]
    #[schemars(with = "Vec<ParkedItem>")]
    parked: Vec<Spanned<ParkedItem>>,
    /// What the port does not follow although it changed, by item.
    #[serde(default)]
    #[schemars(with = "Vec<HeldItem>")]
    held: Vec<Spanned<HeldItem>>,
}

/// The JSON schema of a lock, which is TOML, for those who read it without Tidelock.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(RawLock).as_value())
}

impl Lock {
    /// Reads a lock strictly: what it does not know, it refuses.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        if text.len() > LOCK_BYTES_MAX {
            return Err(LockError::TooLarge { bytes: text.len() });
        }
        let is_marker = |line: &str| {
            ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark))
        };
        if let Some(at) = text.lines().position(is_marker) {
            return Err(LockError::Conflict { line: at + 1 });
        }
        let malformed = |error: toml::de::Error| {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            LockError::Malformed { line, column, reason: error.message().trim().replace('\n', ", ") }
        };
        // What this program wrote is read line by line; anything else goes to the reader that tells what is wrong.
        if let Some(lock) = super::lines::read(text) {
            return Ok(lock);
        }
        check_version(text, toml::from_str(text).map_err(malformed)?)?;
        let raw: RawLock = toml::from_str(text).map_err(malformed)?;
        check_baseline(text, &raw)?;
        check_held(text, &raw.held)?;
        unique(text, "revisions", &raw.revisions, |recorded| recorded.revision.as_str())?;
        Ok(Self {
            source: raw.source,
            baseline: raw.baseline.into_inner(),
            commit: raw.commit,
            links: by_item(text, "links", raw.links, |link| &link.item)?,
            revisions: raw.revisions.into_iter().map(Spanned::into_inner).collect(),
            parked: by_item(text, "parked", raw.parked, |parked| &parked.item)?,
            held: by_item(text, "held", raw.held, |held| &held.item)?,
        })
    }

    /// Writes a lock. Equal locks give equal texts.
    pub fn render(&self) -> String {
        let mut text = format!(
            "{HEAD}\nversion = {LOCK_VERSION}\nsource = {}\nbaseline = {}\ncommit = {}\n",
            quoted(&self.source),
            quoted(self.baseline.as_str()),
            quoted(self.commit.as_str()),
        );
        let revisions = self.revisions.iter().map(|recorded| {
            let mut fields = vec![
                ("revision", recorded.revision.as_str()),
                ("commit", recorded.commit.as_str()),
                ("disposition", disposition_word(recorded.disposition)),
            ];
            if !recorded.reason.is_empty() {
                fields.push(("reason", &recorded.reason));
            }
            inline(&fields)
        });
        array(&mut text, "revisions", revisions);
        array(&mut text, "links", self.links.values().map(link_line));
        let parked = self.parked.values().map(|parked| {
            inline(&[
                ("item", parked.item.as_str()),
                ("symbol", parked.symbol.as_str()),
                ("revision", parked.revision.as_str()),
                ("reason", &parked.reason),
            ])
        });
        array(&mut text, "parked", parked);
        array(&mut text, "held", self.held.values().map(held_line));
        text
    }
}

fn link_line(link: &Link) -> String {
    let line = inline(&[
        ("item", link.item.as_str()),
        ("symbol", link.symbol.as_str()),
        ("upstream", &link.upstream.to_string()),
        ("written", &link.written.to_string()),
        ("revision", link.revision.as_str()),
        ("proof", proof_word(link.proof)),
    ]);
    if link.parts.is_empty() {
        return line;
    }
    let part = |part: &super::LinkPart| {
        inline(&[("symbol", part.symbol.as_str()), ("written", &part.written.to_string())])
    };
    let parts: Vec<String> = link.parts.iter().map(part).collect();
    format!("{}, parts = [{}] }}", line.trim_end_matches(" }"), parts.join(", "))
}

fn held_line(held: &HeldItem) -> String {
    let mut fields = vec![("item", held.item.as_str())];
    fields.extend(held.symbol.as_ref().map(|symbol| ("symbol", symbol.as_str())));
    fields.extend([
        ("revision", held.revision.as_str()),
        ("disposition", disposition_word(held.disposition)),
        ("reason", held.reason.as_str()),
    ]);
    inline(&fields)
}

fn check_version(text: &str, head: Version) -> Result<(), LockError> {
    let start = head.version.span().start;
    match u32::try_from(head.version.into_inner()) {
        Ok(found) if found > LOCK_VERSION => Err(LockError::Newer { found, known: LOCK_VERSION }),
        Ok(LOCK_VERSION_MIN..=LOCK_VERSION) => Ok(()),
        Ok(_) | Err(_) => {
            let (line, column) = position(text, start);
            let reason = format!("there is no such version; this tidelock writes {LOCK_VERSION}");
            Err(LockError::Malformed { line, column, reason })
        }
    }
}

fn check_baseline(text: &str, raw: &RawLock) -> Result<(), LockError> {
    let last = raw
        .revisions
        .iter()
        .map(Spanned::get_ref)
        .rfind(|recorded| recorded.disposition != Disposition::Withdrawn);
    let agrees =
        |last: &&RecordedRevision| last.revision == *raw.baseline.get_ref() && last.commit == raw.commit;
    if last.as_ref().is_some_and(agrees) {
        return Ok(());
    }
    let (line, column) = position(text, raw.baseline.span().start);
    let last = last.map_or("none".to_owned(), |last| format!("`{}` ({})", last.revision, last.commit));
    let baseline = raw.baseline.get_ref().clone();
    Err(LockError::Baseline { line, column, baseline, commit: raw.commit.clone(), last })
}

/// What is held was left alone; any other word would claim something else.
fn check_held(text: &str, held: &[Spanned<HeldItem>]) -> Result<(), LockError> {
    let Some(wrong) = held.iter().find(|held| !held.get_ref().disposition.leaves_alone()) else {
        return Ok(());
    };
    let (line, column) = position(text, wrong.span().start);
    let word = disposition_word(wrong.get_ref().disposition);
    let reason = format!("what is held is `declined`, `deferred` or `not-ported`, and never `{word}`");
    Err(LockError::Malformed { line, column, reason })
}

fn unique<Entry>(
    text: &str,
    table: &'static str,
    entries: &[Spanned<Entry>],
    name_of: impl Fn(&Entry) -> &str,
) -> Result<(), LockError> {
    let mut seen = BTreeSet::new();
    match entries.iter().find(|entry| !seen.insert(name_of(entry.get_ref()))) {
        Some(entry) => {
            let (line, column) = position(text, entry.span().start);
            Err(LockError::Duplicate { line, column, table, name: name_of(entry.get_ref()).to_owned() })
        }
        None => Ok(()),
    }
}

fn by_item<Entry>(
    text: &str,
    table: &'static str,
    entries: Vec<Spanned<Entry>>,
    item_of: impl Fn(&Entry) -> &ItemPath,
) -> Result<BTreeMap<ItemPath, Entry>, LockError> {
    unique(text, table, &entries, |entry| item_of(entry).as_str())?;
    let entries = entries.into_iter().map(Spanned::into_inner);
    Ok(entries.map(|entry| (item_of(&entry).clone(), entry)).collect())
}

/// Line and column, both from 1, of a place in a text.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

fn array(text: &mut String, name: &str, entries: impl Iterator<Item = String>) {
    text.extend(["\n", name, " = [\n"]);
    for entry in entries {
        text.extend(["  ", &entry, ",\n"]);
    }
    text.push_str("]\n");
}

fn inline(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name} = {}", quoted(value))).collect();
    format!("{{ {} }}", fields.join(", "))
}

/// A basic string on one line, whatever it holds.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for letter in value.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            _ if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') => {
                text.extend(["\\u", &format!("{:04X}", u32::from(letter))]);
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
    text
}

fn disposition_word(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Adopted => "adopted",
        Disposition::Landed => "landed",
        Disposition::Absorbed => "absorbed",
        Disposition::NotPorted => "not-ported",
        Disposition::Declined => "declined",
        Disposition::Deferred => "deferred",
        Disposition::Parked => "parked",
        Disposition::Withdrawn => "withdrawn",
    }
}

fn proof_word(proof: Proof) -> &'static str {
    match proof {
        Proof::Proved => "proved",
        Proof::Tested => "tested",
        Proof::MappedOnly => "mapped-only",
        Proof::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use upstream::ContentHash;

    use super::*;
    use crate::testing::{label, path, revision, symbol_path};

    fn link(item: &str) -> Link {
        Link {
            item: path(item),
            symbol: symbol_path("p.f"),
            upstream: ContentHash::of(item),
            written: ContentHash::of("written"),
            revision: label("1.0.0"),
            proof: Proof::MappedOnly,
            parts: Vec::new(),
        }
    }

    fn recorded(name: &str, disposition: Disposition) -> RecordedRevision {
        let revision = revision(name);
        let reason = String::new();
        RecordedRevision { revision: revision.label, commit: revision.commit, disposition, reason }
    }

    fn lock() -> Lock {
        Lock {
            source: "registry:strsim".to_owned(),
            baseline: label("1.0.0"),
            commit: revision("1.0.0").commit,
            links: ["k::f", "k::a"].map(|item| (path(item), link(item))).into(),
            revisions: vec![recorded("1.0.0", Disposition::Adopted)],
            parked: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    #[test]
    fn a_lock_has_one_entry_a_line_and_is_sorted() {
        let mut lock = lock();
        lock.commit = CommitId::new("0123456789abcdef0123456789abcdef01234567").unwrap();
        lock.revisions[0].commit = lock.commit.clone();
        lock.revisions[0].reason = "said so \"by hand\"".to_owned();
        insta::assert_snapshot!(lock.render(), @r#"
        # tidelock.lock: what this port equals, item by item. Written by `tidelock`, committed with the work.
        # After a merge conflict keep the entries of both sides where they differ in their item, take the newer
        # side's `baseline` and `commit`, and run `tidelock verify`.

        version = 3
        source = "registry:strsim"
        baseline = "1.0.0"
        commit = "0123456789abcdef0123456789abcdef01234567"

        revisions = [
          { revision = "1.0.0", commit = "0123456789abcdef0123456789abcdef01234567", disposition = "adopted", reason = "said so \"by hand\"" },
        ]

        links = [
          { item = "k::a", symbol = "p.f", upstream = "48ed87b019f4f7496583c135d07a518b", written = "2eedda6137f6f58ddbfefd2c9bca9c26", revision = "1.0.0", proof = "mapped-only" },
          { item = "k::f", symbol = "p.f", upstream = "c0e0122d84060bd7814aae723384874c", written = "2eedda6137f6f58ddbfefd2c9bca9c26", revision = "1.0.0", proof = "mapped-only" },
        ]

        parked = [
        ]

        held = [
        ]
        "#);
    }

    #[test]
    fn the_documented_lock_is_one_and_is_written_as_documented() {
        let page = include_str!("../../../docs/lock.md");
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let lock = Lock::parse(example).unwrap();
        assert_eq!(lock.render().strip_prefix(HEAD).map(str::trim), Some(example.trim()));
    }

    /// What the schema has against a lock.
    fn faults(text: &str) -> Vec<String> {
        static SCHEMA: LazyLock<jsonschema::Validator> =
            LazyLock::new(|| jsonschema::validator_for(&serde_json::from_str(&schema()).unwrap()).unwrap());
        let value: serde_json::Value = toml::from_str(text).unwrap();
        SCHEMA.iter_errors(&value).map(|error| format!("{error} at {}", error.instance_path())).collect()
    }

    #[test]
    fn the_schema_takes_what_is_written_and_refuses_what_is_no_lock() {
        let text = lock().render();
        assert_eq!(faults(&text), Vec::<String>::new());
        for (right, wrong) in [
            ("version = 3", "version = 4"),
            ("baseline = \"1.0.0\"", "baseline = \"\""),
            ("disposition = \"adopted\"", "disposition = \"kept\""),
            ("proof = \"mapped-only\"", "proof = \"mapped-only\", sure = true"),
            ("upstream = \"", "upstream = \"x"),
            ("source = \"registry:strsim\"\n", ""),
        ] {
            assert_eq!(faults(&text.replacen(right, wrong, 1)).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn unfinished_merges_are_named_by_line() {
        let text = lock().render().replace("version = 3", "<<<<<<< ours\nversion = 3");
        assert_eq!(Lock::parse(&text), Err(LockError::Conflict { line: 5 }));
    }

    #[test]
    fn a_newer_lock_is_refused_with_both_versions() {
        let text = lock().render().replace("version = 3", "version = 7\nfresh = true");
        assert_eq!(Lock::parse(&text), Err(LockError::Newer { found: 7, known: 3 }));
        let text = lock().render().replace("version = 3", "version = -1");
        assert!(matches!(Lock::parse(&text), Err(LockError::Malformed { line: 5, column: 11, .. })));
    }

    #[test]
    fn a_lock_of_the_first_version_holds_nothing_and_is_written_as_a_new_one() {
        let whole = lock().render();
        let old = whole.replace("version = 3", "version = 1").replace("\nheld = [\n]\n", "");
        assert_ne!(old, whole);
        assert_eq!(Lock::parse(&old), Ok(lock()));
        assert_eq!(Lock::parse(&whole.replace("version = 3", "version = 2")), Ok(lock()));
    }

    #[test]
    fn the_symbols_of_a_split_item_stand_in_its_line() {
        let mut lock = lock();
        let written = ContentHash::of("more");
        let part = |at: &str| crate::lock::LinkPart { symbol: symbol_path(at), written };
        lock.links.get_mut(&path("k::f")).unwrap().parts = vec![part("p.g"), part("q.\"h")];
        let text = lock.render();
        let line = text.lines().find(|line| line.contains("k::f")).unwrap();
        let end = "proof = \"mapped-only\", parts = [{ symbol = \"p.g\", written = \"";
        assert!(line.contains(end), "{line}");
        assert_eq!(Lock::parse(&text), Ok(lock));
        for (from, to, what) in [
            ("{ symbol = \"p.g\", ", "{ ", "missing field `symbol`"),
            ("parts = [", "parts = [3, ", "invalid type"),
            ("{ symbol = \"p.g\"", "{ mood = 1, symbol = \"p.g\"", "unknown field"),
        ] {
            match Lock::parse(&text.replacen(from, to, 1)) {
                Err(LockError::Malformed { line, reason, .. }) => {
                    assert!(line > 0 && reason.contains(what), "{reason}");
                }
                other => panic!("{to}: {other:?}"),
            }
        }
    }

    /// Both readers agree on whatever the program writes, and on it only the quick one is asked.
    fn quick(text: &str) -> Option<Lock> {
        crate::lock::lines::read(text)
    }

    #[test]
    fn what_the_program_did_not_write_is_left_to_the_other_reader() {
        let whole = lock().render();
        assert_eq!(quick(&whole), Some(lock()));
        for (from, to) in [
            ("  { item = \"k::f\"", "  { item = 'k::f'"),
            ("  { item", "{ item"),
            (", symbol = \"p.f\"", ""),
            ("version = 3", "version = 4"),
            ("held = [\n]\n", "held = [\n]\nmore = 1\n"),
            ("baseline = \"1.0.0\"", "baseline = \"1.0.1\""),
            ("\"mapped-only\"", "\"guessed\""),
            ("k::f", "k::\\q"),
            ("k::f", "k::\\uD800"),
        ] {
            let text = whole.replacen(from, to, 1);
            assert_ne!(text, whole);
            assert_eq!(quick(&text), None, "{from} -> {to}");
        }
        let mut lines: Vec<&str> = whole.lines().collect();
        let at = lines.iter().position(|line| line.contains("k::f")).unwrap();
        lines.swap(at, at - 1);
        let unsorted = lines.join("\n") + "\n";
        assert_eq!((quick(&unsorted), Lock::parse(&unsorted)), (None, Ok(lock())));
    }

    #[test]
    fn what_is_held_was_left_alone() {
        let held = "held = [\n  { item = \"k::f\", revision = \"1.0.0\", disposition = \"declined\", reason = \"x\" },\n]";
        let text = lock().render().replace("held = [\n]", held);
        assert_eq!(Lock::parse(&text).unwrap().held[&path("k::f")].symbol, None);
        let wrong = Lock::parse(&text.replace("\"declined\"", "\"landed\""));
        match wrong {
            Err(LockError::Malformed { line, reason, .. }) => {
                assert_eq!(line, 23);
                assert!(reason.ends_with("and never `landed`"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_carry_line_and_column() {
        let whole = lock().render();
        for (from, to, at, what) in [
            ("proof = \"mapped-only\"", "proof = \"guessed\"", 15, "unknown variant"),
            ("proof = \"mapped-only\"", "proof = \"mapped-only\", mood = 1", 15, "unknown field"),
            ("source = ", "sauce = ", 6, "unknown field"),
            ("symbol = \"p.f\"", "symbol = \"\"", 15, "not a valid symbol path"),
            ("links = [", "links = [[", 14, ""),
        ] {
            let text = whole.replacen(from, to, 1);
            match Lock::parse(&text) {
                Err(LockError::Malformed { line, column, reason }) => {
                    assert!(line >= at && column > 0, "{line}:{column} {reason}");
                    assert!(reason.contains(what), "{reason}");
                }
                other => panic!("{to}: {other:?}"),
            }
        }
        assert!(matches!(Lock::parse(""), Err(LockError::Malformed { line: 1, column: 1, .. })));
    }

    #[test]
    fn duplicates_are_refused() {
        let whole = lock().render();
        let entry = whole.lines().find(|line| line.contains("k::f")).unwrap();
        let text = whole.replace(entry, &format!("{entry}\n{entry}"));
        match Lock::parse(&text) {
            Err(LockError::Duplicate { line, table: "links", name, .. }) => {
                assert_eq!((line, name.as_str()), (17, "k::f"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_baseline_is_the_last_revision_that_was_not_withdrawn() {
        let mut lock = lock();
        lock.revisions.push(recorded("1.0.1", Disposition::Withdrawn));
        assert_eq!(Lock::parse(&lock.render()), Ok(lock.clone()));
        lock.revisions.push(recorded("1.0.2", Disposition::Landed));
        assert!(matches!(Lock::parse(&lock.render()), Err(LockError::Baseline { line: 7, .. })));
        lock.revisions.clear();
        assert!(matches!(Lock::parse(&lock.render()), Err(LockError::Baseline { .. })));
        let mut other_commit = self::lock();
        other_commit.commit = revision("1.0.9").commit;
        assert!(matches!(Lock::parse(&other_commit.render()), Err(LockError::Baseline { .. })));
    }

    fn any_disposition() -> impl Strategy<Value = Disposition> {
        prop::sample::select(vec![
            Disposition::Adopted,
            Disposition::Landed,
            Disposition::Absorbed,
            Disposition::NotPorted,
            Disposition::Declined,
            Disposition::Deferred,
            Disposition::Parked,
            Disposition::Withdrawn,
        ])
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            source in ".{0,20}",
            items in prop::collection::btree_set("[^\\p{C}]{1,12}", 0..6),
            names in prop::collection::btree_set("[^\\p{C}]{1,8}", 1..6),
            dispositions in prop::collection::vec(any_disposition(), 6),
            reason in "(?s).{0,30}",
            proof in prop::sample::select(vec![Proof::Proved, Proof::Tested, Proof::MappedOnly, Proof::Unknown]),
        ) {
            let mut lock = lock();
            lock.source = source;
            lock.revisions = names.iter().zip(dispositions).map(|(name, disposition)| {
                RecordedRevision { reason: reason.clone(), ..recorded(name, disposition) }
            }).collect();
            lock.revisions.push(recorded("the last one", Disposition::Landed));
            lock.baseline = label("the last one");
            lock.commit = revision("the last one").commit;
            lock.links = items.iter().map(|item| (path(item), Link { proof, ..link(item) })).collect();
            lock.parked = items.iter().map(|item| (path(item), ParkedItem {
                item: path(item),
                symbol: symbol_path(item),
                revision: label("x"),
                reason: reason.clone(),
            })).collect();
            lock.held = items.iter().zip([None, Some(symbol_path("p.f"))].into_iter().cycle()).map(|(item, symbol)| {
                let (item, revision, reason) = (path(item), label("x"), reason.clone());
                (item.clone(), HeldItem { item, symbol, revision, disposition: Disposition::Deferred, reason })
            }).collect();
            let part = |at: &String| crate::lock::LinkPart { symbol: symbol_path(at), written: ContentHash::of(at) };
            for (link, at) in lock.links.values_mut().zip(&names) {
                link.parts = vec![part(at)];
            }
            let text = lock.render();
            prop_assert_eq!(faults(&text), Vec::<String>::new());
            prop_assert_eq!(quick(&text), Some(lock.clone()));
            prop_assert_eq!(Lock::parse(&text), Ok(lock.clone()));
            // The other reader, which a comment in between brings in.
            prop_assert_eq!(Lock::parse(&text.replacen("\nlinks", "\n# by hand\nlinks", 1)), Ok(lock));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "(?s).{0,60}") {
            drop(Lock::parse(&text));
        }
    }
}
