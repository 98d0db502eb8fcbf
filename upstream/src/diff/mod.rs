//! Two snapshots to a semantic diff.

mod change;

pub use change::{
    Aspects, DependencyChange, FileChange, FileChangeKind, ItemChange, RevisionClass, SemanticDiff,
};
