//! A graph as a picture: users at the left, what they use at the right, a revision's reach lit up. The nodes are the
//! modules of a port, or some of its symbols.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;
use serde::Serialize;

use super::data::{Graph, Impact};
use crate::render::html::markup::Markup;
use crate::visible;

/// The most nodes that are drawn; of more, those that are lit and then those with the most uses.
const NODES_MAX: usize = 80;

/// Rounds in which the order within a column is improved.
const SWEEPS: usize = 4;

const BOX: (f64, f64) = (188.0, 28.0);
const GAP: (f64, f64) = (64.0, 12.0);
const MARGIN: f64 = 8.0;

/// Characters of a name in its box.
const NAME_CHARS_MAX: usize = 24;

/// How a revision touches a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lit {
    No,
    Reached,
    Changed,
}

/// How a revision touches which node, by name.
#[derive(Debug, Default)]
pub(super) struct Lights<'a>(BTreeMap<&'a str, Lit>);

impl<'a> Lights<'a> {
    pub(super) fn of(impact: Option<&'a Impact>) -> Self {
        let reached = impact.into_iter().flat_map(|impact| &impact.reached);
        let changed = impact.into_iter().flat_map(|impact| &impact.changed);
        // What is touched is never checked only.
        let all = reached.map(|name| (name.as_str(), Lit::Reached));
        Self(all.chain(changed.map(|name| (name.as_str(), Lit::Changed))).collect())
    }

    pub(super) fn on(&self, name: &str) -> Lit {
        self.0.get(name).copied().unwrap_or(Lit::No)
    }
}

impl Lit {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Reached => "checked as well",
            Self::Changed => "touched",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::No => "<g class=node>",
            Self::Reached => "<g class=\"node reached\">",
            Self::Changed => "<g class=\"node touched\">",
        }
    }
}

/// What the nodes are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    Modules,
    Symbols,
}

impl Subject {
    fn title(self) -> &'static str {
        match self {
            Self::Modules => "Modules of the port and who uses whom; the table below says the same",
            Self::Symbols => "Symbols of the port and who uses whom; the table below says the same",
        }
    }
}

/// The picture, and how many nodes it leaves out.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    pub(super) svg: Value,
    pub(super) left_out: usize,
}

/// Draws the graph; `None` where there is nothing to draw.
pub(super) fn picture(graph: &Graph, lights: &Lights<'_>, subject: Subject) -> Option<Picture> {
    let drawn = choose(graph, lights);
    if drawn.is_empty() {
        return None;
    }
    let columns = columns(&drawn, &graph.edges);
    let places = places(&columns, graph.nodes.len());
    let place = |node: usize| places.get(node).copied().flatten();
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let width = 2.0 * MARGIN + count(columns.len()) * (BOX.0 + GAP.0) - GAP.0;
    let height = 2.0 * MARGIN + count(rows) * (BOX.1 + GAP.1) - GAP.1;
    let lit: Vec<Lit> = graph.nodes.iter().map(|node| lights.on(&node.name)).collect();
    let is_lit = |node: usize| lit.get(node).is_some_and(|lit| *lit != Lit::No);
    let mut out = Markup::default();
    out.raw("<svg class=graph role=img aria-labelledby=graph-title width=\"");
    out.place(width);
    out.raw("\" height=\"");
    out.place(height);
    out.raw("\" viewBox=\"0 0 ");
    out.place(width);
    out.raw(" ");
    out.place(height);
    out.raw("\"><title id=graph-title>");
    out.raw(subject.title());
    out.raw("</title>");
    for (user, used) in &graph.edges {
        let (Some(from), Some(to)) = (place(*user), place(*used)) else { continue };
        if user == used {
            continue;
        }
        out.raw(if is_lit(*user) && is_lit(*used) {
            "<path class=\"edge lit\" d=\"M"
        } else {
            "<path class=edge d=\"M"
        });
        edge(&mut out, from, to);
        out.raw("\"/>");
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        let Some((x, y)) = place(at) else { continue };
        let lit = lit.get(at).copied().unwrap_or(Lit::No);
        out.raw(lit.class());
        out.raw("<title>");
        out.text(&visible::line(&node.name));
        if lit != Lit::No {
            out.raw(": ");
            out.raw(lit.word());
        }
        out.raw("</title><rect rx=6 x=\"");
        out.place(x);
        out.raw("\" y=\"");
        out.place(y);
        out.raw("\" width=\"");
        out.place(BOX.0);
        out.raw("\" height=\"");
        out.place(BOX.1);
        out.raw("\"/><text x=\"");
        out.place(x + 10.0);
        out.raw("\" y=\"");
        out.place(y + BOX.1 / 2.0 + 4.0);
        out.raw("\">");
        out.text(&name(&node.name, lit));
        out.raw("</text></g>");
    }
    out.raw("</svg>");
    Some(Picture { svg: out.finish(), left_out: graph.nodes.len() - drawn.len() })
}

/// The end of a name says more than its beginning. What is lit is marked by more than colour.
fn name(name: &str, lit: Lit) -> String {
    let name = visible::line(name);
    let room = NAME_CHARS_MAX - usize::from(lit != Lit::No) * 2;
    let skipped = name.chars().count().saturating_sub(room);
    let shown: String = name.chars().skip(skipped).collect();
    let shown = if skipped > 0 { format!("…{}", shown.chars().skip(1).collect::<String>()) } else { shown };
    match lit {
        Lit::No => shown,
        Lit::Reached => format!("◌ {shown}"),
        Lit::Changed => format!("● {shown}"),
    }
}

fn edge(out: &mut Markup, from: (f64, f64), to: (f64, f64)) {
    let (x1, y1) = (from.0 + BOX.0, from.1 + BOX.1 / 2.0);
    let (x2, y2) = (to.0, to.1 + BOX.1 / 2.0);
    // An edge back, or within a column, goes around.
    let bend = if x2 > x1 { (x2 - x1) / 2.0 } else { 40.0 };
    out.place(x1);
    out.raw(" ");
    out.place(y1);
    out.raw("C");
    for (x, y, end) in [(x1 + bend, y1, " "), (x2 - bend, y2, " "), (x2, y2, "")] {
        out.place(x);
        out.raw(" ");
        out.place(y);
        out.raw(end);
    }
}

/// The nodes to draw, by place in the graph, in its order.
fn choose(graph: &Graph, lights: &Lights<'_>) -> Vec<usize> {
    let mut numbers = vec![0_usize; graph.nodes.len()];
    for (user, used) in &graph.edges {
        for end in [user, used] {
            if let Some(number) = numbers.get_mut(*end) {
                *number += 1;
            }
        }
    }
    let uses = |node: usize| numbers.get(node).copied().unwrap_or(0);
    let mut all: Vec<(bool, usize, usize)> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(at, node)| (lights.on(&node.name) == Lit::No, usize::MAX - uses(at), at))
        .collect();
    all.sort_unstable();
    let mut drawn: Vec<usize> = all.into_iter().take(NODES_MAX).map(|(_, _, at)| at).collect();
    drawn.sort_unstable();
    drawn
}

/// Nodes by column: each stands right of everything that uses it, but for cycles.
fn columns(drawn: &[usize], edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let is_drawn: BTreeSet<usize> = drawn.iter().copied().collect();
    let edges: BTreeSet<(usize, usize)> = edges
        .iter()
        .copied()
        .filter(|(user, used)| user != used && is_drawn.contains(user) && is_drawn.contains(used))
        .collect();
    let mut depth = vec![0_usize; drawn.last().map_or(0, |last| last + 1)];
    // In a cycle depths would grow for ever: after as many rounds as there are nodes they stand.
    for _ in 0..drawn.len().min(NODES_MAX) {
        let mut moved = false;
        for &(user, used) in &edges {
            let wanted = depth.get(user).copied().unwrap_or(0) + 1;
            if let Some(depth) = depth.get_mut(used)
                && *depth < wanted
                && wanted < drawn.len()
                && !edges.contains(&(used, user))
            {
                *depth = wanted;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    // Cycles leave gaps between the depths.
    let mut taken: Vec<usize> = drawn.iter().filter_map(|node| depth.get(*node).copied()).collect();
    taken.sort_unstable();
    taken.dedup();
    let mut columns: Vec<Vec<usize>> = taken
        .iter()
        .map(|at| drawn.iter().copied().filter(|node| depth.get(*node) == Some(at)).collect())
        .collect();
    for sweep in 0..SWEEPS {
        for at in 0..columns.len() {
            let beside = if sweep % 2 == 0 { at.checked_sub(1) } else { Some(at + 1) };
            let Some(fixed) = beside.and_then(|beside| columns.get(beside)).cloned() else { continue };
            let middle = |node: usize| {
                let near = edges.iter().filter_map(|&(user, used)| {
                    let other = if user == node {
                        used
                    } else if used == node {
                        user
                    } else {
                        return None;
                    };
                    fixed.iter().position(|fixed| *fixed == other)
                });
                let (sum, number) = near.fold((0, 0), |(sum, number), place| (sum + place, number + 1_usize));
                (sum * 100_usize).checked_div(number).unwrap_or(usize::MAX)
            };
            if let Some(column) = columns.get_mut(at) {
                column.sort_by_key(|node| middle(*node));
            }
        }
    }
    columns
}

fn places(columns: &[Vec<usize>], nodes: usize) -> Vec<Option<(f64, f64)>> {
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut places = vec![None; nodes];
    for (column, members) in columns.iter().enumerate() {
        let down = count(rows - members.len()) / 2.0;
        for (row, node) in members.iter().enumerate() {
            let x = MARGIN + count(column) * (BOX.0 + GAP.0);
            let y = MARGIN + (count(row) + down) * (BOX.1 + GAP.1);
            if let Some(place) = places.get_mut(*node) {
                *place = Some((x, y));
            }
        }
    }
    places
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::data::GraphNode;
    use super::*;

    fn graph(names: &[&str], edges: &[(usize, usize)]) -> Graph {
        let node = |name: &&str| GraphNode { name: (*name).to_owned(), symbols: 1 };
        Graph { nodes: names.iter().map(node).collect(), edges: edges.to_vec() }
    }

    #[test]
    fn what_is_used_stands_right_of_its_users_and_cycles_end() {
        let edges = [(0, 1), (1, 2), (2, 1), (0, 2), (2, 2)];
        let columns = columns(&[0, 1, 2], &edges);
        assert_eq!(columns.first().map(Vec::as_slice), Some(&[0][..]));
        assert_eq!(columns.iter().map(Vec::len).sum::<usize>(), 3);
    }

    #[test]
    fn a_revision_lights_what_it_touched_by_more_than_colour_and_names_are_escaped() {
        let graph = graph(&["a<script>.py", "b.py"], &[(0, 1)]);
        let impact = Impact {
            changed: vec!["b.py".into()],
            reached: vec!["a<script>.py".into()],
            ..Impact::default()
        };
        let svg = picture(&graph, &Lights::of(Some(&impact)), Subject::Modules).unwrap().svg.to_string();
        assert!(svg.contains("● b.py") && svg.contains("◌ a&lt;script&gt;.py"), "{svg}");
        assert!(svg.contains("edge lit") && !svg.contains("<script"), "{svg}");
    }

    #[test]
    fn a_large_graph_keeps_what_is_lit_and_counts_the_rest() {
        let names: Vec<String> = (0..200).map(|at| format!("m{at}.py")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let graph = graph(&names, &[]);
        let impact = Impact { changed: vec!["m199.py".into()], ..Impact::default() };
        let picture = picture(&graph, &Lights::of(Some(&impact)), Subject::Modules).unwrap();
        assert_eq!(picture.left_out, 120);
        assert!(picture.svg.to_string().contains("● m199.py"));
        assert!(self::picture(&Graph::default(), &Lights::default(), Subject::Symbols).is_none());
    }
}
