"""Shares of one as percentages, as people write and read them; in parts per million everywhere else."""

from __future__ import annotations

from typing import Final

PPM_A_PERCENT: Final = 10_000


def format_share(ppm: int) -> str:
    """Such as ``71.42%``: of what is not shown nothing is added, so that no share looks like more than it is."""
    whole, rest = divmod(ppm, PPM_A_PERCENT)
    return f"{whole}.{rest // 100:02}".rstrip("0").rstrip(".") + "%"
