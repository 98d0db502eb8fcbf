//! When new pull requests may be opened: `schedule` and `timezone`, as Renovate has them.

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Milliseconds in a minute.
const MINUTE_MS: i64 = 60_000;

/// Times of the week, as cron expressions whose minutes are `*`.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenTimes {
    times: Vec<Cron>,
    zone: TimeZone,
}

impl Eq for OpenTimes {}

impl OpenTimes {
    /// Any time.
    pub fn always() -> Self {
        Self { times: Vec::new(), zone: TimeZone::UTC }
    }

    /// The times that any of the expressions names; else which of them is wrong, and why.
    pub fn new(texts: &[String], zone: TimeZone) -> Result<Self, (usize, String)> {
        let read = |(at, text): (usize, &String)| {
            let fields: Vec<&str> = text.split_whitespace().collect();
            if fields.len() != 5 || fields.first() != Some(&"*") {
                return Err((at, format!("`{text}` does not have five fields, the first of them `*`")));
            }
            let parsed: Result<Cron, _> = text.parse();
            parsed.map_err(|error| (at, format!("`{text}` is not a cron expression: {error}")))
        };
        Ok(Self { times: texts.iter().enumerate().map(read).collect::<Result<_, _>>()?, zone })
    }

    /// Whether a time is among them, in milliseconds since the Unix epoch.
    pub fn holds(&self, now_ms: i64) -> bool {
        let minute = Timestamp::from_millisecond(now_ms - now_ms.rem_euclid(MINUTE_MS));
        let Ok(now) = minute.map(|at| at.to_zoned(self.zone.clone())) else { return false };
        self.times.is_empty() || self.times.iter().any(|time| time.is_time_matching(&now).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_time_is_open_in_the_zone_of_the_schedule() {
        let texts = ["* 0-5 * * 1-5".to_owned(), "* * * * 0,6".to_owned()];
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let times = OpenTimes::new(&texts, zone).unwrap();
        for (at, open) in [
            ("2027-01-15T02:30:45Z", true),
            ("2027-01-15T04:59:59Z", true),
            ("2027-01-15T05:00:00Z", false),
            ("2027-01-15T22:59:00Z", false),
            ("2027-01-15T23:00:00Z", true),
            ("2027-01-17T12:00:30Z", true),
        ] {
            assert_eq!(times.holds(ms(at)), open, "{at}");
        }
        assert!(OpenTimes::always().holds(0));
    }

    #[test]
    fn what_names_minutes_or_is_no_expression_is_refused() {
        for text in ["0 5 * * *", "* 5 * *", "before 5am", "* 25 * * *", ""] {
            let (at, said) =
                OpenTimes::new(&["* * * * *".to_owned(), text.to_owned()], TimeZone::UTC).unwrap_err();
            assert_eq!(at, 1, "{said}");
        }
    }
}
