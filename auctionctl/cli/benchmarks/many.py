"""What ten thousand open auctions cost: the throughput of a house that has them, beside one of a house with sixteen.

Both houses run at the same time and are loaded in turns, with as many bids under way in the one as in the other. In the
large one each bid is of another auction than the one before. With several bids under way in one auction some overtake
others, which are then rejected: an answer like any other, signed and proved, and so both are counted by answers.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any, Final

from auctionctl.cli.benchmarks.aftermath import Checked
from auctionctl.cli.benchmarks.rows import Row, at_least
from auctionctl.cli.benchmarks.throughput import Shape, loaded_house
from auctionctl.cli.progress import Progress, tell_nobody

FEW: Final = 16
UNDER_WAY: Final = 256
MANY: Final = at_least(0.5)


def measure_many(
    home: Path, auctions: int, bids: int, runs: int, *, progress: Progress = tell_nobody
) -> tuple[dict[str, Any], Checked]:
    """Load houses of ``FEW`` and of ``auctions`` auctions in turns; returns the figures by name."""
    large, small = Shape(auctions, at_once=UNDER_WAY), Shape(FEW, window=UNDER_WAY // FEW, groups=FEW)
    houses = (loaded_house(home / "few", small, progress), loaded_house(home / "many", large, progress))
    with houses[0] as few, houses[1] as many:
        # A session that says nothing for long is ended: nobody connects before both houses are there.
        many.begin(few.begin())
        for number in range(runs):
            progress(number, runs)
            few.run(bids)
            many.run(max(bids, auctions))
    figures = {
        "auctions": auctions,
        "few_auctions": FEW,
        "under_way": UNDER_WAY,
        "runs": runs,
        "answers_per_s": statistics.median(many.answer_rates),
        "few_answers_per_s": statistics.median(few.answer_rates),
        "ratio": statistics.median(a / b for a, b in zip(many.answer_rates, few.answer_rates, strict=True)),
        "cpu_us_per_bid": many.figures["cpu_us_per_bid"],
        "few_cpu_us_per_bid": few.figures["cpu_us_per_bid"],
        "rejections": few.rejections + many.rejections,
    }
    return figures, few.checked.plus(many.checked)


def rows_of_many(figures: dict[str, Any]) -> list[Row]:
    """The throughput of the large one, as a ratio to that of the small one."""
    what = f"bids answered, {figures['auctions']} open auctions"
    return [Row(what, figures["answers_per_s"], "bids/s", figures["ratio"], f"× with {FEW}", MANY)]
