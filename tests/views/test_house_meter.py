"""What ``top`` shows: warnings first, rates between two looks, and no more lines than there are."""

from __future__ import annotations

import io
from typing import Any

from msgspec.structs import replace
from rich.console import Console

from auctionctl.views.house_meter import Moment, house_meter, totals
from auctionctl.wire.measures import Busy, Labelled, Measures, PeerMeasure, ProcessMeasure, StageMeasure

SECOND_NS = 1_000_000_000
BEFORE = Measures(
    100 * SECOND_NS,
    40 * SECOND_NS,
    60 * SECOND_NS,
    (StageMeasure("commit", 10, 1_500_000, 2_000_000, 4_000_000, 100, 500_000_000),),
    (("queue", 3), ("queue_limit", 1000), ("requests", 1_000), ("acknowledged", 900), ("sessions", 2)),
    (Labelled("auctions", "open", 2), Labelled("rejected", "below_increment", 10)),
    (ProcessMeasure("gateway", 17, 1 * SECOND_NS, 3 << 20, 12),),
    (PeerMeasure("ann", "bidder", "192.0.2.1", 50 * SECOND_NS, 97 * SECOND_NS, 800_000, 4_000, 5, 6),),
    (Busy(b"a" * 32, 120),),
)
NOW = replace(
    BEFORE,
    time_ns=102 * SECOND_NS,
    amounts=(("queue", 3), ("queue_limit", 1000), ("requests", 1_100), ("acknowledged", 960), ("sessions", 2)),
    labelled=(Labelled("auctions", "open", 2), Labelled("rejected", "below_increment", 50)),
    processes=(ProcessMeasure("gateway", 17, 2 * SECOND_NS, 3 << 20, 12),),
)


def screen(moment: Moment, width: int = 110, height: int = 40, **titles: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(house_meter("house x", moment, titles.get("titles", {}), width, height))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_rates_are_what_came_between_two_looks() -> None:
    lines = screen(Moment(NOW, (), BEFORE, (50,)))
    (rates,) = [line for line in lines if "requests/s" in line]
    assert rates.split() == ["requests/s", "50", "acknowledged/s", "30", "rejected/s", "20", "refused/s", "0.0", "█"]
    (gateway,) = [line.split("│") for line in lines if line.startswith("gateway")]
    assert [cell.strip() for cell in gateway] == ["gateway", "17", "50%", "3.00 MiB", "12"]
    (commit,) = [line.split("│") for line in lines if line.startswith("commit")]
    assert [cell.strip() for cell in commit] == ["commit", "made durable", "1.50 ms", "2.00 ms", "4.00 ms", "10"]
    (ann,) = [line.split("│") for line in lines if line.startswith("ann")]
    assert [cell.strip() for cell in ann][2:] == ["192.0.2.1", "800 µs", "0:05", "4,000", "5", "6"]


def test_what_came_of_auctions_and_how_large_batches_are_stands_above() -> None:
    amounts = (("requests", 1_100), ("batches", 30))
    labelled = (
        *(Labelled("auctions", "open", 2), Labelled("ended", "completed", 3), Labelled("ended", "no_bids", 1)),
        *(Labelled("reputation", "good", 7), Labelled("reputation", "bad", 12)),
    )
    lines = screen(
        Moment(
            replace(NOW, amounts=amounts, labelled=labelled),
            (),
            replace(BEFORE, amounts=(("requests", 1_000), ("batches", 5))),
            (),
        )
    )
    assert "auctions: 2 open   ended 4, sold 75%   reputation +7 -12" in lines
    (queue,) = [line for line in lines if line.startswith("queue")]
    assert queue.endswith("a batch 4")
    (queue,) = [line for line in screen(Moment(NOW, (), BEFORE, ())) if line.startswith("queue")]
    assert queue.endswith("a batch 0")


def test_at_the_first_look_there_are_no_rates_yet() -> None:
    lines = screen(Moment(NOW, (), None, ()))
    assert any("requests/s 0.0" in line for line in lines)
    assert any(line.startswith("gateway") and " - " in line for line in lines)


def test_what_keeps_a_house_from_its_work_comes_right_after_its_name() -> None:
    lines = screen(Moment(NOW, (("store_full", "no\x1b[31m room"),), BEFORE, ()))
    assert lines[1].rstrip() == "store_full: no[31m room"


def test_the_busiest_are_named_and_their_names_can_do_no_harm() -> None:
    lines = screen(Moment(NOW, (), BEFORE, ()), titles={b"a" * 32: "[/red] \x1b[2Jhi"})
    (busiest,) = [line for line in lines if "61616161" in line]
    assert busiest.split("│")[0].strip() == "[/red] [2Jhi"
    assert busiest.split("│")[2].strip() == "120"


def test_a_small_terminal_gets_no_more_lines_than_it_has_and_the_stages_first() -> None:
    many = replace(NOW, peers=NOW.peers * 100)
    lines = screen(Moment(many, (), BEFORE, ()), width=80, height=24)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("commit") for line in lines)
    assert not any("what it is" in line for line in lines)
    assert sum(line.startswith("ann") for line in lines) >= 1


def test_only_what_grows_has_a_rate() -> None:
    assert totals(NOW) == {"requests": 1_100, "acknowledged": 960, "rejected": 50, "refused": 0}
