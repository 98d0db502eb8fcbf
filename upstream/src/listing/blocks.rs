//! Changed headers of inherent implementations and `extern` blocks, told as parts of their type or module.

use std::collections::{BTreeMap, BTreeSet};

use super::row::{Both, ItemRow, PartRow};
use super::rows::Sides;
use crate::diff::{Aspects, ItemChange};
use crate::history::ChangeKind;
use crate::ids::ItemPath;
use crate::snapshot::{Block, BlockKind, Item, ItemKind, PartKind, Snapshot, blocks, plain};
use crate::tree::{SourceTree, TreeError};

/// What has such blocks: a type by its crate and name, or a module.
type Owner = (BlockKind, String, String);

/// Adds what changed in the headers of blocks to the rows of their types and modules.
pub(super) fn add_blocks(
    rows: &mut Vec<ItemRow>,
    sides: &Sides<'_>,
    trees: (&dyn SourceTree, &dyn SourceTree),
) -> Result<(), TreeError> {
    let old = found(sides.before, sides.after, trees.0)?;
    let new = found(sides.after, sides.before, trees.1)?;
    let owners: BTreeSet<&Owner> = old.keys().chain(new.keys()).collect();
    for owner in owners {
        let nothing = BTreeSet::new();
        let (one, other) = (old.get(owner).unwrap_or(&nothing), new.get(owner).unwrap_or(&nothing));
        let gone: Vec<&Block> = one.difference(other).collect();
        let come: Vec<&Block> = other.difference(one).collect();
        let parts: Vec<PartRow> = match (gone.as_slice(), come.as_slice()) {
            ([], []) => continue,
            ([gone], [come]) => vec![part(Some(gone), Some(come))],
            (gone, come) => {
                let gone = gone.iter().filter(|it| says_something(it)).map(|it| part(Some(it), None));
                gone.chain(come.iter().filter(|it| says_something(it)).map(|it| part(None, Some(it))))
                    .collect()
            }
        };
        if parts.is_empty() {
            continue;
        }
        let (Some(before), Some(after)) = (item(sides.before, owner), item(sides.after, owner)) else {
            continue;
        };
        add(rows, sides, (before, after), parts);
    }
    Ok(())
}

fn add(rows: &mut Vec<ItemRow>, sides: &Sides<'_>, (before, after): (&Item, &Item), parts: Vec<PartRow>) {
    let signature = parts.iter().any(|part| part.aspects.signature || part.change != ChangeKind::Modified);
    let attributes = parts.iter().any(|part| part.aspects.attributes);
    if let Some(row) = rows.iter_mut().find(|row| row.path == after.path && row.change != ChangeKind::Added) {
        row.aspects.signature |= signature;
        row.aspects.attributes |= attributes;
        row.parts.extend(parts);
        return;
    }
    let aspects = Aspects { signature, attributes, ..Aspects::default() };
    let change = ItemChange::Modified { before: before.clone(), after: after.clone(), aspects };
    rows.extend(sides.row(&change).map(|row| ItemRow { parts, ..row }));
}

/// The blocks of the files that differ, each kind of header once.
fn found(
    here: &Snapshot,
    there: &Snapshot,
    tree: &dyn SourceTree,
) -> Result<BTreeMap<Owner, BTreeSet<Block>>, TreeError> {
    let mut found: BTreeMap<Owner, BTreeSet<Block>> = BTreeMap::new();
    // A file that several targets hold is told for the first.
    let mut modules: BTreeMap<&str, &Item> = BTreeMap::new();
    for item in here.items.values().filter(|item| item.kind == ItemKind::Module && item.line == 1) {
        modules.entry(&item.file).or_insert(item);
    }
    for (file, module) in modules {
        if here.files.get(file) == there.files.get(file) || module.is_test {
            continue;
        }
        let Some(text) = tree.read(file)?.and_then(|bytes| String::from_utf8(bytes).ok()) else { continue };
        // The newest edition that has any: nearly every file reads the same in all.
        let found_in = ["2024", "2018", "2015"].into_iter().map(|edition| blocks(&text, edition));
        for block in found_in.into_iter().find(|blocks| !blocks.is_empty()).unwrap_or_default() {
            let owner = match block.kind {
                BlockKind::Inherent => (block.kind, module.path.krate().to_owned(), block.subject.clone()),
                BlockKind::Extern => (block.kind, module.path.krate().to_owned(), module.path.to_string()),
            };
            found.entry(owner).or_default().insert(block);
        }
    }
    Ok(found)
}

/// The type or module that has the blocks; none where several types have the name.
fn item<'a>(snapshot: &'a Snapshot, (kind, krate, name): &Owner) -> Option<&'a Item> {
    if *kind == BlockKind::Extern {
        return snapshot.items.get(&ItemPath::new(name.as_str()).ok()?);
    }
    let is_type = |item: &&Item| {
        matches!(item.kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::TypeAlias)
            && item.path.krate() == krate
            && plain(item.path.name()) == name
    };
    let mut types = snapshot.items.values().filter(is_type);
    let only = types.next()?;
    types.next().is_none().then_some(only)
}

/// Whether a header says more than whose block it is.
fn says_something(block: &Block) -> bool {
    !block.attributes.is_empty()
        || block.kind == BlockKind::Extern
        || block.header.contains(" where ")
        || block.header.split('>').next().is_some_and(|generics| generics.contains(": "))
}

fn part(old: Option<&Block>, new: Option<&Block>) -> PartRow {
    let text = |block: &Block| {
        let attributes = block.attributes.iter().map(String::as_str);
        attributes.chain([block.header.as_str()]).collect::<Vec<_>>().join(" ")
    };
    let aspects = old.zip(new).map_or_else(Aspects::default, |(old, new)| Aspects {
        signature: old.header != new.header,
        attributes: old.attributes != new.attributes,
        ..Aspects::default()
    });
    let kind = new.or(old).map_or(PartKind::ImplBlock, |block| match block.kind {
        BlockKind::Inherent => PartKind::ImplBlock,
        BlockKind::Extern => PartKind::ExternBlock,
    });
    PartRow {
        kind,
        name: new.or(old).map(|block| block.header.clone()).unwrap_or_default(),
        change: match (old, new) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            (Some(_), Some(_)) => ChangeKind::Modified,
        },
        aspects,
        text: Both { before: old.map(text), after: new.map(text) },
    }
}
