//! Prompts as files, and answers as files when they come: for people, batch services and machines without a
//! network.
//!
//! A prompt is written as `<id>.prompt.md` and the unit is left for later; whoever answers writes
//! `<id>.answer.md` beside it, and the next sync reads it. The id is a hash of the prompt, so a prompt that did not
//! change keeps its file and its answer. What was read moves to `answered/`, where a stopped run finds it again.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::codec::AnswerCodec;
use super::model::{Completion, Finish, MODEL_ATTEMPTS_MAX, interpret};
use super::prompt::PromptBuilder;
use super::{Route, TranslateError, Translation, TranslationRequest, Translator, Usage};

/// The largest answer that is read, in bytes.
pub const INBOX_ANSWER_BYTES_MAX: u64 = 4 << 20;

const PROMPT: &str = ".prompt.md";
const ANSWER: &str = ".answer.md";
/// What was read.
const ANSWERED: &str = "answered";
/// What no prompt asked for any more.
const UNUSED: &str = "unused";
/// The digits of a prompt's hash that name it.
const ID_DIGITS: usize = 16;

/// The folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// A file operation failed.
    #[error("cannot {doing} `{}`: {source}", .path.display())]
    File {
        /// `read`, `write` or `move`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An answer that cannot be one.
    #[error("the answer `{}` {reason}; write it again, or remove it", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The folder that prompts and answers share.
#[derive(Debug, Clone)]
pub struct Inbox {
    folder: PathBuf,
}

impl Inbox {
    /// The inbox in this folder, which is made with the first prompt.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Answers that no sync has read yet, by the ids of their prompts, sorted.
    pub fn waiting_answers(&self) -> Result<Vec<String>, InboxError> {
        self.ids(ANSWER)
    }

    /// Prompts without an answer, by their ids, sorted.
    pub fn open_prompts(&self) -> Result<Vec<String>, InboxError> {
        let answers = self.ids(ANSWER)?;
        Ok(self.ids(PROMPT)?.into_iter().filter(|id| answers.binary_search(id).is_err()).collect())
    }

    /// Puts answers that nobody asked for aside, so that they are not looked at again; gives the files.
    pub fn set_aside(&self, ids: &[String]) -> Result<Vec<PathBuf>, InboxError> {
        let still: Vec<String> = self.waiting_answers()?.into_iter().filter(|id| ids.contains(id)).collect();
        still.iter().map(|id| self.move_into(id, UNUSED)).collect()
    }

    fn ids(&self, ending: &str) -> Result<Vec<String>, InboxError> {
        let failed = |source| InboxError::File { doing: "read", path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            ids.extend(name.to_str().and_then(|name| name.strip_suffix(ending)).map(str::to_owned));
        }
        ids.sort();
        Ok(ids)
    }

    /// The answer to a prompt: one that has just come, or one that was read before.
    fn answer(&self, id: &str) -> Result<Option<String>, InboxError> {
        if let Some(text) = read(&self.folder.join(format!("{id}{ANSWER}")))? {
            self.move_into(id, ANSWERED)?;
            return Ok(Some(text));
        }
        read(&self.folder.join(ANSWERED).join(format!("{id}{ANSWER}")))
    }

    /// Writes a prompt, whole or not at all.
    fn ask(&self, id: &str, text: &str) -> Result<PathBuf, InboxError> {
        let path = self.folder.join(format!("{id}{PROMPT}"));
        let failed = |source| InboxError::File { doing: "write", path: path.clone(), source };
        if !path.exists() {
            fs::create_dir_all(&self.folder).map_err(failed)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)?;
            file.write_all(text.as_bytes()).map_err(failed)?;
            file.persist(&path).map_err(|error| failed(error.error))?;
        }
        Ok(path)
    }

    /// Moves an answer, and its prompt where it is still there; gives where the answer is now.
    fn move_into(&self, id: &str, subfolder: &str) -> Result<PathBuf, InboxError> {
        let into = self.folder.join(subfolder);
        fs::create_dir_all(&into).map_err(|source| InboxError::File {
            doing: "write",
            path: into.clone(),
            source,
        })?;
        // The answer last: as long as it stands here, nothing is lost.
        for ending in [PROMPT, ANSWER] {
            let name = format!("{id}{ending}");
            let path = self.folder.join(&name);
            match fs::rename(&path, into.join(&name)) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(InboxError::File { doing: "move", path, source }),
            }
        }
        Ok(into.join(format!("{id}{ANSWER}")))
    }
}

fn read(path: &Path) -> Result<Option<String>, InboxError> {
    let failed = |source| InboxError::File { doing: "read", path: path.to_owned(), source };
    let unreadable = |reason: String| InboxError::Unreadable { path: path.to_owned(), reason };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(INBOX_ANSWER_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > INBOX_ANSWER_BYTES_MAX {
        return Err(unreadable(format!("is longer than {INBOX_ANSWER_BYTES_MAX} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_not_text| unreadable("is not UTF-8".to_owned()))?;
    // Somebody has made the file and not yet written into it.
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

/// Asks by a file, and declines until the answer is there.
#[derive(Debug)]
pub struct InboxTranslator {
    /// The name in reports and in the configuration.
    pub name: String,
    /// Makes prompts of requests.
    pub prompts: Arc<PromptBuilder>,
    /// Reads the answers.
    pub codec: AnswerCodec,
    /// Where prompts go and answers come.
    pub inbox: Inbox,
    /// How many attempts to allow at one unit.
    pub attempts_max: u32,
}

impl Translator for InboxTranslator {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn route(&self) -> Route {
        Route::Model
    }

    fn attempts_max(&self) -> u32 {
        self.attempts_max.clamp(1, MODEL_ATTEMPTS_MAX)
    }

    fn translate(&self, request: &TranslationRequest) -> Result<Translation, TranslateError> {
        let fault = |reason: String| TranslateError { translator: self.name(), reason, transient: false };
        let prompt = match self.prompts.build(request) {
            Ok(prompt) => prompt,
            Err(error) if error.is_about_the_request() => {
                return Ok(Translation::Declined { reason: error.to_string() });
            }
            Err(error) => return Err(fault(error.to_string())),
        };
        let id: String = prompt.hash(&self.name).to_string().chars().take(ID_DIGITS).collect();
        let text = self.inbox.answer(&id).map_err(|error| fault(error.to_string()))?;
        let Some(text) = text else {
            let asked = self.inbox.ask(&id, &prompt.text()).map_err(|error| fault(error.to_string()))?;
            let reason = format!(
                "its prompt waits in `{}`: write the answer to `{id}{ANSWER}` beside it, and sync again",
                asked.display()
            );
            return Ok(Translation::Declined { reason });
        };
        // What it cost is known to whoever answered.
        let completion = Completion { text, usage: Usage::default(), finish: Finish::Complete };
        Ok(interpret(&self.codec, completion, &prompt.nonce, self.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Answer;
    use crate::translate::testing::{CODEC, limit_request};

    fn translator(folder: &Path) -> InboxTranslator {
        InboxTranslator {
            name: "people".to_owned(),
            prompts: Arc::new(PromptBuilder::new(CODEC).unwrap()),
            codec: CODEC,
            inbox: Inbox::at(folder.join("inbox")),
            attempts_max: 3,
        }
    }

    fn declined(translation: Translation) -> String {
        match translation {
            Translation::Declined { reason } => reason,
            other @ (Translation::Answered { .. }
            | Translation::Malformed { .. }
            | Translation::Waiting { .. }) => {
                panic!("it does not wait: {other:?}")
            }
        }
    }

    #[test]
    fn a_prompt_waits_as_a_file_until_its_answer_stands_beside_it_and_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let people = translator(folder.path());
        let reason = declined(people.translate(&limit_request()).unwrap());
        let [id] = people.inbox.open_prompts().unwrap().try_into().unwrap();
        assert!(reason.contains(&format!("{id}.answer.md")), "{reason}");
        let prompt = fs::read_to_string(folder.path().join("inbox").join(format!("{id}.prompt.md"))).unwrap();
        let expected = people.prompts.build(&limit_request()).unwrap();
        assert_eq!(prompt, expected.text());
        // Made and not yet written into.
        let answer = folder.path().join("inbox").join(format!("{id}.answer.md"));
        fs::write(&answer, "\n").unwrap();
        declined(people.translate(&limit_request()).unwrap());
        let text = (CODEC.render)(&Answer::NoChange { reason: "it is the same".to_owned() }, &expected.nonce);
        fs::write(&answer, &text).unwrap();
        assert_eq!(people.inbox.waiting_answers().unwrap(), std::slice::from_ref(&id));
        for _ in 0..2 {
            let translation = people.translate(&limit_request()).unwrap();
            assert!(matches!(translation, Translation::Answered { .. }), "{translation:?}");
            assert!(people.inbox.waiting_answers().unwrap().is_empty(), "it was read");
        }
        assert!(people.inbox.open_prompts().unwrap().is_empty());
    }

    #[test]
    fn answers_that_cannot_be_read_are_named_and_those_that_nobody_asked_for_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let people = translator(folder.path());
        declined(people.translate(&limit_request()).unwrap());
        let [id] = people.inbox.open_prompts().unwrap().try_into().unwrap();
        let answer = folder.path().join("inbox").join(format!("{id}.answer.md"));
        fs::write(&answer, [0xff, 0xfe]).unwrap();
        let error = people.translate(&limit_request()).unwrap_err().to_string();
        assert!(error.contains("is not UTF-8") && error.contains(&id), "{error}");
        assert!(answer.exists(), "nothing is lost");
        fs::remove_file(&answer).unwrap();
        let stray = folder.path().join("inbox/0123.answer.md");
        fs::write(&stray, "for a prompt of last week").unwrap();
        let aside = people.inbox.set_aside(&["0123".to_owned(), "never".to_owned()]).unwrap();
        assert_eq!(aside, [folder.path().join("inbox/unused/0123.answer.md")]);
        assert_eq!(fs::read_to_string(&aside[0]).unwrap(), "for a prompt of last week");
        assert!(!stray.exists());
    }
}
