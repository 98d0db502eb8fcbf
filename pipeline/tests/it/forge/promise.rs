//! What the bot promises people, by name: each thing that it must not do belongs to one of them.

/// A promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// One pull request, and nothing said twice.
    NoTwin,
    /// What a person closed stays closed, and what they declined is not proposed again.
    NothingReopened,
    /// No push over people's commits, over what was reviewed, or to the base branch.
    NoPushOverPeople,
    /// No tree is pushed that is there already.
    NoIdenticalTree,
    /// What is pushed, shown as tested or merged passed the gate.
    NothingUngated,
    /// What it merges was approved at that very commit, where approvals are asked for.
    ApprovalsBound,
    /// Each tree that landed is held against the tested one, and told truly.
    LandedCompared,
    /// Limits and schedules on what is opened are kept.
    LimitsKept,
    /// A webhook only wakes, a forged or repeated one not even that, and polling finds what was lost.
    WakeUpsOnly,
    /// Nothing is lost: it comes to rest with everything landed, proposed or declined.
    NothingLost,
    /// Requests are as the forge takes them.
    RequestsInForm,
}

impl Promise {
    pub(crate) const ALL: [Self; 11] = [
        Self::NoTwin,
        Self::NothingReopened,
        Self::NoPushOverPeople,
        Self::NoIdenticalTree,
        Self::NothingUngated,
        Self::ApprovalsBound,
        Self::LandedCompared,
        Self::LimitsKept,
        Self::WakeUpsOnly,
        Self::NothingLost,
        Self::RequestsInForm,
    ];

    /// Its name, as a number of the measure.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoTwin => "twins",
            Self::NothingReopened => "reopened",
            Self::NoPushOverPeople => "pushed_over_people",
            Self::NoIdenticalTree => "identical_trees_pushed",
            Self::NothingUngated => "ungated",
            Self::ApprovalsBound => "merged_unapproved",
            Self::LandedCompared => "landed_uncompared",
            Self::LimitsKept => "limits_passed",
            Self::WakeUpsOnly => "wake_ups",
            Self::NothingLost => "lost",
            Self::RequestsInForm => "requests_out_of_form",
        }
    }
}

/// A promise that was broken, and how.
pub(crate) type Broken = (Promise, String);
