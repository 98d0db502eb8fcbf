//! Which items a user of the crate can name, `pub use` included.

use std::collections::{BTreeMap, BTreeSet};

use super::uses::ReExport;
use super::{Item, ItemKind, Visibility};
use crate::ids::ItemPath;

/// What `pub use` declarations in reachable modules hand on, as full paths.
#[derive(Debug, Default)]
pub(super) struct Exports {
    /// Items or modules named one by one.
    named: BTreeSet<String>,
    /// Modules or enums all of whose public contents are handed on.
    globs: BTreeSet<String>,
}

impl Exports {
    /// Adds a declaration that stands in this module.
    pub(super) fn add(&mut self, module: &[String], export: &ReExport) {
        let Some(krate) = module.first() else { return };
        let mut inside: Vec<&str> = module.iter().map(String::as_str).collect();
        let mut rest = export.path.as_slice();
        let root = [krate.as_str()];
        while let Some((first, behind)) = rest.split_first() {
            match first.as_str() {
                "crate" => inside = root.to_vec(),
                "self" => {}
                "super" => {
                    inside.pop();
                }
                _ => break,
            }
            rest = behind;
        }
        let written = rest.iter().map(String::as_str);
        // Paths of the 2015 edition begin at the crate; both readings are kept, a wrong one names nothing.
        for base in [inside.as_slice(), &root] {
            let path: Vec<&str> = base.iter().copied().chain(written.clone()).collect();
            let set = if export.is_glob { &mut self.globs } else { &mut self.named };
            set.insert(path.join("::"));
        }
    }
}

/// Completes `exported`: adds what is handed on, and takes away members of types that cannot be named.
pub(super) fn mark_exported(items: &mut BTreeMap<ItemPath, Item>, exports: &Exports) {
    let mut handed_on: BTreeSet<ItemPath> = BTreeSet::new();
    for (path, item) in
        items.iter().filter(|(_, item)| item.visibility == Visibility::Public && !item.is_test)
    {
        if is_handed_on(path, items, exports) {
            handed_on.insert(item.path.clone());
        }
    }
    let mut hidden: BTreeSet<ItemPath> = BTreeSet::new();
    for path in items.keys() {
        let reachable =
            |owner: &ItemPath| items.get(owner).is_none_or(|item| item.exported || handed_on.contains(owner));
        if owner_of(path, items).is_some_and(|owner| !reachable(&owner)) {
            hidden.insert(path.clone());
        }
    }
    for (path, item) in items.iter_mut() {
        item.exported = (item.exported || handed_on.contains(path)) && !hidden.contains(path);
    }
}

/// Whether a `pub use` names the item, or something around it with nothing private in between.
fn is_handed_on(path: &ItemPath, items: &BTreeMap<ItemPath, Item>, exports: &Exports) -> bool {
    let mut at = path.clone();
    loop {
        if exports.named.contains(at.as_str()) {
            return true;
        }
        let owner = owner_of(&at, items);
        let Some(parent) = at.parent() else { return false };
        if exports.globs.contains(parent.as_str()) {
            return true;
        }
        let next = owner.unwrap_or(parent);
        if items.get(&next).is_none_or(|item| item.visibility != Visibility::Public) {
            return false;
        }
        at = next;
    }
}

/// The type or trait that a member belongs to, or that a trait is implemented for, where it stands in the
/// same module.
fn owner_of(path: &ItemPath, items: &BTreeMap<ItemPath, Item>) -> Option<ItemPath> {
    let parent = path.parent()?;
    let is_module = |at: &ItemPath| items.get(at).is_some_and(|item| item.kind == ItemKind::Module);
    let (module, name) = if is_module(&parent) {
        (parent, path.name().to_owned())
    } else {
        (parent.parent()?, parent.name().to_owned())
    };
    let is_own_name = path.name() == name;
    let type_name = match name.strip_prefix('<').and_then(|rest| rest.split_once(" as ")) {
        Some((implementor, _)) => implementor
            .trim_start_matches(['&', ' '])
            .trim_start_matches("mut ")
            .split(['<', ' '])
            .next()
            .unwrap_or_default()
            .to_owned(),
        None if is_own_name => return None,
        None => name,
    };
    let owner = ItemPath::new(format!("{module}::{type_name}")).ok()?;
    items.contains_key(&owner).then_some(owner)
}
