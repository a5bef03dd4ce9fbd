"""Histories that held, to be changed by those who test the checkers: found among the seeds by what they have to hold.

Rule: no seed is written down, as what it brings changes with everything else; the first that has it all is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from checkers import naive_of
from plan import draw
from world import World

SEARCHED: Final = 1_500
pack, unpack = msgspec.msgpack.encode, msgspec.msgpack.decode


class Past:
    """A seed that held, and one of its logs."""

    def __init__(self, seed: int) -> None:
        self.world = World(draw(seed))
        self.world.run()
        self.watch = self.world.watch
        self.choose(max(self.watch.shadows, key=lambda log: len(self.watch.shadows[log].naive.bids)))

    def choose(self, log: bytes) -> None:
        """It is this log that will be changed."""
        self.id = log
        self.entries = self.watch.shadows[self.id].entries
        self.naive = naive_of(self.entries)
        self.refused = [one for one in self.watch.refused if one.log == self.id]
        self.receipts = [one for one in self.watch.receipts if one.log == self.id]
        self.stamps = [one for one in self.watch.stamps if one.log == self.id]

    @property
    def kinds(self) -> list[str]:
        """Of the entries; with a star where a participant signed it."""
        return [kind + "*" * bool(signature) for kind, _, _, signature in map(unpack, self.entries)]

    @property
    def live(self) -> Any:
        """The auction in the house, as it is at the end."""
        house = self.world.shell.house
        assert house is not None
        return house.log(self.id).auction

    def index_of(self, kind: str) -> int:
        """The last entry of this kind, starred if it is signed."""
        return max(index for index, each in enumerate(self.kinds) if kind in (each, each.rstrip("*")))

    def with_entry(self, index: int, change: Callable[[list[Any]], None]) -> list[bytes]:
        """The entries, with one that was changed: kind, time, decoded body, signature."""
        entry = unpack(self.entries[index])
        entry[2] = unpack(entry[2])
        change(entry)
        entry[2] = pack(entry[2])
        return [*self.entries[:index], pack(entry), *self.entries[index + 1 :]]


def find(has_all: Callable[[Past], bool]) -> Past:
    """The first history that has it all, in whichever of its logs."""
    for seed in range(1, SEARCHED):
        past = Past(seed)
        for log in past.watch.shadows:
            past.choose(log)
            if has_all(past):
                return past
    raise AssertionError(f"no such history in {SEARCHED} seeds")
