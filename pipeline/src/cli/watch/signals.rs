//! What signals mean to a daemon: SIGTERM and SIGINT end it, the second one at once; SIGHUP reads anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::{CliError, end_at_once};
use crate::daemon::Control;

/// How long what is killed at the second signal may take to end.
const HARD_STOP: Duration = Duration::from_secs(5);

/// Listens until the process ends. `interrupt` kills what runs.
pub(super) fn listen(control: &Control, interrupt: &Arc<AtomicBool>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot listen for signals")?;
    let signals = {
        let _entered = runtime.enter();
        (|| {
            Ok::<_, std::io::Error>(Signals {
                int: signal(SignalKind::interrupt())?,
                term: signal(SignalKind::terminate())?,
                hup: signal(SignalKind::hangup())?,
            })
        })()
        .context("cannot listen for signals")?
    };
    let (control, interrupt) = (control.clone(), Arc::clone(interrupt));
    std::thread::spawn(move || runtime.block_on(obey(signals, &control, &interrupt)));
    Ok(())
}

struct Signals {
    int: Signal,
    term: Signal,
    hup: Signal,
}

async fn obey(mut signals: Signals, control: &Control, interrupt: &AtomicBool) {
    loop {
        let reload = tokio::select! {
            _ = signals.int.recv() => false,
            _ = signals.term.recv() => false,
            _ = signals.hup.recv() => true,
        };
        if reload {
            control.reload.store(true, Ordering::Relaxed);
        } else if !control.stop.swap(true, Ordering::Relaxed) {
            tracing::info!("stopping after the current step of each sync; a second signal stops at once");
        } else {
            tracing::warn!("stopping at once; the next start goes on from what is on the disk");
            interrupt.store(true, Ordering::Relaxed);
            tokio::select! {
                () = tokio::time::sleep(HARD_STOP) => {}
                _ = signals.int.recv() => {}
                _ = signals.term.recv() => {}
            }
            end_at_once();
        }
        control.nudge();
    }
}
