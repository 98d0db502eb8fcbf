//! Asks a sparse Cargo registry, over HTTP, which releases a crate has, and downloads their archives.
//!
//! The index library reads Cargo's configuration, makes the request and reads the answer; this file carries
//! them. Answers are bounded and believed only as far as they parse.

use std::io::Read;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::{StatusCode, header};
use semver::Version;
use tame_index::index::sparse::HttpRevision;
use tame_index::index::{FileLock, IndexConfig};
use tame_index::{IndexKrate, IndexLocation, IndexPath, IndexUrl, IndexVersion, KrateName, SparseIndex};

use super::{RegistryEnvironment, replacement};
use crate::repo::whole_message;
use crate::source::SourceError;
use crate::source::mirror::{Mirror, stop_if};
use crate::source::state::{self, Release};

/// The largest index entry that is read; the largest there is has a few megabytes.
const INDEX_BYTES_MAX: usize = 64 << 20;
/// The largest `config.json` that is read.
const CONFIG_BYTES_MAX: usize = 1 << 20;
/// The largest archive that is read; the public registry takes 10 MiB.
const ARCHIVE_BYTES_MAX: usize = 128 << 20;
/// How often a request is tried while the registry does not answer or is overloaded.
const ATTEMPTS_MAX: u32 = 3;
/// How long to wait before the second attempt; twice as long before each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest that the registry may be silent.
const SILENCE_TIMEOUT: Duration = Duration::from_mins(1);
/// How much of an answer is read before it is asked whether to stop.
const CHUNK_BYTES: usize = 64 << 10;
/// The index library would else start `cargo` to ask whether it speaks to sparse registries.
const CARGO_VERSION: Version = Version::new(1, 95, 0);
const USER_AGENT: &str = "tidelock (keeps ports of crates in step with them)";

/// What the index says of a crate.
pub(super) enum IndexAnswer {
    /// The same as at the last poll.
    Unchanged,
    /// These releases.
    Changed { releases: Vec<Release>, version: Option<state::IndexVersion> },
}

/// Why an archive could not be had.
pub(super) enum ArchiveError {
    /// The registry does not have it.
    Gone(String),
    /// Something else.
    Failed(SourceError),
}

/// The registry that Cargo's configuration names, asked about one crate.
pub(super) struct RegistryClient<'mirror> {
    mirror: &'mirror Mirror,
    krate: &'mirror str,
    index: SparseIndex,
    http: Client,
    last_poll_s: Option<i64>,
}

impl<'mirror> RegistryClient<'mirror> {
    pub(super) fn connect(
        mirror: &'mirror Mirror,
        krate: &'mirror str,
        last_poll_s: Option<i64>,
    ) -> Result<Self, SourceError> {
        demand_tls_provider()?;
        let index = index(&mirror.surroundings().registry)?;
        let http = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            // The blocking client counts it from each read on, so a large archive may take longer.
            .timeout(SILENCE_TIMEOUT)
            // Archives are compressed already, and their checksums are of the bytes as sent.
            .no_gzip()
            .build()
            .map_err(|error| SourceError::NoHttpClient { reason: whole_message(&error) })?;
        Ok(Self { mirror, krate, index, http, last_poll_s })
    }

    /// Which releases there are, if that changed since the answer of this version.
    pub(super) fn releases(
        &self,
        known: Option<&state::IndexVersion>,
        interrupt: &AtomicBool,
    ) -> Result<IndexAnswer, SourceError> {
        let request = self
            .index
            .make_remote_request(self.name()?, known.map(revision), &FileLock::unlocked())
            .map_err(|error| bad_index(&error))?;
        let mut headers = header::HeaderMap::new();
        for (name, value) in request.headers {
            // Where no version is known the library sends an empty one.
            if !value.is_empty() {
                headers.insert(name, value);
            }
        }
        let response = self.get(&request.uri, &headers, interrupt)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED => return Ok(IndexAnswer::Unchanged),
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
                return Err(SourceError::UnknownCrate { krate: self.krate.to_owned() });
            }
            status => return Err(self.refused(status)),
        }
        let version = version_of(&response);
        let body = self.body(response, INDEX_BYTES_MAX, interrupt)?;
        let versions = IndexKrate::from_slice(&body).map_err(|error| bad_index(&error))?.versions;
        let releases = versions.iter().map(|version| self.release(version)).collect::<Result<_, _>>()?;
        Ok(IndexAnswer::Changed { releases, version })
    }

    /// How archives are addressed.
    pub(super) fn config(&self, interrupt: &AtomicBool) -> Result<IndexConfig, SourceError> {
        let address = format!("{}config.json", self.index.url());
        let response = self.get(&address, &header::HeaderMap::new(), interrupt)?;
        if response.status() != StatusCode::OK {
            return Err(self.refused(response.status()));
        }
        let body = self.body(response, CONFIG_BYTES_MAX, interrupt)?;
        serde_json::from_slice(&body)
            .map_err(|error| SourceError::BadIndex { reason: format!("config.json: {error}") })
    }

    /// The archive of a release as it came: its checksum is not checked here.
    pub(super) fn archive(
        &self,
        config: &IndexConfig,
        release: &Release,
        interrupt: &AtomicBool,
    ) -> Result<Vec<u8>, ArchiveError> {
        let name = self.name().map_err(ArchiveError::Failed)?;
        let address = config
            .download_url(name, &release.version.to_string())
            .replace("{sha256-checksum}", &release.checksum);
        let response =
            self.get(&address, &header::HeaderMap::new(), interrupt).map_err(ArchiveError::Failed)?;
        match response.status() {
            StatusCode::OK => self.body(response, ARCHIVE_BYTES_MAX, interrupt).map_err(ArchiveError::Failed),
            status @ (StatusCode::NOT_FOUND
            | StatusCode::GONE
            | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS) => {
                Err(ArchiveError::Gone(format!("the registry answers {status}")))
            }
            status => Err(ArchiveError::Failed(self.refused(status))),
        }
    }

    /// The error of a registry that does not answer.
    pub(super) fn unreachable(&self, reason: String) -> SourceError {
        SourceError::Unreachable {
            source_name: self.mirror.source().to_string(),
            reason,
            last_poll_s: self.last_poll_s,
        }
    }

    fn get(
        &self,
        address: &str,
        headers: &header::HeaderMap,
        interrupt: &AtomicBool,
    ) -> Result<Response, SourceError> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            stop_if(interrupt)?;
            let answer = self.http.get(address).headers(headers.clone()).send();
            let is_last = attempt == ATTEMPTS_MAX;
            match answer {
                Ok(response) if is_last || !is_passing(response.status()) => return Ok(response),
                Err(error) if is_last || error.is_builder() || error.is_redirect() => {
                    // Without the address, which may hold a user's name in a private registry.
                    return Err(self.unreachable(whole_message(&error.without_url())));
                }
                Ok(_) | Err(_) => self.mirror.surroundings().clock.sleep(wait),
            }
            wait *= 2;
        }
        Err(self.unreachable("it did not answer".to_owned()))
    }

    fn body(
        &self,
        mut response: Response,
        bytes_max: usize,
        interrupt: &AtomicBool,
    ) -> Result<Vec<u8>, SourceError> {
        let mut body = Vec::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            stop_if(interrupt)?;
            let read = response.read(&mut chunk).map_err(|error| {
                self.unreachable(format!("the answer broke off: {}", whole_message(&error)))
            })?;
            if read == 0 {
                return Ok(body);
            }
            if body.len() + read > bytes_max {
                let reason = format!("an answer has more than {bytes_max} bytes");
                return Err(SourceError::BadIndex { reason });
            }
            body.extend(chunk.iter().take(read));
        }
    }

    fn refused(&self, status: StatusCode) -> SourceError {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SourceError::AccessDenied {
                source_name: self.mirror.source().to_string(),
                reason: status.to_string(),
            },
            status => self.unreachable(format!("the registry answers {status}")),
        }
    }

    fn release(&self, version: &IndexVersion) -> Result<Release, SourceError> {
        let bad = |reason: String| SourceError::BadIndex { reason: format!("`{}`: {reason}", self.krate) };
        if !version.name.eq_ignore_ascii_case(self.krate) {
            return Err(bad(format!("it lists a release of `{}`", version.name)));
        }
        let published: Option<jiff::Timestamp> =
            version.pubtime.as_ref().and_then(|pubtime| pubtime.parse().ok());
        Ok(Release {
            version: Version::parse(&version.version)
                .map_err(|error| bad(format!("release `{}`: {error}", version.version)))?,
            checksum: version.checksum.to_string(),
            yanked: version.yanked,
            published_s: published.map(jiff::Timestamp::as_second),
            deleted: false,
            replaced_by: None,
        })
    }

    fn name(&self) -> Result<KrateName<'mirror>, SourceError> {
        KrateName::cargo(self.krate)
            .map_err(|_invalid| SourceError::UnknownCrate { krate: self.krate.to_owned() })
    }
}

/// Refuses to go on where a TLS client could not be built: that would panic inside the client.
pub(in crate::source) fn demand_tls_provider() -> Result<(), SourceError> {
    match rustls::crypto::CryptoProvider::get_default() {
        Some(_) => Ok(()),
        None => Err(SourceError::NoTlsProvider),
    }
}

fn index(environment: &RegistryEnvironment) -> Result<SparseIndex, SourceError> {
    let configuration = |reason: String| SourceError::Configuration { reason };
    let failed = |error: tame_index::Error| configuration(whole_message(&error));
    let utf8 = |path: &std::path::Path| {
        tame_index::PathBuf::from_path_buf(path.to_owned())
            .map_err(|path| configuration(format!("`{}` is not UTF-8", path.display())))
    };
    let working_directory = utf8(&environment.working_directory)?;
    let cargo_home = environment.cargo_home.as_deref().map(utf8).transpose()?;
    let url = IndexUrl::crates_io(
        Some(working_directory.clone()),
        cargo_home.as_deref(),
        Some(&CARGO_VERSION.to_string()),
    )
    .map_err(failed)?;
    if !url.is_sparse() {
        return Err(configuration(format!(
            "it names `{}`, which is no sparse registry; use one whose address begins with `sparse+`",
            url.as_str()
        )));
    }
    if matches!(url, IndexUrl::CratesIoSparse) {
        replacement::refuse_overlooked(environment)?;
    }
    // The library appends paths to the address as it is.
    let address = format!("{}/", url.as_str().trim_end_matches('/'));
    // An exact place for the library's own cache, which is never written, spares it a look for `cargo`.
    let location = IndexLocation {
        url: IndexUrl::NonCratesIo(address.into()),
        root: IndexPath::Exact(working_directory),
        cargo_version: Some(CARGO_VERSION),
    };
    SparseIndex::new(location).map_err(failed)
}

fn revision(version: &state::IndexVersion) -> HttpRevision<'_> {
    match version {
        state::IndexVersion::Etag(text) => HttpRevision::Etag(text),
        state::IndexVersion::LastModified(text) => HttpRevision::LastModified(text),
    }
}

fn version_of(response: &Response) -> Option<state::IndexVersion> {
    let text = |name| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    let etag = text(header::ETAG).map(state::IndexVersion::Etag);
    etag.or_else(|| text(header::LAST_MODIFIED).map(state::IndexVersion::LastModified))
}

fn bad_index(error: &dyn std::error::Error) -> SourceError {
    SourceError::BadIndex { reason: whole_message(error) }
}

/// Whether an answer tells to come back later.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}
