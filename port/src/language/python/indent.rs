//! Moving a text between levels of indentation without touching the inside of its strings.

use upstream::ContentHash;

use super::source::Source;

/// The hash of a dedented text: white space at the ends of lines does not count.
pub(super) fn hash(text: &str) -> ContentHash {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    ContentHash::of(lines.join("\n"))
}

/// The text without blank lines around it, moved to the left margin. Its level is that of its first line.
pub(super) fn dedent(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(lines.len());
    let text = lines.get(first..).unwrap_or_default().join("\n");
    let text = text.trim_end();
    let indent = leading_white(text);
    if indent.is_empty() {
        return text.to_owned();
    }
    // An indented text parses only below something that opens a block.
    let opened = format!("if 1:\n{text}\n");
    let verbatim = Source::parse(&opened).map(|source| source.verbatim_rows()).unwrap_or_default();
    let moved = text
        .lines()
        .enumerate()
        .map(|(row, line)| if verbatim.contains(&(row + 1)) { line } else { without_indent(line, indent) });
    moved.collect::<Vec<_>>().join("\n")
}

/// A text at the left margin, moved to a level; its first line stays as it is, because what stands in
/// front of it is there already.
pub(super) fn indent(text: &str, level: &str) -> String {
    let verbatim = Source::parse(text).map(|source| source.verbatim_rows()).unwrap_or_default();
    let moved = text.lines().enumerate().map(|(row, line)| {
        let as_it_is = row == 0 || line.trim().is_empty() || verbatim.contains(&row);
        if as_it_is { line.to_owned() } else { format!("{level}{line}") }
    });
    moved.collect::<Vec<_>>().join("\n")
}

/// A line without as much of this indentation as it has.
pub(super) fn without_indent<'l>(line: &'l str, indent: &str) -> &'l str {
    let common = line
        .char_indices()
        .zip(indent.chars())
        .take_while(|((_, has), wanted)| has == wanted)
        .map(|((at, has), _)| at + has.len_utf8())
        .last()
        .unwrap_or_default();
    line.get(common..).unwrap_or_default()
}

/// The white space at the beginning of a text's first line.
pub(super) fn leading_white(text: &str) -> &str {
    let end = text.find(|c: char| c != ' ' && c != '\t').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}
