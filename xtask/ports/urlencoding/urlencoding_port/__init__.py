"""Percent-encoding: what the Rust crate ``urlencoding`` does."""

from typing import Optional

UNRESERVED = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~"


def encode(data: str) -> str:
    return encode_binary(data.encode())


def encode_binary(data: bytes) -> str:
    out = []
    for byte in data:
        if byte in UNRESERVED:
            out.append(chr(byte))
        else:
            out.append("%" + to_hex_digit(byte >> 4) + to_hex_digit(byte & 15))
    return "".join(out)


def to_hex_digit(digit: int) -> str:
    return chr(48 + digit) if digit < 10 else chr(55 + digit)


def from_hex_digit(digit: int) -> Optional[int]:
    if 48 <= digit <= 57:
        return digit - 48
    if 65 <= digit <= 70:
        return digit - 65 + 10
    if 97 <= digit <= 102:
        return digit - 97 + 10
    return None


def decode(data: str) -> str:
    return decode_binary(data.encode()).decode("utf-8")


def decode_binary(data: bytes) -> bytes:
    out = bytearray()
    at = 0
    while at < len(data):
        byte = data[at]
        at += 1
        if byte != 37 or at + 2 > len(data):
            out.append(byte)
            continue
        first = from_hex_digit(data[at])
        if first is None:
            out.append(byte)
            continue
        second = from_hex_digit(data[at + 1])
        if second is None:
            out.append(byte)
            out.append(data[at])
            at += 1
            continue
        out.append(first << 4 | second)
        at += 2
    return bytes(out)
