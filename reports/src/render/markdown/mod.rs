//! A run as Markdown: the body of a pull request, for a maintainer who reviews it in a minute.
//!
//! What needs a person comes first, then a row for each revision, then each revision folded away with its
//! changes, units, refused candidates and gates. Sections that would make the body longer than a forge
//! takes are left out and named.

use crate::attention::{attention, next_step};
use crate::record::{AttemptRecord, CounterexampleRecord, GateRecord, RevisionRecord, RunRecord, UnitRecord};
use crate::summary::{ProbeCounts, Summary, UnitCounts, is_refused, is_unusable, standing_evidence};
use crate::words;

use crate::render::escape::{html_text, markdown_code, markdown_fence, markdown_prose, markdown_text};
use crate::render::facts::{facts, headline, probe_mix, unit_mix};

/// The longest body, in bytes. GitHub takes 65,536 characters; some are left for what a bot adds.
pub const MARKDOWN_BYTES_MAX: usize = 60_000;

/// Rows of one table or list; the rest is counted.
const ROWS_MAX: usize = 40;

/// Counterexamples of one attempt or gate; the rest is counted.
const COUNTEREXAMPLES_MAX: usize = 3;

/// Lines of a refused candidate's diff; the rest is counted.
const DIFF_LINES_MAX: usize = 30;

/// The run as GitHub-flavoured Markdown, at most [`MARKDOWN_BYTES_MAX`] bytes long.
pub fn markdown(record: &RunRecord) -> String {
    let summary = Summary::of(record);
    let sign = words::outcome(record.outcome);
    let mut body = Body::new(tail(record));
    body.add(
        "the headline",
        &format!(
            "## {} {}: {}\n\n**{}.** {}\n\n",
            sign.glyph,
            markdown_text(&record.port.name),
            sign.word,
            markdown_text(&headline(record, &summary)),
            next_step(record.outcome)
        ),
    );
    body.add("what needs a person", &needs_a_person(record));
    body.add("the notices", &notices(record));
    body.add("the table of revisions", &revision_table(record));
    body.add("the facts", &fact_table(record, &summary));
    for revision in &record.revisions {
        body.add(&format!("revision {}", markdown_code(&revision.label)), &revision_section(revision));
    }
    body.finish()
}

/// The body so far, with the names of sections that found no room.
struct Body {
    text: String,
    tail: String,
    left_out: Vec<String>,
}

/// Bytes that are kept for the names of sections without room.
const LEFT_OUT_BYTES: usize = 2_000;

impl Body {
    fn new(tail: String) -> Self {
        Self { text: String::new(), tail, left_out: Vec::new() }
    }

    /// Adds a section whole or not at all, so that no fence or element is cut open.
    fn add(&mut self, name: &str, section: &str) {
        if self.text.len() + section.len() + self.tail.len() + LEFT_OUT_BYTES <= MARKDOWN_BYTES_MAX {
            self.text.push_str(section);
        } else {
            self.left_out.push(name.to_owned());
        }
    }

    fn finish(mut self) -> String {
        if !self.left_out.is_empty() {
            let mut names = String::new();
            let mut shown = 0;
            for name in &self.left_out {
                if names.len() + name.len() > LEFT_OUT_BYTES - 200 {
                    break;
                }
                add!(names, "{}{name}", if shown == 0 { "" } else { ", " });
                shown += 1;
            }
            let more = more(self.left_out.len(), shown);
            add_line!(self.text, "Left out for length, and whole in the HTML report: {names}{more}.\n");
        }
        self.text.push_str(&self.tail);
        self.text
    }
}

fn tail(record: &RunRecord) -> String {
    format!(
        "---\nRun {} of Tidelock {} on {}; foreign code was confined by {}.\n",
        markdown_code(&record.run),
        markdown_text(&record.tidelock),
        markdown_code(&record.port.branch),
        markdown_text(&record.confinement)
    )
}

/// `, and 4 more` where not all was shown.
fn more(all: usize, shown: usize) -> String {
    if all > shown { format!(", and {} more", all - shown) } else { String::new() }
}

fn more_row(all: usize) -> String {
    if all > ROWS_MAX { format!("\nand {} more in the HTML report\n", all - ROWS_MAX) } else { String::new() }
}

fn needs_a_person(record: &RunRecord) -> String {
    let list = attention(record);
    if list.is_empty() {
        return String::new();
    }
    let mut out = "### Needs a person\n\n".to_owned();
    for item in list.iter().take(ROWS_MAX) {
        let revision = item.place.and_then(|place| record.revisions.get(place.revision));
        let when = match (&item.since, revision) {
            (Some(since), _) => format!(" since {}", markdown_code(since)),
            (None, Some(revision)) => format!(" at {}", markdown_code(&revision.label)),
            (None, None) => String::new(),
        };
        let (sign, subject) = (&item.sign, markdown_code(&item.subject));
        add!(out, "- {} {subject} **{}**{when}: ", sign.glyph, sign.word);
        add_line!(out, "{}", markdown_prose(&item.reason));
        if let Some(example) = &item.example {
            let (upstream, port) = (markdown_code(&example.upstream), markdown_code(&example.port));
            let call = markdown_code(&example.call);
            add_line!(out, "  {call} gave {upstream} upstream and {port} in the port.");
        }
        for tried in &item.tried {
            add_line!(out, "  - {}: {}", markdown_text(&tried.who), markdown_prose(&tried.what));
        }
        if !item.needs.is_empty() {
            add_line!(out, "  - Needs: {}", markdown_prose(&item.needs));
        }
    }
    out.push_str(&more_row(list.len()));
    out.push('\n');
    out
}

fn notices(record: &RunRecord) -> String {
    if record.notices.is_empty() {
        return String::new();
    }
    let mut out = "### Notices\n\n".to_owned();
    for notice in record.notices.iter().take(ROWS_MAX) {
        add_line!(out, "- {}: {}", words_of(&notice.code), markdown_prose(&notice.text));
    }
    out.push_str(&more_row(record.notices.len()));
    out.push('\n');
    out
}

fn revision_table(record: &RunRecord) -> String {
    if record.revisions.is_empty() {
        return String::new();
    }
    let mut out = "### Revisions\n\n| Revision | Became | Units | Probes | Commit |\n|---|---|---|---|---|\n"
        .to_owned();
    for revision in record.revisions.iter().take(ROWS_MAX) {
        let sign = words::revision(revision);
        let units = UnitCounts::of(&revision.units);
        let probes = probe_mix(&ProbeCounts::of(standing_evidence(revision)));
        add_line!(
            out,
            "| {} | {} {} | {} | {} | {} |",
            markdown_code(&revision.label),
            sign.glyph,
            markdown_text(&sign.word),
            if units.total == 0 { "none".to_owned() } else { unit_mix(&units) },
            probes.unwrap_or_else(|| "none".to_owned()),
            revision.landed.as_ref().map(|l| markdown_code(&words::short(&l.commit))).unwrap_or_default()
        );
    }
    out.push_str(&more_row(record.revisions.len()));
    out.push('\n');
    out
}

fn fact_table(record: &RunRecord, summary: &Summary) -> String {
    let mut out = "| Fact | |\n|---|---|\n".to_owned();
    for fact in facts(record, summary) {
        add_line!(out, "| {} | {} |", fact.label, markdown_text(&fact.value));
    }
    out.push('\n');
    out
}

fn revision_section(revision: &RevisionRecord) -> String {
    let sign = words::revision(revision);
    let mut out = format!(
        "<details><summary>{} <b>{}</b> {} · {} · {}</summary>\n\n",
        sign.glyph,
        html_text(&revision.label),
        html_text(&sign.word),
        html_text(&words::plain(&revision.class)),
        words::count(revision.units.len() as u64, "unit")
    );
    if !revision.summary.is_empty() {
        add_line!(out, "Upstream says: {}\n", markdown_text(&revision.summary));
    }
    if !revision.reason.is_empty() {
        add_line!(out, "Why: {}\n", markdown_prose(&revision.reason));
    }
    out.push_str(&change_list(revision));
    out.push_str(&unit_table(&revision.units));
    for unit in revision.units.iter().take(ROWS_MAX) {
        for attempt in unit.attempts.iter().filter(|attempt| is_refused(attempt) || is_unusable(attempt)) {
            out.push_str(&refused(unit, attempt));
        }
    }
    out.push_str(&gate_table(&revision.gates));
    out.push_str("</details>\n\n");
    out
}

fn change_list(revision: &RevisionRecord) -> String {
    let (tests, items): (Vec<_>, Vec<_>) = revision.changes.iter().partition(|change| change.is_test);
    let mut out = String::new();
    if !items.is_empty() {
        out.push_str("| Changed upstream | Kind | Change |\n|---|---|---|\n");
        for change in items.iter().take(ROWS_MAX) {
            let (kind, what) = (markdown_text(&change.kind), markdown_text(&change.change));
            add_line!(out, "| {} | {kind} | {what} |", markdown_code(&change.item));
        }
        out.push_str(&more_row(items.len()));
        out.push('\n');
    }
    if !tests.is_empty() {
        add_line!(out, "{} changed as well.\n", words::count(tests.len() as u64, "upstream test"));
    }
    if !revision.skipped.is_empty() {
        out.push_str("Left alone:\n\n");
        for skipped in revision.skipped.iter().take(ROWS_MAX) {
            let reason = markdown_prose(&skipped.reason);
            add_line!(out, "- {} ({}): {reason}", markdown_code(&skipped.item), words_of(&skipped.why));
        }
        out.push_str(&more_row(revision.skipped.len()));
        out.push('\n');
    }
    out
}

fn words_of(code: &str) -> String {
    markdown_text(&words::plain(code))
}

fn unit_table(units: &[UnitRecord]) -> String {
    if units.is_empty() {
        return String::new();
    }
    let mut out = "| Unit | Why | Outcome | Attempts |\n|---|---|---|---|\n".to_owned();
    for unit in units.iter().take(ROWS_MAX) {
        let sign = words::unit(unit);
        let tried: Vec<_> = unit
            .attempts
            .iter()
            .map(|attempt| format!("{} {}", words_of(&attempt.route), words::attempt(attempt).glyph))
            .collect();
        add_line!(
            out,
            "| {} | {} | {} {} | {} |",
            markdown_code(&unit.id),
            markdown_prose(&unit.reason),
            sign.glyph,
            markdown_text(&sign.word),
            tried.join(", ")
        );
    }
    out.push_str(&more_row(units.len()));
    out.push('\n');
    out
}

fn refused(unit: &UnitRecord, attempt: &AttemptRecord) -> String {
    let (what, became) = if is_unusable(attempt) {
        ("An answer", "could not be used")
    } else {
        ("A candidate", "was refused")
    };
    let mut out = format!(
        "✗ {what} for {} by {} ({}) {became}.\n\n",
        markdown_code(&unit.id),
        words_of(&attempt.route),
        markdown_code(&attempt.origin)
    );
    for finding in attempt.findings.iter().take(ROWS_MAX) {
        add_line!(out, "- {}: {}", markdown_code(&finding.code), markdown_prose(&finding.text));
    }
    if !attempt.findings.is_empty() {
        out.push_str(&more_row(attempt.findings.len()));
        out.push('\n');
    }
    out.push_str(&counterexamples(&attempt.counterexamples));
    if !attempt.diff.is_empty() {
        let lines: Vec<_> = attempt.diff.lines().take(DIFF_LINES_MAX).collect();
        out.push_str(&markdown_fence(&lines.join("\n"), "diff"));
        let rest = attempt.diff.lines().count().saturating_sub(lines.len());
        if rest > 0 {
            add_line!(out, "and {rest} lines more in the HTML report");
        }
        out.push('\n');
    }
    out
}

fn counterexamples(list: &[CounterexampleRecord]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let mut out = "| Call | Upstream gave | Port gave |\n|---|---|---|\n".to_owned();
    for example in list.iter().take(COUNTEREXAMPLES_MAX) {
        add_line!(
            out,
            "| {} | {} | {} |",
            markdown_code(&example.call),
            markdown_code(&example.upstream),
            markdown_code(&example.port)
        );
    }
    let located = list.iter().take(COUNTEREXAMPLES_MAX).filter_map(|example| example.divergence.as_ref());
    for found in located {
        add_line!(out, "\nThe sides part in {}", markdown_code(&found.to_string()));
    }
    if list.len() > COUNTEREXAMPLES_MAX {
        add_line!(out, "\nand {} more in the HTML report", list.len() - COUNTEREXAMPLES_MAX);
    }
    out.push('\n');
    out
}

fn gate_table(gates: &[GateRecord]) -> String {
    if gates.is_empty() {
        return String::new();
    }
    let mut out = "| Gate | Verdict | Reason |\n|---|---|---|\n".to_owned();
    for gate in gates.iter().take(ROWS_MAX) {
        let sign = words::verdict(gate.verdict);
        let (name, reason) = (words_of(&gate.gate), markdown_prose(&gate.reason));
        add_line!(out, "| {name} | {} {} | {reason} |", sign.glyph, sign.word);
    }
    out.push('\n');
    for gate in gates.iter().take(ROWS_MAX) {
        out.push_str(&counterexamples(&gate.counterexamples));
        out.push_str(&benches(gate));
    }
    out
}

/// Each benchmark in a line with its intervals, and the arithmetic folded away.
fn benches(gate: &GateRecord) -> String {
    if gate.benches.is_empty() {
        return String::new();
    }
    let mut out =
        "| Benchmark | Mode | Against | Change | 95 % interval |\n|---|---|---|---|---|\n".to_owned();
    for bench in gate.benches.iter().take(ROWS_MAX) {
        let Some(whole) = bench.changes.first() else { continue };
        let (name, mode) = (markdown_text(&bench.name), markdown_text(&bench.mode));
        let reference = markdown_text(&bench.reference);
        if whole.measure == "ratio" {
            add!(out, "| {name} | {mode} | {reference} | × {:.3} ", whole.change);
            add_line!(out, "| {:.3} to {:.3} |", whole.low, whole.high);
        } else {
            add!(out, "| {name} | {mode} | {reference} | {:+.1} points ", whole.change);
            add_line!(out, "| {:+.1} to {:+.1} |", whole.low, whole.high);
        }
    }
    out.push_str(&more_row(gate.benches.len()));
    out.push('\n');
    if !gate.arithmetic.is_empty() {
        out.push_str("<details><summary>How it was reckoned</summary>\n\n");
        for line in gate.arithmetic.iter().take(ROWS_MAX) {
            add_line!(out, "- {}", markdown_prose(line));
        }
        out.push_str(&more_row(gate.arithmetic.len()));
        out.push_str("\n</details>\n\n");
    }
    out
}

#[cfg(test)]
mod tests;
