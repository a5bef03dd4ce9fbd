"""Who on this machine runs under a key, or holds a state directory: found out without changing anything.

Rule: the lock says who runs, never the pid in its file, which is for people. Source: flock(2),
:mod:`auctionctl.store.state_directory`.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from auctionctl.cli.address_file import running_houses
from auctionctl.cli.settings.choices import MAX_ADDRESS_BYTES
from auctionctl.client.files import read_bounded
from auctionctl.client.paths import ADDRESS_SUFFIX, Paths
from auctionctl.errors import ConfigurationError, NotFoundError, StoreLockedError


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody holds a directory: its pid, or 0 where the lock file does not say."""

    pid: int

    @property
    def text(self) -> str:
        """For people."""
        return f"process {self.pid}" if self.pid else "another process"


def find_holder(directory: Path) -> Holder | None:
    """Who holds the state directory ``directory``; None if nobody does, or there is no lock in it. Raises OSError."""
    try:
        descriptor = os.open(directory / "lock", os.O_RDONLY | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        # Shared, so that two who look at once do not take each other for the holder; let go of again at once, for a
        # house that starts in this very instant would take us for another house.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(descriptor, 32, 0).strip()
        return Holder(int(pid) if pid.isdigit() else 0)
    finally:
        os.close(descriptor)
    return None


def check_unused(paths: Paths, name: str, public: str) -> None:
    """Raise StoreLockedError if a bidder or a house of this machine runs under the key of identity text ``public``."""
    if not public:
        return
    holder = find_holder(paths.bidder_state(public))
    if holder is not None:
        raise StoreLockedError(
            f"a bidder is running under the key {name}: {holder.text}", hint="end it first, or wait for its auctions"
        )
    for path in running_houses(paths):
        if public in _address_in(path):
            house = path.name.removesuffix(ADDRESS_SUFFIX)
            raise StoreLockedError(f"the house {house} is running under the key {name}", hint="end the house first")


def _address_in(path: Path) -> str:
    try:
        return read_bounded(path, MAX_ADDRESS_BYTES).decode("ascii", "replace")
    except (NotFoundError, ConfigurationError):
        # It has ended meanwhile, or its file is no address.
        return ""
