//! What stands on the disk for one model: questions, batches, answers.
//!
//! | folder | what it holds |
//! | --- | --- |
//! | `asked/` | each question without an answer: `TASK.json` for whom, `TASK.body.json` what is sent |
//! | `sent/` | each batch that is not over, from before it is made on |
//! | `answers/` | answers that no attempt has used yet |
//! | `used/`, `unused/` | answers that one has, and those that nobody asked for any more: nothing is bought twice |
//! | `over/` | batches that are over, by the provider's names |
//!
//! `provider.json` says that the provider was asked for batches that this disk knows nothing of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};
use port::translate::Usage;
use port::translate::batch::{
    BatchFailure, BatchRequest, BatchStore, BatchStoreError, BatchTag, Question, RequestId, Standing, TaskId,
};
use port::translate::model::Completion;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use upstream::{Clock, ContentHash, RevisionLabel};

use super::files::{names, read, remove, write};
use super::{Asker, BatchesOverview, FOLDER};
use crate::chain::RunExchanges;
use crate::engine::IN_A_BATCH;

/// The format of the folder.
const FORMAT: u32 = 1;
/// How often a question is sent that the provider does not come to.
const SENT_MAX: u32 = 3;

/// Where the book of a model is.
pub(super) fn folder(state: &Path, model: &str) -> PathBuf {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = model.chars().map(plain).take(40).collect();
    state.join(FOLDER).join(format!("{name}-{}", ContentHash::of(model).short()))
}

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) unit: String,
    /// At which revision it was asked last.
    revision: String,
    /// The most that the answer may take.
    most: Usage,
    /// When it was asked first, in milliseconds since the Unix epoch.
    pub(super) first_ms: i64,
    /// How often it came back without an answer.
    #[serde(default)]
    tries: u32,
}

/// What is sent of it. The word that its answer must carry goes with it.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    nonce: String,
    body: Value,
}

/// A batch that is not over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sent {
    /// The provider's name for it; `None` while it is not known to be made.
    pub(super) id: Option<String>,
    /// What it asks; empty where it was found at the provider and only its end will tell.
    pub(super) tasks: Vec<String>,
    /// When it was about to be made, in milliseconds since the Unix epoch.
    pub(super) at_ms: i64,
    /// How often its results came damaged.
    #[serde(default)]
    pub(super) reads: u32,
    /// Whether nobody here remembers what it asks.
    #[serde(default)]
    pub(super) is_found: bool,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answer {
    unit: String,
    nonce: String,
    came_ms: i64,
    outcome: Outcome,
    /// The attempt that it was counted for, by run and revision; for a failure the run that was told.
    #[serde(default)]
    counted: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Answered(Completion),
    Failed(String),
}

impl Answer {
    fn usage(&self) -> Usage {
        match &self.outcome {
            Outcome::Answered(completion) => completion.usage,
            Outcome::Failed(_) => Usage::default(),
        }
    }

    /// For an attempt that has nothing to pay for.
    fn free(&self) -> Standing {
        match &self.outcome {
            Outcome::Answered(completion) => Standing::Answered {
                completion: Completion { usage: Usage::default(), ..completion.clone() },
                nonce: self.nonce.clone(),
            },
            Outcome::Failed(reason) => Standing::Failed { reason: reason.clone() },
        }
    }

    fn paid(&self) -> Standing {
        match &self.outcome {
            Outcome::Answered(completion) => {
                Standing::Answered { completion: completion.clone(), nonce: self.nonce.clone() }
            }
            Outcome::Failed(reason) => Standing::Failed { reason: reason.clone() },
        }
    }
}

#[derive(Debug, Default)]
struct State {
    asked: BTreeMap<String, Asked>,
    sent: BTreeMap<String, Sent>,
    answers: BTreeMap<String, Answer>,
    /// The tasks of batches that are not over.
    under_way: BTreeSet<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Provider {
    format: u32,
}

/// The book of one model.
#[derive(Debug)]
pub(crate) struct Book {
    folder: PathBuf,
    name: String,
    clock: Arc<dyn Clock>,
    /// The run that answers are counted for.
    run: Mutex<Arc<RunExchanges>>,
    is_dry: bool,
    state: Mutex<State>,
}

impl Book {
    /// Reads what is on the disk, once.
    pub(super) fn open(folder: PathBuf, name: &str, asker: &Asker<'_>) -> Result<Self> {
        let state = load(&folder)?;
        Ok(Self {
            folder,
            name: name.to_owned(),
            clock: Arc::clone(&asker.clock),
            run: Mutex::default(),
            is_dry: asker.is_dry,
            state: Mutex::new(state),
        })
    }

    /// From now on answers are counted for this run, which is named when it begins.
    pub(super) fn count_for(&self, run: &Arc<RunExchanges>) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(run);
    }

    fn run(&self) -> String {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).name().to_owned()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, kind: &str, name: &str) -> PathBuf {
        self.folder.join(kind).join(format!("{name}.json"))
    }

    fn body_path(&self, task: &str) -> PathBuf {
        self.folder.join("asked").join(format!("{task}.body.json"))
    }

    /// Whether the provider was asked for batches that this disk does not know.
    pub(super) fn knows_its_provider(&self) -> bool {
        self.folder.join("provider.json").is_file()
    }

    /// From now on this disk knows all.
    pub(super) fn has_asked_its_provider(&self) -> Result<()> {
        write(&self.folder.join("provider.json"), &Provider { format: FORMAT })
    }

    /// Whether a run would go on with anything.
    pub(super) fn has_news(&self) -> bool {
        let state = self.state();
        let is_new = |answer: &Answer| match answer.outcome {
            Outcome::Answered(_) => true,
            Outcome::Failed(_) => answer.counted.is_none(),
        };
        state.answers.values().any(is_new) || state.asked.keys().any(|task| !state.under_way.contains(task))
    }

    /// The batches that are not over, by name.
    pub(super) fn sent(&self) -> Vec<(String, Sent)> {
        self.state().sent.iter().map(|(name, sent)| (name.clone(), sent.clone())).collect()
    }

    /// The provider's names of all batches that this disk knows.
    pub(super) fn known_ids(&self) -> Result<BTreeSet<String>> {
        let mut ids: BTreeSet<String> = names(&self.folder.join("over"), ".json")?.into_iter().collect();
        ids.extend(self.state().sent.values().filter_map(|sent| sent.id.clone()));
        Ok(ids)
    }

    /// The questions that are in no batch, with the bytes that each takes.
    pub(super) fn unsent(&self) -> Result<Vec<(String, usize)>> {
        let state = self.state();
        let unsent = state.asked.keys().filter(|task| !state.under_way.contains(*task));
        let size = |task: &String| {
            let path = self.body_path(task);
            let bytes =
                std::fs::metadata(&path).with_context(|| format!("cannot read `{}`", path.display()))?.len();
            Ok((task.clone(), usize::try_from(bytes).unwrap_or(usize::MAX)))
        };
        unsent.map(size).collect()
    }

    /// The requests of these tasks.
    pub(super) fn requests(&self, tag: &BatchTag, tasks: &[TaskId]) -> Result<Vec<BatchRequest>> {
        let request = |task: &TaskId| {
            let path = self.body_path(task.as_str());
            let body: Body = read(&path)?
                .with_context(|| format!("`{}` is gone: remove the question beside it", path.display()))?;
            Ok(BatchRequest { id: RequestId::new(tag, task.clone(), &body.nonce), body: body.body })
        };
        tasks.iter().map(request).collect()
    }

    /// Writes a batch down as it is.
    pub(super) fn keep_sent(&self, name: &str, sent: &Sent) -> Result<()> {
        write(&self.path("sent", name), sent)?;
        let mut state = self.state();
        state.under_way.extend(sent.tasks.iter().cloned());
        state.sent.insert(name.to_owned(), sent.clone());
        Ok(())
    }

    /// A batch is over, or was never made: what it asked and has no answer is to be sent again.
    pub(super) fn end_batch(&self, name: &str) -> Result<()> {
        let sent = self.state().sent.get(name).cloned();
        if let Some(id) = sent.as_ref().and_then(|sent| sent.id.as_ref()) {
            // The provider chose the name: as a file it may be odd, and then it is only not remembered.
            if id.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
                write(&self.path("over", id), &name)?;
            }
        }
        remove(&self.path("sent", name))?;
        let mut state = self.state();
        state.sent.remove(name);
        for task in sent.into_iter().flat_map(|sent| sent.tasks) {
            state.under_way.remove(&task);
        }
        Ok(())
    }

    /// Keeps what came of a question; false where it is known already.
    pub(super) fn keep_answer(
        &self,
        id: &RequestId,
        outcome: Result<Completion, BatchFailure>,
    ) -> Result<bool> {
        let task = id.task.as_str().to_owned();
        if self.answer(&task)?.is_some() {
            self.forget_question(&task)?;
            return Ok(false);
        }
        let outcome = match outcome {
            Ok(completion) => Outcome::Answered(completion),
            Err(failure) if failure.may_be_sent_again() => {
                let Some(reason) = self.count_try(&task, &failure)? else { return Ok(false) };
                Outcome::Failed(reason)
            }
            Err(failure) => Outcome::Failed(failure.to_string()),
        };
        self.settle(&task, &id.nonce, outcome)?;
        Ok(true)
    }

    /// The provider refused a question for good.
    pub(super) fn keep_refusal(&self, task: &str, reason: &str) -> Result<()> {
        self.settle(task, "", Outcome::Failed(reason.to_owned()))
    }

    fn settle(&self, task: &str, nonce: &str, outcome: Outcome) -> Result<()> {
        let unit = self.state().asked.get(task).map(|asked| asked.unit.clone()).unwrap_or_default();
        let (nonce, came_ms) = (nonce.to_owned(), self.now_ms());
        let answer = Answer { unit, nonce, came_ms, outcome, counted: None };
        write(&self.path("answers", task), &answer)?;
        self.state().answers.insert(task.to_owned(), answer);
        self.forget_question(task)
    }

    /// One more time without an answer; the reason where it was the last.
    fn count_try(&self, task: &str, failure: &BatchFailure) -> Result<Option<String>> {
        let Some(asked) = self.state().asked.get(task).cloned() else { return Ok(None) };
        let asked = Asked { tries: asked.tries + 1, ..asked };
        if asked.tries >= SENT_MAX {
            return Ok(Some(format!("sent {} times: {failure}", asked.tries)));
        }
        write(&self.path("asked", task), &asked)?;
        self.state().asked.insert(task.to_owned(), asked);
        Ok(None)
    }

    fn forget_question(&self, task: &str) -> Result<()> {
        // The body last: without the question nobody looks for it.
        remove(&self.path("asked", task))?;
        remove(&self.body_path(task))?;
        self.state().asked.remove(task);
        Ok(())
    }

    /// What is known of a task's answer.
    fn answer(&self, task: &str) -> Result<Option<Answer>> {
        if let Some(answer) = self.state().answers.get(task) {
            return Ok(Some(answer.clone()));
        }
        match read(&self.path("used", task))? {
            None => read(&self.path("unused", task)),
            used => Ok(used),
        }
    }

    /// Withdraws questions that were not sent and were not asked for at this revision; gives how many.
    pub(super) fn withdraw(&self, revision: Option<&RevisionLabel>) -> Result<usize> {
        let gone: Vec<String> = {
            let state = self.state();
            let unsent = state.asked.iter().filter(|(task, _)| !state.under_way.contains(*task));
            let is_gone = |asked: &Asked| revision.is_none_or(|label| asked.revision != label.as_str());
            unsent.filter(|(_, asked)| is_gone(asked)).map(|(task, _)| task.clone()).collect()
        };
        for task in &gone {
            self.forget_question(task)?;
        }
        Ok(gone.len())
    }

    /// Puts answers aside that came and were not used, but for those of units that wait; gives what each took.
    pub(super) fn give_up(&self, waiting: &BTreeSet<&str>) -> Result<Vec<Usage>> {
        let gone: Vec<(String, Answer)> = {
            let state = self.state();
            let gone = state.answers.iter().filter(|(_, answer)| !waiting.contains(answer.unit.as_str()));
            gone.map(|(task, answer)| (task.clone(), answer.clone())).collect()
        };
        let mut paid = Vec::new();
        for (task, answer) in gone {
            // A failure took nothing, and is no answer to keep.
            if matches!(answer.outcome, Outcome::Answered(_)) {
                write(&self.path("unused", &task), &answer)?;
                paid.push(answer.usage());
            }
            remove(&self.path("answers", &task))?;
            self.state().answers.remove(&task);
        }
        Ok(paid)
    }

    /// When each answer came that nobody used, and what it took.
    pub(super) fn unused(&self) -> Result<Vec<(i64, Usage)>> {
        let mut unused = Vec::new();
        for task in names(&self.folder.join("unused"), ".json")? {
            let answer: Option<Answer> = read(&self.path("unused", &task))?;
            unused.extend(answer.map(|answer| (answer.came_ms, answer.usage())));
        }
        Ok(unused)
    }

    /// The attempt that is counted for.
    fn attempt(&self, revision: &RevisionLabel) -> String {
        format!("{} {revision}", self.run())
    }

    fn taken(&self, task: &TaskId, revision: &RevisionLabel) -> Result<Standing> {
        let attempt = self.attempt(revision);
        let fresh = self.state().answers.get(task.as_str()).cloned();
        if let Some(answer) = fresh {
            return self.taken_up(task.as_str(), answer, attempt);
        }
        if let Some(used) = read::<Answer>(&self.path("used", task.as_str()))? {
            // An attempt that is made again after a kill was counted by nobody.
            return Ok(if used.counted.as_ref() == Some(&attempt) { used.paid() } else { used.free() });
        }
        if let Some(unused) = read::<Answer>(&self.path("unused", task.as_str()))? {
            return Ok(unused.free());
        }
        Ok(self.asked(task))
    }

    fn taken_up(&self, task: &str, answer: Answer, attempt: String) -> Result<Standing> {
        match &answer.outcome {
            Outcome::Answered(_) => {
                let answer = Answer { counted: Some(attempt), ..answer };
                write(&self.path("used", task), &answer)?;
                remove(&self.path("answers", task))?;
                self.state().answers.remove(task);
                Ok(answer.paid())
            }
            Outcome::Failed(_) => {
                let run = self.run();
                if answer.counted.as_ref().is_some_and(|told| *told != run) {
                    // It was told, and somebody tries again.
                    remove(&self.path("answers", task))?;
                    self.state().answers.remove(task);
                    return Ok(Standing::Unasked);
                }
                let answer = Answer { counted: Some(run), ..answer };
                write(&self.path("answers", task), &answer)?;
                self.state().answers.insert(task.to_owned(), answer.clone());
                Ok(answer.paid())
            }
        }
    }

    fn asked(&self, task: &TaskId) -> Standing {
        let state = self.state();
        if state.under_way.contains(task.as_str()) {
            Standing::UnderWay
        } else if state.asked.contains_key(task.as_str()) {
            Standing::Gathered
        } else {
            Standing::Unasked
        }
    }

    fn gathered(&self, question: Question) -> Result<()> {
        let Question { task, unit, revision, nonce, body, most } = question;
        let task = task.as_str();
        let known = self.state().asked.get(task).cloned();
        let asked = Asked {
            unit,
            revision: revision.to_string(),
            most,
            first_ms: known.as_ref().map_or_else(|| self.now_ms(), |known| known.first_ms),
            tries: known.map_or(0, |known| known.tries),
        };
        // The body first: a question that is there can be sent.
        write(&self.body_path(task), &Body { nonce, body })?;
        write(&self.path("asked", task), &asked)?;
        self.state().asked.insert(task.to_owned(), asked);
        Ok(())
    }
}

/// What waits of a model.
pub(super) fn overview(state: &Path, model: &str) -> Result<BatchesOverview> {
    let folder = folder(state, model);
    let state = load(&folder)?;
    let sent = state.asked.keys().filter(|task| state.under_way.contains(*task)).count();
    Ok(BatchesOverview {
        model: model.to_owned(),
        unsent: state.asked.len() - sent,
        sent,
        batches: state.sent.len(),
        since_ms: state.asked.values().map(|asked| asked.first_ms).min(),
        answers: state
            .answers
            .values()
            .filter(|answer| matches!(answer.outcome, Outcome::Answered(_)))
            .count(),
        unused: names(&folder.join("unused"), ".json")?.len(),
    })
}

fn load(folder: &Path) -> Result<State> {
    if let Some(Provider { format }) = read(&folder.join("provider.json"))?
        && format != FORMAT
    {
        bail!("`{}` is of format {format}, and this program knows {FORMAT}: update it", folder.display());
    }
    let mut state = State::default();
    for task in names(&folder.join("answers"), ".json")? {
        state
            .answers
            .extend(read(&folder.join("answers").join(format!("{task}.json")))?.map(|it| (task, it)));
    }
    let is_body = |name: &String| name.strip_suffix(".body").is_some();
    for task in names(&folder.join("asked"), ".json")?.into_iter().filter(|name| !is_body(name)) {
        state.asked.extend(read(&folder.join("asked").join(format!("{task}.json")))?.map(|it| (task, it)));
    }
    for name in names(&folder.join("sent"), ".json")? {
        let sent: Option<Sent> = read(&folder.join("sent").join(format!("{name}.json")))?;
        state.under_way.extend(sent.iter().flat_map(|sent| sent.tasks.iter().cloned()));
        state.sent.extend(sent.map(|it| (name, it)));
    }
    Ok(state)
}

fn told(error: &anyhow::Error) -> BatchStoreError {
    BatchStoreError(format!("{error:#}"))
}

impl BatchStore for Book {
    fn peek(&self, task: &TaskId) -> Result<Standing, BatchStoreError> {
        let answer = self.answer(task.as_str()).map_err(|error| told(&error))?;
        // A failure that an earlier run was told is asked anew, and has to be paid for.
        let run = self.run();
        let is_over = |answer: &Answer| match &answer.outcome {
            Outcome::Answered(_) => true,
            Outcome::Failed(_) => answer.counted.as_ref().is_none_or(|told| *told == run),
        };
        Ok(match answer {
            Some(answer) if is_over(&answer) => answer.free(),
            Some(_) => Standing::Unasked,
            None => self.asked(task),
        })
    }

    fn take(&self, task: &TaskId, revision: &RevisionLabel) -> Result<Standing, BatchStoreError> {
        self.taken(task, revision).map_err(|error| told(&error))
    }

    fn gather(&self, question: Question) -> Result<(), BatchStoreError> {
        if self.is_dry {
            return Ok(());
        }
        self.gathered(question).map_err(|error| told(&error))
    }

    fn committed(&self) -> Usage {
        let state = self.state();
        let asked = state.asked.values().map(|asked| asked.most);
        let came = state.answers.values().map(Answer::usage);
        asked.chain(came).fold(Usage::default(), |sum, usage| sum.plus(&usage))
    }

    fn waits(&self) -> String {
        if self.is_dry {
            return format!("{IN_A_BATCH} of `{}`; a dry run sends nothing", self.name);
        }
        format!("{IN_A_BATCH} of `{}`; a later sync takes the answer up and goes on", self.name)
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
