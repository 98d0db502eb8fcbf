"""A checksum: what the Rust crate ``adler2`` does."""

MOD = 65521


def adler32_slice(data: bytes) -> int:
    a = 1
    b = 0
    for byte in data:
        a = (a + byte) % MOD
        b = (b + a) % MOD
    return (b << 16) | a
