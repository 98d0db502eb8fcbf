//! Which of the waiting items a run takes up: what nothing that waits is used by comes first, and what was refused as
//! a whole is asked for in halves.

use std::collections::BTreeSet;

use upstream::ItemPath;

use crate::unit::{Plan, UnitId, UnitKind, UnitMember, WorkUnit};

/// What one run takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portion {
    /// The items.
    pub items: BTreeSet<ItemPath>,
    /// Whether they use what could not be ported: then nobody is asked who costs money.
    pub is_blocked: bool,
}

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

/// What is known of the items of a plan over everything that waits.
#[derive(Clone, Copy)]
pub struct Standing<'a> {
    /// Whether an item is still to be asked for. What is in the plan and does not wait was asked for and parked.
    pub waits: &'a dyn Fn(&ItemPath) -> bool,
    /// Whether a type was asked for without its members, which are given: then it is not again.
    pub was_apart: &'a dyn Fn(&ItemPath, &BTreeSet<ItemPath>) -> bool,
    /// What earlier runs came to.
    pub past: &'a Past,
}

impl std::fmt::Debug for Standing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing").field("past", &self.past).finish_non_exhaustive()
    }
}

/// The next portion of a plan over everything that waits; `None` when nothing is left to ask for.
///
/// With `wave_by_wave` a portion is of one wave, so that nothing is asked for in vain whose callee fails. At the end the
/// types that could not be ported with all their members are taken up alone: once they are there, their members are units
/// of their own.
pub fn next_portion(
    plan: &Plan,
    standing: Standing<'_>,
    (units_max, wave_by_wave): (usize, bool),
) -> Option<Portion> {
    let Standing { waits, past, .. } = standing;
    let is_out = |unit: &WorkUnit| past.refused_alone.contains(&items_of(&[unit]));
    let is_open = |unit: &&WorkUnit| !is_out(unit) && items_of(&[unit]).iter().any(waits);
    let open: BTreeSet<&UnitId> = plan.units.iter().filter(is_open).map(|unit| &unit.id).collect();
    // In the order of the plan what is used stands before what uses it.
    let mut stuck: BTreeSet<&UnitId> = BTreeSet::new();
    for unit in &plan.units {
        if !open.contains(&unit.id) || unit.after.iter().any(|used| stuck.contains(used)) {
            stuck.insert(&unit.id);
        }
    }
    let (blocked, free): (Vec<&WorkUnit>, Vec<&WorkUnit>) = plan
        .units
        .iter()
        .filter(|unit| open.contains(&unit.id))
        .partition(|unit| stuck.contains(&unit.id));
    let limits = |wave_by_wave| (units_max.max(1), wave_by_wave);
    let portion = |units: &[&WorkUnit], is_blocked| Portion { items: items_of(units), is_blocked };
    chosen(&free, past, limits(wave_by_wave))
        .map(|units| portion(&units, false))
        .or_else(|| chosen(&blocked, past, limits(false)).map(|units| portion(&units, true)))
        .or_else(|| types_apart(plan, standing, units_max))
}

/// Types of units that were asked for as a whole and are parked, without their members.
fn types_apart(plan: &Plan, standing: Standing<'_>, units_max: usize) -> Option<Portion> {
    let parked = plan.units.iter().filter(|unit| unit.kind != UnitKind::Test);
    let types: Vec<ItemPath> = parked.flat_map(|unit| types_of(unit, standing)).take(units_max.max(1)).collect();
    let all: BTreeSet<ItemPath> = types.iter().cloned().collect();
    let was_tried = |items: &BTreeSet<ItemPath>| {
        let Past { refused, unsure, refused_alone } = standing.past;
        [refused, unsure, refused_alone].into_iter().any(|tried| tried.contains(items))
    };
    let one_by_one = types.into_iter().map(|item| BTreeSet::from([item]));
    let items = std::iter::once(all).chain(one_by_one).find(|items| !items.is_empty() && !was_tried(items))?;
    Some(Portion { items, is_blocked: true })
}

fn types_of<'a>(unit: &'a WorkUnit, standing: Standing<'a>) -> impl Iterator<Item = ItemPath> + 'a {
    let members_of = |of: &UnitMember| -> BTreeSet<ItemPath> {
        let is_below = |member: &&UnitMember| member.symbol.parent().as_ref() == Some(&of.symbol);
        unit.members.iter().filter(is_below).map(|member| member.change.path().clone()).collect()
    };
    unit.members.iter().filter_map(move |member| {
        let (item, members) = (member.change.path(), members_of(member));
        let is_type = !members.is_empty() && !members.contains(item);
        (is_type && !(standing.was_apart)(item, &members)).then(|| item.clone())
    })
}

/// The first units that were not refused together; more of them where too few could not be told.
fn chosen<'p>(
    units: &[&'p WorkUnit],
    past: &Past,
    (units_max, wave_by_wave): (usize, bool),
) -> Option<Vec<&'p WorkUnit>> {
    let first = units.first()?;
    let stage = |unit: &WorkUnit| (unit.kind == UnitKind::Test, unit.wave);
    let together = if wave_by_wave {
        units.iter().take_while(|unit| stage(unit) == stage(first)).count()
    } else {
        // Tests are judged one by one, by what they test: that lands before.
        units.iter().take_while(|unit| (unit.kind == UnitKind::Test) == (first.kind == UnitKind::Test)).count()
    };
    let mut size = together.min(units_max);
    loop {
        let found = units.get(..size).and_then(|units| untried(units, past));
        if found.is_some() || size == units.len() {
            return found;
        }
        size = (size * 2).min(units.len());
    }
}

fn untried<'p>(units: &[&'p WorkUnit], past: &Past) -> Option<Vec<&'p WorkUnit>> {
    let items = items_of(units);
    if past.unsure.contains(&items) {
        return None;
    }
    if !past.refused.contains(&items) {
        return Some(units.to_vec());
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
    use crate::unit::UnitMember;

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

    fn next(done: &[&str], past: &Past, limits: (usize, bool)) -> Option<(Vec<String>, bool)> {
        let done = set(done);
        let standing = Standing { waits: &|item| !done.contains(item), was_apart: &|_, _| true, past };
        let portion = next_portion(&plan(), standing, limits)?;
        Some((portion.items.iter().map(ToString::to_string).collect(), portion.is_blocked))
    }

    fn told(items: &[&str], is_blocked: bool) -> Option<(Vec<String>, bool)> {
        Some((items.iter().map(|item| (*item).to_owned()).collect(), is_blocked))
    }

    #[test]
    fn waves_come_one_after_the_other_and_no_portion_is_too_large() {
        let past = Past::default();
        assert_eq!(next(&[], &past, (9, true)), told(&["k::a", "k::b"], false));
        assert_eq!(next(&[], &past, (1, true)), told(&["k::a"], false));
        assert_eq!(next(&[], &past, (9, false)), told(&["k::a", "k::b", "k::c", "k::d"], false));
        assert_eq!(next(&["k::a", "k::b", "k::c", "k::d", "k::test"], &past, (9, true)), None);
    }

    #[test]
    fn what_uses_something_parked_is_left_to_those_who_cost_nothing() {
        let past = Past::default();
        // `b` was asked for and is still in the plan: it is parked, and nothing depends on it.
        assert_eq!(next(&["k::b"], &past, (9, true)), told(&["k::a"], false));
        // `a` is parked, and everything behind it waits for it.
        assert_eq!(next(&["k::a", "k::b"], &past, (9, true)), told(&["k::c", "k::d"], true));
    }

    #[test]
    fn a_type_that_failed_with_its_members_is_taken_up_alone_at_the_end_and_once() {
        let mut whole = unit("k::T", 0, &[]);
        whole.members.extend(unit("k::T::go", 0, &[]).members);
        whole.members.extend(unit("k::f", 0, &[]).members);
        let plan = Plan { units: vec![whole], ..plan() };
        let next = |was_apart: bool, past: &Past| {
            let was_apart = |item: &ItemPath, members: &BTreeSet<ItemPath>| {
                assert_eq!((item, members), (&path("k::T"), &set(&["k::T::go"])));
                was_apart
            };
            let standing = Standing { waits: &|_| false, was_apart: &was_apart, past };
            next_portion(&plan, standing, (9, true)).map(|portion| portion.items)
        };
        assert_eq!(next(false, &Past::default()), Some(set(&["k::T"])));
        assert_eq!(next(true, &Past::default()), None);
        assert_eq!(next(false, &Past { refused_alone: vec![set(&["k::T"])], ..Past::default() }), None);
    }

    #[test]
    fn what_was_refused_together_is_asked_for_in_halves_and_alone_no_more() {
        let mut past = Past { refused: vec![set(&["k::a", "k::b"])], ..Past::default() };
        assert_eq!(next(&[], &past, (9, true)), told(&["k::a"], false));
        past.refused.push(set(&["k::a"]));
        assert_eq!(next(&[], &past, (9, true)), told(&["k::b"], false));
        past.refused_alone.push(set(&["k::a"]));
        past.refused.clear();
        assert_eq!(next(&[], &past, (9, true)), told(&["k::b"], false));
    }

    #[test]
    fn what_could_not_be_told_is_asked_for_with_more() {
        let past = Past { unsure: vec![set(&["k::a", "k::b"])], ..Past::default() };
        assert_eq!(next(&[], &past, (9, true)), told(&["k::a", "k::b", "k::c", "k::d"], false));
        let all = set(&["k::a", "k::b", "k::c", "k::d", "k::test"]);
        let past = Past { unsure: vec![set(&["k::a"]), set(&["k::a", "k::b"]), all], ..Past::default() };
        let four = told(&["k::a", "k::b", "k::c", "k::d"], false);
        assert_eq!(next(&[], &past, (1, true)), four, "it ends, and skips what was tried");
    }
}
