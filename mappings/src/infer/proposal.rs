//! What inference comes to: proposed links, each with how sure it is and with its evidence.

use serde::Serialize;
use upstream::ItemPath;

use crate::symbol::SymbolPath;

/// One thing that speaks for (or against) a link.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// What it is: `name`, `module`, `calls`, `literals` and so on.
    pub what: &'static str,
    /// How much it adds, in logits; below zero it speaks against the link.
    pub weight: f64,
}

/// A proposed origin of a file of the port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModuleLink {
    /// The upstream's file.
    pub upstream: String,
    /// The file of the port.
    pub port: String,
    /// How sure it is, from 0 to 1.
    pub confidence: f64,
    /// Whether other files of the port have the same origin with more right: a part that was split off.
    pub split: bool,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
    /// The next best origins with how sure each is.
    pub alternatives: Vec<(String, f64)>,
}

/// How an item and a symbol go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The symbol answers to the item.
    Primary,
    /// The symbol answers to another item first: the port has both in one.
    MergedInto,
    /// It was accepted before, and is kept.
    Accepted,
}

/// A proposed link.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProposedLink {
    /// The item.
    pub item: ItemPath,
    /// The symbol.
    pub symbol: SymbolPath,
    /// The symbol's file.
    pub file: String,
    /// How they go together.
    pub role: Role,
    /// Whether the item is test code.
    pub is_test: bool,
    /// How sure it is, from 0 to 1.
    pub confidence: f64,
    /// What speaks for it, the strongest first.
    pub evidence: Vec<Evidence>,
    /// The next best symbols with how sure each is.
    pub alternatives: Vec<(SymbolPath, f64)>,
}

/// All that inference proposes. Nothing of it holds before a person accepts it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// Files, by the port's file.
    pub modules: Vec<ModuleLink>,
    /// Items, by path.
    pub links: Vec<ProposedLink>,
    /// Items that could have had a symbol and have none.
    pub items_without: usize,
    /// Symbols that no item is linked to.
    pub symbols_without: usize,
    /// Pairs that were left out because more hung together than is solved at once.
    pub pairs_cut: usize,
}
