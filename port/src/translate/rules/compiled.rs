//! A whole item that is translated by [`crate::compile`]: a new one, or one that is still as this rule wrote it.

use mappings::SymbolPath;
use upstream::{Item, ItemChange};

use super::{MemberView, Refusal, Rule};
use crate::compile::{Compiled, Surroundings, compile, error_variants};
use crate::edit::{Edit, InsertPlace};

/// Translates functions, methods, types, constants and tests.
#[derive(Debug)]
pub(super) struct CompiledItem;

impl Rule for CompiledItem {
    fn name(&self) -> &'static str {
        "item"
    }

    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal> {
        let Some(around) = &view.request.surroundings else {
            return Refusal::because("nothing is known of the crate around the item");
        };
        match &view.member.change {
            ItemChange::Added { after } => added(view, around, after),
            ItemChange::Modified { before, after, .. } => modified(view, around, before, after),
            ItemChange::Removed { .. } | ItemChange::Relocated { .. } => {
                Refusal::because("the item is neither new nor changed in place")
            }
        }
    }
}

/// The module that the symbol's file is: what the symbol's path is without its classes.
fn module(view: MemberView<'_>) -> Option<SymbolPath> {
    let parent = view.member.symbol.parent()?;
    let is_class = parent.name().trim_start_matches('_').starts_with(char::is_uppercase);
    if is_class { parent.parent() } else { Some(parent) }
}

fn translated(view: MemberView<'_>, around: &Surroundings, item: &Item) -> Result<Compiled, Refusal> {
    let Some((symbol, _)) = around.program.place(&item.path) else {
        return Refusal::because("it has no place in the port");
    };
    if *symbol != view.member.symbol {
        return Refusal::because(format!("its place is `{symbol}`, and not `{}`", view.member.symbol));
    }
    let module = module(view);
    let compiled = compile(&around.program, &item.path, module.as_ref())
        .map_err(|refusal| Refusal::new(refusal.to_string()))?;
    let is_there = |symbol: &SymbolPath| {
        around.symbols.get(symbol).is_some()
            || view.request.unit.members.iter().any(|member| member.symbol == *symbol)
    };
    for used in &compiled.uses {
        match around.program.place(used) {
            Some((symbol, _)) if is_there(symbol) => {}
            Some((symbol, _)) => return Refusal::because(format!("the port has no `{symbol}` yet")),
            None => return Refusal::because(format!("`{used}` has no place in the port")),
        }
        // The port may have the error in other words: then it has no such classes.
        let is_ported =
            around.program.place(used).is_some_and(|(symbol, _)| around.symbols.get(symbol).is_some());
        let variants =
            error_variants(&around.program, used).map_err(|refusal| Refusal::new(refusal.to_string()))?;
        if let Some(missing) = variants.iter().find(|class| is_ported && around.symbols.get(class).is_none())
        {
            return Refusal::because(format!("the port has no `{missing}`"));
        }
    }
    Ok(compiled)
}

fn added(view: MemberView<'_>, around: &Surroundings, item: &Item) -> Result<Vec<Edit>, Refusal> {
    view.absent()?;
    let compiled = translated(view, around, item)?;
    let member = view.member;
    let owner = member.symbol.parent().filter(|parent| Some(parent) != module(view).as_ref());
    let place = match owner {
        Some(class) if around.symbols.get(&class).is_some() || is_of_unit(view, &class) => {
            InsertPlace::InClass(class)
        }
        Some(class) => return Refusal::because(format!("the port has no class `{class}` yet")),
        None => InsertPlace::InFile(member.file.clone()),
    };
    let mut edits = beside(view, around, &compiled);
    edits.push(Edit::Insert { symbol: member.symbol.clone(), place, text: compiled.text.clone() });
    edits.extend(variants(view, around, &compiled));
    Ok(edits)
}

fn modified(
    view: MemberView<'_>,
    around: &Surroundings,
    before: &Item,
    after: &Item,
) -> Result<Vec<Edit>, Refusal> {
    let (symbol, text) = view.written()?;
    if view.member.edited_by_hand {
        return Refusal::because("a person edited the symbol");
    }
    let old = around.program.with(before);
    let old = compile(&old, &before.path, module(view).as_ref()).map_err(|refusal| {
        Refusal::new(format!("the old item is not one that this rule would have written ({refusal})"))
    })?;
    if old.text.trim_end() != text.trim_end() {
        return Refusal::because("the symbol is not what this rule would have written for the old item");
    }
    let compiled = translated(view, around, after)?;
    if !compiled.beside.is_empty() {
        return Refusal::because("an error with variants changed");
    }
    if compiled.text.trim_end() == text.trim_end() {
        return Ok(Vec::new());
    }
    let mut edits = beside(view, around, &compiled);
    edits.push(Edit::Replace {
        symbol: symbol.symbol.clone(),
        expected: symbol.hash.clone(),
        text: compiled.text,
    });
    Ok(edits)
}

/// Whether a class is written by the same unit.
fn is_of_unit(view: MemberView<'_>, class: &SymbolPath) -> bool {
    view.request.unit.members.iter().any(|member| member.symbol == *class)
}

/// Imports and helpers that the file does not have yet.
fn beside(view: MemberView<'_>, around: &Surroundings, compiled: &Compiled) -> Vec<Edit> {
    let mut edits = Vec::new();
    let file = &view.member.file;
    if !compiled.imports.is_empty() {
        edits.push(Edit::Imports { file: file.clone(), text: compiled.imports.join("\n") });
    }
    for helper in &compiled.helpers {
        if around.symbols.get(&helper.symbol).is_none() {
            let place = InsertPlace::InFile(file.clone());
            edits.push(Edit::Insert { symbol: helper.symbol.clone(), place, text: helper.text.clone() });
        }
    }
    edits
}

/// The classes of an error's variants.
fn variants(view: MemberView<'_>, around: &Surroundings, compiled: &Compiled) -> Vec<Edit> {
    let missing = compiled.beside.iter().filter(|piece| around.symbols.get(&piece.symbol).is_none());
    let edit = |piece: &crate::compile::Piece| Edit::Insert {
        symbol: piece.symbol.clone(),
        place: InsertPlace::InFile(view.member.file.clone()),
        text: piece.text.clone(),
    };
    missing.map(edit).collect()
}
