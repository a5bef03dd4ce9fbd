"""What of a house's life belongs into its journal of security events, and how such events are counted.

Rule: what repeats is counted, not repeated. However many keys and addresses take part in a flood, MAX_NAMED of them are
named for each kind; the others are counted together. Whoever reports an event chooses words that need no secret.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from types import MappingProxyType
from typing import Annotated, Final

import msgspec

from auctionctl.keys.allowlist import AllowList

MAX_NAMED: Final = 32
"""So many keys or addresses of one kind are told apart at a time."""
OTHERS: Final = "others"
KEY_HEX_DIGITS: Final = 64
MAX_WHO_CHARACTERS: Final = 128
MAX_WORDS_CHARACTERS: Final = 200
_MAX_NS: Final = (1 << 63) - 1

Count = Annotated[int, msgspec.Meta(ge=0, le=_MAX_NS)]


class SecurityKind(enum.StrEnum):
    """Of what kind an event is."""

    REFUSED_KEY = "refused_key"
    """A key that is not on the allow list, at the handshake."""
    REFUSED_ROLE = "refused_role"
    """A message that the sender's role may not give."""
    RATE = "rate"
    """More than a limit allows, refused."""
    BAD_SIGNATURE = "bad_signature"
    MUTE = "mute"
    """Nothing more is taken of somebody for a while."""
    CUT = "cut"
    """A connection or session was ended by the house."""
    BAN = "ban"
    """A key is let in no longer, for what it did."""
    RESTART = "restart"
    """A process of the house had died and was started again."""
    ALLOW_LIST = "allow_list"
    """Another allow list is in force."""
    ALLOW_LIST_REFUSED = "allow_list_refused"
    """A new allow list is wrong: the one before stays in force."""
    HALTED = "halted"
    """A log to which nothing is written any more."""
    QUARANTINED = "quarantined"
    """A log of the store that does not verify."""


REFUSALS: Final = MappingProxyType(
    {
        "not_authorised": SecurityKind.REFUSED_ROLE,
        "bad_signature": SecurityKind.BAD_SIGNATURE,
        "busy": SecurityKind.RATE,
        "rate": SecurityKind.RATE,
        "quota": SecurityKind.RATE,
        "muted": SecurityKind.MUTE,
    }
)
"""Code of a refusal → what it is for the journal; others are mistakes, or the house's own trouble."""


class SecurityEvent(msgspec.Struct, frozen=True):
    """``count`` times, from ``first_ns`` to ``last_ns``. ``words`` are those of the last time.

    ``who`` is a name on the allow list, a key in hex, an address, a process or a log; empty where it is nobody.
    """

    kind: SecurityKind
    who: Annotated[str, msgspec.Meta(max_length=MAX_WHO_CHARACTERS)]
    count: Count
    words: Annotated[str, msgspec.Meta(max_length=MAX_WORDS_CHARACTERS)]
    first_ns: Count
    last_ns: Count

    def of(self, who: str) -> SecurityEvent:
        """The same, by another name."""
        return msgspec.structs.replace(self, who=who)

    def with_later(self, later: SecurityEvent) -> SecurityEvent:
        """This event and a ``later`` one of the same kind as one, by the name of this."""
        first_ns, last_ns = min(self.first_ns, later.first_ns), max(self.last_ns, later.last_ns)
        count = min(self.count + later.count, _MAX_NS)
        return SecurityEvent(self.kind, self.who, count, later.words, first_ns, last_ns)


def security_event(kind: SecurityKind, who: str, words: str, now_ns: int) -> SecurityEvent:
    """One event of this instant; what is too long is cut."""
    return SecurityEvent(kind, who[:MAX_WHO_CHARACTERS], 1, words[:MAX_WORDS_CHARACTERS], now_ns, now_ns)


def named(event: SecurityEvent, allowed: AllowList) -> SecurityEvent:
    """``event`` by the name of ``allowed`` for its key, where that has one."""
    if len(event.who) != KEY_HEX_DIGITS:
        return event
    try:
        key = bytes.fromhex(event.who)
    except ValueError:
        return event
    entry = allowed.by_transport(key) or allowed.by_signing(key)
    return event if entry is None else event.of(entry.name)


class SecurityTally:
    """What has happened in one process since it was last told: bounded, whatever happens."""

    __slots__ = ("_events", "_named")

    def __init__(self) -> None:
        self._events: dict[tuple[SecurityKind, str], SecurityEvent] = {}
        self._named: dict[SecurityKind, int] = {}

    def __len__(self) -> int:
        return len(self._events)

    def note(self, kind: SecurityKind, who: str, words: str, now_ns: int) -> None:
        """Count one event."""
        self.add(security_event(kind, who, words, now_ns))

    def add(self, event: SecurityEvent) -> None:
        """Count what has been counted elsewhere."""
        kind, who = event.kind, event.who
        if (kind, who) not in self._events:
            if self._named.get(kind, 0) >= MAX_NAMED:
                who = OTHERS
            else:
                self._named[kind] = self._named.get(kind, 0) + 1
        known = self._events.get((kind, who))
        self._events[kind, who] = event.of(who) if known is None else known.with_later(event)

    def add_all(self, events: Iterable[SecurityEvent]) -> None:
        """Count all of ``events``."""
        for event in events:
            self.add(event)

    @property
    def events(self) -> list[SecurityEvent]:
        """Everything since :meth:`clear`."""
        return list(self._events.values())

    def clear(self) -> None:
        """It has been told."""
        self._events.clear()
        self._named.clear()
