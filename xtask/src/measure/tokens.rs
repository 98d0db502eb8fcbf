//! What the prompts of real revisions take, against sending whole files and against `git diff -W`.
//!
//! Where no port exists, one is written for the measure ([`super::big_port`]): a symbol for every item of every library,
//! as long as its item. It stands for a port of the same size, and nothing else about it is true: what is measured of
//! the port's side is its length. There is no style guide, which would lengthen the part that a cache holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use mappings::lock::{Adoption, adopt};
use mappings::{Mapping, SymbolTable, UnitKind};
use pipeline::chain::codec;
use pipeline::driver::dry::{DryRun, requests};
use port::language::python::Interpreter;
use port::language::{FileSymbols, Language as _, Python};
use port::translate::TranslationRequest;
use port::translate::prompt::{Prompt, PromptBuilder, PromptError};
use serde_json::json;
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};
use upstream::snapshot::SnapshotReader;
use upstream::tree::SourceTree as _;
use upstream::{CommitId, ContentHash, Snapshot, UpstreamRepo};

use super::big_port::{Bodies, rules, sources};
use super::{Metric, Tell};

/// How many commits that change behaviour are taken of a repository, the newest first.
const COMMITS: usize = 40;
/// How many commits are looked at for them.
const LOOKED_AT: &str = "4000";
/// How many units make the run by which the cached share is told.
const RUN: usize = 10;
/// A repository of more bytes of Rust is a large one.
const LARGE_BYTES: usize = 4 << 20;
const COMMITS_MIN: f64 = 300.0;
const FILES_SHARE_MAX: f64 = 1.0 / 6.0;
const DIFF_SHARE_MAX: f64 = 0.5;
const CACHED_SHARE_MIN: f64 = 0.6;

/// One commit, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    payload: usize,
    files: usize,
    diff: usize,
}

/// One of its numbers.
type Column = fn(&Sent) -> usize;

/// Everything about one repository, or about all.
#[derive(Debug, Default)]
struct Sums {
    commits: Vec<Sent>,
    prompts: usize,
    too_long: usize,
    cut: Vec<String>,
    /// Blocks of which something was left out, by their names.
    left_out: BTreeMap<&'static str, usize>,
    /// Bytes by what they are.
    profile: BTreeMap<&'static str, usize>,
    /// Why commits were passed over.
    unread: Vec<String>,
    /// Prompts by file, the newest first.
    by_file: BTreeMap<String, Vec<Prompt>>,
}

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if repositories.is_empty() {
        bail!("the measure `tokens` reads repositories: name them with `--repo PATH`");
    }
    let (mut all, mut shares, mut large, mut small) = (Sums::default(), Vec::new(), 0, 0);
    for repository in repositories {
        let (name, is_large, sums) = one(&repository.canonicalize()?)?;
        large += usize::from(is_large);
        small += usize::from(!is_large);
        let share = cached_share(&sums);
        tell_one(&name, &sums, share, tell)?;
        shares.extend(share);
        all.add(sums);
    }
    tell(Metric::at_least("tokens.small_repositories", float(small), "repositories", 6.0))?;
    tell(Metric::at_least("tokens.large_repositories", float(large), "repositories", 1.0))?;
    tell(Metric::at_least("tokens.commits", float(all.commits.len()), "commits", COMMITS_MIN))?;
    tell(Metric::told("tokens.prompts", float(all.prompts), "prompts"))?;
    tell(Metric::told("tokens.units_too_long", float(all.too_long), "units"))?;
    let payload = median(all.commits.iter().map(|sent| float(sent.payload)).collect());
    tell(Metric::told("tokens.payload_median", payload / 4.0, "tokens, at 4 bytes each"))?;
    shares_of(&all, "tokens", Some((FILES_SHARE_MAX, DIFF_SHARE_MAX)), tell)?;
    tell(Metric::at_least(
        "tokens.cached_share_median",
        median(shares.clone()),
        "of what is sent",
        CACHED_SHARE_MIN,
    ))?;
    let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
    tell(Metric::told("tokens.cached_share_least", least, "of what is sent"))?;
    profile("tokens.profile", &all, tell)?;
    tell(Metric {
        name: "tokens.left_out".to_owned(),
        value: json!(all.left_out),
        unit: "prompts by block",
        target: String::new(),
        ok: true,
    })?;
    let ok = all.cut.is_empty();
    tell(Metric {
        name: "tokens.cut_items".to_owned(),
        value: json!(all.cut),
        unit: "items",
        target: "none".to_owned(),
        ok,
    })
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.commits.extend(other.commits);
        self.prompts += other.prompts;
        self.too_long += other.too_long;
        self.cut.extend(other.cut);
        self.unread.extend(other.unread);
        for (name, count) in other.left_out {
            *self.left_out.entry(name).or_default() += count;
        }
        for (name, bytes) in other.profile {
            *self.profile.entry(name).or_default() += bytes;
        }
    }

    /// What one prompt is made of.
    fn weigh(&mut self, request: &TranslationRequest, prompt: &Prompt) {
        self.prompts += 1;
        for note in prompt.blocks.iter().filter(|note| !note.left_out.is_empty()) {
            *self.left_out.entry(note.block.word()).or_default() += 1;
        }
        let mut told = 0;
        for (kind, text) in fenced(prompt) {
            *self.profile.entry(kind).or_default() += text.len();
            told += text.len();
        }
        *self.profile.entry("around").or_default() += prompt.payload.len() - told;
        for member in &request.unit.members {
            let text = |item: Option<&upstream::Item>| item.map(|item| item.text.trim_end().to_owned());
            let sides = [text(member.change.before()), text(member.change.after())];
            if !sides.iter().flatten().all(|side| is_whole(prompt, side)) {
                self.cut.push(format!("{} at {}", member.change.path(), request.revision.commit));
            }
        }
        let texts = request.symbols.iter().filter_map(|symbol| symbol.text.as_ref());
        for text in texts {
            if !fenced(prompt).any(|(_, shown)| shown == text.trim_end()) {
                self.cut.push(format!("a symbol of {} at {}", request.unit.id, request.revision.commit));
            }
        }
    }
}

/// The fenced texts of a prompt with what they are, by the headings above them.
fn fenced(prompt: &Prompt) -> impl Iterator<Item = (&'static str, &str)> {
    const HEADINGS: [(&str, &str); 7] = [
        ("## Rust behind", "changes behind"),
        ("## Rust:", "rust"),
        ("## Port:", "port"),
        ("## Imports", "imports"),
        ("## To be read only", "other symbols whole"),
        ("## Heads of", "heads"),
        ("## Lines that use", "uses"),
    ];
    let open = format!("<<<{}", prompt.nonce);
    let close = format!("\n{}>>>", prompt.nonce);
    let mut of = "commit";
    let mut texts = Vec::new();
    for part in prompt.payload.split(&open) {
        // The first part stands before all fences.
        let (text, between) = part.split_once(&close).unwrap_or(("", part));
        if let Some((_, text)) = text.split_once('\n') {
            texts.push((of, text));
        }
        for line in between.lines() {
            of = HEADINGS.iter().find(|(head, _)| line.starts_with(head)).map_or(of, |(_, name)| *name);
        }
    }
    texts.into_iter()
}

/// Whether a text is shown with all of its lines: by itself, or as one side of a marked one.
fn is_whole(prompt: &Prompt, text: &str) -> bool {
    fenced(prompt).any(|(_, shown)| {
        let side = |mark: char| {
            let lines = shown.lines().filter(|line| line.starts_with([' ', mark]));
            lines.map(|line| line.chars().skip(1).collect::<String>()).collect::<Vec<_>>().join("\n")
        };
        shown == text || ['-', '+'].into_iter().any(|mark| side(mark).trim_end() == text)
    })
}

fn one(repository: &Path) -> Result<(String, bool, Sums)> {
    let shown =
        repository.ancestors().filter_map(Path::file_name).find(|name| name.to_string_lossy().contains('+'));
    let name = shown.or(repository.file_name()).unwrap_or_default().to_string_lossy().into_owned();
    let repo = UpstreamRepo::open(repository)?;
    let interpreter = Interpreter::locate(&SystemProcessRunner::default(), None)?;
    let mut measured = Measured {
        folder: repository,
        repo,
        reader: SnapshotReader::default(),
        python: Python::new("", interpreter),
        parsed: BTreeMap::new(),
        builder: PromptBuilder::new(codec())?,
        sums: Sums::default(),
    };
    let listed = git(repository, &["log", "--no-merges", "--format=%H", "-n", LOOKED_AT, "--", "*.rs"])?;
    let mut is_large = false;
    for commit in listed.lines() {
        if measured.sums.commits.len() == COMMITS {
            break;
        }
        // What cannot be read, because the mirror lacks it or the past did not parse, is counted and passed over.
        match measured.commit(&CommitId::new(commit)?) {
            Ok(bytes) => is_large |= bytes > LARGE_BYTES,
            Err(error) => measured.sums.unread.push(format!("{commit}: {error:#}")),
        }
    }
    Ok((name, is_large, measured.sums))
}

struct Measured<'a> {
    folder: &'a Path,
    repo: UpstreamRepo,
    reader: SnapshotReader,
    python: Python,
    /// The symbols of files by their content.
    parsed: BTreeMap<String, Arc<FileSymbols>>,
    builder: PromptBuilder,
    sums: Sums,
}

impl Measured<'_> {
    /// Measures a commit, if it changes behaviour; gives the bytes of Rust of its parent.
    fn commit(&mut self, commit: &CommitId) -> Result<usize> {
        let Some(parent) = self.repo.first_parent(commit)? else { return Ok(0) };
        let (baseline, target) = (self.snapshot(&parent)?, self.snapshot(commit)?);
        let bytes = baseline.items.values().map(|item| item.text.len()).sum();
        let changes = upstream::diff::compare(&baseline, &target);
        if !changes.items.iter().any(|change| change.touches_behaviour() && !change.is_test()) {
            return Ok(bytes);
        }
        let mapping = Mapping::new(toml::from_str(&rules(&baseline))?)?;
        let files = sources(&mapping, &baseline, Bodies::OfTheirItems);
        let symbols = Arc::new(self.symbols(&files));
        let source = format!("git:{}", self.folder.display());
        let adoption =
            Adoption { source: &source, baseline: &baseline, mapping: &mapping, symbols: &symbols };
        let lock = adopt(&adoption)?.lock;
        let asked = requests(DryRun {
            baseline,
            target: Arc::clone(&target),
            lock,
            mapping: &mapping,
            symbols,
            language: &self.python,
            style: "",
        })?;
        if !asked.iter().any(|request| request.unit.kind != UnitKind::Test) {
            return Ok(bytes);
        }
        let mut sent = self.compared(&parent, commit, &asked, &files)?;
        for request in &asked {
            match self.builder.build(request) {
                Ok(prompt) => {
                    sent.payload += prompt.payload.len();
                    self.sums.weigh(request, &prompt);
                    let file = request.unit.members.first().map(|member| member.file.clone());
                    self.sums.by_file.entry(file.unwrap_or_default()).or_default().push(prompt);
                }
                Err(PromptError::UnitTooLong { .. }) => self.sums.too_long += 1,
                Err(error) => return Err(error.into()),
            }
        }
        if sent.payload > 0 {
            self.sums.commits.push(sent);
        }
        Ok(bytes)
    }

    fn snapshot(&mut self, commit: &CommitId) -> Result<Arc<Snapshot>> {
        let (tree, revision) = (self.repo.tree(commit)?, self.repo.revision(commit)?);
        Ok(Arc::new(self.reader.read(&tree, &revision)?))
    }

    fn symbols(&mut self, files: &BTreeMap<String, String>) -> SymbolTable {
        let mut table = SymbolTable::default();
        for (file, text) in files {
            let python = &self.python;
            let parsed = self.parsed.entry(ContentHash::of_parts([file, text]).to_string());
            let parsed = parsed.or_insert_with(|| Arc::new(python.symbols(file, text)));
            for located in &parsed.symbols {
                table.symbols.insert(located.symbol.path.clone(), located.symbol.clone());
            }
        }
        table
    }

    /// What other ways of asking would send: the changed files as they are now with the files of the port that answer to
    /// them, and the difference with the functions around it.
    fn compared(
        &self,
        parent: &CommitId,
        commit: &CommitId,
        asked: &[TranslationRequest],
        files: &BTreeMap<String, String>,
    ) -> Result<Sent> {
        let (from, to) = (parent.as_str(), commit.as_str());
        let tree = self.repo.tree(commit)?;
        let changed = git(self.folder, &["diff", "--name-only", "--diff-filter=AM", from, to, "--", "*.rs"])?;
        let mut rust = 0;
        for file in changed.lines() {
            rust += tree.read(file)?.map_or(0, |bytes| bytes.len());
        }
        let members = asked.iter().flat_map(|request| &request.unit.members);
        let counterparts: BTreeMap<&str, usize> = members
            .filter_map(|member| Some((member.file.as_str(), files.get(&member.file)?.len())))
            .collect();
        let diff = git(self.folder, &["diff", "-W", from, to, "--", "*.rs"])?.len();
        Ok(Sent { payload: 0, files: rust + counterparts.values().sum::<usize>(), diff })
    }
}

/// How much of what a run of ten units of one file sends a cache holds already: all that stands before the task, if it
/// is what was sent before.
fn cached_share(sums: &Sums) -> Option<f64> {
    let prompts = sums.by_file.values().max_by_key(|prompts| prompts.len())?;
    if prompts.len() < RUN {
        return None;
    }
    // The newest stand first, and a sync goes the other way.
    let run: Vec<&Prompt> = prompts.iter().take(RUN).rev().collect();
    let all: usize = run.iter().map(|prompt| prompt.text().len()).sum();
    let again = run.windows(2).filter_map(|pair| Some((pair.first()?, pair.last()?)));
    let cached: usize = again
        .map(|(before, now)| match (before.prefix() == now.prefix(), before.system == now.system) {
            (true, _) => now.prefix().len(),
            (false, true) => now.system.len(),
            (false, false) => 0,
        })
        .sum();
    Some(float(cached) / float(all))
}

fn tell_one(name: &str, sums: &Sums, share: Option<f64>, tell: &mut Tell<'_>) -> Result<()> {
    let name = format!("tokens.{name}");
    tell(Metric::told(format!("{name}.commits"), float(sums.commits.len()), "commits"))?;
    let (value, passed_over) = (json!(sums.unread), format!("{name}.commits_passed_over"));
    tell(Metric { name: passed_over, value, unit: "commits", target: String::new(), ok: true })?;
    let payload = median(sums.commits.iter().map(|sent| float(sent.payload)).collect());
    tell(Metric::told(format!("{name}.payload_median"), payload / 4.0, "tokens, at 4 bytes each"))?;
    shares_of(sums, &name, None, tell)?;
    if let Some(share) = share {
        tell(Metric::told(format!("{name}.cached_share"), share, "of what is sent"))?;
    }
    profile(&format!("{name}.profile"), sums, tell)
}

/// The median of each commit's share, and the share of the medians.
fn shares_of(sums: &Sums, name: &str, most: Option<(f64, f64)>, tell: &mut Tell<'_>) -> Result<()> {
    let column = |of: Column| median(sums.commits.iter().map(|sent| float(of(sent))).collect());
    let kinds: [(&str, Column, Option<f64>); 2] = [
        ("changed_files", |sent| sent.files, most.map(|(files, _)| files)),
        ("git_diff_w", |sent| sent.diff, most.map(|(_, diff)| diff)),
    ];
    for (what, of, most) in kinds {
        let each = sums.commits.iter().filter(|sent| of(sent) > 0);
        let each = median(each.map(|sent| float(sent.payload) / float(of(sent))).collect());
        let medians = column(|sent| sent.payload) / column(of).max(1.0);
        for (how, value) in [("median_share", each), ("share_of_medians", medians)] {
            let name = format!("{name}.{how}_of_{what}");
            let unit = "payload for each byte";
            tell(match most {
                Some(most) => Metric::at_most(name, value, unit, most),
                None => Metric::told(name, value, unit),
            })?;
        }
    }
    Ok(())
}

fn profile(name: &str, sums: &Sums, tell: &mut Tell<'_>) -> Result<()> {
    let all: usize = sums.profile.values().sum();
    let share = |bytes: &usize| (float(*bytes) / float(all) * 1000.0).round() / 1000.0;
    let value: BTreeMap<&str, f64> = sums.profile.iter().map(|(kind, bytes)| (*kind, share(bytes))).collect();
    tell(Metric {
        name: name.to_owned(),
        value: json!(value),
        unit: "of the payload",
        target: String::new(),
        ok: true,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts of bytes")]
fn float(count: usize) -> f64 {
    count as f64
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let limits = Limits { output_bytes_max: 1 << 30, ..Limits::default() };
    let invocation = Invocation::new("git", folder).args(arguments.iter().copied()).limits(limits);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("git {arguments:?}: {}", finished.tail(5));
    }
    String::from_utf8(finished.stdout.clone())
        .or_else(|_not_text| Ok::<_, anyhow::Error>(String::from_utf8_lossy(&finished.stdout).into_owned()))
        .context("git's words")
}
