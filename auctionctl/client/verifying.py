"""Checking a log without asking anybody: the file, and the house's public key."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from auctionctl.client.files import read_bounded
from auctionctl.keys.signing import Identity
from auctionctl.replica.audit import Audit, audit
from auctionctl.wire.address import HouseAddress

MAX_LOG_BYTES: Final = 2**30


def verify(log: bytes | Path, house: Identity | HouseAddress | str) -> Audit:
    """Check every signature, time, hash and rule of an exported log, and its checkpoint; the auction as it ended.

    ``house`` is the identity that is known, or its text, ``auc1…``. Raises VerificationError, with the rule and the
    entry; KeyTextError; NotFoundError and ConfigurationError for a file.
    """
    data = read_bounded(log, MAX_LOG_BYTES) if isinstance(log, Path) else log
    if isinstance(house, str):
        house = Identity.from_text(house)
    return audit(data, house.identity if isinstance(house, HouseAddress) else house)
