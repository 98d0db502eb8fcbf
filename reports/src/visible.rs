//! Foreign text made visible: nothing that a reader cannot see, and nothing without a bound.
//!
//! Upstream text, model output and messages of tools may hold control characters that move a terminal's
//! cursor, and bidirectional overrides that show code in another order than it runs. Each such character
//! is shown as its escape, such as `\u{202e}`. This is done once, before any format's own escaping.

/// Characters of one value that stands in a line, a cell or a heading. The rest is in the JSON record.
pub(crate) const LINE_CHARS_MAX: usize = 600;

/// Characters of one value that may run over lines, such as a reason.
pub(crate) const BLOCK_CHARS_MAX: usize = 4_000;

/// The text in one line: line ends become spaces, and it is cut at `LINE_CHARS_MAX` with a count.
pub fn line(text: &str) -> String {
    cut(text.trim_end(), LINE_CHARS_MAX, |c, out| match c {
        '\n' | '\t' => out.push(' '),
        '\r' => {}
        other => push_visible(other, out),
    })
}

/// The text with its line ends kept, cut at [`BLOCK_CHARS_MAX`] with a count.
pub(crate) fn block(text: &str) -> String {
    cut(text.trim_end(), BLOCK_CHARS_MAX, |c, out| match c {
        '\n' => out.push('\n'),
        other => push_code(other, out),
    })
}

/// The text with its line ends and tabs kept, and not cut. What was made visible before stays as it is.
pub(crate) fn whole(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| if c == '\n' { out.push(c) } else { push_code(c, &mut out) });
    out
}

/// One line of code, cut at `chars_max` with a count; tabs are kept.
pub(crate) fn code_line(text: &str, chars_max: usize) -> String {
    cut(text, chars_max, push_code)
}

/// A piece of a line of code, as it is but visible.
pub fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_code(c, &mut out));
    out
}

fn cut(text: &str, chars_max: usize, mut push: impl FnMut(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    chars.by_ref().take(chars_max).for_each(|c| push(c, &mut out));
    let rest = chars.count();
    if rest > 0 {
        out.push_str(" … (");
        out.push_str(&rest.to_string());
        out.push_str(" more characters in the JSON record)");
    }
    out
}

fn push_code(c: char, out: &mut String) {
    match c {
        '\t' => out.push('\t'),
        other => push_visible(other, out),
    }
}

fn push_visible(c: char, out: &mut String) {
    if deceives(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
}

/// Whether a reader does not see the character, or sees others in a wrong order because of it.
fn deceives(c: char) -> bool {
    // Most text is ASCII, and this is asked for each character of a page.
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_and_bidirectional_controls_become_escapes() {
        assert_eq!(line("a\u{1b}[31mb\u{202e}c\u{0}"), r"a\u{1b}[31mb\u{202e}c\u{0}");
        assert_eq!(code("x\u{200b}y\u{feff}\tz"), "x\\u{200b}y\\u{feff}\tz");
    }

    #[test]
    fn a_line_holds_no_line_end() {
        assert_eq!(line("one\r\ntwo\tthree\n"), "one two three");
        assert_eq!(block("one\r\ntwo\n"), "one\\u{d}\ntwo");
    }

    #[test]
    fn a_cut_says_how_much_is_missing() {
        let text = "ä".repeat(LINE_CHARS_MAX + 7);
        assert!(line(&text).ends_with("ä … (7 more characters in the JSON record)"));
        assert_eq!(line(&"ä".repeat(LINE_CHARS_MAX)).chars().count(), LINE_CHARS_MAX);
    }

    proptest::proptest! {
        #[test]
        fn nothing_deceptive_is_left(text in "\\PC*|[\u{0}-\u{20}\u{2000}-\u{2070}\u{e0000}-\u{e0100}]*") {
            proptest::prop_assert!(!line(&text).chars().any(deceives));
            proptest::prop_assert!(!block(&text).chars().any(|c| c != '\n' && c != '\t' && deceives(c)));
        }
    }
}
