//! Where an answer is checked, and the same check made before its turn.
//!
//! An answer is checked in the port as its turn found it, by itself: so the check depends on nobody who is faster, and
//! can be made as soon as the answer is there. What passes is put into the port as it is by then; all of it together
//! is measured when the revision is gated. Only where something that calls the unit is reached by other units too,
//! the check is made in the port as it is when its turn comes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use mappings::UnitKind;
use port::contract::Foreseen;
use port::edit::{self, Answer, Edit};
use port::language::Language;
use port::translate::Route;
use reports::record::Finding;
use upstream::TreeId;

use super::answering::leaked;
use super::asking::TurnKey;
use super::check::{by_library, links};
use super::checking::{Against, Check, CheckKey, Foresight};
use super::context::Attempt;
use super::judging::{Judged, Refusal, asked_of, occasion};
use super::planning::Current;
use super::{Driver, checkouts};
use crate::engine::Effect;
use crate::gate::Evidence;

/// An answer's edits, checked.
pub(super) struct Weighed {
    /// The tree that they were made in.
    pub(super) before: TreeId,
    /// The tree with them.
    pub(super) tree: TreeId,
    pub(super) judged: Judged,
}

impl Weighed {
    /// Nothing was changed.
    pub(super) fn refused(tree: &TreeId, refusal: Refusal) -> Self {
        Self { before: tree.clone(), tree: tree.clone(), judged: Judged::Refused(refusal) }
    }
}

/// A tree with edits made.
struct Edited {
    tree: TreeId,
    /// The files that changed, with their texts.
    texts: Vec<(String, String)>,
}

impl Driver<'_> {
    /// Makes edits, and checks what comes of them.
    pub(super) fn weigh(&mut self, given: &Attempt<'_>, edits: &[Edit]) -> Result<Weighed> {
        let before = if is_checked_apart(given) { given.shown.tree } else { given.tree };
        let edited = match self.edited(given, before, edits)? {
            Ok(edited) => edited,
            Err(refusal) => return Ok(Weighed::refused(given.tree, refusal)),
        };
        let early = self.early(&CheckKey { tree: edited.tree.clone(), occasion: occasion(given) })?;
        if early.is_none()
            && let Some(refusal) = self.no_code(&edited)?
        {
            return Ok(Weighed::refused(given.tree, refusal));
        }
        let judged = self.judge(given, &edited.tree, early)?;
        let passed = matches!(judged, Judged::Passed { .. });
        if !passed || before == given.tree {
            return Ok(Weighed { before: before.clone(), tree: edited.tree, judged });
        }
        Ok(match self.edited(given, given.tree, edits)? {
            Ok(Edited { tree, .. }) => Weighed { before: given.tree.clone(), tree, judged },
            Err(refusal) => Weighed::refused(given.tree, refusal),
        })
    }

    /// What a check found that was made before its turn; waits for one that is being made. `None` where there is none,
    /// or where it found anything wrong.
    fn early(&mut self, key: &CheckKey) -> Result<Option<Evidence>> {
        while self.checking.is_pending(key) {
            self.wait()?;
        }
        let found = self.checking.take(key).filter(|report| report.source_blocked.is_none());
        Ok(found.map(Evidence::of).filter(|evidence| !evidence.disagrees() && evidence.blocked() == 0))
    }

    /// Waits until an answer comes or a check is over, and does at once what that makes possible.
    pub(super) fn wait(&mut self) -> Result<()> {
        self.asking.wait();
        self.ask_those_in_need()?;
        self.check_arrivals()
    }

    /// Has checked what can be checked before its turn.
    pub(super) fn check_ahead(&mut self) -> Result<()> {
        let asked = self.asking.unforeseen();
        if !asked.is_empty() {
            self.foresee_checks(&asked)?;
        }
        self.asking.look();
        self.ask_those_in_need()?;
        self.check_arrivals()
    }

    /// Has the upstream asked what the checks of these turns will ask it.
    fn foresee_checks(&mut self, asked: &[(TurnKey, Effect)]) -> Result<()> {
        let current = self.current()?;
        let Some(against) = self.against(&current) else { return Ok(()) };
        let (mut checks, mut all) = (BTreeMap::<String, Vec<Foreseen>>::new(), Vec::new());
        for (turn, effect) in asked {
            let given = self.given(&current, effect, Route::Model)?;
            let given = Attempt { candidate: turn.candidate(), ..given };
            if given.unit.kind == UnitKind::Test {
                continue;
            }
            let (items, pools) = (asked_of(given.unit), self.contract.pools(&occasion(&given)));
            for (library, items) in by_library(&items) {
                checks.entry(library).or_default().push(Foreseen { items, pools: pools.clone() });
            }
            all.extend(items);
        }
        let foresight = Foresight { against, links: links(&current, &all), checks };
        self.checking.prepare(move |means| foresight.carry_out(means));
        Ok(())
    }

    /// The upstream of the revision at work, built where it is not. What is in the way of that is told by whoever
    /// cannot do without.
    fn against(&mut self, current: &Current) -> Option<Against> {
        let oracles = &mut self.contract.oracles;
        let asked = oracles.at(&current.snapshot);
        match asked.and_then(|upstream| Ok((upstream, oracles.recorded(&current.snapshot)?))) {
            Ok((upstream, recorded)) => {
                Some(Against { upstream, snapshot: current.snapshot.clone(), recorded })
            }
            Err(error) => {
                tracing::debug!(%error, "nothing is checked beforehand");
                None
            }
        }
    }

    /// Has answers checked whose turn has not come.
    fn check_arrivals(&mut self) -> Result<()> {
        for (turn, effect, answer) in self.asking.unseen() {
            let current = self.current()?;
            let given = self.given(&current, &effect, Route::Model)?;
            let given = Attempt { candidate: turn.candidate(), ..given };
            let edits = match &answer {
                Answer::Edits { edits } => edits.as_slice(),
                Answer::NoChange { .. } => &[],
                Answer::Need { .. } | Answer::Unportable { .. } => continue,
            };
            if !is_checked_apart(&given) {
                continue;
            }
            let Ok(edited) = self.edited(&given, given.shown.tree, edits)? else { continue };
            let key = CheckKey { tree: edited.tree.clone(), occasion: occasion(&given) };
            if self.checking.knows(&key) {
                continue;
            }
            let Some(against) = self.against(&current) else { continue };
            let checkout = self.session.port.checkout(&edited.tree, &checkouts(self.session))?;
            let items = asked_of(given.unit);
            let check = Check {
                against,
                side: self.contract.oracles.port_side(checkout.path())?,
                checkout,
                links: links(&current, &items),
                items,
                pools: self.contract.pools(&key.occasion),
                texts: edited.texts.into_iter().map(|(_, text)| text).collect(),
                language: self.session.language.clone(),
            };
            self.checking.check(key, move |means| check.carry_out(means));
        }
        Ok(())
    }

    /// A tree with the edits made, or what is wrong with them.
    fn edited(&self, given: &Attempt<'_>, tree: &TreeId, edits: &[Edit]) -> Result<Result<Edited, Refusal>> {
        let session = self.session;
        let language = &session.language;
        let scope = given.scope(session);
        let text = |file: &str| session.port_text(tree, file);
        let edits = &*edit::without_repeated(&text, edits, language, &scope);
        let mut wrong = edit::validate(&text, edits, language, &scope);
        wrong.extend(leaked(given, edits));
        if !wrong.is_empty() {
            let findings = wrong.iter().map(|finding| Finding {
                code: finding.code.as_str().to_owned(),
                text: format!("{}: {}", finding.about, finding.text),
            });
            return Ok(Err(Refusal::new("edit", findings.collect())));
        }
        let changed = match edit::apply(&text, edits, language, &scope) {
            Ok(changed) => changed,
            Err(error) => return Ok(Err(Refusal::one("edit", "cannot-apply", error.to_string()))),
        };
        // What an answer imports of the runtime module lands with it.
        let runtime = session.runtime_to_be_written(tree, &changed);
        let texts = changed.iter().filter_map(|(file, text)| Some((file.clone(), text.clone()?))).collect();
        let changed = changed.into_iter().chain(runtime.map(|(file, text)| (file, Some(text))));
        let bytes: BTreeMap<String, Option<Vec<u8>>> =
            changed.map(|(file, text)| (file, text.map(String::into_bytes))).collect();
        Ok(Ok(Edited { tree: session.port.write_tree(tree, &bytes)?, texts }))
    }

    /// What the port's interpreter says against the texts, as one that reads them.
    fn no_code(&self, edited: &Edited) -> Result<Option<Refusal>> {
        for (file, text) in &edited.texts {
            if let Some(fault) = self.session.language.check_syntax(&*self.session.machine.runner, text)? {
                return Ok(Some(Refusal::one("syntax", "syntax", format!("{file}: {fault}"))));
            }
        }
        Ok(None)
    }
}

/// Whether an answer is checked in the port as its turn found it. What calls the unit is compared with it; where other
/// units reach that as well, it is in the port as it is by now, with those of them that are done.
fn is_checked_apart(given: &Attempt<'_>) -> bool {
    let unit = given.unit;
    if unit.kind == UnitKind::Test || unit.impacted.is_empty() {
        return unit.kind != UnitKind::Test;
    }
    let others = given.current.plan.units.iter().filter(|other| other.id != unit.id);
    let reached: BTreeSet<_> = others.flat_map(|other| &other.impacted).map(|other| &other.item).collect();
    !unit.impacted.iter().any(|impacted| reached.contains(&impacted.item))
}
