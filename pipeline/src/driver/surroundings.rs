//! What of the port around a unit is worth showing, and how much of it: symbols whole, heads of what is called, lines
//! that use what is to be edited, and the heads of what stands in the same file.
//!
//! A published comparison of prompts for translation finds calls of what is depended on worth the most, and whole
//! bodies cost most. What is called is done before its callers, so of a function the head says what they need, also
//! where it changed with the revision; a model that needs more asks for it. Of classes that change, all is shown but the
//! bodies of methods. Who calls a unit is shown where the change can concern callers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use mappings::{Symbol, SymbolKind, SymbolPath, SymbolTable, UnitKind};
use port::language::Language;
use port::translate::Excerpt;
use upstream::{Item, ItemChange};

use super::context::Attempt;

/// The most symbols of a kind that are shown beside those of the unit.
const CALLED_MAX: usize = 12;
/// The most symbols whose uses are shown, and the most uses of each.
const USERS_MAX: usize = 3;
/// The most tests that are shown as examples.
const EXAMPLES_MAX: usize = 1;
/// The longest list of what else stands in a class that something is written into, in bytes.
const SIBLINGS_BYTES_MAX: usize = 2 << 10;
/// The longest of these, in bytes.
const HEAD_MAX: usize = 400;
/// The longest digest of a file, in bytes: about a thousand tokens.
const DIGEST_BYTES_MAX: usize = 4 << 10;
/// The longest line of a digest, in bytes.
const DIGEST_LINE_MAX: usize = 160;

/// The symbols around a unit.
pub(super) struct Surroundings<'s> {
    /// To be shown whole.
    pub(super) whole: Vec<&'s Symbol>,
    pub(super) signatures: Vec<Excerpt>,
    pub(super) uses: Vec<Excerpt>,
    pub(super) digest: String,
}

/// Why a symbol is shown; the first in the order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// It was asked for.
    Wanted,
    /// The unit's symbols call it, or will, and it changes with the revision.
    CalledAndChanging,
    Called,
    Calls,
    /// Another test, for a test.
    Example,
    /// It stands in the class that something is to be written into.
    Sibling,
}

impl<'s> Surroundings<'s> {
    /// `hidden` is what stands behind the unit without symbols of its own: what it calls, the unit's symbols call.
    pub(super) fn of(
        attempt: &'s Attempt<'_>,
        language: &dyn Language,
        wanted: &[SymbolPath],
        hidden: &[ItemChange],
    ) -> Self {
        let digest = Digest::of(attempt, language);
        let mut by_role: BTreeMap<Role, Vec<&Symbol>> = BTreeMap::new();
        for (role, symbol) in roles(attempt, language, wanted, hidden) {
            by_role.entry(role).or_default().push(symbol);
        }
        for symbols in by_role.values_mut() {
            symbols.sort_by_key(|symbol| (symbol.text.len(), symbol.path.clone()));
        }
        let mut of = |role: Role, most: usize| {
            let mut symbols = by_role.remove(&role).unwrap_or_default();
            symbols.truncate(most);
            symbols
        };
        let mut whole = of(Role::Wanted, usize::MAX);
        let mut signatures = Vec::new();
        // A caller needs the head of what it calls. Of what changes with the revision that is the one it has by now,
        // where the digest says another one; a class has its fields below its head.
        for symbol in of(Role::CalledAndChanging, CALLED_MAX) {
            let head = language.signature(&symbol.text).filter(|_| symbol.kind != SymbolKind::Class);
            let before =
                attempt.current.symbols.get(&symbol.path).filter(|_| digest.listed.contains(&symbol.path));
            match head {
                None if symbol.kind == SymbolKind::Class => {
                    signatures.extend(outline(language, symbol).map(|text| excerpt(symbol, text)));
                    // For rules, which read all of it, and for the prompt where there is no shorter form.
                    whole.push(symbol);
                }
                Some(head)
                    if before.and_then(|before| language.signature(&before.text)).as_ref() == Some(&head) => {
                }
                Some(head) => signatures.push(excerpt(symbol, head)),
                None => whole.push(symbol),
            }
        }
        for symbol in of(Role::Called, CALLED_MAX) {
            match language.signature(&symbol.text) {
                _ if digest.listed.contains(&symbol.path) => {}
                Some(text) => signatures.push(excerpt(symbol, text)),
                None => whole.push(symbol),
            }
        }
        // Of a long file the digest holds a part: who writes into a class has to see what that keeps.
        let mut left = SIBLINGS_BYTES_MAX;
        for symbol in of(Role::Sibling, usize::MAX) {
            let head = head(language, symbol);
            if digest.listed.contains(&symbol.path) || head.len() > HEAD_MAX {
                continue;
            }
            let Some(rest) = left.checked_sub(head.len()) else { break };
            left = rest;
            signatures.push(excerpt(symbol, head));
        }
        let names: Vec<&str> = attempt.unit.members.iter().map(|member| member.symbol.name()).collect();
        let concerns_callers = attempt.unit.members.iter().any(|member| concerns_callers(&member.change));
        let users = of(Role::Calls, usize::MAX).into_iter().filter(|_| concerns_callers);
        let users = users.filter_map(|symbol| Some(excerpt(symbol, uses(&symbol.text, &names)?)));
        let uses = users.take(USERS_MAX).collect();
        whole.extend(of(Role::Example, EXAMPLES_MAX));
        // What is shown whole need not be shown in pieces.
        let around: BTreeSet<&SymbolPath> = whole.iter().map(|symbol| &symbol.path).collect();
        whole.retain(|symbol| !around.iter().any(|other| lies_in(&symbol.path, other)));
        signatures.retain(|head: &Excerpt| !around.iter().any(|other| lies_in(&head.symbol, other)));
        Self { whole, signatures, uses, digest: digest.text }
    }
}

/// Whether callers of an item may have to follow its change: they do not, where only what it does inside changed.
fn concerns_callers(change: &ItemChange) -> bool {
    match change {
        ItemChange::Added { .. } | ItemChange::Removed { .. } | ItemChange::Relocated { .. } => true,
        ItemChange::Modified { aspects, .. } => aspects.signature,
    }
}

/// A class with the heads of its methods in the place of these; what makes its values stays whole, because it names the
/// fields. `None` where nothing is saved.
fn outline(language: &dyn Language, class: &Symbol) -> Option<String> {
    const MAKERS: [&str; 3] = ["__init__", "__new__", "__post_init__"];
    let symbols = language.symbols(&class.file, &class.text).symbols;
    let own = &symbols.iter().find(|located| located.symbol.kind == SymbolKind::Class)?.symbol.path;
    let (mut told, mut at) = (String::new(), 0);
    for located in &symbols {
        let symbol = &located.symbol;
        let is_method = symbol.kind != SymbolKind::Class && symbol.path.parent().as_ref() == Some(own);
        if !is_method || MAKERS.contains(&symbol.path.name()) || located.span.start < at {
            continue;
        }
        let Some(head) = language.signature(&symbol.text) else { continue };
        let before = class.text.get(at..located.span.start)?;
        told.push_str(before);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        told.push_str(&head.replace('\n', &format!("\n{indent}")));
        at = located.span.end;
    }
    told.push_str(class.text.get(at..)?);
    let lines: Vec<&str> = told.lines().filter(|line| !line.trim().is_empty()).collect();
    let told = lines.join("\n");
    (told.len() < class.text.len()).then_some(told)
}

fn excerpt(symbol: &Symbol, text: String) -> Excerpt {
    Excerpt { symbol: symbol.path.clone(), file: symbol.file.clone(), text }
}

/// Symbols that those of the unit call, that call them, or that stand beside one that is to be written.
fn roles<'s>(
    attempt: &'s Attempt<'_>,
    language: &dyn Language,
    wanted: &[SymbolPath],
    hidden: &[ItemChange],
) -> Vec<(Role, &'s Symbol)> {
    let members = &attempt.unit.members;
    let own: BTreeSet<&SymbolPath> = members.iter().map(|member| &member.symbol).collect();
    let planned = attempt.current.plan.units.iter().flat_map(|unit| &unit.members);
    let changing: BTreeSet<&SymbolPath> = planned.map(|member| &member.symbol).collect();
    let after = members.iter().map(|member| &member.change).chain(hidden).filter_map(ItemChange::after);
    let upstream = mentioned(after);
    let mine = members.iter().filter_map(|member| attempt.shown.symbols.get(&member.symbol));
    let called: BTreeSet<&str> = mine.flat_map(|symbol| symbol.mentions.iter()).collect();
    let is_test_unit = attempt.unit.kind == UnitKind::Test;
    // A test that is there shows by itself how the port writes its tests.
    let needs_example =
        is_test_unit && members.iter().any(|member| attempt.shown.symbols.get(&member.symbol).is_none());
    let is_named = |symbol: &Symbol| {
        let name = symbol.path.name();
        upstream.contains(name) || called.contains(name)
    };
    let classes: BTreeSet<&str> = (attempt.shown.symbols.symbols.values())
        .filter(|symbol| symbol.kind == SymbolKind::Class && is_named(symbol))
        .map(|symbol| symbol.path.name())
        .collect();
    let is_class = |path: &SymbolPath| {
        attempt.shown.symbols.get(path).is_some_and(|symbol| symbol.kind == SymbolKind::Class)
    };
    let missing = members.iter().filter(|member| attempt.shown.symbols.get(&member.symbol).is_none());
    let parents = missing.filter_map(|member| member.symbol.parent());
    let written_into: BTreeSet<SymbolPath> =
        parents.filter(|parent| !is_test_unit && is_class(parent)).collect();
    let role = |symbol: &Symbol| {
        let is_called = is_named(symbol) || is_kind_of(symbol, &classes, language);
        // A class mentions what its methods mention; where only a method calls, the method is shown.
        let calls = symbol.kind != SymbolKind::Class
            && members.iter().any(|member| symbol.mentions.contains(member.symbol.name()));
        if wanted.contains(&symbol.path) || wanted.iter().any(|path| is_further(&symbol.path, path)) {
            Some(Role::Wanted)
        } else if written_into.contains(&symbol.path) {
            Some(Role::Sibling)
        } else if symbol.is_test != is_test_unit && !(is_test_unit && is_called) {
            None
        } else if is_called {
            Some(if changing.contains(&symbol.path) { Role::CalledAndChanging } else { Role::Called })
        } else if calls {
            Some(Role::Calls)
        } else if needs_example && members.iter().any(|member| member.symbol.parent() == symbol.path.parent())
        {
            // The way the port writes its tests is best shown by another test.
            Some(Role::Example)
        } else {
            written_into.iter().any(|class| stands_in(&symbol.path, class)).then_some(Role::Sibling)
        }
    };
    let others = attempt.shown.symbols.symbols.values().filter(|symbol| {
        // A class around a method of the unit would repeat the method.
        let is_around = own.iter().any(|path| lies_in(path, &symbol.path));
        let inside = own.iter().any(|path| lies_in(&symbol.path, path));
        let has_a_place = wanted.contains(&symbol.path) || written_into.contains(&symbol.path);
        !own.contains(&symbol.path) && !inside && (!is_around || has_a_place)
    });
    others.filter_map(|symbol| Some((role(symbol)?, symbol))).collect()
}

/// Whether a symbol is a class, or stands in it at once.
fn stands_in(symbol: &SymbolPath, class: &SymbolPath) -> bool {
    symbol == class || symbol.parent().as_ref() == Some(class)
}

/// Whether a symbol is a later one of the same name: of overloads, the last holds the code.
fn is_further(symbol: &SymbolPath, first: &SymbolPath) -> bool {
    symbol.as_str().strip_prefix(first.as_str()).is_some_and(|rest| rest.starts_with('#'))
}

/// The names that items mention, and the types in front of what they mention: `Words` of `Words::new`.
fn mentioned<'i>(items: impl Iterator<Item = &'i Item>) -> BTreeSet<&'i str> {
    items.flat_map(|item| item.mentions.iter().chain(types_of_paths(&item.text))).collect()
}

fn types_of_paths(text: &str) -> impl Iterator<Item = &str> {
    let last = text.matches("::").count();
    let segments = text.split("::").take(last).map(str::trim_end);
    let names = segments.filter_map(|text| text.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next());
    names.filter(|name| name.starts_with(char::is_uppercase))
}

/// Whether a class is one of these by its head: a variant of an enumeration, a kind of error. Rust names them by what
/// they are kinds of.
fn is_kind_of(symbol: &Symbol, classes: &BTreeSet<&str>, language: &dyn Language) -> bool {
    let mentions_one = || symbol.mentions.iter().any(|name| classes.contains(name));
    if symbol.kind != SymbolKind::Class || !mentions_one() {
        return false;
    }
    let head = language.signature(&symbol.text).unwrap_or_default();
    let header = head.lines().find(|line| !line.starts_with('@')).unwrap_or_default();
    let mut words = header.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| word != symbol.path.name() && classes.contains(word))
}

/// The lines of a text that use one of these names, its first line aside, each with the line around it on both sides;
/// `None` where there is none.
fn uses(text: &str, names: &[&str]) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let is_use =
        |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| names.contains(&word));
    let used: Vec<usize> =
        (1..lines.len()).filter(|at| lines.get(*at).is_some_and(|line| is_use(line))).collect();
    let mut shown: BTreeSet<usize> = BTreeSet::new();
    for at in used.into_iter().take(USERS_MAX) {
        shown.extend(at.saturating_sub(1)..=(at + 1).min(lines.len() - 1));
    }
    let mut told = String::new();
    let mut last = None;
    for at in shown {
        if last.is_some_and(|last| last + 1 < at) {
            told.push_str("[…]\n");
        }
        told.push_str(lines.get(at)?);
        told.push('\n');
        last = Some(at);
    }
    (!told.is_empty()).then_some(told)
}

/// The heads of what stands in a file.
struct Digest<'s> {
    text: String,
    listed: BTreeSet<&'s SymbolPath>,
}

impl<'s> Digest<'s> {
    /// Of the file of a unit, as the revision found it, so that it is the same for all units of that file.
    fn of(attempt: &'s Attempt<'_>, language: &dyn Language) -> Self {
        let mut digest = Self { text: String::new(), listed: BTreeSet::new() };
        let Some(file) = attempt.unit.members.first().map(|member| &member.file) else { return digest };
        let mut left_out = 0;
        for symbol in in_file(&attempt.current.symbols, file) {
            let line = format!("{}: {}\n", symbol.path, digest_line(language, symbol));
            if line.len() > DIGEST_LINE_MAX || digest.text.len() + line.len() > DIGEST_BYTES_MAX {
                left_out += 1;
                continue;
            }
            digest.text.push_str(&line);
            digest.listed.insert(&symbol.path);
        }
        if left_out > 0 {
            writeln!(digest.text, "and {left_out} more").expect("a text takes anything");
        }
        digest
    }
}

/// The head of a symbol, without what it says of itself; of one that has no head, its text.
fn head(language: &dyn Language, symbol: &Symbol) -> String {
    let head = language.signature(&symbol.text).unwrap_or_else(|| symbol.text.clone());
    let code: Vec<&str> = head.lines().filter(|line| !line.contains("\"\"\"")).collect();
    code.join("\n")
}

/// The same on one line, without decorators.
fn digest_line(language: &dyn Language, symbol: &Symbol) -> String {
    let head = head(language, symbol);
    let code = head.lines().filter(|line| !line.starts_with('@'));
    code.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn in_file<'s>(symbols: &'s SymbolTable, file: &str) -> impl Iterator<Item = &'s Symbol> {
    symbols.symbols.values().filter(move |symbol| symbol.file == file && !symbol.is_test)
}

pub(super) fn lies_in(path: &SymbolPath, around: &SymbolPath) -> bool {
    path.as_str().strip_prefix(around.as_str()).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mappings::SymbolPath;
    use port::language::Language as _;
    use port::language::python::{Interpreter, Python};
    use upstream::process::SystemProcessRunner;

    use super::{digest_line, head, is_further, is_kind_of, outline, stands_in, types_of_paths, uses};

    #[test]
    fn classes_are_of_the_kinds_that_their_heads_name() {
        let python = Python::new("", Interpreter::locate(&SystemProcessRunner::default(), None).unwrap());
        let text = "class Error(Exception):\n    pass\n\n\n@dataclass\nclass Differs(m.Error):\n    at: int\n\n\n\
                    class Other:\n    of = Error\n\n\ndef f(x: Error): return x\n";
        let symbols = python.symbols("m.py", text).symbols;
        let kinds = |name: &str| -> Vec<String> {
            let of = BTreeSet::from([name]);
            let kinds = symbols.iter().filter(|located| is_kind_of(&located.symbol, &of, &python));
            kinds.map(|located| located.symbol.path.to_string()).collect()
        };
        assert_eq!(kinds("Error"), ["m.Differs"], "neither itself, nor who holds one, nor a function");
        assert!(kinds("Differs").is_empty());
        assert!(kinds("dataclass").is_empty(), "a decorator is no base");
    }

    #[test]
    fn an_outline_holds_fields_and_heads() {
        let python = Python::new("", Interpreter::locate(&SystemProcessRunner::default(), None).unwrap());
        let text = "@dataclass\nclass Words(Base):\n    \"\"\"Some words.\"\"\"\n\n    text: str\n    at: int = 0\n\n    \
                    def __init__(self):\n        self.x = 1\n\n    @property\n    def next(\n        self,\n    ) -> str:\n        \
                    \"\"\"The next.\n\n        Or none.\n        \"\"\"\n        return self.text\n\n    class In:\n        y = 2\n\n    \
                    def last(self): return 1\n";
        let symbols = python.symbols("m.py", text).symbols;
        let told = outline(&python, &symbols[0].symbol).unwrap();
        assert_eq!(
            told,
            "@dataclass\nclass Words(Base):\n    \"\"\"Some words.\"\"\"\n    text: str\n    at: int = 0\n    \
             def __init__(self):\n        self.x = 1\n    @property\n    def next(\n        self,\n    ) -> str:\n        \
             \"\"\"The next. …\"\"\"\n    class In:\n        y = 2\n    def last(self): return 1"
        );
        let bare = python.symbols("m.py", "class C:\n    x = 1\n").symbols;
        assert_eq!(outline(&python, &bare[0].symbol), None, "nothing is saved");
    }

    #[test]
    fn heads_keep_decorators_and_lines_of_a_digest_do_not() {
        let python = Python::new("", Interpreter::locate(&SystemProcessRunner::default(), None).unwrap());
        let text = "class C:\n    at = 1\n    @classmethod\n    def of(\n        cls, x\n    ):\n        \"\"\"Says so.\"\"\"\n        \
                    return x\n";
        let symbols = python.symbols("m.py", text).symbols;
        let told: Vec<_> = symbols.iter().skip(1).map(|located| head(&python, &located.symbol)).collect();
        assert_eq!(told, ["at = 1", "@classmethod\ndef of(\n    cls, x\n):"]);
        assert_eq!(digest_line(&python, &symbols[2].symbol), "def of( cls, x ):");
    }

    #[test]
    fn a_class_and_its_members_stand_in_it_and_overloads_are_further_ones() {
        let path = |text: &str| SymbolPath::new(text).unwrap();
        let class = path("m.C");
        assert!(stands_in(&class, &class) && stands_in(&path("m.C.f"), &class));
        assert!(!stands_in(&path("m.C.In.f"), &class) && !stands_in(&path("m.Cf"), &class));
        assert!(is_further(&path("m.C.f#2"), &path("m.C.f")));
        assert!(!is_further(&path("m.C.f"), &path("m.C.f")) && !is_further(&path("m.C.fg"), &path("m.C.f")));
    }

    #[test]
    fn types_stand_in_front_of_what_is_called_on_them() {
        let types = |text| types_of_paths(text).collect::<Vec<_>>();
        let text = "let w = Words::new(m::Style :: default(), Vec::<u8>::new()); w.next()";
        assert_eq!(types(text), ["Words", "Style", "Vec"]);
        assert!(types("a::b::c(Words)").is_empty(), "what is no part of a path is mentioned by itself");
        assert!(types("").is_empty());
    }

    #[test]
    fn uses_are_whole_lines_with_what_stands_around_them() {
        let text =
            "def g(x):\n    a = 1\n    b = clamp(a)\n    c = 2\n    d = 3\n    e = 4\n    return clamp(c)";
        assert_eq!(
            uses(text, &["clamp"]).as_deref(),
            Some("    a = 1\n    b = clamp(a)\n    c = 2\n[…]\n    e = 4\n    return clamp(c)\n")
        );
        assert_eq!(uses(text, &["clam"]), None, "a part of a name is no name");
        assert_eq!(uses("def clamp(x): return x", &["clamp"]), None);
    }
}
