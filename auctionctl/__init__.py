"""Auctions between parties who do not trust one another, or the auctioneer.

The library is :mod:`auctionctl.client`; its names can be had from here, and are loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from auctionctl.auction.bid import Bid
    from auctionctl.auction.events import Closed, Opened
    from auctionctl.auction.price import Money, parse_money
    from auctionctl.auction.terms import Lot, Terms
    from auctionctl.bidding.notices import AgentNotice, Outcome, Result
    from auctionctl.bidding.once import Accepted, Rejected
    from auctionctl.bidding.strategies import SPECS as STRATEGIES
    from auctionctl.bidding.strategy import AuctionView, Offer, Purse, Strategy, Wait
    from auctionctl.client.connection import Connection, Report, connect
    from auctionctl.client.snapshot import Snapshot
    from auctionctl.client.verifying import verify
    from auctionctl.errors import AuctionctlError
    from auctionctl.keys.signing import SecretKey
    from auctionctl.replica.audit import Audit
    from auctionctl.replica.replay import Applied

_PLACES = {
    "Accepted": "auctionctl.bidding.once",
    "AgentNotice": "auctionctl.bidding.notices",
    "Applied": "auctionctl.replica.replay",
    "AuctionView": "auctionctl.bidding.strategy",
    "AuctionctlError": "auctionctl.errors",
    "Audit": "auctionctl.replica.audit",
    "Bid": "auctionctl.auction.bid",
    "Closed": "auctionctl.auction.events",
    "Connection": "auctionctl.client.connection",
    "Lot": "auctionctl.auction.terms",
    "Money": "auctionctl.auction.price",
    "Offer": "auctionctl.bidding.strategy",
    "Opened": "auctionctl.auction.events",
    "Outcome": "auctionctl.bidding.notices",
    "Purse": "auctionctl.bidding.strategy",
    "Rejected": "auctionctl.bidding.once",
    "Report": "auctionctl.client.connection",
    "Result": "auctionctl.bidding.notices",
    "STRATEGIES": "auctionctl.bidding.strategies",
    "SecretKey": "auctionctl.keys.signing",
    "Snapshot": "auctionctl.client.snapshot",
    "Strategy": "auctionctl.bidding.strategy",
    "Terms": "auctionctl.auction.terms",
    "Wait": "auctionctl.bidding.strategy",
    "connect": "auctionctl.client.connection",
    "parse_money": "auctionctl.auction.price",
    "verify": "auctionctl.client.verifying",
}
"""Name → the module that has it: to import them all takes longer than ``auctionctl --version`` may."""

__all__ = [
    "STRATEGIES",
    "Accepted",
    "AgentNotice",
    "Applied",
    "AuctionView",
    "AuctionctlError",
    "Audit",
    "Bid",
    "Closed",
    "Connection",
    "Lot",
    "Money",
    "Offer",
    "Opened",
    "Outcome",
    "Purse",
    "Rejected",
    "Report",
    "Result",
    "SecretKey",
    "Snapshot",
    "Strategy",
    "Terms",
    "Wait",
    "connect",
    "parse_money",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'auctionctl' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    module = import_module(_PLACES[name])
    return module.SPECS if name == "STRATEGIES" else getattr(module, name)
