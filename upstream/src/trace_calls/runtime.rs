
/// Calls that this run has made.
pub mod __tidelock_trace {
    extern crate std as tidelock_std;
    use self::tidelock_std::fmt::{Debug, Write};
    use self::tidelock_std::prelude::v1::*;
    use self::tidelock_std::sync::atomic::{AtomicBool, Ordering};
    use self::tidelock_std::sync::{Mutex, MutexGuard};

    /// The most calls that are kept of one run.
    const CALLS_MAX: usize = 20000;
    /// The longest text of one value, in bytes.
    const TEXT_BYTES_MAX: usize = 2000;
    /// The longest text of all, in bytes.
    const ALL_BYTES_MAX: usize = 4000000;

    struct Made {
        function: u32,
        given: Vec<Option<String>>,
        kept: Vec<(usize, Option<String>)>,
        /// How it ended, and when.
        ended: Option<(usize, &'static str, Option<String>)>,
    }

    struct Log {
        made: Vec<Made>,
        ended: usize,
        bytes: usize,
    }

    static LOG: Mutex<Log> = Mutex::new(Log { made: Vec::new(), ended: 0, bytes: 0 });
    /// Set while a value is looked at: what that calls is no call of the program.
    static LOOKING: AtomicBool = AtomicBool::new(false);

    fn log() -> MutexGuard<'static, Log> {
        match LOG.lock() {
            Ok(log) => log,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// One call, from its beginning to its end.
    pub struct Call {
        at: Option<usize>,
        has_left: bool,
    }

    /// Begins a call.
    pub fn enter<F: FnOnce(&mut Vec<Option<String>>)>(function: u32, look: F) -> Call {
        let at = {
            let mut log = log();
            let is_full = log.made.len() >= CALLS_MAX || log.bytes >= ALL_BYTES_MAX;
            if is_full || LOOKING.load(Ordering::Relaxed) {
                return Call { at: None, has_left: false };
            }
            log.made.push(Made { function: function, given: Vec::new(), kept: Vec::new(), ended: None });
            log.made.len() - 1
        };
        let mut given = Vec::new();
        look(&mut given);
        let mut log = log();
        log.bytes += given.iter().map(|text| text.as_ref().map_or(0, String::len)).sum::<usize>();
        if let Some(made) = log.made.get_mut(at) {
            made.given = given;
        }
        Call { at: Some(at), has_left: false }
    }

    impl Call {
        /// What is left in an argument.
        pub fn kept(&mut self, position: usize, text: Option<String>) {
            let mut log = log();
            if let Some(made) = self.at.and_then(|at| log.made.get_mut(at)) {
                made.kept.push((position, text));
            }
        }

        /// Ends it.
        pub fn left(&mut self, text: Option<String>) {
            self.has_left = true;
            self.ended("value", text);
        }

        fn ended(&mut self, how: &'static str, text: Option<String>) {
            let mut log = log();
            let order = log.ended;
            log.ended += 1;
            log.bytes += text.as_ref().map_or(0, String::len);
            if let Some(made) = self.at.and_then(|at| log.made.get_mut(at)) {
                made.ended = Some((order, how, text));
            }
        }
    }

    impl Drop for Call {
        fn drop(&mut self) {
            if !self.has_left {
                self.ended(if tidelock_std::thread::panicking() { "panic" } else { "left" }, None);
            }
        }
    }

    /// A value to look at.
    pub struct Look<'a, T: 'a + ?Sized>(pub &'a T);
    /// One that writes itself for programmers.
    pub trait ByDebug {
        /// Its text, where it is not too long.
        fn __tidelock_text(&self) -> Option<String>;
    }
    /// One that does not.
    pub trait ByNothing {
        /// Nothing.
        fn __tidelock_text(&self) -> Option<String>;
    }
    impl<'a, T: Debug + ?Sized> ByDebug for Look<'a, T> {
        fn __tidelock_text(&self) -> Option<String> {
            if LOOKING.swap(true, Ordering::Relaxed) {
                return None;
            }
            let mut bounded = Bounded(String::new());
            let written = write!(bounded, "{:?}", self.0);
            LOOKING.store(false, Ordering::Relaxed);
            written.ok().map(|_| bounded.0)
        }
    }
    impl<'a, 'b, T: ?Sized> ByNothing for &'b Look<'a, T> {
        fn __tidelock_text(&self) -> Option<String> {
            None
        }
    }

    struct Bounded(String);
    impl Write for Bounded {
        fn write_str(&mut self, text: &str) -> tidelock_std::fmt::Result {
            if self.0.len() + text.len() > TEXT_BYTES_MAX {
                return Err(tidelock_std::fmt::Error);
            }
            self.0.push_str(text);
            Ok(())
        }
    }

    /// Forgets all calls.
    pub fn reset() {
        LOOKING.store(false, Ordering::Relaxed);
        let mut log = log();
        log.made.clear();
        log.ended = 0;
        log.bytes = 0;
    }

    /// The calls that ended, in that order, as JSON.
    pub fn calls() -> String {
        let log = log();
        let mut order: Vec<(usize, usize)> = Vec::new();
        for (at, made) in log.made.iter().enumerate() {
            if let Some(ended) = made.ended.as_ref() {
                order.push((ended.0, at));
            }
        }
        order.sort();
        let mut out = String::from("[");
        for (_, at) in order {
            let made = &log.made[at];
            if out.len() > 1 {
                out.push(',');
            }
            let _ = write!(out, "[{},{},[", made.function, at);
            for (position, text) in made.given.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                quote(text.as_ref(), &mut out);
            }
            out.push_str("],[");
            for (position, kept) in made.kept.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                let _ = write!(out, "[{},", kept.0);
                quote(kept.1.as_ref(), &mut out);
                out.push(']');
            }
            if let Some(ended) = made.ended.as_ref() {
                let _ = write!(out, "],\"{}\",", ended.1);
                quote(ended.2.as_ref(), &mut out);
            }
            out.push(']');
        }
        out.push(']');
        out
    }

    fn quote(text: Option<&String>, out: &mut String) {
        let text = match text {
            Some(text) => text,
            None => {
                out.push_str("null");
                return;
            }
        };
        out.push('"');
        for char in text.chars() {
            match char {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                other if (other as u32) < 0x20 || (other as u32) == 0x2028 || (other as u32) == 0x2029 => {
                    let _ = write!(out, "\\u{:04x}", other as u32);
                }
                other => out.push(other),
            }
        }
        out.push('"');
    }
}
