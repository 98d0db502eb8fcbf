//! What a translator is given of the port, and what its answer may touch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mappings::{Symbol, SymbolKind, SymbolPath, SymbolTable, UnitKind, WorkUnit};
use port::edit::Scope;
use port::language::Language;
use port::translate::{Feedback, SymbolContext, TranslationRequest};
use upstream::TreeId;

use super::planning::Current;
use crate::session::Session;

/// The most symbols that are shown beside those of the unit.
const NEIGHBOURS_MAX: usize = 12;

/// What a translator is given at its first attempt at a unit, in the tree that was planned for.
pub(crate) fn first_request(
    session: &Session,
    current: &Current,
    unit: &WorkUnit,
    tree: &TreeId,
) -> anyhow::Result<TranslationRequest> {
    let symbols = session.symbols(tree)?;
    let shown = Shown { tree, symbols: Arc::clone(&symbols) };
    Ok(Attempt { current, unit, tree, symbols, shown, number: 1, feedback: None }.request(session, &[]))
}

/// A unit with the tree to work on, as one attempt sees it.
pub(super) struct Attempt<'a> {
    pub(super) current: &'a Current,
    pub(super) unit: &'a WorkUnit,
    pub(super) tree: &'a TreeId,
    pub(super) symbols: Arc<SymbolTable>,
    /// What the translator sees of the port.
    pub(super) shown: Shown<'a>,
    /// Which attempt of the translator it is, from 1.
    pub(super) number: u32,
    pub(super) feedback: Option<Feedback>,
}

/// The port as a translator sees it. A model is shown the port as it was when its turn began: what lands beside it
/// since then is of units that do not depend on each other, and its answer is made for its own symbols.
pub(super) struct Shown<'a> {
    pub(super) tree: &'a TreeId,
    pub(super) symbols: Arc<SymbolTable>,
}

impl Attempt<'_> {
    /// What the translator is given.
    pub(super) fn request(&self, session: &Session, wanted: &[SymbolPath]) -> TranslationRequest {
        let symbols = self.unit.members.iter().map(|member| self.context(&member.symbol, &member.file));
        TranslationRequest {
            revision: self.current.revision.clone(),
            unit: self.unit.clone(),
            symbols: symbols.collect(),
            hidden: self.current.hidden_behind(self.unit),
            neighbours: self.neighbours(wanted),
            imports: self.imports(session),
            style: session.settings.style.clone(),
            attempt: self.number,
            feedback: self.feedback.clone(),
        }
    }

    /// What the answer may touch: the unit's symbols, and for code also helpers beside them.
    pub(super) fn scope(&self, session: &Session) -> Scope {
        let editable: Vec<SymbolPath> =
            self.unit.members.iter().map(|member| member.symbol.clone()).collect();
        let files: BTreeSet<String> = self.unit.members.iter().map(|member| member.file.clone()).collect();
        let modules = files.iter().filter_map(|file| session.language.module_path(file));
        let insertable = if self.unit.kind == UnitKind::Test { Vec::new() } else { modules.collect() };
        let sources: BTreeSet<String> =
            self.symbols.symbols.values().map(|symbol| symbol.file.clone()).collect();
        let references = match self.unit.kind {
            UnitKind::Relocate => sources.difference(&files).cloned().collect(),
            UnitKind::Add | UnitKind::Change | UnitKind::Remove | UnitKind::Test => Vec::new(),
        };
        Scope { editable, insertable, files: files.into_iter().collect(), references }
    }

    fn context(&self, symbol: &SymbolPath, file: &str) -> SymbolContext {
        let known = self.shown.symbols.get(symbol);
        SymbolContext {
            symbol: symbol.clone(),
            file: known.map_or(file, |known| &known.file).to_owned(),
            text: known.map(|known| known.text.clone()),
            hash: known.map(|known| known.hash.to_string()).unwrap_or_default(),
        }
    }

    /// Symbols that those of the unit call, that call them, or that stand beside one that is to be written;
    /// those that were asked for come first.
    fn neighbours(&self, wanted: &[SymbolPath]) -> Vec<SymbolContext> {
        let own: BTreeSet<&SymbolPath> = self.unit.members.iter().map(|member| &member.symbol).collect();
        let inside = |symbol: &Symbol| own.iter().any(|path| lies_in(&symbol.path, path));
        let mut found: BTreeMap<&SymbolPath, (u8, &Symbol)> = BTreeMap::new();
        for symbol in self.shown.symbols.symbols.values() {
            // A class around a method of the unit would repeat the method.
            let is_around = own.iter().any(|path| lies_in(path, &symbol.path));
            if own.contains(&symbol.path) || inside(symbol) || (is_around && !wanted.contains(&symbol.path)) {
                continue;
            }
            if let Some(rank) = self.rank(symbol, wanted) {
                found.insert(&symbol.path, (rank, symbol));
            }
        }
        // What is shown whole need not be shown in pieces.
        let whole: BTreeSet<&SymbolPath> = found.keys().copied().collect();
        found.retain(|path, _| !whole.iter().any(|around| lies_in(path, around)));
        let mut ranked: Vec<_> = found.into_values().collect();
        ranked.sort_by_key(|(rank, symbol)| (*rank, symbol.text.len(), symbol.path.clone()));
        ranked
            .into_iter()
            .take(NEIGHBOURS_MAX.max(wanted.len()))
            .map(|(_, symbol)| self.context(&symbol.path, &symbol.file))
            .collect()
    }

    /// How much a symbol has to say about the unit; the lowest first.
    fn rank(&self, symbol: &Symbol, wanted: &[SymbolPath]) -> Option<u8> {
        let members = &self.unit.members;
        let mentions = |text: &[String], name: &str| text.iter().any(|mention| mention == name);
        let named_upstream = members
            .iter()
            .filter_map(|member| member.change.after())
            .any(|item| mentions(&item.mentions, symbol.path.name()));
        let called = members
            .iter()
            .filter_map(|member| self.shown.symbols.get(&member.symbol))
            .any(|own| mentions(&own.mentions, symbol.path.name()));
        // A class mentions what its methods mention; where only a method calls, the method is shown.
        let speaks_for_itself = symbol.kind != SymbolKind::Class;
        let calls = speaks_for_itself
            && members.iter().any(|member| mentions(&symbol.mentions, member.symbol.name()));
        let is_test_unit = self.unit.kind == UnitKind::Test;
        if wanted.contains(&symbol.path) {
            Some(0)
        } else if symbol.is_test != is_test_unit && !(is_test_unit && (named_upstream || called)) {
            None
        } else if called || named_upstream {
            Some(1)
        } else if calls {
            Some(2)
        } else if is_test_unit && members.iter().any(|member| member.symbol.parent() == symbol.path.parent())
        {
            // The way the port writes its tests is best shown by another test.
            Some(3)
        } else {
            None
        }
    }

    fn imports(&self, session: &Session) -> Vec<(String, String)> {
        let files: BTreeSet<&String> = self.unit.members.iter().map(|member| &member.file).collect();
        files
            .into_iter()
            .filter_map(|file| {
                let text = session.port_text(self.shown.tree, file)?;
                Some((file.clone(), session.language.imports(&text).join("\n")))
            })
            .collect()
    }
}

fn lies_in(path: &SymbolPath, around: &SymbolPath) -> bool {
    path.as_str().strip_prefix(around.as_str()).is_some_and(|rest| rest.starts_with('.'))
}
