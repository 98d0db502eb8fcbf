//! Both texts of an item that changed, as one where that is shorter.

use similar::{ChangeTag, TextDiff};

/// How an item is shown.
pub(super) enum Sides {
    /// Line by line, with what went and what came marked: both texts are in it whole.
    Marked(String),
    /// One after the other.
    Apart,
}

/// The shorter form of the two. It holds every line of both texts.
pub(super) fn sides(before: &str, after: &str) -> Sides {
    let diff = TextDiff::from_lines(before.trim_end(), after.trim_end());
    let mut marked = String::new();
    for change in diff.iter_all_changes() {
        marked.push(match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        });
        marked.push_str(change.value().trim_end_matches('\n'));
        marked.push('\n');
    }
    if marked.len() < before.len() + after.len() { Sides::Marked(marked) } else { Sides::Apart }
}

/// The lines that went and that came, apart.
pub(super) fn changed_lines(before: &str, after: &str) -> [String; 2] {
    let diff = TextDiff::from_lines(before, after);
    let of = |tag| {
        diff.iter_all_changes().filter(|change| change.tag() == tag).map(|change| change.value()).collect()
    };
    [of(ChangeTag::Delete), of(ChangeTag::Insert)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_change_is_marked_and_a_rewrite_is_shown_twice() {
        let text = "fn f() {\n    one();\n    two();\n    three();\n}";
        let Sides::Marked(marked) = sides(text, &text.replace("two", "2")) else { panic!("apart") };
        assert_eq!(marked, " fn f() {\n     one();\n-    two();\n+    2();\n     three();\n }\n");
        assert!(matches!(sides("a\nb", "c\nd\ne"), Sides::Apart));
        assert!(matches!(sides("fn cap() { 10 }", "fn cap() { 12 }"), Sides::Apart));
    }

    proptest! {
        #[test]
        fn every_line_of_both_texts_is_there(before in "([ab]{0,2}\n){0,8}", after in "([ab]{0,2}\n){0,8}") {
            let (before, after) = (before.trim_end(), after.trim_end());
            if let Sides::Marked(marked) = sides(before, after) {
                let side = |mark: char| -> Vec<String> {
                    let lines = marked.lines().filter(|line| line.starts_with([' ', mark]));
                    lines.map(|line| line.chars().skip(1).collect()).collect()
                };
                prop_assert_eq!(side('-').join("\n"), before);
                prop_assert_eq!(side('+').join("\n"), after);
            }
        }
    }
}
