"""Checking an Ed25519 signature (RFC 8032), as Telnyx signs its reports. Pure.

Only public values meet here: the key, the report and its signature. So what a computation's time
may tell is no secret, and plain integers are enough.
"""

from __future__ import annotations

from hashlib import sha512

# A point in extended homogeneous coordinates (RFC 8032, 5.1.4): x = X/Z, y = Y/Z, x·y = T/Z.
Point = tuple[int, int, int, int]

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, FIELD) % FIELD
ROOT_OF_MINUS_ONE = pow(2, (FIELD - 1) // 4, FIELD)
NEUTRAL: Point = (0, 1, 1, 0)


def is_signed(*, public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of `public_key` (32 bytes) signed exactly `message`."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    owner, commitment = decompressed(public_key), decompressed(signature[:32])
    factor = int.from_bytes(signature[32:], "little")
    if owner is None or commitment is None or factor >= ORDER:
        return False
    challenge = digest(signature[:32], public_key, message)
    return is_equal(multiplied(factor, BASE), added(commitment, multiplied(challenge, owner)))


def digest(*parts: bytes) -> int:
    return int.from_bytes(sha512(b"".join(parts)).digest(), "little") % ORDER


def added(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % FIELD
    b = (one[1] + one[0]) * (other[1] + other[0]) % FIELD
    c = 2 * one[3] * other[3] * D % FIELD
    d = 2 * one[2] * other[2] % FIELD
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD)


def multiplied(times: int, point: Point) -> Point:
    total = NEUTRAL
    while times:
        if times & 1:
            total = added(total, point)
        point = added(point, point)
        times >>= 1
    return total


def is_equal(one: Point, other: Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % FIELD == 0 and (
        one[1] * other[2] - other[1] * one[2]
    ) % FIELD == 0


def decompressed(encoded: bytes) -> Point | None:
    """The point of 32 bytes; None when they are of none."""
    both = int.from_bytes(encoded, "little")
    y, is_odd = both & (2**255 - 1), both >> 255
    if y >= FIELD:
        return None
    squared = (y * y - 1) * pow(D * y * y + 1, -1, FIELD) % FIELD
    x = pow(squared, (FIELD + 3) // 8, FIELD)
    if (x * x - squared) % FIELD:
        x = x * ROOT_OF_MINUS_ONE % FIELD
    if (x * x - squared) % FIELD or (x == 0 and is_odd):
        return None
    if x & 1 != is_odd:
        x = FIELD - x
    return (x, y, 1, x * y % FIELD)


def compressed(point: Point) -> bytes:
    inverse = pow(point[2], -1, FIELD)
    x, y = point[0] * inverse % FIELD, point[1] * inverse % FIELD
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _base() -> Point:
    point = decompressed((4 * pow(5, -1, FIELD) % FIELD).to_bytes(32, "little"))
    assert point is not None
    return point


BASE = _base()
