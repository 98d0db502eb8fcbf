//! `tidelock watch`: keep following the upstream on a schedule, until stopped.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use croner::Cron;
use jiff::Zoned;

use super::args::{Sync, Watch};
use super::{CliError, Context, ExitCode, sync};

/// How long to sleep at most before looking whether to stop.
const NAP: Duration = Duration::from_millis(200);

pub(super) fn run(context: &Context, args: &Watch) -> Result<ExitCode, CliError> {
    let mut settings = context.settings()?;
    sync::choose_translators(&mut settings, &args.who)?;
    let text = args.schedule.clone().unwrap_or_else(|| settings.schedule.clone());
    let schedule: Cron = text.parse().map_err(|error| {
        CliError::usage(anyhow!("`{text}` is not a cron expression: {error}"))
            .hint("five fields: minute, hour, day of month, month, day of week, such as `*/15 * * * *`")
    })?;
    let asked =
        Sync { to: None, limit: None, retry: false, dry_run: false, accept: None, who: args.who.clone() };
    loop {
        // Everything is opened anew, so that a changed configuration holds from the next look on, and what
        // went wrong once (a network, a dirty working tree) is tried again.
        let outcome = context
            .settings()
            .and_then(|mut settings| {
                sync::choose_translators(&mut settings, &args.who)?;
                context.session(settings)
            })
            .and_then(|session| sync::sync(&session, &asked));
        match outcome {
            Ok(record) => context.console.say(reports::render::text(&record).trim_end()),
            Err(error) => context.console.say(&error.to_string()),
        }
        let now = now(context)?;
        let next = schedule.find_next_occurrence(&now, false).context("the schedule has no next time")?;
        context.console.say(&format!("next look at {}", next.strftime("%Y-%m-%d %H:%M:%S %Z")));
        while self::now(context)? < next {
            if context.machine.interrupt.load(Ordering::Relaxed) {
                return Ok(ExitCode::Done);
            }
            context.machine.clock.sleep(NAP);
        }
    }
}

fn now(context: &Context) -> Result<Zoned, CliError> {
    let stamp =
        jiff::Timestamp::from_millisecond(context.machine.clock.now_ms()).context("the clock is off")?;
    Ok(stamp.to_zoned(jiff::tz::TimeZone::system()))
}
