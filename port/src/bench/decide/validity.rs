//! Whether two arms may be compared at all. What is found here holds a decision; it never rejects.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use statrs::stats_tests::Alternative;
use statrs::stats_tests::fisher::fishers_exact;

use super::rates::count;

/// The share of runs of one arm that may fail for causes outside the code.
const INFRASTRUCTURE_SHARE_MAX: f64 = 0.05;

/// So many faults say nothing about their share: the pair was run again.
const FAULTS_PASSED_OVER: u64 = 1;

/// Below this probability, unequal shares of such faults are no chance.
const UNEQUAL_FAULTS_P: f64 = 0.01;

/// The most names in a message.
const NAMES_SHOWN: usize = 3;

/// What one side ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmFacts {
    /// The tasks with a result.
    pub tasks: BTreeSet<String>,
    /// Everything that decides what is measured, hashed: harness, data, environment.
    pub harness: String,
    /// Runs that gave a result.
    pub valid: u64,
    /// Runs that failed for a cause outside the code.
    pub infrastructure: u64,
    /// Where the exit code of the command and its results contradict each other.
    pub contradictions: Vec<String>,
}

/// Why two arms cannot be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum Invalid {
    /// Nothing was measured.
    #[error("nothing was measured")]
    Nothing,
    /// They ran different tasks.
    #[error("{count} tasks have a result on one side only, such as {}", .examples.join(", "))]
    OtherTasks {
        /// How many.
        count: usize,
        /// Some of them.
        examples: Vec<String>,
    },
    /// Their harness differs.
    #[error("the benchmark itself differs between the sides ({reference} and {candidate})")]
    OtherHarness {
        /// Of the reference.
        reference: String,
        /// Of the candidate.
        candidate: String,
    },
    /// Too much failed around the code.
    #[error("{} % of the runs of the {arm} failed for causes outside the code, more than {} %", (.share * 100.0).round(), INFRASTRUCTURE_SHARE_MAX * 100.0)]
    Infrastructure {
        /// Of which side.
        arm: String,
        /// The share.
        share: f64,
    },
    /// It failed around one side more than around the other.
    #[error(
        "{reference} faults outside the code on the reference and {candidate} on the candidate are no chance (p = {p_value:.4})"
    )]
    UnequalFaults {
        /// On the reference.
        reference: u64,
        /// On the candidate.
        candidate: u64,
        /// The probability of such a difference by chance.
        p_value: f64,
    },
    /// The exit code says something else than the results.
    #[error("{0}")]
    Contradiction(String),
}

/// Everything that speaks against comparing these arms.
pub fn invalid(reference: &ArmFacts, candidate: &ArmFacts) -> Vec<Invalid> {
    let mut found = Vec::new();
    if reference.valid == 0 || candidate.valid == 0 {
        found.push(Invalid::Nothing);
    }
    let lone: Vec<&String> = reference.tasks.symmetric_difference(&candidate.tasks).collect();
    if !lone.is_empty() {
        let examples = lone.iter().take(NAMES_SHOWN).map(|task| (*task).clone()).collect();
        found.push(Invalid::OtherTasks { count: lone.len(), examples });
    }
    if reference.harness != candidate.harness {
        found.push(Invalid::OtherHarness {
            reference: reference.harness.clone(),
            candidate: candidate.harness.clone(),
        });
    }
    for (arm, facts) in [("reference", reference), ("candidate", candidate)] {
        let share = share(facts);
        if share > INFRASTRUCTURE_SHARE_MAX && facts.infrastructure > FAULTS_PASSED_OVER {
            found.push(Invalid::Infrastructure { arm: arm.to_owned(), share });
        }
        found.extend(facts.contradictions.iter().take(NAMES_SHOWN).cloned().map(Invalid::Contradiction));
    }
    let table = [reference.infrastructure, candidate.infrastructure, reference.valid, candidate.valid];
    if let Ok(p_value) = fishers_exact(&table, Alternative::TwoSided)
        && p_value < UNEQUAL_FAULTS_P
    {
        found.push(Invalid::UnequalFaults {
            reference: reference.infrastructure,
            candidate: candidate.infrastructure,
            p_value,
        });
    }
    found
}

fn share(facts: &ArmFacts) -> f64 {
    let number = |of: u64| count(usize::try_from(of).unwrap_or(usize::MAX));
    number(facts.infrastructure) / number(facts.infrastructure + facts.valid).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(tasks: &[&str], valid: u64, infrastructure: u64) -> ArmFacts {
        ArmFacts {
            tasks: tasks.iter().map(|task| (*task).to_owned()).collect(),
            harness: "h".to_owned(),
            valid,
            infrastructure,
            contradictions: Vec::new(),
        }
    }

    #[test]
    fn equal_arms_are_comparable() {
        assert_eq!(invalid(&arm(&["a"], 80, 1), &arm(&["a"], 80, 2)), []);
    }

    #[test]
    fn each_kind_of_fault_is_named() {
        let good = arm(&["a"], 80, 0);
        let only = |candidate: ArmFacts| -> String {
            let found = invalid(&good, &candidate);
            assert_eq!(found.len(), 1, "{found:?}");
            found[0].to_string()
        };
        assert_eq!(only(arm(&["a", "b"], 80, 0)), "1 tasks have a result on one side only, such as b");
        assert_eq!(only(arm(&["a"], 0, 0)), "nothing was measured");
        let other = ArmFacts { harness: "i".to_owned(), ..good.clone() };
        assert_eq!(only(other), "the benchmark itself differs between the sides (h and i)");
        assert!(only(arm(&["a"], 75, 5)).starts_with("6 % of the runs of the candidate failed"));
        let unequal = invalid(&arm(&["a"], 1000, 0), &arm(&["a"], 1000, 40));
        assert!(matches!(unequal[..], [Invalid::UnequalFaults { candidate: 40, .. }]), "{unequal:?}");
        let lying = ArmFacts { contradictions: vec!["exit code 0".to_owned()], ..good.clone() };
        assert_eq!(only(lying), "exit code 0");
    }
}
