//! Rust syntax to typed expressions.

mod adapters;
mod bytes_and_lists;
mod calls;
mod chars;
mod expressions;
mod formats;
mod items;
mod macros;
mod numbers;
mod patterns;
mod runtime;
mod statements;
mod texts;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use upstream::ItemPath;

use super::ir::{Kind, Local, Node};
use super::program::{Leads, Placed, Program};
use super::refusal::{Made, Reason, refuse};
use super::ty::{Ty, Types};

pub(super) use calls::is_immutable;
pub(super) use expressions::is_harmless;
pub(super) use items::{callable, derives, enum_of, field_name, is_error, struct_of, variant_name};
pub(super) use numbers::{holder, mask};

/// Names that generated code calls, and Python's own words: no local variable may hide them.
const TAKEN: &[&str] = &[
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "match",
    "abs",
    "all",
    "any",
    "bool",
    "bytearray",
    "bytes",
    "chr",
    "dict",
    "divmod",
    "enumerate",
    "filter",
    "float",
    "int",
    "isinstance",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "ord",
    "pow",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
    "type",
    "zip",
    "math",
    "itertools",
    "pytest",
    "unicodedata",
    "dataclass",
    "Enum",
];

/// A local variable.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// Its name in Python.
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) mutable: bool,
    /// Whether it is a `&mut` whose target is a plain value, which Python cannot change from here.
    pub(super) through: bool,
}

/// The translation of one function.
#[derive(Debug)]
pub(super) struct Lower<'a> {
    pub(super) program: &'a Program,
    /// The module in which names are looked up.
    pub(super) module: Vec<String>,
    /// What `Self` is.
    pub(super) own: Option<ItemPath>,
    pub(super) generics: BTreeMap<String, Ty>,
    pub(super) types: Types,
    pub(super) locals: Vec<Binding>,
    scopes: Vec<BTreeMap<String, Local>>,
    taken: BTreeSet<String>,
    /// What the function, or the closure at hand, returns.
    returns: Vec<Ty>,
    /// Whether this is a test, where a failed `unwrap` may raise what it likes.
    pub(super) is_test: bool,
    /// The enclosing type is built field by field in `__init__`.
    pub(super) initialises: bool,
    /// Items of the crate that the code cannot do without.
    pub(super) used: BTreeSet<ItemPath>,
    depth: usize,
}

/// Whether generated code may call a function of Python under this name.
pub(super) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

/// How deep expressions may lie in each other.
const DEPTH_MAX: usize = 200;

impl<'a> Lower<'a> {
    pub(super) fn new(
        program: &'a Program,
        module: Vec<String>,
        own: Option<ItemPath>,
        is_test: bool,
    ) -> Self {
        let mut taken: BTreeSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
        taken.extend(program.names().map(str::to_owned));
        Self {
            program,
            module,
            own,
            generics: BTreeMap::new(),
            types: Types::default(),
            locals: Vec::new(),
            scopes: vec![BTreeMap::new()],
            taken,
            returns: Vec::new(),
            is_test,
            initialises: false,
            used: BTreeSet::new(),
            depth: 0,
        }
    }

    /// A new variable under a name that nothing else in the function has, unless a scope that is over had it.
    pub(super) fn bind(&mut self, rust: &str, ty: Ty, mutable: bool) -> Local {
        let plain = rust.strip_prefix("r#").unwrap_or(rust).to_owned();
        let mut name = plain.clone();
        if self.taken.contains(&name) {
            name.push('_');
        }
        let in_use = |name: &str| {
            self.scopes
                .iter()
                .flat_map(BTreeMap::values)
                .any(|local| self.locals.get(*local).is_some_and(|binding| binding.name == name))
        };
        let mut number = 2;
        let mut free = name.clone();
        while in_use(&free) || self.taken.contains(&free) {
            free = format!("{plain}_{number}");
            number += 1;
        }
        let through = false;
        self.locals.push(Binding { name: free, ty, mutable, through });
        let local = self.locals.len() - 1;
        if let Some(scope) = self.scopes.last_mut() {
            // What is shadowed keeps its Python name taken until the scope ends.
            if let Some(hidden) = scope.insert(plain.clone(), local) {
                scope.insert(format!("{plain} hidden {hidden}"), hidden);
            }
        }
        local
    }

    /// A variable that has no name in Rust.
    pub(super) fn bind_new(&mut self, name: &str, ty: Ty) -> Local {
        self.scopes.push(BTreeMap::new());
        let local = self.bind(name, ty, false);
        let inner = self.scopes.pop().unwrap_or_default();
        if let Some(scope) = self.scopes.last_mut() {
            scope.extend(inner.into_values().map(|local| (format!(" {local}"), local)));
        }
        local
    }

    fn lookup(&self, name: &str) -> Option<Local> {
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.scopes.iter().rev().find_map(|scope| scope.get(name)).copied()
    }

    pub(super) fn scoped<Value>(&mut self, inside: impl FnOnce(&mut Self) -> Made<Value>) -> Made<Value> {
        self.scopes.push(BTreeMap::new());
        let made = inside(self);
        self.scopes.pop();
        made
    }

    pub(super) fn local(&self, local: Local) -> Node {
        let ty = self.locals.get(local).map_or(Ty::Unit, |binding| binding.ty.clone());
        Node::new(ty, Kind::Local(local))
    }

    pub(super) fn resolve(&self, path: &[String]) -> Leads {
        self.program.resolve(&self.module, path)
    }

    /// The item with its place, or why it cannot be used.
    pub(super) fn placed(&self, path: &ItemPath) -> Made<&'a Placed> {
        match self.program.get(path) {
            Some(placed) => Ok(placed),
            None => refuse(Reason::Unlinked, format!("`{path}` has no symbol in the port")),
        }
    }

    pub(super) fn symbol(&mut self, placed: &Placed, ty: Ty) -> Node {
        self.used.insert(placed.item.path.clone());
        Node::new(ty, Kind::Symbol(placed.symbol.clone(), placed.file.clone()))
    }

    pub(super) fn expect(&mut self, node: &Node, ty: &Ty) -> Made<()> {
        self.types.unify(&node.ty, ty)
    }

    pub(super) fn function_body(&mut self, block: &syn::Block, returns: &Ty) -> Made<Node> {
        self.returns.push(returns.clone());
        let body = self.block(block, Some(returns))?;
        self.returns.pop();
        self.types.unify(&body.ty, returns)?;
        Ok(body)
    }

    fn deeper<Value>(&mut self, inside: impl FnOnce(&mut Self) -> Made<Value>) -> Made<Value> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return refuse(Reason::Expression, "expressions that lie too deep in each other");
        }
        let made = inside(self);
        self.depth -= 1;
        made
    }
}

/// The names of a path without its arguments.
pub(super) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|segment| segment.ident.to_string().trim_start_matches("r#").to_owned())
        .collect()
}
