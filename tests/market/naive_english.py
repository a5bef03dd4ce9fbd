"""An English auction in forty lines, written from its description alone: it shares no code with the rules.

A tape is judged in the order of its times. The first bid is at least the starting price, each later one at least the
price and a step; whoever leads does not bid; a bid within the window before the end moves the end, up to the limit.
"""

from __future__ import annotations

from typing import NamedTuple


class NaiveTerms(NamedTuple):
    start: int
    step: int
    duration: int
    window: int
    longest: int


def hold(terms: NaiveTerms, tape: list[tuple[str, int, int]]) -> tuple[str | None, int | None, list[bool]]:
    """``tape`` is (bidder, amount, time), and the first opens it; winner, price, and which bids were heard."""
    opening = tape[0][2]
    end = opening + terms.duration
    leader: str | None = None
    price: int | None = None
    heard = []
    for bidder, amount, time in tape:
        least = max(1, terms.start) if price is None else price + terms.step
        good = time < end and bidder != leader and amount >= least
        heard.append(good)
        if good:
            leader, price = bidder, amount
            if end - time < terms.window:
                end = max(end, min(time + terms.window, opening + terms.duration + terms.longest))
    return leader, price, heard
