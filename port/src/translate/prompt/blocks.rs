//! What of a request may be left out of a prompt, in which order, and what was.
//!
//! Each block holds whole pieces: a piece is shown as it is or named as left out, and never cut. First each block
//! keeps to its own bound; where the task is still too long, blocks go whole in the order of [`DROPPED_IN_ORDER`].

use mappings::SymbolPath;
use serde::{Deserialize, Serialize};

use crate::translate::{Excerpt, TranslationRequest};

/// A block that may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// How the port uses the unit's symbols.
    Uses,
    /// Whole texts of other symbols.
    Neighbours,
    /// Heads of symbols that are called.
    Signatures,
    /// Changes behind the items that no symbol answers to.
    Hidden,
}

/// The order in which blocks are dropped: what is easiest asked for comes first.
pub const DROPPED_IN_ORDER: [Block; 4] = [Block::Uses, Block::Neighbours, Block::Signatures, Block::Hidden];

impl Block {
    /// Its name in what people are shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Uses => "uses of its symbols",
            Self::Neighbours => "other symbols",
            Self::Signatures => "heads of what it calls",
            Self::Hidden => "changes behind it",
        }
    }

    /// The most that it may take, in bytes; four of them are about a token.
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Uses => 2 << 10,
            Self::Neighbours => 16 << 10,
            Self::Signatures => 8 << 10,
            Self::Hidden => 32 << 10,
        }
    }

    /// Its pieces in the order of their worth, by name and length.
    fn pieces(self, request: &TranslationRequest) -> Vec<(String, usize)> {
        match self {
            Self::Uses => named(&request.uses),
            Self::Signatures => named(&request.signatures),
            Self::Neighbours => {
                read_whole(request).map(|(symbol, text)| (symbol.to_string(), text.len())).collect()
            }
            Self::Hidden => {
                let sides = |change: &upstream::ItemChange| {
                    let items = [change.before(), change.after()].into_iter().flatten();
                    items.map(|item| item.text.len()).sum()
                };
                request.hidden.iter().map(|change| (change.path().to_string(), sides(change))).collect()
            }
        }
    }
}

/// Neighbours that are shown whole: those of which no head is shown.
pub(super) fn read_whole(request: &TranslationRequest) -> impl Iterator<Item = (&SymbolPath, &str)> {
    let has_head = |symbol: &SymbolPath| request.signatures.iter().any(|head| head.symbol == *symbol);
    let readable = request.neighbours.iter().filter(move |neighbour| !has_head(&neighbour.symbol));
    readable.filter_map(|neighbour| Some((&neighbour.symbol, neighbour.text.as_deref()?)))
}

fn named(excerpts: &[Excerpt]) -> Vec<(String, usize)> {
    excerpts.iter().map(|excerpt| (excerpt.symbol.to_string(), excerpt.text.len())).collect()
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockNote {
    /// Which block.
    pub block: Block,
    /// How many pieces are shown.
    pub shown: usize,
    /// The names of those that are not.
    pub left_out: Vec<String>,
    /// Why not; empty where all are shown.
    pub why: String,
}

/// What is shown of each block.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    blocks: Vec<KeptBlock>,
}

#[derive(Debug, Clone)]
struct KeptBlock {
    block: Block,
    /// Each piece by its name, and whether it is shown.
    pieces: Vec<(String, bool)>,
    why: String,
}

impl Kept {
    /// What fits each block's own bound.
    pub(super) fn within_bounds(request: &TranslationRequest) -> Self {
        let blocks = DROPPED_IN_ORDER.map(|block| {
            let mut left = block.bytes_max();
            let mut pieces = Vec::new();
            for (name, length) in block.pieces(request) {
                let fits = length <= left;
                left -= if fits { length } else { 0 };
                pieces.push((name, fits));
            }
            let all = pieces.iter().all(|(_, shown)| *shown);
            let why = format!("it may take {} bytes", block.bytes_max());
            KeptBlock { block, pieces, why: if all { String::new() } else { why } }
        });
        Self { blocks: blocks.into() }
    }

    /// Drops the next block whole; false where nothing is left to be dropped.
    pub(super) fn drop_next(&mut self, payload_bytes_max: usize) -> bool {
        let is_shown = |kept: &&mut KeptBlock| kept.pieces.iter().any(|(_, shown)| *shown);
        let Some(kept) = self.blocks.iter_mut().find(is_shown) else { return false };
        for (_, shown) in &mut kept.pieces {
            *shown = false;
        }
        kept.why = format!("the task may take {payload_bytes_max} bytes");
        true
    }

    fn pieces(&self, block: Block) -> &[(String, bool)] {
        self.blocks.iter().find(|kept| kept.block == block).map_or(&[], |kept| &kept.pieces)
    }

    /// Whether a piece of a block is shown.
    pub(super) fn shows(&self, block: Block, at: usize) -> bool {
        self.pieces(block).get(at).is_some_and(|(_, shown)| *shown)
    }

    /// The names of what is left out of a block.
    pub(super) fn left_out(&self, block: Block) -> Vec<String> {
        let left_out = self.pieces(block).iter().filter(|(_, shown)| !shown);
        left_out.map(|(name, _)| name.clone()).collect()
    }

    /// What became of each block that has anything in it.
    pub(super) fn notes(&self) -> Vec<BlockNote> {
        let there = self.blocks.iter().filter(|kept| !kept.pieces.is_empty());
        let note = |kept: &KeptBlock| BlockNote {
            block: kept.block,
            shown: kept.pieces.iter().filter(|(_, shown)| *shown).count(),
            left_out: self.left_out(kept.block),
            why: kept.why.clone(),
        };
        there.map(note).collect()
    }
}
