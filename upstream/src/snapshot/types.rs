//! Syntax to [`RustType`] and [`FunctionSignature`]: what a header says to callers, lifetimes left out.

use super::fingerprint::{one_line, tokens};
use super::item::{FunctionSignature, Parameter, Receiver};
use super::rust_type::RustType;
use super::syntax::{AstNode, HasGenericArgs, HasGenericParams, SyntaxNode, ast};

/// The header of a function.
pub(super) fn signature(function: &ast::Fn) -> FunctionSignature {
    let list = function.param_list();
    let receiver = list.as_ref().and_then(ast::ParamList::self_param);
    let parameters = list.iter().flat_map(ast::ParamList::params).map(|parameter| Parameter {
        name: parameter.pat().map_or_else(String::new, |pattern| text(pattern.syntax())),
        ty: parameter.ty().map_or_else(|| RustType::Other("...".to_owned()), |ty| rust_type(&ty)),
    });
    let generics = function.generic_param_list();
    let is_lifetime = |node: &SyntaxNode| ast::LifetimeParam::can_cast(node.kind());
    let predicates = function.where_clause();
    FunctionSignature {
        generics: generics
            .iter()
            .flat_map(ast::GenericParamList::generic_params)
            .filter(|parameter| !is_lifetime(parameter.syntax()))
            .map(|parameter| text(parameter.syntax()))
            .collect(),
        predicates: predicates
            .iter()
            .flat_map(ast::WhereClause::predicates)
            .map(|predicate| text(predicate.syntax()))
            .collect(),
        receiver: receiver.as_ref().map(receiver_kind),
        parameters: parameters.collect(),
        output: function.ret_type().and_then(|it| it.ty()).map_or_else(RustType::unit, |ty| rust_type(&ty)),
        is_async: function.async_token().is_some(),
        is_unsafe: function.unsafe_token().is_some(),
        is_const: function.const_token().is_some(),
    }
}

fn receiver_kind(receiver: &ast::SelfParam) -> Receiver {
    match (receiver.kind(), receiver.ty().as_ref().map(rust_type)) {
        (ast::SelfParamKind::Ref, _) | (_, Some(RustType::Reference { mutable: false, .. })) => {
            Receiver::Shared
        }
        (ast::SelfParamKind::MutRef, _) | (_, Some(RustType::Reference { mutable: true, .. })) => {
            Receiver::Mutable
        }
        (ast::SelfParamKind::Owned, _) => Receiver::Value,
    }
}

/// A type expression.
pub(super) fn rust_type(ty: &ast::Type) -> RustType {
    let other = || RustType::Other(text(ty.syntax()));
    let inner = |ty: Option<ast::Type>| ty.map_or_else(other, |ty| rust_type(&ty));
    match ty {
        ast::Type::ArrayType(array) => RustType::Array {
            element: Box::new(inner(array.ty())),
            length: array.const_arg().map_or_else(String::new, |length| text(length.syntax())),
        },
        ast::Type::NeverType(_) => RustType::Never,
        ast::Type::ParenType(paren) => inner(paren.ty()),
        ast::Type::PathType(path) => path.path().and_then(|path| named(&path)).unwrap_or_else(other),
        ast::Type::RefType(reference) => RustType::Reference {
            mutable: reference.mut_token().is_some(),
            target: Box::new(inner(reference.ty())),
        },
        ast::Type::SliceType(slice) => RustType::Slice(Box::new(inner(slice.ty()))),
        ast::Type::TupleType(tuple) => {
            RustType::Tuple(tuple.fields().map(|field| rust_type(&field)).collect())
        }
        ast::Type::DynTraitType(_)
        | ast::Type::FnPtrType(_)
        | ast::Type::ForType(_)
        | ast::Type::ImplTraitType(_)
        | ast::Type::InferType(_)
        | ast::Type::MacroType(_)
        | ast::Type::PatternType(_)
        | ast::Type::PtrType(_) => other(),
    }
}

/// A path as a named type; `None` for `<T as Trait>::Name` and `Fn(A) -> B`, which are more than a name.
fn named(path: &ast::Path) -> Option<RustType> {
    let mut names = Vec::new();
    for segment in path.segments() {
        if segment.type_anchor().is_some() || segment.parenthesized_arg_list().is_some() {
            return None;
        }
        names.push(segment_name(&segment)?);
    }
    let arguments = path.segment().and_then(|last| last.generic_arg_list());
    let arguments =
        arguments.iter().flat_map(ast::GenericArgList::generic_args).filter_map(|argument| match argument {
            ast::GenericArg::LifetimeArg(_) => None,
            ast::GenericArg::TypeArg(argument) => argument.ty().map(|ty| rust_type(&ty)),
            ast::GenericArg::AssocTypeArg(argument) => Some(RustType::Other(text(argument.syntax()))),
            ast::GenericArg::ConstArg(argument) => Some(RustType::Other(text(argument.syntax()))),
        });
    Some(RustType::Named { path: names, arguments: arguments.collect() })
}

/// The name of one path segment, `self`, `super`, `crate` and `Self` included.
pub(crate) fn segment_name(segment: &ast::PathSegment) -> Option<String> {
    segment.name_ref().map(|name| name.text().to_owned())
}

/// The tokens of a node on one line.
pub(super) fn text(node: &SyntaxNode) -> String {
    one_line(&tokens(node, None))
}
