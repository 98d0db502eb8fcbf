//! JSON files that are there whole or not at all, and stay there when the machine goes down.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let written = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, value)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The name is durable only when the folder is.
        fs::File::open(folder)?.sync_all()
    };
    written().with_context(|| format!("cannot write `{}`", path.display()))
}

/// `None` where there is no such file.
pub(super) fn read<Value: DeserializeOwned>(path: &Path) -> Result<Option<Value>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).with_context(|| {
            format!("`{}` is damaged; what it holds was paid for: repair it, or remove it", path.display())
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

/// Each file of a folder whose name ends so, by the rest of its name, sorted. A folder that is not there has none.
pub(super) fn names(folder: &Path, ending: &str) -> Result<Vec<String>> {
    let told = || format!("cannot read `{}`", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(told),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.with_context(told)?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(ending)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
