//! `tidelock contract derive`: what would be probed, and why the rest cannot.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use port::contract::{
    Derived, Examples, Pools, ProbePlan, Profile, Recorded, derive, plan_items, public_paths,
};
use port::sandbox::Unconfined;
use reports::count;
use serde::Serialize;
use upstream::harvest::{self, HarvestedCall};
use upstream::{ItemPath, Snapshot};

use super::super::{CliError, Context, ExitCode};
use super::args::ContractItems;
use super::asked::Opened;
use crate::driver::{DEVELOPMENT_SEED, Oracles};

/// One linked item.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) item: String,
    pub(super) symbol: String,
    /// Its signature; empty where it is no function.
    pub(super) signature: String,
    /// The ways to call it.
    pub(super) calls: Vec<Call>,
    /// The methods that tell of it, where its own result keeps to itself.
    pub(super) observed_by: Vec<String>,
    /// Why there is none; empty where there is.
    pub(super) not_probed: String,
}

/// One way to call it.
#[derive(Debug, Serialize)]
pub(super) struct Call {
    pub(super) instance: String,
    pub(super) receiver: String,
    pub(super) arguments: Vec<String>,
    pub(super) relation: String,
    pub(super) harvested: usize,
    /// Calls that the upstream's own tests were seen to make; 0 before they ran.
    pub(super) recorded: usize,
    pub(super) generated: usize,
    pub(super) deciding: usize,
    pub(super) boundaries_left_out: usize,
    pub(super) literals: Vec<String>,
}

pub(super) fn run(context: &Context, args: &ContractItems) -> Result<ExitCode, CliError> {
    let opened = Opened::new(context)?;
    let items = opened.items(&args.items)?;
    let rows = rows(&opened, &items)?;
    if context.format.is_json() {
        context.json(&rows)?;
    } else {
        context.console.data(&text(&rows));
    }
    Ok(ExitCode::Done)
}

/// What would be probed for these items.
pub(super) fn rows(
    opened: &Opened,
    items: &[(ItemPath, mappings::SymbolPath)],
) -> Result<Vec<Row>, CliError> {
    let snapshot: &Snapshot = &opened.baseline;
    let paths: Vec<ItemPath> = items.iter().map(|(item, _)| item.clone()).collect();
    let plan = plan_items(snapshot, &paths, &public_paths(snapshot));
    let tree =
        opened.session.mirror.repo().tree(&snapshot.revision.commit).map_err(|error| anyhow!(error))?;
    let harvested: Vec<HarvestedCall> =
        harvest::calls(&tree, snapshot).map_err(|error| anyhow!(error))?.calls;
    let pools = Pools {
        development_seed: DEVELOPMENT_SEED.to_owned(),
        // The deciding pool is only counted here, and made from another seed in each run.
        deciding_seed: String::new(),
        probes_max: usize::try_from(opened.session.settings.probes / 2).unwrap_or(usize::MAX).max(1),
    };
    // Nothing is run for it: what a check recorded before is shown.
    let recorded = Oracles::new(&opened.session, &Unconfined)
        .and_then(|oracles| oracles.recorded_before(snapshot))
        .unwrap_or_default();
    let nothing = Recorded::default();
    let mut calls: BTreeMap<&ItemPath, Vec<Call>> = BTreeMap::new();
    for function in &plan.functions {
        let recorded = recorded.get(function.item.krate()).unwrap_or(&nothing);
        let examples = Examples { harvested: &harvested, recorded };
        let derived = derive(function, snapshot, examples, &pools, &Profile::default());
        calls.entry(&function.item).or_default().push(call(derived));
    }
    let row = |(item, symbol): &(ItemPath, mappings::SymbolPath)| Row {
        item: item.to_string(),
        symbol: symbol.to_string(),
        signature: signature(snapshot, item),
        calls: calls.remove(item).unwrap_or_default(),
        observed_by: observers(&plan, item),
        not_probed: plan.not_probed.get(item).cloned().unwrap_or_default(),
    };
    Ok(items.iter().map(row).collect())
}

/// The methods that are called on what it makes, by name.
fn observers(plan: &ProbePlan, item: &ItemPath) -> Vec<String> {
    let names: BTreeSet<&ItemPath> = plan.observers(item).map(|function| &function.item).collect();
    names.into_iter().map(ToString::to_string).collect()
}

fn call(derived: Derived) -> Call {
    let Derived {
        instance,
        receiver,
        arguments,
        relation,
        harvested,
        recorded,
        generated,
        deciding,
        left_out,
        literals,
    } = derived;
    Call {
        instance,
        receiver,
        arguments,
        relation,
        harvested,
        recorded,
        generated,
        deciding,
        boundaries_left_out: left_out,
        literals,
    }
}

fn signature(snapshot: &Snapshot, item: &ItemPath) -> String {
    let Some(signature) = snapshot.items.get(item).and_then(|item| item.signature.as_ref()) else {
        return String::new();
    };
    let own = signature.receiver.iter().map(|_| "self".to_owned());
    let given = signature.parameters.iter().map(|parameter| format!("{}: {}", parameter.name, parameter.ty));
    let generics = if signature.generics.is_empty() {
        String::new()
    } else {
        format!("<{}>", signature.generics.join(", "))
    };
    let parameters: Vec<String> = own.chain(given).collect();
    format!("fn {}{generics}({}) -> {}", item.name(), parameters.join(", "), signature.output)
}

fn text(rows: &[Row]) -> String {
    let mut lines = Vec::new();
    let is_probed = |row: &&Row| !row.calls.is_empty() || !row.observed_by.is_empty();
    let (probed, left): (Vec<_>, Vec<_>) = rows.iter().partition(is_probed);
    lines.push(format!(
        "{} linked: {} can be probed, {} cannot",
        count(rows.len() as u64, "item"),
        probed.len(),
        left.len()
    ));
    for row in probed {
        lines.push(format!("{} = {}", row.item, row.symbol));
        if !row.observed_by.is_empty() {
            lines.push(format!("  by what it makes: {}", row.observed_by.join(", ")));
        }
        for call in &row.calls {
            let instance =
                if call.instance.is_empty() { String::new() } else { format!(" [{}]", call.instance) };
            lines.push(format!(
                "  ({}){instance}: {} harvested, {} recorded, {} generated, {} deciding; {}",
                call.arguments.join(", "),
                call.harvested,
                call.recorded,
                call.generated,
                call.deciding,
                call.relation
            ));
        }
    }
    if !left.is_empty() {
        lines.push("not probed:".to_owned());
    }
    lines.extend(left.iter().map(|row| format!("  {}: {}", row.item, row.not_probed)));
    lines.join("\n") + "\n"
}
