//! Whether an object of the port is the struct or variant that the upstream gave.
//!
//! Main function: [`compare_records`]. Where a class is linked to the type, its form is part of the promise;
//! where none is, a form that cannot be read proves nothing and refuses nobody.

use super::compare::{Agreement, LinkedClass, Profile, compare_values};
use super::value::{Record, Value, last_name};

/// Compares a struct, or a variant of an enum, with what the port gave.
pub(super) fn compare_records(profile: &Profile, expected: &Record, found: &Value) -> Agreement {
    let linked = profile.classes.get(&expected.class);
    let unread =
        || Agreement::unobserved(format!("the port has no form of its own for a {}", told(expected)));
    // What a form that does not fit means.
    let misfit = || if linked.is_some() { Agreement::Different } else { unread() };
    match (found, expected.fields.as_slice()) {
        (Value::Record(found), _) => match (&expected.variant, &found.variant) {
            (None, Some(_)) => misfit(),
            (None, None) if linked.is_some_and(|linked| !found.lineage.contains(&linked.path)) => {
                Agreement::Different
            }
            (None, None) => compare_fields(profile, expected, found),
            (Some(variant), Some(member)) => {
                let is_alike = linked.is_some_and(|linked| found.lineage.contains(&linked.path))
                    || plain(last_name(&found.class)) == plain(last_name(&expected.class));
                if !is_alike {
                    misfit()
                } else if plain(variant) != plain(member) {
                    Agreement::Different
                } else if expected.fields.is_empty() {
                    Agreement::Same
                } else {
                    Agreement::unobserved(format!(
                        "a member of an enumeration has no fields, and {} has",
                        told(expected)
                    ))
                }
            }
            (Some(variant), None) => compare_variant(profile, expected, variant, found),
        },
        (Value::List(values) | Value::Tuple(values), fields) if is_whole(expected) && linked.is_none() => {
            if values.len() != fields.len() || expected.variant.is_some() {
                return unread();
            }
            Agreement::of_parts(
                fields.iter().zip(values).map(|((_, field), value)| compare_values(profile, field, value)),
            )
        }
        (Value::Map(entries), _) if !expected.is_positional && expected.variant.is_none() => {
            let mut fields = Vec::new();
            for (key, value) in entries {
                let Value::Text(key) = key else { return misfit() };
                fields.push((key.clone(), value.clone()));
            }
            let found = Record { fields, lineage: Vec::new(), is_positional: false, ..expected.clone() };
            compare_fields(profile, expected, &found)
        }
        (Value::Unit | Value::Nothing, _) if expected.variant.is_none() => Agreement::Different,
        // A type around one value may be that value in the port.
        (_, [(name, only)]) if expected.is_positional && expected.variant.is_none() && !name.is_empty() => {
            compare_values(profile, only, found)
        }
        (Value::Text(text), [])
            if expected.variant.as_deref().is_some_and(|name| plain(name) == plain(text)) =>
        {
            Agreement::Same
        }
        // A variant `None` may well be the port's.
        (Value::Unit | Value::Nothing, _) if expected.variant.as_deref() == Some("None") => unread(),
        (_, _) => misfit(),
    }
}

/// A variant as an object of a class of its own.
fn compare_variant(profile: &Profile, expected: &Record, variant: &str, found: &Record) -> Agreement {
    if names_variant(&found.class, &expected.class, variant) {
        return compare_fields(profile, expected, found);
    }
    let linked = profile.classes.get(&expected.class);
    let is_other = |linked: &LinkedClass| {
        found.lineage.contains(&linked.path)
            && linked.variants.iter().any(|other| names_variant(&found.class, &expected.class, other))
    };
    if linked.is_some_and(is_other) {
        return Agreement::Different;
    }
    Agreement::unobserved(format!("the port has no form of its own for a {}", told(expected)))
}

fn compare_fields(profile: &Profile, expected: &Record, found: &Record) -> Agreement {
    let parts = expected.fields.iter().enumerate().map(|(at, (name, value))| {
        if name.is_empty() {
            return Agreement::unobserved(format!("a {} keeps some fields to itself", told(expected)));
        }
        let by_name = || {
            let exact = found.fields.iter().find(|(other, _)| other == name);
            exact.or_else(|| found.fields.iter().find(|(other, _)| plain(other) == plain(name)))
        };
        let field = if expected.is_positional { found.fields.get(at) } else { by_name() };
        match field {
            Some((_, field)) => compare_values(profile, value, field),
            // What is linked promises its fields.
            None if profile.classes.contains_key(&expected.class) => Agreement::Different,
            None => Agreement::unobserved(format!("the port's {} has no field `{name}`", told(found))),
        }
    });
    Agreement::of_parts(parts)
}

/// Whether all fields can be looked at.
fn is_whole(record: &Record) -> bool {
    record.fields.iter().all(|(name, _)| !name.is_empty())
}

/// Whether a class of the port bears the name of a variant: the variant's own, or behind the enum's, with
/// `Error` or `Exception` or without.
pub(super) fn names_variant(class: &str, of: &str, variant: &str) -> bool {
    let class = bare(last_name(class));
    let variant = bare(variant);
    class == variant || class == bare(last_name(of)) + &variant
}

fn bare(name: &str) -> String {
    let name = plain(name);
    let bare = name.strip_suffix("error").or_else(|| name.strip_suffix("exception"));
    bare.filter(|bare| !bare.is_empty()).map_or_else(|| name.clone(), str::to_owned)
}

/// A name without what conventions change.
fn plain(name: &str) -> String {
    name.trim_start_matches("r#").replace('_', "").to_lowercase()
}

fn told(record: &Record) -> String {
    let class = last_name(&record.class);
    match &record.variant {
        Some(variant) => format!("`{class}::{variant}`"),
        None => format!("`{class}`"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn record(class: &str, variant: Option<&str>, fields: &[(&str, i32)]) -> Record {
        Record {
            class: class.into(),
            lineage: vec![class.into()],
            variant: variant.map(str::to_owned),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), Value::int(*value))).collect(),
            is_positional: fields.iter().any(|(name, _)| *name == "0"),
        }
    }

    fn linked(item: &str, class: &str, variants: &[&str]) -> Profile {
        let variants = variants.iter().copied().map(str::to_owned).collect();
        let class = LinkedClass { path: class.into(), is_exception: false, variants };
        Profile { classes: BTreeMap::from([(item.into(), class)]), ..Profile::default() }
    }

    fn is_unobserved(agreement: &Agreement) -> bool {
        matches!(agreement, Agreement::Unobserved { .. })
    }

    #[test]
    fn structs_are_compared_by_the_names_of_their_fields() {
        let expected = record("k::Point", None, &[("x_at", 1), ("y", 2)]);
        let agreement = |profile: &Profile, class: &str, fields: &[(&str, i32)]| {
            compare_records(profile, &expected, &Value::Record(record(class, None, fields)))
        };
        let free = Profile::default();
        assert_eq!(agreement(&free, "p.Point", &[("y", 2), ("xAt", 1), ("more", 3)]), Agreement::Same);
        assert_eq!(agreement(&free, "p.Other", &[("y", 2), ("x_at", 3)]), Agreement::Different);
        assert!(is_unobserved(&agreement(&free, "p.Point", &[("y", 2)])));
        let bound = linked("k::Point", "p.Point", &[]);
        assert_eq!(agreement(&bound, "p.Point", &[("y", 2)]), Agreement::Different);
        assert_eq!(agreement(&bound, "p.Other", &[("y", 2), ("x_at", 1)]), Agreement::Different);
        assert_eq!(compare_records(&free, &expected, &Value::Unit), Agreement::Different);
        let map = Value::Map(vec![(Value::text("x_at"), Value::int(1)), (Value::text("y"), Value::int(2))]);
        assert_eq!(compare_records(&bound, &expected, &map), Agreement::Same);
    }

    #[test]
    fn numbered_fields_are_compared_in_order_and_one_may_stand_alone() {
        let free = Profile::default();
        let pair = record("k::Pair", None, &[("0", 1), ("1", 2)]);
        let tuple = |a: i32, b: i32| Value::Tuple(vec![Value::int(a), Value::int(b)]);
        assert_eq!(compare_records(&free, &pair, &tuple(1, 2)), Agreement::Same);
        assert_eq!(compare_records(&free, &pair, &tuple(2, 1)), Agreement::Different);
        let object = Value::Record(record("p.Pair", None, &[("left", 1), ("right", 2)]));
        assert_eq!(compare_records(&free, &pair, &object), Agreement::Same);
        let metres = record("k::Metres", None, &[("0", 3)]);
        assert_eq!(compare_records(&free, &metres, &Value::int(3)), Agreement::Same);
        assert_eq!(compare_records(&free, &metres, &Value::int(4)), Agreement::Different);
    }

    #[test]
    fn variants_are_members_or_classes_of_their_own() {
        let profile = linked("k::Shape", "p.Shape", &["Dot", "DarkLine"]);
        let of = |class: &str, variant: Option<&str>, fields: &[(&str, i32)]| {
            let mut found = record(class, variant, fields);
            found.lineage.push("p.Shape".into());
            Value::Record(found)
        };
        let dot = record("k::Shape", Some("Dot"), &[]);
        let line = record("k::Shape", Some("DarkLine"), &[("length", 4)]);
        assert_eq!(compare_records(&profile, &dot, &of("p.Shape", Some("DOT"), &[])), Agreement::Same);
        assert_eq!(
            compare_records(&profile, &dot, &of("p.Shape", Some("DARK_LINE"), &[])),
            Agreement::Different
        );
        assert_eq!(
            compare_records(&profile, &line, &of("p.DarkLine", None, &[("length", 4)])),
            Agreement::Same
        );
        assert_eq!(
            compare_records(&profile, &line, &of("p.DarkLine", None, &[("length", 5)])),
            Agreement::Different
        );
        assert_eq!(compare_records(&profile, &line, &of("p.Dot", None, &[])), Agreement::Different);
        assert!(is_unobserved(&compare_records(&profile, &line, &of("p.Shape", Some("DARK_LINE"), &[]))));
        assert!(is_unobserved(&compare_records(&Profile::default(), &dot, &Value::int(0))));
    }

    #[test]
    fn hidden_fields_leave_a_whole_unproved() {
        let mut expected = record("k::Half", None, &[("x", 1)]);
        expected.fields.push((String::new(), Value::Unit));
        let found = |x: i32| Value::Record(record("p.Half", None, &[("x", x)]));
        assert!(is_unobserved(&compare_records(&Profile::default(), &expected, &found(1))));
        assert_eq!(compare_records(&Profile::default(), &expected, &found(2)), Agreement::Different);
    }
}
