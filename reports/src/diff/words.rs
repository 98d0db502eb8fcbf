//! Which changed lines belong together, and which of their words differ.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::visible;

use super::{LINE_CHARS_MAX, Piece};

/// Pairs of lines that are compared for the best match within one replaced block. Larger blocks of equal
/// length are matched in order, and others get no emphasis.
const PAIRS_MAX: usize = 100;

/// Words of a line that are compared with words of another; longer lines get no emphasis.
const WORDS_MAX: usize = 120;

/// Which removed line became which added line: the alignment in order with the greatest likeness.
pub(super) fn pair_lines(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    if old.len() * new.len() > PAIRS_MAX {
        let same_length = if old.len() == new.len() { old.len() } else { 0 };
        return (0..same_length).map(|at| (at, at)).collect();
    }
    let old_words: Vec<_> = old.iter().map(|line| split_words(line)).collect();
    let new_words: Vec<_> = new.iter().map(|line| split_words(line)).collect();
    // best[i][j] is the greatest likeness of the first i old lines with the first j new ones.
    let mut best = vec![vec![0.0_f32; new.len() + 1]; old.len() + 1];
    let mut likeness = vec![vec![0.0_f32; new.len()]; old.len()];
    for i in 0..old.len() {
        for j in 0..new.len() {
            likeness[i][j] = alike(&old_words[i], &new_words[j]);
            best[i + 1][j + 1] = best[i][j + 1].max(best[i + 1][j]).max(best[i][j] + likeness[i][j]);
        }
    }
    let (mut i, mut j, mut pairs) = (old.len(), new.len(), Vec::new());
    while i > 0 && j > 0 {
        if best[i][j] <= best[i - 1][j] {
            i -= 1;
        } else if best[i][j] <= best[i][j - 1] {
            j -= 1;
        } else {
            (i, j) = (i - 1, j - 1);
            pairs.push((i, j));
        }
    }
    pairs
}

/// The share of words that two lines have in common at their ends; 0 below a third, for unlike lines are
/// better shown whole. Comparing ends only is enough to match lines, and cheap.
fn alike(old: &[&str], new: &[&str]) -> f32 {
    let (lead, tail) = common_ends(old, new);
    let longest = u16::try_from(old.len().max(new.len())).unwrap_or(u16::MAX).max(1);
    let common = u16::try_from(lead + tail).unwrap_or(u16::MAX);
    let share = f32::from(common) / f32::from(longest);
    if share < 0.33 { 0.0 } else { share }
}

/// Both lines in pieces, or `None` where they have too little in common for emphasis to help.
pub(super) fn mark_words(old: &str, new: &str) -> Option<(Vec<Piece>, Vec<Piece>)> {
    if old.len().max(new.len()) > LINE_CHARS_MAX {
        return None;
    }
    let (old, new) = (split_words(old), split_words(new));
    if old.len().max(new.len()) > WORDS_MAX {
        return None;
    }
    let (lead, tail) = common_ends(&old, &new);
    let (old_middle, new_middle) = (lead..old.len() - tail, lead..new.len() - tail);
    let (mut old_pieces, mut new_pieces) = (Vec::new(), Vec::new());
    push_piece(&mut old_pieces, &old, 0..lead, false);
    push_piece(&mut new_pieces, &new, 0..lead, false);
    // One change in a line is by far the commonest, and its ends are all there is to find.
    if old_middle.len() <= 1 || new_middle.len() <= 1 {
        push_piece(&mut old_pieces, &old, old_middle.clone(), true);
        push_piece(&mut new_pieces, &new, new_middle.clone(), true);
    } else {
        let (old_words, new_words) = (old.get(old_middle.clone())?, new.get(new_middle.clone())?);
        for op in &capture_diff_slices(Algorithm::Myers, old_words, new_words) {
            let changed = op.tag() != DiffTag::Equal;
            push_piece(&mut old_pieces, old_words, op.old_range(), changed);
            push_piece(&mut new_pieces, new_words, op.new_range(), changed);
        }
    }
    push_piece(&mut old_pieces, &old, old_middle.end..old.len(), false);
    push_piece(&mut new_pieces, &new, new_middle.end..new.len(), false);
    Some((old_pieces, new_pieces))
}

/// How many words both lines begin with, and how many of the others they end with.
fn common_ends(old: &[&str], new: &[&str]) -> (usize, usize) {
    let lead = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let room = old.len().min(new.len()) - lead;
    let tail = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
    (lead, tail)
}

fn push_piece(pieces: &mut Vec<Piece>, words: &[&str], range: Range<usize>, changed: bool) {
    let text = visible::code(&words.get(range).unwrap_or_default().concat());
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.changed == changed => last.text.push_str(&text),
        _ => pieces.push(Piece { text, changed }),
    }
}

/// Identifiers and numbers, runs of spaces, and single characters of everything else.
fn split_words(line: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 3,
    };
    let mut words = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .char_indices()
            .find(|(at, c)| *at > 0 && (class(first) == 3 || class(*c) != class(first)))
            .map_or(rest.len(), |(at, _)| at);
        let (word, tail) = rest.split_at(end);
        words.push(word);
        rest = tail;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn words_join_to_the_line(line in "\\PC{0,60}") {
            proptest::prop_assert_eq!(split_words(&line).concat(), line);
        }

        #[test]
        fn pieces_join_to_their_lines(old in "[ab+ ]{0,30}", new in "[ab+ ]{0,30}") {
            let (before, after) = mark_words(&old, &new).unwrap();
            let joined = |pieces: Vec<Piece>| pieces.iter().map(|p| p.text.as_str()).collect::<String>();
            proptest::prop_assert_eq!((joined(before), joined(after)), (old, new));
        }
    }
}
