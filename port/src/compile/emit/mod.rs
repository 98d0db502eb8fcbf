//! Typed expressions to Python text.

mod arithmetic;
mod conditions;
mod expressions;
mod facts;
mod iteration;
mod matches;
mod statements;

use std::collections::{BTreeMap, BTreeSet};

use mappings::SymbolPath;

pub(super) use expressions::is_bytes;

use super::ir::{Binds, Local, Node};
use super::lower::Lower;
use super::refusal::{Made, Reason, refuse};
use super::ty::Ty;

/// A piece of Python.
#[derive(Debug, Clone)]
pub(super) struct Py {
    pub(super) text: String,
    pub(super) binds: Binds,
}

impl Py {
    fn atom(text: impl Into<String>) -> Self {
        Self { text: text.into(), binds: Binds::Atom }
    }

    fn new(text: impl Into<String>, binds: Binds) -> Self {
        Self { text: text.into(), binds }
    }

    /// The text, in parentheses where it binds more weakly than this.
    fn at(&self, least: Binds) -> String {
        if self.binds >= least { self.text.clone() } else { format!("({})", self.text) }
    }

    /// Whether it is a name or a literal, which can be written twice.
    fn is_simple(&self) -> bool {
        let is_name = self.text.chars().all(|letter| letter == '_' || letter.is_alphanumeric());
        let is_literal = self.text.starts_with('"') && self.binds == Binds::Atom && !self.text.contains('.');
        is_name || is_literal
    }
}

/// Where a value goes.
#[derive(Debug, Clone)]
pub(super) enum Goes {
    Back,
    To(String),
    Nowhere,
}

/// How the function ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// It returns a value.
    Function,
    /// It returns nothing.
    Procedure,
    /// `__str__`: what is written is gathered and returned.
    Text,
    /// `__init__`: the fields are set.
    Init,
}

/// What a body needs beside itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Needs {
    /// Helper functions.
    pub(super) helpers: BTreeSet<&'static str>,
    /// Names of the runtime module.
    pub(super) runtime: BTreeSet<String>,
    /// Modules of the standard library.
    pub(super) modules: BTreeSet<&'static str>,
    /// Symbols of other files, by their module.
    pub(super) imports: BTreeMap<String, BTreeSet<String>>,
}

/// Writes one function.
#[derive(Debug)]
pub(super) struct Emit<'a, 'b> {
    pub(super) lower: &'a Lower<'b>,
    pub(super) file: &'a str,
    pub(super) shape: Shape,
    pub(super) needs: Needs,
    /// Imports that would lead in a circle at the top of the file.
    pub(super) late: BTreeMap<String, BTreeSet<String>>,
    lines: Vec<String>,
    depth: usize,
    names: BTreeMap<Local, String>,
    facts: BTreeMap<Local, (i128, i128)>,
    temporaries: BTreeSet<String>,
    /// How many comprehensions, lambdas or branches of expressions are around.
    lazy: usize,
}

impl<'a, 'b> Emit<'a, 'b> {
    pub(super) fn new(lower: &'a Lower<'b>, file: &'a str, shape: Shape) -> Self {
        Self {
            lower,
            file,
            shape,
            needs: Needs::default(),
            late: BTreeMap::new(),
            lines: Vec::new(),
            depth: 0,
            names: BTreeMap::new(),
            facts: BTreeMap::new(),
            temporaries: BTreeSet::new(),
            lazy: 0,
        }
    }

    /// The lines of a body, each indented by this many levels at least.
    pub(super) fn body(mut self, body: &Node, depth: usize) -> Made<(Vec<String>, Needs)> {
        self.depth = depth;
        self.learn(body);
        if self.shape == Shape::Text {
            self.line("text = \"\"");
            self.temporaries.insert("text".to_owned());
        }
        let goes = match self.shape {
            Shape::Function => Goes::Back,
            Shape::Init => Goes::Back,
            Shape::Procedure | Shape::Text => Goes::Nowhere,
        };
        self.put(body, &goes)?;
        if self.shape == Shape::Text {
            self.line("return text");
        }
        if self.lines.is_empty() {
            self.line("pass");
        }
        let indent = "    ".repeat(depth);
        let late = self.late.iter().map(|(module, names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{indent}from {module} import {}", names.join(", "))
        });
        let lines: Vec<String> = late.chain(self.lines).collect();
        Ok((lines, self.needs))
    }

    fn line(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        let indent = "    ".repeat(self.depth);
        self.lines.push(format!("{indent}{text}"));
    }

    /// Lines one level deeper; `pass` where there are none.
    fn indented(&mut self, inside: impl FnOnce(&mut Self) -> Made<()>) -> Made<()> {
        self.depth += 1;
        let before = self.lines.len();
        let made = inside(self);
        if self.lines.len() == before {
            self.line("pass");
        }
        self.depth -= 1;
        made
    }

    fn ty(&self, node: &Node) -> Ty {
        match self.lower.types.full(&node.ty) {
            Ty::Mut(of) => *of,
            other => other,
        }
    }

    fn name(&self, local: Local) -> String {
        let own = || self.lower.locals.get(local).map(|binding| binding.name.clone()).unwrap_or_default();
        self.names.get(&local).cloned().unwrap_or_else(own)
    }

    /// A name that nothing else has.
    fn temporary(&mut self, wish: &str) -> String {
        let taken = |name: &str, emit: &Self| {
            emit.temporaries.contains(name)
                || emit.lower.locals.iter().any(|binding| binding.name == name)
                || emit.lower.program.names().any(|known| known == name)
        };
        let mut name = wish.to_owned();
        let mut number = 2;
        while taken(&name, self) {
            name = format!("{wish}_{number}");
            number += 1;
        }
        self.temporaries.insert(name.clone());
        name
    }

    /// A symbol of the port under the name that it has here.
    fn symbol(&mut self, symbol: &SymbolPath, file: &str) -> Made<String> {
        let name = symbol.name().to_owned();
        if file == self.file {
            return Ok(name);
        }
        let Some(module) = symbol.parent() else {
            return refuse(Reason::Name, format!("`{symbol}` stands in no module"));
        };
        let clashes = self.lower.program.names_in(self.file).any(|own| own.name() == name && own != symbol);
        if clashes {
            return refuse(Reason::Name, format!("two symbols named `{name}` in one file"));
        }
        let circular = self.lower.program.leads_to(file, self.file);
        let into = if circular { &mut self.late } else { &mut self.needs.imports };
        into.entry(module.to_string()).or_default().insert(name.clone());
        Ok(name)
    }
}
