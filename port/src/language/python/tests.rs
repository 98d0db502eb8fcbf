//! What Python code means to Tidelock, on small files.

use std::sync::OnceLock;

use upstream::process::{Finished, Invocation, Limits, ProcessError, ProcessRunner, SystemProcessRunner};

use super::*;
use crate::language::symbol_table;

/// Python as it is installed here.
pub(crate) fn python() -> Python {
    static INTERPRETER: OnceLock<Interpreter> = OnceLock::new();
    let interpreter = INTERPRETER
        .get_or_init(|| Interpreter::locate(&SystemProcessRunner::default(), None).expect("python3 is here"));
    Python::new("src", interpreter.clone())
}

fn path(text: &str) -> SymbolPath {
    SymbolPath::new(text).unwrap()
}

fn symbols(text: &str) -> Vec<Symbol> {
    let read = python().symbols("pkg/mod.py", text);
    assert_eq!(read.fault, None);
    read.symbols.into_iter().map(|located| located.symbol).collect()
}

fn outline(text: &str) -> Vec<String> {
    symbols(text).iter().map(|symbol| format!("{:?} {}", symbol.kind, symbol.path)).collect()
}

#[test]
fn a_file_is_the_module_that_python_would_import() {
    let python = python();
    let module = |file| python.module_path(file).map(|path| path.to_string());
    assert_eq!(module("strsim/__init__.py").as_deref(), Some("strsim"));
    assert_eq!(module("strsim/x.py").as_deref(), Some("strsim.x"));
    assert_eq!(module("src/strsim/x.py").as_deref(), Some("strsim.x"));
    assert_eq!(module("srcs/x.py").as_deref(), Some("srcs.x"));
    assert_eq!(module("README.md"), None);
}

#[test]
fn definitions_of_modules_and_classes_are_symbols() {
    let text = "\
\"\"\"Docs.\"\"\"
import os
LIMIT = 3
name: str = 'x'
a, b = 1, 2
LIMIT += 1

async def fetch(url): return url

@decorator
class Outer(Base):
    field: int
    KIND = 'k'

    class Inner:
        def deep(self): return 1

    @staticmethod
    def make(a): return a

def free():
    def local(): return 1
    inner = 2
    return local
";
    assert_eq!(
        outline(text),
        [
            "Constant pkg.mod.LIMIT",
            "Constant pkg.mod.name",
            "Function pkg.mod.fetch",
            "Class pkg.mod.Outer",
            "Constant pkg.mod.Outer.field",
            "Constant pkg.mod.Outer.KIND",
            "Class pkg.mod.Outer.Inner",
            "Method pkg.mod.Outer.Inner.deep",
            "Method pkg.mod.Outer.make",
            "Function pkg.mod.free",
        ]
    );
}

#[test]
fn of_overloads_what_runs_has_the_plain_path() {
    let text = "\
class C:
    @overload
    def f(self, a: int) -> int: ...
    @typing.overload
    def f(self, a: str) -> str: ...
    def f(self, a): return a
if FAST:
    class C:
        def f(self): return 1
class P:
    @overload
    def only(self): ...
";
    let found = symbols(text);
    let told: Vec<_> = found.iter().map(|symbol| (symbol.path.as_str(), symbol.line)).collect();
    assert_eq!(
        told,
        [
            ("pkg.mod.C", 1),
            ("pkg.mod.C.f#2", 2),
            ("pkg.mod.C.f#3", 4),
            ("pkg.mod.C.f", 6),
            ("pkg.mod.C#2", 8),
            ("pkg.mod.C#2.f", 9),
            ("pkg.mod.P", 10),
            ("pkg.mod.P.only", 11),
        ]
    );
}

#[test]
fn each_further_definition_of_a_name_is_numbered() {
    let text = "\
if FAST:
    def f(a): return 1
elif OTHER:
    def f(a): return 2
else:
    def f(a): return 3
try:
    import x
except ImportError:
    X = None
class C:
    @property
    def v(self): return 1
    @v.setter
    def v(self, value): self._v = value
";
    let paths: Vec<String> = symbols(text).iter().map(|symbol| symbol.path.to_string()).collect();
    assert_eq!(
        paths,
        ["pkg.mod.f", "pkg.mod.f#2", "pkg.mod.f#3", "pkg.mod.X", "pkg.mod.C", "pkg.mod.C.v", "pkg.mod.C.v#2"]
    );
}

#[test]
fn a_method_is_shown_at_the_left_margin_with_its_strings_untouched() {
    let text = "class C:\n    # about it\n    @cache\n    def m(self, x, /, y=1, *args, k: int, **kw):\n        \"\"\"Docs.\n\n        More.\n        \"\"\"\n        return '''a\n        b\n    c''' + other(x)\n";
    let all = symbols(text);
    let method = &all[1];
    assert_eq!(
        method.text,
        "@cache\ndef m(self, x, /, y=1, *args, k: int, **kw):\n    \"\"\"Docs.\n\n    More.\n    \"\"\"\n    return '''a\n        b\n    c''' + other(x)"
    );
    assert_eq!(method.line, 3);
    assert_eq!(method.parameters, ["x", "y", "*args", "k", "**kw"]);
    assert_eq!(method.mentions.iter().collect::<Vec<_>>(), ["cache", "int", "other"]);
}

#[test]
fn parameters_hide_outer_names_and_attributes_do_not() {
    let all = symbols("def f(a, b):\n    return a + b.a + g(key=h)\n");
    assert_eq!(all[0].mentions.iter().collect::<Vec<_>>(), ["a", "g", "h"]);
}

#[test]
fn white_space_at_line_ends_and_the_level_do_not_change_the_hash() {
    let one = symbols("def f(a):\n    return a\n");
    let spaced = symbols("def f(a):   \n    return a\t\n");
    let nested = symbols("class C:\n    def f(a):\n        return a\n");
    let windows = symbols("def f(a):\r\n    return a\r\n");
    assert_eq!(one[0].hash, spaced[0].hash);
    assert_eq!(one[0].hash, nested[1].hash);
    assert_eq!(one[0].hash, windows[0].hash);
    assert_ne!(one[0].hash, symbols("def f(a):\n    return  a\n")[0].hash);
    assert_eq!(python().hash("\n    def f(a):\n        return a\n\n"), one[0].hash);
}

#[test]
fn tests_are_known_by_file_name_and_base() {
    let text = "def test_it(): assert 1\nclass Suite(unittest.TestCase):\n    def helper(self): return 1\nclass Plain: X = 1\n";
    let tests: Vec<bool> = symbols(text).iter().map(|symbol| symbol.is_test).collect();
    assert_eq!(tests, [true, true, true, false, false]);
    let in_tests = python().symbols("tests/support.py", "def helper(): return 1\n");
    assert!(in_tests.symbols[0].symbol.is_test);
}

#[test]
fn a_broken_file_is_unparsed_with_its_line_and_the_others_are_read() {
    let files = [("a.py", "def f(:\n    return\n"), ("b.py", "x = 1\n"), ("c.py", "y = 2\ndef g(\n")];
    let table = symbol_table(files, &python());
    assert_eq!(table.symbols.len(), 1);
    let broken: Vec<&str> = table.unparsed.keys().map(String::as_str).collect();
    assert_eq!(broken, ["a.py", "c.py"]);
    assert!(table.unparsed["a.py"].starts_with("line 1"), "{:?}", table.unparsed);
}

#[test]
fn hostile_nesting_ends_in_a_fault() {
    let depth = 300;
    let nested: Vec<String> = (0..depth).map(|level| format!("{}class C:\n", " ".repeat(level))).collect();
    let nested = nested.concat();
    let read = python().symbols("a.py", &format!("{nested}{}x = 1\n", " ".repeat(depth)));
    assert!(read.fault.is_some());
    let brackets = format!("x = {}1{}\n", "(".repeat(50_000), ")".repeat(50_000));
    python().symbols("a.py", &brackets);
}

#[test]
fn the_same_path_in_two_files_is_numbered() {
    let files =
        [("p/__init__.py", "class m:\n    def f(self): return 1\n"), ("p/m.py", "def f(): return 2\n")];
    let table = symbol_table(files, &python());
    assert_eq!(table.get(&path("p.m.f#2")).unwrap().file, "p/m.py");
}

mod splices {
    use super::*;

    const FILE: &str = "\
\"\"\"Docs.\"\"\"

import os

LIMIT = 3  # the most


# About f.
@cache
def f(a):
    return a
    # the end of f


class C:
    \"\"\"Docs.\"\"\"

    # About m.
    def m(self):
        return 1

    def n(self):
        return 2


def last():
    return 0
";

    fn place(text: &str) -> Place<'_> {
        Place { file: "pkg/mod.py", text }
    }

    fn check(new: &str) {
        let fault = python().check_syntax(&SystemProcessRunner::default(), new).unwrap();
        assert_eq!(fault, None, "{new}");
    }

    fn line_of<'t>(text: &'t str, part: &str) -> &'t str {
        text.lines().find(|line| line.contains(part)).unwrap_or_default()
    }

    #[test]
    fn a_method_gets_its_level_back_and_comments_stay() {
        let body = "def m(self):\n    '''Docs.\n    '''\n    return '''x\ny'''\n";
        let new = python().replace(place(FILE), &path("pkg.mod.C.m"), body).unwrap();
        let wanted = "    # About m.\n    def m(self):\n        '''Docs.\n        '''\n        return '''x\ny'''\n\n    def n(self):";
        assert!(new.contains(wanted), "{new}");
        check(&new);
        let twice = python().replace(place(&new), &path("pkg.mod.C.m"), body).unwrap();
        assert_eq!(new, twice);
    }

    #[test]
    fn the_text_of_a_symbol_put_in_its_own_place_changes_nothing() {
        let read = python().symbols("pkg/mod.py", FILE);
        assert_eq!(read.symbols.len(), 6);
        for located in read.symbols {
            let symbol = located.symbol;
            assert_eq!(python().replace(place(FILE), &symbol.path, &symbol.text).unwrap(), FILE);
        }
    }

    #[test]
    fn decorators_and_comments_inside_go_with_the_symbol_and_others_stay() {
        let new = python().replace(place(FILE), &path("pkg.mod.f"), "def f(a, b):\n    return b").unwrap();
        assert!(new.contains("# About f.\ndef f(a, b):\n    return b\n\n\nclass C"), "{new}");
        let new = python().replace(place(FILE), &path("pkg.mod.LIMIT"), "LIMIT = 4").unwrap();
        assert_eq!(line_of(&new, "LIMIT"), "LIMIT = 4  # the most");
    }

    #[test]
    fn inserted_symbols_stand_off_as_is_usual() {
        let python = python();
        let after = |symbol: &str| InsertPlace::After(path(symbol));
        let new = python.insert(place(FILE), &after("pkg.mod.f"), "def g():\n    return 1\n").unwrap();
        assert!(new.contains("# the end of f\n\n\ndef g():\n    return 1\n\n\nclass C"), "{new}");
        let new = python.insert(place(FILE), &after("pkg.mod.C.m"), "def o(self):\n    return 1").unwrap();
        assert!(new.contains("return 1\n\n    def o(self):\n        return 1\n\n    def n"), "{new}");
        let new = python.insert(
            place(FILE),
            &InsertPlace::InClass(path("pkg.mod.C")),
            "def o(self):\n    return 1",
        );
        assert!(new.unwrap().contains("return 2\n\n    def o(self):\n        return 1\n\n\ndef last"));
        let new = python.insert(place(FILE), &after("pkg.mod.LIMIT"), "OTHER = 4").unwrap();
        assert!(new.contains("LIMIT = 3  # the most\nOTHER = 4\n\n\n# About f"), "{new}");
        let at_end = InsertPlace::InFile("pkg/mod.py".to_owned());
        let new = python.insert(place(FILE), &at_end, "def z():\n    return 1").unwrap();
        assert!(new.ends_with("return 0\n\n\ndef z():\n    return 1\n"), "{new}");
        let new = python.insert(place(""), &at_end, "def z():\n    return 1").unwrap();
        assert_eq!(new, "def z():\n    return 1\n");
        let new = python.insert(place("x = 1"), &at_end, "def z():\n    return 1").unwrap();
        assert_eq!(new, "x = 1\n\n\ndef z():\n    return 1\n");
    }

    #[test]
    fn what_runs_as_a_program_stays_last() {
        let text = "def f():\n    return 1\n\n\nif __name__ == '__main__':\n    f()\n";
        let at_end = InsertPlace::InFile("pkg/mod.py".to_owned());
        let new = python().insert(place(text), &at_end, "def g():\n    return 2").unwrap();
        assert_eq!(
            new,
            "def f():\n    return 1\n\n\ndef g():\n    return 2\n\n\nif __name__ == '__main__':\n    f()\n"
        );
    }

    #[test]
    fn a_deleted_symbol_leaves_its_comment_and_a_valid_file() {
        let python = python();
        let new = python.delete(place(FILE), &path("pkg.mod.C.m")).unwrap();
        assert!(new.contains("    # About m.\n\n    def n(self)"), "{new}");
        let new = python.delete(place(FILE), &path("pkg.mod.last")).unwrap();
        assert!(new.ends_with("        return 2\n"), "{new}");
        let one = "class C:\n    def m(self):\n        return 1\n\n\nx = 1\n";
        let new = python.delete(place(one), &path("pkg.mod.C.m")).unwrap();
        assert_eq!(new, "class C:\n    pass\n\n\nx = 1\n");
        check(&new);
    }

    #[test]
    fn line_endings_and_tabs_of_the_file_are_kept() {
        let windows = "class C:\r\n\tdef m(self):\r\n\t\treturn 1\r\n";
        let new = python().replace(place(windows), &path("pkg.mod.C.m"), "def m(self):\n\treturn 2").unwrap();
        assert_eq!(new, "class C:\r\n\tdef m(self):\r\n\t\treturn 2\r\n");
    }

    #[test]
    fn what_shares_a_line_is_refused() {
        let python = python();
        let text = "a = 1; b = 2\nclass C: x = 1\n";
        for symbol in ["pkg.mod.a", "pkg.mod.b", "pkg.mod.C.x"] {
            let error = python.replace(place(text), &path(symbol), "z = 1").unwrap_err();
            assert_eq!(error, SpliceError::SharedLine { symbol: path(symbol) });
        }
        let into = InsertPlace::InClass(path("pkg.mod.C"));
        assert!(matches!(python.insert(place(text), &into, "y = 1"), Err(SpliceError::SharedLine { .. })));
    }

    #[test]
    fn bad_targets_and_bodies_are_errors() {
        let python = python();
        let unknown = python.delete(place(FILE), &path("pkg.mod.none")).unwrap_err();
        assert!(matches!(unknown, SpliceError::UnknownSymbol { .. }));
        let body = python.replace(place(FILE), &path("pkg.mod.f"), "def f(:").unwrap_err();
        assert!(matches!(body, SpliceError::Body { .. }));
        let broken = python.delete(place("def f(:\n"), &path("pkg.mod.f")).unwrap_err();
        assert!(matches!(broken, SpliceError::Unparsed { .. }));
        let into = InsertPlace::InClass(path("pkg.mod.f"));
        assert!(matches!(python.insert(place(FILE), &into, "x = 1"), Err(SpliceError::NotAClass { .. })));
    }

    #[test]
    fn imports_go_behind_those_that_are_there_and_only_once() {
        let python = python();
        let merge = |text: &str, imports: &str| python.merge_imports(place(text), imports).unwrap();
        let new =
            merge(FILE, "import os\nfrom math import floor, ceil\nfrom __future__ import annotations\n");
        assert!(
            new.starts_with("\"\"\"Docs.\"\"\"\n\nfrom __future__ import annotations\n\nimport os\nfrom math import floor, ceil\n\nLIMIT"),
            "{new}"
        );
        assert_eq!(merge(&new, "from math import ceil\nimport os"), new);
        let partly = merge(&new, "from math import (\n    ceil,\n    sqrt as root,\n)");
        assert!(partly.contains("floor, ceil\nfrom math import sqrt as root\n\nLIMIT"), "{partly}");
        check(&partly);
    }

    #[test]
    fn names_of_one_module_share_its_statement_where_the_file_has_one_for_each() {
        let python = python();
        let merge = |text: &str, imports: &str| python.merge_imports(place(text), imports).unwrap();
        let sorted = "import re\nfrom .core import MAX, Word, wrap\n";
        assert_eq!(
            merge(sorted, "from .core import find\nfrom .core import Fragment, wrap"),
            "import re\nfrom .core import MAX, Fragment, Word, find, wrap\n"
        );
        // Several answers for a file that imports nothing yet.
        let first = merge("", "from .core import Word");
        assert_eq!(merge(&first, "from .core import Fragment"), "from .core import Fragment, Word\n");
        // By letters whatever their case, and in no order at all.
        assert_eq!(merge("from m import a, B, c\n", "from m import b"), "from m import a, B, b, c\n");
        assert_eq!(merge("from m import c, a\n", "from m import b"), "from m import c, a, b\n");
        let long = format!("from m import {}\n", ["name"; 9].map(|name| name.repeat(2)).join("_"));
        let many = merge(&long, "from m import more");
        assert!(many.starts_with("from m import (\n    more,\n    namename_"), "{many}");
        assert!(merge(&many, "from m import last").starts_with("from m import (\n    last,\n    more,\n"));
        check(&many);
    }

    #[test]
    fn import_statements_of_a_person_stay_as_they_are() {
        let python = python();
        let merge = |text: &str, imports: &str| python.merge_imports(place(text), imports).unwrap();
        for text in [
            // One name a statement is the file's own style.
            "from m import a\nfrom m import b\nfrom n import c\n",
            "from n import c  # what for\n",
            "from n import c as d\n",
            "from n import *\n",
            "from n import (\n    c,  # what for\n)\n",
        ] {
            assert_eq!(merge(text, "from n import more"), format!("{text}from n import more\n"));
        }
        // What is imported late is so for a reason.
        let late = "import re\n\nx = 1\n\nfrom n import c\n";
        assert!(merge(late, "from n import more").starts_with("import re\nfrom n import more\n\nx = 1"));
    }

    #[test]
    fn imports_of_a_file_without_any_go_below_its_documentation() {
        let python = python();
        let merge = |text: &str| python.merge_imports(place(text), "import re").unwrap();
        assert_eq!(merge(""), "import re\n");
        assert_eq!(merge("'''Docs.'''\n"), "'''Docs.'''\n\nimport re\n");
        assert_eq!(
            merge("#!/usr/bin/env python3\nx = 1\n"),
            "#!/usr/bin/env python3\n\nimport re\n\nx = 1\n"
        );
        assert_eq!(
            merge("# Licence.\n\ndef f(): return 1\n"),
            "# Licence.\n\nimport re\n\n\ndef f(): return 1\n"
        );
        assert_eq!(
            merge("# About f.\ndef f(): return 1\n"),
            "import re\n\n\n# About f.\ndef f(): return 1\n"
        );
    }
}

mod renames {
    use super::*;

    fn files(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
    }

    fn rename(all: &[(&str, &str)], symbol: &str, to: &str) -> Result<BTreeMap<String, String>, RenameError> {
        let table = symbol_table(all.iter().copied(), &python());
        python().rename(&files(all), table.get(&path(symbol)).unwrap(), to)
    }

    const PACKAGE: &str = "from .mod import old\n__all__ = [\"old\"]\n";
    const MODULE: &str = "def old(a):\n    '''old is said here'''\n    return old(a)  # old\n";
    const TESTS: &str = "import pkg\nfrom pkg.mod import old as o\n\ndef test_it():\n    assert pkg.old(1) == pkg.mod.old(1) == o(1)\n";

    #[test]
    fn references_follow_and_texts_do_not() {
        let all = [("pkg/__init__.py", PACKAGE), ("pkg/mod.py", MODULE), ("tests/test_it.py", TESTS)];
        let new = rename(&all, "pkg.mod.old", "new").unwrap();
        assert_eq!(new["pkg/__init__.py"], "from .mod import new\n__all__ = [\"new\"]\n");
        assert_eq!(new["pkg/mod.py"], "def new(a):\n    '''old is said here'''\n    return new(a)  # old\n");
        assert_eq!(new["tests/test_it.py"], TESTS.replace("old", "new"));
    }

    #[test]
    fn members_follow_by_attribute() {
        let text = "class C:\n    def old(self):\n        return self.old()\n\nC().old()\n";
        let new = rename(&[("pkg/mod.py", text)], "pkg.mod.C.old", "new").unwrap();
        assert_eq!(new["pkg/mod.py"], text.replace("old", "new"));
    }

    #[test]
    fn whatever_could_mean_something_else_is_refused() {
        let doubtful = [
            "def old(a):\n    return a\n\ndef g(old):\n    return old\n",
            "def old(a):\n    return a\n\nold = 3\n",
            "def old(a):\n    return a\n\nprint(x.old)\n",
            "def old(a):\n    return a\n\nf(old=1)\n",
            "def old(a):\n    return a\n\nnew = old\n",
            "def old(a):\n    return a\n\nfor old in x: print(old)\n",
            "from elsewhere import old\n\ndef old(a):\n    return a\n",
            "def old(a):\n    return a\n\nclass C:\n    def old(self): return 1\n",
        ];
        for text in doubtful {
            let found = rename(&[("pkg/mod.py", text)], "pkg.mod.old", "new");
            assert!(matches!(found, Err(RenameError::Ambiguous { .. })), "{text}: {found:?}");
        }
        let star =
            [("pkg/mod.py", "def old(a):\n    return a\n"), ("b.py", "from pkg.mod import *\nold(1)\n")];
        assert!(matches!(rename(&star, "pkg.mod.old", "new"), Err(RenameError::Ambiguous { .. })));
        let special = "class C:\n    def __init__(self): self.x = 1\n    def append(self): return 1\n";
        for symbol in ["pkg.mod.C.__init__", "pkg.mod.C.append"] {
            let found = rename(&[("pkg/mod.py", special)], symbol, "new");
            assert!(matches!(found, Err(RenameError::Reserved { .. })), "{found:?}");
        }
    }
}

mod scans {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        python().constructs(text).into_iter().map(|construct| construct.code).collect()
    }

    #[test]
    fn unfinished_code_is_found() {
        assert_eq!(codes("def f():\n    pass\n"), ["stub"]);
        assert_eq!(codes("def f():\n    '''Docs.'''\n    ...\n"), ["stub"]);
        assert_eq!(codes("def f(a):\n    x = 1\n    ...\n    return x\n"), ["stub"]);
        assert_eq!(codes("def f():\n    raise NotImplementedError('later')\n"), ["stub"]);
        assert_eq!(codes("class T:\n    def f(self):\n        raise NotImplementedError\n"), ["stub"]);
        assert_eq!(codes("def f():\n    # TODO: more\n    return 1\n"), ["lazy-comment"]);
        assert_eq!(codes("def f():\n    # ... rest unchanged\n    return 1\n"), ["lazy-comment"]);
    }

    #[test]
    fn honest_code_is_left_alone() {
        let honest = [
            "class E(Exception):\n    pass\n",
            "@overload\ndef f(a: int) -> int: ...\n",
            "class P(Protocol):\n    def f(self) -> int: ...\n",
            "class P(Protocol):\n    def f(self) -> int:\n        raise NotImplementedError\n",
            "class P(ABC):\n    @abstractmethod\n    def f(self) -> int:\n        raise NotImplementedError\n",
            "class B(ABC):\n    @abstractmethod\n    def f(self):\n        pass\n",
            "def f(a):\n    try:\n        return a[0]\n    except IndexError:\n        pass\n",
            "def f(a):\n    return re.compile(a)\n",
            "x: Tuple[int, ...] = a[..., 1]\n",
            "def f(a):\n    # The rest of the text remains unchanged.\n    return a\n",
            "def f(path):\n    with open(path) as file:\n        return file.read()\n",
        ];
        for text in honest {
            assert_eq!(codes(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn ways_out_of_the_port_are_found() {
        let ways = [
            ("import subprocess\n", "escape-process"),
            ("import os.path, ctypes as c\n", "escape-native"),
            ("from urllib.request import urlopen\n", "escape-network"),
            ("from importlib import import_module as load\n", "escape-import"),
            ("from os import environ as e\n", "escape-environment"),
            ("def f(): return o.environ['X']\n", "escape-environment"),
            ("def f(): return sys._getframe(1)\n", "escape-introspection"),
            ("def f(): return sys.modules['x']\n", "escape-import"),
            ("def f(): return eval('1')\n", "escape-eval"),
            ("def f(): return open('tests/data.json').read()\n", "escape-oracle"),
            ("def f(): return getattr(o, 'system')('ls')\n", "escape-process"),
            ("def f():\n    try:\n        g()\n    except Exception:\n        pass\n", "broad-swallow"),
            ("def f():\n    try:\n        g()\n    except:\n        pass\n", "broad-swallow"),
            ("def f(): return ().__class__.__base__.__subclasses__()\n", "escape-introspection"),
        ];
        for (text, code) in ways {
            assert!(codes(text).contains(&code), "{text}: {:?}", codes(text));
        }
    }
}

mod interpreters {
    use super::*;

    /// Answers every invocation with this output.
    #[derive(Debug)]
    struct Says(&'static str);

    impl ProcessRunner for Says {
        fn run(&self, _invocation: &Invocation) -> Result<Finished, ProcessError> {
            let invocation = Invocation::new("printf", "/").args(["%s", self.0]).limits(Limits::default());
            SystemProcessRunner::default().run(&invocation)
        }
    }

    #[test]
    fn python_itself_says_what_is_wrong_and_where() {
        let check = |text| python().check_syntax(&SystemProcessRunner::default(), text).unwrap();
        assert_eq!(check("def f():\n    return 1\n"), None);
        assert_eq!(check("x = 1\nreturn 2\n").unwrap().line, 2);
        assert_eq!(check("x = 1\n\nprint 'old'\n").unwrap().line, 3);
        assert!(check("x = '\0'\n").is_some());
        assert!(check(&format!("x = {}1{}\n", "(".repeat(5000), ")".repeat(5000))).is_some());
    }

    #[test]
    fn nothing_that_is_checked_is_run() {
        let text = "import sys\nsys.exit(7)\nraise SystemError\n";
        assert_eq!(python().check_syntax(&SystemProcessRunner::default(), text).unwrap(), None);
    }

    #[test]
    fn an_old_interpreter_is_named_with_its_version() {
        let old = r#"{"version": "3.8.20", "program": "/usr/bin/python3.8", "folders": []}"#;
        let error = Interpreter::locate(&Says(old), Some("python3.8")).unwrap_err();
        assert!(matches!(error, InterpreterError::TooOld { .. }));
        assert_eq!(error.to_string(), "`python3.8` is Python 3.8.20, and 3.10.0 or newer is needed");
        let error = Interpreter::locate(&Says("hello"), None).unwrap_err();
        assert!(matches!(error, InterpreterError::Unusable { .. }), "{error}");
    }

    #[test]
    fn a_missing_interpreter_says_what_was_tried() {
        let runner = SystemProcessRunner::default();
        let error = Interpreter::locate(&runner, Some("no-such-python")).unwrap_err();
        assert!(error.to_string().contains("tried no-such-python"), "{error}");
    }

    #[test]
    fn the_interpreter_found_here_is_new_enough() {
        let found = Interpreter::locate(&SystemProcessRunner::default(), None).unwrap();
        assert!(found.version() >= VERSION_MIN);
    }
}
