//! What both sides are built and run with: `[upstream.build]` and `[port.environment]`.

use std::path::{Component, Path};

use schemars::JsonSchema;
use serde::Deserialize;

/// `[upstream.build]`: how the upstream is built to be asked what it does. All of it is part of the contract.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BuildSection {
    /// Features to switch on: `NAME` in every package that has it, `PACKAGE/NAME` in one. Default: none.
    pub features: Vec<String>,
    /// Whether the default features are on. Default: true.
    pub default_features: Option<bool>,
    /// Whether arithmetic that overflows panics, and `debug_assert!` is checked. Default: true.
    pub overflow_checks: Option<bool>,
    /// Whether a `Cargo.lock` of the upstream has to fit its manifests, as with `cargo --locked`. Default: true.
    pub locked: Option<bool>,
    /// The Rust toolchain: `upstream`, the one that the upstream's `rust-toolchain.toml` names, where it has one; `host`,
    /// whichever is the default here; or a name that rustup knows, such as `1.85`. Default: `upstream`.
    pub toolchain: Option<String>,
}

/// `[port.environment]`: what the port's code runs with.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EnvironmentSection {
    /// Whether what the port's project files ask for is installed into a virtual environment of its own. Without it
    /// the interpreter is used as it is. Default: true.
    pub provision: Option<bool>,
    /// The interpreter: a program on the search path, or a path from the root of the repository.
    /// Default: `python3`, else `python`.
    pub interpreter: Option<String>,
    /// Groups of dependencies to install beside the port's own: extras, dependency groups, poetry's groups, or
    /// `requirements-NAME.txt`. Default: the first of `test`, `tests`, `testing`, `dev` that is there.
    pub groups: Vec<String>,
    /// The folder of the project files, from the root of the repository. Default: the root.
    pub folder: Option<String>,
}

/// Which Rust toolchain builds the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolchainChoice {
    /// The one that the upstream names.
    Upstream,
    /// The default here.
    Host,
    /// This one.
    Named(String),
}

/// How the upstream is built, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSettings {
    /// Features to switch on, as written.
    pub features: Vec<String>,
    /// Whether the default features are on.
    pub default_features: bool,
    /// Whether arithmetic that overflows panics.
    pub overflow_checks: bool,
    /// Whether the lock file has to fit.
    pub locked: bool,
    /// The toolchain.
    pub toolchain: ToolchainChoice,
}

impl BuildSettings {
    /// Which features are on, for who reads the sources; `None` where they are as Cargo has them by itself.
    pub fn features_told(&self) -> Option<String> {
        let listed = self.features.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let on = match (self.default_features, self.features.is_empty()) {
            (true, true) => return None,
            (true, false) => format!("its default features and {listed}"),
            (false, true) => "none of its features".to_owned(),
            (false, false) => format!("no features but {listed}"),
        };
        Some(format!(
            "The original is built with {on}. What `cfg` switches off in it has no place in the port."
        ))
    }
}

/// What the port runs with, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentSettings {
    /// Whether packages are installed.
    pub provision: bool,
    /// The interpreter, where one is named: a name, or an absolute path.
    pub interpreter: Option<String>,
    /// Groups of dependencies.
    pub groups: Vec<String>,
    /// The folder of the project files, from the root; empty for the root.
    pub folder: String,
}

/// A complaint: below which key, what is wrong, what to write.
pub(super) type Complaint = (&'static str, String, &'static str);

/// Checks how the upstream is built.
pub(super) fn build(section: &BuildSection) -> Result<BuildSettings, Complaint> {
    let is_sign = |sign: char| sign.is_alphanumeric() || ['_', '-', '+', '.'].contains(&sign);
    let is_name = |name: &str| !name.is_empty() && name.chars().all(is_sign);
    for feature in &section.features {
        if !feature.split('/').all(is_name) || feature.matches('/').count() > 1 {
            let message = format!("`{feature}` is no name of a feature");
            return Err(("features", message, "write `NAME` or `PACKAGE/NAME`"));
        }
    }
    let toolchain = match section.toolchain.as_deref() {
        None | Some("upstream") => ToolchainChoice::Upstream,
        Some("host") => ToolchainChoice::Host,
        Some(name) if is_toolchain(name) => ToolchainChoice::Named(name.to_owned()),
        Some(name) => {
            let message = format!("`{name}` is no name of a toolchain");
            return Err((
                "toolchain",
                message,
                "write `upstream`, `host`, or a name such as `1.85` or `stable`",
            ));
        }
    };
    Ok(BuildSettings {
        features: section.features.clone(),
        default_features: section.default_features.unwrap_or(true),
        overflow_checks: section.overflow_checks.unwrap_or(true),
        locked: section.locked.unwrap_or(true),
        toolchain,
    })
}

/// Whether a text can be a toolchain's name: it becomes the value of a variable that rustup reads.
pub fn is_toolchain(name: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&sign);
    name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(is_sign)
}

/// Checks what the port runs with.
pub(super) fn environment(
    section: &EnvironmentSection,
    root: &Path,
) -> Result<EnvironmentSettings, Complaint> {
    let folder = section.folder.clone().unwrap_or_default();
    let stays = Path::new(&folder).components().all(|part| matches!(part, Component::Normal(_)));
    // The port itself need not be there: it may be about to be made.
    if !stays || !(folder.is_empty() || root.join(&folder).is_dir()) {
        let message = format!("`{folder}` is no folder of the port");
        return Err(("folder", message, "name the folder that holds `pyproject.toml` or `requirements.txt`"));
    }
    let interpreter = match section.interpreter.as_deref() {
        Some("") => {
            return Err(("interpreter", "no program is named".to_owned(), "name one, or take the line out"));
        }
        // Its own folder and not where its links lead: that is where its packages are.
        Some(path) if path.contains('/') => Some(root.join(path).to_string_lossy().into_owned()),
        Some(name) => Some(name.to_owned()),
        None => None,
    };
    if section.provision == Some(false) && !section.groups.is_empty() {
        let message = "groups are named, and nothing is installed".to_owned();
        return Err(("groups", message, "take out one of `groups` and `provision = false`"));
    }
    Ok(EnvironmentSettings {
        provision: section.provision.unwrap_or(true),
        interpreter,
        groups: section.groups.clone(),
        folder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_told_where_they_are_not_as_by_default() {
        let told = |default_features, features: &[&str]| {
            let features = features.iter().map(|name| (*name).to_owned()).collect();
            let section = BuildSection { features, default_features, ..BuildSection::default() };
            build(&section).unwrap().features_told().unwrap_or_default()
        };
        assert_eq!(told(None, &[]), "");
        assert!(told(Some(false), &[]).contains("with none of its features."));
        assert!(told(Some(false), &["a", "p/b"]).contains("with no features but `a`, `p/b`."));
        assert!(told(None, &["a"]).contains("with its default features and `a`."));
    }
}
