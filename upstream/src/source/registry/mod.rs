//! A crate in a Cargo registry as a source: each release becomes a commit of its own in the mirror.
//!
//! Which registry is asked is Cargo's configuration alone (source replacement, `CARGO_HOME`); no address
//! stands in this code.

mod index;
mod release_commit;
mod replacement;
mod unpack;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

pub(super) use index::demand_tls_provider;
use index::{ArchiveError, IndexAnswer, RegistryClient};
use semver::Version;
use sha2::{Digest, Sha256};
use tame_index::index::IndexConfig;

use super::mirror::{Mirror, stop_if};
use super::state::{MirrorState, Release};
use super::{Notice, SourceError, SourceProgress, SourceSpec, refs};
use crate::ids::RevisionLabel;
use crate::revision::Revision;

/// How many archives are downloaded at once.
const DOWNLOADS_AT_ONCE_MAX: usize = 4;

/// Where Cargo's configuration is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryEnvironment {
    /// Cargo's home folder; where `None`, what Cargo itself would take (`CARGO_HOME`, `~/.cargo`).
    pub cargo_home: Option<PathBuf>,
    /// The folder from which `.cargo/config.toml` is looked for upwards.
    pub working_directory: PathBuf,
}

/// What a poll of a registry is asked for.
pub(super) struct Asked<'asked> {
    pub(super) krate: &'asked str,
    pub(super) pre_releases: bool,
    /// The release from which on archives are downloaded.
    pub(super) since: Option<&'asked RevisionLabel>,
    pub(super) progress: &'asked dyn SourceProgress,
    pub(super) interrupt: &'asked AtomicBool,
}

/// Brings what is new; the answer is what the registry did to its own past.
pub(super) fn poll(
    mirror: &Mirror,
    state: &mut MirrorState,
    asked: &Asked<'_>,
) -> Result<Vec<Notice>, SourceError> {
    let client = RegistryClient::connect(mirror, asked.krate, state.last_poll_s)?;
    asked.progress.asking(asked.krate);
    match client.releases(state.index_version.as_ref(), asked.interrupt)? {
        IndexAnswer::Unchanged => {}
        IndexAnswer::Changed { releases, version } => {
            state.take_index(releases);
            state.index_version = version;
            // Kept at once: what follows can take long, and can be interrupted.
            state.write(mirror.directory())?;
        }
    }
    let mut notices = past_changes(state);
    let since = match asked.since {
        Some(since) => Some(known_release(mirror, state, since)?.version.clone()),
        None => None,
    };
    let wanted = |release: &&Release| {
        let counts = asked.pre_releases || release.version.pre.is_empty();
        match &since {
            Some(since) => release.version == *since || (counts && release.version > *since),
            None => counts,
        }
    };
    let mut missing = Vec::new();
    for release in state.releases.iter().filter(wanted) {
        if !is_downloaded(mirror, release)? {
            missing.push(release);
        }
    }
    notices.extend(download(mirror, &client, &missing, asked)?);
    Ok(notices)
}

/// Whether the index says something else than at the last poll. Nothing is downloaded or written.
pub(super) fn look(mirror: &Mirror, state: &MirrorState, asked: &Asked<'_>) -> Result<bool, SourceError> {
    let client = RegistryClient::connect(mirror, asked.krate, state.last_poll_s)?;
    asked.progress.asking(asked.krate);
    Ok(match client.releases(state.index_version.as_ref(), asked.interrupt)? {
        IndexAnswer::Unchanged => false,
        IndexAnswer::Changed { releases, .. } => {
            let mut after = state.clone();
            after.take_index(releases);
            after.releases != state.releases
        }
    })
}

/// Makes sure that the mirror holds the release that is asked for.
pub(super) fn ensure(
    mirror: &Mirror,
    state: &MirrorState,
    label: &RevisionLabel,
    asked: &Asked<'_>,
) -> Result<Revision, SourceError> {
    let release = known_release(mirror, state, label)?;
    if !is_downloaded(mirror, release)? {
        let client = RegistryClient::connect(mirror, asked.krate, state.last_poll_s)?;
        let notices = download(mirror, &client, &[release], asked)?;
        if let Some(notice) = notices.first() {
            return Err(SourceError::Unreachable {
                source_name: state.source.to_string(),
                reason: notice.to_string(),
                last_poll_s: state.last_poll_s,
            });
        }
    }
    revisions_of(mirror, [release])?.pop().ok_or_else(|| mirror.unknown_revision(label))
}

/// All releases in the mirror, oldest first.
pub(super) fn revisions(
    mirror: &Mirror,
    state: &MirrorState,
    pre_releases: bool,
) -> Result<Vec<Revision>, SourceError> {
    let counts = |release: &&Release| pre_releases || release.version.pre.is_empty();
    revisions_of(mirror, state.releases.iter().filter(counts))
}

/// The releases that the mirror knows by name only, oldest first.
pub(super) fn not_downloaded(
    mirror: &Mirror,
    state: &MirrorState,
) -> Result<Vec<RevisionLabel>, SourceError> {
    let SourceSpec::Registry { pre_releases, .. } = &state.source else { return Ok(Vec::new()) };
    let mut labels = Vec::new();
    for release in &state.releases {
        let counts = *pre_releases || release.version.pre.is_empty();
        if counts && !is_downloaded(mirror, release)? {
            labels.push(label_of(&release.version));
        }
    }
    Ok(labels)
}

/// The place of the first revision that is not older than `since`; `None` where that is no known release.
pub(super) fn position(state: &MirrorState, revisions: &[Revision], since: &RevisionLabel) -> Option<usize> {
    let since: Version = since.as_str().parse().ok()?;
    state.releases.iter().find(|release| release.version == since)?;
    // `since` may be a pre-release where only others are followed, so it is compared and not looked for.
    let is_older =
        |revision: &Revision| revision.label.as_str().parse::<Version>().is_ok_and(|version| version < since);
    Some(revisions.partition_point(is_older))
}

/// Downloads releases, oldest first; the answer names withdrawn ones that cannot be had any more.
fn download(
    mirror: &Mirror,
    client: &RegistryClient<'_>,
    missing: &[&Release],
    asked: &Asked<'_>,
) -> Result<Vec<Notice>, SourceError> {
    let mut notices = Vec::new();
    if missing.is_empty() {
        return Ok(notices);
    }
    let config = client.config(asked.interrupt)?;
    let mut nth = 0;
    for batch in missing.chunks(DOWNLOADS_AT_ONCE_MAX) {
        stop_if(asked.interrupt)?;
        for release in batch {
            nth += 1;
            asked.progress.downloading(&label_of(&release.version), nth, missing.len());
        }
        // Kept in their order, so that an interrupted poll holds the oldest releases and not a random few.
        for (release, archive) in batch.iter().zip(archives(client, &config, batch, asked.interrupt)) {
            let label = label_of(&release.version);
            match archive {
                Ok(archive) => keep(mirror, asked.krate, release, &archive)?,
                Err(ArchiveError::Gone(reason)) if release.withdrawn() => {
                    notices.push(Notice::WithdrawnReleaseUnavailable { label, reason });
                }
                Err(ArchiveError::Gone(reason)) => {
                    return Err(client.unreachable(format!("release {label}: {reason}")));
                }
                Err(ArchiveError::Failed(error)) => return Err(error),
            }
        }
    }
    Ok(notices)
}

/// Downloads a few archives at once: most of the time of each is waiting.
fn archives(
    client: &RegistryClient<'_>,
    config: &IndexConfig,
    batch: &[&Release],
    interrupt: &AtomicBool,
) -> Vec<Result<Vec<u8>, ArchiveError>> {
    std::thread::scope(|scope| {
        let downloads: Vec<_> = batch
            .iter()
            .map(|release| scope.spawn(move || client.archive(config, release, interrupt)))
            .collect();
        let joined = downloads.into_iter().map(|download| {
            download.join().unwrap_or_else(|_panic| {
                Err(ArchiveError::Failed(client.unreachable("a download broke off".to_owned())))
            })
        });
        joined.collect()
    })
}

/// Checks an archive and makes it a commit with a tag. Nothing is written before all of it was checked.
fn keep(mirror: &Mirror, krate: &str, release: &Release, archive: &[u8]) -> Result<(), SourceError> {
    let label = label_of(&release.version);
    let actual = hex::encode(Sha256::digest(archive));
    if actual != release.checksum {
        return Err(SourceError::ChecksumMismatch { label, expected: release.checksum.clone(), actual });
    }
    let files = unpack::unpack(archive, krate, &label)
        .map_err(|reason| SourceError::BadArchive { label: label.clone(), reason: reason.to_string() })?;
    let repo = mirror.repo().local();
    let title = format!("{krate} {label}");
    let commit = release_commit::write(&repo, &files, &title, &release.checksum)?;
    refs::set(&repo, &tag_of(release), &commit)
}

fn past_changes(state: &MirrorState) -> Vec<Notice> {
    let mut notices = Vec::new();
    for release in &state.releases {
        let label = label_of(&release.version);
        if release.deleted {
            notices.push(Notice::ReleaseDeleted { label: label.clone() });
        }
        if let Some(has) = &release.replaced_by {
            notices.push(Notice::ReleaseReplaced { label, had: release.checksum.clone(), has: has.clone() });
        }
    }
    notices
}

fn known_release<'state>(
    mirror: &Mirror,
    state: &'state MirrorState,
    label: &RevisionLabel,
) -> Result<&'state Release, SourceError> {
    let version: Option<Version> = label.as_str().parse().ok();
    version
        .and_then(|version| state.releases.iter().find(|release| release.version == version))
        .ok_or_else(|| mirror.unknown_revision(label))
}

/// The revisions of those releases that the mirror holds.
fn revisions_of<'state>(
    mirror: &Mirror,
    releases: impl IntoIterator<Item = &'state Release>,
) -> Result<Vec<Revision>, SourceError> {
    let tags = mirror.repo().tags()?;
    let held: Vec<_> = releases
        .into_iter()
        .filter_map(|release| Some((release, tags.get(&release.version.to_string())?)))
        .collect();
    let mut revisions = mirror.repo().revisions(held.iter().map(|(_, commit)| *commit))?;
    for (revision, (release, _)) in revisions.iter_mut().zip(held) {
        revision.label = label_of(&release.version);
        revision.published_s = release.published_s;
        revision.withdrawn = release.withdrawn();
    }
    Ok(revisions)
}

fn is_downloaded(mirror: &Mirror, release: &Release) -> Result<bool, SourceError> {
    Ok(refs::get(&mirror.repo().local(), &tag_of(release))?.is_some())
}

fn tag_of(release: &Release) -> String {
    format!("refs/tags/{}", release.version)
}

fn label_of(version: &Version) -> RevisionLabel {
    RevisionLabel::new(version.to_string()).expect("a version is one line of plain characters")
}

/// The paths of an archive, for tests of what archives may hold.
#[cfg(test)]
pub(super) fn unpack_for_test(
    archive: &[u8],
    krate: &str,
    version: &RevisionLabel,
) -> Result<Vec<String>, String> {
    unpack::unpack(archive, krate, version)
        .map(|files| files.into_keys().collect())
        .map_err(|refused| refused.to_string())
}
