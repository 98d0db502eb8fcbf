//! What of a result can be looked at, and how it is written down.
//!
//! Main type: [`ObservedType`]. A type that cannot be observed is a reason in words, never a guess.

use std::collections::BTreeMap;

use upstream::{Item, RustType};

use super::input_type::scalar;
use super::plan_type::{DEPTH_MAX, TypeScope, implements, is_generic, parameters};
use super::sequence_plan::OwnFields;
use super::type_form::TypeForm;

/// How many elements of an iterator are looked at.
pub(super) const ITERATOR_ELEMENTS_MAX: usize = 1000;

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

impl TypeScope<'_> {
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
    pub(super) fn is_iterator(&self, ty: &RustType) -> bool {
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

    /// A type argument in the words of the driver, where it stands for a number or a text.
    fn concrete(&self, ty: &RustType) -> Option<String> {
        let RustType::Named { path, arguments } = ty else { return None };
        let name = path.last().filter(|_| path.len() == 1 && arguments.is_empty())?;
        if let Some(instance) = self.instances.get(name) {
            return (!instance.borrows).then(|| instance.owned.clone());
        }
        let name = if name == "Self" { self.self_type.clone()? } else { name.clone() };
        (scalar(&name).is_some() || name == "String").then_some(name)
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

    /// The public fields of a value of this type, which is the own one, where it has some.
    pub(super) fn observed_own(&self, item: &Item) -> Option<OwnFields> {
        let TypeForm::Struct(fields) = TypeForm::of(item) else { return None };
        // Numbered fields have no names on the other side.
        let names: Vec<_> = fields.public.into_iter().map(|(name, _)| name).collect();
        if names.is_empty() || fields.is_positional {
            return None;
        }
        let mut observed = BTreeMap::new();
        match self.observe_self(&mut observed) {
            Ok(Seen::Open) => Some(OwnFields { names, observed }),
            Ok(Seen::Hidden(_)) | Err(_) => None,
        }
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
            None if scalar(text).is_some() || matches!(text, "str" | "String" | "Vec<u8>") => Ok(Seen::Open),
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
            Some(None) if !arguments.is_empty() => {
                let concrete: Option<Vec<String>> = arguments.iter().map(|of| self.concrete(of)).collect();
                let concrete = concrete.ok_or_else(|| format!("its result type `{name}` is generic"))?;
                format!("{}<{}>", self.reachable(item)?, concrete.join(", "))
            }
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
        for mentioned in item.members.iter().map(String::as_str).chain(item.mentions.iter()) {
            if let Some(other) = inside.item(&[mentioned.to_owned()]).filter(|other| !is_generic(other)) {
                drop(inside.observe_item(other, &[], observed));
            }
        }
        Ok(seen)
    }
}
