//! What changed between two versions of `Cargo.toml` and of `Cargo.lock`.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::diff::DependencyChange;

/// Tables of a manifest that hold dependencies.
const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Dependencies by who depends on what.
type Requirements = BTreeMap<(String, String), String>;

/// Requirements that differ between two manifests; `None` where one of them is no TOML.
pub(super) fn of_manifests(
    before: Option<&[u8]>,
    after: Option<&[u8]>,
    folder: &str,
) -> Option<Vec<DependencyChange>> {
    let read = |bytes: Option<&[u8]>| match bytes {
        None => Some(Requirements::new()),
        Some(bytes) => Some(requirements(&std::str::from_utf8(bytes).ok()?.parse().ok()?, folder)),
    };
    Some(differences(&read(before)?, &read(after)?))
}

/// Versions that differ between two lock files.
pub(super) fn of_locks(before: Option<&[u8]>, after: Option<&[u8]>) -> Vec<DependencyChange> {
    differences(&locked(before.unwrap_or_default()), &locked(after.unwrap_or_default()))
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

/// The packages of a lock file with their versions, read line by line: lock files are long, written by
/// Cargo alone, and always laid out the same (The Cargo Book, *Cargo.toml vs Cargo.lock*).
fn locked(bytes: &[u8]) -> Requirements {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = None;
    for line in String::from_utf8_lossy(bytes).lines() {
        let quoted =
            |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned);
        if line == "[[package]]" {
            name = None;
        } else if let Some(found) = quoted("name") {
            name = Some(found);
        } else if let (Some(version), Some(name)) = (quoted("version"), name.take()) {
            versions.entry(name).or_default().push(version);
        }
    }
    versions
        .into_iter()
        .map(|(name, mut all)| {
            all.sort();
            (("Cargo.lock".to_owned(), name), all.join(", "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_requirement_that_differs_is_told_with_both_sides() {
        let before = b"[package]\nname = \"pool\"\n[dependencies]\nserde = \"1\"\nlog = \"0.4\"\n";
        let after = b"[package]\nname = \"pool\"\n[dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n[dev-dependencies]\nlog = \"0.4\"\n";
        let changes = of_manifests(Some(before), Some(after), "pool").unwrap();
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
        assert_eq!(of_manifests(Some(b"[dependencies"), None, ""), None);
    }

    #[test]
    fn a_lock_tells_versions_that_came_and_went() {
        let before = b"version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
        let after = b"version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        let changes = of_locks(Some(before), Some(after));
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].after.as_deref(), Some("1.0.0, 2.0.0"));
    }
}
