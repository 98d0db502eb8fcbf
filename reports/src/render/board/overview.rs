//! All ports on one page, and how each is in a word.

use std::collections::BTreeMap;

use serde::Serialize;

use super::data::PortNow;
use super::modules::{Part, parts};
use super::page::{Board, Head};
use super::running::{Live, live};
use crate::record::{RunOutcome, RunRecord};
use crate::render::RenderError;
use crate::words::{self, Sign};

/// How a port is, in the order in which people should look.
pub(super) fn sign_of(port: &PortNow) -> (u8, Sign) {
    let sign = |glyph, word: &str, tone| Sign { glyph, word: word.to_owned(), tone };
    let watched = port.watched.as_ref();
    let parked = port.standing.as_ref().map_or(0, |standing| standing.parked.len() as u64);
    let ended = port.last_ended.as_ref().map(|run| run.outcome);
    if !port.journal_trouble.is_empty() {
        return (0, sign("✗", "journal unreadable", "bad"));
    }
    if watched.is_some_and(|watched| watched.failures > 0) {
        let failures = watched.map_or(0, |watched| u64::from(watched.failures));
        return (1, sign("✗", &format!("{} in a row", words::count(failures, "failure")), "bad"));
    }
    if ended == Some(RunOutcome::GateFailed) {
        return (2, sign("✗", "gate failed", "bad"));
    }
    if ended == Some(RunOutcome::Inconclusive) {
        return (3, sign("?", "inconclusive", "warn"));
    }
    if !port.standing_trouble.is_empty() {
        return (4, sign("?", "cannot be read", "warn"));
    }
    if parked > 0 {
        return (5, sign("◐", &format!("{parked} parked"), "warn"));
    }
    match port.standing.as_ref().map(|standing| standing.lag_revisions) {
        None => (8, sign("○", "not read yet", "calm")),
        Some(None) => (4, sign("?", "baseline gone", "warn")),
        Some(Some(0)) => (7, sign("✓", "up to date", "good")),
        Some(Some(lag)) => (6, sign("→", &format!("{lag} behind"), "calm")),
    }
}

#[derive(Serialize)]
struct Card<'a> {
    sign: Sign,
    port: &'a PortNow,
    proof: Option<Vec<Part>>,
    running: Option<Live>,
}

impl Board {
    /// All ports, those that need somebody first. `running` are the runs that are under way, by port.
    pub fn overview(
        &self,
        ports: &[PortNow],
        running: &BTreeMap<String, RunRecord>,
    ) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Own<'a> {
            cards: Vec<Card<'a>>,
            attention: u64,
            behind: u64,
            parked: usize,
        }
        let mut cards: Vec<(u8, Card<'_>)> = ports
            .iter()
            .map(|port| {
                let (rank, sign) = sign_of(port);
                let proof = port.standing.as_ref().map(|standing| parts(standing.total));
                (rank, Card { sign, port, proof, running: running.get(&port.name).map(live) })
            })
            .collect();
        cards.sort_by(|(rank, one), (other_rank, other)| {
            rank.cmp(other_rank).then_with(|| one.port.name.cmp(&other.port.name))
        });
        let standings = || ports.iter().filter_map(|port| port.standing.as_ref());
        let own = Own {
            attention: cards.iter().filter(|(rank, _)| *rank <= 5).count() as u64,
            behind: standings().filter(|standing| standing.lag_revisions != Some(0)).count() as u64,
            parked: standings().map(|standing| standing.parked.len()).sum(),
            cards: cards.into_iter().map(|(_, card)| card).collect(),
        };
        self.page("overview.html", Head::alone("Ports"), own)
    }
}
