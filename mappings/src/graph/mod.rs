//! Who calls whom, among items and among symbols, by the names that their texts mention.
//!
//! The main type is [`CallGraph`]. Names are resolved within one crate (or one port): the caller's own type
//! first, then its module, then the whole crate, where the name is unique; what stands behind a module's name in the caller's
//! text, as in `rfc2822::parse`, is what that module has. What stays open is kept as
//! unresolved, never guessed at.

mod directory;
mod named;
mod promised;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::OnceLock;

pub(crate) use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
pub(crate) use petgraph::graph::NodeIndex;
use upstream::ItemPath;
use upstream::snapshot::{Item, ItemKind};

use self::directory::Directory;
use self::named::Named;
use crate::symbol::{SymbolKind, SymbolPath, SymbolTable};

/// A graph whose edges go from caller to callee.
#[derive(Debug, Clone)]
pub struct CallGraph<Key> {
    /// Its nodes are sorted by their keys.
    graph: DiGraph<Key, ()>,
    unresolved: BTreeMap<Key, Vec<String>>,
}

impl CallGraph<ItemPath> {
    /// The graph of these items. Modules and `impl` headers call nothing and are not called.
    pub fn of_items<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        Self::between_items(items, Unresolved::Kept)
    }

    /// The same graph for walks alone: it does not know what stayed unresolved.
    pub(crate) fn edges_of_items<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        Self::between_items(items, Unresolved::Dropped)
    }

    fn between_items<'a>(items: impl IntoIterator<Item = &'a Item>, unresolved: Unresolved) -> Self {
        let takes_part = |item: &&Item| !matches!(item.kind, ItemKind::Module | ItemKind::Impl);
        let items: Vec<&Item> = items.into_iter().filter(takes_part).collect();
        let named: Vec<_> = items.iter().copied().map(Named::of_item).collect();
        let mut graph = Self::resolve(&named, unresolved);
        for (promised, done) in promised::edges(&items) {
            if let (Some(promised), Some(done)) = (graph.node(&promised), graph.node(done)) {
                // What is done there the port does in the trait's method, so that has to come after it.
                let mut calls: Vec<NodeIndex> = graph.graph.neighbors(done).collect();
                calls.retain(|callee| *callee != promised);
                calls.push(done);
                for callee in calls {
                    graph.graph.update_edge(promised, callee, ());
                }
            }
        }
        graph
    }
}

/// Whether a graph keeps the names that could not be resolved: in a large port there are a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unresolved {
    Kept,
    Dropped,
}

impl CallGraph<SymbolPath> {
    /// The graph of a port's symbols. What uses a class uses its special methods, which nobody calls by name.
    pub fn of_symbols(table: &SymbolTable) -> Self {
        Self::between_symbols(table, Unresolved::Kept)
    }

    /// The same graph for walks alone: it does not know what stayed unresolved.
    fn edges_of_symbols(table: &SymbolTable) -> Self {
        Self::between_symbols(table, Unresolved::Dropped)
    }

    fn between_symbols(table: &SymbolTable, unresolved: Unresolved) -> Self {
        let classes: HashSet<&str> = table
            .symbols
            .iter()
            .filter(|(_, symbol)| symbol.kind == SymbolKind::Class)
            .map(|(path, _)| path.as_str())
            .collect();
        let is_class = |path: &str| classes.contains(path);
        let named: Vec<_> =
            table.symbols.iter().map(|(path, symbol)| Named::of_symbol(path, symbol, &is_class)).collect();
        let mut graph = Self::resolve(&named, unresolved);
        for special in table.symbols.keys().filter(|path| is_special(path.name())) {
            let class = special.parent().filter(|parent| is_class(parent.as_str()));
            if let (Some(class), Some(special)) =
                (class.and_then(|class| graph.node(&class)), graph.node(special))
            {
                graph.graph.update_edge(class, special, ());
            }
        }
        graph
    }
}

/// Who uses whom in one [`SymbolTable`], found out when it is first asked for. A large port takes as long for that as for
/// all the rest of a plan, so it is shared by all that is planned for it.
#[derive(Debug, Default)]
pub struct PortUses(OnceLock<CallGraph<SymbolPath>>);

/// The edges of a graph, from caller to callee, as places among its sorted keys.
pub type Edges = Vec<(u32, u32)>;

impl PortUses {
    /// The graph, made now or earlier; it is always asked for with the same table.
    pub fn among(&self, table: &SymbolTable) -> &CallGraph<SymbolPath> {
        self.among_known(table, None)
    }

    /// The same with the edges that were found out earlier for a table like this.
    pub fn among_known(&self, table: &SymbolTable, known: Option<Edges>) -> &CallGraph<SymbolPath> {
        self.0.get_or_init(|| {
            let known = known.and_then(|edges| CallGraph::of_places(table.symbols.keys().cloned(), &edges));
            known.unwrap_or_else(|| CallGraph::edges_of_symbols(table))
        })
    }
}

/// Whether the language calls a method of this name by itself, such as `__init__` or `__eq__`.
fn is_special(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

/// What a walk through a graph came to, its beginnings included.
#[derive(Debug)]
pub(crate) struct Reached(Vec<bool>);

impl Reached {
    /// Whether the walk came to this node.
    pub(crate) fn contains(&self, node: NodeIndex) -> bool {
        self.0.get(node.index()).copied().unwrap_or(false)
    }

    /// Where the walk came to, in the graph's order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeIndex> {
        self.0.iter().enumerate().filter(|(_, reached)| **reached).map(|(at, _)| NodeIndex::new(at))
    }

    /// Whether the walk is here for the first time; from now on it was.
    fn enters(&mut self, node: NodeIndex) -> bool {
        self.0.get_mut(node.index()).is_some_and(|reached| !std::mem::replace(reached, true))
    }
}

/// A walk that goes no further than is asked for.
#[derive(Debug)]
pub(crate) struct LazyWalk<'a, Key> {
    graph: &'a CallGraph<Key>,
    direction: Direction,
    reached: Reached,
    waiting: VecDeque<NodeIndex>,
}

impl<Key> LazyWalk<'_, Key> {
    /// Whether the walk comes to this node.
    pub(crate) fn comes_to(&mut self, node: NodeIndex) -> bool {
        while !self.reached.contains(node) {
            let Some(at) = self.waiting.pop_front() else { return false };
            let next = self.graph.graph.neighbors_directed(at, self.direction);
            self.waiting.extend(next.filter(|next| self.reached.enters(*next)));
        }
        true
    }
}

impl<Key: Ord + Clone> CallGraph<Key> {
    /// A graph of known edges, from caller to callee. Edges to what is no key are left out.
    pub fn from_edges(
        keys: impl IntoIterator<Item = Key>,
        edges: impl IntoIterator<Item = (Key, Key)>,
    ) -> Self {
        let mut graph = Self::of_nodes(keys);
        let edges: BTreeSet<(NodeIndex, NodeIndex)> = edges
            .into_iter()
            .filter_map(|(caller, callee)| Some((graph.node(&caller)?, graph.node(&callee)?)))
            .collect();
        for (caller, callee) in edges {
            graph.graph.add_edge(caller, callee, ());
        }
        graph
    }

    /// A graph of these keys and [`Edges`]; `None` where the edges are not of such keys.
    fn of_places(keys: impl IntoIterator<Item = Key>, edges: &[(u32, u32)]) -> Option<Self> {
        let mut graph = Self::of_nodes(keys);
        let nodes = graph.size();
        let node = |at: u32| Some(NodeIndex::new(at as usize)).filter(|node| node.index() < nodes);
        graph.graph.reserve_edges(edges.len());
        for (caller, callee) in edges {
            graph.graph.add_edge(node(*caller)?, node(*callee)?, ());
        }
        Some(graph)
    }

    /// Its edges, from which [`PortUses::among_known`] makes it again.
    pub fn places(&self) -> Edges {
        let place = |node: NodeIndex| u32::try_from(node.index()).ok();
        let edges = self.graph.raw_edges().iter();
        edges.filter_map(|edge| Some((place(edge.source())?, place(edge.target())?))).collect()
    }

    fn of_nodes(keys: impl IntoIterator<Item = Key>) -> Self {
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort();
        keys.dedup();
        let mut graph = DiGraph::with_capacity(keys.len(), 0);
        for key in keys {
            graph.add_node(key);
        }
        Self { graph, unresolved: BTreeMap::new() }
    }

    /// What this one calls, sorted.
    pub fn callees(&self, key: &Key) -> Vec<&Key> {
        self.neighbours(key, Direction::Outgoing)
    }

    /// What calls this one, sorted.
    pub fn callers(&self, key: &Key) -> Vec<&Key> {
        self.neighbours(key, Direction::Incoming)
    }

    /// The names that this one mentions and that could not be resolved, sorted.
    pub fn unresolved(&self, key: &Key) -> &[String] {
        self.unresolved.get(key).map_or(&[], Vec::as_slice)
    }

    /// The groups whose members call each other, directly or not, callees first; each is sorted. What is in
    /// no such group is one of its own.
    pub fn components(&self) -> Vec<Vec<Key>> {
        // Kosaraju's algorithm keeps its own stack; Tarjan's, in this library, recurses as deep as the calls.
        let key_of = |node: &NodeIndex| self.graph.node_weight(*node).cloned();
        kosaraju_scc(&self.graph)
            .iter()
            .map(|component| {
                let mut keys: Vec<Key> = component.iter().filter_map(key_of).collect();
                keys.sort();
                keys
            })
            .collect()
    }

    /// The components by wave: those of one wave do not call each other, and call into earlier waves only.
    pub fn waves(&self) -> Vec<Vec<Vec<Key>>> {
        let mut wave_of: BTreeMap<&Key, usize> = BTreeMap::new();
        let mut waves: Vec<Vec<Vec<Key>>> = Vec::new();
        for component in self.components() {
            let callees = component.iter().flat_map(|key| self.callees(key));
            let wave = callees.filter_map(|callee| wave_of.get(callee)).max().map_or(0, |wave| wave + 1);
            for key in component.iter().filter_map(|key| self.key(self.node(key)?)) {
                wave_of.insert(key, wave);
            }
            if waves.len() <= wave {
                waves.resize_with(wave + 1, Vec::new);
            }
            if let Some(components) = waves.get_mut(wave) {
                components.push(component);
            }
        }
        for components in &mut waves {
            components.sort();
        }
        waves
    }

    /// The node of a key, for [`Self::walk`].
    pub(crate) fn node(&self, key: &Key) -> Option<NodeIndex> {
        let at = self.graph.raw_nodes().binary_search_by(|node| node.weight.cmp(key)).ok()?;
        Some(NodeIndex::new(at))
    }

    /// The key of a node.
    pub(crate) fn key(&self, node: NodeIndex) -> Option<&Key> {
        self.graph.node_weight(node)
    }

    /// Walks from this node to what calls it (incoming) or what it calls (outgoing), as far as is asked for.
    pub(crate) fn lazy_walk(&self, from: NodeIndex, direction: Direction) -> LazyWalk<'_, Key> {
        let mut reached = Reached(vec![false; self.graph.node_count()]);
        reached.enters(from);
        LazyWalk { graph: self, direction, reached, waiting: VecDeque::from([from]) }
    }

    /// How many nodes there are.
    pub(crate) fn size(&self) -> usize {
        self.graph.node_count()
    }

    /// Walks from these nodes to what calls them (incoming) or what they call (outgoing), the nearest first.
    /// Each node on the way is asked about once, and the walk goes on behind it where the answer is yes.
    pub(crate) fn walk(
        &self,
        from: impl IntoIterator<Item = NodeIndex>,
        direction: Direction,
        mut goes_on: impl FnMut(NodeIndex) -> bool,
    ) -> Reached {
        let mut reached = Reached(vec![false; self.graph.node_count()]);
        let mut waiting: VecDeque<NodeIndex> =
            from.into_iter().filter(|node| reached.enters(*node)).collect();
        // Each node enters the queue once, so the walk is bounded by the graph.
        while let Some(node) = waiting.pop_front() {
            let next = self.graph.neighbors_directed(node, direction);
            waiting.extend(next.filter(|next| reached.enters(*next) && goes_on(*next)));
        }
        reached
    }

    fn neighbours(&self, key: &Key, direction: Direction) -> Vec<&Key> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let neighbours = self.graph.neighbors_directed(node, direction);
        let keys: BTreeSet<&Key> = neighbours.filter_map(|node| self.graph.node_weight(node)).collect();
        keys.into_iter().collect()
    }

    fn resolve(named: &[Named<'_, Key>], keeps: Unresolved) -> Self {
        let mut graph = Self::of_nodes(named.iter().map(|named| named.key.clone()));
        let nodes: Vec<Option<NodeIndex>> = named.iter().map(|named| graph.node(named.key)).collect();
        let directory = Directory::of(named);
        let mut edges: Vec<(NodeIndex, NodeIndex)> = Vec::new();
        for (caller, from) in named.iter().zip(&nodes) {
            let Some(from) = from else { continue };
            let mut open = Vec::new();
            let before = edges.len();
            for (mention, callees) in directory.seeker(caller).meant() {
                if callees.is_empty() && keeps == Unresolved::Kept {
                    open.push(mention.to_owned());
                }
                let to = callees.iter().filter_map(|callee| nodes.get(*callee).copied().flatten());
                edges.extend(to.filter(|to| to != from).map(|to| (*from, to)));
            }
            edges.get_mut(before..).unwrap_or_default().sort_unstable();
            if !open.is_empty() {
                graph.unresolved.insert(caller.key.clone(), open);
            }
        }
        // The callers are mostly sorted, and then so are the edges.
        edges.sort();
        edges.dedup();
        graph.graph.reserve_edges(edges.len());
        for (from, to) in edges {
            graph.graph.add_edge(from, to, ());
        }
        graph
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{function, method, path, symbol_path, table, test_function};

    fn callees(graph: &CallGraph<ItemPath>, of: &str) -> Vec<String> {
        graph.callees(&path(of)).into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_means_the_callers_own_type_then_its_module_then_the_crate() {
        let graph = CallGraph::of_items(&[
            method("k::a::One::run", "step"),
            method("k::a::One::step", ""),
            function("k::a::step", ""),
            function("k::a::go", "step"),
            function("k::b::step", ""),
            function("k::c::far", "step lonely"),
            function("k::b::lonely", ""),
        ]);
        assert_eq!(callees(&graph, "k::a::One::run"), ["k::a::One::step"]);
        assert_eq!(callees(&graph, "k::a::go"), ["k::a::step"]);
        assert_eq!(callees(&graph, "k::c::far"), ["k::b::lonely"]);
        assert_eq!(graph.unresolved(&path("k::c::far")), ["step"]);
        assert_eq!(graph.callers(&path("k::b::lonely")), [&path("k::c::far")]);
    }

    #[test]
    fn a_name_behind_a_module_means_what_that_module_has() {
        let calls = |path: &str, mentions: &str, text: &str| Item {
            text: text.to_owned(),
            ..function(path, mentions)
        };
        let graph = CallGraph::of_items(&[
            calls("k::a::go", "rfc parse", "fn go() { rfc::parse(x) }"),
            calls("k::a::both", "rfc parse", "fn both() { rfc::parse(x); parse(y) }"),
            calls("k::a::near", "rfc parse", "fn near(rfc: u8) { parse(y) }"),
            calls("k::a::other", "rfc parse", "fn other() { xrfc::parse(rfc) }"),
            function("k::a::parse", ""),
            function("k::common::rfc::parse", ""),
            function("k::iso::parse", ""),
        ]);
        assert_eq!(callees(&graph, "k::a::go"), ["k::common::rfc::parse"]);
        assert_eq!(callees(&graph, "k::a::both"), ["k::a::parse", "k::common::rfc::parse"]);
        assert_eq!(callees(&graph, "k::a::near"), ["k::a::parse"]);
        assert_eq!(callees(&graph, "k::a::other"), ["k::a::parse"], "as before");
    }

    #[test]
    fn of_several_methods_those_of_mentioned_types_are_meant() {
        let graph = CallGraph::of_items(&[
            method("k::a::One::new", ""),
            method("k::a::Two::new", ""),
            function("k::make", "One new"),
            function("k::blind", "new"),
        ]);
        assert_eq!(callees(&graph, "k::make"), ["k::a::One::new"]);
        assert_eq!(callees(&graph, "k::blind"), Vec::<String>::new());
        assert_eq!(graph.unresolved(&path("k::blind")), ["new"]);
    }

    #[test]
    fn names_do_not_cross_crates_but_tests_reach_their_library() {
        let graph = CallGraph::of_items(&[
            function("my_k::run", ""),
            function("other::go", "run"),
            test_function("my-k[test:lib]::works", "run"),
            test_function("my_k::tests::helper", ""),
            function("my_k::uses", "helper"),
        ]);
        assert_eq!(callees(&graph, "other::go"), Vec::<String>::new());
        assert_eq!(callees(&graph, "my-k[test:lib]::works"), ["my_k::run"]);
        assert_eq!(callees(&graph, "my_k::uses"), Vec::<String>::new());
    }

    #[test]
    fn what_is_known_of_a_table_spares_looking_at_it_and_is_believed_only_where_it_fits() {
        let symbols = table(&[("p.f", "def f(): g()"), ("p.g", "def g(): pass")]);
        let found = PortUses::default();
        let edges = found.among(&symbols).places();
        let callees = |uses: &PortUses, edges: Option<Edges>| -> Vec<String> {
            let graph = uses.among_known(&symbols, edges);
            graph.callees(&symbol_path("p.f")).into_iter().map(ToString::to_string).collect()
        };
        assert_eq!(edges, [(0, 1)]);
        assert_eq!(callees(&PortUses::default(), Some(edges)), ["p.g"]);
        assert_eq!(callees(&PortUses::default(), Some(vec![])), Vec::<String>::new(), "it is believed");
        assert_eq!(callees(&PortUses::default(), Some(vec![(0, 2)])), ["p.g"], "there is no third symbol");
        assert_eq!(callees(&found, Some(vec![])), ["p.g"], "it is known already");
    }

    #[test]
    fn a_traits_method_leads_to_what_it_does_for_types_of_others() {
        let a_trait = |at: &str| crate::testing::an_item(at, ItemKind::Trait);
        let graph = CallGraph::of_items(&[
            a_trait("k::a::Read"),
            method("k::a::Read::read", ""),
            method("k::a::<Vec<u8> as Read>::read", "digit"),
            function("k::a::digit", ""),
            method("k::b::<T as a::Read>::read", ""),
            method("k::b::<Job as Read>::read", ""),
            method("k::b::<Vec<u8> as Write>::read", ""),
            method("other::<Vec<u8> as Read>::read", ""),
        ]);
        assert_eq!(
            callees(&graph, "k::a::Read::read"),
            ["k::a::<Vec<u8> as Read>::read", "k::a::digit", "k::b::<T as a::Read>::read"]
        );
    }

    #[test]
    fn variants_of_one_item_are_called_together() {
        let graph =
            CallGraph::of_items(&[function("k::f", ""), function("k::f#2", ""), function("k::g", "f")]);
        assert_eq!(callees(&graph, "k::g"), ["k::f", "k::f#2"]);
    }

    #[test]
    fn mutual_callers_are_one_component_and_callees_come_first() {
        let graph = CallGraph::of_items(&[
            function("k::even", "odd"),
            function("k::odd", "even base"),
            function("k::base", "base"),
            function("k::top", "even"),
        ]);
        let components = graph.components();
        assert_eq!(
            components,
            [vec![path("k::base")], vec![path("k::even"), path("k::odd")], vec![path("k::top")]]
        );
        assert_eq!(graph.waves().len(), 3);
    }

    #[test]
    fn a_very_long_chain_of_calls_does_not_exhaust_the_stack() {
        let last = 100_000_u32;
        let graph = CallGraph::from_edges(0..=last, (0..last).map(|at| (at, at + 1)));
        assert_eq!(graph.components().first(), Some(&vec![last]));
    }

    #[test]
    fn symbols_resolve_within_their_module_first() {
        let table = table(&[
            ("p.a.go", "step"),
            ("p.a.step", ""),
            ("p.b.step", ""),
            ("p.b.only", ""),
            ("p.c.far", "only step"),
        ]);
        let graph = CallGraph::of_symbols(&table);
        assert_eq!(graph.callees(&symbol_path("p.a.go")), [&symbol_path("p.a.step")]);
        assert_eq!(graph.callees(&symbol_path("p.c.far")), [&symbol_path("p.b.only")]);
        assert_eq!(graph.unresolved(&symbol_path("p.c.far")), ["step"]);
    }

    #[test]
    fn what_uses_a_class_uses_its_special_methods_and_no_others() {
        let mut table = table(&[("p.Job", ""), ("p.Job.__init__", ""), ("p.Job.run", ""), ("p.go", "Job")]);
        table.symbols.get_mut(&symbol_path("p.Job")).unwrap().kind = SymbolKind::Class;
        let graph = CallGraph::of_symbols(&table);
        assert_eq!(graph.callees(&symbol_path("p.go")), [&symbol_path("p.Job")]);
        assert_eq!(graph.callees(&symbol_path("p.Job")), [&symbol_path("p.Job.__init__")]);
    }

    #[test]
    fn a_walk_goes_on_where_it_is_told_to_and_ends_in_circles() {
        let graph = CallGraph::from_edges(0..6, [(1, 0), (2, 1), (0, 2), (3, 2), (4, 3), (0, 5)]);
        let node = |key| graph.node(&key).unwrap();
        let reached = graph.walk([node(0)], Direction::Incoming, |at| at != node(3));
        let keys: Vec<_> = reached.nodes().filter_map(|at| graph.key(at)).collect();
        assert_eq!(keys, [&0, &1, &2, &3]);
        assert!(!reached.contains(node(4)) && !reached.contains(node(5)));
    }

    proptest! {
        #[test]
        fn every_edge_between_waves_goes_to_an_earlier_one(
            edges in prop::collection::vec((0_u8..20, 0_u8..20), 0..60),
        ) {
            let graph = CallGraph::from_edges(0..20, edges.clone());
            let waves = graph.waves();
            let place = |key: u8| {
                waves.iter().enumerate().find_map(|(wave, components)| {
                    let at = components.iter().position(|component| component.contains(&key))?;
                    Some((wave, at))
                }).unwrap()
            };
            for (caller, callee) in edges {
                let (caller, callee) = (place(caller), place(callee));
                prop_assert!(caller == callee || caller.0 > callee.0);
            }
            prop_assert_eq!(waves.iter().flatten().flatten().count(), 20);
        }
    }
}
