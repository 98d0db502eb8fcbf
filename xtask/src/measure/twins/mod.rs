//! Commits that change a library in Rust and its twin in Python: whether the contract refuses the parent's Python at the new
//! Rust, and accepts the author's.
//!
//! `--repo` takes folders with a `twins.json` ([`set`]). Each side is asked by `surface.py`, which knows no library; what both
//! Pythons answer alike and Rust otherwise is left out by name; then `tidelock contract check` says what it thinks of each
//! Python. A run that was stopped goes on with what it kept.

mod asking;
mod counting;
mod ports;
mod set;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use upstream::process::{Invocation, ProcessRunner as _, SystemProcessRunner};
use upstream::{ContentHash, Revision};

use self::asking::{Asking, SURFACE, Side, members};
use self::counting::{Counted, Counts, Differing, Sides, chosen, count};
use self::ports::{Ports, Said, adopt_as};
use self::set::{Set, Twin};
use super::{Metric, Tell};

/// Part of the key of what is kept: raise it where a commit is asked otherwise.
const KEPT_VERSION: &str = "1";
/// How many of the calls that differ are kept of a commit, for a person to look into.
const DIFFERING_MAX: usize = 5000;
/// How many digits of a commit name its folder and its metric.
const SHORT: usize = 10;

/// What a commit came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Outcome {
    counts: Counts,
    /// What `tidelock contract check` says of the parent's Python, and of the author's.
    parent: (Said, String),
    author: (Said, String),
}

pub(super) fn run(out: Option<&Path>, sets: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if sets.is_empty() {
        bail!("the measure `twins` needs `--repo SET` with a `twins.json`; `docs/contract.md` describes it");
    }
    let program = super::demo::program()?;
    for folder in sets {
        let set = Set::read(folder)?;
        let work = out.map_or_else(|| folder.join("work"), |out| out.join(&set.name));
        one_set(&set, &program, &work, tell).with_context(|| format!("the set `{}`", folder.display()))?;
    }
    Ok(())
}

fn one_set(set: &Set, program: &Path, work: &Path, tell: &mut Tell<'_>) -> Result<()> {
    let mut tally = Tally::default();
    std::fs::create_dir_all(work)?;
    let work = work.canonicalize()?;
    let program_key = ContentHash::of(std::fs::read(program)?).to_string();
    for twin in &set.commits {
        if let Some(reason) = &twin.left_out {
            let value = json!({ "about": twin.about, "left_out": reason });
            tell(plain(set, &short(&twin.commit), value, "commit"))?;
        }
    }
    for (twin, author, parent) in set.revisions()? {
        let asked = Commit { set, program, program_key: &program_key, work: &work, author, parent };
        let outcome = match asked.outcome() {
            Ok(outcome) => outcome,
            // One that cannot be built here says nothing of the others.
            Err(reason) => {
                tally.untold(twin);
                let value = json!({ "about": twin.about, "not_asked": format!("{reason:#}") });
                tell(Metric { ok: false, ..plain(set, &short(&twin.commit), value, "commit") })?;
                continue;
            }
        };
        tally.take(twin, &outcome);
        let mut value = serde_json::to_value(&outcome)?;
        if let Some(value) = value.as_object_mut() {
            let notes = [
                ("about", Some(&twin.about)),
                ("unreachable", twin.unreachable.as_ref()),
                ("author_differs", twin.author_differs.as_ref()),
            ];
            value.extend(notes.into_iter().filter_map(|(key, note)| Some((key.to_owned(), json!(note?)))));
        }
        tell(plain(set, &short(&twin.commit), value, "calls"))?;
    }
    tally.tell(set, tell)
}

fn short(commit: &str) -> String {
    commit.chars().take(SHORT).collect()
}

fn plain(set: &Set, name: &str, value: serde_json::Value, unit: &'static str) -> Metric {
    let name = format!("twins.{}.{name}", set.name);
    Metric { name, value, unit, target: String::new(), ok: true }
}

/// Over all commits of a set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    commits: u32,
    /// Commits whose parents could be told apart by a call.
    reachable: u32,
    parents_refused: u32,
    authors_accepted: u32,
    /// Parents that were accepted and authors that were not, with no reason from a person.
    unexplained: Vec<String>,
}

impl Tally {
    fn take(&mut self, twin: &Twin, outcome: &Outcome) {
        let (refused, accepted) = (outcome.parent.0 == Said::Fail, outcome.author.0 == Said::Pass);
        self.commits += 1;
        self.reachable += u32::from(twin.unreachable.is_none());
        // Who is refused where nobody could tell them apart is refused for something else.
        self.parents_refused += u32::from(refused && twin.unreachable.is_none());
        self.authors_accepted += u32::from(accepted);
        let name = short(&twin.commit);
        if refused == twin.unreachable.is_some() {
            self.unexplained.push(format!("{name} parent"));
        }
        if !accepted && twin.author_differs.is_none() {
            self.unexplained.push(format!("{name} author"));
        }
    }

    /// A commit of which nobody could be asked: its parent is not refused, and its author is not accepted.
    fn untold(&mut self, twin: &Twin) {
        self.commits += 1;
        self.reachable += u32::from(twin.unreachable.is_none());
        let name = short(&twin.commit);
        self.unexplained.extend(["parent", "author"].map(|side| format!("{name} {side}")));
    }

    fn tell(&self, set: &Set, tell: &mut Tell<'_>) -> Result<()> {
        let name = |what: &str| format!("twins.{}.{what}", set.name);
        let least = |what, value: u32, of: u32| {
            Metric::at_least(name(what), f64::from(value), "commits", f64::from(of))
        };
        tell(Metric::told(name("commits"), f64::from(self.commits), "commits"))?;
        tell(least("parents_refused", self.parents_refused, self.reachable))?;
        tell(least("authors_accepted", self.authors_accepted, self.commits))?;
        tell(Metric {
            name: name("unexplained"),
            value: json!(self.unexplained),
            unit: "sides",
            target: "none".to_owned(),
            ok: self.unexplained.is_empty(),
        })
    }
}

/// One commit of a set.
struct Commit<'a> {
    set: &'a Set,
    program: &'a Path,
    /// What tells the program from others.
    program_key: &'a str,
    work: &'a Path,
    author: Revision,
    parent: Revision,
}

impl Commit<'_> {
    /// What was kept of it, or what it comes to now.
    fn outcome(&self) -> Result<Outcome> {
        let folder = self.work.join(short(self.author.commit.as_str()));
        let file = folder.join(format!("{}.json", self.key()?));
        if let Ok(kept) = std::fs::read(&file) {
            return serde_json::from_slice(&kept)
                .with_context(|| format!("`{}` is broken: remove it", file.display()));
        }
        std::fs::create_dir_all(&folder)?;
        let outcome = self.asked(&folder)?;
        let new = file.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(&outcome)?)?;
        std::fs::rename(&new, &file)?;
        Ok(outcome)
    }

    fn key(&self) -> Result<ContentHash> {
        let set = Set { commits: Vec::new(), ..self.set.clone() };
        let (author, parent) = (self.author.commit.as_str(), self.parent.commit.as_str());
        let set = serde_json::to_string(&set)?;
        Ok(ContentHash::of_parts([KEPT_VERSION, SURFACE, &set, self.program_key, author, parent]))
    }

    fn asked(&self, folder: &Path) -> Result<Outcome> {
        let state = self.work.join("state");
        let ports = Ports { set: self.set, program: self.program, state: &state, folder };
        let (author, parent) = (ports.write("author", &self.author)?, ports.write("parent", &self.parent)?);
        ports.ask(&author, None, &[asking::exports()], &BTreeMap::new())?;
        ports.adopt(&author, &self.author)?;
        let rust = ports.built(&author)?;
        let asking = Asking { set: self.set, kept: self.work.join("answers") };
        let sides = [
            Side { key: rust.display().to_string(), imports: rust },
            self.python(&self.author, &author)?,
            self.python(&self.parent, &parent)?,
        ];
        let [rust, at_author, at_parent] = &sides;
        let (of_rust, of_author) = (asking.listed(rust)?, asking.listed(at_author)?);
        let values = chosen(&of_rust, &of_author);
        let members = members(self.set, &[&of_rust, &of_author, &asking.listed(at_parent)?]);
        let all = |side| asking.asked(side, &values, &members);
        let counted = {
            let (rust, author, parent) = (all(rust)?, all(at_author)?, all(at_parent)?);
            count(Sides { rust: &rust, author: &author, parent: &parent })
        };
        keep_differing(folder, &counted)?;
        ports.ask(&author, Some(&values), &members, &counted.left_out)?;
        ports.ask(&parent, Some(&values), &members, &counted.left_out)?;
        adopt_as(&parent, &author)?;
        Ok(Outcome {
            parent: ports.verdict(&parent)?,
            author: ports.verdict(&author)?,
            counts: counted.counts,
        })
    }

    /// The Python of a port, told from others by its content.
    fn python(&self, revision: &Revision, root: &Path) -> Result<Side> {
        let tree = format!("{}:{}", revision.commit, self.set.pysrc);
        let asked = Invocation::new("git", &self.set.repository).args(["rev-parse", &tree]);
        let finished = SystemProcessRunner::default().run(&asked)?;
        if !finished.succeeded() {
            bail!("git cannot find `{tree}`: {}", finished.tail(3));
        }
        let key = String::from_utf8_lossy(&finished.stdout).trim().to_owned();
        Ok(Side { imports: root.join(&self.set.pysrc), key })
    }
}

/// Writes down the calls that differ, for a person to look into.
fn keep_differing(folder: &Path, counted: &Counted) -> Result<()> {
    let line = |one: &Differing| Ok(serde_json::to_string(one)? + "\n");
    let lines: Vec<String> = counted.differing.iter().take(DIFFERING_MAX).map(line).collect::<Result<_>>()?;
    Ok(std::fs::write(folder.join("differing.jsonl"), lines.concat())?)
}
