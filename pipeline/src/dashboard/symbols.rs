//! The port's symbols as they were last read: where each is, and who uses whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mappings::{CallGraph, SymbolPath, SymbolTable};
use reports::board::{Around, AroundMember, Graph, GraphNode, Impact};
use reports::record::UnitRecord;

/// Symbols that are kept.
const SYMBOLS_MAX: usize = 200_000;
/// Symbols on one page, those that were reached first.
const AROUND_MAX: usize = 240;

/// All symbols, by place in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    names: Vec<String>,
    files: Vec<Arc<str>>,
    used: Vec<Vec<usize>>,
    users: Vec<Vec<usize>>,
}

/// A unit, and its page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached<'a> {
    pub(super) unit: &'a UnitRecord,
    pub(super) revision_at: usize,
    pub(super) unit_at: usize,
}

impl Symbols {
    pub(super) fn of(table: &SymbolTable, graph: &CallGraph<SymbolPath>) -> Self {
        let mut files: BTreeMap<&str, Arc<str>> = BTreeMap::new();
        let kept = || table.symbols.iter().take(SYMBOLS_MAX);
        let mut symbols = Self::default();
        for (path, symbol) in kept() {
            let file = files.entry(&symbol.file).or_insert_with(|| Arc::from(symbol.file.as_str()));
            symbols.files.push(Arc::clone(file));
            symbols.names.push(path.to_string());
        }
        symbols.users = vec![Vec::new(); symbols.names.len()];
        for (at, (path, _)) in kept().enumerate() {
            let used: Vec<usize> =
                graph.callees(path).iter().filter_map(|used| symbols.at(used.as_str())).collect();
            for used in &used {
                if let Some(users) = symbols.users.get_mut(*used) {
                    users.push(at);
                }
            }
            symbols.used.push(used);
        }
        symbols
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).ok()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.at(name).is_some()
    }

    /// The file that a symbol stands in.
    pub(super) fn file(&self, name: &str) -> Option<&str> {
        self.files.get(self.at(name)?).map(|file| &**file)
    }

    /// What units of one revision reached, and what stands beside it. `is_read` says whether the port was read.
    pub(super) fn around(&self, run: &str, label: &str, units: &[Reached<'_>], is_read: bool) -> Around {
        let members: Vec<AroundMember> = units.iter().flat_map(|reached| members(*reached)).collect();
        let changed: BTreeSet<&str> = members.iter().map(|member| member.symbol.as_str()).collect();
        let reached: BTreeSet<&str> = units
            .iter()
            .flat_map(|reached| &reached.unit.impacted)
            .map(|named| symbol_of(named))
            .filter(|symbol| !changed.contains(symbol))
            .collect();
        let list = |names: &BTreeSet<&str>| names.iter().map(|name| (*name).to_owned()).collect();
        let impact = Impact {
            label: label.to_owned(),
            run: run.to_owned(),
            changed: list(&changed),
            reached: list(&reached),
        };
        if !is_read {
            let names = changed.iter().chain(&reached);
            let node = |name: &&str| GraphNode { name: (*name).to_owned(), symbols: 1 };
            let left_out = names.clone().count().saturating_sub(AROUND_MAX);
            let graph = Graph { nodes: names.take(AROUND_MAX).map(node).collect(), edges: Vec::new() };
            return Around { impact, members, graph, gone: Vec::new(), left_out, is_read };
        }
        let gone = changed.iter().chain(&reached).filter(|name| !self.has(name));
        let gone = gone.map(|name| (*name).to_owned()).collect();
        let touched: Vec<usize> = changed.iter().filter_map(|name| self.at(name)).collect();
        let mut places = touched.clone();
        places.extend(reached.iter().filter_map(|name| self.at(name)));
        let beside = |at: &usize| {
            let of = |all: &[Vec<usize>]| all.get(*at).cloned().unwrap_or_default();
            of(&self.used).into_iter().chain(of(&self.users))
        };
        places.extend(touched.iter().flat_map(beside));
        let (graph, left_out) = self.among(&places);
        Around { impact, members, graph, gone, left_out, is_read }
    }

    /// The graph among these places, the first of them where they are too many, and how many are not in it.
    fn among(&self, places: &[usize]) -> (Graph, usize) {
        let mut chosen: Vec<usize> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut left_out = 0;
        for at in places {
            if !seen.insert(*at) {
                continue;
            }
            if chosen.len() < AROUND_MAX {
                chosen.push(*at);
            } else {
                left_out += 1;
            }
        }
        chosen.sort_unstable();
        let place = |at: &usize| chosen.binary_search(at).ok();
        let mut edges = Vec::new();
        for (from, at) in chosen.iter().enumerate() {
            let used = self.used.get(*at).into_iter().flatten();
            edges.extend(used.filter(|used| *used != at).filter_map(place).map(|to| (from, to)));
        }
        let name = |at: &usize| self.names.get(*at).cloned().unwrap_or_default();
        let nodes = chosen.iter().map(|at| GraphNode { name: name(at), symbols: 1 }).collect();
        (Graph { nodes, edges }, left_out)
    }
}

/// A record may say behind a symbol through which item it is reached.
pub(super) fn symbol_of(impacted: &str) -> &str {
    impacted.split_once(" (").map_or(impacted, |(symbol, _through)| symbol)
}

fn members(reached: Reached<'_>) -> impl Iterator<Item = AroundMember> {
    let Reached { unit, revision_at, unit_at } = reached;
    let anchor = format!("r{}-u{}", revision_at + 1, unit_at + 1);
    unit.members.iter().map(move |member| AroundMember {
        symbol: member.symbol.clone(),
        item: member.item.clone(),
        unit: unit.id.clone(),
        anchor: anchor.clone(),
    })
}

#[cfg(test)]
mod tests {
    use reports::record::{MemberRecord, UnitOutcome};

    use super::*;

    /// `a` uses `b`, `b` uses `c`, and so on to `f`; nobody uses `far`.
    fn chain() -> Symbols {
        let names: Vec<String> =
            ["a", "b", "c", "d", "e", "f", "far"].map(|name| format!("p.{name}")).to_vec();
        let file: Arc<str> = Arc::from("p/__init__.py");
        let mut symbols = Symbols { files: vec![file; names.len()], ..Symbols::default() };
        symbols.used = (0..names.len()).map(|at| if at < 5 { vec![at + 1] } else { Vec::new() }).collect();
        symbols.users =
            (0..names.len()).map(|at| if (1..6).contains(&at) { vec![at - 1] } else { Vec::new() }).collect();
        Symbols { names, ..symbols }
    }

    fn unit(symbols: &[&str], impacted: &[&str]) -> UnitRecord {
        let member = |symbol: &&str| MemberRecord {
            item: "k::item".to_owned(),
            symbol: (*symbol).to_owned(),
            file: "p/__init__.py".to_owned(),
            change: "body".to_owned(),
            upstream_before: String::new(),
            upstream_after: String::new(),
            port_before: String::new(),
            port_after: String::new(),
        };
        UnitRecord {
            id: "k::item".to_owned(),
            kind: "change".to_owned(),
            reason: String::new(),
            members: symbols.iter().map(member).collect(),
            impacted: impacted.iter().map(|symbol| (*symbol).to_owned()).collect(),
            attempts: Vec::new(),
            outcome: UnitOutcome::Open,
        }
    }

    fn around(symbols: &Symbols, unit: &UnitRecord, is_read: bool) -> Around {
        let reached = [Reached { unit, revision_at: 1, unit_at: 0 }];
        symbols.around("run", "0.2.0", &reached, is_read)
    }

    fn named(around: &Around) -> Vec<&str> {
        around.graph.nodes.iter().map(|node| node.name.as_str()).collect()
    }

    #[test]
    fn what_was_touched_brings_its_neighbours_and_what_was_checked_does_not() {
        let found = around(&chain(), &unit(&["p.c"], &["p.a (through k::c)", "p.c"]), true);
        assert_eq!(named(&found), ["p.a", "p.b", "p.c", "p.d"]);
        assert_eq!(found.graph.edges, [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(
            (found.impact.changed, found.impact.reached),
            (vec!["p.c".to_owned()], vec!["p.a".to_owned()])
        );
        assert_eq!((found.members[0].anchor.as_str(), found.left_out), ("r2-u1", 0));
    }

    #[test]
    fn a_symbol_that_went_is_named_and_a_port_that_was_not_read_has_no_lines() {
        let found = around(&chain(), &unit(&["p.gone", "p.a"], &[]), true);
        assert_eq!((named(&found), found.gone.as_slice()), (vec!["p.a", "p.b"], &["p.gone".to_owned()][..]));
        let found = around(&Symbols::default(), &unit(&["p.c"], &["p.b"]), false);
        assert_eq!((named(&found), found.gone.len()), (vec!["p.c", "p.b"], 0));
    }

    #[test]
    fn more_than_fit_on_a_page_are_counted() {
        let names: Vec<String> = (0..1000).map(|at| format!("p.f{at:04}")).collect();
        let used = (0..1000).map(|at| if at == 0 { (1..1000).collect() } else { Vec::new() }).collect();
        let users = (0..1000).map(|at| if at > 0 { vec![0] } else { Vec::new() }).collect();
        let files = vec![Arc::from("p.py"); 1000];
        let found = around(&Symbols { names, files, used, users }, &unit(&["p.f0000"], &["p.f0999"]), true);
        assert_eq!((found.graph.nodes.len(), found.left_out), (AROUND_MAX, 1000 - AROUND_MAX));
        assert!(named(&found).contains(&"p.f0999"), "what was reached comes before what only stands beside");
    }
}
