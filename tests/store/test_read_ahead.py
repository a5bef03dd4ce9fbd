"""A small stream comes at once, and is there for whoever reads it before anything is written; a large one does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.store.jetstream import Stored
from auctionctl.store.read_ahead import MAX_BYTES, ReadAhead

SUBJECTS = {1: "s.log.a", 2: "s.log.b", 3: "s.log.a"}


class Link:
    """A cluster with three messages; notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def scan(self, stream: str, subject: str, start: int, until: int, take: Callable[[Stored], None]) -> None:
        self._send("scan", start, until, take)

    def scan_whole(self, stream: str, subject: str, start: int, until: int, take: Callable[[Stored], None]) -> None:
        self._send("scan_whole", start, until, take)

    def get(self, stream: str, subject: str, sequences: list[int]) -> list[Stored]:
        self.asked.append("get")
        return [Stored(each, SUBJECTS[each], "", "", b"asked for") for each in sequences]

    def _send(self, what: str, start: int, until: int, take: Callable[[Stored], None]) -> None:
        self.asked.append(what)
        for number in range(start, until + 1):
            take(Stored(number, SUBJECTS[number], "", "", b"kept" if what == "scan_whole" else b""))


def opened(stream_bytes: int) -> tuple[ReadAhead, Link]:
    link: Any = Link()
    ahead = ReadAhead(link, "s")
    ahead.begin(stream_bytes)
    taken: list[int] = []
    ahead.scan(1, 3, lambda message: taken.append(message.sequence))
    assert taken == [1, 2, 3]
    return ahead, link


def test_a_small_stream_is_read_once_until_something_is_written() -> None:
    ahead, link = opened(MAX_BYTES)
    assert [message.payload for message in ahead.get("s.log.a", [1, 3])] == [b"kept", b"kept"]
    assert link.asked == ["scan_whole"]
    ahead.forget()
    assert [message.payload for message in ahead.get("s.log.a", [1, 3])] == [b"asked for"] * 2
    ahead.scan(1, 3, lambda _: None)
    assert link.asked == ["scan_whole", "get", "scan"]


def test_a_large_stream_is_not_kept() -> None:
    ahead, link = opened(MAX_BYTES + 1)
    assert ahead.get("s.log.b", [2])[0].payload == b"asked for"
    assert link.asked == ["scan", "get"]


@pytest.mark.parametrize(("subject", "sequences"), [("s.log.b", [1]), ("s.log.a", [1, 4])])
def test_what_was_not_kept_for_this_log_is_asked_for(subject: str, sequences: list[int]) -> None:
    ahead, link = opened(0)
    SUBJECTS.setdefault(4, "s.log.a")
    assert len(ahead.get(subject, sequences)) == len(sequences)
    assert link.asked[-1] == "get"
