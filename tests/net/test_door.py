"""Who knocks is told one of few things, and the limits of a key and of the house are kept, whatever comes at once."""

from __future__ import annotations

from collections import Counter

import pytest

from auctionctl.net.door import SUSPECTS_NS, WAITING_NS, Answer, Door, DoorLimits
from auctionctl.net.mutes import FIRST_MUTE_NS, POINTS_TO_MUTE

ANN, BEN, MALLORY = b"a" * 32, b"b" * 32, b"m" * 32
HOST = "192.0.2.1"


@pytest.fixture
def sessions() -> Counter[bytes]:
    return Counter()


@pytest.fixture
def door(sessions: Counter[bytes]) -> Door:
    door = Door(lambda key: sessions.total() if key is None else sessions[key], DoorLimits(2, 5))
    door.admit([ANN, BEN, MALLORY])
    return door


def enter(door: Door, sessions: Counter[bytes], key: bytes) -> None:
    assert door.knock(key, HOST, 0) is Answer.COME_IN
    sessions[key] += 1
    door.entered(key)


def test_a_key_that_is_not_on_the_list_is_refused_for_good(door):
    assert door.knock(b"x" * 32, HOST, 0) is Answer.UNKNOWN
    door.admit([ANN])
    assert (door.knock(BEN, HOST, 0), door.may_stay(BEN, 0)) == (Answer.UNKNOWN, False)
    assert (door.knock(ANN, HOST, 0), door.may_stay(ANN, 0)) == (Answer.COME_IN, True)


def test_a_banned_key_is_refused_for_good_and_a_muted_one_for_a_while(door):
    door.ban([BEN], [])
    assert (door.knock(BEN, HOST, 0), door.may_stay(BEN, 0)) == (Answer.BANNED, False)
    door.ban_too(ANN)
    assert [door.knock(key, HOST, 0) for key in (ANN, BEN)] == [Answer.BANNED, Answer.BANNED]
    door.ban([], [])
    assert door.knock(BEN, HOST, 0) is Answer.COME_IN
    door.mutes.offend(ANN, POINTS_TO_MUTE, 0)
    assert (door.knock(ANN, HOST, 1), door.may_stay(ANN, 1)) == (Answer.MUTED, False)
    assert door.knock(ANN, HOST, FIRST_MUTE_NS) is Answer.COME_IN


def test_only_what_does_not_change_by_itself_is_for_good():
    assert {answer for answer in Answer if answer.is_for_good} == {Answer.UNKNOWN, Answer.BANNED}


def test_a_key_has_so_many_connections_and_no_more_whether_they_have_said_something_or_not(door, sessions):
    enter(door, sessions, ANN)
    assert door.knock(ANN, HOST, 0) is Answer.COME_IN
    assert door.knock(ANN, HOST, 0) is Answer.KEY_IS_FULL
    assert door.knock(BEN, HOST, 0) is Answer.COME_IN
    assert door.knock(ANN, HOST, WAITING_NS + 1) is Answer.COME_IN, "who said nothing has been cut by then"


def test_all_together_have_so_many(door, sessions):
    for key in (ANN, ANN, BEN, BEN):
        enter(door, sessions, key)
    assert door.knock(MALLORY, HOST, 0) is Answer.COME_IN
    assert door.knock(MALLORY, HOST, 0) is Answer.HOUSE_IS_FULL
    sessions[ANN] -= 1
    assert door.knock(MALLORY, HOST, 0) is Answer.COME_IN


def test_a_silent_connection_is_its_keys_only_where_no_other_key_could_have_made_it(door):
    door.knock(ANN, HOST, 0)
    door.knock(BEN, "192.0.2.2", 0)
    assert door.suspect(HOST, -1) is None, "it was let in after that"
    assert door.suspect(HOST, 0) == ANN
    assert door.suspect(HOST, 0) is None, "it was told once, and is cut"
    door.knock(ANN, "192.0.2.2", 0)
    assert door.suspect("192.0.2.2", 0) is None
    door.entered(BEN)
    door.entered(MALLORY)  # who did not wait
    assert door.suspect("192.0.2.2", 0) == ANN


def test_a_suspect_is_let_in_after_the_others_and_alone(door):
    door.open(0)
    door.ban([], [MALLORY])
    assert door.knock(MALLORY, HOST, SUSPECTS_NS - 1) is Answer.LATER
    assert door.knock(ANN, HOST, SUSPECTS_NS - 1) is Answer.COME_IN
    assert door.knock(MALLORY, HOST, SUSPECTS_NS) is Answer.LATER, "somebody else is on the way in"
    door.entered(ANN)
    assert door.knock(MALLORY, HOST, SUSPECTS_NS) is Answer.COME_IN
    assert door.knock(BEN, HOST, SUSPECTS_NS) is Answer.LATER
    door.entered(MALLORY)
    assert door.knock(BEN, HOST, SUSPECTS_NS) is Answer.COME_IN
