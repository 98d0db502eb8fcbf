//! The folder of a backtest: what is finished, and what is under way.
//!
//! `backtest.json` says whose it is, `journal.jsonl` holds a line for each case that was finished with a chain, in the
//! order in which that happened, `records/` the whole record of each, and `work/` the scratch copies of those under way.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use reports::RunRecord;
use serde::{Deserialize, Serialize};

use super::outcome::CaseResult;
use crate::lease::Lease;
use crate::stops;

/// The format of the folder.
const FORMAT: u32 = 1;
const MARK: &str = "backtest.json";

/// Whose backtest it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    format: u32,
    /// The port's name.
    port: String,
    /// Its upstream.
    source: String,
}

/// The folder, held by this process.
#[derive(Debug)]
pub(crate) struct BacktestFolder {
    root: PathBuf,
    journal: File,
    /// What is finished, by key.
    finished: BTreeMap<String, CaseResult>,
    _lease: Lease,
}

impl BacktestFolder {
    /// Opens the folder of a backtest of this port, or makes it.
    pub(crate) fn open(root: &Path, port: &str, source: &str) -> Result<Self> {
        let wanted = Mark { format: FORMAT, port: port.to_owned(), source: source.to_owned() };
        let path = root.join(MARK);
        match std::fs::read_to_string(&path) {
            Ok(text) => ensure_same(root, &text, &wanted)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let holds_something =
                    std::fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some());
                ensure!(
                    !holds_something,
                    "`{}` holds something that no backtest made: name another folder as `--out`",
                    root.display()
                );
                std::fs::create_dir_all(root.join("work"))
                    .with_context(|| format!("cannot make `{}`", root.display()))?;
                // It may lie in a repository.
                std::fs::write(root.join(".gitignore"), "*\n")?;
                write_whole(&path, &serde_json::to_string(&wanted)?)?;
            }
            Err(error) => return Err(anyhow!(error).context(format!("cannot read `{}`", path.display()))),
        }
        let lease = Lease::take(root).context("another backtest is at work in this folder")?;
        std::fs::create_dir_all(root.join("records"))?;
        let path = root.join("journal.jsonl");
        let mut journal = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        let finished = read_journal(&path, &mut journal)?;
        let folder = Self { root: root.to_owned(), journal, finished, _lease: lease };
        // Killed between the line and this.
        for key in folder.finished.keys().filter(|key| folder.work(key).exists()) {
            folder.forget_work(key)?;
        }
        Ok(folder)
    }

    /// What was finished before with this key.
    pub(crate) fn finished(&self, key: &str) -> Option<&CaseResult> {
        self.finished.get(key)
    }

    /// Everything that was ever finished here.
    pub(crate) fn all(&self) -> impl Iterator<Item = &CaseResult> {
        self.finished.values()
    }

    /// The scratch folder of a case with a chain.
    pub(crate) fn work(&self, key: &str) -> PathBuf {
        self.root.join("work").join(key)
    }

    /// Where caches rest that no case uses.
    pub(crate) fn caches(&self) -> PathBuf {
        self.root.join("caches")
    }

    /// Where the record of a run is kept.
    pub(crate) fn record_path(&self, key: &str) -> PathBuf {
        self.root.join("records").join(format!("{key}.json"))
    }

    /// Remembers that a case is finished with a chain, and only then lets its scratch folder go.
    pub(crate) fn finish(&mut self, result: &CaseResult, record: &RunRecord) -> Result<()> {
        write_whole(&self.record_path(&result.key), &reports::render::json(record)?)?;
        stops::pass("backtest: the record is kept");
        let mut line = serde_json::to_string(result)?;
        line.push('\n');
        self.journal
            .write_all(line.as_bytes())
            .and_then(|()| self.journal.sync_data())
            .context("cannot write the journal of the backtest")?;
        stops::pass("backtest: finished");
        self.finished.insert(result.key.clone(), result.clone());
        self.forget_work(&result.key)
    }

    fn forget_work(&self, key: &str) -> Result<()> {
        let work = self.work(key);
        std::fs::remove_dir_all(&work).with_context(|| format!("cannot remove `{}`", work.display()))
    }
}

fn ensure_same(root: &Path, text: &str, wanted: &Mark) -> Result<()> {
    let found: Mark = serde_json::from_str(text)
        .with_context(|| format!("`{}` is not what a backtest writes", root.join(MARK).display()))?;
    ensure!(
        found.format == wanted.format,
        "`{}` has format {}, and this program writes {FORMAT}: name another folder as `--out`",
        root.display(),
        found.format
    );
    ensure!(
        found == *wanted,
        "`{}` belongs to a backtest of `{}` ({}), and this is `{}` ({}): name another folder as `--out`",
        root.display(),
        found.port,
        found.source,
        wanted.port,
        wanted.source
    );
    Ok(())
}

/// The lines so far. What a killed process left of its last line is cut off; a broken line elsewhere is damage.
fn read_journal(path: &Path, journal: &mut File) -> Result<BTreeMap<String, CaseResult>> {
    let mut text = Vec::new();
    journal.seek(SeekFrom::Start(0))?;
    journal.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        journal.set_len(whole as u64)?;
        text.truncate(whole);
    }
    let mut finished = BTreeMap::new();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        let Ok(result) = serde_json::from_slice::<CaseResult>(line) else {
            bail!(
                "line {} of `{}` is not what a backtest writes: take it out, and that case is run again",
                number + 1,
                path.display()
            );
        };
        finished.insert(result.key.clone(), result);
    }
    Ok(finished)
}

/// A file that is there whole or not at all.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_data()?;
    file.persist(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use reports::sample;

    use super::super::outcome::{AnswerVerdict, result};
    use super::*;

    fn finish(folder: &mut BacktestFolder, key: &str) {
        std::fs::create_dir_all(folder.work(key)).unwrap();
        let record = sample::done();
        let untold = AnswerVerdict::Untold { reason: "no tests".to_owned() };
        let done = result((key, "case", "chain"), &record, &BTreeSet::new(), untold).unwrap();
        folder.finish(&done, &record).unwrap();
    }

    #[test]
    fn what_was_finished_is_known_again_and_its_work_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("out");
        let mut folder = BacktestFolder::open(&out, "tally", "registry:tally").unwrap();
        finish(&mut folder, "one");
        let twice = BacktestFolder::open(&out, "tally", "registry:tally").unwrap_err();
        assert!(format!("{twice:#}").contains("another backtest is at work"), "{twice:#}");
        assert!(!folder.work("one").exists());
        // As a kill behind the line leaves them: one that is finished, and one that is not.
        std::fs::create_dir_all(folder.work("one")).unwrap();
        std::fs::create_dir_all(folder.work("two")).unwrap();
        drop(folder);
        let folder = BacktestFolder::open(&out, "tally", "registry:tally").unwrap();
        assert!(folder.finished("one").is_some() && folder.finished("two").is_none());
        assert!(!folder.work("one").exists() && folder.work("two").exists());
        assert!(RunRecord::read(&std::fs::read_to_string(folder.record_path("one")).unwrap()).is_ok());
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_damage_elsewhere_is_told() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("out");
        let mut folder = BacktestFolder::open(&out, "tally", "registry:tally").unwrap();
        finish(&mut folder, "one");
        finish(&mut folder, "two");
        drop(folder);
        let path = out.join("journal.jsonl");
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, whole.trim_end().strip_suffix('}').unwrap()).unwrap();
        let mut folder = BacktestFolder::open(&out, "tally", "registry:tally").unwrap();
        assert!(folder.finished("one").is_some() && folder.finished("two").is_none());
        finish(&mut folder, "two");
        drop(folder);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "it goes on behind the last whole line");
        std::fs::write(&path, format!("nonsense\n{whole}")).unwrap();
        let damaged = BacktestFolder::open(&out, "tally", "registry:tally").unwrap_err().to_string();
        assert!(damaged.contains("line 1 of"), "{damaged}");
    }

    #[test]
    fn the_folder_of_another_backtest_or_of_nobodys_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let refusal = |folder: &str, port: &str| {
            BacktestFolder::open(&root.path().join(folder), port, "registry:tally").unwrap_err().to_string()
        };
        drop(BacktestFolder::open(&root.path().join("out"), "tally", "registry:tally").unwrap());
        assert!(refusal("out", "other").contains("belongs to a backtest of `tally`"));
        std::fs::create_dir(root.path().join("mine")).unwrap();
        std::fs::write(root.path().join("mine/precious"), "x").unwrap();
        assert!(refusal("mine", "tally").contains("no backtest made"));
        std::fs::write(
            root.path().join("out").join(MARK),
            "{\"format\":9,\"port\":\"tally\",\"source\":\"s\"}",
        )
        .unwrap();
        assert!(refusal("out", "tally").contains("has format 9"));
        std::fs::write(root.path().join("out").join(MARK), "x").unwrap();
        assert!(refusal("out", "tally").contains("is not what a backtest writes"));
    }
}
