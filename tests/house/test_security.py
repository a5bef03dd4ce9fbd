"""Security events are counted in bounded room, whoever takes part in a flood."""

from __future__ import annotations

from auctionctl.house.security import (
    MAX_NAMED,
    MAX_WHO_CHARACTERS,
    MAX_WORDS_CHARACTERS,
    OTHERS,
    SecurityEvent,
    SecurityKind,
    SecurityTally,
    named,
    security_event,
)
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import SecretKey

KEY = SecretKey(b"m" * 32).identity
ALLOWED = AllowList([(1, Entry(KEY, "mallory"))])
RATE = SecurityKind.RATE


def test_what_repeats_is_counted_with_its_first_and_last_time_and_the_last_words() -> None:
    tally = SecurityTally()
    for now_ns, words in ((5, "one"), (3, "two"), (9, "three")):
        tally.note(RATE, "ann", words, now_ns)
    assert tally.events == [SecurityEvent(RATE, "ann", 3, "three", 3, 9)]


def test_a_flood_of_names_is_told_as_few_and_leaves_room_for_other_kinds() -> None:
    tally = SecurityTally()
    for number in range(100_000):
        tally.note(SecurityKind.REFUSED_KEY, str(number), "", number)
    tally.note(SecurityKind.RESTART, "gateway", "", 1)
    assert len(tally) == MAX_NAMED + 2
    counts = {event.who: event.count for event in tally.events}
    assert counts[OTHERS] == 100_000 - MAX_NAMED
    assert counts["gateway"] == 1


def test_after_it_was_told_counting_begins_anew() -> None:
    tally = SecurityTally()
    tally.note(RATE, "ann", "", 1)
    tally.clear()
    assert len(tally) == 0
    tally.add_all([security_event(RATE, "ann", "", 2)])
    assert tally.events == [SecurityEvent(RATE, "ann", 1, "", 2, 2)]


def test_what_is_too_long_is_cut() -> None:
    event = security_event(RATE, "a" * 1_000, "b" * 1_000, 1)
    assert (len(event.who), len(event.words)) == (MAX_WHO_CHARACTERS, MAX_WORDS_CHARACTERS)


def test_a_key_gets_its_name_on_the_allow_list_and_anything_else_stays() -> None:
    for key in (KEY.transport, KEY.signing):
        assert named(security_event(RATE, key.hex(), "", 1), ALLOWED).who == "mallory"
    for who in ("aa" * 32, "z" * 64, "gateway", ""):
        assert named(security_event(RATE, who, "", 1), ALLOWED).who == who
