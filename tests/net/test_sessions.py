"""A session is found by its route, its number and the auctions it follows, until it is over: then by none of them."""

from __future__ import annotations

import pytest

from auctionctl.net.sessions import Session, Sessions

USER = "61" * 32
VASE, LAMP = b"v" * 32, b"l" * 32


@pytest.fixture
def sessions() -> Sessions:
    found = Sessions()
    found.next_number = 100
    return found


def begin(sessions: Sessions, route: bytes = b"\0one") -> Session:
    return sessions.begin(route, USER, 7)


def test_a_session_is_numbered_from_where_it_was_said_and_found_by_route_and_number(sessions):
    assert not sessions
    one, two = begin(sessions), begin(sessions, b"\0two")
    assert [one.number, two.number] == [100, 101]
    assert (one.user, one.transport, one.heard_ns, one.identity) == (USER, b"a" * 32, 7, b"")
    assert sessions.by_route == {b"\0one": one, b"\0two": two}
    assert sessions.all() == [one, two]


def test_one_that_is_over_is_found_by_nothing_and_ends_once(sessions):
    one = begin(sessions)
    sessions.follow(one.number, [VASE])
    assert sessions.forget(one)
    assert not sessions.forget(one)
    assert (sessions.by_route, sessions.by_number, sessions.followers(VASE)) == ({}, {}, [])


def test_the_end_of_an_earlier_session_on_a_route_leaves_the_later_one(sessions):
    one = begin(sessions)
    two = begin(sessions)
    assert sessions.forget(one)
    assert sessions.by_route == {b"\0one": two}


def test_followers_are_those_who_said_so_and_are_still_there(sessions):
    one, two = begin(sessions), begin(sessions, b"\0two")
    sessions.follow(one.number, [VASE, LAMP])
    sessions.follow(two.number, [LAMP])
    sessions.follow(99, [VASE])
    assert (sessions.followers(VASE), sessions.followers(LAMP), sessions.followers(b"")) == ([one], [one, two], [])


def test_an_answer_settles_one_request_of_each_session_that_is_still_there(sessions):
    one = begin(sessions)
    one.unanswered = 3
    sessions.settle([one.number, 99, one.number])
    assert one.unanswered == 1
