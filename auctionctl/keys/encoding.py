"""Key bytes as text and back, in bech32m; and what may be the name of a key.

Rule: no malleability. One key has one text: exact length, one case, zero padding bits; accepted text encodes to itself.
Source: BIP-350 (checksum), BIP-173 (alphabet, human-readable part), DESIGN.md section 5. The 90 characters that BIP-173
allows in all are not kept: that bound serves its error-locating guarantee, and a public key here takes 113. The
checksum guards against slips of the hand, not against an adversary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache, reduce
from operator import getitem, xor
from typing import Final

from auctionctl.errors import KeyTextError

PUBLIC_PREFIX: Final = "auc"
SECRET_PREFIX: Final = "AUC-SECRET-KEY-"  # noqa: S105 - the label, no secret

_DATA_BYTES: Final = {PUBLIC_PREFIX: 64, SECRET_PREFIX: 32}
_KINDS: Final = {PUBLIC_PREFIX: "public key", SECRET_PREFIX: "secret key"}

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BAD: Final = 0xFF
_WORDS: Final = bytes(_ALPHABET.find(chr(code)) & _BAD for code in range(256))
"""Translates characters into words; what is none into ``_BAD``."""
_CHARACTERS: Final = _ALPHABET.encode().ljust(256)
_DIGITS: Final = b"0123456789abcdefghijklmnopqrstuv".ljust(256)
"""Translates words into the digits of a number to the base 32."""
_CHECKSUM_WORDS: Final = 6
_BECH32M: Final = 0x2BC830A3
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_MAX_PREFIX_CHARACTERS: Final = 83

_SECRET: Final = re.compile(rf"({SECRET_PREFIX}1)[^\W_]+…?", re.IGNORECASE)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
NAME_HINT: Final = "a name is 1 to 32 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit"


def _feedback(top: int) -> int:
    """What the five bits shifted out of the checksum put back into it (BIP-173)."""
    result = 0
    for bit, generator in enumerate(_GENERATOR):
        if top >> bit & 1:
            result ^= generator
    return result


_FEEDBACK: Final = tuple(_feedback(top) for top in range(32))
_MOST_WORDS: Final = 128
"""So many words, those of the prefix among them, are looked up; more than a key has."""


@cache
def _shares() -> list[tuple[int, ...]]:
    """What a word adds to the checksum, by its distance from the end, then by the word: a checksum is their sum.

    One look-up a word, and no more work in Python: an allow list has ten thousand keys of 109 words each.
    """
    shares = [tuple(range(32))]
    while len(shares) < _MOST_WORDS:
        shares.append(tuple(_shift(share) for share in shares[-1]))
    return shares


def _shift(remainder: int) -> int:
    """The remainder with a word of zero behind it (BIP-173)."""
    return (remainder & 0x1FFFFFF) << 5 ^ _FEEDBACK[remainder >> 25]


def is_name(text: str) -> bool:
    """Whether ``text`` can name a key, in a key file's name and in an allow list (DESIGN.md section 5)."""
    return _NAME.fullmatch(text) is not None


def redacted(text: str) -> str:
    """``text`` with every secret key in it, whole or cut at its end and in any case, cut down to its prefix.

    To be asked before anything else shortens the text: a secret without its prefix is known by nobody.
    """
    return _SECRET.sub(r"\1…", text)


def encode(hrp: str, data: bytes) -> str:
    """The one text of ``data`` under ``hrp``, in the case of ``hrp``.

    ``PUBLIC_PREFIX`` takes the 64 bytes signing ‖ transport and gives 113 characters, ``SECRET_PREFIX`` takes the
    32-byte seed and gives 74. Raises KeyTextError for any other prefix or length (DESIGN.md section 5).
    """
    expected_bytes = _expected_bytes(hrp)
    if len(data) != expected_bytes:
        raise KeyTextError(f"a {_KINDS[hrp]} has {expected_bytes} bytes, not {len(data)}")
    word_count = -(-expected_bytes * 8 // 5)
    bits = int.from_bytes(data) << (word_count * 5 - expected_bytes * 8)
    text = encode_words(hrp, [bits >> 5 * place & 31 for place in reversed(range(word_count))])
    return text.upper() if hrp.isupper() else text


def decode(hrp: str, text: str) -> bytes:
    """The bytes that ``text`` stands for: 64 under ``PUBLIC_PREFIX``, 32 under ``SECRET_PREFIX``.

    Raises KeyTextError, whose message says which of prefix, case, length, character (by position, counted from 1),
    checksum or padding is wrong, and never repeats the text: it may be a secret (BIP-350, DESIGN.md section 5).
    """
    expected_bytes = _expected_bytes(hrp)
    kind = _KINDS[hrp]
    _check_prefix_and_case(hrp, text)
    word_count = -(-expected_bytes * 8 // 5)
    expected_characters = len(hrp) + 1 + word_count + _CHECKSUM_WORDS
    if len(text) != expected_characters:
        raise KeyTextError(
            f"a {kind} has {expected_characters} characters, not {len(text)}", hint="copy the whole text, and only it"
        )
    words = _words(text.lower(), len(hrp) + 1)
    _check_sum(hrp, words)
    bits = int(words[:word_count].translate(_DIGITS), 32)
    padding_bits = word_count * 5 - expected_bytes * 8
    if bits & ((1 << padding_bits) - 1):
        raise KeyTextError(f"not a {kind}: its last {padding_bits} bits are not zero")
    return (bits >> padding_bits).to_bytes(expected_bytes)


def encode_words(hrp: str, words: Sequence[int]) -> str:
    """Bech32m of 5-bit ``words`` under ``hrp``, in lower case (BIP-350). The caller vouches for both."""
    hrp = hrp.lower()
    body = bytes(words)
    checksum = _polymod(hrp, body + bytes(_CHECKSUM_WORDS)) ^ _BECH32M
    tail = bytes(checksum >> 5 * place & 31 for place in reversed(range(_CHECKSUM_WORDS)))
    return f"{hrp}1{(body + tail).translate(_CHARACTERS).decode()}"


def decode_words(text: str) -> tuple[str, list[int]]:
    """Any bech32m text, of one case, as its lower-case prefix and its 5-bit words without the checksum.

    The general form, to be held against the vectors of BIP-350; keys go through :func:`decode`. Raises KeyTextError.
    """
    for position, character in enumerate(text, 1):
        if not "!" <= character <= "~":
            raise KeyTextError(f"bad character at position {position}")
    if text not in (text.lower(), text.upper()):
        raise KeyTextError("mixed case")
    text = text.lower()
    hrp, separator, _ = text.rpartition("1")
    if not separator or not 1 <= len(hrp) <= _MAX_PREFIX_CHARACTERS:
        raise KeyTextError(f"no prefix of 1 to {_MAX_PREFIX_CHARACTERS} characters")
    words = _words(text, len(hrp) + 1)
    if len(words) < _CHECKSUM_WORDS:
        raise KeyTextError(f"no room for a checksum of {_CHECKSUM_WORDS} characters")
    _check_sum(hrp, words)
    return hrp, list(words[:-_CHECKSUM_WORDS])


def _expected_bytes(hrp: str) -> int:
    if hrp not in _DATA_BYTES:
        raise KeyTextError(f"no key has the prefix {hrp!a}")
    return _DATA_BYTES[hrp]


def _check_prefix_and_case(hrp: str, text: str) -> None:
    # Not-ASCII first: lower() maps the Kelvin sign to k, so that it must never see such text.
    if not text.isascii():
        position = next(index for index, character in enumerate(text, 1) if not character.isascii())
        raise KeyTextError(f"bad character at position {position}")
    kind, case = _KINDS[hrp], "upper" if hrp.isupper() else "lower"
    if not text.lower().startswith(f"{hrp}1".lower()):
        if hrp == PUBLIC_PREFIX and text.upper().startswith(SECRET_PREFIX):
            raise KeyTextError(
                "a secret key stands where a public key belongs",
                hint="take it away and make a new key: whoever saw the secret can sign in your name",
            )
        raise KeyTextError(f"wrong prefix: a {kind} begins with {hrp}1")
    if text not in (text.lower(), text.upper()):
        raise KeyTextError(f"mixed case: a {kind} is all in {case} case")
    if not text.startswith(hrp):
        raise KeyTextError(f"wrong case: a {kind} is all in {case} case")


def _words(text: str, start: int) -> bytes:
    """The words from ``start`` on of ``text``, which is ASCII."""
    words = text[start:].encode("ascii").translate(_WORDS)
    bad = words.find(_BAD)
    if bad >= 0:
        raise KeyTextError(f"bad character at position {start + bad + 1}: {text[start + bad]!a} is in no key")
    return words


def _check_sum(hrp: str, words: bytes) -> None:
    if _polymod(hrp.lower(), words) != _BECH32M:
        raise KeyTextError("wrong checksum: at least one character was mistyped")


def _polymod(hrp: str, words: bytes) -> int:
    """The checksum's remainder over the expanded prefix and the words (BIP-173)."""
    values = _expand(hrp) + words
    if len(values) <= _MOST_WORDS:
        return reduce(xor, map(getitem, _shares(), reversed(values)))
    return reduce(lambda remainder, value: _shift(remainder) ^ value, values, 0)


@lru_cache(maxsize=16)
def _expand(hrp: str) -> bytes:
    """What stands before the words: the remainder to begin with, and the prefix (BIP-173)."""
    points = hrp.encode("ascii")
    return bytes((1, *(point >> 5 for point in points), 0, *(point & 31 for point in points)))
