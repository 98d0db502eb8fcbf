//! What people and programs read: a diff and the items of a revision as plain rows.
//!
//! [`between()`] tells what changed between two revisions, [`items()`] lists one. Rows hold texts and numbers and
//! no syntax; their JSON form is described by `docs/schemas/`.

mod between;
mod blocks;
mod items;
mod manifests;
mod patch;
mod row;
mod rows;
mod summary;

#[cfg(test)]
mod tests;

pub use between::{ListingError, Options, between};
pub use items::{HandedOn, ItemEntry, ItemListing, ItemRecord, PartEntry, items};
pub use manifests::{FeatureChange, SettingChange};
pub use row::{AttributeChange, Both, DocTests, ItemRow, PartRow};
pub use summary::{Counts, DiffListing, DiffRecord, DiffSummary, Touched};
