//! What is past a threshold, told once when that begins and once when it is over: pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::work::Lag;

/// Seconds in a day.
const DAY_S: u64 = 24 * 60 * 60;

/// From where on something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// The most revisions behind.
    pub lag_revisions: Option<u32>,
    /// The most changed items behind.
    pub lag_items: Option<u32>,
    /// The most days behind.
    pub lag_days: Option<u32>,
    /// So many failures in a row are told.
    pub failures: u32,
}

/// What may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alert {
    /// Too many revisions behind.
    LagRevisions,
    /// Too many changed items behind.
    LagItems,
    /// Too many days behind.
    LagDays,
    /// Too many failures in a row.
    Failures,
    /// The upstream did something to its past that nobody should follow blindly.
    Upstream,
}

impl Alert {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::LagRevisions => "lag-revisions",
            Self::LagItems => "lag-items",
            Self::LagDays => "lag-days",
            Self::Failures => "failures",
            Self::Upstream => "upstream",
        }
    }
}

/// How a port stands. What is not known changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// How far behind it is.
    pub lag: Option<Lag>,
    /// Failures in a row.
    pub failures: u32,
    /// What went wrong last.
    pub trouble: String,
    /// What the upstream did to its past, where a sync has asked.
    pub notices: Option<Vec<String>>,
}

impl Thresholds {
    /// Whether a lag is past its threshold: what the exit code of `sync` and `status` says.
    pub fn is_behind(&self, lag: Lag) -> bool {
        [revisions_past(self, lag), items_past(self, lag), days_past(self, lag)].contains(&Some(true))
    }
}

fn revisions_past(thresholds: &Thresholds, lag: Lag) -> Option<bool> {
    let most = thresholds.lag_revisions?;
    Some(lag.revisions? > u64::from(most))
}

fn items_past(thresholds: &Thresholds, lag: Lag) -> Option<bool> {
    let most = thresholds.lag_items?;
    Some(lag.items? > u64::from(most))
}

fn days_past(thresholds: &Thresholds, lag: Lag) -> Option<bool> {
    let most = thresholds.lag_days?;
    // With nothing to follow, the age of what was followed last is no lag.
    Some(lag.revisions != Some(0) && lag.seconds? > u64::from(most) * DAY_S)
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The port.
    pub port: String,
    /// What it is about.
    pub alert: Alert,
    /// Whether it has begun; else it is over.
    pub raised: bool,
    /// What it is, for people; chat services show this field.
    pub text: String,
}

/// What is to be told of a port that stands so, beside what was told of it before.
pub fn crossings(
    port: &str,
    thresholds: &Thresholds,
    told: &BTreeSet<Alert>,
    now: &Standing,
) -> Vec<Message> {
    let lag = now.lag.unwrap_or_default();
    let revisions = lag.revisions.unwrap_or_default();
    let items = lag.items.unwrap_or_default();
    let days = lag.seconds.unwrap_or_default() / DAY_S;
    let checks = [
        (Alert::LagRevisions, revisions_past(thresholds, lag), format!("{revisions} revisions behind")),
        (Alert::LagItems, items_past(thresholds, lag), format!("{items} changed items behind")),
        (Alert::LagDays, days_past(thresholds, lag), format!("{days} days behind")),
        (
            Alert::Failures,
            // A failure or two on the way neither begins it nor ends it.
            if now.failures == 0 {
                Some(false)
            } else {
                (now.failures >= thresholds.failures).then_some(true)
            },
            format!("{} failures in a row; the last one: {}", now.failures, now.trouble),
        ),
        (
            Alert::Upstream,
            now.notices.as_ref().map(|notices| !notices.is_empty()),
            now.notices.as_deref().unwrap_or_default().join("; "),
        ),
    ];
    let crossed = checks.into_iter().filter_map(|(alert, past, text)| {
        let raised = past.filter(|past| *past != told.contains(&alert))?;
        let text =
            if raised { format!("{port}: {text}") } else { format!("{port}: no longer: {}", alert.name()) };
        Some(Message { port: port.to_owned(), alert, raised, text })
    });
    crossed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds =
        Thresholds { lag_revisions: Some(3), lag_items: None, lag_days: Some(7), failures: 2 };

    fn lag(revisions: u64, days: u64) -> Lag {
        Lag { revisions: Some(revisions), seconds: Some(days * DAY_S), ..Lag::default() }
    }

    /// What is told over a sequence of standings, as `+name` and `-name`.
    fn play(standings: &[Standing]) -> Vec<String> {
        let mut told = BTreeSet::new();
        let mut said = Vec::new();
        for standing in standings {
            for message in crossings("p", &THRESHOLDS, &told, standing) {
                said.push(format!("{}{}", if message.raised { "+" } else { "-" }, message.alert.name()));
                if message.raised {
                    told.insert(message.alert)
                } else {
                    told.remove(&message.alert)
                };
            }
        }
        said
    }

    #[test]
    fn each_crossing_is_told_once_in_each_direction() {
        let at = |lag| Standing { lag: Some(lag), ..Standing::default() };
        let standings =
            [at(lag(3, 7)), at(lag(4, 7)), at(lag(9, 7)), at(lag(9, 8)), at(lag(0, 8)), at(lag(4, 1))];
        assert_eq!(
            play(&standings),
            ["+lag-revisions", "+lag-days", "-lag-revisions", "-lag-days", "+lag-revisions"]
        );
    }

    #[test]
    fn failures_are_told_from_their_number_on_until_something_went_well() {
        let at = |failures| Standing { failures, ..Standing::default() };
        assert_eq!(
            play(&[at(1), at(2), at(3), at(0), at(1), at(0), at(2)]),
            ["+failures", "-failures", "+failures"]
        );
    }

    #[test]
    fn what_is_not_known_changes_nothing() {
        let unknown = Standing { lag: Some(Lag::default()), ..Standing::default() };
        let behind = Standing { lag: Some(lag(9, 0)), ..Standing::default() };
        assert_eq!(play(&[behind.clone(), unknown, Standing::default(), behind]), ["+lag-revisions"]);
    }

    #[test]
    fn what_an_upstream_did_to_its_past_is_told_until_a_sync_no_longer_sees_it() {
        let at = |notices: Option<&[&str]>| Standing {
            notices: notices.map(|notices| notices.iter().map(|&notice| notice.to_owned()).collect()),
            ..Standing::default()
        };
        let standings = [at(Some(&["rewritten"])), at(None), at(Some(&["rewritten"])), at(Some(&[]))];
        assert_eq!(play(&standings), ["+upstream", "-upstream"]);
    }

    #[test]
    fn the_exit_code_asks_for_both_kinds_of_lag() {
        let behind = |revisions, days| THRESHOLDS.is_behind(lag(revisions, days));
        assert!(!behind(3, 7) && behind(4, 0) && behind(1, 8) && !behind(0, 8));
        let none = Thresholds { lag_revisions: None, lag_items: None, lag_days: None, failures: 1 };
        assert!(!none.is_behind(lag(900, 900)));
        assert!(!THRESHOLDS.is_behind(Lag::default()));
    }
}
