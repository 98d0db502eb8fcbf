//! A constant whose value is a plain literal: changed, or new.

use upstream::{Item, ItemChange, ItemKind};

use super::python::{PythonKind, PythonToken, scan};
use super::tokens::{Token, TokenKind};
use super::value::RustLiteral;
use super::{MemberView, Refusal, Rule, code_tokens, spliced};
use crate::edit::{Edit, InsertPlace};
use crate::translate::SymbolContext;

/// Follows the value of a constant.
#[derive(Debug)]
pub(super) struct ChangedConstant;

impl Rule for ChangedConstant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal> {
        let (before, after, aspects) = match &view.member.change {
            ItemChange::Modified { before, after, aspects } => (before, after, aspects),
            ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Relocated { .. } => {
                return Refusal::because("the item is not changed in place");
            }
        };
        if !aspects.body || aspects.signature || aspects.attributes {
            return Refusal::because("more or less than the value changed");
        }
        let (old, new) = (Constant::of(before)?, Constant::of(after)?);
        let (symbol, text) = view.written()?;
        let tokens = scan(text)?;
        let place = assigned(&tokens)?;
        let [first, last] = [place.first(), place.last()].map(|token| token.map(|token| token.span.clone()));
        let (Some(first), Some(last)) = (first, last) else {
            return Refusal::because("nothing is assigned");
        };
        let (negative, literal) = plain(place)?;
        if new.is(negative, literal) {
            // A person was faster, or another branch: it is so already.
            return Ok(Vec::new());
        }
        if !old.is(negative, literal) {
            return Refusal::because("the symbol's value is not the old constant's");
        }
        let text = spliced(text, vec![(first.start..last.end, new.python(literal.quote()))])?;
        Ok(vec![Edit::Replace { symbol: symbol.symbol.clone(), expected: symbol.hash.clone(), text }])
    }
}

/// Writes a new constant.
#[derive(Debug)]
pub(super) struct NewConstant;

impl Rule for NewConstant {
    fn name(&self) -> &'static str {
        "new constant"
    }

    fn edits(&self, view: MemberView<'_>) -> Result<Vec<Edit>, Refusal> {
        let after = match &view.member.change {
            ItemChange::Added { after } => after,
            ItemChange::Removed { .. } | ItemChange::Modified { .. } | ItemChange::Relocated { .. } => {
                return Refusal::because("the item is not new");
            }
        };
        let constant = Constant::of(after)?;
        if let Ok((_, text)) = view.written() {
            let tokens = scan(text)?;
            let (negative, literal) = plain(assigned(&tokens)?)?;
            if constant.is(negative, literal) {
                return Ok(Vec::new());
            }
        }
        view.absent()?;
        let parent = after.path.parent();
        let owner = parent.as_ref().map(upstream::ItemPath::name).unwrap_or_default();
        if owner.starts_with('<') || owner.starts_with(char::is_uppercase) {
            return Refusal::because("the constant belongs to a type");
        }
        let symbol = view.member.symbol.clone();
        let text = format!("{} = {}", symbol.name(), constant.python('"'));
        let beside =
            view.others().filter(|other| other.file == view.member.file && is_constant(other)).last();
        let place = match beside {
            Some(beside) => InsertPlace::After(beside.symbol.clone()),
            None => InsertPlace::InFile(view.member.file.clone()),
        };
        Ok(vec![Edit::Insert { symbol, place, text }])
    }
}

/// A constant's value.
struct Constant {
    negative: bool,
    literal: RustLiteral,
}

/// The sign and the literal that are assigned, where nothing else is.
fn plain(place: &[PythonToken]) -> Result<(bool, &PythonToken), Refusal> {
    match place {
        [literal] => Ok((false, literal)),
        [minus, literal] if minus.is("-") => Ok((true, literal)),
        _ => Refusal::because("the symbol's value is no plain literal"),
    }
}

impl Constant {
    /// Whether a literal of the port, with its sign, is this value.
    fn is(&self, negative: bool, literal: &PythonToken) -> bool {
        negative == self.negative && literal.value.as_ref() == Some(&self.literal.value)
    }

    fn of(item: &Item) -> Result<Self, Refusal> {
        if !matches!(item.kind, ItemKind::Const | ItemKind::Static) {
            return Refusal::because("the item is no constant");
        }
        let tokens = code_tokens(item)?;
        if tokens.iter().any(|token| token.is("mut")) {
            return Refusal::because("the static may change");
        }
        let Some(colon) = tokens.iter().position(|token| token.is(":")) else {
            return Refusal::because("the constant has no type");
        };
        let Some(equals) = tokens.iter().position(|token| token.is("=")) else {
            return Refusal::because("the constant has no value");
        };
        if tokens.get(colon..equals).unwrap_or_default().iter().any(|token| token.is("f32")) {
            return Refusal::because("the constant is single-precision");
        }
        let value = tokens.get(equals + 1..).unwrap_or_default();
        let (negative, literal): (bool, &Token) = match value {
            [literal, end] if end.is(";") => (false, literal),
            [minus, literal, end] if minus.is("-") && end.is(";") => (true, literal),
            _ => return Refusal::because("the constant's value is no plain literal"),
        };
        if negative && !matches!(literal.kind, TokenKind::Integer | TokenKind::Float) {
            return Refusal::because("the constant's value is no plain literal");
        }
        let is_whole = literal.kind == TokenKind::Integer;
        if is_whole && tokens.get(colon..equals).unwrap_or_default().iter().any(|token| token.is("f64")) {
            return Refusal::because("a whole number stands for a floating-point one");
        }
        Ok(Self { negative, literal: RustLiteral::of(literal)? })
    }

    fn python(&self, quote: char) -> String {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{}", self.literal.python(quote))
    }
}

/// The tokens behind the one `=` of an assignment to a name, up to the end of its line.
fn assigned(tokens: &[PythonToken]) -> Result<&[PythonToken], Refusal> {
    let equals = tokens.iter().position(|token| token.is("="));
    let (Some(first), Some(equals)) = (tokens.first(), equals) else {
        return Refusal::because("the symbol is no assignment");
    };
    let annotated = tokens.get(1).is_some_and(|token| token.is(":"));
    if first.kind != PythonKind::Name || (equals != 1 && !annotated) {
        return Refusal::because("the symbol is no assignment to a name");
    }
    let value = tokens.get(equals + 1..).unwrap_or_default();
    let ends = |token: &PythonToken| matches!(token.kind, PythonKind::LineEnd | PythonKind::Comment);
    let end = value.iter().position(ends).unwrap_or(value.len());
    let (value, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
    if !rest.iter().all(ends) {
        return Refusal::because("the symbol is more than one assignment");
    }
    Ok(value)
}

fn is_constant(symbol: &SymbolContext) -> bool {
    let tokens = symbol.text.as_deref().and_then(|text| scan(text).ok()).unwrap_or_default();
    assigned(&tokens).is_ok()
}
