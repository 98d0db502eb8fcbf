//! By which paths a driver names items that stand in private modules.
//!
//! Main function: [`public_paths`].

use std::collections::BTreeMap;

use upstream::snapshot::surface;
use upstream::{ItemPath, Snapshot};

/// By which paths other crates name the items that cannot be named where they stand: the shortest by which their own
/// crate shows them, wherever it does and by whatever name.
pub fn public_paths(snapshot: &Snapshot) -> BTreeMap<ItemPath, String> {
    let shown = surface(snapshot).items.into_iter().filter_map(|(item, names)| {
        let own = format!("{}::", item.krate());
        let stands_open = names.iter().any(|name| name == item.as_str());
        let name = names.into_iter().find(|name| name.starts_with(&own))?;
        (!stands_open).then_some((item, name))
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use upstream::tree::MemoryTree;
    use upstream::{CommitId, Revision, RevisionLabel};

    use super::*;

    #[test]
    fn what_stands_in_a_private_module_is_named_where_and_as_its_crate_shows_it() {
        let tree = MemoryTree::from_iter([
            ("Cargo.toml", "[package]\nname = \"k\"\nversion = \"1.0.0\"\n"),
            (
                "src/lib.rs",
                "mod inner;\npub mod open;\npub use inner::Shown;\npub use inner::h as renamed;\npub fn f() {}\n",
            ),
            ("src/inner.rs", "pub struct Shown;\npub struct Hidden;\npub fn h() {}\npub fn i() {}\n"),
            ("src/open.rs", "pub fn g() {}\npub use crate::inner::i;\n"),
        ]);
        let revision = Revision {
            label: RevisionLabel::new("1").unwrap(),
            commit: CommitId::new("0".repeat(40)).unwrap(),
            summary: String::new(),
            published_s: None,
            withdrawn: false,
        };
        let snapshot = upstream::snapshot::read(&tree, &revision).unwrap();
        let expected = [("Shown", "k::Shown"), ("h", "k::renamed"), ("i", "k::open::i")];
        let expected = expected
            .map(|(item, name)| (ItemPath::new(format!("k::inner::{item}")).unwrap(), name.to_owned()));
        assert_eq!(public_paths(&snapshot), BTreeMap::from(expected));
    }
}
