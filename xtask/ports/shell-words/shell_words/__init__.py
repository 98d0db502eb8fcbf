"""Splitting and quoting of command lines: what the Rust crate ``shell-words`` does."""


class ParseError(ValueError):
    """A quote is not closed."""


BLANKS = " \t\n"
SPECIAL = "|&;<>()$`\\\" \t*?[#˜=%"


def split(s: str) -> list[str]:
    words = []
    word = []
    state = "delimiter"
    for c in s:
        if state == "delimiter":
            if c == "'":
                state = "single"
            elif c == '"':
                state = "double"
            elif c == "\\":
                state = "backslash"
            elif c in BLANKS:
                state = "delimiter"
            elif c == "#":
                state = "comment"
            else:
                word.append(c)
                state = "unquoted"
        elif state == "backslash":
            if c == "\n":
                state = "delimiter"
            else:
                word.append(c)
                state = "unquoted"
        elif state == "unquoted":
            if c == "'":
                state = "single"
            elif c == '"':
                state = "double"
            elif c == "\\":
                state = "unquoted backslash"
            elif c in BLANKS:
                words.append("".join(word))
                word = []
                state = "delimiter"
            else:
                word.append(c)
        elif state == "unquoted backslash":
            if c != "\n":
                word.append(c)
            state = "unquoted"
        elif state == "single":
            if c == "'":
                state = "unquoted"
            else:
                word.append(c)
        elif state == "double":
            if c == '"':
                state = "unquoted"
            elif c == "\\":
                state = "double backslash"
            else:
                word.append(c)
        elif state == "double backslash":
            if c in '$`"\\':
                word.append(c)
            elif c != "\n":
                word.append("\\")
                word.append(c)
            state = "double"
        elif c == "\n":
            state = "delimiter"
    if state in ("single", "double", "double backslash"):
        raise ParseError("missing closing quote")
    if state in ("backslash", "unquoted backslash"):
        word.append("\\")
    if state in ("backslash", "unquoted", "unquoted backslash"):
        words.append("".join(word))
    return words


def quote(s: str) -> str:
    if not s:
        return "''"
    newline = "\n" in s
    single = "'" in s
    if not newline and not single and not any(c in SPECIAL for c in s):
        return s
    if newline and not single:
        return "'" + s + "'"
    return "'" + s.replace("'", "'\\''") + "'"


def join(words: list[str]) -> str:
    return " ".join(quote(word) for word in words)
