//! What would be probed for an item, and by which relation its results would be held against the port's.
//!
//! Main function: [`derive()`]. Nothing is built or run.

use upstream::{RustType, Snapshot};

use super::compare::Profile;
use super::pools::{Examples, Pools, ProbeOrigin, draw};
use super::probeable::{FunctionPlan, ReceiverPlan};
use super::shape::Shape;

/// One way to call an item, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// What the type parameters stand for; empty where there are none.
    pub instance: String,
    /// How the value of a method is made; empty where there is none.
    pub receiver: String,
    /// What the arguments are, a constructor's first.
    pub arguments: Vec<String>,
    /// By which relation the results are held against each other.
    pub relation: String,
    /// Probes from the upstream's tests, documentation and examples.
    pub harvested: usize,
    /// Calls that the upstream's tests were seen to make, of both pools.
    pub recorded: usize,
    /// Probes of the development pool that are made from the types and the literals of the code.
    pub generated: usize,
    /// Probes that decide, made anew in each attempt.
    pub deciding: usize,
    /// Boundary values that were left out for their number.
    pub left_out: usize,
    /// Literals of the code that probes are made around.
    pub literals: Vec<String>,
}

/// The way to call an item in words. The deciding pool is only counted.
pub fn derive(
    function: &FunctionPlan,
    snapshot: &Snapshot,
    from: Examples<'_>,
    pools: &Pools,
    profile: &Profile,
) -> Derived {
    let drawn = draw(std::slice::from_ref(function), &|_| true, from, pools);
    let from = |origin| drawn.development.iter().filter(|probe| probe.origin == origin).count();
    let signature = snapshot.items.get(&function.item).and_then(|item| item.signature.as_ref());
    let numbers = function.landmarks.numbers.iter().map(ToString::to_string);
    let texts = function.landmarks.texts.iter().map(|text| format!("{text:?}"));
    Derived {
        instance: function.instance.clone(),
        receiver: receiver(&function.receiver),
        arguments: function.shapes.iter().map(ToString::to_string).collect(),
        relation: signature.map(|signature| relation(&signature.output, profile)).unwrap_or_default(),
        harvested: from(ProbeOrigin::Harvested),
        recorded: from(ProbeOrigin::Recorded)
            + drawn.deciding.iter().filter(|probe| probe.origin == ProbeOrigin::Recorded).count(),
        generated: from(ProbeOrigin::Generated),
        deciding: drawn.deciding.len(),
        left_out: drawn.left_out.values().sum(),
        literals: numbers.chain(texts).collect(),
    }
}

fn receiver(plan: &ReceiverPlan) -> String {
    match plan {
        ReceiverPlan::None => String::new(),
        ReceiverPlan::Argument | ReceiverPlan::Made => "the first argument".to_owned(),
        ReceiverPlan::Constructed { constructor, arguments, others } => {
            let made = constructor.as_ref().map_or_else(|| "Default".to_owned(), ToString::to_string);
            let others = if *others > 0 { ", and another one like it" } else { "" };
            format!("made by {made} of the first {arguments}{others}")
        }
    }
}

/// How results of a type are compared.
fn relation(output: &RustType, profile: &Profile) -> String {
    let text = output.to_string();
    let names: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty()).collect();
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(name));
    let mut parts = Vec::new();
    if has(&["f32", "f64"]) {
        parts.push(format!("floats within {} ULP or {:e}", profile.ulps_max, profile.distance_max));
    }
    if has(&["HashMap", "HashSet"]) {
        parts.push("maps and sets without order".to_owned());
    }
    if names.first() == Some(&"Result") || text.contains("Result") {
        parts.push("errors by their linked class, or any exception raised on purpose".to_owned());
    }
    parts.push("all else exact".to_owned());
    parts.push("a panic by any exception".to_owned());
    parts.join("; ")
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unit => f.write_str("unit"),
            Self::Bool => f.write_str("bool"),
            Self::Char => f.write_str("character"),
            Self::Int { is_size: true, signed, .. } => f.write_str(if *signed { "isize" } else { "usize" }),
            Self::Int { bits, signed, .. } => write!(f, "{}{bits}", if *signed { 'i' } else { 'u' }),
            Self::Float { bits } => write!(f, "f{bits}"),
            Self::Text => f.write_str("text"),
            Self::Bytes => f.write_str("bytes"),
            Self::Option(inner) => write!(f, "{inner} or nothing"),
            Self::Result(ok, err) => write!(f, "{ok} or error {err}"),
            Self::List(element) => write!(f, "list of {element}"),
            Self::Array(element, length) => write!(f, "{length} of {element}"),
            Self::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                write!(f, "({})", parts.join(", "))
            }
            Self::Map(key, value) => write!(f, "map from {key} to {value}"),
            Self::Set(element) => write!(f, "set of {element}"),
            Self::Made(ways) => {
                for (at, way) in ways.iter().enumerate() {
                    f.write_str(if at > 0 { " or " } else { "" })?;
                    let parts: Vec<String> = way.parts.iter().map(ToString::to_string).collect();
                    match parts.as_slice() {
                        [] => write!(f, "{}", way.maker)?,
                        _ => write!(f, "{}({})", way.maker, parts.join(", "))?,
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_name_what_is_tolerated_and_nothing_else() {
        let profile = Profile::default();
        let named =
            |name: &str, arguments: Vec<RustType>| RustType::Named { path: vec![name.to_owned()], arguments };
        let exact = relation(&named("String", vec![]), &profile);
        assert_eq!(exact, "all else exact; a panic by any exception");
        let loose =
            relation(&named("Result", vec![named("f64", vec![]), named("ParseError", vec![])]), &profile);
        assert!(loose.starts_with("floats within 4 ULP or 1e-12; errors by their linked class"), "{loose}");
    }

    #[test]
    fn shapes_are_told_in_words() {
        let text = || Box::new(Shape::Text);
        let shape = Shape::Map(text(), Box::new(Shape::List(Box::new(Shape::Option(text())))));
        assert_eq!(shape.to_string(), "map from text to list of text or nothing");
        assert_eq!(Shape::Int { bits: 8, signed: true, is_size: false }.to_string(), "i8");
    }
}
