"""Who knocks is told one of few things, and the limits of a key and of the house are kept, whatever comes at once."""

from __future__ import annotations

from collections import Counter

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.door import SUSPECTS_NS, WAITING_NS, Answer, Door, DoorLimits
from auctionctl.net.mutes import FIRST_MUTE_NS, POINTS_TO_MUTE
from auctionctl.net.strangers import StrangerLimits

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


# Strangers

LIMITS = DoorLimits(2, 8, StrangerLimits(2, 3, 100, 1_000))
EVE, OTHER_HOST = b"e" * 32, "192.0.2.2"


class Open:
    """An open door; whoever comes in takes a seat at once."""

    def __init__(self, limits: DoorLimits = LIMITS) -> None:
        self.seats: list[tuple[bytes, str]] = []
        self.door = Door(self._count, limits, lambda: self.seats)
        self.door.admit([ANN, BEN])

    def _count(self, key: bytes | None) -> int:
        return len([seat for seat in self.seats if key in (None, seat[0])])

    def come(self, key: bytes, host: str = HOST, now_ns: int = 0) -> Answer:
        answer = self.door.knock(key, host, now_ns)
        if answer is Answer.COME_IN:
            self.seats.append((key, host))
            self.door.entered(key)
        return answer


def stranger(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_a_stranger_comes_in_where_the_house_is_open_unless_its_key_is_shut_out_or_banned():
    at = Open()
    assert (at.come(EVE), at.door.is_listed(EVE), at.door.may_stay(EVE, 0)) == (Answer.COME_IN, False, True)
    at.door.ban([MALLORY], [])
    assert at.come(MALLORY) is Answer.BANNED
    at.door.admit([ANN], [EVE])
    assert (at.come(EVE), at.door.may_stay(EVE, 0)) == (Answer.UNKNOWN, False)
    at.door.admit([ANN, EVE], [EVE])
    assert at.door.may_stay(EVE, 0), "a key that is listed again is no stranger's"


def test_a_stranger_has_fewer_connections_and_one_address_no_more_than_a_few():
    at = Open()
    assert [at.come(EVE) for _ in range(3)] == [Answer.COME_IN] * 2 + [Answer.KEY_IS_FULL]
    assert [at.come(stranger(n)) for n in range(2)] == [Answer.COME_IN, Answer.ADDRESS_IS_FULL]
    assert at.come(EVE, OTHER_HOST) is Answer.KEY_IS_FULL
    assert at.come(stranger(9), OTHER_HOST) is Answer.COME_IN
    assert [at.come(ANN), at.come(BEN)] == [Answer.COME_IN] * 2, "who is listed may come from there as before"


def test_whoever_is_on_the_way_in_counts_for_its_address():
    at = Open()
    assert [at.door.knock(stranger(n), HOST, 0) for n in range(4)] == [Answer.COME_IN] * 3 + [Answer.ADDRESS_IS_FULL]


def test_half_of_the_house_is_for_listed_keys_however_many_strangers_come():
    at = Open()
    answers = [at.come(stranger(number), f"192.0.2.{number}") for number in range(20)]
    assert answers == [Answer.COME_IN] * 4 + [Answer.STRANGERS_ARE_FULL] * 16
    assert [at.come(key) for key in (ANN, ANN, BEN, BEN)] == [Answer.COME_IN] * 4
    fewer = Open(DoorLimits(2, 8, StrangerLimits(connections=1)))
    assert [fewer.come(stranger(n), f"192.0.2.{n}") for n in range(2)] == [Answer.COME_IN, Answer.STRANGERS_ARE_FULL]


def test_strangers_of_one_address_come_in_slowly_and_say_hello_slowly():
    at = Open(DoorLimits(2, 8, StrangerLimits(arrivals_a_minute=2)))
    for number in range(2):
        assert at.come(stranger(number)) is Answer.COME_IN
    at.seats.clear()
    assert at.come(EVE) is Answer.TOO_OFTEN
    assert at.come(EVE, OTHER_HOST) is Answer.COME_IN
    assert at.come(ANN) is Answer.COME_IN
    assert at.come(EVE, HOST, 30 * SECOND_NS) is Answer.COME_IN
    assert [at.door.greet(EVE, HOST, 0) > 0 for _ in range(3)] == [False, False, True]
    assert [at.door.greet(ANN, HOST, 0) for _ in range(3)] == [0] * 3


def test_who_knocks_without_end_is_put_off_before_anybody_is_counted():
    at = Open(DoorLimits(2, 8, StrangerLimits(2, 1, 100, arrivals_a_minute=5)))
    counted = []
    at.door = Door(at._count, at.door.limits, lambda: counted.append(1) or at.seats)
    answers = [at.come(stranger(number)) for number in range(1_000)]
    assert answers == [Answer.COME_IN] + [Answer.ADDRESS_IS_FULL] * 4 + [Answer.TOO_OFTEN] * 995
    assert len(counted) == 5


def test_what_a_stranger_is_muted_for_counts_for_its_address_and_for_nobody_listed():
    at = Open()
    assert at.door.offend(EVE, HOST, POINTS_TO_MUTE, 0) == FIRST_MUTE_NS
    assert at.come(stranger(1), HOST, 1) is Answer.MUTED, "another key is no way out"
    assert at.come(stranger(1), OTHER_HOST, 1) is Answer.COME_IN
    assert at.come(ANN, HOST, 1) is Answer.COME_IN
    assert at.come(stranger(2), HOST, FIRST_MUTE_NS) is Answer.COME_IN
    assert at.door.offend(ANN, OTHER_HOST, POINTS_TO_MUTE, 1) == FIRST_MUTE_NS
    assert at.come(stranger(3), OTHER_HOST, 2) is Answer.COME_IN, "who is listed speaks for itself alone"
