"""The directory ``evidence`` in the state of a house: pairs of bids that one bidder signed under one number.

Rule: a case is a directory, ``<time>Z-sequence_conflict-<bidder>-<bid>`` (the first 16 hexadecimal digits of the key
and of the refused bid's SHA-256); ``refused.bid`` and, where it was found, ``accepted.bid`` are 64 bytes of signature
and then the body. It is whole on the disk under its name, or not there; nothing is overwritten, and the same bid is
kept once. No bidder has more than :data:`MAX_CASES_A_BIDDER`, nor a house more than :data:`MAX_CASES`: what is beyond
is refused all the same, and proves nothing new. A disk that takes none does not hold up the house.
Source: DESIGN.md section 6.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

from auctionctl.errors import StoreError
from auctionctl.store.state_directory import make_private_directory, sync_directory

DIRECTORY: Final = "evidence"
RULE: Final = "sequence_conflict"
REFUSED: Final = "refused.bid"
ACCEPTED: Final = "accepted.bid"
MAX_CASES_A_BIDDER: Final = 8
MAX_CASES: Final = 1_000
_NAME_DIGITS: Final = 16
_FILE_MODE: Final = 0o600
_DIRECTORY_MODE: Final = 0o700
_SECOND_NS: Final = 1_000_000_000

Signed = tuple[bytes, bytes]
"""Body and signature."""


class ConflictFiles:
    """The cases of one house; the state ``directory`` is this process's alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / DIRECTORY
        self._cases: set[str] = set()
        self._counts: Counter[str] = Counter()
        if self._directory.is_dir():
            for path in self._directory.iterdir():
                _, mark, case = path.name.partition(f"Z-{RULE}-")
                if mark and not path.name.startswith("."):
                    self._note(case)

    def has_room(self, bidder: bytes, body: bytes) -> bool:
        """Whether a bid of ``bidder`` (a signing key) with this ``body`` would be kept, and is not yet."""
        case = _case(bidder, body)
        is_full = len(self._cases) >= MAX_CASES or self._counts[_owner(case)] >= MAX_CASES_A_BIDDER
        return case not in self._cases and not is_full

    def keep(self, time_ns: int, bidder: bytes, *, refused: Signed, accepted: Signed | None) -> None:
        """Keep a case that there is room for, durably; ``accepted`` is None where it is in the log alone."""
        case = _case(bidder, refused[0])
        moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(time_ns // _SECOND_NS))
        path = self._directory / f"{moment}.{time_ns % _SECOND_NS:09}Z-{RULE}-{case}"
        new = self._directory / ".new"
        self._note(case)
        # Without room on the disk there is no evidence, and the log has the accepted bid nevertheless.
        with suppress(OSError, StoreError):
            make_private_directory(self._directory)
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(_DIRECTORY_MODE)
            _write(new / REFUSED, refused)
            if accepted is not None:
                _write(new / ACCEPTED, accepted)
            sync_directory(new)
            # A crash before this line leaves a directory that nobody reads; after it the case is whole.
            new.rename(path)
            sync_directory(self._directory)

    def _note(self, case: str) -> None:
        self._cases.add(case)
        self._counts[_owner(case)] += 1


def _case(bidder: bytes, body: bytes) -> str:
    return f"{bidder.hex()[:_NAME_DIGITS]}-{hashlib.sha256(body).hexdigest()[:_NAME_DIGITS]}"


def _owner(case: str) -> str:
    return case.partition("-")[0]


def _write(path: Path, signed: Signed) -> None:
    body, signature = signed
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags | os.O_EXCL, _FILE_MODE)) as file:
        file.write(signature + body)
        file.flush()
        os.fsync(file.fileno())
