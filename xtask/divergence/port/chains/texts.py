"""Texts."""


class Bad(Exception):
    """What is wrong with a text."""


def slug(text):
    return joined(text)


def joined(text):
    return "-".join(words(text))


def words(text):
    return [word for word in map(cleaned, text.split(" ")) if word]


def cleaned(word):
    return "".join(char for char in word if is_kept(char)).lower()


def is_kept(char):
    return char.isascii() and char.isalnum()


def read_sum(text):
    found = pair(text)
    if found is None:
        return None
    one, other = found
    return one + other


def pair(text):
    found = halves(text)
    if found is None:
        return None
    one = number(found[0])
    if one is None:
        return None
    other = number(found[1])
    if other is None:
        return None
    return one, other


def halves(text):
    data = text.encode()
    at = len(data) // 2
    try:
        return data[:at].decode(), data[at:].decode()
    except UnicodeDecodeError:
        return None


def number(text):
    sum_ = 0
    for char in text[:8]:
        value = digit(char)
        if value is None:
            return None
        sum_ = sum_ * 3 + value
    return sum_


def digit(char):
    return ord(char) % 3 if char.isascii() else None


def checked(text):
    return validated(text) + 1


def validated(text):
    return header(text) * 2


def header(text):
    if not text:
        raise Bad
    return weight(text[0])


def weight(char):
    return 7 if char in "0123456789" else ord(char) % 5


def tallied(text):
    return sorted(counted(text).items())


def counted(text):
    counts = {}
    for char in text:
        counts[key(char)] = counts.get(key(char), 0) + 1
    return counts


def key(char):
    return lowered(char) if char.isascii() else "?"


def lowered(char):
    return char.lower() if char.isascii() else char
