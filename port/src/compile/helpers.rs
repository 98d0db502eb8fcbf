//! Small private functions of Python that say what Rust means. A file gets those that its code calls, once.
//!
//! [`text`] gives one, [`needed`] those that it calls itself.

/// A helper: its name and its text.
const HELPERS: &[(&str, &str)] = &[
    (
        "_fit",
        "def _fit(value: int, low: int, high: int) -> int:\n    \"\"\"Return the value, which has to lie between both bounds.\"\"\"\n    if not low <= value <= high:\n        raise OverflowError(f\"{value} does not lie between {low} and {high}\")\n    return value",
    ),
    (
        "_u8",
        "def _u8(value: int) -> int:\n    \"\"\"Return the value, which has to fit into 8 unsigned bits.\"\"\"\n    return _fit(value, 0, 0xFF)",
    ),
    (
        "_u16",
        "def _u16(value: int) -> int:\n    \"\"\"Return the value, which has to fit into 16 unsigned bits.\"\"\"\n    return _fit(value, 0, 0xFFFF)",
    ),
    (
        "_u32",
        "def _u32(value: int) -> int:\n    \"\"\"Return the value, which has to fit into 32 unsigned bits.\"\"\"\n    return _fit(value, 0, 0xFFFF_FFFF)",
    ),
    (
        "_u64",
        "def _u64(value: int) -> int:\n    \"\"\"Return the value, which has to fit into 64 unsigned bits.\"\"\"\n    return _fit(value, 0, 0xFFFF_FFFF_FFFF_FFFF)",
    ),
    (
        "_usize",
        "def _usize(value: int) -> int:\n    \"\"\"Return the value, which has to be a possible size.\"\"\"\n    return _fit(value, 0, 0xFFFF_FFFF_FFFF_FFFF)",
    ),
    (
        "_i8",
        "def _i8(value: int) -> int:\n    \"\"\"Return the value, which has to fit into 8 signed bits.\"\"\"\n    return _fit(value, -0x80, 0x7F)",
    ),
    (
        "_i16",
        "def _i16(value: int) -> int:\n    \"\"\"Return the value, which has to fit into 16 signed bits.\"\"\"\n    return _fit(value, -0x8000, 0x7FFF)",
    ),
    (
        "_i32",
        "def _i32(value: int) -> int:\n    \"\"\"Return the value, which has to fit into 32 signed bits.\"\"\"\n    return _fit(value, -0x8000_0000, 0x7FFF_FFFF)",
    ),
    (
        "_i64",
        "def _i64(value: int) -> int:\n    \"\"\"Return the value, which has to fit into 64 signed bits.\"\"\"\n    return _fit(value, -0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF)",
    ),
    (
        "_isize",
        "def _isize(value: int) -> int:\n    \"\"\"Return the value, which has to be a possible offset.\"\"\"\n    return _fit(value, -0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF)",
    ),
    (
        "_wrap_signed",
        "def _wrap_signed(value: int, bits: int) -> int:\n    \"\"\"Return the signed number that these lowest bits of a value are.\"\"\"\n    value &= (1 << bits) - 1\n    return value - (1 << bits) if value >> (bits - 1) else value",
    ),
    (
        "_checked",
        "def _checked(value: int, low: int, high: int) -> \"int | None\":\n    \"\"\"Return the value where it lies between both bounds, else None.\"\"\"\n    return value if low <= value <= high else None",
    ),
    (
        "_checked_div",
        "def _checked_div(left: int, right: int) -> \"int | None\":\n    \"\"\"Return the quotient, or None for a division by zero.\"\"\"\n    return left // right if right else None",
    ),
    (
        "_checked_rem",
        "def _checked_rem(left: int, right: int) -> \"int | None\":\n    \"\"\"Return the remainder, or None for a division by zero.\"\"\"\n    return left % right if right else None",
    ),
    (
        "_clamp",
        "def _clamp(value: int, low: int, high: int) -> int:\n    \"\"\"Return the number between both bounds that is nearest to the value.\"\"\"\n    if low > high:\n        raise ValueError(\"the bounds are the wrong way round\")\n    return max(low, min(value, high))",
    ),
    (
        "_div",
        "def _div(left: int, right: int) -> int:\n    \"\"\"Divide and round towards zero.\"\"\"\n    quotient = abs(left) // abs(right)\n    return quotient if (left < 0) == (right < 0) else -quotient",
    ),
    (
        "_rem",
        "def _rem(left: int, right: int) -> int:\n    \"\"\"Return the remainder of a division towards zero: it has the sign of the left side.\"\"\"\n    remainder = abs(left) % abs(right)\n    return -remainder if left < 0 else remainder",
    ),
    (
        "_checked_signed_rem",
        "def _checked_signed_rem(left: int, right: int, least: int) -> int:\n    \"\"\"Return the remainder of a division towards zero that must not overflow.\"\"\"\n    if left == least and right == -1:\n        raise OverflowError(\"the quotient is too large\")\n    return _rem(left, right)",
    ),
    (
        "_shift",
        "def _shift(count: int, bits: int) -> int:\n    \"\"\"Return a number of places to shift by, which has to be less than the width.\"\"\"\n    if not 0 <= count < bits:\n        raise OverflowError(f\"{count} is no shift of {bits} bits\")\n    return count",
    ),
    (
        "_pow",
        "def _pow(base: int, exponent: int) -> int:\n    \"\"\"Raise to a power, if the result can be a number of 64 bits.\"\"\"\n    if exponent >= 128 and abs(base) > 1:\n        raise OverflowError(\"the power is too large\")\n    return base ** (exponent if abs(base) > 1 else min(exponent, 2 + exponent % 2))",
    ),
    (
        "_rotate_left",
        "def _rotate_left(value: int, count: int, bits: int) -> int:\n    \"\"\"Rotate the bits of a number to the left.\"\"\"\n    count %= bits\n    return (value << count | value >> (bits - count)) & ((1 << bits) - 1)",
    ),
    (
        "_trailing_zeros",
        "def _trailing_zeros(value: int, bits: int) -> int:\n    \"\"\"Count the zero bits at the end of a number.\"\"\"\n    return (value & -value).bit_length() - 1 if value else bits",
    ),
    (
        "_compare",
        "def _compare(left, right) -> int:\n    \"\"\"Return -1, 0 or 1 as the left side is less, equal or greater.\"\"\"\n    return (left > right) - (left < right)",
    ),
    (
        "_divide",
        "def _divide(left: float, right: float) -> float:\n    \"\"\"Divide as IEEE 754 has it, also by zero.\"\"\"\n    if right != 0.0:\n        return left / right\n    if left == 0.0 or math.isnan(left):\n        return math.nan\n    return math.copysign(math.inf, left) * math.copysign(1.0, right)",
    ),
    (
        "_float_min",
        "def _float_min(left: float, right: float) -> float:\n    \"\"\"Return the lesser number, and the other one where one is NaN.\"\"\"\n    if math.isnan(left):\n        return right\n    return left if math.isnan(right) or left < right else right",
    ),
    (
        "_float_max",
        "def _float_max(left: float, right: float) -> float:\n    \"\"\"Return the greater number, and the other one where one is NaN.\"\"\"\n    if math.isnan(left):\n        return right\n    return left if math.isnan(right) or left > right else right",
    ),
    (
        "_float_to_int",
        "def _float_to_int(value: float, low: int, high: int) -> int:\n    \"\"\"Cut off the fraction; what is out of bounds becomes the bound, NaN zero.\"\"\"\n    if math.isnan(value):\n        return 0\n    if math.isinf(value):\n        return high if value > 0 else low\n    return max(low, min(int(value), high))",
    ),
    (
        "_unwrap",
        "def _unwrap(value):\n    \"\"\"Return a value that has to be there.\"\"\"\n    if value is None:\n        raise ValueError(\"there is no value\")\n    return value",
    ),
    (
        "_char_from",
        "def _char_from(code: int) -> \"str | None\":\n    \"\"\"Return the character of this code point, where it is one.\"\"\"\n    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else None",
    ),
    (
        "_digit_char",
        "def _digit_char(digit: int, radix: int) -> \"str | None\":\n    \"\"\"Return the character of a digit in this radix.\"\"\"\n    if radix > 36:\n        raise ValueError(\"a radix is 36 at most\")\n    return \"0123456789abcdefghijklmnopqrstuvwxyz\"[digit] if digit < radix else None",
    ),
    (
        "_to_digit",
        "def _to_digit(letter: str, radix: int) -> \"int | None\":\n    \"\"\"Return the value of a digit in this radix.\"\"\"\n    if not 2 <= radix <= 36:\n        raise ValueError(\"a radix lies between 2 and 36\")\n    digit = \"0123456789abcdefghijklmnopqrstuvwxyz\".find(letter.lower() if letter.isascii() else \" \")\n    return digit if 0 <= digit < radix else None",
    ),
    (
        "_is_ascii_and",
        "def _is_ascii_and(letter: str, test) -> bool:\n    \"\"\"Whether a character is ASCII and passes a test.\"\"\"\n    return letter.isascii() and test(letter)",
    ),
    (
        "_WHITESPACE",
        "_WHITESPACE = \"\\t\\n\\x0b\\x0c\\r \\x85\\xa0\\u1680\\u2000\\u2001\\u2002\\u2003\\u2004\\u2005\\u2006\\u2007\\u2008\\u2009\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\"",
    ),
    (
        "_is_whitespace",
        "def _is_whitespace(letter: str) -> bool:\n    \"\"\"Whether Unicode calls a character white space.\"\"\"\n    return letter in _WHITESPACE",
    ),
    (
        "_trim",
        "def _trim(text: str) -> str:\n    \"\"\"Return a text without white space around it.\"\"\"\n    return text.strip(_WHITESPACE)",
    ),
    (
        "_trim_start",
        "def _trim_start(text: str) -> str:\n    \"\"\"Return a text without white space before it.\"\"\"\n    return text.lstrip(_WHITESPACE)",
    ),
    (
        "_trim_end",
        "def _trim_end(text: str) -> str:\n    \"\"\"Return a text without white space behind it.\"\"\"\n    return text.rstrip(_WHITESPACE)",
    ),
    (
        "_split_whitespace",
        "def _split_whitespace(text: str) -> \"list[str]\":\n    \"\"\"Return the words of a text, as Unicode's white space parts them.\"\"\"\n    blanks = \"\".join(\" \" if letter in _WHITESPACE else letter for letter in text)\n    return [word for word in blanks.split(\" \") if word]",
    ),
    (
        "_lines",
        "def _lines(text: str) -> \"list[str]\":\n    \"\"\"Return the lines of a text, which end with a line feed and a carriage return before it or none.\"\"\"\n    lines = text.split(\"\\n\")\n    last = lines.pop()\n    return [line.removesuffix(\"\\r\") for line in lines] + ([last] if last else [])",
    ),
    (
        "_ascii_lower",
        "def _ascii_lower(text: str) -> str:\n    \"\"\"Return a text with ASCII letters in lower case.\"\"\"\n    return \"\".join(letter.lower() if letter.isascii() else letter for letter in text)",
    ),
    (
        "_ascii_upper",
        "def _ascii_upper(text: str) -> str:\n    \"\"\"Return a text with ASCII letters in upper case.\"\"\"\n    return \"\".join(letter.upper() if letter.isascii() else letter for letter in text)",
    ),
    (
        "_char_indices",
        "def _char_indices(text: str):\n    \"\"\"Give each character with the number of bytes before it.\"\"\"\n    offset = 0\n    for letter in text:\n        yield offset, letter\n        offset += len(letter.encode())",
    ),
    (
        "_text_slice",
        "def _text_slice(text: str, start: int, stop: \"int | None\" = None) -> str:\n    \"\"\"Return the part between two byte offsets, which have to lie between characters.\"\"\"\n    data = text.encode()\n    stop = len(data) if stop is None else stop\n    if not start <= stop <= len(data):\n        raise IndexError(\"the offsets do not lie in the text\")\n    return data[start:stop].decode()",
    ),
    (
        "_text_get",
        "def _text_get(text: str, start: int, stop: \"int | None\" = None) -> \"str | None\":\n    \"\"\"Return the part between two byte offsets, or None where these do not lie between characters.\"\"\"\n    try:\n        return _text_slice(text, start, stop)\n    except (IndexError, UnicodeDecodeError):\n        return None",
    ),
    (
        "_text_split_at",
        "def _text_split_at(text: str, offset: int) -> \"tuple[str, str]\":\n    \"\"\"Split a text at a byte offset.\"\"\"\n    return _text_slice(text, 0, offset), _text_slice(text, offset)",
    ),
    (
        "_is_boundary",
        "def _is_boundary(text: str, offset: int) -> bool:\n    \"\"\"Whether a byte offset lies between two characters.\"\"\"\n    return _text_get(text, offset) is not None",
    ),
    (
        "_find",
        "def _find(text: str, part: str) -> \"int | None\":\n    \"\"\"Return the byte offset at which a part begins first.\"\"\"\n    at = text.find(part)\n    return None if at < 0 else len(text[:at].encode())",
    ),
    (
        "_rfind",
        "def _rfind(text: str, part: str) -> \"int | None\":\n    \"\"\"Return the byte offset at which a part begins last.\"\"\"\n    at = text.rfind(part)\n    return None if at < 0 else len(text[:at].encode())",
    ),
    (
        "_strip_prefix",
        "def _strip_prefix(text: str, prefix: str) -> \"str | None\":\n    \"\"\"Return what is behind a prefix, or None where the text does not begin with it.\"\"\"\n    return text[len(prefix):] if text.startswith(prefix) else None",
    ),
    (
        "_strip_suffix",
        "def _strip_suffix(text: str, suffix: str) -> \"str | None\":\n    \"\"\"Return what is before a suffix, or None where the text does not end with it.\"\"\"\n    return text[:len(text) - len(suffix)] if text.endswith(suffix) else None",
    ),
    (
        "_split_once",
        "def _split_once(text: str, separator: str) -> \"tuple[str, str] | None\":\n    \"\"\"Split a text at the first separator, where there is one.\"\"\"\n    before, found, after = text.partition(separator)\n    return (before, after) if found else None",
    ),
    (
        "_parse_int",
        "def _parse_int(text: str, low: int, high: int) -> int:\n    \"\"\"Read a number of ASCII digits that lies between both bounds.\"\"\"\n    digits = text[1:] if text[:1] == \"+\" or text[:1] == \"-\" and low < 0 else text\n    if not (digits.isascii() and digits.isdigit() and low <= int(text) <= high):\n        raise ValueError(f\"not a number between {low} and {high}: {text!r}\")\n    return int(text)",
    ),
    (
        "_as_bytes",
        "def _as_bytes(data) -> bytes:\n    \"\"\"Return the bytes of a text, or bytes as they are.\"\"\"\n    return data.encode() if isinstance(data, str) else bytes(data)",
    ),
    (
        "_slice",
        "def _slice(items, start: int, stop: \"int | None\" = None):\n    \"\"\"Return the items between two positions, which have to be there.\"\"\"\n    stop = len(items) if stop is None else stop\n    if not start <= stop <= len(items):\n        raise IndexError(\"the positions do not lie in the sequence\")\n    return items[start:stop]",
    ),
    (
        "_split_at",
        "def _split_at(items, position: int):\n    \"\"\"Split a sequence at a position.\"\"\"\n    return _slice(items, 0, position), _slice(items, position)",
    ),
    (
        "_get",
        "def _get(items, position: int):\n    \"\"\"Return the item at a position, or None where there is none.\"\"\"\n    return items[position] if position < len(items) else None",
    ),
    (
        "_first",
        "def _first(items):\n    \"\"\"Return the first item, or None where there is none.\"\"\"\n    return items[0] if items else None",
    ),
    (
        "_last",
        "def _last(items):\n    \"\"\"Return the last item, or None where there is none.\"\"\"\n    return items[-1] if items else None",
    ),
    (
        "_pop",
        "def _pop(items):\n    \"\"\"Remove and return the last item; None where there is none.\"\"\"\n    return items.pop() if items else None",
    ),
    (
        "_insert",
        "def _insert(items, position: int, item) -> None:\n    \"\"\"Insert an item at a position, which has to be there.\"\"\"\n    if position > len(items):\n        raise IndexError(\"the position does not lie in the sequence\")\n    items.insert(position, item)",
    ),
    (
        "_swap",
        "def _swap(items, one: int, other: int) -> None:\n    \"\"\"Exchange two items.\"\"\"\n    items[one], items[other] = items[other], items[one]",
    ),
    (
        "_starts_with",
        "def _starts_with(items, lead) -> bool:\n    \"\"\"Whether a sequence begins with these items.\"\"\"\n    return items[:len(lead)] == lead",
    ),
    (
        "_ends_with",
        "def _ends_with(items, end) -> bool:\n    \"\"\"Whether a sequence ends with these items.\"\"\"\n    return len(end) <= len(items) and items[len(items) - len(end):] == end",
    ),
    (
        "_windows",
        "def _windows(items, size: int) -> list:\n    \"\"\"Return all runs of this many items.\"\"\"\n    if size == 0:\n        raise ValueError(\"a window has one item at least\")\n    return [items[at:at + size] for at in range(len(items) - size + 1)]",
    ),
    (
        "_chunks",
        "def _chunks(items, size: int) -> list:\n    \"\"\"Return the items in groups of this many; the last one may be shorter.\"\"\"\n    if size == 0:\n        raise ValueError(\"a group has one item at least\")\n    return [items[at:at + size] for at in range(0, len(items), size)]",
    ),
    (
        "_chunks_exact",
        "def _chunks_exact(items, size: int) -> list:\n    \"\"\"Return the items in groups of this many, without those that are left over.\"\"\"\n    if size == 0:\n        raise ValueError(\"a group has one item at least\")\n    return [items[at:at + size] for at in range(0, len(items) - size + 1, size)]",
    ),
    (
        "_map_insert",
        "def _map_insert(values: dict, key, value):\n    \"\"\"Put a value under a key, and return the one that was there.\"\"\"\n    before = values.get(key)\n    values[key] = value\n    return before",
    ),
    (
        "_set_insert",
        "def _set_insert(values: set, value) -> bool:\n    \"\"\"Add a value, and return whether it is new.\"\"\"\n    before = len(values)\n    values.add(value)\n    return len(values) > before",
    ),
];

/// The text of a helper.
pub(super) fn text(name: &str) -> Option<&'static str> {
    HELPERS.iter().find(|(own, _)| *own == name).map(|(_, text)| *text)
}

/// Helpers with those that they call, in the order in which they can be defined, and the modules that they use.
pub(super) fn needed(names: impl IntoIterator<Item = &'static str>) -> (Vec<&'static str>, bool) {
    let mut wanted: Vec<&'static str> = Vec::new();
    let mut open: Vec<&'static str> = names.into_iter().collect();
    while let Some(name) = open.pop() {
        let Some((own, text)) = HELPERS.iter().find(|(own, _)| *own == name) else { continue };
        if wanted.contains(own) {
            continue;
        }
        wanted.push(own);
        open.extend(called(text).filter(|other| other != own));
    }
    // The list above names what is called before what calls it, but for a few.
    wanted.sort_by_key(|name| HELPERS.iter().position(|(own, _)| own == name));
    let math = wanted.iter().any(|name| text(name).is_some_and(|text| text.contains("math.")));
    (wanted, math)
}

/// Other helpers in the text of one.
fn called(text: &'static str) -> impl Iterator<Item = &'static str> {
    let is_name = |letter: char| letter == '_' || letter.is_alphanumeric();
    text.split(move |letter: char| !is_name(letter)).filter(|word| word.starts_with('_') && word.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_bring_what_they_call() {
        assert_eq!(needed(["_u8"]).0, ["_fit", "_u8"]);
        assert_eq!(needed(["_is_boundary"]).0, ["_text_slice", "_text_get", "_is_boundary"]);
        assert_eq!(needed(["_trim", "_no_such_helper"]).0, ["_WHITESPACE", "_trim"]);
        assert!(needed(["_divide"]).1);
    }
}
