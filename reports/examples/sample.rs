//! Writes the sample run to standard output: `cargo run -p reports --features sample --example sample -- html`.

use std::error::Error;
use std::io::Write;

use reports::{render, sample};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let format = arguments.next().unwrap_or_else(|| "html".to_owned());
    let record = match arguments.next().as_deref() {
        None | Some("parked") => sample::parked(),
        Some("done") => sample::done(),
        Some("gate-failed") => sample::gate_failed(),
        Some("inconclusive") => sample::inconclusive(),
        Some("dry-run") => sample::dry_run(),
        Some("unfinished") => sample::unfinished(),
        Some("nothing-to-do") => sample::nothing_to_do(),
        Some("hostile") => sample::hostile(),
        Some("large") => sample::large(500),
        Some(other) => return Err(format!("no sample is called {other}").into()),
    };
    let rendered = match format.as_str() {
        "html" => render::html(&record)?,
        "markdown" => render::markdown(&record),
        "text" => render::text(&record),
        "json" => render::json(&record)?,
        other => return Err(format!("no format is called {other}").into()),
    };
    std::io::stdout().write_all(rendered.as_bytes())?;
    Ok(())
}
