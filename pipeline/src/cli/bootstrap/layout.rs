//! Which modules of the upstream are files of the port, which are packages, and which stand in another one's file.

use std::collections::{BTreeMap, BTreeSet};

use mappings::bootstrap::First;
use upstream::Snapshot;

/// A module of the port: its names below the package, outermost first.
pub(super) type Module = Vec<String>;

/// What is known of a module of the port.
#[derive(Debug, Default)]
struct Content {
    /// The names that stand at its top.
    names: BTreeSet<String>,
    /// Lines of the upstream's code that belong there.
    lines: usize,
}

/// How the modules are laid out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Modules whose items go to another one.
    pub(super) merge: BTreeMap<Module, Module>,
    /// Modules with others below them.
    pub(super) packages: BTreeSet<Module>,
}

/// Lays out the modules of a first lock that was made with every module a file of its own. Modules of fewer lines than
/// `merge_below` go to the one above them, where no name stands in both.
pub(super) fn layout(first: &First, snapshot: &Snapshot, package: &str, merge_below: usize) -> Layout {
    let mut modules = contents(first, snapshot, package);
    let mut merge: BTreeMap<Module, Module> = BTreeMap::new();
    let mut deepest_first: Vec<Module> =
        modules.keys().filter(|module| !module.is_empty()).cloned().collect();
    deepest_first.sort_by_key(|module| (usize::MAX - module.len(), module.clone()));
    for module in deepest_first {
        let Some((_, above)) = module.split_last() else { continue };
        let above = above.to_vec();
        let Some(content) = modules.get(&module) else { continue };
        let is_apart = modules.get(&above).is_none_or(|other| other.names.is_disjoint(&content.names));
        if content.lines >= merge_below || !is_apart {
            continue;
        }
        if let Some(content) = modules.remove(&module) {
            let into = modules.entry(above.clone()).or_default();
            into.names.extend(content.names);
            into.lines += content.lines;
        }
        for to in merge.values_mut().filter(|to| **to == module) {
            to.clone_from(&above);
        }
        merge.insert(module, above);
    }
    let has_below =
        |module: &Module| modules.keys().any(|other| other.len() > module.len() && other.starts_with(module));
    let packages = modules.keys().filter(|module| !module.is_empty() && has_below(module)).cloned().collect();
    Layout { merge, packages }
}

fn contents(first: &First, snapshot: &Snapshot, package: &str) -> BTreeMap<Module, Content> {
    let mut modules: BTreeMap<Module, Content> = BTreeMap::new();
    for (path, file) in &first.files {
        let (Some(item), Some(waiting)) = (snapshot.items.get(path), first.lock.parked.get(path)) else {
            continue;
        };
        if item.is_test {
            continue;
        }
        let Some(module) = module_of(file, package) else { continue };
        let whole: Vec<&str> = package.split('.').chain(module.iter().map(String::as_str)).collect();
        let name = waiting.symbol.as_str().split('.').nth(whole.len()).unwrap_or_default().to_owned();
        let content = modules.entry(module).or_default();
        content.names.insert(name);
        content.lines += item.text.lines().count();
    }
    modules
}

/// The module that a file of the package is.
pub(super) fn module_of(file: &str, package: &str) -> Option<Module> {
    let below = file.strip_prefix(&package.replace('.', "/"))?.strip_prefix('/')?.strip_suffix(".py")?;
    Some(below.split('/').filter(|segment| *segment != "__init__").map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use mappings::bootstrap::first_lock;
    use mappings::lock::Adoption;
    use mappings::{Mapping, SymbolTable};
    use upstream::tree::MemoryTree;

    use super::*;

    fn laid_out(merge_below: usize) -> (Vec<String>, Vec<String>) {
        let files = [
            ("Cargo.toml", "[package]\nname = \"k\"\nversion = \"1.0.0\"\n"),
            ("src/lib.rs", "pub mod a; pub mod small;\npub fn top() {}\n"),
            ("src/a.rs", "pub mod deep; pub mod twin;\npub fn f() {\n\n\n\n}\n"),
            ("src/a/deep.rs", "pub fn g() {}\n"),
            ("src/a/twin.rs", "pub fn f() {}\n"),
            ("src/small.rs", "pub struct S;\nimpl S { pub fn go(&self) {} }\n"),
        ];
        let tree: MemoryTree = files.into_iter().collect();
        let revision = upstream::Revision {
            label: upstream::RevisionLabel::new("1.0.0").unwrap(),
            commit: upstream::CommitId::new("1".repeat(40)).unwrap(),
            summary: String::new(),
            published_s: None,
            withdrawn: false,
        };
        let snapshot = upstream::snapshot::read(&tree, &revision).unwrap();
        let mapping = Mapping::new(toml::from_str("[convention]\npackage = 'p'\n").unwrap()).unwrap();
        let symbols = SymbolTable::default();
        let adoption = Adoption { source: "x", baseline: &snapshot, mapping: &mapping, symbols: &symbols };
        let first = first_lock(&adoption, true).unwrap();
        let layout = layout(&first, &snapshot, "p", merge_below);
        let joined = |module: &Module| module.join("::");
        let merged = layout.merge.iter().map(|(from, to)| format!("{} -> {}", joined(from), joined(to)));
        (merged.collect(), layout.packages.iter().map(joined).collect())
    }

    #[test]
    fn a_module_with_others_below_it_is_a_package() {
        assert_eq!(laid_out(0), (Vec::new(), vec!["a".to_owned()]));
    }

    #[test]
    fn small_modules_stand_in_the_one_above_unless_a_name_would_stand_there_twice() {
        let (merged, packages) = laid_out(4);
        assert_eq!(merged, ["a::deep -> a", "small -> "]);
        assert_eq!(packages, ["a"], "`twin` stands below it still");
    }
}
