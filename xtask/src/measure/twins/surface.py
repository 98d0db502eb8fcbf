"""Answers requests about the public surface of a package, a line of JSON each: what its members give for arguments of a pool.

    python3 surface.py POOL

It knows no package: `POOL` is a file of JSON that names the package, its classes, and Python expressions to ask with.
A request names a class in `of` and, in `member`, one of its members or one of these:

    names      its public members; with an empty `of`, what the package exports
    values     the values that the pool makes of it, by how they are made
    new        its constructor
    operators  operators, texts, copies and pickles of its values

and may have `skip`, a list of calls that are left out. The answer is an object of calls with their outcomes: the type and
the text of a value, `!` for an exception of Python's own, `!` with its name for one of the package's, `died` where the
call ends the interpreter; behind it ` ~` with its class for each warning.
"""

import copy
import importlib
import json
import mmap
import operator
import os
import pickle
import re
import sys
import warnings

BINARY = "add sub mul truediv floordiv mod lt le eq".split()
UNARY = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": operator.abs,
    "truth": operator.truth,
    "str": str,
    "repr": repr,
    "pickle": lambda value: (pickle.loads(pickle.dumps(value)) == value, value.__reduce__()[1]),
    "copies": lambda value: (copy.copy(value) is value, copy.deepcopy(value) is value),
}
# How many values of a class stand among the arguments of every member.
ARGUMENTS_PER_CLASS = 2
# After how many calls that end the interpreter a request is given up.
DEATHS_MAX = 300
# Where what a process is at stands, and the exit code for a fault that is no call's.
MARK_BYTES = 1 << 14
BROKEN = 70
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
STATIC = ("classmethod_descriptor", "builtin_function_or_method")
NOTHING = object()


class Pool:
    """What is asked with, read from a file."""

    def __init__(self, told):
        self.names = {name: importlib.import_module(module) for name, module in told["imports"].items()}
        self.package = importlib.import_module(told["package"])
        self.classes = told["classes"]
        self.texts = told["texts"]
        self.parsers = told["parsers"]
        self.making = [self.call("making", text) for text in told["making"]]
        self.arguments = [self.call("arguments", text) for text in told["arguments"]]
        self.keywords = [self.call("keywords", text) for text in told["keywords"]]
        self.flags = [("", (), {})] + [self.call("flags", text) for text in told["flags"]]
        # How the values are made that members are asked on; all that can be, where that is not told.
        self.chosen = told.get("values")

    def call(self, group, text):
        """The arguments that a text such as `2024, month=2` stands for."""
        try:
            given = eval(f"_({text})", {**self.names, "_": lambda *args, **kwargs: (args, kwargs)})
        except Exception as error:
            raise SystemExit(f"`{text}` in `{group}` of the pool: {type(error).__name__}: {error}") from error
        return text, *given


class Asking:
    """The calls of one request in one process; `dead` are those that ended another one."""

    def __init__(self, pool, dead, mark):
        self.pool, self.dead, self.mark = pool, dead, mark
        self.warned = []
        self.values_of = {}
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, category, *rest, **more: self.warned.append(category.__name__)

    def begin(self, key):
        """Writes down what is called next, for whoever is left."""
        text = key.encode()[: MARK_BYTES - 4]
        self.mark[:4] = len(text).to_bytes(4, "big")
        self.mark[4 : 4 + len(text)] = text

    def outcome(self, key, function, *args, **kwargs):
        if key in self.dead:
            return "died"
        self.begin(key)
        self.warned.clear()
        try:
            found = said(function(*args, **kwargs))
        except BaseException as error:
            package = type(error).__module__.split(".")[0]
            found = "!" + (type(error).__name__ if package == self.pool.package.__name__.split(".")[0] else "")
        return found + "".join(f" ~{category}" for category in self.warned)

    def made(self, cls, how):
        """The value that is made so, or `NOTHING`."""
        key = f"{cls.__name__} {how}"
        if key in self.dead:
            return NOTHING
        self.begin(key)
        try:
            value = self.recipes(cls)[how]()
        except BaseException:
            return NOTHING
        return value if type(value) is cls else NOTHING

    def recipes(self, cls):
        """Every way to make a value of a class: a constant, the constructor, a text that is read."""
        recipes = {}
        for name in sorted(dir(cls)):
            if not name.startswith("_") and type(getattr(cls, name, None)) is cls:
                recipes[name] = lambda name=name: getattr(cls, name)
        for text, args, kwargs in self.pool.making:
            recipes[f"({text})"] = lambda args=args, kwargs=kwargs: cls(*args, **kwargs)
        for parser in self.pool.parsers:
            for text in self.pool.texts:
                recipes[f"{parser}({text!r})"] = lambda parser=parser, text=text: getattr(cls, parser)(text)
        return recipes

    def values(self, name):
        """The values of a class that members are asked on, by how they are made."""
        if name not in self.values_of:
            cls = getattr(self.pool.package, name, None)
            hows = self.pool.chosen.get(name, []) if self.pool.chosen is not None else None
            found = {}
            if isinstance(cls, type):
                recipes = self.recipes(cls)
                for how in recipes if hows is None else [how for how in hows if how in recipes]:
                    value = self.made(cls, how)
                    if value is not NOTHING:
                        found[how] = value
            self.values_of[name] = found
        return self.values_of[name]

    def others(self):
        """Values of all classes, as arguments."""
        for name in self.pool.classes:
            for how, value in list(self.values(name).items())[:ARGUMENTS_PER_CLASS]:
                yield f"{name} {how}", value

    def calls(self):
        """All arguments of the pool."""
        yield "", (), {}
        for text in self.pool.texts:
            yield repr(text), (text,), {}
        yield from self.pool.arguments
        for text, args, kwargs in self.pool.keywords:
            for flag, _, more in self.pool.flags:
                yield joined(text, flag), args, {**kwargs, **more}
        for text, value in self.others():
            for flag, _, more in self.pool.flags:
                yield joined(text, flag), (value,), more
        yield from self.pool.making

    def answer(self, name, member, skip):
        found = {}

        def ask(key, function, *args, **kwargs):
            if key not in skip:
                found[key] = self.outcome(key, function, *args, **kwargs)

        if not name:
            exported = getattr(self.pool.package, "__all__", None) or public(self.pool.package)
            return {one: "there" for one in exported if hasattr(self.pool.package, one) and one not in skip}
        cls = getattr(self.pool.package, name, None)
        if not isinstance(cls, type):
            return found
        if member == "names":
            return {one: "there" for one in public(cls) if one not in skip}
        if member == "values":
            return {how: repr(value) for how, value in self.values(name).items() if how not in skip}
        if member == "new":
            for text, args, kwargs in list(self.calls()):
                ask(f"({text})", cls, *args, **kwargs)
        elif member == "operators":
            self.operators(name, ask)
        else:
            self.member(name, cls, member, ask)
        return found

    def operators(self, name, ask):
        single = [(text, args[0]) for text, args, kwargs in self.pool.arguments if len(args) == 1 and not kwargs]
        others = [*self.others(), *single]
        for how, value in self.values(name).items():
            for unary, function in UNARY.items():
                ask(f"{unary} [{how}]", function, value)
            for binary in BINARY:
                function = getattr(operator, binary)
                for text, other in others:
                    ask(f"[{how}] {binary} {text}", function, value, other)
                    ask(f"{text} {binary} [{how}]", function, other, value)

    def member(self, name, cls, member, ask):
        found = getattr(cls, member, NOTHING)
        if found is NOTHING:
            return
        if not callable(found) or isinstance(found, type):
            if type(found) is cls:
                ask("class", getattr, cls, member)
            for how, value in self.values(name).items():
                ask(f"[{how}]", getattr, value, member)
            return
        raw = next(vars(base)[member] for base in cls.__mro__ if member in vars(base))
        calls = list(self.calls())
        if isinstance(raw, (staticmethod, classmethod)) or type(raw).__name__ in STATIC:
            for text, args, kwargs in calls:
                ask(f"({text})", found, *args, **kwargs)
            return
        for how, value in self.values(name).items():
            for text, args, kwargs in calls:
                ask(f"[{how}]({text})", operator.methodcaller(member, *args, **kwargs), value)


def joined(text, flag):
    return f"{text}, {flag}" if flag else text


def public(of):
    return sorted(name for name in dir(of) if not name.startswith("_"))


def said(value):
    """A value in words that are the same in each process and on each side."""
    if isinstance(value, tuple):
        return "(" + ", ".join(said(one) for one in value) + ")"
    if isinstance(value, type):
        return value.__name__
    if callable(value):
        return "callable"
    return f"{type(value).__name__} {ADDRESS.sub('', repr(value))}"


def surviving(pool, request):
    """The answer to a request, from a process of its own: begun anew without each call that ends one."""
    dead = set()
    while len(dead) <= DEATHS_MAX:
        mark = mmap.mmap(-1, MARK_BYTES)
        read, write = os.pipe()
        child = os.fork()
        if not child:
            work(pool, request, dead, mark, write)
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as answer:
            text = answer.read()
        status = os.waitpid(child, 0)[1]
        if status == 0:
            return json.loads(text)
        key = bytes(mark[4 : 4 + int.from_bytes(mark[:4], "big")]).decode(errors="replace")
        if os.waitstatus_to_exitcode(status) == BROKEN or not key or key in dead:
            raise SystemExit(f"{request}: it ended outside of any call, behind `{key}`")
        dead.add(key)
    raise SystemExit(f"{request}: more than {DEATHS_MAX} calls end the interpreter")


def work(pool, request, dead, mark, write):
    """The child's part, which never comes back."""
    code = BROKEN
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        asking = Asking(pool, dead, mark)
        found = asking.answer(request["of"], request["member"], set(request.get("skip", ())))
        with os.fdopen(write, "w", encoding="utf-8") as answer:
            json.dump(found, answer)
        code = 0
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        pool = Pool(json.load(file))
    for line in sys.stdin:
        print(json.dumps(surviving(pool, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
