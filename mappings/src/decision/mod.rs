//! What people decided about upstream changes: decline them, put them off, or hold the port at a revision.
//!
//! [`Decisions`] is checked once from what `tidelock.toml` says. [`Decisions::on`] gives the [`Holds`] of a day:
//! what is expired holds nothing any more, and says so. Nothing here asks for the time.

mod config;
mod hold;

use jiff::civil::Date;
use upstream::RevisionLabel;

pub use config::{DecisionRule, DecisionWord};
pub use hold::{Hold, Holds, ItemAt, Pin, UnknownRevision};

use crate::mapping::Pattern;

/// How many decisions a configuration may have.
pub const DECISIONS_MAX: usize = 10_000;
/// How long a reason or an owner may be, in characters.
const WORDS_MAX: usize = 1_000;

/// A day, as `2027-03-01`.
pub type Day = Date;

/// Everything that was decided, checked.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    all: Vec<Decision>,
}

/// One decision, checked.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Which one it is in the configuration, from 1.
    pub number: usize,
    /// What was decided.
    pub word: DecisionWord,
    /// About what.
    pub about: About,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The day from which it holds no longer.
    pub until: Option<Day>,
}

/// What a decision is about.
#[derive(Debug, Clone)]
pub enum About {
    /// Items, by a pattern over their paths.
    Items(ItemPattern),
    /// A revision of the upstream, by its label or the beginning of its commit.
    Revision(RevisionLabel),
}

/// A checked pattern over item paths.
#[derive(Debug, Clone)]
pub struct ItemPattern(Pattern);

/// A decision that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[[decision]] {number}: {reason}")]
pub struct DecisionError {
    /// Which decision, from 1.
    pub number: usize,
    /// The key that is wrong.
    pub key: &'static str,
    /// What is wrong.
    pub reason: String,
    /// What to write instead.
    pub help: &'static str,
}

impl Decisions {
    /// Checks what the configuration says.
    pub fn new(rules: &[DecisionRule]) -> Result<Self, DecisionError> {
        if rules.len() > DECISIONS_MAX {
            let reason = format!("there are {} decisions, and {DECISIONS_MAX} are the most", rules.len());
            let help = "take out those that have expired";
            return Err(DecisionError { number: rules.len(), key: "disposition", reason, help });
        }
        let all = rules.iter().zip(1..).map(|(rule, number)| checked(rule, number));
        Ok(Self { all: all.collect::<Result<_, _>>()? })
    }

    /// All of them, in the order of the configuration.
    pub fn all(&self) -> &[Decision] {
        &self.all
    }

    /// Those that hold no longer on a day.
    pub fn expired(&self, today: Day) -> impl Iterator<Item = &Decision> {
        self.all.iter().filter(move |decision| decision.is_expired(today))
    }

    /// What is held on a day; `revisions` are the upstream's, oldest first.
    pub fn on(&self, today: Day, revisions: &[upstream::Revision]) -> Result<Holds, UnknownRevision> {
        let active = self.all.iter().filter(|decision| !decision.is_expired(today));
        Holds::new(active, revisions)
    }
}

impl Decision {
    /// Whether it holds no longer.
    pub fn is_expired(&self, today: Day) -> bool {
        self.until.is_some_and(|until| until <= today)
    }

    /// The reason with who answers for it, and until when.
    pub fn told(&self) -> String {
        match self.until {
            Some(until) => format!("{} ({}, until {until})", self.reason, self.owner),
            None => format!("{} ({})", self.reason, self.owner),
        }
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[[decision]] {} ({} `{}`)", self.number, self.word, self.about)
    }
}

impl std::fmt::Display for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Items(pattern) => f.write_str(pattern.0.text()),
            Self::Revision(revision) => revision.fmt(f),
        }
    }
}

impl ItemPattern {
    /// Checks a pattern.
    pub fn new(text: &str) -> Result<Self, String> {
        Pattern::over_items(text).map(Self)
    }

    /// Whether it speaks of this item.
    pub fn matches(&self, item: &upstream::ItemPath) -> bool {
        self.0.match_item(item).is_some()
    }
}

fn checked(rule: &DecisionRule, number: usize) -> Result<Decision, DecisionError> {
    let wrong = |key, reason: String, help| DecisionError { number, key, reason, help };
    let about = match (&rule.items, &rule.revision) {
        (Some(items), None) => About::Items(ItemPattern::new(items).map_err(|reason| {
            let help = "write an item's path, or a pattern such as `krate::module::**`";
            wrong("items", format!("the pattern `{items}` is broken: {reason}"), help)
        })?),
        (None, Some(revision)) => {
            About::Revision(RevisionLabel::new(revision.as_str()).map_err(|error| {
                wrong("revision", error.to_string(), "write a revision as `tidelock status` names it")
            })?)
        }
        (Some(_), Some(_)) => {
            let help = "write two decisions";
            return Err(wrong("revision", "`items` and `revision` are both given".to_owned(), help));
        }
        (None, None) => {
            let help = "write `items` or `revision`";
            return Err(wrong("disposition", "it says of nothing what was decided".to_owned(), help));
        }
    };
    if rule.disposition == DecisionWord::Pinned && matches!(about, About::Items(_)) {
        let help = "write `revision`, or say `declined` of the items";
        return Err(wrong("items", "a port is pinned at a revision, not at items".to_owned(), help));
    }
    let until = rule.until.as_deref().map(|until| {
        day(until).map_err(|reason| {
            wrong("until", reason, "write a day as `2027-03-01`: from that day on it holds no longer")
        })
    });
    let until = until.transpose()?;
    if rule.disposition == DecisionWord::Deferred && until.is_none() {
        let help =
            "write the day on which it is to be planned, as in `until = \"2027-03-01\"`, or `declined`";
        return Err(wrong("disposition", "what is deferred needs `until`".to_owned(), help));
    }
    for (key, value) in [("reason", &rule.reason), ("owner", &rule.owner)] {
        let complaint = match value.chars().count() {
            0 => "is empty",
            _ if value.trim().is_empty() => "is empty",
            _ if value.chars().any(char::is_control) => "must be one line",
            WORDS_MAX.. => "is too long",
            _ => continue,
        };
        return Err(wrong(key, format!("`{key}` {complaint}"), "write one line, for those who come later"));
    }
    let (reason, owner) = (rule.reason.trim().to_owned(), rule.owner.trim().to_owned());
    Ok(Decision { number, word: rule.disposition, about, reason, owner, until })
}

/// Reads a day.
///
/// # Errors
///
/// What is wrong with it, in words.
pub fn day(text: &str) -> Result<Day, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let plain = parts.iter().map(|part| part.len()).eq([4, 2, 2])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let parsed = plain.then(|| text.parse::<Date>().ok()).flatten();
    parsed.ok_or_else(|| format!("`{text}` is no day"))
}

/// The day, in UTC, of a time in milliseconds since the Unix epoch.
pub fn day_at(at_ms: i64) -> Day {
    let time = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests;
