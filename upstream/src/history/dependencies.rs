//! What changed between two versions of `Cargo.toml` and of `Cargo.lock`.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::diff::DependencyChange;
use crate::scan::compare::{common_prefix, common_suffix};

/// Tables of a manifest that hold dependencies.
const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Dependencies by who depends on what.
type Requirements = BTreeMap<(String, String), String>;

/// A manifest, whose requirements are read when they are asked for: most changes of a manifest are of its
/// version, and those need no parser.
#[derive(Debug)]
pub(crate) struct Manifest {
    text: String,
    folder: String,
    requirements: OnceCell<Option<Requirements>>,
}

impl Manifest {
    /// `None` for what is no text.
    pub(crate) fn new(bytes: &[u8], folder: &str) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        Some(Self { text: text.to_owned(), folder: folder.to_owned(), requirements: OnceCell::new() })
    }

    fn requirements(&self) -> Option<&Requirements> {
        let read = || Some(requirements(&self.text.parse().ok()?, &self.folder));
        self.requirements.get_or_init(read).as_ref()
    }
}

/// Requirements that differ between two manifests; `None` where one of them is no TOML.
pub(crate) fn of_manifests(
    before: Option<&Manifest>,
    after: Option<&Manifest>,
) -> Option<Vec<DependencyChange>> {
    let nothing = Manifest { text: String::new(), folder: String::new(), requirements: OnceCell::new() };
    let (before, after) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
    if requirement_lines(&before.text).eq(requirement_lines(&after.text)) {
        return Some(Vec::new());
    }
    Some(differences(before.requirements()?, after.requirements()?))
}

/// The lines of a manifest in which requirements can stand, and the name of the package that has them.
fn requirement_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut in_table = false;
    text.lines().filter(move |line| {
        if line.trim_start().starts_with('[') {
            in_table = line.contains("dependencies");
        }
        in_table || line.contains("dependencies") || line.trim_start().starts_with("name")
    })
}

/// Versions that differ between two lock files.
///
/// Lock files are long, written by Cargo alone, and always laid out the same (The Cargo Book, *Cargo.toml vs
/// Cargo.lock*), so only the part that differs is read, line by line.
pub(crate) fn of_locks(before: Option<&[u8]>, after: Option<&[u8]>) -> Vec<DependencyChange> {
    let (before, after) = differing(before.unwrap_or_default(), after.unwrap_or_default());
    locked_differences(before, after)
}

/// [`of_locks`] of files that are read to their ends.
fn locked_differences(before: &[u8], after: &[u8]) -> Vec<DependencyChange> {
    let (before, after) = (locked(before), locked(after));
    let mut old = before.chunk_by(|one, other| one.name == other.name).peekable();
    let mut new = after.chunk_by(|one, other| one.name == other.name).peekable();
    let versions = |packages: &[Locked<'_>]| {
        packages.iter().map(|package| String::from_utf8_lossy(package.version)).collect::<Vec<_>>().join(", ")
    };
    let mut changes = Vec::new();
    while let Some(next) = [old.peek(), new.peek()].into_iter().flatten().map(|it| name_of(it)).min() {
        let before = old.next_if(|packages| name_of(packages) == next);
        let after = new.next_if(|packages| name_of(packages) == next);
        if before != after {
            changes.push(DependencyChange {
                package: "Cargo.lock".to_owned(),
                dependency: String::from_utf8_lossy(next).into_owned(),
                before: before.map(versions),
                after: after.map(versions),
            });
        }
    }
    changes
}

/// What begins each package of a lock file.
const PACKAGE: &[u8] = b"[[package]]\n";

/// Two lock files without the packages that are the same at their beginnings and ends. Packages of one name
/// stand together and stay together.
fn differing<'a>(before: &'a [u8], after: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let common = common_prefix(before, after);
    let mut start = package_before(before, common);
    while start > 0 {
        let earlier = package_before(before, start - 1);
        let name = name_at(before, earlier);
        if name.is_empty() || (name != name_at(before, start) && name != name_at(after, start)) {
            break;
        }
        start = earlier;
    }
    let (before, after) = (before.get(start..).unwrap_or_default(), after.get(start..).unwrap_or_default());
    let common = common_suffix(before, after);
    // Cut where a package begins that has another name than the one before it on both sides.
    let mut cut = before.len() - common;
    while let Some(next) = package_behind(before, cut) {
        let name = name_at(before, next);
        let last = |text: &[u8], end: usize| -> bool {
            let at = package_before(text, end.saturating_sub(1));
            name_at(text, at) == name
        };
        let end_after = after.len() - (before.len() - next);
        if !last(before, next) && !last(after, end_after) {
            return (before.get(..next).unwrap_or_default(), after.get(..end_after).unwrap_or_default());
        }
        cut = next + 1;
    }
    (before, after)
}

/// Where the package begins that covers a place, or the beginning of the text.
fn package_before(text: &[u8], at: usize) -> usize {
    let mut at = at.min(text.len());
    loop {
        if text.get(at..).is_some_and(|rest| rest.starts_with(PACKAGE)) || at == 0 {
            return at;
        }
        at = text.get(..at).and_then(|before| before.iter().rposition(|byte| *byte == b'[')).unwrap_or(0);
    }
}

/// Where the first package at or behind a place begins.
fn package_behind(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with(PACKAGE) {
            return Some(at);
        }
        at += 1 + rest.get(1..)?.iter().position(|byte| *byte == b'[')?;
    }
}

/// The line with the name of the package that begins here.
fn name_at(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).and_then(|rest| rest.strip_prefix(PACKAGE)).unwrap_or_default();
    rest.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

fn differences(old: &Requirements, new: &Requirements) -> Vec<DependencyChange> {
    let keys: BTreeSet<&(String, String)> = old.keys().chain(new.keys()).collect();
    let change = |key: &(String, String)| DependencyChange {
        package: key.0.clone(),
        dependency: key.1.clone(),
        before: old.get(key).cloned(),
        after: new.get(key).cloned(),
    };
    keys.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

fn requirements(manifest: &Table, folder: &str) -> Requirements {
    let folder = if folder.is_empty() { "workspace" } else { folder };
    let package = manifest.get("package").and_then(|it| it.get("name")).and_then(Value::as_str);
    let package = package.unwrap_or(folder).to_owned();
    let mut found = Requirements::new();
    let mut add = |table: Option<&Value>, mark: &str| {
        for (name, value) in table.and_then(Value::as_table).into_iter().flatten() {
            found.insert((package.clone(), format!("{name}{mark}")), requirement(value));
        }
    };
    for (table, mark) in TABLES.into_iter().zip(["", " (dev)", " (build)"]) {
        add(manifest.get(table), mark);
    }
    add(manifest.get("workspace").and_then(|it| it.get("dependencies")), " (workspace)");
    for (target, tables) in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        for table in TABLES {
            add(tables.get(table), &format!(" ({target})"));
        }
    }
    found
}

/// A requirement on one line: a version alone, or the table as written.
fn requirement(value: &Value) -> String {
    match value {
        Value::String(version) => version.clone(),
        Value::Table(table) => {
            let entries: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            entries.join(", ")
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => {
            value.to_string()
        }
    }
}

/// One package of a lock file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Locked<'text> {
    name: &'text [u8],
    version: &'text [u8],
}

/// The name that several versions share.
fn name_of<'text>(packages: &[Locked<'text>]) -> &'text [u8] {
    packages.first().map(|package| package.name).unwrap_or_default()
}

/// The packages of a lock file, sorted.
fn locked(text: &[u8]) -> Vec<Locked<'_>> {
    let mut packages = Vec::new();
    let (mut begin, mut name, mut in_package) = (0, None, false);
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        let line = text.get(begin..end).unwrap_or_default();
        begin = end + 1;
        let quoted = |key: &[u8]| line.strip_prefix(key)?.strip_suffix(b"\"");
        match line.first() {
            Some(b'[') => {
                // Unused patches have names and versions as well, in `[[patch.unused]]`.
                // Before 2017 the package of the root had a table of its own.
                in_package = matches!(line, b"[[package]]" | b"[root]");
                name = None;
            }
            Some(b'n') if in_package => name = quoted(b"name = \"").or(name),
            Some(b'v') => {
                if let (Some(version), Some(name)) = (quoted(b"version = \""), name.take()) {
                    packages.push(Locked { name, version });
                }
            }
            Some(_) | None => {}
        }
    }
    packages.sort_unstable();
    packages
}

/// Shortcuts and what they stand for, side by side: they must say the same.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod both_ways {
    use super::*;

    /// What two manifests differ in: by the lines that can tell, and by all of them.
    pub(crate) fn requirements(
        before: &[u8],
        after: &[u8],
    ) -> (Option<Vec<DependencyChange>>, Option<Vec<DependencyChange>>) {
        let manifest = |bytes: &[u8]| Manifest::new(bytes, "");
        let both = manifest(before).zip(manifest(after));
        let Some((before, after)) = both else { return (None, None) };
        let whole = before.requirements().zip(after.requirements());
        (of_manifests(Some(&before), Some(&after)), whole.map(|(old, new)| differences(old, new)))
    }

    /// What two lock files differ in: by the part that differs, and by the whole. `None` where one of them is not laid
    /// out as Cargo writes it: no TOML, or packages out of order.
    pub(crate) fn versions(
        before: &[u8],
        after: &[u8],
    ) -> Option<(Vec<DependencyChange>, Vec<DependencyChange>)> {
        let is_laid_out = |bytes: &[u8]| {
            let table: Table = std::str::from_utf8(bytes).ok()?.parse().ok()?;
            let packages = table.get("package").and_then(Value::as_array)?;
            let names: Vec<&str> = packages
                .iter()
                .map(|package| package.get("name").and_then(Value::as_str))
                .collect::<Option<_>>()?;
            names.is_sorted().then_some(())
        };
        is_laid_out(before)?;
        is_laid_out(after)?;
        Some((of_locks(Some(before), Some(after)), locked_differences(before, after)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_requirement_that_differs_is_told_with_both_sides() {
        let before = b"[package]\nname = \"pool\"\n[dependencies]\nserde = \"1\"\nlog = \"0.4\"\n";
        let after = b"[package]\nname = \"pool\"\n[dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n[dev-dependencies]\nlog = \"0.4\"\n";
        let manifest = |bytes: &[u8]| Manifest::new(bytes, "pool").unwrap();
        let changes = of_manifests(Some(&manifest(before)), Some(&manifest(after))).unwrap();
        let told: Vec<_> = changes
            .iter()
            .map(|it| format!("{} {:?} -> {:?}", it.dependency, it.before.as_deref(), it.after.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                "log Some(\"0.4\") -> None",
                "log (dev) None -> Some(\"0.4\")",
                "serde Some(\"1\") -> Some(\"features = [\\\"derive\\\"], version = \\\"1\\\"\")",
            ]
        );
    }

    #[test]
    fn a_manifest_that_is_no_toml_is_unknown_rather_than_empty() {
        let broken = Manifest::new(b"[dependencies", "").unwrap();
        assert_eq!(of_manifests(Some(&broken), None), None);
        assert!(Manifest::new(&[0xff], "").is_none());
    }

    #[test]
    fn a_lock_tells_versions_that_came_and_went() {
        let before = b"version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
        let after = b"version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        let changes = of_locks(Some(before), Some(after));
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].after.as_deref(), Some("1.0.0, 2.0.0"));
        let unused = [before, &b"\n[[patch.unused]]\nname = \"a\"\nversion = \"2.0.0\"\n"[..]].concat();
        assert_eq!(of_locks(Some(before), Some(&unused)), []);
    }

    proptest! {
        /// Leaving out what is the same at both ends changes no answer.
        #[test]
        fn the_part_that_differs_tells_what_the_whole_tells(
            old in proptest::collection::btree_set(("[ab]{1,2}", 0..4_u8), 0..6),
            new in proptest::collection::btree_set(("[ab]{1,2}", 0..4_u8), 0..6),
        ) {
            let lock = |packages: &BTreeSet<(String, u8)>| {
                let entry = |(name, version): &(String, u8)| {
                    format!("[[package]]\nname = \"{name}\"\nversion = \"{version}.0.0\"\ndependencies = [\n \"a\",\n]\n\n")
                };
                format!("version = 4\n\n{}", packages.iter().map(entry).collect::<String>()).into_bytes()
            };
            let (old, new) = (lock(&old), lock(&new));
            prop_assert_eq!(of_locks(Some(&old), Some(&new)), locked_differences(&old, &new));
        }
    }
}
