"""A fence around strategies that somebody else wrote: what they raise or say wrongly costs them that bid alone.

Rule: the one place, beside the program's own boundary, at which every exception is caught, for the code that raises it
is not ours. What ends the program passes: Ctrl-C, and the exit that a signal asks for. It says so once, and then at
most every NOTE_EVERY_S.
"""

from __future__ import annotations

import inspect
import random
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

from auctionctl.auction.price import format_minor
from auctionctl.bidding.strategy import AuctionView, Failed, Offer, Purse, Strategy, Wait

NOTE_EVERY_S: Final = 10.0
MAX_WORDS: Final = 200


class SparingNotes:
    """Remarks about one thing, by ``write``, at most one every NOTE_EVERY_S; those that were left out are counted."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._next_s = 0.0
        self._left_out = 0

    def __call__(self, text: str) -> None:
        """Say this, unless something was said just now."""
        now_s = self._clock()
        if now_s < self._next_s:
            self._left_out += 1
            return
        more = f" (and {self._left_out} times more, or the like)" if self._left_out else ""
        self._next_s, self._left_out = now_s + NOTE_EVERY_S, 0
        self._write(text + more)


ASYNC_WORDS: Final = "its decide() is async, and nobody awaits it: write def decide, and answer Wait to think longer"
SIGNALLED: Final = 128
"""Whoever ends for a signal exits with more than this."""


class Fenced:
    """A strategy of somebody else: what it raises, and what is no answer, is no bid."""

    def __init__(self, name: str, strategy: Strategy, note: Callable[[str], None]) -> None:
        self._name = name
        self._strategy = strategy
        self._note = note

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Offer | Wait:
        """What it says, if that is an answer."""
        try:
            answer = self._strategy.decide(view, purse, now_ns, rng)
            reason = refuse_answer(answer, view, purse)
        except (Exception, SystemExit) as error:
            if is_signalled(error):
                raise
            reason = words_of(error)
        if reason is not None:
            self._note(f"warning: the strategy {self._name} made no bid: {reason}")
            return Failed()
        return answer


def is_signalled(error: BaseException) -> bool:
    """Whether this is the end that a signal asks for, which may come while code that is not ours runs."""
    return isinstance(error, SystemExit) and type(error.code) is int and error.code > SIGNALLED


def refuse_answer(answer: object, view: AuctionView, purse: Purse) -> str | None:
    """Why this is no answer of a strategy, or None. Whole numbers only: a float or a bool is no amount.

    An offer by whoever leads counts for nothing anyway, and is let pass.
    """
    if inspect.iscoroutine(answer):
        answer.close()  # Else Python says, much later, that nobody has awaited it.
        return ASYNC_WORDS
    match answer:
        case Offer(amount_minor):
            if type(amount_minor) is not int:
                return f"an amount is an int of minor units, not {amount_minor!r:.60}"
            return None if view.is_leading else _refuse_amount(amount_minor, view, purse)
        case Wait(until_ns):
            is_time = until_ns is None or type(until_ns) is int
            return None if is_time else f"a time to wait for is an int of nanoseconds, not {until_ns!r:.60}"
        case _:
            return f"decide() returned {type(answer).__name__}, which is neither Offer nor Wait"


def _refuse_amount(amount_minor: int, view: AuctionView, purse: Purse) -> str | None:
    if amount_minor < view.minimum_minor:
        return f"it bids less than {format_minor(view.minimum_minor, view.currency)}, the least bid"
    if amount_minor > purse.available_minor:
        return f"it bids more than {format_minor(purse.available_minor, view.currency)}, which are left of the budget"
    return None


def words_of(error: BaseException) -> str:
    """What was raised, and by which line, in one line of text."""
    last: tuple[FrameType, int] | None = None
    trace: TracebackType | None = error.__traceback__
    for last in traceback.walk_tb(trace):  # noqa: B007 - the last one is wanted
        pass
    where = "" if last is None else f" at {Path(last[0].f_code.co_filename).name}, line {last[1]}"
    try:
        text = " ".join(str(error).split())[:MAX_WORDS]
    except (Exception, SystemExit):  # noqa: BLE001 - that code is not ours either
        text = ""
    return f"{type(error).__name__}{f': {text}' if text else ''}{where}"
