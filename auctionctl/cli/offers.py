"""Terms that a seller has signed, kept on disk before they are sent, so that another run sends the same bytes.

Rule: what is here may have been sent; whether it was taken only the house can say. The file is private: it has the
reserve in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auctionctl.auction.terms import ReserveOpening, Terms, auction_id, decode_terms
from auctionctl.client.files import PRIVATE_MODE, Existing, make_private_directories, read_bounded, write_whole
from auctionctl.errors import ConfigurationError, NotFoundError, TermsError
from auctionctl.views.json_line import dump_json
from auctionctl.wire.frames import Message, is_signed_by

SCHEMA: Final = "auctionctl.offer/1"
MAX_FILE_BYTES: Final = 65_536
NO_SALT: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Offer:
    """Signed terms, and the reserve behind their commitment in minor units, or None."""

    message: Message
    reserve_minor: int | None

    @property
    def auction(self) -> bytes:
        """The id of the auction that they would begin."""
        return auction_id(self.message.body)

    @property
    def terms(self) -> Terms:
        """What was signed."""
        return decode_terms(self.message.body)

    @property
    def reserve(self) -> ReserveOpening | None:
        """The reserve as far as it can be compared; its salt is not kept."""
        return None if self.reserve_minor is None else ReserveOpening(self.reserve_minor, NO_SALT)


def read_offer(path: Path) -> Offer | None:
    """What is kept at ``path``; None if nothing is. Raises ConfigurationError for a file that cannot be used."""
    try:
        data = read_bounded(path, MAX_FILE_BYTES)
    except NotFoundError:
        return None
    try:
        record = json.loads(data)
        message = Message(bytes.fromhex(record["terms"]), bytes.fromhex(record["signature"]))
        offer = Offer(message, record["reserve_minor"])
        is_good = record["schema"] == SCHEMA and is_signed_by(offer.terms.seller, *message)
        is_good = is_good and type(offer.reserve_minor) in (int, type(None))
    except (ValueError, TypeError, KeyError, RecursionError, TermsError):
        is_good = False
    if not is_good:
        raise ConfigurationError(f"{path} holds no signed terms", hint="it is damaged: remove it, and try again")
    return offer


def keep_offer(path: Path, offer: Offer) -> None:
    """Make ``offer`` durable at ``path``, in place of what was there. Raises ConfigurationError."""
    make_private_directories(path.parent)
    record = {
        "schema": SCHEMA,
        "terms": offer.message.body.hex(),
        "signature": offer.message.signature.hex(),
        "reserve_minor": offer.reserve_minor,
    }
    write_whole(path, dump_json(record).encode() + b"\n", PRIVATE_MODE, Existing.REPLACE)


def forget_offer(path: Path, auction: bytes) -> None:
    """Remove what is at ``path`` if it is the offer of ``auction``: the house has refused it for good."""
    kept = read_offer(path)
    if kept is not None and kept.auction == auction:
        path.unlink(missing_ok=True)
