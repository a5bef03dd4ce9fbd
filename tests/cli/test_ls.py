from __future__ import annotations

import json
from typing import Any

from auctionctl.cli.ls import COLUMNS, fitting


def test_every_auction_is_a_line_with_its_replayed_state(fair: Any) -> None:
    done = fair.run("ls", "--key", "alice")
    assert done.status == 0, done.err
    header, quick, waiting = (line.split("\t") for line in done.out.splitlines())
    assert header[:4] == ["auction", "listing", "lot", "phase"]
    assert quick[1:4] == ["quick", "Quick [31mlot", "closed"]
    assert quick[-1].startswith("sold to bob at ")
    assert waiting[1:5] == ["waiting-lot", "Waiting lot", "announced", "-"]
    assert waiting[8] == "1:00:00" or 30 <= int(waiting[8].partition(":")[0]) < 60


def test_json_gives_amounts_in_minor_units(fair: Any) -> None:
    done = fair.run("ls", "--key", "bob", "--json", "--house", fair.address)
    answer = json.loads(done.out)
    assert answer["schema"] == "auctionctl.ls/1"
    quick, waiting = answer["auctions"]
    assert quick["item"] == "Quick \x1b[31mlot"
    assert quick["end_reason"] == "completed"
    assert quick["price"]["currency"] == "EUR"
    assert quick["leader"] == quick["winner"]
    assert (waiting["minimum"], waiting["price"]) == ({"minor": 10, "currency": "JPY"}, None)
    assert (waiting["phase"], waiting["log_size"]) == ("announced", 1)


def test_only_one_phase_is_listed_where_it_is_asked_for(fair: Any) -> None:
    def listed(*arguments: str) -> list[str]:
        return [
            each["listing"] for each in json.loads(fair.run("ls", "--key", "bob", "--json", *arguments).out)["auctions"]
        ]

    assert listed("--phase", "closed") == ["quick"]
    assert listed("--phase", "announced") == ["waiting-lot"]
    assert listed("--all") == ["quick", "waiting-lot"]
    done = fair.run("ls", "--key", "bob", "--phase", "open")
    assert (done.status, done.err) == (0, "no auction of this house is open\n")


def test_a_narrow_terminal_does_without_the_least_important_columns() -> None:
    row = ("0123456789ab", "watch", "A watch", "open", "1.00EUR", "alice", "12", "3", "4:59", "")
    columns, rows = fitting(COLUMNS, [row], 200)
    assert (columns, rows) == (list(COLUMNS), [row])
    columns, rows = fitting(COLUMNS, [row], 80)
    assert columns == [name for name in COLUMNS if name not in ("bidders", "bids")]
    columns, rows = fitting(COLUMNS, [row], 10)
    assert columns == ["listing", "lot", "phase", "price", "left", "result"]
    assert rows == [("watch", "A watch", "open", "1.00EUR", "4:59", "")]
    assert fitting(COLUMNS, [], 200) == (list(COLUMNS), [])
