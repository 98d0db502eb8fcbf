"""Natural order: what the Rust crate ``natord`` does."""

from typing import Optional


def _digit(c: Optional[str]) -> Optional[int]:
    return ord(c) - 48 if c is not None and "0" <= c <= "9" else None


def _is_blank(c: Optional[str]) -> bool:
    return c is not None and c.isspace() and not "\x1c" <= c <= "\x1f"


def _cmp(a, b) -> int:
    return (a > b) - (a < b)


def _at(text: str, at: int) -> Optional[str]:
    return text[at] if at < len(text) else None


def compare(left: str, right: str) -> int:
    return _compare(left, right)


def compare_ignore_case(left: str, right: str) -> int:
    return _compare(_lower(left), _lower(right))


def _lower(text: str) -> str:
    # One by one: a text as a whole ends words in another sigma.
    return "".join(map(str.lower, text))


def _compare(left: str, right: str) -> int:
    i = j = 0
    while True:
        while _is_blank(_at(left, i)):
            i += 1
        while _is_blank(_at(right, j)):
            j += 1
        a, b = _at(left, i), _at(right, j)
        if a is None or b is None:
            return (a is not None) - (b is not None)
        x, y = _digit(a), _digit(b)
        if x is None or y is None:
            order = _cmp(a, b)
            if order != 0:
                return order
            i += 1
            j += 1
            continue
        is_fraction = x == 0 or y == 0
        order = _cmp(x, y)
        if is_fraction and order != 0:
            return order
        while True:
            i += 1
            j += 1
            x, y = _digit(_at(left, i)), _digit(_at(right, j))
            if x is None or y is None:
                break
            if order == 0:
                order = _cmp(x, y)
                if is_fraction and order != 0:
                    return order
        if x is not None:
            return 1
        if y is not None:
            return -1
        if order != 0:
            return order
