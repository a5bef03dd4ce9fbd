"""``events --summaries``: what came of the auctions of a house of this machine."""

from __future__ import annotations

import json
from typing import Any

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.manual.json_fields import FIELDS
from auctionctl.cli.summaries import COLUMNS, SCHEMA


def test_an_auction_that_has_ended_is_in_one_line_with_what_it_came_to(fair: Any) -> None:
    done = fair.run("events", "--summaries")
    assert done.status == 0, done.err
    (record,) = map(json.loads, done.out.splitlines())
    assert record.pop("schema") == SCHEMA
    assert set(record) == set(FIELDS["events"][SCHEMA])
    result = json.loads(fair.run("result", "quick", "--key", "alice", "--json").out)
    same = ("winner", "price", "end_reason")
    assert [record[name] for name in same] == [result[name] for name in same]
    assert (record["listing"], record["bidders"]) == ("quick", 2)
    lines = fair.run("events", "--summaries", "--output", "plain").out.splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert lines[1].split("\t")[1:3] == ["quick", "completed"]


def test_a_house_that_has_sold_nothing_says_so_and_what_does_not_go_together_is_refused(run: Any) -> None:
    empty = run("events", "--summaries")
    assert (empty.status, empty.out) == (0, "")
    assert "no auction of this house has ended yet" in empty.err
    for words in (("--security",), ("--follow",), ("vase",), ("--raw",)):
        assert run("events", "--summaries", *words).status == ExitStatus.USAGE
