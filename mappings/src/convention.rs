//! How the port's language writes the names of the upstream.
//!
//! Python: functions, methods and modules keep their snake case, types their capitals, constants their upper
//! case; test functions get `test_`, some trait methods their double underscores, keywords a final one.

use upstream::snapshot::{Item, ItemKind, Visibility};

use crate::mapping::without_variant;
use crate::symbol::SymbolPath;

/// Words that no Python name can be.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Types of the standard library that a port writes with its own language's types: no class to add to.
const FOREIGN: &[&str] = &[
    "Arc", "BTreeMap", "BTreeSet", "Box", "Cow", "HashMap", "HashSet", "Option", "PathBuf", "Rc", "Result",
    "String", "Vec", "VecDeque",
];

/// Trait methods that Python calls by another name.
const SPECIAL_METHODS: &[(&str, &str, &str)] = &[
    ("Display", "fmt", "__str__"),
    ("Debug", "fmt", "__repr__"),
    ("PartialEq", "eq", "__eq__"),
    ("Iterator", "next", "__next__"),
    ("IntoIterator", "into_iter", "__iter__"),
    ("Add", "add", "__add__"),
    ("Sub", "sub", "__sub__"),
    ("Mul", "mul", "__mul__"),
    ("Neg", "neg", "__neg__"),
    ("BitAnd", "bitand", "__and__"),
    ("BitOr", "bitor", "__or__"),
    ("BitXor", "bitxor", "__xor__"),
    ("Shl", "shl", "__lshift__"),
    ("Shr", "shr", "__rshift__"),
];

/// Attributes besides `test…` that make a function a test, by the last segment of their path.
const TEST_ATTRIBUTES: &[&str] = &["case", "proptest", "quickcheck", "rstest", "wasm_bindgen_test"];

/// The names of one item as the port's language writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortNames {
    /// The crate or package of the item.
    pub(crate) krate: String,
    /// The modules below the crate, outermost first. For tests, without the module that merely holds them.
    pub(crate) module: Vec<String>,
    /// The class that holds it.
    pub(crate) owner: Owner,
    /// Its own name.
    pub(crate) name: String,
}

/// What holds an item besides its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nothing: it stands in a module.
    None,
    /// A class of the port.
    Class(String),
    /// A type for which the port has no class of its own, as written.
    Foreign(String),
}

/// Which target of a package an item belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The library.
    Library,
    /// A test target, by name.
    Test(String),
    /// Anything else, as written: `bin:tool`, `bench:speed`, `example:demo`.
    Other(String),
}

/// The names of an item.
pub(crate) fn port_names(item: &Item) -> PortNames {
    let segments = item.path.segments();
    let (name, above) = segments.split_last().map_or(("", [].as_slice()), |(name, above)| (*name, above));
    let (krate, inner) = above.split_first().map_or((name, [].as_slice()), |(krate, inner)| (*krate, inner));
    let holder = inner.last().copied().filter(|holder| holds_members(item.kind, holder));
    let modules =
        if holder.is_some() { inner.split_last().map_or(inner, |(_, modules)| modules) } else { inner };
    let mut module: Vec<String> = modules.iter().map(|module| safe(plain(module))).collect();
    if item.is_test && matches!(module.last().map(String::as_str), Some("tests" | "test")) {
        module.pop();
    }
    let (package, target) = split_target(krate);
    if let Target::Test(name) | Target::Other(name) = target {
        module.insert(0, name.replace([':', '-', '/', '.'], "_"));
    }
    let (owner, of_trait) = holder.map_or((Owner::None, None), owner);
    PortNames { krate: package.replace('-', "_"), module, owner, name: own_name(item, plain(name), of_trait) }
}

/// The crate or package of an item, and what holds it: what a graph needs of its [`port_names`].
pub(crate) fn crate_and_owner(item: &Item) -> (String, Owner) {
    let segments = item.path.segments();
    let (krate, inner) = segments.split_first().map_or(("", [].as_slice()), |(krate, inner)| (*krate, inner));
    let above = inner.split_last().map_or([].as_slice(), |(_, above)| above);
    let holder = above.last().copied().filter(|holder| holds_members(item.kind, holder));
    let (package, _) = split_target(krate);
    (package.replace('-', "_"), holder.map_or(Owner::None, |holder| owner(holder).0))
}

/// For a method of `<Type as Trait>` where the type has no class in the port, the trait's name.
pub(crate) fn trait_for_others(item: &Item) -> Option<&str> {
    let segments = item.path.segments();
    let holder = segments.len().checked_sub(2).and_then(|at| segments.get(at).copied())?;
    match owner(Some(holder).filter(|_| item.kind == ItemKind::Method)?) {
        (Owner::Foreign(_), of_trait) => of_trait,
        (Owner::None | Owner::Class(_), _) => None,
    }
}

/// Splits `package[kind:target]`.
pub(crate) fn split_target(krate: &str) -> (&str, Target) {
    let Some((package, rest)) = krate.split_once('[') else { return (krate, Target::Library) };
    let inner = rest.strip_suffix(']').unwrap_or(rest);
    match inner.split_once(':') {
        Some(("test", name)) => (package, Target::Test(name.to_owned())),
        Some(_) | None => (package, Target::Other(inner.to_owned())),
    }
}

/// Whether the port's language could have this as a name.
pub(crate) fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_alphanumeric())
}

/// The symbol's name as Python marks what is not for others: `_name`. For items that are not public only.
pub(crate) fn private_form(item: &Item, symbol: &SymbolPath) -> Option<SymbolPath> {
    let name = symbol.name();
    if item.visibility == Visibility::Public || item.is_test || name.starts_with('_') {
        return None;
    }
    let parent = symbol.parent()?;
    SymbolPath::new(format!("{parent}._{name}")).ok()
}

/// Whether an item is a member of a type, an `impl` or a trait: by kind, or by how its holder is written.
pub(crate) fn is_member(item: &Item) -> bool {
    let segments = item.path.segments();
    let holder = segments.len().checked_sub(2).filter(|at| *at > 0).and_then(|at| segments.get(at));
    holder.is_some_and(|holder| holds_members(item.kind, holder))
}

fn holds_members(kind: ItemKind, holder: &str) -> bool {
    match kind {
        ItemKind::Method => true,
        ItemKind::Const | ItemKind::TypeAlias | ItemKind::Macro => {
            holder.starts_with('<') || holder.starts_with(char::is_uppercase)
        }
        ItemKind::Function
        | ItemKind::Struct
        | ItemKind::Enum
        | ItemKind::Union
        | ItemKind::Trait
        | ItemKind::Impl
        | ItemKind::Static
        | ItemKind::Module => false,
    }
}

/// The class of `Type` or `<path::Type<T> as path::Trait>`, and the trait's name.
fn owner(holder: &str) -> (Owner, Option<&str>) {
    let Some(inner) = holder.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')) else {
        return (Owner::Class(plain(holder).to_owned()), None);
    };
    let (ty, of_trait) = split_as(inner);
    let name = last_segment(ty);
    let is_class = is_identifier(name)
        && name.starts_with(char::is_uppercase)
        && name.chars().count() > 1
        && !FOREIGN.contains(&name)
        && !ty.starts_with("dyn ");
    let owner = if is_class { Owner::Class(name.to_owned()) } else { Owner::Foreign(ty.to_owned()) };
    (owner, of_trait.map(last_segment))
}

/// Splits `Type as Trait` at the ` as ` outside brackets.
fn split_as(text: &str) -> (&str, Option<&str>) {
    let (mut depth, mut previous) = (0_usize, ' ');
    for (at, letter) in text.char_indices() {
        match letter {
            '<' | '(' | '[' => depth += 1,
            '>' if previous == '-' => {}
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                let (ty, rest) = text.split_at_checked(at).unwrap_or((text, ""));
                if let Some(of_trait) = rest.strip_prefix(" as ") {
                    return (ty, Some(of_trait));
                }
            }
            _ => {}
        }
        previous = letter;
    }
    (text, None)
}

/// `Type` of `&path::Type<T>`.
fn last_segment(ty: &str) -> &str {
    let ty = ty.trim_start_matches(['&', ' ']);
    let ty = if ty.starts_with('\'') { ty.split_once(' ').map_or(ty, |(_lifetime, ty)| ty) } else { ty };
    let ty = ty.strip_prefix("mut ").unwrap_or(ty);
    let ty = ty.split_once('<').map_or(ty, |(ty, _)| ty);
    ty.rsplit("::").next().unwrap_or(ty).trim()
}

/// A name without the marks that are no part of it: `#2` of variants, `r#` of raw identifiers.
fn plain(name: &str) -> &str {
    let name = without_variant(name);
    name.strip_prefix("r#").unwrap_or(name)
}

/// A name that the port's language can have: a keyword gets a final underscore.
pub(crate) fn safe(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

fn own_name(item: &Item, name: &str, of_trait: Option<&str>) -> String {
    if item.kind == ItemKind::Method {
        if of_trait.is_none() && name == "new" {
            return "__init__".to_owned();
        }
        let special = SPECIAL_METHODS
            .iter()
            .find(|(trait_name, method, _)| of_trait == Some(trait_name) && *method == name);
        if let Some((_, _, python)) = special {
            return (*python).to_owned();
        }
    }
    if item.kind == ItemKind::Function && is_test_function(item) && !name.starts_with("test_") {
        return format!("test_{name}");
    }
    safe(name)
}

/// Whether it is run as a test, rather than being code that tests use.
pub(crate) fn is_test_function(item: &Item) -> bool {
    let is_test = |name: &str| name.starts_with("test") || TEST_ATTRIBUTES.contains(&name);
    item.is_test && attribute_names(item).any(is_test)
}

/// Whether it is run as a benchmark by the test harness.
pub fn is_bench_function(item: &Item) -> bool {
    item.is_test && attribute_names(item).any(|name| name == "bench")
}

/// The last segments of the paths of an item's attributes: `test` for `#[tokio::test(flavor = "…")]`.
fn attribute_names(item: &Item) -> impl Iterator<Item = &str> {
    item.attributes.iter().map(|attribute| {
        let path = attribute.trim_start_matches(['#', '[', ' ']);
        let path = path.split(['(', ']', '=', ' ']).next().unwrap_or_default();
        path.rsplit("::").next().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{an_item, test_function};

    fn names(path: &str, kind: ItemKind) -> (String, Owner, String) {
        let names = port_names(&an_item(path, kind));
        (names.module.join("."), names.owner, names.name)
    }

    fn class(name: &str) -> Owner {
        Owner::Class(name.to_owned())
    }

    #[test]
    fn methods_belong_to_classes_and_constructors_initialise() {
        let member = |path| names(path, ItemKind::Method);
        assert_eq!(member("k::m::Type::new"), ("m".into(), class("Type"), "__init__".into()));
        assert_eq!(
            member("k::<Type as fmt::Display>::fmt"),
            (String::new(), class("Type"), "__str__".into())
        );
        assert_eq!(member("k::<Type as Debug>::fmt").2, "__repr__");
        assert_eq!(member("k::<m::Type<T> as PartialEq<Other<T>>>::eq").2, "__eq__");
        assert_eq!(member("k::<Type<'a> as Iterator>::next").2, "__next__");
        assert_eq!(member("k::<&Type as IntoIterator>::into_iter").2, "__iter__");
        assert_eq!(member("k::<Type as ops::Add<u8>>::add").2, "__add__");
        assert_eq!(member("k::Type::next").2, "next", "no iterator by its name alone");
        assert_eq!(member("k::<Type as Default>::default").2, "default");
        assert_eq!(member("k::<Type as From<Other>>::from"), (String::new(), class("Type"), "from_".into()));
        assert_eq!(member("k::<Type as Build>::new").2, "new");
    }

    #[test]
    fn types_without_a_class_are_told_apart() {
        let owner = |path| names(path, ItemKind::Method).1;
        assert_eq!(owner("k::<str as ToSnake>::to_snake"), Owner::Foreign("str".into()));
        assert_eq!(owner("k::<&str as ToSnake>::to_snake"), Owner::Foreign("&str".into()));
        assert_eq!(owner("k::<T as ToSnake>::to_snake"), Owner::Foreign("T".into()));
        assert_eq!(owner("k::<Vec<T> as Sum>::sum"), Owner::Foreign("Vec<T>".into()));
        assert_eq!(owner("k::<[T] as Sum>::sum"), Owner::Foreign("[T]".into()));
        assert_eq!(owner("k::<&'a mut Type as Sum>::sum"), class("Type"));
    }

    #[test]
    fn constants_of_types_and_of_modules_differ() {
        assert_eq!(names("k::m::Type::MAX", ItemKind::Const), ("m".into(), class("Type"), "MAX".into()));
        assert_eq!(names("k::m::MAX", ItemKind::Const), ("m".into(), Owner::None, "MAX".into()));
    }

    #[test]
    fn keywords_raw_names_and_variants_become_usable() {
        assert_eq!(names("k::lambda", ItemKind::Function).2, "lambda_");
        assert_eq!(names("k::r#type", ItemKind::Function).2, "type");
        assert_eq!(names("k::run#2", ItemKind::Function).2, "run");
        assert_eq!(names("k::r#in::run", ItemKind::Function).0, "in_");
    }

    #[test]
    fn tests_get_their_prefix_once_and_lose_the_module_that_holds_them() {
        let named = |path| {
            let names = port_names(&test_function(path, "assert run"));
            (names.module.join("."), names.name)
        };
        assert_eq!(named("k::m::tests::works"), ("m".into(), "test_works".into()));
        assert_eq!(named("k::tests::test_works"), (String::new(), "test_works".into()));
        assert_eq!(named("my-k[test:lib]::works"), ("lib".into(), "test_works".into()));
        let mut helper = test_function("k::tests::setup", "x");
        helper.attributes.clear();
        assert_eq!(port_names(&helper).name, "setup");
    }

    #[test]
    fn a_target_is_split_from_its_package() {
        assert_eq!(split_target("k"), ("k", Target::Library));
        assert_eq!(split_target("my-k[test:lib]"), ("my-k", Target::Test("lib".into())));
        assert_eq!(split_target("k[bin:tool]"), ("k", Target::Other("bin:tool".into())));
    }
}
