//! What the places that a scan found say: attributes, documentation, imports, the name of an `impl` block.
//!
//! Everything here is read only where two versions of an item differ, so it may cost a little.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use super::lexer::{
    Token, TokenKind, Tokens, after_block_comment, after_group, after_line, after_passive, after_trivia,
    byte, next_passive,
};
use super::{Scan, ScannedItem};
use crate::snapshot::{implementation_of, is_test_attribute, laid_out};

/// The most names that the imports of one file are taken apart into.
const IMPORTS_MAX: usize = 10_000;
/// The deepest nesting of groups in an import.
const IMPORT_GROUPS_DEEP_MAX: usize = 32;

/// What stands between the brackets of an attribute.
#[derive(Debug)]
pub(crate) struct Attribute<'text> {
    text: &'text [u8],
    range: Range<usize>,
    /// The last segment of its path.
    name: &'text [u8],
}

impl<'text> Attribute<'text> {
    pub(super) fn read(text: &'text [u8], range: Range<usize>) -> Self {
        let mut name: &[u8] = &[];
        for token in Tokens::of(text, range.clone()) {
            let slice = text.get(token.start..token.end).unwrap_or_default();
            match token.kind {
                TokenKind::Word => name = slice,
                TokenKind::Sign if slice == b":" => {}
                TokenKind::Sign | TokenKind::Lifetime | TokenKind::Literal => break,
            }
        }
        Self { text, range, name }
    }

    pub(super) fn is_named(&self, name: &[u8]) -> bool {
        self.name == name
    }

    /// Whether it makes what it stands on test code.
    pub(super) fn is_test(&self) -> bool {
        let name = std::str::from_utf8(self.name).unwrap_or_default();
        // Most attributes are neither tests nor conditions: only those are written out.
        let line = if name == "cfg" { format!("#[{}]", self.line()) } else { String::new() };
        is_test_attribute(name, &line)
    }

    /// `doc = "text"`, as against `doc(hidden)`.
    fn documentation(&self) -> Option<String> {
        let mut tokens = Tokens::of(self.text, self.range.clone()).skip(1);
        let equals = tokens.next()?;
        let value = tokens.next()?;
        let is_text = self.name == b"doc"
            && byte(self.text, equals.start) == b'='
            && value.kind == TokenKind::Literal
            && tokens.next().is_none();
        let literal = lossy(self.text.get(value.start..value.end)?);
        is_text.then(|| literal.trim_matches(|c| matches!(c, '"' | 'r' | '#')).to_owned())
    }

    /// Its tokens on one line, without a trailing comma.
    fn line(&self) -> String {
        one_line(self.text, self.range.clone())
    }
}

/// Tokens on one line, a comma before a closing bracket left out.
pub(super) fn one_line(text: &[u8], range: Range<usize>) -> String {
    let mut words: Vec<&[u8]> = Vec::new();
    for token in Tokens::of(text, range) {
        let slice = text.get(token.start..token.end).unwrap_or_default();
        if matches!(slice, b")" | b"]" | b"}") && words.last() == Some(&b",".as_slice()) {
            words.pop();
        }
        words.push(slice);
    }
    written(&words)
}

/// Tokens as people write them: a space only where two words would run together or habit has one.
fn written(tokens: &[&[u8]]) -> String {
    let is_word = |token: &[u8]| {
        token.first().is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'"' | b'\'') || *byte >= 0x80
        })
    };
    let mut line = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at)).copied().unwrap_or_default();
        let arrow = *token == b"-" && tokens.get(at + 1).is_some_and(|next| *next == b">");
        let behind_arrow = before == b">" && at > 1 && tokens.get(at - 2).is_some_and(|it| *it == b"-");
        let sign = |it: &[u8]| matches!(it, b"=" | b"+");
        let spaced = (is_word(before) && is_word(token))
            || matches!(before, b"," | b";")
            || (before == b":"
                && tokens.get(at.wrapping_sub(2)).is_none_or(|it| *it != b":")
                && *token != b":")
            || (before == b"mut" || before == b"dyn" || before == b"impl")
            || sign(before)
            || sign(token)
            || arrow
            || behind_arrow;
        if spaced && !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&lossy(token));
    }
    line
}

/// Documentation and other attributes of an item, laid out the same however they were written.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Annotations {
    /// Documentation without markers.
    pub(crate) docs: String,
    /// Other attributes, each derived trait by itself, sorted.
    pub(crate) attributes: Vec<String>,
}

impl Annotations {
    /// What stands before an item, and for a module also at the head of its contents.
    pub(crate) fn of(text: &[u8], scan: &Scan, item: &ScannedItem) -> Self {
        let mut found = Self::default();
        let before = found.add(text, item.lead.clone());
        let contents = item.contents.and_then(|contents| scan.scopes.get(contents));
        let inside: Vec<String> = contents
            .into_iter()
            .flat_map(|scope| &scope.inner)
            .flat_map(|inner| found.add(text, inner.clone()))
            .collect();
        let separator = if before.is_empty() || inside.is_empty() { "" } else { "\n" };
        let docs = format!("{}{separator}{}", laid_out(&before), laid_out(&inside));
        docs.trim().clone_into(&mut found.docs);
        found.attributes.sort();
        found
    }

    /// Takes the attributes of a range, and gives back its documentation line by line.
    fn add(&mut self, text: &[u8], range: Range<usize>) -> Vec<String> {
        let mut docs = Vec::new();
        let mut at = range.start;
        while at < range.end {
            match (byte(text, at), byte(text, at + 1)) {
                (b'/', b'/' | b'*') => {
                    let end = after_comment(text, at);
                    docs.extend(documentation(text, at, end));
                    at = end;
                }
                (b'#', _) => {
                    let mut open = after_trivia(text, at + 1);
                    if byte(text, open) == b'!' {
                        open = after_trivia(text, open + 1);
                    }
                    let Some(end) = after_group(text, open) else { return docs };
                    docs.extend(self.attribute(&Attribute::read(text, open + 1..end - 1)));
                    at = end;
                }
                _ => at += 1,
            }
        }
        docs
    }

    /// Takes an attribute, or gives back the documentation that it is.
    fn attribute(&mut self, attribute: &Attribute<'_>) -> Vec<String> {
        if let Some(docs) = attribute.documentation() {
            return docs.lines().map(|line| line.trim_end().to_owned()).collect();
        }
        let line = attribute.line();
        match line.strip_prefix("derive(").and_then(|rest| rest.strip_suffix(')')) {
            Some(traits) => {
                self.attributes.extend(traits.split(',').map(|name| format!("derive {}", name.trim())));
            }
            None => self.attributes.push(line),
        }
        Vec::new()
    }
}

/// The documentation among the tokens of ranges: of fields and variants, and inside bodies.
pub(super) fn inner_docs(text: &[u8], ranges: [Range<usize>; 2]) -> String {
    let mut docs = Vec::new();
    for range in ranges {
        let mut at = range.start;
        while let Some(passive) = next_passive(text, at..range.end) {
            at = after_passive(text, passive);
            if byte(text, passive) == b'/' && matches!(byte(text, passive + 1), b'/' | b'*') {
                docs.extend(documentation(text, passive, at));
            }
        }
    }
    laid_out(&docs).trim().to_owned()
}

fn after_comment(text: &[u8], at: usize) -> usize {
    if byte(text, at + 1) == b'/' { after_line(text, at) } else { after_block_comment(text, at) }
}

/// The lines of the comment at a place, where it is documentation; an empty piece is an empty line.
fn documentation(text: &[u8], at: usize, end: usize) -> Vec<String> {
    if !is_marked(text, at) {
        return Vec::new();
    }
    let end = if byte(text, at + 1) == b'*' { end.saturating_sub(2) } else { end };
    let contents = lossy(text.get(at + 3..end).unwrap_or_default());
    if contents.is_empty() {
        return vec![String::new()];
    }
    contents.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Whether a comment is documentation of either kind.
fn is_marked(text: &[u8], at: usize) -> bool {
    match text.get(at..at + 3) {
        Some(b"//!" | b"/*!") => true,
        Some(b"///") => byte(text, at + 3) != b'/',
        Some(b"/**") => !matches!(byte(text, at + 3), b'*' | b'/'),
        _ => false,
    }
}

/// The name under which an `impl` block stands.
#[derive(Debug)]
pub(super) struct Implementation {
    /// `Type` for inherent blocks, `<Type as Trait>` for others.
    pub(super) name: String,
    /// Whether it implements a trait.
    pub(super) of_trait: bool,
}

impl Implementation {
    /// Reads what stands between `impl` and the block.
    pub(super) fn read(text: &[u8], range: Range<usize>) -> Self {
        let mut tokens: Vec<(Token, &[u8])> = Tokens::of(text, range.clone())
            .map(|token| (token, text.get(token.start..token.end).unwrap_or_default()))
            .collect();
        drop_generics(&mut tokens);
        if !is_plain(&tokens)
            && let Some((name, of_trait)) =
                std::str::from_utf8(text.get(range).unwrap_or_default()).ok().and_then(implementation_of)
        {
            return Self { name, of_trait };
        }
        let (mut depth, mut split, mut end) = (0_usize, None, tokens.len());
        for (at, (_, slice)) in tokens.iter().enumerate() {
            match *slice {
                b"<" | b"(" | b"[" | b"{" => depth += 1,
                b">" if at > 0 && matches!(tokens.get(at - 1), Some((_, b"-" | b"="))) => {}
                b">" | b")" | b"]" | b"}" => depth = depth.saturating_sub(1),
                // `for<'a>` opens a type and separates nothing.
                b"for" if depth == 0 && !matches!(tokens.get(at + 1), Some((_, b"<"))) => {
                    split = split.or(Some(at));
                }
                b"where" if depth == 0 => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let tokens = tokens.get(..end).unwrap_or_default();
        let Some(split) = split else {
            return Self { name: inherent_name(tokens), of_trait: false };
        };
        let (implemented, own) = tokens.split_at(split);
        let implemented: Vec<_> =
            implemented.iter().skip_while(|(_, slice)| *slice == b"const").copied().collect();
        let own = type_name(own.get(1..).unwrap_or_default());
        Self { name: format!("<{own} as {}>", type_name(&implemented)), of_trait: true }
    }
}

/// Whether a header holds nothing but paths with arguments, references and slices: there is one way to write
/// those, and the parser decides about all else.
fn is_plain(tokens: &[(Token, &[u8])]) -> bool {
    let before = |at: usize, back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let is_word = |at: usize| before(at, 1).is_some_and(|(token, _)| token.kind == TokenKind::Word);
    let header = tokens.iter().position(|(_, slice)| *slice == b"where").unwrap_or(tokens.len());
    tokens.iter().take(header).enumerate().all(|(at, (token, slice))| match token.kind {
        TokenKind::Word => {
            let for_all = *slice == b"for" && tokens.get(at + 1).is_some_and(|(_, next)| *next == b"<");
            let special =
                matches!(*slice, b"dyn" | b"impl" | b"fn" | b"as" | b"const" | b"unsafe" | b"extern");
            !special && !for_all && !slice.starts_with(b"r#")
        }
        // A lifetime bound is more than an argument.
        TokenKind::Lifetime => before(at, 1).is_none_or(|(_, slice)| *slice != b"+"),
        TokenKind::Literal => true,
        TokenKind::Sign => match *slice {
            b"<" => is_word(at) && before(at, 1).is_some_and(|(_, slice)| *slice != b"for"),
            b":" => {
                let beside = |other: Option<&(Token, &[u8])>| {
                    other.is_some_and(|(it, slice)| {
                        *slice == b":" && (it.end == token.start || token.end == it.start)
                    })
                };
                // Paths begin with a word and go on with words.
                beside(before(at, 1)) || (is_word(at) && beside(tokens.get(at + 1)))
            }
            b">" | b"," | b"&" | b"[" | b"]" => true,
            b"!" => at == 0,
            _ => false,
        },
    })
}

/// Takes away the parameters directly behind `impl`.
fn drop_generics(tokens: &mut Vec<(Token, &[u8])>) {
    if tokens.first().is_none_or(|(_, slice)| *slice != b"<") {
        return;
    }
    let mut depth = 0_usize;
    let close = tokens.iter().enumerate().position(|(at, (_, slice))| {
        match *slice {
            b"<" => depth += 1,
            b">" if at > 0 && matches!(tokens.get(at - 1), Some((_, b"-" | b"="))) => {}
            b">" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    if let Some(close) = close {
        tokens.drain(..=close);
    }
}

/// The last segment of a path without its arguments; `<[T]>` for what is no path.
fn inherent_name(tokens: &[(Token, &[u8])]) -> String {
    let mut last = None;
    let mut depth = 0_usize;
    for (at, (token, slice)) in tokens.iter().enumerate() {
        match *slice {
            b"<" => depth += 1,
            b">" => depth = depth.saturating_sub(1),
            b":" => {}
            b"dyn" | b"impl" if at == 0 => return format!("<{}>", type_name(tokens)),
            _ if token.kind == TokenKind::Word && depth > 0 => {}
            _ if token.kind == TokenKind::Word => last = Some(*slice),
            _ if depth == 0 => return format!("<{}>", type_name(tokens)),
            _ => {}
        }
    }
    last.map_or_else(|| format!("<{}>", type_name(tokens)), lossy)
}

/// A type on one line, lifetimes left out.
fn type_name(tokens: &[(Token, &[u8])]) -> String {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut skip_comma = false;
    for (token, slice) in tokens {
        if token.kind == TokenKind::Lifetime {
            skip_comma = true;
            continue;
        }
        let was_lifetime = std::mem::take(&mut skip_comma);
        if was_lifetime && *slice == b"," {
            continue;
        }
        if matches!(*slice, b">" | b")" | b"]") && kept.last() == Some(&b",".as_slice()) {
            let one_tuple = *slice == b")" && kept.iter().filter(|it| **it == b",").count() == 1;
            if !one_tuple {
                kept.pop();
            }
        }
        if *slice == b">" && kept.last() == Some(&b"<".as_slice()) {
            kept.pop();
            continue;
        }
        kept.push(slice);
    }
    written(&kept)
}

/// Each imported name by itself, sorted, so that neither grouping nor order matters.
pub(super) fn imports(text: &[u8], ranges: &[Range<usize>]) -> Vec<String> {
    let mut names = Vec::new();
    for range in ranges {
        let line = one_line(text, range.clone());
        // What cannot be taken apart stays one line: nothing is lost.
        match line.split_once("use ").filter(|_| line.ends_with(';')) {
            Some((lead, tree)) => {
                let tree: String = tree.trim_end_matches(';').to_owned();
                leaves(&format!("{lead}use "), "", &tree, &mut names, 0);
            }
            None => names.push(line),
        }
    }
    names.sort();
    names
}

fn leaves(lead: &str, prefix: &str, tree: &str, names: &mut Vec<String>, depth: usize) {
    let tree = tree.trim();
    let group = tree.find('{').filter(|_| tree.ends_with('}'));
    let Some(open) = group.filter(|_| depth < IMPORT_GROUPS_DEEP_MAX && names.len() < IMPORTS_MAX) else {
        let whole = format!("{prefix}{tree}");
        // `a::{self}` is `a`, and `a::{self as b}` is `a as b`.
        let plain = whole.strip_suffix("::self").unwrap_or(&whole).replace("::self as ", " as ");
        if !plain.is_empty() {
            names.push(format!("{lead}{plain}"));
        }
        return;
    };
    let (path, inside) = tree.split_at(open);
    let inside = inside.get(1..inside.len() - 1).unwrap_or_default();
    let prefix = format!("{prefix}{path}");
    let (mut level, mut start) = (0_usize, 0);
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => level += 1,
            b'}' => level = level.saturating_sub(1),
            b',' if level == 0 => {
                leaves(lead, &prefix, inside.get(start..at).unwrap_or_default(), names, depth + 1);
                start = at + 1;
            }
            _ => {}
        }
    }
    leaves(lead, &prefix, inside.get(start..).unwrap_or_default(), names, depth + 1);
}

/// What an item is apart from its name, documentation, attributes and visibility, for finding it again
/// under another path. Lives as long as the process: it is never stored.
pub(crate) fn look(text: &[u8], scan: &Scan, item: &ScannedItem) -> u64 {
    let mut hasher = DefaultHasher::new();
    item.kind.hash(&mut hasher);
    if let Some(contents) = item.contents.and_then(|contents| scan.scopes.get(contents)) {
        imports(text, &contents.imports).hash(&mut hasher);
        Annotations::of(text, scan, item).docs.hash(&mut hasher);
        return hasher.finish();
    }
    let name = item.name.of(text);
    let name = name.as_bytes();
    for range in [item.head.clone(), item.body.clone()] {
        for token in Tokens::of(text, range) {
            let slice = text.get(token.start..token.end).unwrap_or_default();
            // Signs that formatting adds and takes away tell nothing.
            if matches!(slice, b"," | b";" | b"{" | b"}" | b"|") {
                continue;
            }
            let shown: &[u8] = if slice == name { b"_" } else { slice };
            as_read(shown).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// A token as Rust reads it: in a string over several lines the kind of line break means nothing.
pub(super) fn as_read(token: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\r', token).is_none() {
        return Cow::Borrowed(token);
    }
    let is_break = |at: usize| token.get(at) == Some(&b'\r') && token.get(at + 1) == Some(&b'\n');
    Cow::Owned(token.iter().enumerate().filter(|(at, _)| !is_break(*at)).map(|(_, byte)| *byte).collect())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
