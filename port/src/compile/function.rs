//! Functions, methods and tests.

use upstream::ItemKind;

use super::Compiled;
use super::class::annotation;
use super::emit::{Emit, Shape};
use super::ir::{Kind, Node, Statement};
use super::lower::{Lower, callable, is_harmless};
use super::program::{Placed, Program, module_of};
use super::refusal::{Made, Reason, refuse};
use super::ty::Ty;

/// The longest line of a signature.
const LINE_MAX: usize = 100;

/// A function, a method or a test function.
pub(super) fn function(program: &Program, placed: &Placed) -> Made<Compiled> {
    let item = &placed.item;
    let function = callable(&item.text)?;
    let signature = &function.signature;
    if let Some(other) = function.attributes.iter().find(|attribute| !is_harmless(attribute)) {
        let name = other.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        return refuse(Reason::Attribute, format!("`#[{name}]`"));
    }
    if signature.unsafety.is_some() || signature.asyncness.is_some() || signature.variadic.is_some() {
        return refuse(Reason::Qualifier, "`unsafe` or `async`");
    }
    let Some(body) = &function.body else { return refuse(Reason::Trait, "a method without a body") };
    let is_method = item.kind == ItemKind::Method;
    let owner = item.path.parent().filter(|_| is_method);
    let own = owner.as_ref().and_then(|owner| own_type(program, owner));
    if is_method && own.is_none() {
        return refuse(Reason::Trait, "a method of a type that the port has no class for");
    }
    if item.path.as_str().contains('#') {
        return refuse(Reason::Attribute, "one of several variants of an item");
    }
    let mut lower = Lower::new(program, module_of(&item.path), own.clone(), item.is_test);
    if let Some(own) = &own {
        plain_owner(program, own)?;
    }
    let (types, output) = lower.signature(signature)?;
    let name = placed.symbol.name();
    let shape = match (name, &output) {
        ("__init__", Ty::Own(made)) if Some(made) == own.as_ref() => Shape::Init,
        ("__init__", _) => return refuse(Reason::Expression, "a `new` that makes something else"),
        (_, Ty::Result(of, error)) if **of == Ty::Unit && **error == Ty::Formatter => Shape::Text,
        (_, Ty::Unit | Ty::Never) => Shape::Procedure,
        (_, Ty::Result(of, _)) if **of == Ty::Unit => Shape::Procedure,
        _ => Shape::Function,
    };
    lower.initialises = shape == Shape::Init;
    let mut parameters = Vec::new();
    if let Some(receiver) = signature.receiver() {
        let Some(own) = &own else { return refuse(Reason::Trait, "a receiver without a class") };
        if receiver.reference.is_none() && receiver.mutability.is_some() {
            return refuse(Reason::Mutation, "a value that is changed after it was handed over");
        }
        if receiver.colon_token.is_some() {
            return refuse(Reason::Type, "a receiver with a type of its own");
        }
        lower.bind("self", Ty::Own(own.clone()), false);
        parameters.push("self".to_owned());
    } else if shape == Shape::Init {
        parameters.push("self".to_owned());
    }
    let mut early = Vec::new();
    for (input, ty) in
        signature.inputs.iter().filter(|input| matches!(input, syn::FnArg::Typed(_))).zip(&types)
    {
        let syn::FnArg::Typed(typed) = input else { continue };
        if matches!(ty, Ty::Formatter) || matches!(ty, Ty::Mut(of) if **of == Ty::Formatter) {
            let syn::Pat::Ident(name) = &*typed.pat else { return refuse(Reason::Pattern, "a formatter") };
            lower.bind(&name.ident.to_string(), Ty::Formatter, false);
            continue;
        }
        if let Ty::Mut(of) = ty
            && !matches!(
                lower.types.bare(of),
                Ty::List(_) | Ty::Array(_) | Ty::Map(..) | Ty::Set(_) | Ty::Own(_)
            )
        {
            return refuse(Reason::Mutation, "a plain value that is changed through a reference");
        }
        let syn::Pat::Ident(name) = &*typed.pat else {
            let syn::Pat::Wild(_) = &*typed.pat else {
                return refuse(Reason::Pattern, "a parameter that is taken apart");
            };
            let local = lower.bind("unused", ty.clone(), false);
            parameters.push(lower.locals.get(local).map(|binding| binding.name.clone()).unwrap_or_default());
            continue;
        };
        let text = name.ident.to_string();
        let plain = text.trim_start_matches('_');
        let local = lower.bind(
            if plain.is_empty() { "unused" } else { &text },
            ty.clone(),
            name.mutability.is_some(),
        );
        let python = lower.locals.get(local).map(|binding| binding.name.clone()).unwrap_or_default();
        let written = annotation(ty, &lower);
        parameters.push(if written.is_empty() { python.clone() } else { format!("{python}: {written}") });
        // What Rust copies when it is handed over is not the caller's any more.
        if name.mutability.is_some()
            && matches!(ty, Ty::List(_) | Ty::Array(_) | Ty::Own(_) | Ty::Map(..) | Ty::Set(_))
        {
            match ty {
                Ty::List(of) | Ty::Array(of) if super::lower::is_immutable(of) => {
                    let class = if super::emit::is_bytes(ty) { "bytearray" } else { "list" };
                    early.push(format!("{python} = {class}({python})"));
                }
                _ => return refuse(Reason::Mutation, "a value that is changed after it was handed over"),
            }
        }
        if matches!(ty, Ty::Iter(_)) {
            early.push(format!("{python} = iter({python})"));
        }
    }
    let body = lower.function_body(body, &output)?;
    frozen(program, &lower, &body)?;
    let body = if shape == Shape::Text { body } else { returned(body, shape) };
    let (lines, mut needs) = Emit::new(&lower, &placed.file, shape).body(&body, 1)?;
    if let Some(hidden) = lower.locals.iter().find(|local| needs.runtime.contains(&local.name)) {
        return refuse(
            Reason::Name,
            format!("`{}` is a variable, and in the runtime module as well", hidden.name),
        );
    }
    let result = match shape {
        Shape::Init | Shape::Procedure => " -> None".to_owned(),
        Shape::Text => " -> str".to_owned(),
        Shape::Function => match annotation(&output, &lower) {
            text if text.is_empty() => String::new(),
            text => format!(" -> {text}"),
        },
    };
    let mut text = Vec::new();
    if is_method && signature.receiver().is_none() && shape != Shape::Init {
        text.push("@staticmethod".to_owned());
    }
    let parameters = if item.is_test && !is_method && name.starts_with("test") && !parameters.is_empty() {
        return refuse(Reason::Kind, "a test with parameters");
    } else {
        parameters
    };
    let result = if item.is_test { String::new() } else { result };
    let head = format!("def {name}({}){result}:", parameters.join(", "));
    if head.len() > LINE_MAX {
        text.push(format!("def {name}("));
        text.extend(parameters.iter().map(|parameter| format!("    {parameter},")));
        text.push(format!("){result}:"));
    } else {
        text.push(head);
    }
    text.extend(docstring(&item.docs, 1));
    text.extend(early.iter().map(|line| format!("    {line}")));
    let panics = function.attributes.iter().any(|attribute| attribute.path().is_ident("should_panic"));
    if panics {
        needs.modules.insert("pytest");
        // A panic of the runtime module is no `Exception`.
        let raised = if program.runtime().is_some() { "BaseException" } else { "Exception" };
        text.push(format!("    with pytest.raises({raised}):"));
        text.extend(lines.iter().map(|line| format!("    {line}")));
    } else {
        text.extend(lines);
    }
    let mut uses = std::mem::take(&mut lower.used);
    uses.remove(&item.path);
    // A method stands in its class.
    uses.extend(own);
    Ok(Compiled::one(text.join("\n"), needs).using(uses))
}

/// The last expression of a function that returns nothing is a statement.
fn returned(body: Node, shape: Shape) -> Node {
    if shape == Shape::Procedure {
        Node::new(Ty::Unit, Kind::Block(vec![Statement::Do(body)], None))
    } else {
        body
    }
}

/// The type of the crate that an `impl` is for.
fn own_type(program: &Program, owner: &upstream::ItemPath) -> Option<upstream::ItemPath> {
    if program.get(owner).is_some() {
        return Some(owner.clone());
    }
    // `<Type as Trait>`: the type by its name, in the same module.
    let name = owner.name();
    let inner = name.strip_prefix('<')?.split_once(" as ")?.0;
    let bare = inner.rsplit("::").next()?;
    let module = module_of(&upstream::ItemPath::new(format!("{owner}::x")).ok()?);
    let path = upstream::ItemPath::new(format!("{}::{bare}", module.join("::"))).ok()?;
    program.get(&path).map(|_| path)
}

/// A class whose values behave as those of the struct do.
fn plain_owner(program: &Program, own: &upstream::ItemPath) -> Made<()> {
    match program.get(own).map(|placed| placed.item.kind) {
        Some(ItemKind::Struct | ItemKind::Enum) => Ok(()),
        Some(_) | None => refuse(Reason::Trait, format!("a method of `{}`", own.name())),
    }
}

/// Values of types that are copied must not change in place.
fn frozen(program: &Program, lower: &Lower<'_>, body: &Node) -> Made<()> {
    let mut found = None;
    body.walk(&mut |node| {
        if let Kind::Assign(place, _) = &node.kind
            && let Kind::Field(base, _) = &place.kind
            && let Ty::Own(path) = lower.types.bare(&base.ty)
            && let Some(placed) = program.get(&path)
            && placed.item.text.contains("Copy")
        {
            found = Some(path);
        }
    });
    match found {
        Some(path) => refuse(Reason::Mutation, format!("a field of `{}`, which is copied", path.name())),
        None => Ok(()),
    }
}

/// Documentation as a docstring: its first paragraph, and no examples in Rust.
pub(super) fn docstring(docs: &str, depth: usize) -> Vec<String> {
    let indent = "    ".repeat(depth);
    let first: Vec<&str> = docs
        .lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    let is_prose = first.first().is_some_and(|line| !line.starts_with(['#', '`', '|', '-', '*', '<', '[']));
    if first.is_empty()
        || !is_prose
        || first.iter().any(|line| line.contains("\"\"\"") || line.contains("```"))
    {
        return Vec::new();
    }
    let clean = |line: &str| line.replace('\\', "\\\\");
    match first.as_slice() {
        [only] if !only.ends_with('"') && only.len() < 88 => {
            vec![format!("{indent}\"\"\"{}\"\"\"", clean(only))]
        }
        [lead, rest @ ..] => {
            let mut lines = vec![format!("{indent}\"\"\"{}", clean(lead))];
            lines.extend(rest.iter().map(|line| format!("{indent}{}", clean(line))));
            lines.push(format!("{indent}\"\"\""));
            lines
        }
        [] => Vec::new(),
    }
}
