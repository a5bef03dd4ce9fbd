"""Files of the commands: those of :mod:`auctionctl.client.files`, which whoever uses the library shares with them."""

from __future__ import annotations

from auctionctl.client.files import (
    PRIVATE_MODE,
    PUBLIC_MODE,
    Existing,
    held_alone,
    is_there,
    make_private_directories,
    read_bounded,
    shown,
    write_whole,
)

__all__ = [
    "PRIVATE_MODE",
    "PUBLIC_MODE",
    "Existing",
    "held_alone",
    "is_there",
    "make_private_directories",
    "read_bounded",
    "shown",
    "write_whole",
]
