//! The head of a diff: revisions, class, numbers.

use upstream::Revision;
use upstream::diff::RevisionClass;
use upstream::history::Confidence;
use upstream::listing::DiffSummary;

use super::super::console::Ink;
use super::view::Look;

/// Days of the civil date are enough.
const DATE: &str = "%Y-%m-%d";

pub(super) fn head(summary: &DiffSummary, look: &Look<'_>) -> String {
    let mut text = String::new();
    let from = summary.from.as_ref().map_or_else(|| "nothing".to_owned(), name);
    let ends = look.ink(Ink::Bold, &format!("{from} → {}", name(&summary.to)));
    let date = summary.to.published_s.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let date = date.map_or_else(String::new, |at| format!("  {}", at.strftime(DATE)));
    let line = format!("{ends}{}  {}\n", look.ink(Ink::Dim, &date), summary.to.summary);
    text.push_str(&line);
    let doubt = match summary.confidence {
        Confidence::Certain => "",
        Confidence::Likely => " (likely)",
        Confidence::Unknown => " (not certain)",
    };
    let touched: Vec<&str> = summary.touched.iter().map(|it| it.word()).collect();
    let touched = if touched.is_empty() { "nothing".to_owned() } else { touched.join(", ") };
    let class = look.ink(ink_of(summary.class), &format!("{}{doubt}", summary.class.words()));
    let line = format!("{class}: {touched}\n");
    text.push_str(&line);
    let numbers = numbers(summary);
    if !numbers.is_empty() {
        let line = format!("{numbers}\n");
        text.push_str(&line);
    }
    for doubt in &summary.doubts {
        text.push_str(&look.ink(Ink::Yellow, &format!("not certain: {doubt}")));
        text.push('\n');
    }
    for what in &summary.not_searched {
        text.push_str(&look.ink(Ink::Yellow, &format!("not searched: {what}")));
        text.push('\n');
    }
    text
}

fn name(revision: &Revision) -> String {
    let label = revision.label.as_str();
    let id: String = revision.commit.as_str().chars().take(10).collect();
    if id.starts_with(label) { id } else { format!("{label} ({id})") }
}

fn ink_of(class: RevisionClass) -> Ink {
    match class {
        RevisionClass::NoBehaviourChange | RevisionClass::BuildOnly | RevisionClass::Dependencies => Ink::Dim,
        RevisionClass::InternalBehaviour => Ink::Yellow,
        RevisionClass::PublicApiAdded => Ink::Green,
        RevisionClass::PublicApiChanged | RevisionClass::PublicApiRemoved => Ink::Red,
    }
}

fn numbers(summary: &DiffSummary) -> String {
    let counts = &summary.counts;
    let items = [
        (counts.added, "added"),
        (counts.removed, "removed"),
        (counts.modified, "changed"),
        (counts.moved, "moved"),
        (counts.moved_with, "moved along"),
    ];
    let paths = [
        (counts.public_added, "added"),
        (counts.public_changed, "changed"),
        (counts.public_removed, "removed"),
    ];
    let listed = |what: &str, numbers: &[(usize, &str)]| {
        let told: Vec<String> =
            numbers.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        (!told.is_empty()).then(|| format!("{what}: {}", told.join(", ")))
    };
    let others = [(counts.docs, "documented anew"), (counts.tests, "of test code")];
    [listed("items", &items), listed("public paths", &paths), listed("besides", &others)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}
