//! Replaying the past: what chains of translators would have made of revisions that a port has followed already.
//!
//! `case` finds the revisions, `chains` the translators, `run` syncs one of them with one chain in a scratch copy
//! (`scratch`) by the same engine and gate as any sync, `answer` lets the tests of the real answer decide beside the
//! gate, `outcome` says how it went, `folder` remembers it, `schedule` does all of it within bounds, and `report`
//! counts. The user's working tree, branch and memory are never touched.

pub(crate) mod answer;
pub(crate) mod case;
pub(crate) mod chains;
pub(crate) mod folder;
pub(crate) mod outcome;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod scratch;

pub use report::schema;
