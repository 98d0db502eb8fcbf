//! Two snapshots to a semantic diff.

mod change;
mod class;
mod compare;
mod files;
mod pairing;
mod relocation;
mod similar;

#[cfg(test)]
mod tests;

pub use change::{
    Aspects, DependencyChange, FileChange, FileChangeKind, ItemChange, RevisionClass, SemanticDiff,
};
pub(crate) use class::{class_of, class_of_file, class_of_item, touches_surface};
pub use compare::{aspects, compare, compare_thoroughly, item_change};
pub use files::{FileMove, FileMoveKind, file_moves};
