//! Rust items to Python, without a model: a subset that is translated soundly, and refusals for all else.
//!
//! Main function: [`compile`]. An item is read by `syn`, `lower` makes typed expressions of it and refuses what it
//! does not fully understand, `emit` writes these as Python. What is written passes the same gate as any other
//! translation. `docs/rules.md` tells what is taken.

#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::single_match_else,
    reason = "what is not named is refused: of syn's expressions and of our own only those that are understood are"
)]
#![expect(clippy::unused_self, reason = "steps of one translation, whether they look at its state or not")]

mod class;
mod emit;
mod function;
mod helpers;
mod ir;
mod lower;
mod program;
mod refusal;
mod ty;
mod whole;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;

use mappings::SymbolPath;
use upstream::{ItemKind, ItemPath};

pub use program::{Program, Surroundings, bare_crate};
pub use refusal::{Reason, Refusal};
pub use whole::{Whole, whole};

use self::emit::Needs;
use self::refusal::refuse;
use crate::runtime::Importable;

/// A symbol beside the item's own: a helper, a class for a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its path.
    pub symbol: SymbolPath,
    /// Its text.
    pub text: String,
}

/// An item in Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The symbol's text.
    pub text: String,
    /// Further symbols of the same file.
    pub beside: Vec<Piece>,
    /// Helpers that the file has to have, in the order in which they can be defined.
    pub helpers: Vec<Piece>,
    /// Import statements.
    pub imports: Vec<String>,
    /// Items of the crate that the text calls or makes: their symbols have to be there.
    pub uses: BTreeSet<ItemPath>,
    needs: Needs,
}

impl Compiled {
    fn one(text: String, needs: Needs) -> Self {
        let (beside, helpers, imports) = (Vec::new(), Vec::new(), Vec::new());
        Self { text, beside, helpers, imports, uses: BTreeSet::new(), needs }
    }

    fn using(mut self, uses: BTreeSet<ItemPath>) -> Self {
        self.uses = uses;
        self
    }

    /// Turns what the text needs into helpers and imports.
    fn finished(mut self, file_module: Option<&SymbolPath>, runtime: Option<&Importable>) -> Self {
        let (names, math) = helpers::needed(self.needs.helpers.iter().copied());
        if math {
            self.needs.modules.insert("math");
        }
        for module in &self.needs.modules {
            self.imports.push(format!("import {module}"));
        }
        for (module, names) in &self.needs.imports {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.imports.push(format!("from {module} import {}", names.join(", ")));
        }
        if let Some(runtime) = runtime.filter(|_| !self.needs.runtime.is_empty()) {
            let names: Vec<&str> = self.needs.runtime.iter().map(String::as_str).collect();
            self.imports.push(format!("from {} import {}", runtime.module, names.join(", ")));
        }
        for name in names {
            let path = match file_module {
                Some(module) => SymbolPath::new(format!("{module}.{name}")),
                None => SymbolPath::new(name),
            };
            if let (Ok(symbol), Some(text)) = (path, helpers::text(name)) {
                self.helpers.push(Piece { symbol, text: text.to_owned() });
            }
        }
        self
    }
}

/// The classes that stand for the variants of an error; none where the item is something else. A port that was not
/// written by [`compile`] may call them otherwise.
pub fn error_variants(program: &Program, path: &ItemPath) -> Result<Vec<SymbolPath>, Refusal> {
    program.get(path).map_or_else(|| Ok(Vec::new()), |placed| class::error_variants(program, placed))
}

/// Translates an item of a program. `module` is the path of the module that the symbol's file is.
pub fn compile(program: &Program, path: &ItemPath, module: Option<&SymbolPath>) -> Result<Compiled, Refusal> {
    let Some(placed) = program.get(path) else {
        return refuse(Reason::Unlinked, format!("`{path}` has no place in the port"));
    };
    let made = match placed.item.kind {
        ItemKind::Function | ItemKind::Method => function::function(program, placed),
        ItemKind::Struct => class::struct_class(program, placed),
        ItemKind::Enum => class::enum_class(program, placed),
        ItemKind::Const | ItemKind::Static => class::constant(program, placed),
        ItemKind::Union => refuse(Reason::Kind, "a union"),
        ItemKind::Trait => refuse(Reason::Kind, "a trait"),
        ItemKind::TypeAlias => refuse(Reason::Kind, "a type alias"),
        ItemKind::Impl | ItemKind::Macro | ItemKind::Module => refuse(Reason::Kind, "no symbol of its own"),
    };
    let made = made?.finished(module, program.runtime());
    let imported = &made.needs.runtime;
    if let Some(symbol) = program.names_in(&placed.file).find(|symbol| imported.contains(symbol.name())) {
        return refuse(
            Reason::Name,
            format!("`{}` is in the runtime module, and in the file as well", symbol.name()),
        );
    }
    // A function of the upstream may have the name of one of Python's, and hide it from the whole file.
    let hidden: Vec<&str> =
        program.names_in(&placed.file).map(SymbolPath::name).filter(|name| lower::is_taken(name)).collect();
    match hidden.iter().find(|name| !made.helpers.is_empty() || calls(&made.text, name)) {
        Some(name) => refuse(Reason::Name, format!("`{name}` is Python's own, and the file has one as well")),
        None => Ok(made),
    }
}

/// Whether a text calls a function of this name.
fn calls(text: &str, name: &str) -> bool {
    let is_name = |letter: char| letter == '_' || letter == '.' || letter.is_alphanumeric();
    let definition = format!("def {name}(");
    text.replace(&definition, "").match_indices(&format!("{name}(")).any(|(at, _)| {
        !text.replace(&definition, "").get(..at).is_some_and(|before| before.ends_with(is_name))
    })
}
