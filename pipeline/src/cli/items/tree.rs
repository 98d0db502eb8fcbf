//! Items as a tree for people: crates, modules, types with what belongs to them.

use std::collections::BTreeMap;

use upstream::ItemPath;
use upstream::listing::{ItemEntry, ItemListing};
use upstream::snapshot::{ItemKind, PartKind};

use super::super::console::Ink;
use super::super::diff::{cut, kind_word};

/// Sets a text in colour.
type Colour<'a> = &'a dyn Fn(Ink, &str) -> String;

/// The whole tree. With `public`, everything stands where users find it.
pub(super) fn text(listing: &ItemListing, public: bool, ink: Colour<'_>) -> String {
    let tree = Tree::of(listing, public);
    let mut text = String::new();
    for (place, contents) in &tree.places {
        text.push_str(&tree.place(place, contents, ink));
    }
    if !listing.unparsed.is_empty() {
        text.push('\n');
    }
    for it in &listing.unparsed {
        text.push_str(&ink(Ink::Red, &format!("? {}  not read: {}", it.file, it.reason)));
        text.push('\n');
    }
    text
}

/// What stands in a module.
#[derive(Default)]
struct Contents<'a> {
    module: Option<&'a ItemEntry>,
    items: Vec<&'a ItemEntry>,
    /// Names for something foreign, with what they stand for.
    handed_on: Vec<(&'a str, &'a str)>,
}

struct Tree<'a> {
    public: bool,
    places: BTreeMap<String, Contents<'a>>,
    /// The members and implementations of each type, trait and implementation.
    inside: BTreeMap<&'a ItemPath, Vec<&'a ItemEntry>>,
}

impl<'a> Tree<'a> {
    fn of(listing: &'a ItemListing, public: bool) -> Self {
        let by_path: BTreeMap<&ItemPath, &ItemEntry> =
            listing.items.iter().map(|item| (&item.path, item)).collect();
        let mut types: BTreeMap<(&str, &str), Vec<&ItemEntry>> = BTreeMap::new();
        for item in listing.items.iter().filter(|item| is_type(item.kind)) {
            types.entry((&item.krate, item.path.name())).or_default().push(item);
        }
        let mut tree = Self { public, places: BTreeMap::new(), inside: BTreeMap::new() };
        for item in &listing.items {
            if let Some(owner) = owner(item, &by_path, &types) {
                tree.inside.entry(&owner.path).or_default().push(item);
                continue;
            }
            let place = tree.place_of(item);
            let contents = tree.places.entry(place).or_default();
            if item.kind == ItemKind::Module {
                contents.module = Some(item);
            } else {
                contents.items.push(item);
            }
        }
        for it in &listing.handed_on {
            let (place, name) = it.path.rsplit_once("::").unwrap_or(("", &it.path));
            tree.places.entry(place.to_owned()).or_default().handed_on.push((name, &it.target));
        }
        tree
    }

    /// The module below which an item is shown; a module's own path.
    fn place_of(&self, item: &ItemEntry) -> String {
        let shown = item.named.first().filter(|_| self.public);
        match (shown, item.kind) {
            (Some(name), ItemKind::Module) => name.clone(),
            (Some(name), _) => name.rsplit_once("::").map_or("", |(place, _)| place).to_owned(),
            (None, _) => item.module.clone(),
        }
    }

    fn place(&self, place: &str, contents: &Contents<'a>, ink: Colour<'_>) -> String {
        let at = contents.module.map_or_else(String::new, |module| format!("  {}", module.file));
        let mut text = format!("\n{}{}\n", ink(Ink::Cyan, place), ink(Ink::Dim, &at));
        if let Some(module) = contents.module {
            text.push_str(&self.notes(module, "    ", ink));
        }
        let mut items = contents.items.clone();
        items.sort_by_key(|item| (rank(item.kind), shown_name(item, self.public), item.path.clone()));
        for item in items {
            text.push_str(&self.item(item, 1, ink));
        }
        let mut handed_on = contents.handed_on.clone();
        handed_on.sort_unstable();
        for (name, target) in handed_on {
            let same = target.rsplit("::").next() == Some(name);
            let rename = if same || name == "*" { String::new() } else { format!(" as {name}") };
            let line = format!("  pub use {target}{rename}\n");
            text.push_str(&line);
        }
        text
    }

    fn item(&self, item: &'a ItemEntry, depth: usize, ink: Colour<'_>) -> String {
        let indent = "  ".repeat(depth);
        let api = if item.public && !self.public { ink(Ink::Green, "api ") } else { String::new() };
        let test = if item.test { ink(Ink::Dim, "test ") } else { String::new() };
        // An invocation of a macro has no header of its own.
        let header = if item.kind == ItemKind::Macro && !item.header.contains("macro") {
            format!("{} {}", kind_word(item.kind), item.header)
        } else {
            item.header.clone()
        };
        let place = ink(Ink::Dim, &format!("{}:{}", item.file, item.line));
        let mut text = format!("{indent}{api}{test}{}  {place}\n", cut(&header));
        let below = format!("{indent}    ");
        text.push_str(&self.notes(item, &below, ink));
        let mut inside = self.inside.get(&item.path).cloned().unwrap_or_default();
        inside.sort_by_key(|item| (item.kind == ItemKind::Impl, item.file.as_str(), item.line));
        for member in inside {
            text.push_str(&self.item(member, depth + 1, ink));
        }
        text
    }

    /// Attributes that matter, other names, parts.
    fn notes(&self, item: &ItemEntry, indent: &str, ink: Colour<'_>) -> String {
        let mut text = String::new();
        let mut line = |line: String| {
            text.push_str(indent);
            text.push_str(&line);
            text.push('\n');
        };
        let own = shown_name(item, self.public);
        let renamed = self.public && own != item.path.name() && item.kind != ItemKind::Module;
        if renamed && !item.named.is_empty() {
            line(ink(Ink::Dim, &format!("named {own}")));
        }
        // A member has as many names as its type.
        let is_member = item.path.parent().is_some_and(|parent| parent.as_str() != item.module);
        let others = self.public && (!is_member || item.kind == ItemKind::Module);
        for name in item.named.iter().skip(1).filter(|_| others) {
            line(ink(Ink::Dim, &format!("also {name}")));
        }
        for attribute in item.attributes.iter().filter(|it| matters(it)) {
            line(ink(Ink::Yellow, &format!("#[{}]", cut(attribute))));
        }
        for part in &item.parts {
            // The fields of a variant stand in its own line.
            if part.kind != PartKind::VariantField {
                line(cut(&part.text));
            }
        }
        text
    }
}

/// The last segment of the path by which an item is shown.
fn shown_name(item: &ItemEntry, public: bool) -> &str {
    let named = item.named.first().filter(|_| public);
    named.and_then(|name| name.rsplit("::").next()).unwrap_or_else(|| item.path.name())
}

/// The type, trait or implementation that an item belongs to, if that is shown.
fn owner<'a>(
    item: &ItemEntry,
    by_path: &BTreeMap<&ItemPath, &'a ItemEntry>,
    types: &BTreeMap<(&str, &str), Vec<&'a ItemEntry>>,
) -> Option<&'a ItemEntry> {
    let parent = item.path.parent()?;
    if let Some(found) = by_path.get(&parent).filter(|found| found.kind != ItemKind::Module) {
        return Some(found);
    }
    let name = if item.kind == ItemKind::Impl {
        let implementor = item.path.name().strip_prefix('<')?;
        implementor.trim_start_matches(['&', ' ']).split([' ', '<', '>']).next()?.rsplit("::").next()?
    } else if parent.as_str() == item.module || parent.name().starts_with('<') {
        return None;
    } else {
        parent.name()
    };
    match types.get(&(item.krate.as_str(), name)).map(Vec::as_slice) {
        Some([only]) => Some(only),
        Some(_) | None => None,
    }
}

fn is_type(kind: ItemKind) -> bool {
    matches!(
        kind,
        ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait | ItemKind::TypeAlias
    )
}

/// The order of kinds inside a module.
fn rank(kind: ItemKind) -> u8 {
    match kind {
        ItemKind::Module => 0,
        ItemKind::Macro => 1,
        ItemKind::Const => 2,
        ItemKind::Static => 3,
        ItemKind::TypeAlias => 4,
        ItemKind::Trait => 5,
        ItemKind::Struct | ItemKind::Enum | ItemKind::Union => 6,
        ItemKind::Impl => 7,
        ItemKind::Function | ItemKind::Method => 8,
    }
}

/// Attributes that users of an item should know of.
fn matters(attribute: &str) -> bool {
    let name = attribute.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    ["cfg", "deprecated", "must_use", "non_exhaustive", "macro_export"].contains(&name)
}
