//! The key of a request in the translation memory.

use upstream::{ContentHash, Item};

use crate::translate::TranslationRequest;
use crate::translate::rules::tokens::scan;

/// The version of the way keys are made. A change to it makes every older entry a miss.
pub const KEY_VERSION: &str = "memory-key-1";

/// The key of a request. It depends on the items' tokens and documentation, on the symbols' paths and texts
/// and on the style, and neither on formatting, comments or positions in the upstream nor on the machine.
pub fn memory_key(request: &TranslationRequest) -> ContentHash {
    let mut parts = vec![KEY_VERSION.to_owned(), ContentHash::of(request.style.trim()).to_string()];
    for member in &request.unit.members {
        let symbol = request.symbols.iter().find(|symbol| symbol.symbol == member.symbol);
        let text = symbol.and_then(|symbol| symbol.text.as_deref());
        parts.push(member.change.path().to_string());
        parts.push(item_part(member.change.before()));
        parts.push(item_part(member.change.after()));
        parts.push(member.symbol.to_string());
        parts.push(member.file.clone());
        parts.push(text.map_or_else(|| "absent".to_owned(), text_part));
    }
    for change in &request.hidden {
        parts.push(format!("behind {}", change.path()));
        parts.push(item_part(change.before()));
        parts.push(item_part(change.after()));
    }
    ContentHash::of_parts(parts)
}

fn item_part(item: Option<&Item>) -> String {
    let Some(item) = item else { return "absent".to_owned() };
    // A text that cannot be scanned still has an identity: its own.
    let tokens = match scan(&item.text) {
        Ok(tokens) => tokens.into_iter().map(|token| token.text).collect(),
        Err(_unreadable) => vec![item.text.clone()],
    };
    let docs: Vec<&str> = item.docs.trim().lines().map(str::trim_end).collect();
    ContentHash::of_parts(
        [ContentHash::of_parts(tokens), ContentHash::of_parts(docs)].map(|hash| hash.to_string()),
    )
    .to_string()
}

/// White space at the ends of lines does not count, as in the hash of a symbol.
fn text_part(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    ContentHash::of(lines.join("\n")).to_string()
}
