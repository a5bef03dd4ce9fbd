"""``doctor --store`` says of a cluster what would keep a house from using it, and changes nothing there.

With real servers: ``tests/conformance/test_cluster_doctor.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.checks.cluster_checks import _check_server, _check_stream, _check_versions
from auctionctl.cli.checks.findings import State
from auctionctl.store.cluster_address import Durability
from auctionctl.store.cluster_monitor import Monitored, Unmonitored
from auctionctl.store.stream_settings import Streams

STREAMS = Streams("ab" * 32)
SECOND_NS = 1_000_000_000


def server(name: str = "n0", **changes: Any) -> Monitored:
    says = {"version": "2.12.1", "syncs_always": True, "clock_off_ns": 0, "round_trip_ns": 2_000_000}
    return Monitored(name, **{**says, **changes})


def info(*replicas: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "config": {**STREAMS.settings(STREAMS.logs, 3), **changes},
        "state": {"messages": 7, "bytes": 900},
        "cluster": {"leader": "n0", "replicas": list(replicas)},
    }


def replica(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "current": True, "active": 1, **changes}


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (server(), State.OK, "clock the same"),
        (server(clock_off_ns=900_000), State.OK, "clock the same"),
        (server(clock_off_ns=-3_000_000), State.OK, "clock behind by 2.0 ms"),
        (server(clock_off_ns=2 * SECOND_NS), State.WARNING, "clock ahead by 1999.0 ms"),
        (server(syncs_always=False), State.WRONG, "does not sync what it acknowledges"),
        (Unmonitored("a:8222", "connection refused"), State.WRONG, "connection refused"),
    ],
)
def test_a_server_is_judged_by_what_it_says(answer: Monitored | Unmonitored, state: State, words: str) -> None:
    found = _check_server(answer)
    assert found.state is state
    assert words in found.message
    assert bool(found.remedy) is (state is not State.OK)


def test_servers_of_different_versions_are_said() -> None:
    assert _check_versions([server("n0"), server("n1")]) == []
    (found,) = _check_versions([server("n0"), server("n1", version="2.14.0")])
    assert (found.state, found.message) == (State.WARNING, "they run different versions: 2.12.1, 2.14.0")


def test_a_stream_is_judged_by_its_settings_its_servers_and_its_replicas() -> None:
    answers: list[Monitored | Unmonitored] = [server("n0"), server("n1"), server("n2")]

    def check(info: dict[str, Any], durability: Durability = Durability.REQUIRED) -> list[tuple[State, str]]:
        return [(each.state, each.message) for each in _check_stream(STREAMS.logs, info, answers, durability)]

    ((state, words),) = check(info(replica("n1"), replica("n2")))
    assert (state, words.partition(",")[0]) == (State.OK, "7 messages")
    ((state, words),) = check(info(replica("n1"), replica("n2", current=False, lag=5)))
    assert (state, words) == (State.WARNING, "its replica on n2 is 5 messages behind")
    ((state, words),) = check(info(replica("n1", offline=True), replica("n2")))
    assert (state, words) == (State.WARNING, "its replica on n1 is not there")
    ((state, words),) = check(info(deny_purge=False))
    assert state is State.WRONG
    assert check(info(deny_purge=False), Durability.LOSSY) == [(State.WARNING, words)]
    assert check(info(max_age=5), Durability.LOSSY)[0][0] is State.WRONG
    ((state, words),) = check(info(replica("n1"), replica("elsewhere")))
    assert (state, "elsewhere" in words) == (State.WRONG, True)
    ((state, words),) = check(info(metadata={}))
    assert (state, words) == (State.WARNING, "of no house")


@pytest.mark.parametrize("name", ["auction-" + "cd" * 8, STREAMS.logs + "-copy", STREAMS.logs + "-alive-2"])
def test_another_houses_stream_is_said_to_be_that_and_not_mended_as_if_it_were_one_of_the_owners(name: str) -> None:
    config = {**STREAMS.settings(STREAMS.logs, 3), "name": name, "subjects": [f"{name}.>"], "max_age": 5}
    (found,) = _check_stream(name, {**info(), "config": config}, [], Durability.REQUIRED)
    assert (found.state, found.message.partition(",")[0]) == (
        State.WARNING,
        f"it says that it is of house {'ab' * 8}…",
    )
    assert "max_" not in found.message + found.remedy
    assert "leave it as it is" in found.remedy


def test_a_cluster_that_is_none_is_wrong_and_the_rest_is_looked_at_all_the_same(run: Any, home: Path) -> None:
    run("init", "--house")
    done = run("doctor", "--store", "http://a", "--json")
    found = {each["subject"]: each for each in json.loads(done.out)["findings"]}
    assert done.status == 78
    assert found["cluster"]["state"] == "wrong"
    assert "nats://" in found["cluster"]["remedy"]
    assert "SQLite" in found
    # That of house.toml is looked at without being asked for.
    (home / "config/house.toml").write_text('store = "nats://127.0.0.1:1"\n')
    found = {each["subject"]: each for each in json.loads(run("doctor", "--json").out)["findings"]}
    assert found["cluster"]["state"] == "wrong"
