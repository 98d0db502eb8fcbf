//! `tidelock.toml`: found, read, checked, and resolved once into [`Settings`].

pub mod alert;
pub mod bench;
mod budget;
pub mod building;
mod chain_file;
pub mod daemon;
mod diagnostic;
pub mod env;
mod file;
pub mod forge;
mod parity;
mod price;
mod runtime;
mod session;
mod settings;
mod span;
pub mod watch;

use std::path::{Path, PathBuf};

pub use chain_file::ChainSettings;
pub use diagnostic::ConfigError;
pub use file::ConfigFile;
pub use price::Prices;
pub use runtime::RuntimeSettings;
pub use settings::{
    Author, BatchSettings, BestOf, CONFIG_VERSION, ChainEntry, LandMode, ModelAccess, ModelSettings,
    Settings, TimingSettings,
};

/// The name of the configuration file.
pub const CONFIG_NAME: &str = "tidelock.toml";

/// The configuration file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is none here or above.
    #[error("there is no `{CONFIG_NAME}` in `{}` or above it", .from.display())]
    Missing {
        /// Where the search began.
        from: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says something that cannot be.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
}

/// Finds the configuration in a folder or above it, and reads it.
pub fn load(from: &Path) -> Result<Settings, LoadError> {
    let from = std::path::absolute(from).unwrap_or_else(|_no_current_folder| from.to_owned());
    let path = from
        .ancestors()
        .map(|folder| folder.join(CONFIG_NAME))
        .find(|path| path.is_file())
        .ok_or(LoadError::Missing { from })?;
    let text = std::fs::read_to_string(&path)
        .map_err(|source| LoadError::Unreadable { path: path.clone(), source })?;
    Ok(read(&path, &text, env::folder("TIDELOCK_STATE"))?)
}

/// Reads a configuration from its text; `path` says where it is, `state` where the state is to be.
pub fn read(path: &Path, text: &str, state: Option<PathBuf>) -> Result<Settings, ConfigError> {
    let file: ConfigFile = toml::from_str(text).map_err(|error| parse_error(path, text, &error))?;
    settings::resolve(path, text, &file, state)
}

/// Something that the format itself does not allow.
fn parse_error(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let message = error.message().to_owned();
    let help = if message.starts_with("unknown field") {
        "write one of the names above, or take it out"
    } else {
        "docs/configuration.md shows what belongs here"
    };
    ConfigError::at(path, text, error.span(), message, help)
}

#[cfg(test)]
mod tests;
