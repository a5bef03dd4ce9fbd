"""``pay``, ``settle``, ``reject-payment``, ``offer``, ``accept``, ``decline``: how a sale comes to its end.

Rule: each is signed, stands in the auction's log, and names what it is about: the payment, the bid, the offer. What
there is to name is taken from the verified log; where there is nothing, the house refuses it, and signs for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.command_arguments import DryRun, ListingOrId, Reason
from auctionctl.cli.command_schema import JSON_SCHEMA
from auctionctl.cli.options import AtHouse, with_house

if TYPE_CHECKING:
    from auctionctl.auction.auction import Auction
    from auctionctl.auction.commands import AnyCommand
    from auctionctl.auction.terms import Terms
    from auctionctl.bidding.commanding import Make, Stamp
    from auctionctl.cli.giving import Named

__all__ = ["JSON_SCHEMA", "app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl pay gold-watch --reference 'transfer 4711' --key alice")
@with_house
def pay(
    at: AtHouse,
    auction: ListingOrId,
    *,
    reference: Annotated[
        str, typer.Option("--reference", metavar="TEXT", help="By what the seller finds the payment.")
    ] = "",
    dry_run: DryRun = False,
) -> int:
    """Say, as the winner, that the price is paid; the seller then settles the sale, or rejects the payment.

    The money itself goes another way: this is the word of the one who pays, in time and in the log. 9 if the rules
    refuse it.
    """
    from auctionctl.cli.words import check_words  # noqa: PLC0415

    if not reference.strip():
        raise ArgumentError(
            "say by what the seller finds the payment", hint="give --reference TEXT, such as the number of a transfer"
        )
    check_words("--reference", reference)

    def make(state: Auction, stamp: Stamp) -> AnyCommand:
        from auctionctl.auction.commands import Pay  # noqa: PLC0415

        owed = state.settlement or state.standing
        minor = max(1, 0 if owed is None else owed.price_minor)
        return Pay(*stamp.fields, minor, state.terms.rules.currency, reference)

    return _give_as(at, auction, "bidder", make, _debtor, is_dry=dry_run)


@app.command(epilog="Example: auctionctl settle gold-watch --key carol")
@with_house
def settle(at: AtHouse, auction: ListingOrId, *, dry_run: DryRun = False) -> int:
    """Say, as the seller or an operator, that the payment has come: the sale is settled. 9 if the rules refuse it."""

    def make(state: Auction, stamp: Stamp) -> AnyCommand:
        from auctionctl.auction.commands import Settle  # noqa: PLC0415
        from auctionctl.bidding.commanding import capacity_in  # noqa: PLC0415

        return Settle(*stamp.fields, capacity_in(state.terms.seller, stamp.actor), _payment(state))

    return _give_as_seller_or_operator(at, auction, make, is_dry=dry_run)


@app.command("reject-payment", epilog="Example: auctionctl reject-payment gold-watch --reason 'no such transfer'")
@with_house
def reject_payment(at: AtHouse, auction: ListingOrId, *, reason: Reason = "", dry_run: DryRun = False) -> int:
    """Say, as the seller or an operator, that the payment has not come: the winner still owes it.

    What time it had left before it said otherwise, it has again. 9 if the rules refuse it.
    """
    from auctionctl.cli.words import check_words  # noqa: PLC0415

    check_words("--reason", reason)

    def make(state: Auction, stamp: Stamp) -> AnyCommand:
        from auctionctl.auction.commands import RejectPayment  # noqa: PLC0415
        from auctionctl.bidding.commanding import capacity_in  # noqa: PLC0415

        capacity = capacity_in(state.terms.seller, stamp.actor)
        return RejectPayment(*stamp.fields, capacity, _payment(state), reason)

    return _give_as_seller_or_operator(at, auction, make, is_dry=dry_run)


@app.command(epilog="Example: auctionctl offer gold-watch --key carol")
@with_house
def offer(at: AtHouse, auction: ListingOrId, *, dry_run: DryRun = False) -> int:
    """Offer, as the seller, a lot that was not paid for to the next bidder, at its own bid.

    Where the terms allow it, and not below the reserve. 9 if the rules refuse it.
    """

    def make(state: Auction, stamp: Stamp) -> AnyCommand:
        from auctionctl.auction.commands import Offer  # noqa: PLC0415

        following = None if state.settlement is None else state.settlement.next_bidder
        bidder, (minor, index) = following or (stamp.actor, (1, 1))
        return Offer(*stamp.fields, bidder, minor, state.terms.rules.currency, index)

    return _give_as(at, auction, "seller", make, _seller, is_dry=dry_run)


@app.command(epilog="Example: auctionctl accept gold-watch --key bob")
@with_house
def accept(at: AtHouse, auction: ListingOrId, *, dry_run: DryRun = False) -> int:
    """Buy, as the bidder to whom it was offered, a lot that the winner did not pay for. 9 if the rules refuse it."""

    def make(state: Auction, stamp: Stamp) -> AnyCommand:
        from auctionctl.auction.commands import Accept  # noqa: PLC0415

        return Accept(*stamp.fields, _offer(state))

    return _give_as(at, auction, "bidder", make, _offered_to, is_dry=dry_run)


@app.command(epilog="Example: auctionctl decline gold-watch --key bob")
@with_house
def decline(at: AtHouse, auction: ListingOrId, *, dry_run: DryRun = False) -> int:
    """Say, as the bidder to whom it was offered, that you do not buy the lot. 9 if the rules refuse it."""

    def make(state: Auction, stamp: Stamp) -> AnyCommand:
        from auctionctl.auction.commands import Decline  # noqa: PLC0415

        return Decline(*stamp.fields, _offer(state))

    return _give_as(at, auction, "bidder", make, _offered_to, is_dry=dry_run)


_WHO: Final = {"bidder": "a bidder", "seller": "the seller of the auction, with the key that opened it"}
"""Role → whom a command is for that it is needed for."""


def _payment(state: Auction) -> bytes:
    """The id of the payment that was reported; where none was, one that nothing has."""
    return (state.settlement.payment if state.settlement else b"") or bytes(32)


def _offer(state: Auction) -> bytes:
    return (state.settlement.offer if state.settlement else b"") or bytes(32)


def _debtor(state: Auction) -> bytes | None:
    return state.settlement.debtor if state.settlement else None


def _seller(state: Auction) -> bytes | None:
    return state.terms.seller


def _offered_to(state: Auction) -> bytes | None:
    return state.settlement.offered_to if state.settlement else None


def _give_as(at: AtHouse, auction: str, role: str, make: Make, named: Named, *, is_dry: bool) -> int:
    from auctionctl.cli.giving import Order, always, give  # noqa: PLC0415 - takes long to import

    return give(at, auction, Order(make, always(role), _WHO[role], named), is_dry=is_dry)


def _give_as_seller_or_operator(at: AtHouse, auction: str, make: Make, *, is_dry: bool) -> int:
    from auctionctl.cli.giving import Order, give  # noqa: PLC0415

    who = "the seller of the auction, with the key that opened it, or an operator"
    return give(at, auction, Order(make, _seller_or_operator, who, _seller), is_dry=is_dry)


def _seller_or_operator(terms: Terms, actor: bytes) -> str:
    from auctionctl.bidding.commanding import capacity_in  # noqa: PLC0415

    return capacity_in(terms.seller, actor).value
