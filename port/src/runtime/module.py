"""What Rust does with numbers and panics, for code that was translated from it.

Numbers are plain ``int`` and ``float``. What depends on a width takes the Rust type as
its last argument: ``wrapping_add(a, b, U32)``. Where Rust panics, ``Panic`` is raised.
Arguments are taken to be values of their type already; ``fit`` holds a value to a type.
"""

import math
import struct
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")


class Panic(BaseException):
    """A panic of Rust: a bug or a broken assumption, and no error to go on with.

    Like ``KeyboardInterrupt`` it passes by ``except Exception``, so that code which
    handles errors does not hide it.
    """


class IntType(NamedTuple):
    """An integer type of Rust."""

    name: str
    bits: int
    signed: bool
    low: int
    high: int
    mask: int


def _int_type(name: str, bits: int, *, signed: bool) -> IntType:
    low = -(1 << (bits - 1)) if signed else 0
    mask = (1 << bits) - 1
    return IntType(name, bits, signed, low, low + mask, mask)


I8 = _int_type("i8", 8, signed=True)
I16 = _int_type("i16", 16, signed=True)
I32 = _int_type("i32", 32, signed=True)
I64 = _int_type("i64", 64, signed=True)
I128 = _int_type("i128", 128, signed=True)
ISIZE = _int_type("isize", 64, signed=True)
U8 = _int_type("u8", 8, signed=False)
U16 = _int_type("u16", 16, signed=False)
U32 = _int_type("u32", 32, signed=False)
U64 = _int_type("u64", 64, signed=False)
U128 = _int_type("u128", 128, signed=False)
USIZE = _int_type("usize", 64, signed=False)


# Any integer, brought into a type.


def fit(value: int, ty: IntType) -> int:
    """Return the value; panic where the type cannot hold it: ``fit(a + b, U32)``."""
    if ty.low <= value <= ty.high:
        return value
    raise Panic(f"attempt to make {value} a number of type {ty.name}: overflow")


def wrap(value: int, ty: IntType) -> int:
    """Return the value modulo the width, as ``as`` between integer types does."""
    value &= ty.mask
    return value - ty.mask - 1 if value > ty.high else value


def saturate(value: int, ty: IntType) -> int:
    """Return the number of the type that is nearest to the value."""
    return max(ty.low, min(value, ty.high))


def try_fit(value: int, ty: IntType) -> int | None:
    """Return the value, or None where the type cannot hold it, as ``try_from`` does."""
    return value if ty.low <= value <= ty.high else None


# Operators that do not mean in Python what they mean in Rust.


def div(left: int, right: int, ty: IntType) -> int:
    """Return ``left / right``: towards zero; panic for zero and for MIN / -1."""
    if right == 0:
        raise Panic("attempt to divide by zero")
    return fit(_quotient(left, right), ty)


def rem(left: int, right: int, ty: IntType) -> int:
    """Return ``left % right``: the sign of the left side; panic as ``div`` does."""
    return left - div(left, right, ty) * right


def div_euclid(left: int, right: int, ty: IntType) -> int:
    """Divide so that the remainder is never negative; panic as ``div`` does."""
    if right == 0:
        raise Panic("attempt to divide by zero")
    return fit(left // right if right > 0 else -(left // -right), ty)


def rem_euclid(left: int, right: int, ty: IntType) -> int:
    """Return the remainder that is never negative; panic as ``div`` does."""
    return left - div_euclid(left, right, ty) * right


def shl(value: int, count: int, ty: IntType) -> int:
    """Return ``value << count``: bits leave the type; panic from its width on."""
    return wrap(value << _places(count, ty, "left"), ty)


def shr(value: int, count: int, ty: IntType) -> int:
    """Return ``value >> count``; panic from the width of the type on."""
    return value >> _places(count, ty, "right")


def bit_not(value: int, ty: IntType) -> int:
    """Return ``!value``: all bits of the type the other way round."""
    return ~value if ty.signed else value ^ ty.mask


def power(base: int, exponent: int, ty: IntType) -> int:
    """Return ``base.pow(exponent)``, and panic where it overflows."""
    found = checked_pow(base, exponent, ty)
    if found is None:
        raise Panic("attempt to multiply with overflow")
    return found


# Methods that wrap.


def wrapping_add(left: int, right: int, ty: IntType) -> int:
    """Add, modulo the width."""
    return wrap(left + right, ty)


def wrapping_sub(left: int, right: int, ty: IntType) -> int:
    """Subtract, modulo the width."""
    return wrap(left - right, ty)


def wrapping_mul(left: int, right: int, ty: IntType) -> int:
    """Multiply, modulo the width."""
    return wrap(left * right, ty)


def wrapping_div(left: int, right: int, ty: IntType) -> int:
    """Divide towards zero, and MIN by -1 to MIN; panic for zero."""
    if right == 0:
        raise Panic("attempt to divide by zero")
    return wrap(_quotient(left, right), ty)


def wrapping_rem(left: int, right: int, ty: IntType) -> int:
    """Return the remainder of a division towards zero; panic for zero."""
    if right == 0:
        raise Panic("attempt to calculate the remainder with a divisor of zero")
    return wrap(left - _quotient(left, right) * right, ty)


def wrapping_neg(value: int, ty: IntType) -> int:
    """Negate, modulo the width."""
    return wrap(-value, ty)


def wrapping_abs(value: int, ty: IntType) -> int:
    """Return the absolute value, and MIN of MIN."""
    return wrap(abs(value), ty)


def wrapping_pow(base: int, exponent: int, ty: IntType) -> int:
    """Raise to a power, modulo the width."""
    return wrap(pow(base, exponent, ty.mask + 1), ty)


def wrapping_shl(value: int, count: int, ty: IntType) -> int:
    """Shift to the left by the count modulo the width."""
    return wrap(value << (count % ty.bits), ty)


def wrapping_shr(value: int, count: int, ty: IntType) -> int:
    """Shift to the right by the count modulo the width."""
    return value >> (count % ty.bits)


# Methods that give None where there is no result.


def checked_add(left: int, right: int, ty: IntType) -> int | None:
    """Add, or return None where that overflows."""
    return try_fit(left + right, ty)


def checked_sub(left: int, right: int, ty: IntType) -> int | None:
    """Subtract, or return None where that overflows."""
    return try_fit(left - right, ty)


def checked_mul(left: int, right: int, ty: IntType) -> int | None:
    """Multiply, or return None where that overflows."""
    return try_fit(left * right, ty)


def checked_div(left: int, right: int, ty: IntType) -> int | None:
    """Divide towards zero, or return None for zero and for MIN by -1."""
    return None if right == 0 else try_fit(_quotient(left, right), ty)


def checked_rem(left: int, right: int, ty: IntType) -> int | None:
    """Return the remainder, or None for zero and for MIN by -1."""
    quotient = checked_div(left, right, ty)
    return None if quotient is None else left - quotient * right


def checked_neg(value: int, ty: IntType) -> int | None:
    """Negate, or return None where that overflows."""
    return try_fit(-value, ty)


def checked_abs(value: int, ty: IntType) -> int | None:
    """Return the absolute value, or None for MIN."""
    return try_fit(abs(value), ty)


def checked_pow(base: int, exponent: int, ty: IntType) -> int | None:
    """Raise to a power, or return None where that overflows."""
    if exponent >= ty.bits and abs(base) > 1:
        return None
    return try_fit(base**exponent, ty)


def checked_shl(value: int, count: int, ty: IntType) -> int | None:
    """Shift to the left, or return None from the width of the type on."""
    return wrap(value << count, ty) if count < ty.bits else None


def checked_shr(value: int, count: int, ty: IntType) -> int | None:
    """Shift to the right, or return None from the width of the type on."""
    return value >> count if count < ty.bits else None


# Methods that stop at the limits.


def saturating_add(left: int, right: int, ty: IntType) -> int:
    """Add, and stop at the limits of the type."""
    return saturate(left + right, ty)


def saturating_sub(left: int, right: int, ty: IntType) -> int:
    """Subtract, and stop at the limits of the type."""
    return saturate(left - right, ty)


def saturating_mul(left: int, right: int, ty: IntType) -> int:
    """Multiply, and stop at the limits of the type."""
    return saturate(left * right, ty)


def saturating_pow(base: int, exponent: int, ty: IntType) -> int:
    """Raise to a power, and stop at the limits of the type."""
    found = checked_pow(base, exponent, ty)
    if found is not None:
        return found
    return ty.low if base < 0 and exponent % 2 == 1 else ty.high


# Methods that wrap and tell whether they did.


def overflowing_add(left: int, right: int, ty: IntType) -> tuple[int, bool]:
    """Add modulo the width, and tell whether that overflowed."""
    return _overflowing(left + right, ty)


def overflowing_sub(left: int, right: int, ty: IntType) -> tuple[int, bool]:
    """Subtract modulo the width, and tell whether that overflowed."""
    return _overflowing(left - right, ty)


def overflowing_mul(left: int, right: int, ty: IntType) -> tuple[int, bool]:
    """Multiply modulo the width, and tell whether that overflowed."""
    return _overflowing(left * right, ty)


def overflowing_neg(value: int, ty: IntType) -> tuple[int, bool]:
    """Negate modulo the width, and tell whether that overflowed."""
    return _overflowing(-value, ty)


# The bits of a number.


def count_ones(value: int, ty: IntType) -> int:
    """Count the bits that are one."""
    return (value & ty.mask).bit_count()


def count_zeros(value: int, ty: IntType) -> int:
    """Count the bits that are zero."""
    return ty.bits - count_ones(value, ty)


def leading_zeros(value: int, ty: IntType) -> int:
    """Count the zeros before the first one."""
    return ty.bits - (value & ty.mask).bit_length()


def leading_ones(value: int, ty: IntType) -> int:
    """Count the ones before the first zero."""
    return leading_zeros(~value, ty)


def trailing_zeros(value: int, ty: IntType) -> int:
    """Count the zeros behind the last one."""
    return (value & -value).bit_length() - 1 if value else ty.bits


def trailing_ones(value: int, ty: IntType) -> int:
    """Count the ones behind the last zero."""
    return trailing_zeros(~value, ty)


def rotate_left(value: int, count: int, ty: IntType) -> int:
    """Rotate the bits to the left."""
    value, count = value & ty.mask, count % ty.bits
    return wrap((value << count) | (value >> (ty.bits - count)), ty)


def rotate_right(value: int, count: int, ty: IntType) -> int:
    """Rotate the bits to the right."""
    return rotate_left(value, -count, ty)


def swap_bytes(value: int, ty: IntType) -> int:
    """Turn the order of the bytes round."""
    data = (value & ty.mask).to_bytes(ty.bits // 8, "little")
    return int.from_bytes(data, "big", signed=ty.signed)


def reverse_bits(value: int, ty: IntType) -> int:
    """Turn the order of the bits round."""
    return wrap(int(f"{value & ty.mask:0{ty.bits}b}"[::-1], 2), ty)


# Floats, and what `as` makes of them and to them.


def f32(value: float) -> float:
    """Round to single precision: ``f32(a * b)`` is the product of two f32."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def int_as_f32(value: int) -> float:
    """Return ``value as f32``, rounded once; ``f32(float(value))`` may round twice."""
    lost = abs(value).bit_length() - 24
    if lost > 0:
        kept, rest = divmod(abs(value), 1 << lost)
        half = 1 << (lost - 1)
        kept += rest > half or (rest == half and kept % 2 == 1)
        value = kept << lost if value > 0 else -(kept << lost)
    return f32(float(value))


def float_as_int(value: float, ty: IntType) -> int:
    """Return ``value as`` an integer: cut towards zero, at the limits, 0 for NaN."""
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return ty.high if value > 0 else ty.low
    return saturate(int(value), ty)


def float_div(left: float, right: float) -> float:
    """Divide, also by zero: that gives an infinity or NaN."""
    if right != 0.0:
        return left / right
    if left == 0.0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def float_rem(left: float, right: float) -> float:
    """Return ``left % right``: the sign of the left side, NaN where there is none."""
    if math.isinf(left) or right == 0.0:
        return math.nan
    return math.fmod(left, right)


def float_round(value: float) -> float:
    """Round to an integer, and halves away from zero."""
    if not math.isfinite(value):
        return value
    whole = math.trunc(value)
    away = abs(value - whole) >= 0.5
    return math.copysign(float(abs(whole) + away), value)


def float_sqrt(value: float) -> float:
    """Return the square root, and NaN of a negative number."""
    return math.nan if value < 0.0 else math.sqrt(value)


def float_min(left: float, right: float) -> float:
    """Return the lesser number, and the other one where one is NaN."""
    if math.isnan(left):
        return right
    return left if math.isnan(right) or left < right else right


def float_max(left: float, right: float) -> float:
    """Return the greater number, and the other one where one is NaN."""
    if math.isnan(left):
        return right
    return left if math.isnan(right) or left > right else right


# Characters and options.


def char_from_u32(code: int) -> str | None:
    """Return the character of a code point, or None where it is none."""
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else None


def unwrap(value: _T | None, message: str = "there is no value") -> _T:
    """Return a value that has to be there; panic with the message where it is None."""
    if value is None:
        raise Panic(message)
    return value


def _quotient(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _places(count: int, ty: IntType, side: str) -> int:
    if 0 <= count < ty.bits:
        return count
    raise Panic(f"attempt to shift {side} with overflow")


def _overflowing(value: int, ty: IntType) -> tuple[int, bool]:
    wrapped = wrap(value, ty)
    return wrapped, wrapped != value
