//! What the product says against what the check says, for one revision.
//!
//! Main function: [`disagreements`]. The product speaks of module paths and the check of files, so a path is
//! held to be the same where it ends in the item's path inside the file and what stands before that can be the
//! module that the file is. What the check sees leave one file and come in another under one module path stayed
//! where it was ([`stayed`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::differ::{Event, Side};

/// Something that the product says happened. One that moved was removed there and added here.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) side: Side,
    /// The file, where the product names it: of an item that moved it names the new one alone.
    pub(super) file: Option<String>,
    /// The path in the module tree.
    pub(super) path: String,
    pub(super) kind: String,
    /// What differs, for one that was there before and is there now.
    pub(super) aspects: BTreeSet<&'static str>,
}

/// One thing on which the two differ.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Disagreement {
    /// `only_product` or `only_check`, or `aspects`.
    pub(super) says: &'static str,
    pub(super) side: Side,
    pub(super) kind: String,
    pub(super) file: String,
    pub(super) path: String,
    pub(super) aspects: Vec<&'static str>,
    /// Why, where that is known; `unexplained` otherwise.
    pub(super) class: &'static str,
}

/// What one revision came to.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Items that both name alike.
    pub(super) agreed: usize,
    pub(super) disagreements: Vec<Disagreement>,
    /// Items that both call modified, for different reasons. They count by themselves.
    pub(super) aspects: Vec<Disagreement>,
}

/// Tokens differ, and the check holds that for formatting.
const FORMATTING: &str = "formatting_to_the_check";
/// To the product a crate went and another came; to the check its root file changed.
const RENAMED_CRATE: &str = "crate_has_another_name";
/// To the product items went with one module and came with another; to the check their file stayed.
const RENAMED_MODULE: &str = "module_has_another_name";
/// An attribute names the file of the module: the product tells of it there, the check where it is declared.
const NAMED_BY_ATTRIBUTE: &str = "module_named_by_attribute";
/// The manifest gives the root of a test target another file: to the product its items stayed in that target.
const TARGET_ROOT: &str = "target_has_another_root";
/// A cause that is not known.
const UNEXPLAINED: &str = "unexplained";

/// A place below a test target without the name of the target.
fn at_target(place: &str) -> Option<String> {
    let (before, behind) = place.split_once("tests/")?;
    let rest = behind.split_once('/').map_or("", |(_target, rest)| rest);
    Some(format!("{before}tests/{rest}"))
}

/// Compares the two accounts of a revision. Files whose module is named by an attribute (`#[path]`) are told by how
/// their paths end.
pub(super) fn disagreements(claims: Vec<Claim>, events: Vec<Event>, by_attribute: &[String]) -> Verdict {
    let mut verdict = Verdict::default();
    let (formatting, events): (Vec<Event>, Vec<Event>) =
        events.into_iter().partition(|event| event.side == Side::Modified && event.aspects.is_empty());
    let (modules, others): (Vec<Claim>, Vec<Claim>) =
        claims.into_iter().partition(|claim| claim.kind == "module");
    let (module_events, mut events): (Vec<Event>, Vec<Event>) =
        events.into_iter().partition(|event| event.kind == "module");
    let mut left = Vec::new();
    // Those that name their file have first claim.
    let (with_file, without): (Vec<Claim>, Vec<Claim>) =
        others.into_iter().partition(|claim| claim.file.is_some());
    for claim in with_file.into_iter().chain(without) {
        match best(&claim, &events, by_attribute) {
            Some(at) => {
                let event = events.swap_remove(at);
                verdict.agreed += 1;
                if event.side == Side::Modified && claim.aspects != event.aspects {
                    let differing = claim.aspects.symmetric_difference(&event.aspects).copied();
                    verdict.aspects.push(Disagreement {
                        says: "aspects",
                        aspects: differing.collect(),
                        ..by_check(&event)
                    });
                }
            }
            None => left.push(claim),
        }
    }
    let of_file = |event: &Event| event.path.is_empty().then(|| (event.side, key(event)));
    let files: BTreeSet<(Side, String)> = module_events.iter().filter_map(of_file).collect();
    let (modules, module_events) = modules_left(modules, module_events, by_attribute, &mut verdict);
    left.extend(modules);
    events.extend(module_events);
    let mut events = stayed(&mut left, events, &formatting, by_attribute, &mut verdict);
    events.retain(|event| !is_told_of_file(event, &files));
    let of_product = left.iter().map(|claim| Disagreement {
        class: class_of_claim(claim, &left, &events, &formatting, by_attribute),
        ..by_product(claim)
    });
    verdict.disagreements.extend(of_product);
    let of_check = events.iter().map(|event| Disagreement {
        class: class_of_event(event, &left, &events, by_attribute),
        ..by_check(event)
    });
    verdict.disagreements.extend(of_check);
    verdict
}

/// Why the product alone tells something.
fn class_of_claim(
    claim: &Claim,
    left: &[Claim],
    events: &[Event],
    formatting: &[Event],
    by_attribute: &[String],
) -> &'static str {
    if formatting.iter().any(|event| is_same(claim, event, by_attribute)) {
        FORMATTING
    } else if left.iter().any(|other| is_renamed_crate(claim, other)) {
        RENAMED_CRATE
    } else if left.iter().any(|other| is_in_renamed_module(claim, other)) {
        RENAMED_MODULE
    } else if is_named_by_attribute(claim, by_attribute) {
        NAMED_BY_ATTRIBUTE
    } else if events.iter().any(|event| is_root_of_target(claim, event)) {
        TARGET_ROOT
    } else {
        UNEXPLAINED
    }
}

/// Why the check alone tells something.
fn class_of_event(event: &Event, left: &[Claim], events: &[Event], by_attribute: &[String]) -> &'static str {
    let is_of = |claim: &Claim| claim.file.as_deref() == Some(event.file.as_str());
    let is_renamed = |claim: &Claim| is_of(claim) && left.iter().any(|other| is_renamed_crate(claim, other));
    let elsewhere = |other: &Event| {
        let sides = [event.side, other.side];
        let came_and_went = sides.contains(&Side::Added) && sides.contains(&Side::Removed);
        came_and_went && other.kind == event.kind && at_target(&key(other)) == at_target(&key(event))
    };
    let is_root = |claim: &Claim| is_root_of_target(claim, event);
    if event.kind == "module" && event.path.is_empty() && left.iter().any(is_renamed) {
        RENAMED_CRATE
    } else if left.iter().any(|claim| {
        let ends = event.path.is_empty() || claim.path.ends_with(&format!("::{}", event.path));
        is_of(claim) && ends && left.iter().any(|other| is_in_renamed_module(claim, other))
    }) {
        RENAMED_MODULE
    } else if left.iter().any(|claim| {
        let is_it = event.kind == "module" && claim.path.ends_with(&format!("::{}", event.path));
        is_it && claim.side == event.side && is_named_by_attribute(claim, by_attribute)
    }) {
        NAMED_BY_ATTRIBUTE
    } else if left.iter().any(is_root) || at_target(&key(event)).is_some() && events.iter().any(elsewhere) {
        TARGET_ROOT
    } else {
        UNEXPLAINED
    }
}

/// Whether an item left one module and came in another of the same file: the declaration has another name.
fn is_in_renamed_module(one: &Claim, other: &Claim) -> bool {
    let last = |claim: &Claim| claim.path.rsplit("::").next().map(str::to_owned);
    let sides = [one.side, other.side];
    one.file == other.file
        && one.kind == other.kind
        && (one.kind == "module" || last(one) == last(other))
        && sides.contains(&Side::Added)
        && sides.contains(&Side::Removed)
}

fn is_named_by_attribute(claim: &Claim, by_attribute: &[String]) -> bool {
    claim.kind == "module" && is_named(claim.file.as_deref().unwrap_or_default(), by_attribute)
}

fn is_named(file: &str, by_attribute: &[String]) -> bool {
    let file = format!("/{file}");
    by_attribute.iter().any(|end| file.ends_with(end))
}

/// Whether a target's root is told by both, under the name that the manifest gives to the target.
fn is_root_of_target(claim: &Claim, event: &Event) -> bool {
    claim.kind == "module"
        && !claim.path.contains("::")
        && claim.path.contains("[test:")
        && claim.side == event.side
        && claim.file.as_deref() == Some(event.file.as_str())
        && event.path.is_empty()
}

/// Whether one crate went and another came with the same root file.
fn is_renamed_crate(one: &Claim, other: &Claim) -> bool {
    let is_crate = |claim: &Claim| claim.kind == "module" && !claim.path.contains("::");
    let sides = [one.side, other.side];
    is_crate(one)
        && is_crate(other)
        && one.file == other.file
        && sides.contains(&Side::Added)
        && sides.contains(&Side::Removed)
}

/// Takes out what the check saw leave one file and come in another under the same module path: to the product it is
/// one item, which is untold where nothing of it differs, and modified where something does. Returns what is left.
fn stayed(
    claims: &mut Vec<Claim>,
    events: Vec<Event>,
    formatting: &[Event],
    by_attribute: &[String],
    verdict: &mut Verdict,
) -> Vec<Event> {
    let mut take_claim = |event: &Event| {
        let modified = Event { side: Side::Modified, ..event.clone() };
        let told = claims.iter().position(|claim| is_same(claim, &modified, by_attribute));
        told.map(|at| claims.swap_remove(at)).is_some()
    };
    let (mut gone, mut left): (Vec<Event>, Vec<Event>) =
        events.into_iter().partition(|event| event.side == Side::Removed);
    left.retain(|event| {
        // Of a module that becomes a file or ceases to be one, the check has two accounts, and neither is whole.
        let is_module = event.kind == "module";
        let is_here = |old: &Event| old.kind == event.kind && is_same_place(&key(old), &key(event));
        let Some(at) = gone.iter().position(is_here) else { return true };
        let is_equal = gone.get(at).is_some_and(|old| old.content == event.content);
        if (event.side == Side::Modified && !is_module) || !(take_claim(event) || is_equal || is_module) {
            return true;
        }
        verdict.agreed += 1;
        gone.swap_remove(at);
        false
    });
    left.extend(gone);
    let (files, mut left): (Vec<Event>, Vec<Event>) =
        left.into_iter().partition(|event| event.kind == "module" && event.path.is_empty());
    for file in files {
        let declared = |event: &Event| event.kind == "module" && key(event) == key(&file);
        let told = left.iter().position(declared);
        if file.side != Side::Modified && (told.is_some() || formatting.iter().any(declared)) {
            verdict.agreed += 1;
            take_claim(&file);
            told.map(|at| left.swap_remove(at));
        } else {
            left.push(file);
        }
    }
    left
}

/// Whether two modules are at one place. The root of a test target may be `tests/NAME.rs` or `tests/NAME/main.rs`,
/// with its modules beside it.
fn is_same_place(one: &str, other: &str) -> bool {
    let at_target = |place: &str| -> Option<String> {
        let (before, behind) = place.split_once("tests/")?;
        let (_target, rest) = behind.split_once('/')?;
        Some(format!("{before}tests/{rest}"))
    };
    one == other || at_target(one).as_deref() == Some(other) || at_target(other).as_deref() == Some(one)
}

fn by_product(claim: &Claim) -> Disagreement {
    Disagreement {
        says: "only_product",
        side: claim.side,
        kind: claim.kind.clone(),
        file: claim.file.clone().unwrap_or_default(),
        path: claim.path.clone(),
        aspects: claim.aspects.iter().copied().collect(),
        class: UNEXPLAINED,
    }
}

fn by_check(event: &Event) -> Disagreement {
    Disagreement {
        says: "only_check",
        side: event.side,
        kind: event.kind.to_owned(),
        file: event.file.clone(),
        path: event.path.clone(),
        aspects: event.aspects.iter().copied().collect(),
        class: UNEXPLAINED,
    }
}

/// The event that a claim speaks of: the one with the longest path inside its file.
fn best(claim: &Claim, events: &[Event], by_attribute: &[String]) -> Option<usize> {
    let fits = |event: &&(usize, &Event)| is_same(claim, event.1, by_attribute);
    let all: Vec<(usize, &Event)> = events.iter().enumerate().collect();
    let nearest = |(_, event): &&(usize, &Event)| (event.path.len(), likeness(claim, event));
    all.iter().filter(fits).max_by_key(nearest).map(|(at, _)| *at)
}

fn is_same(claim: &Claim, event: &Event, by_attribute: &[String]) -> bool {
    let file = claim.file.as_ref().is_none_or(|file| *file == event.file);
    file && claim.side == event.side && claim.kind == event.kind && is_at(claim, event, by_attribute)
}

fn is_at(claim: &Claim, event: &Event, by_attribute: &[String]) -> bool {
    can_be(&claim.path, &event.path, &event.file)
        || is_named(&event.file, by_attribute)
            && (event.path.is_empty() || claim.path.ends_with(&format!("::{}", event.path)))
}

/// How many folders above the item have the names of the modules above it: files of one name may lie in several.
fn likeness(claim: &Claim, event: &Event) -> usize {
    let place = key(event);
    let folders = place.rsplit('/').filter(|folder| *folder != "src").map(|folder| folder.replace('-', "_"));
    let target = |segment: &str| -> Vec<String> {
        // `package[test:name]` is the file `name` in the folder `tests` of the package.
        match segment.split_once("[test:") {
            Some((package, name)) => {
                vec![name.trim_end_matches(']').to_owned(), "tests".to_owned(), package.replace('-', "_")]
            }
            None => vec![segment.to_owned()],
        }
    };
    let modules = claim.path.rsplit("::").flat_map(target);
    modules.zip(folders).take_while(|(module, folder)| module == folder).count()
}

/// Whether a module path can be that of an item with this path inside this file.
fn can_be(whole: &str, inside: &str, file: &str) -> bool {
    let around = if inside.is_empty() {
        Some(whole)
    } else {
        whole.strip_suffix(inside).and_then(|before| before.strip_suffix("::"))
    };
    let Some(around) = around else { return false };
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let mut segments = stem.rsplit('/');
    let last = segments.next().unwrap_or_default();
    let name = if last == "mod" { segments.next().unwrap_or_default() } else { last };
    let is_root = matches!(last, "lib" | "main" | "build") || !stem.contains('/');
    let own = around.rsplit("::").next().unwrap_or_default();
    own == name || own == format!("r#{name}") || own.ends_with(&format!(":{name}]")) || (is_root && !around.contains("::"))
        // `src/main.rs` and `src/bin/tool/main.rs` beside other modules, and roots at unusual places.
        || (last == "main" && segments.next().is_some_and(|folder| around.ends_with(&format!(":{folder}]"))))
}

/// Whether this is the declaration of a file of which the same is told. The file may also lie beside `tests/NAME.rs`:
/// that this is the root of a target, and no module of `tests`, only the manifest tells.
fn is_told_of_file(event: &Event, files: &BTreeSet<(Side, String)>) -> bool {
    let place = key(event);
    let is_declaration = event.kind == "module" && !event.path.is_empty();
    let places = [Some(place.clone()), at_target(&place)];
    is_declaration && places.into_iter().flatten().any(|place| files.contains(&(event.side, place)))
}

/// What a module's declaration and its file come to, when they stand in two files and the product makes one of
/// them.
fn modules_left(
    claims: Vec<Claim>,
    events: Vec<Event>,
    by_attribute: &[String],
    verdict: &mut Verdict,
) -> (Vec<Claim>, Vec<Event>) {
    let mut groups: BTreeMap<String, (Vec<Claim>, Vec<Event>)> = BTreeMap::new();
    let (mut odd, mut keyed) = (Vec::new(), Vec::new());
    for event in events {
        keyed.push((key(&event), event));
    }
    for claim in claims {
        let fits = |(_, event): &&(String, Event)| {
            // A declaration and a file may come out as what happened to the other.
            claim.file.as_ref().is_none_or(|file| *file == event.file) && is_at(&claim, event, by_attribute)
        };
        let nearest = |(_, event): &&(String, Event)| {
            (event.side == claim.side, event.path.len(), likeness(&claim, event))
        };
        let found = keyed.iter().filter(fits).max_by_key(nearest);
        match found.map(|(key, _)| key.clone()) {
            Some(key) => groups.entry(key).or_default().0.push(claim),
            None => odd.push(claim),
        }
    }
    for (key, event) in keyed {
        groups.entry(key).or_default().1.push(event);
    }
    let mut left = Vec::new();
    for (claims, events) in groups.into_values() {
        let said: Vec<Side> = sorted(claims.iter().map(|claim| claim.side));
        if accounts(&events).contains(&said) {
            verdict.agreed += claims.len();
            continue;
        }
        let mut events = events;
        for claim in claims {
            match best(&claim, &events, by_attribute) {
                Some(at) => drop(events.swap_remove(at)),
                None => odd.push(claim),
            }
        }
        left.extend(events);
    }
    (odd, left)
}

/// Every way in which the events of one module may be told.
fn accounts(events: &[Event]) -> Vec<Vec<Side>> {
    let file: Vec<&Event> = events.iter().filter(|event| event.path.is_empty()).collect();
    let others: Vec<&Event> = events.iter().filter(|event| !event.path.is_empty()).collect();
    let mut ways = vec![sorted(events.iter().map(|event| event.side))];
    if let [file] = file.as_slice() {
        for at in 0..others.len() {
            let merged = match (file.side, others.get(at).map(|event| event.side)) {
                (Side::Modified, Some(side)) => side,
                (side, _) => side,
            };
            let rest =
                others.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, event)| event.side);
            ways.push(sorted(rest.chain([merged])));
        }
    }
    ways
}

fn sorted(sides: impl Iterator<Item = Side>) -> Vec<Side> {
    let mut sides: Vec<Side> = sides.collect();
    sides.sort();
    sides
}

/// Where a module lies as a path of folders, whether told by its declaration or by its file.
fn key(event: &Event) -> String {
    let own = key_of_file(&event.file);
    let inside = event.path.replace("::", "/");
    if inside.is_empty() { own } else { format!("{own}/{inside}") }
}

/// Where the module lies that a file is.
fn key_of_file(file: &str) -> String {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let (folder, last) = stem.rsplit_once('/').unwrap_or(("", stem));
    let above = folder.rsplit('/').nth(1).unwrap_or_default();
    let is_root = folder.ends_with("src") || matches!(above, "bin" | "tests" | "benches" | "examples");
    if last == "mod"
        || (is_root && matches!(last, "lib" | "main"))
        || folder.ends_with("tests") && last == "main"
    {
        folder.to_owned()
    } else {
        stem.to_owned()
    }
}

/// Whether an event is the declaration of a module in one of these files: what became of it is told of the file.
pub(super) fn declares_one_of(event: &Event, files: &BTreeSet<String>) -> bool {
    let keys = || files.iter().map(|file| key_of_file(file));
    let is_declaration = event.kind == "module" && !event.path.is_empty();
    is_declaration && keys().any(|of_file| is_same_place(&of_file, &key(event)))
}

/// The event of the declaration of the module in a file.
pub(super) fn declaration_of<'a>(file: &str, events: &'a [Event]) -> Option<&'a Event> {
    let files = BTreeSet::from([file.to_owned()]);
    events.iter().find(|event| declares_one_of(event, &files))
}
