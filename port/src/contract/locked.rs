//! Whether a build took the versions that the upstream's lock file names.
//!
//! Cargo's own `--locked` would refuse every one: the driver is a package that no lock file of the upstream's knows.

use std::collections::BTreeSet;

/// How many versions are named.
const NAMED_MAX: usize = 5;

/// What was built of packages outside the upstream, and is not what its lock file says; `None` where it fits.
pub(super) fn drifted(locked: &str, built: &str) -> Option<String> {
    let Some(locked) = versions(locked) else { return Some("it cannot be read".to_owned()) };
    // Cargo wrote this one: a form that is not known here says nothing against the upstream.
    let other: Vec<String> = versions(built)?.difference(&locked).cloned().collect();
    let named = other.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    let rest = if other.len() > NAMED_MAX {
        format!(" and {} more", other.len() - NAMED_MAX)
    } else {
        String::new()
    };
    (!other.is_empty()).then(|| format!("it does not fit the manifests, which take {named}{rest}"))
}

/// The packages that come from elsewhere, as `name version`.
fn versions(text: &str) -> Option<BTreeSet<String>> {
    let table: toml::Table = text.parse().ok()?;
    let packages =
        table.get("package").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let version = |package: &toml::Value| {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        text("source")?;
        Some(format!("{} {}", text("name")?, text("version")?))
    };
    Some(packages.iter().filter_map(version).collect())
}

#[cfg(test)]
mod tests {
    use super::drifted;

    fn lock(packages: &[(&str, &str, bool)]) -> String {
        let package = |(name, version, elsewhere): &(&str, &str, bool)| {
            let source = if *elsewhere { "source = \"registry+https://localhost\"\n" } else { "" };
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}")
        };
        format!("version = 4\n{}", packages.iter().map(package).collect::<String>())
    }

    #[test]
    fn only_versions_from_elsewhere_that_are_not_locked_count() {
        let locked = lock(&[("own", "0.1.0", false), ("a", "1.0.0", true), ("unused", "2.0.0", true)]);
        assert_eq!(drifted(&locked, &lock(&[("own", "0.2.0", false), ("driver", "0.0.0", false)])), None);
        assert_eq!(drifted(&locked, &lock(&[("a", "1.0.0", true)])), None);
        assert_eq!(
            drifted(&locked, &lock(&[("a", "1.0.1", true), ("b", "3.0.0", true)])).unwrap(),
            "it does not fit the manifests, which take a 1.0.1, b 3.0.0"
        );
        assert_eq!(drifted("[[package", &locked).unwrap(), "it cannot be read");
    }
}
