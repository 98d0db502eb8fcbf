"""Numbers."""


def total(items):
    return sum(weighed(item) for item in items)


def weighed(item):
    return 0 if item == 0 else scaled(item) + 1


def scaled(item):
    return rounded(item * 3)


def rounded(number):
    return number - number % 10


def climbs(count):
    return walk(count % 12)


def walk(count):
    if count < 2:
        return 1
    return stride(count) + walk(count - 1)


def stride(count):
    return width(count) * 2


def width(count):
    return count % 3 + 1


def mean_of(values):
    return centred(values) if values else 0.0


def centred(values):
    return spread(values) / len(values) if values else float("nan")


def spread(values):
    sum_ = 0.0
    for value in values:
        sum_ += square(value)
    return sum_


def square(value):
    return value * value


def checksum(data):
    return folded(data) % 65521


def folded(data):
    sum_ = 1
    for byte in data:
        sum_ = mixed(sum_, byte)
    return sum_


def mixed(sum_, byte):
    return turned(sum_) ^ byte


def turned(sum_):
    return ((sum_ << 5) | (sum_ >> 27)) & 0xFFFFFFFF


def verdict(number):
    return graded(number % 100 if number >= 0 else -(-number % 100))


def graded(number):
    return f"{band(number)}{mark(number)}"


def band(number):
    return "a" if number < edge(number) else "b"


def mark(number):
    if number == 0:
        return ""
    return "+" if number > 0 else "-"


def edge(number):
    return 10 if number % 2 == 0 else 20
