//! The port before and after on the clock: which calls, and how they are run.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use mappings::SymbolPath;
use port::confinement::Access;
use port::timing::statistics::TimingRule;
use port::timing::{TimedCall, TimingReport, TimingRequest, driver_invocation, measure};
use serde_json::Value as Json;
use upstream::TreeId;
use upstream::harvest::Literal;
use upstream::process::Invocation;

use super::planning::Current;
use super::{Driver, checkouts};
use crate::config::TimingSettings;
use crate::provisioned::interpreter_access;

/// The most functions that are timed for one candidate.
const FUNCTIONS_MAX: usize = 4;

/// The order of the measurements; any other would do.
const SEED: u64 = 1;

impl Driver<'_> {
    /// A call of each edited function, with the longest arguments that the upstream's own tests use.
    pub(super) fn timed_calls(&mut self, current: &Current, edited: &[SymbolPath]) -> Result<Vec<TimedCall>> {
        let upstream = self.contract.oracles.at(&current.snapshot)?;
        let mut longest: BTreeMap<&str, (usize, Vec<Json>)> = BTreeMap::new();
        for call in
            upstream.harvested.iter().filter(|call| call.receiver.is_none() && call.constructor.is_none())
        {
            let Some(arguments) = call.arguments.iter().map(plain).collect::<Option<Vec<_>>>() else {
                continue;
            };
            let size = arguments.iter().map(|argument| argument.to_string().len()).sum();
            let known = longest.entry(call.callee.as_str()).or_default();
            if size > known.0 {
                *known = (size, arguments);
            }
        }
        let is_function = |symbol: &&SymbolPath| {
            current.symbols.get(symbol).is_some_and(|known| known.kind == mappings::SymbolKind::Function)
        };
        // Calls are known by the function's last name: where two have it, they may be of the other one.
        let alone = |symbol: &&SymbolPath| {
            let functions = current.symbols.symbols.values().filter(|known| {
                known.kind == mappings::SymbolKind::Function && known.path.name() == symbol.name()
            });
            functions.take(2).count() == 1
        };
        let calls = edited.iter().filter(is_function).filter(alone).filter_map(|symbol| {
            let (_, args) = longest.get(symbol.name())?;
            Some(TimedCall {
                name: symbol.to_string(),
                module: symbol.parent()?.to_string(),
                function: symbol.name().to_owned(),
                args: args.clone(),
            })
        });
        Ok(calls.take(FUNCTIONS_MAX).collect())
    }

    /// Measures both trees in turn.
    pub(super) fn time(
        &self,
        before: &TreeId,
        after: &TreeId,
        calls: &[TimedCall],
        settings: TimingSettings,
    ) -> Result<TimingReport> {
        let folder = checkouts(self.session);
        let before = self.session.port.checkout(before, &folder)?;
        let after = self.session.port.checkout(after, &folder)?;
        let rule = TimingRule {
            margin: settings.harm_margin,
            pairs_max: usize::try_from(settings.pairs_max).unwrap_or(usize::MAX),
            ..TimingRule::default()
        };
        let request = TimingRequest {
            before: self.timed(before.path(), calls)?,
            after: self.timed(after.path(), calls)?,
            seed: SEED,
            rule,
            calibration: None,
        };
        Ok(measure(&request, &*self.session.machine.runner)?)
    }

    fn timed(&self, root: &Path, calls: &[TimedCall]) -> Result<Invocation> {
        let source_root = root.join(&self.session.settings.source_root);
        let python = self.session.python_for(root)?;
        let mut invocation = driver_invocation(Path::new(python.program()), &source_root, calls)?;
        let parity = &self.session.settings.parity;
        invocation.environment.extend(parity.iter().map(|(name, value)| (name.into(), value.into())));
        let mut access: Access = interpreter_access(&python);
        access.read.push(root.to_owned());
        Ok(self.confinement.confine(invocation, &access)?)
    }
}

/// A literal as the timing driver takes it: texts, numbers, truth values and lists of these.
fn plain(literal: &Literal) -> Option<Json> {
    match literal {
        Literal::Str(text) => Some(Json::from(text.clone())),
        Literal::Char(char) => Some(Json::from(char.to_string())),
        Literal::Bool(truth) => Some(Json::from(*truth)),
        Literal::Int { value, .. } => i64::try_from(*value).ok().map(Json::from),
        Literal::Float(text) => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Json::from),
        Literal::List(parts) => parts.iter().map(plain).collect::<Option<Vec<_>>>().map(Json::from),
        Literal::Bytes(_)
        | Literal::Tuple(_)
        | Literal::Some(_)
        | Literal::None
        | Literal::Ok(_)
        | Literal::Err(_)
        | Literal::Unit => None,
    }
}
