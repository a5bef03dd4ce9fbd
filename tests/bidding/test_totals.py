"""Totals: what is spent is what the wallet knows to be won, and what may yet be owed is not saved."""

from __future__ import annotations

from auctionctl.auction.price import Money
from auctionctl.bidding.notices import Outcome, Result
from auctionctl.bidding.totals import Totals, totals
from auctionctl.bidding.wallet import Wallet

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32


def test_lots_are_counted_and_money_is_that_of_the_wallet() -> None:
    wallet = Wallet(Money(1_000, "EUR"))
    wallet.recall(A, b"1", 1, 300, 9)
    wallet.accepted(A, 1, 300)
    wallet.ended(A, 300)
    wallet.recall(C, b"2", 1, 200, 9)
    outcomes = {
        A: Outcome(Result.WON, "completed", 300, ()),
        B: Outcome(Result.LOST, "completed", 900, ()),
        C: Outcome(Result.UNKNOWN, "archived", None, ()),
    }
    assert totals(outcomes, wallet) == Totals(1, 1, 1, "EUR", 1_000, 300, 200)
    assert totals(outcomes, wallet).saved_minor == 500
    wallet.owes(A, 0)
    assert totals(outcomes, wallet).spent_minor == 0, "a sale that was reverted costs nothing"
