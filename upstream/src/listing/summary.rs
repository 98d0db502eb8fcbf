//! A diff as one document: its head, and its rows.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::manifests::{FeatureChange, SettingChange};
use super::row::{ItemRow, PartRow};
use crate::diff::{
    Aspects, DependencyChange, FileChange, FileMove, ItemChange, RevisionClass, SemanticDiff, class_of,
    class_of_file, class_of_item, touches_surface,
};
use crate::history::{ChangeKind, Confidence};
use crate::revision::Revision;
use crate::snapshot::{ItemKind, PartKind, Snapshot, Surface, UnparsedFile, is_source};

/// Everything that changed between two revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffListing {
    /// The head.
    #[serde(flatten)]
    pub summary: DiffSummary,
    /// The items, sorted by crate, module and path.
    pub items: Vec<ItemRow>,
    /// Requirements in `Cargo.toml` and, with `Cargo.lock` for a package, versions in that.
    pub dependencies: Vec<DependencyChange>,
    /// Features.
    pub features: Vec<FeatureChange>,
    /// Other keys of manifests.
    pub settings: Vec<SettingChange>,
    /// Files that moved, were split or were merged.
    pub moves: Vec<FileMove>,
    /// Changed files whose items are not told.
    pub files: Vec<FileChange>,
    /// Changed files that could not be read as Rust or TOML, with the reason.
    pub unparsed: Vec<UnparsedFile>,
}

/// One line of a diff as JSON lines; the head comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum DiffRecord {
    /// The head.
    Summary(Box<DiffSummary>),
    /// An item.
    Item(Box<ItemRow>),
    /// A dependency.
    Dependency(DependencyChange),
    /// A feature.
    Feature(FeatureChange),
    /// Another key of a manifest.
    Setting(SettingChange),
    /// Files that moved, were split or were merged.
    Move(FileMove),
    /// A changed file whose items are not told.
    File(FileChange),
    /// A changed file that could not be read.
    Unparsed(UnparsedFile),
}

/// What a diff is as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffSummary {
    /// The older revision; missing for the empty tree.
    pub from: Option<Revision>,
    /// The newer revision.
    pub to: Revision,
    /// The strongest class that applies.
    pub class: RevisionClass,
    /// How sure the class is.
    pub confidence: Confidence,
    /// Why it is not certain.
    pub doubts: Vec<String>,
    /// What kinds of things changed.
    pub touched: BTreeSet<Touched>,
    /// How many.
    pub counts: Counts,
    /// What was not looked for, and why.
    pub not_searched: Vec<String>,
}

/// A kind of thing that a revision can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Touched {
    /// Items that are no test code, in more than their documentation.
    Code,
    /// Test code, benchmarks and what lies with them.
    Tests,
    /// Examples.
    Examples,
    /// Documentation of items, and document files.
    Docs,
    /// Requirements and locked versions.
    Dependencies,
    /// Features.
    Features,
    /// Manifests, build scripts, continuous integration, tooling.
    Build,
    /// Files that only stand elsewhere.
    Moves,
}

impl Touched {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Tests => "tests",
            Self::Examples => "examples",
            Self::Docs => "docs",
            Self::Dependencies => "dependencies",
            Self::Features => "features",
            Self::Build => "build",
            Self::Moves => "moved files",
        }
    }
}

/// Numbers of changed items. Those that moved only with what they stand in are in `moved_with` alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Items outside tests that came.
    pub added: usize,
    /// Items outside tests that went.
    pub removed: usize,
    /// Items outside tests that changed where they stand, more than their documentation.
    pub modified: usize,
    /// Items outside tests that stand elsewhere or have another name.
    pub moved: usize,
    /// Items that moved because what they stand in did.
    pub moved_with: usize,
    /// Items outside tests whose documentation alone changed.
    pub docs: usize,
    /// Items of test code.
    pub tests: usize,
    /// Public paths that came.
    pub public_added: usize,
    /// Public paths that are gone.
    pub public_removed: usize,
    /// Public items whose header, visibility or attributes changed.
    pub public_changed: usize,
}

/// What the class rests on.
pub(super) struct Judged<'a> {
    pub(super) before: &'a Snapshot,
    pub(super) after: &'a Snapshot,
    pub(super) before_surface: &'a Surface,
    pub(super) after_surface: &'a Surface,
    pub(super) changes: &'a [ItemChange],
}

/// Every public path of each side.
struct PublicPaths<'a> {
    before: BTreeSet<&'a str>,
    after: BTreeSet<&'a str>,
}

impl Judged<'_> {
    /// The head of a listing whose rows are there already. `diff` holds all but the items.
    pub(super) fn summary(
        &self,
        listing: &[ItemRow],
        diff: &SemanticDiff,
        others: &Others<'_>,
    ) -> DiffSummary {
        let mut counts = counts(listing);
        let paths = PublicPaths { before: self.before_surface.paths(), after: self.after_surface.paths() };
        let (old, new) = (&paths.before, &paths.after);
        counts.public_added = new.difference(old).count();
        counts.public_removed = old.difference(new).count();
        counts.public_changed = self
            .changes
            .iter()
            .filter(|change| self.class(change, &paths) == RevisionClass::PublicApiChanged)
            .count();
        let mut class = class_of(diff, self.before, self.after);
        class =
            self.changes.iter().map(|change| self.class(change, &paths)).max().unwrap_or(class).max(class);
        // A header of a block is told by its type's row alone.
        let block = |part: &PartRow| matches!(part.kind, PartKind::ImplBlock | PartKind::ExternBlock);
        for row in listing.iter().filter(|row| !row.test && row.parts.iter().any(block)) {
            let public = RevisionClass::PublicApiChanged;
            class = class.max(if row.public { public } else { RevisionClass::InternalBehaviour });
        }
        if counts.public_added > 0 {
            class = class.max(RevisionClass::PublicApiAdded);
        }
        if counts.public_removed > 0 {
            class = class.max(RevisionClass::PublicApiRemoved);
        }
        if !others.features.is_empty() {
            class = class.max(RevisionClass::Dependencies);
        }
        let (confidence, doubts) = self.confidence(diff, class);
        DiffSummary {
            from: Some(diff.from.clone()),
            to: diff.to.clone(),
            class,
            confidence,
            doubts,
            touched: touched(listing, diff, others),
            counts,
            not_searched: Vec::new(),
        }
    }

    /// The class of one change. An item that users can still name as before is not gone, and one whose name
    /// was there before is not new.
    fn class(&self, change: &ItemChange, paths: &PublicPaths<'_>) -> RevisionClass {
        let by_path = class_of_item(change);
        let of = |surface: &Surface, item: Option<&crate::snapshot::Item>| -> Vec<String> {
            item.map_or_else(Vec::new, |item| surface.of(&item.path).to_vec())
        };
        let old = of(self.before_surface, change.before());
        let new = of(self.after_surface, change.after());
        if !by_path.is_public() || (old.is_empty() && new.is_empty()) {
            return by_path;
        }
        let (all_old, all_new) = (&paths.before, &paths.after);
        if old.iter().any(|name| !all_new.contains(name.as_str())) {
            return RevisionClass::PublicApiRemoved;
        }
        let comes = new.iter().any(|name| !all_old.contains(name.as_str()));
        let changes = match change {
            ItemChange::Added { .. } | ItemChange::Removed { .. } => !comes,
            ItemChange::Modified { after, aspects, .. } | ItemChange::Relocated { after, aspects, .. } => {
                // That it can be named is told by the names themselves.
                touches_surface(after, Aspects { visibility: false, ..*aspects })
            }
        };
        if changes {
            RevisionClass::PublicApiChanged
        } else if comes {
            RevisionClass::PublicApiAdded
        } else if change.touches_behaviour() {
            RevisionClass::InternalBehaviour
        } else {
            RevisionClass::NoBehaviourChange
        }
    }

    fn confidence(&self, diff: &SemanticDiff, class: RevisionClass) -> (Confidence, Vec<String>) {
        let mut doubts = Vec::new();
        for unparsed in &diff.unparsed {
            doubts.push(format!("`{}` could not be read", unparsed.file));
        }
        if !doubts.is_empty() {
            return (Confidence::Unknown, doubts);
        }
        let calls = self.changes.iter().filter(|change| {
            let is_call = change.path().name().ends_with('!');
            is_call
                && !change.is_test()
                && change.before().or(change.after()).is_some_and(|it| it.kind == ItemKind::Macro)
        });
        let calls: BTreeSet<&str> = calls.map(|change| change.path().name()).collect();
        for call in calls.into_iter().filter(|_| !class.is_public()) {
            doubts.push(format!("`{call}` may make items, which are not seen"));
        }
        for file in &diff.files {
            let name = file.file.rsplit('/').next().unwrap_or_default();
            if name == "build.rs" {
                doubts.push(format!("`{}` may change what is built", file.file));
            } else if class_of_file(&file.file, false) != RevisionClass::NoBehaviourChange && is_source(name)
            {
                doubts.push(format!("`{}` is in no module, so its items are not told", file.file));
            }
        }
        let confidence = if doubts.is_empty() { Confidence::Certain } else { Confidence::Likely };
        (confidence, doubts)
    }
}

/// Rows that are no items.
pub(super) struct Others<'a> {
    pub(super) features: &'a [FeatureChange],
    pub(super) settings: &'a [SettingChange],
    pub(super) moves: &'a [FileMove],
}

fn counts(rows: &[ItemRow]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        let count = match row.change {
            _ if row.test => &mut counts.tests,
            _ if row.moved_with.is_some() => &mut counts.moved_with,
            _ if row.is_docs_only() => &mut counts.docs,
            ChangeKind::Added => &mut counts.added,
            ChangeKind::Removed => &mut counts.removed,
            ChangeKind::Modified => &mut counts.modified,
            ChangeKind::Moved | ChangeKind::Renamed => &mut counts.moved,
        };
        *count += 1;
    }
    counts
}

fn touched(rows: &[ItemRow], diff: &SemanticDiff, others: &Others<'_>) -> BTreeSet<Touched> {
    let mut found: BTreeSet<Touched> = rows
        .iter()
        .map(|row| match () {
            () if row.krate.contains("[example:") => Touched::Examples,
            () if row.test => Touched::Tests,
            () if row.is_docs_only() => Touched::Docs,
            () => Touched::Code,
        })
        .collect();
    found.extend(diff.files.iter().map(|file| {
        let path = file.file.as_str();
        let lies_in = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
        if lies_in("tests/") || lies_in("benches/") {
            return Touched::Tests;
        }
        if lies_in("examples/") {
            return Touched::Examples;
        }
        match class_of_file(path, is_source(path)) {
            RevisionClass::NoBehaviourChange => Touched::Docs,
            RevisionClass::BuildOnly | RevisionClass::Dependencies => Touched::Build,
            RevisionClass::InternalBehaviour
            | RevisionClass::PublicApiAdded
            | RevisionClass::PublicApiChanged
            | RevisionClass::PublicApiRemoved => Touched::Code,
        }
    }));
    found.extend((!diff.dependencies.is_empty()).then_some(Touched::Dependencies));
    found.extend((!others.features.is_empty()).then_some(Touched::Features));
    found.extend((!others.settings.is_empty()).then_some(Touched::Build));
    found.extend((!others.moves.is_empty()).then_some(Touched::Moves));
    found
}

impl DiffListing {
    /// The listing line by line.
    pub fn records(self) -> impl Iterator<Item = DiffRecord> {
        std::iter::once(DiffRecord::Summary(Box::new(self.summary)))
            .chain(self.items.into_iter().map(|row| DiffRecord::Item(Box::new(row))))
            .chain(self.dependencies.into_iter().map(DiffRecord::Dependency))
            .chain(self.features.into_iter().map(DiffRecord::Feature))
            .chain(self.settings.into_iter().map(DiffRecord::Setting))
            .chain(self.moves.into_iter().map(DiffRecord::Move))
            .chain(self.files.into_iter().map(DiffRecord::File))
            .chain(self.unparsed.into_iter().map(DiffRecord::Unparsed))
    }
}
