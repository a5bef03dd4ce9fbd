"""Strategies of somebody else are loaded when they are named, and what they say or raise costs them that bid alone."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from auctionctl.bidding.strategy import AuctionView, Failed, Offer, Purse, Wait
from auctionctl.cli import own_strategies
from auctionctl.cli.own_strategies import find_spec
from auctionctl.client.fence import NOTE_EVERY_S, Fenced, SparingNotes
from auctionctl.errors import ConfigurationError

VIEW = AuctionView(bytes(32), "A lot", "EUR", 100, None, 100, 10, False, 0, 10**10, 10**10, 0, 0, None)
PURSE = Purse(1_000, 1_000)


def decide(strategy: Any) -> Offer | Wait:
    answer: Offer | Wait = strategy.decide(VIEW, PURSE, 0, random.Random(1))
    return answer


def written(tmp_path: Path, body: str) -> str:
    (tmp_path / "mine.py").write_text(f"from auctionctl.bidding.strategy import Offer, Wait\n{body}")
    return f"{tmp_path / 'mine.py'}:Mine"


GOOD = """
class Mine:
    "Adds a little."
    def __init__(self, more="5"):
        self.more = int(more)
    def decide(self, view, purse, now_ns, rng):
        return Offer(view.minimum_minor + self.more)
"""


def test_a_class_in_a_file_is_made_with_its_parameters_as_text(tmp_path: Path) -> None:
    spec = find_spec(written(tmp_path, GOOD))
    assert (spec.name, spec.summary) == ("Mine", "Adds a little.")
    assert decide(spec.make({}, "EUR")) == Offer(105)
    assert decide(spec.make({"more": "7"}, "EUR")) == Offer(107)
    with pytest.raises(ConfigurationError, match="Mine has no parameter 'less'"):
        spec.make({"less": "1"}, "EUR")
    with pytest.raises(ConfigurationError, match=r"Mine cannot be made: ValueError: invalid .* at mine\.py, line 6"):
        spec.make({"more": "much"}, "EUR")


def test_an_entry_point_is_loaded_when_it_is_named_and_not_before(monkeypatch: Any, tmp_path: Path) -> None:
    loaded: list[str] = []

    class Point(EntryPoint):
        def load(self) -> Any:
            loaded.append(self.name)
            if self.name == "broken":
                raise ImportError("no module named gone")
            return find_spec(written(tmp_path, GOOD))

    points = [Point(name, f"package:{name}", own_strategies.GROUP) for name in ("theirs", "broken", "smart")]
    monkeypatch.setattr(own_strategies.importlib.metadata, "entry_points", lambda group: points)
    assert find_spec("smart").source != "your own"
    with pytest.raises(ConfigurationError, match="unknown strategy") as caught:
        find_spec("clever")
    assert "theirs" in caught.value.hint
    assert not loaded
    assert find_spec("theirs").name == "Mine"
    with pytest.raises(ConfigurationError, match=r"broken \(package:broken\): ImportError: no module named gone at"):
        find_spec("broken")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Other = 1", "there is no Mine in"),
        ("Mine = 1", "neither a class with a method decide nor a StrategySpec"),
        ("class Mine: pass", "neither a class with a method decide nor a StrategySpec"),
        ("1 / 0", r"mine\.py cannot be loaded: ZeroDivisionError: division by zero at mine\.py, line 2"),
        ("def", r"mine\.py cannot be loaded: SyntaxError"),
        (
            "class Mine:\n    async def decide(self, *seen): ...",
            r"decide\(\) is async, and nobody awaits it",
        ),
    ],
)
def test_what_is_no_strategy_is_refused_before_anything_is_bid(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        find_spec(written(tmp_path, body))
    with pytest.raises(ConfigurationError, match="there is no file"):
        find_spec(f"{tmp_path}/gone.py:Mine")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("1 // 0", r"ZeroDivisionError: integer division or modulo by zero at mine\.py, line 4"),
        ("None", "decide() returned NoneType, which is neither Offer nor Wait"),
        ("99", "decide() returned int"),
        ("Offer(1.5)", "an amount is an int of minor units, not 1.5"),
        ("Offer(-5)", "it bids less than 1.00EUR, the least bid"),
        ("Offer(10**30)", "it bids more than 10.00EUR, which are left of the budget"),
        ("Offer(True)", "an amount is an int of minor units, not True"),
        ("Offer('NaN')", "an amount is an int of minor units, not 'NaN'"),
        ("exit(0)", "SystemExit: 0"),
        ("Wait('soon')", "a time to wait for is an int of nanoseconds, not 'soon'"),
    ],
)
def test_what_it_raises_or_says_wrongly_is_no_bid_and_a_warning_of_one_line(
    tmp_path: Path, capsys: Any, answer: str, message: str
) -> None:
    body = f"class Mine:\n    def decide(self, view, purse, now_ns, rng):\n        return {answer}\n"
    assert decide(find_spec(written(tmp_path, body)).make({}, "EUR")) == Failed()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: the strategy Mine made no bid: ")
    assert message.replace("\\", "") in line


class Unspeakable(Exception):
    """An error that fails once more when it is asked what it is."""

    def __str__(self) -> str:
        raise ValueError

    __repr__ = __str__


@pytest.mark.parametrize("answer", [Unspeakable(), Offer(Unspeakable())])  # type: ignore[arg-type]
def test_what_cannot_even_be_shown_is_no_bid_either(answer: Any) -> None:
    class Odd:
        def decide(self, view: Any, purse: Any, now_ns: int, rng: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    said: list[str] = []
    assert decide(Fenced("Odd", Odd(), said.append)) == Failed()
    assert len(said) == 1


def test_an_async_decide_that_is_found_late_is_no_bid_and_a_plain_word() -> None:
    class Async:
        async def decide(self, *seen: Any) -> Offer:
            return Offer(1)

    said: list[str] = []
    assert decide(Fenced("Async", Async(), said.append)) == Failed()  # type: ignore[arg-type]
    assert "its decide() is async" in said[0]
    gc.collect()  # a coroutine that nobody has awaited would be a warning, and so an error, now


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(143)])
def test_what_ends_the_program_is_let_through(ending: BaseException) -> None:
    class Leaves:
        def decide(self, view: Any, purse: Any, now_ns: int, rng: Any) -> Any:
            raise ending

    with pytest.raises(type(ending)):
        decide(Fenced("Leaves", Leaves(), lambda text: None))


def test_a_strategy_that_fails_at_every_look_is_complained_of_sparingly() -> None:
    now_s, told = [100.0], list[str]()
    write: Callable[[str], None] = told.append
    notes = SparingNotes(write, lambda: now_s[0])
    for _ in range(1_000):
        notes("it failed")
    assert told == ["it failed"]
    now_s[0] += NOTE_EVERY_S
    notes("it failed again")
    assert told[1:] == ["it failed again (and 999 times more, or the like)"]
