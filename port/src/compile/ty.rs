//! Types as far as the translation tells them apart, and their inference.
//!
//! References are left out but for `&mut`: a shared one is the value itself in Python.

use upstream::ItemPath;

use super::refusal::{Made, Reason, refuse};

/// An integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Int {
    /// Whether it has a sign.
    pub(super) signed: bool,
    /// 8 to 64; `usize` and `isize` have 64.
    pub(super) bits: u32,
    /// Whether it is as wide as a pointer, which matters for its name alone.
    pub(super) size: bool,
}

impl Int {
    pub(super) const USIZE: Self = Self { signed: false, bits: 64, size: true };
    pub(super) const U8: Self = Self { signed: false, bits: 8, size: false };
    pub(super) const I32: Self = Self { signed: true, bits: 32, size: false };
    pub(super) const U32: Self = Self { signed: false, bits: 32, size: false };

    /// The type of this name. Those of 128 bits are none of ours.
    pub(super) fn named(name: &str) -> Option<Self> {
        let (signed, rest) = match name.split_at_checked(1)? {
            ("u", rest) => (false, rest),
            ("i", rest) => (true, rest),
            _ => return None,
        };
        let bits = match rest {
            "8" => 8,
            "16" => 16,
            "32" => 32,
            "64" | "size" => 64,
            _ => return None,
        };
        Some(Self { signed, bits, size: rest == "size" })
    }

    pub(super) fn name(self) -> String {
        let sign = if self.signed { 'i' } else { 'u' };
        if self.size { format!("{sign}size") } else { format!("{sign}{}", self.bits) }
    }

    pub(super) fn low(self) -> i128 {
        if self.signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    pub(super) fn high(self) -> i128 {
        if self.signed { (1 << (self.bits - 1)) - 1 } else { (1 << self.bits) - 1 }
    }
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ty {
    Unit,
    Never,
    Bool,
    Char,
    Str,
    Int(Int),
    Float,
    /// `Vec`, a slice.
    List(Box<Ty>),
    /// An array, which is copied where a list is moved.
    Array(Box<Ty>),
    Tuple(Vec<Ty>),
    Option(Box<Ty>),
    Result(Box<Ty>, Box<Ty>),
    Iter(Box<Ty>),
    /// A range of integers that has not been iterated over.
    Range(Box<Ty>),
    Map(Box<Ty>, Box<Ty>),
    Set(Box<Ty>),
    /// A struct or enum of the crate.
    Own(ItemPath),
    /// `std::cmp::Ordering`: -1, 0 or 1.
    Ordering,
    /// A callable.
    Call(Vec<Ty>, Box<Ty>),
    /// A type parameter of which nothing is known but that it can be compared and copied.
    Param(String),
    /// A type parameter that stands for text or bytes.
    AsBytes,
    /// What `Display::fmt` writes to.
    Formatter,
    /// `&mut T`
    Mut(Box<Ty>),
    Var(usize),
    /// A literal without suffix: an integer type that is not known yet.
    IntVar(usize),
}

impl Ty {
    pub(super) fn list(element: Self) -> Self {
        Self::List(Box::new(element))
    }

    pub(super) fn option(inner: Self) -> Self {
        Self::Option(Box::new(inner))
    }

    pub(super) fn iter(inner: Self) -> Self {
        Self::Iter(Box::new(inner))
    }

    pub(super) fn usize() -> Self {
        Self::Int(Int::USIZE)
    }

    pub(super) fn bytes() -> Self {
        Self::list(Self::Int(Int::U8))
    }
}

/// What is known of type variables.
#[derive(Debug, Default)]
pub(super) struct Types {
    known: Vec<Option<Ty>>,
}

impl Types {
    pub(super) fn fresh(&mut self) -> Ty {
        self.known.push(None);
        Ty::Var(self.known.len() - 1)
    }

    pub(super) fn fresh_int(&mut self) -> Ty {
        self.known.push(None);
        Ty::IntVar(self.known.len() - 1)
    }

    /// The type without the variable around it, where that is known.
    pub(super) fn head(&self, ty: &Ty) -> Ty {
        let mut ty = ty.clone();
        loop {
            let (Ty::Var(at) | Ty::IntVar(at)) = ty else { return ty };
            match self.known.get(at).and_then(Option::as_ref) {
                Some(known) => ty = known.clone(),
                None => return ty,
            }
        }
    }

    /// The head without `&mut` around it.
    pub(super) fn bare(&self, ty: &Ty) -> Ty {
        match self.head(ty) {
            Ty::Mut(inner) => self.bare(&inner),
            other => other,
        }
    }

    /// The whole type; an integer that nothing tells more of is an `i32`, as Rust has it.
    pub(super) fn full(&self, ty: &Ty) -> Ty {
        let boxed = |ty: &Ty| Box::new(self.full(ty));
        match self.head(ty) {
            Ty::IntVar(_) => Ty::Int(Int::I32),
            Ty::List(of) => Ty::List(boxed(&of)),
            Ty::Array(of) => Ty::Array(boxed(&of)),
            Ty::Tuple(parts) => Ty::Tuple(parts.iter().map(|part| self.full(part)).collect()),
            Ty::Option(of) => Ty::Option(boxed(&of)),
            Ty::Result(of, error) => Ty::Result(boxed(&of), boxed(&error)),
            Ty::Iter(of) => Ty::Iter(boxed(&of)),
            Ty::Range(of) => Ty::Range(boxed(&of)),
            Ty::Map(key, value) => Ty::Map(boxed(&key), boxed(&value)),
            Ty::Set(of) => Ty::Set(boxed(&of)),
            Ty::Mut(of) => Ty::Mut(boxed(&of)),
            other => other,
        }
    }

    /// Makes two types one.
    pub(super) fn unify(&mut self, one: &Ty, other: &Ty) -> Made<()> {
        let (one, other) = (self.head(one), self.head(other));
        match (&one, &other) {
            (Ty::Never, _) | (_, Ty::Never) => Ok(()),
            (Ty::Var(a), Ty::Var(b)) if a == b => Ok(()),
            (Ty::IntVar(a), Ty::IntVar(b)) if a == b => Ok(()),
            (Ty::Var(at), _) => self.bind(*at, other),
            (_, Ty::Var(at)) => self.bind(*at, one),
            (Ty::IntVar(at), Ty::Int(_) | Ty::IntVar(_)) => self.bind(*at, other),
            (Ty::Int(_), Ty::IntVar(at)) => self.bind(*at, one),
            (Ty::Mut(inner), _) => self.unify(inner, &other),
            (_, Ty::Mut(inner)) => self.unify(&one, inner),
            (Ty::List(a) | Ty::Array(a), Ty::List(b) | Ty::Array(b))
            | (Ty::Option(a), Ty::Option(b))
            | (Ty::Iter(a), Ty::Iter(b))
            | (Ty::Range(a), Ty::Range(b))
            | (Ty::Set(a), Ty::Set(b)) => self.unify(a, b),
            (Ty::Result(a, e), Ty::Result(b, f)) | (Ty::Map(a, e), Ty::Map(b, f)) => {
                self.unify(a, b)?;
                self.unify(e, f)
            }
            (Ty::Tuple(a), Ty::Tuple(b)) if a.len() == b.len() => {
                a.iter().zip(b).try_for_each(|(a, b)| self.unify(a, b))
            }
            (Ty::Call(a, r), Ty::Call(b, s)) if a.len() == b.len() => {
                a.iter().zip(b).try_for_each(|(a, b)| self.unify(a, b))?;
                self.unify(r, s)
            }
            _ if one == other => Ok(()),
            _ => refuse(Reason::Type, format!("{} where {} is expected", told(&one), told(&other))),
        }
    }

    fn bind(&mut self, at: usize, ty: Ty) -> Made<()> {
        if self.holds(at, &ty) {
            return refuse(Reason::Type, "a type that holds itself");
        }
        if let Some(known) = self.known.get_mut(at) {
            *known = Some(ty);
        }
        Ok(())
    }

    fn holds(&self, at: usize, ty: &Ty) -> bool {
        match self.head(ty) {
            Ty::Var(other) | Ty::IntVar(other) => other == at,
            Ty::List(of)
            | Ty::Array(of)
            | Ty::Option(of)
            | Ty::Iter(of)
            | Ty::Range(of)
            | Ty::Set(of)
            | Ty::Mut(of) => self.holds(at, &of),
            Ty::Result(a, b) | Ty::Map(a, b) => self.holds(at, &a) || self.holds(at, &b),
            Ty::Tuple(parts) => parts.iter().any(|part| self.holds(at, part)),
            Ty::Call(parts, result) => {
                parts.iter().any(|part| self.holds(at, part)) || self.holds(at, &result)
            }
            Ty::Unit
            | Ty::Never
            | Ty::Bool
            | Ty::Char
            | Ty::Str
            | Ty::Int(_)
            | Ty::Float
            | Ty::Own(_)
            | Ty::Ordering
            | Ty::Param(_)
            | Ty::AsBytes
            | Ty::Formatter => false,
        }
    }
}

/// A type in words.
pub(super) fn told(ty: &Ty) -> String {
    match ty {
        Ty::Unit => "`()`".to_owned(),
        Ty::Int(int) => format!("`{}`", int.name()),
        Ty::Own(path) => format!("`{}`", path.name()),
        Ty::Str => "text".to_owned(),
        Ty::Char => "`char`".to_owned(),
        Ty::Bool => "`bool`".to_owned(),
        Ty::Float => "`f64`".to_owned(),
        Ty::Never => "`!`".to_owned(),
        Ty::List(_) | Ty::Array(_) => "a list".to_owned(),
        Ty::Tuple(_) => "a tuple".to_owned(),
        Ty::Option(_) => "an option".to_owned(),
        Ty::Result(..) => "a result".to_owned(),
        Ty::Iter(_) => "an iterator".to_owned(),
        Ty::Range(_) => "a range".to_owned(),
        Ty::Map(..) => "a map".to_owned(),
        Ty::Set(_) => "a set".to_owned(),
        Ty::Ordering => "an ordering".to_owned(),
        Ty::Call(..) => "a closure".to_owned(),
        Ty::Param(name) => format!("`{name}`"),
        Ty::AsBytes => "what is turned into bytes".to_owned(),
        Ty::Formatter => "a formatter".to_owned(),
        Ty::Mut(of) => format!("a mutable reference to {}", told(of)),
        Ty::Var(_) => "an unknown type".to_owned(),
        Ty::IntVar(_) => "an integer".to_owned(),
    }
}
