//! What models would be asked for a revision, from values alone: for measures, which have no port to work on.

use std::cell::RefCell;
use std::sync::Arc;

use anyhow::Result;
use mappings::plan::{PlanInput, plan};
use mappings::{Holds, Lock, Mapping, PortUses, SymbolTable};
use port::language::Language;
use port::translate::TranslationRequest;
use upstream::{CommitId, Snapshot, TreeId};

use super::context::{Attempt, Port, Shown};
use super::hidden::Calls;
use super::planning::Current;
use crate::engine::Head;

/// What requests are made from.
pub struct DryRun<'a> {
    /// The upstream before.
    pub baseline: Arc<Snapshot>,
    /// The upstream after.
    pub target: Arc<Snapshot>,
    /// What the port equals.
    pub lock: Lock,
    /// Where items belong.
    pub mapping: &'a Mapping,
    /// The port.
    pub symbols: Arc<SymbolTable>,
    /// Its language.
    pub language: &'a dyn Language,
    /// The style guide.
    pub style: &'a str,
}

impl std::fmt::Debug for DryRun<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DryRun").field("target", &self.target.revision.label).finish_non_exhaustive()
    }
}

/// The request for each unit of the plan, in its order, as it is made at the first attempt.
pub fn requests(input: DryRun<'_>) -> Result<Vec<TranslationRequest>> {
    let DryRun { baseline, target, lock, mapping, symbols, language, style } = input;
    let holds = Holds::default();
    let plan = plan(&PlanInput {
        target: &target,
        baseline: &baseline,
        lock: &lock,
        item_at: &|_, item| baseline.items.get(item).cloned(),
        mapping,
        symbols: &symbols,
        uses: &PortUses::default(),
        holds: &holds,
    })?;
    let nothing = "0".repeat(40);
    let tree = TreeId::new(&nothing)?;
    let current = Current {
        revision: target.revision.clone(),
        head: Head { commit: CommitId::new(&nothing)?, tree: tree.clone() },
        lock: Arc::new(lock),
        diff: upstream::diff::compare(&baseline, &target),
        snapshot: target,
        baseline,
        symbols,
        plan,
        holds,
        calls: Calls::default(),
        programs: RefCell::default(),
    };
    let port = Port { style, language, runtime: None, text: &|_, _| None };
    let request = |unit| {
        let symbols = Arc::clone(&current.symbols);
        let shown = Shown { tree: &tree, symbols: Arc::clone(&symbols) };
        let attempt = Attempt {
            current: &current,
            unit,
            tree: &tree,
            symbols,
            shown,
            number: 1,
            candidate: 0,
            feedback: None,
        };
        attempt.request_of(&port, &[])
    };
    Ok(current.plan.units.iter().map(request).collect())
}
