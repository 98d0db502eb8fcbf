"""Structs, and lists that are changed in place."""

from dataclasses import dataclass


@dataclass
class Spot:
    """A place."""

    x: int
    y: int


def far(x, y):
    return reach(Spot(x, y))


def reach(spot):
    return length(mirrored(spot))


def mirrored(spot):
    if spot.x == -(2**31):
        raise OverflowError("attempt to negate with overflow")
    return Spot(spot.y, -spot.x)


def length(spot):
    return size(spot.x) + 2 * size(spot.y)


def size(number):
    return abs(number)


def tidied(items):
    items = list(items)
    arranged(items)
    return items


def arranged(items):
    clipped(items)
    flipped(items)


def clipped(items):
    for at, item in enumerate(items):
        items[at] = limited(item)


def flipped(items):
    items.reverse()


def limited(item):
    return 50 if item > 50 else item
