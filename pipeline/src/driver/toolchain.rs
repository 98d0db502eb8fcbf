//! The Rust toolchain that builds an upstream: the one that it names itself, where that is here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use port::confinement::Access;
use port::contract::Toolchain;
use upstream::process::{Invocation, inherited};
use upstream::{ContentHash, Snapshot};

use crate::config::building::{ToolchainChoice, is_toolchain};
use crate::config::env;
use crate::session::Session;

/// Where an upstream names its toolchain; rustup reads the first that is there.
const FILES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The toolchain that is to build an upstream at a revision; `None` for the default here.
pub(crate) fn wanted(session: &Session, snapshot: &Snapshot) -> Result<Option<String>, String> {
    match &session.settings.build.toolchain {
        ToolchainChoice::Host => Ok(None),
        ToolchainChoice::Named(name) => Ok(Some(name.clone())),
        ToolchainChoice::Upstream => {
            let Some(file) = FILES.iter().find(|file| snapshot.files.contains_key(**file)) else {
                return Ok(None);
            };
            let text = session.file_at(&snapshot.revision.label, file);
            let text = text.ok_or_else(|| format!("the upstream's `{file}` cannot be read"))?;
            named_in(&text).map(Some).map_err(|reason| {
                format!(
                    "the upstream's `{file}` {reason}: name a toolchain as `toolchain` in `[upstream.build]`, or write \
                     `host` there"
                )
            })
        }
    }
}

/// What a toolchain file names: TOML, or a name alone.
fn named_in(text: &str) -> Result<String, &'static str> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let name = match (text.parse::<toml::Table>(), lines.as_slice()) {
        (Ok(table), _) if !table.is_empty() => {
            let channel = table.get("toolchain").and_then(|table| table.get("channel")?.as_str());
            channel.ok_or("names no channel")?.to_owned()
        }
        (_, [line]) => (*line).to_owned(),
        (Ok(_) | Err(_), _) => return Err("is neither TOML nor a name"),
    };
    if is_toolchain(&name) { Ok(name) } else { Err("names no toolchain of rustup's") }
}

/// The Rust toolchain on this machine, and what a confined build may read of it.
pub(super) fn toolchain(session: &Session) -> Result<Toolchain> {
    let tools = Rust::of(None);
    let version = tools.said(session, &["-vV"]).context(
        "the upstream is built to see what it does, and that takes a Rust toolchain: install one with rustup",
    )?;
    tools.made(session, &version)
}

/// The toolchain of this name; the reason where it is not here.
pub(crate) fn toolchain_named(session: &Session, name: &str) -> Result<Result<Toolchain, String>> {
    let tools = Rust::of(Some(name));
    let missing = |said: &str| {
        format!(
            "the upstream is built with Rust `{name}`, which is not here ({said}): `rustup toolchain install {name} \
             --profile minimal` installs it, and `toolchain = \"host\"` in `[upstream.build]` builds with the default"
        )
    };
    match tools.said(session, &["-vV"]) {
        Err(error) => Ok(Err(missing(&error.to_string()))),
        // Without rustup nobody reads the name, and it would be another toolchain without a word.
        Ok(version) if !is_of(&version, name) => {
            let release = version.lines().find(|line| line.starts_with("release:")).unwrap_or_default();
            Ok(Err(missing(&format!("`rustc` says `{release}`"))))
        }
        Ok(version) => tools.made(session, &version).map(Ok),
    }
}

/// Whether what `rustc -vV` says fits a toolchain's name. Names of one's own fit anything.
fn is_of(version: &str, name: &str) -> bool {
    let release = version.lines().find_map(|line| line.strip_prefix("release: ")).unwrap_or_default();
    let channel = name.split('-').next().unwrap_or_default();
    match channel {
        "nightly" => release.contains("-nightly"),
        "beta" => release.contains("-beta"),
        "stable" => !release.contains('-'),
        number if number.starts_with(|first: char| first.is_ascii_digit()) => {
            release.strip_prefix(number).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        }
        _ => true,
    }
}

/// How `rustc` and `cargo` are found.
struct Rust {
    environment: BTreeMap<OsString, OsString>,
    cargo_home: Option<PathBuf>,
    rustup_home: Option<PathBuf>,
}

impl Rust {
    fn of(name: Option<&str>) -> Self {
        let home = env::folder("HOME");
        let below_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let cargo_home = env::folder("CARGO_HOME").or_else(|| below_home(".cargo"));
        let rustup_home = env::folder("RUSTUP_HOME").or_else(|| below_home(".rustup"));
        let mut environment: BTreeMap<OsString, OsString> = BTreeMap::new();
        for (name, folder) in [("CARGO_HOME", &cargo_home), ("RUSTUP_HOME", &rustup_home)] {
            if let Some(folder) = folder {
                environment.insert(name.into(), folder.into());
            }
        }
        for name in ["SSL_CERT_FILE", "RUSTUP_TOOLCHAIN"] {
            if let Some(value) = inherited(name) {
                environment.insert(name.into(), value);
            }
        }
        if let Some(name) = name {
            environment.insert("RUSTUP_TOOLCHAIN".into(), name.into());
            // It is a person's to install: that takes the network, long, and room.
            environment.insert("RUSTUP_AUTO_INSTALL".into(), "0".into());
        }
        Self { environment, cargo_home, rustup_home }
    }

    /// What `rustc` says.
    fn said(&self, session: &Session, arguments: &[&str]) -> Result<String> {
        let mut invocation = Invocation::new("rustc", &session.settings.root).args(arguments.iter().copied());
        invocation.environment.extend(self.environment.clone());
        let finished = session.machine.runner.run(&invocation)?;
        let words = arguments.join(" ");
        let said = finished.tail(5).replace('\n', " ");
        anyhow::ensure!(finished.succeeded(), "`rustc {words}` failed: {said}");
        Ok(String::from_utf8_lossy(&finished.stdout).trim().to_owned())
    }

    fn made(self, session: &Session, version: &str) -> Result<Toolchain> {
        // The toolchain itself, behind rustup's proxies: they stand in a folder that a build need not read.
        let sysroot = PathBuf::from(self.said(session, &["--print", "sysroot"])?);
        let Self { mut environment, cargo_home, rustup_home } = self;
        let own = |name: &str| Some(sysroot.join("bin").join(name)).filter(|program| program.is_file());
        let cargo = own("cargo").map_or_else(|| OsString::from("cargo"), PathBuf::into_os_string);
        for (variable, name) in [("RUSTC", "rustc"), ("RUSTDOC", "rustdoc")] {
            if let Some(program) = own(name) {
                environment.insert(variable.into(), program.into());
            }
        }
        if let Some(folder) = &cargo_home {
            // Fetched crates will be read from it, also by a Cargo that has never run.
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        let folders = [cargo_home, rustup_home, Some(sysroot)].into_iter().flatten();
        let read: Vec<PathBuf> = folders.filter(|path| path.exists()).collect();
        Ok(Toolchain {
            cargo,
            environment,
            access: Access { read, write: Vec::new() },
            key: ContentHash::of(version).to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toolchain_files_of_both_forms_are_read() {
        let toml = "[toolchain]\nchannel = \"1.85.0\"\ncomponents = [\"clippy\"]\n";
        assert_eq!(named_in(toml).unwrap(), "1.85.0");
        assert_eq!(named_in("nightly-2026-01-01\n").unwrap(), "nightly-2026-01-01");
        for (text, told) in [
            ("[toolchain]\npath = \"/opt/rust\"\n", "names no channel"),
            ("[toolchain]\nchannel = \"--help\"\n", "names no toolchain of rustup's"),
            ("1.85\n1.86\n", "is neither TOML nor a name"),
            ("", "is neither TOML nor a name"),
            ("../../x\n", "names no toolchain of rustup's"),
        ] {
            assert_eq!(named_in(text).unwrap_err(), told, "{text}");
        }
    }

    #[test]
    fn a_compiler_that_is_not_the_named_one_is_seen() {
        let says = |release: &str, name: &str| is_of(&format!("rustc x\nrelease: {release}\n"), name);
        assert!(says("1.85.0", "1.85") && says("1.85.0", "1.85.0") && says("1.95.0", "stable"));
        assert!(says("1.97.0-nightly", "nightly-2026-04-01") && says("1.96.0-beta.1", "beta"));
        assert!(says("1.95.0", "mine"), "a name of one's own");
        for (release, name) in
            [("1.85.0", "1.8"), ("1.95.0", "1.85"), ("1.95.0", "nightly"), ("1.97.0-nightly", "stable")]
        {
            assert!(!says(release, name), "{release} {name}");
        }
    }
}
