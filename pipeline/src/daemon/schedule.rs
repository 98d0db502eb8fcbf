//! When a port is looked at: a pure function of the configuration, the last look and the time.

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use upstream::ContentHash;

use super::quiet::{self, Window};

/// Milliseconds in a second.
const SECOND_MS: i64 = 1000;

/// At which times.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// This many seconds after the last time.
    EveryS(u32),
    /// As a cron expression says.
    Cron(Box<Cron>),
}

/// What a port's next time is reckoned from, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It was never looked at; the daemon took it up then. What happened before is not known, so it is due.
    Begun(i64),
    /// The last look at it began then.
    Looked(i64),
}

/// A schedule that can never come to anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The expression names no time.
    #[error("the cron expression has no next time")]
    Never,
    /// It is always quiet.
    #[error("the quiet windows leave no time in the week")]
    AlwaysQuiet,
}

/// When a port is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    when: When,
    zone: TimeZone,
    quiet: Vec<Window>,
    jitter_s: u32,
}

impl Schedule {
    /// A schedule that has a time after `now_ms`.
    pub fn new(
        when: When,
        zone: TimeZone,
        quiet: Vec<Window>,
        jitter_s: u32,
        now_ms: i64,
    ) -> Result<Self, ScheduleError> {
        let schedule = Self { when, zone, quiet, jitter_s };
        if schedule.awake(now_ms).is_none() {
            return Err(ScheduleError::AlwaysQuiet);
        }
        schedule.regular("", now_ms).ok_or(ScheduleError::Never)?;
        Ok(schedule)
    }

    /// The same times of the clock by another expression.
    #[must_use]
    pub fn with(&self, when: When) -> Self {
        Self { when, ..self.clone() }
    }

    /// The first time from `now_ms` on at which a port may be looked at: `now_ms` itself where it is due, or was
    /// missed. `None` where the expression has no time left.
    pub fn due(&self, port: &str, before: Before, now_ms: i64) -> Option<i64> {
        let regular = match before {
            Before::Begun(begun_ms) => begun_ms + self.lateness_s(port) * SECOND_MS,
            Before::Looked(last_ms) => self.regular(port, last_ms)?,
        };
        self.awake(regular.max(now_ms))
    }

    /// The first time from this one on that is not quiet.
    pub fn awake(&self, at_ms: i64) -> Option<i64> {
        let at = Timestamp::from_millisecond(at_ms).ok()?;
        quiet::awake(&self.quiet, &self.zone, at).map(Timestamp::as_millisecond)
    }

    /// The next time after another one, whether quiet or not.
    fn regular(&self, port: &str, after_ms: i64) -> Option<i64> {
        let late_ms = self.lateness_s(port) * SECOND_MS;
        match &self.when {
            When::EveryS(seconds) => Some(after_ms + i64::from(*seconds) * SECOND_MS),
            When::Cron(cron) => {
                let before = Timestamp::from_millisecond(after_ms - late_ms).ok()?;
                let next = cron.find_next_occurrence(&before.to_zoned(self.zone.clone()), false).ok()?;
                Some(next.timestamp().as_millisecond() + late_ms)
            }
        }
    }

    /// How much later than the expression says a port is looked at: always the same for one port, so that many
    /// ports do not ask at the same moment.
    fn lateness_s(&self, port: &str) -> i64 {
        if self.jitter_s == 0 {
            return 0;
        }
        let hash = ContentHash::of(port).to_string();
        let first: String = hash.chars().take(12).collect();
        let number = i64::from_str_radix(&first, 16).unwrap_or_default();
        number.rem_euclid(i64::from(self.jitter_s) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60 * SECOND_MS;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn cron(text: &str) -> When {
        When::Cron(Box::new(text.parse().unwrap()))
    }

    fn schedule(when: When, zone: &str, quiet: &[&str], jitter_s: u32) -> Schedule {
        let quiet = quiet.iter().map(|text| text.parse().unwrap()).collect();
        Schedule::new(when, TimeZone::get(zone).unwrap(), quiet, jitter_s, ms("2026-05-01T00:00:00Z"))
            .unwrap()
    }

    fn due(schedule: &Schedule, last: &str, now: &str) -> String {
        let due = schedule.due("p", Before::Looked(ms(last)), ms(now)).unwrap();
        Timestamp::from_millisecond(due).unwrap().to_string()
    }

    #[test]
    fn an_expression_is_read_in_its_time_zone_across_a_change_of_the_clocks() {
        let daily = schedule(cron("30 4 * * *"), "Europe/Berlin", &[], 0);
        assert_eq!(due(&daily, "2026-03-28T03:30:00Z", "2026-03-28T03:31:00Z"), "2026-03-29T02:30:00Z");
        assert_eq!(due(&daily, "2026-10-24T02:30:00Z", "2026-10-24T02:31:00Z"), "2026-10-25T03:30:00Z");
    }

    #[test]
    fn what_was_missed_is_due_at_once_and_once() {
        let quarterly = schedule(cron("*/15 * * * *"), "UTC", &[], 0);
        assert_eq!(due(&quarterly, "2026-05-01T10:00:00Z", "2026-05-01T18:07:00Z"), "2026-05-01T18:07:00Z");
        assert_eq!(due(&quarterly, "2026-05-01T18:07:00Z", "2026-05-01T18:07:01Z"), "2026-05-01T18:15:00Z");
    }

    #[test]
    fn an_interval_counts_from_the_last_look() {
        let often = schedule(When::EveryS(90), "UTC", &[], 0);
        assert_eq!(due(&often, "2026-05-01T10:00:00Z", "2026-05-01T10:00:05Z"), "2026-05-01T10:01:30Z");
    }

    #[test]
    fn quiet_windows_push_a_time_to_their_end() {
        let quarterly = schedule(cron("*/15 * * * *"), "UTC", &["22:00-06:10"], 0);
        assert_eq!(due(&quarterly, "2026-05-01T21:45:00Z", "2026-05-01T21:46:00Z"), "2026-05-02T06:10:00Z");
        assert_eq!(due(&quarterly, "2026-05-02T06:10:00Z", "2026-05-02T06:11:00Z"), "2026-05-02T06:15:00Z");
    }

    #[test]
    fn jitter_is_bounded_spread_and_the_same_for_a_port_every_time() {
        let hourly = schedule(cron("0 * * * *"), "UTC", &[], 600);
        let begun = ms("2026-05-01T10:20:00Z");
        let mut seen = std::collections::BTreeSet::new();
        for name in (0..50).map(|number| format!("port-{number}")) {
            let first = hourly.due(&name, Before::Looked(begun), begun).unwrap();
            let second = hourly.due(&name, Before::Looked(first), first).unwrap();
            assert_eq!(second - first, 60 * MINUTE_MS, "{name}");
            let late = (first - ms("2026-05-01T11:00:00Z")) / SECOND_MS;
            assert!((0..=600).contains(&late), "{name}: {late}");
            seen.insert(late);
        }
        assert!(seen.len() > 25, "fifty ports are spread: {seen:?}");
        let first = hourly.due("p", Before::Begun(begun), begun).unwrap();
        assert!((0..=600 * SECOND_MS).contains(&(first - begun)), "the first look is spread as well");
    }

    #[test]
    fn a_time_is_never_in_the_past_never_quiet_and_comes() {
        let windows = ["Mon-Fri 08:00-18:00", "Sat 23:00-02:00"];
        let zone = TimeZone::get("America/St_Johns").unwrap();
        let parsed: Vec<Window> = windows.iter().map(|text| text.parse().unwrap()).collect();
        for when in [cron("7 */3 * * *"), cron("0 9 * * Mon"), When::EveryS(4000)] {
            let all = schedule(when, "America/St_Johns", &windows, 120);
            let mut last = ms("2026-02-27T00:00:00Z");
            for _ in 0..200 {
                let now = last + 1;
                let due = all.due("p", Before::Looked(last), now).unwrap();
                assert!(due >= now && due - last <= 10 * 24 * 60 * MINUTE_MS);
                let at = Timestamp::from_millisecond(due).unwrap();
                assert_eq!(quiet::awake(&parsed, &zone, at), Some(at), "{at} is quiet");
                last = due;
            }
        }
    }

    #[test]
    fn what_can_never_come_is_refused() {
        let make = |when, quiet: &[&str]| {
            let quiet = quiet.iter().map(|text| text.parse().unwrap()).collect();
            Schedule::new(when, TimeZone::UTC, quiet, 0, ms("2026-05-01T00:00:00Z")).unwrap_err()
        };
        assert_eq!(make(cron("0 0 30 2 *"), &[]), ScheduleError::Never);
        assert_eq!(make(When::EveryS(60), &["00:00-24:00"]), ScheduleError::AlwaysQuiet);
    }
}
