//! How a Rust type is read from a probe and how a result is written down: the type half of planning.
//!
//! Main type: [`TypeScope`], which knows what a name in a signature stands for. A type that cannot be
//! observed is a reason in words, never a guess.

use std::collections::BTreeMap;

use upstream::{Item, ItemKind, ItemPath, RustType, Snapshot};

use super::shape::Shape;
use super::type_form::TypeForm;

/// How deep aliases and nested types are followed.
const DEPTH_MAX: usize = 12;

/// Types that stand for all that implement a trait, the plainest first.
const PRIMITIVES: &[&str] = &["str", "String", "i64", "u64", "i32", "u32", "usize", "u8", "f64", "char"];

/// How many elements of an iterator are looked at.
pub(super) const ITERATOR_ELEMENTS_MAX: usize = 1000;

/// How a parameter is made from a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    /// The kind of value.
    pub shape: Shape,
    /// The Rust type that the driver reads from the probe.
    pub owned: String,
    /// Whether the parameter's type borrows, so that it is not simply `owned`.
    pub borrows: bool,
    /// The argument as an expression, where `$` stands for an expression of type `&owned`.
    pub pass: String,
}

impl Input {
    fn owned(shape: Shape, owned: impl Into<String>) -> Self {
        Self { shape, owned: owned.into(), borrows: false, pass: "$.clone()".to_owned() }
    }

    /// The argument expression for a variable of type `&owned`.
    pub(super) fn passed(&self, variable: &str) -> String {
        self.pass.replace('$', variable)
    }
}

/// A type of the crate that results hold, and what of it can be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObservedType {
    /// The item's path.
    pub class: String,
    /// Its public fields or variants.
    pub form: TypeForm,
    /// Whether it has a `Debug` text.
    pub has_text: bool,
}

/// What of a result can be looked at.
enum Seen {
    /// Something.
    Open,
    /// Nothing, for this type keeps all to itself.
    Hidden(String),
}

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
    /// How a parameter of this type is made.
    pub(super) fn input(&self, ty: &RustType) -> Result<Input, String> {
        self.input_at(ty, 0)
    }

    fn input_at(&self, ty: &RustType, depth: usize) -> Result<Input, String> {
        let unknown = || format!("a parameter of type `{ty}` cannot be generated");
        if depth > DEPTH_MAX {
            return Err(unknown());
        }
        let inner = |ty: &RustType| self.input_at(ty, depth + 1);
        match ty {
            RustType::Tuple(parts) if parts.is_empty() => Ok(Input::owned(Shape::Unit, "()")),
            RustType::Tuple(parts) => {
                let parts = parts.iter().map(inner).collect::<Result<Vec<_>, _>>()?;
                let owned: Vec<_> = parts.iter().map(|part| part.owned.clone()).collect();
                let pass: Vec<_> =
                    parts.iter().enumerate().map(|(at, part)| part.passed(&format!("(&$.{at})"))).collect();
                let borrows = parts.iter().any(|part| part.borrows);
                let shape = Shape::Tuple(parts.into_iter().map(|part| part.shape).collect());
                let input = Input::owned(shape, format!("({},)", owned.join(", ")));
                Ok(if borrows {
                    Input { borrows, pass: format!("({},)", pass.join(", ")), ..input }
                } else {
                    input
                })
            }
            RustType::Array { element, length } => {
                let element = inner(element)?;
                let length: usize = length.parse().ok().filter(|length| *length <= 64).ok_or_else(unknown)?;
                if element.borrows {
                    return Err(unknown());
                }
                let owned = format!("[{}; {length}]", element.owned);
                Ok(Input::owned(Shape::Array(Box::new(element.shape), length), owned))
            }
            RustType::Reference { mutable: true, .. } => {
                Err("it changes a parameter in place, and the port may answer in another form".to_owned())
            }
            RustType::Reference { target, .. } => self.reference(target, depth).map_err(|()| unknown()),
            RustType::Named { path, arguments } => self.named(ty, path, arguments, depth),
            RustType::Other(text) => bounded_input(text).ok_or_else(unknown),
            RustType::Slice(_) | RustType::Never => Err(unknown()),
        }
    }

    fn reference(&self, target: &RustType, depth: usize) -> Result<Input, ()> {
        if target.last_name() == Some("str") {
            return Ok(text_input("$.as_str()"));
        }
        if let RustType::Slice(element) = target {
            let element = self.input_at(element, depth + 1).map_err(|_reason| ())?;
            let pass =
                if element.borrows { format!("&{}[..]", collected(&element)) } else { "$.as_slice()".into() };
            return Ok(Input { borrows: true, pass, ..list_of(element) });
        }
        let target = self.input_at(target, depth + 1).map_err(|_reason| ())?;
        let pass = if target.borrows { format!("&{}", target.pass) } else { "$".to_owned() };
        Ok(Input { borrows: true, pass, ..target })
    }

    fn named(
        &self,
        ty: &RustType,
        path: &[String],
        arguments: &[RustType],
        depth: usize,
    ) -> Result<Input, String> {
        let unknown = || format!("a parameter of type `{ty}` cannot be generated");
        let inner = |at: usize| self.input_at(arguments.get(at).ok_or_else(unknown)?, depth + 1);
        let name = path.last().map(String::as_str).unwrap_or_default();
        if let (Some(instance), 1) = (self.instances.get(name), path.len()) {
            return Ok(instance.clone());
        }
        if let (["Self"], Some(own)) =
            (path.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), &self.self_type)
        {
            return match scalar(own) {
                Some(shape) => Ok(Input::owned(shape, own)),
                None if own == "String" => Ok(Input { borrows: false, ..text_input("$.clone()") }),
                None => Err(unknown()),
            };
        }
        // Names of the crate's own come first: a crate may have a `Result` or an `Option` of its own.
        if let Some(alias) = self.alias(path, arguments) {
            return self.input_at(&alias, depth + 1);
        }
        if let Some(shape) = scalar(name).filter(|_shape| self.item(path).is_none()) {
            return Ok(Input::owned(shape, name));
        }
        match (name, arguments.len()) {
            ("String", 0) => Ok(text_input("$.clone()")).map(|input| Input { borrows: false, ..input }),
            ("PathBuf" | "OsString", 0) => Err(unknown()),
            ("Vec" | "VecDeque", 1) => {
                let element = inner(0)?;
                let collect = element.borrows.then(|| collected(&element));
                let list = list_of(element);
                let (borrows, pass) = (collect.is_some(), collect.unwrap_or_else(|| list.pass.clone()));
                let input = Input { borrows, pass, ..list };
                if name == "Vec" { Ok(input) } else { Err(unknown()) }
            }
            ("Option", 1) => {
                let value = inner(0)?;
                let owned = format!("Option<{}>", value.owned);
                let pass = format!("$.as_ref().map(|x| {})", value.passed("x"));
                let borrows = value.borrows;
                let input = Input::owned(Shape::Option(Box::new(value.shape)), owned);
                Ok(if borrows { Input { borrows, pass, ..input } } else { input })
            }
            ("Result", 2) => {
                let (ok, err) = (inner(0)?, inner(1)?);
                let borrows = ok.borrows || err.borrows;
                let owned = format!("Result<{}, {}>", ok.owned, err.owned);
                let pass = format!("$.as_ref().map(|x| {}).map_err(|x| {})", ok.passed("x"), err.passed("x"));
                let input = Input::owned(Shape::Result(Box::new(ok.shape), Box::new(err.shape)), owned);
                Ok(if borrows { Input { borrows, pass, ..input } } else { input })
            }
            ("Box", 1) => {
                if arguments.first().and_then(RustType::last_name) == Some("str") {
                    return Ok(Input { borrows: true, ..text_input("$.clone().into_boxed_str()") });
                }
                let value = inner(0)?;
                let pass = format!("Box::new({})", value.pass);
                Ok(Input { borrows: true, pass, ..value })
            }
            ("Cow", 1) => match arguments.first() {
                Some(text) if text.last_name() == Some("str") => {
                    Ok(text_input("::std::borrow::Cow::Borrowed($.as_str())"))
                }
                Some(RustType::Slice(element)) => {
                    let list = list_of(self.input_at(element, depth + 1)?);
                    Ok(Input {
                        borrows: true,
                        pass: "::std::borrow::Cow::Borrowed($.as_slice())".into(),
                        ..list
                    })
                }
                Some(_) | None => Err(unknown()),
            },
            ("HashMap" | "BTreeMap", 2) => {
                let (key, value) = (inner(0)?, inner(1)?);
                if key.borrows || value.borrows || !orderable(&key.shape) {
                    return Err(unknown());
                }
                let owned = format!("::std::collections::{name}<{}, {}>", key.owned, value.owned);
                Ok(Input::owned(Shape::Map(Box::new(key.shape), Box::new(value.shape)), owned))
            }
            ("HashSet" | "BTreeSet", 1) => {
                let element = inner(0)?;
                if element.borrows || !orderable(&element.shape) {
                    return Err(unknown());
                }
                let owned = format!("::std::collections::{name}<{}>", element.owned);
                Ok(Input::owned(Shape::Set(Box::new(element.shape)), owned))
            }
            _ => Err(unknown()),
        }
    }

    /// How a result of this type is written down: the expression, where `$` stands for the result. Types
    /// of the crate that are known by their `Debug` text alone are added to `observed`.
    pub(super) fn output(
        &self,
        ty: &RustType,
        observed: &mut BTreeMap<String, ObservedType>,
    ) -> Result<String, String> {
        if let RustType::Other(text) = ty {
            let is_iterator = ["impl Iterator<", "impl DoubleEndedIterator<", "impl ExactSizeIterator<"]
                .iter()
                .any(|bound| text.starts_with(bound));
            if is_iterator {
                return Ok(format!("$.take({ITERATOR_ELEMENTS_MAX}).collect::<VecDeque<_>>()"));
            }
        }
        if let RustType::Named { path, arguments } = ty {
            let names: Vec<_> = path.iter().map(String::as_str).collect();
            // What an associated type stands for is the compiler's to say.
            match (names.as_slice(), arguments.as_slice()) {
                (["Self", _], []) => return Ok("$".to_owned()),
                (["Result"], [value, RustType::Named { path: error, .. }])
                    if error.len() == 2 && error.first().is_some_and(|first| first == "Self") =>
                {
                    drop(self.output(value, observed)?);
                    return Ok("$.map_err(|error| Raw((&&Look(&error)).look()))".to_owned());
                }
                (_, _) => {}
            }
        }
        // Gathered in a queue: a `Vec` of bytes would be written as bytes, and an iterator gives numbers.
        if self.is_iterator(ty) {
            return Ok(format!("$.take({ITERATOR_ELEMENTS_MAX}).collect::<VecDeque<_>>()"));
        }
        match self.observe(ty, observed, 0)? {
            Seen::Hidden(name) => Err(format!(
                "its result type `{name}` keeps its fields to itself, so results cannot be compared"
            )),
            Seen::Open => Ok("$".to_owned()),
        }
    }

    /// Whether a result is an iterator of the crate's own, or a boxed one: what it gives is looked at. Whether
    /// that has a form is the compiler's to say.
    fn is_iterator(&self, ty: &RustType) -> bool {
        let RustType::Named { path, arguments } = ty else { return false };
        if let ("Box", [RustType::Other(inner)]) =
            (path.last().map_or("", String::as_str), arguments.as_slice())
        {
            return inner.split_whitespace().collect::<String>().starts_with("dynIterator<");
        }
        let own = self.self_type.as_deref().and_then(|own| own.rsplit("::").next()).unwrap_or_default();
        let name = if path.len() == 1 && ty.last_name() == Some("Self") {
            vec![own.to_owned()]
        } else {
            path.clone()
        };
        let item = self.item(&name);
        item.is_some_and(|item| !is_generic(item) && implements(self.snapshot, item, "Iterator"))
    }

    /// How an error is written down: what it keeps to itself is not compared in errors.
    pub(super) fn error(
        &self,
        ty: &RustType,
        observed: &mut BTreeMap<String, ObservedType>,
    ) -> Result<(), String> {
        self.observe(ty, observed, 0).map(drop)
    }

    fn observe(
        &self,
        ty: &RustType,
        observed: &mut BTreeMap<String, ObservedType>,
        depth: usize,
    ) -> Result<Seen, String> {
        let unknown = || Err(format!("a result of type `{ty}` cannot be observed"));
        if depth > DEPTH_MAX {
            return unknown();
        }
        match ty {
            RustType::Tuple(parts) if parts.len() > 6 => unknown(),
            // Whatever else is in it: that it holds so many things is seen.
            RustType::Tuple(parts) => self.observe_all(parts, observed, depth),
            RustType::Slice(inner) | RustType::Array { element: inner, .. } => {
                self.observe_all(std::slice::from_ref(inner), observed, depth)
            }
            RustType::Reference { target, .. } => self.observe(target, observed, depth + 1),
            RustType::Never => unknown(),
            RustType::Other(text) => {
                if text.replace(' ', "").starts_with("dyn") && text.contains("Error") {
                    return Ok(Seen::Hidden("Error".to_owned()));
                }
                unknown()
            }
            RustType::Named { path, arguments } => {
                let name = path.last().map(String::as_str).unwrap_or_default();
                if path.len() == 1 && self.instances.contains_key(name) {
                    return Ok(Seen::Open);
                }
                if let Some(alias) = self.alias(path, arguments) {
                    return self.observe(&alias, observed, depth + 1);
                }
                if path.len() == 1 && name == "Self" {
                    return self.observe_self(observed);
                }
                if path.len() == 2 && path.first().is_some_and(|first| first == "Self") {
                    return Ok(Seen::Open);
                }
                if let Some(item) = self.item(path) {
                    return self.observe_item(item, arguments, observed);
                }
                if scalar(name).is_some() || ["str", "String", "Duration", "Ordering"].contains(&name) {
                    return Ok(Seen::Open);
                }
                match (name, arguments.as_slice()) {
                    ("Box" | "Cow" | "Rc" | "Arc", [inner]) => self.observe(inner, observed, depth + 1),
                    // `io::Result<T>` and `fmt::Result` bring their error with them.
                    (
                        "Option" | "Vec" | "VecDeque" | "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet"
                        | "Result",
                        _,
                    ) => self.observe_all(arguments, observed, depth),
                    (
                        "ParseIntError" | "ParseFloatError" | "ParseBoolError" | "ParseCharError"
                        | "CharTryFromError" | "TryFromIntError" | "Utf8Error" | "FromUtf8Error"
                        | "Infallible",
                        _,
                    ) => Ok(Seen::Hidden(name.to_owned())),
                    ("Error", _) if path.iter().any(|segment| segment == "fmt" || segment == "io") => {
                        Ok(Seen::Hidden(name.to_owned()))
                    }
                    (_, _) => unknown(),
                }
            }
        }
    }

    /// The parts of something that is itself seen.
    fn observe_all(
        &self,
        parts: &[RustType],
        observed: &mut BTreeMap<String, ObservedType>,
        depth: usize,
    ) -> Result<Seen, String> {
        parts.iter().try_for_each(|part| self.observe(part, observed, depth + 1).map(drop))?;
        Ok(Seen::Open)
    }

    fn observe_self(&self, observed: &mut BTreeMap<String, ObservedType>) -> Result<Seen, String> {
        let unknown = || "a result of its own type cannot be observed".to_owned();
        let text = self.self_type.as_deref().ok_or_else(unknown)?;
        let name = [text.rsplit("::").next().unwrap_or_default().to_owned()];
        if let Some(instance) = self.alias(&name, &[]) {
            return self.observe(&instance, observed, 1);
        }
        match self.item(&name) {
            Some(item) => self.observe_item(item, &[], observed),
            None if scalar(text).is_some() || text == "str" || text == "String" => Ok(Seen::Open),
            None => Err(unknown()),
        }
    }

    fn observe_item(
        &self,
        item: &Item,
        arguments: &[RustType],
        observed: &mut BTreeMap<String, ObservedType>,
    ) -> Result<Seen, String> {
        let name = item.path.name();
        let instance = is_generic(item).then(|| self.instance_of(item));
        let path = match instance {
            Some(None) => return Err(format!("its result type `{name}` is generic")),
            Some(Some(alias)) => self.reachable(alias)?,
            None if !arguments.is_empty() => return Err(format!("its result type `{name}` is generic")),
            None => {
                let lifetimes = vec!["'_"; parameters(item).len()].join(", ");
                let lifetimes = if lifetimes.is_empty() { lifetimes } else { format!("<{lifetimes}>") };
                self.reachable(item)? + &lifetimes
            }
        };
        let form = TypeForm::of(item);
        let seen = if form == TypeForm::Hidden { Seen::Hidden(name.to_owned()) } else { Seen::Open };
        if observed.contains_key(&path) {
            return Ok(seen);
        }
        let has_text = implements(self.snapshot, item, "Debug");
        observed.insert(path, ObservedType { class: item.path.to_string(), form, has_text });
        // What its fields are made of is looked at as far as it goes.
        let inside =
            TypeScope { module: item.path.parent().unwrap_or_else(|| self.module.clone()), ..self.clone() };
        for mentioned in item.members.iter().chain(&item.mentions) {
            if let Some(other) =
                inside.item(std::slice::from_ref(mentioned)).filter(|other| !is_generic(other))
            {
                drop(inside.observe_item(other, &[], observed));
            }
        }
        Ok(seen)
    }

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
    fn alias(&self, path: &[String], arguments: &[RustType]) -> Option<RustType> {
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
        if found.iter().any(|ty| ty.len() == 1) {
            return Ok("str".to_owned());
        }
        if found.iter().filter(|ty| !is_known(ty)).count() > 0 {
            return Err(format!("its trait `{name}` is implemented by types of its crate alone"));
        }
        Ok("i64".to_owned())
    }

    /// The nearest item of that name: in the module itself, then the only one in the crate. Imports are
    /// not followed; two items of one name elsewhere are not told apart, and then there is none.
    fn item_of(&self, path: &[String], wanted: impl Fn(ItemKind) -> bool) -> Option<&Item> {
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
fn parameters(item: &Item) -> Vec<&str> {
    let name = item.path.name();
    let header = ["struct ", "enum ", "union "].iter().find_map(|keyword| {
        let at = item.text.find(&format!("{keyword}{name}"))?;
        item.text.get(at + keyword.len() + name.len()..)?.trim_start().strip_prefix('<')
    });
    let inside = header.and_then(|rest| rest.split(['>', '<']).next()).unwrap_or_default();
    inside.split(',').map(str::trim).filter(|parameter| !parameter.is_empty()).collect()
}

fn alias_parameters(text: &str) -> Vec<String> {
    let header = text.split('=').next().unwrap_or_default();
    let Some((_, inside)) = header.split_once('<') else { return Vec::new() };
    let inside = inside.split('>').next().unwrap_or_default();
    let names = inside.split(',').map(|part| part.split(':').next().unwrap_or_default().trim().to_owned());
    names.filter(|name| !name.is_empty() && !name.starts_with('\'')).collect()
}

fn substitute(ty: &RustType, with: &BTreeMap<String, RustType>) -> RustType {
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

/// The shape of a type that stands for itself.
pub(super) fn scalar(name: &str) -> Option<Shape> {
    let int = |bits, signed| Some(Shape::Int { bits, signed, is_size: false });
    match name {
        "bool" => Some(Shape::Bool),
        "char" => Some(Shape::Char),
        "f32" => Some(Shape::Float { bits: 32 }),
        "f64" => Some(Shape::Float { bits: 64 }),
        "u8" => int(8, false),
        "u16" => int(16, false),
        "u32" => int(32, false),
        "u64" => int(64, false),
        "u128" => int(128, false),
        "i8" => int(8, true),
        "i16" => int(16, true),
        "i32" => int(32, true),
        "i64" => int(64, true),
        "i128" => int(128, true),
        "isize" => int(64, true),
        "usize" => Some(Shape::Int { bits: 64, signed: false, is_size: true }),
        _ => None,
    }
}

/// A text that is passed by this expression.
pub(super) fn text_input(pass: &str) -> Input {
    Input { shape: Shape::Text, owned: "String".to_owned(), borrows: true, pass: pass.to_owned() }
}

/// A `Vec` of such elements, passed by value.
pub(super) fn list_of(element: Input) -> Input {
    let owned = format!("Vec<{}>", element.owned);
    let is_byte = matches!(element.shape, Shape::Int { bits: 8, signed: false, .. });
    let shape = if is_byte { Shape::Bytes } else { Shape::List(Box::new(element.shape)) };
    Input::owned(shape, owned)
}

/// A `Vec` of such elements, borrowed where they are.
fn list_passed(element: Input) -> Input {
    let collect = element.borrows.then(|| collected(&element));
    let list = list_of(element);
    match collect {
        Some(pass) => Input { borrows: true, pass, ..list },
        None => list,
    }
}

fn collected(element: &Input) -> String {
    format!("$.iter().map(|x| {}).collect::<Vec<_>>()", element.passed("x"))
}

/// What an `impl Bound` parameter is given.
pub(super) fn bounded_input(text: &str) -> Option<Input> {
    let bound: String = text.strip_prefix("impl ").unwrap_or(text).split_whitespace().collect();
    for one in bound.split('+').filter(|one| !one.starts_with('\'')) {
        let input = match one {
            "AsRef<str>" | "Into<String>" | "ToString" | "Display" | "fmt::Display" | "Into<Cow<str>>"
            | "Borrow<str>" => text_input("$.as_str()"),
            "AsRef<[u8]>" => {
                let bytes = list_of(Input::owned(scalar("u8")?, "u8"));
                Input { borrows: true, pass: "$.as_slice()".into(), ..bytes }
            }
            _ => match one.strip_suffix('>').and_then(|one| one.split_once("<Item=")) {
                Some(("IntoIterator", element)) => list_passed(element_input(element)?),
                Some(("Iterator" | "DoubleEndedIterator" | "ExactSizeIterator", element)) => {
                    let list = list_passed(element_input(element)?);
                    Input { borrows: true, pass: list.pass.clone() + ".into_iter()", ..list }
                }
                Some(_) | None => continue,
            },
        };
        return Some(input);
    }
    None
}

/// What a reference refers to, in a bound without blanks: `str` in `&'astr`. A lifetime's name runs into what
/// follows it, so only the end tells.
fn borrowed(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('&')?;
    ["str", "[u8]"].into_iter().find(|of| rest == *of || rest.starts_with('\'') && rest.ends_with(of))
}

/// An element type written in a bound: a scalar or a string.
fn element_input(text: &str) -> Option<Input> {
    match text {
        "String" => Some(Input { borrows: false, ..text_input("$.clone()") }),
        _ if borrowed(text) == Some("str") => Some(text_input("$.as_str()")),
        _ if borrowed(text) == Some("[u8]") => {
            let bytes = list_of(Input::owned(scalar("u8")?, "u8"));
            Some(Input { borrows: true, pass: "$.as_slice()".into(), ..bytes })
        }
        _ => scalar(text).map(|shape| Input::owned(shape, text)),
    }
}

fn orderable(shape: &Shape) -> bool {
    match shape {
        Shape::Float { .. } | Shape::Map(..) | Shape::Set(_) => false,
        Shape::Unit | Shape::Bool | Shape::Char | Shape::Int { .. } | Shape::Text | Shape::Bytes => true,
        Shape::Option(inner) | Shape::List(inner) | Shape::Array(inner, _) => orderable(inner),
        Shape::Result(ok, err) => orderable(ok) && orderable(err),
        Shape::Tuple(parts) => parts.iter().all(orderable),
    }
}
