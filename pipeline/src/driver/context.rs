//! What a translator is given of the port, and what its answer may touch.

use std::collections::BTreeSet;
use std::sync::Arc;

use mappings::{SymbolKind, SymbolPath, SymbolTable, UnitKind, WorkUnit};
use port::edit::Scope;
use port::language::Language;
use port::runtime::Importable;
use port::translate::{Feedback, SymbolContext, TranslationRequest};
use upstream::TreeId;

use super::planning::Current;
use super::surroundings::Surroundings;
use crate::config::{ChainEntry, Settings};
use crate::session::Session;

/// What a translator is given at its first attempt at a unit, in the tree that was planned for.
pub(crate) fn first_request(
    session: &Session,
    current: &Current,
    unit: &WorkUnit,
    tree: &TreeId,
) -> anyhow::Result<TranslationRequest> {
    let symbols = session.symbols(tree)?;
    let shown = Shown { tree, symbols: Arc::clone(&symbols) };
    Ok(Attempt { current, unit, tree, symbols, shown, number: 1, candidate: 0, feedback: None }
        .request(session, &[]))
}

/// A unit with the tree to work on, as one attempt sees it.
#[derive(Clone)]
pub(super) struct Attempt<'a> {
    pub(super) current: &'a Current,
    pub(super) unit: &'a WorkUnit,
    pub(super) tree: &'a TreeId,
    pub(super) symbols: Arc<SymbolTable>,
    /// What the translator sees of the port.
    pub(super) shown: Shown<'a>,
    /// Which attempt of the translator it is, from 1.
    pub(super) number: u32,
    /// Which of several candidates it is, from 0.
    pub(super) candidate: u32,
    pub(super) feedback: Option<Feedback>,
}

/// What a request needs of a port beside its symbols.
pub(super) struct Port<'a> {
    pub(super) style: &'a str,
    pub(super) language: &'a dyn Language,
    /// What may be imported of the runtime module.
    pub(super) runtime: Option<Importable>,
    /// The text of a file of a tree.
    pub(super) text: &'a dyn Fn(&TreeId, &str) -> Option<String>,
}

/// The port as a translator sees it. A model is shown the port as it was when its turn began: what lands beside it
/// since then is of units that do not depend on each other, and its answer is made for its own symbols.
#[derive(Clone)]
pub(super) struct Shown<'a> {
    pub(super) tree: &'a TreeId,
    pub(super) symbols: Arc<SymbolTable>,
}

/// The style guide, and with it which features of the upstream are on: its sources do not say.
fn style(settings: &Settings) -> String {
    match settings.build.features_told() {
        None => settings.style.clone(),
        Some(features) => format!("{}\n\n{features}", settings.style.trim_end()).trim_start().to_owned(),
    }
}

impl Attempt<'_> {
    /// What the translator is given.
    pub(super) fn request(&self, session: &Session, wanted: &[SymbolPath]) -> TranslationRequest {
        let style = style(&session.settings);
        let port = Port {
            style: &style,
            language: &session.language,
            runtime: session.runtime_offer(self.shown.tree).importable().cloned(),
            text: &|tree, file| session.port_text(tree, file),
        };
        TranslationRequest { surroundings: self.program(session), ..self.request_of(&port, wanted) }
    }

    /// The same for a port of which this is known.
    pub(super) fn request_of(&self, port: &Port<'_>, wanted: &[SymbolPath]) -> TranslationRequest {
        // Several items may go to one symbol, which is shown once.
        let mut told = BTreeSet::new();
        let members = self.unit.members.iter().filter(|member| told.insert(&member.symbol));
        let symbols = members.map(|member| self.context(&member.symbol, &member.file));
        let hidden = self.current.hidden_behind(self.unit);
        let around = Surroundings::of(self, port.language, wanted, &hidden);
        let whole = around.whole.iter().map(|symbol| self.context(&symbol.path, &symbol.file));
        TranslationRequest {
            revision: self.current.told_revision(),
            unit: self.unit.clone(),
            symbols: symbols.collect(),
            hidden,
            neighbours: whole.collect(),
            signatures: around.signatures,
            uses: around.uses,
            digest: around.digest,
            imports: self.imports(port),
            runtime: port.runtime.clone(),
            style: port.style.to_owned(),
            attempt: self.number,
            candidate: self.candidate,
            feedback: self.feedback.clone(),
            wanted: wanted.to_vec(),
            surroundings: None,
        }
    }

    /// What rules are told of the crate around the unit, and of the port.
    fn program(&self, session: &Session) -> Option<port::compile::Surroundings> {
        // Nobody else looks at them, and they take reading a whole package.
        if !session.settings.chain.contains(&ChainEntry::Items) {
            return None;
        }
        let first = self.unit.members.first()?;
        let program = self.current.program(session, first.change.path().krate());
        Some(port::compile::Surroundings { program, symbols: Arc::clone(&self.symbols) })
    }

    /// What the answer may touch: the unit's symbols, and for code also helpers beside them.
    pub(super) fn scope(&self, session: &Session) -> Scope {
        let editable: Vec<SymbolPath> =
            self.unit.members.iter().map(|member| member.symbol.clone()).collect();
        let files: BTreeSet<String> = self.unit.members.iter().map(|member| member.file.clone()).collect();
        let modules = files.iter().filter_map(|file| session.language.module_path(file));
        let insertable = match self.unit.kind {
            UnitKind::Test => Vec::new(),
            UnitKind::Add | UnitKind::Change | UnitKind::Remove | UnitKind::Relocate => {
                modules.chain(classes_around(&editable, &self.symbols)).collect()
            }
        };
        let sources: BTreeSet<String> =
            self.symbols.symbols.values().map(|symbol| symbol.file.clone()).collect();
        let references = match self.unit.kind {
            UnitKind::Relocate => sources.difference(&files).cloned().collect(),
            UnitKind::Add | UnitKind::Change | UnitKind::Remove | UnitKind::Test => Vec::new(),
        };
        let runtime = session.runtime_offer(self.tree);
        Scope { editable, insertable, files: files.into_iter().collect(), references, runtime }
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

    fn imports(&self, port: &Port<'_>) -> Vec<(String, String)> {
        let files: BTreeSet<&String> = self.unit.members.iter().map(|member| &member.file).collect();
        files
            .into_iter()
            .filter_map(|file| {
                let text = (port.text)(self.shown.tree, file)?;
                Some((file.clone(), port.language.imports(&text).join("\n")))
            })
            .collect()
    }
}

/// The classes that these stand in: a helper of a method is a method as well.
fn classes_around(editable: &[SymbolPath], symbols: &SymbolTable) -> BTreeSet<SymbolPath> {
    let parents = editable.iter().filter_map(SymbolPath::parent);
    let is_class = |path: &SymbolPath| symbols.get(path).is_some_and(|it| it.kind == SymbolKind::Class);
    parents.filter(is_class).collect()
}

#[cfg(test)]
mod tests {
    use mappings::{Symbol, SymbolKind, SymbolPath, SymbolTable};
    use upstream::{ContentHash, Words};

    use super::classes_around;

    fn path(text: &str) -> SymbolPath {
        SymbolPath::new(text).unwrap()
    }

    #[test]
    fn helpers_may_stand_in_the_class_of_a_method_and_in_no_other() {
        let symbol = |at: &str, kind| Symbol {
            path: path(at),
            kind,
            file: "m.py".to_owned(),
            line: 1,
            text: String::new(),
            hash: ContentHash::of_parts([at]),
            decorators: Vec::new(),
            parameters: Vec::new(),
            mentions: Words::default(),
            is_test: false,
        };
        let mut table = SymbolTable::default();
        for (at, kind) in
            [("m.C", SymbolKind::Class), ("m.D", SymbolKind::Class), ("m.C.f", SymbolKind::Method)]
        {
            table.symbols.insert(path(at), symbol(at, kind));
        }
        let around = |at: &str| Vec::from_iter(classes_around(&[path(at)], &table));
        assert_eq!(around("m.C.f"), [path("m.C")]);
        assert_eq!(around("m.C.to_be_written"), [path("m.C")]);
        assert!(around("m.g").is_empty() && around("m.C").is_empty(), "of a module its file tells");
    }
}
