//! What a comparison of both sides found: counts, counterexamples and reasons, and no verdict.

use std::collections::BTreeMap;

use mappings::SymbolPath;
use serde::{Deserialize, Serialize};
use upstream::ItemPath;

use super::sessions::SessionEvidence;

/// The stages, each blocking the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The public surface lines up.
    Spec,
    /// The same calls give the same results.
    #[default]
    Numeric,
    /// The same calls one after another on one value give the same results.
    Behavioural,
}

/// Something that does not line up before any call is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecFinding {
    /// The item.
    pub item: ItemPath,
    /// The symbol that should answer to it.
    pub symbol: SymbolPath,
    /// A stable code: `missing-symbol`, `import-error`, `parameter-count`, `parameter-names`,
    /// `not-callable`.
    pub code: String,
    /// What is wrong, for people.
    pub text: String,
}

/// A call on which both sides differ, shrunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterexample {
    /// The item.
    pub item: ItemPath,
    /// The symbol.
    pub symbol: SymbolPath,
    /// The call as one would write it in the port's language.
    pub call: String,
    /// What the upstream gave.
    pub upstream: String,
    /// What the port gave.
    pub port: String,
    /// Whether it may be shown to a translator (a development probe), or decides and may not.
    pub may_be_shown: bool,
    /// The stage that found it.
    #[serde(default)]
    pub stage: Stage,
    /// The lines of a program that shows the last result, where one call is not enough; empty where it is.
    #[serde(default)]
    pub program: Vec<String>,
    /// The first call below this one that was given the same and gave something else, where one was found.
    #[serde(default)]
    pub divergence: Option<Divergence>,
}

/// A call that was given the same on both sides and gave something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The item.
    pub item: ItemPath,
    /// The symbol.
    pub symbol: SymbolPath,
    /// What both were given, as the port's language writes it.
    pub arguments: String,
    /// What the upstream's gave.
    pub upstream: String,
    /// What the port's gave.
    pub port: String,
}

/// What calls one after another on values of one type came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceEvidence {
    /// The type.
    pub of: ItemPath,
    /// The methods that were called.
    pub methods: Vec<ItemPath>,
    /// Methods that change their value and could not be called in sequence, with the reason.
    pub left_out: Vec<(ItemPath, String)>,
    /// Why there is no sequence, or none that could be compared as a whole.
    pub not_sequenced: Option<String>,
    /// Sequences in which every call agreed that could be compared, one of them behind a change.
    pub agreed: u32,
    /// Sequences in which one did not.
    pub disagreed: u32,
    /// Sequences that showed nothing.
    pub unobserved: u32,
    /// Why not.
    pub unobserved_by: Option<String>,
    /// Sequences that a side could not be asked.
    pub blocked: u32,
    /// Why not.
    pub blocked_by: Option<String>,
    /// How many calls the sequences made.
    pub calls: u32,
    /// How many of the differing sequences tell of which item.
    pub blamed: BTreeMap<ItemPath, u32>,
}

impl SequenceEvidence {
    /// Nothing yet of this type.
    pub fn of(of: ItemPath) -> Self {
        Self {
            of,
            methods: Vec::new(),
            left_out: Vec::new(),
            not_sequenced: None,
            agreed: 0,
            disagreed: 0,
            unobserved: 0,
            unobserved_by: None,
            blocked: 0,
            blocked_by: None,
            calls: 0,
            blamed: BTreeMap::new(),
        }
    }
}

/// By which rule an upstream's error agrees with an exception of the port's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorPolicy {
    /// Any exception that somebody meant to raise: no class is linked to the error's type.
    AnyDeliberate,
    /// The class that is linked to the error's type, or one below it.
    LinkedClass,
}

/// What was compared for one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemEvidence {
    /// The item.
    pub item: ItemPath,
    /// The symbol.
    pub symbol: SymbolPath,
    /// Why no probe could be made, where none could.
    pub not_probed: Option<String>,
    /// Probes taken from the upstream's tests, documentation and examples, and calls that its tests were seen to make.
    pub harvested: u32,
    /// Probes generated from the types.
    pub generated: u32,
    /// Probes on which both sides gave the same outcome.
    pub agreed: u32,
    /// Probes on which they differed.
    pub disagreed: u32,
    /// Probes that both sides answered with something that cannot be compared: no proof, and no fault.
    pub unobserved: u32,
    /// Boundary probes that were left out because there are too many of them.
    pub corners_left_out: u32,
    /// How errors were held against exceptions; `None` where no probe made the upstream fail.
    pub error_policy: Option<ErrorPolicy>,
    /// Probes that a side could not answer for a cause outside the code (limits, infrastructure).
    pub blocked: u32,
    /// Blocks of the item's own code that the probes ran through, and how many there are.
    pub blocks_reached: u32,
    /// All blocks of the item's own code; 0 where none could be counted.
    pub blocks_total: u32,
    /// Probes on which the new upstream differs from the old one; `None` where there is no old one.
    pub changed_upstream: Option<u32>,
    /// Probes on which the candidate differs from the port before it.
    pub changed_port: Option<u32>,
    /// Probes on which both or neither changed, of those where both revisions answered.
    pub changed_alike: Option<u32>,
}

impl ItemEvidence {
    /// That of an item on which nothing was compared.
    pub fn none(item: ItemPath, symbol: SymbolPath) -> Self {
        Self {
            item,
            symbol,
            not_probed: None,
            harvested: 0,
            generated: 0,
            agreed: 0,
            disagreed: 0,
            unobserved: 0,
            corners_left_out: 0,
            error_policy: None,
            blocked: 0,
            blocks_reached: 0,
            blocks_total: 0,
            changed_upstream: None,
            changed_port: None,
            changed_alike: None,
        }
    }
}

/// What the comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractReport {
    /// Why the upstream could not serve as an oracle (it does not build, is not deterministic); then
    /// nothing was compared.
    pub source_blocked: Option<String>,
    /// What does not line up.
    pub spec: Vec<SpecFinding>,
    /// What was compared, by item.
    pub items: Vec<ItemEvidence>,
    /// What was called in sequence, by type.
    #[serde(default)]
    pub sequences: Vec<SequenceEvidence>,
    /// Whole programs that were run, by case.
    #[serde(default)]
    pub sessions: Vec<SessionEvidence>,
    /// At most three for each item, the smallest first.
    pub counterexamples: Vec<Counterexample>,
    /// What could not be looked into besides, and why: it proves nothing, and refuses nobody.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How long it took, in milliseconds, building included.
    pub duration_ms: u64,
}
