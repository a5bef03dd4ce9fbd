from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.events import Cancelled
from auctionctl.auction.phase import EndReason, Phase, Stage
from auctionctl.auction.rules import OnDefault, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.views.auction_row import clock_text, name_of, row_of

ALICE = SecretKey(bytes([2]) * 32).identity.signing
BOB = SecretKey(bytes([3]) * 32).identity.signing
Make = Callable[..., Any]


def test_an_announced_auction_says_what_it_waits_for(sale: Make) -> None:
    made = sale()
    row = row_of(made.auction, made.now_ns + 1, {}, is_current=True)
    assert (row.phase, row.price, row.leader, row.bidder_count, row.min_bidders) == (Phase.ANNOUNCED, "", "", 0, 2)
    assert row.left == "10:00"
    assert row.result == ""


def test_an_open_auction_shows_price_leader_and_the_time_left_rounded_up(sale: Make) -> None:
    made = sale().open().bid(ALICE, 12_050)
    row = row_of(made.auction, made.now_ns + 1 * SECOND_NS + 1, {ALICE: "alice"}, is_current=True)
    assert (row.price, row.leader, row.bid_count, row.left_s) == ("120.50EUR", "alice", 1, 59)
    assert row_of(made.auction, made.now_ns + 61 * SECOND_NS, {}, is_current=True).left == "0:00"


def test_a_late_bid_shows_as_an_extension(sale: Make) -> None:
    made = sale().open()
    made.now_ns += 55 * SECOND_NS
    made.bid(BOB, 10_000)
    row = row_of(made.auction, made.now_ns, {}, is_current=False)
    assert (row.extensions, row.left_s, row.is_current) == (1, 10, False)


def test_a_sale_names_winner_and_price(sale: Make) -> None:
    made = sale().open().bid(ALICE, 10_000).close()
    row = row_of(made.auction, made.now_ns, {ALICE: "alice"}, is_current=True)
    assert (row.end_reason, row.left_s, row.result) == (EndReason.COMPLETED, None, "sold to alice at 100.00EUR")


def test_a_sale_that_is_not_paid_for_names_whose_turn_it_is(sale: Make) -> None:
    names = {ALICE: "alice", BOB: "bob"}
    made = sale(payment=PaymentRules(60 * SECOND_NS, 0, OnDefault.OFFER, 60 * SECOND_NS)).open()
    made.bid(BOB, 10_000).bid(ALICE, 12_000).close()

    def row() -> Any:
        return row_of(made.auction, made.now_ns, names, is_current=True)

    assert (row().stage, row().left, row().result) == (
        Stage.PENDING_PAYMENT,
        "1:00",
        "sold to alice at 120.00EUR, to be paid",
    )
    made.close()
    assert (row().stage, row().left, row().result) == (Stage.DEFAULTED, "1:00", "not paid for by alice")
    assert (row().price, row().leader) == ("120.00EUR", "alice")
    made.offer()
    assert (row().stage, row().left, row().result) == (Stage.OFFERED, "1:00", "offered to bob at 100.00EUR")
    assert (row().price, row().leader) == ("100.00EUR", "bob")
    made.close().close()
    assert (row().stage, row().left, row().result) == (Stage.REVERTED, "", "reverted")
    assert (row().price, row().leader) == ("120.00EUR", "alice"), "the best bid"


def test_an_end_without_a_sale_says_why(sale: Make) -> None:
    made = sale().open().close()
    assert row_of(made.auction, made.now_ns, {}, is_current=True).result == "no bids"
    cancelled = sale().close()
    assert isinstance(cancelled.auction.outcome, Cancelled)
    assert row_of(cancelled.auction, cancelled.now_ns, {}, is_current=True).result == "cancelled"


def test_a_hostile_title_is_shown_without_its_tricks(sale: Make) -> None:
    made = sale("\x1b[31m\u202eevil")
    assert row_of(made.auction, made.now_ns, {}, is_current=True).title == "[31mevil"


def test_a_bidder_without_a_name_is_shown_by_the_short_form_of_its_key() -> None:
    identity = SecretKey(bytes([9]) * 32).identity
    assert name_of(identity.signing, {}) == identity.short
    assert name_of(identity.signing, {identity.signing: "z\x1boe"}) == "zoe"
    assert Identity.from_text(identity.text).short == identity.short


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (9, "0:09"), (299, "4:59"), (3723, "1:02:03"), (3 * 86_400 + 14_706, "3 d 4:05:06")],
)
def test_a_time_left_is_written_as_a_clock(seconds: int, text: str) -> None:
    assert clock_text(seconds) == text
