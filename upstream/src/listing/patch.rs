//! The difference of two texts as people read it.

use std::time::Duration;

use similar::{Algorithm, TextDiff};

/// How long one comparison may take before it settles for a coarser answer.
const DEADLINE: Duration = Duration::from_secs(2);
/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 3;

/// A unified diff; empty where the texts are the same. The first line of each side is given, from 1.
pub(super) fn unified(before: &str, after: &str) -> String {
    let mut config = TextDiff::configure();
    config.algorithm(Algorithm::Patience).timeout(DEADLINE);
    let diff = config.diff_lines(before, after);
    let mut text = diff.unified_diff().context_radius(CONTEXT_LINES).to_string();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
