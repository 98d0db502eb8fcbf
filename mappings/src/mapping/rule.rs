//! One `[[map]]` rule, checked: its pattern, and what it says about the items that match.

use upstream::snapshot::Item;

use super::config::{MapRule, Strategy};
use super::error::{MappingError, PlaceError};
use super::pattern::Pattern;
use super::placement::{Ground, Placement};
use super::template::Template;
use crate::convention::{PortNames, is_identifier};
use crate::symbol::SymbolPath;

/// How long a symbol's or a file's path may be, in bytes.
const PLACE_BYTES_MAX: usize = 1_000;

/// A checked rule.
#[derive(Debug, Clone)]
pub(super) struct CheckedRule {
    number: usize,
    pub(super) pattern: Pattern,
    pub(super) action: Action,
}

/// What a rule says.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// The symbol follows the item.
    Translate(Templates),
    /// The port calls the Rust code.
    Bind { reason: String },
    /// A person ports it.
    Manual { reason: String },
    /// The port does not have it.
    Ignore { reason: String },
}

/// Where a symbol is to be.
#[derive(Debug, Clone)]
pub(super) struct Templates {
    pub(super) symbol: Template,
    file: Template,
}

impl CheckedRule {
    pub(super) fn new(rule: MapRule, number: usize) -> Result<Self, MappingError> {
        let pattern = Pattern::over_items(&rule.items).map_err(|reason| MappingError::Pattern {
            rule: format!("[[map]] {number}"),
            pattern: rule.items.clone(),
            reason,
        })?;
        let name = format!("[[map]] {number} (`{}`)", rule.items);
        let action = match rule.strategy {
            Strategy::Translate => translate(rule, name)?,
            Strategy::Bind => Action::Bind { reason: reason_of(rule, name, "bind")? },
            Strategy::Manual => Action::Manual { reason: reason_of(rule, name, "manual")? },
            Strategy::Ignore => Action::Ignore { reason: reason_of(rule, name, "ignore")? },
        };
        Ok(Self { number, pattern, action })
    }

    pub(super) fn ground(&self) -> Ground {
        Ground::Map { number: self.number, items: self.pattern.text().to_owned() }
    }
}

impl Templates {
    /// Checks both; an error names the template that is broken.
    pub(super) fn parse(symbol: &str, file: &str) -> Result<Self, (String, String)> {
        let parse = |text: &str| Template::parse(text).map_err(|reason| (text.to_owned(), reason));
        Ok(Self { symbol: parse(symbol)?, file: parse(file)? })
    }

    /// The place of an item with these names. What comes out is checked: names come from upstream text.
    pub(super) fn fill(
        &self,
        names: &PortNames,
        item: &Item,
        ground: Ground,
    ) -> Result<Placement, PlaceError> {
        let invalid = |place: String, reason: String| PlaceError::Invalid {
            item: item.path.clone(),
            ground: ground.clone(),
            place,
            reason,
        };
        let symbol = self.symbol.symbol(names).map_err(|reason| invalid(String::new(), reason))?;
        let file = self.file.file(names).map_err(|reason| invalid(symbol.clone(), reason))?;
        let path = checked_symbol(&symbol).map_err(|reason| invalid(symbol, reason))?;
        checked_file(&file).map_err(|reason| invalid(file.clone(), reason))?;
        Ok(Placement::Mapped { symbol: path, file, rule: ground })
    }
}

fn translate(rule: MapRule, name: String) -> Result<Action, MappingError> {
    let missing = |key| MappingError::Missing { rule: name.clone(), strategy: "translate", key };
    let symbol = rule.symbol.ok_or_else(|| missing("symbol"))?;
    let file = rule.file.ok_or_else(|| missing("file"))?;
    let templates = Templates::parse(&symbol, &file);
    Ok(Action::Translate(templates.map_err(|(template, reason)| MappingError::Template {
        rule: name,
        template,
        reason,
    })?))
}

fn reason_of(rule: MapRule, name: String, strategy: &'static str) -> Result<String, MappingError> {
    for (key, value) in [("symbol", &rule.symbol), ("file", &rule.file)] {
        if value.is_some() {
            return Err(MappingError::Superfluous { rule: name, strategy, key });
        }
    }
    rule.reason.filter(|reason| !reason.trim().is_empty()).ok_or(MappingError::Missing {
        rule: name,
        strategy,
        key: "reason",
    })
}

/// Takes a text as a symbol's path if every segment of it is a name.
pub(super) fn checked_symbol(text: &str) -> Result<SymbolPath, String> {
    if text.len() > PLACE_BYTES_MAX {
        return Err(format!("a symbol's path is at most {PLACE_BYTES_MAX} bytes long"));
    }
    match text.split('.').find(|segment| !is_identifier(segment)) {
        Some(segment) => Err(format!("`{segment}` in `{text}` is not a name")),
        None => SymbolPath::new(text).map_err(|error| error.to_string()),
    }
}

/// Refuses what is not a plain path below the port's root.
pub(super) fn checked_file(text: &str) -> Result<(), String> {
    let refused = |reason: &str| Err(format!("the file `{text}` {reason}"));
    if text.len() > PLACE_BYTES_MAX {
        return Err(format!("a file's path is at most {PLACE_BYTES_MAX} bytes long"));
    }
    if text.chars().any(|letter| letter.is_control() || letter == '\\' || letter == ':') {
        return refused("holds a sign that paths of the port cannot have");
    }
    if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refused("must be a plain path from the port's root, with `/` and without `..`");
    }
    if text.split('/').any(|part| part.eq_ignore_ascii_case(".git")) {
        return refused("is inside git's own folder");
    }
    Ok(())
}
