//! Values and outcomes as both drivers speak of them, with their JSON form (`docs/driver-protocol.md`).
//!
//! Main types: [`Value`] and [`Outcome`]. Reading never panics on what a driver wrote: foreign code
//! stands behind it.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

/// A value of either side, free of its language.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// `()`, and Python's `None`.
    Unit,
    /// A truth value; never an integer.
    Bool(bool),
    /// An integer of any width, as decimal text without a plus sign or leading zeros.
    Int(String),
    /// A 64-bit float by its bits.
    Float(u64),
    /// A 32-bit float by its bits; only the upstream has these.
    Float32(u32),
    /// One character; only the upstream tells it from a text.
    Char(char),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// `None`.
    Nothing,
    /// `Some(value)`.
    Some(Box<Value>),
    /// `Ok(value)`.
    Ok(Box<Value>),
    /// `Err(value)`.
    Err(Box<Value>),
    /// A list, slice, array, or an iterator's elements.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A map's entries, in no meaningful order.
    Map(Vec<(Value, Value)>),
    /// A set's elements, in no meaningful order.
    Set(Vec<Value>),
    /// A struct, a variant of an enum, or an object, field by field.
    Record(Record),
    /// A result with what is left in the arguments that the call changed in place.
    Changed {
        /// What it returned.
        result: Box<Value>,
        /// What is left, by the order of the arguments.
        left: Vec<Value>,
    },
    /// An argument of a type of the upstream's crate, by what makes it; never a result.
    Made {
        /// What makes it ([`super::Maker`]).
        maker: String,
        /// What that is given.
        arguments: Vec<Value>,
    },
    /// Something that is known by its text for programmers alone.
    Opaque {
        /// The path of its type.
        class: String,
        /// Its `Debug` text, or `repr`.
        text: String,
    },
}

/// A struct, a variant of an enum, or an object of the port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The path of its type: the item's, or module and name of the port's class.
    pub class: String,
    /// The paths of the classes that it is an instance of, itself first; the port's alone have these.
    pub lineage: Vec<String>,
    /// Which variant of an enum it is.
    pub variant: Option<String>,
    /// The fields by name, those of a tuple by number, in the order of their declaration. One without a
    /// name stands for all that cannot be looked at.
    pub fields: Vec<(String, Value)>,
    /// Whether its fields are numbered (or have an order that stands for numbers).
    pub is_positional: bool,
}

/// How an exception came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Somebody meant it: a class of the port's own, a `raise`, or a conversion that refuses its text.
    Deliberate,
    /// The language refused an index, a key, a division or an assertion, and nobody wrote `raise`. It can
    /// stand for a panic, never for an error that the upstream returns.
    Slip,
    /// A class that means broken code (`TypeError`, `NameError` and their like): never equal to anything.
    Crash,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It returned.
    Value(Value),
    /// It raised an exception (the port only).
    Error {
        /// The exception's class, without modules.
        class: String,
        /// Its text, shortened.
        text: String,
        /// How it came about.
        manner: Manner,
        /// The paths of the classes that it is an instance of, itself first.
        lineage: Vec<String>,
    },
    /// What each call of a sequence on one value came to, as far as they came.
    Steps(Vec<Outcome>),
    /// It panicked (the upstream only).
    Panic {
        /// The message.
        text: String,
    },
    /// It did not come back in time.
    Timeout,
    /// The process died, the symbol is not there, or the result cannot be written down.
    Crashed {
        /// How.
        how: String,
    },
    /// An argument of a type of its own could not be made as the upstream makes it (the port only).
    Unmade {
        /// Why.
        reason: String,
    },
    /// It could not be asked, for a cause outside the code.
    Blocked {
        /// Why.
        reason: String,
    },
}

/// A driver wrote something that is no value or outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {expected}: {found}")]
pub struct MalformedValue {
    /// What it should have been.
    pub expected: &'static str,
    /// The beginning of what it was.
    pub found: String,
}

/// How much of a malformed text is quoted.
const QUOTED_CHARS: usize = 200;

fn malformed(expected: &'static str, found: &Json) -> MalformedValue {
    MalformedValue { expected, found: found.to_string().chars().take(QUOTED_CHARS).collect() }
}

impl Value {
    /// An integer.
    pub fn int(number: impl Into<i128>) -> Self {
        Self::Int(number.into().to_string())
    }

    /// A 64-bit float.
    pub fn float(number: f64) -> Self {
        Self::Float(number.to_bits())
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The JSON form.
    pub fn to_json(&self) -> Json {
        let all = |values: &[Self]| values.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::Unit => json!(["u"]),
            Self::Bool(truth) => json!(["b", truth]),
            Self::Int(digits) => json!(["i", digits]),
            Self::Float(bits) => json!(["f", format!("{bits:016x}"), f64::from_bits(*bits).to_string()]),
            Self::Float32(bits) => json!(["g", format!("{bits:08x}"), f32::from_bits(*bits).to_string()]),
            Self::Char(char) => json!(["c", char]),
            Self::Text(text) => json!(["s", text]),
            Self::Bytes(bytes) => json!(["y", hex::encode(bytes)]),
            Self::Nothing => json!(["n"]),
            Self::Some(value) => json!(["o", value.to_json()]),
            Self::Ok(value) => json!(["k", value.to_json()]),
            Self::Err(value) => json!(["e", value.to_json()]),
            Self::List(values) => json!(["l", all(values)]),
            Self::Tuple(values) => json!(["t", all(values)]),
            Self::Set(values) => json!(["z", all(values)]),
            Self::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| json!([key.to_json(), value.to_json()])).collect();
                json!(["m", entries])
            }
            Self::Record(record) => record.to_json(),
            Self::Changed { result, left } => json!(["w", result.to_json(), all(left)]),
            Self::Made { maker, arguments } => json!(["v", all(arguments), maker]),
            Self::Opaque { class, text } => json!(["d", class, text]),
        }
    }

    /// Reads the JSON form.
    pub fn from_json(json: &Json) -> Result<Self, MalformedValue> {
        let wrong = || malformed("value", json);
        let parts = json.as_array().ok_or_else(wrong)?;
        let tag = parts.first().and_then(Json::as_str).ok_or_else(wrong)?;
        let text = |at: usize| parts.get(at).and_then(Json::as_str).ok_or_else(wrong);
        let inner = || Self::from_json(parts.get(1).ok_or_else(wrong)?).map(Box::new);
        let all = || -> Result<Vec<Self>, MalformedValue> {
            parts.get(1).and_then(Json::as_array).ok_or_else(wrong)?.iter().map(Self::from_json).collect()
        };
        Ok(match tag {
            "u" => Self::Unit,
            "n" => Self::Nothing,
            "b" => Self::Bool(parts.get(1).and_then(Json::as_bool).ok_or_else(wrong)?),
            "i" => Self::Int(checked_digits(text(1)?).ok_or_else(wrong)?),
            "f" => Self::Float(u64::from_str_radix(text(1)?, 16).ok().ok_or_else(wrong)?),
            "g" => Self::Float32(u32::from_str_radix(text(1)?, 16).ok().ok_or_else(wrong)?),
            "c" => {
                let mut chars = text(1)?.chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) => Self::Char(only),
                    (_, _) => return Err(wrong()),
                }
            }
            "s" => Self::Text(text(1)?.to_owned()),
            "y" => Self::Bytes(hex::decode(text(1)?).ok().ok_or_else(wrong)?),
            "o" => Self::Some(inner()?),
            "k" => Self::Ok(inner()?),
            "e" => Self::Err(inner()?),
            "l" => Self::List(all()?),
            "t" => Self::Tuple(all()?),
            "z" => Self::Set(all()?),
            "m" => {
                let entries = parts.get(1).and_then(Json::as_array).ok_or_else(wrong)?;
                let entry = |entry: &Json| match entry.as_array().map(Vec::as_slice) {
                    Some([key, value]) => Ok((Self::from_json(key)?, Self::from_json(value)?)),
                    Some(_) | None => Err(wrong()),
                };
                Self::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
            }
            "w" => {
                let left = parts.get(2).and_then(Json::as_array).ok_or_else(wrong)?;
                let left = left.iter().map(Self::from_json).collect::<Result<_, _>>()?;
                Self::Changed { result: inner()?, left }
            }
            "v" => Self::Made { arguments: all()?, maker: text(2)?.to_owned() },
            "r" => Self::Record(Record::from_json(json).ok_or_else(wrong)?),
            "d" => Self::Opaque { class: text(1)?.to_owned(), text: text(2)?.to_owned() },
            _ => return Err(wrong()),
        })
    }

    /// How large it is: what shrinking makes smaller.
    pub fn size(&self) -> u64 {
        match self {
            Self::Unit | Self::Nothing => 0,
            Self::Bool(truth) => u64::from(*truth),
            Self::Int(digits) if digits == "0" => 0,
            Self::Int(digits) => {
                2 * digits.len() as u64 + digits.bytes().map(|byte| u64::from(byte % 16)).sum::<u64>() / 8
            }
            Self::Float(bits) => f64::from_bits(*bits).to_string().len() as u64,
            Self::Float32(bits) => f32::from_bits(*bits).to_string().len() as u64,
            Self::Char(char) => char_size(*char),
            Self::Text(text) => text.chars().map(|char| 2 + char_size(char)).sum(),
            Self::Bytes(bytes) => bytes.iter().map(|byte| 2 + u64::from(*byte > 0)).sum(),
            Self::Some(value) | Self::Ok(value) | Self::Err(value) => 1 + value.size(),
            Self::List(values) | Self::Tuple(values) | Self::Set(values) => {
                values.iter().map(|value| 2 + value.size()).sum()
            }
            Self::Changed { result, left } => result.size() + left.iter().map(Self::size).sum::<u64>(),
            Self::Made { arguments, .. } => arguments.iter().map(|value| 2 + value.size()).sum(),
            Self::Map(entries) => entries.iter().map(|(key, value)| 3 + key.size() + value.size()).sum(),
            Self::Record(record) => record.fields.iter().map(|(_, value)| 2 + value.size()).sum(),
            Self::Opaque { text, .. } => text.len() as u64,
        }
    }

    /// The value as one would write it in Python.
    pub fn to_python(&self) -> String {
        self.python_by(&|maker, given| format!("{}({given})", last_name(maker)))
    }

    /// The same, where the port has names of its own for what makes arguments.
    pub(super) fn python_by(&self, named: &dyn Fn(&str, &str) -> String) -> String {
        let one = |value: &Self| value.python_by(named);
        let list = |values: &[Self]| values.iter().map(one).collect::<Vec<_>>().join(", ");
        match self {
            Self::Unit | Self::Nothing => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(digits) => digits.clone(),
            Self::Float(bits) => python_float(f64::from_bits(*bits)),
            Self::Float32(bits) => python_float(f64::from(f32::from_bits(*bits))),
            Self::Char(char) => python_text(&char.to_string()),
            Self::Text(text) => python_text(text),
            Self::Bytes(bytes) => {
                let mut out = "b'".to_owned();
                for byte in bytes {
                    match byte {
                        b'\'' | b'\\' => out.extend(['\\', char::from(*byte)]),
                        0x20..=0x7e => out.push(char::from(*byte)),
                        0..=0x1f | 0x7f..=0xff => append(&mut out, format_args!("\\x{byte:02x}")),
                    }
                }
                out + "'"
            }
            Self::Some(value) | Self::Ok(value) => one(value),
            Self::Err(value) => format!("Err({})", one(value)),
            Self::List(values) => format!("[{}]", list(values)),
            Self::Tuple(values) if values.len() == 1 => format!("({},)", list(values)),
            Self::Tuple(values) => format!("({})", list(values)),
            Self::Set(values) if values.is_empty() => "set()".to_owned(),
            Self::Set(values) => format!("{{{}}}", list(values)),
            Self::Map(entries) => {
                let entry = |(key, value): &(Self, Self)| format!("{}: {}", one(key), one(value));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            Self::Record(record) => record.to_python(),
            Self::Changed { result, left } => format!("{}, leaving {}", one(result), list(left)),
            Self::Made { maker, arguments } => named(maker, &list(arguments)),
            Self::Opaque { class, text } => match (last_name(class), text.as_str()) {
                ("", "") => "<a value that nobody can look at>".to_owned(),
                ("", text) => format!("<{text}>"),
                (class, text) => format!("<{class}: {text}>"),
            },
        }
    }
}

impl Record {
    fn to_json(&self) -> Json {
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| json!([name, value.to_json()])).collect();
        let form = if self.is_positional { "positional" } else { "named" };
        json!(["r", self.class, self.lineage, self.variant, fields, form])
    }

    fn from_json(json: &Json) -> Option<Self> {
        let [_, class, lineage, variant, fields, form] = json.as_array()?.as_slice() else { return None };
        let text = |json: &Json| json.as_str().map(str::to_owned);
        let field = |json: &Json| match json.as_array()?.as_slice() {
            [name, value] => Some((text(name)?, Value::from_json(value).ok()?)),
            _ => None,
        };
        Some(Self {
            class: text(class)?,
            lineage: lineage.as_array()?.iter().map(text).collect::<Option<_>>()?,
            variant: if variant.is_null() { None } else { Some(text(variant)?) },
            fields: fields.as_array()?.iter().map(field).collect::<Option<_>>()?,
            is_positional: match form.as_str()? {
                "positional" => true,
                "named" => false,
                _ => return None,
            },
        })
    }

    /// As one would write it in Python.
    fn to_python(&self) -> String {
        let class = last_name(&self.class);
        let name =
            self.variant.as_ref().map_or_else(|| class.to_owned(), |variant| format!("{class}.{variant}"));
        if self.variant.is_some() && self.fields.is_empty() {
            return name;
        }
        let field = |(name, value): &(String, Value)| match name.as_str() {
            "" => "...".to_owned(),
            _ if self.is_positional => value.to_python(),
            _ => format!("{name}={}", value.to_python()),
        };
        format!("{name}({})", self.fields.iter().map(field).collect::<Vec<_>>().join(", "))
    }
}

/// The last name of a path of either side.
pub(super) fn last_name(path: &str) -> &str {
    path.rsplit([':', '.']).next().unwrap_or(path)
}

impl Manner {
    const ALL: [Self; 3] = [Self::Deliberate, Self::Slip, Self::Crash];

    fn word(self) -> &'static str {
        match self {
            Self::Deliberate => "deliberate",
            Self::Slip => "slip",
            Self::Crash => "crash",
        }
    }
}

/// An order as the truth value that `__lt__` and its like answer with; what cannot be ordered is neither less
/// nor greater. `None` where the symbol or the outcome is another one.
pub(super) fn order_as_truth(symbol: &str, outcome: &Outcome) -> Option<Outcome> {
    let holds = |order: i8| match symbol {
        "__lt__" => Some(order < 0),
        "__le__" => Some(order <= 0),
        "__gt__" => Some(order > 0),
        "__ge__" => Some(order >= 0),
        _ => None,
    };
    let Outcome::Value(value) = outcome else { return None };
    let value = if let Value::Some(inner) = value { inner } else { value };
    let truth = if let Value::Int(order) = value {
        holds(order.parse().ok()?)?
    } else {
        holds(0)?;
        matches!(value, Value::Nothing).then_some(false)?
    };
    Some(Outcome::Value(Value::Bool(truth)))
}

/// Plain characters count as smaller, so that shrinking ends in readable texts.
fn char_size(char: char) -> u64 {
    match char {
        'a'..='z' => 0,
        '\0'..='\x7f' => 1,
        _ => 2 + char.len_utf8() as u64,
    }
}

fn checked_digits(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && text != "-0";
    canonical.then(|| text.to_owned())
}

fn python_float(number: f64) -> String {
    if number.is_nan() {
        "float('nan')".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "float('inf')".to_owned() } else { "float('-inf')".to_owned() }
    } else {
        format!("{number:?}")
    }
}

fn python_text(text: &str) -> String {
    let mut out = "'".to_owned();
    for char in text.chars() {
        match char {
            '\'' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(char),
            _ if char.is_alphanumeric() => out.push(char),
            _ => match u32::from(char) {
                code @ 0..=0xff => append(&mut out, format_args!("\\x{code:02x}")),
                code @ 0x100..=0xffff => append(&mut out, format_args!("\\u{code:04x}")),
                code => append(&mut out, format_args!("\\U{code:08x}")),
            },
        }
    }
    out + "'"
}

fn append(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a string does not fail");
}

impl Outcome {
    /// The JSON form.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Value(value) => json!(["value", value.to_json()]),
            Self::Error { class, text, manner, lineage } => {
                json!(["error", class, text, manner.word(), lineage])
            }
            Self::Steps(steps) => json!(["steps", steps.iter().map(Self::to_json).collect::<Vec<_>>()]),
            Self::Panic { text } => json!(["panic", text]),
            Self::Timeout => json!(["timeout"]),
            Self::Crashed { how } => json!(["crashed", how]),
            Self::Unmade { reason } => json!(["unmade", reason]),
            Self::Blocked { reason } => json!(["blocked", reason]),
        }
    }

    /// Reads the JSON form.
    pub fn from_json(json: &Json) -> Result<Self, MalformedValue> {
        let wrong = || malformed("outcome", json);
        let parts = json.as_array().ok_or_else(wrong)?;
        let text = |at: usize| parts.get(at).and_then(Json::as_str).ok_or_else(wrong).map(str::to_owned);
        Ok(match text(0)?.as_str() {
            "value" => Self::Value(Value::from_json(parts.get(1).ok_or_else(wrong)?)?),
            "error" => Self::Error {
                class: text(1)?,
                text: text(2)?,
                manner: {
                    let word = text(3)?;
                    Manner::ALL.into_iter().find(|manner| manner.word() == word).ok_or_else(wrong)?
                },
                lineage: {
                    let classes = parts.get(4).and_then(Json::as_array).ok_or_else(wrong)?;
                    let names = classes.iter().map(|class| class.as_str().map(str::to_owned));
                    names.collect::<Option<_>>().ok_or_else(wrong)?
                },
            },
            "steps" => {
                let steps = parts.get(1).and_then(Json::as_array).ok_or_else(wrong)?;
                Self::Steps(steps.iter().map(Self::from_json).collect::<Result<_, _>>()?)
            }
            "panic" => Self::Panic { text: text(1)? },
            "timeout" => Self::Timeout,
            "crashed" => Self::Crashed { how: text(1)? },
            "unmade" => Self::Unmade { reason: text(1)? },
            "blocked" => Self::Blocked { reason: text(1)? },
            _ => return Err(wrong()),
        })
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(Value::Err(error)) => write!(f, "an error: {}", error.to_python()),
            Self::Value(value) => f.write_str(&value.to_python()),
            Self::Error { class, text, .. } if text.is_empty() => write!(f, "raises {class}"),
            Self::Error { class, text, .. } => write!(f, "raises {class}: {text}"),
            Self::Steps(steps) => match steps.last() {
                Some(last) => write!(f, "{last}, in the last of {} calls", steps.len()),
                None => f.write_str("makes the value"),
            },
            Self::Panic { text } => write!(f, "panics: {text}"),
            Self::Timeout => f.write_str("does not come back in time"),
            Self::Crashed { how } => write!(f, "crashes: {how}"),
            Self::Unmade { reason } | Self::Blocked { reason } => write!(f, "could not be asked: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Unit),
            any::<bool>().prop_map(Value::Bool),
            any::<i128>().prop_map(Value::int),
            any::<u64>().prop_map(Value::Float),
            any::<u32>().prop_map(Value::Float32),
            any::<char>().prop_map(Value::Char),
            any::<String>().prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<(String, String)>().prop_map(|(class, text)| Value::Opaque { class, text }),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..4);
            let entries = prop::collection::vec((inner.clone(), inner.clone()), 0..3);
            let fields = prop::collection::vec((any::<String>(), inner.clone()), 0..3);
            prop_oneof![
                Just(Value::Nothing),
                inner.clone().prop_map(|value| Value::Some(Box::new(value))),
                inner.clone().prop_map(|value| Value::Ok(Box::new(value))),
                inner.prop_map(|value| Value::Err(Box::new(value))),
                list.clone().prop_map(Value::List),
                list.clone().prop_map(Value::Tuple),
                list.prop_map(Value::Set),
                entries.prop_map(Value::Map),
                (fields, any::<Option<String>>(), any::<bool>()).prop_map(
                    |(fields, variant, is_positional)| {
                        let (class, lineage) = ("a.B".to_owned(), vec!["a.B".to_owned()]);
                        Value::Record(Record { class, lineage, variant, fields, is_positional })
                    }
                ),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_comes_back_from_its_json_form(value in any_value()) {
            let line = value.to_json().to_string();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(Value::from_json(&serde_json::from_str(&line).unwrap()).unwrap(), value);
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in [
            "1",
            "[]",
            "[\"q\"]",
            "[\"i\",\"01\"]",
            "[\"i\",\"-0\"]",
            "[\"i\",\"1.5\"]",
            "[\"c\",\"ab\"]",
            "[\"l\",3]",
            "[\"m\",[[[\"u\"]]]]",
            "[\"y\",\"abc\"]",
            "[\"f\",\"xyz\"]",
            "[\"o\"]",
            "[\"r\",\"A\",[],null,[[\"x\"]],\"named\"]",
            "[\"r\",\"A\",[],null,[],\"loose\"]",
        ] {
            let json = serde_json::from_str(text).unwrap();
            assert!(Value::from_json(&json).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_shown_as_python() {
        let value = Value::Tuple(vec![
            Value::text("é'\u{1f600}\n"),
            Value::List(vec![Value::int(-3), Value::float(1e21)]),
            Value::Bytes(b"a\xff".to_vec()),
        ]);
        assert_eq!(value.to_python(), "('é\\'\\U0001f600\\n', [-3, 1e21], b'a\\xff')");
    }
}
