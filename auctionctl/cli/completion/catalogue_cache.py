"""What a house holds, as it was last seen: a small file a house, which completion reads and nothing else believes.

Rule: it is a convenience. It holds no more than a thousand auctions and safe text alone, a file that is damaged counts
as none, and one that cannot be written stops nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from auctionctl.client.files import PRIVATE_MODE, Existing, make_private_directories, write_whole
from auctionctl.client.paths import IDENTITY_CHARACTERS
from auctionctl.errors import ConfigurationError
from auctionctl.views.peer_text import safe_text

MAX_AUCTIONS: Final = 1_000
MAX_LISTING_CHARACTERS: Final = 64
MAX_FILE_BYTES: Final = 2_000_000
PATTERN: Final = "catalogue-*.json"


@dataclass(frozen=True, slots=True)
class KnownAuction:
    """One auction: ``id`` in hex, ``phase`` empty where its log has not been read."""

    listing: str
    id: str
    title: str
    phase: str


def catalogue_path(state: Path, identity: str) -> Path:
    """The file about the house of ``identity`` (its text)."""
    return state / f"catalogue-{identity[:IDENTITY_CHARACTERS]}.json"


def remember(path: Path, auctions: Iterable[KnownAuction]) -> None:
    """Keep ``auctions``, the last ones of more than a thousand; a phase that is not known is the one known before."""
    phases = {known.id: known.phase for known in recall(path)}
    records = [
        asdict(
            KnownAuction(
                safe_text(each.listing, MAX_LISTING_CHARACTERS),
                each.id,
                safe_text(each.title),
                each.phase or phases.get(each.id, ""),
            )
        )
        for each in list(auctions)[-MAX_AUCTIONS:]
    ]
    # A command that has done its work does not fail because nothing can be kept for completion.
    with suppress(ConfigurationError):
        make_private_directories(path.parent)
        write_whole(
            path, json.dumps({"auctions": records}, ensure_ascii=False).encode(), PRIVATE_MODE, Existing.REPLACE
        )


def recall(path: Path) -> list[KnownAuction]:
    """What was kept at ``path``; nothing, if there is no file or it is damaged."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MAX_FILE_BYTES))
        return [
            KnownAuction(str(each["listing"]), str(each["id"]), str(each["title"]), str(each["phase"]))
            for each in content["auctions"][:MAX_AUCTIONS]
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
