//! Representative instances of generic functions: what stands for each type parameter.
//!
//! Main function: [`instances`]. Bounds are read as written; one that is not understood is a reason.

use std::collections::BTreeMap;

use upstream::snapshot::FunctionSignature;

use super::input_type::{Input, bounded_input, list_of, list_passed, scalar, text_input};
use super::shape::Shape;

/// What type parameters stand for.
#[derive(Default)]
pub(super) struct Instance {
    /// In words; empty where there is only one.
    pub name: String,
    /// What each parameter is given.
    pub inputs: BTreeMap<String, Input>,
    /// Whether one of them is a number whose width nobody asked for.
    pub is_width_chosen: bool,
}

/// The bounds of type parameters, by their names.
pub(super) type Bounds = BTreeMap<String, Vec<String>>;

/// What the elements of collections are, in turn: an instance for each.
pub(super) const ELEMENTS: [&str; 2] = ["char", "i64"];

/// The type that stands for all that implement a trait of the crate, by the trait's name.
pub(super) type OwnTraits<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// How a value of a type of the crate is made, by the type's name.
pub(super) type OwnTypes<'a> = dyn Fn(&str) -> Option<Input> + 'a;

/// The representative instances of a generic signature.
pub(super) fn instances(
    signature: &FunctionSignature,
    own: &OwnTraits<'_>,
    made: &OwnTypes<'_>,
) -> Result<Vec<Instance>, String> {
    if signature.generics.is_empty() {
        return Ok(vec![Instance::default()]);
    }
    let mut bounds = Bounds::new();
    for generic in &signature.generics {
        if generic.starts_with("const ") {
            return Err("it has a const parameter".to_owned());
        }
        let (name, of) = generic.split_once(':').unwrap_or((generic, ""));
        bounds.entry(name.trim().to_owned()).or_default().push(of.to_owned());
    }
    for predicate in &signature.predicates {
        let Some((name, of)) = predicate.split_once(':') else { continue };
        let name: String = name
            .trim()
            .trim_start_matches('&')
            .split_whitespace()
            .filter(|word| !word.starts_with('\''))
            .collect();
        if let Some(known) = bounds.get_mut(&name) {
            known.push(of.to_owned());
        }
    }
    let mut instances = Vec::new();
    for element in ELEMENTS {
        let mut instance = represented(&bounds, element, own, made)?;
        instance.name = format!("elements are `{element}`");
        instances.push(instance);
    }
    // Where no parameter depends on the element, the instances are one.
    let same = instances.first().map(|first| &first.inputs) == instances.last().map(|last| &last.inputs);
    if same {
        instances.truncate(1);
        for instance in &mut instances {
            instance.name.clear();
        }
    }
    Ok(instances)
}

/// What stands for each type parameter, by its bounds.
pub(super) fn represented(
    bounds: &Bounds,
    element: &str,
    own: &OwnTraits<'_>,
    made: &OwnTypes<'_>,
) -> Result<Instance, String> {
    let mut instance = Instance::default();
    for (name, of) in bounds {
        let bare = of.iter().flat_map(|of| of.split('+')).map(str::trim);
        if bare.clone().find_map(own).is_some_and(|ty| ty == "str" || ty == "String") {
            instance.inputs.insert(name.clone(), text_input("$.as_str()"));
            continue;
        }
        if let Some(ty) = bare.clone().find_map(own).filter(|ty| scalar(ty).is_some()) {
            let shape = scalar(&ty).unwrap_or(Shape::Unit);
            instance.is_width_chosen = true;
            let input =
                Input { shape, owned: ty, borrows: false, pass: "$.clone()".to_owned(), changed: None };
            instance.inputs.insert(name.clone(), input);
            continue;
        }
        if let Some(input) = bare.clone().filter_map(turned_into).find_map(made) {
            instance.inputs.insert(name.clone(), input);
            continue;
        }
        if let Some((kind, input)) = bare.filter_map(items_of).find_map(|(kind, of)| Some((kind, made(of)?)))
        {
            let list = list_passed(input);
            let input = match kind {
                Items::Collection => list,
                Items::Iterator => Input { borrows: true, pass: list.pass.clone() + ".into_iter()", ..list },
            };
            instance.inputs.insert(name.clone(), input);
            continue;
        }
        let input = generic_input(name, of, element, bounds)?;
        instance.inputs.insert(name.clone(), input);
    }
    Ok(instance)
}

/// The type that a bound `Into<Type>` or `AsRef<Type>` names, without its lifetimes.
fn turned_into(bound: &str) -> Option<&str> {
    let inside = ["Into<", "AsRef<", "Borrow<"].iter().find_map(|lead| bound.strip_prefix(lead))?;
    let name = inside.strip_suffix('>')?.trim();
    let (name, lifetimes) = name.split_once('<').unwrap_or((name, ""));
    let is_plain =
        lifetimes.trim_end_matches('>').split(',').all(|one| one.is_empty() || one.trim().starts_with('\''));
    (is_plain && !name.is_empty()).then_some(name)
}

/// What gives elements.
#[derive(Clone, Copy)]
enum Items {
    Collection,
    Iterator,
}

/// The type of the elements that a bound such as `IntoIterator<Item = Word<'a>>` names, without its lifetimes.
fn items_of(bound: &str) -> Option<(Items, &str)> {
    let (kind, element) = bound.strip_suffix('>')?.split_once('<')?;
    let (_, element) = element.split_once("Item").filter(|(before, _)| before.is_empty())?;
    let element = element.trim_start().strip_prefix('=')?.trim();
    let kind = match kind.rsplit("::").next()? {
        "IntoIterator" => Items::Collection,
        "Iterator" | "DoubleEndedIterator" | "ExactSizeIterator" => Items::Iterator,
        _ => return None,
    };
    Some((kind, element.split_once("<'").map_or(element, |(name, _)| name)))
}

/// Bounds that `char` and `i64` both meet.
const ELEMENT_BOUNDS: &[&str] = &[
    "Eq",
    "PartialEq",
    "Hash",
    "Clone",
    "Copy",
    "Ord",
    "PartialOrd",
    "Debug",
    "Sized",
    "?Sized",
    "Send",
    "Sync",
    "Default",
    "'static",
];

fn generic_input(name: &str, bounds: &[String], element: &str, all: &Bounds) -> Result<Input, String> {
    let refused = |bound: &str| {
        Err(format!("its type parameter `{name}` with the bound `{bound}` has no representative type"))
    };
    let element_input = || {
        let shape = scalar(element).unwrap_or(Shape::Unit);
        Input {
            shape,
            owned: element.to_owned(),
            borrows: false,
            pass: "$.clone()".to_owned(),
            changed: None,
        }
    };
    for bound in bounds.iter().flat_map(|bounds| bounds.split('+')) {
        let bound: String = bound.split_whitespace().collect();
        if bound.is_empty() {
            continue;
        }
        if let Some(input) = bounded_input(&bound) {
            return Ok(input);
        }
        let bare = bound.rsplit("::").next().unwrap_or_default();
        if bare == "FromIterator<char>" {
            return Ok(text_input("$.clone()"));
        }
        let bare = bare.split('<').next().unwrap_or_default();
        match bound.strip_suffix('>').and_then(|bound| bound.split_once("<Item=")) {
            Some(("IntoIterator", item)) if all.contains_key(item.trim_start_matches('&')) => {
                return Ok(list_of(element_input()));
            }
            Some(("Iterator" | "DoubleEndedIterator" | "ExactSizeIterator", item))
                if all.contains_key(item) =>
            {
                let list = list_of(element_input());
                return Ok(Input { borrows: true, pass: list.pass.clone() + ".into_iter()", ..list });
            }
            Some(_) => return refused(&bound),
            None if bare == "IntoIterator" => return Ok(list_of(element_input())),
            None if ELEMENT_BOUNDS.contains(&bare) || bound.starts_with('\'') => {}
            None => return refused(&bound),
        }
    }
    Ok(element_input())
}
