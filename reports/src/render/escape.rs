//! Escaping of foreign text for Markdown and for the HTML inside of it.
//!
//! Forges turn `@name`, `#12` and bare addresses into mentions and links after the Markdown is read, so
//! escaping alone does not stop them: a zero-width space, which no foreign text can hold here, parts them.

use crate::{visible, words};

/// Parts a mention, a reference or an address so that no forge links it.
const PART: char = '\u{200b}';

/// One line of text for Markdown, in a paragraph, a list item or a table's cell.
pub(crate) fn markdown_text(text: &str) -> String {
    part_references(&visible::line(text), |c, out| match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '|' => out.push_str("&#124;"),
        '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
            out.push('\\');
            out.push(c);
        }
        other => out.push(other),
    })
}

/// The same, with what stands between backquotes as code.
pub(crate) fn markdown_prose(text: &str) -> String {
    let pieces = words::prose(text).into_iter();
    pieces.map(|(code, piece)| if code { markdown_code(piece) } else { markdown_spaced(piece) }).collect()
}

/// Keeps the blanks at the end, which part the text from the code behind it.
fn markdown_spaced(text: &str) -> String {
    let end = text.get(text.trim_end().len()..).unwrap_or_default();
    markdown_text(text) + if end.is_empty() { "" } else { " " }
}

/// One line of text for HTML inside Markdown, such as a `<summary>`.
pub(crate) fn html_text(text: &str) -> String {
    part_references(&visible::line(text), push_html)
}

/// A name, a call or a value as code in a line or in a table's cell.
pub(crate) fn markdown_code(text: &str) -> String {
    let text = visible::line(text);
    if text.trim().is_empty() {
        return "*empty*".to_owned();
    }
    // A pipe ends a table's cell even in a code span, and how a backslash before it is read differs
    // between forges. As an element with character references it is plain text to all of them.
    if text.contains('|') {
        return html_code(&text);
    }
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// The same as an HTML element, which no Markdown is read in.
pub(crate) fn html_code(text: &str) -> String {
    let mut out = "<code>".to_owned();
    for c in visible::line(text).chars() {
        if c.is_ascii_punctuation() { push_reference(c, &mut out) } else { out.push(c) }
    }
    out.push_str("</code>");
    out
}

/// A block of code whose fence is longer than any run of backticks within.
pub(crate) fn markdown_fence(text: &str, language: &str) -> String {
    let text = visible::block(text);
    let fence = "`".repeat((longest_run(&text, '`') + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n")
}

fn longest_run(text: &str, of: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

fn part_references(text: &str, mut push: impl FnMut(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        push(c, &mut out);
        let next = chars.peek().copied().unwrap_or(' ');
        let refers = matches!(c, '@' | '#' | '!' | '%' | '^' | '~' | '$' | '&') && next.is_alphanumeric();
        let quoted = matches!(c, '@' | '%' | '~' | '#') && matches!(next, '"' | '_' | '-');
        let address =
            c == ':' && next == '/' || (matches!(before, 'w' | 'W') && matches!(c, 'w' | 'W') && next == '.');
        let issue = matches!(before, 'h' | 'H') && c == '-' && next.is_ascii_digit();
        if refers || quoted || address || issue {
            out.push(PART);
        }
        before = c;
    }
    out
}

fn push_html(c: char, out: &mut String) {
    match c {
        '&' | '<' | '>' | '"' | '\'' | '`' | '*' | '_' | '[' | ']' | '|' | '\\' => push_reference(c, out),
        other => out.push(other),
    }
}

fn push_reference(c: char, out: &mut String) {
    out.push_str("&#");
    out.push_str(&u32::from(c).to_string());
    out.push(';');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_references_and_addresses_are_parted() {
        let shown = markdown_text("@all fixes #12, GH-3, !4 https://evil.example www.evil.example");
        assert_eq!(
            shown.replace(PART, "·"),
            "@·all fixes #·12, GH-·3, !·4 https:·//evil.example www·.evil.example"
        );
    }

    #[test]
    fn text_can_make_no_markup() {
        let shown = markdown_text("<b> [x](y) *z* _w_ `c` a|b\n# d & \\");
        assert_eq!(shown, r"&lt;b&gt; \[x\](y) \*z\* \_w\_ \`c\` a&#124;b # d &amp; \\");
    }

    #[test]
    fn code_cannot_leave_its_span_or_its_cell() {
        assert_eq!(markdown_code("a"), "`a`");
        assert_eq!(markdown_code("``x`"), "``` ``x` ```");
        assert_eq!(markdown_code("a|`b"), "<code>a&#124;&#96;b</code>");
        assert_eq!(markdown_code(" \n"), "*empty*");
    }

    #[test]
    fn a_fence_is_longer_than_any_run_within() {
        let fenced = markdown_fence("a\n`````\nb", "diff");
        assert_eq!(fenced, "``````diff\na\n`````\nb\n``````\n");
    }

    proptest::proptest! {
        #[test]
        fn a_cell_holds_neither_pipe_nor_line_end(text in "[a`|\\\\\n@#1]{0,24}") {
            for shown in [markdown_text(&text), markdown_code(&text), html_text(&text)] {
                proptest::prop_assert!(!shown.contains(['|', '\n']), "{shown}");
            }
        }
    }
}
