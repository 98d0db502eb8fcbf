//! The charts of the newest run with benchmarks.

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::data::PortNow;
use super::page::{Board, Head, Tab};
use crate::record::RunRecord;
use crate::render::RenderError;
use crate::render::html::bench::benches;
use crate::words::{self, Sign};

impl Board {
    /// The benchmarks of the newest run that has any.
    pub fn benchmarks(&self, port: &PortNow, record: Option<&RunRecord>) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct Own<'a> {
            name: Option<&'a str>,
            began_ms: i64,
            gates: Vec<Gate>,
        }
        #[derive(Serialize)]
        struct Gate {
            revision: String,
            anchor: String,
            sign: Sign,
            reason: String,
            benches: Value,
        }
        let revisions = record.into_iter().flat_map(|record| record.revisions.iter().enumerate());
        let gates = revisions.flat_map(|(at, revision)| {
            let with = revision.gates.iter().filter(|gate| !gate.benches.is_empty());
            with.map(move |gate| Gate {
                revision: revision.label.clone(),
                anchor: format!("r{}", at + 1),
                sign: words::verdict(gate.verdict),
                reason: gate.reason.clone(),
                benches: Value::from(Serde(benches(&gate.benches))),
            })
        });
        let own = Own {
            name: record.map(|record| record.run.as_str()),
            began_ms: record.map_or(0, |record| record.started_ms),
            gates: gates.collect(),
        };
        let title = format!("Benchmarks of {}", port.name);
        self.page("benches.html", Head::of(port, Tab::Benchmarks, &title), own)
    }
}
