//! The upstream asked beforehand, for several checks in one go.
//!
//! Main function: [`ask_ahead`]. What it answers is kept where the checks look for it. To them it makes no difference
//! but that they need not ask: what is not kept they ask for themselves.

use std::collections::BTreeMap;

use mappings::SymbolPath;
use upstream::ItemPath;

use super::ContractError;
use super::check::ContractItem;
use super::conversation::Tools;
use super::observers::told_of;
use super::oracle::Oracle;
use super::pools::{Drawn, Examples, Pools, draw};
use super::probeable::ProbePlan;

/// What a check will ask of one library.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// The items that will be compared.
    pub items: Vec<ContractItem>,
    /// How its probes will be drawn.
    pub pools: Pools,
}

/// Asks an upstream what these checks will ask it, in as few processes as can be. Sequences are not among it.
pub fn ask_ahead(
    tools: &Tools<'_>,
    oracle: &Oracle,
    examples: Examples<'_>,
    links: &BTreeMap<ItemPath, SymbolPath>,
    checks: &[Foreseen],
) -> Result<(), ContractError> {
    let (mut development, mut deciding) = (Vec::new(), Vec::new());
    for check in checks {
        let drawn = drawn(oracle.plan(), (&check.items, links), examples, &check.pools);
        development.push(drawn.development);
        deciding.push(drawn.deciding);
    }
    oracle.observe_ahead(tools, &development)?;
    oracle.observe_ahead(tools, &deciding)
}

/// The probes of a check.
pub(super) fn drawn(
    plan: &ProbePlan,
    (items, links): (&[ContractItem], &BTreeMap<ItemPath, SymbolPath>),
    examples: Examples<'_>,
    pools: &Pools,
) -> Drawn {
    let told_of = told_of(plan, items, links);
    let is_asked = |at: usize| told_of.get(at).is_some_and(Option::is_some);
    draw(&plan.functions, &is_asked, examples, pools)
}
