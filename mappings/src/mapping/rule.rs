//! One `[[map]]` rule, checked: its pattern, and what it says about the items that match.

use upstream::snapshot::Item;

use super::config::{MapRule, Strategy};
use super::error::{MappingError, PlaceError};
use super::pattern::Pattern;
use super::placement::{Ground, Placement};
use super::template::Template;
use crate::convention::{PortNames, is_identifier};
use crate::decision::{Day, day};
use crate::symbol::SymbolPath;

/// How long a symbol's or a file's path may be, in bytes.
const PLACE_BYTES_MAX: usize = 1_000;

/// A checked rule.
#[derive(Debug, Clone)]
pub(super) struct CheckedRule {
    number: usize,
    pub(super) pattern: Pattern,
    pub(super) action: Action,
    /// Whether its items are reached from outside, exported or not.
    pub(super) surface: bool,
    /// The day from which it holds no longer.
    pub(super) until: Option<Day>,
}

/// What a rule says.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// The symbol follows the item.
    Translate(Templates),
    /// The items were merged into one symbol.
    Merged { symbol: SymbolPath, file: String },
    /// The port calls the Rust code.
    Bind { reason: String },
    /// A person ports it.
    Manual { reason: String },
    /// The port does not have it.
    Ignore { reason: String },
    /// The port does not have it yet: what changes is kept for the day on which the rule ends.
    IgnoreUntil { reason: String },
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
        let until = until_of(&rule, &name)?;
        let surface = rule.surface;
        if surface && rule.strategy != Strategy::Translate {
            return Err(wrong(&name, "surface", "only what is translated gets a symbol; take it out"));
        }
        let action = match (rule.strategy, until) {
            (Strategy::Translate, _) => translate(rule, name)?,
            (Strategy::Bind, _) => Action::Bind { reason: reason_of(rule, name, "bind")? },
            (Strategy::Manual, _) => Action::Manual { reason: reason_of(rule, name, "manual")? },
            (Strategy::Ignore, None) => Action::Ignore { reason: reason_of(rule, name, "ignore")? },
            (Strategy::Ignore, Some(until)) => {
                let reason = reason_of(rule, name, "ignore")?;
                Action::IgnoreUntil { reason: format!("{reason}, until {until}") }
            }
        };
        Ok(Self { number, pattern, action, surface, until })
    }

    /// Whether it holds on a day, where one is known.
    pub(super) fn holds(&self, today: Option<Day>) -> bool {
        self.until.zip(today).is_none_or(|(until, today)| until > today)
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
        Ok(Placement::Mapped { symbol: path, file, split: Vec::new(), merged: false, rule: ground })
    }
}

fn translate(rule: MapRule, name: String) -> Result<Action, MappingError> {
    let missing = |key| MappingError::Missing { rule: name.clone(), strategy: "translate", key };
    if rule.owner.is_some() {
        return Err(wrong(
            &name,
            "owner",
            "a rule that says `translate` needs nobody to answer for it; take it out",
        ));
    }
    if let Some(merged) = rule.merged_into {
        if rule.symbol.is_some() {
            let reason = "`symbol` is given too; keep the one that is meant";
            return Err(wrong(&name, "merged-into", reason));
        }
        let file = rule.file.ok_or_else(|| missing("file"))?;
        let symbol = checked_symbol(&merged).map_err(|reason| {
            wrong(&name, "merged-into", &format!("{reason}; write one symbol's path, without signs"))
        })?;
        checked_file(&file).map_err(|reason| wrong(&name, "file", &reason))?;
        return Ok(Action::Merged { symbol, file });
    }
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
    for (key, value) in [("symbol", &rule.symbol), ("file", &rule.file), ("merged-into", &rule.merged_into)] {
        if value.is_some() {
            return Err(MappingError::Superfluous { rule: name, strategy, key });
        }
    }
    let owner = owner_of(&rule, &name)?;
    let given = rule.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let Some(reason) = given else {
        return Err(MappingError::Missing { rule: name, strategy, key: "reason" });
    };
    Ok(owner.map_or(reason.clone(), |owner| format!("{reason} ({owner})")))
}

fn owner_of(rule: &MapRule, name: &str) -> Result<Option<String>, MappingError> {
    let owner = rule.owner.as_deref().map(str::trim);
    match owner {
        Some("") => Err(wrong(name, "owner", "it is empty; write a name, or take it out")),
        Some(owner) if owner.chars().any(char::is_control) => {
            Err(wrong(name, "owner", "it must be one line"))
        }
        Some(owner) => Ok(Some(owner.to_owned())),
        None => Ok(None),
    }
}

/// The day on which the rule ends. Only what is ignored can end: it is then planned by the next rule.
fn until_of(rule: &MapRule, name: &str) -> Result<Option<Day>, MappingError> {
    let Some(until) = &rule.until else { return Ok(None) };
    match rule.strategy {
        Strategy::Ignore => {}
        Strategy::Translate | Strategy::Bind | Strategy::Manual => {
            return Err(wrong(name, "until", "only what is ignored can end on a day; take it out"));
        }
    }
    if rule.owner.is_none() {
        return Err(wrong(name, "until", "somebody must answer for what ends; write `owner` too"));
    }
    let help = "write a day as `2027-03-01`: from that day on the rule holds no longer";
    day(until).map(Some).map_err(|reason| wrong(name, "until", &format!("{reason}; {help}")))
}

fn wrong(rule: &str, key: &'static str, reason: &str) -> MappingError {
    MappingError::Value { rule: rule.to_owned(), key, reason: reason.to_owned() }
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
