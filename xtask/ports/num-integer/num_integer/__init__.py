"""Division and divisors of integers: what the Rust crate ``num-integer`` does."""


def div_rem(x: int, y: int) -> tuple[int, int]:
    if y == 0:
        raise ZeroDivisionError("attempt to divide by zero")
    quotient = abs(x) // abs(y)
    if (x < 0) != (y < 0):
        quotient = -quotient
    return quotient, x - quotient * y


def div_floor(x: int, y: int) -> int:
    if y == 0:
        raise ZeroDivisionError("attempt to divide by zero")
    return x // y


def mod_floor(x: int, y: int) -> int:
    if y == 0:
        raise ZeroDivisionError("attempt to calculate the remainder with a divisor of zero")
    return x % y


def div_mod_floor(x: int, y: int) -> tuple[int, int]:
    return div_floor(x, y), mod_floor(x, y)


def div_ceil(x: int, y: int) -> int:
    if y == 0:
        raise ZeroDivisionError("attempt to divide by zero")
    return -(-x // y)


def gcd(x: int, y: int) -> int:
    x, y = abs(x), abs(y)
    while y:
        x, y = y, x % y
    return x


def lcm(x: int, y: int) -> int:
    return gcd_lcm(x, y)[1]


def gcd_lcm(x: int, y: int) -> tuple[int, int]:
    if x == 0 and y == 0:
        return 0, 0
    divisor = gcd(x, y)
    return divisor, abs(x * (y // divisor))


def multiply_and_divide(r: int, a: int, b: int) -> int:
    divisor = gcd(r, b)
    return r // divisor * (a // (b // divisor))


def binomial(n: int, k: int) -> int:
    if k > n:
        return 0
    if k > n - k:
        return binomial(n, n - k)
    r = 1
    d = 1
    while d <= k:
        r = multiply_and_divide(r, n, d)
        n -= 1
        d += 1
    return r


def multinomial(k: list[int]) -> int:
    r = 1
    p = 0
    for i in k:
        p += i
        r *= binomial(p, i)
    return r


def average_floor(x: int, y: int) -> int:
    return (x + y) // 2


def average_ceil(x: int, y: int) -> int:
    return -(-(x + y) // 2)


def sqrt(x: int) -> int:
    if x < 0:
        raise ValueError("an imaginary root")
    return _root(x, 2)


def _root(x: int, n: int) -> int:
    low, high = 0, 1
    while high**n <= x:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        if middle**n <= x:
            low = middle
        else:
            high = middle
    return low


def cbrt(x: int) -> int:
    return -_root(-x, 3) if x < 0 else _root(x, 3)
