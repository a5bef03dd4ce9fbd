"""Whatever an auction has come to, people read how it stands, until when, and who may do what about it."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.commands import Accept, Cancel, Capacity, Decline, Offer, Pause, Pay, RejectPayment, Settle
from auctionctl.auction.events import Left, Opened
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.giving import price_to
from auctionctl.cli.records import settlement_record
from auctionctl.cli.whereabouts import paused_words, possible_words, settlement_facts, where_words
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.listing import Entropy, LotDescription, describe_terms

START_NS = 1_700_000_000 * SECOND_NS
HOUSE = SecretKey(bytes([1]) * 32)
ANN, BEN = (SecretKey(bytes([n]) * 32).identity.signing for n in (2, 3))
SELLER = HOUSE.identity.signing
NAMES = {ANN: "ann", BEN: "ben", SELLER: "sue"}
FOLLOWED = PaymentRules(100 * SECOND_NS, 0, OnDefault.OFFER, 50 * SECOND_NS)
IDS = {"pay": b"p" * 32, "offer": b"o" * 32}


class Sale:
    """An auction of a minute, in which ann bids 20 EUR and ben 10 EUR."""

    def __init__(self, **terms: Any) -> None:
        lot = LotDescription("vase", "Vase", "EUR", 1_000, duration_ns=60 * SECOND_NS, min_bidders=2, **terms)
        entropy = Entropy(bytes(16), bytes(32), bytes(32))
        made = describe_terms(lot, SELLER, HOUSE.escrow_public, SELLER, entropy)
        self.now_ns = START_NS
        self.auction = Auction(bytes([7]) * 32, made, START_NS)

    def join(self, *bidders: bytes) -> Sale:
        for bidder in bidders:
            join = Join(SELLER, self.auction.id, bidder, bytes([self.auction.size]) * 16, self.now_ns, self.now_ns)
            assert self.auction.decide_join(join, self.now_ns) is None
            self.auction.apply_join(join, self.now_ns)
        return self

    def open(self) -> Sale:
        self.join(ANN, BEN).auction.apply(Opened(), self.now_ns)
        for bidder, minor in ((BEN, 1_000), (ANN, 2_000)):
            bid = Bid(SELLER, self.auction.id, bidder, 1, minor, "EUR", self.now_ns, self.now_ns)
            assert self.auction.decide_bid(bid, self.now_ns) is None
            self.auction.apply_bid(bid, self.now_ns)
        return self

    def leave(self, bidder: bytes) -> Sale:
        self.auction.apply(Left(bidder), self.now_ns)
        return self.settle_down()

    def settle_down(self) -> Sale:
        """Whatever is due, as the house would enter it."""
        while (event := self.auction.due(self.now_ns, None)) is not None:
            self.auction.apply(event, self.now_ns)
        return self

    def wait(self) -> Sale:
        """Until the next deadline."""
        self.now_ns = self.auction.get_timer() or self.now_ns
        return self.settle_down()

    def give(self, of: Any, actor: bytes, *fields: Any) -> Sale:
        name = of.__struct_config__.tag
        command = of(SELLER, self.auction.id, actor, bytes(16), self.now_ns, self.now_ns, *fields)
        command_id = IDS.get(name, bytes([self.auction.size]) * 32)
        assert self.auction.decide_command(command, command_id, self.now_ns) is None
        self.auction.apply_command(command, command_id, self.now_ns)
        return self.settle_down()

    def says(self) -> tuple[str, str]:
        return where_words(self.auction, NAMES), possible_words(self.auction, NAMES)


def sold() -> Sale:
    return Sale(payment=FOLLOWED).open().wait()


def paid() -> Sale:
    return sold().give(Pay, ANN, 2_000, "EUR", "transfer \x1b[31m1")


def offered() -> Sale:
    return sold().wait().give(Offer, SELLER, BEN, 1_000, "EUR", 4)


def by_terms(**more: Any) -> Sale:
    return Sale(pauses=PauseRules(Disconnection.PAUSE), **more).open().leave(BEN)


OPEN_UNTIL = "2023-11-14T22:14:20.000Z"
PAID_UNTIL = "2023-11-14T22:16:00.000Z"


@pytest.mark.parametrize(
    ("sale", "where", "possible"),
    [
        (Sale(), "announced, until 2023-11-14T22:23:20.000Z", "cancel (an operator)"),
        (Sale().open(), f"open, until {OPEN_UNTIL}", "bid (a bidder), pause (an operator)"),
        (Sale(pauses=PauseRules(max_pauses=0)).open(), f"open, until {OPEN_UNTIL}", "bid (a bidder)"),
        (
            Sale(cancellation=Cancellation.BEFORE_CLOSE).open(),
            f"open, until {OPEN_UNTIL}",
            "bid (a bidder), pause, cancel (an operator)",
        ),
        (
            Sale().open().give(Pause, SELLER, ""),
            "paused by an operator, until 2023-11-14T22:43:20.000Z at most",
            "resume (an operator)",
        ),
        (by_terms(), "paused by its terms, until 2023-11-14T22:15:20.000Z at most", "nothing: it goes on by itself"),
        (Sale().wait(), "closed: cancelled", "nothing: it was not sold"),
        (Sale().give(Cancel, SELLER, "stolen"), "closed: cancelled", "nothing: it was not sold"),
        (Sale().open().wait(), "closed: sold", "nothing: its terms leave the payment to winner and seller"),
        (sold(), f"to be paid by ann, until {PAID_UNTIL}", "pay (ann)"),
        (paid(), "payment reported", "settle, reject-payment (the seller or an operator)"),
        (paid().give(Settle, SELLER, Capacity.SELLER, IDS["pay"]), "settled", "nothing: the sale is settled"),
        (
            sold().wait(),
            "not paid for; the seller may offer it to ben at 10.00EUR, until 2023-11-14T22:16:50.000Z",
            "offer (the seller)",
        ),
        (offered(), "offered to ben at 10.00EUR, until 2023-11-14T22:16:50.000Z", "accept, decline (ben)"),
        (
            offered().give(Accept, BEN, IDS["offer"]),
            "to be paid by ben, until 2023-11-14T22:17:40.000Z",
            "pay (ben)",
        ),
        (offered().give(Decline, BEN, IDS["offer"]), "undone", "nothing: it was not sold"),
    ],
)
def test_how_it_stands_and_who_may_do_what_is_said_in_words(sale: Sale, where: str, possible: str) -> None:
    assert sale.says() == (where, possible)


def test_what_the_rules_take_and_what_is_said_to_be_possible_are_the_same() -> None:
    for sale in (Sale(), Sale().open(), by_terms(), sold(), paid(), sold().wait(), offered(), offered().wait()):
        words = possible_words(sale.auction, NAMES)
        for name in sale.auction.possible_commands:
            assert name.replace("_", "-") in words
        assert words.startswith("nothing") == (not sale.auction.possible_commands)


def test_a_sale_says_what_was_paid_and_whether_that_was_taken() -> None:
    assert settlement_facts(Sale().open().wait().auction, NAMES) == []
    assert settlement_facts(sold().auction, NAMES) == [("sale", f"to be paid by ann, until {PAID_UNTIL}")]
    assert settlement_facts(paid().auction, NAMES)[1:] == [("payment", "transfer [31m1")]
    rejected = paid().give(RejectPayment, SELLER, Capacity.SELLER, IDS["pay"], "")
    assert settlement_facts(rejected.auction, NAMES)[1:] == [("payment", "transfer [31m1, rejected")]


def test_an_offer_that_stands_is_an_object_for_programs_too() -> None:
    record = settlement_record(offered().auction.settlement, "EUR")  # type: ignore[arg-type]
    assert (record["offered_to"], record["offered_price"]) == (BEN.hex(), {"minor": 1_000, "currency": "EUR"})
    assert (record["debtor"], record["price"]) == (ANN.hex(), {"minor": 2_000, "currency": "EUR"})
    for sale in (sold(), sold().wait(), offered().give(Accept, BEN, IDS["offer"]), offered().wait()):
        record = settlement_record(sale.auction.settlement, "EUR")  # type: ignore[arg-type]
        assert (record["offered_to"], record["offered_price"]) == (None, None)


def test_pauses_are_counted_when_they_are_over() -> None:
    sale = Sale().open()
    assert paused_words(sale.auction) == "never"
    sale.give(Pause, SELLER, "")
    assert paused_words(sale.auction) == "never before"
    sale.wait()
    assert paused_words(sale.auction) == "once, 30m in all"
    sale = by_terms()
    sale.now_ns += 1_500_000_000
    sale.join(BEN).settle_down()
    sale.leave(BEN).wait()
    assert paused_words(sale.auction) == "2 times, 2m in all"


def test_an_offer_names_its_price_to_whom_it_was_made_and_to_nobody_else() -> None:
    assert price_to(BEN, offered().auction) == 1_000
    assert price_to(ANN, offered().auction) is None
    assert price_to(BEN, offered().give(Accept, BEN, IDS["offer"]).auction) == 1_000
    assert price_to(BEN, offered().give(Decline, BEN, IDS["offer"]).auction) is None
    assert price_to(BEN, sold().auction) is None
    assert price_to(BEN, Sale().open().auction) is None
