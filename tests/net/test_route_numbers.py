"""A routing id that has not been given out is told from one that has, wherever the numbers began."""

from __future__ import annotations

import pytest
import zmq

from auctionctl.net.route_numbers import ENDPOINT, RouteNumbers, is_ahead


def route(number: int) -> bytes:
    return b"\0" + (number % 2**32).to_bytes(4)


@pytest.mark.parametrize("given", [0, 1, 2**31, 2**32 - 1])
def test_only_what_was_given_before_is_behind(given):
    for distance in (1, 2, 1_000, 2**31 - 1):
        assert is_ahead(route(given + distance), route(given))
        assert not is_ahead(route(given - distance), route(given))
    assert is_ahead(route(given), route(given))


@pytest.mark.parametrize("chosen", [b"", b"mallory", b"\1" + bytes(4), bytes(6), bytes(4)])
def test_an_id_of_another_shape_is_in_nobodys_way(chosen):
    assert not is_ahead(chosen, route(7))


def test_the_number_asked_for_is_ahead_of_all_that_were_given_and_comes_with_its_question():
    context = zmq.Context()
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    router.bind(ENDPOINT)
    dealer.connect(ENDPOINT)
    dealer.send(b"hello")
    theirs, _ = router.recv_multipart()
    numbers = RouteNumbers(context)
    for session in (1 << 40, 7):
        numbers.ask(session)
        given, body = router.recv_multipart()
        assert numbers.answered(body) == session
        assert not is_ahead(theirs, given)
    for end in (router, dealer):
        end.close(linger=0)
    context.term()
