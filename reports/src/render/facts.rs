//! The sentence and the facts that stand at the head of every form. Their texts are visible and not escaped.

use crate::record::RunRecord;
use crate::summary::{ProbeCounts, RevisionCounts, Summary, UnitCounts};
use crate::visible;
use crate::words::{self, count, thousands};

/// One fact: what it is, and its value.
pub(crate) struct Fact {
    /// What it is, in a word or two.
    pub(crate) label: &'static str,
    /// The value, for reading.
    pub(crate) value: String,
}

/// The run in one sentence, such as `tinytext 0.3.0 → 0.4.1: 3 revisions: 3 landed; 5 units: …`.
pub(crate) fn headline(record: &RunRecord, summary: &Summary) -> String {
    let upstream = upstream_name(record);
    let before = visible::line(&record.upstream.baseline_before);
    let Some(last) = record.revisions.last() else {
        let newest = visible::line(&record.upstream.newest);
        return format!("{upstream} {newest}: no revision to sync");
    };
    let mut parts = vec![revision_mix(&summary.revisions)];
    if summary.units.total > 0 {
        parts.push(unit_mix(&summary.units));
    }
    if summary.candidates_refused > 0 {
        parts.push(format!("{} refused by the gate", count(summary.candidates_refused, "candidate")));
    }
    if summary.answers_unusable > 0 {
        parts.push(format!("{} that could not be used", count(summary.answers_unusable, "answer")));
    }
    if let Some(probes) = probe_mix(&summary.probes) {
        parts.push(probes);
    }
    format!("{upstream} {before} → {}: {}", visible::line(&last.label), parts.join("; "))
}

/// What people call the upstream: the last part of its source, without what is followed in it.
pub(crate) fn upstream_name(record: &RunRecord) -> String {
    let source = split_source(&record.upstream.source).0.trim_end_matches('/');
    let name = source.rsplit(['/', ':']).next().unwrap_or(source);
    visible::line(name.strip_suffix(".git").unwrap_or(name))
}

/// The source in words: `crate strsim, each release`, `https://… , tags v*`.
pub(crate) fn source_words(source: &str) -> String {
    let (place, followed) = split_source(source);
    let words = if let Some(krate) = place.strip_prefix("registry:") {
        let releases = if followed == "pre-releases" { "release and pre-release" } else { "release" };
        format!("each {releases} of the crate {krate}")
    } else {
        let place = place.strip_prefix("git:").unwrap_or(place);
        match followed.split_once('=') {
            Some(("branch", branch)) => format!("{place}, branch {branch}"),
            Some(("tags", pattern)) => format!("{place}, tags {pattern}"),
            Some(_) | None => place.to_owned(),
        }
    };
    visible::line(&words)
}

/// Where the upstream is, and what is followed there; the latter is empty where the source does not say.
fn split_source(source: &str) -> (&str, &str) {
    match source.rsplit_once('#') {
        Some((place, followed))
            if ["branch=", "tags=", "default-branch", "pre-releases"]
                .iter()
                .any(|known| followed.starts_with(known)) =>
        {
            (place, followed)
        }
        Some(_) | None => (source, ""),
    }
}

fn revision_mix(revisions: &RevisionCounts) -> String {
    let parts = [
        (revisions.landed, "landed"),
        (revisions.landed_in_part, "landed in part"),
        (revisions.absorbed, "absorbed"),
        (revisions.parked, "parked"),
        (revisions.other, "passed by"),
        (revisions.open, "open"),
    ];
    mix(&count(revisions.total, "revision"), ": ", &parts)
}

/// `31 units: 12 needed no edit (9 proved, 3 tested), 3 by rule, 1 parked`.
pub(crate) fn unit_mix(units: &UnitCounts) -> String {
    let no_edit = format!("needed no edit ({})", absorbed_mix(units));
    let parts = [
        (units.absorbed(), no_edit.as_str()),
        (units.rule, "by rule"),
        (units.memory, "from memory"),
        (units.model, "by model"),
        (units.other, "otherwise"),
        (units.parked, "parked"),
        (units.open, "open"),
    ];
    let mut words = mix(&count(units.total, "unit"), ": ", &parts);
    if units.translated_unchecked > 0 {
        add!(words, " ({} not compared)", count(units.translated_unchecked, "edit"));
    }
    words
}

/// `proved`, or `9 proved, 3 tested` where it is known in more than one way.
fn absorbed_mix(units: &UnitCounts) -> String {
    let parts = [
        (units.absorbed_proved, "proved"),
        (units.absorbed_tested, "tested"),
        (units.absorbed_unchecked, "not compared"),
    ];
    let parts: Vec<_> = parts.iter().filter(|(number, _)| *number > 0).collect();
    match parts.as_slice() {
        [(_, only)] => (*only).to_owned(),
        several => {
            several.iter().map(|(n, how)| format!("{} {how}", thousands(*n))).collect::<Vec<_>>().join(", ")
        }
    }
}

/// `9,412 probes agreed, 3 differed, 1 unanswered`; nothing where there was no probe.
pub(crate) fn probe_mix(probes: &ProbeCounts) -> Option<String> {
    let parts = [(probes.disagreed, "differed"), (probes.blocked, "unanswered")];
    let any = probes.agreed + probes.disagreed + probes.blocked > 0;
    any.then(|| mix(&format!("{} agreed", count(probes.agreed, "probe")), ", ", &parts))
}

/// The lead, and those parts that are not zero.
fn mix(lead: &str, joint: &str, parts: &[(u64, &str)]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", thousands(*number)))
        .collect();
    if parts.is_empty() { lead.to_owned() } else { format!("{lead}{joint}{}", parts.join(", ")) }
}

/// The facts, in the order in which they are shown.
pub(crate) fn facts(record: &RunRecord, summary: &Summary) -> Vec<Fact> {
    let fact = |label, value| Fact { label, value };
    let upstream = &record.upstream;
    let mut facts = vec![
        fact("Behind", format!("{} → {}", upstream.lag_before, count(upstream.lag_after.into(), "revision"))),
        fact("Items", proof(summary)),
        fact("Probes", probes(&summary.probes)),
        fact("Gates", gates(summary)),
        fact("Models", models(summary)),
        fact("Took", summary.duration_ms.map_or_else(|| "not ended".to_owned(), words::duration)),
        fact("Confined", visible::line(&record.confinement)),
    ];
    if let Some(began) = words::moment(record.started_ms) {
        facts.push(fact("Began", began));
    }
    facts
}

fn proof(summary: &Summary) -> String {
    let proof = summary.proof;
    if summary.probes_by_item.is_empty() {
        return "none compared in this run".to_owned();
    }
    format!(
        "{} proved · {} tested · {} mapped only · {} unknown",
        thousands(proof.proved),
        thousands(proof.tested),
        thousands(proof.mapped_only),
        thousands(proof.unknown)
    )
}

fn probes(probes: &ProbeCounts) -> String {
    match probe_mix(probes) {
        None => "none".to_owned(),
        Some(_) => format!(
            "{} agreed · {} differed · {} unanswered · from {} harvested and {} generated",
            thousands(probes.agreed),
            thousands(probes.disagreed),
            thousands(probes.blocked),
            thousands(probes.harvested),
            thousands(probes.generated)
        ),
    }
}

fn gates(summary: &Summary) -> String {
    let gates = summary.gates;
    if gates.pass + gates.fail + gates.inconclusive == 0 {
        return "none ran".to_owned();
    }
    format!("{} pass · {} fail · {} inconclusive", gates.pass, gates.fail, gates.inconclusive)
}

fn models(summary: &Summary) -> String {
    if summary.input_tokens == 0 && summary.output_tokens == 0 {
        return "none used".to_owned();
    }
    let (sent, received) = (thousands(summary.input_tokens), thousands(summary.output_tokens));
    let cost = match (summary.cost_usd, summary.attempts_unpriced) {
        (None, _) => "no price known".to_owned(),
        (Some(cost), 0) => words::cost(cost),
        (Some(cost), unpriced) => {
            format!("{}, and {} without a price", words::cost(cost), count(unpriced, "attempt"))
        }
    };
    format!("{sent} tokens sent, {received} received · {cost}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn of(record: &RunRecord) -> String {
        headline(record, &Summary::of(record))
    }

    #[test]
    fn the_headline_counts_in_plain_words() {
        insta::assert_snapshot!(of(&sample::parked()), @"tinytext 0.3.0 → 0.5.1: 5 revisions: 2 landed, 1 absorbed, 1 parked, 1 passed by; 6 units: 1 needed no edit (proved), 1 by rule, 2 from memory, 1 by model, 1 parked (1 edit not compared); 2 candidates refused by the gate; 1 answer that could not be used; 1,638 probes agreed, 39 differed");
        insta::assert_snapshot!(of(&sample::gate_failed()), @"tinytext 0.3.0 → 0.4.1: 2 revisions: 1 absorbed, 1 open; 2 units: 1 needed no edit (proved), 1 from memory; 864 probes agreed, 3 differed");
        insta::assert_snapshot!(of(&sample::nothing_to_do()), @"tinytext 0.4.1: no revision to sync");
    }

    #[test]
    fn what_needed_no_edit_says_how_that_is_known() {
        let units = UnitCounts { total: 5, absorbed_proved: 2, absorbed_tested: 3, ..UnitCounts::default() };
        assert_eq!(unit_mix(&units), "5 units: 5 needed no edit (2 proved, 3 tested)");
    }

    #[test]
    fn a_source_is_told_in_words() {
        let words = [
            "registry:strsim",
            "registry:strsim#pre-releases",
            "git:../repo#tags=v*",
            "git:https://forge.example/a/b.git#branch=main",
            "git:../repo",
        ]
        .map(source_words);
        assert_eq!(
            words,
            [
                "each release of the crate strsim",
                "each release and pre-release of the crate strsim",
                "../repo, tags v*",
                "https://forge.example/a/b.git, branch main",
                "../repo",
            ]
        );
    }

    #[test]
    fn a_git_source_is_named_by_its_repository() {
        let mut record = sample::done();
        record.upstream.source = "https://forge.example/people/tiny-text.git/".to_owned();
        assert_eq!(upstream_name(&record), "tiny-text");
        record.upstream.source = "git:/srv/git/tiny#text.git#branch=feature/x".to_owned();
        assert_eq!(upstream_name(&record), "tiny#text");
    }
}
