//! Whether an outcome of the port is the one that the upstream's outcome asks for.
//!
//! Main function: [`compare`]. The upstream's value directs the comparison. Texts of errors and panics are
//! never compared: they are not part of what a port promises.

use std::collections::BTreeMap;

use super::compare_record::{compare_records, names_variant};
use super::report::ErrorPolicy;
use super::value::{Manner, Outcome, Record, Value, last_name};

/// How exactly the sides must agree. It is shown in reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Floats agree within this many steps between neighbouring floats.
    pub ulps_max: u64,
    /// Floats agree within this distance.
    pub distance_max: f64,
    /// Classes of the port that are linked to types of the upstream, by the type's path.
    pub classes: BTreeMap<String, LinkedClass>,
}

/// A class of the port that is linked to a type of the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedClass {
    /// Module and name.
    pub path: String,
    /// Whether its values can be raised: only such a class can be demanded of an error.
    pub is_exception: bool,
    /// The variants of the type, where it is an enum.
    pub variants: Vec<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self { ulps_max: 4, distance_max: 1e-12, classes: BTreeMap::new() }
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "floats within {} ULP or {:e}, all else exact", self.ulps_max, self.distance_max)
    }
}

impl Profile {
    /// By which rule an error of the upstream's was held against what the port raised.
    pub(super) fn policy(&self, upstream: &Outcome) -> Option<ErrorPolicy> {
        match upstream {
            Outcome::Value(Value::Err(error)) => Some(match self.exception(error) {
                Some(_) => ErrorPolicy::LinkedClass,
                None => ErrorPolicy::AnyDeliberate,
            }),
            Outcome::Panic { .. } => Some(ErrorPolicy::AnyDeliberate),
            Outcome::Value(_) | Outcome::Error { .. } | Outcome::Timeout => None,
            Outcome::Steps(_)
            | Outcome::Crashed { .. }
            | Outcome::Unmade { .. }
            | Outcome::Blocked { .. } => None,
        }
    }

    /// The exception class that is linked to an error's type.
    fn exception(&self, error: &Value) -> Option<&LinkedClass> {
        self.classes.get(class_of(error)?).filter(|linked| linked.is_exception)
    }
}

fn class_of(value: &Value) -> Option<&str> {
    match value {
        Value::Record(Record { class, .. }) | Value::Opaque { class, .. } => Some(class),
        Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Float32(_) => None,
        Value::Char(_) | Value::Text(_) | Value::Bytes(_) | Value::Nothing | Value::Some(_) => None,
        Value::Ok(_) | Value::Err(_) | Value::List(_) | Value::Tuple(_) | Value::Map(_) | Value::Set(_) => {
            None
        }
        Value::Made { .. } | Value::Changed { .. } => None,
    }
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// The port does as the upstream does.
    Same,
    /// It does not.
    Different,
    /// Both answered, and nothing speaks against the port; but what one of them gave cannot be looked at, so
    /// nothing is proved either.
    Unobserved {
        /// What cannot be looked at.
        reason: String,
    },
    /// There is nothing to compare with.
    NotComparable {
        /// Why.
        reason: String,
    },
}

impl Agreement {
    pub(super) fn when(same: bool) -> Self {
        if same { Self::Same } else { Self::Different }
    }

    fn unknown(reason: impl Into<String>) -> Self {
        Self::NotComparable { reason: reason.into() }
    }

    pub(super) fn unobserved(reason: impl Into<String>) -> Self {
        Self::Unobserved { reason: reason.into() }
    }

    /// The agreement of a whole from that of its parts: a difference decides, then what is not comparable,
    /// then what was not looked at.
    pub(super) fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Same;
        for part in parts {
            match (&part, &whole) {
                (Self::Different, _) => return part,
                (Self::NotComparable { .. }, _) | (Self::Unobserved { .. }, Self::Same) => whole = part,
                (Self::Same | Self::Unobserved { .. }, _) => {}
            }
        }
        whole
    }
}

/// Compares what the upstream did with what the port did.
pub fn compare(profile: &Profile, upstream: &Outcome, port: &Outcome) -> Agreement {
    match port {
        Outcome::Blocked { reason } => return Agreement::unknown(reason),
        Outcome::Unmade { reason } => return Agreement::unobserved(reason.clone()),
        Outcome::Value(_) | Outcome::Error { .. } | Outcome::Panic { .. } | Outcome::Steps(_) => {}
        Outcome::Timeout | Outcome::Crashed { .. } => {}
    }
    if let Outcome::Value(value) = upstream
        && let Some(error) = failed(value)
    {
        return raised(profile, error, port);
    }
    match upstream {
        Outcome::Value(expected) => match port {
            Outcome::Value(found) => compare_values(profile, expected, found),
            Outcome::Error { .. } | Outcome::Panic { .. } | Outcome::Timeout | Outcome::Crashed { .. } => {
                Agreement::Different
            }
            Outcome::Steps(_) => Agreement::Different,
            Outcome::Unmade { reason } | Outcome::Blocked { reason } => Agreement::unknown(reason),
        },
        Outcome::Steps(expected) => match port {
            // The port may go on where the upstream could not.
            Outcome::Steps(found) if found.len() >= expected.len() => Agreement::of_parts(
                expected.iter().zip(found).map(|(one, other)| compare(profile, one, other)),
            ),
            Outcome::Value(_) | Outcome::Error { .. } | Outcome::Panic { .. } | Outcome::Steps(_) => {
                Agreement::Different
            }
            Outcome::Timeout | Outcome::Crashed { .. } => Agreement::Different,
            Outcome::Unmade { reason } | Outcome::Blocked { reason } => Agreement::unknown(reason),
        },
        // The machine's memory is not the code's doing.
        Outcome::Panic { text } if text.contains("capacity overflow") => {
            Agreement::unknown("the upstream ran out of memory")
        }
        Outcome::Panic { .. } => {
            Agreement::when(matches!(port, Outcome::Error { manner: Manner::Deliberate | Manner::Slip, .. }))
        }
        Outcome::Error { class, .. } => {
            Agreement::when(matches!(port, Outcome::Error { class: found, .. } if found == class))
        }
        Outcome::Timeout => Agreement::unknown("the upstream did not come back in time"),
        Outcome::Crashed { how } => Agreement::unknown(format!("the upstream crashed: {how}")),
        Outcome::Unmade { reason } | Outcome::Blocked { reason } => Agreement::unknown(reason),
    }
}

/// The error that a result is. Of a call that failed nobody promises what it leaves in its arguments.
fn failed(value: &Value) -> Option<&Value> {
    let result = if let Value::Changed { result, .. } = value { result } else { value };
    if let Value::Err(error) = result { Some(error) } else { None }
}

/// What a call returned and left in its arguments. A port may return what the upstream leaves: by itself where the
/// upstream returns nothing, else behind its result.
fn compare_changed(profile: &Profile, result: &Value, left: &[Value], found: &Value) -> Agreement {
    let Value::Changed { result: returned, left: left_there } = found else { return Agreement::Different };
    let both = |one: &[Value], other: &[Value]| {
        if one.len() != other.len() {
            return Agreement::Different;
        }
        Agreement::of_parts(one.iter().zip(other).map(|(one, other)| compare_values(profile, one, other)))
    };
    let in_place = Agreement::of_parts([compare_values(profile, result, returned), both(left, left_there)]);
    if in_place != Agreement::Different {
        return in_place;
    }
    let says_nothing = as_ported(result) == Value::Unit;
    match (says_nothing, left, &**returned) {
        (true, [only], _) => compare_values(profile, only, returned),
        (true, _, Value::Tuple(given) | Value::List(given)) => both(left, given),
        (false, _, Value::Tuple(given) | Value::List(given)) => {
            let all: Vec<Value> = std::iter::once(result.clone()).chain(left.iter().cloned()).collect();
            both(&all, given)
        }
        (_, _, _) => Agreement::Different,
    }
}

/// An error of the upstream's asks for an exception that somebody raised on purpose: of the class that is
/// linked to the error's type, or of one below it, where one is linked.
fn raised(profile: &Profile, error: &Value, port: &Outcome) -> Agreement {
    let Outcome::Error { lineage, manner: Manner::Deliberate, .. } = port else {
        return Agreement::Different;
    };
    let Some(linked) = profile.exception(error) else { return Agreement::Same };
    if !lineage.contains(&linked.path) {
        return Agreement::Different;
    }
    let (Value::Record(Record { class, variant: Some(variant), .. }), Some(raised)) =
        (error, lineage.first())
    else {
        return Agreement::Same;
    };
    // A class of its own for each variant: raising another variant's is another error.
    let named: Vec<_> =
        linked.variants.iter().filter(|variant| names_variant(raised, class, variant)).collect();
    Agreement::when(*raised == linked.path || named.is_empty() || named.contains(&variant))
}

pub(super) fn compare_values(profile: &Profile, expected: &Value, found: &Value) -> Agreement {
    let part = |(expected, found): (&Value, &Value)| compare_values(profile, expected, found);
    match (expected, found) {
        (Value::Some(expected) | Value::Ok(expected), _) => compare_values(profile, expected, found),
        (Value::Nothing | Value::Unit, _) => Agreement::when(matches!(found, Value::Unit | Value::Nothing)),
        (Value::Err(_), _) => Agreement::unobserved("an error inside a value has no agreed form in the port"),
        (Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::Bytes(_), _) => {
            Agreement::when(expected == found)
        }
        (Value::Char(char), Value::Text(text)) => Agreement::when(text.chars().eq([*char])),
        (Value::Char(_), _) => Agreement::when(expected == found),
        (Value::Float(expected), Value::Float(found)) => {
            Agreement::when(floats_agree(profile, *expected, *found))
        }
        (Value::Float32(expected), Value::Float(found)) => {
            Agreement::when(narrow_floats_agree(profile, *expected, *found))
        }
        (Value::Float(_) | Value::Float32(_), _) => Agreement::when(expected == found),
        (Value::List(expected) | Value::Tuple(expected), Value::List(found) | Value::Tuple(found)) => {
            if expected.len() == found.len() {
                Agreement::of_parts(expected.iter().zip(found).map(part))
            } else {
                Agreement::Different
            }
        }
        (Value::Set(expected), Value::Set(found)) => {
            unordered(expected, found, |expected, found| part((expected, found)))
        }
        (Value::Map(expected), Value::Map(found)) => unordered(expected, found, |expected, found| {
            Agreement::of_parts([part((&expected.0, &found.0)), part((&expected.1, &found.1))])
        }),
        // A named tuple is a tuple too.
        (Value::List(expected) | Value::Tuple(expected), Value::Record(found)) if found.is_positional => {
            if expected.len() == found.fields.len() {
                Agreement::of_parts(
                    expected.iter().zip(found.fields.iter().map(|(_, value)| value)).map(part),
                )
            } else {
                Agreement::Different
            }
        }
        // The numbers that bytes are made of, where the upstream gives them one by one.
        (Value::List(expected), Value::Bytes(found)) => {
            Agreement::when(expected.iter().cloned().eq(found.iter().map(|byte| Value::int(*byte))))
        }
        // An object that can be iterated over is what it gives.
        (Value::List(_), Value::Record(found)) => {
            let given = found.fields.iter().find(|(name, _)| name == "__iter__");
            given.map_or(Agreement::Different, |(_, given)| part((expected, given)))
        }
        (Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Map(_), _) => Agreement::Different,
        (Value::Record(expected), _) => compare_records(profile, expected, found),
        (Value::Opaque { .. }, Value::Unit | Value::Nothing) => Agreement::Different,
        (Value::Changed { result, left }, _) => compare_changed(profile, result, left, found),
        (Value::Made { .. }, _) => Agreement::unobserved("it is an argument, and no result".to_owned()),
        (Value::Opaque { class, .. }, _) => {
            Agreement::unobserved(format!("a `{}` keeps its fields to itself", last_name(class)))
        }
    }
}

/// Each expected element has its own partner.
fn unordered<Element>(
    expected: &[Element],
    found: &[Element],
    agreement: impl Fn(&Element, &Element) -> Agreement,
) -> Agreement {
    if expected.len() != found.len() {
        return Agreement::Different;
    }
    let mut free: Vec<&Element> = found.iter().collect();
    for element in expected {
        let mut unknown = None;
        let partner = free.iter().position(|found| match agreement(element, found) {
            Agreement::Same => true,
            Agreement::Different => false,
            other @ (Agreement::NotComparable { .. } | Agreement::Unobserved { .. }) => {
                unknown = Some(other);
                false
            }
        });
        match (partner, unknown) {
            (Some(at), _) => drop(free.remove(at)),
            (None, Some(unknown)) => return unknown,
            (None, None) => return Agreement::Different,
        }
    }
    Agreement::Same
}

fn floats_agree(profile: &Profile, expected: u64, found: u64) -> bool {
    let (one, other) = (f64::from_bits(expected), f64::from_bits(found));
    if one.is_nan() || other.is_nan() {
        return one.is_nan() && other.is_nan();
    }
    if one.is_infinite() || other.is_infinite() {
        return expected == found;
    }
    let near =
        one.is_sign_negative() == other.is_sign_negative() && expected.abs_diff(found) <= profile.ulps_max;
    near || (one - other).abs() <= profile.distance_max
}

/// The port computes in 64 bits: its result is rounded before the steps are counted.
fn narrow_floats_agree(profile: &Profile, expected: u32, found: u64) -> bool {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to the nearest 32-bit float is what is meant"
    )]
    let (one, other) = (f32::from_bits(expected), f64::from_bits(found) as f32);
    if one.is_nan() || other.is_nan() {
        return one.is_nan() && other.is_nan();
    }
    if one.is_infinite() || other.is_infinite() {
        return expected == other.to_bits();
    }
    let steps = u64::from(expected.abs_diff(other.to_bits()));
    let near = one.is_sign_negative() == other.is_sign_negative() && steps <= profile.ulps_max;
    near || f64::from((one - other).abs()) <= profile.distance_max
}

/// Whether one side did the same at two revisions; `None` where a revision did not answer.
pub(super) fn unchanged(profile: &Profile, before: &Outcome, after: &Outcome) -> Option<bool> {
    let answered = |outcome: &Outcome| match outcome {
        Outcome::Value(_) | Outcome::Error { .. } | Outcome::Panic { .. } | Outcome::Steps(_) => true,
        Outcome::Timeout | Outcome::Crashed { .. } | Outcome::Unmade { .. } | Outcome::Blocked { .. } => {
            false
        }
    };
    if !answered(before) || !answered(after) {
        return None;
    }
    Some(match (before, after) {
        (Outcome::Panic { .. }, Outcome::Panic { .. }) => true,
        (Outcome::Error { class: one, .. }, Outcome::Error { class: other, .. }) => one == other,
        (Outcome::Value(one), Outcome::Value(other)) => {
            one == other || compare_values(profile, one, &as_ported(other)) == Agreement::Same
        }
        (_, _) => false,
    })
}

/// A value as a correct port would give it.
fn as_ported(value: &Value) -> Value {
    let all = |values: &[Value]| values.iter().map(as_ported).collect();
    match value {
        Value::Some(inner) | Value::Ok(inner) => as_ported(inner),
        Value::Nothing => Value::Unit,
        Value::Char(char) => Value::Text(char.to_string()),
        Value::Float32(bits) => Value::float(f64::from(f32::from_bits(*bits))),
        Value::List(values) => Value::List(all(values)),
        Value::Tuple(values) => Value::Tuple(all(values)),
        Value::Set(values) => Value::Set(all(values)),
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (as_ported(key), as_ported(value))).collect())
        }
        Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Bytes(_) => {
            value.clone()
        }
        Value::Err(_)
        | Value::Record(_)
        | Value::Changed { .. }
        | Value::Made { .. }
        | Value::Opaque { .. } => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(expected: Value, found: Value) -> Agreement {
        compare(&Profile::default(), &Outcome::Value(expected), &Outcome::Value(found))
    }

    fn error(lineage: &[&str], manner: Manner) -> Outcome {
        Outcome::Error {
            class: last_name(lineage[0]).to_owned(),
            text: String::new(),
            manner,
            lineage: lineage.iter().copied().map(str::to_owned).collect(),
        }
    }

    fn failed(variant: &str) -> Outcome {
        let record = Record {
            class: "k::PairError".into(),
            lineage: Vec::new(),
            variant: Some(variant.into()),
            fields: Vec::new(),
            is_positional: false,
        };
        Outcome::Value(Value::Err(Box::new(Value::Record(record))))
    }

    fn linked(is_exception: bool) -> Profile {
        let variants = vec!["NoComma".to_owned(), "NoNumber".to_owned()];
        let class = LinkedClass { path: "port.PairError".into(), is_exception, variants };
        Profile { classes: BTreeMap::from([("k::PairError".into(), class)]), ..Profile::default() }
    }

    #[test]
    fn kinds_of_numbers_are_told_apart() {
        assert_eq!(values(Value::int(1), Value::Bool(true)), Agreement::Different);
        assert_eq!(values(Value::Bool(true), Value::int(1)), Agreement::Different);
        assert_eq!(values(Value::float(1.0), Value::int(1)), Agreement::Different);
        assert_eq!(values(Value::int(1), Value::float(1.0)), Agreement::Different);
        assert_eq!(
            values(Value::Int("18446744073709551616".into()), Value::Int("18446744073709551616".into())),
            Agreement::Same
        );
    }

    #[test]
    fn floats_agree_within_the_tolerance_alone() {
        assert_eq!(values(Value::float(0.1 + 0.2), Value::float(0.3)), Agreement::Same);
        assert_eq!(values(Value::float(f64::NAN), Value::Float(0xfff8_0000_0000_0001)), Agreement::Same);
        assert_eq!(values(Value::float(f64::INFINITY), Value::float(f64::MAX)), Agreement::Different);
        assert_eq!(values(Value::float(1.0), Value::float(1.000_001)), Agreement::Different);
        assert_eq!(values(Value::Float32(0.1_f32.to_bits()), Value::float(0.1)), Agreement::Same);
    }

    #[test]
    fn options_and_results_are_looked_through() {
        let some = |value| Value::Some(Box::new(value));
        assert_eq!(values(Value::Nothing, Value::Unit), Agreement::Same);
        assert_eq!(values(some(Value::int(0)), Value::int(0)), Agreement::Same);
        assert_eq!(values(some(Value::int(0)), Value::Unit), Agreement::Different);
        assert_eq!(values(Value::Ok(Box::new(some(Value::Char('é')))), Value::text("é")), Agreement::Same);
    }

    #[test]
    fn errors_and_panics_ask_for_exceptions_raised_on_purpose() {
        let panicked = Outcome::Panic { text: "overflow".into() };
        let profile = Profile::default();
        for upstream in [&failed("NoComma"), &panicked] {
            let agreement = |port| compare(&profile, upstream, &port);
            assert_eq!(agreement(error(&["builtins.ValueError"], Manner::Deliberate)), Agreement::Same);
            assert_eq!(agreement(error(&["builtins.TypeError"], Manner::Crash)), Agreement::Different);
            assert_eq!(agreement(Outcome::Value(Value::Unit)), Agreement::Different);
            assert_eq!(agreement(Outcome::Timeout), Agreement::Different);
            assert_eq!(profile.policy(upstream), Some(ErrorPolicy::AnyDeliberate));
        }
        let slip = error(&["builtins.IndexError"], Manner::Slip);
        assert_eq!(compare(&profile, &panicked, &slip), Agreement::Same);
        assert_eq!(compare(&profile, &failed("NoComma"), &slip), Agreement::Different);
    }

    #[test]
    fn a_linked_exception_class_is_demanded_of_an_error_of_its_type() {
        let profile = linked(true);
        let agreement = |variant: &str, lineage: &[&str]| {
            compare(&profile, &failed(variant), &error(lineage, Manner::Deliberate))
        };
        assert_eq!(agreement("NoComma", &["builtins.ValueError"]), Agreement::Different);
        assert_eq!(agreement("NoComma", &["other.PairError", "builtins.ValueError"]), Agreement::Different);
        assert_eq!(agreement("NoComma", &["port.PairError", "builtins.ValueError"]), Agreement::Same);
        assert_eq!(agreement("NoComma", &["port.Special", "port.PairError"]), Agreement::Same);
        assert_eq!(profile.policy(&failed("NoComma")), Some(ErrorPolicy::LinkedClass));
    }

    #[test]
    fn the_class_of_one_variant_is_no_error_of_another() {
        let agreement = |variant: &str, raised: &str| {
            let raised = error(&[raised, "port.PairError"], Manner::Deliberate);
            compare(&linked(true), &failed(variant), &raised)
        };
        for name in ["port.NoComma", "port.NoCommaError", "port.PairNoComma", "port.PairError.NoComma"] {
            assert_eq!(agreement("NoComma", name), Agreement::Same, "{name}");
            assert_eq!(agreement("NoNumber", name), Agreement::Different, "{name}");
        }
    }

    #[test]
    fn a_linked_class_that_cannot_be_raised_is_not_demanded() {
        let raised = error(&["builtins.ValueError"], Manner::Deliberate);
        assert_eq!(compare(&linked(false), &failed("NoComma"), &raised), Agreement::Same);
        assert_eq!(linked(false).policy(&failed("NoComma")), Some(ErrorPolicy::AnyDeliberate));
    }

    #[test]
    fn maps_and_sets_have_no_order() {
        let entry = |key: &str, value: i32| (Value::text(key), Value::Some(Box::new(Value::int(value))));
        let plain = |key: &str, value: i32| (Value::text(key), Value::int(value));
        let map = Value::Map(vec![entry("a", 1), entry("b", 2)]);
        assert_eq!(values(map.clone(), Value::Map(vec![plain("b", 2), plain("a", 1)])), Agreement::Same);
        assert_eq!(values(map, Value::Map(vec![plain("b", 1), plain("a", 2)])), Agreement::Different);
    }

    #[test]
    fn what_keeps_its_fields_to_itself_agrees_with_nothing_and_is_never_none() {
        let value = Value::Opaque { class: "k::Secret".into(), text: "Secret { a: 1 }".into() };
        assert!(matches!(values(value.clone(), Value::int(1)), Agreement::Unobserved { .. }));
        assert_eq!(values(value.clone(), Value::Unit), Agreement::Different);
        let pair = Value::Tuple(vec![Value::int(1), value]);
        let found = |number: i32| Value::Tuple(vec![Value::int(number), Value::int(9)]);
        assert!(matches!(values(pair.clone(), found(1)), Agreement::Unobserved { .. }));
        assert_eq!(values(pair, found(2)), Agreement::Different);
    }

    #[test]
    fn a_revision_that_did_not_answer_counts_as_neither() {
        let profile = Profile::default();
        let value = |number: i32| Outcome::Value(Value::Some(Box::new(Value::int(number))));
        assert_eq!(unchanged(&profile, &value(1), &value(1)), Some(true));
        assert_eq!(unchanged(&profile, &value(1), &value(2)), Some(false));
        assert_eq!(unchanged(&profile, &value(1), &Outcome::Timeout), None);
    }
}
