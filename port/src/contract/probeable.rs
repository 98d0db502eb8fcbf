//! Which items can be called on probes, and by which expression; for every other item, why not.
//!
//! Main function: [`plan_items`]. It reads signatures alone: nothing here runs or writes anything.

use std::collections::{BTreeMap, BTreeSet};

use upstream::snapshot::{FunctionSignature, Receiver, Visibility};
use upstream::{Item, ItemKind, ItemPath, RustType, Snapshot};

use super::constructing::Constructor;
use super::declared_bounds::declared_bounds;
use super::generics::{Bounds, Instance, instances, represented};
use super::input_type::{Input, scalar, text_input};
use super::landmarks::{ByName, Landmarks};
use super::observed_type::{ITERATOR_ELEMENTS_MAX, ObservedType};
use super::operation::{Operation, std_trait};
use super::plan_type::{TypeScope, impl_header, is_generic};
use super::sequence_plan::{SequencePlan, StepCode, refuse, sequences};
use super::shape::Shape;

/// Where a method's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiverPlan {
    /// The function has no receiver.
    None,
    /// The first argument is the receiver, as in `"a".shout()`: the port takes it as a parameter.
    Argument,
    /// The first argument is the receiver, made as arguments of its type are ([`super::Maker`]).
    Made,
    /// The first `arguments` arguments go to a constructor.
    Constructed {
        /// The constructor; `None` for `Default`.
        constructor: Option<ItemPath>,
        /// How many arguments it takes.
        arguments: usize,
        /// How many arguments of the call itself are made like the receiver, such as the other one in `a == b`.
        others: usize,
    },
}

/// One way to call an item: generic items have one for each instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionPlan {
    /// The item.
    pub item: ItemPath,
    /// What the type parameters stand for, such as `T = char`; empty where there are none.
    pub instance: String,
    /// What the arguments of a probe are, a constructor's first.
    pub shapes: Vec<Shape>,
    /// Where the receiver comes from.
    pub receiver: ReceiverPlan,
    /// Which arguments the call changes in place: what is left in them belongs to the result.
    pub changed: Vec<usize>,
    /// Whether the width of its numbers is the probe's choice and not the item's: the port need not
    /// overflow where the upstream does.
    pub is_width_chosen: bool,
    /// Literals in the code of the item and of what it calls: its behaviour may turn at them.
    pub landmarks: Landmarks,
    /// The Rust types that the driver reads, one for each argument.
    pub(super) owned: Vec<String>,
    /// The call, with arguments `a0`, `a1` and so on of types `&owned`.
    pub(super) call: String,
    /// Why it cannot be called after all.
    pub(super) refused: Option<String>,
    /// Types of the crate that results hold, by the paths that name them.
    pub(super) observed: BTreeMap<String, ObservedType>,
    /// How it is called on a value that others were called on before; `None` where it has none that stays.
    pub(super) step: Option<StepCode>,
}

/// What can be probed, and why the rest cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbePlan {
    /// The ways to call, sorted by item and instance.
    pub functions: Vec<FunctionPlan>,
    /// The reasons, by item.
    pub not_probed: BTreeMap<ItemPath, String>,
    /// Calls that can be made one after another on one value. Drivers know them by the numbers behind those of
    /// the functions.
    pub(super) sequences: Vec<SequencePlan>,
}

impl ProbePlan {
    /// Takes out functions that turned out not to compile. Positions stay: the driver knows them by these.
    pub(super) fn exclude(&mut self, excluded: &BTreeMap<usize, String>) {
        for (at, reason) in excluded {
            let first = self.functions.len();
            match self.functions.get_mut(*at) {
                Some(function) => function.refused = Some(reason.clone()),
                None => refuse(&mut self.sequences, first, *at, reason),
            }
        }
        let answering: BTreeSet<_> = self
            .functions
            .iter()
            .filter(|function| function.refused.is_none())
            .map(|function| function.item.clone())
            .collect();
        for function in self.functions.iter().filter(|function| !answering.contains(&function.item)) {
            let reason = function.refused.clone().unwrap_or_default();
            self.not_probed.entry(function.item.clone()).or_insert(reason);
        }
    }
}

/// Plans the calls of these items. `public_paths` names items that are re-exported from private modules.
pub fn plan_items(
    snapshot: &Snapshot,
    items: &[ItemPath],
    public_paths: &BTreeMap<ItemPath, String>,
) -> ProbePlan {
    let mut plan = ProbePlan::default();
    let named = ByName::of_snapshot(snapshot);
    for path in items.iter().collect::<BTreeSet<_>>() {
        let planned = match snapshot.items.get(path) {
            Some(item) => plan_item(snapshot, item, public_paths),
            None => Err("the upstream has no such item at this revision".to_owned()),
        };
        match planned {
            Ok(functions) => {
                let item = snapshot.items.get(path);
                let landmarks = item.map(|item| Landmarks::behind(item, &named)).unwrap_or_default();
                let with = |function| FunctionPlan { landmarks: landmarks.clone(), ..function };
                plan.functions.extend(functions.into_iter().map(with));
            }
            Err(reason) => {
                plan.not_probed.insert(path.clone(), reason);
            }
        }
    }
    plan.sequences = sequences(&plan.functions);
    plan
}

fn plan_item(
    snapshot: &Snapshot,
    item: &Item,
    public_paths: &BTreeMap<ItemPath, String>,
) -> Result<Vec<FunctionPlan>, String> {
    let signature = item.signature.as_ref().ok_or("it is not a function")?;
    if item.is_test {
        return Err("it is test code".to_owned());
    }
    if !matches!(item.kind, ItemKind::Function | ItemKind::Method) {
        return Err("it is not a function".to_owned());
    }
    if item.path.as_str().contains('#') {
        return Err("it is one of several `cfg` variants of one path".to_owned());
    }
    if signature.is_async {
        return Err("it is async".to_owned());
    }
    if signature.is_unsafe {
        return Err("it is unsafe".to_owned());
    }
    let place = Place::of(snapshot, item, public_paths)?;
    let own = |bound: &str| {
        let path: Vec<_> = bound.split("::").map(str::to_owned).collect();
        place.scope.primitive_of(place.scope.trait_item(&path)?).ok()
    };
    let made = |name: &str| {
        let path: Vec<_> = name.split("::").map(str::to_owned).collect();
        place.scope.made(place.scope.item(&path)?, 0).ok()
    };
    let instances = instances(signature, &own, &made)?;
    let ways = if signature.receiver.is_some() { place.ways_to_make()? } else { vec![Made::Plain] };
    let mut functions = Vec::new();
    for instance in &instances {
        for made in &ways {
            functions.push(place.function(item, signature, instance, made)?);
        }
    }
    Ok(functions)
}

/// How the receiver of a method is made.
enum Made {
    /// It is a plain argument, or there is none.
    Plain,
    /// By a constructor.
    Constructed(Constructor),
    /// As an argument of its type is.
    Argument(Input),
}

/// Where an item stands: in a module, or in an implementation.
struct Place<'a> {
    scope: TypeScope<'a>,
    /// The last name of the type as it is declared; `self_type` may be an alias of it.
    type_name: String,
    /// How the function is named in a call.
    callee: String,
    /// What the standard library's trait asks for, where it is one of these.
    operation: Option<Operation>,
    /// Whether `Self` was chosen among the types that implement a trait.
    is_self_chosen: bool,
}

impl<'a> Place<'a> {
    fn of(
        snapshot: &'a Snapshot,
        item: &Item,
        public_paths: &'a BTreeMap<ItemPath, String>,
    ) -> Result<Self, String> {
        let parent = item.path.parent().ok_or("it has no module")?;
        let scope = |module: ItemPath, self_type: Option<String>| TypeScope {
            snapshot,
            module,
            self_type,
            instances: BTreeMap::new(),
            public_paths,
        };
        if item.kind == ItemKind::Function {
            let scope = scope(parent, None);
            let callee = scope.reachable(item)?;
            return Ok(Self {
                scope,
                type_name: String::new(),
                callee,
                operation: None,
                is_self_chosen: false,
            });
        }
        let module = parent.parent().ok_or("its type has no module")?;
        let named = scope(module.clone(), None);
        let mut instances = BTreeMap::new();
        let (mut operation, mut is_self_chosen) = (None, false);
        let segments = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
        let own = |bound: &str| named.primitive_of(named.trait_item(&segments(bound))?).ok();
        let made = |name: &str| named.made(named.item(&segments(name))?, 0).ok();
        // What stands for the parameters of a type or an implementation: one element is enough here.
        let represented = |declared: &Item| {
            let bounds = declared_bounds(declared).filter(|bounds| !bounds.is_empty())?;
            represented(&bounds, "i64", &own, &made).ok()
        };
        let mut type_path = |text: &str| -> Result<String, String> {
            if is_plain(text) {
                return Ok(text.to_owned());
            }
            let implementation = snapshot.items.get(&parent).filter(|item| item.kind == ItemKind::Impl);
            if let Some(instance) = implementation.and_then(represented)
                && let Some(input) = instance.inputs.get(text)
            {
                is_self_chosen |= instance.is_width_chosen;
                // A text need not be sized where the implementation does not ask for that.
                let is_unsized = |bounds: Bounds| {
                    bounds.get(text).is_some_and(|of| of.iter().any(|bound| bound == "?Sized"))
                };
                let declared = implementation.and_then(declared_bounds).is_some_and(is_unsized);
                let own = if declared && input.owned == "String" { "str" } else { &input.owned }.to_owned();
                instances = instance.inputs;
                return Ok(own);
            }
            // The arguments of a generic type are those of its alias.
            let text = text.split('<').next().unwrap_or_default();
            let found =
                named.item(&segments(text)).ok_or_else(|| format!("its type `{text}` is not known"))?;
            if !is_generic(found) {
                return named.reachable(found);
            }
            if let Some(alias) = named.instance_of(found) {
                instances = named.instances_in(found, alias);
                return named.reachable(alias);
            }
            let Some(instance) = represented(found) else {
                return Err(format!(
                    "its type `{text}` is generic, and nothing known stands for its parameters"
                ));
            };
            is_self_chosen |= instance.is_width_chosen;
            let inferred = vec!["_"; instance.inputs.len()].join(", ");
            instances = instance.inputs;
            Ok(format!("{}::<{inferred}>", named.reachable(found)?))
        };
        let (self_type, type_name, callee) = if let Some((ty, implemented)) = impl_header(parent.name()) {
            let bare = ty.split('<').next().unwrap_or_default();
            let name = bare.rsplit("::").next().unwrap_or_default().to_owned();
            let ty = type_path(ty)?;
            let bare = implemented.split('<').next().unwrap_or_default();
            let implemented = match named.trait_item(&segments(bare)) {
                Some(found) if bare == implemented => named.reachable(found)?,
                Some(_) => return Err(format!("its trait `{implemented}` is generic")),
                None => {
                    let known = std_trait(implemented, item.path.name());
                    let known = known.ok_or_else(|| format!("its trait `{implemented}` is not known"))?;
                    operation = known.operation;
                    known.path
                }
            };
            (ty.clone(), name, format!("<{ty} as {implemented}>::{}", item.path.name()))
        } else if let Some(of) = named.trait_item(&[parent.name().to_owned()]) {
            // What a trait declares is asked of a type that implements it.
            let ty = named.primitive_of(of)?;
            is_self_chosen = true;
            (
                ty.clone(),
                parent.name().to_owned(),
                format!("<{ty} as {}>::{}", named.reachable(of)?, item.path.name()),
            )
        } else {
            // A method goes where its type goes: a re-exported type brings its public methods along.
            let is_reachable = item.exported || public_paths.contains_key(&parent);
            if !is_reachable || item.visibility != Visibility::Public {
                return Err("it cannot be named from outside its crate".to_owned());
            }
            let ty = type_path(parent.name())?;
            (ty.clone(), parent.name().to_owned(), format!("{ty}::{}", item.path.name()))
        };
        let scope = TypeScope { instances, ..scope(module, Some(self_type)) };
        Ok(Self { scope, type_name, callee, operation, is_self_chosen })
    }

    fn function(
        &self,
        item: &Item,
        signature: &FunctionSignature,
        instance: &Instance,
        made: &Made,
    ) -> Result<FunctionPlan, String> {
        let mut scope = self.scope.clone();
        scope.instances.extend(instance.inputs.clone());
        let mut observed = BTreeMap::new();
        let mut inputs = Vec::new();
        let mut arguments = Vec::new();
        let (receiver, construction) = match signature.receiver {
            None => (ReceiverPlan::None, None),
            Some(receiver) => match made {
                Made::Plain => {
                    inputs.push(self.plain_receiver(receiver));
                    (ReceiverPlan::Argument, None)
                }
                Made::Constructed(constructor) => {
                    observed.extend(constructor.observed.clone());
                    let (plan, code) = constructor.receiver(&mut inputs, self.others(signature));
                    (plan, Some(code))
                }
                Made::Argument(input) => {
                    inputs.push(input.clone());
                    let code = format!("{{ let mut receiver = {}; let text = $; text }}", input.passed("a0"));
                    (ReceiverPlan::Made, Some(code))
                }
            },
        };
        if receiver == ReceiverPlan::Argument {
            arguments.extend(inputs.first().map(|input| input.given(0)));
        }
        let others = match &receiver {
            ReceiverPlan::Constructed { others, .. } => *others,
            ReceiverPlan::None | ReceiverPlan::Argument | ReceiverPlan::Made => 0,
        };
        arguments.extend((0..others).map(|_| "&other".to_owned()));
        let given =
            if self.operation == Some(Operation::Show) { &[] } else { signature.parameters.as_slice() };
        for parameter in given.iter().skip(others) {
            let input = scope.input(&parameter.ty)?;
            arguments.push(input.given(inputs.len()));
            inputs.push(input);
        }
        for input in &inputs {
            scope.observe_making(&input.shape, &mut observed);
        }
        let output = match self.operation {
            Some(Operation::Show) => "$".to_owned(),
            Some(Operation::Iterate) => {
                scope.output(&signature.output, &mut observed)?;
                format!("::std::iter::Iterator::take($, {ITERATOR_ELEMENTS_MAX}).collect::<VecDeque<_>>()")
            }
            Some(Operation::Compare) | None => scope.output(&signature.output, &mut observed)?,
        };
        let written = |arguments: &[String]| {
            format!(
                "written(&({}))",
                output.replace(
                    '$',
                    &match self.operation {
                        Some(Operation::Show) =>
                            format!("::std::format!(\"{{}}\", {})", arguments.join(", ")),
                        Some(Operation::Iterate) => arguments.join(", "),
                        Some(Operation::Compare) | None => format!(
                            "{}{}({})",
                            self.callee,
                            named_types(signature, instance),
                            arguments.join(", ")
                        ),
                    }
                )
            )
        };
        let mut step = None;
        let call = match construction {
            None => written(&arguments),
            Some(construction) => {
                let value = match signature.receiver {
                    Some(Receiver::Value) | None => "receiver",
                    Some(Receiver::Shared) => "&receiver",
                    Some(Receiver::Mutable) => "&mut receiver",
                };
                arguments.insert(0, value.to_owned());
                let call = written(&arguments);
                step = self.step(signature, made, &call);
                construction.replace('$', &call)
            }
        };
        let variables = inputs.iter().enumerate().filter_map(|(at, input)| {
            let before = input.changed.as_ref()?.replace('$', &format!("a{at}"));
            Some((at, format!("let mut m{at} = {before}; ")))
        });
        let (changed, variables): (Vec<usize>, Vec<String>) = variables.unzip();
        let whole = |call: String| {
            if changed.is_empty() { call } else { with_what_is_left(&call, &changed, &variables.concat()) }
        };
        let call = whole(call);
        let step = step.map(|step| StepCode { call: whole(step.call.clone()), ..step });
        Ok(FunctionPlan {
            step,
            changed,
            item: item.path.clone(),
            instance: named(&instance.name, made),
            shapes: inputs.iter().map(|input| input.shape.clone()).collect(),
            receiver,
            is_width_chosen: self.is_self_chosen || instance.is_width_chosen,
            landmarks: Landmarks::default(),
            owned: inputs.into_iter().map(|input| input.owned).collect(),
            call,
            refused: None,
            observed,
        })
    }

    /// The call as one of several on one value, where the value stays and there is one of it.
    fn step(&self, signature: &FunctionSignature, made: &Made, call: &str) -> Option<StepCode> {
        let (construction, made_with) = match made {
            Made::Plain => return None,
            Made::Constructed(_) if self.others(signature) > 0 => return None,
            Made::Constructed(constructor) => (constructor.made(0), constructor.inputs.len()),
            Made::Argument(input) => (input.passed("a0"), 1),
        };
        let is_mutating = match signature.receiver? {
            Receiver::Value => return None,
            Receiver::Shared => false,
            Receiver::Mutable => true,
        };
        let call = match self.operation {
            // One element at a time: the others stay for later steps.
            Some(Operation::Iterate) => "written(&(::std::iter::Iterator::next(&mut receiver)))",
            Some(Operation::Show | Operation::Compare) | None => call,
        };
        let of = self.scope.item(std::slice::from_ref(&self.type_name))?;
        Some(StepCode {
            of: of.path.clone(),
            construction,
            made_with,
            call: call.to_owned(),
            is_mutating,
            own: self.scope.observed_own(of),
        })
    }

    /// How many parameters are values of the type itself, made like the receiver.
    fn others(&self, signature: &FunctionSignature) -> usize {
        let own = signature.parameters.first().filter(|_| self.operation == Some(Operation::Compare));
        let is_own = own.is_some_and(|parameter| match &parameter.ty {
            RustType::Reference { target, .. } => {
                target.last_name().is_some_and(|name| name == "Self" || name == self.type_name)
            }
            RustType::Named { .. } | RustType::Slice(_) | RustType::Array { .. } | RustType::Tuple(_) => {
                false
            }
            RustType::Never | RustType::Other(_) => false,
        });
        usize::from(is_own)
    }

    /// The ways to make the receiver of a method, the plainest first.
    fn ways_to_make(&self) -> Result<Vec<Made>, String> {
        let own = self.scope.self_type.as_deref().unwrap_or_default();
        if is_plain(own) {
            return Ok(vec![Made::Plain]);
        }
        let constructors = self.scope.constructors(own, &self.type_name, 0);
        let as_argument = || {
            let item = self.scope.item(std::slice::from_ref(&self.type_name))?;
            self.scope.made_as(item, own, &self.scope.instances, 0).ok()
        };
        match constructors {
            Ok(constructors) => Ok(constructors.into_iter().map(Made::Constructed).collect()),
            Err(reason) => as_argument().map(|input| vec![Made::Argument(input)]).ok_or(reason),
        }
    }

    /// A receiver that is an argument itself.
    fn plain_receiver(&self, receiver: Receiver) -> Input {
        let own = self.scope.self_type.as_deref().unwrap_or_default();
        if own == "str" {
            return text_input("$.as_str()");
        }
        let shape = if own == "Vec<u8>" { Shape::Bytes } else { scalar(own).unwrap_or(Shape::Text) };
        let (pass, changed) = match receiver {
            Receiver::Shared => ("$", None),
            Receiver::Value => ("$.clone()", None),
            Receiver::Mutable => ("&mut $", Some("$.clone()".to_owned())),
        };
        Input { shape, owned: own.to_owned(), borrows: true, pass: pass.to_owned(), changed }
    }
}

impl Constructor {
    /// The expression that makes a value of the arguments from this one on.
    fn made(&self, first: usize) -> String {
        let inputs = self.inputs.iter().enumerate();
        let arguments: Vec<_> = inputs.map(|(at, input)| input.passed(&format!("a{}", first + at))).collect();
        self.call.replace('$', &arguments.join(", "))
    }

    /// The receiver, and the code around the call, where `$` stands for the call. So many `others` are made
    /// in the same way.
    fn receiver(&self, inputs: &mut Vec<Input>, others: usize) -> (ReceiverPlan, String) {
        let count = self.inputs.len();
        let other = if others > 0 { format!("let other = {}; ", self.made(count)) } else { String::new() };
        let code = format!("{{ let mut receiver = {}; {other}let text = $; text }}", self.made(0));
        for _ in 0..=others {
            inputs.extend(self.inputs.iter().cloned());
        }
        (ReceiverPlan::Constructed { constructor: self.item.clone(), arguments: count, others }, code)
    }
}

/// The type arguments of a call, where nothing but the result tells what a type parameter is.
fn named_types(signature: &FunctionSignature, instance: &Instance) -> String {
    let stands_in = |name: &str, text: &str| {
        text.split(|char: char| !char.is_alphanumeric() && char != '_').any(|word| word == name)
    };
    let names: Vec<&str> = signature
        .generics
        .iter()
        .map(|generic| generic.split(':').next().unwrap_or_default().trim())
        .filter(|name| !name.starts_with('\''))
        .collect();
    let bounds = || signature.generics.iter().chain(&signature.predicates);
    let is_open = |name: &&str| {
        let of_another = |text: &&String| {
            let (of, bound) = text.split_once(':').unwrap_or((text, ""));
            stands_in(name, if of.trim() == *name { bound } else { text })
        };
        stands_in(name, &signature.output.to_string())
            && !signature.parameters.iter().any(|parameter| stands_in(name, &parameter.ty.to_string()))
            && bounds().find(of_another).is_none()
    };
    if !names.iter().any(is_open) {
        return String::new();
    }
    let chosen = |name: &&str| match instance.inputs.get(*name) {
        Some(input) if is_open(name) => input.owned.clone(),
        Some(_) | None => "_".to_owned(),
    };
    format!("::<{}>", names.iter().map(chosen).collect::<Vec<_>>().join(", "))
}

/// A call with variables of their own for the arguments that it changes, and what is left in these.
fn with_what_is_left(call: &str, changed: &[usize], variables: &str) -> String {
    let left: Vec<_> = changed.iter().map(|at| format!("written(&m{at})")).collect();
    let left = left.join(", ");
    format!("{{ {variables}let result = {call}; left_in(&result, &[{left}]) }}")
}

/// Whether a value of this type is a plain argument.
fn is_plain(own: &str) -> bool {
    matches!(own, "str" | "String" | "Vec<u8>") || scalar(own).is_some()
}

/// What tells one way to call an item from another, in words.
fn named(instance: &str, made: &Made) -> String {
    let maker = match made {
        Made::Constructed(constructor) => constructor.item.as_ref().map(ItemPath::name),
        Made::Plain | Made::Argument(_) => None,
    };
    match maker.filter(|maker| *maker != "new") {
        None => instance.to_owned(),
        Some(maker) if instance.is_empty() => format!("made by `{maker}`"),
        Some(maker) => format!("{instance}, made by `{maker}`"),
    }
}
