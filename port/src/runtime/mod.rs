//! The runtime module: one file of the port that says what Rust does and the port's language does not.
//!
//! It is Tidelock's own. It comes into a port with the first translation that imports from it, in the same commit, and
//! is brought up to date by a later one; nobody else writes it, and one that a person edited is left as it is. The
//! main types are [`Runtime`], where it stands, [`State`], what stands there, and [`Offer`], what may be imported.

mod offer;

use std::collections::BTreeSet;

use mappings::SymbolPath;
use serde::{Deserialize, Serialize};
use upstream::ContentHash;

use crate::language::Language;
pub use offer::offered;

/// The version of the module. What it says never changes without a new one.
pub const VERSION: u32 = 1;

/// The name of its file where nothing else is configured, without the extension.
pub const NAME: &str = "_tl_rt";

/// The module in Python, 3.10 or newer, without the lines by which it is known.
pub(crate) const PYTHON: &str = include_str!("module.py");

/// How the first line of the module begins.
const MARK: &str = "# tidelock-runtime: version ";

/// What stands between the version and the hash of the text.
const CONTENT: &str = ", content ";

/// Lines behind the first one: for people, formatters and linters.
const NOTICE: &str = "\
# Written by Tidelock for the code that it translates, and replaced by newer versions of
# itself. Do not edit it: an edited one is left as it is, and told.
# fmt: off
# ruff: noqa
";

/// The runtime module of a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    file: String,
    module: SymbolPath,
}

/// What stands where the module is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// The module as this program writes it.
    Current,
    /// One of this older version, as it was written.
    Older(u32),
    /// One of this newer version.
    Newer(u32),
    /// One that a person edited.
    Edited,
    /// Something that is not Tidelock's.
    Foreign,
}

impl Runtime {
    /// The module in this file of the port; `None` where the language has no module there.
    pub fn new(file: &str, language: &dyn Language) -> Option<Self> {
        Some(Self { file: file.to_owned(), module: language.module_path(file)? })
    }

    /// Its file, from the port's root.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Its path.
    pub fn module(&self) -> &SymbolPath {
        &self.module
    }

    /// What of it may be imported, where the file has this text.
    pub fn offer(&self, text: Option<&str>, language: &dyn Language) -> Offer {
        match State::of(text, language) {
            State::Absent | State::Current | State::Older(_) => {
                Offer::Names(self.importable(&written(language), language))
            }
            State::Newer(_) | State::Edited => {
                Offer::Names(self.importable(text.unwrap_or_default(), language))
            }
            State::Foreign => Offer::No {
                module: Some(self.module.clone()),
                why: format!("`{}` is not Tidelock's; name another file as `runtime` in `[port]`", self.file),
            },
        }
    }

    /// The public names of a text of the module.
    fn importable(&self, text: &str, language: &dyn Language) -> Importable {
        let read = language.symbols(&self.file, text);
        let own = read.symbols.iter().map(|located| &located.symbol.path);
        let public = own.filter(|path| path.parent().as_ref() == Some(&self.module));
        let names = public.map(|path| path.name().to_owned()).filter(|name| !name.starts_with('_')).collect();
        Importable { module: self.module.clone(), names }
    }

    /// The text that the file is to have once one of these texts of other files has landed; `None` where it stays as
    /// it is, because none of them imports from it, or because a person or a newer Tidelock wrote what is there.
    pub fn to_be_written(
        &self,
        before: Option<&str>,
        others: &[(&str, &str)],
        language: &dyn Language,
    ) -> Option<String> {
        match State::of(before, language) {
            State::Current | State::Newer(_) | State::Edited | State::Foreign => return None,
            State::Absent | State::Older(_) => {}
        }
        let uses = |(file, text): &(&str, &str)| {
            language.imported(file, text).iter().any(|import| import.module == self.module.as_str())
        };
        others.iter().any(uses).then(|| written(language))
    }
}

impl State {
    /// What a text of the module's file is.
    pub fn of(text: Option<&str>, language: &dyn Language) -> Self {
        let Some(text) = text else { return Self::Absent };
        let Some((version, content, rest)) = known(text) else { return Self::Foreign };
        if content != ContentHash::of(&rest).to_string() {
            return Self::Edited;
        }
        match version.cmp(&VERSION) {
            std::cmp::Ordering::Less => Self::Older(version),
            std::cmp::Ordering::Greater => Self::Newer(version),
            std::cmp::Ordering::Equal if rest == body(language) => Self::Current,
            // Whoever changes the hash with the text edits it as well.
            std::cmp::Ordering::Equal => Self::Edited,
        }
    }

    /// Whether it is Tidelock's, edited or not.
    pub fn is_own(self) -> bool {
        match self {
            Self::Current | Self::Older(_) | Self::Newer(_) | Self::Edited => true,
            Self::Absent | Self::Foreign => false,
        }
    }
}

/// Names of the runtime module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importable {
    /// The module.
    pub module: SymbolPath,
    /// Its names.
    pub names: BTreeSet<String>,
}

/// What of the runtime module a translation may import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// Nothing.
    No {
        /// The module that it would be, where that is known.
        module: Option<SymbolPath>,
        /// Why.
        why: String,
    },
    /// These names.
    Names(Importable),
}

impl Default for Offer {
    fn default() -> Self {
        Self::No { module: None, why: "this port has no runtime module".to_owned() }
    }
}

impl Offer {
    /// The module, be it one that may be imported from or not.
    pub fn module(&self) -> Option<&SymbolPath> {
        match self {
            Self::No { module, .. } => module.as_ref(),
            Self::Names(importable) => Some(&importable.module),
        }
    }

    /// What may be imported.
    pub fn importable(&self) -> Option<&Importable> {
        match self {
            Self::No { .. } => None,
            Self::Names(importable) => Some(importable),
        }
    }
}

/// Whether a text says that it is the module, of whatever version.
pub fn is_marked(text: &str) -> bool {
    known(text).is_some()
}

/// The whole file as this program writes it.
pub fn written(language: &dyn Language) -> String {
    let body = body(language);
    format!("{MARK}{VERSION}{CONTENT}{}\n{body}", ContentHash::of(&body))
}

/// What the hash is of.
fn body(language: &dyn Language) -> String {
    format!("{NOTICE}{}", language.runtime())
}

/// The version and the hash that the first line of a text names, and the text behind it, with plain line ends.
fn known(text: &str) -> Option<(u32, String, String)> {
    let text = text.replace("\r\n", "\n");
    let (first, rest) = text.split_once('\n')?;
    let (version, content) = first.strip_prefix(MARK)?.split_once(CONTENT)?;
    Some((version.parse().ok()?, content.trim().to_owned(), rest.to_owned()))
}

#[cfg(test)]
mod semantics;
#[cfg(test)]
mod tests;
