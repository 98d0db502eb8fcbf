"""Words of a POSIX shell: what the Rust crate ``shlex`` does."""

from typing import Optional


class QuoteError(ValueError):
    """A text cannot be quoted."""


BLANKS = " \t\n"
PLAIN = "+-./:@]_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def split(in_str: str) -> Optional[list[str]]:
    words = []
    at = 0
    while True:
        at = _skip(in_str, at)
        if at >= len(in_str):
            return words
        word, at = _word(in_str, at)
        if word is None:
            return None
        words.append(word)


def _skip(text: str, at: int) -> int:
    while at < len(text):
        c = text[at]
        if c == "#":
            while at < len(text) and text[at] != "\n":
                at += 1
        elif c not in BLANKS:
            break
        at += 1
    return at


def _word(text: str, at: int) -> tuple[Optional[str], int]:
    out = []
    while at < len(text):
        c = text[at]
        at += 1
        if c in BLANKS:
            break
        if c == '"':
            at = _double(text, at, out)
            if at < 0:
                return None, at
        elif c == "'":
            end = text.find("'", at)
            if end < 0:
                return None, at
            out.append(text[at:end])
            at = end + 1
        elif c == "\\":
            if at >= len(text):
                return None, at
            if text[at] != "\n":
                out.append(text[at])
            at += 1
        else:
            out.append(c)
    return "".join(out), at


def _double(text: str, at: int, out: list[str]) -> int:
    while at < len(text):
        c = text[at]
        at += 1
        if c == '"':
            return at
        if c != "\\":
            out.append(c)
            continue
        if at >= len(text):
            return -1
        following = text[at]
        at += 1
        if following in '$`"\\':
            out.append(following)
        elif following != "\n":
            out.append("\\" + following)
    return -1


def try_quote(in_str: str) -> str:
    if "\0" in in_str:
        raise QuoteError("a nul byte cannot be quoted")
    return _quoted(in_str)


def quote(in_str: str) -> str:
    return _quoted(in_str)


def _quoted(text: str) -> str:
    if not text:
        return "''"
    out = []
    while text:
        length, style = _strategy(text)
        chunk = text[:length]
        text = text[length:]
        if style == "plain":
            out.append(chunk)
        elif style == "single":
            out.append("'" + chunk + "'")
        else:
            escaped = "".join("\\" + c if c in '$`"\\' else c for c in chunk)
            out.append('"' + escaped + '"')
    return "".join(out)


def _strategy(text: str) -> tuple[int, str]:
    plain = single = double = True
    i = 0
    if text[0] == "^":
        plain = double = False
        i = 1
    while i < len(text):
        c = text[i]
        now_plain = plain and c in PLAIN
        now_single = single and c not in "'^\\"
        now_double = double and c not in "`$!^"
        if not now_plain and not now_single and not now_double:
            break
        plain, single, double = now_plain, now_single, now_double
        i += 1
    if plain:
        return i, "plain"
    return i, "single" if single else "double"


def join(words: list[str]) -> str:
    return " ".join(quote(word) for word in words)


def try_join(words: list[str]) -> str:
    return " ".join(try_quote(word) for word in words)
