//! Bytes to items: keywords decide what begins, brackets where it ends.

use std::ops::Range;

use super::lexer::{
    Token, TokenKind, Tokens, after_block_comment, after_group, after_line, after_trivia, byte,
    next_header_sign, token_at,
};
use super::{Name, Scan, ScannedItem, Scope};
use crate::snapshot::{ItemKind, Visibility};

/// The deepest nesting of blocks that hold items.
const SCOPES_DEEP_MAX: usize = 64;
/// The most items of one file.
const ITEMS_MAX: usize = 200_000;

/// Finds the items of a file. Never fails: what does not add up is said in [`Scan::trouble`].
pub(crate) fn scan(text: &[u8]) -> Scan {
    let mut scanner = Scanner { text, at: after_shebang(text), scan: Scan::default() };
    scanner.scan.scopes.push(Scope { is_open: true, ..Scope::default() });
    scanner.scan.items.push(ScannedItem {
        scope: 0,
        kind: ItemKind::Module,
        name: Name::Written(String::new()),
        lead: 0..0,
        head: 0..0,
        body: 0..0,
        end: 0,
        contents: Some(0),
        visibility: Visibility::Public,
        is_open: true,
        is_test: false,
    });
    let read = scanner.contents(0, 0);
    scanner.mark_test(0);
    if let Err(trouble) = read {
        scanner.scan.trouble = Some(trouble.said(text));
    }
    scanner.scan
}

/// Something at this place is not an item.
struct Trouble {
    at: usize,
    what: &'static str,
}

impl Trouble {
    fn said(&self, text: &[u8]) -> String {
        let before = text.get(..self.at).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        format!("line {line}: {}", self.what)
    }
}

/// A first line that names an interpreter; `#![` is an attribute.
fn after_shebang(text: &[u8]) -> usize {
    let is_shebang = text.starts_with(b"#!") && byte(text, after_trivia(text, 2)) != b'[';
    if is_shebang { after_line(text, 0) } else { 0 }
}

struct Scanner<'text> {
    text: &'text [u8],
    at: usize,
    scan: Scan,
}

/// What stands before an item.
struct Lead {
    start: usize,
    is_test: bool,
    macro_export: bool,
}

impl Scanner<'_> {
    /// Reads items up to the bracket that closes the scope, or to the end of the file.
    fn contents(&mut self, scope: usize, depth: usize) -> Result<(), Trouble> {
        if depth > SCOPES_DEEP_MAX {
            return Err(self.trouble("items nest too deeply"));
        }
        loop {
            let lead = self.lead(scope)?;
            match byte(self.text, self.at) {
                _ if self.at >= self.text.len() => {
                    return if depth == 0 { Ok(()) } else { Err(self.trouble("a block does not close")) };
                }
                b'}' if depth > 0 => {
                    self.at += 1;
                    return Ok(());
                }
                // A stray semicolon is nothing.
                b';' => self.at += 1,
                _ => self.item(scope, depth, &lead)?,
            }
            if self.scan.items.len() > ITEMS_MAX {
                return Err(self.trouble("the file has too many items"));
            }
        }
    }

    /// Passes over space, comments, documentation and attributes before an item.
    fn lead(&mut self, scope: usize) -> Result<Lead, Trouble> {
        let mut lead = Lead { start: usize::MAX, is_test: false, macro_export: false };
        loop {
            self.blank();
            let start = self.at;
            let inner = if let Some(inner) = self.documentation() {
                inner
            } else if byte(self.text, self.at) == b'#' {
                let mut open = after_trivia(self.text, self.at + 1);
                let inner = byte(self.text, open) == b'!';
                if inner {
                    open = after_trivia(self.text, open + 1);
                }
                if byte(self.text, open) != b'[' {
                    return Err(self.trouble("`#` begins no attribute"));
                }
                let end = after_group(self.text, open).ok_or(self.trouble("an attribute does not close"))?;
                let attribute = super::facts::Attribute::read(self.text, open + 1..end - 1);
                if inner {
                    if attribute.is_test() {
                        self.scope(scope).is_test = true;
                    }
                } else {
                    lead.is_test |= attribute.is_test();
                    lead.macro_export |= attribute.is_named(b"macro_export");
                }
                self.at = end;
                inner
            } else {
                lead.start = lead.start.min(self.at);
                return Ok(lead);
            };
            if inner {
                let range = start..self.at;
                self.scope(scope).inner.push(range);
            } else {
                lead.start = lead.start.min(start);
            }
        }
    }

    /// Passes over space and comments that are not documentation.
    fn blank(&mut self) {
        loop {
            while byte(self.text, self.at).is_ascii_whitespace() || byte(self.text, self.at) == 0x0b {
                self.at += 1;
            }
            if byte(self.text, self.at) != b'/' || is_documentation(self.text, self.at).is_some() {
                // Byte order marks and the like.
                let next = after_trivia(self.text, self.at);
                if byte(self.text, self.at) == b'/' || next == self.at {
                    return;
                }
                self.at = next;
                continue;
            }
            match byte(self.text, self.at + 1) {
                b'/' => self.at = after_line(self.text, self.at),
                b'*' => self.at = after_block_comment(self.text, self.at),
                _ => return,
            }
        }
    }

    /// Passes over one piece of documentation; tells whether it is of the inner kind.
    fn documentation(&mut self) -> Option<bool> {
        let inner = is_documentation(self.text, self.at)?;
        self.at = match byte(self.text, self.at + 1) {
            b'/' => after_line(self.text, self.at),
            _ => after_block_comment(self.text, self.at),
        };
        Some(inner)
    }

    fn item(&mut self, scope: usize, depth: usize, lead: &Lead) -> Result<(), Trouble> {
        let begin = self.at;
        let visibility = self.visibility()?;
        let head = self.at;
        let keyword = self.keyword()?;
        let item = Begun { scope, depth, lead, begin, head, visibility };
        match keyword {
            Keyword::Function => self.function(&item),
            Keyword::Leaf(kind) => self.leaf(&item, kind),
            Keyword::Value(kind) => self.value(&item, kind),
            Keyword::Module => self.module(&item),
            Keyword::Trait => self.trait_block(&item),
            Keyword::Implementation => self.implementation(&item),
            Keyword::Foreign => self.foreign(&item),
            Keyword::Import => {
                let end = self.semicolon()?;
                self.scope(scope).imports.push(lead.start.min(begin)..end);
                Ok(())
            }
            Keyword::MacroDefinition => self.macro_definition(&item),
            Keyword::MacroCall => self.macro_call(&item),
        }
    }

    fn visibility(&mut self) -> Result<Visibility, Trouble> {
        let Some(first) = self.word_here() else { return Ok(Visibility::Private) };
        if self.slice(first) != b"pub" {
            return Ok(Visibility::Private);
        }
        self.at = after_trivia(self.text, first.end);
        if byte(self.text, self.at) != b'(' {
            return Ok(Visibility::Public);
        }
        let end = after_group(self.text, self.at).ok_or(self.trouble("a visibility does not close"))?;
        let words = Tokens::of(self.text, self.at..end).map(|token| self.slice(token));
        let visibility = Visibility::restricted(words);
        self.at = after_trivia(self.text, end);
        Ok(visibility)
    }

    /// Reads modifiers and the keyword that decides; leaves `at` behind the keyword.
    fn keyword(&mut self) -> Result<Keyword, Trouble> {
        loop {
            let Some(word) = self.word_here() else {
                // `::path::macro!`
                let is_path = self.text.get(self.at..self.at + 2) == Some(b"::");
                return if is_path {
                    Ok(Keyword::MacroCall)
                } else {
                    Err(self.trouble("no item begins here"))
                };
            };
            let next = after_trivia(self.text, word.end);
            let following = self.word_at(next);
            let decided = match self.slice(word) {
                b"fn" => Keyword::Function,
                b"struct" => Keyword::Leaf(ItemKind::Struct),
                b"enum" => Keyword::Leaf(ItemKind::Enum),
                b"union" if following.is_some() => Keyword::Leaf(ItemKind::Union),
                b"type" => Keyword::Leaf(ItemKind::TypeAlias),
                b"static" => Keyword::Value(ItemKind::Static),
                b"mod" => Keyword::Module,
                b"trait" => Keyword::Trait,
                b"impl" => Keyword::Implementation,
                b"use" => Keyword::Import,
                b"macro_rules" if byte(self.text, next) == b'!' => Keyword::MacroDefinition,
                b"macro" if following.is_some() => Keyword::MacroDefinition,
                b"extern" => match following.map(|next| self.slice(next)) {
                    Some(b"crate") => Keyword::Import,
                    Some(b"fn" | b"unsafe") => {
                        self.at = next;
                        continue;
                    }
                    Some(_) => Keyword::MacroCall,
                    None => {
                        let behind_abi = if byte(self.text, next) == b'{' {
                            next
                        } else {
                            after_trivia(self.text, token_at(self.text, next).end)
                        };
                        if byte(self.text, behind_abi) == b'{' {
                            self.at = behind_abi;
                            return Ok(Keyword::Foreign);
                        }
                        self.at = behind_abi;
                        continue;
                    }
                },
                b"const" => match following.map(|next| self.slice(next)) {
                    Some(b"fn" | b"unsafe" | b"async" | b"extern" | b"trait" | b"impl" | b"safe") => {
                        self.at = next;
                        continue;
                    }
                    Some(_) | None => Keyword::Value(ItemKind::Const),
                },
                b"async" | b"unsafe" | b"default" | b"auto" | b"safe" | b"final" if following.is_some() => {
                    self.at = next;
                    continue;
                }
                b"unsafe" if matches!(byte(self.text, next), b'{') => {
                    return Err(self.trouble("a block stands where an item should"));
                }
                _ => return Ok(Keyword::MacroCall),
            };
            self.at = next;
            return Ok(decided);
        }
    }

    fn function(&mut self, item: &Begun<'_>) -> Result<(), Trouble> {
        let name = self.name()?;
        let end = self.header_end()?;
        let body = if byte(self.text, end) == b'{' {
            end..after_group(self.text, end).ok_or(self.trouble("the body of a function does not close"))?
        } else {
            end..end
        };
        self.at = if body.is_empty() { end + 1 } else { body.end };
        let kind = if self.scan.scopes.get(item.scope).is_some_and(|scope| scope.has_members) {
            ItemKind::Method
        } else {
            ItemKind::Function
        };
        self.push(item, kind, name, end, body, None);
        Ok(())
    }

    /// A struct, enum, union or type alias: all of it is header.
    fn leaf(&mut self, item: &Begun<'_>, kind: ItemKind) -> Result<(), Trouble> {
        let name = self.name()?;
        let end = if kind == ItemKind::TypeAlias { self.semicolon()? } else { self.fields_end()? };
        self.at = end;
        self.push(item, kind, name, end, end..end, None);
        Ok(())
    }

    /// A constant or static: header up to its value.
    fn value(&mut self, item: &Begun<'_>, kind: ItemKind) -> Result<(), Trouble> {
        if self.word_here().is_some_and(|word| self.slice(word) == b"mut") {
            self.at = after_trivia(self.text, self.at + 3);
        }
        let name = self.name()?;
        let mut equals = None;
        let mut angles = 0_usize;
        let end = self.find("an item does not end", |text, at| {
            match byte(text, at) {
                b'<' => angles += 1,
                b'>' if !is_arrow(text, at) => angles = angles.saturating_sub(1),
                b'=' if equals.is_none() && angles == 0 => equals = Some(at + 1),
                b';' => return true,
                _ => {}
            }
            false
        })?;
        self.at = end + 1;
        let value = equals.map_or(end, |at| after_trivia(self.text, at));
        self.push(item, kind, name, value, value..end, None);
        Ok(())
    }

    fn module(&mut self, item: &Begun<'_>) -> Result<(), Trouble> {
        let name = self.name()?;
        self.at = after_trivia(self.text, self.at);
        if byte(self.text, self.at) == b';' {
            let end = self.at;
            self.at += 1;
            self.push(item, ItemKind::Module, name, end, end..end, None);
            return Ok(());
        }
        if byte(self.text, self.at) != b'{' {
            return Err(self.trouble("a module has no contents"));
        }
        let head_end = self.at;
        self.at += 1;
        let scope = self.open_scope(item, &name, None);
        self.scope(scope).is_open &= item.visibility == Visibility::Public;
        let module = self.scan.items.len();
        self.push(item, ItemKind::Module, name, head_end, head_end..head_end, Some(scope));
        self.contents(scope, item.depth + 1)?;
        self.mark_test(module);
        Ok(())
    }

    /// Makes a module test code whose contents say that they are, by `#![cfg(test)]`.
    fn mark_test(&mut self, module: usize) {
        let Some(item) = self.scan.items.get_mut(module) else { return };
        let contents = item.contents.and_then(|contents| self.scan.scopes.get(contents));
        item.is_test |= contents.is_some_and(|scope| scope.is_test);
    }

    fn trait_block(&mut self, item: &Begun<'_>) -> Result<(), Trouble> {
        let name = self.name()?;
        let end = self.header_end()?;
        self.push(item, ItemKind::Trait, name.clone(), end, end..end, None);
        self.at = end + 1;
        if byte(self.text, end) == b';' {
            return Ok(());
        }
        let scope = self.open_scope(item, &name, Some(item.visibility));
        self.scope(scope).has_members = true;
        self.contents(scope, item.depth + 1)
    }

    fn implementation(&mut self, item: &Begun<'_>) -> Result<(), Trouble> {
        let start = self.at;
        let end = self.header_end()?;
        if byte(self.text, end) != b'{' {
            return Err(self.trouble("an implementation has no block"));
        }
        let block = super::facts::Implementation::read(self.text, start..end);
        let inherits = block.of_trait.then_some(Visibility::Public);
        let name = Name::Written(block.name);
        if block.of_trait {
            let header = Begun { visibility: Visibility::Public, ..*item };
            self.push(&header, ItemKind::Impl, name.clone(), end, end..end, None);
        }
        self.at = end + 1;
        let scope = self.open_scope(item, &name, inherits);
        self.scope(scope).has_members = true;
        self.contents(scope, item.depth + 1)
    }

    fn foreign(&mut self, item: &Begun<'_>) -> Result<(), Trouble> {
        self.at += 1;
        let (path, is_open) = self
            .scan
            .scopes
            .get(item.scope)
            .map_or((String::new(), false), |scope| (scope.path.clone(), scope.is_open));
        let is_test = self.is_test(item);
        self.scan.scopes.push(Scope { path, is_open, is_test, ..Scope::default() });
        self.contents(self.scan.scopes.len() - 1, item.depth + 1)
    }

    fn macro_definition(&mut self, item: &Begun<'_>) -> Result<(), Trouble> {
        if byte(self.text, self.at) == b'!' {
            self.at = after_trivia(self.text, self.at + 1);
        }
        let name = self.name()?;
        let open = after_trivia(self.text, self.at);
        let mut end = after_group(self.text, open).ok_or(self.trouble("a macro does not close"))?;
        let behind = after_trivia(self.text, end);
        if byte(self.text, open) == b'(' && byte(self.text, behind) == b'{' {
            // `macro name($args) { … }`
            end = after_group(self.text, behind).ok_or(self.trouble("a macro does not close"))?;
        }
        self.at = end;
        self.push(item, ItemKind::Macro, name, open, open..end, None);
        Ok(())
    }

    fn macro_call(&mut self, item: &Begun<'_>) -> Result<(), Trouble> {
        let mut last = None;
        loop {
            let at = after_trivia(self.text, self.at);
            match byte(self.text, at) {
                b':' if byte(self.text, at + 1) == b':' => self.at = at + 2,
                b'!' => {
                    self.at = at + 1;
                    break;
                }
                _ => match self.word_at(at) {
                    Some(word) => {
                        last = Some(word);
                        self.at = word.end;
                    }
                    None => return Err(self.trouble("no item begins here")),
                },
            }
        }
        let Some(last) = last else { return Err(self.trouble("no item begins here")) };
        let name = Name::Written(format!("{}!", lossy(self.slice(last))));
        let mut open = after_trivia(self.text, self.at);
        if let Some(word) = self.word_at(open) {
            // An old-style definition: `name! ident { … }`.
            open = after_trivia(self.text, word.end);
        }
        if !matches!(byte(self.text, open), b'{' | b'(' | b'[') {
            return Err(self.trouble("a macro's call has no arguments"));
        }
        let end = after_group(self.text, open).ok_or(self.trouble("a macro's call does not close"))?;
        self.at = end;
        self.push(item, ItemKind::Macro, name, open, open..end, None);
        Ok(())
    }

    /// Adds an item whose header ends at `head_end`.
    fn push(
        &mut self,
        item: &Begun<'_>,
        kind: ItemKind,
        name: Name,
        head_end: usize,
        body: Range<usize>,
        contents: Option<usize>,
    ) {
        let Some(scope) = self.scan.scopes.get(item.scope) else { return };
        let visibility = scope.inherits.unwrap_or(item.visibility);
        let is_open = (scope.is_open && visibility == Visibility::Public) || item.lead.macro_export;
        let is_test = self.is_test(item);
        self.scan.items.push(ScannedItem {
            scope: item.scope,
            kind,
            name,
            lead: item.lead.start.min(item.begin)..item.begin,
            head: item.head..head_end,
            body,
            end: self.at.max(head_end),
            contents,
            visibility,
            is_open,
            is_test,
        });
    }

    /// Opens the scope of an item's contents.
    fn open_scope(&mut self, item: &Begun<'_>, name: &Name, inherits: Option<Visibility>) -> usize {
        let is_test = self.is_test(item);
        let name = name.of(self.text);
        let (path, is_open) = match self.scan.scopes.get(item.scope) {
            // Members of a block are as open as they say themselves; contents of a module only if it is.
            Some(around) => (joined(&around.path, &name), around.is_open),
            None => (name.into_owned(), false),
        };
        self.scan.scopes.push(Scope { path, is_open, is_test, inherits, ..Scope::default() });
        self.scan.scopes.len() - 1
    }

    fn is_test(&self, item: &Begun<'_>) -> bool {
        item.lead.is_test || self.scan.scopes.get(item.scope).is_some_and(|scope| scope.is_test)
    }

    fn scope(&mut self, at: usize) -> &mut Scope {
        // Scopes are only ever added, and their numbers come from here.
        self.scan.scopes.get_mut(at).expect("a scope's number is its place")
    }

    /// The name that stands here; a constant's may be `_`.
    fn name(&mut self) -> Result<Name, Trouble> {
        self.at = after_trivia(self.text, self.at);
        let word = self.word_here().ok_or(self.trouble("an item has no name"))?;
        self.at = word.end;
        Ok(Name::At(word.start..word.end))
    }

    /// The `{` or `;` that ends a header. Braces inside angle brackets are const arguments.
    fn header_end(&self) -> Result<usize, Trouble> {
        let mut angles = 0_usize;
        self.find("a header does not end", |text, at| {
            match byte(text, at) {
                b'<' => angles += 1,
                b'>' if !is_arrow(text, at) => angles = angles.saturating_sub(1),
                b'{' => return angles == 0,
                b';' => return true,
                _ => {}
            }
            false
        })
    }

    /// Behind the `;` or the block that ends a struct, enum or union.
    fn fields_end(&self) -> Result<usize, Trouble> {
        let end = self.header_end()?;
        if byte(self.text, end) == b';' {
            return Ok(end + 1);
        }
        after_group(self.text, end).ok_or(self.trouble("the members of a type do not close"))
    }

    /// Behind the next semicolon that stands in no brackets.
    fn semicolon(&mut self) -> Result<usize, Trouble> {
        let end = self.find("an item does not end", |text, at| byte(text, at) == b';')?;
        self.at = end + 1;
        Ok(end + 1)
    }

    /// The first sign outside of brackets that is wanted.
    fn find(
        &self,
        otherwise: &'static str,
        mut wanted: impl FnMut(&[u8], usize) -> bool,
    ) -> Result<usize, Trouble> {
        let mut at = self.at;
        loop {
            at = next_header_sign(self.text, at).ok_or(self.trouble(otherwise))?;
            if wanted(self.text, at) {
                return Ok(at);
            }
            at = match byte(self.text, at) {
                b'(' | b'[' | b'{' => {
                    after_group(self.text, at).ok_or(self.trouble("a bracket does not close"))?
                }
                b')' | b']' | b'}' => return Err(self.trouble("a bracket closes nothing")),
                _ => at + 1,
            };
        }
    }

    fn word_here(&self) -> Option<Token> {
        self.word_at(self.at)
    }

    fn word_at(&self, at: usize) -> Option<Token> {
        let token = Tokens::of(self.text, at..self.text.len()).next()?;
        (token.kind == TokenKind::Word && token.start == at).then_some(token)
    }

    fn slice(&self, token: Token) -> &[u8] {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    fn trouble(&self, what: &'static str) -> Trouble {
        Trouble { at: self.at, what }
    }
}

/// An item whose keyword is being read.
#[derive(Clone, Copy)]
struct Begun<'lead> {
    scope: usize,
    depth: usize,
    lead: &'lead Lead,
    begin: usize,
    head: usize,
    visibility: Visibility,
}

/// What decides how an item ends.
enum Keyword {
    Function,
    Leaf(ItemKind),
    Value(ItemKind),
    Module,
    Trait,
    Implementation,
    Foreign,
    Import,
    MacroDefinition,
    MacroCall,
}

/// Whether documentation begins here, and if so whether it is of the inner kind.
fn is_documentation(text: &[u8], at: usize) -> Option<bool> {
    match text.get(at..at + 3)? {
        b"//!" | b"/*!" => Some(true),
        b"///" if byte(text, at + 3) != b'/' => Some(false),
        b"/**" if !matches!(byte(text, at + 3), b'*' | b'/') => Some(false),
        _ => None,
    }
}

/// Whether this `>` is the end of `->` or `=>`.
fn is_arrow(text: &[u8], at: usize) -> bool {
    at > 0 && matches!(byte(text, at - 1), b'-' | b'=')
}

fn joined(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}::{name}") }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
