//! Pieces of a very large symbol replaced by others: found as whole lines, each exactly once, or not at all.
//!
//! Below [`PATCH_LINES_MIN`] lines a symbol is replaced whole: there a search text saves nothing and is one
//! more thing that can be wrong.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::scope::Files;
use super::validate::is_expected;
use super::{ApplyError, Edit};

/// The fewest lines of a symbol of which only pieces may be replaced.
pub const PATCH_LINES_MIN: usize = 150;

/// One piece, as whole lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// The lines that are there, at the level at which the symbol was shown.
    pub find: String,
    /// What they become; empty where they go.
    pub with: String,
}

/// Why pieces could not be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatchFault {
    /// The symbol is small.
    #[error("the symbol has less than {PATCH_LINES_MIN} lines: replace it whole")]
    Small,
    /// The lines of this piece, counted from 1, are not there.
    #[error("the lines of piece {0} are not in the symbol: copy them as they are shown")]
    NotFound(usize),
    /// The lines of this piece are there more than once.
    #[error("the lines of piece {0} are in the symbol more than once: take more lines around them")]
    FoundTwice(usize),
    /// This piece has lines in common with an earlier one.
    #[error("piece {0} has lines in common with an earlier one: make one of them")]
    Overlap(usize),
}

/// The text of a symbol with its pieces replaced.
pub(super) fn patched(old: &str, hunks: &[Hunk]) -> Result<String, PatchFault> {
    let lines: Vec<&str> = old.lines().map(str::trim_end).collect();
    if lines.len() < PATCH_LINES_MIN {
        return Err(PatchFault::Small);
    }
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    for (number, hunk) in hunks.iter().enumerate() {
        let wanted: Vec<&str> = hunk.find.lines().map(str::trim_end).collect();
        let mut places = lines.windows(wanted.len().max(1)).enumerate().filter(|(_, there)| *there == wanted);
        let (at, _) = places.next().ok_or(PatchFault::NotFound(number + 1))?;
        if places.next().is_some() {
            return Err(PatchFault::FoundTwice(number + 1));
        }
        let end = at + wanted.len();
        if found.iter().any(|(start, stop, _)| at < *stop && *start < end) {
            return Err(PatchFault::Overlap(number + 1));
        }
        found.push((at, end, &hunk.with));
    }
    found.sort_unstable_by_key(|(start, ..)| *start);
    let (mut new, mut behind): (Vec<&str>, usize) = (Vec::new(), 0);
    for (start, end, with) in found {
        new.extend(lines.get(behind..start).unwrap_or_default());
        new.extend(with.lines());
        behind = end;
    }
    new.extend(lines.get(behind..).unwrap_or_default());
    Ok(new.join("\n"))
}

/// Edits in the operations that are applied: pieces become the whole symbol that they make, and a move becomes
/// an insertion of the text as it is, and a deletion.
pub(super) fn resolved<'e>(before: &Files, edits: &'e [Edit]) -> Result<Cow<'e, [Edit]>, ApplyError> {
    if !edits.iter().any(|edit| matches!(edit, Edit::Patch { .. } | Edit::Move { .. })) {
        return Ok(Cow::Borrowed(edits));
    }
    let mut whole = Vec::with_capacity(edits.len());
    for edit in edits {
        let (Edit::Patch { symbol, expected, .. } | Edit::Move { symbol, expected, .. }) = edit else {
            whole.push(edit.clone());
            continue;
        };
        let found = before.get(symbol).ok_or_else(|| ApplyError::UnknownSymbol { symbol: symbol.clone() })?;
        let (symbol, expected) = (symbol.clone(), expected.clone());
        if !is_expected(&found.hash.to_string(), &expected) {
            return Err(ApplyError::Stale { symbol, expected, found: found.hash.short() });
        }
        if let Edit::Move { to, place, .. } = edit {
            let text = found.text.clone();
            whole.push(Edit::Insert { symbol: to.clone(), place: place.clone(), text });
            whole.push(Edit::Delete { symbol, expected });
        } else if let Edit::Patch { hunks, .. } = edit {
            let text = patched(&found.text, hunks)
                .map_err(|fault| ApplyError::Patch { symbol: symbol.clone(), fault })?;
            whole.push(Edit::Replace { symbol, expected, text });
        }
    }
    Ok(Cow::Owned(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large() -> String {
        let lines = (0..PATCH_LINES_MIN).map(|line| format!("    line_{line} = {}", line % 7));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn hunk(find: &str, with: &str) -> Hunk {
        Hunk { find: find.to_owned(), with: with.to_owned() }
    }

    #[test]
    fn pieces_are_replaced_in_any_order_and_the_rest_stays() {
        let hunks = [
            hunk("    line_9 = 2  \n    line_10 = 3", "    both = 5"),
            hunk("    line_2 = 2", "    a\n    b"),
        ];
        let expected = large()
            .replace("    line_9 = 2\n    line_10 = 3\n", "    both = 5\n")
            .replace("    line_2 = 2\n", "    a\n    b\n");
        assert_eq!(patched(&large(), &hunks), Ok(expected));
        let gone = large().replace("    line_3 = 3\n", "");
        assert_eq!(patched(&large(), &[hunk("    line_3 = 3", "")]), Ok(gone));
    }

    #[test]
    fn a_piece_that_is_not_there_once_is_refused() {
        let of = |hunks: &[Hunk]| patched(&large(), hunks).unwrap_err();
        assert_eq!(of(&[hunk("    line_2", "x")]), PatchFault::NotFound(1), "not a whole line");
        assert_eq!(of(&[hunk("line_2 = 2", "x")]), PatchFault::NotFound(1), "another level");
        let doubled = large() + "\n    line_2 = 2";
        assert_eq!(patched(&doubled, &[hunk("    line_2 = 2", "x")]), Err(PatchFault::FoundTwice(1)));
        let touching = [hunk("    line_2 = 2\n    line_3 = 3", "x"), hunk("    line_3 = 3", "y")];
        assert_eq!(of(&touching), PatchFault::Overlap(2));
        assert_eq!(patched("    line_2 = 2", &[hunk("    line_2 = 2", "x")]), Err(PatchFault::Small));
    }
}
