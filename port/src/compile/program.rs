//! The crate around an item: where its items stand in the port, and what names lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mappings::{Mapping, Placement, SymbolPath, SymbolTable};
use syn::UseTree;
use upstream::snapshot::RustType;
use upstream::{Item, ItemKind, ItemPath, Snapshot};

use crate::runtime::Importable;

/// The longest way that a name may be followed through `use` declarations.
const HOPS_MAX: usize = 16;

/// An item with its place in the port.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) item: Arc<Item>,
    pub(super) symbol: SymbolPath,
    pub(super) file: String,
}

/// The items of one package, with what is imported where. Made once for a revision.
#[derive(Debug, Default, Clone)]
pub struct Program {
    items: BTreeMap<ItemPath, Placed>,
    /// What `use` declarations bring into each module: the name, and the path as written.
    imports: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Modules whose names a module takes all of.
    globs: BTreeMap<String, Vec<Vec<String>>>,
    /// The modules of the port that the code in each module mentions.
    uses: BTreeMap<String, BTreeSet<String>>,
    crates: BTreeSet<String>,
    /// The last names of types that functions return as errors.
    errors: BTreeSet<String>,
    /// What may be imported of the runtime module.
    runtime: Option<Importable>,
}

/// What a name leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Leads {
    /// An item of the crate.
    Item(ItemPath),
    /// A name outside: `std::cmp::min`.
    Outside(Vec<String>),
}

impl Program {
    /// Reads the items of a package. `text` gives a file of the upstream, `placed` where an item stands in the port
    /// where a link says so; the others are placed by the mapping.
    pub fn read(
        snapshot: &Snapshot,
        krate: &str,
        mapping: &Mapping,
        linked: &dyn Fn(&Item) -> Option<SymbolPath>,
        text: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut program = Self::default();
        let package = bare_crate(krate);
        let mut roots: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, item) in &snapshot.items {
            if bare_crate(path.krate()) != package {
                continue;
            }
            program.crates.insert(path.krate().to_owned());
            program.errors.extend(item.signature.as_ref().and_then(|of| returned_error(&of.output)));
            program.errors.extend(error_of_trait(path));
            // The crate itself stands in no module.
            if is_free(item.kind) && path.segments().len() > 1 {
                let module: Vec<String> = module_of(path);
                let known = roots.entry(item.file.clone()).or_insert_with(|| module.clone());
                if module.len() < known.len() {
                    *known = module;
                }
            }
            if let Ok(Placement::Mapped { symbol, file, .. }) = mapping.place(item) {
                let symbol = linked(item).unwrap_or(symbol);
                program.items.insert(path.clone(), Placed { item: Arc::new(item.clone()), symbol, file });
            }
        }
        for (file, module) in roots {
            let Some(parsed) = text(&file).and_then(|text| syn::parse_file(&text).ok()) else { continue };
            program.take_uses(&module, &parsed.items);
        }
        program.uses = program.module_uses();
        program
    }

    /// The same for a port that may import these names of the runtime module.
    #[must_use]
    pub fn with_runtime(self, runtime: Option<Importable>) -> Self {
        Self { runtime, ..self }
    }

    /// What may be imported of the runtime module.
    pub(super) fn runtime(&self) -> Option<&Importable> {
        self.runtime.as_ref()
    }

    /// The same with another version of one item.
    #[must_use]
    pub fn with(&self, item: &Item) -> Self {
        let mut changed = self.clone();
        if let Some(placed) = changed.items.get_mut(&item.path) {
            placed.item = Arc::new(item.clone());
        }
        changed
    }

    pub(super) fn get(&self, path: &ItemPath) -> Option<&Placed> {
        self.items.get(path)
    }

    /// The member of a type: in its own `impl`, or that of a trait.
    pub(super) fn member(&self, of: &ItemPath, name: &str) -> Option<&Placed> {
        let own = ItemPath::new(format!("{of}::{name}")).ok()?;
        self.items.get(&own)
    }

    /// The member of a type that a trait of this name asks for.
    pub(super) fn trait_member(&self, of: &ItemPath, of_trait: &str, name: &str) -> Option<&Placed> {
        let ending = format!("{of_trait}>::{name}");
        let ty = of.name();
        self.items.iter().find_map(|(path, placed)| {
            let rest = path.as_str().strip_suffix(&ending)?;
            let (ty_text, qualifier) = rest.rsplit_once('<')?.1.split_once(" as ")?;
            let bare = ty_text.rsplit("::").next()?;
            let fits = bare == ty && (qualifier.is_empty() || qualifier.ends_with("::"));
            fits.then_some(placed)
        })
    }

    /// The last names of types that functions return as errors, or that are such by a trait.
    pub(super) fn returned_errors(&self) -> &BTreeSet<String> {
        &self.errors
    }

    /// All items, for tables over a whole crate.
    pub fn paths(&self) -> impl Iterator<Item = &ItemPath> {
        self.items.keys()
    }

    /// Whether the port has a place for the item, and where.
    pub fn place(&self, path: &ItemPath) -> Option<(&SymbolPath, &str)> {
        self.items.get(path).map(|placed| (&placed.symbol, placed.file.as_str()))
    }

    /// The last names of all symbols that stand in modules.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.items.values().filter(|placed| is_free(placed.item.kind)).map(|placed| placed.symbol.name())
    }

    /// The symbols that stand at the top of a file.
    pub(super) fn names_in<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a SymbolPath> {
        let here = self.items.values().filter(move |placed| placed.file == file && is_free(placed.item.kind));
        here.map(|placed| &placed.symbol)
    }

    /// What a path leads to from a module.
    pub(super) fn resolve(&self, module: &[String], path: &[String]) -> Leads {
        let mut module = module.to_vec();
        let mut path = path.to_vec();
        for _ in 0..HOPS_MAX {
            let Some((first, rest)) = path.split_first() else { break };
            match first.as_str() {
                "crate" => {
                    let root = module.first().cloned().unwrap_or_default();
                    (module, path) = (vec![root], rest.to_vec());
                    continue;
                }
                "self" => {
                    path = rest.to_vec();
                    continue;
                }
                "super" => {
                    module.pop();
                    path = rest.to_vec();
                    continue;
                }
                _ => {}
            }
            if let Some(found) = self.item_at(&module, &path) {
                return Leads::Item(found);
            }
            let here = module.join("::");
            if let Some(written) = self.imports.get(&here).and_then(|names| names.get(first)) {
                let same = written.first() == Some(first) && written.len() == 1;
                let crate_path = written.first().is_some_and(|krate| self.is_crate(krate));
                if !same {
                    if crate_path {
                        module = written.first().cloned().into_iter().collect();
                        path = written.iter().skip(1).chain(rest).cloned().collect();
                    } else if self.is_local(&module, written) {
                        path = written.iter().chain(rest).cloned().collect();
                    } else {
                        return Leads::Outside(written.iter().chain(rest).cloned().collect());
                    }
                    continue;
                }
            }
            if self.is_module(&module, first) {
                module.push(first.clone());
                path = rest.to_vec();
                continue;
            }
            if self.is_crate(first) && !rest.is_empty() {
                (module, path) = (vec![first.clone()], rest.to_vec());
                continue;
            }
            if let Some(found) = self.through_globs(&module, &path) {
                return found;
            }
            break;
        }
        Leads::Outside(path)
    }

    /// Whether a path of a `use` begins with what is known here rather than with another crate.
    fn is_local(&self, module: &[String], written: &[String]) -> bool {
        let Some(first) = written.first() else { return false };
        matches!(first.as_str(), "crate" | "self" | "super")
            || self.is_module(module, first)
            || self.item_at(module, std::slice::from_ref(first)).is_some()
    }

    fn through_globs(&self, module: &[String], path: &[String]) -> Option<Leads> {
        for glob in self.globs.get(&module.join("::")).into_iter().flatten() {
            let mut from = match glob.first().map(String::as_str) {
                Some("super") => module.iter().take(module.len().saturating_sub(1)).cloned().collect(),
                Some("crate") => module.iter().take(1).cloned().collect(),
                Some("self") => module.to_vec(),
                Some(krate) if self.is_crate(krate) => vec![krate.to_owned()],
                Some(first) if self.is_module(module, first) => {
                    module.iter().cloned().chain([first.to_owned()]).collect::<Vec<_>>()
                }
                Some(_) | None => continue,
            };
            from.extend(glob.iter().skip(1).cloned());
            if let leads @ Leads::Item(_) = self.resolve(&from, path) {
                return Some(leads);
            }
            let names = self.imports.get(&from.join("::"));
            if let Some(written) = path.first().and_then(|first| names?.get(first)) {
                return Some(Leads::Outside(written.iter().chain(path.iter().skip(1)).cloned().collect()));
            }
        }
        None
    }

    fn item_at(&self, module: &[String], path: &[String]) -> Option<ItemPath> {
        let full = ItemPath::new(module.iter().chain(path).cloned().collect::<Vec<_>>().join("::")).ok()?;
        self.items.contains_key(&full).then_some(full)
    }

    fn is_crate(&self, name: &str) -> bool {
        self.crates.contains(name)
    }

    fn is_module(&self, module: &[String], name: &str) -> bool {
        let inner = format!("{}::{name}", module.join("::"));
        let lead = format!("{inner}::");
        self.imports.contains_key(&inner)
            || self.items.keys().any(|path| {
                path.as_str().starts_with(&lead) && module_of(path).join("::").starts_with(inner.as_str())
            })
    }

    fn take_uses(&mut self, module: &[String], items: &[syn::Item]) {
        let here = module.join("::");
        self.imports.entry(here.clone()).or_default();
        for item in items {
            match item {
                syn::Item::Use(declaration) => {
                    self.take_tree(&here, Vec::new(), &declaration.tree);
                }
                syn::Item::Mod(inner) => {
                    let Some((_, content)) = &inner.content else { continue };
                    let mut path = module.to_vec();
                    path.push(inner.ident.to_string());
                    self.take_uses(&path, content);
                }
                _ => {}
            }
        }
    }

    fn take_tree(&mut self, here: &str, mut lead: Vec<String>, tree: &UseTree) {
        let mut note = |name: String, path: Vec<String>| {
            self.imports.entry(here.to_owned()).or_default().insert(name, path);
        };
        match tree {
            UseTree::Path(path) => {
                lead.push(path.ident.to_string());
                self.take_tree(here, lead, &path.tree);
            }
            UseTree::Name(name) if name.ident == "self" => {
                note(lead.last().cloned().unwrap_or_default(), lead);
            }
            UseTree::Name(name) => {
                lead.push(name.ident.to_string());
                note(name.ident.to_string(), lead);
            }
            UseTree::Rename(rename) => {
                lead.push(rename.ident.to_string());
                note(rename.rename.to_string(), lead);
            }
            UseTree::Glob(_) => self.globs.entry(here.to_owned()).or_default().push(lead),
            UseTree::Group(group) => {
                for inner in &group.items {
                    self.take_tree(here, lead.clone(), inner);
                }
            }
        }
    }

    /// The modules that each module of the port may have to import, by the names that its items mention.
    fn module_uses(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut by_name: BTreeMap<&str, Vec<&Placed>> = BTreeMap::new();
        for placed in self.items.values() {
            by_name.entry(placed.item.path.name()).or_default().push(placed);
        }
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for placed in self.items.values() {
            let own = placed.file.clone();
            let named = placed.item.mentions.iter().filter_map(|name| by_name.get(name)).flatten();
            for other in named.filter(|other| other.file != own) {
                uses.entry(own.clone()).or_default().insert(other.file.clone());
            }
        }
        uses
    }

    /// Whether the code of one file leads, by what its items mention, to another file.
    pub(super) fn leads_to(&self, from: &str, to: &str) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(file) = open.pop() {
            if file == to {
                return true;
            }
            if seen.insert(file) {
                open.extend(self.uses.get(file).into_iter().flatten().map(String::as_str));
            }
        }
        false
    }
}

/// A program with the port as it stands.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The upstream.
    pub program: Arc<Program>,
    /// The port's symbols.
    pub symbols: Arc<SymbolTable>,
}

impl PartialEq for Surroundings {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.program, &other.program) && self.symbols == other.symbols
    }
}

impl Eq for Surroundings {}

/// The name of the error type of a result.
fn returned_error(output: &RustType) -> Option<String> {
    match output {
        RustType::Named { path, arguments } if path.last().is_some_and(|last| last == "Result") => {
            arguments.get(1).and_then(RustType::last_name).map(str::to_owned)
        }
        _ => None,
    }
}

/// The type of `<Type as Error>::…`, and of the header of such an `impl`.
fn error_of_trait(path: &ItemPath) -> Option<String> {
    let text = path.as_str();
    let (ty, _) = text.split_once(" as ")?;
    let is_error = text.contains("Error>") && (text.contains(" as Error>") || text.contains("::Error>"));
    let name = ty.rsplit(['<', ':']).next()?.trim();
    is_error.then(|| name.to_owned())
}

/// The package of a crate or target.
pub fn bare_crate(krate: &str) -> String {
    krate.split('[').next().unwrap_or(krate).replace('-', "_")
}

/// The module in which an item or its type stands.
pub(super) fn module_of(path: &ItemPath) -> Vec<String> {
    let segments = path.segments();
    let above = segments.split_last().map_or([].as_slice(), |(_, above)| above);
    let is_module = |segment: &&&str| !segment.starts_with('<') && !segment.starts_with(char::is_uppercase);
    let (first, rest) = above.split_first().map_or(("", [].as_slice()), |(first, rest)| (*first, rest));
    let modules = rest.iter().take_while(is_module).map(|segment| (*segment).to_owned());
    std::iter::once(first.to_owned()).chain(modules).collect()
}

/// Whether items of this kind stand in modules rather than in types.
fn is_free(kind: ItemKind) -> bool {
    match kind {
        ItemKind::Function
        | ItemKind::Struct
        | ItemKind::Enum
        | ItemKind::Union
        | ItemKind::Trait
        | ItemKind::Static
        | ItemKind::Module => true,
        ItemKind::Const | ItemKind::TypeAlias | ItemKind::Method | ItemKind::Impl | ItemKind::Macro => false,
    }
}
