"""Ed25519 in plain arithmetic, with every choice that verifiers make differently spelt out; and the vectors made by it.

Written from RFC 8032 and shares nothing with libsodium: :func:`verdict` is the rule of ``tests/vectors/keys.json`` in
code. ``python tests/keys/edwards.py`` writes ``tests/vectors/ed25519.json``; a test sees that it is fresh. Slow, and
not constant in time: for tests alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
PATH = Path(__file__).parents[1] / "vectors" / "ed25519.json"

ABOUT = [
    "Signatures on which implementations of Ed25519 are known to disagree, and the verdict of libsodium's",
    "crypto_sign_open, which every verifier of auctionctl has to share. All values are hexadecimal. Two that differ",
    "in one line can disagree about who won.",
    "The rule is that of keys.json: S below the group order, A encoded canonically, neither A nor R of small order,",
    "and the encoding of [S]B - [h]A has to be the 32 bytes of R, where h is over those bytes: no cofactor.",
    "kinds: the twelve kinds of table 6(c) of Chalkias, Garillot, Nikolaenko, 'Taming the many EdDSAs' (SSR 2020,",
    "eprint 2020/1244), made anew from keys of our own. torsion: an honest key and R, each plus each of the eight",
    "points of small order. points: each encoding of a point whose y is not below p, and x = 0 with the sign set,",
    "as A and as R. scalars and lengths: what Project Wycheproof's eddsa tests try.",
    "Made by tests/keys/edwards.py, whose arithmetic is its own; the libsodium inside PyNaCl 1.5 and 1.6 agrees",
    "with every line.",
]


class Point(NamedTuple):
    """In affine coordinates."""

    x: int
    y: int


class Vector(NamedTuple):
    what: str
    public: bytes
    message: bytes
    signature: bytes


def add(a: Point, b: Point) -> Point:
    t = D * a.x * b.x * a.y * b.y % P
    x = (a.x * b.y + a.y * b.x) * pow(1 + t, P - 2, P) % P
    y = (a.y * b.y + a.x * b.x) * pow(1 - t, P - 2, P) % P
    return Point(x, y)


def multiply(scalar: int, point: Point) -> Point:
    """In extended coordinates, where no step divides."""
    total, each = (0, 1, 1, 0), (point.x, point.y, 1, point.x * point.y % P)
    while scalar:
        if scalar & 1:
            total = _add_extended(total, each)
        each = _add_extended(each, each)
        scalar >>= 1
    x, y, z, _ = total
    inverse = pow(z, P - 2, P)
    return Point(x * inverse % P, y * inverse % P)


Extended = tuple[int, int, int, int]


def _add_extended(p: Extended, q: Extended) -> Extended:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def negate(point: Point) -> Point:
    return Point(-point.x % P, point.y)


def encode(point: Point) -> bytes:
    return (point.y | (point.x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point of an encoding, canonical or not; None for what is none."""
    number = int.from_bytes(data, "little")
    y, sign = (number & (1 << 255) - 1) % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_1 % P
    if x * x % P != square:
        return None
    return Point(-x % P if x & 1 != sign else x, y)


def _base() -> Point:
    point = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    assert point is not None
    return point


def _torsion() -> list[Point]:
    """The eight points of small order, multiples of one of order 8."""
    for y in range(2, 100):
        point = decode(y.to_bytes(32, "little"))
        if point is not None:
            eighth = multiply(L, point)
            multiples = [multiply(times, eighth) for times in range(8)]
            if len(set(multiples)) == 8:
                return multiples
    raise AssertionError("one point in two has one")


BASE = _base()
TORSION = _torsion()


def challenge(r: bytes, public: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L


def verdict(public: bytes, message: bytes, signature: bytes) -> bool:
    """What libsodium says, step by step."""
    if len(public) != 32 or len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    point, commitment = decode(public), decode(r)
    if s >= L or point is None or encode(point) != public:
        return False
    if point in TORSION or commitment in TORSION:
        return False
    h = challenge(r, public, message)
    return encode(add(multiply(s, BASE), multiply(h, negate(point)))) == r


class Signer:
    """An honest key, and what somebody who holds it can sign dishonestly."""

    def __init__(self, seed: bytes) -> None:
        digest = hashlib.sha512(seed).digest()
        self.scalar = int.from_bytes(digest[:32], "little") % L
        self.nonce = int.from_bytes(digest[32:], "little") % L
        self.point = multiply(self.scalar, BASE)

    def sign(self, message: bytes, of_key: Point, of_r: Point) -> tuple[bytes, bytes]:
        """(public, signature) whose equation holds but for the points of small order added to key and R."""
        public = encode(add(self.point, of_key))
        r = encode(add(multiply(self.nonce, BASE), of_r))
        s = (self.nonce + challenge(r, public, message) * self.scalar) % L
        return public, r + s.to_bytes(32, "little")


NONE = TORSION[0]
ORDER_8 = TORSION[1]
SIGNER = Signer(b"auctionctl, odd signatures")


def messages(what: str) -> Iterator[bytes]:
    return (f"{what} {number}".encode() for number in range(10_000))


def with_challenge(what: str, of_key: Point, of_r: Point, residue: int) -> tuple[bytes, bytes, bytes]:
    """(public, message, signature) whose h leaves ``residue`` modulo 8: whether small orders cancel depends on it."""
    for message in messages(what):
        public, signature = SIGNER.sign(message, of_key, of_r)
        if challenge(signature[:32], public, message) % 8 == residue:
            return public, message, signature
    raise AssertionError("one message in eight does")


def kinds() -> Iterator[Vector]:
    """The twelve kinds of 'Taming the many EdDSAs', in the order of its table."""
    small, zero = encode(ORDER_8), bytes(32)
    what = "0: S = 0, A and R of small order"
    message = next(m for m in messages(what) if challenge(encode(TORSION[7]), small, m) % 8 == 1)
    yield Vector(what, small, message, encode(TORSION[7]) + zero)
    what = "1: A of small order, R of mixed order; both equations hold"
    r = encode(add(multiply(SIGNER.nonce, BASE), negate(ORDER_8)))
    message = next(m for m in messages(what) if challenge(r, small, m) % 8 == 1)
    yield Vector(what, small, message, r + SIGNER.nonce.to_bytes(32, "little"))
    what = "2: A of mixed order, R of small order; both equations hold"
    public, r = encode(add(SIGNER.point, ORDER_8)), encode(negate(ORDER_8))
    message = next(m for m in messages(what) if challenge(r, public, m) % 8 == 1)
    s = challenge(r, public, message) * SIGNER.scalar % L
    yield Vector(what, public, message, r + s.to_bytes(32, "little"))
    what = "3: A and R of mixed order; both equations hold"
    yield Vector(what, *with_challenge(what, ORDER_8, negate(ORDER_8), 1))
    what = "4: A and R of mixed order; only the equation with the cofactor holds"
    yield Vector(what, *with_challenge(what, ORDER_8, ORDER_8, 1))
    what = "5: A of mixed order, R of the group's; holds with the cofactor, unless 8h is reduced first"
    yield Vector(what, *with_challenge(what, ORDER_8, NONE, 3))
    message = b"S"
    public, signature = SIGNER.sign(message, NONE, NONE)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    yield Vector("6: S + L, still below 2 ** 253", public, message, r + (s + L).to_bytes(32, "little"))
    most = s + (2**256 - 1 - s) // L * L
    yield Vector("7: S plus as many L as fit 256 bits", public, message, r + most.to_bytes(32, "little"))
    odd = (P + 1 | 1 << 255).to_bytes(32, "little")  # y = 1 written as p + 1, and a sign that x = 0 has not
    reduced = encode(TORSION[0])
    for number, hashed in ((8, reduced), (9, odd)):
        s = challenge(hashed, public, message) * SIGNER.scalar % L
        as_what = "reduced" if hashed == reduced else "as it stands"
        what = f"{number}: R of small order, not canonical; hashed {as_what}"
        yield Vector(what, public, message, odd + s.to_bytes(32, "little"))
    for number, hashed in ((10, reduced), (11, odd)):
        as_what = "reduced" if hashed == reduced else "as it stands"
        what = f"{number}: A of small order, not canonical; hashed {as_what}"
        r = encode(multiply(SIGNER.nonce, BASE))
        yield Vector(what, odd, what.encode(), r + SIGNER.nonce.to_bytes(32, "little"))


def torsion() -> Iterator[Vector]:
    for of_key in range(8):
        for of_r in range(8):
            what = f"A plus point {of_key} of small order, R plus point {of_r}"
            public, signature = SIGNER.sign(b"torsion", TORSION[of_key], TORSION[of_r])
            cancels = (of_r + challenge(signature[:32], public, b"torsion") * of_key) % 8 == 0
            yield Vector(f"{what}; they {'cancel' if cancels else 'do not cancel'}", public, b"torsion", signature)
    for of_key in range(1, 8):
        what = f"A plus point {of_key} of small order, which h takes away again"
        yield Vector(what, *with_challenge(what, TORSION[of_key], NONE, 0))


def points() -> Iterator[Vector]:
    public, signature = SIGNER.sign(b"points", NONE, NONE)
    encodings = [(f"y = p + {low}", P + low) for low in range(19)] + [("y = 1", 1), ("y = p - 1", P - 1)]
    for name, y in encodings:
        for sign in (0, 1):
            data = (y | sign << 255).to_bytes(32, "little")
            yield Vector(f"A: {name}, sign {sign}", data, b"points", signature)
            yield Vector(f"A: {name}, sign {sign}, S = 0 and R the same", data, b"points", data + bytes(32))
            yield Vector(f"R: {name}, sign {sign}", public, b"points", data + signature[32:])


def scalars() -> Iterator[Vector]:
    public, signature = SIGNER.sign(b"scalars", NONE, NONE)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    yield Vector("as it was signed", public, b"scalars", signature)
    chosen = {"0": 0, "1": 1, "L - 1": L - 1, "L": L, "L + 1": L + 1, "2 ** 252": 2**252, "2 ** 255": 2**255}
    chosen |= {"S - 1": s - 1, "S + 1": s + 1, "L - S": L - s, "2 ** 256 - 1": 2**256 - 1, "p": P}
    for name, number in chosen.items():
        yield Vector(f"S is {name}", public, b"scalars", r + number.to_bytes(32, "little"))
    for bit in (253, 254, 255):
        yield Vector(f"S with bit {bit} set", public, b"scalars", r + (s | 1 << bit).to_bytes(32, "little"))
    for times in range(1, 15):
        yield Vector(f"S + {times} L", public, b"scalars", r + (s + times * L).to_bytes(32, "little"))
    for name, data in (("zeros", bytes(32)), ("ones", b"\xff" * 32), ("one", b"\1" + bytes(31)), ("p", encode(BASE))):
        yield Vector(f"R is {name}", public, b"scalars", data + signature[32:])
    yield Vector("R with the other sign", public, b"scalars", r[:31] + bytes([r[31] ^ 128]) + signature[32:])
    yield Vector("A with the other sign", public[:31] + bytes([public[31] ^ 128]), b"scalars", signature)
    yield Vector("R and S exchanged", public, b"scalars", signature[32:] + r)


def lengths() -> Iterator[Vector]:
    public, signature = SIGNER.sign(b"lengths", NONE, NONE)
    for length in (0, 1, 31, 32, 33, 63):
        yield Vector(f"a signature cut to {length} bytes", public, b"lengths", signature[:length])
    for more in (b"\0", b"\0" * 64, signature):
        yield Vector(f"a signature with {len(more)} bytes more", public, b"lengths", signature + more)
    for length in (0, 31):
        yield Vector(f"a key cut to {length} bytes", public[:length], b"lengths", signature)
    yield Vector("a key with a byte more", public + b"\0", b"lengths", signature)


GROUPS = {"kinds": kinds, "torsion": torsion, "points": points, "scalars": scalars, "lengths": lengths}


def as_text() -> str:
    """The file, whole."""
    groups = {
        name: [
            {
                "what": vector.what,
                "public": vector.public.hex(),
                "message": vector.message.hex(),
                "signature": vector.signature.hex(),
                "accepted": verdict(vector.public, vector.message, vector.signature),
            }
            for vector in group()
        ]
        for name, group in GROUPS.items()
    }
    return json.dumps({"about": ABOUT, **groups}, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(as_text(), "utf-8")
