"""What ``top`` shows: warnings first, rates between two looks, and no more lines than there are."""

from __future__ import annotations

import io
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from auctionctl.views.house_meter import HISTORY, LEAST_SPARKS, STAGE_WORDS, Moment, house_meter, rows_shown, totals
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


@pytest.mark.parametrize("verifiers", [2, 4])
def test_at_80_by_24_the_busiest_auction_and_a_peer_are_seen_too(verifiers: int) -> None:
    stages = tuple(replace(NOW.stages[0], stage=name) for name in STAGE_WORDS)
    names = ("house", "gateway", *(f"verifier {number}" for number in range(verifiers)))
    processes = tuple(ProcessMeasure(name, 17, SECOND_NS, 3 << 20, 12) for name in names)
    lines = screen(Moment(replace(NOW, stages=stages, processes=processes), (), BEFORE, ()), width=80, height=24)
    assert len(lines) <= 24
    assert sum(line.startswith(tuple(STAGE_WORDS)) for line in lines) == len(stages)
    assert sum(line.startswith(names) for line in lines[1:]) == 4
    assert any("616161616161" in line for line in lines)
    assert any(line.startswith("ann") for line in lines)


def test_a_line_goes_to_each_table_before_one_has_a_second() -> None:
    assert rows_shown([6, 5, 9, 9], 100, 3) == [6, 5, 9, 9]
    assert rows_shown([6, 5, 9, 9], 20, 2) == [6, 4, 1, 1]
    assert rows_shown([6, 5, 9, 9], 12, 2) == [1, 1, 1, 1]
    assert rows_shown([6, 5, 9, 9], 11, 2) == [3, 1, 1, 0]
    assert rows_shown([6, 5, 9, 9], 2, 2) == [0, 0, 0, 0]


@pytest.mark.parametrize("requests", [0, 20_000, 2_000_000_000])
@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_however_long_the_numbers_are_the_newest_look_and_the_size_of_a_batch_are_seen(
    width: int, requests: int
) -> None:
    amounts = (("queue", 12_345), ("queue_limit", 100_000), ("sessions", 12_345), ("connections", 12_345))
    grown = (("requests", 1_000 + requests), ("acknowledged", 900 + requests), ("batches", 1))
    now = replace(NOW, amounts=(*amounts, *grown))
    lines = screen(Moment(now, (), BEFORE, (*[0] * (HISTORY - 1), 50)), width=width)
    (sparks,) = [line for line in lines if "█" in line]
    bars = sparks.rstrip().rpartition(" ")[2]
    assert bars.endswith("▁█")
    assert len(bars) >= LEAST_SPARKS
    assert any(f"a batch {requests}" in line for line in lines)
    assert max(map(len, lines)) <= width


def test_a_wide_terminal_has_bars_for_all_looks() -> None:
    (sparks,) = [line for line in screen(Moment(NOW, (), BEFORE, (50,) * HISTORY), width=160) if "█" in line]
    assert sparks.count("█") == HISTORY


def test_only_what_grows_has_a_rate() -> None:
    assert totals(NOW) == {"requests": 1_100, "acknowledged": 960, "rejected": 50, "refused": 0}
