//! What people made of translations after they landed: found by holding what was written against what is there, and
//! remembered before what a model said.
//!
//! A text counts as a correction where the lock still holds the hash of what was written and the port holds another
//! text: so nothing that landed later on our side is taken for a person's work. Keys hold the style guide, so that a
//! correction made under another style answers nothing any more.

use std::collections::BTreeMap;

use anyhow::Result;
use mappings::SymbolPath;
use port::edit::{self, Answer, Edit};
use port::language::Language;
use port::translate::memory::{MEMORY_NONCE, MemoryEntry, MemoryFolder, MemoryStore as _};
use upstream::{ContentHash, ItemPath, RevisionLabel};

use crate::chain::learned_memory;
use crate::engine::{AttemptResult, Event, Lesson, PlannedRevision};
use crate::session::Session;
use crate::store::Store;

/// How many runs are looked back at.
const RUNS_MAX: usize = 50;

/// Who made an entry that a person corrected.
const PERSON: &str = "a person";

/// A translation that landed.
struct Written {
    item: String,
    revision: RevisionLabel,
    lesson: Lesson,
    /// The symbols with the texts that landed.
    texts: Vec<(SymbolPath, String)>,
}

/// Remembers what people corrected since it landed; gives the units that it is about. Said twice it is learned once.
pub(crate) fn learn_corrections(session: &Session, store: &Store) -> Result<Vec<String>> {
    let head = session.head()?;
    let lock = session.lock(&head.tree)?;
    let symbols = session.symbols(&head.tree)?;
    let written: BTreeMap<&SymbolPath, ContentHash> =
        lock.links.values().flat_map(mappings::Link::symbols).collect();
    let corrected = |symbol: &SymbolPath, text: &str| -> Option<String> {
        let ours = session.language.hash(text);
        let now = symbols.get(symbol)?;
        (written.get(symbol) == Some(&ours) && now.hash != ours).then(|| now.text.clone())
    };
    let mut learned = Vec::new();
    let mut folder = None;
    for one in landed_before(store)? {
        let texts = one.texts.iter().filter_map(|(symbol, text)| Some((symbol, corrected(symbol, text)?)));
        let texts: BTreeMap<&SymbolPath, String> = texts.collect();
        let Some(answer) = with_texts(&one.lesson.answer, &texts) else { continue };
        let answer = edit::render_answer(&answer, MEMORY_NONCE);
        let folder = match &mut folder {
            Some(folder) => folder,
            none => none.insert(MemoryFolder::open(&learned_memory(&session.settings))?),
        };
        if folder.lookup(&one.lesson.key).iter().any(|known| known.answer.trim() == answer.trim()) {
            continue;
        }
        folder.add(&MemoryEntry {
            key: one.lesson.key,
            origin: PERSON.to_owned(),
            item: ItemPath::new(&one.item)?,
            revision: one.revision,
            answer,
            note: format!("what {} had written was corrected after it landed", one.lesson.origin),
            corrected: true,
        })?;
        learned.push(one.item);
    }
    Ok(learned)
}

/// What models wrote and what landed, the oldest first.
fn landed_before(store: &Store) -> Result<Vec<Written>> {
    let mut all = Vec::new();
    let runs: Vec<_> = store.runs()?.into_iter().take(RUNS_MAX).collect();
    for row in runs.into_iter().rev() {
        // What another version wrote may not be readable, and is no reason not to go on.
        match store.events(&row.run) {
            Ok(events) => all.extend(landed_in(&events)),
            Err(error) => tracing::warn!(run = row.run, %error, "not looked at for corrections"),
        }
    }
    Ok(all)
}

fn landed_in(events: &[Event]) -> Vec<Written> {
    let (mut landed, mut waiting) = (Vec::new(), Vec::new());
    let mut planned: Option<(&RevisionLabel, &PlannedRevision)> = None;
    for event in events {
        match event {
            Event::Planned { revision, plan, .. } => {
                planned = Some((revision, plan));
                waiting.clear();
            }
            Event::Attempted { unit, result, port_after, .. } => {
                let AttemptResult::Accepted { lesson: Some(lesson), .. } = result else { continue };
                let Some((revision, plan)) = planned else { continue };
                let members = plan.units.iter().filter(|known| known.id == *unit);
                let symbols = members.flat_map(|known| &known.record.members);
                let texts = symbols
                    .zip(port_after)
                    .filter_map(|(member, text)| Some((SymbolPath::new(&member.symbol).ok()?, text.clone())));
                waiting.push(Written {
                    item: unit.to_string(),
                    revision: revision.clone(),
                    lesson: lesson.clone(),
                    texts: texts.collect(),
                });
            }
            Event::Landed { .. } => landed.append(&mut waiting),
            Event::Started { .. }
            | Event::Gated { .. }
            | Event::Prepared { .. }
            | Event::BranchMoved { .. }
            | Event::Finished { .. } => {}
        }
    }
    landed
}

/// The answer as it would have been right; `None` where none of these symbols is written by it.
fn with_texts(answer: &Answer, texts: &BTreeMap<&SymbolPath, String>) -> Option<Answer> {
    let Answer::Edits { edits } = answer else { return None };
    let mut changed = false;
    let mut corrected = |edit: &Edit| {
        let (symbol, made): (_, fn(&Edit, String) -> Edit) = match edit {
            Edit::Replace { symbol, .. } | Edit::Patch { symbol, .. } | Edit::Insert { symbol, .. } => {
                (symbol, with_text)
            }
            Edit::Delete { .. } | Edit::Rename { .. } | Edit::Move { .. } | Edit::Imports { .. } => {
                return edit.clone();
            }
        };
        match texts.get(symbol) {
            Some(text) => {
                changed = true;
                made(edit, text.clone())
            }
            None => edit.clone(),
        }
    };
    let edits = edits.iter().map(&mut corrected).collect();
    changed.then_some(Answer::Edits { edits })
}

fn with_text(edit: &Edit, text: String) -> Edit {
    match edit {
        Edit::Replace { symbol, expected, .. } | Edit::Patch { symbol, expected, .. } => {
            Edit::Replace { symbol: symbol.clone(), expected: expected.clone(), text }
        }
        Edit::Insert { symbol, place, .. } => {
            Edit::Insert { symbol: symbol.clone(), place: place.clone(), text }
        }
        Edit::Delete { .. } | Edit::Rename { .. } | Edit::Move { .. } | Edit::Imports { .. } => edit.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_answer_wrote_is_corrected_and_a_patch_becomes_a_replacement() {
        let symbol = |name: &str| SymbolPath::new(name).unwrap();
        let (f, g, h) = (symbol("p.f"), symbol("p.g"), symbol("p.h"));
        let patch = Edit::Patch { symbol: f.clone(), expected: "ab".to_owned(), hunks: Vec::new() };
        let replace = Edit::Replace { symbol: g.clone(), expected: "cd".to_owned(), text: "ours".to_owned() };
        let gone = Edit::Delete { symbol: h.clone(), expected: "ef".to_owned() };
        let answer = Answer::Edits { edits: vec![patch, replace.clone(), gone.clone()] };
        let texts = BTreeMap::from([(&f, "theirs".to_owned()), (&h, "back again".to_owned())]);
        let theirs =
            Edit::Replace { symbol: f.clone(), expected: "ab".to_owned(), text: "theirs".to_owned() };
        assert_eq!(with_texts(&answer, &texts), Some(Answer::Edits { edits: vec![theirs, replace, gone] }));
        assert_eq!(with_texts(&answer, &BTreeMap::from([(&h, "back again".to_owned())])), None);
        let none = Answer::NoChange { reason: "same".to_owned() };
        assert_eq!(with_texts(&none, &texts), None);
    }
}
