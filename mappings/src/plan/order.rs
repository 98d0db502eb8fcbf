//! Members to units, and units to an order: what belongs together, callees first, removals and tests last.

use std::collections::{BTreeMap, BTreeSet};

use upstream::ItemPath;
use upstream::snapshot::{ItemKind, RustType};

use super::member::Planned;
use crate::graph::CallGraph;
use crate::symbol::{SymbolPath, SymbolTable};
use crate::unit::{UnitId, UnitKind, UnitMember, WorkUnit};

/// Tokens of a request apart from its texts: instructions, style, neighbours.
const REQUEST_TOKENS: u64 = 2_000;
/// Members that only call each other are one unit up to so many bytes of texts; with what stands around them they then
/// fit a request.
const GROUP_BYTES_MAX: usize = 40_000;
/// Bytes of source text that make one token, about.
const BYTES_PER_TOKEN: u64 = 4;

/// The units in the order in which they are to be done.
pub(super) fn units(
    mut planned: Vec<Planned>,
    calls: &CallGraph<ItemPath>,
    symbols: &SymbolTable,
) -> Vec<WorkUnit> {
    planned.sort_by(|one, other| one.member.change.path().cmp(other.member.change.path()));
    let mut groups = split_long(group(planned, calls, true), symbols);
    // Removals come after what called them, tests after everything; the sort keeps callees first otherwise.
    groups.sort_by_key(|group| stage(kind_of(group)));
    let ids: Vec<UnitId> = groups.iter().map(|group| id_of(group)).collect();
    let unit_of = owners(&groups, &ids);
    let before =
        CallGraph::edges_of_items(groups.iter().flatten().filter_map(|one| one.member.change.before()));
    let mut waves: BTreeMap<UnitId, u32> = BTreeMap::new();
    let mut units: Vec<WorkUnit> = Vec::new();
    for (group, id) in groups.into_iter().zip(ids) {
        let kind = kind_of(&group);
        let depends =
            if kind == UnitKind::Remove { callers(&group, &before) } else { callees(&group, calls) };
        let after: BTreeSet<UnitId> = depends
            .into_iter()
            .filter_map(|item| unit_of.get(&item).cloned())
            .filter(|other| *other != id && waves.contains_key(other))
            .collect();
        let behind = after.iter().filter_map(|id| waves.get(id)).max().map_or(0, |wave| wave + 1);
        let floor = if kind == UnitKind::Test { tests_begin(&units) } else { 0 };
        let wave = behind.max(floor);
        waves.insert(id.clone(), wave);
        let tokens_estimate = tokens(&group, symbols);
        let reason = reason_of(&group);
        let members = group.into_iter().map(|one| one.member).collect();
        let after = after.into_iter().collect();
        units.push(WorkUnit {
            id,
            kind,
            members,
            reason,
            impacted: Vec::new(),
            after,
            wave,
            tokens_estimate,
        });
    }
    units.sort_by(|one, other| {
        let key = |unit: &WorkUnit| (unit.kind == UnitKind::Test, unit.wave);
        key(one).cmp(&key(other)).then_with(|| one.id.cmp(&other.id))
    });
    units
}

/// Groups members that call each other, share a symbol, or hold one another (a class and its method: an edit
/// of the one is an edit of the other). Groups come callees first.
fn group(planned: Vec<Planned>, calls: &CallGraph<ItemPath>, by_values: bool) -> Vec<Vec<Planned>> {
    let mut at_item: BTreeMap<&ItemPath, usize> = BTreeMap::new();
    let mut at_gone: BTreeMap<&ItemPath, usize> = BTreeMap::new();
    let mut at_symbol: BTreeMap<&SymbolPath, Vec<usize>> = BTreeMap::new();
    let mut relocated: BTreeMap<&SymbolPath, usize> = BTreeMap::new();
    let mut edges: Vec<(usize, usize)> = Vec::new();
    for (at, one) in planned.iter().enumerate() {
        // The symbols of an item that was split go together.
        let path = one.member.change.path();
        let known = if one.member.change.after().is_some() { &mut at_item } else { &mut at_gone };
        edges.extend(known.insert(path, at).into_iter().flat_map(|other| both(at, other)));
        at_symbol.entry(&one.member.symbol).or_default().push(at);
        if let Some(comes_at) = &one.comes_at {
            edges.extend(relocated.insert(comes_at, at).into_iter().flat_map(|other| both(at, other)));
        }
    }
    for (caller, at) in &at_item {
        let callees = calls.callees(caller);
        edges.extend(callees.into_iter().filter_map(|callee| Some((*at, *at_item.get(callee)?))));
    }
    if by_values {
        edges.extend(made_and_used(&planned));
    }
    for (symbol, sharing) in &at_symbol {
        edges.extend(
            sharing
                .windows(2)
                .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
                .flat_map(|(one, other)| both(one, other)),
        );
        let mut holder = symbol.parent();
        while let (Some(path), Some(one)) = (holder, sharing.first()) {
            edges.extend(
                at_symbol.get(&path).and_then(|at| at.first()).into_iter().flat_map(|at| both(*at, *one)),
            );
            holder = path.parent();
        }
    }
    let components = CallGraph::from_edges(0..planned.len(), edges).components();
    let mut planned: BTreeMap<usize, Planned> = planned.into_iter().enumerate().collect();
    components
        .into_iter()
        .map(|component| component.into_iter().filter_map(|at| planned.remove(&at)).collect())
        .collect()
}

/// What makes the values of a type, with the methods that read them, where both changed: how a value is held inside may
/// have changed with them, and then neither is right beside the other as it was.
fn made_and_used(planned: &[Planned]) -> Vec<(usize, usize)> {
    let mut of_type: BTreeMap<SymbolPath, [Vec<usize>; 2]> = BTreeMap::new();
    for (at, one) in planned.iter().enumerate() {
        let changed = one.member.change.after().filter(|item| {
            one.kind == UnitKind::Change
                && item.kind == ItemKind::Method
                && one.member.change.touches_behaviour()
        });
        if let (Some(item), Some(class)) = (changed, one.member.symbol.parent()) {
            let [makers, users] = of_type.entry(class.clone()).or_default();
            match item.signature.as_ref() {
                Some(signature) if signature.receiver.is_some() => users.push(at),
                Some(signature) if holds_own_type(&signature.output, class.name()) => makers.push(at),
                Some(_) | None => {}
            }
        }
    }
    let pairs = of_type.into_values().flat_map(|[makers, users]| {
        makers.into_iter().flat_map(move |maker| users.clone().into_iter().map(move |user| (maker, user)))
    });
    pairs.flat_map(|(maker, user)| both(maker, user)).collect()
}

/// Whether a result is a value of the type itself, or holds one: `Self`, `Option<Self>`.
fn holds_own_type(result: &RustType, name: &str) -> bool {
    match result {
        RustType::Named { path, arguments } => {
            path.last().is_some_and(|last| last == "Self" || last == name)
                || arguments.iter().any(|argument| holds_own_type(argument, name))
        }
        RustType::Tuple(parts) => parts.iter().any(|part| holds_own_type(part, name)),
        RustType::Reference { .. }
        | RustType::Slice(_)
        | RustType::Array { .. }
        | RustType::Never
        | RustType::Other(_) => false,
    }
}

/// Takes groups apart that are too long for one request, as far as their members only call each other. What shares a
/// symbol, or lies in another's, stays together: an edit of the one is an edit of the other.
fn split_long(groups: Vec<Vec<Planned>>, symbols: &SymbolTable) -> Vec<Vec<Planned>> {
    let is_long = |group: &Vec<Planned>| {
        group.len() > 1
            && group.iter().map(|one| member_bytes(&one.member, symbols)).sum::<usize>() > GROUP_BYTES_MAX
    };
    let apart = |planned: Vec<Planned>| {
        if is_long(&planned) { group(planned, &CallGraph::edges_of_items([]), false) } else { vec![planned] }
    };
    groups.into_iter().flat_map(apart).collect()
}

fn both(one: usize, other: usize) -> [(usize, usize); 2] {
    [(one, other), (other, one)]
}

fn stage(kind: UnitKind) -> u8 {
    match kind {
        UnitKind::Add | UnitKind::Change | UnitKind::Relocate => 0,
        UnitKind::Remove => 1,
        UnitKind::Test => 2,
    }
}

/// The kind that all members have; a mixture is a change.
fn kind_of(group: &[Planned]) -> UnitKind {
    let mut kinds = group.iter().map(|one| one.kind);
    let first = kinds.next().unwrap_or(UnitKind::Change);
    if kinds.all(|kind| kind == first) { first } else { UnitKind::Change }
}

fn id_of(group: &[Planned]) -> UnitId {
    let first = group.iter().map(|one| one.member.change.path().as_str()).min().unwrap_or_default();
    UnitId::new(first).expect("an item path is one line, and so is a unit id")
}

fn owners(groups: &[Vec<Planned>], ids: &[UnitId]) -> BTreeMap<ItemPath, UnitId> {
    let members = groups.iter().zip(ids).flat_map(|(group, id)| group.iter().map(move |one| (one, id)));
    members
        .flat_map(|(one, id)| {
            let change = &one.member.change;
            let paths = change.before().into_iter().chain(change.after()).map(|item| item.path.clone());
            paths.map(|path| (path, id.clone())).collect::<Vec<_>>()
        })
        .collect()
}

fn callees(group: &[Planned], calls: &CallGraph<ItemPath>) -> Vec<ItemPath> {
    let paths = group.iter().filter_map(|one| one.member.change.after());
    paths.flat_map(|item| calls.callees(&item.path)).cloned().collect()
}

fn callers(group: &[Planned], before: &CallGraph<ItemPath>) -> Vec<ItemPath> {
    let paths = group.iter().filter_map(|one| one.member.change.before());
    paths.flat_map(|item| before.callers(&item.path)).cloned().collect()
}

fn tests_begin(units: &[WorkUnit]) -> u32 {
    let others = units.iter().filter(|unit| unit.kind != UnitKind::Test);
    others.map(|unit| unit.wave + 1).max().unwrap_or(0)
}

fn reason_of(group: &[Planned]) -> String {
    let mut reasons: BTreeMap<&str, BTreeSet<&ItemPath>> = BTreeMap::new();
    for one in group {
        reasons.entry(&one.reason).or_default().insert(one.member.change.path());
    }
    let items: BTreeSet<&ItemPath> = reasons.values().flatten().copied().collect();
    if items.len() < 2 {
        return reasons.into_keys().collect::<Vec<_>>().join("; ");
    }
    let told = reasons.into_iter().map(|(reason, items)| {
        let items: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
        format!("{reason} ({})", items.join(", "))
    });
    format!("{} items that belong together: {}", items.len(), told.collect::<Vec<_>>().join("; "))
}

/// A request holds both upstream texts and the symbol; an answer is as long as the symbol, or as the new
/// item where there is no symbol yet.
fn tokens(group: &[Planned], symbols: &SymbolTable) -> u64 {
    let bytes: usize = group.iter().map(|one| member_bytes(&one.member, symbols)).sum();
    REQUEST_TOKENS + bytes as u64 / BYTES_PER_TOKEN
}

fn member_bytes(member: &UnitMember, symbols: &SymbolTable) -> usize {
    let before = member.change.before().map_or(0, |item| item.text.len());
    let after = member.change.after().map_or(0, |item| item.text.len());
    let symbol = symbols.get(&member.symbol).map(|symbol| symbol.text.len());
    before + after + symbol.map_or(after, |symbol| 2 * symbol)
}
