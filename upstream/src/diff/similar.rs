//! Removed and added items that are most likely one item, moved or renamed and also changed.
//!
//! Main function: [`join_similar`]. The exact search of [`super::relocation`] comes first; this one looks at
//! what it left. A module is known again by the names in it, what stands in it by its name, anything else by how
//! many of its tokens it shares. Both the number of items and the number of comparisons are bounded, and what
//! was not searched is said. Where two candidates are equally good nobody can tell, and neither is taken.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Aspects, ItemChange};
use super::compare::aspects;
use crate::ids::{ContentHash, ItemPath};
use crate::snapshot::{Item, ItemKind, header, parts, plain, tokens_without_name};

/// The most removed and added items among which similar ones are looked for.
const ITEMS_MAX: usize = 6_000;
/// The most pairs of one kind of item whose tokens are compared.
const PAIRS_MAX: usize = 400_000;
/// The share of names that two modules must have in common.
const MODULE_SHARE: f64 = 0.5;
/// The share of tokens for items of the same name in places that correspond.
const SAME_PLACE_SHARE: f64 = 0.2;
/// The share of tokens for items of the same name anywhere.
const SAME_NAME_SHARE: f64 = 0.6;
/// The share of tokens for items of different names.
const RENAMED_SHARE: f64 = 0.75;
/// Shorter items look like each other without being each other.
const RENAMED_TOKENS_MIN: usize = 20;

/// Joins what is similar; the texts say what was not searched.
pub(super) fn join_similar(items: Vec<ItemChange>) -> (Vec<ItemChange>, Vec<String>) {
    let (mut gone, mut come, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for change in items {
        match change {
            ItemChange::Removed { before } => gone.push(before),
            ItemChange::Added { after } => come.push(after),
            ItemChange::Modified { .. } | ItemChange::Relocated { .. } => rest.push(change),
        }
    }
    if gone.is_empty() || come.is_empty() {
        rest.extend(gone.into_iter().map(|before| ItemChange::Removed { before }));
        rest.extend(come.into_iter().map(|after| ItemChange::Added { after }));
        return (rest, Vec::new());
    }
    let mut search = Search { gone, come, found: rest, places: BTreeMap::new(), not_searched: Vec::new() };
    search.run();
    let Search { gone, come, mut found, not_searched, .. } = search;
    found.extend(gone.into_iter().map(|before| ItemChange::Removed { before }));
    found.extend(come.into_iter().map(|after| ItemChange::Added { after }));
    (found, not_searched)
}

struct Search {
    gone: Vec<Item>,
    come: Vec<Item>,
    found: Vec<ItemChange>,
    /// Where the contents of a place went: modules, types and traits by their paths.
    places: BTreeMap<ItemPath, ItemPath>,
    not_searched: Vec<String>,
}

/// A removed and an added item by their numbers, and how similar they are.
struct Candidate {
    old: usize,
    new: usize,
    share: f64,
}

impl Search {
    fn run(&mut self) {
        for change in &self.found {
            if let ItemChange::Relocated { before, after, .. } = change {
                self.places.insert(before.path.clone(), after.path.clone());
            }
        }
        let count = self.gone.len() + self.come.len();
        if count > ITEMS_MAX {
            self.not_searched.push(format!(
                "items that were moved or renamed and also changed, among {count} added and removed ones (at most {ITEMS_MAX} are searched)"
            ));
            return;
        }
        self.modules();
        let old: Vec<Vec<u64>> = self.gone.iter().map(bag).collect();
        let new: Vec<Vec<u64>> = self.come.iter().map(bag).collect();
        let bags = Bags {
            old: self.gone.iter().map(|item| item.path.clone()).zip(old).collect(),
            new: self.come.iter().map(|item| item.path.clone()).zip(new).collect(),
        };
        // Types and functions before their members: those follow them.
        for members in [false, true] {
            self.named(&bags, members, true);
        }
        for members in [false, true] {
            self.named(&bags, members, false);
            self.renamed(&bags, members);
            self.named(&bags, true, true);
        }
    }

    /// Modules that hold the same names.
    fn modules(&mut self) {
        let is_module = |item: &Item| item.kind == ItemKind::Module;
        let names = |items: &mut dyn Iterator<Item = &Item>| {
            let mut names: BTreeMap<ItemPath, BTreeSet<(ItemKind, String)>> = BTreeMap::new();
            for item in items {
                if let Some(parent) = item.path.parent() {
                    names.entry(parent).or_default().insert((item.kind, item.path.name().to_owned()));
                }
            }
            names
        };
        let moved = || self.found.iter().filter(|it| matches!(it, ItemChange::Relocated { .. }));
        let old = names(&mut self.gone.iter().chain(moved().filter_map(ItemChange::before)));
        let new = names(&mut self.come.iter().chain(moved().filter_map(ItemChange::after)));
        let nothing = BTreeSet::new();
        let mut candidates = Vec::new();
        for (at_old, before) in self.gone.iter().enumerate().filter(|(_, item)| is_module(item)) {
            for (at_new, after) in self.come.iter().enumerate().filter(|(_, item)| is_module(item)) {
                let (one, other) =
                    (old.get(&before.path).unwrap_or(&nothing), new.get(&after.path).unwrap_or(&nothing));
                let common = one.intersection(other).count();
                let share = ratio(common, one.len().max(other.len()));
                if share >= MODULE_SHARE {
                    candidates.push(Candidate { old: at_old, new: at_new, share });
                }
            }
        }
        self.take(candidates);
    }

    /// Items that kept their name, in places that correspond or anywhere.
    fn named(&mut self, bags: &Bags, members: bool, same_place: bool) {
        let mut by_name: BTreeMap<(ItemKind, &str), Vec<usize>> = BTreeMap::new();
        for (at, item) in self.come.iter().enumerate().filter(|(_, item)| is_member(item) == members) {
            by_name.entry((item.kind, plain(item.path.name()))).or_default().push(at);
        }
        let mut candidates = Vec::new();
        for (old, item) in self.gone.iter().enumerate().filter(|(_, item)| is_member(item) == members) {
            for &new in by_name.get(&(item.kind, plain(item.path.name()))).into_iter().flatten() {
                let Some(other) = self.come.get(new) else { continue };
                let corresponds = self.corresponds(item, other);
                if corresponds != same_place || (members && !corresponds) {
                    continue;
                }
                let share = bags.share(item, other);
                if share >= if same_place { SAME_PLACE_SHARE } else { SAME_NAME_SHARE } {
                    candidates.push(Candidate { old, new, share });
                }
            }
        }
        self.take(candidates);
    }

    /// Items of different names that share most of their tokens. Members only within one type.
    fn renamed(&mut self, bags: &Bags, members: bool) {
        let long = |item: &Item, bag: Option<&Vec<u64>>| {
            is_member(item) == members
                && item.kind != ItemKind::Module
                && item.kind != ItemKind::Impl
                && bag.is_some_and(|bag| bag.len() >= RENAMED_TOKENS_MIN)
        };
        let pick = |items: &[Item], bags: &BTreeMap<ItemPath, Vec<u64>>| -> Vec<usize> {
            let fits = |(at, item): (usize, &Item)| long(item, bags.get(&item.path)).then_some(at);
            items.iter().enumerate().filter_map(fits).collect()
        };
        let (old, new) = (pick(&self.gone, &bags.old), pick(&self.come, &bags.new));
        if old.len().saturating_mul(new.len()) > PAIRS_MAX {
            self.not_searched.push(format!(
                "renamed and changed items among {} removed and {} added ones (at most {PAIRS_MAX} pairs are compared)",
                old.len(),
                new.len()
            ));
            return;
        }
        let mut candidates = Vec::new();
        for &at_old in &old {
            for &at_new in &new {
                let (Some(one), Some(other)) = (self.gone.get(at_old), self.come.get(at_new)) else {
                    continue;
                };
                if one.kind != other.kind || (members && !self.corresponds(one, other)) {
                    continue;
                }
                let share = bags.share(one, other);
                if share >= RENAMED_SHARE {
                    candidates.push(Candidate { old: at_old, new: at_new, share });
                }
            }
        }
        self.take(candidates);
    }

    /// Whether what stands around one item is now what stands around the other.
    fn corresponds(&self, old: &Item, new: &Item) -> bool {
        let (old, new) = (old.path.parent(), new.path.parent());
        old == new || old.is_some_and(|old| self.places.get(&old) == new.as_ref())
    }

    /// Joins the best candidates, and none where two are equally good.
    fn take(&mut self, mut candidates: Vec<Candidate>) {
        candidates.sort_by(|one, other| {
            other.share.total_cmp(&one.share).then((one.old, one.new).cmp(&(other.old, other.new)))
        });
        let (mut old_taken, mut new_taken) = (BTreeSet::new(), BTreeSet::new());
        for group in candidates.chunk_by(|one, other| one.share.total_cmp(&other.share).is_eq()) {
            let open: Vec<&Candidate> = group
                .iter()
                .filter(|it| !old_taken.contains(&it.old) && !new_taken.contains(&it.new))
                .collect();
            for candidate in &open {
                let rivals =
                    open.iter().filter(|it| it.old == candidate.old || it.new == candidate.new).count();
                old_taken.insert(candidate.old);
                new_taken.insert(candidate.new);
                if rivals > 1 {
                    continue;
                }
                if let (Some(before), Some(after)) =
                    (self.gone.get(candidate.old), self.come.get(candidate.new))
                {
                    self.places.insert(before.path.clone(), after.path.clone());
                    self.found.push(relocated(before, after));
                }
            }
        }
        let joined: BTreeSet<&ItemPath> = self
            .found
            .iter()
            .filter(|change| matches!(change, ItemChange::Relocated { .. }))
            .filter_map(ItemChange::before)
            .map(|item| &item.path)
            .collect();
        self.gone.retain(|item| !joined.contains(&item.path));
        let joined: BTreeSet<&ItemPath> = self
            .found
            .iter()
            .filter(|change| matches!(change, ItemChange::Relocated { .. }))
            .filter_map(ItemChange::after)
            .map(|item| &item.path)
            .collect();
        self.come.retain(|item| !joined.contains(&item.path));
    }
}

struct Bags {
    old: BTreeMap<ItemPath, Vec<u64>>,
    new: BTreeMap<ItemPath, Vec<u64>>,
}

impl Bags {
    /// The share of tokens that two items have in common, from 0 to 1.
    fn share(&self, old: &Item, new: &Item) -> f64 {
        let (Some(one), Some(other)) = (self.old.get(&old.path), self.new.get(&new.path)) else { return 0.0 };
        let (mut at_one, mut at_other, mut common) = (0, 0, 0);
        while let (Some(left), Some(right)) = (one.get(at_one), other.get(at_other)) {
            match left.cmp(right) {
                std::cmp::Ordering::Equal => {
                    (at_one, at_other, common) = (at_one + 1, at_other + 1, common + 1);
                }
                std::cmp::Ordering::Less => at_one += 1,
                std::cmp::Ordering::Greater => at_other += 1,
            }
        }
        ratio(2 * common, one.len() + other.len())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of tokens of one item are far below 2^52")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The tokens of an item as a sorted bag of hashes.
fn bag(item: &Item) -> Vec<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let hashed = |token: &String| {
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        hasher.finish()
    };
    let mut bag: Vec<u64> = tokens_without_name(item).iter().map(hashed).collect();
    bag.sort_unstable();
    bag
}

/// Whether it belongs to a type or trait.
fn is_member(item: &Item) -> bool {
    let in_block = item.path.parent().is_some_and(|parent| parent.name().starts_with('<'));
    in_block || item.kind == ItemKind::Method
}

fn relocated(old: &Item, new: &Item) -> ItemChange {
    let mut found: Aspects = aspects(old, new);
    found.signature = signature(old) != signature(new);
    ItemChange::Relocated { before: old.clone(), after: new.clone(), aspects: found }
}

/// What the header and the parts are, whatever the item is called.
fn signature(item: &Item) -> ContentHash {
    let name = plain(item.path.name());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let header = header(item);
    let words = header.split_inclusive(|c: char| !is_word(c)).map(|word| {
        let bare = word.trim_end_matches(|c: char| !is_word(c));
        if bare == name { word.replacen(name, "_", 1) } else { word.to_owned() }
    });
    let own = if item.kind == ItemKind::Module { Vec::new() } else { parts(item) };
    let parts = own.into_iter().map(|part| part.fingerprint.signature.to_string());
    ContentHash::of_parts(words.chain(parts).collect::<Vec<_>>())
}
