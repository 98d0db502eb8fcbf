//! The symbols that a revision or a unit reached, with those beside them: as a picture and as a table.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::data::{Around, AroundMember, PortNow};
use super::graph::{Lights, Lit, Subject, picture};
use super::graph_page::{CHOICES_MAX, Names, Uses};
use super::page::{Board, Head, Tab};
use crate::render::RenderError;

/// Rows of the table.
const ROWS_MAX: usize = 200;

/// What the template places.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    run: &'a str,
    label: &'a str,
    picture: Option<Value>,
    rows: Vec<Row<'a>>,
    rows_more: usize,
    gone: &'a [String],
    left_out: usize,
    is_read: bool,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    member: Option<&'a AroundMember>,
    lit: &'static str,
    uses: Names<'a>,
    used_by: Names<'a>,
}

pub(super) fn view(around: &Around) -> View<'_> {
    let lights = Lights::of(Some(&around.impact));
    let graph = &around.graph;
    let uses = Uses::of(graph);
    let members: BTreeMap<&str, &AroundMember> =
        around.members.iter().map(|member| (member.symbol.as_str(), member)).collect();
    let mut rows: Vec<Row<'_>> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(at, node)| Row {
            name: &node.name,
            member: members.get(node.name.as_str()).copied(),
            lit: match lights.on(&node.name) {
                Lit::No => "",
                lit @ (Lit::Reached | Lit::Changed) => lit.word(),
            },
            uses: Uses::names(graph, uses.used(at)),
            used_by: Uses::names(graph, uses.users(at)),
        })
        .collect();
    // What was touched comes first, then what was checked as well.
    let rank = |row: &Row<'_>| (row.member.is_none(), row.lit.is_empty());
    rows.sort_by_key(rank);
    let rows_more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    View {
        run: &around.impact.run,
        label: &around.impact.label,
        picture: picture(graph, &lights, Subject::Symbols).map(|picture| Value::from(Serde(picture))),
        rows,
        rows_more,
        gone: around.gone.get(..ROWS_MAX).unwrap_or(&around.gone),
        left_out: around.left_out,
        is_read: around.is_read,
    }
}

impl Board {
    /// The symbols that one revision reached. `choices` are the revisions to choose from.
    pub fn symbols(
        &self,
        port: &PortNow,
        choices: &[String],
        around: Option<&Around>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Own<'a> {
            choices: Vec<&'a String>,
            label: &'a str,
            around: Option<View<'a>>,
        }
        let own = Own {
            choices: choices.iter().take(CHOICES_MAX).collect(),
            label: around.map_or("", |around| &around.impact.label),
            around: around.map(view),
        };
        let title = format!("Symbols of {}", port.name);
        self.page("symbols.html", Head::of(port, Tab::Graph, &title), own)
    }
}
