"""A connection that a server has ended for good is said to be so at once, and why, and is not tried on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from nats_cluster import require_cluster
from secured_server import SecuredServer

from auctionctl.errors import StoreAwayError
from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.jetstream import JetStream
from auctionctl.store.stream_tail import StreamTail

PATIENCE_S = 30.0
SOON_S = 10.0
SETTINGS = 'authorization { users: [{ user: "house", password: "before" }] }\n'


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def ask_again_and_again(link: JetStream) -> None:
    deadline_s = time.monotonic() + SOON_S
    while time.monotonic() < deadline_s:
        link.request("INFO")


def test_a_login_that_is_no_longer_known_is_said_at_once_to_whoever_asks_or_reads(
    tmp_path: Path, stack: ExitStack
) -> None:
    require_cluster()
    server = SecuredServer(tmp_path / "s", SETTINGS)
    stack.callback(server.stop)
    link = JetStream(parse_cluster_address(server.url(login="house:before@")), PATIENCE_S)
    stack.callback(link.close)
    tail = StreamTail(link, "auction-ab", 0)
    stack.callback(tail.close)
    server.change("before", "behind")
    begun_s = time.monotonic()
    with pytest.raises(StoreAwayError, match=r"info: it has ended the connection \(authorization failed\)") as caught:
        ask_again_and_again(link)
    assert "login" in caught.value.hint
    with pytest.raises(StoreAwayError, match="read: it has ended"):
        link.scan("auction-ab", "auction-ab.>", 1, 2, pytest.fail)
    with pytest.raises(StoreAwayError, match="read auction-ab: it has ended"):
        tail._reading.result(SOON_S)
    with pytest.raises(StoreAwayError, match="authorization failed"):
        tail.take()
    assert time.monotonic() - begun_s < SOON_S
