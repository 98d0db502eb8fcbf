//! A run in a few aligned lines, for a terminal or a log.

use crate::attention::{Attention, attention, next_step};
use crate::record::{RevisionRecord, RunRecord};
use crate::summary::{ProbeCounts, Summary, UnitCounts, standing_evidence};
use crate::{visible, words};

use super::facts::{facts, headline, probe_mix, unit_mix};

/// Revisions that are listed; the rest is counted.
const REVISIONS_MAX: usize = 60;

/// Things that need a person and are listed; the rest is counted.
const ATTENTION_MAX: usize = 20;

/// Characters of a label that columns are aligned for; a longer one moves its own row only.
const LABEL_CHARS_MAX: usize = 24;

/// The run as plain text. It holds no colour and no control character besides the line end.
pub fn text(record: &RunRecord) -> String {
    let summary = Summary::of(record);
    let sign = words::outcome(record.outcome);
    let mut out = String::new();
    line(&mut out, &format!("{} {}: {}", sign.glyph, visible::line(&record.port.name), sign.word));
    for part in headline(record, &summary).split_inclusive("; ") {
        line(&mut out, &format!("  {part}"));
    }
    push_revisions(&mut out, record);
    push_benchmarks(&mut out, record);
    push_attention(&mut out, record);
    push_notices(&mut out, record);
    out.push('\n');
    for fact in facts(record, &summary) {
        line(&mut out, &format!("  {:<9} {}", fact.label, fact.value));
    }
    line(&mut out, &format!("\nNext: {}", next_step(record.outcome)));
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn push_revisions(out: &mut String, record: &RunRecord) {
    if record.revisions.is_empty() {
        return;
    }
    out.push('\n');
    let rows: Vec<_> = record.revisions.iter().take(REVISIONS_MAX).map(cells).collect();
    let widths: Vec<_> = (0..4)
        .map(|column| {
            let lengths = rows.iter().map(|row| row[column].chars().count());
            lengths.filter(|length| column > 0 || *length <= LABEL_CHARS_MAX).max().unwrap_or(0)
        })
        .collect();
    for row in &rows {
        let mut shown = "  ".to_owned();
        for (cell, width) in row.iter().zip(widths.iter().chain([&0])) {
            let room = width.saturating_sub(cell.chars().count()) + 2;
            add!(shown, "{cell}{}", " ".repeat(room));
        }
        line(out, &shown);
    }
    let rest = record.revisions.len().saturating_sub(REVISIONS_MAX);
    if rest > 0 {
        line(out, &format!("  and {} more in the JSON record", words::count(rest as u64, "revision")));
    }
}

/// The verdict of each benchmark gate in one line.
fn push_benchmarks(out: &mut String, record: &RunRecord) {
    let gates = |revision: &RevisionRecord| -> Vec<String> {
        let decided = revision.gates.iter().filter(|gate| !gate.benches.is_empty());
        decided.map(|gate| visible::line(&gate.reason)).collect()
    };
    let lines: Vec<String> = record
        .revisions
        .iter()
        .flat_map(|revision| {
            let label = visible::line(&revision.label);
            gates(revision).into_iter().map(move |reason| format!("  {label}: {reason}"))
        })
        .collect();
    if lines.is_empty() {
        return;
    }
    line(out, "\nBenchmarks");
    for shown in lines.iter().take(REVISIONS_MAX) {
        line(out, shown);
    }
    let rest = lines.len().saturating_sub(REVISIONS_MAX);
    if rest > 0 {
        line(out, &format!("  and {rest} more in the JSON record"));
    }
}

fn cells(revision: &RevisionRecord) -> [String; 5] {
    let sign = words::revision(revision);
    let units = UnitCounts::of(&revision.units);
    let probes = ProbeCounts::of(standing_evidence(revision));
    [
        format!("{} {}", sign.glyph, visible::line(&revision.label)),
        sign.word,
        if units.total == 0 { "no unit".to_owned() } else { unit_mix(&units) },
        probe_mix(&probes).unwrap_or_else(|| "no probe".to_owned()),
        revision.landed.as_ref().map(|landed| words::short(&landed.commit)).unwrap_or_default(),
    ]
}

fn push_attention(out: &mut String, record: &RunRecord) {
    let list = attention(record);
    if list.is_empty() {
        return;
    }
    line(out, "\nNeeds a person");
    for item in list.iter().take(ATTENTION_MAX) {
        push_item(out, record, item);
    }
    let rest = list.len().saturating_sub(ATTENTION_MAX);
    if rest > 0 {
        line(out, &format!("  and {rest} more in the JSON record"));
    }
}

fn push_item(out: &mut String, record: &RunRecord, item: &Attention) {
    let revision = item.place.and_then(|place| record.revisions.get(place.revision));
    let when = match (&item.since, revision) {
        (Some(since), _) => format!(" since {}", visible::line(since)),
        (None, Some(revision)) => format!(" at {}", visible::line(&revision.label)),
        (None, None) => String::new(),
    };
    let subject = visible::line(&item.subject);
    line(out, &format!("  {} {subject}: {}{when}", item.sign.glyph, item.sign.word));
    line(out, &format!("      {}", visible::line(&item.reason)));
    if let Some(example) = &item.example {
        let (call, port) = (visible::line(&example.call), visible::line(&example.port));
        let upstream = visible::line(&example.upstream);
        line(out, &format!("      {call} gave {upstream} upstream and {port} in the port"));
    }
    for tried in &item.tried {
        line(out, &format!("      {:<13} {}", format!("{}:", tried.who), visible::line(&tried.what)));
    }
    if !item.needs.is_empty() {
        line(out, &format!("      {:<13} {}", "needs:", visible::line(&item.needs)));
    }
}

fn push_notices(out: &mut String, record: &RunRecord) {
    if record.notices.is_empty() {
        return;
    }
    line(out, "\nNotices");
    for notice in record.notices.iter().take(ATTENTION_MAX) {
        line(out, &format!("  ! {}: {}", words::plain(&notice.code), visible::line(&notice.text)));
    }
    let rest = record.notices.len().saturating_sub(ATTENTION_MAX);
    if rest > 0 {
        line(out, &format!("  and {rest} more in the JSON record"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_parked_run_says_what_waits_and_what_to_do() {
        insta::assert_snapshot!("text_parked", text(&sample::parked()));
    }

    #[test]
    fn other_outcomes_are_told_apart() {
        let all: Vec<_> = [
            sample::done(),
            sample::gate_failed(),
            sample::inconclusive(),
            sample::dry_run(),
            sample::unfinished(),
            sample::nothing_to_do(),
        ]
        .iter()
        .map(text)
        .collect();
        insta::assert_snapshot!("text_outcomes", all.join("\n----\n"));
    }

    #[test]
    fn hostile_text_moves_no_cursor() {
        let shown = text(&sample::hostile());
        assert!(shown.contains(r"\u{1b}[2J") && shown.contains(r"\u{202e}"));
        assert!(!shown.chars().any(|c| c != '\n' && c.is_control()));
    }

    #[test]
    fn many_revisions_are_counted_and_not_listed() {
        let mut record = sample::done();
        let revision = record.revisions[0].clone();
        record.revisions = vec![revision; REVISIONS_MAX + 5];
        assert!(text(&record).contains("and 5 revisions more in the JSON record"));
    }
}
