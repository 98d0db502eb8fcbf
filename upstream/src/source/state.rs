//! What a mirror knows beside its git objects, in one small file that is replaced as a whole.
//!
//! Format 1 is JSON. A file of another format, or of another source, is refused and never overwritten.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use semver::Version;
use serde::{Deserialize, Serialize};

use super::{SourceError, SourceSpec};
use crate::ids::{CommitId, RevisionLabel};

const FILE_NAME: &str = "tidelock-source.json";
const FORMAT: u32 = 1;

/// What a mirror knows beside its git objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MirrorState {
    format: u32,
    /// What is mirrored.
    pub(super) source: SourceSpec,
    /// When the source last answered, in seconds since the Unix epoch.
    pub(super) last_poll_s: Option<i64>,
    /// The branch that is followed, where the source does not name it.
    pub(super) default_branch: Option<String>,
    /// The tags that the remote has no more.
    pub(super) deleted_tags: Vec<String>,
    /// The version tag of the index entry that `releases` was read from.
    pub(super) index_version: Option<IndexVersion>,
    /// All releases ever seen, in version order.
    pub(super) releases: Vec<Release>,
    /// What the last poll saw, so that the next look can tell whether anything changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<Seen>,
}

/// What a poll saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    /// The SHA-256 of the references that count, as the remote listed them; empty for a registry.
    pub(super) listing: String,
    /// The newest revision that is not withdrawn.
    pub(super) newest: Option<(RevisionLabel, CommitId)>,
    /// What the poll said that nobody should follow blindly.
    pub(super) notices: Vec<String>,
}

/// By what a server recognises an answer that it gave before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IndexVersion {
    /// The `ETag` header.
    Etag(String),
    /// The `Last-Modified` header.
    LastModified(String),
}

/// One release of a crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    /// Its version.
    #[serde(with = "version_text")]
    pub(super) version: Version,
    /// The SHA-256 of its archive when it was first seen, in lower-case hexadecimal digits.
    pub(super) checksum: String,
    /// Whether it was yanked.
    pub(super) yanked: bool,
    /// When it was published, in seconds since the Unix epoch, where the index says so.
    pub(super) published_s: Option<i64>,
    /// Whether the index has it no more.
    #[serde(default)]
    pub(super) deleted: bool,
    /// The checksum that the index has now, where that is another one.
    #[serde(default)]
    pub(super) replaced_by: Option<String>,
}

impl MirrorState {
    pub(super) fn new(source: SourceSpec) -> Self {
        Self {
            format: FORMAT,
            source,
            last_poll_s: None,
            default_branch: None,
            deleted_tags: Vec::new(),
            index_version: None,
            releases: Vec::new(),
            seen: None,
        }
    }

    /// Reads the state of the mirror in a folder; `None` where there is none yet.
    pub(super) fn read(directory: &Path, source: &SourceSpec) -> Result<Option<Self>, SourceError> {
        let path = Self::path(directory);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SourceError::Io { path, source: error }),
        };
        let other = |reason: String| SourceError::NotThisMirror {
            path: directory.to_owned(),
            expected: source.to_string(),
            reason,
        };
        let format: FormatOnly = serde_json::from_str(&text)
            .map_err(|error| other(format!("`{FILE_NAME}` cannot be read: {error}")))?;
        if format.format != FORMAT {
            return Err(other(format!("`{FILE_NAME}` has format {}, not {FORMAT}", format.format)));
        }
        let state: Self = serde_json::from_str(&text)
            .map_err(|error| other(format!("`{FILE_NAME}` cannot be read: {error}")))?;
        if &state.source != source {
            return Err(other(format!("it mirrors `{}`", state.source)));
        }
        Ok(Some(state))
    }

    /// Writes the state beside its old text and renames it over that.
    pub(super) fn write(&self, directory: &Path) -> Result<(), SourceError> {
        let path = Self::path(directory);
        let failed = |source| SourceError::Io { path: path.clone(), source };
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Takes what the index says now; releases that were known keep the checksum they were first seen with.
    pub(super) fn take_index(&mut self, index: Vec<Release>) {
        let mut merged: BTreeMap<Version, Release> = std::mem::take(&mut self.releases)
            .into_iter()
            .map(|known| (known.version.clone(), Release { deleted: true, ..known }))
            .collect();
        for release in index {
            let release = match merged.remove(&release.version) {
                Some(known) if known.checksum != release.checksum => {
                    Release { checksum: known.checksum, replaced_by: Some(release.checksum), ..release }
                }
                Some(_) | None => release,
            };
            merged.insert(release.version.clone(), release);
        }
        self.releases = merged.into_values().collect();
    }

    fn path(directory: &Path) -> PathBuf {
        directory.join(FILE_NAME)
    }
}

impl Release {
    /// Whether its authors took it back.
    pub(super) fn withdrawn(&self) -> bool {
        self.yanked || self.deleted
    }
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

mod version_text {
    use semver::Version;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(version)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
