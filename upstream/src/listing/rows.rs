//! Changes of items to rows.

use std::collections::{BTreeMap, BTreeSet};

use super::patch::unified;
use super::row::{AttributeChange, Both, DocTests, ItemRow, PartRow};
use crate::diff::{Aspects, ItemChange};
use crate::harvest::doc_tests;
use crate::history::ChangeKind;
use crate::ids::ItemPath;
use crate::snapshot::{Item, ItemKind, Part, PartKind, Snapshot, Surface, header, parts, plain};

/// What rows are made from.
pub(super) struct Sides<'a> {
    pub(super) before: &'a Snapshot,
    pub(super) after: &'a Snapshot,
    pub(super) before_surface: &'a Surface,
    pub(super) after_surface: &'a Surface,
    pub(super) patches: bool,
}

/// A row for each change, sorted by crate, module and path.
pub(super) fn rows(changes: &[ItemChange], sides: &Sides<'_>) -> Vec<ItemRow> {
    let went: BTreeMap<&ItemPath, &ItemPath> = changes
        .iter()
        .filter_map(|change| match change {
            ItemChange::Relocated { before, after, .. } => Some((&before.path, &after.path)),
            ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Modified { .. } => None,
        })
        .collect();
    let mut rows: Vec<ItemRow> = changes
        .iter()
        .filter_map(|change| {
            let mut row = sides.row(change)?;
            row.moved_with = moved_with(change, &row, &went);
            Some(row)
        })
        .collect();
    sort(&mut rows);
    rows
}

/// By crate and module, the module itself first.
pub(super) fn sort(rows: &mut [ItemRow]) {
    rows.sort_by(|one, other| {
        let key = |row: &ItemRow| {
            let is_module = row.kind == ItemKind::Module;
            (row.krate.clone(), row.module.clone(), !is_module, row.path.clone(), row.change)
        };
        key(one).cmp(&key(other))
    });
}

/// Items that no aspect tells and whose parts were documented anew.
pub(super) fn with_new_part_docs(before: &Snapshot, after: &Snapshot) -> Vec<ItemChange> {
    let has_parts = |item: &Item| matches!(item.kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Union);
    let mut found = Vec::new();
    for (path, old) in before.items.iter().filter(|(_, item)| has_parts(item)) {
        let Some(new) = after.items.get(path) else { continue };
        let same = old.fingerprint == new.fingerprint && old.visibility == new.visibility;
        if !same || old.text == new.text || !has_parts(new) {
            continue;
        }
        let docs =
            |item: &Item| parts(item).into_iter().map(|part| (part.name, part.docs)).collect::<Vec<_>>();
        if docs(old) != docs(new) {
            let aspects = Aspects { docs: true, ..Aspects::default() };
            found.push(ItemChange::Modified { before: old.clone(), after: new.clone(), aspects });
        }
    }
    found
}

fn moved_with(change: &ItemChange, row: &ItemRow, went: &BTreeMap<&ItemPath, &ItemPath>) -> Option<ItemPath> {
    let ItemChange::Relocated { before, after, aspects } = change else { return None };
    if row.change != ChangeKind::Moved || *aspects != Aspects::default() {
        return None;
    }
    let (old, new) = (before.path.parent()?, after.path.parent()?);
    if went.get(&old) == Some(&&new) {
        return Some(new);
    }
    // An implementation moves with its type, whose name is at the head of its own.
    let implementor = after.path.name().strip_prefix('<')?.split([' ', '<']).next()?;
    let beside = |module: &ItemPath| ItemPath::new(format!("{module}::{implementor}")).ok();
    let (old, new) = (beside(&old)?, beside(&new)?);
    (went.get(&old) == Some(&&new)).then_some(new)
}

impl Sides<'_> {
    pub(super) fn row(&self, change: &ItemChange) -> Option<ItemRow> {
        let (before, after) = (change.before(), change.after());
        let shown = after.or(before)?;
        let (aspects, kind) = match change {
            ItemChange::Added { .. } => (Aspects::default(), ChangeKind::Added),
            ItemChange::Removed { .. } => (Aspects::default(), ChangeKind::Removed),
            ItemChange::Modified { aspects, .. } => (*aspects, ChangeKind::Modified),
            ItemChange::Relocated { before, after, aspects } => {
                let same_name = plain(before.path.name()) == plain(after.path.name());
                (*aspects, if same_name { ChangeKind::Moved } else { ChangeKind::Renamed })
            }
        };
        let moved = matches!(kind, ChangeKind::Moved | ChangeKind::Renamed);
        let exported = |item: Option<&Item>| item.is_some_and(|item| item.exported);
        let both = before.zip(after);
        let (snapshot, surface) = if after.is_some() {
            (self.after, self.after_surface)
        } else {
            (self.before, self.before_surface)
        };
        let named = surface.of(&shown.path);
        let (changed_parts, reordered) = both
            .filter(|_| aspects != Aspects::default())
            .map_or_else(Default::default, |(old, new)| part_rows(old, new));
        Some(ItemRow {
            path: shown.path.clone(),
            kind: shown.kind,
            change: kind,
            from: before.filter(|_| moved).map(|item| item.path.clone()),
            aspects,
            krate: shown.path.krate().to_owned(),
            module: module_of(shown, snapshot),
            file: shown.file.clone(),
            line: shown.line,
            from_file: both.filter(|(old, new)| old.file != new.file).map(|(old, _)| old.file.clone()),
            visibility: shown.visibility,
            test: change.is_test(),
            public: exported(before) || exported(after),
            became_public: both
                .filter(|(old, new)| old.exported != new.exported)
                .map(|(_, new)| new.exported),
            named: if named == [shown.path.to_string()] { Vec::new() } else { named.to_vec() },
            header: Both { before: before.map(header), after: after.map(header) },
            parts: changed_parts,
            reordered,
            attributes: both.map_or_else(Vec::new, |(old, new)| attribute_changes(old, new)),
            doc_tests: doc_test_change(before, after),
            moved_with: None,
            patch: self.patches.then(|| {
                let text =
                    |item: Option<&Item>| item.map_or_else(String::new, |item| item.text.clone() + "\n");
                unified(&text(before), &text(after))
            }),
        })
    }
}

/// The path of the module around an item; a module's own.
pub(super) fn module_of(item: &Item, snapshot: &Snapshot) -> String {
    let mut at = Some(item.path.clone());
    while let Some(path) = at {
        if snapshot.items.get(&path).is_some_and(|item| item.kind == ItemKind::Module) {
            return path.to_string();
        }
        at = path.parent();
    }
    item.path.krate().to_owned()
}

/// The parts that differ, and whether they are the same in another order.
fn part_rows(before: &Item, after: &Item) -> (Vec<PartRow>, bool) {
    let (old, new) = (parts(before), parts(after));
    let mut pairs: Vec<(Option<&Part>, Option<&Part>)> = Vec::new();
    let mut rest: Vec<&Part> = new.iter().collect();
    for part in &old {
        let same = |other: &&Part| other.kind == part.kind && other.name == part.name;
        // Of several parts of one name (imports under different `cfg`), an equal one is the same.
        let at = rest
            .iter()
            .position(|other| same(other) && is_equal(part, other))
            .or_else(|| rest.iter().position(same));
        pairs.push((Some(part), at.map(|at| rest.remove(at))));
    }
    pairs.extend(rest.into_iter().map(|part| (None, Some(part))));
    pair_arms(&mut pairs);
    let came_or_went: BTreeSet<&str> = pairs
        .iter()
        .filter(|(old, new)| old.is_none() != new.is_none())
        .filter_map(|(old, new)| old.or(*new))
        .filter(|part| part.kind == PartKind::Variant)
        .map(|part| part.name.as_str())
        .collect();
    let rows: Vec<PartRow> = pairs
        .iter()
        .filter_map(|(old, new)| part_row(*old, *new))
        // The fields of a variant that came or went are told with it.
        .filter(|row| {
            let variant = row.name.split_once('.').map(|(variant, _)| variant);
            row.kind != PartKind::VariantField || !variant.is_some_and(|it| came_or_went.contains(it))
        })
        .collect();
    let names = |parts: &[Part]| parts.iter().map(|part| (part.kind, part.name.clone())).collect::<Vec<_>>();
    let (one, other) = (names(&old), names(&new));
    let set = |names: &[(PartKind, String)]| names.iter().cloned().collect::<BTreeSet<_>>();
    let reordered = before.kind != ItemKind::Module && one != other && set(&one) == set(&other);
    (rows, reordered)
}

/// Arms are named by their patterns: where as many went as came, they were changed in their order.
fn pair_arms(pairs: &mut Vec<(Option<&Part>, Option<&Part>)>) {
    let is_arm = |part: Option<&Part>| part.is_some_and(|part| part.kind == PartKind::MacroArm);
    let gone: Vec<usize> = (0..pairs.len())
        .filter(|at| pairs.get(*at).is_some_and(|(old, new)| is_arm(*old) && new.is_none()))
        .collect();
    let come: Vec<usize> = (0..pairs.len())
        .filter(|at| pairs.get(*at).is_some_and(|(old, new)| old.is_none() && is_arm(*new)))
        .collect();
    if gone.len() != come.len() {
        return;
    }
    for (gone, come) in gone.into_iter().zip(come.iter()) {
        let new = pairs.get(*come).and_then(|pair| pair.1);
        if let Some(pair) = pairs.get_mut(gone) {
            pair.1 = new;
        }
    }
    let mut at = 0;
    pairs.retain(|_| {
        at += 1;
        !come.contains(&(at - 1))
    });
}

fn is_equal(old: &Part, new: &Part) -> bool {
    old.fingerprint == new.fingerprint && old.text == new.text && old.visibility == new.visibility
}

fn part_row(old: Option<&Part>, new: Option<&Part>) -> Option<PartRow> {
    let shown = new.or(old)?;
    let aspects = old.zip(new).map_or_else(Aspects::default, |(old, new)| Aspects {
        signature: old.fingerprint.signature != new.fingerprint.signature,
        body: old.fingerprint.body != new.fingerprint.body,
        docs: old.fingerprint.docs != new.fingerprint.docs,
        attributes: old.fingerprint.attributes != new.fingerprint.attributes,
        visibility: old.visibility != new.visibility,
    });
    let change = match (old, new) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        (Some(_), Some(_)) if aspects == Aspects::default() => return None,
        (Some(_), Some(_)) => ChangeKind::Modified,
    };
    let text = Both { before: old.map(|part| part.text.clone()), after: new.map(|part| part.text.clone()) };
    Some(PartRow { kind: shown.kind, name: shown.name.clone(), change, aspects, text })
}

fn attribute_changes(before: &Item, after: &Item) -> Vec<AttributeChange> {
    let (old, new) = (attributes(before), attributes(after));
    let change = |attribute: &String, change| AttributeChange { attribute: attribute.clone(), change };
    let gone = old.difference(&new).map(|it| change(it, ChangeKind::Removed));
    gone.chain(new.difference(&old).map(|it| change(it, ChangeKind::Added))).collect()
}

/// Attributes that are lists of things of their own.
const LISTS: [&str; 6] = ["derive", "allow", "warn", "deny", "forbid", "expect"];

/// The attributes without brackets, each derived trait by itself.
pub(super) fn attributes(item: &Item) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for attribute in &item.attributes {
        let bare = attribute.trim_start_matches(['#', '!', '[']).trim_end_matches(']').trim();
        let list = bare.split_once('(').filter(|(name, _)| LISTS.contains(name));
        match list.and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?))) {
            Some((name, listed)) => found.extend(
                listed
                    .split(',')
                    .map(str::trim)
                    .filter(|it| !it.is_empty())
                    .map(|it| format!("{name}({})", it.replace(": : ", "::"))),
            ),
            None => {
                found.insert(bare.replace(": : ", "::"));
            }
        }
    }
    found
}

fn doc_test_change(before: Option<&Item>, after: Option<&Item>) -> Option<DocTests> {
    let of = |item: Option<&Item>| item.map_or_else(Vec::new, |item| doc_tests(&item.docs));
    let (old, new) = (of(before), of(after));
    (old != new).then_some(DocTests { before: old.len(), after: new.len() })
}
