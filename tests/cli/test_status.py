from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from auctionctl.cli.demo import free_port
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.status import JSON_SCHEMA, SCHEMA, _facts, _record, _warnings
from auctionctl.wire.messages import Condition, InstanceWord

CONDITION = Condition(
    time_ns=1_700_000_000_000_000_000,
    started_ns=1_600_000_000_000_000_000,
    open_count=1,
    unfinished_count=2,
    session_count=3,
    registry_size=4,
    warnings=(
        ("store_full", "nothing is accepted: \x1b[31mno room"),
        ("halted", "auction/00: the store was rolled back"),
    ),
)


class Ahead:
    """A follower of a house whose clock is 1.5 s behind ours."""

    house_ahead_ns = -1_500_000_000


def test_a_house_that_is_well_says_so_with_its_clock_its_auctions_and_its_sessions(fair: Any) -> None:
    done = fair.run("status", "--key", "alice")
    assert done.status == 0, done.err
    facts = dict(line.split(None, 1) for line in done.out.splitlines() if not line.startswith("running"))
    assert facts["condition"] == "all is well"
    assert re.fullmatch(r"\S+Z, [0-9]+ ms (ahead of|behind) ours", facts["time"])
    assert facts["auctions"] == "1 has not ended, 0 sold and not settled"


def test_what_a_house_says_of_itself_has_the_fields_of_the_manual(fair: Any) -> None:
    record = json.loads(fair.run("status", "--key", "alice", "--json").out)
    assert record.pop("schema") == SCHEMA
    of_lists = {"code", "words", "name", "endpoint", "is_alive", "holds"}
    assert set(record) | of_lists == set(JSON_SCHEMA[SCHEMA])
    assert (record["warnings"], record["open"], record["address"]) == ([], 1, fair.address)
    assert 0 < record["started_ns"] < record["time_ns"]


def test_what_keeps_a_house_from_its_work_comes_first_and_is_all_told() -> None:
    follower: Any = Ahead()
    assert _warnings(CONDITION) == [
        ("warning", "store_full: nothing is accepted: \x1b[31mno room"),
        ("warning", "halted: auction/00: the store was rolled back"),
    ]
    assert [warning["code"] for warning in _record(CONDITION, follower)["warnings"]] == ["store_full", "halted"]  # type: ignore[attr-defined]
    facts = dict(_facts(CONDITION, follower))
    assert facts["time"] == "2023-11-14T22:13:20.000Z, 1500 ms behind ours"
    assert facts["auctions"] == "1 has not ended, 1 sold and not settled"


def test_a_house_that_does_not_answer_has_no_condition(fair: Any) -> None:
    address = re.sub(r":[0-9]+$", f":{free_port()}", fair.address)
    done = fair.run("status", "--key", "alice", "--house", address)
    assert done.status == ExitStatus.UNREACHABLE
    assert done.out == ""
    assert "hint: " in done.err


def test_a_house_of_several_instances_says_which_they_are_and_which_has_answered() -> None:
    follower: Any = Ahead()
    words = (
        InstanceWord("east", "h:1", True, 3),
        InstanceWord("north", "h:2", False, 1),
        InstanceWord("west", "", False, 0),
    )
    found = msgspec.structs.replace(CONDITION, instance="east", instances=words)
    facts = dict(_facts(found, follower))
    assert facts["instance east"] == "at h:1, holds 3 auctions; it has answered"
    assert facts["instance north"] == "not heard of, last at h:2"
    assert facts["instance west"] == "not heard of"
    record = _record(found, follower)
    assert record["instance"] == "east"
    assert record["instances"][0] == {"name": "east", "endpoint": "h:1", "is_alive": True, "holds": 3}  # type: ignore[index]
    assert _record(CONDITION, follower)["instance"] is None
