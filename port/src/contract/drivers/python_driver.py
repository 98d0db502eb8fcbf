"""The port's driver: reads probes, calls the port, writes outcomes. Standard library only.

Run as `python3 -I -B -c <this text>`; the lines are described in docs/driver-protocol.md.
"""

import enum
import importlib
import importlib.util
import inspect
import json
import opcode
import os
import struct
import sys
import types

ELEMENTS_MAX = 1000
OUTCOME_CHARS_MAX = 1 << 20
TEXT_CHARS_MAX = 400
DEPTH_MAX = 60
INT_BITS_MAX = 4096
# Objects that are written field by field in one outcome; further ones by their text.
RECORDS_MAX = 2000
# Calls that are traced of one probe, and the longest value among them.
CALLS_MAX = 4000
SHOWN_CHARS_MAX = 8000

# Classes that mean broken code. NotImplementedError is a stub, whatever the upstream does.
CRASHES = (
    TypeError, NameError, AttributeError, ImportError, SyntaxError, RecursionError, MemoryError,
    NotImplementedError, SystemError, SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration,
)
# Classes by which the language itself refuses an operation: meant only where somebody wrote `raise`.
SLIPS = (IndexError, KeyError, ZeroDivisionError)


class NotFound(Exception):
    """The symbol is not there, or its module cannot be imported."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Unwritable(Exception):
    """The result cannot be written down."""


class NotMade(Exception):
    """An argument cannot be made here as it is made in the upstream."""


class Nothing(Exception):
    """What makes an argument made nothing, as in the upstream: that is the result."""


def main():
    lines = sys.stdin.buffer.read().split(b"\n")
    header = json.loads(lines[0])
    # What the port prints goes nowhere, and what it reads is at its end.
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    nonce = header["nonce"].encode()

    def say(answer):
        out.write(b"\n" + nonce + b" " + json.dumps(answer).encode() + b"\n")
        out.flush()

    sys.path[:0] = header["roots"]
    tracer = Tracer(header["traced"]) if header["traced"] else None
    targets = [Target(target) if target["steps"] is None else Sequence(target) for target in header["targets"]]
    say(["ready"])
    for line in lines[1:]:
        if not line:
            continue
        number, target, arguments = json.loads(line)
        if arguments is None:
            say([number, targets[target].describe()])
        elif tracer is None:
            say([number, targets[target].call(arguments)])
        else:
            say([number, *tracer.watch(lambda: targets[target].call(arguments))])
    say(["done"])
    # Threads and exit handlers of the port are not waited for.
    os._exit(0)


class Tracer:
    """Logs what linked functions are given and what they give, in the order in which they end."""

    def __init__(self, symbols):
        self.names = {}
        for symbol in symbols:
            try:
                found, _ = find(symbol)
            except NotFound:
                continue
            found = found.fget if isinstance(found, property) else found
            code = getattr(inspect.unwrap(getattr(found, "__func__", found)), "__code__", None)
            # What a generator gives comes one by one, and later.
            if code is not None and not code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE):
                self.names[code] = symbol
        self.calls = []
        self.open = {}

    def watch(self, call):
        self.calls, self.open = [], {}
        sys.settrace(self.entered)
        try:
            outcome = call()
        finally:
            sys.settrace(None)
        return outcome, [], self.calls

    def entered(self, frame, event, _):
        if event != "call" or frame.f_code not in self.names or len(self.calls) + len(self.open) >= CALLS_MAX:
            return None
        values = self.given(frame)
        # An initializer is given its value from outside, and gives it back.
        skipped = 1 if self.names[frame.f_code].endswith((".__init__", ".__new__")) else 0
        self.open[id(frame)] = [values, [shown(value) for value in values[skipped:]], None, skipped]
        return self.inside

    def inside(self, frame, event, argument):
        opened = self.open.get(id(frame))
        if opened is None:
            return None
        if event == "exception":
            opened[2] = argument[1]
        elif event == "line":
            # It was caught.
            opened[2] = None
        elif event == "return":
            del self.open[id(frame)]
            values, given, error, skipped = opened
            symbol = self.names[frame.f_code]
            if error is not None and argument is None:
                outcome = failure(error) if isinstance(error, BaseException) else ["crashed", "it raised"]
            else:
                outcome = ["value", shown(values[0] if symbol.endswith(".__init__") else argument)]
            left = [[at, shown(value)] for at, value in enumerate(values[skipped:]) if may_change(value)]
            self.calls.append([symbol, given, outcome, left])
        return self.inside

    @staticmethod
    def given(frame):
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        return [frame.f_locals.get(name) for name in names]


def may_change(value):
    return not isinstance(value, (bool, int, float, str, bytes, tuple, type(None)))


def shown(value):
    """A value as far as it can be written down without changing it."""
    SEEN.clear()
    try:
        if hasattr(type(value), "__next__"):
            return ["d", class_path(type(value)), ""]
        written = encode(value, 0)
        return written if len(json.dumps(written)) <= SHOWN_CHARS_MAX else ["d", "", ""]
    except Exception:
        return ["d", "", ""]


class Target:
    """A symbol of the port, looked up when it is first needed."""

    def __init__(self, target):
        self.symbol = target["symbol"]
        self.constructor = target["constructor"]
        self.constructed_with = target["constructed_with"]
        self.others = target["others"]
        self.makers = target["makers"]
        self.changed = target["changed"]
        self.found = None
        self.missing = None

    def look_up(self):
        if self.missing is None and self.found is None:
            try:
                constructor = find(self.constructor)[0] if self.constructor else None
                self.found = (*find(self.symbol), constructor)
            except NotFound as error:
                self.missing = error
        if self.missing is not None:
            raise self.missing
        return self.found

    def describe(self):
        try:
            symbol, owner, _ = self.look_up()
        except NotFound as error:
            return ["missing", error.code, str(error)[:TEXT_CHARS_MAX]]
        if isinstance(symbol, property):
            return ["symbol", True, [], None]
        if not callable(symbol):
            return ["symbol", False, [], None]
        kind = None
        if isinstance(symbol, type):
            kind = ["exception" if issubclass(symbol, BaseException) else "class", class_path(symbol)]
        try:
            parameters = list(inspect.signature(symbol).parameters.values())
        except (TypeError, ValueError):
            return ["symbol", True, None, kind]
        if isinstance(owner, type) and takes_self(owner, symbol):
            parameters = parameters[1:]
        return ["symbol", True, [[p.name, p.kind.name, p.default is not p.empty] for p in parameters], kind]

    def call(self, arguments):
        return settled(lambda: self.called(arguments))

    def called(self, arguments):
        symbol, _, constructor = self.look_up()
        decoded = [decode(argument, self.makers) for argument in arguments]
        for at in self.changed:
            if isinstance(decoded[at], bytes):
                decoded[at] = bytearray(decoded[at])
        left = [decoded[at] for at in self.changed]
        if constructor is not None:
            made = []
            for _ in range(1 + self.others):
                value = apply(constructor, decoded[: self.constructed_with])
                if value is None:
                    # As in the upstream, there is nothing to call the method on, and that is the result.
                    return ["value", ["u"]]
                made.append(value)
                decoded = decoded[self.constructed_with :]
            decoded = [*made, *decoded]
        if isinstance(symbol, property):
            symbol = symbol.fget
        if self.symbol.endswith(".__next__"):
            return outcome_of(steps(symbol, decoded))
        result = apply(symbol, decoded)
        return outcome_of(result) if not left else outcome_with(result, left)


class Sequence:
    """Methods that are called one after another on one value."""

    def __init__(self, target):
        self.constructor = target["constructor"]
        self.makers = target["makers"]
        self.steps = target["steps"]
        self.found = {}

    def look_up(self, path):
        if path not in self.found:
            self.found[path] = find(path)[0]
        return self.found[path]

    def call(self, arguments):
        try:
            value = [decode(argument, self.makers) for argument in arguments[:-1]]
            value = value[0] if self.constructor is None else apply(self.look_up(self.constructor), value)
        except NotFound as error:
            return ["crashed", f"{error.code}: {str(error)[:TEXT_CHARS_MAX]}"]
        except NotMade as error:
            return ["unmade", str(error)]
        except Nothing:
            return ["value", ["u"]]
        except BaseException as error:
            return failure(error)
        if value is None:
            # As in the upstream, there is nothing to call anything on.
            return ["value", ["u"]]
        outcomes = [self.step(value, self.steps[name], given) for _, given, name in arguments[-1][1]]
        if sum(len(json.dumps(outcome)) for outcome in outcomes) > OUTCOME_CHARS_MAX:
            return ["crashed", "the results are too large"]
        return ["steps", outcomes]

    def step(self, value, step, given):
        """What one call came to. The value is called on, whatever that was."""
        if step["symbol"] is None:
            return settled(lambda: look_at(value, step["fields"]))

        def called():
            symbol = self.look_up(step["symbol"])
            decoded = [decode(argument, self.makers) for argument in given]
            for at in step["changed"]:
                if isinstance(decoded[at], bytes):
                    decoded[at] = bytearray(decoded[at])
            left = [decoded[at] for at in step["changed"]]
            if isinstance(symbol, property):
                symbol = symbol.fget
            try:
                result = apply(symbol, [value, *decoded])
            except StopIteration:
                if not step["symbol"].endswith(".__next__"):
                    raise
                result = None
            return outcome_of(result) if not left else outcome_with(result, left)

        return settled(called)


def look_at(value, fields):
    """A value by the fields that its upstream shows. Nothing else of it is touched: looking must not change it."""
    SEEN.clear()
    wanted = {name.replace("_", "").lower() for name in fields}
    found = []
    for name in attribute_names(value):
        if name.replace("_", "").lower() in wanted:
            held = getattr(value, name)
            found.append([name, by_text(held) if hasattr(type(held), "__next__") else encode(held, 1)])
    return ["value", ["r", class_path(type(value)), lineage(type(value)), None, found, "named"]]


def settled(call):
    """The outcome of a call, whatever it raises."""
    try:
        return call()
    except NotFound as error:
        return ["crashed", f"{error.code}: {str(error)[:TEXT_CHARS_MAX]}"]
    except Unwritable as error:
        return ["crashed", str(error)]
    except NotMade as error:
        return ["unmade", str(error)]
    except Nothing:
        return ["value", ["u"]]
    except BaseException as error:
        return failure(error)


def outcome_with(result, left):
    """A result, and what is left in the arguments that the upstream changes in place."""
    SEEN.clear()
    outcome = ["value", ["w", encode(result, 0), encode_all(left, 0)]]
    if len(json.dumps(outcome)) <= OUTCOME_CHARS_MAX:
        return outcome
    return ["crashed", "the result is too large"]


def steps(symbol, decoded):
    """What an iterator gives to its end: of the upstream's `next` that is asked too."""
    given = []
    while len(given) < ELEMENTS_MAX:
        try:
            given.append(apply(symbol, decoded))
        except StopIteration:
            break
    return given


def outcome_of(result):
    SEEN.clear()
    outcome = ["value", encode(result, 0)]
    if len(json.dumps(outcome)) <= OUTCOME_CHARS_MAX:
        return outcome
    if outcome[1][0] == "r":
        return ["value", by_text(result)]
    return ["crashed", "the result is too large"]


def apply(function, arguments):
    """Calls with positional arguments, as far as the function takes them, then by keyword in order."""
    if id(function) not in KEYWORDS:
        # The function is kept with its key: ids of things that are gone are given out again.
        KEYWORDS[id(function)] = (function, keywords_of(function))
    split = KEYWORDS[id(function)][1]
    if split is None:
        return function(*arguments)
    positional, names = split
    return function(*arguments[:positional], **dict(zip(names, arguments[positional:])))


KEYWORDS = {}


def keywords_of(function):
    """How many parameters come before the keyword-only ones, and the names of these, where there are any."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    kinds = [parameter.kind for parameter in parameters]
    if inspect.Parameter.KEYWORD_ONLY not in kinds or inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    positional = sum(kind.name.startswith("POSITIONAL") for kind in kinds)
    return positional, [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


def find(path):
    """The object at a dotted path and what contains it. Modules come first: a package may hold a
    function of the same name as one of its modules."""
    segments = path.split(".")
    found = None
    at = 0
    for at in range(1, len(segments)):
        name = ".".join(segments[:at])
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            spec = None
        except BaseException as error:
            raise NotFound("import-error", f"{type(error).__name__}: {error}") from None
        if spec is None:
            at -= 1
            break
        try:
            found = importlib.import_module(name)
        except BaseException as error:
            raise NotFound("import-error", f"{type(error).__name__}: {error}") from None
    if found is None:
        raise NotFound("missing-symbol", f"there is no module `{segments[0]}`")
    owner = found
    for segment in segments[at:]:
        owner = found
        try:
            found = getattr(found, segment)
        except AttributeError:
            raise NotFound("missing-symbol", f"`{segment}` is not in `{getattr(owner, '__name__', owner)}`") from None
    return found, owner


def takes_self(owner, symbol):
    for base in owner.__mro__:
        for value in vars(base).values():
            if value is symbol:
                return isinstance(value, types.FunctionType)
    return False


def failure(error):
    kind = type(error)
    try:
        text = str(error)[:TEXT_CHARS_MAX].encode("utf-8", "replace").decode()
    except BaseException:
        text = ""
    return ["error", kind.__name__, text, manner(error), lineage(kind)]


def manner(error):
    """How an exception came about: see docs/driver-protocol.md."""
    if type(error).__module__ != "builtins":
        return "deliberate"
    if isinstance(error, CRASHES):
        return "crash"
    if isinstance(error, AssertionError) or isinstance(error, SLIPS) and not was_raised(error):
        return "slip"
    return "deliberate"


def was_raised(error):
    """Whether a `raise` made this exception, and not an operation of the language."""
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code.co_code
    return trace.tb_lasti < len(code) and opcode.opname[code[trace.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")


def class_path(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def lineage(kind):
    return [class_path(base) for base in kind.__mro__ if base is not object]


def make(maker, arguments):
    """An argument of one of the port's own classes."""
    try:
        found, _ = find(maker["symbol"])
    except NotFound as error:
        raise NotMade(f"an argument has no maker: {str(error)[:TEXT_CHARS_MAX]}") from None
    if maker["variant"] is not None:
        return variant_of(found, maker["variant"])
    try:
        inspect.signature(found).bind(*arguments)
    except TypeError:
        raise NotMade(f"`{maker['symbol']}` takes other arguments than its upstream") from None
    except ValueError:
        pass
    made = apply(found, arguments)
    if made is None:
        raise Nothing
    return made


def variant_of(owner, name):
    """The member or class below an owner that bears a variant's name, however its words are joined."""
    plain = name.replace("_", "").lower()
    for candidate in dir(owner):
        if candidate.replace("_", "").lower() == plain:
            found = getattr(owner, candidate)
            return found() if isinstance(found, type) else found
    raise NotMade(f"`{getattr(owner, '__name__', owner)}` has nothing named like the variant `{name}`")


def decode(value, makers):
    tag = value[0]
    if tag in ("u", "n"):
        return None
    if tag in ("b", "c", "s"):
        return value[1]
    if tag == "i":
        return int(value[1])
    if tag == "f":
        return struct.unpack(">d", bytes.fromhex(value[1]))[0]
    if tag == "g":
        return struct.unpack(">f", bytes.fromhex(value[1]))[0]
    if tag == "y":
        return bytes.fromhex(value[1])
    if tag in ("o", "k", "e"):
        return decode(value[1], makers)
    if tag == "l":
        return [decode(item, makers) for item in value[1]]
    if tag == "t":
        return tuple(decode(item, makers) for item in value[1])
    if tag == "z":
        return {decode(item, makers) for item in value[1]}
    if tag == "m":
        return {decode(key, makers): decode(item, makers) for key, item in value[1]}
    if tag == "v":
        return make(makers[value[2]], [decode(item, makers) for item in value[1]])
    raise ValueError(f"no value: {tag}")


def encode(value, depth):
    if depth > DEPTH_MAX:
        raise Unwritable("the result is nested too deeply")
    if value is None:
        return ["u"]
    if isinstance(value, enum.Enum):
        # A combination of flags may have no name.
        return ["r", class_path(type(value)), lineage(type(value)), value.name or "", [], "named"]
    if isinstance(value, bool):
        return ["b", bool(value)]
    if isinstance(value, int):
        if int(value).bit_length() > INT_BITS_MAX:
            raise Unwritable("the result is an integer of more than 4096 bits")
        return ["i", int.__str__(value)]
    if isinstance(value, float):
        return ["f", struct.pack(">d", value).hex(), float.__repr__(value)]
    if isinstance(value, str):
        text = str(value)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise Unwritable("the result holds a lone surrogate, which no Rust text can") from None
        return ["s", text]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return ["y", bytes(value).hex()]
    if isinstance(value, tuple) and hasattr(type(value), "_fields"):
        fields = [[str(name), encode(item, depth + 1)] for name, item in zip(type(value)._fields, value)]
        return ["r", class_path(type(value)), lineage(type(value)), None, fields, "positional"]
    if isinstance(value, tuple):
        return ["t", encode_all(value, depth)]
    if isinstance(value, dict):
        entries = list(value.items())[:ELEMENTS_MAX * 10]
        return ["m", [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in entries]]
    if isinstance(value, (set, frozenset)):
        return ["z", sorted(encode_all(value, depth), key=json.dumps)]
    if isinstance(value, list) or hasattr(type(value), "__next__"):
        return ["l", encode_all(value, depth)]
    if type(value).__name__ in ("range", "deque", "array", "dict_keys", "dict_values", "dict_items"):
        return ["l", encode_all(value, depth)]
    return record(value, depth)


# The objects of this outcome that were written field by field.
SEEN = []


def record(value, depth):
    """An object by its attributes and properties; by its text, where there are too many objects."""
    if depth >= DEPTH_MAX or len(SEEN) >= RECORDS_MAX:
        return by_text(value)
    SEEN.append(None)
    fields = []
    for name in attribute_names(value):
        try:
            fields.append([name, encode(getattr(value, name), depth + 1)])
        except Exception:
            # One that cannot be had or written is not there.
            continue
    if hasattr(type(value), "__iter__"):
        try:
            fields.append(["__iter__", ["l", encode_all(iter(value), depth)]])
        except Exception:
            pass
    return ["r", class_path(type(value)), lineage(type(value)), None, fields, "named"]


def attribute_names(value):
    """In the order of their declaration; those of a dataclass first."""
    kind = type(value)
    names = list(getattr(kind, "__dataclass_fields__", ()))
    for base in reversed(kind.__mro__):
        slots = vars(base).get("__slots__", ())
        names.extend([slots] if isinstance(slots, str) else slots)
    names.extend(getattr(value, "__dict__", ()))
    for base in kind.__mro__:
        names.extend(name for name, member in vars(base).items() if isinstance(member, property))
    return [name for name in dict.fromkeys(map(str, names)) if not name.startswith("__")]


def by_text(value):
    try:
        text = repr(value)[:TEXT_CHARS_MAX].encode("utf-8", "replace").decode()
    except Exception:
        text = ""
    return ["d", class_path(type(value)), text]


def encode_all(values, depth):
    """The elements; of an iterator as many as are looked at in the upstream's."""
    is_iterator = hasattr(type(values), "__next__")
    items = []
    for at, item in enumerate(values):
        if is_iterator and at >= ELEMENTS_MAX:
            break
        items.append(encode(item, depth + 1))
    return items


main()
