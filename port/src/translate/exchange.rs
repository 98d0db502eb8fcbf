//! The journal of exchanges with models: the request is recorded before it is sent, the answer before it is
//! used, so that an answer that was paid for is never bought twice.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use upstream::ContentHash;

use super::model::Completion;
use super::prompt::Prompt;

/// The largest recorded answer that is read back, in bytes.
pub const EXCHANGE_BYTES_MAX: u64 = 64 << 20;

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// A file operation failed.
    #[error("cannot {doing} the recorded exchange `{path}`: {source}")]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A recorded exchange is not what was written. It is not thrown away, because it was paid for.
    #[error("the recorded exchange `{path}` is damaged ({reason}); repair it, or remove it to ask again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Keeps exchanges by the hash of prompt and model.
pub trait ExchangeStore: Send + Sync + std::fmt::Debug {
    /// The answer that was recorded for this prompt, if there is one.
    fn lookup(&self, hash: &ContentHash) -> Result<Option<Completion>, ExchangeError>;
    /// Records that this prompt is about to be sent.
    fn begin(&self, hash: &ContentHash, prompt: &Prompt) -> Result<(), ExchangeError>;
    /// Records what came back.
    fn finish(&self, hash: &ContentHash, completion: &Completion) -> Result<(), ExchangeError>;
}

/// A journal in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryExchanges {
    state: Mutex<BTreeMap<String, (Prompt, Option<Completion>)>>,
}

impl MemoryExchanges {
    /// How many prompts were begun and how many of them were answered.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.len(), state.values().filter(|(_, completion)| completion.is_some()).count())
    }
}

impl ExchangeStore for MemoryExchanges {
    fn lookup(&self, hash: &ContentHash) -> Result<Option<Completion>, ExchangeError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.get(&hash.to_string()).and_then(|(_, completion)| completion.clone()))
    }

    fn begin(&self, hash: &ContentHash, prompt: &Prompt) -> Result<(), ExchangeError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.entry(hash.to_string()).or_insert_with(|| (prompt.clone(), None));
        Ok(())
    }

    fn finish(&self, hash: &ContentHash, completion: &Completion) -> Result<(), ExchangeError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answer)) = state.get_mut(&hash.to_string()) {
            *answer = Some(completion.clone());
        }
        Ok(())
    }
}

/// A journal in a folder: `<hash>.prompt.json` and `<hash>.answer.json`, each moved into place whole.
#[derive(Debug, Clone)]
pub struct ExchangeFolder {
    folder: PathBuf,
}

impl ExchangeFolder {
    /// The journal in this folder, which is created when the first exchange is recorded.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path(&self, hash: &ContentHash, what: &str) -> PathBuf {
        self.folder.join(format!("{hash}.{what}.json"))
    }

    fn write(&self, path: &Path, value: &impl Serialize) -> Result<(), ExchangeError> {
        let failed = |source| ExchangeError::File { doing: "write", path: path.to_owned(), source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)?;
        serde_json::to_writer_pretty(&mut file, value).map_err(|error| failed(error.into()))?;
        file.write_all(b"\n").map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        // The name is durable only when the folder is: without this, a crash could lose a paid answer.
        fs::File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

fn read<Value: DeserializeOwned>(path: &Path) -> Result<Option<Value>, ExchangeError> {
    let failed = |source| ExchangeError::File { doing: "read", path: path.to_owned(), source };
    let damaged = |reason: String| ExchangeError::Damaged { path: path.to_owned(), reason };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(EXCHANGE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > EXCHANGE_BYTES_MAX {
        return Err(damaged(format!("it is longer than {EXCHANGE_BYTES_MAX} bytes")));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
}

impl ExchangeStore for ExchangeFolder {
    fn lookup(&self, hash: &ContentHash) -> Result<Option<Completion>, ExchangeError> {
        read(&self.path(hash, "answer"))
    }

    fn begin(&self, hash: &ContentHash, prompt: &Prompt) -> Result<(), ExchangeError> {
        self.write(&self.path(hash, "prompt"), prompt)
    }

    fn finish(&self, hash: &ContentHash, completion: &Completion) -> Result<(), ExchangeError> {
        self.write(&self.path(hash, "answer"), completion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::model::Finish;

    fn completion() -> Completion {
        Completion {
            text: "line one\r\nline two\u{1F600}".to_owned(),
            usage: crate::translate::Usage { input_tokens: 3, ..Default::default() },
            finish: Finish::Other("pause_turn".to_owned()),
        }
    }

    #[test]
    fn an_answer_comes_back_as_it_was_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let store = ExchangeFolder::at(folder.path().join("exchanges"));
        let hash = ContentHash::of("prompt");
        assert_eq!(store.lookup(&hash).unwrap(), None);
        store.finish(&hash, &completion()).unwrap();
        assert_eq!(store.lookup(&hash).unwrap(), Some(completion()));
        assert_eq!(store.lookup(&ContentHash::of("other")).unwrap(), None);
    }

    #[test]
    fn a_damaged_recording_is_an_error_and_not_a_second_purchase() {
        let folder = tempfile::tempdir().unwrap();
        let store = ExchangeFolder::at(folder.path());
        let hash = ContentHash::of("prompt");
        for damage in ["", "{\"text\": \"x\"", "{\"text\": 3, \"usage\": {}, \"finish\": \"complete\"}"] {
            fs::write(folder.path().join(format!("{hash}.answer.json")), damage).unwrap();
            let error = store.lookup(&hash).unwrap_err();
            assert!(matches!(error, ExchangeError::Damaged { .. }), "{damage}: {error}");
        }
    }
}
