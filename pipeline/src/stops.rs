//! Points at which a build for development can be made to die, to prove that a run survives it.
//!
//! Each effect passes one just before it is carried out, one just after that, and one when its event is
//! stored; those that act in steps pass more. In a release build there is nothing here.

/// Passes a point. Where `TIDELOCK_TEST_STOP_AT` is its name, or its number, counted from 1 in this process, the
/// process ends as by `kill -9`: no destructor runs and no buffer is written.
#[cfg(debug_assertions)]
pub(crate) fn pass(point: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    static STOP_AT: OnceLock<Option<String>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Some(at) = STOP_AT.get_or_init(|| crate::config::env::text("TIDELOCK_TEST_STOP_AT")) else {
        return;
    };
    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if at == point || *at == number.to_string() {
        tracing::warn!(point, "stopped");
        kill_process(getpid(), Signal::KILL).expect("a process may end itself");
    }
}

/// Passes a point.
#[cfg(not(debug_assertions))]
pub(crate) fn pass(_point: &str) {}
