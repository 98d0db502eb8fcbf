//! Both sides in one form: modules and the entities in them, as sets of numbered words with their weights.
//!
//! The main type is [`Corpus`]. Nothing here compares the sides; rare words weigh more than common ones on
//! whichever side they are common.

use std::collections::{BTreeMap, BTreeSet};

use upstream::ItemPath;
use upstream::snapshot::{Item, ItemKind, Snapshot};

use super::forms;
use super::outline::PortOutline;
use super::words::{
    Vocabulary, Word, fold, literal_word, masked, named_in, parts, prose_words, rust_literals,
};
use crate::convention::{self, Owner};
use crate::symbol::{Symbol, SymbolKind, SymbolPath};

/// What an entity is, as far as both languages have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    Callable,
    Type,
    Value,
}

/// An item or a symbol.
#[derive(Debug)]
pub(super) struct Entity<Key> {
    pub(super) key: Key,
    pub(super) module: usize,
    pub(super) shape: Shape,
    pub(super) is_test: bool,
    /// The names that it goes by, with how usual each is.
    pub(super) forms: Vec<(Word, f64)>,
    /// The parts of its name.
    pub(super) name: Vec<Word>,
    /// The folded name of the type or class that it is a member of.
    pub(super) owner: Option<Word>,
    /// For what has none, the folded name of the module that it stands in: one side's module may be the other's class.
    pub(super) holder: Option<Word>,
    /// The parts of the owner's name.
    pub(super) owner_parts: Vec<Word>,
    pub(super) parameters: Vec<Word>,
    pub(super) prose: Vec<Word>,
    /// The names that its documentation and comments mention.
    pub(super) named: Vec<Word>,
    pub(super) literals: Vec<Word>,
    pub(super) mentions: Vec<Word>,
    /// Names of its fields, variants or members.
    pub(super) members: Vec<Word>,
    /// Where it stands among the entities of its module, from 0 to 1.
    pub(super) position: f64,
    /// The number of lines of its text, as a logarithm.
    pub(super) size: f64,
}

/// A source file, the upstream's test code in it apart.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) file: String,
    pub(super) is_test: bool,
    /// The words of its path, under each path that it has, with those of its last segment.
    pub(super) paths: Vec<PathWords>,
    pub(super) entities: Vec<usize>,
    /// The names that it defines, best forms only.
    pub(super) names: Vec<Word>,
    pub(super) literals: Vec<Word>,
    /// For an upstream module, its crate; for a file of the port, its folder.
    pub(super) group: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathWords {
    pub(super) words: Vec<Word>,
    pub(super) stem: Vec<Word>,
    /// Whether it is the file of a folder or crate as a whole.
    pub(super) is_root: bool,
}

/// One side.
#[derive(Debug)]
pub(super) struct Side<Key> {
    pub(super) modules: Vec<Module>,
    pub(super) entities: Vec<Entity<Key>>,
}

/// Both sides and how much each word says.
#[derive(Debug)]
pub(super) struct Corpus {
    pub(super) upstream: Side<ItemPath>,
    pub(super) port: Side<SymbolPath>,
    /// By word, for names that entities go by.
    pub(super) name_weight: Vec<f64>,
    /// By word, for parts of names and of paths.
    pub(super) part_weight: Vec<f64>,
    /// By word, for mentions, literals and prose.
    pub(super) content_weight: Vec<f64>,
    /// By word, for the words of the paths of modules.
    pub(super) path_weight: Vec<f64>,
}

/// Whether what people wrote down about the correspondence may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Records {
    /// It may.
    #[default]
    Used,
    /// It is ignored, to measure what is left.
    Masked,
}

impl Corpus {
    pub(super) fn new(snapshot: &Snapshot, outline: &PortOutline, records: Records) -> Self {
        let mut vocabulary = Vocabulary::default();
        let upstream = upstream_side(snapshot, &mut vocabulary);
        let port = port_side(outline, records, &mut vocabulary);
        let count = vocabulary.len();
        let of_names = |entity: &[(Word, f64)]| entity.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        let name_weight = weights(
            count,
            upstream.entities.iter().map(|entity| of_names(&entity.forms)),
            port.entities.iter().map(|entity| of_names(&entity.forms)),
        );
        let part_weight = weights(
            count,
            upstream.entities.iter().map(|entity| entity.name.clone()),
            port.entities.iter().map(|entity| entity.name.clone()),
        );
        let content_weight = weights(
            count,
            upstream.entities.iter().map(Entity::content),
            port.entities.iter().map(Entity::content),
        );
        let path_weight = weights(
            count,
            upstream.modules.iter().map(Module::path_words),
            port.modules.iter().map(Module::path_words),
        );
        Self { upstream, port, name_weight, part_weight, content_weight, path_weight }
    }
}

impl<Key> Entity<Key> {
    fn content(&self) -> Vec<Word> {
        union(&[&self.prose, &self.literals, &self.mentions, &self.parameters, &self.members])
    }
}

impl Module {
    fn path_words(&self) -> Vec<Word> {
        let all: Vec<&[Word]> = self.paths.iter().map(|path| path.words.as_slice()).collect();
        union(&all)
    }
}

fn union(sets: &[&[Word]]) -> Vec<Word> {
    let mut all: Vec<Word> = sets.iter().flat_map(|set| set.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// How much each word says: the logarithm of how few of one side's entities have it, on the side where it is
/// more common. A word that stands on one side alone is never shared and weighs what that side says.
fn weights(
    count: usize,
    upstream: impl Iterator<Item = Vec<Word>>,
    port: impl Iterator<Item = Vec<Word>>,
) -> Vec<f64> {
    let one = shares(count, upstream);
    let other = shares(count, port);
    one.into_iter().zip(other).map(|(one, other)| -(one.max(other)).ln()).collect()
}

fn shares(count: usize, sets: impl Iterator<Item = Vec<Word>>) -> Vec<f64> {
    let mut holders = vec![0.5_f64; count];
    let mut total = 1.0;
    for set in sets {
        total += 1.0;
        for word in set {
            if let Some(holders) = usize::try_from(word).ok().and_then(|word| holders.get_mut(word)) {
                *holders += 1.0;
            }
        }
    }
    holders.into_iter().map(|holders| (holders / total).min(0.999)).collect()
}

fn upstream_side(snapshot: &Snapshot, vocabulary: &mut Vocabulary) -> Side<ItemPath> {
    let mut by_file: BTreeMap<(&str, bool), Vec<&Item>> = BTreeMap::new();
    for item in snapshot.items.values() {
        by_file.entry((item.file.as_str(), item.is_test)).or_default().push(item);
    }
    let is_rust =
        |file: &&String| std::path::Path::new(file).extension().is_some_and(|extension| extension == "rs");
    for file in snapshot.files.keys().filter(is_rust) {
        if !by_file.contains_key(&(file.as_str(), true)) {
            by_file.entry((file.as_str(), false)).or_default();
        }
    }
    let (mut modules, mut entities) = (Vec::new(), Vec::new());
    for ((file, is_test), mut items) in by_file {
        items.sort_by_key(|item| item.span.start);
        let module = modules.len();
        let takes_part = |item: &&&Item| {
            let associated = item.kind == ItemKind::TypeAlias && convention::is_member(item);
            !matches!(item.kind, ItemKind::Module | ItemKind::Impl | ItemKind::Macro) && !associated
        };
        let kept: Vec<&&Item> = items.iter().filter(takes_part).collect();
        let first = entities.len();
        for (at, item) in kept.iter().enumerate() {
            entities.push(item_entity(item, module, ratio(at, kept.len()), vocabulary));
        }
        let paths = upstream_paths(file, &items, snapshot, vocabulary);
        let group = items.first().map_or_else(
            || file.split("/src/").next().unwrap_or_default().to_owned(),
            |item| convention::split_target(item.path.krate()).0.replace('-', "_"),
        );
        let own: Vec<usize> = (first..entities.len()).collect();
        let is_test = is_test || file.split('/').any(|folder| folder == "tests");
        modules.push(module_of(file, is_test, paths, own, group, &entities));
    }
    Side { modules, entities }
}

fn module_of<Key>(
    file: &str,
    is_test: bool,
    paths: Vec<PathWords>,
    own: Vec<usize>,
    group: String,
    entities: &[Entity<Key>],
) -> Module {
    let of_module = || own.iter().filter_map(|at| entities.get(*at));
    let names: Vec<Word> = of_module().filter_map(Entity::main_name).collect();
    let literals: Vec<&[Word]> = of_module().map(|entity| entity.literals.as_slice()).collect();
    Module {
        file: file.to_owned(),
        is_test,
        paths,
        names: union(&[&names]),
        literals: union(&literals),
        entities: own,
        group,
    }
}

impl<Key> Entity<Key> {
    /// The name that it goes by first.
    pub(super) fn main_name(&self) -> Option<Word> {
        let mut best: Option<(Word, f64)> = None;
        for (word, usual) in &self.forms {
            if best.is_none_or(|(_, most)| *usual > most) {
                best = Some((*word, *usual));
            }
        }
        best.map(|(word, _)| word)
    }
}

fn ratio(at: usize, of: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(at) / number(of.max(1))
}

fn size_of(text: &str) -> f64 {
    let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    f64::from(lines.max(1)).ln()
}

fn item_entity(item: &Item, module: usize, position: f64, vocabulary: &mut Vocabulary) -> Entity<ItemPath> {
    let names = convention::port_names(item);
    let owner = match &names.owner {
        Owner::Class(name) => Some(fold(name)),
        Owner::Foreign(name) => Some(fold(&parts(name).concat())).filter(|name| !name.is_empty()),
        Owner::None => None,
    };
    let owner_parts = match &names.owner {
        Owner::Class(name) | Owner::Foreign(name) => parts(name),
        Owner::None => Vec::new(),
    };
    let holder = names.module.last().filter(|_| owner.is_none()).map(|module| fold(module));
    let parameters = item.signature.iter().flat_map(|signature| &signature.parameters);
    let parameters = parameters.flat_map(|parameter| parts(&parameter.name));
    let name = forms::own_name(item);
    let body = item.text.get(doc_end(item)..).unwrap_or_default();
    Entity {
        key: item.path.clone(),
        module,
        shape: match item.kind {
            ItemKind::Function | ItemKind::Method => Shape::Callable,
            ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait => Shape::Type,
            ItemKind::Const
            | ItemKind::Static
            | ItemKind::TypeAlias
            | ItemKind::Impl
            | ItemKind::Macro
            | ItemKind::Module => Shape::Value,
        },
        is_test: item.is_test,
        forms: forms::of_item(item).iter().map(|(name, usual)| (vocabulary.number(name), *usual)).collect(),
        name: vocabulary.set(parts(&name)),
        owner: owner.map(|owner| vocabulary.number(&owner)),
        holder: holder.map(|holder| vocabulary.number(&holder)),
        owner_parts: vocabulary.set(owner_parts),
        parameters: vocabulary.set(parameters),
        prose: vocabulary.set(prose_words(&item.docs)),
        named: Vec::new(),
        literals: vocabulary.set(rust_literals(body).iter().filter_map(|literal| literal_word(literal))),
        mentions: vocabulary.set(item.mentions.iter().map(fold)),
        members: vocabulary.set(item.members.iter().map(|name| fold(name))),
        position,
        size: size_of(body),
    }
}

/// Where the documentation in front of an item ends.
fn doc_end(item: &Item) -> usize {
    let mut at = 0;
    for line in item.text.split_inclusive('\n') {
        let plain = line.trim_start();
        if !(plain.starts_with("///") || plain.starts_with("//!") || plain.is_empty()) {
            break;
        }
        at += line.len();
    }
    at
}

fn upstream_paths(
    file: &str,
    items: &[&Item],
    snapshot: &Snapshot,
    vocabulary: &mut Vocabulary,
) -> Vec<PathWords> {
    let mut paths = BTreeSet::from([path_words(file, &["src", "rs"], &["mod", "lib", "main"], vocabulary)]);
    let package = snapshot
        .packages
        .iter()
        .filter(|package| file.strip_prefix(&package.folder).is_some_and(|rest| rest.starts_with('/')))
        .max_by_key(|package| package.folder.len());
    if let Some(first) = items.first() {
        let segments = first.path.segments();
        // The module that a whole file is stands there as an item, and begins it.
        let is_file = first.kind == ItemKind::Module && first.span.start == 0;
        let own = usize::from(!is_file) + usize::from(convention::is_member(first));
        let above = segments.get(..segments.len().saturating_sub(own)).unwrap_or_default();
        let is_root = above.len() < 2;
        let end = if is_root { "/lib" } else { "" };
        paths.insert(path_words(&format!("{}{end}", above.join("/")), &[], &["lib"], vocabulary));
    }
    // Modules that stand inside the file may be files of the port.
    let inline = items.iter().filter(|item| item.kind == ItemKind::Module && !item.is_test);
    for item in inline.take(INLINE_MODULES_MAX) {
        let segments = item.path.segments();
        let below = segments.get(1..).unwrap_or_default().join("/");
        let folder = package.map_or("", |package| package.folder.as_str());
        let path = format!("{folder}/{below}");
        paths.insert(path_words(&path, &["src", "rs"], &["mod", "lib", "main"], vocabulary));
    }
    paths.into_iter().collect()
}

/// How many inline modules of one file count as paths of it.
const INLINE_MODULES_MAX: usize = 12;

/// The words of a path. Folders and stems that say nothing are left out; a stem that says nothing leaves its
/// place to the folder.
fn path_words(path: &str, silent: &[&str], roots: &[&str], vocabulary: &mut Vocabulary) -> PathWords {
    let plain = path.rsplit_once('.').map_or(path, |(plain, _)| plain);
    let segments: Vec<&str> =
        plain.split('/').filter(|part| !part.is_empty() && !silent.contains(part)).collect();
    let (stem, _) = segments.split_last().map_or((&"", [].as_slice()), |(stem, above)| (stem, above));
    let is_root = roots.contains(stem);
    let stem = if is_root {
        segments.len().checked_sub(2).and_then(|at| segments.get(at)).unwrap_or(stem)
    } else {
        stem
    };
    let is_word = |word: &String| {
        !matches!(word.as_str(), "test" | "tests" | "init") && !roots.contains(&word.as_str())
    };
    let words = segments.iter().flat_map(|segment| parts(segment)).filter(is_word);
    let words = vocabulary.set(words.map(|word| format!("/{word}")));
    let stem = vocabulary.set(parts(stem).into_iter().filter(is_word).map(|word| format!("/{word}")));
    PathWords { words, stem, is_root }
}

fn port_side(outline: &PortOutline, records: Records, vocabulary: &mut Vocabulary) -> Side<SymbolPath> {
    let mut by_file: BTreeMap<&str, Vec<&Symbol>> = BTreeMap::new();
    for file in outline.files.keys() {
        by_file.entry(file.as_str()).or_default();
    }
    for symbol in longest_definitions(outline) {
        by_file.entry(symbol.file.as_str()).or_default().push(symbol);
    }
    let classes: BTreeSet<&SymbolPath> = outline
        .symbols
        .symbols
        .values()
        .filter(|symbol| symbol.kind == SymbolKind::Class)
        .map(|symbol| &symbol.path)
        .collect();
    let (mut modules, mut entities) = (Vec::new(), Vec::new());
    for (file, mut symbols) in by_file {
        symbols.sort_by_key(|symbol| symbol.line);
        let is_test = outline.files.get(file).is_some_and(|facts| facts.is_test);
        let module = modules.len();
        let first = entities.len();
        for (at, symbol) in symbols.iter().enumerate() {
            let position = ratio(at, symbols.len());
            let place = Place { module, position, records };
            entities.push(symbol_entity(symbol, &place, outline, &classes, vocabulary));
        }
        let stem = path_words(file, &["py"], &["__init__", "__main__"], vocabulary);
        let group = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let own: Vec<usize> = (first..entities.len()).collect();
        modules.push(module_of(file, is_test, vec![stem], own, group, &entities));
    }
    Side { modules, entities }
}

/// Each symbol once: of several definitions under one path (overloads, conditions) the longest, which is the
/// one that does something. What stands inside a further definition is left out: no link could name it.
fn longest_definitions(outline: &PortOutline) -> impl Iterator<Item = &Symbol> {
    let mut longest: BTreeMap<&str, &Symbol> = BTreeMap::new();
    for symbol in outline.symbols.symbols.values() {
        let path = symbol.path.as_str();
        let base = path.split_once('#').map_or(path, |(base, _)| base);
        let is_inside = path.rsplit_once('#').is_some_and(|(_, number)| number.contains('.'));
        let is_longer = longest.get(base).is_none_or(|known| known.text.len() < symbol.text.len());
        if !is_inside && is_longer {
            longest.insert(base, symbol);
        }
    }
    longest.into_values()
}

/// Where a symbol stands.
struct Place {
    module: usize,
    position: f64,
    records: Records,
}

fn symbol_entity(
    symbol: &Symbol,
    place: &Place,
    outline: &PortOutline,
    classes: &BTreeSet<&SymbolPath>,
    vocabulary: &mut Vocabulary,
) -> Entity<SymbolPath> {
    let parent = symbol.path.parent().filter(|parent| classes.contains(parent));
    let owner_parts = parent.as_ref().map(|class| parts(plain(class.name()))).unwrap_or_default();
    let owner = parent.map(|class| fold(plain(class.name()).trim_matches('_')));
    let module = symbol.path.parent().filter(|_| owner.is_none());
    let holder = module.map(|module| fold(plain(module.name()).trim_matches('_')));
    let name = plain(symbol.path.name());
    let facts = outline.facts.get(&symbol.path);
    let prose = facts.map(|facts| facts.prose.as_str()).unwrap_or_default();
    let (prose, named) = match place.records {
        Records::Used => (prose.to_owned(), named_in(prose)),
        Records::Masked => (masked(prose), Vec::new()),
    };
    let literals = facts.iter().flat_map(|facts| &facts.literals).filter_map(|text| literal_word(text));
    let members = symbol.mentions.iter().filter(|_| symbol.kind == SymbolKind::Class);
    let base = plain(symbol.path.as_str());
    Entity {
        key: SymbolPath::new(base).unwrap_or_else(|_empty| symbol.path.clone()),
        module: place.module,
        shape: match symbol.kind {
            SymbolKind::Function | SymbolKind::Method => Shape::Callable,
            SymbolKind::Class => Shape::Type,
            SymbolKind::Constant => Shape::Value,
        },
        is_test: symbol.is_test,
        forms: forms::of_symbol(name, symbol.is_test)
            .iter()
            .map(|(name, usual)| (vocabulary.number(name), *usual))
            .collect(),
        name: vocabulary.set(parts(name).into_iter().filter(|part| !(symbol.is_test && part == "test"))),
        owner: owner.map(|owner| vocabulary.number(&owner)),
        holder: holder.map(|holder| vocabulary.number(&holder)),
        owner_parts: vocabulary.set(owner_parts),
        parameters: vocabulary.set(symbol.parameters.iter().flat_map(|name| parts(name))),
        prose: vocabulary.set(prose_words(&prose)),
        named: vocabulary.set(named),
        literals: vocabulary.set(literals),
        mentions: vocabulary.set(symbol.mentions.iter().map(|name| fold(name.trim_matches('_')))),
        members: vocabulary.set(members.map(|name| fold(name.trim_matches('_')))),
        position: place.position,
        size: size_of(&symbol.text),
    }
}

/// A name without the number of its definition.
fn plain(name: &str) -> &str {
    name.split_once('#').map_or(name, |(name, _)| name)
}
