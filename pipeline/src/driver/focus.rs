//! A plan made from what differs: of the upstream only the packages that changed are read, and those of which something
//! is open.
//!
//! Names are resolved within a crate, so a change is felt in its own crate alone, and the plan of the whole differs in
//! nothing. What is open at the baseline itself does not depend on the target: it is found once, over the whole, and
//! kept by what it depends on ([`Standing`]). Where it cannot be told that less will do, the whole is planned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use mappings::plan::{PlanInput, plan};
use mappings::{Lock, Plan};
use serde::{Deserialize, Serialize};
use upstream::snapshot::Changed;
use upstream::{ContentHash, ItemPath, Revision, Snapshot};

use super::planning::Current;
use crate::engine::Head;
use crate::session::Session;

/// The form of what is kept, and the rules by which it was found: another number, and it is found anew.
const FORMAT: &str = "1";

/// How many states are kept; the oldest go.
const KEPT_MAX: usize = 16;

/// What is known of a port and its baseline, whatever the target.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    /// The crates in which something is to be done or told at the baseline already: parked, held, left to a person.
    open: BTreeSet<String>,
    /// By file, the crates that take it in from the folder of another package.
    reached: BTreeMap<String, BTreeSet<String>>,
}

impl Current {
    /// Like [`Self::make`], for those who look at the plan alone. What the snapshots, the lock and the diff hold is what
    /// was looked at, and no more.
    pub(crate) fn look(session: &Session, target: &Revision, head: &Head, at_ms: i64) -> Result<Self> {
        let lock = session.lock(&head.tree)?;
        // What people decided of revisions looks into their history.
        if !session.settings.decisions.all().is_empty() {
            return Self::make(session, target, head, at_ms);
        }
        let place = place(session, head);
        let Some(standing) = read(&place) else {
            let whole = Self::make(session, target, head, at_ms)?;
            write(&place, &standing(session, &whole)?);
            return Ok(whole);
        };
        let baseline = session.revision(lock.baseline.as_str())?;
        let changed = session.changed(&baseline, target, &standing.open, &standing.reached)?;
        let Some(changed) = changed.filter(|changed| is_enough(&lock, changed)) else {
            return Self::make(session, target, head, at_ms);
        };
        let Changed { before, after, left_out } = changed;
        let lock = focused(&lock, &left_out);
        Self::over(session, (Arc::new(before), Arc::new(after)), Arc::new(lock), head, (at_ms, None))
    }
}

/// Whether the plan of the whole could find something in what was left out: a link whose item went, and that may be the
/// one that a rule had no place for in another crate.
fn is_enough(lock: &Lock, changed: &Changed) -> bool {
    let is_left_out = |item: &ItemPath| changed.left_out.contains(item.krate());
    let is_gone = |item: &ItemPath| {
        !is_left_out(item) && !changed.after.items.contains_key(item) && !lock.held.contains_key(item)
    };
    let is_elsewhere = |item: &ItemPath| is_left_out(item) && !lock.links.contains_key(item);
    !(lock.held.keys().any(is_elsewhere) && lock.links.keys().any(is_gone))
}

/// A lock that speaks of nothing in these crates.
fn focused(lock: &Lock, left_out: &BTreeSet<String>) -> Lock {
    fn kept<T: Clone>(rows: &BTreeMap<ItemPath, T>, left_out: &BTreeSet<String>) -> BTreeMap<ItemPath, T> {
        let kept = rows.iter().filter(|(item, _)| !left_out.contains(item.krate()));
        kept.map(|(item, row)| (item.clone(), row.clone())).collect()
    }
    Lock {
        links: kept(&lock.links, left_out),
        parked: kept(&lock.parked, left_out),
        held: kept(&lock.held, left_out),
        source: lock.source.clone(),
        baseline: lock.baseline.clone(),
        commit: lock.commit.clone(),
        revisions: lock.revisions.clone(),
    }
}

/// What stands open at the baseline, found over the whole.
fn standing(session: &Session, whole: &Current) -> Result<Standing> {
    let again: Plan = plan(&PlanInput {
        target: &whole.baseline,
        baseline: &whole.baseline,
        lock: &whole.lock,
        item_at: &|label, item| session.item_at(label, item),
        mapping: &session.settings.mapping,
        symbols: &whole.symbols,
        uses: &*session.uses(&whole.head.tree)?,
        holds: &whole.holds,
    })?;
    let units = again.units.iter().flat_map(|unit| &unit.members).map(|member| member.change.path());
    let told = again.skipped.iter().filter(|skip| !skip.carried).map(|skip| &skip.item);
    let waiting = whole.lock.parked.keys();
    let open = units.chain(told).chain(waiting).map(|item| item.krate().to_owned()).collect();
    Ok(Standing { open, reached: reached(&whole.baseline) })
}

/// The files that stand in the folder of another package than the crate that takes them in.
fn reached(baseline: &Snapshot) -> BTreeMap<String, BTreeSet<String>> {
    let folders: BTreeSet<&str> = baseline.packages.iter().map(|package| package.folder.as_str()).collect();
    let home = |file: &str| {
        let above = file.match_indices('/').rev().filter_map(|(at, _)| file.get(..at)).chain([""]);
        above.into_iter().find(|folder| folders.contains(folder)).map(str::to_owned)
    };
    let mut homes: BTreeMap<&str, Option<String>> = BTreeMap::new();
    let roots = baseline.items.values().filter(|item| item.path.as_str() == item.path.krate());
    for root in roots {
        homes.insert(root.path.krate(), home(&root.file));
    }
    let mut reached: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut known: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for item in baseline.items.values() {
        let of_file = known.entry(item.file.as_str()).or_insert_with(|| home(&item.file));
        if homes.get(item.path.krate()) != Some(of_file) {
            reached.entry(item.file.clone()).or_default().insert(item.path.krate().to_owned());
        }
    }
    reached
}

/// Where the standing of this port is kept: its tree holds the lock, and with it the baseline.
fn place(session: &Session, head: &Head) -> PathBuf {
    let parts = [FORMAT, head.tree.as_str(), &session.settings.digest.to_string()];
    let name = ContentHash::of_parts(parts).to_string();
    session.settings.state.join("cache").join("standing").join(format!("{name}.json"))
}

fn read(place: &PathBuf) -> Option<Standing> {
    serde_json::from_slice(&std::fs::read(place).ok()?).ok()
}

/// Losing it costs time and nothing else.
fn write(place: &PathBuf, standing: &Standing) {
    let Some(folder) = place.parent() else { return };
    let known = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut known: Vec<_> =
        known.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    known.sort();
    let over = (known.len() + 1).saturating_sub(KEPT_MAX);
    for (_, path) in known.into_iter().take(over) {
        drop(std::fs::remove_file(path));
    }
    let written = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, standing)?;
        file.persist(place)?;
        Ok(())
    };
    drop(written());
}
