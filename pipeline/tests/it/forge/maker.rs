//! Stands in for the engine: an upstream that counts, and a port that holds a line for each revision.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use pipeline::gate::GatePass;
use pipeline::proposal::bot::sealed;
use pipeline::proposal::marker::declined_trailer;
use pipeline::proposal::{Declined, Made, Maker, Words};
use port::repo::{Author, NewCommit, PortRepo};
use reports::Verdict;
use reports::record::GateRecord;
use upstream::{CommitId, TreeId};

use super::state::BOT_EMAIL;

/// The bot's branch.
pub(crate) const HEAD: &str = "tidelock/sync";

/// What a stand-in keeps: the trees that passed its gate, which is what the promises are about.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) passed: BTreeSet<String>,
}

pub(crate) struct TestMaker {
    pub(crate) port: PathBuf,
    /// The newest revision of the upstream.
    pub(crate) newest: u32,
    /// Every tree that ever passed.
    pub(crate) journal: Arc<Mutex<Journal>>,
    /// The commits that this machine remembers.
    pub(crate) remembered: BTreeSet<String>,
    /// Items that wait for a person, of the newest revision.
    pub(crate) parked: usize,
    pub(crate) may_automerge: bool,
    skip: bool,
}

/// A gate's record that passed, for the three that must be there.
fn pass(tree: &TreeId) -> GatePass {
    let gate = |name: &str| GateRecord {
        gate: name.to_owned(),
        verdict: Verdict::Pass,
        reason: String::new(),
        findings: Vec::new(),
        evidence: Vec::new(),
        counterexamples: Vec::new(),
        timings: Vec::new(),
        benches: Vec::new(),
        sessions: Vec::new(),
        arithmetic: Vec::new(),
        duration_ms: 0,
    };
    GatePass::judge(tree, &["validity", "spec", "numeric"].map(gate)).unwrap()
}

impl TestMaker {
    pub(crate) fn new(port: PathBuf, journal: Arc<Mutex<Journal>>) -> Self {
        Self {
            port,
            newest: 0,
            journal,
            remembered: BTreeSet::new(),
            parked: 0,
            may_automerge: false,
            skip: false,
        }
    }

    fn repo(&self) -> PortRepo {
        PortRepo::open(&self.port).unwrap()
    }

    fn number(&self, tree: &TreeId) -> u32 {
        let text = self.repo().read(tree, "tidelock.lock").unwrap().unwrap();
        String::from_utf8(text).unwrap().trim().parse().unwrap()
    }

    fn text(&self, tree: &TreeId, path: &str) -> String {
        let bytes = self.repo().read(tree, path).unwrap().unwrap_or_default();
        String::from_utf8(bytes).unwrap()
    }

    fn commit(&self, parent: &CommitId, files: &[(&str, String)], message: &str) -> CommitId {
        let repo = self.repo();
        let info = repo.commit_info(parent).unwrap();
        let files: BTreeMap<String, Option<Vec<u8>>> =
            files.iter().map(|(path, text)| ((*path).to_owned(), Some(text.clone().into_bytes()))).collect();
        let tree = repo.write_tree(&info.tree, &files).unwrap();
        let author = Author { name: "Tidelock".to_owned(), email: BOT_EMAIL.to_owned() };
        let (parents, message) = (std::slice::from_ref(parent), sealed(message, &tree));
        let new =
            NewCommit { parents, tree: &tree, message: &message, author: &author, time_s: info.time_s + 1 };
        repo.commit_object(&new).unwrap()
    }

    fn gated(&self, tree: &TreeId) -> GatePass {
        self.journal.lock().unwrap().passed.insert(tree.to_string());
        pass(tree)
    }
}

/// Revisions that a list of ranges names.
fn named(declined: &[Declined], baseline: u32) -> BTreeSet<u32> {
    let number = |text: &str| text.parse::<u32>().unwrap_or(baseline);
    declined.iter().flat_map(|range| number(&range.from) + 1..=number(&range.to)).collect()
}

impl Maker for TestMaker {
    fn record_declined(&mut self, base: &CommitId, declined: &[Declined]) -> anyhow::Result<CommitId> {
        let tree = self.repo().commit_info(base)?.tree;
        let baseline = self.number(&tree);
        let known: BTreeSet<u32> =
            self.text(&tree, "declined").lines().map(|line| line.parse().unwrap()).collect();
        let fresh: Vec<u32> =
            named(declined, baseline).into_iter().filter(|n| *n > baseline && !known.contains(n)).collect();
        self.skip = baseline < self.newest && (baseline + 1..=self.newest).all(|n| fresh.contains(&n));
        if fresh.is_empty() || self.skip {
            return Ok(base.clone());
        }
        let lines: String = {
            let numbers: Vec<String> = known.iter().chain(&fresh).map(u32::to_string).collect();
            numbers.join("\n") + "\n"
        };
        let message = format!("Record what was declined\n\n{}", declined_trailer(declined));
        Ok(self.commit(base, &[("declined", lines)], &message))
    }

    fn knows(&mut self, commit: &CommitId) -> anyhow::Result<bool> {
        Ok(self.remembered.contains(commit.as_str()))
    }

    fn gate(&mut self, tree: &TreeId, _base: &CommitId) -> anyhow::Result<Result<GatePass, String>> {
        Ok(Ok(self.gated(tree)))
    }

    fn make(&mut self, base: &CommitId, _retry: bool) -> anyhow::Result<Made> {
        let repo = self.repo();
        let base_tree = repo.commit_info(base)?.tree;
        let from = self.number(&base_tree).to_string();
        if self.skip {
            return Ok(Made {
                tip: base.clone(),
                tree: base_tree,
                pass: None,
                to: from.clone(),
                from,
                parked: 0,
                words: None,
                may_automerge: false,
            });
        }
        let start = repo.head(HEAD)?;
        let baseline = self.number(&start.tree);
        let held: BTreeSet<u32> =
            self.text(&start.tree, "declined").lines().map(|line| line.parse().unwrap()).collect();
        let (mut tip, mut worked) = (start.commit.clone(), false);
        for revision in baseline + 1..=self.newest {
            let tree = repo.commit_info(&tip)?.tree;
            let mut source = self.text(&tree, "src");
            if !held.contains(&revision) {
                source = format!("{source}revision {revision}\n");
            }
            let files = [("src", source), ("tidelock.lock", format!("{revision}\n"))];
            let message = format!("Sync to {revision}\n\nTidelock-Revision: {revision}");
            tip = self.commit(&tip, &files, &message);
            self.gated(&repo.commit_info(&tip)?.tree);
            self.remembered.insert(tip.to_string());
            worked = true;
        }
        if worked {
            repo.advance(HEAD, &start.commit, &tip)?;
        }
        let tree = repo.commit_info(&tip)?.tree;
        let proved = self.remembered.contains(tip.as_str()).then(|| self.gated(&tree));
        let only_recorded = proved.is_none() && !self.journal.lock().unwrap().passed.contains(tree.as_str());
        let to = self.number(&tree).to_string();
        let words = proved.is_some().then(|| Words {
            title: format!("Sync to {to}"),
            body: format!("What was done up to {to}."),
            verdict: "4 gates passed".to_owned(),
            explanation: "Nothing is open.".to_owned(),
        });
        let (tip, tree) = if only_recorded { (base.clone(), base_tree) } else { (tip, tree) };
        let (parked, may_automerge) = (self.parked, self.may_automerge);
        Ok(Made { tip, tree, pass: proved, from, to, parked, words, may_automerge })
    }
}
