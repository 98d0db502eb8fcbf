//! The body's wording, and that no foreign text becomes markup in it.

use crate::record::RevisionRecord;
use crate::render::escape::markdown_text;
use crate::render::facts::headline;
use crate::summary::Summary;
use crate::{render, sample};

use super::{MARKDOWN_BYTES_MAX, markdown};

#[test]
fn a_parked_run_reads_well() {
    insta::assert_snapshot!("markdown_parked", markdown(&sample::parked()));
}

#[test]
fn hostile_text_stays_text() {
    insta::assert_snapshot!("markdown_hostile", markdown(&sample::hostile()));
}

#[test]
fn hostile_text_opens_no_element_and_mentions_nobody() {
    let body = markdown(&sample::hostile());
    let outside: String = without_code(&body);
    for forbidden in ["<script", "<img", "@everyone", "#1 ", "http://", "\u{202e}", "\u{1b}"] {
        assert!(!outside.contains(forbidden), "{forbidden} in\n{outside}");
    }
    assert_eq!(outside.matches("<details>").count(), outside.matches("</details>").count());
    assert!(!outside.lines().any(|line| line.starts_with("# ")), "a heading of its own:\n{outside}");
}

/// The Markdown without fences and code spans, in which nothing is read as markup.
#[expect(clippy::string_slice, reason = "the cuts are at backticks that were just found")]
fn without_code(body: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in body.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if *open == line => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => out.push_str(&(without_spans(line) + "\n")),
        }
    }
    assert_eq!(fence, None, "a fence is left open");
    out
}

#[expect(clippy::string_slice, reason = "the cuts are at backticks that were just found")]
fn without_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let escaped = rest[..at].ends_with('\\');
        let run = rest[at..].chars().take_while(|c| *c == '`').count();
        let ticks = "`".repeat(run);
        let after = &rest[at + run..];
        out.push_str(&rest[..at]);
        let end = after
            .match_indices(&ticks)
            .find(|(i, _)| !after[..*i].ends_with('`') && !after[i + run..].starts_with('`'));
        rest = match end {
            Some((i, _)) if !escaped => &after[i + run..],
            _ => after,
        };
    }
    out + rest
}

#[test]
fn a_long_run_stays_within_the_bound_and_names_what_is_left_out() {
    let mut record = sample::parked();
    let revision = record.revisions[1].clone();
    record.revisions =
        (0..200).map(|at| RevisionRecord { label: format!("1.{at}.0"), ..revision.clone() }).collect();
    let body = markdown(&record);
    assert!(body.len() <= MARKDOWN_BYTES_MAX, "{}", body.len());
    assert!(body.contains("Left out for length") && body.contains(" more."));
}

#[test]
fn all_forms_say_the_same_numbers() {
    for record in sample::all() {
        let summary = Summary::of(&record);
        let sentence = headline(&record, &summary);
        assert!(render::text(&record).replace("\n  ", " ").contains(&sentence));
        assert!(markdown(&record).contains(&markdown_text(&sentence)));
        let page = render::html(&record).unwrap();
        let escaped = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let escaped = escaped.replace('"', "&quot;").replace('/', "&#x2f;").replace('\'', "&#x27;");
        assert!(page.contains(&escaped), "{escaped}");
    }
}
