//! Deterministic translation: one rule a file, each for one kind of mechanical change.
//!
//! A rule answers only what it understands in full and refuses everything else with a reason. It need not be
//! right about behaviour: its answer passes the same gate as any other.

mod compiled;
mod constant;
mod docs;
mod literal;
pub(crate) mod python;
mod removal;
mod rename;
mod test_assertion;
mod test_function;
pub(crate) mod tokens;
pub(crate) mod value;

use std::collections::BTreeSet;

use mappings::{SymbolPath, UnitMember};
use upstream::Item;

use self::tokens::{Token, scan, without_attributes};
use super::{Route, SymbolContext, TranslateError, Translation, TranslationRequest, Translator, Usage};
use crate::edit::{Answer, Edit, InsertPlace};

/// Why a rule does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(String);

impl Refusal {
    /// A refusal for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    fn because<Value>(reason: impl Into<String>) -> Result<Value, Self> {
        Err(Self(reason.into()))
    }
}

impl From<tokens::ScanError> for Refusal {
    fn from(error: tokens::ScanError) -> Self {
        Self(error.to_string())
    }
}

impl From<python::PythonScanError> for Refusal {
    fn from(error: python::PythonScanError) -> Self {
        Self(error.to_string())
    }
}

/// One member of a unit with what is around it.
#[derive(Debug, Clone, Copy)]
pub struct MemberView<'request> {
    /// The member.
    pub member: &'request UnitMember,
    /// The request that it is part of.
    pub request: &'request TranslationRequest,
}

impl<'request> MemberView<'request> {
    /// The member's symbol with its text.
    fn written(&self) -> Result<(&'request SymbolContext, &'request str), Refusal> {
        let found = self.request.symbols.iter().find(|symbol| symbol.symbol == self.member.symbol);
        match found.and_then(|symbol| symbol.text.as_deref().map(|text| (symbol, text))) {
            Some(found) => Ok(found),
            None => Refusal::because(format!("`{}` has no text yet", self.member.symbol)),
        }
    }

    /// Checks that the member's symbol is still to be written.
    fn absent(&self) -> Result<(), Refusal> {
        match self.written() {
            Ok(_) => Refusal::because(format!("`{}` is there already", self.member.symbol)),
            Err(_not_there) => Ok(()),
        }
    }

    /// Every other symbol that the request shows.
    fn others(&self) -> impl Iterator<Item = &'request SymbolContext> {
        let own = &self.member.symbol;
        let all = self.request.symbols.iter().chain(&self.request.neighbours);
        all.filter(move |symbol| symbol.symbol != *own)
    }
}

/// One kind of mechanical change.
pub trait Rule: Send + Sync + std::fmt::Debug {
    /// Its name in reports.
    fn name(&self) -> &'static str;
    /// The edits that follow the member's change; none where the port is as it should be already.
    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal>;
}

/// All rules as one link of the chain.
#[derive(Debug)]
pub struct RuleTranslator {
    name: &'static str,
    rules: Vec<Box<dyn Rule>>,
}

impl Default for RuleTranslator {
    fn default() -> Self {
        Self {
            name: "rules",
            rules: vec![
                Box::new(removal::Removal),
                Box::new(rename::Rename),
                Box::new(docs::Docs),
                Box::new(constant::ChangedConstant),
                Box::new(constant::NewConstant),
                Box::new(test_function::TestFunction),
                Box::new(literal::LiteralChange),
            ],
        }
    }
}

impl RuleTranslator {
    /// Whole items, translated by [`crate::compile`]: a link of its own, behind the memory of what people corrected.
    pub fn items() -> Self {
        Self { name: "items", rules: vec![Box::new(compiled::CompiledItem)] }
    }

    /// The first rule's edits, or every rule's reason against it.
    fn member_edits(&self, view: MemberView<'_>) -> Result<(&'static str, Vec<Edit>), String> {
        let mut reasons = Vec::new();
        for rule in &self.rules {
            match rule.edits(view) {
                Ok(edits) => return Ok((rule.name(), edits)),
                Err(refusal) => reasons.push(format!("{}: {refusal}", rule.name())),
            }
        }
        Err(format!("no rule follows `{}` ({})", view.member.change.path(), reasons.join("; ")))
    }
}

impl Translator for RuleTranslator {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn route(&self) -> Route {
        Route::Rule
    }

    fn attempts_max(&self) -> u32 {
        1
    }

    fn translate(&self, request: &TranslationRequest) -> Result<Translation, TranslateError> {
        if request.attempt > 1 {
            return Ok(Translation::Declined { reason: "a rule would answer the same again".to_owned() });
        }
        let mut names: Vec<&str> = Vec::new();
        let mut edits = Vec::new();
        for member in &request.unit.members {
            match self.member_edits(MemberView { member, request }) {
                Ok((name, more)) => {
                    names.push(name);
                    edits.extend(more);
                }
                Err(reason) => return Ok(Translation::Declined { reason }),
            }
        }
        if names.is_empty() {
            return Ok(Translation::Declined { reason: "the unit has no members".to_owned() });
        }
        // Members of one unit may ask for the same helper or import.
        let mut single: Vec<Edit> = Vec::new();
        for edit in edits {
            if !single.contains(&edit) {
                single.push(edit);
            }
        }
        let edits = within_classes(single);
        names.dedup();
        let origin = names.join(", ");
        if edits.is_empty() {
            let answer = Answer::NoChange { reason: "the port's value is the new one already".to_owned() };
            return Ok(Translation::Answered { answer, origin, usage: Usage::default() });
        }
        Ok(Translation::Answered { answer: Answer::Edits { edits }, origin, usage: Usage::default() })
    }
}

/// Members of a class that the same answer inserts become part of its text: a class and its member are one edit.
fn within_classes(edits: Vec<Edit>) -> Vec<Edit> {
    let new: BTreeSet<SymbolPath> = edits
        .iter()
        .filter_map(|edit| {
            let Edit::Insert { symbol, place: InsertPlace::InFile(_), .. } = edit else { return None };
            Some(symbol.clone())
        })
        .collect();
    let (members, mut others): (Vec<Edit>, Vec<Edit>) = edits.into_iter().partition(
        |edit| matches!(edit, Edit::Insert { place: InsertPlace::InClass(class), .. } if new.contains(class)),
    );
    for member in members {
        let Edit::Insert { place: InsertPlace::InClass(class), text: member, .. } = member else { continue };
        let whole = others.iter_mut().find_map(|edit| {
            let Edit::Insert { symbol, text, .. } = edit else { return None };
            (*symbol == class).then_some(text)
        });
        let Some(whole) = whole else { continue };
        let indented =
            member.lines().map(|line| if line.is_empty() { String::new() } else { format!("    {line}") });
        let indented = indented.collect::<Vec<_>>().join("\n");
        *whole = format!("{}\n\n{indented}", whole.trim_end());
    }
    others
}

/// The tokens of an item without its attributes and documentation.
fn code_tokens(item: &Item) -> Result<Vec<Token>, Refusal> {
    Ok(without_attributes(&scan(&item.text)?).to_vec())
}

/// A text with each of these spans replaced. The spans do not overlap.
fn spliced(text: &str, mut changes: Vec<(std::ops::Range<usize>, String)>) -> Result<String, Refusal> {
    changes.sort_by_key(|(span, _)| span.start);
    let mut out = String::new();
    let mut at = 0;
    for (span, new) in changes {
        let Some(kept) = text.get(at..span.start) else {
            return Refusal::because("two changes touch the same place");
        };
        out.push_str(kept);
        out.push_str(&new);
        at = span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests;
