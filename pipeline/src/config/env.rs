//! Every environment variable that Tidelock reads, in one list.

use std::path::PathBuf;

use secrecy::SecretString;

/// The variables, with what they are for. `docs/configuration.md` shows this table.
pub const VARIABLES: &[(&str, &str)] = &[
    ("TIDELOCK_STATE", "the folder of the state, in place of `.tidelock` in the port"),
    ("TIDELOCK_LOG", "what to log on standard error, as a filter such as `info` or `pipeline=debug`"),
    ("NO_COLOR", "no colour in what is printed, whatever its value"),
    ("CARGO_HOME", "where Cargo keeps its configuration and packages, as Cargo reads it"),
    ("PATH", "where `git`, `cargo` and `python3` are looked up; handed on to them"),
    ("HOME", "where Cargo and Rustup keep their things by default; not handed on to foreign code"),
    ("XDG_CACHE_HOME", "where `tidelock history` keeps finished rows; default `~/.cache`"),
    ("RUSTUP_HOME", "where Rustup keeps the toolchains; handed on to Cargo"),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "where to send the log and the syncs as OTLP as well, such as `http://127.0.0.1:4318`; the other `OTEL_` variables of the specification hold too",
    ),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "only `http/protobuf`, which is the default, is spoken"),
    ("OTEL_SERVICE_NAME", "what a collector knows us by; default `tidelock`"),
    (
        "TIDELOCK_TEST_STOP_AT",
        "in builds for development only: at which point the process kills itself, for crash tests",
    ),
];

/// A variable that may name a folder; empty counts as unset.
#[expect(clippy::disallowed_methods, reason = "this file is where the environment is read")]
pub fn folder(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A variable that holds text; empty counts as unset.
#[expect(clippy::disallowed_methods, reason = "this file is where the environment is read")]
pub fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable that holds a secret.
pub fn secret(name: &str) -> Option<SecretString> {
    text(name).map(SecretString::from)
}
