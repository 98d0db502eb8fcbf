//! How a parameter is made from a probe, by its type.
//!
//! Main type: [`Input`].

use upstream::RustType;

use super::plan_type::{DEPTH_MAX, TypeScope};
use super::shape::Shape;

/// How a parameter is made from a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    /// The kind of value.
    pub shape: Shape,
    /// The Rust type that the driver reads from the probe.
    pub owned: String,
    /// Whether the parameter's type borrows, so that it is not simply `owned`.
    pub borrows: bool,
    /// The argument as an expression, where `$` stands for an expression of type `&owned`, or for the variable
    /// that the call changes.
    pub pass: String,
    /// What such a variable holds before the call, where `$` stands for an expression of type `&owned`: what is
    /// left in it is looked at as the result is.
    pub changed: Option<String>,
}

impl Input {
    fn owned(shape: Shape, owned: impl Into<String>) -> Self {
        Self { shape, owned: owned.into(), borrows: false, pass: "$.clone()".to_owned(), changed: None }
    }

    /// The argument expression for the argument at this position: of the probe's, or of the variable that the
    /// call changes.
    pub(super) fn given(&self, at: usize) -> String {
        let lead = if self.changed.is_some() { 'm' } else { 'a' };
        self.passed(&format!("{lead}{at}"))
    }

    /// The argument expression for a variable of type `&owned`.
    pub(super) fn passed(&self, variable: &str) -> String {
        self.pass.replace('$', variable)
    }
}

impl TypeScope<'_> {
    /// How a parameter of this type is made.
    pub(super) fn input(&self, ty: &RustType) -> Result<Input, String> {
        self.input_at(ty, 0)
    }

    pub(super) fn input_at(&self, ty: &RustType, depth: usize) -> Result<Input, String> {
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
            RustType::Reference { mutable: true, target } if depth == 0 => self.changed(ty, target),
            RustType::Reference { mutable: true, .. } => Err(unknown()),
            RustType::Reference { target, .. } => self.reference(target, depth).map_err(|()| unknown()),
            RustType::Named { path, arguments } => self.named(ty, path, arguments, depth),
            RustType::Other(text) => bounded_input(text).ok_or_else(unknown),
            RustType::Slice(_) | RustType::Never => Err(unknown()),
        }
    }

    /// A parameter that the function changes in place, where what is left in it can be looked at.
    fn changed(&self, ty: &RustType, target: &RustType) -> Result<Input, String> {
        let (inner, pass) = match target {
            RustType::Slice(element) => (list_passed(self.input_at(element, 1)?), "&mut $[..]"),
            RustType::Named { .. } | RustType::Array { .. } | RustType::Tuple(_) => {
                (self.input_at(target, 1)?, "&mut $")
            }
            RustType::Reference { .. } | RustType::Never | RustType::Other(_) => {
                return Err(format!("a parameter of type `{ty}` cannot be generated"));
            }
        };
        // Only what has a form of its own can be looked at afterwards.
        if !inner.shape.ways().is_empty() {
            return Err("it changes a value of its crate's own types in place".to_owned());
        }
        Ok(Input { borrows: true, pass: pass.to_owned(), changed: Some(inner.pass.clone()), ..inner })
    }

    pub(super) fn reference(&self, target: &RustType, depth: usize) -> Result<Input, ()> {
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

    pub(super) fn named(
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
                None => {
                    let own = own.rsplit("::").next().unwrap_or_default().to_owned();
                    self.made(self.item(&[own]).ok_or_else(unknown)?, depth)
                }
            };
        }
        // Names of the crate's own come first: a crate may have a `Result` or an `Option` of its own.
        if let Some(alias) = self.alias(path, arguments) {
            return self.input_at(&alias, depth + 1);
        }
        if let Some(item) = self.item(path) {
            return self.made(item, depth);
        }
        if let Some(shape) = scalar(name) {
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
    Input {
        shape: Shape::Text,
        owned: "String".to_owned(),
        borrows: true,
        pass: pass.to_owned(),
        changed: None,
    }
}

/// A `Vec` of such elements, passed by value.
pub(super) fn list_of(element: Input) -> Input {
    let owned = format!("Vec<{}>", element.owned);
    let is_byte = matches!(element.shape, Shape::Int { bits: 8, signed: false, .. });
    let shape = if is_byte { Shape::Bytes } else { Shape::List(Box::new(element.shape)) };
    Input::owned(shape, owned)
}

/// A `Vec` of such elements, borrowed where they are.
pub(super) fn list_passed(element: Input) -> Input {
    let collect = element.borrows.then(|| collected(&element));
    let list = list_of(element);
    match collect {
        Some(pass) => Input { borrows: true, pass, ..list },
        None => list,
    }
}

pub(super) fn collected(element: &Input) -> String {
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
pub(super) fn borrowed(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('&')?;
    ["str", "[u8]"].into_iter().find(|of| rest == *of || rest.starts_with('\'') && rest.ends_with(of))
}

/// An element type written in a bound: a scalar or a string.
pub(super) fn element_input(text: &str) -> Option<Input> {
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
        Shape::Float { .. } | Shape::Map(..) | Shape::Set(_) | Shape::Made(_) => false,
        Shape::Unit | Shape::Bool | Shape::Char | Shape::Int { .. } | Shape::Text | Shape::Bytes => true,
        Shape::Option(inner) | Shape::List(inner) | Shape::Array(inner, _) => orderable(inner),
        Shape::Result(ok, err) => orderable(ok) && orderable(err),
        Shape::Tuple(parts) => parts.iter().all(orderable),
    }
}
