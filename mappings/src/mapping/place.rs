//! The checked mapping, and how it comes to a place for an item.

use std::collections::BTreeMap;

use upstream::ItemPath;
use upstream::snapshot::{Item, ItemKind};

use super::by_convention::CheckedConvention;
use super::config::{LinkRule, MappingConfig, SplitRule};
use super::error::{MappingError, PlaceError, RULES_MAX, SPLIT_MAX};
use super::extension::{CheckedExtension, DeclaredExtension};
use super::pattern::{Specificity, without_variant};
use super::placement::{Explanation, Ground, MatchedRule, Part, Placement};
use super::rule::{Action, CheckedRule, checked_file, checked_symbol};
use crate::convention::{self, is_bench_function, is_test_function, port_names};
use crate::decision::Day;
use crate::symbol::{SymbolPath, SymbolTable};
use crate::unit::SkipReason;

/// A checked mapping.
#[derive(Debug, Clone)]
pub struct Mapping {
    rules: Vec<CheckedRule>,
    links: BTreeMap<ItemPath, CheckedLink>,
    extensions: Vec<CheckedExtension>,
    convention: Option<CheckedConvention>,
    /// The day on which it is asked; without one every rule holds.
    today: Option<Day>,
}

#[derive(Debug, Clone)]
struct CheckedLink {
    number: usize,
    symbol: SymbolPath,
    file: String,
    split: Vec<Part>,
}

/// A rule that has ended: what it ignored is planned again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRule {
    /// The rule.
    pub rule: Ground,
    /// The day from which it holds no longer.
    pub until: Day,
}

impl Mapping {
    /// Checks a configuration.
    pub fn new(config: MappingConfig) -> Result<Self, MappingError> {
        for (table, count) in
            [("map", config.map.len()), ("link", config.link.len()), ("extension", config.extension.len())]
        {
            if count > RULES_MAX {
                return Err(MappingError::TooMany { table, count });
            }
        }
        let rules = config.map.into_iter().zip(1..).map(|(rule, number)| CheckedRule::new(rule, number));
        let extensions =
            config.extension.iter().zip(1..).map(|(rule, number)| CheckedExtension::new(rule, number));
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
            links: checked_links(config.link)?,
            extensions: extensions.collect::<Result<_, _>>()?,
            convention: config.convention.as_ref().map(CheckedConvention::new).transpose()?,
            today: None,
        })
    }

    /// The mapping as it holds on a day: rules that have ended by then speak of nothing any more.
    #[must_use]
    pub fn on(self, today: Day) -> Self {
        Self { today: Some(today), ..self }
    }

    /// The rules that have ended by the day on which the mapping is asked.
    pub fn ended(&self) -> Vec<EndedRule> {
        let ended = self.rules.iter().filter(|rule| !rule.holds(self.today));
        ended.filter_map(|rule| Some(EndedRule { rule: rule.ground(), until: rule.until? })).collect()
    }

    /// Where this item belongs.
    pub fn place(&self, item: &Item) -> Result<Placement, PlaceError> {
        match self.link_of(&item.path) {
            Some(link) => Ok(self.without_extensions(link.placement())),
            None => self.place_without_links(item),
        }
    }

    /// Where it would belong if no `[[link]]` spoke of it.
    pub(crate) fn place_without_links(&self, item: &Item) -> Result<Placement, PlaceError> {
        let placement = match self.best_rule(item)? {
            Some(placement) => placement,
            None => self.place_by_convention(item)?,
        };
        Ok(self.without_extensions(placement))
    }

    /// Which rules match this item, and which of them holds.
    pub fn explain(&self, item: &Item) -> Explanation {
        let named = self.link_of(&item.path).map(|link| (Specificity::NAMED, link.ground()));
        let named = named.map(|(specificity, ground)| (specificity, ground, None));
        let rules = self.rules.iter().filter_map(|rule| {
            let ended = rule.until.filter(|_| !rule.holds(self.today)).map(|until| until.to_string());
            Some((rule.pattern.match_item(&item.path)?, rule.ground(), ended))
        });
        let mut matched: Vec<_> = named.into_iter().chain(rules).collect();
        // What holds comes first; of that, the most specific.
        matched.sort_by(|one, other| {
            one.2
                .is_some()
                .cmp(&other.2.is_some())
                .then_with(|| other.0.cmp(&one.0))
                .then_with(|| one.1.cmp(&other.1))
        });
        let (placement, problem) = match self.place(item) {
            Ok(placement) => (Some(placement), None),
            Err(problem) => (None, Some(problem.to_string())),
        };
        let matched = matched
            .into_iter()
            .map(|(specificity, rule, ended)| MatchedRule { rule, wildcards: specificity.wildcards(), ended })
            .collect();
        Explanation { item: item.path.clone(), matched, placement, problem }
    }

    /// Whether a `[[link]]` speaks of this very item, or of the item of which it is a variant.
    pub fn is_named(&self, item: &ItemPath) -> bool {
        self.link_of(item).is_some()
    }

    /// The items that `[[link]]` entries name, sorted.
    pub fn linked_items(&self) -> impl Iterator<Item = &ItemPath> {
        self.links.keys()
    }

    /// Why a port does well without a symbol for an item that it never had, if it does: what the upstream
    /// hides is compared through what uses it.
    pub fn needs_no_symbol(&self, item: &Item) -> Option<&'static str> {
        if self.is_named(&item.path) {
            return None;
        }
        if item.is_test && !is_test_function(item) && !is_bench_function(item) {
            Some("it helps upstream tests and is none itself, and the port has no symbol for it")
        } else if !item.is_test && !item.exported && !self.is_surface(&item.path) {
            Some("it is not exported and the port has no symbol for it; what uses it is compared instead")
        } else {
            None
        }
    }

    /// Whether the rule that holds for an item says that it is reached from outside.
    fn is_surface(&self, path: &ItemPath) -> bool {
        let best = self.matching(path).map(|(specificity, _)| specificity).max();
        self.matching(path).any(|(specificity, rule)| Some(specificity) == best && rule.surface)
    }

    /// Whether this symbol of a port is one that it has beyond the upstream: never drift, never edited.
    pub fn is_extension(&self, symbols: &SymbolTable, path: &SymbolPath) -> bool {
        self.extensions.iter().any(|extension| extension.covers(symbols, path))
    }

    /// Who declares a symbol of a port an extension, where that is so.
    pub fn extension_of(&self, symbols: &SymbolTable, path: &SymbolPath) -> Option<Ground> {
        let declared = self.extensions.iter().find(|extension| extension.covers(symbols, path));
        declared.map(CheckedExtension::ground)
    }

    /// All extensions, in the order of the configuration, with the symbols that a port has of them.
    pub fn extensions(&self, symbols: &SymbolTable) -> Vec<DeclaredExtension> {
        self.extensions.iter().map(|extension| extension.told(symbols)).collect()
    }

    /// The variables that switch extensions on or off, each with the number of its `[[extension]]`, from 1.
    pub fn flags(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(&self.extensions).filter_map(|(number, extension)| Some((number, extension.flag()?)))
    }

    /// Where an item belongs in a port: what that declares an extension is no place for it.
    pub fn place_in(&self, item: &Item, symbols: &SymbolTable) -> Result<Placement, PlaceError> {
        let placement = self.place(item)?;
        let Placement::Mapped { symbol, .. } = &placement else { return Ok(placement) };
        Ok(match self.extension_of(symbols, symbol) {
            Some(rule) => declared_an_extension(symbol, rule),
            None => placement,
        })
    }

    fn link_of(&self, path: &ItemPath) -> Option<&CheckedLink> {
        let base = || ItemPath::new(without_variant(path.as_str())).ok();
        self.links.get(path).or_else(|| self.links.get(&base()?))
    }

    fn matching<'a>(&'a self, path: &'a ItemPath) -> impl Iterator<Item = (Specificity, &'a CheckedRule)> {
        let holding = self.rules.iter().filter(|rule| rule.holds(self.today));
        holding.filter_map(|rule| Some((rule.pattern.match_item(path)?, rule)))
    }

    fn best_rule(&self, item: &Item) -> Result<Option<Placement>, PlaceError> {
        let Some(best) = self.matching(&item.path).map(|(specificity, _)| specificity).max() else {
            return Ok(None);
        };
        let mut chosen: Option<(&CheckedRule, Placement)> = None;
        for (_, rule) in self.matching(&item.path).filter(|(specificity, _)| *specificity == best) {
            let placement = place_by_rule(rule, item, best)?;
            match &chosen {
                None => chosen = Some((rule, placement)),
                Some((first, other)) if !agree(other, &placement) => {
                    let (first, second) = (first.ground(), rule.ground());
                    return Err(PlaceError::Ambiguous { item: item.path.clone(), first, second });
                }
                Some(_) => {}
            }
        }
        Ok(chosen.map(|(_, placement)| placement))
    }

    fn place_by_convention(&self, item: &Item) -> Result<Placement, PlaceError> {
        if let Some(placement) = no_counterpart(item) {
            return Ok(placement);
        }
        let Some(convention) = &self.convention else {
            let reason = "no rule speaks of it, and no `[convention]` is given".to_owned();
            return Ok(Placement::Skipped { why: SkipReason::Unmapped, reason, rule: Ground::Nothing });
        };
        convention.place(item)
    }

    /// What the port declares its own is left alone, even where the upstream now has the like of it.
    fn without_extensions(&self, placement: Placement) -> Placement {
        let Placement::Mapped { symbol, file, .. } = &placement else { return placement };
        let declared = self.extensions.iter().find(|extension| extension.covers_place(symbol, file));
        match declared {
            Some(extension) => declared_an_extension(symbol, extension.ground()),
            None => placement,
        }
    }
}

fn declared_an_extension(symbol: &SymbolPath, rule: Ground) -> Placement {
    let reason = format!(
        "its place `{symbol}` is declared an extension of the port: \
         narrow the extension, or give the item another place"
    );
    Placement::Skipped { why: SkipReason::Manual, reason, rule }
}

impl CheckedLink {
    fn ground(&self) -> Ground {
        Ground::Link { number: self.number }
    }

    fn placement(&self) -> Placement {
        Placement::Mapped {
            symbol: self.symbol.clone(),
            file: self.file.clone(),
            split: self.split.clone(),
            merged: false,
            rule: self.ground(),
        }
    }
}

fn place_by_rule(rule: &CheckedRule, item: &Item, specificity: Specificity) -> Result<Placement, PlaceError> {
    let skipped =
        |why, reason: &str| Ok(Placement::Skipped { why, reason: reason.to_owned(), rule: rule.ground() });
    let templates = match &rule.action {
        Action::Bind { reason } => return skipped(SkipReason::Bound, reason),
        Action::Manual { reason } => return skipped(SkipReason::Manual, reason),
        Action::Ignore { reason } => return skipped(SkipReason::Ignored, reason),
        Action::IgnoreUntil { reason } => return skipped(SkipReason::Deferred, reason),
        Action::Merged { symbol, file } => {
            let placement = Placement::Mapped {
                symbol: symbol.clone(),
                file: file.clone(),
                split: Vec::new(),
                merged: true,
                rule: rule.ground(),
            };
            return Ok(no_counterpart(item).filter(|_| !specificity.is_exact()).unwrap_or(placement));
        }
        Action::Translate(templates) => templates,
    };
    if let Some(placement) = no_counterpart(item).filter(|_| !specificity.is_exact()) {
        return Ok(placement);
    }
    let names = port_names(item);
    match templates.symbol.symbol(&names) {
        Ok(_) => templates.fill(&names, item, rule.ground()),
        Err(reason) => skipped(SkipReason::Unmapped, &reason),
    }
}

/// Kinds that a port has no symbol for, unless a rule names the very item.
fn no_counterpart(item: &Item) -> Option<Placement> {
    let reason = match item.kind {
        ItemKind::Impl => "an `impl` header has no symbol of its own; its members have",
        ItemKind::Macro => "a macro has no symbol; what it expands to is the port's own code",
        ItemKind::Module => "a module is a file of the port, not a symbol",
        ItemKind::TypeAlias if convention::is_member(item) => "an associated type has no symbol",
        ItemKind::TypeAlias
        | ItemKind::Function
        | ItemKind::Method
        | ItemKind::Struct
        | ItemKind::Enum
        | ItemKind::Union
        | ItemKind::Trait
        | ItemKind::Const
        | ItemKind::Static => return None,
    };
    Some(Placement::Skipped { why: SkipReason::NoCounterpart, reason: reason.to_owned(), rule: Ground::Kind })
}

/// Whether two placements ask for the same, whoever says so and in whatever words.
fn agree(one: &Placement, other: &Placement) -> bool {
    match (one, other) {
        (Placement::Mapped { symbol, file, .. }, Placement::Mapped { symbol: second, file: other, .. }) => {
            symbol == second && file == other
        }
        (Placement::Skipped { why, .. }, Placement::Skipped { why: other, .. }) => why == other,
        (Placement::Mapped { .. }, Placement::Skipped { .. })
        | (Placement::Skipped { .. }, Placement::Mapped { .. }) => false,
    }
}

fn checked_links(links: Vec<LinkRule>) -> Result<BTreeMap<ItemPath, CheckedLink>, MappingError> {
    let mut checked: BTreeMap<ItemPath, CheckedLink> = BTreeMap::new();
    for (link, number) in links.into_iter().zip(1..) {
        let rule = format!("[[link]] {number}");
        let invalid = |reason: String| MappingError::Path { rule: rule.clone(), reason };
        let item = ItemPath::new(link.item).map_err(|error| invalid(error.to_string()))?;
        let symbol = checked_symbol(&link.symbol).map_err(invalid)?;
        checked_file(&link.file).map_err(invalid)?;
        let split = checked_split(&link.split, &symbol).map_err(invalid)?;
        if let Some(first) = checked.get(&item) {
            let first = first.ground().to_string();
            return Err(MappingError::TwoLinks { item, first, second: rule });
        }
        checked.insert(item, CheckedLink { number, symbol, file: link.file, split });
    }
    Ok(checked)
}

/// The further symbols of a link: well formed, and each named once.
fn checked_split(split: &[SplitRule], first: &SymbolPath) -> Result<Vec<Part>, String> {
    if split.len() > SPLIT_MAX {
        return Err(format!("`split` names {} symbols, and {SPLIT_MAX} are the most", split.len()));
    }
    let mut parts: Vec<Part> = Vec::new();
    for part in split {
        let symbol = checked_symbol(&part.symbol)?;
        checked_file(&part.file)?;
        if symbol == *first || parts.iter().any(|other| other.symbol == symbol) {
            return Err(format!("`{symbol}` is named twice; name each symbol of a `split` once"));
        }
        parts.push(Part { symbol, file: part.file.clone() });
    }
    Ok(parts)
}
