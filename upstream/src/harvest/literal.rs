//! Values that a program text states outright.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::snapshot::syntax::{AstNode, AstToken, HasArgList, NodeOrToken, SyntaxKind, SyntaxToken, ast};

/// The most elements of one list, and the longest repeated text.
pub(super) const ELEMENTS_MAX: usize = 4_096;
/// The deepest nesting of one value.
const DEPTH_MAX: usize = 32;

/// A value written as a literal, or as literals put together.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(tag = "is", content = "of", rename_all = "snake_case")]
pub enum Literal {
    /// A text, whether `&str` or `String`.
    Str(String),
    /// A character.
    Char(char),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int {
        /// Its value.
        value: i128,
        /// Its type, where it is written.
        suffix: Option<String>,
    },
    /// A floating-point number as written, its sign included, without separators and suffix.
    Float(String),
    /// Bytes: `b"…"`, or a text's `.as_bytes()`.
    Bytes(Vec<u8>),
    /// An array, a slice, a vector, or the characters of a text.
    List(Vec<Literal>),
    /// A tuple of at least one.
    Tuple(Vec<Literal>),
    /// `Some(…)`
    Some(Box<Literal>),
    /// `None`
    None,
    /// `Ok(…)`
    Ok(Box<Literal>),
    /// `Err(…)`
    Err(Box<Literal>),
    /// `()`
    Unit,
}

/// The values of plain names: `let` bindings of the function and constants of the file.
pub(super) type Names = BTreeMap<String, Literal>;

/// The value of an expression, where it is stated outright.
pub(super) fn literal(expression: &ast::Expr, names: &Names) -> Option<Literal> {
    Evaluation { names }.of(expression, 0)
}

struct Evaluation<'names> {
    names: &'names Names,
}

impl Evaluation<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the parser's many expressions only these can be values"
    )]
    fn of(&self, expression: &ast::Expr, depth: usize) -> Option<Literal> {
        if depth > DEPTH_MAX {
            return None;
        }
        let inner = |expression: Option<ast::Expr>| self.of(&expression?, depth + 1);
        match expression {
            ast::Expr::Literal(written) => written_literal(written),
            ast::Expr::ParenExpr(paren) => inner(paren.expr()),
            ast::Expr::RefExpr(reference) => inner(reference.expr()),
            ast::Expr::CastExpr(cast) => typed(&inner(cast.expr())?, &cast.ty()?.syntax().text().to_string()),
            ast::Expr::PrefixExpr(prefix) => match prefix.op_kind()? {
                ast::UnaryOp::Neg => negated(inner(prefix.expr())?),
                ast::UnaryOp::Deref => inner(prefix.expr()),
                ast::UnaryOp::Not => None,
            },
            ast::Expr::TupleExpr(tuple) => {
                let parts = self.all(tuple.fields(), depth)?;
                Some(if parts.is_empty() { Literal::Unit } else { Literal::Tuple(parts) })
            }
            ast::Expr::ArrayExpr(array) => self.array(array, depth),
            ast::Expr::PathExpr(path) => self.path(path),
            ast::Expr::CallExpr(call) => self.call(call, depth),
            ast::Expr::MethodCallExpr(call) => self.method(call, depth),
            ast::Expr::MacroExpr(call) => self.vec_macro(call, depth),
            // `&a[..]` is all of `a`.
            ast::Expr::IndexExpr(index) => {
                let ast::Expr::RangeExpr(range) = index.index()? else { return None };
                inner(index.base()).filter(|_| range.is_range_full())
            }
            _ => None,
        }
    }

    fn all(&self, expressions: impl Iterator<Item = ast::Expr>, depth: usize) -> Option<Vec<Literal>> {
        let mut values = Vec::new();
        for expression in expressions {
            if values.len() >= ELEMENTS_MAX {
                return None;
            }
            values.push(self.of(&expression, depth + 1)?);
        }
        Some(values)
    }

    fn array(&self, array: &ast::ArrayExpr, depth: usize) -> Option<Literal> {
        match array.kind() {
            ast::ArrayExprKind::ElementList(elements) => Some(Literal::List(self.all(elements, depth)?)),
            ast::ArrayExprKind::Repeat { initializer, repeat } => {
                repeated(&self.of(&initializer?, depth + 1)?, &self.of(&repeat?, depth + 1)?)
            }
        }
    }

    fn path(&self, path: &ast::PathExpr) -> Option<Literal> {
        match path.path()?.syntax().text().to_string().as_str() {
            "None" | "Option::None" => Some(Literal::None),
            name => self.names.get(name).cloned(),
        }
    }

    /// Constructors of the standard library whose value is that of their argument.
    fn call(&self, call: &ast::CallExpr, depth: usize) -> Option<Literal> {
        let function = call.expr()?.syntax().text().to_string();
        let arguments: Vec<ast::Expr> = call.arg_list()?.args().collect();
        let [argument] = arguments.as_slice() else {
            return match (function.as_str(), arguments.len()) {
                ("String::new", 0) => Some(Literal::Str(String::new())),
                ("Vec::new", 0) => Some(Literal::List(Vec::new())),
                _ => None,
            };
        };
        let value = self.of(argument, depth + 1)?;
        if function.rsplit("::").next() == Some("black_box") {
            return Some(value);
        }
        match function.as_str() {
            "Some" => Some(Literal::Some(Box::new(value))),
            "Ok" => Some(Literal::Ok(Box::new(value))),
            "Err" => Some(Literal::Err(Box::new(value))),
            "String::from" | "Vec::from" | "Box::new" | "Cow::from" | "Cow::Borrowed" => Some(value),
            _ => None,
        }
    }

    /// Methods that hand on a value in another form.
    fn method(&self, call: &ast::MethodCallExpr, depth: usize) -> Option<Literal> {
        let value = self.of(&call.receiver()?, depth + 1)?;
        let arguments = self.all(call.arg_list()?.args(), depth)?;
        let name = call.name_ref()?.text().to_owned();
        match (name.as_str(), value, arguments.as_slice()) {
            (
                "to_string" | "to_owned" | "into" | "clone" | "as_str" | "as_ref" | "as_slice" | "to_vec"
                | "iter" | "into_iter" | "cloned" | "copied",
                value,
                [],
            ) => Some(value),
            ("as_bytes" | "bytes" | "into_bytes", Literal::Str(text), []) => {
                Some(Literal::Bytes(text.into_bytes()))
            }
            ("chars", Literal::Str(text), []) => {
                Some(Literal::List(text.chars().take(ELEMENTS_MAX).map(Literal::Char).collect()))
                    .filter(|_| text.chars().nth(ELEMENTS_MAX).is_none())
            }
            ("collect", Literal::List(parts), []) => Some(collected(parts, call)),
            ("repeat", Literal::Str(text), [Literal::Int { value: times, .. }]) => {
                let times = usize::try_from(*times).ok()?;
                (text.len().checked_mul(times)? <= ELEMENTS_MAX).then(|| Literal::Str(text.repeat(times)))
            }
            _ => None,
        }
    }

    /// `vec![…]`, whose tokens read like an array.
    fn vec_macro(&self, call: &ast::MacroExpr, depth: usize) -> Option<Literal> {
        let call = call.macro_call()?;
        if call.path()?.syntax().text() != "vec" {
            return None;
        }
        let tree = call.token_tree()?.syntax().text().to_string();
        let inside = tree.get(1..tree.len().checked_sub(1)?)?;
        let ast::Expr::ArrayExpr(array) = super::tokens::expression(&format!("[{inside}]"))? else {
            return None;
        };
        self.array(&array, depth + 1)
    }
}

fn written_literal(written: &ast::Literal) -> Option<Literal> {
    let tokens = written.syntax().children_with_tokens().filter_map(NodeOrToken::into_token);
    tokens.into_iter().find_map(|token| token_literal(&token))
}

/// The value of a single token, where it is one.
pub(super) fn token_literal(token: &SyntaxToken) -> Option<Literal> {
    if let Some(text) = ast::String::cast(token.clone()) {
        return Some(Literal::Str(text.value().ok()?.into_owned()));
    }
    if let Some(bytes) = ast::ByteString::cast(token.clone()) {
        return Some(Literal::Bytes(bytes.value().ok()?.into_owned()));
    }
    if let Some(number) = ast::IntNumber::cast(token.clone()) {
        let suffix = number.suffix().map(str::to_owned);
        // `1f64` is a whole number to the lexer only.
        if suffix.as_deref().is_some_and(|suffix| suffix.starts_with('f')) {
            return Some(Literal::Float(number.value_string()));
        }
        return Some(Literal::Int { value: i128::try_from(number.value().ok()?).ok()?, suffix });
    }
    if let Some(number) = ast::FloatNumber::cast(token.clone()) {
        return Some(Literal::Float(number.value_string()));
    }
    if let Some(sign) = ast::Char::cast(token.clone()) {
        return Some(Literal::Char(sign.value().ok()?));
    }
    if let Some(sign) = ast::Byte::cast(token.clone()) {
        let value = sign.value().ok()?.into();
        return Some(Literal::Int { value, suffix: Some("u8".to_owned()) });
    }
    let is_true = token.kind() == SyntaxKind::TRUE_KW;
    (is_true || token.kind() == SyntaxKind::FALSE_KW).then_some(Literal::Bool(is_true))
}

fn negated(value: Literal) -> Option<Literal> {
    match value {
        Literal::Int { value, suffix } => Some(Literal::Int { value: value.checked_neg()?, suffix }),
        Literal::Float(text) => Some(Literal::Float(match text.strip_prefix('-') {
            Some(positive) => positive.to_owned(),
            None => format!("-{text}"),
        })),
        Literal::Str(_)
        | Literal::Char(_)
        | Literal::Bool(_)
        | Literal::Bytes(_)
        | Literal::List(_)
        | Literal::Tuple(_)
        | Literal::Some(_)
        | Literal::None
        | Literal::Ok(_)
        | Literal::Err(_)
        | Literal::Unit => None,
    }
}

/// A cast of a whole number to a type that surely holds it.
fn typed(value: &Literal, ty: &str) -> Option<Literal> {
    let (least, most) = match ty {
        "u8" => (0, i128::from(u8::MAX)),
        "u16" => (0, i128::from(u16::MAX)),
        "u32" => (0, i128::from(u32::MAX)),
        "u64" | "usize" => (0, i128::from(u64::MAX)),
        "i8" => (i128::from(i8::MIN), i128::from(i8::MAX)),
        "i16" => (i128::from(i16::MIN), i128::from(i16::MAX)),
        "i32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        "i64" | "isize" => (i128::from(i64::MIN), i128::from(i64::MAX)),
        _ => return None,
    };
    let Literal::Int { value, .. } = value else { return None };
    (least..=most).contains(value).then(|| Literal::Int { value: *value, suffix: Some(ty.to_owned()) })
}

fn repeated(value: &Literal, times: &Literal) -> Option<Literal> {
    let Literal::Int { value: times, .. } = times else { return None };
    let times = usize::try_from(*times).ok().filter(|times| *times <= ELEMENTS_MAX)?;
    Some(Literal::List(vec![value.clone(); times]))
}

/// `.collect::<String>()` makes a text of characters; any other collection stays a list.
fn collected(parts: Vec<Literal>, call: &ast::MethodCallExpr) -> Literal {
    let into_text = call.syntax().text().to_string().ends_with("collect::<String>()");
    let text = parts.iter().map(|part| if let Literal::Char(sign) = part { Some(*sign) } else { None });
    match text.collect::<Option<String>>() {
        Some(text) if into_text => Literal::Str(text),
        Some(_) | None => Literal::List(parts),
    }
}
