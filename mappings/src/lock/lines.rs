//! The lock as this program writes it, read line by line.
//!
//! A lock of a large port has a hundred thousand lines, and a general reader takes seconds for them. The main
//! function is [`read`]. It takes nothing but what [`super::Lock::render`] gives: of anything else, and of anything that
//! is wrong, it says nothing at all, and the general reader tells what it is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use memchr::memchr2;
use upstream::{CommitId, ContentHash, ItemPath, RevisionLabel};

use super::by_item::{OfItem, table};
use super::text::LOCK_VERSION_MIN;
use super::{Disposition, HeldItem, LOCK_VERSION, Link, LinkPart, Lock, ParkedItem, Proof, RecordedRevision};
use crate::symbol::SymbolPath;

/// Reads a lock that is written exactly as this program does.
pub(super) fn read(text: &str) -> Option<Lock> {
    let mut lines = Lines(text);
    let head = lines.head()?;
    let revisions = lines.array("revisions", revision)?;
    let links = by_item(lines.array("links", link)?)?;
    let parked = by_item(lines.array("parked", parked)?)?;
    // The first version ended here.
    let held = if lines.0.is_empty() { Vec::new() } else { lines.array("held", held)? };
    let held = by_item(held)?;
    let labels: BTreeSet<&RevisionLabel> = revisions.iter().map(|recorded| &recorded.revision).collect();
    let last = revisions.iter().rfind(|recorded| recorded.disposition != Disposition::Withdrawn)?;
    let fits = lines.0.is_empty()
        && labels.len() == revisions.len()
        && (&last.revision, &last.commit) == (&head.baseline, &head.commit)
        && held.values().all(|held| held.disposition.leaves_alone());
    fits.then_some(Lock {
        source: head.source,
        baseline: head.baseline,
        commit: head.commit,
        links,
        revisions,
        parked,
        held,
    })
}

struct Head {
    source: String,
    baseline: RevisionLabel,
    commit: CommitId,
}

/// What is left of the text, at the beginning of a line.
struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (line, rest) = self.0.split_once('\n')?;
        self.0 = rest;
        Some(line)
    }

    fn head(&mut self) -> Option<Head> {
        while self.0.starts_with('#') {
            self.next()?;
        }
        let version = self.next().filter(|line| line.is_empty()).and_then(|_| self.next())?;
        let version: u32 = version.strip_prefix("version = ")?.parse().ok()?;
        if !(LOCK_VERSION_MIN..=LOCK_VERSION).contains(&version) {
            return None;
        }
        let mut value = |key: &str| {
            let mut line = Cursor(self.next()?);
            line.take(key)?;
            line.take(" = ")?;
            let text = line.string()?;
            line.0.is_empty().then(|| text.into_owned())
        };
        Some(Head {
            source: value("source")?,
            baseline: RevisionLabel::new(value("baseline")?).ok()?,
            commit: CommitId::new(value("commit")?).ok()?,
        })
    }

    /// An array with an entry a line, behind an empty line.
    fn array<Entry>(
        &mut self,
        name: &str,
        entry: fn(&mut Cursor<'a>) -> Option<Entry>,
    ) -> Option<Vec<Entry>> {
        self.next().filter(|line| line.is_empty())?;
        self.next().filter(|line| line.strip_suffix(" = [") == Some(name))?;
        let mut entries = Vec::new();
        loop {
            let line = self.next()?;
            if line == "]" {
                return Some(entries);
            }
            let mut line = Cursor(line);
            line.take("  { ")?;
            entries.push(entry(&mut line)?);
            line.take(" },")?;
            if !line.0.is_empty() {
                return None;
            }
        }
    }
}

/// What is left of a line.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn take(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    fn has(&self, literal: &str) -> bool {
        self.0.starts_with(literal)
    }

    /// The value of a key, where that is what comes next.
    fn value<Value: Parsed>(&mut self, key: &str) -> Option<Value> {
        self.take(key)?;
        self.take(" = ")?;
        Value::parsed(self.string()?)
    }

    /// The value of a further key.
    fn next<Value: Parsed>(&mut self, key: &str) -> Option<Value> {
        self.take(", ")?;
        self.value(key)
    }

    /// A string with the escapes that the program writes.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take("\"")?;
        let mut text = Cow::Borrowed("");
        loop {
            let at = memchr2(b'"', b'\\', self.0.as_bytes())?;
            let (plain, rest) = self.0.split_at_checked(at)?;
            if plain.bytes().any(|byte| byte.is_ascii_control()) {
                return None;
            }
            text += plain;
            if let Some(behind) = rest.strip_prefix('"') {
                self.0 = behind;
                return Some(text);
            }
            let escape = rest.strip_prefix('\\')?;
            if let Some(behind) = escape.strip_prefix('u') {
                let (digits, behind) = behind.split_at_checked(4)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                text.to_mut().push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                self.0 = behind;
            } else {
                let sign = escape.chars().next().filter(|sign| matches!(sign, '"' | '\\'))?;
                text.to_mut().push(sign);
                self.0 = escape.strip_prefix(sign)?;
            }
        }
    }
}

/// A value of an entry.
trait Parsed: Sized {
    fn parsed(text: Cow<'_, str>) -> Option<Self>;
}

impl Parsed for String {
    fn parsed(text: Cow<'_, str>) -> Option<Self> {
        Some(text.into_owned())
    }
}

macro_rules! parsed_by {
    ($($name:ty: $how:expr;)*) => {
        $(impl Parsed for $name {
            fn parsed(text: Cow<'_, str>) -> Option<Self> {
                let how: fn(Cow<'_, str>) -> Option<Self> = $how;
                how(text)
            }
        })*
    };
}

parsed_by! {
    ItemPath: |text| ItemPath::new(text).ok();
    SymbolPath: |text| SymbolPath::new(text).ok();
    RevisionLabel: |text| RevisionLabel::new(text).ok();
    CommitId: |text| CommitId::new(text).ok();
    ContentHash: |text| ContentHash::from_str(&text).ok();
    Proof: |text| match &*text {
        "proved" => Some(Proof::Proved),
        "tested" => Some(Proof::Tested),
        "mapped-only" => Some(Proof::MappedOnly),
        "unknown" => Some(Proof::Unknown),
        _ => None,
    };
    Disposition: |text| match &*text {
        "adopted" => Some(Disposition::Adopted),
        "landed" => Some(Disposition::Landed),
        "absorbed" => Some(Disposition::Absorbed),
        "not-ported" => Some(Disposition::NotPorted),
        "declined" => Some(Disposition::Declined),
        "deferred" => Some(Disposition::Deferred),
        "parked" => Some(Disposition::Parked),
        "withdrawn" => Some(Disposition::Withdrawn),
        _ => None,
    };
}

fn revision(line: &mut Cursor<'_>) -> Option<RecordedRevision> {
    Some(RecordedRevision {
        revision: line.value("revision")?,
        commit: line.next("commit")?,
        disposition: line.next("disposition")?,
        reason: if line.has(", reason") { line.next("reason")? } else { String::new() },
    })
}

fn link(line: &mut Cursor<'_>) -> Option<Link> {
    Some(Link {
        item: line.value("item")?,
        symbol: line.next("symbol")?,
        upstream: line.next("upstream")?,
        written: line.next("written")?,
        revision: line.next("revision")?,
        proof: line.next("proof")?,
        parts: if line.has(", parts") { parts(line)? } else { Vec::new() },
    })
}

fn parts(line: &mut Cursor<'_>) -> Option<Vec<LinkPart>> {
    line.take(", parts = [")?;
    let mut parts = Vec::new();
    loop {
        line.take("{ ")?;
        parts.push(LinkPart { symbol: line.value("symbol")?, written: line.next("written")? });
        line.take(" }")?;
        if line.has("]") {
            line.take("]")?;
            return Some(parts);
        }
        line.take(", ")?;
    }
}

fn parked(line: &mut Cursor<'_>) -> Option<ParkedItem> {
    Some(ParkedItem {
        item: line.value("item")?,
        symbol: line.next("symbol")?,
        revision: line.next("revision")?,
        reason: line.next("reason")?,
    })
}

fn held(line: &mut Cursor<'_>) -> Option<HeldItem> {
    Some(HeldItem {
        item: line.value("item")?,
        symbol: if line.has(", symbol") { Some(line.next("symbol")?) } else { None },
        revision: line.next("revision")?,
        disposition: line.next("disposition")?,
        reason: line.next("reason")?,
    })
}

/// The entries by item, where they are sorted and each item is there once.
fn by_item<Entry: OfItem>(entries: Vec<Entry>) -> Option<BTreeMap<ItemPath, Entry>> {
    entries.is_sorted_by(|one, other| one.item() < other.item()).then(|| table(entries))
}
