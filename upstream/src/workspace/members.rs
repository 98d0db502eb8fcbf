//! Which manifests make a workspace: its patterns, its excludes, and path dependencies, which join by themselves.

use std::collections::{BTreeMap, BTreeSet};

use glob::{MatchOptions, Pattern};
use toml::Table;

use super::Survey;
use super::dependencies::{Folders, dependencies};
use super::manifest::{WithShared, texts};
use super::model::{Origin, Patterns};
use crate::snapshot::sources::{folder_of, join};
use crate::tree::TreeError;

/// The most packages of one revision.
pub(super) const PACKAGES_MAX: usize = 10_000;
/// A star matches no slash, as Cargo has it.
const BY_SEGMENT: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The lists of a `[workspace]` table.
pub(super) fn patterns(workspace: &Table) -> Patterns {
    Patterns {
        members: texts(workspace.get("members")),
        exclude: texts(workspace.get("exclude")),
        default_members: workspace.get("default-members").map(|list| texts(Some(list))),
    }
}

/// A workspace's folders, before its packages are read.
pub(super) struct Found {
    pub(super) members: BTreeSet<String>,
    pub(super) default_members: Vec<String>,
}

/// Whether a workspace at this folder leaves another folder out: what `members` names by its beginning stays.
pub(super) fn is_excluded(root: &str, patterns: &Patterns, folder: &str) -> bool {
    let below = |list: &[String]| {
        list.iter().filter_map(|text| join(root, text)).any(|above| is_below(folder, &above))
    };
    below(&patterns.exclude) && !below(&patterns.members)
}

/// Whether a folder is another one or lies in it.
pub(super) fn is_below(folder: &str, above: &str) -> bool {
    above.is_empty()
        || folder == above
        || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// The members of the workspace at this folder.
pub(super) fn members(
    survey: &mut Survey<'_, '_>,
    root: &str,
    patterns: &Patterns,
) -> Result<Found, TreeError> {
    let mut members = BTreeSet::new();
    let mut wanted = Vec::new();
    for folder in expanded(survey, root, &patterns.members) {
        wanted.push((folder, "workspace member".to_owned(), false));
    }
    wanted.push((root.to_owned(), String::new(), false));
    wanted.reverse();
    while let Some((folder, why, is_dependency)) = wanted.pop() {
        if members.contains(&folder) {
            continue;
        }
        let is_elsewhere = !is_below(&folder, root);
        if is_dependency && is_elsewhere && survey.root_of(&folder)?.as_deref() != Some(root) {
            continue;
        }
        if is_excluded(root, patterns, &folder) {
            continue;
        }
        if members.len() >= PACKAGES_MAX {
            survey.problem(root, format!("more than {PACKAGES_MAX} members: the rest is not read"));
            break;
        }
        if !survey.load(&folder)? {
            let at = if folder.is_empty() { "the root" } else { &folder };
            survey.problem(root, format!("{why} `{at}` has no manifest that can be read"));
            survey.unusable.push((root.to_owned(), folder));
            continue;
        }
        members.insert(folder.clone());
        wanted.extend(path_dependencies(survey, root, &folder));
    }
    let default_members = default_members(survey, root, patterns, &members);
    Ok(Found { members, default_members })
}

/// The folders that a package depends on by path, with what leads to them.
fn path_dependencies(survey: &Survey<'_, '_>, root: &str, folder: &str) -> Vec<(String, String, bool)> {
    let Some(own) = survey.manifest(folder).filter(|manifest| manifest.package().is_some()) else {
        return Vec::new();
    };
    let shared = survey.manifest(root).and_then(|manifest| manifest.workspace());
    let folders = Folders { package: folder, workspace: root };
    let all = dependencies(&WithShared { own, shared }, folders);
    let path = |origin: Origin| match origin {
        Origin::Path { folder } => folder,
        Origin::CratesIo | Origin::Registry(_) | Origin::Git { .. } => None,
    };
    let found = all.into_iter().filter_map(|it| Some((it.name, path(it.origin)?)));
    let mut found: Vec<(String, String, bool)> =
        found.map(|(name, path)| (path, format!("the dependency `{name}` of `{folder}` at"), true)).collect();
    found.reverse();
    found
}

/// The folders that patterns stand for; a pattern that matches nothing stands for itself.
fn expanded(survey: &mut Survey<'_, '_>, root: &str, patterns: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for text in patterns {
        let Some(path) = join(root, text) else {
            survey.problem(root, format!("`{text}` leads out of the repository"));
            continue;
        };
        let pattern = match Pattern::new(&path) {
            Ok(pattern) => pattern,
            Err(error) => {
                survey.problem(root, format!("`{text}` is no pattern: {error}"));
                continue;
            }
        };
        let matching: Vec<String> = if path.contains(['*', '?', '[']) {
            let fits = |folder: &&str| pattern.matches_with(folder, BY_SEGMENT);
            let folders = survey.folders.iter().copied().filter(fits);
            folders.filter(|folder| survey.sources.folder(folder).is_some()).map(str::to_owned).collect()
        } else {
            Vec::new()
        };
        if matching.is_empty() {
            all.push(path);
        } else {
            all.extend(matching);
        }
    }
    all
}

fn default_members(
    survey: &mut Survey<'_, '_>,
    root: &str,
    patterns: &Patterns,
    members: &BTreeSet<String>,
) -> Vec<String> {
    let Some(written) = &patterns.default_members else {
        let has_package = survey.manifest(root).is_some_and(|manifest| manifest.package().is_some());
        return if has_package { vec![root.to_owned()] } else { members.iter().cloned().collect() };
    };
    let mut found = BTreeSet::new();
    for folder in expanded(survey, root, written) {
        if members.contains(&folder) {
            found.insert(folder);
        } else if !is_excluded(root, patterns, &folder) {
            survey.problem(root, format!("the default member `{folder}` is no member"));
        }
    }
    found.into_iter().collect()
}

/// The workspace around each folder: the nearest above that does not exclude it, or the one its manifest names.
pub(super) fn root_of(
    survey: &mut Survey<'_, '_>,
    folder: &str,
    known: &BTreeMap<String, Patterns>,
) -> Result<Option<String>, TreeError> {
    if known.contains_key(folder) {
        return Ok(Some(folder.to_owned()));
    }
    let mut at = folder;
    loop {
        if let Some(patterns) = known.get(at)
            && !is_excluded(at, patterns, folder)
        {
            return Ok(Some(at.to_owned()));
        }
        if survey.load(at)? {
            let named =
                survey.manifest(at).and_then(|manifest| manifest.package()?.get("workspace")?.as_str());
            if let Some(named) = named.and_then(|named| join(at, named)) {
                return Ok(Some(named));
            }
        }
        if at.is_empty() {
            return Ok(None);
        }
        at = folder_of(at);
    }
}
