"""Where the files of the commands are: where :mod:`auctionctl.client.paths` says, as for whoever uses the library."""

from __future__ import annotations

from auctionctl.client.paths import (
    ADDRESS_SUFFIX,
    HOME_VARIABLE,
    IDENTITY_CHARACTERS,
    Paths,
    find_paths,
)

__all__ = [
    "ADDRESS_SUFFIX",
    "HOME_VARIABLE",
    "IDENTITY_CHARACTERS",
    "Paths",
    "find_paths",
]
