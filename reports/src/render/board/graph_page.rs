//! The page of the dependency graph.

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::data::{Graph, GraphNode, Impact, PortNow};
use super::graph::{Lights, Lit, Subject, picture};
use super::page::{Board, Head, Tab};
use crate::render::RenderError;

/// Rows of the table.
const ROWS_MAX: usize = 200;
/// Revisions to choose from.
pub(super) const CHOICES_MAX: usize = 12;

impl Board {
    /// The dependency graph of a port, with what one revision touched. `choices` are the revisions to choose from.
    pub fn graph(
        &self,
        port: &PortNow,
        choices: &[String],
        impact: Option<&Impact>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Own<'a> {
            choices: Vec<&'a String>,
            impact: Option<&'a Impact>,
            picture: Option<Value>,
            rows: Vec<Row<'a>>,
            rows_more: usize,
        }
        #[derive(Serialize)]
        struct Row<'a> {
            name: &'a str,
            symbols: u64,
            lit: &'static str,
            uses: Names<'a>,
            used_by: Names<'a>,
        }
        let empty = Graph::default();
        let graph = port.standing.as_ref().map_or(&empty, |standing| &standing.graph);
        let lights = Lights::of(impact);
        let uses = Uses::of(graph);
        // What is lit comes first, also where not all have room.
        let mut nodes: Vec<(usize, &GraphNode)> = graph.nodes.iter().enumerate().collect();
        nodes.sort_by_key(|(_, node)| match lights.on(&node.name) {
            Lit::Changed => 0,
            Lit::Reached => 1,
            Lit::No => 2,
        });
        let rows = nodes.into_iter().take(ROWS_MAX).map(|(at, node)| Row {
            name: &node.name,
            symbols: node.symbols,
            lit: lights.on(&node.name).word(),
            uses: Uses::names(graph, uses.used(at)),
            used_by: Uses::names(graph, uses.users(at)),
        });
        let own = Own {
            choices: choices.iter().take(CHOICES_MAX).collect(),
            impact,
            picture: picture(graph, &lights, Subject::Modules).map(|picture| Value::from(Serde(picture))),
            rows: rows.collect(),
            rows_more: graph.nodes.len().saturating_sub(ROWS_MAX),
        };
        let title = format!("Graph of {}", port.name);
        self.page("graph.html", Head::of(port, Tab::Graph, &title), own)
    }
}

/// Names that stand in one cell of a table.
const NAMES_MAX: usize = 12;

/// Some names, and how many more there are.
#[derive(Debug, Serialize)]
pub(super) struct Names<'a> {
    names: Vec<&'a str>,
    more: usize,
}

/// Who uses whom, by place.
#[derive(Debug)]
pub(super) struct Uses {
    used: Vec<Vec<usize>>,
    users: Vec<Vec<usize>>,
}

impl Uses {
    pub(super) fn of(graph: &Graph) -> Self {
        let mut uses =
            Self { used: vec![Vec::new(); graph.nodes.len()], users: vec![Vec::new(); graph.nodes.len()] };
        for &(user, used) in &graph.edges {
            if let (Some(of_user), Some(of_used)) = (uses.used.get_mut(user), uses.users.get_mut(used)) {
                of_user.push(used);
                of_used.push(user);
            }
        }
        uses
    }

    /// What this one uses.
    pub(super) fn used(&self, at: usize) -> &[usize] {
        self.used.get(at).map_or(&[], Vec::as_slice)
    }

    /// What uses this one.
    pub(super) fn users(&self, at: usize) -> &[usize] {
        self.users.get(at).map_or(&[], Vec::as_slice)
    }

    /// The names of these places.
    pub(super) fn names<'a>(graph: &'a Graph, places: &[usize]) -> Names<'a> {
        let all = places.iter().take(NAMES_MAX);
        let names = all.filter_map(|at| graph.nodes.get(*at).map(|node| node.name.as_str())).collect();
        Names { names, more: places.len().saturating_sub(NAMES_MAX) }
    }
}
