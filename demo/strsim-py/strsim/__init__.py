"""String similarity metrics: a Python port of the Rust crate ``strsim``."""


class StrSimError(ValueError):
    """What a metric raises for arguments that it cannot compare."""


class DifferentLengthArgs(StrSimError):
    """The arguments have different lengths."""


def hamming(a: str, b: str) -> int:
    """Count the positions at which the characters of two strings differ.

    Raises DifferentLengthArgs if the strings have different lengths.
    """
    if len(a) != len(b):
        raise DifferentLengthArgs
    return sum(x != y for x, y in zip(a, b))


def jaro(a: str, b: str) -> float:
    """Return the Jaro similarity of two strings, from 0.0 (nothing alike) to 1.0 (the same)."""
    if a == b:
        return 1.0
    a_len, b_len = len(a), len(b)
    # Lengths of one would make the search range negative.
    if a_len == 0 or b_len == 0 or (a_len == 1 and b_len == 1):
        return 0.0

    search_range = max(a_len, b_len) // 2 - 1
    b_consumed = [False] * b_len
    matches = 0.0
    transpositions = 0.0
    b_match_index = 0

    for i, a_char in enumerate(a):
        min_bound = max(0, i - search_range)
        max_bound = min(b_len - 1, i + search_range)
        for j in range(min_bound, max_bound + 1):
            if a_char == b[j] and not b_consumed[j]:
                b_consumed[j] = True
                matches += 1.0
                if j < b_match_index:
                    transpositions += 1.0
                b_match_index = j
                break

    if matches == 0.0:
        return 0.0
    return (1.0 / 3.0) * (
        matches / a_len + matches / b_len + (matches - transpositions) / matches
    )


def jaro_winkler(a: str, b: str) -> float:
    """Return the Jaro similarity of two strings, raised for a common prefix."""
    similarity = jaro(a, b)
    prefix_length = 0
    for x, y in zip(a, b):
        if x != y:
            break
        prefix_length += 1
    return min(similarity + 0.1 * prefix_length * (1.0 - similarity), 1.0)


def levenshtein(a: str, b: str) -> int:
    """Count the insertions, deletions and substitutions that turn one string into the other."""
    if a == b:
        return 0
    if not a:
        return len(b)
    if not b:
        return len(a)

    cache = list(range(1, len(b) + 1))
    result = 0
    for i, a_char in enumerate(a):
        result = i
        distance_b = i
        for j, b_char in enumerate(b):
            distance_a = distance_b + (a_char != b_char)
            distance_b = cache[j]
            result = min(result + 1, distance_a, distance_b + 1)
            cache[j] = result
    return result


def normalized_levenshtein(a: str, b: str) -> float:
    """Return the Levenshtein distance as a similarity: 1.0 means that the strings are the same."""
    if not a and not b:
        return 1.0
    return 1.0 - levenshtein(a, b) / max(len(a), len(b))


def osa_distance(a: str, b: str) -> int:
    """Count edits like Levenshtein, with swaps of neighbours; each substring is edited once."""
    if a == b:
        return 0
    if not a:
        return len(b)
    if not b:
        return len(a)

    two_rows_up = list(range(len(b) + 1))
    row_above = list(range(len(b) + 1))
    row = [0] * (len(b) + 1)
    for i, a_char in enumerate(a):
        row[0] = i + 1
        for j, b_char in enumerate(b):
            row[j + 1] = min(row[j] + 1, row_above[j + 1] + 1, row_above[j] + (a_char != b_char))
            if i > 0 and j > 0 and a_char != b_char and a_char == b[j - 1] and b_char == a[i - 1]:
                row[j + 1] = min(row[j + 1], two_rows_up[j - 1] + 1)
        two_rows_up = row_above[:]
        row_above = row[:]
    return row[-1]


def damerau_levenshtein(a: str, b: str) -> int:
    """Count edits like Levenshtein, with swaps of neighbours, however often a substring is edited."""
    if a == b:
        return 0
    a_len, b_len = len(a), len(b)
    if a_len == 0:
        return b_len
    if b_len == 0:
        return a_len

    max_distance = a_len + b_len
    distances = [[0] * (b_len + 2) for _ in range(a_len + 2)]
    distances[0][0] = max_distance
    for i in range(a_len + 1):
        distances[i + 1][0] = max_distance
        distances[i + 1][1] = i
    for j in range(b_len + 1):
        distances[0][j + 1] = max_distance
        distances[1][j + 1] = j

    last_row: dict[str, int] = {}
    for i in range(1, a_len + 1):
        last_match = 0
        for j in range(1, b_len + 1):
            k = last_row.get(b[j - 1], 0)
            column = last_match
            cost = 1
            if a[i - 1] == b[j - 1]:
                cost = 0
                last_match = j
            distances[i + 1][j + 1] = min(
                distances[i][j] + cost,
                distances[i][j + 1] + 1,
                distances[i + 1][j] + 1,
                distances[k][column] + (i - k - 1) + 1 + (j - column - 1),
            )
        last_row[a[i - 1]] = i
    return distances[a_len + 1][b_len + 1]


def normalized_damerau_levenshtein(a: str, b: str) -> float:
    """Return the Damerau-Levenshtein distance as a similarity: 1.0 means the same."""
    if not a and not b:
        return 1.0
    return 1.0 - damerau_levenshtein(a, b) / max(len(a), len(b))
