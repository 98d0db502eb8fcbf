//! The imports of a Python file: reading them, and merging new ones behind those that are there.

use std::collections::BTreeSet;

use mappings::SymbolPath;
use tree_sitter::Node;

use super::import_names::put_in;
use super::indent::dedent;
use super::source::{Source, children, descendants, line_of, statements};
use super::splice::{Anchor, eol, next_line};
use super::symbols::is_import;
use crate::language::{Imported, Place, SpliceError};

/// The first line that is something else than an import statement.
pub(super) fn not_an_import(text: &str) -> Option<usize> {
    match Source::parse(text) {
        Ok(source) => statements(source.root()).into_iter().find(|node| !is_import(*node)).map(line_of),
        Err(fault) => Some(fault.line),
    }
}

/// The import statements at the top level of a text; none where it does not parse.
pub(super) fn written_in(text: &str) -> Vec<String> {
    let Ok(source) = Source::parse(text) else { return Vec::new() };
    let imports = statements(source.root()).into_iter().filter(|node| is_import(*node));
    imports.map(|node| source.of(node).to_owned()).collect()
}

/// What every import statement of a text brings, those inside functions included.
pub(super) fn brought(text: &str, file: &str, module: Option<&SymbolPath>) -> Vec<Imported> {
    let text = dedent(text);
    let Ok(source) = Source::parse(&text) else { return Vec::new() };
    // Names are relative to the package: a file `__init__.py` is one, any other module stands in one.
    let package =
        if file.ends_with("__init__.py") { module.cloned() } else { module.and_then(SymbolPath::parent) };
    let mut found = Vec::new();
    for node in descendants(source.root()).filter(|node| is_import(*node)) {
        for (from, name, _) in bindings(&source, node) {
            let (module, name) = match from {
                Some(from) => (absolute(&from, package.as_ref()), Some(name)),
                None => (name, None),
            };
            found.push(Imported { module, name, line: line_of(node) });
        }
    }
    found
}

/// The path of a module that is named from inside a package: `..a` in `p.q` is `p.a`.
fn absolute(named: &str, package: Option<&SymbolPath>) -> String {
    let named: String = named.chars().filter(|c| !c.is_whitespace()).collect();
    let below = named.trim_start_matches('.');
    let levels = named.len() - below.len();
    if levels == 0 {
        return named;
    }
    let mut base = package.cloned();
    for _ in 1..levels {
        base = base.and_then(|base| base.parent());
    }
    match base {
        Some(base) if below.is_empty() => base.to_string(),
        Some(base) => format!("{base}.{below}"),
        None => named,
    }
}

/// Adds those imports that a file does not have yet: names to the statement of their module where there is one
/// ([`put_in`]), and lines behind the imports that are there.
pub(super) fn merge(place: Place<'_>, imports: &str) -> Result<String, SpliceError> {
    let imports = imports.replace("\r\n", "\n");
    let wanted = Source::parse(&imports).map_err(|fault| SpliceError::Body { fault })?;
    let mut text = place.text.to_owned();
    for node in statements(wanted.root()) {
        let unparsed = |fault| SpliceError::Unparsed { file: place.file.to_owned(), fault };
        let with = |text: &str| {
            let file = Source::parse(text).map_err(unparsed)?;
            Ok(with_statement(text, &file, &wanted, node))
        };
        text = with(&text)?;
    }
    Ok(text)
}

/// A file with what one statement binds.
fn with_statement(text: &str, file: &Source<'_>, wanted: &Source<'_>, statement: Node<'_>) -> String {
    let have: BTreeSet<Binding> = bindings_of_all(file).into_iter().collect();
    let all = bindings(wanted, statement);
    let new: Vec<Binding> = all.iter().filter(|binding| !have.contains(*binding)).cloned().collect();
    if new.is_empty() {
        return text.to_owned();
    }
    if let Some(put) = names_of_one(&new).and_then(|(module, names)| put_in(text, file, module, &names)) {
        return put;
    }
    let line = if new.len() == all.len() { wanted.of(statement).to_owned() } else { written(&new) };
    let is_future = statement.kind() == "future_import_statement";
    put(text, file, &line, if is_future { Kind::Future } else { Kind::Ordinary })
}

/// The module and the names, where they are plain ones of one module.
fn names_of_one(bindings: &[Binding]) -> Option<(&str, Vec<String>)> {
    let module = bindings.first()?.0.as_deref()?;
    let is_plain = |(from, name, alias): &Binding| {
        from.as_deref() == Some(module) && alias.is_none() && name != "*" && module != "__future__"
    };
    let names: BTreeSet<String> = bindings.iter().map(|(_, name, _)| name.clone()).collect();
    bindings.iter().all(is_plain).then(|| (module, names.into_iter().collect()))
}

/// What one import statement binds: module (`None` for a plain `import`), name, alias.
type Binding = (Option<String>, String, Option<String>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `from __future__`, which must come first.
    Future,
    Ordinary,
}

fn bindings_of_all(source: &Source<'_>) -> Vec<Binding> {
    let imports = statements(source.root()).into_iter().filter(|node| is_import(*node));
    imports.flat_map(|node| bindings(source, node)).collect()
}

fn bindings(source: &Source<'_>, statement: Node<'_>) -> Vec<Binding> {
    let module = match statement.kind() {
        "future_import_statement" => Some("__future__".to_owned()),
        "import_from_statement" => Some(source.field(statement, "module_name").to_owned()),
        _ => None,
    };
    let mut cursor = statement.walk();
    let names = statement.children_by_field_name("name", &mut cursor).map(|name| match name.kind() {
        "aliased_import" => {
            (source.field(name, "name").to_owned(), Some(source.field(name, "alias").to_owned()))
        }
        _ => (source.of(name).to_owned(), None),
    });
    let mut found: Vec<Binding> = names.map(|(name, alias)| (module.clone(), name, alias)).collect();
    if children(statement).iter().any(|child| child.kind() == "wildcard_import") {
        found.push((module, "*".to_owned(), None));
    }
    found
}

fn written(bindings: &[Binding]) -> String {
    let names: Vec<String> = bindings
        .iter()
        .map(|(_, name, alias)| alias.as_ref().map_or(name.clone(), |alias| format!("{name} as {alias}")))
        .collect();
    match bindings.first().and_then(|(module, _, _)| module.as_ref()) {
        Some(module) => format!("from {module} import {}", names.join(", ")),
        None => format!("import {}", names.join(", ")),
    }
}

fn put(text: &str, source: &Source<'_>, line: &str, kind: Kind) -> String {
    let all = statements(source.root());
    let mut leading = leading(source).into_iter();
    let behind = match kind {
        Kind::Future => leading.rfind(|node| node.kind() == "future_import_statement"),
        Kind::Ordinary => leading.last(),
    };
    if let Some(last) = behind {
        let at = next_line(text, last.end_byte());
        return Anchor { at, level: String::new(), gap_before: 0, gap_after: 0 }.put(text, line);
    }
    let (at, first_code) = match all.first() {
        Some(first) if is_documentation(*first) => (next_line(text, first.end_byte()), all.get(1)),
        first => (end_of_header(text), first),
    };
    let gap_after = match first_code {
        Some(node) if is_import(*node) => usize::from(kind == Kind::Future),
        Some(node) if matches!(node.kind(), "expression_statement") => 1,
        _ => 2,
    };
    let put = Anchor { at, level: String::new(), gap_before: 1, gap_after }.put(text, line);
    if put.ends_with('\n') { put } else { put + eol(text) }
}

/// The imports above all code of a file. What is imported further below has its reason to be late.
pub(super) fn leading<'s>(source: &'s Source<'_>) -> Vec<Node<'s>> {
    let all = statements(source.root()).into_iter();
    let above = all.take_while(|node| is_import(*node) || is_documentation(*node));
    above.filter(|node| is_import(*node)).collect()
}

fn is_documentation(node: Node<'_>) -> bool {
    node.kind() == "expression_statement" && node.named_child(0).is_some_and(|inner| inner.kind() == "string")
}

/// The end of the comments at the top of a file that belong to the file: those with a blank line behind
/// them, or else the interpreter and encoding lines alone.
fn end_of_header(text: &str) -> usize {
    let (mut at, mut fixed) = (0, 0);
    for (row, line) in text.split_inclusive('\n').enumerate() {
        let is_fixed = row < 2 && (line.starts_with("#!") || line.contains("coding"));
        if line.trim().is_empty() && row > 0 {
            return at;
        } else if !line.starts_with('#') {
            return fixed;
        }
        at += line.len();
        if is_fixed {
            fixed = at;
        }
    }
    at
}
