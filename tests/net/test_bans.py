"""Whoever ends gateways is found by when they end, and nobody who does what every client does is taken for it."""

from __future__ import annotations

import pytest

from auctionctl.net.bans import (
    CHOSE_ROUTE,
    FIRST_BAN_S,
    LONGEST_BAN_S,
    MAX_BANNED,
    MAX_KEYS,
    SAID_NOTHING,
    SUSPICION_S,
    WAS_THERE,
    Ban,
    Bans,
)

MALLORY, ANN, BEN = b"m" * 32, b"a" * 32, b"b" * 32


@pytest.fixture
def bans() -> Bans:
    return Bans()


def come_in(bans: Bans, *keys: bytes) -> None:
    """What every client does."""
    for key in keys:
        bans.knocked(key)
        bans.trying(key)
        bans.heard(key)


def test_a_death_with_nobody_on_the_way_in_makes_no_suspects(bans):
    come_in(bans, ANN, BEN)
    assert bans.died(1.0) == []
    assert bans.suspects(1.0) == []


def test_the_second_death_by_a_trial_of_the_same_key_alone_bans_it(bans):
    for now_s in (1.0, 2.0):
        come_in(bans, ANN, BEN)
        bans.knocked(MALLORY)
        bans.trying(MALLORY)
        found = bans.died(now_s)
    assert found == [Ban(MALLORY, WAS_THERE, FIRST_BAN_S)]
    assert bans.banned(3.0) == [MALLORY]
    assert bans.suspects(3.0) == []


def test_whoever_came_last_is_no_suspect_and_whoever_lay_in_wait_is(bans):
    bans.knocked(MALLORY)
    bans.knocked(ANN)
    assert bans.died(1.0) == []
    assert bans.suspects(1.0) == [MALLORY]


def test_a_suspect_that_says_nothing_when_it_comes_again_is_banned(bans):
    bans.knocked(MALLORY)
    bans.knocked(ANN)
    bans.died(1.0)
    bans.knocked(MALLORY)
    assert bans.silent(MALLORY, 5.0) == Ban(MALLORY, SAID_NOTHING, FIRST_BAN_S)


def test_whoever_says_nothing_is_not_banned_where_no_gateway_died(bans):
    bans.knocked(ANN)
    assert bans.silent(ANN, 1.0) is None
    assert bans.died(2.0) == []
    assert bans.suspects(2.0) == []


def test_a_suspect_whose_trial_does_no_harm_is_none_any_more(bans):
    bans.knocked(ANN)
    bans.trying(ANN)
    bans.died(1.0)
    assert bans.suspects(1.0) == [ANN]
    come_in(bans, ANN)
    assert bans.suspects(2.0) == []
    bans.knocked(ANN)
    assert bans.silent(ANN, 3.0) is None


def test_who_is_tried_beside_somebody_who_lies_in_wait_is_a_suspect_as_he_is_until_it_has_spoken(bans):
    for now_s in (1.0, 2.0):
        bans.knocked(MALLORY)
        bans.knocked(ANN)
        bans.trying(ANN)
        assert bans.died(now_s) == []
        assert set(bans.suspects(now_s)) == {MALLORY, ANN}
        come_in(bans, ANN)
        assert bans.suspects(now_s) == [MALLORY]


def test_the_third_death_within_an_hour_bans_whoever_was_on_the_way_in_at_each(bans):
    for now_s in (1.0, 2.0, 3.0):
        come_in(bans, ANN, MALLORY)
        bans.knocked(MALLORY)
        bans.knocked(BEN if now_s == 2.0 else ANN)
        found = bans.died(now_s)
    assert found == [Ban(MALLORY, WAS_THERE, FIRST_BAN_S)]


def test_deaths_that_are_far_apart_are_coincidence(bans):
    for count in range(5):
        bans.knocked(ANN)
        assert bans.died(count * SUSPICION_S) == []
    assert bans.suspects(5 * SUSPICION_S) == []


def test_a_process_that_was_killed_from_outside_makes_no_suspects(bans):
    bans.knocked(ANN)
    bans.trying(BEN)
    bans.was_replaced()
    assert bans.died(1.0) == []
    assert bans.suspects(1.0) == []


def test_an_id_that_was_not_given_out_bans_at_once_and_each_ban_is_twice_as_long(bans):
    now_s, expected_s = 0.0, FIRST_BAN_S
    for _ in range(12):
        bans.trying(MALLORY)
        assert bans.chose_route(MALLORY, now_s) == Ban(MALLORY, CHOSE_ROUTE, expected_s)
        assert bans.next_end_s(now_s) == now_s + expected_s
        assert bans.chose_route(MALLORY, now_s + 1.0).seconds == expected_s - 1.0, "one ban at a time"
        now_s += expected_s
        assert (bans.banned(now_s), bans.next_end_s(now_s)) == ([], None)
        expected_s = min(2 * expected_s, LONGEST_BAN_S)


def test_a_key_that_is_off_the_list_is_forgotten(bans):
    bans.chose_route(MALLORY, 1.0)
    bans.knocked(ANN)
    bans.died(1.0)
    bans.keep([ANN])
    assert (bans.banned(1.0), bans.suspects(1.0)) == ([], [ANN])
    bans.keep([])
    assert bans.suspects(1.0) == []


def test_what_is_remembered_is_bounded(bans):
    for number in range(MAX_KEYS + 10):
        bans.knocked(number.to_bytes(32))
        bans.died(1.0)
    assert len(bans.suspects(1.0)) == MAX_KEYS


def test_of_more_bans_than_are_remembered_those_that_end_next_are_forgotten(bans):
    for number in range(MAX_BANNED + 10):
        bans.chose_route(number.to_bytes(32), float(number) / 100)
    banned = bans.banned(0.0)
    assert (len(banned), banned[0], banned[-1]) == (
        MAX_BANNED,
        (10).to_bytes(32),
        (MAX_BANNED + 9).to_bytes(32),
    )
