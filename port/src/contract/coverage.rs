//! What probes alone come to, without any port: how many there are by where they come from, and how much of the
//! upstream's code they run through.

use std::collections::BTreeSet;

use super::ContractError;
use super::conversation::Tools;
use super::oracle::Oracle;
use super::pools::{Drawn, Examples, Pools, ProbeOrigin, draw};

/// What probes come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProbeCoverage {
    /// Probes from literals in the upstream's tests, documentation and examples.
    pub harvested: usize,
    /// Calls that its tests were seen to make.
    pub recorded: usize,
    /// Probes of both pools that are made from types and literals.
    pub generated: usize,
    /// Blocks of the code of functions that can be called.
    pub blocks: usize,
    /// Those that probes run through.
    pub reached: usize,
}

/// Asks the upstream alone, with all probes that would be sent to a port.
pub fn probe_coverage(
    tools: &Tools<'_>,
    oracle: &Oracle,
    from: Examples<'_>,
    pools: &Pools,
) -> Result<ProbeCoverage, ContractError> {
    let functions = &oracle.plan().functions;
    let Drawn { development, deciding, .. } = draw(functions, &|_| true, from, pools);
    let mut reached = BTreeSet::new();
    for pool in [&development, &deciding] {
        reached.extend(oracle.observe(tools, pool)?.reached.into_iter().flatten());
    }
    let own: BTreeSet<u32> = functions.iter().flat_map(|function| oracle.blocks_of(&function.item)).collect();
    let of = |origin| development.iter().chain(&deciding).filter(|probe| probe.origin == origin).count();
    Ok(ProbeCoverage {
        harvested: of(ProbeOrigin::Harvested),
        recorded: of(ProbeOrigin::Recorded),
        generated: of(ProbeOrigin::Generated),
        blocks: own.len(),
        reached: own.intersection(&reached).count(),
    })
}
