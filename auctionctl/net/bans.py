"""Which keys end gateways: those of whoever was on the way in when one died, and of whoever takes others' routing ids.

A peer that takes the next automatic routing id of libzmq's ROUTER ends its process when the next connection is
attached. So the supervisor hears of each key that is let in, before it is; again when its first message has come, and
its id is tried (:mod:`auctionctl.net.route_numbers`); and again when that has done no harm. Rules, where a gateway has
died of itself:

- If one key was being tried, and nobody else was on the way in, that key's id is what it died of. Banned for the
  second such death, since another cause may have hit the same instant.
- Else whoever was being tried or had said nothing yet is a suspect; if nobody was being tried, all but the last one,
  whose coming is what such a death is made of. Banned for the third such death.
- A suspect is let in later than others and alone, and banned if it then says nothing in time. The trial of its id
  clears it.
- Whoever was seen with an id that has not been given out yet is banned, and no gateway dies.

Why no honest key is: it is on the way in for as long as a hello takes. To be banned it would have to be found there by
three deaths within an hour, though after the first it is let in alone, or to lose its voice just then. A process that
was killed from outside makes no suspects. What a gateway says is believed as far as this and no further: a subverted
one could let nobody in anyway, and its bans end with their time, or when the operator takes the key off the list.

Pure; times are seconds of one monotonic clock.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from auctionctl.net.child_words import GATEWAY

SUSPICION_S: Final = 3_600.0
DEATHS_TO_BAN: Final = 3
LONE_DEATHS_TO_BAN: Final = 2
FIRST_BAN_S: Final = 600.0
LONGEST_BAN_S: Final = 86_400.0
MAX_ON_THE_WAY: Final = 4_096
MAX_KEYS: Final = 20_000
MAX_BANNED: Final = 4_096
"""Strangers have any number of keys: whose ban ends next is forgotten first."""

CHOSE_ROUTE: Final = "it took a routing id that others are to be given, which ends gateways"
WAS_THERE: Final = "gateways died while it was on its way in"
SAID_NOTHING: Final = "a gateway died while it was on its way in, and it said nothing when it came again"


class Ban(NamedTuple):
    """``key`` (transport, 32 bytes) is kept out for so long."""

    key: bytes
    reason: str
    seconds: float


@dataclass(slots=True)
class _Suspicion:
    times: int
    last_s: float
    is_cleared: bool = False


@dataclass(slots=True)
class _Banned:
    reason: str
    until_s: float
    next_s: float


class Bans:
    """What is known of the keys of one house: by gateway, by its name, who is on the way in there; the rest of all."""

    def __init__(self) -> None:
        self._on_the_way: defaultdict[str, deque[bytes]] = defaultdict(partial(deque, maxlen=MAX_ON_THE_WAY))
        self._trying: defaultdict[str, deque[bytes]] = defaultdict(partial(deque, maxlen=MAX_ON_THE_WAY))
        self._suspicions: dict[bytes, _Suspicion] = {}
        self._banned: dict[bytes, _Banned] = {}

    def banned(self, now_s: float) -> list[bytes]:
        """The keys that are kept out now."""
        return [key for key, ban in self._banned.items() if now_s < ban.until_s]

    def reason(self, key: bytes) -> str:
        """Why ``key`` is, or was, kept out."""
        return self._banned[key].reason

    def suspects(self, now_s: float) -> list[bytes]:
        """The keys that are to be let in late, and alone."""
        return [
            key for key, each in self._suspicions.items() if not each.is_cleared and now_s - each.last_s < SUSPICION_S
        ]

    def next_end_s(self, now_s: float) -> float | None:
        """When the next ban ends, or None."""
        return min((ban.until_s for ban in self._banned.values() if ban.until_s > now_s), default=None)

    def knocked(self, key: bytes, at: str = GATEWAY) -> None:
        """``key`` is about to be let in."""
        self._on_the_way[at].append(key)

    def trying(self, key: bytes, at: str = GATEWAY) -> None:
        """One connection of ``key`` has said something, and its routing id is tried."""
        self._arrived(key, at)
        self._trying[at].append(key)

    def heard(self, key: bytes, at: str = GATEWAY) -> None:
        """That has done no harm."""
        self._tried(key, at)
        suspicion = self._suspicions.get(key)
        if suspicion is not None:
            suspicion.is_cleared = True

    def silent(self, key: bytes, now_s: float, at: str = GATEWAY) -> Ban | None:
        """A connection of ``key`` was cut, for it said nothing."""
        self._arrived(key, at)
        suspicion = self._suspicions.get(key)
        return None if suspicion is None or suspicion.is_cleared else self._ban(key, SAID_NOTHING, now_s)

    def chose_route(self, key: bytes, now_s: float, at: str = GATEWAY) -> Ban:
        """A connection of ``key`` has a routing id that was not given to it."""
        self._tried(key, at)
        return self._ban(key, CHOSE_ROUTE, now_s)

    def died(self, now_s: float, at: str = GATEWAY) -> list[Ban]:
        """A gateway has died of itself."""
        trying, waiting = list(self._trying[at]), list(self._on_the_way[at])
        self.was_replaced(at)
        if len(trying) == 1 and not waiting:
            return self._suspect(trying[0], LONE_DEATHS_TO_BAN, now_s)
        suspects = trying + waiting if trying else waiting[:-1] or waiting
        return [ban for key in dict.fromkeys(suspects) for ban in self._suspect(key, DEATHS_TO_BAN, now_s)]

    def _suspect(self, key: bytes, deaths_to_ban: int, now_s: float) -> list[Ban]:
        known = self._suspicions.pop(key, None)
        times = known.times + 1 if known is not None and now_s - known.last_s < SUSPICION_S else 1
        self._suspicions[key] = _Suspicion(times, now_s)
        if len(self._suspicions) > MAX_KEYS:
            del self._suspicions[next(iter(self._suspicions))]
        return [self._ban(key, WAS_THERE, now_s)] if times >= deaths_to_ban else []

    def was_replaced(self, at: str = GATEWAY) -> None:
        """A gateway has ended in another way: nobody on the way in has anything to do with it."""
        self._on_the_way.pop(at, None)
        self._trying.pop(at, None)

    def keep(self, keys: Iterable[bytes]) -> None:
        """Only these are on the allow list: what is known of others is forgotten, bans too."""
        listed = frozenset(keys)
        self._suspicions = {key: each for key, each in self._suspicions.items() if key in listed}
        self._banned = {key: each for key, each in self._banned.items() if key in listed}

    def _arrived(self, key: bytes, at: str) -> None:
        if key in self._on_the_way[at]:
            self._on_the_way[at].remove(key)

    def _tried(self, key: bytes, at: str) -> None:
        if key in self._trying[at]:
            self._trying[at].remove(key)

    def _ban(self, key: bytes, reason: str, now_s: float) -> Ban:
        self._suspicions.pop(key, None)
        known = self._banned.get(key)
        if known is not None and now_s < known.until_s:
            return Ban(key, reason, known.until_s - now_s)
        seconds = FIRST_BAN_S if known is None else known.next_s
        self._banned[key] = _Banned(reason, now_s + seconds, min(2 * seconds, LONGEST_BAN_S))
        if len(self._banned) > MAX_BANNED:
            del self._banned[min(self._banned, key=lambda each: self._banned[each].until_s)]
        return Ban(key, reason, seconds)
