//! Which linked items a command is about, and the port and the upstream that it asks.

use std::sync::Arc;

use anyhow::anyhow;
use mappings::{Lock, SymbolPath};
use port::contract::sessions::Session as Sessions;
use upstream::{ItemPath, Snapshot, TreeId};

use super::super::{CliError, Context, session_error};
use crate::session::Session;

/// A port with its lock, as the working tree has them.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) lock: Arc<Lock>,
    pub(super) tree: TreeId,
    pub(super) baseline: Arc<Snapshot>,
}

/// What a command is about.
pub(super) struct Asked {
    /// Linked items with their symbols.
    pub(super) items: Vec<(ItemPath, SymbolPath)>,
    /// Sessions.
    pub(super) sessions: Vec<Sessions>,
}

impl Asked {
    /// What these names name: sessions, and linked items as [`Opened::items`] finds them. All where there are none.
    pub(super) fn of(opened: &Opened, names: &[String]) -> Result<Self, CliError> {
        let all = &opened.session.settings.sessions;
        let is_session = |name: &String| all.iter().any(|session| session.name == *name);
        let (sessions, rest): (Vec<String>, Vec<String>) = names.iter().cloned().partition(is_session);
        if names.is_empty() {
            return Ok(Self { items: opened.items(&[])?, sessions: all.clone() });
        }
        let items = if rest.is_empty() { Vec::new() } else { opened.items(&rest)? };
        let sessions = all.iter().filter(|session| sessions.contains(&session.name)).cloned().collect();
        Ok(Self { items, sessions })
    }
}

impl Opened {
    pub(super) fn new(context: &Context) -> Result<Self, CliError> {
        let session = context.session(context.settings()?)?;
        let tree = session.port.worktree_tree().map_err(|error| anyhow!(error))?;
        let lock = session.lock(&tree).map_err(session_error)?;
        let baseline = session.revision(lock.baseline.as_str()).map_err(session_error)?;
        let baseline = session.snapshot(&baseline).map_err(session_error)?;
        Ok(Self { session, lock, tree, baseline })
    }

    /// The linked items of these names: paths of items or of symbols, or last names. All where there are none;
    /// tests of the upstream are never asked.
    pub(super) fn items(&self, names: &[String]) -> Result<Vec<(ItemPath, SymbolPath)>, CliError> {
        let is_test = |item: &ItemPath| self.baseline.items.get(item).is_some_and(|item| item.is_test);
        let linked: Vec<_> = self
            .lock
            .links
            .values()
            .filter(|link| !is_test(&link.item))
            .map(|link| (link.item.clone(), link.symbol.clone()))
            .collect();
        if names.is_empty() {
            return Ok(linked);
        }
        let mut found = Vec::new();
        for name in names {
            let exact =
                |(item, symbol): &&(ItemPath, SymbolPath)| item.as_str() == name || symbol.as_str() == name;
            let last =
                |(item, symbol): &&(ItemPath, SymbolPath)| item.name() == name || symbol.name() == name;
            let mut here: Vec<_> = linked.iter().filter(exact).cloned().collect();
            if here.is_empty() {
                here = linked.iter().filter(last).cloned().collect();
            }
            if here.is_empty() {
                let error = anyhow!("`{name}` is neither a linked item nor its symbol");
                return Err(CliError::usage(error).hint(
                    "`tidelock contract derive` lists all; `tidelock map explain` says why one is not linked",
                ));
            }
            found.extend(here);
        }
        Ok(found)
    }
}
