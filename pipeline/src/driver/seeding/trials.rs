//! Which changes are tried: of each operator in turn, spread over the symbols.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;
use mappings::{Symbol, SymbolKind, SymbolPath};
use port::language::python::seed::{Row, Seeded, Surroundings, rewrites, wrong};
use port::language::{Language, Place};
use upstream::{ContentHash, ItemPath};

use super::{Experiment, Extent, HISTORY_MAX};

/// The most lines of a change that are shown.
const DIFF_LINES_MAX: usize = 40;

/// A symbol with the linked items that run through it.
pub(super) type Target<'t> = (&'t Symbol, Vec<(ItemPath, SymbolPath)>);

/// A change of a symbol.
pub(super) struct Seed<'t> {
    pub(super) symbol: &'t Symbol,
    pub(super) users: &'t [(ItemPath, SymbolPath)],
    pub(super) operator: &'static str,
    pub(super) row: Option<Row>,
    pub(super) line: usize,
    /// The file before.
    pub(super) before: String,
    /// The file with the change.
    pub(super) text: String,
}

/// The changes to try.
pub(super) fn seeds<'t>(
    experiment: &Experiment<'_>,
    targets: &'t [Target<'t>],
    extent: &Extent,
) -> Result<Vec<Seed<'t>>> {
    let (mut wrong_ones, mut same) = (Vec::new(), Vec::new());
    for (symbol, users) in targets {
        let Some(text) = experiment.session.port_text(&experiment.head.tree, &symbol.file) else { continue };
        let symbols = experiment.session.language.symbols(&symbol.file, &text);
        let Some(located) = symbols.get(&symbol.path) else { continue };
        let functions = neighbours(experiment, symbol);
        let exceptions = exceptions(experiment, symbol);
        let around = Surroundings { functions: &functions, exceptions: &exceptions };
        let mut of_symbol = wrong(&text, &located.span, &around);
        of_symbol.extend(earlier(experiment, symbol, &text)?);
        let seed = |seeded: Seeded| Seed {
            symbol,
            users,
            operator: seeded.operator,
            row: seeded.row,
            line: seeded.line,
            before: text.clone(),
            text: seeded.text,
        };
        wrong_ones.extend(of_symbol.into_iter().map(seed));
        same.extend(rewrites(&text, &located.span).into_iter().map(seed));
    }
    let mut chosen = spread(wrong_ones, extent.wrong, &extent.seed);
    chosen.extend(spread(same, extent.rewrites, &extent.seed));
    Ok(chosen)
}

/// So many of them: of each operator and symbol in turn, in an order that the seed decides.
fn spread<'t>(all: Vec<Seed<'t>>, most: usize, seed: &str) -> Vec<Seed<'t>> {
    let mut groups: BTreeMap<(&str, String), Vec<(ContentHash, Seed<'t>)>> = BTreeMap::new();
    for one in all {
        let key = ContentHash::of_parts([seed, one.symbol.path.as_str(), &one.text]);
        groups.entry((one.operator, one.symbol.path.to_string())).or_default().push((key, one));
    }
    let mut queues: Vec<VecDeque<Seed<'t>>> = groups
        .into_values()
        .map(|mut group| {
            group.sort_by_key(|(key, _)| *key);
            group.into_iter().map(|(_, one)| one).collect()
        })
        .collect();
    let mut chosen = Vec::new();
    while chosen.len() < most && queues.iter().any(|queue| !queue.is_empty()) {
        for queue in &mut queues {
            chosen.extend(queue.pop_front().filter(|_| chosen.len() < most));
        }
    }
    chosen
}

/// The functions of the same module with their numbers of parameters.
fn neighbours(experiment: &Experiment<'_>, symbol: &Symbol) -> Vec<(String, usize)> {
    let all = experiment.table.symbols.values();
    all.filter(|other| other.file == symbol.file && other.kind == SymbolKind::Function)
        .map(|other| (other.path.name().to_owned(), other.parameters.len()))
        .collect()
}

/// The classes of the same module that look like exceptions.
fn exceptions(experiment: &Experiment<'_>, symbol: &Symbol) -> Vec<String> {
    let all = experiment.table.symbols.values();
    let is_error = |other: &&Symbol| {
        other.file == symbol.file
            && other.kind == SymbolKind::Class
            && ["Error", "Exception"]
                .iter()
                .any(|word| other.text.lines().next().is_some_and(|l| l.contains(word)))
    };
    all.filter(is_error).map(|other| other.path.name().to_owned()).collect()
}

/// Earlier versions of the symbol in the port's own history, each in the place of the present one.
fn earlier(experiment: &Experiment<'_>, symbol: &Symbol, text: &str) -> Result<Vec<Seeded>> {
    let session = experiment.session;
    let mut known = BTreeSet::from([symbol.text.trim_end().to_owned()]);
    let mut found = Vec::new();
    let mut commit = Some(experiment.head.commit.clone());
    for _ in 0..HISTORY_MAX {
        let Some(at) = commit else { break };
        let info = session.port.commit_info(&at)?;
        commit = info.parents.first().cloned();
        let Some(old) = session.port_text(&info.tree, &symbol.file) else { continue };
        let symbols = session.language.symbols(&symbol.file, &old);
        let Some(before) = symbols.get(&symbol.path) else { continue };
        if !known.insert(before.symbol.text.trim_end().to_owned()) {
            continue;
        }
        let place = Place { file: &symbol.file, text };
        if let Ok(replaced) = session.language.replace(place, &symbol.path, &before.symbol.text) {
            found.push(Seeded {
                operator: "earlier-version",
                row: Some(Row::Substitution),
                line: usize::try_from(symbol.line).unwrap_or_default(),
                text: replaced,
            });
        }
    }
    Ok(found)
}

/// The lines that differ, in the form of a diff without context.
pub(super) fn diff(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let front = same(&mut old.iter().zip(&new));
    let rest = old.len().min(new.len()) - front;
    let back = same(&mut old.iter().rev().zip(new.iter().rev())).min(rest);
    let changed = |lines: &[&str], sign: char| -> Vec<String> {
        let lines = lines.get(front..lines.len() - back).unwrap_or_default();
        lines.iter().map(|line| format!("{sign}{line}")).collect()
    };
    let mut lines = changed(&old, '-');
    lines.extend(changed(&new, '+'));
    let more = lines.len().saturating_sub(DIFF_LINES_MAX);
    lines.truncate(DIFF_LINES_MAX);
    if more > 0 {
        lines.push(format!("… {more} more lines"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn a_diff_holds_the_lines_that_differ_and_no_others() {
        assert_eq!(diff("a\nb\nc\n", "a\nx\nc\n"), "-b\n+x");
        assert_eq!(diff("a\na\n", "a\na\na\n"), "+a");
        assert_eq!(diff("a\nb\n", "a\n"), "-b");
        let long: Vec<String> = (0..60).map(|at| format!("{at}\n")).collect();
        assert!(diff("", &long.concat()).ends_with("… 20 more lines"));
    }
}
