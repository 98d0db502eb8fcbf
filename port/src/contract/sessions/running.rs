//! One run of a side: a folder of its own, the files of the case in it, the program behind the confinement.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use upstream::process::{Ending, Finished, Invocation, Limits, ProcessError};

use super::super::ContractError;
use super::super::conversation::Tools;
use super::declared::{Case, Input, Session};
use super::mask::Mask;
use crate::confinement::Access;
use crate::held::HeldFolder;
use crate::sandbox::CONFINED_FAILED_EXIT;

/// The most that a run may write to each of its outputs, in bytes.
const OUTPUT_BYTES_MAX: usize = 16 << 20;
/// How many times as long is waited for a run that did not end in time: a busy machine makes anything late.
const SECOND_PATIENCE: u64 = 3;
/// The longest that a server may take for all its answers, in answers' times.
const ANSWERS_PATIENCE: u64 = 20;
/// How many cases of a session a side may hang in before the others are not run any more.
const HANGS_MAX: u32 = 3;

/// A side of a session: a program and what it needs.
#[derive(Debug)]
pub(super) struct Side {
    /// The program, with its path.
    pub(super) program: OsString,
    /// Its arguments before those of a case.
    pub(super) arguments: Vec<OsString>,
    /// Variables before those of a case.
    pub(super) environment: BTreeMap<OsString, OsString>,
    /// What it may read.
    pub(super) access: Access,
    /// In how many cases it hung.
    pub(super) hangs: Cell<u32>,
}

/// A run that ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) finished: Finished,
    /// The folder that it ran in.
    pub(super) folder: PathBuf,
    /// What stands for the paths that no other run has.
    pub(super) masks: Vec<Mask>,
}

/// Where sides run.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) tools: &'a Tools<'a>,
    folder: HeldFolder,
    runs: Cell<u32>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(tools: &'a Tools<'a>, cache: &Path) -> Result<Self, ContractError> {
        let io = |source| ContractError::Io { path: cache.to_path_buf(), source };
        std::fs::create_dir_all(cache).map_err(io)?;
        let folder = HeldFolder::make_in(cache, "session").map_err(io)?;
        Ok(Self { tools, folder, runs: Cell::new(0) })
    }

    /// Runs a case, and once more with patience where it does not end in time; the reason where it cannot be run.
    pub(super) fn run(
        &self,
        side: &Side,
        session: &Session,
        case: &Case,
    ) -> Result<Result<Ran, String>, ContractError> {
        if side.hangs.get() >= HANGS_MAX {
            return Ok(Err(format!("its program hung in {HANGS_MAX} other cases of the session")));
        }
        let first = self.once(side, session, case, 1)?;
        if !matches!(&first, Ok(ran) if is_late(ran.finished.ending)) {
            return Ok(first);
        }
        let second = self.once(side, session, case, SECOND_PATIENCE)?;
        if matches!(&second, Ok(ran) if is_late(ran.finished.ending)) {
            side.hangs.set(side.hangs.get() + 1);
        }
        Ok(second)
    }

    fn once(
        &self,
        side: &Side,
        session: &Session,
        case: &Case,
        patience: u64,
    ) -> Result<Result<Ran, String>, ContractError> {
        let (work, temporary) = self.prepared(case)?;
        let timeout_ms = session.timeout_ms.saturating_mul(patience);
        let limits = match &case.input {
            Input::Whole(_) => Limits { timeout_ms, ..Limits::default() },
            Input::Lines(_) => {
                let whole = timeout_ms.saturating_mul(ANSWERS_PATIENCE);
                Limits { timeout_ms: whole, silence_ms: Some(timeout_ms), ..Limits::default() }
            }
        };
        let mut invocation = Invocation::new(&side.program, &work)
            .args(side.arguments.iter().cloned())
            .args(&case.arguments)
            .stdin(case.input.bytes())
            .limits(Limits { output_bytes_max: OUTPUT_BYTES_MAX, ..limits });
        let environment = [
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            // What is written stands there when a program is ended from outside.
            ("PYTHONUNBUFFERED", "1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ];
        for (name, value) in environment {
            invocation = invocation.env(name, value);
        }
        invocation = invocation.env("HOME", &temporary).env("TMPDIR", &temporary);
        invocation.environment.extend(side.environment.clone());
        for (name, value) in session.environment.iter().chain(&case.environment) {
            invocation = invocation.env(name, value);
        }
        let mut access = side.access.clone();
        access.write.extend([work.clone(), temporary.clone()]);
        let invocation = self.tools.confinement.confine(invocation, &access)?;
        let finished = match self.tools.runner.run(&invocation) {
            Ok(finished) => finished,
            Err(error @ ProcessError::Spawn { .. }) => return Ok(Err(error.to_string())),
            Err(error @ ProcessError::Wait { .. }) => return Err(error.into()),
        };
        match finished.ending {
            Ending::Interrupted => return Err(ContractError::Interrupted),
            Ending::DiskFull => return Ok(Err("no space left on device".to_owned())),
            Ending::Exited(CONFINED_FAILED_EXIT) => {
                return Ok(Err(format!("it cannot be started: {}", finished.tail(1))));
            }
            Ending::Exited(_)
            | Ending::Signalled(_)
            | Ending::TimedOut
            | Ending::Silent
            | Ending::TooMuchOutput
            | Ending::TooMuchDisk => {}
        }
        let masks = [(&work, "<folder>"), (&temporary, "<temporary>")]
            .into_iter()
            .filter_map(|(path, word)| Mask::of_path(path, word))
            .collect();
        Ok(Ok(Ran { finished, folder: work, masks }))
    }

    /// A new folder with the files of a case, and one for temporary files. The paths are of one length: some programs
    /// lay out their output by that.
    fn prepared(&self, case: &Case) -> Result<(PathBuf, PathBuf), ContractError> {
        let number = self.runs.get();
        self.runs.set(number.wrapping_add(1));
        let folder = self.folder.path().join(format!("{number:08}"));
        let (work, temporary) = (folder.join("work"), folder.join("tmp"));
        for new in [&work, &temporary] {
            std::fs::create_dir_all(new).map_err(|source| ContractError::Io { path: new.clone(), source })?;
        }
        for (name, content) in &case.files {
            let path = work.join(name);
            let io = |source| ContractError::Io { path: path.clone(), source };
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(io)?;
            }
            std::fs::write(&path, content).map_err(io)?;
        }
        Ok((work, temporary))
    }

    /// Forgets a run's folder. What cannot be removed goes with the ground.
    pub(super) fn forget(ran: &Ran) {
        if let Some(folder) = ran.folder.parent()
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            tracing::debug!(%error, "a run's folder stays for now");
        }
    }
}

fn is_late(ending: Ending) -> bool {
    matches!(ending, Ending::TimedOut | Ending::Silent)
}
