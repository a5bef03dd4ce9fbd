"""Strategies that somebody else wrote in Python: found by entry point, or in a file that is named, and fenced in.

Rule: nothing is loaded before it is asked for by name. What is loaded is code of whoever runs the bidder, with all its
rights; but what it says is checked, and what it raises costs it that bid alone: the one place, beside the program's own
boundary, at which every exception is caught. It says so once, and then at most every NOTE_EVERY_S.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final

from auctionctl.auction.price import format_minor
from auctionctl.bidding.strategies import SPECS
from auctionctl.bidding.strategy import (
    AuctionView,
    Offer,
    Parameter,
    ParameterKind,
    Purse,
    Settings,
    Strategy,
    StrategySpec,
    Wait,
)
from auctionctl.cli.output import write_note
from auctionctl.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP: Final = "auctionctl.strategies"
"""The group of entry points."""
NOTE_EVERY_S: Final = 10.0
MAX_WORDS: Final = 200


class SparingNotes:
    """Remarks on stderr about one thing, at most one every NOTE_EVERY_S; those that were left out are counted."""

    def __init__(self, write: Callable[[str], None] = write_note, clock: Callable[[], float] = time.monotonic) -> None:
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
            return Wait()
        return answer


def is_signalled(error: BaseException) -> bool:
    """Whether this is the end that a signal asks for, which may come while code that is not ours runs."""
    return isinstance(error, SystemExit) and type(error.code) is int and error.code > SIGNALLED


def refuse_answer(answer: object, view: AuctionView, purse: Purse) -> str | None:
    """Why this is no answer of a strategy, or None. Whole numbers only: a float or a bool is no amount.

    An offer by whoever leads counts for nothing anyway, and is let pass.
    """
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


def is_file(text: str) -> bool:
    """Whether ``text`` names a class in a file: ``path/to/file.py:Name``."""
    path, separator, name = text.rpartition(":")
    return bool(separator) and path.endswith(".py") and name.isidentifier()


def find_spec(text: str) -> StrategySpec:
    """The strategy that ``text`` names: one that comes along, FILE.py:NAME, or an entry point.

    Raises ConfigurationError for one that there is not, that cannot be loaded, or that is no strategy.
    """
    if text in SPECS:
        return SPECS[text]
    if is_file(text):
        path, _, name = text.rpartition(":")
        return _as_spec(text, _load_file(Path(path), name))
    for point in entry_points():
        if point.name == text:
            try:
                return _as_spec(text, point.load())
            except (Exception, SystemExit) as error:
                if isinstance(error, ConfigurationError) or is_signalled(error):
                    raise
                raise ConfigurationError(f"the strategy {text} ({point.value}): {words_of(error)}") from error
    known = [*SPECS, *(point.name for point in entry_points() if point.name not in SPECS)]
    raise ConfigurationError(f"unknown strategy {text[:80]!r}", hint=f"known: {', '.join(known)}; or FILE.py:CLASS")


def entry_points() -> Iterable[importlib.metadata.EntryPoint]:
    """The strategies that installed packages bring along; none of them is loaded. Names that come along stay ours."""
    return sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name)


def _load_file(path: Path, name: str) -> object:
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}", hint="a strategy of your own is FILE.py:CLASS")
    module_name = f"auctionctl_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if is_signalled(error):
            raise
        raise ConfigurationError(f"{path} cannot be loaded: {words_of(error)}") from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise ConfigurationError(f"there is no {name} in {path}") from error


def _as_spec(text: str, found: object) -> StrategySpec:
    if isinstance(found, StrategySpec):
        return found
    if not inspect.isclass(found) or not callable(getattr(found, "decide", None)):
        raise ConfigurationError(
            f"the strategy {text} is neither a class with a method decide nor a StrategySpec",
            hint="see man 7 auctionctl-strategies",
        )
    made: type[Any] = found
    note = SparingNotes()

    def build(settings: Settings) -> Strategy:
        try:
            return Fenced(made.__name__, made(**settings.texts), note)
        except (Exception, SystemExit) as error:
            if is_signalled(error):
                raise
            raise ConfigurationError(f"the strategy {made.__name__} cannot be made: {words_of(error)}") from error

    summary = (inspect.getdoc(made) or "of your own").partition("\n")[0]
    return StrategySpec(made.__name__, summary, _parameters_of(made), build, "your own")


def _parameters_of(made: type[Any]) -> tuple[Parameter, ...]:
    """What ``made`` can be called with, by name; each is handed over as text."""
    try:
        signature = inspect.signature(made)
    except (TypeError, ValueError):
        return ()
    return tuple(
        Parameter(
            each.name,
            ParameterKind.TEXT,
            "" if each.default is each.empty else str(each.default),
            "as the class reads it",
            is_required=each.default is each.empty,
        )
        for each in signature.parameters.values()
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    )
