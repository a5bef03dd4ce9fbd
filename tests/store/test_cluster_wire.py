"""What a server says does nothing to a client but what it may: no traceback, no end, and nothing said to others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fake_servers import INFO, PONG, FakeServer, url_of

from auctionctl.errors import StoreAwayError
from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.jetstream import JetStream

pytest.importorskip("nats", reason="nats-py is not installed")

SHORT_S = 0.2
LONG_S = 20.0
PING = b"PING\r\n"
ODD = [
    b"INFO []\r\n",
    b'INFO "x"\r\n',
    b"INFO 7\r\n",
    b"INFO \xff\r\n",
    b"INFO\r\n",
    b'INFO {"max_payload":"x"}\r\n',
    b"x" * 70_000,
]


@pytest.fixture(autouse=True)
def nothing_else_is_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No traceback of the library's, nor of the loop's."""
    yield
    assert caplog.get_records("call") == []


def connect(server: FakeServer, patience_s: float) -> JetStream:
    return JetStream(parse_cluster_address(url_of([server])), patience_s)


@pytest.mark.parametrize("first", ODD, ids=lambda line: repr(line[:24]))
def test_a_server_whose_first_line_makes_no_sense_is_one_that_is_away(first: bytes) -> None:
    with FakeServer((first, PONG)) as server, pytest.raises(StoreAwayError, match="does not answer"):
        connect(server, SHORT_S)


@pytest.mark.parametrize("first", ODD, ids=lambda line: repr(line[:24]))
def test_a_client_goes_on_after_a_first_line_that_makes_no_sense(first: bytes) -> None:
    with FakeServer((INFO, PONG), (first, PONG), (INFO, PONG)) as server:
        link = connect(server, LONG_S)
        server.hang_up()
        server.await_words(2, PING, 2)  # one to be let in, and one to begin again with what it was about
        link.close()


def test_no_server_is_believed_about_where_others_are() -> None:
    with FakeServer((INFO, PONG)) as other:
        told = INFO.replace(b"}", b',"connect_urls":["' + other.place.encode() + b'"]}')
        with FakeServer((told, PONG), (b"x\r\n", PONG), (INFO, PONG)) as server:
            link = connect(server, LONG_S)
            server.hang_up()
            server.await_words(2, PING, 2)
            link.close()
    assert other.heard == []


async def end_while_reconnecting(place: str) -> None:
    """What a client does that has just reached a server anew, has something left, and is told to end."""
    from nats.aio.client import Client, Srv

    from auctionctl.store.cluster_wire import SealedClient

    client = SealedClient()
    client.options = {"connect_timeout": LONG_S}
    client._flush_queue = asyncio.Queue()
    client._current_server = Srv(urlsplit(f"tls://{place}"))
    await client._connect_to_server(client._current_server)
    client._status = Client.RECONNECTING
    await client._send_command(b"PUB bids 8\r\na secret\r\n")
    await client.close()


def test_a_sealed_client_that_ends_says_nothing_of_what_is_left_on_a_wire_that_is_not_under_tls() -> None:
    with FakeServer((b"", PONG)) as server:
        asyncio.run(asyncio.wait_for(end_while_reconnecting(server.place), LONG_S))
        server.await_end()
    assert server.heard == [b""]
