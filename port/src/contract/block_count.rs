//! The instrument that counts which blocks of the upstream's code calls reach.

use upstream::{Item, instrument};

use super::oracle::{Instrument, InstrumentedFile};

/// Counts the blocks of functions, with the upstream crate's instrumentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlockCounters;

impl Instrument for BlockCounters {
    fn instrument(
        &self,
        source: &str,
        edition: &str,
        items: &[&Item],
        first_id: u32,
    ) -> Option<InstrumentedFile> {
        let spans: Vec<_> = items.iter().map(|item| (item.path.clone(), item.span.clone())).collect();
        let counted = instrument::count_blocks(source, edition, &spans, first_id);
        let blocks = counted.blocks.into_iter().map(|block| (block.id, block.item)).collect();
        Some(InstrumentedFile { text: counted.text, blocks })
    }

    fn runtime(&self, blocks: usize) -> String {
        instrument::runtime_module(blocks)
    }

    fn reset(&self) -> String {
        "::$::__tidelock_coverage::reset();".to_owned()
    }

    fn reached(&self) -> String {
        "::$::__tidelock_coverage::reached().map(|block| block as u32).collect::<Vec<u32>>()".to_owned()
    }
}
