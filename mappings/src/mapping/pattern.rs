//! Patterns over the segments of item and symbol paths.
//!
//! A file glob does not fit: `::` separates, `<Type as Trait>` is one segment whatever it holds, and
//! `[test:lib]` is text rather than a set of characters. So there are three signs only: `**` for any number
//! of segments, `*` for any text within one, `{a,b}` for alternatives.

use std::cmp::Reverse;

use upstream::ItemPath;

use crate::symbol::SymbolPath;

/// How many plain patterns the alternatives of one pattern may multiply to.
const ALTERNATIVES_MAX: usize = 64;
/// How long a pattern may be, in bytes.
const PATTERN_BYTES_MAX: usize = 1_000;

/// A checked pattern.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    alternatives: Vec<Alternative>,
}

/// How specific a pattern is: fewer wildcards first, then the longer literal beginning. Larger is more so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Specificity {
    wildcards: Reverse<usize>,
    literal_prefix: usize,
}

impl Specificity {
    /// More specific than every pattern: what is named outright.
    pub(crate) const NAMED: Self = Self { wildcards: Reverse(0), literal_prefix: usize::MAX };

    /// Whether there is no wildcard at all.
    pub(crate) fn is_exact(self) -> bool {
        self.wildcards.0 == 0
    }

    /// The number of wildcards.
    pub(crate) fn wildcards(self) -> usize {
        self.wildcards.0
    }
}

#[derive(Debug, Clone)]
struct Alternative {
    segments: Vec<Segment>,
    specificity: Specificity,
}

#[derive(Debug, Clone)]
enum Segment {
    AnyDepth,
    Literal(String),
    Glob(Vec<char>),
}

impl Pattern {
    /// Checks a pattern over item paths.
    pub(crate) fn over_items(text: &str) -> Result<Self, String> {
        Self::parse(text, |plain| {
            let path = ItemPath::new(plain).map_err(|invalid| invalid.reason.to_owned())?;
            Ok(path.segments().into_iter().map(str::to_owned).collect())
        })
    }

    /// Checks a pattern over symbol paths.
    pub(crate) fn over_symbols(text: &str) -> Result<Self, String> {
        Self::parse(text, |plain| Ok(plain.split('.').map(str::to_owned).collect()))
    }

    /// Checks a pattern over files of the port.
    pub(crate) fn over_files(text: &str) -> Result<Self, String> {
        Self::parse(text, |plain| Ok(plain.split('/').map(str::to_owned).collect()))
    }

    fn parse(text: &str, split: impl Fn(&str) -> Result<Vec<String>, String>) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!("it is longer than {PATTERN_BYTES_MAX} bytes"));
        }
        let mut alternatives = Vec::new();
        for plain in expand(text)? {
            let segments = split(&plain)?.iter().map(|part| segment(part)).collect::<Result<Vec<_>, _>>()?;
            let wildcards = segments
                .iter()
                .map(|segment| match segment {
                    Segment::AnyDepth => 1,
                    Segment::Literal(_) => 0,
                    Segment::Glob(glob) => glob.iter().filter(|sign| **sign == '*').count(),
                })
                .sum();
            let literal_prefix = plain.chars().take_while(|sign| *sign != '*').count();
            let specificity = Specificity { wildcards: Reverse(wildcards), literal_prefix };
            alternatives.push(Alternative { segments, specificity });
        }
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// The pattern as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// How specifically it matches an item's path, if it does. A `cfg` variant (`path#2`) is matched by
    /// what matches the path itself.
    pub(crate) fn match_item(&self, path: &ItemPath) -> Option<Specificity> {
        // Mostly a rule speaks of another crate, and taking a path apart costs more than that.
        if !self.alternatives.iter().any(|alternative| alternative.may_begin(path.as_str())) {
            return None;
        }
        let as_written = self.match_segments(&path.segments());
        let base = without_variant(path.as_str());
        if base == path.as_str() {
            return as_written;
        }
        let base = ItemPath::new(base).ok();
        as_written.max(base.and_then(|base| self.match_segments(&base.segments())))
    }

    /// Whether it matches a symbol's path.
    pub(crate) fn matches_symbol(&self, path: &SymbolPath) -> bool {
        self.match_segments(&path.as_str().split('.').collect::<Vec<_>>()).is_some()
    }

    /// Whether it matches a file's path.
    pub(crate) fn matches_file(&self, file: &str) -> bool {
        self.match_segments(&file.split('/').collect::<Vec<_>>()).is_some()
    }

    fn match_segments(&self, segments: &[&str]) -> Option<Specificity> {
        let matching = self.alternatives.iter().filter(|alternative| alternative.matches(segments));
        matching.map(|alternative| alternative.specificity).max()
    }
}

impl Alternative {
    /// Whether a path with this text may match, by how it begins.
    fn may_begin(&self, path: &str) -> bool {
        match self.segments.first() {
            Some(Segment::Literal(first)) => path.starts_with(first.as_str()),
            Some(Segment::AnyDepth | Segment::Glob(_)) | None => true,
        }
    }

    fn matches(&self, segments: &[&str]) -> bool {
        wild_match(
            &self.segments,
            segments,
            |segment| matches!(segment, Segment::AnyDepth),
            |segment, text| match segment {
                Segment::AnyDepth => true,
                Segment::Literal(literal) => literal == text,
                Segment::Glob(glob) => {
                    let text: Vec<char> = text.chars().collect();
                    wild_match(glob, &text, |sign| *sign == '*', |sign, letter| sign == letter)
                }
            },
        )
    }
}

/// A path without the `#2` that marks a further definition under the same path.
pub(crate) fn without_variant(path: &str) -> &str {
    match path.rsplit_once('#') {
        Some((base, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            base
        }
        Some(_) | None => path,
    }
}

/// Matches a sequence against signs of which some stand for any run. It goes back to the last such sign
/// alone, so its time is bounded by the product of the lengths.
fn wild_match<Sign, Element>(
    signs: &[Sign],
    elements: &[Element],
    is_any: impl Fn(&Sign) -> bool,
    is_one: impl Fn(&Sign, &Element) -> bool,
) -> bool {
    let (mut sign_at, mut element_at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(element) = elements.get(element_at) {
        match signs.get(sign_at) {
            Some(sign) if is_any(sign) => {
                retry = Some((sign_at, element_at));
                sign_at += 1;
            }
            Some(sign) if is_one(sign, element) => {
                sign_at += 1;
                element_at += 1;
            }
            Some(_) | None => {
                let Some((any_at, from)) = retry else { return false };
                retry = Some((any_at, from + 1));
                sign_at = any_at + 1;
                element_at = from + 1;
            }
        }
    }
    signs.iter().skip(sign_at).all(is_any)
}

fn segment(text: &str) -> Result<Segment, String> {
    match text {
        "" => Err("it has an empty segment".to_owned()),
        "**" => Ok(Segment::AnyDepth),
        _ if text.contains("**") => Err("`**` must be a segment of its own".to_owned()),
        _ if !text.contains('*') => Ok(Segment::Literal(text.to_owned())),
        _ => Ok(Segment::Glob(text.chars().collect())),
    }
}

/// Writes out the alternatives: `a::{b,c}` becomes `a::b` and `a::c`.
fn expand(text: &str) -> Result<Vec<String>, String> {
    let mut done = vec![String::new()];
    let mut rest = text;
    while let Some((before, group)) = rest.split_once('{') {
        if before.contains('}') {
            return Err("a `}` closes nothing".to_owned());
        }
        let (choices, behind) = group.split_once('}').ok_or("a `{` is not closed")?;
        if choices.contains('{') {
            return Err("alternatives cannot be nested".to_owned());
        }
        let with = |done: &String| {
            choices.split(',').map(|choice| format!("{done}{before}{}", choice.trim())).collect::<Vec<_>>()
        };
        done = done.iter().flat_map(with).collect();
        if done.len() > ALTERNATIVES_MAX {
            return Err(format!("its alternatives multiply to more than {ALTERNATIVES_MAX}"));
        }
        rest = behind;
    }
    if rest.contains('}') {
        return Err("a `}` closes nothing".to_owned());
    }
    Ok(done.into_iter().map(|done| format!("{done}{rest}")).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::over_items(pattern).unwrap().match_item(&ItemPath::new(path).unwrap()).is_some()
    }

    #[test]
    fn a_double_star_spans_segments_and_a_star_does_not() {
        assert!(matches("krate::**", "krate::a::b::c"));
        assert!(matches("krate::**::c", "krate::c"));
        assert!(matches("krate::**", "krate"));
        assert!(matches("krate::*", "krate::a"));
        assert!(!matches("krate::*", "krate::a::b"));
        assert!(matches("krate::**::x::**::z", "krate::x::a::x::y::z"));
        assert!(!matches("krate::a*c", "krate::ab"));
        assert!(matches("krate::a*c*", "krate::abcbc"));
    }

    #[test]
    fn a_trait_implementation_is_one_segment() {
        assert!(matches("k::<* as Display>::fmt", "k::<a::Type<b::C> as Display>::fmt"));
        assert!(matches("k::*::fmt", "k::<a::Type as b::Display>::fmt"));
        assert!(!matches("k::*", "k::<a::Type as b::Display>::fmt"));
    }

    #[test]
    fn square_brackets_are_text() {
        assert!(matches("strsim[test:*]::**", "strsim[test:lib]::works"));
        assert!(!matches("strsim[test:lib]::**", "strsimt::works"));
    }

    #[test]
    fn alternatives_may_hold_separators() {
        assert!(matches("k::{a,b::c}::*", "k::b::c::d"));
        assert!(matches("k::{a, b}", "k::b"));
        assert!(!matches("k::{a,b}", "k::c"));
    }

    #[test]
    fn a_variant_is_matched_by_its_base_path() {
        assert!(matches("k::f", "k::f#2"));
        assert!(matches("k::f#2", "k::f#2"));
        assert!(!matches("k::f#2", "k::f"));
    }

    #[test]
    fn broken_patterns_are_refused_with_the_reason() {
        for (pattern, reason) in [
            ("", "it is empty"),
            ("a::", "empty segment"),
            ("::a", "empty segment"),
            ("a::b**", "segment of its own"),
            ("a::{b", "not closed"),
            ("a::b}", "closes nothing"),
            ("a}::{b}", "closes nothing"),
            ("{a,{b,c}}", "nested"),
            ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "more than 64"),
        ] {
            let error = Pattern::over_items(pattern).unwrap_err();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
        assert!(Pattern::over_items(&"a".repeat(PATTERN_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn fewer_wildcards_and_then_a_longer_beginning_are_more_specific() {
        let specificity = |pattern: &str| {
            let path = ItemPath::new("k::module::name").unwrap();
            Pattern::over_items(pattern).unwrap().match_item(&path).unwrap()
        };
        assert!(specificity("k::module::name") > specificity("k::module::*"));
        assert!(specificity("k::module::*") > specificity("k::**"));
        assert!(specificity("k::**") > specificity("k::*::*"));
        assert!(Specificity::NAMED > specificity("k::module::name"));
    }

    proptest! {
        #[test]
        fn a_path_matches_itself_and_any_star_put_in_it(
            segments in prop::collection::vec("[a-z_]{1,6}", 1..6), at in 0_usize..6,
        ) {
            let path = segments.join("::");
            prop_assert!(matches(&path, &path));
            let mut starred = segments.clone();
            let at = at % starred.len();
            starred[at] = "*".to_owned();
            prop_assert!(matches(&starred.join("::"), &path));
            starred[at] = "**".to_owned();
            prop_assert!(matches(&starred.join("::"), &path));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            drop(Pattern::over_items(&text));
            drop(Pattern::over_symbols(&text));
        }
    }
}
