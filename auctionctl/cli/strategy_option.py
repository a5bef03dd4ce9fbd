"""``--strategy`` and ``--param``: which strategy they mean, found and tried before the first auction is.

Rule: a slip of the hand is found on the command line, not when an auction opens. What has to run beside the bidder,
another process or somebody at a terminal, runs only within :meth:`ChosenStrategy.companion`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from auctionctl.cli.arguments import ArgumentError, argument

if TYPE_CHECKING:
    from auctionctl.auction.terms import Terms
    from auctionctl.bidding.strategy import Strategy

STRATEGY_HELP: Final = (
    "A name of `auctionctl strategies ls`, such as smart; FILE.py:CLASS, a class of your own; or 'exec:COMMAND', a"
    " program in any language: see man 7 auctionctl-strategies."
)
PARAM_HELP: Final = "A parameter of the strategy, such as value=900.00EUR: see `auctionctl strategies show NAME`."
EXEC: Final = "exec:"
MANUAL: Final = "manual"
LIMIT: Final = "limit"
DEFAULT_LIMIT_NS: Final = 1_000_000_000
MAX_NAME: Final = 60
"""How many characters of a command, the last ones, name it: an interpreter in front of a script says little."""


class Companion(Protocol):
    """What runs beside a bidder; see :class:`auctionctl.net.dealer.Beside`."""

    look_again: Callable[[bytes], None]

    def descriptors(self) -> tuple[int, ...]: ...
    def turn(self) -> None: ...
    def close(self) -> None: ...


class ChosenStrategy:
    """What makes the strategy for each auction. ``start`` starts its companion, if it needs one, and then makes it."""

    def __init__(
        self,
        make: Callable[[Terms], Strategy] | None,
        start: Callable[[], tuple[Companion, Callable[[Terms], Strategy]]] | None = None,
    ) -> None:
        self._make = make
        self._start = start

    def __call__(self, terms: Terms) -> Strategy:
        """The strategy for one auction. Raises ConfigurationError as StrategySpec.make does."""
        assert self._make is not None, "within companion()"
        return self._make(terms)

    @contextmanager
    def companion(self) -> Iterator[Companion | None]:
        """What runs beside the bidder, ended at the end; None if nothing does. Raises ArgumentError."""
        if self._start is None:
            yield None
            return
        with argument("--strategy"):
            companion, self._make = self._start()
        try:
            yield companion
        finally:
            companion.close()


def read_strategy(text: str, params: list[str], currency: str) -> ChosenStrategy:
    """What makes the strategy for each auction. Raises ArgumentError for what cannot be found, read or made."""
    from auctionctl.cli.own_strategies import find_spec  # noqa: PLC0415

    values = read_params(params)
    if text.startswith(EXEC):
        return _in_a_process(text.removeprefix(EXEC), values)
    with argument("--strategy"):
        spec = find_spec(text)
    with argument("--param"):
        # Made once for nothing: what is wrong with the parameters is wrong for every auction.
        spec.make(values, currency)
    if text != MANUAL:
        return ChosenStrategy(lambda terms: spec.make(values, terms.rules.currency))

    def start() -> tuple[Companion, Callable[[Terms], Strategy]]:
        from auctionctl.cli.manual_desk import ManualDesk  # noqa: PLC0415

        desk = ManualDesk(spec, values)
        return desk, desk.strategy_for

    return ChosenStrategy(None, start)


def _in_a_process(text: str, values: Mapping[str, str]) -> ChosenStrategy:
    from auctionctl.cli.settings.durations import parse_duration  # noqa: PLC0415

    try:
        command = shlex.split(text)
    except ValueError as error:
        raise ArgumentError(f"--strategy: {text[:80]!a}: {str(error).lower()}", hint="quote it for a shell") from error
    if not command:
        raise ArgumentError("--strategy: exec: without a command", hint="as in 'exec:python3 mine.py'")
    with argument("--param"):
        limit_ns = parse_duration(values[LIMIT]) if LIMIT in values else DEFAULT_LIMIT_NS

    def start() -> tuple[Companion, Callable[[Terms], Strategy]]:
        from auctionctl.bidding.dialogue import Dialogue, Remote  # noqa: PLC0415
        from auctionctl.cli.output import write_note  # noqa: PLC0415
        from auctionctl.client.fence import SparingNotes  # noqa: PLC0415
        from auctionctl.net.strategy_process import StrategyProcess  # noqa: PLC0415

        of_answers, of_deaths = SparingNotes(write_note), SparingNotes(write_note)
        name = text.strip() if len(text) <= MAX_NAME else f"…{text.strip()[1 - MAX_NAME :]}"
        dialogue = Dialogue(values, limit_ns, lambda words: of_answers(f"warning: the strategy {name}: {words}"))
        process = StrategyProcess(
            command,
            dialogue,
            lambda words: of_deaths(f"warning: the strategy {name}: {words}"),
            lambda line: write_note(f"{name}: {line}"),
        )
        return process, lambda terms: Remote(dialogue)  # noqa: ARG005 - a factory's shape

    return ChosenStrategy(None, start)


def read_params(params: list[str]) -> dict[str, str]:
    """``K=V`` texts by K. Raises ArgumentError."""
    values: dict[str, str] = {}
    for text in params:
        parameter, separator, value = text.partition("=")
        if not separator or parameter in values:
            raise ArgumentError(f"--param: {text!r} is no K=V, or K stands twice", hint="write --param value=900.00EUR")
        values[parameter] = value
    return values
