//! `tidelock graph`: who uses whom, among the upstream's items and among the port's symbols.

use std::collections::BTreeMap;

use anyhow::anyhow;
use mappings::{CallGraph, SymbolPath};
use serde::Serialize;
use upstream::{ItemPath, Snapshot};

use super::args::{Graph, Level};
use super::{CliError, Context, ExitCode, session_error};

/// The most nodes that are drawn; a larger graph is refused, since nothing could show it.
const DRAWN_MAX: usize = 20_000;

/// What is printed.
#[derive(Debug, Default, Serialize)]
struct Shown {
    upstream: OneSide,
    port: OneSide,
}

#[derive(Debug, Default, Serialize)]
struct OneSide {
    nodes: Vec<String>,
    /// From user to used.
    edges: Vec<(String, String)>,
    /// Names that could not be resolved, by node.
    unresolved: BTreeMap<String, Vec<String>>,
}

pub(super) fn run(context: &Context, args: &Graph) -> Result<ExitCode, CliError> {
    let session = context.session(context.settings()?)?;
    let head = session.head().map_err(session_error)?;
    let revision = if let Some(revision) = &args.revision {
        session.revision(revision).map_err(session_error)?
    } else {
        let lock = session
            .lock(&head.tree)
            .map_err(|error| session_error(error).hint("or say which revision: `--revision REV`"))?;
        session.revision(lock.baseline.as_str()).map_err(session_error)?
    };
    let snapshot = session.snapshot(&revision).map_err(session_error)?;
    let symbols = session.symbols(&head.tree).map_err(session_error)?;
    let items = CallGraph::of_items(snapshot.items.values());
    let port = CallGraph::of_symbols(&symbols);
    let module_of_symbol = |path: &SymbolPath| {
        let file = symbols.get(path).map(|symbol| symbol.file.clone());
        file.unwrap_or_else(|| path.to_string())
    };
    let shown = Shown {
        upstream: side(snapshot.items.keys(), &items, &|path| level_of_item(&snapshot, path, args.level)),
        port: side(symbols.symbols.keys(), &port, &|path| match args.level {
            Level::Item => path.to_string(),
            Level::Module => module_of_symbol(path),
            Level::Crate => path.as_str().split('.').next().unwrap_or_default().to_owned(),
        }),
    };
    if context.format.is_json() {
        context.json(&shown)?;
        return Ok(ExitCode::Done);
    }
    let nodes = shown.upstream.nodes.len() + shown.port.nodes.len();
    if nodes > DRAWN_MAX {
        let error = anyhow!("the graph has {nodes} nodes, and {DRAWN_MAX} are the most that are drawn");
        return Err(
            CliError::usage(error).hint("add `--level module` or `--level crate`, or `--format json`")
        );
    }
    context.console.data(&dot(&shown));
    Ok(ExitCode::Done)
}

/// The node that stands for an item.
fn level_of_item(snapshot: &Snapshot, path: &ItemPath, level: Level) -> String {
    match level {
        Level::Item => path.to_string(),
        Level::Module => snapshot.items.get(path).map_or_else(|| path.to_string(), |item| item.file.clone()),
        Level::Crate => path.krate().to_owned(),
    }
}

fn side<'a, Key: Ord + Clone + std::fmt::Display + 'a>(
    keys: impl Iterator<Item = &'a Key>,
    graph: &CallGraph<Key>,
    node_of: &dyn Fn(&Key) -> String,
) -> OneSide {
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    let mut unresolved: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in keys {
        let node = node_of(key);
        for used in graph.callees(key) {
            let used = node_of(used);
            if used != node {
                edges.push((node.clone(), used));
            }
        }
        let names = graph.unresolved(key);
        if !names.is_empty() {
            unresolved.entry(node.clone()).or_default().extend(names.iter().cloned());
        }
        nodes.push(node);
    }
    nodes.sort();
    nodes.dedup();
    edges.sort();
    edges.dedup();
    for names in unresolved.values_mut() {
        names.sort();
        names.dedup();
    }
    OneSide { nodes, edges, unresolved }
}

/// The graph in Graphviz's language, a cluster for each side.
fn dot(shown: &Shown) -> String {
    let mut lines: Vec<String> =
        ["digraph tidelock {", "  rankdir=LR;", "  node [shape=box];"].map(str::to_owned).to_vec();
    for (name, side) in [("upstream", &shown.upstream), ("port", &shown.port)] {
        lines.push(format!("  subgraph cluster_{name} {{"));
        lines.push(format!("    label={};", quoted(name)));
        let node = |node: &String| format!("    {} [label={}];", id(name, node), quoted(node));
        lines.extend(side.nodes.iter().map(node));
        lines.push("  }".to_owned());
        let edge = |(user, used): &(String, String)| format!("  {} -> {};", id(name, user), id(name, used));
        lines.extend(side.edges.iter().map(edge));
    }
    lines.push("}\n".to_owned());
    lines.join("\n")
}

fn id(side: &str, node: &str) -> String {
    quoted(&format!("{side}:{node}"))
}

/// A text in quotes; names come from the upstream, and a quote in one must not end it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_name_does_not_end_it() {
        let edges = vec![("a\"b".to_owned(), "c\\".to_owned())];
        let upstream = OneSide { nodes: vec!["a\"b".to_owned()], edges, ..OneSide::default() };
        let text = dot(&Shown { upstream, port: OneSide::default() });
        assert!(text.contains(r#""upstream:a\"b" -> "upstream:c\\";"#), "{text}");
    }
}
