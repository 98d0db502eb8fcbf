//! A decision as it is written in `tidelock.toml`. The documentation of these fields is the user's reference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionWord {
    /// Not to be ported.
    Declined,
    /// To be ported later, from `until` on.
    Deferred,
    /// The port goes no further than this revision.
    Pinned,
}

impl std::fmt::Display for DecisionWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Declined => "declined",
            Self::Deferred => "deferred",
            Self::Pinned => "pinned",
        })
    }
}

/// What a person decided about upstream changes. `tidelock decline`, `defer` and `pin` write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRule {
    /// `declined`: not to be ported. `deferred`: not before `until`. `pinned`: the port goes no further than
    /// `revision`.
    pub disposition: DecisionWord,
    /// The items whose changes are meant: a pattern with the signs of `[[map]]`.
    pub items: Option<String>,
    /// The revision that is meant: its label, or at least seven letters of its commit. Of a declined or deferred
    /// revision each change is held until a later one changes the same item again.
    pub revision: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The day, as `2027-03-01`, from which it holds no longer (in UTC): what it held is planned again. `deferred`
    /// demands it.
    pub until: Option<String>,
}
