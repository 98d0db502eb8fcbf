//! The chain of translators, made from the settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mappings::decision::day_at;
use port::edit;
use port::translate::batch::{
    BatchProtocol, BatchTag, BatchTranslator, BatchWire, Endpoint, FileBatches, MessageBatches,
};
use port::translate::codec::{AnswerCodec, CodecError};
use port::translate::command::{CommandModel, CommandSetup, Leash};
use port::translate::exchange::{ExchangeError, ExchangeFolder, ExchangeStore};
use port::translate::inbox::{Inbox, InboxTranslator};
use port::translate::limits::{Gateway, GatewayLimits, LimitedModel};
use port::translate::memory::{MemoryFolder, MemoryTranslator};
use port::translate::model::{Completion, Model, ModelSetup, ModelTranslator};
use port::translate::price::Price;
use port::translate::prompt::{GRAMMAR, Prompt, PromptBuilder};
use port::translate::providers::anthropic::{ANTHROPIC_BASE_URL, MessagesFormat};
use port::translate::providers::chat::{ChatFormat, OPENAI_BASE_URL, OutputCapField};
use port::translate::providers::responses::ResponsesFormat;
use port::translate::providers::{HttpModel, ProviderSetup, WireFormat};
use port::translate::replay::ReplayTranslator;
use port::translate::retry::RetryPolicy;
use port::translate::rules::RuleTranslator;
use port::translate::{Route, Translator};
use upstream::process::{Limits, ProcessRunner};
use upstream::{Clock, ContentHash};

use crate::batches::{Asker, Batches, Book, Desk};
use crate::config::{ChainEntry, ModelAccess, ModelSettings, Prices, Settings, env};
use crate::engine::ChainLink;
use crate::http::HttpClient;
use crate::leash;
use crate::stops;

/// The most that a command may answer, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The longest that a stream may be silent. Providers send something every few seconds while a model thinks.
const SILENCE_MAX: Duration = Duration::from_mins(2);

/// One link of the chain: the verify-first link is the driver's own, the others translate.
#[derive(Debug)]
pub enum Link {
    /// The new contract against the old port.
    VerifyFirst,
    /// A translator.
    Translator(Box<dyn Translator>),
}

impl Link {
    /// What the engine needs to know of it.
    pub fn facts(&self) -> ChainLink {
        match self {
            Self::VerifyFirst => {
                ChainLink { name: "verify-first".to_owned(), route: Route::VerifyFirst, attempts_max: 1 }
            }
            Self::Translator(translator) => ChainLink {
                name: translator.name(),
                route: translator.route(),
                attempts_max: translator.attempts_max(),
            },
        }
    }
}

/// What the translators need of the machine.
#[derive(Debug, Clone)]
pub struct Means {
    /// Runs commands.
    pub runner: Arc<dyn ProcessRunner>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Keeps the exchanges of the run.
    pub exchanges: Arc<RunExchanges>,
    /// This program itself, which ends what it starts when it ends.
    pub program: PathBuf,
    /// What is asked by batches, where somebody comes back for the answers.
    pub batches: Option<Arc<Batches>>,
}

/// Where exchanges are kept that belong to no run.
const NO_RUN: &str = "no-run";

/// The exchanges of one run, in a folder of their own: what a stopped run bought is used when it goes on,
/// and a new run asks anew.
#[derive(Debug, Default)]
pub struct RunExchanges {
    root: PathBuf,
    run: OnceLock<(String, ExchangeFolder)>,
}

impl RunExchanges {
    /// Below the state folder; the run is named when it begins.
    pub fn below(state: &Path) -> Self {
        Self { root: state.join("exchanges"), run: OnceLock::new() }
    }

    /// Names the run. The first name holds.
    pub fn begin(&self, run: &str) {
        self.named(run);
    }

    /// The run's name.
    pub fn name(&self) -> &str {
        self.run.get().map_or(NO_RUN, |(name, _)| name)
    }

    fn folder(&self) -> &ExchangeFolder {
        &self.named(NO_RUN).1
    }

    fn named(&self, run: &str) -> &(String, ExchangeFolder) {
        self.run.get_or_init(|| (run.to_owned(), ExchangeFolder::at(self.root.join(run))))
    }
}

impl ExchangeStore for RunExchanges {
    fn lookup(&self, hash: &ContentHash) -> Result<Option<Completion>, ExchangeError> {
        self.folder().lookup(hash)
    }

    fn begin(&self, hash: &ContentHash, prompt: &Prompt) -> Result<(), ExchangeError> {
        self.folder().begin(hash, prompt)?;
        stops::pass("attempt: the prompt is recorded");
        Ok(())
    }

    fn finish(&self, hash: &ContentHash, completion: &Completion) -> Result<(), ExchangeError> {
        stops::pass("attempt: the answer came");
        self.folder().finish(hash, completion)?;
        stops::pass("attempt: the answer is recorded");
        Ok(())
    }
}

/// Makes the chain that the settings describe.
pub fn build(settings: &Settings, means: &Means) -> Result<Vec<Link>> {
    build_behind(settings, means, &Gates::new(settings.at_once_max, Arc::clone(&means.clock)))
}

/// The same behind gateways that other chains share, so that together they keep to one limit.
pub fn build_behind(settings: &Settings, means: &Means, gates: &Gates) -> Result<Vec<Link>> {
    settings.chain.iter().map(|entry| link(entry, settings, means, gates)).collect()
}

/// The gateways of chains: one for all requests, and one for each provider or command, which its models share.
#[derive(Debug)]
pub struct Gates {
    clock: Arc<dyn Clock>,
    all: Arc<Gateway>,
    by_provider: Mutex<BTreeMap<String, Arc<Gateway>>>,
}

impl Gates {
    /// Gateways that let so many requests through at a time, whomever they ask; 0 for any number.
    pub fn new(at_once_max: usize, clock: Arc<dyn Clock>) -> Self {
        let limits =
            GatewayLimits { at_once_max, per_minute_max: 0, faults_max: 0, ..GatewayLimits::default() };
        // A fault of one provider says nothing about the others: the common gateway only counts.
        let all = Arc::new(Gateway::counting(limits, Arc::clone(&clock)));
        Self { clock, all, by_provider: Mutex::default() }
    }

    fn of(&self, base_url: &str, model: &ModelSettings) -> Vec<Arc<Gateway>> {
        // The first model of a provider says how much it may be asked.
        self.shared(base_url.trim_end_matches('/').to_owned(), || {
            let limits = GatewayLimits {
                at_once_max: model.at_once_max,
                per_minute_max: model.per_minute_max,
                ..GatewayLimits::default()
            };
            Gateway::new(limits, Arc::clone(&self.clock))
        })
    }

    /// What keeps calls of a command back. A command that fails says nothing about the next call of it.
    fn of_command(&self, command: &[String], model: &ModelSettings) -> Vec<Arc<Gateway>> {
        self.shared(format!("command {} {}", model.name, command.join("\0")), || {
            let limits = GatewayLimits {
                at_once_max: model.at_once_max,
                per_minute_max: model.per_minute_max,
                faults_max: 0,
                ..GatewayLimits::default()
            };
            Gateway::counting(limits, Arc::clone(&self.clock))
        })
    }

    fn shared(&self, name: String, make: impl FnOnce() -> Gateway) -> Vec<Arc<Gateway>> {
        let mut known = self.by_provider.lock().unwrap_or_else(PoisonError::into_inner);
        let own = known.entry(name).or_insert_with(|| Arc::new(make()));
        vec![Arc::clone(&self.all), Arc::clone(own)]
    }
}

fn link(entry: &ChainEntry, settings: &Settings, means: &Means, gates: &Gates) -> Result<Link> {
    Ok(match entry {
        ChainEntry::VerifyFirst => Link::VerifyFirst,
        ChainEntry::Rules => Link::Translator(Box::new(RuleTranslator::default())),
        ChainEntry::Memory => Link::Translator(Box::new(memory(settings)?)),
        ChainEntry::Items => Link::Translator(Box::new(RuleTranslator::items())),
        ChainEntry::Model(model) if model.batch.is_some() => {
            Link::Translator(Box::new(batch_translator(model, settings, means)?))
        }
        ChainEntry::Model(model) => Link::Translator(model_translator(model, settings, means, gates)?),
    })
}

/// What `--translator` says, in place of the configured chain: the memory is left out, and these models
/// are asked behind the rules.
pub fn instead(settings: &Settings, who: &[String]) -> Result<Vec<ChainEntry>> {
    let configured = |name: &str| {
        settings.chain.iter().find(|entry| matches!(entry, ChainEntry::Model(model) if model.name == name))
    };
    let mut chain = vec![ChainEntry::VerifyFirst, ChainEntry::Rules];
    // Whole items by rule cost nothing: who asked for them gets them before any model.
    chain.extend(settings.chain.iter().filter(|entry| **entry == ChainEntry::Items).cloned());
    for text in who {
        chain.push(match configured(text) {
            Some(entry) => entry.clone(),
            None => ChainEntry::Model(Box::new(ad_hoc(text)?)),
        });
    }
    Ok(chain)
}

/// Fails where one of these says neither who it is nor how it is reached: for a port that has no configuration yet.
pub fn ensure_ad_hoc(who: &[String]) -> Result<()> {
    who.iter().try_for_each(|text| ad_hoc(text).map(drop))
}

fn ad_hoc(text: &str) -> Result<ModelSettings> {
    let (kind, rest) = match text.split_once(':') {
        Some(parts) => parts,
        None if text == "inbox" => (text, ""),
        None => bail!(
            "`{text}` is neither a `[[translate.model]]` nor `command:PROGRAM ARGUMENTS`, \
             `chat:MODEL@URL`, `responses:MODEL[@URL]`, `anthropic:MODEL[@URL]` or `inbox[:FOLDER]`"
        ),
    };
    let (model, url) = match rest.split_once('@') {
        Some((model, url)) => (model.to_owned(), Some(url.to_owned())),
        None => (rest.to_owned(), None),
    };
    let key_where_set = |name: &str| env::text(name).map(|_set| name.to_owned());
    let access = match kind {
        "command" => {
            let command: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
            if command.is_empty() {
                bail!("`{text}` names no program");
            }
            ModelAccess::Command { command, environment: vec!["HOME".to_owned()] }
        }
        "chat" => ModelAccess::Chat {
            base_url: url.unwrap_or_else(|| OPENAI_BASE_URL.to_owned()),
            model,
            api_key_env: key_where_set("OPENAI_API_KEY"),
        },
        "responses" => ModelAccess::Responses {
            base_url: url.unwrap_or_else(|| OPENAI_BASE_URL.to_owned()),
            model,
            api_key_env: key_where_set("OPENAI_API_KEY"),
        },
        "anthropic" => {
            ModelAccess::Anthropic { base_url: url, model, api_key_env: "ANTHROPIC_API_KEY".to_owned() }
        }
        "inbox" => {
            ModelAccess::Inbox { folder: Some(rest).filter(|rest| !rest.is_empty()).map(PathBuf::from) }
        }
        other => {
            bail!(
                "`{other}` is not a kind of translator: write `command`, `chat`, `responses`, `anthropic` or `inbox`"
            )
        }
    };
    Ok(ModelSettings {
        name: text.to_owned(),
        access,
        output_tokens_max: 8192,
        timeout_s: 300,
        attempts_max: 3,
        stream: true,
        at_once_max: GatewayLimits::default().at_once_max,
        per_minute_max: 0,
        price: Prices::default(),
        batch: None,
    })
}

fn memory(settings: &Settings) -> Result<MemoryTranslator> {
    // Behind what is shipped stands what this port has learned by itself.
    let learned = learned_memory(settings);
    let folders = settings.memory.iter().chain([&learned]).map(|folder| MemoryFolder::open(folder));
    let folders = folders.collect::<Result<Vec<_>, _>>()?;
    Ok(MemoryTranslator::new(Arc::new(folders), codec()))
}

/// Where translations that landed are remembered.
pub fn learned_memory(settings: &Settings) -> PathBuf {
    settings.state.join("memory")
}

fn model_translator(
    model: &ModelSettings,
    settings: &Settings,
    means: &Means,
    gates: &Gates,
) -> Result<Box<dyn Translator>> {
    let codec = codec();
    let prompts = Arc::new(prompts(settings)?);
    let exchanges = Arc::clone(&means.exchanges) as Arc<dyn ExchangeStore>;
    let speaker: Arc<dyn Model> = match &model.access {
        ModelAccess::Command { command, environment } => {
            let model_behind = Arc::new(command_model(model, command, environment, settings, means)?);
            Arc::new(LimitedModel { model: model_behind, gateways: gates.of_command(command, model) })
        }
        ModelAccess::Chat { .. } | ModelAccess::Responses { .. } | ModelAccess::Anthropic { .. } => {
            let (format, base_url) = spoken(model, model.stream)?;
            Arc::new(http_model(model, format.wire(), gates.of(&base_url, model), means)?)
        }
        ModelAccess::Inbox { folder } => {
            return Ok(Box::new(InboxTranslator {
                name: model.name.clone(),
                prompts,
                codec,
                inbox: inbox(folder.as_deref(), settings),
                attempts_max: model.attempts_max,
            }));
        }
        ModelAccess::Replay { folder } => {
            return Ok(Box::new(ReplayTranslator {
                model: model.name.clone(),
                prompts,
                codec,
                exchanges: Arc::new(ExchangeFolder::at(folder)),
                attempts_max: model.attempts_max,
            }));
        }
    };
    let setup = ModelSetup {
        prompts,
        codec,
        exchanges,
        price: price(model, &*means.clock)?,
        output_tokens_max: model.output_tokens_max,
        attempts_max: model.attempts_max,
    };
    Ok(Box::new(ModelTranslator::new(speaker, setup)))
}

/// How a server's model is spoken to.
enum Spoken {
    Chat(ChatFormat),
    Responses(ResponsesFormat),
    Messages(MessagesFormat),
}

impl Spoken {
    fn wire(self) -> Box<dyn WireFormat> {
        match self {
            Self::Chat(format) => Box::new(format),
            Self::Responses(format) => Box::new(format),
            Self::Messages(format) => Box::new(format),
        }
    }

    /// The provider's interface for batches.
    fn batches(&self) -> Box<dyn BatchProtocol> {
        let files = |setup: &ProviderSetup, endpoint| FileBatches { setup: setup.clone(), endpoint };
        match self {
            Self::Chat(format) => Box::new(files(&format.setup, Endpoint::ChatCompletions)),
            Self::Responses(format) => Box::new(files(&format.setup, Endpoint::Responses)),
            Self::Messages(format) => Box::new(MessageBatches { format: format.clone() }),
        }
    }
}

/// How a server's model is spoken to, and the address that it is known by.
fn spoken(model: &ModelSettings, stream: bool) -> Result<(Spoken, String)> {
    Ok(match &model.access {
        ModelAccess::Chat { base_url, model: name, api_key_env } => {
            let setup = provider(base_url, name, api_key_env.as_deref(), model, stream)?;
            let own = base_url.starts_with(OPENAI_BASE_URL);
            let cap_field = if own { OutputCapField::MaxCompletionTokens } else { OutputCapField::MaxTokens };
            (Spoken::Chat(ChatFormat { setup, cap_field }), base_url.clone())
        }
        ModelAccess::Responses { base_url, model: name, api_key_env } => {
            let setup = provider(base_url, name, api_key_env.as_deref(), model, stream)?;
            let cache_key = base_url.starts_with(OPENAI_BASE_URL);
            (Spoken::Responses(ResponsesFormat { setup, cache_key }), base_url.clone())
        }
        ModelAccess::Anthropic { base_url, model: name, api_key_env } => {
            let base_url = base_url.as_deref().unwrap_or(ANTHROPIC_BASE_URL);
            let setup = provider(base_url, name, Some(api_key_env), model, stream)?;
            (Spoken::Messages(MessagesFormat::new(setup)), base_url.to_owned())
        }
        ModelAccess::Command { .. } | ModelAccess::Inbox { .. } | ModelAccess::Replay { .. } => {
            bail!("`{}` is no model of a server", model.name)
        }
    })
}

/// Who speaks to the provider of a model that is asked by batches.
pub(crate) fn batch_desk(
    model: &ModelSettings,
    settings: &Settings,
    book: Arc<Book>,
    asker: &Asker<'_>,
) -> Result<Desk> {
    let (spoken, base_url) = spoken(model, false)?;
    let wire = BatchWire {
        transport: Arc::new(HttpClient::new(Duration::from_secs(model.timeout_s), None)?),
        gateways: asker.gates.of(&base_url, model),
        retries: RetryPolicy { seed: model.name.clone(), ..RetryPolicy::default() },
        clock: Arc::clone(&asker.clock),
    };
    Ok(Desk {
        book,
        tag: BatchTag::of(&settings.port, &model.name),
        protocol: spoken.batches(),
        format: spoken.wire(),
        wire,
        price: price(model, &*asker.clock)?,
    })
}

/// A model that is asked by batches, as a link of the chain.
fn batch_translator(model: &ModelSettings, settings: &Settings, means: &Means) -> Result<BatchTranslator> {
    let store = means.batches.as_ref().and_then(|batches| batches.store(&model.name));
    let store = store.with_context(|| {
        format!("`{}` is asked by batches, and nobody would come back for its answers here", model.name)
    })?;
    let (spoken, base_url) = spoken(model, false)?;
    let identity = format!("{base_url} {:?} {}", model.access, model.output_tokens_max);
    Ok(BatchTranslator {
        name: model.name.clone(),
        identity,
        prompts: Arc::new(prompts(settings)?),
        codec: codec(),
        format: spoken.wire(),
        store,
        price: price(model, &*means.clock)?,
        output_tokens_max: model.output_tokens_max,
        attempts_max: model.attempts_max,
    })
}

/// Makes prompts by the port's own templates where it has some.
pub fn prompts(settings: &Settings) -> Result<PromptBuilder> {
    Ok(PromptBuilder::with_folder(codec(), &settings.prompts)?)
}

fn inbox(folder: Option<&Path>, settings: &Settings) -> Inbox {
    Inbox::at(folder.map_or_else(|| settings.state.join("inbox"), Path::to_owned))
}

/// The inboxes of a chain.
pub fn inboxes(settings: &Settings) -> Vec<Inbox> {
    let folder = |entry: &ChainEntry| match entry {
        ChainEntry::Model(model) => match &model.access {
            ModelAccess::Inbox { folder } => Some(inbox(folder.as_deref(), settings)),
            ModelAccess::Command { .. }
            | ModelAccess::Chat { .. }
            | ModelAccess::Responses { .. }
            | ModelAccess::Anthropic { .. }
            | ModelAccess::Replay { .. } => None,
        },
        ChainEntry::VerifyFirst | ChainEntry::Rules | ChainEntry::Memory | ChainEntry::Items => None,
    };
    settings.chain.iter().filter_map(folder).collect()
}

fn command_model(
    model: &ModelSettings,
    command: &[String],
    environment: &[String],
    settings: &Settings,
    means: &Means,
) -> Result<CommandModel> {
    let (program, arguments) = command.split_first().context("a command needs a program")?;
    let limits = Limits {
        timeout_ms: model.timeout_s.saturating_mul(1000),
        silence_ms: None,
        output_bytes_max: ANSWER_BYTES_MAX,
    };
    let setup = CommandSetup {
        name: model.name.clone(),
        program: program.into(),
        arguments: arguments.iter().map(Into::into).collect(),
        directory: settings.root.clone(),
        leash: Some(Leash { binary: means.program.clone(), words: leash::words() }),
        pass_environment: environment.to_vec(),
        limits,
    };
    Ok(CommandModel::new(setup, Arc::clone(&means.runner)))
}

fn http_model(
    model: &ModelSettings,
    format: Box<dyn WireFormat>,
    gateways: Vec<Arc<Gateway>>,
    means: &Means,
) -> Result<HttpModel> {
    Ok(HttpModel {
        name: model.name.clone(),
        format,
        transport: Arc::new(HttpClient::new(
            Duration::from_secs(model.timeout_s),
            model.stream.then_some(SILENCE_MAX),
        )?),
        gateways,
        retries: RetryPolicy { seed: model.name.clone(), ..RetryPolicy::default() },
        clock: Arc::clone(&means.clock),
    })
}

fn provider(
    base_url: &str,
    model: &str,
    api_key_env: Option<&str>,
    settings: &ModelSettings,
    stream: bool,
) -> Result<ProviderSetup> {
    let key = match api_key_env {
        None => None,
        Some(name) => {
            Some(env::secret(name).with_context(|| format!("the model `{model}` needs a key in `{name}`"))?)
        }
    };
    Ok(ProviderSetup {
        base_url: base_url.to_owned(),
        model: model.to_owned(),
        key,
        output_tokens_max: settings.output_tokens_max,
        stream,
    })
}

/// What a model costs today, as it is asked.
fn price(model: &ModelSettings, clock: &dyn Clock) -> Result<Option<Price>> {
    let today = day_at(clock.now_ms());
    match model.price.on(today) {
        None if !model.price.is_empty() => {
            bail!("no price of `{}` is in force on {today}: give the one that was before", model.name)
        }
        price => Ok(match model.batch {
            None => price,
            Some(batch) => price.map(|price| price.share(batch.price_share)),
        }),
    }
}

/// The edit grammar, as the translators need it.
pub fn codec() -> AnswerCodec {
    AnswerCodec {
        parse: |text, nonce| {
            edit::parse_answer(text, nonce)
                .map_err(|error| CodecError { code: error.code().to_owned(), reason: error.to_string() })
        },
        render: edit::render_answer,
        grammar_text: GRAMMAR,
    }
}
