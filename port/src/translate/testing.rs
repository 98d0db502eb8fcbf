//! Requests, items and a small codec for the tests of this folder.

use mappings::{SymbolPath, UnitId, UnitKind, UnitMember, WorkUnit};
use upstream::diff::Aspects;
use upstream::snapshot::Visibility;
use upstream::{
    CommitId, ContentHash, Fingerprint, Item, ItemChange, ItemKind, ItemPath, Revision, RevisionLabel,
};

use super::codec::{AnswerCodec, CodecError};
use super::{SymbolContext, TranslationRequest};
use crate::edit::Answer;

/// A codec that writes answers as JSON behind their nonce.
pub(crate) const CODEC: AnswerCodec =
    AnswerCodec { parse, render, grammar_text: "One line: the nonce, a blank, the answer as JSON." };

fn parse(text: &str, nonce: &str) -> Result<Answer, CodecError> {
    let error = |code: &str, reason: String| CodecError { code: code.to_owned(), reason };
    let Some(json) = text.trim().strip_prefix(nonce) else {
        return Err(error("no-nonce", "the answer does not begin with its nonce".to_owned()));
    };
    serde_json::from_str(json.trim()).map_err(|fault| error("grammar", fault.to_string()))
}

fn render(answer: &Answer, nonce: &str) -> String {
    format!("{nonce} {}", serde_json::to_string(answer).unwrap())
}

pub(crate) fn symbol(path: &str) -> SymbolPath {
    SymbolPath::new(path).unwrap()
}

/// A symbol with its text, or without any where the text is empty.
pub(crate) fn context(path: &str, file: &str, text: &str) -> SymbolContext {
    let hash = ContentHash::of(text).to_string();
    SymbolContext {
        symbol: symbol(path),
        file: file.to_owned(),
        text: (!text.is_empty()).then(|| text.to_owned()),
        hash: if text.is_empty() { String::new() } else { hash },
    }
}

pub(crate) fn item(path: &str, kind: ItemKind, text: &str) -> Item {
    let hash = ContentHash::of(text);
    Item {
        path: ItemPath::new(path).unwrap(),
        kind,
        file: "src/lib.rs".to_owned(),
        span: 0..text.len(),
        line: 1,
        visibility: Visibility::Public,
        exported: true,
        is_test: text.contains("#[test]"),
        fingerprint: Fingerprint { signature: hash, body: hash, docs: hash, attributes: hash },
        text: text.to_owned(),
        docs: String::new(),
        attributes: if text.contains("#[test]") { vec!["#[test]".to_owned()] } else { Vec::new() },
        signature: None,
        aliased: None,
        members: Vec::new(),
        mentions: upstream::Words::default(),
    }
}

pub(crate) fn body_change(path: &str, kind: ItemKind, before: &str, after: &str) -> ItemChange {
    ItemChange::Modified {
        before: item(path, kind, before),
        after: item(path, kind, after),
        aspects: Aspects { body: true, ..Aspects::default() },
    }
}

/// A request with one member, whose symbol is the first of these.
pub(crate) fn request(change: ItemChange, symbols: Vec<SymbolContext>) -> TranslationRequest {
    let member = UnitMember {
        change,
        symbol: symbols[0].symbol.clone(),
        file: symbols[0].file.clone(),
        edited_by_hand: false,
    };
    TranslationRequest {
        revision: Revision {
            label: RevisionLabel::new("1.1.0").unwrap(),
            commit: CommitId::new("0123456789abcdef0123456789abcdef01234567").unwrap(),
            summary: "release 1.1.0".to_owned(),
            published_s: None,
            withdrawn: false,
        },
        unit: WorkUnit {
            id: UnitId::new(member.change.path().as_str()).unwrap(),
            kind: UnitKind::Change,
            members: vec![member],
            reason: "the body changed".to_owned(),
            impacted: Vec::new(),
            after: Vec::new(),
            wave: 0,
            tokens_estimate: 0,
        },
        symbols,
        hidden: Vec::new(),
        neighbours: Vec::new(),
        signatures: Vec::new(),
        uses: Vec::new(),
        digest: String::new(),
        imports: Vec::new(),
        runtime: None,
        style: String::new(),
        attempt: 1,
        candidate: 0,
        feedback: None,
        wanted: Vec::new(),
        surroundings: None,
    }
}

/// A small request: the limit of a function grew.
pub(crate) fn limit_request() -> TranslationRequest {
    let change = body_change(
        "krate::clamp",
        ItemKind::Function,
        "pub fn clamp(x: i64) -> i64 { x.min(10) }",
        "pub fn clamp(x: i64) -> i64 { x.min(12) }",
    );
    request(change, vec![context("pkg.clamp", "pkg.py", "def clamp(x):\n    return min(x, 10)")])
}
