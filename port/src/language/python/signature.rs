//! The head of a definition: what a caller has to know of it.

use super::holds::names;

/// The most lines that a head may have; a longer one is shown whole.
const LINES_MAX: usize = 30;

/// Decorators, the header and the first line of the documentation of a function or class at the left margin, and below
/// that of a class what it and its values hold ([`names`]); `None` where the text is something else or its header
/// cannot be told apart.
pub(super) fn of(text: &str) -> Option<String> {
    let mut head: Vec<&str> = Vec::new();
    let mut depth = 0_isize;
    let mut lines = text.lines();
    let mut begun = false;
    loop {
        let line = lines.next().filter(|_| head.len() < LINES_MAX)?;
        head.push(line);
        begun |= ["def ", "async def ", "class "].iter().any(|word| line.starts_with(word));
        let code = without_comment(line);
        depth += code.matches(['(', '[', '{']).count().cast_signed();
        depth -= code.matches([')', ']', '}']).count().cast_signed();
        if !begun {
            // Decorators stand before, and nothing else does.
            if depth <= 0 && !line.starts_with('@') && !line.starts_with(')') && !line.trim().is_empty() {
                return None;
            }
            continue;
        }
        if depth == 0 && code.trim_end().ends_with(':') {
            break;
        }
    }
    let mut told = head.join("\n");
    if let Some(first) = lines.find(|line| !line.trim().is_empty()) {
        told.extend(documented(first).map(|line| format!("\n{line}")));
    }
    let held = names(text);
    if !held.is_empty() {
        told.extend(["\n    # holds ", &held.join(", ")]);
    }
    Some(told)
}

/// The line, where it begins a text of documentation, with that text ended.
fn documented(line: &str) -> Option<String> {
    let quotes = ["\"\"\"", "'''"].into_iter().find(|quotes| line.trim_start().starts_with(quotes))?;
    let ended = line.trim().len() > quotes.len() && line.trim_end().ends_with(quotes);
    Some(if ended { line.to_owned() } else { format!("{} …{quotes}", line.trim_end()) })
}

/// A number sign inside a text is taken for a comment too: then no colon is found, and the text is shown whole.
fn without_comment(line: &str) -> &str {
    line.split_once(" #").map_or(line, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_head_holds_decorators_header_and_the_first_line_of_documentation() {
        let told = |text| of(text).unwrap_or_else(|| "none".to_owned());
        assert_eq!(told("def f(x):\n    return x"), "def f(x):");
        assert_eq!(
            told("@cached\n@on(\n    1,\n)\nasync def f(x: int = 3) -> int:  # why\n    pass"),
            "@cached\n@on(\n    1,\n)\nasync def f(x: int = 3) -> int:  # why"
        );
        assert_eq!(
            told(
                "def f(\n    a: dict[str, int],\n) -> None:\n    \"\"\"Do it.\n\n    And more.\n    \"\"\"\n    go()"
            ),
            "def f(\n    a: dict[str, int],\n) -> None:\n    \"\"\"Do it. …\"\"\""
        );
        assert_eq!(
            told(
                "class C(B):\n\n    '''Holds.'''\n    x = 1\n\n    def __init__(self):\n        self._y = 2"
            ),
            "class C(B):\n    '''Holds.'''\n    # holds x, _y"
        );
    }

    #[test]
    fn what_has_no_head_that_can_be_told_is_shown_whole() {
        for text in
            ["LIMIT = 10", "", "x = [\n    1,\n]", "def f(x", "def f(x=' #'): return x", "def f(x): return x"]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
