//! What the upstream is: a git repository and what to follow there, or a crate in a Cargo registry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::address::{holds_secret, without_userinfo};
use crate::ids::one_line;

const REGISTRY: &str = "registry:";
const GIT: &str = "git:";
const PRE_RELEASES: &str = "pre-releases";
const DEFAULT_BRANCH: &str = "default-branch";
const BRANCH: &str = "branch=";
const TAGS: &str = "tags=";
const FULL_HISTORY: &str = "full-history";
const BY_DATE: &str = "by-date";
const NO_PRE_RELEASES: &str = "no-pre-releases";

/// Where the upstream comes from.
///
/// As text: `registry:strsim`, `registry:strsim#pre-releases`, `git:../upstream`,
/// `git:ssh://host/repository#branch=main`, `git:../upstream#tags=v*`. What qualifies the rest stands before it:
/// `git:../upstream#full-history&branch=main`, `git:../upstream#by-date&no-pre-releases&tags=v*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SourceSpec {
    /// A crate in a Cargo registry: each release is a revision.
    Registry {
        /// The name of the crate.
        krate: String,
        /// Whether pre-releases such as `1.0.0-rc.1` count.
        pre_releases: bool,
    },
    /// A git repository.
    Git {
        /// Its URL or path.
        url: String,
        /// Which of its commits are revisions.
        follow: Follow,
        /// How much of a branch's history counts; of tags, each counts anyway.
        history: History,
    },
}

/// Which commits of a branch are revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum History {
    /// Those that the branch itself was at: of a merge, the merge alone.
    #[default]
    FirstParent,
    /// All that it holds: of a merge, first the commits that it brought, then the merge.
    Full,
}

/// In which order tags are revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagOrder {
    /// By the versions in their names, where there are any.
    #[default]
    Version,
    /// By the dates of their commits.
    Date,
}

/// Which commits of a git repository are revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// Those of a branch.
    Branch(String),
    /// Those of the branch that the remote calls its default.
    DefaultBranch,
    /// Those that tags point at.
    Tags {
        /// A glob over tag names, such as `v*`.
        pattern: String,
        /// Their order.
        order: TagOrder,
        /// Whether tags of pre-releases such as `v1.0.0-rc.1` count.
        pre_releases: bool,
    },
}

/// A text that names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a source: {reason}")]
pub struct InvalidSource {
    /// The text, without what could be a password.
    pub text: String,
    /// What is wrong with it, and what to write.
    pub reason: &'static str,
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry { krate, pre_releases: false } => write!(f, "{REGISTRY}{krate}"),
            Self::Registry { krate, pre_releases: true } => write!(f, "{REGISTRY}{krate}#{PRE_RELEASES}"),
            Self::Git { url, follow, history } => {
                write!(f, "{GIT}{url}")?;
                let (options, last) = fragment(url, follow, *history);
                let parts: Vec<String> = options.into_iter().map(str::to_owned).chain(last).collect();
                if parts.is_empty() { Ok(()) } else { write!(f, "#{}", parts.join("&")) }
            }
        }
    }
}

/// What stands behind the `#`: what qualifies, and what is followed.
fn fragment(url: &str, follow: &Follow, history: History) -> (Vec<&'static str>, Option<String>) {
    let full = match (history, follow) {
        (History::Full, Follow::Branch(_) | Follow::DefaultBranch) => vec![FULL_HISTORY],
        (History::Full, Follow::Tags { .. }) | (History::FirstParent, _) => Vec::new(),
    };
    match follow {
        Follow::Branch(branch) => (full, Some(format!("{BRANCH}{branch}"))),
        Follow::Tags { pattern, order, pre_releases } => {
            let by_date = (*order == TagOrder::Date).then_some(BY_DATE);
            let without = (!pre_releases).then_some(NO_PRE_RELEASES);
            (by_date.into_iter().chain(without).collect(), Some(format!("{TAGS}{pattern}")))
        }
        // A `#` in the path itself would otherwise be read as the beginning of what to follow.
        Follow::DefaultBranch if url.contains('#') => (full, Some(DEFAULT_BRANCH.to_owned())),
        Follow::DefaultBranch => (full, None),
    }
}

impl FromStr for SourceSpec {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason| InvalidSource { text: text.to_owned(), reason };
        one_line(text).map_err(invalid)?;
        if let Some(rest) = text.strip_prefix(REGISTRY) {
            registry(rest).map_err(invalid)
        } else if let Some(rest) = text.strip_prefix(GIT) {
            if holds_secret(rest.rsplit_once('#').map_or(rest, |(url, _)| url)) {
                return Err(InvalidSource {
                    text: format!("{GIT}{}", without_userinfo(rest)),
                    reason: "it holds a user's name or a password; leave them out and let a git credential helper supply them",
                });
            }
            git(rest).map_err(invalid)
        } else {
            Err(invalid("write `registry:CRATE` or `git:URL-OR-PATH`"))
        }
    }
}

impl TryFrom<String> for SourceSpec {
    type Error = InvalidSource;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SourceSpec> for String {
    fn from(spec: SourceSpec) -> Self {
        spec.to_string()
    }
}

fn registry(rest: &str) -> Result<SourceSpec, &'static str> {
    let (krate, pre_releases) = match rest.split_once('#') {
        None => (rest, false),
        Some((krate, PRE_RELEASES)) => (krate, true),
        Some(_) => return Err("behind `#` only `pre-releases` can stand"),
    };
    if tame_index::KrateName::cargo(krate).is_err() {
        return Err("that is not the name of a crate");
    }
    Ok(SourceSpec::Registry { krate: krate.to_owned(), pre_releases })
}

fn git(rest: &str) -> Result<SourceSpec, &'static str> {
    let (url, mut fragment) = rest.rsplit_once('#').unwrap_or((rest, DEFAULT_BRANCH));
    let (mut history, mut order, mut pre_releases) = (History::FirstParent, None, None);
    loop {
        let (option, left) = fragment.split_once('&').unwrap_or((fragment, DEFAULT_BRANCH));
        match option {
            FULL_HISTORY => history = History::Full,
            BY_DATE => order = Some(TagOrder::Date),
            NO_PRE_RELEASES => pre_releases = Some(false),
            _ => break,
        }
        fragment = left;
    }
    let follow = match (fragment.strip_prefix(BRANCH), fragment.strip_prefix(TAGS)) {
        _ if fragment == DEFAULT_BRANCH => Follow::DefaultBranch,
        (Some(branch), _) if is_branch_name(branch) => Follow::Branch(branch.to_owned()),
        (Some(_), _) => return Err("that is not the name of a branch"),
        (None, Some("")) => return Err("the pattern behind `tags=` is empty; write `*` for all tags"),
        (None, Some(pattern)) => Follow::Tags {
            pattern: pattern.to_owned(),
            order: order.unwrap_or_default(),
            pre_releases: pre_releases.unwrap_or(true),
        },
        (None, None) => return Err("behind `#` write `branch=NAME`, `tags=PATTERN` or `default-branch`"),
    };
    match &follow {
        Follow::Tags { .. } if history == History::Full => {
            return Err("`full-history` is about a branch, and tags are followed one by one");
        }
        Follow::Branch(_) | Follow::DefaultBranch if order.is_some() || pre_releases.is_some() => {
            return Err("`by-date` and `no-pre-releases` are about tags; write `tags=PATTERN` behind them");
        }
        Follow::Tags { .. } | Follow::Branch(_) | Follow::DefaultBranch => {}
    }
    if url.is_empty() || url.starts_with('-') {
        return Err("behind `git:` write the URL or the path of a repository");
    }
    Ok(SourceSpec::Git { url: url.to_owned(), follow, history })
}

fn is_branch_name(name: &str) -> bool {
    gix::refs::FullName::try_from(format!("refs/heads/{name}")).is_ok()
}
