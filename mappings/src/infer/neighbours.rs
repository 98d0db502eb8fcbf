//! Who calls whom on both sides, and how far the callers and callees of a pair are linked to each other.

use std::collections::BTreeMap;

use upstream::snapshot::Snapshot;

use super::corpus::{Corpus, Entity};
use super::outline::PortOutline;
use crate::graph::CallGraph;

/// The neighbours of every entity by number, sorted.
#[derive(Debug, Default)]
struct Graph {
    callees: Vec<Vec<usize>>,
    callers: Vec<Vec<usize>>,
}

/// The call graphs of both sides.
#[derive(Debug)]
pub(super) struct Neighbours {
    upstream: Graph,
    port: Graph,
}

impl Neighbours {
    pub(super) fn new(snapshot: &Snapshot, outline: &PortOutline, corpus: &Corpus) -> Self {
        let upstream = CallGraph::of_items(snapshot.items.values());
        let port = CallGraph::of_symbols(&outline.symbols);
        Self {
            upstream: Graph::of(&upstream, &corpus.upstream.entities),
            port: Graph::of(&port, &corpus.port.entities),
        }
    }

    /// From 0 to 1: the share of the neighbours of both that are linked to each other.
    pub(super) fn linked(&self, item: usize, symbol: usize, links: &[Option<usize>]) -> f64 {
        let (mut shared, mut of_item, mut of_symbol) = (0_u32, 0_usize, 0_usize);
        for (one, other) in
            [(&self.upstream.callees, &self.port.callees), (&self.upstream.callers, &self.port.callers)]
        {
            let one = one.get(item).map_or(&[][..], Vec::as_slice);
            let other = other.get(symbol).map_or(&[][..], Vec::as_slice);
            of_item += one.len();
            of_symbol += other.len();
            let linked = one.iter().filter_map(|neighbour| links.get(*neighbour).copied().flatten());
            for partner in linked {
                shared += u32::from(other.binary_search(&partner).is_ok());
            }
        }
        if shared == 0 {
            return 0.0;
        }
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let shared = f64::from(shared);
        (shared / (number(of_item) * number(of_symbol)).sqrt()).min(1.0) * shared / (shared + 0.6)
    }
}

impl Graph {
    fn of<Key: Ord + Clone>(graph: &CallGraph<Key>, entities: &[Entity<Key>]) -> Self {
        let numbers: BTreeMap<&Key, usize> =
            entities.iter().enumerate().map(|(at, entity)| (&entity.key, at)).collect();
        let number = |keys: Vec<&Key>| {
            let mut known: Vec<usize> =
                keys.into_iter().filter_map(|key| numbers.get(key).copied()).collect();
            known.sort_unstable();
            known
        };
        Self {
            callees: entities.iter().map(|entity| number(graph.callees(&entity.key))).collect(),
            callers: entities.iter().map(|entity| number(graph.callers(&entity.key))).collect(),
        }
    }
}
