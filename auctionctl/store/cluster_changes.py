"""What other instances of a house have done to its logs, as a store tells it."""

from __future__ import annotations

import msgspec


class Grown(msgspec.Struct, frozen=True):
    """Another instance has appended ``entries`` to ``log``, from index ``first`` on."""

    log: str
    first: int
    entries: tuple[bytes, ...]


class Claimed(msgspec.Struct, frozen=True):
    """``instance`` holds ``log`` by the claim ``epoch``, made at ``time_ns``; nobody saw to it from ``since_ns`` on.

    Both are 0 where they are not known.
    """

    log: str
    epoch: int
    instance: str
    time_ns: int
    since_ns: int


class Forgotten(msgspec.Struct, frozen=True):
    """``log``, of ``size`` entries, has been removed."""

    log: str
    size: int


Change = Grown | Claimed | Forgotten
