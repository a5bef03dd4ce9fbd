"""What a cluster says of a stream is not taken for more than it is: it may have no more to say than an error."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.errors import ConfigurationError, StoreError
from auctionctl.store.cluster_address import Durability, parse_cluster_address
from auctionctl.store.cluster_streams import ClusterStreams
from auctionctl.store.stream_settings import Streams

HOUSE = "ab" * 32
STATE = {"messages": 1, "bytes": 20, "last_seq": 7}


class Answering:
    """In place of a connection: gives the answers that it has been given, in turn."""

    def __init__(self, *answers: Any) -> None:
        self._answers = answers

    def request_all(self, requests: dict[str, Any]) -> dict[str, Any]:
        return dict(zip(requests, self._answers, strict=True))


def test_what_streams_hold_is_said_by_name() -> None:
    streams = Streams(HOUSE)
    link: Any = Answering({"state": STATE}, {"state": {**STATE, "bytes": 3}})
    assert ClusterStreams(link, streams).states() == {streams.logs: STATE, streams.signs: {**STATE, "bytes": 3}}


def test_an_error_of_the_cluster_about_one_of_them_is_told_as_it_says_it() -> None:
    streams = Streams(HOUSE)
    link: Any = Answering({"state": STATE}, {"error": {"code": 404, "err_code": 10059, "description": "not found"}})
    with pytest.raises(StoreError, match=f"the stream {streams.signs} cannot be read: not found") as caught:
        ClusterStreams(link, streams).states(patience_s=0.0)
    assert caught.value.hint


class LateToKnow(Answering):
    """Does not know the second stream yet when it is asked for the first time."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.asked = 0

    def request_all(self, requests: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        answers = super().request_all(requests)
        return answers if self.asked > 1 else {**answers, [*requests][1]: {"error": {"err_code": 10059}}}


def test_a_server_that_does_not_know_yet_what_was_just_made_is_asked_again() -> None:
    streams = Streams(HOUSE)
    link: Any = LateToKnow({"state": STATE}, {"state": STATE})
    assert ClusterStreams(link, streams).states() == {streams.logs: STATE, streams.signs: STATE}
    assert link.asked == 2


class InNoCluster:
    """A server by itself, without our streams, that can make none with replicas."""

    def request_all(self, requests: dict[str, Any]) -> dict[str, Any]:
        return {each: {"error": {"err_code": 10059 if "INFO" in each else 10074}} for each in requests}


def test_of_a_server_in_no_cluster_it_is_not_said_that_others_are_down() -> None:
    link: Any = InNoCluster()
    with pytest.raises(ConfigurationError, match="has no 3 servers") as caught:
        ClusterStreams(link, Streams(HOUSE))._find_or_make(
            parse_cluster_address("nats://127.0.0.1:1"), Durability.REQUIRED
        )
    assert "--allow-lossy" in caught.value.hint
