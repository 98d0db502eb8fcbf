//! One function after another: follows its statements with the values of plain names and notes the calls.

use std::collections::BTreeMap;

use super::literal::{Literal, Names, literal};
use super::tokens::{MACRO_DEPTH_MAX, pieces};
use super::{Harvest, HarvestedCall};
use crate::snapshot::syntax::{
    AstNode, HasArgList, HasName, Lines, SyntaxNode, ast, attribute_name, attributes,
};
use crate::snapshot::types::segment_name;

/// The most rounds of loops over literal tables, and of calls to the file's own helpers, in one function.
const ROUNDS_MAX: usize = 2_000;
/// How deep calls to the file's own helpers are followed.
const HELPER_DEPTH_MAX: usize = 2;

/// Calls that only wrap, unwrap or look at a value.
const HANDS_ON: [&str; 9] =
    ["Some", "Ok", "Err", "unwrap", "expect", "unwrap_err", "expect_err", "is_ok", "is_err"];

/// Walks the functions of one file.
pub(super) struct Walk<'harvest> {
    file: String,
    lines: Lines,
    /// The file's constants.
    constants: Names,
    /// Functions of the file that take parameters: tests hand their tables to such.
    helpers: BTreeMap<String, ast::Fn>,
    /// Added to the lines of the file: where the text itself begins.
    line_offset: u32,
    rounds: usize,
    harvest: &'harvest mut Harvest,
}

/// What is known at a place in a function.
#[derive(Clone, Default)]
struct Scope {
    names: Names,
    /// Values that a harvested call made.
    made: BTreeMap<String, HarvestedCall>,
    /// The line to report where the tree at hand is not the file's own.
    line: Option<u32>,
    helpers: usize,
    macros: usize,
}

impl<'harvest> Walk<'harvest> {
    /// Prepares the walk of a file.
    pub(super) fn new(file: &str, text: &str, root: &SyntaxNode, harvest: &'harvest mut Harvest) -> Self {
        let mut constants = Names::new();
        for node in root.descendants() {
            let constant = ast::Const::can_cast(node.kind()) || ast::Static::can_cast(node.kind());
            if constant {
                let name = node.children().find_map(ast::Name::cast);
                let value = node.children().filter_map(ast::Expr::cast).last();
                if let (Some(name), Some(value)) = (name, value.and_then(|it| literal(&it, &constants))) {
                    constants.insert(name.syntax().text().to_string(), value);
                }
            }
        }
        let (file, lines) = (file.to_owned(), Lines::of(text));
        Self { file, lines, constants, helpers: BTreeMap::new(), line_offset: 0, rounds: 0, harvest }
    }

    /// The same, for a text that begins further down in its file.
    pub(super) fn below(mut self, lines: u32) -> Self {
        self.line_offset = lines;
        self
    }

    /// Takes a function of the tests as a helper, where it has parameters. The upstream's own functions are
    /// none: what they call inside is not what the tests ask for.
    pub(super) fn add_helper(&mut self, function: &SyntaxNode) {
        let Some(function) = ast::Fn::cast(function.clone()) else { return };
        let takes = function.param_list().is_some_and(|list| list.params().next().is_some());
        let name = function.name().filter(|_| takes);
        self.helpers.extend(name.map(|name| (name.syntax().text().to_string(), function)));
    }

    /// Walks one function, or one invocation of a macro.
    pub(super) fn item(&mut self, node: &SyntaxNode) {
        self.rounds = 0;
        let mut scope = Scope { names: self.constants.clone(), ..Scope::default() };
        self.node(node, &mut scope);
        self.cases(node);
    }

    /// `#[test_case("a", 1)]` and `#[case("a", 1)]`: the function once more with these arguments.
    fn cases(&mut self, node: &SyntaxNode) {
        let Some(function) = ast::Fn::cast(node.clone()) else { return };
        for attribute in attributes(node) {
            let is_case =
                attribute_name(&attribute).is_some_and(|name| name == "test_case" || name == "case");
            let tokens = attribute.syntax().descendants().find_map(ast::TokenTree::cast);
            let Some(tokens) = tokens.filter(|_| is_case) else { continue };
            let parameters = parameters(&function);
            let values: Vec<Literal> = pieces(tokens.syntax())
                .into_iter()
                .filter_map(|piece| literal(&ast::Expr::cast(piece.code)?, &self.constants))
                .take(parameters.len())
                .collect();
            if values.len() == parameters.len() {
                let line = self.line(attribute.syntax());
                self.body_with(&function, &values, Scope { line: Some(line), ..Scope::default() });
            }
        }
    }

    fn node(&mut self, node: &SyntaxNode, scope: &mut Scope) {
        if let Some(binding) = ast::LetStmt::cast(node.clone()) {
            self.children(node, scope);
            self.bind(&binding, scope);
        } else if let Some(repeat) = ast::ForExpr::cast(node.clone()) {
            self.repeat(&repeat, scope);
        } else if let Some(call) = ast::MacroCall::cast(node.clone()) {
            self.macro_call(&call, scope);
        } else {
            let expression = ast::Expr::cast(node.clone());
            if let Some(call) = expression.and_then(|it| self.call(&it, scope)) {
                self.follow(&call, scope);
                self.harvest.keep(call);
            }
            self.children(node, scope);
        }
    }

    fn children(&mut self, node: &SyntaxNode, scope: &mut Scope) {
        for child in node.children() {
            self.node(&child, scope);
        }
    }

    /// `let name = …;`
    fn bind(&self, binding: &ast::LetStmt, scope: &mut Scope) {
        let (Some(pattern), Some(value)) = (binding.pat(), binding.initializer()) else { return };
        if let Some(value) = literal(&value, &scope.names) {
            match_pattern(&pattern, &value, &mut scope.names);
            return;
        }
        let ast::Pat::IdentPat(name) = pattern else { return };
        let Some(name) = name.name().map(|name| name.syntax().text().to_string()) else { return };
        scope.names.remove(&name);
        match self.maker(&value, scope) {
            Some(call) => scope.made.insert(name, call),
            None => scope.made.remove(&name),
        };
    }

    /// A loop over a table of literals is walked once for each row.
    fn repeat(&mut self, repeat: &ast::ForExpr, scope: &mut Scope) {
        let table = repeat.iterable().and_then(|table| literal(&table, &scope.names));
        let (Some(Literal::List(rows)), Some(pattern)) = (table, repeat.pat()) else {
            self.children(repeat.syntax(), scope);
            return;
        };
        let body = repeat.syntax().children().filter_map(ast::BlockExpr::cast).last();
        for row in rows {
            let mut inner = scope.clone();
            let fits = self.may_go_on() && match_pattern(&pattern, &row, &mut inner.names);
            if let Some(body) = body.as_ref().filter(|_| fits) {
                self.node(body.syntax(), &mut inner);
            }
        }
    }

    fn may_go_on(&mut self) -> bool {
        self.rounds += 1;
        let goes_on = self.rounds <= ROUNDS_MAX;
        self.harvest.left_out += usize::from(!goes_on);
        goes_on
    }

    fn macro_call(&mut self, call: &ast::MacroCall, scope: &mut Scope) {
        let Some(tokens) = call.token_tree() else { return };
        if scope.macros >= MACRO_DEPTH_MAX {
            return;
        }
        let line = scope.line.unwrap_or_else(|| self.line(tokens.syntax()));
        for piece in pieces(tokens.syntax()) {
            let mut inner = scope.clone();
            inner.line = Some(line + piece.lines_below);
            inner.macros += 1;
            self.node(&piece.code, &mut inner);
        }
    }

    /// A call of one of the file's own functions is that function's calls with these arguments.
    fn follow(&mut self, call: &HarvestedCall, scope: &Scope) {
        let ([name], None) = (call.callee_path.as_slice(), &call.receiver) else { return };
        let Some(helper) = self.helpers.get(name).cloned().filter(|_| scope.helpers < HELPER_DEPTH_MAX)
        else {
            return;
        };
        let inner = Scope { line: Some(call.line), helpers: scope.helpers + 1, ..Scope::default() };
        self.body_with(&helper, &call.arguments, inner);
    }

    /// Walks the body of a function with values for its parameters.
    fn body_with(&mut self, function: &ast::Fn, values: &[Literal], mut scope: Scope) {
        let parameters = parameters(function);
        if parameters.len() != values.len() || !self.may_go_on() {
            return;
        }
        scope.names = self.constants.clone();
        for (parameter, value) in parameters.iter().zip(values) {
            match_pattern(parameter, value, &mut scope.names);
        }
        let body = function.syntax().children().find_map(ast::BlockExpr::cast);
        if let Some(body) = body {
            self.node(body.syntax(), &mut scope);
        }
    }

    /// The call that an expression is, where all its arguments are literals.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the parser's many expressions only these two call"
    )]
    fn call(&self, expression: &ast::Expr, scope: &Scope) -> Option<HarvestedCall> {
        if literal(expression, &scope.names).is_some() {
            // A conversion of one literal into another is no call worth a probe.
            return None;
        }
        let (call, method) = match expression {
            ast::Expr::CallExpr(call) => (Some(call), None),
            ast::Expr::MethodCallExpr(call) => (None, Some(call)),
            _ => (None, None),
        };
        let arguments = call.map_or_else(|| method?.arg_list(), HasArgList::arg_list)?;
        let values: Option<Vec<Literal>> = arguments.args().map(|it| literal(&it, &scope.names)).collect();
        let mut found = HarvestedCall {
            callee: String::new(),
            callee_path: Vec::new(),
            receiver: None,
            constructor: None,
            arguments: values?,
            file: self.file.clone(),
            line: scope.line.unwrap_or_else(|| self.line(expression.syntax())),
        };
        if let Some(method) = method {
            let on = method.receiver()?;
            found.callee_path = vec![method.name_ref()?.syntax().text().to_string()];
            found.receiver = literal(&on, &scope.names);
            if found.receiver.is_none() {
                found.constructor = Some(Box::new(self.maker(&on, scope)?));
            }
        } else {
            let function = call?.expr()?;
            let ast::Expr::PathExpr(function) = function else { return None };
            found.callee_path = function.path()?.segments().filter_map(|it| segment_name(&it)).collect();
        }
        found.callee.clone_from(found.callee_path.last()?);
        (!HANDS_ON.contains(&found.callee.as_str())).then_some(found)
    }

    /// The call that made a value, behind references, `?`, `unwrap` and plain names.
    #[expect(clippy::wildcard_enum_match_arm, reason = "of the parser's many expressions only these hand on")]
    fn maker(&self, expression: &ast::Expr, scope: &Scope) -> Option<HarvestedCall> {
        let mut at = expression.clone();
        loop {
            at = match at {
                ast::Expr::CallExpr(_) => return self.call(&at, scope),
                ast::Expr::ParenExpr(paren) => paren.expr()?,
                ast::Expr::RefExpr(reference) => reference.expr()?,
                ast::Expr::TryExpr(attempt) => attempt.expr()?,
                ast::Expr::PathExpr(name) => {
                    return scope.made.get(&name.syntax().text().to_string()).cloned();
                }
                ast::Expr::MethodCallExpr(call) => {
                    let name = call.name_ref()?.syntax().text().to_string();
                    if !["unwrap", "expect"].contains(&name.as_str()) {
                        return None;
                    }
                    call.receiver()?
                }
                _ => return None,
            };
        }
    }

    fn line(&self, node: &SyntaxNode) -> u32 {
        self.lines.line(node.text_range().start().into()) + self.line_offset
    }
}

fn parameters(function: &ast::Fn) -> Vec<ast::Pat> {
    function.param_list().iter().flat_map(ast::ParamList::params).filter_map(|it| it.pat()).collect()
}

/// Gives the names of a pattern their parts of a value; false where the two do not fit.
fn match_pattern(pattern: &ast::Pat, value: &Literal, names: &mut Names) -> bool {
    match (pattern, value) {
        (ast::Pat::IdentPat(name), _) => {
            let text = name
                .syntax()
                .children()
                .find_map(ast::Name::cast)
                .map(|name| name.syntax().text().to_string());
            text.map(|text| names.insert(text, value.clone())).is_some()
        }
        (ast::Pat::WildcardPat(_), _) => true,
        (ast::Pat::RefPat(inner), _) => inner.pat().is_some_and(|inner| match_pattern(&inner, value, names)),
        (ast::Pat::ParenPat(inner), _) => {
            inner.pat().is_some_and(|inner| match_pattern(&inner, value, names))
        }
        (ast::Pat::TuplePat(tuple), Literal::Tuple(parts)) => match_all(tuple.fields(), parts, names),
        (ast::Pat::SlicePat(slice), Literal::List(parts)) => match_all(slice.pats(), parts, names),
        (_, _) => false,
    }
}

fn match_all(patterns: impl Iterator<Item = ast::Pat>, parts: &[Literal], names: &mut Names) -> bool {
    let patterns: Vec<ast::Pat> = patterns.collect();
    let rest = patterns.iter().any(|pattern| ast::RestPat::can_cast(pattern.syntax().kind()));
    patterns.len() == parts.len()
        && !rest
        && patterns.iter().zip(parts).all(|(pattern, part)| match_pattern(pattern, part, names))
}
