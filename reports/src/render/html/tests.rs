//! The page's structure: what it may hold, what it must not, and that every link leads somewhere.

use std::collections::BTreeSet;

use super::html;
use crate::sample;

/// A page of 500 units, in bytes.
const LARGE_PAGE_BYTES_MAX: usize = 5_000_000;

/// The values of an attribute, in order.
fn attribute<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for record in sample::all() {
        let page = html(&record).unwrap();
        assert!(page.starts_with("<!doctype html>"));
        assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
        for forbidden in ["<script", "<img", "<link", "<iframe", "@import", "url(", "src="] {
            // As text, whole and cut to a label.
            let own = page.replace("&lt;img src=x", "");
            assert!(!own.contains(forbidden), "{forbidden}");
        }
        assert!(attribute(&page, "href").iter().all(|target| target.starts_with('#')));
    }
}

#[test]
fn every_link_has_one_target() {
    for record in sample::all() {
        let page = html(&record).unwrap();
        let ids = attribute(&page, "id");
        let unique: BTreeSet<_> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "an id stands twice");
        for target in attribute(&page, "href") {
            assert!(unique.contains(target.trim_start_matches('#')), "{target} leads nowhere");
        }
        for label in attribute(&page, "aria-labelledby").into_iter().flat_map(str::split_whitespace) {
            assert!(unique.contains(label), "{label} labels nothing");
        }
    }
}

#[test]
fn elements_are_balanced() {
    for record in sample::all() {
        let page = html(&record).unwrap();
        let elements = "html body header main nav footer article section details summary table div ul ol dl h1 h2 h3 h4 h5";
        for element in elements.split(' ') {
            let opened =
                page.matches(&format!("<{element} ")).count() + page.matches(&format!("<{element}>")).count();
            assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
        }
    }
}

#[test]
fn hostile_text_is_escaped_everywhere() {
    let page = html(&sample::hostile()).unwrap();
    for forbidden in ["<script", "</script", "<img", "\u{202e}", "\u{1b}", "onload=\"", "\"onload"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("&lt;&#x2f;script&gt;&lt;img src=x onerror=alert(1)&gt;"));
    assert!(page.contains(r"\u{202e}gnp\u{1b}[2J"));
}

#[test]
fn a_refused_candidate_shows_its_counterexample() {
    let page = html(&sample::done()).unwrap();
    assert!(page.contains("slug(&#x27;a--b&#x27;, &#x27;-&#x27;)") && page.contains("&quot;a--b&quot;"));
}

#[test]
fn parked_units_stand_open_and_absorbed_ones_closed() {
    let page = html(&sample::parked()).unwrap();
    let unit = |anchor: &str| -> &str {
        let (_, rest) = page.split_once(&format!("id=\"{anchor}\"")).unwrap();
        rest.split_once("</section>").unwrap().0
    };
    assert!(unit("r4-u1").contains("<details class=\"both\" open>"));
    assert!(unit("r1-u1").contains("<details class=\"both\">"));
}

#[test]
fn a_large_page_is_bounded_and_says_what_it_leaves_out() {
    let page = html(&sample::large(500)).unwrap();
    assert!(page.len() < LARGE_PAGE_BYTES_MAX, "{} bytes", page.len());
    assert!(page.contains("more lines are not shown here; they are at upstream commit"));
    assert!(page.contains("id=\"r1-u500\""));
}

#[test]
fn units_beyond_the_bound_are_counted() {
    let page = html(&sample::large(super::bounds::UNITS_MAX + 3)).unwrap();
    assert!(page.contains("and 3 more units in the JSON record"));
    assert!(page.len() < LARGE_PAGE_BYTES_MAX * 6 / 5, "{} bytes", page.len());
}

#[test]
fn benchmarks_are_drawn_with_their_intervals_and_never_as_a_bare_difference() {
    let page = html(&sample::done()).unwrap();
    assert!(page.contains("the evidence after each look") && page.contains("accepted from 2.944"));
    assert!(page.contains("upstream, parity mode and extended mode side by side"));
    assert!(page.contains(">port, extended</th>") && page.contains(">60.5 – 71.5</td>"));
    assert!(page.contains("+0.4 points</td>") && page.contains("-2.1 – +2.9</td>"));
    assert!(page.contains("How it was reckoned"));
}
