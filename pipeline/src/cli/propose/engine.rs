//! The engine as what makes the work that is proposed.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail};
use mappings::Lock;
use mappings::decision::{About, DecisionRule, DecisionWord, day_at};
use port::repo::NewCommit;
use reports::record::RevisionRecord;
use reports::{RunRecord, Summary};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};
use upstream::{CommitId, Revision, RevisionLabel, TreeId};

use super::Opened;
use crate::cli::args::Sync;
use crate::cli::{CliError, gate, sync};
use crate::config::{self, CONFIG_NAME, Settings};
use crate::decided;
use crate::gate::GatePass;
use crate::proposal::bot::sealed;
use crate::proposal::marker::declined_trailer;
use crate::proposal::{Declined, GroupBy, Made, Maker, Words, group};
use crate::session::{LOCK_NAME, Machine, Session};
use crate::store::{Store, StoreError};

/// How many past runs are searched for what made a commit.
const RUNS_MAX: usize = 200;
/// Revisions that `/tidelock explain` tells of.
const EXPLAINED_MAX: usize = 20;

/// Makes work with the engine, in the port's own repository.
pub(super) struct EngineMaker<'a> {
    settings: &'a Settings,
    machine: &'a Machine,
    args: &'a Sync,
    opened: &'a Opened,
    /// Everything that is new was declined: nothing is to be made.
    is_declined: bool,
    /// What the engine did last.
    pub(super) record: Option<RunRecord>,
}

impl<'a> EngineMaker<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        machine: &'a Machine,
        args: &'a Sync,
        opened: &'a Opened,
    ) -> Self {
        Self { settings, machine, args, opened, is_declined: false, record: None }
    }

    /// The port as a tree of it is configured, on the bot's branch.
    fn session(&self, tree: &TreeId) -> Result<Session> {
        let text = self.config(tree)?;
        let path = self.settings.root.join(CONFIG_NAME);
        let mut settings = config::read(&path, &text, Some(self.settings.state.clone()))?;
        sync::choose_translators(&mut settings, &self.args.who).map_err(|error| error.cause)?;
        settings.branch = Some(self.opened.settings.policy.head_branch.clone());
        Ok(Session::open(settings, self.machine.clone())?)
    }

    fn config(&self, tree: &TreeId) -> Result<String> {
        let bytes = self.opened.port.read(tree, CONFIG_NAME)?.with_context(|| {
            format!("there is no `{CONFIG_NAME}` at the forge: commit it to the base branch and push it")
        })?;
        String::from_utf8(bytes).with_context(|| format!("`{CONFIG_NAME}` at the forge is no UTF-8"))
    }

    fn tree(&self, commit: &CommitId) -> Result<TreeId> {
        Ok(self.opened.port.commit_info(commit)?.tree)
    }

    fn lock(&self, tree: &TreeId) -> Result<Lock> {
        let bytes = self.opened.port.read(tree, LOCK_NAME)?;
        let bytes = bytes.with_context(|| {
            format!("there is no `{LOCK_NAME}` at the forge: `tidelock init --adopt REV` writes it; commit and push it")
        })?;
        Ok(Lock::parse(&String::from_utf8_lossy(&bytes))?)
    }

    /// What past runs recorded of commits that landed on the bot's branch, by commit.
    fn recorded(&self) -> Result<BTreeMap<String, (RunRecord, RevisionRecord)>> {
        let mut found = BTreeMap::new();
        let path = self.settings.state.join("state.db");
        if !path.exists() {
            return Ok(found);
        }
        let store = Store::open_to_read(&path)?;
        for row in store.runs()?.into_iter().take(RUNS_MAX) {
            let events = match store.events(&row.run) {
                Ok(events) => events,
                // Runs of other versions may not be readable; they are history.
                Err(StoreError::OtherVersion { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let Ok((Some(record), _)) = crate::engine::record(&events) else { continue };
            for revision in &record.revisions {
                if let Some(landed) = &revision.landed {
                    let entry = || (RunRecord { revisions: Vec::new(), ..record.clone() }, revision.clone());
                    found.entry(landed.commit.clone()).or_insert_with(entry);
                }
            }
        }
        Ok(found)
    }

    fn proof(
        recorded: &BTreeMap<String, (RunRecord, RevisionRecord)>,
        commit: &CommitId,
    ) -> Option<GatePass> {
        let (_, revision) = recorded.get(commit.as_str())?;
        let landed = revision.landed.as_ref()?;
        GatePass::judge(&TreeId::new(landed.tree.as_str()).ok()?, &revision.gates)
    }

    /// One record of all that the bot's branch holds, where past runs tell.
    fn combined(
        &self,
        recorded: &BTreeMap<String, (RunRecord, RevisionRecord)>,
        base: &CommitId,
        tip: &CommitId,
    ) -> Result<Option<RunRecord>> {
        let mut whole: Option<RunRecord> = None;
        let mut revisions = Vec::new();
        for commit in self.opened.port.series(base, tip)? {
            let Some((record, revision)) = recorded.get(commit.id.as_str()) else { continue };
            revisions.push(revision.clone());
            let before = whole.take();
            let mut next = record.clone();
            if let Some(before) = before {
                next.upstream.baseline_before = before.upstream.baseline_before;
                next.upstream.lag_before = before.upstream.lag_before;
                next.port.head_before = before.port.head_before;
                next.started_ms = before.started_ms;
            }
            whole = Some(next);
        }
        Ok(whole.map(|record| RunRecord { revisions, ..record }))
    }

    /// The labels of the revisions that were declined and are recorded nowhere, with the rule for each.
    fn rules(session: &Session, lock: &Lock, known: &[Revision], declined: &[Declined]) -> Vec<DecisionRule> {
        let place = |label: &str| known.iter().position(|revision| revision.label.as_str() == label);
        let baseline = place(lock.baseline.as_str());
        let mut rules: Vec<DecisionRule> = Vec::new();
        for range in declined {
            let from = if range.from.is_empty() { baseline } else { place(&range.from) };
            let Some(to) = place(&range.to) else { continue };
            let first = from.max(baseline).map_or(0, |at| at + 1);
            for revision in known.iter().take(to + 1).skip(first) {
                let label = revision.label.to_string();
                let decided = session.settings.decisions.all().iter().any(|decision| match &decision.about {
                    About::Revision(about) => about.as_str() == label,
                    About::Items(_) => false,
                });
                if decided
                    || revision.withdrawn
                    || rules.iter().any(|rule| rule.revision.as_ref() == Some(&label))
                {
                    continue;
                }
                let disposition =
                    if range.until.is_some() { DecisionWord::Deferred } else { DecisionWord::Declined };
                rules.push(DecisionRule {
                    disposition,
                    items: None,
                    revision: Some(label),
                    reason: one_line(&range.reason, "a pull request was closed"),
                    owner: one_line(&range.owner, "whoever closed the pull request"),
                    until: range.until.clone(),
                });
            }
        }
        rules
    }

    fn words(record: &RunRecord, to: &str) -> Words {
        let summary = Summary::of(record);
        let gates = summary.gates;
        let parked = reports::count(summary.units.parked, "unit");
        let verdict = format!(
            "{} passed; {} landed, {parked} parked",
            reports::count(gates.pass, "gate"),
            reports::count(record.revisions.len() as u64, "revision"),
        );
        let mut explanation = String::new();
        for revision in record.revisions.iter().take(EXPLAINED_MAX) {
            let one = RunRecord { revisions: vec![revision.clone()], ..record.clone() };
            let text = reports::render::markdown(&one);
            if explanation.len() + text.len() > reports::render::MARKDOWN_BYTES_MAX {
                explanation.push_str("\nThe rest is in the pull request's text.\n");
                break;
            }
            explanation.push_str(&text);
        }
        Words {
            title: format!("Sync to {}", reports::visible_line(to)),
            body: reports::render::markdown(record),
            verdict,
            explanation,
        }
    }

    fn may_automerge(&self, record: Option<&RunRecord>) -> bool {
        let forge = &self.opened.settings;
        let fits = |record: &RunRecord| {
            let classes = &forge.automerge_classes;
            classes.is_empty() || record.revisions.iter().all(|revision| classes.contains(&revision.class))
        };
        forge.automerge && record.is_some_and(fits)
    }
}

impl Maker for EngineMaker<'_> {
    fn record_declined(&mut self, base: &CommitId, declined: &[Declined]) -> Result<CommitId> {
        self.is_declined = false;
        if declined.is_empty() {
            return Ok(base.clone());
        }
        let info = self.opened.port.commit_info(base)?;
        let session = self.session(&info.tree)?;
        let lock = session.lock(&info.tree)?;
        let poll = session.poll(Some(&lock.baseline))?;
        let known = session.revisions()?;
        let rules = Self::rules(&session, &lock, &known, declined);
        let is_held = |revision: &Revision| {
            rules.iter().any(|rule| rule.revision.as_deref() == Some(revision.label.as_str()))
        };
        // The closed pull request says it already: nobody wants another one that says the same.
        self.is_declined = !poll.new.is_empty() && poll.new.iter().all(is_held);
        if rules.is_empty() || self.is_declined {
            return Ok(base.clone());
        }
        let text = with_decisions(&self.config(&info.tree)?, &rules)?;
        config::read(&self.settings.root.join(CONFIG_NAME), &text, Some(self.settings.state.clone()))?;
        let files = BTreeMap::from([(CONFIG_NAME.to_owned(), Some(text.into_bytes()))]);
        let tree = self.opened.port.write_tree(&info.tree, &files)?;
        let trailer = declined_trailer(declined);
        let message =
            sealed(&format!("Record what was declined\n\nBy closing pull requests.\n\n{trailer}"), &tree);
        Ok(self.opened.port.commit_object(&NewCommit {
            parents: std::slice::from_ref(base),
            tree: &tree,
            message: &message,
            author: &self.opened.author,
            time_s: info.time_s,
        })?)
    }

    fn knows(&mut self, commit: &CommitId) -> Result<bool> {
        Ok(Self::proof(&self.recorded()?, commit).is_some())
    }

    fn gate(&mut self, tree: &TreeId, base: &CommitId) -> Result<Result<GatePass, String>> {
        let session = self.session(tree)?;
        let gates = gate::gated(&session, tree, &self.tree(base)?).map_err(|error: CliError| error.cause)?;
        let refused = gates.iter().find(|gate| gate.verdict != reports::Verdict::Pass);
        let reason = refused.map_or_else(
            || "a gate that must be there did not run".to_owned(),
            |gate| format!("{}: {} ({})", gate.gate, gate.reason, gate.verdict.name()),
        );
        Ok(GatePass::judge(tree, &gates).ok_or(reason))
    }

    fn make(&mut self, base: &CommitId, retry: bool) -> Result<Made> {
        let base_tree = self.tree(base)?;
        let baseline = self.lock(&base_tree)?.baseline;
        let from = baseline.to_string();
        if self.is_declined {
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
        let branch = &self.opened.settings.policy.head_branch;
        let start = self.opened.port.head(branch)?;
        let session = self.session(&start.tree)?;
        let args = Sync {
            to: match &self.args.to {
                Some(to) => Some(to.clone()),
                None => self.group_end(&session, &baseline)?,
            },
            limit: self.args.limit,
            retry: retry || self.args.retry,
            dry_run: false,
            accept: self.args.accept.clone(),
            who: self.args.who.clone(),
        };
        let record = sync::sync_held(&session, &args).map_err(|error| error.cause)?;
        let tip = session.head()?;
        let lock = self.lock(&tip.tree)?;
        let recorded = self.recorded()?;
        let combined = self.combined(&recorded, base, &tip.commit)?;
        let mut pass = Self::proof(&recorded, &tip.commit);
        // A commit that only records what was declined was never gated, and is not proposed by itself.
        let is_idle = pass.is_none() && tip.commit == start.commit && from == lock.baseline.to_string();
        self.record = Some(record);
        if is_idle {
            pass = None;
        }
        if let Some(pass) = &pass
            && *pass.tree() != tip.tree
        {
            bail!("the commit {} holds {} and not {}, which was tested", tip.commit, tip.tree, pass.tree());
        }
        let to = lock.baseline.to_string();
        let is_only_recorded = is_idle
            && self.opened.port.descends(&tip.commit, base)?
            && tip.commit != *base
            && combined.is_none()
            && !self.is_at_forge(&tip.commit)?;
        let (tip, tree) = if is_only_recorded { (base.clone(), base_tree) } else { (tip.commit, tip.tree) };
        Ok(Made {
            tip,
            tree,
            pass,
            from,
            parked: lock.parked.len(),
            words: combined.as_ref().map(|record| Self::words(record, &to)),
            to,
            may_automerge: self.may_automerge(combined.as_ref()),
        })
    }
}

impl EngineMaker<'_> {
    /// The last revision that belongs into the same pull request as the first new one behind the base branch; `None`
    /// where all of them do, or nothing is new.
    fn group_end(&self, session: &Session, from: &RevisionLabel) -> Result<Option<String>> {
        let by = self.opened.settings.policy.group_by;
        if by == GroupBy::All {
            return Ok(None);
        }
        let mut new = session.poll(Some(from))?.new;
        let holds = session.holds(self.machine.clock.now_ms())?;
        decided::hold_back(&mut new, &holds, &session.revisions()?);
        // What was declined is no change of its own: it goes with what follows.
        let today = day_at(self.machine.clock.now_ms());
        let is_held = |revision: &Revision| {
            session.settings.decisions.all().iter().any(|decision| match &decision.about {
                About::Revision(about) => !decision.is_expired(today) && *about == revision.label,
                About::Items(_) => false,
            })
        };
        let first = new.iter().position(|revision| !is_held(revision)).unwrap_or_default();
        Ok(group::end(new.get(first..).unwrap_or_default(), by).map(|end| end.label.to_string()))
    }

    fn is_at_forge(&self, commit: &CommitId) -> Result<bool> {
        let branch = &self.opened.settings.policy.head_branch;
        let name = format!("{}{branch}", crate::forge::remote::FETCHED);
        Ok(self.opened.port.reference(&name)?.as_ref() == Some(commit))
    }
}

/// A line that a decision can hold.
fn one_line(text: &str, otherwise: &str) -> String {
    let line = reports::visible_line(text);
    if line.trim().is_empty() { otherwise.to_owned() } else { line }
}

/// A configuration with decisions at its end.
fn with_decisions(text: &str, rules: &[DecisionRule]) -> Result<String> {
    let mut document: DocumentMut = text.parse().context("the configuration at the forge is no TOML")?;
    let entry = document.entry("decision").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let tables = entry.as_array_of_tables_mut().ok_or_else(|| {
        anyhow!("`decision` is not written as `[[decision]]` tables: write each as a table of its own")
    })?;
    for rule in rules {
        let mut table = Table::new();
        table.insert("disposition", toml_edit::value(rule.disposition.to_string()));
        let (reason, owner) = (Some(rule.reason.clone()), Some(rule.owner.clone()));
        for (key, value) in
            [("revision", &rule.revision), ("reason", &reason), ("owner", &owner), ("until", &rule.until)]
        {
            if let Some(value) = value {
                table.insert(key, toml_edit::value(value));
            }
        }
        tables.push(table);
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(reason: &str) -> DecisionRule {
        DecisionRule {
            disposition: DecisionWord::Declined,
            items: None,
            revision: Some("1.2.0".to_owned()),
            reason: reason.to_owned(),
            owner: "ann".to_owned(),
            until: None,
        }
    }

    #[test]
    fn what_people_said_stays_text_in_the_configuration() {
        let hostile = "\"]\n[forge]\nurl = \"https://evil.example\" \\";
        let text = with_decisions("version = 1\n", &[rule(&one_line(hostile, "")), rule("second")]).unwrap();
        let parsed: toml::Table = text.parse().unwrap();
        assert!(parsed.get("forge").is_none(), "{text}");
        assert_eq!(parsed["decision"].as_array().unwrap().len(), 2, "{text}");
    }

    #[test]
    fn decisions_of_another_form_are_not_written_over() {
        let error = with_decisions("decision = 3\n", &[rule("why")]).unwrap_err();
        assert!(error.to_string().contains("[[decision]]"), "{error}");
    }
}
