"""Moves are followed while they are few; whoever goes round in circles rests, and for longer each time."""

from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.replica.rounds import LONGEST_REST_NS, MAX_HOPS, MAX_REMEMBERED, WINDOW_NS, Rounds

LOG, OTHER = b"a" * 32, b"b" * 32


def test_a_few_moves_in_a_row_are_followed_and_one_more_is_a_circle() -> None:
    rounds = Rounds()
    assert [rounds.rest_ns(LOG, True, now_ns) for now_ns in range(MAX_HOPS)] == [0] * MAX_HOPS
    assert not rounds.is_circle(LOG)
    assert rounds.rest_ns(LOG, True, 10) == SECOND_NS
    assert rounds.is_circle(LOG)
    assert rounds.rest_ns(OTHER, True, 11) == 0


def test_what_is_no_move_does_not_count() -> None:
    rounds = Rounds()
    assert {rounds.rest_ns(LOG, False, now_ns) for now_ns in range(100)} == {0}


def test_moves_that_are_far_apart_are_never_a_circle() -> None:
    rounds = Rounds()
    step_ns = WINDOW_NS // MAX_HOPS
    assert {rounds.rest_ns(LOG, True, number * step_ns) for number in range(100)} == {0}


def test_what_is_under_way_during_a_rest_does_not_make_it_longer_and_the_next_one_is() -> None:
    rounds, now_ns, rests = Rounds(), 0, []
    for _ in range(MAX_HOPS):
        rounds.rest_ns(LOG, True, now_ns)
    for _ in range(6):
        rest_ns = rounds.rest_ns(LOG, True, now_ns)
        assert rounds.rest_ns(LOG, True, now_ns + rest_ns // 2) == rest_ns - rest_ns // 2
        rests.append(rest_ns)
        now_ns += rest_ns
        while not rounds.rest_ns(LOG, True, now_ns):
            now_ns += 1
        now_ns += rounds.rest_ns(LOG, True, now_ns)
        rests.append(0)
    whole = [rest for rest in rests if rest]
    assert whole == sorted(whole)
    assert whole[-1] == LONGEST_REST_NS


def test_after_a_quiet_time_it_begins_anew() -> None:
    rounds = Rounds()
    for now_ns in range(MAX_HOPS + 1):
        rounds.rest_ns(LOG, True, now_ns)
    later_ns = 2 * WINDOW_NS
    assert rounds.rest_ns(LOG, True, later_ns) == 0
    assert not rounds.is_circle(LOG)


def test_of_so_many_at_once_the_first_is_forgotten_and_the_last_ones_are_not() -> None:
    rounds = Rounds()
    for number in range(MAX_REMEMBERED + 1):
        for _ in range(MAX_HOPS):
            rounds.rest_ns(number.to_bytes(32, "big"), True, 0)
    assert rounds.rest_ns(MAX_REMEMBERED.to_bytes(32, "big"), True, 1) > 0
    assert rounds.rest_ns((0).to_bytes(32, "big"), True, 1) == 0
