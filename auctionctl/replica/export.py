"""The file that a log becomes: every entry, a checkpoint over them all, and its announcement (DESIGN.md section 7).

One log and checkpoint have exactly one file, so that two copies can be compared byte by byte::

    auctionctl-log/v1
    <number of entries>
    <base64 of entry 0>
    …
    <empty line>
    <signed note of the checkpoint>
    <empty line>
    <proof of the announcement>

The last two parts are missing in the file of a registry, which announces and is not announced. The proof is that of
:mod:`auctionctl.replica.announcement`, one for each auction. Base64 is the standard alphabet with padding (RFC 4648
section 4), strict; lines end with a single newline.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from auctionctl.errors import VerificationError
from auctionctl.tlog.proof import HEADER as PROOF_HEADER

HEADER: Final = b"auctionctl-log/v1"
TOLD_ENTRIES: Final = 256
_BEFORE_PROOF: Final = b"\n\n" + PROOF_HEADER.encode() + b"\n"


class Export(NamedTuple):
    """What a file holds; nothing but its form has been checked."""

    entries: tuple[bytes, ...]
    checkpoint: bytes
    announcement: bytes = b""


def encode_export(entries: Iterable[bytes], checkpoint: bytes, announcement: bytes = b"") -> bytes:
    """The one file of these entries, this signed note and this proof, which only the registry is without."""
    lines = list(encode_lines(entries))
    return b"".join([encode_beginning(len(lines)), *lines, encode_end(checkpoint, announcement)])


def encode_beginning(size: int) -> bytes:
    """What stands before the ``size`` entries of a file that is written in pieces."""
    return HEADER + b"\n%d\n" % size


def encode_lines(entries: Iterable[bytes]) -> Iterator[bytes]:
    """The line of each entry, with its end."""
    for entry in entries:
        yield base64.b64encode(entry) + b"\n"


def encode_end(checkpoint: bytes, announcement: bytes = b"") -> bytes:
    """What stands behind the entries."""
    return b"\n" + checkpoint + (b"\n" + announcement if announcement else b"")


def decode_export(data: bytes, told: Callable[[Sequence[bytes]], None] = lambda _: None) -> Export:
    """The inverse of :func:`encode_export`; VerificationError with rule ``format`` for anything else.

    ``told`` gets the entries as they are read, some at a time, in order: whoever looks at them need not wait for the
    last one. That there are any is no word for those behind them.
    """
    parts = _take_apart(data)
    entries: list[bytes] = []
    start = parts.start
    for index in range(parts.size):
        end = data.index(b"\n", start)
        entries.append(_decode_line(data[start:end], index))
        start = end + 1
        if not len(entries) % TOLD_ENTRIES:
            told(entries[-TOLD_ENTRIES:])
    told(entries[len(entries) - len(entries) % TOLD_ENTRIES :])
    return Export(tuple(entries), parts.checkpoint, parts.announcement)


def checkpoint_in(data: bytes) -> bytes:
    """The signed note of a file, as :func:`decode_export` would return it; the entries are not looked at."""
    return _take_apart(data).checkpoint


class _Parts(NamedTuple):
    """Where the first entry stands, how many lines of entries there are, and what stands behind them."""

    start: int
    size: int
    checkpoint: bytes
    announcement: bytes


def _take_apart(data: bytes) -> _Parts:
    blank = data.find(b"\n\n")
    if blank < 0:
        raise VerificationError("not a whole exported log: no empty line before a checkpoint", rule="format")
    # The end of the second line, and as many behind it as there are entries.
    counted = data.find(b"\n", len(HEADER) + 1, blank)
    if counted < 0 or not data.startswith(HEADER + b"\n"):
        raise VerificationError("not an exported log: the first line is not auctionctl-log/v1", rule="format")
    size = data.count(b"\n", counted, blank)
    if data[len(HEADER) + 1 : counted] != b"%d" % size:
        raise VerificationError(f"there are {size} entries, and the second line says otherwise", rule="format")
    # No line of a signed note can be the first line of a proof: they are text, blank, or begin with a dash.
    note, mark, proof = data[blank + 2 :].partition(_BEFORE_PROOF)
    if mark:
        return _Parts(counted + 1, size, note + b"\n", mark[2:] + proof)
    return _Parts(counted + 1, size, note, b"")


def _decode_line(line: bytes, index: int) -> bytes:
    try:
        entry = binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error as error:
        raise VerificationError(f"not base64: {error}", rule="format", index=index) from error
    # Strict reading refuses every other character; what is left is bits of the last group that belong to no byte.
    if base64.b64encode(entry[-(len(entry) % 3 or 3) :]) != line[-4:] or len(line) != (len(entry) + 2) // 3 * 4:
        raise VerificationError("not base64 in its strict form", rule="format", index=index)
    return entry
