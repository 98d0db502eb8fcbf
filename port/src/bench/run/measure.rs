//! What the loop runs, behind a trait.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// What is compared against.
    Reference,
    /// What is to be decided about.
    Candidate,
}

/// One measurement to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot<'a> {
    /// Of which side.
    pub arm: Arm,
    /// Which task, where a process runs one; else it runs all of them.
    pub task: Option<&'a str>,
}

/// Why a measurement gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Something outside the code failed. The pair is dropped and run again.
    Infrastructure(String),
    /// We were told to stop.
    Interrupted,
    /// It can never work: the program is not there, or may not be confined.
    Impossible(String),
}

/// Takes measurements, each in a process of its own.
pub trait Measure {
    /// The score or the value of each task or bench; what failed for causes outside the code is absent.
    fn measure(&self, slot: Slot<'_>) -> Result<BTreeMap<String, f64>, Fault>;
}
