//! How a value of a type of the crate is made: by its constructors, its variants or its fields.
//!
//! Main functions: [`TypeScope::constructors`] for what a method is called on, [`TypeScope::made`] for arguments.

use std::collections::BTreeMap;

use upstream::snapshot::Visibility;
use upstream::{Item, ItemPath, RustType};

use super::input_type::Input;
use super::observed_type::ObservedType;
use super::plan_type::{DEPTH_MAX, TypeScope, impl_header, implements, is_generic};
use super::shape::{Maker, Shape, Way};
use super::type_form::{FieldForm, TypeForm};

/// In how many ways the value of a method is made at most.
const CONSTRUCTORS_MAX: usize = 4;

/// A way to make a value.
pub(super) struct Constructor {
    /// The function; `None` for `Default`.
    pub item: Option<ItemPath>,
    /// The expression, where `$` stands for the arguments.
    pub call: String,
    /// Its arguments.
    pub inputs: Vec<Input>,
    /// Types of the crate in the errors that it may return.
    pub observed: BTreeMap<String, ObservedType>,
}

/// The most arguments of one value: the driver reads them as a tuple.
const PARTS_MAX: usize = 6;
/// How much deeper a value of a type of the crate counts than one of the standard library.
const MADE_DEPTH: usize = 4;

impl TypeScope<'_> {
    /// The ways to make a value: `new`, then the functions with the fewest parameters, or else `Default`. Each
    /// may set what no other does, so a method is asked of values of all.
    ///
    /// `own` is the path of the type, `name` its last name; the scope is that of its module.
    pub(super) fn constructors(
        &self,
        own: &str,
        name: &str,
        depth: usize,
    ) -> Result<Vec<Constructor>, String> {
        let snapshot = self.snapshot;
        let mut found: Vec<(u8, usize, Constructor)> = Vec::new();
        for item in snapshot.items.values() {
            let Some(signature) = &item.signature else { continue };
            let Some(parent) = item.path.parent() else { continue };
            let plain = parent.name() == name
                && parent.parent().as_ref() == Some(&self.module)
                && item.visibility == Visibility::Public;
            let from_text = item.path.name() == "from_str"
                && impl_header(parent.name()).is_some_and(|(ty, of)| ty == name && of.ends_with("FromStr"));
            let callable = signature.receiver.is_none()
                && signature.generics.is_empty()
                && !signature.is_async
                && !signature.is_unsafe;
            if item.is_test || !callable || !(plain || from_text) {
                continue;
            }
            let mut observed = BTreeMap::new();
            let Some(unwrap) = self.makes_self(&signature.output, name, &mut observed) else { continue };
            let inputs = signature.parameters.iter().map(|parameter| self.input_at(&parameter.ty, depth));
            let Ok(inputs) = inputs.collect::<Result<Vec<_>, _>>() else { continue };
            if inputs.iter().any(|input| input.changed.is_some()) {
                continue;
            }
            let callee = if from_text {
                format!("<{own} as ::std::str::FromStr>::from_str")
            } else {
                format!("{own}::{}", item.path.name())
            };
            let call = unwrap.replace('$', &format!("{callee}($)"));
            let rank = u8::from(item.path.name() != "new");
            let made = Constructor { item: Some(item.path.clone()), call, inputs, observed };
            found.push((rank, made.inputs.len(), made));
        }
        found.sort_by_key(|(rank, parameters, _)| (*rank, *parameters));
        if !found.is_empty() {
            return Ok(found.into_iter().map(|(_, _, made)| made).take(CONSTRUCTORS_MAX).collect());
        }
        let segments: Vec<_> = name.split("::").map(str::to_owned).collect();
        let has_default = self.item(&segments).is_some_and(|item| implements(snapshot, item, "Default"));
        if has_default {
            let call = format!("<{own} as ::std::default::Default>::default()");
            return Ok(vec![Constructor { item: None, call, inputs: Vec::new(), observed: BTreeMap::new() }]);
        }
        Err(format!("no value of its type `{name}` can be made from plain arguments"))
    }

    /// How a constructor's result becomes a value, where it does: an error it returns is the outcome.
    fn makes_self(
        &self,
        output: &RustType,
        own: &str,
        observed: &mut BTreeMap<String, ObservedType>,
    ) -> Option<String> {
        let is_self = |ty: &RustType| ty.last_name().is_some_and(|name| name == "Self" || name == own);
        let RustType::Named { path, arguments } = output else { return None };
        match (path.last().map(String::as_str), arguments.as_slice()) {
            // The arguments of a generic type are the compiler's to judge.
            (Some(_), _) if is_self(output) => Some("$".to_owned()),
            (Some("Option"), [value]) if is_self(value) => {
                Some("match $ { Some(value) => value, None => early(written(&None::<()>)) }".to_owned())
            }
            (Some("Result"), [value, rest @ ..]) if is_self(value) => {
                rest.iter().try_for_each(|error| self.error(error, observed)).ok()?;
                Some(
                    "match $ { Ok(value) => value, Err(error) => early(written(&Err::<(), _>(error))) }"
                        .to_owned(),
                )
            }
            (_, _) => None,
        }
    }
    /// The errors that making this argument may end with are looked at as results are.
    pub(super) fn observe_making(&self, shape: &Shape, observed: &mut BTreeMap<String, ObservedType>) {
        for way in shape.ways() {
            let Maker::Constructor(path) = &way.maker else { continue };
            let signature = self.snapshot.items.get(path).and_then(|item| item.signature.as_ref());
            let module = path.parent().and_then(|parent| parent.parent());
            let (Some(signature), Some(module)) = (signature, module) else { continue };
            let inside = TypeScope { module, ..self.clone() };
            if let RustType::Named { arguments, .. } = &signature.output {
                // One that has no form is a reason elsewhere: the compiler judges.
                for error in arguments.iter().skip(1) {
                    drop(inside.error(error, observed));
                }
            }
        }
    }

    /// An argument of a type of the crate: one of its variants without fields, what its plainest constructor
    /// gives, or all its fields where these are public.
    pub(super) fn made(&self, item: &Item, depth: usize) -> Result<Input, String> {
        if is_generic(item) {
            return Err(unmade(item));
        }
        self.made_as(item, &self.reachable(item)?, &BTreeMap::new(), depth)
    }

    /// The same for a generic type by this path, where `instances` stand for its parameters.
    pub(super) fn made_as(
        &self,
        item: &Item,
        own: &str,
        instances: &BTreeMap<String, Input>,
        depth: usize,
    ) -> Result<Input, String> {
        let name = item.path.name();
        let unknown = || unmade(item);
        if depth + MADE_DEPTH > DEPTH_MAX {
            return Err(unknown());
        }
        let module = item.path.parent().ok_or_else(unknown)?;
        let (self_type, instances) = (Some(own.to_owned()), instances.clone());
        let inside = TypeScope { module, self_type, instances, ..self.clone() };
        let form = TypeForm::of(item);
        if let TypeForm::Enum(variants) = &form
            && let Some(input) = chosen(item, own, variants)
        {
            return Ok(input);
        }
        let deeper = depth + MADE_DEPTH;
        if let Some(plainest) =
            inside.constructors(own, name, deeper).ok().and_then(|all| all.into_iter().next())
        {
            return made_by(item, plainest).ok_or_else(unknown);
        }
        match &form {
            TypeForm::Struct(fields) if !fields.is_partly_hidden => {
                let types = fields.public.iter().map(|(_, ty)| inside.input_at(ty, deeper));
                let inputs = types.collect::<Result<Vec<_>, _>>()?;
                let names = fields.public.iter().map(|(name, _)| format!("{name}: {{}}"));
                let call = format!("{own} {{ {} }}", names.collect::<Vec<_>>().join(", "));
                from_parts(Maker::Type(item.path.clone()), inputs, |arguments| {
                    arguments.iter().fold(call.clone(), |call, argument| call.replacen("{}", argument, 1))
                })
                .ok_or_else(unknown)
            }
            TypeForm::Struct(_) | TypeForm::Enum(_) | TypeForm::Hidden => Err(unknown()),
        }
    }
}

fn unmade(item: &Item) -> String {
    format!("a parameter of type `{}` cannot be made from plain arguments", item.path.name())
}

/// One of the variants that have no fields.
fn chosen(item: &Item, own: &str, variants: &[(String, FieldForm)]) -> Option<Input> {
    let plain = variants.iter().filter(|(_, fields)| fields.public.is_empty() && !fields.is_partly_hidden);
    let ways: Vec<Way> = plain
        .map(|(name, _)| Way {
            maker: Maker::Variant { of: item.path.clone(), name: name.clone() },
            parts: Vec::new(),
        })
        .collect();
    if ways.is_empty() {
        return None;
    }
    let arm = |way: &Way| {
        let maker = way.maker.to_string();
        let name = maker.rsplit("::").next().unwrap_or_default();
        format!("\"{maker}\" => {own}::{name}, ")
    };
    let arms: String = ways.iter().map(arm).collect();
    Some(Input {
        shape: Shape::Made(ways),
        owned: "Maker".to_owned(),
        borrows: true,
        pass: format!("match $.0.as_str() {{ {arms} _ => unfit() }}"),
        changed: None,
    })
}

/// What a constructor gives. An error that it returns is the outcome of the call.
fn made_by(item: &Item, constructor: Constructor) -> Option<Input> {
    let maker = constructor.item.map_or_else(|| Maker::Type(item.path.clone()), Maker::Constructor);
    let call = constructor.call;
    from_parts(maker, constructor.inputs, |arguments| call.replace('$', &arguments.join(", ")))
}

fn from_parts(maker: Maker, inputs: Vec<Input>, call: impl Fn(&[String]) -> String) -> Option<Input> {
    if inputs.len() > PARTS_MAX {
        return None;
    }
    let arguments: Vec<_> =
        inputs.iter().enumerate().map(|(at, input)| input.passed(&format!("(&$.{at})"))).collect();
    let types: Vec<_> = inputs.iter().map(|input| input.owned.as_str()).collect();
    let owned = if inputs.is_empty() { "Maker".to_owned() } else { format!("({},)", types.join(", ")) };
    let pass = call(&arguments);
    let parts = inputs.into_iter().map(|input| input.shape).collect();
    Some(Input { shape: Shape::Made(vec![Way { maker, parts }]), owned, borrows: true, pass, changed: None })
}
