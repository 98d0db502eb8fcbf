//! The last thing that happens to a text before people see it: what moves a cursor or shows characters in another order
//! becomes an escape, wherever it came from. Colours of our own stay.

use reports::visible_text;

/// What follows the escape character where the console sets something in colour.
const INKS: &[&str] = &["[0m", "[1m", "[2m", "[31m", "[32m", "[33m", "[36m"];

/// The text as it may be shown, line ends and tabs as they are; with its colours where there are to be any.
pub(super) fn shown(text: &str, coloured: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        for (at, piece) in line.split('\u{1b}').enumerate() {
            let ink = INKS.iter().find(|ink| coloured && piece.starts_with(**ink));
            match (at, ink) {
                (0, _) => {}
                (_, Some(_)) => out.push('\u{1b}'),
                (_, None) => out += "\\u{1b}",
            }
            out += &visible_text(piece);
        }
        out += end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_escaped_and_lines_and_tabs_stay() {
        assert_eq!(shown("a\tb\n\nc", false), "a\tb\n\nc");
        assert_eq!(
            shown("a\u{1b}]0;t\u{7}\r\u{9b}2J\u{202e}b\n", true),
            "a\\u{1b}]0;t\\u{7}\\u{d}\\u{9b}2J\\u{202e}b\n"
        );
    }

    #[test]
    fn colours_of_ours_stay_where_there_are_any() {
        let red = "x \u{1b}[31mred\u{1b}[0m y";
        assert_eq!(shown(red, true), red);
        assert_eq!(shown(red, false), "x \\u{1b}[31mred\\u{1b}[0m y");
        assert_eq!(shown("\u{1b}[2J\u{1b}[31;5m", true), "\\u{1b}[2J\\u{1b}[31;5m");
    }
}
