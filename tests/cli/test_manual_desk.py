"""A person bids from a terminal or a pipe: exactly what was ordered, a jump only twice said, and nobody waits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from auctionctl.bidding.strategies import find
from auctionctl.bidding.strategy import Asking, AuctionView, Offer, Purse, Wait
from auctionctl.cli.manual_desk import HELP, MAX_LINES, ManualDesk

SECOND_NS = 10**9
PURSE = Purse(10_000, 10_000)


def view(auction: bytes = b"a" * 32, **changes: Any) -> AuctionView:
    usual: dict[str, Any] = {
        "auction": auction,
        "title": "A lot",
        "currency": "EUR",
        "starting_price_minor": 1_000,
        "price_minor": 1_000,
        "minimum_minor": 1_100,
        "increment_minor": 100,
        "is_leading": False,
        "opened_at_ns": 0,
        "end_ns": 100 * SECOND_NS,
        "duration_ns": 100 * SECOND_NS,
        "active_bidders": 1,
        "bid_count": 1,
        "estimate_minor": None,
    }
    return AuctionView(**usual | changes)


class Person:
    """Somebody at a terminal, or whatever writes into a pipe; and the desk that reads it."""

    def __init__(self, kind: str, listings: tuple[str, ...] = ("vase",)) -> None:
        ours, self.theirs = os.openpty() if kind == "terminal" else os.pipe()
        if kind == "terminal":
            ours, self.theirs = self.theirs, ours
        self.ours = ours
        self.told: list[str] = []
        self.again: list[bytes] = []
        self.desk = ManualDesk(find("manual"), {}, ours, self.told.append)
        self.desk.look_again = self.again.append
        self.strategies = [
            self.desk.strategy_for(SimpleNamespace(listing=listing, rules=SimpleNamespace(currency="EUR")))  # type: ignore[arg-type]
            for listing in listings
        ]

    def look(self, seen: AuctionView, place: int = 0) -> Offer | Wait:
        return self.strategies[place].decide(seen, PURSE, 40 * SECOND_NS, None)  # type: ignore[arg-type]

    def say(self, text: str) -> None:
        os.write(self.theirs, text.encode())
        self.desk.turn()

    def leave(self) -> None:
        os.close(self.theirs)
        self.desk.turn()


@pytest.fixture
def person() -> Iterator[Callable[..., Person]]:
    made: list[Person] = []

    def build(*arguments: Any) -> Person:
        made.append(Person(*arguments))
        return made[-1]

    yield build
    for each in made:
        each.desk.close()
        for descriptor in (each.ours, each.theirs):
            with suppress(OSError):
                os.close(descriptor)


def test_at_a_terminal_the_board_is_shown_when_it_changes_and_an_order_is_carried_out(
    person: Callable[..., Person],
) -> None:
    ann = person("terminal")
    assert ann.told == [HELP]
    ann.look(view())
    for _ in range(3):
        ann.desk.turn()
    assert ann.told[1:] == ["vase: 10.00EUR, least bid 11.00EUR, 1:00 left, 100.00EUR free"]
    ann.say("+\n")
    assert ann.again == [b"a" * 32]
    assert ann.look(view()) == Offer(1_100)
    ann.look(view(is_leading=True, bid_count=2, price_minor=1_100))
    ann.say("+\n?\n")
    ann.desk.turn()
    assert ann.told[2:] == [
        "vase: 11.00EUR, you lead, 1:00 left, 100.00EUR free",
        "vase: you lead already",
        ann.told[2],
    ]
    assert len(ann.again) == 1


@pytest.mark.parametrize(("line", "amount_minor"), [("12.50EUR", 1_250), ("12.5", 1_250), ("+5.00EUR", 1_500)])
def test_an_amount_is_bid_exactly(person: Callable[..., Person], line: str, amount_minor: int) -> None:
    ann = person("pipe")
    ann.look(view())
    ann.say(line + "\n")
    assert ann.look(view()) == Offer(amount_minor)
    assert ann.look(view()) == Asking()


def test_a_jump_is_bid_when_it_was_said_twice(person: Callable[..., Person]) -> None:
    ann = person("terminal")
    ann.look(view())
    ann.say("90.00EUR\n")
    assert ann.told[-1] == "vase: 90.00EUR is a jump; say it once more to bid it"
    assert ann.look(view()) == Asking()
    ann.say("80.00EUR\n")
    ann.say("90.00EUR\n")
    assert ann.look(view()) == Asking()
    ann.say("90.00EUR\n")
    assert ann.look(view()) == Offer(9_000)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("5.00EUR", "vase: that is less than the least bid now"),
        ("500.00EUR", "vase: that is more than is left of the budget"),
        ("12USD", "'12USD' is no order: "),
        ("much", "'much' is no order: "),
        ("0", "'0' is no order: "),
        ("vas +", "no auction 'vas'? it may be vase"),
        ("\x1b[31m", "'\\x1b[31m' is no order: "),
    ],
)
def test_what_cannot_be_bid_is_answered_and_not_bid(person: Callable[..., Person], line: str, answer: str) -> None:
    ann = person("pipe")
    ann.look(view())
    ann.say(line + "\n")
    assert ann.told[-1].startswith(answer)
    assert ann.look(view()) == Asking()


def test_with_several_auctions_an_order_names_its_own(person: Callable[..., Person]) -> None:
    ann = person("terminal", ("vase", "lamp"))
    ann.look(view(), 0)
    ann.look(view(b"b" * 32), 1)
    ann.say("+\n")
    assert ann.told[-1] == "which auction? it may be vase, lamp"
    ann.say("lamp +\n")
    assert ann.again == [b"b" * 32]
    assert ann.look(view(b"b" * 32), 1) == Offer(1_100)
    assert ann.look(view(), 0) == Asking()


def test_orders_from_a_pipe_wait_for_their_turn(person: Callable[..., Person]) -> None:
    ann = person("pipe")
    ann.say("+\n+\n")
    ann.leave()
    assert not ann.told
    assert ann.desk.descriptors() == ()
    ann.look(view())
    ann.desk.turn()
    assert ann.look(view()) == Offer(1_100)
    ann.look(view(is_leading=True, bid_count=2))
    ann.desk.turn()
    assert ann.look(view(minimum_minor=1_300, bid_count=3)) == Asking()
    ann.desk.turn()
    assert ann.look(view(minimum_minor=1_300, bid_count=3)) == Offer(1_300)
    assert not ann.told


def test_a_last_line_without_its_end_is_an_order_and_an_endless_line_is_not_kept(
    person: Callable[..., Person],
) -> None:
    ann = person("pipe")
    ann.look(view())
    ann.say("+")
    assert ann.look(view()) == Asking()
    ann.leave()
    assert ann.look(view()) == Offer(1_100)
    ben = person("pipe")
    for _ in range(50):
        ben.say("x" * 1_000)
    assert len(ben.desk._partial) < 1_000


def test_a_pipe_full_of_orders_is_read_when_there_is_room(person: Callable[..., Person]) -> None:
    ann = person("pipe")
    ann.say("+\n" * 1_000)
    assert ann.desk.descriptors() == ()
    assert MAX_LINES <= len(ann.desk._lines) <= MAX_LINES + 2_048
    for number in range(3_000):
        seen = view(minimum_minor=1_100 + number, bid_count=number)
        ann.look(seen)
        ann.desk.turn()
        if not ann.desk._lines:
            break
        assert ann.look(seen) == Offer(1_100 + number)
    assert ann.desk.descriptors() == (ann.ours,)
