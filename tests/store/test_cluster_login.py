"""Where every server refuses us that is known at once; where some are away, they are waited for, and what is said."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from fake_servers import INFO, PONG, REFUSAL, FakeServer, empty_place, url_of

from auctionctl.errors import ConfigurationError, ShutOutError, StoreAwayError
from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.cluster_login import Refusals
from auctionctl.store.jetstream import JetStream

pytest.importorskip("nats", reason="nats-py is not installed")

SHORT_S = 0.4
LONG_S = 20.0
TOO_SLOW = b"-ERR 'Authentication Timeout'\r\n"


def connect(url: str, patience_s: float) -> None:
    JetStream(parse_cluster_address(url), patience_s).close()


def test_where_every_server_refuses_us_nobody_waits() -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(FakeServer((INFO, REFUSAL))) for _ in range(3)]
        with pytest.raises(ShutOutError, match="does not let us in") as caught:
            connect(url_of(servers), LONG_S)
        assert [len(each.heard) for each in servers] == [1, 1, 1]
    assert "--store-credentials" in caught.value.hint
    assert isinstance(caught.value, ConfigurationError)


def test_where_one_refuses_us_and_the_others_are_away_they_are_away_and_the_refusal_is_said() -> None:
    away = pytest.raises(StoreAwayError, match="not every server answers")
    with FakeServer((INFO, REFUSAL)) as server, away as caught:
        connect(url_of([server], [empty_place()]), SHORT_S)
    assert "does not let us in" in str(caught.value)
    assert "--store-credentials" in caught.value.hint


def test_a_server_that_comes_to_know_us_lets_us_in() -> None:
    with FakeServer((INFO, REFUSAL), (INFO, PONG)) as server:
        connect(url_of([server], [empty_place()]), LONG_S)


def test_a_server_that_has_not_heard_us_in_time_has_not_refused_us() -> None:
    with FakeServer((INFO, TOO_SLOW), (INFO, PONG)) as server:
        connect(url_of([server]), LONG_S)


def test_an_attempt_that_forgets_that_it_was_given_up_is_given_up_all_the_same() -> None:
    cancelled = 0

    async def connect_on() -> None:
        nonlocal cancelled
        while cancelled < 3:
            try:
                await asyncio.sleep(10 * LONG_S)
            except asyncio.CancelledError:
                cancelled += 1

    async def give_up() -> None:
        refusals = Refusals(parse_cluster_address("nats://127.0.0.1:1"), None)
        await refusals.wait(asyncio.ensure_future(connect_on()), 0.01)

    asyncio.run(asyncio.wait_for(give_up(), LONG_S))
    assert cancelled == 3
