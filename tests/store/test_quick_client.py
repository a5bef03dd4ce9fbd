"""Less work for each message, and the same on the wire: what is out of the ordinary is left to the library."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from auctionctl.errors import ConfigurationError
from auctionctl.store.quick_client import REPLACED, quicken, read_lines, write_lines

HEADERS = {"Auction": "entries 1 0 1 ab", "Nats-Msg-Id": "é" * 3}
client = pytest.importorskip("nats.aio.client", reason="nats-py is not installed")
errors = pytest.importorskip("nats.errors", reason="nats-py is not installed")


class Sent:
    """Of the library's client no more than what sending needs; notes what it would have sent."""

    def __init__(self, kind: Any) -> None:
        self.client = kind()
        self.client._flush_queue = None
        self.client._max_payload = self.client._max_pending_size = 1_000

    def bytes_of(self, *what: Any, **named: Any) -> bytes:
        asyncio.run(self.client.publish(*what, **named))
        sent = b"".join(self.client._pending)
        self.client._pending.clear()
        return sent


@pytest.mark.parametrize(
    ("payload", "reply", "headers"),
    [
        (b"payload", "inbox", HEADERS),
        (b"", "", {"One": "1"}),
        (b"payload", "", None),
        (b"payload", "", {}),
        (b"payload", "inbox", {"One": "two\r\nlines: 1"}),
        (b"payload", "", {"": "of no name", "One": "1"}),
    ],
)
def test_it_sends_the_bytes_that_the_library_does(payload: bytes, reply: str, headers: dict[str, str] | None) -> None:
    mine, its = Sent(quicken(client.Client)), Sent(client.Client)
    assert mine.bytes_of("a.b", payload, reply=reply, headers=headers) == its.bytes_of(
        "a.b", payload, reply=reply, headers=headers
    )
    assert mine.client.stats == its.client.stats


def test_a_name_that_no_header_has_is_refused_as_by_the_library() -> None:
    for kind in (client.Client, quicken(client.Client)):
        with pytest.raises(errors.BadHeaderError):
            Sent(kind).bytes_of("a.b", b"", headers={"no name": "1"})


@pytest.mark.parametrize(
    "block",
    [
        b"NATS/1.0\r\n" + write_lines(HEADERS).partition("\r\n")[2].encode(),
        b"NATS/1.0\r\nA:1\r\nB:\t2 \r\nno colon\r\nC: a:b\r\n\r\n",
        b"NATS/1.0 503\r\n\r\n",
        b"NATS/1.0 404 No Messages\r\n\r\n",
        b"NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 10\r\nNats-Last-Stream: 12\r\n\r\n",
        b"NATS/1.0\r\nA: \xff\r\n\r\n",
    ],
)
def test_it_reads_the_headers_that_the_library_does(block: bytes) -> None:
    mine, its = quicken(client.Client)(), client.Client()
    assert asyncio.run(mine._process_headers(block)) == asyncio.run(its._process_headers(block))


@pytest.mark.parametrize("block", [b"NATS/1.0 \xff\xfe\xfd\r\n\r\n", b"NATS/1.0 503 \xff\r\n\r\n", b"NATS/1.0", b"x"])
def test_a_block_that_nobody_can_read_has_no_headers(block: bytes) -> None:
    assert asyncio.run(quicken(client.Client)()._process_headers(block)) == {}


def test_what_is_written_is_read() -> None:
    assert read_lines(write_lines(HEADERS).encode().partition(b"\r\n")[2]) == HEADERS
    assert not write_lines({"One": "1\n"})


@pytest.mark.parametrize("name", REPLACED)
def test_a_library_that_does_not_have_what_is_replaced_is_not_connected_by(name: str) -> None:
    def other(changed: Any) -> None:
        """Takes what no method of the library's takes."""

    for what in (other, None):
        with pytest.raises(ConfigurationError, match=f"not tested: {name} is not what it was") as caught:
            quicken(type("OtherClient", (client.Client,), {name: what}))
        assert "auctionctl[cluster]" in caught.value.hint
