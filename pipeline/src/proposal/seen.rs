//! Whether anybody did or said something at the forge: what a poll asks.

use upstream::ContentHash;

use super::Policy;
use crate::forge::{Forge, ForgeError, PullRequest};

/// A hash of what stands at the forge about our proposals: another one when anybody did or said something. It takes one
/// request, and nothing of the port.
pub fn seen(forge: &dyn Forge, policy: &Policy) -> Result<ContentHash, ForgeError> {
    Ok(facts(&forge.pulls_from(&policy.head_branch)?))
}

/// The same of pull requests that were asked for already.
pub(super) fn facts(pulls: &[PullRequest]) -> ContentHash {
    let facts =
        pulls.iter().map(|pull| format!("{} {:?} {} {}", pull.number, pull.state, pull.head, pull.updated));
    ContentHash::of_parts(facts)
}
