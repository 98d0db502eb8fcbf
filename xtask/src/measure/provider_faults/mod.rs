//! Ten thousand exchanges with a provider that is out of order half of the time: nothing may be lost, nothing
//! bought twice, no budget passed by more than one answer.

pub(super) mod fake;
pub(super) mod reply;
pub(super) mod request;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use mappings::{SymbolPath, UnitId, UnitKind, WorkUnit};
use pipeline::budget::{Budget, Ledger, Limit, Scope, Spent};
use pipeline::chain::codec;
use pipeline::engine::{AttemptResult, Event};
use pipeline::http::HttpClient;
use port::edit::{Answer, parse_answer};
use port::translate::exchange::{ExchangeFolder, ExchangeStore};
use port::translate::limits::{Gateway, GatewayLimits};
use port::translate::model::{MODEL_REFUSED, ModelSetup, ModelTranslator};
use port::translate::price::Price;
use port::translate::prompt::PromptBuilder;
use port::translate::providers::anthropic::MessagesFormat;
use port::translate::providers::chat::{ChatFormat, OutputCapField};
use port::translate::providers::http::HttpTransport;
use port::translate::providers::responses::ResponsesFormat;
use port::translate::providers::{HttpModel, ProviderSetup, WireFormat};
use port::translate::retry::RetryPolicy;
use port::translate::{Feedback, SymbolContext, Translation, TranslationRequest, Translator, Usage};
use reports::record::AttemptRecord;
use secrecy::SecretString;
use upstream::{CommitId, ContentHash, ManualClock, Revision, RevisionLabel};

use super::{Metric, Tell};
use fake::{Fake, Row, sound_answer};
use request::Protocol;

/// The key that the fake provider takes.
const KEY: &str = "sk-fake-provider-key";
/// The model that it has.
const MODEL: &str = "fake-1";
/// Exchanges to be had at least.
const EXCHANGES: u64 = 10_000;
/// Units of a run.
const UNITS: usize = 40;
/// Units asked for at the same time, in the runs without a budget.
const AT_ONCE: usize = 3;
/// The longest that a request may take. The fake answers at once, or never.
const TIMEOUT: Duration = Duration::from_secs(4);
const SEED: u64 = 20_261_121;
const PRICE: Price = Price { input: 3.0, cached_input: None, written_input: None, output: 15.0 };
/// The most that a run with a budget may cost, in dollars: some of them reach it.
const RUN_USD: f64 = 0.1;

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    units: u64,
    answered: u64,
    parked: u64,
    unaffordable: u64,
    lost: u64,
    wrong: u64,
    replayed_otherwise: u64,
    over_budget_runs: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.units += other.units;
        self.answered += other.answered;
        self.parked += other.parked;
        self.unaffordable += other.unaffordable;
        self.lost += other.lost;
        self.wrong += other.wrong;
        self.replayed_otherwise += other.replayed_otherwise;
        self.over_budget_runs += other.over_budget_runs;
    }
}

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `provider-faults` takes no repository: its units are made up");
    }
    // `Err` says that there is one already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let clock = Arc::new(ManualClock::at(1_795_000_000_000));
    let fake = Fake::new(SEED, Arc::clone(&clock));
    let port = fake.serve()?;
    let world = World {
        transport: Arc::new(HttpClient::new(TIMEOUT, Some(TIMEOUT))?),
        prompts: Arc::new(PromptBuilder::new(codec())?),
        port,
        clock,
        fake: fake.clone(),
    };
    let mut tally = Tally::default();
    let mut runs = 0_u32;
    while fake.books().met.values().sum::<u64>() < EXCHANGES {
        tally.add(&world.run(runs)?);
        runs += 1;
    }
    let books = fake.books();
    for invalid in books.invalid.iter().take(5) {
        tell(Metric::told(format!("provider-faults.invalid: {invalid}"), 1.0, "requests"))?;
    }
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    for (row, count) in &books.met {
        *rows.entry(row.name()).or_default() += count;
    }
    for (row, count) in rows {
        tell(Metric::told(format!("provider-faults.met.{row}"), number(count), "requests"))?;
    }
    let zero =
        |name: &str, value: u64| Metric::at_most(format!("provider-faults.{name}"), number(value), "", 0.0);
    let exchanges = number(books.met.values().sum());
    tell(Metric::at_least("provider-faults.exchanges", exchanges, "requests", 10_000.0))?;
    tell(Metric::told("provider-faults.runs", runs.into(), "runs"))?;
    tell(Metric::told("provider-faults.units", number(tally.units), "units"))?;
    tell(Metric::told("provider-faults.units.answered", number(tally.answered), "units"))?;
    tell(Metric::told("provider-faults.units.parked", number(tally.parked), "units"))?;
    // Without any the bound would not have been tried.
    let unaffordable = number(tally.unaffordable);
    tell(Metric::at_least("provider-faults.units.unaffordable", unaffordable, "units", 1.0))?;
    let sound = books.met.get(&Row::Sound).copied().unwrap_or_default();
    tell(zero("sound_answers_not_used", sound.abs_diff(tally.answered)))?;
    tell(zero("invalid_requests", books.invalid.len() as u64))?;
    tell(zero("units_lost", tally.lost))?;
    tell(zero("answers_of_others", tally.wrong))?;
    tell(zero("bought_twice", books.bought_twice))?;
    tell(zero("replayed_otherwise", tally.replayed_otherwise))?;
    tell(zero("asked_too_early", books.too_early))?;
    tell(zero("asked_without_money", books.after_no_money))?;
    tell(zero("runs_over_budget_by_more_than_one_answer", tally.over_budget_runs))
}

/// Counts here are far below 2^32.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

struct World {
    transport: Arc<dyn HttpTransport>,
    prompts: Arc<PromptBuilder>,
    port: u16,
    clock: Arc<ManualClock>,
    fake: Fake,
}

/// How a unit ended.
enum Ended {
    Answered(Answer),
    Parked,
    Unaffordable,
}

impl World {
    /// One run with providers and exchanges of its own. Every other one has a budget, and asks one by one.
    fn run(&self, number: u32) -> Result<Tally> {
        let folder = tempfile::tempdir()?;
        let store: Arc<dyn ExchangeStore> = Arc::new(ExchangeFolder::at(folder.path()));
        let chain = self.chain(number, &store);
        let budget = Budget::new([(Scope::Run, Limit { tokens: None, usd: Some(RUN_USD) })]);
        let bounded = number.is_multiple_of(2);
        let mut tally = Tally::default();
        let mut ledger = Ledger::default();
        if bounded {
            for unit in 0..UNITS {
                let ended = Self::unit(number, unit, &chain, Some((&budget, &mut ledger)))?;
                self.judge(number, unit, Some(&ended), &mut tally);
            }
            let sold: Vec<f64> = self.sold(number).into_iter().map(|usage| PRICE.cost_usd(&usage)).collect();
            let dearest = sold.iter().copied().fold(0.0, f64::max);
            tally.over_budget_runs += u64::from(sold.iter().sum::<f64>() > RUN_USD + dearest);
        } else {
            let next = AtomicUsize::new(0);
            let parts = std::thread::scope(|scope| {
                let work = || {
                    let mut tally = Tally::default();
                    loop {
                        let unit = next.fetch_add(1, Ordering::SeqCst);
                        if unit >= UNITS {
                            return tally;
                        }
                        let ended = Self::unit(number, unit, &chain, None);
                        self.judge(number, unit, ended.as_ref().ok(), &mut tally);
                    }
                };
                let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
            });
            for part in &parts {
                tally.add(part);
            }
            // A thread that died took its units with it.
            tally.lost += (UNITS as u64).saturating_sub(tally.units);
        }
        // A run that was killed and goes on asks for everything again, and gets what it bought.
        let before = self.requests();
        let again = self.chain(number, &store);
        for unit in 0..UNITS {
            let Some(link) = again.first() else { break };
            let request = request_for(number, unit, 1, None)?;
            let prompt = self.prompts.build(&request)?;
            if store.lookup(&prompt.hash(&link.name()))?.is_some() {
                link.translate(&request).context("a recorded answer cannot be used")?;
            }
        }
        tally.replayed_otherwise += self.requests() - before;
        Ok(tally)
    }

    fn requests(&self) -> u64 {
        self.fake.books().met.values().sum()
    }

    /// What the shops of a run have sold.
    fn sold(&self, number: u32) -> Vec<Usage> {
        let books = self.fake.books();
        let of_run = books.sold.iter().filter(|((shop, _), _)| shop.starts_with(&format!("{number}-")));
        of_run
            .map(|(_, (input_tokens, output_tokens))| Usage {
                input_tokens: *input_tokens,
                output_tokens: *output_tokens,
                ..Usage::default()
            })
            .collect()
    }

    /// Three models, each over another protocol and at a provider of its own; the first is another one in each run.
    fn chain(&self, number: u32, store: &Arc<dyn ExchangeStore>) -> Vec<Box<dyn Translator>> {
        let mut protocols = [Protocol::Messages, Protocol::Responses, Protocol::Chat];
        protocols.rotate_left(number as usize % 3);
        protocols.into_iter().map(|protocol| self.link(number, protocol, store)).collect()
    }

    fn link(&self, number: u32, protocol: Protocol, store: &Arc<dyn ExchangeStore>) -> Box<dyn Translator> {
        let setup = ProviderSetup {
            base_url: format!("http://127.0.0.1:{}/{number}-{protocol:?}/v1", self.port),
            model: MODEL.to_owned(),
            key: Some(SecretString::from(KEY.to_owned())),
            output_tokens_max: 4096,
            // Two runs of three have their answers as streams.
            stream: !number.is_multiple_of(3),
        };
        let format: Box<dyn WireFormat> = match protocol {
            Protocol::Messages => Box::new(MessagesFormat::new(setup)),
            Protocol::Responses => Box::new(ResponsesFormat { setup, cache_key: true }),
            Protocol::Chat => Box::new(ChatFormat { setup, cap_field: OutputCapField::MaxCompletionTokens }),
        };
        let limits = GatewayLimits { at_once_max: 2, per_minute_max: 200, faults_max: 6, rest_ms: 30_000 };
        let clock = || Arc::clone(&self.clock) as Arc<dyn upstream::Clock>;
        let model = HttpModel {
            name: format!("{protocol:?}"),
            format,
            transport: Arc::clone(&self.transport),
            gateways: vec![Arc::new(Gateway::new(limits, clock()))],
            retries: RetryPolicy { seed: format!("{number}"), ..RetryPolicy::default() },
            clock: clock(),
        };
        let setup = ModelSetup {
            prompts: Arc::clone(&self.prompts),
            codec: codec(),
            exchanges: Arc::clone(store),
            price: Some(PRICE),
            output_tokens_max: 8192,
            attempts_max: 3,
        };
        Box::new(ModelTranslator::new(Arc::new(model), setup))
    }

    /// Asks one translator after the other, as a sync does.
    fn unit(
        number: u32,
        unit: usize,
        chain: &[Box<dyn Translator>],
        mut budget: Option<(&Budget, &mut Ledger)>,
    ) -> Result<Ended> {
        for link in chain {
            let mut feedback = None;
            for attempt in 1..=link.attempts_max() {
                let name = unit_name(unit);
                if let Some((budget, ledger)) = &budget
                    && budget.reached(ledger, &name, Spent::default(), Spent::default()).is_some()
                {
                    return Ok(Ended::Unaffordable);
                }
                let request = request_for(number, unit, attempt, feedback.take())?;
                let (usage, refused) = match link.translate(&request) {
                    Err(_outside) => break,
                    Ok(Translation::Answered { answer, usage, .. }) => {
                        spend(&mut budget, &name, &usage)?;
                        return Ok(Ended::Answered(answer));
                    }
                    Ok(Translation::Declined { reason } | Translation::Waiting { reason }) => {
                        bail!("a model has no answer: {reason}")
                    }
                    Ok(Translation::Malformed { code, reason, raw, usage }) => {
                        feedback = Some(Feedback {
                            stage: "answer".to_owned(),
                            findings: vec![reason],
                            refused: raw,
                        });
                        (usage, code == MODEL_REFUSED)
                    }
                };
                spend(&mut budget, &name, &usage)?;
                if refused {
                    break;
                }
            }
        }
        Ok(Ended::Parked)
    }

    fn judge(&self, number: u32, unit: usize, ended: Option<&Ended>, tally: &mut Tally) {
        tally.units += 1;
        match ended {
            None => tally.lost += 1,
            Some(Ended::Parked) => tally.parked += 1,
            Some(Ended::Unaffordable) => tally.unaffordable += 1,
            Some(Ended::Answered(answer)) => {
                tally.answered += 1;
                let own = [1, 2, 3].into_iter().any(|attempt| self.is_own(number, unit, attempt, answer));
                tally.wrong += u64::from(!own);
            }
        }
    }

    /// Whether an answer is the one that the fake gives to this unit and to no other.
    fn is_own(&self, number: u32, unit: usize, attempt: u32, answer: &Answer) -> bool {
        let expected = request_for(number, unit, attempt, None).ok().and_then(|request| {
            let prompt = self.prompts.build(&request).ok()?;
            parse_answer(&sound_answer(&prompt.payload)?, &prompt.nonce).ok()
        });
        expected.as_ref() == Some(answer)
    }
}

/// Counts what an answer took, as the journal does.
fn spend(budget: &mut Option<(&Budget, &mut Ledger)>, unit: &str, usage: &Usage) -> Result<()> {
    let Some((_, ledger)) = budget else { return Ok(()) };
    let record = AttemptRecord {
        route: "model".to_owned(),
        origin: String::new(),
        declined: None,
        verdict: None,
        refused_at: String::new(),
        findings: Vec::new(),
        counterexamples: Vec::new(),
        evidence: Vec::new(),
        diff: String::new(),
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cost_usd: usage.cost_usd,
        duration_ms: 0,
    };
    let unit = UnitId::new(unit)?;
    ledger.add(&Event::Attempted { unit, record, result: AttemptResult::Declined, port_after: Vec::new() });
    Ok(())
}

/// Whether a shop is of a run with a budget, which asks one by one.
fn is_bounded(shop: &str) -> bool {
    let number = shop.split('-').next().and_then(|number| number.parse::<u32>().ok());
    number.is_some_and(|number| number.is_multiple_of(2))
}

fn unit_name(unit: usize) -> String {
    format!("krate::f{unit}")
}

/// A made-up request of a run.
pub(super) fn request_for(
    run: u32,
    unit: usize,
    attempt: u32,
    feedback: Option<Feedback>,
) -> Result<TranslationRequest> {
    let text = format!("def f{unit}(n):\n    return n  # run {run}");
    Ok(TranslationRequest {
        revision: Revision {
            label: RevisionLabel::new(format!("1.0.{run}"))?,
            commit: CommitId::new("0123456789abcdef0123456789abcdef01234567")?,
            summary: "made up".to_owned(),
            published_s: None,
            withdrawn: false,
        },
        unit: WorkUnit {
            id: UnitId::new(unit_name(unit))?,
            kind: UnitKind::Change,
            members: Vec::new(),
            reason: "made up".to_owned(),
            impacted: Vec::new(),
            after: Vec::new(),
            wave: 0,
            tokens_estimate: 0,
        },
        symbols: vec![SymbolContext {
            symbol: SymbolPath::new(format!("pkg.m.f{unit}"))?,
            file: "pkg/m.py".to_owned(),
            hash: ContentHash::of(&text).to_string(),
            text: Some(text),
        }],
        hidden: Vec::new(),
        neighbours: Vec::new(),
        signatures: Vec::new(),
        uses: Vec::new(),
        digest: String::new(),
        candidate: 0,
        imports: Vec::new(),
        runtime: None,
        style: String::new(),
        attempt,
        feedback,
        wanted: Vec::new(),
        surroundings: None,
    })
}
