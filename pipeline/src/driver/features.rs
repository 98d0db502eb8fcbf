//! Which features of a package are switched on, by what `[upstream.build]` names.

use std::collections::BTreeSet;

use port::contract::BuildProfile;
use upstream::Snapshot;
use upstream::snapshot::Package;

use crate::config::building::BuildSettings;

/// How a package is built; the reason where the configuration names a feature that no package has.
pub(super) fn profile_of(
    settings: &BuildSettings,
    manifest: &dyn Fn(&Package) -> String,
    snapshot: &Snapshot,
    package: &Package,
) -> Result<BuildProfile, String> {
    let declared = |package: &Package| features_in(&manifest(package));
    let own = declared(package);
    let mut features = Vec::new();
    for named in &settings.features {
        let (of, name) = match named.split_once('/') {
            Some((of, name)) => (Some(of), name),
            None => (None, named.as_str()),
        };
        let is_meant = |package: &Package| of.is_none_or(|of| of == package.name);
        if is_meant(package) && own.contains(name) {
            features.push(name.to_owned());
        } else if !snapshot.packages.iter().any(|other| is_meant(other) && declared(other).contains(name)) {
            return Err(format!(
                "no package of the upstream has the feature `{named}` at {}, which `features` in `[upstream.build]` names",
                snapshot.revision.label
            ));
        }
    }
    Ok(BuildProfile {
        overflow_checks: settings.overflow_checks,
        features,
        default_features: settings.default_features,
        locked: settings.locked,
    })
}

/// The features that a manifest declares, optional dependencies among them. One that cannot be read declares none: the
/// build will say what is wrong with it.
fn features_in(manifest: &str) -> BTreeSet<String> {
    let table: toml::Table = manifest.parse().unwrap_or_default();
    let below = |key: &str| table.get(key).and_then(toml::Value::as_table);
    let is_optional = |dependency: &toml::Value| {
        dependency.get("optional").and_then(toml::Value::as_bool).unwrap_or_default()
    };
    let features = below("features").into_iter().flat_map(|features| features.keys().cloned());
    let dependencies = below("dependencies").into_iter().flatten();
    let optional =
        dependencies.filter(|(_, dependency)| is_optional(dependency)).map(|(name, _)| name.clone());
    features.chain(optional).collect()
}

#[cfg(test)]
mod tests {
    use super::features_in;

    #[test]
    fn features_and_optional_dependencies_are_declared() {
        let manifest = "[features]\nfast = []\n[dependencies]\nserde = { version = \"1\", optional = true }\nlog = \"1\"\n";
        assert_eq!(features_in(manifest).into_iter().collect::<Vec<_>>(), ["fast", "serde"]);
        assert!(features_in("[features").is_empty(), "the build says what is wrong with it");
    }
}
