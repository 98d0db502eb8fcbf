//! Which features of a package are switched on, by what `[upstream.build]` names.

use std::collections::BTreeSet;
use std::path::Path;

use port::contract::BuildProfile;
use upstream::Snapshot;
use upstream::snapshot::Package;

use crate::config::building::BuildSettings;

/// How a package is built; the reason where the configuration names a feature that no package has.
pub(super) fn profile_of(
    settings: &BuildSettings,
    source: &Path,
    snapshot: &Snapshot,
    package: &Package,
) -> Result<BuildProfile, String> {
    let declared = |package: &Package| features_in(&source.join(&package.folder).join("Cargo.toml"));
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
fn features_in(manifest: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
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
