//! What is wrong with a set of edits, before any of it is applied: every finding at once, from cheap to
//! dear, so that one repair can answer them all.

use std::collections::BTreeMap;

use mappings::SymbolPath;

use super::patch::{PatchFault, patched};
use super::runtime::wrong_imports;
use super::scope::{Files, Scope, is_inside};
use super::{Edit, InsertPlace};
use crate::language::{Construct, Language, plain_name};
use crate::repo::check_path;

/// The shortest prefix of a hash by which an edit may name a text.
const HASH_DIGITS_MIN: usize = 8;
/// How many lines of what stands there a finding quotes.
const QUOTED_LINES_MAX: usize = 40;

/// Constructs that belong in tests and nowhere else.
const TEST_CODES: [&str; 2] = ["escape-tests", "escape-oracle"];

/// What kind of finding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingCode {
    /// The edit touches what the unit does not.
    OutsideScope,
    /// A file's path leads out of the port, or is no source file.
    BadPath,
    /// There is no such symbol.
    UnknownSymbol,
    /// The edit was made for another text.
    StaleHash,
    /// The symbol, or the new name, is there already.
    AlreadyThere,
    /// Two edits touch one symbol, or one of them what is inside the other's.
    OverlappingEdits,
    /// The place of a new symbol does not agree with its path.
    PlaceMismatch,
    /// The lines of a piece are not in the symbol.
    NotFound,
    /// The lines of a piece are in the symbol more than once.
    FoundTwice,
    /// Pieces of a symbol that is to be replaced whole.
    SmallSymbol,
    /// The new name is none.
    BadName,
    /// The text does not parse.
    DoesNotParse,
    /// The text defines something else than the symbol.
    WrongDefinition,
    /// The text defines more than the symbol.
    MoreThanOne,
    /// An imports block holds something else.
    NotAnImport,
    /// The edit changes nothing.
    NoEffect,
    /// The runtime module has no such name.
    RuntimeName,
    /// The runtime module is imported in another way than by its names, or from where it is not.
    RuntimeImport,
    /// The port has no runtime module, and may get none.
    RuntimeForbidden,
    /// Unfinished code, or a way out of the port: the code is the construct's own.
    Construct(&'static str),
}

impl FindingCode {
    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutsideScope => "outside-scope",
            Self::BadPath => "bad-path",
            Self::UnknownSymbol => "unknown-symbol",
            Self::StaleHash => "stale-hash",
            Self::AlreadyThere => "already-there",
            Self::OverlappingEdits => "overlapping-edits",
            Self::PlaceMismatch => "place-mismatch",
            Self::NotFound => "not-found",
            Self::FoundTwice => "found-twice",
            Self::SmallSymbol => "small-symbol",
            Self::BadName => "bad-name",
            Self::DoesNotParse => "does-not-parse",
            Self::WrongDefinition => "wrong-definition",
            Self::MoreThanOne => "more-than-one",
            Self::NotAnImport => "not-an-import",
            Self::NoEffect => "no-effect",
            Self::RuntimeName => "runtime-name",
            Self::RuntimeImport => "runtime-import",
            Self::RuntimeForbidden => "runtime-forbidden",
            Self::Construct(code) => code,
        }
    }
}

/// Something that is wrong with an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub code: FindingCode,
    /// The symbol or file that the edit is about.
    pub about: String,
    /// What is wrong, in words that can go into a repair prompt.
    pub text: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`: {}", self.code.as_str(), self.about, self.text)
    }
}

/// Everything that is wrong with these edits; empty where they may be applied.
pub fn validate(
    files: &dyn Fn(&str) -> Option<String>,
    edits: &[Edit],
    language: &dyn Language,
    scope: &Scope,
) -> Vec<Finding> {
    let before = Files::read(files, language, scope);
    let mut check = Check { before: &before, edits, language, scope, findings: Vec::new() };
    for (at, edit) in edits.iter().enumerate() {
        check.overlaps(at, edit);
        check.edit(edit);
    }
    check.findings
}

/// These edits without insertions of what stands there in the same words: a helper that several units need is written by
/// each that was asked before it was there.
pub fn without_repeated(
    files: &dyn Fn(&str) -> Option<String>,
    edits: &[Edit],
    language: &dyn Language,
    scope: &Scope,
) -> Vec<Edit> {
    let before = Files::read(files, language, scope);
    let is_there = |edit: &Edit| {
        let Edit::Insert { symbol, text, .. } = edit else { return false };
        before.get(symbol).is_some_and(|there| there.hash == language.hash(text))
    };
    edits.iter().filter(|edit| !is_there(edit)).cloned().collect()
}

/// The beginning of a text that a finding quotes.
fn quoted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().take(QUOTED_LINES_MAX + 1).collect();
    if lines.len() > QUOTED_LINES_MAX {
        lines.truncate(QUOTED_LINES_MAX);
        lines.push("…");
    }
    lines.join("\n")
}

/// Whether a hash is the one that an edit names.
pub(super) fn is_expected(hash: &str, expected: &str) -> bool {
    expected.len() >= HASH_DIGITS_MIN && hash.starts_with(expected)
}

struct Check<'a> {
    before: &'a Files,
    edits: &'a [Edit],
    language: &'a dyn Language,
    scope: &'a Scope,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Replace { symbol, expected, text } => {
                let old = self.existing(symbol, expected);
                self.replacement(symbol, old.as_deref(), text);
            }
            Edit::Patch { symbol, expected, hunks } => {
                let Some(old) = self.existing(symbol, expected) else { return };
                match patched(&old, hunks) {
                    Ok(text) => self.replacement(symbol, Some(&old), &text),
                    Err(fault) => {
                        let code = match fault {
                            PatchFault::Small => FindingCode::SmallSymbol,
                            PatchFault::NotFound(_) => FindingCode::NotFound,
                            PatchFault::FoundTwice(_) => FindingCode::FoundTwice,
                            PatchFault::Overlap(_) => FindingCode::OverlappingEdits,
                        };
                        self.find(code, symbol, fault.to_string());
                    }
                }
            }
            Edit::Move { symbol, expected, to, place } => {
                self.existing(symbol, expected);
                self.insertion(to, place);
                if plain_name(symbol) != plain_name(to) {
                    let text = "a move keeps the last name: rename it by RENAME";
                    self.find(FindingCode::BadName, symbol, text);
                }
            }
            Edit::Insert { symbol, place, text } => {
                self.insertion(symbol, place);
                self.definition(symbol, text);
                let file = match place {
                    InsertPlace::After(anchor) | InsertPlace::InClass(anchor) => self.file_of(anchor),
                    InsertPlace::InFile(file) => file.clone(),
                };
                self.constructs(symbol.as_str(), &file, (None, text));
            }
            Edit::Delete { symbol, expected } => {
                self.existing(symbol, expected);
            }
            Edit::Rename { symbol, expected, to } => {
                self.existing(symbol, expected);
                self.new_name(symbol, to);
            }
            Edit::Imports { file, text } => self.imports(file, text),
        }
    }

    fn overlaps(&mut self, at: usize, edit: &Edit) {
        let earlier = self.edits.get(..at).unwrap_or_default();
        for symbol in edit.touched() {
            let clash = earlier.iter().flat_map(Edit::touched).find(|other| overlap(symbol, other));
            if let Some(other) = clash {
                let text = format!("it overlaps with the edit of `{other}`");
                self.find(FindingCode::OverlappingEdits, symbol, text);
            }
        }
    }

    /// A text that is to stand for a whole symbol.
    fn replacement(&mut self, symbol: &SymbolPath, old: Option<&str>, text: &str) {
        self.definition(symbol, text);
        if old.is_some_and(|old| self.language.hash(old) == self.language.hash(text)) {
            self.find(FindingCode::NoEffect, symbol, "the text is the one that is there");
        }
        self.constructs(symbol.as_str(), &self.file_of(symbol), (old, text));
    }

    /// The text of a symbol that must be there, in scope and as it was.
    fn existing(&mut self, symbol: &SymbolPath, expected: &str) -> Option<String> {
        if !self.scope.may_edit(symbol) {
            self.find(FindingCode::OutsideScope, symbol, "this symbol is not to be edited");
        }
        let Some(found) = self.before.get(symbol) else {
            self.find(FindingCode::UnknownSymbol, symbol, "there is no such symbol in the unit's files");
            return None;
        };
        if !self.scope.files.contains(&found.file) {
            let text = format!("its file `{}` is not to be edited", found.file);
            self.find(FindingCode::OutsideScope, symbol, text);
        }
        if !is_expected(&found.hash.to_string(), expected) {
            let text =
                format!("the text has the hash {}, the edit was made for {expected}", found.hash.short());
            self.find(FindingCode::StaleHash, symbol, text);
        }
        Some(found.text.clone())
    }

    fn insertion(&mut self, symbol: &SymbolPath, place: &InsertPlace) {
        if !self.scope.may_insert(symbol) {
            self.find(FindingCode::OutsideScope, symbol, "nothing may be inserted here");
        }
        if let Some(there) = self.before.get(symbol) {
            let instead = if self.scope.may_edit(symbol) {
                format!("replace it by its hash, {}", there.hash.short())
            } else {
                "use it as it is, or give yours another name".to_owned()
            };
            let text = format!("there is a symbol of this path: {instead}. It is\n{}", quoted(&there.text));
            self.find(FindingCode::AlreadyThere, symbol, text);
        }
        let parent = match place {
            InsertPlace::After(anchor) => {
                self.anchor(symbol, anchor);
                anchor.parent()
            }
            InsertPlace::InClass(class) => {
                self.anchor(symbol, class);
                Some(class.clone())
            }
            InsertPlace::InFile(file) => {
                self.file(file);
                self.language.module_path(file)
            }
        };
        if parent != symbol.parent() {
            self.find(
                FindingCode::PlaceMismatch,
                symbol,
                "what it is inserted into is not the path's parent",
            );
        }
    }

    /// The symbol at which another one is inserted: it is there, or an earlier edit inserts it.
    fn anchor(&mut self, symbol: &SymbolPath, anchor: &SymbolPath) {
        let file = self.before.get(anchor).map(|found| found.file.clone());
        let inserted =
            self.edits.iter().take_while(|edit| edit.touched().all(|touched| touched != symbol)).any(
                |edit| match edit {
                    Edit::Insert { symbol: new, .. } | Edit::Move { to: new, .. } => new == anchor,
                    Edit::Replace { .. }
                    | Edit::Patch { .. }
                    | Edit::Delete { .. }
                    | Edit::Rename { .. }
                    | Edit::Imports { .. } => false,
                },
            );
        match file {
            Some(file) if !self.scope.files.contains(&file) => {
                let text = format!("its file `{file}` is not to be edited");
                self.find(FindingCode::OutsideScope, symbol, text);
            }
            None if !inserted => {
                let text = format!("there is no symbol `{anchor}` to insert it at");
                self.find(FindingCode::UnknownSymbol, symbol, text);
            }
            Some(_) | None => {}
        }
    }

    fn new_name(&mut self, symbol: &SymbolPath, to: &str) {
        if !self.language.is_name(to) {
            self.find(FindingCode::BadName, symbol, format!("`{to}` is no name"));
            return;
        }
        if to == plain_name(symbol) {
            self.find(FindingCode::NoEffect, symbol, "this is its name");
            return;
        }
        let disguised = self.language.constructs(to);
        if let Some(Construct { code, what, .. }) = disguised.first() {
            self.find(FindingCode::Construct(code), symbol, format!("`{what}` is no name for a translation"));
        }
        let taken = renamed(symbol, to).filter(|new| self.before.get(new).is_some());
        if let Some(new) = taken {
            self.find(FindingCode::AlreadyThere, symbol, format!("`{new}` is there already"));
        }
    }

    fn imports(&mut self, file: &str, text: &str) {
        self.file(file);
        if let Some(line) = self.language.not_an_import(text) {
            let text = format!("line {line} is no import statement");
            self.find_about(FindingCode::NotAnImport, file, text);
        } else if self.language.imports(text).is_empty() {
            self.find_about(FindingCode::NotAnImport, file, "there is no import statement".to_owned());
        }
        let old = self.before.texts.get(file).map(|text| self.language.imports(text).join("\n"));
        self.constructs(file, file, (old.as_deref(), text));
    }

    fn file(&mut self, file: &str) {
        if let Err(bad) = check_path(file) {
            self.find_about(FindingCode::BadPath, file, bad.to_string());
        } else if !self.is_source(file) || file.contains(char::is_whitespace) {
            self.find_about(FindingCode::BadPath, file, "this is no source file".to_owned());
        }
        if !self.scope.files.iter().any(|allowed| allowed == file) {
            self.find_about(FindingCode::OutsideScope, file, "this file is not to be edited".to_owned());
        }
    }

    fn is_source(&self, file: &str) -> bool {
        let extension = std::path::Path::new(file).extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| self.language.extensions().contains(&extension))
    }

    /// A text must parse alone and define the symbol and nothing else.
    fn definition(&mut self, symbol: &SymbolPath, text: &str) {
        let fragment = self.language.fragment(text);
        if let Some(fault) = fragment.fault {
            self.find(FindingCode::DoesNotParse, symbol, fault.to_string());
            return;
        }
        match fragment.names.as_slice() {
            [name] if name == plain_name(symbol) => {}
            [] => self.find(FindingCode::WrongDefinition, symbol, "the text defines nothing"),
            [name] => {
                self.find(FindingCode::WrongDefinition, symbol, format!("the text defines `{name}`"));
            }
            names => {
                let text = format!("the text defines {}: one block for each symbol", names.join(", "));
                self.find(FindingCode::MoreThanOne, symbol, text);
            }
        }
        if let Some(line) = fragment.stray_line {
            let text = format!("line {line} stands outside the definition; imports go into IMPORTS");
            self.find(FindingCode::MoreThanOne, symbol, text);
        }
    }

    /// The file of a symbol that is there; empty where it is not.
    fn file_of(&self, symbol: &SymbolPath) -> String {
        self.before.get(symbol).map(|found| found.file.clone()).unwrap_or_default()
    }

    /// What was in the old text already may stay, as often as it was there. Tests may use what tests use.
    fn constructs(&mut self, about: &str, file: &str, (old, new): (Option<&str>, &str)) {
        let is_test = self.language.is_test_file(file);
        let mut allowed: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for Construct { code, what, .. } in old.map(|old| self.language.constructs(old)).unwrap_or_default() {
            *allowed.entry((code, what)).or_default() += 1;
        }
        for Construct { code, what, line } in self.language.constructs(new) {
            if is_test && TEST_CODES.contains(&code) {
                continue;
            }
            let left = allowed.entry((code, what.clone())).or_default();
            if *left > 0 {
                *left -= 1;
                continue;
            }
            let text = format!("line {line}: `{what}` does not belong in a translation");
            self.find_about(FindingCode::Construct(code), about, text);
        }
        // What is inserted behind something that is inserted itself stands in no file yet.
        let file = if file.is_empty() { self.scope.files.first().map_or("", String::as_str) } else { file };
        for (code, text) in wrong_imports(&self.scope.runtime, self.language, file, (old, new)) {
            self.find_about(code, about, text);
        }
    }

    fn find(&mut self, code: FindingCode, symbol: &SymbolPath, text: impl Into<String>) {
        self.find_about(code, symbol.as_str(), text.into());
    }

    fn find_about(&mut self, code: FindingCode, about: &str, text: String) {
        self.findings.push(Finding { code, about: about.to_owned(), text });
    }
}

/// Whether two edited symbols are one, or one stands inside the other.
pub(super) fn overlap(one: &SymbolPath, other: &SymbolPath) -> bool {
    one == other || is_inside(one, other) || is_inside(other, one)
}

/// The path of a symbol after it was renamed.
pub(super) fn renamed(symbol: &SymbolPath, to: &str) -> Option<SymbolPath> {
    let path = symbol.parent().map_or_else(|| to.to_owned(), |parent| format!("{parent}.{to}"));
    SymbolPath::new(path).ok()
}
