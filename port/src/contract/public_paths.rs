//! By which paths a driver names items that stand in private modules.
//!
//! Main function: [`public_paths`].

use std::collections::BTreeMap;

use upstream::snapshot::Visibility;
use upstream::{Item, ItemKind, ItemPath, Snapshot};

/// By which paths other crates name the items that stand in private modules and are re-exported at their
/// crate's root. A re-export under another name is not known here; such an item is then not probed.
pub fn public_paths(snapshot: &Snapshot) -> BTreeMap<ItemPath, String> {
    let is_open = |path: &ItemPath| {
        snapshot.items.get(path).is_none_or(|module| module.visibility == Visibility::Public)
    };
    let stands_open = |item: &Item| {
        std::iter::successors(item.path.parent(), ItemPath::parent)
            .filter(|module| module.segments().len() > 1)
            .all(|module| is_open(&module))
    };
    let hidden = snapshot.items.values().filter(|item| item.exported && !item.is_test && !stands_open(item));
    let at_root = |item: &Item| (item.path.clone(), format!("{}::{}", item.path.krate(), item.path.name()));
    hidden.filter(|item| !matches!(item.kind, ItemKind::Method | ItemKind::Impl)).map(at_root).collect()
}

#[cfg(test)]
mod tests {
    use upstream::tree::MemoryTree;
    use upstream::{CommitId, Revision, RevisionLabel};

    use super::*;

    #[test]
    fn what_is_re_exported_from_a_private_module_is_named_at_the_root() {
        let tree = MemoryTree::from_iter([
            ("Cargo.toml", "[package]\nname = \"k\"\nversion = \"1.0.0\"\n"),
            ("src/lib.rs", "mod inner;\npub mod open;\npub use inner::Shown;\npub fn f() {}\n"),
            ("src/inner.rs", "pub struct Shown;\npub struct Hidden;\n"),
            ("src/open.rs", "pub fn g() {}\n"),
        ]);
        let revision = Revision {
            label: RevisionLabel::new("1").unwrap(),
            commit: CommitId::new("0".repeat(40)).unwrap(),
            summary: String::new(),
            published_s: None,
            withdrawn: false,
        };
        let snapshot = upstream::snapshot::read(&tree, &revision).unwrap();
        let expected = (ItemPath::new("k::inner::Shown").unwrap(), "k::Shown".to_owned());
        assert_eq!(public_paths(&snapshot), BTreeMap::from([expected]));
    }
}
