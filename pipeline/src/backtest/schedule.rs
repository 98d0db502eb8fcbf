//! All cases with all chains, so many at a time, within a budget.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use reports::RunRecord;

use super::folder::BacktestFolder;
use super::outcome::CaseResult;
use super::report::Failure;
use super::run::{Job, Shared};

/// The most cases at a time: each takes a thread, and builds and tests of its own.
pub(crate) const JOBS_MAX: usize = 64;

/// What bounds a backtest.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    /// Cases at a time.
    pub(crate) jobs: usize,
    /// Once so many tokens are spent, no case begins any more.
    pub(crate) tokens: Option<u64>,
    /// Once so many United States dollars are spent, likewise.
    pub(crate) usd: Option<f64>,
}

/// How it ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) failures: Vec<Failure>,
    pub(crate) stopped_by: Option<String>,
}

/// What the workers share.
struct Board<'a> {
    /// Each with the folder in which it is carried out.
    waiting: VecDeque<(Job<'a>, PathBuf)>,
    tokens: u64,
    usd: f64,
}

impl Board<'_> {
    fn add(&mut self, result: &CaseResult) {
        self.tokens = self.tokens.saturating_add(result.tokens());
        self.usd += result.cost_usd.unwrap_or_default();
    }

    /// The bound that leaves nothing for another case.
    fn reached(&self, bounds: &Bounds) -> Option<String> {
        let tokens = bounds.tokens.filter(|most| self.tokens >= *most);
        let tokens = tokens.map(|most| format!("{} of {most} tokens are spent", self.tokens));
        let usd = bounds.usd.filter(|most| self.usd >= *most);
        tokens.or_else(|| usd.map(|most| format!("{:.4} of {most:.4} USD are spent", self.usd)))
    }
}

/// What a worker hands over.
type Done<'a> = (Job<'a>, Result<(CaseResult, RunRecord)>);

/// Carries out what is not finished yet; each is remembered as soon as it is. `tell` hears of each.
pub(crate) fn carry_out<'a>(
    jobs: &[Job<'a>],
    shared: &Shared<'_>,
    folder: &mut BacktestFolder,
    bounds: &Bounds,
    tell: &dyn Fn(&str),
) -> Result<Ended> {
    let mut board = Board { waiting: VecDeque::new(), tokens: 0, usd: 0.0 };
    for job in jobs {
        let key = job.key(shared).to_string();
        match folder.finished(&key) {
            Some(result) => board.add(result),
            None => board.waiting.push_back((*job, folder.work(&key))),
        }
    }
    let of = board.waiting.len();
    let workers = bounds.jobs.clamp(1, JOBS_MAX).min(of.max(1));
    let (board, caches) = (Mutex::new(board), folder.caches());
    let failures = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(workers);
        for worker in 0..workers {
            let (sender, board, cache) = (sender.clone(), &board, caches.join(worker.to_string()));
            scope.spawn(move || work(board, bounds, shared, &cache, &sender));
        }
        drop(sender);
        collect(receiver, shared, folder, of, tell)
    })?;
    if shared.machine.interrupt.load(Ordering::Relaxed) {
        bail!("stopped; run the same command again to go on");
    }
    let board = board.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stopped_by = if board.waiting.is_empty() { None } else { board.reached(bounds) };
    Ok(Ended { failures, stopped_by })
}

/// Takes one case after the other until none is left, or a bound is reached.
fn work<'a>(
    board: &Mutex<Board<'a>>,
    bounds: &Bounds,
    shared: &Shared<'_>,
    cache: &Path,
    sender: &SyncSender<Done<'a>>,
) {
    while !shared.machine.interrupt.load(Ordering::Relaxed) {
        let next = {
            let mut board = board.lock().unwrap_or_else(PoisonError::into_inner);
            if board.reached(bounds).is_some() { None } else { board.waiting.pop_front() }
        };
        let Some((job, place)) = next else { return };
        let done = job.carry_out(shared, &place, cache);
        if let Ok((result, _)) = &done {
            board.lock().unwrap_or_else(PoisonError::into_inner).add(result);
        }
        if sender.send((job, done)).is_err() {
            return;
        }
    }
}

/// Remembers what comes.
fn collect(
    receiver: Receiver<Done<'_>>,
    shared: &Shared<'_>,
    folder: &mut BacktestFolder,
    of: usize,
    tell: &dyn Fn(&str),
) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    for (number, (job, done)) in receiver.into_iter().enumerate() {
        let name = format!("[{}/{of}] {} with {}", number + 1, job.case.name, job.chain.name);
        match done {
            Ok((result, record)) => {
                folder.finish(&result, &record)?;
                tell(&format!("{name}: {}", result.told()));
            }
            // What was broken off because we were told to stop is no failure.
            Err(_) if shared.machine.interrupt.load(Ordering::Relaxed) => {}
            Err(error) => {
                tell(&format!("{name}: cannot be carried out: {error:#}"));
                failures.push(Failure {
                    case: job.case.name.clone(),
                    chain: job.chain.name.clone(),
                    reason: format!("{error:#}"),
                });
            }
        }
    }
    Ok(failures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_reached_once_so_much_is_spent() {
        let board = Board { waiting: VecDeque::new(), tokens: 100, usd: 0.5 };
        let bounds = |tokens, usd| Bounds { jobs: 1, tokens, usd };
        assert_eq!(board.reached(&bounds(None, None)), None);
        assert_eq!(board.reached(&bounds(Some(101), Some(0.51))), None);
        assert_eq!(board.reached(&bounds(Some(100), None)).unwrap(), "100 of 100 tokens are spent");
        assert_eq!(board.reached(&bounds(None, Some(0.5))).unwrap(), "0.5000 of 0.5000 USD are spent");
    }
}
