"""Bytes as hexadecimal text: what the Rust crate ``hex`` does."""

DIGITS_LOWER = "0123456789abcdef"
DIGITS_UPPER = "0123456789ABCDEF"


class FromHexError(ValueError):
    """A text is not the hexadecimal form of bytes."""


def _to_text(data: bytes, digits: str) -> str:
    out = []
    for byte in data:
        out.append(digits[byte >> 4])
        out.append(digits[byte & 0x0F])
    return "".join(out)


def encode(data: bytes) -> str:
    return _to_text(data, DIGITS_LOWER)


def encode_upper(data: bytes) -> str:
    return _to_text(data, DIGITS_UPPER)


def val(c: int, idx: int) -> int:
    if 65 <= c <= 70:
        return c - 65 + 10
    if 97 <= c <= 102:
        return c - 97 + 10
    if 48 <= c <= 57:
        return c - 48
    raise FromHexError(f"{chr(c)!r} at {idx}")


def decode(data: bytes) -> bytes:
    if len(data) % 2 != 0:
        raise FromHexError("odd number of digits")
    out = bytearray()
    for at in range(0, len(data), 2):
        high = val(data[at], at)
        low = val(data[at + 1], at + 1)
        out.append(high << 4 | low)
    return bytes(out)
