//! What a translation has no business with: unfinished code, and ways out of the port.
//!
//! This reads syntax, so it cannot see through every disguise; the sandbox is what confines the code. It
//! is here to refuse, early and with a reason, what an honest translation does not contain.

use tree_sitter::Node;

use super::indent::dedent;
use super::source::{Source, descendants, line_of, statements};
use crate::language::Construct;

/// Modules by which code leaves the process or looks into the interpreter, with the code of the finding.
const MODULES: [(&str, &str); 56] = [
    ("subprocess", "escape-process"),
    ("multiprocessing", "escape-process"),
    ("pty", "escape-process"),
    ("signal", "escape-process"),
    ("ctypes", "escape-native"),
    ("_ctypes", "escape-native"),
    ("cffi", "escape-native"),
    ("pyo3", "escape-native"),
    ("mmap", "escape-native"),
    ("socket", "escape-network"),
    ("_socket", "escape-network"),
    ("socketserver", "escape-network"),
    ("ssl", "escape-network"),
    ("http", "escape-network"),
    ("urllib", "escape-network"),
    ("urllib3", "escape-network"),
    ("requests", "escape-network"),
    ("httpx", "escape-network"),
    ("aiohttp", "escape-network"),
    ("ftplib", "escape-network"),
    ("smtplib", "escape-network"),
    ("telnetlib", "escape-network"),
    ("xmlrpc", "escape-network"),
    ("importlib", "escape-import"),
    ("imp", "escape-import"),
    ("runpy", "escape-import"),
    ("zipimport", "escape-import"),
    ("pkgutil", "escape-import"),
    ("builtins", "escape-introspection"),
    ("__main__", "escape-introspection"),
    ("inspect", "escape-introspection"),
    ("gc", "escape-introspection"),
    ("atexit", "escape-introspection"),
    ("faulthandler", "escape-introspection"),
    ("pytest", "escape-tests"),
    ("unittest", "escape-tests"),
    ("posix", "escape-process"),
    ("_posixsubprocess", "escape-process"),
    ("fcntl", "escape-process"),
    ("resource", "escape-process"),
    ("webbrowser", "escape-process"),
    ("antigravity", "escape-network"),
    ("site", "escape-import"),
    ("sitecustomize", "escape-import"),
    ("usercustomize", "escape-import"),
    ("pickle", "escape-eval"),
    ("_pickle", "escape-eval"),
    ("marshal", "escape-eval"),
    ("shelve", "escape-eval"),
    ("code", "escape-eval"),
    ("codeop", "escape-eval"),
    ("dis", "escape-introspection"),
    ("tracemalloc", "escape-introspection"),
    ("conftest", "escape-tests"),
    ("_pytest", "escape-tests"),
    ("doctest", "escape-tests"),
];

/// Attributes and imported names that are a way out whatever they are taken from.
const NAMES: [(&str, &str); 57] = [
    ("environ", "escape-environment"),
    ("environb", "escape-environment"),
    ("getenv", "escape-environment"),
    ("getenvb", "escape-environment"),
    ("putenv", "escape-environment"),
    ("system", "escape-process"),
    ("popen", "escape-process"),
    ("fork", "escape-process"),
    ("forkpty", "escape-process"),
    ("execv", "escape-process"),
    ("execve", "escape-process"),
    ("execvp", "escape-process"),
    ("spawnv", "escape-process"),
    ("posix_spawn", "escape-process"),
    ("_exit", "escape-process"),
    ("_getframe", "escape-introspection"),
    ("_current_frames", "escape-introspection"),
    ("settrace", "escape-introspection"),
    ("setprofile", "escape-introspection"),
    ("meta_path", "escape-import"),
    ("path_hooks", "escape-import"),
    ("__import__", "escape-import"),
    ("import_module", "escape-import"),
    ("__builtins__", "escape-introspection"),
    ("__subclasses__", "escape-introspection"),
    ("__globals__", "escape-introspection"),
    ("__code__", "escape-introspection"),
    ("__closure__", "escape-introspection"),
    ("__loader__", "escape-import"),
    ("__spec__", "escape-import"),
    ("f_back", "escape-introspection"),
    ("f_globals", "escape-introspection"),
    ("f_locals", "escape-introspection"),
    ("f_code", "escape-introspection"),
    ("tb_frame", "escape-introspection"),
    ("gi_frame", "escape-introspection"),
    ("cr_frame", "escape-introspection"),
    ("currentframe", "escape-introspection"),
    ("execl", "escape-process"),
    ("execle", "escape-process"),
    ("execlp", "escape-process"),
    ("execlpe", "escape-process"),
    ("execvpe", "escape-process"),
    ("spawnl", "escape-process"),
    ("spawnle", "escape-process"),
    ("spawnlp", "escape-process"),
    ("spawnlpe", "escape-process"),
    ("spawnve", "escape-process"),
    ("spawnvp", "escape-process"),
    ("spawnvpe", "escape-process"),
    ("posix_spawnp", "escape-process"),
    ("create_subprocess_exec", "escape-process"),
    ("create_subprocess_shell", "escape-process"),
    ("ProcessPoolExecutor", "escape-process"),
    ("addaudithook", "escape-introspection"),
    ("CodeType", "escape-introspection"),
    ("FunctionType", "escape-introspection"),
];

/// Built-in functions that are a way out when they are named at all.
const BUILTINS: [(&str, &str); 7] = [
    ("eval", "escape-eval"),
    ("exec", "escape-eval"),
    ("compile", "escape-eval"),
    ("__import__", "escape-import"),
    ("globals", "escape-introspection"),
    ("breakpoint", "escape-introspection"),
    ("__builtins__", "escape-introspection"),
];

/// Pairs that are a way out only together.
const PAIRS: [(&str, &str, &str); 11] = [
    ("sys", "modules", "escape-import"),
    ("sys", "path", "escape-import"),
    ("sys", "argv", "escape-environment"),
    ("random", "seed", "escape-seed"),
    ("os", "kill", "escape-process"),
    ("os", "killpg", "escape-process"),
    ("os", "abort", "escape-process"),
    ("os", "dup", "escape-process"),
    ("os", "dup2", "escape-process"),
    ("os", "write", "escape-process"),
    ("os", "fdopen", "escape-process"),
];

/// Modules of which only some names are a way out. Under another name, or handed on, nobody could tell which.
const HALF_TRUSTED: [&str; 2] = ["os", "sys"];

/// Folders and names by which tests and the oracle are known.
const ORACLE_WORDS: [&str; 5] = ["test", "contract", "tidelock", "bench", "fixture"];

/// What models write in place of code that they leave out.
const LAZY_WORDS: [&str; 11] = [
    "rest unchanged",
    "rest is unchanged",
    "rest of the code",
    "rest of the function",
    "rest of the method",
    "rest of the class",
    "same as before",
    "existing code",
    "code omitted",
    "omitted for brevity",
    "implementation here",
];

/// Every such construct of a text.
pub(super) fn scan(text: &str) -> Vec<Construct> {
    let text = dedent(text);
    let Ok(source) = Source::parse(&text) else { return Vec::new() };
    let mut found = hidden_text(&text);
    for node in descendants(source.root()) {
        let here = match node.kind() {
            "comment" => lazy_comment(source.of(node)),
            "function_definition" => stub(&source, node),
            "raise_statement" => not_implemented(&source, node),
            "import_statement" => imported_modules(&source, node),
            "import_from_statement" => imported_from(&source, node),
            "attribute" => attribute(&source, node),
            "identifier" => named_builtin(&source, node),
            "call" => call(&source, node),
            "except_clause" => broad_swallow(&source, node),
            _ => Vec::new(),
        };
        found.extend(here.into_iter().map(|(code, what)| Construct { code, what, line: line_of(node) }));
    }
    found
}

/// Characters that no reader sees, and those that turn the order of what is read: written out, they make code
/// that does not do as it looks. A translation writes them as escapes.
fn hidden_text(text: &str) -> Vec<Construct> {
    let is_hidden = |c: &char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
            || (c.is_control() && !matches!(c, '\t' | '\r' | '\u{c}'))
    };
    let found = text.lines().enumerate().flat_map(|(at, line)| {
        let hidden = line.chars().filter(is_hidden).collect::<Vec<_>>();
        hidden.into_iter().map(move |c| (at + 1, c))
    });
    let construct = |(line, c): (usize, char)| Construct {
        code: "hidden-text",
        what: format!("U+{:04X}", u32::from(c)),
        line,
    };
    found.map(construct).collect()
}

/// A name beyond ASCII: it may look like another one, and Python reads some as another one.
fn look_alike(name: &str) -> Option<(&'static str, String)> {
    (!name.is_ascii()).then(|| ("look-alike", name.to_owned()))
}

type Findings = Vec<(&'static str, String)>;

fn lazy_comment(comment: &str) -> Findings {
    let lower = comment.to_lowercase();
    let mut words = comment.split(|c: char| !c.is_alphanumeric());
    let is_lazy = words.any(|word| matches!(word, "TODO" | "FIXME" | "XXX"))
        || lower.trim_start_matches(['#', ' ']).starts_with("...")
        || LAZY_WORDS.iter().any(|lazy| lower.contains(lazy));
    if is_lazy { vec![("lazy-comment", comment.trim().to_owned())] } else { Vec::new() }
}

/// A function without a body of its own, unless its decorators or class say that it is to have none.
fn stub(source: &Source<'_>, function: Node<'_>) -> Findings {
    let Some(body) = function.child_by_field_name("body") else { return Vec::new() };
    let all = statements(body);
    let is_text = |node: &Node<'_>| {
        node.kind() == "expression_statement"
            && node.named_child(0).is_some_and(|inner| inner.kind() == "string")
    };
    let is_filler = |node: &Node<'_>| node.kind() == "pass_statement" || source.of(*node) == "...";
    let named = |what: &str| vec![("stub", format!("{what} {}", source.field(function, "name")))];
    if is_abstract(source, function) {
        Vec::new()
    } else if all.iter().all(|node| is_text(node) || is_filler(node)) {
        named("empty")
    } else if all.iter().any(|node| source.of(*node) == "...") {
        named("elided")
    } else {
        Vec::new()
    }
}

fn is_abstract(source: &Source<'_>, function: Node<'_>) -> bool {
    let decorated = function.parent().filter(|parent| parent.kind() == "decorated_definition");
    let marked = decorated.is_some_and(|decorated| {
        let head = source.text.get(decorated.start_byte()..function.start_byte()).unwrap_or_default();
        head.contains("overload") || head.contains("abstractmethod")
    });
    let outer = decorated.unwrap_or(function).parent().and_then(|block| block.parent());
    marked || outer.is_some_and(|class| source.field(class, "superclasses").contains("Protocol"))
}

fn not_implemented(source: &Source<'_>, raise: Node<'_>) -> Findings {
    let enclosing = std::iter::successors(raise.parent(), Node::parent);
    let function = enclosing.into_iter().find(|node| node.kind() == "function_definition");
    if function.is_some_and(|function| is_abstract(source, function)) {
        return Vec::new();
    }
    let raised = source.of(raise);
    let said = raised.to_lowercase();
    if raised.contains("NotImplementedError") {
        vec![("stub", "NotImplementedError".to_owned())]
    } else if ["exception", "runtimeerror"].iter().any(|kind| said.contains(kind))
        && ["not implemented", "unimplemented", "not yet implemented"].iter().any(|word| said.contains(word))
    {
        vec![("stub", raised.to_owned())]
    } else {
        Vec::new()
    }
}

fn imported_modules(source: &Source<'_>, import: Node<'_>) -> Findings {
    let mut cursor = import.walk();
    let names = import.children_by_field_name("name", &mut cursor);
    names
        .filter_map(|name| {
            if name.kind() != "aliased_import" {
                return module_finding(source.of(name));
            }
            let module = source.field(name, "name");
            let hidden =
                HALF_TRUSTED.contains(&module).then(|| ("escape-introspection", source.of(name).to_owned()));
            module_finding(module).or(hidden)
        })
        .collect()
}

fn imported_from(source: &Source<'_>, import: Node<'_>) -> Findings {
    let module = source.field(import, "module_name");
    let mut cursor = import.walk();
    let names = import.children_by_field_name("name", &mut cursor).filter_map(|name| {
        let name = if name.kind() == "aliased_import" { source.field(name, "name") } else { source.of(name) };
        listed(&NAMES, name).or_else(|| paired(module, name))
    });
    let mut children = import.walk();
    let everything = import.named_children(&mut children).any(|child| child.kind() == "wildcard_import");
    let hidden = (everything && HALF_TRUSTED.contains(&module))
        .then(|| ("escape-introspection", format!("everything of {module}")));
    module_finding(module).or(hidden).into_iter().chain(names).collect()
}

fn module_finding(module: &str) -> Option<(&'static str, String)> {
    listed(&MODULES, module.split('.').next().unwrap_or_default())
}

fn attribute(source: &Source<'_>, node: Node<'_>) -> Findings {
    let name = source.field(node, "attribute");
    let object = source.field(node, "object");
    listed(&NAMES, name).or_else(|| paired(object, name)).into_iter().collect()
}

fn named_builtin(source: &Source<'_>, node: Node<'_>) -> Findings {
    let is_attribute = node.parent().is_some_and(|parent| {
        parent.kind() == "attribute" && parent.child_by_field_name("attribute") == Some(node)
    });
    if let Some(disguised) = look_alike(source.of(node)) {
        return vec![disguised];
    }
    if is_attribute {
        return Vec::new();
    }
    listed(&BUILTINS, source.of(node)).or_else(|| handed_on(source, node)).into_iter().collect()
}

/// A module that is used as a value: `s = sys`, `getattr(os, name)`.
fn handed_on(source: &Source<'_>, node: Node<'_>) -> Option<(&'static str, String)> {
    let module = HALF_TRUSTED.contains(&source.of(node));
    let parent = node.parent()?;
    // In an import, and before a dot, it is what it says; a parameter of that name is none of our business.
    let named =
        ["attribute", "dotted_name", "aliased_import", "parameters", "keyword_argument", "typed_parameter"];
    (module && !named.contains(&parent.kind()))
        .then(|| ("escape-introspection", format!("{} as a value", source.of(node))))
}

/// Files of the tests and the oracle opened by name, and attributes hidden in a text.
fn call(source: &Source<'_>, call: Node<'_>) -> Findings {
    let function = source.field(call, "function");
    let Some(arguments) = call.child_by_field_name("arguments") else { return Vec::new() };
    let texts = descendants(arguments).filter(|node| node.kind() == "string").map(|node| source.of(node));
    match function.rsplit('.').next().unwrap_or_default() {
        "open" | "Path" | "read_text" | "read_bytes" => texts
            .filter(|text| ORACLE_WORDS.iter().any(|word| text.to_lowercase().contains(word)))
            .map(|text| ("escape-oracle", text.to_owned()))
            .collect(),
        "suppress" if names_everything(source.of(arguments)) => {
            vec![("broad-swallow", "suppress(Exception)".to_owned())]
        }
        "getattr" | "setattr" | "attrgetter" => {
            texts.filter_map(|text| listed(&NAMES, text.trim_matches(['"', '\'']))).collect()
        }
        _ => Vec::new(),
    }
}

fn broad_swallow(source: &Source<'_>, clause: Node<'_>) -> Findings {
    let parts = statements(clause);
    let Some((body, caught)) = parts.split_last() else { return Vec::new() };
    let caught: Vec<&str> = caught.iter().map(|node| source.of(*node)).collect();
    let broad = caught.is_empty() || caught.iter().any(|text| names_everything(text));
    let silent = statements(*body).iter().all(|node| {
        matches!(node.kind(), "pass_statement" | "continue_statement") || source.of(*node) == "..."
    });
    if broad && silent { vec![("broad-swallow", "except: pass".to_owned())] } else { Vec::new() }
}

/// Whether an expression names one of the classes that every error is of, alone or among others.
fn names_everything(caught: &str) -> bool {
    let mut names = caught.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    names.any(|name| matches!(name, "Exception" | "BaseException"))
}

fn listed(list: &[(&str, &'static str)], name: &str) -> Option<(&'static str, String)> {
    list.iter().find(|(listed, _)| *listed == name).map(|(_, code)| (*code, name.to_owned()))
}

fn paired(object: &str, name: &str) -> Option<(&'static str, String)> {
    let pair = PAIRS.iter().find(|(left, right, _)| *left == object && *right == name);
    pair.map(|(left, right, code)| (*code, format!("{left}.{right}")))
}
