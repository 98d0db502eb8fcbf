//! What the port has beyond the upstream, and by what it is known: its path, its file, its decorator.

use serde::Serialize;

use super::config::ExtensionRule;
use super::error::MappingError;
use super::pattern::Pattern;
use super::placement::Ground;
use crate::symbol::{Symbol, SymbolPath, SymbolTable};

/// A checked `[[extension]]`.
#[derive(Debug, Clone)]
pub(super) struct CheckedExtension {
    number: usize,
    symbol: Option<Pattern>,
    path: Option<Pattern>,
    decorator: Option<String>,
    flag: Option<String>,
    reason: Option<String>,
}

/// An `[[extension]]` with the symbols that it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeclaredExtension {
    /// Which one it is in the configuration, from 1.
    pub number: usize,
    /// What it says, such as `strsim.extra.**`, `extras/**` or `@extension`.
    pub declared: String,
    /// The variable that switches it on or off.
    pub flag: Option<String>,
    /// What it is for.
    pub reason: Option<String>,
    /// Its symbols, sorted; none where the port has nothing of the kind.
    pub symbols: Vec<SymbolPath>,
}

impl CheckedExtension {
    pub(super) fn new(rule: &ExtensionRule, number: usize) -> Result<Self, MappingError> {
        let name = format!("[[extension]] {number}");
        let pattern = |text: &Option<String>, parse: fn(&str) -> Result<Pattern, String>| {
            let parsed = text.as_deref().map(|text| {
                parse(text).map_err(|reason| MappingError::Pattern {
                    rule: name.clone(),
                    pattern: text.to_owned(),
                    reason,
                })
            });
            parsed.transpose()
        };
        let checked = Self {
            number,
            symbol: pattern(&rule.symbol, Pattern::over_symbols)?,
            path: pattern(&rule.path, Pattern::over_files)?,
            decorator: rule.decorator.as_deref().map(|text| decorator(text, &name)).transpose()?,
            flag: rule.flag.as_deref().map(|text| flag(text, &name)).transpose()?,
            reason: rule.reason.clone(),
        };
        if checked.symbol.is_none() && checked.path.is_none() && checked.decorator.is_none() {
            return Err(MappingError::EmptyExtension { rule: name });
        }
        Ok(checked)
    }

    pub(super) fn ground(&self) -> Ground {
        Ground::Extension { number: self.number, symbol: self.declared() }
    }

    pub(super) fn flag(&self) -> Option<&str> {
        self.flag.as_deref()
    }

    /// What it says, in a line.
    fn declared(&self) -> String {
        let patterns = [&self.symbol, &self.path].into_iter().flatten().map(|one| one.text().to_owned());
        let decorator = self.decorator.iter().map(|name| format!("@{name}"));
        patterns.chain(decorator).collect::<Vec<_>>().join(" and ")
    }

    /// Whether a place is declared, of which nothing but its path and its file is known.
    pub(super) fn covers_place(&self, symbol: &SymbolPath, file: &str) -> bool {
        self.decorator.is_none()
            && self.symbol.as_ref().is_none_or(|pattern| pattern.matches_symbol(symbol))
            && self.path.as_ref().is_none_or(|pattern| pattern.matches_file(file))
    }

    /// Whether a symbol of the port is declared. Of a symbol that is not there its path alone is known.
    pub(super) fn covers(&self, symbols: &SymbolTable, path: &SymbolPath) -> bool {
        let by_path = self.symbol.as_ref().is_none_or(|pattern| pattern.matches_symbol(path));
        let Some(symbol) = symbols.get(path) else {
            return by_path && self.path.is_none() && self.decorator.is_none();
        };
        by_path
            && self.path.as_ref().is_none_or(|pattern| pattern.matches_file(&symbol.file))
            && self.decorator.as_ref().is_none_or(|name| is_decorated(symbols, symbol, name))
    }

    /// With the symbols of a port.
    pub(super) fn told(&self, symbols: &SymbolTable) -> DeclaredExtension {
        DeclaredExtension {
            number: self.number,
            declared: self.declared(),
            flag: self.flag.clone(),
            reason: self.reason.clone(),
            symbols: symbols.symbols.keys().filter(|path| self.covers(symbols, path)).cloned().collect(),
        }
    }
}

impl std::fmt::Display for DeclaredExtension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[[extension]] {} ({}", self.number, self.declared)?;
        match &self.flag {
            Some(flag) => write!(f, ", flag {flag})"),
            None => f.write_str(")"),
        }
    }
}

/// Whether the symbol, or a class around it, has the decorator, under its full name or the end of it.
fn is_decorated(symbols: &SymbolTable, symbol: &Symbol, name: &str) -> bool {
    let has = |symbol: &Symbol| {
        let is_it = |found: &String| found == name || found.ends_with(&format!(".{name}"));
        symbol.decorators.iter().any(is_it)
    };
    let mut at = Some(symbol.clone());
    // Each step goes to a shorter path.
    while let Some(one) = at {
        if has(&one) {
            return true;
        }
        at = one.path.parent().and_then(|parent| symbols.get(&parent)).cloned();
    }
    false
}

fn decorator(text: &str, rule: &str) -> Result<String, MappingError> {
    let is_name = |text: &str| text.split('.').all(crate::convention::is_identifier);
    if is_name(text) {
        return Ok(text.to_owned());
    }
    let reason = format!("`{text}` is not a decorator's name; write it without `@` and arguments");
    Err(MappingError::Value { rule: rule.to_owned(), key: "decorator", reason })
}

fn flag(text: &str, rule: &str) -> Result<String, MappingError> {
    let is_sign = |sign: char| sign == '_' || sign.is_ascii_alphanumeric();
    if !text.is_empty()
        && text.chars().all(is_sign)
        && !text.starts_with(|first: char| first.is_ascii_digit())
    {
        return Ok(text.to_owned());
    }
    let reason = format!("`{text}` is not the name of a variable");
    Err(MappingError::Value { rule: rule.to_owned(), key: "flag", reason })
}
