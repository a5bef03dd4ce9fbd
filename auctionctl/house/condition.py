"""How the house is, in its own words, for whoever asks: what keeps it from its work, and how much work there is.

Rule: a warning has a stable code and stands until whoever raised it takes it back; what is said is cut to what a
message holds, the gravest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from auctionctl.wire.messages import MAX_TEXT_CHARACTERS, Condition, InstanceWord

if TYPE_CHECKING:
    from auctionctl.house.house import House
    from auctionctl.house.instances import Instance

MAX_WARNINGS: Final = 32
MAX_INSTANCES: Final = 32
STORE_FULL: Final = "store_full"
STORE_LOSSY: Final = "store_lossy"
HALTED: Final = "halted"
QUARANTINED: Final = "quarantined"
ARCHIVE_FAILED: Final = "archive_failed"
LOTS_WAIT: Final = "lots_wait"
BANNED: Final = "banned"
CLOCK_BEHIND: Final = "clock_behind"
INSTANCE_LOST: Final = "instance_lost"
LIMITS_UNSHARED: Final = "limits_unshared"
LIMITS_DIFFER: Final = "limits_differ"
REVOKED_LISTED: Final = "revoked_listed"
ROTATED_LISTED: Final = "rotated_listed"
_ORDER: Final = (
    STORE_FULL,
    STORE_LOSSY,
    HALTED,
    QUARANTINED,
    CLOCK_BEHIND,
    INSTANCE_LOST,
    BANNED,
    ARCHIVE_FAILED,
    REVOKED_LISTED,
    ROTATED_LISTED,
    LIMITS_UNSHARED,
    LIMITS_DIFFER,
    LOTS_WAIT,
)


class Warnings:
    """What is wrong, by code and subject; each until it is taken back."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, str], str] = {}

    def say(self, code: str, words: str, subject: str = "") -> None:
        """From now on this is wrong, with ``subject`` (a log, if any)."""
        self._words[code, subject] = words

    def put(self, code: str, words: str) -> None:
        """From now on this is wrong, or, without words, nothing under this code."""
        if words:
            self.say(code, words)
        else:
            self.take_back(code)

    def take_back(self, code: str, subject: str = "") -> None:
        """It is not, any more."""
        self._words.pop((code, subject), None)

    def put_each(self, code: str, words: Mapping[str, str]) -> None:
        """From now on these are wrong under this code, by subject, and no others."""
        for subject in [subject for known, subject in self._words if known == code and subject not in words]:
            self.take_back(code, subject)
        for subject, its in words.items():
            self.say(code, its, subject)

    def listed(self) -> tuple[tuple[str, str], ...]:
        """(code, words), the gravest first, as many as a message holds."""

        def gravity(item: tuple[tuple[str, str], str]) -> int:
            code = item[0][0]
            return _ORDER.index(code) if code in _ORDER else len(_ORDER)

        said = sorted(self._words.items(), key=gravity)[:MAX_WARNINGS]
        return tuple(
            (code, (f"{subject}: {words}" if subject else words)[:MAX_TEXT_CHARACTERS])
            for (code, subject), words in said
        )


class Company(msgspec.Struct, frozen=True):
    """What this instance of the house is called, and which there are; nothing where it is the only one."""

    name: str = ""
    instances: tuple[InstanceWord, ...] = ()

    @property
    def lost(self) -> dict[str, str]:
        """What is wrong with those that are not heard of any more, by name: they did not end in order."""
        return {
            each.name: f"this instance is not heard of any more; it served at {each.endpoint}: start it again; or, if"
            " it is given up, start one of this name, and end it in order"
            for each in self.instances
            if not each.is_alive
        }


def company_of(name: str, seen: Iterable[Instance]) -> Company:
    """As the instance called ``name`` sees the others; one that does not say where it serves has ended in order."""
    words = [InstanceWord(each.name, each.endpoint, each.is_alive, each.holds) for each in seen if each.endpoint]
    return Company(name, tuple(words))


def condition_of(house: House, now_ns: int) -> Condition:
    """How ``house`` is at ``now_ns``."""
    sessions, entries = len(house.presence.peers), house.registry.durable_size
    counts = (house.live_count, house.unfinished_of_all, sessions, entries)
    company = house.company
    warnings = house.warnings.listed()
    return Condition(now_ns, house.started_ns, *counts, warnings, company.name, company.instances[:MAX_INSTANCES])
