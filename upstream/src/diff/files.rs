//! Files that moved, were split or were merged, told by where their items went.
//!
//! Main function: [`file_moves`]. A file without items moved where its content, unchanged, stands at exactly
//! one new path; how similar such contents are is not looked at.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::ItemChange;
use super::pairing::pairs;
use crate::snapshot::{Item, ItemKind, Snapshot};

/// The share of a file's items, by the length of their texts, that makes another file its heir.
const HEIR_SHARE: f64 = 0.5;
/// The share that is worth naming in a split.
const PIECE_SHARE: f64 = 0.1;

/// What happened to files as wholes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileMove {
    /// What happened.
    pub kind: FileMoveKind,
    /// The files before.
    pub from: Vec<String>,
    /// The files now.
    pub to: Vec<String>,
    /// How many items went along; 0 for a file without items.
    pub items: usize,
    /// Whether something in it is different besides its place.
    pub modified: bool,
}

/// What happened to files as wholes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileMoveKind {
    /// It stands at another path.
    Moved,
    /// Its items stand in several files.
    Split,
    /// The items of several files stand in one.
    Merged,
}

/// Finds files that moved, were split or were merged. `changes` are those of the items.
pub fn file_moves(before: &Snapshot, after: &Snapshot, changes: &[ItemChange]) -> Vec<FileMove> {
    let flows = Flows::between(before, after, changes);
    let mut moves = exact_moves(before, after, &flows);
    let moved: BTreeSet<String> = moves.iter().flat_map(|it| it.from.iter().chain(&it.to)).cloned().collect();
    let is_new = |file: &str| !before.files.contains_key(file);
    let is_gone = |file: &str| !after.files.contains_key(file);
    let mut merged: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (old, flow) in flows.from.iter().filter(|(old, _)| !moved.contains(**old)) {
        let away: Vec<(&str, &Flow)> = flow
            .to
            .iter()
            .filter(|(new, part)| *new != old && share(part.bytes, flow.bytes) >= PIECE_SHARE)
            .map(|(new, part)| (*new, part))
            .collect();
        let (pieces, strangers): (Vec<_>, Vec<_>) =
            away.into_iter().partition(|(new, part)| is_new(new) && flows.is_mostly(new, part.bytes));
        let gone = is_gone(old);
        let heir = flow.heir(old).filter(|_| gone);
        let heirs_of_several = heir.filter(|new| flows.left_to(new, &is_gone) > 1);
        if let Some(new) = heirs_of_several {
            merged.entry(new).or_default().push(old);
        } else if let ([(new, part)], true) = (pieces.as_slice(), gone)
            && share(part.bytes, flow.bytes) >= HEIR_SHARE
        {
            moves.push(FileMove {
                kind: FileMoveKind::Moved,
                from: vec![(*old).to_owned()],
                to: vec![(*new).to_owned()],
                items: part.items,
                modified: before.files.get(*old) != after.files.get(*new),
            });
        } else if !pieces.is_empty() {
            let stays = (!gone).then(|| (*old).to_owned());
            moves.push(FileMove {
                kind: FileMoveKind::Split,
                from: vec![(*old).to_owned()],
                to: stays.into_iter().chain(pieces.iter().map(|(new, _)| (*new).to_owned())).collect(),
                items: pieces.iter().map(|(_, part)| part.items).sum(),
                modified: true,
            });
        } else if gone
            && let Some((new, _)) =
                strangers.iter().find(|(_, part)| share(part.bytes, flow.bytes) >= HEIR_SHARE)
        {
            merged.entry(new).or_default().push(old);
        }
    }
    for (new, from) in merged {
        let items = from.iter().filter_map(|old| Some(flows.from.get(old)?.to.get(new)?.items)).sum();
        let mut from: Vec<String> = from.into_iter().map(str::to_owned).collect();
        if !is_new(new) {
            from.push(new.to_owned());
            from.sort();
        }
        let kind = if from.len() > 1 { FileMoveKind::Merged } else { FileMoveKind::Moved };
        moves.push(FileMove { kind, from, to: vec![new.to_owned()], items, modified: true });
    }
    moves.sort_by(|one, other| (&one.from, &one.to).cmp(&(&other.from, &other.to)));
    moves
}

/// How much of one file stands in another.
#[derive(Debug, Default)]
struct Flow {
    items: usize,
    bytes: usize,
}

/// What a file held, and where it went.
#[derive(Debug, Default)]
struct Outflow<'a> {
    bytes: usize,
    to: BTreeMap<&'a str, Flow>,
}

impl<'a> Outflow<'a> {
    /// The other file in which most of it stands now.
    fn heir(&self, own: &str) -> Option<&'a str> {
        let most =
            |(new, part): &(&&'a str, &Flow)| **new != own && share(part.bytes, self.bytes) >= HEIR_SHARE;
        self.to.iter().find(most).map(|(new, _)| *new)
    }
}

/// Where the items of changed files went.
#[derive(Debug, Default)]
struct Flows<'a> {
    from: BTreeMap<&'a str, Outflow<'a>>,
    /// The bytes of each newer file.
    to: BTreeMap<&'a str, usize>,
}

impl<'a> Flows<'a> {
    fn between(before: &'a Snapshot, after: &'a Snapshot, changes: &'a [ItemChange]) -> Self {
        let mut flows = Self::default();
        let changed = |file: &str| before.files.get(file) != after.files.get(file);
        // An implementation's text holds its members, and a module's what it imports.
        let counts =
            |item: &Item| changed(&item.file) && item.kind != ItemKind::Module && item.kind != ItemKind::Impl;
        for item in before.items.values().filter(|item| counts(item)) {
            flows.from.entry(&item.file).or_default().bytes += item.text.len();
        }
        for item in after.items.values().filter(|item| counts(item)) {
            *flows.to.entry(&item.file).or_default() += item.text.len();
        }
        let stayed = pairs(before, after).into_iter().filter_map(|(old, new)| Some((old?, new?)));
        let went = changes.iter().filter_map(|change| match change {
            ItemChange::Relocated { before, after, .. } => Some((before, after)),
            ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Modified { .. } => None,
        });
        for (old, new) in stayed.chain(went).filter(|(old, _)| counts(old)) {
            let flow = flows.from.entry(&old.file).or_default().to.entry(&new.file).or_default();
            flow.items += 1;
            flow.bytes += old.text.len();
        }
        flows
    }

    /// How many files that are gone left most of themselves to a file.
    fn left_to(&self, file: &str, is_gone: &dyn Fn(&str) -> bool) -> usize {
        self.from.iter().filter(|(old, flow)| is_gone(old) && flow.heir(old) == Some(file)).count()
    }

    /// Whether this many bytes are most of a newer file.
    fn is_mostly(&self, file: &str, bytes: usize) -> bool {
        share(bytes, self.to.get(file).copied().unwrap_or_default()) >= HEIR_SHARE
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of texts are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Contents that left one path and stand, unchanged, at exactly one new one.
fn exact_moves(before: &Snapshot, after: &Snapshot, flows: &Flows<'_>) -> Vec<FileMove> {
    let mut by_content: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for (file, id) in before.files.iter().filter(|(file, _)| !after.files.contains_key(*file)) {
        by_content.entry(id).or_default().0.push(file);
    }
    for (file, id) in after.files.iter().filter(|(file, _)| !before.files.contains_key(*file)) {
        by_content.entry(id).or_default().1.push(file);
    }
    let only = by_content.into_values().filter_map(|(old, new)| match (old.as_slice(), new.as_slice()) {
        ([old], [new]) => Some((*old, *new)),
        _ => None,
    });
    let moved = |(old, new): (&str, &str)| FileMove {
        kind: FileMoveKind::Moved,
        from: vec![old.to_owned()],
        to: vec![new.to_owned()],
        items: flows.from.get(old).and_then(|flow| flow.to.get(new)).map_or(0, |flow| flow.items),
        modified: false,
    };
    only.map(moved).collect()
}
