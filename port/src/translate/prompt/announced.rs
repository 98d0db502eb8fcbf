//! What changed Rust announces: pitfalls, and functions of the runtime module that answer it.

use std::collections::BTreeSet;

use minijinja::context;
use upstream::ItemChange;

use super::sides::changed_lines;
use crate::runtime::{Importable, offered};
use crate::translate::pitfalls::{Pitfall, tokens_of, tokens_of_change, triggered_by_change};

/// The pitfalls that changes announce, each once, in the order of the table.
pub(super) fn pitfalls(changes: &[&ItemChange]) -> Vec<&'static Pitfall> {
    let mut found: Vec<&'static Pitfall> = changes
        .iter()
        .flat_map(|change| {
            let (before, after) = texts(change);
            triggered_by_change(&changed_lines(before, after), after)
        })
        .collect();
    found.sort_by_key(|row| row.number);
    found.dedup();
    found
}

/// What is told of the runtime module; `None` where nothing of it answers these changes.
pub(super) fn runtime(runtime: &Importable, changes: &[&ItemChange]) -> Option<minijinja::Value> {
    let (mut changed, mut whole) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        let (before, after) = texts(change);
        // What only went needs nothing any more.
        let [_, came] = changed_lines(before, after);
        changed.extend(tokens_of_change(&[came], after));
        whole.extend(tokens_of([before, after]));
    }
    let told = offered(&changed, &whole, &runtime.names);
    let module = runtime.module.to_string();
    (!told.is_empty()).then(|| context! { module => module, functions => told.join("; ") })
}

fn texts(change: &ItemChange) -> (&str, &str) {
    (
        change.before().map_or("", |item| item.text.as_str()),
        change.after().map_or("", |item| item.text.as_str()),
    )
}
