//! Applying edits to the text of the port: all of them or none, and nothing besides them.
//!
//! After the edits the symbols are read again. What changed must be what the edits declared; anything
//! else is an error, because then a text was put where it does not belong.

use std::collections::{BTreeMap, BTreeSet};

use mappings::SymbolPath;

use super::patch::{PatchFault, resolved};
use super::scope::{Files, Scope, is_inside};
use super::validate::{is_expected, overlap, renamed};
use super::{Edit, InsertPlace};
use crate::language::{FileSymbols, Language, LocatedSymbol, Place, RenameError, SpliceError, SyntaxFault};

/// Why edits were not applied. Nothing is applied then.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is no such symbol in the scope's files.
    #[error("there is no symbol `{symbol}` in the files of the unit")]
    UnknownSymbol {
        /// The symbol.
        symbol: SymbolPath,
    },
    /// The symbol has another text than the edit was made for.
    #[error("`{symbol}` has the hash {found}, the edit was made for {expected}: make the edit again")]
    Stale {
        /// The symbol.
        symbol: SymbolPath,
        /// The hash in the edit.
        expected: String,
        /// The hash of the text.
        found: String,
    },
    /// The edit touches what the unit does not.
    #[error("`{about}` is outside the scope of the unit")]
    OutsideScope {
        /// The symbol or file.
        about: String,
    },
    /// Two edits touch the same text.
    #[error("the edits of `{one}` and `{other}` overlap")]
    Overlap {
        /// One symbol.
        one: SymbolPath,
        /// The other one.
        other: SymbolPath,
    },
    /// Pieces of a symbol could not be replaced.
    #[error("`{symbol}`: {fault}")]
    Patch {
        /// The symbol.
        symbol: SymbolPath,
        /// Why.
        fault: PatchFault,
    },
    /// A text could not be put in.
    #[error(transparent)]
    Splice(#[from] SpliceError),
    /// A symbol could not be renamed.
    #[error(transparent)]
    Rename(#[from] RenameError),
    /// The edits together do not give a valid file.
    #[error("after the edits `{file}` does not parse ({fault})")]
    Broken {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: SyntaxFault,
    },
    /// Something changed that no edit declared.
    #[error("applying the edits also changed `{about}`, which none of them declares")]
    Undeclared {
        /// The symbol, or the file where it is code outside all symbols.
        about: String,
    },
    /// An edit had not the effect that it declared.
    #[error("the edit of `{symbol}` did not have its effect: {reason}")]
    NoEffect {
        /// The symbol.
        symbol: SymbolPath,
        /// What was expected.
        reason: &'static str,
    },
}

/// Applies edits to the files of a scope. What comes back are the new texts of the files that changed, as
/// a tree is told them: no edit takes a whole file away, so none is `None`.
pub fn apply(
    files: &dyn Fn(&str) -> Option<String>,
    edits: &[Edit],
    language: &dyn Language,
    scope: &Scope,
) -> Result<BTreeMap<String, Option<String>>, ApplyError> {
    let before = Files::read(files, language, scope);
    let edits = &*resolved(&before, edits)?;
    check_targets(&before, edits, scope)?;
    let (mut texts, paths) = renames(&before, edits, language)?;
    // The texts after the renames are what the other edits are compared with.
    let base = Files::of(texts.clone(), language);
    check_renames(&before, &base, &paths)?;
    for phase in [Phase::Replace, Phase::Insert, Phase::Delete, Phase::Imports] {
        for edit in edits {
            splice(&base, &mut texts, edit, language, phase)?;
        }
    }
    let after = Files::of(texts, language);
    check_effects(&base, &after, edits)?;
    let changed = after.texts.into_iter().filter(|(file, text)| before.texts.get(file) != Some(text));
    Ok(changed.map(|(file, text)| (file, Some(text))).collect())
}

/// In this order an insertion finds its anchor although another edit deletes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Replace,
    Insert,
    Delete,
    Imports,
}

fn check_targets(before: &Files, edits: &[Edit], scope: &Scope) -> Result<(), ApplyError> {
    for (at, edit) in edits.iter().enumerate() {
        let about = |about: &str| ApplyError::OutsideScope { about: about.to_owned() };
        if let Edit::Imports { file, .. } | Edit::Insert { place: InsertPlace::InFile(file), .. } = edit
            && !scope.files.contains(file)
        {
            return Err(about(file));
        }
        let Some(symbol) = edit.symbol() else { continue };
        let earlier = edits.get(..at).unwrap_or_default().iter().filter_map(Edit::symbol);
        if let Some(other) = earlier.into_iter().find(|other| overlap(symbol, other)) {
            return Err(ApplyError::Overlap { one: other.clone(), other: symbol.clone() });
        }
        let Some(expected) = edit.expected() else {
            if scope.may_insert(symbol) {
                continue;
            }
            return Err(about(symbol.as_str()));
        };
        let found = before.get(symbol).ok_or_else(|| ApplyError::UnknownSymbol { symbol: symbol.clone() })?;
        if !scope.may_edit(symbol) || !scope.files.contains(&found.file) {
            return Err(about(symbol.as_str()));
        }
        let hash = found.hash.to_string();
        if !is_expected(&hash, expected) {
            let (symbol, expected) = (symbol.clone(), expected.to_owned());
            return Err(ApplyError::Stale { symbol, expected, found: found.hash.short() });
        }
    }
    Ok(())
}

type Renamed = Vec<(SymbolPath, SymbolPath)>;

fn renames(
    before: &Files,
    edits: &[Edit],
    language: &dyn Language,
) -> Result<(BTreeMap<String, String>, Renamed), ApplyError> {
    let (mut texts, mut paths) = (before.texts.clone(), Vec::new());
    for edit in edits {
        let Edit::Rename { symbol, to, .. } = edit else { continue };
        let unknown = || ApplyError::UnknownSymbol { symbol: symbol.clone() };
        let found = before.get(symbol).ok_or_else(unknown)?;
        let new = renamed(symbol, to)
            .filter(|_| language.is_name(to))
            .ok_or(ApplyError::NoEffect { symbol: symbol.clone(), reason: "the new name is none" })?;
        texts.extend(language.rename(&texts, found, to)?);
        paths.push((symbol.clone(), new));
    }
    Ok((texts, paths))
}

/// After the renames there are the same symbols under their new paths.
fn check_renames(before: &Files, base: &Files, paths: &Renamed) -> Result<(), ApplyError> {
    let moved = |path: &SymbolPath| {
        let (from, to) = paths.iter().find(|(from, _)| from == path || is_inside(path, from))?;
        let rest = path.as_str().strip_prefix(from.as_str())?;
        SymbolPath::new(format!("{to}{rest}")).ok()
    };
    for (file, old) in &before.symbols {
        let new = base.symbols.get(file);
        let expected: Vec<SymbolPath> = old
            .symbols
            .iter()
            .map(|located| moved(&located.symbol.path).unwrap_or_else(|| located.symbol.path.clone()))
            .collect();
        let found: Vec<SymbolPath> = new
            .map(|new| new.symbols.iter().map(|located| located.symbol.path.clone()).collect())
            .unwrap_or_default();
        if expected != found {
            return Err(ApplyError::Undeclared { about: file.clone() });
        }
    }
    Ok(())
}

fn splice(
    base: &Files,
    texts: &mut BTreeMap<String, String>,
    edit: &Edit,
    language: &dyn Language,
    phase: Phase,
) -> Result<(), ApplyError> {
    let file_of = |symbol: &SymbolPath, texts: &BTreeMap<String, String>| {
        let known = base.get(symbol).map(|found| found.file.clone());
        // The anchor of an insertion may have been inserted itself.
        let new = || {
            let holds = |(file, text): (&String, &String)| {
                language.symbols(file, text).get(symbol).map(|_| file.clone())
            };
            texts.iter().find_map(holds)
        };
        known.or_else(new).ok_or_else(|| ApplyError::UnknownSymbol { symbol: symbol.clone() })
    };
    let (file, text) = match (phase, edit) {
        (Phase::Replace, Edit::Replace { symbol, text, .. }) => {
            let file = file_of(symbol, texts)?;
            let new = language.replace(place(texts, &file), symbol, text)?;
            (file, new)
        }
        (Phase::Insert, Edit::Insert { place: at, text, .. }) => {
            let file = match at {
                InsertPlace::After(symbol) | InsertPlace::InClass(symbol) => file_of(symbol, texts)?,
                InsertPlace::InFile(file) => file.clone(),
            };
            let new = language.insert(place(texts, &file), at, text)?;
            (file, new)
        }
        (Phase::Delete, Edit::Delete { symbol, .. }) => {
            let file = file_of(symbol, texts)?;
            let new = language.delete(place(texts, &file), symbol)?;
            (file, new)
        }
        (Phase::Imports, Edit::Imports { file, text }) => {
            let new = language.merge_imports(place(texts, file), text)?;
            (file.clone(), new)
        }
        (Phase::Replace | Phase::Insert | Phase::Delete | Phase::Imports, _) => return Ok(()),
    };
    texts.insert(file, text);
    Ok(())
}

fn place<'a>(texts: &'a BTreeMap<String, String>, file: &'a str) -> Place<'a> {
    Place { file, text: texts.get(file).map_or("", String::as_str) }
}

/// What the edits declared, and nothing else, is different.
fn check_effects(base: &Files, after: &Files, edits: &[Edit]) -> Result<(), ApplyError> {
    for (file, new) in &after.symbols {
        if base.texts.get(file) == after.texts.get(file) {
            continue;
        }
        if let Some(fault) = &new.fault {
            return Err(ApplyError::Broken { file: file.clone(), fault: fault.clone() });
        }
        check_file(file, base.symbols.get(file), new, edits)?;
    }
    for edit in edits {
        check_effect(base, after, edit)?;
    }
    Ok(())
}

fn check_file(
    file: &str,
    old: Option<&FileSymbols>,
    new: &FileSymbols,
    edits: &[Edit],
) -> Result<(), ApplyError> {
    let undeclared = |about: &str| Err(ApplyError::Undeclared { about: about.to_owned() });
    let declared = |path: &SymbolPath| {
        edits.iter().filter_map(Edit::symbol).any(|symbol| symbol == path || is_inside(path, symbol))
    };
    let surrounds =
        |path: &SymbolPath| edits.iter().filter_map(Edit::symbol).any(|symbol| is_inside(symbol, path));
    let old_symbols: &[LocatedSymbol] = old.map_or(&[], |old| &old.symbols);
    for located in old_symbols.iter().filter(|located| !declared(&located.symbol.path)) {
        let path = &located.symbol.path;
        let same = match new.get(path) {
            Some(now) if surrounds(path) => now.shell == located.shell,
            Some(now) => now.symbol.hash == located.symbol.hash,
            None => false,
        };
        if !same {
            return undeclared(path.as_str());
        }
    }
    let known: BTreeSet<&SymbolPath> = old_symbols.iter().map(|located| &located.symbol.path).collect();
    let extra = new.symbols.iter().map(|located| &located.symbol.path);
    if let Some(path) = extra.into_iter().find(|path| !known.contains(path) && !declared(path)) {
        return undeclared(path.as_str());
    }
    if old.is_some_and(|old| old.shell != new.shell) {
        return undeclared(file);
    }
    Ok(())
}

fn check_effect(base: &Files, after: &Files, edit: &Edit) -> Result<(), ApplyError> {
    let no_effect =
        |symbol: &SymbolPath, reason| Err(ApplyError::NoEffect { symbol: symbol.clone(), reason });
    match edit {
        Edit::Replace { symbol, .. } => {
            let (old, new) = (base.get(symbol), after.get(symbol));
            match (old, new) {
                (_, None) => no_effect(symbol, "the symbol is gone"),
                (Some(old), Some(new)) if old.hash == new.hash => no_effect(symbol, "its text is the same"),
                (_, Some(_)) => Ok(()),
            }
        }
        Edit::Insert { symbol, .. } if after.get(symbol).is_none() || base.get(symbol).is_some() => {
            no_effect(symbol, "it is not new under this path")
        }
        Edit::Delete { symbol, .. } if after.get(symbol).is_some() => no_effect(symbol, "it is still there"),
        // Pieces and moves were resolved into these before anything was applied.
        Edit::Insert { .. }
        | Edit::Delete { .. }
        | Edit::Rename { .. }
        | Edit::Imports { .. }
        | Edit::Patch { .. }
        | Edit::Move { .. } => Ok(()),
    }
}
