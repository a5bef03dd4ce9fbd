"""Pictures of a simulated market: how prices rose, and which there were. Needs matplotlib, the extra ``plot``.

Rule: the same auctions give the same file: no date, and names in an SVG come from a fixed salt.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from auctionctl.auction.price import minor_digits
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.arguments import ArgumentError
from auctionctl.errors import ConfigurationError
from auctionctl.market.market import HeldAuction
from auctionctl.market.plan import MarketPlan

FORMATS: Final = {".svg": {"Date": None}, ".png": {"Software": None}}
"""Ending of the file → what is left out of its description, for it differs from run to run or machine to machine."""
SALT: Final = "auctionctl"
INCHES: Final = (11.0, 4.5)
BINS: Final = 40


def check_plot(path: Path) -> None:
    """Raises ArgumentError for a file that is no picture, ConfigurationError where none can be drawn."""
    if path.suffix not in FORMATS:
        raise ArgumentError(f"--plot: {path.name} is no picture that can be drawn", hint="call it FILE.svg or FILE.png")
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigurationError("--plot needs matplotlib", hint="install it: pip install 'auctionctl[plot]'")


def draw(path: Path, plan: MarketPlan, held: Sequence[HeldAuction]) -> bytes:
    """The picture, in the format that the name of ``path`` asks for: how prices rose, and what was paid."""
    import matplotlib  # noqa: PLC0415 - an extra, and slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    currency = plan.terms.terms.rules.currency
    scale: int = 10 ** minor_digits(currency)
    data = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "none"}):
        figure = Figure(figsize=INCHES, layout="constrained")
        paths, prices = figure.subplots(1, 2)
        recorded = [each for each in held if each.path]
        for each in recorded:
            paths.step(
                [time_ns / SECOND_NS for time_ns, _ in each.path],
                [minor / scale for _, minor in each.path],
                where="post",
                linewidth=0.8,
                alpha=0.7,
            )
        paths.set(title=f"Bids of {len(recorded)} auctions", xlabel="seconds since the opening", ylabel=currency)
        sold = [each.price_minor / scale for each in held if each.price_minor is not None]
        prices.hist(sold, bins=BINS, color="tab:blue")
        if sold:
            prices.axvline(sum(sold) / len(sold), color="black", linewidth=1.0, linestyle="--")
        prices.set(title=f"Prices of {len(sold)} lots that were sold; dashed: their mean", xlabel=currency)
        prices.set_ylabel("auctions")
        figure.savefig(data, format=path.suffix[1:], metadata=FORMATS[path.suffix])
    return data.getvalue()
