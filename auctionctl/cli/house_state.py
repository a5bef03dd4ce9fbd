"""One key, one state: the state directory of a house says whose it is, so that no second one is begun under its key.

Rule: two states under one key would be two registries of one house, and could sell one listing twice; to whoever
compares them that is a house which broke its word, and its operator may only have chosen another name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from auctionctl.client.files import PRIVATE_MODE, Existing, read_bounded, write_whole
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError
from auctionctl.store.state_directory import IDENTITY_NAME

if TYPE_CHECKING:
    from auctionctl.keys.signing import Identity

MAX_BYTES: Final = 1_024


def check_one_state(paths: Paths, house: str, identity: Identity) -> None:
    """Raises ConfigurationError if the state of another house on this machine is that of ``identity``."""
    own = paths.house_state(house)
    for path in sorted(paths.state.glob(f"{paths.house_state('*').name}/{IDENTITY_NAME}")):
        if path.parent != own and _read(path) == identity.text:
            other = path.parent.name.removeprefix(paths.house_state("").name)
            raise ConfigurationError(
                f"this key is that of the house {other!r}, and {house!r} would be a second house under it",
                hint=f"serve it as {other}, or give {house} a key of its own: auctionctl keygen {house}",
            )


def mark_state(paths: Paths, house: str, identity: Identity) -> None:
    """Say in the state directory of ``house``, which is there, whose it is."""
    path = paths.house_state(house) / IDENTITY_NAME
    if _read(path) != identity.text:
        write_whole(path, identity.text.encode() + b"\n", PRIVATE_MODE, Existing.REPLACE)


def owner_of(paths: Paths, house: str) -> str:
    """The text of the identity whose state that of ``house`` is; empty if it does not say."""
    return _read(paths.house_state(house) / IDENTITY_NAME)


def _read(path: Path) -> str:
    return read_bounded(path, MAX_BYTES).decode(errors="replace").strip() if path.exists() else ""
