//! The instrument that has an upstream tell its calls.

use upstream::{Item, trace_calls};

use super::oracle::{Instrument, InstrumentedFile};

/// Logs the calls of functions, with the upstream crate's instrumentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallLog;

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
