//! `[alert]`: what counts as too far behind or as failing, and who is told.

use schemars::JsonSchema;
use serde::Deserialize;

use super::env;
use super::watch::Wrong;
use crate::daemon::alert::Thresholds;
use crate::daemon::notify::{Channel, NOTIFY_TIMEOUT_S};

/// Failures in a row that are told where no number is given.
const FAILURES_DEFAULT: u32 = 3;
/// The most that may be told of one port.
const CHANNELS_MAX: usize = 16;

/// `[alert]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AlertSection {
    /// More revisions behind than this is too far: `tidelock sync` and `tidelock status` end with exit code 7, and
    /// a daemon tells it.
    pub lag_revisions: Option<u32>,
    /// More changed items behind than this is too far, in the same way.
    pub lag_items: Option<u32>,
    /// More days than this between the baseline and the newest revision is too far, in the same way.
    pub lag_days: Option<u32>,
    /// So many failures in a row are told by a daemon. Default: 3.
    pub failures: Option<u32>,
    /// Who is told, once when a threshold is passed and once when that is over.
    #[serde(default)]
    pub notify: Vec<NotifySection>,
}

/// `[[alert.notify]]`: either a command or an address.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NotifySection {
    /// A program and its arguments, run in the folder of the port. It reads the message as JSON on standard input.
    #[serde(default)]
    pub command: Vec<String>,
    /// For `command`: environment variables that it may see, by name.
    #[serde(default)]
    pub environment: Vec<String>,
    /// The environment variable that holds an address; the message is sent there as JSON by POST.
    pub url_env: Option<String>,
}

fn wrong(at: usize, key: &str, message: impl Into<String>, help: impl Into<String>) -> Wrong {
    let keys = vec!["notify".to_owned(), at.to_string(), key.to_owned()];
    (keys, message.into(), help.into())
}

/// Checks the section.
pub(super) fn resolve(section: &AlertSection) -> Result<(Thresholds, Vec<Channel>), Wrong> {
    let failures = section.failures.unwrap_or(FAILURES_DEFAULT);
    if failures == 0 {
        let help = "write a number from 1; a large one keeps it silent";
        return Err((vec!["failures".to_owned()], "`failures` is 0".to_owned(), help.to_owned()));
    }
    if section.notify.len() > CHANNELS_MAX {
        let message =
            format!("{} `[[alert.notify]]`, and at most {CHANNELS_MAX} are told", section.notify.len());
        return Err((vec!["notify".to_owned()], message, "let one of them tell the others".to_owned()));
    }
    let channels = section.notify.iter().enumerate().map(|(at, section)| channel(at, section));
    let thresholds = Thresholds {
        lag_revisions: section.lag_revisions,
        lag_items: section.lag_items,
        lag_days: section.lag_days,
        failures,
    };
    Ok((thresholds, channels.collect::<Result<_, _>>()?))
}

fn channel(at: usize, section: &NotifySection) -> Result<Channel, Wrong> {
    match (&section.url_env, section.command.is_empty()) {
        (None, false) => Ok(Channel::Command {
            command: section.command.clone(),
            environment: section.environment.clone(),
            timeout_s: NOTIFY_TIMEOUT_S,
        }),
        // Whether the variable is set is asked when something is to be sent: other commands need no secret.
        (Some(name), true) if !name.is_empty() => {
            Ok(Channel::Post { url_env: name.clone(), url: env::secret(name), timeout_s: NOTIFY_TIMEOUT_S })
        }
        (Some(_), false) => {
            Err(wrong(at, "url-env", "`command` and `url-env` are both given", "write one of them"))
        }
        (Some(_) | None, true) => Err(wrong(
            at,
            "command",
            "nobody is named",
            "write `command = [\"PROGRAM\", …]` or `url-env = \"VARIABLE\"`",
        )),
    }
}
