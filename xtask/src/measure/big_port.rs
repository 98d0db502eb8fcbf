//! A port of any repository, written for measuring: a Python name for every item of its libraries.
//!
//! It runs nowhere. Its functions use the names that their items use, so that its graph is like the upstream's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result, bail};
use mappings::lock::{Adoption, adopt};
use mappings::{
    Disposition, HeldItem, Lock, Mapping, MappingConfig, Placement, RecordedRevision, SkipReason, SymbolTable,
};
use port::language::Python;
use port::language::python::Interpreter;
use port::repo::PortRepo;
use serde_json::json;
use upstream::process::{Finished, Invocation, Limits, ProcessRunner, SystemProcessRunner};
use upstream::snapshot::{Item, ItemKind, Snapshot};
use upstream::{Mirror, Revision};

/// The most names that one function uses.
const USES_MAX: usize = 200;
/// Words that are no names in Python.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// A port on the disk, without a lock yet.
pub(super) struct BigPort {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The upstream's mirror in its state folder.
    pub(super) mirror: Mirror,
    /// All revisions of the upstream, oldest first.
    pub(super) revisions: Vec<Revision>,
    source: String,
    mapping: Mapping,
}

impl BigPort {
    /// Begins a port in an empty folder, and fills its mirror.
    pub(super) fn begin(folder: &Path, repository: &Path) -> Result<Self> {
        let url = repository.display().to_string();
        let source: upstream::SourceSpec = format!("git:{url}").parse()?;
        let mirrors = folder.join(".tidelock/mirrors");
        let mirror = mirrors.join(upstream::ContentHash::of(source.to_string()).short());
        let mirror = Mirror::open(source.clone(), &mirror, upstream::source::Surroundings::system(folder))?;
        mirror.poll(None, &(), &AtomicBool::new(false))?;
        let revisions = mirror.revisions()?;
        let mapping = Mapping::new(MappingConfig::default())?;
        Ok(Self { folder: folder.to_owned(), mirror, revisions, source: source.to_string(), mapping })
    }

    pub(super) fn snapshot(&self, revision: &Revision) -> Result<Snapshot> {
        let tree = self.mirror.repo().tree(&revision.commit)?;
        Ok(upstream::snapshot::read(&tree, revision)?)
    }

    /// Writes the configuration and the port of a snapshot, and commits them.
    pub(super) fn write(&mut self, baseline: &Snapshot) -> Result<SymbolTable> {
        let rules = rules(baseline);
        self.mapping = Mapping::new(toml::from_str(&rules)?)?;
        let url = json!(self.source.strip_prefix("git:").unwrap_or(&self.source));
        let config = format!("version = 1\n[upstream]\ngit = {url}\n[port]\nname = \"p\"\n{rules}");
        std::fs::write(self.folder.join("tidelock.toml"), config)?;
        std::fs::write(self.folder.join(".gitignore"), "/.tidelock\n")?;
        for (file, text) in sources(&self.mapping, baseline, Bodies::Names) {
            let path = self.folder.join(file);
            std::fs::create_dir_all(path.parent().context("a file of the port has a folder")?)?;
            std::fs::write(path, text)?;
        }
        git(&self.folder, &["init", "--quiet"])?;
        self.commit()?;
        let interpreter = Interpreter::locate(&SystemProcessRunner::default(), None)?;
        let repo = PortRepo::open(&self.folder)?;
        let branch = repo.checked_out_branch()?.context("a branch is checked out")?;
        let head = repo.head(&branch)?;
        Ok(repo.symbol_table(&head.tree, &Python::new("", interpreter), &|_every_file| true)?)
    }

    /// The lock of a port that equals a snapshot, adopted some revisions before.
    pub(super) fn lock(
        &self,
        baseline: &Snapshot,
        recorded: &[Revision],
        symbols: &SymbolTable,
    ) -> Result<Lock> {
        let adoption = Adoption { source: &self.source, baseline, mapping: &self.mapping, symbols };
        let mut lock = adopt(&adoption)?.lock;
        let record = |(at, revision): (usize, &Revision)| RecordedRevision {
            revision: revision.label.clone(),
            commit: revision.commit.clone(),
            disposition: if at == 0 { Disposition::Adopted } else { Disposition::Landed },
            reason: String::new(),
        };
        lock.revisions = recorded.iter().enumerate().map(record).collect();
        Ok(lock)
    }

    /// Holds what no symbol answers to, as syncs over many revisions would have.
    pub(super) fn hold_the_rest(&self, lock: &mut Lock, baseline: &Snapshot) {
        for item in baseline.items.values().filter(|item| !lock.links.contains_key(&item.path)) {
            let is_left_alone = match self.mapping.place(item) {
                Ok(Placement::Skipped { why, .. }) => why != SkipReason::Unmapped,
                Ok(Placement::Mapped { .. }) | Err(_) => false,
            };
            if is_left_alone || self.mapping.needs_no_symbol(item).is_some() {
                continue;
            }
            let held = HeldItem {
                item: item.path.clone(),
                symbol: None,
                revision: lock.baseline.clone(),
                disposition: Disposition::NotPorted,
                reason: "the measure writes no symbol for it".to_owned(),
            };
            lock.held.insert(item.path.clone(), held);
        }
    }

    /// Commits a lock.
    pub(super) fn write_lock(&self, lock: &Lock) -> Result<()> {
        std::fs::write(self.folder.join("tidelock.lock"), lock.render())?;
        self.commit()
    }

    fn commit(&self) -> Result<()> {
        git(&self.folder, &["add", "--all"])?;
        git(
            &self.folder,
            &["-c", "user.name=x", "-c", "user.email=x@invalid", "commit", "--quiet", "-m", "port"],
        )
    }

    /// What `tidelock verify` finds wrong with the lock, a line each.
    pub(super) fn wrong(&self) -> Result<Vec<String>> {
        let finished = self.finished(&["verify", "--format", "json"])?;
        let told: serde_json::Value = serde_json::from_slice(&finished.stdout)
            .with_context(|| format!("tidelock verify: {}", finished.tail(20)))?;
        Ok(serde_json::from_value(told["wrong"].clone())?)
    }

    /// Runs `tidelock` in the port, and gives its milliseconds and what it printed.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<(f64, String)> {
        let finished = self.finished(arguments)?;
        if !finished.succeeded() {
            bail!(
                "tidelock {arguments:?}: {}\n{}",
                finished.tail(20),
                String::from_utf8_lossy(&finished.stdout)
            );
        }
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        Ok((f64::from(u32::try_from(finished.duration_ms).unwrap_or(u32::MAX)), text))
    }

    fn finished(&self, arguments: &[&str]) -> Result<Finished> {
        let program = std::env::current_exe()?.with_file_name("tidelock");
        let limits = Limits { timeout_ms: 3_600_000, output_bytes_max: 1 << 30, ..Limits::default() };
        let invocation = Invocation::new(&program, &self.folder)
            .args(arguments.iter().copied())
            .inherit(&["HOME", "CARGO_HOME"])
            .limits(limits);
        Ok(SystemProcessRunner::default().run(&invocation)?)
    }
}

/// How long the bodies of the port are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bodies {
    /// As long as the names take that they use.
    Names,
    /// As long as those of their items: over 108 pairs of functions that people translated, the Python side is as long
    /// as the Rust side.
    OfTheirItems,
}

/// The mapping of such a port, as its configuration has it.
pub(super) fn rules(baseline: &Snapshot) -> String {
    let libraries: BTreeSet<&str> =
        baseline.items.keys().map(upstream::ItemPath::krate).filter(|krate| is_name(krate)).collect();
    let mut rules = String::from("[[map]]\nitems = \"**\"\nstrategy = \"ignore\"\nreason = \"no library\"\n");
    for krate in libraries {
        write!(
            rules,
            "[[map]]\nitems = \"{krate}::**\"\nsymbol = \"p.{{crate}}.{{module}}.{{type}}.{{name}}\"\n\
             file = \"p/{{crate}}/{{module}}.py\"\n"
        )
        .expect("a text takes anything");
    }
    rules
}

/// The files of the port of a snapshot with their texts.
pub(super) fn sources(mapping: &Mapping, baseline: &Snapshot, bodies: Bodies) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, BTreeMap<String, Class>> = BTreeMap::new();
    for item in baseline.items.values() {
        let Ok(Placement::Mapped { symbol, file, .. }) = mapping.place(item) else { continue };
        let module = file.trim_end_matches(".py").replace('/', ".");
        let module = module.trim_end_matches(".__init__");
        let Some(below) = symbol.as_str().strip_prefix(&format!("{module}.")) else { continue };
        let classes = files.entry(file).or_default();
        match below.split_once('.') {
            None => {
                classes.entry(below.to_owned()).or_default().own = Some(definition(item, below, bodies));
            }
            Some((class, method)) if !method.contains('.') => {
                let methods = &mut classes.entry(class.to_owned()).or_default().methods;
                methods.insert(method.to_owned(), definition(item, method, bodies));
            }
            Some(_) => {}
        }
    }
    files.into_iter().map(|(file, classes)| (file, text(&classes))).collect()
}

/// A name at the top of a file: what it is itself, and its methods.
#[derive(Default)]
struct Class {
    own: Option<Definition>,
    methods: BTreeMap<String, Definition>,
}

struct Definition {
    kind: ItemKind,
    head: String,
    uses: String,
    /// How long it is to be at least, in bytes.
    bytes: usize,
}

fn definition(item: &Item, name: &str, bodies: Bodies) -> Definition {
    let uses: Vec<&str> = item
        .mentions
        .iter()
        .filter(|name| is_name(name) && !KEYWORDS.contains(name))
        .take(USES_MAX)
        .collect();
    let bytes = if bodies == Bodies::OfTheirItems { item.text.len() } else { 0 };
    Definition { kind: item.kind, head: name.to_owned(), uses: uses.join(", "), bytes }
}

fn text(classes: &BTreeMap<String, Class>) -> String {
    let function = |indent: &str, definition: &Definition| {
        let head = format!("{indent}def {}(*given):\n", definition.head);
        let end = format!("{indent}    return [{}]\n", definition.uses);
        let filler =
            filler(&format!("{indent}    "), definition.bytes.saturating_sub(head.len() + end.len()));
        format!("{head}{filler}{end}\n\n")
    };
    let text = |(name, class): (&String, &Class)| match &class.own {
        Some(own) if class.methods.is_empty() && is_constant(own.kind) => {
            format!("{name} = [{}]\n\n\n", own.uses)
        }
        Some(own) if class.methods.is_empty() && own.kind == ItemKind::Function => function("", own),
        Some(_) | None => {
            let methods: String = class.methods.values().map(|method| function("    ", method)).collect();
            let own = class.own.as_ref().map_or(0, |own| own.bytes);
            format!("class {name}:\n{}    pass\n\n{methods}", filler("    ", own))
        }
    };
    classes.iter().map(text).collect()
}

/// Comment lines of so many bytes.
fn filler(indent: &str, bytes: usize) -> String {
    let line = format!("{indent}# {}\n", "x".repeat(30));
    line.repeat(bytes / line.len())
}

fn is_constant(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::Const | ItemKind::Static | ItemKind::TypeAlias)
}

fn is_name(text: &str) -> bool {
    text.chars().all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
        && text.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let invocation = Invocation::new("git", folder).args(arguments.iter().copied());
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("git {arguments:?}: {}", finished.tail(5));
    }
    Ok(())
}
