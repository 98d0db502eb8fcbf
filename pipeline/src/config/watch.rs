//! `[watch]`: when `tidelock watch` looks at the upstream of a port.

use croner::Cron;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::daemon::quiet::{WINDOWS_MAX, Window};
use crate::daemon::schedule::ScheduleError;
use crate::daemon::{Rhythm, Schedule, When};

/// The schedule where none is given.
const SCHEDULE_DEFAULT: &str = "*/15 * * * *";
/// The wait after a first failure where none is given, in seconds.
const RETRY_S_DEFAULT: u32 = 30;
/// The longest wait after a failure where none is given, in seconds.
const RETRY_MAX_S_DEFAULT: u32 = 60 * 60;
/// The longest that any of them may be, in seconds: a week.
const SECONDS_MAX: u32 = 7 * 24 * 60 * 60;

/// `[watch]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WatchSection {
    /// When to look, as a cron expression: minute, hour, day of month, month, day of week; a sixth field before
    /// them has seconds. Default: `*/15 * * * *`.
    pub schedule: Option<String>,
    /// In place of `schedule`: look this many seconds after the last look.
    pub every_s: Option<u32>,
    /// The time zone of `schedule` and `quiet`, such as `Europe/Berlin`. Default: that of the machine.
    pub time_zone: Option<String>,
    /// When nothing begins, such as `22:00-06:00`, `Sat,Sun 00:00-24:00` or `Mon-Fri 08:00-18:00`. What comes in the
    /// meantime is followed when the window ends.
    #[serde(default)]
    pub quiet: Vec<String>,
    /// Look up to this many seconds later than the schedule says, by the port's name, always alike, so that many
    /// ports do not ask at the same moment. Default: 0.
    pub jitter_s: Option<u32>,
    /// How long to wait after a failure, in seconds; each further one doubles it. Default: 30.
    pub retry_s: Option<u32>,
    /// The longest wait after a failure, in seconds. Default: 3600.
    pub retry_max_s: Option<u32>,
}

/// What is wrong with the section: the keys below it, what is wrong there, and what to write.
pub(super) type Wrong = (Vec<String>, String, String);

fn wrong(key: &str, message: impl Into<String>, help: impl Into<String>) -> Wrong {
    (vec![key.to_owned()], message.into(), help.into())
}

/// Checks the section. That a schedule ever comes is reckoned from `now_ms`.
pub(super) fn resolve(section: &WatchSection, now_ms: i64) -> Result<Rhythm, Wrong> {
    let when = match (&section.schedule, section.every_s) {
        (Some(_), Some(_)) => {
            return Err(wrong("every-s", "`schedule` and `every-s` are both given", "write one of them"));
        }
        (None, Some(seconds)) => When::EveryS(bounded("every-s", seconds, 1)?),
        (text, None) => {
            let text = text.as_deref().unwrap_or(SCHEDULE_DEFAULT);
            let (message, help) = match cron(text) {
                Ok(when) => return with(section, when, now_ms),
                Err(said) => said,
            };
            return Err(wrong("schedule", message, help));
        }
    };
    with(section, when, now_ms)
}

/// A cron expression; else what is wrong with it, and what to write.
pub fn cron(text: &str) -> Result<When, (String, String)> {
    let help = "five fields: minute, hour, day of month, month, day of week, such as `*/15 * * * *`";
    let parsed: Result<Cron, _> = text.parse();
    match parsed {
        Ok(cron) => Ok(When::Cron(Box::new(cron))),
        Err(error) => Err((format!("`{text}` is not a cron expression: {error}"), help.to_owned())),
    }
}

fn with(section: &WatchSection, when: When, now_ms: i64) -> Result<Rhythm, Wrong> {
    let zone = match &section.time_zone {
        None => TimeZone::system(),
        Some(name) => TimeZone::get(name).map_err(|error| {
            let help =
                "write a name such as `Europe/Berlin` or `UTC`; they come with the system package `tzdata`";
            wrong("time-zone", format!("there is no time zone `{name}`: {error}"), help)
        })?,
    };
    if section.quiet.len() > WINDOWS_MAX {
        let message = format!("{} quiet windows, and at most {WINDOWS_MAX} are read", section.quiet.len());
        return Err(wrong("quiet", message, "join some of them"));
    }
    let quiet = section.quiet.iter().enumerate().map(|(at, text)| {
        text.parse::<Window>().map_err(|error| {
            let help = "write it as `22:00-06:00`, or `Sat,Sun 00:00-24:00`";
            (vec!["quiet".to_owned(), at.to_string()], error.to_string(), help.to_owned())
        })
    });
    let jitter_s = bounded("jitter-s", section.jitter_s.unwrap_or(0), 0)?;
    let schedule = Schedule::new(when, zone, quiet.collect::<Result<_, _>>()?, jitter_s, now_ms);
    let schedule = schedule.map_err(|error| match error {
        ScheduleError::Never => wrong("schedule", error.to_string(), "name a day that there is"),
        ScheduleError::AlwaysQuiet => wrong("quiet", error.to_string(), "leave some time between them"),
    })?;
    let retry_s = bounded("retry-s", section.retry_s.unwrap_or(RETRY_S_DEFAULT), 1)?;
    let retry_max_s = section.retry_max_s.unwrap_or(RETRY_MAX_S_DEFAULT.max(retry_s));
    Ok(Rhythm { schedule, retry_s, retry_max_s: bounded("retry-max-s", retry_max_s, retry_s)? })
}

fn bounded(key: &str, seconds: u32, least: u32) -> Result<u32, Wrong> {
    if (least..=SECONDS_MAX).contains(&seconds) {
        return Ok(seconds);
    }
    let message = format!("`{key}` is {seconds} seconds");
    Err(wrong(key, message, format!("write a number from {least} to {SECONDS_MAX} (a week)")))
}
