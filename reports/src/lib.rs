//! Tell people: the durable record of a run, and its renderings.
//!
//! [`record`] holds the types and reads them, [`summary`] counts, and [`render`] gives text, Markdown, JSON
//! and HTML. A record is rendered and never judged here: no verdict is computed below this crate's root.

mod attention;
mod bench_record;
pub mod chart;
mod diff;
pub mod gate_report;
pub mod record;
pub mod render;

#[cfg(any(test, feature = "sample"))]
pub mod sample;
pub mod summary;
mod visible;
mod words;

pub use gate_report::{GateReport, SymbolPlace};
pub use record::{RecordError, RunOutcome, RunRecord, Verdict};
pub use render::board;
pub use summary::Summary;
pub use visible::{code as visible_text, line as visible_line};
pub use words::{count, plain};
