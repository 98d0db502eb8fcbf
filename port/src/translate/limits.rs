//! What keeps requests back: how many may be under way, how many a minute may hold, and a provider that is out
//! of order or out of money.
//!
//! A [`Gateway`] stands before each provider, and one before all of them together. It must never lose a
//! request: one that it refuses was not sent, and says so.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use upstream::Clock;

use super::model::{Completion, Model, ModelError};
use super::prompt::Prompt;

/// Bounds on requests to one provider, or to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayLimits {
    /// The most requests under way at a time; 0 for any number.
    pub at_once_max: usize,
    /// The most requests begun in any minute; 0 for any number.
    pub per_minute_max: usize,
    /// After this many faults in a row nothing is sent for a while; 0 for never.
    pub faults_max: u32,
    /// How long, in milliseconds.
    pub rest_ms: u64,
}

impl Default for GatewayLimits {
    fn default() -> Self {
        Self { at_once_max: 4, per_minute_max: 0, faults_max: 5, rest_ms: 60_000 }
    }
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    /// When requests were begun, in milliseconds, those of the last minute.
    begun_ms: Vec<i64>,
    faults: u32,
    /// Until when nothing is sent; one request is let through then, and decides.
    resting_until_ms: Option<i64>,
    /// What waiting does not mend: the account or the key.
    shut: Option<ModelError>,
}

/// Lets requests through, one by one.
#[derive(Debug)]
pub struct Gateway {
    limits: GatewayLimits,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    freed: Condvar,
    /// Whether it learns from how requests end.
    learns: bool,
}

/// A request that is under way.
struct Pass<'g> {
    gateway: &'g Gateway,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.gateway.state();
        state.under_way = state.under_way.saturating_sub(1);
        drop(state);
        self.gateway.freed.notify_one();
    }
}

impl Gateway {
    /// A gateway that nothing has gone through.
    pub fn new(limits: GatewayLimits, clock: Arc<dyn Clock>) -> Self {
        Self { limits, clock, state: Mutex::default(), freed: Condvar::new(), learns: true }
    }

    /// A gateway before several providers: it counts requests, and a fault of one shuts none of the others.
    pub fn counting(limits: GatewayLimits, clock: Arc<dyn Clock>) -> Self {
        Self { learns: false, ..Self::new(limits, clock) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries a request out when its turn comes, and learns from how it ends.
    pub fn carry<Value>(
        &self,
        request: impl FnOnce() -> Result<Value, ModelError>,
    ) -> Result<Value, ModelError> {
        let pass = self.enter()?;
        let result = request();
        if self.learns {
            self.learn(result.as_ref().err());
        }
        drop(pass);
        result
    }

    fn enter(&self) -> Result<Pass<'_>, ModelError> {
        let mut state = self.state();
        loop {
            self.refuse(&mut state)?;
            let full = self.limits.at_once_max > 0 && state.under_way >= self.limits.at_once_max;
            if full {
                state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let now_ms = self.clock.now_ms();
            state.begun_ms.retain(|begun| now_ms - begun < 60_000);
            let crowded =
                self.limits.per_minute_max > 0 && state.begun_ms.len() >= self.limits.per_minute_max;
            let Some(oldest_ms) = state.begun_ms.iter().min().copied().filter(|_| crowded) else {
                state.begun_ms.push(now_ms);
                state.under_way += 1;
                return Ok(Pass { gateway: self });
            };
            drop(state);
            let wait_ms = u64::try_from(oldest_ms + 60_000 - now_ms).unwrap_or_default().max(1);
            self.clock.sleep(Duration::from_millis(wait_ms));
            state = self.state();
        }
    }

    /// The error of a gateway that is shut, or rests.
    fn refuse(&self, state: &mut State) -> Result<(), ModelError> {
        if let Some(cause) = &state.shut {
            return Err(cause.clone());
        }
        let Some(until_ms) = state.resting_until_ms else { return Ok(()) };
        let left_ms = until_ms - self.clock.now_ms();
        if left_ms > 0 {
            return Err(ModelError::Unavailable {
                retry_after_ms: u64::try_from(left_ms).ok(),
                reason: format!("not sent: {} requests in a row failed", state.faults),
            });
        }
        // One is let through to try; the others go on resting until it came back.
        state.resting_until_ms =
            Some(self.clock.now_ms() + i64::try_from(self.limits.rest_ms).unwrap_or(i64::MAX));
        Ok(())
    }

    fn learn(&self, error: Option<&ModelError>) {
        let mut state = self.state();
        match error {
            None => {
                state.faults = 0;
                state.resting_until_ms = None;
            }
            Some(cause @ (ModelError::OutOfFunds { .. } | ModelError::NotAuthorised { .. })) => {
                state.shut = Some(cause.clone());
                self.freed.notify_all();
            }
            Some(cause) if cause.is_transient() => {
                state.faults += 1;
                if self.limits.faults_max > 0 && state.faults >= self.limits.faults_max {
                    let rest_ms = i64::try_from(self.limits.rest_ms).unwrap_or(i64::MAX);
                    state.resting_until_ms = Some(self.clock.now_ms().saturating_add(rest_ms));
                }
            }
            // The provider is well: it is the request or the answer that is not.
            Some(_) => {
                state.faults = 0;
                state.resting_until_ms = None;
            }
        }
    }
}

/// Carries a request out through all of these, the widest first.
pub(super) fn through<Value>(
    gateways: &[Arc<Gateway>],
    request: &mut dyn FnMut() -> Result<Value, ModelError>,
) -> Result<Value, ModelError> {
    match gateways.split_first() {
        None => request(),
        Some((first, rest)) => first.carry(|| through(rest, request)),
    }
}

/// A model that has no gateways of its own, behind these.
#[derive(Debug)]
pub struct LimitedModel {
    /// The model.
    pub model: Arc<dyn Model>,
    /// What keeps requests back, the widest first.
    pub gateways: Vec<Arc<Gateway>>,
}

impl Model for LimitedModel {
    fn name(&self) -> String {
        self.model.name()
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        through(&self.gateways, &mut || self.model.complete(prompt))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use upstream::ManualClock;

    use super::*;

    fn gateway(limits: GatewayLimits) -> (Gateway, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(0));
        (Gateway::new(limits, clock.clone()), clock)
    }

    fn unavailable() -> ModelError {
        ModelError::Unavailable { retry_after_ms: None, reason: "down".to_owned() }
    }

    #[test]
    fn no_more_requests_are_under_way_than_allowed_and_none_is_lost() {
        let (gateway, _clock) = gateway(GatewayLimits { at_once_max: 3, ..GatewayLimits::default() });
        let (now, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..24 {
                scope.spawn(|| {
                    let result = gateway.carry(|| {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        for _ in 0..50 {
                            std::thread::yield_now();
                        }
                        now.fetch_sub(1, Ordering::SeqCst);
                        Ok(())
                    });
                    result.unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 24);
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    }

    #[test]
    fn a_minute_holds_no_more_than_it_may() {
        let (gateway, clock) = gateway(GatewayLimits { per_minute_max: 2, ..GatewayLimits::default() });
        let begun: Vec<i64> = (0..5).map(|_| gateway.carry(|| Ok(clock.now_ms())).unwrap()).collect();
        assert_eq!(begun, [0, 0, 60_000, 60_000, 120_000]);
    }

    #[test]
    fn after_faults_in_a_row_nothing_is_sent_until_one_request_came_through() {
        let (gateway, clock) =
            gateway(GatewayLimits { faults_max: 2, rest_ms: 1000, ..GatewayLimits::default() });
        let sent = AtomicUsize::new(0);
        let ask = |result: Result<(), ModelError>| {
            gateway.carry(|| {
                sent.fetch_add(1, Ordering::SeqCst);
                result
            })
        };
        ask(Err(unavailable())).unwrap_err();
        ask(Err(unavailable())).unwrap_err();
        let error = ask(Ok(())).unwrap_err();
        assert!(matches!(error, ModelError::Unavailable { retry_after_ms: Some(1000), .. }), "{error}");
        assert_eq!(sent.load(Ordering::SeqCst), 2, "nothing is sent while it rests");
        clock.sleep(Duration::from_secs(1));
        ask(Err(unavailable())).unwrap_err();
        ask(Ok(())).unwrap_err();
        assert_eq!(sent.load(Ordering::SeqCst), 3, "the one that tries fails, and it rests again");
        clock.sleep(Duration::from_secs(1));
        ask(Ok(())).unwrap();
        ask(Ok(())).unwrap();
        assert_eq!(sent.load(Ordering::SeqCst), 5);
    }

    #[test]
    fn an_empty_account_shuts_the_gateway_and_a_bad_request_does_not() {
        let (gateway, clock) = gateway(GatewayLimits::default());
        let bad = || ModelError::InvalidRequest { status: 400, reason: "bad".to_owned() };
        for _ in 0..10 {
            gateway.carry(|| Err::<(), _>(bad())).unwrap_err();
        }
        gateway.carry(|| Ok(())).unwrap();
        let empty = ModelError::OutOfFunds { reason: "pay".to_owned() };
        gateway.carry(|| Err::<(), _>(empty.clone())).unwrap_err();
        clock.sleep(Duration::from_hours(24));
        let refused = gateway.carry(|| -> Result<(), ModelError> { panic!("it must not be sent") });
        assert_eq!(refused, Err(empty));
    }
}
