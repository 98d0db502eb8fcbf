//! The symbols of a Python file: functions, classes, methods, and the constants of modules and classes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use mappings::{Symbol, SymbolKind, SymbolPath};
use tree_sitter::Node;
use upstream::{ContentHash, Words};

use super::indent::{hash, leading_white, without_indent};
use super::source::{Source, children, descendants, statements};
use crate::language::{FileSymbols, LocatedSymbol, SyntaxFault};

/// How deep classes and conditions may be nested around a symbol.
const NESTING_MAX: usize = 64;

/// Reads the symbols of one file.
pub(super) fn read(file: &str, text: &str, module: Option<&SymbolPath>) -> FileSymbols {
    match read_located(file, text, module) {
        Ok((found, shell)) => FileSymbols {
            symbols: found.into_iter().map(|found| found.located).collect(),
            fault: None,
            shell,
        },
        Err(fault) => FileSymbols { symbols: Vec::new(), fault: Some(fault), shell: ContentHash::of("") },
    }
}

/// A symbol with what a splice needs to know of its surroundings.
pub(super) struct Found {
    pub(super) located: LocatedSymbol,
    /// What stands in front of it on its first line.
    pub(super) indent: String,
    /// Whether no other code stands on its lines.
    pub(super) alone: bool,
    /// Whether it is the only statement of its block.
    pub(super) only_statement: bool,
    /// For a class whose body begins on a line of its own, that line's indentation.
    pub(super) body_indent: Option<String>,
    /// Where its name stands.
    pub(super) name: Range<usize>,
}

/// The symbols of a file and the hash of the code outside them.
pub(super) fn read_located(
    file: &str,
    text: &str,
    module: Option<&SymbolPath>,
) -> Result<(Vec<Found>, ContentHash), SyntaxFault> {
    let source = Source::parse(text)?;
    let module_path = module.map(|module| module.as_str().to_owned()).unwrap_or_default();
    let level = Level { path: module_path, in_class: false, is_test: is_test_file(file), depth: 0 };
    let mut reader = Reader {
        file,
        verbatim: source.verbatim_rows(),
        comments: source.comments(),
        source: &source,
        definitions: BTreeMap::new(),
        found: Vec::new(),
    };
    reader.block(source.root(), &level)?;
    reader.number_overloads_last()?;
    reader.seal_shells();
    let imports = statements(source.root()).into_iter().filter(|node| is_import(*node));
    let inside: Vec<_> = imports.map(|node| node.byte_range()).chain(reader.spans()).collect();
    let shell = reader.shell(0..text.len(), &inside);
    Ok((reader.found, shell))
}

/// The names of a definition's decorators, without arguments.
fn decorators(source: &Source<'_>, statement: Node<'_>) -> Vec<String> {
    let named = children(statement).into_iter().filter(|node| node.kind() == "decorator");
    named
        .filter_map(|node| {
            let expression = node.named_child(0)?;
            let called = expression.child_by_field_name("function").unwrap_or(expression);
            let name: String = source.of(called).chars().filter(|sign| !sign.is_whitespace()).collect();
            (!name.is_empty()).then_some(name)
        })
        .collect()
}

/// Whether it only tells a type checker of one way to call what follows.
fn is_overload(found: &Found) -> bool {
    let last = |name: &String| name.rsplit('.').next() == Some("overload");
    found.located.symbol.decorators.iter().any(last)
}

/// Whether a statement is an import.
pub(super) fn is_import(node: Node<'_>) -> bool {
    matches!(node.kind(), "import_statement" | "import_from_statement" | "future_import_statement")
}

/// The name that a statement defines, if it defines one.
pub(super) fn defined_name<'t>(source: &Source<'t>, statement: Node<'_>) -> Option<&'t str> {
    definition(statement).map(|definition| source.of(definition.name))
}

struct Definition<'n> {
    kind: SymbolKind,
    /// The function or class without its decorators, or the assignment.
    core: Node<'n>,
    name: Node<'n>,
}

fn definition(statement: Node<'_>) -> Option<Definition<'_>> {
    let core = match statement.kind() {
        "decorated_definition" => statement.child_by_field_name("definition")?,
        "expression_statement" if statement.named_child_count() == 1 => statement.named_child(0)?,
        _ => statement,
    };
    let (kind, name) = match core.kind() {
        "function_definition" => (SymbolKind::Function, core.child_by_field_name("name")?),
        "class_definition" => (SymbolKind::Class, core.child_by_field_name("name")?),
        "assignment" => (SymbolKind::Constant, core.child_by_field_name("left")?),
        "type_alias_statement" => {
            let left = core.child_by_field_name("left")?;
            (SymbolKind::Constant, descendants(left).find(|node| node.kind() == "identifier")?)
        }
        _ => return None,
    };
    (name.kind() == "identifier").then_some(Definition { kind, core, name })
}

/// Where the reader is.
struct Level {
    path: String,
    in_class: bool,
    is_test: bool,
    depth: usize,
}

struct Reader<'s, 't> {
    file: &'s str,
    source: &'s Source<'t>,
    verbatim: BTreeSet<usize>,
    comments: Vec<Range<usize>>,
    /// How often each path was defined so far.
    definitions: BTreeMap<String, u32>,
    found: Vec<Found>,
}

impl Reader<'_, '_> {
    /// Reads the statements of a module, a class body, or a block of a condition in one of them.
    fn block(&mut self, block: Node<'_>, level: &Level) -> Result<(), SyntaxFault> {
        if level.depth > NESTING_MAX {
            let message = format!("nested more than {NESTING_MAX} levels deep");
            return Err(SyntaxFault { line: block.start_position().row + 1, message });
        }
        let statements = statements(block);
        for statement in &statements {
            if let Some(definition) = definition(*statement) {
                self.symbol(*statement, &definition, level, statements.len() == 1)?;
            } else if holds_blocks(*statement) {
                self.blocks_of(*statement, level)?;
            }
        }
        Ok(())
    }

    /// Reads the blocks of a condition, which define at the level that the condition stands on.
    fn blocks_of(&mut self, statement: Node<'_>, level: &Level) -> Result<(), SyntaxFault> {
        let inner = Level { path: level.path.clone(), depth: level.depth + 1, ..*level };
        for child in children(statement) {
            match child.kind() {
                "block" => self.block(child, &inner)?,
                kind if kind.ends_with("_clause") && level.depth <= NESTING_MAX => {
                    self.blocks_of(child, &inner)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn symbol(
        &mut self,
        statement: Node<'_>,
        definition: &Definition<'_>,
        level: &Level,
        only_statement: bool,
    ) -> Result<(), SyntaxFault> {
        let name = self.source.of(definition.name);
        let path = self.numbered(&level.path, name);
        let is_test = level.is_test || is_test_definition(self.source, definition, name);
        let kind = match definition.kind {
            SymbolKind::Function if level.in_class => SymbolKind::Method,
            SymbolKind::Function | SymbolKind::Class | SymbolKind::Method | SymbolKind::Constant => {
                definition.kind
            }
        };
        let invalid = |error: upstream::ids::InvalidId| SyntaxFault {
            line: statement.start_position().row + 1,
            message: error.to_string(),
        };
        let parameters = parameters(self.source, statement, definition, kind);
        let before = line_before(self.source.text, statement.start_byte());
        let text = self.dedented(statement, leading_white(before));
        let body = definition.core.child_by_field_name("body");
        let symbol = Symbol {
            path: SymbolPath::new(path.clone()).map_err(invalid)?,
            kind,
            file: self.file.to_owned(),
            line: u32::try_from(statement.start_position().row + 1).unwrap_or(u32::MAX),
            hash: hash(&text),
            decorators: decorators(self.source, statement),
            mentions: mentions(self.source, statement, definition, &parameters),
            text,
            parameters,
            is_test,
        };
        let span = statement.byte_range();
        let after = line_after(self.source.text, span.end).trim();
        let body_indent = body.filter(|_| kind == SymbolKind::Class).and_then(|body| {
            let before = line_before(self.source.text, body.start_byte());
            before.trim().is_empty().then(|| before.to_owned())
        });
        self.found.push(Found {
            located: LocatedSymbol { symbol, span, shell: ContentHash::of("") },
            indent: leading_white(before).to_owned(),
            alone: before.trim().is_empty() && (after.is_empty() || after.starts_with('#')),
            only_statement,
            body_indent,
            name: definition.name.byte_range(),
        });
        match body {
            Some(body) if kind == SymbolKind::Class => {
                self.block(body, &Level { path, in_class: true, is_test, depth: level.depth + 1 })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The path of a definition; each after the first of one path gets a number.
    fn numbered(&mut self, parent: &str, name: &str) -> String {
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
        let count = self.definitions.entry(path.clone()).or_default();
        *count += 1;
        if *count == 1 { path } else { format!("{path}#{count}") }
    }

    /// Of a function with overloads, what runs has the plain path, and the overloads in front of it the numbers.
    fn number_overloads_last(&mut self) -> Result<(), SyntaxFault> {
        let mut by_base: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, found) in self.found.iter().enumerate() {
            let path = found.located.symbol.path.as_str();
            let numbered = path.rsplit_once('#').filter(|(_, number)| number.parse::<u32>().is_ok());
            let base = numbered.map_or(path, |(base, _)| base);
            by_base.entry(base.to_owned()).or_default().push(at);
        }
        for (base, group) in by_base {
            let is_overload = |at: &usize| self.found.get(*at).is_some_and(is_overload);
            let (overloads, others): (Vec<usize>, Vec<usize>) = group.into_iter().partition(is_overload);
            if overloads.is_empty() || others.is_empty() {
                continue;
            }
            for (at, number) in others.into_iter().chain(overloads).zip(1_u32..) {
                let Some(found) = self.found.get_mut(at) else { continue };
                let path = if number == 1 { base.clone() } else { format!("{base}#{number}") };
                let symbol = &mut found.located.symbol;
                let line = usize::try_from(symbol.line).unwrap_or(usize::MAX);
                symbol.path = SymbolPath::new(path)
                    .map_err(|error| SyntaxFault { line, message: error.to_string() })?;
            }
        }
        Ok(())
    }

    fn dedented(&self, node: Node<'_>, indent: &str) -> String {
        let first_row = node.start_position().row;
        let text = self.source.of(node);
        let moved = text.lines().enumerate().map(|(at, line)| {
            let as_it_is = at == 0 || self.verbatim.contains(&(first_row + at));
            if as_it_is { line } else { without_indent(line, indent) }
        });
        moved.collect::<Vec<_>>().join("\n")
    }

    fn spans(&self) -> Vec<Range<usize>> {
        self.found.iter().map(|found| found.located.span.clone()).collect()
    }

    /// Symbols stand in the order of their text, each before what it holds, so what a symbol holds are the
    /// next ones that begin before it ends.
    fn seal_shells(&mut self) {
        let spans = self.spans();
        let shells: Vec<ContentHash> = spans
            .iter()
            .enumerate()
            .map(|(at, span)| {
                let later = spans.get(at + 1..).unwrap_or_default();
                let held: Vec<_> = later.iter().take_while(|held| held.start < span.end).cloned().collect();
                self.shell(span.clone(), &held)
            })
            .collect();
        for (found, shell) in self.found.iter_mut().zip(shells) {
            found.located.shell = shell;
        }
    }

    /// The hash of the code in a span, but for these spans and comments. Lines that only fill an otherwise
    /// empty block do not count: a splice adds and removes them.
    fn shell(&self, span: Range<usize>, without: &[Range<usize>]) -> ContentHash {
        let mut holes: Vec<&Range<usize>> = without.iter().chain(&self.comments).collect();
        holes.sort_by_key(|hole| hole.start);
        let (mut code, mut from) = (String::new(), span.start);
        for hole in holes.into_iter().filter(|hole| hole.start >= span.start && hole.end <= span.end) {
            code.push_str(self.source.text.get(from..hole.start).unwrap_or_default());
            from = from.max(hole.end);
        }
        code.push_str(self.source.text.get(from..span.end).unwrap_or_default());
        let lines: Vec<&str> =
            code.lines().map(str::trim).filter(|line| !matches!(*line, "" | "pass")).collect();
        ContentHash::of(lines.join("\n"))
    }
}

/// What stands on a line in front of a position.
pub(super) fn line_before(text: &str, at: usize) -> &str {
    let head = text.get(..at).unwrap_or_default();
    head.rsplit('\n').next().unwrap_or_default()
}

/// What stands on a line behind a position.
pub(super) fn line_after(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default().split('\n').next().unwrap_or_default()
}

fn holds_blocks(statement: Node<'_>) -> bool {
    matches!(statement.kind(), "if_statement" | "try_statement" | "with_statement")
}

/// Whether a file holds tests, by its path alone.
pub(super) fn is_test_file(file: &str) -> bool {
    let mut segments = file.split('/').rev();
    let name = segments.next().unwrap_or_default();
    name.starts_with("test_")
        || name.ends_with("_test.py")
        || name == "conftest.py"
        || segments.any(|folder| matches!(folder, "tests" | "test"))
}

fn is_test_definition(source: &Source<'_>, definition: &Definition<'_>, name: &str) -> bool {
    let bases = source.field(definition.core, "superclasses");
    let derives = bases
        .trim_matches(['(', ')'])
        .split(',')
        .any(|base| base.trim().rsplit('.').next().is_some_and(|base| base.ends_with("TestCase")));
    match definition.kind {
        SymbolKind::Function | SymbolKind::Method => name.starts_with("test_"),
        SymbolKind::Class => derives,
        SymbolKind::Constant => false,
    }
}

fn parameters(
    source: &Source<'_>,
    statement: Node<'_>,
    definition: &Definition<'_>,
    kind: SymbolKind,
) -> Vec<String> {
    let Some(list) = definition.core.child_by_field_name("parameters") else { return Vec::new() };
    let names = statements(list).into_iter().filter_map(|parameter| parameter_name(source, parameter));
    let is_static = children(statement).iter().any(|child| {
        child.kind() == "decorator" && source.of(*child).trim_start_matches('@') == "staticmethod"
    });
    let bound = usize::from(kind == SymbolKind::Method && !is_static);
    names.skip(bound).collect()
}

fn parameter_name(source: &Source<'_>, parameter: Node<'_>) -> Option<String> {
    match parameter.kind() {
        "identifier" | "list_splat_pattern" | "dictionary_splat_pattern" => {
            Some(source.of(parameter).to_owned())
        }
        "typed_parameter" => parameter.named_child(0).map(|name| source.of(name).to_owned()),
        "default_parameter" | "typed_default_parameter" => Some(source.field(parameter, "name").to_owned()),
        _ => None,
    }
}

/// Names that a symbol's text mentions. Parameters hide what has their name outside, attributes do not.
fn mentions(
    source: &Source<'_>,
    statement: Node<'_>,
    definition: &Definition<'_>,
    parameters: &[String],
) -> Words {
    let hidden: BTreeSet<&str> =
        parameters.iter().map(|name| name.trim_start_matches('*')).chain(["self", "cls"]).collect();
    let mut names = Vec::new();
    for node in descendants(statement).filter(|node| node.kind() == "identifier") {
        let name = source.of(node);
        let is = |kind: &str, field: &str| {
            node.parent().is_some_and(|parent| {
                parent.kind() == kind && parent.child_by_field_name(field).is_some_and(|child| child == node)
            })
        };
        let skipped = node == definition.name
            || is("keyword_argument", "name")
            || (hidden.contains(name) && !is("attribute", "attribute"));
        if !skipped {
            names.push(name);
        }
    }
    names.into_iter().collect()
}
