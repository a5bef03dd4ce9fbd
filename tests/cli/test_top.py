"""``top`` and ``peers`` at a real house: they say what was done there, to whoever may know."""

from __future__ import annotations

import json
from typing import Any

from auctionctl.cli import peers as peers_command
from auctionctl.cli import top as top_command
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.top import Looks
from auctionctl.wire.measures import MAX_ROWS, Measures


def test_under_the_houses_own_key_top_says_what_was_done(fair: Any) -> None:
    done = fair.run("top", "--key", "house", "--json")
    assert done.status == 0, done.err
    record = json.loads(done.out)
    assert record.pop("schema") == top_command.SCHEMA
    assert set(record) == set(top_command.JSON_SCHEMA[top_command.SCHEMA])
    assert record["amounts"]["acknowledged"] >= 4  # two joinings, and a bid each
    assert record["families"]["ended"] == {"completed": 1}
    assert record["stages"]["commit"]["total_count"] > 0
    assert list(record["stages"]) == ["check", "wait", "decide", "commit", "answer", "total"]
    assert record["families"]["reputation"]["good"] > 0  # who had bid stood by it
    # What was answered in the last second the gateway has not told yet.
    assert all(each["total_ns"] > 0 for each in record["stages"].values())
    assert {each["name"] for each in record["processes"]} >= {"house", "gateway", "verifier 0"}
    assert all(each["cpu_ns"] > 0 and each["rss_bytes"] > 1_000_000 for each in record["processes"])
    assert record["warnings"] == []
    # A minute later nothing has happened lately.
    assert {each["listing"] for each in record["busiest"]} <= {"quick", "slow"}


def test_in_a_pipe_there_is_a_line_a_number_and_as_many_looks_as_asked_for(fair: Any) -> None:
    done = fair.run("top", "--key", "house", "--count", "2", "--interval", "0.25")
    assert done.status == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [row for row in rows if row[:2] == ["amount", "queue_limit"]] == [["amount", "queue_limit", "1000"]] * 2
    requests = [int(row[2]) for row in rows if row[:2] == ["amount", "requests"]]
    assert requests[0] < requests[1]


def test_peers_are_listed_with_their_round_trip_and_we_are_one_of_them(fair: Any) -> None:
    done = fair.run("peers", "--key", "house", "--json")
    assert done.status == 0, done.err
    document = json.loads(done.out)
    (row,) = [each for each in document["peers"] if each["name"] == "(house)"]
    assert {"sessions", "peers", *row} == set(peers_command.JSON_SCHEMA[peers_command.SCHEMA])
    assert document["sessions"] >= len(document["peers"])
    assert f"at most {MAX_ROWS}" in peers_command.JSON_SCHEMA[peers_command.SCHEMA]["peers"]
    assert (row["role"], row["host"]) == ("observer", "127.0.0.1")
    assert 0 < row["round_trip_ns"] < 10**10
    lines = fair.run("peers", "--key", "house").out.splitlines()
    assert lines[0].split("\t")[:4] == ["peer", "role", "from", "round trip"]


def test_a_bidder_is_told_which_role_it_takes(fair: Any) -> None:
    for command in ("top", "peers"):
        done = fair.run(command, "--key", "alice")
        assert done.status == ExitStatus.NOT_AUTHORISED
        assert "operator" in done.err
        assert done.out == ""


def measures(time_ns: int, started_ns: int, requests: int) -> Measures:
    return Measures(time_ns, started_ns, 0, (), (("requests", requests),), (), (), (), ())


def test_a_house_that_was_started_again_counts_from_nothing() -> None:
    looks = Looks()
    looks.look(measures(10**9, 1, 100), ())
    looks.look(measures(3 * 10**9, 1, 300), ())
    assert looks.moment is not None
    assert looks.moment.rates == (100,)
    looks.look(measures(5 * 10**9, 4 * 10**9, 10), ())
    assert (looks.moment.before, looks.moment.rates, looks.count) == (None, (), 3)
