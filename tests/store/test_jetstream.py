"""What is read of a stream comes once and in order, though its reader is lost in the middle of what it sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.jetstream import JetStream, Stored

STREAM = "auction-ab"


class FickleServers:
    """In place of the library's client: a stream of ``size`` messages, whose first readers send ``sent`` each."""

    is_closed = False
    is_connected = True

    def __init__(self, size: int, sent: list[int]) -> None:
        self.size = size
        self.sent = sent
        self.starts: list[int] = []
        """Where each reader has begun."""
        self._take_in: Callable[[Any], Coroutine[Any, Any, None]]

    def new_inbox(self) -> str:
        return f"inbox{len(self.starts)}"

    async def request(self, subject: str, payload: bytes, timeout: float) -> Any:
        assert subject.startswith(f"$JS.API.CONSUMER.CREATE.{STREAM}.")
        self.starts.append(json.loads(payload)["config"]["opt_start_seq"])
        return SimpleNamespace(data=b"{}")

    async def subscribe(self, subject: str, cb: Callable[[Any], Coroutine[Any, Any, None]]) -> Any:
        self._take_in = cb

        async def unsubscribe() -> None:
            pass

        return SimpleNamespace(subject=subject, unsubscribe=unsubscribe)

    async def publish(self, subject: str, payload: bytes = b"", reply: str = "") -> None:
        if "MSG.NEXT" not in subject:
            return
        start = self.starts[-1]
        is_lost = len(self.starts) <= len(self.sent)
        behind = start + self.sent[len(self.starts) - 1] if is_lost else self.size + 1
        for number in range(start, behind):
            place = f"$JS.ACK.{STREAM}.reader.1.{number}.{number - start + 1}.0.0"
            await self._take_in(SimpleNamespace(reply=place, subject=f"{STREAM}.log", headers={}, data=b"%d" % number))
        if not is_lost:
            await self._take_in(SimpleNamespace(reply="", subject=reply, headers={"Status": "404"}, data=b""))


def link_to(client: Any) -> JetStream:
    """One whose client is ``client``, for use in the loop of a test."""
    link: Any = object.__new__(JetStream)
    link.client, link.failures, link._said, link._denied = client, (OSError,), "", []
    link._address = parse_cluster_address("nats://127.0.0.1:4222")
    link._attempt_s, link._patience_s = 0.01, 10.0
    made: JetStream = link
    return made


@pytest.mark.parametrize("sent", [[], [2], [0], [3, 1]])
def test_a_reader_that_is_lost_in_the_middle_is_followed_by_one_behind_what_was_taken(sent: list[int]) -> None:
    servers = FickleServers(9, sent)
    taken: list[Stored] = []
    asyncio.run(link_to(servers)._scan(STREAM, f"{STREAM}.>", 1, 9, taken.append, headers_only=False))
    assert [each.sequence for each in taken] == list(range(1, 10))
    assert [each.payload for each in taken] == [b"%d" % number for number in range(1, 10)]
    assert servers.starts == [1 + sum(sent[:number]) for number in range(len(sent) + 1)]
