//! The instrument that has an upstream tell its calls.

use upstream::{Item, trace_calls};

use super::oracle::{Instrument, InstrumentedFile};

/// Logs the calls of functions, with the upstream crate's instrumentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallLog;

/// Writes the calls of functions down while the crate's own tests run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CallRecord;

impl Instrument for CallRecord {
    fn instrument(
        &self,
        source: &str,
        edition: &str,
        items: &[&Item],
        first_id: u32,
    ) -> Option<InstrumentedFile> {
        CallLog.instrument(source, edition, items, first_id)
    }

    fn runtime(&self, _: usize) -> String {
        trace_calls::RECORD_MODULE.to_owned()
    }

    fn reset(&self) -> String {
        String::new()
    }

    fn reached(&self) -> String {
        "Vec::<u32>::new()".to_owned()
    }
}

impl Instrument for CallLog {
    fn instrument(
        &self,
        source: &str,
        edition: &str,
        items: &[&Item],
        first_id: u32,
    ) -> Option<InstrumentedFile> {
        let spans: Vec<_> = items.iter().map(|item| (item.path.clone(), item.span.clone())).collect();
        let traced = trace_calls::trace_calls(source, edition, &spans, first_id);
        Some(InstrumentedFile { text: traced.text, blocks: traced.functions })
    }

    fn runtime(&self, _: usize) -> String {
        trace_calls::TRACE_MODULE.to_owned()
    }

    fn reset(&self) -> String {
        "::$::__tidelock_trace::reset();".to_owned()
    }

    fn reached(&self) -> String {
        "Vec::<u32>::new()".to_owned()
    }

    fn calls(&self) -> Option<String> {
        Some("::$::__tidelock_trace::calls()".to_owned())
    }
}
