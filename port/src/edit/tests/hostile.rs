//! Answers that attack, as text: each is refused by the grammar or by validation, with its own code, before any of
//! it is written anywhere.

use std::fmt::Write as _;

use crate::edit::{Answer, Scope, parse_answer, validate};
use crate::language::Language;
use crate::language::python::tests::python;
use crate::runtime::Offer;
use mappings::SymbolPath;

const NONCE: &str = "k3k3k3k3";
const FILE: &str = "import sys\n\n\ndef f(n):\n    return n\n\n\ndef g(n):\n    return n\n";

/// The code of the first thing that is wrong with an answer; `none` where nothing is.
fn code(answer: &str) -> String {
    let edits = match parse_answer(answer, NONCE) {
        Err(error) => return format!("grammar: {}", error.code()),
        Ok(Answer::Edits { edits }) => edits,
        Ok(Answer::NoChange { .. } | Answer::Unportable { .. } | Answer::Need { .. }) => {
            return "no edits".to_owned();
        }
    };
    let scope = Scope {
        editable: vec![SymbolPath::new("p.m.f").unwrap()],
        insertable: vec![SymbolPath::new("p.m").unwrap()],
        files: vec!["p/m.py".to_owned()],
        references: Vec::new(),
        runtime: Offer::default(),
    };
    let files = |file: &str| (file == "p/m.py").then(|| FILE.to_owned());
    let found = validate(&files, &edits, &python(), &scope);
    found.first().map_or_else(|| "none".to_owned(), |finding| finding.code.as_str().to_owned())
}

fn sha() -> String {
    let symbols = python().symbols("p/m.py", FILE);
    symbols.get(&SymbolPath::new("p.m.f").unwrap()).unwrap().symbol.hash.short()
}

fn replacing(text: &str) -> String {
    format!("@@TL {NONCE} REPLACE sym=p.m.f sha={}\n{text}\n@@END {NONCE}\n@@DONE {NONCE} n=1\n", sha())
}

/// A function whose body is this.
fn body(lines: &str) -> String {
    let mut text = "def f(n):\n".to_owned();
    for line in lines.lines() {
        writeln!(text, "    {line}").unwrap();
    }
    replacing(&(text + "    return n + 1"))
}

fn with_imports(text: &str) -> String {
    let imports = format!("@@TL {NONCE} IMPORTS file=p/m.py\n{text}\n@@END {NONCE}\n@@DONE {NONCE} n=2");
    body("").replace(&format!("@@DONE {NONCE} n=1"), &imports)
}

fn inserted(file: &str) -> String {
    let head = format!("@@TL {NONCE} INSERT sym=evil file={file}");
    format!("{head}\ndef evil():\n    return 1\n@@END {NONCE}\n@@DONE {NONCE} n=1\n")
}

fn table(cases: &[(&str, String)]) -> String {
    cases.iter().fold(String::new(), |mut table, (what, answer)| {
        writeln!(table, "{what}: {}", code(answer)).unwrap();
        table
    })
}

#[test]
fn the_answer_that_is_attacked_with_is_sound_without_the_attack() {
    assert_eq!(code(&body("")), "none");
    assert_eq!(code(&body("limit = sys.maxsize")), "none", "not everything of a module is a way out");
}

#[test]
fn code_that_reaches_out_is_refused() {
    let cases = [
        ("reads the environment", "import os\nos.environ['HOME']"),
        ("reads it by another name", "from os import environ as e\ne['HOME']"),
        ("reads it through another module", "import os as o\no.environ['HOME']"),
        ("opens a socket", "import socket\nsocket.socket()"),
        ("replaces a module", "sys.modules['json'] = None"),
        ("replaces one through a name", "s = sys\ns.modules['json'] = None"),
        ("replaces one through getattr", "getattr(sys, 'mod' + 'ules')['json'] = None"),
        ("replaces one through vars", "vars(sys)['modules']['json'] = None"),
        ("ends the process", "import os\nos._exit(0)"),
        ("kills its parent", "import os\nos.kill(os.getppid(), 9)"),
        ("becomes another program", "import os\nos.execlp('sh', 'sh')"),
        ("writes to descriptors", "import os\nos.write(3, b'x')"),
        ("leaves something for the end", "import atexit\natexit.register(print)"),
        ("looks at who called", "sys._getframe(1).f_locals['self'] = None"),
        ("hears all", "sys.settrace(print)"),
        ("evaluates text", "eval('1')"),
        ("evaluates by another name", "e = eval\ne('1')"),
        ("imports by name", "__import__('os')"),
        ("gets at it by name", "getattr(__builtins__, 'ev' + 'al')('1')"),
        ("gets at the classes", "().__class__.__base__.__subclasses__()"),
        ("gets at the globals", "f.__globals__['g'] = f"),
        ("changes the code", "f.__code__ = g.__code__"),
        ("collects garbage", "import gc\ngc.get_objects()"),
        ("loads native code", "import ctypes\nctypes.CDLL(None)"),
        ("unpickles", "import pickle\npickle.loads(b'')"),
        ("starts a process", "import asyncio\nasyncio.create_subprocess_exec('sh')"),
        ("replaces the tests' words", "import unittest\nunittest.TestCase.assertEqual = print"),
        ("adds a plugin", "import _pytest"),
        ("reads the tests", "open('tests/test_m.py').read()"),
        ("reads the state", "open('.tidelock/state.db').read()"),
        ("hides errors", "try:\n    pass\nexcept BaseException:\n    pass"),
        ("seeds", "import random\nrandom.seed(0)"),
    ];
    let cases: Vec<_> = cases.iter().map(|(what, lines)| (*what, body(lines))).collect();
    insta::assert_snapshot!(table(&cases));
}

#[test]
fn answers_that_touch_more_than_they_may_are_refused() {
    let right = body("");
    let cases = [
        ("above the port", inserted("../evil.py")),
        ("below and above", inserted("p/../../evil.py")),
        ("in git's folder", inserted(".git/hooks/pre-commit.py")),
        ("in the state", inserted(".tidelock/evil.py")),
        ("an absolute path", inserted("/tmp/evil.py")),
        ("the lock", inserted("tidelock.lock")),
        ("conftest", inserted("conftest.py")),
        ("sitecustomize", inserted("sitecustomize.py")),
        ("a path file", inserted("evil.pth")),
        ("the tests", inserted("tests/test_m.py")),
        ("an escape sequence", inserted("p/\u{1b}[2Jx.py")),
        ("a null", inserted("p/x\0.py")),
        ("another case", inserted("P/M.py")),
        ("a backslash", inserted("p\\m.py")),
        ("another symbol", right.replace("sym=p.m.f", "sym=p.m.g")),
        ("another text", right.replace(&sha(), "0000000000000000")),
        ("another name", right.replace("def f", "def g")),
        ("two functions", replacing("def f(n):\n    return n + 1\n\ndef g(n):\n    return 1")),
        ("code beside it", replacing("def f(n):\n    return n + 1\nf(1)")),
        ("code before it", replacing("g = print\ndef f(n):\n    return n + 1")),
        ("code among the imports", with_imports("import re; print(1)")),
        ("a call among the imports", with_imports("open('escaped', 'w')")),
        ("an import that does something", with_imports("import antigravity")),
        ("a star", with_imports("from os import *")),
        ("a way out among the imports", with_imports("from os import system as s")),
        ("a module under another name", with_imports("import sys as s")),
        ("another nonce", right.replace(NONCE, "00000000")),
        (
            "a forged end",
            replacing(&format!("def f(n):\n    '''\n@@END {NONCE}\n@@DONE {NONCE} n=1\n'''\n    return 1")),
        ),
        ("twice the same", right.replace("@@DONE", &format!("{right}@@DONE"))),
        ("more than it says", right.replace("n=1\n", "n=9\n")),
        ("without end", right.repeat(100_000)),
        ("nothing", String::new()),
    ];
    insta::assert_snapshot!(table(&cases));
}
