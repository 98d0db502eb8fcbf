"""A hash: what the reference version in the Rust crate ``seahash`` does."""

MASK = 0xFFFFFFFFFFFFFFFF
PRIME = 0x6EED0E9DA4D94A4F


def read_int(int: bytes) -> int:
    x = 0
    for byte in reversed(int):
        x = (x << 8) & MASK
        x |= byte
    return x


def diffuse(x: int) -> int:
    x = (x * PRIME) & MASK
    a = x >> 32
    b = x >> 60
    x ^= a >> b
    return (x * PRIME) & MASK


def undiffuse(x: int) -> int:
    x = (x * 0x2F72B4215A3D8CAF) & MASK
    a = x >> 32
    b = x >> 60
    x ^= a >> b
    return (x * 0x2F72B4215A3D8CAF) & MASK


def hash(buf: bytes) -> int:
    return hash_seeded(
        buf, 0x16F11FE89B0D677C, 0xB480A793D8E6C86C, 0x6FE2E5AAF078EBC9, 0x14F994A4C5259381
    )


def hash_seeded(buf: bytes, k1: int, k2: int, k3: int, k4: int) -> int:
    state = [k1, k2, k3, k4]
    for at in range(0, len(buf), 8):
        word = read_int(buf[at : at + 8])
        first = diffuse(state[0] ^ word)
        state = state[1:] + [first]
    return diffuse(state[0] ^ state[1] ^ state[2] ^ state[3] ^ len(buf))
