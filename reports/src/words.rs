//! The words, glyphs and number formats that all renderings share, so that they say the same thing alike.
//!
//! A glyph and a word always go together: colour never carries meaning alone.

use serde::Serialize;

use crate::record::{
    AttemptRecord, ProofLevel, RevisionRecord, RunOutcome, UnitOutcome, UnitRecord, Verdict,
};
use crate::summary::{VERIFY_FIRST, is_unusable, was_checked};

/// How something ended, in a glyph, a word and a tone for colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sign {
    /// One character.
    pub(crate) glyph: &'static str,
    /// A few words.
    pub(crate) word: String,
    /// `good`, `bad`, `warn` or `calm`.
    pub(crate) tone: &'static str,
}

fn sign(glyph: &'static str, word: &str, tone: &'static str) -> Sign {
    Sign { glyph, word: word.to_owned(), tone }
}

pub(crate) fn verdict(verdict: Verdict) -> Sign {
    match verdict {
        Verdict::Pass => sign("✓", "pass", "good"),
        Verdict::Fail => sign("✗", "fail", "bad"),
        Verdict::Inconclusive => sign("?", "inconclusive", "warn"),
    }
}

pub(crate) fn outcome(outcome: RunOutcome) -> Sign {
    match outcome {
        RunOutcome::Unfinished => sign("○", "unfinished", "warn"),
        RunOutcome::Done => sign("✓", "done", "good"),
        RunOutcome::NothingToDo => sign("≡", "nothing to do", "good"),
        RunOutcome::Parked => sign("◐", "parked for a person", "warn"),
        RunOutcome::GateFailed => sign("✗", "gate failed", "bad"),
        RunOutcome::Inconclusive => sign("?", "inconclusive", "warn"),
        RunOutcome::DryRun => sign("–", "dry run", "calm"),
    }
}

/// A plain ✓ stands only where something was compared or tested.
pub(crate) fn unit(unit: &UnitRecord) -> Sign {
    match &unit.outcome {
        UnitOutcome::Open => sign("○", "open", "calm"),
        UnitOutcome::Absorbed if was_checked(unit) => sign("≡", "no edit needed", "good"),
        UnitOutcome::Absorbed => sign("○", "no edit, not compared", "calm"),
        UnitOutcome::Translated { route, .. } if was_checked(unit) => sign("✓", &by_route(route), "good"),
        UnitOutcome::Translated { route, .. } => {
            sign("○", &format!("{}, not compared", by_route(route)), "calm")
        }
        UnitOutcome::Parked { .. } => sign("◐", "parked", "warn"),
    }
}

/// How an attempt ended. A failed `verify_first` is no refused candidate: it says that an edit is needed.
pub(crate) fn attempt(attempt: &AttemptRecord) -> Sign {
    if attempt.declined.is_some() {
        let differs = !attempt.findings.is_empty() || !attempt.counterexamples.is_empty();
        let needs_edit = attempt.route == VERIFY_FIRST && differs;
        return if needs_edit {
            sign("→", "an edit is needed", "calm")
        } else {
            sign("–", "declined", "calm")
        };
    }
    match attempt.verdict {
        Some(Verdict::Fail) if is_unusable(attempt) => sign("✗", "could not be used", "bad"),
        Some(Verdict::Fail) if attempt.route == VERIFY_FIRST => sign("→", "an edit is needed", "calm"),
        Some(Verdict::Fail) => sign("✗", "refused", "bad"),
        Some(Verdict::Pass) if compared_nothing(attempt) => sign("○", "taken, not compared", "calm"),
        Some(other) => verdict(other),
        None => sign("○", "no verdict", "calm"),
    }
}

/// Whether something was to be compared and nothing could be; a test that ran has no such evidence.
fn compared_nothing(attempt: &AttemptRecord) -> bool {
    let known = |proof| matches!(proof, ProofLevel::Proved | ProofLevel::Tested);
    !attempt.evidence.is_empty() && !attempt.evidence.iter().any(|row| known(row.proof))
}

/// What became of a revision. Where a part of it waits and the rest landed, it landed in part.
pub(crate) fn revision(revision: &RevisionRecord) -> Sign {
    match (revision.disposition.as_deref(), &revision.landed) {
        (Some("parked"), Some(_)) => sign("◐", "landed in part", "warn"),
        (other, _) => disposition(other),
    }
}

/// A disposition as the lock spells it. One that this version does not know is shown as it stands.
fn disposition(disposition: Option<&str>) -> Sign {
    let Some(disposition) = disposition else { return sign("○", "open", "calm") };
    let word = plain(disposition);
    let (glyph, tone) = match word.as_str() {
        "landed" => ("✓", "good"),
        "absorbed" => ("≡", "good"),
        "parked" => ("◐", "warn"),
        _ => ("–", "calm"),
    };
    Sign { glyph, word, tone }
}

fn by_route(route: &str) -> String {
    match route {
        "rule" => "by rule".to_owned(),
        "memory" => "from memory".to_owned(),
        "model" => "by model".to_owned(),
        other => format!("by {}", plain(other)),
    }
}

/// The four kinds of knowledge, which are never added up.
pub(crate) fn proof(level: ProofLevel) -> Sign {
    match level {
        ProofLevel::Proved => sign("●", "proved", "good"),
        ProofLevel::Tested => sign("◑", "tested", "calm"),
        ProofLevel::MappedOnly => sign("○", "mapped only", "warn"),
        ProofLevel::Unknown => sign("?", "unknown", "warn"),
    }
}

/// A code such as `public_api_added` or `not-ported` in plain words.
pub fn plain(code: &str) -> String {
    let words = crate::visible::line(code).replace(['_', '-'], " ");
    match words.as_str() {
        public if public.starts_with("public api") => public.replacen("api", "API", 1),
        "build only" => "build or CI only".to_owned(),
        _ => words,
    }
}

/// A number with its noun, such as `1 unit`, `1,204 probes`, `2 entries`. The noun is the last word of `one`.
pub fn count(number: u64, one: &str) -> String {
    if number == 1 {
        return format!("1 {one}");
    }
    let number = thousands(number);
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        Some(_) | None if one.ends_with(['s', 'x']) || one.ends_with("ch") => format!("{number} {one}es"),
        Some(_) | None => format!("{number} {one}s"),
    }
}

/// Text in which what stands between two backquotes is code: the pieces, each with whether it is.
pub(crate) fn prose(text: &str) -> Vec<(bool, &str)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('`') {
        let Some((code, after)) = behind.split_once('`') else { break };
        if code.is_empty() {
            break;
        }
        pieces.extend([(false, before), (true, code)]);
        rest = after;
    }
    pieces.push((false, rest));
    pieces.retain(|(_, piece)| !piece.is_empty());
    pieces
}

/// `9,412`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let lead = digits.len() % 3;
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == lead {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `340 ms`, `12.3 s`, `4 min 05 s`, `2 h 10 min`.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=59 => format!("{seconds}.{} s", ms % 1_000 / 100),
        60..=3_599 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// `$1.20`, and four places below ten cents.
pub(crate) fn cost(usd: f64) -> String {
    if usd.abs() < 0.1 && usd != 0.0 { format!("${usd:.4}") } else { format!("${usd:.2}") }
}

/// `2026-11-20`, or nothing where the number is no time.
pub(crate) fn date(seconds: i64) -> Option<String> {
    Some(jiff::Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%d").to_string())
}

/// `2026-11-20 14:03 UTC`, or nothing where the number is no time.
pub(crate) fn moment(ms: i64) -> Option<String> {
    Some(jiff::Timestamp::from_millisecond(ms).ok()?.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// The first characters of a commit or tree, as git prints them.
pub(crate) fn short(hash: &str) -> String {
    crate::visible::line(hash).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown = [0, 7, 999, 1_000, 12_345, 999_999, 1_000_000, u64::MAX].map(thousands);
        assert_eq!(shown.join(" "), "0 7 999 1,000 12,345 999,999 1,000,000 18,446,744,073,709,551,615");
    }

    #[test]
    fn one_is_singular_and_all_else_plural() {
        let shown = [(1, "unit"), (0, "unit"), (1_200, "probe"), (2, "entry"), (3, "day"), (2, "match")];
        let shown = shown.map(|(number, one)| count(number, one)).join(" | ");
        assert_eq!(shown, "1 unit | 0 units | 1,200 probes | 2 entries | 3 days | 2 matches");
    }

    #[test]
    fn only_paired_backquotes_mark_code() {
        assert_eq!(prose("run `a b` or `c`"), [(false, "run "), (true, "a b"), (false, " or "), (true, "c")]);
        assert_eq!(prose("a ` alone"), [(false, "a ` alone")]);
        assert_eq!(prose("```fence```"), [(false, "```fence```")]);
        assert_eq!(prose(""), []);
    }

    #[test]
    fn durations_carry_their_unit() {
        let shown = [0, 999, 1_000, 59_999, 60_000, 245_000, 7_800_000].map(duration);
        assert_eq!(
            shown.join(" | "),
            "0 ms | 999 ms | 1.0 s | 59.9 s | 1 min 00 s | 4 min 05 s | 2 h 10 min"
        );
    }

    #[test]
    fn a_number_that_is_no_time_has_no_date() {
        assert_eq!(date(0).as_deref(), Some("1970-01-01"));
        assert_eq!(date(i64::MAX), None);
        assert_eq!(moment(1_700_000_000_000).as_deref(), Some("2023-11-14 22:13 UTC"));
    }

    #[test]
    fn a_disposition_of_a_later_version_is_shown_as_it_stands() {
        assert_eq!(disposition(Some("not-ported")).word, "not ported");
        assert_eq!(disposition(Some("half_landed")).word, "half landed");
        assert_eq!(disposition(None).word, "open");
    }
}
