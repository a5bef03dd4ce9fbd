"""What a house that runs tells whoever started it: the values that a supervisor hands to its ``on_report``."""

from __future__ import annotations

from dataclasses import dataclass

from auctionctl.net.admission_news import AllowListKept, AllowListReplaced, KeysListed, LimitsDiffer
from auctionctl.net.house_words import (
    Admitted,
    AllClosed,
    Announced,
    Archived,
    ArchiveFailed,
    Halted,
    LotsWait,
    Measured,
    Recovering,
    Reloaded,
    SettingsKept,
    StoreFull,
    Turned,
)
from auctionctl.wire.address import HouseAddress

__all__ = [
    "Admitted",
    "AllClosed",
    "AllowListKept",
    "AllowListReplaced",
    "ArchiveFailed",
    "Archived",
    "Banned",
    "Draining",
    "Halted",
    "KeysListed",
    "LimitsDiffer",
    "LotsWait",
    "Measured",
    "Muted",
    "News",
    "Processes",
    "Quarantined",
    "Recovering",
    "Reloaded",
    "Report",
    "RestartNeeded",
    "Restarted",
    "Serving",
    "SettingsKept",
    "StoreFull",
    "Turned",
    "Unwatched",
]


@dataclass(frozen=True, slots=True)
class Serving:
    """Bidders can connect to ``address``."""

    address: HouseAddress
    auctions: tuple[Announced, ...]


@dataclass(frozen=True, slots=True)
class Restarted:
    """A process had died and has been started again; ``cause`` says how the one before ended."""

    process: str
    pid: int
    cause: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A log of the store does not verify: its auction stands still, the others run."""

    log: str
    reason: str


@dataclass(frozen=True, slots=True)
class Processes:
    """Who runs what, for whoever watches from outside."""

    house: int
    gateway: int
    """The first of them."""
    verifiers: tuple[int, ...]
    gateways: tuple[int, ...] = ()
    """All of them, where there are several."""


@dataclass(frozen=True, slots=True)
class Muted:
    """Somebody was cut off again for the same: it cannot connect for so many seconds."""

    name: str
    host: str
    fault: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Banned:
    """Somebody ends gateways, or tries to: it cannot connect for so many seconds, or until it is off the allow list."""

    name: str
    reason: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Unwatched:
    """This system does not show what connections receive: an endless message is not found, nor who is slow."""


@dataclass(frozen=True, slots=True)
class Draining:
    """The house takes nothing any more, and ends when everything is answered."""


@dataclass(frozen=True, slots=True)
class RestartNeeded:
    """These settings differ from those in force, and will hold when the house is started again."""

    settings: tuple[str, ...]


News = (
    Serving
    | Restarted
    | Quarantined
    | Turned
    | Admitted
    | AllowListKept
    | AllowListReplaced
    | Reloaded
    | SettingsKept
    | RestartNeeded
    | Archived
    | LotsWait
    | KeysListed
    | LimitsDiffer
    | ArchiveFailed
    | StoreFull
    | Halted
    | AllClosed
    | Draining
    | Processes
    | Muted
    | Banned
    | Unwatched
)
"""What is worth a line."""

Report = News | Recovering | Measured
"""All that a supervisor reports."""
