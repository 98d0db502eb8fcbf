//! A request to the text that a model is sent.
//!
//! [`PromptBuilder`] renders a [`Prompt`] in three parts: what is the same for every request, what is the
//! same for one port and one file of it, and the task. The first two hold no nonce, no revision and no attempt, so that
//! a provider's cache can hold them. No item and no symbol is ever cut: what does not fit is left out whole and named
//! ([`Block`]), and where the task itself does not fit there is no prompt.

mod announced;
mod blocks;
mod sides;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mappings::{SymbolPath, UnitKind};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};
use upstream::ContentHash;

use super::codec::AnswerCodec;
use super::pitfalls::PITFALLS;
use super::{Excerpt, SymbolContext, TranslationRequest};
use crate::edit::{Answer, Edit, InsertPlace};
use blocks::Kept;
pub use blocks::{Block, BlockNote, DROPPED_IN_ORDER};
use sides::{Sides, sides};

/// The version of the shipped templates; a change to them is a new version.
pub const PROMPT_VERSION: &str = "8";

/// The largest task part, in bytes: about 16 000 tokens.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 10;

/// The largest style guide, in bytes: about 6 000 tokens.
pub const STYLE_BYTES_MAX: usize = 24 << 10;

/// The largest template that is read from a folder, in bytes.
const TEMPLATE_BYTES_MAX: u64 = 256 << 10;

/// How long a nonce is. It need not be hard to guess, because none is taken that occurs in the material; it stands at
/// both ends of every fence, so it is short.
const NONCE_LENGTH: usize = 4;

/// How often another nonce is drawn when one occurs in the material.
const NONCE_DRAWS_MAX: u32 = 64;

/// The word that stands for the nonce in the grammar and its examples.
const NONCE_PLACEHOLDER: &str = "NONCE";

/// The rules of the edit grammar as a model is told them, for an [`AnswerCodec`] of that grammar.
pub const GRAMMAR: &str = include_str!("../prompts/grammar.md");

const TEMPLATES: [(&str, &str); 4] = [
    ("system.md", include_str!("../prompts/system.md")),
    ("stable.md", include_str!("../prompts/stable.md")),
    ("type_map.md", include_str!("../prompts/type_map.md")),
    ("payload.md", include_str!("../prompts/payload.md")),
];

/// What a model is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Rules, grammar and examples: the same for every request.
    pub system: String,
    /// Style and type map, the same for every request of one port, and the heads of what stands in one file.
    pub stable: String,
    /// The task.
    pub payload: String,
    /// The word that the answer must carry.
    pub nonce: String,
    /// Which templates made it.
    pub prompt_version: String,
    /// Neighbours that were left out for want of space.
    pub left_out: Vec<SymbolPath>,
    /// What became of the blocks that may be left out.
    #[serde(default)]
    pub blocks: Vec<BlockNote>,
}

impl Prompt {
    /// Both parts that go before the task.
    pub fn prefix(&self) -> String {
        join_parts(&[&self.system, &self.stable])
    }

    /// The whole prompt as one text.
    pub fn text(&self) -> String {
        let mut text = join_parts(&[&self.system, &self.stable, &self.payload]);
        text.push('\n');
        text
    }

    /// The name under which the exchange with this model is recorded.
    pub fn hash(&self, model: &str) -> ContentHash {
        ContentHash::of_parts([model, &self.system, &self.stable, &self.payload])
    }
}

fn join_parts(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// There is no prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// A template of the user's own cannot be read.
    #[error("cannot read the prompt template `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A template is too long.
    #[error("the prompt template `{path}` is longer than {bytes_max} bytes")]
    TemplateTooLong {
        /// The file.
        path: PathBuf,
        /// The bound.
        bytes_max: u64,
    },
    /// A template is wrong.
    #[error("prompt template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// The style guide is too long to go into every prompt.
    #[error("the style guide has {bytes} bytes, more than {bytes_max}; shorten it")]
    StyleTooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The unit does not fit.
    #[error(
        "the unit takes {bytes} bytes of prompt, more than {bytes_max}; it needs a person or smaller units"
    )]
    UnitTooLong {
        /// What it takes without any neighbour.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// Every nonce that was drawn occurs in the material.
    #[error("the material holds the words that were to mark the answer; it looks like an attack")]
    NoNonce,
    /// The request cannot be written down.
    #[error("cannot encode the request: {0}")]
    Encode(#[from] serde_json::Error),
}

impl PromptError {
    /// Whether the cause is the unit itself, so that the same machine may well answer other requests.
    pub fn is_about_the_request(&self) -> bool {
        match self {
            Self::UnitTooLong { .. } | Self::NoNonce => true,
            Self::Read { .. }
            | Self::TemplateTooLong { .. }
            | Self::Template(_)
            | Self::StyleTooLong { .. }
            | Self::Encode(_) => false,
        }
    }
}

/// Makes prompts of requests.
#[derive(Debug)]
pub struct PromptBuilder {
    templates: Environment<'static>,
    codec: AnswerCodec,
    version: String,
}

impl PromptBuilder {
    /// A builder with the shipped templates.
    pub fn new(codec: AnswerCodec) -> Result<Self, PromptError> {
        Self::of_sources(codec, TEMPLATES.map(|(name, source)| (name, source.to_owned())), false)
    }

    /// A builder that takes a template from this folder where it is there, and the shipped one otherwise.
    pub fn with_folder(codec: AnswerCodec, folder: &Path) -> Result<Self, PromptError> {
        let mut overridden = false;
        let mut sources = TEMPLATES.map(|(name, source)| (name, source.to_owned()));
        for (name, source) in &mut sources {
            if let Some(own) = read_template(&folder.join(*name))? {
                overridden = true;
                *source = own;
            }
        }
        Self::of_sources(codec, sources, overridden)
    }

    fn of_sources(
        codec: AnswerCodec,
        sources: [(&'static str, String); 4],
        overridden: bool,
    ) -> Result<Self, PromptError> {
        let mut version = PROMPT_VERSION.to_owned();
        if overridden {
            let hash = ContentHash::of_parts(sources.iter().map(|(_, source)| source));
            version = format!("{version}+{}", hash.short());
        }
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        for (name, source) in sources {
            templates.add_template_owned(name, source)?;
        }
        Ok(Self { templates, codec, version })
    }

    /// The prompt of a request.
    pub fn build(&self, request: &TranslationRequest) -> Result<Prompt, PromptError> {
        if request.style.len() > STYLE_BYTES_MAX {
            let bytes = request.style.len();
            return Err(PromptError::StyleTooLong { bytes, bytes_max: STYLE_BYTES_MAX });
        }
        let nonce = self.nonce(request)?;
        let mut kept = Kept::within_bounds(request);
        let payload = loop {
            let payload = self.payload(request, &nonce, &kept)?;
            if payload.len() <= PAYLOAD_BYTES_MAX {
                break payload;
            }
            if !kept.drop_next(PAYLOAD_BYTES_MAX) {
                let bytes = payload.len();
                return Err(PromptError::UnitTooLong { bytes, bytes_max: PAYLOAD_BYTES_MAX });
            }
        };
        let left_out = kept.left_out(Block::Neighbours).into_iter();
        Ok(Prompt {
            system: self.system()?,
            stable: self.stable(&request.style, &request.digest)?,
            payload,
            nonce,
            prompt_version: self.version.clone(),
            left_out: left_out.filter_map(|name| SymbolPath::new(name).ok()).collect(),
            blocks: kept.notes(),
        })
    }

    fn system(&self) -> Result<String, PromptError> {
        let example = |answer: &Answer| (self.codec.render)(answer, NONCE_PLACEHOLDER).trim().to_owned();
        self.render(
            "system.md",
            &context! {
                grammar => self.codec.grammar_text.trim(),
                example_replace => example(&replacing_example()),
                example_insert => example(&inserting_example()),
            },
        )
    }

    fn stable(&self, style: &str, digest: &str) -> Result<String, PromptError> {
        let type_map = self.render("type_map.md", &context! {})?;
        let differences: Vec<_> = PITFALLS
            .iter()
            .map(|row| {
                context! {
                    number => row.number, operation => row.operation, rust => row.rust, naive => row.naive,
                }
            })
            .collect();
        let digest = digest.trim_end();
        let values = context! { style => style.trim(), type_map => type_map, differences => differences, digest => digest };
        self.render("stable.md", &values)
    }

    fn payload(&self, request: &TranslationRequest, nonce: &str, kept: &Kept) -> Result<String, PromptError> {
        let fence = |text: &str| fence(nonce, text);
        let side = |item: Option<&upstream::Item>| item.map(|item| fence(&item.text));
        let marked = |change: &upstream::ItemChange| {
            let (before, after) = (change.before()?, change.after()?);
            match sides(&before.text, &after.text) {
                Sides::Marked(text) => Some(fence(&text)),
                Sides::Apart => None,
            }
        };
        // Of an item that was split into several symbols the text is shown once.
        let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
        let members: Vec<_> = request
            .unit
            .members
            .iter()
            .map(|member| {
                let key = (
                    member.change.path().as_str(),
                    member.change.after().map_or("", |item| item.text.as_str()),
                );
                let is_new = told.insert(key);
                let marked = if is_new { marked(&member.change) } else { None };
                let apart = is_new && marked.is_none();
                let side = |item: Option<&upstream::Item>| side(item.filter(|_| apart));
                context! {
                    item => member.change.path().to_string(),
                    change => change_words(&member.change),
                    symbol => member.symbol.to_string(),
                    by_hand => member.edited_by_hand,
                    gone => member.change.after().is_none(),
                    marked => marked,
                    before => side(member.change.before()),
                    after => side(member.change.after()),
                }
            })
            .collect();
        let hidden: Vec<_> = request
            .hidden
            .iter()
            .enumerate()
            .filter(|(at, _)| kept.shows(Block::Hidden, *at))
            .map(|(_, change)| {
                let marked = marked(change);
                let apart = marked.is_none();
                let side = |item: Option<&upstream::Item>| side(item.filter(|_| apart));
                context! {
                    item => change.path().to_string(),
                    change => change_words(change),
                    gone => change.after().is_none(),
                    marked => marked,
                    before => side(change.before()),
                    after => side(change.after()),
                }
            })
            .collect();
        let hidden_left_out = kept.left_out(Block::Hidden);
        let port = |symbol: &SymbolContext| {
            context! {
                path => symbol.symbol.to_string(),
                file => symbol.file.clone(),
                sha => symbol.hash.chars().take(8).collect::<String>(),
                text => symbol.text.as_ref().map(|text| fence(text)),
            }
        };
        let neighbours =
            blocks::read_whole(request).enumerate().filter(|(at, _)| kept.shows(Block::Neighbours, *at));
        let neighbours = together(neighbours.map(|(_, shown)| shown));
        let excerpts = |block: Block, excerpts: &[Excerpt]| {
            let shown = excerpts.iter().enumerate().filter(|(at, _)| kept.shows(block, *at));
            together(shown.map(|(_, excerpt)| (&excerpt.symbol, excerpt.text.as_str())))
        };
        let python = |text: String| if text.is_empty() { text } else { fence(&text) };
        let left_out: BTreeSet<String> = [Block::Neighbours, Block::Signatures, Block::Uses]
            .into_iter()
            .flat_map(|block| kept.left_out(block))
            .collect();
        let own = request.unit.members.iter().map(|member| &member.change);
        let hidden_shown = request.hidden.iter().enumerate().filter(|(at, _)| kept.shows(Block::Hidden, *at));
        let changes: Vec<_> = own.chain(hidden_shown.map(|(_, change)| change)).collect();
        let pitfalls: Vec<_> = announced::pitfalls(&changes).into_iter().map(|row| row.number).collect();
        let runtime = request.runtime.as_ref().and_then(|runtime| announced::runtime(runtime, &changes));
        let imports: Vec<_> = request
            .imports
            .iter()
            .filter(|(_, text)| !text.trim().is_empty())
            .map(|(file, text)| context! { file => file.clone(), text => fence(text) })
            .collect();
        let feedback = request.feedback.as_ref().map(|feedback| {
            context! {
                stage => feedback.stage.clone(),
                findings => fence(&feedback.findings.join("\n")),
                refused => fence(&feedback.refused),
            }
        });
        self.render(
            "payload.md",
            &context! {
                kind => kind_word(request.unit.kind),
                reason => request.unit.reason.clone(),
                nonce => nonce,
                summary => said(&request.revision.summary).map(fence),
                members => members,
                hidden => hidden,
                hidden_left_out => hidden_left_out,
                symbols => request.symbols.iter().map(port).collect::<Vec<_>>(),
                imports => imports,
                neighbours => python(neighbours),
                signatures => python(excerpts(Block::Signatures, &request.signatures)),
                uses => python(excerpts(Block::Uses, &request.uses)),
                left_out => left_out,
                pitfalls => pitfalls,
                runtime => runtime,
                view => view(request.candidate),
                feedback => feedback,
            },
        )
    }

    fn render(&self, name: &str, values: &minijinja::Value) -> Result<String, PromptError> {
        Ok(self.templates.get_template(name)?.render(values)?.trim().to_owned())
    }

    /// A word that follows from the request, so that a run can be repeated, and that occurs nowhere in it, so
    /// that no text in it can end a fence or pass for an answer.
    fn nonce(&self, request: &TranslationRequest) -> Result<String, PromptError> {
        let material = serde_json::to_string(request)?;
        for draw in 0..NONCE_DRAWS_MAX {
            let hash = ContentHash::of_parts([&self.version, &draw.to_string(), &material]).to_string();
            let nonce: String = hash.chars().take(NONCE_LENGTH).collect();
            if !material.contains(&nonce) {
                return Ok(nonce);
            }
        }
        Err(PromptError::NoNonce)
    }
}

fn read_template(path: &Path) -> Result<Option<String>, PromptError> {
    let failed = |source| PromptError::Read { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > TEMPLATE_BYTES_MAX => {
            Err(PromptError::TemplateTooLong { path: path.to_owned(), bytes_max: TEMPLATE_BYTES_MAX })
        }
        Ok(_) => std::fs::read_to_string(path).map(Some).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Texts of several symbols as one, each below its name.
fn together<'t>(texts: impl Iterator<Item = (&'t SymbolPath, &'t str)>) -> String {
    let texts: Vec<String> = texts.map(|(symbol, text)| format!("# {symbol}\n{}", text.trim_end())).collect();
    texts.join("\n")
}

/// A text in which something stands.
fn said(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

/// What happened to an item; it may be followed for what it uses alone.
fn change_words(change: &upstream::ItemChange) -> String {
    let summary = change.summary();
    if summary.is_empty() { "as it was".to_owned() } else { summary }
}

/// Foreign text between two lines that it cannot hold itself.
fn fence(nonce: &str, text: &str) -> String {
    format!("<<<{nonce}\n{}\n{nonce}>>>", text.trim_end())
}

/// How one of several candidates is to look at the task. Sampling parameters are refused by newer models, so the
/// difference is in the words.
fn view(candidate: u32) -> &'static str {
    match candidate {
        0 => "",
        1 => {
            "Look at the limits of the new Rust first: empty input, the largest and smallest numbers, errors, panics."
        }
        2 => {
            "Look for the smallest edit that does what the new Rust does, and hold it against both texts line by line."
        }
        _ => {
            "Look at what callers see of the new Rust first: results, errors, and arguments that it changes."
        }
    }
}

fn kind_word(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Add => "a new item",
        UnitKind::Change => "a change",
        UnitKind::Remove => "a removal",
        UnitKind::Relocate => "a rename or move",
        UnitKind::Test => "a test",
    }
}

fn example_symbol(path: &str) -> SymbolPath {
    SymbolPath::new(path).expect("the paths of the examples are plain names")
}

fn replacing_example() -> Answer {
    let text = "def clamp(value: int, limit: int) -> int:\n    return min(value, limit)";
    Answer::Edits {
        edits: vec![Edit::Replace {
            symbol: example_symbol("package.numbers.clamp"),
            expected: "ab12cd34".to_owned(),
            text: text.to_owned(),
        }],
    }
}

fn inserting_example() -> Answer {
    let file = "package/shapes.py";
    let text = "def area(radius: float) -> float:\n    return math.pi * radius * radius";
    Answer::Edits {
        edits: vec![
            Edit::Imports { file: file.to_owned(), text: "import math".to_owned() },
            Edit::Insert {
                symbol: example_symbol("package.shapes.area"),
                place: InsertPlace::InFile(file.to_owned()),
                text: text.to_owned(),
            },
        ],
    }
}

#[cfg(test)]
mod tests;
