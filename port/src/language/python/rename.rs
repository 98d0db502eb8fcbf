//! Renaming a Python symbol with its references. Python resolves names as it runs, so a name that could
//! mean something else is a refusal, never a guess.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use mappings::{Symbol, SymbolKind};
use tree_sitter::Node;

use super::Python;
use super::source::{Source, descendants, line_of};
use super::symbols::read_located;
use crate::language::{Language, RenameError, plain_name};

/// Methods of Python's own types: an attribute of such a name may belong to any value.
const BUILTIN_METHODS: [&str; 76] = [
    "add",
    "append",
    "as_integer_ratio",
    "bit_length",
    "capitalize",
    "casefold",
    "center",
    "clear",
    "close",
    "conjugate",
    "copy",
    "count",
    "decode",
    "difference",
    "discard",
    "encode",
    "endswith",
    "expandtabs",
    "extend",
    "find",
    "flush",
    "format",
    "format_map",
    "fromhex",
    "fromkeys",
    "get",
    "hex",
    "imag",
    "index",
    "insert",
    "intersection",
    "is_integer",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isdisjoint",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "issubset",
    "issuperset",
    "istitle",
    "isupper",
    "items",
    "join",
    "keys",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "pop",
    "popitem",
    "read",
    "real",
    "remove",
    "replace",
    "reverse",
    "rfind",
    "rindex",
    "rjust",
    "send",
    "setdefault",
    "sort",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "update",
    "upper",
    "values",
    "write",
];

/// Renames a symbol and what refers to it in all these files; only changed files come back.
pub(super) fn rename(
    python: &Python,
    files: &BTreeMap<String, String>,
    symbol: &Symbol,
    to: &str,
) -> Result<BTreeMap<String, String>, RenameError> {
    let name = plain_name(&symbol.path);
    let is_member =
        symbol.kind == SymbolKind::Method || symbol.path.parent() != python.module_path(&symbol.file);
    if name.starts_with("__") || (is_member && BUILTIN_METHODS.contains(&name)) {
        return Err(RenameError::Reserved { name: name.to_owned() });
    }
    let definition = definition_of(python, files, symbol)?;
    let mut sources = BTreeMap::new();
    for (file, text) in files.iter().filter(|(_, text)| text.contains(name)) {
        let parsed =
            Source::parse(text).map_err(|fault| RenameError::Unparsed { file: file.clone(), fault })?;
        sources.insert(file.as_str(), parsed);
    }
    let module = python.module_path(&symbol.file).map(String::from).unwrap_or_default();
    let exporters = exporters(python, &sources, &symbol.file, last(&module), name);
    let target = Target { name, to, file: &symbol.file, definition, is_member, exporters };
    let mut changed = BTreeMap::new();
    for (file, source) in &sources {
        let spans = target.references(file, source)?;
        if !spans.is_empty() {
            changed.insert((*file).to_owned(), with_name(source.text, &spans, to));
        }
    }
    Ok(changed)
}

fn definition_of(
    python: &Python,
    files: &BTreeMap<String, String>,
    symbol: &Symbol,
) -> Result<Range<usize>, RenameError> {
    let unknown = || RenameError::UnknownSymbol { file: symbol.file.clone(), symbol: symbol.path.clone() };
    let text = files.get(&symbol.file).ok_or_else(unknown)?;
    let module = python.module_path(&symbol.file);
    let (found, _) = read_located(&symbol.file, text, module.as_ref())
        .map_err(|fault| RenameError::Unparsed { file: symbol.file.clone(), fault })?;
    let found = found.into_iter().find(|found| found.located.symbol.path == symbol.path);
    found.map(|found| found.name).ok_or_else(unknown)
}

/// The last names of the modules that have the name: the one that defines it, and those that import it
/// from one that has it.
fn exporters(
    python: &Python,
    sources: &BTreeMap<&str, Source<'_>>,
    file: &str,
    module: &str,
    name: &str,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut by_module = BTreeMap::from([(module.to_owned(), BTreeSet::from([file.to_owned()]))]);
    // Each round finds a file or is the last one.
    for _round in 0..=sources.len() {
        let known: BTreeSet<String> = by_module.keys().cloned().collect();
        let count: usize = by_module.values().map(BTreeSet::len).sum();
        for (importer, source) in sources {
            let imports = descendants(source.root()).any(|node| {
                node.kind() == "import_from_statement"
                    && comes_from(source, node, &known)
                    && imported_names(source, node).any(|(imported, alias)| imported == name && !alias)
            });
            if imports && let Some(path) = python.module_path(importer) {
                by_module.entry(last(path.as_str()).to_owned()).or_default().insert((*importer).to_owned());
            }
        }
        if by_module.values().map(BTreeSet::len).sum::<usize>() == count {
            break;
        }
    }
    by_module
}

fn comes_from(source: &Source<'_>, import: Node<'_>, modules: &BTreeSet<String>) -> bool {
    let module = source.field(import, "module_name");
    let name = last(module);
    modules.contains(name) || (name.is_empty() && module.starts_with('.'))
}

fn imported_names<'t>(source: &Source<'t>, import: Node<'_>) -> impl Iterator<Item = (&'t str, bool)> {
    let mut cursor = import.walk();
    let names: Vec<_> = import
        .children_by_field_name("name", &mut cursor)
        .map(|name| match name.kind() {
            "aliased_import" => (source.field(name, "name"), true),
            _ => (source.of(name), false),
        })
        .collect();
    names.into_iter()
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

struct Target<'a> {
    name: &'a str,
    to: &'a str,
    file: &'a str,
    definition: Range<usize>,
    /// Whether it is a member of a class, and so is reached by attribute access only.
    is_member: bool,
    exporters: BTreeMap<String, BTreeSet<String>>,
}

/// What an occurrence of the name is.
enum Use {
    Reference,
    SomethingElse(&'static str),
}

impl Target<'_> {
    fn references(&self, file: &str, source: &Source<'_>) -> Result<Vec<Range<usize>>, RenameError> {
        let ambiguous = |name: &str, node: Node<'_>, why| RenameError::Ambiguous {
            name: name.to_owned(),
            file: file.to_owned(),
            line: line_of(node),
            why,
        };
        let mut spans = Vec::new();
        for node in descendants(source.root()) {
            if node.kind() == "identifier" && source.of(node) == self.name {
                match self.occurrence(file, source, node) {
                    Use::Reference => spans.push(node.byte_range()),
                    Use::SomethingElse(why) => return Err(ambiguous(self.name, node, why)),
                }
            } else if node.kind() == "string_content"
                && source.of(node) == self.name
                && !self.is_member
                && is_in_all(source, node)
            {
                spans.push(node.byte_range());
            }
        }
        let taken = descendants(source.root())
            .find(|node| node.kind() == "identifier" && source.of(*node) == self.to);
        match taken {
            Some(node) if !spans.is_empty() => Err(ambiguous(self.to, node, "the new name is in use")),
            Some(_) | None => Ok(spans),
        }
    }

    fn occurrence(&self, file: &str, source: &Source<'_>, node: Node<'_>) -> Use {
        if file == self.file && node.byte_range() == self.definition {
            return Use::Reference;
        }
        let Some(parent) = node.parent() else { return Use::SomethingElse("it stands alone") };
        let is = |field: &str| parent.child_by_field_name(field) == Some(node);
        match parent.kind() {
            "attribute" if is("attribute") => self.attribute(source, parent),
            "keyword_argument" if is("name") => Use::SomethingElse("it is the name of an argument"),
            "function_definition" | "class_definition" if is("name") => {
                Use::SomethingElse("something else is defined by this name")
            }
            "dotted_name" => self.imported(source, parent),
            _ if self.is_member => Use::SomethingElse("a member is used without its value"),
            _ if binds(parent, node) => Use::SomethingElse("the name is bound here too"),
            _ if self.is_bound_in(file) => Use::Reference,
            _ => Use::SomethingElse("this file does not import it"),
        }
    }

    fn attribute(&self, source: &Source<'_>, attribute: Node<'_>) -> Use {
        let object = last(source.field(attribute, "object"));
        if self.is_member || self.exporters.contains_key(object) {
            Use::Reference
        } else {
            Use::SomethingElse("it is an attribute of something that is not its module")
        }
    }

    fn imported(&self, source: &Source<'_>, dotted: Node<'_>) -> Use {
        let outer = dotted.parent().filter(|outer| outer.kind() == "aliased_import").unwrap_or(dotted);
        let known: BTreeSet<String> = self.exporters.keys().cloned().collect();
        match outer.parent() {
            Some(import)
                if import.kind() == "import_from_statement"
                    && import.child_by_field_name("module_name") != Some(dotted)
                    && !self.is_member
                    && comes_from(source, import, &known) =>
            {
                Use::Reference
            }
            Some(_) | None => Use::SomethingElse("it is imported from elsewhere, or is a module's name"),
        }
    }

    fn is_bound_in(&self, file: &str) -> bool {
        self.exporters.values().any(|files| files.contains(file))
    }
}

/// Whether a name is given a value where it stands, rather than used.
fn binds(parent: Node<'_>, node: Node<'_>) -> bool {
    let is = |field: &str| parent.child_by_field_name(field) == Some(node);
    match parent.kind() {
        "assignment" | "augmented_assignment" | "for_statement" | "for_in_clause" => is("left"),
        "default_parameter" | "typed_default_parameter" | "named_expression" => is("name"),
        "aliased_import" => is("alias"),
        "parameters"
        | "lambda_parameters"
        | "pattern_list"
        | "tuple_pattern"
        | "list_pattern"
        | "list_splat_pattern"
        | "dictionary_splat_pattern"
        | "as_pattern_target"
        | "global_statement"
        | "nonlocal_statement"
        | "case_pattern"
        | "delete_statement" => true,
        // The name of a typed parameter comes first, its type is wrapped.
        "typed_parameter" => true,
        _ => false,
    }
}

/// Whether a string stands in the list that says what a module exports.
fn is_in_all(source: &Source<'_>, node: Node<'_>) -> bool {
    let mut outer = node.parent();
    while let Some(at) = outer {
        match at.kind() {
            "string" | "list" | "tuple" => outer = at.parent(),
            "assignment" | "augmented_assignment" => return source.field(at, "left") == "__all__",
            _ => return false,
        }
    }
    false
}

fn with_name(text: &str, spans: &[Range<usize>], to: &str) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for span in spans {
        out.push_str(text.get(from..span.start).unwrap_or_default());
        out.push_str(to);
        from = span.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}
