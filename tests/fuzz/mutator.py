"""Damage, from a seed: a few µs an input, and the same inputs again from the same numbers.

Inputs come in blocks of :data:`BLOCK`, each from a generator of its own, so that one is found again by making no more
than a block: ``SEED:BLOCK:NUMBER``. Besides bytes, what a format is made of is damaged: the elements of msgpack arrays,
lines and words of text are exchanged with those of other seeds, left out, doubled or replaced by tokens.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

BLOCK = 1_000
Span = tuple[int, int]

NUMBERS = (0, 1, 2, 23, 127, 128, 255, 256, 2**16, 2**31, 2**32, 2**53, 2**53 + 1, 2**62, 2**62 + 1, 2**63, 2**64 - 1)
MSGPACK_TOKENS = (
    *(msgspec.msgpack.encode(number) for number in (*NUMBERS, -1, -32, -33, -(2**63), 1.5, float("nan"))),
    *(msgspec.msgpack.encode(each) for each in (None, True, False, "", b"", [], {}, "EUR", "x" * 31, "x" * 32, [[]])),
    *(msgspec.msgpack.encode(each) for each in (b"k" * 31, b"k" * 32, b"k" * 33, b"n" * 16, b"s" * 64, {"a": 1})),
    b"\xcc\x01", b"\xcd\x00\x01", b"\xce\x00\x00\x00\x01", b"\xcf" + bytes(7) + b"\x01", b"\xd9\x03EUR",
    b"\xda\x00\x03EUR",
    b"\xc5\x00\x20" + b"k" * 32, b"\xc6\x00\x00\x00\x20" + b"k" * 32, b"\xdc\x00\x01\x01",
    b"\xdd\x00\x00\x00\x01\x01",
    b"\xc1", b"\xd4\x01\x00", b"\xd6\xff\x00\x00\x00\x00", b"\xc7\x01\x01\x00", b"\x91" * 40, b"\x81" * 40,
    b"\xc6\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff", b"\xa3\xff\xfe\xfd", b"\xa3\xed\xa0\x80", b"\x90", b"\x9f", b"\x80",
)  # fmt: skip
TEXT_TOKENS = (
    b"", b" ", b"\t", b"\n", b"\n\n", b"\r\n", b"\r", b"\0", b"\x1b[31m", b"\xff", b"\xc3", "é".encode(),
    "\u202e".encode(),
    "\u212a".encode(), "\u2028".encode(), "\ud800".encode("utf-8", "surrogatepass"), b"=", b"==", b"+", b"-", b"#",
    b"'", b'"',
    b'"""', b"[", b"]", b"[[", b"{", b"}", b"0", b"-0", b"00", b"1e9", b"0x10", b"1_000", b"inf", b"nan", b"true",
    b"9" * 25,
    b"1979-05-27", b"07:32:00", b"\\u0000", b"\\ud800", b"A" * 64, b"QQ==", b"QR==", b"role=bidder",
    b"role=seller+operator",
    b"12.50EUR", b"-1EUR", b"1.0000EUR", b"30s", b"99999999999d", b"0s", b"5%", b".", b",", b":", b"/", b"@", b"%",
    b"*",
)  # fmt: skip


def msgpack_spans(data: bytes) -> list[Span]:
    """Where the elements of all arrays in ``data`` stand, whatever depth."""
    spans: list[Span] = []

    def walk(start: int) -> int:
        lead = data[start]
        if lead & 0xF0 == 0x90 or lead in (0xDC, 0xDD):
            width = {0xDC: 2, 0xDD: 4}.get(lead, 0)
            count = int.from_bytes(data[start + 1 : start + 1 + width], "big") if width else lead & 15
            at = start + 1 + width
            for _ in range(count):
                end = walk(at)
                spans.append((at, end))
                at = end
            return at
        return start + _length(data, start)

    walk(0)
    return spans or [(0, len(data))]


def _length(data: bytes, start: int) -> int:
    lead = data[start]
    if lead < 0x80 or lead >= 0xE0 or lead in (0xC0, 0xC2, 0xC3):
        return 1
    if lead & 0xE0 == 0xA0:
        return 1 + (lead & 31)
    numbers = {0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9}
    if lead in numbers:
        return numbers[lead]
    width = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}[lead]
    return 1 + width + int.from_bytes(data[start + 1 : start + 1 + width], "big")


def text_spans(data: bytes) -> list[Span]:
    """Where lines, words and single signs stand."""
    spans = [match.span() for match in re.finditer(rb"[^\n]+\n?|\n", data)]
    return spans + [match.span() for match in re.finditer(rb"[A-Za-z0-9+/=._-]+|[^A-Za-z0-9\s]", data)]


class Mutator:
    """Damages ``seeds``; ``repair`` sometimes makes good what would hide the rest, such as a checksum."""

    def __init__(
        self, seeds: Sequence[bytes], *, is_text: bool = False, repair: Callable[[bytes, Any], bytes] | None = None
    ) -> None:
        self._tokens = TEXT_TOKENS if is_text else MSGPACK_TOKENS
        spans_of = text_spans if is_text else msgpack_spans
        self._seeds = [(seed, spans_of(seed)) for seed in seeds]
        self._parts = [seed[start:end] for seed, spans in self._seeds for start, end in spans]
        self._repair = repair

    def block(self, seed: int, number: int) -> Iterator[bytes]:
        """The inputs of one block."""
        chance = random.Random(seed << 32 | number).random
        for _ in range(BLOCK):
            yield self._input(chance)

    def find(self, seed: int, block: int, number: int) -> bytes:
        """The input that a failure names."""
        return next(each for at, each in enumerate(self.block(seed, block)) if at == number)

    def _input(self, chance: Callable[[], float]) -> bytes:
        seed, spans = self._seeds[int(chance() * len(self._seeds))]
        data = self._structural(seed, spans, chance) if chance() < 0.5 else self._bytewise(seed, chance)
        while chance() < 0.3:
            data = self._bytewise(data, chance)
        if self._repair is not None and chance() < 0.1:
            return self._repair(data, chance)
        return data

    def _structural(self, data: bytes, spans: list[Span], chance: Callable[[], float]) -> bytes:
        start, end = spans[int(chance() * len(spans))]
        choice = chance()
        if choice < 0.35:
            return data[:start] + self._parts[int(chance() * len(self._parts))] + data[end:]
        if choice < 0.7:
            return data[:start] + self._tokens[int(chance() * len(self._tokens))] + data[end:]
        if choice < 0.8:
            return data[:start] + data[end:]
        if choice < 0.9:
            return data[:end] + data[start:]
        other, until = spans[int(chance() * len(spans))]
        if other >= end:
            return data[:start] + data[other:until] + data[end:other] + data[start:end] + data[until:]
        return data[:start] + data[other:until] + data[end:]

    def _bytewise(self, data: bytes, chance: Callable[[], float]) -> bytes:
        at = int(chance() * (len(data) + 1))
        choice = chance()
        if choice < 0.35 and at < len(data):
            return data[:at] + bytes((data[at] ^ 1 << int(chance() * 8),)) + data[at + 1 :]
        if choice < 0.5:
            return data[:at] + bytes((int(chance() * 256),)) + data[at + 1 :]
        if choice < 0.6:
            return data[:at] + self._tokens[int(chance() * len(self._tokens))] + data[at:]
        until = at + int(chance() * chance() * (len(data) - at + 1))
        if choice < 0.75:
            return data[:at] + data[until:]
        if choice < 0.85:
            return data[:until] + data[at:]
        if choice < 0.95:
            other = self._seeds[int(chance() * len(self._seeds))][0]
            return data[:at] + other[int(chance() * len(other)) :]
        return data[:at]
