//! What the daemon knows of one port, and what follows from that: pure, so that a test moves the time.
//!
//! A look asks the upstream whether there is anything new, and costs what `git ls-remote` costs. A sync follows
//! where there is. What failed is tried again later and later; what is new is never held back by what failed.

use upstream::ContentHash;

use super::schedule::{Before, Schedule};

/// The least time between two looks at a port, however often it is woken.
pub const WAKE_GAP_MS: i64 = 5 * 1000;
/// After so many doublings the wait no longer grows, whatever the configured bound.
const DOUBLINGS_MAX: u32 = 20;

/// When a port is looked at, and how soon again after a failure.
#[derive(Debug, Clone, PartialEq)]
pub struct Rhythm {
    /// The schedule.
    pub schedule: Schedule,
    /// The wait after a first failure, in seconds; it doubles with each further one.
    pub retry_s: u32,
    /// The longest wait after a failure, in seconds.
    pub retry_max_s: u32,
}

/// What the port is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits for its time.
    Waiting,
    /// It waits for a free looker.
    LookQueued,
    /// The upstream is being asked.
    Looking,
    /// It waits for a free worker.
    SyncQueued,
    /// A sync is running.
    Syncing,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whether a sync would find something to do.
    pub work: bool,
    /// Whether the upstream differs from what the last poll saw there.
    pub changed: bool,
    /// Everything that decides what a sync would do, as one hash.
    pub facts: ContentHash,
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncEnd {
    /// Everything went as it should; the port may have moved.
    Well {
        /// Whether the port moved.
        moved: bool,
    },
    /// A gate refused, or it could not be told.
    Badly,
    /// It could not be begun or ended, as the trouble says.
    Trouble {
        /// Whether it counts as a failure: somebody else's sync does not.
        failure: bool,
    },
    /// The daemon stops.
    Stopped,
}

/// What the daemon knows of one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortState {
    /// What it is at.
    pub phase: Phase,
    /// Failures in a row.
    pub failures: u32,
    before: Before,
    /// When the last look or sync ended.
    ended_ms: i64,
    woken: bool,
    /// The first look is followed by a sync whatever it finds: a killed run may have left something half-way.
    synced: bool,
    /// Tries in a row that came to nothing.
    tries: u32,
    retry_ms: Option<i64>,
    /// Whether the upstream itself could not be asked.
    deaf: bool,
    /// What was there when the last sync came to nothing.
    tried: Option<ContentHash>,
    facts: Option<ContentHash>,
}

impl PortState {
    /// A port that is taken up now.
    pub fn new(now_ms: i64) -> Self {
        Self {
            phase: Phase::Waiting,
            failures: 0,
            before: Before::Begun(now_ms),
            ended_ms: now_ms - WAKE_GAP_MS,
            woken: false,
            synced: false,
            tries: 0,
            retry_ms: None,
            deaf: false,
            tried: None,
            facts: None,
        }
    }

    /// When it is to be looked at: not before `now_ms`. `None` while it is at work, or where no time is left.
    pub fn due(&self, name: &str, rhythm: &Rhythm, now_ms: i64) -> Option<i64> {
        if self.phase != Phase::Waiting {
            return None;
        }
        let regular = rhythm.schedule.due(name, self.before, now_ms);
        let retry = self.retry_ms.and_then(|retry_ms| rhythm.schedule.awake(retry_ms.max(now_ms)));
        let planned = match (regular, retry) {
            // A source that does not answer is not asked at every regular time.
            (Some(_) | None, Some(retry)) if self.deaf => Some(retry),
            (Some(regular), Some(retry)) => Some(regular.min(retry)),
            (regular, retry) => regular.or(retry),
        };
        if !self.woken {
            return planned;
        }
        let soon = rhythm.schedule.awake((self.ended_ms + WAKE_GAP_MS).max(now_ms));
        [planned, soon].into_iter().flatten().min()
    }

    /// Whether a look at it has ended, however it did.
    pub fn was_looked_at(&self) -> bool {
        self.facts.is_some() || self.deaf
    }

    /// Somebody says that there may be something new.
    pub fn wake(&mut self) {
        self.woken = true;
    }

    /// A look begins. What wakes it from now on leads to another one.
    pub fn look_begins(&mut self, now_ms: i64) {
        self.phase = Phase::Looking;
        self.woken = false;
        self.before = Before::Looked(now_ms);
    }

    /// A look ended: whether a sync follows.
    pub fn looked(&mut self, seen: &Seen, now_ms: i64) -> bool {
        self.ended_ms = now_ms;
        self.deaf = false;
        let held = !seen.changed
            && self.tried == Some(seen.facts)
            && self.retry_ms.is_some_and(|retry_ms| now_ms < retry_ms);
        let follow = (seen.work || !self.synced) && !held;
        self.phase = if follow { Phase::SyncQueued } else { Phase::Waiting };
        if !follow && !seen.work && self.synced {
            self.settle();
        }
        self.facts = Some(seen.facts);
        follow
    }

    /// A look could not be had.
    pub fn look_failed(&mut self, rhythm: &Rhythm, now_ms: i64) {
        self.ended_ms = now_ms;
        self.phase = Phase::Waiting;
        self.deaf = true;
        self.failures += 1;
        self.back_off(rhythm, now_ms);
    }

    /// A sync ended.
    pub fn synced(&mut self, end: SyncEnd, rhythm: &Rhythm, now_ms: i64) {
        self.ended_ms = now_ms;
        self.phase = Phase::Waiting;
        match end {
            SyncEnd::Stopped => return,
            SyncEnd::Well { moved } => {
                self.synced = true;
                self.failures = 0;
                if moved {
                    self.settle();
                    return;
                }
            }
            SyncEnd::Badly | SyncEnd::Trouble { failure: true } => self.failures += 1,
            SyncEnd::Trouble { failure: false } => {}
        }
        // The same again would come to the same: only what is new is followed before the wait is over.
        self.tried = self.facts;
        self.back_off(rhythm, now_ms);
    }

    fn settle(&mut self) {
        self.failures = 0;
        self.tries = 0;
        self.retry_ms = None;
        self.tried = None;
    }

    fn back_off(&mut self, rhythm: &Rhythm, now_ms: i64) {
        let doublings = self.tries.min(DOUBLINGS_MAX);
        let wait_s = (u64::from(rhythm.retry_s) << doublings).min(u64::from(rhythm.retry_max_s));
        self.tries += 1;
        self.retry_ms = Some(now_ms.saturating_add_unsigned(wait_s * 1000));
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::super::schedule::When;
    use super::*;

    const MINUTE: i64 = 60_000;

    fn rhythm() -> Rhythm {
        let schedule = Schedule::new(When::EveryS(60), TimeZone::UTC, Vec::new(), 0, 0).unwrap();
        Rhythm { schedule, retry_s: 30, retry_max_s: 300 }
    }

    fn seen(work: bool, changed: bool, facts: &str) -> Seen {
        Seen { work, changed, facts: ContentHash::of(facts) }
    }

    fn idle() -> Seen {
        seen(false, false, "settled")
    }

    /// A port that was looked at and synced once, at time 0.
    fn settled() -> PortState {
        let mut port = PortState::new(0);
        port.look_begins(0);
        assert!(port.looked(&idle(), 0), "the first look is followed by a sync");
        port.synced(SyncEnd::Well { moved: false }, &rhythm(), 0);
        port.look_begins(0);
        assert!(!port.looked(&idle(), 0));
        port
    }

    fn due(port: &PortState, now_ms: i64) -> i64 {
        port.due("p", &rhythm(), now_ms).unwrap()
    }

    #[test]
    fn a_new_port_is_due_at_once_and_then_by_its_schedule() {
        assert_eq!(due(&PortState::new(7), 7), 7);
        assert_eq!(due(&settled(), 1), MINUTE);
    }

    #[test]
    fn a_port_at_work_is_not_due() {
        let mut port = settled();
        port.look_begins(MINUTE);
        assert_eq!(port.due("p", &rhythm(), 5 * MINUTE), None);
    }

    #[test]
    fn a_source_that_does_not_answer_is_asked_later_and_later_up_to_a_bound_and_then_as_before() {
        let mut port = settled();
        let (mut now, mut waits) = (MINUTE, Vec::new());
        for _ in 0..6 {
            port.look_begins(now);
            port.look_failed(&rhythm(), now);
            let next = due(&port, now);
            waits.push((next - now) / 1000);
            now = next;
        }
        assert_eq!(waits, [30, 60, 120, 240, 300, 300]);
        assert_eq!(port.failures, 6);
        port.look_begins(now);
        assert!(!port.looked(&idle(), now));
        assert_eq!((port.failures, due(&port, now)), (0, now + MINUTE));
    }

    #[test]
    fn what_a_gate_refused_is_not_tried_again_at_once_but_what_is_new_is() {
        let mut port = settled();
        let refused = seen(true, false, "refused");
        port.look_begins(MINUTE);
        assert!(port.looked(&refused, MINUTE));
        port.synced(SyncEnd::Badly, &rhythm(), 2 * MINUTE);
        assert_eq!(port.failures, 1);

        port.look_begins(2 * MINUTE + 1000);
        assert!(!port.looked(&refused, 2 * MINUTE + 1000), "nothing is different");
        assert_eq!(
            due(&port, 2 * MINUTE + 1000),
            2 * MINUTE + 30_000,
            "the wait is over before the next minute"
        );
        assert_eq!(port.failures, 1, "a look that answers does not make the failure undone");

        let mut other = port.clone();
        other.look_begins(2 * MINUTE + 2000);
        assert!(
            other.looked(&seen(true, true, "refused"), 2 * MINUTE + 2000),
            "the upstream has something new"
        );
        let mut edited = port.clone();
        edited.look_begins(2 * MINUTE + 2000);
        assert!(edited.looked(&seen(true, false, "a person's commit"), 2 * MINUTE + 2000));

        port.look_begins(2 * MINUTE + 30_000);
        assert!(port.looked(&refused, 2 * MINUTE + 30_000), "the wait is over");
        port.synced(SyncEnd::Badly, &rhythm(), 3 * MINUTE);
        port.look_begins(3 * MINUTE + 30_000);
        assert!(!port.looked(&refused, 3 * MINUTE + 30_000), "the second wait is longer");
    }

    #[test]
    fn a_first_sync_that_fails_is_tried_again_when_its_wait_is_over() {
        let mut port = PortState::new(0);
        port.look_begins(0);
        assert!(port.looked(&idle(), 0));
        port.synced(SyncEnd::Trouble { failure: true }, &rhythm(), 0);
        port.look_begins(10_000);
        assert!(!port.looked(&idle(), 10_000), "what kept it off is still there");
        assert_eq!(port.failures, 1);
        port.look_begins(30_000);
        assert!(port.looked(&idle(), 30_000));
    }

    #[test]
    fn a_sync_that_moves_the_port_ends_all_waiting() {
        let mut port = settled();
        port.look_begins(MINUTE);
        port.look_failed(&rhythm(), MINUTE);
        port.look_begins(2 * MINUTE);
        assert!(port.looked(&seen(true, true, "new"), 2 * MINUTE));
        port.synced(SyncEnd::Well { moved: true }, &rhythm(), 3 * MINUTE);
        assert_eq!((port.failures, due(&port, 3 * MINUTE)), (0, 3 * MINUTE));
    }

    #[test]
    fn somebody_elses_sync_is_waited_for_and_is_no_failure() {
        let mut port = settled();
        port.look_begins(MINUTE);
        assert!(port.looked(&seen(true, true, "new"), MINUTE));
        port.synced(SyncEnd::Trouble { failure: false }, &rhythm(), MINUTE);
        assert_eq!((port.failures, due(&port, MINUTE)), (0, MINUTE + 30_000));
    }

    #[test]
    fn being_woken_brings_a_look_forward_and_never_more_often_than_the_gap() {
        let mut port = settled();
        port.wake();
        assert_eq!(due(&port, 1000), WAKE_GAP_MS);
        assert_eq!(due(&port, 9000), 9000);
        port.look_begins(9000);
        port.wake();
        assert!(!port.looked(&idle(), 9500));
        assert_eq!(due(&port, 9500), 9500 + WAKE_GAP_MS, "what woke it during the look is not lost");
        port.look_begins(20_000);
        assert!(!port.looked(&idle(), 20_000));
        assert_eq!(due(&port, 20_000), 20_000 + MINUTE, "one wake-up, one look");
    }

    #[test]
    fn a_wake_up_asks_a_source_that_did_not_answer() {
        let mut port = settled();
        for now in [MINUTE, 2 * MINUTE, 3 * MINUTE] {
            port.look_begins(now);
            port.look_failed(&rhythm(), now);
        }
        port.wake();
        assert_eq!(due(&port, 3 * MINUTE), 3 * MINUTE + WAKE_GAP_MS);
    }

    #[test]
    fn a_wake_up_in_a_quiet_window_waits_for_its_end() {
        let quiet = vec!["00:00-01:00".parse().unwrap()];
        let schedule = Schedule::new(When::EveryS(60), TimeZone::UTC, quiet, 0, 0).unwrap();
        let rhythm = Rhythm { schedule, ..rhythm() };
        let mut port = settled();
        port.wake();
        assert_eq!(port.due("p", &rhythm, 10 * MINUTE), Some(60 * MINUTE));
    }

    #[test]
    fn a_stop_in_a_sync_is_no_failure() {
        let mut port = settled();
        port.look_begins(MINUTE);
        assert!(port.looked(&seen(true, true, "new"), MINUTE));
        port.synced(SyncEnd::Stopped, &rhythm(), MINUTE);
        assert_eq!(port.failures, 0);
    }
}
