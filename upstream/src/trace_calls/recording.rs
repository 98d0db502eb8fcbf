
/// Calls that this process makes, written into a folder that a variable names.
pub mod __tidelock_trace {
    extern crate std as tidelock_std;
    use self::tidelock_std::cell::Cell;
    use self::tidelock_std::collections::BTreeMap;
    use self::tidelock_std::collections::BTreeSet;
    use self::tidelock_std::fmt::{Debug, Write};
    use self::tidelock_std::fs::{File, OpenOptions};
    use self::tidelock_std::io::Write as Bytes;
    use self::tidelock_std::prelude::v1::*;
    use self::tidelock_std::sync::{Mutex, MutexGuard};

    /// The variable with the folder.
    const FOLDER: &'static str = "TIDELOCK_RECORD";
    /// The most different calls that are kept of one function.
    const KEPT_MAX: usize = 64;
    /// How many calls of one function are looked at.
    const LOOKED_AT_MAX: usize = 5000;
    /// The longest text of one value, in bytes.
    const TEXT_BYTES_MAX: usize = 500;
    /// The most that is written, in bytes.
    const ALL_BYTES_MAX: usize = 1000000;

    struct Record {
        is_open: bool,
        file: Option<File>,
        bytes: usize,
        looked_at: BTreeMap<u32, usize>,
        kept: BTreeMap<u32, BTreeSet<String>>,
    }

    static RECORD: Mutex<Option<Record>> = Mutex::new(None);

    self::tidelock_std::thread_local! {
        /// Set while a call's arguments are looked at: what that calls is no call of the program.
        static LOOKING: Cell<bool> = Cell::new(false);
    }

    fn record() -> MutexGuard<'static, Option<Record>> {
        match RECORD.lock() {
            Ok(record) => record,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// One call.
    pub struct Call;

    /// Begins a call.
    pub fn enter<F: FnOnce(&mut Vec<Option<String>>)>(function: u32, look: F) -> Call {
        if LOOKING.with(|looking| looking.get()) || !is_wanted(function) {
            return Call;
        }
        let mut given = Vec::new();
        LOOKING.with(|looking| looking.set(true));
        look(&mut given);
        LOOKING.with(|looking| looking.set(false));
        keep(function, &given);
        Call
    }

    fn is_wanted(function: u32) -> bool {
        let mut record = record();
        let record = record.get_or_insert_with(|| Record {
            is_open: false,
            file: None,
            bytes: 0,
            looked_at: BTreeMap::new(),
            kept: BTreeMap::new(),
        });
        if !record.is_open {
            record.is_open = true;
            record.file = tidelock_std::env::var_os(FOLDER).and_then(|folder| {
                let mut name = String::new();
                let _ = write!(name, "calls-{}", tidelock_std::process::id());
                let path = tidelock_std::path::Path::new(&folder).join(name);
                OpenOptions::new().create(true).append(true).open(path).ok()
            });
        }
        if record.file.is_none() || record.bytes >= ALL_BYTES_MAX {
            return false;
        }
        let looked_at = record.looked_at.entry(function).or_insert(0);
        *looked_at += 1;
        *looked_at <= LOOKED_AT_MAX && record.kept.get(&function).map_or(0, BTreeSet::len) < KEPT_MAX
    }

    fn keep(function: u32, given: &[Option<String>]) {
        let mut line = String::new();
        let _ = write!(line, "[{},[", function);
        for (position, text) in given.iter().enumerate() {
            if position > 0 {
                line.push(',');
            }
            quote(text.as_ref(), &mut line);
        }
        line.push_str("]]\n");
        let mut record = record();
        if let Some(record) = record.as_mut() {
            if record.kept.entry(function).or_insert_with(BTreeSet::new).insert(line.clone()) {
                record.bytes += line.len();
                if let Some(file) = record.file.as_mut() {
                    let _ = file.write_all(line.as_bytes());
                }
            }
        }
    }

    impl Call {
        /// What is left in an argument is not recorded.
        pub fn kept(&mut self, _: usize, _: Option<String>) {}

        /// Nor is the result.
        pub fn left(&mut self, _: Option<String>) {}
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
            if !LOOKING.with(|looking| looking.get()) {
                return None;
            }
            let mut bounded = Bounded(String::new());
            let written = write!(bounded, "{:?}", self.0);
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
                other if (other as u32) < 0x20 => {
                    let _ = write!(out, "\\u{:04x}", other as u32);
                }
                other => out.push(other),
            }
        }
        out.push('"');
    }
}
