//! Disagreements made small, and told.

use std::collections::{BTreeMap, BTreeSet};

use upstream::ItemPath;

use super::ContractError;
use super::check::{Check, Compared, first_line};
use super::compare::{Agreement, Profile};
use super::oracle::Prepared;
use super::pools::Probe;
use super::python::{PortMaker, Target, observe, observe_traced};
use super::report::{Counterexample, Stage};
use super::shrink::{size, smaller};
use super::trace::{first_divergence, port_calls, upstream_calls};
use super::value::{Outcome, Value};

/// How many rounds of smaller calls are tried.
const SHRINK_ROUNDS_MAX: usize = 12;
/// How many counterexamples are traced at most.
const TRACED_MAX: usize = 12;
/// The longest call and result that a counterexample shows, in characters.
const SHOWN_CHARS_MAX: usize = 2000;

impl Check<'_> {
    /// The smallest disagreements of each item, development ones first, shrunk.
    pub(super) fn counterexamples(
        &self,
        profile: &Profile,
        compared: &[Compared],
        broken: &BTreeSet<ItemPath>,
    ) -> Result<Vec<Counterexample>, ContractError> {
        let mut by_item: BTreeMap<&ItemPath, Vec<&Compared>> = BTreeMap::new();
        for one in compared.iter().filter(|one| one.agreement == Agreement::Different) {
            if let Some(told) = self.told_of(&one.probe).filter(|told| !broken.contains(&told.item)) {
                by_item.entry(&told.item).or_default().push(one);
            }
        }
        let mut chosen = Vec::new();
        for all in by_item.values_mut() {
            all.sort_by_key(|one| (!one.probe.may_be_shown, size(&one.probe.arguments)));
            chosen.extend(all.iter().take(self.request.counterexamples_max).map(|one| Compared {
                probe: one.probe.clone(),
                upstream: one.upstream.clone(),
                port: one.port.clone(),
                agreement: Agreement::Different,
                policy: one.policy,
            }));
        }
        self.shrink(profile, &mut chosen)?;
        let position = |one: &Compared| {
            let told = self.told_of(&one.probe).map(|told| &told.item);
            self.request.items.iter().position(|asked| Some(&asked.item) == told)
        };
        chosen.sort_by_key(|one| (position(one), size(&one.probe.arguments), !one.probe.may_be_shown));
        let (mut shown, mut probes): (Vec<Counterexample>, Vec<Probe>) = (Vec::new(), Vec::new());
        for one in &chosen {
            let Some(example) = self.shown(one) else { continue };
            let is_known = |known: &Counterexample| known.item == example.item && known.call == example.call;
            if !shown.iter().any(is_known) {
                shown.push(example);
                probes.push(one.probe.clone());
            }
        }
        self.locate(profile, &probes, &mut shown)?;
        Ok(shown)
    }

    /// Names the first call below each of these at which the sides part, where both can be traced. What cannot be
    /// traced leaves a counterexample as it is.
    pub(super) fn locate(
        &self,
        profile: &Profile,
        probes: &[Probe],
        examples: &mut [Counterexample],
    ) -> Result<(), ContractError> {
        match self.located(profile, probes, examples) {
            Err(ContractError::Interrupted) => Err(ContractError::Interrupted),
            Ok(()) => Ok(()),
            // A counterexample stands without its cause.
            Err(error) => {
                self.untraced(&error.to_string());
                Ok(())
            }
        }
    }

    /// Tells that the first call at which the sides part was not looked for.
    fn untraced(&self, reason: &str) {
        let note = format!("counterexamples were not traced: {}", first_line(reason));
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    fn located(
        &self,
        profile: &Profile,
        probes: &[Probe],
        examples: &mut [Counterexample],
    ) -> Result<(), ContractError> {
        let Some(tracer) = self.request.tracer.filter(|_| !probes.is_empty()) else { return Ok(()) };
        let traced = match tracer.traced()? {
            Prepared::Ready(traced) => traced,
            Prepared::SourceBlocked { reason } => {
                self.untraced(&reason);
                return Ok(());
            }
        };
        if let Some(reason) = traced.uncounted() {
            self.untraced(reason);
        }
        let probes = probes.get(..TRACED_MAX).unwrap_or(probes);
        let mut links = self.request.links.clone();
        links.extend(self.request.items.iter().map(|asked| (asked.item.clone(), asked.symbol.clone())));
        let symbols: Vec<String> = links.values().map(ToString::to_string).collect();
        let upstream = traced.trace(self.tools, probes)?;
        let side = self.request.candidate;
        let port = observe_traced(self.tools, side, &self.targets, 0..0, (probes, &symbols))?.traced;
        for ((upstream, port), example) in upstream.iter().zip(&port).zip(examples) {
            let upstream = upstream_calls(upstream, traced.traced(), self.request.snapshot);
            example.divergence = first_divergence(profile, &links, &upstream, &port_calls(port));
        }
        Ok(())
    }

    /// Makes all chosen calls smaller at once: a round costs one run of each side.
    fn shrink(&self, profile: &Profile, chosen: &mut [Compared]) -> Result<(), ContractError> {
        let mut open: BTreeSet<usize> = (0..chosen.len()).collect();
        // A hang or a crash costs a process for each try.
        let is_cheap = |outcome: &Outcome| !matches!(outcome, Outcome::Timeout | Outcome::Crashed { .. });
        open.retain(|at| chosen.get(*at).is_some_and(|one| is_cheap(&one.port)));
        for _ in 0..SHRINK_ROUNDS_MAX {
            let mut owners = Vec::new();
            let mut probes = Vec::new();
            for at in &open {
                let Some(one) = chosen.get(*at) else { continue };
                let shapes = self
                    .function_of(&one.probe)
                    .map(|function| function.shapes.as_slice())
                    .unwrap_or_default();
                for arguments in smaller(&one.probe.arguments, shapes) {
                    owners.push(*at);
                    probes.push(Probe { arguments, ..one.probe.clone() });
                }
            }
            if probes.is_empty() {
                break;
            }
            let upstream = self.oracle.observe(self.tools, &probes)?.outcomes;
            let port = observe(self.tools, self.request.candidate, &self.targets, 0..0, &probes)?.outcomes;
            let mut improved = BTreeSet::new();
            for ((owner, probe), (upstream, port)) in
                owners.into_iter().zip(probes).zip(upstream.into_iter().zip(port))
            {
                let upstream = self.as_asked(&probe, upstream);
                let agreement = self.agreement(profile, &probe, &upstream, &port);
                let Some(slot) = chosen.get_mut(owner) else { continue };
                let is_better = agreement == Agreement::Different
                    && is_cheap(&port)
                    && size(&probe.arguments) < size(&slot.probe.arguments);
                if is_better {
                    let policy = profile.policy(&upstream);
                    *slot = Compared { probe, upstream, port, agreement, policy };
                    improved.insert(owner);
                }
            }
            open = improved;
        }
        Ok(())
    }

    fn shown(&self, one: &Compared) -> Option<Counterexample> {
        let item = self.told_of(&one.probe)?;
        let call = self.call(&one.probe)?;
        Some(Counterexample {
            item: item.item.clone(),
            symbol: item.symbol.clone(),
            call: cut(call),
            upstream: cut(one.upstream.to_string()),
            port: cut(one.port.to_string()),
            may_be_shown: one.probe.may_be_shown,
            stage: Stage::Numeric,
            program: Vec::new(),
            divergence: None,
        })
    }

    /// A probe as the port's language writes it.
    pub(super) fn call(&self, probe: &Probe) -> Option<String> {
        let target = self.targets.get(probe.function)?;
        let arguments: Vec<_> = probe.arguments.iter().map(|value| Self::python(target, value)).collect();
        let Some(constructor) = &target.constructor else {
            return Some(format!("{}({})", target.symbol, arguments.join(", ")));
        };
        let count = target.constructed_with;
        let (made, mut rest) = arguments.split_at(count.min(arguments.len()));
        let mut given = Vec::new();
        for _ in 0..target.others {
            let (other, behind) = rest.split_at(count.min(rest.len()));
            given.push(format!("{constructor}({})", other.join(", ")));
            rest = behind;
        }
        given.extend(rest.iter().cloned());
        let (_, method) = target.symbol.rsplit_once('.').unwrap_or(("", &target.symbol));
        Some(format!("{constructor}({}).{method}({})", made.join(", "), given.join(", ")))
    }

    /// A value as the port's language writes it, by the port's names of what makes it.
    pub(super) fn python(target: &Target, value: &Value) -> String {
        value.python_by(&|name, given| match target.makers.get(name) {
            Some(PortMaker { symbol, variant: Some(variant) }) => format!("{symbol}.{variant}"),
            Some(PortMaker { symbol, variant: None }) => format!("{symbol}({given})"),
            None => format!("{name}({given})"),
        })
    }
}

/// Whether a call or a result of a counterexample is only the beginning of it.
pub fn was_cut(text: &str) -> bool {
    text.chars().nth(SHOWN_CHARS_MAX).is_some()
}

/// A text as far as it is shown.
pub(super) fn cut(text: String) -> String {
    let characters = text.chars().count();
    if characters <= SHOWN_CHARS_MAX {
        return text;
    }
    let kept: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    format!("{kept} … ({characters} characters)")
}
