"""A row of numbers as a row of bars, one character each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[int], width: int) -> str:
    """The last ``width`` of ``values`` (≥ 0), the highest of those a full bar; shorter where there are fewer.

    What is above nothing never looks like nothing: only 0 is the lowest bar.
    """
    shown = values[-width:] if width > 0 else ()
    most = max(shown, default=0)
    if not most:
        return BARS[0] * len(shown)
    steps = len(BARS) - 1
    return "".join(BARS[0] if value <= 0 else BARS[max(1, value * steps // most)] for value in shown)
