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

/// Completes `exported`: adds what is handed on, and gives members of types the reach of their types: where
/// the `impl` block stands does not matter to those who can name the type.
pub(super) fn mark_exported(items: &mut BTreeMap<ItemPath, Item>, exports: &Exports) {
    let is_exported = |item: &Item| {
        item.exported
            || (item.visibility == Visibility::Public
                && !item.is_test
                && is_handed_on(&item.path, items, exports))
    };
    let mut exported: BTreeSet<ItemPath> = BTreeSet::new();
    let mut types = Types::default();
    for item in items.values() {
        let is_reachable = is_exported(item);
        if is_reachable {
            exported.insert(item.path.clone());
        }
        types.add(item, items, is_reachable);
    }
    for (path, item) in items.iter() {
        match owner_of(path, items).and_then(|owner| types.reach(&owner)) {
            Some(true) if item.visibility == Visibility::Public && !item.is_test => {
                exported.insert(path.clone());
            }
            Some(false) => {
                exported.remove(path);
            }
            Some(true) | None => {}
        }
    }
    for (path, item) in items.iter_mut() {
        item.exported = exported.contains(path);
    }
}

/// Whether a `pub use` names the item, or something around it with nothing private in between.
fn is_handed_on(path: &ItemPath, items: &BTreeMap<ItemPath, Item>, exports: &Exports) -> bool {
    let mut at = path.clone();
    loop {
        if exports.named.contains(at.as_str()) {
            return true;
        }
        let Some(parent) = at.parent() else { return false };
        if exports.globs.contains(parent.as_str()) {
            return true;
        }
        if items.get(&parent).is_none_or(|item| item.visibility != Visibility::Public) {
            return false;
        }
        at = parent;
    }
}

/// The types and traits of all crates, by crate and name, each with whether a user can name it.
#[derive(Debug, Default)]
struct Types(BTreeMap<(String, String), Vec<(ItemPath, bool)>>);

impl Types {
    fn add(&mut self, item: &Item, items: &BTreeMap<ItemPath, Item>, is_reachable: bool) {
        let is_type = match item.kind {
            ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait | ItemKind::TypeAlias => {
                item.path.parent().is_some_and(|parent| is_module(&parent, items))
            }
            ItemKind::Function
            | ItemKind::Method
            | ItemKind::Impl
            | ItemKind::Const
            | ItemKind::Static
            | ItemKind::Macro
            | ItemKind::Module => false,
        };
        if is_type {
            let key = (item.path.krate().to_owned(), plain(item.path.name()).to_owned());
            self.0.entry(key).or_default().push((item.path.clone(), is_reachable));
        }
    }

    /// Whether a user can name what a member belongs to: the type or, where that is not the crate's own, the
    /// trait. `None` where neither is known, or several could be meant and differ.
    fn reach(&self, owner: &Owner) -> Option<bool> {
        owner.names.iter().find_map(|name| {
            let candidates = self.named(&owner.module, name);
            let (_, first) = candidates.first()?;
            Some(candidates.iter().all(|(_, reachable)| reachable == first).then_some(*first))
        })?
    }

    /// The types that may be meant by this name in this module: those of the module itself before all others.
    fn named(&self, module: &ItemPath, written: &str) -> Vec<&(ItemPath, bool)> {
        let (place, name) = written.rsplit_once("::").unwrap_or(("", written));
        let key = (module.krate().to_owned(), name.to_owned());
        let known = self.0.get(&key).map_or(&[][..], Vec::as_slice);
        let mut steps: Vec<&str> = place.split("::").collect();
        steps.retain(|step| !matches!(*step, "" | "crate" | "self" | "super"));
        if place.is_empty() {
            let here: Vec<_> =
                known.iter().filter(|(path, _)| path.parent().as_ref() == Some(module)).collect();
            if !here.is_empty() {
                return here;
            }
        }
        let fits = |path: &ItemPath| path.parent().is_some_and(|parent| parent.segments().ends_with(&steps));
        known.iter().filter(|(path, _)| fits(path)).collect()
    }
}

/// What a member belongs to, or an implementation is for, as it is written.
struct Owner {
    /// The module that the `impl` or `trait` block stands in.
    module: ItemPath,
    /// The type's name and, for the implementation of a trait, the trait's.
    names: Vec<String>,
}

fn owner_of(path: &ItemPath, items: &BTreeMap<ItemPath, Item>) -> Option<Owner> {
    let parent = path.parent()?;
    let (module, name, is_header) = if is_module(&parent, items) {
        (parent, path.name().to_owned(), true)
    } else {
        (parent.parent()?, parent.name().to_owned(), false)
    };
    let names = match name.strip_prefix('<').and_then(|rest| rest.split_once(" as ")) {
        Some((implementor, implemented)) => vec![type_name(implementor), type_name(implemented)],
        None if is_header => return None,
        None => vec![plain(&name).to_owned()],
    };
    Some(Owner { module, names })
}

fn is_module(at: &ItemPath, items: &BTreeMap<ItemPath, Item>) -> bool {
    items.get(at).is_some_and(|item| item.kind == ItemKind::Module)
}

/// The path in a written type, without references, arguments and the end of the header.
fn type_name(written: &str) -> String {
    let bare = written.trim_start_matches(['&', ' ', '!']);
    let bare = bare.strip_prefix("mut ").unwrap_or(bare);
    let bare = bare.strip_prefix("dyn ").unwrap_or(bare);
    bare.split(['<', '>', ' ', '(']).next().unwrap_or_default().to_owned()
}

/// A name without the number that a further item of the same name has.
fn plain(name: &str) -> &str {
    name.split('#').next().filter(|plain| !plain.is_empty() && *plain != "r").unwrap_or(name)
}
