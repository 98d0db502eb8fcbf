//! The text form of an answer, as `docs/edit-grammar.md` tells it: strict, and every defect has a code.
//!
//! What stands outside the blocks is not read: a model may explain itself there. No text is repaired here
//! by a guess; the only liberty is that a code fence directly around a body is taken off.

mod keys;

use std::fmt;

use mappings::SymbolPath;

use self::keys::Keys;
use super::{Answer, Edit, Hunk, InsertPlace};

/// The longest answer that is read.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// The longest body of one block.
pub const BODY_BYTES_MAX: usize = 256 << 10;
/// The most blocks that an answer may have.
pub const BLOCKS_MAX: usize = 200;

const BEGIN: &str = "@@TL";
const END: &str = "@@END";
const DONE: &str = "@@DONE";
const FIND: &str = "@@FIND";
const WITH: &str = "@@WITH";

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnswerDefect {
    /// It has no block.
    Empty,
    /// It has no final line, so it may have been cut off.
    NoDone,
    /// The final line names another number of blocks.
    CountMismatch,
    /// It is fenced by another nonce.
    WrongNonce,
    /// A block has no end.
    UnterminatedBlock,
    /// An end without a block, or behind a text that its block does not have.
    StrayEnd,
    /// Blocks behind the final line.
    AfterDone,
    /// An operation that is not in the grammar.
    UnknownOperation,
    /// A key that the operation needs is not there.
    MissingKey,
    /// A key stands twice, or two that exclude each other.
    DuplicateKey,
    /// A key that the operation does not have.
    UnknownKey,
    /// A value that is not of its form.
    BadValue,
    /// Two blocks edit one symbol, or two add imports to one file.
    DuplicateSymbol,
    /// Edits beside an answer that says there are none, or two such answers.
    MixedAnswer,
    /// A block that needs a text has none.
    EmptyBody,
    /// The text of a `PATCH` is not made of pieces.
    BadPiece,
    /// The answer, or a body, is longer than allowed.
    TooLarge,
    /// There are more blocks than allowed.
    TooManyBlocks,
}

impl AnswerDefect {
    /// The stable code of the finding.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoDone => "no-done",
            Self::CountMismatch => "count-mismatch",
            Self::WrongNonce => "wrong-nonce",
            Self::UnterminatedBlock => "unterminated-block",
            Self::StrayEnd => "stray-end",
            Self::AfterDone => "after-done",
            Self::UnknownOperation => "unknown-op",
            Self::MissingKey => "missing-key",
            Self::DuplicateKey => "duplicate-key",
            Self::UnknownKey => "unknown-key",
            Self::BadValue => "bad-value",
            Self::DuplicateSymbol => "duplicate-symbol",
            Self::MixedAnswer => "mixed-answer",
            Self::EmptyBody => "empty-body",
            Self::BadPiece => "bad-piece",
            Self::TooLarge => "too-large",
            Self::TooManyBlocks => "too-many-blocks",
        }
    }
}

impl fmt::Display for AnswerDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An answer that is not of the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{defect}, line {line}: {detail}")]
pub struct AnswerError {
    /// What is wrong.
    pub defect: AnswerDefect,
    /// The line of the answer, from 1.
    pub line: usize,
    /// What is wrong in words that also say what to write instead.
    pub detail: String,
}

impl AnswerError {
    /// The stable code of the finding.
    pub fn code(&self) -> &'static str {
        self.defect.code()
    }
}

/// Reads an answer that is fenced by this nonce.
pub fn parse_answer(text: &str, nonce: &str) -> Result<Answer, AnswerError> {
    if text.len() > ANSWER_BYTES_MAX {
        let detail = format!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
        return Err(AnswerError { defect: AnswerDefect::TooLarge, line: 1, detail });
    }
    let blocks = Reader {
        nonce,
        blocks: Vec::new(),
        state: State::Outside { after: None },
        done: None,
        foreign: None,
    }
    .read(text)?;
    let parts: Vec<(usize, Part)> = blocks
        .iter()
        .map(|block| Ok((block.line, part(block, nonce)?)))
        .collect::<Result<_, AnswerError>>()?;
    assembled(parts)
}

/// Writes an answer as text. Symbols and files of an answer hold no white space; line breaks in a reason
/// become spaces.
pub fn render_answer(answer: &Answer, nonce: &str) -> String {
    let blocks: Vec<String> = match answer {
        Answer::Edits { edits } => edits.iter().map(|edit| rendered(edit, nonce)).collect(),
        Answer::NoChange { reason } => {
            vec![format!("{BEGIN} {nonce} NOCHANGE reason={}\n", one_line(reason))]
        }
        Answer::Need { symbols } => {
            symbols.iter().map(|symbol| format!("{BEGIN} {nonce} NEED sym={symbol}\n")).collect()
        }
        Answer::Unportable { reason } => {
            vec![format!("{BEGIN} {nonce} UNPORTABLE reason={}\n", one_line(reason))]
        }
    };
    format!("{}{DONE} {nonce} n={}\n", blocks.concat(), blocks.len())
}

fn rendered(edit: &Edit, nonce: &str) -> String {
    let with_body = |head: String, body: &str| format!("{BEGIN} {nonce} {head}\n{body}\n{END} {nonce}\n");
    match edit {
        Edit::Replace { symbol, expected, text } => {
            with_body(format!("REPLACE sym={symbol} sha={expected}"), text)
        }
        Edit::Patch { symbol, expected, hunks } => {
            let piece = |hunk: &Hunk| format!("{FIND} {nonce}\n{}\n{WITH} {nonce}\n{}", hunk.find, hunk.with);
            let pieces: Vec<String> = hunks.iter().map(piece).collect();
            with_body(format!("PATCH sym={symbol} sha={expected}"), &pieces.join("\n"))
        }
        Edit::Insert { symbol, place, text } => {
            with_body(format!("INSERT sym={symbol} {}", placed(place)), text)
        }
        Edit::Move { symbol, expected, to, place } => {
            format!("{BEGIN} {nonce} MOVE sym={symbol} sha={expected} to={to} {}\n", placed(place))
        }
        Edit::Delete { symbol, expected } => {
            format!("{BEGIN} {nonce} DELETE sym={symbol} sha={expected}\n")
        }
        Edit::Rename { symbol, expected, to } => {
            format!("{BEGIN} {nonce} RENAME sym={symbol} sha={expected} to={to}\n")
        }
        Edit::Imports { file, text } => with_body(format!("IMPORTS file={file}"), text),
    }
}

fn placed(place: &InsertPlace) -> String {
    match place {
        InsertPlace::After(symbol) => format!("after={symbol}"),
        InsertPlace::InClass(class) => format!("in={class}"),
        InsertPlace::InFile(file) => format!("file={file}"),
    }
}

fn one_line(reason: &str) -> String {
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A block as it stands in the text.
struct Block {
    line: usize,
    operation: String,
    keys: String,
    body: Vec<String>,
    body_bytes: usize,
}

impl Block {
    fn error(&self, defect: AnswerDefect, detail: impl Into<String>) -> AnswerError {
        AnswerError { defect, line: self.line, detail: detail.into() }
    }
}

enum State {
    /// Between blocks; `after` is the block without a body that ended just before, with blank lines since.
    Outside { after: Option<usize> },
    /// In the body of the last block.
    Inside,
}

/// Cuts a text into blocks.
struct Reader<'a> {
    nonce: &'a str,
    blocks: Vec<Block>,
    state: State,
    /// The line of the final line.
    done: Option<usize>,
    /// The first line that is fenced by another nonce.
    foreign: Option<usize>,
}

impl Reader<'_> {
    fn read(mut self, text: &str) -> Result<Vec<Block>, AnswerError> {
        let mut count = None;
        for (at, line) in text.lines().enumerate() {
            let (number, line) = (at + 1, line.trim_end());
            match self.sentinel(line) {
                Some((word, rest)) => {
                    if self.done.is_some() {
                        return Err(error(
                            AnswerDefect::AfterDone,
                            number,
                            format!("`{word}` behind {DONE}"),
                        ));
                    }
                    match word {
                        BEGIN => self.begin(number, rest)?,
                        END => self.end(number, rest)?,
                        _ => count = Some(self.done(number, rest)?),
                    }
                }
                None => self.other(number, line)?,
            }
        }
        let last = text.lines().count().max(1);
        match (count, self.foreign) {
            (Some(count), _) if count == self.blocks.len() && count > 0 => Ok(self.blocks),
            (Some(0), None) if self.blocks.is_empty() => {
                Err(error(AnswerDefect::Empty, last, "an answer has at least one block"))
            }
            (_, Some(line)) => Err(error(
                AnswerDefect::WrongNonce,
                line,
                format!("the nonce of this answer is `{}`", self.nonce),
            )),
            (Some(count), None) => {
                let detail = format!("{DONE} says n={count}, and there are {}", self.blocks.len());
                Err(error(AnswerDefect::CountMismatch, self.done.unwrap_or(last), detail))
            }
            (None, None) if matches!(self.state, State::Inside) => Err(self.unterminated(last)),
            (None, None) if self.blocks.is_empty() => {
                Err(error(AnswerDefect::Empty, last, "there is no block"))
            }
            (None, None) => {
                let detail = format!("the last line must be `{DONE} {} n=<blocks>`", self.nonce);
                Err(error(AnswerDefect::NoDone, last, detail))
            }
        }
    }

    /// A line that begins with one of the words and this nonce.
    fn sentinel<'l>(&mut self, line: &'l str) -> Option<(&'static str, &'l str)> {
        let (word, rest) = line.split_once(' ')?;
        let word = [BEGIN, END, DONE].into_iter().find(|known| *known == word)?;
        let (nonce, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        (nonce == self.nonce).then_some((word, rest.trim()))
    }

    fn begin(&mut self, line: usize, rest: &str) -> Result<(), AnswerError> {
        if matches!(self.state, State::Inside) {
            return Err(self.unterminated(line));
        }
        if self.blocks.len() >= BLOCKS_MAX {
            let detail = format!("an answer has at most {BLOCKS_MAX} blocks");
            return Err(error(AnswerDefect::TooManyBlocks, line, detail));
        }
        let (operation, keys) = rest.split_once(' ').unwrap_or((rest, ""));
        self.state = if has_body(operation) { State::Inside } else { State::Outside { after: Some(line) } };
        self.blocks.push(Block {
            line,
            operation: operation.to_owned(),
            keys: keys.trim().to_owned(),
            body: Vec::new(),
            body_bytes: 0,
        });
        Ok(())
    }

    fn end(&mut self, line: usize, rest: &str) -> Result<(), AnswerError> {
        match self.state {
            _ if !rest.is_empty() => {
                Err(error(AnswerDefect::BadValue, line, format!("`{rest}` behind {END}")))
            }
            State::Inside | State::Outside { after: Some(_) } => {
                self.state = State::Outside { after: None };
                Ok(())
            }
            State::Outside { after: None } => {
                Err(error(AnswerDefect::StrayEnd, line, format!("this {END} ends no block")))
            }
        }
    }

    fn done(&mut self, line: usize, rest: &str) -> Result<usize, AnswerError> {
        if matches!(self.state, State::Inside) {
            return Err(self.unterminated(line));
        }
        self.done = Some(line);
        let count = rest.strip_prefix("n=").and_then(|count| count.parse().ok());
        count.ok_or_else(|| {
            error(
                AnswerDefect::BadValue,
                line,
                format!("{DONE} is followed by `n=` and the number of blocks"),
            )
        })
    }

    fn other(&mut self, number: usize, line: &str) -> Result<(), AnswerError> {
        if self.foreign.is_none() && is_foreign(line) {
            self.foreign = Some(number);
        }
        match self.state {
            State::Inside => {
                let Some(block) = self.blocks.last_mut() else { return Ok(()) };
                block.body.push(line.to_owned());
                block.body_bytes += line.len() + 1;
                if block.body_bytes > BODY_BYTES_MAX {
                    let detail = format!("a body is at most {BODY_BYTES_MAX} bytes long");
                    return Err(block.error(AnswerDefect::TooLarge, detail));
                }
            }
            State::Outside { .. } if line.is_empty() => {}
            State::Outside { .. } => self.state = State::Outside { after: None },
        }
        Ok(())
    }

    fn unterminated(&self, line: usize) -> AnswerError {
        let detail = format!("the block before has no `{END} {}`", self.nonce);
        error(AnswerDefect::UnterminatedBlock, line, detail)
    }
}

fn is_foreign(line: &str) -> bool {
    let mut words = line.split(' ');
    let word = words.next().unwrap_or_default();
    matches!(word, BEGIN | END | DONE | FIND | WITH) && words.next().is_some_and(|nonce| !nonce.is_empty())
}

fn has_body(operation: &str) -> bool {
    matches!(operation, "REPLACE" | "PATCH" | "INSERT" | "IMPORTS")
}

fn error(defect: AnswerDefect, line: usize, detail: impl Into<String>) -> AnswerError {
    AnswerError { defect, line, detail: detail.into() }
}

/// What one block means.
enum Part {
    Edit(Edit),
    NoChange(String),
    Need(SymbolPath),
    Unportable(String),
}

fn part(block: &Block, nonce: &str) -> Result<Part, AnswerError> {
    match block.operation.as_str() {
        "REPLACE" => {
            let keys = Keys::read(block, &["sym", "sha"])?;
            let (symbol, expected) = (keys.symbol("sym")?, keys.hash()?);
            Ok(Part::Edit(Edit::Replace { symbol, expected, text: body(block)? }))
        }
        "PATCH" => {
            let keys = Keys::read(block, &["sym", "sha"])?;
            let (symbol, expected) = (keys.symbol("sym")?, keys.hash()?);
            Ok(Part::Edit(Edit::Patch { symbol, expected, hunks: hunks(block, nonce)? }))
        }
        "INSERT" => {
            let keys = Keys::read(block, &["sym", "after", "in", "file"])?;
            let symbol = keys.symbol("sym")?;
            Ok(Part::Edit(Edit::Insert { symbol, place: keys.place()?, text: body(block)? }))
        }
        "DELETE" => {
            let keys = Keys::read(block, &["sym", "sha"])?;
            Ok(Part::Edit(Edit::Delete { symbol: keys.symbol("sym")?, expected: keys.hash()? }))
        }
        "RENAME" => {
            let keys = Keys::read(block, &["sym", "sha", "to"])?;
            let to = keys.required("to")?.to_owned();
            if to.contains('.') {
                return Err(block.error(AnswerDefect::BadValue, "`to=` is the last name alone, without dots"));
            }
            Ok(Part::Edit(Edit::Rename { symbol: keys.symbol("sym")?, expected: keys.hash()?, to }))
        }
        "MOVE" => {
            let keys = Keys::read(block, &["sym", "sha", "to", "after", "in", "file"])?;
            let (symbol, expected) = (keys.symbol("sym")?, keys.hash()?);
            Ok(Part::Edit(Edit::Move { symbol, expected, to: keys.symbol("to")?, place: keys.place()? }))
        }
        "IMPORTS" => {
            let keys = Keys::read(block, &["file"])?;
            Ok(Part::Edit(Edit::Imports { file: keys.required("file")?.to_owned(), text: body(block)? }))
        }
        "NOCHANGE" => Ok(Part::NoChange(reason(block)?)),
        "UNPORTABLE" => Ok(Part::Unportable(reason(block)?)),
        "NEED" => Ok(Part::Need(Keys::read(block, &["sym"])?.symbol("sym")?)),
        other => Err(block.error(AnswerDefect::UnknownOperation, format!("there is no operation `{other}`"))),
    }
}

/// A reason is the rest of its line.
fn reason(block: &Block) -> Result<String, AnswerError> {
    match block.keys.strip_prefix("reason=").map(str::trim) {
        Some(reason) if !reason.is_empty() => Ok(reason.to_owned()),
        Some(_) | None => Err(block.error(AnswerDefect::MissingKey, "`reason=` and a reason are missing")),
    }
}

/// The text of a block without blank lines around it, and without a fence directly around it.
fn body(block: &Block) -> Result<String, AnswerError> {
    let lines = unfenced(&block.body);
    if lines.is_empty() {
        return Err(block.error(AnswerDefect::EmptyBody, format!("{} needs a text", block.operation)));
    }
    Ok(lines.join("\n"))
}

/// The pieces of a block: lines behind `@@FIND` and what they become behind `@@WITH`.
fn hunks(block: &Block, nonce: &str) -> Result<Vec<Hunk>, AnswerError> {
    let (find, with) = (format!("{FIND} {nonce}"), format!("{WITH} {nonce}"));
    let bad = |detail: &str| block.error(AnswerDefect::BadPiece, detail);
    let lines = unfenced(&block.body);
    if lines.is_empty() {
        return Err(block.error(AnswerDefect::EmptyBody, "PATCH needs pieces"));
    }
    if lines.first() != Some(&find) {
        return Err(bad(&format!("the first line of a PATCH is `{find}`")));
    }
    let mut hunks = Vec::new();
    for piece in lines.split(|line| *line == find).skip(1) {
        let mut sides = piece.split(|line| *line == with);
        let (Some(old), Some(new), None) = (sides.next(), sides.next(), sides.next()) else {
            return Err(bad(&format!("each `{find}` is followed by one `{with}`")));
        };
        let (old, new) = (unfenced(old), unfenced(new));
        if old.is_empty() {
            return Err(bad(&format!("there are no lines behind `{find}`")));
        }
        hunks.push(Hunk { find: old.join("\n"), with: new.join("\n") });
    }
    Ok(hunks)
}

/// Lines without blank ones around them, and without a fence directly around them.
fn unfenced(lines: &[String]) -> &[String] {
    let lines = without_blank_ends(lines);
    let fenced = lines.len() >= 2
        && lines.first().is_some_and(|line| line.starts_with("```"))
        && lines.last().is_some_and(|line| line == "```");
    if fenced { without_blank_ends(lines.get(1..lines.len() - 1).unwrap_or_default()) } else { lines }
}

fn without_blank_ends(lines: &[String]) -> &[String] {
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    lines.get(first..last).unwrap_or_default()
}

/// The parts of an answer must go together.
fn assembled(parts: Vec<(usize, Part)>) -> Result<Answer, AnswerError> {
    let (mut edits, mut needed): (Vec<Edit>, Vec<SymbolPath>) = (Vec::new(), Vec::new());
    let mut whole = None;
    for (line, part) in parts {
        let alone = match part {
            Part::Edit(edit) => {
                let earlier = edits.iter_mut().find(|earlier| is_same_target(earlier, &edit));
                match (earlier, edit) {
                    (None, edit) => edits.push(edit),
                    // Imports are a set: what two blocks ask for is wanted together.
                    (Some(Edit::Imports { text, .. }), Edit::Imports { text: more, .. }) => {
                        text.push('\n');
                        text.push_str(&more);
                    }
                    (Some(_), _) => {
                        let detail = "one block for each symbol";
                        return Err(error(AnswerDefect::DuplicateSymbol, line, detail));
                    }
                }
                None
            }
            Part::Need(symbol) if needed.contains(&symbol) => {
                let detail = format!("`{symbol}` is asked for twice");
                return Err(error(AnswerDefect::DuplicateSymbol, line, detail));
            }
            Part::Need(symbol) => {
                needed.push(symbol);
                None
            }
            Part::NoChange(reason) => Some(Answer::NoChange { reason }),
            Part::Unportable(reason) => Some(Answer::Unportable { reason }),
        };
        let kinds = usize::from(!edits.is_empty())
            + usize::from(!needed.is_empty())
            + usize::from(whole.is_some())
            + usize::from(alone.is_some());
        if kinds > 1 {
            let detail = "edits, NEED, NOCHANGE and UNPORTABLE exclude each other";
            return Err(error(AnswerDefect::MixedAnswer, line, detail));
        }
        whole = whole.or(alone);
    }
    Ok(match whole {
        Some(answer) => answer,
        None if needed.is_empty() => Answer::Edits { edits },
        None => Answer::Need { symbols: needed },
    })
}

pub(super) fn is_same_target(one: &Edit, other: &Edit) -> bool {
    match (one, other) {
        (Edit::Imports { file, .. }, Edit::Imports { file: other, .. }) => file == other,
        _ => one.touched().any(|symbol| other.touched().any(|other| symbol == other)),
    }
}
