//! Runs the upstream's own tests in a marked copy, and keeps the calls that they make: probes that people thought of.
//!
//! Main function: [`record_calls`]. It is done once for the same sources. What is in the way is a note: the contract
//! has other probes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::json;
use upstream::process::{Ending, Finished, Invocation, Limits};
use upstream::trace_calls::{RECORD_FOLDER, RECORD_MODULE};
use upstream::{ContentHash, ItemPath};

use super::ContractError;
use super::build::{Build, FETCH_TIMEOUT_MS, MARKING_ROUNDS_MAX, TEMPORARY, UPSTREAM};
use super::call_log::CallRecord;
use super::cause::why;
use super::conversation::Tools;
use super::diagnostics::errors;
use super::oracle::{OracleRequest, write_atomically};
use super::probeable::ProbePlan;
use super::recorded::Recorded;
use super::scratch::copy_tree;
use crate::held::HeldFolder;

/// Part of every key: raise it where the meaning of what is kept changes.
const KEPT_VERSION: &str = "1";
/// The longest that one run of the tests may take, in milliseconds.
const RUN_TIMEOUT_MS: u64 = 2 * 60 * 1000;
/// The most that one run may print, in bytes.
const OUTPUT_BYTES_MAX: usize = 64 << 20;
/// The most files of records that are read: a documentation test is a process of its own.
const FILES_MAX: usize = 20_000;
/// The most bytes of records that are read.
const BYTES_MAX: u64 = 64 << 20;
/// The most different calls that are kept of one function.
const CALLS_MAX: usize = 512;
/// Where records go, in the scratch folder.
const RECORDS: &str = "records";

/// The tests that are built, the first choice that compiles: one that does not keeps the others from running.
const TARGETS: [&[&str]; 2] = [&["--lib", "--bins", "--tests"], &["--lib"]];

/// What was recorded of these sources before.
pub fn recorded_before(request: &OracleRequest<'_>) -> Option<Recorded> {
    serde_json::from_slice(&std::fs::read(kept_in(request)).ok()?).ok()
}

/// Runs the tests of a package and keeps their calls, or takes what was kept of the same sources before.
pub fn record_calls(tools: &Tools<'_>, request: &OracleRequest<'_>) -> Result<Recorded, ContractError> {
    if let Some(kept) = recorded_before(request) {
        return Ok(kept);
    }
    let plan = ProbePlan::default();
    let request = OracleRequest { instrument: Some(&CallRecord), ..*request };
    let build = Build { tools, request: &request, plan: &plan, name: String::new() };
    let recording = Recording { tools, request: &request, build: &build };
    let (recorded, is_final) = recording.run()?;
    // Without the network it may go better next time.
    if is_final {
        write_atomically(&kept_in(&request), &json!(recorded))?;
    }
    Ok(recorded)
}

/// Documentation beside the code decides nothing: all other files do.
fn kept_in(request: &OracleRequest<'_>) -> PathBuf {
    let decides = |file: &str| ![".md", ".yml", ".yaml"].iter().any(|ending| file.ends_with(ending));
    let files = request.snapshot.files.iter().filter(|(file, _)| decides(file));
    let own = [
        KEPT_VERSION.to_owned(),
        request.package.folder.clone(),
        request.package.name.clone(),
        request.toolchain.key.clone(),
        format!("{:?}", request.profile),
        RECORD_MODULE.to_owned(),
        // A snapshot of a part of the tree tells of its files alone.
        if request.snapshot.files.is_empty() { request.source_key.to_owned() } else { String::new() },
    ];
    let key = ContentHash::of_parts(own.into_iter().chain(files.map(|(file, id)| format!("{file} {id}"))));
    request.cache_dir.join("recorded").join(format!("{key}.json"))
}

struct Recording<'a> {
    tools: &'a Tools<'a>,
    request: &'a OracleRequest<'a>,
    build: &'a Build<'a>,
}

impl Recording<'_> {
    /// What was recorded, and whether another try would come to the same.
    fn run(&self) -> Result<(Recorded, bool), ContractError> {
        let mut unmarked = BTreeSet::new();
        let mut last = String::new();
        // Foreign code has had each copy in its hands, so each attempt begins with another.
        for _ in 0..=MARKING_ROUNDS_MAX {
            let scratch = self.scratch()?;
            let upstream = scratch.path().join(UPSTREAM);
            let marked = self.build.instrumented(&upstream, Some(&CallRecord), &unmarked)?;
            if marked.is_empty() {
                return Ok((noted("none of its functions can be marked"), true));
            }
            if let Some(reason) = self.fetch(scratch.path())? {
                return Ok((noted(&format!("its tests need what cannot be fetched: {reason}")), false));
            }
            let mut complained = BTreeSet::new();
            for targets in TARGETS {
                let built = self.cargo_test(
                    scratch.path(),
                    &[targets, &["--no-run", "--message-format", "json-diagnostic-short"]].concat(),
                    self.tools.build_timeout_ms,
                )?;
                if built.succeeded() {
                    return Ok((self.ran(&scratch, targets, &marked)?, true));
                }
                last = why(&built);
                complained.extend(self.build.complained(&built, &marked));
                if !complained.is_empty() {
                    break;
                }
            }
            if complained.is_empty() {
                break;
            }
            unmarked.append(&mut complained);
        }
        Ok((noted(&format!("its tests do not build: {last}")), true))
    }

    /// A copy of the whole upstream, with its tests.
    fn scratch(&self) -> Result<HeldFolder, ContractError> {
        let io = |source| ContractError::Io { path: self.request.cache_dir.to_path_buf(), source };
        std::fs::create_dir_all(self.request.cache_dir.join("target")).map_err(io)?;
        let scratch = HeldFolder::make_in(self.request.cache_dir, "record").map_err(io)?;
        for folder in [TEMPORARY, RECORDS] {
            std::fs::create_dir(scratch.path().join(folder)).map_err(io)?;
        }
        let upstream = scratch.path().join(UPSTREAM);
        copy_tree(self.request.source, &upstream)?;
        // Cargo looks for a workspace in every folder above, which a confined one may not read.
        let top = [upstream.clone(), upstream.join(&self.request.package.folder)];
        let manifest = top.iter().map(|folder| folder.join("Cargo.toml")).find(|file| file.is_file());
        if let Some(manifest) = manifest {
            let text = std::fs::read_to_string(&manifest).map_err(io)?;
            let has_one = text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("workspace"));
            if !has_one {
                std::fs::write(&manifest, format!("{text}\n[workspace]\n")).map_err(io)?;
            }
        }
        Ok(scratch)
    }

    fn manifest(&self, scratch: &Path) -> PathBuf {
        scratch.join(UPSTREAM).join(&self.request.package.folder).join("Cargo.toml")
    }

    fn cargo(&self, scratch: &Path, words: &[&str]) -> Invocation {
        let toolchain = self.request.toolchain;
        let mut invocation = Invocation::new(&toolchain.cargo, "/")
            .args(words.iter().copied())
            .args(["--manifest-path".into(), self.manifest(scratch).into_os_string()]);
        invocation.environment.extend(toolchain.environment.clone());
        invocation
    }

    /// Fetches what the tests depend on, without running any of it; why not, where that fails.
    fn fetch(&self, scratch: &Path) -> Result<Option<String>, ContractError> {
        let limits = Limits { timeout_ms: FETCH_TIMEOUT_MS, ..Limits::default() };
        let mut last = None;
        for words in [&["fetch", "--offline"][..], &["fetch"]] {
            let finished = self.tools.runner.run(&self.cargo(scratch, words).limits(limits))?;
            self.build.uninterrupted(&finished)?;
            if finished.succeeded() {
                return Ok(None);
            }
            last = Some(finished.tail(3));
        }
        Ok(last)
    }

    /// One `cargo test`, confined.
    fn cargo_test(&self, scratch: &Path, words: &[&str], timeout_ms: u64) -> Result<Finished, ContractError> {
        let (temporary, target) = (scratch.join(TEMPORARY), self.request.cache_dir.join("target"));
        let profile = self.request.profile;
        let mut options: Vec<String> =
            profile.features.iter().map(|name| format!("--features={name}")).collect();
        options.extend((!profile.default_features).then(|| "--no-default-features".to_owned()));
        let overflow = if profile.overflow_checks { "true" } else { "false" };
        let invocation = self
            .cargo(scratch, &["test", "--offline", "--no-fail-fast"])
            .args(words.iter().copied())
            .args(options)
            .env("CARGO_TARGET_DIR", &target)
            .env("TMPDIR", &temporary)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_PROFILE_TEST_DEBUG", "false")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", overflow)
            .env("RUSTFLAGS", "--cap-lints=warn")
            .env("RUSTDOCFLAGS", "--cap-lints=warn")
            .env(RECORD_FOLDER, scratch.join(RECORDS))
            .limits(Limits { timeout_ms, silence_ms: None, output_bytes_max: OUTPUT_BYTES_MAX });
        let mut access = self.request.toolchain.access.clone();
        // Tests write beside their sources too.
        access.write.extend([scratch.join(UPSTREAM), temporary, scratch.join(RECORDS), target]);
        let invocation = self.tools.confinement.confine(invocation, &access)?;
        let mut finished = self.tools.runner.run(&invocation)?;
        if finished.ending == Ending::Interrupted {
            return Err(ContractError::Interrupted);
        }
        // Members of a workspace are named from its root, and others in full.
        let own = errors(&finished.stdout);
        let named = |line: &str| {
            let is_named = line.starts_with('/') || !line.contains(".rs:");
            if is_named { format!("{line}\n") } else { format!("{UPSTREAM}/{line}\n") }
        };
        finished.stderr.extend_from_slice(own.lines().map(named).collect::<String>().as_bytes());
        Ok(finished)
    }

    /// Runs what was built, and documentation tests; reads what they wrote down.
    fn ran(
        &self,
        scratch: &HeldFolder,
        targets: &[&str],
        marked: &[(u32, ItemPath)],
    ) -> Result<Recorded, ContractError> {
        let mut notes = Vec::new();
        for words in [targets, &["--doc"]] {
            // Tests that fail have made their calls as well.
            let finished = self.cargo_test(scratch.path(), words, RUN_TIMEOUT_MS)?;
            let bound = match finished.ending {
                Ending::TimedOut | Ending::Silent => format!("ran longer than {} s", RUN_TIMEOUT_MS / 1000),
                Ending::TooMuchOutput => "printed without end".to_owned(),
                Ending::TooMuchDisk | Ending::DiskFull => "filled the disk".to_owned(),
                Ending::Exited(_) | Ending::Signalled(_) | Ending::Interrupted => continue,
            };
            notes.push(format!("its tests ({}) were ended: they {bound}", words.join(" ")));
        }
        let mut recorded = read_all(&scratch.path().join(RECORDS), marked);
        recorded.notes.extend(notes);
        Ok(recorded)
    }
}

fn noted(reason: &str) -> Recorded {
    Recorded { calls: BTreeMap::new(), notes: vec![reason.to_owned()] }
}

/// Reads the records. Foreign code could write to the folder: what is no plain file or no record is passed over.
fn read_all(folder: &Path, marked: &[(u32, ItemPath)]) -> Recorded {
    let named: BTreeMap<u32, &ItemPath> = marked.iter().map(|(id, item)| (*id, item)).collect();
    let mut recorded = Recorded::default();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    let (mut bytes, mut cut) = (0, files.len() > FILES_MAX);
    for file in files.into_iter().take(FILES_MAX) {
        let Ok(metadata) = file.symlink_metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        bytes += metadata.len();
        if bytes > BYTES_MAX {
            cut = true;
            break;
        }
        let text = std::fs::read(&file).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            // A line that a process was killed over is no JSON.
            let Ok((id, given)) = serde_json::from_str::<(u32, Vec<Option<String>>)>(line) else { continue };
            let Some(item) = named.get(&id) else { continue };
            let calls = recorded.calls.entry((*item).clone()).or_default();
            if calls.len() < CALLS_MAX {
                calls.insert(given);
            }
        }
    }
    if cut {
        recorded.notes.push("more calls were recorded than are read".to_owned());
    }
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[1,[\"3\",null]]\n[1,[\"3\",null]]\n[2,[\"4\"]]\nnoise\n[1,[\"5\"";
        std::fs::write(folder.path().join("calls-1"), text).unwrap();
        std::fs::create_dir(folder.path().join("calls-2")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("calls-3")).unwrap();
        let item = ItemPath::new("tiny::f").unwrap();
        let recorded = read_all(folder.path(), &[(1, item.clone())]);
        let calls: Vec<_> = recorded.calls[&item].iter().cloned().collect();
        assert_eq!(calls, [vec![Some("3".to_owned()), None]]);
        assert_eq!((recorded.count(), recorded.notes.len()), (1, 0));
    }
}
