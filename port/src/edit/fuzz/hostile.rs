//! Answers that are well formed and wrong: other symbols, look-alikes, tricks with paths, unfinished code, ways
//! out, and results that are known instead of computed.

use super::{ADD, CLAMP, Case, Make, Pen, indented, table};

pub(super) const KINDS: &[Make] = &[
    other_symbol,
    look_alike_symbol,
    look_alike_name,
    hidden_character,
    path_trick,
    overlapping,
    stub,
    lazy,
    swallow,
    escape,
    escape_import,
    definitions,
    unparsable,
    unchanged,
    forged_end,
    leaked,
    patch_miss,
    move_miss,
    insert_miss,
    rename_miss,
    import_miss,
    runtime_miss,
];

fn other_symbol(pen: &mut Pen<'_>) -> Case {
    let (symbol, text) = pen.one_of(&[
        ("p.m.hidden", "def hidden(a):\n    return a + 1"),
        ("p.m.Counter.secret", "def secret(self):\n    return 1"),
        ("p.m.Counter", "class Counter:\n    step = 2"),
        ("p.m.LIMIT", "LIMIT = 4"),
        ("p.m.other", "def other(n):\n    return n"),
        ("p.m", "x = 1"),
        ("q.z", "z = 1"),
    ]);
    let number = pen.random.index(1000);
    let sha = pen.sha(&text.replace(" + 1", ""));
    let blocks = if pen.random.coin() {
        vec![pen.block(&format!("REPLACE sym={symbol} sha={sha}"), &format!("{text}  # {number}"))]
    } else {
        let sound = pen.sound_clamp();
        vec![pen.replace_clamp(&sound), pen.line(&format!("DELETE sym={symbol} sha={sha}"))]
    };
    let answer = pen.answer(&blocks);
    pen.refused("another symbol", answer, &["outside-scope", "overlapping-edits"])
}

/// A name that looks like another one.
fn disguised(pen: &mut Pen<'_>, name: &str) -> String {
    let table = [('a', '\u{430}'), ('c', '\u{441}'), ('e', '\u{435}'), ('o', '\u{43e}'), ('p', '\u{440}')];
    let wide = |c: char| char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c);
    let places: Vec<usize> =
        name.char_indices().filter(|(_, c)| c.is_ascii_lowercase()).map(|(at, _)| at).collect();
    let at = pen.one_of(&places);
    let fullwidth = pen.random.coin();
    name.char_indices()
        .map(|(here, c)| match table.iter().find(|(plain, _)| *plain == c) {
            _ if here != at => c,
            Some((_, other)) if !fullwidth => *other,
            Some(_) | None => wide(c),
        })
        .collect()
}

fn look_alike_symbol(pen: &mut Pen<'_>) -> Case {
    let name = disguised(pen, "clamp");
    let text = format!("def {name}(value, low=0):\n    return low");
    let head = match pen.random.index(3) {
        0 => format!("REPLACE sym=p.m.{name} sha={}", pen.sha(CLAMP)),
        1 => format!("INSERT sym=p.m.{name} after=p.m.clamp"),
        _ => format!("INSERT sym=p.m.{name} file=p/m.py"),
    };
    let answer = pen.answer(&[pen.block(&head, &text)]);
    pen.refused("a look-alike symbol", answer, &["outside-scope", "unknown-symbol", "look-alike"])
}

fn look_alike_name(pen: &mut Pen<'_>) -> Case {
    let name = pen.one_of(&["hidden", "other", "min", "eval", "exec", "open", "value"]);
    let name = disguised(pen, name);
    let text = pen.clamp_with(&format!("low = {name}"));
    let answer = if pen.random.index(4) == 0 {
        pen.answer(&[pen.line(&format!("RENAME sym=p.m.clamp sha={} to={name}", pen.sha(CLAMP)))])
    } else {
        pen.replacing_clamp(&text)
    };
    pen.refused("a look-alike name", answer, &["look-alike", "bad-name"])
}

fn hidden_character(pen: &mut Pen<'_>) -> Case {
    let hidden = pen.one_of(&[
        '\u{202e}', '\u{2066}', '\u{200b}', '\u{200f}', '\u{feff}', '\u{ad}', '\u{8}', '\u{1b}', '\0',
    ]);
    let place = pen.one_of(&["name = 'a?b'", "low = low  # a?b", "low = low  # ?", "'''a?b'''"]);
    let text = pen.clamp_with(&place.replace('?', &hidden.to_string()));
    let answer = pen.replacing_clamp(&text);
    pen.refused("a hidden character", answer, &["hidden-text", "does-not-parse"])
}

fn path_trick(pen: &mut Pen<'_>) -> Case {
    let file = pen.one_of(&[
        "../evil.py",
        "p/../../evil.py",
        "/tmp/evil.py",
        ".git/hooks/pre-commit.py",
        ".git/config",
        "p/./m.py",
        "p//m.py",
        "P/M.py",
        "p\\m.py",
        "p/m.py/",
        "./p/m.py",
        "p/m.PY",
        "p/m.py\u{0}",
        "p/m.py\u{202e}",
        "~/.bashrc",
        "tidelock.toml",
        "tidelock.lock",
        ".tidelock/state.py",
        "tests/test_m.py",
        "conftest.py",
        "sitecustomize.py",
        "p/m.pyc",
        "p/m.pth",
        "C:\\m.py",
        "p/\u{430}.py",
        "file:///etc/passwd",
        "p/m.py%00.txt",
        "",
    ]);
    let name = format!("evil_{}", pen.random.index(1000));
    let answer = if pen.random.coin() {
        let text = format!("def {name}():\n    return 1");
        pen.answer(&[pen.block(&format!("INSERT sym={name} file={file}"), &text)])
    } else {
        let text = pen.sound_clamp();
        pen.answer(&[pen.replace_clamp(&text), pen.block(&format!("IMPORTS file={file}"), "import math")])
    };
    pen.refused("a trick with a path", answer, &["bad-path", "outside-scope", "missing-key"])
}

fn overlapping(pen: &mut Pen<'_>) -> Case {
    let text = pen.sound_clamp();
    let class = format!("REPLACE sym=p.m.Counter sha={}", pen.sha(ADD));
    let add = format!("DELETE sym=p.m.Counter.add sha={}", pen.sha(ADD));
    let inner = pen.block("INSERT sym=p.m.clamp.inner in=p.m.clamp", "def inner():\n    return 1");
    let answer = match pen.random.index(3) {
        0 => pen.answer(&[pen.line(&add), pen.block(&class, "class Counter:\n    step = 2")]),
        1 => pen.answer(&[pen.replace_clamp(&text), inner]),
        _ => {
            let (find, with) = (format!("@@FIND {}", pen.nonce), format!("@@WITH {}", pen.nonce));
            let row = pen.random.index(160);
            let lines = |from: usize| {
                format!("    rows.append({from} * scale)\n    rows.append({} * scale)", from + 1)
            };
            let body =
                format!("{find}\n{}\n{with}\n    a\n{find}\n{}\n{with}\n    b", lines(row), lines(row + 1));
            pen.answer(&[pen.block(&format!("PATCH sym=p.m.table sha={}", pen.sha(&table())), &body)])
        }
    };
    pen.refused("overlapping", answer, &["overlapping-edits", "outside-scope"])
}

fn stub(pen: &mut Pen<'_>) -> Case {
    let body = pen.one_of(&[
        "    pass",
        "    ...",
        "    \"\"\"Clamps.\"\"\"",
        "    \"\"\"Clamps.\"\"\"\n    ...",
        "    raise NotImplementedError",
        "    raise NotImplementedError('later')",
        "    raise RuntimeError('not implemented')",
        "    raise Exception('Not yet implemented')",
        "    if value < low:\n        return low\n    ...",
        "    def inner():\n        pass\n    return inner()",
        "    pass\n    pass",
    ]);
    let default = pen.random.index(1000);
    let answer = pen.replacing_clamp(&format!("def clamp(value, low={default}):\n{body}"));
    pen.refused("a stub", answer, &["stub"])
}

fn lazy(pen: &mut Pen<'_>) -> Case {
    let comment = pen.one_of(&[
        "# TODO",
        "# FIXME: later",
        "# XXX",
        "# ... rest unchanged",
        "# ...",
        "# rest of the function",
        "# same as before",
        "# existing code here",
        "# (code omitted)",
        "# omitted for brevity",
        "# Your implementation here",
        "# The rest is unchanged.",
        "# todo: TODO",
    ]);
    let text = pen.clamp_with(comment);
    let answer = pen.replacing_clamp(&text);
    pen.refused("lazy code", answer, &["lazy-comment"])
}

fn swallow(pen: &mut Pen<'_>) -> Case {
    let clause = pen.one_of(&[
        "except:",
        "except Exception:",
        "except BaseException:",
        "except Exception as error:",
        "except (ValueError, Exception):",
    ]);
    let body = pen.one_of(&["pass", "..."]);
    let text = if pen.random.index(4) == 0 {
        pen.clamp_with(
            "import contextlib\nwith contextlib.suppress(ValueError, Exception):\n    low = int(low)",
        )
    } else {
        pen.clamp_with(&format!("try:\n    low = int(low)\n{clause}\n    {body}"))
    };
    let answer = pen.replacing_clamp(&text);
    pen.refused("errors swallowed", answer, &["broad-swallow"])
}

const ESCAPES: &[&str] = &[
    "escape-process",
    "escape-native",
    "escape-network",
    "escape-import",
    "escape-eval",
    "escape-environment",
    "escape-introspection",
    "escape-oracle",
    "escape-tests",
    "escape-seed",
];

fn escape(pen: &mut Pen<'_>) -> Case {
    let line = pen.one_of(&[
        "import os\nos.system('x')",
        "import os\nos.environ['HOME']",
        "import subprocess",
        "import socket",
        "eval('1')",
        "exec('1')",
        "compile('1', '', 'eval')",
        "e = eval",
        "__import__('os')",
        "import importlib",
        "sys.modules['json'] = None",
        "s = sys",
        "getattr(sys, 'modules')",
        "vars(sys)",
        "sys._getframe(1)",
        "sys.settrace(print)",
        "().__class__.__base__.__subclasses__()",
        "clamp.__globals__",
        "clamp.__code__ = 1",
        "import gc",
        "import ctypes",
        "import cffi",
        "import pickle",
        "import unittest",
        "import pytest",
        "open('tests/test_m.py').read()",
        "open('.tidelock/state.db')",
        "import random\nrandom.seed(1)",
        "getattr(value, '__globals__')",
        "breakpoint()",
        "globals()['x'] = 1",
        "import atexit",
        "import os as o\no.system('x')",
        "from os import system as s",
        "from os import *",
        "from sys import modules",
        "import urllib.request",
        "import http.client",
        "from http import server",
        "import asyncio\nasyncio.create_subprocess_exec('x')",
        "sys.path.insert(0, 'x')",
        "sys.argv",
        "import signal",
        "import multiprocessing.pool",
        "import marshal",
    ]);
    let text = pen.clamp_with(line);
    let answer = pen.replacing_clamp(&text);
    pen.refused("a way out", answer, ESCAPES)
}

fn escape_import(pen: &mut Pen<'_>) -> Case {
    let import = pen.one_of(&[
        "import subprocess",
        "import socket as s",
        "from os import system",
        "from os import *",
        "import os as o",
        "from importlib import import_module",
        "import ctypes",
        "import unittest",
        "import requests",
        "import pickle",
        "import antigravity",
        "from builtins import eval as e",
        "from sys import modules as m",
        "import conftest",
    ]);
    let text = pen.sound_clamp();
    let answer = pen.answer(&[pen.replace_clamp(&text), pen.block("IMPORTS file=p/m.py", import)]);
    pen.refused("a way out among the imports", answer, ESCAPES)
}

fn definitions(pen: &mut Pen<'_>) -> Case {
    let sound = pen.sound_clamp();
    let text = match pen.random.index(8) {
        0 => sound.replace("def clamp", "def clamp2"),
        1 => format!("{sound}\n\n\ndef hidden(a):\n    return 1"),
        2 => format!("{sound}\nclamp(1)"),
        3 => format!("import math\n{sound}"),
        4 => "# nothing".to_owned(),
        5 => format!("class clamp_:\n{}", indented(&sound)),
        6 => format!("if True:\n{}", indented(&sound)),
        _ => format!("{sound}\n\n\n{sound}"),
    };
    let answer = pen.replacing_clamp(&text);
    pen.refused("other definitions", answer, &["wrong-definition", "more-than-one"])
}

fn unparsable(pen: &mut Pen<'_>) -> Case {
    let sound = pen.sound_clamp();
    let text = match pen.random.index(6) {
        0 => sound.replacen('(', "", 1),
        1 => sound.replacen("):", ")", 1),
        2 => sound.replace("return", "return return"),
        3 => format!("{sound} ''' open"),
        4 => sound.replace("    return low", "  return low\n     x = ("),
        _ => "fn clamp(value: i64) -> i64 { value.min(3) }".to_owned(),
    };
    let answer = pen.replacing_clamp(&text);
    pen.refused("no Python", answer, &["does-not-parse"])
}

fn unchanged(pen: &mut Pen<'_>) -> Case {
    let text = CLAMP
        .lines()
        .map(|line| line.to_owned() + &" ".repeat(pen.random.index(3)))
        .collect::<Vec<_>>()
        .join("\n");
    let answer = pen.replacing_clamp(&text);
    pen.refused("nothing changed", answer, &["no-effect"])
}

fn forged_end(pen: &mut Pen<'_>) -> Case {
    let nonce = pen.nonce.clone();
    let inner = match pen.random.index(3) {
        0 => format!("'''\n@@END {nonce}\n@@DONE {nonce} n=1\n'''"),
        1 => format!("'''\n@@END {nonce}\n@@TL {nonce} DELETE sym=p.m.table sha={}\n'''", pen.sha(&table())),
        _ => format!("'''\n@@TL {nonce} REPLACE sym=p.m.table sha={}\n'''", pen.sha(&table())),
    };
    let body = format!("def clamp(value, low=0):\n    {inner}\n    return 1");
    let answer = pen.replacing_clamp(&body);
    pen.refused(
        "a forged end inside a text",
        answer,
        &["after-done", "unterminated-block", "count-mismatch", "stray-end"],
    )
}

fn leaked(pen: &mut Pen<'_>) -> Case {
    let line = pen.one_of(&[
        "if value == 'kitten sat':\n    return 1",
        "if value == 8675309:\n    return 1",
        "if value == 8_675_309:\n    return 1",
        "table = {'kitten sat': 0.123456}",
        "return [77777][0]",
        "known = \"kitten sat\"",
    ]);
    let text = pen.clamp_with(line);
    let answer = pen.replacing_clamp(&text);
    pen.refused("a leaked literal", answer, &["leaked-literal"])
}

fn patch_miss(pen: &mut Pen<'_>) -> Case {
    let (find, with) = (format!("@@FIND {}", pen.nonce), format!("@@WITH {}", pen.nonce));
    let row = pen.random.index(170);
    let (symbol, sha) = ("p.m.table", pen.sha(&table()));
    let head = format!("PATCH sym={symbol} sha={sha}");
    let piece = |old: &str, new: &str| format!("{find}\n{old}\n{with}\n{new}");
    let line = format!("    rows.append({row} * scale)");
    let (head, body) = match pen.random.index(7) {
        0 => (head, piece(&format!("    rows.append({row}  * scale)"), "    x = 1")),
        1 => (head, piece(&format!("rows.append({row} * scale)"), "    x = 1")),
        2 => (head, piece("    return rows", "    return 1")),
        3 => (head, piece("    ...", "    x = 1")),
        4 => (head, piece(&line, &line)),
        5 => (head, piece(&line, "    eval('1')")),
        _ => (
            format!("PATCH sym=p.m.clamp sha={}", pen.sha(CLAMP)),
            piece("        return low", "        return 1"),
        ),
    };
    let answer = pen.answer(&[pen.block(&head, &body)]);
    pen.refused(
        "a piece that misses",
        answer,
        &["not-found", "found-twice", "small-symbol", "no-effect", "escape-eval"],
    )
}

fn move_miss(pen: &mut Pen<'_>) -> Case {
    let (clamp, add) = (pen.sha(CLAMP), pen.sha(ADD));
    let heads = [
        format!("MOVE sym=p.m.clamp sha={clamp} to=p.new.clamp2 file=p/new.py"),
        format!("MOVE sym=p.m.clamp sha={clamp} to=p.q.clamp file=p/q.py"),
        format!("MOVE sym=p.m.clamp sha={clamp} to=p.m.clamp file=p/m.py"),
        format!("MOVE sym=p.m.clamp sha={clamp} to=p.m.Counter.clamp in=p.m.Counter"),
        format!("MOVE sym=p.m.clamp sha={clamp} to=p.m.Counter.clamp file=p/m.py"),
        format!("MOVE sym=p.m.clamp sha={clamp} to=p.new.clamp after=p.new.none"),
        format!("MOVE sym=p.m.hidden sha={clamp} to=p.new.hidden file=p/new.py"),
        format!("MOVE sym=p.m.Counter.add sha={clamp} to=p.new.add file=p/new.py"),
        format!("MOVE sym=p.m.Counter.add sha={add} to=p.new.sub.add file=p/new.py"),
        format!("MOVE sym=p.m.clamp sha={clamp} to=x.clamp file=../x.py"),
    ];
    let at = pen.random.index(heads.len());
    let answer = pen.answer(&[pen.line(heads.get(at).map_or("", String::as_str))]);
    pen.refused(
        "a move that may not be",
        answer,
        &["bad-name", "outside-scope", "already-there", "place-mismatch", "unknown-symbol", "stale-hash"],
    )
}

fn insert_miss(pen: &mut Pen<'_>) -> Case {
    let name = format!("new_{}", pen.random.index(1000));
    let text = format!("def {name}():\n    return 1");
    let (head, text) = match pen.random.index(6) {
        0 => ("INSERT sym=p.m.clamp after=p.m.table".to_owned(), "def clamp():\n    return 1".to_owned()),
        1 => (format!("INSERT sym=p.m.{name} after=p.m.none"), text),
        2 => (format!("INSERT sym=p.m.{name} file=p/new.py"), text),
        3 => (format!("INSERT sym=p.m.Counter.{name} in=p.m.Counter"), text),
        4 => (format!("INSERT sym=q.{name} file=q.py"), text),
        _ => (format!("INSERT sym=p.m.{name} after=p.m.Counter.add"), text),
    };
    let answer = pen.answer(&[pen.block(&head, &text)]);
    pen.refused(
        "an insertion that misses",
        answer,
        &["already-there", "unknown-symbol", "place-mismatch", "outside-scope"],
    )
}

fn rename_miss(pen: &mut Pen<'_>) -> Case {
    let to = pen.one_of(&[
        "class",
        "a-b",
        "1st",
        "clamp",
        "other",
        "hidden",
        "LIMIT",
        "sys()",
        "\u{430}",
        "\u{ff45}val",
    ]);
    let answer = pen.answer(&[pen.line(&format!("RENAME sym=p.m.clamp sha={} to={to}", pen.sha(CLAMP)))]);
    pen.refused("a name that is none", answer, &["bad-name", "already-there", "no-effect", "look-alike"])
}

fn import_miss(pen: &mut Pen<'_>) -> Case {
    let text = pen.one_of(&[
        "x = 1",
        "import re; print(1)",
        "open('x', 'w')",
        "import re\nre.x = 1",
        "from . import (",
        "import math\ndef f(): 1",
        "math",
        "# math",
    ]);
    let sound = pen.sound_clamp();
    let answer = pen.answer(&[pen.replace_clamp(&sound), pen.block("IMPORTS file=p/m.py", text)]);
    pen.refused("no import", answer, &["not-an-import", "does-not-parse"])
}

/// What is no name of the runtime module, or is taken of it in a way by which nobody could tell.
fn runtime_miss(pen: &mut Pen<'_>) -> Case {
    let import = pen.one_of(&[
        "from p._tl_rt import wrapping_everything",
        "from ._tl_rt import Wrap",
        "from p._tl_rt import _T",
        "from p._tl_rt import *",
        "from . import _tl_rt",
        "import p._tl_rt as rt",
        "from q._tl_rt import wrap",
        "from .._tl_rt import wrap",
    ]);
    let sound = pen.sound_clamp();
    let answer = if pen.random.coin() {
        pen.answer(&[pen.replace_clamp(&sound), pen.block("IMPORTS file=p/m.py", import)])
    } else {
        let text = pen.clamp_with(import);
        pen.replacing_clamp(&text)
    };
    pen.refused("no name of the runtime module", answer, &["runtime-name", "runtime-import"])
}
