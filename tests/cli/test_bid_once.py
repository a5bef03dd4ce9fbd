from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auctionctl.bidding.notices import BidPlaced
from auctionctl.bidding.once import Above, Exactly, Halted, Least, NotHeard, StandsStill, Unanswered, Void
from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.bid_once import Wish, _answer, read_amount
from auctionctl.wire.frames import Message

from .conftest import LOT, START_NS, HouseStarter, finish, start_program

LOTS = """
[house]
port = {port}
verifiers = 1
[[auction]]
item = "Solo"
listing = "solo"
starting_price = "10.00EUR"
increment = "1.00EUR"
duration = "10m"
min_bidders = 1
[[auction]]
item = "Crowd"
listing = "crowd"
starting_price = "10.00EUR"
duration = "10m"
min_bidders = 3
start_timeout = "10m"
[[auction]]
item = "Pair"
listing = "pair"
starting_price = "10JPY"
increment = "1JPY"
duration = "10m"
min_bidders = 2
start_timeout = "10m"
[[auction]]
item = "Over"
listing = "over"
starting_price = "10.00EUR"
min_bidders = 2
start_timeout = "100ms"
[[auction]]
item = "Steep"
listing = "steep"
starting_price = "5.00EUR"
increment = "10000000000000.00EUR"
duration = "10m"
min_bidders = 1
"""

Auctionctl = Callable[..., Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    starter = HouseStarter(tmp_path_factory.mktemp("once") / "home")
    process = starter(LOTS, "--json")
    assert process.stdout is not None
    while b'"serving"' not in (line := process.stdout.readline()):
        assert line
    yield starter.home, process
    starter.end()


@pytest.fixture
def auctionctl(house: tuple[Path, subprocess.Popen[bytes]]) -> Auctionctl:
    return lambda *arguments: finish(start_program(house[0], *arguments))


def record(done: Any, status: int) -> dict[str, Any]:
    assert done.status == status, done.err
    answer: dict[str, Any] = json.loads(done.out)
    assert answer["schema"] == "auctionctl.bid/1"
    return answer


def test_one_bid_after_another_as_the_rules_have_it(auctionctl: Auctionctl, house: Any) -> None:
    first = auctionctl("bid", "solo", "--amount", "10.00EUR", "--key", "alice")
    assert first.status == 0, first.err
    facts = dict(line.split(None, 1) for line in first.out.splitlines())
    assert (facts["bid"], facts["amount"], facts["leading"]) == ("accepted", "10.00EUR", "yes")
    path = Path(facts["receipt"])
    assert path.parent.parent == house[0] / "state/receipts"
    assert path.parent.name.startswith("solo-")
    assert path.name.startswith("1-10.00EUR-")
    assert auctionctl("verify", path).status == 0

    leading = record(auctionctl("bid", "solo", "--amount", "20.00EUR", "--key", "alice", "--json"), 9)
    assert (leading["event"], leading["code"]) == ("rejected", "already_leading")

    low = auctionctl("bid", "solo", "--amount", "10.50EUR", "--key", "bob")
    assert low.status == 9
    assert "below_increment: a bid is at least price + increment(price)" in low.out
    assert "minimum 11.00EUR" in low.out

    least = record(auctionctl("bid", "solo", "--amount", "min", "--key", "bob", "--json"), 0)
    assert (least["event"], least["amount"], least["is_leading"]) == (
        "accepted",
        {"minor": 1100, "currency": "EUR"},
        True,
    )
    above = record(auctionctl("bid", "solo", "--amount", "+2.00EUR", "--key", "alice", "-o", "jsonl"), 0)
    assert above["amount"]["minor"] == 1300
    assert above["index"] > least["index"]
    shown = json.loads(auctionctl("show", "solo", "--key", "alice", "--json").out)
    assert [each["amount"]["minor"] for each in shown["bid_entries"]] == [1300, 1100, 1000]


def test_a_dry_run_says_what_the_rules_would_and_sends_nothing(auctionctl: Auctionctl) -> None:
    before = json.loads(auctionctl("show", "pair", "--key", "bob", "--json").out)
    refused = record(auctionctl("bid", "pair", "--amount", "10JPY", "--dry-run", "--key", "bob", "--json"), 9)
    assert (refused["event"], refused["code"]) == ("unacceptable", "not_open")
    words = auctionctl("bid", "pair", "--amount", "10JPY", "--dry-run", "--key", "bob")
    assert "1 of 2, you among them" in words.out
    assert json.loads(auctionctl("show", "pair", "--key", "bob", "--json").out) == before
    low = record(auctionctl("bid", "solo", "--amount", "1.00EUR", "--dry-run", "--key", "bob", "--json"), 9)
    assert low["code"].startswith("below_")
    assert "minimum" in low["observed"]
    assert record(auctionctl("bid", "solo", "--amount", "500EUR", "--dry-run", "--key", "bob", "--json"), 0)[
        "event"
    ] == ("acceptable")


def test_one_bid_keeps_to_the_caps_as_many_do_and_nothing_is_sent_beyond_them(
    auctionctl: Auctionctl, house: Any
) -> None:
    before = json.loads(auctionctl("show", "solo", "--key", "alice", "--json").out)
    settings = house[0] / "config/config.toml"
    settings.write_text('[caps]\n"so*" = "900EUR"\n')
    try:
        for more in (("--amount", "900.01EUR"), ("--amount", "899EUR", "--max-per-auction", "898.99")):
            for dry in ((), ("--dry-run",)):
                done = auctionctl("bid", "solo", *more, *dry, "--key", "alice")
                assert done.status == 2
                assert "is this auction's cap" in done.err
                assert "[caps] in config.toml" in done.err
        # How much +… and min are, the log says.
        done = auctionctl("bid", "solo", "--amount", "+900.00EUR", "--key", "alice")
        assert done.status == 2
        assert "is this auction's cap" in done.err
        shown = json.loads(auctionctl("show", "solo", "--key", "alice", "--json").out)
        assert shown["bid_entries"] == before["bid_entries"]
    finally:
        settings.unlink()


def test_what_does_not_open_is_not_waited_for_longer_than_asked(auctionctl: Auctionctl) -> None:
    answer = record(auctionctl("bid", "crowd", "--amount", "10.00EUR", "--wait", "0", "--key", "alice", "--json"), 10)
    assert (answer["event"], answer["joined"], answer["needed"]) == ("not_opened", 1, 3)
    words = auctionctl("bid", "crowd", "--amount", "10.00EUR", "--wait", "200ms", "--key", "bob")
    assert words.status == 10
    assert "of 3 bidders have joined" in words.out


def test_an_opening_that_comes_is_waited_for(house: Any, auctionctl: Auctionctl) -> None:
    waiting = start_program(house[0], "bid", "pair", "--amount", "12JPY", "--wait", "1m", "--key", "alice", "--json")
    other = auctionctl("bid", "pair", "--amount", "min", "--wait", "1m", "--key", "bob", "--json")
    done = finish(waiting)
    assert {done.status, other.status} <= {0, 9}, done.err + other.err
    assert record(done, done.status)["event"] in ("accepted", "rejected")
    assert 0 in (done.status, other.status)


def test_what_has_ended_takes_no_bid(auctionctl: Auctionctl) -> None:
    assert auctionctl("result", "over", "--wait", "--key", "alice").status == 11
    answer = record(auctionctl("bid", "over", "--amount", "10.00EUR", "--key", "alice", "--json"), 9)
    assert (answer["code"], answer["end_reason"]) == ("closed", "cancelled")


def test_where_no_further_bid_can_be_written_none_is_said_to_be_acceptable(auctionctl: Auctionctl) -> None:
    assert auctionctl("bid", "steep", "--amount", "min", "--key", "alice").status == 0
    for more in ((), ("--dry-run",)):
        done = auctionctl("bid", "steep", "--amount", "min", "--key", "bob", *more)
        assert (done.status, done.out) == (9, "")
        assert "would have to be 10000000000005.00EUR, and the largest amount is 10000000000000.00EUR" in done.err
        assert "hint: under its terms nobody can bid" in done.err


def test_another_currency_is_refused_before_anything_is_sent(auctionctl: Auctionctl) -> None:
    for more in ((), ("--dry-run",)):
        done = auctionctl("bid", "solo", "--amount", "5JPY", "--key", "bob", *more)
        assert done.status == 2
        assert "it is in JPY, and the auction solo is in EUR" in done.err


def test_one_bidder_a_key_holds_for_a_single_bid_too(house: Any, auctionctl: Auctionctl) -> None:
    waiting = start_program(house[0], "bid", "crowd", "--strategy", "smart", "--budget", "50EUR", "--key", "bob")
    assert waiting.stdout is not None
    while not (line := waiting.stdout.readline()).startswith(b"waiting\tcrowd\tbidders\t"):
        assert line.startswith(b"joined\t")
    assert auctionctl("bid", "solo", "--amount", "min", "--key", "bob").status == 8
    waiting.send_signal(signal.SIGINT)
    assert finish(waiting).status == 130


def test_a_bid_that_nobody_answered_says_until_when_it_counts(memory_house: Any) -> None:
    auction = memory_house.announce(LOT)
    terms = memory_house.house.log(auction).auction.terms
    placed = BidPlaced(auction, bytes(32), 1, 10_000, START_NS, Message(b"x"))
    answer = _answer(Unanswered(placed), "", auction, terms, None)
    assert answer.status == 5
    assert "may have been accepted until 2023-11-14T22:13:20.000Z" in dict(answer.facts)["bid"]
    assert (answer.record["event"], answer.record["not_after_ns"]) == ("unanswered", START_NS)
    void = _answer(Void(placed), "", auction, terms, None)
    assert (void.status, void.record["event"]) == (10, "void")
    assert "never will be" in dict(void.facts)["bid"]


def test_a_house_that_fell_silent_was_not_bid_at(memory_house: Any) -> None:
    auction = memory_house.announce(LOT)
    answer = _answer(NotHeard(), "", auction, memory_house.house.log(auction).auction.terms, None)
    assert (answer.status, answer.record["event"]) == (5, "not_heard")
    assert "nothing was bid" in dict(answer.facts)["bid"]


def test_a_paused_or_halted_auction_was_not_bid_in_or_says_until_when_it_may_have_been(memory_house: Any) -> None:
    auction = memory_house.announce(LOT)
    terms = memory_house.house.log(auction).auction.terms
    paused = _answer(StandsStill(START_NS), "", auction, terms, None)
    assert (paused.status, paused.record["event"], paused.record["until_ns"]) == (10, "paused", START_NS)
    assert "until 2023-11-14T22:13:20.000Z at the latest" in dict(paused.facts)["bid"]
    for placed in (None, BidPlaced(auction, bytes(32), 1, 10_000, START_NS, Message(b"x"))):
        halted = _answer(Halted(placed), "", auction, terms, None)
        assert (halted.status, halted.record["event"]) == (7, "halted")
        assert "halted this auction" in dict(halted.facts)["why"]
        assert ("amount" in halted.record) == (placed is not None)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("12.50EUR", Wish(Exactly(1_250), "EUR")),
        ("+5.00EUR", Wish(Above(500), "EUR")),
        (" min ", Wish(Least(), None)),
    ],
)
def test_an_amount_is_exact_or_above_the_price_or_the_least(text: str, wish: Wish) -> None:
    assert read_amount(text) == wish


@pytest.mark.parametrize("text", ["-5EUR", "+", "5", "1.234EUR", "minimum", "0EUR", "+0EUR", "++1EUR"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="--amount: "):
        read_amount(text)
