//! Wrong functions, methods and arguments.

use tree_sitter::Node;

use super::super::source::{Source, children};
use super::place::{Proposal, code};
use super::{Row, Surroundings};

/// Methods and what people take for them.
const METHODS: &[(&str, &str, &str, Row)] = &[
    ("lower", "upper", "other-case", Row::TextRule),
    ("lower", "casefold", "case-folded", Row::TextRule),
    ("upper", "lower", "other-case", Row::TextRule),
    ("upper", "title", "other-case", Row::TextRule),
    ("casefold", "lower", "case-folded", Row::TextRule),
    ("title", "capitalize", "other-case", Row::TextRule),
    ("capitalize", "title", "other-case", Row::TextRule),
    ("isdigit", "isnumeric", "character-class", Row::TextRule),
    ("isdecimal", "isnumeric", "character-class", Row::TextRule),
    ("isnumeric", "isdecimal", "character-class", Row::TextRule),
    ("isalnum", "isalpha", "character-class", Row::TextRule),
    ("isalpha", "isalnum", "character-class", Row::TextRule),
    ("isupper", "islower", "character-class", Row::TextRule),
    ("islower", "isupper", "character-class", Row::TextRule),
    ("isspace", "isalpha", "character-class", Row::TextRule),
    ("isascii", "isalpha", "character-class", Row::TextRule),
    ("strip", "lstrip", "other-side", Row::TextRule),
    ("lstrip", "strip", "other-side", Row::TextRule),
    ("rstrip", "strip", "other-side", Row::TextRule),
    ("removeprefix", "lstrip", "prefix-as-set", Row::TextRule),
    ("removesuffix", "rstrip", "prefix-as-set", Row::TextRule),
    ("startswith", "endswith", "other-side", Row::TextRule),
    ("endswith", "startswith", "other-side", Row::TextRule),
    ("find", "rfind", "last-for-first", Row::Order),
    ("rfind", "find", "first-for-last", Row::Order),
    ("index", "rindex", "last-for-first", Row::Order),
    ("rindex", "index", "first-for-last", Row::Order),
    ("partition", "rpartition", "last-for-first", Row::Order),
    ("rpartition", "partition", "first-for-last", Row::Order),
    ("split", "rsplit", "last-for-first", Row::Order),
    ("splitlines", "split", "lines-by-white-space", Row::TextRule),
    ("extend", "append", "nested", Row::Aliasing),
    ("fullmatch", "match", "loose-match", Row::TextRule),
    ("match", "search", "loose-match", Row::TextRule),
    ("ljust", "rjust", "other-side", Row::TextRule),
    ("rjust", "ljust", "other-side", Row::TextRule),
    ("zfill", "rjust", "other-side", Row::TextRule),
];

/// Functions and what people take for them.
const FUNCTIONS: &[(&str, &str, &str, Row)] = &[
    ("min", "max", "smallest-for-largest", Row::Order),
    ("max", "min", "largest-for-smallest", Row::Order),
    ("any", "all", "all-for-any", Row::Branch),
    ("all", "any", "any-for-all", Row::Branch),
    ("sorted", "list", "not-sorted", Row::Order),
    ("round", "int", "truncated", Row::Number),
    ("int", "round", "rounded", Row::Number),
    ("int", "float", "float-for-integer", Row::Number),
    ("float", "int", "integer-for-float", Row::Number),
    ("abs", "int", "sign-kept", Row::Arithmetic),
    ("set", "list", "list-for-set", Row::Order),
    ("dict.fromkeys", "set", "order-lost", Row::Order),
];

/// Calls whose argument may stand in their place, as a value that is then shared or is another.
const BARE: &[(&str, &str, Row)] = &[
    ("list", "copy-dropped", Row::Aliasing),
    ("dict", "copy-dropped", Row::Aliasing),
    ("reversed", "not-reversed", Row::Order),
    ("abs", "sign-kept", Row::Arithmetic),
];

pub(super) fn proposals(source: &Source<'_>, symbol: Node<'_>, around: &Surroundings<'_>) -> Vec<Proposal> {
    let text_parameters = text_parameters(source, symbol);
    let own = source.field(symbol, "name");
    let mut all = Vec::new();
    for node in code(symbol).into_iter().filter(|node| node.kind() == "call") {
        let (Some(function), Some(arguments)) =
            (node.child_by_field_name("function"), node.child_by_field_name("arguments"))
        else {
            continue;
        };
        let given = positional(arguments);
        if !matches!(source.of(function), "min" | "max") {
            swapped(source, &given, &mut all);
        }
        match function.kind() {
            "attribute" => method(source, node, function, &given, &mut all),
            "identifier" => {
                named(source, node, function, &given, &mut all);
                neighbours(source, function, own, around, &mut all);
                if let [text] = given.as_slice()
                    && source.of(function) == "len"
                    && text_parameters.contains(&source.of(*text))
                {
                    let bytes = format!("len({}.encode())", source.of(*text));
                    all.push(Proposal::wrong("bytes-for-characters", Row::TextUnit, node, bytes));
                    let units = format!("(len({}.encode(\"utf-16-le\")) // 2)", source.of(*text));
                    all.push(Proposal::wrong("utf16-for-characters", Row::TextUnit, node, units));
                }
            }
            _ => {}
        }
    }
    all
}

/// The names of parameters that are annotated as texts.
fn text_parameters<'t>(source: &Source<'t>, symbol: Node<'_>) -> Vec<&'t str> {
    let Some(parameters) = symbol.child_by_field_name("parameters") else { return Vec::new() };
    children(parameters)
        .into_iter()
        .filter(|parameter| {
            parameter.kind() == "typed_parameter" && source.field(*parameter, "type") == "str"
        })
        .filter_map(|parameter| parameter.named_child(0))
        .map(|name| source.of(name))
        .collect()
}

/// The arguments of a call, where all are plain positional ones.
fn positional(arguments: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = arguments.walk();
    let all: Vec<_> = arguments.named_children(&mut cursor).collect();
    let is_plain = |node: &Node<'_>| {
        !matches!(node.kind(), "keyword_argument" | "list_splat" | "dictionary_splat" | "comment")
    };
    if arguments.kind() == "argument_list" && all.iter().all(is_plain) { all } else { Vec::new() }
}

fn swapped(source: &Source<'_>, given: &[Node<'_>], all: &mut Vec<Proposal>) {
    for pair in given.windows(2) {
        let [one, other] = pair else { continue };
        let edits = vec![
            super::place::Edit::of(*one, source.of(*other)),
            super::place::Edit::of(*other, source.of(*one)),
        ];
        all.push(Proposal { operator: "arguments-swapped", row: Some(Row::Argument), edits });
    }
}

fn method(
    source: &Source<'_>,
    node: Node<'_>,
    function: Node<'_>,
    given: &[Node<'_>],
    all: &mut Vec<Proposal>,
) {
    let Some(name) = function.child_by_field_name("attribute") else { return };
    let object = source.field(function, "object");
    for (_, other, operator, row) in METHODS.iter().filter(|(from, ..)| *from == source.of(name)) {
        all.push(Proposal::wrong(operator, *row, name, *other));
    }
    let mut add = |operator, row, text: String| all.push(Proposal::wrong(operator, row, node, text));
    match (source.of(name), given) {
        ("lower" | "upper" | "casefold" | "strip" | "lstrip" | "rstrip", []) => {
            add("rule-dropped", Row::TextRule, object.to_owned());
            if source.of(name) == "lower" {
                let text = format!(
                    "\"\".join(chr(ord(c_) + 32) if \"A\" <= c_ <= \"Z\" else c_ for c_ in {object})"
                );
                add("ascii-case-only", Row::TextRule, text);
            }
            if source.of(name) == "upper" {
                let text = format!(
                    "\"\".join(chr(ord(c_) - 32) if \"a\" <= c_ <= \"z\" else c_ for c_ in {object})"
                );
                add("ascii-case-only", Row::TextRule, text);
            }
        }
        ("isalnum" | "isalpha" | "isdigit" | "isupper" | "islower", []) => {
            add("ascii-class-only", Row::TextRule, format!("({object}.isascii() and {})", source.of(node)));
        }
        ("copy", []) => add("copy-dropped", Row::Aliasing, object.to_owned()),
        ("append", [value]) => {
            add("put-in-front", Row::Order, format!("{object}.insert(0, {})", source.of(*value)));
        }
        ("encode", _) => {
            add("utf16-for-bytes", Row::TextUnit, format!("{object}.encode(\"utf-16-le\")"));
            add("latin1-for-bytes", Row::TextUnit, format!("{object}.encode(\"latin-1\", \"replace\")"));
        }
        ("split" | "rsplit", [_, ..]) => {
            add("split-by-white-space", Row::TextRule, format!("{object}.split()"));
        }
        ("replace", [from, to]) => {
            let (from, to) = (source.of(*from), source.of(*to));
            add("first-only", Row::TextRule, format!("{object}.replace({from}, {to}, 1)"));
            add("rule-dropped", Row::TextRule, object.to_owned());
        }
        ("get", [key, default]) => {
            let (key, default) = (source.of(*key), source.of(*default));
            add("or-for-none", Row::Option, format!("({object}.get({key}) or {default})"));
            add("other-default", Row::Option, format!("{object}.get({key}, {default} or None)"));
        }
        _ => {}
    }
}

fn named(
    source: &Source<'_>,
    node: Node<'_>,
    function: Node<'_>,
    given: &[Node<'_>],
    all: &mut Vec<Proposal>,
) {
    let name = source.of(function);
    for (_, other, operator, row) in FUNCTIONS.iter().filter(|(from, ..)| *from == name) {
        all.push(Proposal::wrong(operator, *row, function, *other));
    }
    let text = |node: &Node<'_>| source.of(*node).to_owned();
    for (_, operator, row) in BARE.iter().filter(|(from, ..)| *from == name) {
        if let [only] = given {
            all.push(Proposal::wrong(operator, *row, node, format!("({})", text(only))));
        }
    }
    let mut add = |operator, row, text: String| all.push(Proposal::wrong(operator, row, node, text));
    match (name, given) {
        ("range", [stop]) => {
            add("range-shorter", Row::OffByOne, format!("range({} - 1)", text(stop)));
            add("range-later", Row::OffByOne, format!("range(1, {})", text(stop)));
        }
        ("range", [start, stop, rest @ ..]) => {
            let rest: Vec<String> = rest.iter().map(|step| format!(", {}", text(step))).collect();
            let rest = rest.concat();
            let (start, stop) = (text(start), text(stop));
            add("range-shorter", Row::OffByOne, format!("range({start}, ({stop}) - 1{rest})"));
            add("range-longer", Row::OffByOne, format!("range({start}, ({stop}) + 1{rest})"));
            add("range-later", Row::OffByOne, format!("range(({start}) + 1, {stop}{rest})"));
        }
        ("enumerate", [items]) => {
            add("counted-from-one", Row::OffByOne, format!("enumerate({}, 1)", text(items)));
        }
        ("enumerate", [items, start]) => {
            add(
                "counted-from-one",
                Row::OffByOne,
                format!("enumerate({}, {} + 1)", text(items), text(start)),
            );
        }
        ("sorted", [items]) => {
            add("sorted-backwards", Row::Order, format!("sorted({}, reverse=True)", text(items)));
        }
        ("len", [items]) => add("one-less", Row::OffByOne, format!("(len({}) - 1)", text(items))),
        ("int", [number]) => {
            add("floor-for-truncation", Row::Arithmetic, format!("(({}) // 1)", text(number)));
        }
        _ => {}
    }
}

/// Functions of the module with as many parameters, in the place of the one that is called.
fn neighbours(
    source: &Source<'_>,
    function: Node<'_>,
    own: &str,
    around: &Surroundings<'_>,
    all: &mut Vec<Proposal>,
) {
    let name = source.of(function);
    let Some((_, arity)) = around.functions.iter().find(|(known, _)| known == name) else { return };
    let others =
        around.functions.iter().filter(|(other, count)| other != name && other != own && count == arity);
    all.extend(
        others.take(3).map(|(other, _)| {
            Proposal::wrong("neighbour-called", Row::Substitution, function, other.as_str())
        }),
    );
}
