"""A key file, the new key that is to take its place, and the former ones: which of them is there at any instant.

Rule: the new key is durable before anybody hears of it, and waits in ``next/NAME.key``; ``NAME.key`` stays what it was
until the house has entered the rotation. Then the old key is kept in ``former/``, under the digits of its signing key,
before the new one takes its name, in one step; ``next/NAME.key`` goes last. Whatever a crash leaves, to begin again
ends with the same two keys. All of them are as :mod:`auctionctl.keys.keyfile` wants key files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from auctionctl.keys.keyfile import (
    SUFFIX,
    StoredKey,
    key_path,
    list_keys,
    read_key_file,
    remove_key,
    write_key_file,
)
from auctionctl.keys.locked_key import LockedKey

NEXT: Final = "next"
FORMER: Final = "former"


class SuccessionFiles(msgspec.Struct, frozen=True):
    """Of the key called ``name`` in ``directory``. Methods raise KeyFileError."""

    directory: Path
    name: str

    @property
    def current(self) -> Path:
        """The key by its name."""
        return key_path(self.directory, self.name)

    @property
    def waiting(self) -> Path:
        """The new key, while it has not taken that name, or it is not certain that its holder has heard of it."""
        return key_path(self.directory / NEXT, self.name)

    def former(self, signing: bytes) -> Path:
        """Where the key with this signing key is kept once another has taken its name."""
        return former_path(self.directory, signing)

    def read_waiting(self) -> StoredKey | LockedKey | None:
        """The new key, if one waits."""
        return read_key_file(self.waiting) if self.waiting.exists() else None

    def wait(self, new: StoredKey | LockedKey) -> None:
        """A new key waits from now on, durably."""
        write_key_file(self.waiting, new, replace=True)

    def swap(self, signing: bytes, old: StoredKey | LockedKey, new: StoredKey | LockedKey) -> None:
        """``new`` has the name from now on, and ``old``, whose signing key is given, is kept; durably."""
        write_key_file(self.former(signing), old, replace=True)
        # A crash before this line leaves the old key under the name, one after it the new one; both are kept.
        write_key_file(self.current, new, replace=True)

    def end(self) -> None:
        """Its holder has heard of it: nothing waits any more."""
        if self.waiting.exists():
            remove_key(self.waiting)


def former_path(directory: Path, signing: bytes) -> Path:
    """Where the former key with this signing key is kept below ``directory``."""
    return directory / FORMER / f"{signing.hex()}{SUFFIX}"


def waiting_names(directory: Path) -> list[str]:
    """The names of keys in ``directory`` in whose place another waits to come, sorted."""
    return list_keys(directory / NEXT)
