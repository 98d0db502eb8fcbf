//! What names in a signature stand for: the scope in which types are read.
//!
//! Main type: [`TypeScope`]. How a parameter is made from a probe is in `input_type`, what of a result can be
//! looked at in `observed_type`. A name that means nothing here is a reason in words, never a guess.

use std::collections::BTreeMap;

use upstream::{Item, ItemKind, ItemPath, RustType, Snapshot};

use super::declared_bounds::declared_bounds;
use super::input_type::Input;

/// How deep aliases and nested types are followed.
pub(super) const DEPTH_MAX: usize = 12;

/// Types that stand for all that implement a trait, the plainest first.
const PRIMITIVES: &[&str] =
    &["str", "String", "i64", "u64", "i32", "u32", "usize", "u8", "f64", "char", "Vec<u8>"];

/// What the names in the signatures of one module stand for.
#[derive(Debug, Clone)]
pub(super) struct TypeScope<'a> {
    /// The items of the upstream.
    pub snapshot: &'a Snapshot,
    /// The module that the signature stands in.
    pub module: ItemPath,
    /// What `Self` stands for, where it stands for something.
    pub self_type: Option<String>,
    /// What the type parameters stand for in this instance.
    pub instances: BTreeMap<String, Input>,
    /// Paths by which items can be reached that are re-exported from a private module.
    pub public_paths: &'a BTreeMap<ItemPath, String>,
}

impl TypeScope<'_> {
    /// The path by which a driver may name an item.
    pub(super) fn reachable(&self, item: &Item) -> Result<String, String> {
        if let Some(path) = self.public_paths.get(&item.path) {
            return Ok(format!("::{path}"));
        }
        if item.exported {
            Ok(format!("::{}", item.path))
        } else {
            Err(format!("`{}` cannot be named from outside its crate", item.path))
        }
    }

    /// What a type alias of the crate stands for.
    pub(super) fn alias(&self, path: &[String], arguments: &[RustType]) -> Option<RustType> {
        let item = self.item_of(path, |kind| kind == ItemKind::TypeAlias)?;
        let parameters = alias_parameters(&item.text);
        if parameters.len() != arguments.len() {
            return None;
        }
        let substitution: BTreeMap<_, _> = parameters.into_iter().zip(arguments.iter().cloned()).collect();
        Some(substitute(item.aliased.as_ref()?, &substitution))
    }

    /// The struct or enum of the crate that a name stands for.
    pub(super) fn item(&self, path: &[String]) -> Option<&Item> {
        self.item_of(path, |kind| matches!(kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Union))
    }

    /// The public alias by which the crate itself makes a generic type concrete, such as
    /// `type Matcher = Pattern<'*', '?'>`: the first by its path. The type is called and observed as this.
    pub(super) fn instance_of(&self, generic: &Item) -> Option<&Item> {
        self.snapshot.items.values().find(|item| {
            item.kind == ItemKind::TypeAlias
                && item.path.krate() == generic.path.krate()
                && !item.is_test
                && self.reachable(item).is_ok()
                && alias_parameters(&item.text).is_empty()
                && item.aliased.as_ref().and_then(RustType::last_name) == Some(generic.path.name())
        })
    }

    /// What the type parameters of a generic type stand for in an alias of it. Const parameters stand in
    /// no signature as types, and are left out.
    pub(super) fn instances_in(&self, generic: &Item, alias: &Item) -> BTreeMap<String, Input> {
        let parameters: Vec<_> =
            parameters(generic).into_iter().filter(|name| !name.starts_with('\'')).collect();
        let Some(RustType::Named { arguments, .. }) = &alias.aliased else { return BTreeMap::new() };
        if arguments.len() != parameters.len() {
            return BTreeMap::new();
        }
        let named = parameters.into_iter().zip(arguments).filter_map(|(parameter, argument)| {
            let name = parameter.split([':', '=']).next().unwrap_or_default().trim();
            Some((name.to_owned(), self.input(argument).ok()?))
        });
        named.collect()
    }

    /// The trait of the crate that a name stands for.
    pub(super) fn trait_item(&self, path: &[String]) -> Option<&Item> {
        self.item_of(path, |kind| kind == ItemKind::Trait)
    }

    /// The type without fields of its own that implements a trait of the crate: one that is seen to, or, where
    /// macros write the implementations, the most usual number. The compiler judges.
    pub(super) fn primitive_of(&self, of: &Item) -> Result<String, String> {
        self.primitive_at(of, 0)
    }

    fn primitive_at(&self, of: &Item, depth: usize) -> Result<String, String> {
        let name = of.path.name();
        let mut implementors = self.snapshot.items.keys().filter_map(|path| {
            let (ty, implemented) = impl_header(path.name())?;
            let bare = implemented.split('<').next().unwrap_or_default();
            (path.krate() == of.path.krate() && bare.rsplit("::").next() == Some(name)).then_some(ty)
        });
        let mut found: Vec<_> = implementors.by_ref().collect();
        found.sort_unstable();
        let is_known = |ty: &&&str| PRIMITIVES.contains(*ty);
        if let Some(primitive) = PRIMITIVES.iter().find(|primitive| found.iter().any(|ty| ty == *primitive)) {
            return Ok((*primitive).to_owned());
        }
        // A parameter stands for whatever meets its bounds; a text meets most.
        if let Some(parameter) = found.iter().find(|ty| ty.len() == 1) {
            // Traits may bound each other in a circle.
            let bound = self.bounds_of(of, parameter).into_iter().find(|_| depth < DEPTH_MAX);
            return bound.map_or_else(|| Ok("str".to_owned()), |bound| self.primitive_at(bound, depth + 1));
        }
        if found.iter().filter(|ty| !is_known(ty)).count() > 0 {
            return Err(format!("its trait `{name}` is implemented by types of its crate alone"));
        }
        Ok("i64".to_owned())
    }

    /// The traits of the crate that bound the parameter for which a trait is implemented throughout.
    fn bounds_of(&self, of: &Item, parameter: &str) -> Vec<&Item> {
        let blanket = self.snapshot.items.values().find(|item| {
            let header = impl_header(item.path.name());
            item.kind == ItemKind::Impl
                && item.path.krate() == of.path.krate()
                && header.is_some_and(|(ty, implemented)| ty == parameter && implemented == of.path.name())
        });
        let bounds = blanket.and_then(declared_bounds).unwrap_or_default();
        let named = bounds.get(parameter).into_iter().flatten();
        let path = |bound: &String| bound.split("::").map(str::to_owned).collect::<Vec<_>>();
        named.filter_map(|bound| self.trait_item(&path(bound))).collect()
    }

    /// The nearest item of that name: in the module itself, then the only one in the crate. Imports are
    /// not followed; two items of one name elsewhere are not told apart, and then there is none.
    pub(super) fn item_of(&self, path: &[String], wanted: impl Fn(ItemKind) -> bool) -> Option<&Item> {
        let first = path.first()?;
        if ["std", "core", "alloc"].contains(&first.as_str()) {
            return None;
        }
        let name = path.last()?;
        let krate = self.module.krate();
        let mut found = self.snapshot.items.values().filter(|item| {
            wanted(item.kind) && item.path.name() == name && item.path.krate() == krate && !item.is_test
        });
        let here = found.clone().find(|item| item.path.parent().as_ref() == Some(&self.module));
        here.or_else(|| {
            let only = found.next();
            if found.next().is_none() { only } else { None }
        })
    }
}

/// Whether a type of the crate implements a trait, by derive or by hand.
pub(super) fn implements(snapshot: &Snapshot, item: &Item, trait_name: &str) -> bool {
    let derived = item.attributes.iter().any(|attribute| {
        attribute.contains("derive")
            && attribute
                .split(|char: char| !char.is_alphanumeric() && char != '_')
                .any(|word| word == trait_name)
    });
    let type_name = item.path.name();
    derived
        || snapshot.items.keys().filter(|path| path.krate() == item.path.krate()).any(|path| {
            impl_header(path.name()).is_some_and(|(ty, implemented)| {
                let last = |text: &str| text.rsplit("::").next().unwrap_or_default().to_owned();
                let bare = |text: &str| text.split('<').next().unwrap_or_default().trim().to_owned();
                last(&bare(ty)) == type_name && last(&bare(implemented)) == trait_name
            })
        })
}

/// The type and the trait of `<Type as Trait>`.
pub(super) fn impl_header(segment: &str) -> Option<(&str, &str)> {
    segment.strip_prefix('<')?.strip_suffix('>')?.split_once(" as ")
}

/// Whether a struct or enum has type or const parameters.
pub(super) fn is_generic(item: &Item) -> bool {
    parameters(item).iter().any(|parameter| !parameter.starts_with('\''))
}

/// The parameters of a struct or enum, as far as they stand before a nested `<`.
pub(super) fn parameters(item: &Item) -> Vec<&str> {
    let name = item.path.name();
    let header = ["struct ", "enum ", "union "].iter().find_map(|keyword| {
        let at = item.text.find(&format!("{keyword}{name}"))?;
        item.text.get(at + keyword.len() + name.len()..)?.trim_start().strip_prefix('<')
    });
    let inside = header.and_then(|rest| rest.split(['>', '<']).next()).unwrap_or_default();
    inside.split(',').map(str::trim).filter(|parameter| !parameter.is_empty()).collect()
}

pub(super) fn alias_parameters(text: &str) -> Vec<String> {
    let header = text.split('=').next().unwrap_or_default();
    let Some((_, inside)) = header.split_once('<') else { return Vec::new() };
    let inside = inside.split('>').next().unwrap_or_default();
    let names = inside.split(',').map(|part| part.split(':').next().unwrap_or_default().trim().to_owned());
    names.filter(|name| !name.is_empty() && !name.starts_with('\'')).collect()
}

pub(super) fn substitute(ty: &RustType, with: &BTreeMap<String, RustType>) -> RustType {
    let inner = |ty: &RustType| substitute(ty, with);
    match ty {
        RustType::Named { path, arguments } => {
            let replaced = path.first().filter(|_name| path.len() == 1).and_then(|name| with.get(name));
            replaced.cloned().unwrap_or_else(|| RustType::Named {
                path: path.clone(),
                arguments: arguments.iter().map(inner).collect(),
            })
        }
        RustType::Reference { mutable, target } => {
            RustType::Reference { mutable: *mutable, target: Box::new(inner(target)) }
        }
        RustType::Slice(element) => RustType::Slice(Box::new(inner(element))),
        RustType::Array { element, length } => {
            RustType::Array { element: Box::new(inner(element)), length: length.clone() }
        }
        RustType::Tuple(parts) => RustType::Tuple(parts.iter().map(inner).collect()),
        RustType::Never | RustType::Other(_) => ty.clone(),
    }
}
