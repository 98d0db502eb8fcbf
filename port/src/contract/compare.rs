//! Whether an outcome of the port is the one that the upstream's outcome asks for.
//!
//! Main function: [`compare`]. The upstream's value directs the comparison. Texts of errors and panics are
//! never compared: they are not part of what a port promises.

use std::collections::BTreeMap;

use super::value::{Outcome, Value};

/// How exactly the sides must agree. It is shown in reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Floats agree within this many steps between neighbouring floats.
    pub ulps_max: u64,
    /// Floats agree within this distance.
    pub distance_max: f64,
    /// Classes of the port that answer to types of the upstream, by the upstream's last name.
    pub classes: BTreeMap<String, String>,
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

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// The port does as the upstream does.
    Same,
    /// It does not.
    Different,
    /// There is nothing to compare with.
    NotComparable {
        /// Why.
        reason: String,
    },
}

impl Agreement {
    fn when(same: bool) -> Self {
        if same { Self::Same } else { Self::Different }
    }

    fn unknown(reason: impl Into<String>) -> Self {
        Self::NotComparable { reason: reason.into() }
    }

    /// The agreement of a whole from that of its parts: a difference decides, then what is not comparable.
    fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Same;
        for part in parts {
            match part {
                Self::Different => return part,
                Self::NotComparable { .. } => whole = part,
                Self::Same => {}
            }
        }
        whole
    }
}

/// Compares what the upstream did with what the port did.
pub fn compare(profile: &Profile, upstream: &Outcome, port: &Outcome) -> Agreement {
    if let Outcome::Blocked { reason } = port {
        return Agreement::unknown(reason);
    }
    match upstream {
        Outcome::Value(Value::Err(error)) => raised(profile, error, port),
        Outcome::Value(expected) => match port {
            Outcome::Value(found) => compare_values(profile, expected, found),
            Outcome::Error { .. } | Outcome::Panic { .. } | Outcome::Timeout | Outcome::Crashed { .. } => {
                Agreement::Different
            }
            Outcome::Blocked { reason } => Agreement::unknown(reason),
        },
        // The machine's memory is not the code's doing.
        Outcome::Panic { text } if text.contains("capacity overflow") => {
            Agreement::unknown("the upstream ran out of memory")
        }
        Outcome::Panic { .. } => Agreement::when(matches!(port, Outcome::Error { is_crash: false, .. })),
        Outcome::Error { class, .. } => {
            Agreement::when(matches!(port, Outcome::Error { class: found, .. } if found == class))
        }
        Outcome::Timeout => Agreement::unknown("the upstream did not come back in time"),
        Outcome::Crashed { how } => Agreement::unknown(format!("the upstream crashed: {how}")),
        Outcome::Blocked { reason } => Agreement::unknown(reason),
    }
}

/// An error of the upstream's asks for an exception that somebody raised on purpose.
fn raised(profile: &Profile, error: &Value, port: &Outcome) -> Agreement {
    let Outcome::Error { class, is_crash: false, .. } = port else { return Agreement::Different };
    let Value::Opaque { class: expected, .. } = error else { return Agreement::Same };
    Agreement::when(profile.classes.get(expected).is_none_or(|linked| linked == class))
}

fn compare_values(profile: &Profile, expected: &Value, found: &Value) -> Agreement {
    let part = |(expected, found): (&Value, &Value)| compare_values(profile, expected, found);
    match (expected, found) {
        (Value::Some(expected) | Value::Ok(expected), _) => compare_values(profile, expected, found),
        (Value::Nothing | Value::Unit, _) => Agreement::when(matches!(found, Value::Unit | Value::Nothing)),
        (Value::Err(_), _) => Agreement::unknown("an error inside a value has no agreed form in the port"),
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
        (Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Map(_), _) => Agreement::Different,
        (Value::Opaque { class, text }, Value::Opaque { class: found_class, text: found_text }) => {
            match profile.classes.get(class) {
                None => Agreement::unknown(format!("no class of the port is linked to `{class}`")),
                Some(linked) if linked != found_class => Agreement::Different,
                Some(_) => opaque(class, text, found_text),
            }
        }
        (Value::Opaque { class, .. }, _) => match profile.classes.get(class) {
            None => Agreement::unknown(format!("no class of the port is linked to `{class}`")),
            Some(_) => Agreement::Different,
        },
    }
}

/// A variant without fields is compared by name, in whatever case each side writes it.
fn opaque(class: &str, expected: &str, found: &str) -> Agreement {
    let is_name = !expected.is_empty() && expected.chars().all(|char| char.is_alphanumeric() || char == '_');
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    if is_name {
        Agreement::when(plain(expected) == plain(found))
    } else {
        Agreement::unknown(format!("values of `{class}` are known by their debug text alone"))
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
            Agreement::NotComparable { reason } => {
                unknown = Some(reason);
                false
            }
        });
        match (partner, unknown) {
            (Some(at), _) => drop(free.remove(at)),
            (None, Some(reason)) => return Agreement::NotComparable { reason },
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
        Outcome::Value(_) | Outcome::Error { .. } | Outcome::Panic { .. } => true,
        Outcome::Timeout | Outcome::Crashed { .. } | Outcome::Blocked { .. } => false,
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
        Value::Err(_) | Value::Opaque { .. } => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(expected: Value, found: Value) -> Agreement {
        compare(&Profile::default(), &Outcome::Value(expected), &Outcome::Value(found))
    }

    fn error(class: &str, is_crash: bool) -> Outcome {
        Outcome::Error { class: class.to_owned(), text: String::new(), is_crash }
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
        let opaque = Value::Opaque { class: "StrSimError".into(), text: "X".into() };
        let failed = Outcome::Value(Value::Err(Box::new(opaque)));
        let panicked = Outcome::Panic { text: "overflow".into() };
        let mut profile = Profile::default();
        for upstream in [&failed, &panicked] {
            assert_eq!(compare(&profile, upstream, &error("ValueError", false)), Agreement::Same);
            assert_eq!(compare(&profile, upstream, &error("TypeError", true)), Agreement::Different);
            assert_eq!(compare(&profile, upstream, &Outcome::Value(Value::Unit)), Agreement::Different);
            assert_eq!(compare(&profile, upstream, &Outcome::Timeout), Agreement::Different);
        }
        profile.classes.insert("StrSimError".into(), "StrSimException".into());
        assert_eq!(compare(&profile, &failed, &error("ValueError", false)), Agreement::Different);
        assert_eq!(compare(&profile, &failed, &error("StrSimException", false)), Agreement::Same);
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
    fn what_has_no_linked_class_is_not_compared() {
        let value = Value::Opaque { class: "Color".into(), text: "DarkRed".into() };
        let found = |text: &str| Value::Opaque { class: "Color".into(), text: text.into() };
        assert!(matches!(values(value.clone(), found("DARK_RED")), Agreement::NotComparable { .. }));
        let mut profile = Profile::default();
        profile.classes.insert("Color".into(), "Color".into());
        assert_eq!(compare_values(&profile, &value, &found("DARK_RED")), Agreement::Same);
        assert_eq!(compare_values(&profile, &value, &found("BLUE")), Agreement::Different);
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
