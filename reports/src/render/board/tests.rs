//! The pages' structure: what they may hold, what they must not, and that hostile text stays text.

use std::collections::BTreeMap;

use super::*;
use crate::record::{CounterexampleRecord, DivergenceRecord, RunRecord, UnitRecord};
use crate::sample;

const HOSTILE: &str =
    "</title><script>alert(1)</script><img src=x onerror='alert(1)'>\"'&\u{202e}{{ 9173 * 7 }}";

/// Says for everything what it is about.
#[derive(Debug)]
struct Hand;

impl ByHand for Hand {
    fn counterexample(&self, example: &CounterexampleRecord) -> Option<String> {
        Some(format!("run '{}'", example.call))
    }

    fn unit(&self, unit: &UnitRecord) -> Vec<Command> {
        vec![Command { what: "ask both sides again", text: format!("check '{}'", unit.id) }]
    }
}

fn board() -> Board {
    let chrome = Chrome {
        version: "1.0".to_owned(),
        now_ms: 1_795_170_000_000,
        change: 3,
        daemon: true,
        may_sign_in: true,
        csrf: "c5".to_owned(),
    };
    Board { chrome }
}

fn port_of(record: &RunRecord, text: &str) -> PortNow {
    let digest = RunDigest::of(record, false);
    let counts = Counts {
        proved: 5,
        tested: 2,
        mapped_only: 3,
        unknown: 1,
        drifted: 1,
        parked: 1,
        ..Counts::default()
    };
    let command = Command { what: "leave it alone", text: format!("tidelock decline '{text}'") };
    PortNow {
        name: text.to_owned(),
        folder: text.to_owned(),
        source: text.to_owned(),
        language: text.to_owned(),
        watched: Some(Watched {
            phase: text.to_owned(),
            place: Some(2),
            step: text.to_owned(),
            next_ms: Some(1_795_170_060_000),
            answered_ms: Some(1_795_160_000_000),
            failures: 2,
            trouble: text.to_owned(),
        }),
        standing: Some(Standing {
            commit: text.to_owned(),
            read_ms: 1,
            baseline: text.to_owned(),
            newest: "other".to_owned(),
            lag_revisions: Some(2),
            lag_items: None,
            lag_days: Some(-1),
            total: counts,
            modules: vec![ModuleCounts { name: text.to_owned(), counts }],
            parked: vec![ParkedItem {
                item: text.to_owned(),
                revision: text.to_owned(),
                reason: text.to_owned(),
                commands: vec![command],
            }],
            graph: Graph {
                nodes: vec![GraphNode { name: text.to_owned(), symbols: 3 }],
                edges: vec![(0, 0)],
            },
        }),
        standing_trouble: String::new(),
        journal_trouble: text.to_owned(),
        runs_total: 9,
        runs_read: 4,
        last: Some(digest.clone()),
        last_ended: Some(digest),
    }
}

/// Every page of a record, by name.
fn pages(record: &RunRecord, text: &str) -> Vec<(String, String)> {
    let board = board();
    let mut port = port_of(record, text);
    let digests = [RunDigest::of(record, false), RunDigest::of(record, true)];
    let runs = Runs { rows: digests.to_vec(), page: 2, pages: 3, asked: "" };
    let running = BTreeMap::from([(text.to_owned(), record.clone())]);
    let impact = Impact {
        label: text.to_owned(),
        run: text.to_owned(),
        changed: vec![text.to_owned()],
        reached: Vec::new(),
    };
    let around = Around {
        impact: impact.clone(),
        members: vec![AroundMember {
            symbol: text.to_owned(),
            item: text.to_owned(),
            unit: text.to_owned(),
            anchor: "r1-u1".to_owned(),
        }],
        graph: port.standing.as_ref().unwrap().graph.clone(),
        gone: vec![text.to_owned()],
        left_out: 2,
        is_read: true,
    };
    let mut pages = vec![
        ("overview".to_owned(), board.overview(std::slice::from_ref(&port), &running).unwrap()),
        (
            "port".to_owned(),
            board.port(&port, &Runs { asked: "retry", ..runs }, &digests, Some(record)).unwrap(),
        ),
        ("run".to_owned(), board.run(&port, record, Some(&Hand)).unwrap()),
        ("modules".to_owned(), board.modules(&port).unwrap()),
        ("symbols".to_owned(), board.symbols(&port, &[text.to_owned()], Some(&around)).unwrap()),
        ("graph".to_owned(), board.graph(&port, &[text.to_owned()], Some(&impact)).unwrap()),
        ("benchmarks".to_owned(), board.benchmarks(&port, Some(record)).unwrap()),
        ("costs".to_owned(), board.costs(&port, &digests).unwrap()),
        ("sign in".to_owned(), board.sign_in("/port/p", text).unwrap()),
        ("message".to_owned(), board.message(Some(&port), text, text).unwrap()),
    ];
    for (at, revision) in record.revisions.iter().enumerate() {
        for unit in 0..revision.units.len().min(5) {
            let anchor = format!("r{}-u{}", at + 1, unit + 1);
            let page = board
                .unit(
                    &port,
                    &UnitPage { record, anchor: &anchor, by_hand: Some(&Hand), around: Some(&around) },
                )
                .unwrap()
                .unwrap();
            pages.push((anchor, page));
        }
    }
    port.standing_trouble = text.to_owned();
    pages.push(("unreadable".to_owned(), board.port(&port, &Runs::default(), &[], None).unwrap()));
    let empty = PortNow { name: text.to_owned(), ..PortNow::default() };
    pages.push(("new".to_owned(), board.port(&empty, &Runs::default(), &[], None).unwrap()));
    pages.push((
        "new overview".to_owned(),
        board.overview(std::slice::from_ref(&empty), &BTreeMap::new()).unwrap(),
    ));
    pages.push(("new modules".to_owned(), board.modules(&empty).unwrap()));
    pages.push(("new graph".to_owned(), board.graph(&empty, &[], None).unwrap()));
    pages.push(("new symbols".to_owned(), board.symbols(&empty, &[], None).unwrap()));
    pages.push(("new benchmarks".to_owned(), board.benchmarks(&empty, None).unwrap()));
    pages.push(("new costs".to_owned(), board.costs(&empty, &[]).unwrap()));
    pages
}

/// The values of an attribute, in order.
fn attribute<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn hostile_text_in_every_field_stays_text_and_visible() {
    let mut record = sample::hostile();
    record.run = HOSTILE.to_owned();
    for (name, page) in pages(&record, HOSTILE) {
        for forbidden in
            ["<script>", "</script><img", "<img", "\u{202e}", "\u{1b}", "onload=\"", "\"onload", "onerror='"]
        {
            assert!(!page.contains(forbidden), "{name}: {forbidden}");
        }
        assert!(!page.contains("64211"), "{name}: a template was read from foreign text");
        for place in attribute(&page, "href").into_iter().chain(attribute(&page, "id")) {
            assert!(!place.contains(['<', '\'', ' ']), "{name}: {place}");
        }
    }
    let overview = pages(&record, HOSTILE).remove(0).1;
    assert!(overview.contains(r"\u{202e}"));
    assert!(overview.contains("/port/%3C%2Ftitle%3E"));
}

#[test]
fn pages_load_only_their_own_assets_and_hold_no_inline_style_or_script() {
    for record in sample::all() {
        for (name, page) in pages(&record, "p") {
            assert!(page.starts_with("<!doctype html>"), "{name}");
            for forbidden in ["<style", " style=", "<img", "<iframe", "@import", "http-equiv", "javascript:"]
            {
                assert!(!page.replace("&lt;img src=x", "").contains(forbidden), "{name}: {forbidden}");
            }
            assert_eq!(page.matches("<script").count(), 1, "{name}");
            for place in attribute(&page, "href").into_iter().chain(attribute(&page, "src")) {
                assert!(place.starts_with(['/', '#']) && !place.starts_with("//"), "{name}: {place}");
            }
        }
    }
}

#[test]
fn every_link_within_a_page_has_one_target_and_every_label_exists() {
    for record in sample::all() {
        for (name, page) in pages(&record, "p") {
            let ids = attribute(&page, "id");
            let unique: std::collections::BTreeSet<_> = ids.iter().copied().collect();
            assert_eq!(ids.len(), unique.len(), "{name}: an id stands twice");
            for target in attribute(&page, "href").into_iter().filter_map(|target| target.strip_prefix('#')) {
                assert!(unique.contains(target), "{name}: {target} leads nowhere");
            }
            for label in attribute(&page, "aria-labelledby").into_iter().flat_map(str::split_whitespace) {
                assert!(unique.contains(label), "{name}: {label} labels nothing");
            }
            assert_eq!(page.matches("<h1").count(), 1, "{name}");
        }
    }
}

#[test]
fn elements_are_balanced() {
    for (name, page) in pages(&sample::parked(), "p") {
        for element in
            "html body header main nav footer article section details summary table div ul ol dl li"
                .split(' ')
        {
            let opened =
                page.matches(&format!("<{element} ")).count() + page.matches(&format!("<{element}>")).count();
            assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{name}: {element}");
        }
    }
}

#[test]
fn a_unit_that_there_is_not_has_no_page() {
    let record = sample::done();
    let port = port_of(&record, "p");
    for anchor in [
        "r0-u1",
        "r1-u0",
        "r1-u99",
        "r99-u1",
        "r01-u1",
        "r1-u+1",
        "r-u",
        "",
        "r1",
        "r1-u1x",
        "r99999999999999999999-u1",
    ] {
        assert!(
            board()
                .unit(&port, &UnitPage { record: &record, anchor, by_hand: None, around: None })
                .unwrap()
                .is_none(),
            "{anchor}"
        );
    }
}

#[test]
fn what_is_known_in_four_ways_is_never_added_up() {
    let page = board().modules(&port_of(&sample::done(), "p")).unwrap();
    for words in ["<b>5</b> proved", "<b>2</b> tested", "<b>3</b> mapped only", "<b>1</b> unknown"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("drifted"), "the first trouble names the module");
}

#[test]
fn what_waits_comes_first_and_carries_its_reason_and_commands() {
    let board = board();
    let record = sample::parked();
    let mut calm = port_of(&record, "calm");
    calm.journal_trouble = String::new();
    calm.watched = None;
    calm.standing.as_mut().unwrap().parked = Vec::new();
    calm.standing.as_mut().unwrap().lag_revisions = Some(0);
    let mut parked = port_of(&record, "parked");
    parked.journal_trouble = String::new();
    parked.watched = None;
    parked.standing.as_mut().unwrap().parked[0].item = "tinytext::wrap".to_owned();
    let overview = board.overview(&[calm, parked.clone()], &BTreeMap::new()).unwrap();
    assert!(overview.find("/port/parked").unwrap() < overview.find("/port/calm").unwrap());
    assert!(overview.contains("2 ports: 1 needs somebody"), "{overview}");
    let page = board.port(&parked, &Runs::default(), &[], None).unwrap();
    assert!(page.contains("tidelock decline &#x27;parked&#x27;"), "{page}");
    assert!(page.contains("/unit/r4-u1"), "the last run says more about it");
}

#[test]
fn charts_bring_no_style_of_their_own() {
    let page = board().benchmarks(&port_of(&sample::done(), "p"), Some(&sample::done())).unwrap();
    assert!(page.contains("class=\"chart\"") && !page.contains("<style"), "{page}");
    assert!(STYLE.contains(".chart text"));
}

#[test]
fn times_are_told_by_how_far_they_are() {
    let told = [
        (0, 0),
        (0, 5_000),
        (65_000, 0),
        (0, 600_000),
        (0, 10_800_000),
        (0, 400_000_000),
        (i64::MIN, i64::MAX),
    ]
    .map(|(then, now)| since(then, now));
    assert_eq!(told[..6], ["now", "5 s ago", "in 65 s", "10 min ago", "3 h ago", "4 days ago"]);
    assert!(told[6].ends_with("days ago"));
}

#[test]
fn a_segment_cannot_leave_its_place() {
    assert_eq!(segment("../a b?#%é"), "%2E%2E%2Fa%20b%3F%23%25%C3%A9");
    assert_eq!(segment("tally-py_1"), "tally-py_1");
}

#[test]
fn a_counterexample_shows_where_both_sides_part_and_how_to_see_it_by_hand() {
    let mut record = sample::parked();
    let attempts = &mut record.revisions[3].units[0].attempts;
    let example = attempts.iter_mut().flat_map(|attempt| &mut attempt.counterexamples).next().unwrap();
    example.divergence = Some(DivergenceRecord {
        item: "tinytext::<b>fold".to_owned(),
        symbol: "tinytext.fold".to_owned(),
        arguments: "'a b', 1".to_owned(),
        upstream: "['a', 'b']".to_owned(),
        port: "['a b']".to_owned(),
    });
    let asked = UnitPage { record: &record, anchor: "r4-u1", by_hand: Some(&Hand), around: None };
    let page = board().unit(&port_of(&record, "p"), &asked).unwrap().unwrap();
    assert!(page.contains("<code>tinytext.fold(&#x27;a b&#x27;, 1)</code>"), "{page}");
    assert!(page.contains("tinytext::&lt;b&gt;fold") && page.contains("class=\"below wrong\""), "{page}");
    assert!(page.contains("see it by hand, in the port") && page.contains("ask both sides again"), "{page}");
    // The call itself may be the one at which they part.
    let attempts = &mut record.revisions[3].units[0].attempts;
    let mut examples = attempts.iter_mut().flat_map(|attempt| &mut attempt.counterexamples);
    examples.next().unwrap().call = "tinytext.fold('a b', 1)".to_owned();
    examples.for_each(|example| example.divergence = None);
    let asked = UnitPage { record: &record, anchor: "r4-u1", by_hand: None, around: None };
    let page = board().unit(&port_of(&record, "p"), &asked).unwrap().unwrap();
    assert!(page.contains("this call itself") && !page.contains("class=\"below"), "{page}");
    assert!(!page.contains("data-copy"), "nobody says how to run it");
}

#[test]
fn a_unit_shows_what_stands_around_it_and_a_table_says_the_same() {
    let record = sample::done();
    let node = |name: &str| GraphNode { name: name.to_owned(), symbols: 1 };
    let around = Around {
        impact: Impact {
            label: "0.3.1".to_owned(),
            run: "one".to_owned(),
            changed: vec!["p.slug".to_owned()],
            reached: vec!["p.file".to_owned()],
        },
        members: vec![AroundMember {
            symbol: "p.slug".to_owned(),
            item: "t::slug".to_owned(),
            unit: "t::slug".to_owned(),
            anchor: "r1-u1".to_owned(),
        }],
        graph: Graph {
            nodes: vec![node("p.file"), node("p.lower"), node("p.slug")],
            edges: vec![(0, 2), (2, 1)],
        },
        gone: vec!["p.gone".to_owned()],
        left_out: 7,
        is_read: true,
    };
    let port = port_of(&record, "p");
    let asked = UnitPage { record: &record, anchor: "r1-u1", by_hand: None, around: Some(&around) };
    for page in [
        board().unit(&port, &asked).unwrap().unwrap(),
        board().symbols(&port, &["0.3.1".to_owned()], Some(&around)).unwrap(),
    ] {
        assert!(
            page.contains("● p.slug") && page.contains("◌ p.file") && page.contains("edge lit"),
            "{page}"
        );
        let row = page.split("<tr>").find(|row| row.contains("<code>t::slug</code></span></td>")).unwrap();
        assert!(row.contains("touched: <a href=\"/port/p/run/one/unit/r1-u1\">"), "{row}");
        assert!(row.contains("data-l=\"Uses\"><span><code>p.lower</code></span>"), "{row}");
        assert!(row.contains("data-l=\"Used by\"><span><code>p.file</code></span>"), "{row}");
        assert!(page.contains("<code>p.gone</code>") && page.contains("7 more symbols"), "{page}");
    }
}

#[test]
fn pages_change_something_only_for_who_is_signed_in() {
    let port = port_of(&sample::parked(), "p");
    let pages = |may_sign_in: bool, csrf: &str, asked: &'static str| {
        let mut board = board();
        board.chrome.may_sign_in = may_sign_in;
        csrf.clone_into(&mut board.chrome.csrf);
        board.port(&port, &Runs { asked, ..Runs::default() }, &[], None).unwrap()
    };
    let only_shown = pages(false, "", "look");
    assert!(!only_shown.contains("<form") && !only_shown.contains("Sign in"), "{only_shown}");
    assert!(only_shown.contains("This page changes nothing") && !only_shown.contains("was asked for"));
    let signed_out = pages(true, "", "look");
    assert!(!signed_out.contains("<form") && signed_out.contains("/sign-in?next=/port/p"), "{signed_out}");
    let signed_in = pages(true, "c5", "look");
    for form in ["/port/p/look", "/port/p/retry", "/sign-out"] {
        let form = format!("<form method=\"post\" action=\"{form}\">");
        let inside = signed_in.split(&form).nth(1).unwrap_or_default();
        assert!(
            inside.starts_with("<input type=\"hidden\" name=\"csrf\" value=\"c5\">"),
            "{form}: {signed_in}"
        );
    }
    assert!(signed_in.contains("A look was asked for"), "{signed_in}");
}
