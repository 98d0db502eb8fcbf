//! What a Rust body means, with types, before it is written as Python.

use mappings::SymbolPath;

use super::ty::Ty;

/// A local variable, by its number in the function.
pub(super) type Local = usize;

/// An expression.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) ty: Ty,
    pub(super) kind: Kind,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Python that is a name or literal.
    Text(String),
    Int(i128),
    Local(Local),
    /// A symbol of the port.
    Symbol(SymbolPath, String),
    /// Python with places: `{0}` for what is called or looked into, `<0>` for what stands between commas.
    Template(Template),
    /// An operator on integers or floats; integers are held to their type.
    Arith(Arith, Box<Node>, Box<Node>),
    /// `-x`, `!x` on integers.
    Negate(Box<Node>),
    Invert(Box<Node>),
    Compare(&'static str, Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Cast(Box<Node>),
    Field(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    Tuple(Vec<Node>),
    List(Vec<Node>),
    Repeat(Box<Node>, Box<Node>),
    /// `body for pattern in source if filter`.
    Each {
        source: Box<Node>,
        pattern: Pattern,
        filter: Option<Box<Node>>,
        body: Option<Box<Node>>,
    },
    Range {
        low: Box<Node>,
        high: Box<Node>,
        closed: bool,
    },
    /// A text, list or other sequence that is iterated over as it is.
    Seq(Box<Node>),
    Collect(Box<Node>),
    /// A copy of a list.
    Copy(Box<Node>),
    Lambda(Vec<Pattern>, Box<Node>),
    Call(Box<Node>, Vec<Node>),
    Block(Vec<Statement>, Option<Box<Node>>),
    If(Box<Node>, Box<Node>, Option<Box<Node>>),
    /// `let pattern = value` as a condition.
    Let(Pattern, Box<Node>),
    Match(Box<Node>, Vec<Arm>),
    While(Box<Node>, Box<Node>),
    Loop(Box<Node>),
    For(Pattern, Box<Node>, Box<Node>),
    Break,
    Continue,
    Return(Option<Box<Node>>),
    Assign(Box<Node>, Box<Node>),
    /// `?`
    Try(Box<Node>),
    Ok(Box<Node>),
    Err(Box<Node>),
    /// A panic, with Python that makes the exception.
    Panic(Box<Node>),
    /// Steps that only a statement can do.
    Do(Template),
    /// What `fmt` has written so far is followed by this text.
    Write(Box<Node>),
}

/// The arms for `Some` and `None` of a match that has just these.
pub(super) fn option_arms(arms: &[Arm]) -> Option<(&Arm, &Arm)> {
    let [one, other] = arms else { return None };
    let is_some = |arm: &Arm| match &arm.pattern {
        Pattern::Some(inner) => {
            arm.guard.is_none() && matches!(**inner, Pattern::Bind(_, None) | Pattern::Any)
        }
        _ => false,
    };
    let is_none = |arm: &Arm| arm.guard.is_none() && matches!(arm.pattern, Pattern::None);
    if is_some(one) && is_none(other) {
        Some((one, other))
    } else if is_none(one) && is_some(other) {
        Some((other, one))
    } else {
        None
    }
}

/// Python text with places for expressions.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) text: String,
    pub(super) arguments: Vec<Node>,
    /// How strongly it binds.
    pub(super) binds: Binds,
    /// Helper functions that it calls.
    pub(super) helpers: Vec<&'static str>,
    /// Names of the runtime module that it has.
    pub(super) runtime: Vec<String>,
    /// Modules of the standard library.
    pub(super) modules: Vec<&'static str>,
    /// Whether something is changed by it.
    pub(super) effects: bool,
    /// What is known of an integer that it gives.
    pub(super) between: Option<(i128, i128)>,
}

/// How strongly a Python expression binds, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binds {
    /// `x for x in y` without its parentheses.
    Generator,
    Lambda,
    Conditional,
    Or,
    And,
    Not,
    Compare,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Sum,
    Product,
    Unary,
    Atom,
}

/// Operators on numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "few statements are held at once, and most are of the large kind"
)]
pub(super) enum Statement {
    Let { pattern: Pattern, value: Option<Node>, otherwise: Option<Node> },
    Do(Node),
}

#[derive(Debug, Clone)]
pub(super) struct Arm {
    pub(super) pattern: Pattern,
    pub(super) guard: Option<Node>,
    pub(super) body: Node,
}

/// What lies between the ends of a list, under a name or without one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) name: Option<Local>,
}

#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Any,
    Bind(Local, Option<Box<Pattern>>),
    /// Equal to a literal or constant.
    Is(Box<Node>),
    Between(Option<Box<Node>>, Option<Box<Node>>, bool),
    Tuple(Vec<Pattern>),
    Some(Box<Pattern>),
    None,
    Ok(Box<Pattern>),
    Err(Box<Pattern>),
    /// A struct, by fields.
    Fields(Vec<(String, Pattern)>),
    /// A variant of an enum.
    Variant(Box<Node>),
    Either(Vec<Pattern>),
    /// A list: what it begins with, what lies between, what it ends with.
    List(Vec<Pattern>, Option<Rest>, Vec<Pattern>),
}

impl Node {
    pub(super) fn new(ty: Ty, kind: Kind) -> Self {
        Self { ty, kind }
    }

    pub(super) fn unit() -> Self {
        Self::new(Ty::Unit, Kind::Text("None".to_owned()))
    }

    pub(super) fn text(ty: Ty, text: impl Into<String>) -> Self {
        Self::new(ty, Kind::Text(text.into()))
    }

    /// A template that binds like a call or a name.
    pub(super) fn atom(ty: Ty, text: impl Into<String>, arguments: Vec<Self>) -> Self {
        Self::template(ty, text, arguments, Binds::Atom)
    }

    pub(super) fn template(ty: Ty, text: impl Into<String>, arguments: Vec<Self>, binds: Binds) -> Self {
        let template = Template {
            text: text.into(),
            arguments,
            binds,
            helpers: Vec::new(),
            runtime: Vec::new(),
            modules: Vec::new(),
            effects: false,
            between: None,
        };
        Self::new(ty, Kind::Template(template))
    }

    /// A call of a helper.
    pub(super) fn helper(ty: Ty, name: &'static str, arguments: Vec<Self>) -> Self {
        let places: Vec<String> = (0..arguments.len()).map(|at| format!("<{at}>")).collect();
        let mut node = Self::atom(ty, format!("{name}({})", places.join(", ")), arguments);
        node.with(|template| template.helpers.push(name));
        node
    }

    /// A call of a function of the runtime module, with a type of it behind the arguments.
    pub(super) fn runtime(ty: Ty, name: &str, arguments: Vec<Self>, of: &str) -> Self {
        let places: Vec<String> = (0..arguments.len()).map(|at| format!("<{at}>, ")).collect();
        let mut node = Self::atom(ty, format!("{name}({}{of})", places.concat()), arguments);
        node.with(|template| template.runtime.extend([name.to_owned(), of.to_owned()]));
        node
    }

    pub(super) fn with(&mut self, change: impl FnOnce(&mut Template)) {
        if let Kind::Template(template) | Kind::Do(template) = &mut self.kind {
            change(template);
        }
    }

    pub(super) fn needing(mut self, module: &'static str) -> Self {
        self.with(|template| template.modules.push(module));
        self
    }

    pub(super) fn between(mut self, low: i128, high: i128) -> Self {
        self.with(|template| template.between = Some((low, high)));
        self
    }

    pub(super) fn effectful(mut self) -> Self {
        self.with(|template| template.effects = true);
        self
    }

    /// Whether it has to be written as statements.
    pub(super) fn needs_statements(&self) -> bool {
        match &self.kind {
            Kind::Block(statements, tail) => {
                !statements.is_empty() || tail.as_ref().is_none_or(|tail| tail.needs_statements())
            }
            Kind::If(condition, then, otherwise) => {
                condition.binds()
                    || condition.needs_statements()
                    || then.needs_statements()
                    || otherwise.as_ref().is_none_or(|otherwise| otherwise.needs_statements())
            }
            Kind::Match(subject, arms) => {
                let Some((some, none)) = option_arms(arms) else { return true };
                !matches!(subject.kind, Kind::Local(_))
                    || matches!(subject.ty, Ty::Result(..))
                    || some.body.needs_statements()
                    || none.body.needs_statements()
            }
            Kind::Let(..)
            | Kind::While(..)
            | Kind::Loop(_)
            | Kind::For(..)
            | Kind::Break
            | Kind::Continue
            | Kind::Return(_)
            | Kind::Assign(..)
            | Kind::Err(_)
            | Kind::Panic(_)
            | Kind::Do(_)
            | Kind::Write(_) => true,
            Kind::Try(inner) => !matches!(inner.ty, Ty::Result(..)) || inner.needs_statements(),
            _ => self.children().into_iter().any(Self::needs_statements),
        }
    }

    /// Whether a condition binds names.
    pub(super) fn binds(&self) -> bool {
        match &self.kind {
            Kind::Let(..) => true,
            Kind::And(left, right) => left.binds() || right.binds(),
            _ => false,
        }
    }

    /// Whether evaluating it changes something, or may fail on purpose.
    pub(super) fn has_effects(&self) -> bool {
        match &self.kind {
            Kind::Template(template) => template.effects || template.arguments.iter().any(Self::has_effects),
            Kind::Call(..) => true,
            _ => self.needs_statements() || self.children().into_iter().any(Self::has_effects),
        }
    }

    /// The expressions directly inside, for kinds that are expressions in Python too.
    pub(super) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Template(template) | Kind::Do(template) => template.arguments.iter().collect(),
            Kind::Arith(_, left, right)
            | Kind::Compare(_, left, right)
            | Kind::And(left, right)
            | Kind::Or(left, right)
            | Kind::Index(left, right)
            | Kind::Repeat(left, right)
            | Kind::Assign(left, right)
            | Kind::While(left, right)
            | Kind::For(_, left, right) => vec![left, right],
            Kind::Range { low, high, .. } => vec![low, high],
            Kind::Negate(of)
            | Kind::Invert(of)
            | Kind::Not(of)
            | Kind::Cast(of)
            | Kind::Field(of, _)
            | Kind::Seq(of)
            | Kind::Collect(of)
            | Kind::Copy(of)
            | Kind::Lambda(_, of)
            | Kind::Loop(of)
            | Kind::Try(of)
            | Kind::Ok(of)
            | Kind::Err(of)
            | Kind::Panic(of)
            | Kind::Write(of)
            | Kind::Let(_, of) => vec![of],
            Kind::Tuple(parts) | Kind::List(parts) => parts.iter().collect(),
            Kind::Each { source, filter, body, .. } => [Some(source), filter.as_ref(), body.as_ref()]
                .into_iter()
                .flatten()
                .map(|node| &**node)
                .collect(),
            Kind::Call(callee, arguments) => std::iter::once(&**callee).chain(arguments).collect(),
            Kind::If(condition, then, otherwise) => {
                let otherwise = otherwise.as_deref();
                [Some(&**condition), Some(&**then), otherwise].into_iter().flatten().collect()
            }
            Kind::Block(statements, tail) => {
                let inner = statements.iter().flat_map(|statement| match statement {
                    Statement::Let { value, otherwise, .. } => [value.as_ref(), otherwise.as_ref()],
                    Statement::Do(node) => [Some(node), None],
                });
                inner.flatten().chain(tail.as_deref()).collect()
            }
            Kind::Match(subject, arms) => {
                let arms = arms.iter().flat_map(|arm| [arm.guard.as_ref(), Some(&arm.body)]);
                std::iter::once(&**subject).chain(arms.flatten()).collect()
            }
            Kind::Return(value) => value.as_deref().into_iter().collect(),
            Kind::Text(_)
            | Kind::Int(_)
            | Kind::Local(_)
            | Kind::Symbol(..)
            | Kind::Break
            | Kind::Continue => Vec::new(),
        }
    }

    /// Calls this for the expression and everything inside.
    pub(super) fn walk<'node>(&'node self, look: &mut dyn FnMut(&'node Self)) {
        look(self);
        for child in self.children() {
            child.walk(look);
        }
    }
}
