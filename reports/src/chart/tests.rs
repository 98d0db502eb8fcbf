use super::*;

fn interval(label: &str, middle: f64, low: f64, high: f64) -> Interval {
    Interval { label: label.to_owned(), middle, low, high }
}

#[test]
fn every_mark_says_its_numbers_and_bounds_are_drawn() {
    let svg = sequential_path("path", &[(6.0, 0.5), (8.0, 3.1)], 2.944, -2.944);
    assert!(svg.contains("<title>after 8 pairs: 3.1</title>"), "{svg}");
    assert!(svg.contains("accepted from 2.944") && svg.contains("rejected to -2.944"), "{svg}");
    assert_eq!(svg.matches("<circle").count(), 2);
    let svg = history("h", &[interval("a", 1.0, 0.9, 1.1), interval("b", 1.2, 1.1, 1.3)], Some(1.0));
    assert!(svg.contains("no change") && svg.contains(">a</text>"), "{svg}");
    assert!(svg.contains("<title>b: 1.2 (1.1 to 1.3)</title>"), "{svg}");
    let svg = pairs("p", &[Pair { label: "t".to_owned(), reference: 0.5, candidate: 1.0 }]);
    assert!(svg.contains("<title>t: 0.5 before, 1 after</title>"), "{svg}");
}

#[test]
fn foreign_names_cannot_leave_their_place() {
    let hostile = "\"><script>alert(1)</script>";
    let svg = intervals(hostile, &[interval(hostile, 1.0, 0.5, 2.0)], None);
    let page = page(hostile, &[svg]);
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn what_cannot_be_drawn_is_left_out_and_never_breaks_the_picture() {
    assert!(history("none", &[], Some(0.0)).contains("nothing was measured"));
    let odd = [interval("a", f64::NAN, f64::NEG_INFINITY, f64::INFINITY), interval("b", 1.0, 0.0, f64::MAX)];
    for svg in [intervals("odd", &odd, None), sequential_path("odd", &[(1.0, f64::NAN)], 1.0, -1.0)] {
        assert!(!svg.contains("NaN") && !svg.contains("=\"inf"), "{svg}");
    }
    let many: Vec<Interval> = (0..1000).map(|_| interval("x", 1.0, 0.0, 2.0)).collect();
    let svg = history("many", &many, None);
    assert!(svg.contains("without the first 600") && svg.matches("<circle").count() == 400);
}
