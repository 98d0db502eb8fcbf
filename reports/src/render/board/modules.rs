//! How the items of a port are known, as bars and as a map of the upstream's modules.

use serde::Serialize;

use super::data::{Counts, PortNow};
use super::page::{Board, Head, Tab};
use crate::render::RenderError;

/// One part of a bar of items.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    weight: u64,
    word: &'static str,
    glyph: &'static str,
    class: &'static str,
}

/// Items by how they are known, which are never added up: in a bar they stand side by side.
pub(super) fn parts(counts: Counts) -> Vec<Part> {
    let all = [
        (counts.proved, "proved", "●", "k-proved"),
        (counts.tested, "tested", "◑", "k-tested"),
        (counts.mapped_only, "mapped only", "○", "k-mapped"),
        (counts.unknown, "unknown", "?", "k-unknown"),
        (counts.unmapped, "unmapped", "–", "k-unmapped"),
    ];
    let all = all.into_iter().filter(|(weight, ..)| *weight > 0);
    all.map(|(weight, word, glyph, class)| Part { weight, word, glyph, class }).collect()
}

/// The most modules that are shown, the largest first.
const MODULES_MAX: usize = 500;

impl Board {
    /// The modules of a port, by how their items are known.
    pub fn modules(&self, port: &PortNow) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Own<'a> {
            modules: Vec<Module<'a>>,
            modules_more: usize,
            total: Vec<Part>,
        }
        #[derive(Serialize)]
        struct Module<'a> {
            name: &'a str,
            counts: Counts,
            parts: Vec<Part>,
            items: u64,
            /// The weakest thing that is known of it, as a colour and a word.
            state: &'static str,
            word: &'static str,
        }
        let standing = port.standing.as_ref();
        let mut modules: Vec<Module<'_>> = standing
            .into_iter()
            .flat_map(|standing| &standing.modules)
            .map(|module| {
                let parts = parts(module.counts);
                let (state, word) = state_of(module.counts);
                let items = parts.iter().map(|part| part.weight).sum();
                Module { name: &module.name, counts: module.counts, parts, items, state, word }
            })
            .collect();
        modules.sort_by(|one, other| other.items.cmp(&one.items).then_with(|| one.name.cmp(other.name)));
        let modules_more = modules.len().saturating_sub(MODULES_MAX);
        modules.truncate(MODULES_MAX);
        let own = Own {
            modules_more,
            modules,
            total: standing.map(|standing| parts(standing.total)).unwrap_or_default(),
        };
        let title = format!("Modules of {}", port.name);
        self.page("modules.html", Head::of(port, Tab::Modules, &title), own)
    }
}

/// What colours a module: what is wrong with it first, then the weakest thing that is known.
fn state_of(counts: Counts) -> (&'static str, &'static str) {
    let all = [
        (counts.drifted, "k-drifted", "drifted"),
        (counts.stale, "k-stale", "stale"),
        (counts.unknown, "k-unknown", "unknown"),
        (counts.unmapped, "k-unmapped", "unmapped"),
        (counts.mapped_only, "k-mapped", "mapped only"),
        (counts.tested, "k-tested", "tested"),
        (counts.proved, "k-proved", "proved"),
    ];
    let first = all.into_iter().find(|(number, ..)| *number > 0);
    first.map_or(("k-none", "left alone"), |(_, state, word)| (state, word))
}
