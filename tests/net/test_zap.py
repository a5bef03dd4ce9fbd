"""Who may connect is whoever stands on the list, by a CURVE key and under our own domain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq

from auctionctl.net.door import Answer
from auctionctl.net.zap import ZAP_DOMAIN, answer_zap

ANN = b"a" * 32


@pytest.fixture
def sockets() -> Iterator[tuple[zmq.Socket[bytes], zmq.Socket[bytes]]]:
    """Whoever asks, and whoever is asked."""
    context = zmq.Context()
    asking, asked = context.socket(zmq.REQ), context.socket(zmq.REP)
    asked.bind("inproc://questions")
    asking.connect("inproc://questions")
    yield asking, asked
    for end in (asking, asked):
        end.close(linger=0)
    context.term()


@pytest.mark.parametrize(
    ("domain", "mechanism", "credentials", "verdict"),
    [
        (ZAP_DOMAIN, b"CURVE", [ANN], (b"200", ANN.hex().encode())),
        (ZAP_DOMAIN, b"CURVE", [b"b" * 32], (b"400", b"")),
        (b"another", b"CURVE", [ANN], (b"400", b"")),
        (ZAP_DOMAIN, b"PLAIN", [ANN, b"secret"], (b"400", b"")),
        (ZAP_DOMAIN, b"NULL", [], (b"400", b"")),
    ],
)
def test_a_key_on_the_list_is_let_in_and_nothing_else(sockets, domain, mechanism, credentials, verdict):
    asking, asked = sockets
    asking.send_multipart([b"1.0", b"7", domain, b"127.0.0.1", b"route", mechanism, *credentials])
    assert asked.poll(10_000)
    answer_zap(asked, lambda key, host: Answer.COME_IN if (key, host) == (ANN, "127.0.0.1") else Answer.UNKNOWN)
    version, request, found, _, found_user, metadata = asking.recv_multipart()
    assert (version, request, (found, found_user), metadata) == (b"1.0", b"7", verdict, b"")


def test_nobody_asks_and_nothing_happens(sockets):
    answer_zap(sockets[1], lambda key, host: Answer.COME_IN)


@pytest.mark.parametrize("answer", Answer)
def test_what_changes_by_itself_is_put_off_and_the_rest_refused_for_good(sockets, answer):
    asking, asked = sockets
    asking.send_multipart([b"1.0", b"7", ZAP_DOMAIN, b"\xff", b"route", b"CURVE", ANN])
    assert asked.poll(10_000)
    answer_zap(asked, lambda key, host: answer)
    status, text = asking.recv_multipart()[2:4]
    expected = b"200" if answer is Answer.COME_IN else b"400" if answer.is_for_good else b"300"
    assert (status, text) == (expected, answer.value.encode())
