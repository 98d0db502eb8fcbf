//! Bounds how deep a text nests, before the parser, which recurses, sees it.
//!
//! A stack that overflows ends the process and nothing catches it, so a text that could be too deep is refused.
//! The measure reads tokens as the compiler's lexer does (strings, comments and character literals do not
//! count) and may be too careful, never too lenient.

/// The deepest nesting of brackets.
const BRACKETS_MAX: usize = 150;
/// The most tokens in one expression, brackets inside it counted as one token each.
const CHAIN_MAX: usize = 1_000;
/// The most words in one expression behind which another expression or type begins: the parser goes deepest there.
const LEADS_MAX: usize = 150;
/// Those words.
const LEADS: [&str; 12] =
    ["return", "break", "yield", "become", "let", "move", "async", "else", "fn", "dyn", "impl", "for"];
/// The most `|` in one expression, however many commas divide it: closures nest behind their parameters.
const PIPES_MAX: usize = 500;
/// The most `<` that no `>` closed in one expression.
const ANGLES_MAX: usize = 200;

/// Says where a text nests too deep, if it does.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut scan = Scan { rest: text, levels: vec![Level::default()], line: 1 };
    while let Some(token) = scan.next_token() {
        scan.count(token)
            .map_err(|what| format!("line {}: {what}, which is deeper than the parser may go", scan.line))?;
    }
    Ok(())
}

/// What matters of a token.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'text> {
    Word(&'text str),
    Literal,
    Sign(char),
}

/// The expression that is open inside one pair of brackets.
#[derive(Debug, Default)]
struct Level {
    chain: usize,
    leads: usize,
    pipes: usize,
    angles: usize,
    /// Whether a block was just closed here, so that the next token tells whether the expression goes on.
    after_block: bool,
    before: Option<char>,
}

struct Scan<'text> {
    rest: &'text str,
    levels: Vec<Level>,
    line: u32,
}

impl<'text> Scan<'text> {
    fn count(&mut self, token: Token<'text>) -> Result<(), String> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        if std::mem::take(&mut level.after_block) && !goes_on_after_block(token) {
            *level = Level::default();
        }
        level.chain += 1;
        let before = level.before.take();
        if let Token::Word(word) = token {
            level.leads += usize::from(LEADS.contains(&word));
        }
        if let Token::Sign(sign) = token {
            level.before = Some(sign);
            match sign {
                '(' | '[' | '{' => self.levels.push(Level::default()),
                ')' | ']' | '}' => self.close(sign),
                ';' => *level = Level::default(),
                ',' => (level.chain, level.leads) = (0, 0),
                '|' => level.pipes += 1,
                '<' => level.angles += 1,
                '>' if before == Some('=') => *level = Level::default(),
                '>' if before != Some('-') => level.angles = level.angles.saturating_sub(1),
                _ => {}
            }
        }
        let Some(level) = self.levels.last() else { return Ok(()) };
        if self.levels.len() > BRACKETS_MAX {
            return Err(format!("more than {BRACKETS_MAX} brackets are open"));
        }
        let over = level.chain > CHAIN_MAX || level.leads > LEADS_MAX;
        if over || level.pipes > PIPES_MAX || level.angles > ANGLES_MAX {
            return Err("an expression has too many parts".to_owned());
        }
        Ok(())
    }

    fn close(&mut self, sign: char) {
        if self.levels.len() > 1 {
            self.levels.pop();
        }
        if let Some(level) = self.levels.last_mut() {
            level.after_block = sign == '}';
        }
    }

    fn next_token(&mut self) -> Option<Token<'text>> {
        loop {
            let first = self.rest.chars().next()?;
            if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else if self.rest.starts_with("//") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.skip(end);
            } else if self.rest.starts_with("/*") {
                let end = block_comment(self.rest);
                self.skip(end);
            } else {
                break;
            }
        }
        let first = self.rest.chars().next()?;
        let (length, token) = if first == '\'' {
            quote(self.rest)
        } else if first == '"' {
            (1 + quoted(self.rest.get(1..).unwrap_or_default()), Token::Literal)
        } else if is_word(first) {
            word_or_literal(self.rest)
        } else {
            (first.len_utf8(), Token::Sign(first))
        };
        self.skip(length);
        Some(token)
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        let lines = skipped.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = rest;
    }
}

/// Whether what follows a block belongs to the same expression.
fn goes_on_after_block(token: Token<'_>) -> bool {
    match token {
        Token::Word(word) => word == "else" || word == "as",
        Token::Literal => false,
        Token::Sign(sign) => sign != '#' && sign != '}',
    }
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

fn word_length(text: &str) -> usize {
    text.find(|sign| !is_word(sign)).unwrap_or(text.len())
}

/// A word, or the literal that begins with it: `r#"…"#`, `b'…'`, `c"…"`.
fn word_or_literal(text: &str) -> (usize, Token<'_>) {
    let length = word_length(text);
    let (word, rest) = text.split_at_checked(length).unwrap_or((text, ""));
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let after_hashes = rest.get(hashes..).unwrap_or_default();
    let is_raw = ["r", "br", "cr"].contains(&word) && after_hashes.starts_with('"');
    if is_raw {
        let end = format!("\"{}", "#".repeat(hashes));
        let content = after_hashes.get(1..).unwrap_or_default();
        let inside = content.find(&end).map_or(content.len(), |at| at + end.len());
        return (length + hashes + 1 + inside, Token::Literal);
    }
    if word == "b" && rest.starts_with('\'') {
        return (length + character(rest), Token::Literal);
    }
    (length, Token::Word(word))
}

/// How long a text up to and with its closing quote is.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// A lifetime or a character.
fn quote(text: &str) -> (usize, Token<'_>) {
    let mut signs = text.chars().skip(1);
    let (first, second) = (signs.next().unwrap_or(' '), signs.next().unwrap_or(' '));
    if second == '\'' || !is_word(first) {
        return (character(text), Token::Literal);
    }
    let length = 1 + word_length(text.get(1..).unwrap_or_default());
    let closed = text.get(length..).is_some_and(|rest| rest.starts_with('\''));
    if closed { (length + 1, Token::Literal) } else { (length, Token::Sign('\'')) }
}

/// How long a character literal is; like the lexer, an unclosed one ends before a line end or a slash.
fn character(text: &str) -> usize {
    let mut signs = text.char_indices().skip(1).peekable();
    let mut ahead = text.chars().skip(1);
    let (first, second) = (ahead.next(), ahead.next());
    if second == Some('\'') && first != Some('\\') {
        return 2 + first.map_or(0, char::len_utf8);
    }
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\'' => return at + 1,
            '/' => return at,
            '\n' if signs.peek().is_none_or(|(_, next)| *next != '\'') => return at,
            '\\' => drop(signs.next()),
            _ => {}
        }
    }
    text.len()
}

/// How long a comment is; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'/'), Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (Some(b'*'), Some(b'/')) => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_strings_and_comments_does_not_count() {
        let deep = "(".repeat(10_000);
        for text in [
            format!("let a = \"{deep}\\\"{deep}\";"),
            format!("let a = r##\"{deep}\"#{deep}\"##;"),
            format!("// {deep}\n/* {deep} /* {deep} */ {deep} */ let a = b'\\'';"),
            format!("let a = ('\"', '\\'', '\\u{{1F600}}', 'x', \"{deep}\");"),
            format!("fn f<'a>(x: &'a str) {{ 'out: loop {{ g(\"{deep}\") }} }}"),
        ] {
            assert_eq!(check(&text), Ok(()), "{text:.40}");
        }
    }

    #[test]
    fn a_quote_that_hides_nothing_is_seen_through() {
        let deep = "(".repeat(10_000);
        for text in
            [format!("'a {deep}"), format!("'('{deep}"), format!("'(\"\n{deep}"), format!("b'\"'{deep}")]
        {
            assert!(check(&text).is_err(), "{text:.40}");
        }
    }

    #[test]
    fn long_lists_and_many_statements_are_not_deep() {
        for text in [
            "f(1, 2, 3);\n".repeat(10_000),
            format!("const A: [u8; 9] = [{}];", "1, ".repeat(100_000)),
            "impl A { fn f() { if a { b } else { c } } }\n#[x]\n".repeat(10_000),
            format!("match x {{ {} }}", "1 | 2 if a < b || c => d,\n".repeat(10_000)),
        ] {
            assert_eq!(check(&text), Ok(()), "{text:.40}");
        }
    }
}
