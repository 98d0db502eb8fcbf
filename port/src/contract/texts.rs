//! Texts as code may meet them: of its own characters and words, of kinds that it tells apart, long and short.

use std::collections::BTreeSet;

use super::generate::Generator;
use super::trigger_values::{CHARS, TEXTS};

/// The longest random text, in characters.
pub(super) const TEXT_CHARS_MAX: u64 = 24;
/// Once in a while a text is this long, so that tables and blocks of 64 are left.
const LONG_TEXT_CHARS: u64 = 70;

impl Generator {
    pub(super) fn random_char(&mut self, narrow: bool) -> char {
        if narrow || self.one_in(2) {
            return self.pick(&['a', 'b', 'c', 'd']).unwrap_or('a');
        }
        match self.below(4) {
            0 => self.pick(CHARS).unwrap_or('a'),
            1 => {
                char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap_or_default()).unwrap_or('\u{fffd}')
            }
            _ => char::from(b' ' + self.below(95).to_le_bytes()[0]),
        }
    }

    /// A text of few different letters or of anything, rarely a long one.
    pub(super) fn random_text(&mut self) -> String {
        if self.one_in(5) {
            let (left, right) = (self.pick(TEXTS).unwrap_or_default(), self.pick(TEXTS).unwrap_or_default());
            return format!("{left}{right}");
        }
        if !self.chars.is_empty() && self.one_in(2) {
            return self.text_of_landmarks();
        }
        let length = if self.one_in(12) { LONG_TEXT_CHARS } else { TEXT_CHARS_MAX / 2 };
        let (length, narrow) = (self.below(length), self.one_in(2));
        (0..length).map(|_| self.random_char(narrow)).collect()
    }

    /// Chooses the characters that the next texts are mostly made of: any of the code's own, or such as it treats
    /// alike, whose order and number may be all that counts.
    pub(super) fn choose_few(&mut self) {
        let mut own = if self.one_in(2) { self.chars.clone() } else { self.landmarks.chars() };
        if self.one_in(2)
            && let Some(kind) = self.pick(&own).map(kind_of)
        {
            own.retain(|char| kind_of(*char) == kind);
        }
        let few: BTreeSet<char> = (0..=self.below(4)).filter_map(|_| self.pick(&own)).collect();
        // A letter that means nothing, and one of several bytes: lengths are told apart by it.
        let plain = [Some('a'), Some('é'), None, None];
        self.few = few.into_iter().chain(self.pick(&plain).flatten()).collect();
    }

    /// A text of what the code itself speaks of, mostly short: a few of its characters, its words, and letters.
    pub(super) fn text_of_landmarks(&mut self) -> String {
        let own = self.chars.clone();
        if self.few.is_empty() {
            self.choose_few();
        }
        let few = self.few.clone();
        let is_wide = self.one_in(3);
        let length = match self.below(12) {
            0 => self.below(4 * LONG_TEXT_CHARS),
            1..=4 => self.below(4),
            _ => self.below(TEXT_CHARS_MAX / 2),
        };
        let words = self.landmarks.texts.clone();
        let mut text = String::new();
        for _ in 0..length {
            match self.below(8) {
                0 => text.push_str(&self.pick(&words).unwrap_or_default()),
                1 => text.push(self.random_char(false)),
                _ => text.extend(if is_wide { self.pick(&own) } else { self.pick(&few) }),
            }
        }
        text
    }

    /// At most four of the chosen few characters.
    pub(super) fn tight_text(&mut self) -> String {
        let few = self.few.clone();
        (0..self.below(5)).filter_map(|_| self.pick(&few)).collect()
    }
}

/// What code asks of a character.
#[derive(PartialEq, Eq)]
enum CharKind {
    Number,
    Upper,
    Letter,
    Space,
    Other,
}

fn kind_of(char: char) -> CharKind {
    match char {
        _ if char.is_numeric() => CharKind::Number,
        _ if char.is_uppercase() => CharKind::Upper,
        _ if char.is_alphabetic() => CharKind::Letter,
        _ if char.is_whitespace() => CharKind::Space,
        _ => CharKind::Other,
    }
}
