//! The class of a revision: the strongest thing that any of its changes can do.

use super::change::{Aspects, FileChange, ItemChange, RevisionClass, SemanticDiff};
use crate::snapshot::{Item, ItemKind, Snapshot};

/// The strongest class that applies.
pub(crate) fn class_of(diff: &SemanticDiff, before: &Snapshot, after: &Snapshot) -> RevisionClass {
    let items = diff.items.iter().map(class_of_item);
    let files = diff.files.iter().map(|change| class_of_change(change, before, after));
    let dependencies = diff.dependencies.iter().map(|_| RevisionClass::Dependencies);
    items.chain(files).chain(dependencies).max().unwrap_or(RevisionClass::NoBehaviourChange)
}

/// The class of one change, by the path of its item alone.
pub(crate) fn class_of_item(change: &ItemChange) -> RevisionClass {
    if change.is_test() || change.path().krate().contains("[example:") {
        return RevisionClass::NoBehaviourChange;
    }
    let exported = |item: Option<&Item>| item.is_some_and(|item| item.exported);
    let surface = match (exported(change.before()), exported(change.after()), change) {
        (false, false, _) => None,
        (false, true, _) => Some(RevisionClass::PublicApiAdded),
        // The path by which users knew it is gone, or is not theirs any more.
        (true, false, _) | (true, true, ItemChange::Relocated { .. }) => {
            Some(RevisionClass::PublicApiRemoved)
        }
        (true, true, ItemChange::Modified { after, aspects, .. }) => {
            touches_surface(after, *aspects).then_some(RevisionClass::PublicApiChanged)
        }
        (true, true, ItemChange::Added { .. } | ItemChange::Removed { .. }) => None,
    };
    let inside = if change.touches_behaviour() {
        RevisionClass::InternalBehaviour
    } else {
        RevisionClass::NoBehaviourChange
    };
    surface.unwrap_or(inside)
}

/// Whether a user of the item sees the change without running it. The body of a module is what it imports.
pub(crate) fn touches_surface(item: &Item, aspects: Aspects) -> bool {
    let shows_attributes =
        aspects.attributes && item.kind != ItemKind::Module && item.kind != ItemKind::Function;
    aspects.signature || aspects.visibility || shows_attributes
}

/// File names that only building and testing reads.
const BUILD_FILES: [&str; 12] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "Makefile",
    "Dockerfile",
    "justfile",
    "appveyor.yml",
    "rustfmt.toml",
    "clippy.toml",
    "deny.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
];

/// Ends of file names that are documentation or accompany it.
const DOCUMENT_ENDS: [&str; 6] = [".md", ".txt", ".adoc", ".rst", ".png", ".svg"];

fn class_of_change(change: &FileChange, before: &Snapshot, after: &Snapshot) -> RevisionClass {
    let file = change.file.as_str();
    let packages = before.packages.iter().chain(&after.packages);
    let in_sources = packages.into_iter().any(|package| {
        let sources =
            if package.folder.is_empty() { "src/".to_owned() } else { format!("{}/src/", package.folder) };
        file.starts_with(&sources)
    });
    // What did not parse, or is included as data, may do anything.
    let unparsed = before.unparsed.iter().chain(&after.unparsed).any(|unparsed| unparsed.file == file);
    class_of_file(file, in_sources || (unparsed && !is_beside_the_program(file)))
}

/// The class of a changed file that no item speaks for.
pub(crate) fn class_of_file(file: &str, may_run: bool) -> RevisionClass {
    let name = file.rsplit('/').next().unwrap_or(file);
    if BUILD_FILES.contains(&name) {
        return RevisionClass::BuildOnly;
    }
    if may_run {
        return RevisionClass::InternalBehaviour;
    }
    let hidden = file.split('/').next().is_some_and(|first| first.starts_with('.'));
    if hidden {
        return RevisionClass::BuildOnly;
    }
    let document = DOCUMENT_ENDS.iter().any(|end| name.ends_with(end)) || !name.contains('.');
    if document || is_beside_the_program(file) {
        RevisionClass::NoBehaviourChange
    } else {
        RevisionClass::BuildOnly
    }
}

/// Whether a file is a test, a benchmark or an example, or lies with them.
fn is_beside_the_program(file: &str) -> bool {
    ["tests/", "benches/", "examples/"]
        .iter()
        .any(|folder| file.starts_with(folder) || file.contains(&format!("/{folder}")))
}
