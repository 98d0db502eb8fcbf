//! Which of the waiting items a run takes up: what nothing that waits is used by comes first, and what was refused as
//! a whole is asked for in halves.

use std::collections::BTreeSet;

use upstream::ItemPath;

use crate::unit::{Plan, UnitId, UnitKind, UnitMember, WorkUnit};

/// What earlier runs came to.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Portions that the gate refused as a whole, with the port as it stands now.
    pub refused: Vec<BTreeSet<ItemPath>>,
    /// Portions of which the gate could not tell, with the port as it stands now: too little could be compared.
    pub unsure: Vec<BTreeSet<ItemPath>>,
    /// Portions of a single unit that the gate refused, whatever the port was then.
    pub refused_alone: Vec<BTreeSet<ItemPath>>,
}

impl Past {
    /// Whether a unit was refused by itself: it is not taken up again.
    pub fn is_refused(&self, unit: &WorkUnit) -> bool {
        self.refused_alone.contains(&items_of(&[unit]))
    }
}

/// The next portion of a plan over everything that waits, of one wave: nothing is asked for in vain whose callee fails. `None`
/// when nothing is left that uses only what is in the port.
///
/// `waits` says of an item that it is still to be asked for; what is in the plan and does not wait was asked for and
/// parked, and what uses that is not taken up.
pub fn next_wave(
    plan: &Plan,
    waits: &dyn Fn(&ItemPath) -> bool,
    past: &Past,
    units_max: usize,
) -> Option<BTreeSet<ItemPath>> {
    let is_open = |unit: &WorkUnit| !past.is_refused(unit) && items_of(&[unit]).iter().any(waits);
    // In the order of the plan what is used stands before what uses it.
    let (mut stuck, mut free): (BTreeSet<&UnitId>, Vec<&WorkUnit>) = <_>::default();
    for unit in &plan.units {
        if !is_open(unit) || unit.after.iter().any(|used| stuck.contains(used)) {
            stuck.insert(&unit.id);
        } else {
            free.push(unit);
        }
    }
    let first = *free.first()?;
    let stage = |unit: &WorkUnit| (unit.kind == UnitKind::Test, unit.wave);
    let of_wave = free.iter().take_while(|unit| stage(unit) == stage(first)).count();
    chosen(&free, past, of_wave.min(units_max.max(1)))
}

/// The first of these units that may be taken up together, in their order; tests only behind all code, which they test.
pub fn together(units: &[&WorkUnit], past: &Past, units_max: usize) -> Option<BTreeSet<ItemPath>> {
    let units: Vec<&WorkUnit> = units.iter().copied().filter(|unit| !past.is_refused(unit)).collect();
    let is_test = |unit: &WorkUnit| unit.kind == UnitKind::Test;
    let first = *units.first()?;
    let alike = units.iter().take_while(|unit| is_test(unit) == is_test(first)).count();
    chosen(&units, past, alike.min(units_max.max(1)))
}

/// The types of a unit of which members are in it as well, with those.
pub fn types_of(unit: &WorkUnit) -> Vec<(ItemPath, BTreeSet<ItemPath>)> {
    let members_of = |of: &UnitMember| -> BTreeSet<ItemPath> {
        let is_below = |member: &&UnitMember| member.symbol.parent().as_ref() == Some(&of.symbol);
        unit.members.iter().filter(is_below).map(|member| member.change.path().clone()).collect()
    };
    let pairs = unit.members.iter().map(|member| (member.change.path().clone(), members_of(member)));
    pairs.filter(|(_, members)| !members.is_empty()).collect()
}

/// The first units that were not refused together; more of them where too few could not be told.
fn chosen(units: &[&WorkUnit], past: &Past, mut size: usize) -> Option<BTreeSet<ItemPath>> {
    loop {
        let found = units.get(..size).and_then(|units| untried(units, past));
        if found.is_some() || size >= units.len() {
            return found;
        }
        size = (size * 2).min(units.len());
    }
}

fn untried(units: &[&WorkUnit], past: &Past) -> Option<BTreeSet<ItemPath>> {
    let items = items_of(units);
    if past.unsure.contains(&items) {
        return None;
    }
    if !past.refused.contains(&items) {
        return Some(items);
    }
    let (one, other) = units.split_at_checked(units.len() / 2)?;
    if one.is_empty() { None } else { untried(one, past).or_else(|| untried(other, past)) }
}

fn items_of(units: &[&WorkUnit]) -> BTreeSet<ItemPath> {
    units.iter().flat_map(|unit| &unit.members).map(|member| member.change.path().clone()).collect()
}

#[cfg(test)]
mod tests {
    use upstream::diff::ItemChange;

    use super::*;
    use crate::testing::{function, path, snapshot, symbol_path};

    fn unit(id: &str, wave: u32, after: &[&str]) -> WorkUnit {
        let change = ItemChange::Added { after: function(id, "") };
        let member = UnitMember {
            change,
            symbol: symbol_path(&id.replace("::", ".")),
            file: "k.py".to_owned(),
            edited_by_hand: false,
        };
        WorkUnit {
            id: UnitId::new(id).unwrap(),
            kind: if id.contains("test") { UnitKind::Test } else { UnitKind::Add },
            members: vec![member],
            reason: String::new(),
            impacted: Vec::new(),
            after: after.iter().map(|id| UnitId::new(*id).unwrap()).collect(),
            wave,
            tokens_estimate: 0,
        }
    }

    fn plan() -> Plan {
        Plan {
            revision: snapshot("1.0.0", []).revision,
            units: vec![
                unit("k::a", 0, &[]),
                unit("k::b", 0, &[]),
                unit("k::c", 1, &["k::a"]),
                unit("k::d", 2, &["k::c"]),
                unit("k::test", 3, &["k::d"]),
            ],
            skipped: Vec::new(),
            later: Vec::new(),
        }
    }

    fn set(items: &[&str]) -> BTreeSet<ItemPath> {
        items.iter().map(|item| path(item)).collect()
    }

    fn next(done: &[&str], past: &Past, units_max: usize) -> Option<BTreeSet<ItemPath>> {
        let done = set(done);
        next_wave(&plan(), &|item| !done.contains(item), past, units_max)
    }

    #[test]
    fn waves_come_one_after_the_other_and_no_portion_is_too_large() {
        let past = Past::default();
        assert_eq!(next(&[], &past, 9), Some(set(&["k::a", "k::b"])));
        assert_eq!(next(&[], &past, 1), Some(set(&["k::a"])));
        assert_eq!(next(&["k::a", "k::b", "k::c", "k::d", "k::test"], &past, 9), None);
    }

    #[test]
    fn what_uses_something_parked_is_not_taken_up() {
        let past = Past::default();
        // `b` was asked for and is still in the plan: it is parked, and nothing depends on it.
        assert_eq!(next(&["k::b"], &past, 9), Some(set(&["k::a"])));
        // `a` is parked, and everything else waits for it.
        assert_eq!(next(&["k::a", "k::b"], &past, 9), None);
    }

    #[test]
    fn what_was_refused_together_is_asked_for_in_halves_and_alone_no_more() {
        let mut past = Past { refused: vec![set(&["k::a", "k::b"])], ..Past::default() };
        assert_eq!(next(&[], &past, 9), Some(set(&["k::a"])));
        past.refused.push(set(&["k::a"]));
        assert_eq!(next(&[], &past, 9), Some(set(&["k::b"])));
        past.refused_alone.push(set(&["k::a"]));
        past.refused.clear();
        assert_eq!(next(&[], &past, 9), Some(set(&["k::b"])));
    }

    #[test]
    fn what_could_not_be_told_is_asked_for_with_more() {
        let past = Past { unsure: vec![set(&["k::a", "k::b"])], ..Past::default() };
        assert_eq!(next(&[], &past, 9), Some(set(&["k::a", "k::b", "k::c", "k::d"])));
        let all = set(&["k::a", "k::b", "k::c", "k::d", "k::test"]);
        let past = Past { unsure: vec![set(&["k::a"]), set(&["k::a", "k::b"]), all], ..Past::default() };
        assert_eq!(
            next(&[], &past, 1),
            Some(set(&["k::a", "k::b", "k::c", "k::d"])),
            "it skips what was tried"
        );
    }

    #[test]
    fn code_comes_together_and_tests_behind_it() {
        let plan = plan();
        let units: Vec<&WorkUnit> = plan.units.iter().collect();
        let past = Past::default();
        assert_eq!(together(&units, &past, 9), Some(set(&["k::a", "k::b", "k::c", "k::d"])));
        assert_eq!(together(&units[4..], &past, 9), Some(set(&["k::test"])));
        let past = Past { refused_alone: vec![set(&["k::test"])], ..Past::default() };
        assert_eq!(together(&units[4..], &past, 9), None);
    }

    #[test]
    fn types_are_told_with_their_members() {
        let mut whole = unit("k::T", 0, &[]);
        whole.members.extend(unit("k::T::go", 0, &[]).members);
        whole.members.extend(unit("k::f", 0, &[]).members);
        assert_eq!(types_of(&whole), [(path("k::T"), set(&["k::T::go"]))]);
        assert!(types_of(&unit("k::f", 0, &[])).is_empty());
    }
}
