//! Whether two versions of the port can be told apart at all, by far more calls of another kind than a contract
//! makes.
//!
//! Main function: [`search`]. It is for measuring the contract: what the contract accepted and this tells apart
//! was accepted wrongly; what neither tells apart may mean the same.

use super::check::Check;
use super::compare::Agreement;
use super::conversation::Tools;
use super::oracle::Prepared;
use super::pools::{Probe, ProbeOrigin};
use super::python::{PortSide, observe};
use super::small_scope::SmallScope;
use super::value::Outcome;
use super::{ContractError, ContractRequest};

/// How many differing calls are held against the upstream.
const HELD_MAX: usize = 40;

/// What is to be told apart.
#[derive(Debug, Clone, Copy)]
pub struct SearchRequest<'a> {
    /// The contract; its candidate is the changed version.
    pub contract: &'a ContractRequest<'a>,
    /// The version that is known to be right.
    pub original: &'a PortSide,
    /// Texts of code whose literals the calls are made of.
    pub code: &'a [&'a str],
    /// Seeds the calls.
    pub seed: &'a str,
    /// How many calls of each way to call an item are made.
    pub calls_max: usize,
}

/// What the search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A call on which the changed version differs from the upstream, and the original does not.
    Wrong {
        /// The call, as the port's language writes it.
        call: String,
        /// What the upstream does.
        upstream: String,
        /// What the changed version does.
        port: String,
    },
    /// Calls on which both versions differ, but in nothing that the relation holds against a port: a text of
    /// an error, a class that is linked to nothing, a float within its tolerance.
    Tolerated {
        /// The call.
        call: String,
        /// What the original does.
        original: String,
        /// What the changed version does.
        port: String,
    },
    /// No call on which they differ.
    Alike {
        /// How many calls were made.
        calls: usize,
    },
}

/// Looks for a call that tells the candidate from the original.
pub fn search(tools: &Tools<'_>, request: &SearchRequest<'_>) -> Result<Found, ContractError> {
    let Prepared::Ready(oracle) = request.contract.upstream else { return Ok(Found::Alike { calls: 0 }) };
    let check = Check::new(tools, request.contract, oracle);
    let probes = calls(&check, request);
    let changed = observe(tools, request.contract.candidate, &check.targets, 0..0, &probes)?.outcomes;
    let original = observe(tools, request.original, &check.targets, 0..0, &probes)?.outcomes;
    let made = probes.len();
    let mut differing: Vec<(Probe, Outcome, Outcome)> = probes
        .into_iter()
        .zip(original)
        .zip(changed)
        .filter(|((_, original), changed)| original != changed)
        .map(|((probe, original), changed)| (probe, original, changed))
        .collect();
    differing.sort_by_key(|(probe, ..)| super::shrink::size(&probe.arguments));
    differing.truncate(HELD_MAX);
    let held: Vec<Probe> = differing.iter().map(|(probe, ..)| probe.clone()).collect();
    let upstream = oracle.observe(tools, &held)?.outcomes;
    let descriptions = observe(tools, request.original, &check.targets, check.described(), &[])?;
    let profile = check.profile(&descriptions.descriptions);
    let mut tolerated = None;
    for ((probe, original, changed), upstream) in differing.into_iter().zip(upstream) {
        let upstream = check.as_asked(&probe, upstream);
        let agreement = |port: &Outcome| check.agreement(&profile, &probe, &upstream, port);
        let call = check.call(&probe).unwrap_or_default();
        match (agreement(&changed), agreement(&original)) {
            (Agreement::Different, Agreement::Same) => {
                let (upstream, port) = (upstream.to_string(), changed.to_string());
                return Ok(Found::Wrong { call, upstream, port });
            }
            (_, Agreement::Same) => {
                tolerated.get_or_insert_with(|| Found::Tolerated {
                    call,
                    original: original.to_string(),
                    port: changed.to_string(),
                });
            }
            (_, Agreement::Different | Agreement::Unobserved { .. } | Agreement::NotComparable { .. }) => {}
        }
    }
    Ok(tolerated.unwrap_or(Found::Alike { calls: made }))
}

/// The calls of every way to call the asked items.
fn calls(check: &Check<'_>, request: &SearchRequest<'_>) -> Vec<Probe> {
    let functions = &check.oracle.plan().functions;
    let mut all = Vec::new();
    for (at, function) in functions.iter().enumerate() {
        let is_asked = request.contract.items.iter().any(|item| item.item == function.item);
        if !is_asked || function.refused.is_some() || !check.can_make(function) {
            continue;
        }
        let text = request.contract.snapshot.items.get(&function.item).map(|item| item.text.as_str());
        let code: Vec<&str> = request.code.iter().copied().chain(text).collect();
        let seed = format!("{} {} {}", request.seed, function.item, function.instance);
        let mut scope = SmallScope::new(&seed, &code);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..request.calls_max {
            let arguments = scope.arguments(&function.shapes);
            if seen.insert(arguments.clone()) {
                let origin = ProbeOrigin::Generated;
                all.push(Probe { function: at, arguments, origin, may_be_shown: true });
            }
        }
    }
    all
}
