"""Check digits by Luhn's rule: what the Rust crate ``luhn`` does."""


def digits(string: str) -> list[int]:
    return [ord(c) - 48 for c in string if "0" <= c <= "9"]


def valid(pan: str) -> bool:
    numbers = digits(pan)
    if not numbers:
        return False
    total = 0
    is_odd = True
    for digit in reversed(numbers):
        value = digit if is_odd else digit // 5 + (2 * digit) % 10
        total = (total + value) % 10
        is_odd = not is_odd
    return total == 0


def _decimal(number: int) -> list[int]:
    return [ord(c) - 48 for c in str(number)]


def _code(byte: int) -> int:
    if 48 <= byte <= 57:
        return byte - 48
    if 65 <= byte <= 90:
        return byte - 65 + 10
    raise ValueError(f"not alphanumeric: {byte}")


def checksum(input: bytes) -> int:
    ds = []
    for byte in input:
        ds.extend(_decimal(_code(byte)))
    ds.reverse()
    total = 0
    for at, digit in enumerate(ds):
        if at % 2 == 1:
            total += digit
        else:
            total += sum(_decimal(digit * 2))
    if total > 255:
        raise OverflowError("attempt to add with overflow")
    return (10 - total % 10) % 10 + 48
