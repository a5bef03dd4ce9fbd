"""Which ways to set up CURVE and ZAP let a stranger in, as libzmq has it, and that a gateway's does not.

Each case is a ROUTER under CURVE and a client whose key nobody knows; whoever answers for ZAP refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import pytest
import zmq
from zmq.utils.monitor import parse_monitor_message

from auctionctl.net.door import Answer, Door, DoorLimits
from auctionctl.net.mutes import POINTS_TO_MUTE
from auctionctl.net.strangers import StrangerLimits
from auctionctl.net.zap import ZAP_DOMAIN, ZAP_ENDPOINT, answer_zap

PATIENCE_S = 10
_OUTCOMES = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL


class Handler(Enum):
    """Who answers libzmq's questions, and from when on."""

    NONE = "nobody"
    EARLY = "somebody, before the socket is bound"
    LATE = "somebody, once it is bound"


def comes_in(domain: bytes | None, enforce: bool, handler: Handler, judge: Callable[[bytes, str], Answer]) -> bool:
    """Whether a client whose key nobody knows completes its handshake."""
    context = zmq.Context()
    router, dealer, zap = context.socket(zmq.ROUTER), context.socket(zmq.DEALER), context.socket(zmq.REP)
    public, secret = zmq.curve_keypair()
    router.curve_server, router.curve_secretkey = True, secret
    if domain is not None:
        router.setsockopt(zmq.ZAP_DOMAIN, domain)
    router.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, int(enforce))
    if handler is Handler.EARLY:
        zap.bind(ZAP_ENDPOINT)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    if handler is Handler.LATE:
        zap.bind(ZAP_ENDPOINT)
    dealer.curve_serverkey = public
    dealer.curve_publickey, dealer.curve_secretkey = zmq.curve_keypair()
    dealer.setsockopt(zmq.HANDSHAKE_IVL, 500)
    monitor = dealer.get_monitor_socket(_OUTCOMES)
    try:
        dealer.connect(f"tcp://127.0.0.1:{port}")
        for _ in range(PATIENCE_S * 50):
            if handler is not Handler.NONE:
                answer_zap(zap, judge)
            if monitor.poll(20):
                return parse_monitor_message(monitor.recv_multipart())["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED
        raise TimeoutError("the handshake has no end")
    finally:
        dealer.disable_monitor()
        for end in (monitor, dealer, router, zap):
            end.close(linger=0)
        context.term()


def refuse(_key: bytes, _host: str) -> Answer:
    return Answer.UNKNOWN


@pytest.mark.parametrize(
    ("domain", "enforce", "handler", "is_let_in"),
    [
        (None, False, Handler.NONE, True),
        (None, True, Handler.NONE, True),
        (b"auction", False, Handler.NONE, True),
        (b"auction", True, Handler.NONE, False),
        (b"auction", False, Handler.EARLY, False),
        (b"auction", True, Handler.EARLY, False),
        (b"auction", False, Handler.LATE, False),
        (b"auction", True, Handler.LATE, False),
        (b"another", True, Handler.EARLY, False),
        (b"*", True, Handler.EARLY, False),
        (None, False, Handler.EARLY, False),
        (None, True, Handler.EARLY, True),
    ],
)
def test_libzmq_lets_a_stranger_in_where_nobody_is_asked(domain, enforce, handler, is_let_in):
    assert comes_in(domain, enforce, handler, refuse) is is_let_in


def test_a_key_is_let_in_under_our_domain_alone():
    def admit(_key: bytes, _host: str) -> Answer:
        return Answer.COME_IN

    assert comes_in(ZAP_DOMAIN, True, Handler.EARLY, admit)
    for other in (b"another", b"*"):
        assert not comes_in(other, True, Handler.EARLY, admit)


OPEN = DoorLimits(strangers=StrangerLimits())


@pytest.mark.parametrize(
    ("domain", "enforce", "handler", "is_let_in"),
    [
        (b"auction", True, Handler.EARLY, True),
        (b"auction", True, Handler.LATE, True),
        (b"auction", False, Handler.EARLY, True),
        (b"auction", True, Handler.NONE, False),
        (b"another", True, Handler.EARLY, False),
        (b"*", True, Handler.EARLY, False),
        (None, False, Handler.EARLY, False),
    ],
)
def test_an_open_house_lets_a_stranger_in_where_it_is_asked_itself_and_nowhere_else(
    domain, enforce, handler, is_let_in
):
    door = Door(lambda key: 0, OPEN)
    assert comes_in(domain, enforce, handler, lambda key, host: door.knock(key, host, 0)) is is_let_in


@pytest.mark.parametrize("why", ["shut out", "banned", "muted", "its address muted", "too often"])
def test_an_open_house_refuses_in_the_handshake_whom_it_does_not_want(why):
    door = Door(lambda key: 0, OPEN)
    answers: list[Answer] = []

    def judge(key: bytes, host: str) -> Answer:
        if why == "shut out":
            door.admit([], [key])
        elif why == "banned":
            door.ban([key], [])
        elif why == "muted":
            door.mutes.offend(key, POINTS_TO_MUTE, 0)
        elif why == "its address muted":
            door.offend(b"another key of its".ljust(32), host, POINTS_TO_MUTE, 0)
        else:
            for _ in range(OPEN.strangers.arrivals_a_minute):
                door.knock(key, host, 0)
                door.entered(key)
        answers.append(door.knock(key, host, 1))
        return answers[-1]

    assert not comes_in(ZAP_DOMAIN, True, Handler.EARLY, judge)
    assert Answer.COME_IN not in answers
