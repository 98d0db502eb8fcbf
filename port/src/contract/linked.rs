//! How values are made in the port: by the symbols that what makes them upstream is linked to.

use std::collections::BTreeMap;

use mappings::SymbolPath;
use upstream::ItemPath;

use super::probeable::{FunctionPlan, ProbePlan, ReceiverPlan};
use super::python::PortMaker;
use super::shape::{Maker, Shape};

/// Whether the port says how the value of a method is made. Only the plainest way needs no link: there it
/// is the class itself.
pub(super) fn can_make(
    plan: &ProbePlan,
    links: &BTreeMap<ItemPath, SymbolPath>,
    function: &FunctionPlan,
) -> bool {
    let mut ways = function.shapes.iter().flat_map(Shape::ways);
    if !ways.all(|way| maker(&way.maker, links).is_some()) {
        return false;
    }
    let ReceiverPlan::Constructed { constructor: Some(constructor), .. } = &function.receiver else {
        return true;
    };
    let mut ways = plan.functions.iter().filter(|other| other.item == function.item);
    links.contains_key(constructor) || ways.next().is_some_and(|first| first.receiver == function.receiver)
}

/// What makes such a value in the port: the linked function or, where a constructor has no link of its own, the
/// class that is linked to the type.
pub(super) fn maker(maker: &Maker, links: &BTreeMap<ItemPath, SymbolPath>) -> Option<PortMaker> {
    let linked = |path: &ItemPath| links.get(path).cloned();
    let (symbol, variant) = match maker {
        Maker::Constructor(path) => {
            (linked(path).or_else(|| (path.name() == "new").then(|| linked(&path.parent()?))?), None)
        }
        Maker::Type(path) => (linked(path), None),
        Maker::Variant { of, name } => (linked(of), Some(name.clone())),
    };
    Some(PortMaker { symbol: String::from(called_as_class(symbol?)?), variant })
}

/// The class of an `__init__` or `__new__`; any other symbol itself.
pub(super) fn called_as_class(symbol: SymbolPath) -> Option<SymbolPath> {
    if matches!(symbol.name(), "__init__" | "__new__") { symbol.parent() } else { Some(symbol) }
}
