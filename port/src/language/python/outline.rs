//! What inference is told about a Python port: its symbols, and what their texts hold besides names.
//!
//! The main function is [`outline`]. It needs no interpreter, and reads only the texts that it is given.

use std::collections::{BTreeMap, BTreeSet};

use mappings::SymbolPath;
use mappings::infer::{FileFacts, PortOutline, RecordLine, SymbolFacts};

use super::symbols;

/// The most strings and numbers that are taken from one symbol.
const LITERALS_MAX: usize = 400;
/// The most lines of all documents that are kept as records.
const RECORD_LINES_MAX: usize = 200_000;

/// Reads all source files of a port, and the documents beside them. `module_of` names the module that a file
/// is.
pub fn outline<'a>(
    sources: impl IntoIterator<Item = (&'a str, &'a str)>,
    documents: impl IntoIterator<Item = (&'a str, &'a str)>,
    module_of: &dyn Fn(&str) -> Option<SymbolPath>,
) -> PortOutline {
    let mut outline = PortOutline::default();
    for (file, text) in sources {
        let read = symbols::read(file, text, module_of(file).as_ref());
        if let Some(fault) = read.fault {
            outline.symbols.unparsed.insert(file.to_owned(), fault.to_string());
        }
        let facts = FileFacts { header: header(text), is_test: symbols::is_test_file(file) };
        outline.files.insert(file.to_owned(), facts);
        for located in read.symbols {
            let mut symbol = located.symbol;
            symbol.path = outline.symbols.free_path(&symbol.path);
            let scanned = scan(&symbol.text);
            let facts = SymbolFacts { prose: scanned.prose, literals: scanned.literals };
            outline.facts.insert(symbol.path.clone(), facts);
            outline.symbols.symbols.insert(symbol.path.clone(), symbol);
        }
    }
    let names: BTreeSet<String> =
        outline.files.keys().filter_map(|file| file.rsplit('/').next().map(str::to_owned)).collect();
    for (document, text) in documents {
        let room = RECORD_LINES_MAX.saturating_sub(outline.records.len());
        outline.records.extend(records(document, text, &names).take(room));
    }
    outline
}

/// The lines of a document that name a Rust file and a file of the port.
fn records<'a>(
    document: &'a str,
    text: &'a str,
    names: &'a BTreeSet<String>,
) -> impl Iterator<Item = RecordLine> + 'a {
    let names_port = |line: &str| {
        let words =
            line.split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.')));
        words.into_iter().any(|word| names.contains(word.trim_matches('.')))
    };
    text.lines()
        .zip(1_u32..)
        .filter(move |(line, _)| line.contains(".rs") && line.contains(".py") && names_port(line))
        .map(move |(line, number)| RecordLine {
            document: document.to_owned(),
            line: number,
            text: line.to_owned(),
        })
}

/// The comments and the documentation at the top of a file.
fn header(text: &str) -> String {
    let mut header = String::new();
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start();
        let Some(behind) = trimmed.strip_prefix('#') else {
            rest = trimmed;
            break;
        };
        let (line, below) = behind.split_once('\n').unwrap_or((behind, ""));
        header.push_str(line);
        header.push('\n');
        rest = below;
    }
    let unprefixed = rest.trim_start_matches(['r', 'u', 'R', 'U']);
    for quote in ["\"\"\"", "'''", "\"", "'"] {
        if let Some((inside, _)) = unprefixed.strip_prefix(quote).and_then(|inner| inner.split_once(quote)) {
            header.push_str(inside);
            break;
        }
    }
    header
}

/// The strings, numbers and comments of a text.
#[derive(Debug, Default)]
struct Scanned {
    prose: String,
    literals: Vec<String>,
}

/// Takes a text of valid Python apart, as far as strings, comments and numbers go.
fn scan(text: &str) -> Scanned {
    let mut scanned = Scanned::default();
    let mut rest = text;
    let mut before = '\n';
    let mut line_is_blank = true;
    while let Some(letter) = rest.chars().next() {
        let behind = rest.get(letter.len_utf8()..).unwrap_or_default();
        match letter {
            '#' => {
                let (comment, below) = behind.split_once('\n').unwrap_or((behind, ""));
                scanned.prose.push_str(comment);
                scanned.prose.push('\n');
                (rest, before, line_is_blank) = (below, '\n', true);
                continue;
            }
            '"' | '\'' => {
                let (content, below) = string(rest, letter);
                // A string that begins a line stands for itself: it is documentation, or a part of a long
                // string, which says the same.
                if line_is_blank {
                    scanned.prose.push_str(content);
                    scanned.prose.push('\n');
                }
                if scanned.literals.len() < LITERALS_MAX && !(line_is_blank && content.contains('\n')) {
                    scanned.literals.push(content.to_owned());
                }
                (rest, before, line_is_blank) = (below, letter, false);
                continue;
            }
            '0'..='9' if !before.is_alphanumeric() && before != '_' => {
                let end = rest
                    .find(|next: char| !(next.is_alphanumeric() || matches!(next, '_' | '.')))
                    .unwrap_or(rest.len());
                if scanned.literals.len() < LITERALS_MAX {
                    scanned.literals.push(rest.get(..end).unwrap_or_default().to_owned());
                }
                (rest, before, line_is_blank) = (rest.get(end..).unwrap_or_default(), letter, false);
                continue;
            }
            '\n' => line_is_blank = true,
            ' ' | '\t' => {}
            'r' | 'R' | 'b' | 'B' | 'f' | 'F' | 'u' | 'U'
                if line_is_blank && behind.starts_with(['"', '\'']) => {}
            _ => line_is_blank = false,
        }
        before = letter;
        rest = behind;
    }
    scanned
}

/// The content of the string that a text begins with, and what stands behind it.
fn string(text: &str, quote: char) -> (&str, &str) {
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let mark = if text.starts_with(&triple) { triple } else { quote.to_string() };
    let inside = text.get(mark.len()..).unwrap_or_default();
    let mut escaped = false;
    for (position, letter) in inside.char_indices() {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            // Also in a raw string a quote behind a backslash does not end it.
            escaped = true;
        } else if inside.get(position..).is_some_and(|rest| rest.starts_with(&mark)) {
            let content = inside.get(..position).unwrap_or_default();
            return (content, inside.get(position + mark.len()..).unwrap_or_default());
        }
    }
    (inside, "")
}

/// The module that each file is, where the packages of a port lie in folders of their own.
pub fn modules_by_root(source_root: &str) -> impl Fn(&str) -> Option<SymbolPath> {
    let root = source_root.trim_matches('/').to_owned();
    move |file| super::module_path(&root, file)
}

/// The folder that a port's packages are imported from, told by where `__init__.py` ends: `src` for
/// `src/pkg/__init__.py` where `src` holds none itself. Several give the one with the most files.
pub fn source_root<'a>(files: impl IntoIterator<Item = &'a str>) -> String {
    let files: BTreeSet<&str> = files.into_iter().collect();
    let packages: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.strip_suffix("__init__.py"))
        .map(|folder| folder.trim_end_matches('/'))
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &files {
        let mut folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !packages.contains(folder) || symbols::is_test_file(file) {
            continue;
        }
        while packages.contains(folder) && !folder.is_empty() {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        }
        *counts.entry(folder).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(folder, count)| (**count, std::cmp::Reverse(folder.len())));
    most.map(|(folder, _)| (*folder).to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> PortOutline {
        outline(files.iter().copied(), [], &modules_by_root("src"))
    }

    #[test]
    fn a_symbol_tells_its_prose_and_its_literals() {
        let text = "def f(x):\n    \"\"\"Doubles. It's `k::f`.\"\"\"\n    # twice\n    return g(x, 'two', 0x10, f\"n{x}\") * 200\n";
        let outline = read(&[("src/p/a.py", text)]);
        let facts = &outline.facts[&SymbolPath::new("p.a.f").unwrap()];
        assert_eq!(facts.prose, "Doubles. It's `k::f`.\n twice\n");
        assert_eq!(facts.literals, ["Doubles. It's `k::f`.", "two", "0x10", "n{x}", "200"]);
    }

    #[test]
    fn a_header_is_comments_and_documentation() {
        let outline =
            read(&[("src/p/a.py", "#!/usr/bin/env python\n# Port of a.rs\n'''Does\nit.'''\nX = 'no'\n")]);
        assert_eq!(outline.files["src/p/a.py"].header, "!/usr/bin/env python\n Port of a.rs\nDoes\nit.");
    }

    #[test]
    fn records_are_lines_that_name_both_sides() {
        let documents = [("STATUS.md", "| a.rs | p/a.py |\n| b.rs | none.py |\n| only a.py |\n")];
        let outline = outline([("src/p/a.py", "")], documents, &modules_by_root("src"));
        let lines: Vec<u32> = outline.records.iter().map(|record| record.line).collect();
        assert_eq!(lines, [1]);
    }

    #[test]
    fn unfinished_strings_end_with_the_text() {
        assert_eq!(scan("x = 'abc").literals, ["abc"]);
        assert_eq!(scan("x = 'ab\\").literals, ["ab\\"]);
        assert_eq!(scan("x = \"\"\"é").literals, ["é"]);
    }

    #[test]
    fn the_source_root_is_above_the_outermost_package() {
        assert_eq!(source_root(["src/p/__init__.py", "src/p/a.py", "tests/test_a.py"]), "src");
        assert_eq!(source_root(["p/__init__.py", "p/q/__init__.py", "p/q/a.py"]), "");
        assert_eq!(source_root(["a.py"]), "");
    }
}
