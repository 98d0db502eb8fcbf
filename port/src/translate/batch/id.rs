//! The names by which a provider gives answers back: they say by themselves whose they are.

use upstream::ContentHash;

use super::TaskId;

/// What every name begins with.
const MARK: &str = "tl-";
/// The digits of the hashes of a port and of a translator.
const TAG_DIGITS: usize = 8;
/// The digits of a task.
pub(super) const TASK_DIGITS: usize = 32;

/// What the names of one port's requests to one translator begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchTag(String);

impl BatchTag {
    /// The tag of a port and a translator, by their names.
    pub fn of(port: &str, translator: &str) -> Self {
        let digits =
            |text: &str| -> String { ContentHash::of(text).to_string().chars().take(TAG_DIGITS).collect() };
        Self(format!("{MARK}{}{}", digits(port), digits(translator)))
    }

    /// The name of a batch that was made then, of these requests.
    pub fn batch(&self, at_ms: i64, tasks: &[TaskId]) -> String {
        let digest = ContentHash::of_parts(tasks.iter().map(TaskId::as_str));
        format!("{}-{at_ms}-{}", self.0, digest.short())
    }

    /// Whether a batch or a request of this name is of this tag.
    pub fn is_of(&self, name: &str) -> bool {
        name.strip_prefix(&self.0).is_some_and(|rest| rest.starts_with('-'))
    }
}

/// The name of a request: at most 64 letters, digits and hyphens. The word that the answer must carry is in it, so that
/// an answer can be read by whoever lost everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    tag: BatchTag,
    /// What is asked.
    pub task: TaskId,
    /// The word that the answer must carry.
    pub nonce: String,
}

impl RequestId {
    /// The name of a task asked with this word.
    pub fn new(tag: &BatchTag, task: TaskId, nonce: &str) -> Self {
        Self { tag: tag.clone(), task, nonce: nonce.to_owned() }
    }

    /// Reads a name of this tag; `None` where it is another's.
    pub fn read(tag: &BatchTag, name: &str) -> Option<Self> {
        let rest = name.strip_prefix(&tag.0)?.strip_prefix('-')?;
        let (task, nonce) = rest.split_once('-')?;
        let is_word = !nonce.is_empty() && nonce.chars().all(|letter| letter.is_ascii_alphanumeric());
        is_word.then_some(())?;
        Some(Self { tag: tag.clone(), task: TaskId::new(task)?, nonce: nonce.to_owned() })
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", self.tag.0, self.task.as_str(), self.nonce)
    }
}
