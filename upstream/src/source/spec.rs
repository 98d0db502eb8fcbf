//! What the upstream is: a git repository and what to follow there, or a crate in a Cargo registry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::one_line;

const REGISTRY: &str = "registry:";
const GIT: &str = "git:";
const PRE_RELEASES: &str = "pre-releases";
const DEFAULT_BRANCH: &str = "default-branch";
const BRANCH: &str = "branch=";
const TAGS: &str = "tags=";

/// Where the upstream comes from.
///
/// As text: `registry:strsim`, `registry:strsim#pre-releases`, `git:../upstream`,
/// `git:ssh://host/repository#branch=main`, `git:../upstream#tags=v*`.
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
    },
}

/// Which commits of a git repository are revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// Those on the first-parent history of a branch.
    Branch(String),
    /// Those on the first-parent history of the branch that the remote calls its default.
    DefaultBranch,
    /// Those that tags point at.
    Tags {
        /// A glob over tag names, such as `v*`.
        pattern: String,
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
            Self::Git { url, follow: Follow::Branch(branch) } => write!(f, "{GIT}{url}#{BRANCH}{branch}"),
            Self::Git { url, follow: Follow::Tags { pattern } } => write!(f, "{GIT}{url}#{TAGS}{pattern}"),
            // A `#` in the path itself would otherwise be read as the beginning of what to follow.
            Self::Git { url, follow: Follow::DefaultBranch } if url.contains('#') => {
                write!(f, "{GIT}{url}#{DEFAULT_BRANCH}")
            }
            Self::Git { url, follow: Follow::DefaultBranch } => write!(f, "{GIT}{url}"),
        }
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
            if has_password(rest) {
                return Err(InvalidSource {
                    text: format!("{GIT}…"),
                    reason: "it holds a password; leave it out and let a git credential helper supply it",
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
    let (url, follow) = match rest.rsplit_once('#') {
        None => (rest, Follow::DefaultBranch),
        Some((url, DEFAULT_BRANCH)) => (url, Follow::DefaultBranch),
        Some((url, fragment)) => match (fragment.strip_prefix(BRANCH), fragment.strip_prefix(TAGS)) {
            (Some(branch), _) if is_branch_name(branch) => (url, Follow::Branch(branch.to_owned())),
            (Some(_), _) => return Err("that is not the name of a branch"),
            (None, Some("")) => return Err("the pattern behind `tags=` is empty; write `*` for all tags"),
            (None, Some(pattern)) => (url, Follow::Tags { pattern: pattern.to_owned() }),
            (None, None) => return Err("behind `#` write `branch=NAME`, `tags=PATTERN` or `default-branch`"),
        },
    };
    if url.is_empty() || url.starts_with('-') {
        return Err("behind `git:` write the URL or the path of a repository");
    }
    Ok(SourceSpec::Git { url: url.to_owned(), follow })
}

fn is_branch_name(name: &str) -> bool {
    gix::refs::FullName::try_from(format!("refs/heads/{name}")).is_ok()
}

fn has_password(url: &str) -> bool {
    let Some((_scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _host)| user.contains(':'))
}
