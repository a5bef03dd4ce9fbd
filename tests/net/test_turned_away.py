"""Whom a gateway does not let in is told once a second, counted by key."""

from __future__ import annotations

from auctionctl.house.security import MAX_NAMED, SecurityEvent, SecurityKind
from auctionctl.net.door import Answer
from auctionctl.net.turned_away import TELL_NS, TurnedAway
from auctionctl.wire.messages import Refused

KEY = b"k" * 32


def test_refusals_are_told_once_a_second_counted_with_the_reason_and_the_address() -> None:
    away = TurnedAway()
    away.note(KEY, "192.0.2.1", Answer.UNKNOWN, TELL_NS)
    away.note(KEY, "192.0.2.2", Answer.UNKNOWN, TELL_NS + 1)
    words = f"{Answer.UNKNOWN.value}, from 192.0.2.2"
    assert away.take(TELL_NS + 1) == [
        SecurityEvent(SecurityKind.REFUSED_KEY, KEY.hex(), 2, words, TELL_NS, TELL_NS + 1)
    ]
    away.note(KEY, "192.0.2.1", Answer.MUTED, TELL_NS + 2)
    assert away.take(2 * TELL_NS) == []
    assert [event.count for event in away.take(2 * TELL_NS + 1)] == [1]
    assert away.take(9 * TELL_NS) == []


def test_too_many_connections_are_a_matter_of_limits_and_who_is_put_off_is_none() -> None:
    away = TurnedAway()
    away.note(KEY, "h", Answer.KEY_IS_FULL, 0)
    away.note(KEY, "h", Answer.HOUSE_IS_FULL, 0)
    away.note(KEY, "h", Answer.LATER, 0)
    assert [(event.kind, event.count) for event in away.take(TELL_NS)] == [(SecurityKind.RATE, 2)]


def test_a_flood_of_keys_is_told_as_few() -> None:
    away = TurnedAway()
    for number in range(10_000):
        away.note(number.to_bytes(32), "h", Answer.UNKNOWN, 0)
    assert len(away.take(TELL_NS)) == MAX_NAMED + 1


def test_a_limit_of_an_address_is_told_of_the_address_whatever_its_keys() -> None:
    away = TurnedAway()
    for number in range(5):
        away.note(number.to_bytes(32), "192.0.2.1", Answer.TOO_OFTEN, 0)
        away.note(number.to_bytes(32), "192.0.2.1", Answer.ADDRESS_IS_FULL, 0)
    assert [(event.kind, event.who, event.count) for event in away.take(TELL_NS)] == [
        (SecurityKind.RATE, "192.0.2.1", 10)
    ]


def test_what_was_not_passed_on_counts_as_it_would_in_the_house() -> None:
    away = TurnedAway()
    for code in ("rate", "busy", "muted", "malformed"):
        away.refused(KEY, Refused(code, "so it is"), 0)
    assert [(event.kind, event.who, event.count) for event in away.take(TELL_NS)] == [
        (SecurityKind.RATE, KEY.hex(), 2),
        (SecurityKind.MUTE, KEY.hex(), 1),
    ]
