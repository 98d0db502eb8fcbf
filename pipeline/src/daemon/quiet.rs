//! Quiet windows: times of the week in which nothing begins.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// Minutes in a day.
const DAY_MINUTES: u16 = 24 * 60;
/// The days as they are written, from Monday on.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];
/// The most windows that a configuration may have.
pub const WINDOWS_MAX: usize = 64;

/// The text is no quiet window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a quiet window: {reason}")]
pub struct InvalidWindow {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// One window: on these days from a minute of the day on, up to another one, on the next day where that is not
/// later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    days: Vec<Weekday>,
    from_minute: u16,
    to_minute: u16,
}

impl std::str::FromStr for Window {
    type Err = InvalidWindow;

    /// Reads `22:00-06:00`, `Sat,Sun 00:00-24:00` or `Mon-Fri 08:00-18:00`.
    fn from_str(text: &str) -> Result<Self, InvalidWindow> {
        let invalid = |reason: String| InvalidWindow { text: text.to_owned(), reason };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, times) = match words.as_slice() {
            [times] => (DAYS.map(|(_, day)| day).to_vec(), *times),
            [days, times] => (days_of(days).map_err(invalid)?, *times),
            _ => return Err(invalid("it has neither one word nor two".to_owned())),
        };
        let (from, to) =
            times.split_once('-').ok_or_else(|| invalid("there is no `-` between two times".to_owned()))?;
        let (from_minute, to_minute) = (minute_of(from).map_err(invalid)?, minute_of(to).map_err(invalid)?);
        if from_minute == DAY_MINUTES || from_minute == to_minute {
            return Err(invalid("it ends where it begins; a whole day is `00:00-24:00`".to_owned()));
        }
        Ok(Self { days, from_minute, to_minute })
    }
}

fn days_of(text: &str) -> Result<Vec<Weekday>, String> {
    let place = |name: &str| {
        let lower = name.to_lowercase();
        let found = DAYS.iter().position(|(day, _)| *day == lower);
        found.ok_or_else(|| format!("`{name}` is none of Mon, Tue, Wed, Thu, Fri, Sat, Sun"))
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        let count = (last + DAYS.len() - first) % DAYS.len() + 1;
        days.extend(DAYS.iter().cycle().skip(first).take(count).map(|(_, day)| *day));
    }
    Ok(days)
}

fn minute_of(text: &str) -> Result<u16, String> {
    let wrong = || format!("`{text}` is not a time of the day such as 06:30");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return Err(wrong());
    }
    let (hour, minute): (u16, u16) =
        (hour.parse().map_err(|_not_a_number| wrong())?, minute.parse().map_err(|_not_a_number| wrong())?);
    let of_day = hour * 60 + minute;
    if minute >= 60 || of_day > DAY_MINUTES { Err(wrong()) } else { Ok(of_day) }
}

impl Window {
    /// When the window that holds this time ends, as people read it on a clock.
    fn end_around(&self, date: Date, minute: u16) -> Option<(Date, u16)> {
        let over_midnight = self.to_minute <= self.from_minute;
        let yesterday = date.yesterday().ok()?;
        if over_midnight && minute < self.to_minute && self.days.contains(&yesterday.weekday()) {
            return Some((date, self.to_minute));
        }
        if !self.days.contains(&date.weekday()) || minute < self.from_minute {
            return None;
        }
        if over_midnight {
            return Some((date.tomorrow().ok()?, self.to_minute));
        }
        (minute < self.to_minute).then_some((date, self.to_minute))
    }
}

/// When all windows that follow on a time without a gap are over: the time itself where it is in none.
/// `None` where they never are.
pub fn awake(windows: &[Window], zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let mut at = at;
    // Each window is left at most once a day; what is still quiet after more than a week always is.
    for _ in 0..=windows.len() * 9 {
        let here = at.to_zoned(zone.clone());
        let minute = u16::try_from(here.hour()).ok()? * 60 + u16::try_from(here.minute()).ok()?;
        let ends = windows.iter().filter_map(|window| window.end_around(here.date(), minute)).max();
        let Some((date, minute)) = ends else { return Some(at) };
        at = end(&here, date, minute)?;
    }
    None
}

fn end(here: &Zoned, date: Date, minute: u16) -> Option<Timestamp> {
    let (date, minute) = if minute == DAY_MINUTES { (date.tomorrow().ok()?, 0) } else { (date, minute) };
    let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    let ambiguous = here.time_zone().to_ambiguous_zoned(date.to_datetime(time));
    let end = ambiguous.clone().compatible().ok()?;
    if end.timestamp() > here.timestamp() {
        return Some(end.timestamp());
    }
    // The hour that clocks show twice: the window ends the second time.
    let later = ambiguous.later().ok()?;
    if later.timestamp() > here.timestamp() {
        return Some(later.timestamp());
    }
    here.checked_add(1.minute()).ok().map(|next| next.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    /// When it is awake, from a time on a clock in a zone to a time on that clock.
    fn after(windows: &[&str], zone: &str, at: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let windows: Vec<Window> = windows.iter().map(|text| window(text)).collect();
        let at: jiff::civil::DateTime = at.parse().unwrap();
        let at = at.to_zoned(zone.clone()).unwrap().timestamp();
        let end =
            awake(&windows, &zone, at).map(|end| end.to_zoned(zone).strftime("%a %d %H:%M").to_string());
        end.unwrap_or_else(|| "never".to_owned())
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        // 2026-05-01 is a Friday.
        let check = |at: &str, awake: &str| {
            assert_eq!(after(&["Fri 22:00-06:00"], "Europe/Berlin", at), awake, "{at}");
        };
        check("2026-05-01T21:59", "Fri 01 21:59");
        check("2026-05-01T22:00", "Sat 02 06:00");
        check("2026-05-02T05:59", "Sat 02 06:00");
        check("2026-05-02T06:00", "Sat 02 06:00");
        check("2026-05-02T23:00", "Sat 02 23:00");
        check("2026-05-01T03:00", "Fri 01 03:00");
    }

    #[test]
    fn windows_that_follow_on_each_other_are_one() {
        let windows = ["Fri 18:00-24:00", "Sat-Sun 00:00-24:00", "mon 00:00-07:30"];
        assert_eq!(after(&windows, "America/New_York", "2026-05-01T19:00"), "Mon 04 07:30");
    }

    #[test]
    fn days_may_wrap_around_the_week() {
        assert_eq!(after(&["Sat-Mon 10:00-11:00"], "UTC", "2026-05-04T10:30"), "Mon 04 11:00");
        assert_eq!(after(&["Sat-Mon 10:00-11:00"], "UTC", "2026-05-05T10:30"), "Tue 05 10:30");
    }

    #[test]
    fn a_week_without_a_gap_never_ends() {
        assert_eq!(after(&["00:00-12:00", "12:00-24:00"], "UTC", "2026-05-01T03:00"), "never");
        assert_eq!(after(&["06:00-05:59"], "UTC", "2026-05-01T03:00"), "Fri 01 05:59");
    }

    #[test]
    fn clocks_that_are_set_back_or_forward_do_not_hold_it_for_ever() {
        // In Berlin 02:00 to 03:00 is passed twice on 2026-10-25 and not at all on 2026-03-29.
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let windows = [window("01:00-02:30")];
        for (at, end) in [
            ("2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z"),
            ("2026-10-25T01:15:00Z", "2026-10-25T01:30:00Z"),
            ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        ] {
            let found = awake(&windows, &zone, at.parse().unwrap()).unwrap();
            assert_eq!(found.to_string(), end, "from {at}");
        }
    }

    #[test]
    fn what_is_no_window_is_refused_with_the_reason() {
        let check = |text: &str, reason: &str| {
            let error = text.parse::<Window>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        };
        check("", "neither one word nor two");
        check("at night please", "neither one word nor two");
        check("22:00", "no `-`");
        check("Sut 22:00-23:00", "`Sut` is none of Mon");
        check("25:00-26:00", "`25:00` is not a time");
        check("9:00-10:00", "`9:00` is not a time");
        check("09:60-10:00", "`09:60` is not a time");
        check("+1:00-10:00", "`+1:00` is not a time");
        check("10:00-10:00", "ends where it begins");
        check("24:00-10:00", "ends where it begins");
    }
}
