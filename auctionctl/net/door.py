"""Who is let in: the answer to each key that knocks, by the allow list, mutes, and how many are in already.

Rule: what will not change by itself is refused for good, so that a client can say so; what will is put off, and
libzmq's clients come again by themselves. Whoever has been let in counts until its session is over, or, if it never
says anything, until it has to be cut for that. A suspect (:mod:`auctionctl.net.bans`) is let in after all who come back
to a new gateway at once, and nobody beside it. In an open house strangers come in too, within limits of their own
(:mod:`auctionctl.net.strangers`), and what one of them is muted for counts for its address as well. Pure.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.rates import Rate, RateLimit
from auctionctl.net.addresses import site_of
from auctionctl.net.mutes import Mutes
from auctionctl.net.strangers import LISTED_SHARE, StrangerLimits, Strangers
from auctionctl.net.watchdog import GREETING_NS

WAITING_NS: Final = GREETING_NS + SECOND_NS
"""For so long it is remembered who was let in: until after whoever said nothing has been cut."""
HELLOS: Final = Rate(2, 40)
"""Of a listed key, on all its connections: more than the liveliest client needs. Each costs the house a check and a
signature of its own."""
SUSPECTS_NS: Final = 3 * SECOND_NS
"""How long a new gateway lets no suspect in: by then everybody else is back."""


class DoorLimits(msgspec.Struct, frozen=True):
    """How many connections there may be: of one key, and in all; of ``strangers``, where they are let in at all."""

    connections_a_key: int = 4
    connections: int = 256
    strangers: StrangerLimits | None = None

    def share(self, gateways: int) -> DoorLimits:
        """What one of so many gateways has of them, rounded up."""
        strangers = None if self.strangers is None else self.strangers.share(gateways)
        return DoorLimits(-(-self.connections_a_key // gateways), -(-self.connections // gateways), strangers)


DEFAULT_LIMITS: Final = DoorLimits()


class Answer(enum.Enum):
    """What a key that knocks is told; the value is the reason."""

    COME_IN = "OK"
    UNKNOWN = "not on the allow list"
    BANNED = "banned for a while"
    MUTED = "muted for a while"
    KEY_IS_FULL = "too many connections of this key"
    HOUSE_IS_FULL = "too many connections"
    ADDRESS_IS_FULL = "too many connections from this address"
    STRANGERS_ARE_FULL = "too many connections of strangers"
    TOO_OFTEN = "too many arrivals from this address"
    LATER = "one at a time, for now"

    @property
    def is_for_good(self) -> bool:
        """Whether to ask again is of no use."""
        return self in (Answer.UNKNOWN, Answer.BANNED)


class Waiting(NamedTuple):
    """A connection that was let in and has not said anything yet."""

    key: bytes
    host: str
    since_ns: int


class Door:
    """``count`` says how many connections of a key (32 bytes) there are that have said something; None: of all keys.

    ``seats`` are (key, address) of each of them.
    """

    def __init__(
        self,
        count: Callable[[bytes | None], int],
        limits: DoorLimits = DEFAULT_LIMITS,
        seats: Callable[[], Iterable[tuple[bytes, str]]] = tuple,
    ) -> None:
        self.mutes: Final = Mutes()
        self._count = count
        self._seats = seats
        self._admitted: frozenset[bytes] = frozenset()
        self._shut_out: frozenset[bytes] = frozenset()
        self._banned: frozenset[bytes] = frozenset()
        self._suspects: frozenset[bytes] = frozenset()
        self._opened_ns = 0
        self._waiting: deque[Waiting] = deque()
        """By time."""
        self.limits = limits
        self._strangers: Strangers | None = None
        self._greetings = RateLimit(HELLOS)
        self.obey(limits)

    def obey(self, limits: DoorLimits) -> None:
        """These are the limits from now on."""
        self.limits = limits
        self._strangers = None if limits.strangers is None else Strangers(limits.strangers, self._all_seats)

    def admit(self, keys: Iterable[bytes], shut_out: Iterable[bytes] = ()) -> None:
        """These are listed from now on, and no others; ``shut_out`` come in as strangers neither."""
        self._admitted = frozenset(keys)
        self._shut_out = frozenset(shut_out)

    def is_listed(self, key: bytes) -> bool:
        """Whether ``key`` is no stranger's."""
        return key in self._admitted

    def ban(self, keys: Iterable[bytes], suspects: Iterable[bytes]) -> None:
        """These may not, whatever the allow list says, and no others; and ``suspects`` only alone."""
        self._banned = frozenset(keys)
        self._suspects = frozenset(suspects)

    def ban_too(self, key: bytes) -> None:
        """Not this one either."""
        self._banned |= {key}

    def open(self, now_ns: int) -> None:
        """The gateway begins to serve."""
        self._opened_ns = now_ns

    def may_stay(self, key: bytes, now_ns: int) -> bool:
        """Whether ``key`` is let in now, however many it has already."""
        return self._judge_key(key, now_ns) is Answer.COME_IN

    def offend(self, key: bytes, host: str, points: int, now_ns: int) -> int:
        """``key``, at ``host``, has done something worth so many points; for how many ns it is muted for that, or 0.

        A stranger has other keys: its address is muted with it.
        """
        muted_ns = self.mutes.offend(key, points, now_ns)
        if self._strangers is not None and not self.is_listed(key) and host:
            self.mutes.offend(_mute_key(host), points, now_ns)
        return muted_ns

    def greet(self, key: bytes, host: str, now_ns: int) -> int:
        """0 if a hello of ``key`` from ``host`` is taken now; else in how many nanoseconds."""
        if self._strangers is not None and not self.is_listed(key):
            return self._strangers.greet(host, now_ns)
        return self._greetings.take(key, now_ns)

    def knock(self, key: bytes, host: str, now_ns: int) -> Answer:
        """The answer to ``key``, which comes from the address ``host``."""
        while self._waiting and now_ns - self._waiting[0].since_ns > WAITING_NS:
            self._waiting.popleft()
        answer = self._judge_key(key, now_ns)
        if answer is not Answer.COME_IN:
            return answer
        if self._must_wait(key, now_ns):
            return Answer.LATER
        strangers = None if self.is_listed(key) else self._strangers
        waiting_of_key = sum(each.key == key for each in self._waiting)
        most = self.limits.connections_a_key if strangers is None else strangers.limits.connections_a_key
        if self._count(key) + waiting_of_key >= most:
            return Answer.KEY_IS_FULL
        if self._count(None) + len(self._waiting) >= self.limits.connections:
            return Answer.HOUSE_IS_FULL
        if strangers is not None and (answer := self._judge_stranger(strangers, host, now_ns)) is not Answer.COME_IN:
            return answer
        self._waiting.append(Waiting(key, host, now_ns))
        return Answer.COME_IN

    def _judge_stranger(self, strangers: Strangers, host: str, now_ns: int) -> Answer:
        if self.mutes.is_muted(_mute_key(host), now_ns):
            return Answer.MUTED
        if strangers.arrive(host, now_ns):
            # Before anything is counted, and whether there is room or not: who knocks without end costs little.
            return Answer.TOO_OFTEN
        here, everywhere = strangers.count(host, self._admitted)
        if here >= strangers.limits.connections_an_address:
            return Answer.ADDRESS_IS_FULL
        if everywhere >= min(strangers.limits.connections, self.limits.connections // LISTED_SHARE):
            return Answer.STRANGERS_ARE_FULL
        return Answer.COME_IN

    def _all_seats(self) -> Iterator[tuple[bytes, str]]:
        yield from self._seats()
        for waiting in self._waiting:
            yield waiting.key, waiting.host

    def _must_wait(self, key: bytes, now_ns: int) -> bool:
        if not self._suspects:
            return False
        if key in self._suspects and (self._waiting or now_ns - self._opened_ns < SUSPECTS_NS):
            return True
        return any(waiting.key in self._suspects for waiting in self._waiting)

    def _judge_key(self, key: bytes, now_ns: int) -> Answer:
        if not self.is_listed(key) and (self._strangers is None or key in self._shut_out):
            return Answer.UNKNOWN
        if key in self._banned:
            return Answer.BANNED
        return Answer.MUTED if self.mutes.is_muted(key, now_ns) else Answer.COME_IN

    def entered(self, key: bytes) -> None:
        """One connection of ``key`` has said something: it is a session now."""
        for waiting in self._waiting:
            if waiting.key == key:
                self._waiting.remove(waiting)
                return

    def suspect(self, host: str, let_in_by_ns: int) -> bytes | None:
        """Whose the connection from ``host`` must be that never said anything; None where it could be several keys'.

        It was let in not later than ``let_in_by_ns``, if at all: what is not may be no key's.

        An honest client says hello as soon as it is let in, so that hardly ever anybody else waits.
        """
        keys = {waiting.key for waiting in self._waiting if waiting.host == host and waiting.since_ns <= let_in_by_ns}
        if len(keys) != 1:
            return None
        (key,) = keys
        self.entered(key)  # It is no longer there.
        return key


def _mute_key(host: str) -> bytes:
    """What an address is muted by; no key of 32 bytes."""
    return f"address {site_of(host)}".encode()
