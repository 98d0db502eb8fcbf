//! Batches of a provider: many requests sent together, answered within a day, at a share of the price.
//!
//! [`BatchProtocol`] is what a provider's interface for batches does, one file for each; [`BatchTranslator`] is the link
//! of the chain, and [`BatchStore`] the seam to whoever keeps what is under way. Nothing here decides when to send or
//! what a lost batch means: that is the store's.

mod anthropic;
mod id;
mod lines;
mod openai;
mod translator;
mod wire;

use serde_json::Value;

pub use anthropic::MessageBatches;
pub use id::{BatchTag, RequestId};
pub use openai::{Endpoint, FileBatches};
pub use translator::{BatchStore, BatchStoreError, BatchTranslator, Question, Standing, TaskId};
pub use wire::BatchWire;

use super::model::{Completion, ModelError};
use super::providers::WireFormat;

/// The most requests of one batch. The interfaces take more (100,000 and 50,000); their answers are read whole, and this
/// many of the longest stay below [`RESULTS_BYTES_MAX`].
pub const BATCH_REQUESTS_MAX: usize = 1000;

/// The most bytes of one batch, below what the interfaces take (256 MB and 200 MB) for the same reason.
pub const BATCH_BYTES_MAX: usize = 64 << 20;

/// The largest file of results that is read, in bytes.
pub const RESULTS_BYTES_MAX: usize = 256 << 20;

/// The most batches that a list is read for.
pub const LISTED_MAX: usize = 1000;

/// A request as it goes into a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRequest {
    /// The name by which its answer is known.
    pub id: RequestId,
    /// The body that it would have by itself, not streamed.
    pub body: Value,
}

/// A batch as its provider tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The provider's name for it.
    pub id: String,
    /// When it was made, in seconds since the Unix epoch.
    pub made_s: i64,
    /// How many requests it has, where that is told.
    pub requests: Option<u64>,
    /// The name that it was given, where the interface keeps one.
    pub name: Option<String>,
    /// How far it is.
    pub progress: BatchProgress,
}

/// How far a batch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchProgress {
    /// It is worked on.
    UnderWay,
    /// It is over, and what came of its requests is at these places.
    Ended {
        /// Files of results, by address.
        results: Vec<String>,
        /// What became of a request that none of them has.
        absent: BatchFailure,
    },
    /// It was refused as a whole: none of its requests was begun.
    Refused {
        /// The provider's words.
        reason: String,
        /// Whether the same may be taken later.
        is_passing: bool,
    },
}

/// Why a request of a batch has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchFailure {
    /// The provider could not do it in time. It costs nothing.
    #[error("the batch expired before it was done")]
    Expired,
    /// The batch was cancelled before it was done. It costs nothing.
    #[error("the batch was cancelled before it was done")]
    Cancelled,
    /// The provider failed at it.
    #[error("{0}")]
    Fault(ModelError),
    /// The provider told nothing of it that can be read. It may have been paid for.
    #[error("the results of the batch do not tell of it")]
    Untold,
}

impl BatchFailure {
    /// Whether the same request in another batch costs nothing twice and may well be answered.
    pub fn may_be_sent_again(&self) -> bool {
        match self {
            Self::Expired | Self::Cancelled => true,
            Self::Fault(error) => error.is_transient(),
            Self::Untold => false,
        }
    }
}

/// What came of the requests of a batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchResults {
    /// What came of each, by the name that it was sent under; the first where one is told twice.
    pub replies: Vec<(String, Result<Completion, BatchFailure>)>,
    /// Lines that cannot be read, or that tell once more of a request, in words.
    pub faults: Vec<String>,
    /// Whether a line is cut off or damaged, so that reading the results again may tell more.
    pub is_damaged: bool,
}

/// A batch was not made, or nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// It was not made.
    #[error("the batch was not made: {0}")]
    NotMade(ModelError),
    /// The request may have arrived before it failed: whoever sends it anew may pay twice.
    #[error("it is not known whether the batch was made: {0}")]
    Unknown(ModelError),
}

/// What a provider's interface for batches does.
pub trait BatchProtocol: Send + Sync + std::fmt::Debug {
    /// Makes a batch under a name. Nothing is sent twice.
    fn create(&self, wire: &BatchWire, name: &str, requests: &[BatchRequest]) -> Result<Batch, CreateError>;
    /// How far a batch is.
    fn look(&self, wire: &BatchWire, id: &str) -> Result<Batch, ModelError>;
    /// The newest batches of the account, [`LISTED_MAX`] at the most, made since then (in seconds since the Unix epoch).
    fn list(&self, wire: &BatchWire, since_s: i64) -> Result<Vec<Batch>, ModelError>;
    /// What came of the requests of a batch that ended.
    fn results(
        &self,
        wire: &BatchWire,
        places: &[String],
        format: &dyn WireFormat,
    ) -> Result<BatchResults, ModelError>;
}

/// Parts requests into batches, in their order: so many each, and no more bytes.
pub fn parted(sizes: &[usize], (requests_max, bytes_max): (usize, usize)) -> Vec<std::ops::Range<usize>> {
    let (mut parts, mut from, mut bytes) = (Vec::new(), 0, 0_usize);
    for (at, size) in sizes.iter().enumerate() {
        let is_full = at - from >= requests_max || bytes.saturating_add(*size) > bytes_max;
        if is_full && at > from {
            parts.push(from..at);
            (from, bytes) = (at, 0);
        }
        bytes = bytes.saturating_add(*size);
    }
    if from < sizes.len() {
        parts.push(from..sizes.len());
    }
    parts
}

#[cfg(test)]
mod tests;
