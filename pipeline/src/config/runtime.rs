//! `runtime` in `[port]`: where the runtime module stands, or that there is none.

use std::path::Path;

use mappings::mapping::ConventionConfig;
use port::repo::check_path;
use port::runtime::{NAME, is_marked};
use schemars::JsonSchema;
use serde::Deserialize;

/// `runtime` as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`runtime` is the path of a file such as \"package/_tl_rt.py\", or false")]
pub enum RuntimeSection {
    /// Whether there may be one.
    Switch(bool),
    /// Its file.
    File(String),
}

/// Where the runtime module stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeSettings {
    /// In this file, from the port's root.
    File(String),
    /// The port has none.
    None {
        /// Why.
        why: String,
    },
}

/// Checks it: the complaint, and what to write.
pub(super) fn resolve(
    section: Option<&RuntimeSection>,
    convention: Option<&ConventionConfig>,
    root: &Path,
) -> Result<RuntimeSettings, (String, String)> {
    let none = |why: &str| Ok(RuntimeSettings::None { why: why.to_owned() });
    match (section, convention) {
        (Some(RuntimeSection::Switch(false)), _) => none("`runtime = false` in `[port]`"),
        (Some(RuntimeSection::File(file)), _) => named(file, root).map(RuntimeSettings::File),
        (section, Some(convention)) => {
            let package = convention.package.replace('.', "/");
            let parts = [convention.root.trim_matches('/'), package.as_str()];
            let folder = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
            match section {
                // A package that is one file has no place for another.
                None if !root.join(&folder).is_dir() => none("the port has no folder of its package"),
                Some(_) | None => Ok(RuntimeSettings::File(format!("{folder}/{NAME}.py"))),
            }
        }
        (Some(RuntimeSection::Switch(true)), None) => Err((
            "there is no `[convention]` that names the port's package".to_owned(),
            format!("write the file, such as `runtime = \"package/{NAME}.py\"`"),
        )),
        (None, None) => none("neither `[convention]` nor `runtime` in `[port]` says where it would stand"),
    }
}

fn named(file: &str, root: &Path) -> Result<String, (String, String)> {
    let help = || format!("name a file of the port's package, such as `package/{NAME}.py`");
    if let Err(bad) = check_path(file) {
        return Err((format!("`{file}` is no path of a file in the port: {bad}"), help()));
    }
    if Path::new(file).extension().is_none_or(|extension| extension != "py") {
        return Err((format!("`{file}` is no Python file"), help()));
    }
    let taken = std::fs::read(root.join(file));
    if taken.is_ok_and(|bytes| !is_marked(&String::from_utf8_lossy(&bytes))) {
        return Err((
            format!("`{file}` is there already, and is not Tidelock's"),
            "name a file that is not there yet: Tidelock writes it".to_owned(),
        ));
    }
    Ok(file.to_owned())
}
