"""Roman numerals: what the Rust crate ``roman`` does."""

from typing import Optional

MAX = 3999
MAX_LEN = 15
VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
PAIRS = [
    ("M", 1000),
    ("CM", 900),
    ("D", 500),
    ("CD", 400),
    ("C", 100),
    ("XC", 90),
    ("L", 50),
    ("XL", 40),
    ("X", 10),
    ("IX", 9),
    ("V", 5),
    ("IV", 4),
    ("I", 1),
]


def to(n: int) -> Optional[str]:
    if n <= 0 or n > MAX:
        return None
    out = ""
    for name, value in PAIRS:
        while n >= value:
            n -= value
            out += name
    return out


def to_lower(n: int) -> Optional[str]:
    text = to(n)
    return None if text is None else text.lower()


def from_(txt: str) -> Optional[int]:
    n = from_lax(txt)
    if n is None:
        return None
    return n if to(n) == txt else None


def from_lower(txt: str) -> Optional[int]:
    n = from_lax(txt)
    if n is None:
        return None
    return n if to_lower(n) == txt else None


def from_lax(txt: str) -> Optional[int]:
    if len(txt.encode()) > MAX_LEN:
        return None
    n = 0
    most = 0
    for c in reversed(txt):
        if not c.isascii():
            return None
        value = VALUES.get(c.upper())
        if value is None:
            return None
        if value < most:
            n -= value
        else:
            n += value
            most = value
    return n
