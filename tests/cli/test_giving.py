"""One command about one auction, in a house that really runs: what is written, kept, and said of what is refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.commands import Accept, Pause, Pay
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.commanding import NotHeard, Turned, Unanswered
from auctionctl.cli.command_schema import JSON_SCHEMA, SCHEMA
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.giving import _Answering
from auctionctl.cli.terms_words import terms_record
from auctionctl.keys.signing import SecretKey

from .conftest import LOT, START_NS, Ended, Run, finish, start_program, write_fair

LOTS = """
[house]
port = {port}
verifiers = 1
[defaults]
min_bidders = 1
start_timeout = "1h"
duration = "1h"
[[auction]]
item = "Operated"
starting_price = "10.00EUR"
[[auction]]
item = "Announced"
starting_price = "10.00EUR"
min_bidders = 5
[[auction]]
item = "Sold"
starting_price = "10.00EUR"
duration = "1s"
payment_timeout = "1h"
[[auction]]
item = "Unfollowed"
starting_price = "10.00EUR"
duration = "1s"
[[auction]]
item = "Unpaid"
starting_price = "10.00EUR"
duration = "8s"
soft_close = "4s"
payment_timeout = "1ms"
on_default = "offer"
offer_timeout = "1h"
"""


@pytest.fixture(scope="module")
def fair_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A house in which each lot has got as far as it does without commands; mallory is an operator."""
    home = tmp_path_factory.mktemp("market")
    path = write_fair(home, LOTS)
    mallory = SecretKey(bytes([44]) * 32).identity.text
    with (home / "config/allow").open("a") as allow:
        allow.write(f"{mallory} mallory role=operator\n")
    house = start_program(home, "serve", path, "--json")
    try:
        assert house.stdout is not None
        while b'"serving"' not in (line := house.stdout.readline()):
            assert line, house.stderr.read() if house.stderr else ""
        by_bob, by_alice = ("--amount", "10EUR", "--key", "bob"), ("--budget", "99EUR", "--key", "alice")
        assert finish(start_program(home, "bid", "unpaid", *by_bob)).status == 0
        alice = start_program(home, "bid", "unpaid", "sold", "unfollowed", "--strategy", "aggressive", *by_alice)
        assert finish(start_program(home, "bid", "operated", *by_bob)).status == 0
        assert finish(alice).status == 0
        waiting = {b'"sold"', b'"unfollowed"', b'"defaulted"'}
        while waiting:
            line = house.stdout.readline()
            assert line
            waiting -= {words for words in waiting if words in line and b'"closed"' in line}
        yield home
    finally:
        house.terminate()
        finish(house)


@pytest.fixture
def market(fair_home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Runs a command there, as ``who``."""
    monkeypatch.setenv("AUCTIONCTL_HOME", str(fair_home))

    def give(who: str, *words: str) -> Ended:
        return run(*words, "--key", who)

    return give


def told(market: Callable[..., Ended], who: str, *words: str, status: int = 0) -> dict[str, Any]:
    """The document of a command that ends with ``status``; every field of it is one that the manual knows."""
    done = market(who, *words, "--json")
    assert done.status == status, done.err
    document: dict[str, Any] = json.loads(done.out)
    assert document.pop("schema") == SCHEMA
    assert set(document) <= set(JSON_SCHEMA[SCHEMA])
    return document


def standing(market: Callable[..., Ended], lot: str) -> list[Any]:
    """All of an auction that a command could change; who is there changes by itself."""
    shown = json.loads(market("alice", "show", lot, "--json").out)
    return [shown[name] for name in ("phase", "end_reason", "standing", "end_ns", "pauses", "settlement")]


FRAME = {"command", "event", "auction", "listing", "whereabouts"}
ACCEPTED = FRAME | {"index", "time_ns", "receipt"}
REJECTED = FRAME | {"time_ns", "code", "rule", "observed", "possible"}


def test_what_an_operator_does_is_one_document_each_and_a_receipt_that_verifies(market: Any) -> None:
    paused = told(market, "mallory", "pause", "operated", "--reason", "a fire alarm")
    assert set(paused) == ACCEPTED | {"operator", "reason"}
    assert (paused["command"], paused["event"], paused["whereabouts"]) == ("pause", "accepted", "paused")
    assert (paused["listing"], paused["reason"]) == ("operated", "a fire alarm")
    receipt = Path(paused["receipt"])
    assert stat.S_IMODE(receipt.stat().st_mode) == 0o600
    verified = market("alice", "verify", receipt)
    assert verified.status == 0, verified.err
    assert f"entry {paused['index']} is in the log" in verified.out
    resumed = told(market, "mallory", "resume", "operated")
    assert (resumed["whereabouts"], resumed["reason"]) == ("open", "")
    assert resumed["index"] > paused["index"]
    cancelled = told(market, "mallory", "cancel", "announced", "--reason", "stolen")
    assert (cancelled["command"], cancelled["whereabouts"]) == ("cancel", "closed")
    assert market("alice", "result", "announced").status == ExitStatus.NO_SALE


def test_paying_rejecting_and_settling_are_one_document_each(market: Any) -> None:
    bought = json.loads(market("alice", "result", "sold", "--json").out)
    paid = told(market, "alice", "pay", "sold", "--reference", "transfer 1")
    assert set(paid) == ACCEPTED | {"bidder", "amount", "reference"}
    assert (paid["amount"], paid["reference"]) == (bought["price"], "transfer 1")
    rejected = told(market, "house", "reject-payment", "sold", "--reason", "none came")
    assert set(rejected) == ACCEPTED | {"by", "capacity", "payment", "reason"}
    assert (rejected["command"], rejected["capacity"]) == ("reject_payment", "seller")
    told(market, "alice", "pay", "sold", "--reference", "transfer 2")
    settled = told(market, "mallory", "settle", "sold")
    assert set(settled) == ACCEPTED | {"by", "capacity", "payment"}
    assert (settled["capacity"], settled["whereabouts"]) == ("operator", "settled")
    assert settled["payment"] != rejected["payment"]
    again = told(market, "mallory", "settle", "sold", status=9)
    assert (again["event"], again["code"], again["possible"]) == ("rejected", "settled", [])
    assert set(again) == REJECTED | {"by", "capacity", "payment"}
    shown = json.loads(market("alice", "show", "sold", "--json").out)
    assert shown["settlement"]["reference"] == "transfer 2"


def test_offering_and_accepting_are_one_document_each_and_the_dry_run_comes_first(market: Any) -> None:
    would = told(market, "house", "offer", "unpaid", "--dry-run")
    assert (would["event"], would["whereabouts"]) == ("acceptable", "defaulted")
    offered = told(market, "house", "offer", "unpaid")
    assert set(offered) == ACCEPTED | {"bidder", "amount", "bid_index"}
    assert (offered["amount"]["minor"], offered["bidder"]) == (1_000, would["bidder"])
    assert "offered to bob at 10.00EUR" in market("alice", "ls").out
    for command in ("accept", "decline"):
        assert told(market, "bob", command, "unpaid", "--dry-run")["event"] == "acceptable"
        refused = told(market, "alice", command, "unpaid", "--dry-run", status=9)
        assert (refused["event"], refused["code"]) == ("unacceptable", "not_offered")
        assert refused["possible"] == ["accept", "decline"]
    declined = told(market, "bob", "decline", "unpaid")
    assert set(declined) == ACCEPTED | {"bidder", "offer"}
    assert declined["whereabouts"] == "reverted"
    assert market("alice", "result", "unpaid").status == ExitStatus.NO_SALE


@pytest.mark.parametrize(
    ("who", "words", "code"),
    [
        ("mallory", ("pause", "sold"), "closed"),
        ("mallory", ("resume", "operated"), "not_paused"),
        ("mallory", ("cancel", "operated"), "has_bids"),
        ("alice", ("pay", "unfollowed", "--reference", "x"), "no_sale"),
        ("mallory", ("settle", "operated"), "no_sale"),
        ("mallory", ("reject-payment", "unfollowed"), "no_sale"),
        ("house", ("offer", "operated"), "no_sale"),
        ("alice", ("accept", "operated"), "no_sale"),
        ("alice", ("decline", "operated"), "no_sale"),
    ],
)
def test_a_dry_run_and_the_house_refuse_alike_and_change_nothing(
    market: Any, who: str, words: tuple[str, ...], code: str
) -> None:
    before = standing(market, words[1])
    would = told(market, who, *words, "--dry-run", status=9)
    refused = told(market, who, *words, status=9)
    assert (would["event"], refused["event"]) == ("unacceptable", "rejected")
    assert would["code"] == refused["code"] == code
    assert would["possible"] == refused["possible"]
    assert standing(market, words[1]) == before


def test_whoever_may_not_is_told_who_may_and_how_the_house_allows_it(market: Any) -> None:
    for dry in ((), ("--dry-run",)):
        paused = market("alice", "pause", "operated", *dry)
        assert paused.status == ExitStatus.NOT_AUTHORISED
        assert "alice is admitted as bidder, not as operator" in paused.err
        assert "auctionctl allow add KEY NAME --role operator --replace" in paused.err
        settled = market("bob", "settle", "sold", *dry)
        assert settled.status == ExitStatus.NOT_AUTHORISED
        assert "hint: it takes the seller of the auction, with the key that opened it, or an operator" in settled.err
        assert market("alice", "offer", "sold", *dry).status == ExitStatus.NOT_AUTHORISED


def test_what_is_not_there_or_cannot_be_said_is_an_error_before_anything_is_sent(market: Any) -> None:
    assert market("mallory", "pause", "nothing").status == ExitStatus.NOT_FOUND
    for words in (
        ("pause", "operated", "--reason", "a\x1b[31mb"),
        ("cancel", "operated", "--reason", "x" * 201),
        ("reject-payment", "sold", "--reason", "two\nlines"),
        ("pay", "sold", "--reference", "\u202eevil"),
        ("pay", "sold", "--reference", "  "),
        ("pay", "sold"),
    ):
        done = market("alice", *words)
        assert done.status == ExitStatus.USAGE
        assert "hint: " in done.err
        assert not {"\x1b", "\u202e"} & set(done.err)


def test_a_house_that_is_not_there_is_an_error_of_its_own(market: Any) -> None:
    from auctionctl.cli.demo import free_port

    address = f"auction://{SecretKey(bytes([41]) * 32).identity.text}@127.0.0.1:{free_port()}"
    assert market("mallory", "pause", "operated", "--house", address).status == ExitStatus.UNREACHABLE


STAMP = (bytes(32), bytes(32), bytes([2]) * 32, bytes(16), START_NS, START_NS + 30 * SECOND_NS)


@pytest.mark.parametrize(
    ("ending", "status", "event", "words"),
    [
        (NotHeard(), 5, "not_heard", "not given: the house does not say how the auction stands"),
        (Turned("no_such_auction", "gone"), 3, "refused", "no_such_auction: gone"),
        (Turned("not_authorised", "a \x1b[31mrole"), 4, "refused", "not_authorised: a [31mrole"),
        (Turned("halted", "this log"), 9, "refused", "halted: this log"),
        (
            Unanswered(Pause(*STAMP, "why")),
            5,
            "unanswered",
            "sent, and not answered: it may have been accepted until 2023-11-14T22:13:50.000Z; `auctionctl events"
            " gold-watch` says",
        ),
        (Unanswered(Pay(*STAMP, 1_000, "EUR", "x")), 5, "unanswered", "x"),
        (Unanswered(Accept(*STAMP, bytes(32))), 5, "unanswered", "gold-watch"),
    ],
)
def test_what_did_not_come_to_an_answer_says_what_may_have_become_of_it(
    sold: Any, ending: Any, status: int, event: str, words: str
) -> None:
    terms = sold.house.house.log(sold.auction).auction.terms
    answer = _Answering(object(), terms, sold.auction, None, {}).answer(ending)  # type: ignore[arg-type]
    assert (answer.status, answer.record["event"]) == (status, event)
    assert set(answer.record) <= set(JSON_SCHEMA[SCHEMA])
    assert words in [value for _, value in answer.facts]
    assert terms_record(terms)["currency"] == LOT.currency
