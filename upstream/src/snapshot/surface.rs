//! The paths by which users of a library name its items.
//!
//! Main function: [`surface`]. It begins at the root of each library and follows `pub` modules, `pub use` and
//! globs, across the libraries of the repository. What leads out of it is a name for something foreign. Macros
//! are not expanded, and every `cfg` counts as on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::parts::module_imports;
use super::{Import, Item, ItemKind, Snapshot, Visibility};
use crate::ids::ItemPath;

/// The longest chain of imports that is followed to one name.
const CHAIN_MAX: usize = 24;
/// The most public paths of one module that are followed further.
const MODULE_NAMES_MAX: usize = 4;
/// The most public paths of one repository.
const NAMES_MAX: usize = 2_000_000;

/// What a user of the libraries can name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Surface {
    /// Each item that has public paths, with those: its own crate's first, then the shortest.
    pub items: BTreeMap<ItemPath, Vec<String>>,
    /// Each public path of something that is not in this repository, or is a variant, with what it stands for.
    pub handed_on: BTreeMap<String, String>,
}

impl Surface {
    /// Every public path, of items and of what is handed on.
    pub fn paths(&self) -> BTreeSet<&str> {
        let items = self.items.values().flatten().map(String::as_str);
        items.chain(self.handed_on.keys().map(String::as_str)).collect()
    }

    /// The public paths of an item, in that order.
    pub fn of(&self, item: &ItemPath) -> &[String] {
        self.items.get(item).map_or(&[], Vec::as_slice)
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Def {
    Item(ItemPath),
    Other(String),
}

/// Finds the public paths of all items of a snapshot.
pub fn surface(snapshot: &Snapshot) -> Surface {
    let graph = Graph::of(snapshot);
    let mut surface = Surface::default();
    for root in snapshot.packages.iter().filter_map(|package| package.library.as_deref()) {
        if let Ok(root) = ItemPath::new(root)
            && graph.modules.contains_key(&root)
        {
            graph.follow(&root, &mut surface);
        }
    }
    graph.members(&mut surface);
    for item in snapshot.items.values().filter(|item| item.kind == ItemKind::Macro) {
        // Wherever it stands, such a macro is one of its crate.
        if item.attributes.iter().any(|it| it.starts_with("#[macro_export")) && !item.is_test {
            let names = surface.items.entry(item.path.clone()).or_default();
            names.push(format!("{}::{}", item.path.krate(), plain(item.path.name())));
        }
    }
    for (item, names) in &mut surface.items {
        // Its own crate's names before those of others that hand it on.
        let own = format!("{}::", item.krate());
        names.sort_by_key(|name| (!name.starts_with(&own), name.matches("::").count(), name.clone()));
        names.dedup();
    }
    surface
}

/// One module with what stands in it.
#[derive(Debug, Default)]
struct Module {
    children: BTreeMap<String, Vec<ItemPath>>,
    imports: Vec<Import>,
}

struct Graph<'snapshot> {
    items: &'snapshot BTreeMap<ItemPath, Item>,
    modules: BTreeMap<ItemPath, Module>,
}

/// What is being looked up, so that a circle of imports ends.
type Way = Vec<(ItemPath, String)>;

impl<'snapshot> Graph<'snapshot> {
    fn of(snapshot: &'snapshot Snapshot) -> Self {
        let mut modules: BTreeMap<ItemPath, Module> = BTreeMap::new();
        for item in snapshot.items.values().filter(|item| item.kind == ItemKind::Module) {
            let imports = module_imports(item);
            modules.entry(item.path.clone()).or_default().imports.extend(imports);
        }
        for item in snapshot.items.values() {
            let Some(parent) = item.path.parent() else { continue };
            if let Some(module) = modules.get_mut(&parent) {
                let name = plain(item.path.name()).to_owned();
                module.children.entry(name).or_default().push(item.path.clone());
            }
        }
        Self { items: &snapshot.items, modules }
    }

    /// Adds every public path that begins at this library.
    fn follow(&self, root: &ItemPath, surface: &mut Surface) {
        let mut followed: BTreeMap<ItemPath, usize> = BTreeMap::new();
        let mut open = VecDeque::from([(root.clone(), root.to_string(), vec![root.clone()])]);
        surface.items.entry(root.clone()).or_default().push(root.to_string());
        while let Some((module, prefix, chain)) = open.pop_front() {
            for (name, def) in self.public_names(&module, &mut Vec::new()) {
                if surface.items.len() + surface.handed_on.len() >= NAMES_MAX {
                    return;
                }
                let path = format!("{prefix}::{name}");
                let item = match def {
                    Def::Item(item) => item,
                    Def::Other(other) => {
                        surface.handed_on.insert(path, other);
                        continue;
                    }
                };
                let names = surface.items.entry(item.clone()).or_default();
                if !names.contains(&path) {
                    names.push(path.clone());
                }
                // A module that contains itself by some import is not gone through again.
                if self.modules.contains_key(&item) && !chain.contains(&item) {
                    let times = followed.entry(item.clone()).or_default();
                    *times += 1;
                    if *times <= MODULE_NAMES_MAX {
                        let chain = chain.iter().cloned().chain([item.clone()]).collect();
                        open.push_back((item, path, chain));
                    }
                }
            }
        }
    }

    /// The names that a module shows to everybody. What it names itself hides what a glob brings.
    fn public_names(&self, module: &ItemPath, way: &mut Vec<ItemPath>) -> BTreeSet<(String, Def)> {
        let mut found = BTreeSet::new();
        let Some(contents) = self.modules.get(module) else { return found };
        if way.contains(module) || way.len() > CHAIN_MAX {
            return found;
        }
        way.push(module.clone());
        for (name, paths) in &contents.children {
            for path in paths.iter().filter(|path| self.is_public(path)) {
                found.insert((name.clone(), Def::Item(path.clone())));
            }
        }
        let public = || contents.imports.iter().filter(|import| import.visibility.trim() == "pub");
        for import in public().filter(|import| !import.is_glob) {
            let Some(name) = import.name() else { continue };
            for def in self.resolve(module, &import.path, &mut Vec::new()) {
                found.insert((name.to_owned(), def));
            }
        }
        let own: BTreeSet<String> = found.iter().map(|(name, _)| name.clone()).collect();
        for import in public().filter(|import| import.is_glob) {
            for def in self.resolve(module, &import.path, &mut Vec::new()) {
                let behind = match &def {
                    Def::Item(target) if self.modules.contains_key(target) => self.public_names(target, way),
                    Def::Item(target) => self.variants(target),
                    Def::Other(path) => BTreeSet::from([("*".to_owned(), Def::Other(format!("{path}::*")))]),
                };
                found.extend(behind.into_iter().filter(|(name, _)| name == "*" || !own.contains(name)));
            }
        }
        way.pop();
        found
    }

    /// Whether a child of a module is `pub` and can be named at all.
    fn is_public(&self, path: &ItemPath) -> bool {
        self.items.get(path).is_some_and(|item| {
            item.visibility == Visibility::Public
                && !item.is_test
                && item.kind != ItemKind::Impl
                && item.kind != ItemKind::Macro
        })
    }

    fn variants(&self, path: &ItemPath) -> BTreeSet<(String, Def)> {
        let item = self.items.get(path).filter(|item| item.kind == ItemKind::Enum);
        let variants = item.into_iter().flat_map(|item| &item.members);
        variants.map(|name| (name.clone(), Def::Other(format!("{path}::{name}")))).collect()
    }

    /// What a path stands for in a module; several where names of types, values and macros are the same, or
    /// where `cfg` tells twins apart.
    fn resolve(&self, module: &ItemPath, path: &[String], way: &mut Way) -> Vec<Def> {
        let Ok(root) = ItemPath::new(module.krate()) else { return Vec::new() };
        let mut rest = path;
        let mut at: Option<Vec<Def>> = None;
        while let Some((first, behind)) = rest.split_first() {
            let inside = |at: &Option<Vec<Def>>| match at.as_deref() {
                Some([Def::Item(path), ..]) => path.clone(),
                Some(_) | None => module.clone(),
            };
            at = Some(vec![Def::Item(match first.as_str() {
                "crate" | "$crate" => root.clone(),
                "self" => inside(&at),
                "super" => inside(&at).parent().unwrap_or_else(|| root.clone()),
                _ => break,
            })]);
            rest = behind;
        }
        let mut defs = if let Some(defs) = at {
            defs
        } else {
            let Some((first, behind)) = rest.split_first() else { return Vec::new() };
            rest = behind;
            self.first(module, &root, first, way)
        };
        for segment in rest {
            defs = defs.iter().flat_map(|def| self.inside(def, segment, way)).collect();
        }
        defs
    }

    /// The first name of a path: of this module, of a library, of the crate's root (as the 2015 edition has
    /// it), or foreign.
    fn first(&self, module: &ItemPath, root: &ItemPath, name: &str, way: &mut Way) -> Vec<Def> {
        let name = name.trim_start_matches("::");
        let here = self.lookup(module, name, way);
        if !here.is_empty() {
            return here;
        }
        if let Some(library) = ItemPath::new(name).ok().filter(|it| self.modules.contains_key(it)) {
            return vec![Def::Item(library)];
        }
        let at_root = self.lookup(root, name, way);
        if at_root.is_empty() { vec![Def::Other(name.to_owned())] } else { at_root }
    }

    fn inside(&self, def: &Def, name: &str, way: &mut Way) -> Vec<Def> {
        match def {
            Def::Other(path) => vec![Def::Other(format!("{path}::{name}"))],
            Def::Item(path) if self.modules.contains_key(path) => self.lookup(path, name, way),
            Def::Item(path) => {
                self.variants(path).into_iter().filter(|(own, _)| own == name).map(|(_, def)| def).collect()
            }
        }
    }

    /// What a name stands for inside a module, whoever may see it.
    fn lookup(&self, module: &ItemPath, name: &str, way: &mut Way) -> Vec<Def> {
        let Some(contents) = self.modules.get(module) else { return Vec::new() };
        let mark = (module.clone(), name.to_owned());
        if way.len() > CHAIN_MAX || way.contains(&mark) {
            return Vec::new();
        }
        way.push(mark);
        let own = contents.children.get(name).into_iter().flatten();
        let mut found: Vec<Def> = own.map(|path| Def::Item(path.clone())).collect();
        let named = contents.imports.iter().filter(|import| import.name() == Some(name));
        for import in named {
            found.extend(self.resolve(module, &import.path, way));
        }
        if found.is_empty() {
            for import in contents.imports.iter().filter(|import| import.is_glob) {
                for def in self.resolve(module, &import.path, way) {
                    if let Def::Item(target) = &def {
                        let in_target = Def::Item(target.clone());
                        found.extend(self.inside(&in_target, name, way));
                    }
                }
            }
        }
        way.pop();
        found.sort();
        found.dedup();
        found
    }

    /// Adds the public members of types and traits, by the names of those.
    fn members(&self, surface: &mut Surface) {
        let mut found: Vec<(ItemPath, Vec<String>)> = Vec::new();
        let mut types_by_name: BTreeMap<(&str, &str), Vec<&ItemPath>> = BTreeMap::new();
        for item in self.items.values().filter(|item| is_type(item.kind)) {
            types_by_name.entry((item.path.krate(), plain(item.path.name()))).or_default().push(&item.path);
        }
        for item in self.items.values() {
            if item.visibility != Visibility::Public || item.is_test || item.kind == ItemKind::Impl {
                continue;
            }
            let Some(owner) = item.path.parent() else { continue };
            if self.modules.contains_key(&owner) || owner.name().starts_with('<') {
                continue;
            }
            let Some(module) = owner.parent() else { continue };
            let mut owners = self.lookup(&module, plain(owner.name()), &mut Vec::new());
            if owners.is_empty()
                && let Some([only]) =
                    types_by_name.get(&(owner.krate(), plain(owner.name()))).map(Vec::as_slice)
            {
                // `impl a::b::Type` names its type by a path that the item's own path does not hold.
                owners.push(Def::Item((*only).clone()));
            }
            let types = owners.iter().filter_map(|def| match def {
                Def::Item(path) => surface.items.get(path),
                Def::Other(_) => None,
            });
            let names: BTreeSet<String> =
                types.flatten().map(|name| format!("{name}::{}", plain(item.path.name()))).collect();
            if !names.is_empty() {
                found.push((item.path.clone(), names.into_iter().collect()));
            }
        }
        for (path, names) in found {
            surface.items.entry(path).or_default().extend(names);
        }
    }
}

fn is_type(kind: ItemKind) -> bool {
    matches!(
        kind,
        ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait | ItemKind::TypeAlias
    )
}

/// A name without the number that a further item of the same name has.
pub(crate) fn plain(name: &str) -> &str {
    match name.rsplit_once('#') {
        Some((plain, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => plain,
        Some(_) | None => name,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::tests::{package, repository};
    use super::*;

    fn told(snapshot: &Snapshot) -> String {
        let surface = surface(snapshot);
        let mut lines = String::new();
        for (item, names) in &surface.items {
            writeln!(lines, "{item}: {}", names.join(", ")).unwrap();
        }
        for (name, what) in &surface.handed_on {
            writeln!(lines, "{name} = {what}").unwrap();
        }
        lines
    }

    #[test]
    fn re_exports_and_globs_are_followed_to_the_paths_that_users_write() {
        let snapshot = package(&[
            (
                "src/lib.rs",
                "mod inner; mod all; pub mod open; pub use inner::{Thing, helper as help}; pub use all::*; pub use serde::Serialize; use inner as i; pub use i::Second; pub use open::Kind::*;",
            ),
            (
                "src/inner.rs",
                "pub struct Thing; impl Thing { pub fn go(&self) {} fn own(&self) {} } pub fn helper() {} pub struct Second; pub struct Unseen; #[macro_export] macro_rules! shout { () => {} }",
            ),
            ("src/all.rs", "pub fn one() {} pub(crate) fn two() {} pub mod deep { pub fn three() {} }"),
            ("src/open.rs", "pub enum Kind { A, B } impl super::inner::Thing { pub fn far(&self) {} }"),
        ]);
        insta::assert_snapshot!(told(&snapshot), @"
        my_crate: my_crate
        my_crate::all::deep: my_crate::deep
        my_crate::all::deep::three: my_crate::deep::three
        my_crate::all::one: my_crate::one
        my_crate::inner::Second: my_crate::Second
        my_crate::inner::Thing: my_crate::Thing
        my_crate::inner::Thing::go: my_crate::Thing::go
        my_crate::inner::helper: my_crate::help
        my_crate::inner::shout: my_crate::shout
        my_crate::open: my_crate::open
        my_crate::open::Kind: my_crate::open::Kind
        my_crate::open::Thing::far: my_crate::Thing::far
        my_crate::A = my_crate::open::Kind::A
        my_crate::B = my_crate::open::Kind::B
        my_crate::Serialize = serde::Serialize
        ");
    }

    #[test]
    fn a_library_hands_on_what_another_of_the_repository_has() {
        let snapshot = repository(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"core\", \"facade\"]\n"),
            ("core/Cargo.toml", "[package]\nname = \"pool-core\"\n"),
            ("core/src/lib.rs", "pub mod net { pub struct Tcp; }"),
            ("facade/Cargo.toml", "[package]\nname = \"pool\"\n"),
            ("facade/src/lib.rs", "pub use pool_core::net; pub mod prelude { pub use pool_core::net::*; }"),
        ]);
        insta::assert_snapshot!(told(&snapshot), @"
        pool: pool
        pool::prelude: pool::prelude
        pool_core: pool_core
        pool_core::net: pool_core::net, pool::net
        pool_core::net::Tcp: pool_core::net::Tcp, pool::net::Tcp, pool::prelude::Tcp
        ");
    }

    #[test]
    fn circles_of_imports_end() {
        let snapshot = package(&[(
            "src/lib.rs",
            "pub mod a { pub use super::b::*; pub use super::*; pub fn f() {} } pub mod b { pub use super::a::*; pub use self::x as y; pub use self::y as x; }",
        )]);
        let surface = surface(&snapshot);
        assert_eq!(surface.of(&ItemPath::new("my_crate::a::f").unwrap())[0], "my_crate::a::f");
    }

    #[test]
    fn what_only_tests_or_the_crate_itself_can_name_is_not_public() {
        let snapshot = package(&[(
            "src/lib.rs",
            "#[cfg(test)] pub mod tests { pub fn t() {} } pub(crate) mod m { pub fn f() {} } mod p { pub fn g() {} } pub(crate) use p::g;",
        )]);
        assert_eq!(told(&snapshot), "my_crate: my_crate\n");
    }
}
